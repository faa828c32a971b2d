"""Assignments of least cost: the relaxation of where x takes the points of a space.

x permutes the m points, so p_j, the point that x takes to j, runs over all points as j does. The least of sum over j of c[j, p_j] over
ALL permutations p bounds the sum for every x from below; it is the maximum over mu of

    sum over j of  min over p of (c[j, p] + mu[p])  -  sum over p of mu[p],

so mu is all that a proof has to state (the assignment problem has no gap: Birkhoff 1946; Kuhn 1955).
"""

import numpy as np

from net.roundoff import Floats
from verify.symbolic.exact import Exact
from verify.symbolic.points import Integers

__all__ = ["assigned", "assignments"]


def assigned(costs: list[Exact]) -> Exact:
    """The least cost for each place of an array of problems; ``costs[j]`` is (m, ...), the costs of p_j = 0, ..., m - 1.

    By dynamic programming over sets of points used: m 2^(m-1) additions and minima of arrays.
    """
    best: dict[int, Exact] = {1 << p: cost.copy() for p, cost in enumerate(costs[0])}
    for row in costs[1:]:
        new: dict[int, Exact] = {}
        for used, value in best.items():
            for p, cost in enumerate(row):
                if not used >> p & 1:
                    total, key = value + cost, used | 1 << p
                    if key in new:
                        np.minimum(new[key], total, out=new[key])
                    else:
                        new[key] = total
        best = new
    return best[(1 << len(costs)) - 1]


def assignments(costs: Floats) -> Integers:
    """The p_j of least cost as (n, m), for costs (n, j, p)."""
    n, m, _ = costs.shape
    layers: list[dict[int, tuple[Floats, Integers]]] = []
    best = {0: np.zeros(n)}
    for j in range(m):
        new: dict[int, tuple[Floats, Integers]] = {}
        for used, value in best.items():
            for p in range(m):
                if not used >> p & 1:
                    total, key = value + costs[:, j, p], used | 1 << p
                    if key in new:
                        old, choice = new[key]
                        better = total < old
                        new[key] = np.where(better, total, old), np.where(better, p, choice)
                    else:
                        new[key] = total, np.full(n, p)
        layers.append(new)
        best = {key: value for key, (value, _) in new.items()}
    found = np.empty((n, m), dtype=np.intp)
    left = np.full(n, (1 << m) - 1)
    for j in range(m - 1, -1, -1):
        keys = sorted(layers[j])
        choice = np.stack([layers[j][key][1] for key in keys])
        found[:, j] = choice[np.searchsorted(keys, left), np.arange(n)]
        left = left & ~(1 << found[:, j])
    return found
