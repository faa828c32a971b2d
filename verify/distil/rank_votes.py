"""Votes of rank one on an irrep, fitted for all neurons together.

Let the votes of neuron i be U_i = u_i^T rho(z) v_i, one term each on its own irrep rho of dimension d. By Schur's relations the normal
equations of `verify.distil.votes` fall apart by irrep, and for fixed v they are linear in u with one T x T matrix for the T neurons on
the irrep and d right sides:

    |G|/d  sum over j of C'[i, j] (v_i . v_j) u_j = X_i v_i,        X_i = sum over z of X[i, z] rho(z),

and in the same way for u fixed. Alternating a few times is enough. The ridge, a share of the diagonal, pulls towards the network's own
strongest term on the irrep.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from verify.distil.coset_fit import Floats
from verify.distil.point_irreps import PointIrrep

#: Rounds of the alternation; the variance explained changes by less than 1e-4 after these on every network measured.
ROUNDS = 10


class RankOneVotes(NamedTuple):
    """One term of rank one for each neuron: the number of its irrep, and the matrix u v^T (d, d)."""

    irrep: npt.NDArray[np.intp]
    matrices: list[Floats]


def rank_one_votes(irreps: Sequence[PointIrrep], program: Floats, cross_votes: Floats, votes: Floats, ridge: float) -> RankOneVotes:
    """The terms for all neurons, each on the irrep on which its own votes have their strongest term.

    ``program`` (k, k) and ``cross_votes`` (k, |G|) are C' and X of `verify.distil.votes.Moments`, ``votes`` (k, |G|) the network's own.
    Complexity: O(k |G| sum of d^2 + ROUNDS T^3).
    """
    own = [irrep.coefficients(votes.T) for irrep in irreps]
    strength = [np.linalg.norm(a, 2, axis=(1, 2)) ** 2 / irrep.dimension for irrep, a in zip(irreps, own, strict=True)]
    best = np.argmax(strength, axis=0)
    matrices: list[Floats] = [np.zeros((0, 0))] * len(votes)
    for number, irrep in enumerate(irreps):
        members = np.flatnonzero(best == number)
        if not len(members):
            continue
        scale = irrep.points.group.order / irrep.dimension
        target = irrep.coefficients(cross_votes[members].T) * scale
        u, v = alternate(program[np.ix_(members, members)] * scale, target, own[number][members], ridge)
        for place, i in enumerate(members):
            matrices[i] = np.outer(u[place], v[place])
    return RankOneVotes(best, matrices)


def alternate(matrix: Floats, target: Floats, own: Floats, ridge: float) -> tuple[Floats, Floats]:
    """(T, d) vectors u and v for the module's equations: ``matrix`` (T, T) is |G|/d C', ``target`` (T, d, d) X, ``own`` (T, d, d)."""
    a, s, b = np.linalg.svd(own)
    u, v = a[:, :, 0] * s[:, :1], b[:, 0]
    prior = np.einsum("ta,tb->tab", u, v)
    pull = ridge * np.diag(matrix) + 1e-9 * (float(np.diag(matrix).mean()) or 1.0)
    for _ in range(ROUNDS):
        v = _unit(v)
        u = solve_terms(matrix, np.einsum("tab,tb->ta", target, v), v, pull, np.einsum("tab,tb->ta", prior, v))
        u = _unit(u)
        v = solve_terms(matrix, np.einsum("tab,ta->tb", target, u), u, pull, np.einsum("tab,ta->tb", prior, u))
    return u, v


def _unit(vectors: Floats) -> Floats:
    """The vectors (T, d) at unit length; a zero vector stays zero."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(norms > 0, norms, 1.0))


def solve_terms(matrix: Floats, right: Floats, fixed: Floats, pull: Floats, prior: Floats) -> Floats:
    """The vectors (T, d) that solve the equations for the other ones (T, d) fixed, of unit length: d right sides at once."""
    return np.asarray(np.linalg.solve(matrix * (fixed @ fixed.T) + np.diag(pull), right + pull[:, None] * prior))
