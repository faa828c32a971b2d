"""`verify diff` with networks of any size, and with programs and runs that were changed: sentences, and no figure that is false."""

from __future__ import annotations

import json
import shutil
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pytest

from algebra.group import parse_group
from net.formats.own import write_safetensors
from net.planted import planted_network
from verify import analyse
from verify.cli import execute
from verify.jobs.diff import _with_energy, side
from verify.record.certificate import Certificate, sealed

if TYPE_CHECKING:
    from pathlib import Path

JSON = dict[str, Any]


def planted(path: Path, scale: int = 0, bias: float = 0.0) -> Path:
    """A right network over S3, its L, R and U times 2^scale, with a bias for the first answer."""
    weights = planted_network(parse_group("S3"), seed=1, width=18).network.weights
    arrays = {"L": weights.L, "R": weights.R, "U": weights.U}
    stored = {name: array.astype("f8") * 2.0**scale for name, array in arrays.items()}
    write_safetensors(path, stored | {"b": np.array([bias] + [0.0] * 5)}, {})
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of a network that is wrong on two pairs."""
    folder = tmp_path_factory.mktemp("wrong")
    analyse(planted(folder / "n.safetensors", bias=1.5), "S3", timeout_s=0).write(folder / "run")
    return folder / "run"


def said(capsys: pytest.CaptureFixture[str], code: int, *arguments: object) -> str:
    capsys.readouterr()
    assert execute(["diff", *map(str, arguments), "--quiet"]) == code
    told = capsys.readouterr()
    return told.out if code < 2 else told.err


@pytest.mark.parametrize("scale", [700, -700])
def test_least_margins_of_any_size_are_told(scale: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, other = planted(tmp_path / "a.safetensors"), planted(tmp_path / "b.safetensors", scale)
    line = next(line for line in said(capsys, 0, one, other, "--group", "S3").splitlines() if "least margin" in line)
    first, second = line.partition(": A ")[2].split(", B ")
    exact = Fraction(side(one, "S3").least_margin or 0)
    assert abs(Fraction(Decimal(first)) / exact - 1) < Fraction(1, 1000)
    assert abs(Fraction(Decimal(second)) / (exact * Fraction(4) ** scale) - 1) < Fraction(1, 1000)


def test_a_network_without_neurons_has_no_kinds(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two sides, of which one has an empty list of neurons."""
    certificate, summary = load(run)
    certificate["checkpoint"]["width"], summary["program"]["neurons"] = 0, []
    certificate["program"]["circuits"], certificate["neurons"] = [], []
    text = said(capsys, 0, store(tmp_path / "none", certificate, summary), run)
    assert "- neurons: A none; B 18 coset" in text


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"preactivation_bits": 10**30}, "Expected `int`|from 0 to 12,000"),
        ({"preactivation_bits": 10**19}, "from 0 to 12,000"),
        ({"vote_bits": 10**6}, "from 0 to 12,000"),
        ({"vote_bits": -1}, "from 0 to 12,000"),
        ({"preactivation_bits": 12000, "vote_bits": 12000}, "4300 digits"),
        ({"bias": [1]}, "the bias has 1 integer,"),
        ({"subgroups": []}, "of a program that has 0"),
        ({"group": {"name": "S3", "degree": 10**19, "order": 6, "generators": ["(1 2)"]}}, "expected a program over a group"),
        ({"group": {"name": "S3", "degree": 3, "order": 6, "generators": ["(1 2)"]}}, "expected 6 elements, got generators of 2"),
    ],
)
def test_a_program_that_is_none_is_refused(
    changed: JSON, expected: str, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "program.json"
    path.write_text(json.dumps(json.loads((run / "program.json").read_text()) | changed))
    text = said(capsys, 4, path, run)
    assert any(part in text for part in expected.split("|")), text


def load(run: Path) -> tuple[JSON, JSON]:
    return json.loads((run / "certificate.json").read_text()), json.loads((run / "summary.json").read_text())


def store(folder: Path, certificate: JSON, summary: JSON) -> Path:
    """A run's directory with these, the certificate with the digest that it should have, as anyone can give it."""
    folder.mkdir()
    (folder / "certificate.json").write_bytes(msgspec.json.encode(sealed(msgspec.convert(certificate, Certificate))))
    (folder / "summary.json").write_text(json.dumps(summary))
    return folder


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("correct", "wrong", 0, 0), 6),
        (("correct", "wrong", 0, 0), -1),
        (("correct", "wrong", 0, 1), 10**30),
        (("correct", "wrong", 0, 2), 6),
        (("correct", "wrong", 0, 2), 10**19),
        (("correct", "wrong"), []),
        (("correct", "right"), 35),
        (("correct", "min_margin"), "(0 1)"),
        (("correct", "min_margin"), "1/0"),
        (("correct", "min_margin"), "-1/3"),
        (("group", "degree"), 10**19),
        (("program", "group", "name"), "S4"),
        (("program", "subgroups"), []),
        (("checkpoint", "width"), 17),
    ],
)
def test_a_certificate_that_says_what_cannot_be_is_refused(
    path: tuple[str | int, ...], value: object, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its digest is right, which proves nothing; an index of -1 was read as the last one."""
    certificate, summary = load(run)
    place: Any = certificate
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    assert said(capsys, 4, store(tmp_path / "changed", certificate, summary), run).startswith("verify: expected ")
    certificate, summary = load(run)
    assert "0 of 36 pairs differ" in said(capsys, 0, store(tmp_path / "same", certificate, summary), run)


def test_a_summary_of_another_run_is_refused(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    certificate, summary = load(run)
    neurons = summary["program"]["neurons"]
    others: list[JSON] = [
        {"checkpoint": summary["checkpoint"] | {"sha256": "0" * 64}},
        {"program": summary["program"] | {"neurons": neurons[1:]}},
        {"program": summary["program"] | {"neurons": [neurons[0] | {"index": 10**6}, *neurons[1:]]}},
    ]
    for number, other in enumerate(others):
        text = said(capsys, 4, store(tmp_path / str(number), certificate, summary | other), run)
        assert "expected certificate.json and summary.json of one run" in text
    shutil.rmtree(tmp_path / "0")


def test_all_of_the_energy_is_all_of_it(run: Path) -> None:
    """Ten tenths are 1; nine tenths and next to nothing beside them are not all."""
    from dataclasses import replace

    one = side(run)
    some = replace(one, neuron_energy=dict.fromkeys(range(10), 0.1))
    assert _with_energy({"all": tuple(range(10))}, some)["all"]["energy"] == 1.0
    rest = replace(one, neuron_energy={0: 1.0, 1: 1e-30})
    assert _with_energy({"all": (0,)}, rest)["all"]["energy"] == 1 - 2.0**-53


def test_a_network_in_several_files_is_a_checkpoint(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its index is a JSON file, as programs are."""
    whole = planted(tmp_path / "n.safetensors")
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": dict.fromkeys("LRUb", whole.name)}))
    assert "0 of 36 pairs differ" in said(capsys, 0, tmp_path / "model.safetensors.index.json", whole, "--group", "S3")


@pytest.mark.parametrize("name", ["certificate.json", "summary.json"])
def test_a_file_of_a_run_is_not_its_folder(run: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["diff", str(run), str(run / name)]) == 4
    assert f"got {run / name}: give its folder, {run}\n" in capsys.readouterr().err
