"""Reading files of tensors that anybody may have made: safetensors, torch zip archives, npz.

No code in a file is ever run: pickles go through `torch.load(weights_only=True)`, npz without pickles.
Nothing is allocated on a file's word: sizes are checked against the bytes that are there first, so memory
stays within a small multiple of the file's size, which is at most FILE_LIMIT.
"""

from __future__ import annotations

import io
import math
import re
import warnings
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np

from net.errors import MalformedInput

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

#: Largest file that is read, in bytes.
FILE_LIMIT = 2**30

_FLOATS = ("float16", "bfloat16", "float32", "float64")


def read_bytes(path: Path) -> bytes:
    """The whole file.

    Raises:
        MalformedInput: `path` is no readable file, is empty, or is larger than FILE_LIMIT.

    """
    try:
        if not path.is_file():
            came = "a directory" if path.is_dir() else "something else" if path.exists() else "no file of that name"
            raise MalformedInput(f"expected a checkpoint file at {path}, got {came}")
        size = path.stat().st_size
        if not 0 < size <= FILE_LIMIT:
            raise MalformedInput(f"expected a file of 1 to {FILE_LIMIT:,} bytes at {path}, got {size:,} bytes")
        with path.open("rb") as file:
            data = file.read(FILE_LIMIT + 1)
    except (OSError, ValueError) as error:
        raise MalformedInput(f"expected a readable checkpoint file, got {sentence(error)}") from error
    if len(data) > FILE_LIMIT:
        raise MalformedInput(f"expected a file of 1 to {FILE_LIMIT:,} bytes at {path}, got more")
    return data


def read_tensors(data: bytes) -> tuple[str, Any, dict[str, str]]:
    """(kind, content, metadata): kind "safetensors", "torch" or "npz".

    The content is a dict of float64 arrays for safetensors and npz, and for torch whatever object the archive
    holds (see `to_arrays` for its tensors).

    Raises:
        MalformedInput: the bytes are none of the three, or damaged, or hold what must not be loaded.

    """
    if data[:4] != b"PK\x03\x04":
        if len(data) < 10 or data[8:9] != b"{":
            raise MalformedInput(f"expected safetensors, a torch zip archive or an npz, got bytes that begin {data[:8]!r}")
        return "safetensors", *_read_safetensors(data)
    names = _checked_members(data)
    if names and all(name.endswith(".npy") for name in names):
        return "npz", _read_npz(data), {}
    if any(name.endswith("data.pkl") for name in names):
        return "torch", _read_torch(data), {}
    raise MalformedInput("expected a zip archive with data.pkl (torch) or .npy members, got one with neither")


def to_arrays(tensors: Mapping[Any, Any], limit: int) -> tuple[dict[str, np.ndarray[Any, Any]], str]:
    """Torch tensors as float64 arrays, and their precision ("float32", or the widest of several).

    Raises:
        MalformedInput: a value is no dense tensor of floats on the CPU, or claims more than `limit` bytes.

    """
    import torch

    arrays, types = {}, set()
    for name, value in tensors.items():
        if not isinstance(name, str) or not isinstance(value, torch.Tensor):
            raise MalformedInput(f"expected a state dict of named tensors, got {type(value).__name__} at {name!r:.80}")
        kind = str(value.dtype).removeprefix("torch.")
        if value.layout != torch.strided or value.device.type != "cpu" or kind not in _FLOATS:
            raise MalformedInput(f"expected a dense tensor of floats for {name!r:.80}, got {kind}, {value.layout}, {value.device.type}")
        if value.numel() * value.element_size() > limit:
            raise MalformedInput(f"expected at most {limit:,} bytes for {name!r:.80}, got shape {tuple(value.shape)}")
        arrays[name] = value.detach().to(torch.float64).contiguous().numpy()
        types.add(kind)
    return arrays, max(types, key=_FLOATS.index, default="float32")


def sentence(error: BaseException) -> str:
    """The first line of an error's message, shortened, for use inside a sentence of ours."""
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:200]


