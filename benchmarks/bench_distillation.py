"""Distillation, network by network: what the readable and the faithful program cost, explain, and leave, and what finding them takes.

    python benchmarks/bench_distillation.py FILE:GROUP ...

One row per network, each in a process of its own. Seconds are in units of one exact pass over all pairs in the same process; memory
is the process's peak. FVE is the share of the logits' variance explained on all pairs, *removed* the same after a random 40 % of the
circuits are taken from both.
"""

import resource
import subprocess
import sys
import time
from pathlib import Path

from algebra.group import parse_group
from algebra.lattice import subgroups
from net.checkpoint import load_network
from verify.compare.levels import compare, removal_fve
from verify.distil.curve import distill
from verify.distil.moments import activation_moments
from verify.exact.exhaustive import evaluate

HEAD = "| network | readable | FVE | removed | faithful | FVE | other points | differ | labelled | passes | MB |"


def row(path: Path, name: str) -> str:
    """The network's row of the table."""
    group = parse_group(name)
    network = load_network(path, group, None, None).weights
    lattice = subgroups(group)
    started = time.perf_counter()
    answers = evaluate(network, expected=group.mul)
    once = time.perf_counter() - started
    started = time.perf_counter()
    found = distill(lattice, network, answers)
    passes = (time.perf_counter() - started) / once
    cells, others, differ = [], [], 0
    for point in found.points:
        program, weights = point.written.program, point.written.weights
        differ += int((point.evaluation.answer != answers.answer).sum())
        ratio, fve = program.constants / network.constants, compare(network, weights, group.mul).logit_fve
        if point.name not in ("readable", "faithful"):
            others.append(f"{ratio:.2%} {fve:.4f}")
            continue
        cells += [f"{ratio:.2%}", f"{fve:.4f}"]
        if point.name == "readable":
            cells.append(f"{removal_fve(network, weights, program, activation_moments(network, weights))['40%']:.4f}")
    energy = sum(label.energy for label in found.labels) or 1.0
    labelled = sum(label.energy for label in found.labels if label.kind not in ("raw", "dead")) / energy
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    cells += ["; ".join(others), str(differ), f"{labelled:.4f}", f"{passes:.1f}", str(peak)]
    label = path.parent.name if path.name == "model.pt" else path.stem
    return f"| {label} | {' | '.join(cells)} |"


def main() -> None:
    """Print the table for the networks of the command line."""
    if len(sys.argv) == 3 and sys.argv[1] == "--one":
        path, _, name = sys.argv[2].rpartition(":")
        print(row(Path(path), name), flush=True)
        return
    print(HEAD)
    print("|" + "---|" * (HEAD.count("|") - 1), flush=True)
    for network in sys.argv[1:]:
        subprocess.run([sys.executable, __file__, "--one", network], check=False)


if __name__ == "__main__":
    main()
