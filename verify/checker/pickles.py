"""Pickles of `torch.save`: a stack machine for the few opcodes that a state dict needs.

What this module proves: that the tensors it returns are those that torch makes of the archive. Nothing that a pickle names is looked
up or called. An opcode that does something else than put together dictionaries, lists, numbers and tensors is refused, and so is
whatever changes a tensor after it was made (BUILD on anything but an ordered dictionary), a tensor made from more than storage,
offset, shape and strides, one storage under two types, and a key that is set twice.
"""

import io
import pickletools
import re
from collections.abc import Callable
from typing import ClassVar, TypeGuard

from .shape import Malformed, need, shown
from .tensors import SIZES, Tensor

#: Storages of torch, and the type of their numbers.
STORAGES = {
    "HalfStorage": "F16", "BFloat16Storage": "BF16", "FloatStorage": "F32", "DoubleStorage": "F64", "BoolStorage": "BOOL",
    "ByteStorage": "U8", "CharStorage": "I8", "ShortStorage": "I16", "IntStorage": "I32", "LongStorage": "I64",
    "ComplexFloatStorage": "C64", "ComplexDoubleStorage": "C128",
}  # fmt: skip
#: Functions and classes whose results may lie beside the tensors, where nobody looks into them.
OPAQUE = {
    "torch Size", "torch device", "numpy dtype", "numpy.core.multiarray scalar", "numpy._core.multiarray scalar", "_codecs encode",
    "pathlib PosixPath", "pathlib WindowsPath", "pathlib PurePosixPath", "pathlib PureWindowsPath", "pathlib Path",
    "argparse Namespace", "types SimpleNamespace", "collections Counter", "torch.torch_version TorchVersion", "numpy ndarray",
    "datetime datetime", "datetime date", "datetime time", "datetime timedelta", "datetime timezone",
    "builtins set", "builtins list", "builtins dict", "builtins int", "builtins float", "builtins str",
    "__builtin__ set", "__builtin__ list", "__builtin__ dict", "__builtin__ int", "__builtin__ float", "__builtin__ str",
}  # fmt: skip
#: What makes a numpy array.
ARRAYS = {"numpy.core.multiarray _reconstruct", "numpy._core.multiarray _reconstruct"}
DEVICE = re.compile(r"(cpu|cuda|mps|xpu|xla|hpu|npu)(:[0-9]+)?")
LARGEST = 2**40


class Name(str):
    """What GLOBAL names: a function, a class or a type, which stays a name."""

    __slots__ = ()


class Ordered(dict[object, object]):
    """An ordered dictionary of the pickle."""


class Opaque:
    """A value that may lie beside the tensors, made by something that is not run; ``state`` is what it is made from."""

    def __init__(self, state: object = ()) -> None:
        self.state: list[object] = [state]


class Array(Opaque):
    """A numpy array beside the tensors."""


def read_torch(members: dict[str, memoryview]) -> object:
    """The object in an archive of ``torch.save``: a pickle that names the tensors, and one member per storage."""
    roots = {name.split("/")[0] for name in members}
    need(len(roots) == 1, "expected a torch archive or an npz, got a zip archive of something else")
    inside = {name.partition("/")[2]: content for name, content in members.items()}
    need(
        "data.pkl" in inside,
        "expected a torch archive with its data.pkl or an npz of .npy members, got a zip archive of something else",
    )
    need("constants.pkl" not in inside, "expected a torch archive of tensors, got one of TorchScript")
    need(inside.get("byteorder", b"little") == b"little", "expected numbers with the lowest byte first, got others")
    return Unpickler(bytes(inside["data.pkl"]), {k.removeprefix("data/"): v for k, v in inside.items() if k.startswith("data/")}).result


