"""Forms on points: against their formulas, and the same in the writer, in the checker and on the page, on random programs."""

import itertools
import json
import random

import msgspec
import numpy as np
import pytest

from algebra.coset_space import CosetSpace
from algebra.group import parse_group
from algebra.gset import GSet
from algebra.lattice import subgroups
from verify.checker import shape
from verify.checker.groups import Group
from verify.checker.programs import Expanded
from verify.program.editable import CosetProgram, form_in_words
from verify.program.form import Form, expand_lists, expand_sides, linear_form, list_length, over_group, scaled_list
from verify.program.kind import kind_of
from verify.program.program import FORMAT, Circuit, Neuron, Program, expand, group_record, subgroup_record

S4 = parse_group("S4")
LATTICE = subgroups(S4)
EVEN = next(k for k, one in enumerate(LATTICE.all) if one.order == 12)
POINTS = [k for k, one in enumerate(LATTICE.all) if one.index in (1, 2, 3, 4, 6)]


def definition(matrix, h, kernel, g):
    """f(g) = chi(g) times the sum of M[p, pg] over the right cosets p of H, cosets as sets of elements by their least."""
    cosets = sorted({frozenset(S4.mul[a, x] for a in LATTICE.all[h].elements) for x in range(S4.order)}, key=min)
    total = 0
    for p, coset in enumerate(cosets):
        q = cosets.index(frozenset(S4.mul[x, g] for x in coset))
        total += matrix[p][q]
    return total if kernel is None or LATTICE.masks[kernel][g] else -total


def values(form, t):
    return expand_lists(S4, over_group(form, LATTICE.all), np.array(t, dtype=object)[:, None])[:, 0].tolist()


@pytest.mark.parametrize("kernel", [None, EVEN])
def test_images_preimages_and_rank_follow_their_formulas(kernel):
    rng = np.random.default_rng(0)
    for h in POINTS:
        n = LATTICE.all[h].index
        t, weights, more, c = rng.integers(-9, 9, n), rng.integers(-2, 3, n), rng.integers(-9, 9, (2, n)), 5
        w = tuple(int(weight) for weight in weights)
        cases = [
            (Form("images", (h,), (kernel,), w, constant=True), [*t, c], np.outer(weights, t)),
            (Form("preimages", (h,), (kernel,), w, constant=True), [*t, c], np.outer(t, weights)),
            (Form("rank", (h,), (kernel,), rank=1, constant=True), [*t, *weights, c], np.outer(t, weights)),
            (
                Form("rank", (h,), (kernel,), rank=2, constant=True),
                [*t, *weights, *more.ravel(), c],
                np.outer(t, weights) + np.outer(*more),
            ),
        ]
        for form, numbers, matrix in cases:
            assert values(form, numbers) == [definition(matrix, h, kernel, g) + c for g in range(S4.order)]


def test_right_and_left_cosets_are_images_and_preimages_of_one_point():
    for h in POINTS:
        subgroup = LATTICE.all[h]
        t = list(range(1, subgroup.index + 1))
        weights = (1, *[0] * (subgroup.index - 1))
        assert values(Form("images", (h,), weights=weights), t) == values(Form("right cosets", (h,)), t)
        # t[p] where pg = 0, that is where g^-1 takes 0 to p: number the left cosets by the right cosets of the inverses
        left = [t[int(subgroup.right_cosets.labels[S4.inv[r]])] for r in subgroup.left_cosets.representatives]
        assert values(Form("preimages", (h,), weights=weights), t) == values(Form("left cosets", (h,)), left)


def test_a_sum_adds_up_what_its_parts_give():
    n = LATTICE.all[STABILISER].index
    parts = (Form("images", (STABILISER,), weights=(1, 2, 0, 0)), Form("double cosets", (STABILISER, STABILISER)), Form("elements"))
    t = list(range(1, n + 3 + 24))
    lists = t[:n], t[n : n + 2], t[n + 2 :]
    wanted = sum(np.array(values(part, part_list)) for part, part_list in zip(parts, lists, strict=True))
    assert (np.array(values(Form("sum", parts=parts), t)) == wanted).all()


def test_a_matrix_of_full_rank_is_a_coset_matrix():
    rng = np.random.default_rng(1)
    for h in POINTS:
        n = LATTICE.all[h].index
        matrix = rng.integers(-9, 9, (n, n))
        factors = [part for p in range(n) for part in (np.eye(n, dtype=int)[p], matrix[p])]
        assert values(Form("rank", (h,), rank=n), np.concatenate(factors)) == values(Form("coset matrix", (h,)), matrix.ravel())


