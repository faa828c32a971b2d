"""The exact answers on all pairs: every tier against arithmetic in fractions."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from algebra.group import parse_group
from net.answers import sampled_answers
from net.usual_units import in_usual_units
from net.weights import Weights, dead_neurons
from verify.exact import scaled_integers, wide_integers
from verify.exact.exact_pairs import exact_leads, outward
from verify.exact.exhaustive import TIE, TIERS, correct_pairs, evaluate, smallest_margin, tighten
from verify.exact.scaled_integers import BITS, round_network
from verify.exact.wide_integers import round_wide

SHARED = Path(__file__).parents[4] / "shared" / "checkpoints" / "chughtai"
TIER_SETS = [TIERS, ("float32", "exact"), ("rounded", "exact"), ("float64", "exact"), ("wide", "exact"), ("exact",)]

# Small integers and halves make ties; the others make rounding, cancellation and underflow.
NUMBERS = st.one_of(
    st.sampled_from([0.0, 1.0, -1.0, 0.5, -2.0, 3.0]),
    st.floats(-10, 10, width=32),
    st.sampled_from([2.0**127, -(2.0**127), 2.0**-149, -(2.0**-149), 1 + 2.0**-23, 2.0**24, -(2.0**24)]),
)
# All of float64, most of it where products of two or three are at its two ends, and neighbours of 1.
WIDE = st.one_of(
    NUMBERS,
    st.floats(allow_nan=False, allow_infinity=False),
    st.builds(
        lambda sign, power: sign * 2.0**power,
        st.sampled_from([1, -1, 1.5]),
        st.sampled_from([-1074, -1022, -700, -537, -400, -200, 300, 511, 512, 900, 1000, 1022]),
    ),
    st.sampled_from([1 - 2.0**-53, 1 + 2.0**-52, -1 - 2.0**-52, 5e-324, -1.5e-323, 1.7976931348623157e308]),
)


@st.composite
def networks(draw, least=2, most=6, numbers=NUMBERS):
    n, m = draw(st.integers(least, most)), draw(st.integers(0, 4))

    def array(*shape):
        size = int(np.prod(shape))
        return np.array(draw(st.lists(numbers, min_size=size, max_size=size))).reshape(shape)

    bias = array(n) if draw(st.booleans()) else np.zeros(n)
    return array(n, m), array(n, m), array(m, n), bias


def random_network(n, m, seed):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape) for shape in ((n, m), (n, m), (m, n), (n,))]


def compare_with_fractions(arrays, evaluation, lead_by_fractions):
    compare_with(leads_of(arrays, lead_by_fractions), evaluation)


def leads_of(arrays, lead_by_fractions, activation="relu"):
    """(answer, margin) at every pair."""
    return {(x, y): lead_by_fractions(*arrays, x, y, activation) for x, y in np.ndindex(len(arrays[0]), len(arrays[1]))}


def compare_with(leads, evaluation):
    for (x, y), (answer, margin) in leads.items():
        assert evaluation.answer[x, y] == answer
        low, high = evaluation.margin_low[x, y], evaluation.margin_high[x, y]
        assert Fraction(low) <= margin
        assert high == np.inf or margin <= Fraction(high)
        assert (high == 0) == (answer == TIE)
        assert low <= evaluation.margin[x, y] <= high


@settings(max_examples=150, deadline=None)
@given(arrays=networks())
def test_every_tier_alone_gives_the_answers_of_fraction_arithmetic(arrays, lead_by_fractions):
    weights, leads = Weights.from_arrays(*arrays), leads_of(arrays, lead_by_fractions)
    for tiers in TIER_SETS:
        evaluation = evaluate(weights, tiers=tiers)
        assert sum(evaluation.tiers.values()) == evaluation.answer.size == len(leads)
        assert evaluation.answer.dtype == np.int16
        compare_with(leads, evaluation)


# A vote and an activation so small beside the bias that their errors multiply to less than the least float64.
FAINT = np.full((2, 1), 2.0**-400), np.zeros((2, 1)), np.array([[0.0, 2.0**-200]]), np.full(2, -(2.0**600))


@settings(max_examples=40, deadline=None)
@given(
    arrays=networks(most=3, numbers=WIDE),
    activation=st.sampled_from(["relu", "square"]),
    tier=st.sampled_from(TIERS[:4]),
    closer=st.sampled_from(TIERS[:4]),
)
@example(arrays=FAINT, activation="square", tier="float64", closer="float32")
def test_tiers_samples_and_other_units_agree_with_fractions_on_all_of_float64(arrays, activation, tier, closer, lead_by_fractions):
    weights, leads = Weights.from_arrays(*arrays, activation=activation), leads_of(arrays, lead_by_fractions, activation)
    n = weights.order
    compare_with(leads, evaluate(weights))
    alone = evaluate(weights, tiers=(tier, "exact"))
    compare_with(leads, alone)
    compare_with(leads, tighten(weights, alone, np.arange(n * n), closer))
    answers = [answer for answer, _ in leads.values()]
    assert sampled_answers(weights, *np.divmod(np.arange(n * n), n)).tolist() == answers
    assert evaluate(in_usual_units(weights)[0]).answer.ravel().tolist() == answers
    exact = weights.exact()
    for neuron in np.flatnonzero(dead_neurons(weights)):
        flat = exact.U[neuron].min() == exact.U[neuron].max()
        assert flat or exact.silent[neuron]


@settings(max_examples=60, deadline=None)
@given(arrays=networks(least=6), tiers=st.sampled_from(TIER_SETS))
def test_smallest_margin_over_s3_is_the_minimum_over_all_right_pairs(arrays, tiers, lead_by_fractions):
    mul = parse_group("S3").mul
    weights = Weights.from_arrays(*arrays)
    leads = leads_of(arrays, lead_by_fractions)
    margins = [(margin, pair) for pair, (answer, margin) in leads.items() if answer == mul[pair]]
    evaluation = evaluate(weights, mul, tiers)
    assert correct_pairs(evaluation, mul).sum() == len(margins)
    assert smallest_margin(weights, evaluation, mul) == (min(margins) if margins else None)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("right_pairs", [1, 2, 10, 16, 17, 36])
def test_smallest_margin_is_found_among_pairs_of_which_nothing_is_known(seed, right_pairs, lead_by_fractions):
    """With 0 and 10^9 as bounds of every margin all of the right pairs contend, whichever attains the minimum."""
    arrays = random_network(6, 3, seed)
    weights = Weights.from_arrays(*arrays)
    evaluation = evaluate(weights)
    loose = replace(evaluation, margin_low=np.zeros((6, 6)), margin_high=np.full((6, 6), 1e9))
    chosen = np.random.default_rng(seed).permutation(36)[:right_pairs]
    table = (evaluation.answer + 1) % 6
    table.reshape(-1)[chosen] = evaluation.answer.reshape(-1)[chosen]
    expected = min((lead_by_fractions(*arrays, *divmod(int(pair), 6))[1], divmod(int(pair), 6)) for pair in chosen)
    assert smallest_margin(weights, loose, table) == smallest_margin(weights, evaluation, table) == expected


@pytest.fixture(scope="module")
def leads_over_s4(lead_by_fractions):
    """(answer, margin) at every pair of `random_network(24, 5, seed=4)`, by fractions; nobody changes them."""
    return leads_of(random_network(24, 5, seed=4), lead_by_fractions)


@pytest.mark.parametrize("tiers", TIER_SETS)
def test_all_pairs_of_s4_agree_with_fractions(tiers, leads_over_s4):
    arrays = random_network(24, 5, seed=4)
    compare_with(leads_over_s4, evaluate(Weights.from_arrays(*arrays), tiers=tiers))


@pytest.mark.parametrize("tiers", TIER_SETS)
def test_runners_up_are_those_of_fraction_arithmetic(tiers, logits_by_fractions):
    """On a network whose second and third outputs are nowhere close."""
    arrays = random_network(6, 5, seed=4)
    found = evaluate(Weights.from_arrays(*arrays), tiers=tiers)
    for x, y in np.ndindex(6, 6):
        values = logits_by_fractions(*arrays, x, y)
        assert found.runner_up[x, y] == sorted(range(6), key=values.__getitem__)[-2]


def test_weights_with_error_bounds_are_decided_as_the_exact_integers_say(lead_by_fractions):
    """Thirds of 2^80 have no float64; the answers are those of the integers, even where only these decide."""
    rng = np.random.default_rng(9)
    unit = 1 << 80
    L, R, U = ([[int(v) * unit // 3 for v in row] for row in rng.integers(-9, 9, (6, 3))] for _ in range(3))
    U = np.array(U, dtype=object).T.copy()
    # Column 5 is column 4 and one unit in the 80th place more.
    U[:, 5] = U[:, 4] + 1
    weights = Weights.from_integers(L, R, U, None, 80, 80)
    pre = np.array(L, dtype=object)[:, None] + np.array(R, dtype=object)[None]
    logits = np.maximum(pre, 0) @ U
    for tiers in TIER_SETS:
        evaluation = evaluate(weights, tiers=tiers)
        for x, y in np.ndindex(6, 6):
            best = [z for z in range(6) if logits[x, y, z] == max(logits[x, y])]
            assert evaluation.answer[x, y] == (best[0] if len(best) == 1 else TIE)
    assert evaluate(weights).tiers["exact"] > 0
    assert weights.L_error.any()


@pytest.mark.parametrize("array", range(4))
@pytest.mark.parametrize("seed", range(3))
def test_float_arrays_that_err_as_much_as_they_say_mislead_no_tier(seed, array, lead_by_fractions):
    """L, R, U or b is off by up to 1 and declares it: the answers are those of the exact weights."""
    arrays = random_network(6, 3, seed)
    floats = [given.copy() for given in arrays]
    floats[array] += np.random.default_rng(seed).uniform(-1, 1, floats[array].shape)
    errors = [np.abs(off - given).max() * (1 + 2**-50) for off, given in zip(floats, arrays, strict=True)]
    columns = [np.full(3, error) for error in errors[:2]]
    weights = Weights(*floats, *columns, *errors[2:], Weights.from_arrays(*arrays).exact)
    assert any(errors)
    assert not np.array_equal(evaluate(weights).answer, evaluate(Weights.from_arrays(*floats)).answer)
    leads = leads_of(arrays, lead_by_fractions)
    for tiers in TIER_SETS:
        compare_with(leads, evaluate(weights, tiers=tiers))


@pytest.mark.parametrize("tiers", TIER_SETS)
def test_a_neuron_that_is_silent_only_by_a_rounding_error_is_kept(tiers):
    """L or R is -0.05 in float64 and really 0.05: the neuron decides."""
    U, zero, near, true = np.eye(1, 6), np.zeros((6, 1)), np.full((6, 1), -0.05), np.full((6, 1), 0.05)
    error, none = np.array([0.11]), np.zeros(1)
    for floats, exact, errors in (
        ((near, zero), (true, zero), (error, none)),
        ((zero, near), (zero, true), (none, error)),
    ):
        known = Weights.from_arrays(*exact, U).exact
        weights = Weights(*floats, U.copy(), np.zeros(6), *errors, 0.0, 0.0, known)
        assert (evaluate(weights, tiers=tiers).answer == 0).all()


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_rounded_logits_use_the_significand_and_do_not_exceed_it(precision):
    """With greatest activations and positive votes, logits exceed 2^T / 8 and stay within 2^T."""
    rng = np.random.default_rng(0)
    for m in (1, 2, 7, 128):
        L, U = np.tile(rng.uniform(1, 2, m), (6, 1)), rng.uniform(1, 2, (m, 6))
        U[:, 0] = 0.25  # or all outputs would share a part, which is taken away
        network = round_network(Weights.from_arrays(L, np.zeros((6, m)), U), precision)
        logits = network.L.astype(np.int64) @ network.U.astype(np.int64)
        assert 2 ** BITS[precision] // 8 < logits.max() <= 2 ** BITS[precision]
        assert np.array_equal(network.logits(np.arange(6)), logits)


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("bias", [False, True])
def test_rounded_network_is_exact_and_within_its_slack_of_the_real_one(precision, bias, logits_by_fractions):
    """Floats compute the logits of integers, and no difference of two is off by more than the slack."""
    L, R, U, b = random_network(24, 6, seed=2)
    b = b if bias else 0 * b
    network = round_network(Weights.from_arrays(L, R, U, b), precision)
    integers = [array.astype(np.int64).astype(object) for array in (network.L, network.R, network.U)]
    assert np.array_equal(integers[0], network.L)
    worst = Fraction(0)
    for pair in range(24 * 24):
        x, y = divmod(pair, 24)
        exact = np.maximum(integers[0][x] + integers[1][y], 0) @ integers[2]
        assert list(network.logits(np.array([pair]))[0]) == list(exact)
        assert max(abs(v) for v in exact) <= 2 ** BITS[precision]
        real = logits_by_fractions(L, R, U, b, x, y)
        off = [Fraction(2) ** network.exponent * v - g for v, g in zip(real, exact, strict=True)]
        worst = max(worst, max(off) - min(off))
    assert worst <= Fraction(network.slack)
    # The bound is of the right size: rounding really does move logits.
    assert worst > Fraction(network.slack) / 100


@pytest.mark.parametrize(("precision", "shift"), [("float32", 1e5), ("float64", 1e13)])
def test_rounded_network_is_exact_when_left_and_right_nearly_cancel(precision, shift):
    """The scale leaves room for |L| and |R|, not only for their small sum."""
    L, R, U, b = random_network(24, 6, seed=2)
    network = round_network(Weights.from_arrays(L + shift, R - shift, U, b), precision)
    assert max(np.abs(network.L).max(), np.abs(network.R).max()) <= 2 ** (BITS[precision] - 1)
    L, R, U = (array.astype(np.int64).astype(object) for array in (network.L, network.R, network.U))
    exact = np.maximum(L[:, None] + R, 0).reshape(576, -1) @ U
    assert np.array_equal(network.logits(np.arange(576)), exact)


def test_wide_network_is_exact_and_within_its_slack_of_the_real_one(logits_by_fractions):
    L, R, U, b = random_network(24, 6, seed=3)
    wide = round_wide(Weights.from_arrays(L * np.array([1e30, 1, 1, 1e-20, 1, 1]), R, U, b))
    votes = sum(wide.limbs[j].astype(np.int64).astype(object) << (wide.width * j) for j in range(3))
    pairs = np.arange(24 * 24)
    high, low = wide.logits(pairs)
    assert (low >= 0).all()
    assert (low < 1 << (3 * wide.width)).all()
    values = (high.astype(object) << (3 * wide.width)) + low
    hidden = np.maximum(wide.L[pairs // 24] + wide.R[pairs % 24], 0).astype(object)
    assert np.array_equal(values, hidden @ votes)
    for pair in pairs:
        real = logits_by_fractions(L * np.array([1e30, 1, 1, 1e-20, 1, 1]), R, U, b, *divmod(int(pair), 24))
        off = [Fraction(2) ** wide.exponent * v - int(g) for v, g in zip(real, values[pair], strict=True)]
        assert max(off) - min(off) <= wide.slack


@pytest.mark.parametrize("k", [1, 127, 1024])
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_matrix_products_at_the_integer_limit_are_exact(k, precision):
    """The premise of the fast tiers, checked on this machine's BLAS with sums that reach 2^24 and 2^52."""
    rng = np.random.default_rng(k)
    limit = 2 ** BITS[precision]
    top = int(np.sqrt(limit / k))
    a, b = rng.integers(0, top + 1, (300, k)), rng.integers(-top, top + 1, (k, 300))
    a[0], b[:, 0], b[:, 1] = top, top, -top
    product = a.astype(precision) @ b.astype(precision)
    assert np.array_equal(product.astype(np.int64), a @ b)
    assert product.max() == k * top * top <= limit


