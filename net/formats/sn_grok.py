"""The layout of sn-grok, the code of Stander et al., "Grokking Group Multiplication with Cosets".

`{epoch}.pth` and `full_run.pth` hold an outer dict {model, config, ...} (`net.formats.state`); the state dict has lembed.weight (n,
d), rembed.weight (n, d), linear.weight (m, 2d) whose columns :d act on the left, unembed.weight (n, m) and
unembed.bias (n,).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from net.formats.layers import Layers, check_tensors

if TYPE_CHECKING:
    from net.dyadic import FloatMatrix

NAME = "sn-grok"


def matches(names: set[str]) -> bool:
    """Whether the tensors' names are those of this layout."""
    return "lembed.weight" in names or "rembed.weight" in names


def layers(tensors: dict[str, FloatMatrix]) -> Layers:
    """The layers of the state dict.

    Raises:
        MalformedInput: a tensor is missing, superfluous, of the wrong shape, NaN or infinite.

    """
    check_tensors(
        tensors,
        {
            "lembed.weight": ("n", "d"),
            "rembed.weight": ("n", "d"),
            "linear.weight": ("m", "2d"),
            "linear.bias?": ("m",),
            "unembed.weight": ("n", "m"),
            "unembed.bias?": ("n",),
        },
        "an sn-grok state dict",
    )
    d = tensors["lembed.weight"].shape[1]
    matrix = tensors["linear.weight"].T
    return Layers(
        (tensors["lembed.weight"], matrix[:d]),
        (tensors["rembed.weight"], matrix[d:]),
        tensors["unembed.weight"].T,
        tensors.get("unembed.bias"),
        left_added=((tensors["linear.bias"],),) if "linear.bias" in tensors else (),
    )
