"""The layout of Chughtai et al., "A Toy Model of Universality" (arXiv 2302.03025), which our own files share.

A state dict W_x (n, d), W_y (n, d), W (2d, m), W_U (m, n), with `cfg.json` beside it. The embeddings are
called W_E_a, W_E_b in some versions. A second class adds b (m,) after the relu: hidden = relu(.) + b. A bias
of the output may be there under any of the usual names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from net.errors import MalformedInput
from net.formats.layers import Layers, check_tensors

if TYPE_CHECKING:
    from net.dyadic import FloatMatrix

NAME = "chughtai"

_RENAMED = {"W_E_a": "W_x", "W_E_b": "W_y", "b_U": "bias", "unembed.bias": "bias", "unembed_bias": "bias"}


def matches(names: set[str]) -> bool:
    """Whether the tensors' names are those of this layout."""
    return "W" in names and "W_U" in names


def layers(tensors: dict[str, FloatMatrix]) -> Layers:
    """The layers of the state dict.

    Raises:
        MalformedInput: a tensor is missing, superfluous, of the wrong shape, NaN or infinite.

    """
    renamed = {_RENAMED.get(name, name): tensor for name, tensor in tensors.items()}
    if len(renamed) < len(tensors):
        raise MalformedInput(f"expected one name for each tensor, got two for one among {sorted(tensors)}")
    check_tensors(
        renamed,
        {
            "W_x": ("n", "d"),
            "W_y": ("n", "d"),
            "W": ("2d", "m"),
            "W_U": ("m", "n"),
            "b?": ("m",),
            "bias?": ("n",),
        },
        "a state dict of Chughtai et al.",
    )
    d = renamed["W_x"].shape[1]
    return Layers(
        (renamed["W_x"], renamed["W"][:d]),
        (renamed["W_y"], renamed["W"][d:]),
        renamed["W_U"],
        renamed.get("bias"),
        renamed.get("b"),
    )
