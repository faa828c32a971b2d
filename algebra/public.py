"""The functions of ``algebra`` for people: subgroups go in and come out, where the modules below take masks.

Elements are numbers in the group's own order (``group.index_of``, ``group.word``); ``algebra.permutations``
turns them into SymPy's.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from algebra.containment import class_lattice, subgroup_lattice
from algebra.coset import Cosets
from algebra.coset import double_cosets as cosets_of_masks
from algebra.coset_space import Side
from algebra.cyclic_extension import search_classes
from algebra.element_table import ElementTable
from algebra.errors import GroupError
from algebra.group import FiniteGroup, parse_generators
from algebra.lattice import subgroups
from algebra.naming import orbits
from algebra.permutation import Images
from algebra.subgroup import Subgroup, closure

if TYPE_CHECKING:
    import networkx as nx

__all__ = [
    "ClassRepresentative",
    "centralizer",
    "conjugacy_classes",
    "cosets",
    "double_cosets",
    "generated_subgroup",
    "lattice_graph",
    "normal_closure",
    "subgroup_classes",
]


@dataclass(frozen=True)
class ClassRepresentative:
    """A subgroup that stands for its class of conjugates.

    Attributes:
        order: number of its elements.
        length: number of its conjugates.
        generators: 0-based image tuples that generate it.
        orbits: its orbits of more than one point, 0-based, longest first.
        residual_order: order of its largest perfect subgroup: 1 for a soluble subgroup, ``order`` for a perfect one.

    """

    order: int
    length: int
    generators: tuple[Images, ...]
    orbits: tuple[tuple[int, ...], ...]
    residual_order: int

    @property
    def soluble(self) -> bool:
        """Whether it is soluble."""
        return self.residual_order == 1

    @property
    def perfect(self) -> bool:
        """Whether it is perfect, as the trivial group is."""
        return self.residual_order == self.order


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


def subgroup_classes(group: FiniteGroup | str) -> tuple[ClassRepresentative, ...]:
    """Every conjugacy class of subgroups, each by one of its members: H and x^-1 H x count once; smallest first, then by length.

    The group is given as such or by its name, which here may be that of one of up to ``algebra.element_table.MOST_ELEMENTS`` elements,
    such as S9. No conjugates are listed, so memory is that of some numbers for each element and class of elements.

    Raises:
        GroupError: the text names no group, or the group has too many elements or classes; the sentence states the limit.

    """
    known = parse_generators(group) if isinstance(group, str) else group
    table = ElementTable(known.name, known.degree, known.generators)
    return tuple(
        ClassRepresentative(
            order=one.order,
            length=table.order // one.normalizer_order,
            generators=tuple(tuple(table.elements[g].tolist()) for g in one.generators),
            orbits=tuple(tuple(orbit) for orbit in orbits(table.elements[one.elements])),
            residual_order=one.residual_order,
        )
        for one in search_classes(table)
    )


def lattice_graph(group: FiniteGroup, single: bool = False) -> "nx.DiGraph[int]":
    """The lattice of subgroups as a directed graph; an edge (a, b) says that a is maximal in b.

    By default nodes are classes of conjugate subgroups, numbered as in ``subgroups(group).classes``, with attributes ``name``,
    ``order`` and ``length`` (number of conjugates); an edge has ``below`` (how many members of a are maximal in one member of b) and
    ``above`` (how many members of b one member of a is maximal in). With ``single``, nodes are subgroups, numbered as in
    ``subgroups(group).all``, with attributes ``label`` and ``order``.
    """
    lattice = subgroups(group)
    return (subgroup_lattice if single else class_lattice)(lattice).copy()
