"""Networks rounded to small integers, on which a floating-point matrix product is exact.

A binary floating-point format with a significand of T bits adds and multiplies integers without rounding
as long as every intermediate result stays within 2^T; then neither the order of summation nor fused
multiply-add matters, and a BLAS matrix product of such integers is exact. A network is brought into that
form neuron by neuron. relu is positively homogeneous, so neuron i may carry its own power of two:

    2^q relu(l + r) u  =  relu(2^s l + 2^s r) (2^(q-s) u),        s = s_i.

Rounding 2^s L, 2^s R, 2^(q-s) U and 2^q b to integers gives a network whose logits G are computed exactly.
What is left is the distance between that network and the real one.

**The bound.** Fix a pair. Let h be neuron i's real activation and H its integer one. relu is 1-Lipschitz, so
2^s h = H + eta with |eta| <= e, where e = e_L + e_R and e_L is the largest |2^s L[x, i] - integer| over x
(likewise e_R). Let 2^(q-s) u_z = V_z + phi_z with |phi_z| <= f, and 2^q b_z = B_z + beta_z with
|beta_z| <= g. Then 2^q logit_z - G_z = sum_i ((H + eta)(V_z + phi_z) - H V_z) + beta_z, and for outputs z, w

    |2^q (logit_z - logit_w) - (G_z - G_w)|
        =  |sum_i (H + eta)(phi_z - phi_w) + eta (V_z - V_w) + beta_z - beta_w|
        <= sum_i (2 f (Hmax + e) + e (max V - min V)) + 2 g  =:  slack,

with Hmax the neuron's largest integer activation on any pair. Every difference of two logits is therefore
known to within `slack` units of 2^-q. A lead of more than `slack` units is a proof; where nothing was rounded
the slack is 0 and a lead of 0 is a proof of a tie. The bias takes part as one more neuron, with H = 1, e = 0,
f = g.

**Squares.** With h = (l + r)^2 a neuron's power of two is 2^(2s) on h and 2^(q-2s) on U. Let P be the integer pre-activation, from
which 2^s (l + r) differs by at most e: then |(P + eta)^2 - P^2| <= 2 |P| e + e^2, which takes the place of e in the bound, and
Hmax = max P^2. The bias has P = 1.

**Underflow.** Every e and f that is not 0 is taken to be at least 2^-500, that of squares once more after squaring. So a product of two
of them is above 0, and the slack is 0 only where nothing was rounded.

Source of the principle: Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 2.1
(integers up to 2^T are representable and their operations exact).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from net.activation import degree, fired
from net.common_part import without_common_part, without_opposite_parts
from net.roundoff import INFLATE, inflate
from verify.exact.class_product import ClassProduct

if TYPE_CHECKING:
    from collections.abc import Iterator

    from net.activation import Activation
    from net.weights import Weights

Floats = NDArray[np.floating]
Doubles = NDArray[np.float64]
Singles = NDArray[np.float32]
Indices = NDArray[np.int64]

# Significands: 24 and 53 bits. Leads are differences of two logits and are formed in float64, so a logit of
# 24 bits leaves room and one of 53 bits would not.
BITS = {"float32": 24, "float64": 52}

# Stands in for every non-zero rounding error below it, so that products of two bounds do not underflow.
_LEAST_ERROR = 2.0**-500
_BLOCK_BYTES = 1 << 22


@dataclass(frozen=True)
class ScaledNetwork:
    """A network of integers held in floats: 2^exponent times the real logits, up to `slack` in differences.

    That of `rounded_floats` holds other floats, and its logits are rounded.

    `L`, `R` are (n, k), `U` is (k, n), all of one dtype; k counts the neurons that can be active, and the
    bias as one neuron that is always 1.
    """

    L: Floats
    R: Floats
    U: Floats
    exponent: int
    slack: float
    activation: Activation = "relu"

    @property
    def order(self) -> int:
        """Number n of group elements."""
        return int(self.L.shape[0])

    @property
    def rows(self) -> int:
        """Pairs per block: logits of about four mebibytes, whole rows x of the table where these fit."""
        rows = max(1, _BLOCK_BYTES // (self.order * self.L.itemsize))
        return rows // self.order * self.order if rows >= self.order else rows

    def logits(self, pairs: Indices) -> Floats:
        """Integer logits G (rows, n) of the pairs, numbered x * n + y; O(rows k n), exact where the network is of integers."""
        hidden = self.L[pairs // self.order] + self.R[pairs % self.order]
        fired(hidden, self.activation, out=hidden)
        return np.asarray(hidden @ self.U)

    def blocks(self, pairs: Indices | None) -> Iterator[tuple[Indices | slice, Floats]]:
        """Pairs (None: all) and their logits, a block at a time; all pairs by `class_product`."""
        n, rows = self.order, self.rows
        if pairs is not None:
            yield from ((part, self.logits(part)) for part in (pairs[k : k + rows] for k in range(0, len(pairs), rows)))
            return
        step, cut = max(1, rows // n), min(rows, n)
        product = ClassProduct.of(self.L, self.R, self.U, self.activation, cut)
        for x, y, logits in product.blocks(np.arange(n), step, cut):
            start = int(x[0]) * n + y.start
            yield slice(start, start + len(logits)), logits


def round_network(weights: Weights, precision: str) -> ScaledNetwork | None:
    """The network in integers for `precision` "float32" or "float64"; None where the floats cannot hold it.

    The finest common unit 2^-q is chosen for which every logit's sum of absolute products, over all pairs at
    once, stays within the significand: sum_i Hmax_i |V[i, z]| <= 2^T for every z.
    """
    dtype, bits = np.dtype(precision), BITS[precision]
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        real = live_neurons(weights)
        if real is None:
            return None
        if real.L.shape[1] == 0:
            return ScaledNetwork(real.L.astype(dtype), real.R.astype(dtype), real.U.astype(dtype), 0, 0.0, real.activation)
        return _finest_scale(real, dtype, bits)


@dataclass(frozen=True)
class LiveNeurons:
    """The neurons that some pair can activate, the bias last if there is one, with bounds per neuron; without `net.common_part`."""

    L: Doubles
    R: Doubles
    U: Doubles
    L_error: Doubles
    R_error: Doubles
    U_error: Doubles
    has_bias: bool
    activation: Activation = "relu"


def live_neurons(weights: Weights) -> LiveNeurons | None:
    """The neurons that can be active at some pair and vote; None where a number or an error is not finite."""
    n, m = weights.L.shape
    U_error, b_error = np.full(m, weights.U_error), weights.b_error
    numbers = (weights.L, weights.R, weights.U, weights.b, weights.L_error, weights.R_error, U_error, b_error)
    if not all(np.isfinite(array).all() for array in numbers):
        return None
    # Silent on every pair if (greatest l) + (greatest r) <= 0; each side is rounded up and the comparison is
    # between two floats, so no sum is rounded.
    top_l = np.nextafter(weights.L.max(axis=0) + weights.L_error, np.inf)
    top_r = np.nextafter(weights.R.max(axis=0) + weights.R_error, np.inf)
    # Exact, and no bound speaks of more than differences of logits.
    U, b = without_common_part(weights.U), without_common_part(weights.b[None])[0]
    votes = U.any(axis=1) | (U_error > 0)
    live = votes if weights.activation == "square" else (top_l > -top_r) & votes
    # Exact as well, and no bound speaks of more than sums of L and R.
    L, R = without_opposite_parts(weights.L[:, live], weights.R[:, live])
    U = U[live]
    errors = [error[live] for error in (weights.L_error, weights.R_error, U_error)]
    has_bias = bool(b.any()) or b_error > 0
    if has_bias:
        L, R = np.hstack([L, np.ones((n, 1))]), np.hstack([R, np.zeros((n, 1))])
        U = np.vstack([U, b])
        errors = [np.append(e, last) for e, last in zip(errors, (0.0, 0.0, b_error), strict=True)]
    return LiveNeurons(L, R, U, errors[0], errors[1], errors[2], has_bias, weights.activation)


def _finest_scale(real: LiveNeurons, dtype: np.dtype[np.number], bits: int) -> ScaledNetwork | None:
    power = degree(real.activation)
    h, u, w = exponents(real)
    q = bits - int((h + u).max()) + 1
    for unit in range(q, q - 4096, -1):
        # Balanced: 2^s Hmax and 2^(q-s) |u| about equal, so that neither rounding outweighs the other. The
        # cap keeps |L| and |R| within 2^(bits - 1), so that their sums are exact as well.
        s = np.minimum((u - h + unit) // (2 * power), bits - 1 - w)
        if real.has_bias:
            s[-1] = 0
        scaled = _Scaled.of(real, s, unit - power * s)
        if scaled.fits(2.0**bits):
            slack = scaled.slack(real, s, unit - power * s)
            if not np.isfinite(slack):  # errors beyond floats at this scale: margins would have no bounds
                return None
            L, R, V = (array.astype(dtype) for array in (scaled.L, scaled.R, scaled.V))
            return ScaledNetwork(L, R, V, unit, slack, real.activation)
    return None


def exponents(real: LiveNeurons) -> tuple[Indices, Indices, Indices]:
    """Integers h, u, w per neuron with 2^h, 2^u and 2^w just above its largest activation, vote, and left or right weight.

    The square of a number of float64 may be out of range, so its exponent is found from the number's own.
    """
    mantissa, exponent = np.frexp(reach(real.L, real.R, real.activation) + real.L_error + real.R_error)
    power = degree(real.activation)
    h = np.frexp(mantissa**power)[1].astype(np.int64) + power * exponent.astype(np.int64)
    widest = np.maximum(np.abs(real.L).max(axis=0), np.abs(real.R).max(axis=0))
    u, w = (np.frexp(a)[1].astype(np.int64) for a in (np.abs(real.U).max(axis=1), widest))
    return h, u, w


def reach(L: Doubles, R: Doubles, activation: Activation) -> Doubles:
    """The largest pre-activation of each neuron that is not silent: 0 or more with relu, in absolute value with squares."""
    top = L.max(axis=0) + R.max(axis=0)
    return np.asarray(np.maximum(top, -(L.min(axis=0) + R.min(axis=0)) if activation == "square" else 0))


@dataclass(frozen=True)
class _Scaled:
    L: Doubles
    R: Doubles
    V: Doubles
    top: Doubles

    @classmethod
    def of(cls, real: LiveNeurons, s: Indices, t: Indices) -> _Scaled:
        L, R = np.rint(np.ldexp(real.L, s)), np.rint(np.ldexp(real.R, s))
        V = np.rint(np.ldexp(real.U, t[:, None]))
        return cls(L, R, V, fired(reach(L, R, real.activation), real.activation))

    def fits(self, limit: float) -> bool:
        """Whether sum_i max(Hmax, 1) |V[i, z]| <= limit for every z.

        The sum of k products is rounded, so it is held below the limit by more than its relative error, `inflate` of k terms.
        """
        sums = np.maximum(self.top, 1) @ np.abs(self.V)
        return bool(sums.max() * inflate(len(self.V)) <= limit)

    def slack(self, real: LiveNeurons, s: Indices, t: Indices) -> float:
        """The bound of the module's docstring, rounded up: a sum of k nonnegative terms with fewer than 30 roundings each (`inflate`).

        INFLATE covers the two roundings of the square root, which is one of a term's factors.
        """
        e = largest_errors(real.L, self.L, s, real.L_error) + largest_errors(real.R, self.R, s, real.R_error)
        if real.activation == "square":
            e = np.where(e > 0, np.maximum((2 * np.sqrt(self.top) * INFLATE + e) * e, _LEAST_ERROR), 0.0)
        f = largest_errors(real.U.T, self.V.T, t, real.U_error)
        spread = self.V.max(axis=1) - self.V.min(axis=1)
        return float((2 * f * (self.top + e) + e * spread).sum() * inflate(len(self.V)))


def largest_errors(real: Doubles, rounded: Doubles, shift: Indices, bound: Doubles) -> Doubles:
    """Largest |2^shift exact - rounded| per column, where |exact - real| <= bound.

    2^shift * real = v is exact unless it falls below the normal range, and v less the integer or the float32 number nearest to it is
    exact: a multiple of v's last place, and smaller than 2^52 of these or 0.
    """
    scaled = np.ldexp(real, shift)
    distance = np.abs(scaled - rounded)
    distance[(np.abs(scaled) < _LEAST_ERROR) & (real != 0)] = _LEAST_ERROR
    distance[(distance > 0) & (distance < _LEAST_ERROR)] = _LEAST_ERROR
    carried = np.where(bound > 0, np.maximum(np.ldexp(bound, shift), _LEAST_ERROR), 0.0)
    return np.asarray(distance.max(axis=0) + carried)


def top_two(logits: Floats, guess: NDArray[np.integer] | None = None) -> tuple[Indices, Doubles, Indices]:
    """Greatest entry of every row, its lead over the greatest of the others, and that one: (column, lead >= 0 in float64, column).

    A `guess` per row saves the search wherever the guess leads. Among equals the guess, then the first, wins.
    With one column the lead is infinite.
    """
    answer = logits.argmax(axis=1) if guess is None else guess.astype(np.int64)
    lead, second = _lead(logits, answer)
    if guess is not None and (behind := np.flatnonzero(lead < 0)).size:
        part = logits[behind]
        answer[behind] = part.argmax(axis=1)
        lead[behind], second[behind] = _lead(part, answer[behind])
    return answer, lead, second


def _lead(logits: Floats, column: Indices) -> tuple[Doubles, Indices]:
    """By how much a column leads the greatest of the others, and which that is, the first of equals."""
    rows = np.arange(len(logits))
    best = logits[rows, column]
    logits[rows, column] = -np.inf
    second = logits.argmax(axis=1)
    lead = best.astype(np.float64) - logits[rows, second]
    logits[rows, column] = best
    return np.asarray(lead), np.asarray(second)


def scaled_bounds(lead: Doubles, slack: float, exponent: int) -> tuple[Doubles, Doubles]:
    """Floats low <= margin <= high of the real network, whose integer network leads by `lead` units.

    The lead of a greatest number over the second greatest moves by at most `slack` when every difference
    does, so the margin lies in 2^-exponent [lead - slack, lead + slack]. Each end takes one rounded
    operation and a scaling that rounds only below the normal range; the neighbouring float outward makes up
    for both. With slack 0 and a scale well within range nothing is rounded, nor is a tie at any scale.
    """
    with np.errstate(over="ignore", under="ignore"):
        low, high = np.ldexp(lead - slack, -exponent), np.ldexp(lead + slack, -exponent)
        if slack == 0 and abs(exponent) < 900:
            return low, high
        tied = (lead == 0) & (slack == 0)
        return np.where(tied, 0.0, np.nextafter(low, -np.inf)), np.where(tied, 0.0, np.nextafter(high, np.inf))
