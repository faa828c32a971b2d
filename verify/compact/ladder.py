"""The ladder of strategies, from a network to the pairs on which it is proved right."""

from dataclasses import dataclass, field
from time import perf_counter

import numpy as np
import numpy.typing as npt

from algebra.group import FiniteGroup
from net.folded import FoldedNetwork
from net.weights import Weights
from verify.compact.flops import brute_force
from verify.compact.plan import Plan, find_plan
from verify.compact.result import CompactResult, FactoredProof, StrategyRecord
from verify.compact.settings import CompactSettings
from verify.compact.strategies.coset_tables import coset_circuits, prove_by_tables
from verify.compact.strategies.factored import Contenders, prove_factored
from verify.compact.strategies.shortlist import prove_shortlist

__all__ = ["prove_compactly", "prove_factored_plan", "prove_weights"]

DEFAULT = CompactSettings()
#: Weights beyond this are not attempted: sums of float32 products must stay finite.
LARGEST = 2.0**40
#: Nor are more neurons than this: `net.roundoff.INFLATE` covers the roundings of bounds that are sums of at most so many terms.
MOST_NEURONS = 2**20


def prove_compactly(
    network: FoldedNetwork,
    deadline_s: float | None = None,
    seed: int = 0,
    lines: bool | None = None,
    settings: CompactSettings = DEFAULT,
) -> CompactResult:
    """Prove pairs right through partitions of x or y, cheaper than by evaluating the network on them.

    Certified means: for the exact real-valued function of the checkpoint's weights, xy is the unique argmax at (x, y). Every rounding
    and the weights' own error bounds are accounted for. ``deadline_s`` bounds the seconds of the strategies, not of the search.
    ``seed`` draws the sample on which plans are priced. ``lines`` forces the quadratic strategy or leaves it out; None runs it where
    it is predicted to pay.
    """
    return prove_weights(network.group, network.weights, deadline_s, seed, lines, settings)


def prove_weights(
    group: FiniteGroup,
    weights: Weights,
    deadline_s: float | None = None,
    seed: int = 0,
    lines: bool | None = None,
    settings: CompactSettings = DEFAULT,
) -> CompactResult:
    """``prove_compactly`` for bare weights in the group's own element order."""
    n, m = weights.L.shape
    result = _Ladder(np.zeros((n, n), dtype=np.uint8), np.full((n, n), -np.inf, dtype=np.float32))
    if reason := _refusal(group, weights):
        return result.report(weights, 0.0, reason)
    started = perf_counter()
    circuits = coset_circuits(group, weights)
    search = perf_counter() - started
    if circuits is not None:
        result.climb_tables(group, weights, circuits)
    if result.settled.all():
        return result.report(weights, search)
    started = perf_counter()
    plan = find_plan(group, weights, seed, lines, settings)
    search += perf_counter() - started
    if plan is None:
        return result.report(weights, search, "no neuron is live")
    if not lines and plan.predicted >= brute_force(n, m):
        return result.report(weights, search, "no plan is predicted to cost less than evaluating the network")
    deadline = None if deadline_s is None else perf_counter() + deadline_s
    result.climb_plan(plan, weights, group.mul, deadline)
    return result.report(weights, search)


def prove_factored_plan(
    group: FiniteGroup, weights: Weights, seed: int = 0, settings: CompactSettings = DEFAULT
) -> FactoredProof | None:
    """The factored strategy by itself, by its best plan whatever that costs; None where there is nothing to plan."""
    if _refusal(group, weights):
        return None
    plan = find_plan(group, weights, seed, False, settings)
    if plan is None:
        return None
    result = _Ladder(np.zeros((group.order,) * 2, dtype=np.uint8), np.full((group.order,) * 2, -np.inf, dtype=np.float32))
    result.climb_plan(plan, weights, group.mul, None)
    return result.factored


def _refusal(group: FiniteGroup, weights: Weights) -> str:
    """Why nothing is tried, or nothing."""
    if not weights.width:
        return "the network has no neurons"
    if weights.activation == "square":
        return "the bounds rest on relu, and the neurons of this network square what they read"
    if weights.width > MOST_NEURONS:
        return f"{weights.width:,} neurons are more than the {MOST_NEURONS:,} for which the bounds' own roundings are covered"
    largest = max(float(np.abs(part).max(initial=0)) for part in (weights.L, weights.R, weights.U, weights.b))
    if not largest < LARGEST:
        return f"weights of size {largest:.3g} are beyond what float32 tables hold"
    return ""


def count_contenders(contenders: Contenders, order: int) -> npt.NDArray[np.intp]:
    """(n, n) number of contenders of each pair (x, y)."""
    return np.bincount(contenders.x * order + contenders.y, minlength=order * order).reshape(order, order)


@dataclass
class _Ladder:
    """What is settled so far, and the record of each strategy that ran."""

    settled: npt.NDArray[np.uint8]
    bound: npt.NDArray[np.float32]
    records: list[StrategyRecord] = field(default_factory=list)
    factored: FactoredProof | None = None

    def settle(self, name: str, pairs: npt.NDArray[np.bool_], flops: int, seconds: float) -> None:
        """Add a strategy with the pairs that it proved."""
        new = pairs & (self.settled == 0)
        self.settled[new] = len(self.records) + 1
        self.records.append(StrategyRecord(name, int(np.count_nonzero(new)), flops, seconds))

    def climb_tables(self, group: FiniteGroup, weights: Weights, circuits: dict[tuple[int, int], list[int]]) -> None:
        """Rung 1."""
        started = perf_counter()
        tables = prove_by_tables(group, weights, circuits)
        least = (tables.bound + np.where(np.eye(group.order, dtype=bool), np.inf, 0.0)).min(axis=1)
        below = np.nextafter(least.astype(np.float32), np.float32(-np.inf))
        self.bound = np.maximum(self.bound, below[group.mul])
        self.settle("tables", tables.proved()[group.mul], tables.flops, perf_counter() - started)

    def climb_plan(self, plan: Plan, weights: Weights, mul: npt.NDArray[np.int16], deadline: float | None) -> None:
        """Rungs 2 and 3 and the shortlist, on the side that the plan chose."""
        side = weights.exchanged() if plan.mirrored else weights
        mul = np.ascontiguousarray(mul.T) if plan.mirrored else mul
        started = perf_counter()
        found = prove_factored(plan.factorisation, mul, deadline, plan.lines)
        seconds = perf_counter() - started - found.line_seconds
        by_lines, settled, bound = found.by_lines, found.settled, found.bound
        started = perf_counter()
        shortlisted, flops = prove_shortlist(side, mul, found.contenders, deadline)
        shortlist_seconds = perf_counter() - started
        if plan.lines is None:
            self.factored = FactoredProof(plan, settled | shortlisted, count_contenders(found.contenders, len(mul)))
        if plan.mirrored:
            by_lines, settled, bound, shortlisted = by_lines.T, settled.T, bound.T, shortlisted.T
        self.bound = np.maximum(self.bound, bound)
        if plan.lines is not None:
            self.settle("quadratic", by_lines, found.line_flops, found.line_seconds)
        self.settle("factored", settled, found.flops, seconds)
        self.settle("shortlist", shortlisted, flops, shortlist_seconds)

    def report(self, weights: Weights, search: float, reason: str = "") -> CompactResult:
        """The result, with ``reason`` for what was not tried."""
        brute = brute_force(weights.order, weights.width)
        return CompactResult(self.settled, self.bound, tuple(self.records), brute, search, weights.width, reason, self.factored)
