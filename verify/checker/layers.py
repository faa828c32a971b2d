"""A network's layers as exact matrices, and what they fold into.

What this module proves: that `side_of`, `bias_of` and `fold` return the products and sums that they name, as exact integers over a
power of two, and `mirror` the same function with relu in place of absolute values.
"""

from operator import add
from typing import NamedTuple

from .integers import Matrix, Packed, columns

Chain = tuple[Matrix, ...]


class Layers(NamedTuple):
    """A network in its file's own numbering: ((activation(left[x] + right[y]) + after) votes + middle) through + bias.

    ``left`` and ``right`` are one matrix each, or two to be multiplied; what is ``added`` to every row of them is a vector, or a
    vector times a matrix. The activation is relu, the absolute value where ``mirrored``, or the square where ``squared``.
    """

    left: Chain
    right: Chain
    votes: Matrix
    bias: Matrix | None = None
    after: Matrix | None = None
    left_added: tuple[Chain, ...] = ()
    right_added: tuple[Chain, ...] = ()
    through: Matrix | None = None
    middle: Matrix | None = None
    mirrored: bool = False
    squared: bool = False

    @property
    def order(self) -> int:
        """How many elements it is over."""
        return len(self.left[0].rows)

    def matrices(self) -> list[Matrix]:
        """All of them."""
        single = (self.bias, self.after, self.through, self.middle)
        added = [matrix for chain in (*self.left_added, *self.right_added) for matrix in chain]
        return [*self.left, *self.right, self.votes, *(m for m in single if m), *added]


def mirror(layers: Layers) -> Layers:
    """The same function with relu: |p| = relu(p) + relu(-p), so every neuron gets a mirror with the same votes."""

    def both(chain: Chain) -> Chain:
        last = chain[-1]
        return (*chain[:-1], last._replace(rows=[[*row, *(-value for value in row)] for row in last.rows]))

    after = layers.after
    return layers._replace(
        left=both(layers.left),
        right=both(layers.right),
        votes=layers.votes._replace(rows=layers.votes.rows * 2),
        after=after._replace(rows=[[*after.rows[0], *([0] * len(after.rows[0]))]]) if after else None,
        left_added=tuple(map(both, layers.left_added)),
        right_added=tuple(map(both, layers.right_added)),
        mirrored=False,
    )


def side_of(factors: Chain, added: tuple[Chain, ...]) -> list[Matrix]:
    """One input's part of the pre-activations, and the sum of the absolute values behind each of its entries."""
    side = fold(*factors)
    for chain in added:
        side = [plus_row(total, row) for total, row in zip(side, fold(*chain), strict=True)]
    return side


def bias_of(layers: Layers, votes: Matrix, n: int) -> Matrix:
    """What is added to the logits, one row: the bias, and what biases on the way come to; ``votes`` is votes times ``through``."""
    total = layers.bias or Matrix([[0] * n], 0)
    if layers.middle is not None:
        total = plus_row(total, fold(layers.middle, layers.through)[0] if layers.through else layers.middle)
    return plus_row(total, fold(layers.after, votes)[0]) if layers.after else total


def plus_row(matrix: Matrix, row: Matrix) -> Matrix:
    """The matrix with the row added to each of its rows."""
    bits = max(matrix.bits, row.bits)
    (more,) = row.at(bits)
    return Matrix([[*map(add, line, more)] for line in matrix.at(bits)], bits)


def fold(*factors: Matrix) -> list[Matrix]:
    """The product of the factors, of which there are one or two, and that of their absolute values."""
    if len(factors) == 1:
        return [factors[0], factors[0].absolute()]
    return [_product(*factors), _product(*(factor.absolute() for factor in factors))]


def _product(a: Matrix, b: Matrix) -> Matrix:
    largest = [max(map(abs, column)) for column in columns(a.rows)]
    packed = Packed(b.rows, [0] * len(b.rows[0]), largest)
    return Matrix([packed.numbers(packed.combine(row)) for row in a.rows], a.bits + b.bits)
