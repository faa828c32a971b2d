"""The choice of a partition for every neuron: least predicted cost of a proof that goes through.

A coarser partition makes smaller tables and a larger error bound; a larger bound leaves more contenders to be
computed exactly. With a price lambda for a unit of error every neuron chooses by itself,

    minimise   2 n^2 cells  +  lambda n^2 E|L[x, i] - l_i[cell(x)]| spread_i,

and a sweep over lambda gives a family of plans. Each is priced as a whole: tables, additions, and the
contenders that it would leave, counted on a random sample of pairs. The mirror image (y instead of x) is a
second family of plans. The best plan is consolidated by dissolving small families. This is search: a bad plan costs
time, never soundness.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from algebra.group import FiniteGroup
from net.roundoff import INFLATE, Floats
from net.weights import Weights
from verify.compact.candidates import candidate_partitions
from verify.compact.factorisation import Factorisation, factorise
from verify.compact.flops import brute_force
from verify.compact.partition import Partition
from verify.compact.price import lines_price, plan_price, sweep_price
from verify.compact.readings import Reading, Readings
from verify.compact.settings import CompactSettings
from verify.compact.strategies.factored import CROWDED, block_size, factored_flops, sweep_flops
from verify.compact.strategies.lines import LineBounder
from verify.compact.strategies.shortlist import shortlist_flops
from verify.compact.strategies.tables_of_y import TableMaker

__all__ = ["Plan", "find_plan"]

DEFAULT = CompactSettings()
#: Costs fall with the price of an error until contenders are few, and rise with larger tables from then on: prices that make a plan
#: this many times as dear as one before are followed by none.
RISING = 1.5


@dataclass(frozen=True, eq=False)
class Plan:
    """A factorisation of the network or its mirror image, and the FLOPs that the sample predicts for it.

    ``lines`` is the quadratic strategy to run first, or None where it would not pay; ``weighted`` is what plans are
    compared by: time (verify.compact.price) and ``flop_weight`` times the FLOPs (verify.compact.settings).
    """

    mirrored: bool
    factorisation: Factorisation
    lines: LineBounder | None
    predicted: int
    weighted: int


def find_plan(
    group: FiniteGroup, weights: Weights, seed: int = 0, lines: bool | None = None, settings: CompactSettings = DEFAULT
) -> Plan | None:
    """The cheapest plan over both sides and all prices, None for a network without live neurons.

    ``lines`` says whether to use the quadratic strategy; None leaves it to the prediction, and True wants the plan by which it
    settles most (where no plan allows it, the best other one). Deterministic for a seed.
    """
    plans: list[Plan] = []
    sides: dict[bool, _Sample] = {}
    for mirrored in (False, True):
        side = weights.exchanged() if mirrored else weights
        mul = np.ascontiguousarray(group.mul.T) if mirrored else group.mul
        sample = sides[mirrored] = _Sample(side, mul, np.random.default_rng(seed), settings)
        options = candidate_partitions(group, side.L, settings.better)
        errors = _errors(sample, options)
        seen: set[tuple[int, ...]] = set()
        cheapest = math.inf
        for price in settings.prices:
            chosen = _choose(sample, options, errors, price)
            key = tuple(id(partition) for partition in chosen)
            if key in seen or all(partition is None for partition in chosen):
                continue
            seen.add(key)
            made = _plans(mirrored, sample, chosen)
            plans += made
            cost = min(plan.weighted for plan in made)
            if cost > RISING * cheapest:
                break
            cheapest = min(cheapest, cost)
    best = min(plans, key=lambda plan: plan.weighted, default=None)
    if best is not None and lines is not False:
        best = _best_with_lines(plans, best, sides, bool(lines)) or best
    if best is not None:
        best = best if best.lines else _consolidate(best, sides[best.mirrored])
        best.factorisation.known.forget_all_but(best.factorisation.readings)
    return best


def _plans(mirrored: bool, sample: "_Sample", chosen: list[Partition | None]) -> list[Plan]:
    """Plans that read x through the chosen partitions, by number of level groups, without lines."""
    made = [factorise(sample.weights, chosen, groups, sample.known) for groups in sample.settings.groups]
    return [Plan(mirrored, factorisation, None, *sample.predict(factorisation)) for factorisation in made]


def _best_with_lines(plans: list[Plan], best: Plan, sides: "dict[bool, _Sample]", wanted: bool) -> Plan | None:
    """The cheapest plan with the quadratic strategy, where one is cheaper than ``best`` or wanted however dear.

    The strategy can save no more than the whole sweep and costs something for every y; where that is not enough it is not tried.
    """
    found: Plan | None = None
    for plain in plans:
        factorisation, sample = plain.factorisation, sides[plain.mirrored]
        if factorisation.groups < max(sample.settings.groups):
            continue
        n = len(factorisation.R)
        saved = sweep_price(factorisation) + sample.settings.flop_weight * n * sweep_flops(factorisation, n, n)
        if not wanted and plain.weighted - saved + lines_price(n, 0) >= best.weighted:
            continue
        bounder = _bounder(factorisation, sample.mul, wanted)
        if bounder is not None:
            tried = _with_lines(plain, bounder, sample, wanted)
            found = tried if found is None or tried.weighted < found.weighted else found
    return found if found is not None and (wanted or found.weighted < best.weighted) else None


def _with_lines(plain: Plan, bounder: LineBounder, sample: "_Sample", wanted: bool) -> Plan:
    """The plan with the quadratic strategy first; with the slack of every pair by itself where the other leaves many open."""
    factorisation, n = plain.factorisation, len(bounder.mul)
    left_open, settled, spent = sample.try_lines(factorisation, bounder)
    if settled < sample.settings.lines_enough:
        bounder.tight = True
        left_open, settled, spent = sample.try_lines(factorisation, bounder)
    saved = int((1 - left_open) * n * sweep_flops(factorisation, n, n))
    weighted = plain.weighted - int((1 - left_open) * sweep_price(factorisation))
    weighted += lines_price(n, spent) + sample.settings.flop_weight * (spent - saved)
    if wanted:  # what the quadratic strategy settles by itself then comes before what the plan costs
        weighted = spent + int(sample.settings.settled_weight * (1 - settled) * brute_force(n, sample.width))
    return Plan(plain.mirrored, factorisation, bounder, plain.predicted - saved + spent, weighted)


def _consolidate(plan: Plan, sample: "_Sample") -> Plan:
    """The plan with families dissolved, the smallest first, as long as that makes it cheaper.

    A family's neurons move to the partitions that fit them best among those of the other families, or are left out: no
    table more, and one less to scale and to add, at the price of larger tables or of a larger error.
    """
    families = sorted(plan.factorisation.families, key=lambda family: (len(family.neurons), family.partition.name))
    for dissolved in families:
        for moving in (True, False):
            if all(family.partition is not dissolved.partition for family in plan.factorisation.families):
                continue  # its neurons have moved already
            chosen = _dissolve(plan.factorisation, dissolved.partition, moving)
            if all(partition is None for partition in chosen):
                continue
            factorisation = factorise(sample.weights, chosen, plan.factorisation.groups, sample.known)
            trial = Plan(plan.mirrored, factorisation, None, *sample.predict(factorisation))
            plan = min(plan, trial, key=lambda option: option.weighted)
    return plan


def _dissolve(factorisation: Factorisation, dissolved: Partition, moving: bool) -> list[Partition | None]:
    """The partition of every neuron without this one: another one where neurons are ``moving``, else none."""
    chosen: list[Partition | None] = [None] * len(factorisation.readings)
    kept = [family.partition for family in factorisation.families if family.partition is not dissolved]
    for family in factorisation.families:
        found: list[Partition | None] = [family.partition] * len(family.neurons)
        if family.partition is dissolved:
            found = [None] * len(family.neurons)
            if moving and kept:
                deviations = np.stack([factorisation.known.deviations(partition, family.neurons) for partition in kept])
                found = [kept[k] for k in deviations.argmin(axis=0).tolist()]
        for i, partition in zip(family.neurons.tolist(), found, strict=True):
            chosen[i] = partition
    return chosen


def _bounder(factorisation: Factorisation, mul: npt.NDArray[np.int16], forced: bool) -> LineBounder | None:
    """The quadratic strategy where it exists and, unless forced, costs less than sweeping everything."""
    n = len(mul)
    sizes = [family.partition.count for family in factorisation.families]
    if 4 * max(sizes) > n or sum(sizes) > 3 * n or (not forced and 4 * sum(sizes) > n):
        return None
    try:
        bounder = LineBounder(factorisation, mul)
    except ValueError:
        return None
    return bounder if forced or bounder.flops < n * sweep_flops(factorisation, n, n) else None


class _Sample:
    """Margins of the network on random pairs, against which plans are priced."""

    def __init__(self, weights: Weights, mul: npt.NDArray[np.int16], random: np.random.Generator, settings: CompactSettings) -> None:
        n, self.mul, self.settings = len(mul), mul, settings
        self.weights, self.known = weights, Readings(weights)
        self.x, self.y = random.integers(0, n, (2, settings.sample))
        self.hidden_max = np.maximum(weights.L.max(axis=0) + weights.R.max(axis=0), 0)
        self.spread = weights.U.max(axis=1) - weights.U.min(axis=1)
        logits = weights.logits(self.x, self.y)
        self.answers = answers = mul[self.x, self.y].astype(np.intp)
        right = logits[np.arange(len(self.x)), answers]
        logits[np.arange(len(self.x)), answers] = -np.inf
        self.margins = right[:, None] - logits
        self.least = self.margins.min(axis=1)
        self.width = weights.width
        self._shares: dict[tuple[Reading, int], Floats] = {}

    def predict(self, factorisation: Factorisation) -> tuple[int, int]:
        """FLOPs of the tables, the shortlist, and of brute force on what is hopeless; and the same weighted."""
        n = self.margins.shape[1]
        slack, least = self.slack(factorisation), self.least
        looked = np.flatnonzero(least <= slack)
        pairs = factorisation.pairs
        tight = pairs.bound(self.x[looked], self.y[looked], self.answers[looked])
        slack[looked] = np.minimum(slack[looked], tight)
        tightened = len(looked) * n * n // len(self.x)
        count = (self.margins <= slack[:, None]).sum(axis=1)
        hopeless = (least <= 0) | (count > CROWDED * n)
        count = np.where(hopeless, 0, count)
        triples = int(count.sum()) * n * n // len(self.x)
        open_ = int((count > 0).sum()) * n * n // len(self.x)
        unsettled = int(hopeless.sum()) * n * n // len(self.x)
        rest = brute_force(n, self.width) * int(hopeless.sum()) // len(self.x)
        flops = factored_flops(factorisation) + shortlist_flops(open_, triples, self.width) + rest
        flops += pairs.flops(tightened)
        price = plan_price(factorisation, block_size(n), tightened, open_, triples, unsettled)
        return flops, price + self.settings.flop_weight * flops

    def slack(self, factorisation: Factorisation) -> Floats:
        """``Factorisation.slack`` at the sample's pairs alone; what one reading adds to it is kept."""
        groups, readings = factorisation.groups, factorisation.readings
        for i, (reading, grouped) in enumerate(zip(readings, self.known.grouped(readings, groups), strict=True)):
            if (reading, groups) not in self._shares:
                active = grouped.reach[grouped.group[self.x]] + self.known.right[self.y, i] > 0
                self._shares[reading, groups] = np.where(active, reading.residual[self.x], 0.0)
        total = np.sum([self._shares[reading, groups] for reading in readings], axis=0)
        return np.asarray(total * INFLATE + factorisation.constant)

    def try_lines(self, factorisation: Factorisation, bounder: LineBounder) -> tuple[float, float, int]:
        """Shares of the (x, z) left to the sweep and of the x settled, and FLOPs for all y, from a few y's."""
        maker = TableMaker(factorisation, 1)
        ys = np.unique(self.y[: self.settings.line_sample])
        left_open, settled, flops = [], [], 0
        bounder.reset()
        for y, slack in zip(ys, factorisation.slack(ys), strict=True):
            tables = [table[0] for table in maker.fill(np.array([y]))]
            lines = bounder.bound(int(y), tables, slack, 2 * maker.rounding)
            flops += lines.flops
            xs = lines.by_x() <= 0
            zs = lines.open_lines(np.flatnonzero(xs)) if xs.any() else xs
            left_open.append(float(xs.mean() * zs.mean()))
            settled.append(1.0 - float(xs.mean()))
        return float(np.mean(left_open)), float(np.mean(settled)), flops * len(bounder.mul) // len(ys)


def _errors(sample: _Sample, options: list[tuple[Partition, ...]]) -> list[list[float]]:
    """For each neuron and each of its partitions the mean deviation from its levels, times the range of its votes."""
    asked: dict[Partition, list[int]] = {}
    for i, some in enumerate(options):
        for partition in some:
            asked.setdefault(partition, []).append(i)
    found = {
        (i, partition): deviation * float(sample.spread[i])
        for partition, some in asked.items()
        for i, deviation in zip(some, sample.known.deviations(partition, np.array(some)).tolist(), strict=True)
    }
    return [[found[i, partition] for partition in some] for i, some in enumerate(options)]


def _choose(sample: _Sample, options: list[tuple[Partition, ...]], errors: list[list[float]], price: float) -> list[Partition | None]:
    """The partition of each neuron at this price of a unit of its error; None for a neuron that can do nothing."""
    chosen: list[Partition | None] = []
    for i, partitions in enumerate(options):
        if sample.hidden_max[i] * sample.spread[i] <= 1e-9:
            chosen.append(None)
            continue
        costs = [2 * p.count + price * error for p, error in zip(partitions, errors[i], strict=True)]
        chosen.append(partitions[int(np.argmin(costs))])
    return chosen
