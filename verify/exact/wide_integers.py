"""Networks rounded to integers of about 55 bits, multiplied exactly in limbs by float64 matrix products.

The second form of `scaled_integers`, for pairs that 52 bits leave open. It starts from the exact integers of
the weights, so the only error is its own rounding, and it removes cancellation first: for any c,
relu(l + r) = relu((l - c) + (r + c)), and an l below -max r may be raised to -max r without changing any
activation. After that no |l|, |r| exceeds half the neuron's greatest activation.

H and V are cut into three limbs of w bits, H = sum_j H_j 2^(jw) with 0 <= H_j < 2^w (likewise V, whose last
limb carries the sign). With 3 k 2^(2w) <= 2^53 each of the five sums D_d = sum_(i+j=d) H_i V_j is an exact
float64 matrix product, and G = sum_d D_d 2^(dw) is assembled in int64 as G = A 2^(3w) + B, 0 <= B < 2^(3w).
The scale is chosen such that |G| < 2^118 and |G| < 2^(3w + 60): then A and the difference of two of them stay below 2^62, also for the
narrow limbs of tens of thousands of neurons.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from net.weights import ExactWeights, Weights
    from verify.exact.scaled_integers import Doubles, Indices

Ints = NDArray[np.int64]
Objects = NDArray[np.object_]

_BLOCK_ENTRIES = 1 << 19


@dataclass(frozen=True)
class WideNetwork:
    """A network of int64 integers: 2^exponent times the real logits, up to `slack` in differences.

    `L`, `R` are (n, k); `limbs` are the three limbs of U, (3, k, n) float64; `width` is w.
    """

    L: Ints
    R: Ints
    limbs: Doubles
    width: int
    exponent: int
    slack: int

    @property
    def order(self) -> int:
        """Number n of group elements."""
        return int(self.L.shape[0])

    @property
    def rows(self) -> int:
        """Pairs per block."""
        return max(1, _BLOCK_ENTRIES // self.order)

    def logits(self, pairs: Indices) -> tuple[Ints, Ints]:
        """(A, B), each (rows, n): logits A 2^(3 width) + B of the pairs x * n + y; nine matrix products."""
        w, n = self.width, self.order
        mask = (1 << w) - 1
        hidden = np.maximum(self.L[pairs // n] + self.R[pairs % n], 0)
        h = [((hidden >> (w * j)) & mask).astype(np.float64) for j in range(3)]
        low, carry = np.zeros((len(pairs), n), np.int64), np.zeros((len(pairs), n), np.int64)
        for d in range(5):
            parts = [h[i] @ self.limbs[d - i] for i in range(3) if 0 <= d - i < 3]
            carry += sum(parts[1:], parts[0]).astype(np.int64)
            if d < 3:
                low += (carry & mask) << (w * d)
                carry >>= w
            elif d == 3:
                high = carry
                carry = np.zeros_like(carry)
        return high + (carry << w), low

    def gap(self, left: tuple[Ints, Ints], right: tuple[Ints, Ints]) -> tuple[Ints, Ints]:
        """The difference left - right of numbers (A, B) in the same form."""
        low = left[1] - right[1]
        return left[0] - right[0] + (low >> (3 * self.width)), low & ((1 << (3 * self.width)) - 1)

    def top_two(self, pairs: Indices) -> tuple[Indices, Indices, Objects, NDArray[np.bool_]]:
        """Greatest logits of every pair: (column, second column, lead as Python int, columns that may be first or second).

        A column that is more than `slack` below the integer runner-up is below two others in the exact
        network, so exact arithmetic need not look at it.
        """
        high, low = self.logits(pairs)
        first = _argmax(high, low)
        rows = np.arange(len(pairs))
        best = high[rows, first].copy(), low[rows, first].copy()
        others = high.copy()
        others[rows, first] = np.iinfo(np.int64).min
        second = _argmax(others, low)
        runner_up = high[rows, second], low[rows, second]
        lead_high, lead_low = self.gap(best, runner_up)
        lead = (lead_high.astype(object) << (3 * self.width)) + lead_low.astype(object)
        below = self.gap((runner_up[0][:, None], runner_up[1][:, None]), (high, low))
        limit = divmod(min(self.slack, 1 << 120), 1 << (3 * self.width))
        near = (below[0] < limit[0]) | ((below[0] == limit[0]) & (below[1] <= limit[1]))
        return first, second, lead, near


def round_wide(weights: Weights) -> WideNetwork:
    """The network in integers with logits below 2^120, from `weights.exact()`; O(mn) Python integers."""
    exact = weights.exact()
    p, v = exact.preactivation_bits, exact.vote_bits
    L, R, U = _without_cancellation(_with_bias(exact))
    k = max(1, U.shape[0])
    w = min(20, (53 - (3 * k - 1).bit_length()) // 2)
    # exponents: h of the greatest activation, u of the greatest vote, both as powers of two above it
    h = np.array([(max(L[:, i]) + max(R[:, i])).bit_length() - p for i in range(len(U))], dtype=np.int64)
    u = np.array([max(abs(row)).bit_length() - v for row in U], dtype=np.int64)
    room = min(6 * w - 6, min(118, 3 * w + 60) - k.bit_length())  # k products, each at most 2^room
    unit = room - int((h + u).max()) if len(h) else 0
    s = (u - h + unit) // 2
    L_rounded, L_halves = _round(L, s - p)
    R_rounded, R_halves = _round(R, s - p)
    V, V_halves = _round(U.T, unit - s - v)
    V = V.T
    slack = _slack(L_rounded, R_rounded, V, L_halves + R_halves, V_halves)
    mask = (1 << w) - 1
    limbs = np.array([V & mask, (V >> w) & mask, V >> (2 * w)], dtype=np.float64)
    return WideNetwork(L_rounded, R_rounded, limbs, w, unit, slack)


def _with_bias(exact: ExactWeights) -> tuple[Objects, Objects, Objects]:
    """L, R, U with the bias as one more neuron: activation 1 / 2^p, votes b / 2^v."""
    if not exact.b.any():
        return exact.L, exact.R, exact.U
    one = np.full((len(exact.b), 1), 1, dtype=object)
    return np.hstack([exact.L, one]), np.hstack([exact.R, one - one]), np.vstack([exact.U, exact.b])


def _without_cancellation(network: tuple[Objects, Objects, Objects]) -> tuple[Objects, Objects, Objects]:
    """The same function without silent neurons, |l| and |r| at most about half the greatest activation."""
    L, R, U = network
    live = [i for i in range(len(U)) if L[:, i].max() + R[:, i].max() > 0 and U[i].any()]
    L, R, U = L[:, live], R[:, live], U[live]
    if not live:
        return L, R, U
    shift = (L.max(axis=0) - R.max(axis=0)) // 2
    L, R = L - shift, R + shift
    return np.maximum(L, -R.max(axis=0)), np.maximum(R, -L.max(axis=0)), U


def _round(values: Objects, shift: Indices) -> tuple[Ints, Ints]:
    """(2^shift values rounded to nearest, per column 1 if that was inexact, else 0); a shift per column."""
    rounded = np.zeros(values.shape, dtype=np.int64)
    inexact = np.zeros(len(shift), dtype=np.int64)
    for i, power in enumerate(shift.tolist()):
        column = values[:, i]
        if power >= 0:
            rounded[:, i] = column << power
        else:
            rounded[:, i] = (column + (1 << (-power - 1))) >> -power
            inexact[i] = bool((column & ((1 << -power) - 1)).any())
    return rounded, inexact


def _slack(L: Ints, R: Ints, V: Ints, pre_halves: Ints, vote_halves: Ints) -> int:
    """The bound of `scaled_integers` with e = pre_halves / 2 and f = vote_halves / 2, rounded up."""
    if not len(V):
        return 0
    top = np.maximum(L.max(axis=0) + R.max(axis=0), 0).astype(object)
    spread = V.max(axis=1).astype(object) - V.min(axis=1)
    e, f = pre_halves.astype(object), vote_halves.astype(object)
    halves = int((f * (2 * top + e) + e * spread).sum())
    return (halves + 1) // 2


def _argmax(high: Ints, low: Ints) -> Indices:
    return np.asarray(np.where(high == high.max(axis=1, keepdims=True), low, -1).argmax(axis=1))
