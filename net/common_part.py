"""What all outputs share in votes and bias, and what L and R have that cancels: it changes no answer, but floats lose digits to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from net.roundoff import Floats


def without_common_part(rows: Floats) -> Floats:
    """Rows (k, n) less each one's entry in the middle, where that is exact and brings numbers nearer to 0; else as they are.

    Of two numbers of one sign of which neither is more than twice the other the difference is a float64, subnormal ones included
    (Sterbenz's lemma; Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., theorem 2.5). So it is done in the rows where
    this holds of any two entries. Complexity: O(k n).
    """
    if not rows.size:
        return rows
    middle = np.partition(rows, rows.shape[1] // 2, axis=1)[:, rows.shape[1] // 2]
    least, most = rows.min(axis=1), rows.max(axis=1)
    near, far = np.minimum(np.abs(least), np.abs(most)), np.maximum(np.abs(least), np.abs(most))
    with np.errstate(over="ignore"):
        exact = (np.sign(least) * np.sign(most) > 0) & (far <= 2 * near)  # 2 * near is exact, or beyond all floats
    return np.where(exact[:, None], rows - np.where(exact, middle, 0.0)[:, None], rows) if exact.any() else rows


def without_opposite_parts(left: Floats, right: Floats) -> tuple[Floats, Floats]:
    """L and R (n, m), less and plus one number for each column where that is exact and brings all nearer to 0; else as they are.

    That changes no sum of an entry of L and one of R. It is exact, as above, where all entries of the column of L have one sign, those
    of R the other, and none is more than twice another in absolute value. Complexity: O(n m).
    """
    sizes = np.abs(left), np.abs(right)
    near = np.minimum(*(one.min(axis=0, initial=np.inf) for one in sizes))
    far = np.maximum(*(one.max(axis=0, initial=0.0) for one in sizes))
    signs = [np.where((one > 0).all(axis=0), 1, 0) - np.where((one < 0).all(axis=0), 1, 0) for one in (left, right)]
    with np.errstate(over="ignore"):
        exact = (signs[0] * signs[1] < 0) & (far <= 2 * near)
    if not exact.any():
        return left, right
    part = np.where(exact, np.partition(left, len(left) // 2, axis=0)[len(left) // 2], 0.0)
    return np.where(exact, left - part, left), np.where(exact, right + part, right)
