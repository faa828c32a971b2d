"""Progress on stderr: each step with the time so far, and a sign of life in long ones."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

#: Nothing is silent for longer than this, in seconds.
SILENCE = 5.0


class Progress:
    """Lines ``c 12 s: what is being done``; after ``SILENCE`` seconds without one, what has been going on for how long."""

    def __init__(self, stream: TextIO | None = None, silence: float = SILENCE) -> None:
        """``stream`` is stderr when None."""
        self._stream, self._silence = stream or sys.stderr, silence
        self._began = self._step_began = self._said = time.monotonic()
        self._step = ""
        self._lock = threading.Lock()
        self._ended = threading.Event()

    def __call__(self, text: str) -> None:
        """Say that a step begins."""
        with self._lock:
            self._step, self._step_began = text, time.monotonic()
            self._print(f"{self._step_began - self._began:3.0f} s: {text}")

    def _print(self, text: str) -> None:
        self._said = time.monotonic()
        print(f"c {text}", file=self._stream, flush=True)

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
