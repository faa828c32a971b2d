"""Actions on cosets."""

import numpy as np
import pytest

from algebra.action import (
    permutation_character,
    permutation_characters,
    shared_cosets,
    table_of_marks,
)
from algebra.errors import GroupError
from algebra.group import parse_group
from algebra.gset import GSet
from algebra.lattice import subgroups


@pytest.mark.parametrize("name", ["S3", "S4", "A5"])
def test_the_action_on_cosets_is_a_homomorphism(name: str) -> None:
    group = parse_group(name)
    for one in subgroups(group).classes:
        images = GSet(one.representative).moved.T
        assert images.shape == (group.order, one.representative.index)
        for x in range(group.order):
            assert np.array_equal(images[group.mul[x]], images[:, images[x]])


@pytest.mark.parametrize("name", ["S4", "A5", "S5"])
def test_permutation_characters_count_fixed_cosets(name: str) -> None:
    group = parse_group(name)
    firsts = [int(one[0]) for one in group.conjugacy_classes]
    lattice = subgroups(group)
    every = permutation_characters(group, lattice.masks)
    for index, one in enumerate(lattice.all):
        fixed = (GSet(one).moved.T[firsts] == np.arange(one.index)).sum(axis=1)
        assert np.array_equal(permutation_character(one), fixed)
        assert np.array_equal(every[index], fixed)


@pytest.mark.parametrize("name", ["S4", "A5"])
def test_marks_count_the_cosets_that_a_subgroup_fixes(name: str) -> None:
    lattice = subgroups(parse_group(name))
    marks = table_of_marks(lattice)
    for b in lattice.classes:
        images = GSet(b.representative).moved.T
        for a in lattice.classes:
            fixed = (images[a.representative.elements] == np.arange(images.shape[1])).all(axis=0).sum()
            assert marks[a.number, b.number] == fixed
    assert not np.tril(marks, -1).any()
    assert (np.diag(marks) > 0).all()


def test_shared_cosets_by_definition() -> None:
    group = parse_group("S4")
    everything = subgroups(group).all
    for one in everything:
        right = {frozenset(np.flatnonzero(one.right_cosets.labels == k).tolist()) for k in range(one.index)}
        for other in everything:
            left = {frozenset(np.flatnonzero(other.left_cosets.labels == k).tolist()) for k in range(other.index)}
            assert {frozenset(coset.tolist()) for coset in shared_cosets(one, other)} == right & left


def test_point_stabilisers_share_the_coset_that_sends_one_point_to_the_other() -> None:
    """Stander et al., section 5.2: for the stabilisers of i and j it is {x: x(i) = j}."""
    group = parse_group("S5")
    lattice = subgroups(group)
    for i in range(5):
        for j in range(5):
            (shared,) = shared_cosets(lattice.by_name(f"S4 fixing {i + 1}"), lattice.by_name(f"S4 fixing {j + 1}"))
            assert shared.tolist() == np.flatnonzero(group.elements[:, i] == j).tolist()


def test_subgroups_of_different_groups_share_nothing() -> None:
    with pytest.raises(GroupError, match="got S3 and S4"):
        shared_cosets(subgroups(parse_group("S3")).all[0], subgroups(parse_group("S4")).all[0])
