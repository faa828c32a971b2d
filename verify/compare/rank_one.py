"""Rank-one neurons, measured: how much of L, R and U is one coefficient of one irrep, and what the three share.

Up to a constant, a rank-one neuron of an irrep rho is

    L(x) = a^T rho(x) b,      R(y) = -s b^T rho(y) d,      U(z) = -v a^T rho(z) d,

three matrix coefficients that share a vector two by two (s and v are numbers, mostly positive). The Fourier coefficient
F(f) = (dim rho / |G|) sum_g f(g) rho(g) of each is then an outer product, and gives the share of its variance: |F|^2 |G| / dim rho of
the irrep, the largest singular value squared in place of |F|^2 of its best rank-one part (Schur orthogonality).

Where rho is the action on n points without the constants, perhaps times a character chi of order two, rho(g) can be replaced by
[pg = q] chi(g), and a and d are weights of points: `weights_of_points` finds the small integers nearest to them.
Measurement in float64; S_n and A_n, and those of their irreps whose matrices are real.
"""

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from algebra.characters.irrep import irreps
from algebra.coset import double_cosets
from algebra.group import FiniteGroup
from algebra.gset import GSet
from algebra.lattice import subgroups
from algebra.subgroup import Subgroup
from net.weights import Weights
from verify.distil.coset_fit import Floats

Integers = npt.NDArray[np.intp]

#: Sets of more points are not looked at: their integer weights are found by trying all.
MOST_POINTS = 8
#: Integer weights go from 0 to this.
LEVELS = 2


@dataclass(frozen=True, eq=False)
class RankOneFit:
    """How far each of m neurons is rank one. Sides are L, R, U in this order.

    Attributes:
        names: names of the irreps.
        strongest: (3, m) the irrep with the largest share of each side's variance, as a position in ``names``.
        irrep: (m,) the irrep on which the least of the three sides' rank-one shares is largest.
        on_irrep: (3, m) share of the variance on that irrep.
        rank_one: (3, m) share of the variance in the best rank-one coefficient of it.
        shared: (3, m) absolute cosines of the vectors that sides share there: a of L and U, b of L and R, d of R and U.
        power: (3, irreps, m) shares of the variance on each irrep.

    """

    names: tuple[str, ...]
    strongest: Integers
    irrep: Integers
    on_irrep: Floats
    rank_one: Floats
    shared: Floats
    power: Floats

    @property
    def rest(self) -> Floats:
        """(3, irreps, m) shares of the variance on each irrep but that of the neuron, where they are 0."""
        found = self.power.copy()
        found[:, self.irrep, np.arange(len(self.irrep))] = 0
        return np.asarray(found)

    def fits(self, within: float, sides: int = 3, aligned: bool = False) -> npt.NDArray[np.bool_]:
        """(m,) neurons whose first ``sides`` sides are rank one up to a share ``within``, with cosines of at least 1 - within."""
        good = (self.rank_one[:sides] >= 1 - within).all(axis=0)
        if aligned:
            good &= (self.shared[[1] if sides == 2 else [0, 1, 2]] >= 1 - within).all(axis=0)
        return np.asarray(good)


def rank_one_fit(group: FiniteGroup, weights: Weights, sides: int = 3) -> RankOneFit:
    """Measure every neuron; the irrep is chosen by the first ``sides`` of L, R and U.

    Complexity: O(|G|^2 m), and 3 m singular value decompositions for each irrep.
    """
    functions = [f - f.mean(axis=0) for f in (weights.L, weights.R, weights.U.T)]
    energy = np.array([np.maximum((f**2).sum(axis=0), np.finfo(float).tiny) for f in functions])
    used = [(k, rho) for k, rho in enumerate(irreps(group)) if k and not np.iscomplexobj(rho.matrices)]
    m = weights.width
    power, first, shared = np.zeros((3, len(used), m)), np.zeros((3, len(used), m)), np.zeros((3, len(used), m))
    for k, (_, rho) in enumerate(used):
        d = rho.dimension
        flat = rho.matrices.reshape(group.order, d * d)
        found = [(f.T @ flat).reshape(m, d, d) for f in functions]
        parts = [np.linalg.svd(one) for one in found]
        for side in range(3):
            power[side, k] = d / group.order * (found[side] ** 2).sum(axis=(1, 2)) / energy[side]
            first[side, k] = d / group.order * parts[side][1][:, 0] ** 2 / energy[side]
        (a, b), (b_right, c), (a_votes, c_votes) = ((part[0][:, :, 0], part[2][:, 0, :]) for part in parts)
        shared[:, k] = [np.abs((one * other).sum(axis=1)) for one, other in ((a, a_votes), (b, b_right), (c, c_votes))]
    best = first[:sides].min(axis=0).argmax(axis=0)
    every = np.arange(m)
    names = tuple(rho.name for _, rho in used)
    return RankOneFit(names, power.argmax(axis=1), best, power[:, best, every], first[:, best, every], shared[:, best, every], power)


