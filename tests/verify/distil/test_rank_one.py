"""Irreps on points, small vectors, the equations of rank-one votes, and labels of planted rank-one neurons, against slow twins."""

import itertools

import numpy as np
import pytest

from algebra.group import parse_group
from algebra.lattice import subgroups
from net.planted import planted_network, planted_rank_one
from net.weights import Weights
from verify.compare.answers import leads_at, shortfalls
from verify.distil.labels import labelled
from verify.distil.moments import squared_activations
from verify.distil.point_irreps import point_irreps
from verify.distil.rank_one import WORTH, chains, rank_one_parts, small_vector
from verify.distil.rank_votes import solve_terms
from verify.program.form import linear_map

S4 = parse_group("S4")


@pytest.mark.parametrize(("name", "dimensions"), [("S4", [1, 2, 3, 3]), ("S5", [1, 4, 4, 5, 5, 6]), ("A5", [3, 3, 4, 5]), ("C7", [])])
def test_irreps_on_points_are_irreps_and_satisfy_schur(name, dimensions):
    """Homomorphisms by orthogonal matrices; products of entries of one add up to |G|/d, of two different ones to 0."""
    group = parse_group(name)
    found = point_irreps(subgroups(group))
    assert sorted(irrep.dimension for irrep in found) == dimensions
    entries = []
    for irrep in found:
        rho, d = irrep.matrices, irrep.dimension
        x, y = np.random.default_rng(0).integers(0, group.order, (2, 50))
        assert np.allclose(rho[group.mul[x, y]], rho[x] @ rho[y])
        assert np.allclose(rho[x] @ rho[x].transpose(0, 2, 1), np.eye(d))
        assert np.allclose(irrep.character, np.trace(rho, axis1=1, axis2=2))
        entries.append(rho.reshape(group.order, -1) * np.sqrt(d / group.order))
    both = np.concatenate([np.zeros((group.order, 0)), *entries], axis=1)
    assert np.allclose(both.T @ both, np.eye(both.shape[1]))


def test_a_small_vector_is_as_near_as_any():
    """Against all vectors with entries 0 to 2 on the four points of S4."""
    irrep = next(irrep for irrep in point_irreps(subgroups(S4)) if irrep.points.count == 4)
    vectors = [np.array(v) for v in itertools.product(range(3), repeat=4) if len(set(v)) > 1]
    rng = np.random.default_rng(1)
    for _ in range(20):
        u = rng.normal(size=3)
        u /= np.linalg.norm(u)
        found = small_vector(irrep, u)
        cosines = [abs(u @ irrep.basis.T @ v) / np.linalg.norm(irrep.basis.T @ v) for v in vectors]
        assert found.cosine == pytest.approx(abs(u @ irrep.basis.T @ found.weights) / np.linalg.norm(irrep.basis.T @ found.weights))
        best = max(cosines)
        one_level = max(c for c, v in zip(cosines, vectors, strict=True) if len(set(v)) == 2)
        assert found.cosine >= one_level - 1e-9
        assert found.cosine == pytest.approx(best) or 1 - best**2 >= (1 - WORTH) * (1 - found.cosine**2) - 1e-9


def test_votes_by_schur_solve_the_dense_normal_equations():
    """For v fixed, u by one T x T matrix with d right sides is the solution of the dense equations over all T d unknowns."""
    rng = np.random.default_rng(2)
    for irrep in point_irreps(subgroups(S4)):
        d, terms = irrep.dimension, 7
        root = rng.normal(size=(terms, 9))
        moments, cross = root @ root.T, rng.normal(size=(terms, S4.order))
        v, prior = rng.normal(size=(terms, d)), rng.normal(size=(terms, d))
        v /= np.linalg.norm(v, axis=1, keepdims=True)
        scale = S4.order / d
        target = np.einsum("tz,zab->tab", cross, irrep.matrices)
        pull = 0.1 * np.diag(moments) * scale
        u = solve_terms(moments * scale, np.einsum("tab,tb->ta", target, v), v, pull, prior)

        features = np.concatenate([irrep.matrices @ v[t] for t in range(terms)], axis=1)
        own = np.repeat(np.arange(terms), d)
        dense = moments[np.ix_(own, own)] * (features.T @ features) + np.diag(np.repeat(pull, d))
        right = np.einsum("zp,pz->p", features, cross[own]) + np.repeat(pull, d) * prior.ravel()
        assert np.allclose(np.linalg.solve(dense, right), u.ravel())


