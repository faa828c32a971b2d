"""Exact matrices of dyadic rationals: float arrays as integers over a power of two, and their products.

A product is computed by float64 BLAS on *limbs*: the integers are cut into pieces so short that every partial
sum of a product of pieces stays below 2^53, where float64 addition and multiplication of integers is exact in
any order of summation, with or without fused multiply-add.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatMatrix = npt.NDArray[np.float64]
#: Entries are Python integers.
IntegerMatrix = npt.NDArray[np.object_]

_MANTISSA = 53


@dataclass(frozen=True, eq=False)
class Dyadic:
    """The array integers / 2^bits, with `integers` an object array of Python ints and bits >= 0."""

    integers: IntegerMatrix
    bits: int

    def at(self, bits: int) -> IntegerMatrix:
        """The same numbers as integers over 2^bits, for bits >= self.bits."""
        return np.asarray(self.integers * (1 << (bits - self.bits)), dtype=object)


def lowest_bit(values: FloatMatrix) -> int:
    """The least q >= 0 for which values * 2^q are integers; 0 for an array without nonzero entries.

    A finite float64 is mantissa * 2^(exponent - 53) with an integral 53-bit mantissa, so q is the largest
    53 - exponent - (trailing zeros of the mantissa).
    """
    mantissa, exponent = _split(values)
    nonzero = mantissa != 0
    if not nonzero.any():
        return 0
    mantissa, exponent = mantissa[nonzero], exponent[nonzero]
    return max(0, int((_MANTISSA - exponent - _trailing_zeros(mantissa)).max()))


def dyadic(values: FloatMatrix) -> Dyadic:
    """The finite float64 array as integers over the least power of two that fits all of its entries.

    ValueError for NaN and infinity, which are no such numbers.
    """
    _check_finite(values)
    bits = lowest_bit(values)
    mantissa, exponent = _split(values)
    zeros = np.where(mantissa == 0, 0, _trailing_zeros(mantissa))
    # >> drops only zero bits; the remaining shift is bits - (53 - exponent - zeros) >= 0
    shifts = np.where(mantissa == 0, 0, exponent - _MANTISSA + zeros + bits)
    return Dyadic((mantissa >> zeros).astype(object) << shifts.astype(object), bits)


def product(left: FloatMatrix, right: FloatMatrix) -> Dyadic:
    """Left @ right exactly, for finite float64 matrices (rows, inner) and (inner, columns); ValueError for others.

    Cost: (limbs of left) * (limbs of right) float64 matrix products, and one addition of Python integers for
    each entry and each sum of limb positions.
    """
    for values in (left, right):
        _check_finite(values)
    inner = left.shape[1]
    width = (_MANTISSA - 1 - max(1, inner).bit_length()) // 2
    left_limbs, left_bits = _limbs(left, width)
    right_limbs, right_bits = _limbs(right, width)
    total = np.zeros((left.shape[0], right.shape[1]), dtype=object)
    # Horner's rule from the top position down: total = total * 2^width + (products whose positions sum to it)
    for position in range(len(left_limbs) + len(right_limbs) - 2, -1, -1):
        if position < len(left_limbs) + len(right_limbs) - 2:
            total = total << width
        total = total + _at_position(left_limbs, right_limbs, position)
    return Dyadic(total, left_bits + right_bits)


def _at_position(left: list[FloatMatrix], right: list[FloatMatrix], position: int) -> IntegerMatrix:
    """Sum of left[i] @ right[j] over i + j = position; each product is below 2^52, so 2^11 fit in int64."""
    partial = np.zeros((left[0].shape[0], right[0].shape[1]), dtype=np.int64)
    for i in range(max(0, position - len(right) + 1), min(len(left), position + 1)):
        if left[i].any() and right[position - i].any():
            partial += (left[i] @ right[position - i]).astype(np.int64)
    return partial.astype(object)


def _limbs(values: FloatMatrix, width: int) -> tuple[list[FloatMatrix], int]:
    """Float64 arrays of integers l_k, |l_k| < 2^width, and q with values * 2^q = sum_k l_k * 2^(width k)."""
    bits = lowest_bit(values)
    _, exponent = _split(values)
    top = int(exponent[values != 0].max()) if values.any() else 0
    count = max(1, -(-(top + bits) // width))
    rest = np.abs(values)
    limbs = []
    for k in range(count - 1, -1, -1):
        scale = width * k - bits
        # Exact: rest < 2^(scale + width), so the quotient is below 2^width, and where scaling down underflows
        # it is far below 1. The limb's multiple is rest with its low bits cleared: also a float64.
        limb = np.floor(np.ldexp(rest, -scale))
        rest = rest - np.ldexp(limb, scale)
        limbs.append(np.copysign(limb, values))
    return limbs[::-1], bits


def _check_finite(values: FloatMatrix) -> None:
    if not np.isfinite(values).all():
        raise ValueError(f"expected finite numbers to write as integers over a power of two, got {values[~np.isfinite(values)][0]}")


def _split(
    values: FloatMatrix,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """(mantissa, exponent) in int64 with values = mantissa * 2^(exponent - 53) and |mantissa| < 2^53."""
    fraction, exponent = np.frexp(values)
    return np.ldexp(fraction, _MANTISSA).astype(np.int64), exponent.astype(np.int64)


def _trailing_zeros(mantissa: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Number of trailing zero bits (of a nonzero integer; 63 for zero)."""
    lowest = mantissa & -mantissa
    return np.asarray(np.bitwise_count((lowest - 1).view(np.uint64) & np.uint64(2**63 - 1)), dtype=np.int64)
