"""Networks of squares: every answer and margin against Python's integers, in the loader's arithmetic and in the checker's."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from algebra.group import parse_group
from net.answers import sampled_answers
from net.weights import Weights, dead_neurons
from verify.checker.integers import Network
from verify.exact.exhaustive import TIERS, evaluate, smallest_margin
from verify.exact.scaled_integers import round_network

S3 = parse_group("S3")
N = 6
LARGE = 2**60


def networks():
    """Random weights, many ties, weights that rounding changes, a bias, and sizes far apart."""
    rng = np.random.default_rng(5)
    yield "small integers", [rng.integers(-2, 3, shape) for shape in ((N, 4), (N, 4), (4, N), (N,))], 0, 0
    yield "halves", [rng.integers(-3, 4, shape) for shape in ((N, 3), (N, 3), (3, N), (N,))], 1, 1
    yield "one last bit", [rng.integers(-(2**50), 2**50, shape) for shape in ((N, 5), (N, 5), (5, N), (N,))], 52, 50
    wide = [rng.integers(-4, 5, shape).astype(object) * LARGE + rng.integers(-1, 2, shape) for shape in ((N, 3), (N, 3), (3, N))]
    yield "beyond floats", [*wide, np.zeros(N, dtype=object)], 60, 60
    yield "no bias", [rng.integers(-9, 10, shape) for shape in ((N, 8), (N, 8), (8, N))] + [np.zeros(N, dtype=int)], 3, 2
    yield "dead", [np.ones((N, 2), int), -np.ones((N, 2), int), rng.integers(-2, 3, (2, N)), rng.integers(-2, 3, (N,))], 0, 0


def logits(arrays, x, y):
    """The definition, neuron by neuron, in integers."""
    L, R, U, b = (np.asarray(a).astype(object) for a in arrays)
    return [sum((L[x, i] + R[y, i]) ** 2 * U[i, z] for i in range(len(U))) + b[z] for z in range(N)]


def answer(values):
    best = max(values)
    return values.index(best) if values.count(best) == 1 else -1


@pytest.mark.parametrize(("name", "arrays", "p", "v"), list(networks()), ids=lambda value: value if isinstance(value, str) else "")
def test_answers_and_margins_are_those_of_the_definition(name, arrays, p, v):
    weights = Weights.from_integers(*arrays, p, v, "square")
    found = evaluate(weights)
    checker = Network(*[np.asarray(a).astype(object).tolist() for a in arrays], p, v, True)
    margins = {}
    for x in range(N):
        for y in range(N):
            values = logits(arrays, x, y)
            assert found.answer[x, y] == answer(values)
            assert weights.exact().logits(x, y).tolist() == values
            slots = checker.logits(x, y)
            assert checker.packed.numbers(slots) == values
            second, first = sorted(values)[-2:]
            margin = Fraction(first - second, 1 << 2 * p + v)
            assert Fraction(float(found.margin_low[x, y])) <= margin <= Fraction(float(found.margin_high[x, y]))
            if answer(values) == S3.mul[x, y]:
                margins[x, y] = margin
    least = smallest_margin(weights, found, S3.mul)
    assert (least and least[0]) == min(margins.values(), default=None)
    assert weights.exact().logit_bits == checker.logit_bits == 2 * p + v
    x, y = np.divmod(np.arange(N * N), N)
    assert np.array_equal(sampled_answers(weights, x, y), found.answer[x, y])


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_rounded_logits_differ_by_no_more_than_the_slack(precision):
    """Differences of two logits at every pair, on weights that lose bits."""
    for _, arrays, p, v in networks():
        weights = Weights.from_integers(*arrays, p, v, "square")
        network = round_network(weights, precision)
        rounded = network.logits(np.arange(N * N)).astype(np.float64)
        unit = Fraction(2) ** network.exponent / (1 << 2 * p + v)
        for pair in range(N * N):
            exact = [unit * value for value in logits(arrays, *divmod(pair, N))]
            for z in range(N):
                for w in range(N):
                    gap = exact[z] - exact[w] - Fraction(float(rounded[pair, z])) + Fraction(float(rounded[pair, w]))
                    assert abs(gap) <= Fraction(network.slack)


def test_dead_neurons_are_those_that_change_no_answer():
    """Pre-activations that are 0 everywhere, or equal votes; one that is negative everywhere is alive."""
    L = np.array([[1, -1, -1, 2.0]] * N)
    R = np.array([[-1, -1, 0, 1.0]] * N)
    U = np.vstack([np.arange(6), np.arange(6), np.arange(6), np.ones(6)])
    weights = Weights.from_arrays(L, R, U, activation="square")

    assert dead_neurons(weights).tolist() == [True, False, False, True]
    assert weights.exact().silent.tolist() == [True, False, False, False]


def test_views_keep_the_activation():
    weights = Weights.from_arrays(np.ones((N, 2)), np.ones((N, 2)), np.ones((2, N)), activation="square")
    for other in (weights.select([0]), weights.permuted(np.arange(N)), weights.exchanged(), weights.without([1])):
        assert other.activation == other.exact().activation == "square"


@pytest.mark.parametrize("tier", TIERS[:4])
def test_what_is_rounded_away_is_no_tie(tier):
    """Activations and votes so small beside the bias that the product of their errors has no float64."""
    L, R = np.full((2, 1), 2.0**-400), np.zeros((2, 1))
    weights = Weights.from_arrays(L, R, np.array([[0.0, 2.0**-200]]), np.full(2, -(2.0**600)), activation="square")
    found = evaluate(weights, tiers=(tier, "exact"))
    assert (found.answer == 1).all()
    assert Fraction(float(found.margin_low[0, 0])) <= Fraction(2) ** -1000 <= Fraction(float(found.margin_high[0, 0]))