# ---- on points


class PointSet(NamedTuple):
    """Points on which the group acts twice transitively, and the kernel of a character of order two, or None."""

    name: str
    points: GSet
    kernel: Subgroup | None


@lru_cache(maxsize=8)
def point_sets(group: FiniteGroup) -> tuple[PointSet, ...]:
    """All of them with 3 to MOST_POINTS points, one for each class of subgroups, with each character.

    A set is twice transitive if its stabiliser has two double cosets: then the functions on it without the constants are one irrep.
    """
    lattice = subgroups(group)
    kernels = [None, *(one for one in lattice.all if 2 * one.order == group.order)]
    found = []
    for one in lattice.classes:
        stabiliser = one.representative
        if 3 <= stabiliser.index <= MOST_POINTS and double_cosets(group, stabiliser.mask, stabiliser.mask).count == 2:
            found += [PointSet(one.name, GSet(stabiliser), kernel) for kernel in kernels]
    return tuple(found)


def on_points(group: FiniteGroup, where: PointSet, functions: Floats) -> tuple[Floats, Floats]:
    """The part of functions (|G|, k) on a set of points: matrices M (k, n, n) with f(g) = chi(g) sum of M[p, pg], and its share.

    M has rows and columns of sum 0; ((n - 1) / |G|) sum_g chi(g) f(g) [pg = q] without its row and column means is M.
    """
    moved, n = where.points.moved, where.points.count
    chi = np.ones(group.order) if where.kernel is None else np.where(where.kernel.mask, 1.0, -1.0)
    centred = functions - functions.mean(axis=0)
    sums = np.zeros((centred.shape[1], n, n))
    for p in range(n):
        for q in range(n):
            sums[:, p, q] = centred[moved[p] == q].T @ chi[moved[p] == q]
    matrix = (n - 1) / group.order * (sums - sums.mean(axis=1, keepdims=True) - sums.mean(axis=2, keepdims=True)
                                      + sums.mean(axis=(1, 2), keepdims=True))  # fmt: skip
    energy = np.maximum((centred**2).sum(axis=0), np.finfo(float).tiny)
    return matrix, np.asarray(group.order / (n - 1) * (matrix**2).sum(axis=(1, 2)) / energy)


@lru_cache(maxsize=8)
def _patterns(n: int) -> tuple[Integers, Floats]:
    """All vectors of 0 to LEVELS on n points with a 0 and another entry, the smallest first; and without their means, normalised."""
    every = np.array([w for w in itertools.product(range(LEVELS + 1), repeat=n) if min(w) == 0 and max(w) > 0])
    every = every[np.lexsort((every.sum(axis=1), every.max(axis=1)))]
    centred = every - every.mean(axis=1, keepdims=True)
    return every, centred / np.linalg.norm(centred, axis=1, keepdims=True)


def weights_of_points(vector: Sequence[float] | Floats, slack: float = 0.01) -> tuple[tuple[int, ...], float]:
    """The integers from 0 to LEVELS nearest to a multiple of a vector plus a constant, and the cosine squared.

    The simplest vector (least largest entry, then least sum) within ``slack`` of the best.
    """
    values = np.asarray(vector, dtype=float) - np.mean(vector)
    every, units = _patterns(len(values))
    cosines = (units @ values) ** 2 / max(float(values @ values), np.finfo(float).tiny)
    k = int(np.flatnonzero(cosines >= cosines.max() - slack)[0])
    return tuple(int(w) for w in every[k]), float(cosines[k])


def kind_of_weights(weights: Sequence[int]) -> str:
    """A word for weights up to sign and an added constant: "point", "pair", "half", "difference", or "weighted".

    One point (or all but one), two, half of an even number of four points or more; one rather than another; anything else.
    """
    n = len(weights)
    counts = Counter(weights)
    sizes = sorted(counts.values())
    if len(counts) == 2:
        if sizes[0] == 1:
            return "point"
        return "half" if 2 * sizes[0] == n else "pair" if sizes[0] == 2 else "weighted"
    levels = sorted(counts)
    even = len(levels) == 3 and levels[2] - levels[1] == levels[1] - levels[0]
    return "difference" if even and counts[levels[0]] == counts[levels[2]] == 1 else "weighted"
