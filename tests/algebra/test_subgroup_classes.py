"""Classes of subgroups without their conjugates: against all subgroups, against GAP, and against what every group must satisfy."""

import json
from collections import Counter
from math import gcd
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algebra import class_search, element_table, perfect_subgroups
from algebra.cyclic_extension import search_classes
from algebra.element_table import ElementTable
from algebra.errors import GroupError
from algebra.group import FiniteGroup, parse_generators, parse_group
from algebra.lattice import subgroups
from algebra.perfect_subgroups import primes_of
from algebra.permutation import compose, inverse
from algebra.public import ClassRepresentative, subgroup_classes
from algebra.subgroup import Subgroup, closure, derived_mask

DATA = Path(__file__).parent.parent / "data"
#: By generators: 2^3:L3(2), where a complement has two classes; 2^4:A5; PSL(2,8) on nine points, PSL(3,3) on thirteen.
AFFINE = "(1 2 3 4 5 6 7), (1 2)(3 6), (1 8)(2 4)(3 7)(5 6)"
EVEN_SIGNS = "(1 3 5 7 9)(2 4 6 8 10), (1 3 5)(2 4 6), (1 2)(3 4)"
L2_8 = "(1 2 3 4 5 6 7), (1 8)(2 4)(3 7)(5 6), (2 7)(3 6)(4 5)(8 9)"
L3_3 = "(1 10 4)(6 9 7)(8 12 13), (1 3 2)(4 9 5)(7 8 12)(10 13 11)"


def table_of(name: str) -> ElementTable:
    known = parse_generators(name)
    return ElementTable(known.name, known.degree, known.generators)


def residual_order(group: FiniteGroup, members: Subgroup) -> int:
    """Order of the last term of the derived series, from the Cayley table."""
    mask = members.mask
    while (smaller := derived_mask(group, mask, Subgroup(group, mask).generators)).sum() < mask.sum():
        mask = smaller
    return int(mask.sum())


@pytest.mark.parametrize(
    "name",
    [
        "S1", "C2", "C12", "S3", "S4", "S5", "S6", "A4", "A5", "A6", "PSL(2,7)", "PSL(2,11)", "PGL(2,7)", "SL(2,5)", "GL(2,3)", "Q8",
        "Q16", "F20", "F21", "D12", "D118", "Dic3", "Dic6", "C2^3", "C2^4", "C3^3", "S3wrS2", "S3xS3", "A4xS3", "A5xC2", "S5xC2",
        "Aff(16)", EVEN_SIGNS,
    ],
)  # fmt: skip
def test_classes_are_those_of_all_subgroups(name: str) -> None:
    """The exhaustive list, found by another search, has each representative once, in a class of that length, with that residual."""
    group = parse_group(name)
    lattice = subgroups(group)
    found = subgroup_classes(group)
    hit = []
    for one in found:
        mask = closure(group, [group.index_of(images) for images in one.generators])
        there = lattice.classes[int(lattice.class_of[lattice.find(mask)])]
        assert (one.order, one.length) == (there.order, there.length)
        assert one.residual_order == residual_order(group, Subgroup(group, mask))
        hit.append(there.number)
    assert sorted(hit) == list(range(len(lattice.classes)))


def told(classes: list[tuple[int, int, tuple[int, ...]]]) -> Counter[tuple[int, int, tuple[int, ...]]]:
    return Counter(classes)


def lengths_of_orbits(one: ClassRepresentative, degree: int) -> tuple[int, ...]:
    moved = [len(orbit) for orbit in one.orbits]
    return tuple(sorted(moved + [1] * (degree - sum(moved))))


@pytest.mark.parametrize(
    ("name", "classes", "number"),
    [("S7", 96, 11300), ("S8", 296, 151221), ("M11", 39, 8651), ("A6", 22, 501), ("PSL(2,7)", 15, 179), ("PSL(2,11)", 16, 620)],
)
def test_classes_are_gaps(name: str, classes: int, number: int) -> None:
    """Orders, numbers of conjugates and lengths of orbits, as GAP 4.12 has them (scripts/subgroups.g)."""
    oracle: dict[str, Any] = json.loads((DATA / f"subgroups_{name}.json").read_text())
    found = subgroup_classes(name)
    assert (len(found), sum(one.length for one in found)) == (classes, number)
    assert told([(one.order, one.length, lengths_of_orbits(one, oracle["degree"])) for one in found]) == told(
        [(one["order"], one["conjugates"], tuple(one["orbit_lengths"])) for one in oracle["classes"]]
    )


