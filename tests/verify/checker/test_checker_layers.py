"""Layers folded into a network by the checker, against their formula in fractions, and the layouts that tensors are read in."""

import random
import struct
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from itertools import product
from typing import Any

import pytest

from verify.checker import layouts
from verify.checker.groups import Group
from verify.checker.integers import Matrix
from verify.checker.layers import Layers, mirror
from verify.checker.layouts import LAYOUTS, NEEDED, folded, is_no_weight, layout_of, without_prefix
from verify.checker.readings import PLAIN, changed, described, layers_of, name_of, state_at, term_of
from verify.checker.shape import CheckpointRecord, Differs, GroupRecord, Malformed, Reading, shown
from verify.checker.tensors import Tensor

S3 = Group(GroupRecord("S3", 3, 6, ["(1 2 3)", "(1 2)"]))
N = 6
Numbers = list[list[Fraction]]


def numbers(matrix: Matrix) -> Numbers:
    return [[Fraction(value, 1 << matrix.bits) for value in row] for row in matrix.rows]


def times(a: Numbers, b: Numbers) -> Numbers:
    return [[sum((u * v for u, v in zip(row, column, strict=True)), Fraction(0)) for column in zip(*b, strict=True)] for row in a]


def plus(rows: Numbers, row: list[Fraction]) -> Numbers:
    return [[u + v for u, v in zip(one, row, strict=True)] for one in rows]


def of_chain(chain: tuple[Matrix, ...]) -> Numbers:
    return numbers(chain[0]) if len(chain) == 1 else times(numbers(chain[0]), numbers(chain[1]))


def some_layers(draw: random.Random) -> Layers:
    """Any of the optional parts, each with bits of its own, of a size that float32 holds or not."""
    width, inner, last = draw.randint(1, 3), draw.randint(1, 3), draw.randint(1, 3)

    def matrix(rows: int, columns: int) -> Matrix:
        return Matrix(
            [[draw.randint(-9, 9) for _ in range(columns)] for _ in range(rows)], draw.choice([0, 2, 5]), draw.random() < 0.95
        )

    def side() -> tuple[Any, ...]:
        if draw.random() < 0.5:
            return (matrix(N, inner), matrix(inner, width)), tuple(
                draw.sample([(matrix(1, inner), matrix(inner, width)), (matrix(1, width),)], draw.randint(0, 2))
            )
        return (matrix(N, width),), ((matrix(1, width),),) * draw.randint(0, 1)

    (left, left_added), (right, right_added) = side(), side()
    through = draw.random() < 0.4
    kind = draw.choice(["relu", "relu", "abs", "square"])
    return Layers(
        left,
        right,
        matrix(width, last if through else N),
        draw.choice([None, matrix(1, N)]),
        draw.choice([None, None, matrix(1, width)]),
        left_added,
        right_added,
        matrix(last, N) if through else None,
        matrix(1, last if through else N) if draw.random() < 0.3 else None,
        kind == "abs",
        kind == "square",
    )


def by_definition(layers: Layers) -> Callable[[int, int], list[Fraction]]:
    """((activation(left[x] + right[y]) + after) votes + middle) through + bias, the elements numbered as the file does."""
    sides = []
    for chain, added in ((layers.left, layers.left_added), (layers.right, layers.right_added)):
        total = of_chain(chain)
        for more in added:
            total = plus(total, of_chain(more)[0])
        sides.append(total)
    parts = (layers.after, layers.votes, layers.middle, layers.through, layers.bias)
    after, votes, middle, through, bias = (numbers(part) if part else None for part in parts)
    assert votes is not None

    def logits(x: int, y: int) -> list[Fraction]:
        p = [a + b for a, b in zip(sides[0][x], sides[1][y], strict=True)]
        h = [abs(v) if layers.mirrored else v * v if layers.squared else max(v, Fraction(0)) for v in p]
        out = times(plus([h], after[0]) if after else [h], votes)
        out = plus(out, middle[0]) if middle else out
        out = times(out, through) if through else out
        return (plus(out, bias[0]) if bias else out)[0]

    return logits


