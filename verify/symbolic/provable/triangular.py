"""Equations with a symmetric positive definite matrix of some thousand rows, by its Cholesky factor, with numpy alone.

The factor takes half the operations of a general solution, and its inverse by blocks a third of those of a general inverse.
"""

import numpy as np
import numpy.typing as npt

from verify.distil.coset_fit import Floats

__all__ = ["Singles", "coarse_factor", "inverse_of_lower", "positive_solution", "times_upper"]

#: Blocks of at most so many rows are inverted as they are.
BLOCK = 128
#: A product with a triangular matrix takes so many of its columns at a time.
STRIP = 512
#: A solution whose residual is at most this share of the right side needs no further step.
ACCURACY = 1e-9
#: Steps of iterative refinement after which the factor is taken for too coarse.
STEPS = 8

Singles = npt.NDArray[np.float32]


def positive_solution(matrix: Floats, target: Floats) -> Floats:
    """The x with ``matrix`` x = ``target``, for a symmetric positive definite matrix.

    By a Cholesky factor in float32 and iterative refinement in float64 (Higham, Accuracy and Stability of Numerical Algorithms, 2nd
    ed., chapter 12), which converges unless the matrix is nearly singular; then by a general solution in float64. Complexity: n^3 / 3
    operations and a few n^2.
    """
    try:
        factor: Singles = np.asarray(np.linalg.cholesky(matrix.astype(np.float32)), dtype=np.float32)
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.solve(matrix, target))
    found, wanted = np.zeros(len(target)), ACCURACY * float(np.linalg.norm(target))
    for _ in range(STEPS):
        residual = target - matrix @ found
        size = float(np.linalg.norm(residual))
        if size <= wanted:
            return found
        found = found + size * _substituted(factor, residual / size)
    return np.asarray(np.linalg.solve(matrix, target))


def coarse_factor(matrix: Floats) -> Singles:
    """The Cholesky factor to the accuracy of float32, computed in float64 where float32 finds the matrix not positive definite."""
    try:
        return np.asarray(np.linalg.cholesky(matrix.astype(np.float32)), dtype=np.float32)
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.cholesky(matrix), dtype=np.float32)


def _substituted(factor: Singles, target: Floats) -> Singles:
    """The x with L L^T x = ``target`` for a lower triangular L, block after block."""
    forward, n = target.astype(np.float32), len(target)
    cuts = [slice(start, min(start + BLOCK, n)) for start in range(0, n, BLOCK)]
    for part in cuts:
        forward[part] -= factor[part, : part.start] @ forward[: part.start]
        forward[part] = np.linalg.solve(factor[part, part], forward[part])
    for part in reversed(cuts):
        forward[part] -= factor[part.stop :, part].T @ forward[part.stop :]
        forward[part] = np.linalg.solve(factor[part, part].T, forward[part])
    return forward


def inverse_of_lower(factor: Singles) -> Singles:
    """The inverse of a lower triangular matrix by blocks: of [[A, 0], [C, D]] it is [[A', 0], [-D' C A', D']]; 2 n^3 / 3 operations."""
    n = len(factor)
    if n <= BLOCK:
        return np.asarray(np.linalg.inv(factor))
    half, result = n // 2, np.zeros_like(factor)
    result[:half, :half] = inverse_of_lower(factor[:half, :half])
    result[half:, half:] = inverse_of_lower(factor[half:, half:])
    result[half:, :half] = -(result[half:, half:] @ (factor[half:, :half] @ result[:half, :half]))
    return result


def times_upper(rows: Singles, upper: Singles) -> Singles:
    """``rows`` (k, n) times an upper triangular matrix, without the products with most of its zeros."""
    result = np.empty_like(rows)
    for start in range(0, len(upper), STRIP):
        stop = min(start + STRIP, len(upper))
        np.matmul(rows[:, :stop], upper[:stop, start:stop], out=result[:, start:stop])
    return result