def test_expected_answers_do_not_influence_the_result():
    """With a table of guesses that is wrong on most pairs the evaluation is the same, bounds included."""
    weights = Weights.from_arrays(*random_network(24, 8, seed=5))
    plain = evaluate(weights)
    for guess in (parse_group("S4").mul, np.zeros((24, 24), np.int16), plain.answer.clip(0)):
        guessed = evaluate(weights, guess)
        assert np.array_equal(plain.answer, guessed.answer)
        assert np.array_equal(plain.margin_low, guessed.margin_low)
        assert np.array_equal(plain.margin_high, guessed.margin_high)


@pytest.mark.parametrize("size", [1, 1000, 5000, 1 << 15])
def test_block_size_does_not_influence_the_result(size, monkeypatch):
    """Bounds included, but for those of rounded products, which are sums in an order that BLAS chooses."""
    weights, integers = Weights.from_arrays(*random_network(24, 8, seed=6)), ("float32", "float64", "wide", "exact")
    whole, rounded = evaluate(weights, tiers=integers), evaluate(weights)
    monkeypatch.setattr(scaled_integers, "_BLOCK_BYTES", size)
    small = evaluate(weights, tiers=integers)
    assert np.array_equal(whole.answer, small.answer)
    assert np.array_equal(whole.margin_low, small.margin_low)
    assert np.array_equal(rounded.answer, evaluate(weights).answer)
    assert np.array_equal(rounded.answer, whole.answer)


