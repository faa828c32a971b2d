"""Checkpoint files: safetensors, torch's zip archives and npz, read strictly and without running anything that is in them.

What this module proves: the tensors that `read_tensors` returns are those of the file, in the one way in which the file can be read.
A file that another common reader could take for something else is `Malformed`: an archive with bytes that belong to no member, with
two directories, or with two members whose names differ in case alone; a zip archive that is also a safetensors file; safetensors or a
pickle that are also a tar archive, which PyTorch looks for before it reads a pickle; a pickle that changes a tensor after it was made
(BUILD), or that makes one with more arguments than storage, offset, shape and strides; one storage under two types.

Memory stays within a small multiple of the file: nothing is unpacked on a file's word, a tensor is a view of the file's bytes until
its numbers are asked for, and the tensors together may not be larger than the file.
"""

import re
from math import prod
from typing import TypedDict, TypeGuard

from .archives import begins_as_tar, ends_as_zip, read_zip
from .pickles import LEGACY, read_legacy, read_torch
from .shape import Malformed, need, read_json, shown
from .tensors import SIZES, Tensor, Tensors

#: The largest file that is read, in bytes.
FILE_LIMIT = 2**30
#: The most dimensions that are read.
LARGEST_RANK = 8


def read_tensors(data: bytes) -> tuple[str, object, dict[str, str]]:
    """(container, content, metadata): "safetensors" or "npz" with the tensors by name, or "torch" with whatever object it holds."""
    need(0 < len(data) <= FILE_LIMIT, f"expected a checkpoint of 1 to {FILE_LIMIT:,} bytes, got {len(data):,}")
    if data[:4] != b"PK\x03\x04":
        need(not begins_as_tar(data), "expected one file, got one that is a tar archive too")
        if data.startswith(LEGACY):
            need(not ends_as_zip(data), "expected one file, got one of PyTorch before 1.6 with a zip archive at its end")
            return "torch", read_legacy(data), {}
        need(data[8:9] == b"{", f"expected safetensors, a torch archive or npz, got a file that begins with {shown(data[:8])}")
        need(not ends_as_zip(data), "expected one file, got safetensors with a zip archive at its end")
        return "safetensors", *read_safetensors(memoryview(data))
    need(int.from_bytes(data[:8], "little") > len(data) - 8, "expected one file, got a zip archive that is safetensors too")
    members = read_zip(data)
    if all(name.endswith(".npy") for name in members):
        return "npz", {name.removesuffix(".npy"): read_npy(name, content) for name, content in members.items()}, {}
    return "torch", read_torch(members), {}


def read_safetensors(data: memoryview) -> tuple[Tensors, dict[str, str]]:
    """The tensors and the metadata: a length, a JSON header, and the numbers without gaps or overlaps."""
    start = end = 8 + int.from_bytes(data[:8], "little")
    need(start <= len(data), "expected whole safetensors, got a file that was cut")
    text = bytes(data[8:start])
    header = read_json(text)
    if type(header) is not dict or text.rstrip(b" ")[-1:] != b"}":
        raise Malformed("expected an object as safetensors header, got something else")
    metadata = header.pop("__metadata__", {})
    if type(metadata) is not dict or not all(type(value) is str for value in metadata.values()):
        raise Malformed("expected texts as metadata of safetensors, got something else")
    for text_of in (*header, *metadata, *metadata.values()):
        need(not re.search("[\ud800-\udfff]", text_of), "expected whole characters in a safetensors header, got half a pair")
    entries = [(name, *safetensors_entry(name, entry)) for name, entry in header.items()]
    tensors: Tensors = {}
    for name, kind, shape, begin, stop in sorted(entries, key=lambda entry: entry[3:]):
        tensor = Tensor(kind, data[start + begin : start + stop], shape, tuple(prod(shape[i + 1 :]) for i in range(len(shape))))
        need(begin == end - start, f"expected tensors one after the other, got {shown(name)} elsewhere")
        end += tensor.bytes()
        need(stop == end - start <= len(data) - start, f"expected as many bytes as the shape of {shown(name)} says, got others")
        tensors[name] = tensor.checked(name)
    need(end == len(data), f"expected {end:,} bytes of safetensors, got {len(data):,}")
    return {name: tensors[name] for name in header}, metadata


