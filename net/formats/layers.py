"""What every readable checkpoint comes down to: two inputs, one hidden ReLU layer, one output layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from net.errors import MalformedInput

if TYPE_CHECKING:
    from net.dyadic import FloatMatrix


@dataclass(frozen=True, eq=False)
class Layers:
    """logits(x, y) = (relu(left[x] + right[y]) + after_relu) @ unembedding + bias, in a file's numbering.

    Attributes:
        left, right: factors of the (n, m) matrices: (embedding (n, d), matrix (d, m)), or (folded (n, m),).
        unembedding: (m, n).
        bias: (n,), or None.
        after_relu: (m,), or None.

    """

    left: tuple[FloatMatrix, ...]
    right: tuple[FloatMatrix, ...]
    unembedding: FloatMatrix
    bias: FloatMatrix | None = None
    after_relu: FloatMatrix | None = None

    @property
    def preactivation_terms(self) -> int:
        """Length of the dot product that is a pre-activation: 2d with embeddings of length d, 2 if folded."""
        return sum(factors[0].shape[1] if len(factors) == 2 else 1 for factors in (self.left, self.right))

    @property
    def logit_terms(self) -> int:
        """Length of the dot product that is a logit: m, and one more for a bias."""
        return len(self.unembedding) + (self.bias is not None)

    def arrays(self) -> list[FloatMatrix]:
        """All weights."""
        optional = [array for array in (self.bias, self.after_relu) if array is not None]
        return [*self.left, *self.right, self.unembedding, *optional]

    def in_float32(self) -> bool:
        """Whether every weight is a float32 number (float16 and bfloat16 numbers are)."""
        with np.errstate(over="ignore"):
            return all(np.array_equal(array.astype(np.float32).astype(np.float64), array) for array in self.arrays())


def with_hidden_bias(factors: tuple[FloatMatrix, FloatMatrix], bias: FloatMatrix) -> tuple[FloatMatrix, FloatMatrix]:
    """Factors of the product plus `bias` in every row: a column of ones against one more row."""
    embedding, matrix = factors
    return np.hstack([embedding, np.ones((len(embedding), 1))]), np.vstack([matrix, bias])


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
            _check_finite(name, tensors[name], where)


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


def _check_finite(name: str, tensor: FloatMatrix, where: str) -> None:
    if not np.isfinite(tensor).all():
        position: Any = tuple(int(i) for i in np.argwhere(~np.isfinite(tensor))[0])
        raise MalformedInput(f"expected finite weights in {where}, got {tensor[position]} at {name}{list(position)}")
