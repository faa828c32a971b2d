"""Products through classes of y: the same numbers as the plain product, where it saves operations, and nothing else where not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, get_args

import msgspec
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from algebra.group import FiniteGroup, parse_group
from algebra.lattice import subgroups
from net.weights import Weights
from tests.reports.test_program_text import random_form
from verify.compare.bounded_logits import BoundedLogits
from verify.exact import class_product
from verify.exact.class_product import ClassProduct, shared_classes
from verify.exact.exhaustive import Evaluation, evaluate
from verify.exact.scaled_integers import BITS, ScaledNetwork, round_network
from verify.program.form import Form, On, list_length, over_group
from verify.program.program import FORMAT, Circuit, Neuron, Program, expand, group_record, subgroup_record

if TYPE_CHECKING:
    from collections.abc import Iterable

KINDS: list[On] = [on for on in get_args(On) if on != "shared"]
LOOKS: list[On] = ["left cosets", "double cosets", "images"]


def structured(rng: np.random.Generator, n: int, sets: Iterable[tuple[int, int]], alone: int, largest: int) -> list[np.ndarray]:
    """Integers L, R, V, in a random order: neurons that are ``alone``, and for each (m, c) m neurons that read y through c classes."""
    columns = [rng.integers(-largest, largest + 1, (n, alone))]
    for m, c in sets:
        labels = rng.permutation(np.arange(n) % c)
        columns.append(rng.integers(-largest, largest + 1, (c, m))[labels])
    R = np.concatenate(columns, axis=1)
    R = R[:, rng.permutation(R.shape[1])]
    return [rng.integers(-largest, largest + 1, R.shape), R, rng.integers(-largest, largest + 1, R.shape[::-1])]


def definition(L: np.ndarray, R: np.ndarray, V: np.ndarray, activation: str) -> np.ndarray:
    """Every logit (n, n, columns) by Python's integers, pair by pair."""
    L, R, V = (array.astype(np.int64).astype(object) for array in (L, R, V))
    found = np.empty((len(L), len(R), V.shape[1]), dtype=object)
    for x, y in np.ndindex(len(L), len(R)):
        p = L[x] + R[y]
        found[x, y] = (p * p if activation == "square" else np.maximum(p, 0)) @ V
    return found


def together(product: ClassProduct, x: np.ndarray, step: int, cut: int) -> np.ndarray:
    """All blocks as one table, each pair of which is met once."""
    n = len(product.R)
    found, met = np.zeros((len(x), n, product.V.shape[1]), product.V.dtype), np.zeros((len(x), n), dtype=int)
    place = {int(one): k for k, one in enumerate(x)}
    for part, y, logits in product.blocks(x, step, cut):
        assert logits.dtype == product.V.dtype
        assert 1 <= len(part) <= step
        assert 1 <= y.stop - y.start <= cut
        rows = [place[int(one)] for one in part]
        found[rows, y] = logits.reshape(len(part), y.stop - y.start, -1)
        met[rows, y] += 1
    assert (met == 1).all()
    return found


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("activation", ["relu", "square"])
@pytest.mark.parametrize(
    ("n", "sets", "alone"), [(24, [(9, 4), (5, 2)], 3), (24, [(9, 4)], 0), (30, [(7, 1), (8, 3), (9, 5)], 6), (7, [(5, 2)], 2)]
)
def test_logits_are_those_of_the_definition(n, sets, alone, activation, dtype, monkeypatch):
    """In blocks of any size, for all x or some in any order, and however many tables are made at once."""
    rng = np.random.default_rng(n)
    arrays = structured(rng, n, sets, alone, 6)
    L, R, V = (array.astype(dtype) for array in arrays)
    twin = definition(*arrays, activation)
    product = ClassProduct.of(L, R, V, activation, n)
    assert product.tables
    assert product.inner < len(V)
    x = rng.permutation(n)[: n - 2]
    for size in (1, 5000, 1 << 23):
        monkeypatch.setattr(class_product, "_BATCH_BYTES", size)
        for step, cut in ((1, n), (1, 5), (3, n), (n, n)):
            assert np.array_equal(together(product, x, step, cut), twin[x])


