"""Coset spaces: the functions on a group that are constant, or twisted by a sign, on the cosets of a subgroup.

For a subgroup H and a homomorphism chi: H -> {1, -1} a function f is in the *right* space if ``f(hx) = chi(h) f(x)`` and in the
*left* space if ``f(xh) = chi(h) f(x)``. It is known by one number for each coset, its value at the least element there:

    f(g) = signs[g] * t[labels[g]]

A chi that is not trivial is given by its kernel, a subgroup of index two in H.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from algebra.coset import Cosets
from algebra.errors import GroupError
from algebra.group import FiniteGroup
from algebra.subgroup import Subgroup

__all__ = ["CosetSpace", "Side", "character_signs"]

Side = Literal["right", "left"]


def character_signs(subgroup: Subgroup, kernel: Subgroup | None) -> NDArray[np.int8]:
    """(order of the group,) the character of H with this kernel: 1 on the kernel, -1 on the rest of H, 0 outside H.

    Raises:
        GroupError: the kernel is not a subgroup of index two of H.

    """
    inside = subgroup.mask.astype(np.int8)
    if kernel is None:
        return inside
    if 2 * kernel.order != subgroup.order or not subgroup.mask[kernel.elements].all():
        raise GroupError(f"Expected a kernel of index two in a subgroup of order {subgroup.order}, got one of order {kernel.order}.")
    return np.asarray(2 * kernel.mask.astype(np.int8) - inside, dtype=np.int8)


@dataclass(frozen=True)
class CosetSpace:
    """The right or the left cosets of a subgroup, with the trivial character or one of order two.

    Attributes:
        subgroup: H.
        side: "right" for cosets Hx, "left" for xH.
        kernel: kernel of the character of H, None for the trivial one.

    """

    subgroup: Subgroup
    side: Side
    kernel: Subgroup | None = None

    @property
    def group(self) -> FiniteGroup:
        """The group."""
        return self.subgroup.group

    @property
    def cosets(self) -> Cosets:
        """The partition into cosets, numbered by their least elements."""
        return self.subgroup.right_cosets if self.side == "right" else self.subgroup.left_cosets

    @property
    def labels(self) -> NDArray[np.intp]:
        """(order,) number of the coset of each element."""
        return self.cosets.labels

    @property
    def count(self) -> int:
        """[G:H], the number of cosets, which is the dimension of the space."""
        return self.cosets.count

    @property
    def representatives(self) -> NDArray[np.intp]:
        """(count,) least element of each coset."""
        return self.cosets.representatives

    @cached_property
    def signs(self) -> NDArray[np.int8]:
        """(order,) chi(h) for g = h r (right) or g = r h (left), r the least element of the coset of g.

        Raises:
            GroupError: the kernel is not of index two in the subgroup.

        """
        group, g = self.group, np.arange(self.group.order)
        back = group.inv[self.representatives[self.labels]]
        inside = group.mul[g, back] if self.side == "right" else group.mul[back, g]
        signs = np.asarray(character_signs(self.subgroup, self.kernel)[inside], dtype=np.int8)
        signs.setflags(write=False)
        return signs

    def expand(self, values: NDArray[np.number]) -> NDArray[np.number]:
        """The functions (order, ...) with these values (count, ...) at the least elements of the cosets."""
        signs = self.signs.reshape(-1, *[1] * (np.ndim(values) - 1))
        return np.asarray(values[self.labels] * signs)

    def averages(self, functions: NDArray[np.number]) -> NDArray[np.float64]:
        """(count, ...) values of the nearest functions of the space, in least squares, to functions (order, ...).

        The signed mean over each coset, ``t[c] = 1/|H| sum over g in c of signs[g] f(g)``. Complexity: O(size of ``functions``).
        """
        rows = np.asarray(functions, dtype=np.float64)
        sums = np.zeros((self.count, *rows.shape[1:]))
        np.add.at(sums, self.labels, rows * self.signs.reshape(-1, *[1] * (rows.ndim - 1)))
        return sums / self.subgroup.order

    def project(self, functions: NDArray[np.number]) -> NDArray[np.number]:
        """(order, ...) the orthogonal projection of functions (order, ...) on the space."""
        return self.expand(self.averages(functions))

    def mirrored(self) -> "CosetSpace":
        """The space on the other side: f is in it if and only if x -> f(x^-1) is in this one."""
        return CosetSpace(self.subgroup, "left" if self.side == "right" else "right", self.kernel)
