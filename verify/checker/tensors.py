"""Tensors in the bytes of a file, and their numbers as exact integers.

What this module proves: that `Tensor.matrix` returns the very numbers that are stored. A float is taken apart into an integer over a
power of two when it is read, and floats are never computed with.
"""

import struct
from collections.abc import Iterator
from math import prod
from typing import NamedTuple

from .integers import Matrix
from .shape import Malformed, need, shown

#: How `struct` reads the numbers that weights are (a bfloat16 is the upper half of a float32).
CODES = {"F16": "e", "BF16": "H", "F32": "f", "F64": "d"}
#: Bytes per number; types without a code may lie in a file beside the network, and are not read.
SIZES = {
    "F16": 2, "BF16": 2, "F32": 4, "F64": 8, "BOOL": 1, "U8": 1, "I8": 1, "I16": 2, "I32": 4, "I64": 8, "U16": 2, "U32": 4, "U64": 8,
    "C64": 8, "C128": 16,
}  # fmt: skip
COMPLEX = {"C64", "C128"}


class Tensor(NamedTuple):
    """A tensor in a file: entry (i, j) is number offset + i strides[0] + j strides[1] of the data, in the byte order ``order``."""

    kind: str
    data: memoryview
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int = 0
    order: str = "<"

    def checked(self, name: str) -> "Tensor":
        """The tensor, or Malformed where it reaches beyond its data."""
        stored = len(self.data) // SIZES[self.kind]
        last = self.offset + sum((n - 1) * step for n, step in zip(self.shape, self.strides, strict=True))
        inside = self.offset <= stored if 0 in self.shape else last < stored
        need(inside, f"expected a tensor that lies within its data, got {shown(name)} of shape {shown(self.shape)}")
        return self

    def bytes(self) -> int:
        """How many bytes its numbers take when each is written out."""
        return prod(self.shape) * SIZES[self.kind]

    def place(self) -> tuple[object, ...]:
        """What it looks at: two tensors with the same are one."""
        return id(self.data), self.kind, self.offset, self.shape, self.strides

    def matrix(self) -> Matrix:
        """Its numbers as integers over a power of two; a vector is one row. Malformed for anything else, NaN and infinity included."""
        need(self.kind in CODES, f"expected a tensor of floats, got {self.kind}")
        need(len(self.shape) in (1, 2) and prod(self.shape) > 0, f"expected a vector or a matrix, got the shape {shown(self.shape)}")
        height, down = (1, *self.shape)[-2], (0, *self.strides)[-2]
        try:
            bits = max(q.bit_length() for i in range(height) for _, q in self._row(i * down)) - 1  # q is a power of two
            narrow = self.kind != "F64" or all(is_float32(p, q.bit_length() - 1) for i in range(height) for p, q in self._row(i * down))
            rows = [[p << bits + 1 - q.bit_length() for p, q in self._row(i * down)] for i in range(height)]
        except (ValueError, OverflowError):
            raise Malformed("expected finite weights, got NaN or infinity") from None
        return Matrix(rows, bits, narrow)

    def _row(self, start: int) -> Iterator[tuple[int, int]]:
        """Numerator and denominator, a power of two, of the numbers of the row that begins there."""
        size, length, step = SIZES[self.kind], self.shape[-1], self.strides[-1]
        data = self.data[(self.offset + start) * size :]
        if step == 1:
            data = data[: length * size]
        else:
            data = memoryview(b"".join(bytes(data[j * step * size : (j * step + 1) * size]) for j in range(length)))
        if self.kind == "BF16":
            return (bfloat16(upper).as_integer_ratio() for upper in struct.unpack(f"{self.order}{length}H", data))
        return (number.as_integer_ratio() for number in struct.unpack(f"{self.order}{length}{CODES[self.kind]}", data))


def bfloat16(upper: int) -> float:
    """The number whose float32 has these upper two bytes, and 0 in the others."""
    number: float
    (number,) = struct.unpack("<f", struct.pack("<I", upper << 16))
    return number


Tensors = dict[str, Tensor]


def is_float32(p: int, bits: int) -> bool:
    """Whether p / 2^bits, in lowest terms, is a float32 number: 24 significant bits, below 2^128, a multiple of 2^-149."""
    odd = abs(p) // max(1, p & -p)
    return odd.bit_length() <= 24 and bits <= 149 and p.bit_length() - bits <= 128
