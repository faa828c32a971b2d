"""What the pickle in a torch file says: tensors, and plain data beside them. Nothing that it names is looked up or called.

A stack machine for those opcodes (Lib/pickletools.py describes them) that `torch.save` writes for dictionaries of tensors. Whatever
else a pickle could ask for is refused by its name, and so is what readers take in two ways: BUILD on a tensor is `Tensor.set_` for
torch, a seventh argument of a tensor's rebuilding may negate it, one storage may be asked for under two types.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from net.errors import MalformedInput

if TYPE_CHECKING:
    from collections.abc import Callable

#: Types of storages: the name of a number's type, and its bytes. The floats can be weights.
STORAGES = {
    "HalfStorage": ("float16", 2),
    "BFloat16Storage": ("bfloat16", 2),
    "FloatStorage": ("float32", 4),
    "DoubleStorage": ("float64", 8),
    "ByteStorage": ("uint8", 1),
    "CharStorage": ("int8", 1),
    "ShortStorage": ("int16", 2),
    "IntStorage": ("int32", 4),
    "LongStorage": ("int64", 8),
    "BoolStorage": ("bool", 1),
    "ComplexFloatStorage": ("complex64", 8),
    "ComplexDoubleStorage": ("complex128", 16),
}
#: What makes a numpy array; it may lie beside the network, where a tensor may.
_ARRAYS = {"numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct"}
_DEFAULT_DICT = "collections.defaultdict"
_DICT, _TENSOR, _PARAMETER = "collections.OrderedDict", "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_parameter"
#: Names that stand for plain data; what is made of them is kept as `Opaque`.
_DATA = {
    *("torch.Size", "torch.device", "numpy.dtype", "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar", "_codecs.encode"),
    *(
        f"{module}.{kind}Path"
        for module in ("pathlib", "pathlib._local")
        for kind in ("", "Posix", "Windows", "PurePosix", "PureWindows")
    ),
    *("argparse.Namespace", "types.SimpleNamespace", "collections.Counter", "torch.torch_version.TorchVersion", "numpy.ndarray"),
    *(f"datetime.{kind}" for kind in ("datetime", "date", "time", "timedelta", "timezone")),
    *(f"{module}.{kind}" for module in ("builtins", "__builtin__") for kind in ("set", "list", "dict", "int", "float", "str")),
    *_ARRAYS,
    *(f"torch.{kind}" for kind in ("float16", "bfloat16", "float32", "float64", "uint8", "int8", "int16", "int32", "int64", "bool")),
}
_LOCATION = re.compile(r"(cpu|cuda|mps|xpu|xla|hpu|npu)(:[0-9]+)?")
_KEY = re.compile(r"[A-Za-z0-9_]+")
_CUT = "a pickle that is cut off"


class Storage(NamedTuple):
    """So many `numbers` of one type, in a row in the file, under a key."""

    key: str
    kind: str
    itemsize: int
    numbers: int
    location: str


class Tensor(NamedTuple):
    """Entry (i, j, ...) is number offset + i strides[0] + j strides[1] + ... of the storage, and lies in it."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


@dataclass(eq=False)
class Opaque:
    """Data that a pickle makes of a known name, such as a path or numpy's float: never made, only named."""

    name: str
    parts: list[object] = field(default_factory=list)

    @property
    def is_array(self) -> bool:
        """Whether it is a numpy array."""
        return self.name in _ARRAYS


@dataclass(frozen=True)
class _Global:
    name: str


class _Ordered(dict[object, object]):
    """An OrderedDict, which alone may be given attributes."""


def _refuse(came: str) -> MalformedInput:
    return MalformedInput(f"expected a torch archive that holds tensors and nothing else, got {came}")


def unpickle(data: bytes | memoryview, storage: Callable[[object], Storage], start: int = 0) -> tuple[object, int]:
    """(the pickle's value, where it ends): dicts, lists, tuples, sets, numbers, strings, None, `Tensor` and `Opaque`.

    Takes O(len(data)) time and memory: no more than len(data) / 8 + 65,536 containers.

    Args:
        data: the bytes.
        storage: what a persistent id stands for; raises MalformedInput for what is no storage in the file.
        start: where in them the pickle begins.

    Raises:
        MalformedInput: the pickle is damaged, or asks for anything else.

    """
    try:
        return _Machine(bytes(data), storage, start).run()
    except (IndexError, struct.error) as error:
        raise _refuse(_CUT) from error
    except UnicodeDecodeError as error:
        raise _refuse("a pickle with text that is not UTF-8") from error