def record_of(layers: Layers, draw: random.Random) -> CheckpointRecord:
    """What is true of the layers, with any numbering and product."""
    numbering = draw.sample(range(N), N)
    width = len(layers.votes.rows) * (2 if layers.mirrored else 1)
    silent = replaced(layers)
    constant = any(v for x in range(1) for v in by_definition(silent)(x, x))
    narrow = all(m.narrow for m in layers.matrices()) and not (layers.squared or layers.after or layers.through)
    return CheckpointRecord(
        "", "it", "table", draw.choice(["left-first", "right-first"]), numbering, width, 3 * N * width + N * constant, narrow
    )  # fmt: skip


def replaced(layers: Layers) -> Layers:
    """The layers with all weights before the activation 0: what is left is the constant part of the logits."""

    def nothing(chain: tuple[Matrix, ...]) -> tuple[Matrix, ...]:
        return tuple(m._replace(rows=[[0] * len(row) for row in m.rows]) for m in chain)

    return layers._replace(
        left=nothing(layers.left), right=nothing(layers.right), left_added=tuple(map(nothing, layers.left_added)),
        right_added=tuple(map(nothing, layers.right_added)),
    )  # fmt: skip


@pytest.mark.parametrize("start", range(0, 60, 10))
def test_a_folded_network_is_the_formula_of_its_layers(start: int) -> None:
    """At all pairs in fractions, whichever parts there are; its float32 pass where there is one, with the terms of each sum."""
    seen, passes = set(), 0
    for seed in range(start, start + 10):
        draw = random.Random(seed)
        layers = some_layers(draw)
        record = record_of(layers, draw)
        network, forward = folded("it", layers, record, S3)
        unit, function = Fraction(1, 1 << network.logit_bits), by_definition(layers)
        for x, y in product(range(N), repeat=2):
            found = [unit * v for v in network.packed.numbers(network.logits(x, y))]
            here = [record.numbering.index(g) for g in ((x, y) if record.product == "left-first" else (y, x))]
            truth = function(*here)
            assert found == [truth[record.numbering.index(z)] for z in range(N)]
        assert (forward is not None) == record.float32_forward
        passes += forward is not None
        seen.add((layers.mirrored, layers.squared, bool(layers.after), bool(layers.through), bool(layers.middle), bool(layers.bias)))
        false: tuple[tuple[str, Any], ...] = (
            ("width", record.width + 1),
            ("parameters", record.parameters + N),
            ("format", "that"),
            ("float32_forward", not record.float32_forward),
            ("numbering", [*record.numbering[:-1], record.numbering[0]]),
            ("numbering", record.numbering[:-1]),
        )
        for key, value in false:
            with pytest.raises(Differs, match=r"^checkpoint"):
                folded("it", layers, replace(record, **{key: value}), S3)
    assert len(seen) > 4
    assert passes > 0 or start == 40


def test_the_lengths_of_float32_sums_are_those_of_the_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    """K: the terms of a pre-activation; M: the neurons and the bias; and the sums of absolute values behind each entry."""
    told: list[Any] = []

    def remembered(network: Any, left: Any, right: Any, terms: Any) -> Any:
        told.append((left, right, terms))
        return forward(network, left, right, terms)

    forward = layouts.Forward
    monkeypatch.setattr(layouts, "Forward", remembered)
    for seed in range(60):
        draw = random.Random(seed)
        layers = some_layers(draw)
        if layers.squared or layers.mirrored:
            continue
        record = record_of(layers, draw)
        told.clear()
        network, _ = folded("it", layers, record, S3)
        if not record.float32_forward:
            assert told == []
            continue
        left, right, (K, M) = told[-1]
        sums = []
        count = 0
        for chain, added in ((layers.left, layers.left_added), (layers.right, layers.right_added)):
            positive = [tuple(m.absolute() for m in one) for one in (chain, *added)]
            total = of_chain(positive[0])
            for one in positive[1:]:
                total = plus(total, of_chain(one)[0])
            sums.append(total)
            count += (len(chain[0].rows[0]) if len(chain) == 2 else 1) + len(added)
        assert (count, len(layers.votes.rows) + (layers.bias is not None)) == (K, M)
        sums = sums if record.product == "left-first" else sums[::-1]
        for ours, theirs in ((left, sums[0]), (right, sums[1])):
            assert [[Fraction(v, 1 << network.bits) for v in row] for row in ours] == [
                theirs[record.numbering.index(g)] for g in range(N)
            ]


