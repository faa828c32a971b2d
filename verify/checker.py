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

Not redone: the solver's answers to the obligations of Q3, and which pairs the compact proof of Q4 covers. They are
held against everything that was redone, and no verdict rests on them (docs/trust.md).
"""

import argparse
import hashlib
import io
import json
import math
import multiprocessing
import pickletools
import random
import re
import struct
import sys
import zipfile
from collections.abc import Iterable, Sequence
from fractions import Fraction
from operator import add, mul
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

Rows = list[list[int]]
LINES = {"s VERIFIED": 0, "s CONFIRMED REFUTED": 1, "s NOT VERIFIED": 1, "s SAMPLED": 3, "s MALFORMED": 4}


class Malformed(Exception):  # noqa: N818 - says what the file is
    """A file that is not what it should be."""


class Differs(Exception):  # noqa: N818 - says what the two values do
    """A statement of the certificate that does not hold."""


def shown(value: Any) -> str:
    """A value, cut to a readable length."""
    return text if len(text := repr(value)) < 300 else text[:300] + "..."


def same(what: str, stated: Any, found: Any) -> None:
    """Raise Differs unless the certificate states what was found."""
    if type(stated) is not type(found) or stated != found:
        raise Differs(f"{what}: the certificate states {shown(stated)}, the checker finds {shown(found)}")


# ------------------------------------------------------------------------------------------- the certificate
#: shapes of JSON values: a type, a set of words, [item], (item, item), {key: value}, (None, value or null)
# fmt: off
STATUS = {"PROVED", "REFUTED", "UNKNOWN"}
ON = {"right cosets", "left cosets", "double cosets", "coset matrix", "elements"}
FORM = {"on": ON, "subgroups": [int], "kernels": [(None, int)]}
NEURON = {"index": int, "left": [int], "right": [int], "votes": [int]}
GROUP = {"name": str, "degree": int, "order": int, "generators": [str]}
PROGRAM = {
    "format": {"coset-voting program 1"}, "group": GROUP, "preactivation_bits": int, "vote_bits": int,
    "bias": [int], "subgroups": [{"name": str, "order": int, "generators": [str]}],
    "circuits": [{"left": FORM, "right": FORM, "votes": FORM, "neurons": [NEURON]}]}
CHECKPOINT = {
    "sha256": str, "format": str, "order": {"lexicographic", "even-first", "sympy", "table"}, "numbering": [int],
    "product": {"left-first", "right-first"}, "width": int, "parameters": int, "float32_forward": bool}
RECORD = {
    "index": int, "kind": {"coset", "twisted", "dual", "sign", "raw", "dead"}, "circuit": (None, int),
    "left_deviation": (None, str), "right_deviation": (None, str), "votes_deviation": (None, str)}
CORRECT = {
    "status": STATUS, "pairs": int, "right": int, "ties": int, "wrong": [(int, int, int)], "answers_sha256": str,
    "min_margin": (None, str), "min_margin_pair": (None, (int, int)), "float32_any_order": (None, int)}
EQUIVALENT = {
    "status": STATUS, "pairs": int, "agree": int, "differ": [(int, int, int, int)], "answers_sha256": str}
OBLIGATION = {"id": str, "statement": str, "status": STATUS, "file": str, "sha256": str}
COMPACT = {
    "status": STATUS, "certified": int, "flops": int, "flops_brute": int,
    "strategies": [{"name": str, "certified": int, "flops": int}]}
CERTIFICATE = {
    "format": {"coset-verify certificate 1"}, "verdict": {"VERIFIED", "REFUTED", "UNKNOWN"}, "group": GROUP,
    "checkpoint": CHECKPOINT, "program": PROGRAM, "neurons": [RECORD], "correct": CORRECT,
    "equivalent": EQUIVALENT, "symbolic": {"status": STATUS, "reason": str, "obligations": [OBLIGATION]},
    "compact": (None, COMPACT), "versions": dict, "sha256": str}
# fmt: on


def fits(value: Any, spec: Any, where: str) -> None:
    """Raise Malformed unless the value has exactly this shape; nothing is left out and nothing added."""
    if isinstance(spec, tuple) and spec[0] is None:
        return None if value is None else fits(value, spec[1], where)
    kind = spec if isinstance(spec, type) else {set: str, tuple: list}.get(type(spec), type(spec))
    if type(value) is not kind or (isinstance(spec, set) and value not in spec):
        raise Malformed(f"{where}: expected {shown(spec)}, got {shown(value)}")
    if (isinstance(spec, dict) and value.keys() != spec.keys()) or (isinstance(spec, tuple) and len(value) != len(spec)):
        raise Malformed(f"{where}: expected exactly {shown(spec)}, got {shown(value)}")
    for key in value if kind is dict else range(len(value)) if kind is list else ():
        fits(value[key], str if spec is dict else spec[0] if isinstance(spec, list) else spec[key], f"{where}.{key}")
    return None


def parse_json(data: bytes) -> Any:
    """A JSON value whose objects have each key once."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) != len(pairs):
            raise ValueError(f"a key twice in {shown([key for key, _ in pairs])}")
        return dict(pairs)

    try:
        return json.loads(data.decode(), object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"expected JSON in UTF-8, got: {error}") from None


