"""Rank-one neurons measured: planted ones come back with their points, vectors and lists, random ones do not."""

import numpy as np
import pytest

from algebra.characters.irrep import irreps
from algebra.group import parse_group
from algebra.subgroup import Subgroup
from net.planted import planted_rank_one
from net.weights import Weights
from verify.compare.rank_one import kind_of_weights, on_points, point_sets, rank_one_fit, weights_of_points


@pytest.mark.parametrize("name", ["S4", "S5", "A5"])
def test_planted_neurons_are_rank_one_and_share_their_vectors(name):
    planted = planted_rank_one(parse_group(name), 5, 24)
    fit = rank_one_fit(planted.network.group, planted.network.weights)
    assert fit.rank_one.min() > 1 - 1e-6
    assert fit.shared.min() > 1 - 1e-6
    assert fit.fits(1e-5, aligned=True).all()
    assert np.abs(fit.rest).max() < 1e-6
    assert (fit.strongest == fit.irrep).all()


def test_noise_is_what_is_left():
    """Noise of 20 % of the root mean square leaves about 4 % of the variance outside, less what falls on the irrep by chance."""
    planted = planted_rank_one(parse_group("S5"), 6, 60, noise=0.2)
    fit = rank_one_fit(planted.network.group, planted.network.weights)
    assert 0.9 < np.median(fit.rank_one) < 0.98
    assert np.median(fit.shared) > 0.99


def test_random_weights_are_not_rank_one():
    rng = np.random.default_rng(0)
    group = parse_group("S5")
    weights = Weights.from_arrays(*(rng.standard_normal((120, 30)) for _ in range(2)), rng.standard_normal((30, 120)))
    fit = rank_one_fit(group, weights)
    assert fit.rank_one.max() < 0.5
    assert not fit.fits(0.2).any()


def test_the_shares_are_those_of_least_squares():
    """On a random function the share of an irrep is what its matrix entries explain, and rank one less than that."""
    group, rng = parse_group("S4"), np.random.default_rng(1)
    f = rng.standard_normal((24, 3))
    fit = rank_one_fit(group, Weights.from_arrays(f, f, f.T))
    table = {rho.name: rho for rho in irreps(group)}
    for i in range(3):
        flat = table[fit.names[fit.irrep[i]]].matrices.reshape(24, -1)
        centred = f[:, i] - f[:, i].mean()
        explained = flat @ np.linalg.lstsq(flat, centred, rcond=None)[0]
        assert fit.on_irrep[0, i] == pytest.approx((explained**2).sum() / (centred**2).sum())
        assert fit.rank_one[0, i] <= fit.on_irrep[0, i] + 1e-12
        assert fit.on_irrep[0, i] + fit.rest[0, :, i].sum() == pytest.approx(1)


def test_point_sets_are_the_doubly_transitive_ones():
    """S5 on 5 and on 6 points; S6 on 6 ordinary and on 6 exotic ones; each with and without the sign."""
    assert sorted((one.points.count, one.kernel is None) for one in point_sets(parse_group("S5"))) == [
        (5, False), (5, True), (6, False), (6, True)]  # fmt: skip
    assert sorted(one.points.count for one in point_sets(parse_group("S6"))) == [6, 6, 6, 6]
    assert {one.points.count for one in point_sets(parse_group("A5"))} == {5, 6}


def test_planted_vectors_come_back_as_words():
    """The matrix on the planted points is a m^T up to constants; a and d are found, up to sign and constants."""
    group = parse_group("S5")
    planted = planted_rank_one(group, 7, 40)
    weights = planted.network.weights
    for i, neuron in enumerate(planted.neurons):
        one = neuron.rank_one
        where = next(s for s in point_sets(group) if s.points.count == 5 and (s.kernel is None) == (one.kernel is None))
        for side, (function, vector) in enumerate(((weights.L, one.a), (weights.R, one.d))):
            matrix, share = on_points(group, where, function[:, [i]])
            assert share[0] == pytest.approx(1, abs=1e-6)
            u, s, v = np.linalg.svd(matrix[0])
            assert s[1] < 1e-6 * s[0]
            found, cosine = weights_of_points(u[:, 0] if side == 0 else v[0])
            assert cosine > 0.999
            assert kind_of_weights(found) == kind_of_weights(vector)


