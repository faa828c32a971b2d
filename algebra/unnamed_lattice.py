"""All subgroups of a group by number: membership, conjugacy classes, containment, look-up by membership.

Names come later (``algebra.lattice``): naming a subgroup asks for the subgroups of smaller groups, and those need no names.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from algebra.enumeration import FoundClass, enumerate_classes
from algebra.errors import GroupError
from algebra.group import FiniteGroup
from algebra.subgroup import Subgroup, core_mask, normalizer_mask

__all__ = ["ConjugacyClass", "UnnamedLattice", "unnamed_lattice"]


@dataclass(frozen=True, eq=False)
class ConjugacyClass:
    """A conjugacy class of subgroups.

    Attributes:
        lattice: all subgroups of the group.
        number: its place in ``lattice.classes``.
        members: rising indices into ``lattice.all`` of its subgroups; consecutive.

    """

    lattice: "UnnamedLattice"
    number: int
    members: NDArray[np.intp]

    @property
    def representative(self) -> Subgroup:
        """Its first member: the one with the lexicographically least list of elements."""
        return self.lattice.all[int(self.members[0])]

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
        group, first = self.lattice.group, self.representative
        return Subgroup(group, normalizer_mask(group, first.mask, first.generators))

    @property
    def normalizer_order(self) -> int:
        """Order of the normalizer of each of its subgroups."""
        return self.lattice.group.order // self.length

    @cached_property
    def core(self) -> Subgroup:
        """The largest normal subgroup of the group inside its subgroups: their intersection."""
        return Subgroup(self.lattice.group, core_mask(self.lattice.group, self.lattice.masks[self.members]))


class UnnamedLattice:
    """Every subgroup of a group, or as many as are listed where there are too many (``algebra.enumeration``).

    Classes are sorted by order, then by number of conjugates, then by the representative's list of
    elements; the members of a class by their lists of elements. The numbering therefore depends on the
    group alone.

    Attributes:
        group: the group.
        masks: (number, order of the group) membership of every element in every subgroup.
        generators: (number, most generators) numbers of elements that generate each subgroup, padded by 0.
        class_of: (number,) number of each subgroup's class.
        classes: the conjugacy classes.
        complete: whether these are all subgroups.

    """

    classes: tuple[ConjugacyClass, ...]

    def __init__(self, group: FiniteGroup, found: list[FoundClass], complete: bool = True) -> None:
        self.group = group
        self.complete = complete
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
        members = [np.arange(start, end) for start, end in pairwise(starts.tolist())]
        self.classes = tuple(ConjugacyClass(self, number, some) for number, some in enumerate(members))

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
    def _index_of_mask(self) -> dict[bytes, int]:
        return {row.tobytes(): index for index, row in enumerate(np.packbits(self.masks, axis=1))}

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
            listed = "" if self.complete else ", or one of those that are not listed (there are too many)"
            raise GroupError(f"Expected the membership mask of a subgroup of {self.group.name}, got none{listed}.")
        return index


def _sorted_members(found: FoundClass) -> tuple[bytes, NDArray[np.bool_], NDArray[np.intp]]:
    """The first packed mask, and the masks and generators of the members by rising lists of elements.

    The order is that of falling packed masks, whose first bit stands for element 0.
    """
    packed = np.packbits(found.masks, axis=1)
    order = np.argsort(packed.view(f"S{packed.shape[1]}")[:, 0])[::-1]
    return packed[order[0]].tobytes(), found.masks[order], found.generators[order]


@lru_cache(maxsize=8)
def unnamed_lattice(group: FiniteGroup) -> UnnamedLattice:
    """All subgroups of the group, or those that are listed; computed once for each group object."""
    found = enumerate_classes(group)
    return UnnamedLattice(group, found.classes, found.complete)
