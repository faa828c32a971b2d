"""The most and the fewest votes of a circuit, by the float64 product that is exact and by that of integers."""

from __future__ import annotations

import numpy as np
import pytest

from verify.symbolic.families import Columns
from verify.symbolic.proof_outline import _limbs, _swing, extremes


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
    """From one limb to many, up to weights that leave float64 no room; in Python's integers as well, and where these are needed."""
    rng = np.random.default_rng(sum(bits))
    reads, votes = bits
    left, right = (rng.integers(-(2**reads), 2**reads, (rows, 4)) for rows in (7, 6))
    columns = Columns(left, right, rng.integers(-(2**votes), 2**votes + 1, (4, 9)))
    shift, limbs = _limbs(columns)
    assert (limbs is None) == (reads >= 45)
    if limbs is not None:
        parts = [[[int(v) << shift * k for v in row] for row in limb] for k, limb in enumerate(limbs)]
        assert np.sum(np.array(parts, dtype=object), axis=0).tolist() == columns.votes.tolist()
        assert max(float(abs(limb).max()) for limb in limbs) <= 2.0**shift
    assert extremes(columns) == by_hand(columns)
    assert _swing(columns) == max(high - low for high, low in by_hand(columns))
    objects = Columns(*(a.astype(object) * 2**70 for a in columns))
    assert extremes(objects) == [(high << 140, low << 140) for high, low in by_hand(columns)]


def test_limbs_leave_float64_room_for_every_sum() -> None:
    """Activations of up to S = 2^31 leave 21 bits, one less leaves 22; at both the largest sums are exact, beside votes of 2^31 + 1."""
    for reach, room in ((2**31, 21), (2**31 - 1, 22)):
        columns = Columns(np.array([[reach - 1]]), np.array([[1]]), np.array([[2**31 + 1, -(2**31) - 1, 2**21, -(2**22)]]))
        shift, limbs = _limbs(columns)
        assert (shift, len(limbs or ())) == (room, 2)
        assert extremes(columns) == by_hand(columns) == [(reach * (2**31 + 1), -reach * (2**31 + 1))]
    assert float(2**62 - 1) == 2.0**62, "(2^31 - 1)(2^31 + 1) in one product would have been rounded"


def test_no_neuron_has_no_swing() -> None:
    """Every output gets 0."""
    columns = Columns(np.zeros((3, 0), np.int64), np.zeros((3, 0), np.int64), np.zeros((0, 3), np.int64))
    assert extremes(columns) == [(0, 0)]
    assert _swing(columns) == 0
