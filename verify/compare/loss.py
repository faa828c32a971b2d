"""Cross-entropy of a network over all pairs, on float32 logits: a measured figure, never a verdict."""

import numpy as np
import numpy.typing as npt

from net.usual_units import in_usual_units
from net.weights import Weights
from verify.compare.answers import logit_blocks

#: Differences of logits from here on count as infinite.
LARGEST = 1e300


def mean_loss(weights: Weights, product: npt.NDArray[np.integer]) -> float:
    """Mean over all pairs of log(sum over z of exp(logit_z)) - logit of product[x, y], natural logarithm.

    Uniform logits lose log |G|; infinite where a wrong answer leads by more than ``LARGEST``. Complexity: O(|G|^3 m).
    """
    order, total = weights.order, 0.0
    scaled, units = in_usual_units(weights)
    for rows, logits in logit_blocks(scaled):
        target = product[rows].ravel()
        total += cross_entropy(in_own_units(logits.reshape(-1, order), target, -units.logits), target)
    return total / order**2


def in_own_units(logits: npt.NDArray[np.floating], target: npt.NDArray[np.integer], exponent: int) -> npt.NDArray[np.floating]:
    """Logits (rows, |G|) times 2^exponent, in float64 less that of the target; as they are for an exponent of 0."""
    if not exponent:
        return logits
    wide = logits - logits[np.arange(len(logits)), target].astype(np.float64)[:, None]
    with np.errstate(over="ignore", under="ignore"):
        return np.asarray(np.clip(np.ldexp(wide, exponent), -LARGEST, LARGEST))


def cross_entropy(logits: npt.NDArray[np.floating], target: npt.NDArray[np.integer]) -> float:
    """Sum over rows of log(sum over z of exp(logit_z)) - logit of the target; the logits (rows, |G|) are overwritten.

    Where the target leads, its own term is taken out of the sum, log1p(sum over z != target of exp(logit_z - logit_target)),
    so that losses far below 1e-16 come out right. Exponentials in the logits' own precision, sums in float64.
    """
    rows = np.arange(len(logits))
    logits -= logits[rows, target][:, None]
    top = logits.max(axis=1)
    if float(top.max(initial=0.0)) >= LARGEST:
        return float("inf")
    leads = top <= 0
    if not leads.all():
        logits -= top[:, None]
    np.exp(logits, out=logits)
    logits[rows[leads], target[leads]] = 0
    sums = logits.sum(axis=1, dtype=np.float64)
    return float(np.where(leads, np.log1p(sums), top + np.log(np.where(leads, 1.0, sums))).sum())
