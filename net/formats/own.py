"""Our own files: safetensors with the tensors of `net.formats.chughtai`, and a record of how they came about.

The record is one JSON object, the only metadata: the library writes several entries in an order that
changes from run to run, and the same network is to give the same bytes. It has "format", "config" (the
settings of the training run), "split_sha256" (digest of the pairs trained on), "element_order" and "product"
(the convention), "step" and "history" (where the run ended).
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from net.errors import MalformedInput
from net.formats.container import parse_json

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt


OWN_FORMAT = "coset-verify network 1"

_ENTRY = "coset-verify"


def safetensors_bytes(tensors: Mapping[str, npt.NDArray[np.generic]], record: dict[str, object]) -> bytes:
    """The bytes of a file with the arrays in their own precision; the same arrays and record give the same bytes."""
    import numpy as np
    from safetensors.numpy import save

    metadata = {_ENTRY: json.dumps(record, sort_keys=True)} if record else None
    return bytes(save({name: np.ascontiguousarray(array) for name, array in tensors.items()}, metadata))


def write_safetensors(path: Path, tensors: Mapping[str, npt.NDArray[np.generic]], record: dict[str, object]) -> None:
    """Write the arrays in their own precision; the same arrays and record give the same bytes.

    A temporary file beside `path` is written and renamed, so that nothing half-written has its name.
    """
    temporary = path.with_name(path.name + ".tmp")
    try:
        temporary.write_bytes(safetensors_bytes(tensors, record))
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def record_of(metadata: dict[str, str]) -> dict[str, object]:
    """The record in a file's metadata; empty for a file that is not ours.

    Raises:
        MalformedInput: it is no JSON object.

    """
    if _ENTRY not in metadata:
        return {}
    record = parse_json(metadata[_ENTRY], f"{_ENTRY!r} in the metadata")
    if not isinstance(record, dict):
        raise MalformedInput(f"expected a JSON object under {_ENTRY!r}, got {type(record).__name__}")
    return record


def settings_of(metadata: dict[str, str]) -> dict[str, object]:
    """What the metadata say, `record_of` included; texts that are JSON objects or lists are read as such.

    Raises:
        MalformedInput: such a text is not what it seems.

    """
    others = {key: text for key, text in metadata.items() if key != _ENTRY}
    read = {
        key: parse_json(text, f"{key[:40]!r} in the metadata") if text.lstrip()[:1] in ("{", "[") else text
        for key, text in others.items()
    }
    return read | record_of(metadata)
