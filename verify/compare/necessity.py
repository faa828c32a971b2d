"""Which circuits a network needs: those whose removal changes an answer, and sets that are enough and no larger than needed.

A circuit is any set of neurons; removing it sets their activations to zero. "Changes an answer" is meant of pairs (x, y) on which the
network has an answer a(x, y), a unique greatest logit: afterwards a(x, y) does not lead alone. Ties of the network are passed over.

Every decision is exact. The lead of an answer after a removal is bounded in three steps, each for the pairs that the last left open.

1. **Weakest link.** Neuron i moves the lead of a over any z by h_i(x, y) (U[i, a] - U[i, z]), h_i its activation, at most by
   h_i(x, y) (U[i, a] - min over z of U[i, z]). The lead before, less the sum of these over the circuit, is a lower bound of the
   lead after.
2. **Float64.** With e the bounds of the folding (`net.weights.Weights`), A_i = max |L[:, i]| + max |R[:, i]|, V_i = max |U[i, :]|,
   k neurons that stay and u = 2^-53, a float64 preactivation is off by at most d_i = e_L,i + e_R,i + u A_i. The activation is at
   most H_i = A_i + d_i and off by D_i = d_i for relu; for the square H_i = (A_i + d_i)^2, D_i = d_i (2 A_i + d_i) + u H_i. So each
   float64 logit is off by at most

       E = sum over i of D_i (V_i + e_U) + H_i e_U + e_b  +  gamma_(k+2) (sum over i of H_i V_i + max |b|) + 8 (k + 1) 2^-1074

   in any order of summation (`net.roundoff`), and the lead by 2 E and its own rounding. Where products underflow each loses at most
   2^-1075, and sums lose nothing: a logit has k products, and the sums in E have 3 k + 1. A square that underflows loses as much before
   it is multiplied, so H_i and D_i of squares are 2^-1074 more.
   The sums in E are of nonnegative terms, and their own roundings are covered for any k (`net.roundoff.inflate`).
   Where E is beyond 2^960 sums of this size may overflow, and floats decide nothing; below, they stay under 2^52 E, within float64.
3. **Integers**, at the pairs whose float64 lead is within 2 E of zero.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from net.roundoff import INFLATE, TINY64, U64, gamma, inflate
from net.weights import Weights
from verify.exact.exhaustive import Evaluation

Floats = npt.NDArray[np.float64]
Circuit = Sequence[int]
#: So many logits are computed at a time.
ENTRIES = 4_000_000


class Removal(NamedTuple):
    """What a removal does: the pair (x, y) whose answer it changes, or lower bounds (n, n) of the leads that all answers keep."""

    changed: tuple[int, int] | None
    leads: Floats | None


class Sufficient(NamedTuple):
    """Numbers of circuits that keep every answer together, and for each the pair whose answer is lost without it."""

    circuits: tuple[int, ...]
    witnesses: tuple[tuple[int, int], ...]


def removal(weights: Weights, evaluation: Evaluation, kept: npt.NDArray[np.bool_], leads: Floats, gone: Circuit) -> Removal:
    """Remove a circuit from the neurons that are ``kept``, all of whose answers lead by at least ``leads`` > 0.

    ``evaluation`` is that of the whole network, whose answers count. Which pair is found does not matter; that there is one does.
    Complexity: O(n^2 |circuit|), and O(n m) for each pair that the first step leaves open.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # a bound that is no number leaves its pair open
        return _removal(weights, evaluation, kept, leads, gone)


