"""A small checker of certificates: it redoes what a certificate states from the checkpoint alone.

    python -I checker.py CERTIFICATE --checkpoint FILE [--sample N --seed S] [--jobs J]

Standard library only; no code shared with the program that writes certificates. Weights are dyadic rationals, and
Python's integers do all of the arithmetic: floats are taken apart when they are read, and never computed with.

    stdout                 exit code
    s VERIFIED             0   everything that the certificate states holds, and its verdict is VERIFIED
    s CONFIRMED REFUTED    1   everything that the certificate states holds, and its verdict is REFUTED
    s NOT VERIFIED         1   something does not hold; stderr says what is stated and what was found
    s SAMPLED              3   nothing wrong on the sampled pairs; the others were not looked at
    s MALFORMED            4   a file is not what it should be; stderr says why

Not redone: the solver's answers (Q3), and which pairs the compact proof covers (Q4). No verdict rests on them (docs/trust.md).
"""

import argparse
import hashlib
import io
import itertools
import json
import math
import multiprocessing
import pickletools
import random
import re
import reprlib
import struct
import sys
import zipfile
from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import partial
from operator import add, mul
from pathlib import Path
from typing import Any, NamedTuple

Rows = list[list[int]]
SHOW = reprlib.Repr()  # writes any value in a few hundred characters, however deep it is and however often it holds itself
SHOW.maxlevel, SHOW.maxstring, SHOW.maxother, SHOW.maxlong = 3, 300, 300, 300


class Malformed(Exception):  # noqa: N818 - says what the file is
    """A file that is not what it should be."""


class Differs(Exception):  # noqa: N818 - says what the two values do
    """A statement of the certificate that does not hold."""


def same(what: str, stated: Any, found: Any) -> None:
    """Raise Differs unless the certificate states what was found."""
    if type(stated) is not type(found) or stated != found:
        raise Differs(f"{what}: the certificate states {SHOW.repr(stated)}, the checker finds {SHOW.repr(found)}")


def need(true: bool, message: str) -> bool:
    """True, or Malformed raised: what has to hold of a file."""
    if not true:
        raise Malformed(message)
    return True


#: shapes of JSON values: a type, a set of words, [item], (item, item), {key: value}, (None, value or null)
# fmt: off
STATUS, PARTS = {"PROVED", "REFUTED", "UNKNOWN"}, ("left", "right", "votes")
ON = {"right cosets", "left cosets", "double cosets", "coset sum", "coset matrix", "elements"}
FORM = {"on": ON, "subgroups": [int], "kernels": [(None, int)]}
GROUP = {"name": str, "degree": int, "order": int, "generators": [str]}
CHECKPOINT = {
    "sha256": str, "format": str, "order": {"lexicographic", "even-first", "sympy", "table"}, "numbering": [int],
    "product": {"left-first", "right-first"}, "width": int, "parameters": int, "float32_forward": bool}
PROGRAM = {
    "format": {"coset-voting program 1"}, "group": GROUP, "preactivation_bits": int, "vote_bits": int, "bias": [int],
    "subgroups": [{"name": str, "order": int, "generators": [str]}],
    "circuits": [dict.fromkeys(PARTS, FORM) | {"neurons": [{"index": int, "left": [int], "right": [int], "votes": [int]}]}]}
KIND = {"coset", "twisted", "dual", "sign", "raw", "dead"}
RECORD = {"index": int, "kind": KIND, "circuit": (None, int)} | dict.fromkeys([f"{part}_deviation" for part in PARTS], (None, str))
CORRECT = {
    "status": STATUS, "pairs": int, "right": int, "ties": int, "wrong": [(int, int, int)], "answers_sha256": str,
    "min_margin": (None, str), "min_margin_pair": (None, (int, int)), "float32_any_order": (None, int)}
EQUIVALENT = {"status": STATUS, "pairs": int, "agree": int, "differ": [(int, int, int, int)], "answers_sha256": str}
OBLIGATION = {"id": str, "statement": str, "status": STATUS, "file": str, "sha256": str}
COST, ABOUT = {"certified": int, "flops": int}, {"program": PROGRAM, "neurons": [RECORD]}
CERTIFICATE = {
    "format": {"coset-verify certificate 1"}, "verdict": {"VERIFIED", "REFUTED", "UNKNOWN"}, "group": GROUP, "versions": dict,
    "checkpoint": CHECKPOINT, "program": PROGRAM, "neurons": [RECORD], "correct": CORRECT, "equivalent": EQUIVALENT, "sha256": str,
    "symbolic": {"status": STATUS, "reason": str, "provable": (None, ABOUT), "obligations": [OBLIGATION]},
    "compact": (None, COST | {"status": STATUS, "flops_brute": int, "strategies": [COST | {"name": str}]})}
# fmt: on


def fits(value: Any, spec: Any, where: str) -> None:
    """Raise Malformed unless the value has exactly this shape; nothing is left out and nothing added."""
    spec = spec if not isinstance(spec, tuple) or spec[0] is not None else type(None) if value is None else spec[1]
    kind: Any = spec if isinstance(spec, type) else list if isinstance(spec, tuple) else str if isinstance(spec, set) else type(spec)
    inside = type(value) is kind and (not isinstance(spec, set) or value in spec) and (kind is not int or abs(value) < 2**4000)
    if not inside or (isinstance(spec, dict) and value.keys() != spec.keys()) or (isinstance(spec, tuple) and len(value) != len(spec)):
        wanted = getattr(spec, "__name__", [*spec] if kind is dict else spec)
        raise Malformed(f"{where}: expected {wanted!s:.300}, got {SHOW.repr([*value] if type(value) is dict else value)}")
    for key in value if kind is dict else range(len(value)) if kind is list else ():
        fits(value[key], str if spec is dict else spec[0] if isinstance(spec, list) else spec[key], f"{where}[{key!r:.40}]")


