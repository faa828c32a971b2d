"""What all outputs share is taken from votes and bias: it changes no difference of two logits, but floats lose digits to it."""

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
