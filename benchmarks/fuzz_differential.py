"""One file, one network: `python benchmarks/fuzz_differential.py [COUNT] [SEED] [EVERY]`.

Gives COUNT files (100,000 unless told otherwise) to every reader at hand: ours (`net.formats`), the checker's, and PyTorch's,
safetensors' or numpy's own, and compares all that they read: every tensor number by number, every setting value by value. Where all
accept a file, they have to agree; PyTorch, safetensors and numpy are asked about the files that one of ours accepts. What one of ours accepts and the other refuses is counted too, and shown.

The constructed files come first, one by one: every opcode of several pickles left out, doubled, exchanged, replaced by or followed
by each of a list of others, every number in it changed; every field of every record of a zip archive set to each of a list of values,
members added, doubled, renamed, moved, wrapped; every part of a safetensors header and of a .npy header written in other ways. What
is left of COUNT are files damaged at random.
"""

# ruff: noqa: E501 -- lists of values read better in one line
from __future__ import annotations

import contextlib
import io
import itertools
import json
import pickletools
import struct
import sys
import time
import warnings
import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from checker_damage import damaged_header, damaged_pickle, repacked
from fuzz_readers import NUMBERS, corpus, damaged, damaged_inside

from net.errors import MalformedInput
from net.formats.container import FLOATS, Contents, Stored, read_contents
from net.formats.pickles import Opaque, Tensor
from net.formats.state import network_tensors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import torch

    from verify.checker.tensors import Tensor as CheckerTensor


@dataclass
class Tally:
    """Counts by kind of file, and the first few files on which readers differ."""

    counts: dict[str, Counter] = field(default_factory=dict)
    disagreements: list[tuple[str, str, bytes]] = field(default_factory=list)
    one_sided: list[tuple[str, str, bytes]] = field(default_factory=list)


# ---- the readers: each gives a value of dicts, lists, tuples, float64 arrays and plain data, or raises REFUSED


class RefusedError(Exception):
    """A reader does not accept the file."""


def read_ours(data: bytes) -> tuple[object, dict[str, object] | None]:
    """(all that the file holds, the network's tensors by name)."""
    try:
        contents = read_contents(data)
        value = contents.tensors if contents.value is None else contents.value
        try:
            state = {name: _stored(tensor) for name, tensor in network_tensors(contents)[0].items()}
        except MalformedInput:
            state = None
        return _plain_ours(value, contents), state
    except MalformedInput as error:
        raise RefusedError(str(error)) from error


def _stored(tensor: Stored) -> object:
    if tensor.size > 2**16:
        return ("large", tensor.shape)
    return tensor.array() if tensor.kind in FLOATS else ("other", tensor.shape)


def _plain_ours(value: object, contents: Contents) -> object:
    if isinstance(value, Tensor):
        return _stored(contents.stored(value))
    if isinstance(value, Stored):
        return _stored(value)
    if isinstance(value, Opaque):
        return "opaque"
    if isinstance(value, dict):
        return {key: _plain_ours(inner, contents) for key, inner in value.items()}
    if type(value) is list:
        return [_plain_ours(inner, contents) for inner in value]
    if type(value) is tuple:
        return tuple(_plain_ours(inner, contents) for inner in value)
    return value if value is None or isinstance(value, bool | int | float | str | bytes | set) else "opaque"


def read_theirs(data: bytes) -> object:
    """What PyTorch, safetensors or numpy reads, whichever of them our reader would take the file to be for."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if data[:2] == b"PK" and (b".npy" in data[-400:] or b".npy" in data[:60]):
                loaded = np.load(io.BytesIO(data), allow_pickle=False)
                return {name: _array(loaded[name]) for name in loaded.files}
            if data[:2] == b"PK" or data[:1] == b"\x80":
                import torch

                return _plain_theirs(torch.load(io.BytesIO(data), map_location="cpu", weights_only=True))
            from safetensors.torch import load

            return {name: _tensor(tensor) for name, tensor in load(data).items()}
    except RecursionError as error:
        raise RefusedError("recursion") from error
    except Exception as error:  # whatever they raise is a refusal
        raise RefusedError(str(error)[:200]) from error


def _array(array: np.ndarray) -> object:
    return array.astype(np.float64) if array.dtype.kind == "f" else ("other", array.shape)


def _tensor(tensor: torch.Tensor) -> object:
    import torch

    if tensor.is_floating_point() and tensor.layout == torch.strided and not tensor.is_quantized:
        if tensor.numel() > 2**16:
            return ("large", tuple(tensor.shape))
        return tensor.detach().to(torch.float64).contiguous().resolve_neg().resolve_conj().numpy()
    return ("other", tuple(tensor.shape))


def _plain_theirs(value: object) -> object:
    import torch

    if isinstance(value, torch.Tensor):
        return _tensor(value)
    if isinstance(value, dict):
        return {key: _plain_theirs(inner) for key, inner in value.items()}
    if type(value) is list:
        return [_plain_theirs(inner) for inner in value]
    if type(value) is tuple:
        return tuple(_plain_theirs(inner) for inner in value)
    return value if value is None or isinstance(value, bool | int | float | str | bytes | set) else "opaque"


def read_checker(data: bytes) -> dict[str, object]:
    """The network's tensors by name, as the checker reads them."""
    from verify.checker import files, layouts, shape

    try:
        container, content, _ = files.read_tensors(data)
        tensors = layouts.state_dict(content, [])[0] if container == "torch" else content
        assert isinstance(tensors, dict)
        return {name: _matrix(tensor, shape.Malformed) for name, tensor in tensors.items()}
    except RecursionError:
        raise
    except Exception as error:  # the checker says Malformed to all that goes wrong here
        raise RefusedError(str(error)) from error


