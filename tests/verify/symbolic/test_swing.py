"""The most and the fewest votes of a circuit, by the float64 product that is exact and by that of integers."""

from __future__ import annotations

import numpy as np
import pytest

from verify.symbolic.families import Columns
from verify.symbolic.swing import _digits, distinct, extremes, swing


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


@pytest.mark.parametrize("bits", [(3, 3), (20, 20), (3, 55), (25, 25), (30, 28), (45, 14), (58, 0)])
def test_extremes_are_those_of_all_pairs(bits: tuple[int, int]) -> None:
    """From one digit to many, in 64 bits and in Python's integers of three times as many."""
    rng = np.random.default_rng(sum(bits))
    reads, votes = bits
    left, right = (rng.integers(-(2**reads), 2**reads, (rows, 4)) for rows in (7, 6))
    columns = Columns(left, right, rng.integers(-(2**votes), 2**votes + 1, (4, 9)))
    assert extremes(columns) == by_hand(columns)
    assert swing(distinct(columns)) == max(high - low for high, low in by_hand(columns))
    wide = Columns(*(a.astype(object) * (2**70 + 1) for a in columns))
    assert extremes(wide) == by_hand(wide)
    assert swing(distinct(wide)) == (2**70 + 1) ** 2 * swing(distinct(columns))


@pytest.mark.parametrize("shift", [1, 8, 25])
def test_digits_add_up_to_the_numbers(shift: int) -> None:
    """All from 0 to 2^shift, but for the last one, which is no larger in absolute value."""
    rng = np.random.default_rng(shift)
    numbers = np.array([[0, 1, -1, 2**shift, -(2**shift), 2**62, -(2**62)], rng.integers(-(2**40), 2**40, 7).tolist()])
    for given in (numbers, numbers.astype(object) * 2**90):
        digits = _digits(given, shift)
        parts = [[[int(v) << shift * k for v in row] for row in digit] for k, digit in enumerate(digits)]
        assert np.sum(np.array(parts, dtype=object), axis=0).tolist() == given.tolist()
        assert all(digit.min() >= 0 for digit in digits[:-1])
        assert max(float(abs(digit).max()) for digit in digits) <= 2.0**shift


def test_products_of_digits_fill_the_53_bits_and_no_more() -> None:
    """Three neurons have digits of 25 bits: the largest sums, and numbers that one float64 product would round."""
    full = 2**25
    for reach in (full, full - 1, full + 1, 2**31 - 1):
        columns = Columns(
            np.full((1, 3), reach - 1), np.ones((1, 3), np.int64), np.array([[full, -full, reach, -reach, 2**31 + 1]] * 3)
        )
        assert extremes(columns) == by_hand(columns)
    assert float(2**62 - 1) == 2.0**62, "(2^31 - 1)(2^31 + 1) in one product would have been rounded"


def test_the_last_digit_decides_between_equals() -> None:
    """Votes that differ by one part in 2^60."""
    columns = Columns(np.array([[1]]), np.array([[0]]), np.array([[2**60, 2**60 + 1, 2**60 - 1, -(2**60), -(2**60) - 1]]))
    assert extremes(columns) == [(2**60 + 1, -(2**60) - 1)]


def test_no_neuron_has_no_swing() -> None:
    """Every output gets 0."""
    columns = Columns(np.zeros((3, 0), np.int64), np.zeros((3, 0), np.int64), np.zeros((0, 3), np.int64))
    assert extremes(columns) == [(0, 0)]
    assert swing(distinct(columns)) == 0
