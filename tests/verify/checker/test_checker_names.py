"""Names of subgroups: those that the project gives pass, and none passes for another subgroup."""

import random
from collections import Counter
from itertools import product
from typing import Any

import msgspec
import pytest

from algebra.group import parse_group
from algebra.lattice import subgroups
from verify.checker import names
from verify.checker.groups import Group
from verify.checker.names import check_subgroup_name
from verify.checker.shape import Differs, GroupRecord, Malformed, SubgroupRecord, parse
from verify.program.program import group_record, subgroup_record
from verify.record.certificate import canonical_bytes


def lattice_of(name: str) -> tuple[Group, list[tuple[SubgroupRecord, list[int]]]]:
    """A group, and all of its subgroups under the names that the project gives them, with their members."""

    def plain(record: Any) -> Any:
        return msgspec.json.decode(canonical_bytes(record))

    group = parse_group(name)
    own = Group(parse(GroupRecord, plain(group_record(group)), "group"))
    records = [parse(SubgroupRecord, plain(subgroup_record(one)), "subgroup") for one in subgroups(group).all]
    return own, [(record, own.subgroup(record)) for record in records]


def passes(name: str, members: list[int], group: Group) -> bool:
    """Whether the members may be called so."""
    try:
        check_subgroup_name(SubgroupRecord(name, len(members), []), members, group)
    except Differs:
        return False
    return True


@pytest.mark.parametrize("name", ["S1", "S3", "C12", "C2xC2xC3", "D10", "S3xC2", "A5", "S5", "S4xC2", "D8xC2"])
def test_the_projects_names_pass(name: str) -> None:
    group, found = lattice_of(name)
    assert all(passes(record.name, members, group) for record, members in found)


@pytest.mark.parametrize("name", ["S4", "A4", "D8", "C6"])
def test_the_name_of_one_subgroup_passes_for_no_other(name: str) -> None:
    """All pairs; letters, which say nothing by themselves, tell some of D8 apart."""
    group, found = lattice_of(name)
    for (record, own), (_, members) in product(found, repeat=2):
        lettered = name == "D8" and record.name.rstrip("ab") != record.name and len(own) == len(members)
        assert lettered or passes(record.name, members, group) == (own == members)


def test_the_name_of_one_subgroup_of_s5_passes_for_no_other() -> None:
    group, found = lattice_of("S5")
    draw = random.Random(4)
    for (record, own), (_, members) in (draw.sample(found, 2) for _ in range(1500)):
        assert not passes(record.name, members, group) or own == members


@pytest.mark.parametrize("name", ["S4", "S5", "S3xC2"])
def test_orders_of_elements_of_a_type_are_those_of_a_group_of_that_type(name: str) -> None:
    """Types that are counted, against subgroups of that name: all of them but extensions."""
    group, found = lattice_of(name)
    seen = Counter[bool]()
    for record, members in found:
        kind = record.name.split(" ")[0].split("#")[0].split("[")[0].rstrip("+ab")
        size, orders = names.Type(kind).whole()
        assert size == len(members)
        seen[orders is not None] += 1
        true = Counter(names.order_of(group.elements[g]) for g in members)
        assert orders is None or {k: v for k, v in orders.items() if v} == dict(true)
    assert seen[True] > 10 * seen[False]


def test_types_that_no_small_symmetric_group_has() -> None:
    """Q8 and F56 by their definitions, F21 and S3wrS2 by permutations."""
    names.elements_of.cache_clear()  # what another version of the code found would stand in for this one
    assert names.Type("Q8").whole() == (8, {1: 1, 2: 1, 4: 6})
    assert names.Type("F56").whole() == (56, {1: 1, 2: 7, 7: 48})
    assert names.Type("F72").whole() == (72, {1: 1, 3: 8, 2: 9, 4: 18, 8: 36})
    for kind, degree, words in (
        ("F21", 7, ["(1 2 3 4 5 6 7)", "(2 3 5)(4 7 6)"]),
        ("S3wrS2", 6, ["(1 2 3)", "(1 2)", "(1 4)(2 5)(3 6)"]),
        ("A4xC2", 6, ["(1 2 3)", "(2 3 4)", "(5 6)"]),
        ("(C3xC3):C2", 6, ["(1 2 3)", "(4 5 6)", "(1 2)(4 5)"]),
    ):
        elements = names.closure([names.permutation(word, degree) for word in words], degree)
        size, orders = names.Type(kind).whole()
        assert size == len(elements)
        assert orders is None or orders == Counter(map(names.order_of, elements))
    assert names.Type("SL(2,5)xC2").whole() == (240, None)
    assert names.Type("G16").whole() == (16, None)