def test_absolute_values_are_two_neurons_of_relu_each() -> None:
    for seed in range(20):
        layers = some_layers(random.Random(seed))._replace(mirrored=True, squared=False)
        twice = mirror(layers)
        assert not twice.mirrored
        one, other = by_definition(twice), by_definition(layers)
        assert all(one(x, y) == other(x, y) for x, y in product(range(N), repeat=2))
    every = [*layers.left, *layers.right, *(m for chain in (*layers.left_added, *layers.right_added) for m in chain)]
    every += [m for m in (layers.votes, layers.bias, layers.after, layers.through, layers.middle) if m is not None]
    assert sorted(map(id, layers.matrices())) == sorted(map(id, every))


# ---- names and layouts


def tensor(*shape: int, kind: str = "F32") -> Tensor:
    count = 1
    for n in shape:
        count *= n
    strides = [1]
    for n in reversed(shape[1:]):
        strides.insert(0, strides[0] * n)
    size = {"F32": 4, "I64": 8, "BOOL": 1}[kind]
    data = struct.pack(f"<{count}f", *range(count)) if kind == "F32" else b"\0" * (size * count)
    return Tensor(kind, memoryview(data), shape, tuple(strides[: len(shape)]))


SHAPES = {
    "sn-grok": {
        "lembed.weight": (6, 3),
        "rembed.weight": (6, 3),
        "linear.weight": (2, 6),
        "linear.bias": (2,),
        "unembed.weight": (6, 2),
        "unembed.bias": (6,),
    },
    "wu": {
        "embedding_left": (6, 3),
        "embedding_right": (6, 3),
        "linear_left": (3, 2),
        "linear_right": (3, 2),
        "unembedding": (2, 6),
        "unembed_bias": (6,),
    },
    "folded": {"L": (6, 2), "R": (6, 2), "U": (2, 6), "b": (6,)},
    "chughtai": {"W_x": (6, 3), "W_y": (6, 3), "W": (6, 2), "W_U": (2, 6), "b": (2,), "b_U": (6,)},
}


def formula(name: str, tensors: dict[str, Tensor], x: int, y: int) -> list[Fraction]:
    """The logits of a published layout from its tensors, by the words of the layout's own code."""
    t = {key: numbers(one.matrix()) for key, one in tensors.items()}

    def turned(rows: Numbers) -> Numbers:
        return [list(column) for column in zip(*rows, strict=True)]

    if name == "sn-grok":
        h = times([t["lembed.weight"][x] + t["rembed.weight"][y]], turned(t["linear.weight"]))
        h = plus(h, t["linear.bias"][0]) if "linear.bias" in t else h
        out, bias = turned(t["unembed.weight"]), t.get("unembed.bias")
    elif name == "wu":
        h = plus(times([t["embedding_left"][x]], t["linear_left"]), times([t["embedding_right"][y]], t["linear_right"])[0])
        out, bias = t["unembedding"], t.get("unembed_bias")
    elif name == "folded":
        h, out, bias = plus([t["L"][x]], t["R"][y]), t["U"], t.get("b")
    else:
        h, out, bias = times([t["W_x"][x] + t["W_y"][y]], t["W"]), t["W_U"], t.get("b_U")
    h = [[max(v, Fraction(0)) for v in h[0]]]
    h = plus(h, t["b"][0]) if name == "chughtai" and "b" in t else h
    found = times(h, out)
    return (plus(found, bias[0]) if bias else found)[0]


@pytest.mark.parametrize("name", SHAPES)
def test_a_published_layout_is_what_its_names_say(name: str) -> None:
    """At all pairs; with each tensor left out, of another rank or another size; and told by its names."""
    full = {key: tensor(*shape) for key, shape in SHAPES[name].items()}
    for missing in (None, *full):
        tensors = {key: one for key, one in full.items() if key != missing}
        assert layout_of(tensors) == name
        needed = missing is not None and LAYOUTS[name][missing][0] in NEEDED[name]
        if needed:
            with pytest.raises(Malformed, match=r"^expected all tensors of the layout"):
                layouts._layers(name, tensors)
            continue
        function = by_definition(layouts._layers(name, tensors))
        for x, y in product(range(0, N, 2), range(1, N, 2)):
            assert function(x, y) == formula(name, tensors, x, y)
    for key, shape in SHAPES[name].items():
        for other in ((*shape, 1), (2, *shape), *(tuple(n + (k == i) for k, n in enumerate(shape)) for i in range(len(shape)))):
            with pytest.raises(Malformed, match=r"^expected "):
                layouts._layers(name, {**full, key: tensor(*other)})
    assert layout_of({**full, "more": tensor(1)}) == ""
    assert layout_of({}) == ""


