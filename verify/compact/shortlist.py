"""The exact margin of the few answers that a bound could not rule out.

For a pair whose contenders are z_1 .. z_k, every other z is already proved to lose, so the pair is right as soon as the k true margins

    margin(x, y, z) = sum_i relu(L[x, i] + R[y, i]) (U[i, w] - U[i, z]) + b[w] - b[z],      w = xy

are positive. They are computed in float64 with the network's own weights and compared with a bound of everything that rounding and
the weights' error bounds can do. Cost: 2m + 2m k for a pair instead of 2 m n.
"""

from time import perf_counter

import numpy as np
import numpy.typing as npt

from net.weights import Weights
from verify.compact.factored import Contenders
from verify.compact.rounding import INFLATE, U64, Floats, gamma

__all__ = ["margin_error", "prove_shortlist", "shortlist_flops"]

#: Triples per block: three gathered rows each.
BLOCK = 1 << 13


def shortlist_flops(pairs: int, triples: int, width: int) -> int:
    """2m for the activations of each pair (an addition and a ReLU), 3m + 2 for each triple (difference of votes, product, bias, test)."""
    return 2 * width * pairs + (3 * width + 2) * triples


def margin_error(weights: Weights) -> float:
    """Upper bound of |computed - exact| margin over all pairs, for margins computed as in ``prove_shortlist``.

    Rounding: chains of at most m + 8 (Higham 3.1) of terms of magnitude hmax_i * 2 max|U_i| and |b|. Weights: errors of L and R act
    through the spread of the votes, those of U and b directly, twice.
    """
    hidden = np.maximum((weights.L + weights.L_error).max(axis=0) + (weights.R + weights.R_error).max(axis=0), 0) * INFLATE
    votes = np.abs(weights.U).max(axis=1, initial=0.0)
    bias = float(np.abs(weights.b).max(initial=0.0))
    rounding = gamma(weights.width + 8, U64) * (2 * (hidden @ votes) + 2 * bias)
    inputs = (weights.L_error + weights.R_error) @ (2 * votes)
    outputs = 2 * (weights.U_error * hidden.sum() + weights.b_error)
    return float((rounding + inputs + outputs) * INFLATE + 1e-290)  # the last term covers underflow


def prove_shortlist(
    weights: Weights, mul: npt.NDArray[np.int16], contenders: Contenders, deadline: float | None = None
) -> npt.NDArray[np.bool_]:
    """(n, n) pairs all of whose contenders are proved to lose; contenders must be sorted by pair.

    Pairs whose contenders are not all reached before ``deadline`` (a ``perf_counter`` time) stay unsettled.
    """
    n = len(mul)
    settled = np.zeros((n, n), dtype=bool)
    settled[contenders.x, contenders.y] = True
    votes = np.ascontiguousarray(weights.U.T)
    error = margin_error(weights)
    for start in range(0, len(contenders.z), BLOCK):
        x, y, z = (part[start : start + BLOCK] for part in (contenders.x, contenders.y, contenders.z))
        if deadline is not None and perf_counter() > deadline:
            settled[x, y] = False
            continue
        lost = _margins(weights, votes, mul, x, y, z) <= error
        settled[x[lost], y[lost]] = False
    return settled


def _margins(
    weights: Weights, votes: Floats, mul: npt.NDArray[np.int16], x: npt.NDArray[np.intp], y: npt.NDArray[np.intp], z: npt.NDArray[np.intp]
) -> Floats:
    first = np.flatnonzero(np.r_[True, (np.diff(x) != 0) | (np.diff(y) != 0)])
    pair = np.cumsum(np.r_[False, (np.diff(x) != 0) | (np.diff(y) != 0)])
    hidden = np.maximum(weights.L[x[first]] + weights.R[y[first]], 0)
    right = mul[x, y]
    difference = votes[right] - votes[z]
    return np.asarray(np.einsum("im,im->i", hidden[pair], difference) + (weights.b[right] - weights.b[z]))
