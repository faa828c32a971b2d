"""Single subgroups: membership, generators, cosets, normalizer, core, closure."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from algebra.coset import Cosets, left_cosets, right_cosets
from algebra.errors import GroupError
from algebra.group import FiniteGroup
from algebra.plural import plural

__all__ = ["Subgroup", "closure", "core_mask", "derived_mask", "generating", "normalizer_mask", "subgroup"]


@dataclass(frozen=True, eq=False)
class Subgroup:
    """A subgroup, given by its membership mask.

    Attributes:
        group: the group that it lies in.
        mask: (order of the group,) membership of each element.

    """

    group: FiniteGroup
    mask: NDArray[np.bool_]

    def __repr__(self) -> str:
        return f"Subgroup(of {self.group.name}, order {self.order})"

    @cached_property
    def elements(self) -> NDArray[np.intp]:
        """Numbers of its elements, rising."""
        return np.flatnonzero(self.mask)

    @cached_property
    def order(self) -> int:
        """Number of its elements."""
        return int(np.count_nonzero(self.mask))

    @property
    def index(self) -> int:
        """[G:H], the number of its right cosets."""
        return self.group.order // self.order

    @cached_property
    def generators(self) -> tuple[int, ...]:
        """Numbers of elements that generate it: each the first one outside what those before generate."""
        return generating(self.group, self.mask)

    @cached_property
    def right_cosets(self) -> Cosets:
        """Its right cosets Hx."""
        return right_cosets(self.group, self.mask)

    @cached_property
    def left_cosets(self) -> Cosets:
        """Its left cosets xH."""
        return left_cosets(self.group, self.mask)


def subgroup(group: FiniteGroup, generators: Iterable[int]) -> Subgroup:
    """The subgroup that the elements with these numbers generate."""
    return Subgroup(group, closure(group, generators))


def generating(group: FiniteGroup, mask: NDArray[np.bool_]) -> tuple[int, ...]:
    """Elements that generate the subgroup: each the first one outside what those before generate."""
    found: list[int] = []
    generated = np.zeros(group.order, dtype=bool)
    generated[0] = True
    while (missing := mask & ~generated).any():
        found.append(int(missing.argmax()))
        generated = closure(group, found)
    return tuple(found)


def closure(group: FiniteGroup, generators: Iterable[int]) -> NDArray[np.bool_]:
    """(order,) membership of the subgroup that the elements generate.

    Breadth first from the identity: each round multiplies the newest elements by the generators. A finite set
    that is closed under right multiplication by the generators and holds the identity is the subgroup.
    """
    images = np.fromiter(generators, dtype=np.intp)
    mask = np.zeros(group.order, dtype=bool)
    mask[0] = True
    newest = np.zeros(1, dtype=np.intp)
    while len(newest) and len(images):
        reached = np.zeros(group.order, dtype=bool)
        reached[group.mul[newest[:, None], images]] = True
        reached &= ~mask
        mask |= reached
        newest = np.flatnonzero(reached)
    return mask


def normalizer_mask(group: FiniteGroup, mask: NDArray[np.bool_], generators: Iterable[int]) -> NDArray[np.bool_]:
    """(order,) elements x with x^-1 H x = H; it is enough to look at generators of H."""
    inside = np.ones(group.order, dtype=bool)
    everything = np.arange(group.order)
    for generator in generators:
        inside &= mask[group.conjugate(generator, everything)]
    return inside


def core_mask(group: FiniteGroup, members: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(order,) the core of H: the intersection of its conjugates, whose masks are the rows of ``members``."""
    if members.shape[-1] != group.order:
        raise GroupError(f"Expected masks of {plural(group.order, 'entry', 'entries')}, got {members.shape[-1]}.")
    return np.asarray(members.all(axis=0))


def derived_mask(group: FiniteGroup, mask: NDArray[np.bool_], generators: Iterable[int]) -> NDArray[np.bool_]:
    """(order,) the derived subgroup H': the normal closure in H of the commutators of generators of H."""
    images = np.fromiter(generators, dtype=np.intp)
    pairs = group.mul[group.mul[group.inv[images][:, None], group.inv[images]], group.mul[images[:, None], images]]
    elements = np.flatnonzero(mask)
    return closure(group, np.unique(group.conjugate(np.unique(pairs)[:, None], elements)))
