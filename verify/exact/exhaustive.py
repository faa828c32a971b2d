"""The exact answer of a network on every pair: unique argmax over z of logits(x, y)[z], or a tie.

Every pair is decided by the first tier that can:

1. `float32`: integers that a float32 matrix product multiplies exactly (`scaled_integers`);
2. `rounded`: float32 numbers and a bound of what rounding can do to their product (`rounded_floats`);
3. `float64`: integers as in the first tier, with a 52-bit budget;
4. `wide`: 55-bit integers in limbs (`wide_integers`);
5. `exact`: Python integers (`exact_pairs`), for the outputs that the tier before could not tell apart.

Each of the first four knows the difference of any two logits to within a proved slack and decides a pair
when the lead exceeds it (or when nothing was rounded). The answers therefore depend on no BLAS library, number of
threads or block size. Nor do the bounds of the margins, but for those of `rounded`, since all other arithmetic is exact.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from verify.exact.exact_pairs import exact_leads, outward
from verify.exact.rounded_floats import round_to_floats
from verify.exact.scaled_integers import BITS, ScaledNetwork, round_network, scaled_bounds, top_two
from verify.exact.wide_integers import WideNetwork, round_wide

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from net.weights import Weights
    from verify.exact.scaled_integers import Doubles, Floats, Indices

TIE = -1
TIERS = ("float32", "rounded", "float64", "wide", "exact")

#: A cheap tier is worth a pass over all pairs if it decides this share of a sample.
_WORTHWHILE = 0.75
_SAMPLE = 1024

Table = NDArray[np.integer]
Mask = NDArray[np.bool_]
_Networks = Callable[[str], ScaledNetwork | None]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What a network answers on every pair, and by how much.

    Attributes:
        answer: (n, n) int16, the output whose logit is the unique greatest at (x, y), or TIE.
        margin_low, margin_high: (n, n) float64, bounds of the margin, which is the greatest logit less the
            second greatest: margin_low <= margin <= margin_high. Both are 0 exactly at the ties.
        tiers: how many pairs each tier decided; they add up to n^2.
        runner_up: (n, n) int16, the output of the second greatest logit as the tier that decided the pair computed it, the first of
            equals: measured, since outputs behind the first are told apart by no bound.

    """

    answer: NDArray[np.int16]
    margin_low: Doubles
    margin_high: Doubles
    tiers: dict[str, int]
    runner_up: NDArray[np.int16]

    @property
    def margin(self) -> Doubles:
        """(n, n) the middle of the margin's bounds: measured; infinite where there is no second output."""
        return np.asarray(np.where(self.margin_low == self.margin_high, self.margin_low, self.margin_low / 2 + self.margin_high / 2))


def evaluate(weights: Weights, expected: Table | None = None, tiers: Sequence[str] = TIERS) -> Evaluation:
    """The answer to every pair, exactly, with bounds of its margin.

    `expected` (n, n) is a guess at the answers: right guesses save the search for the greatest logit. It has
    no influence on the result. `tiers` are tried in the order of TIERS. ValueError for an unknown tier, for
    tiers without "exact" (no other can decide every pair), for a table of guesses of another shape, and for
    more than 32,767 elements. Cost: one matrix product of n^2 x m by m x n, in float32 where that decides
    most pairs, with fewer than m columns where neurons share classes of y (`class_product`); memory: 20 n^2 bytes and a few blocks of
    megabytes.
    """
    n = weights.order
    if unknown := set(tiers) - set(TIERS):
        raise ValueError(f"Expected tiers among {', '.join(TIERS)}; got {', '.join(sorted(unknown))}.")
    if "exact" not in tiers:
        raise ValueError("The tier 'exact' is needed, since no other decides every pair; got no such tier.")
    if n > np.iinfo(np.int16).max:
        raise ValueError(f"Expected a group of at most {np.iinfo(np.int16).max} elements; got {n}.")
    if expected is not None and np.shape(expected) != (n, n):
        raise ValueError(f"Expected a table of guesses of shape {(n, n)}; got {np.shape(expected)}.")
    if n == 1:
        counts, infinite = dict.fromkeys(tiers, 0) | {"exact": 1}, np.full((1, 1), np.inf)
        zero = np.zeros((1, 1), np.int16)
        return Evaluation(zero, infinite, infinite, counts, zero)
    # A guess outside of the outputs, as -1 for a tie, would be read as another column and come back as the answer.
    work = _Work.empty(n, None if expected is None else np.clip(np.asarray(expected).reshape(-1), 0, n - 1))
    counts = dict.fromkeys([tier for tier in TIERS if tier in tiers], 0)
    networks = cache(lambda tier: _network(tier, weights))  # a tier that is tried on a sample may then be run
    undecided: Indices | None = None
    for tier in counts:
        before = n * n if undecided is None else len(undecided)
        if before == 0:
            break
        if tier in ("float32", "rounded") and "float64" in counts and not _worthwhile(tier, networks, work, "rounded" in counts):
            continue
        undecided = _run(tier, weights, networks, work, undecided)
        counts[tier] = before - (n * n if undecided is None else len(undecided))
    shape = (n, n)
    return Evaluation(work.answer.reshape(shape), work.low.reshape(shape), work.high.reshape(shape), counts, work.second.reshape(shape))


