"""What z3 and cvc5 say about the obligations' files, in processes of their own, beside other work, all under one budget of wall time.

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
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Literal

from algebra.plural import plural
from verify.cores import cores
from verify.symbolic.obligation import Obligation
from verify.symbolic.solver.worker import Reply, Request

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


def beside() -> int:
    """How many solvers are at work at a time beside a run: two, but one where the run would have no core to itself."""
    return max(1, min(2, cores() - 1))


def ask_solvers(
    obligations: Sequence[Obligation],
    directory: Path,
    budget_s: float,
    jobs: int | None = None,
    solvers: Sequence[str] = ("z3", "cvc5"),
) -> dict[str, dict[str, Opinion]]:
    """Per obligation's id and solver, its opinion on the file below ``directory``, all within ``budget_s`` seconds: see `Asked`.

    Raises ValueError for a budget that is no number from 0 to 86,400, and SolverDisagrees.
    """
    return Asked(obligations, directory, budget_s, jobs, solvers).opinions()


class Asked:
    """Solvers at work on the obligations' files below ``directory``, from now on and for at most ``budget_s`` seconds.

    The first solver is asked about all files, short ones first, then the next one: so that as many lemmas as possible have an opinion.
    ``jobs`` processes at a time, as many as `beside` says where it is None.
    Whoever makes one either waits for its `opinions` or ends it by `stop`. Raises ValueError for a budget that is no number from 0 to
    86,400.
    """

    def __init__(
        self,
        obligations: Sequence[Obligation],
        directory: Path,
        budget_s: float,
        jobs: int | None = None,
        solvers: Sequence[str] = ("z3", "cvc5"),
    ) -> None:
        self._directory, self._budget_s = directory, checked_budget(budget_s)
        self._deadline = time.perf_counter() + budget_s
        there = installed()
        missing: dict[str, Word] = {name: "not asked" if there[name] else "not installed" for name in solvers}
        self._found = {o.id: {name: Opinion(missing[name]) for name in solvers} for o in obligations}
        self._waiting: SimpleQueue[tuple[Obligation, str]] = SimpleQueue()
        for name in solvers:
            for obligation in sorted(obligations, key=lambda one: len(one.script)) if there[name] else ():
                self._waiting.put((obligation, name))
        self._disagreements: list[str] = []
        self._lock, self._stopped, self._processes = threading.Lock(), False, set["SolverProcess"]()
        self._threads = [threading.Thread(target=self._drain) for _ in range(max(1, beside() if jobs is None else jobs))]
        for thread in self._threads:
            thread.start()

    def opinions(self) -> dict[str, dict[str, Opinion]]:
        """By obligation's id and solver, when all have answered or the budget is spent. Raises SolverDisagrees."""
        for thread in self._threads:
            thread.join()
        if self._disagreements:
            raise SolverDisagrees(self._disagreements[0])
        return self._found

    def stop(self) -> None:
        """End the solvers' processes, whatever they are at; nothing happens where they have ended."""
        with self._lock:
            self._stopped = True
            for process in self._processes:
                process.kill()
        for thread in self._threads:
            thread.join()

    def _started(self, name: str) -> "SolverProcess | None":
        """A new process of a solver; None after `stop`."""
        with self._lock:
            if self._stopped:
                return None
            process = SolverProcess(name)
            self._processes.add(process)
            return process

    def _closed(self, process: "SolverProcess") -> None:
        with self._lock:
            self._processes.discard(process)
        process.close()

    def _drain(self) -> None:
        running: dict[str, SolverProcess] = {}
        try:
            while not self._disagreements and not self._stopped and time.perf_counter() < self._deadline:
                obligation, name = self._waiting.get_nowait()
                solver = running.get(name) or self._started(name)
                if solver is None:
                    break
                running[name] = solver
                if not self._heard(obligation, name, solver):
                    self._closed(running.pop(name))
        except Empty:
            pass
        finally:
            for process in running.values():
                self._closed(process)

    def _heard(self, obligation: Obligation, name: str, solver: "SolverProcess") -> bool:
        """Ask a solver about one obligation; False when its process has ended."""
        limit = max(0.001, min(self._budget_s * LARGEST_SHARE, self._deadline - time.perf_counter()))
        started = time.perf_counter()
        reply = solver.ask(self._directory / obligation.file, limit)
        spent = time.perf_counter() - started
        opinion = judge(obligation.expected, reply, spent)
        if reply is None and spent < limit:
            opinion = Opinion("error", spent, "the solver's process ended")
        if opinion is None:
            assert reply is not None
            self._disagreements.append(_sentence(obligation, name, reply["answers"]))
        else:
            self._found[obligation.id][name] = opinion
        return reply is not None


def judge(expected: Sequence[str], reply: Reply | None, spent_s: float) -> Opinion | None:
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
        return Opinion("error", seconds, (wrong or f"{plural(len(answers), 'answer')} to {plural(len(expected), 'check')}")[:200])
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

    def ask(self, file: Path, limit_s: float, all_s: float | None = None) -> Reply | None:
        """The reply, or None when the process died or overstayed ``all_s``, which is ``limit_s`` where it is not given."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        killer = threading.Timer((limit_s if all_s is None else all_s) + GRACE, self._process.kill)
        killer.start()
        try:
            request: Request = {"file": str(file), "limit_s": limit_s}
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        finally:
            killer.cancel()
            killer.join()  # no thread of a request outlives it
        reply: Reply | None = json.loads(line) if line else None
        return reply

    def kill(self) -> None:
        """End the process; whoever waits for its reply has none."""
        self._process.kill()

    def close(self) -> None:
        """End the process and let go of what it held."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self.kill()
        with suppress(BrokenPipeError):  # what was not written to a process that has ended
            self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()
