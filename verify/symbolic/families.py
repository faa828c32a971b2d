"""A program's circuits sorted by what they look at, and the share of the margin that each kind of circuit gives.

Let x, y be inputs, w = xy the product and z = x s y another output, s != 1. Say that circuits read x through stabilisers H of the
points of one coset space, and that their votes at z depend on the coset Hz (and on parities) alone; how they read y is free. Let j = px
be the point to which x takes the point p that a circuit's H fixes. Then the circuit's push depends on j and y, its vote for w on the
point jy, its vote for z on the point (js)y. So the family's share of the margin votes[w] - votes[z] is a sum over the points j,

    sum over j of  T(j, js, p_j, y),      p_j = the point that x takes to j,                                               (1)

and s matters to the term of j only through js. Parities of x, y and s are treated case by case, so that a twist by the sign is a sign.
Circuits that read y through one point, and whose votes depend on zK, are the same thing for the inputs (y^-1, x^-1) and s^-1; they are
*mirrored*. A vote on a sum of cosets is split. Circuits that look at nothing but parities are constants in each case. What is left
over is bounded cell by cell. The bias is split as B(z) + rest, B a sum over the points p of a table B[p, pz], which goes into (1) as
B[p_j, jy] - B[p_j, (js)y]; with z^-1 for z in a mirrored family.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from algebra.group import FiniteGroup
from verify.symbolic.exact import Exact
from verify.symbolic.pointed import Pointed
from verify.symbolic.points import Integers, Points


class Case(NamedTuple):
    """Parities of x, y and s."""

    x: int
    y: int
    s: int

    @property
    def product(self) -> int:
        """The parity of w = xy."""
        return self.x ^ self.y

    @property
    def other(self) -> int:
        """The parity of z = x s y."""
        return self.x ^ self.s ^ self.y

    @property
    def name(self) -> str:
        """Letters e (even) and o (odd) for x, y and s."""
        return "".join("eo"[bit] for bit in self)


class Columns(NamedTuple):
    """Some neurons written out as functions on the group: left and right (|G|, k), votes (k, |G|)."""

    left: Exact
    right: Exact
    votes: Exact

    def mirrored(self, inverse: npt.NDArray[np.integer]) -> "Columns":
        """The same neurons as seen from (y^-1, x^-1) and z^-1."""
        return Columns(self.right[inverse], self.left[inverse], self.votes[:, inverse])


#: Which part of a circuit's votes: all of them, or one of the two terms of votes on a coset sum.
Share = Literal["whole", "right", "left"]


class Member(NamedTuple):
    """The neurons of a family that see where x takes one point; ``other`` is the point of a G-set through which they read y, if any.

    They are those of the program's circuit of this number, with all of its votes or with one term of a coset sum.
    """

    circuit: int
    share: Share
    point: int
    other: Pointed | None
    columns: Columns


@dataclass(eq=False)
class PointFamily:
    """Circuits over one coset space; see the module's docstring. ``bias`` is B as an array [p, q, parity of z] or None."""

    name: str
    points: Points
    mirrored: bool
    members: list[Member] = field(default_factory=list)
    bias: Exact | None = None

    def tables(self, case: Case) -> "CaseTables":
        """The terms of (1) for one case of parities."""
        return CaseTables(self, case)

    @property
    def seen(self) -> Integers:
        """seen[p, z] = p z, or p z^-1 in a mirrored family: where its votes for z look."""
        return self.points.moved[:, self.points.group.inv] if self.mirrored else self.points.moved

    def moved(self, s: Integers | int) -> Integers:
        """moved[j, k] = j s_k, or j s_k^-1 in a mirrored family."""
        inverse = self.points.group.inv
        return self.points.moved[:, inverse[s] if self.mirrored else s]


class Term(NamedTuple):
    """A function v[j, j', p, k] or v[j, j', p, k, b] of the point k that y takes q to, and of b where y takes ``through``.

    ``q`` is a point of ``space``; ``through`` is "" (no b), "j" or "j'". Without a space, v[j, j', p, y] is a function of y itself.
    """

    space: Points | None
    q: int
    through: str
    values: Exact


