"""Captured energy and shares against explicit projections, for every subgroup of S3 and S4, and labels of planted networks."""

import numpy as np
import pytest

from algebra.group import parse_group
from algebra.lattice import subgroups
from net.planted import planted_network
from net.weights import Weights, dead_neurons
from verify.distil.coset_fit import autocorrelation, captured_energy
from verify.distil.coset_spaces import candidate_shares, candidate_spaces
from verify.distil.labels import energies, label_neurons, log_accident


def projected(group, subgroup, f, side):
    """Average over each coset, from the definition."""
    result = np.empty_like(f)
    for g in range(group.order):
        members = [group.mul[h, g] if side == "right" else group.mul[g, h] for h in subgroup.elements]
        result[g] = np.mean([f[m] for m in members], axis=0)
    return result


@pytest.mark.parametrize("name", ["S3", "S4"])
@pytest.mark.parametrize("side", ["right", "left"])
def test_captured_energy_is_that_of_the_coset_averages(name, side):
    group = parse_group(name)
    lattice = subgroups(group)
    functions = np.random.default_rng(0).normal(size=(group.order, 3))
    energy = captured_energy(lattice.masks, autocorrelation(group, functions, side))
    for number, subgroup in enumerate(lattice.all):
        expected = (projected(group, subgroup, functions, side) ** 2).sum(axis=0)

        assert np.allclose(energy[number], expected)


def test_shares_of_twisted_candidates_are_those_of_the_signed_averages():
    group = parse_group("S4")
    lattice = subgroups(group)
    choices = candidate_spaces(lattice)
    functions = np.random.default_rng(1).normal(size=(group.order, 2))
    shares = candidate_shares(choices, functions)
    centred = functions - functions.mean(axis=0)
    for c in np.flatnonzero(choices.kernel >= 0):
        h, n = lattice.all[choices.subgroup[c]], lattice.all[choices.kernel[c]]
        twisted = projected(group, n, centred, "right") - projected(group, h, centred, "right")

        assert np.allclose(shares["right"][c], (twisted**2).sum(axis=0) / (centred**2).sum(axis=0))


def test_accident_bound_holds_for_white_noise():
    """The Chernoff bound is above the tail frequency of the share of Gaussian noise in a 5-dimensional space of 23."""
    rng = np.random.default_rng(2)
    noise = rng.normal(size=(100_000, 23)) ** 2
    share = noise[:, :5].sum(axis=1) / noise.sum(axis=1)
    for level in (0.3, 0.5, 0.7):
        bound = np.exp(log_accident(np.array([level]), np.array([5.0]), 24))[0]

        assert (share >= level).mean() <= bound


def labels_of(network):
    lattice = subgroups(network.group)
    choices = candidate_spaces(lattice)
    w = network.weights
    shares = [candidate_shares(choices, part) for part in (w.L, w.R)]
    return label_neurons(lattice, choices, shares[0], shares[1], w), lattice


def same_coset_space(side, subgroup):
    return side is not None and (side.subgroup.mask == subgroup.mask).all()


@pytest.mark.parametrize("noise", [0.0, 0.05, 0.2])
def test_planted_coset_neurons_get_their_own_subgroups_back(noise):
    """At up to 20 % noise every planted coset and sign neuron of S5 is labelled with exactly its H and K."""
    planted = planted_network(parse_group("S5"), seed=3, width=80, kinds={"sign": 3, "dead": 2}, noise=noise)
    labels, _ = labels_of(planted.network)
    for label, truth in zip(labels, planted.neurons, strict=True):
        if truth.kind in ("coset", "sign"):
            assert label.kind == truth.kind
            assert same_coset_space(label.left, truth.left)
            assert same_coset_space(label.right, truth.right)


@pytest.mark.parametrize("noise", [0.0, 0.05])
def test_planted_twisted_and_dual_neurons_are_recognised(noise):
    planted = planted_network(parse_group("S5"), seed=4, width=80, kinds={"twisted": 5, "dual": 5, "raw": 3}, noise=noise)
    labels, _ = labels_of(planted.network)

    assert [x.kind for x in labels if x.kind != "coset"] == [t.kind for t in planted.neurons if t.kind != "coset"]


def test_random_weights_get_no_coset_label():
    """The null: of 256 neurons with random weights over S5 none is labelled."""
    rng = np.random.default_rng(5)
    planted = planted_network(parse_group("S5"), seed=0, width=50).network
    w = Weights.from_arrays(rng.normal(size=(120, 256)), rng.normal(size=(120, 256)), rng.normal(size=(256, 120)))
    lattice = subgroups(planted.group)
    choices = candidate_spaces(lattice)
    shares = [candidate_shares(choices, part) for part in (w.L, w.R)]

    assert {x.kind for x in label_neurons(lattice, choices, shares[0], shares[1], w)} == {"raw"}


def test_dead_neurons_are_those_that_cannot_fire_or_move_an_answer():
    L = np.array([[-1.0, 1.0, -2.0], [-2.0, 0.0, 1.0]])
    w = Weights.from_arrays(L, -np.abs(L), np.array([[1.0, 0.0], [3.0, 3.0], [1.0, 0.0]]))

    assert dead_neurons(w).tolist() == [True, True, True]
    assert dead_neurons(Weights.from_arrays(L, np.abs(L), np.eye(3)[:, :2])).tolist() == [False, False, True]


def test_energy_is_the_mean_squared_push_on_the_logits():
    rng = np.random.default_rng(6)
    w = Weights.from_arrays(rng.normal(size=(6, 4)), rng.normal(size=(6, 4)), rng.normal(size=(4, 6)))
    h = np.maximum(w.L[:, None] + w.R[None], 0)

    assert np.allclose(energies(w), (h**2).mean(axis=(0, 1)) * w.U.var(axis=1))
