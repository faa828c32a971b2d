"""Equations by Cholesky factors against numpy's general ones."""

import numpy as np
import pytest

from verify.symbolic.provable.triangular import STRIP, coarse_factor, inverse_of_lower, positive_solution, times_upper


def positive(n: int, condition: float) -> np.ndarray:
    rng = np.random.default_rng(n)
    turned, _ = np.linalg.qr(rng.normal(size=(n, n)))
    return np.asarray(turned * np.geomspace(1.0, condition, n)) @ turned.T


@pytest.mark.parametrize("n", [1, 2, 127, 128, 129, 400])
def test_the_inverse_by_blocks_is_the_inverse(n: int) -> None:
    factor = np.linalg.cholesky(positive(n, 100.0)).astype(np.float32)
    found = inverse_of_lower(factor)
    assert np.array_equal(found, np.tril(found)) or n <= 128
    assert np.allclose(found, np.linalg.inv(factor.astype(np.float64)), atol=1e-4)
    assert np.allclose(found @ factor, np.eye(n), atol=1e-4)


@pytest.mark.parametrize("n", [1, 128, 300])
@pytest.mark.parametrize("condition", [1.0, 1e4, 1e9, 1e13])
@pytest.mark.parametrize("size", [1e-30, 1.0, 1e12])
def test_solutions_are_those_of_a_general_solver(n: int, condition: float, size: float) -> None:
    """Also where float32 is too coarse for a factor or for refinement to converge."""
    matrix, wanted = positive(n, condition), np.random.default_rng(1).normal(size=n)
    target = size * (matrix @ wanted)
    found = positive_solution(matrix, target)
    assert np.linalg.norm(matrix @ found - target) <= 1e-8 * np.linalg.norm(target)
    assert np.allclose(found, size * wanted, rtol=0, atol=1e-13 * size * condition + 1e-8 * condition * size)


def test_nothing_wanted_is_solved_by_nothing() -> None:
    assert (positive_solution(np.eye(3), np.zeros(3)) == 0).all()


@pytest.mark.parametrize("condition", [1.0, 1e5, 1e12])
def test_a_coarse_factor_is_the_factor(condition: float) -> None:
    """To float32, also where the matrix is none that float32 can factor."""
    matrix = positive(200, condition)
    assert np.allclose(coarse_factor(matrix), np.linalg.cholesky(matrix), rtol=0, atol=1e-3 * condition**0.5)
    assert np.allclose(coarse_factor(matrix) @ coarse_factor(matrix).T, matrix, rtol=0, atol=1e-5 * condition)


@pytest.mark.parametrize("n", [1, STRIP, STRIP + 7])
def test_products_leave_nothing_but_zeros_out(n: int) -> None:
    rng = np.random.default_rng(n)
    rows, upper = rng.normal(size=(5, n)).astype(np.float32), np.triu(rng.normal(size=(n, n))).astype(np.float32)
    assert np.allclose(times_upper(rows, upper), rows.astype(float) @ upper.astype(float), atol=1e-3)
