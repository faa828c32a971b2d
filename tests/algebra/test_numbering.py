"""The three published numberings."""

import numpy as np
import pytest
from sympy.combinatorics.named_groups import AlternatingGroup, SymmetricGroup

from algebra.errors import GroupError
from algebra.group import parse_group
from algebra.numbering import ELEMENT_ORDERS, element_order, generated_order
from algebra.permutation import parity

NAMES = ["S1", "S2", "S3", "S4", "S5", "A3", "A4", "A5"]


@pytest.mark.parametrize("name", [*NAMES, "S6", "D10"])
@pytest.mark.parametrize("order", ELEMENT_ORDERS)
def test_each_is_a_numbering_of_all_elements(name: str, order: str) -> None:
    group = parse_group(name)
    assert sorted(element_order(group, order).tolist()) == list(range(group.order))


@pytest.mark.parametrize("name", NAMES)
def test_even_first_lists_even_permutations_first_and_each_half_by_images(name: str) -> None:
    group = parse_group(name)
    rows = group.elements[element_order(group, "even-first")].tolist()
    assert rows == sorted(rows, key=lambda row: (parity(row), row))


@pytest.mark.parametrize("name", NAMES)
def test_sympy_is_the_order_of_generate(name: str) -> None:
    group = parse_group(name)
    named = (SymmetricGroup if name[0] == "S" else AlternatingGroup)(group.degree)
    expected = [element.array_form for element in named.generate()]
    assert group.elements[element_order(group, "sympy")].tolist() == expected


def test_generated_order_follows_the_given_generators() -> None:
    group = parse_group("A5")
    order = generated_order(group, [[1, 2, 3, 4, 0], [1, 0, 3, 2, 4]])
    assert sorted(order.tolist()) == list(range(60))
    assert not np.array_equal(order, element_order(group, "sympy"))


def test_generators_of_another_group_are_refused() -> None:
    with pytest.raises(GroupError, match="of order 60, got order 5"):
        generated_order(parse_group("A5"), [[1, 2, 3, 4, 0]])


def test_an_unknown_order_is_refused() -> None:
    with pytest.raises(GroupError, match="lexicographic, even-first, sympy"):
        element_order(parse_group("S3"), "random")
