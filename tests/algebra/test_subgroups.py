"""All subgroups, against brute force and against GAP."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algebra import enumeration
from algebra.errors import GroupError
from algebra.group import parse_group
from algebra.lattice import subgroups
from algebra.naming import orbits
from algebra.subgroup import Subgroup, closure, derived_mask, subgroup
from algebra.unnamed_lattice import UnnamedLattice

DATA = Path(__file__).parent.parent / "data"
COUNTS = {
    "S3": (4, 6), "S4": (11, 30), "S5": (19, 156), "S6": (56, 1455), "S7": (96, 11300),
    "A4": (5, 10), "A5": (9, 59), "A6": (22, 501),
    "PSL(2,7)": (15, 179), "PSL(2,11)": (16, 620), "Q8": (6, 6), "F20": (6, 14), "D118": (4, 62),
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "rank"),
    [
        ("S1", 1),
        ("S3", 3),
        ("S4", 3),
        ("A4", 3),
        ("A5", 2),
        ("S5", 2),
        ("D12", 3),
        ("C2xC2xC2", 3),
        ("S3xC3", 3),
    ],
)
def test_subgroups_are_those_that_brute_force_finds(twins: Any, name: str, rank: int) -> None:
    """Groups of permutations of n > 3 points need at most n/2 generators (McIver and Neumann, 1987)."""
    group = parse_group(name)
    found = [frozenset(one.elements.tolist()) for one in subgroups(group).all]
    assert len(set(found)) == len(found)
    assert set(found) == twins.all_subgroups(group, rank)


@pytest.mark.parametrize("name", ["S4", "A5", "S3xS3"])
def test_classes_are_orbits_of_conjugation_with_their_normalizers_and_cores(twins: Any, name: str) -> None:
    group = parse_group(name)
    lattice = subgroups(group)
    sets = [frozenset(one.elements.tolist()) for one in lattice.all]
    for one in lattice.classes:
        first = sets[one.members[0]]
        images = [twins.conjugate(group, first, x) for x in range(group.order)]
        assert {sets[i] for i in one.members} == set(images)
        assert set(one.normalizer.elements.tolist()) == {x for x, image in enumerate(images) if image == first}
        assert set(one.core.elements.tolist()) == frozenset.intersection(*images)
        assert one.normalizer_order == one.normalizer.order


@pytest.mark.parametrize("name", [*COUNTS])
def test_every_class_is_matched_with_one_of_gap(name: str) -> None:
    """GAP 4.12 wrote order, conjugates, normalizer, core, orbits, a representative (scripts/subgroups.g)."""
    group = parse_group(name)
    lattice = subgroups(group)
    oracle: dict[str, Any] = json.loads((DATA / f"subgroups_{name}.json").read_text())
    assert (len(lattice.classes), len(lattice)) == COUNTS[name]
    hit = []
    for expected in oracle["classes"]:
        generators = [group.index_of([image - 1 for image in images]) for images in expected["generators"]]
        mask = closure(group, generators)
        one = lattice.classes[int(lattice.class_of[lattice.find(mask)])]
        moved = [len(orbit) for orbit in orbits(group.elements[mask])]
        lengths = sorted([1] * (group.degree - sum(moved)) + moved)
        assert (one.order, one.length) == (expected["order"], expected["conjugates"])
        assert one.normalizer.order == one.normalizer_order == expected["normalizer_order"]
        assert one.core.order == expected["core_order"]
        assert lengths == expected["orbit_lengths"]
        hit.append(one.number)
    assert sorted(hit) == list(range(len(lattice.classes)))


def test_numbers_of_subgroups_of_other_groups() -> None:
    """A7: 3,786 in 40 classes (GAP 4.12); C_n: one for each divisor of n; D_2n: sigma(n) + tau(n)."""
    assert len(subgroups(parse_group("A7"))) == 3786
    assert len(subgroups(parse_group("A7")).classes) == 40
    for n in range(3, 13):
        divisors = [d for d in range(1, n + 1) if n % d == 0]
        assert len(subgroups(parse_group(f"C{n}"))) == len(divisors)
        assert len(subgroups(parse_group(f"D{2 * n}"))) == sum(divisors) + len(divisors)


def test_perfect_subgroups_are_found_where_no_chain_of_prime_steps_leads_to_them() -> None:
    names = subgroups(parse_group("S7")).names
    assert {"A5", "A5[6]", "A6", "A7", "L3(2)"} <= set(names)
    affine = parse_group("(1 2 3 4 5 6 7), (1 2)(3 6), (1 8)(2 4)(3 7)(5 6)")  # 2^3:L3(2), order 1344
    assert affine.order == 1344
    lattice = subgroups(affine)
    perfect = [
        one.order for one in lattice.classes
        if np.array_equal(derived_mask(affine, one.representative.mask, one.representative.generators),
                          one.representative.mask)
    ]  # fmt: skip
    assert perfect == [1, 168, 168, 1344]


def test_lookup_by_mask_and_by_name() -> None:
    lattice = subgroups(parse_group("S5"))
    for index, one in enumerate(lattice.all):
        assert lattice.find(one.mask) == index
        assert lattice.by_name(lattice.label_of(one)) is one
        assert lattice.name_of(one) == lattice.names[lattice.class_of[index]]
    assert lattice.by_name("S4") is lattice.classes[lattice.names.index("S4")].representative
    point = lattice.by_name("S4 fixing 5")
    assert (lattice.group.elements[point.elements][:, 4] == 4).all()


def test_masks_and_generators_belong_together() -> None:
    lattice = subgroups(parse_group("S5"))
    for index, one in enumerate(lattice.all):
        assert np.array_equal(closure(lattice.group, lattice.generators[index]), lattice.masks[index])
        assert np.array_equal(closure(lattice.group, one.generators), one.mask)
        assert one.order == lattice.orders[index]


def test_inside_is_containment() -> None:
    lattice = subgroups(parse_group("S4"))
    for index in range(len(lattice)):
        assert np.array_equal(lattice.inside(index), ~(lattice.masks & ~lattice.masks[index]).any(axis=1))


def test_what_is_no_subgroup_is_refused() -> None:
    lattice = subgroups(parse_group("S4"))
    mask = np.zeros(24, dtype=bool)
    mask[[0, 1, 2]] = True
    with pytest.raises(GroupError, match="membership mask"):
        lattice.find(mask)
    with pytest.raises(GroupError, match="membership mask"):
        lattice.find(np.ones(23, dtype=bool))
    with pytest.raises(GroupError, match="Expected a subgroup of S4 out of 1, C2, S2"):
        lattice.by_name("S9")


@pytest.mark.parametrize(("limit", "value"), [("MAX_SUBGROUPS", 29), ("MOST_CLASSES", 10)])
def test_of_too_many_subgroups_those_are_listed_that_need_no_search(monkeypatch: pytest.MonkeyPatch, limit: str, value: int) -> None:
    """Of S4, 30 subgroups in 11 classes: each of the list is one of these, with all conjugates; point stabilisers and A4 are there."""
    group = parse_group("S4")
    everything = subgroups(group)
    monkeypatch.setattr(enumeration, limit, value)
    monkeypatch.setattr(enumeration, "MOST_TOLD", 29)
    found = enumeration.enumerate_classes(group)
    some = UnnamedLattice(group, found.classes, found.complete)
    names = {everything.label_of(one) for one in some.all}

    assert not some.complete
    assert {"1", "S4", "A4", "S3 fixing 4", "K4"} <= names
    for one in some.classes:
        assert one.length == everything.classes[everything.class_of[everything.find(one.representative.mask)]].length
    with pytest.raises(GroupError, match="not listed"):
        some.find(next(one.mask for one in everything.all if everything.label_of(one) not in names))


@pytest.mark.parametrize(
    ("name", "prime", "count"), [("C2^7", 2, 127), ("C3^5", 3, 121), ("S4", 2, 1), ("A5", 2, 0), ("Q8", 2, 3), ("A4", 3, 1)]
)
def test_normal_subgroups_of_prime_index(name: str, prime: int, count: int) -> None:
    """All of them, each once, normal and of that index, as the full list has them where there is one."""
    group = parse_group(name)
    masks = [mask.tobytes() for mask in enumeration._normal_of_index(group, prime)]
    assert len(set(masks)) == len(masks) == count
    if name != "C2^7":
        lattice = subgroups(group)
        normal = {one.representative.mask.tobytes() for one in lattice.classes if one.length == 1 and one.order * prime == group.order}
        assert set(masks) == normal


def test_subspaces_are_counted_before_the_search() -> None:
    """1, 2, 5, 16, 67, 374, 2825, 29212 over GF(2) (OEIS A006116), 2664 of dimension 5 over GF(3); C2^7 is not searched."""
    assert [enumeration._subspaces(2, n) for n in range(8)] == [1, 2, 5, 16, 67, 374, 2825, 29212]
    assert enumeration._subspaces(3, 5) == 2664
    lattice = subgroups(parse_group("C2^7"))
    assert (lattice.complete, len(lattice)) == (False, 256)


def test_subgroups_of_a_group_are_computed_once() -> None:
    assert subgroups(parse_group("S4")) is subgroups(parse_group("S4"))


@given(name=st.sampled_from(["S5", "A6", "S6"]), seeds=st.lists(st.integers(0, 10**6), max_size=3))
@settings(max_examples=60, deadline=None)
def test_a_generated_subgroup_is_closed_and_named(twins: Any, name: str, seeds: list[int]) -> None:
    group = parse_group(name)
    generators = [seed % group.order for seed in seeds]
    members = subgroup(group, generators)
    inside = members.elements
    assert frozenset(inside.tolist()) == twins.generated(group, generators)
    assert members.mask[group.mul[np.ix_(inside, inside)]].all()
    assert group.order % members.order == 0
    same = subgroups(group).by_name(subgroups(members.group).label_of(members))
    assert isinstance(same, Subgroup)
    assert np.array_equal(same.mask, members.mask)
