"""Dual variables (potentials) that make the bounds of single points add up to a good bound of the whole.

With T from `families` and any numbers mu[p], lam[j, q, k] and phi[j, q, p, k] with sum over j of lam = 0,

    T(j, js, p_j, y) + mu[p_j] + sum over q of (lam[j, q, qy] + phi[j, q, p_j, qy])  >=  beta[j, js]                      (2)

for all p_j and y implies, because x permutes the points,

    share of the family >= sum over j of beta[j, js] - sum over p of mu[p] - sum over j and q of phi[j, q, p_j, qy].      (3)

Without dual variables every point j would choose the worst y and the worst p for itself alone. mu and lam keep the choices of one
family's points together, phi those of a family and a mirrored one: for the mirrored family, at its point q, the point that y takes q to
is its own p, and p_j is where its y (which is x^-1) takes j. So its lemma can carry -phi, and the last sum cancels when both are added.
The dual variables are Lagrange multipliers, found by `dual_ascent` and rounded to integers. Their best beta is an exact minimum over
integers, which proves (2), so that nothing depends on how they were found.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from verify.symbolic.exact import Exact
from verify.symbolic.families import CaseTables, PointFamily
from verify.symbolic.points import Integers, Points

#: Sums of |T| and dual variables stay in int64 below this: a sum of beta over up to 2^7 points is then below 2^63.
INT64_SAFE = 1 << 56


class Tie(NamedTuple):
    """phi as one of its two families sees it: the space of the q's and values [j, q, p, k]."""

    space: Points
    values: Exact


@dataclass(eq=False)
class DualVariables:
    """mu (m,), lam (m, m, m) and ties as integers, beta (m, m) the best numbers with which (2) holds in one case."""

    tables: CaseTables
    mu: Exact
    lam: Exact
    ties: list[Tie]
    beta: Exact

    @property
    def family(self) -> PointFamily:
        """The family that these belong to."""
        return self.tables.family

    @property
    def constant(self) -> int:
        """The sum of mu, which (3) takes off."""
        return sum(int(value) for value in self.mu)

    def total(self, s: Integers) -> Exact:
        """The right side of (3) without phi, which cancels in the sum over families, for elements s: Python's integers."""
        rows = self.beta[np.arange(len(self.beta))[:, None], self.family.moved(s)]
        return np.asarray(rows.sum(axis=0).astype(object) - self.constant)


@dataclass(eq=False)
class Batch:
    """Elements s that are settled with the same dual variables, one for each family."""

    s: Integers
    duals: list[DualVariables]

    def totals(self, constant: int) -> Exact:
        """The sum of the right sides of (3) and a constant, for each s: Python's integers."""
        return np.asarray(constant + sum((p.total(self.s) for p in self.duals), np.zeros(len(self.s), dtype=object)))


def relaxed(tables: CaseTables, mu: Exact, lam: Exact, ties: list[Tie]) -> Exact:
    """The left side of (2) at [j, j', p, y], y over ``tables.ys``; floats when the dual variables are floats."""
    reached = tables.family.points.moved[:, tables.ys]
    per_y = lam[:, np.arange(len(reached))[:, None], reached].sum(axis=1)
    total = tables.whole + mu[None, None, :, None] + per_y[:, None, None, :]
    for space, values in ties:
        image = space.moved[:, tables.ys]
        per_p = values.transpose(1, 3, 0, 2)[np.arange(len(image))[:, None], image].sum(axis=0)  # [y, j, p]
        total = total + per_p.transpose(1, 2, 0)[:, None]
    return np.asarray(total)


def sharp(tables: CaseTables, mu: Exact, lam: Exact, ties: list[Tie]) -> DualVariables:
    """The largest beta for these integers, exactly: the minimum over p and y.

    In int64 where |T| + |mu| + (number of points) |lam| + the same of each phi stays below 2^56, else in Python's integers.
    """
    reach = largest(tables.whole) + largest(mu) + len(mu) * largest(lam) + sum(tie.space.count * largest(tie.values) for tie in ties)
    if reach >= INT64_SAFE or len(mu) > 1 << 7:
        mu, lam = mu.astype(object), lam.astype(object)
        ties = [Tie(space, values.astype(object)) for space, values in ties]
    values = relaxed(tables, mu, lam, ties)
    return DualVariables(tables, mu, lam, ties, values.reshape(*values.shape[:2], -1).min(axis=2))


def largest(values: Exact) -> int:
    """The largest absolute value, as one of Python's integers."""
    return max(int(values.max(initial=0)), -int(values.min(initial=0)))