def _matrix(tensor: CheckerTensor, malformed: type[Exception]) -> object:
    if tensor.kind not in ("F16", "BF16", "F32", "F64"):
        return ("other", tuple(tensor.shape))
    if tensor.bytes() > 2**18:
        return ("large", tuple(tensor.shape))
    try:
        matrix = tensor.matrix()
    except malformed:  # no matrix of finite numbers: nothing to compare
        return None
    numbers = [value / (1 << matrix.bits) for row in matrix.rows for value in row]
    return np.array(numbers).reshape(tensor.shape)


# ---- comparing


def difference(mine: object, other: object, where: str = "") -> str | None:
    """The first place where two values differ; numbers of tensors are compared bit by bit, but for the sign of zero in integers."""
    if isinstance(mine, np.ndarray) and isinstance(other, np.ndarray):
        same = (
            mine.shape == other.shape
            and (np.isnan(mine) == np.isnan(other)).all()
            and (mine[~np.isnan(mine)] == other[~np.isnan(other)]).all()
        )
        return None if same else where or "a tensor"
    if isinstance(mine, str) and mine == "opaque":
        return None
    if isinstance(mine, dict) and isinstance(other, dict):
        if {(type(key), key) for key in mine} != {(type(key), key) for key in other}:
            return f"{where}: the keys"
        pairs = ((mine[key], other[key], f"{where}.{key}") for key in mine)
    elif isinstance(mine, list | tuple) and type(mine) is type(other):
        if len(mine) != len(other):
            return f"{where}: the length"
        pairs = ((a, b, f"{where}[{k}]") for k, (a, b) in enumerate(zip(mine, other, strict=True)))
    else:
        same = type(mine) is type(other) and (mine == other or mine != mine)
        return None if same else where or "a value"
    return next((found for a, b, place in pairs if (found := difference(a, b, place))), None)


def judge(kind: str, data: bytes, tally: Tally, checker: bool) -> None:
    """Give one file to all readers and note what they say."""
    counts = tally.counts.setdefault(kind, Counter())
    counts["files"] += 1
    read: dict[str, object] = {}
    state = None
    for name, reader in (("ours", read_ours), *([("checker", read_checker)] if checker else []), ("theirs", read_theirs)):
        if name == "theirs" and not read:
            continue  # nothing to compare, and some of these files keep PyTorch busy for ever
        try:
            read[name] = reader(data)
            counts[name] += 1
        except RefusedError:
            pass
        except RecursionError:  # a value that holds itself, which is compared no further
            counts["holds itself"] += 1
            return
    if "ours" in read:
        read["ours"], state = read["ours"]
    if "ours" in read and "theirs" in read:
        counts["ours and theirs"] += 1
        found = difference(read["ours"], read["theirs"])
        if found:
            counts["DIFFER"] += 1
            tally.disagreements.append((kind, f"ours and theirs: {found}", data))
    if not checker:
        return
    if "checker" in read and state is not None:
        counts["ours and checker"] += 1
        mine = {name: None if read["checker"].get(name, 0) is None else value for name, value in state.items()}
        found = difference(dict(sorted(mine.items())), dict(sorted(read["checker"].items())))
        if found:
            counts["DIFFER"] += 1
            tally.disagreements.append((kind, f"ours and the checker: {found}", data))
    if (state is not None) != ("checker" in read):
        one = "ours alone" if state is not None else "checker alone"
        counts[one] += 1
        tally.one_sided.append((kind, one, data))


# ---- pickles


def torch_bytes(content: object, **options: bool) -> bytes:
    import torch

    stream = io.BytesIO()
    torch.save(content, stream, **options)
    return stream.getvalue()


