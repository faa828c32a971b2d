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
from functools import cached_property

import numpy as np

from net.roundoff import INFLATE, TINY32, U32, U64, Floats, Singles, gamma
from net.weights import Weights
from verify.compact.merge import MergePlan, merge_plan
from verify.compact.pair_slack import PairSlack
from verify.compact.partition import Indices, Partition
from verify.compact.readings import Reading, Readings

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
        known: what depends on the weights alone, and the readings.
        readings: one for each neuron.
        R, U, b: float32 (n, m), (m, n), (n,).
        groups: number of level groups.
        hidden: hmax, (m,) upper bounds of the activations.
        constant: the part of the bound that is the same for all pairs: errors of U and b.
        magnitude: sum_i hmax_i max|U^_i| + max|b^|, an upper bound of every factored logit and of every partial sum.
        merge: in which order the families' tables are added.

    """

    families: tuple[PartitionFamily, ...]
    known: Readings
    readings: tuple[Reading, ...]
    R: Singles
    U: Singles
    b: Singles
    groups: int
    hidden: Floats
    constant: float
    magnitude: float
    merge: MergePlan

    @cached_property
    def residual(self) -> Floats:
        """(groups, m, n): spread_i (|L[x, i] - l_i[cell_i(x)]| + max_y |R - R^|_i) or more where x is in that group, else 0."""
        rows = np.stack([reading.residual for reading in self.readings])
        group = np.stack([grouped.group for grouped in self.known.grouped(self.readings, self.groups)])
        return np.where(group == np.arange(self.groups)[:, None, None], rows, 0.0)

    @cached_property
    def reach(self) -> Floats:
        """(groups, m) upper bounds of L and l over each level group."""
        return np.stack([grouped.reach for grouped in self.known.grouped(self.readings, self.groups)], axis=1)

    @cached_property
    def pairs(self) -> PairSlack:
        """A sharper bound, for single pairs."""
        levels = np.stack([reading.left for reading in self.readings], axis=1)
        largest = np.array([reading.most for reading in self.readings])
        return self.known.pairs.slack(levels, largest, self.hidden, self.constant)

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
        groups, m, n = self.residual.shape
        active = (self.reach[None] + self.known.right[ys][:, None, :] > 0).astype(np.float64)
        bound = active.reshape(len(ys), groups * m) @ self.residual.reshape(groups * m, n)
        return np.asarray(bound * INFLATE + self.constant)


def factorise(
    weights: Weights, partitions: Sequence[Partition | None], groups: int = 1, known: Readings | None = None
) -> Factorisation:
    """The factored network in which neuron i reads x through ``partitions[i]``; None leaves the neuron out.

    Levels are the means of L over the cells. A neuron that is left out enters the bounds with all that it can do.
    ``known`` are readings of the same weights, to which new ones are added.
    Complexity: O(m) and the merge plan, and O(n) for each new reading.
    """
    known = known or Readings(weights)
    readings = tuple(known.of(partitions))
    grouped: dict[Partition, list[int]] = {}
    for i, partition in enumerate(partitions):
        if partition is not None:
            grouped.setdefault(partition, []).append(i)
    families = tuple(
        PartitionFamily(partition, np.array(neurons), np.stack([readings[i].levels for i in neurons], axis=1))
        for partition, neurons in grouped.items()
    )
    hidden = np.array([reading.hidden for reading in readings])
    magnitude = float(hidden @ known.largest_votes + np.abs(known.b).max()) * INFLATE
    merge = merge_plan([family.partition for family in families])
    return Factorisation(
        families, known, readings, known.R, known.U, known.b, groups, hidden, _constant(known, hidden), magnitude, merge
    )


def _constant(known: Readings, hidden: Floats) -> float:
    """Errors of the votes and the bias, and a term for float64 roundings in comparing bounds with margins."""
    votes = float(known.votes_error @ hidden)
    largest = float(hidden @ known.largest_votes) + float(np.abs(known.b).max())
    return (2 * votes + 2 * known.bias_error) * INFLATE + 64 * U64 * largest + TINY32
