"""What is proved about float32 holds in every order of summation that we can think of."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algebra.group import parse_group
from net.checkpoint import load_network
from net.folded import fold, folded_network
from net.formats import chughtai
from net.roundoff import U32, gamma
from net.weights import Weights
from verify.exact.exhaustive import correct_pairs, evaluate
from verify.exact.float32 import _error_per_output, _separable_error, float32_proved

SHARED = Path(__file__).parents[4] / "shared" / "checkpoints" / "chughtai"
S3 = parse_group("S3")
NUMBERS = st.one_of(
    st.sampled_from([0.0, 1.0, -1.0, 0.5, 3.0]),
    st.floats(-10, 10, width=32),
    st.sampled_from([2.0**40, -(2.0**40), 2.0**-149, -(2.0**-149), 2.0**-100, 1 + 2.0**-23, 2.0**24]),
)


@st.composite
def unfolded_networks(draw):
    """Tensors of a network over S3 with embeddings of length 2 and three neurons, weights in float32."""

    def array(*shape):
        size = int(np.prod(shape))
        return np.array(draw(st.lists(NUMBERS, min_size=size, max_size=size))).reshape(shape)

    return {"W_x": array(6, 2), "W_y": array(6, 2), "W": array(4, 3), "W_U": array(3, 6)}


def round32(value):
    """The float32 nearest to a rational, ties to even, with gradual underflow; the definition."""
    if value == 0:
        return value
    exponent = abs(value.numerator).bit_length() - value.denominator.bit_length()
    exponent -= abs(value) < Fraction(2) ** exponent
    quantum = Fraction(2) ** max(exponent - 23, -149)
    return round(value / quantum) * quantum


def dot32(a, b, rng):
    """A float32 dot product: a random tree of products and partial sums, some by fused multiply-add."""
    pending = [(Fraction(float(s)), Fraction(float(t))) for s, t in zip(a, b, strict=True)]
    rng.shuffle(pending)
    sums = []
    while pending or len(sums) > 1:
        if pending and sums and rng.random() < 0.5:
            s, t = pending.pop()
            k = rng.integers(len(sums))
            sums[k] = round32(s * t + sums[k])
        elif pending:
            s, t = pending.pop()
            sums.append(round32(s * t))
        else:
            rng.shuffle(sums)
            sums.append(round32(sums.pop() + sums.pop()))
    return sums[0]


def forward32(tensors, x, y, rng):
    """Logits of one float32 forward pass at (x, y), as rationals."""
    embedded = [*tensors["W_x"][x], *tensors["W_y"][y]]
    hidden = [max(dot32(embedded, column, rng), Fraction(0)) for column in tensors["W"].T]
    return [dot32(hidden, column, rng) for column in tensors["W_U"].T]


@settings(max_examples=100, deadline=None)
@given(tensors=unfolded_networks(), seed=st.integers(0, 2**32))
def test_in_random_orders_of_summation_bounds_enclose_the_error_and_proved_pairs_have_the_exact_answer(tensors, seed):
    """No logit is off by more than its own bound, nor by more than the separable one; what is proved is so."""
    network = fold(chughtai.layers(tensors), S3, None)
    evaluation = evaluate(network.weights)
    proved = float32_proved(network, evaluation)
    p, q = network.preactivation_terms, network.logit_terms
    separable, safe = _separable_error(network, p, q)
    assert safe.all()
    rng = np.random.default_rng(seed)
    exact = network.weights.exact()
    for x, y in np.ndindex(6, 6):
        bounds = _error_per_output(network, np.array([x]), np.array([y]), p, q)[0]
        computed = forward32(tensors, x, y, rng)
        if proved[x, y]:
            assert [z for z in range(6) if computed[z] == max(computed)] == [evaluation.answer[x, y]]
        for z, value in enumerate(exact.logits(x, y)):
            error = abs(computed[z] - Fraction(int(value), 1 << (exact.preactivation_bits + exact.vote_bits)))
            assert error <= Fraction(bounds[z])
            assert error <= Fraction(separable[x, y])


@settings(max_examples=50, deadline=None)
@given(tensors=unfolded_networks())
def test_bounds_are_rounded_up(tensors):
    """Both bounds are at least the same formulas in fractions."""
    network = fold(chughtai.layers(tensors), S3, None)
    p, q = network.preactivation_terms, network.logit_terms
    g_p, g_q = (Fraction(k, 2**24) / (1 - Fraction(k, 2**24)) for k in (p, q))
    tiny = Fraction(1, 2**149)
    separable, _ = _separable_error(network, p, q)
    votes = [[abs(Fraction(float(v))) for v in row] for row in network.weights.U]
    for x, y in np.ndindex(6, 6):
        bounds = _error_per_output(network, np.array([x]), np.array([y]), p, q)[0]
        size = [Fraction(float(a)) + Fraction(float(b)) for a, b in zip(network.L_abs[x], network.R_abs[y], strict=True)]
        alpha = [g_p * s + p * tiny for s in size]
        pre = [max(dot(tensors, x, y, i) + alpha[i], Fraction(0)) for i in range(3)]
        share = [(alpha[i] if pre[i] else 0) + g_q * pre[i] for i in range(3)]
        for z in range(6):
            assert Fraction(bounds[z]) >= sum(share[i] * votes[i][z] for i in range(3)) + q * tiny
        crude = [(1 + g_q) * alpha[i] + g_q * size[i] for i in range(3)]
        assert Fraction(separable[x, y]) >= sum(crude[i] * max(votes[i]) for i in range(3)) + q * tiny


def dot(tensors, x, y, i):
    embedded = [*tensors["W_x"][x], *tensors["W_y"][y]]
    return sum((Fraction(float(s)) * Fraction(float(t)) for s, t in zip(embedded, tensors["W"][:, i], strict=True)))


@pytest.mark.parametrize("terms", [1, 2, 129, 512, 2**20, 2**23 - 1])
def test_gamma_is_rounded_up(terms):
    exact = Fraction(terms, 2**24) / (1 - Fraction(terms, 2**24))
    assert exact <= Fraction(gamma(terms, U32)) <= exact * (1 + Fraction(1, 2**29))


def test_margins_far_above_the_error_are_all_proved(vote_counter):
    network = folded_network(parse_group("S4"), Weights.from_arrays(*vote_counter("S4")))
    assert float32_proved(network, evaluate(network.weights)).all()


@pytest.mark.parametrize(("units", "proved"), [(1, False), (4, False), (5, False), (7, True), (100, True)])
def test_a_margin_is_proved_as_soon_as_it_exceeds_both_errors(units, proved):
    """Activation 1, votes 1 and 1 - d: each logit may be off by about 3u, so d = 5u is too little and 7u enough."""
    U = np.ones((1, 6))
    U[0, 1:] -= units * 2.0**-24
    weights = Weights.from_arrays(np.ones((6, 1)), np.zeros((6, 1)), U)
    network = folded_network(S3, weights)
    assert (float32_proved(network, evaluate(weights)) == proved).all()


def test_the_second_bound_proves_pairs_that_the_separable_one_leaves():
    """A large neuron that is silent at (0, 0) spoils the separable bound there, but not the second."""
    L, R = np.ones((6, 2), np.float32), np.zeros((6, 2), np.float32)
    L[:, 1], R[:, 1] = 2.0**30, 0
    L[0, 1] = -(2.0**30)
    U = np.array([[1, 0, 0, 0, 0, 0], [1, 1, 1, 1, 1, 1]], np.float32)
    network = folded_network(S3, Weights.from_arrays(L, R, U))
    separable, _ = _separable_error(network, network.preactivation_terms, network.logit_terms)
    evaluation = evaluate(network.weights)
    assert evaluation.margin_high[0, 0] < separable[0, 0]
    proved = float32_proved(network, evaluation)
    assert proved[0].all()
    assert not proved[1:].any()


def test_loose_margin_bounds_are_tightened_before_a_pair_is_given_up():
    """The float32 tier knows margins only roughly; the statement is the same as with the close bounds."""
    rng = np.random.default_rng(1)
    L, R, U = (rng.normal(size=shape).astype(np.float32) for shape in ((24, 40), (24, 40), (40, 24)))
    network = folded_network(parse_group("S4"), Weights.from_arrays(L, R, U))
    loose = evaluate(network.weights, tiers=("float32", "exact"))
    close = evaluate(network.weights, tiers=("wide", "exact"))
    proved = float32_proved(network, loose)
    assert np.array_equal(proved, float32_proved(network, close))
    assert proved.mean() > 0.9


def test_float64_weights_make_no_statement():
    weights = Weights.from_arrays(np.full((6, 1), 0.1), np.zeros((6, 1)), np.ones((1, 6)))
    assert float32_proved(folded_network(S3, weights), evaluate(weights)) is None


def test_ties_are_never_proved():
    weights = Weights.from_arrays(np.ones((6, 1)), np.zeros((6, 1)), np.ones((1, 6)))
    assert not float32_proved(folded_network(S3, weights), evaluate(weights)).any()


def test_sums_that_may_overflow_are_never_proved():
    """Even for a network that claims a float32 statement by mistake."""
    U = np.zeros((2, 6))
    U[:, 0] = 2.0**127
    weights = Weights.from_arrays(np.ones((6, 2)), np.zeros((6, 2)), U)
    network = folded_network(S3, weights)
    evaluation = evaluate(weights)
    assert (evaluation.answer == 0).all()
    assert float32_proved(network, evaluation) is None
    claims = replace(network, preactivation_terms=2, logit_terms=2)
    assert not float32_proved(claims, evaluation).any()


def test_dot_products_too_long_for_the_bound_are_refused():
    weights = Weights.from_arrays(np.ones((6, 1)), np.zeros((6, 1)), np.ones((1, 6)))
    network = replace(folded_network(S3, weights), preactivation_terms=2**24)
    with pytest.raises(ValueError, match=r"fewer than 2\^23 terms"):
        float32_proved(network, evaluate(weights))


@pytest.mark.parametrize("name", ["S5_MLP_seed1", "S5_MLP_seed10", "S5_MLP_hidden_dim_96_seed3"])
def test_published_s5_networks_keep_all_their_answers_in_float32(name):
    path = SHARED / name / "model.pt"
    if not path.exists():
        pytest.skip(f"the published checkpoint {name} is not at hand")
    network = load_network(path, "S5")
    evaluation = evaluate(network.weights, network.group.mul)
    assert correct_pairs(evaluation, network.group.mul).all()
    assert float32_proved(network, evaluation).all()