@dataclass(eq=False)
class CaseTables:
    """The function T of (1) in one case: as terms for the solver, and evaluated for every y for the search."""

    family: PointFamily
    case: Case

    @cached_property
    def ys(self) -> Integers:
        """The elements y of this case's parity (x^-1 in a mirrored family)."""
        return np.flatnonzero(self.family.points.parity == (self.case.x if self.family.mirrored else self.case.y))

    @cached_property
    def _case(self) -> Case:
        """The case as the family sees it: inputs exchanged in a mirrored family."""
        return Case(self.case.y, self.case.x, self.case.s) if self.family.mirrored else self.case

    @cached_property
    def whole(self) -> Exact:
        """T[j, j', p, y] with y running over ``ys``; int64 where no sum can leave it (`decomposition`), else Python's integers."""
        points, m, case, ys = self.family.points, self.family.points.count, self._case, self.ys
        whole = None
        for member in self.family.members:
            share = self._of(member)
            if whole is None:
                whole = np.zeros((m, m, m, len(ys)), dtype=share.dtype)
            whole[:, :, member.point] += share
        if whole is None:
            whole = np.zeros((m, m, m, len(ys)), dtype=np.int64)
        if self.family.bias is not None:
            if self.family.bias.dtype == object:
                whole = whole.astype(object)
            reached = points.moved[:, ys]
            for p in range(m):
                table = self.family.bias[p]
                whole[:, :, p] += table[reached, case.product][:, None] - table[reached, case.other][None]
        return whole

    def _of(self, member: Member) -> Exact:
        """What a member gives at its point: [j, j', y]. Complexity: O(points^2 |G|) for each neuron."""
        points, case, ys = self.family.points, self._case, self.ys
        p, (left, right, votes) = member.point, member.columns
        push = np.maximum(left[points.taking[p, :, case.x]][:, None] + right[ys][None], 0)  # [j, y, neuron]
        for_w, for_z = (
            push @ votes[:, points.taking[p, :, bit]] for bit in (case.product, case.other)
        )  # [j, y, where the output takes p]
        reached, rows = points.moved[:, ys], np.arange(len(ys))
        own = for_w[np.arange(points.count)[:, None], rows, reached]
        return np.asarray(own[:, None] - for_z[:, rows, reached])

    @cached_property
    def terms(self) -> list[Term]:
        """T as a sum of terms that each look at one point that y moves, or at two."""
        points, m, case = self.family.points, self.family.points.count, self._case
        found: dict[tuple[int, int, str], Term] = {}

        def add(space: Points | None, q: int, through: str, key: tuple[int | slice, ...], values: Exact) -> None:
            name = (id(space), q, through)
            if name not in found:
                shape = (m, m, m, len(self.ys) if space is None else space.count) + ((m,) if through else ())
                found[name] = Term(space, q, through, np.zeros(shape, dtype=self.whole.dtype))
            found[name].values[key] += values

        for member in self.family.members:
            p, (left, right, votes) = member.point, member.columns
            start, end = points.taking[p, :, case.x], points.taking[p, :, case.x ^ case.s]
            if member.other is None:
                add(None, 0, "", np.s_[:, :, p], self._of(member))
                continue
            space, k = member.other
            for q in range(space.count):
                y = int(space.taking[q, k, case.y])  # any y of the case that takes q to the point of K
                push = np.maximum(left[start] + right[y], 0)
                if _double(space, k, votes):
                    w, z = votes[:, points.group.mul[start, y]].T, votes[:, points.group.mul[end, y]].T
                    values = _inner(push, w)[:, None] - _inner(push[:, None], z[None])
                    add(space, q, "", np.s_[:, :, p, k], values)
                    continue
                w, z = (votes[:, points.taking[p, :, s]].T for s in (case.product, case.other))
                add(space, q, "j", np.s_[:, :, p, k, :], _inner(push[:, None], w[None])[:, None])
                add(space, q, "j'", np.s_[:, :, p, k, :], -_inner(push[:, None], z[None])[:, None])
        if self.family.bias is not None:
            self._add_bias(self.family.bias, add)
        return [term for term in found.values() if term.values.any()]

    def _add_bias(self, bias: Exact, add: Callable[[Points | None, int, str, tuple[int | slice, ...], Exact], None]) -> None:
        points, case = self.family.points, self._case
        for j in range(points.count):
            for p in range(points.count):
                w, z = bias[p, :, case.product], bias[p, :, case.other]
                add(points, j, "", np.s_[j, :, p, :], w)
                add(points, j, "", np.s_[:, j, p, :], -z)


def _double(space: Points, k: int, votes: Exact) -> bool:
    """Whether votes that depend on Hz depend on the double coset HzK and the parity of z alone, K the stabiliser of the point k."""
    kept = np.flatnonzero((space.moved[k] == k) & (space.parity == 0))
    return all(bool((votes[:, space.group.mul[:, g]] == votes).all()) for g in kept)


def _inner(push: Exact, votes: Exact) -> Exact:
    """The sum over the last axis of products."""
    return np.asarray((push * votes).sum(axis=-1))


@dataclass(eq=False)
class Decomposition:
    """A whole program taken apart: families, neurons that see parities alone, the rest, and the rest of the bias.

    ``signs`` and ``rest`` come with the numbers of their circuits. ``scale`` is the unit of one vote,
    2^(preactivation_bits + scale_bits + vote_bits).
    """

    group: FiniteGroup
    parity: Integers
    scale: int
    families: list[PointFamily]
    signs: list[tuple[int, Columns]]
    rest: list[tuple[int, Columns]]
    bias: Exact
    bias_rest: Exact

    @property
    def cases(self) -> Iterator[Case]:
        """The cases of parities that occur, those without any s != 1 left out."""
        bits = (0, 1) if self.parity.any() else (0,)
        for s in bits:
            if (self.parity[1:] == s).any():
                yield from (Case(x, y, s) for x in bits for y in bits)