def bases() -> dict[str, bytes]:
    """Torch archives of the ordinary kinds, small."""
    import collections

    import torch

    def draw(*shape: int) -> torch.Tensor:
        return torch.arange(1, 1 + int(np.prod(shape)), dtype=torch.float32).reshape(shape) / 8

    state = {"L": draw(3, 2), "R": draw(3, 2) + 1, "U": draw(2, 3) - 1}
    shared = draw(24)
    views = {"L": shared[:6].view(3, 2), "R": shared[6:12].view(2, 3).T, "U": shared[0].expand(2, 3)}
    mixed = {"L": draw(3, 2).double(), "R": draw(3, 2).half(), "U": draw(2, 3).bfloat16()}
    outer = {
        "model": state,
        "config": {"lr": 0.5, "act_fn": "relu", "n": [1, 2, 300, 70000]},
        "epoch": 3,
        "loss": torch.tensor([1.0, 2.0]),
    }
    return {
        "state dict": torch_bytes(state),
        "ordered": torch_bytes(collections.OrderedDict(state)),
        "views": torch_bytes(views),
        "mixed": torch_bytes(mixed),
        "parameters": torch_bytes({name: torch.nn.Parameter(value) for name, value in state.items()}),
        "outer": torch_bytes(outer),
        "list": torch_bytes({"checkpoints": [views, state], "checkpoint_epochs": [0, 7], "optimizer": {"step": torch.tensor(3)}}),
    }


def text(value: str) -> bytes:
    encoded = value.encode()
    return b"X" + struct.pack("<I", len(encoded)) + encoded


def integer(value: int) -> bytes:
    return b"\x8a" + bytes([9]) + value.to_bytes(9, "little", signed=True)


def storage(kind: str, key: str, location: str, count: int) -> bytes:
    return b"(" + text("storage") + f"ctorch\n{kind}\n".encode() + text(key) + text(location) + integer(count) + b"tQ"


HOOKS = b"ccollections\nOrderedDict\n)R"


def tensor_ops(
    kind: str = "FloatStorage", key: str = "0", count: int = 6, offset: int = 0, more: bytes = b"", name: str = "v2"
) -> bytes:
    """The opcodes of a tensor of shape (3, 2)."""
    place = storage(kind, key, "cpu", count) + integer(offset) + b"K\x03K\x02\x86K\x02K\x01\x86\x89" + HOOKS
    return f"ctorch._utils\n_rebuild_tensor_{name}\n".encode() + b"(" + place + more + b"tR"


def pickle_pieces() -> list[bytes]:
    """What is put between, or in the place of, the opcodes of a pickle."""
    pieces = [bytes([code]) for code in range(256)]
    pieces += [
        b"h\x00",
        b"h\x01",
        b"h\x05",
        b"q\x00",
        b"q\x01",
        b"q\x09",
        b"j\0\0\0\0",
        b"r\x02\0\0\0",
        b"K\x00",
        b"K\x01",
        b"M\x01\x00",
    ]
    pieces += [
        integer(0),
        integer(1),
        integer(-1),
        integer(2**62),
        b"\x8a\x00",
        b"G\x7f\xf8\0\0\0\0\0\0",
        b"I01\n",
        b"F1.0\n",
        b"V1\n",
        b"L1L\n",
    ]
    pieces += [
        text(""),
        text("L"),
        text("U"),
        text("model"),
        text("\x00"),
        b"X\x03\0\0\0\xed\xa0\x80",
        b"X\xff\xff\xff\x7f",
        b"U\x01L",
        b"\x8c\x01L",
    ]
    pieces += [
        b"}b",
        b"}X\x03\0\0\0neg\x88sb",
        b"(t",
        b")b",
        b"Nb",
        b"N)\x86b",
        b"]a",
        b"(e",
        b"(u",
        HOOKS,
        HOOKS + b"b",
        b"0",
        b"2",
        b"\x80\x02",
        b"\x80\x04",
    ]
    pieces += [b"(" + storage("FloatStorage", "1", "cpu", 6) + integer(0) + b"K\x03K\x02\x86K\x02K\x01\x86tb"]
    pieces += [
        tensor_ops(),
        tensor_ops(more=b"}"),
        tensor_ops(more=b"N"),
        tensor_ops(more=b"}X\x03\0\0\0neg\x88s"),
        tensor_ops(name="v3", more=b"N"),
    ]
    pieces += [tensor_ops(kind) for kind in ("HalfStorage", "DoubleStorage", "LongStorage", "BFloat16Storage", "ComplexFloatStorage")]
    pieces += [tensor_ops(key=key) for key in ("1", "2", "00", "0.", "../0", "A", "")]
    pieces += [tensor_ops(count=count) for count in (0, 5, 7, 12, -1, 2**40)]
    pieces += [tensor_ops(offset=offset) for offset in (1, 6, -1, 2**40)]
    pieces += [storage("FloatStorage", "0", place, 6) for place in ("cpu", "cuda:0", "meta", "mps", "", "xla")]
    pieces += [f"c{module}\n{name}\n".encode() for module, name in (
        ("torch", "FloatStorage"), ("torch", "HalfStorage"), ("torch", "float16"), ("torch", "Size"), ("torch", "device"), ("torch", "Tensor"),
        ("torch", "tensor"), ("torch._utils", "_rebuild_parameter"), ("torch._utils", "_rebuild_parameter_with_state"),
        ("torch._utils", "_rebuild_sparse_tensor"), ("torch._utils", "_rebuild_meta_tensor_no_storage"), ("torch._utils", "_rebuild_qtensor"),
        ("torch._tensor", "_rebuild_from_type_v2"), ("torch.nn.parameter", "Parameter"), ("torch.serialization", "_get_layout"),
        ("collections", "OrderedDict"), ("collections", "Counter"), ("collections", "defaultdict"), ("builtins", "set"), ("builtins", "bytearray"),
        ("numpy", "dtype"), ("numpy._core.multiarray", "scalar"), ("_codecs", "encode"), ("os", "system"), ("argparse", "Namespace"),
        ("pathlib", "PosixPath"), ("torch.storage", "UntypedStorage"), ("torch.storage", "TypedStorage"))]  # fmt: skip
    return pieces


