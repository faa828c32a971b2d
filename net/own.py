"""Our own files: safetensors with the tensors of `net.chughtai` and the settings of the run as metadata.

Metadata is text: "format" names this layout, "config" is the JSON of the training settings, "split_sha256"
the digest of the pairs trained on, "element_order" and "product" the convention, "step" and "history" where
it ended.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from net.container import sentence
from net.errors import MalformedInput

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

OWN_FORMAT = "coset-verify network 1"


def write_safetensors(path: Path, tensors: dict[str, np.ndarray[Any, Any]], metadata: dict[str, str]) -> None:
    """Write the arrays in their own precision; the same arrays and metadata give the same bytes.

    A temporary file beside `path` is written and renamed, so that nothing half-written has its name.
    """
    import numpy as np
    from safetensors.numpy import save

    temporary = path.with_name(path.name + ".tmp")
    try:
        temporary.write_bytes(save({k: np.ascontiguousarray(v) for k, v in tensors.items()}, metadata))
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def settings_of(metadata: dict[str, str]) -> dict[str, Any]:
    """The metadata with the JSON under "config" and "history" parsed.

    Raises:
        MalformedInput: that is no JSON.

    """
    parsed: dict[str, Any] = dict(metadata)
    for key in {"config", "history"} & set(metadata):
        try:
            parsed[key] = json.loads(metadata[key])
        except (ValueError, RecursionError) as error:
            raise MalformedInput(
                f"expected JSON under {key!r} in the metadata, got: {sentence(error)}"
            ) from error
    return parsed
