"""What a command raises becomes the documented exit code and one sentence on stderr."""

import sys
import types
from pathlib import Path

import click
import msgspec
import pytest

from algebra.errors import GroupError
from net.bundled import bundled_checkpoint
from net.errors import MalformedInput
from reports import UnreadableReport
from verify import cli


def install(monkeypatch: pytest.MonkeyPatch, raised: BaseException | None, code: int | None = None) -> None:
    """Put a command `probe` in place that raises, or returns an exit code."""

    @click.command()
    def command() -> int | None:
        if raised is not None:
            raise raised
        return code

    module = types.ModuleType("verify.commands.probe")
    module.command = command  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "verify.commands.probe", module)
    monkeypatch.setattr(cli, "command_names", lambda: ["probe"])


@pytest.mark.parametrize(
    ("raised", "code", "message"),
    [
        (click.UsageError("no such thing"), 2, "no such thing"),
        (GroupError("Expected a group, got X9."), 2, "verify: Expected a group, got X9.\n"),
        (FileNotFoundError(2, "No such file or directory", "a.pt"), 2, "verify: expected a file or folder at a.pt, found none\n"),
        (MalformedInput("expected (120, 128),\n came (3,)"), 4, "verify: expected (120, 128), came (3,)\n"),
        (UnreadableReport("expected a file summary.json"), 4, "verify: expected a file summary.json\n"),
        (
            msgspec.ValidationError("Expected `int` - at `$.width`"),
            4,
            "verify: Expected `int` - at `$.width`\n",
        ),
        (msgspec.DecodeError("Input data was truncated"), 4, "verify: Input data was truncated\n"),
        (IsADirectoryError(21, "Is a directory", "d"), 4, "verify: d: Is a directory\n"),
        (OSError(28, "No space left on device"), 4, "verify: No space left on device\n"),
        (MemoryError(), 4, "verify: expected enough memory for this input, got too little\n"),
        (ZeroDivisionError("oops"), 5, "verify: internal error: ZeroDivisionError: oops\n"),
        (KeyboardInterrupt(), 130, "verify: interrupted\n"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_exceptions_become_exit_codes(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    raised: BaseException,
    code: int,
    message: str,
) -> None:
    """Usage is 2, bad input 4 with one line, a mistake of ours 5; nothing goes to stdout."""
    install(monkeypatch, raised)

    assert cli.execute(["probe"]) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert message in printed.err
    assert code != 4 or printed.err == message


@pytest.mark.parametrize(("returned", "code"), [(None, 0), (0, 0), (1, 1), (3, 3)])
def test_a_command_returns_its_exit_code(monkeypatch: pytest.MonkeyPatch, returned: int | None, code: int) -> None:
    """The integer that a command returns is the exit code; None is 0."""
    install(monkeypatch, None, returned)

    assert cli.execute(["probe"]) == code


@pytest.mark.parametrize("arguments", [[], ["nothing"], ["probe", "--unknown"], ["probe", "extra"]])
def test_wrong_usage_exits_with_2(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    """No command, an unknown one, an unknown option, an argument too many: usage on stderr, exit code 2."""
    install(monkeypatch, None)
    monkeypatch.setattr(cli, "short_help", lambda name: "A probe.")

    assert cli.execute(arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("Usage: verify")


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["--version"], ["probe", "--help"]])
def test_help_and_version_exit_with_0(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    """Asking for help is no error."""
    install(monkeypatch, None)
    monkeypatch.setattr(cli, "short_help", lambda name: "A probe.")

    assert cli.execute(arguments) == 0
    assert capsys.readouterr().out


def test_report_of_a_malformed_certificate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A certificate that does not fit the schema is malformed input, told by its path within the file."""
    (tmp_path / "certificate.json").write_text('{"format": 3}')

    assert cli.execute(["report", str(tmp_path / "certificate.json")]) == 4
    assert capsys.readouterr().err == "verify: Expected `str`, got `int` - at `$.format`\n"


def test_report_of_another_file_is_wrong_usage(tmp_path: Path) -> None:
    """The report is written from a file named certificate.json."""
    (tmp_path / "other.json").write_text("{}")

    assert cli.execute(["report", str(tmp_path / "other.json")]) == 2


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--seed", "1", "--seeds", "1-2"), "--seed or --seeds, got both"),
        (("--jobs", "2"), "with --seeds alone"),
        (("--learning-rate", "nan"), "a finite number for --learning-rate, got nan"),
        (("--weight-decay", "inf"), "a finite number for --weight-decay, got inf"),
        (("--fraction", "nan"), "a finite number for --fraction, got nan"),
    ],
)
def test_options_of_training_that_make_no_sense(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, ...], words: str
) -> None:
    """None is passed over, and nothing is written."""
    pytest.importorskip("torch")
    assert cli.execute(["train", "--group", "S3", "--out", str(tmp_path / "n.safetensors"), "--steps", "1", *more]) == 2
    assert words in " ".join(capsys.readouterr().err.split())
    assert list(tmp_path.iterdir()) == []


def test_a_file_where_a_folder_is_wanted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither a sweep nor a picture goes there, and both say so before the work."""
    (tmp_path / "file").write_text("")
    assert cli.execute(["sweep", str(bundled_checkpoint("S5")), "--out", str(tmp_path / "file")]) == 4
    assert "to be a folder, got a file" in capsys.readouterr().err
    assert cli.execute(["neuron", "3", "--group", "S5", "--figure", str(tmp_path / "none" / "3.svg")]) == 2
    assert "expected a figure in a folder that exists" in capsys.readouterr().err


@pytest.mark.parametrize(("typed", "meant"), [("rum", "run"), ("chek", "check"), ("sweeps", "sweep")])
def test_a_mistyped_command_is_answered_with_the_nearest_one(capsys: pytest.CaptureFixture[str], typed: str, meant: str) -> None:
    assert cli.execute([typed]) == 2
    assert f"got {typed!r}; did you mean {meant!r}?" in capsys.readouterr().err


def test_a_name_like_no_command_lists_them_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.execute(["xyzzy"]) == 2
    message = capsys.readouterr().err
    assert "did you mean" not in message
    assert "check, claims, " in message
