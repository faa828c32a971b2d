"""Programs with forms on one point, written on cosets: the same functions, and rounded only where that is asked for."""

import itertools

import numpy as np
import pytest

from algebra.group import parse_group
from algebra.lattice import subgroups
from verify.program.coset_forms import coset_space_of, in_coset_forms, simplest
from verify.program.form import Form, GroupForm, expand_lists
from verify.program.kind import kind_of
from verify.program.program import FORMAT, SQUARES, Circuit, Neuron, Program, expand, group_record, subgroup_record
from verify.program.written import Written

S4 = parse_group("S4")
LATTICE = subgroups(S4)
EVEN = next(k for k, one in enumerate(LATTICE.all) if one.order == 12)
STABILISER = next(k for k, one in enumerate(LATTICE.all) if one.index == 4)
OTHERS = [k for k, one in enumerate(LATTICE.all) if one.index in (3, 6)]


def point(p, count, weight=1):
    return tuple(weight * (q == p) for q in range(count))


def written(circuits, scale_bits=3, form=FORMAT):
    records = tuple(subgroup_record(one) for one in LATTICE.all)
    program = Program(form, group_record(S4), records, 3, 2, tuple(range(24)), tuple(circuits), scale_bits)
    return Written(program, LATTICE.all, expand(program, S4, LATTICE.all))


def circuit(kernel, p, q, right, number, h=STABILISER):
    n, rng = LATTICE.all[h].index, np.random.default_rng(number)
    left = Form("images", (h,), (kernel,), point(p, n, 2), constant=True)
    read = Form(right, (h,), (kernel,), point(q, n, -1), constant=True)
    lists = [tuple(map(int, rng.integers(-9, 9, size))) for size in (n + 1, 2 if right == "shared" else n + 1, 1)]
    return Circuit(left, read, Form("right cosets", (len(LATTICE) - 1,)), (Neuron(number, *lists),))


def functions(one):
    exact = one.weights.exact()
    p, v = exact.preactivation_bits, exact.vote_bits
    return [
        np.array([[value / 2**bits for value in row] for row in a.tolist()]) for a, bits in ((exact.L, p), (exact.R, p), (exact.U, v))
    ]


KINDS = zip(itertools.product((None, EVEN), ("preimages", "shared")), ((0, 1), (1, 3), (2, 2), (3, 0)), strict=True)
ALL = [circuit(kernel, p, q, right, 4 * p + q) for (kernel, right), (p, q) in KINDS]


@pytest.mark.parametrize("form", [FORMAT, SQUARES])
def test_a_program_on_points_is_the_same_on_cosets(form):
    before = written([*ALL, *(circuit(EVEN, 1, 2, "shared", 20 + h, h) for h in OTHERS)], form=form)
    after = in_coset_forms(before, S4)
    assert {form.on for c in after.program.circuits for form in (c.left, c.right)} == {"right cosets", "left cosets"}
    assert after.program.scale_bits == 0
    for one, other in zip(functions(before), functions(after), strict=True):
        assert np.array_equal(one, other)
    assert after.weights.activation == before.weights.activation
    assert np.array_equal(before.weights.logits(np.arange(24), np.arange(24)), after.weights.logits(np.arange(24), np.arange(24)))
    for old, new in zip(before.program.circuits, after.program.circuits, strict=True):
        assert kind_of(old, before.program) in ("twisted", "coset")
        if old.left.kernels == (None,):
            assert kind_of(new, after.program) == kind_of(old, before.program)


def test_circuits_with_several_points_stay():
    """Beside them shared lists keep their scale, and every function is the same."""
    several = (*ALL[3].left.weights[:2], 1, 1)
    left, right = (Form(form.on, form.subgroups, form.kernels, several, constant=True) for form in (ALL[3].left, ALL[3].right))
    kept = Circuit(left, right, ALL[3].votes, ALL[3].neurons)
    before = written([kept, *ALL[:3]])
    after = in_coset_forms(before, S4)
    assert after.program.circuits[0].left == left
    assert after.program.scale_bits == 3
    for one, other in zip(functions(before), functions(after), strict=True):
        assert np.array_equal(one, other)


def test_without_points_the_program_is_itself():
    plain = Circuit(Form("right cosets", (STABILISER,)), Form("left cosets", (STABILISER,)), ALL[0].votes, ())
    before = written([plain])
    assert in_coset_forms(before, S4) is before


def test_what_is_shared_is_rounded_to_the_unit_of_the_other_lists_where_that_is_asked_for():
    before = written(ALL)
    after = in_coset_forms(before, S4, exact=False)
    assert after.program.preactivation_bits == before.program.preactivation_bits
    one, other = functions(before), functions(after)
    assert np.array_equal(one[0], other[0])
    assert 0 < np.abs(one[1] - other[1]).max() <= 2.0**-3
    assert all(abs(value) < 200 for c in after.program.circuits for n in c.neurons for value in (*n.left, *n.right))


@pytest.mark.parametrize("kernel", [None, EVEN])
def test_the_space_is_that_of_the_stabiliser_of_the_point(kernel):
    """Every function of the form is its own projection on the space."""
    for h in [STABILISER, *OTHERS]:
        n = LATTICE.all[h].index
        for p in range(n):
            for on, side in (("images", "right"), ("preimages", "left")):
                form = Form(on, (h,), (kernel,), point(p, n))
                space = coset_space_of(S4, form, LATTICE.all)
                assert (space.side, space.count) == (side, n)
                program = written([Circuit(form, form, form, (Neuron(0, *[tuple(range(1, n + 1))] * 3),))], 0)
                f = program.weights.L[:, 0]
                assert np.allclose(space.project(f), f)
    assert coset_space_of(S4, Form("images", (STABILISER,), (kernel,), (1, 1, 0, 0)), LATTICE.all) is None
    assert coset_space_of(S4, Form("elements"), LATTICE.all) is None


@pytest.mark.parametrize("constant", [False, True])
@pytest.mark.parametrize("kernel", [None, LATTICE.all[EVEN]])
def test_the_simplest_form_has_the_same_function_and_no_more_integers(kernel, constant):
    rng, whole = np.random.default_rng(5), LATTICE.all[-1]
    for h in [LATTICE.all[k] for k in (STABILISER, *OTHERS)] + [LATTICE.all[EVEN], whole, LATTICE.all[0]]:
        for p in range(min(h.index, 6)):
            for on in ("images", "preimages"):
                form = GroupForm(on, (h,), (kernel,), point(p, h.index, -2), constant=constant)
                t = tuple(map(int, rng.integers(-9, 9, h.index + constant)))
                found, values = simplest(LATTICE, form, t)
                before, after = (
                    expand_lists(S4, one, np.array(numbers, dtype=object)[:, None]) for one, numbers in ((form, t), (found, values))
                )
                assert (before == after).all()
                assert len(values) <= len(t)
                stays = kernel is not None and not constant and not (h.mask <= kernel.mask).all()
                assert (found.on == on) == stays
                assert not stays or found.weights == point(p, h.index)


def test_forms_on_several_points_and_others_stay():
    h = LATTICE.all[STABILISER]
    for form in (GroupForm("images", (h,), (None,), (1, 1, 0, 0)), GroupForm("elements"), GroupForm("rank", (h,), (None,), rank=1)):
        assert simplest(LATTICE, form, (1, 2, 3, 4)) == (form, (1, 2, 3, 4))