def test_two_names_for_one_thing_and_a_leading_dimension() -> None:
    full = {key: tensor(*shape) for key, shape in SHAPES["chughtai"].items()}
    for one, other in (("W_x", "W_E_a"), ("W_y", "W_E_b"), ("b_U", "unembed_bias")):
        with pytest.raises(Malformed, match="expected one tensor for"):
            layouts._layers("chughtai", {**full, other: full[one]})
        renamed = {other if key == one else key: value for key, value in full.items()}
        assert by_definition(layouts._layers("chughtai", renamed))(1, 2) == formula("chughtai", full, 1, 2)
    lead = {key: tensor(1, *shape) for key, shape in SHAPES["wu"].items()}
    plain = {key: tensor(*shape) for key, shape in SHAPES["wu"].items()}
    function = by_definition(layouts._layers("wu", lead))
    for x, y in product(range(N), repeat=2):
        assert function(x, y) == formula("wu", plain, x, y)
    for key in lead:
        with pytest.raises(Malformed, match="leading dimension of all tensors or of none"):
            layouts._layers("wu", {**lead, key: plain[key]})
    with pytest.raises(Malformed, match="dimensions of 'L'"):
        layouts._layers("folded", {**{key: tensor(*shape) for key, shape in SHAPES["folded"].items()}, "L": tensor(1, 6, 2)})


def test_a_reading_of_published_names_is_the_published_function() -> None:
    """Another function of the same tensors is refused, though it has the same sizes; another activation where no setting says so."""
    left = Tensor("F32", memoryview(struct.pack("<12f", *range(12))), (6, 2), (2, 1))
    right = Tensor("F32", memoryview(struct.pack("<12f", *(-k for k in range(12)))), (6, 2), (2, 1))
    votes = Tensor("F32", memoryview(struct.pack("<12f", *((-1) ** k * k for k in range(12)))), (2, 6), (6, 1))
    bias = Tensor("F32", memoryview(struct.pack("<6f", *(1.5 * k for k in range(6)))), (6,), (1,))
    tensors = {"L": left, "R": right, "U": votes, "b": bias}
    good = Reading(left="L", right="R", out="U", bias="b")

    def published(reading: Reading, settings: dict[Any, Any], tensors: dict[str, Tensor] = tensors) -> None:
        layouts.check_published(tensors, layers_of(reading, tensors), settings)

    published(good, {})
    published(good, {"activation": "relu"})
    wrapped = {f"model.{name}": one for name, one in tensors.items()}
    below = replace(good, left="model.L", right="model.R", out="model.U", bias="model.b")
    published(below, {}, wrapped)
    for other, of in ((replace(good, left="R", right="L"), tensors), (replace(below, left="model.R", right="model.L"), wrapped)):
        with pytest.raises(Malformed, match="expected the tensors read as in the layout folded"):
            published(other, {}, of)
    for activation in ("abs", "square"):
        with pytest.raises(Malformed, match="expected relu in the layout folded"):
            published(replace(good, activation=activation), {})  # type: ignore[arg-type]
        published(replace(good, activation=activation), {"activation": activation})  # type: ignore[arg-type]
    plain = {"L": left, "R": right, "U": votes}
    published(Reading(left="L", right="R", out="U"), {}, plain)
    published(Reading(left="R", right="L", out="U", bias="more"), {}, {**plain, "more": bias})  # no published name: nothing is usual
    published(Reading(left="L[:]", right="R^T^T", out="U"), {}, plain)
    chughtai = {"W_x": left, "W_y": right, "W": Tensor("F32", memoryview(struct.pack("<8f", *range(8))), (4, 2), (2, 1)), "W_U": votes}
    chughtai["b"] = Tensor("F32", memoryview(struct.pack("<2f", 3, -5)), (2,), (1,))
    after = Reading(left="W_x", hidden_left="W[:2]", right="W_y", hidden_right="W[2:]", after="b", out="W_U")
    published(after, {}, chughtai)
    for other in (replace(after, after="", hidden_bias=["b"]), replace(after, hidden_left="W[2:]", hidden_right="W[:2]")):
        with pytest.raises(Malformed, match="read as in the layout chughtai"):
            published(other, {}, chughtai)


