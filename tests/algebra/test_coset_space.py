"""Coset spaces and G-sets against their definitions, on every subgroup and character of order two."""

import numpy as np
import pytest

from algebra.coset_space import CosetSpace, Side, character_signs
from algebra.errors import GroupError
from algebra.group import FiniteGroup, parse_group
from algebra.gset import GSet
from algebra.lattice import subgroups


@pytest.fixture(scope="module", params=["S4", "A4", "D8", "C2xC2xC2", "A5"])
def group(request: pytest.FixtureRequest) -> FiniteGroup:
    return parse_group(request.param)


def spaces(group: FiniteGroup, side: Side) -> list[CosetSpace]:
    """Every space of the group, found by trying all pairs of subgroups."""
    everything = subgroups(group).all
    plain = [CosetSpace(one, side) for one in everything]
    half = [(h, n) for h in everything for n in everything if 2 * n.order == h.order and not (n.mask & ~h.mask).any()]
    return plain + [CosetSpace(h, side, n) for h, n in half]


@pytest.mark.parametrize("side", ["right", "left"])
def test_expanded_functions_obey_the_law_and_take_the_values_at_least_elements(group: FiniteGroup, side: Side) -> None:
    rng = np.random.default_rng(0)
    for space in spaces(group, side):
        values = rng.integers(1, 100, space.count)
        function = space.expand(values)
        chi = character_signs(space.subgroup, space.kernel)
        for h in space.subgroup.elements.tolist():
            moved = function[group.mul[h]] if side == "right" else function[group.mul[:, h]]
            assert np.array_equal(moved, chi[h] * function)
        assert np.array_equal(function[space.representatives], values)


@pytest.mark.parametrize("side", ["right", "left"])
def test_projections_are_averages_over_the_subgroup(group: FiniteGroup, side: Side) -> None:
    """(P f)(x) = 1/|H| sum over h of chi(h) f(hx), for right cosets; means and dimension come out of it."""
    functions = np.random.default_rng(1).normal(size=(group.order, 2))
    for space in spaces(group, side):
        chi = character_signs(space.subgroup, space.kernel)
        expected = np.zeros_like(functions)
        for h in space.subgroup.elements.tolist():
            expected += chi[h] * functions[group.mul[h] if side == "right" else group.mul[:, h]]
        assert np.allclose(space.project(functions), expected / space.subgroup.order)
        basis = space.expand(np.eye(space.count))
        assert np.linalg.matrix_rank(basis - basis.mean(axis=0)) == space.count - (space.kernel is None)


def test_the_mirrored_space_holds_the_functions_of_inverses(group: FiniteGroup) -> None:
    functions = np.random.default_rng(2).normal(size=(group.order, 1))
    for space in spaces(group, "right"):
        mirrored = space.mirrored().project(functions)
        assert np.allclose(mirrored, space.project(functions[group.inv])[group.inv])


def test_a_kernel_must_have_index_two() -> None:
    everything = subgroups(parse_group("S4")).all
    with pytest.raises(GroupError, match="index two"):
        character_signs(everything[-1], everything[0])


def test_g_sets_are_actions_with_the_marks_points_and_transporters_of_their_definitions(group: FiniteGroup) -> None:
    bits = group.parity.astype(np.intp)
    for base in subgroups(group).all:
        points = GSet(base)
        moved = points.moved
        x, y = np.random.default_rng(base.order).integers(0, group.order, (2, 10))
        assert np.array_equal(moved[moved[:, x], y], moved[:, group.mul[x, y]])
        assert np.array_equal(points.stabiliser(0).mask, base.mask)
        assert points.marks.tolist() == [int((moved[:, g] == np.arange(points.count)).sum()) for g in range(group.order)]
        least = points.least_transporters(bits)
        for p in range(points.count):
            stabiliser = points.stabiliser(p)
            found = points.point(stabiliser)
            assert found is not None
            assert np.array_equal(points.stabiliser(found).mask, stabiliser.mask)
            assert p in points.fixed_points(stabiliser)
            for q in range(points.count):
                takes = points.transporter(p, q)
                assert len(takes) == base.order
                for s in range(least.shape[2]):
                    of_parity = takes[bits[takes] == s]
                    assert least[p, q, s] == (of_parity[0] if len(of_parity) else -1)


def test_no_point_has_a_stabiliser_of_another_class() -> None:
    lattice = subgroups(parse_group("S4"))
    for one in lattice.all:
        for other in lattice.all:
            conjugate = lattice.class_of[lattice.find(one.mask)] == lattice.class_of[lattice.find(other.mask)]
            assert (GSet(one).point(other) is not None) == conjugate
