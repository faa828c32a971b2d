"""Forms: how a short list of integers becomes a function on the group.

=================  ==========  =====================================================  ==============================
``on``             subgroups   f(g)                                                   length of t
=================  ==========  =====================================================  ==============================
right cosets       H           t[Hg]                                                  [G:H]
left cosets        H           t[gH]                                                  [G:H]
double cosets      H, K        t[HgK]                                                 number of double cosets
coset sum          H, K        t[Hg] + t[[G:H] + gK]                                  [G:H] + [G:K]
coset matrix       H           sum over right cosets p of H of t[p, pg]               [G:H]^2
images             H           sum over p of a[p] t[pg]                               [G:H]
preimages          H           sum over p of t[p] d[pg]                               [G:H]
rank               H           sum over s < r and p of alpha_s[p] beta_s[pg]          2 r [G:H]
shared             H           s times the sum over p of m[p] d[pg]                   1: the number s
elements           none        t[g]                                                   order of G
sum                none        what its parts give, added up                          that of all parts together
=================  ==========  =====================================================  ==============================

Cosets are numbered by their least element. The right cosets of H are points that G moves, p to pg, and most forms are a matrix M on
such points: f(g) is the sum of M[p, pg] over all p. Right cosets are one row of M, left cosets one column (by the coset whose
representative takes the point there), images a t^T, preimages t d^T, ``rank`` any matrix of rank at most r, a coset matrix all of M,
``elements`` one row for H = 1. Only double cosets and coset sums may look at the points of two subgroups, which no M on one set does.

**Weights.** ``weights`` is a on images and d on preimages and on ``shared``: one small integer for each point, part of the form's name
and not of the list. Right cosets are images of one point, left cosets preimages of one point.
**Rank.** The list of ``rank`` is alpha_1, beta_1, ..., alpha_r, beta_r; it is the one form that is not linear in its list. The alphas
are plain integers, the betas in the unit of the other lists.
**Shared.** Only y can be read through ``shared``, in a circuit that reads x through ``images`` on the same H and character. m is then
the neuron's list of x, without its constant: L(x) = sum over p of a[p] m[px], R(y) = s sum over p of m[p] d[py]. s is an integer over
2^scale_bits of the program.
**Sums.** ``parts`` are two or more forms of the table, but for ``rank``, ``shared`` and ``sum``; the list is one list of each, in their
order. The part that says most comes first.
**Characters.** On coset matrices, images, preimages, rank and shared, ``kernels`` names the kernel of a character of G of order two,
by which f is multiplied (or None). A *twisted* form on cosets names for each subgroup S the kernel of a character chi of S of order
two (or None for the trivial one); then t gives f at the least element r of each coset and f(hr) = chi(h) f(r), f(rh) = chi(h) f(r),
f(h r k) = chi(h) psi(k) f(r). Double cosets on which the two signs contradict each other force f = 0 and are left out of the
numbering. A twisted coset sum twists each of its two terms.
**Constants.** With ``constant``, the list of images, preimages, rank and shared has one more entry at its end, which is added
everywhere. So has every twisted form on right or left cosets (a twisted function has mean zero, a preactivation need not have).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

from algebra.coset import double_cosets
from algebra.coset_space import CosetSpace, character_signs
from algebra.group import FiniteGroup
from algebra.gset import GSet
from algebra.plural import plural
from algebra.subgroup import Subgroup
from verify.memory import kept

On = Literal[
    "right cosets",
    "left cosets",
    "double cosets",
    "coset sum",
    "coset matrix",
    "images",
    "preimages",
    "rank",
    "shared",
    "elements",
    "sum",
]
#: Forms on one set of points, with a character of the group and perhaps a constant.
ON_POINTS: frozenset[On] = frozenset({"images", "preimages", "rank", "shared"})
WEIGHTED: frozenset[On] = frozenset({"images", "preimages", "shared"})
#: Machine words, Python's integers, or floats.
Numbers = npt.NDArray[np.int64] | npt.NDArray[np.object_] | npt.NDArray[np.float64]
#: Sums of two such numbers are machine words.
WORD = 2**62
#: Weights are below this in absolute value.
LARGEST_WEIGHT = 2**31


class Form(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A form of a program: subgroups and kernels are positions in the program's list of subgroups."""

    on: On
    subgroups: tuple[int, ...] = ()
    kernels: tuple[int | None, ...] = ()
    weights: tuple[int, ...] = ()
    rank: int = 0
    constant: bool = False
    parts: tuple["Form", ...] = ()

    @property
    def members(self) -> tuple[int, ...]:
        """Every subgroup that the form or a part of it names, kernels too."""
        own = (*self.subgroups, *(k for k in self.kernels if k is not None))
        return (*own, *(s for part in self.parts for s in part.members))

    @property
    def terms(self) -> tuple["Form", ...]:
        """The parts of a sum, and of every other form the form itself."""
        return self.parts or (self,)


