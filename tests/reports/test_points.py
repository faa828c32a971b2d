"""What is said of forms on points: sums over images, preimages, shared lists and ranks."""

import json

import msgspec
import pytest

from algebra.group import parse_group
from algebra.lattice import subgroups
from reports.circuits import class_labels
from reports.named_form import NamedForm
from reports.program_text import program_source
from reports.words import Words, is_even
from verify.program.form import Form
from verify.program.program import FORMAT, Circuit, Neuron, Program, group_record, subgroup_record

S4 = parse_group("S4")
STABILISER = next(one for one in subgroups(S4).all if one.index == 4)
EVEN = next(one for one in subgroups(S4).all if one.index == 2)
RECORDS = tuple(subgroup_record(one) for one in (STABILISER, EVEN))
TWO, POINT = (1, 1, 0, 0), (0, 1, 0, 0)


@pytest.fixture(scope="module")
def words():
    record = group_record(S4)
    named = [{"name": one.name, "generators": one.generators} for one in RECORDS]
    return Words({"generators": record.generators, "degree": record.degree}, named)


def phrase(form, words, variable):
    return NamedForm.of(json.loads(msgspec.json.encode(form)), [one.name for one in RECORDS]).phrase(words, variable)


def test_sums_over_points_are_said(words):
    first, second = words.points(RECORDS[0].name)[:2]
    assert phrase(Form("images", (0,), weights=TWO), words, "x") == f"the sum of a list over where x sends {first} and {second}"
    assert phrase(Form("images", (0,), weights=POINT), words, "x") == f"where x sends {second}"
    assert phrase(Form("images", (0,), weights=(0, -1, 0, 0)), words, "x") == f"where x sends {second}, times -1"
    assert phrase(Form("shared", (0,), weights=POINT), words, "y") == f"the sum of the same list over what y sends to {second}"
    twisted = Form("preimages", (0,), (1,), (1, -1, 0, 0))
    expected = f"the sum of a list over what y sends to {first} rather than {second}, times the sign of y"
    assert phrase(twisted, words, "y") == expected
    assert phrase(Form("rank", (0,), rank=1), words, "z") == "one list at each of 4 points times another where z sends it"


def test_the_comments_of_program_py_say_the_same(words):
    forms = Form("images", (0,), weights=TWO), Form("shared", (0,), weights=POINT), Form("preimages", (0,), (1,), TWO)
    neuron = Neuron(0, (1, 2, 3, 4), (-1,), (1, 1, 1, 1))
    program = Program(FORMAT, group_record(S4), RECORDS, 0, 0, (), (Circuit(*forms, (neuron,)),), 2)
    source = program_source(json.loads(msgspec.json.encode(program)))
    for form, variable, side in zip(forms, "xyz", ("left", "right", "votes"), strict=True):
        assert f"#   {side}: {phrase(form, words, variable)}\n" in source
    assert '"right": ("shared", "' in source
    assert '{"weights": [0, 1, 0, 0]}' in source


@pytest.mark.parametrize("on", ["images", "shared", "preimages"])
@pytest.mark.parametrize("signed", [False, True])
def test_cells_of_one_point_are_named_by_what_their_elements_do(words, on, signed):
    """Every element of a cell called "a→b odd or c→d even" sends so, and no other element does."""
    form = NamedForm(on, (RECORDS[0].name,), (RECORDS[1].name if signed else None,), POINT)
    point = int(words.points(RECORDS[0].name)[1])
    elements = words.group.elements

    def truth(g):
        images = [i + 1 for i in g]
        place = f"{point}→{images[point - 1]}" if on == "images" else f"{images.index(point) + 1}→{point}"
        return place + (f" {'even' if is_even(g) else 'odd'}" if signed else "")

    places = sorted({truth(g) for g in elements})
    joined = {place: number // 2 for number, place in enumerate(places)}  # two places to a cell
    kind = [joined[truth(g)] for g in elements]
    kind = [list(dict.fromkeys(kind)).index(k) for k in kind]
    labels = class_labels(form, kind, words)

    assert all(truth(g) in labels[k].split(" or ") for g, k in zip(elements, kind, strict=True))
    assert sorted(label for one in labels for label in one.split(" or ")) == places


def test_a_kind_without_a_name_says_how_many_elements_it_has(words):
    """The kind of four elements is not called by the one of them that comes first."""
    kind = [0 if k < 4 else 1 if k == 4 else 2 for k in range(24)]
    first, single = words.element(0), words.element(4)

    assert class_labels(NamedForm("elements", (), ()), kind, words) == [f"{first} or 3 more", single, f"{words.element(5)} or 18 more"]