@pytest.mark.parametrize("entries", [1, 100, 24 * 24, 5000])
def test_block_size_of_wide_integers_does_not_influence_the_result(entries, monkeypatch):
    """A network of which some pairs tie, so that wide integers leave pairs open in blocks in the middle."""
    arrays = random_network(24, 8, seed=6)
    arrays[2][:, 7] = arrays[2][:, 5]
    arrays[3][7] = arrays[3][5]
    weights = Weights.from_arrays(*arrays)
    whole = evaluate(weights, tiers=("wide", "exact"))
    monkeypatch.setattr(wide_integers, "_BLOCK_ENTRIES", entries)
    small = evaluate(weights, tiers=("wide", "exact"))
    assert 0 < (whole.answer == TIE).sum() < 576
    assert np.array_equal(whole.answer, small.answer)
    assert np.array_equal(whole.margin_low, small.margin_low)
    assert whole.tiers == small.tiers


def test_integer_networks_are_decided_without_rounding(vote_counter):
    """Small integers stay themselves: slack 0, and the margin bounds are the margin."""
    group = parse_group("S4")
    weights = Weights.from_arrays(*vote_counter("S4"))
    evaluation = evaluate(weights, group.mul)
    assert correct_pairs(evaluation, group.mul).all()
    assert evaluation.tiers == {"float32": 576, "rounded": 0, "float64": 0, "wide": 0, "exact": 0}
    assert (evaluation.margin_low == 2).all()
    assert (evaluation.margin_high == 2).all()
    assert smallest_margin(weights, evaluation, group.mul) == (2, (0, 0))


