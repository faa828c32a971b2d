"""Exact matrices against the rational numbers that float64 arrays are."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from net.dyadic import dyadic, lowest_bit, product

#: Zeros, the smallest and the largest floats, those beside 1 and 2, and powers of two at both ends.
EDGES = [0.0, -0.0, 5e-324, -5e-324, 2.0**-1022, 1 - 2.0**-53, 1.0, 1 + 2.0**-52, 2.0, 2.0**53 + 2, -(2.0**1023), np.finfo(float).max]


def any_floats(rng, count):
    """Finite floats of random bits, which have every size, with edges and small integers among them."""
    values = rng.integers(0, 2**64, count, dtype=np.uint64).view(np.float64)
    values = np.where(np.isfinite(values), values, rng.choice(EDGES, count))
    values = np.where(rng.random(count) < 0.25, rng.choice(EDGES, count), values)
    return np.where(rng.random(count) < 0.1, rng.integers(-9, 10, count), values)


def fractions_of(matrix):
    return [[Fraction(float(value)) for value in row] for row in matrix]


def slow_product(left, right):
    """The product in rational arithmetic, entry by entry."""
    rows, columns = fractions_of(left), list(zip(*fractions_of(right), strict=True))
    return [[sum((a * b for a, b in zip(row, column, strict=True)), Fraction(0)) for column in columns] for row in rows]


def as_fractions(exact):
    return [[Fraction(value, 1 << exact.bits) for value in row] for row in exact.integers.tolist()]


@pytest.mark.parametrize("spread", [1, 30, 120, 500])
def test_product_is_the_rational_product(spread):
    """Entries between 2^-spread and 2^spread, with zeros, denormals and cancellation."""
    rng = np.random.default_rng(spread)
    left = rng.standard_normal((5, 9)) * 2.0 ** rng.integers(-spread, spread + 1, (5, 9))
    right = rng.standard_normal((9, 4)) * 2.0 ** rng.integers(-spread, spread + 1, (9, 4))
    left[0, 0], left[1, 2], left[2] = 0.0, 5e-324, 0.0
    right[3, 1], right[:, 3] = -1e-310, 0.0
    left[3, 1], right[1, 0], left[3, 0], right[0, 0] = 1.5, 2.0, -1.5, 2.0

    assert as_fractions(product(left, right)) == slow_product(left, right)


def test_product_of_any_finite_matrices_is_the_rational_product():
    """Whatever 64 bits: 1e308 beside 5e-324."""
    rng = np.random.default_rng(1)
    for _ in range(60):
        left, right = any_floats(rng, 6).reshape(2, 3), any_floats(rng, 6).reshape(3, 2)

        assert as_fractions(product(left, right)) == slow_product(left, right)


def test_dyadic_integers_are_the_floats():
    """Each float is its integer over 2^bits, and no smaller power of two fits."""
    rng = np.random.default_rng(2)
    for _ in range(1000):
        array = any_floats(rng, int(rng.integers(1, 9)))
        exact = dyadic(array)

        assert [Fraction(value, 1 << exact.bits) for value in exact.integers.tolist()] == [Fraction(v) for v in array.tolist()]
        assert exact.bits == lowest_bit(array)
        assert exact.bits == 0 or any(value % 2 for value in exact.integers.tolist())


def test_limbs_survive_the_widest_inner_dimension():
    """With 4,096 terms of the largest mantissas every partial sum still is exact."""
    left = np.full((1, 4096), 2.0**53 - 1)
    right = np.full((4096, 1), 2.0**53 - 1)

    assert product(left, right).integers[0, 0] == 4096 * (2**53 - 1) ** 2


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_no_integer_over_a_power_of_two(value):
    array = np.array([[1.0, value]])
    for call in (lambda: dyadic(array), lambda: product(array, array.T), lambda: product(array.T[:1], array)):
        with pytest.raises(ValueError, match="expected finite numbers"):
            call()
