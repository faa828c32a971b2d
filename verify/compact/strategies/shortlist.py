"""The exact margin of the few answers that a bound could not rule out.

For a pair whose contenders are z_1 .. z_k every other z is already proved to lose, so the pair is right as soon as
the k margins

    margin(x, y, z) = relu(L[x] + R[y]) . U[:, w] + b[w] - relu(L[x] + R[y]) . U[:, z] - b[z],      w = xy,

are positive. They are computed with the network's own weights, in float32 and where that does not decide in
float64, and compared with a bound of what rounding and the weights' error bounds can do. Cost: 2m (k + 2) for
a pair instead of 2 m n.
"""

from time import perf_counter

import numpy as np
import numpy.typing as npt

from net.roundoff import INFLATE, U32, U64, gamma
from net.weights import Weights
from verify.compact.partition import Indices
from verify.compact.strategies.factored import Contenders

__all__ = ["margin_error", "prove_shortlist", "shortlist_flops"]

#: Triples per block: two gathered rows of m numbers each, which should stay in a core's cache.
BLOCK = 1 << 11

Table = npt.NDArray[np.int16]
Mask = npt.NDArray[np.bool_]


def shortlist_flops(pairs: int, triples: int, width: int) -> int:
    """2m + 2m + 1 for the activations and the right logit of a pair, 2m + 2 for a triple's logit and test."""
    return (4 * width + 1) * pairs + (2 * width + 2) * triples


def margin_error(weights: Weights, unit: float) -> float:
    """Upper bound of |computed - exact| margin at any pair, with that unit roundoff and rounded weights.

    A logit is a chain of at most m + 4 roundings, two of them of the weights (Higham 3.1), of terms of total
    magnitude at most sum_i hmax_i max|U_i| + max|b|. Errors of L and R act on two logits through |U|, those of U and b
    directly. The last term covers underflow.
    """
    reach = (np.abs(weights.L) + weights.L_error).max(axis=0) + (np.abs(weights.R) + weights.R_error).max(axis=0)
    votes = np.abs(weights.U).max(axis=1, initial=0.0) + weights.U_error
    bias = float(np.abs(weights.b).max(initial=0.0)) + weights.b_error
    rounding = gamma(weights.width + 8, unit) * (float(reach @ votes) + bias)
    inputs = float((weights.L_error + weights.R_error) @ votes)
    outputs = weights.U_error * float(reach.sum()) + weights.b_error
    tiny = (weights.width + 8) * 2.0**-126 * (1 + float(votes.max(initial=0)) + float(reach.max(initial=0)))
    return 2 * (rounding + inputs + outputs + tiny) * INFLATE


def prove_shortlist(weights: Weights, mul: Table, contenders: Contenders, deadline: float | None = None) -> tuple[Mask, int]:
    """(n, n) pairs all of whose contenders are proved to lose, and the FLOPs spent.

    Pairs whose contenders are not all reached before ``deadline`` (a ``perf_counter`` time) stay unsettled.
    """
    triples = np.stack([contenders.x, contenders.y, contenders.z])
    settled = np.zeros((len(mul), len(mul)), dtype=bool)
    settled[triples[0], triples[1]] = True
    flops = 0
    for dtype, unit in ((np.float32, U32), (np.float64, U64)):
        error = margin_error(weights, unit)
        triples, spent = _undecided(weights, mul, triples, np.dtype(dtype), error, deadline)
        flops += spent
    settled[triples[0], triples[1]] = False
    return settled, flops


def _undecided(
    weights: Weights,
    mul: Table,
    triples: Indices,
    dtype: np.dtype[np.floating],
    error: float,
    deadline: float | None,
) -> tuple[Indices, int]:
    """The triples (3, k) whose margin is not proved positive at this precision, and the FLOPs spent."""
    L, R, b = (part.astype(dtype) for part in (weights.L, weights.R, weights.b))
    votes = np.ascontiguousarray(weights.U.T, dtype=dtype)
    keep = np.ones(triples.shape[1], dtype=bool)
    flops = 0
    for start in range(0, triples.shape[1], BLOCK):
        if deadline is not None and perf_counter() > deadline:
            break
        x, y, z = triples[:, start : start + BLOCK]
        new = np.r_[True, (np.diff(x) != 0) | (np.diff(y) != 0)]
        hidden = np.maximum(L[x[new]] + R[y[new]], 0)
        answers = mul[x[new], y[new]]
        right = np.vecdot(hidden, votes[answers]) + b[answers]
        pair = np.cumsum(new) - 1
        margin = right[pair] - (np.vecdot(hidden[pair], votes[z]) + b[z])
        keep[start : start + BLOCK] = ~(margin > error)
        flops += shortlist_flops(len(answers), len(z), weights.width)
    return triples[:, keep], flops
