"""Compact proofs never certify a wrong pair, and say what they cost."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from algebra.group import FiniteGroup, parse_group
from algebra.lattice import subgroups
from net.planted import planted_network
from net.weights import Weights
from verify.compact.candidates import candidate_partitions
from verify.compact.factorisation import Factorisation, factorise
from verify.compact.ladder import prove_weights
from verify.compact.partition import Partition, coset_partition, singletons
from verify.compact.strategies.coset_tables import coset_circuits, prove_by_tables
from verify.compact.strategies.factored import prove_factored
from verify.compact.strategies.lines import LineBounder
from verify.compact.strategies.shortlist import margin_error, prove_shortlist
from verify.exact.exhaustive import Evaluation, correct_pairs, evaluate

Array = npt.NDArray[Any]

CHECKPOINTS = Path(__file__).parents[4] / "shared" / "checkpoints" / "chughtai"


def random_weights(group: FiniteGroup, rng: np.random.Generator) -> Weights:
    """A network that is right on some pairs and wrong on others: noise over planted structure, or alone; a third at other sizes."""
    weights = _random_weights(group, rng)
    if rng.random() < 0.7:
        return weights
    inputs, votes = (int(rng.choice([-600, -537, -149, -126, -40, 20, 30])) for _ in range(2))
    powers = inputs, inputs, votes, inputs + votes
    arrays = (weights.L, weights.R, weights.U, weights.b)
    return Weights.from_arrays(*(np.ldexp(array, power) for array, power in zip(arrays, powers, strict=True)))


def _random_weights(group: FiniteGroup, rng: np.random.Generator) -> Weights:
    n, m = group.order, int(rng.integers(2, 12))
    if rng.random() < 0.3:
        return Weights.from_arrays(*(rng.normal(size=shape) for shape in ((n, m), (n, m), (m, n), n)))
    base = planted_network(group, int(rng.integers(1000)), 2 * group.degree**2 + int(rng.integers(6)))
    weights = _weights(base)
    scale = rng.choice([0.0, 0.01, 0.1, 0.5])
    parts = (weights.L, weights.R, weights.U, weights.b)
    return Weights.from_arrays(*(part + scale * rng.normal(size=part.shape) for part in parts))


def _weights(planted: object) -> Weights:
    network = getattr(planted, "network", planted)
    found = getattr(network, "weights", network)
    assert isinstance(found, Weights)
    return found


def random_factorisation(group: FiniteGroup, weights: Weights, rng: np.random.Generator) -> Factorisation:
    """Every neuron reads x through cosets of a random subgroup, by element, or not at all: mostly far too coarsely."""
    lattice = subgroups(group)
    chosen: list[Partition | None] = [
        coset_partition(group, int(rng.integers(len(lattice))), "right"),
        coset_partition(group, int(rng.integers(len(lattice))), "left"),
        singletons(group.order),
        candidate_partitions(group, weights.L)[0][0],
    ]
    weight = rng.dirichlet([1, 1, 4, 1, 0.1])
    picks = rng.choice(5, weights.width, p=weight)
    return factorise(weights, [None if k == 4 else chosen[k] for k in picks], int(rng.integers(1, 4)))


def assert_sound(group: FiniteGroup, weights: Weights, settled: Array, bound: Array, evaluation: Evaluation | None = None) -> None:
    """Settled pairs are right, and bounds don't exceed the true margins."""
    evaluation = evaluation or evaluate(weights, group.mul)
    correct = correct_pairs(evaluation, group.mul)
    assert not (settled & ~correct).any()
    assert (bound[correct] <= evaluation.margin_high[correct]).all()
    assert (bound[~correct] <= 0).all()


def check_random_networks(name: str, networks: int, seed: int) -> None:
    """Random factorisations of random networks: every strategy against the exact answers on all pairs."""
    group = parse_group(name)
    rng = np.random.default_rng(seed)
    certified = wrong = 0
    for _ in range(networks):
        weights = random_weights(group, rng)
        factorisation = random_factorisation(group, weights, rng)
        if not factorisation.families:
            continue
        truth = evaluate(weights, group.mul)
        found = prove_factored(factorisation, group.mul)
        assert_sound(group, weights, found.settled, found.bound, truth)
        shortlisted, _ = prove_shortlist(weights, group.mul, found.contenders)
        assert not (shortlisted & found.settled).any()
        assert_sound(group, weights, shortlisted, np.full(shortlisted.shape, -np.inf), truth)
        certified += int(found.settled.sum() + shortlisted.sum())
        wrong += int((~correct_pairs(truth, group.mul)).sum())
        try:
            bounder = LineBounder(factorisation, group.mul)
        except ValueError:
            continue
        bounder.tight = bool(rng.random() < 0.5)
        alone = prove_factored(factorisation, group.mul, None, bounder, only_lines=True)
        both = prove_factored(factorisation, group.mul, None, bounder)
        assert_sound(group, weights, alone.settled, alone.bound, truth)
        assert_sound(group, weights, both.settled, both.bound, truth)
        assert (both.by_lines == alone.settled).all()
        assert both.settled[alone.settled].all()
    assert certified > 0
    assert wrong > 0


