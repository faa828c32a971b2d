"""The least margin of a provable program when where x takes the points is relaxed, and the constraints that it puts on votes.

For one family (the voters over one space) let T[j, j', p, y] be what they give to votes[w] - votes[z], z = x s y, where x takes the
point p to j and s takes j to j' (`verify.symbolic.provable.voters`; all letters are those of the side from which the program is seen).
For given y and s the margin is a sum over families and points j of T[j, js, p_j, y], and p_j runs over all points. The *relaxed margin*
is its least value over all permutations p of each family, chosen for each by itself; it is exact in y and s. It is a minimum of linear
functions of the votes, so concave, and each of them is a constraint

    row . votes >= bound.

Search only: what is found is rounded, and exact integers prove it.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from algebra.group import FiniteGroup
from net.roundoff import Singles
from verify.distil.coset_fit import Floats
from verify.symbolic.assignment import assigned, assignments
from verify.symbolic.families import Case
from verify.symbolic.points import Integers, Points
from verify.symbolic.provable.voters import SignVoter, Voter

__all__ = ["Relaxation"]

#: Products of s and y that are looked at together: memory.
CHUNK = 60_000


class _Located(NamedTuple):
    """A voter with its place in the vector of all votes and its pushes [parity of x, j, y]."""

    voter: Voter
    place: slice
    pushes: Singles


class _Parities(NamedTuple):
    """Parities of x and of s that share tables; None where the tables are the same for both."""

    x: int
    s: int | None


class _Worst(NamedTuple):
    """Some (s, y) with the least relaxed margins of their kind: numbers of elements, and the margins."""

    kind: _Parities
    x: Integers
    s: Integers
    y: Integers
    margins: Floats


@dataclass(eq=False)
class _Family:
    space: Points
    members: list[_Located]

    def table(self, kind: _Parities, votes: Floats) -> Singles:
        """T[j, j', p, y] in float32. Complexity: O(points^3 |G|) and O(points^2 |G|) for each voter."""
        space, m, order = self.space, self.space.count, self.space.group.order
        values = np.zeros((m, m, m, order), dtype=np.float32)
        for p in range(m):
            mine = [member for member in self.members if member.voter.point == p]
            if mine:
                for_w, for_z = self._share(mine, kind.x, 0, votes), self._share(mine, kind.x, kind.s or 0, votes)
                own = for_w[np.arange(m)[:, None], space.moved, np.arange(order)]
                values[:, :, p] = own[:, None] - np.take_along_axis(for_z, space.moved[None], axis=1)
        return values

    def _share(self, members: list[_Located], x: int, odd: int, votes: Floats) -> Singles:
        """[j, q, y]: what voters at one point give to an output of the parity of x and y, changed by ``odd``, that takes it to q."""
        parity = self.space.parity
        pushes = np.stack([member.pushes[x % len(member.pushes)] for member in members])
        result = np.empty((self.space.count, self.space.count, len(parity)), dtype=np.float32)
        for bit in range(1 + int(parity.max())):
            ys = np.flatnonzero(parity == bit)
            at = [member.voter.at[(x ^ bit ^ odd) % len(member.voter.at)] @ votes[member.place] for member in members]
            result[:, :, ys] = np.einsum("njy,nq->jqy", pushes[:, :, ys], np.array(at, dtype=np.float32), optimize=True)
        return result


class Relaxation:
    """The relaxed margins of voters and sign voters; ``places`` are their slices of the vector of all votes."""

    def __init__(self, voters: list[Voter], signs: list[SignVoter], places: list[slice], parity: Integers) -> None:
        self._parity, self._size = parity, places[-1].stop if places else 0
        spaces = {id(voter.space): voter.space for voter in voters}
        self.families = [_Family(space, []) for space in spaces.values()]
        for voter, place in zip(voters, places, strict=False):
            pushes = np.maximum(voter.first[:, :, None] + voter.second[None, None], 0).astype(np.float32)
            next(f for f in self.families if f.space is voter.space).members.append(_Located(voter, place, pushes))
        bits = (0, 1) if parity.any() else (0,)
        self._bits = bits
        twisted = any(voter.twisted for voter in voters)
        self._kinds = [_Parities(x, s) for x in bits for s in bits] if twisted else [_Parities(0, None)]
        self._constants = np.zeros((2, 2, 2, self._size))  # [parity of x, of y, of s]
        for sign, place in zip(signs, places[len(voters) :], strict=True):
            for x in bits:
                for y in bits:
                    for s in bits:
                        self._constants[x, y, s, place] = sign.share(Case(x, y, s))

    @property
    def group(self) -> FiniteGroup:
        """The group."""
        return self.families[0].space.group

    @property
    def operations(self) -> int:
        """Additions and minima of one look at all relaxed margins."""
        sizes = [family.space.count for family in self.families]
        return int(len(self._kinds) * self.group.order**2 * sum(m << m for m in sizes))

    def least(self, votes: Floats, count: int) -> tuple[float, Floats, Floats]:
        """The least relaxed margin over all s != 1 and y; the rows and margins of the worst of them, up to 2 ``count`` for each kind.

        So that the rows differ, they are the least margins of ``count`` different s, and of ``count`` different y.
        """
        found = [self._worst(kind, votes, count) for kind in self._kinds]
        rows = [self._rows(worst, tables, votes) for worst, tables in found]
        margins = np.concatenate([worst.margins for worst, _ in found])
        return float(margins.min()), np.concatenate(rows), margins

    def _worst(self, kind: _Parities, votes: Floats, count: int) -> tuple[_Worst, list[Singles]]:
        order, parity = self.group.order, self._parity
        tables = [family.table(kind, votes) for family in self.families]
        every = np.arange(1, order)
        s = every if kind.s is None else every[parity[1:] == kind.s]
        xs = self._bits if kind.s is None else (kind.x,)
        constants = self._constants @ votes
        blocks, at_x = [], []
        for start in range(0, len(s), max(1, CHUNK // order)):
            some = s[start : start + max(1, CHUNK // order)]
            total = np.zeros((len(some), order), dtype=np.float32)
            for family, table in zip(self.families, tables, strict=True):
                images = family.space.moved[:, some]
                total += assigned([np.moveaxis(table[j][images[j]], 1, 0) for j in range(len(table))])
            signs = np.stack([constants[x][parity[None], parity[some][:, None]] for x in xs])
            total += signs.min(axis=0).astype(np.float32)
            blocks.append(total)
            at_x.append(signs.argmin(axis=0).astype(np.int8))
        margins, x = np.concatenate(blocks), np.concatenate(at_x)
        rows, columns = np.arange(len(s)), np.arange(order)
        pairs = [(rows, margins.argmin(axis=1)), (margins.argmin(axis=0), columns)]  # of each s the worst y, of each y the worst s
        least = [np.argsort(margins[pair], kind="stable")[:count] for pair in pairs]
        found = {(int(pair[0][k]), int(pair[1][k])) for pair, some in zip(pairs, least, strict=True) for k in some}
        at_s, y = np.array(sorted(found)).T
        return _Worst(kind, np.array(xs)[x[at_s, y]], s[at_s], y, margins[at_s, y]), tables

    def _rows(self, worst: _Worst, tables: list[Singles], votes: Floats) -> Floats:
        """The linear functions of the votes that are the relaxed margins at these (s, y), one row each."""
        parity, s, y = self._parity, worst.s, worst.y
        rows = self._constants[worst.x, parity[y], parity[s]].copy()
        bits = [(worst.kind.x ^ parity[y]), (worst.kind.x ^ parity[y] ^ (worst.kind.s or 0))]
        for family, table in zip(self.families, tables, strict=True):
            moved, m = family.space.moved, family.space.count
            images = moved[:, s]
            costs = np.stack([table[j][images[j], :, y] for j in range(m)], axis=1).astype(np.float64)
            back = np.argsort(assignments(costs), axis=1)  # back[item, p] = the j with p_j = p
            for voter, place, pushes in family.members:
                j = back[:, voter.point]
                push = pushes[worst.kind.x % len(pushes)][j, y].astype(np.float64)
                kinds = len(voter.at)
                for_w = voter.at[bits[0] % kinds, moved[j, y]]
                for_z = voter.at[bits[1] % kinds, moved[images[j, np.arange(len(s))], y]]
                rows[:, place] += push[:, None] * (for_w - for_z)
        return rows