@pytest.mark.parametrize(
    "name",
    ["", "s3", "S0", "S03", "S9", "K8", "D7", "D4", "Q12", "F20x", "xC2", "(C2", "C2)", "S2wrS3", "C2 ", " C2", "C2 fixing",
     "C2 fixing 1 ", "C2 on", "C2#", "C2#0", "C2[", "C2[2]x", "C2++", "the C2", "C2\n", "C2 fixing 3\n", "F12", "F10", "11"],
)  # fmt: skip
def test_other_words_are_refused(name: str) -> None:
    group, found = lattice_of("S3")
    for _, members in found:
        assert not passes(name, members, group)


def test_a_list_of_generators_is_a_name_and_a_long_name_is_none() -> None:
    group, found = lattice_of("S3")
    whole = found[-1][1]
    assert passes("(1 2 3), (1 2)", whole, group)
    assert passes("()", [0], group)
    assert not passes("(1 2 3)", whole, group)
    with pytest.raises(Malformed, match="at most 100 characters"):
        passes("(" * 101, whole, group)
    with pytest.raises(Malformed, match="disjoint cycles"):
        passes("(1 4)", whole, group)


def test_a_name_of_a_hundred_characters_is_read_and_a_longer_one_is_not() -> None:
    group, found = lattice_of("S3")
    whole = found[-1][1]
    assert passes("S3_" + 97 * "1", whole, group)
    with pytest.raises(Malformed, match="at most 100 characters"):
        passes("S3_" + 98 * "1", whole, group)


@pytest.mark.parametrize("kind", ["F6", "F10", "F75", "F147", "F363", "F55x", "F1"])
def test_what_is_no_frobenius_group_of_the_module_is_refused(kind: str) -> None:
    """Complements of order two are dihedral groups; kernels are primes, 8 or 9, not the square of 5, 7 or 11."""
    names.elements_of.cache_clear()
    with pytest.raises(Differs, match="knows no such groups"):
        names.Type(kind).whole()


@pytest.mark.parametrize(
    ("words", "right", "wrong"),
    [
        (["(1 2 3)", "(1 2)", "(4 5)"], "G12 fixing {4,5}", ["G12 fixing {1,2,3}", "G12 fixing {4}", "G12 fixing {}"]),
        (["(1 2)", "(3 4)"], "G4 fixing 5,6", ["G4 fixing {1,2}", "G4 fixing {3,4}"]),
        (["(1 2)", "(3 4)", "(5 6)"], "G8 on {1,2},{3,4},{5,6}", ["G8 fixing {5,6}", "G8 fixing {1,2}"]),
        (["(1 2 3)"], "G3 fixing {1,2,3}", ["G3 fixing {1,2}", "G3 fixing {4,5,6}"]),
    ],
)
def test_the_shortest_orbit_is_a_mark_where_it_is_alone(words: list[str], right: str, wrong: list[str]) -> None:
    group = Group(GroupRecord("S6", 6, 720, ["(1 2 3 4 5 6)", "(1 2)"]))
    members = sorted(group.number[images] for images in names.closure([names.permutation(word, 6) for word in words], 6))
    assert passes(right, members, group)
    assert not any(passes(name, members, group) for name in wrong)


@pytest.mark.parametrize(("name", "order"), [*names.OTHERS.items(), ("M11xC2", 15840)])
def test_a_perfect_group_named_by_what_it_acts_on_has_its_order(name: str, order: int) -> None:
    """Its order alone is known; another order is refused."""
    names.check_type(name, name, Counter({1: 1, 2: order - 1}))
    with pytest.raises(Differs, match="order of a group of the type"):
        names.check_type(name, name, Counter({1: 1, 2: order}))


def test_the_name_of_a_frobenius_group_of_a_large_order_takes_no_time() -> None:
    """There are none of a prime order; to look for prime factors of all smaller numbers first took minutes."""
    assert names.elements_of("F", 99991) == {}
    assert names.elements_of("F", 20) == {1: 1, 5: 4, 2: 5, 4: 10}
