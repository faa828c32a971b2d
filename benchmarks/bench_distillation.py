"""Distillation, network by network: what the readable and the faithful program cost, explain, and leave, and what finding them takes.

    python benchmarks/bench_distillation.py FILE:GROUP ...

One row per network, each in a process of its own, searched in the units of `verify run` (`net.usual_units`). Seconds are in units of
one exact pass over all pairs in the same process; memory is the process's peak. FVE is the share of the logits' variance explained on
all pairs, *removed* the same after a random 40 % of the circuits are taken from both.

*rank* says what a faithful program could cost whose votes are sums of lists that all neurons share: with preactivations that cost
nothing, r lists and their coefficients are r (m + |G|) constants, and `vote_rank` is the least r that explains as much as is asked of
a faithful program.
"""

import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from net.weights import Weights
from verify import analyse
from verify.compare.comparison import compare
from verify.compare.levels import removal_fve
from verify.distil.curve import distill
from verify.distil.moments import activation_moments
from verify.distil.settings import DEFAULT
from verify.exact.exhaustive import evaluate

HEAD = "| network | readable | FVE | removed | faithful | FVE | rank | other points (pairs that differ) | labelled | passes | MB |"


def row(path: Path, name: str) -> str:
    """The network's row of the table."""
    analysis = analyse(path, name).searched
    network, group, lattice = analysis.weights, analysis.group, analysis.lattice
    started = time.perf_counter()
    answers = evaluate(network, expected=group.mul)
    once = time.perf_counter() - started
    started = time.perf_counter()
    found = distill(lattice, network, answers)
    passes = (time.perf_counter() - started) / once
    cells, others = [], []
    for point in found.points:
        program, weights = point.written.program, point.written.weights
        ratio, fve = program.constants / network.constants, compare(network, weights, group.mul).logit_fve
        if point.name not in ("readable", "faithful"):
            differ = int((point.evaluation.answer != answers.answer).sum())
            others.append(f"{ratio:.2%} {fve:.4f} ({differ:,})")
            continue
        cells += [f"{ratio:.2%}", f"{fve:.4f}"]
        if point.name == "readable":
            cells.append(f"{removal_fve(network, weights, program, activation_moments(network, weights))['40%']:.4f}")
    energy = sum(label.energy for label in found.labels) or 1.0
    labelled = sum(label.energy for label in found.labels if label.kind not in ("raw", "dead")) / energy
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    rank = vote_rank(network, DEFAULT.faithful_variance)
    price = rank * (network.width + network.order) / network.constants
    cells += [f"{rank}: {price:.1%}", "; ".join(others), f"{labelled:.4f}", f"{passes:.1f}", str(peak)]
    label = path.parent.name if path.name == "model.pt" else path.stem
    return f"| {label} | {' | '.join(cells)} |"


def vote_rank(network: Weights, explained: float) -> int:
    """The least rank of votes V with which sum_i h_i V_i explains so much of the variance of the network's logits over all pairs.

    With M = E[h h^T] and U the votes less their means over z, E |h (U - V)|^2 = |M^(1/2) (U - V)|^2, whose least value at rank r is the
    sum of the squares of all but the r largest singular values of M^(1/2) U (Eckart and Young, 1936). The bias counts as a neuron.
    Complexity: O(|G|^2 m^2).
    """
    votes = np.vstack([network.U, network.b])
    values, vectors = np.linalg.eigh(activation_moments(network))
    root = vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T
    energy = np.linalg.svd(root @ (votes - votes.mean(axis=1, keepdims=True)), compute_uv=False) ** 2
    return int(np.argmax(np.cumsum(energy) >= explained * energy.sum())) + 1


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
