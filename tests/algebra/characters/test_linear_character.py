"""Linear characters of every subgroup."""

import numpy as np
import pytest

from algebra.characters.linear_character import linear_characters, sign_characters
from algebra.group import parse_group
from algebra.lattice import subgroups
from algebra.subgroup import derived_mask


@pytest.mark.parametrize("name", ["S3", "S4", "A4", "S5", "C12", "C2xC2xC4", "D8", "(1 2 3 4 5 6 7), (2 4 3 7 5 6)"])
def test_linear_characters_are_all_homomorphisms_to_roots_of_unity(name: str) -> None:
    """They are distinct, multiplicative, and [H:H'] in number, which is how many there are."""
    group = parse_group(name)
    for one in subgroups(group).all:
        found = linear_characters(one)
        derived = derived_mask(group, one.mask, one.generators)
        assert len(found.exponents) == one.order // derived.sum()
        assert len({tuple(row) for row in found.exponents.tolist()}) == len(found.exponents)
        assert not found.exponents[0].any()
        place = np.zeros(group.order, dtype=int)
        place[one.elements] = np.arange(one.order)
        table = place[group.mul[np.ix_(one.elements, one.elements)]]
        for row in found.exponents:
            assert ((row[table] - row[:, None] - row[None, :]) % found.root == 0).all()
        assert np.allclose(np.abs(found.values), 1)


@pytest.mark.parametrize("name", ["S3", "S4", "S5", "C2xC2xC2", "D8", "A5"])
def test_sign_characters_are_those_with_a_kernel_of_index_two(name: str) -> None:
    group = parse_group(name)
    lattice = subgroups(group)
    for index, one in enumerate(lattice.all):
        inside = np.flatnonzero(lattice.inside(index) & (2 * lattice.orders == one.order))
        found = sign_characters(one)
        assert [lattice.find(kernel.mask) for kernel, _ in found] == sorted(
            inside.tolist(), key=lambda i: lattice.all[i].elements.tolist()
        )
        for kernel, signs in found:
            assert np.array_equal(np.flatnonzero(signs), one.elements)
            assert np.array_equal(signs == 1, kernel.mask)
            table = signs[group.mul[np.ix_(one.elements, one.elements)]]
            assert np.array_equal(table, np.outer(signs[one.elements], signs[one.elements]))


def test_sign_characters_are_the_linear_characters_of_order_two() -> None:
    for one in subgroups(parse_group("S4")).all:
        found = linear_characters(one)
        real = [row for row in found.exponents if row.any() and not (2 * row % found.root).any()]
        assert len(real) == len(sign_characters(one))