def test_wrappers_names_are_taken_off_where_all_have_them() -> None:
    a, b = tensor(1), tensor(2)
    assert without_prefix({"module.x": a, "module.y": b}) == {"x": a, "y": b}
    assert without_prefix({"module.model.x": a, "module.model.y": b}) == {"x": a, "y": b}
    assert without_prefix({"_orig_mod.net.network.mlp.x": a}) == {"x": a}
    for kept in ({"module.x": a, "y": b}, {"module.": a}, {"model": a}, {"other.x": a}, {}, {"module.x": a, "module.": b}):
        assert without_prefix(kept) == kept


def test_what_may_be_left_out_is_a_buffer_or_a_number_that_counts() -> None:
    """By the words of its name, its type and its shape."""
    for name, one, fine in (
        ("step", tensor(), True), ("epoch", tensor(1), True), ("num_batches_tracked", tensor(), True), ("steps", tensor(2), False),
        ("scale", tensor(), False), ("accuracy", tensor(), True), ("best_test_acc", tensor(1), True), ("best_scale", tensor(), False),
        ("7", tensor(), False), ("valLoss", tensor(), True), ("weight", tensor(2, 2), False), ("nAveraged", tensor(1), True),
        ("table", tensor(6, 6, kind="I64"), True), ("mask", tensor(6, 6, kind="BOOL"), False), ("mask", tensor(1, kind="BOOL"), True),
        ("perm", tensor(6, kind="I64"), False), ("perm", tensor(6, 6, kind="I64"), True), ("train_idx", tensor(6, kind="I64"), True),
        ("idx", tensor(6, kind="I64"), False), ("trainMask", tensor(6, kind="BOOL"), True), ("dead", tensor(3, 3, kind="I64"), False),
        ("idx", tensor(1, kind="I64"), True), ("mask", tensor(2, kind="BOOL"), False),
    ):  # fmt: skip
        assert is_no_weight(name, one) == fine, name


# ---- readings


def test_terms_are_tensors_parts_and_their_transposes() -> None:
    tensors = {"W": tensor(4, 3), "c": tensor(2, 4, 3), "v": tensor(5), "a[0]x": tensor(2)}
    W, c, v = ([[int(x) for x in row] for row in numbers(tensors[k].matrix())] if k != "c" else None for k in ("W", "c", "v"))
    assert W is not None
    assert v is not None
    del c
    for term, rows in (
        ("W", W),
        ("W^T", [list(row) for row in zip(*W, strict=True)]),
        ("W[1:3]", W[1:3]),
        ("W[:2]", W[:2]),
        ("W[2:]", W[2:]),
        ("W[:]", W),
        ("W[2]", [W[2]]),
        ("W^T[1]", [[row[1] for row in W]]),
        ("W[1:3]^T", [list(row) for row in zip(*W[1:3], strict=True)]),
        ("W[1:][1]", [W[2]]),
        ("W[1:99]", W[1:]),
        ("c[1][2]", [[18, 19, 20]]),
        ("c[1][1:3][0]", [[15, 16, 17]]),
        ("v[1:4]", [v[0][1:4]]),
        ("c[0]^T[0:1]", [[0, 3, 6, 9]]),
        ("v", v),
        ("a[0]x", [[0, 1]]),
    ):
        assert [[int(x) for x in row] for row in numbers(term_of(term, tensors))] == rows, term
        assert name_of(term) == ("a[0]x" if term.startswith("a") else term[0])
    with pytest.raises(Malformed, match=r"expected an index below 3 in 'W\[1:\]\[3\]', got 3"):
        term_of("W[1:][3]", tensors)
    for term in ("W[4]", "v^T", "c^T", "W[1][1][1]", "v[5]", "W[3:3]", "W[9:]", "W[3:1]", "c"):
        with pytest.raises(Malformed, match=r"^expected "):
            term_of(term, tensors)
    with pytest.raises(KeyError):
        term_of("X", tensors)
    for name in ("", "x" * 1001):
        with pytest.raises(Malformed, match="a tensor's name of at most 1,000"):
            name_of(name)
    assert name_of("x" * 1000) == "x" * 1000
    assert name_of("[0]") == "[0]"
    assert name_of("a\nb[0]") == "a\nb"
    assert changed(tensor(3, 2), "[1:]", "W").offset == 2