def _removal(weights: Weights, evaluation: Evaluation, kept: npt.NDArray[np.bool_], leads: Floats, gone: Circuit) -> Removal:
    answers = np.maximum(evaluation.answer, 0).astype(np.intp)
    bound = leads.copy()
    for i in gone:
        strength = weights.U[i][answers] - weights.U[i].min() + 2 * weights.U_error
        off = weights.L_error[i] + weights.R_error[i]
        total = weights.L[:, i, None] + weights.R[None, :, i]
        hidden = (np.abs(total) + off) ** 2 + TINY64 if weights.activation == "square" else np.maximum(total, 0) + off
        bound -= strength * hidden * INFLATE + TINY64
    # The subtractions above round, too: each by at most u times what was there.
    bound -= (len(gone) + 2) * U64 * (leads + np.abs(bound))
    left = kept.copy()
    left[list(gone)] = False
    rest = weights.select(np.flatnonzero(left))
    slack = 2 * _error(rest)
    # Pairs that clear the slack by the first bound alone keep it; with an infinite slack none does.
    open_pairs = np.flatnonzero((evaluation.answer >= 0) & ~(bound > 0))
    open_pairs = open_pairs[np.argsort(bound.reshape(-1)[open_pairs], kind="stable")]
    n = weights.order
    step = max(1, ENTRIES // n)
    for start in range(0, len(open_pairs), step):
        part = open_pairs[start : start + step]
        x, y = np.divmod(part, n)
        want = answers.reshape(-1)[part]
        lead = _leads(rest, x, y, want)
        lost = np.flatnonzero(lead < -slack * INFLATE)
        if len(lost):
            return Removal((int(x[lost[0]]), int(y[lost[0]])), None)
        for p in np.flatnonzero(~(lead > slack * INFLATE)):
            if not _leads_exactly(rest, int(x[p]), int(y[p]), int(want[p])):
                return Removal((int(x[p]), int(y[p])), None)
        bound.reshape(-1)[part] = np.maximum(lead - slack * INFLATE, 0)
    return Removal(None, bound)


def _error(weights: Weights) -> float:
    """E of the module's docstring."""
    if not weights.width:
        return float(weights.b_error + 2 * U64 * np.abs(weights.b).max(initial=0))
    reach = np.abs(weights.L).max(axis=0) + np.abs(weights.R).max(axis=0)
    votes = np.abs(weights.U).max(axis=1)
    off = weights.L_error + weights.R_error + U64 * reach
    most, wrong = reach + off, off
    if weights.activation == "square":
        most, wrong = most**2 + TINY64, off * (2 * reach + off) + U64 * most**2 + 2 * TINY64
    data = (wrong * (votes + weights.U_error) + most * weights.U_error).sum() + weights.b_error
    computed = gamma(weights.width + 2, U64) * ((most * votes).sum() + np.abs(weights.b).max(initial=0))
    found = float((data + computed) * inflate(3 * weights.width + 1) + 8 * (weights.width + 1) * TINY64)
    return found if found < 2.0**960 else np.inf


def _leads(weights: Weights, x: npt.NDArray[np.intp], y: npt.NDArray[np.intp], want: npt.NDArray[np.intp]) -> Floats:
    """The float64 lead of the wanted answers."""
    logits = weights.logits(x, y)
    rows = np.arange(len(logits))
    own = logits[rows, want].copy()
    logits[rows, want] = -np.inf
    return np.asarray(own - logits.max(axis=1))


def _leads_exactly(weights: Weights, x: int, y: int, want: int) -> bool:
    logits = weights.exact().logits(x, y)
    own = logits[want]
    return all(own > value for z, value in enumerate(logits) if z != want)


def necessary(weights: Weights, evaluation: Evaluation, circuits: Sequence[Circuit]) -> list[tuple[int, int] | None]:
    """For each circuit a pair whose answer changes when it alone is removed, None where no answer does."""
    everything = np.ones(weights.width, dtype=bool)
    leads = np.where(evaluation.answer >= 0, evaluation.margin_low, 0.0)
    return [removal(weights, evaluation, everything, leads, circuit).changed for circuit in circuits]


def sufficient(weights: Weights, evaluation: Evaluation, circuits: Sequence[Circuit], order: Sequence[int]) -> Sufficient:
    """Circuits that keep every answer together, none of which can be left out: a minimal set, not necessarily a smallest one.

    ``circuits`` are disjoint; neurons in none of them are left out from the start where that costs no answer, and stay else. Circuits
    are tried in the given order, and left out for good where every answer stays; a round in which none is left out ends it, and has
    found for each circuit the pair that needs it. Complexity: a pass over all pairs for each that is left out, at most.
    """
    kept = np.ones(weights.width, dtype=bool)
    leads = np.where(evaluation.answer >= 0, evaluation.margin_low, 0.0)
    loose = np.setdiff1d(np.arange(weights.width), np.concatenate([np.asarray(c, dtype=np.intp) for c in [[], *circuits]]))
    found = removal(weights, evaluation, kept, leads, loose.tolist())
    if found.leads is not None:
        kept[loose], leads = False, found.leads
    left = list(order)
    witnesses: dict[int, tuple[int, int]] = {}
    while True:
        before = len(left)
        for number in list(left):
            known = witnesses.get(number)
            if known is not None and _loses(weights, evaluation, kept, circuits[number], known):
                continue
            found = removal(weights, evaluation, kept, leads, circuits[number])
            if found.leads is None:
                witnesses[number] = found.changed or (0, 0)
                continue
            kept[list(circuits[number])], leads = False, found.leads
            left.remove(number)
        if len(left) == before:
            chosen = tuple(sorted(left))
            return Sufficient(chosen, tuple(witnesses[number] for number in chosen))


def _loses(weights: Weights, evaluation: Evaluation, kept: npt.NDArray[np.bool_], circuit: Circuit, pair: tuple[int, int]) -> bool:
    """Whether the answer at a pair is lost, exactly."""
    rest = kept.copy()
    rest[list(circuit)] = False
    return not _leads_exactly(weights.select(np.flatnonzero(rest)), *pair, int(evaluation.answer[pair]))