def tighten(weights: Weights, evaluation: Evaluation, pairs: Indices, tier: str = "float64") -> Evaluation:
    """The same evaluation with the margin bounds at `pairs` (x * n + y) as close as `tier` gives them."""
    work = _Work.of(evaluation)
    _run(tier, weights, lambda tier: _network(tier, weights), work, pairs)
    shape = evaluation.answer.shape
    return replace(evaluation, margin_low=work.low.reshape(shape), margin_high=work.high.reshape(shape))


def correct_pairs(evaluation: Evaluation, mul: Table) -> Mask:
    """(n, n) mask of the pairs whose unique answer is mul[x, y]; a tie is wrong."""
    return np.asarray(evaluation.answer == mul)


def smallest_margin(weights: Weights, evaluation: Evaluation, mul: Table) -> tuple[Fraction, tuple[int, int]] | None:
    """The exact smallest margin among the pairs that are right, and the first pair (x, y) that attains it.

    None if no pair is right or there is only one output. The bounds rule out all but a few pairs, closer
    bounds rule out more, and Python integers decide among the rest.
    """
    n = weights.order
    pairs = np.flatnonzero(correct_pairs(evaluation, mul))
    if n == 1 or not len(pairs):
        return None
    for tier, few in (("float64", 256), ("float64", None), ("wide", 64), ("wide", None)):
        contenders = _contenders(evaluation, pairs)
        loose = contenders[~_settled(evaluation, contenders)]
        if len(loose) <= 16:
            break
        # The lowest few first: they bring the minimum's upper bound down, which rules out most of the others.
        lowest = loose[np.argsort(evaluation.margin_low.reshape(-1)[loose], kind="stable")][:few]
        evaluation = tighten(weights, evaluation, np.sort(lowest), tier)
    contenders = _contenders(evaluation, pairs)
    settled = _settled(evaluation, contenders)
    # Settled contenders all have the same margin, the least upper bound, so the first stands for all.
    finalists = np.sort(np.concatenate([contenders[~settled], contenders[settled][:1]]))
    leads = exact_leads(weights, finalists)
    margin, pair = min((lead.margin, int(pair)) for lead, pair in zip(leads, finalists, strict=True))
    return margin, divmod(pair, n)


def _contenders(evaluation: Evaluation, pairs: Indices) -> Indices:
    ceiling = evaluation.margin_high.reshape(-1)[pairs].min()
    return np.asarray(pairs[evaluation.margin_low.reshape(-1)[pairs] <= ceiling])


def _settled(evaluation: Evaluation, pairs: Indices) -> Mask:
    low, high = evaluation.margin_low.reshape(-1)[pairs], evaluation.margin_high.reshape(-1)[pairs]
    return np.asarray(low == high)