def _checked_members(data: bytes) -> list[str]:
    """Names in the zip archive, all stored uncompressed and together no longer than the archive."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
    except Exception as error:  # zipfile raises half a dozen kinds on damaged archives
        raise MalformedInput(f"expected a whole zip archive, got a damaged one: {sentence(error)}") from error
    if any(member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 1 for member in members):
        raise MalformedInput("expected a zip archive whose members are stored plainly, got a compressed or locked one")
    total = sum(member.file_size for member in members)
    if total > len(data):
        raise MalformedInput(f"expected members of at most {len(data):,} bytes in all, got {total:,} declared")
    return [member.filename for member in members]


def _read_torch(data: bytes) -> Any:
    import torch

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception as error:  # refused code, damage, lies about sizes: torch raises many kinds
        raise MalformedInput(f"expected a torch archive that holds tensors and nothing else, got {_torch_refusal(error)}") from error


def _torch_refusal(error: Exception) -> str:
    """What torch found, without its advice to load unsafely."""
    text = str(error)
    named = re.search(r"GLOBAL ([\w.]+)", text)
    if named:
        return f"a pickle that asks for {named[1][:80]}"
    if "Weights only load failed" in text:
        return "a pickle that is damaged or asks for more"
    return f"a damaged one: {sentence(error)}"


def _read_safetensors(data: bytes) -> tuple[tuple[dict[str, np.ndarray[Any, Any]], str], dict[str, str]]:
    import json

    from safetensors import SafetensorError, deserialize

    try:
        # the library validates: offsets cover the buffer without holes or overlaps, shapes match lengths
        tensors = deserialize(data)  # type: ignore[no-untyped-call]
        metadata = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")]).get("__metadata__", {})
    except (SafetensorError, ValueError, RecursionError) as error:
        raise MalformedInput(f"expected a whole safetensors file, got a damaged one: {sentence(error)}") from error
    arrays, types = {}, set()
    for name, entry in tensors:
        arrays[name], kind = _from_buffer(name, entry)
        types.add(kind)
    return (arrays, max(types, key=_FLOATS.index, default="float32")), metadata


_SAFETENSORS_TYPES = {"F16": "float16", "BF16": "bfloat16", "F32": "float32", "F64": "float64"}


def _from_buffer(name: str, entry: dict[str, Any]) -> tuple[np.ndarray[Any, Any], str]:
    kind = _SAFETENSORS_TYPES.get(entry["dtype"])
    if kind is None:
        raise MalformedInput(f"expected a tensor of floats for {name!r:.80}, got {entry['dtype']}")
    raw = bytes(entry["data"])
    if kind == "bfloat16":  # the upper half of a float32
        values = (np.frombuffer(raw, dtype="<u2").astype(np.uint32) << 16).view(np.float32)
    else:
        values = np.frombuffer(raw, dtype=np.dtype(kind).newbyteorder("<"))
    return _widened(values).reshape(entry["shape"]), kind


def _widened(values: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The floats as float64; signalling NaNs become quiet ones without a warning."""
    with np.errstate(invalid="ignore"):
        return values.astype(np.float64)


def _read_npz(data: bytes) -> tuple[dict[str, np.ndarray[Any, Any]], str]:
    arrays, types = {}, set()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {name.removesuffix(".npy"): archive.read(name) for name in archive.namelist()}
    except Exception as error:
        raise MalformedInput(f"expected a whole npz file, got a damaged one: {sentence(error)}") from error
    for name, content in members.items():
        array = _from_npy(name, content)
        arrays[name] = _widened(array)
        types.add(array.dtype.name)
    return arrays, max(types, key=_FLOATS.index, default="float32")


def _from_npy(name: str, content: bytes) -> np.ndarray[Any, Any]:
    """The array in the bytes of a .npy file; its header is compared with the bytes first."""
    stream = io.BytesIO(content)
    try:
        version = np.lib.format.read_magic(stream)
        read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            shape, fortran, dtype = read(stream)
    except Exception as error:  # the header is a Python literal: anything from SyntaxError to MemoryError
        raise MalformedInput(f"expected an array for {name!r:.80} in the npz, got: {sentence(error)}") from error
    if dtype.name not in _FLOATS:
        raise MalformedInput(f"expected an array of floats for {name!r:.80}, got {str(dtype)[:40]}")
    rest = content[stream.tell() :]
    if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize != len(rest):
        raise MalformedInput(f"expected {len(rest):,} bytes of data for {name!r:.80}, got shape {str(shape)[:80]}")
    return np.frombuffer(rest, dtype=dtype).reshape(shape, order="F" if fortran else "C")
