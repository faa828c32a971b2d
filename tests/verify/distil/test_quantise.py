"""How many bits a program starts with, at any scale."""

import math
from fractions import Fraction

import pytest

from verify.distil.quantise import _least_bits


@pytest.mark.parametrize("noise", [5e-324, 1e-300, 1e-9, 3.0, 1e9, 1e300])
@pytest.mark.parametrize("loss", [5e-324, 1e-300, 1e-9, 2.0, 1e9, 1e300])
def test_the_bits_are_the_least_that_lose_little_enough(noise: float, loss: float) -> None:
    """The bound noise / 4^k <= loss holds, and k - 1 bits would not do; quotients beyond float64 included."""
    k = _least_bits(noise, loss)

    assert Fraction(noise) / 4**k <= Fraction(loss) * (1 + Fraction(1, 10**9))
    assert k == 0 or Fraction(noise) / 4 ** (k - 1) > Fraction(loss) * (1 - Fraction(1, 10**9))


@pytest.mark.parametrize(("noise", "loss"), [(0.0, 1.0), (1.0, 0.0), (math.inf, 1.0), (math.nan, 1.0), (1.0, math.nan)])
def test_no_bits_where_there_is_nothing_to_compare(noise: float, loss: float) -> None:
    """Zero, infinite and undefined numbers ask for no bits."""
    assert _least_bits(noise, loss) == 0