@pytest.mark.parametrize(("name", "networks"), [("S3", 40), ("S4", 6), ("A4", 6), ("C5", 15)])
def test_no_strategy_certifies_a_wrong_pair(name: str, networks: int) -> None:
    """On random networks and random factorisations, against the exact answers; the quadratic strategy's pairs are a subset."""
    check_random_networks(name, networks, 0)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "networks"), [("S3", 3000), ("S4", 500), ("A4", 500), ("C5", 1000)])
def test_no_strategy_certifies_a_wrong_pair_on_thousands(name: str, networks: int) -> None:
    """The same on five thousand networks."""
    check_random_networks(name, networks, 1)


def test_more_neurons_than_roundings_are_covered_for_are_not_attempted() -> None:
    """One neuron more than 2^20: the bounds of compact proofs are sums of more terms than `net.roundoff.INFLATE` speaks of."""
    group = parse_group("C2")
    ones = np.ones((2, 2**20 + 1))
    result = prove_weights(group, Weights.from_arrays(ones, ones, np.ones((2**20 + 1, 2)), np.zeros(2)))
    assert result.certified == 0
    assert "1,048,577 neurons are more than the 1,048,576" in result.reason


@pytest.mark.parametrize("name", ["S3", "S4", "D10", "S5"])
def test_tables_prove_planted_networks(name: str) -> None:
    """Exactly coset-structured networks are proved on all pairs from tables alone, with bounds below the true margins."""
    group = parse_group(name)
    weights = _weights(planted_network(group, 3, 2 * group.degree**2 + 8))
    circuits = coset_circuits(group, weights)
    assert circuits is not None
    tables = prove_by_tables(group, weights, circuits)
    assert tables.proved().all()
    evaluation = evaluate(weights, group.mul)
    least = np.where(np.eye(group.order, dtype=bool), np.inf, tables.bound).min(axis=1)
    assert (least[group.mul] <= evaluation.margin_high).all()
    result = prove_weights(group, weights)
    assert result.settled.all()
    assert [record.name for record in result.strategies] == ["tables"]
    assert result.flops < result.flops_brute / 4


@pytest.mark.parametrize("name", ["S3", "S4"])
def test_tables_are_sound_under_noise(name: str) -> None:
    """With circuits of the planted network, tables of a noisy one never exceed its margins."""
    group = parse_group(name)
    rng = np.random.default_rng(1)
    for seed in range(30):
        exact = _weights(planted_network(group, seed, 2 * group.degree**2 + 3))
        circuits = coset_circuits(group, exact)
        assert circuits is not None
        scale = float(rng.choice([1e-4, 1e-2, 0.3]))
        parts = (exact.L, exact.R, exact.U, exact.b)
        noisy = Weights.from_arrays(*(part + scale * rng.normal(size=part.shape) for part in parts))
        if seed % 3 == 0:
            circuits = dict(list(circuits.items())[1:])  # neurons in no circuit are bounded too
        tables = prove_by_tables(group, noisy, circuits)
        least = np.where(np.eye(group.order, dtype=bool), np.inf, tables.bound).min(axis=1)
        bound = least[group.mul].astype(np.float64)
        assert_sound(group, noisy, tables.proved()[group.mul], np.where(bound > 0, bound, -np.inf))


@pytest.mark.parametrize("lines", [None, True, False])
@pytest.mark.parametrize("name", ["S4", "S5"])
def test_one_wrong_pair_is_left_open(name: str, lines: bool | None) -> None:
    """A neuron that fires at one pair only and votes for another answer there: that pair alone is not certified."""
    group = parse_group(name)
    weights = _weights(planted_network(group, 5, 2 * group.degree**2 + 5, noise=0.001))
    x, y = 7, 11
    n = group.order
    L, R, U = np.full((n, 1), -50.0), np.full((n, 1), -50.0), np.zeros((1, n))
    L[x], R[y] = 50.0, 50.0 - 99.0
    U[0, (int(group.mul[x, y]) + 1) % n] = 1000.0
    broken = Weights.from_arrays(np.hstack([weights.L, L]), np.hstack([weights.R, R]), np.vstack([weights.U, U]), weights.b)
    correct = correct_pairs(evaluate(broken, group.mul), group.mul)
    assert np.argwhere(~correct).tolist() == [[x, y]]
    result = prove_weights(group, broken, lines=lines)
    assert not result.settled[x, y]
    assert result.certified >= 0.95 * (n * n - 1)


def test_a_tie_is_not_certified() -> None:
    """Two outputs with the same logit everywhere: pairs whose answer is one of them stay open."""
    group = parse_group("S4")
    weights = _weights(planted_network(group, 2, 40))
    U = weights.U.copy()
    U[:, 3] = U[:, 4]
    result = prove_weights(group, Weights.from_arrays(weights.L, weights.R, U))
    assert not result.settled[(group.mul == 3) | (group.mul == 4)].any()
    assert not (result.settled.astype(bool) & ~correct_pairs(evaluate(Weights.from_arrays(weights.L, weights.R, U)), group.mul)).any()