class _Machine:
    def __init__(self, data: bytes, storage: Callable[[object], Storage], start: int) -> None:
        self.data, self.storage, self.place = data, storage, start
        self.stack: list[object] = []
        self.marks: list[int] = []
        self.memo: dict[int, object] = {}
        self.left = len(data) // 8 + 2**16

    def run(self) -> tuple[object, int]:
        if self.data[self.place] != 0x80 or self.data[self.place + 1] != 2:
            raise _refuse("a pickle of another protocol than 2")
        self.place += 2
        while True:
            code = self.data[self.place]
            self.place += 1
            if code == 0x2E:  # STOP
                if len(self.stack) != 1 or self.marks:
                    raise _refuse("a pickle of more or less than one value")
                return self.stack[0], self.place
            operation = _OPERATIONS.get(code)
            if operation is None:
                raise _refuse(f"a pickle with the opcode {code:#04x}")
            operation(self)

    def number(self, form: str) -> int:
        """The operation's argument."""
        value: int = struct.unpack_from(form, self.data, self.place)[0]
        self.place += struct.calcsize(form)
        return value

    def real(self) -> float:
        """The operation's argument, a float with its highest byte first."""
        value: float = struct.unpack_from(">d", self.data, self.place)[0]
        self.place += 8
        return value

    def take(self, length: int) -> bytes:
        found = self.data[self.place : self.place + length]
        if len(found) < length:
            raise _refuse(_CUT)
        self.place += length
        return found

    def line(self) -> str:
        end = self.data.find(b"\n", self.place)
        if end < 0:
            raise _refuse(_CUT)
        return self.take(end + 1 - self.place)[:-1].decode()

    def pop(self) -> object:
        if len(self.stack) <= (self.marks[-1] if self.marks else 0):
            raise _refuse("a damaged pickle")
        return self.stack.pop()

    def top(self) -> object:
        if len(self.stack) <= (self.marks[-1] if self.marks else 0):
            raise _refuse("a damaged pickle")
        return self.stack[-1]

    def popped(self) -> list[object]:
        """What was put down since the last mark."""
        mark = self.marks.pop()
        found = self.stack[mark:]
        del self.stack[mark:]
        return found

    def push(self, value: object) -> None:
        self.stack.append(value)

    def contain(self, value: object) -> None:
        """Put down a container; they are counted, because an empty one takes a hundred times its opcode."""
        self.count()
        self.stack.append(value)

    def mark(self) -> None:
        self.count()
        self.marks.append(len(self.stack))

    def count(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise _refuse("a pickle of empty containers")

    def put(self, index: int) -> None:
        value = self.top()
        if self.memo.setdefault(index, value) is not value:
            raise _refuse("a pickle that notes two things under one number")

    def get(self, index: int) -> None:
        if index not in self.memo:
            raise _refuse("a pickle that refers to nothing")
        self.stack.append(self.memo[index])

    def text(self) -> None:
        self.push(self.take(self.number("<I")).decode())

    def integer(self) -> None:
        self.push(int.from_bytes(self.take(self.number("B")), "little", signed=True))

    def named(self) -> None:
        name = f"{self.line()}.{self.line()}"
        kind = name.removeprefix("torch.")
        if name not in (_DICT, _DEFAULT_DICT, _TENSOR, _PARAMETER) and name not in _DATA and (kind == name or kind not in STORAGES):
            asked = "".join(c if c.isprintable() else "?" for c in name[:80])
            raise _refuse(f"a pickle that asks for {asked}; of a whole module save module.state_dict(), of arrays save tensors")
        self.contain(_Global(name))

    def append(self, items: list[object]) -> None:
        target = self.top()
        if type(target) is not list:
            raise _refuse("a pickle that appends to something else than a list")
        target.extend(items)

    def set_items(self, items: list[object]) -> None:
        target = self.top()
        if not isinstance(target, dict) or len(items) % 2:
            raise _refuse("a pickle that gives keys to something else than a dictionary")
        for key, value in zip(items[::2], items[1::2], strict=True):
            if type(key) not in (str, int):
                raise _refuse(f"a dictionary with a key of type {type(key).__name__}")
            if key in target:
                raise _refuse(f"a dictionary with the key {str(key)[:60]!r} twice")
            target[key] = value

    def persistent(self) -> None:
        self.contain(self.storage(self.pop()))

    def reduce(self) -> None:
        arguments, function = self.pop(), self.pop()
        if not isinstance(function, _Global) or type(arguments) is not tuple:
            raise _refuse("a damaged pickle")
        if function.name == _DICT and arguments == ():
            self.contain(_Ordered())
        elif function.name == _DEFAULT_DICT and len(arguments) <= 1:
            self.contain({})
        elif function.name == _TENSOR:
            self.contain(_tensor(arguments))
        elif function.name == _PARAMETER:
            plain = len(arguments) == 3 and isinstance(arguments[0], Tensor) and type(arguments[1]) is bool and _empty(arguments[2])
            if not plain:
                raise _refuse("a parameter that is more than a tensor")
            self.push(arguments[0])
        elif function.name in _DATA:
            self.contain(Opaque(function.name, [arguments]))
        else:
            raise _refuse(f"a pickle that calls {function.name}")

    def new(self) -> None:
        arguments, function = self.pop(), self.pop()
        if not isinstance(function, _Global) or function.name not in _DATA:
            raise _refuse("a pickle that makes an object")
        self.contain(Opaque(function.name, [arguments]))

    def build(self) -> None:
        state, target = self.pop(), self.top()
        if isinstance(target, Opaque):
            target.parts.append(state)
        elif not isinstance(target, _Ordered) or not isinstance(state, dict):
            raise _refuse(f"a pickle that changes a {type(target).__name__} after it was made")


def _empty(hooks: object) -> bool:
    return isinstance(hooks, _Ordered) and not hooks


def _tensor(arguments: tuple[object, ...]) -> Tensor:
    """The tensor that torch._utils._rebuild_tensor_v2 makes of six arguments."""
    if len(arguments) != 6:
        raise _refuse("a tensor with further arguments, which could make it another one")
    storage, offset, shape, strides, gradient, hooks = arguments
    wrong = _refuse("a tensor without storage, offset, shape and strides")
    if not isinstance(storage, Storage) or type(offset) is not int or type(shape) is not tuple or type(strides) is not tuple:
        raise wrong
    plain = len(shape) == len(strides) <= 8 and type(gradient) is bool and _empty(hooks)
    if not plain or not all(type(k) is int and 0 <= k < 2**63 for k in (offset, *shape, *strides)):
        raise wrong
    last = offset + sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True))
    if not (offset <= storage.numbers if 0 in shape else last < storage.numbers):
        raise _refuse(f"a tensor of shape {shape[:4]} that reaches beyond its storage of {storage.numbers:,} numbers")
    return Tensor(storage, offset, shape, strides)


