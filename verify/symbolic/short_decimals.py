"""Rational numbers of any size as a few digits, for sentences."""

import decimal
import math
from fractions import Fraction

__all__ = ["above", "nearest_decimal"]


def above(value: Fraction) -> str:
    """A short decimal that is no less than a number: two places, or three digits and a power of ten."""
    return _short(value, math.ceil(value * 100), decimal.ROUND_CEILING)


def nearest_decimal(value: Fraction) -> str:
    """The nearest short decimal: two places, or three digits and a power of ten."""
    return _short(value, round(value * 100), decimal.ROUND_HALF_EVEN)


def _short(value: Fraction, hundredths: int, rounding: str) -> str:
    if value == 0 or 10 <= abs(hundredths) < 10**8:
        return f"{'-' * (hundredths < 0)}{abs(hundredths) // 100}.{abs(hundredths) % 100:02d}"
    context = decimal.Context(prec=3, rounding=rounding, Emin=decimal.MIN_EMIN, Emax=decimal.MAX_EMAX)
    return f"{context.divide(decimal.Decimal(value.numerator), decimal.Decimal(value.denominator)):.2e}"
