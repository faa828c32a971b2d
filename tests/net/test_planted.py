"""Planted networks are right, and their neurons are what the planted truth says."""

from __future__ import annotations

import numpy as np
import pytest

from algebra.group import parse_group
from algebra.lattice import subgroups
from net.planted import KINDS, VECTORS, planted_network, planted_rank_one

ALL_KINDS = {"twisted": 4, "sign": 2, "dual": 3, "dead": 4, "raw": 3}


def exact_logits(weights, x, y):
    return weights.exact().logits(x, y).tolist()


def margins(network, rows):
    """Float64 margins of the right answers for the rows x."""
    group, found = network.group, []
    everything = np.arange(group.order)
    for x in rows:
        logits = network.weights.logits(np.full(group.order, x), everything)
        own = logits[everything, group.mul[x]].copy()
        logits[everything, group.mul[x]] = -np.inf
        found.append(own - logits.max(axis=1))
    return np.concatenate(found)


def constant_on(values, labels):
    """Whether the values depend on the labels alone, and differ between labels."""
    by_label = [np.unique(values[labels == label]) for label in range(labels.max() + 1)]
    return all(len(v) == 1 for v in by_label) and len(np.unique(np.concatenate(by_label))) == len(by_label)


@pytest.mark.parametrize(
    ("name", "width", "kinds"),
    [
        ("S3", 40, {}),
        ("S3", 40, ALL_KINDS),
        ("S4", 64, ALL_KINDS),
        ("S5", 128, ALL_KINDS),
        ("A4", 48, {"dual": 3, "raw": 3, "dead": 2}),
        ("A5", 64, {"dual": 3}),
        ("C7", 14, {}),
        ("D10", 70, {"sign": 0, "dual": 2}),
        ("S3xS3", 60, ALL_KINDS),
        ("S6", 160, ALL_KINDS),
    ],
)
@pytest.mark.parametrize("seed", [0, 1])
def test_without_noise_every_pair_is_right(name, width, kinds, seed):
    network = planted_network(parse_group(name), seed, width, kinds).network
    rows = range(network.group.order) if network.group.order <= 120 else range(0, network.group.order, 24)

    assert margins(network, rows).min() > 0.25
    assert network.width == width


def test_a_planted_network_is_right_in_exact_arithmetic_too(s3):
    weights = planted_network(s3, 0, 36, ALL_KINDS).network.weights
    for x in range(6):
        for y in range(6):
            logits = exact_logits(weights, x, y)
            assert logits.index(max(logits)) == s3.mul[x, y]
            assert logits.count(max(logits)) == 1


def test_s7_is_planted_at_width_512_in_float32():
    """5,040 elements: rows of the table at random places are right."""
    network = planted_network(parse_group("S7"), 0, 512, {"twisted": 20, "sign": 2}).network

    assert margins(network, [0, 2519, 5039]).min() > 0.25
    assert network.preactivation_terms == 2


@pytest.mark.parametrize("name", ["S4", "S5"])
def test_neurons_have_the_structure_that_is_stated(name):
    group = parse_group(name)
    planted = planted_network(group, 3, 128, ALL_KINDS, [subgroups(group).by_name("A4")])
    weights = planted.network.weights
    everything = np.arange(group.order)
    counted = dict.fromkeys([*KINDS, "coset"], 0)
    for i, neuron in enumerate(planted.neurons):
        l, r, u = weights.L[:, i], weights.R[:, i], weights.U[i]  # noqa: E741
        counted[neuron.kind] += 1
        if neuron.kind in ("coset", "sign"):
            assert constant_on(l, neuron.left.right_cosets.labels)
            assert constant_on(r, neuron.right.left_cosets.labels)
            voted = u != 0
            hidden = np.maximum(l[:, None] + r[None, :], 0)
            assert (hidden[voted[group.mul]] == 0).all()
        if neuron.kind == "twisted":
            sign = 1.0 - 2.0 * group.parity
            assert constant_on(np.abs(l), neuron.left.right_cosets.labels)
            for h in neuron.left.elements:
                assert np.array_equal(l[group.mul[h, everything]], sign[h] * l)
            for k in neuron.right.elements:
                assert np.array_equal(r[group.mul[everything, k]], sign[k] * r)
        if neuron.kind == "dual":
            assert constant_on(l, neuron.left.left_cosets.labels)
            assert constant_on(r, neuron.right.right_cosets.labels)
        if neuron.kind == "dead":
            assert not u.any() or l.max() + r.max() < 0
    assert counted == {**ALL_KINDS, "coset": 128 - sum(ALL_KINDS.values())}


def test_other_families_are_planted_too():
    group = parse_group("S5")
    chosen = subgroups(group).by_name("F20")
    neurons = planted_network(group, 0, 200, families=[chosen]).neurons
    orders = [neuron.left.order for neuron in neurons]

    assert set(orders) == {24, 20}
    assert len({neuron.left.mask.tobytes() for neuron in neurons if neuron.left.order == 20}) == 6


