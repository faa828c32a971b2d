"""Already folded networks: arrays L (n, m), R (n, m), U (m, n) and perhaps b (n,), in any container."""

from __future__ import annotations

from typing import TYPE_CHECKING

from net.layers import Layers, take

if TYPE_CHECKING:
    from net.dyadic import FloatMatrix

NAME = "folded"


def matches(names: set[str]) -> bool:
    """Whether the tensors' names are those of this layout."""
    return {"L", "R", "U"} <= names


def layers(tensors: dict[str, FloatMatrix]) -> Layers:
    """The layers whose folded halves are L and R.

    Raises:
        MalformedInput: a tensor is missing, superfluous, of the wrong shape, NaN or infinite.
    """
    take(tensors, {"L": ("n", "m"), "R": ("n", "m"), "U": ("m", "n"), "b?": ("n",)}, "a folded network")
    return Layers((tensors["L"],), (tensors["R"],), tensors["U"], tensors.get("b"))
