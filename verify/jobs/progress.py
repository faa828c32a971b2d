"""Progress on stderr: each step with the time so far, about how long it will take, and a sign of life in long ones.

How long is told by what this run has taken so far: the same step the last time, or else the evaluation of all pairs, times what
the step took on four S6 networks in units of that (medians; single runs differ by a factor of two either way). Nothing depends on it.
"""

import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TextIO

from reports.escaping import one_line

#: Nothing is silent for longer than this, in seconds.
SILENCE = 5.0
#: The step that others are measured by, and what these took in units of it.
UNIT = "evaluating every pair"
MULTIPLES = {
    "fitting subgroups to neurons": 3.0,
    "writing preactivations on cosets": 1.0,
    "fitting preactivations and votes": 1.5,
    "refinement": 6.0,
    "planning a symbolic proof": 6.0,
    "fitting votes that lemmas can bound": 10.0,
    "proving pairs through the coset structure": 3.0,
    "measuring the levels of equivalence": 7.0,
}
#: Estimates are told from this many seconds on.
LONG = 10.0


def comment(text: str, stream: TextIO | None = None) -> None:
    """Print a line ``c TEXT`` on stderr, with a space for what ends a line or steers a terminal: names of files may hold that."""
    print(f"c {one_line(text)}", file=stream or sys.stderr, flush=True)


class Progress:
    """Lines ``c 12 s: what is being done``; after ``SILENCE`` seconds without one, what has been going on for how long."""

    def __init__(self, stream: TextIO | None = None, silence: float = SILENCE) -> None:
        """``stream`` is stderr when None."""
        self._stream, self._silence = stream or sys.stderr, silence
        self._began = self._step_began = self._said = time.monotonic()
        self._step = ""
        self._took: dict[str, float] = {}
        self._lock = threading.Lock()
        self._ended = threading.Event()

    def __call__(self, text: str) -> None:
        """Say that a step begins."""
        with self._lock:
            now = time.monotonic()
            if self._step:
                self._took[kind(self._step)] = now - self._step_began
            self._step, self._step_began = text, now
            about = expected(text, self._took)
            estimate = "" if about is None or about < LONG else f", some {round(about, -1):.0f} s"
            self._print(f"{now - self._began:3.0f} s: {text}{estimate}")

    def _print(self, text: str) -> None:
        self._said = time.monotonic()
        comment(text, self._stream)

    def _watch(self) -> None:
        while not self._ended.wait(self._silence / 5):
            with self._lock:
                now = time.monotonic()
                if self._step and now - self._said >= self._silence * 0.8:
                    self._print(f"{now - self._began:3.0f} s: ... still {self._step}, for {now - self._step_began:.0f} s")

    @contextmanager
    def watched(self) -> Iterator[None]:
        """While this lasts, long steps are heard of; it ends with the work, whatever becomes of it."""
        thread = threading.Thread(target=self._watch, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join()


def kind(step: str) -> str:
    """What steps that take alike long have in common: the words that they begin with."""
    return next((start for start in (UNIT, *MULTIPLES) if step.startswith(start)), step)


def expected(step: str, took: Mapping[str, float]) -> float | None:
    """About how many seconds a step will take, given what those before it took; None where nothing is known."""
    start = kind(step)
    if start in took:
        return took[start]
    return MULTIPLES[start] * took[UNIT] if start in MULTIPLES and UNIT in took else None