@dataclass(frozen=True)
class GroupForm:
    """A form over a group: the subgroups and the kernels themselves, so that it depends on no list."""

    on: On
    subgroups: tuple[Subgroup, ...] = ()
    kernels: tuple[Subgroup | None, ...] = ()
    weights: tuple[int, ...] = ()
    rank: int = 0
    constant: bool = False
    parts: tuple["GroupForm", ...] = ()

    @staticmethod
    def of(space: CosetSpace) -> "GroupForm":
        """The form on a coset space."""
        return GroupForm("right cosets" if space.side == "right" else "left cosets", (space.subgroup,), (space.kernel,))

    @property
    def space(self) -> CosetSpace:
        """The coset space of a form on right or left cosets."""
        return CosetSpace(self.subgroups[0], "right" if self.on == "right cosets" else "left", (self.kernels or (None,))[0])

    @property
    def kernel(self) -> Subgroup | None:
        """The kernel of the first character, None for the trivial one."""
        return self.kernels[0] if self.kernels else None

    @property
    def members(self) -> tuple[Subgroup, ...]:
        """Every subgroup that the form or a part of it names, kernels too."""
        own = (*self.subgroups, *(k for k in self.kernels if k is not None))
        return (*own, *(s for part in self.parts for s in part.members))

    @property
    def terms(self) -> tuple["GroupForm", ...]:
        """The parts of a sum, and of every other form the form itself."""
        return self.parts or (self,)

    @staticmethod
    def sum_of(parts: Sequence["GroupForm"]) -> "GroupForm":
        """The form of a sum of forms, each a sum or not."""
        terms = tuple(term for part in parts for term in part.terms)
        return terms[0] if len(terms) == 1 else GroupForm("sum", parts=terms)

    def numbered(self, positions: Mapping[Subgroup, int]) -> Form:
        """The form of a program in whose list each subgroup has this position."""
        kernels = tuple(None if kernel is None else positions[kernel] for kernel in self.kernels)
        subgroups = tuple(positions[subgroup] for subgroup in self.subgroups)
        parts = tuple(part.numbered(positions) for part in self.parts)
        return Form(self.on, subgroups, kernels, self.weights, self.rank, self.constant, parts)


def over_group(form: Form, subgroups: Sequence[Subgroup]) -> GroupForm:
    """A program's form with the subgroups in place of their positions; ``subgroups`` is the program's list.

    Raises ValueError when a position is not one of that list.
    """
    used = (*form.subgroups, *(k for k in form.kernels if k is not None))
    if not {*used} <= {*range(len(subgroups))}:
        raise ValueError(f"a form on {form.on} names subgroups {used} of a program that has {len(subgroups)}")
    kernels = tuple(None if k is None else subgroups[k] for k in form.kernels)
    parts = tuple(over_group(part, subgroups) for part in form.parts)
    members = tuple(subgroups[i] for i in form.subgroups)
    return GroupForm(form.on, members, kernels, form.weights, form.rank, form.constant, parts)