FULL = Reading(
    "E", "e", "W[:3]", "F", "f", "W[3:]", ["h", "g"], "relu", "a", "O", "o", "V", "z", ["step"], []
)  # fmt: skip
PARTS = {
    "E": (6, 3),
    "e": (3,),
    "W": (6, 2),
    "F": (6, 3),
    "f": (3,),
    "h": (2,),
    "g": (2,),
    "a": (2,),
    "O": (2, 4),
    "o": (4,),
    "V": (4, 6),
    "z": (6,),
    "step": (),
}


def read(reading: Reading, **shapes: tuple[int, ...] | None) -> Layers:
    """The layers of a reading, for tensors of these shapes; None leaves one out."""
    wanted = {key: shape for key, shape in {**PARTS, **shapes}.items() if shape is not None}
    return layers_of(reading, {key: tensor(*shape) for key, shape in wanted.items()})


def test_a_reading_is_its_formula() -> None:
    """The formula of the module's docstring at all pairs: with everything, and with each part that may be missing left out."""
    variants: list[tuple[Reading, list[str]]] = [
        (FULL, []),
        (replace(FULL, left_bias=""), ["e"]),
        (replace(FULL, right_bias=""), ["f"]),
        (replace(FULL, hidden_bias=["h"]), ["g"]),
        (replace(FULL, hidden_bias=[]), ["h", "g"]),
        (replace(FULL, after=""), ["a"]),
        (replace(FULL, out_bias=""), ["o"]),
        (replace(FULL, bias=""), ["z"]),
        (replace(FULL, activation="square"), []),
        (replace(FULL, activation="abs"), []),
        (replace(FULL, skipped=[]), ["step"]),
    ]
    for reading, gone in variants:
        function = by_definition(read(reading, **dict.fromkeys(gone)))
        t = {key: numbers(tensor(*shape).matrix()) for key, shape in PARTS.items() if shape}
        for x, y in product(range(0, N, 2), range(1, N, 2)):
            a, c = [t["E"][x]], [t["F"][y]]
            a, c = plus(a, t["e"][0]) if reading.left_bias else a, plus(c, t["f"][0]) if reading.right_bias else c
            p = plus(times(a, t["W"][:3]), times(c, t["W"][3:])[0])
            for bias in reading.hidden_bias:
                p = plus(p, t[bias][0])
            h = [[{"relu": max(v, Fraction(0)), "square": v * v, "abs": abs(v)}[reading.activation] for v in p[0]]]
            h = plus(h, t["a"][0]) if reading.after else h
            out = times(h, t["O"])
            out = times(plus(out, t["o"][0]) if reading.out_bias else out, t["V"])
            assert function(x, y) == (plus(out, t["z"][0]) if reading.bias else out)[0]
    short = Reading(hidden_left="A", right="B", out="U")
    layers = layers_of(short, {"A": tensor(6, 2), "B": tensor(6, 2), "U": tensor(2, 6)})
    a, u = numbers(tensor(6, 2).matrix()), numbers(tensor(2, 6).matrix())
    assert by_definition(layers)(1, 2) == times([[p + q for p, q in zip(a[1], a[2], strict=True)]], u)[0]


def test_one_element_and_one_neuron_are_enough() -> None:
    one = {name: tensor(1, 1) for name in "LRU"}
    assert by_definition(layers_of(Reading(left="L", right="R", out="U"), one))(0, 0) == [0]


