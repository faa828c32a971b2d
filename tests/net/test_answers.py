"""Exact answers on a sample, at any scale, against sums of fractions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from net.answers import sampled_answers
from net.weights import Weights


def by_fractions(weights, x, y):
    """The unique largest logit's index, or -1, in rationals."""
    hidden = [max(Fraction(a) + Fraction(b), 0) for a, b in zip(weights.L[x].tolist(), weights.R[y].tolist(), strict=True)]
    logits = []
    for column, b in zip(weights.U.T.tolist(), weights.b.tolist(), strict=True):
        logits.append(sum((h * Fraction(u) for h, u in zip(hidden, column, strict=True)), Fraction(b)))
    top = max(logits)
    return logits.index(top) if logits.count(top) == 1 else -1


def all_pairs(n):
    return np.divmod(np.arange(n * n), n)


@pytest.mark.parametrize("inputs", [-300, -30, 0, 30, 150])
@pytest.mark.parametrize("votes", [-300, -5, 0, 100])
@pytest.mark.parametrize("shift", [0.0, 1.0, 1e30, -1e300])
def test_random_networks_with_ties_at_every_scale(inputs, votes, shift):
    rng = np.random.default_rng(abs(inputs) + abs(votes))
    n, m = 4, 5
    draw = lambda *shape: rng.integers(-3, 4, shape).astype(float)  # noqa: E731
    bias = draw(n) * 10.0 ** (inputs + votes) if inputs + votes > -300 else np.zeros(n)
    weights = Weights.from_arrays(draw(n, m) * 10.0**inputs, draw(n, m) * 10.0**inputs, draw(m, n) * 10.0**votes, bias + shift)
    x, y = all_pairs(n)

    assert sampled_answers(weights, x, y).tolist() == [by_fractions(weights, a, b) for a, b in zip(x, y, strict=True)]


def test_a_margin_that_floats_lose_and_a_tie_that_they_see_as_none():
    one = np.ones((2, 1))
    near = Weights.from_arrays(one, one, np.array([[1.0, 1 - 2.0**-53]]), np.array([1e30, 1e30]))
    tie = Weights.from_arrays(np.full((2, 3), 0.1), np.zeros((2, 3)), np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 3.0]]))
    other = Weights.from_arrays(np.full((2, 3), 0.1), np.zeros((2, 3)), np.array([[1.0, 0.0], [1.0, 0.0], [1.0, np.nextafter(3.0, 4)]]))
    x, y = all_pairs(2)

    assert sampled_answers(near, x, y).tolist() == [0] * 4
    assert sampled_answers(tie, x, y).tolist() == [-1] * 4
    assert sampled_answers(other, x, y).tolist() == [1] * 4


def test_extremes_overflow_nothing():
    big = Weights.from_arrays(np.full((2, 1), 1e308), np.full((2, 1), 1e308), np.array([[1.0, -1.0]]), np.array([1.7e308, -1.7e308]))
    single = Weights.from_arrays(np.zeros((1, 1)), np.zeros((1, 1)), np.zeros((1, 1)))
    x, y = all_pairs(2)

    assert sampled_answers(big, x, y).tolist() == [0] * 4
    assert sampled_answers(single, np.zeros(1, dtype=np.intp), np.zeros(1, dtype=np.intp)).tolist() == [0]
