"""What every readable checkpoint comes down to: two inputs, one hidden layer of relu or squares, one output layer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from net.errors import MalformedInput

if TYPE_CHECKING:
    from net.activation import Activation
    from net.dyadic import FloatMatrix


@dataclass(frozen=True, eq=False)
class Layers:
    """logits(x, y) = ((activation(left[x] + right[y]) + after) @ unembedding + middle) @ through + bias, in a file's numbering.

    ``after`` is called ``after_relu``.

    Attributes:
        left, right: factors of the (n, m) matrices: (embedding (n, d), matrix (d, m)), or (folded (n, m),).
        unembedding: (m, n), or (m, k) where ``through`` follows it.
        bias: (n,), or None.
        after_relu: (m,), or None.
        left_added, right_added: what is added to every row of left and right: a vector (m,) each, or a vector (d,) and a matrix (d, m).
        through: (k, n), or None for the identity.
        middle: (k,), or None.
        activation: relu, or the square.

    """

    left: tuple[FloatMatrix, ...]
    right: tuple[FloatMatrix, ...]
    unembedding: FloatMatrix
    bias: FloatMatrix | None = None
    after_relu: FloatMatrix | None = None
    left_added: tuple[tuple[FloatMatrix, ...], ...] = ()
    right_added: tuple[tuple[FloatMatrix, ...], ...] = ()
    through: FloatMatrix | None = None
    middle: FloatMatrix | None = None
    activation: Activation = "relu"

    @property
    def order(self) -> int:
        """How many elements it is over."""
        return len(self.left[0])

    @property
    def preactivation_terms(self) -> int:
        """Roundings that a product meets on its way into a pre-activation, at most: 2d, or 2 if folded, and one for each addition."""
        products = sum(factors[0].shape[1] if len(factors) == 2 else 1 for factors in (self.left, self.right))
        return products + len(self.left_added) + len(self.right_added)

    @property
    def logit_terms(self) -> int:
        """Length of the dot product that is a logit: m, and one more for a bias."""
        return len(self.unembedding) + (self.bias is not None)

    def arrays(self) -> list[FloatMatrix]:
        """All weights."""
        optional = [array for array in (self.bias, self.after_relu, self.through, self.middle) if array is not None]
        added = [array for chain in (*self.left_added, *self.right_added) for array in chain]
        return [*self.left, *self.right, self.unembedding, *optional, *added]

    def in_float32(self) -> bool:
        """Whether every weight is a float32 number (float16 and bfloat16 numbers are)."""
        with np.errstate(over="ignore"):
            return all(np.array_equal(array.astype(np.float32).astype(np.float64), array) for array in self.arrays())


def with_absolute_values(layers: Layers) -> Layers:
    """The layers of the same function with |.| in place of relu: |p| = relu(p) + relu(-p), so neuron i is joined by its mirror i + m.

    Every entry is one of the given ones or its negative, so nothing is rounded.
    """

    def mirrored(factors: tuple[FloatMatrix, ...]) -> tuple[FloatMatrix, ...]:
        return (*factors[:-1], np.concatenate([factors[-1], -factors[-1]], axis=-1))

    after = layers.after_relu
    return replace(
        layers,
        left=mirrored(layers.left),
        right=mirrored(layers.right),
        left_added=tuple(map(mirrored, layers.left_added)),
        right_added=tuple(map(mirrored, layers.right_added)),
        unembedding=np.vstack([layers.unembedding, layers.unembedding]),
        after_relu=None if after is None else np.concatenate([after, np.zeros_like(after)]),
    )


def check_tensors(tensors: dict[str, FloatMatrix], shapes: dict[str, tuple[str, ...]], where: str) -> None:
    """Compare names and shapes with `shapes`, where a letter stands for one number throughout.

    A letter may be doubled, as in "2d". Names that end in "?" are optional.

    Raises:
        MalformedInput: a tensor is missing, superfluous, of the wrong shape, empty, NaN or infinite.

    """
    optional = {name.removesuffix("?"): name.endswith("?") for name in shapes}
    unknown = sorted(set(tensors) - set(optional))
    missing = sorted(name for name, may_miss in optional.items() if not may_miss and name not in tensors)
    if unknown or missing:
        raise MalformedInput(
            f"expected the tensors {', '.join(sorted(shapes))} in {where}, got "
            + (f"none named {missing[0]}" if missing else f"one more named {unknown[0]!r:.80}")
        )
    sizes: dict[str, int] = {}
    for name, shape in shapes.items():
        name = name.removesuffix("?")
        if name in tensors:
            _check_shape(name, tensors[name], shape, sizes, where)
            check_finite(name, tensors[name], where)


def _check_shape(name: str, tensor: FloatMatrix, shape: tuple[str, ...], sizes: dict[str, int], where: str) -> None:
    fits = tensor.ndim == len(shape) and tensor.size > 0
    for letter, size in zip(shape, tensor.shape, strict=False):
        if letter.startswith("2"):
            fits = fits and size % 2 == 0 and size // 2 == sizes.setdefault(letter[1:], size // 2)
        else:
            fits = fits and size == sizes.setdefault(letter, size)
    if not fits:
        known = ", ".join(f"{letter} = {size}" for letter, size in sizes.items())
        raise MalformedInput(
            f"expected {name} of shape ({', '.join(shape)}) with {known or 'positive sizes'} in {where}, got {tuple(tensor.shape)}"
        )


def check_finite(name: str, tensor: FloatMatrix, where: str) -> None:
    """Refuse NaN and infinity.

    Raises:
        MalformedInput: the tensor holds one.

    """
    if not np.isfinite(tensor).all():
        position = tuple(int(i) for i in np.argwhere(~np.isfinite(tensor))[0])
        raise MalformedInput(f"expected finite weights in {where}, got {tensor[position]} at {name}{list(position)}")