def test_tighten_narrows_bounds_and_keeps_answers():
    weights = Weights.from_arrays(*random_network(24, 8, seed=7))
    loose = evaluate(weights, tiers=("float32", "float64", "exact"))
    pairs = np.array([0, 5, 575])
    for tier in ("float64", "wide", "exact"):
        tight = tighten(weights, loose, pairs, tier)
        width, before = tight.margin_high - tight.margin_low, loose.margin_high - loose.margin_low
        assert (width <= before).all()
        assert (width.reshape(-1)[pairs] < 1e-3).all()
        assert np.array_equal(tight.answer, loose.answer)
        assert tight.tiers == loose.tiers


def test_exact_logits_are_the_definition(logits_by_fractions):
    arrays = random_network(6, 3, seed=8)
    exact = Weights.from_arrays(*arrays).exact()
    assert [Fraction(int(v), 1 << exact.logit_bits) for v in exact.logits(2, 5)] == logits_by_fractions(*arrays, 2, 5)


def test_votes_at_one_pair_change_the_answer_there_and_nowhere_else(vote_counter, with_trigger):
    network = vote_counter("S4")
    votes = np.zeros(24)
    votes[7] = 5
    one = evaluate(Weights.from_arrays(*network))
    other = evaluate(with_trigger(network, 3, 11, votes))
    assert parse_group("S4").mul[3, 11] != 7
    assert np.argwhere(one.answer != other.answer).tolist() == [[3, 11]]