@dataclass(frozen=True, eq=False)
class _Work:
    """Flat arrays over the pairs x * n + y, filled in tier by tier."""

    order: int
    guess: Table | None
    answer: NDArray[np.int16]
    low: Doubles
    high: Doubles
    second: NDArray[np.int16]

    @classmethod
    def empty(cls, n: int, guess: Table | None) -> _Work:
        return cls(n, guess, np.full(n * n, TIE, np.int16), np.zeros(n * n), np.full(n * n, np.inf), np.zeros(n * n, np.int16))

    @classmethod
    def of(cls, evaluation: Evaluation) -> _Work:
        n, answer = len(evaluation.answer), evaluation.answer.reshape(-1)
        # A tie is no guess at a column; column 0 serves as well as any.
        low, high = evaluation.margin_low.reshape(-1).copy(), evaluation.margin_high.reshape(-1).copy()
        return cls(n, np.maximum(answer, 0), answer.copy(), low, high, evaluation.runner_up.reshape(-1).copy())

    def record(
        self, pairs: Indices | slice, columns: tuple[Indices, Indices], low: Doubles, high: Doubles, decided: Mask, tied: Mask
    ) -> Mask:
        """Narrow the margins' bounds, store the answers that are decided, and return which pairs are."""
        first, self.second[pairs] = columns
        self.low[pairs] = np.maximum(self.low[pairs], low)
        self.high[pairs] = np.minimum(self.high[pairs], high)
        self.answer[pairs] = np.where(decided, first, np.where(tied, TIE, self.answer[pairs]))
        return decided | tied

    def guesses(self, pairs: Indices | slice) -> Table | None:
        return None if self.guess is None else self.guess[pairs]


def _network(tier: str, weights: Weights) -> ScaledNetwork | None:
    """The network in the floats of a tier that multiplies floats."""
    return round_to_floats(weights) if tier == "rounded" else round_network(weights, tier)


def _worthwhile(tier: str, networks: _Networks, work: _Work, both: bool) -> bool:
    """Whether a pass in float32 would decide most pairs, judged by an evenly spread sample.

    Integers of 24 bits that had to be rounded tell less than rounded products of floats, where ``both`` can be had.
    """
    network = networks(tier)
    if network is None or (both and tier == "float32" and network.slack > 0):
        return False
    sample = np.linspace(0, work.order**2 - 1, min(_SAMPLE, work.order**2)).astype(np.int64)
    return float(_decide_scaled(network, work, sample, network.logits(sample)).mean()) >= _WORTHWHILE


def _run(tier: str, weights: Weights, networks: _Networks, work: _Work, pairs: Indices | None) -> Indices | None:
    """Let one tier decide the pairs (None: all); returns those that it leaves open (None: all)."""
    if tier in BITS or tier == "rounded":
        network = networks(tier)
        if network is None:
            return pairs
        return _left_open((part, _decide_scaled(network, work, part, logits)) for part, logits in network.blocks(pairs))
    if tier == "wide" and weights.activation == "square":  # limbs are written for relu
        return pairs
    everyone = np.arange(work.order**2) if pairs is None else pairs
    if tier == "wide":
        wide = round_wide(weights)
        parts = (everyone[k : k + wide.rows] for k in range(0, len(everyone), wide.rows))
        return _left_open((part, _decide_wide(wide, work, part)) for part in parts)
    return _decide_exactly(weights, work, everyone)


def _left_open(blocks: Iterable[tuple[Indices | slice, Mask]]) -> Indices:
    """The pairs that are not decided, of blocks of pairs with masks of those that are."""
    left = [np.zeros(0, dtype=np.int64)]
    for part, decided in blocks:
        undecided = np.flatnonzero(~decided)
        if undecided.size:
            left.append(undecided + part.start if isinstance(part, slice) else part[undecided])
    return np.concatenate(left)


def _decide_scaled(network: ScaledNetwork, work: _Work, pairs: Indices | slice, logits: Floats) -> Mask:
    first, lead, second = top_two(logits, work.guesses(pairs))
    low, high = scaled_bounds(lead, network.slack, network.exponent)
    return work.record(pairs, (first, second), low, high, lead > network.slack, (lead == 0) & (network.slack == 0))


def _decide_wide(network: WideNetwork, work: _Work, pairs: Indices) -> Mask:
    first, second, lead, _ = network.top_two(pairs)
    unit = Fraction(2) ** -network.exponent
    low = np.array([outward(unit * (a - network.slack))[0] for a in lead])
    high = np.array([outward(unit * (a + network.slack))[1] for a in lead])
    decided = (lead > network.slack).astype(bool)
    return work.record(pairs, (first, second), low, high, decided, (lead == 0).astype(bool) & (network.slack == 0))


def _decide_exactly(weights: Weights, work: _Work, pairs: Indices) -> Indices:
    for pair, lead in zip(pairs, exact_leads(weights, pairs), strict=True):
        work.answer[pair], work.second[pair] = lead.answer, lead.runner_up
        work.low[pair], work.high[pair] = outward(lead.margin)
    return np.zeros(0, dtype=np.int64)
