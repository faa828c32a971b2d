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
import pickletools
import re
import struct
import zlib
from collections.abc import Callable, Sequence
from math import prod
from typing import Any, ClassVar, NamedTuple

from .integers import Matrix
from .shape import Malformed, need, read_json, shown

#: The largest file that is read, in bytes.
FILE_LIMIT = 2**30
#: What compressed members may be unpacked to, as a multiple of the file.
UNPACKED = 32

#: Per type: bytes per number, and how `struct` reads it (a bfloat16 is the upper half of a float32).
NUMBERS = {"F16": (2, "e"), "BF16": (2, "H"), "F32": (4, "f"), "F64": (8, "d")}
#: Bytes per number of types that are no weights: such tensors may lie in a file, and are not read.
OTHERS = {"BOOL": 1, "U8": 1, "I8": 1, "I16": 2, "I32": 4, "I64": 8, "C64": 8, "C128": 16}


class Tensor(NamedTuple):
    """A tensor in a file: entry (i, j) is number offset + i strides[0] + j strides[1] of the data, in the byte order ``order``."""

    kind: str
    data: memoryview
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int = 0
    order: str = "<"

    def checked(self, name: str) -> "Tensor":
        """The tensor, or Malformed where it reaches beyond its data."""
        size = NUMBERS[self.kind][0] if self.kind in NUMBERS else OTHERS[self.kind]
        last = self.offset + sum((n - 1) * step for n, step in zip(self.shape, self.strides, strict=True))
        inside = 0 in self.shape or last < len(self.data) // size
        need(
            len(self.shape) <= 4 and inside,
            f"expected a tensor that lies within its data, got {shown(name)} of shape {shown(self.shape)}",
        )
        return self

    def bytes(self) -> int:
        """How many bytes its numbers take when each is written out."""
        return prod(self.shape) * (NUMBERS[self.kind][0] if self.kind in NUMBERS else OTHERS[self.kind])

    def matrix(self) -> Matrix:
        """Its numbers as integers over a power of two; a vector is one row. Malformed for anything else, NaN and infinity included."""
        need(self.kind in NUMBERS, f"expected a tensor of floats, got {self.kind}")
        need(len(self.shape) in (1, 2) and prod(self.shape) > 0, f"expected a vector or a matrix, got the shape {shown(self.shape)}")
        (rows, width), (down, across) = (1, *self.shape)[-2:], (0, *self.strides)[-2:]
        places = [self.offset + i * down + j * across for i in range(rows) for j in range(width)]
        size, code = NUMBERS[self.kind]
        first, last = min(places), max(places)
        stored = struct.unpack_from(f"{self.order}{last - first + 1}{code}", self.data, first * size)
        if self.kind == "BF16":
            stored = struct.unpack(f"<{len(stored)}f", struct.pack(f"<{len(stored)}I", *(word << 16 for word in stored)))
        return exact([stored[place - first] for place in places], width)


def exact(numbers: Sequence[float], width: int) -> Matrix:
    """The matrix with these entries, row by row."""
    try:
        ratios = [number.as_integer_ratio() for number in numbers]
    except (ValueError, OverflowError):
        raise Malformed("expected finite weights, got NaN or infinity") from None
    bits = max(q.bit_length() for _, q in ratios) - 1
    integers = [p << bits + 1 - q.bit_length() for p, q in ratios]
    narrow = all(is_float32(p, q.bit_length() - 1) for p, q in ratios)
    return Matrix([integers[i : i + width] for i in range(0, len(integers), width)], bits, narrow)


def is_float32(p: int, bits: int) -> bool:
    """Whether p / 2^bits, in lowest terms, is a float32 number: 24 significant bits, below 2^128, a multiple of 2^-149."""
    odd = abs(p) // max(1, p & -p)
    return odd.bit_length() <= 24 and bits <= 149 and p.bit_length() - bits <= 128


Tensors = dict[str, Tensor]


