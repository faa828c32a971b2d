"""Right, left and double cosets of subgroups as label arrays.

For a subgroup H of G, ``Hx = {hx}`` is a right coset, ``xH`` a left coset, and ``HzK`` a double coset of H
and K. With the product "first, then" the right cosets of a point stabiliser say where that point goes, the
left cosets where it comes from. Cosets are numbered by their least element, so coset 0 holds the identity.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from algebra.errors import GroupError
from algebra.group import FiniteGroup

__all__ = ["Cosets", "double_cosets", "left_cosets", "right_cosets"]

#: Subgroups above this order have few enough cosets for one step of Python each to be the faster way
#: (measured).
_SWEEP_FROM = 128


@dataclass(frozen=True, eq=False)
class Cosets:
    """A partition of a group into cosets.

    Attributes:
        labels: (order,) number of the coset of each element.
        count: how many cosets there are.
        representatives: (count,) least element of each coset, rising.

    """

    labels: NDArray[np.intp]
    count: int
    representatives: NDArray[np.intp]

    @cached_property
    def sets(self) -> tuple[NDArray[np.intp], ...]:
        """Rising numbers of the elements of each coset."""
        return tuple(np.split(np.argsort(self.labels, kind="stable"), np.cumsum(self.sizes)[:-1]))

    @cached_property
    def sizes(self) -> NDArray[np.intp]:
        """(count,) number of elements of each coset."""
        return np.bincount(self.labels, minlength=self.count)


def _from_least(least: NDArray[np.integer]) -> Cosets:
    """Cosets from the least element of the coset of each element; GroupError where that is no partition."""
    if (least[least] != least).any():
        raise GroupError("Expected the membership mask of a subgroup, got a set whose cosets overlap.")
    representatives = np.flatnonzero(least == np.arange(len(least)))
    number = np.empty(len(least), dtype=np.intp)
    number[representatives] = np.arange(len(representatives))
    labels = number[least]
    for array in (labels, representatives):
        array.setflags(write=False)
    return Cosets(labels, len(representatives), representatives)


def _swept(order: int, coset: Callable[[int], NDArray[np.integer]]) -> Cosets:
    """Cosets one after the other, each from the least element that no coset before holds."""
    least = np.full(order, -1, dtype=np.intp)
    while least[free := int((least < 0).argmax())] < 0:
        least[coset(free)] = free
    return _from_least(least)


def right_cosets(group: FiniteGroup, mask: NDArray[np.bool_]) -> Cosets:
    """Right cosets ``Hx`` of the subgroup with the membership ``mask``; at most O(|G||H|)."""
    inside = np.flatnonzero(mask)
    if len(inside) > _SWEEP_FROM:
        return _swept(group.order, lambda x: group.mul[inside, x])
    return _from_least(group.mul[inside].min(axis=0))


def left_cosets(group: FiniteGroup, mask: NDArray[np.bool_]) -> Cosets:
    """Left cosets ``xH`` of the subgroup with the membership ``mask``; at most O(|G||H|)."""
    inside = np.flatnonzero(mask)
    if len(inside) > _SWEEP_FROM:
        return _swept(group.order, lambda x: group.mul[x, inside])
    return _from_least(group.mul[:, inside].min(axis=1))


def double_cosets(group: FiniteGroup, mask_h: NDArray[np.bool_], mask_k: NDArray[np.bool_]) -> Cosets:
    """Double cosets ``HzK``, each the union of the right cosets ``Hzk``; O(|G|(|H| + |K|)).

    Their sizes are counted another way too, |HzK| = |H||K| / |z^-1 H z n K|, which must give the same and add up to |G|.

    Raises:
        GroupError: they do not, because one of the masks is not that of a subgroup.

    """
    right = right_cosets(group, mask_h)
    least_in_right_coset = right.representatives[right.labels]
    found = _from_least(least_in_right_coset[group.mul[:, np.flatnonzero(mask_k)]].min(axis=1))
    inside = np.flatnonzero(mask_h)
    meets = mask_k[group.conjugate(inside, found.representatives[:, None])].sum(axis=1)
    sizes, left_over = np.divmod(len(inside) * np.count_nonzero(mask_k), np.maximum(meets, 1))
    if sizes.sum() != group.order or left_over.any() or not np.array_equal(sizes, found.sizes):
        raise GroupError(
            f"Expected double cosets of two subgroups of {group.name}, whose sizes add up to {group.order:,}, got sizes that don't: "
            f"one of the two sets is not a subgroup."
        )
    return found
