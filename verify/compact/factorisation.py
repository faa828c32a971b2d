"""A network whose neurons read x through the cells of partitions, and how far its margins are from the true network's.

    factored(x, y)[z] = b^[z] + sum_i relu(l_i[cell_i(x)] + R^[y, i]) U^[i, z],        l, R^, U^, b^ float32

For w = xy and any z, with d_i = relu(L + R) - relu(l + R^) and |relu(s) - relu(t)| <= |s - t|,

    margin(x, y, z) - factored margin = sum_i d_i (U^[i, w] - U^[i, z]) + sum_i relu(L + R)((U - U^)[i, w] - (U - U^)[i, z])
                                        + (b - b^)[w] - (b - b^)[z]
    |difference| <= sum over i active at y of (|L[x, i] - l_i[cell_i(x)]| + |R[y, i] - R^[y, i]|) spread_i
                    + 2 sum_i hmax_i |U - U^|_i + 2 |b - b^|

where spread_i = max U^[i] - min U^[i], and i is active at y when some x can make either ReLU positive. Evaluating a factored logit in
float32 errs by at most gamma_k sum_i hmax_i |U^_i|, k the longest chain of roundings behind any entry (verify.compact.rounding).
L, R, U, b are the exact weights: the float64 ones with their error bounds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from net.weights import Weights
from verify.compact.merge import MergePlan, merge_plan
from verify.compact.partition import Indices, Partition
from verify.compact.rounding import INFLATE, TINY32, U32, U64, Floats, Singles, gamma

__all__ = ["Factorisation", "Family", "factorise"]


@dataclass(frozen=True, eq=False)
class Family:
    """The neurons that read x through one partition, with their values (count, k) on its cells."""

    partition: Partition
    neurons: Indices
    levels: Singles


@dataclass(frozen=True, eq=False)
class Factorisation:
    """The factored network of the module's docstring and the bounds that tie it to the true one.

    Attributes:
        families: every live neuron is in exactly one.
        R, U, b: float32 (n, m), (m, n), (n,).
        residual: (n, m) float64, at least |L[x, i] - l_i[cell_i(x)]| + max over y of |R[y, i] - R^[y, i]|, times spread_i.
        reach, right: (m,) and (n, m) upper bounds of L and of R over the true and the factored network: where their sum is not
            positive, neuron i is silent in both at every x.
        constant: the part of the bound that does not depend on the pair: errors of U and b and of float32 arithmetic.
        merge: in which order the families' tables are added.
    """

    families: tuple[Family, ...]
    R: Singles
    U: Singles
    b: Singles
    residual: Floats
    reach: Floats
    right: Floats
    constant: float
    merge: MergePlan

    @property
    def table_rows(self) -> int:
        """Sum over neurons of the number of cells: a table entry per y and z costs that many multiply-adds."""
        return sum(len(family.neurons) * family.partition.count for family in self.families)

    @cached_property
    def always(self) -> Floats:
        """(n,) the bound at x with every neuron taken as active."""
        return np.asarray(self.residual.sum(axis=1) * INFLATE + self.constant)

    def slack(self, ys: Indices) -> Floats:
        """(len(ys), n) upper bound of |margin - computed factored margin| at (x, y) for every z; O(m n) for each y."""
        active = self.reach + self.right[ys] > 0
        return np.asarray((active.astype(np.float64) @ self.residual.T) * INFLATE + self.constant)


def factorise(weights: Weights, partitions: Sequence[Partition | None]) -> Factorisation:
    """The factored network in which neuron i reads x through ``partitions[i]``; None leaves the neuron out.

    Levels are the means of L over the cells. Leaving a neuron out is for dead ones: the bound counts all that it can do.
    Complexity: O(n m) and the merge plan.
    """
    n, m = weights.L.shape
    grouped: dict[int, list[int]] = {}
    by_id = {id(partition): partition for partition in partitions if partition is not None}
    for i, partition in enumerate(partitions):
        if partition is not None:
            grouped.setdefault(id(partition), []).append(i)
    families = tuple(_family(weights, by_id[key], np.array(neurons)) for key, neurons in grouped.items())
    R, U, b = (array.astype(np.float32) for array in (weights.R, weights.U, weights.b))
    left = np.full((n, m), -np.inf)  # a neuron left out counts as relu(-inf) = 0
    for family in families:
        left[:, family.neurons] = family.levels[family.partition.labels]
    merge = merge_plan([family.partition for family in families])
    reach = np.maximum((weights.L + weights.L_error).max(axis=0), left.max(axis=0))
    reach = np.nextafter(reach, np.inf)
    right = np.maximum(np.nextafter(weights.R + weights.R_error, np.inf), R)
    hidden = np.maximum(reach + right.max(axis=0), 0) * INFLATE
    residual = _residual(weights, left, R, U, hidden)
    chain = max((len(family.neurons) for family in families), default=0) + len(families) + 4
    constant = _constant(weights, U, b, hidden, chain)
    return Factorisation(families, R, U, b, residual, reach, right, constant, merge)


def _family(weights: Weights, partition: Partition, neurons: Indices) -> Family:
    sums = np.zeros((partition.count, len(neurons)))
    np.add.at(sums, partition.labels, weights.L[:, neurons])
    sizes = np.bincount(partition.labels, minlength=partition.count)
    return Family(partition, neurons, (sums / sizes[:, None]).astype(np.float32))


def _spread(U: Singles) -> Floats:
    """max - min of each row; float32 extremes subtract in float64 with one rounding."""
    wide = U.astype(np.float64)
    return np.asarray((wide.max(axis=1) - wide.min(axis=1)) * INFLATE)


def _residual(weights: Weights, left: Floats, R: Singles, U: Singles, hidden: Floats) -> Floats:
    """See Factorisation.residual; for a neuron left out, all that it can contribute: hidden_i spread_i."""
    out = np.isneginf(left)
    deviation = np.abs(np.where(out, 0.0, weights.L - np.where(out, 0.0, left))) * INFLATE + weights.L_error
    rounding = np.abs(weights.R - R).max(axis=0) * INFLATE + weights.R_error
    return np.asarray(np.where(out, hidden, deviation + rounding) * _spread(U) * INFLATE)


def _constant(weights: Weights, U: Singles, b: Singles, hidden: Floats, chain: int) -> float:
    """Errors of the votes and the bias, and of two computed logits, each a chain of that many roundings."""
    votes = (np.abs(weights.U - U).max(axis=1) * INFLATE + weights.U_error) @ hidden
    bias = np.abs(weights.b - b).max() * INFLATE + weights.b_error
    magnitude = hidden @ np.abs(U).max(axis=1).astype(np.float64) + float(np.abs(b).max())
    floor = (len(hidden) + 1) * TINY32 * (1 + float(np.abs(U).max(initial=0)))
    rounding = gamma(chain, U32) * magnitude + floor
    return float((2 * votes + 2 * bias + 2 * rounding) * INFLATE + 8 * U64 * magnitude)
