"""The public names, and SymPy's groups as twins of ours."""

import subprocess
import sys

import numpy as np
import pytest
from sympy.combinatorics import Permutation, PermutationGroup
from sympy.combinatorics.named_groups import AlternatingGroup, DihedralGroup, SymmetricGroup

import algebra
from algebra import (
    FiniteGroup,
    GroupError,
    Subgroup,
    centralizer,
    conjugacy_classes,
    cosets,
    double_cosets,
    element_number,
    from_sympy,
    generated_subgroup,
    is_name_of,
    lattice_graph,
    normal_closure,
    parse_group,
    permutations,
    subgroup_from_sympy,
    subgroups,
    to_sympy,
)
from algebra.sympy_bridge import permutation

NAMES = ["S4", "S5", "A5", "S6"]


def elements_of(members: PermutationGroup, group: FiniteGroup) -> set[int]:
    return {element_number(group, one) for one in members.generate()}


def chosen(group: FiniteGroup) -> list[Subgroup]:
    """One subgroup of each class, for S6 every fifth class."""
    return [one.representative for one in subgroups(group).classes][:: 5 if group.order > 200 else 1]


def test_every_public_name_is_there_and_every_one_is_listed() -> None:
    assert sorted(algebra.__all__) == sorted(algebra._HOME)
    assert all(getattr(algebra, name) is not None for name in algebra.__all__)
    with pytest.raises(AttributeError, match="nothing"):
        _ = algebra.nothing  # type: ignore[attr-defined]


def test_importing_algebra_imports_no_module_of_it() -> None:
    code = "import sys, algebra; print([n for n in sys.modules if n.startswith(('algebra.', 'numpy', 'sympy'))])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize("name", [*NAMES, "D10", "C6", "S3xS3", "(1 2 3), (1 2)(5)", "C1"])
def test_a_group_comes_back_from_sympy(name: str) -> None:
    group = parse_group(name)
    back = from_sympy(to_sympy(group))
    assert to_sympy(group).order() == group.order
    assert np.array_equal(back.elements, group.elements)
    assert is_name_of(back.name, group)


@pytest.mark.parametrize(
    "theirs", [SymmetricGroup(5), AlternatingGroup(5), DihedralGroup(5), PermutationGroup([Permutation(0, 1, size=4)])]
)
def test_sympys_groups_come_over_with_all_their_elements_and_products(theirs: PermutationGroup) -> None:
    group = from_sympy(theirs)
    assert {tuple(row) for row in group.elements.tolist()} == {tuple(p.array_form) for p in theirs.generate()}
    for x, y in [(1, 2 % group.order), (group.order - 1, 1)]:
        assert element_number(group, permutation(group, x) * permutation(group, y)) == group.mul[x, y]


@pytest.mark.parametrize("name", NAMES)
def test_conjugacy_classes_are_sympys(name: str) -> None:
    group = parse_group(name)
    ours = {frozenset(tuple(p.array_form) for p in permutations(group, one)) for one in conjugacy_classes(group)}
    theirs = {frozenset(tuple(p.array_form) for p in one) for one in to_sympy(group).conjugacy_classes()}
    assert ours == theirs


@pytest.mark.parametrize("name", NAMES)
def test_orders_centralizers_and_normal_closures_are_sympys(name: str) -> None:
    group = parse_group(name)
    whole = to_sympy(group)
    for one in chosen(group):
        theirs = to_sympy(one)
        assert theirs.order() == one.order
        assert np.array_equal(subgroup_from_sympy(group, theirs).mask, one.mask)
        assert set(centralizer(group, one).elements.tolist()) == elements_of(whole.centralizer(theirs), group)
        assert set(normal_closure(group, one).elements.tolist()) == elements_of(whole.normal_closure(theirs), group)
    for one in conjugacy_classes(group):
        x = int(one[-1])
        assert centralizer(group, x).order * len(one) == group.order
        assert np.array_equal(normal_closure(group, x).mask, normal_closure(group, generated_subgroup(group, [x])).mask)


@pytest.mark.parametrize("name", NAMES)
def test_coset_representatives_of_sympy_stand_one_in_each_of_our_cosets(name: str) -> None:
    group = parse_group(name)
    whole = to_sympy(group)
    for one in chosen(group):
        theirs = [element_number(group, p) for p in whole.coset_transversal(to_sympy(one))]
        ours = cosets(one)
        assert sorted(ours.labels[theirs].tolist()) == list(range(ours.count))
        for number, members in enumerate(cosets(one, "left").sets):
            first = int(members[0])
            assert set(members.tolist()) == set(group.mul[first, one.elements].tolist())
            assert cosets(one, "left").labels[first] == number


def test_double_cosets_are_the_products_of_both_sides() -> None:
    group = parse_group("S4")
    for h in subgroups(group).all[::3]:
        for k in subgroups(group).all[::4]:
            sets = double_cosets(h, k).sets
            assert sorted(np.concatenate(sets).tolist()) == list(range(24))
            for members in sets:
                z = int(members[0])
                products = group.mul[group.mul[h.elements, z][:, None], k.elements[None]]
                assert set(members.tolist()) == set(products.ravel().tolist())


@pytest.mark.parametrize("single", [False, True])
def test_the_graph_of_the_lattice_has_its_attributes(single: bool) -> None:
    lattice = subgroups(parse_group("A5"))
    graph = lattice_graph(lattice.group, single)
    assert len(graph) == (len(lattice) if single else len(lattice.classes))
    for node, data in graph.nodes(data=True):
        one = lattice.all[node] if single else lattice.classes[node]
        assert data["order"] == one.order
        assert data["label" if single else "name"] == (lattice.labels if single else lattice.names)[node]
    for a, b in graph.edges:
        assert graph.nodes[b]["order"] % graph.nodes[a]["order"] == 0


NORMALISED = {" S006 ": "S6", "s6": "S6", "d010": "D10", "S3 x S3": "S3xS3", "(1,2)": "(1 2)", "()": "()"} | {
    "(1 2)(4)": "(1 2)(4)",
    "(3), (1 2)": "(1 2)(3)",
}


@pytest.mark.parametrize(("text", "name"), NORMALISED.items())
def test_names_are_normalised_and_give_the_group_back(text: str, name: str) -> None:
    group = parse_group(text)
    assert group.name == name
    assert parse_group(group.name).degree == group.degree
    assert is_name_of(name, group)


@pytest.mark.parametrize("text", ["S６", "S6\nS6", "S3\tx\nS3", "S", "S-3", "S3x", "S6\x00", "(１ 2)"])
def test_names_that_could_be_read_in_two_ways_are_refused(text: str) -> None:
    with pytest.raises(GroupError, match=r"^Expected (a group such as|the name of a group in one line|the points of a cycle)"):
        parse_group(text)


def test_a_zero_in_a_cycle_is_told_that_points_start_at_1() -> None:
    with pytest.raises(GroupError, match="start at 1"):
        parse_group("(0 1 2), (0 1)")


FOREIGN = ["C6 S3", "S3 C6", "S3 D6xC1", "S006 S6", "s6 S6", "S6\n S6", "A5 S5", "nobody S3"]


@pytest.mark.parametrize("pair", FOREIGN)
def test_a_name_that_means_another_group_is_no_name_of_it(pair: str) -> None:
    name, _, group = pair.rpartition(" ")
    assert not is_name_of(name, parse_group(group))
    assert not is_name_of(f"{group} ", parse_group(group))


def test_a_name_fits_whatever_the_generators() -> None:
    assert is_name_of("S3", parse_group("(1 2), (2 3)"))
    assert is_name_of("D6", parse_group("S3"))
