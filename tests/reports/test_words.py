"""What is said of a coset in words is what the coset is."""

from collections.abc import Sequence
from typing import Any

import pytest

import algebra.permutation
from algebra.coset import double_cosets
from algebra.group import FiniteGroup, parse_group
from algebra.lattice import subgroups
from algebra.subgroup import Subgroup
from reports.words import Words, set_of, weights_in_words
from verify.program.program import group_record, subgroup_record


def label_of(subgroup: Subgroup) -> str:
    """The label under which programs name the subgroup."""
    return subgroups(subgroup.group).label_of(subgroup)


def words_of(group: FiniteGroup) -> Words:
    """Words for a program that names every subgroup of the group."""
    record = group_record(group)
    named = [{"name": label_of(s), "generators": subgroup_record(s).generators} for s in subgroups(group).all]
    return Words({"generators": record.generators, "degree": record.degree}, named)


@pytest.fixture(scope="module", params=["S4", "A4", "S5", "A5", "D10"])
def group(request: pytest.FixtureRequest) -> FiniteGroup:
    return parse_group(request.param)


@pytest.fixture(scope="module")
def words(group: FiniteGroup) -> Words:
    return words_of(group)


def test_points_tell_right_cosets_apart(group: FiniteGroup, words: Words) -> None:
    """Said by points and parity, two elements agree on those just when they share a coset."""
    described = 0
    for subgroup in subgroups(group).all:
        looks = words.looks(label_of(subgroup))
        if looks is None:
            continue
        described += 1
        seen: dict[Any, int] = {}
        for g, images in enumerate(group.elements.tolist()):
            signature: list[Any] = [tuple(sorted(images[i] for i in s)) for s in looks.sets]
            if looks.parity:
                signature.append(algebra.permutation.parity(images))
            assert seen.setdefault(tuple(signature), subgroup.right_cosets.labels[g]) == subgroup.right_cosets.labels[g]
        assert len(seen) == subgroup.index
    assert described > 2


def test_conjugates_tell_right_cosets_apart(group: FiniteGroup, words: Words) -> None:
    """A subgroup that is said by its conjugates has one for each coset, and x moves it to x^-1 H x."""
    for subgroup in subgroups(group).all:
        if words.conjugates(label_of(subgroup)) is None:
            continue
        for x in range(group.order):
            moved = {int(g) for g in group.mul[group.mul[group.inv[x], subgroup.elements], x]}
            name = words.moved(label_of(subgroup), words.group.elements[x])

            assert {words.group.number[h] for h in words.members(name)} == moved


@pytest.mark.parametrize("on", ["right cosets", "left cosets"])
def test_a_label_for_each_coset(group: FiniteGroup, words: Words, on: str) -> None:
    """There are as many different labels as cosets."""
    for subgroup in subgroups(group).all:
        labels = words.labels(on, (label_of(subgroup),), (None,))

        assert len(set(labels)) == len(labels) == subgroup.index


def test_labels_of_double_cosets() -> None:
    """Double cosets of stabilisers in S5 are labelled by what their elements do."""
    group = parse_group("S5")
    words = words_of(group)
    sets = {label_of(s): looks.sets[0] for s in subgroups(group).all if (looks := words.looks(label_of(s))) and looks.sets}
    chosen = [s for s in subgroups(group).all if label_of(s) in sets and label_of(s).startswith(("S4", "S3xS2"))]
    for first in chosen[::3]:
        for second in chosen[::4]:
            labels = words.labels("double cosets", (label_of(first), label_of(second)), (None, None))
            cosets = double_cosets(group, first.mask, second.mask)
            for g, images in enumerate(group.elements.tolist()):
                hits = sum(images[i] in sets[label_of(second)] for i in sets[label_of(first)])

                assert labels[cosets.labels[g]] == expected_label(sets[label_of(first)], sets[label_of(second)], hits)


def expected_label(first: Sequence[int], second: Sequence[int], hits: int) -> str:
    if len(first) > 1:
        return f"{hits} of {set_of(tuple(first))} into {set_of(tuple(second))}"
    return f"{set_of(tuple(first))}->{set_of(tuple(second))}" if hits else f"{set_of(tuple(first))} elsewhere"


