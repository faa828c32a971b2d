"""One neuron read through one partition: what factorisations are put together from, computed once for all plans of a search.

Everything in the bounds of `verify.compact.factorisation` is a column for each neuron, and a column depends on the weights and on the
partition of its own neuron alone. A search tries the same neuron with the same partition in plan after plan.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from net.roundoff import INFLATE, U64, Floats, Singles
from net.weights import Weights
from verify.compact.pair_slack import PairSlacks
from verify.compact.partition import Indices, Partition

__all__ = ["Reading", "Readings"]


@dataclass(frozen=True, eq=False)
class Reading:
    """Neuron i with values l_i on the cells of a partition of x, or left out; letters as in `verify.compact.factorisation`.

    Attributes:
        levels: (cells,) float32 means of L over the cells; nothing for a neuron left out.
        left: (n,) the level at every x; -inf for a neuron left out, which counts as relu(-inf) = 0.
        most: the largest |level|, 0 for a neuron left out.
        above: (n,) upper bounds of L and l.
        hidden: upper bound of the activation.
        residual: (n,) spread_i (|L[x, i] - l_i| + max_y |R - R^|_i) or more; hidden spread_i for a neuron left out.

    """

    levels: Singles
    left: Singles
    most: float
    above: Floats
    hidden: float
    residual: Floats


@dataclass(frozen=True, eq=False)
class Grouped:
    """A reading by level groups: the group of every x (n,), and upper bounds of L and l over each group (groups,)."""

    group: Indices
    reach: Floats


class Readings:
    """What is known of a network that reads x through partitions: of its weights alone, and each reading that was asked for.

    Attributes:
        weights: the exact ones.
        R, U, b: float32 (n, m), (m, n), (n,); U are the votes less the middle of each neuron's range.
        right: (n, m) upper bounds of R and R^.
        largest_votes: (m,) the largest |U^_i|.
        votes_error, bias_error: upper bounds of |U - U^|_i, (m,), and of |b - b^|.

    """

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        centre = ((weights.U.max(axis=1) + weights.U.min(axis=1)) / 2).astype(np.float32)
        self.R, self.U, self.b = (part.astype(np.float32) for part in (weights.R, weights.U - centre[:, None], weights.b))
        self.right: Floats = np.maximum(np.nextafter(weights.R + weights.R_error, np.inf), self.R)
        self.largest_votes: Floats = np.abs(self.U).max(axis=1).astype(np.float64)
        off = np.abs((weights.U - centre[:, None]) - self.U).max(axis=1) + 4 * U64 * np.abs(weights.U).max(axis=1)
        self.votes_error: Floats = off * INFLATE + weights.U_error
        self.bias_error = float(np.abs(weights.b - self.b).max()) * INFLATE + weights.b_error
        self._L: Floats = np.ascontiguousarray(weights.L.T)
        self._above: Floats = np.nextafter(self._L + weights.L_error[:, None], np.inf)
        self._rounding: Floats = np.abs(weights.R - self.R).max(axis=0) * INFLATE + weights.R_error
        self._known: dict[tuple[int, Partition | None], Reading] = {}
        self._grouped: dict[tuple[Reading, int], Grouped] = {}
        self._deviations: dict[tuple[int, Partition], float] = {}

    @cached_property
    def pairs(self) -> PairSlacks:
        """What the slack of single pairs takes from the weights."""
        return PairSlacks(self.weights, self.U)

    @cached_property
    def spread(self) -> Floats:
        """(m,) row maxima of U less row minima; float32 extremes subtract in float64 with one rounding."""
        wide = self.U.astype(np.float64)
        return np.asarray((wide.max(axis=1) - wide.min(axis=1)) * INFLATE)

    def of(self, partitions: Sequence[Partition | None]) -> list[Reading]:
        """Neuron i read through ``partitions[i]``, for every i; None leaves it out."""
        missing: dict[Partition | None, list[int]] = {}
        for i, partition in enumerate(partitions):
            if (i, partition) not in self._known:
                missing.setdefault(partition, []).append(i)
        for partition, neurons in missing.items():
            made = self._left_out(neurons) if partition is None else self._read(np.array(neurons), partition)
            self._known |= {(i, partition): reading for i, reading in zip(neurons, made, strict=True)}
        return [self._known[i, partition] for i, partition in enumerate(partitions)]

    def grouped(self, readings: Sequence[Reading], groups: int) -> list[Grouped]:
        """The x of each reading in so many groups of rising level: group k holds those in the k-th part of all."""
        missing = [reading for reading in dict.fromkeys(readings) if (reading, groups) not in self._grouped]
        if missing:
            left = np.stack([reading.left for reading in missing])
            above = np.stack([reading.above for reading in missing])
            cuts = np.quantile(np.where(np.isneginf(left), 0.0, left), np.arange(1, groups) / groups, axis=1)
            group: Indices = (left > cuts[:, :, None]).sum(axis=0, dtype=np.intp)
            member = group == np.arange(groups)[:, None, None]
            reach = np.where(member, above, -np.inf).max(axis=2)
            for k, reading in enumerate(missing):
                self._grouped[reading, groups] = Grouped(group[k], reach[:, k])
        return [self._grouped[reading, groups] for reading in readings]

    def forget_all_but(self, readings: Sequence[Reading]) -> None:
        """Keep these readings alone."""
        kept = set(readings)
        self._known = {key: reading for key, reading in self._known.items() if reading in kept}
        self._grouped = {key: grouped for key, grouped in self._grouped.items() if key[0] in kept}
        self._deviations.clear()

    def deviations(self, partition: Partition, neurons: Indices) -> Floats:
        """Mean over x of |L - mean of L over the cell|, for each of these neurons."""
        missing = [i for i in neurons.tolist() if (i, partition) not in self._deviations]
        if missing:
            rows = self._L[missing]
            found = np.abs(rows - _means(rows, partition)[:, partition.labels]).mean(axis=1)
            self._deviations |= {(i, partition): value for i, value in zip(missing, found.tolist(), strict=True)}
        return np.array([self._deviations[i, partition] for i in neurons.tolist()])

    def _read(self, neurons: Indices, partition: Partition) -> list[Reading]:
        """These neurons through one partition."""
        rows = self._L[neurons]
        levels = _means(rows, partition).astype(np.float32)
        left = levels[:, partition.labels]
        above = np.maximum(self._above[neurons], left)
        hidden = np.maximum(above.max(axis=1) + self.right.max(axis=0)[neurons], 0) * INFLATE
        deviation = np.abs(rows - left) * INFLATE + self.weights.L_error[neurons, None]
        residual = (deviation + self._rounding[neurons, None]) * self.spread[neurons, None] * INFLATE
        most = np.abs(levels).max(axis=1)
        columns = zip(levels, left, most.tolist(), above, hidden.tolist(), residual, strict=True)
        return [Reading(*column) for column in columns]

    def _left_out(self, neurons: list[int]) -> list[Reading]:
        """These neurons left out: they enter the bounds with all that they can do."""
        above, order = self._above[neurons], self.weights.order
        hidden = np.maximum(above.max(axis=1) + self.right.max(axis=0)[neurons], 0) * INFLATE
        none, out = np.zeros(0, dtype=np.float32), np.full(order, -np.inf, dtype=np.float32)
        lost = hidden * self.spread[neurons] * INFLATE
        return [
            Reading(none, out, 0.0, row, float(most), np.full(order, loss)) for row, most, loss in zip(above, hidden, lost, strict=True)
        ]


def _means(rows: Floats, partition: Partition) -> Floats:
    """(k, cells) means of rows (k, n) over the cells; sums run in the order of the elements."""
    cells = partition.labels + partition.count * np.arange(len(rows))[:, None]
    sums = np.bincount(cells.ravel(), rows.ravel(), minlength=len(rows) * partition.count).reshape(len(rows), -1)
    return np.asarray(sums / np.bincount(partition.labels, minlength=partition.count))
