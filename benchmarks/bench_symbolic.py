"""Q3 per network: status, lemmas, seconds, and what z3 and cvc5 say.

    python benchmarks/bench_symbolic.py [--budget SECONDS] CHECKPOINT:GROUP ...

Prints a table in Markdown. Seconds: *deciding* is planning, the search for a provable program and the exact minima, *asking* the
solvers' wall time (0 asks none). Distillation is not counted. Solvers: files on which they agree / run out of time / err; one that
disagrees ends the program.
"""

import argparse
import tempfile
import time
from collections import Counter
from pathlib import Path

import verify
from verify.compare.levels import fve
from verify.symbolic.all_obligations import obligations_of
from verify.symbolic.obligation import write_scripts
from verify.symbolic.solver.opinions import ask_solvers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoints", nargs="+", metavar="CHECKPOINT:GROUP")
    parser.add_argument("--budget", type=float, default=0.0)
    arguments = parser.parse_args()
    columns = ["network", "Q3", "about", "constants", "FVE", "lemmas", "proved", "deciding s", "asking s", "z3", "cvc5", "reason"]
    print("| " + " | ".join(columns) + " |\n" + "|---" * len(columns) + "|")
    for argument in arguments.checkpoints:
        path, _, name = argument.rpartition(":")
        print(row(Path(path), name, arguments.budget), flush=True)


def row(path: Path, name: str, budget_s: float) -> str:
    analysis = verify.analyse(path, group=name)
    _ = analysis.distillation, analysis.mechanism
    started = time.perf_counter()
    finding = analysis.symbolic_proof
    obligations = obligations_of(finding)
    deciding = time.perf_counter() - started
    with tempfile.TemporaryDirectory() as folder:
        write_scripts(obligations, Path(folder))
        started = time.perf_counter()
        opinions = ask_solvers(obligations, Path(folder), budget_s)
        asking = time.perf_counter() - started
    words = {solver: Counter(opinions[o.id][solver].word for o in obligations) for solver in ("z3", "cvc5")}
    said = [" / ".join(str(words[s][word]) for word in ("agrees", "time-out", "error")) if budget_s else "-" for s in words]
    searched = analysis.searched  # in units in which floats can measure
    written = searched.symbolic_proof.written
    share = fve(searched.weights, written.weights, searched.distillation.moments_beside(written))
    label = path.parent.name if path.name == "model.pt" else path.name
    cells = [label, finding.status, finding.about, finding.written.program.constants, f"{share:.3f}", len(obligations)]
    cells += [sum(o.status == "PROVED" for o in obligations), f"{deciding:.1f}", f"{asking:.1f}", *said, finding.reason]
    return f"| {' | '.join(map(str, cells))} |"


if __name__ == "__main__":
    main()
