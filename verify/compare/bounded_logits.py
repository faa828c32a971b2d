"""Logits of many pairs in float64, each pair with a bound of what rounding can do to them, and exact ones where that is too much.

Let u = 2^-53, t = 2^-1074, V the k votes in float64 without what all outputs share (`net.common_part`; the bias is a neuron of
activation 1), V*_i = max_z |V_iz|, f_i a bound of the error of V_iz, e_i one of the errors of L[x, i] and R[y, i] together.

**Activations.** w = fl(L + R) differs from the exact sum p by at most u |w| + e_i, and has the sign of L + R (Higham, Accuracy and
Stability of Numerical Algorithms, 2nd ed., 2.4 and 2.1: sums do not underflow). So the computed activation H_i differs from the exact
h_i by at most c u H_i + d_i: with relu c = 1 and d = e. With squares |w^2 - p^2| <= (u |w| + e) (2 |w| + u |w| + e) and
|H - w^2| <= u H + t, so c = 4 and d = 2 (P + e) e + 4 t, where P is the largest |w| of the neuron.

**Logits.** The exact h and votes against H and V move the difference of two logits by at most sum_i 2 V*_i |h_i - H_i| + 2 f_i h_i;
the products H_i V_iz, summed in any order, err by at most gamma_k S + k t for each of the two, S = sum_i H_i V*_i (Higham, 3.1). A
difference that is formed and moved afterwards, with two roundings, errs by 4 u S more at most. Together

    error = 2 ((gamma_(k+8) S + sum_i (d_i (V*_i + f_i) + f_i H_i)) + k t).

Where H_i is 0 for every neuron but the bias, nothing is rounded, and gamma_(k+8) S and k t fall away. The factor `inflate` covers the
roundings of the bound itself. Networks that fit into integers of 52 bits (`verify.exact.scaled_integers`) have logits without error.

**Exact ones.** A pair is *open* where the best logit leads by no more than its error, and *lost* where the error is more than
``LOST`` of the distance from the greatest logit to the least. Of an open pair the logits within twice the error of the best are
computed in Python's integers, which are the two greatest and all that may be; of a lost one all are. They are written as distances from
the greatest, correctly rounded and never to 0, so a lead is 0 where it is 0. This goes on for ``WORK`` products of integers for each
network; what is open or lost after that stays so, and says so.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from net.activation import Activation, fired
from net.roundoff import TINY64, U64, Floats, gamma, inflate
from net.weights import Weights
from verify.exact.class_product import ClassProduct
from verify.exact.scaled_integers import Indices, LiveNeurons, live_neurons, reach, round_network, top_two

__all__ = ["LOST", "WORK", "BoundedLogits", "LogitBlock", "changes", "rows_at_once"]

#: Products of integers of up to 512 bits for each pass over a network's pairs: about a second.
WORK = 1 << 24
#: Pairs whose logits are known to fewer than 24 bits of their range are computed in integers.
LOST = 2.0**-24
#: Numbers in a block, and in blocks that are kept for a second pass.
ENTRIES, KEPT = 500_000, 8_000_000

#: In place of distances beyond float64.
LARGEST = float(np.finfo(np.float64).max)

Mask = npt.NDArray[np.bool_]


class LogitBlock(NamedTuple):
    """Logits (pairs, |G|) of all pairs (x, y) with x in ``rows``, up to a number for each pair, in the network's units.

    The difference of any two logits of a pair is known to within ``error`` (pairs,). ``first`` is the output of the greatest logit,
    ``lead`` by how much it leads the next, whose output is ``second``; where ``decided`` it is exact that ``first`` is the answer, or
    that a lead of 0 is a tie.
    """

    rows: npt.NDArray[np.intp]
    logits: Floats
    error: Floats
    first: Indices
    lead: Floats
    second: Indices
    decided: Mask


class BoundedLogits:
    """A network of at least two outputs, ready for blocks of logits; see the module's docstring."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        self._products = _products(weights)
        self._kept: dict[bytes, LogitBlock] = {}

    def blocks(self, x: npt.NDArray[np.intp], step: int, work: int = WORK, *, keep: bool = False) -> Iterator[LogitBlock]:
        """All pairs with these x, ``step`` x at a time. O(|G|^2 m) for each x, and about ``work`` products of integers at most.

        With ``keep`` blocks of which no pair needs integers are kept, up to ``KEPT`` numbers, for a second pass with the same ``step``.
        """
        exact = _Exact(self.weights, work)
        for start in range(0, len(x), step):
            rows = x[start : start + step]
            known = self._kept.pop(rows.tobytes(), None)
            if known is not None:
                yield known
                continue
            left = exact.left
            logits, error = self._logits(rows)
            block = exact.put(rows, logits, error)
            # an open or a lost pair takes work as long as some is left
            if keep and exact.left == left > 0 and (len(self._kept) + 1) * logits.size <= KEPT:
                self._kept[rows.tobytes()] = block
            yield block

    def _logits(self, rows: npt.NDArray[np.intp]) -> tuple[Floats, Floats]:
        """Logits of the pairs (x, y) with x in ``rows`` as floats compute them, and their error bounds."""
        order = self.weights.order
        if self._products is None:
            return np.zeros((len(rows) * order, order)), np.full(len(rows) * order, np.inf)
        if isinstance(self._products, ClassProduct):
            ((_, _, found),) = self._products.blocks(rows, len(rows), order)
            return found.astype(np.float64, copy=False), np.zeros(len(found))
        return self._products.logits(rows)