def test_one_y_in_the_wrong_class_is_noticed():
    """The tables of a product that looks an y up in another class are those of another network."""
    arrays = structured(np.random.default_rng(1), 24, [(9, 4)], 3, 6)
    product = ClassProduct.of(*(array.astype(np.float32) for array in arrays), "relu", 24)
    twin, everyone = definition(*arrays, "relu"), np.arange(24)
    assert np.array_equal(together(product, everyone, 2, 24), twin)
    moved = product.indicators.copy()
    moved[5] = np.roll(moved[5], 1)
    wrong = together(replace(product, indicators=moved), everyone, 2, 24)
    assert not np.array_equal(wrong[:, 5], twin[:, 5])
    assert np.array_equal(np.delete(wrong, 5, axis=1), np.delete(twin, 5, axis=1))


@pytest.mark.parametrize("change", [1, -1])
def test_a_neuron_that_differs_at_one_y_is_not_read_through_the_classes(change):
    """One entry of R more or less by 1: another division into classes, and the logits of the definition."""
    arrays = structured(np.random.default_rng(2), 24, [(9, 3)], 0, 6)
    whole = shared_classes(arrays[1].astype(np.float32), 24)
    assert [len(one.neurons) for one in whole] == [9]
    y, neuron = 7, 4
    arrays[1][y, neuron] += change
    for other in range(24):  # the changed y has a number of its own
        arrays[1][other, neuron] += 10 * change * (other != y and arrays[1][other, neuron] == arrays[1][y, neuron])
    L, R, V = (array.astype(np.float32) for array in arrays)
    (found,) = shared_classes(R, 24)
    assert neuron not in found.neurons
    assert len(found.neurons) == 8
    product = ClassProduct.of(L, R, V, "relu", 24)
    assert np.array_equal(together(product, np.arange(24), 2, 24), definition(*arrays, "relu"))


def by_sets(R: np.ndarray, rows: int) -> list[tuple[list[int], int]]:
    """Sets and their numbers of classes by frozen sets of y: the greedy choice, in so many words."""
    k = R.shape[1]
    divisions = [frozenset(frozenset(np.flatnonzero(R[:, i] == value).tolist()) for value in set(R[:, i].tolist())) for i in range(k)]
    left, found = set(range(k)), list[tuple[list[int], int]]()
    while True:
        best: tuple[int, list[int], int] = (0, [], 0)
        for division in divisions:
            inside = [i for i in left if all(any(part <= whole for whole in divisions[i]) for part in division)]
            saved = rows * (len(inside) - len(division)) - len(division) * len(inside)
            best = max(best, (saved, sorted(inside), len(division)), key=lambda one: one[0])
        if best[0] <= 0:
            return found
        left -= set(best[1])
        found.append(best[1:])


@pytest.mark.parametrize("rows", [1, 4, 12])
@pytest.mark.parametrize("seed", range(6))
def test_sets_are_those_that_save_most_first(seed, rows):
    """Savings are distinct enough here for the greedy choice to be the same: the sizes of sets and classes, and every class."""
    rng = np.random.default_rng(seed)
    R = structured(rng, 12, [(7, 2), (6, 3), (4, 4)], 3, 4)[1].astype(np.float32)
    found, twin = shared_classes(R, rows), by_sets(R, rows)
    assert [rows * (len(s.neurons) - len(s.members)) - len(s.members) * len(s.neurons) for s in found] == [
        rows * (len(neurons) - c) - c * len(neurons) for neurons, c in twin
    ]
    assert len(set(np.concatenate([[], *(s.neurons for s in found)]).tolist())) == sum(len(s.neurons) for s in found)
    for one in found:
        assert np.array_equal(one.labels[one.members], np.arange(len(one.members)))
        assert np.array_equal(R[one.members][one.labels][:, one.neurons], R[:, one.neurons])
    assert rows < 12 or found


def test_columns_without_equal_numbers_have_no_sets():
    rng = np.random.default_rng(0)
    assert shared_classes(rng.normal(size=(24, 100)), 24) == []
    assert shared_classes(np.zeros((24, 1)), 24) == []
    assert shared_classes(np.zeros((24, 0)), 24) == []
    assert [len(s.neurons) for s in shared_classes(np.zeros((24, 2)), 24)] == [2]


def test_tables_that_are_not_finite_leave_it_to_the_plain_product():
    """A class on which a sum overflows would make no number of the others: 0 times infinity."""
    rng = np.random.default_rng(3)
    L, R, V = (array.astype(np.float64) for array in structured(rng, 12, [(6, 2)], 2, 6))
    product = ClassProduct.of(L, R, V, "relu", 12)
    assert product.tables
    neuron = product.tables[0].R.shape[1] and int(shared_classes(R, 12)[0].neurons[0])
    L[:, neuron], R[:, neuron], V[neuron] = 0, np.where(R[:, neuron] == R[0, neuron], 1e300, 0), 1e10
    with np.errstate(over="ignore", invalid="ignore"):
        product = ClassProduct.of(L, R, V, "relu", 12)
        assert product.tables
        found = together(product, np.arange(12), 1, 12)
        plain = np.maximum(L[:, None] + R, 0) @ V
    assert np.isfinite(found).any()
    assert not np.isfinite(found).all()
    assert np.array_equal(found, plain)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), precision=st.sampled_from(["float32", "float64"]), activation=st.sampled_from(["relu", "square"]))
