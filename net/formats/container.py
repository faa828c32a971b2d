"""Reading files of tensors that anybody may have made: safetensors, torch archives, npz. No library reads them for us.

No code in a file is ever run, and a file that another reader could take for something else is refused: docs/checkpoints.md states
the rules. Nothing is allocated on a file's word: sizes are checked against the bytes that are there first, so memory stays within a
small multiple of the file's size, which is at most FILE_LIMIT.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypedDict

import numpy as np

from algebra.plural import plural
from net.errors import MalformedInput
from net.formats.pickles import Storage, storage_of, unpickle
from net.formats.zip_archive import ends_in_a_directory, read_archive

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from net.dyadic import FloatMatrix
    from net.formats.pickles import Tensor

#: Largest file that is read, in bytes.
FILE_LIMIT = 2**30
#: Largest header of a safetensors file, in bytes.
HEADER_LIMIT = 2**24
#: Views of stored numbers may take together as many bytes as the file, and this many more (a bias that is one number, expanded).
VIEW_ALLOWANCE = 2**16

#: What weights can be, the widest last.
FLOATS = ("float16", "bfloat16", "float32", "float64")
_SAFETENSORS_TYPES = {"F16": ("float16", 2), "BF16": ("bfloat16", 2), "F32": ("float32", 4), "F64": ("float64", 8)}
#: Types of numpy without their byte order; those of integers and truth values by their names in safetensors.
_NPY_TYPES = {
    **{"f2": ("float16", 2), "f4": ("float32", 4), "f8": ("float64", 8), "b1": ("BOOL", 1), "i1": ("I8", 1), "u1": ("U8", 1)},
    **{f"{sign}{size}": (f"{sign.upper()}{8 * size}", size) for sign in "iu" for size in (2, 4, 8)},
}
_SAFETENSORS_OTHERS = {"BOOL": 1, "U8": 1, "I8": 1, "U16": 2, "I16": 2, "U32": 4, "I32": 4, "U64": 8, "I64": 8}
#: A torch file before 1.6 begins with this number, pickled.
_LEGACY = b"\x80\x02\x8a\n" + (0x1950A86A20F9469CFC6C).to_bytes(10, "little") + b"."

_NPY = re.compile(
    r"""\{\ *
    (?:(?:['"]descr['"]\ *:\ *['"](?P<descr>[<>|=]?[A-Za-z]+[0-9]*)['"]
      |['"]fortran_order['"]\ *:\ *(?P<fortran>True|False)
      |['"]shape['"]\ *:\ *\((?P<shape>(?:\ *[0-9]+\ *,)*(?:\ *[0-9]+)?)\ *\))\ *(?:,\ *|(?=\}))){3}
    \}\ *\n""",
    re.VERBOSE,
)


@dataclass(frozen=True, eq=False)
class Stored:
    """A tensor in a file, not yet read: entry (i, j, ...) is number offset + i strides[0] + ... of `data`.

    Attributes:
        kind: the number's type, such as "float32"; only those in FLOATS are read.
        data: the bytes of the storage that it is a view of.
        big: whether the bytes of a number come highest first.

    """

    kind: str
    data: memoryview = field(repr=False)
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int = 0
    big: bool = False

    @property
    def size(self) -> int:
        """Number of entries."""
        return math.prod(self.shape)

    def array(self) -> FloatMatrix:
        """The entries as float64, exactly; signalling NaNs become quiet ones."""
        if self.kind == "bfloat16":  # the upper half of a float32
            numbers = (np.frombuffer(self.data, "<u2").astype(np.uint32) << 16).view(np.float32)
        else:
            numbers = np.frombuffer(self.data, np.dtype(self.kind).newbyteorder(">" if self.big else "<"))
        steps = tuple(stride * numbers.itemsize for stride in self.strides)
        view = np.lib.stride_tricks.as_strided(numbers[self.offset :], self.shape, steps) if self.size else np.zeros(self.shape)
        with np.errstate(invalid="ignore"):
            return np.array(view, dtype=np.float64, order="C")


@dataclass(frozen=True, eq=False)
class Contents:
    """What a file holds.

    Attributes:
        container: "safetensors", "torch", "torch before 1.6" or "npz".
        tensors: by name, for safetensors and npz; empty for torch.
        value: the value in a torch file, with `pickles.Tensor` for tensors; None for the others.
        metadata: the strings in a safetensors file.
        storages: the numbers in a torch file, by key.

    """

    container: str
    tensors: dict[str, Stored] = field(default_factory=dict)
    value: object = None
    metadata: dict[str, str] = field(default_factory=dict)
    storages: dict[str, memoryview] = field(default_factory=dict, repr=False)

    def stored(self, tensor: Tensor) -> Stored:
        """A tensor of a torch file, with its numbers."""
        storage = tensor.storage
        return Stored(storage.kind, self.storages[storage.key], tensor.shape, tensor.strides, tensor.offset)


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
            raise MalformedInput(f"expected a file of 1 to {FILE_LIMIT:,} bytes at {path}, got {plural(size, 'byte')}")
        with path.open("rb") as file:
            data = file.read(FILE_LIMIT + 1)
    except (OSError, ValueError) as error:
        raise MalformedInput(f"expected a readable checkpoint file, got {first_line(error)}") from error
    if len(data) > FILE_LIMIT:
        raise MalformedInput(f"expected a file of 1 to {FILE_LIMIT:,} bytes at {path}, got more")
    return data


def read_contents(data: bytes) -> Contents:
    """What the bytes hold, told by themselves and never by a file's name.

    Raises:
        MalformedInput: they are none of the containers, or damaged, or hold what must not be loaded, or can be read in two ways.

    """
    if data[:4] == b"PK\x03\x04":
        members = read_archive(data)
        if all(name.endswith(".npy") for name in members):
            return Contents("npz", {name[:-4]: _from_npy(name[:-4], contents) for name, contents in members.items()})
        return _read_torch(members)
    if len(data) > 10 and data[8:9] == b"{":
        contents = _read_safetensors(data)
    elif data.startswith(_LEGACY):
        contents = _read_legacy(data)
    else:
        raise MalformedInput(f"expected safetensors, a torch archive or an npz, got {_other_kind(data)}")
    if ends_in_a_directory(data):
        raise MalformedInput("expected one kind of file, got one that is a zip archive too for readers that look at its end")
    if _is_tar(data):
        raise MalformedInput("expected one kind of file, got one that is a tar archive too, which PyTorch would read in its place")
    return contents


def _is_tar(data: bytes) -> bool:
    """Whether Python's reader of tar archives takes the beginning for a header (PyTorch tries that one before it reads a pickle)."""
    import tarfile

    try:
        tarfile.TarInfo.frombuf(data[: tarfile.BLOCKSIZE], "ascii", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def to_arrays(tensors: Mapping[str, Stored], limit: int) -> tuple[dict[str, FloatMatrix], str]:
    """The tensors as float64 arrays, each view read once, and their precision ("float32", or the widest of several).

    Raises:
        MalformedInput: a tensor holds no floats, or the different views take more than `limit` + VIEW_ALLOWANCE bytes as stored.

    """
    views: dict[object, Stored] = {}
    of: dict[str, object] = {}
    for name, tensor in tensors.items():
        if tensor.kind not in FLOATS:
            whole = not tensor.kind.startswith("complex")
            mend = "; for weights that are integers, save them as floats (.astype(float), .float())" if whole else ""
            raise MalformedInput(f"expected a dense tensor of floats for {name!r:.80}, got {tensor.kind}{mend}")
        of[name] = (id(tensor.data), tensor.kind, tensor.offset, tensor.shape, tensor.strides)
        views[of[name]] = tensor
    total = sum(tensor.size * _itemsize(tensor.kind) for tensor in views.values())
    if total > limit + VIEW_ALLOWANCE:
        shapes = ", ".join(f"{name!r:.40} {tensor.shape}" for name, tensor in list(tensors.items())[:4])
        raise MalformedInput(
            f"expected at most {limit:,} bytes in the tensors, got {total:,} by views of fewer: {shapes:.200}; save clones"
        )
    arrays = {key: tensor.array() for key, tensor in views.items()}
    kinds = {tensor.kind for tensor in views.values()}
    return {name: arrays[key] for name, key in of.items()}, max(kinds, key=FLOATS.index, default="float32")


def first_line(error: BaseException) -> str:
    """The first line of an error's message, shortened, for use inside a sentence of ours."""
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:200]


def parse_json(text: str, where: str) -> object:
    """The JSON value; objects have each key once, and no string holds half a character.

    Raises:
        MalformedInput: it is none.

    """

    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) < len(pairs):
            raise ValueError("a key that is there twice")
        return found

    try:
        value = json.loads(text, object_pairs_hook=once)
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise MalformedInput(f"expected JSON in {where}, got: {first_line(error)}") from error
    return value


def _other_kind(data: bytes) -> str:
    """What the bytes are, by their first ones, and what would help."""
    head = data[:512].lstrip().lower()
    if data[:2] == b"\x1f\x8b":
        return "a file compressed with gzip: unpack it first (gunzip)"
    if data.startswith((b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf", b"\x28\xb5\x2f\xfd")):
        return "a compressed file: unpack it first"
    if data.startswith(b"version https://git-lfs"):
        return "a pointer of Git LFS in place of the file: fetch it (git lfs pull)"
    if head.startswith((b"<!doctype", b"<html", b"<?xml", b"<head")):
        return "a web page in place of the file: download the file itself (the 'raw' link)"
    if data.startswith(b"\x93NUMPY"):
        return "one numpy array: put the arrays of the network into one npz (numpy.savez)"
    if data.startswith(b"\x89HDF\r\n"):
        return "HDF5 (Keras?): save the weights as safetensors or npz"
    if data[257:262] == b"ustar":
        return "a tar archive: unpack it first, or load it with PyTorch and save it again"
    if data[:1] == b"\x80" and data[1:2] <= b"\x05":
        return "a bare pickle, which could hold code: load it where you trust it and save it with torch.save or as safetensors"
    if head[:1] in (b"{", b"["):
        return "JSON: save the arrays of the network as safetensors or npz"
    if data.startswith(b"PK"):
        return "a zip archive that does not begin with a member (empty, or cut off?)"
    return f"bytes that begin {data[:8]!r}"


def _itemsize(kind: str) -> int:
    return {"float16": 2, "bfloat16": 2, "float32": 4, "float64": 8}[kind]


def _rows(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Strides of numbers stored with the last index fastest."""
    return tuple(math.prod(shape[i + 1 :]) for i in range(len(shape)))


def _read_torch(members: dict[str, memoryview]) -> Contents:
    pickled = [name for name in members if name.endswith("data.pkl")]
    if len(pickled) != 1 or pickled[0].count("/") != 1 or not pickled[0].endswith("/data.pkl"):
        raise MalformedInput(
            "expected a zip archive with one NAME/data.pkl (torch) or .npy members (npz), got one with neither or several"
        )
    root = pickled[0].removesuffix("data.pkl")
    if any(not name.startswith(root) for name in members):
        raise MalformedInput(f"expected all members of the torch archive below {root[:80]!r}, got others")
    if f"{root}constants.pkl" in members:
        raise MalformedInput("expected a state dict, got a TorchScript archive, which holds a program: save module.state_dict()")
    if bytes(members.get(f"{root}byteorder", b"little")) != b"little":
        raise MalformedInput("expected little-endian numbers in the torch archive, got others")
    seen: dict[str, Storage] = {}
    storages: dict[str, memoryview] = {}

    def storage(identity: object) -> Storage:
        found = _consistent(storage_of(identity), seen)
        data = members.get(f"{root}data/{found.key}")
        if data is None or len(data) != found.numbers * found.itemsize:
            came = "none" if data is None else f"{len(data):,}"
            size = found.numbers * found.itemsize
            raise MalformedInput(
                f"expected {size:,} bytes in the torch archive for a storage of that size, got {came} under {found.key[:40]!r}"
            )
        storages[found.key] = data
        return found

    pickle = members[pickled[0]]
    value, end = unpickle(pickle, storage)
    if end != len(pickle):
        raise MalformedInput("expected a torch archive whose pickle ends with its value, got more behind it")
    return Contents("torch", value=value, storages=storages)


def _consistent(found: Storage, seen: dict[str, Storage]) -> Storage:
    if seen.setdefault(found.key, found) != found:
        raise MalformedInput(f"expected each storage of the torch archive under one type and size, got {found.key[:40]!r} under two")
    return seen[found.key]


def _read_legacy(data: bytes) -> Contents:
    """The format before torch 1.6: four pickles and the keys of the storages, then each storage's count and numbers."""
    seen: dict[str, Storage] = {}
    plain = MalformedInput("expected a whole file of PyTorch before 1.6, got a damaged one: load it with PyTorch and save it again")

    def none(identity: object) -> Storage:
        raise plain

    version, place = unpickle(data, none, len(_LEGACY))
    system, place = unpickle(data, none, place)
    if version != 1001 or not isinstance(system, dict) or system.get("little_endian") is not True:
        raise plain
    value, place = unpickle(data, lambda identity: _consistent(storage_of(identity, 1), seen), place)
    keys, place = unpickle(data, none, place)
    if type(keys) is not list or any(type(key) is not str for key in keys) or sorted(keys) != sorted(seen):
        raise plain
    storages = {}
    for key in keys:
        end = place + 8 + seen[key].numbers * seen[key].itemsize
        if end > len(data) or int.from_bytes(data[place : place + 8], "little") != seen[key].numbers:
            raise plain
        storages[key] = memoryview(data)[place + 8 : end]
        place = end
    if place != len(data):
        raise plain
    return Contents("torch before 1.6", value=value, storages=storages)


def _read_safetensors(data: bytes) -> Contents:
    start = 8 + int.from_bytes(data[:8], "little")
    if start > len(data) or start > HEADER_LIMIT:
        raise MalformedInput(f"expected a whole safetensors file, got {plural(len(data), 'byte')} whose header is to end at {start:,}")
    text = data[8:start].rstrip(b" ")
    try:
        header = parse_json(text.decode(), "the header of a safetensors file") if text.endswith(b"}") else None
    except UnicodeDecodeError as error:
        raise MalformedInput("expected UTF-8 in the header of a safetensors file, got other bytes") from error
    if not isinstance(header, dict):
        raise MalformedInput("expected a JSON object as header of a safetensors file, got something else")
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or any(type(value) is not str for value in metadata.values()):
        raise MalformedInput("expected strings as metadata of a safetensors file, got something else")
    entries = {name: _checked_entry(name, entry) for name, entry in header.items()}
    tensors = {}
    place = 0
    for name, entry in sorted(entries.items(), key=lambda item: item[1]["data_offsets"]):
        kind, itemsize = _SAFETENSORS_TYPES.get(entry["dtype"]) or (entry["dtype"], _SAFETENSORS_OTHERS[entry["dtype"]])
        shape, (begin, end) = tuple(entry["shape"]), entry["data_offsets"]
        if begin != place or end - begin != math.prod(shape) * itemsize:
            raise MalformedInput(
                f"expected tensors one after the other, each of its shape's size, in the safetensors file, got {name!r:.80}"
            )
        place = end
        tensors[name] = Stored(kind, memoryview(data)[start + begin : start + end], shape, _rows(shape))
    if start + place != len(data):
        raise MalformedInput(f"expected a whole safetensors file of {start + place:,} bytes, got {len(data):,}")
    return Contents("safetensors", {name: tensors[name] for name in header}, metadata=metadata)


class _Entry(TypedDict):
    """What a safetensors header says of a tensor."""

    dtype: str
    shape: list[int]
    data_offsets: list[int]


def _checked_entry(name: str, entry: object) -> _Entry:
    wrong = MalformedInput(f"expected type, shape and place for {name!r:.80} in the safetensors file, got something else")
    if not isinstance(entry, dict) or entry.keys() != {"dtype", "shape", "data_offsets"}:
        raise wrong
    plain = isinstance(entry["shape"], list) and isinstance(entry["data_offsets"], list)
    plain = plain and len(entry["shape"]) <= 8 and len(entry["data_offsets"]) == 2
    if not plain or not all(type(k) is int and 0 <= k < 2**48 for k in (*entry["shape"], *entry["data_offsets"])):
        raise wrong
    if not isinstance(entry["dtype"], str) or entry["dtype"] not in {*_SAFETENSORS_TYPES, *_SAFETENSORS_OTHERS}:
        raise MalformedInput(f"expected a tensor of floats for {name!r:.80}, got {str(entry['dtype'])[:40]!r}")
    return {"dtype": entry["dtype"], "shape": entry["shape"], "data_offsets": entry["data_offsets"]}


def _from_npy(name: str, contents: memoryview) -> Stored:
    """The array in a .npy file; its header is compared with the bytes first."""
    head = bytes(contents[:12])
    wide = {b"\x93NUMPY\x01\x00": 2, b"\x93NUMPY\x02\x00": 4}.get(head[:8], 0)
    start = 8 + wide + int.from_bytes(head[8 : 8 + wide], "little")
    if not wide or start > min(len(contents), 10_000):
        raise MalformedInput(f"expected an array for {name!r:.80} in the npz, got something else")
    header = bytes(contents[8 + wide : start])
    match = _NPY.fullmatch(header.decode("ascii", "replace"))
    if match is None or None in match.groups() or header.count(b":") != 3:
        raise MalformedInput(f"expected an array with type, order and shape for {name!r:.80} in the npz, got {header[:80]!r}")
    kind, itemsize = _NPY_TYPES.get(match["descr"][1:], ("", 0))
    if not kind or match["descr"][0] not in ("|" if itemsize == 1 else "<>"):
        raise MalformedInput(f"expected an array of floats for {name!r:.80}, got {match['descr']!r}")
    digits = [part.strip() for part in match["shape"].split(",") if part.strip()]
    shape = tuple(int(part) for part in digits if len(part) < 16)
    plain = [str(size) for size in shape] == digits and len(shape) <= 8
    # (6) is a number in brackets, (6,) a tuple
    plain = plain and (len(shape) != 1 or match["shape"].rstrip().endswith(","))
    rest = contents[start:]
    if not plain or math.prod(shape) * itemsize != len(rest):
        raise MalformedInput(f"expected {len(rest):,} bytes of data for {name!r:.80}, got shape ({match['shape'][:80]})")
    strides = _rows(shape[::-1])[::-1] if match["fortran"] == "True" else _rows(shape)
    return Stored(kind, rest, shape, strides, big=match["descr"][0] == ">")
