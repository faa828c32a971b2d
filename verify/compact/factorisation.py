"""A network whose neurons read x through the cells of partitions, and how far its margins are from the truth.

    factored(x, y)[z] = b^[z] + sum_i relu(l_i[cell_i(x)] + R^[y, i]) U^[i, z],        l, R^, U^, b^ float32

For w = xy and any z, with d_i = relu(L + R) - relu(l + R^) and |relu(s) - relu(t)| <= |s - t|,

    margin(x, y, z) - factored margin
        = sum_i d_i (U^[i, w] - U^[i, z]) + sum_i relu(L + R) ((U - U^)[i, w] - (U - U^)[i, z])
          + (b - b^)[w] - (b - b^)[z],

    |difference| <= sum over i active at (x, y) of (|L[x, i] - l_i[cell_i(x)]| + max_y |R - R^|_i) spread_i
                    + 2 sum_i hmax_i |U - U^|_i + 2 |b - b^|,

where spread_i = max U^[i] - min U^[i]. U stands for the votes less the middle of each neuron's range, which
changes no margin and keeps tables small. Neuron i counts as active at (x, y) unless both ReLUs are zero there
for every x of the same *level group*: the cells of a neuron are split into a few groups by rising level, so
that activity is a function of the group and y, and the sum is a matrix product. L, R, U, b are the exact
weights: float64 ones with error bounds.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from net.roundoff import INFLATE, TINY32, U32, U64, Floats, Singles, gamma
from net.weights import Weights
from verify.compact.merge import MergePlan, merge_plan
from verify.compact.pair_slack import PairSlack, slack_of_pairs
from verify.compact.partition import Indices, Partition

__all__ = ["Factorisation", "PartitionFamily", "factorise"]


@dataclass(frozen=True, eq=False)
class PartitionFamily:
    """The neurons that read x through one partition, with their values (count, k) on its cells."""

    partition: Partition
    neurons: Indices
    levels: Singles


@dataclass(frozen=True, eq=False)
class Factorisation:
    """The factored network of the module's docstring and the bounds that tie it to the true one.

    Attributes:
        families: every neuron that is kept is in exactly one.
        R, U, b: float32 (n, m), (m, n), (n,).
        residual: (g, n, m) float64: spread_i (|L[x, i] - l_i[cell_i(x)]| + max_y |R - R^|_i) or more where x is in the
            level group of neuron i, else 0.
        reach: (g, m) upper bounds of L and l over each level group.
        right: (n, m) upper bounds of R and R^.
        constant: the part of the bound that is the same for all pairs: errors of U and b.
        magnitude: sum_i hmax_i max|U^_i| + max|b^|, an upper bound of every factored logit and of every partial sum.
        merge: in which order the families' tables are added.
        pairs: a sharper bound, for single pairs.

    """

    families: tuple[PartitionFamily, ...]
    R: Singles
    U: Singles
    b: Singles
    residual: Floats
    reach: Floats
    right: Floats
    constant: float
    magnitude: float
    merge: MergePlan
    pairs: PairSlack

    @property
    def rounding(self) -> float:
        """Upper bound of |computed - exact| entry of the families' float32 tables, summed over the families.

        An entry is a sum of k products of a rounded sum: chains of k + 1 roundings, and one more for the bias.
        """
        longest = max((len(family.neurons) for family in self.families), default=0) + 2
        floor = (self.R.shape[1] + 1) * TINY32 * (1.0 + float(np.abs(self.U).max(initial=0.0)))
        return float(gamma(longest, U32) * self.magnitude + floor) * INFLATE

    def slack(self, ys: Indices) -> Floats:
        """(len(ys), n) upper bound of |margin - exact factored margin| at (x, y) for every z."""
        groups, n, m = self.residual.shape
        active = (self.reach[None] + self.right[ys][:, None, :] > 0).astype(np.float64)
        bound = active.reshape(len(ys), groups * m) @ self.residual.transpose(0, 2, 1).reshape(groups * m, n)
        return np.asarray(bound * INFLATE + self.constant)


def factorise(weights: Weights, partitions: Sequence[Partition | None], groups: int = 1) -> Factorisation:
    """The factored network in which neuron i reads x through ``partitions[i]``; None leaves the neuron out.

    Levels are the means of L over the cells. A neuron that is left out enters the bounds with all that it can do.
    Complexity: O(n m groups) and the merge plan.
    """
    grouped: dict[int, list[int]] = {}
    by_id = {id(partition): partition for partition in partitions if partition is not None}
    for i, partition in enumerate(partitions):
        if partition is not None:
            grouped.setdefault(id(partition), []).append(i)
    families = tuple(_family(weights, by_id[key], np.array(neurons)) for key, neurons in grouped.items())
    centre = ((weights.U.max(axis=1) + weights.U.min(axis=1)) / 2).astype(np.float32)
    R, U, b = (array.astype(np.float32) for array in (weights.R, weights.U - centre[:, None], weights.b))
    left = np.full(weights.L.shape, -np.inf)  # a neuron left out counts as relu(-inf) = 0
    for family in families:
        left[:, family.neurons] = family.levels[family.partition.labels]
    right = np.maximum(np.nextafter(weights.R + weights.R_error, np.inf), R)
    above = np.maximum(np.nextafter(weights.L + weights.L_error, np.inf), left)
    hidden = np.maximum(above.max(axis=0) + right.max(axis=0), 0) * INFLATE
    residual, reach = _by_level(_residual(weights, left, R, U, hidden), left, above, groups)
    constant = _constant(weights, U, centre, b, hidden)
    magnitude = float(hidden @ np.abs(U).max(axis=1).astype(np.float64) + np.abs(b).max()) * INFLATE
    merge = merge_plan([family.partition for family in families])
    pairs = slack_of_pairs(weights, left, U, hidden, constant)
    return Factorisation(families, R, U, b, residual, reach, right, constant, magnitude, merge, pairs)


def _family(weights: Weights, partition: Partition, neurons: Indices) -> PartitionFamily:
    sums = np.zeros((partition.count, len(neurons)))
    np.add.at(sums, partition.labels, weights.L[:, neurons])
    sizes = np.bincount(partition.labels, minlength=partition.count)
    return PartitionFamily(partition, neurons, (sums / sizes[:, None]).astype(np.float32))


def _spread(U: Singles) -> Floats:
    """Row maxima less row minima; float32 extremes subtract in float64 with one rounding."""
    wide = U.astype(np.float64)
    return np.asarray((wide.max(axis=1) - wide.min(axis=1)) * INFLATE)


def _residual(weights: Weights, left: Floats, R: Singles, U: Singles, hidden: Floats) -> Floats:
    """Entries of ``Factorisation.residual`` before grouping; for a neuron left out, hidden_i spread_i."""
    out = np.isneginf(left)
    deviation = np.abs(np.where(out, 0.0, weights.L - np.where(out, 0.0, left))) * INFLATE + weights.L_error
    rounding = np.abs(weights.R - R).max(axis=0) * INFLATE + weights.R_error
    return np.asarray(np.where(out, hidden, deviation + rounding) * _spread(U) * INFLATE)


def _by_level(residual: Floats, left: Floats, above: Floats, groups: int) -> tuple[Floats, Floats]:
    """Residuals and reaches by level group: group k holds the x whose level is in the k-th part of them."""
    n, m = residual.shape
    cuts = np.quantile(np.where(np.isneginf(left), 0.0, left), np.arange(1, groups) / groups, axis=0)
    group = (left[None] > cuts[:, None, :]).sum(axis=0) if groups > 1 else np.zeros((n, m), dtype=np.intp)
    member = group[None] == np.arange(groups)[:, None, None]
    reach = np.where(member, above[None], -np.inf).max(axis=1)
    return np.where(member, residual[None], 0.0), reach


def _constant(weights: Weights, U: Singles, centre: Singles, b: Singles, hidden: Floats) -> float:
    """Errors of the votes and the bias, and a term for float64 roundings in comparing bounds with margins."""
    off = np.abs((weights.U - centre[:, None]) - U).max(axis=1) + 4 * U64 * np.abs(weights.U).max(axis=1)
    votes = float((off * INFLATE + weights.U_error) @ hidden)
    bias = float(np.abs(weights.b - b).max()) * INFLATE + weights.b_error
    largest = float(hidden @ np.abs(U).max(axis=1).astype(np.float64)) + float(np.abs(b).max())
    return (2 * votes + 2 * bias) * INFLATE + 64 * U64 * largest + TINY32
