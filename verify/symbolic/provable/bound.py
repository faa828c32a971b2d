"""The bound that lemmas about single points give, as a function of votes and dual variables, with its gradient.

For one family (the voters over one space) and one case of parities, with T from `verify.symbolic.families` and dual variables mu, lam,

    bound(s) = sum over j of  min over p and y of ( T(j, js, p, y) + mu[p] + sum over q of lam[j, q, qy] )  -  sum over p of mu[p].

T is linear in the votes, so the bound is concave in votes and dual variables together: a minimum of linear functions. Its gradient is
taken of the soft minimum with weights exp(-value / temperature), which tends to a supergradient as the temperature falls. Search only:
what is found is rounded, and the solver proves it.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from verify.symbolic.families import Case
from verify.symbolic.points import Integers, Points
from verify.symbolic.provable.voters import Voter

__all__ = ["FamilyBound"]

Singles = Any
#: Weights below exp(-CUT) of the largest count as zero.
CUT = 60.0


@dataclass(eq=False)
class _Point:
    """The voters of one point p: their columns of the vote vector, pushes by slot, and basis rows for w and z.

    A slot is a point i of the space of y with the circuit's k, or the one slot of the bias; ``slots`` (number of slots, |ys|) says
    which of them each y fills, and pushes has shape [voter, j, slot].
    """

    columns: list[slice]
    pushes: Singles
    slots: Singles
    for_w: list[Singles]
    for_z: list[Singles]


@dataclass(eq=False)
class FamilyBound:
    """One family in one case. ``ys`` are the y of the case; shapes as in the module's docstring."""

    space: Points
    case: Case
    ys: Integers
    points: dict[int, _Point]
    moved: Integers = field(init=False)
    back: Integers = field(init=False)

    def __post_init__(self) -> None:
        """Where y takes each point, and what it takes there."""
        self.moved = self.space.moved[:, self.ys]
        self.back = np.argsort(self.moved, axis=0, kind="stable")

    @classmethod
    def of(cls, voters: list[tuple[Voter, slice]], case: Case, ys: Integers) -> "FamilyBound":
        """The bound of the voters over one space; each comes with its place in the vector of all votes."""
        by_point: dict[int, list[tuple[Voter, slice]]] = {}
        for voter, place in voters:
            by_point.setdefault(voter.point, []).append((voter, place))
        space = voters[0][0].space
        return cls(space, case, ys, {p: _gather(members, case, ys) for p, members in by_point.items()})

    def values(self, votes: Singles, mu: Singles, lam: Singles) -> Singles:
        """T + mu + lam at [j, j', p, y], float32. Complexity: O(points^3 |ys|) and a product per point."""
        m, y = self.space.count, np.arange(len(self.ys))
        values = np.zeros((m, m, m, len(y)), dtype=np.float32)
        for p, part in self.points.items():
            share_z = self._share(part, part.for_z, votes)
            share_w = share_z if part.for_w is part.for_z else self._share(part, part.for_w, votes)
            own = share_w[np.arange(m)[:, None], self.moved, y]
            values[:, :, p] = own[:, None] - np.take_along_axis(share_z, self.moved[None], axis=1)
        values += mu.astype(np.float32)[None, None, :, None]
        values += lam[:, np.arange(m)[:, None], self.moved].sum(axis=1).astype(np.float32)[:, None, None, :]
        return values

    def _share(self, part: _Point, basis: list[Singles], votes: Singles) -> Singles:
        """[j, q, y]: what the voters of a point give to an output that takes it to q."""
        at = np.stack([rows @ votes[place] for rows, place in zip(basis, part.columns, strict=True)]).astype(np.float32)
        table = np.einsum("njc,nq->jqc", part.pushes, at, optimize=True)
        return table @ part.slots

    def slope(self, weights: Singles, votes: Singles, mu: Singles, lam: Singles) -> None:
        """Add to the gradients what the weights [j, j', p, y] of single values give; mu and lam unprojected."""
        m, y = self.space.count, np.arange(len(self.ys))
        for p, part in self.points.items():
            given = weights[:, :, p]
            for_z = -np.take_along_axis(given, self.back[None], axis=1)
            for_w = np.zeros_like(for_z)
            for_w[np.arange(m)[:, None], self.moved, y] = given.sum(axis=1)
            if part.for_w is part.for_z:
                self._pull(part, part.for_z, for_z + for_w, votes)
            else:
                self._pull(part, part.for_z, for_z, votes)
                self._pull(part, part.for_w, for_w, votes)
        mu += weights.sum(axis=(0, 1, 3))
        by_y = weights.sum(axis=(1, 2))
        for q in range(m):
            for k in range(m):
                lam[:, q, k] += by_y[:, self.moved[q] == k].sum(axis=1)

    def _pull(self, part: _Point, basis: list[Singles], given: Singles, votes: Singles) -> None:
        at = np.einsum("njc,jqc->nq", part.pushes, given @ part.slots.T, optimize=True)
        for rows, place, row in zip(basis, part.columns, at, strict=True):
            votes[place] += row @ rows


def _gather(members: list[tuple[Voter, slice]], case: Case, ys: Integers) -> _Point:
    places: dict[tuple[int, int], tuple[int, int]] = {}
    slots: list[Singles] = []
    width = 0
    for voter, _ in members:
        key = (id(voter.other), voter.other_point)
        if key not in places:
            rows = np.ones((1, len(ys))) if voter.other is None else voter.other.moved[:, ys] == voter.other_point
            places[key] = (width, width + len(rows))
            slots.append(rows.astype(np.float32))
            width += len(rows)
    pushes = np.zeros((len(members), members[0][0].space.count, width), dtype=np.float32)
    for n, (voter, _) in enumerate(members):
        start, end = places[id(voter.other), voter.other_point]
        pushes[n, :, start:end] = voter.pushes[case.x % len(voter.pushes), case.y % len(voter.pushes)]
    for_z = [voter.at[case.other % len(voter.at)] for voter, _ in members]
    same = all((v.at[case.product % len(v.at)] == rows).all() for (v, _), rows in zip(members, for_z, strict=True))
    for_w = for_z if same else [voter.at[case.product % len(voter.at)] for voter, _ in members]
    return _Point([place for _, place in members], pushes, np.concatenate(slots), for_w, for_z)
