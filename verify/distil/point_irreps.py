"""Irreducible representations found on the points of G-sets, where integers can speak of them.

The group moves the points of a G-set X, and so the real functions on X. A generic symmetric matrix that commutes with all moves has
the irreducible subspaces as its eigenspaces (Dixon 1970, "Computing irreducible representations of groups"). With V (points, d) an
orthonormal basis of one and chi a character of the group with values 1 and -1,

    rho(g)[a, b] = chi(g) sum over points p of V[p, a] V[p g, b]

is an irrep, and u^T rho(g) v = chi(g) sum over p of alpha[p] beta[p g] with alpha = V u, beta = V v. So a function of rank one on an
irrep is a form of rank one on the points. Which G-sets are looked at is decided by the group: the cosets of one subgroup of each class,
small sets first, each with every character of order two, and an irrep is kept with the first set that has it. Irreps of real type
alone are kept, for which Schur's relations are

    sum over g of rho(g)[a, b] rho(g)[a', b'] = |G| / d if a = a' and b = b', else 0.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from algebra.gset import GSet
from algebra.lattice import SubgroupLattice
from algebra.subgroup import Subgroup
from verify.distil.coset_fit import Floats

#: A G-set has at most so many points: ``LARGEST_SET`` times the square root of the group's order. A matrix on the points, n^2 numbers,
#: then is no cheaper than a few functions on the group, |G| numbers each.
LARGEST_SET = 2.0


@dataclass(frozen=True, eq=False)
class PointIrrep:
    """An irrep of real type inside the functions on a G-set.

    Attributes:
        points: the G-set, cosets of the representative of a class of subgroups.
        kernel: kernel of the character chi of the group, None for the trivial one.
        basis: (points, d) orthonormal basis V of the subspace.

    """

    points: GSet
    kernel: Subgroup | None
    basis: Floats

    @property
    def dimension(self) -> int:
        """Dimension of the irrep."""
        return int(self.basis.shape[1])

    @cached_property
    def signs(self) -> Floats:
        """(order,) chi."""
        if self.kernel is None:
            return np.ones(self.points.group.order)
        return np.where(self.kernel.mask, 1.0, -1.0)

    @cached_property
    def matrices(self) -> Floats:
        """(order, d, d) rho."""
        moved = self.points.moved
        total = np.zeros((moved.shape[1], self.dimension, self.dimension))
        for p, row in enumerate(moved):
            total += self.basis[p][None, :, None] * self.basis[row][:, None, :]
        return np.asarray(total * self.signs[:, None, None])

    @cached_property
    def character(self) -> Floats:
        """(order,) traces."""
        return _trace(self.points, self.basis) * self.signs

    def coefficients(self, functions: Floats) -> Floats:
        """(k, d, d) A with <A, rho(g)> the part of functions (order, k) on this irrep: d/|G| sum over g of f(g) rho(g)."""
        flat = self.matrices.reshape(len(self.matrices), -1)
        found = (flat.T @ functions).T * (self.dimension / len(self.matrices))
        return np.asarray(found.reshape(-1, self.dimension, self.dimension))

    def functions(self, coefficients: Floats) -> Floats:
        """(order, k) the functions <A, rho(g)> of coefficients (k, d, d)."""
        return np.asarray(self.matrices.reshape(len(self.matrices), -1) @ coefficients.reshape(len(coefficients), -1).T)


def _trace(points: GSet, basis: Floats) -> Floats:
    total = np.zeros(points.group.order)
    for p, row in enumerate(points.moved):
        total += basis[row] @ basis[p]
    return total


@lru_cache(maxsize=8)
def point_irreps(lattice: SubgroupLattice) -> tuple[PointIrrep, ...]:
    """The irreps of real type that small G-sets have, but for the trivial one; see the module's docstring.

    Complexity: O(|G| n d) for each set of n points and each subspace of dimension d.
    """
    group = lattice.group
    order = group.order
    halves = [None, *(lattice.all[i] for i in np.flatnonzero(2 * lattice.orders == order).tolist())]
    bases = [c.representative for c in sorted(lattice.classes, key=lambda c: -c.order) if 1 < c.order < order]
    found: list[PointIrrep] = []
    seen = np.ones((1, order))
    for base in bases:
        points = GSet(base)
        if points.count > LARGEST_SET * order**0.5:
            break
        for basis in _irreducible_subspaces(points):
            plain = _trace(points, basis)
            if round(float(plain @ plain) / order) != 1:
                continue
            for kernel in halves:
                irrep = PointIrrep(points, kernel, basis)
                character = plain * irrep.signs
                if np.abs(seen @ character).max() < order / 2:
                    found.append(irrep)
                    seen = np.concatenate([seen, character[None]])
    return tuple(found)


def _irreducible_subspaces(points: GSet) -> list[Floats]:
    """Orthonormal bases of the eigenspaces of a generic symmetric matrix that commutes with the moves, the constants left out."""
    labels = orbitals(points)
    values = np.random.default_rng(0).normal(size=labels.max() + 1)
    matrix = values[labels]
    eigenvalues, vectors = np.linalg.eigh(matrix + matrix.T)
    cuts = np.flatnonzero(np.diff(eigenvalues) > 1e-6) + 1
    spaces = np.split(vectors, cuts, axis=1)
    return [space for space in spaces if np.abs(space.sum(axis=0)).max() < 1e-6]


def orbitals(points: GSet) -> npt.NDArray[np.intp]:
    """(points, points) the number of the orbit of each pair of points: the least pair in it, by rounds over the generators."""
    n = points.count
    labels = np.arange(n * n)
    moves = [points.moved[:, points.group.index_of(images)] for images in points.group.generators]
    pairs = [(move[:, None] * n + move[None, :]).ravel() for move in moves]
    while True:
        before = labels.copy()
        for pair in pairs:
            least = np.minimum(labels, labels[pair])
            labels = least.copy()
            np.minimum.at(labels, pair, least)
        labels = labels[labels]
        if (labels == before).all():
            return np.unique(labels, return_inverse=True)[1].reshape(n, n)
