"""`verify diff`: two checkpoints, programs or runs side by side."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import pytest

from algebra.group import parse_group
from net.errors import MalformedInput
from net.formats.folded_arrays import save_folded
from net.planted import planted_network
from net.weights import Weights
from verify import analyse
from verify.cli import execute
from verify.jobs.diff import diff, markdown, side

if TYPE_CHECKING:
    from pathlib import Path

S3 = parse_group("S3")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A right network over S3, the same with the votes of two outputs exchanged, and the run of the first."""
    folder = tmp_path_factory.mktemp("two")
    weights = planted_network(S3, seed=1, width=20, kinds={"sign": 1}).network.weights
    save_folded(folder / "right.safetensors", weights)
    votes = weights.U.copy()
    votes[:, [0, 1]] = votes[:, [1, 0]]
    save_folded(folder / "wrong.safetensors", Weights.from_arrays(weights.L, weights.R, votes, weights.b))
    analyse(folder / "right.safetensors", "S3", timeout_s=0).write(folder / "run")
    return folder


def test_a_network_is_its_run(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["diff", str(files / "right.safetensors"), str(files / "run"), "--group", "S3", "--quiet"]) == 0
    shown = capsys.readouterr().out
    assert "answers: 0 of 36 pairs differ" in shown
    assert "another label: 0" in shown
    assert "0 in A alone, 0 in B alone, 0 with other neurons" in shown


def test_names_from_files_are_shown_as_they_are_and_write_no_line(files: Path) -> None:
    """A program.json may call its subgroups anything, and a summary its neurons; a file may have any name."""
    hostile = "x|y\n- answers: 0 of 36 pairs differ\n# FORGED <script>\x1b[31m"
    one, two = side(files / "run"), side(files / "run" / "program.json")
    renamed = [msgspec.structs.replace(record, name=record.name + hostile) for record in two.program.subgroups]
    other = replace(
        one,
        name=hostile,
        program=msgspec.structs.replace(two.program, subgroups=tuple(renamed)),
        neurons={i: (kind, hostile, hostile) for i, (kind, _, _) in (one.neurons or {}).items()},
    )
    text = markdown(diff(one, other), S3)
    assert "\x1b" not in text
    assert "<script" not in text
    plain = markdown(diff(one, replace(one, neurons=dict.fromkeys(one.neurons or {}, ("raw", None, None)))), S3)
    starts = {line.split(":")[0] for line in plain.splitlines()} | {"", "At most 10 of each kind are listed; --json lists all."}
    assert {line.split(":")[0] for line in text.splitlines() if not line.startswith("  - ")} <= starts
    assert sum("pairs differ" in line and line.startswith("- answers") for line in text.splitlines()) == 1


def test_a_program_has_the_answers_of_its_run(files: Path) -> None:
    one, two = side(files / "run"), side(files / "run" / "program.json")
    found = diff(one, two)

    assert found["answers_differ"] == []
    assert found["circuits"]["only_a"] == found["circuits"]["only_b"] == found["circuits"]["changed"] == {}
    assert "relabelled" not in found


def test_every_pair_that_differs_is_named(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Against the answers of both in float64 on all pairs."""
    arguments = ["diff", str(files / "right.safetensors"), str(files / "wrong.safetensors"), "--group", "S3", "--quiet"]
    arguments += ["--order", "lexicographic", "--product", "left-first"]
    assert execute([*arguments, "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    answers = []
    for name in ("right", "wrong"):
        w = analyse(files / f"{name}.safetensors", "S3", order="lexicographic", product="left-first").weights
        answers.append((np.maximum(w.L[:, None] + w.R[None], 0) @ w.U + w.b).argmax(axis=2))
    differ = [[int(x), int(y), int(answers[0][x, y]), int(answers[1][x, y])] for x, y in np.argwhere(answers[0] != answers[1])]

    assert found["answers_differ"] == differ
    assert len(differ) == 12
    assert found["right"] == [36, 24]
    assert execute(arguments) == 1
    assert "At most 10 of each kind are listed" in capsys.readouterr().out


def test_two_products_are_not_passed_off_as_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A network of yx is right in its own terms; that the files differ in their product is said."""
    weights = planted_network(parse_group("S3"), seed=1, width=18).network.weights
    for name, left, right in (("xy", weights.L, weights.R), ("yx", weights.R, weights.L)):
        save_folded(tmp_path / f"{name}.safetensors", Weights.from_arrays(left, right, weights.U, weights.b))
    one, other = (str(tmp_path / f"{name}.safetensors") for name in ("xy", "yx"))
    assert execute(["diff", one, other, "--group", "S3", "--quiet"]) == 0
    said = "its own numbering and product (A lexicographic, left-first; B lexicographic, right-first)"
    assert said in capsys.readouterr().out
    assert execute(["diff", one, one, "--group", "S3", "--quiet"]) == 0
    assert "its own numbering" not in capsys.readouterr().out


def test_a_run_that_was_changed_is_refused(files: Path, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    text = (files / "run" / "certificate.json").read_text()
    (tmp_path / "run" / "certificate.json").write_text(text.replace('"right":36', '"right":35'))
    (tmp_path / "run" / "summary.json").write_bytes((files / "run" / "summary.json").read_bytes())
    with pytest.raises(MalformedInput, match="another digest"):
        side(tmp_path / "run")
    with pytest.raises(MalformedInput, match="without certificate"):
        side(files)


def test_other_groups_are_not_compared(files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_folded(tmp_path / "s4.safetensors", planted_network(parse_group("S4"), seed=1, width=40).network.weights)
    assert execute(["diff", str(files / "run"), str(tmp_path / "s4.safetensors"), "--quiet"]) == 4
    assert "about the same group, got S3 and S4" in capsys.readouterr().err