def test_a_shared_list_is_read_by_x_through_a_and_by_y_through_d():
    """R(y) = s chi(y) sum of m[p] d[py], plus a constant, everything else in units of the denominator of s."""
    rng, unit = np.random.default_rng(2), 8
    for h, kernel, constant in itertools.product(POINTS, (None, EVEN), (False, True)):
        n = LATTICE.all[h].index
        m, a, d = rng.integers(-9, 9, n), rng.integers(-1, 3, n), rng.integers(-1, 3, n)
        left = Form("images", (h,), (kernel,), tuple(map(int, a)), constant=True)
        right = Form("shared", (h,), (kernel,), tuple(map(int, d)), constant=constant)
        lists = [np.array(t, dtype=object)[:, None] for t in ([*m, 4], [-3, 7][: 1 + constant])]
        x, y = expand_sides(S4, over_group(left, LATTICE.all), over_group(right, LATTICE.all), *lists, unit)
        assert x[:, 0].tolist() == [unit * (definition(np.outer(a, m), h, kernel, g) + 4) for g in range(S4.order)]
        expected = [-3 * definition(np.outer(m, d), h, kernel, g) + 7 * unit * constant for g in range(S4.order)]
        assert y[:, 0].tolist() == expected


def test_the_list_of_a_multiple():
    """scaled_list gives the list of 3 f, factors alpha and the number s left alone."""
    h, rng = POINTS[0], random.Random(0)
    for form in (
        Form("rank", (h,), rank=2, constant=True),
        Form("images", (h,), weights=(1,) * LATTICE.all[h].index),
        Form("elements"),
    ):
        t = [rng.randint(-9, 9) for _ in range(list_length(S4, over_group(form, LATTICE.all)))]
        assert values(form, scaled_list(form, t, 3)) == [3 * value for value in values(form, t)]
    assert scaled_list(Form("shared", constant=True), (5, 7), 3) == (5, 21)


# ---- what is refused

STABILISER = next(k for k in POINTS if LATTICE.all[k].index == 4)
OTHER = next(k for k in POINTS if LATTICE.all[k].index == 4 and k != STABILISER)
IMAGES = Form("images", (STABILISER,), weights=(1, 0, 0, 0))
SHARED = Form("shared", (STABILISER,), weights=(0, 1, 0, 0))


@pytest.mark.parametrize(
    ("form", "words"),
    [
        (Form("images", (STABILISER,), weights=(1, 0, 0)), "4 points takes as many weights, not 3"),
        (Form("images", (STABILISER,)), "4 points takes as many weights, not 0"),
        (Form("right cosets", (STABILISER,), weights=(1, 0, 0, 0)), "0 points takes as many weights, not 4"),
        (Form("images", (STABILISER,), weights=(2**31, 0, 0, 0)), "below 2147483648"),
        (Form("images", (STABILISER,), (STABILISER,), (1, 0, 0, 0)), "index two in the group, not 4"),
        (Form("images", (), (), (1,)), "takes 1 subgroups"),
        (Form("rank", (STABILISER,)), "at least 1"),
        (Form("rank", (STABILISER,), rank=-1), "at least 1"),
        (Form("images", (STABILISER,), weights=(1, 0, 0, 0), rank=1), "only a form on rank"),
        (Form("left cosets", (STABILISER,), constant=True), "no constant"),
        (Form("images", (99,), weights=(1,)), "names subgroups"),
        (Form("sum", parts=(IMAGES,)), "two or more"),
        (Form("images", (STABILISER,), weights=(1, 0, 0, 0), parts=(IMAGES, IMAGES)), "every other form none"),
        (Form("sum", parts=(IMAGES, Form("rank", (STABILISER,), rank=1))), "linear in its list"),
        (Form("sum", parts=(IMAGES, Form("images", (STABILISER,)))), "4 points takes as many weights, not 0"),
    ],
)
def test_what_is_no_form_is_refused_in_one_sentence(form, words):
    with pytest.raises(ValueError, match=words) as caught:
        list_length(S4, over_group(form, LATTICE.all))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("forms", "words"),
    [
        ((IMAGES, Form("shared", (OTHER,), weights=(1, 0, 0, 0)), IMAGES), "same points and character"),
        ((IMAGES, Form("shared", (STABILISER,), (EVEN,), (1, 0, 0, 0)), IMAGES), "same points and character"),
        ((Form("right cosets", (STABILISER,)), SHARED, IMAGES), "same points and character"),
        ((SHARED, SHARED, IMAGES), "only y"),
        ((IMAGES, SHARED, SHARED), "only y"),
    ],
)
def test_a_list_is_shared_only_between_x_and_y_on_the_same_points(forms, words):
    neuron = Neuron(0, *((1,) * (1 if form.on == "shared" else 4) for form in forms))
    program = written([Circuit(*forms, (neuron,))], 0)
    with pytest.raises(ValueError, match=words):
        expand(program, S4, LATTICE.all)


