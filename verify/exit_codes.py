"""What the exit codes of the `verify` command mean; `verify/checker` states its own, since it shares no code with the rest."""

from collections.abc import Iterable
from enum import IntEnum


class ExitCode(IntEnum):
    """The exit code of a command."""

    VERIFIED = 0
    """Proved, or done as asked."""

    REFUTED = 1
    """A counterexample was shown."""

    USAGE = 2
    """The command line asks for what does not exist."""

    UNKNOWN = 3
    """Neither proved nor refuted, within the time given."""

    MALFORMED = 4
    """The input is malformed, unsafe or something else than was expected, or the output cannot be written."""

    INTERNAL = 5
    """A mistake of this program's."""

    INTERRUPTED = 130
    """Ended by the user, as shells report SIGINT."""

    BROKEN_PIPE = 141
    """Nobody reads the output any more, as shells report SIGPIPE."""


#: From the code that decides a whole list of outcomes to the one that matters least.
_PRECEDENCE = (ExitCode.INTERNAL, ExitCode.MALFORMED, ExitCode.REFUTED, ExitCode.UNKNOWN, ExitCode.VERIFIED)

#: What a verdict means for the exit code. A claim that was measured or skipped stands in nobody's way.
OF_VERDICT = {
    "VERIFIED": ExitCode.VERIFIED,
    "PROVED": ExitCode.VERIFIED,
    "MEASURED": ExitCode.VERIFIED,
    "SKIPPED": ExitCode.VERIFIED,
    "REFUTED": ExitCode.REFUTED,
    "UNKNOWN": ExitCode.UNKNOWN,
    "REFUSED": ExitCode.MALFORMED,
    "FAILED": ExitCode.INTERNAL,
}


def exit_code(verdicts: Iterable[str]) -> ExitCode:
    """The exit code of several verdicts: that of the first kind of failed, refused, refuted, unknown that occurs, else VERIFIED."""
    codes = {OF_VERDICT[verdict] for verdict in verdicts}
    return next((code for code in _PRECEDENCE if code in codes), ExitCode.VERIFIED)
