"""Obligations written to files and handed to z3 in processes of their own, each with a limit, all under one deadline.

The limit is first z3's own; a process that overstays it by more than ``GRACE`` seconds is killed and replaced.
Answers map to statuses in one place, ``_judge``: PROVED when every check is unsat, REFUTED when an interpreted model refutes,
else UNKNOWN.
"""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from verify.symbolic.task import Counterexample, Outcome, Task

GRACE = 2.0
FOLDER = "obligations"


def file_name(task: Task) -> str:
    """Where a task's script lies, relative to the run's directory."""
    return f"{FOLDER}/{task.id}.smt2"


def write_scripts(tasks: Sequence[Task], directory: Path) -> None:
    """Write every script below ``directory``."""
    (directory / FOLDER).mkdir(parents=True, exist_ok=True)
    for task in tasks:
        (directory / file_name(task)).write_bytes(task.script.encode())


def solve(tasks: Sequence[Task], directory: Path, limit_s: float, deadline: float, jobs: int) -> list[Outcome]:
    """The outcomes of the tasks, whose scripts are in ``directory``, in the tasks' order.

    ``deadline`` is a reading of time.perf_counter; what has not been started by then is UNKNOWN.
    """
    outcomes: list[Outcome] = [Outcome("UNKNOWN", 0.0, "not started within the total time")] * len(tasks)
    waiting: SimpleQueue[int] = SimpleQueue()
    for k in range(len(tasks)):
        waiting.put(k)

    def drain() -> None:
        solver: _Process | None = None
        try:
            while time.perf_counter() < deadline:
                k = waiting.get_nowait()
                solver = solver or _Process()
                limit = min(limit_s, max(0.001, deadline - time.perf_counter()))
                reply = solver.ask(directory / file_name(tasks[k]), limit, tasks[k].wanted)
                outcomes[k] = _judge(tasks[k], reply, limit)
                if reply is None:
                    solver.close()
                    solver = None
        except Empty:
            pass
        finally:
            if solver is not None:
                solver.close()

    threads = [threading.Thread(target=drain) for _ in range(max(1, min(jobs, len(tasks))))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


class _Process:
    """One running ``verify.symbolic.worker``."""

    def __init__(self) -> None:
        root = Path(__file__).resolve().parents[2]
        command = [
            sys.executable,
            "-c",
            f"import sys; sys.path.insert(0, {str(root)!r}); from verify.symbolic.worker import serve; serve()",
        ]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, file: Path, limit_s: float, wanted: tuple[str, ...]) -> dict[str, Any] | None:
        """The reply, or None when the process died or overstayed its limit."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        killer = threading.Timer(limit_s + GRACE, self._process.kill)
        killer.start()
        try:
            self._process.stdin.write(json.dumps({"file": str(file), "limit_s": limit_s, "wanted": wanted}) + "\n")
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


def _judge(task: Task, reply: dict[str, Any] | None, limit_s: float) -> Outcome:
    if reply is None:
        return Outcome("UNKNOWN", limit_s, f"no answer within {limit_s:.0f} s")
    answers, seconds = reply["answers"], reply["seconds"]
    if answers == ["unsat"] * task.checks:
        return Outcome("PROVED", seconds)
    if "sat" in answers:
        model: Counterexample | None = None
        if task.interpret is not None and reply["values"]:
            model = task.interpret(reply["values"])
        detail = model.text if model else f"check {answers.index('sat') + 1} has a model"
        return Outcome("REFUTED" if model and model.refutes else "UNKNOWN", seconds, detail, model)
    odd = next((a for a in answers if a != "unsat"), "too few answers")
    return Outcome("UNKNOWN", seconds, f"the solver answered {odd!r}"[:200])
