"""Groups, subgroups and elements as SymPy's permutation groups and permutations, and back.

SymPy's product is this project's: ``p*q`` applies p first. SymPy is imported when one of these functions is called.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from algebra.errors import GroupError
from algebra.group import FiniteGroup, generators_name, group_from_generators, natural_name
from algebra.plural import plural
from algebra.subgroup import Subgroup, closure

if TYPE_CHECKING:
    from sympy.combinatorics import Permutation, PermutationGroup

    from algebra.permutation import Images

__all__ = ["element_number", "from_sympy", "permutation", "permutations", "subgroup_from_sympy", "to_sympy"]


def from_sympy(group: "PermutationGroup") -> FiniteGroup:
    """The same group on the same points; S_n and A_n get these names, every other group that of its generators.

    Raises:
        GroupError: its order or degree is beyond the limits of ``group_from_generators``.

    """
    generators: list[Images] = [tuple(int(image) for image in one.array_form) for one in group.generators]
    degree = int(group.degree) or 1
    found = group_from_generators(generators_name(generators, degree), degree, [images for images in generators if images])
    return FiniteGroup(natural_name(found) or found.name, degree, found.elements, found.generators)


def to_sympy(group: FiniteGroup | Subgroup) -> "PermutationGroup":
    """The group or subgroup as a ``PermutationGroup`` on the same points, from its generators here."""
    from sympy.combinatorics import Permutation, PermutationGroup

    whole = group if isinstance(group, FiniteGroup) else group.group
    rows = group.generators if isinstance(group, FiniteGroup) else whole.elements[list(group.generators)].tolist()
    return PermutationGroup(
        [Permutation(list(images), size=whole.degree) for images in rows] or [Permutation(list(range(whole.degree)))]
    )


def permutation(group: FiniteGroup, element: int) -> "Permutation":
    """The element with this number as a ``Permutation``."""
    from sympy.combinatorics import Permutation

    return Permutation(group.elements[element].tolist(), size=group.degree)


def permutations(group: FiniteGroup, elements: Iterable[int]) -> "list[Permutation]":
    """The elements with these numbers, such as a coset or a class, as ``Permutation`` objects."""
    return [permutation(group, int(element)) for element in elements]


def element_number(group: FiniteGroup, element: "Permutation") -> int:
    """The number of a ``Permutation`` in the group.

    Raises:
        GroupError: it moves a point beyond the group's degree, or is no element of the group.

    """
    if element.size > group.degree and any(element(point) != point for point in range(group.degree, element.size)):
        raise GroupError(f"Expected a permutation of {plural(group.degree, 'point')}, got {element.size}.")
    images = [element(point) if point < element.size else point for point in range(group.degree)]
    return int(group.index_of(np.array(images)))


def subgroup_from_sympy(group: FiniteGroup, members: "PermutationGroup") -> Subgroup:
    """A ``PermutationGroup`` as a subgroup of a group.

    Raises:
        GroupError: a generator is no element of the group.

    """
    return Subgroup(group, closure(group, [element_number(group, one) for one in members.generators]))
