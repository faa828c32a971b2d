"""How far a check has come, on stderr, and the lines of the closing table. Nothing that is proved rests on this module."""

import sys
from time import monotonic
from typing import NamedTuple, TextIO

#: Seconds before the first line about a step, and between two lines where they do not replace each other.
PATIENCE, PAUSE = 2.0, 4.0


def amount(number: int, units: str) -> str:
    """A number with its noun, which is given in the plural: "14,400 pairs", "1 pair", "1 entry"."""
    one = units[:-3] + "y" if units.endswith("ies") else units[: -2 if units.endswith("sses") else -1]
    return f"{number:,} {one if number == 1 else units}"


class Redone(NamedTuple):
    """One line of the closing table: a statement, how it was redone, on how many pairs or cases, in how many seconds."""

    statement: str
    how: str
    number: int
    unit: str
    seconds: float


class Progress:
    """Writes what is being done, how much of it, and about how long the rest takes; on a terminal each line replaces the one before."""

    def __init__(self, stream: TextIO | None = sys.stderr) -> None:
        self._stream = stream
        self._terminal = stream is not None and stream.isatty()

    def step(self, what: str, total: int, unit: str = "pairs") -> "Step":
        """The beginning of a step of that many units."""
        return Step(self, what, total, unit)

    def write(self, text: str, last: bool) -> None:
        """A line; ``last`` is that of its step."""
        if self._stream is not None:
            end = "\n" if last or not self._terminal else ""
            print(f"\r{text:100s}" if self._terminal else text, end=end, file=self._stream, flush=True)

    def pause(self) -> float:
        """Seconds between two lines of one step."""
        return 0.5 if self._terminal else PAUSE


class Step:
    """One step: ``done(k)`` says that k more units are done, and ``seconds`` how long it took until now."""

    def __init__(self, progress: Progress, what: str, total: int, unit: str) -> None:
        self._progress, self._what, self._total, self._unit = progress, what, total, unit
        self._done, self._start, self._next = 0, monotonic(), monotonic() + PATIENCE
        self._written = False

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return monotonic() - self._start

    def done(self, count: int = 1) -> None:
        """That many units more are done."""
        self._done += count
        now, finished = monotonic(), self._done >= self._total
        if now < self._next and not (finished and self._written):
            return
        self._next, self._written = now + self._progress.pause(), not finished
        left = (self._total - self._done) * (now - self._start) / max(1, self._done)
        rest = f"{self.seconds:.0f} s" if finished else f"about {left:.0f} s left"
        self._progress.write(f"{self._what}: {self._done:,} of {amount(self._total, self._unit)}, {rest}", finished)