def test_strategies_settle_disjoint_pairs_and_add_up() -> None:
    """Each pair is credited to one strategy; counts, FLOPs and the cost of the rest follow from the records."""
    group = parse_group("S5")
    result = prove_weights(group, _weights(planted_network(group, 4, 90, {"raw": 2}, noise=0.02)), lines=True)
    assert [int((result.settled == k + 1).sum()) for k in range(len(result.strategies))] == [
        record.certified for record in result.strategies
    ]
    assert result.certified == sum(record.certified for record in result.strategies) > 0
    left = result.settled.size - result.certified
    assert result.flops_complete == result.flops + 2 * left * 90 * 120


def test_networks_beyond_float32_are_refused() -> None:
    """Weights that float32 sums could not hold are left alone, with the reason."""
    group = parse_group("S3")
    result = prove_weights(group, Weights.from_arrays(np.full((6, 2), 1e300), np.ones((6, 2)), np.ones((2, 6))))
    assert result.certified == 0
    assert "beyond" in result.reason


def test_a_network_without_neurons_is_refused() -> None:
    """No neurons, no proof: the reason is stated and nothing is certified."""
    nothing = Weights.from_arrays(np.zeros((6, 0)), np.zeros((6, 0)), np.zeros((0, 6)))
    result = prove_weights(parse_group("S3"), nothing)
    assert result.certified == 0
    assert "no neurons" in result.reason


def test_a_network_that_does_nothing_proves_nothing() -> None:
    """Without live neurons all logits are the bias, and no pair is certified by mistake."""
    group = parse_group("S3")
    result = prove_weights(group, Weights.from_arrays(np.zeros((6, 2)), np.zeros((6, 2)), np.ones((2, 6)), np.eye(6)[0]))
    assert not (result.settled.astype(bool) & (group.mul != 0)).any()


def test_a_deadline_in_the_past_certifies_nothing_more() -> None:
    """With no time left the strategies stop, and what is not reached stays open."""
    group = parse_group("S4")
    weights = _weights(planted_network(group, 2, 40, noise=0.01))
    assert prove_weights(group, weights, deadline_s=-1.0).certified == 0
    assert prove_weights(group, weights).certified > 0


def test_shortlist_margins_stay_within_their_error() -> None:
    """Float32 and float64 margins differ from the exact ones by less than the bound, also with inexact weights."""
    rng = np.random.default_rng(3)
    group = parse_group("S3")
    for _ in range(100):
        weights = random_weights(group, rng)
        exact = weights.exact()
        for unit, dtype in ((2.0**-24, np.float32), (2.0**-53, np.float64)):
            L, R, U, b = (part.astype(dtype) for part in (weights.L, weights.R, weights.U, weights.b))
            for x, y in rng.integers(0, 6, (5, 2)):
                logits = (np.maximum(L[x] + R[y], 0) @ U + b).astype(np.float64)
                bits = exact.preactivation_bits + exact.vote_bits
                true = np.array([int(v) / 2**bits for v in exact.logits(int(x), int(y))])
                off = np.abs((logits[:, None] - logits) - (true[:, None] - true)).max()
                assert off <= margin_error(weights, unit)


@pytest.mark.skipif(not CHECKPOINTS.exists(), reason="no published checkpoints beside the repository")
@pytest.mark.parametrize(("name", "least"), [("S5_MLP_seed2", 14400), ("S5_MLP_seed10", 14386), ("A5_MLP_seed1", 3500)])
def test_published_networks_are_proved(name: str, least: int) -> None:
    """At least 99.9 % of pairs of published S5 networks are certified below the cost of brute force, and none wrongly."""
    from net.checkpoint import load_network

    network = load_network(CHECKPOINTS / name / "model.pt", name[:2])
    result = prove_weights(network.group, network.weights)
    assert result.certified >= least
    assert result.flops_complete < result.flops_brute
    assert_sound(network.group, network.weights, result.settled > 0, result.bound)


@pytest.mark.skipif(not CHECKPOINTS.exists(), reason="no published checkpoints beside the repository")
@pytest.mark.parametrize("name", ["S5_MLP_hidden_dim_32_seed1", "S5_MLP_hidden_dim_64_seed1"])
def test_wrong_networks_are_never_certified_where_wrong(name: str) -> None:
    """Networks with thousands of wrong pairs: whatever a forced plan certifies is right, and cost is never above brute force."""
    from net.checkpoint import load_network

    network = load_network(CHECKPOINTS / name / "model.pt", name[:2])
    result = prove_weights(network.group, network.weights)
    assert result.flops <= result.flops_brute
    assert_sound(network.group, network.weights, result.settled > 0, result.bound)
    options = candidate_partitions(network.group, network.weights.L)
    for depth in (0, 1, -1):
        plan = factorise(network.weights, [o[min(depth, len(o) - 1)] for o in options], 4)
        found = prove_factored(plan, network.group.mul)
        shortlisted, _ = prove_shortlist(network.weights, network.group.mul, found.contenders)
        assert_sound(network.group, network.weights, found.settled | shortlisted, found.bound)
