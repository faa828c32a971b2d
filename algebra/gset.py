"""Transitive G-sets: the right cosets of a subgroup as points that the group permutes.

For a subgroup B the point Bx goes to Bxg under g. Points are numbered by their least elements, so point 0 is B itself and B is its
stabiliser. A conjugate H = x^-1 B x is the stabiliser of the point Bx, and the right coset Hy is then the set of all g that take the
point of H where y takes it.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from algebra.group import FiniteGroup
from algebra.subgroup import Subgroup

__all__ = ["GSet"]


@dataclass(frozen=True, eq=False)
class GSet:
    """The group's action on the right cosets of ``base``.

    Attributes:
        base: stabiliser of point 0.

    """

    base: Subgroup

    @property
    def group(self) -> FiniteGroup:
        """The group that acts."""
        return self.base.group

    @property
    def count(self) -> int:
        """How many points there are."""
        return self.base.index

    @cached_property
    def moved(self) -> NDArray[np.intp]:
        """(count, order) the point ``moved[p, g]`` to which g takes p; ``moved[moved[p, x], y] == moved[p, xy]``."""
        cosets = self.base.right_cosets
        table = np.asarray(cosets.labels[self.group.mul[cosets.representatives]], dtype=np.intp)
        table.setflags(write=False)
        return table

    @cached_property
    def marks(self) -> NDArray[np.intp]:
        """(order,) how many points each element fixes: the permutation character."""
        return np.asarray((self.moved == np.arange(self.count)[:, None]).sum(axis=0), dtype=np.intp)

    def stabiliser(self, point: int) -> Subgroup:
        """The subgroup of the elements that fix a point."""
        return Subgroup(self.group, self.moved[point] == point)

    def fixed_points(self, subgroup: Subgroup) -> NDArray[np.intp]:
        """The points that every element of a subgroup fixes, rising; their number is the subgroup's mark."""
        generators = list(subgroup.generators)
        return np.flatnonzero((self.moved[:, generators] == np.arange(self.count)[:, None]).all(axis=1))

    def point(self, subgroup: Subgroup) -> int | None:
        """The first point whose stabiliser is ``subgroup``, None if it is no conjugate of the base."""
        if subgroup.order != self.base.order:
            return None
        fixed = self.fixed_points(subgroup)
        return int(fixed[0]) if len(fixed) else None

    def transporter(self, start: int, end: int) -> NDArray[np.intp]:
        """The elements that take one point to another, rising: a right coset of the stabiliser of ``start``."""
        return np.flatnonzero(self.moved[start] == end)

    def least_transporters(self, bits: NDArray[np.integer] | None = None) -> NDArray[np.intp]:
        """(count, count, number of bits) least g with bit s that takes p to q, at [p, q, s]; -1 where there is none.

        ``bits`` (order,) gives each element a number 0, 1, ..., such as its parity; without it there is one bit 0.
        Complexity: O(count |G|).
        """
        order = self.group.order
        given = np.zeros(order, dtype=np.intp) if bits is None else np.asarray(bits, dtype=np.intp)
        found = np.full((self.count, self.count, int(given.max()) + 1), -1, dtype=np.intp)
        points = np.arange(self.count)
        for g in range(order - 1, -1, -1):
            found[points, self.moved[:, g], given[g]] = g
        return found
