"""Pickles of `torch.save`: a stack machine for the few opcodes that a state dict needs.

What this module proves: that the tensors it returns are those that torch makes of the archive. Nothing that a pickle names is looked up
or called. Opcodes that do something else than put together dictionaries, lists, numbers and tensors are refused, and so is whatever
changes a tensor after it was made (BUILD on anything but a dictionary), a tensor made from more than storage, offset, shape and
strides, and one storage under two types.
"""

import pickletools
from collections.abc import Callable
from typing import Any, ClassVar

from .shape import Malformed, need, shown
from .tensors import NUMBERS, OTHERS, Tensor

#: Storages of torch, and how many bytes a number takes.
STORAGES = {"HalfStorage": "F16", "BFloat16Storage": "BF16", "FloatStorage": "F32", "DoubleStorage": "F64", "BoolStorage": "BOOL",
            "ByteStorage": "U8", "CharStorage": "I8", "ShortStorage": "I16", "IntStorage": "I32", "LongStorage": "I64",
            "ComplexFloatStorage": "C64", "ComplexDoubleStorage": "C128"}  # fmt: skip


def read_torch(members: dict[str, memoryview]) -> Any:
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
