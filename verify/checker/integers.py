"""Exact integers: matrices over a power of two, rows of them packed into one big integer, and networks.

What this module proves: that a sum of rows taken by way of big integers is the sum of the rows, and which of its entries is the
largest. Floating-point numbers do not occur: weights are dyadic rationals, so over a common power of two they are integers.
"""

import struct
from collections.abc import Iterable, Sequence
from operator import add
from typing import NamedTuple

Rows = list[list[int]]


def columns(rows: Sequence[Sequence[int]]) -> Rows:
    """The columns of a matrix."""
    return [list(column) for column in zip(*rows, strict=True)]


class Matrix(NamedTuple):
    """Rows of integers over 2^bits; ``narrow`` when every one of these numbers is a float32 number."""

    rows: Rows
    bits: int
    narrow: bool = True

    def at(self, bits: int) -> Rows:
        """The integers over 2^bits, bits not below the matrix's own."""
        return [[value << (bits - self.bits) for value in row] for row in self.rows]

    def transposed(self) -> "Matrix":
        """The same with rows and columns exchanged."""
        return self._replace(rows=columns(self.rows))

    def absolute(self) -> "Matrix":
        """The absolute values."""
        return self._replace(rows=[[*map(abs, row)] for row in self.rows])


class Packed:
    """Sums of rows of integers, each row packed into one big integer so that one product multiplies a whole row.

    The row (u_0, u_1, ...) becomes sum_j u_j 2^(s j) (Kronecker substitution). Then base + sum_i c_i row_i holds base_j + sum_i c_i
    u_ij in its slot j, once 2^(s-1) is added to each slot against negative numbers, provided that |base_j| + sum_i |c_i| |u_ij| <
    2^(s-1) for all j: then each slot lies in 0 to 2^s - 1 and nothing is carried into the next one. ``reach`` bounds that sum through
    the ``largest`` |c_i| that will be asked for. s is a multiple of 64; a factor 2^spare moves the numbers into the highest 64 bits
    of their slots, so that the highest word of each slot already tells most of them apart.
    """

    def __init__(self, rows: Rows, base: Sequence[int], largest: Iterable[int]) -> None:
        reach = max(map(abs, base)) + sum(max(1, c) * max(map(abs, row)) for c, row in zip(largest, rows, strict=True))
        self.columns, self.size = len(base), 8 * (reach.bit_length() // 64 + 1)
        self.spare, self.half = 8 * self.size - 1 - reach.bit_length(), 1 << (8 * self.size - 1)
        self.halves = int.from_bytes(self.half.to_bytes(self.size, "little") * self.columns, "little")
        self.base, self.rows = self.pack(base) + self.halves, [self.pack(row) for row in rows]

    def pack(self, row: Sequence[int]) -> int:
        """sum_j row[j] 2^(spare + s j)."""
        slots = [((value << self.spare) + self.half).to_bytes(self.size, "little") for value in row]
        return int.from_bytes(b"".join(slots), "little") - self.halves

    def combine(self, coefficients: Iterable[int]) -> bytes:
        """The slots of base + sum_i c_i row_i, for |c_i| at most as large as announced."""
        total = self.base
        for c, row in zip(coefficients, self.rows, strict=True):
            if c:
                total += c * row
        return total.to_bytes(self.size * self.columns, "little")

    def number(self, slots: bytes, j: int) -> int:
        """The number in slot j."""
        return int.from_bytes(slots[j * self.size : (j + 1) * self.size], "little") - self.half >> self.spare

    def numbers(self, slots: bytes) -> list[int]:
        """The numbers in all slots."""
        return [self.number(slots, j) for j in range(self.columns)]

    def contest(self, slots: bytes, z: int) -> tuple[int, int]:
        """Where the largest number is (-1 when it is there twice), and number z minus the largest of the others (0 without others).

        A larger number has a larger or an equal highest word, so among the others only those with the largest highest word are
        compared.
        """
        if self.columns == 1:
            return z, 0
        words = self.size // 8
        tops = [*struct.unpack(f"<{words * self.columns}Q", slots)[words - 1 :: words]]
        tops[z] = -1
        most = max(tops)
        rivals = [tops.index(most)] if tops.count(most) == 1 else [j for j, top in enumerate(tops) if top == most]
        values = [self.number(slots, j) for j in rivals]
        best, own = max(values), self.number(slots, z)
        winners = [z] * (own >= best) + [j for j, value in zip(rivals, values, strict=True) if own <= best == value]
        return (winners[0] if len(winners) == 1 else -1), own - best


class Network:
    """logits(x, y)[z] = sum_i relu(left[x][i] + right[y][i]) votes[i][z] + bias[z], with the square in place of relu where ``squared``.

    ``left`` and ``right`` are over 2^bits, ``votes`` over 2^vote_bits, ``bias`` and the logits over 2^logit_bits, which is the product
    of the two, or with squares 2^(2 bits + vote_bits). ``highest[i]`` is the largest left[x][i] + right[y][i]: neuron i fires nowhere
    when that is not positive. With squares it is the largest in absolute value, and neuron i fires nowhere when that is 0.
    """

    def __init__(
        self, left: Rows, right: Rows, votes: Rows, bias: Sequence[int], bits: int, vote_bits: int, squared: bool = False
    ) -> None:
        self.left, self.right, self.votes, self.bias, self.bits, self.vote_bits = left, right, votes, [*bias], bits, vote_bits
        self.order, self.width = len(self.bias), len(votes)
        self.highest = [max(a) + max(b) for a, b in zip(columns(left), columns(right), strict=True)]
        self.squared, self.logit_bits = squared, (2 * bits if squared else bits) + vote_bits
        if squared:
            lowest = [min(a) + min(b) for a, b in zip(columns(left), columns(right), strict=True)]
            self.highest = [max(top, -bottom) for top, bottom in zip(self.highest, lowest, strict=True)]
        self.packed = Packed(votes, bias, [top * top if squared else max(0, top) for top in self.highest])

    def logits(self, x: int, y: int) -> bytes:
        """The logits at (x, y), in slots of ``packed``."""
        sums = map(add, self.left[x], self.right[y])
        return self.packed.combine([h * h for h in sums] if self.squared else [h if h > 0 else 0 for h in sums])
