"""The map of margins shows what float64 knows, where float32 decided the answers."""

import numpy as np
import pytest

from algebra.group import parse_group
from net.planted import planted_rank_one
from verify.exact.exhaustive import correct_pairs, evaluate
from verify.record.grids import least_in_squares
from verify.record.summarise import sharp_margin_map


def test_small_margins_of_large_logits_have_the_digits_that_they_are_given_with() -> None:
    """All pairs of S4 are squares of their own; beside the float64 margin of each."""
    group = parse_group("S4")
    weights = planted_rank_one(group, seed=2, width=20, noise=0.02).network.weights
    evaluation = evaluate(weights)
    good = correct_pairs(evaluation, group.mul)
    logits = np.sort(weights.logits(*np.indices((24, 24))), axis=2)
    margins = logits[..., -1] - logits[..., -2]
    found = sharp_margin_map(weights, evaluation, good)

    assert good.any()
    assert [value for row in found.rows for value in row if value is not None] == pytest.approx(margins[good].tolist(), rel=1e-9)


def test_the_least_of_each_square_is_found() -> None:
    margins = np.random.default_rng(0).random((7, 7))
    good = np.ones((7, 7), dtype=bool)
    good[0, :2] = good[1, :2] = False

    pairs = least_in_squares(margins, good, size=4)
    expected = [margins[a : a + 2, b : b + 2].min() for a in range(0, 7, 2) for b in range(0, 7, 2) if (a, b) != (0, 0)]
    assert sorted(margins.ravel()[pairs]) == sorted(expected)