@pytest.mark.parametrize(("left", "right", "votes"), [(3, 1, 4), (4, 2, 4), (4, 1, 5), (4, 0, 4)])
def test_lists_of_another_length_are_refused(left, right, votes):
    neuron = Neuron(0, (1,) * left, (1,) * right, (1,) * votes)
    with pytest.raises(ValueError, match="expected"):
        expand(written([Circuit(IMAGES, SHARED, IMAGES, (neuron,))], 0), S4, LATTICE.all)


def test_format_1_has_no_forms_on_points():
    program = written([Circuit(IMAGES, SHARED, IMAGES, ())], 0)
    with pytest.raises(ValueError, match="coset-voting program 2"):
        msgspec.structs.replace(program, format="coset-voting program 1")
    data = json.loads(msgspec.json.encode(program))
    for change in ({"format": "coset-voting program 1"}, {"format": "coset-voting program 4"}):
        with pytest.raises(msgspec.ValidationError, match="expected"):
            msgspec.convert({**data, **change}, Program)


def written(circuits, scale_bits, lattice=LATTICE):
    records = tuple(subgroup_record(one) for one in lattice.all)
    return Program(FORMAT, group_record(lattice.group), records, 3, 2, (), tuple(circuits), scale_bits)


# ---- random programs


def random_form(lattice, rng, part, x):
    group, everyone = lattice.group, range(len(lattice.all))
    halves = [None, *(k for k in everyone if 2 * lattice.all[k].order == group.order)]
    on = rng.choice(
        ["right cosets", "left cosets", "double cosets", "coset matrix", "images", "images", "preimages", "rank", "elements", "sum"]
    )
    if on == "sum":
        parts = [random_form(lattice, rng, "votes", None) for _ in range(8)]
        return Form("sum", parts=tuple(part for part in parts if part.on not in ("rank", "sum"))[:2])
    if part == "right" and x.on == "images" and rng.random() < 0.7:
        on = "shared"
    h = x.subgroups[0] if on == "shared" else rng.choice([k for k in everyone if lattice.all[k].index <= 12])
    chi = x.kernels[0] if on == "shared" else rng.choice(halves)
    if on == "elements":
        return Form(on)
    if on == "double cosets":
        return Form(on, (h, rng.choice(everyone)))
    if on in ("right cosets", "left cosets"):
        return Form(on, (h,), (None,))
    if on in ("coset matrix", "rank"):
        return Form(on, (h,), (chi,), rank=rng.randint(1, 2) if on == "rank" else 0)
    weights = tuple(rng.choice([0, 0, 1, 1, -1, 2]) for _ in range(lattice.all[h].index))
    return Form(on, (h,), (chi,), weights, constant=rng.random() < 0.5)


def random_program(name, seed):
    lattice, rng = subgroups(parse_group(name)), random.Random(seed)
    circuits, index = [], 0
    for _ in range(4):
        forms = {}
        for part in ("left", "right", "votes"):
            forms[part] = random_form(lattice, rng, part, forms.get("left"))
        lengths = [list_length(lattice.group, over_group(form, lattice.all)) for form in forms.values()]
        neurons = []
        for _ in range(2):
            neurons.append(Neuron(index, *(tuple(rng.randint(-9, 9) for _ in range(length)) for length in lengths)))
            index += 1
        circuits.append(Circuit(*forms.values(), tuple(neurons)))
    return lattice, written(circuits, rng.choice([0, 3]), lattice)