def read_certificate(data: bytes) -> Any:
    """The certificate: of the right shape, and with the digest that it states of all the rest of itself."""
    fits(certificate := parse_json(data), CERTIFICATE, "certificate")
    blank = json.dumps({**certificate, "sha256": ""}, ensure_ascii=False, separators=(",", ":"))
    found = hashlib.sha256(blank.encode(errors="surrogatepass")).hexdigest()
    same("digest of the certificate", certificate["sha256"], found)
    return certificate


# ------------------------------------------------------------------------------------------- the checkpoint
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


class Tensor(NamedTuple):
    """Numbers of one type in a stretch of bytes; entry (i, j) is number offset + i strides[0] + j strides[1]."""

    kind: str
    data: bytes
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def matrix(self) -> Matrix:
        """The numbers as they are; a vector is one row, and a leading dimension of 1 is left out."""
        shape, strides = ((s[1:] if self.shape[:1] == (1,) else s) for s in (self.shape, self.strides))
        size, code = NUMBERS[self.kind]
        (rows, columns), (down, across) = (1, *shape)[-2:], (0, *strides)[-2:]
        used = self.offset + (rows - 1) * down + (columns - 1) * across + 1
        if len(shape) not in (1, 2) or not 0 < rows * columns <= used <= len(self.data) // size:
            raise Malformed(f"expected a vector or a matrix with each number stored, got shape {shape[:4]}")
        stored = struct.unpack_from(f"<{used}{code}", self.data)
        if self.kind == "BF16":
            stored = struct.unpack(f"<{used}f", struct.pack(f"<{used}I", *(word << 16 for word in stored)))
        places = (self.offset + i * down + j * across for i in range(rows) for j in range(columns))
        ratios = [stored[place].as_integer_ratio() for place in places]  # raises for NaN and infinity
        bits = max(q.bit_length() for _, q in ratios) - 1
        exact = [p << bits + 1 - q.bit_length() for p, q in ratios]
        odd = ((abs(p) // max(1, p & -p), p.bit_length(), q.bit_length()) for p, q in ratios)
        narrow = all(o.bit_length() <= 24 and q <= 150 and p - q < 128 for o, p, q in odd)
        return Matrix([exact[i : i + columns] for i in range(0, len(exact), columns)], bits, narrow)


def read_safetensors(data: bytes) -> tuple[dict[str, Tensor], Any]:
    """The tensors and our record of them: a length, a JSON header, and the numbers without gaps or overlaps."""
    start = end = 8 + int.from_bytes(data[:8], "little")
    header = parse_json(data[8:start])
    fits(metadata := header.pop("__metadata__", {}), dict, "metadata")
    entry_shape = {"dtype": set(NUMBERS), "shape": [int], "data_offsets": (int, int)}
    fits(header, {name: entry_shape for name in header}, "header")
    tensors = {}
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        shape, (begin, stop) = tuple(entry["shape"]), entry["data_offsets"]
        size = NUMBERS[entry["dtype"]][0] * math.prod(shape)
        if start + begin != end or stop - begin != size or min(shape, default=0) < 0:
            raise Malformed(f"expected tensors one after the other, got {name[:40]} at {begin} to {stop}")
        end += size
        strides = tuple(math.prod(shape[i + 1 :]) for i in range(len(shape)))
        tensors[name] = Tensor(entry["dtype"], data[end - size : end], 0, shape, strides)
    if end != len(data):
        raise Malformed(f"expected {end} bytes of safetensors, got {len(data)}")
    return tensors, parse_json(metadata.get("coset-verify", "{}").encode())


def read_torch(data: bytes) -> tuple[dict[str, Tensor], Any]:
    """The tensors that `torch.save` wrote (a pickle that names them, one member per storage), and what lay beside."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        infos = archive.infolist()
        plain = all(info.compress_type == zipfile.ZIP_STORED for info in infos)
        if not plain or sum(info.file_size for info in infos) > len(data) or len({*archive.namelist()}) < len(infos):
            raise Malformed("expected members stored once and as they are, got compressed or overlapping ones")
        members = {info.filename: archive.read(info) for info in infos}
    (pickled,) = (name for name in members if name.endswith("data.pkl"))
    root = pickled.removesuffix("data.pkl")
    if members.get(root + "byteorder", b"little") != b"little":
        raise Malformed("expected little-endian numbers, got others")
    state = unpickle(members[pickled], {name.removeprefix(root + "data/"): members[name] for name in members})
    outer, state = (state, state["model"]) if "model" in state else ({}, state)
    if any(type(name) is not str or type(value) is not Tensor for name, value in state.items()):
        raise Malformed("expected a dictionary of named tensors, got something else in the pickle")
    return state, outer


LITERALS = {"BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE", "GLOBAL"}  # a name stays a name
FRESH: dict[str, Any] = {"EMPTY_LIST": list, "EMPTY_DICT": dict, "EMPTY_TUPLE": tuple, "NEWFALSE": bool}
FRESH |= {"NONE": lambda: None, "NEWTRUE": lambda: True}
#: how many items an opcode takes from the stack (-1: all down to the mark)
TAKES = {"TUPLE": -1, "TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3, "APPEND": 1, "APPENDS": -1, "SETITEM": 2, "SETITEMS": -1}
TAKES |= {"BINPERSID": 1, "REDUCE": 2, "BUILD": 1}


def unpickle(pickled: bytes, storages: dict[str, bytes]) -> Any:
    """What a pickle of dictionaries, lists, numbers and tensors means.

    A stack machine for the opcodes that a state dict needs: it builds containers and tensors, looks up and calls
    nothing that the pickle names, refuses every other opcode, and takes memory in proportion to the pickle's length.
    """
    stack, marks, memo = [], [], {}  # type: list[Any], list[int], dict[Any, Any]
    for code, argument, _ in pickletools.genops(pickled):
        op = code.name
        start = len(stack) if op not in TAKES else marks.pop() if TAKES[op] < 0 else len(stack) - TAKES[op]
        items = stack[start:]
        del stack[start:]
        if op in LITERALS:
            stack.append(argument)
        elif op in FRESH:
            stack.append(FRESH[op]())
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
        elif op == "BINPERSID":
            _, kind, key, *_ = items[0]
            stack.append((STORAGES[kind.removeprefix("torch ")], storages[key]))
        elif op == "REDUCE" and items == ["collections OrderedDict", ()]:
            stack.append({})
        elif op == "REDUCE" and items[0] == "torch._utils _rebuild_tensor_v2":
            (kind, data), offset, shape, strides, *_ = items[1]
            if len(shape) != len(strides) or any(type(k) is not int or k < 0 for k in (offset, *shape, *strides)):
                raise Malformed("expected a tensor with offset, shape and strides, got another")
            stack.append(Tensor(kind, data, offset, shape, strides))
        elif op not in ("PROTO", "STOP", "BUILD"):  # BUILD sets attributes, which no weight depends on
            raise Malformed(f"expected a pickle of tensors and nothing else, got {op} {items[:1] if op == 'REDUCE' else ''}")
    return stack.pop()


#: per layout: what its tensors are; W is both halves of the hidden layer's matrix, ^T is transposed
LAYOUTS = {
    "folded": {"L": "left", "R": "right", "U": "votes", "b": "bias"},
    "chughtai": {"W_x": "left", "W_y": "right", "W": "W", "W_U": "votes", "b": "after relu", "b_U": "bias"},
    "sn-grok": {"lembed.weight": "left", "rembed.weight": "right", "linear.weight": "W^T"}
    | {"unembed.weight": "votes^T", "unembed.bias": "bias"},
    "wu": {"embedding_left": "left", "embedding_right": "right", "linear_left": "upper", "linear_right": "lower"}
    | {"unembedding": "votes", "unembed_bias": "bias"},
}


def read_layers(data: bytes) -> tuple[dict[str, Any], dict[str, Matrix]]:
    """Facts (layout, width, parameters), and the matrices left, right, votes, perhaps upper, lower, biases."""
    tensors, beside = read_torch(data) if data[:4] == b"PK\x03\x04" else read_safetensors(data)
    config = beside.get("config") or {}
    if any((config.get(key) or "relu") != "relu" for key in ("act_fn", "activation", "act")):
        raise Malformed("expected a network with relu, got another activation in its settings")
    layout = next((name for name, roles in LAYOUTS.items() if set(tensors) <= set(roles)), None)
    if layout is None:
        raise Malformed(f"expected the tensors of a network in a known layout, got {shown(sorted(tensors))}")
    m = {LAYOUTS[layout][name]: tensor.matrix() for name, tensor in tensors.items()}
    parameters = sum(len(matrix.rows) * len(matrix.rows[0]) for matrix in m.values())
    for role in {"W^T", "votes^T"} & m.keys():
        m[role[:-2]] = m[role]._replace(rows=columns(m.pop(role).rows))
    if "W" in m:
        d, W = len(m["left"].rows[0]), m.pop("W")
        m |= {"upper": W._replace(rows=W.rows[:d]), "lower": W._replace(rows=W.rows[d:])}
    layout = "coset-verify network 1" if beside.get("format") == "coset-verify network 1" else layout
    return {"format": layout, "width": len(m["votes"].rows), "parameters": parameters}, m


def read_network(data: bytes, record: Any) -> tuple["Network", "Forward | None"]:
    """The network in a checkpoint, folded and in the group's numbering, and its float32 pass where there is one."""
    try:
        facts, m = read_layers(data)
        n, width = len(m["left"].rows), facts["width"]
        sides = [fold(m["left"], m.get("upper")), fold(m["right"], m.get("lower"))]
        bias, after = m.get("bias", Matrix([[0] * n], 0)), m.get("after relu", Matrix([[0] * width], 0))
        through = fold(after, m["votes"])[0]
        bits = max(side.bits for side, _ in sides)
        vote_bits = max(m["votes"].bits, bias.bits - bits, through.bits - bits)
        votes, total = m["votes"].at(vote_bits), [*map(add, through.at(bits + vote_bits)[0], bias.at(bits + vote_bits)[0])]
        tables = [[side.at(bits), sizes.at(bits)] for side, sizes in sides]
        lengths = {len(rows) for pair in tables for rows in pair} | {len(row) for row in [*votes, total]}
        if lengths != {n} or {len(row) for pair in tables for rows in pair for row in rows} != {width} or n < 2:
            raise Malformed(f"expected matrices for {n} elements and {width} neurons, got others")
    except Malformed:
        raise
    except Exception as error:  # a damaged file goes wrong in every way there is
        raise Malformed(f"expected a checkpoint, got: {type(error).__name__}: {error}") from None
    for key, value in facts.items():
        same(f"checkpoint.{key}", record[key], value)
    numbering, in_order = record["numbering"], list(range(n))
    same("checkpoint.numbering, sorted", sorted(numbering), in_order)
    same("checkpoint.numbering", numbering, in_order if record["order"] == "lexicographic" else numbering)
    places = sorted(in_order, key=numbering.__getitem__)
    tables = [[[rows[k] for k in places] for rows in pair] for pair in tables]
    (L, L_sizes), (R, R_sizes) = tables if record["product"] == "left-first" else tables[::-1]
    total = [total[k] for k in places]
    network = Network(L, R, [[row[k] for k in places] for row in votes], total, bits, vote_bits)
    forward = None
    if "after relu" not in m and all(matrix.narrow for matrix in m.values()):
        K = sum(len(m[side].rows[0]) if "upper" in m else 1 for side in ("left", "right"))
        forward = Forward(network, L_sizes, R_sizes, total, K, width + ("bias" in m))
    forward = forward if forward and not forward.overflows else None
    same("checkpoint.float32_forward", record["float32_forward"], forward is not None)
    return network, forward


# ------------------------------------------------------------------------------------------- exact arithmetic
class Packed:
    """Sums of rows of integers, each row packed into one big integer so that one product multiplies a whole row.

    The row (u_0, u_1, ...) becomes sum_j u_j 2^(s j) (Kronecker substitution), so base + sum_i c_i row_i holds
    base_j + sum_i c_i u_ij in its slot j once 2^(s-1) is added to each slot against negative numbers, provided that
    |base_j| + sum_i |c_i| |u_ij| < 2^(s-1). ``reach`` bounds that sum through the ``largest`` |c_i|; s is a multiple
    of 64, and everything is multiplied by 2^spare so that the highest 64 bits of a slot say as much as they can.
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
        best = max(self.number(slots, j) for j in rivals)
        gap = self.number(slots, z) - best
        winners = [z] * (gap >= 0) + [j for j in rivals if gap <= 0 and self.number(slots, j) == best]
        return (winners[0] if len(winners) == 1 else -1), gap


def dot(a: Iterable[int], b: Iterable[int]) -> int:
    """sum_i a_i b_i."""
    return sum(map(mul, a, b))


def absolute(rows: Rows) -> Rows:
    """The absolute values."""
    return [[abs(value) for value in row] for row in rows]


def columns(rows: Sequence[Sequence[int]]) -> Rows:
    """The columns of a matrix."""
    return [list(column) for column in zip(*rows, strict=True)]


def product(a: Rows, b: Rows) -> Rows:
    """The product of two matrices."""
    packed = Packed(b, [0] * len(b[0]), [max(map(abs, column)) for column in columns(a)])
    return [[packed.number(slots, j) for j in range(packed.columns)] for slots in map(packed.combine, a)]


def fold(a: Matrix, b: Matrix | None) -> tuple[Matrix, Matrix]:
    """The product of two matrices, and that of their absolute values; a alone where there is no b."""
    if b is None:
        return a, a._replace(rows=absolute(a.rows))
    sizes = product(absolute(a.rows), absolute(b.rows))
    return Matrix(product(a.rows, b.rows), a.bits + b.bits), Matrix(sizes, a.bits + b.bits)


class Network:
    """logits(x, y)[z] = sum_i relu(left[x][i] + right[y][i]) votes[i][z] + bias[z], in the group's numbering.

    left and right are integers over 2^bits, votes over 2^vote_bits, the bias over 2^(bits + vote_bits).
    """

    def __init__(self, left: Rows, right: Rows, votes: Rows, bias: Sequence[int], bits: int, vote_bits: int) -> None:
        self.left, self.right, self.votes, self.bits, self.vote_bits = left, right, votes, bits, vote_bits
        self.bits3 = bits, bits, vote_bits  # of left, right and votes
        self.highest = [max(a) + max(b) for a, b in zip(columns(left), columns(right), strict=True)]
        self.packed = Packed(votes, bias, [max(0, top) for top in self.highest])

    def logits(self, x: int, y: int) -> bytes:
        """The logits at (x, y), in slots."""
        return self.packed.combine([h if h > 0 else 0 for h in map(add, self.left[x], self.right[y])])


class Forward:
    """Which answers a float32 forward pass gives in any order of summation, with or without fused multiply-add.

    A dot product of k terms errs by at most gamma_k sum |a_j b_j| + k eta (1 + gamma_k), gamma_k = k u / (1 - k u),
    u = 2^-24, eta = 2^-150 for products that underflow (Higham, Accuracy and Stability of Numerical Algorithms, 2nd
    ed., 3.1), which is k (sum |a_j b_j| + t) / (2^24 - k) with t = 2^-126. With K terms in a pre-activation p_i whose
    products have absolute sum A_i, and M terms in a logit, relu(p_i) errs by e_i = K (A_i + t) / (2^24 - K) at most,
    less -p_i when p_i < 0, and the logit of z by
        E_z = sum_i e_i |U_iz| + M (sum_i (relu(p_i) + e_i) |U_iz| + |b_z| + t) / (2^24 - M)
            = [sum_i c_i |U_iz| + (2^24 - K) M (|b_z| + t)] / ((2^24 - K) (2^24 - M)),
        c_i = 2^24 (2^24 - K) e_i + M (2^24 - K) relu(p_i)      (0 where e_i <= 0: the neuron stays silent).
    ``crude[x][0] + crude[y][1]`` bounds 2 E_z for all z through relu(p_i) <= A_i and the largest |U_iz|.
    All of these are integers: A_i, t and c_i over 2^q, q = max(bits, 126).
    """

    def __init__(self, network: Network, left: Rows, right: Rows, bias: Sequence[int], K: int, M: int) -> None:
        lift, votes = max(0, 126 - network.bits), absolute(network.votes)
        tiny, flat, slope = 1 << network.bits + lift - 126, M * (2**24 - K) << lift, K << 24 + lift
        self.network, self.slopes = network, (2**24 * (2**24 - K) << lift, flat)  # of c_i where p_i <= 0, p_i > 0
        self.scale, floor = (2**24 - K) * (2**24 - M) << lift, K * tiny << 24
        self.left = [[slope * size for size in row] for row in left]
        self.right = [[slope * size + floor for size in row] for row in right]
        base = [(2**24 - K) * M * ((abs(b) << lift) + (tiny << network.vote_bits)) for b in bias]
        sums = [max(a) + max(b) for a, b in zip(columns(left), columns(right), strict=True)]
        self.errors = Packed(votes, base, [(slope + flat) * top + floor for top in sums])
        widest = [max(row) for row in votes]
        crude = [[2 * (slope + flat) * dot(row, widest) for row in side] for side in (left, right)]
        self.crude = crude[0], [value + 2 * (max(base) + floor * sum(widest)) for value in crude[1]]
        limit = 1 << 126 + network.bits  # sums of absolute products that stay below it overflow in no order
        reach = max(dot(sums, column) + abs(b) for column, b in zip(columns(votes), bias, strict=True))
        self.overflows = max(sums) >= limit or reach >= limit << network.vote_bits

    def firm(self, x: int, y: int, z: int, slots: bytes) -> bool:
        """Whether logit z exceeds every other at (x, y) by more than the errors of both."""
        logits, errors = self.network.packed, self.errors
        if logits.contest(slots, z)[1] * self.scale > self.crude[0][x] + self.crude[1][y]:
            return True
        pre = map(add, self.network.left[x], self.network.right[y])
        bounds = map(add, self.left[x], self.right[y])
        found = errors.combine(max(0, bound + p * self.slopes[p > 0]) for bound, p in zip(bounds, pre, strict=True))
        low = logits.number(slots, z) * self.scale - errors.number(found, z)
        others = (w for w in range(errors.columns) if w != z)
        return all(low > logits.number(slots, w) * self.scale + errors.number(found, w) for w in others)


# ------------------------------------------------------------------------------------------- groups and programs
Terms = list[list[tuple[int, int]]]
TRIVIAL = {0: 1}


def permutation(text: str, degree: int) -> bytes:
    """Images on 0, 1, ... of a permutation in cycle notation on 1, 2, ...: disjoint cycles, or () for the identity."""
    cycles = [[int(point) - 1 for point in cycle.split()] for cycle in re.findall(r"\(([0-9 ]*)\)", text)]
    points = [point for cycle in cycles for point in cycle]
    plain = re.fullmatch(r"\(\)|(\([0-9]{1,3}( [0-9]{1,3})+\))+", text)
    if not plain or len({*points}) < len(points) or not {*points} <= {*range(degree)}:
        raise Malformed(f"expected disjoint cycles on 1 to {degree}, got {shown(text)}")
    moved = {here: there for cycle in cycles for here, there in zip(cycle, cycle[1:] + cycle[:1], strict=True)}
    return bytes(moved.get(point, point) for point in range(degree))


def closure(generators: list[bytes], degree: int) -> set[bytes]:
    """All products of the generators; x * y is x first, then y."""
    known = {bytes(range(degree))}
    queue = list(known)
    for element in queue:
        new = {element.translate(images + bytes(256 - degree)) for images in generators} - known
        queue += new
        known |= new
        if len(known) > 10_000:
            raise Malformed("expected a group of at most 10,000 elements, got more")
    return known


class Group:
    """A permutation group from its generators: elements in lexicographic order, and mul[x][y], x first, then y."""

    def __init__(self, record: Any) -> None:
        self.degree = record["degree"]
        if not 1 <= self.degree <= 255:
            raise Malformed(f"expected a degree from 1 to 255, got {self.degree}")
        generators = [permutation(text, self.degree) for text in record["generators"]]
        elements = sorted(closure(generators, self.degree))
        same("group.order", record["order"], len(elements))
        self.number = {images: k for k, images in enumerate(elements)}
        tables = [images + bytes(256 - self.degree) for images in elements]
        self.mul = mul = [[self.number[x.translate(table)] for table in tables] for x in elements]
        self.everything = everything = list(range(len(elements)))
        latin = all(sorted(line) == everything for line in [*mul, *columns(mul)])
        light = all(mul[a[g]] == [a[b] for b in mul[g]] for g in map(self.number.__getitem__, generators) for a in mul)
        if not (latin and light and mul[0] == everything == [row[0] for row in mul]):
            raise Differs("group: the table of products does not satisfy the axioms of a group")
        self.check_name(record, generators)

    def check_name(self, record: Any, generators: list[bytes]) -> None:
        """S5, A5, C7, D10 (of order 10), products such as S3xS3, or the generators themselves."""
        order, start, factors = 1, 0, record["name"].split("x")
        if record["name"] == ", ".join(record["generators"]):
            return
        if not all(re.fullmatch("[SACD][1-9][0-9]{0,2}", factor) for factor in factors):
            raise Malformed(f"expected a group such as S6, A5, C7, D10 or S3xS3, got {shown(record['name'])}")
        for kind, n in ((factor[0], int(factor[1:]) // (1 + (factor[0] == "D"))) for factor in factors):
            order *= {"S": math.factorial(n), "A": max(1, math.factorial(n) // 2), "C": n, "D": 2 * n}[kind]
            for p in ([point - start for point in images[start : start + n]] for images in generators):
                even = sum(p[i] > p[j] for j in range(len(p)) for i in range(j)) % 2 == 0
                steps = {(b - a) % n for a, b in zip(p, p[1:] + p[:1], strict=True)}
                inside = {"S": True, "A": even, "C": steps == {1 % n}, "D": steps in ({1}, {n - 1})}[kind]
                if sorted(p) != list(range(n)) or not inside:
                    raise Differs(f"group.name: the certificate states {record['name']}, a generator is not in it")
            start += n
        same(f"degree and order of {record['name']}", [record["degree"], record["order"]], [start, order])

    def subgroup(self, record: Any) -> list[int]:
        """Numbers of the elements of the subgroup that the generators generate."""
        found = closure([permutation(text, self.degree) for text in record["generators"]], self.degree)
        if not found <= self.number.keys():
            raise Differs(f"subgroup: the certificate states {shown(record)}, with elements outside of the group")
        same(f"order of the subgroup {shown(record['name'])}", record["order"], len(found))
        return sorted(map(self.number.__getitem__, found))

    def cells(self, left: dict[int, int], right: dict[int, int]) -> tuple[int, Terms]:
        """Double cosets of two subgroups with characters {element: +1 or -1}, numbered by their least elements.

        How many there are, and for each g = h r k, r least, [(number, left[h] right[k])]; a double coset on which
        these signs contradict each other has no number, and its elements get [].
        """
        size, terms = 0, {}  # type: int, dict[int, list[tuple[int, int]]]
        for r in self.everything:
            if r not in terms:
                signs: dict[int, set[int]] = {}
                for h, s in left.items():
                    for k, t in right.items():
                        signs.setdefault(self.mul[self.mul[h][r]][k], set()).add(s * t)
                clash = any(len(found) > 1 for found in signs.values())
                terms |= {g: [] if clash else [(size, *found)] for g, found in signs.items()}
                size += not clash
        return size, [terms[g] for g in self.everything]

    def form(self, form: Any, subgroups: list[list[int]]) -> tuple[int, Terms]:
        """Length of the lists t of a form, and for each g the (index, sign) with f(g) = sum of sign t[index]."""
        on, places, kernels = form["on"], form["subgroups"], form["kernels"] or [None] * len(form["subgroups"])
        if not len(places) == len(kernels) == {"double cosets": 2, "elements": 0}.get(on, 1):
            raise Malformed(f"expected the right number of subgroups and kernels, got {shown(form)}")
        if not {*places, *kernels} <= {None, *range(len(subgroups))}:
            raise Malformed(f"expected positions in the list of {len(subgroups)} subgroups, got {shown(form)}")
        characters = []
        for place, kernel in zip(places, kernels, strict=True):
            members = subgroups[place] if on != "coset matrix" or kernel is None else self.everything
            inside = {*(members if kernel is None else subgroups[kernel])}
            if kernel is not None and not (inside < {*members} and 2 * len(inside) == len(members)):
                raise Differs(f"{shown(form)}: the certificate states a kernel that is not of index two")
            characters.append({g: 1 if g in inside else -1 for g in members})
        if on == "coset matrix":
            count, cosets = self.cells(dict.fromkeys(subgroups[places[0]], 1), TRIVIAL)
            first = {cosets[g][0][0]: g for g in reversed(self.everything)}
            sign = characters[0] if kernels[0] is not None else dict.fromkeys(self.everything, 1)
            moved = ([cosets[self.mul[first[p]][g]][0][0] for p in range(count)] for g in self.everything)
            return count**2, [[(p * count + q, sign[g]) for p, q in enumerate(qs)] for g, qs in enumerate(moved)]
        sides = {"right cosets": [*characters, TRIVIAL], "left cosets": [TRIVIAL, *characters]}
        return self.cells(*(sides | {"double cosets": characters, "elements": [TRIVIAL, TRIVIAL]})[on])


def read_program(program: Any, group: Group) -> tuple[Network, dict[int, tuple[int, int]]]:
    """The program written out as a network, and where each of the network's neurons is in it: (position, circuit)."""
    bits, n = (program["preactivation_bits"], program["vote_bits"]), len(group.mul)
    if min(bits) < 0 or max(bits) > 10_000 or len(program["bias"]) not in (0, n):
        raise Malformed(f"expected bits from 0 to 10,000 and {n} biases or none, got {bits}, {len(program['bias'])}")
    subgroups, known = [group.subgroup(record) for record in program["subgroups"]], {}  # type: Any, dict[str, Any]
    functions: dict[str, Rows] = {"left": [], "right": [], "votes": []}
    where: dict[int, tuple[int, int]] = {}
    for number, circuit in enumerate(program["circuits"]):
        for neuron in circuit["neurons"]:
            if neuron["index"] in where:
                raise Differs(f"program: the certificate states the neuron {neuron['index']} twice")
            where[neuron["index"]] = len(where), number
            for part, found in functions.items():
                key = json.dumps(circuit[part])
                size, terms = known[key] = known.get(key) or group.form(circuit[part], subgroups)
                same(f"length of {part} of neuron {neuron['index']}", len(neuron[part]), size)
                found.append([sum(sign * neuron[part][k] for k, sign in term) for term in terms])
    left, right = (columns(functions[part]) or [[] for _ in range(n)] for part in ("left", "right"))
    return Network(left, right, functions["votes"], program["bias"] or [0] * n, *bits), where


# ------------------------------------------------------------------------------------------- checks
TASK: list[Any] = []  # network, program, float32 pass and table of products: what every process works on


def examine(pairs: list[tuple[int, int]]) -> list[Any]:
    """Per pair: x, y, answers of network and program, lead of the right logit, whether it is firm in float32."""
    network, program, forward, products = TASK
    results = []
    for x, y in pairs:
        slots, z = network.logits(x, y), products[x][y]
        answer, lead = network.packed.contest(slots, z)
        firm = forward is not None and answer >= 0 and forward.firm(x, y, answer, slots)
        results.append((x, y, answer, program.packed.contest(program.logits(x, y), z)[0], lead, firm))
    return results


def check_pairs(c: Any, results: list[Any], products: Rows, bits: int) -> None:
    """Q1 and Q2: counts, statuses and verdict, the lists on the pairs looked at, and digests and margin if these are all."""
    q1, q2, pairs = c["correct"], c["equivalent"], len(products) ** 2
    wrong, differ = q1["wrong"], q2["differ"]
    status = ["REFUTED" if bad else "PROVED" for bad in (wrong, differ)]
    counts = [pairs, pairs - len(wrong), sum(entry[2] == -1 for entry in wrong), status[0]]
    same("correct (pairs, right, ties, status)", [q1[key] for key in ("pairs", "right", "ties", "status")], counts)
    counts = [pairs, pairs - len(differ), status[1]]
    same("equivalent (pairs, agree, status)", [q2[key] for key in ("pairs", "agree", "status")], counts)
    same("verdict", c["verdict"], "REFUTED" if wrong or differ else "VERIFIED")
    seen = {result[:2] for result in results}
    found = [[x, y, a] for x, y, a, *_ in results if a != products[x][y]]
    same("correct.wrong", [entry for entry in wrong if (entry[0], entry[1]) in seen or len(seen) == pairs], found)
    found = [[x, y, a, b] for x, y, a, b, *_ in results if a != b]
    same("equivalent.differ", [entry for entry in differ if (entry[0], entry[1]) in seen or len(seen) == pairs], found)
    if len(seen) < pairs:
        return
    lowest = min(((lead, x, y) for x, y, a, _, lead, _ in results if a == products[x][y]), default=None)
    same("correct.min_margin", q1["min_margin"], lowest and str(Fraction(lowest[0], 1 << bits)))
    same("correct.min_margin_pair", q1["min_margin_pair"], lowest and list(lowest[1:]))
    for part, column in ((q1, 2), (q2, 3)):
        table = struct.pack(f">{pairs}h", *(result[column] for result in results))
        same(f"digest of answers {column}", part["answers_sha256"], hashlib.sha256(table).hexdigest())
    stated, firm = q1["float32_any_order"], sum(result[5] for result in results)
    if (stated is None) == c["checkpoint"]["float32_forward"] or not 0 <= (stated or 0) <= firm:
        raise Differs(f"correct.float32_any_order: the certificate states {stated}, the checker proves {firm}")
    right = all(b == products[x][y] for x, y, _, b, *_ in results)
    if c["symbolic"]["status"] == ("REFUTED" if right else "PROVED"):
        raise Differs(f"symbolic.status: the certificate states {c['symbolic']['status']}, the program is right: {right}")


def check_neurons(records: Any, network: Network, program: Network, where: dict[int, tuple[int, int]]) -> None:
    """Each neuron's circuit, its deviations from the program, and that a dead one can change no answer."""
    same("neurons", [record["index"] for record in records], list(range(len(network.votes))))
    same("neurons of the program", sorted(where.keys() - range(len(records))), [])
    sides = [(columns(net.left), columns(net.right), net.votes) for net in (network, program)]
    for i, record in enumerate(records):
        k, circuit = where.get(i, (None, None))
        same(f"neurons[{i}].circuit", record["circuit"], circuit)
        for part, a, b, p, q in zip(("left", "right", "votes"), *sides, network.bits3, program.bits3, strict=True):
            found = None
            if k is not None:
                gaps = (abs((u << max(0, q - p)) - (v << max(0, p - q))) for u, v in zip(a[i], b[k], strict=True))
                found = str(Fraction(max(gaps), 1 << max(p, q)))
            same(f"neurons[{i}].{part}_deviation", record[f"{part}_deviation"], found)
        if record["kind"] == "dead" and network.highest[i] > 0 and len({*network.votes[i]}) > 1:
            raise Differs(f"neurons[{i}].kind: the certificate states 'dead', the checker finds a live neuron")


def check_proofs(c: Any, folder: Path) -> None:
    """Q3 and Q4: that what is stated fits together, and that obligations beside the certificate are those stated."""
    symbolic, compact = c["symbolic"], c["compact"]
    statuses = {obligation["status"] for obligation in symbolic["obligations"]}
    if (symbolic["status"] == "PROVED") != (statuses == {"PROVED"}):
        raise Differs(f"symbolic.status: the certificate states {symbolic['status']}, its obligations {sorted(statuses)}")
    for obligation in symbolic["obligations"]:
        path = PurePosixPath(obligation["file"])
        if path.is_absolute() or ".." in path.parts or len(path.parts) != 2:
            raise Malformed(f"expected a file in a folder beside the certificate, got {shown(obligation['file'])}")
        if (folder / path).parent.is_dir():
            found = hashlib.sha256((folder / path).read_bytes()).hexdigest() if (folder / path).is_file() else "none"
            same(f"digest of {obligation['file']}", obligation["sha256"], found)
    for key in ("certified", "flops") if compact else ():
        parts = [strategy[key] for strategy in compact["strategies"]]
        same(f"compact.{key}", compact[key], sum(parts))
        same(f"compact.{key}, negative parts", [part for part in parts if part < 0], [])
    if compact and not (compact["certified"] <= c["correct"]["right"] and compact["flops_brute"] >= 0):
        raise Differs(f"compact.certified: the certificate states {compact['certified']}, beyond the right pairs")
    if compact:
        proved = compact["certified"] == c["correct"]["pairs"]
        same("compact.status", compact["status"], "PROVED" if proved else "UNKNOWN")


def check(c: Any, checkpoint: bytes, folder: Path, sample: int | None, seed: int, jobs: int) -> str:
    """The line for stdout; raises Differs or Malformed where something does not hold."""
    same("checkpoint.sha256", c["checkpoint"]["sha256"], hashlib.sha256(checkpoint).hexdigest())
    network, forward = read_network(checkpoint, c["checkpoint"])
    same("program.group", c["program"]["group"], c["group"])
    same("group.order", c["group"]["order"], len(network.left))
    group = Group(c["group"])
    program, where = read_program(c["program"], group)
    check_neurons(c["neurons"], network, program, where)
    check_proofs(c, folder)
    n = len(group.mul)
    pairs = [(x, y) for x in range(n) for y in range(n)]
    if sample is not None:
        pairs = sorted(random.Random(seed).sample(pairs, min(sample, n * n)))
    TASK[:] = network, program, forward, group.mul
    parts = [pairs[k : k + n] for k in range(0, len(pairs), n)]
    if jobs > 1:
        with multiprocessing.get_context("fork").Pool(jobs) as pool:
            found = pool.map(examine, parts, chunksize=1)
    else:
        found = [examine(part) for part in parts]
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
        certificate, checkpoint = read_certificate(options.certificate.read_bytes()), options.checkpoint.read_bytes()
        folder = options.certificate.parent
        line = check(certificate, checkpoint, folder, options.sample, options.seed, options.jobs)
    except (Differs, Malformed, OSError) as error:
        print(error, file=sys.stderr)
        line = "s NOT VERIFIED" if isinstance(error, Differs) else "s MALFORMED"
    print(line)
    return LINES[line]


if __name__ == "__main__":
    sys.exit(main())
