"""Where a one-sided form sits: the space of points that it reads its input through, and the point that its subgroup fixes."""

from algebra.group import FiniteGroup
from algebra.subgroup import Subgroup
from verify.program.form import Form
from verify.symbolic.points import Integers, Points

Seat = tuple[Points, int]


class Seats:
    """Seats of forms over one program's subgroups, spaces being shared between conjugate subgroups."""

    def __init__(self, group: FiniteGroup, subgroups: tuple[Subgroup, ...], parity: Integers, largest: int) -> None:
        """``largest`` is the largest table (points^3 times |G|) of a space that is worth building."""
        self._group, self._subgroups, self._parity, self._largest = group, subgroups, parity, largest
        self._spaces: list[Points] = []

    def of(self, form: Form) -> Seat | None:
        """The seat of a form on right or left cosets, up to a twist by the sign.

        A form twisted by another character reads the cosets of its kernel. None where the space is too large, or where elements of some
        parity do not take every point to every other.
        """
        subgroup = self._subgroups[form.subgroups[0]]
        kernel = self._subgroups[form.kernels[0]] if form.kernels and form.kernels[0] is not None else None
        if kernel is not None and not (kernel.mask == (subgroup.mask & (self._parity == 0))).all():
            subgroup = kernel
        for space in self._spaces:
            point = space.point(subgroup)
            if point is not None:
                return (space, point) if space.complete else None
        space = Points(subgroup, self._parity)
        if space.count**3 * space.group.order > self._largest:
            return None
        self._spaces.append(space)
        found = space.point(subgroup)
        assert found is not None
        return (space, found) if space.complete else None
