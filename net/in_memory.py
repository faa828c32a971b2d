"""Networks that were never in a file: tensors or arrays by name, modules, and the four folded arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from net.errors import MalformedInput
from net.formats.own import safetensors_bytes

FILE_NAME = "network.safetensors"


def file_of(network: Any) -> bytes:
    """A safetensors file with the network's tensors, each in its own precision and under its own name.

    ``network`` is a mapping of names to tensors or arrays, an object with a method ``state_dict`` (a torch.nn.Module), or the
    arrays (L, R, U) or (L, R, U, b) of a folded network. bfloat16 becomes float32, which holds every bfloat16 number; integers
    become float64 where that is exact. The names are those of a published layout, as in a file. What a module computes between
    its tensors is not seen: relu is taken for granted.

    Raises:
        MalformedInput: it is none of these, or a tensor is none of real numbers.

    """
    if not isinstance(network, Mapping) and callable(getattr(network, "state_dict", None)):
        network = network.state_dict()
    if isinstance(network, Sequence) and not isinstance(network, str | bytes) and len(network) in (3, 4):
        network = {name: array for name, array in zip("LRUb", network, strict=False) if array is not None}
    if not isinstance(network, Mapping):
        raise MalformedInput(
            "expected a path, a mapping of names to tensors, a module with state_dict(), or the arrays (L, R, U, b), "
            f"got {type(network).__name__}"
        )
    return safetensors_bytes({str(name): _array(str(name), value) for name, value in network.items()}, {})


def _array(name: str, value: Any) -> np.ndarray[Any, Any]:
    if hasattr(value, "detach"):  # a torch tensor, without an import of torch
        value = value.detach().cpu()
        value = (value.float() if str(value.dtype) == "torch.bfloat16" else value).numpy()
    array = np.asarray(value)
    if array.dtype.kind in "iu":
        wide = array.astype(np.float64)
        if not np.array_equal(wide.astype(object), array.astype(object)):
            raise MalformedInput(f"expected integers that float64 holds for {name!r:.80}, got larger ones")
        return wide
    if array.dtype.kind != "f" or array.dtype.itemsize > 8:
        raise MalformedInput(f"expected an array of floats for {name!r:.80}, got {array.dtype}")
    return array.astype(array.dtype.newbyteorder("="))
