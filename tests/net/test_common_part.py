"""Common parts are taken away exactly or not at all, and logits and margins are those without them."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from net.common_part import without_common_part, without_opposite_parts
from net.weights import Weights
from verify.compare.answers import logit_blocks
from verify.distil.moment_bank import MomentBank
from verify.distil.moments import activation_moments
from verify.exact.exhaustive import evaluate

NUMBERS = st.floats(-1e308, 1e308)


@given(st.integers(2, 9), NUMBERS, st.lists(st.floats(0.4, 1.2), min_size=9, max_size=9))
def test_differences_within_a_row_are_those_before_exactly(count, size, parts) -> None:
    row = [size * part for part in parts[:count]]
    found = without_common_part(np.array([row]))[0]

    assert [Fraction(a) - Fraction(found[0]) for a in found.tolist()] == [Fraction(a) - Fraction(row[0]) for a in row]
    assert np.abs(found).max() <= np.abs(row).max()


@pytest.mark.parametrize("row", [[1.0, 3.0], [-1.0, 1.0], [0.0, 0.0], [0.0, 1.0], [1.0, np.nextafter(2, 3)], [5e-324, 1.5e-323]])
def test_rows_without_a_part_that_can_be_taken_exactly_stay(row) -> None:
    assert without_common_part(np.array([row, [7.0, 7.0]])).tolist() == [row, [0.0, 0.0]]


def test_logits_and_margins_of_votes_with_a_large_part_in_common_are_those_without_it() -> None:
    """Votes 2^20 and more above those of another network, and a bias of 2^20: float32 has one digit left of such logits."""
    rng = np.random.default_rng(0)
    left, right, votes = (rng.integers(-64, 65, size) / 64 for size in ((6, 9), (6, 9), (9, 6)))
    small = Weights.from_arrays(left, right, votes)
    large = Weights.from_arrays(left, right, votes + 2.0**20 * rng.integers(1, 5, (9, 1)), np.full(6, 2.0**20))
    for mine, theirs in zip(logit_blocks(small), logit_blocks(large), strict=True):
        centred = [one.logits - one.logits.mean(axis=2, keepdims=True) for one in (mine, theirs)]
        assert centred[1] == pytest.approx(centred[0], abs=1e-5)
    one, two = evaluate(small), evaluate(large)

    assert (one.answer == two.answer).all()
    assert two.margin == pytest.approx(one.margin, rel=1e-5)
    assert (two.margin_low <= one.margin_high).all()
    assert (one.margin_low <= two.margin_high).all()


@given(NUMBERS, st.lists(st.floats(0.4, 1.2), min_size=8, max_size=8), st.booleans())
def test_sums_of_both_sides_are_those_before_exactly(size, parts, opposite) -> None:
    left, right = np.array(parts[:4])[:, None] * size, np.array(parts[4:])[:, None] * (-size if opposite else size)
    one, two = without_opposite_parts(left, right)

    for a, c in zip(left.ravel().tolist(), one.ravel().tolist(), strict=True):
        for b, d in zip(right.ravel().tolist(), two.ravel().tolist(), strict=True):
            assert Fraction(a) + Fraction(b) == Fraction(c) + Fraction(d)
    assert max(np.abs(one).max(), np.abs(two).max()) <= max(np.abs(left).max(), np.abs(right).max())


def test_logits_margins_and_moments_of_sides_with_large_opposite_parts_are_those_without_them() -> None:
    """L and R beyond and below 2^22: float32 has a few values left of such sums."""
    rng = np.random.default_rng(0)
    left, right, votes = (rng.integers(-64, 65, size) / 64 for size in ((6, 9), (6, 9), (9, 6)))
    part = 2.0**22 * rng.choice([-1, 1], 9)
    small, large = Weights.from_arrays(left, right, votes), Weights.from_arrays(left + part, right - part, votes)
    for mine, theirs in zip(logit_blocks(small), logit_blocks(large), strict=True):
        assert theirs.logits == pytest.approx(mine.logits, abs=1e-5)

    assert activation_moments(large) == pytest.approx(activation_moments(small), abs=1e-5)
    bank = MomentBank(large).beside(small)
    assert bank.second == pytest.approx(bank.with_own, abs=1e-5)
    one, two = evaluate(small), evaluate(large)
    assert (one.answer == two.answer).all()
    assert two.margin == pytest.approx(one.margin, rel=1e-5)