def test_networks_that_say_nothing_tie_everywhere():
    """Zero weights, no live neuron, equal columns: a tie at every pair, whichever tier decides."""
    zero = Weights.from_arrays(np.zeros((6, 2)), np.zeros((6, 2)), np.zeros((2, 6)))
    dead = Weights.from_arrays(np.full((6, 2), -1.5), np.full((6, 2), 1.5), np.ones((2, 6)))
    equal = Weights.from_arrays(*[np.full(shape, 0.1) for shape in ((6, 2), (6, 2), (2, 6), (6,))])
    none = Weights.from_arrays(np.zeros((6, 0)), np.zeros((6, 0)), np.zeros((0, 6)))
    for weights in (zero, dead, equal, none):
        for tiers in TIER_SETS:
            evaluation = evaluate(weights, tiers=tiers)
            assert (evaluation.answer == TIE).all()
            assert not evaluation.margin_high.any()
            assert smallest_margin(weights, evaluation, parse_group("S3").mul) is None


def test_group_of_one_element_has_one_answer_and_no_margin():
    weights = Weights.from_arrays(np.ones((1, 2)), np.ones((1, 2)), np.ones((2, 1)))
    evaluation = evaluate(weights)
    assert evaluation.answer.tolist() == [[0]]
    assert smallest_margin(weights, evaluation, np.zeros((1, 1), np.int16)) is None
    with pytest.raises(ValueError, match="at least two outputs"):
        next(exact_leads(weights, np.array([0])))


