"""Noise at preactivations, against fractions: how many pairs count is known, or lies in between; and a network of squares stays one."""

from fractions import Fraction

import numpy as np
import pytest

from algebra.group import parse_group
from net.activation import Activation
from net.folded import folded_network
from net.weights import Weights
from verify.claims.network_claims import Intervention
from verify.claims.subject import Subject
from verify.compare.interventions import add_noise
from verify.compare.noise import noisy
from verify.exact.exhaustive import correct_pairs, evaluate

GROUP = parse_group("S3")


def random_weights(rng: np.random.Generator, activation: Activation, whole: bool = False, huge: float = 0.0) -> Weights:
    left, right, votes = (rng.standard_normal(shape) for shape in ((6, 5), (6, 5), (5, 6)))
    if whole:
        left, right, votes = (np.rint(2 * array) for array in (left, right, votes))
    if huge:  # two neurons with opposite votes
        left, right, votes = left[:, [0, *range(5)]], right[:, [0, *range(5)]], votes[[0, *range(5)]]
        votes[0] = huge * rng.standard_normal(6)
        votes[1] = -votes[0]
    return Weights.from_arrays(left, right, votes, np.rint(rng.standard_normal(6)), activation=activation)


def plainly(weights: Weights, mean: float, deviation: float, seed: int) -> int:
    """How many pairs answer xy, from fractions."""
    e, count = weights.exact(), 0
    rng = np.random.default_rng(seed)
    unit, votes = Fraction(1, 1 << e.preactivation_bits), Fraction(1, 1 << e.vote_bits)
    for x in range(6):
        drawn = rng.standard_normal((6, weights.width), dtype=np.float32) * np.float32(deviation) + np.float32(mean)
        for y in range(6):
            sums = [unit * int(e.L[x, i] + e.R[y, i]) + Fraction(float(drawn[y, i])) for i in range(weights.width)]
            hidden = [max(p, Fraction(0)) if weights.activation == "relu" else p * p for p in sums]
            bias = [Fraction(int(v), 1 << e.logit_bits) for v in e.b]
            logits = [bias[z] + sum(h * int(e.U[i, z]) for i, h in enumerate(hidden)) * votes for z in range(6)]
            count += logits.count(max(logits)) == 1 and logits.index(max(logits)) == GROUP.mul[x, y]
    return count


@pytest.mark.parametrize("activation", ["relu", "square"])
def test_pairs_that_count_are_those_of_fractions(activation: Activation) -> None:
    """Of networks with and without ties, noise of every size; where rounding hides a pair, it is in between."""
    rng, known = np.random.default_rng(0), 0
    for trial in range(24):
        weights = random_weights(rng, activation, whole=trial % 2 == 0, huge=(0.0, 0.0, 1e4, 1e17)[trial % 4])
        mean, deviation = ((0.0, 0.0), (0.5, 1.0), (-1.0, 1e-3))[trial % 3]
        found = noisy(weights, GROUP.mul, mean, deviation, trial)
        assert found.least <= plainly(weights, mean, deviation, trial) <= found.most
        known += found.least == found.most
    assert known >= 12


def test_no_noise_changes_no_answer_of_squares() -> None:
    """Fails where relu takes the squares' place."""
    weights = random_weights(np.random.default_rng(3), "square")
    right = int(correct_pairs(evaluate(weights), GROUP.mul).sum())
    assert right > 0
    assert noisy(weights, GROUP.mul, 0.0, 0.0, 1)[:2] == (right, right)
    shifted = int(correct_pairs(evaluate(add_noise(0.5, 0.0, 1)(weights)), GROUP.mul).sum())
    assert noisy(weights, GROUP.mul, 0.5, 0.0, 1)[:2] == (shifted, shifted)


def test_a_network_without_votes_ties_under_any_noise() -> None:
    """A tie is no answer: none of 36 pairs counts, where the first of equals would be right on 6."""
    weights = Weights.from_arrays(np.zeros((6, 2)), np.zeros((6, 2)), np.ones((2, 6)))
    for deviation in (0.0, 1.0):
        assert noisy(weights, GROUP.mul, 0.0, deviation, 1)[:2] == (0, 0)
    claim = Intervention(surgery="noise", at="preactivations", deviation=1.0, at_least=0.1)
    told = claim.decide(Subject(folded_network(GROUP, weights)))
    assert (told.verdict, told.figure, told.agrees) == ("MEASURED", 0.0, False)


def test_what_rounding_hides_is_unknown() -> None:
    """Neurons that cancel but for noise far below the last digit of their votes."""
    subject = Subject(folded_network(GROUP, random_weights(np.random.default_rng(1), "relu", huge=1e30)))
    for metric in ("accuracy", "loss"):
        told = Intervention(surgery="noise", at="preactivations", deviation=1e-30, metric=metric).decide(subject)
        assert (told.verdict, told.figure) == ("UNKNOWN", None)
        assert "accuracy between" in told.finding
        assert "loss not known" in told.finding


def test_absolute_values_take_the_place_of_relu_alone() -> None:
    """A network of squares has no relu: with each neuron twice its loss would be that of doubled logits."""
    subject = Subject(folded_network(GROUP, random_weights(np.random.default_rng(3), "square")))
    assert Intervention(surgery="absolute value").decide(subject).verdict == "SKIPPED"
