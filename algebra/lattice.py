"""All subgroups of a group, their conjugacy classes, and their names."""

from dataclasses import dataclass
from functools import cached_property, lru_cache

from algebra.errors import GroupError
from algebra.group import FiniteGroup
from algebra.naming import class_names, conjugate_marks
from algebra.plural import plural
from algebra.subgroup import Subgroup
from algebra.unnamed_lattice import ConjugacyClass, UnnamedLattice, unnamed_lattice

__all__ = ["SubgroupClass", "SubgroupLattice", "subgroups"]


@dataclass(frozen=True, eq=False)
class SubgroupClass(ConjugacyClass):
    """A conjugacy class of subgroups with its name."""

    lattice: "SubgroupLattice"

    def __repr__(self) -> str:
        return f"SubgroupClass({self.name} of {self.lattice.group.name}, {plural(self.length, 'conjugate')})"

    @property
    def name(self) -> str:
        """Its name, which no other class of the group has."""
        return self.lattice.names[self.number]


class SubgroupLattice(UnnamedLattice):
    """Every subgroup of a group, with names; numbers are those of ``UnnamedLattice``."""

    classes: tuple[SubgroupClass, ...]

    def __init__(self, unnamed: UnnamedLattice) -> None:
        self.group, self.masks, self.generators, self.class_of = unnamed.group, unnamed.masks, unnamed.generators, unnamed.class_of
        self.complete = unnamed.complete
        self.classes = tuple(SubgroupClass(self, one.number, one.members) for one in unnamed.classes)

    def __repr__(self) -> str:
        listed = "" if self.complete else " listed of more"
        counts = f"{plural(len(self), 'subgroup')} in {plural(len(self.classes), 'class', 'classes')}"
        return f"SubgroupLattice({self.group.name}: {counts}{listed})"

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Name of each class."""
        return class_names(self)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Label of each subgroup: the class name and what tells it from its conjugates."""
        return tuple(self.names[one.number] + mark for one in self.classes for mark in conjugate_marks(one))

    @cached_property
    def _index_of_name(self) -> dict[str, int]:
        first = {one.name: int(one.members[0]) for one in self.classes}
        return first | {label: index for index, label in enumerate(self.labels)}

    def name_of(self, subgroup: Subgroup) -> str:
        """Name of the class of a subgroup, such as ``S4``.

        Raises:
            GroupError: it is no subgroup of the group.

        """
        return self.names[int(self.class_of[self.find(subgroup.mask)])]

    def label_of(self, subgroup: Subgroup) -> str:
        """Label of a subgroup.

        Raises:
            GroupError: it is no subgroup of the group.

        """
        return self.labels[self.find(subgroup.mask)]

    def by_name(self, name: str) -> Subgroup:
        """The subgroup with this label (``S4 fixing 5``), or the representative of the class of this name (``S4``).

        Raises:
            GroupError: there is none.

        """
        index = self._index_of_name.get(" ".join(name.split()))
        if index is None:
            known = ", ".join(self.names[:60]) + (", ..." if len(self.names) > 60 else "")
            raise GroupError(f"Expected a subgroup of {self.group.name} out of {known}, got {name!r}.")
        return self.all[index]


@lru_cache(maxsize=8)
def subgroups(group: FiniteGroup) -> SubgroupLattice:
    """All subgroups of the group; computed once for each group object.

    Where there are more than ``algebra.enumeration.MAX_SUBGROUPS``, ``complete`` is False, and those are there that need no search.
    """
    return SubgroupLattice(unnamed_lattice(group))
