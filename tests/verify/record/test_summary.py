"""Measured figures of summary.json that are computed from proved ones."""

import numpy as np

from verify.exact.exhaustive import Evaluation
from verify.record.summary import margin_histogram


def evaluation(margins: list[list[float]]) -> Evaluation:
    low = np.array(margins)
    return Evaluation(np.zeros(low.shape, dtype=np.int16), low, low, {})


def test_margins_and_bounds_are_counted_in_equal_bins() -> None:
    """Right pairs with margins 1, 3, 4 and bounds -1, 2, 4: five bins of width 1 from -1 to 4; what was not bounded is left out."""
    good = np.array([[True, True], [False, True]])
    bound = np.array([[-1.0, 2.0], [-np.inf, 4.0]], dtype=np.float32)
    found = margin_histogram(evaluation([[1.0, 3.0], [9.0, 4.0]]), good, bound, bins=5)

    assert found == {"edges": [-1.0, 0.0, 1.0, 2.0, 3.0, 4.0], "network": [0, 0, 1, 0, 2], "bound": [1, 0, 0, 1, 1]}


def test_there_is_no_histogram_where_nothing_was_bounded_or_nothing_is_right() -> None:
    """None without a bound, and without a right pair."""
    everything = evaluation([[1.0]])

    assert margin_histogram(everything, np.array([[True]]), np.array([[-np.inf]], dtype=np.float32)) is None
    assert margin_histogram(everything, np.array([[False]]), np.array([[1.0]], dtype=np.float32)) is None
