"""Sums in limbs against Python integers: differences, the columns that exact arithmetic has to look at, and the limbs' width."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from net.weights import Weights
from verify.exact.exact_pairs import exact_leads
from verify.exact.wide_integers import WideNetwork, _round, _slack, round_wide


def of_values(values, width, slack):
    """A network of one neuron that is always 1, whose logits are these integers."""
    votes = np.array([values], dtype=object)
    mask = (1 << width) - 1
    limbs = np.array([votes & mask, (votes >> width) & mask, votes >> (2 * width)], dtype=np.float64)
    n = len(values)
    return WideNetwork(np.ones((n, 1), np.int64), np.zeros((n, 1), np.int64), limbs, width, 0, slack)


def joined(number, width):
    high, low = number
    assert ((low >= 0) & (low < 1 << (3 * width))).all()
    return (high.astype(object) << (3 * width)) + low


@pytest.mark.parametrize("width", [4, 7, 20])
@pytest.mark.parametrize("seed", range(5))
def test_gaps_are_differences(width, seed):
    rng = np.random.default_rng(seed)
    net = of_values([0, 1], width, 0)
    high = rng.integers(-(2**40), 2**40, (2, 50))
    low = rng.integers(0, 1 << (3 * width), (2, 50))
    left, right = ((high[k], low[k]) for k in range(2))
    assert (joined(net.gap(left, right), width) == joined(left, width) - joined(right, width)).all()


@pytest.mark.parametrize("width", [4, 20])
@pytest.mark.parametrize("slack", [0, 1, 2, 100, 2**12 - 1, 2**12, 2**12 + 5, 3 * 2**12, 2**60, 2**61 + 7, 2**130])
def test_columns_are_kept_exactly_when_they_are_within_the_slack_of_the_runner_up(width, slack):
    """Among the differences are the slack itself, one more and one less, and multiples of what the low part holds."""
    rng = np.random.default_rng(slack % 1000)
    steps = [0, 1, 2, 99, 100, 101, slack - 1, slack, slack + 1, 2 * slack, 2**12 - 1, 2**12, 2**12 + 1, 2**60, 2**60 + 1, 3 * 2**61]
    room = 2 ** (6 * width - 1) if width == 4 else 2**100
    for _ in range(10):
        top = int(rng.integers(-1000, 1000))
        values = [top + int(rng.choice([0, 0, 3, 1 << 11])), *(top - step for step in steps if 0 <= step < min(room, 2**62))]
        values = [values[k] for k in rng.permutation(len(values))]
        first, runner_up, lead, near = of_values(values, width, slack).top_two(np.arange(len(values)))
        best, second = sorted(values)[:-3:-1]
        for row in range(len(values)):
            assert values[first[row]] == best
            assert values[runner_up[row]] == second
            assert first[row] != runner_up[row]
            assert lead[row] == best - second
            assert near[row].tolist() == [second - value <= slack for value in values]


@pytest.mark.parametrize("neurons", [1, 2, 3, 170, 682, 683, 2730, 2731])
def test_limbs_are_as_wide_as_products_in_float64_allow_and_at_most_20_bits(neurons):
    """Five sums of 3 k products of limbs: 3 k 2^(2w) <= 2^53."""
    wide = round_wide(Weights.from_arrays(np.ones((2, neurons)), np.ones((2, neurons)), np.ones((neurons, 2))))
    assert wide.width == max(w for w in range(21) if 3 * neurons * 4**w <= 2**53)


@pytest.mark.parametrize("neurons", [1, 7, 700])
@pytest.mark.parametrize("spread", [0, 40, 300])
def test_rounded_integers_use_the_room_and_logits_stay_below_2_to_119(neurons, spread):
    """Greatest sums of absolute products: above 2^90, and below the 2^119 that keeps high parts and gaps in int64."""
    rng = np.random.default_rng(neurons + spread)
    scales = 2.0 ** rng.integers(-spread, spread + 1, neurons)
    arrays = (rng.uniform(1, 2, (6, neurons)) * scales, rng.uniform(1, 2, (6, neurons)) * scales, rng.uniform(-2, 2, (neurons, 6)))
    wide = round_wide(Weights.from_arrays(*arrays))
    votes = sum(wide.limbs[j].astype(np.int64).astype(object) << (wide.width * j) for j in range(3))
    hidden = wide.L.astype(object).max(axis=0) + wide.R.astype(object).max(axis=0)
    assert (hidden < 1 << (3 * wide.width)).all()
    assert (abs(votes) < 1 << (3 * wide.width)).all()
    assert 2**90 < (hidden @ abs(votes)).max() < 2**119


def test_leads_of_tens_of_thousands_of_neurons_stay_in_64_bits():
    """All neurons give almost the most that they can, for one output and against the other, so that sums are the largest possible."""
    neurons, most = 16_500, 1 - 2.0**-53
    half, votes = np.full((2, neurons), most / 2), np.tile([most, -most], (neurons, 1))
    wide = round_wide(Weights.from_arrays(half, half, votes))
    first, second, lead, near = wide.top_two(np.arange(4))
    assert wide.width == 18
    assert first.tolist() == [0] * 4
    assert second.tolist() == [1] * 4
    assert all(abs(value - 2 * neurons * most**2 * 2.0**wide.exponent) <= wide.slack + 2.0 ** (wide.exponent - 30) for value in lead)
    assert near.all()


@pytest.mark.parametrize("seed", range(20))
def test_exact_leads_are_exact_where_rounding_to_55_bits_changes_the_order(seed):
    """Votes whose sums differ by parts of 2^-120, made of summands that differ by parts of 2^-50 and cancel."""
    rng = np.random.default_rng(seed)
    m, n = 8, 6
    noise = rng.integers(-(2**20), 2**20, (m, n)).astype(object) << 50
    noise[-1] -= noise.sum(axis=0)
    votes = (rng.integers(2**40, 2**41, (m, 1)).astype(object) << 80) + noise + rng.integers(-9, 10, (m, n))
    L, R = np.ones((n, m), dtype=object), np.zeros((n, m), dtype=object)
    weights = Weights.from_integers(L, R, votes, None, 0, 120)
    sums = sorted(enumerate(votes.sum(axis=0)), key=lambda item: item[1])
    lead = sums[-1][1] - sums[-2][1]
    (found,) = exact_leads(weights, np.array([0]))
    assert found[:2] == (sums[-1][0] if lead else -1, Fraction(int(lead), 2**120))


@pytest.mark.parametrize("seed", range(5))
def test_rounding_is_to_the_nearest_and_reports_every_column_that_is_not_exact(seed):
    """Columns of multiples of 2^k, of one more than these, and of random integers, shifted to the left and to the right."""
    rng = np.random.default_rng(seed)
    shifts = [0, 3, -1, -2, -5, -5, -5, -40, -40]
    values = rng.integers(-(2**50), 2**50, (7, len(shifts))).astype(object)
    values[:, 3] = values[:, 3] << 2
    values[:, 5] = values[:, 5] << 5
    values[:, 6] = values[:, 6] << 6
    values[2, 6] += [1, 16, 31, 32 + 2, -1][seed]  # one entry of the column
    rounded, inexact = _round(values, np.array(shifts))
    assert rounded.dtype == inexact.dtype == np.int64  # floats would round the slack
    for column, shift in enumerate(shifts):
        exact = [Fraction(2) ** shift * int(value) for value in values[:, column]]
        off = [abs(value - int(found)) for value, found in zip(exact, rounded[:, column], strict=True)]
        assert max(off) <= Fraction(1, 2)
        assert inexact[column] == (max(off) > 0)
    assert not inexact[[0, 1, 3, 5]].any()
    assert inexact[[4, 6, 7]].all()


@pytest.mark.parametrize("seed", range(20))
def test_the_slack_is_the_bound_in_integers(seed):
    """The sum of 2 f (Hmax + e) + e (max V - min V) with e and f in halves, rounded up to a whole unit; nothing goes through floats."""
    rng = np.random.default_rng(seed)
    n, k = 3, int(rng.integers(1, 5))
    L, R, V = (rng.integers(-(2**61), 2**61, shape) for shape in ((n, k), (n, k), (k, n)))
    e_halves, f_halves = rng.integers(0, 3, k), rng.integers(0, 2, k)
    bound = Fraction(0)
    for i in range(k):
        e, f = Fraction(int(e_halves[i]), 2), Fraction(int(f_halves[i]), 2)
        top = max(0, max(int(v) for v in L[:, i]) + max(int(v) for v in R[:, i]))
        bound += 2 * f * (top + e) + e * (max(int(v) for v in V[i]) - min(int(v) for v in V[i]))
    found = _slack(L, R, V, e_halves, f_halves)
    assert type(found) is int
    assert found == -(-bound.numerator // bound.denominator)
    assert _slack(L[:, :0], R[:, :0], V[:0], e_halves[:0], f_halves[:0]) == 0
