"""The checker's groups by themselves: products, cosets, names and numberings against tuples, sets and SymPy."""

import random
from itertools import permutations, product

import pytest
from sympy.combinatorics import Permutation as SymPyPermutation
from sympy.combinatorics import PermutationGroup
from sympy.combinatorics.named_groups import AlternatingGroup, SymmetricGroup

from algebra.group import parse_group
from verify.checker import groups
from verify.checker.groups import Group
from verify.checker.shape import Differs, GroupRecord, Malformed, SubgroupRecord

Images = tuple[int, ...]
GROUPS = {"S1": 1, "S2": 2, "S3": 6, "S4": 24, "A4": 12, "A5": 60, "C6": 6, "D8": 8, "D10": 10, "S3xC2": 12, "C2xC2xC3": 12}


def named(name: str) -> Group:
    """The group of that name from the generators that define the name."""
    found = groups.named_group(name)
    assert found is not None
    degree, generators = found
    return Group(GroupRecord(name, degree, parse_group(name).order, generators))


def cycles(images: Images) -> str:
    """A permutation in cycle notation."""
    text, seen = "", set()
    for start in range(len(images)):
        cycle, here = [], start
        while here not in seen:
            seen.add(here)
            cycle.append(here)
            here = images[here]
        text += f"({' '.join(str(point + 1) for point in cycle)})" if len(cycle) > 1 else ""
    return text or "()"


def generated(generators: list[Images], degree: int) -> set[Images]:
    """All products of the generators: every product of two known ones is added until nothing is new."""
    known = {tuple(range(degree)), *generators}
    while (more := {tuple(y[p] for p in x) for x in known for y in known}) > known:
        known = more
    return known


def crossings(images: Images) -> int:
    """The number of inversions."""
    return sum(images[i] > images[j] for j in range(len(images)) for i in range(j))


def random_subgroups(count: int) -> list[tuple[int, list[Images]]]:
    """Degrees with one to three random permutations of few points."""
    draw, found = random.Random(11), []
    for _ in range(count):
        degree = draw.randint(2, 6)
        words = [tuple(draw.sample(range(degree), degree)) for _ in range(draw.randint(1, 3))]
        found.append((degree, words))
    return found


@pytest.mark.parametrize("name", GROUPS)
def test_elements_products_inverses_and_parities_are_those_of_tuples(name: str) -> None:
    group = named(name)
    own = [tuple(images) for images in group.elements]
    words = [tuple(images) for images in group.generators]
    assert own == sorted(generated(words, group.degree))
    assert len(own) == GROUPS[name] == group.order
    for x, y in product(range(group.order), repeat=2):
        assert own[group.mul[x][y]] == tuple(own[y][point] for point in own[x])
    assert all(group.mul[x][group.inverse[x]] == 0 == group.mul[group.inverse[x]][x] for x in range(group.order))
    assert group.parity == [crossings(images) % 2 for images in own]


@pytest.mark.parametrize("degree", [-3, 0, 256, 300, 2**200])
def test_a_group_on_no_points_or_on_too_many_is_refused(degree: int) -> None:
    """Without generators no cycle is there that would not fit."""
    with pytest.raises(Malformed, match="expected a group on 1 to 255 points, got a degree of"):
        Group(GroupRecord("C1", degree, 1, []))


@pytest.mark.parametrize("name", ["S4", "A4", "D8", "S3xC2"])
def test_cosets_are_sets_of_products_numbered_by_their_least_elements(name: str) -> None:
    group, draw = named(name), random.Random(name)
    for _ in range(12):
        sides = []
        for _ in range(2):
            words = [group.elements[draw.randrange(group.order)] for _ in range(draw.randint(0, 2))]
            members = generated([tuple(w) for w in words], group.degree)
            record = SubgroupRecord("H", len(members), [cycles(tuple(w)) for w in words])
            sides.append(group.subgroup(record))
            assert {tuple(group.elements[g]) for g in sides[-1]} == members
        h, k = sides
        for found, left, right in (
            (group.right_cosets(h), h, [0]), (group.left_cosets(h), [0], h), (group.double_cosets(h, k), h, k)
        ):  # fmt: skip
            sets = [{group.mul[group.mul[a][x]][b] for a in left for b in right} for x in range(group.order)]
            assert all((found.labels[x] == found.labels[y]) == (y in sets[x]) for x in range(group.order) for y in range(group.order))
            assert found.first == sorted({min(one) for one in sets})
            assert [found.labels[x] for x in found.first] == list(range(found.count))