def check_form(group: FiniteGroup, form: GroupForm) -> None:
    """Raise ValueError, in one sentence, unless the form is one of the table in the module's docstring."""
    wanted = {"double cosets": 2, "coset sum": 2, "elements": 0, "sum": 0}.get(form.on, 1)
    given = len(form.subgroups), len(form.kernels or (None,) * len(form.subgroups))
    if given != (wanted, wanted):
        raise ValueError(f"a form on {form.on} takes {wanted} subgroups and kernels, not {given[0]} and {given[1]}")
    points = form.subgroups[0].index if form.on in WEIGHTED else 0
    if len(form.weights) != points:
        raise ValueError(f"a form on {form.on} of {points} points takes as many weights, not {len(form.weights)}")
    if any(abs(weight) >= LARGEST_WEIGHT for weight in form.weights):
        raise ValueError(f"the weights of a form on {form.on} are below {LARGEST_WEIGHT} in absolute value")
    if (form.rank > 0) != (form.on == "rank") or form.rank < 0:
        raise ValueError(f"a form on {form.on} has not the rank {form.rank}: only a form on rank has one, and at least 1")
    if form.constant and form.on not in ON_POINTS:
        raise ValueError(f"a form on {form.on} takes no constant of its own")
    kernel = form.kernel
    if (form.on in ON_POINTS or form.on == "coset matrix") and kernel is not None and 2 * kernel.order != group.order:
        raise ValueError(f"the kernel of a form on {form.on} has index two in the group, not {kernel.index}")
    if (len(form.parts) > 1) != (form.on == "sum") or len(form.parts) == 1:
        raise ValueError(f"a form on {form.on} has not {len(form.parts)} parts: a sum has two or more, every other form none")
    for part in form.parts:
        if part.on in ("rank", "shared", "sum"):
            raise ValueError(f"a part of a sum is linear in its list and no sum, not on {part.on}")
        check_form(group, part)


def check_circuit(group: FiniteGroup, left: GroupForm, right: GroupForm, votes: GroupForm) -> None:
    """Raise ValueError, in one sentence, unless the three are forms, and ``shared`` stands where it may."""
    for form in (left, right, votes):
        check_form(group, form)
    if "shared" in (left.on, votes.on):
        raise ValueError("only y can be read through a list shared with x, not x or z")
    if right.on == "shared" and (left.on, left.subgroups, left.kernel) != ("images", right.subgroups, right.kernel):
        raise ValueError("a list is shared with a form on images of the same points and character, and x is read through no such form")


def list_length(group: FiniteGroup, form: GroupForm) -> int:
    """How many integers a list of the form has. Raises ValueError when it is no form."""
    if form.on in ("rank", "shared"):
        check_form(group, form)
        return int(form.constant) + (1 if form.on == "shared" else 2 * form.rank * form.subgroups[0].index)
    return linear_map(group, form).size


def expand_lists(group: FiniteGroup, form: GroupForm, lists: Numbers) -> Numbers:
    """The functions on the group, (|G|, k), of lists (length, k); of every form but ``shared``.

    Raises ValueError when it is no such form, or the lists do not have its length.
    Complexity: O(k |G|) for each term, or for each point and unit of rank.
    """
    if form.on == "shared":
        raise ValueError("a list shared with x is no function without that list")
    length = list_length(group, form)
    if len(lists) != length:
        raise ValueError(f"a list on {form.on} has {plural(len(lists), 'integer')}, expected {length}")
    if form.on != "rank":
        return linear_map(group, form).expand(lists)
    n = form.subgroups[0].index
    moved = _moved(form.subgroups[0])
    total: Numbers = np.zeros((group.order, lists.shape[1]), dtype=np.int64)
    for s in range(form.rank):
        alpha, beta = lists[2 * s * n : (2 * s + 1) * n], lists[(2 * s + 1) * n : (2 * s + 2) * n]
        for p in range(n):
            total = total + alpha[p] * beta[moved[p]]
    total = total * _character(group, form.kernel)[:, None]
    return np.asarray(total + lists[-1] if form.constant else total)


def expand_sides(
    group: FiniteGroup,
    left: GroupForm,
    right: GroupForm,
    left_lists: Numbers,
    right_lists: Numbers,
    unit: int = 1,
) -> tuple[Numbers, Numbers]:
    """What k neurons read of x and of y, both (|G|, k), from their lists (length, k), in units of 1/unit of the lists'.

    ``unit`` is the denominator of s where a list is shared: everything else is multiplied by it.
    Raises what `check_circuit` and `expand_lists` raise.
    """
    functions = expand_lists(group, left, left_lists) * unit
    if right.on != "shared":
        return functions, expand_lists(group, right, right_lists) * unit
    check_circuit(group, left, right, left)
    if len(right_lists) != list_length(group, right):
        raise ValueError(f"a list on {right.on} has {plural(len(right_lists), 'integer')}, expected {list_length(group, right)}")
    plain = GroupForm("preimages", right.subgroups, right.kernels, right.weights)
    mirrored = expand_lists(group, plain, left_lists[: len(right.weights)]) * right_lists[0]
    return functions, mirrored + right_lists[1] * unit if right.constant else mirrored


