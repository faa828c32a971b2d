"""The ladder of strategies, from a network to the pairs on which it is proved right."""

from time import perf_counter

import numpy as np
import numpy.typing as npt

from algebra.group import FiniteGroup
from net.folded import FoldedNetwork
from net.weights import Weights
from verify.compact.factored import prove_factored
from verify.compact.plan import Plan, find_plan
from verify.compact.result import CompactResult, StrategyRecord
from verify.compact.shortlist import prove_shortlist
from verify.flops import brute_force

__all__ = ["prove", "prove_weights"]

#: Weights beyond this are not attempted: sums of float32 products must stay finite.
LARGEST = 2.0**40

Settled = tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32], tuple[StrategyRecord, ...]]


def prove(network: FoldedNetwork, deadline_s: float | None = None, seed: int = 0) -> CompactResult:
    """Prove pairs right through partitions of x or y, cheaper than by evaluating the network on them.

    Certified means: for the exact real-valued function of the checkpoint's weights, xy is the unique argmax
    at (x, y). Every rounding and the weights' own error bounds are accounted for. ``deadline_s`` bounds the
    seconds of the strategies, not of the search. ``seed`` draws the sample on which plans are priced.
    """
    return prove_weights(network.group, network.weights, deadline_s, seed)


def prove_weights(
    group: FiniteGroup, weights: Weights, deadline_s: float | None = None, seed: int = 0
) -> CompactResult:
    """``prove`` for bare weights in the group's own element order."""
    n, m = weights.L.shape
    started = perf_counter()
    reason = _refusal(weights)
    plan = None if reason else find_plan(group, weights, seed)
    search = perf_counter() - started
    brute = brute_force(n, m)
    if plan is not None and plan.predicted >= brute:
        reason = "no plan is predicted to cost less than evaluating the network"
    if plan is None or reason:
        nothing = np.zeros((n, n), dtype=np.uint8), np.full((n, n), -np.inf, dtype=np.float32)
        return CompactResult(*nothing, (), brute, search, m, reason)
    deadline = None if deadline_s is None else perf_counter() + deadline_s
    side = weights.exchanged() if plan.mirrored else weights
    settled, bound, records = _run(plan, side, group.mul, deadline)
    return CompactResult(settled, bound, records, brute, search, m)


def _refusal(weights: Weights) -> str:
    largest = max(float(np.abs(part).max(initial=0)) for part in (weights.L, weights.R, weights.U, weights.b))
    return "" if largest < LARGEST else f"weights of size {largest:.3g} are beyond what float32 tables hold"


def _run(plan: Plan, weights: Weights, mul: npt.NDArray[np.int16], deadline: float | None) -> Settled:
    """All strategies on one side; the tables come back with x and y in their places."""
    mul = np.ascontiguousarray(mul.T) if plan.mirrored else mul
    started = perf_counter()
    factored = prove_factored(plan.factorisation, mul, deadline)
    settled = factored.settled.astype(np.uint8)
    first = StrategyRecord("factored", int(settled.sum()), factored.flops, perf_counter() - started)
    started = perf_counter()
    shortlisted, flops = prove_shortlist(weights, mul, factored.contenders, deadline)
    settled[shortlisted] = 2
    second = StrategyRecord("shortlist", int(shortlisted.sum()), flops, perf_counter() - started)
    if plan.mirrored:
        return np.ascontiguousarray(settled.T), np.ascontiguousarray(factored.bound.T), (first, second)
    return settled, factored.bound, (first, second)
