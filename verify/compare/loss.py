"""Cross-entropy of a network over all pairs, on logits with bounds of their rounding: a measured figure, never a verdict."""

import math

import numpy as np
import numpy.typing as npt

from net.usual_units import in_usual_units
from net.weights import Weights
from verify.compare.bounded_logits import BoundedLogits, rows_at_once

#: Differences of logits from here on count as infinite.
LARGEST = 1e300
#: A mean that rounding of logits may change by more than this share of it is not known.
KNOWN = 1e-4


def mean_loss(weights: Weights, product: npt.NDArray[np.integer]) -> float:
    """Mean over all pairs of log(sum over z of exp(logit_z)) - logit of product[x, y], natural logarithm.

    Uniform logits lose log |G|; infinite where a wrong answer leads by more than ``LARGEST``; NaN where neurons cancel so that it is
    not known to within ``KNOWN`` of itself. Complexity: O(|G|^3 m), and what `bounded_logits` allows integers.

    A pair's loss is log(sum over z of exp(d_z)) of differences d_z of logits. Where each errs by at most E, the loss errs by at most E,
    and by at most a share exp(E) - 1 of itself: it is log(1 + s), s is off by a factor exp(E) at most, and log(1 + c s) <= c log(1 + s)
    for c >= 1. Where the target leads by d the loss is at most |G| exp(E - d), and so is what it errs by.
    """
    order, total, off, worst = weights.order, 0.0, 0.0, 0.0
    scaled, units = in_usual_units(weights)
    for block in BoundedLogits(scaled).blocks(np.arange(order), rows_at_once(scaled)):
        target = product[block.rows].ravel()
        total += cross_entropy(in_own_units(block.logits, target, -units.logits), target)
        with np.errstate(over="ignore", under="ignore"):
            error = np.ldexp(block.error, -units.logits)
            least = np.exp(np.minimum(np.ldexp(block.error - block.lead, -units.logits), 0)) * order
            error = np.where(block.decided & (block.first == target), np.minimum(error, least), error)
        off, worst = off + float(error.sum()), max(worst, float(error.max()))
    if not math.isfinite(off) or not (off <= KNOWN * total or worst <= KNOWN / 2):
        return math.nan
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
