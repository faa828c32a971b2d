"""All subgroups of a group, their conjugacy classes, and look-up by membership or by name."""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from algebra.enumeration import FoundClass, enumerate_classes
from algebra.errors import GroupError
from algebra.naming import class_names, conjugate_marks
from algebra.subgroup import Subgroup, core_mask, normalizer_mask

if TYPE_CHECKING:
    from algebra.group import FiniteGroup

__all__ = ["SubgroupClass", "Subgroups", "subgroups"]


@dataclass(frozen=True, eq=False)
class SubgroupClass:
    """A conjugacy class of subgroups.

    Attributes:
        family: all subgroups of the group.
        number: its place in ``family.classes``.
        members: rising indices into ``family.all`` of its subgroups; consecutive.

    """

    family: "Subgroups"
    number: int
    members: NDArray[np.intp]

    def __repr__(self) -> str:
        return f"SubgroupClass({self.name} of {self.family.group.name}, {self.length} conjugates)"

    @property
    def representative(self) -> Subgroup:
        """Its first member: the one with the lexicographically least list of elements."""
        return self.family.all[int(self.members[0])]

    @property
    def name(self) -> str:
        """Its name, which no other class of the group has."""
        return self.family.names[self.number]

    @property
    def order(self) -> int:
        """Order of each of its subgroups."""
        return self.representative.order

    @property
    def length(self) -> int:
        """Number of conjugates: the index of the normalizer."""
        return len(self.members)

    @cached_property
    def normalizer(self) -> Subgroup:
        """Normalizer in the group of the representative."""
        group, first = self.family.group, self.representative
        return Subgroup(group, normalizer_mask(group, first.mask, first.generators))

    @property
    def normalizer_order(self) -> int:
        """Order of the normalizer of each of its subgroups."""
        return self.family.group.order // self.length

    @cached_property
    def core(self) -> Subgroup:
        """The largest normal subgroup of the group inside its subgroups: their intersection."""
        return Subgroup(self.family.group, core_mask(self.family.group, self.family.masks[self.members]))

    @property
    def core_order(self) -> int:
        """Order of the core."""
        return self.core.order


class Subgroups:
    """Every subgroup of a group.

    Classes are sorted by order, then by number of conjugates, then by the representative's list of
    elements; the members of a class by their lists of elements. The numbering therefore depends on the
    group alone.

    Attributes:
        group: the group.
        masks: (number, order of the group) membership of every element in every subgroup.
        generators: (number, most generators) numbers of elements that generate each subgroup, padded by 0.
        class_of: (number,) number of each subgroup's class.
        classes: the conjugacy classes.

    """

    def __init__(self, group: "FiniteGroup", found: list[FoundClass]) -> None:
        self.group = group
        blocks = sorted(
            (_sorted_members(one) for one in found),
            key=lambda block: (block[1][0].sum(), len(block[1]), [255 - byte for byte in block[0]]),
        )
        lengths = [len(block) for _, block, _ in blocks]
        starts = np.concatenate([[0], np.cumsum(lengths)])
        self.masks: NDArray[np.bool_] = np.concatenate([block for _, block, _ in blocks])
        width = max(images.shape[1] for *_, images in blocks)
        self.generators: NDArray[np.intp] = np.concatenate(
            [np.pad(images, ((0, 0), (0, width - images.shape[1]))) for *_, images in blocks]
        )
        for array in (self.masks, self.generators):
            array.setflags(write=False)
        self.class_of: NDArray[np.intp] = np.repeat(np.arange(len(blocks)), lengths)
        self.classes: tuple[SubgroupClass, ...] = tuple(
            SubgroupClass(self, number, np.arange(starts[number], starts[number + 1])) for number in range(len(blocks))
        )

    def __repr__(self) -> str:
        return f"Subgroups({self.group.name}: {len(self)} in {len(self.classes)} classes)"

    def __len__(self) -> int:
        return len(self.masks)

    @cached_property
    def all(self) -> tuple[Subgroup, ...]:
        """Every subgroup, in the order of ``masks``."""
        return tuple(Subgroup(self.group, mask) for mask in self.masks)

    @cached_property
    def orders(self) -> NDArray[np.intp]:
        """(number,) order of each subgroup."""
        return np.asarray(np.count_nonzero(self.masks, axis=1), dtype=np.intp)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Name of each class."""
        return class_names(self)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Label of each subgroup: the class name and what tells it from its conjugates."""
        return tuple(self.names[one.number] + mark for one in self.classes for mark in conjugate_marks(one))

    @cached_property
    def _index_of_mask(self) -> dict[bytes, int]:
        return {row.tobytes(): index for index, row in enumerate(np.packbits(self.masks, axis=1))}

    @cached_property
    def _index_of_name(self) -> dict[str, int]:
        first = {one.name: int(one.members[0]) for one in self.classes}
        return first | {label: index for index, label in enumerate(self.labels)}

    def inside(self, index: int) -> NDArray[np.bool_]:
        """(number,) which subgroups lie in the subgroup with this index: those whose generators do."""
        return np.asarray(self.masks[index][self.generators].all(axis=1))

    def find(self, mask: NDArray[np.bool_]) -> int:
        """Index of the subgroup with this membership mask.

        Raises:
            GroupError: the mask is not that of a subgroup.

        """
        index = self._index_of_mask.get(np.packbits(np.asarray(mask, dtype=bool)).tobytes())
        if index is None or np.shape(mask) != (self.group.order,):
            raise GroupError(f"Expected the membership mask of a subgroup of {self.group.name}, got none.")
        return index

    def by_name(self, name: str) -> Subgroup:
        """The subgroup with this label (``S4(5)``), or the representative of the class of this name (``S4``).

        Raises:
            GroupError: there is none.

        """
        index = self._index_of_name.get(name.strip())
        if index is None:
            known = ", ".join(self.names[:60]) + (", ..." if len(self.names) > 60 else "")
            raise GroupError(f"Expected a subgroup of {self.group.name} out of {known}, got {name!r}.")
        return self.all[index]


def _sorted_members(found: FoundClass) -> tuple[bytes, NDArray[np.bool_], NDArray[np.intp]]:
    """The first packed mask, and the masks and generators of the members by rising lists of elements.

    The order is that of falling packed masks, whose first bit stands for element 0.
    """
    packed = np.packbits(found.masks, axis=1)
    order = np.argsort(packed.view(f"S{packed.shape[1]}")[:, 0])[::-1]
    return packed[order[0]].tobytes(), found.masks[order], found.generators[order]


@lru_cache(maxsize=8)
def subgroups(group: "FiniteGroup") -> Subgroups:
    """All subgroups of the group; computed once for each group object.

    Raises:
        GroupError: there are too many (``algebra.enumeration.MAX_SUBGROUPS``).

    """
    return Subgroups(group, enumerate_classes(group))
