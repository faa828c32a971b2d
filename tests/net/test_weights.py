"""Weights: float64 arrays, their error bounds, and the exact integers, under every operation on them."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from net.weights import Weights

P, V = 90, 70


def fractions_of(array, bits):
    return np.frompyfunc(lambda value: Fraction(value, 1 << bits), 1, 1)(array)


@pytest.fixture
def integers():
    """Integers of up to 100 bits: n = 6, m = 5."""
    rng = np.random.default_rng(3)

    def draw(*shape):
        high = rng.integers(-(2**50), 2**50, shape).astype(object)
        return high * (1 << 50) + rng.integers(0, 2**50, shape).astype(object)

    return draw(6, 5), draw(6, 5), draw(5, 6), draw(6)


def assert_bounds_hold(weights):
    """Each float64 entry is within its stated bound of the exact one."""
    exact = weights.exact()
    p, v = exact.preactivation_bits, exact.vote_bits
    for values, array, bits, bound in (
        (weights.L, exact.L, p, weights.L_error[None, :]),
        (weights.R, exact.R, p, weights.R_error[None, :]),
        (weights.U, exact.U, v, np.array(weights.U_error)),
        (weights.b, exact.b, p + v, np.array(weights.b_error)),
    ):
        error = abs(fractions_of(array, bits) - np.frompyfunc(Fraction, 1, 1)(values))
        assert (error <= np.broadcast_to(bound, values.shape)).all()


def test_rounded_quotients_are_within_their_bounds(integers):
    weights = Weights.from_integers(*integers, P, V)

    assert_bounds_hold(weights)
    assert weights.L_error.min() > 0
    assert weights.L[2, 3] == integers[0][2, 3] / (1 << P)


def test_short_integers_are_represented_exactly():
    weights = Weights.from_integers([[3, -4]], [[1, 2]], [[5], [-(2**52)]], None, 3, 40)

    assert not weights.L_error.any()
    assert weights.U_error == weights.b_error == 0
    assert weights.L.tolist() == [[0.375, -0.5]]
    assert weights.b.tolist() == [0.0]


def test_denormal_quotients_are_within_their_bounds():
    """Near 2^-1074 the relative bound is not enough: the absolute term covers what underflows."""
    weights = Weights.from_integers([[3]], [[-1]], [[7]], [1], 1075, 1076)

    assert_bounds_hold(weights)


def test_quotients_beyond_float64_are_infinite_and_their_bounds_say_so():
    weights = Weights.from_integers([[1 << 2000]], [[0]], [[-(1 << 1100)]], [5], 0, 0)

    assert (weights.L[0, 0], weights.U[0, 0]) == (np.inf, -np.inf)
    assert (weights.L_error[0], weights.U_error, weights.R_error[0], weights.b_error) == (np.inf, np.inf, 0, 0)
    assert weights.exact().L[0, 0] == 1 << 2000


def test_integers_beyond_machine_words_stay_what_they_are():
    """Numpy makes floats of [2**63 + 1, -1]."""
    weights = Weights.from_integers([[2**63 + 1, -1]], [[1, 2]], [[2**63 + 3], [-5]], [-(2**63) - 7], 0, 0)

    assert weights.exact().L.tolist() == [[2**63 + 1, -1]]
    assert weights.exact().U.tolist() == [[2**63 + 3], [-5]]
    assert weights.exact().b.tolist() == [-(2**63) - 7]
    assert_bounds_hold(weights)


def test_arrays_are_their_own_exact_weights():
    rng = np.random.default_rng(0)
    weights = Weights.from_arrays(*(rng.standard_normal(s).astype(np.float32) for s in ((6, 3), (6, 3), (3, 6), (6,))))

    assert_bounds_hold(weights)
    assert not weights.L_error.any()
    assert weights.exact() is weights.exact()


def test_exact_logits_are_the_rational_logits(integers):
    """sum_i max(L[x, i] + R[y, i], 0) U[i, z] + b[z] over 2^(p + v), for every pair and output."""
    L, R, U, b = integers
    exact = Weights.from_integers(L, R, U, b, P, V).exact()
    for x in range(6):
        for y in range(6):
            expected = [sum(max(L[x, i] + R[y, i], 0) * U[i, z] for i in range(5)) + b[z] for z in range(6)]
            assert exact.logits(x, y).tolist() == expected


@pytest.mark.parametrize("neurons", [[3, 0], [], [1, 1], [False, True, True, False, True]])
def test_selected_neurons_keep_weights_bounds_and_exact_integers(integers, neurons):
    weights = Weights.from_integers(*integers, P, V)
    kept = np.arange(5)[np.array(neurons)] if neurons else np.zeros(0, dtype=int)
    selected = weights.select(neurons)

    assert np.array_equal(selected.L, weights.L[:, kept])
    assert np.array_equal(selected.exact().U, weights.exact().U[kept])
    assert_bounds_hold(selected)


def test_without_is_the_complement_of_select(integers):
    weights = Weights.from_integers(*integers, P, V)

    assert np.array_equal(weights.without([1, 3]).exact().L, weights.select([0, 2, 4]).exact().L)
    assert weights.without([]).width == 5
    assert weights.without(np.ones(5, dtype=bool)).width == 0


def test_a_network_without_neurons_has_its_bias_as_logits(integers):
    weights = Weights.from_integers(*integers, P, V).without(range(5))

    assert np.array_equal(weights.logits(2, 3), weights.b)
    assert weights.exact().logits(2, 3).tolist() == integers[3].tolist()


def test_permuting_elements_permutes_inputs_and_outputs(integers):
    """The permuted network answers at (x, y) what the first one answers at (e[x], e[y]), renamed."""
    weights = Weights.from_integers(*integers, P, V)
    e = np.array([4, 2, 0, 5, 1, 3])
    permuted = weights.permuted(e)
    for x in range(6):
        for y in range(6):
            assert permuted.exact().logits(x, y).tolist() == weights.exact().logits(e[x], e[y])[e].tolist()
            assert np.allclose(permuted.logits(x, y), weights.logits(e[x], e[y])[e], rtol=1e-12)


def test_exchanged_network_takes_its_arguments_the_other_way_round(integers):
    weights = Weights.from_integers(*integers, P, V)
    exchanged = weights.exchanged()

    assert np.array_equal(exchanged.logits(1, 4), weights.logits(4, 1))
    assert exchanged.exact().logits(1, 4).tolist() == weights.exact().logits(4, 1).tolist()
    assert np.array_equal(exchanged.L_error, weights.R_error)


def test_constants_count_the_bias_only_when_there_is_one(integers):
    assert Weights.from_integers(*integers, P, V).constants == 30 + 30 + 30 + 6
    assert Weights.from_integers(*integers[:3], None, P, V).constants == 90


def test_arrays_cannot_be_changed_behind_the_exact_weights():
    weights = Weights.from_arrays(np.ones((2, 1)), np.ones((2, 1)), np.ones((1, 2)))
    with pytest.raises(ValueError, match="read-only"):
        weights.L[0, 0] = 2


def test_integers_of_numpy_do_not_overflow_and_floats_are_refused():
    """A list of numpy's integers keeps them, and 2^62 + 2^62 of two of them is negative."""
    large = np.int64(2**62)
    weights = Weights.from_integers([[large], [np.int64(0)]], [[large], [np.int64(0)]], [[np.int64(1), np.int64(0)]], None, 0, 0)

    assert weights.exact().logits(0, 0).tolist() == [2**63, 0]
    with pytest.raises(TypeError):
        Weights.from_integers([[0.5]], [[1]], [[1]], None, 0, 0)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_has_no_exact_weights(value):
    weights = Weights.from_arrays([[value], [1.0]], [[0.0], [1.0]], [[1.0, 2.0]])

    with pytest.raises(ValueError, match="expected finite numbers"):
        weights.exact()