def test_cycle_notation_is_read_as_it_is_meant() -> None:
    for images in permutations(range(4)):
        assert tuple(groups.permutation(cycles(images), 4)) == images
    for text in ("", "(1", "(1)", "(0 1)", "(1 5)", "(1 2)(2 3)", "(1 2) (3 4)", "(1,2)", "(1 2 1)", "()()", "(1 2)()", "( 1 2)"):
        with pytest.raises(Malformed, match="disjoint cycles on the points 1 to 4"):
            groups.permutation(text, 4)
    with pytest.raises(Malformed, match="disjoint cycles on the points 1 to 0"):
        groups.permutation("()", 0)


@pytest.mark.parametrize(("name", "degree"), [*((f"S{n}", n) for n in range(1, 6)), *((f"A{n}", n) for n in range(3, 7))])
def test_the_order_called_sympy_is_that_of_sympys_named_groups(name: str, degree: int) -> None:
    group = named(name)
    expected = (SymmetricGroup if name[0] == "S" else AlternatingGroup)(degree)
    own = [tuple(group.elements[k]) for k in groups.named_order("sympy", group)]
    assert own == [tuple(element.array_form) for element in expected.generate()]


def test_the_order_called_sympy_is_that_of_sympy_for_any_generators() -> None:
    """40 groups of random generators, transitive or not: base, transversals and order are SymPy's."""
    lengths = set()
    for degree, words in random_subgroups(40):
        expected = PermutationGroup([SymPyPermutation(list(word)) for word in words])
        record = GroupRecord(", ".join(map(cycles, words)), degree, expected.order(), list(map(cycles, words)))
        group = Group(record)
        own = [tuple(group.elements[k]) for k in groups.named_order("sympy", group)]
        assert own == [tuple(element.array_form) for element in expected.generate()]
        base, strong = groups.strong_generators([g for g in group.generators if g != group.elements[0]], degree)
        sizes = 1
        for level, point in enumerate(base):  # every element is one product of transversals: orbits of the stabilisers
            fixing = [g for g in strong if all(g[b] == b for b in base[:level])]
            reached = groups.orbit(point, fixing, degree)
            stabiliser = {tuple(g) for g in group.elements if all(g[b] == b for b in base[:level])}
            assert {*reached} == {g[point] for g in stabiliser}
            assert all(element[point] == image for image, element in reached.items())
            sizes *= len(reached)
        assert sizes == group.order
        lengths.add(len(base))
    assert len(lengths) > 3


@pytest.mark.parametrize("name", ["S4", "A4", "D8"])
def test_the_other_orders_are_as_they_are_described(name: str) -> None:
    group = named(name)
    own = [tuple(images) for images in group.elements]
    assert groups.named_order("lexicographic", group) == list(range(group.order))
    even_first = [own[k] for k in groups.named_order("even-first", group)]
    assert even_first == sorted(own, key=lambda images: (crossings(images) % 2, images))


@pytest.mark.parametrize("name", ["S4", "A4"])
def test_a_numbering_is_refused_where_two_entries_are_exchanged(name: str) -> None:
    group = named(name)
    for order in ("lexicographic", "even-first", "sympy"):
        numbering = groups.named_order(order, group)
        groups.check_numbering(order, numbering, group)
        for k in range(group.order - 1):
            other = [*numbering[:k], numbering[k + 1], numbering[k], *numbering[k + 2 :]]
            groups.check_numbering("table", other, group)
            with pytest.raises(Differs, match=f"which is called {order}"):
                groups.check_numbering(order, other, group)
        with pytest.raises(Differs, match="numbering, sorted"):
            groups.check_numbering("table", [numbering[0], *numbering[:-1]], group)


