"""The layout of Wu et al., "... verified understanding of group-operation networks" (arXiv 2410.07476).

A state dict embedding_left (n, d), embedding_right (n, d), linear_left (d, m), linear_right (d, m),
unembedding (m, n) and, mostly, unembed_bias (n,), all of them with a leading dimension for networks trained side by
side, or none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from net.errors import MalformedInput
from net.formats.layers import Layers, check_tensors

if TYPE_CHECKING:
    from net.dyadic import FloatMatrix

NAME = "wu"

_RANK = {
    "embedding_left": 2,
    "embedding_right": 2,
    "linear_left": 2,
    "linear_right": 2,
    "unembedding": 2,
    "unembed_bias": 1,
}


def matches(names: set[str]) -> bool:
    """Whether the tensors' names are those of this layout."""
    return "embedding_left" in names and "linear_left" in names


def layers(tensors: dict[str, FloatMatrix]) -> Layers:
    """The layers of the state dict.

    Raises:
        MalformedInput: a tensor is missing, superfluous, of the wrong shape, NaN or infinite, or there are
            several networks in one state dict.

    """
    beside = {name for name, tensor in tensors.items() if name in _RANK and tensor.ndim == _RANK[name] + 1}
    if beside and beside != set(tensors):
        one, other = sorted(beside)[0], sorted(set(tensors) - beside)[0]
        raise MalformedInput(f"expected a leading dimension of all tensors or of none, got one of {one!r} and none of {other!r:.60}")
    single = {name: _only_instance(tensor) for name, tensor in tensors.items()} if beside else tensors
    check_tensors(
        single,
        {
            "embedding_left": ("n", "d"),
            "embedding_right": ("n", "d"),
            "linear_left": ("d", "m"),
            "linear_right": ("d", "m"),
            "unembedding": ("m", "n"),
            "unembed_bias?": ("n",),
        },
        "a state dict of Wu et al.",
    )
    return Layers(
        (single["embedding_left"], single["linear_left"]),
        (single["embedding_right"], single["linear_right"]),
        single["unembedding"],
        single.get("unembed_bias"),
    )


def _only_instance(tensor: FloatMatrix) -> FloatMatrix:
    if len(tensor) != 1:
        raise MalformedInput(f"expected one network in a state dict of Wu et al., got {len(tensor)} side by side")
    return np.asarray(tensor[0])
