"""The checker's records: what is read into them, and that every other type, key or size is refused; and parts of the statement."""

import json
import random
from dataclasses import dataclass, field, fields, is_dataclass
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest

from verify.checker import shape, statement
from verify.checker.evaluation import Pairs
from verify.checker.groups import Group
from verify.checker.integers import Network, columns
from verify.checker.shape import Certificate, Differs, Malformed, need, parse, read_certificate, read_json, same, shown, written
from verify.checker.statement import Options, check_compact_status, check_neurons, check_status, chosen

ACCEPTED = Path(__file__).parents[2] / "certificates" / "accepted"


@dataclass(frozen=True)
class Inner:
    """A record in a record."""

    number: int


@dataclass(frozen=True)
class Every:
    """A field of each kind of type that records have."""

    number: int
    text: str
    truth: bool
    word: Literal["one", "two"]
    numbers: list[int]
    records: list[Inner]
    pair: tuple[int, str]
    texts: dict[str, str]
    maybe: Inner | None
    later: int = 7
    more: list[str] = field(default_factory=list)


GOOD: dict[str, Any] = {
    "number": 1, "text": "a", "truth": True, "word": "two", "numbers": [1, -2], "records": [{"number": 3}], "pair": [4, "b"],
    "texts": {"k": "v"}, "maybe": {"number": 5},
}  # fmt: skip
BIG = 2**12000
WRONG = {
    "number": [True, "1", None, 1.0, [], BIG, -BIG], "text": [1, None, ["a"]], "truth": [1, 0, None, "true"],
    "word": ["three", 1, None, True, ["one"]], "numbers": [[True], ["1"], [1.0], [BIG], [-BIG], {}, None, 5, [None], [[1]]],
    "records": [[3], [{}], [{"number": "3"}], [{"number": 3, "x": 1}], {"number": 3}, [{"number": 3}, None]],
    "pair": [[4], [4, "b", 1], ["b", 4], "4b", None, {"0": 4, "1": "b"}, []], "texts": [{"k": 1}, [], None, {"k": None}],
    "maybe": [5, {}, {"number": None}, [], False], "later": ["7", None, True], "more": [[1], "x", None],
}  # fmt: skip


def test_a_record_has_exactly_its_fields_and_their_types() -> None:
    """Defaults for fields that earlier files did not have; the largest numbers; null where a record may be missing."""
    found = parse(Every, GOOD, "it")
    assert found == Every(1, "a", True, "two", [1, -2], [Inner(3)], (4, "b"), {"k": "v"}, Inner(5), 7, [])
    assert parse(Every, {**GOOD, "maybe": None, "later": 8, "more": ["x"]}, "it").maybe is None
    for number in (BIG - 1, 1 - BIG):
        assert parse(Every, {**GOOD, "number": number, "numbers": [number]}, "it").numbers == [number]
    for key in GOOD:
        with pytest.raises(Malformed, match=r"^it: expected the keys \['number', 'text'"):
            parse(Every, {name: value for name, value in GOOD.items() if name != key}, "it")
    others: tuple[Any, ...] = ({**GOOD, "x": 1}, [], None, "it", {})
    for other in others:
        with pytest.raises(Malformed, match=r"^it: expected"):
            parse(Every, other, "it")


@pytest.mark.parametrize("key", WRONG)
def test_a_value_of_another_type_is_refused_where_it_stands(key: str) -> None:
    values: Any = WRONG[key]
    for value in values:
        with pytest.raises(Malformed, match=rf"^it\.{key}.*: expected .*, got "):
            parse(Every, {**GOOD, key: value}, "it")
    with pytest.raises(Malformed, match=r"^it\.records\[1\]\.number: expected an integer, got 'x'"):
        parse(Every, {**GOOD, "records": [{"number": 1}, {"number": "x"}]}, "it")
    with pytest.raises(Malformed, match=r"^it\.pair\[1\]: expected a text, got 4"):
        parse(Every, {**GOOD, "pair": [4, 4]}, "it")
    with pytest.raises(Malformed, match=r"^it\.texts\['k'\]: expected a text, got 1"):
        parse(Every, {**GOOD, "texts": {"k": 1}}, "it")


