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
from algebra.summary import group_summary

DATA = Path(__file__).parent.parent / "data"
S5 = "1 S2 C2 C3 K4 S2xS2 C4 C5 S3 C6 S3[3,2] D8 D10 A4 S3xS2 F20 S4 A5 S5".split()  # noqa: SIM905
S6_EXCHANGED = {
    "S2": "C2[2,2,2]", "C3": "C3[3,3]", "K4": "C2xC2+", "S2xS2": "C2xC2[4,2]", "S3": "S3[6]", "C6": "C6[6]", "S3[3,2]": "S3[3,3]",
    "S2xS2xS2": "K4xS2", "D8": "D8[4,2]b", "A4": "A4[6]", "S3xS2": "D12", "S3xC3": "S3xC3[6]", "S4": "S4[6]",
    "S4[4,2]": "S4[6]+", "A4xS2": "A4xC2", "S3xS3": "S3xS3[6]", "S4xS2": "S4xC2", "A5": "A5[6]", "S5": "S5[6]",
}  # fmt: skip
S6_FIXED = "1 C2 C2xC2 C4 C4[4,2] C5 D8[4,2]a C4xS2 D8[4,2]+ C3xC3 D10 D8xS2 (C3xC3):C2 F20 F36 S3wrS2 A6 S6".split()  # noqa: SIM905


def test_names_of_the_19_classes_of_s5() -> None:
    assert sorted(subgroups(parse_group("S5")).names) == sorted(S5)


def test_names_of_the_56_classes_of_s6_and_which_the_outer_automorphism_exchanges() -> None:
    group = parse_group("S6")
    lattice = subgroups(group)
    pairs = S6_EXCHANGED
    assert sorted(lattice.names) == sorted([*pairs, *pairs.values(), *S6_FIXED])
    outer = outer_automorphism(group)
    expected = pairs | {star: name for name, star in pairs.items()} | {name: name for name in S6_FIXED}
    for one in lattice.classes:
        image = np.zeros(720, dtype=bool)
        image[outer[one.representative.elements]] = True
        assert lattice.names[lattice.class_of[lattice.find(image)]] == expected[one.name]


def test_s5_on_six_points_is_transitive_and_sharply_three_transitive_like_pgl_2_5() -> None:
    group = parse_group("S6")
    rows = group.elements[subgroups(group).by_name("S5[6]").mask]
    assert len({tuple(row) for row in rows[:, :3].tolist()}) == 120 == len(rows)


def test_twisted_s3_moves_the_two_other_points_by_the_sign() -> None:
    group = parse_group("S5")
    members = subgroups(group).by_name("S3[3,2] fixing {1,2}")
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
    assert (rows[lattice.by_name("A4 fixing 3").mask][:, 2] == 2).all()
    assert orbits(rows[lattice.by_name("S3xS2 fixing {4,5}").mask]) == [[0, 1, 2], [3, 4]]
    assert orbits(rows[lattice.by_name("S2xS2 on {1,2},{3,5}").mask]) == [[0, 1], [2, 4]]
    assert lattice.by_name("F20#6").order == 20


STRUCTURES = {
    "(1 2 3 4)(5 6 7 8), (1 5 3 7)(2 8 4 6)": "Q8", "C12": "C12", "C6xC4": "C12xC2", "C2xC2xC4": "C4xC2xC2",
    "D6": "S3", "D12": "D12", "(1 2 3 4 5), (2 3 5 4)": "F20", "(1 2 3 4 5 6 7), (2 3 5)(4 7 6)": "F21",
    "(1 2 3 4 5 6 7), (2 4 3 7 5 6)": "F42", "A4xC2": "A4xC2", "(1 2 3), (1 2), (1 4)(2 5)(3 6)": "S3wrS2",
    "(1 2 3), (4 5 6), (1 4)(2 5)(3 6)": "S3xC3",
    "(1 2 3 4 5 6 7), (1 2)(3 6)": "L3(2)", "A5": "A5", "M11": "M11", "D8xC3": "D8xC3", "(1 2 3), (1 2)(4 5 6 7)": "C3:C4",
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


def test_a_plus_says_even_and_brackets_are_the_lengths_of_orbits() -> None:
    for name in ("S5", "S6", "A6", "D12"):
        lattice = subgroups(parse_group(name))
        rows, parity = lattice.group.elements, lattice.group.parity
        for one in lattice.classes:
            mask = one.representative.mask
            if one.name.rstrip("ab").endswith("+"):
                assert not parity[mask].any()
            if "[" in one.name:
                stated = one.name[one.name.index("[") + 1 : one.name.index("]")]
                assert stated == ",".join(str(len(orbit)) for orbit in orbits(rows[mask]))


def test_a_label_says_what_the_subgroup_does_to_points() -> None:
    """Every mark of S5 and S6 holds of its subgroup and of no conjugate."""
    for name in ("S5", "S6"):
        lattice = subgroups(parse_group(name))
        rows = lattice.group.elements
        for index, label in enumerate(lattice.labels):
            conjugates = lattice.classes[int(lattice.class_of[index])].members
            if " fixing {" in label:
                points = sorted(int(p) - 1 for p in label.split("{")[1].rstrip("}").split(","))
                keep = [i for i in conjugates if (np.sort(rows[lattice.masks[i]][:, points], axis=1) == points).all()]
                assert index in keep
            elif " fixing " in label:
                points = [int(p) - 1 for p in label.split(" fixing ")[1].split(",")]
                keep = [i for i in conjugates if (rows[lattice.masks[i]][:, points] == points).all()]
                assert keep == [index]
            elif " on " in label:
                stated = [[int(p) - 1 for p in part.strip("{}").split(",")] for part in label.split(" on ")[1].split("},{")]
                assert [i for i in conjugates if orbits(rows[lattice.masks[i]]) == stated] == [index]


def test_the_summary_names_the_image_under_the_outer_automorphism_of_s6_alone() -> None:
    images = {one["name"]: one["outer_image"] for one in group_summary(parse_group("S6"))["subgroup_classes"]}
    assert images["S5"] == "S5[6]"
    assert all(image is not None and images[image] == name for name, image in images.items())
    assert {one["outer_image"] for one in group_summary(parse_group("S5"))["subgroup_classes"]} == {None}


#: S8 has more subgroups than are listed, and those of M11 take too long here.
ORACLE = sorted({path.stem.removeprefix("subgroups_") for path in DATA.glob("subgroups_*.json")} - {"S8", "M11"})


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.slow) if name == "S7" else name for name in ORACLE])
def test_names_and_labels_are_unique_in_every_group_of_the_oracle(name: str) -> None:
    assert len(ORACLE) == 13
    lattice = subgroups(parse_group(name))
    assert len(set(lattice.names)) == len(lattice.classes)
    assert len(set(lattice.labels)) == len(lattice)