class Unpickler:
    """What a pickle means; ``result`` has tensors as `Tensor`.

    It takes memory in proportion to the pickle's length: opcodes put together what is there, copy nothing, and make few containers.
    """

    #: Opcodes whose argument is pushed as it is, and those that push a new value.
    CARRIES = frozenset({"BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE", "SHORT_BINSTRING"})
    MAKES: ClassVar[dict[str, Callable[[], object]]] = {
        "EMPTY_LIST": list, "EMPTY_DICT": dict, "EMPTY_TUPLE": tuple, "EMPTY_SET": Opaque,
        "NONE": lambda: None, "NEWTRUE": lambda: True, "NEWFALSE": lambda: False,
    }  # fmt: skip
    #: How many values an opcode takes off the stack; -1 for all down to the mark.
    TAKES: ClassVar[dict[str, int]] = {
        "TUPLE": -1, "TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3, "APPEND": 1, "APPENDS": -1, "SETITEM": 2, "SETITEMS": -1,
        "BINPERSID": 1, "REDUCE": 2, "NEWOBJ": 2, "BUILD": 1,
    }  # fmt: skip

    def __init__(self, pickled: bytes, storages: dict[str, memoryview]) -> None:
        self._storages = storages
        self._named: dict[str, tuple[object, ...]] = {}
        self._stack: list[object] = []
        self._marks: list[int] = []
        self._memo: dict[object, object] = {}
        self._spare = len(pickled) // 8 + 65_536
        need(pickled[:2] == b"\x80\x02" and pickled[-1:] == b".", "expected a pickle of protocol 2, got another")
        last = 0
        for opcode, argument, place in pickletools.genops(pickled):
            self._step(opcode.name, argument, place or 0)
            last = place or 0
        need(last + 1 == len(pickled) and len(self._stack) == 1 and not self._marks, "expected one object in the pickle, got more")
        self.result = self._stack.pop()

    def _step(self, op: str, argument: object, place: int) -> None:
        """One opcode."""
        stack, takes, floor = self._stack, self.TAKES.get(op, 0), self._marks[-1] if self._marks else 0
        start = self._marks.pop() if takes < 0 else len(stack) - takes
        changes = op.startswith(("APPEND", "SETITEM", "BUILD"))  # what lies below the values taken
        lowest = self._marks[-1] if takes < 0 and self._marks else 0 if takes < 0 else floor
        need(start - changes >= lowest, "expected a pickle that takes what it has put, got another")
        items = stack[start:]
        del stack[start:]
        self._spare -= op.startswith(("EMPTY", "TUPLE", "MARK", "REDUCE", "NEWOBJ"))
        need(self._spare >= 0, "expected a pickle of tensors, got one of containers")
        if op in self.CARRIES:
            stack.append(argument)
        elif op == "GLOBAL":
            stack.append(Name(argument))
        elif op in self.MAKES:
            stack.append(self.MAKES[op]())
        elif op == "MARK":
            self._marks.append(len(stack))
        elif op in ("BINPUT", "LONG_BINPUT"):
            need(
                len(stack) > floor and self._memo.setdefault(argument, stack[-1]) is stack[-1],
                "expected one value for each memo, got two",
            )
        elif op in ("BINGET", "LONG_BINGET"):
            stack.append(self._memo[argument])
        elif op.startswith("TUPLE"):
            stack.append(tuple(items))
        elif op.startswith("APPEND"):
            self._append(stack[-1], items)
        elif op.startswith("SETITEM"):
            self._set(stack[-1], items)
        elif op == "BINPERSID":
            stack.append(self._storage(items[0]))
        elif op in ("REDUCE", "NEWOBJ"):
            stack.append(self._made(op, *items))
        elif op == "BUILD":
            fits = isinstance(stack[-1], Opaque) or (type(stack[-1]) is Ordered and isinstance(items[0], dict))
            need(fits, f"expected attributes of ordered dictionaries alone, got BUILD on {shown(type(stack[-1]).__name__)}")
            if isinstance(stack[-1], Opaque):
                stack[-1].state.append(items[0])
        elif not (op == "PROTO" and place == 0) and op != "STOP":
            raise Malformed(f"expected a pickle of tensors and nothing else, got the opcode {op}")

    def _append(self, target: object, items: list[object]) -> None:
        if type(target) is not list:
            raise Malformed("expected lists to be added to, got something else")
        target.extend(items)

    def _set(self, target: object, items: list[object]) -> None:
        if isinstance(target, Opaque):
            return
        keys = items[::2]
        if not isinstance(target, dict) or len(items) != 2 * len(keys) or not {*map(type, keys)} <= {str, int}:
            raise Malformed("expected dictionaries with texts or integers as keys, got something else")
        need(len({*keys}) == len(keys) and not target.keys() & {*keys}, f"expected each key once, got one twice among {shown(keys)}")
        target.update(zip(keys, items[1::2], strict=True))

    def _storage(self, identity: object) -> tuple[str, memoryview]:
        """(type, bytes) of the storage with the persistent id ("storage", type, key, device, number of entries)."""
        if type(identity) is not tuple or [*map(type, identity)] != [str, Name, str, str, int] or identity[0] != "storage":
            raise Malformed(f"expected the name of a storage, got {shown(identity)}")
        _, name, key, device, count = identity
        return self._found(identity, name, key, device, count)

    def _found(self, identity: tuple[object, ...], name: str, key: str, device: str, count: int) -> tuple[str, memoryview]:
        """The storage, where the file has it."""
        kind = STORAGES.get(name.removeprefix("torch ")) if name.startswith("torch ") else None
        known = kind is not None and re.fullmatch(r"\w+", key, re.ASCII) and DEVICE.fullmatch(device) and key in self._storages
        need(bool(known), f"expected a storage of numbers that the archive has, got {shown(identity)}")
        assert kind is not None
        need(self._named.setdefault(key, identity) == identity, f"expected one type for the storage {shown(key)}, got two")
        need(
            count * SIZES[kind] == len(self._storages[key]),
            f"expected as many numbers as the storage {shown(key)} has, got {shown(count)}",
        )
        return kind, self._storages[key]

    def _made(self, op: str, function: object, arguments: object) -> object:
        """What a call means: an empty ordered dictionary, a tensor, a parameter, which is its tensor, or something opaque."""
        if type(function) is not Name or type(arguments) is not tuple:
            raise Malformed("expected a pickle of tensors and nothing else, got another call")
        if function in OPAQUE:
            return Opaque(arguments)
        if function in ARRAYS:
            return Array(arguments)
        need(op == "REDUCE", f"expected a pickle of tensors and nothing else, got an object of {shown(str(function))}")
        if function == "collections OrderedDict" and arguments == ():
            return Ordered()
        if function == "collections defaultdict" and len(arguments) <= 1:
            return {}
        if function == "torch._utils _rebuild_tensor_v2":
            return self._tensor(arguments)
        if function == "torch._utils _rebuild_parameter":
            plain = [*map(type, arguments)] == [Tensor, bool, Ordered] and not arguments[2]
            need(plain, f"expected a parameter of a tensor and nothing more, got {shown(arguments)}")
            return arguments[0]
        raise Malformed(f"expected a pickle of tensors and nothing else, got a call of {shown(str(function))}")

    def _tensor(self, arguments: tuple[object, ...]) -> Tensor:
        """The tensor of (storage, offset, shape, strides, whether it is trained, hooks), where there are no hooks."""
        if not describes_tensor(arguments):
            raise Malformed(f"expected a tensor with storage, offset, shape and strides and nothing more, got {shown(arguments[1:])}")
        storage, offset, shape, strides, *_ = arguments
        inside = len(shape) == len(strides) and 0 <= offset < LARGEST
        if not (inside and is_storage(storage) and are_sizes(shape) and are_sizes(strides)):
            raise Malformed(f"expected the shape and the strides of a tensor in a storage, got {shown(arguments[1:])}")
        kind, data = storage
        return Tensor(kind, data, shape, strides, offset).checked("a tensor")


