"""Which of the things in a file are the network's tensors, and which are settings beside it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from net.errors import MalformedInput
from net.formats.pickles import Tensor

if TYPE_CHECKING:
    from net.formats.container import Contents, Stored

#: Where training code puts the state dict in an outer dict.
_KEYS = ("model", "state_dict", "model_state_dict", "model_state", "net", "network", "params", "weights")
#: What wrappers put before every name: DataParallel, torch.compile, Lightning, and modules that hold the network in an attribute.
_PREFIXES = ("module.", "_orig_mod.", "model.", "net.", "network.", "mlp.")


def network_tensors(contents: Contents) -> tuple[dict[str, Stored], dict[str, Any], dict[str, Any]]:
    """(the tensors of one network by name, all settings in the file, what is worth recording about where it lay).

    Raises:
        MalformedInput: there is no state dict, more than one, or one with something else than tensors in it.

    """
    if contents.container in ("safetensors", "npz"):
        found, about = _without_prefix(contents.tensors)
        return found, {}, about
    top = contents.value
    if not isinstance(top, dict):
        raise MalformedInput(f"expected a dict in the torch archive, got {_kind(top)}: save module.state_dict()")
    state, settings, about = _state(top)
    for name, value in state.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise MalformedInput(f"expected a state dict of named tensors, got {_kind(value)} at {name!r:.80}")
    found, more = _without_prefix({name: contents.stored(value) for name, value in state.items()})
    return found, settings, about | more


def _kind(value: Any) -> str:
    return "tensor" if isinstance(value, Tensor) else type(value).__name__.strip("_")


def _is_state(value: Any) -> bool:
    return isinstance(value, dict) and any(isinstance(inner, Tensor) for inner in value.values())


def _state(top: dict[Any, Any]) -> tuple[dict[Any, Any], dict[str, Any], dict[str, Any]]:
    if top and all(isinstance(value, Tensor) for value in top.values()):
        return top, {}, {}
    keys = [key for key in _KEYS if _is_state(top.get(key))]
    if len(keys) > 1:
        raise MalformedInput(
            f"expected one state dict, got {len(keys)}, under {' and '.join(map(repr, keys))}: save the one that is meant by itself"
        )
    left = {str(key): value for key, value in top.items()}
    if keys:
        left.pop("checkpoints", None)
        return left.pop(keys[0]), left, {"state": keys[0]}
    if "checkpoints" in top:
        state, about = _last(left.pop("checkpoints"), left.pop("checkpoint_epochs", None))
        return state, left, about
    if any(isinstance(value, Tensor) for value in top.values()):
        return top, {}, {}
    listed = ", ".join(sorted(repr(key)[:40] for key in top)[:8]) or "nothing in it"
    raise MalformedInput(
        f"expected a state dict under {', '.join(map(repr, _KEYS[:3]))}, or several under 'checkpoints', got a dict with {listed}"
    )


def _last(states: Any, epochs: Any) -> tuple[dict[Any, Any], dict[str, Any]]:
    """The state of the last epoch: a dict by epoch, or a list, perhaps with the epochs beside it."""
    found, about = None, {}
    if isinstance(states, dict) and states and all(type(epoch) is int for epoch in states):
        last = max(states)
        found, about = states[last], {"state": "checkpoints", "epoch": last}
    elif isinstance(states, list) and states and (not isinstance(epochs, list) or any(type(epoch) is not int for epoch in epochs)):
        found, about = states[-1], {"state": f"last of {len(states)} checkpoints"}
    elif isinstance(states, list) and states:
        if len(epochs) != len(states):
            raise MalformedInput(f"expected as many checkpoint_epochs as checkpoints ({len(states)}), got {len(epochs)}")
        at = max(range(len(epochs)), key=epochs.__getitem__)
        found, about = states[at], {"state": "checkpoints", "epoch": epochs[at]}
    if not _is_state(found):
        raise MalformedInput(
            f"expected a list of state dicts under 'checkpoints', or a dict of them by epoch, got {_kind(found or states)}"
        )
    assert isinstance(found, dict)
    return found, about


def _without_prefix(tensors: dict[str, Stored]) -> tuple[dict[str, Stored], dict[str, Any]]:
    """The tensors without the prefixes that all of their names share, and a note of what was left out."""
    dropped = ""
    while prefix := next((p for p in _PREFIXES if tensors and all(name.startswith(p) and name != p for name in tensors)), ""):
        tensors = {name.removeprefix(prefix): tensor for name, tensor in tensors.items()}
        dropped += prefix
    return tensors, {"prefix": dropped} if dropped else {}


_TRANSFORMER = re.compile(
    r"attn|attention|\bblocks?\.|\bW_[QKVO]\b|self_attn|transformer|encoder\.layer|c_attn|pos_embed|W_pos", re.IGNORECASE
)
_OTHERS = (
    (re.compile(r"conv", re.IGNORECASE), "a convolutional network"),
    (re.compile(r"lstm|gru|rnn|weight_hh", re.IGNORECASE), "a recurrent network"),
    (re.compile(r"norm|\bln\b|\bbn\b|running_mean", re.IGNORECASE), "a network with normalisation"),
    (re.compile(r"exp_avg|param_groups|momentum_buffer", re.IGNORECASE), "the state of an optimiser"),
)


def other_network(names: set[str]) -> str:
    """What a network whose tensors have these names seems to be, for a sentence: "a transformer" or ""."""
    joined = "\n".join(sorted(names)[:500])
    if _TRANSFORMER.search(joined):
        return "a transformer"
    return next((what for pattern, what in _OTHERS if pattern.search(joined)), "")