def read_tensors(data: bytes) -> tuple[str, Any, Any]:
    """(container, content, settings): "safetensors" or "npz" with the tensors by name, or "torch" with whatever object it holds.

    The settings are what the file says beside its tensors; for "torch" they are in the content.
    """
    need(0 < len(data) <= FILE_LIMIT, f"expected a checkpoint of 1 to {FILE_LIMIT:,} bytes, got {len(data):,}")
    view = memoryview(data)
    if data[:4] != b"PK\x03\x04":
        need(not _ends_as_zip(data), "expected one file, got safetensors with a zip archive at the end")
        tensors, settings = _read_safetensors(view)
        return "safetensors", tensors, settings
    need(int.from_bytes(data[:8], "little") > len(data) - 8, "expected one file, got a zip archive that is a safetensors header too")
    members = read_zip(data)
    if all(name.endswith(".npy") for name in members):
        return "npz", {name.removesuffix(".npy"): _read_npy(name, content) for name, content in members.items()}, {}
    return "torch", _read_torch(members), {}


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


# ---- zip archives

_LOCAL, _CENTRAL, _END = struct.Struct("<4s5H3I2H"), struct.Struct("<4s6H3I5H2I"), struct.Struct("<4s4H2IH")
_END64, _LOCATOR = struct.Struct("<4sQ2H2I4Q"), struct.Struct("<4sIQI")


def _ends_as_zip(data: bytes) -> bool:
    """Whether a reader that looks for a zip directory from the end would find one."""
    place = data.rfind(b"PK\x05\x06", max(0, len(data) - 2**16 - _END.size))
    return place >= 0 and place + _END.size <= len(data) and place + _END.size + _END.unpack_from(data, place)[-1] == len(data)


def read_zip(data: bytes) -> dict[str, memoryview]:
    """The members of an archive that is nothing but members, one directory, and its end: no byte belongs to anything else."""
    try:
        return _read_zip(data)
    except struct.error:
        raise Malformed("expected a whole zip archive, got one that was cut") from None


def _read_zip(data: bytes) -> dict[str, memoryview]:
    view, end = memoryview(data), len(data) - _END.size
    sign, disk, first_disk, here, count, size, start, comment = _END.unpack_from(data, end)
    need(
        sign == b"PK\x05\x06" and (disk, first_disk, comment) == (0, 0, 0) and here == count,
        "expected a whole zip archive, got a damaged one",
    )
    if data[end - _LOCATOR.size : end][:4] == b"PK\x06\x07":  # the directory's place once more, in 64 bits
        end64 = end - _LOCATOR.size - _END64.size
        sign, rest, _, _, disk, first_disk, here64, count64, size64, start64 = _END64.unpack_from(data, end64)
        located = _LOCATOR.unpack_from(data, end - _LOCATOR.size)
        fits = (sign, rest, disk, first_disk, located[1:]) == (
            b"PK\x06\x06",
            _END64.size - 12,
            0,
            0,
            (0, end64, 1),
        ) and here64 == count64
        fits = fits and count in (count64, 0xFFFF) and size in (size64, 0xFFFFFFFF) and start in (start64, 0xFFFFFFFF)
        need(fits, "expected one directory of the zip archive, got two that differ")
        end, count, size, start = end64, count64, size64, start64
    need(start + size == end, "expected a zip archive that ends with its directory, got other bytes there")
    entries, place = [], start
    while place < end:
        entry = _CENTRAL.unpack_from(data, place)
        name_end = place + _CENTRAL.size + entry[10]
        entries.append((entry, data[place + _CENTRAL.size : name_end], data[name_end : name_end + entry[11]]))
        need(
            entry[0] == b"PK\x01\x02" and entry[12:14] == (0, 0), "expected a directory of plain members in the zip archive, got others"
        )
        place = name_end + entry[11]
    need(place == end and len(entries) == count > 0, "expected a directory with as many members as it says, got others")
    members: dict[str, memoryview] = {}
    place, budget = 0, UNPACKED * len(data)
    for entry, name, extra in sorted(entries, key=lambda item: _wide(item)[2]):
        packed, unpacked, offset = _wide((entry, name, extra))
        need(offset == place, "expected the members of the zip archive one after the other, got a gap or an overlap")
        content, place = _member(view, place, entry, name, packed, unpacked)
        need(unpacked <= budget, f"expected members of at most {UNPACKED} times the file, got more")
        budget -= unpacked
        text = name.decode("latin-1")
        need(re.fullmatch(r"[ !#-\[\]-~]+", text) is not None, f"expected names of members in plain ASCII, got {shown(text)}")
        members[text] = _unpacked(content, entry[4], unpacked, entry[7])
    need(place == start, "expected the directory after the last member of the zip archive, got other bytes there")
    need(len({name.lower() for name in members}) == len(entries), "expected members with different names, got two alike but for case")
    return members