def test_sums_at_the_edge_of_the_significand_are_exact(seed, precision, activation):
    """Networks at the finest scale that fits: absolute products of a pair add up to nearly 2^T, and every logit is its integer."""
    rng = np.random.default_rng(seed)
    n = 12
    L, R, V = structured(rng, n, [(7, 2), (6, 3)], 2, 6)
    sizes = 2.0 ** rng.integers(-8, 9, len(V))
    weights = Weights.from_arrays(L * sizes, R * sizes, V * rng.uniform(0.5, 1, V.shape), activation=activation)
    network = round_network(weights, precision)
    assert network is not None
    product = ClassProduct.of(network.L, network.R, network.U, activation, n)
    assume(product.tables)
    twin = definition(network.L, network.R, network.U, activation)
    most = definition(network.L, network.R, np.abs(network.U), activation).max()
    assert 2 ** (BITS[precision] - 6) < most <= 2 ** BITS[precision]
    found = {}
    for part, logits in network.blocks(None):
        assert isinstance(part, slice)
        found.update(zip(range(part.start, part.stop), logits, strict=True))
    assert np.array_equal(np.array([found[pair] for pair in range(n * n)]), twin.reshape(n * n, n))


def test_beyond_the_significand_orders_of_summation_differ():
    """2^24 + 1 + 1 in float32, where the 1s are of one set and 2^24 of another: what the bound on absolute values keeps away."""
    classes, ones = np.arange(8) % 2, np.ones((8, 7), np.float32)
    R = np.stack([*[classes] * 6, np.arange(8)], axis=1).astype(np.float32)
    V = np.array([1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 2.0**24], np.float32)[:, None]
    for bit, exact in ((2.0**24, False), (2.0**20, True)):
        V[6] = bit
        product = ClassProduct.of(0 * ones, R, V, "relu", 8)
        (table,) = product.tables
        assert len(table.V) == 6
        twin = definition(0 * ones, R, V, "relu")
        assert np.array_equal(together(product, np.arange(8), 1, 8), twin) == exact


def programs(group: FiniteGroup, on: On, seed: int) -> Program:
    """Circuits that look at y in a few ways, several neurons each, and vote through forms of one kind."""
    rng = np.random.default_rng(seed)
    everyone = subgroups(group).all
    large = [k for k, s in enumerate(everyone) if 1 < s.index <= 12] or [len(everyone) - 1]
    circuits = []

    def integers(size: int, largest: int) -> tuple[int, ...]:
        return tuple(int(v) for v in rng.integers(-largest, largest + 1, size))

    for number in range(6):
        point = large[number % 2 * (len(large) - 1)]
        left = Form("right cosets", (int(rng.choice(large)),))
        right = Form("left cosets", (point,)) if number < 4 else random_form(group, LOOKS[number % 3], rng)
        votes = random_form(group, on, rng)
        sizes = [list_length(group, over_group(form, everyone)) for form in (left, right, votes)]
        neurons = tuple(Neuron(20 * number + i, *(integers(size, 7) for size in sizes)) for i in range(8))
        circuits.append(Circuit(left, right, votes, neurons))
    records = tuple(subgroup_record(s) for s in everyone)
    return Program(FORMAT, group_record(group), records, 3, 2, integers(group.order, 20), tuple(circuits))