class Entry(TypedDict):
    """What a safetensors header says of a tensor: its type, its shape, and where its numbers begin and end."""

    dtype: str
    shape: list[int]
    data_offsets: list[int]


def is_entry(entry: object) -> TypeGuard[Entry]:
    """Whether a value is an entry of a safetensors header, and its type one that is known."""
    if type(entry) is not dict or entry.keys() != {"dtype", "shape", "data_offsets"}:
        return False
    fits = type(entry["dtype"]) is str and entry["dtype"] in SIZES
    fits = fits and all(type(entry[key]) is list and len(entry[key]) <= LARGEST_RANK for key in ("shape", "data_offsets"))
    fits = fits and all(type(k) is int and 0 <= k < 2**40 for k in [*entry["shape"], *entry["data_offsets"]])
    return fits and len(entry["data_offsets"]) == 2


def safetensors_entry(name: str, entry: object) -> tuple[str, tuple[int, ...], int, int]:
    """(type, shape, begin, end) of one entry of the header."""
    if not is_entry(entry):
        raise Malformed(f"expected type, shape and offsets for {shown(name)}, got {shown(entry)}")
    return entry["dtype"], tuple(entry["shape"]), entry["data_offsets"][0], entry["data_offsets"][1]


#: Types of numpy, without their byte order; the header of an array is a literal of three keys, with spaces wherever Python allows
#: them.
NPY = {
    "f2": "F16", "f4": "F32", "f8": "F64", "b1": "BOOL", "i1": "I8", "u1": "U8",
    "i2": "I16", "i4": "I32", "i8": "I64", "u2": "U16", "u4": "U32", "u8": "U64",
}  # fmt: skip
NATURAL = "(?:0|[1-9][0-9]*)"
DESCR = r"(?:[<>](?:f[248]|[iu][248])|\|[iub]1)"
SHAPE = rf"\( *(?:{NATURAL} *, *(?:{NATURAL}(?: *, *{NATURAL})* *,? *)?)?\)"
PAIR = rf"""(?:'(?:descr|fortran_order|shape)'|"(?:descr|fortran_order|shape)") *: *(?:'{DESCR}'|"{DESCR}"|True|False|{SHAPE}) *"""
HEADER = re.compile(rf" *{{ *{PAIR}, *{PAIR}, *{PAIR}(?:, *)?}} *\n")


def read_npy(name: str, content: memoryview) -> Tensor:
    """The array in a .npy file: a magic number, a literal as header, and the numbers."""
    version, wide = bytes(content[:8]), {b"\x93NUMPY\x01\x00": 2, b"\x93NUMPY\x02\x00": 4}
    need(version in wide, f"expected an array in {shown(name)}, got other bytes")
    begin = 8 + wide[version]
    end = begin + int.from_bytes(content[8:begin], "little")
    need(end <= min(len(content), begin + 10_000), f"expected a short header of {shown(name)}, got a long one")
    text = bytes(content[begin:end]).decode("latin-1")
    need(HEADER.fullmatch(text) is not None, f"expected an array of floats in {shown(name)}, got one with the header {shown(text)}")
    found = dict(re.findall(r"(descr|fortran_order|shape)['\"] *: *['\"]?([<>|][fiub][1248]|True|False|\([^)]*\))", text))
    fits = found.keys() == {"descr", "fortran_order", "shape"} and found["shape"][0] == "(" and found["fortran_order"][0] in "TF"
    need(fits and found["descr"][0] in "<>|", f"expected an array of floats in {shown(name)}, got one with the header {shown(text)}")
    shape = tuple(int(number) for number in re.findall("[0-9]+", found["shape"]))
    need(
        len(shape) <= LARGEST_RANK and all(k < 2**40 for k in shape), f"expected an array of few dimensions in {shown(name)}, got many"
    )
    by_columns = found["fortran_order"] == "True"
    strides = tuple(prod(shape[:i]) if by_columns else prod(shape[i + 1 :]) for i in range(len(shape)))
    tensor = Tensor(NPY[found["descr"][1:]], content[end:], shape, strides, 0, found["descr"][0].replace("|", "<"))
    need(
        tensor.bytes() == len(content) - end,
        f"expected {tensor.bytes():,} bytes of numbers in {shown(name)}, got {len(content) - end:,}",
    )
    return tensor.checked(name)
