"""Cross-entropy of a network over all pairs, on float32 logits: a measured figure, never a verdict."""

import numpy as np
import numpy.typing as npt

from net.weights import Weights
from verify.compare.answers import logit_blocks


def mean_loss(weights: Weights, product: npt.NDArray[np.integer]) -> float:
    """Mean over all pairs of log(sum over z of exp(logit_z)) - logit of product[x, y], natural logarithm.

    Uniform logits lose log |G|. Complexity: O(|G|^3 m).
    """
    order = weights.order
    total = 0.0
    for rows, logits in logit_blocks(weights):
        total += cross_entropy(logits.reshape(-1, order), product[rows].ravel())
    return total / order**2


def cross_entropy(logits: npt.NDArray[np.floating], target: npt.NDArray[np.integer]) -> float:
    """Sum over rows of log(sum over z of exp(logit_z)) - logit of the target; the logits (rows, |G|) are overwritten.

    Where the target leads, its own term is taken out of the sum, log1p(sum over z != target of exp(logit_z - logit_target)),
    so that losses far below 1e-16 come out right. Exponentials in the logits' own precision, sums in float64.
    """
    rows = np.arange(len(logits))
    logits -= logits[rows, target][:, None]
    top = logits.max(axis=1)
    leads = top <= 0
    if not leads.all():
        logits -= top[:, None]
    np.exp(logits, out=logits)
    logits[rows[leads], target[leads]] = 0
    sums = logits.sum(axis=1, dtype=np.float64)
    return float(np.where(leads, np.log1p(sums), top + np.log(np.where(leads, 1.0, sums))).sum())