def in_words(group: FiniteGroup, left: GroupForm, right: GroupForm, left_lists: Numbers, right_lists: Numbers, unit: int = 1) -> bool:
    """Whether `expand_sides` of these integers meets no number beyond ``WORD`` in absolute value, partial sums included.

    A partial sum of a linear form is at most the sum over its terms of their largest factor, times the largest entry of the list; with
    a shared list that is multiplied by s and increased by a constant times ``unit``. Products of entries (``rank``) are not looked at:
    the answer is no. Raises ValueError when a form is none.
    """
    if "rank" in (left.on, right.on):
        return False
    one, other = (max(map(abs, lists.ravel().tolist()), default=0) for lists in (left_lists, right_lists))
    if right.on == "shared":
        check_form(group, right)
        reach = sum(map(abs, right.weights)) * one * other + other * unit
    else:
        reach = _growth(group, right) * other * unit
    return max(unit, one, other, reach, _growth(group, left) * one * unit) <= WORD


def list_in_words(group: FiniteGroup, form: GroupForm, lists: Numbers) -> bool:
    """The same of `expand_lists`."""
    largest = max(map(abs, lists.ravel().tolist()), default=0)
    return form.on not in ("rank", "shared") and largest <= WORD and _growth(group, form) * largest <= WORD


def _growth(group: FiniteGroup, form: GroupForm) -> int:
    """How many times the largest entry of its list a partial sum of a linear form can be."""
    factor = linear_map(group, form).factor
    return int(np.abs(factor).max(axis=1, initial=0).sum()) if len(factor) else 0


