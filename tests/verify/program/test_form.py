"""Forms: every linear form against its definition, on all of S4, and the errors of ill-formed ones."""

import itertools

import numpy as np
import pytest

from algebra.coset_space import character_signs
from algebra.group import parse_group
from algebra.lattice import subgroups
from verify.program.form import Form, linear_form

S4 = parse_group("S4")
FAMILY = subgroups(S4)
PAIRS = [
    (h, n)
    for h, n in itertools.product(range(len(FAMILY)), repeat=2)
    if 2 * FAMILY.all[n].order == FAMILY.all[h].order and (FAMILY.masks[n] <= FAMILY.masks[h]).all()
]


def values(form, t):
    return linear_form(S4, form, FAMILY.all).expand(np.asarray(t))


def size(form):
    return linear_form(S4, form, FAMILY.all).size


@pytest.mark.parametrize("on", ["right cosets", "left cosets"])
def test_one_sided_forms_are_constant_exactly_on_their_cosets(on):
    """F takes each entry of t on one coset, the cosets numbered by their least elements."""
    for h, subgroup in enumerate(FAMILY.all):
        f = values(Form(on, (h,)), range(size(Form(on, (h,)))))
        seen = {}
        for g in range(S4.order):
            products = [S4.mul[a, g] if on == "right cosets" else S4.mul[g, a] for a in subgroup.elements]
            assert {int(f[p]) for p in products} == {int(f[g])}
            seen.setdefault(frozenset(map(int, products)), int(f[g]))

        assert [seen[c] for c in sorted(seen, key=min)] == list(range(S4.order // subgroup.order))


def test_double_cosets_are_constant_exactly_on_their_double_cosets():
    """F takes each entry of t on one set HgK, numbered by least element, for all pairs of subgroups."""
    for h, k in itertools.product(range(len(FAMILY)), repeat=2):
        form = Form("double cosets", (h, k))
        f = values(form, range(size(form)))
        number = {}
        for g in range(S4.order):
            product = {int(S4.mul[S4.mul[a, g], b]) for a in FAMILY.all[h].elements for b in FAMILY.all[k].elements}
            number.setdefault(min(product), len(number))

            assert f[g] == number[min(product)]


@pytest.mark.parametrize("on", ["right cosets", "left cosets"])
def test_twisted_forms_obey_their_character(on):
    """f(hx) = chi(h) f(x) + (1 - chi(h)) c for the constant c at the end of t, and f - c is t at least elements."""
    rng = np.random.default_rng(0)
    for h, n in PAIRS:
        form = Form(on, (h,), (n,))
        t = rng.integers(-9, 9, size(form))
        f = values(form, t) - t[-1]
        chi = character_signs(FAMILY.all[h], FAMILY.all[n])
        for g, a in itertools.product(range(S4.order), FAMILY.all[h].elements):
            moved = S4.mul[a, g] if on == "right cosets" else S4.mul[g, a]

            assert f[moved] == chi[a] * f[g]
        cosets = FAMILY.all[h].right_cosets if on == "right cosets" else FAMILY.all[h].left_cosets

        assert [f[r] for r in cosets.representatives] == list(t[:-1])


def test_twisted_double_cosets_span_all_functions_with_the_law():
    """The form's dimension is that of {f : f(hgk) = chi(h) psi(k) f(g)}, and its members obey the law."""
    for (h, n), (k, m) in itertools.islice(itertools.product(PAIRS, PAIRS), 0, None, 7):
        form = Form("double cosets", (h, k), (n, m))
        chi = character_signs(FAMILY.all[h], FAMILY.all[n])
        psi = character_signs(FAMILY.all[k], FAMILY.all[m])
        f = values(form, np.arange(1, size(form) + 1))
        for a, b in itertools.product(FAMILY.all[h].elements, FAMILY.all[k].elements):
            moved = S4.mul[S4.mul[a], b]

            assert (f[moved] == chi[a] * psi[b] * f).all()
        projector = np.zeros((S4.order, S4.order))
        for a, b in itertools.product(FAMILY.all[h].elements, FAMILY.all[k].elements):
            projector[S4.mul[S4.mul[a], b], np.arange(S4.order)] += chi[a] * psi[b]
        rank = round(np.trace(projector) / (FAMILY.all[h].order * FAMILY.all[k].order))

        assert size(form) == rank


def test_coset_sum_and_matrix_follow_their_formulas():
    """u(g) = t[Hg] + s[gK], and u(g) = sum over right cosets p of M[p, pg], times the sign where twisted."""
    rng = np.random.default_rng(1)
    even = int(np.flatnonzero(FAMILY.orders == 12)[0])
    for h, k in itertools.product(np.flatnonzero(FAMILY.orders >= 6)[:-1], repeat=2):
        right, left = FAMILY.all[h].right_cosets, FAMILY.all[k].left_cosets
        t = rng.integers(-9, 9, right.count + left.count)
        expected = t[right.labels] + t[right.count + left.labels]

        assert (values(Form("coset sum", (int(h), int(k))), t) == expected).all()
        m = rng.integers(-9, 9, (right.count, right.count))
        for kernel in (None, even):
            sign = 1 if kernel is None else np.where(FAMILY.masks[even], 1, -1)
            moved = [[right.labels[S4.mul[r, g]] for r in right.representatives] for g in range(S4.order)]
            expected = sign * np.array([sum(m[p, q] for p, q in enumerate(row)) for row in moved])

            assert (values(Form("coset matrix", (int(h),), (kernel,)), m.ravel()) == expected).all()


def test_basis_is_the_matrix_of_expand():
    """Basis @ t equals expand(t) for each kind of form."""
    rng = np.random.default_rng(2)
    h, n = PAIRS[-1]
    for form in (Form("elements"), Form("right cosets", (h,), (n,)), Form("coset sum", (h, h)), Form("coset matrix", (h,))):
        linear = linear_form(S4, form, FAMILY.all)
        t = rng.integers(-9, 9, linear.size).astype(float)

        assert np.array_equal(linear.basis() @ t, linear.expand(t))


@pytest.mark.parametrize(
    "form", [Form("right cosets"), Form("double cosets", (1,)), Form("elements", (1,)), Form("left cosets", (1,), (1, 2))]
)
def test_wrong_number_of_subgroups_is_refused(form):
    with pytest.raises(ValueError, match="takes"):
        linear_form(S4, form, FAMILY.all)


def test_kernel_that_is_not_of_index_two_is_refused():
    with pytest.raises(ValueError, match="index two"):
        linear_form(S4, Form("right cosets", (len(FAMILY) - 1,), (0,)), FAMILY.all)
