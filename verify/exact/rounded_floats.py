"""Networks in float32 whose matrix product is rounded, with a bound of everything that rounding can do.

As in `scaled_integers` neuron i has its own power of two, 2^q relu(l + r) u = relu(2^s l + 2^s r) (2^(q-s) u), here so that products
are neither near overflow nor near underflow. l', r' and v are the float32 numbers nearest to 2^s l, 2^s r and 2^(q-s) u; those that
would be subnormal are 0. Let u = 2^-24 and t = 2^-126. An operation errs by at most u times its exact result, and where numbers are
subnormal by at most 3 t more: a processor may read either operand as 0 and give 0 for the result.

**Activations.** Let p = 2^s (l + r) and w = l' + r', so that |w - p| <= d = d_L + d_R, the largest errors of l' and r'. Computed is
relu(fl(w)) with |fl(w) - w| <= u |w| + 3 t and of the same sign, and it may be read as 0 where it is subnormal. So what takes part in
the products, H, differs from relu(p) by at most

    e = d + u top + 4 t,        and H <= reach = top + u top + 3 t,        top = the largest w at any pair, or 0.

**Squares.** With P = the largest |w| and d' = d + u P + 4 t, |fl(w) - p| <= d' and |fl(w)| <= P + d', thus

    e = d' (2 P + 3 d') + u (P + d')^2 + 2 t,        reach = (P + d')^2 (1 + u) + 2 t.

**Logits.** Let f >= |2^(q-s) u_z - v_z| for all z. The exact product G_z = sum_i H_i v_iz has differences within

    sum_i (2 f_i (reach_i + e_i) + e_i (max v_i - min v_i))

of 2^q times those of the real logits, as in `scaled_integers`, where the bias is a neuron of activation 1 too. The computed product
g_z of k terms, summed in any order with or without fused multiply-add, errs by at most gamma_k sum_i H_i |v_iz| + 16 k t (Higham,
Accuracy and Stability of Numerical Algorithms, 2nd ed., section 3.1; for the last term see below). With top_G = max over z of
sum_i reach_i |v_iz| every difference of two logits is known to within

    slack = sum_i (2 f_i (reach_i + e_i) + e_i (max v_i - min v_i)) + 2 (gamma_k + 2^-52) top_G + 32 k t

units of 2^-q; 2^-52 stands for the rounding of the difference of two float32 numbers in float64.

**Underflow.** The k products lose t each, since neither operand is subnormal, and a sum 3 t. The plain product has k - 1 sums. That of
`class_product` has for each set S of neurons |S| - 1 sums and one product with 1, which loses t, and then fewer than k sums: less than
k t + 3 k t + 3 k t. So at most 7 k t are lost, which later roundings less than double.

Which pairs this decides may depend on the order in which a BLAS library adds up; what it decides does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from net.activation import degree
from net.roundoff import INFLATE, TINY32, U32, U64, gamma, inflate
from verify.exact.scaled_integers import ScaledNetwork, exponents, largest_errors, live_neurons, reach

if TYPE_CHECKING:
    from net.weights import Weights
    from verify.exact.scaled_integers import Doubles, Indices, LiveNeurons, Singles

__all__ = ["round_to_floats"]

#: Products of a greatest activation and a greatest vote are brought to about 2 to this power at most.
PRODUCT_BITS = 40
#: Numbers stay within 2 to this power and their sums below the greatest float32, which is near 2^128.
LARGEST_BITS = 100


def round_to_floats(weights: Weights) -> ScaledNetwork | None:
    """The network in float32 numbers that are no integers; None where its numbers are too far apart for float32.

    Logits of the result are rounded; ``slack`` covers that too. Complexity: O(m n).
    """
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        real = live_neurons(weights)
        if real is None or real.L.shape[1] == 0:
            return None
        s, t, unit = _scales(real)
        L, R, V = (_singles(np.ldexp(array, power)) for array, power in ((real.L, s), (real.R, s), (real.U, t[:, None])))
        if not all((np.abs(array) <= 2.0**LARGEST_BITS).all() for array in (L, R, V)):
            return None
        slack = _slack(real, (L, R, V), s, t)
    return None if slack is None else ScaledNetwork(L, R, V, unit, slack, real.activation)


def _singles(values: Doubles) -> Singles:
    """The nearest float32 numbers, 0 for subnormal ones."""
    found = values.astype(np.float32)
    found[np.abs(found) < TINY32] = 0
    return found


def _scales(real: LiveNeurons) -> tuple[Indices, Indices, int]:
    """Powers of two of L and R and of U for each neuron, and the power q of the logits.

    Activations and votes are made about equal, unless L and R are far larger than their sums.
    """
    power = degree(real.activation)
    h, u, w = exponents(real)
    unit = PRODUCT_BITS - int((h + u).max())
    s = np.minimum((u - h + unit) // (2 * power), LARGEST_BITS - 2 - w)
    if real.has_bias:
        s[-1] = 0
    return s, unit - power * s, unit


def _slack(real: LiveNeurons, floats: tuple[Singles, Singles, Singles], s: Indices, t: Indices) -> float | None:
    """The bound of the module's docstring, rounded up; None where sums may overflow, and from 2^23 neurons on: gamma bounds nothing.

    Both sums have k nonnegative terms with fewer than 30 roundings each, for any number k of neurons (`inflate`). INFLATE covers the
    few roundings of what is no sum over neurons.
    """
    k = len(floats[2])
    if k * U32 >= 0.5:
        return None
    L, R, V = (array.astype(np.float64) for array in floats)
    d = largest_errors(real.L, L, s, real.L_error) + largest_errors(real.R, R, s, real.R_error)
    f = largest_errors(real.U.T, V.T, t, real.U_error)
    top = reach(L, R, real.activation) * INFLATE
    if real.activation == "square":
        d = (d + U32 * top + 4 * TINY32) * INFLATE
        e = d * (2 * top + 3 * d) + U32 * (top + d) ** 2 + 2 * TINY32
        most = (top + d) ** 2 * (1 + U32) + 2 * TINY32
    else:
        e = d + U32 * top + 4 * TINY32
        most = top * (1 + U32) + 3 * TINY32
    sums = float((most @ np.abs(V)).max()) * inflate(k)
    spread = V.max(axis=1) - V.min(axis=1)
    slack = float((2 * f * (most + e) + e * spread).sum()) * inflate(k) + 2 * (gamma(k, U32) + 2 * U64) * sums + 32 * k * TINY32
    # An activation out of range would be inf, and inf times a vote of 0 no number at all.
    fits = max(sums, float(most.max())) < 2.0**120 and np.isfinite(slack)
    return slack * INFLATE if fits else None
