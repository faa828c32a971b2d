"""Names: one name, one class; the names that people use."""

import json
from pathlib import Path

import numpy as np
import pytest

from algebra.errors import GroupError
from algebra.group import parse_group
from algebra.lattice import subgroups
from algebra.naming import orbits
from algebra.outer_automorphism import homomorphism, outer_automorphism, synthematic_totals
from algebra.permutation import cycle_type
from algebra.structure import as_group, structure_name
from algebra.subgroup import subgroup

DATA = Path(__file__).parent.parent / "data"
S5 = "1 S2 C2 C3 K4 S2xS2 C4 C5 S3 C6 tS3 D8 D10 A4 S3xS2 F20 S4 A5 S5".split()  # noqa: SIM905
S6_UP_TO_THE_OUTER_AUTOMORPHISM = {
    "S2": "S2*", "C3": "C3*", "K4": "K4*", "S2xS2": "S2xS2*", "S3": "S3*", "C6": "C6*", "tS3": "tS3*",
    "S2xS2xS2": "S2xS2xS2*", "D8": "D8*", "A4": "A4*", "S3xS2": "S3xS2*", "S3xC3": "S3xC3*", "S4": "S4*",
    "tS4": "tS4*", "A4xS2": "A4xS2*", "S3xS3": "S3xS3*", "S4xS2": "S4xS2*", "A5": "A5*", "S5": "S5*",
}  # fmt: skip
S6_FIXED = "1 C2 C2xC2 C4 tC4 C5 D8[4,2] C4xS2 tD8 C3xC3 D10 D8xS2 S3xS3+ F20 F36 S3wrS2 A6 S6".split()  # noqa: SIM905


def test_names_of_the_19_classes_of_s5() -> None:
    assert sorted(subgroups(parse_group("S5")).names) == sorted(S5)


def test_names_of_the_56_classes_of_s6_and_which_the_outer_automorphism_exchanges() -> None:
    group = parse_group("S6")
    lattice = subgroups(group)
    pairs = S6_UP_TO_THE_OUTER_AUTOMORPHISM
    assert sorted(lattice.names) == sorted([*pairs, *pairs.values(), *S6_FIXED])
    outer = outer_automorphism(group)
    expected = pairs | {star: name for name, star in pairs.items()} | {name: name for name in S6_FIXED}
    for one in lattice.classes:
        image = np.zeros(720, dtype=bool)
        image[outer[one.representative.elements]] = True
        assert lattice.names[lattice.class_of[lattice.find(image)]] == expected[one.name]


def test_s5_star_is_transitive_and_sharply_three_transitive_like_pgl_2_5() -> None:
    group = parse_group("S6")
    rows = group.elements[subgroups(group).by_name("S5*").mask]
    assert len({tuple(row) for row in rows[:, :3].tolist()}) == 120 == len(rows)


def test_twisted_s3_moves_the_two_other_points_by_the_sign() -> None:
    group = parse_group("S5")
    members = subgroups(group).by_name("tS3(12)")
    generators = [group.index_of(images) for images in ((0, 1, 3, 4, 2), (1, 0, 3, 2, 4))]
    assert members.mask[generators].all()
    assert not group.parity[members.elements].any()


