"""Cosets and double cosets by definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algebra import coset
from algebra.coset import Cosets, double_cosets, left_cosets, right_cosets
from algebra.errors import GroupError
from algebra.group import FiniteGroup, parse_group
from algebra.lattice import subgroups
from algebra.subgroup import subgroup


def by_definition(group: FiniteGroup, sets: list[frozenset[int]]) -> list[int]:
    """Label of each element: cosets numbered by their least element."""
    numbered = sorted(set(sets), key=min)
    return [next(k for k, members in enumerate(numbered) if x in members) for x in range(group.order)]


def check(found: Cosets, expected: list[int]) -> None:
    assert found.labels.tolist() == expected
    assert found.count == max(expected) + 1
    assert found.representatives.tolist() == [expected.index(k) for k in range(found.count)]
    assert found.sizes.tolist() == [expected.count(k) for k in range(found.count)]


@pytest.mark.parametrize("name", ["S3", "S4", "A5", "S5"])
def test_right_and_left_cosets_of_every_subgroup(name: str) -> None:
    group = parse_group(name)
    for one in subgroups(group).all if group.order < 100 else [c.representative for c in subgroups(group).classes]:
        inside = one.elements.tolist()
        right = [frozenset(int(group.mul[h, x]) for h in inside) for x in range(group.order)]
        left = [frozenset(int(group.mul[x, h]) for h in inside) for x in range(group.order)]
        check(one.right_cosets, by_definition(group, right))
        check(one.left_cosets, by_definition(group, left))


@pytest.mark.parametrize("name", ["S3", "S4", "A4"])
def test_double_cosets_of_every_pair_of_subgroups(name: str) -> None:
    group = parse_group(name)
    everything = subgroups(group).all
    for one in everything:
        for other in everything:
            sets = [
                frozenset(int(group.mul[group.mul[h, z], k]) for h in one.elements.tolist() for k in other.elements.tolist())
                for z in range(group.order)
            ]
            check(double_cosets(group, one.mask, other.mask), by_definition(group, sets))


@pytest.mark.parametrize("damaged", ["left", "right"])
def test_sizes_of_double_cosets_that_do_not_add_up_are_refused(damaged: str) -> None:
    """Of S4 with D8 and S3: 8 * 6 / 2 = 24, one double coset; one element exchanged, and no sizes fit."""
    group = parse_group("S4")
    d8, s3 = (subgroups(group).by_name(name).mask for name in ("D8", "S3"))
    assert double_cosets(group, d8, s3).sizes.tolist() == [24]
    wrong = (d8 if damaged == "left" else s3).copy()
    inside, outside = np.flatnonzero(wrong)[-1], np.flatnonzero(~wrong)[-1]
    wrong[inside], wrong[outside] = False, True
    with pytest.raises(GroupError, match=r"whose cosets overlap|add up to 24"):
        double_cosets(group, *((wrong, s3) if damaged == "left" else (d8, wrong)))


@pytest.mark.parametrize("number", [0, 1])
def test_sizes_counted_another_way_are_compared_with_the_cosets(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A partition that is a coset too fine or too coarse is noticed."""
    group = parse_group("S4")
    one = subgroups(group).by_name("S3").mask
    least = double_cosets(group, one, one)
    false = np.arange(24) if number else np.zeros(24, dtype=np.intp)
    monkeypatch.setattr(coset, "_from_least", lambda _: Cosets(false, int(false.max()) + 1, np.unique(false)))
    assert least.count == 2
    with pytest.raises(GroupError, match="add up"):
        double_cosets(group, one, one)


def test_right_cosets_of_a_point_stabiliser_say_where_the_point_goes() -> None:
    group = parse_group("S5")
    stabiliser = subgroups(group).by_name("S4 fixing 2")
    goes, comes = group.elements[:, 1], np.argsort(group.elements, axis=1)[:, 1]
    for labels, value in ((stabiliser.right_cosets.labels, goes), (stabiliser.left_cosets.labels, comes)):
        assert len({(a, b) for a, b in zip(labels.tolist(), value.tolist(), strict=True)}) == 5


def test_both_ways_to_compute_cosets_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    """Large subgroups are swept coset by coset, small ones by a minimum over the subgroup."""
    group = parse_group("S5")
    before = [(one.right_cosets.labels, one.left_cosets.labels) for one in subgroups(group).all]
    monkeypatch.setattr(coset, "_SWEEP_FROM", 0)
    for one, (right, left) in zip(subgroups(group).all, before, strict=True):
        assert np.array_equal(right_cosets(group, one.mask).labels, right)
        assert np.array_equal(left_cosets(group, one.mask).labels, left)


@given(st.lists(st.integers(0, 719), max_size=2), st.lists(st.integers(0, 719), max_size=2), st.integers(0, 719))
@settings(max_examples=50, deadline=None)
def test_a_double_coset_has_order_h_times_k_over_the_intersection(a: list[int], b: list[int], z: int) -> None:
    """|HzK| = |H||K| / |H^z n K| in S6."""
    group = parse_group("S6")
    h, k = subgroup(group, a), subgroup(group, b)
    found = double_cosets(group, h.mask, k.mask)
    meet = int(k.mask[group.conjugate(h.elements, z)].sum())
    assert found.sizes[found.labels[z]] == h.order * k.order // meet
    assert found.sizes.sum() == 720
