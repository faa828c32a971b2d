"""A network's exact answers on some pairs, at any scale of its weights: floats with a bound first, integers where these are open.

Answers do not change when L and R, or U and b, are multiplied by a positive number, nor when one number is added to all of b. So L
and R are scaled by a power of two to at most 1, b is replaced by b - b[0], and U and b are scaled so that the larger of them is
about 1: nothing overflows, and a bias of 10^30 on every output costs no digit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from net.activation import degree, fired
from net.roundoff import TINY64, U64, gamma

if TYPE_CHECKING:
    from net.convention import Indices
    from net.dyadic import FloatMatrix
    from net.weights import Weights

#: Numbers in a block of logits: about 20 MB.
_BLOCK = 2_500_000


def sampled_answers(weights: Weights, x: Indices, y: Indices) -> Indices:
    """(pairs,) for each pair the index of its unique largest logit, -1 where the largest is there twice; exact.

    With h = relu(L[x] + R[y]), u = 2^-53 and m neurons, a computed h errs by at most d = u h + (errors of L and R), and a computed
    logit by at most
        (gamma_(m+1) + u) (h . U* + max |b|) + d . U* + sum (h + d) (error of U) + (error of b)  + underflow,
    where U*_i = max_z |U_iz| and gamma_k = k u / (1 - k u) (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., 3.1). Four
    times this covers the bound's own rounding errors. With squares, h = (L[x] + R[y])^2 errs by at most 4 u h + (4 + e) e at this
    scale, where |L|, |R| <= 1 and e is the error of L and R: (p + f)^2 - p^2 = 2 p f + f^2 for |f| <= u |p| + e, |p| <= 2.
    Where the two largest logits differ by more than the errors of both, the larger one wins; elsewhere those that are so near to the
    largest are computed in integers. O(pairs n m), and O(n m) integers for each pair that floats leave open.
    """
    if weights.order == 1:
        return np.zeros(len(x), dtype=np.intp)
    scaled = _Scaled(weights)
    block = max(1, _BLOCK // max(weights.order, weights.width))
    parts = [scaled.answers(x[i : i + block], y[i : i + block]) for i in range(0, len(x), block)]
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.intp)


class _Scaled:
    """The weights at a scale of about 1, and upper bounds of how far they are from the exact ones."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        inputs = _exponent(weights.L, weights.R)
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            bias = weights.b - weights.b[0]
            hidden = degree(weights.activation) * inputs
            total = max(hidden + _exponent(weights.U), _exponent(bias)) if np.isfinite(bias).all() else 0
            self.L, self.R = np.ldexp(weights.L, -inputs), np.ldexp(weights.R, -inputs)
            self.U, self.b = np.ldexp(weights.U, hidden - total), np.ldexp(bias, -total)
            self.input_error = np.ldexp(weights.L_error + weights.R_error, -inputs) + 4 * TINY64
            if weights.activation == "square":
                self.input_error = (4 + self.input_error) * self.input_error
            self.vote_error = float(np.ldexp(weights.U_error, hidden - total)) + TINY64
            self.bias_error = float(np.ldexp(2 * weights.b_error, -total)) + TINY64
        self.largest = np.abs(self.U).max(axis=1, initial=0.0)
        self.rounding = gamma(weights.width + 2, U64) + U64

    def answers(self, x: Indices, y: Indices) -> Indices:
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            hidden = fired(self.L[x] + self.R[y], self.weights.activation)
            logits = hidden @ self.U + self.b
            bounds = self._bounds(hidden)
            best = logits.argmax(axis=1)
            top = logits[np.arange(len(x)), best]
            near = logits >= (top - 2 * bounds)[:, None]
            # a bound that is no number, or no logit that is one, decides nothing
            near |= ~np.isfinite(bounds + top)[:, None]
        for k in np.flatnonzero(near.sum(axis=1) != 1):
            best[k] = self._decided(int(x[k]), int(y[k]), np.flatnonzero(near[k]))
        return np.asarray(best, dtype=np.intp)

    def _bounds(self, hidden: FloatMatrix) -> FloatMatrix:
        """(pairs,) four times the bound of `sampled_answers`, for all logits of a pair."""
        size = hidden @ self.largest + np.abs(self.b).max(initial=0.0)
        inputs = 4 * U64 * (hidden @ self.largest) + self.input_error @ self.largest
        votes = (2 * hidden.sum(axis=1) + self.input_error.sum()) * self.vote_error
        return np.asarray(4 * (self.rounding * size + inputs + votes + self.bias_error + 4 * self.weights.width * TINY64))

    def _decided(self, x: int, y: int, candidates: Indices) -> int:
        exact = self.weights.exact()
        hidden = fired(exact.L[x] + exact.R[y], exact.activation)
        firing = np.flatnonzero(hidden)
        logits = exact.b[candidates]
        if len(firing):
            logits = logits + hidden[firing] @ exact.U[np.ix_(firing, candidates)]
        largest = max(logits)
        winners = candidates[logits == largest]
        return int(winners[0]) if len(winners) == 1 else -1


def _exponent(*arrays: FloatMatrix) -> int:
    """The least e with all entries at most 2^e in absolute value; 0 where all are 0."""
    largest = max(float(np.abs(array).max(initial=0.0)) for array in arrays)
    return int(np.frexp(largest)[1]) if largest else 0
