"""What z3 and cvc5 say about the obligations' files, in processes of their own, all under one budget of wall time.

Exact integers have decided every lemma before (`verify.symbolic.decide`), so an answer can agree, come too late, or disagree; none of
these changes a status. A disagreement means that the integers, the files or the solver are wrong, and raises `SolverDisagrees`.
"""

import json
import math
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Literal

from verify.symbolic.obligation import Obligation

#: A process that overstays its limit by more than this many seconds is killed and replaced.
GRACE = 2.0
#: One file gets at most this share of the budget, so that a hard one does not keep a process from all the others.
LARGEST_SHARE = 0.25
#: The solvers' modules, which are also their names here, and the packages that hold them.
PACKAGES = {"z3": "z3-solver", "cvc5": "cvc5"}
#: The longest budget, a day: far below the 2^32 ms at which z3's own count of milliseconds ends.
LONGEST_S = 86_400.0

Word = Literal["agrees", "time-out", "error", "not installed", "not asked"]


class SolverDisagrees(RuntimeError):  # noqa: N818 - says what the solver does
    """A solver's answer contradicts what exact integers found."""


@dataclass(frozen=True)
class Opinion:
    """What one solver says about one obligation; ``seconds`` is its own wall time."""

    word: Word
    seconds: float = 0.0
    detail: str = ""


def checked_budget(seconds: float) -> float:
    """The seconds, or ValueError unless they are a number from 0 to 86,400."""
    if not (math.isfinite(seconds) and 0 <= seconds <= LONGEST_S):
        raise ValueError(f"expected a solvers' budget from 0 to {LONGEST_S:.0f} seconds, got {seconds!r}")
    return seconds


def installed() -> dict[str, bool]:
    """Which solvers are there."""
    return {name: find_spec(name) is not None for name in PACKAGES}


def advice() -> str:
    """One sentence that says what to install for every solver that is missing; empty when none is."""
    missing = [PACKAGES[name] for name, there in installed().items() if not there]
    return f"no second opinion from {' and '.join(missing)}: pip install {' '.join(missing)}" if missing else ""


def ask_solvers(
    obligations: Sequence[Obligation], directory: Path, budget_s: float, jobs: int = 2, solvers: Sequence[str] = ("z3", "cvc5")
) -> dict[str, dict[str, Opinion]]:
    """Per obligation's id and solver, its opinion on the file below ``directory``, all within ``budget_s`` seconds.

    The first solver is asked about all files, short ones first, then the next one: so that as many lemmas as possible have an opinion.

    Raises ValueError for a budget that is no number from 0 to 86,400, and SolverDisagrees.
    """
    deadline = time.perf_counter() + checked_budget(budget_s)
    there = installed()
    missing: dict[str, Word] = {name: "not asked" if there[name] else "not installed" for name in solvers}
    found = {o.id: {name: Opinion(missing[name]) for name in solvers} for o in obligations}
    waiting: SimpleQueue[tuple[Obligation, str]] = SimpleQueue()
    for name in solvers:
        for obligation in sorted(obligations, key=lambda one: len(one.script)) if there[name] else ():
            waiting.put((obligation, name))
    disagreements: list[str] = []

    def drain() -> None:
        running: dict[str, SolverProcess] = {}
        try:
            while not disagreements and time.perf_counter() < deadline:
                obligation, name = waiting.get_nowait()
                solver = running.get(name) or running.setdefault(name, SolverProcess(name))
                limit = max(0.001, min(budget_s * LARGEST_SHARE, deadline - time.perf_counter()))
                started = time.perf_counter()
                reply = solver.ask(directory / obligation.file, limit)
                spent = time.perf_counter() - started
                opinion = judge(obligation.expected, reply, spent)
                if reply is None and spent < limit:
                    opinion = Opinion("error", spent, "the solver's process ended")
                if opinion is None:
                    assert reply is not None
                    disagreements.append(_sentence(obligation, name, reply["answers"]))
                else:
                    found[obligation.id][name] = opinion
                if reply is None:
                    running.pop(name).close()
        except Empty:
            pass
        finally:
            for process in running.values():
                process.close()

    threads = [threading.Thread(target=drain) for _ in range(max(1, jobs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if disagreements:
        raise SolverDisagrees(disagreements[0])
    return found


def judge(expected: Sequence[str], reply: dict[str, Any] | None, spent_s: float) -> Opinion | None:
    """What a reply means beside the expected answers; None when one of its answers contradicts the expected one."""
    if reply is None:
        return Opinion("time-out", spent_s)
    answers, seconds = reply["answers"], reply["seconds"]
    if any({a, b} == {"sat", "unsat"} for a, b in zip(answers, expected, strict=False)):
        return None
    if list(answers) == list(expected):
        return Opinion("agrees", seconds)
    wrong = next((a for a in answers if a not in ("sat", "unsat", "unknown")), "")
    if wrong or len(answers) > len(expected):
        return Opinion("error", seconds, (wrong or f"{len(answers)} answers to {len(expected)} checks")[:200])
    return Opinion("time-out", seconds)


def _sentence(obligation: Obligation, name: str, answers: Sequence[str]) -> str:
    pairs = enumerate(zip(answers, obligation.expected, strict=False))
    k, (said, expected) = next((k, pair) for k, pair in pairs if set(pair) == {"sat", "unsat"})
    return (
        f"{name} answers {said!r} to check {k + 1} of {obligation.file}, where exact integers give {expected!r}: "
        f"one of the two is wrong, and nothing is certified (--timeout 0 asks no solver)"
    )


class SolverProcess:
    """One running `verify.symbolic.solver.worker`."""

    def __init__(self, solver: str) -> None:
        root = Path(__file__).resolve().parents[3]
        code = f"import sys; sys.path.insert(0, {str(root)!r}); from verify.symbolic.solver.worker import serve; serve({solver!r})"
        self._process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, file: Path, limit_s: float, all_s: float | None = None) -> dict[str, Any] | None:
        """The reply, or None when the process died or overstayed ``all_s``, which is ``limit_s`` where it is not given."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        killer = threading.Timer((limit_s if all_s is None else all_s) + GRACE, self._process.kill)
        killer.start()
        try:
            self._process.stdin.write(json.dumps({"file": str(file), "limit_s": limit_s}) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        finally:
            killer.cancel()
        return json.loads(line) if line else None

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.kill()
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()