def storage_of(identity: object, extra: int = 0) -> Storage:
    """The storage that a persistent id names: ("storage", type, key, location, count) and `extra` times None.

    Raises:
        MalformedInput: it names something else.

    """
    if type(identity) is tuple and len(identity) == 5 + extra and all(more is None for more in identity[5:]):
        word, kind, key, location, count = identity[:5]
        name = kind.name.removeprefix("torch.") if isinstance(kind, _Global) else ""
        plain = word == "storage" and name in STORAGES and type(key) is str and type(location) is str
        if plain and _KEY.fullmatch(key) and _LOCATION.fullmatch(location) and type(count) is int and 0 <= count < 2**63:
            return Storage(key, *STORAGES[name], count, location)
    raise _refuse("a reference to something else than numbers in the file")


_OPERATIONS: dict[int, Callable[[_Machine], None]] = {
    ord("}"): lambda m: m.contain({}),
    ord("]"): lambda m: m.contain([]),
    ord(")"): lambda m: m.push(()),
    0x8F: lambda m: m.contain(set()),
    ord("("): lambda m: m.mark(),
    ord("t"): lambda m: m.contain(tuple(m.popped())),
    0x85: lambda m: m.contain((m.pop(),)),
    0x86: lambda m: m.contain((m.pop(), m.pop())[::-1]),
    0x87: lambda m: m.contain((m.pop(), m.pop(), m.pop())[::-1]),
    ord("a"): lambda m: m.append([m.pop()]),
    ord("e"): lambda m: m.append(m.popped()),
    ord("s"): lambda m: m.set_items([m.pop(), m.pop()][::-1]),
    ord("u"): lambda m: m.set_items(m.popped()),
    ord("N"): lambda m: m.push(None),
    0x88: lambda m: m.push(True),
    0x89: lambda m: m.push(False),
    ord("J"): lambda m: m.push(m.number("<i")),
    ord("K"): lambda m: m.push(m.number("B")),
    ord("M"): lambda m: m.push(m.number("<H")),
    0x8A: lambda m: m.integer(),
    ord("G"): lambda m: m.push(m.real()),
    ord("X"): lambda m: m.text(),
    ord("U"): lambda m: m.push(m.take(m.number("B")).decode()),
    ord("q"): lambda m: m.put(m.number("B")),
    ord("r"): lambda m: m.put(m.number("<I")),
    ord("h"): lambda m: m.get(m.number("B")),
    ord("j"): lambda m: m.get(m.number("<I")),
    ord("c"): lambda m: m.named(),
    ord("R"): lambda m: m.reduce(),
    0x81: lambda m: m.new(),
    ord("b"): lambda m: m.build(),
    ord("Q"): lambda m: m.persistent(),
}