def rows_at_once(*networks: Weights) -> int:
    """So many x at a time that blocks of logits and of activations have about ``ENTRIES`` numbers, for all of these networks."""
    order = networks[0].order
    return max(1, ENTRIES // (order * max(order, *(one.width for one in networks))))


class _Products(NamedTuple):
    """Float64 arrays whose product is the logits: L, R (n, k), votes (k, n + 3).

    The last three columns of the votes add up S, f_i H_i and H_i for the neurons but the bias, from which ``bound`` makes the errors.
    """

    activation: Activation
    L: Floats
    R: Floats
    votes: Floats
    bound: "_Bound"

    def logits(self, rows: npt.NDArray[np.intp]) -> tuple[Floats, Floats]:
        """Logits of the pairs (x, y) with x in ``rows``, and their error bounds."""
        order = len(self.L)
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            hidden = fired(self.L[rows][:, None] + self.R, self.activation).reshape(len(rows) * order, -1)
            found = hidden @ self.votes
            sizes, votes, active = found[:, order:].T
            rounded = self.bound.rounding * sizes + self.bound.underflow
            error = 2 * (np.where(active > 0, rounded, 0.0) + votes + self.bound.fixed) * self.bound.inflate
        logits = found[:, :order]
        lost = ~np.isfinite(error)
        logits[lost], error[lost] = 0.0, np.inf
        return logits, error


class _Bound(NamedTuple):
    """gamma_(k+8), k t, what is the same for all pairs, and the factor that covers the bound's own roundings."""

    rounding: float
    underflow: float
    fixed: float
    inflate: float


def _products(weights: Weights) -> ClassProduct | _Products | None:
    """The network in integers of 52 bits where these hold it, so that no order of summation rounds, else in its own numbers.

    None where one of these, or its bound, is not finite.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        real = live_neurons(weights)
        if real is None:
            return None
        rounded = any(error.any() for error in (real.L_error, real.R_error, real.U_error))
        found = None if rounded else round_network(weights, "float64")
        if found is not None and found.slack == 0 and abs(found.exponent) < 900:  # times a power of two, all is as exact
            left, right, votes = (array.astype(np.float64) for array in (found.L, found.R, found.U))
            return ClassProduct.of(left, right, votes * 2.0**-found.exponent, weights.activation, len(right))
        sizes, change = np.abs(real.U).max(axis=1, initial=0.0), changes(real)
        neurons = np.ones(len(sizes))
        neurons[len(sizes) - real.has_bias :] = 0
        votes = np.hstack([real.U, np.column_stack([sizes, real.U_error, neurons])])
        fixed = float((change * (sizes + real.U_error)).sum())
    k = len(sizes)
    return _Products(weights.activation, real.L, real.R, votes, _Bound(gamma(k + 8, U64), k * TINY64, fixed, inflate(k + 8)))


def changes(real: LiveNeurons) -> Floats:
    """(k,) the part d of the error of an activation that does not grow with it."""
    e = real.L_error + real.R_error
    if real.activation == "relu":
        return e
    return np.asarray(2 * (reach(real.L, real.R, real.activation) + e) * e + 4 * TINY64)


class _Exact:
    """What integers put in place of logits, as long as ``work`` lasts."""

    def __init__(self, weights: Weights, work: int) -> None:
        self.weights, self.left, self.words = weights, work, 0

    def put(self, rows: npt.NDArray[np.intp], logits: Floats, error: Floats) -> LogitBlock:
        """The block, with exact distances from the greatest in place of logits of pairs that are open or lost, and bounds to fit."""
        first, lead, second = top_two(logits)
        decided = (lead > error) | (error == 0)
        lost = error > LOST * np.maximum(lead, np.abs(logits[:, 0] - logits[np.arange(len(first)), first]))
        lost[lost] = error[lost] > LOST * np.ptp(logits[lost], axis=1)
        for pair in np.flatnonzero(lost | ~decided):
            if self.left <= 0:
                break
            row, best = logits[pair], first[pair]
            chosen = np.arange(len(row)) if lost[pair] else np.flatnonzero(row[best] - row <= 2 * error[pair])
            distances = self._distances(int(rows[pair // self.weights.order]), int(pair % self.weights.order), chosen)
            row += distances[np.searchsorted(chosen, best)] - row[best]
            row[chosen] = distances
            decided[pair] = True
            if lost[pair]:
                farthest = -distances.min()
                error[pair] = 4 * U64 * farthest + 4 * TINY64 * (farthest > 0) if farthest < LARGEST else np.inf
            first[[pair]], lead[[pair]], second[[pair]] = top_two(row[None])
        return LogitBlock(rows, logits, error, first, lead, second, decided)

    def _distances(self, x: int, y: int, chosen: npt.NDArray[np.intp]) -> Floats:
        """Logits less the greatest of them, rounded to nearest, but never to 0 or beyond the largest float."""
        exact = self.weights.exact()
        if not self.words:
            sizes = [max((abs(int(v)).bit_length() for v in array.ravel()), default=0) for array in (exact.L, exact.R, exact.U)]
            self.words = 1 + sum(sizes) // 512
        hidden = fired(exact.L[x] + exact.R[y], exact.activation)
        active = np.flatnonzero(hidden)
        values = exact.b[chosen]
        if len(active):
            values = values + hidden[active] @ exact.U[np.ix_(active, chosen)]
        self.left -= (1 + len(active)) * len(chosen) * self.words
        greatest, unit = max(values), 1 << exact.logit_bits
        return np.array([-_quotient(greatest - value, unit) for value in values])


def _quotient(numerator: int, denominator: int) -> float:
    """The float64 nearest to a quotient of at least 0, but the smallest for one that is above 0, and the largest for one beyond it."""
    try:
        return numerator / denominator or (TINY64 if numerator else 0.0)
    except OverflowError:
        return LARGEST
