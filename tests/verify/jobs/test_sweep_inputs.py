"""`verify sweep` with inputs that are wrong, of any size, or named as its own files are."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import pytest

from algebra.group import parse_group
from net.errors import MalformedInput
from net.formats.own import write_safetensors
from net.planted import planted_network
from verify.cli import execute
from verify.jobs import many
from verify.jobs.sweep import Row, _names, markdown, sweep
from verify.record.certificate import Certificate, sealed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def planted(path: Path, scale: int = 0, bias: float = 0.0) -> Path:
    """A right network over S3, its L, R and U times 2^scale, with a bias for the first answer."""
    path.parent.mkdir(exist_ok=True)
    weights = planted_network(parse_group("S3"), seed=1, width=18).network.weights
    arrays = {"L": weights.L, "R": weights.R, "U": weights.U}
    stored = {name: array.astype("f8") * 2.0**scale for name, array in arrays.items()}
    write_safetensors(path, stored | {"b": np.array([bias] + [0.0] * 5)}, {})
    return path


def test_no_two_runs_share_a_directory() -> None:
    """Numbers that tell equal names apart give no name that is there; what sweep.json lies beside has another name."""
    cases = [
        (["t/run-1.pt", "t/run/a.pt", "t/run/a.pt"], ["run-1", "run-1+", "run-2"]),
        (["t/a.pt", "t/b.pt"], ["a", "b"]),
        (["t/x/m.pt", "t/y/m.pt"], ["x", "y"]),
        (
            ["t/...pt", "t/.lock.pt", "t/sweep.json.pt", "t/sweep.md.npz", "t/run"],
            ["network-0", "lock-1", "sweep.json-2", "sweep.md-3", "run"],
        ),
        (["/a.pt", "/b/a.pt"], ["network-0", "b"]),
    ]
    for paths, names in cases:
        assert _names([Path(path) for path in paths]) == names


def test_files_named_as_the_sweeps_own_are_run(tmp_path: Path) -> None:
    for name in ("..", "sweep.json"):
        planted(tmp_path / "nets" / f"{name}.safetensors")
    rows = sweep([tmp_path / "nets"], tmp_path / "out", "S3", 1, 0)
    assert [(row["name"], row["verdict"]) for row in rows] == [("network-0", "VERIFIED"), ("sweep.json-1", "VERIFIED")]


def test_what_a_sweep_wrote_is_not_swept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A run's directory may hold the network; a file that is named is taken wherever it lies."""
    planted(tmp_path / "n.safetensors")
    left = planted(tmp_path / "out" / "network.safetensors")
    assert [row["name"] for row in sweep([tmp_path], tmp_path / "out", "S3", 1, 0)] == ["n"]
    assert [row["name"] for row in sweep([left], tmp_path / "out", "S3", 1, 0)] == ["network"]
    assert execute(["sweep", str(tmp_path / "out"), "--out", str(tmp_path / "out"), "--group", "S3", "--quiet"]) == 4
    assert "expected checkpoints outside of" in capsys.readouterr().err


