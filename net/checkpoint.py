"""From a file to a folded network over a group, whatever published format the file has."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from net.convention import ORDERS, PRODUCTS
from net.detection import with_convention
from net.errors import MalformedInput
from net.folded import FoldedNetwork, Source, fold
from net.formats import chughtai, folded_arrays, sn_grok, wu
from net.formats.container import parse_json, read_bytes, read_contents, sentence, to_arrays
from net.formats.own import OWN_FORMAT, safetensors_bytes, settings_of
from net.formats.plain_yaml import parse_plain_yaml
from net.formats.settings import check_settings
from net.formats.state import network_tensors, other_network
from net.stated_group import default_group, likely_group

if TYPE_CHECKING:
    from types import ModuleType

    from algebra.group import FiniteGroup
    from net.dyadic import FloatMatrix
    from net.formats.layers import Layers

_LAYOUTS: tuple[ModuleType, ...] = (sn_grok, wu, folded_arrays, chughtai)
#: Containers that the checker reads by itself.
_CHECKED = ("safetensors", "torch", "torch before 1.6", "npz")
_SIDE_FILE_LIMIT = 2**20
#: How the `format` of the files begins that this project writes about a network.
_OWN_OUTPUT = ("coset-verify certificate", "coset-voting program", "coset-verify summary")


def load_network(
    path: Path | str,
    group: FiniteGroup | str | None = None,
    order: str | None = None,
    product: str | None = None,
    assume_relu: bool = False,
) -> FoldedNetwork:
    """The network in the file, folded, in the group's own element order and left-first product.

    Containers, wrappers, layouts and settings are those of docs/checkpoints.md. A file of our own states its numbering and product,
    and is believed.

    Args:
        path: the file.
        group: the group or its name; None for the one that `net.stated_group.default_group` finds.
        order: numbering of the elements, out of `net.convention.ORDERS`; None for the stated one, or else to detect it.
        product: "left-first" or "right-first"; None as for `order`.
        assume_relu: disregard settings in or beside the file that say, or could say, that the network is another function.

    Raises:
        MalformedInput: the file can't be read, is unsafe, is damaged, is no such network, says that it is another function, or is a
            network for something else than this group.

    """
    return network_over(group, *read_checkpoint(Path(path), assume_relu), order, product)


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
        likely = likely_group(size, group)
        mend = f": {likely} may be meant" if likely else ""
        raise MalformedInput(f"expected a network over {group.name} with {group.order:,} elements, got one with {size:,}{mend}")
    if source.details.get("format") == OWN_FORMAT:
        order = order or _stated(source.details.get("element_order"), ORDERS)
        product = product or _stated(source.details.get("product"), PRODUCTS)
    return with_convention(fold(layers, group, source), order, product)


def read_checkpoint(path: Path, assume_relu: bool = False) -> tuple[Layers, Source]:
    """The layers in the file, in its own numbering, and where they came from.

    Raises:
        MalformedInput: as `load_network`, but for what concerns the group.

    """
    return layers_in(read_bytes(path), path, assume_relu, _side_files(path, assume_relu))


def layers_in(
    data: bytes, path: Path, assume_relu: bool = False, beside: dict[str, dict[str, Any]] | None = None
) -> tuple[Layers, Source]:
    """The layers in the bytes of a checkpoint, and their source, which says that they came from ``path``.

    ``beside`` are the settings in files beside it, by the names of these files.

    Raises:
        MalformedInput: as `read_checkpoint`.

    """
    contents = read_contents(data)
    stored, inside, about = network_tensors(contents)
    inside |= settings_of(contents.metadata)
    beside = beside or {}
    overridden = assume_relu and _refuses(inside)
    if not assume_relu:
        check_settings(inside)
        for name, settings in beside.items():
            check_settings(settings, f"{name}: ")
    layout = next((layout for layout in _LAYOUTS if layout.matches(set(stored))), None)
    if layout is None:
        raise MalformedInput(_unknown_layout(set(stored)))
    tensors, dtype = to_arrays(stored, len(data))
    layers: Layers = layout.layers(tensors)
    details = {**_config(inside, beside), **about, **{key: inside[key] for key in _RECORDED if key in inside}}
    rewritten = None
    if overridden or contents.container not in _CHECKED:
        rewritten = safetensors_bytes({name: _narrow(tensor, stored[name].kind) for name, tensor in tensors.items()}, {})
    own = inside.get("format") == OWN_FORMAT and rewritten is None
    source = Source(
        path,
        hashlib.sha256(data).hexdigest(),
        OWN_FORMAT if own else layout.NAME,
        dtype,
        sum(tensor.size for tensor in tensors.values()),
        details,
        contents.container,
        rewritten,
    )
    return layers, source


#: Entries of our own record that are kept beside `config`.
_RECORDED = ("format", "element_order", "product", "split_sha256", "step", "history")


def _config(inside: dict[str, Any], beside: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The settings that are recorded, under "config": those in the file, or else those beside it."""
    config = inside.get("config")
    if isinstance(config, dict):
        return {"config": config}
    return {"config": next(iter(beside.values()))} if beside else {}


def _stated(value: Any, known: tuple[str, ...]) -> str | None:
    return value if isinstance(value, str) and value in known else None


def _refuses(settings: dict[str, Any]) -> bool:
    """Whether the settings in the file would be refused, by the checker too."""
    try:
        check_settings(settings)
    except MalformedInput:
        return True
    return False


def _narrow(tensor: FloatMatrix, kind: str) -> np.ndarray[Any, Any]:
    """The array in the precision in which it was stored; bfloat16, which numpy lacks, as float32."""
    return tensor.astype({"bfloat16": np.float32}.get(kind) or np.dtype(kind))


def _side_files(path: Path, assume_relu: bool) -> dict[str, dict[str, Any]]:
    """Contents of `cfg`, `config` and STEM beside the file, `.json`, `.yaml` or `.yml`, where they are there and settings of a run.

    A certificate, summary or program of this project (told by its `format`) is none. Where relu is assumed, files that cannot be read
    are passed over.
    """
    found = {}
    stems, kinds = dict.fromkeys(("cfg", "config", path.stem)), (".json", ".yaml", ".yml")
    for name in (stem + kind for kind in kinds for stem in stems):
        side = path.with_name(name)
        if not side.is_file() or side == path:
            continue
        try:
            if side.stat().st_size > _SIDE_FILE_LIMIT:
                raise MalformedInput(f"expected at most {_SIDE_FILE_LIMIT:,} bytes in {side}, got more")
            text = side.read_bytes().decode()
        except (OSError, ValueError) as error:
            raise MalformedInput(f"expected settings in {side}, got: {sentence(error)}") from error
        try:
            config = parse_json(text, str(side)) if side.suffix == ".json" else parse_plain_yaml(text, str(side))
        except MalformedInput:
            if not assume_relu:
                raise
            continue
        if not isinstance(config, dict):
            raise MalformedInput(f"expected a JSON object in {side}, got {type(config).__name__}")
        if not str(config.get("format", "")).startswith(_OWN_OUTPUT):
            found[name] = config
    return found


def _unknown_layout(names: set[str]) -> str:
    listed = ", ".join(repr(name)[:40] for name in sorted(names)[:8]) or "none"
    kind = other_network(names)
    came = f"{kind}, with tensors named {listed}" if kind else f"those named {listed}"
    return f"expected the tensors of a network in a known layout (docs/checkpoints.md), got {came}"
