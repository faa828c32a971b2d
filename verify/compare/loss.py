"""Cross-entropy of a network over all pairs, on logits with bounds of their rounding: a measured figure, never a verdict."""

import math

import numpy as np
import numpy.typing as npt

from net.roundoff import Floats
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
    """
    scaled, units = in_usual_units(weights)
    losses = Losses(-units.logits)
    for block in BoundedLogits(scaled).blocks(np.arange(weights.order), rows_at_once(scaled)):
        target = product[block.rows].ravel()
        losses.add(block.logits, block.error, target, block.lead, block.decided & (block.first == target))
    return losses.mean()


class Losses:
    """Losses of pairs, added up, and what rounding of their logits can change; logits come in units of 2^-exponent.

    A pair's loss is log(sum over z of exp(d_z)) of differences d_z of logits. Where each errs by at most E, the loss errs by at most E,
    and by at most a share exp(E) - 1 of itself: it is log(1 + s), s is off by a factor exp(E) at most, and log(1 + c s) <= c log(1 + s)
    for c >= 1. Where the target leads by d the loss is at most |G| exp(E - d), and so is what it errs by.
    """

    def __init__(self, exponent: int) -> None:
        self.exponent, self.pairs = exponent, 0
        self.total, self.off, self.worst = 0.0, 0.0, 0.0

    def add(self, logits: Floats, error: Floats, target: npt.NDArray[np.integer], lead: Floats, leads: npt.NDArray[np.bool_]) -> None:
        """Logits (pairs, |G|), which are overwritten, bounds E, and the lead of the target where it surely ``leads``, (pairs,)."""
        order = logits.shape[1]
        self.pairs += len(target)
        self.total += cross_entropy(in_own_units(logits, target, self.exponent), target)
        with np.errstate(over="ignore", under="ignore"):
            least = np.exp(np.minimum(np.ldexp(error - lead, self.exponent), 0)) * order
            error = np.ldexp(error, self.exponent)
            error = np.where(leads, np.minimum(error, least), error)
        self.off, self.worst = self.off + float(error.sum()), max(self.worst, float(error.max()))

    def mean(self) -> float:
        """The mean loss, NaN where it is not known to within ``KNOWN`` of itself."""
        if not math.isfinite(self.off) or not (self.off <= KNOWN * self.total or self.worst <= KNOWN / 2):
            return math.nan
        return self.total / self.pairs


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
