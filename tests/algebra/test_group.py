"""Groups: tables by definition, names, limits."""

from itertools import permutations, product
from math import factorial

import numpy as np
import pytest
from sympy.combinatorics import Permutation, PermutationGroup

from algebra.errors import GroupError
from algebra.group import MAX_ORDER, FiniteGroup, parse_group
from algebra.permutation import parity

SMALL = [
    "S1",
    "S2",
    "S3",
    "S4",
    "S5",
    "A3",
    "A4",
    "A5",
    "C6",
    "D8",
    "D10",
    "S3xS3",
    "C2xC2xC3",
    "(1 2 3 4), (1 3)",
]


def test_elements_of_s_n_are_the_permutations_in_lexicographic_order() -> None:
    for n in range(1, 7):
        assert parse_group(f"S{n}").elements.tolist() == [list(p) for p in permutations(range(n))]


def test_elements_of_a_n_are_the_even_permutations() -> None:
    for n in range(1, 8):
        even = [list(p) for p in permutations(range(n)) if parity(p) == 0]
        assert parse_group(f"A{n}").elements.tolist() == even


@pytest.mark.parametrize("name", SMALL)
def test_tables_hold_by_definition(name: str) -> None:
    group = parse_group(name)
    rows = group.elements.tolist()
    place = {tuple(row): i for i, row in enumerate(rows)}
    identity = tuple(range(group.degree))
    for x, y in product(range(group.order), repeat=2):
        assert group.mul[x, y] == place[tuple(rows[y][i] for i in rows[x])]
    for x, row in enumerate(rows):
        assert group.mul[x, group.inv[x]] == 0 == place[identity]
        powers = [x]
        while powers[-1]:
            powers.append(int(group.mul[powers[-1], x]))
        assert group.element_orders[x] == len(powers) if x else group.element_orders[x] == 1
        assert group.parity[x] == parity(row)


@pytest.mark.parametrize("name", SMALL)
def test_conjugacy_classes_are_orbits_of_conjugation(name: str) -> None:
    group = parse_group(name)
    for x in range(group.order):
        orbit = {int(group.mul[group.mul[group.inv[g], x], g]) for g in range(group.order)}
        number = int(group.class_of[x])
        assert set(group.conjugacy_classes[number].tolist()) == orbit
    firsts = [int(one[0]) for one in group.conjugacy_classes]
    assert firsts == sorted(firsts)


def test_the_product_is_that_of_sympy() -> None:
    group = parse_group("S4")
    members = [Permutation(row) for row in group.elements.tolist()]
    for x, y in product(range(24), repeat=2):
        assert (members[x] * members[y]).array_form == group.elements[group.mul[x, y]].tolist()


@pytest.mark.parametrize("text", ["(1 2 3 4 5 6 7), (2 4 3 7 5 6)", "(1 2)(3 4), (1 3)(2 4), (5 6 7)"])
def test_order_of_a_generated_group_is_that_of_sympy(text: str) -> None:
    group = parse_group(text)
    named = PermutationGroup([Permutation(list(images)) for images in group.generators])
    assert group.order == named.order()


def test_orders_of_named_groups() -> None:
    expected = {"S7": 5040, "A7": 2520, "C12": 12, "D14": 14, "S4xS4": 576, "a4 X c2": 24, "S3*S3": 36}
    assert {name: parse_group(name).order for name in expected} == expected


def test_equal_names_give_the_same_object() -> None:
    assert parse_group("s3 x S3") is parse_group("S3xS3")
    assert parse_group("(1 2 3),(1 2)") is parse_group("(1,2,3) ; (1 2)")


@pytest.mark.parametrize("name", [*SMALL, "A6", "D8xC3"])
def test_the_name_of_a_group_gives_it_back(name: str) -> None:
    group = parse_group(name)
    assert parse_group(group.name) is group


def test_dihedral_names_state_the_order() -> None:
    group = parse_group("D10")
    assert (group.order, group.degree) == (10, 5)
    assert sorted(group.element_orders.tolist()) == [1, 2, 2, 2, 2, 2, 5, 5, 5, 5]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "S",
        "X5",
        "S0",
        "D7",
        "D4",
        "S5x",
        "S-3",
        "C300",
        "5",
        "(1 2",
        "(1 2 3), 4",
        "(1 300)",
        "(1 999999999)",
    ],
)
def test_what_names_no_group_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(GroupError, match=r"^Expected [^\n]*\.$"):
        parse_group(text)


@pytest.mark.parametrize("text", ["S8", "A8", "S7xC2", "(1 2 3 4 5 6 7 8 9), (1 2)"])
def test_a_group_that_is_too_large_is_refused_with_the_limit(text: str) -> None:
    with pytest.raises(GroupError, match=f"{MAX_ORDER:,}"):
        parse_group(text)


def test_index_of_takes_one_element_or_many() -> None:
    group = parse_group("A5")
    assert group.index_of((0, 1, 2, 3, 4)) == 0
    assert np.array_equal(group.index_of(group.elements), np.arange(60))
    assert np.array_equal(group.index_of(group.elements.reshape(3, 20, 5)), np.arange(60).reshape(3, 20))


@pytest.mark.parametrize("images", [(1, 0, 2, 3, 4), (0, 0, 1, 2, 3), (0, 1, 2), (256, 1, 2, 3, 4), (-1, 1, 2, 3, 4)])
def test_index_of_refuses_what_is_not_an_element(images: tuple[int, ...]) -> None:
    with pytest.raises(GroupError, match=r"^Expected"):
        parse_group("A5").index_of(images)


def test_the_number_of_classes_of_s_n_is_the_number_of_partitions() -> None:
    assert [len(parse_group(f"S{n}").conjugacy_classes) for n in range(1, 8)] == [1, 2, 3, 5, 7, 11, 15]


def test_groups_are_told_apart_by_identity() -> None:
    group = parse_group("S3")
    assert isinstance(group, FiniteGroup)
    assert len({group, parse_group("S3"), parse_group("D6")}) == 2
    assert group.order == factorial(3)
