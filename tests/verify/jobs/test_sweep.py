"""`verify sweep`: rows that survive, the same whatever does the work."""

from __future__ import annotations

import functools
import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from algebra.group import parse_group
from net.formats.folded_arrays import save_folded
from net.planted import planted_network
from verify.cli import execute
from verify.jobs import run as jobs_run
from verify.jobs.many import only_one
from verify.jobs.sweep import Row, sweep
from verify.reading import How

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

TIMES = {"seconds", "distil_s"}


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three right networks over S3 and a file that is none."""
    folder = tmp_path_factory.mktemp("networks")
    for seed in range(3):
        save_folded(folder / f"n{seed}.safetensors", planted_network(parse_group("S3"), seed=seed, width=18).network.weights)
    (folder / "x.safetensors").write_bytes(b"nothing of the kind")
    return folder


def without_times(rows: Sequence[Mapping[str, object]]) -> list[dict[str, object]]:
    return [{key: value for key, value in row.items() if key not in TIMES} for row in rows]


@pytest.fixture(scope="module")
def alone(networks: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Row]]:
    """The sweep by one process, which is what the others are compared with."""
    out = tmp_path_factory.mktemp("alone") / "out"
    return out, sweep([networks], out, "S3", 1, 0)


def test_two_processes_give_the_rows_of_one(networks: Path, alone: tuple[Path, list[Row]], tmp_path: Path) -> None:
    rows = sweep([networks], tmp_path / "out", "S3", 2, 0)

    assert [row["verdict"] for row in rows] == ["VERIFIED", "VERIFIED", "VERIFIED", "REFUSED"]
    assert without_times(rows) == without_times(alone[1])
    assert without_times(json.loads((tmp_path / "out" / "sweep.json").read_text())) == without_times(rows)
    for name in ("n0", "n1", "n2"):
        assert (tmp_path / "out" / name / "certificate.json").read_bytes() == (alone[0] / name / "certificate.json").read_bytes()


@pytest.mark.slow
def test_a_scheduler_gives_the_rows_of_one(networks: Path, alone: tuple[Path, list[Row]], tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        rows = sweep([networks], tmp_path / "out", "S3", 1, 0, scheduler=cluster.scheduler_address)

    assert without_times(rows) == without_times(alone[1])


def test_resume_keeps_what_is_done(
    networks: Path, alone: tuple[Path, list[Row]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Finished runs are not done again; those of another file, another version or a damaged folder are."""
    import shutil

    out = tmp_path / "out"
    shutil.copytree(alone[0], out)
    certificate = json.loads((out / "n1" / "certificate.json").read_text())
    certificate["not_checked"]["versions"]["coset-verify"] = "0.0.1"
    (out / "n1" / "certificate.json").write_text(json.dumps(certificate))
    mine = tmp_path / "mine"
    shutil.copytree(networks, mine)
    (mine / "n2.safetensors").write_bytes((networks / "n0.safetensors").read_bytes())
    done: list[str] = []
    original = jobs_run.run

    def counted(path: Path, *rest: object, **more: object) -> object:
        done.append(path.stem)
        return original(path, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(jobs_run, "run", counted)
    rows = sweep([mine], out, "S3", 1, 0, resume=True)

    assert done == ["n1", "n2", "x"]
    changed = json.loads((out / "n1" / "certificate.json").read_text())
    changed["correct"]["min_margin"] = "7"
    (out / "n1" / "certificate.json").write_text(json.dumps(changed))
    sweep([mine / "n2.safetensors"], out / "as_squares", "S3", 1, 0, how=How(activation="square"))
    shutil.copytree(out / "as_squares" / "n2", out / "n2", dirs_exist_ok=True)
    done.clear()
    assert without_times(sweep([mine], out, "S3", 1, 0, resume=True)) == without_times(rows)
    assert done == ["n1", "n2", "x"]  # a certificate that was changed, and a network that was read otherwise
    assert without_times(rows)[:2] == without_times(alone[1])[:2]
    assert [row["verdict"] for row in rows] == ["VERIFIED", "VERIFIED", "VERIFIED", "REFUSED"]


def test_the_figures_of_q4_are_those_of_the_certificate(alone: tuple[Path, list[Row]]) -> None:
    """The operations settle all pairs: 2 m n^3 for brute force over those of the plan and of evaluating what it leaves open."""
    for row in alone[1][:3]:
        compact = json.loads((alone[0] / str(row["name"]) / "certificate.json").read_text())["compact"]
        assert row["compact"] == compact["certified"]
        if compact["plan"] is None:
            assert row["flops_ratio"] is None
        else:
            assert row["flops_ratio"] == 2 * 18 * 6**3 / compact["flops"]


def test_a_second_sweep_into_a_folder_is_refused(networks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with only_one(tmp_path / "out", "sweep"):
        assert execute(["sweep", str(networks), "--out", str(tmp_path / "out"), "--group", "S3"]) == 4
    assert "that no other sweep writes into" in capsys.readouterr().err


def test_an_interrupted_sweep_leaves_its_rows_and_is_resumed(networks: Path, tmp_path: Path) -> None:
    """Ctrl-C ends it with one line and exit code 130; the rows that were there stay."""
    out = tmp_path / "out"
    command = [
        sys.executable,
        "-c",
        "from verify.cli import main; main()",
        "sweep",
        str(networks),
        "--out",
        str(out),
        "--group",
        "S3",
        "--timeout",
        "0",
    ]
    # a shell without job control starts what it runs in the background, these tests perhaps, with SIGINT ignored
    heard = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, preexec_fn=heard) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "1 of 4" in line:
                break
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()

    assert process.returncode == 130, rest
    assert "Traceback" not in rest
    assert [row["name"] for row in json.loads((out / "sweep.json").read_text())][:1] == ["n0"]
    assert execute(["sweep", str(networks), "--out", str(out), "--group", "S3", "--timeout", "0", "--resume", "--quiet"]) == 4
    assert len(json.loads((out / "sweep.json").read_text())) == 4
