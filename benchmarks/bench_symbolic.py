"""Obligations of Q3 per network: status, how many, seconds, and whether cvc5 agrees.

    python benchmarks/bench_symbolic.py [--cross-check] CHECKPOINT:GROUP ...

Prints a table in Markdown. Seconds: z3's by kind of obligation, then wall time of planning with the search for a provable program, and
of solving. Distillation is not counted. cvc5: files on which it agrees / disagrees / ran out of time.
"""

import argparse
import tempfile
import time
from pathlib import Path

from algebra.group import parse_group
from algebra.lattice import subgroups
from net.checkpoint import load_network
from verify.compare.levels import fve, mechanism
from verify.distil.curve import distill
from verify.distil.moments import activation_moments
from verify.exact.exhaustive import evaluate
from verify.symbolic.cross_check import cross_check
from verify.symbolic.decide import decide_symbolic

TIMEOUT_S = 60.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoints", nargs="+", metavar="CHECKPOINT:GROUP")
    parser.add_argument("--cross-check", action="store_true")
    arguments = parser.parse_args()
    columns = ["network", "Q3", "about", "constants", "FVE", "obligations", "proved"]
    columns += ["O1 s", "O2 s", "O3 s", "search s", "solving s", "cvc5", "reason"]
    print("| " + " | ".join(columns) + " |\n" + "|---" * len(columns) + "|")
    for argument in arguments.checkpoints:
        path, _, name = argument.rpartition(":")
        print(row(Path(path), name, arguments.cross_check), flush=True)


def row(path: Path, name: str, second_solver: bool) -> str:
    group = parse_group(name)
    network = load_network(path, group)
    answers = evaluate(network.weights, expected=group.mul)
    found = distill(subgroups(group), network.weights, answers)
    written = found.point("readable").written
    records = mechanism(found.labels, written.program, network.weights.exact(), written.weights.exact())
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        settled = decide_symbolic(written, records, found.labels, network, answers, Path(folder), TIMEOUT_S)
        wall = time.perf_counter() - started
        result = settled.result
        agreement = cross_check(Path(folder), 30.0) if second_solver else None
    obligations = result.symbolic.obligations
    seconds = [sum(s for key, s in result.seconds.items() if key.startswith(kind)) for kind in ("O1", "O2", "O3")]
    proved = sum(o.status == "PROVED" for o in obligations)
    about = settled.provable.written if settled.provable else written
    share = fve(network.weights, about.weights, activation_moments(network.weights, about.weights))
    kind = "provable" if settled.provable else "readable"
    times = " | ".join(f"{s:.1f}" for s in (*seconds, wall - settled.seconds, settled.seconds))
    counts = "-"
    if agreement is not None:
        counts = " / ".join(str(len(part)) for part in (agreement.agree, agreement.disagree, agreement.timeout))
    label = path.parent.name if path.name == "model.pt" else path.name
    cells = [label, result.symbolic.status, kind, about.program.constants, f"{share:.3f}", len(obligations), proved, times, counts]
    return f"| {' | '.join(map(str, cells))} | {result.symbolic.reason} |"


if __name__ == "__main__":
    main()
