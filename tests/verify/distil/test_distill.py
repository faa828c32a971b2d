"""Distillation: moments and fits against their definitions, and programs that answer exactly as their networks."""

from fractions import Fraction

import numpy as np
import pytest

from algebra.group import parse_group
from algebra.lattice import subgroups
from net.planted import planted_network
from net.weights import Weights
from verify.compare.answers import logit_blocks, shortfalls
from verify.compare.comparison import compare
from verify.compare.interventions import absolute_value, exchange_inputs, flip_signs
from verify.compare.levels import fve, mechanism
from verify.distil.curve import _expected, distill
from verify.distil.moments import activation_moments, centred, quadratic_form
from verify.exact.exhaustive import evaluate
from verify.program.program import expand, program_subgroups

S3, S4 = parse_group("S3"), parse_group("S4")


def random_weights(group, width, seed):
    rng = np.random.default_rng(seed)
    shapes = ((group.order, width), (group.order, width), (width, group.order), (group.order,))
    return Weights.from_arrays(*(rng.integers(-64, 64, shape) / 16 for shape in shapes))


def logits(weights):
    """All logits by their definition, (|G|, |G|, |G|)."""
    n, m = weights.L.shape
    result = np.tile(weights.b, (n, n, 1))
    for x in range(n):
        for y in range(n):
            for i in range(m):
                result[x, y] += max(weights.L[x, i] + weights.R[y, i], 0) * weights.U[i]
    return result


def test_moments_give_the_squared_difference_of_centred_logits():
    a, b = random_weights(S3, 5, 0), random_weights(S3, 4, 1)
    la, lb = (logits(w) - logits(w).mean(axis=2, keepdims=True) for w in (a, b))
    moments = activation_moments(a, b)
    votes = centred(np.concatenate([a.U, -b.U, (a.b - b.b)[None]]))
    expected = ((la - lb) ** 2).sum(axis=2).mean()

    assert quadratic_form(moments, votes) == pytest.approx(expected, rel=1e-5)
    assert fve(a, b, moments) == pytest.approx(1 - expected / (la**2).sum(axis=2).mean(), rel=1e-5)


def test_shortfalls_are_the_pairs_that_do_not_lead_by_the_floor():
    w = random_weights(S3, 4, 2)
    table = logits(w)
    short = shortfalls(w, S3.mul, 1.0)
    found = set(zip(short.x.tolist(), short.y.tolist(), strict=True))
    for x in range(6):
        for y in range(6):
            want = S3.mul[x, y]
            lead = table[x, y, want] - np.delete(table[x, y], want).max()

            assert ((x, y) in found) == (lead < 1.0)


def test_comparing_a_network_with_itself_finds_no_difference():
    w = random_weights(S4, 9, 3)
    same = compare(w, w, S4.mul)

    assert same.runner_up_agree == same.answers_agree == same.in_top_set == same.agree_when_clear == 1
    assert same.logit_fve == pytest.approx(1)
    answers = np.concatenate([logits.argmax(axis=2) for _, logits in logit_blocks(w)])
    assert same.network_right == (answers == S4.mul).mean()


@pytest.mark.parametrize(
    ("surgery", "twin"),
    [
        (flip_signs(True, False), lambda a, b: max(b - a, 0)),
        (flip_signs(False, True), lambda a, b: max(a - b, 0)),
        (flip_signs(True, True), lambda a, b: max(-a - b, 0)),
        (absolute_value, lambda a, b: abs(a + b)),
    ],
)
def test_surgery_on_exact_weights_follows_its_formula(surgery, twin):
    w = random_weights(S3, 4, 4)
    operated = surgery(w).exact()
    scale = 2 ** (operated.preactivation_bits + operated.vote_bits)
    for x in range(6):
        for y in range(6):
            hidden = [Fraction(twin(w.L[x, i], w.R[y, i])) for i in range(4)]
            expected = [sum((h * Fraction(w.U[i, z]) for i, h in enumerate(hidden)), Fraction(w.b[z])) for z in range(6)]

            assert [Fraction(int(v), scale) for v in operated.logits(x, y)] == expected


def test_exchanged_inputs_make_a_right_network_answer_yx():
    """Yx = xy for (number of conjugacy classes) |G| pairs: 5 * 24 of 576 in S4."""
    network = planted_network(S4, seed=0, width=40).network
    evaluation = evaluate(exchange_inputs(network.weights))

    assert np.array_equal(evaluation.answer, S4.mul.T)
    assert (evaluation.answer == S4.mul).sum() == 5 * 24