def changed_pickles(pickled: bytes, every: int) -> Iterator[tuple[str, bytes]]:
    """(kind, pickle) for each opcode and each change of it; of the insertions every `every`-th."""
    places = [place for _, _, place in pickletools.genops(pickled)] + [len(pickled)]
    ops = [pickled[a:b] for a, b in itertools.pairwise(places)]
    pieces, number = pickle_pieces(), 0
    for i, op in enumerate(ops):
        before, behind = ops[:i], ops[i + 1 :]
        yield "opcode left out", b"".join(before + behind)
        yield "opcode doubled", b"".join([*before, op, op, *behind])
        if behind:
            yield "opcodes exchanged", b"".join([*before, behind[0], op, *behind[1:]])
        yield "pickle cut", b"".join(before) + b"."
        if len(op) in (2, 3, 5) and op[:1] in b"KMJhqrjU":
            for value in {*NUMBERS, *range(12), int.from_bytes(op[1:], "little") + 1, int.from_bytes(op[1:], "little") - 1}:
                yield (
                    "number changed",
                    b"".join([*before, op[:1] + (value % 256 ** (len(op) - 1)).to_bytes(len(op) - 1, "little"), *behind]),
                )
        if op[:1] == b"X":
            for word in (
                "L",
                "R",
                "U",
                "l",
                "0",
                "1",
                "2",
                "3",
                "cpu",
                "cuda:0",
                "meta",
                "storage",
                "module",
                "model",
                "config",
                "",
                "checkpoints",
            ):
                yield "text changed", b"".join([*before, text(word), *behind])
        if op[:1] == b"c":
            for kind in ("Half", "BFloat16", "Double", "Float", "Long", "Byte", "Bool", "ComplexFloat", "QInt8", "Untyped"):
                yield "global changed", b"".join([*before, f"ctorch\n{kind}Storage\n".encode(), *behind])
            for name in ("_rebuild_tensor", "_rebuild_tensor_v3", "_rebuild_parameter", "_rebuild_parameter_with_state"):
                yield "global changed", b"".join([*before, f"ctorch._utils\n{name}\n".encode(), *behind])
        for piece in pieces:
            number += 1
            if number % every == 0:
                yield "opcode put in", b"".join([*before, piece, op, *behind])
            if (number + every // 2) % every == 0:
                yield "opcode replaced", b"".join([*before, piece, *behind])


def with_members(
    data: bytes, change: Callable[[list[tuple[str, bytes]]], Iterable[tuple[str, bytes]]], packing: int = zipfile.ZIP_STORED
) -> bytes:
    """The zip archive whose members are `change(list of (name, contents))`."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old:
        members = [(name, old.read(name)) for name in old.namelist()]
    with warnings.catch_warnings(), zipfile.ZipFile(stream, "w", packing) as new:
        warnings.simplefilter("ignore")  # of names that are there twice
        for name, contents in change(members):
            new.writestr(name, contents)
    return stream.getvalue()


def pickle_files(every: int) -> Iterator[tuple[str, bytes]]:
    """(kind, file) with one change in the pickle of each base."""
    for data in bases().values():
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            pickled = archive.read(next(name for name in archive.namelist() if name.endswith("data.pkl")))
        for kind, changed in changed_pickles(pickled, every):
            yield (
                f"pickle: {kind}",
                with_members(
                    data, lambda members, changed=changed: [(n, changed if n.endswith("data.pkl") else c) for n, c in members]
                ),
            )


# ---- zip archives

_LOCAL = [
    ("version", 4, 2),
    ("flags", 6, 2),
    ("method", 8, 2),
    ("crc", 14, 4),
    ("packed", 18, 4),
    ("size", 22, 4),
    ("name", 26, 2),
    ("extra", 28, 2),
]
_CENTRAL = [
    *[("needed", 6, 2), ("flags", 8, 2), ("method", 10, 2), ("crc", 16, 4), ("packed", 20, 4), ("size", 24, 4), ("name", 28, 2)],
    *[("extra", 30, 2), ("comment", 32, 2), ("disk", 34, 2), ("internal", 36, 2), ("external", 38, 4), ("offset", 42, 4)],
]
_END = [("disk", 4, 2), ("first", 6, 2), ("here", 8, 2), ("count", 10, 2), ("size", 12, 4), ("offset", 16, 4), ("comment", 20, 2)]
_END64 = [("length", 4, 8), ("disk", 16, 4), ("first", 20, 4), ("here", 24, 8), ("count", 32, 8), ("size", 40, 8), ("offset", 48, 8)]
_LOCATOR = [("disk", 4, 4), ("offset", 8, 8), ("disks", 16, 4)]
_DESCRIPTOR = [("crc", 4, 4), ("packed", 8, 4), ("size", 12, 4)]
_RECORDS = {
    b"PK\x03\x04": _LOCAL, b"PK\x01\x02": _CENTRAL, b"PK\x05\x06": _END, b"PK\x06\x06": _END64, b"PK\x06\x07": _LOCATOR, b"PK\x07\x08": _DESCRIPTOR,
}  # fmt: skip


def changed_fields(data: bytes) -> Iterator[tuple[str, bytes]]:
    """(kind, archive) for each field of each record and each of a list of values."""
    for signature, fields in _RECORDS.items():
        place = data.find(signature)
        while place >= 0:
            for name, offset, size in fields:
                old = int.from_bytes(data[place + offset : place + offset + size], "little")
                for value in {0, 1, 2, 8, 9, 20, 2**15, old + 1, old - 1, old + 64, 2 * old, 256**size - 1, 256**size // 2, len(data)}:
                    if value != old and 0 <= value < 256**size:
                        yield f"zip: {name}", data[: place + offset] + value.to_bytes(size, "little") + data[place + offset + size :]
            yield "zip: signature", data[:place] + b"PK\0\0" + data[place + 4 :]
            place = data.find(signature, place + 1)


def small_zip(members: list[tuple[str, bytes]], shift: int = 0) -> bytes:
    """An archive by our own hand, of stored members; `shift` is added to all offsets."""
    body, directory = b"", b""
    for name, contents in members:
        fields = struct.pack("<HHHHHIIIHH", 20, 0, 0, 0, 33, zlib.crc32(contents), len(contents), len(contents), len(name), 0)
        directory += (
            b"PK\x01\x02" + struct.pack("<H", 20) + fields + struct.pack("<HHHII", 0, 0, 0, 0, len(body) + shift) + name.encode()
        )
        body += b"PK\x03\x04" + fields + name.encode() + contents
    end = struct.pack("<HHHHIIH", 0, 0, len(members), len(members), len(directory), len(body) + shift, 0)
    return body + directory + b"PK\x05\x06" + end


def built_archives() -> Iterator[tuple[str, bytes]]:
    """(kind, archive): members doubled, renamed and moved, prefixes, gaps, comments, and two archives in one file."""
    first, second = bases()["state dict"], bases()["mixed"]
    names = zipfile.ZipFile(io.BytesIO(first)).namelist()
    members = [(name, zipfile.ZipFile(io.BytesIO(first)).read(name)) for name in names]
    others = dict(members) | {name: bytes(byte ^ 1 for byte in contents) for name, contents in members if "/data/" in name}
    for k, (name, contents) in enumerate(members):
        other = others[name]
        renamed = [
            name.upper(),
            name.lower(),
            name.title(),
            f"./{name}",
            f"/{name}",
            name.replace("/", "\\"),
            f"{name}/",
            f"{name}\0",
            f"{name} ",
            f" {name}",
        ]
        renamed += [
            name.split("/", 1)[1],
            f"x/{name}",
            name.replace("archive", "Archive"),
            name.replace("/", "//"),
            f"archive/../{name}",
            name + "x",
        ]
        for new in renamed:
            yield "zip: member renamed", small_zip([*members[:k], (new, contents), *members[k + 1 :]])
            yield "zip: member renamed before", small_zip([(new, other), *members])
            yield "zip: member renamed behind", small_zip([*members, (new, other)])
        yield "zip: member twice", small_zip([*members, (name, other)])
        yield "zip: member twice", small_zip([(name, other), *members])
        yield "zip: member left out", small_zip(members[:k] + members[k + 1 :])
        yield "zip: members moved", small_zip(members[k:] + members[:k])
    plain = small_zip(members)
    for junk in (b"\0", b"PK\x03\x04", b"PK\x05\x06", bytes(64), second, first, plain, b"{}"):
        yield "zip: prefix", junk + first
        yield "zip: prefix", junk + small_zip(members, len(junk))
        yield "zip: suffix", first + junk
        at = plain.rindex(b"PK\x05\x06")
        yield "zip: comment", plain[: at + 20] + struct.pack("<H", len(junk) % 2**16) + junk
        directory = plain.index(b"PK\x01\x02")
        place = struct.unpack_from("<I", plain, at + 16)[0]
        moved = plain[at : at + 16] + struct.pack("<I", place + len(junk)) + plain[at + 20 :]
        yield "zip: gap", plain[:directory] + junk + plain[directory:at] + moved
        yield "zip: gap behind the directory", plain[:at] + junk + plain[at:]
        for hidden in (b"", plain[directory:at]):
            yield "zip: two directories", plain[:at] + hidden + plain[at:]
    yield "zip: two archives", small_zip([*members, ("archive/inner", second)])
    for packing in (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, zipfile.ZIP_STORED):
        for data in bases().values():
            yield "zip: compressed", with_members(data, lambda found: found, packing)
    for name, contents in (
        ("constants.pkl", b"\x80\x02)."),
        ("byteorder", b"big"),
        ("byteorder", b"little\n"),
        ("version", b"999\n"),
        ("version", b""),
    ):
        kept = [member for member in members if not member[0].endswith(f"/{name}")]
        yield "zip: member put in", small_zip([*kept, (f"archive/{name}", contents)])


def zip_files() -> Iterator[tuple[str, bytes]]:
    """(kind, file) of all changed archives."""
    stream = io.BytesIO()
    votes = np.asfortranarray(np.arange(6, dtype=">f4").reshape(2, 3))
    np.savez(stream, L=np.arange(6.0, dtype=np.float32).reshape(3, 2), R=np.ones((3, 2)), U=votes)
    twice = bytearray(stream.getvalue())  # the sizes in the header and in its extra field, as with Python 3.11.2
    with zipfile.ZipFile(stream) as archive:
        for member in archive.infolist():
            struct.pack_into("<2I", twice, member.header_offset + 18, member.compress_size, member.file_size)
    written = with_members(bases()["state dict"], lambda found: found)
    for data in (bases()["state dict"], bases()["outer"], stream.getvalue(), bytes(twice), written):
        yield from changed_fields(data)
    yield from built_archives()


# ---- safetensors


def safetensors_files() -> Iterator[tuple[str, bytes]]:
    """(kind, file): every part of the header written in other ways, and the file around it."""
    from safetensors.numpy import save

    base = save(
        {"L": np.arange(6, dtype=np.float32).reshape(3, 2), "R": np.ones((3, 2), np.float32), "U": np.zeros((2, 3), np.float16)},
        {"a": "b"},
    )
    length = int.from_bytes(base[:8], "little")
    body, header = base[8 + length :], json.loads(base[8 : 8 + length])

    def file(text: bytes, numbers: bytes = body, said: int | None = None) -> bytes:
        return (len(text) if said is None else said).to_bytes(8, "little") + text + numbers

    def written(value: object) -> bytes:
        return json.dumps(value, separators=(",", ":")).encode()

    values: list[object] = [None, True, False, 0, 1, -1, 2, 3, 6, 7, 24, 25, 48, 60, 2**31, 2**63, 2**64, 10**30, 0.0, 1.5, 24.0, "", "L", "F32", "F16", "BF16",
              "F64", "I32", "I64", "U8", "BOOL", "F8_E4M3", "C64", [], [0], [24], [3, 2], [2, 3], [6], [1, 6], [3, 2, 1], [0, 24], [24, 48], [[3, 2]], {}]  # fmt: skip
    paths: list[tuple[str | int, ...]] = [(name,) for name in header] + [
        (name, key) for name in ("L", "R", "U") for key in header[name]
    ]
    paths += [(name, key, i) for name in ("L", "R", "U") for key in ("shape", "data_offsets") for i in (0, 1)] + [("__metadata__", "a")]
    for path in paths:
        for value in values:
            changed = json.loads(written(header))
            place = changed
            for step in path[:-1]:
                place = place[step]
            place[path[-1]] = value
            yield "safetensors: value", file(written(changed))
        changed = json.loads(written(header))
        place = changed
        for step in path[:-1]:
            place = place[step]
        del place[path[-1]]
        yield "safetensors: entry left out", file(written(changed))
    plain = written(header)
    for old, new in ((b'"shape":[3,2]', n) for n in (b'"shape":[3.0,2]', b'"shape":[3e0,2]', b'"shape":[03,2]', b'"shape":[3,-0]', b'"shape":[3,2,]', b'"shape":[ 3 , 2 ]',
                     b'"shape":[3,2],"shape":[2,3]', b'"shape":[2,3],"shape":[3,2]', b'"sh\\u0061pe":[3,2]', b'"shape":[NaN,2]', b'"shape":[+3,2]')):  # fmt: skip
        yield "safetensors: spelling", file(plain.replace(old, new, 1))
    entry = written(header["L"])
    for extra in (
        b'"L":' + entry,
        b'"R":' + entry,
        b'"\\u004c":' + entry,
        b'"__metadata__":{}',
        b'"__metadata__":{"a":"c"}',
        b'"":' + entry,
        b'"\\ud800":' + entry,
    ):
        yield "safetensors: key twice", file(plain[:-1] + b"," + extra + b"}")
        yield "safetensors: key twice", file(b"{" + extra + b"," + plain[1:])
    for padding in (b" ", b"  ", b"\n", b"\t", b"\0", b"}", b"{", b"x", b"\xef\xbb\xbf", b" {}", b"/**/"):
        yield "safetensors: padding", file(plain + padding)
        yield "safetensors: padding", file(padding + plain)
    for said in range(length - 12, length + 13):
        yield "safetensors: length", file(plain, said=said)
    for k in range(len(body) + 1):
        yield "safetensors: cut", file(plain, body[:k])
    for tail in (b"\0", bytes(8), small_zip([("L.npy", b"x")]), small_zip([("a/data.pkl", b"\x80\x02}.")]), b"PK\x05\x06" + bytes(18)):
        yield "safetensors: tail", base + tail
        grown = json.loads(plain)
        grown["Z"] = {"dtype": "U8", "shape": [len(tail)], "data_offsets": [len(body), len(body) + len(tail)]}
        yield "safetensors: a tail that is a tensor", file(written(grown), body + tail)
    for k in range(len(plain)):
        for byte in (b" ", b'"', b",", b":", b"{", b"}", b"[", b"]", b"0", b"\\", b"\xff", b"\0"):
            yield "safetensors: byte", file(plain[:k] + byte + plain[k + 1 :])


# ---- npz


def npy_files() -> Iterator[tuple[str, bytes]]:
    """(kind, file): an npz whose first array has another header."""
    numbers = np.arange(6, dtype="<f4").tobytes()
    descrs = ["'<f4'", "'>f4'", "'=f4'", "'|f4'", "'f4'", "'<f2'", "'<f8'", "'<i4'", "'<u4'", "'<c8'", "'<V4'", "'<M8'", "'|O'", "'|S4'", "'float32'", "'<f04'",
              '"<f4"', "'''<f4'''", "b'<f4'", "u'<f4'", "'<' 'f4'", "'\\x3cf4'", "[('a', '<f4')]", "('<f4', (2,))", "None", "'<F4'", "' <f4'", "'<f4,'", "r'<f4'"]  # fmt: skip
    orders = ["False", "True", "0", "1", "None", "false", "'False'", "(False)", "not True"]
    shapes = ["(3, 2)", "(3,2)", "(3, 2,)", "[3, 2]", "(6,)", "(6)", "6", "()", "(0,)", "(3, -2)", "(-3, -2)", "(3L, 2)", "(3_0, 2)", "(0x3, 2)", "(+3, 2)", "(03, 2)", "(3.0, 2)",
              "(1, 6)", "(6, 1)", "(3, 1, 2)", "(1, 1, 1, 1, 1, 6)", "(True, 6)", "((3), 2)", "(3, (2))", "(3 , 2 )", "( 3, 2)", "(99999999999999999999, 2)", "(2, 3)", "(3, 2, 0)", "(,)"]  # fmt: skip
    forms = [
        "{{'descr': {d}, 'fortran_order': {o}, 'shape': {s}, }}", "{{'descr': {d}, 'fortran_order': {o}, 'shape': {s}}}", "{{'shape': {s}, 'fortran_order': {o}, 'descr': {d}}}",
        "{{'descr':{d},'fortran_order':{o},'shape':{s}}}", "{{ 'descr' : {d} , 'fortran_order' : {o} , 'shape' : {s} , }}", '{{"descr": {d}, "fortran_order": {o}, "shape": {s}}}',
        "{{'descr': {d}, 'fortran_order': {o}, 'shape': {s}, 'x': 1}}", "{{'descr': {d}, 'descr': '<f4', 'fortran_order': {o}, 'shape': {s}}}", "{{'descr': {d}, 'shape': {s}}}",
        "{{'shape': (2, 3), 'descr': {d}, 'fortran_order': {o}, 'shape': {s}}}", "({d}, {o}, {s})", "{{'descr': {d}, 'fortran_order': {o}, 'shape': {s}}} # x", "dict(descr={d}, fortran_order={o}, shape={s})",
        "{{'descr': {d},, 'fortran_order': {o}, 'shape': {s}}}", "{{'descr': {d}, 'fortran_order': {o}, 'shape': {s}}}\n", "\n{{'descr': {d}, 'fortran_order': {o}, 'shape': {s}}}",
    ]  # fmt: skip
    plain = "{{'descr': {d}, 'fortran_order': {o}, 'shape': {s}, }}"
    headers = [f.format(d=d, o=o, s="(3, 2)") for f in forms for d in descrs for o in orders]
    headers += [f.format(d="'<f4'", o=o, s=s) for f in forms for o in orders[:2] for s in shapes]

    def npy(text: bytes, version: bytes = b"\x01\x00", data: bytes = numbers, said: int | None = None) -> bytes:
        count = len(text) if said is None else said
        return b"\x93NUMPY" + version + count.to_bytes(4 if version[0] > 1 else 2, "little") + text + data

    def file(contents: bytes) -> bytes:
        return small_zip([("L.npy", contents)])

    for header in headers:
        yield "npy: header", file(npy(header.encode() + b"\n"))
    good = plain.format(d="'<f4'", o="False", s="(3, 2)").encode()
    for version in (b"\x01\x00", b"\x02\x00", b"\x03\x00", b"\x01\x01", b"\x00\x00", b"\x02\x01", b"\xff\xff"):
        for end in (b"\n", b"", b" \n", b"\0\n", b"\n\n", b"\t\n", b" " * 70 + b"\n", b"\xc3\xa9\n", b";1\n"):
            for data in (numbers, numbers[:-1], numbers + b"\0", numbers * 2, b""):
                yield "npy: version and end", file(npy(good + end, version, data))
    for said in range(len(good) - 6, len(good) + 9):
        yield "npy: length", file(npy(good + b"\n", said=said))
    for k in range(len(good)):
        for byte in (b" ", b"'", b",", b":", b"(", b")", b"0", b"\\", b"\xff", b"\n"):
            yield "npy: byte", file(npy(good[:k] + byte + good[k + 1 :] + b"\n"))
    for names in (
        ["L.npy", "l.npy"],
        ["L.npy", "L"],
        ["L"],
        ["L.npy.npy"],
        ["L.NPY"],
        [".npy"],
        ["a/L.npy"],
        ["L.npy", "L.npy"],
        ["L.npy", "data.pkl"],
    ):
        yield "npy: names", small_zip([(name, npy(good + b"\n")) for name in names])


# ---- files of torch before 1.6, and random damage


def legacy_files() -> Iterator[tuple[str, bytes]]:
    """(kind, file) of the format before 1.6: each of its bytes changed in a few ways, and each truncation."""
    import torch

    state = {"L": torch.arange(6.0).reshape(3, 2), "R": torch.ones(3, 2), "U": torch.zeros(2, 3)}
    data = torch_bytes({"model": state, "epoch": 3}, _use_new_zipfile_serialization=False)
    for k in range(len(data)):
        for value in {data[k] ^ 1, data[k] ^ 128, 0, 255, ord("."), ord("b"), ord("R")} - {data[k]}:
            yield "before 1.6: byte", data[:k] + bytes([value]) + data[k + 1 :]
        yield "before 1.6: cut", data[:k]
    yield "before 1.6", data
    yield "before 1.6: more", data + b"\0"


def random_files(seed: int) -> Iterator[tuple[str, bytes]]:
    """(kind, file) without end: good files damaged at random, in their bytes, members, pickles and headers."""
    rng = np.random.default_rng(seed)
    trap = b"/nonexistent/trap"
    files = [*corpus(trap.decode()), *bases().values()]
    headers = [data for data in files if data[8:9] == b"{"]
    archives = [data for data in files if data[:2] == b"PK"]
    pickled = [data for data in archives if b"data.pkl" in data]
    while True:
        kind = int(rng.integers(4))
        if kind == 0:
            yield "random: bytes", damaged(files[rng.integers(len(files))], rng, files)
        elif kind == 1:
            yield "random: members", damaged_inside(archives[rng.integers(len(archives))], rng, files)
        elif kind == 2:
            yield (
                "random: opcodes",
                repacked(pickled[rng.integers(len(pickled))], rng, lambda content: damaged_pickle(content, rng, trap)),
            )
        else:
            with contextlib.suppress(ValueError):  # a header that holds itself cannot be written
                yield "random: header", damaged_header(headers[rng.integers(len(headers))], rng)


def all_files(seed: int, every: int) -> Iterator[tuple[str, bytes]]:
    """Every constructed file, then random ones."""
    yield from pickle_files(every)
    yield from zip_files()
    yield from safetensors_files()
    yield from npy_files()
    yield from legacy_files()
    yield from random_files(seed)


def fuzz(count: int, seed: int = 0, every: int = 15, checker: bool | None = None, report: int = 0) -> Tally:
    """Judge the first `count` files; of opcodes put into pickles every `every`-th is tried; a line on stderr every `report` files."""
    if checker is None:
        checker = has_checker()
    tally = Tally()
    for number, (kind, data) in enumerate(itertools.islice(all_files(seed, every), count), 1):
        judge(kind, data, tally, checker)
        if report and number % report == 0:
            print(
                number, kind, len(tally.disagreements), "disagreements", len(tally.one_sided), "one-sided", file=sys.stderr, flush=True
            )
    return tally


def has_checker() -> bool:
    """Whether the checker has readers that can be called."""
    try:
        from verify.checker import files, layouts  # noqa: F401
    except ImportError:
        return False
    return True


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    began = time.perf_counter()
    every = int(sys.argv[3]) if len(sys.argv) > 3 else 15
    tally = fuzz(count, seed, every, report=2000)
    columns = (
        "files",
        "ours",
        "theirs",
        "checker",
        "ours and theirs",
        "ours and checker",
        "ours alone",
        "checker alone",
        "holds itself",
        "DIFFER",
    )
    print("| kind | " + " | ".join(columns) + " |")
    print("|---|" + "---:|" * len(columns))
    groups: dict[str, Counter] = {}
    for kind, counts in tally.counts.items():
        groups.setdefault(kind.split(":")[0], Counter()).update(counts)
    for kind, counts in [*groups.items(), ("all", sum(groups.values(), Counter()))]:
        print(f"| {kind} | " + " | ".join(f"{counts[name]:,}" for name in columns) + " |")
    print(f"{time.perf_counter() - began:.0f} s")
    for kind, found, data in [*tally.disagreements[:10], *tally.one_sided[:10]]:
        print(f"{kind}: {found}: {data[:60]!r} ({len(data)} bytes)")
    return 1 if tally.disagreements else 0


if __name__ == "__main__":
    sys.exit(main())