def test_the_matrix_on_points_is_that_of_the_definition():
    """f(g) = chi(g) sum of M[p, pg], for a function on the points, and a random one's part is its least squares."""
    group, rng = parse_group("S4"), np.random.default_rng(2)
    for where in point_sets(group):
        n, moved = where.points.count, where.points.moved
        chi = np.ones(24) if where.kernel is None else np.where(where.kernel.mask, 1.0, -1.0)
        f = rng.standard_normal((24, 2))
        matrix, share = on_points(group, where, f)
        part = np.array([[chi[g] * sum(m[p, moved[p, g]] for p in range(n)) for g in range(24)] for m in matrix]).T
        entries = np.array([[chi[g] * ((moved[p, g] == q) - 1 / n) for p in range(n) for q in range(n)] for g in range(24)])
        centred = f - f.mean(axis=0)
        expected = entries @ np.linalg.lstsq(entries, centred, rcond=None)[0]
        assert np.allclose(part, expected)
        assert np.allclose(share, (expected**2).sum(axis=0) / (centred**2).sum(axis=0))


def test_a_neuron_compares_a_with_d_as_xy_carries_it():
    """The identity of docs/mechanism.md: L(x) + R(y) - c = chi(x) sum over p of m[px] (a[p] - s chi(xy) d[p xy])."""
    group = parse_group("S4")
    planted = planted_rank_one(group, 8, 12)
    weights = planted.network.weights
    for i, neuron in enumerate(planted.neurons):
        one = neuron.rank_one
        chi = np.ones(24) if one.kernel is None else np.where(one.kernel.mask, 1.0, -1.0)
        moved = one.points.right_cosets.labels[group.mul[one.points.right_cosets.representatives]]
        a, d, m = (np.array(vector) for vector in (one.a, one.d, one.m))
        for x in range(24):
            for y in range(24):
                xy = group.mul[x, y]
                expected = chi[x] * (m[moved[:, x]] * (a - one.s * chi[xy] * d[moved[:, xy]])).sum()
                assert weights.L[x, i] + weights.R[y, i] - one.c == expected


def test_the_mean_over_even_b_is_the_trilinear_form():
    """Over an orthonormal basis of b, the mean square of <rho(x) b, a - rho(xy) d> is |a - rho(xy) d|^2 / dim rho."""
    group, rng = parse_group("S4"), np.random.default_rng(4)
    rho = next(one.matrices for one in irreps(group) if one.name == "(3,1)")
    a, d, basis = rng.standard_normal(3), rng.standard_normal(3), np.linalg.qr(rng.standard_normal((3, 3)))[0]
    for x, y in rng.integers(0, 24, (20, 2)):
        v = a - rho[group.mul[x, y]] @ d
        pushes = [(a @ rho[x] @ b - b @ rho[y] @ d) ** 2 for b in basis]
        assert np.mean(pushes) == pytest.approx(v @ v / 3)
        assert v @ v == pytest.approx(a @ a + d @ d - 2 * a @ rho[group.mul[x, y]] @ d)


@pytest.mark.parametrize(
    ("weights", "kind"),
    [
        ((0, 0, 1, 0, 0, 0), "point"),
        ((1, 1, 0, 1, 1, 1), "point"),
        ((1, 0, 0, 1, 0, 0), "pair"),
        ((1, 1, 1, 0, 0, 0), "half"),
        ((2, 1, 0, 1, 1, 1), "difference"),
        ((1, 0, -1, 0, 0), "difference"),
        ((2, 1, 0, 0, 0, 0), "weighted"),
        ((2, 2, 1, 0, 0, 0), "weighted"),
    ],
)
def test_kinds_of_weights(weights, kind):
    assert kind_of_weights(weights) == kind


def test_the_nearest_integers_of_exact_vectors():
    rng = np.random.default_rng(3)
    for weights in ((1, 0, 0, 0, 0), (1, 0, 0, 1, 0, 0), (2, 1, 0, 1, 1, 1), (2, 1, 0, 0, 0, 0)):
        found, cosine = weights_of_points(-3.5 * np.array(weights) + 2 + 1e-4 * rng.standard_normal(len(weights)))
        assert cosine > 0.999
        assert kind_of_weights(found) == kind_of_weights(weights)


def test_the_subgroup_type_is_a_subgroup():
    kernels = [where.kernel for where in point_sets(parse_group("S4"))]
    assert None in kernels
    twisted = [kernel for kernel in kernels if kernel is not None]
    assert twisted
    assert all(isinstance(kernel, Subgroup) for kernel in twisted)
