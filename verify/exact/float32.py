"""Pairs whose answer the float32 forward pass provably gives, whatever the order of summation.

The forward pass is the one that `net.folded` describes: each pre-activation is one dot product of p
products, then relu, then each logit is one dot product of q products (the bias among them). The sums may be
formed in any order, as any tree, with or without fused multiply-add, in IEEE 754 binary32, rounding to
nearest with gradual underflow. For a dot product of k products (Higham, Accuracy and Stability of Numerical
Algorithms, 2nd ed., section 3.1 and, for underflow, section 2.1 (2.8)):

    |fl(a . b) - a . b| <= gamma_k |a| . |b| + k 2^-149,        gamma_k = k u / (1 - k u),   u = 2^-24.

Each product takes part in at most k roundings. An operation whose result underflows adds at most 2^-150
more; a sum of floats cannot underflow inexactly, so there are at most k such terms, each grown by later
roundings to less than twice its size.

With alpha_i = gamma_p (L_abs[x, i] + R_abs[y, i]) + p 2^-149 the computed activation g_i and the exact one
h_i satisfy |g_i - h_i| <= alpha_i, as relu is 1-Lipschitz, and both are 0 where the exact pre-activation is
at most -alpha_i. So the computed logit z differs from the exact one by at most

    eps_z = sum_i (alpha_i + gamma_q g_i) |U[i, z]| + gamma_q |b_z| + q 2^-149,      i over the neurons not
                                                                                     known to be 0,

and the exact answer c is the computed one if logit_c - logit_z > eps_c + eps_z for all z != c. Two bounds
of eps_z are used. The separable one takes g_i <= (1 + gamma_p)(L_abs + R_abs) + p 2^-149 and max_z |U[i,
z]|, which leaves a function of x plus a function of y. The other, for the pairs that are left, multiplies
the activations by |U| and compares output by output.

**Rounding of the bounds themselves.** They are sums of fewer than 2^23 products of non-negative float64
numbers, so their relative error is at most 2^-30 and a few times 2^-53, and multiplying by (1 + 2^-30)^2 makes up for it. What
underflows in float64 is below 2^-1000 a term, and 2^-30 of the term q 2^-149 makes up for that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from net.folded import FLOAT32_TERMS
from net.roundoff import INFLATE, U32, gamma
from verify.exact.exhaustive import tighten
from verify.exact.scaled_integers import round_network

if TYPE_CHECKING:
    from net.folded import FoldedNetwork
    from verify.exact.exhaustive import Evaluation, Mask
    from verify.exact.scaled_integers import Doubles, Indices, ScaledNetwork

UNDERFLOW = 2.0**-149
#: Below a quarter of the greatest float32: sums of absolute products that stay here overflow in no order.
OVERFLOW = 2.0**126


def float32_proved(network: FoldedNetwork, evaluation: Evaluation) -> Mask | None:
    """(n, n) mask of the pairs whose exact answer is the float32 answer in any order of summation.

    `evaluation` is that of `network.weights`. None where the network makes no statement about float32 (its
    weights are not float32 numbers, or its sums may overflow). Pairs with a tie, and pairs for which the
    proof fails, are False: nothing is claimed about them. Cost: O(n^2) where the separable bound suffices,
    two matrix products for the other pairs.
    """
    p, q = network.preactivation_terms, network.logit_terms
    if p is None or q is None:
        return None
    if max(p, q) >= FLOAT32_TERMS:
        raise ValueError(f"Expected dot products of fewer than 2^23 terms for gamma_k < 1; got {max(p, q)}.")
    error, safe = _separable_error(network, p, q)
    needed = 2 * error
    doubtful = safe & (evaluation.margin_low <= needed) & (evaluation.margin_high > needed)
    if doubtful.any():
        evaluation = tighten(network.weights, evaluation, np.flatnonzero(doubtful))
    # needed is positive, so a tie is never among these
    proved = safe & (evaluation.margin_low > needed)
    rest = np.flatnonzero(safe & ~proved & (evaluation.answer >= 0))
    scaled = round_network(network.weights, "float64") if rest.size else None
    if scaled is not None:
        answer = evaluation.answer.reshape(-1)
        for start in range(0, len(rest), scaled.rows):
            part = rest[start : start + scaled.rows]
            proved.reshape(-1)[part] = _output_by_output(network, scaled, part, answer[part].astype(np.int64), (p, q))
    return proved


def _separable_error(network: FoldedNetwork, p: int, q: int) -> tuple[Doubles, Mask]:
    """An upper bound (n, n) of eps_z for every z, and the pairs at which no sum can overflow."""
    weights = network.weights
    votes = np.abs(weights.U).max(axis=1, initial=0.0) + weights.U_error
    bias = np.abs(weights.b).max() + weights.b_error
    grown = gamma(p, U32) + gamma(q, U32) * (1 + gamma(p, U32))
    with np.errstate(over="ignore", invalid="ignore"):
        size = (network.L_abs @ votes)[:, None] + network.R_abs @ votes
        floor = p * UNDERFLOW * (1 + gamma(q, U32)) * votes.sum() + gamma(q, U32) * bias + q * UNDERFLOW
        hidden = network.L_abs.max(axis=1, initial=0.0)[:, None] + network.R_abs.max(axis=1, initial=0.0)
        # NaN and infinity compare as unsafe.
        safe = (hidden < OVERFLOW) & (size + bias < OVERFLOW) & (floor < OVERFLOW)
        return (grown * size + floor) * INFLATE * INFLATE, safe


def _output_by_output(network: FoldedNetwork, scaled: ScaledNetwork, pairs: Indices, answer: Indices, terms: tuple[int, int]) -> Mask:
    """Whether logit_c - logit_z > eps_c + eps_z for all z != c, c the answer, at each of the pairs."""
    rows, (x, y) = np.arange(len(pairs)), divmod(pairs, network.weights.order)
    error = _error_per_output(network, x, y, *terms)
    logits = scaled.logits(pairs)
    # Differences of integer logits are exact and within the slack of the real ones. Scaling by a power of two
    # is exact, or rounds far below what INFLATE adds to the right-hand side.
    lead = np.ldexp(logits[rows, answer][:, None] - logits, -scaled.exponent)
    slack = np.ldexp(scaled.slack, -scaled.exponent)
    clear = lead > (error[rows, answer][:, None] + error + slack) * INFLATE
    clear[rows, answer] = True
    return np.asarray(clear.all(axis=1))


def _error_per_output(network: FoldedNetwork, x: Indices, y: Indices, p: int, q: int) -> Doubles:
    """Upper bounds (rows, n) of eps_z."""
    weights = network.weights
    alpha = gamma(p, U32) * (network.L_abs[x] + network.R_abs[y]) + p * UNDERFLOW
    near = weights.L[x] + weights.R[y]
    # |near - exact| <= 2^-53 |near| + the weights' own errors; the sign of a rounded sum is that of the sum.
    above = near + ((alpha + weights.L_error + weights.R_error) * INFLATE + np.abs(near) * 2.0**-50)
    activation = np.maximum(above, 0) * INFLATE
    share = np.where(above > 0, alpha, 0) + gamma(q, U32) * activation
    votes = np.abs(weights.U) + weights.U_error
    bias = gamma(q, U32) * (np.abs(weights.b) + weights.b_error)
    return np.asarray((share @ votes + bias + q * UNDERFLOW) * INFLATE * INFLATE)