def parse_json(data: bytes) -> Any:
    """A JSON value whose objects have each key once."""
    try:
        return json.loads(data.decode(), object_pairs_hook=lambda p: need(len(dict(p)) == len(p), "expected keys once") and dict(p))
    except (ValueError, RecursionError) as error:
        raise Malformed(f"expected JSON in UTF-8, got: {error}") from None


#: per type: bytes per number, and how `struct` reads it (a bfloat16 is the upper half of a float32)
NUMBERS = {"F16": (2, "e"), "BF16": (2, "H"), "F32": (4, "f"), "F64": (8, "d")}
STORAGES = {"HalfStorage": "F16", "BFloat16Storage": "BF16", "FloatStorage": "F32", "DoubleStorage": "F64"}


class Matrix(NamedTuple):
    """Rows of integers over 2^bits; ``narrow`` when every one of these numbers is a float32 number."""

    rows: Rows
    bits: int
    narrow: bool = True

    def at(self, bits: int) -> Rows:
        """The integers over 2^bits."""
        return [[value << (bits - self.bits) for value in row] for row in self.rows]


def matrix(kind: str, data: bytes, offset: int, shape: Sequence[int], strides: Sequence[int]) -> Matrix:
    """A tensor, whose entry (i, j) is number offset + i strides[0] + j strides[1]; vectors are one row, a third dimension of 1 goes."""
    shape, strides = ((s[1:] if len(shape) == 3 and shape[0] == 1 else s) for s in (shape, strides))
    (rows, columns), (down, across), (size, code) = (1, *shape)[-2:], (0, *strides)[-2:], NUMBERS[kind]
    used = offset + (rows - 1) * down + (columns - 1) * across + 1
    if len(shape) not in (1, 2) or not 0 < rows * columns <= used <= len(data) // size:
        raise Malformed(f"expected a vector or a matrix with each number stored, got shape {shape[:4]}")
    stored = struct.unpack_from(f"<{used}{code}", data)
    if kind == "BF16":
        stored = struct.unpack(f"<{used}f", struct.pack(f"<{used}I", *(word << 16 for word in stored)))
    ratios = [stored[offset + i * down + j * across].as_integer_ratio() for i in range(rows) for j in range(columns)]
    bits = max(q.bit_length() for _, q in ratios) - 1  # NaN and infinity have no ratio and have raised an exception
    exact = [p << bits + 1 - q.bit_length() for p, q in ratios]
    odd = ((abs(p) // max(1, p & -p), p.bit_length(), q.bit_length()) for p, q in ratios)
    narrow = all(o.bit_length() <= 24 and q <= 150 and p - q < 128 for o, p, q in odd)
    return Matrix([exact[i : i + columns] for i in range(0, len(exact), columns)], bits, narrow)


def read_safetensors(data: bytes) -> tuple[dict[str, Any], Any]:
    """The tensors and our record of them: a length, a JSON header, and the numbers without gaps or overlaps."""
    start = end = 8 + int.from_bytes(data[:8], "little")
    header, tensors = parse_json(data[8:start]), {}
    fits(metadata := header.pop("__metadata__", {}), dict, "metadata")
    for name, entry in header.items():
        fits(entry, {"dtype": set(NUMBERS), "shape": [int], "data_offsets": (int, int)}, f"tensor {name!r:.40}")
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        shape, begin = tuple(entry["shape"][:4]), end
        end += NUMBERS[entry["dtype"]][0] * math.prod(shape)
        plain = len(shape) <= 3 and min(shape, default=0) >= 0 and entry["data_offsets"] == [begin - start, end - start]
        need(plain, f"expected tensors of at most three dimensions one after the other, got {name!r:.40}")
        strides = [math.prod(shape[i + 1 :]) for i in range(len(shape))]
        tensors[name] = partial(matrix, entry["dtype"], data[begin:end], 0, shape, strides)
    need(end == len(data), f"expected {end} bytes of safetensors, got {len(data)}")
    return tensors, parse_json(metadata.get("coset-verify", "{}").encode())


def read_torch(data: bytes) -> tuple[dict[str, Any], Any]:
    """The tensors that `torch.save` wrote (a pickle that names them, one member per storage), and what lay beside."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        infos = archive.infolist()
        plain = all(info.compress_type == zipfile.ZIP_STORED for info in infos) and len({*archive.namelist()}) == len(infos)
        need(plain and sum(info.file_size for info in infos) <= len(data), "expected members stored once and as they are, got others")
        members = {info.filename: archive.read(info) for info in infos}
    (pickled,) = (name for name in members if name.endswith("data.pkl"))
    root = pickled.removesuffix("data.pkl")
    state = unpickle(members[pickled], {name.removeprefix(root + "data/"): members[name] for name in members})
    outer, state = (state, state["model"]) if "model" in state else ({}, state)
    plain = all(type(name) is str and type(value) is partial for name, value in state.items())
    need(plain and members.get(root + "byteorder", b"little") == b"little", "expected named little-endian tensors, got something else")
    return state, outer


#: values that an opcode carries (a global name stays a name) or makes, and how many it takes (-1: all down to the mark)
CARRIES = {"BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE", "GLOBAL"}
MAKES: dict[str, Any] = {"EMPTY_LIST": list, "EMPTY_DICT": dict, "EMPTY_TUPLE": tuple, "NONE": None, "NEWTRUE": True, "NEWFALSE": False}
TAKES = {"TUPLE": -1, "TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3, "APPEND": 1, "APPENDS": -1, "SETITEM": 2, "SETITEMS": -1}
TAKES |= {"BINPERSID": 1, "REDUCE": 2, "BUILD": 1}


def unpickle(pickled: bytes, storages: dict[str, bytes]) -> Any:
    """What a pickle of dictionaries, lists, numbers and tensors means: a stack machine for the opcodes of a state dict.

    It looks up and calls nothing that the pickle names, and takes memory in proportion to the pickle's length.
    """
    stack, marks, memo = [], [], {}  # type: list[Any], list[int], dict[Any, Any]
    for code, argument, _ in pickletools.genops(pickled):
        op = code.name
        start = len(stack) if op not in TAKES else marks.pop() if TAKES[op] < 0 else len(stack) - TAKES[op]
        items = stack[start:]
        del stack[start:]
        if op in CARRIES or op in MAKES:
            stack.append(argument if op in CARRIES else MAKES[op]() if callable(MAKES[op]) else MAKES[op])
        elif op == "MARK":
            marks.append(len(stack))
        elif op in ("BINPUT", "LONG_BINPUT"):
            memo[argument] = stack[-1]
        elif op in ("BINGET", "LONG_BINGET"):
            stack.append(memo[argument])
        elif op.startswith("TUPLE"):
            stack.append(tuple(items))
        elif op.startswith("APPEND") and type(stack[-1]) is list:
            stack[-1].extend(items)
        elif op.startswith("SETITEM") and type(stack[-1]) is dict and {type(key) for key in items[::2]} <= {str, int}:
            stack[-1].update(zip(items[::2], items[1::2], strict=True))
        elif op == "BINPERSID" and type(items[0]) is tuple and {*map(type, items[0][1:3])} == {str}:
            stack.append((STORAGES[items[0][1].removeprefix("torch ")], storages[items[0][2]]))
        elif op == "REDUCE" and items == ["collections OrderedDict", ()]:
            stack.append({})
        elif op == "REDUCE" and items[0] == "torch._utils _rebuild_tensor_v2":
            (kind, data), offset, shape, strides, *_ = items[1]
            plain = len(shape) == len(strides) <= 3 and all(type(k) is int and k >= 0 for k in (offset, *shape, *strides))
            need(plain and type(data) is bytes, "expected a tensor with storage, offset, shape and strides, got another")
            stack.append(partial(matrix, kind, data, offset, shape, strides))
        elif op not in ("PROTO", "STOP", "BUILD"):  # BUILD sets attributes, which no weight depends on
            raise Malformed(f"expected a pickle of tensors and nothing else, got {op} {SHOW.repr(items)}")
    return stack.pop()


#: per layout: what its tensors are; W is both halves of the hidden layer's matrix, ^T is transposed
LAYOUTS = {
    "folded": {"L": "left", "R": "right", "U": "votes", "b": "bias"},
    "chughtai": {"W_x": "left", "W_y": "right", "W": "W", "W_U": "votes", "b": "after relu", "b_U": "bias"},
    "sn-grok": {"lembed.weight": "left", "rembed.weight": "right", "linear.weight": "W^T",
                "unembed.weight": "votes^T", "unembed.bias": "bias"},
    "wu": dict(zip(("embedding_left", "embedding_right", "linear_left", "linear_right", "unembedding", "unembed_bias"),
                   ("left", "right", "upper", "lower", "votes", "bias"), strict=True)),
}  # fmt: skip


def read_layers(data: bytes) -> tuple[str, dict[str, Matrix]]:
    """The layout, and the matrices left, right, votes, and where present upper, lower, bias and after relu."""
    tensors, beside = read_torch(data) if data[:4] == b"PK\x03\x04" else read_safetensors(data)
    settings = [(beside.get("config") or {}).get(key) or "relu" for key in ("act_fn", "activation", "act")]
    need(settings == ["relu"] * 3, f"expected a network with relu, got the settings {SHOW.repr(settings)}")
    layout = next((name for name, roles in LAYOUTS.items() if set(tensors) <= set(roles)), "")
    need(layout != "", f"expected the tensors of a network in a known layout, got {SHOW.repr(sorted(tensors))}")
    m = {LAYOUTS[layout][name]: tensor() for name, tensor in tensors.items()}
    m = {role.removesuffix("^T"): a._replace(rows=columns(a.rows)) if "^" in role else a for role, a in m.items()}
    if "W" in m:
        d, W = len(m["left"].rows[0]), m.pop("W")
        m |= {"upper": W._replace(rows=W.rows[:d]), "lower": W._replace(rows=W.rows[d:])}
    return "coset-verify network 1" if beside.get("format") == "coset-verify network 1" else layout, m


def read_network(data: bytes, record: Any) -> tuple["Network", "Forward | None"]:
    """The network in a checkpoint, folded and in the group's numbering, and its float32 pass where there is one."""
    try:
        layout, m = read_layers(data)
        n, width = len(m["left"].rows), len(m["votes"].rows)
        halves = (m["left"], m.get("upper")), (m["right"], m.get("lower"))
        bias, after = m.get("bias", Matrix([[0] * n], 0)), m.get("after relu", Matrix([[0] * width], 0))
        by_element = {len(m["votes"].rows[0]), len(bias.rows[0]), *(len(a.rows) for a, _ in halves)}
        by_neuron = {len(after.rows[0]), *(len((b or a).rows[0]) for a, b in halves)}
        whole = len(bias.rows) == len(after.rows) == 1 and ("upper" in m) == ("lower" in m)  # before anything is multiplied
        need(whole and (by_element, by_neuron) == ({n}, {width}) and n > 1, f"expected {n} elements and {width} neurons all over")
        sides, through = [fold(a, b) for a, b in halves], fold(after, m["votes"])[0]
        bits = max(side.bits for side, _ in sides)
        vote_bits = max(m["votes"].bits, bias.bits - bits, through.bits - bits)
        votes, total = m["votes"].at(vote_bits), [*map(add, through.at(bits + vote_bits)[0], bias.at(bits + vote_bits)[0])]
        tables = [[side.at(bits), sizes.at(bits)] for side, sizes in sides]
    except Exception as error:  # a damaged file goes wrong in every way there is
        raise Malformed(f"expected a checkpoint, got: {type(error).__name__}: {error}") from None
    same("checkpoint", [record[key] for key in ("format", "width", "parameters")], [layout, width, 3 * n * width + n * any(total)])
    numbering, in_order = record["numbering"], list(range(n))
    same("checkpoint.numbering, sorted", sorted(numbering), in_order)
    same("checkpoint.numbering", numbering, in_order if record["order"] == "lexicographic" else numbering)
    places = sorted(in_order, key=numbering.__getitem__)
    tables = [[[rows[k] for k in places] for rows in pair] for pair in tables]
    (L, L_sizes), (R, R_sizes) = tables if record["product"] == "left-first" else tables[::-1]
    total = [total[k] for k in places]
    network = Network(L, R, [[row[k] for k in places] for row in votes], total, bits, vote_bits)
    K = sum(len(m[side].rows[0]) if "upper" in m else 1 for side in ("left", "right"))
    forward = Forward(network, L_sizes, R_sizes, total, K, width + ("bias" in m))
    stated = "after relu" not in m and all(matrix.narrow for matrix in m.values()) and not forward.overflows
    same("checkpoint.float32_forward", record["float32_forward"], stated)
    return network, forward if stated else None


class Packed:
    """Sums of rows of integers, each row packed into one big integer so that one product multiplies a whole row.

    The row (u_0, u_1, ...) becomes sum_j u_j 2^(s j) (Kronecker substitution), so base + sum_i c_i row_i holds base_j + sum_i c_i u_ij
    in its slot j once 2^(s-1) is added to each slot against negative numbers, provided that |base_j| + sum_i |c_i| |u_ij| < 2^(s-1).
    ``reach`` bounds that sum through the ``largest`` |c_i|. s is a multiple of 64; a factor 2^spare fills the slots' highest 64 bits.
    """

    def __init__(self, rows: Rows, base: Sequence[int], largest: Iterable[int]) -> None:
        reach = max(map(abs, base)) + sum(max(1, c) * max(map(abs, row)) for c, row in zip(largest, rows, strict=True))
        self.columns, self.size = len(base), 8 * (reach.bit_length() // 64 + 1)
        self.spare, self.half = 8 * self.size - 1 - reach.bit_length(), 1 << (8 * self.size - 1)
        self.halves = int.from_bytes(self.half.to_bytes(self.size, "little") * self.columns, "little")
        self.base, self.rows = self.pack(base) + self.halves, [self.pack(row) for row in rows]

    def pack(self, row: Sequence[int]) -> int:
        """sum_j row[j] 2^(spare + s j)."""
        slots = [((value << self.spare) + self.half).to_bytes(self.size, "little") for value in row]
        return int.from_bytes(b"".join(slots), "little") - self.halves

    def combine(self, coefficients: Iterable[int]) -> bytes:
        """The slots of base + sum_i c_i row_i."""
        total = self.base
        for c, row in zip(coefficients, self.rows, strict=True):
            if c:
                total += c * row
        return total.to_bytes(self.size * self.columns, "little")

    def number(self, slots: bytes, j: int) -> int:
        """The number in slot j."""
        return int.from_bytes(slots[j * self.size : (j + 1) * self.size], "little") - self.half >> self.spare

    def contest(self, slots: bytes, z: int) -> tuple[int, int]:
        """Where the largest number is (-1 when it is there twice), and number z minus the largest of the others."""
        tops = memoryview(slots).cast("Q")[self.size // 8 - 1 :: self.size // 8].tolist()
        tops[z] = -1
        most = max(tops)
        rivals = [tops.index(most)] if tops.count(most) == 1 else [j for j, top in enumerate(tops) if top == most]
        gap = self.number(slots, z) - (best := max(self.number(slots, j) for j in rivals))
        winners = [z] * (gap >= 0) + [j for j in rivals if gap <= 0 and self.number(slots, j) == best]
        return (winners[0] if len(winners) == 1 else -1), gap


def columns(rows: Sequence[Sequence[int]]) -> Rows:
    """The columns of a matrix."""
    return [list(column) for column in zip(*rows, strict=True)]


def fold(a: Matrix, b: Matrix | None) -> list[Matrix]:
    """The product of two matrices, and that of their absolute values; a alone where there is no b."""
    if b is None:
        return [a, a._replace(rows=[[*map(abs, row)] for row in a.rows])]
    largest, found = [max(map(abs, column)) for column in columns(a.rows)], []
    for left, right in ((a.rows, b.rows), ([[*map(abs, row)] for row in a.rows], [[*map(abs, row)] for row in b.rows])):
        packed = Packed(right, [0] * len(right[0]), largest)
        rows = [[packed.number(slots, j) for j in range(packed.columns)] for slots in map(packed.combine, left)]
        found.append(Matrix(rows, a.bits + b.bits))
    return found


class Network:
    """logits(x, y)[z] = sum_i relu(left[x][i] + right[y][i]) votes[i][z] + bias[z], over 2^bits, 2^vote_bits and their product."""

    def __init__(self, left: Rows, right: Rows, votes: Rows, bias: Sequence[int], bits: int, vote_bits: int) -> None:
        self.left, self.right, self.votes, self.bits, self.vote_bits = left, right, votes, bits, vote_bits
        self.scales = bits, bits, vote_bits
        self.highest = [max(a) + max(b) for a, b in zip(columns(left), columns(right), strict=True)]
        self.packed = Packed(votes, bias, [max(0, top) for top in self.highest])

    def logits(self, x: int, y: int) -> bytes:
        """The logits at (x, y), in slots."""
        return self.packed.combine([h if h > 0 else 0 for h in map(add, self.left[x], self.right[y])])


class Forward:
    """Which answers a float32 forward pass gives in any order of summation, with or without fused multiply-add.

    A dot product of k terms errs by at most gamma_k sum |a_j b_j| + k eta (1 + gamma_k), gamma_k = k u / (1 - k u), u = 2^-24,
    eta = 2^-150 for products that underflow (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., 3.1), which is
    k (sum |a_j b_j| + t) / (2^24 - k) with t = 2^-126. With K terms in a pre-activation p_i whose products have absolute sum A_i,
    and M terms in a logit, relu(p_i) errs by e_i = K (A_i + t) / (2^24 - K) at most, less -p_i when p_i < 0, and logit z by
        E_z = sum_i e_i |U_iz| + M (sum_i (relu(p_i) + e_i) |U_iz| + |b_z| + t) / (2^24 - M)
            = [sum_i c_i |U_iz| + (2^24 - K) M (|b_z| + t)] / ((2^24 - K) (2^24 - M)),
        c_i = 2^24 (2^24 - K) e_i + M (2^24 - K) relu(p_i)      (0 where e_i <= 0: the neuron stays silent).
    ``crude[0][x] + crude[1][y]`` bounds 2 E_z for all z through relu(p_i) <= A_i and the largest |U_iz|. All of these are integers:
    A_i, t and c_i over 2^q, q = max(bits, 126). Nothing overflows where sums of absolute products stay below 2^126.
    """

    def __init__(self, network: Network, left: Rows, right: Rows, bias: Sequence[int], K: int, M: int) -> None:
        lift, votes = max(0, 126 - network.bits), [[*map(abs, row)] for row in network.votes]
        tiny, flat, slope = 1 << network.bits + lift - 126, M * (2**24 - K) << lift, K << 24 + lift
        self.network, self.slopes = network, (2**24 * (2**24 - K) << lift, flat)  # of c_i where p_i <= 0, p_i > 0
        self.scale, floor = (2**24 - K) * (2**24 - M) << lift, K * tiny << 24
        self.left = [[slope * size for size in row] for row in left]
        self.right = [[slope * size + floor for size in row] for row in right]
        base = [(2**24 - K) * M * ((abs(b) << lift) + (tiny << network.vote_bits)) for b in bias]
        sums = [max(a) + max(b) for a, b in zip(columns(left), columns(right), strict=True)]
        self.errors = Packed(votes, base, [(slope + flat) * top + floor for top in sums])
        widest = [max(row) for row in votes]
        crude = [[2 * (slope + flat) * sum(map(mul, row, widest)) for row in side] for side in (left, right)]
        self.crude = crude[0], [value + 2 * (max(base) + floor * sum(widest)) for value in crude[1]]
        reach = max(sum(map(mul, sums, column)) + abs(b) for column, b in zip(columns(votes), bias, strict=True))
        self.overflows = max(sums) >> network.bits >= 2**126 or reach >> network.bits + network.vote_bits >= 2**126

    def firm(self, x: int, y: int, z: int, slots: bytes) -> bool:
        """Whether logit z exceeds every other at (x, y) by more than the errors of both."""
        logits, errors = self.network.packed, self.errors
        if logits.contest(slots, z)[1] * self.scale > self.crude[0][x] + self.crude[1][y]:
            return True
        pre, bounds = map(add, self.network.left[x], self.network.right[y]), map(add, self.left[x], self.right[y])
        found = errors.combine(max(0, bound + p * self.slopes[p > 0]) for bound, p in zip(bounds, pre, strict=True))
        low = logits.number(slots, z) * self.scale - errors.number(found, z)
        return all(w == z or low > logits.number(slots, w) * self.scale + errors.number(found, w) for w in range(errors.columns))


TRIVIAL = {0: 1}  # the trivial group with its character


def permutation(text: str, degree: int) -> bytes:
    """Images on 0, 1, ... of a permutation in cycle notation on 1, 2, ...: disjoint cycles, or () for the identity."""
    cycles = [[int(point) - 1 for point in cycle.split()] for cycle in re.findall(r"\(([0-9 ]*)\)", text)]
    points = [point for cycle in cycles for point in cycle]
    plain = re.fullmatch(r"\(\)|(\([0-9]{1,3}( [0-9]{1,3})+\))+", text)
    if not 0 < degree < 256 or not plain or len({*points}) < len(points) or not {*points} <= {*range(degree)}:
        raise Malformed(f"expected disjoint cycles on 1 to {degree}, at most 255, got {SHOW.repr(text)}")
    moved = {here: there for cycle in cycles for here, there in zip(cycle, cycle[1:] + cycle[:1], strict=True)}
    return bytes(moved.get(point, point) for point in range(degree))


def closure(generators: list[bytes], degree: int) -> set[bytes]:
    """All products of the generators; x * y is x first, then y."""
    known = {*(queue := [bytes(range(degree))])}
    for element in queue:
        new = {element.translate(images + bytes(256 - degree)) for images in generators} - known
        queue += new
        known |= new
        need(len(known) <= 10_000, "expected a group of at most 10,000 elements, got more")
    return known


class Group:
    """A permutation group from its generators: elements in lexicographic order, and mul[x][y], x first, then y."""

    def __init__(self, record: Any) -> None:
        self.degree, generators = record["degree"], [permutation(text, record["degree"]) for text in record["generators"]]
        elements = sorted(closure(generators, self.degree))
        same("group.order", record["order"], len(elements))
        self.number = {images: k for k, images in enumerate(elements)}
        tables = [images + bytes(256 - self.degree) for images in elements]
        self.mul = mul = [[self.number[x.translate(table)] for table in tables] for x in elements]
        self.everything = everything = list(range(len(elements)))
        latin = all(sorted(line) == everything for line in [*mul, *columns(mul)])
        light = all(mul[a[g]] == [a[b] for b in mul[g]] for g in map(self.number.__getitem__, generators) for a in mul)
        same("group, axioms", True, latin and light and mul[0] == everything == [row[0] for row in mul])
        if symmetric := re.fullmatch("([SA])([0-9]{1,2})", record["name"]):  # which order and degree determine
            order = max(1, math.factorial(int(symmetric[2])) // (1 + (symmetric[1] == "A")))
            same(f"degree, order of {record['name']}", [record["degree"], record["order"]], [int(symmetric[2]), order])

    def subgroup(self, record: Any) -> list[int]:
        """Numbers of the elements of the subgroup that the generators generate."""
        found = closure([permutation(text, self.degree) for text in record["generators"]], self.degree)
        same(f"order of the subgroup {record['name']!r:.300}", record["order"], len(found))
        same(f"elements of the subgroup {record['name']!r:.300} in the group", len(found), len(found & self.number.keys()))
        return sorted(map(self.number.__getitem__, found))

    def cells(self, left: dict[int, int], right: dict[int, int]) -> tuple[int, list[Any]]:
        """Number of double cosets of two subgroups with characters {element: sign}, and [(number, left[h] right[k])] of g = h r k.

        They are numbered by their least elements r; where the signs contradict each other there is no number, and the g get [].
        """
        size, terms = 0, {}  # type: int, dict[int, list[Any]]
        for r in self.everything:
            if r not in terms:
                signs: dict[int, set[int]] = {}
                for (h, s), (k, t) in itertools.product(left.items(), right.items()):
                    signs.setdefault(self.mul[self.mul[h][r]][k], set()).add(s * t)
                clash = any(len(found) > 1 for found in signs.values())
                terms |= {g: [] if clash else [(size, *found)] for g, found in signs.items()}
                size += not clash
        return size, [terms[g] for g in self.everything]

    def form(self, form: Any, subgroups: list[list[int]]) -> tuple[int, list[Any]]:
        """Length of the lists t of a form, and for each g the (index, sign) with f(g) = sum of sign t[index]."""
        on, places, kernels = form["on"], form["subgroups"], form["kernels"] or [None] * len(form["subgroups"])
        arity = len(places) == len(kernels) == {"double cosets": 2, "coset sum": 2, "elements": 0}.get(on, 1)
        need(arity and {*places, *kernels} <= {None, *range(len(subgroups))}, f"expected subgroups that fit, got {form!r:.300}")
        characters = []
        for place, kernel in zip(places, kernels, strict=True):
            members = self.everything if on == "coset matrix" else subgroups[place]
            inside = {*(members if kernel is None else subgroups[kernel])}
            index = 0 if not inside <= {*members} else len(members) // len(inside)
            same(f"index of the kernel of {form!r:.300}", index, 1 if kernel is None else 2)
            characters.append({g: 1 if g in inside else -1 for g in members})
        if on == "coset matrix":
            count, cosets = self.cells(dict.fromkeys(subgroups[places[0]], 1), TRIVIAL)
            first = {cosets[g][0][0]: g for g in reversed(self.everything)}
            moved = ([cosets[self.mul[first[p]][g]][0][0] for p in range(count)] for g in self.everything)
            return count**2, [[(p * count + q, characters[0][g]) for p, q in enumerate(qs)] for g, qs in enumerate(moved)]
        if on == "coset sum":
            (count, right), (more, left) = self.cells(characters[0], TRIVIAL), self.cells(TRIVIAL, characters[1])
            return count + more, [a + [(count + k, sign) for k, sign in b] for a, b in zip(right, left, strict=True)]
        two = {"right cosets": [*characters, TRIVIAL], "left cosets": [TRIVIAL, *characters], "elements": [TRIVIAL] * 2}
        size, terms = self.cells(*two.get(on, characters))
        constant = [(size, 1)] if on in ("right cosets", "left cosets") and kernels[0] is not None else []  # added everywhere
        return size + len(constant), [term + constant for term in terms]


def read_program(program: Any, group: Group, width: int) -> tuple[Network, dict[int, tuple[int, int]]]:
    """The program written out as a network, and where each of the network's neurons is in it: (position, circuit)."""
    bits, n = (program["preactivation_bits"], program["vote_bits"]), len(group.mul)
    if min(bits) < 0 or max(bits) > 4000 or len(program["bias"]) not in (0, n):
        raise Malformed(f"expected bits from 0 to 4,000 and {n} biases or none, got {bits}, {len(program['bias'])}")
    indices = [neuron["index"] for circuit in program["circuits"] for neuron in circuit["neurons"]]
    same("neurons of the program, each once", len(indices), len({*indices} & {*range(width)}))
    subgroups, known = [group.subgroup(record) for record in program["subgroups"]], {}  # type: Any, dict[str, Any]
    functions, where = {part: [] for part in PARTS}, {}  # type: dict[str, Rows], dict[int, tuple[int, int]]
    for number, circuit in enumerate(program["circuits"]):
        for neuron in circuit["neurons"]:
            where[neuron["index"]] = len(where), number
            for part, found in functions.items():
                key = str(circuit[part])
                size, terms = known[key] = known.get(key) or group.form(circuit[part], subgroups)
                same(f"length of {part} of neuron {neuron['index']}", len(neuron[part]), size)
                found.append([sum(sign * neuron[part][k] for k, sign in term) for term in terms])
    left, right = (columns(functions[part]) or [[] for _ in range(n)] for part in ("left", "right"))
    return Network(left, right, functions["votes"], program["bias"] or [0] * n, *bits), where


TASK: list[Any] = []  # network, programs, float32 pass and table of products: what every process works on


def examine(pairs: list[tuple[int, int]]) -> list[Any]:
    """Per pair: x, y, the network's answer, the lead of its right logit, whether it is firm in float32, the programs' answers."""
    results, (network, programs, forward, products) = [], TASK
    for x, y, z in ((x, y, products[x][y]) for x, y in pairs):
        answer, lead = network.packed.contest(slots := network.logits(x, y), z)
        firm = forward is not None and answer == z and forward.firm(x, y, z, slots)
        results.append((x, y, answer, lead, firm, *(program.packed.contest(program.logits(x, y), z)[0] for program in programs)))
    return results


def check_pairs(c: Any, results: list[Any], products: Rows, bits: int) -> None:
    """Q1, Q2 and the program of Q3: counts, statuses, verdict, the pairs looked at, and digests and margin if these are all."""
    q1, pairs, seen = c["correct"], len(products) ** 2, {result[:2] for result in results}
    wrong = [[x, y, a] for x, y, a, *_ in results if a != products[x][y]]
    differ = [[x, y, a, b] for x, y, a, _, _, b, *_ in results if a != b]
    for name, key, good, column, found in (("correct", "wrong", "right", 2, wrong), ("equivalent", "differ", "agree", 5, differ)):
        part, listed = c[name], c[name][key]
        facts = {"pairs": pairs, good: pairs - len(listed), "status": "REFUTED" if listed else "PROVED"}
        same(name, {key: part[key] for key in facts}, facts)
        same(f"{name}.{key}", [entry for entry in listed if (entry[0], entry[1]) in seen or len(seen) == pairs], found)
        digest = hashlib.sha256(struct.pack(f">{len(results)}h", *(result[column] for result in results))).hexdigest()
        same(f"{name}.answers_sha256", part["answers_sha256"], digest if len(seen) == pairs else part["answers_sha256"])
    same("correct.ties", q1["ties"], sum(entry[2] == -1 for entry in q1["wrong"]))
    same("verdict", c["verdict"], "REFUTED" if q1["wrong"] or c["equivalent"]["differ"] else "VERIFIED")
    right, status = all(last == products[x][y] for x, y, *_, last in results), c["symbolic"]["status"]  # of the program of Q3
    false = "PROVED" if not right else "REFUTED" if len(seen) == pairs else ""
    same("symbolic.status", status, status if status != false else f"program right: {right}")
    if len(seen) < pairs:
        return
    lowest = min(((lead, x, y) for x, y, a, lead, *_ in results if a == products[x][y]), default=None)
    same("correct.min_margin", q1["min_margin"], lowest and str(Fraction(lowest[0], 1 << bits)))
    same("correct.min_margin_pair", q1["min_margin_pair"], lowest and list(lowest[1:]))
    stated, firm = q1["float32_any_order"], sum(result[4] for result in results)
    fine = stated is not None and 0 <= stated <= firm if c["checkpoint"]["float32_forward"] else stated is None
    same("correct.float32_any_order", stated, stated if fine else f"at most {firm}, or null")


def check_neurons(records: Any, network: Network, program: Network, where: dict[int, tuple[int, int]]) -> Network:
    """The program, when each neuron's circuit and deviations from it are as stated, and dead ones can change no answer."""
    same("neurons", [record["index"] for record in records], list(range(len(network.votes))))
    sides = [(columns(net.left), columns(net.right), net.votes) for net in (network, program)]
    for i, record in enumerate(records):
        k, circuit = where.get(i, (None, None))
        same(f"neurons[{i}].circuit", record["circuit"], circuit)
        for part, a, b, p, q in zip(PARTS, *sides, network.scales, program.scales, strict=True):
            gaps = [] if k is None else [abs((u << max(0, q - p)) - (v << max(0, p - q))) for u, v in zip(a[i], b[k], strict=True)]
            found = str(Fraction(max(gaps), 1 << max(p, q))) if gaps else None
            same(f"neurons[{i}].{part}_deviation", record[f"{part}_deviation"], found)
        alive = network.highest[i] > 0 and len({*network.votes[i]}) > 1
        same(f"neurons[{i}].kind", record["kind"], "alive" if alive and record["kind"] == "dead" else record["kind"])
    return program


def check_proofs(c: Any, folder: Path) -> None:
    """Q3 and Q4: that what is stated fits together, and that obligations beside the certificate are those stated."""
    symbolic, compact = c["symbolic"], c["compact"]
    proved = {part["status"] for part in symbolic["obligations"] if part["id"][:2] == "O1" or part["status"] != "PROVED"} == {"PROVED"}
    same("symbolic.status", symbolic["status"], symbolic["status"] if proved or symbolic["status"] != "PROVED" else "UNKNOWN")
    for obligation in symbolic["obligations"]:
        path = folder / obligation["file"]
        need(bool(re.fullmatch(r"\w[\w.-]*/\w[\w.-]*", obligation["file"])), f"expected FOLDER/FILE, got {obligation['file']!r:.300}")
        if path.parent.is_dir():
            same(obligation["file"], obligation["sha256"], path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest())
    if compact:
        sums = [sum(strategy[key] for strategy in compact["strategies"]) for key in ("certified", "flops")]
        same("compact (certified, flops)", [compact["certified"], compact["flops"]], sums)
        status = "PROVED" if compact["certified"] == c["correct"]["pairs"] else "UNKNOWN"
        same("compact.status", compact["status"], "REFUTED" if c["correct"]["status"] == "REFUTED" else status)
        parts = [part[key] for part in (compact, *compact["strategies"]) for key in ("certified", "flops")]
        same("compact, in bounds", min(compact["flops_brute"], *parts) >= 0 and compact["certified"] <= c["correct"]["right"], True)


def check(c: Any, checkpoint: bytes, folder: Path, sample: int | None, seed: int, jobs: int) -> str:
    """The line for stdout; raises Differs or Malformed where something does not hold."""
    fits(c, CERTIFICATE, "certificate")
    blank = json.dumps({**c, "sha256": ""}, ensure_ascii=False, separators=(",", ":")).encode(errors="surrogatepass")
    same("digest of the certificate", c["sha256"], hashlib.sha256(blank).hexdigest())
    same("checkpoint.sha256", c["checkpoint"]["sha256"], hashlib.sha256(checkpoint).hexdigest())
    network, forward = read_network(checkpoint, c["checkpoint"])
    same("group.order", c["group"]["order"], n := len(network.left))
    group, programs = Group(c["group"]), []
    for part in filter(None, (c, c["symbolic"]["provable"])):
        same("group of the program", c["group"], part["program"]["group"])
        programs.append(check_neurons(part["neurons"], network, *read_program(part["program"], group, len(network.votes))))
    check_proofs(c, folder)
    pairs = [(x, y) for x in range(n) for y in range(n)]
    pairs = pairs if sample is None else sorted(random.Random(seed).sample(pairs, min(sample, n * n)))
    TASK[:] = network, programs, forward, group.mul
    parts = [pairs[k : k + n] for k in range(0, len(pairs), n)]
    found = map(examine, parts) if jobs == 1 else multiprocessing.get_context("fork").Pool(jobs).imap(examine, parts)
    check_pairs(c, [result for part in found for result in part], group.mul, network.bits + network.vote_bits)
    print(f"looked at {len(pairs)} of the {n * n} pairs of {c['group']['name']}", file=sys.stderr)
    return "s SAMPLED" if sample is not None else "s VERIFIED" if c["verdict"] == "VERIFIED" else "s CONFIRMED REFUTED"


def main(arguments: Sequence[str] | None = None) -> int:
    """Check one certificate; the exit code is that of the module's docstring."""
    parser = argparse.ArgumentParser(description="Redo what a certificate states, from the checkpoint alone.")
    parser.add_argument("certificate", type=Path)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--sample", type=int, help="look at this many pairs only; never s VERIFIED")
    parser.add_argument("--seed", type=int, default=0, help="which pairs these are")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    options = parser.parse_args(arguments)
    try:
        certificate, checkpoint = parse_json(options.certificate.read_bytes()), options.checkpoint.read_bytes()
        line = check(certificate, checkpoint, options.certificate.parent, options.sample, options.seed, options.jobs)
    except (Differs, Malformed, OSError) as error:
        print(error, file=sys.stderr)
        line = "s NOT VERIFIED" if isinstance(error, Differs) else "s MALFORMED"
    print(line)
    return {"s VERIFIED": 0, "s SAMPLED": 3, "s MALFORMED": 4}.get(line, 1)


if __name__ == "__main__":
    sys.exit(main())