@pytest.mark.parametrize(
    ("name", "degree", "generators"),
    [
        ("S4", 4, ["(1 2 3)", "(1 2)(3 4)"]),
        ("A4", 4, ["(1 2 3 4)", "(1 2)"]),
        ("S3", 4, ["(2 3 4)", "(2 3)"]),
        ("D8", 4, ["(1 2 3 4)"]),
        ("C4", 4, ["(1 2)(3 4)", "(1 3)(2 4)"]),
        ("D8", 4, ["(1 3 2 4)", "(1 2)"]),
        ("(1 2), (3 4)", 4, ["(1 2)(3 4)"]),
        ("F22", 5, ["(1 2 3 4 5)", "(2 3 5 4)"]),
        ("s3", 3, ["(1 2 3)", "(1 2)"]),
    ],
)
def test_a_group_is_refused_under_the_name_of_another_or_of_none(name: str, degree: int, generators: list[str]) -> None:
    """The same permutations pass under their own name: their generators."""
    order = len(groups.closure([groups.permutation(word, degree) for word in generators], degree))
    Group(GroupRecord(", ".join(generators), degree, order, generators))
    with pytest.raises(Differs, match=r"^(group\.name|degree of|order of the group|permutations of the group)"):
        Group(GroupRecord(name, degree, order, generators))


#: Names beyond S, A, C and D with the orders that the literature gives them, and names that say nothing.
FURTHER = {
    **{"Q8": 8, "Q16": 16, "Dic3": 12, "Dic5": 20, "F20": 20, "F21": 21, "F42": 42, "F55": 55, "M11": 7920, "D6": 6, "D8": 8},
    **{"AGL(1,5)": 20, "AGL(1,7)": 42, "Aff(8)": 32, "Aff(16)": 128, "PSL(2,5)": 60, "PSL(2,7)": 168, "PGL(2,5)": 120, "PGL(2,3)": 24},
    **{"SL(2,3)": 24, "SL(2,5)": 120, "GL(2,3)": 48, "S3wrS2": 72, "C2wrC3": 24, "Q8xC2": 16, "F6": 6, "SL(2,2)": 6, "GL(2,2)": 6},
    **{"Aff(3)": 6, "AGL(1,3)": 6},
}
NOTHING = (
    *("Q12", "Q6", "Dic1", "F8", "F15", "D7", "D4", "D2", "M12", "S3wr", "S0", "X5", "", "Aff(1)", "Aff(1,8)"),
    *("AGL(5)", "AGL(2,5)", "AGL(1,4)", "AGL(1,8)", "PSL(7)", "PSL(1,7)", "PSL(2,4)", "PSL(2,9)", "PGL(2,8)"),
    *("SL(2,4)", "SL(1,3)", "SL(3)", "GL(3,2)", "GL(2,4)", "PSL(2,1)", "SL(2,1)", "F7", "F5", "F2", "F1"),
    *("S2wrS2wrS2", "C16wrC16", "C2wrC128", "Q256", "Dic64", "Aff(256)"),
)


def test_a_group_is_as_large_as_it_may_be_and_no_larger(monkeypatch: pytest.MonkeyPatch) -> None:
    words = [groups.permutation(word, 3) for word in ("(1 2 3)", "(1 2)")]
    monkeypatch.setattr(groups, "LARGEST_ORDER", 6)
    assert len(groups.closure(words, 3)) == 6
    monkeypatch.setattr(groups, "LARGEST_ORDER", 5)
    with pytest.raises(Malformed, match="at most 5 elements"):
        groups.closure(words, 3)


@pytest.mark.parametrize(("name", "degree"), [("C5wrC51", 255), ("C2wrC20", 40), ("Aff(255)", 255), ("Dic63", 252), ("Q128", 128)])
def test_names_of_groups_on_up_to_255_points_are_known(name: str, degree: int) -> None:
    found = groups.named_group(name)
    assert found is not None
    assert found[0] == degree


@pytest.mark.parametrize("name", FURTHER)
def test_a_further_name_is_that_of_the_projects_group(name: str) -> None:
    """The checker's generators and those of the other parser, which shares no code with it, generate the same permutations."""
    found, other = groups.named_group(name), parse_group(name)
    assert found is not None
    degree, generators = found
    own = groups.closure([groups.permutation(word, degree) for word in generators], degree)
    assert (degree, len(own)) == (other.degree, FURTHER[name])
    assert {tuple(images) for images in own} == {tuple(int(p) for p in row) for row in other.elements}


@pytest.mark.parametrize("name", NOTHING)
def test_what_is_no_name_of_a_group_is_none(name: str) -> None:
    assert groups.named_group(name) is None
