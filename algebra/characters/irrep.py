"""Irreducible representations of S_n in Young's orthogonal form, and of A_n by restriction.

The basis of the irrep of a partition is its standard tableaux. With d the content of i+1 minus that of i
(content: column minus row), the transposition of i and i+1 maps tableau t to ``t/d + sqrt(1 - 1/d^2) t'``,
where t' has i and i+1 exchanged (James and Kerber, The Representation Theory of the Symmetric Group, 1981,
section 3.4).

The irreps of a partition and of its conjugate restrict to the same irrep of A_n. For a self-conjugate one,
the map ``T: t -> sgn(t) t^transposed`` commutes with even permutations and anticommutes with odd ones, so
the restriction splits into its two eigenspaces; T^2 is 1, or -1 and then the two halves are complex.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import factorial

import numpy as np
from numpy.typing import NDArray

from algebra.errors import GroupError
from algebra.group import FiniteGroup
from algebra.permutation import parity

__all__ = [
    "IntegerPartition",
    "Irrep",
    "has_irreps",
    "irreps",
    "partitions",
    "standard_tableaux",
    "young_generators",
]

IntegerPartition = tuple[int, ...]
Tableau = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, eq=False)
class Irrep:
    """An irreducible representation by orthogonal (or, where they must be complex, unitary) matrices.

    Attributes:
        group: S_n or A_n.
        partition: the partition of n that it belongs to.
        half: 0, or 1 or -1 for the two halves that a self-conjugate partition has on A_n.

    """

    group: FiniteGroup
    partition: IntegerPartition
    half: int = 0

    @property
    def name(self) -> str:
        """The partition, with ``+`` or ``-`` for a half: ``(3,1,1)+``."""
        return f"({','.join(map(str, self.partition))})" + {0: "", 1: "+", -1: "-"}[self.half]

    @cached_property
    def dimension(self) -> int:
        """Number of rows of its matrices."""
        return len(standard_tableaux(self.partition)) // (2 if self.half else 1)

    @cached_property
    def matrices(self) -> NDArray[np.inexact]:
        """(order, dimension, dimension) with ``matrices[mul[x, y]] = matrices[x] @ matrices[y]``."""
        matrices = _spread(self.group, self._matrices_of(self.group.generators))
        matrices.setflags(write=False)
        return matrices

    def traces(self, elements: Sequence[int]) -> NDArray[np.inexact]:
        """(len(elements),) traces at some elements, without the matrices of the others."""
        rows = self.group.elements[list(elements)].tolist()
        return np.array([np.trace(matrix) for matrix in self._matrices_of(rows)])

    def _matrices_of(self, rows: Sequence[Sequence[int]]) -> Sequence[NDArray[np.inexact]]:
        young = young_generators(self.partition)
        matrices = [_word_matrix(young, images) for images in rows]
        if not self.half:
            return matrices
        basis = _half_basis(self.partition, self.half)
        return [basis.conj().T @ matrix @ basis for matrix in matrices]


def has_irreps(group: FiniteGroup) -> bool:
    """Whether the group is S_n or A_n on its n points, the groups whose irreps are built here."""
    return group.degree < 10 and group.order * 2 in (factorial(group.degree) * 2, factorial(group.degree))


@lru_cache(maxsize=16)
def irreps(group: FiniteGroup) -> tuple[Irrep, ...]:
    """All irreps of S_n or A_n, the trivial one first; matrices are built when first asked for.

    Raises:
        GroupError: the group is neither.

    """
    if not has_irreps(group):
        raise GroupError(f"Expected S_n or A_n on n points for irreps by Young's form, got {group.name}.")
    shapes = partitions(group.degree)
    if group.order == factorial(group.degree):
        return tuple(Irrep(group, shape) for shape in shapes)
    found = []
    for shape in shapes:
        if shape > conjugate_partition(shape):
            found.append(Irrep(group, shape))
        elif shape == conjugate_partition(shape):
            halves = (1, -1) if len(standard_tableaux(shape)) > 1 else (0,)
            found += [Irrep(group, shape, half) for half in halves]
    return tuple(found)


def partitions(number: int) -> list[IntegerPartition]:
    """Partitions of a number, in falling lexicographic order: (n) first."""

    def smaller(rest: int, largest: int) -> list[IntegerPartition]:
        if rest == 0:
            return [()]
        return [(part, *tail) for part in range(min(rest, largest), 0, -1) for tail in smaller(rest - part, part)]

    return smaller(number, number)


def conjugate_partition(shape: IntegerPartition) -> IntegerPartition:
    """The partition whose Young diagram is the transposed one."""
    return tuple(sum(part > column for part in shape) for column in range(shape[0] if shape else 0))


@lru_cache(maxsize=256)
def standard_tableaux(shape: IntegerPartition) -> tuple[Tableau, ...]:
    """Standard Young tableaux of a shape, as rows of 0-based entries that rise along rows and columns."""
    number = sum(shape)
    if number == 0:
        return ((),)
    found = []
    for row in range(len(shape)):
        if row + 1 == len(shape) or shape[row] > shape[row + 1]:
            rest = tuple(part - (i == row) for i, part in enumerate(shape) if part - (i == row))
            for smaller in standard_tableaux(rest):
                rows = [*smaller, *([()] * (len(shape) - len(smaller)))]
                rows[row] = (*rows[row], number - 1)
                found.append(tuple(rows))
    return tuple(sorted(found))


def _contents(tableau: Tableau) -> list[int]:
    places = {entry: column - row for row, line in enumerate(tableau) for column, entry in enumerate(line)}
    return [places[entry] for entry in range(len(places))]


@lru_cache(maxsize=256)
def young_generators(shape: IntegerPartition) -> tuple[NDArray[np.float64], ...]:
    """(d, d) matrices of the transpositions (1 2), (2 3), ..., (n-1 n) in Young's orthogonal form."""
    tableaux = standard_tableaux(shape)
    place = {tableau: i for i, tableau in enumerate(tableaux)}
    matrices = []
    for i in range(sum(shape) - 1):
        matrix = np.zeros((len(tableaux), len(tableaux)))
        for column, tableau in enumerate(tableaux):
            contents = _contents(tableau)
            distance = contents[i + 1] - contents[i]
            matrix[column, column] = 1 / distance
            if abs(distance) > 1:
                swapped = tuple(tuple({i: i + 1, i + 1: i}.get(e, e) for e in line) for line in tableau)
                matrix[place[swapped], column] = np.sqrt(1 - 1 / distance**2)
        matrix.setflags(write=False)
        matrices.append(matrix)
    return tuple(matrices)