def _wide(item: tuple[Any, bytes, bytes]) -> tuple[int, int, int]:
    """(packed size, unpacked size, offset) of a member of the directory, which may stand in its extra field in 64 bits."""
    (*_, packed, unpacked, _, _, _, _, _, _, offset), extra = item[0], item[2]
    place = 0
    while place < len(extra):
        kind, size = struct.unpack_from("<2H", extra, place)
        need(place + 4 + size <= len(extra), "expected whole extra fields in the zip archive, got one that was cut")
        if kind == 1:
            wide = [word for (word,) in struct.iter_unpack("<Q", extra[place + 4 : place + 4 + size])]
            values = [wide.pop(0) if value == 0xFFFFFFFF and wide else value for value in (unpacked, packed, offset)]
            unpacked, packed, offset = values
            need(not wide, "expected sizes once in the zip archive, got more")
        place += 4 + size
    return packed, unpacked, offset


def _member(data: memoryview, place: int, entry: Any, name: bytes, packed: int, unpacked: int) -> tuple[memoryview, int]:
    """The bytes of the member whose header stands at ``place``, and where the next one begins; header and directory must agree."""
    sign, _, flags, method, _, _, crc, local_packed, local_unpacked, name_size, extra_size = _LOCAL.unpack_from(data, place)
    begin = place + _LOCAL.size + name_size + extra_size
    later = bool(flags & 8)  # sizes and checksum stand behind the member
    agree = sign == b"PK\x03\x04" and bytes(data[place + _LOCAL.size :][:name_size]) == name and (flags, method) == (entry[3], entry[4])
    agree = agree and flags & ~0x808 == 0 and method in (0, 8)
    need(agree, "expected plain members whose headers agree with the directory of the zip archive, got others")
    need(begin + packed <= len(data), "expected a whole zip archive, got one that was cut")
    sizes = {(crc, local_packed, local_unpacked)}
    end = begin + packed
    if later:
        has_sign = bytes(data[end : end + 4]) == b"PK\x07\x08"
        wide = struct.Struct("<I2Q" if max(packed, unpacked) >= 0xFFFFFFFF or _is_wide(data, place) else "<3I")
        sizes = {wide.unpack_from(data, end + 4 * has_sign)}
        end += 4 * has_sign + wide.size
    elif 0xFFFFFFFF in (local_packed, local_unpacked):  # in 64 bits, in the extra field
        sizes = {(crc, *_local_wide(bytes(data[begin - extra_size : begin]), local_packed, local_unpacked))}
    need(
        sizes == {(entry[7], packed, unpacked)}, "expected members whose sizes agree with the directory of the zip archive, got others"
    )
    return data[begin : begin + packed], end


def _is_wide(data: memoryview, place: int) -> bool:
    """Whether the local header at ``place`` has a field for sizes of 64 bits."""
    header = _LOCAL.unpack_from(data, place)
    extra = bytes(data[place + _LOCAL.size + header[9] :][: header[10]])
    return extra[:2] == b"\x01\x00"


def _local_wide(extra: bytes, packed: int, unpacked: int) -> tuple[int, int]:
    """(packed, unpacked) of a local header whose extra field has them in 64 bits."""
    kind, size = struct.unpack_from("<2H", extra, 0)
    need(kind == 1 and size == 16, "expected sizes of 64 bits in the zip archive, got none")
    unpacked64, packed64 = struct.unpack_from("<2Q", extra, 4)
    return (packed64 if packed == 0xFFFFFFFF else packed), (unpacked64 if unpacked == 0xFFFFFFFF else unpacked)


