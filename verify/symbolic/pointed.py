"""G-sets with a chosen point: a one-sided coset space as the point that its subgroup fixes.

A subgroup H is the stabiliser of a point of the G-set of its conjugates' cosets, so conjugate subgroups are points of one G-set.
"""

from typing import NamedTuple

from algebra.coset_space import CosetSpace
from verify.symbolic.points import Integers, Points


class Pointed(NamedTuple):
    """A point of a G-set."""

    points: Points
    point: int


class PointedSpaces:
    """The G-sets that a program's coset spaces are read through, each built once for all conjugate subgroups."""

    def __init__(self, parity: Integers, largest: int) -> None:
        """``largest`` is the largest table (points^3 times |G|) of a G-set that is worth building."""
        self._parity, self._largest = parity, largest
        self._known: list[Points] = []

    def of(self, space: CosetSpace) -> Pointed | None:
        """The point through which a function of the space sees its input, up to a twist by the sign; the side plays no part.

        A space twisted by another character than the sign is one of the cosets of its kernel. None where the G-set is too large, or
        where elements of some parity do not take every point to every other.
        """
        subgroup, kernel = space.subgroup, space.kernel
        if kernel is not None and not (kernel.mask == (subgroup.mask & (self._parity == 0))).all():
            subgroup = kernel
        for points in self._known:
            point = points.point(subgroup)
            if point is not None:
                return Pointed(points, point) if points.complete else None
        points = Points(subgroup, self._parity)
        if points.count**3 * points.group.order > self._largest:
            return None
        self._known.append(points)
        found = points.point(subgroup)
        assert found is not None
        return Pointed(points, found) if points.complete else None
