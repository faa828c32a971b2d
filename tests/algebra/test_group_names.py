"""What people call groups, and that the checker builds the same permutations under each name."""

from __future__ import annotations

import re

import msgspec
import pytest

from algebra.errors import GroupError
from algebra.group import is_name_of, parse_group
from verify.checker import shape
from verify.checker.groups import Group
from verify.checker.shape import Differs, GroupRecord
from verify.program.program import group_record

#: A spelling, the name here, the order.
NAMES = [
    ("Z7", "C7", 7), ("C_5", "C5", 5), ("Z/7Z", "C7", 7), ("S_5", "S5", 120), ("S_{4}", "S4", 24), ("A_4", "A4", 12),
    ("sym(4)", "S4", 24),
    ("V4", "C2xC2", 4), ("K4", "C2xC2", 4), ("C2^3", "C2xC2xC2", 8), ("S3 x C2", "S3xC2", 12), ("S3×S3", "S3xS3", 36), ("C1", "C1", 1),
    ("Q8", "Q8", 8), ("Q16", "Q16", 16), ("Dic3", "Dic3", 12), ("Q8xC3", "Q8xC3", 24), ("F20", "F20", 20), ("F21", "F21", 21),
    ("AGL(1,5)", "AGL(1,5)", 20), ("AGL(1, 7)", "AGL(1,7)", 42), ("Aff(Z_16)", "Aff(16)", 128), ("Aff(Z/9)", "Aff(9)", 54),
    ("PSL(2,7)", "PSL(2,7)", 168), ("L2(7)", "PSL(2,7)", 168), ("PGL(2,5)", "PGL(2,5)", 120), ("PSL(2,2)", "PSL(2,2)", 6),
    ("SL(2,3)", "SL(2,3)", 24), ("GL(2,3)", "GL(2,3)", 48), ("S3wrS2", "S3wrS2", 72), ("C2 wr S3", "C2wrS3", 48),
    ("Group((1,2,3),(1,2))", "(1 2 3), (1 2)", 6), ("Group([ (1,2,3), (1,2) ])", "(1 2 3), (1 2)", 6),
]  # fmt: skip


def in_checker(record, **changes):
    return Group(shape.parse(GroupRecord, msgspec.json.decode(msgspec.json.encode(record)) | changes, "group"))


@pytest.mark.parametrize(("spelling", "name", "order"), NAMES)
def test_a_group_under_the_names_that_people_use(spelling, name, order):
    """The checker, which builds the group of that name from other generators, finds the same permutations."""
    group = parse_group(spelling)

    assert (group.name, group.order) == (name, order)
    assert is_name_of(name, group)
    assert in_checker(group_record(group)).order == order


@pytest.mark.parametrize(("name", "other"), [("PSL(2,5)", "PGL(2,5)"), ("F21", "AGL(1,7)"), ("Q8", "Dic3"), ("SL(2,3)", "GL(2,3)")])
def test_the_checker_refuses_another_groups_name(name, other):
    for mine, theirs in ((name, other), (other, name)):
        with pytest.raises(Differs, match=re.escape(theirs)):
            in_checker(group_record(parse_group(mine)), name=theirs)


@pytest.mark.parametrize("name", ["AGL(1,4)", "PSL(2,9)", "Q12", "Dic1", "F15", "GL(2,17)", "Aff(1)", "PSL(1,7)", "AGL(2,5)", "M12"])
def test_the_checker_knows_no_name_that_the_loader_refuses(name):
    with pytest.raises(GroupError, match=r"^Expected (a prime|a group such as|cycle notation|Q8, Q16|the order p k|GL\(2,p\))"):
        parse_group(name)
    with pytest.raises(Differs, match="the checker finds no group that is called so"):
        in_checker(group_record(parse_group("S3")), name=name)


@pytest.mark.parametrize(("name", "mend"), [("D5", "D10 here"), ("D4", "D8 here"), ("PSL(2,9)", "generators"), ("Monster", "PSL")])
def test_a_name_that_is_none_is_refused_with_the_mend(name, mend):
    with pytest.raises(GroupError, match=mend):
        parse_group(name)


def test_known_isomorphisms():
    """Counts of conjugacy classes and of elements of order 2 tell these groups: PSL(2,5) = A5, PGL(2,3) = S4, and so on."""

    def invariants(name):
        group = parse_group(name)
        return group.order, len(group.conjugacy_classes), sorted(group.element_orders.tolist())

    for one, other in (("PSL(2,5)", "A5"), ("PGL(2,3)", "S4"), ("PGL(2,5)", "S5"), ("F20", "AGL(1,5)"), ("F22", "D22"), ("Dic2", "Q8")):
        assert invariants(one) == invariants(other)
    assert invariants("Q8")[1:] == (5, [1, 2, 4, 4, 4, 4, 4, 4])


@pytest.mark.parametrize("name", ["C100000", "D 100000", "S_12345", "C100000xC2", "C2^300"])
def test_a_group_that_is_too_large_is_called_too_large(name: str) -> None:
    with pytest.raises(GroupError, match=r"^Expected a group on 1 to 255 points, got '.*', which is too large\.$"):
        parse_group(name)


@pytest.mark.parametrize("name", ["foo123456", "C100000y", "123456"])
def test_what_is_no_group_at_any_size_is_not(name: str) -> None:
    with pytest.raises(GroupError, match=r"^Expected a group such as"):
        parse_group(name)
