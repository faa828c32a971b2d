"""Already folded networks: arrays L (n, m), R (n, m), U (m, n) and perhaps b (n,), in any container."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from net.formats.layers import Layers, check_tensors
from net.formats.own import write_safetensors

if TYPE_CHECKING:
    from pathlib import Path

    from net.dyadic import FloatMatrix
    from net.weights import Weights

NAME = "folded"


def matches(names: set[str]) -> bool:
    """Whether the tensors' names are those of this layout."""
    return {"L", "R", "U"} <= names


def layers(tensors: dict[str, FloatMatrix]) -> Layers:
    """The layers whose folded halves are L and R.

    Raises:
        MalformedInput: a tensor is missing, superfluous, of the wrong shape, NaN or infinite.

    """
    check_tensors(tensors, {"L": ("n", "m"), "R": ("n", "m"), "U": ("m", "n"), "b?": ("n",)}, "a folded network")
    return Layers((tensors["L"],), (tensors["R"],), tensors["U"], tensors.get("b"))


def save_folded(path: Path, weights: Weights) -> None:
    """Write the float64 arrays as safetensors, in float32 where that loses nothing; b only if it is not 0.

    Weights with an error bound are written as their float64 arrays, which then are what the file states.
    """
    arrays = {"L": weights.L, "R": weights.R, "U": weights.U}
    if weights.b.any():
        arrays["b"] = weights.b
    with np.errstate(over="ignore"):
        short = {name: array.astype(np.float32) for name, array in arrays.items()}
    exact = all(np.array_equal(short[name], array) for name, array in arrays.items())
    write_safetensors(path, short if exact else arrays, {})
