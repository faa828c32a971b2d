"""Neurons that never fire are no part of a program."""

import numpy as np
import pytest

from net.activation import Activation
from net.weights import Weights
from verify.distil.quantise import silent_neurons


@pytest.mark.parametrize("bits", [0, 3, 80])
@pytest.mark.parametrize("activation", ["relu", "square"])
def test_silent_neurons_are_those_of_the_integers(bits: int, activation: Activation) -> None:
    """Also where l + r is 0 at every pair, or where floats round the integers to numbers that would cancel."""
    rng = np.random.default_rng(bits)
    left, right = (rng.integers(-2, 2, (4, 60)).astype(object) << bits for _ in range(2))
    left[:, :20] = -abs(left[:, :20])
    left[:, 40:], right[:, 40:] = 1 << bits, -(1 << bits)  # 0 at every pair
    left[1, 50:] += rng.integers(-1, 2, 10).astype(object)  # and off it by one unit at one x
    weights = Weights.from_integers(left, right, np.ones((60, 4), dtype=object), None, bits, 0, activation)
    expected = []
    for i in range(60):
        sums = [int(one + other) for one in left[:, i] for other in right[:, i]]
        expected.append(max(sums) <= 0 if activation == "relu" else not any(sums))
    assert silent_neurons(weights).tolist() == expected
    assert 0 < sum(expected) < 60
