"""The checker's readers of safetensors, of arrays of numpy and of pickles, word by word: what is read, and what is refused."""

import io
import json
import pickle
import struct
from typing import Any

import numpy as np
import pytest

from verify.checker import files, pickles
from verify.checker.files import read_npy, read_safetensors, read_tensors
from verify.checker.pickles import LegacyUnpickler, Unpickler, read_legacy, read_torch
from verify.checker.shape import Malformed
from verify.checker.tensors import CODES, SIZES, Tensor, bfloat16, is_float32

REFUSED = r"(?s)^expected .*, got "


# ---- safetensors


def safetensors(header: Any, data: bytes = b"", tail: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) + len(tail)) + text + tail + data


def entry(begin: int, end: int, shape: list[int], dtype: str = "F32", **more: Any) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end], **more}


NUMBERS = struct.pack("<6f", *range(6))
TWO = {"b": entry(8, 24, [2, 2]), "a": entry(0, 8, [2])}


def test_tensors_are_those_of_the_header_in_its_order() -> None:
    """Two tensors that stand in the other order, spaces at the end, metadata, an empty tensor, and one number."""
    for header, tail in ((TWO, b""), (TWO, b"   "), ({"__metadata__": {"k": "v"}, **TWO}, b"")):
        tensors, metadata = read_safetensors(memoryview(safetensors(header, NUMBERS, tail)))
        assert [*tensors] == ["b", "a"]
        assert [tensor.matrix().rows for tensor in tensors.values()] == [[[2, 3], [4, 5]], [[0, 1]]]
        assert metadata == ({"k": "v"} if len(header) == 3 else {})
    tensors, _ = read_safetensors(
        memoryview(safetensors({**TWO, "none": entry(8, 8, [0, 3]), "n": entry(24, 32, [], "F64")}, NUMBERS + b"\0" * 8))
    )
    assert (tensors["none"].shape, tensors["n"].shape) == ((0, 3), ())
    cube, _ = read_safetensors(memoryview(safetensors({"c": entry(0, 24, [1, 3, 2])}, NUMBERS)))
    assert (cube["c"].strides, cube["c"].offset) == ((6, 2, 1), 0)


@pytest.mark.parametrize("kind", SIZES)
def test_every_type_has_its_size(kind: str) -> None:
    size = {"BOOL": 1, "BF16": 2, "C64": 8, "C128": 16}.get(kind) or int(kind[1:]) // 8
    assert read_safetensors(memoryview(safetensors({"a": entry(0, 3 * size, [3], kind)}, b"\0" * 3 * size)))[0]["a"].kind == kind
    for wrong in (size - 1, size + 1):
        with pytest.raises(Malformed, match=REFUSED):
            read_safetensors(memoryview(safetensors({"a": entry(0, 3 * wrong, [3], kind)}, b"\0" * 3 * wrong)))