def with_and_without(weights: Weights, tiers: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> tuple[Evaluation, Evaluation, int]:
    """The evaluation, that by plain products, and how many sets of neurons the first one found."""
    counted: list[int] = []
    real = class_product.shared_classes

    def watched(R: np.ndarray, rows: int) -> list[class_product.SharedClasses]:
        found = real(R, rows)
        counted.append(len(found))
        return found

    with monkeypatch.context() as patch:
        patch.setattr(class_product, "shared_classes", watched)
        one = evaluate(weights, tiers=tiers)
        patch.setattr(class_product, "shared_classes", lambda R, rows: [])
        return one, evaluate(weights, tiers=tiers), sum(counted)


@pytest.mark.parametrize("on", KINDS)
@pytest.mark.parametrize("name", ["S4", "A5", "D8", "S5"])
def test_programs_are_evaluated_alike_with_and_without_classes(name, on, monkeypatch):
    """In integers bit for bit; with rounded products in its answers and in pairs decided, which are not near a tie here."""
    group = parse_group(name)
    weights = expand(programs(group, on, KINDS.index(on)), group, subgroups(group).all)
    for tiers in (("float32", "float64", "exact"), ("float64", "exact")):
        one, other, sets = with_and_without(weights, tiers, monkeypatch)
        assert sets
        assert one.tiers == other.tiers
        assert sum(one.tiers[tier] for tier in tiers[:-1])
        for field in ("answer", "margin_low", "margin_high", "runner_up"):
            assert np.array_equal(getattr(one, field), getattr(other, field))
    rounded, _, sets = with_and_without(weights, ("rounded", "exact"), monkeypatch)
    assert sets
    assert rounded.tiers["rounded"]
    assert np.array_equal(rounded.answer, one.answer)
    assert (rounded.margin_low <= one.margin_high).all()
    assert (one.margin_low <= rounded.margin_high).all()


@pytest.mark.parametrize("name", ["S4", "S5"])
def test_logits_that_are_compared_are_the_integers(name, monkeypatch):
    """Programs that 52 bits hold are compared through classes as well: no error, the exact integers, the same without classes."""
    group = parse_group(name)
    weights = expand(programs(group, "left cosets", 1), group, subgroups(group).all)
    exact, x = weights.exact(), np.array([3, 0, 17])
    (block,) = BoundedLogits(weights).blocks(x, 3)
    assert len(shared_classes(weights.R, group.order)) > 0
    assert not block.error.any()
    for k, (one, y) in enumerate((one, y) for one in x.tolist() for y in range(group.order)):
        assert (block.logits[k] * 2.0**exact.logit_bits - block.logits[k, 0] * 2.0**exact.logit_bits).tolist() == [
            float(v) for v in exact.logits(one, y) - exact.logits(one, y)[0]
        ]
    monkeypatch.setattr(class_product, "shared_classes", lambda R, rows: [])
    (plain,) = BoundedLogits(weights).blocks(x, 3)
    assert np.array_equal(block.logits, plain.logits)


def test_a_program_with_one_more_vote_is_another(monkeypatch):
    """One integer of a list of votes changed: the answers differ, with classes and without, in the same pairs."""
    group = parse_group("S4")
    program = programs(group, "left cosets", 3)
    neuron = program.circuits[0].neurons[0]
    changed = msgspec.structs.replace(neuron, votes=(neuron.votes[0] + 60, *neuron.votes[1:]))
    first = msgspec.structs.replace(program.circuits[0], neurons=(changed, *program.circuits[0].neurons[1:]))
    other = msgspec.structs.replace(program, circuits=(first, *program.circuits[1:]))
    found = [with_and_without(expand(p, group, subgroups(group).all), ("float64", "exact"), monkeypatch) for p in (program, other)]
    assert all(sets for _, _, sets in found)
    (one, plain, _), (after, plain_after, _) = found
    assert (one.answer != after.answer).any()
    assert np.array_equal(one.answer != after.answer, plain.answer != plain_after.answer)


def test_blocks_of_a_scaled_network_are_all_pairs_once(monkeypatch):
    """Of whole rows x where a block holds them, else of a part of one; in lists of pairs, of so many pairs."""
    rng = np.random.default_rng(4)
    L, R, V = (array.astype(np.float32) for array in structured(rng, 12, [(6, 2)], 2, 6))
    network, twin = ScaledNetwork(L, R, V, 0, 0.0), definition(L, R, V, "relu").reshape(144, 12)
    for size in (1, 48, 5 * 48, 12 * 48, 30 * 48, 1 << 20):
        monkeypatch.setattr("verify.exact.scaled_integers._BLOCK_BYTES", size)
        start = 0
        for part, logits in network.blocks(None):
            assert isinstance(part, slice)
            assert part.start == start
            assert part.stop - part.start <= network.rows
            assert np.array_equal(logits, twin[part])
            start = part.stop
        assert start == 144
        pairs = rng.permutation(144)[:100]
        parts = list(network.blocks(pairs))
        assert np.array_equal(np.concatenate([part for part, _ in parts]), pairs)
        assert np.array_equal(np.concatenate([logits for _, logits in parts]), twin[pairs])
