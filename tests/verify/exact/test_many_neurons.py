"""Bounds of networks with millions of neurons: what any order of summation may lose is made up for."""

from fractions import Fraction

import numpy as np

from net.weights import Weights
from verify.exact import rounded_floats
from verify.exact.scaled_integers import LiveNeurons, _Scaled
from verify.record.exact_contenders import _error

U = Fraction(1, 2**53)
WIDTH = 2**23 + 5


def same(value: float | np.float32, *shape: int) -> np.ndarray:
    return np.broadcast_to(value, shape)


def equal_neurons(k: int) -> LiveNeurons:
    """One element and k neurons of L = 3/4, R = 0 and one vote of 3/4."""
    none = same(0.0, k)
    return LiveNeurons(same(0.75, 1, k), same(0.0, 1, k), same(0.75, k, 1), none, none, none, False)


def test_the_slack_of_integers_covers_any_order_of_summation() -> None:
    """With L and the vote rounded to 1, e = f = 1/4 and the sum is k (2 f (1 + e)), which a sum in float64 may make k u smaller."""
    scaled = _Scaled(same(1.0, 1, WIDTH), same(0.0, 1, WIDTH), same(1.0, WIDTH, 1), same(1.0, WIDTH))
    zeros = np.zeros(WIDTH, dtype=np.int64)
    slack = Fraction(scaled.slack(equal_neurons(WIDTH), zeros, zeros))
    assert slack * (1 - WIDTH * U) >= WIDTH * Fraction(5, 8)
    assert slack <= WIDTH * Fraction(5, 8) * (1 + Fraction(1, 2**26))


def test_integers_fit_only_if_they_do_in_any_order_of_summation() -> None:
    """The sum of k products of 1 is k, which is held 2 k u below the limit."""
    scaled = _Scaled(same(1.0, 1, WIDTH), same(0.0, 1, WIDTH), same(1.0, WIDTH, 1), same(1.0, WIDTH))
    assert not scaled.fits(WIDTH * (1 + 2.0**-30))
    assert scaled.fits(WIDTH * (1 + 2.0**-28))


def test_rounded_floats_do_without_networks_that_gamma_cannot_bound() -> None:
    """gamma_k bounds nothing where k 2^-24 is 1/2."""
    for k, bounded in ((2**23 - 1, True), (2**23, False)):
        single = [same(np.float32(0.75), *shape) for shape in ((1, k), (1, k), (k, 1))]
        zeros = np.zeros(k, dtype=np.int64)
        assert (rounded_floats._slack(equal_neurons(k), (single[0], single[1], single[2]), zeros, zeros) is not None) == bounded


def test_the_error_of_contenders_covers_any_order_of_summation() -> None:
    """The formula in fractions, for equal neurons with L, R, level and vote 3/4."""
    values = np.full((1, WIDTH), 0.75)
    weights = Weights.from_arrays(values, values, values.T)
    a, v, votes = 3 * U * Fraction(9, 4), 8 * U * Fraction(3, 4), Fraction(3, 2)
    top, gamma = Fraction(3, 2) + a, (WIDTH + 6) * U / (1 - (WIDTH + 6) * U)
    products = 2 * (a * votes + (top + a) * v) + 2 * a * votes + (top + 2 * a) * v
    formula = WIDTH * (products + gamma * 3 * (top + 2 * a) * (votes + v))
    found = Fraction(_error(weights, values, float(U), 0.0))
    assert found * (1 - WIDTH * U) >= formula
    assert found <= formula * (1 + Fraction(1, 2**26))