def _unpacked(content: memoryview, method: int, size: int, crc: int) -> memoryview:
    """A member's bytes, unpacked where they are compressed; no more than ``size`` of them are ever made."""
    if method == 8:
        try:
            stream = zlib.decompressobj(-15)
            content = memoryview(stream.decompress(content, size + 1))
            whole = stream.eof and not stream.unused_data and not stream.unconsumed_tail
        except zlib.error:
            whole = False
        need(whole, "expected whole compressed members in the zip archive, got a damaged one")
    need(
        len(content) == size and zlib.crc32(content) == crc,
        "expected members with the checksums that the zip archive states, got others",
    )
    return content


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


# ---- torch archives

#: Storages of torch, and how many bytes a number takes.
STORAGES = {"HalfStorage": "F16", "BFloat16Storage": "BF16", "FloatStorage": "F32", "DoubleStorage": "F64", "BoolStorage": "BOOL",
            "ByteStorage": "U8", "CharStorage": "I8", "ShortStorage": "I16", "IntStorage": "I32", "LongStorage": "I64",
            "ComplexFloatStorage": "C64", "ComplexDoubleStorage": "C128"}  # fmt: skip


def _read_torch(members: dict[str, memoryview]) -> Any:
    """The object in an archive of ``torch.save``: a pickle that names the tensors, and one member per storage."""
    root = next(iter(members)).split("/")[0] + "/"
    need(all(name.startswith(root) for name in members), "expected a torch archive or npz, got a zip archive with other members")
    inside = {name.removeprefix(root): content for name, content in members.items()}
    need("data.pkl" in inside, "expected a torch archive with its data.pkl, got a zip archive without")
    need("constants.pkl" not in inside, "expected a torch archive of tensors, got one of TorchScript")
    need(bytes(inside.get("byteorder", memoryview(b"little"))) == b"little", "expected little-endian tensors, got others")
    storages = {name.removeprefix("data/"): content for name, content in inside.items() if name.startswith("data/")}
    return Unpickler(bytes(inside["data.pkl"]), storages).result


