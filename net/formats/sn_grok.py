"""The layout of sn-grok, the code of Stander et al., "Grokking Group Multiplication with Cosets".

`{epoch}.pth` and `full_run.pth` hold an outer dict {model, config, ...}; the state dict has lembed.weight (n,
d), rembed.weight (n, d), linear.weight (m, 2d) whose columns :d act on the left, unembed.weight (n, m) and
unembed.bias (n,).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from net.errors import MalformedInput
from net.formats.layers import Layers, check_tensors, with_hidden_bias

if TYPE_CHECKING:
    from net.dyadic import FloatMatrix

NAME = "sn-grok"


def last_state(outer: dict[Any, Any]) -> tuple[dict[Any, Any], dict[str, Any]]:
    """(state dict, details) of the last epoch in the outer dict; details say which one it is.

    `model` is the state at the end of the run. Variants without it have `checkpoints`, a list (with
    `checkpoint_epochs` beside it, perhaps) or a dict by epoch.

    Raises:
        MalformedInput: there is neither.

    """
    if isinstance(outer.get("model"), dict):
        return outer["model"], {"state": "model"}
    states = outer.get("checkpoints")
    if isinstance(states, dict) and states and all(isinstance(epoch, int) for epoch in states):
        last = max(states)
        if isinstance(states[last], dict):
            return states[last], {"state": "checkpoints", "epoch": last}
    if isinstance(states, list) and states and isinstance(states[-1], dict):
        epochs = outer.get("checkpoint_epochs")
        return _last_listed(states, epochs)
    raise MalformedInput(
        "expected a state dict under 'model' or a list of them under 'checkpoints', got an outer dict with "
        + (", ".join(sorted(repr(key)[:40] for key in outer)[:8]) or "nothing in it")
    )


def _last_listed(states: list[Any], epochs: Any) -> tuple[dict[Any, Any], dict[str, Any]]:
    if not isinstance(epochs, list) or not all(isinstance(epoch, int) for epoch in epochs):
        return states[-1], {"state": f"last of {len(states)} checkpoints"}
    if len(epochs) != len(states):
        raise MalformedInput(f"expected as many checkpoint_epochs as checkpoints ({len(states)}), got {len(epochs)}")
    last = max(range(len(epochs)), key=epochs.__getitem__)
    if not isinstance(states[last], dict):
        raise MalformedInput(f"expected a state dict for epoch {epochs[last]}, got {type(states[last]).__name__}")
    return states[last], {"state": "checkpoints", "epoch": epochs[last]}


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
    left = (tensors["lembed.weight"], matrix[:d])
    if "linear.bias" in tensors:
        left = with_hidden_bias(left, tensors["linear.bias"])
    right = (tensors["rembed.weight"], matrix[d:])
    return Layers(left, right, tensors["unembed.weight"].T, tensors.get("unembed.bias"))