def test_every_leaf_of_a_certificate_is_of_its_type_alone() -> None:
    """In a whole certificate each value is put in the place of each other type's: refused, wherever it stands."""
    value = json.loads((ACCEPTED / "s3_chughtai_table.json").read_bytes())
    others: tuple[Any, ...] = (True, 1.5, "text", -3, None, [], {})

    def check(kind: Any, item: Any, put: Any) -> None:
        origin, arguments = get_origin(kind), get_args(kind)
        if is_dataclass(kind):
            hints = get_type_hints(kind)
            for one in fields(kind):
                if one.name in item:
                    check(hints[one.name], item[one.name], lambda new, name=one.name: put({**item, name: new}))
            return
        if origin is list and item:
            check(arguments[0], item[0], lambda new: put([new, *item[1:]]))
        plain = {int: int, str: str, bool: bool, list: list, dict: dict}.get(origin or kind)
        for other in others:
            if plain is not None and type(other) is not plain:
                with pytest.raises(Malformed):
                    parse(Certificate, put(other), "certificate")

    check(Certificate, value, lambda new: new)


def test_json_has_each_key_once_and_numbers_that_are_numbers() -> None:
    assert read_json(b'{"a": [1, {"b": "\xc3\xa9"}]}') == {"a": [1, {"b": "\u00e9"}]}
    for data in (
        b'{"a": 1, "a": 1}',
        b'[{"b": {"a": 1, "a": 2}}]',
        b"NaN",
        b"[Infinity]",
        b"[-Infinity]",
        b"\xff",
        b"{",
        b"",
        b"[" * 10**5,
    ):
        with pytest.raises(Malformed, match=r"^expected "):
            read_json(data)
    assert read_json(b"[Infinity, -Infinity]", constants=True) == [float("inf"), float("-inf")]
    with pytest.raises(Malformed, match="every key"):
        read_json(b'{"a": NaN, "a": 1}', constants=True)


def test_a_certificate_is_of_this_format_and_has_its_digest() -> None:
    data = (ACCEPTED / "s3_chughtai_table.json").read_bytes()
    value = json.loads(data)
    assert read_certificate(json.dumps(value, indent=2).encode()) == read_certificate(data)
    with pytest.raises(Malformed, match="of format 1"):
        read_certificate(json.dumps({**value, "format": "coset-verify certificate 1"}).encode())
    with pytest.raises(Malformed, match="expected the format 'coset-verify certificate 2', got 'coset-verify certificate 3'"):
        read_certificate(json.dumps({**value, "format": "coset-verify certificate 3"}).encode())
    for digest in ("", value["sha256"].upper(), value["sha256"][:-1]):
        with pytest.raises(Differs, match=r"^sha256: the certificate states"):
            read_certificate(json.dumps({**value, "sha256": digest}).encode())
    with pytest.raises(Differs, match=r"^sha256"):
        read_certificate(json.dumps({**value, "not_checked": {**value["not_checked"], "versions": {"x": "1"}}}).encode())


def test_values_are_the_same_with_their_types() -> None:
    same("it", [1, "a"], [1, "a"])
    need(True, "nothing")
    pairs: tuple[tuple[Any, Any], ...] = ((1, True), (0, False), (1, 2), ((1,), [1]), (None, 0), ("1", 1))
    for stated, found in pairs:
        with pytest.raises(Differs, match=r"^it: the certificate states .*, the checker finds "):
            same("it", stated, found)
    with pytest.raises(Malformed, match=r"^a sentence$"):
        need(False, "a sentence")


