"""Forms: how a short list of integers becomes a function on the group.

A form is a linear map from a list t to a function f on G,

    f(g) = sum_j sign[j, g] * t[index[j, g]],

so that constancy on cosets, twisting by a character, and the assignment form are one thing to everything downstream.

=================  ==========  =====================================================  ==============================
``on``             subgroups   f(g)                                                   length of t
=================  ==========  =====================================================  ==============================
right cosets       H           t[Hg]                                                  [G:H]
left cosets        H           t[gH]                                                  [G:H]
double cosets      H, K        t[HgK]                                                 number of double cosets
coset sum          H, K        t[Hg] + t[[G:H] + gK]                                  [G:H] + [G:K]
coset matrix       H           sum over right cosets p of H of t[p, pg]               [G:H]^2
elements           none        t[g]                                                   order of G
=================  ==========  =====================================================  ==============================

Cosets are numbered by their least element.
A *twisted* form names, for each subgroup S, the kernel of a character chi of S of order two (or None for the trivial one);
then t gives f at the least element r of each coset and f(hr) = chi(h) f(r), f(rh) = chi(h) f(r), f(h r k) = chi(h) psi(k) f(r).
A twisted form on right or left cosets has one more entry at the end of t, a constant that is added everywhere
(a twisted function has mean zero, a preactivation need not have).
Double cosets on which the two signs contradict each other force f = 0 and are left out of the numbering.
A twisted coset sum twists each of its two terms and has no constant.
A twisted coset matrix is multiplied by the character of G with the named kernel.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from algebra.coset import double_cosets
from algebra.coset_space import CosetSpace, character_signs
from algebra.group import FiniteGroup
from algebra.gset import GSet
from algebra.subgroup import Subgroup

On = Literal["right cosets", "left cosets", "double cosets", "coset sum", "coset matrix", "elements"]


class Form(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A form of a program: subgroups and kernels are positions in the program's list of subgroups."""

    on: On
    subgroups: tuple[int, ...] = ()
    kernels: tuple[int | None, ...] = ()


@dataclass(frozen=True)
class GroupForm:
    """A form over a group: the subgroups and the kernels themselves, so that it depends on no list."""

    on: On
    subgroups: tuple[Subgroup, ...] = ()
    kernels: tuple[Subgroup | None, ...] = ()

    @staticmethod
    def of(space: CosetSpace) -> "GroupForm":
        """The form on a coset space."""
        return GroupForm("right cosets" if space.side == "right" else "left cosets", (space.subgroup,), (space.kernel,))

    @property
    def space(self) -> CosetSpace:
        """The coset space of a form on right or left cosets."""
        return CosetSpace(self.subgroups[0], "right" if self.on == "right cosets" else "left", (self.kernels or (None,))[0])

    def numbered(self, positions: Mapping[Subgroup, int]) -> Form:
        """The form of a program in whose list each subgroup has this position."""
        kernels = tuple(None if kernel is None else positions[kernel] for kernel in self.kernels)
        return Form(self.on, tuple(positions[subgroup] for subgroup in self.subgroups), kernels)


def over_group(form: Form, subgroups: Sequence[Subgroup]) -> GroupForm:
    """A program's form with the subgroups in place of their positions; ``subgroups`` is the program's list."""
    kernels = tuple(None if k is None else subgroups[k] for k in form.kernels)
    return GroupForm(form.on, tuple(subgroups[i] for i in form.subgroups), kernels)