def test_the_energy_of_a_part_is_that_of_the_projection():
    """On a doubly transitive set the functions of a form without constants are those of the irrep: least squares finds the energy."""
    rng = np.random.default_rng(3)
    irreps = [irrep for irrep in point_irreps(subgroups(S4)) if irrep.points.count == 4]
    f = rng.normal(size=(S4.order, 1))
    f -= f.mean()
    for part in rank_one_parts(irreps, [irrep.coefficients(f)[0] for irrep in irreps]):
        basis = linear_map(S4, part.form).basis()
        signs = irreps[1].signs if part.form.kernel is not None else np.ones(S4.order)
        basis = basis - signs[:, None] * (signs @ basis) / S4.order
        fitted = basis @ np.linalg.lstsq(basis, f[:, 0], rcond=None)[0]
        assert fitted @ fitted == pytest.approx(part.energy)


def test_a_chain_explains_a_sum_of_two_forms():
    planted = planted_rank_one(S4, seed=1, width=6)
    w = planted.network.weights
    both = w.L[:, :3] + w.L[:, 3:]
    for chain in chains(S4, point_irreps(subgroups(S4)), both, True, 4):
        assert list(chain.shares) == sorted(chain.shares)
        assert chain.shares[-1] > 0.99
        assert [linear_map(S4, form).size for form in chain.forms] == list(chain.sizes)


@pytest.mark.parametrize("noise", [0.0, 0.1, 0.2])
def test_planted_rank_one_neurons_get_their_points_and_vectors_back(noise):
    """Of those of which noise leaves nine tenths of both sides in one coefficient of rank one; a and d up to scale and shift."""
    lattice = subgroups(parse_group("S5"))
    planted = planted_rank_one(lattice.group, seed=4, width=40, noise=noise)
    w = planted.network.weights
    strongest = []
    for side in (w.L, w.R):
        f = side - side.mean(axis=0)
        found = [np.linalg.norm(i.coefficients(f), 2, axis=(1, 2)) ** 2 * 120 / i.dimension for i in point_irreps(lattice)]
        strongest.append(np.max(found, axis=0) / (f**2).sum(axis=0))
    seen = 0
    for label, truth, share in zip(labelled(lattice, w).labels, planted.neurons, np.min(strongest, axis=0), strict=True):
        if truth.kind == "rank one" and share > 0.92:
            seen += 1
            assert label.kind == "rank one"
            for side, wanted in ((label.left, truth.rank_one.a), (label.right, truth.rank_one.d)):
                assert side.subgroup.index == len(wanted)
                assert (side.form.kernel is None) == (truth.rank_one.kernel is None)
                assert abs(np.corrcoef(side.form.weights, wanted)[0, 1]) > 0.85
    assert seen > 30


def test_random_weights_are_not_rank_one():
    rng = np.random.default_rng(5)
    for name in ("S4", "S5"):
        lattice = subgroups(parse_group(name))
        n = lattice.group.order
        w = Weights.from_arrays(rng.normal(size=(n, 200)), rng.normal(size=(n, 200)), rng.normal(size=(200, n)))
        assert {label.kind for label in labelled(lattice, w).labels} == {"raw"}


def test_leads_at_pairs_and_squares_of_activations_are_those_of_all_pairs():
    w = planted_network(S4, seed=2, width=40).network.weights
    everything = shortfalls(w, S4.mul, np.inf)
    again = leads_at(w, everything.x, everything.y, everything.wanted)
    assert np.allclose(again.lead, everything.lead, rtol=1e-4)
    h = np.maximum(w.L[:, None] + w.R[None], 0)
    assert np.allclose(squared_activations(w), (h**2).mean(axis=(0, 1)))