def _word_matrix(young: tuple[NDArray[np.float64], ...], images: Sequence[int]) -> NDArray[np.float64]:
    """Matrix of a permutation: sorting its images by adjacent exchanges writes it as a product of them."""
    size = len(young[0]) if young else 1
    matrix, rest = np.eye(size), list(images)
    for end in range(len(rest), 1, -1):
        for i in range(end - 1):
            if rest[i] > rest[i + 1]:
                rest[i], rest[i + 1] = rest[i + 1], rest[i]
                matrix = matrix @ young[i]
    return matrix


def _spread(group: FiniteGroup, generator_matrices: Sequence[NDArray[np.inexact]]) -> NDArray[np.inexact]:
    """Matrices of all elements from those of the generators, one round for each length of word."""
    generators = [int(group.index_of(images)) for images in group.generators]
    kind = np.result_type(float, *generator_matrices) if generator_matrices else np.dtype(float)
    size = len(generator_matrices[0]) if generator_matrices else 1
    matrices = np.empty((group.order, size, size), dtype=kind)
    matrices[0] = np.eye(size)
    known = np.zeros(group.order, dtype=bool)
    known[0] = True
    newest = np.zeros(1, dtype=np.intp)
    while len(newest):
        reached = []
        for generator, matrix in zip(generators, generator_matrices, strict=True):
            there = group.mul[newest, generator].astype(np.intp)
            fresh = ~known[there]
            matrices[there[fresh]] = matrices[newest[fresh]] @ matrix
            known[there] = True
            reached.append(there[fresh])
        newest = np.concatenate(reached) if reached else newest[:0]
    return matrices


def _half_basis(shape: IntegerPartition, half: int) -> NDArray[np.inexact]:
    """(d, d/2) orthonormal eigenvectors of T, t -> sgn(t) t^transposed, for one of its two eigenvalues."""
    tableaux = standard_tableaux(shape)
    place = {tableau: i for i, tableau in enumerate(tableaux)}
    transposed = [place[_transposed(tableau)] for tableau in tableaux]
    signs = [(-1) ** parity(sum(tableau, ())) for tableau in tableaux]
    chosen = [i for i, other in enumerate(transposed) if i < other]
    square = signs[chosen[0]] * signs[transposed[chosen[0]]]
    eigenvalue = half if square == 1 else 1j * half
    basis = np.zeros((len(tableaux), len(chosen)), dtype=complex if square == -1 else float)
    for column, i in enumerate(chosen):
        basis[i, column] = np.sqrt(0.5)
        basis[transposed[i], column] = np.sqrt(0.5) * signs[i] / eigenvalue
    return basis


def _transposed(tableau: Tableau) -> Tableau:
    width = len(tableau[0])
    return tuple(tuple(line[column] for line in tableau if len(line) > column) for column in range(width))