Values = tuple[object, ...]


def describes_tensor(values: Values) -> TypeGuard[tuple[Values, int, Values, Values, bool, Ordered]]:
    """Whether these are storage, offset, shape, strides, whether it is trained, and no hooks."""
    return [*map(type, values)] == [tuple, int, tuple, tuple, bool, Ordered] and not values[5]


def is_storage(values: Values) -> TypeGuard[tuple[str, memoryview]]:
    """Whether these are the type and the bytes of a storage: BINPERSID alone puts such bytes, each time after their type."""
    return len(values) == 2 and type(values[1]) is memoryview


def are_sizes(values: Values) -> TypeGuard[tuple[int, ...]]:
    """Whether all are integers that can be places and lengths in a file."""
    return all(type(k) is int and 0 <= k < LARGEST for k in values)


class LegacyUnpickler(Unpickler):
    """A pickle of PyTorch before 1.6, whose persistent ids end in one more entry: None, for a storage that is no part of another."""

    def _storage(self, identity: object) -> tuple[str, memoryview]:
        if type(identity) is not tuple or len(identity) != 6 or identity[5] is not None:
            raise Malformed(f"expected the name of a storage, got {shown(identity)}")
        return super()._storage(identity[:5])


class _Counts(LegacyUnpickler):
    """The same before it is known where the numbers lie: ``counts`` has how many each storage has and their bytes; all read as 0."""

    def __init__(self, pickled: bytes, limit: int) -> None:
        self.counts: dict[str, tuple[int, int]] = {}
        self._limit = limit
        super().__init__(pickled, {})

    def _found(self, identity: tuple[object, ...], name: str, key: str, device: str, count: int) -> tuple[str, memoryview]:
        size = SIZES.get(STORAGES.get(name.removeprefix("torch "), ""), 0)
        if key not in self.counts:
            self.counts[key] = count, count * size
            total = sum(length for _, length in self.counts.values())
            need(count >= 0 and total <= self._limit, "expected storages that are in the file, got larger ones")
            self._storages[key] = memoryview(bytes(count * size))
        return super()._found(identity, name, key, device, count)


