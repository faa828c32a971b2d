"""From a file to a folded network over a group, whatever published format the file has."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from net.detection import with_convention
from net.errors import MalformedInput
from net.folded import FoldedNetwork, Source, fold
from net.formats import chughtai, folded_arrays, sn_grok, wu
from net.formats.container import read_bytes, read_tensors, sentence, to_arrays
from net.formats.own import OWN_FORMAT, record_of
from net.stated_group import default_group

if TYPE_CHECKING:
    from types import ModuleType

    import numpy as np

    from algebra.group import FiniteGroup
    from net.formats.layers import Layers

_LAYOUTS: tuple[ModuleType, ...] = (sn_grok, wu, folded_arrays, chughtai)
_SIDE_FILE_LIMIT = 2**20


def load_network(
    path: Path | str, group: FiniteGroup | str | None = None, order: str | None = None, product: str | None = None
) -> FoldedNetwork:
    """The network in the file, folded, in the group's own element order and left-first product.

    Reads our own files (safetensors with settings in the metadata), state dicts of Chughtai et al. and of
    Wu et al., sn-grok checkpoints and full runs, and already folded L, R, U, b; the first four may come as
    safetensors or torch archive, folded arrays as npz too.

    Args:
        path: the file.
        group: the group or its name; None for the one that `net.stated_group.default_group` finds.
        order: numbering of the elements, out of `net.convention.ORDERS`; None to detect it.
        product: "left-first" or "right-first"; None to detect it.

    Raises:
        MalformedInput: the file can't be read, is unsafe, is damaged, is no such network, or is a network for
            something else than this group.

    """
    return network_over(group, *read_checkpoint(Path(path)), order, product)


def network_over(
    group: FiniteGroup | str | None, layers: Layers, source: Source, order: str | None = None, product: str | None = None
) -> FoldedNetwork:
    """The network of these layers over the group, as `load_network` gives it.

    Raises:
        MalformedInput: as `load_network`, but for what concerns the file.

    """
    from algebra.errors import GroupError
    from algebra.group import parse_group

    size = len(layers.left[0])
    if group is None:
        try:
            group = parse_group(default_group(source.details, size, source.path))
        except GroupError as error:
            raise MalformedInput(f"{source.path}: {error}") from error
    if isinstance(group, str):
        group = parse_group(group)
    if size != group.order:
        raise MalformedInput(f"expected a network over {group.name} with {group.order} elements, got one with {size}")
    return with_convention(fold(layers, group, source), order, product)


def read_checkpoint(path: Path) -> tuple[Layers, Source]:
    """The layers in the file, in its own numbering, and where they came from.

    Raises:
        MalformedInput: as `load_network`, but for what concerns the group.

    """
    return layers_in(read_bytes(path), path)


def layers_in(data: bytes, path: Path) -> tuple[Layers, Source]:
    """The layers in the bytes of a checkpoint, and their source, which says that they came from ``path``.

    Raises:
        MalformedInput: as `read_checkpoint`.

    """
    kind, content, metadata = read_tensors(data)
    if kind == "torch":
        tensors, dtype, details = _state_dict(content, len(data))
        details = {**_side_file(path), **details}
    else:
        tensors, dtype = content
        details = record_of(metadata)
    _check_activation(details)
    layout = next((layout for layout in _LAYOUTS if layout.matches(set(tensors))), None)
    if layout is None:
        names = ", ".join(repr(name)[:40] for name in sorted(tensors)[:8]) or "none"
        raise MalformedInput(f"expected the tensors of a network in a known layout, got those named {names}")
    layers: Layers = layout.layers(tensors)
    parameters = sum(tensor.size for tensor in tensors.values())
    name = OWN_FORMAT if details.get("format") == OWN_FORMAT else layout.NAME
    return layers, Source(path, hashlib.sha256(data).hexdigest(), name, dtype, parameters, details)


def _state_dict(content: Any, limit: int) -> tuple[dict[str, np.ndarray[Any, Any]], str, dict[str, Any]]:
    """(tensors, dtype, details) of a torch archive: a state dict itself, or an outer dict with one in it."""
    if not isinstance(content, dict):
        raise MalformedInput(f"expected a dict in the torch archive, got {type(content).__name__}")
    details: dict[str, Any] = {}
    if "model" in content or "checkpoints" in content:
        config = content.get("config")
        content, details = sn_grok.last_state(content)
        details |= {"config": config} if isinstance(config, dict) else {}
    tensors, dtype = to_arrays(content, limit)
    return tensors, dtype, details


def _side_file(path: Path) -> dict[str, Any]:
    """Contents of `cfg.json` beside a state dict, or nothing when there is none."""
    side = path.with_name("cfg.json")
    if not side.is_file():
        return {}
    try:
        if side.stat().st_size > _SIDE_FILE_LIMIT:
            raise MalformedInput(f"expected at most {_SIDE_FILE_LIMIT:,} bytes in {side}, got more")
        config = json.loads(side.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise MalformedInput(f"expected JSON in {side}, got: {sentence(error)}") from error
    if not isinstance(config, dict):
        raise MalformedInput(f"expected a JSON object in {side}, got {type(config).__name__}")
    return {"config": config}


def _check_activation(details: dict[str, Any]) -> None:
    config = details.get("config")
    if isinstance(config, dict):
        for key in ("act_fn", "activation", "act"):
            if str(config.get(key) or "relu").lower() != "relu":
                raise MalformedInput(f"expected relu as activation, got {str(config[key])[:40]!r} under {key!r}")
