"""Coset spaces as sets of points that the group permutes.

For a subgroup B the right cosets of B are points, and g takes the point Bx to Bxg. A conjugate H of B is the stabiliser of a point w,
and the right coset Hx is then the set of all g that take w where x takes it. A circuit that reads x through Hx sees where x takes w.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from algebra.group import FiniteGroup
from algebra.lattice import subgroups
from algebra.subgroup import Subgroup

Integers = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Points:
    """The right cosets of ``base`` as points; ``parity`` is a homomorphism to {0, 1} that is all 0 when it is not used."""

    group: FiniteGroup
    base: Subgroup
    parity: Integers

    @cached_property
    def name(self) -> str:
        """Name of the base's class of subgroups."""
        return subgroups(self.group).name_of(self.base)

    @cached_property
    def moved(self) -> Integers:
        """moved[p, g] = the point to which g takes p, shape (count, |G|)."""
        cosets = self.base.right_cosets
        return np.asarray(cosets.labels[self.group.mul[cosets.representatives]], dtype=np.intp)

    @property
    def count(self) -> int:
        """How many points there are."""
        return self.base.index

    def point(self, subgroup: Subgroup) -> int | None:
        """The first point whose stabiliser is ``subgroup``, or None when it is no conjugate of the base."""
        if subgroup.order != self.base.order:
            return None
        stabilised = self.moved == np.arange(self.count)[:, None]
        found = np.flatnonzero((stabilised == subgroup.mask).all(axis=1))
        return int(found[0]) if len(found) else None

    @cached_property
    def taking(self) -> Integers:
        """taking[p, q, s] = the least g of parity s that takes p to q, or -1 when there is none."""
        result = np.full((self.count, self.count, 2), -1, dtype=np.intp)
        for g in range(self.group.order - 1, -1, -1):
            result[np.arange(self.count), self.moved[:, g], self.parity[g]] = g
        return result

    @property
    def complete(self) -> bool:
        """Whether elements of every parity that occurs take every point to every other."""
        return bool((self.taking[:, :, : 1 + int(self.parity.max())] >= 0).all())


def parity(group: FiniteGroup) -> Integers:
    """0 for even and 1 for odd permutations, shape (|G|,)."""
    signs = np.asarray(group.parity)
    return np.asarray(signs != signs[0], dtype=np.intp)
