"""What `run` says at its end and while it works, and the pictures of `neuron`."""

import io
import time
from pathlib import Path
from typing import Any

import pytest

from algebra.group import parse_group
from net.formats.folded_arrays import save_folded
from net.planted import planted_network
from verify.cli import execute
from verify.jobs.progress import Progress


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("told")
    save_folded(folder / "n.safetensors", planted_network(parse_group("S3"), seed=1, width=24, noise=0.01).network.weights)
    return folder / "n.safetensors"


def test_the_last_lines_say_what_was_found(checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Families with their shares, the program's price, Q3, Q4 and the report on stderr, in 80 columns; two lines on stdout."""
    arguments = ["run", "--group", "S3", "--checkpoint", str(checkpoint), "--out", str(tmp_path / "out"), "--timeout", "0"]
    assert execute(arguments) == 0
    printed = capsys.readouterr()
    assert len(printed.out.splitlines()) == 2
    assert printed.out.endswith("s VERIFIED\n")
    said = printed.err.splitlines()
    assert all(line.startswith("c ") for line in said)
    last = [line for line in said if line[2:].split()[0] in ("network", "families", "program", "symbolic", "compact", "report")]
    assert [line[2:].split()[0] for line in last][:3] == ["network", "families", "program"]
    assert last[0].startswith("c network   36 of 36 pairs right, least margin ")
    assert "circuits" in last[1]
    assert "% of the parameters; 36 answers agree" in last[2]
    assert last[-1] == f"c report    {tmp_path}/out/report.md" == said[-1]
    assert all(len(line) <= 80 for line in last[:-1])


def test_quiet_is_quiet(checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing on stderr."""
    arguments = ["run", "--group", "S3", "--checkpoint", str(checkpoint), "--out", str(tmp_path / "out"), "--timeout", "0", "--quiet"]
    assert execute(arguments) == 0
    assert capsys.readouterr().err == ""


def test_a_long_step_gives_signs_of_life() -> None:
    """No silence is longer than what is allowed, and nothing comes after the end."""
    stream = io.StringIO()
    progress = Progress(stream, silence=0.1)
    with progress.watched():
        progress("thinking")
        time.sleep(0.5)
    said = stream.getvalue().splitlines()
    assert said[0] == "c   0 s: thinking"
    assert len(said) >= 3
    assert all("still thinking, for" in line for line in said[1:])
    time.sleep(0.2)
    assert stream.getvalue().splitlines() == said


@pytest.mark.draws
def test_neurons_as_pictures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One neuron as SVG, a class of them as PDF and as a list; wrong names are answered with those there are."""
    save_folded(tmp_path / "n.safetensors", planted_network(parse_group("S4"), seed=1, width=48, noise=0.01).network.weights)
    base = ["neuron", "--group", "S4", "--checkpoint", str(tmp_path / "n.safetensors")]

    def run(*more: Any) -> int:
        return execute([*base, *map(str, more)])

    assert run("3", "--figure", tmp_path / "three.svg") == 0
    assert "<svg" in (tmp_path / "three.svg").read_text()
    assert run("--class", "S3", "--figure", tmp_path / "sheet.pdf") == 0
    assert (tmp_path / "sheet.pdf").read_bytes().startswith(b"%PDF")
    capsys.readouterr()
    assert run("--class", "S3") == 0
    numbers = [int(word) for word in capsys.readouterr().out.split()]
    assert numbers == sorted(numbers) != []
    assert run("--class", "S9") == 2
    assert "expected a class of subgroups that labels name (" in capsys.readouterr().err
    assert run() == run("1", "--class", "S3") == run("1", "--figure", tmp_path / "x.gif") == 2


def test_a_claims_file_to_begin_with(checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is read and decided as it is, and never written over another file."""
    path = tmp_path / "mine.toml"
    assert execute(["claims", str(path), "--init", "--group", "S3"]) == 0
    assert execute(["claims", str(path), "--init"]) == 2
    assert execute(["claims", str(tmp_path / "mine.txt"), "--init"]) == 2
    capsys.readouterr()
    execute(["claims", str(path), "--checkpoint", str(checkpoint), "--group", "S3", "--quiet"])
    assert "PROVED" in capsys.readouterr().out
