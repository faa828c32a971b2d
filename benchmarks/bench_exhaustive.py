"""Exhaustive evaluation against one plain float64 pass over the same network, in one run.

    OPENBLAS_NUM_THREADS=1 python benchmarks/bench_exhaustive.py [CHECKPOINT GROUP]...

Without arguments: a noisy vote counter on S5 and S6, of widths 125 and 216. The plain pass is
relu(L[x] + R) @ U for every x in NumPy, with nothing done to the logits. Times are the least of several
rounds in which the candidates take turns, so that a busy machine slows all of them alike. On a machine shared
with other work set OPENBLAS_NUM_THREADS=1: threads of OpenBLAS wait for each other, and a pass can take ten
times as long.
"""

from __future__ import annotations

import resource
import sys
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from algebra.group import parse_group
from net.checkpoint import load_network
from net.folded import FoldedNetwork, folded_network
from net.weights import Weights
from verify.exact.exhaustive import correct_pairs, evaluate, smallest_margin
from verify.exact.float32 import float32_proved

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 5


def vote_counter(name: str) -> FoldedNetwork:
    """Right on all of S_n: logit z counts the points i with z(i) = y(x(i)); every weight a little off."""
    group, rng = parse_group(name), np.random.default_rng(0)
    points = np.arange(group.degree)
    i, c, k = (axis.ravel() for axis in np.meshgrid(points, points, points, indexing="ij"))
    L, R = group.elements[:, i] == c, (group.elements[:, c] == k) - 1.0
    U = (group.elements[:, i] == k).T
    noisy = (np.float32(array + rng.normal(scale=1e-3, size=array.shape)) for array in (L, R, U))
    return folded_network(group, Weights.from_arrays(*noisy))


def plain_pass(weights: Weights) -> None:
    for x in range(weights.order):
        np.maximum(weights.L[x] + weights.R, 0) @ weights.U


def least_times(candidates: dict[str, Callable[[], object]]) -> dict[str, float]:
    times = dict.fromkeys(candidates, float("inf"))
    for _ in range(ROUNDS):
        for name, run in candidates.items():
            start = perf_counter()
            run()
            times[name] = min(times[name], perf_counter() - start)
    return times


def report(title: str, network: FoldedNetwork) -> None:
    weights, mul = network.weights, network.group.mul
    evaluation = evaluate(weights, mul)
    times = least_times(
        {
            "plain float64 pass": lambda: plain_pass(weights),
            "evaluate": lambda: evaluate(weights, mul),
            "evaluate, no guess": lambda: evaluate(weights),
            "evaluate, float64 first": lambda: evaluate(weights, mul, ("float64", "wide", "exact")),
            "smallest margin": lambda: smallest_margin(weights, evaluation, mul),
            "float32 statement": lambda: float32_proved(network, evaluation),
        }
    )
    smallest, proved = smallest_margin(weights, evaluation, mul), float32_proved(network, evaluation)
    print(f"\n{title}: n = {weights.order}, m = {weights.width}, {weights.order**2:,} pairs")
    print(f"  right {correct_pairs(evaluation, mul).sum():,}, tiers {evaluation.tiers}")
    print(
        f"  smallest margin {float(smallest[0]) if smallest else None}, float32 in any order "
        f"{'no statement' if proved is None else format(int(proved.sum()), ',')}"
    )
    for name, seconds in times.items():
        print(f"  {name:26} {seconds:8.3f} s   {seconds / times['plain float64 pass']:6.2f} x plain")


def main() -> None:
    paths = sys.argv[1:]
    if len(paths) % 2:
        sys.exit("Expected pairs of a checkpoint and a group; got an odd number of arguments.")
    for path, group in zip(paths[::2], paths[1::2], strict=True):
        report(path, load_network(path, group))
    for name in () if paths else ("S5", "S6"):
        report(f"vote counter on {name}", vote_counter(name))
    print(f"\npeak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")


if __name__ == "__main__":
    main()