@pytest.mark.parametrize(
    ("on", "names", "expected"),
    [
        ("right cosets", ("S4 fixing 5",), "where x sends 5"),
        ("left cosets", ("S4 fixing 2",), "what x sends to 2"),
        ("right cosets", ("S3xS2 fixing {4,5}",), "where x sends {4,5}"),
        ("right cosets", ("A5",), "whether x is even"),
        ("right cosets", ("A4 fixing 3",), "where x sends 3 and whether x is even"),
        ("right cosets", ("F20#2",), "which conjugate x moves F20#2 to"),
        ("left cosets", ("F20#2",), "which conjugate x moves to F20#2"),
        ("right cosets", ("C5#2",), "which of the 24 right cosets of C5#2 x lies in"),
        ("right cosets", ("1",), "which element x is"),
        ("double cosets", ("S4 fixing 5", "S4 fixing 2"), "whether x sends 5 to 2"),
        ("double cosets", ("S4 fixing 5", "S3xS2 fixing {4,5}"), "whether x sends 5 into {4,5}"),
        ("double cosets", ("S3xS2 fixing {1,2}", "S3xS2 fixing {4,5}"), "how many points of {1,2} x sends into {4,5}"),
        ("double cosets", ("A5", "A5"), "whether x is even"),
        ("double cosets", ("C5#2", "S4 fixing 1"), "which double coset of C5#2 and S4 fixing 1 x lies in"),
        ("double cosets", ("F20#2", "F20#3"), "whether x moves F20#2 to F20#3"),
        ("double cosets", ("A4 fixing 5", "A4 fixing 5"), "whether x sends 5 to 5 and whether x is even"),
        ("coset matrix", ("S4 fixing 5",), "where x sends each of the 5 points"),
        ("coset matrix", ("F20#2",), "where x moves each of the 6 right cosets of F20#2"),
        ("coset sum", ("S4 fixing 5", "S4 fixing 2"), "where x sends 5 and what x sends to 2"),
        ("elements", (), "which element x is"),
    ],
)
def test_phrases(on: str, names: tuple[str, ...], expected: str) -> None:
    """Each kind of form on S5 is said as a mathematician would."""
    assert words_of(parse_group("S5")).reads(on, names, "x") == expected


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ([0, 0, 1, 0, 0, 0], "3"),
        ([1, 0, 0, 1, 0, 0], "1 and 4"),
        ([1, 1, 0, 0, -1, 0], "1, 2 rather than 5"),
        ([1, -1, 1, -1, 1, -1], "1, 3, 5 rather than 2, 4, 6"),
        ([2, 0, 1, 1, 0, 0], "2 at 1, 1 at 3 and 4"),
        ([0, -1, 0, 0, 0, 0], "-1 at 2"),
        ([1, 1, 1, 1, 1, 1], "all points"),
        ([0] * 6, "no point"),
    ],
)
def test_weights_in_words(weights: list[int], expected: str) -> None:
    assert weights_in_words(weights, list("123456")) == expected


def test_a_point_is_named_by_what_its_elements_do(group: FiniteGroup, words: Words) -> None:
    """The point of Hx is named by the image of what H fixes, a set of points or a subgroup; another name is a number."""
    described = 0
    for subgroup in subgroups(group).all:
        name = label_of(subgroup)
        points = words.points(name)
        assert len(points) == len(set(points)) == subgroup.index
        looks, cosets = words.looks(name), subgroup.right_cosets
        if looks is None or looks.parity or len(looks.sets) != 1:
            continue
        described += 1
        for g, images in enumerate(group.elements.tolist()):
            assert points[cosets.labels[g]] == set_of(tuple(sorted(images[i] for i in looks.sets[0])))
    assert described > 1


def test_what_a_form_on_points_says() -> None:
    """A stabiliser's points are points; the sum over a list is said of x by images, of y by preimages."""
    words = words_of(parse_group("S4"))
    name = label_of(next(s for s in subgroups(parse_group("S4")).all if s.index == 4))
    order = words.points(name)
    weights = {one: [int(point in one) for point in order] for one in ("3", "14")}
    assert words.scores("images", name, weights["3"], 0, "x") == "where x sends 3"
    assert words.scores("preimages", name, weights["3"], 0, "y") == "what y sends to 3"
    joined = " and ".join(point for point in order if point in "14")
    assert words.scores("images", name, weights["14"], 0, "x") == f"the sum of a list over where x sends {joined}"
    assert words.scores("shared", name, weights["3"], 0, "y") == "the sum of the same list over what y sends to 3"
    assert words.scores("rank", name, [], 2, "z") == "2 sums of one list at each of 4 points times another where z sends it"
    assert words.sign_of_group(label_of(next(s for s in subgroups(parse_group("S4")).all if s.order == 12))) == "the sign"
