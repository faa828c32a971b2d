"""The same obligations through a second solver: cvc5 runs the .smt2 files that z3 decided.

The files are standard SMT-LIB 2, so nothing is translated. A file counts as agreeing when both solvers give the same answer to each of
its checks, as disagreeing when one says sat where the other says unsat, and as timed out when either has no answer in time.
"""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from verify.symbolic.worker import run_script


@dataclass(frozen=True)
class Agreement:
    """Names of the files on which the solvers agree, disagree, or of which one has no answer in time."""

    agree: tuple[str, ...]
    disagree: tuple[str, ...]
    timeout: tuple[str, ...]


def cross_check(directory: Path, limit_s: float = 20.0, total_s: float = 600.0, jobs: int = 2) -> Agreement:
    """Run z3 and cvc5 on every ``*.smt2`` below ``directory``, each file with a limit and all under one.

    Raises ModuleNotFoundError when cvc5 is not installed (it is a development dependency).
    """
    import cvc5  # noqa: F401

    deadline = time.perf_counter() + total_s
    found: dict[str, list[str]] = {"agree": [], "disagree": [], "timeout": []}

    def within(file: Path) -> str:
        limit = min(limit_s, deadline - time.perf_counter())
        return compare(file, limit) if limit > 0 else "timeout"

    files = sorted(directory.rglob("*.smt2"))
    with ThreadPoolExecutor(jobs) as pool:
        for file, outcome in zip(files, pool.map(within, files), strict=True):
            found[outcome].append(file.relative_to(directory).as_posix())
    return Agreement(*(tuple(found[name]) for name in ("agree", "disagree", "timeout")))


def compare(file: Path, limit_s: float) -> str:
    """What comparing the solvers on one file gives: "agree", "disagree" or "timeout"."""
    text = file.read_text(encoding="utf-8")
    first, _ = run_script(text, limit_s)
    second = cvc5_answers(file, limit_s)
    if len(first) == len(second) and first == second and set(first) <= {"sat", "unsat"}:
        return "agree"
    opposed = any({a, b} == {"sat", "unsat"} for a, b in zip(first, second, strict=False))
    return "disagree" if opposed else "timeout"


def cvc5_answers(file: Path, limit_s: float) -> list[str]:
    """What cvc5 answers to each check of a script; what it had no time for is missing."""
    command = [sys.executable, "-c", _RUN, str(file), str(max(1, int(limit_s * 1000)))]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit_s + 1, check=False)
        said = done.stdout
    except subprocess.TimeoutExpired as late:
        said = late.stdout.decode() if isinstance(late.stdout, bytes) else late.stdout or ""
    return [line for line in said.split() if line in ("sat", "unsat", "unknown")]


#: Reads a script command by command, as cvc5's own binary does, and prints the answers.
_RUN = """
import sys
import cvc5
solver = cvc5.Solver()
solver.setOption("incremental", "true")
solver.setOption("tlimit-per", sys.argv[2])
if "(set-logic QF_NRA)" in open(sys.argv[1], encoding="utf-8").read():
    solver.setOption("nl-ext", "none")  # products of few variables: cylindrical coverings at once
    solver.setOption("nl-cov", "true")
manager = cvc5.SymbolManager(solver)
parser = cvc5.InputParser(solver, manager)
parser.setFileInput(cvc5.InputLanguage.SMT_LIB_2_6, sys.argv[1])
while not (command := parser.nextCommand()).isNull():
    print(command.invoke(solver, manager), end="", flush=True)
"""