@pytest.mark.slow
@pytest.mark.parametrize(("name", "classes", "number"), [("S9", 554, 1694723), ("A8", 137, 48337)])
def test_numbers_of_classes_of_large_groups(name: str, classes: int, number: int) -> None:
    """554 classes of S9, 1,694,723 subgroups (OEIS A000638, A005432); 137 and 48,337 of A8 (GAP 4.12)."""
    found = subgroup_classes(name)
    assert (len(found), sum(one.length for one in found)) == (classes, number)


@pytest.mark.parametrize("name", ["S7", "M11", "A5wrC2", "C2wrA5", AFFINE, "PSL(2,17)"])
def test_numbers_of_subgroups_satisfy_the_theorems_of_frobenius(name: str) -> None:
    """Subgroups of order p^k number 1 modulo p where p^k divides |G| (Frobenius, 1895); elements are counted by cyclic subgroups."""
    table = table_of(name)
    found = search_classes(table)
    number = Counter[int]()
    elements = 0
    for one in found:
        length = table.order // one.normalizer_order
        number[one.order] += length
        if (table.element_orders[one.elements] == one.order).any():
            elements += length * sum(gcd(k, one.order) == 1 for k in range(one.order))
    assert elements == table.order
    for prime in primes_of(table.order):
        power = prime
        while table.order % power == 0:
            assert number[power] % prime == 1
            power *= prime


@pytest.mark.parametrize(
    ("name", "perfect"),
    [
        ("S7", [1, 60, 60, 168, 360, 2520]),
        (AFFINE, [1, 168, 168, 1344]),
        ("A5xA5", [1, 60, 60, 60, 60, 3600]),
        ("A5wrC2", [1, 60, 60, 60, 3600]),
        ("SL(2,5)", [1, 120]),
        ("M11", [1, 60, 60, 360, 660, 7920]),
    ],
)  # fmt: skip
def test_perfect_subgroups(name: str, perfect: list[int]) -> None:
    """Orders of one perfect subgroup of each class: those that GAP 4.12 calls perfect."""
    assert [one.order for one in subgroup_classes(name) if one.perfect] == perfect


