"""Which partitions each neuron could be read through: for every index the best subgroup, on either side.

Search, not proof: float64 energies decide nothing but which partitions are tried.
"""

from functools import lru_cache

import numpy as np

from algebra.coset_space import Side
from algebra.group import FiniteGroup
from algebra.lattice import subgroups
from net.roundoff import Floats
from verify.compact.partition import Indices, Partition, coset_partition, singletons
from verify.compact.settings import CompactSettings
from verify.distil.coset_fit import autocorrelation, captured_energy
from verify.memory import kept

__all__ = ["candidate_partitions"]


@kept(4096)
def _coset_partition(group: FiniteGroup, subgroup: int, side: Side) -> Partition:
    return coset_partition(group, subgroup, side)


@lru_cache(maxsize=16)
def _singletons(group: FiniteGroup) -> Partition:
    return singletons(group.order)


def candidate_partitions(
    group: FiniteGroup, functions: Floats, better: float = CompactSettings().better
) -> list[tuple[Partition, ...]]:
    """Partitions of rising count and falling residual for each column of ``functions`` (n, m); singletons last.

    Each leaves at most the share ``better`` of what the one before it leaves.

    Complexity: O(n^2 m) for the autocorrelations and one matrix product with the subgroups' masks for each
    side.
    """
    functions = np.ascontiguousarray(functions)
    lattice = subgroups(group)
    counts = group.order // lattice.orders
    total = (functions**2).sum(axis=0)
    sides: tuple[Side, Side] = ("right", "left")
    captured = [captured_energy(lattice.masks, autocorrelation(group, functions, side)) for side in sides]
    residual = [total - part for part in captured]
    result = []
    for i in range(functions.shape[1]):
        chosen = _pareto(group, counts, [side[:, i] for side in residual], 1e-12 * float(total[i]), better)
        result.append((*chosen, _singletons(group)))
    return result


def _pareto(group: FiniteGroup, counts: Indices, residual: list[Floats], floor: float, better: float) -> list[Partition]:
    chosen: list[Partition] = []
    best = np.inf
    for count in np.unique(counts)[:-1]:  # the last one is the trivial subgroup
        numbers = np.flatnonzero(counts == count)
        side = int(residual[1][numbers].min() < residual[0][numbers].min() * 0.999)
        number = int(numbers[residual[side][numbers].argmin()])
        left_over = max(float(residual[side][number]), floor)
        if left_over < better * best:
            chosen.append(_coset_partition(group, number, "left" if side else "right"))
            best = left_over
    return chosen
