"""Partitions of a group: what a family of neurons may be constant on.

The factored proof never uses that its partitions are cosets: any labelling of the elements will do, and
cosets are only where good ones come from. So partitions are kept as label arrays and everything downstream
works for right cosets, left cosets, kernels of characters and single elements alike.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from algebra.coset_space import CosetSpace, Side
from algebra.group import FiniteGroup
from algebra.lattice import subgroups
from verify.memory import kept

Indices = npt.NDArray[np.intp]

__all__ = ["Partition", "Refinement", "coset_partition", "refine", "singletons"]


@dataclass(frozen=True, eq=False)
class Partition:
    """The cells {x: labels[x] = c}, c = 0 .. count - 1, none of them empty.

    ``space`` says whose cosets they are; None for single elements and for refinements.
    """

    name: str
    labels: Indices
    count: int
    space: CosetSpace | None = None


@dataclass(frozen=True, eq=False)
class Refinement:
    """The common refinement of two partitions: cell c lies in cells ``first[c]`` and ``second[c]`` of them."""

    partition: Partition
    first: Indices
    second: Indices


def singletons(order: int) -> Partition:
    """Every element by itself: the partition of a neuron without structure."""
    return Partition("elements", np.arange(order), order)


def coset_partition(group: FiniteGroup, subgroup: int, side: Side) -> Partition:
    """Right cosets Hx or left cosets xH of the group's subgroup with this number."""
    space = CosetSpace(subgroups(group).all[subgroup], side)
    return Partition(f"{side} #{subgroup}", space.labels, space.count, space)


@kept(4096)
def refine(one: Partition, other: Partition) -> Refinement:
    """The common refinement, in O(|G| + product of the counts) steps; plans ask for the same ones again and again."""
    keys = one.labels * other.count + other.labels
    used = np.zeros(one.count * other.count, dtype=bool)
    used[keys] = True
    cells = np.flatnonzero(used)
    number = np.cumsum(used) - 1
    merged = Partition(f"({one.name} & {other.name})", number[keys], len(cells))
    return Refinement(merged, cells // other.count, cells % other.count)
