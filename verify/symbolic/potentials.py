"""Potentials that make the bounds of single points add up to a good bound of the whole.

With T from `families` and any numbers mu[p] and lam[j, q, k] with sum over j of lam = 0,

    T(j, js, p_j, y) + mu[p_j] + sum over q of lam[j, q, qy]  >=  beta[j, js]                                             (2)

for all p_j and y implies, because x permutes the points,

    sum over j of T(j, js, p_j, y)  >=  sum over j of beta[j, js] - sum over p of mu[p].                                  (3)

Without potentials every point j would choose the worst y and the worst p for itself alone; the potentials are the Lagrange multipliers
that keep the choices together (Lagrangian relaxation; Held and Karp 1971, subgradient ascent with Polyak's step).
They are searched in float64 and rounded to integers; (2) is then proved by the solver, so that nothing depends on how they were found.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from verify.symbolic.families import Family, Tables

ROUNDS = 160
PATIENCE = 40
WORST = 12
#: Table entries looked at in the whole search of one case.
EFFORT = 250_000_000


@dataclass(eq=False)
class Potentials:
    """mu (m,) and lam (m, m, m) as integers, beta (m, m) the best numbers with which (2) holds in one case."""

    tables: Tables
    mu: Any
    lam: Any
    beta: Any

    @property
    def family(self) -> Family:
        """The family that these belong to."""
        return self.tables.family

    @property
    def constant(self) -> int:
        """The sum of mu, which (3) takes off."""
        return int(self.mu.sum())

    def total(self, s: Any) -> Any:
        """The right side of (3) for elements s: an array of their shape."""
        return self.beta[np.arange(len(self.beta))[:, None], self.family.moved(s)].sum(axis=0) - self.constant


def relaxed(tables: Tables, mu: Any, lam: Any) -> Any:
    """The left side of (2) at [j, j', p, y], y over ``tables.ys``."""
    reached = tables.family.points.moved[:, tables.ys]
    per_y = lam[:, np.arange(len(reached))[:, None], reached].sum(axis=1)
    return tables.whole + mu[None, None, :, None] + per_y[:, None, None, :]


def find(families: list[Tables], constant: int, scale: int) -> list[Potentials]:
    """Potentials with which the sum of the right sides of (3) and ``constant`` is positive for all s, or the best found.

    ``scale`` is the unit of one vote, which fixes the first step's length.
    """
    if not families:
        return []
    s = np.flatnonzero(families[0].family.points.parity == families[0].case.s)
    s = s[s != 0]
    sizes = [t.family.points.count for t in families]
    mu = [np.zeros(m) for m in sizes]
    lam = [np.zeros((m, m, m)) for m in sizes]
    best, kept, stale, gap, fresh = -np.inf, _rounded(mu, lam), 0, 8.0 * scale, 0
    for _ in range(max(1, min(ROUNDS, EFFORT // max(1, sum(t.whole.size for t in families))))):
        relaxations = [relaxed(t, a, b).astype(np.float64) for t, a, b in zip(families, mu, lam, strict=True)]
        flat = [r.reshape(*r.shape[:2], -1) for r in relaxations]
        beta = [f.min(axis=2) for f in flat]
        moved = [t.family.moved(s) for t in families]
        sums = constant + sum(b[np.arange(len(b))[:, None], k].sum(axis=0) - a.sum() for a, b, k in zip(mu, beta, moved, strict=True))
        low = float(sums.min())
        stale, fresh = stale + 1, fresh + 1
        if low > best:
            fresh = 0 if low > best + 0.02 * abs(best) else fresh
            best, kept, stale = low, _rounded(mu, lam), 0
        if best > 0.01 * scale or fresh > PATIENCE:
            break
        if stale == 5:
            gap, stale = 0.7 * gap, 0
        worst = np.argsort(sums, kind="stable")[:WORST]
        slopes = [_slope(t, f, k[:, worst]) for t, f, k in zip(families, flat, moved, strict=True)]
        norm = sum(float((a**2).sum() + (b**2).sum()) for a, b in slopes)
        if norm < 1e-12:
            break
        step = (max(low, best) + gap - float(sums[worst].mean())) / norm
        for a, b, (da, db) in zip(mu, lam, slopes, strict=True):
            a += step * da
            b += step * db
    return [_sharp(t, a, b) for t, (a, b) in zip(families, kept, strict=True)]


def _rounded(mu: list[Any], lam: list[Any]) -> list[tuple[Any, Any]]:
    """The potentials as integers, lam still adding up to 0 over j."""
    result = []
    for a, b in zip(mu, lam, strict=True):
        whole = np.rint(b).astype(np.int64)
        whole[0] -= whole.sum(axis=0)
        result.append((np.rint(a).astype(np.int64), whole))
    return result


def _sharp(tables: Tables, mu: Any, lam: Any) -> Potentials:
    """The largest beta for these potentials, exactly."""
    values = relaxed(tables, mu, lam)
    return Potentials(tables, mu, lam, values.reshape(*values.shape[:2], -1).min(axis=2))


def _slope(tables: Tables, flat: Any, moved: Any) -> tuple[Any, Any]:
    """The subgradient at the worst s (columns of ``moved``), projected to mean 0 over p and over j."""
    m, ys = len(flat), tables.ys
    reached = tables.family.points.moved[:, ys]
    by_p, by_lam = np.zeros(m), np.zeros((m, m, m))
    share = 1.0 / moved.shape[1]
    for column in moved.T:
        for j in range(m):
            p, y = divmod(int(flat[j, column[j]].argmin()), len(ys))
            by_p[p] += share
            by_lam[j, np.arange(m), reached[:, y]] += share
    return by_p - by_p.mean(), by_lam - by_lam.mean(axis=0)
