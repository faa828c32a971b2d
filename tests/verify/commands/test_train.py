"""`verify train`: wrong options, runs that end early, and folders in which something is already."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from net.formats.container import read_contents
from net.formats.own import record_of, write_safetensors
from net.training import loop
from verify.cli import execute

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytest.importorskip("torch")
SMALL = ["--width", "12", "--embed", "8", "--batch", "18", "--steps", "20", "--quiet"]


def train(out: Path, *more: str, group: str = "S3") -> int:
    return execute(["train", "--group", group, *SMALL, "--out", str(out), *more])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--seed", str(2**64)], "--seed"),
        (["--width", str(2**25)], "--width"),
        (["--batch", str(10**20)], "--batch"),
        (["--fraction", "1e-9"], "leave a pair to train on"),
        (["--group", "S1"], "leave a pair to train on"),
        (["--seeds", f"1-{10**15}"], "at most 100,000 numbers below 2^64"),
        (["--seeds", f"{2**64}"], "at most 100,000 numbers below 2^64"),
        (["--seeds", "9" * 5000], "at most 100,000 numbers below 2^64"),
        (["--seeds", "3-1"], "like 1-20 or 3,5,8"),
    ],
)
def test_options_that_no_run_can_have_are_wrong_usage(
    options: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(tmp_path / "out", *options) == 2
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_weights_that_are_no_longer_finite_are_told_and_not_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train(tmp_path / "net.safetensors", "--learning-rate", "1e30") == 4
    assert "stay finite, got others by step 20: choose a smaller --learning-rate" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_logits_that_are_no_longer_finite_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Weights near 1e15 are finite; their products, with squares, are not."""
    assert train(tmp_path / "net.safetensors", "--learning-rate", "1e15", "--activation", "square") == 4
    assert "stay finite" in capsys.readouterr().err


def test_memory_that_is_lacking_is_no_mistake_of_the_program(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--width", str(2**24), "--embed", str(2**24)]
    assert train(tmp_path / "net.safetensors", *options) == 4
    assert "expected enough memory for this input, got too little" in capsys.readouterr().err
    assert train(tmp_path / "nets", *options, "--seeds", "1-2") == 4
    assert capsys.readouterr().out.count("not trained: ") == 2


def stop_after(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """Training is interrupted after so many steps."""
    original: Callable[..., Any] = loop.train

    def interrupted(settings: Any, mul: Any, state: Any, after_step: Any, after_evaluation: Any) -> Any:
        def stop(state: Any) -> None:
            after_step(state)
            if state.step == step:
                raise KeyboardInterrupt

        return original(settings, mul, state, stop, after_evaluation)

    monkeypatch.setattr(loop, "train", interrupted)


def test_an_interrupted_run_with_snapshots_is_resumed_wherever_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the first evaluation as well, after which states were kept; the networks are those of a run that was not interrupted."""
    keep = ["--seeds", "1-2", "--keep-every", "5"]
    assert train(tmp_path / "whole", *keep) == 0
    with monkeypatch.context() as patch:
        stop_after(patch, 12)
        assert train(tmp_path / "nets", *keep) == 130
    assert train(tmp_path / "nets", *keep) == 2
    assert train(tmp_path / "nets", *keep, "--resume") == 0

    def contents(folder: Path) -> dict[str, bytes]:
        return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    assert contents(tmp_path / "nets") == contents(tmp_path / "whole")


def test_networks_of_other_settings_are_not_taken_for_those_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train(tmp_path / "nets", "--seeds", "1") == 0
    assert train(tmp_path / "nets", "--seeds", "1-2", "--resume", "--width", "13") == 4
    assert "the same settings in" in (said := capsys.readouterr().err)
    assert "['width']" in said
    (tmp_path / "nets" / "S3-seed1.safetensors").write_bytes(b"nothing")
    assert train(tmp_path / "nets", "--seeds", "1-2", "--resume") == 4


def test_an_unfinished_run_is_not_continued_unasked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "nets").mkdir()
    (tmp_path / "nets" / "S3-seed2.safetensors.partial").write_bytes(b"nothing")
    assert train(tmp_path / "nets", "--seeds", "1-2") == 2
    assert "S3-seed2.safetensors.partial" in capsys.readouterr().err


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_network_that_cannot_be_trained_stops_no_other(jobs: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "nets").mkdir()
    (tmp_path / "nets" / "S3-seed1.safetensors.partial").write_bytes(b"nothing")
    assert train(tmp_path / "nets", "--seeds", "1-3", "--resume", "--jobs", jobs) == 4
    lines = sorted(capsys.readouterr().out.splitlines())
    assert "S3-seed1.safetensors: not trained: expected " in lines[0]
    assert ["pairs right after 20 steps" in line for line in lines] == [False, True, True]


@pytest.mark.parametrize(
    "wrong",
    [{"step": "x"}, {"step": True}, {"step": -1}, {"step": None}, {"history": 3}, {"history": [1]}, {"history": [{"step": 1}]}],
)
def test_a_state_that_is_none_is_refused(wrong: dict[str, object], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = unfinished(tmp_path, **wrong)
    assert train(out, "--resume") == 4
    assert "expected the step and the history of a training run in" in capsys.readouterr().err


def test_a_run_is_not_resumed_for_fewer_steps_than_it_took(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its network would be one after more steps than its settings allow."""
    out = unfinished(tmp_path, step=21)
    assert train(out, "--resume") == 4
    assert "expected a run of at most 20 steps" in capsys.readouterr().err


def unfinished(folder: Path, **record: object) -> Path:
    """An unfinished run after no step, whose record says something else."""
    out = folder / "net.safetensors"
    with pytest.MonkeyPatch.context() as patch:
        stop_after(patch, 1)
        assert train(out, "--keep-every", "1") == 130
    partial = folder / "net.safetensors.partial"
    contents = read_contents(partial.read_bytes())
    write_safetensors(partial, {name: t.array() for name, t in contents.tensors.items()}, record_of(contents.metadata) | record)
    return out


def test_a_file_that_is_there_is_not_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither a network nor anything else; an unfinished run beside it may be resumed."""
    out = tmp_path / "net.safetensors"
    out.write_bytes(b"mine")
    assert train(out) == 2
    assert "expected a new file for --out" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == [out.name]
    assert out.read_bytes() == b"mine"
