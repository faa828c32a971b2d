"""Obligations of Q3 per network: status, how many, seconds, and whether cvc5 agrees.

    python benchmarks/bench_symbolic.py [--cross-check] CHECKPOINT:GROUP ...

Prints a table in Markdown. The seconds are those of the symbolic layer alone, distillation not counted.
"""

import argparse
import tempfile
import time
from pathlib import Path

from algebra.group import parse_group
from algebra.subgroups import subgroups
from net.checkpoint import load_network
from verify.cross_check import cross_check
from verify.distill import distill
from verify.exhaustive import evaluate
from verify.levels import mechanism
from verify.symbolic import prove

TIMEOUT_S = 60.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoints", nargs="+", metavar="CHECKPOINT:GROUP")
    parser.add_argument("--cross-check", action="store_true")
    arguments = parser.parse_args()
    print("| network | Q3 | obligations | proved | O1 s | O2 s | O3 s | wall s | cvc5 agree / disagree / timeout | reason |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for argument in arguments.checkpoints:
        path, _, name = argument.rpartition(":")
        print(row(Path(path), name, arguments.cross_check), flush=True)


def row(path: Path, name: str, second_solver: bool) -> str:
    group = parse_group(name)
    network = load_network(path, group)
    found = distill(subgroups(group), network.weights, evaluate(network.weights, expected=group.mul))
    written = found.point("readable").written
    records = mechanism(found.labels, written.program, network.weights.exact(), written.weights.exact())
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        result = prove(written.program, group, written.subgroups, network, records, Path(folder), TIMEOUT_S, TIMEOUT_S)
        wall = time.perf_counter() - started
        agreement = cross_check(Path(folder), 30.0) if second_solver else None
    obligations = result.symbolic.obligations
    seconds = [sum(s for key, s in result.seconds.items() if key.startswith(kind)) for kind in ("O1", "O2", "O3")]
    proved = sum(o.status == "PROVED" for o in obligations)
    times = " | ".join(f"{s:.1f}" for s in (*seconds, wall))
    counts = "-"
    if agreement is not None:
        counts = " / ".join(str(len(part)) for part in (agreement.agree, agreement.disagree, agreement.timeout))
    label = path.parent.name if path.name == "model.pt" else path.name
    return f"| {label} | {result.symbolic.status} | {len(obligations)} | {proved} | {times} | {counts} | {result.symbolic.reason} |"


if __name__ == "__main__":
    main()
