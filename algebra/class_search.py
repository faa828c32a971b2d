"""Classes of conjugate subgroups, one representative each: recognising a subgroup, its normalizer, its class.

Conjugacy is decided by elements. Let a and further elements generate H, and let r be the first element of the class of a, a = t^-1 r t.
If H^x = K then a^x lies in K, so x is in t^-1 C(r) s for an element s with r^s in K: these are few where a is chosen well, and each is
tried on the other generators. Two subgroups are only compared if they have the same *profile*: order, numbers of elements in each
class of the group, and, of those that fix a point, the same for each point.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from algebra.element_table import ElementTable, Numbers
from algebra.errors import GroupError

__all__ = ["MOST_CLASSES", "ClassSearch", "Representative"]

#: Most classes that are looked for: S9 has 554, C2^6 2,825, C2^7 29,212.
MOST_CLASSES = 5_000
#: Subgroups of larger order are compared without their profile.
_MOST_PROFILED = 5_000


@dataclass(eq=False)
class Representative:
    """A subgroup with what is needed to recognise its conjugates.

    Attributes:
        table: the group.
        elements: its elements, rising.
        generators: elements that generate it.
        residual_order: order of its largest perfect subgroup.
        normalizer: (|N : H|, |H|) the right cosets of H in its normalizer N, H first.
        normalizer_order: the order of N.

    """

    table: ElementTable
    elements: Numbers
    generators: tuple[int, ...]
    residual_order: int
    normalizer: Numbers = field(default_factory=lambda: np.zeros((0, 0), dtype=np.intp))
    normalizer_order: int = 0

    @property
    def order(self) -> int:
        """Number of its elements."""
        return len(self.elements)

    @cached_property
    def in_classes(self) -> Numbers:
        """(classes of elements,) how many of its elements lie in each class of the group."""
        return np.bincount(self.table.class_of[self.elements], minlength=len(self.table.class_firsts))

    @cached_property
    def profile(self) -> bytes:
        """What conjugate subgroups have in common: how many elements fix each point, by class, points sorted; none for large ones."""
        if self.order > _MOST_PROFILED:
            return b""
        labels = self.table.class_of[self.elements]
        fixing = self.table.elements[self.elements] == np.arange(self.table.degree, dtype=np.uint8)
        number = len(self.in_classes)
        return b"".join(sorted(np.bincount(labels[column], minlength=number).tobytes() for column in fixing.T))

    @cached_property
    def chosen_class(self) -> int:
        """The class of elements, other than 1, for which |H n class| |C(r)| is least: where conjugating elements are looked for."""
        sizes = self.table.class_sizes
        costs = np.where(self.in_classes > 0, self.in_classes * (self.table.order // sizes), np.iinfo(np.intp).max)
        costs[0] = np.iinfo(np.intp).max
        return int(np.argmin(costs))

    @cached_property
    def in_chosen_class(self) -> Numbers:
        """Its elements in that class, rising."""
        return np.asarray(self.elements[self.table.class_of[self.elements] == self.chosen_class])

    @cached_property
    def movers(self) -> Numbers:
        """t^-1 C(r), where a = t^-1 r t is its first element of the chosen class."""
        table = self.table
        t = int(table.mover[self.in_chosen_class[0]])
        return table.left_times(int(table.inverse[t]), table.centralizer_of_first(self.chosen_class))

    @cached_property
    def tested(self) -> list[tuple[NDArray[np.int32], Numbers]]:
        """For each generator b = u^-1 r u: the conjugates of r, the first element of its class, and u m for each mover m."""
        table, a = self.table, int(self.in_chosen_class[0])
        return [
            (table.conjugates_of_first(int(table.class_of[b])), table.left_times(int(table.mover[b]), self.movers))
            for b in self.generators
            if b != a
        ]


class ClassSearch:
    """The classes of subgroups found so far.

    Attributes:
        table: the group.
        classes: a representative of each, with its normalizer.

    """

    def __init__(self, table: ElementTable) -> None:
        self.table = table
        self.classes: list[Representative] = []
        self._by_classes: dict[bytes, list[Representative]] = defaultdict(list)
        self._inside = np.zeros(table.order, dtype=bool)

    def add(self, elements: Numbers, generators: tuple[int, ...], residual_order: int) -> Representative | None:
        """Record the class of a subgroup; None if it is known.

        Raises:
            GroupError: there are more than ``MOST_CLASSES``.

        """
        found = Representative(self.table, elements, generators, residual_order)
        known = self._by_classes[found.in_classes.tobytes()]
        self._inside[elements] = True
        try:
            if any(one.profile == found.profile and self._conjugate(one, found) for one in known):
                return None
            if len(self.classes) >= MOST_CLASSES:
                raise GroupError(
                    f"Expected a group with at most {MOST_CLASSES:,} classes of subgroups, got {self.table.name} with more."
                )
            found.normalizer = self._normalizer(found)
            found.normalizer_order = found.normalizer.size
        finally:
            self._inside[elements] = False
        known.append(found)
        self.classes.append(found)
        return found

    def _conjugate(self, one: Representative, other: Representative) -> bool:
        """Whether some x takes ``one`` to ``other``, whose elements are marked."""
        if one.order == 1:
            return True
        return any(len(self._taking(one, s)) > 0 for s in self._targets(other))

    def _targets(self, one: Representative) -> list[int]:
        """For each orbit of H on its elements in the chosen class an s that takes the first element of the class into the orbit."""
        table, targets = self.table, []
        left = one.in_chosen_class
        while len(left):
            a = int(left[0])
            targets.append(int(table.mover[a]))
            orbit = table.conjugates(a, one.elements)
            left = left[~np.isin(left, orbit)]
        return targets

    def _taking(self, one: Representative, s: int) -> Numbers:
        """The x in t^-1 C(r) s that take every generator of ``one`` into the marked subgroup."""
        table = self.table
        kept = None
        for conjugates, moved in one.tested:
            xs = table.times(moved if kept is None else moved[kept], s)
            good = self._inside[conjugates[xs]]
            kept = np.flatnonzero(good) if kept is None else kept[good]
            if not len(kept):
                return kept
        return table.times(one.movers if kept is None else one.movers[kept], s)

    def _normalizer(self, one: Representative) -> Numbers:
        """The elements x with H^x = H, as rows of cosets Hx (|N : H|, |H|)."""
        table = self.table
        if one.order in (1, table.order):
            return np.arange(table.order).reshape(-1, one.order)
        found = np.concatenate([self._taking(one, s) for s in self._targets(one)])
        if one.order**2 < len(found):
            least = found
            for h in one.elements.tolist():
                least = np.minimum(least, table.left_times(h, found))
            return table.products(one.elements, np.unique(least)[:, None])
        rows = [one.elements]
        covered = self._inside.copy()
        for x in found.tolist():
            if not covered[x]:
                rows.append(table.times(one.elements, x))
                covered[rows[-1]] = True
        return np.stack(rows)