BAD_HEADERS: dict[str, bytes] = {
    "a gap": safetensors({"b": entry(8, 24, [2, 2]), "a": entry(0, 4, [1])}, NUMBERS),
    "an overlap": safetensors({"b": entry(8, 24, [2, 2]), "a": entry(0, 12, [3])}, NUMBERS),
    "a gap at the beginning": safetensors({"a": entry(4, 24, [5])}, NUMBERS),
    "bytes left over": safetensors(TWO, NUMBERS + b"\0"),
    "bytes missing": safetensors(TWO, NUMBERS[:-1]),
    "an end that is not that of the shape": safetensors({"a": entry(0, 24, [5])}, NUMBERS),
    "an end before the beginning": safetensors({"a": entry(24, 0, [6])}, NUMBERS),
    "a header beyond the file": struct.pack("<Q", 10) + b"{}",
    "a list": safetensors([]),
    "something behind the header": safetensors(TWO, NUMBERS, b"\n"),
    "an unknown type": safetensors({"a": entry(0, 24, [6], "F31")}, NUMBERS),
    "a type that is no text": safetensors({"a": entry(0, 24, [6], 32)}, NUMBERS),  # type: ignore[arg-type]
    "an entry that is no object": safetensors({"a": [0, 24]}, NUMBERS),
    "a key too many": safetensors({"a": entry(0, 24, [6], x=1)}, NUMBERS),
    "a key too few": safetensors({"a": {"dtype": "F32", "shape": [6]}}, NUMBERS),
    "a shape that is no list": safetensors({"a": entry(0, 24, 6)}, NUMBERS),  # type: ignore[arg-type]
    "three offsets": safetensors({"a": {"dtype": "F32", "shape": [6], "data_offsets": [0, 24, 24]}}, NUMBERS),
    "one offset": safetensors({"a": {"dtype": "F32", "shape": [6], "data_offsets": [0]}}, NUMBERS),
    "a length below 0": safetensors({"a": entry(0, 24, [-2, -3])}, NUMBERS),
    "a length that is no integer": safetensors({"a": entry(0, 24, [6.0])}, NUMBERS),  # type: ignore[list-item]
    "a truth value as length": safetensors({"a": entry(0, 24, [6, True])}, NUMBERS),
    "nine dimensions": safetensors({"a": entry(0, 24, [6] + [1] * 8)}, NUMBERS),
    "a long dimension": safetensors({"a": entry(0, 0, [0, 2**40])}),
    "metadata that are no object": safetensors({"__metadata__": [], **TWO}, NUMBERS),
    "metadata that are no texts": safetensors({"__metadata__": {"k": 1}, **TWO}, NUMBERS),
    "half a character as name": safetensors(b'{"\\ud800":{"dtype":"F32","shape":[6],"data_offsets":[0,24]}}', NUMBERS),
    "half a character as key": safetensors(b'{"__metadata__":{"\\udfff":"v"}}'),
    "half a character as value": safetensors(b'{"__metadata__":{"k":"\\ud900"}}'),
    "a name twice": safetensors(
        b'{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"F32","shape":[6],"data_offsets":[0,24]}}', NUMBERS
    ),
    "a number that is none": safetensors(b'{"__metadata__":{"k":NaN}}'),
}


@pytest.mark.parametrize("name", BAD_HEADERS)
def test_one_thing_wrong_in_a_header_is_refused(name: str) -> None:
    with pytest.raises(Malformed, match=REFUSED):
        read_safetensors(memoryview(BAD_HEADERS[name]))


def test_eight_dimensions_and_long_ones_are_read() -> None:
    assert len(read_safetensors(memoryview(safetensors({"a": entry(0, 24, [6] + [1] * 7)}, NUMBERS)))[0]["a"].shape) == 8
    assert read_safetensors(memoryview(safetensors({"a": entry(0, 0, [0, 2**40 - 1])})))[0]["a"].shape == (0, 2**40 - 1)


