"""Checkpoint files: safetensors, torch's zip archives and npz, read strictly and without running anything that is in them.

What this module proves: the tensors that `read_tensors` returns are those of the file, in the one way in which the file can be read.
A file that another common reader could take for something else is `Malformed`: an archive with bytes that belong to no member, with
two directories, or with two members whose names differ in case alone; a zip archive that is also a safetensors file; a pickle that
changes a tensor after it was made (BUILD), or that makes one with more arguments than storage, offset, shape and strides; one storage
under two types.

Memory stays within a small multiple of the file: nothing is unpacked on a file's word, a tensor is a view of the file's bytes until
its numbers are asked for, and the tensors together may not be larger than the file.
"""

import ast
import re
from math import prod
from typing import Any

from .archives import ends_as_zip, read_zip
from .pickles import read_torch
from .shape import Malformed, need, read_json, shown
from .tensors import NUMBERS, OTHERS, Tensor, Tensors

#: The largest file that is read, in bytes.
FILE_LIMIT = 2**30


def read_tensors(data: bytes) -> tuple[str, Any, Any]:
    """(container, content, settings): "safetensors" or "npz" with the tensors by name, or "torch" with whatever object it holds.

    The settings are what the file says beside its tensors; for "torch" they are in the content.
    """
    need(0 < len(data) <= FILE_LIMIT, f"expected a checkpoint of 1 to {FILE_LIMIT:,} bytes, got {len(data):,}")
    view = memoryview(data)
    if data[:4] != b"PK\x03\x04":
        need(not ends_as_zip(data), "expected one file, got safetensors with a zip archive at the end")
        tensors, settings = _read_safetensors(view)
        return "safetensors", tensors, settings
    need(int.from_bytes(data[:8], "little") > len(data) - 8, "expected one file, got a zip archive that is a safetensors header too")
    members = read_zip(data)
    if all(name.endswith(".npy") for name in members):
        return "npz", {name.removesuffix(".npy"): _read_npy(name, content) for name, content in members.items()}, {}
    return "torch", read_torch(members), {}


# ---- safetensors


def _read_safetensors(data: memoryview) -> tuple[Tensors, Any]:
    """The tensors and the metadata: a length, a JSON header, and the numbers without gaps or overlaps."""
    start = end = 8 + int.from_bytes(data[:8], "little")
    need(
        10 <= start <= len(data), "expected a checkpoint (safetensors, a torch archive or npz), got other bytes or a file that was cut"
    )
    header = read_json(bytes(data[8:start]))
    need(type(header) is dict, "expected an object as safetensors header, got something else")
    metadata = header.pop("__metadata__", {})
    plain = type(metadata) is dict and all(type(value) is str for value in metadata.values())
    need(plain, "expected texts as metadata of safetensors, got something else")
    entries = [(name, *_safetensors_entry(name, entry)) for name, entry in header.items()]
    tensors: Tensors = {}
    for name, kind, shape, begin, stop in sorted(entries, key=lambda entry: entry[3:]):
        strides = tuple(prod(shape[i + 1 :]) for i in range(len(shape)))
        need(begin == end - start, f"expected tensors one after the other, got {shown(name)} elsewhere")
        tensor = Tensor(kind, data[start + begin : start + stop], shape, strides)
        end += tensor.bytes()
        need(stop == end - start, f"expected as many bytes as the shape of {shown(name)} says, got others")
        tensors[name] = tensor.checked(name)
    need(end == len(data), f"expected {end:,} bytes of safetensors, got {len(data):,}")
    return {name: tensors[name] for name in header}, dict(metadata)


def _safetensors_entry(name: str, entry: Any) -> tuple[str, tuple[int, ...], int, int]:
    """(type, shape, begin, end) of one entry of the header."""
    fits = type(entry) is dict and entry.keys() == {"dtype", "shape", "data_offsets"}
    fits = fits and type(entry["dtype"]) is str and entry["dtype"] in {*NUMBERS, *OTHERS}
    fits = fits and all(type(entry[key]) is list for key in ("shape", "data_offsets"))
    fits = fits and all(type(k) is int and 0 <= k < 2**40 for k in [*entry["shape"], *entry["data_offsets"]])
    fits = fits and len(entry["shape"]) <= 4 and len(entry["data_offsets"]) == 2
    need(fits, f"expected type, shape of at most four dimensions, and offsets for {shown(name)}, got {shown(entry)}")
    return entry["dtype"], tuple(entry["shape"]), entry["data_offsets"][0], entry["data_offsets"][1]


# ---- npz

_NPY = {"f2": "F16", "f4": "F32", "f8": "F64"}


def _read_npy(name: str, content: memoryview) -> Tensor:
    """The array in a .npy file: a magic number, a Python literal as header, and the numbers."""
    need(
        bytes(content[:6]) == b"\x93NUMPY" and bytes(content[6:8]) in (b"\x01\x00", b"\x02\x00"),
        f"expected an array in {shown(name)}, got other bytes",
    )
    size, begin = (int.from_bytes(content[8:10], "little"), 10) if content[6] == 1 else (int.from_bytes(content[8:12], "little"), 12)
    need(size <= 10_000 and begin + size <= len(content), f"expected a short header of {shown(name)}, got a long one")
    try:
        header = ast.literal_eval(bytes(content[begin : begin + size]).decode("latin-1").strip())
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        raise Malformed(f"expected a header of an array in {shown(name)}, got something else") from None
    plain = type(header) is dict and header.keys() == {"descr", "fortran_order", "shape"} and type(header["fortran_order"]) is bool
    plain = plain and type(header["descr"]) is str and re.fullmatch(r"[<>]f[248]", header["descr"]) is not None
    plain = plain and type(header["shape"]) is tuple and all(type(k) is int and 0 <= k < 2**40 for k in header["shape"])
    need(plain and len(header["shape"]) <= 4, f"expected an array of floats in {shown(name)}, got {shown(header)}")
    shape, numbers = header["shape"], content[begin + size :]
    turned = header["fortran_order"]
    strides = tuple(prod(shape[:i]) if turned else prod(shape[i + 1 :]) for i in range(len(shape)))
    tensor = Tensor(_NPY[header["descr"][1:]], numbers, shape, strides, 0, header["descr"][0])
    need(tensor.bytes() == len(numbers), f"expected {tensor.bytes():,} bytes of numbers in {shown(name)}, got {len(numbers):,}")
    return tensor.checked(name)
