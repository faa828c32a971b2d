"""Networks rounded to small integers: the slack is its formula, and everything around it is what it says."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from net.weights import Weights
from verify.exact import scaled_integers
from verify.exact.exhaustive import evaluate
from verify.exact.scaled_integers import BITS, ScaledNetwork, live_neurons, round_network, scaled_bounds, top_two


def weights(seed, bias, error, n=6, m=4, scale=1.0):
    """Random weights that declare errors, and neurons of very different sizes."""
    rng = np.random.default_rng(seed)
    sizes = scale * 2.0 ** rng.integers(-6, 7, m)
    L, R, U = rng.normal(size=(n, m)) * sizes, rng.normal(size=(n, m)) * sizes, rng.normal(size=(m, n))
    b = rng.normal(size=n) * scale if bias else np.zeros(n)
    exact = Weights.from_arrays(L, R, U, b)
    return replace(exact, L_error=sizes * error, R_error=sizes * 2 * error, U_error=3 * error, b_error=5 * error * bias)


def slack_in_fractions(real, net, bias):
    """The bound of the module, neuron by neuron: sum of 2 f (Hmax + e) + e (max V - min V)."""
    q, total = Fraction(2) ** net.exponent, Fraction(0)
    live = live_neurons(real)
    for i in range(net.L.shape[1]):
        is_bias = bias and i == net.L.shape[1] - 1
        s = scale_of(live.L[:, i], live.R[:, i], net.L[:, i], net.R[:, i]) if not is_bias else Fraction(1)
        e_left = max(abs(s * Fraction(a) - Fraction(float(r))) for a, r in zip(live.L[:, i], net.L[:, i], strict=True))
        e_right = max(abs(s * Fraction(a) - Fraction(float(r))) for a, r in zip(live.R[:, i], net.R[:, i], strict=True))
        f = max(abs(q / s * Fraction(a) - Fraction(float(v))) for a, v in zip(live.U[i], net.U[i], strict=True))
        e = e_left + e_right + s * (Fraction(live.L_error[i]) + Fraction(live.R_error[i]))
        f += q / s * Fraction(live.U_error[i])
        top = max(Fraction(0), Fraction(float(net.L[:, i].max())) + Fraction(float(net.R[:, i].max())))
        total += 2 * f * (top + e) + e * (Fraction(float(net.U[i].max())) - Fraction(float(net.U[i].min())))
    return total


def scale_of(left, right, rounded_left, rounded_right):
    """The power of two between a neuron and its integers, which are within 1/2 of it."""
    for power in range(-100, 101):
        s = Fraction(2) ** power
        pairs = [*zip(left, rounded_left, strict=True), *zip(right, rounded_right, strict=True)]
        if all(abs(s * Fraction(a) - Fraction(float(r))) <= Fraction(1, 2) for a, r in pairs) and any(r for _, r in pairs):
            return s
    raise AssertionError("no power of two fits")


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("error", [0.0, 2.0**-30, 0.125])
@pytest.mark.parametrize("seed", range(3))
def test_the_slack_is_the_bound_rounded_up_and_hardly_more(precision, bias, error, seed):
    real = weights(seed, bias, error)
    net = round_network(real, precision)
    expected = slack_in_fractions(real, net, bias)
    assert expected <= Fraction(net.slack) <= expected * (1 + Fraction(1, 2**28))


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_an_error_that_has_no_float_at_the_networks_scale_leaves_it_to_others(precision):
    """Votes of 10^-300 that may be off by 10^300, of a neuron that is never active: infinity times 0 would be no number."""
    exact = Weights.from_arrays(np.zeros((2, 1)), np.zeros((2, 1)), np.array([[1e-300, 0.0]]), np.array([1.0, 0.0]))
    real = replace(exact, U_error=1e300)
    assert round_network(real, precision) is None
    found = evaluate(real, tiers=(precision, "exact"))
    assert (found.margin_low == 1).all()
    assert (found.margin_high == 1).all()


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("seed", range(4))
def test_the_unit_is_the_finest_that_fits(precision, seed):
    """Sums of absolute products, with an activation of at least 1, are within 2^T; with half the unit they would not be."""
    real = weights(seed, bias=True, error=0.0)
    net = round_network(real, precision)
    top = np.maximum(net.L.astype(float).max(axis=0) + net.R.astype(float).max(axis=0), 1)
    size = (top @ np.abs(net.U.astype(float))).max()
    assert size <= 2 ** BITS[precision]
    assert size * 2.2 > 2 ** BITS[precision]
    assert net.L.dtype == net.R.dtype == net.U.dtype == np.dtype(precision)


def test_only_neurons_that_no_pair_can_activate_are_left_out():
    """Activations at most 0 everywhere, or votes 0: silent. One that may be positive by its error, or by the next float, stays."""
    L = np.array([[-1.0, -1.0, -1.0, 1.0, 1.0, -1.0, -1.0], [-2.0, -2.0, -2.0, -2.0, 1.0, -2.0, -2.0]])
    R = np.array([[1.0, 1.0, 1.0, 1.0, 1.0, 0.5, 1.0 + 2.0**-52], [0.0, 0.0, 0.0, 0.0, 1.0, 0.25, 0.0]])
    U = np.tile([1.0, 0.0], (7, 1))
    U[4] = 0
    plain = Weights.from_arrays(L, R, U)
    assert live_neurons(plain).L.shape[1] == 5  # those at exactly 0 stay as well: the comparison is rounded outward
    tiny = np.full(7, 2.0**-60)
    assert live_neurons(replace(plain, L_error=tiny)).L.shape[1] == 5
    assert live_neurons(replace(plain, U_error=2.0**-60)).L.shape[1] == 6
    assert live_neurons(replace(plain, R_error=np.full(7, 0.6))).L.shape[1] == 6
    assert live_neurons(replace(plain, L_error=np.full(7, 0.6))).L.shape[1] == 6


def test_a_bias_is_one_more_neuron_that_is_always_1():
    net = weights(0, bias=True, error=2.0**-20)
    live = live_neurons(net)
    assert live.has_bias
    assert (live.L[:, -1] + live.R[:, -1] == 1).all()
    assert np.array_equal(live.U[-1], net.b)
    assert (live.L_error[-1], live.R_error[-1], live.U_error[-1]) == (0.0, 0.0, net.b_error)
    unsure = replace(net, b=np.zeros(6), b_error=2.0**-60)
    assert live_neurons(unsure).has_bias
    assert not live_neurons(replace(unsure, b_error=0.0)).has_bias


@pytest.mark.parametrize("name", ["L", "R", "U", "b", "L_error", "R_error", "U_error", "b_error"])
def test_weights_that_are_not_finite_have_no_rounded_network(name):
    real = weights(0, bias=True, error=0.0)
    assert round_network(real, "float32") is not None
    value = getattr(real, name)
    broken = np.inf if isinstance(value, float) else np.where(np.arange(value.size).reshape(value.shape) == 1, np.inf, value)
    assert round_network(replace(real, **{name: broken}), "float32") is None


def test_a_network_without_live_neurons_is_exact():
    net = round_network(Weights.from_arrays(np.full((6, 2), -1.0), np.zeros((6, 2)), np.ones((2, 6))), "float32")
    assert (net.exponent, net.slack, net.L.shape, net.U.dtype) == (0, 0.0, (6, 0), np.dtype("float32"))
    assert not net.logits(np.arange(36)).any()


def small(n, k):
    rng = np.random.default_rng(n)
    L, R, U = (rng.integers(-3, 4, shape).astype(np.float32) for shape in ((n, k), (n, k), (k, n)))
    return ScaledNetwork(L, R, U, 0, 0.0)


def test_lists_of_pairs_give_the_logits_of_the_definition():
    net = small(5, 3)
    twin = np.array([[np.maximum(net.L[x] + net.R[y], 0) @ net.U for y in range(5)] for x in range(5)]).reshape(25, 5)
    for part in (np.arange(25), np.arange(7, 9), np.array([3, 17, 3, 24]), np.arange(0)):
        assert np.array_equal(net.logits(part), twin[part])


@pytest.mark.parametrize(("size", "rows"), [(1, 1), (20, 1), (40, 2), (99, 4), (100, 5), (199, 5), (200, 10), (1000, 50)])
def test_blocks_hold_as_many_pairs_as_fit_in_whole_rows(size, rows, monkeypatch):
    """Five float32 logits are 20 bytes a pair."""
    monkeypatch.setattr(scaled_integers, "_BLOCK_BYTES", size)
    assert small(5, 3).rows == rows


def test_first_and_lead_with_and_without_guesses():
    """A right guess wins a tie; a wrong one costs a search and changes nothing; the logits stay as they were."""
    logits = np.array([[1, 5, 3], [4, 4, 0], [4, 0, 4], [7, 7, 7], [-2, -9, -4]], dtype=np.float32)
    before = logits.copy()
    first, lead, second = top_two(logits)
    assert (first.tolist(), lead.tolist(), second.tolist()) == ([1, 0, 0, 0, 0], [2, 0, 0, 0, 2], [2, 1, 2, 1, 2])
    for guess, expected in (([1, 1, 2, 2, 0], [1, 1, 2, 2, 0]), ([0, 2, 1, 1, 1], [1, 0, 0, 1, 0]), ([2, 0, 0, 0, 2], [1, 0, 0, 0, 0])):
        first, lead, second = top_two(logits, np.array(guess, dtype=np.int16))
        assert (first.tolist(), lead.tolist()) == (expected, [2, 0, 0, 0, 2])
        assert np.array_equal(np.sort(logits, axis=1)[:, -2], logits[np.arange(5), second])
        assert (first != second).all()
        assert first.dtype == np.int64
        assert lead.dtype == np.float64
    assert np.array_equal(logits, before)
    assert top_two(np.array([[3.0]]))[1].tolist() == [np.inf]


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_leads_of_logits_at_the_limit_of_the_integers_are_exact(precision):
    """2^T against 1 - 2^T: the difference is formed in float64."""
    top = 2 ** BITS[precision]
    _, lead, _ = top_two(np.array([[float(top), float(1 - top)]], dtype=precision))
    assert int(lead[0]) == 2 * top - 1


@pytest.mark.parametrize("exponent", [-1000, -899, -30, 0, 30, 899, 1000, 1070])
@pytest.mark.parametrize("slack", [0.0, 0.5, 3.0, 2.0**-20])
def test_bounds_of_the_margin_enclose_it_and_are_neighbours(exponent, slack):
    lead = np.array([0.0, 1.0, 3.0, 5.0, 2.0**40 + 1])
    low, high = scaled_bounds(lead, slack, exponent)
    for k, value in enumerate(lead):
        ends = [Fraction(2) ** -exponent * (Fraction(value) + sign * Fraction(slack)) for sign in (-1, 1)]
        assert Fraction(low[k]) <= ends[0]
        assert high[k] == np.inf or ends[1] <= Fraction(high[k])
        if slack == 0 and (abs(exponent) < 900 or value == 0):
            assert low[k] == high[k] == ends[0]
        elif abs(exponent) < 900:
            assert Fraction(np.nextafter(np.nextafter(low[k], np.inf), np.inf)) > ends[0]
            assert Fraction(np.nextafter(np.nextafter(high[k], -np.inf), -np.inf)) < ends[1]


def test_weights_below_the_normal_range_have_an_error_and_no_rounding_to_zero_goes_unnoticed():
    """Beside votes of 1, a vote of 2^-1074 is rounded to 0: the slack is positive."""
    U = np.array([[1.0, 2.0**-1074, 0.0]])
    net = round_network(Weights.from_arrays(np.ones((3, 1)), np.zeros((3, 1)), U), "float64")
    assert net.slack > 0
    whole = round_network(Weights.from_arrays(np.ones((3, 1)), np.zeros((3, 1)), np.array([[1.0, 0.5, 0.0]])), "float64")
    assert whole.slack == 0
