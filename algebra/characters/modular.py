"""Linear algebra over a prime field GF(p), on int64 arrays with entries 0..p-1.

Products go through float64 matrix multiplication, which is exact while inner dimension times p^2 is below
    2^53.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["column_basis", "eigenspaces", "least_prime", "null_space", "primitive_root_of_unity", "product_modulo"]

Matrix = NDArray[np.int64]


def least_prime(above: int, one_modulo: int) -> int:
    """The least prime p > ``above`` with p = 1 modulo ``one_modulo``."""
    candidate = above - above % one_modulo + 1
    while candidate <= above or candidate < 2 or any(candidate % q == 0 for q in range(2, int(candidate**0.5) + 1)):
        candidate += one_modulo
    return candidate


def primitive_root_of_unity(order: int, prime: int) -> int:
    """The least element of GF(p) of this multiplicative order, which must divide p - 1."""
    factors = [q for q in range(2, order + 1) if order % q == 0 and all(q % r for r in range(2, q))]
    for candidate in range(1, prime):
        full = pow(candidate, order, prime) == 1
        if full and all(pow(candidate, order // q, prime) != 1 for q in factors):
            return candidate
    raise AssertionError(f"{order} divides {prime} - 1")  # unreachable: the group of units is cyclic


def product_modulo(left: Matrix, right: Matrix, prime: int) -> Matrix:
    """Matrix product modulo p; of more terms than floats hold exactly, with integers, which is slow."""
    if left.shape[-1] * prime**2 >= 2**53:
        return np.asarray(left @ right % prime)
    exact = left.astype(np.float64) @ right.astype(np.float64)
    return exact.astype(np.int64) % prime


def _reduced(rows: Matrix, prime: int) -> tuple[Matrix, list[int]]:
    """Reduced row echelon form without its zero rows, and its pivot columns."""
    matrix = rows % prime
    pivots: list[int] = []
    for column in range(matrix.shape[1]):
        done = len(pivots)
        candidates = np.flatnonzero(matrix[done:, column])
        if len(candidates) == 0:
            continue
        row = done + int(candidates[0])
        matrix[[done, row]] = matrix[[row, done]]
        matrix[done] = matrix[done] * pow(int(matrix[done, column]), -1, prime) % prime
        others = np.flatnonzero(matrix[:, column])  # few, where elements commute: their class matrices move single entries
        others = others[others != done]
        below = matrix[others, column:] - matrix[others, column, None] * matrix[done, column:]  # before it the pivot's row is 0
        matrix[others, column:] = below % prime
        pivots.append(column)
    return matrix[: len(pivots)], pivots


def column_basis(columns: Matrix, prime: int) -> tuple[Matrix, list[int]]:
    """A basis of the column space that is the identity on the returned rows."""
    reduced, pivots = _reduced(columns.T, prime)
    return reduced.T, pivots


def null_space(matrix: Matrix, prime: int) -> Matrix:
    """Columns that form a basis of the kernel."""
    reduced, pivots = _reduced(matrix, prime)
    free = [column for column in range(matrix.shape[1]) if column not in set(pivots)]
    basis = np.zeros((matrix.shape[1], len(free)), dtype=np.int64)
    for k, column in enumerate(free):
        basis[column, k] = 1
        basis[pivots, k] = -reduced[:, column] % prime
    return basis


def eigenspaces(matrix: Matrix, prime: int) -> list[Matrix]:
    """Bases (as columns) of the eigenspaces for all eigenvalues in GF(p), by rising eigenvalue."""
    coefficients = _characteristic_polynomial(matrix, prime)
    points = np.arange(prime, dtype=np.int64)
    values = np.zeros(prime, dtype=np.int64)
    for coefficient in coefficients:
        values = (values * points + coefficient) % prime
    identity = np.eye(len(matrix), dtype=np.int64)
    roots = np.flatnonzero(values == 0).tolist()
    return [null_space((matrix - root * identity) % prime, prime) for root in roots]


def _characteristic_polynomial(matrix: Matrix, prime: int) -> list[int]:
    """Coefficients from the leading one down, by Faddeev and LeVerrier; the size must be below p."""
    size = len(matrix)
    coefficients = [1]
    running = np.zeros_like(matrix)
    for k in range(1, size + 1):
        running = (product_modulo(matrix, running, prime) + coefficients[-1] * np.eye(size, dtype=np.int64)) % prime
        trace = int(np.trace(product_modulo(matrix, running, prime)))
        coefficients.append(-trace * pow(k, -1, prime) % prime)
    return coefficients
