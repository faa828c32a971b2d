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

SIDES: tuple[Side, Side] = ("right", "left")


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
    right, left = (total - captured_energy(lattice.masks, autocorrelation(group, functions, side)) for side in SIDES)
    # the last index is that of the trivial subgroup
    best = [_best(np.flatnonzero(counts == count), right, left) for count in np.unique(counts)[:-1]]
    chosen = [_pareto([some[i] for some in best], 1e-12 * float(total[i]), better) for i in range(functions.shape[1])]
    return [(*(_coset_partition(group, *one) for one in some), _singletons(group)) for some in chosen]


def _best(numbers: Indices, right: Floats, left: Floats) -> list[tuple[float, int, Side]]:
    """For each function the least residual among these subgroups, on the left only where that is less by a part in a thousand."""
    found = []
    for at, side in zip((right[numbers], left[numbers]), SIDES, strict=True):
        least = at.argmin(axis=0)
        found.append([(float(at[k, i]), int(numbers[k]), side) for i, k in enumerate(least.tolist())])
    return [other if other[0] < one[0] * 0.999 else one for one, other in zip(*found, strict=True)]


def _pareto(best: list[tuple[float, int, Side]], floor: float, better: float) -> list[tuple[int, Side]]:
    """The subgroups whose residual is at most the share ``better`` of what those before them leave."""
    chosen: list[tuple[int, Side]] = []
    least = np.inf
    for residual, number, side in best:
        left_over = max(residual, floor)
        if left_over < better * least:
            chosen.append((number, side))
            least = left_over
    return chosen