def test_readings_that_do_not_fit_their_tensors_are_refused() -> None:
    assert read(FULL)
    for reading, shapes in (
        (replace(FULL, skipped=["step", "E"]), {}),
        (replace(FULL, skipped=[]), {}),
        (replace(FULL, skipped=["step", "more"]), {}),
        (replace(FULL, skipped=["step", "b"]), {"b": (6,)} | {"more": (2,)}),
        (replace(FULL, left="", hidden_left=""), {"E": None}),
        (replace(FULL, left="", hidden_left="", left_bias=""), {"E": None, "e": None}),
        (replace(FULL, right="", hidden_right="", right_bias=""), {"F": None, "f": None}),
        (replace(FULL, left=""), {"E": None}),
        (replace(FULL, right=""), {"F": None}),
        (replace(FULL, out=""), {"O": None}),
        (replace(FULL, unembed=""), {"V": None}),
        (replace(FULL, unembed="", out_bias=""), {"V": None, "o": None}),
        (replace(FULL, hidden_bias=["h", "g", "i"]), {"i": (2,)}),
        (FULL, {"E": (5, 3)}),
        (FULL, {"E": (6, 4)}),
        (FULL, {"F": (7, 3)}),
        (FULL, {"F": (6, 2)}),
        (FULL, {"W": (6, 3)}),
        (FULL, {"W": (7, 2)}),
        (FULL, {"W": (5, 2)}),
        (FULL, {"e": (2,)}),
        (FULL, {"f": (4,)}),
        (FULL, {"e": (2, 3)}),
        (FULL, {"h": (3,)}),
        (FULL, {"g": (2, 2)}),
        (FULL, {"a": (1,)}),
        (FULL, {"O": (3, 4)}),
        (FULL, {"O": (2, 3)}),
        (FULL, {"o": (3,)}),
        (FULL, {"V": (4, 5)}),
        (FULL, {"V": (5, 6)}),
        (FULL, {"z": (5,)}),
        (FULL, {"z": (2, 6)}),
    ):
        with pytest.raises(Malformed, match=r"^expected "):
            read(reading, **shapes)  # type: ignore[arg-type]


def test_a_reading_is_described_by_its_formula() -> None:
    for reading, text in (
        (Reading(left="L", right="R", out="U"), "logits(x, y) = relu(L[x] + R[y]) U"),
        (FULL, "logits(x, y) = ((relu((E[x] + e) W[:3] + (F[y] + f) W[3:] + h + g) + a) O + o) V + z; left out: step"),
        (
            replace(FULL, left_bias="", after="", out_bias="", activation="abs", skipped=[]),
            "logits(x, y) = |E[x] W[:3] + (F[y] + f) W[3:] + h + g| O V + z",
        ),
        (
            Reading(hidden_left="W[:6]", hidden_right="W[6:]", out="U", bias="b", activation="square", state=["a", "0"]),
            "logits(x, y) = (W[x] + W[6 + y])^2 U + b; of the state dict at a / '0'",
        ),
        (Reading(left="L\n\u202e", right="R[2:][3:5]", out="U"), "logits(x, y) = relu('L\\n\\u202e'[x] + R[2:][3 + y]) U"),
        (Reading(left="L[2]", right="R^T", out="U"), "logits(x, y) = relu(L[2][x] + R^T[y]) U"),
    ):
        assert described(reading) == text
    assert described(Reading(left="L" * 200, right="a b", out="U" * 201)).startswith(
        f"logits(x, y) = relu({'L' * 200}[x] + 'a b'[y]) 'UUU"
    )
    assert len(described(Reading(left="L" * 900, right="R" * 900, out="U" * 900))) < 1000
    many = [f"n{k}" for k in range(102)]
    assert described(Reading(left="L", right="R", out="U", skipped=many)).endswith(f"left out: {', '.join(many[:100])} and 2 more")
    assert described(Reading(left="L", right="R", out="U", skipped=many[:100])).endswith(f"left out: {', '.join(many[:100])}")


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("W", True), ("0.weight", True), ("encoder.layers.0.w_1:0", True), ("_", True), ("xs", True), ("x.y", True), ("2.ab", True),
        ("E-W", False), ("A/B", True), ("2", False), ("0.5", False), ("1e3", False), ("-1", False), ("x", False), ("y", False),
        ("x\n", False), ("a b", False), ("", False), ("W" * 200, True), ("W" * 201, False), ("\u0660a", False), (":", False),
    ],
)  # fmt: skip
def test_a_name_that_could_be_read_as_a_part_of_the_formula_is_quoted(name: str, plain: bool) -> None:
    """relu(E-W[x] + R[y]) 2 would be a difference, and twice something."""
    assert (PLAIN.fullmatch(name) is not None) == plain
    if name and len(name) < 100 and not plain:
        assert described(Reading(left="L", right="R", out=name)) == f"logits(x, y) = relu(L[x] + R[y]) {shown(name)}"


