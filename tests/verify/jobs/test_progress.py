"""Progress: a line for each step, a sign of life in long ones, and about how long a step will take."""

import io
import re
import time

import pytest

from verify.cli import execute
from verify.jobs import progress as module
from verify.jobs.progress import MULTIPLES, UNIT, Progress, comment, expected, kind


def test_estimates_by_the_last_time_or_by_the_evaluation() -> None:
    """The same step's last time counts first, then the evaluation's times the multiple, else nothing is said."""
    assert expected("fitting preactivations and votes more closely", {}) is None
    assert expected("fitting preactivations and votes more closely", {UNIT: 4.0}) == 4 * MULTIPLES["fitting preactivations and votes"]
    assert expected("fitting preactivations and votes more closely", {UNIT: 4.0, "fitting preactivations and votes": 17.0}) == 17
    assert expected("writing the report", {UNIT: 4.0}) is None
    assert kind("refinement 3: 16 neurons in full") == "refinement"


@pytest.mark.parametrize(("seconds", "said"), [(4.0, "fitting subgroups to neurons, some 10 s"), (0.1, "fitting subgroups to neurons")])
def test_an_estimate_is_said_of_long_steps_alone(seconds: float, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step of 12 seconds is announced with its length, one of 0.3 seconds is not."""
    now = 0.0
    monkeypatch.setattr(module.time, "monotonic", lambda: now)
    stream = io.StringIO()
    tell = Progress(stream)
    tell("evaluating every pair exactly")
    now = seconds
    tell("fitting subgroups to neurons")
    assert stream.getvalue().splitlines()[-1].split(": ", 1)[1] == said


def test_a_long_step_is_heard_of() -> None:
    """Within the silence that is allowed a line says what is still going on."""
    stream = io.StringIO()
    tell = Progress(stream, silence=0.1)
    with tell.watched():
        tell("thinking")
        time.sleep(0.4)
    assert re.search(r"^c +0 s: \.\.\. still thinking, for 0 s$", stream.getvalue(), re.MULTILINE)


def test_no_name_of_a_file_writes_a_line_of_its_own_or_steers_the_terminal(capsys):
    """A snapshot called "x, newline, s VERIFIED, escape" is told on one line, without the escape; errors as well."""
    hostile = "1 of 2: x\ns VERIFIED\x1b[2K\u202e\u2028\r: REFUSED"
    comment(hostile)
    Progress(silence=60)(hostile)
    execute(["run", "--group", "S3", "--checkpoint", "x\ns VERIFIED\x1b[2K"])
    lines = capsys.readouterr().err.splitlines()

    assert len(lines) == 3
    assert all(line.isprintable() for line in lines)
    assert [line[:2] for line in lines] == ["c ", "c ", "ve"]