@pytest.mark.parametrize(("search", "name"), [("_generated_by_two", "S7"), ("_not_normal_in", "S7")])
def test_both_ways_to_perfect_subgroups_of_s7_are_needed(search: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the first A5 is missed, without the second A6."""
    complete = len(subgroup_classes(name))
    monkeypatch.setattr(perfect_subgroups, search, lambda *_: iter(()))
    assert len(subgroup_classes(name)) < complete


@pytest.mark.parametrize("most", [59, 60, 167, 168, 359, 504, 660, 5_616, 29_120, 500_000])
def test_orders_of_simple_groups(most: int) -> None:
    """PSL(2,q) for every prime power q up to the limit, PSL(3,3) and Sz(8), by their definitions."""
    powers = [p**k for p in range(2, 110) if all(p % d for d in range(2, p)) for k in range(1, 7) if 4 <= p**k <= 110]
    linear = [(q**3 - q) // (1 if q % 2 == 0 else 2) for q in powers]
    expected = [(order, 3) for order in [*linear, 5616] if order <= most] + [(29120, 5)] * (most >= 29120)
    assert sorted(perfect_subgroups._simple_orders(most)) == sorted(expected)


@pytest.mark.parametrize(
    ("name", "order"),
    [
        ("PSL(2,5)", 60),
        ("PSL(2,7)", 168),
        (L2_8, 504),
        ("PSL(2,11)", 660),
        ("PSL(2,13)", 1092),
        ("PSL(2,17)", 2448),
        (L3_3, 5616),
        ("A6", 360),
    ],
)
def test_simple_groups_are_generated_by_elements_of_order_two_and_three(name: str, order: int) -> None:
    """What the search rests on (Macbeath, Garbe), for small groups; PSL(2,9) = A6 is the exception."""
    table = table_of(name)
    assert table.order == order
    whole = np.ones(order, dtype=bool)
    pairs = [pair for mask, pair in perfect_subgroups._generated_by_two(table, whole) if mask.all()]
    assert any(table.element_orders[list(pair)].tolist() == [2, 3] for pair in pairs) == (name != "A6")


@given(st.sampled_from(["S5", "M11", "D118", "PSL(2,7)", "C2^4", "S1"]), st.integers(0, 10**6), st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_products_are_those_of_permutations(name: str, first: int, second: int) -> None:
    """By images of all points, in each of the ways to multiply."""
    table = TABLES.setdefault(name, table_of(name))
    x, y = first % table.order, second % table.order
    images = [tuple(table.elements[k].tolist()) for k in (x, y)]
    product = table.number(compose(*images))
    assert table.times(np.array([x]), y).tolist() == table.left_times(x, np.array([y])).tolist() == [product]
    assert table.products(np.array([x]), np.array([y])).tolist() == [product]
    assert int(table.inverse[x]) == table.number(inverse(images[0]))
    conjugate = table.number(compose(compose(inverse(images[1]), images[0]), images[1]))
    assert table.conjugates(x, np.array([y])).tolist() == [conjugate]
    assert table.class_of[conjugate] == table.class_of[x]
    assert table.powers(np.array([x]), 3).tolist() == [table.number(compose(compose(images[0], images[0]), images[0]))]


TABLES: dict[str, ElementTable] = {}


def test_products_of_many_elements_and_of_few_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    table = table_of("S6")
    everything = np.arange(table.order)
    few = [table.times(everything, y) for y in range(0, table.order, 37)]
    monkeypatch.setattr(element_table, "_MANY", 1)
    many = [table.times(everything, y) for y in range(0, table.order, 37)]
    assert all(np.array_equal(a, b) for a, b in zip(few, many, strict=True))


@pytest.mark.parametrize("name", ["S5", "M11", "Q8"])
def test_a_table_numbers_elements_and_classes_as_the_group_does(name: str) -> None:
    group, table = parse_group(name), table_of(name)
    assert np.array_equal(group.elements, table.elements)
    assert np.array_equal(group.class_of, table.class_of)
    assert np.array_equal(group.element_orders, table.element_orders)
    assert np.array_equal(group.inv, table.inverse)


def test_bisection_finds_the_same_products_as_the_dense_table(monkeypatch: pytest.MonkeyPatch) -> None:
    dense = table_of("S5")
    monkeypatch.setattr(element_table, "_MOST_KEYS", 1)
    sparse = table_of("S5")
    everything = np.arange(120)
    for y in range(0, 120, 7):
        assert np.array_equal(dense.times(everything, y), sparse.times(everything, y))


def test_profiles_only_save_comparisons(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without them the classes are the same."""
    before = [(one.order, one.length) for one in subgroup_classes("S6")]
    monkeypatch.setattr(class_search, "_MOST_PROFILED", 0)
    assert [(one.order, one.length) for one in subgroup_classes("S6")] == before


def test_what_is_too_large_is_refused_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(element_table, "MOST_ELEMENTS", 100)
    with pytest.raises(GroupError, match="at most 100 elements, got S5 with more"):
        subgroup_classes("S5")
    monkeypatch.undo()
    monkeypatch.setattr(class_search, "MOST_CLASSES", 10)
    with pytest.raises(GroupError, match="at most 10 classes of subgroups, got S4 with more"):
        subgroup_classes("S4")
    monkeypatch.undo()
    monkeypatch.setattr(element_table, "_MOST_ENTRIES", 10)
    with pytest.raises(GroupError, match="got a base of 3 points"):
        subgroup_classes("S4")
    with pytest.raises(GroupError, match="Expected a group such as"):
        subgroup_classes("nobody")


def test_a_permutation_outside_the_group_has_no_number() -> None:
    with pytest.raises(GroupError, match="outside it"):
        table_of("A4").number((1, 0, 2, 3))