def test_a_group_that_is_none_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With and without --resume; it was a row for each network that blamed the network."""
    path = planted(tmp_path / "n.safetensors")
    for more in ([], ["--resume"]):
        assert execute(["sweep", str(path), "--group", "S99x", "--out", str(tmp_path / "out"), *more]) == 2
        assert "got 'S99x'" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_least_margins_of_any_size_are_told(tmp_path: Path) -> None:
    """Weights times 2^k make margins times 4^k, which are neither infinite nor 0."""
    scales = {"a": 0, "huge": 700, "tiny": -700}
    for name, scale in scales.items():
        planted(tmp_path / "nets" / f"{name}.safetensors", scale)
    rows = {row["name"]: row for row in sweep([tmp_path / "nets"], tmp_path / "out", "S3", 1, 0)}
    one = Fraction(rows["a"]["exact_min_margin"] or "")
    assert rows["a"]["min_margin"] == float(one)
    for name in ("huge", "tiny"):
        exact = one * Fraction(4) ** scales[name]
        assert Fraction(rows[name]["exact_min_margin"] or "") == exact
        assert rows[name]["min_margin"] is None
        told = Decimal(markdown([rows[name]]).splitlines()[2].split(" | ")[8])
        assert abs(Fraction(told) / exact - 1) < Fraction(1, 1000)


def test_what_is_not_all_is_not_one() -> None:
    """Six digits of a share become four in the table."""
    row: Row = {"name": "n", "ratio": 1.00001, "logit_fve": 0.999999, "runner_up": 1.0, "ablation_fve": 0.9999, "seconds": 0.99999}
    cells = markdown([row]).splitlines()[2].strip(" |").split(" | ")
    assert [cell for cell in cells[1:] if cell] == ["over 1", "over 0.9999", "0.9999", "1", "1"]


def test_a_summary_that_was_changed_proves_nothing(tmp_path: Path) -> None:
    """What is proved is read off the certificate, whose digest is looked at; summary.json has none."""
    planted(tmp_path / "n.safetensors", bias=1.5)  # more than the least margin
    out = tmp_path / "out"
    rows = sweep([tmp_path / "n.safetensors"], out, "S3", 1, 0)
    assert rows[0]["verdict"] == "REFUTED"
    summary = json.loads((out / "n" / "summary.json").read_text())
    summary["verdict"], summary["correct"]["right"], summary["correct"]["min_margin"] = "VERIFIED", 36, "7"
    summary["equivalence"]["answers_agree"], summary["program"]["constants"], summary["symbolic"]["status"] = 1, 2, "PROVED"
    (out / "n" / "summary.json").write_text(json.dumps(summary))
    again = sweep([tmp_path / "n.safetensors"], out, "S3", 1, 0, resume=True)
    assert again == rows


def test_a_run_with_figures_that_no_run_has_is_done_again(tmp_path: Path) -> None:
    """A summary without the faithful program, or without its seconds; margins that are no numbers, under a digest that is right."""
    path, out = planted(tmp_path / "n.safetensors"), tmp_path / "out"
    rows = sweep([path], out, "S3", 1, 0)
    summary = json.loads((out / "n" / "summary.json").read_text())
    certificate = msgspec.json.decode((out / "n" / "certificate.json").read_bytes(), type=Certificate)
    changes: list[dict[str, object]] = [{"curve": []}, {"seconds": {}}]
    for changed in changes:
        (out / "n" / "summary.json").write_text(json.dumps(summary | changed))
        assert without_times(sweep([path], out, "S3", 1, 0, resume=True)) == without_times(rows)
    for margin in ("elements", "1/0"):
        other = msgspec.structs.replace(certificate, correct=msgspec.structs.replace(certificate.correct, min_margin=margin))
        (out / "n" / "certificate.json").write_bytes(msgspec.json.encode(sealed(other)))
        assert without_times(sweep([path], out, "S3", 1, 0, resume=True)) == without_times(rows)


def without_times(rows: Sequence[Mapping[str, object]]) -> list[dict[str, object]]:
    return [{key: value for key, value in row.items() if key not in ("seconds", "distil_s")} for row in rows]


def test_a_sweep_that_finds_no_scheduler_leaves_the_folder_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No empty table, and none in the place of an earlier one."""

    def refused(*_: object) -> object:
        raise MalformedInput("no scheduler")

    network, out = planted(tmp_path / "networks" / "a.safetensors"), tmp_path / "out"
    monkeypatch.setattr(many, "_on_cluster", refused)
    with pytest.raises(MalformedInput):
        sweep([network], out, "S3", 1, 0, scheduler="nowhere:1")
    assert not out.exists()
    out.mkdir()
    (out / "sweep.md").write_text("earlier")
    with pytest.raises(MalformedInput):
        sweep([network], out, "S3", 1, 0, scheduler="nowhere:1")
    assert (out / "sweep.md").read_text() == "earlier"
    assert not [path.name for path in out.iterdir() if path.name.endswith(".tmp") or path.name == "sweep.json"]