@pytest.mark.parametrize("name", ["S4", "A5", "D8", "C6"])
def test_the_writer_and_the_checker_expand_random_programs_alike(name):
    for seed in range(4 if name == "A5" else 12):
        lattice, program = random_program(name, seed)
        text = msgspec.json.encode(program)
        assert msgspec.json.decode(text, type=Program) == program
        theirs = Expanded(shape.parse(shape.Program, json.loads(text), "program"), Group(group_of(program)), 99)
        ours, network = expand(program, lattice.group, lattice.all).exact(), theirs.network
        assert network.bits >= ours.preactivation_bits
        assert network.vote_bits >= ours.vote_bits
        p, v = 1 << (network.bits - ours.preactivation_bits), 1 << (network.vote_bits - ours.vote_bits)
        assert ((ours.L * p).tolist(), (ours.R * p).tolist()) == (network.left, network.right)
        assert (ours.U * v).tolist() == network.votes
        for number, circuit in enumerate(program.circuits):
            assert theirs.kind(number) == kind_of(circuit, program)


def group_of(program):
    return shape.parse(shape.GroupRecord, json.loads(msgspec.json.encode(program.group)), "group")


def test_basis_is_the_matrix_of_expand_on_points():
    rng = np.random.default_rng(2)
    for form in (IMAGES, Form("preimages", (STABILISER,), (EVEN,), (2, -1, 0, 0), constant=True)):
        linear = linear_form(S4, form, LATTICE.all)
        t = rng.integers(-9, 9, linear.size).astype(float)
        assert np.array_equal(linear.basis() @ t, linear.expand(t))


def test_programs_on_points_are_edited_in_python():
    """Read and written back it is the same program; an edited table is another one; forms are said in words."""
    lattice, program = random_program("S4", 5)
    editable = CosetProgram("readable", S4, program)
    assert editable.record() == program
    assert editable.constants == program.constants
    before, after = editable.weights().exact(), expand(program, S4, lattice.all).exact()
    assert before.L.tolist() == after.L.tolist()
    assert before.R.tolist() == after.R.tolist()
    other = editable.copy()
    other.circuits[0].left[0, 0] += 1
    assert other.record() != program
    names = [record.name for record in program.subgroups]
    assert form_in_words(Form("rank", (STABILISER,), rank=2), names) == f"rank 2 on cosets of {names[STABILISER]}"
    assert form_in_words(SHARED, names) == f"a shared list of cosets of {names[STABILISER]} with weights 0, 1, 0, 0"
    sign = f"{names[STABILISER]} with the sign that is 1 on {names[EVEN]}"
    assert (
        form_in_words(Form("images", (STABILISER,), (EVEN,), (1, 0, 0, 0)), names)
        == f"images of cosets of {sign} with weights 1, 0, 0, 0"
    )


@pytest.mark.parametrize("bits", [3, 40, 59, 60, 61, 62, 63, 80])
def test_machine_words_hold_what_python_integers_say(bits):
    """A program with numbers up to beyond 64 bits, written out against sums of Python's integers for each element."""
    rng = np.random.default_rng(bits)
    base = next(s for s in LATTICE.all if s.order == 6)
    forms = (
        Form("images", (0,), (None,), (1, -3, 0, 2), constant=True),
        Form("shared", (0,), (None,), (0, 1, 2, 2), constant=True),
        Form("sum", (), parts=(Form("images", (0,), (None,), (1, 1, 0, 0)), Form("left cosets", (0,), (None,)))),
    )
    top = 1 << bits
    lists = [[int(v) * (top // 8) for v in rng.integers(-8, 9, size)] for size in (5, 2, 8)]
    lists[1][0] = int(rng.integers(-8, 9))
    neuron = Neuron(0, *map(tuple, lists))
    record = Program(FORMAT, group_record(S4), (subgroup_record(base),), 2, 3, (), (Circuit(*forms, (neuron,)),), 4)
    found = expand(record, S4, (base,)).exact()

    moved = GSet(base).moved
    m, (s, c), t = lists[0], lists[1], lists[2]
    for g in range(S4.order):
        row = moved[:, g].tolist()
        left = 16 * (m[4] + sum(a * m[row[p]] for p, a in enumerate((1, -3, 0, 2))))
        right = s * sum(m[p] * (0, 1, 2, 2)[row[p]] for p in range(4)) + 16 * c
        votes = sum(a * t[row[p]] for p, a in enumerate((1, 1, 0, 0))) + t[4 + int(CosetSpace(base, "left").labels[g])]
        assert (found.L[g, 0], found.R[g, 0], found.U[0, g]) == (left, right, votes)
