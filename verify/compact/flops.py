"""Floating-point operations by rule: the one place where the cost of a proof and of brute force is counted.

A matrix product (a x k)(k x b) is 2akb. Every addition, subtraction, multiplication or comparison of two
numbers that a proof does outside a matrix product is 1. Moving numbers (gathers, transposes) is 0. Brute
force is counted by its matrix product alone, 2 m n^3: its ReLUs and its comparisons of logits are left out,
so ratios err against the proof.
"""

__all__ = ["brute_force", "matrix_product"]


def matrix_product(rows: int, inner: int, columns: int) -> int:
    """2 * rows * inner * columns."""
    return 2 * rows * inner * columns


def brute_force(order: int, width: int) -> int:
    """Vectorised evaluation on all pairs: n products (n x m)(m x n), 2 m n^3 in all."""
    return order * matrix_product(order, width, order)