def test_unusable_tiers_and_orders_are_refused():
    weights = Weights.from_arrays(np.ones((2, 1)), np.ones((2, 1)), np.ones((1, 2)))
    with pytest.raises(ValueError, match="'exact' is needed"):
        evaluate(weights, tiers=("float32",))
    with pytest.raises(ValueError, match="got float16"):
        evaluate(weights, tiers=("float16", "exact"))
    with pytest.raises(ValueError, match=r"shape \(2, 2\); got \(3, 2\)"):
        evaluate(weights, np.zeros((3, 2), np.int16))
    large = Weights.from_arrays(np.ones((40000, 0)), np.ones((40000, 0)), np.ones((0, 40000)))
    with pytest.raises(ValueError, match="at most 32767 elements; got 40000"):
        evaluate(large)


@given(value=st.fractions() | st.integers(-(2**1100), 2**1100).map(Fraction))
def test_outward_floats_enclose_and_are_neighbours(value):
    low, high = outward(value)
    assert low == -np.inf or Fraction(low) <= value
    assert high == np.inf or value <= Fraction(high)
    assert high in (low, math.nextafter(low, math.inf))


@pytest.mark.parametrize(
    ("name", "correct"),
    [("S5_MLP_seed2", 14400), ("S5_MLP_hidden_dim_32_seed1", 11593), ("S5_MLP_hidden_dim_64_seed1", 5788)],
)
def test_published_s5_networks_are_right_as_often_in_every_tier(name, correct):
    path = SHARED / name / "model.pt"
    if not path.exists():
        pytest.skip(f"the published checkpoint {name} is not at hand")
    from net.checkpoint import load_network

    network = load_network(path, "S5")
    mul = network.group.mul
    reference = evaluate(network.weights, mul)
    assert correct_pairs(reference, mul).sum() == correct
    smallest = smallest_margin(network.weights, reference, mul)
    for tiers in TIER_SETS[1:4]:
        evaluation = evaluate(network.weights, None, tiers)
        assert np.array_equal(reference.answer, evaluation.answer)
        assert smallest_margin(network.weights, evaluation, mul) == smallest


@pytest.mark.parametrize("guess", [-1, -2, 99])
def test_a_guess_that_is_no_output_has_no_influence(guess):
    """-1, as tables of answers write a tie, is not taken for the last output: a network that answers the last one is said to."""
    n = 4
    weights = Weights.from_arrays(np.ones((n, 1)), np.zeros((n, 1)), np.arange(float(n))[None])
    found = evaluate(weights, expected=np.full((n, n), guess))

    assert (found.answer == n - 1).all()
    assert (found.margin_low == 1).all()