def test_a_path_leads_to_a_state_dict_and_says_what_lies_beside_it() -> None:
    state, other = {"L": tensor(1)}, {"M": tensor(2)}
    content = {"model": state, "config": {"lr": 1}, 3: [{"net": state, "act": "x", "old": other}, other], "old": other}
    assert state_at(content, ["model"]) == (state, {"config": {"lr": 1}, 3: content[3]})
    found, beside = state_at(content, ["3", "0", "net"])
    assert found is state
    assert beside == {"config": {"lr": 1}, "act": "x"}
    assert state_at([other, state], ["1"]) == (state, {})
    assert state_at({"a": {"a": state, "config": 2}, "config": 1}, ["a", "a"]) == (state, {"config": 1, "config'": 2})
    for path in ([], ["model"] * 4, ["none"], ["3", "2"], ["3", "-1"], ["3", "x"], ["config", "lr", "x"], ["3", "\u00b2"]):
        with pytest.raises((Malformed, ValueError), match=r"expected|invalid literal"):
            state_at(content, path)
    with pytest.raises(Malformed, match="expected one key '1'"):
        state_at({1: state, "1": other}, ["1"])


def test_the_state_dict_of_an_archive_is_the_only_one_or_the_last() -> None:
    """The content itself, the value of one usual key, the last of the checkpoints, or the tensors among settings."""
    first, second = {"L": tensor(1)}, {"L": tensor(2)}
    good: tuple[tuple[Any, Any, Any], ...] = (
        (first, first, {}),
        ([first["L"], second["L"]], {"0": first["L"], "1": second["L"]}, {}),
        ((first["L"],), {"0": first["L"]}, {}),
        ({"model": first, "lr": 1, "old": second}, first, {"lr": 1, "old": second}),
        ({"model": 3, "net": first}, first, {"model": 3}),
        ({"L": first["L"], "lr": 1}, first, {"lr": 1}),
        ({"checkpoints": [first, second], "lr": 1}, second, {"lr": 1}),
        ({"checkpoints": {3: second, 1: first}}, second, {}),
        ({"checkpoints": [second, first], "checkpoint_epochs": [7, 3]}, second, {"checkpoint_epochs": [7, 3]}),
        ({"checkpoints": [second, first], "checkpoint_epochs": ["7", 3]}, first, {"checkpoint_epochs": ["7", 3]}),
        ({"checkpoints": [first], "L": second["L"]}, first, {"L": second["L"]}),
        ({"checkpoints": [first], "model": second}, second, {"checkpoints": [first]}),
    )
    for content, state, beside in good:
        assert layouts.state_dict(content, []) == (state, beside)
    bad: tuple[Any, ...] = (
        3, [], [first["L"], 3], [first], {}, {"lr": 1}, {"model": first, "net": second},
        {"model": first, "params": first, "net": first},
        {"checkpoints": []}, {"checkpoints": {}}, {"checkpoints": 3}, {"checkpoints": [3]},
        {"checkpoints": [{"L": 3}]},
        {"checkpoints": {"1": first}}, {"checkpoints": [first, second], "checkpoint_epochs": [1]},
        {"model": {"L": first["L"], "lr": 3}},
        {3: first["L"]}, {"checkpoints": [{"L": first["L"], "lr": 1}]},
    )  # fmt: skip
    for content in bad:
        with pytest.raises(Malformed, match=r"^expected "):
            layouts.state_dict(content, [])
    nested = {"runs": [{"net": first, "lr": 2}, second], "lr": 1}
    assert layouts.state_dict(nested, ["runs", "0", "net"]) == (first, {"lr": 1, "lr'": 2})
    for path in (["runs"], ["runs", "0"]):
        with pytest.raises(Malformed, match="at the end of its path"):
            layouts.state_dict(nested, path)
    with pytest.raises(Malformed, match="at the end of its path"):
        layouts.state_dict({"a": {"L": first["L"], "x": 1}}, ["a"])
    assert layouts.is_state(first)
    for other in ({}, {"lr": 1}, {3: first["L"]}, [first["L"]], None):
        assert not layouts.is_state(other)
    assert layouts.is_state({"L": first["L"], "lr": 1})
