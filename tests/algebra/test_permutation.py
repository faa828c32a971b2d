"""Permutations: notation and products."""

from itertools import permutations

import pytest

from algebra.errors import GroupError
from algebra.permutation import compose, cycle_type, format_cycles, inverse, parity, parse_cycles

S4 = list(permutations(range(4)))


def test_format_cycles_is_undone_by_parse_cycles() -> None:
    for images in permutations(range(5)):
        assert parse_cycles(format_cycles(images), 5) == images


def test_product_applies_the_left_factor_first() -> None:
    for p in S4:
        for q in S4:
            assert compose(p, q) == tuple(q[p[i]] for i in range(4))


def test_a_product_in_cycle_notation_is_read_from_left_to_right() -> None:
    assert parse_cycles("(1 2)(2 3)", 3) == parse_cycles("(1 3 2)", 3)


def test_commas_and_blanks_separate_points() -> None:
    assert parse_cycles(" (1,2, 3) (4  5)", 5) == (1, 2, 0, 4, 3)


def test_inverse_undoes() -> None:
    assert all(compose(p, inverse(p)) == (0, 1, 2, 3) == compose(inverse(p), p) for p in S4)


def test_parity_counts_inversions() -> None:
    for p in permutations(range(5)):
        inversions = sum(p[i] > p[j] for i in range(5) for j in range(i + 1, 5))
        assert parity(p) == inversions % 2


def test_cycle_type_is_a_partition_with_the_fixed_points() -> None:
    assert cycle_type(parse_cycles("(2 3)(4 5 6)", 7)) == (3, 2, 1, 1)


@pytest.mark.parametrize("text", ["", "1 2 3", "(1 2", "(1 2) x", "(1 1)", "(0 1)", "(1 9)", "(1 -2)", "(1 2.5)", "(a b)", "(1 ²)"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(GroupError, match=r"^Expected"):
        parse_cycles(text, 5)


def test_products_of_different_degrees_are_refused() -> None:
    with pytest.raises(GroupError, match="degrees 2 and 3"):
        compose((1, 0), (1, 0, 2))
