"""A network in several safetensors files, through the index that says which tensor is in which: `model.safetensors.index.json`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from net.errors import MalformedInput
from net.formats.container import FILE_LIMIT, Contents, first_line, parse_json, read_bytes, read_contents

if TYPE_CHECKING:
    from pathlib import Path

    from net.formats.container import Stored

#: How the loader calls this container; the checker reads the tensors from one file, which a run writes.
SHARDED = "sharded safetensors"
#: The most files that an index may name.
_MOST = 1000


def read_shards(data: bytes, path: Path) -> tuple[Contents, int] | None:
    """(what the files hold that the index at ``path`` names, their bytes together); None where ``data`` is no such index.

    Every tensor is in the one file that the index says, and the files hold no other. Files lie beside the index.

    Raises:
        MalformedInput: a file is missing, is no safetensors file or lies elsewhere; or files and index do not fit together.

    """
    if data[:1] != b"{" or b'"weight_map"' not in data:
        return None
    try:
        index = parse_json(data.decode(), str(path))
    except UnicodeDecodeError as error:
        raise MalformedInput(f"expected an index of safetensors files in {path}, got: {first_line(error)}") from error
    where = index.get("weight_map") if isinstance(index, dict) else None
    if not isinstance(where, dict) or not where or not all(isinstance(name, str) for name in where.values()):
        raise MalformedInput(f"expected under 'weight_map' in {path} the file of each tensor, got something else")
    names = sorted(set(where.values()))
    if len(names) > _MOST or any(name in ("", ".", "..") or "/" in name or "\\" in name for name in names):
        raise MalformedInput(f"expected at most {_MOST} files beside {path} in its 'weight_map', got more, or others")
    tensors: dict[str, Stored] = {}
    metadata: dict[str, str] = {}
    total = 0
    for name in names:
        found = read_bytes(path.with_name(name))
        total += len(found)
        if total > FILE_LIMIT:
            raise MalformedInput(f"expected files of at most {FILE_LIMIT:,} bytes together beside {path}, got more")
        contents = read_contents(found)
        if contents.container != "safetensors":
            mend = "load them and save one file with safetensors"
            raise MalformedInput(f"expected safetensors files beside {path}, got {contents.container} in {name!r:.80}: {mend}")
        if set(contents.tensors) != {tensor for tensor, file in where.items() if file == name}:
            raise MalformedInput(f"expected in {name!r:.80} the tensors that {path} lists for it, got others")
        tensors |= contents.tensors
        if any(metadata.setdefault(key, text) != text for key, text in contents.metadata.items()):
            raise MalformedInput(f"expected the same metadata in all files beside {path}, got others in {name!r:.80}")
    return Contents(SHARDED, {name: tensors[name] for name in where}, metadata=metadata), total