def test_what_is_shown_is_one_short_line_of_ascii() -> None:
    deep: Any = []
    for _ in range(500):
        deep = [deep, {"k": deep}]
    circle: list[Any] = []
    circle.append(circle)
    for value in (
        "a\nb\r\u2028\u202e\u00e9" * 100,
        deep,
        circle,
        10**4000,
        2**14_000,
        2**14_001,
        {"k" * 1000: 1},
        b"\xff" * 999,
        [*range(99)],
    ):
        text = shown(value)
        assert text.isascii()
        assert text.isprintable()
        assert len(text) < 2500
    assert shown("a\nb") == "'a\\nb'"
    assert shown("\u00e9") == "'\\xe9'"
    assert shown(12) == "12"
    assert shown(2**13_999)[:3] == str(2**13_999)[:3]
    assert shown(2**14_000) == "<an integer of 14,001 bits>"
    assert shown([[[[1]]]]) == "[[[[...]]]]"
    assert len(shown("x" * 400)) == 300


def test_rationals_are_written_up_to_the_longest_that_may_stand_in_a_certificate() -> None:
    for value, text in ((Fraction(3), "3"), (Fraction(-6, 4), "-3/2"), (Fraction(0), "0")):
        assert written(value) == text
    longest = 2**shape.LONGEST - 1
    assert written(Fraction(longest)) == str(longest)
    assert written(Fraction(1, longest)).endswith(str(longest))
    for value in (Fraction(longest + 1), Fraction(1, longest + 1), Fraction(-longest - 1)):
        with pytest.raises(Malformed, match="14,001"):
            written(value)


# ---- the statement


def test_a_sample_is_of_as_many_pairs_as_asked_for_and_the_same_for_a_seed() -> None:
    assert chosen(3, Options()).ys == [[0, 1, 2]] * 3
    assert chosen(3, Options()).complete
    for sample in (1, 5, 8, 9, 100):
        pairs = chosen(3, Options(sample, 4))
        assert pairs.count == min(sample, 9)
        assert pairs.complete == (sample >= 9)
        assert pairs.ys == chosen(3, Options(sample, 4)).ys
        assert all(row == sorted({*row}) and {*row} <= {0, 1, 2} for row in pairs.ys)
    seen = {(x, y) for seed in range(40) for x, row in enumerate(chosen(3, Options(2, seed)).ys) for y in row}
    assert len(seen) == 9


PARTS = ("left", "right", "votes")


def test_each_neuron_is_compared_with_the_program_in_fractions() -> None:
    """The largest deviation of each part, whichever has the finer denominators; neurons left out, divided and dead."""
    kinds = set()
    for seed in range(80):
        draw = random.Random(seed)
        n, width = 3, 4
        p, q, r, s = (draw.choice([0, 2, 5]) for _ in range(4))

        def rows(height: int, length: int, draw: random.Random = draw) -> list[list[int]]:
            return [[draw.randint(-4, 3) for _ in range(length)] for _ in range(height)]

        network = Network(rows(n, width), rows(n, width), [draw.choice([[2] * n, rows(1, n)[0]]) for _ in range(width)], [0] * n, p, q)
        kept = [i for i in range(width) if draw.random() < 0.7]
        draw.shuffle(kept)
        own = Network(rows(n, len(kept)), rows(n, len(kept)), rows(len(kept), n), [0] * n, r, s)
        divided = {i for i in range(width) if i not in kept and draw.random() < 0.4}
        where = {i: (place, place % 2) for place, i in enumerate(kept)}
        program: Any = SimpleNamespace(network=own, where=where, divided=divided, kind=lambda circuit: ("coset", "dual")[circuit])
        records = []
        for i in range(width):
            deviations: list[str | None] = [None] * 3
            if i in where:
                place = where[i][0]
                sides = [
                    (columns(network.left)[i], p, columns(own.left)[place], r),
                    (columns(network.right)[i], p, columns(own.right)[place], r),
                ]
                sides.append((network.votes[i], q, own.votes[place], s))
                deviations = [
                    str(max(abs(Fraction(a, 1 << b) - Fraction(c, 1 << d)) for a, c in zip(u, v, strict=True))) for u, b, v, d in sides
                ]
            top = max(max(row[i] for row in network.left) + max(row[i] for row in network.right), 0)
            kind = "dead" if top == 0 or len({*network.votes[i]}) == 1 else "divided" if i in divided else "left out"
            kind = ("coset", "dual")[where[i][1]] if i in where and kind != "dead" else kind
            kinds.add(kind)
            records.append(shape.NeuronRecord(i, kind, where[i][1] if i in where else None, *deviations))  # type: ignore[arg-type]
        check_neurons(records, network, program)
        k = draw.randrange(width)
        for key, value in (
            ("kind", "raw"), ("circuit", 9), ("index", k + 1), *((f"{part}_deviation", "1/3") for part in PARTS),
        ):  # fmt: skip
            changed = [shape.NeuronRecord(**{**vars(record), key: value}) if i == k else record for i, record in enumerate(records)]
            name = "neurons: " if key == "index" else rf"neurons\[{k}\]\.{key}: "
            with pytest.raises(Differs, match=f"^{name}the certificate states"):
                check_neurons(changed, network, program)
        for fewer in (records[:-1], [*records, records[-1]]):
            with pytest.raises(Differs, match=r"^neurons: "):
                check_neurons(fewer, network, program)
    assert kinds == {"coset", "dual", "divided", "left out", "dead"}