#: How a file of PyTorch before 1.6 begins: a number, pickled.
LEGACY = b"\x80\x02\x8a\x0a" + (0x1950A86A20F9469CFC6C).to_bytes(10, "little") + b"."


def read_legacy(data: bytes) -> object:
    """The object in a file of PyTorch before 1.6.

    Pickles of a number, a version, the system, the object and the keys of its storages; then for each of these keys how many numbers
    there are, in 8 bytes, and the numbers.
    """
    stream = io.BytesIO(data)
    pieces: list[bytes] = []
    for _ in range(5):
        start = stream.tell()
        for _ in pickletools.genops(stream):
            pass
        pieces.append(data[start : stream.tell()])
    head, version, system, pickled, keys = pieces
    about, listed = Unpickler(system, {}).result, Unpickler(keys, {}).result
    need(head == LEGACY and Unpickler(version, {}).result == 1001, "expected a file of PyTorch before 1.6, got another")
    need(type(about) is dict and about.get("little_endian") is True, "expected numbers with the lowest byte first, got others")
    counts = _Counts(pickled, len(data)).counts
    if type(listed) is not list or not {*map(type, listed)} <= {str} or sorted(listed) != sorted(counts):
        raise Malformed("expected the keys of the storages of a file of PyTorch before 1.6, got others")
    storages, place = {}, stream.tell()
    for key in listed:
        count, size = counts[key]
        need(int.from_bytes(data[place : place + 8], "little") == count, "expected as many numbers as the pickle says, got others")
        place += 8 + size
        need(place <= len(data), "expected a whole file of PyTorch before 1.6, got one that was cut")
        storages[key] = memoryview(data)[place - size : place]
    need(place == len(data), "expected a file of PyTorch before 1.6 that ends with its numbers, got more")
    return LegacyUnpickler(pickled, storages).result
