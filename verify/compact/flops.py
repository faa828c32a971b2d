"""Floating-point operations by rule: the one place where the cost of a proof and of brute force is counted.

A matrix product (a x k)(k x b) is 2akb. Every addition, subtraction, multiplication or comparison of two
numbers that a proof does outside a matrix product is 1. Moving numbers (gathers, transposes) is 0. Brute
force is counted by its matrix product alone, 2 m n^3: its ReLUs and its comparisons of logits are left out,
so ratios err against the proof.
"""

from collections.abc import Sequence

__all__ = ["brute_force", "contender_pair", "matrix_product", "planned_tables"]


def matrix_product(rows: int, inner: int, columns: int) -> int:
    """2 * rows * inner * columns."""
    return 2 * rows * inner * columns


def brute_force(order: int, width: int) -> int:
    """Vectorised evaluation on all pairs: n products (n x m)(m x n), 2 m n^3 in all."""
    return order * matrix_product(order, width, order)


def planned_tables(order: int, width: int, families: Sequence[tuple[int, int]], merged: int, last: int) -> int:
    """The proof that a certificate's plan stands for, without contenders; ``families`` are (neurons, cells).

    For every y 2 operations for the activation of each neuron on each cell and 2 n for its product with the votes, the bias into the
    smallest table, and one addition for each z and each of the ``merged`` cells; for every pair n additions for each of the ``last``
    tables but one and n comparisons, 4 m operations for the right logit, 6 m for the slack of this pair and one comparison of it.
    """
    inside = sum(neurons * cells for neurons, cells in families)
    bias = min((cells for _, cells in families), default=0)
    tables = order * 2 * inside + order * order * (2 * inside + bias + merged)
    return tables + order * order * (max(1, last) * order + 10 * width + 1)


def contender_pair(contenders: int, width: int, order: int) -> int:
    """A pair with contenders: its activations and right logit, and a logit and a comparison for each; at most evaluating the pair."""
    if not contenders:
        return 0
    return min(4 * width + 1 + (2 * width + 2) * contenders, matrix_product(1, width, order))