GROUP = Group(shape.GroupRecord("S2", 2, 2, ["(1 2)"]))
RIGHT, ALL = [[0, 1], [1, 0]], Pairs([[0, 1], [0, 1]])


def test_a_status_of_q3_that_the_answers_contradict_is_refused() -> None:
    """For the certificate's own program alone; a sample that is all right contradicts nothing."""
    wrong = [[0, 1], [1, -1]]
    some = Pairs([[0], [1]])
    for status, rows, pairs, fine in (
        ("PROVED", RIGHT, ALL, True), ("PROVED", wrong, ALL, False), ("REFUTED", RIGHT, ALL, False), ("REFUTED", wrong, ALL, True),
        ("UNKNOWN", RIGHT, ALL, True), ("UNKNOWN", wrong, ALL, True), ("PROVED", [[0], [0]], some, True),
        ("REFUTED", [[0], [0]], some, True),
        ("PROVED", [[0], [1]], some, False), ("REFUTED", [[0], [1]], some, True),
    ):  # fmt: skip
        for provable in (None, object()):
            c: Any = SimpleNamespace(symbolic=SimpleNamespace(provable=provable, status=status))
            if fine or provable is not None:
                check_status(c, GROUP, rows, pairs)
            else:
                with pytest.raises(Differs, match=r"^symbolic\.status: the certificate states"):
                    check_status(c, GROUP, rows, pairs)


def test_a_status_of_q4_follows_from_q1_and_the_count() -> None:
    for status, certified, correct, right, fine in (
        ("PROVED", 4, "PROVED", 4, True), ("UNKNOWN", 4, "PROVED", 4, False), ("UNKNOWN", 3, "PROVED", 4, True),
        ("PROVED", 3, "PROVED", 4, False), ("REFUTED", 3, "REFUTED", 3, True), ("UNKNOWN", 3, "REFUTED", 3, False),
        ("REFUTED", 4, "REFUTED", 3, False), ("REFUTED", 3, "PROVED", 4, False), ("REFUTED", 2, "REFUTED", 3, True),
    ):  # fmt: skip
        c: Any = SimpleNamespace(correct=SimpleNamespace(pairs=4, status=correct, right=right))
        compact: Any = SimpleNamespace(certified=certified, status=status)
        if fine:
            check_compact_status(c, compact)
        else:
            with pytest.raises(Differs, match=r"^compact\.(status|certified): the certificate states"):
                check_compact_status(c, compact)


def test_names_of_subgroups_are_looked_at_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(statement, "check_subgroup_name", lambda record, members, group: seen.append((record, members, group)))
    program: Any = SimpleNamespace(program=SimpleNamespace(subgroups=["a", "b"]), subgroups=[[0], [0, 1]])
    statement.check_names(program, GROUP)
    assert seen == [("a", [0], GROUP), ("b", [0, 1], GROUP)]