@dataclass(frozen=True, eq=False)
class LinearForm:
    """The linear map of a form: f(g) = sum_j sign[j, g] t[index[j, g]]; index and sign have shape (terms, |G|)."""

    size: int
    index: npt.NDArray[np.int32]
    sign: npt.NDArray[np.int8]

    def expand(self, t: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The functions on the group of one list (size,) or of many (size, k): shape (|G|,) or (|G|, k)."""
        if not self.size:
            return np.zeros((self.index.shape[1], *t.shape[1:]), dtype=t.dtype)
        sign = self.sign.reshape(self.sign.shape + (1,) * (t.ndim - 1))
        total = t[self.index[0]] * sign[0]
        for j in range(1, len(self.index)):
            total = total + t[self.index[j]] * sign[j]
        return np.asarray(total)

    def basis(self) -> npt.NDArray[np.float64]:
        """The matrix (|G|, size) of the map."""
        order = self.index.shape[1]
        matrix = np.zeros((order, self.size))
        for index, sign in zip(self.index, self.sign, strict=True):
            np.add.at(matrix, (np.arange(order), index), sign)
        return matrix


def linear_form(group: FiniteGroup, form: Form, subgroups: Sequence[Subgroup]) -> LinearForm:
    """The linear map of a program's form; ``subgroups`` is the program's list. Raises what ``linear_map`` raises."""
    return linear_map(group, over_group(form, subgroups))


def linear_map(group: FiniteGroup, form: GroupForm) -> LinearForm:
    """The linear map of a form; the table in the module's docstring defines it.

    Raises ValueError when the form names the wrong number of subgroups or a kernel that is not of index two.
    """
    members, kernels = form.subgroups, form.kernels or (None,) * len(form.subgroups)
    wanted = {"double cosets": 2, "coset sum": 2, "elements": 0}.get(form.on, 1)
    if len(members) != wanted or len(kernels) != wanted:
        raise ValueError(f"a form on {form.on} takes {wanted} subgroups and kernels, not {len(members)} and {len(kernels)}")
    return _linear_form(group, form.on, members, kernels)


@lru_cache(maxsize=4096)
def _linear_form(group: FiniteGroup, on: On, members: tuple[Subgroup, ...], kernels: tuple[Subgroup | None, ...]) -> LinearForm:
    if on == "elements":
        everyone = np.arange(group.order, dtype=np.int32)[None]
        return LinearForm(group.order, everyone, np.ones_like(everyone, dtype=np.int8))
    if on == "coset matrix":
        return _coset_matrix(group, members[0], kernels[0])
    if on == "double cosets":
        return _double_cosets(group, members, kernels)
    if on == "coset sum":
        right = _one_sided(CosetSpace(members[0], "right", kernels[0]))
        left = _one_sided(CosetSpace(members[1], "left", kernels[1]))
        index = np.stack([right.index[0], left.index[0] + np.int32(right.size)])
        return LinearForm(right.size + left.size, index, np.stack([right.sign[0], left.sign[0]]))
    plain = _one_sided(CosetSpace(members[0], "right" if on == "right cosets" else "left", kernels[0]))
    if kernels[0] is None:
        return plain
    index = np.stack([plain.index[0], np.full(group.order, plain.size, dtype=np.int32)])
    return LinearForm(plain.size + 1, index, np.stack([plain.sign[0], np.ones_like(plain.sign[0])]))


def _one_sided(space: CosetSpace) -> LinearForm:
    """Constant or twisted on the cosets, one term, without the added constant."""
    return LinearForm(space.count, space.labels.astype(np.int32)[None], space.signs[None])


def _double_cosets(group: FiniteGroup, members: tuple[Subgroup, ...], kernels: tuple[Subgroup | None, ...]) -> LinearForm:
    left, right = members
    cosets = double_cosets(group, left.mask, right.mask)
    if kernels == (None, None):
        labels = cosets.labels.astype(np.int32)[None]
        return LinearForm(cosets.count, labels, np.ones_like(labels, dtype=np.int8))
    chi = character_signs(left, kernels[0])[left.elements]
    psi = character_signs(right, kernels[1])[right.elements]
    index = np.zeros(group.order, dtype=np.int32)
    sign = np.zeros(group.order, dtype=np.int8)
    size = 0
    for r in cosets.representatives:
        images = group.mul[group.mul[left.elements, r][:, None], right.elements[None, :]].ravel()
        signs = np.outer(chi, psi).ravel()
        sign[images] = signs
        if (sign[images] != signs).any():  # two ways to write the same element contradict each other
            sign[images] = 0
            continue
        index[images] = size
        size += 1
    return LinearForm(size, index[None], sign[None])


def _coset_matrix(group: FiniteGroup, subgroup: Subgroup, kernel: Subgroup | None) -> LinearForm:
    points = GSet(subgroup)
    index = points.moved.astype(np.int32) + np.arange(points.count, dtype=np.int32)[:, None] * points.count
    sign = np.ones(index.shape, dtype=np.int8)
    if kernel is not None:
        if 2 * kernel.order != group.order:
            raise ValueError(f"the kernel of a twisted coset matrix has index two in the group, not {kernel.index}")
        sign *= np.where(kernel.mask, 1, -1).astype(np.int8)
    return LinearForm(points.count**2, index, sign)