def test_planted_network_gets_a_readable_program_with_its_answers():
    network = planted_network(S4, seed=1, width=60, kinds={"sign": 2, "dead": 1}, noise=0.02).network
    evaluation = evaluate(network.weights, expected=S4.mul)
    result = distill(subgroups(S4), network.weights, evaluation)
    for point in result.points:
        program = point.written.program
        again = expand(program, S4, program_subgroups(program, S4))
        beside = result.moments_beside(point.written)
        assert np.allclose(beside, activation_moments(network.weights, point.written.weights), rtol=1e-5, atol=1e-7)
        if point.draft.grain is not None:  # what was fitted is what is written, to the last bit
            kept = [point.draft.neurons.tolist().index(n.index) for c in program.circuits for n in c.neurons]
            fitted = point.draft.weights()
            assert np.array_equal(fitted.L[:, kept], again.L)
            assert np.array_equal(fitted.R[:, kept], again.R)

        assert (evaluate(again).answer != evaluation.answer).sum() == point.differing
        assert point.name not in ("readable", "faithful") or not point.differing
        assert program.constants == sum(len(n.left) + len(n.right) + len(n.votes) for c in program.circuits for n in c.neurons) + len(
            program.bias
        )
    assert result.point("readable").written.program.constants < 0.2 * 3 * network.weights.L.size


def test_one_flipped_answer_of_the_network_is_one_of_the_program_too():
    """A network with one pair made wrong by one more neuron gets a program that is wrong there in the same way."""
    w = planted_network(S4, seed=2, width=40).network.weights
    x, y, z = 5, 7, 0
    spike = np.full((S4.order, 1), -(2.0**10))
    left, right = spike.copy(), spike.copy()
    left[x], right[y] = 0.5, 0.5
    votes = np.zeros((1, S4.order))
    votes[0, z] = 2.0**10
    flipped = Weights.from_arrays(np.hstack([w.L, left]), np.hstack([w.R, right]), np.vstack([w.U, votes]), w.b)
    evaluation = evaluate(flipped, expected=S4.mul)

    assert np.argwhere(evaluation.answer != S4.mul).tolist() == [[x, y]]
    for point in distill(subgroups(S4), flipped, evaluation).points:
        assert (evaluate(point.written.weights).answer != evaluation.answer).sum() == point.differing
        assert point.name not in ("readable", "faithful") or not point.differing


@pytest.mark.parametrize("seed", range(3))
def test_unstructured_network_with_ties_gets_a_program_that_ties_alike(seed):
    """Random weights with equal votes for the first two outputs."""
    w = random_weights(S3, 6, seed)
    votes = w.U.copy()
    votes[:, 1] = votes[:, 0]
    bias = w.b.copy()
    bias[1] = bias[0]
    tied = Weights.from_arrays(w.L, w.R, votes, bias)
    evaluation = evaluate(tied)
    result = distill(subgroups(S3), tied, evaluation)
    for point in result.points:
        differing = (evaluate(point.written.weights).answer != evaluation.answer).sum()

        assert differing == point.differing
        assert point.name not in ("readable", "faithful") or not differing


def test_mechanism_states_the_exact_largest_deviations():
    network = planted_network(S4, seed=5, width=40, noise=0.05).network
    evaluation = evaluate(network.weights, expected=S4.mul)
    result = distill(subgroups(S4), network.weights, evaluation)
    point = result.point("readable")
    records = mechanism(result.labels, point.written.program, network.weights.exact(), point.written.weights.exact())
    order = [n.index for c in point.written.program.circuits for n in c.neurons]
    for p, i in enumerate(order):
        exact, program = network.weights.exact(), point.written.weights.exact()
        expected = max(
            abs(Fraction(exact.L[x, i], 2**exact.preactivation_bits) - Fraction(program.L[x, p], 2**program.preactivation_bits))
            for x in range(S4.order)
        )

        assert Fraction(records[i].left_deviation) == expected


def test_a_path_is_expected_to_go_on_at_the_rate_of_its_last_third():
    """Halving what is left for each 100 constants ends where that says; too little is known at first, and nothing is wanted of 0."""
    path = [(100 + 50 * k, 0.5 ** (k / 2)) for k in range(8)]
    assert _expected(path, 2.0**-6) == pytest.approx(700)
    assert _expected(path[:1], 2.0**-6) == 100
    assert _expected(path, 0.0) == _expected(path, 0.5) == 450
    assert _expected([*path, (900, path[-1][1])], 2.0**-6) == np.inf
