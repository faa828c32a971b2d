"""The two float32 bounds are the formulas of the module, rounded up and hardly more; pairs are proved exactly by them."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from algebra.group import parse_group
from net.folded import folded_network
from net.weights import Weights
from verify.exact.exhaustive import evaluate
from verify.exact.float32 import _error_per_output, _separable_error, float32_proved

S3 = parse_group("S3")
TINY = Fraction(1, 2**149)
OVERFLOW = 2.0**126


def gamma(terms):
    return Fraction(terms, 2**24) / (1 - Fraction(terms, 2**24))


def rational(array):
    return np.vectorize(lambda value: Fraction(float(value)), otypes=[object])(array)


def network(seed, scale, error):
    """A network over S3 of three neurons with a bias; its weights are off by up to `error`, sums are longer than two."""
    rng = np.random.default_rng(seed)
    L, R, U, b = (scale * rng.normal(size=shape).astype(np.float32).astype(float) for shape in ((6, 3), (6, 3), (3, 6), (6,)))
    U = U if scale > 2.0**-100 else U / scale  # votes of about 1, so that what underflows before the relu is seen
    weights = Weights.from_arrays(L, R, U, b)
    folded = folded_network(S3, weights)
    off = replace(weights, L_error=np.full(3, error), R_error=np.full(3, 2 * error), U_error=3 * error, b_error=5 * error)
    sizes = {"L_abs": folded.L_abs * 1.5, "R_abs": folded.R_abs * 1.25, "preactivation_terms": 20, "logit_terms": 4}
    return replace(folded, weights=off, **sizes)


def bounds_in_fractions(net, x, y, wider=Fraction(0)):
    """(eps_z for each z, separable bound) at (x, y), from the formulas; `wider` times |L + R| is added to pre-activations."""
    p, q, w = net.preactivation_terms, net.logit_terms, net.weights
    L, R, U, b, L_abs, R_abs = map(rational, (w.L[x], w.R[y], w.U, w.b, net.L_abs[x], net.R_abs[y]))
    alpha = gamma(p) * (L_abs + R_abs) + p * TINY
    above = L + R + alpha + rational(w.L_error) + rational(w.R_error) + wider * abs(L + R)
    share = [(a + gamma(q) * top) if top > 0 else Fraction(0) for a, top in zip(alpha, above, strict=True)]
    votes, bias = abs(U) + Fraction(w.U_error), abs(b) + Fraction(w.b_error)
    each = [sum(share * votes[:, z]) + gamma(q) * bias[z] + q * TINY for z in range(6)]
    grown = alpha * (1 + gamma(q)) + gamma(q) * (L_abs + R_abs)
    return each, sum(grown * votes.max(axis=1)) + gamma(q) * bias.max() + q * TINY


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("scale", "error"),
    [(1.0, 0.0), (1.0, 0.25), (2.0**-70, 0.0), (2.0**-70, 2.0**-73), (2.0**-128, 0.0), (2.0**40, 2.0**33)],
)
def test_both_bounds_are_the_formulas_and_hardly_more(seed, scale, error):
    """Never below the formulas in fractions, and above them by less than one part in 2^26."""
    net = network(seed, scale, error)
    p, q = net.preactivation_terms, net.logit_terms
    separable, safe = _separable_error(net, p, q)
    assert safe.all()
    more = 1 + Fraction(1, 2**26)
    for x, y in np.ndindex(6, 6):
        each, one = bounds_in_fractions(net, x, y)
        widest, _ = bounds_in_fractions(net, x, y, wider=Fraction(1, 2**48))
        found = _error_per_output(net, np.array([x]), np.array([y]), p, q)[0]
        assert all(low <= Fraction(value) <= high * more for low, value, high in zip(each, found, widest, strict=True))
        assert one <= Fraction(separable[x, y]) <= one * more


def nearly_tied(seed):
    """A network over S3 with neurons of very different sizes, silent at many pairs, and votes that nearly tie."""
    rng = np.random.default_rng(seed)
    huge = 2.0 ** int(rng.integers(20, 70))
    L = np.hstack([2.0 ** rng.integers(0, 30, (6, 2)), huge * rng.choice([-1.0, -1.0, 1.0], (6, 1))])
    R = np.hstack([rng.choice([0.0, 1.0], (6, 2)), np.zeros((6, 1))])
    apart = (12, 60)[seed // 2 % 2]  # closer together hardly any pair can be proved
    near = np.float32(rng.uniform(0.5, 1, (3, 1))) + rng.integers(-apart, apart + 1, (3, 6)) * 2.0**-24
    near[:2] *= 2.0 ** int(rng.integers(-3, 20))
    near *= 2.0 ** (seed % 2 * 40)  # the common unit of the integers is a fraction for some, a multiple of 1 for others
    return folded_network(S3, Weights.from_arrays(L, R, near.astype(np.float32).astype(float)))


def test_pairs_are_proved_only_where_exact_margins_exceed_exact_bounds():
    """On networks where rounding to integers matters; many pairs are proved, and many are not."""
    known, pairs = 0, 0
    for net in map(nearly_tied, range(40)):
        evaluation = evaluate(net.weights)
        proved = float32_proved(net, evaluation)
        exact = net.weights.exact()
        unit = Fraction(1, 1 << (exact.preactivation_bits + exact.vote_bits))
        for x, y in np.argwhere(proved):
            logits, (error, _) = [unit * int(v) for v in exact.logits(x, y)], bounds_in_fractions(net, x, y)
            c = evaluation.answer[x, y]
            assert all(logits[c] - logits[z] > error[c] + error[z] for z in range(6) if z != c)
        known, pairs = known + int(proved.sum()), pairs + proved.size
    assert 0.1 * pairs < known < 0.9 * pairs


def test_a_network_without_one_of_the_lengths_makes_no_statement():
    net = network(0, 1.0, 0.0)
    evaluation = evaluate(net.weights)
    assert float32_proved(net, evaluation) is not None
    assert float32_proved(replace(net, preactivation_terms=None), evaluation) is None
    assert float32_proved(replace(net, logit_terms=None), evaluation) is None


@pytest.mark.parametrize("name", ["preactivation_terms", "logit_terms"])
def test_dot_products_of_2_to_23_terms_are_the_first_to_be_refused(name):
    net = network(0, 1.0, 0.0)
    evaluation = evaluate(net.weights)
    assert not float32_proved(replace(net, **{name: 2**23 - 1}), evaluation).any()
    with pytest.raises(ValueError, match=r"^Expected dot products of fewer than 2\^23 terms for gamma_k < 1; got 8388608\.$"):
        float32_proved(replace(net, **{name: 2**23}), evaluation)


def clear_network(bias=0.0):
    """Output 0 leads by 1 at every pair: activation 1, votes 1 for it and 0 for the others."""
    weights = Weights.from_arrays(np.ones((6, 1)), np.zeros((6, 1)), np.eye(1, 6), [bias] * 6)
    return folded_network(S3, weights), evaluate(weights)


def test_pairs_whose_sums_may_reach_2_to_126_are_left_out_and_no_others():
    """Sums of absolute products: in a pre-activation, and in a logit with its bias; below 2^126 is safe, 2^126 is not."""
    net, _ = clear_network()
    half, less = OVERFLOW / 2, OVERFLOW / 2 * (1 - 2.0**-52)
    for left, right, safe in ((half, half, False), (half, less, True), (OVERFLOW, 0.0, False), (0.0, OVERFLOW, False)):
        L_abs, R_abs = np.zeros((6, 1)), np.zeros((6, 1))
        L_abs[2], R_abs[3] = left, right
        quiet = replace(net.weights, U=np.zeros((1, 6)))
        _, found = _separable_error(replace(net, weights=quiet, L_abs=L_abs, R_abs=R_abs), 2, 1)
        assert found[2, 3] == safe
        assert found[1, 1]
        assert found[2, 1] == (left < OVERFLOW)
        assert found[1, 3] == (right < OVERFLOW)
    for bias, safe in ((half, False), (less, True)):
        biased, _ = clear_network(bias)
        _, found = _separable_error(replace(biased, L_abs=np.full((6, 1), half)), 2, 2)
        assert (found == safe).all()


@pytest.mark.parametrize("size", [1e308, np.inf])
def test_sums_beyond_float64_are_left_out_without_a_warning(size):
    net, evaluation = clear_network()
    L_abs = net.L_abs.copy()
    L_abs[4] = size
    weights = replace(net.weights, U=np.vstack([np.full((1, 6), 1e10), np.zeros((1, 6))]), L=np.ones((6, 2)), R=np.zeros((6, 2)))
    _, safe = _separable_error(replace(net, weights=weights, L_abs=np.hstack([L_abs, L_abs]), R_abs=np.zeros((6, 2))), 2, 1)
    assert safe.tolist() == [[x != 4] * 6 for x in range(6)]
    assert float32_proved(net, evaluation).all()


def test_a_network_without_neurons_is_its_bias():
    """Nothing is summed but the bias, so its first output, 1 against 0, is firm."""
    weights = Weights.from_arrays(np.zeros((6, 0)), np.zeros((6, 0)), np.zeros((0, 6)), [1.0, 0, 0, 0, 0, 0])
    assert float32_proved(folded_network(S3, weights), evaluate(weights)).all()
