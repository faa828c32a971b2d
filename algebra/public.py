"""The functions of ``algebra`` for people: subgroups go in and come out, where the modules below take masks.

Elements are numbers in the group's own order (``group.index_of``, ``group.word``); ``algebra.permutations``
turns them into SymPy's.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from algebra.containment import class_lattice, subgroup_lattice
from algebra.coset import Cosets
from algebra.coset import double_cosets as cosets_of_masks
from algebra.coset_space import Side
from algebra.errors import GroupError
from algebra.group import FiniteGroup
from algebra.lattice import subgroups
from algebra.subgroup import Subgroup, closure

if TYPE_CHECKING:
    import networkx as nx

__all__ = [
    "centralizer",
    "conjugacy_classes",
    "cosets",
    "double_cosets",
    "generated_subgroup",
    "lattice_graph",
    "normal_closure",
]


def cosets(subgroup: Subgroup, side: Side = "right") -> Cosets:
    """The right cosets ``Hx`` or the left cosets ``xH`` of a subgroup, numbered by their least elements.

    Raises:
        GroupError: the side is neither "right" nor "left".

    """
    if side not in ("right", "left"):
        raise GroupError(f"Expected the side right or left, got {side!r}.")
    return subgroup.right_cosets if side == "right" else subgroup.left_cosets


def double_cosets(left: Subgroup, right: Subgroup) -> Cosets:
    """The double cosets ``HzK`` of two subgroups of one group, numbered by their least elements.

    Raises:
        GroupError: the two lie in different groups.

    """
    if left.group is not right.group:
        raise GroupError(f"Expected two subgroups of one group, got {left.group.name} and {right.group.name}.")
    return cosets_of_masks(left.group, left.mask, right.mask)


def conjugacy_classes(group: FiniteGroup) -> tuple[NDArray[np.intp], ...]:
    """The conjugacy classes of elements, each as rising numbers of elements, in the order of their least elements."""
    return group.conjugacy_classes


def generated_subgroup(group: FiniteGroup, elements: Iterable[int]) -> Subgroup:
    """The least subgroup that holds the elements with these numbers."""
    return Subgroup(group, closure(group, elements))


def centralizer(group: FiniteGroup, of: Subgroup | int) -> Subgroup:
    """The elements that commute with an element or with every element of a subgroup: ``{x : xg = gx}``.

    It is enough to look at generators. Complexity: O(|G|) for each generator.
    """
    mask = np.ones(group.order, dtype=bool)
    for g in of.generators if isinstance(of, Subgroup) else (of,):
        mask &= group.mul[:, g] == group.mul[g]
    return Subgroup(group, mask)


def normal_closure(group: FiniteGroup, of: Subgroup | int) -> Subgroup:
    """The least normal subgroup that holds an element or a subgroup: all conjugates of generators generate it."""
    generators = np.array(of.generators if isinstance(of, Subgroup) else (of,), dtype=np.intp)
    conjugates = group.conjugate(generators[:, None], np.arange(group.order))
    return Subgroup(group, closure(group, np.unique(conjugates).tolist()))


def lattice_graph(group: FiniteGroup, single: bool = False) -> "nx.DiGraph[Any]":
    """The lattice of subgroups as a directed graph; an edge (a, b) says that a is maximal in b.

    By default nodes are classes of conjugate subgroups, numbered as in ``subgroups(group).classes``, with attributes ``name``,
    ``order`` and ``length`` (number of conjugates); an edge has ``below`` (how many members of a are maximal in one member of b) and
    ``above`` (how many members of b one member of a is maximal in). With ``single``, nodes are subgroups, numbered as in
    ``subgroups(group).all``, with attributes ``label`` and ``order``.
    """
    lattice = subgroups(group)
    return (subgroup_lattice if single else class_lattice)(lattice).copy()
