"""The most and the fewest votes of a circuit that belongs to no family, at all pairs, exactly."""

from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from net.roundoff import Floats
from verify.symbolic.exact import Exact
from verify.symbolic.families import Columns

__all__ = ["distinct", "entries_of", "extremes", "swing"]

#: Numbers of a block of votes.
BLOCK = 2_000_000


def distinct(columns: Columns) -> Columns:
    """Each row of l, row of r and output's votes once, in order."""
    sides = columns.left, columns.right, columns.votes.T
    rows = [sorted({tuple(row) for row in a.tolist()}) for a in sides]
    left, right, votes = (np.array(r, dtype=a.dtype).reshape(len(r), a.shape[1]) for r, a in zip(rows, sides, strict=True))
    return Columns(left, right, votes.T)


def entries_of(columns: Columns) -> int:
    """How many products and sums the checker makes of a circuit with these distinct rows."""
    width, outputs = (int(k) for k in columns.votes.shape)
    return len(columns.left) * len(columns.right) * outputs * (1 + width)


def swing(columns: Columns) -> int:
    """The most that a circuit can prefer one output to another at any pair."""
    return max((high - low for block in _blocks(columns) for high, low in block), default=0)


def extremes(columns: Columns) -> list[tuple[int, int]]:
    """(most, fewest) votes over all outputs, at every pair of distinct left and right rows."""
    return sorted({pair for block in _blocks(distinct(columns)) for pair in block})


def _blocks(columns: Columns) -> Iterator[Iterator[tuple[int, int]]]:
    """(most, fewest) votes over all outputs, at every pair of a left and a right row, some left rows at a time.

    Activations and votes are written in digits of t bits, which float64 multiplies exactly: with k neurons and t = (53 - bits of k) / 2
    rounded down, a sum of k products of two digits, each at most 2^t in absolute value, is an integer of at most k 2^(2t) < 2^53, and
    so is every partial sum, in whatever order they are added up.
    Complexity: O(left rows, right rows, neurons, outputs) for each pair of digits, by BLAS.
    """
    shift = (53 - len(columns.votes).bit_length()) // 2
    votes = _digits(columns.votes, shift)
    width, outputs = columns.votes.shape
    step = max(1, BLOCK // (len(columns.right) * (outputs * (len(votes) + 2) + width)))
    for start in range(0, len(columns.left), step):
        rows = columns.left[start : start + step, None] + columns.right
        pushes = _digits(np.maximum(rows.reshape(rows.shape[0] * rows.shape[1], width), 0), shift)
        totals = [np.zeros((len(pushes[0]), outputs), dtype=np.int64) for _ in range(len(pushes) + len(votes) - 1)]
        for i, push in enumerate(pushes):
            for j, vote in enumerate(votes):
                totals[i + j] += (push @ vote).astype(np.int64)
        for lower, higher in pairwise(totals):
            higher += lower >> shift
            lower &= (1 << shift) - 1
        yield zip(_best(totals, shift, np.max), _best(totals, shift, np.min), strict=True)


def _digits(numbers: Exact, shift: int) -> list[Floats]:
    """Matrices D_k with numbers = sum over k of 2^(shift k) D_k, all from 0 to 2^shift but the last, which has the signs."""
    lower = []
    while int(abs(numbers).max(initial=0)) > 1 << shift:
        lower.append((numbers & ((1 << shift) - 1)).astype(np.float64))
        numbers = numbers >> shift
    return [*lower, numbers.astype(np.float64)]


def _best(digits: list[npt.NDArray[np.int64]], shift: int, choose: Callable[..., npt.NDArray[np.int64]]) -> list[int]:
    """The greatest (`np.max`) or least (`np.min`) number of each row, of numbers in digits that carry nothing any more."""
    none = np.iinfo(np.int64).min if choose is np.max else np.iinfo(np.int64).max
    best = [0] * len(digits[0])
    contenders = np.ones(digits[0].shape, dtype=bool)
    for digit in reversed(digits):
        found = choose(np.where(contenders, digit, none), axis=1)
        contenders &= digit == found[:, None]
        best = [(number << shift) + int(value) for number, value in zip(best, found, strict=True)]
    return best