def test_a_file_is_told_by_its_first_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Safetensors, an npz, a torch archive, a file of PyTorch before 1.6, and what is none of these or too large."""
    assert read_tensors(safetensors(TWO, NUMBERS))[0] == "safetensors"
    assert read_tensors(safetensors({"__metadata__": {"k": "v"}, **TWO}, NUMBERS))[2] == {"k": "v"}
    buffer = io.BytesIO()
    np.savez(buffer, a=np.ones(3, np.float32))
    container, tensors, metadata = read_tensors(buffer.getvalue())
    assert (container, [*tensors], metadata) == ("npz", ["a"], {})
    for data in (b"", b"\x80\x02}.", b"x" * 40, safetensors(b"[]"), buffer.getvalue()[1:]):
        with pytest.raises(Malformed, match=REFUSED):
            read_tensors(data)
    data = safetensors(TWO, NUMBERS)
    monkeypatch.setattr(files, "FILE_LIMIT", len(data))
    assert read_tensors(data)[0] == "safetensors"
    monkeypatch.setattr(files, "FILE_LIMIT", len(data) - 1)
    with pytest.raises(Malformed, match="expected a checkpoint of 1 to"):
        read_tensors(data)


# ---- arrays of numpy


def npy(array: Any, version: tuple[int, int] | None = None) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, version=version)
    return buffer.getvalue()


def with_header(text: str, data: bytes = NUMBERS, magic: bytes = b"\x93NUMPY\x01\x00") -> memoryview:
    wide = 4 if magic == b"\x93NUMPY\x02\x00" else 2
    return memoryview(magic + len(text).to_bytes(wide, "little") + text.encode("latin-1") + data)


@pytest.mark.parametrize("kind", ["<f2", ">f2", "<f4", ">f4", "<f8", ">f8"])
@pytest.mark.parametrize("shape", [(6,), (2, 3), (3, 2), (1, 6), (6, 1)])
def test_arrays_are_read_as_numpy_wrote_them(kind: str, shape: tuple[int, ...]) -> None:
    """By rows and by columns, with headers of either version."""
    for order, version in (("C", None), ("F", None), ("C", (2, 0))):
        array = np.array(np.arange(6.0).reshape(shape) / 4, kind, order=order)  # type: ignore[call-overload]
        found = read_npy("a", memoryview(npy(array, version)))
        matrix = found.matrix()
        assert np.array_equal(np.array(matrix.rows, float) / 2**matrix.bits, array.reshape(matrix.rows.__len__(), -1).astype(float))
        assert found.shape == shape


@pytest.mark.parametrize("kind", ["?", "i1", "u1", "<i2", ">i4", "<i8", "<u2", ">u4", "<u8"])
def test_arrays_of_integers_are_there_and_are_no_weights(kind: str) -> None:
    found = read_npy("a", memoryview(npy(np.ones((2, 3), kind))))
    assert (found.shape, found.bytes()) == ((2, 3), 6 * np.dtype(kind).itemsize)
    with pytest.raises(Malformed, match="expected a tensor of floats"):
        found.matrix()


GOOD_LITERALS = (
    "{'descr': '<f4', 'fortran_order': False, 'shape': (6,), }  \n", '{"shape":(6,),"descr":"<f4","fortran_order":False}\n',
    "  { 'descr' : '<f4' , 'fortran_order' : False , 'shape' : ( 6 , ) }\n",
    "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3)}\n",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 6, 1,), }\n",
)  # fmt: skip
BAD_LITERALS = (
    "{'descr': '<f4', 'fortran_order': False, 'shape': (7,), }\n", "{'descr': '<f4', 'fortran_order': False, 'shape': (5,), }\n",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (6,), }", "{'descr': '<f4', 'fortran_order': False, 'shape': (6), }\n",
    "{'descr': '<f4', 'fortran_order': False, 'shape': 6, }\n", "{'descr': '<f4', 'fortran_order': 0, 'shape': (6,), }\n",
    "{'descr': '<c8', 'fortran_order': False, 'shape': (3,), }\n", "{'descr': '=f4', 'fortran_order': False, 'shape': (6,), }\n",
    "{'descr': '|f4', 'fortran_order': False, 'shape': (6,), }\n", "{'descr': 'O', 'fortran_order': False, 'shape': (6,), }\n",
    "{'descr': '<f4', 'descr': '<f4', 'shape': (6,), }\n", "{'descr': '<f4', 'fortran_order': False}\n",
    "{'descr': False, 'fortran_order': '<f4', 'shape': (6,), }\n", "{'descr': (6,), 'fortran_order': False, 'shape': '<f4', }\n",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (06,), }\n", "{'descr': '<f4', 'fortran_order': False, 'shape': (-6,), }\n",
    "{'descr': '<f4', 'fortran_order': (6,), 'shape': False, }\n", "{'descr': '<f4', 'fortran_order': False, 'shape': (6,), } #\n",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 1, 1, 1, 1, 1, 1, 6), }\n",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 1099511627776), }\n",
)  # fmt: skip


def test_a_header_is_the_literal_of_three_keys_and_nothing_else() -> None:
    for text in GOOD_LITERALS:
        found = read_npy("a", with_header(text))._replace(shape=(6,), strides=(1,)).matrix()
        assert found.rows == [[0, 1, 2, 3, 4, 5]]
    for text in BAD_LITERALS:
        with pytest.raises(Malformed, match=REFUSED):
            read_npy("a", with_header(text, b"" if "10995" in text else NUMBERS))
    good = GOOD_LITERALS[0]
    for magic in (b"\x93NUMPY\x03\x00", b"\x93NUMPZ\x01\x00", b"\x93NUMPY\x01\x01"):
        with pytest.raises(Malformed, match="expected an array in 'a'"):
            read_npy("a", with_header(good, magic=magic))
    assert read_npy("a", with_header(good, magic=b"\x93NUMPY\x02\x00")).shape == (6,)
    for data in (NUMBERS[:-1], NUMBERS + b"\0"):
        with pytest.raises(Malformed, match="bytes of numbers"):
            read_npy("a", with_header(good, data))
    for length, fits in ((10_000, True), (10_001, False)):
        text = good[:-1] + " " * (length - len(good)) + "\n"
        if fits:
            assert read_npy("a", with_header(text)).shape == (6,)
        else:
            with pytest.raises(Malformed, match="short header"):
                read_npy("a", with_header(text))
    with pytest.raises(Malformed, match="short header"):
        read_npy("a", with_header(good, b"")[: 10 + len(good) - 1])
    by_columns = read_npy("a", with_header("{'descr': '<f4', 'fortran_order': True, 'shape': (1, 2, 3), }\n"))
    assert by_columns.strides == (1, 1, 2)


# ---- tensors


def test_strides_reach_up_to_the_last_number_and_not_beyond() -> None:
    data = memoryview(NUMBERS)
    for shape, strides, offset in [((2, 3), (3, 1), 0), ((3,), (2,), 1), ((0, 9), (100, 100), 6), ((), (), 5), ((4, 4), (0, 1), 2)]:
        assert Tensor("F32", data, shape, strides, offset).checked("it").shape == shape
        with pytest.raises(Malformed, match="lies within its data"):
            Tensor("F32", data, shape, strides, offset + 1).checked("it")


@pytest.mark.parametrize("kind", CODES)
def test_numbers_of_either_byte_order_are_those_of_struct(kind: str) -> None:
    """Signs, zeros, denormals and large numbers, by rows and by columns."""
    patterns = [0x0000, 0x8000, 0x0001, 0x3F80, 0xC2F7, 0x3C00, 0x4248, 0x0400, 0x1234, 0x7000, 0xB001, 0x2E66]
    for order in "<>":
        if kind == "BF16":
            raw = struct.pack(f"{order}12H", *patterns)
            values = [bfloat16(p) for p in patterns]
            assert values == [struct.unpack(">f", struct.pack(">HH", p, 0))[0] for p in patterns]
        else:
            values = [struct.unpack(">e", struct.pack(">H", p))[0] for p in patterns]
            raw = struct.pack(f"{order}12{CODES[kind]}", *values)
        for shape, strides in (((12,), (1,)), ((3, 4), (4, 1)), ((4, 3), (1, 4)), ((2, 3), (6, 2))):
            matrix = Tensor(kind, memoryview(raw), shape, strides, 0, order).matrix()
            (rows, width), (down, across) = (1, *shape)[-2:], (0, *strides)[-2:]
            assert matrix.rows == [[int(values[i * down + j * across] * 2**matrix.bits) for j in range(width)] for i in range(rows)]
            used = [values[i * down + j * across] for i in range(rows) for j in range(width)]
            assert 2**matrix.bits == max(v.as_integer_ratio()[1] for v in used)
            assert matrix.narrow


def test_what_is_no_vector_or_matrix_of_finite_floats_is_refused() -> None:
    for kind in SIZES.keys() - CODES.keys():
        with pytest.raises(Malformed, match="expected a tensor of floats"):
            Tensor(kind, memoryview(b"\0" * 64), (2,), (1,)).matrix()
    for shape in ((), (0,), (2, 0), (1, 1, 1)):
        with pytest.raises(Malformed, match="expected a vector or a matrix"):
            Tensor("F32", memoryview(NUMBERS), shape, (1,) * len(shape)).matrix()
    for number in (float("nan"), float("inf"), float("-inf")):
        with pytest.raises(Malformed, match="NaN or infinity"):
            Tensor("F64", memoryview(struct.pack("<2d", 1.0, number)), (2,), (1,)).matrix()


def test_float32_numbers_are_those_that_struct_keeps() -> None:
    """Numbers p / 2^bits in lowest terms, near the limits of precision, size and smallness."""
    for p in (1, 3, 2**24 - 1, 2**24 + 1, 2**23 + 1, 2**25 - 1, 5):
        for bits in (-104, -103, -102, -126, -127, -128, -125, 0, 1, 100, 148, 149, 150, 151):
            top, below = (p << -bits, 0) if bits < 0 else (p, bits)
            value = top / 2**below
            try:
                kept = struct.unpack("<f", struct.pack("<f", value))[0] == value
            except OverflowError:
                kept = False
            for sign in (1, -1):
                assert is_float32(sign * top, below) == kept, (p, bits)
    assert is_float32(0, 0)


def test_two_tensors_are_one_where_they_look_at_the_same_numbers() -> None:
    data, other = memoryview(NUMBERS), memoryview(NUMBERS)
    first = Tensor("F32", data, (2,), (1,), 1)
    assert first.place() == first._replace(order=">").place()
    for changed in (
        first._replace(data=other), first._replace(kind="F64"), first._replace(shape=(1,)), first._replace(strides=(2,)),
        first._replace(offset=0),
    ):  # fmt: skip
        assert changed.place() != first.place()


# ---- pickles


def pickled(*parts: bytes) -> bytes:
    return b"\x80\x02" + b"".join(parts) + b"."


def unpickled(*parts: bytes, storages: dict[str, bytes] | None = None) -> Any:
    return Unpickler(pickled(*parts), {key: memoryview(value) for key, value in (storages or {}).items()}).result


def text(value: str) -> bytes:
    return b"X" + len(value).to_bytes(4, "little") + value.encode()


def called(name: str, *arguments: bytes) -> bytes:
    return b"c" + name.replace(" ", "\n").encode() + b"\n(" + b"".join(arguments) + b"tR"


ORDERED = called("collections OrderedDict")
STORAGE = b"ctorch\nFloatStorage\n"


def persistent(
    kind: bytes = STORAGE, key: str = "0", device: str = "cpu", count: int = 6, word: str = "storage", more: bytes = b""
) -> bytes:
    return b"(" + text(word) + kind + text(key) + text(device) + b"K" + bytes([count]) + more + b"tQ"


def tensor(
    storage: bytes | None = None,
    offset: bytes = b"K\x00",
    shape: bytes = b"K\x02K\x03\x86",
    strides: bytes = b"K\x03K\x01\x86",
    trained: bytes = b"\x89",
    hooks: bytes = ORDERED,
    more: bytes = b"",
) -> bytes:
    return called("torch._utils _rebuild_tensor_v2", storage or persistent(), offset, shape, strides, trained, hooks, more)


VALUES = {
    b"N": None,
    b"\x88": True,
    b"\x89": False,
    b"K\x07": 7,
    b"M\x01\x02": 513,
    b"J\xff\xff\xff\xff": -1,
    b"\x8a\x01\xfe": -2,
    b"G?\xf8\x00\x00\x00\x00\x00\x00": 1.5,
    text("abc"): "abc",
    b"U\x01a": "a",
    b"]": [],
    b"}": {},
    b")": (),
    b"(K\x01K\x02t": (1, 2),
    b"K\x01\x85": (1,),
    b"K\x01K\x02\x86": (1, 2),
    b"K\x01K\x02K\x03\x87": (1, 2, 3),
    b"]K\x05a": [5],
    b"](K\x05K\x06e": [5, 6],
    b"}K\x01K\x02s": {1: 2},
    b"}(K\x01K\x02" + text("k") + b"Nu": {1: 2, "k": None},
    b"]q\x00h\x00a": None,
    ORDERED: {},
    b"]r\x00\x00\x01\x00K\x01aj\x00\x00\x01\x00\x86": ([1], [1]),
    ORDERED + b"}b": {},
    called("collections defaultdict", b"cx\ny\n"): {},
    b"K\x01q\x05K\x02h\x05\x87": (1, 2, 1),
    b"((K\x01tK\x02t": ((1,), 2),
}


def test_values_are_those_that_pickle_makes() -> None:
    """One opcode after the other, in a small pickle of protocol 2."""
    for code, expected in VALUES.items():
        if code == b"]q\x00h\x00a":
            circle = unpickled(code)
            assert circle[0] is circle
        else:
            found = unpickled(code)
            assert (found, type(found) in (type(expected), pickles.Ordered)) == (expected, True)


BAD_PICKLES = {
    "protocol 3": b"\x80\x03N.",
    "no protocol": b"N.",
    "something behind": b"\x80\x02N.N.",
    "two objects": pickled(b"NN"),
    "no object": pickled(b""),
    "an open mark": pickled(b"N("),
    "a second protocol": pickled(b"\x80\x02N"),
    "POP": pickled(b"NN0"),
    "DUP": pickled(b"N2\x86"),
    "an older list": pickled(b"(l"),
    "an older dictionary": pickled(b"(d"),
    "INST": pickled(b"(i" + b"a\nb\n"),
    "a list that takes nothing": pickled(b"]a"),
    "a tuple below the mark": pickled(b"N(N\x86t"),
    "a mark that is not there": pickled(b"Nt"),
    "APPEND to a dictionary": pickled(b"}Na"),
    "APPENDS to a text": pickled(text("a") + b"(Ne"),
    "APPEND below a mark": pickled(b"](Nat"),
    "SETITEM on a list": pickled(b"]K\x00Ns"),
    "a key twice": pickled(b"}(K\x01NK\x01Nu"),
    "a key set again": pickled(b"}K\x01NsK\x01Ns"),
    "a key without a value": pickled(b"}(K\x01u"),
    "a key that is a tuple": pickled(b"})Ns"),
    "a key that is true": pickled(b"}\x88Ns"),
    "a key that is nothing": pickled(b"}NNs"),
    "a memo for two": pickled(b"]q\x00]q\x00\x86"),
    "a memo of nothing": pickled(b"q\x00N"),
    "BUILD on a list": pickled(b"]}b"),
    "BUILD on a dictionary": pickled(b"}}b"),
    "BUILD with a list": pickled(ORDERED + b"]b"),
    "a call of print": pickled(called("builtins print")),
    "a call of a text": pickled(text("a") + b")R"),
    "a call without arguments": pickled(b"ccollections\nOrderedDict\nNR"),
    "an ordered dictionary of something": pickled(called("collections OrderedDict", b"]")),
    "a default dictionary of two": pickled(called("collections defaultdict", b"N", b"}")),
    "a new object of torch": pickled(b"ctorch._utils\n_rebuild_tensor_v2\n)\x81"),
    "a new ordered dictionary": pickled(b"ccollections\nOrderedDict\n)\x81"),
    "a memo that is not there": pickled(b"(h\x00tq\x00"),
}


@pytest.mark.parametrize("name", BAD_PICKLES)
def test_opcodes_that_do_something_else_are_refused(name: str) -> None:
    with pytest.raises((Malformed, LookupError)) as caught:
        Unpickler(BAD_PICKLES[name], {})
    assert caught.type is Malformed or name in ("a memo that is not there", "a mark that is not there")  # `read_checkpoint` says so


def test_objects_beside_the_tensors_stay_closed() -> None:
    """What they are made of can be looked at; nothing is called, and what is set in them goes nowhere."""
    cases: tuple[tuple[bytes, list[Any]], ...] = (
        (called("torch Size", b"K\x01"), [(1,)]),
        (called("argparse Namespace") + b"}" + text("a") + b"K\x01sb", [(), {"a": 1}]),
        (b"cargparse\nNamespace\n)\x81}b", [(), {}]),
        (called("collections Counter", b"}") + b"K\x01K\x02s", [({},)]),
        (b"\x8f", [()]),
    )
    for code, state in cases:
        found = unpickled(code)
        assert (type(found), found.state) == (pickles.Opaque, state)
    array = unpickled(called("numpy._core.multiarray _reconstruct", b"cnumpy\nndarray\n", b"K\x00\x85", b"U\x01b"))
    assert type(array) is pickles.Array


def test_a_tensor_is_its_storage_offset_shape_and_strides() -> None:
    found = unpickled(tensor(), storages={"0": NUMBERS})
    assert (found.kind, found.shape, found.strides, found.offset) == ("F32", (2, 3), (3, 1), 0)
    assert found.matrix().rows == [[0, 1, 2], [3, 4, 5]]
    moved = tensor(offset=b"K\x01", shape=b"K\x02\x85", strides=b"K\x04\x85", trained=b"\x88")
    assert unpickled(moved, storages={"0": NUMBERS}).matrix().rows == [[1, 5]]
    parameter = called("torch._utils _rebuild_parameter", tensor(), b"\x88", ORDERED)
    assert unpickled(parameter, storages={"0": NUMBERS}) == found
    both = unpickled(tensor(), tensor(), b"\x86", storages={"0": NUMBERS})
    assert both[0].place() == both[1].place()
    for device in ("cuda", "cuda:1", "cpu", "mps", "xpu:12"):
        assert unpickled(tensor(persistent(device=device)), storages={"0": NUMBERS}) == found


HOOKED = ORDERED + b"K\x01Ns"
BAD_TENSORS = {
    "hooks": tensor(hooks=HOOKED),
    "hooks in a dictionary": tensor(hooks=b"}"),
    "one more argument": tensor(more=b"N"),
    "an offset that is no integer": tensor(offset=b"N"),
    "an offset below 0": tensor(offset=b"J\xff\xff\xff\xff"),
    "a true offset": tensor(offset=b"\x88"),
    "a shape in a list": tensor(shape=b"]"),
    "strides in a list": tensor(strides=b"]"),
    "fewer strides": tensor(strides=b"K\x01\x85"),
    "a true length": tensor(shape=b"\x88K\x03\x86"),
    "a length below 0": tensor(shape=b"J\xff\xff\xff\xffK\x03\x86"),
    "a stride below 0": tensor(strides=b"J\xff\xff\xff\xffK\x01\x86"),
    "trained by a number": tensor(trained=b"K\x01"),
    "no storage": tensor(storage=b"N"),
    "a storage of something": tensor(storage=b"K\x01K\x02\x86"),
    "a tensor beyond its storage": tensor(offset=b"K\x01"),
    "a length too large": tensor(shape=b"K\x00\x8a\x06\x00\x00\x00\x00\x00\x01\x86"),
    "another word": tensor(persistent(word="module")),
    "another type": tensor(persistent(b"ctorch\nQInt8Storage\n")),
    "a type of numpy": tensor(persistent(b"cnumpy\nFloatStorage\n")),
    "a type that is a text": tensor(persistent(text("torch FloatStorage"))),
    "a storage that is not there": tensor(persistent(key="1")),
    "a key with a slash": tensor(persistent(key="a/0")),
    "another device": tensor(persistent(device="disk")),
    "a device with something behind": tensor(persistent(device="cpu;")),
    "fewer numbers": tensor(persistent(count=5)),
    "more numbers": tensor(persistent(count=7)),
    "a storage with a view": tensor(persistent(more=b"N")),
    "another size of numbers": tensor(persistent(b"ctorch\nDoubleStorage\n")),
    "a parameter of nothing": called("torch._utils _rebuild_parameter", b"N", b"\x88", ORDERED),
    "a parameter with hooks": called("torch._utils _rebuild_parameter", tensor(), b"\x88", HOOKED),
    "a parameter with state": called("torch._utils _rebuild_parameter", tensor(), b"\x88", ORDERED, b"N"),
    "BUILD on a tensor": tensor() + b"}b",
    "one storage under two types": tensor() + tensor(persistent(b"ctorch\nIntStorage\n")) + b"\x86",
    "a new parameter": b"ctorch._utils\n_rebuild_parameter\n(" + tensor() + b"\x88" + ORDERED + b"t\x81",
}


@pytest.mark.parametrize("name", BAD_TENSORS)
def test_a_tensor_made_of_anything_else_is_refused(name: str) -> None:
    with pytest.raises(Malformed, match=REFUSED):
        unpickled(BAD_TENSORS[name], storages={"0": NUMBERS, "a/0": NUMBERS})


def test_a_pickle_of_containers_ends() -> None:
    """Not more containers than there is room for in the file, and a constant."""
    few = b"]" * 100 + b"a" * 99
    assert unpickled(few)[0][0] != []
    many = 65_536 + 10_000
    with pytest.raises(Malformed, match="one of containers"):
        unpickled(b"(" + b")" * many + b"t")
    assert len(unpickled(b"(" + b"N" * many + b"t")) == many


def as_tensor(value: object) -> Tensor:
    assert isinstance(value, Tensor)
    return value


def test_an_archive_of_torch_is_one_folder_with_a_pickle() -> None:
    pickle_of = {"data.pkl": pickled(tensor()), "data/0": NUMBERS}

    def members(folder: str, more: dict[str, bytes]) -> dict[str, memoryview]:
        every = {**{f"{folder}/{k}": v for k, v in pickle_of.items()}, **more}
        return {name: memoryview(content) for name, content in every.items()}

    assert as_tensor(read_torch(members("archive", {}))).matrix().rows == [[0, 1, 2], [3, 4, 5]]
    assert as_tensor(read_torch(members("other", {"other/byteorder": b"little", "other/version": b"3\n"}))).shape == (2, 3)
    for more in ({"archive/byteorder": b"big"}, {"archive/constants.pkl": b""}, {"beside/data/0": b""}, {"data.pkl": b""}):
        with pytest.raises(Malformed, match=REFUSED):
            read_torch(members("archive", more))
    with pytest.raises(Malformed, match=r"data\.pkl"):
        read_torch({"archive/data/0": memoryview(NUMBERS)})
    with pytest.raises(Malformed, match="a storage of numbers that the archive has"):
        read_torch({"archive/data.pkl": memoryview(pickled(tensor())), "archive/0": memoryview(NUMBERS)})


# ---- files of PyTorch before 1.6


def legacy(**changed: Any) -> bytes:
    """A file with one tensor; parts by their names."""
    about = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
    parts = {
        "head": pickle.dumps(0x1950A86A20F9469CFC6C, 2), "version": pickle.dumps(1001, 2), "about": pickle.dumps(about, 2),
        "object": pickled(tensor(persistent(more=b"N"))), "keys": pickle.dumps(["0"], 2), "numbers": struct.pack("<q", 6) + NUMBERS,
    } | changed  # fmt: skip
    return b"".join(parts.values())


def test_a_file_of_pytorch_before_1_6_is_read_part_by_part() -> None:
    assert as_tensor(read_legacy(legacy())).matrix().rows == [[0, 1, 2], [3, 4, 5]]
    assert read_tensors(legacy())[0] == "torch"
    for name, part in {
        "head": pickle.dumps(0x1950A86A20F9469CFC6D, 2), "version": pickle.dumps(1002, 2),
        "about": pickle.dumps({"little_endian": False}, 2),
        "keys": pickle.dumps([], 2), "numbers": struct.pack("<q", 5) + NUMBERS, "object": pickled(tensor(persistent())),
    }.items():  # fmt: skip
        with pytest.raises(Malformed, match=REFUSED):
            read_legacy(legacy(**{name: part}))
    for changed in (
        {"about": pickle.dumps({}, 2)},
        {"about": pickle.dumps([], 2)},
        {"keys": pickle.dumps(["1"], 2)},
        {"keys": pickle.dumps(["0", "0"], 2)},
        {"keys": pickle.dumps([0], 2)},
        {"keys": pickle.dumps("0", 2)},
        {"keys": pickle.dumps(["0", "1"], 2)},
        {"numbers": struct.pack("<q", 6) + NUMBERS + b"\0"},
        {"numbers": struct.pack("<q", 6) + NUMBERS[:-1]},
        {"numbers": struct.pack("<q", 7) + NUMBERS},
        {"about": pickle.dumps({"little_endian": 1}, 2)},
        {"object": pickled(tensor(persistent(more=b"K\x00")))},
        {"object": pickled(tensor(persistent(more=b"NN")))},
        {"object": pickled(tensor(persistent(count=7, more=b"N"))), "numbers": struct.pack("<q", 7) + NUMBERS},
    ):
        with pytest.raises(Malformed, match=REFUSED):
            read_legacy(legacy(**changed))
    with pytest.raises(Malformed, match="storages that are in the file"):
        read_legacy(
            legacy(object=pickled(tensor(b"(" + text("storage") + STORAGE + text("0") + text("cpu") + b"J\x00\x00\x00\x10NtQ")))
        )
    with pytest.raises(Malformed, match="storages that are in the file"):
        read_legacy(
            legacy(object=pickled(tensor(b"(" + text("storage") + STORAGE + text("0") + text("cpu") + b"J\xff\xff\xff\xffNtQ")))
        )
    with pytest.raises(Malformed, match="with a zip archive at its end"):
        read_tensors(legacy() + b"PK\x01\x02" + b"\0" * 42 + struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 1, 1, 46, 0, 0))


def test_two_storages_stand_in_the_order_of_their_keys() -> None:
    first, second = tensor(persistent(more=b"N")), tensor(persistent(key="1", more=b"N"))
    tenths = [k / 10 for k in range(1, 7)]  # with bytes that are not 0 behind the number of numbers
    numbers = struct.pack("<q6f", 6, *tenths) + struct.pack("<q6f", 6, *range(6))
    found = read_legacy(legacy(object=pickled(first, second, b"\x86"), keys=pickle.dumps(["1", "0"], 2), numbers=numbers))
    assert isinstance(found, tuple)
    assert found[0].matrix().rows == [[0, 1, 2], [3, 4, 5]]
    assert bytes(found[1].data) == struct.pack("<6f", *tenths)
    nothing = tensor(persistent(count=0, more=b"N"), shape=b"K\x00K\x03\x86")
    assert as_tensor(read_legacy(legacy(object=pickled(nothing), numbers=struct.pack("<q", 0)))).shape == (0, 3)
    assert LegacyUnpickler(pickled(b"N"), {}).result is None
