"""Tensors in the bytes of a file, and their numbers as exact integers.

What this module proves: that `Tensor.matrix` returns the very numbers that are stored. A float is taken apart into an integer over a
power of two when it is read, and floats are never computed with.
"""

import struct
from collections.abc import Sequence
from math import prod
from typing import NamedTuple

from .integers import Matrix
from .shape import Malformed, need, shown

#: Per type: bytes per number, and how `struct` reads it (a bfloat16 is the upper half of a float32).
NUMBERS = {"F16": (2, "e"), "BF16": (2, "H"), "F32": (4, "f"), "F64": (8, "d")}
#: Bytes per number of types that are no weights: such tensors may lie in a file, and are not read.
OTHERS = {"BOOL": 1, "U8": 1, "I8": 1, "I16": 2, "I32": 4, "I64": 8, "C64": 8, "C128": 16}


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
        size = NUMBERS[self.kind][0] if self.kind in NUMBERS else OTHERS[self.kind]
        last = self.offset + sum((n - 1) * step for n, step in zip(self.shape, self.strides, strict=True))
        inside = 0 in self.shape or last < len(self.data) // size
        need(
            len(self.shape) <= 4 and inside,
            f"expected a tensor that lies within its data, got {shown(name)} of shape {shown(self.shape)}",
        )
        return self

    def bytes(self) -> int:
        """How many bytes its numbers take when each is written out."""
        return prod(self.shape) * (NUMBERS[self.kind][0] if self.kind in NUMBERS else OTHERS[self.kind])

    def matrix(self) -> Matrix:
        """Its numbers as integers over a power of two; a vector is one row. Malformed for anything else, NaN and infinity included."""
        need(self.kind in NUMBERS, f"expected a tensor of floats, got {self.kind}")
        need(len(self.shape) in (1, 2) and prod(self.shape) > 0, f"expected a vector or a matrix, got the shape {shown(self.shape)}")
        (rows, width), (down, across) = (1, *self.shape)[-2:], (0, *self.strides)[-2:]
        places = [self.offset + i * down + j * across for i in range(rows) for j in range(width)]
        size, code = NUMBERS[self.kind]
        first, last = min(places), max(places)
        stored = struct.unpack_from(f"{self.order}{last - first + 1}{code}", self.data, first * size)
        if self.kind == "BF16":
            stored = struct.unpack(f"<{len(stored)}f", struct.pack(f"<{len(stored)}I", *(word << 16 for word in stored)))
        return exact([stored[place - first] for place in places], width)


def exact(numbers: Sequence[float], width: int) -> Matrix:
    """The matrix with these entries, row by row."""
    try:
        ratios = [number.as_integer_ratio() for number in numbers]
    except (ValueError, OverflowError):
        raise Malformed("expected finite weights, got NaN or infinity") from None
    bits = max(q.bit_length() for _, q in ratios) - 1
    integers = [p << bits + 1 - q.bit_length() for p, q in ratios]
    narrow = all(is_float32(p, q.bit_length() - 1) for p, q in ratios)
    return Matrix([integers[i : i + width] for i in range(0, len(integers), width)], bits, narrow)


def is_float32(p: int, bits: int) -> bool:
    """Whether p / 2^bits, in lowest terms, is a float32 number: 24 significant bits, below 2^128, a multiple of 2^-149."""
    odd = abs(p) // max(1, p & -p)
    return odd.bit_length() <= 24 and bits <= 149 and p.bit_length() - bits <= 128


Tensors = dict[str, Tensor]