def scaled_list(form: Form, t: Sequence[int], factor: int) -> tuple[int, ...]:
    """The list of the function times a factor; of ``shared``, where the list that is shared is multiplied by it too."""
    if form.on == "shared":
        return (t[0], *(value * factor for value in t[1:]))
    if form.on == "rank":
        n = (len(t) - form.constant) // (2 * form.rank)
        return tuple(value if k < 2 * form.rank * n and k // n % 2 == 0 else value * factor for k, value in enumerate(t))
    return tuple(value * factor for value in t)


@dataclass(frozen=True, eq=False)
class LinearForm:
    """The linear map of a form: f(g) = sum_j factor[j, g] t[index[j, g]]; index and factor have shape (terms, |G|)."""

    size: int
    index: npt.NDArray[np.integer]
    factor: npt.NDArray[np.integer]

    def expand(self, t: Numbers) -> Numbers:
        """The functions on the group of one list (size,) or of many (size, k): shape (|G|,) or (|G|, k)."""
        if not self.size or not len(self.index):
            return np.zeros((self.index.shape[1], *t.shape[1:]), dtype=t.dtype)
        factor = self.factor.reshape(self.factor.shape + (1,) * (t.ndim - 1))
        total = t[self.index[0]] * factor[0]
        for j in range(1, len(self.index)):
            total = total + t[self.index[j]] * factor[j]
        return np.asarray(total)

    def basis(self) -> npt.NDArray[np.float64]:
        """The matrix (|G|, size) of the map: sums of integers below 2^53, so float64 has them exactly in any order."""
        order = self.index.shape[1]
        places = self.index + self.size * np.arange(order)
        entries = np.bincount(places.ravel(), self.factor.ravel(), minlength=order * self.size)
        return np.asarray(entries[: order * self.size].reshape(order, self.size), dtype=np.float64)


def linear_form(group: FiniteGroup, form: Form, subgroups: Sequence[Subgroup]) -> LinearForm:
    """The linear map of a program's form; ``subgroups`` is the program's list. Raises what ``linear_map`` raises."""
    return linear_map(group, over_group(form, subgroups))


def linear_map(group: FiniteGroup, form: GroupForm) -> LinearForm:
    """The linear map of a form, of every form but ``rank`` and ``shared``; the table in the module's docstring defines it.

    Raises ValueError when the form is none of the table, or not linear in its list alone.
    """
    return _checked_map(group, form)


@kept(8192)
def _checked_map(group: FiniteGroup, form: GroupForm) -> LinearForm:
    check_form(group, form)
    if form.on in ("rank", "shared"):
        raise ValueError(f"a form on {form.on} is not linear in its list")
    return _linear_form(group, form if form.kernels else replace(form, kernels=(None,) * len(form.subgroups)))


@kept(4096)
def _linear_form(group: FiniteGroup, form: GroupForm) -> LinearForm:
    members, kernels = form.subgroups, form.kernels
    if form.on == "sum":
        return _sum([linear_map(group, part) for part in form.parts])
    if form.on == "elements":
        everyone = np.arange(group.order, dtype=np.int32)[None]
        return _made(group.order, everyone, np.ones_like(everyone))
    if form.on in ("coset matrix", "images", "preimages"):
        return _on_points(group, form)
    if form.on == "double cosets":
        return _double_cosets(group, members, kernels)
    if form.on == "coset sum":
        right = _one_sided(CosetSpace(members[0], "right", kernels[0]))
        left = _one_sided(CosetSpace(members[1], "left", kernels[1]))
        index = np.stack([right.index[0], left.index[0] + np.int32(right.size)])
        return _made(right.size + left.size, index, np.stack([right.factor[0], left.factor[0]]))
    plain = _one_sided(CosetSpace(members[0], "right" if form.on == "right cosets" else "left", kernels[0]))
    return plain if kernels[0] is None else _with_constant(plain)


def _made(size: int, index: npt.NDArray[np.integer], factor: npt.NDArray[np.integer]) -> LinearForm:
    least = np.int16 if size < 1 << 15 else np.int32
    small = bool((np.abs(factor.astype(np.int64)) < 1 << 15).all())
    return LinearForm(size, index.astype(least), factor.astype(np.int16 if small else np.int64))


def _sum(parts: list[LinearForm]) -> LinearForm:
    """The parts added up, their lists one after the other."""
    starts = np.cumsum([0, *(part.size for part in parts)])
    index = np.concatenate([part.index.astype(np.int64) + start for part, start in zip(parts, starts[:-1].tolist(), strict=True)])
    return _made(int(starts[-1]), index, np.concatenate([part.factor for part in parts]))


def _with_constant(linear: LinearForm) -> LinearForm:
    """The form with one more entry in its list, which is added everywhere."""
    last = np.full((1, linear.index.shape[1]), linear.size)
    return _made(linear.size + 1, np.concatenate([linear.index, last]), np.concatenate([linear.factor, np.ones_like(last)]))


def _character(group: FiniteGroup, kernel: Subgroup | None) -> npt.NDArray[np.int64]:
    """The values of the character of the group with this kernel."""
    return np.ones(group.order, dtype=np.int64) if kernel is None else np.where(kernel.mask, 1, -1).astype(np.int64)


def _one_sided(space: CosetSpace) -> LinearForm:
    """Constant or twisted on the cosets, one term, without the added constant."""
    return _made(space.count, space.labels[None], space.signs[None])


def _double_cosets(group: FiniteGroup, members: tuple[Subgroup, ...], kernels: tuple[Subgroup | None, ...]) -> LinearForm:
    left, right = members
    cosets = double_cosets(group, left.mask, right.mask)
    if kernels == (None, None):
        labels = cosets.labels[None]
        return _made(cosets.count, labels, np.ones_like(labels))
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
    return _made(size, index[None], sign[None])


@kept(256)
def _moved(subgroup: Subgroup) -> npt.NDArray[np.intp]:
    return GSet(subgroup).moved


def _on_points(group: FiniteGroup, form: GroupForm) -> LinearForm:
    """A coset matrix, images or preimages: a term for each point, but for those of weight 0."""
    moved, n = _moved(form.subgroups[0]), form.subgroups[0].index
    rows = np.arange(n)[:, None]
    weights = np.array(form.weights, dtype=np.int64)
    character = _character(group, form.kernel)
    if form.on == "coset matrix":
        return _made(n * n, moved + rows * n, np.broadcast_to(character, moved.shape))
    if form.on == "images":
        linear = _made(n, moved[weights != 0], weights[weights != 0, None] * character)
    else:
        linear = _made(n, np.broadcast_to(rows, moved.shape), weights[moved] * character)
    return _with_constant(linear) if form.constant else linear