@pytest.mark.parametrize("name", ["S4", "S5", "S6", "A5", "A6", "S3xS3", "D8", "D10", "C6", "C2xC2xC2", "(1 2), (3 4)"])
def test_one_name_one_class_and_one_label_one_subgroup(name: str) -> None:
    lattice = subgroups(parse_group(name))
    assert len(set(lattice.names)) == len(lattice.classes)
    assert len(set(lattice.labels)) == len(lattice)
    assert all(label.startswith(lattice.names[k]) for label, k in zip(lattice.labels, lattice.class_of, strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["S7", "A7", "S4xS4"])
def test_names_and_labels_of_large_groups_are_distinct(name: str) -> None:
    lattice = subgroups(parse_group(name))
    assert len(set(lattice.names)) == len(lattice.classes)
    assert len(set(lattice.labels)) == len(lattice)


def test_subgroups_of_s7_on_six_points_have_their_names_in_s6() -> None:
    within, lattice = subgroups(parse_group("S6")), subgroups(parse_group("S7"))
    moving = [one for one in within.classes if sum(map(len, orbits(within.group.elements[one.representative.mask]))) == 6]
    assert {one.name for one in moving} <= set(lattice.names)


def test_names_do_not_depend_on_generators() -> None:
    other = parse_group("(1 2), (2 3), (3 4), (4 5)")
    assert other is not parse_group("S5")
    assert subgroups(other).names == subgroups(parse_group("S5")).names
    assert subgroups(other).labels == subgroups(parse_group("S5")).labels


def test_a_label_names_fixed_points_or_orbits() -> None:
    lattice = subgroups(parse_group("S5"))
    rows = lattice.group.elements
    assert (rows[lattice.by_name("A4(3)").mask][:, 2] == 2).all()
    assert orbits(rows[lattice.by_name("S3xS2(45)").mask]) == [[0, 1, 2], [3, 4]]
    assert orbits(rows[lattice.by_name("S2xS2(12|35)").mask]) == [[0, 1], [2, 4]]
    assert lattice.by_name("F20#6").order == 20


STRUCTURES = {
    "(1 2 3 4)(5 6 7 8), (1 5 3 7)(2 8 4 6)": "Q8", "C12": "C12", "C6xC4": "C12xC2", "C2xC2xC4": "C4xC2xC2",
    "D6": "S3", "D12": "D12", "(1 2 3 4 5), (2 3 5 4)": "F20", "(1 2 3 4 5 6 7), (2 3 5)(4 7 6)": "F21",
    "(1 2 3 4 5 6 7), (2 4 3 7 5 6)": "F42", "A4xC2": "A4xC2", "(1 2 3), (1 2), (1 4)(2 5)(3 6)": "S3wrS2",
    "(1 2 3), (4 5 6), (1 4)(2 5)(3 6)": "S3xC3",
    "(1 2 3 4 5 6 7), (1 2)(3 6)": "L3(2)", "A5": "A5", "D8xC3": "D8xC3", "(1 2 3), (1 2)(4 5 6 7)": "C3:C4",
    "(1 2 3 4 5), (1 4)(5 6)": "A5", "(1 2 3 4 5), (2 3 5 4), (1 6)(2 5)": "S5", "(1 2 3), (1 2)(4 5)": "S3",
    "(1 2 3), (2 3 4), (5 6)": "A4xC2", "C9": "C9", "(1 2), (3 4)": "C2xC2",
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), STRUCTURES.items())
def test_structure_names(text: str, expected: str) -> None:
    """The isomorphism types were read off GAP's StructureDescription, in this project's notation."""
    assert structure_name(parse_group(text)) == expected


def test_the_outer_automorphism_is_an_automorphism_that_is_not_inner() -> None:
    group = parse_group("S6")
    outer = outer_automorphism(group)
    assert sorted(outer.tolist()) == list(range(720))
    assert np.array_equal(outer[group.mul], group.mul[np.ix_(outer, outer)])
    exchanged = {cycle_type(group.elements[x]): cycle_type(group.elements[outer[x]]) for x in range(720)}
    assert exchanged[(2, 1, 1, 1, 1)] == (2, 2, 2)
    assert exchanged[(3, 1, 1, 1)] == (3, 3)
    assert exchanged[(6,)] == (3, 2, 1)
    assert exchanged[(4, 1, 1)] == (4, 1, 1)


def test_there_are_six_synthematic_totals_and_two_share_one_syntheme() -> None:
    totals = synthematic_totals()
    assert len(totals) == 6
    assert all(len(a & b) == 1 for a in totals for b in totals if a != b)


def test_only_s6_has_an_outer_automorphism_here() -> None:
    with pytest.raises(GroupError, match="got A6"):
        outer_automorphism(parse_group("A6"))


def test_images_that_define_no_endomorphism_are_refused() -> None:
    group = parse_group("S3")
    with pytest.raises(GroupError, match="endomorphism"):
        homomorphism(group, [int(group.index_of((1, 0, 2))), 0])


@pytest.mark.parametrize("name", ["S4", "S5", "S6", "A5", "A6", pytest.param("S7", marks=pytest.mark.slow)])
def test_structure_names_agree_exactly_where_gap_says_isomorphic(name: str) -> None:
    """Two classes have one structure name if and only if GAP's StructureDescription is the same."""
    group = parse_group(name)
    ours: dict[str, set[str]] = {}
    theirs: dict[str, set[str]] = {}
    for one in json.loads((DATA / f"subgroups_{name}.json").read_text())["classes"]:
        generators = [group.index_of([image - 1 for image in images]) for images in one["generators"]]
        found = structure_name(as_group(subgroup(group, generators)))
        ours.setdefault(found, set()).add(one["structure"])
        theirs.setdefault(one["structure"], set()).add(found)
    assert all(len(names) == 1 for names in [*ours.values(), *theirs.values()]), (ours, theirs)