@pytest.mark.parametrize("noise", [0.01, 0.2])
def test_noise_has_the_stated_size_relative_to_each_neuron(noise):
    group = parse_group("S5")
    clean, noisy = (planted_network(group, 5, 64, noise=n).network.weights for n in (0.0, noise))
    for name, axis in (("L", 0), ("R", 0), ("U", 1)):
        before, after = getattr(clean, name), getattr(noisy, name)
        size = np.sqrt((before**2).mean(axis=axis))
        relative = np.sqrt(((after - before) ** 2).mean(axis=axis)) / size
        assert np.abs(relative / noise - 1).max() < 0.35
        assert abs(relative.mean() / noise - 1) < 0.05


def test_the_seed_determines_the_network():
    group = parse_group("S4")
    first, again, other = (planted_network(group, seed, 64, ALL_KINDS, noise=0.1) for seed in (1, 1, 2))

    assert np.array_equal(first.network.weights.L, again.network.weights.L)
    assert not np.array_equal(first.network.weights.L, other.network.weights.L)


@pytest.mark.parametrize(
    ("name", "width", "kinds", "message"),
    [
        ("S4", 64, {"strange": 1}, "kinds of neurons"),
        ("A4", 64, {"sign": 1}, "odd permutations"),
        ("S4", 31, {}, "at least 32"),
        ("S4", 33, {"dual": 2}, "at least 34"),
        ("C2", 12, {"twisted": 1}, "point stabiliser with odd"),
    ],
)
def test_impossible_requests_are_refused(name, width, kinds, message):
    with pytest.raises(ValueError, match=message):
        planted_network(parse_group(name), 0, width, kinds)


# ---- rank one


def rank_one_value(of, kernel, numbers, weights, g):
    """chi(g) times the sum over points p of weights[p] numbers[pg], points as sets of elements."""
    group = of.group
    cosets = sorted({frozenset(group.mul[h, x] for h in of.elements) for x in range(group.order)}, key=min)
    total = 0
    for p, coset in enumerate(cosets):
        total += weights[p] * numbers[cosets.index(frozenset(group.mul[x, g] for x in coset))]
    return total if kernel is None or kernel.mask[g] else -total


@pytest.mark.parametrize("name", ["S4", "A5", "D10"])
def test_rank_one_neurons_are_the_formula_exactly(name):
    """L, R and U are those of the module's docstring, with the numbers of the truth, U up to its scale."""
    planted = planted_rank_one(parse_group(name), 3, 4)
    weights = planted.network.weights
    for i, neuron in enumerate(planted.neurons):
        one = neuron.rank_one
        for g in range(planted.network.group.order):
            assert weights.L[g, i] == one.c + rank_one_value(one.points, one.kernel, one.m, one.a, g)
            assert weights.R[g, i] == -one.s * rank_one_value(one.points, one.kernel, one.d, one.m, g)
        d = np.array(one.d) - np.mean(one.d)
        assert sum(one.m) == 0
        votes = np.array([rank_one_value(one.points, one.kernel, d, one.a, g) for g in range(planted.network.group.order)])
        scale = -weights.U[i, np.abs(votes).argmax()] / votes[np.abs(votes).argmax()]
        assert scale > 0
        assert np.allclose(weights.U[i], -scale * votes, rtol=1e-6, atol=1e-9)


def test_a_rank_one_network_can_be_right_everywhere():
    group = parse_group("S4")
    planted = planted_rank_one(group, 0, 64, right=True)
    assert margins(planted.network, range(group.order)).min() > 0.25
    assert {"coset", "rank one"} <= {neuron.kind for neuron in planted.neurons}


def test_every_vector_and_character_is_planted_and_the_seed_determines_all():
    group = parse_group("S5")
    one, other = planted_rank_one(group, 1, 60), planted_rank_one(group, 1, 60)
    assert np.array_equal(one.network.weights.L, other.network.weights.L)
    found = [neuron.rank_one for neuron in one.neurons]
    assert {numbers.kernel is None for numbers in found} == {True, False}
    entries = {tuple(sorted(weight for weight in vector if weight)) for numbers in found for vector in (numbers.a, numbers.d)}
    assert entries == {(1,), (1, 1), (-1, 1), (-1, -1, -1, 1, 1), (1, 2)}
    assert len(entries) == len(VECTORS)
    noisy = planted_rank_one(group, 1, 60, noise=0.1).network.weights.L
    rest = ((noisy - one.network.weights.L) ** 2).mean(axis=0) / (one.network.weights.L**2).mean(axis=0)
    assert 0.005 < rest.min() < rest.max() < 0.02


@pytest.mark.parametrize("vectors", [("points",), ("point", "many")])
def test_unknown_vectors_are_refused(vectors):
    with pytest.raises(ValueError, match="expected vectors"):
        planted_rank_one(parse_group("S4"), 0, 4, vectors=vectors)


def test_too_few_points_are_refused():
    with pytest.raises(ValueError, match="four points"):
        planted_rank_one(parse_group("S3"), 0, 4)
