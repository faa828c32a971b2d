"""The most and the fewest votes of a circuit, by the float64 product that is exact and by that of integers."""

from __future__ import annotations

import numpy as np
import pytest

from verify.symbolic.families import Columns
from verify.symbolic.proof_outline import _multiplied_exactly, _swing, extremes


def by_hand(columns: Columns) -> list[tuple[int, int]]:
    """All pairs of rows, in Python's integers."""
    left, right, votes = (a.tolist() for a in columns)
    found = set()
    for a in left:
        for b in right:
            push = [max(0, p + q) for p, q in zip(a, b, strict=True)]
            totals = [sum(h * row[z] for h, row in zip(push, votes, strict=True)) for z in range(len(votes[0]))]
            found.add((max(totals), min(totals)))
    return sorted(found)


@pytest.mark.parametrize("dtype", [np.int64, object])
@pytest.mark.parametrize("bits", [3, 20, 27, 30])
def test_extremes_are_those_of_all_pairs(bits: int, dtype: type) -> None:
    """With sums of up to 2^9, 2^43, 2^57 and 2^63: the last two cannot be added up in float64 and are not."""
    rng = np.random.default_rng(bits)
    sizes = [(7, 4), (6, 4), (4, 9)]
    columns = Columns(*(rng.integers(-(2**bits), 2**bits, size).astype(dtype) for size in sizes))
    assert _multiplied_exactly(columns) == (bits < 27)
    assert extremes(columns) == by_hand(columns)
    assert _swing(columns) == max(high - low for high, low in by_hand(columns))


def test_a_sum_of_one_more_than_float64_has_is_left_to_integers() -> None:
    """2^53 = (2^26 + 2^26) 2^26 is multiplied out in float64; one more, which float64 rounds away, is not."""
    half = 2**26
    even = Columns(np.array([[half, 0]]), np.array([[half - 1, 0]]), np.array([[half, 0], [1, 0]]))
    assert _multiplied_exactly(even)
    odd = Columns(np.array([[half, 1]]), np.array([[half, 0]]), np.array([[half, 0], [1, 0]]))
    assert not _multiplied_exactly(odd)
    for columns in (even, odd):
        assert extremes(columns) == by_hand(columns)
    assert extremes(odd) == [(2**53 + 1, 0)]
    assert float(2**53 + 1) == 2.0**53, "what float64 would have said"


def test_no_neuron_has_no_swing() -> None:
    """Every output gets 0."""
    columns = Columns(np.zeros((3, 0), np.int64), np.zeros((3, 0), np.int64), np.zeros((0, 3), np.int64))
    assert extremes(columns) == [(0, 0)]
    assert _swing(columns) == 0
