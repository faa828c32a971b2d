"""What reading x through cells can cost at single pairs, more exactly than for all pairs at once.

With d_i = relu(L[x, i] + R[y, i]) - relu(l_i[cell_i(x)] + R^[y, i]) the part of margin - factored margin that comes from
the levels is sum_i d_i (U^[i, w] - U^[i, z]), w = xy. Let mid_i and half_i be the middle and half the length of the
interval from the least to the largest U^[i]. Then for every z

    - sum_i d_i (U^[i, w] - U^[i, z])  <=  sum_i |d_i| half_i - sum_i d_i (U^[i, w] - mid_i).

The bound for all pairs (verify.compact.factorisation) takes |L - l| for |d_i| and 2 half_i for the votes, so that it is a
matrix product. This one costs 10 m operations a pair: neurons that fire too strongly lose little if they vote for w, and
that is what neurons do.

Rounding. L and R are rounded to float32 (R^ is that), and each sum of them is rounded once: d_i errs by at most

    off_i = 5 u (largest |L_i|, |l_i|, |R_i| and activation) + errors of the weights.

Both sums over i have terms of at most |d_i| half_i, with at most four roundings each before they are added (Higham 3.1).
"""

from dataclasses import dataclass

import numpy as np

from net.roundoff import INFLATE, TINY32, U32, Floats, Singles, gamma
from net.weights import Weights
from verify.compact.partition import Indices

__all__ = ["PairSlack", "PairSlacks"]


@dataclass(frozen=True, eq=False)
class PairSlack:
    """The constants of the bound: L, the levels and R as (n, m) float32, U^[i, w] - mid_i as (n, m), half_i as (m,).

    ``constant`` bounds what errors of the weights and roundings of d can do.
    """

    L: Singles
    levels: Singles
    R: Singles
    votes: Singles
    half: Singles
    constant: float

    def bound(self, x: Indices, y: Indices, answers: Indices) -> Floats:
        """Upper bound of factored margin - margin at these pairs, for every z; ``answers`` are the xy."""
        right, zero = self.R[y], np.zeros_like(self.half)  # a row of zeros: numpy is slower with the number 0
        d, level = self.L[x], self.levels[x]
        for part in (d, level):
            part += right
            np.maximum(part, zero, out=part)
        d -= level
        helped = np.vecdot(d, self.votes[answers]).astype(np.float64)
        lost = (np.abs(d, out=d) @ self.half).astype(np.float64)
        rounding = 4 * gamma(len(self.half) + 6, U32) * lost
        return np.asarray((lost - helped + rounding) * (1 + 4 * U32) + self.constant)

    def flops(self, pairs: int) -> int:
        """Two sums, two ReLUs, a difference, an absolute value and two products with their sums for each neuron."""
        return 10 * int(self.L.shape[1]) * pairs


class PairSlacks:
    """What the bound takes from the weights and the votes ``U`` alone, whatever the levels are."""

    def __init__(self, weights: Weights, U: Singles) -> None:
        self._L, self._R = weights.L.astype(np.float32), weights.R.astype(np.float32)
        self._left, self._right = np.abs(weights.L).max(axis=0), np.abs(weights.R).max(axis=0)
        self._errors = weights.L_error, weights.R_error
        wide = U.astype(np.float64)
        top, low = wide.max(axis=1), wide.min(axis=1)
        middle = (top + low) / 2
        self._votes = np.ascontiguousarray((wide - middle[:, None]).T, dtype=np.float32)
        self._range: Floats = top - low
        self._half = (((top - low) / 2) * (1 + 4 * U32)).astype(np.float32)  # not below the exact one
        self._floor = len(U) * TINY32 * (8 + float(np.abs(wide).max(initial=0)) * 4)

    def slack(self, levels: Singles, largest: Floats, hidden: Floats, constant: float) -> PairSlack:
        """The bound for ``levels`` (n, m) at every x (-inf for a neuron left out), whose absolute values are at most ``largest`` (m,).

        ``hidden`` are upper bounds of every activation, ``constant`` bounds what errors of U and b can do.
        """
        reach = np.maximum(self._left, largest) + self._right
        off = 5 * U32 * (reach + hidden) + self._errors[0] + self._errors[1]
        lost = float(off @ self._range) + self._floor
        return PairSlack(self._L, levels, self._R, self._votes, self._half, constant=2 * lost * INFLATE + constant)