class Unpickler:
    """What a pickle of dictionaries, lists, numbers and tensors means: a stack machine for the opcodes that a state dict needs.

    It looks up and calls nothing that the pickle names, and takes memory in proportion to the pickle's length. ``result`` has tensors
    as `Tensor`, and ordered dictionaries as plain ones.
    """

    #: Opcodes whose argument is pushed as it is (a global name stays a name), and those that push a new value.
    CARRIES = frozenset({"BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE", "SHORT_BINUNICODE", "GLOBAL"})
    MAKES: ClassVar[dict[str, Callable[[], Any]]] = {
        "EMPTY_LIST": list, "EMPTY_DICT": dict, "EMPTY_TUPLE": tuple,
        "NONE": lambda: None, "NEWTRUE": lambda: True, "NEWFALSE": lambda: False,
    }  # fmt: skip
    #: How many values an opcode takes off the stack; -1 for all down to the mark.
    TAKES: ClassVar[dict[str, int]] = {
        "TUPLE": -1, "TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3, "APPEND": 1, "APPENDS": -1, "SETITEM": 2, "SETITEMS": -1,
        "BINPERSID": 1, "REDUCE": 2, "BUILD": 1,
    }  # fmt: skip

    def __init__(self, pickled: bytes, storages: dict[str, memoryview]) -> None:
        self._storages, self._kinds = storages, {}  # type: dict[str, memoryview], dict[str, str]
        self._stack, self._marks, self._memo = [], [], {}  # type: list[Any], list[int], dict[Any, Any]
        end = 0
        for opcode, argument, place in pickletools.genops(pickled):
            self._step(opcode.name, argument)
            end = place or 0
        need(end + 1 == len(pickled) and len(self._stack) == 1 and not self._marks, "expected one object in the pickle, got more")
        self.result = self._stack.pop()

    def _step(self, op: str, argument: Any) -> None:
        stack, takes = self._stack, self.TAKES.get(op, 0)
        start = self._marks.pop() if takes < 0 else len(stack) - takes
        need(start >= (self._marks[-1] if self._marks else 0), "expected a pickle that takes what it has put, got another")
        items = stack[start:]
        del stack[start:]
        if op in self.CARRIES:
            stack.append(argument)
        elif op in self.MAKES:
            stack.append(self.MAKES[op]())
        elif op == "MARK":
            self._marks.append(len(stack))
        elif op in ("BINPUT", "LONG_BINPUT"):
            self._memo[argument] = stack[-1]
        elif op in ("BINGET", "LONG_BINGET"):
            stack.append(self._memo[argument])
        elif op.startswith("TUPLE"):
            stack.append(tuple(items))
        elif op.startswith("APPEND") and type(stack[-1]) is list:
            stack[-1].extend(items)
        elif op.startswith("SETITEM") and type(stack[-1]) is dict and {type(key) for key in items[::2]} <= {str, int}:
            stack[-1].update(zip(items[::2], items[1::2], strict=True))
        elif op == "BINPERSID":
            stack.append(self._storage(items[0]))
        elif op == "REDUCE":
            stack.append(self._made(*items))
        elif op == "BUILD" and type(stack[-1]) is dict and type(items[0]) is dict:
            pass  # attributes of an ordered dictionary, on which no weight depends
        elif op not in ("PROTO", "STOP"):
            raise Malformed(f"expected a pickle of tensors and nothing else, got {op} of {shown(items)}")

    def _storage(self, identity: Any) -> tuple[str, memoryview]:
        """(type, bytes) of the storage with the persistent id ("storage", type, key, device, number of entries)."""
        plain = type(identity) is tuple and len(identity) == 5 and [*map(type, identity)] == [str, str, str, str, int]
        need(plain and identity[0] == "storage", f"expected the name of a storage, got {shown(identity)}")
        _, name, key, _, count = identity
        kind = STORAGES.get(name.removeprefix("torch ")) if name.startswith("torch ") else None
        need(kind is not None and key in self._storages, f"expected a storage of numbers that the archive has, got {shown(identity)}")
        assert kind is not None
        need(self._kinds.setdefault(key, kind) == kind, f"expected one type for the storage {shown(key)}, got two")
        size = NUMBERS[kind][0] if kind in NUMBERS else OTHERS[kind]
        need(count * size == len(self._storages[key]), f"expected as many numbers as the storage {shown(key)} has, got {shown(count)}")
        return kind, self._storages[key]

    def _made(self, function: Any, arguments: Any) -> Any:
        """What a call means: an empty ordered dictionary, a tensor, or a parameter, which is its tensor."""
        need(
            type(function) is str and type(arguments) is tuple,
            "expected a pickle of tensors and nothing else, got a call of something else",
        )
        if function == "collections OrderedDict" and arguments == ():
            return {}
        if function == "torch._utils _rebuild_tensor_v2":
            return self._tensor(arguments)
        if (
            function == "torch._utils _rebuild_parameter"
            and len(arguments) == 3
            and type(arguments[0]) is Tensor
            and arguments[2] == {}
        ):
            return arguments[0]
        raise Malformed(f"expected a pickle of tensors and nothing else, got a call of {shown(function)}")

    def _tensor(self, arguments: tuple[Any, ...]) -> Tensor:
        """The tensor of (storage, offset, shape, strides, whether it is trained, hooks), where there are no hooks."""
        plain = len(arguments) == 6 and [*map(type, arguments)] == [tuple, int, tuple, tuple, bool, dict] and arguments[5] == {}
        need(plain, f"expected a tensor with storage, offset, shape and strides and nothing more, got {shown(arguments[1:])}")
        storage, offset, shape, strides, *_ = arguments
        plain = len(storage) == 2 and type(storage[1]) is memoryview and len(shape) == len(strides) <= 4
        plain = plain and all(type(k) is int and 0 <= k < 2**40 for k in (offset, *shape, *strides))
        need(plain, f"expected a tensor of at most four dimensions in a storage, got {shown(arguments[1:])}")
        return Tensor(storage[0], storage[1], shape, strides, offset).checked("a tensor")
