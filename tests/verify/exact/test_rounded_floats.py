"""Products of float32 numbers: differences of logits are within the slack, in any order of summation, with subnormals or none."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from net.roundoff import TINY32
from net.weights import Weights
from verify.exact.class_product import shared_classes
from verify.exact.exhaustive import TIE, evaluate
from verify.exact.rounded_floats import round_to_floats

F = np.float32
# Numbers of usual size, and some that cancel, underflow in float32 or float64, or are near the end of either range.
NUMBERS = st.one_of(
    st.floats(-4, 4),
    st.sampled_from([0.0, 1.0, -1.0, 1 + 2.0**-23, 1 + 2.0**-24, -1 - 2.0**-52, 2.0**60, -(2.0**60)]),
    st.sampled_from([2.0**-126, 2.0**-149, 2.0**-160, 5e-324, 2.0**127, -(2.0**127), 1e300, -1e300, 1e-300]),
    st.sampled_from([sign * 2.0**power for sign in (1, -1) for power in (-967, -940, 511, 512, 997, 1022)]),
)
ACTIVATIONS = ("relu", "square")


@st.composite
def networks(draw):
    n, m = draw(st.integers(2, 4)), draw(st.integers(1, 4))

    def array(*shape):
        size = int(np.prod(shape))
        return np.array(draw(st.lists(NUMBERS, min_size=size, max_size=size))).reshape(shape)

    return array(n, m), array(n, m), array(m, n), array(n) if draw(st.booleans()) else np.zeros(n)


# Its greatest activation is 2^1994, beyond float64.
OUT_OF_RANGE = np.zeros((2, 2)), np.array([[1e300, 0.0], [0.0, 0.0]]), np.array([[0.0, 5e-324], [0.0, 1e300]]), np.zeros(2)


def fractions(array):
    return np.vectorize(lambda value: Fraction(float(value)), otypes=[object])(array)


def real_logits(arrays, activation, x, y):
    """Every logit from the definition."""
    L, R, U, b = map(fractions, arrays)
    pre = L[x] + R[y]
    hidden = pre * pre if activation == "square" else np.array([max(value, Fraction(0)) for value in pre], dtype=object)
    return hidden @ U + b


def flushed(value):
    """What a processor makes of a number that it takes for 0 where it is subnormal."""
    return F(0) if abs(value) < TINY32 else value


def in_some_order(network, x, y, rng, flush, sets=()):
    """The logits with float32 operations in an order of their own for each z, with every operand and result flushed or none.

    Neurons of one of ``sets`` are added up first, as in `class_product`, and the sum is multiplied by 1.
    """
    step = flushed if flush else F
    pre = [step(F(step(a) + step(b))) for a, b in zip(network.L[x], network.R[y], strict=True)]
    hidden = [step(F(p * p)) if network.activation == "square" else max(p, F(0)) for p in pre]
    found = []
    for z in range(network.order):
        terms = [step(F(step(h) * step(v))) for h, v in zip(hidden, network.U[:, z], strict=True)]
        sums = [in_some_tree([terms[i] for i in part], rng, step) for part in sets]
        alone = [term for i, term in enumerate(terms) if all(i not in part for part in sets)]
        # the class in which y lies, and another in which it does not
        found.append(in_some_tree([*alone, *(step(F(step(one) * F(1))) for one in sums), *(F(0) for _ in sums)], rng, step))
    return np.array(found)


def in_some_tree(terms, rng, step):
    terms = list(terms)
    while len(terms) > 1:
        i, j = sorted(rng.choice(len(terms), 2, replace=False))
        second = terms.pop(j)
        terms[i] = step(F(step(terms[i]) + step(second)))
    return terms[0]


def furthest(network, logits, real):
    """The largest difference between differences of logits, in the network's units."""
    off = [Fraction(2) ** network.exponent * r - Fraction(float(g)) for r, g in zip(real, logits, strict=True)]
    return max(off) - min(off)


@pytest.mark.filterwarnings("ignore:.*encountered in")
@settings(max_examples=120, deadline=None)
@given(arrays=networks(), activation=st.sampled_from(ACTIVATIONS), seed=st.integers(0, 99))
@example(arrays=OUT_OF_RANGE, activation="square", seed=0)
def test_every_difference_of_logits_is_within_the_slack(arrays, activation, seed):
    network = round_to_floats(Weights.from_arrays(*arrays, activation=activation))
    if network is None:
        return
    rng, n = np.random.default_rng(seed), network.order
    together = network.logits(np.arange(n * n))
    assert np.isfinite(together).all()
    for x, y in np.ndindex(n, n):
        real = real_logits(arrays, activation, x, y)
        for logits in (together[x * n + y], in_some_order(network, x, y, rng, True), in_some_order(network, x, y, rng, False)):
            assert furthest(network, logits, real) <= Fraction(network.slack)


@st.composite
def networks_with_classes(draw):
    """Six elements, seven neurons of which the first three and the next three read y through two classes each."""
    L, U, b = (np.array(draw(st.lists(NUMBERS, min_size=k, max_size=k))) for k in (42, 42, 6))
    two = np.array(draw(st.lists(NUMBERS, min_size=14, max_size=14))).reshape(2, 7)
    labels = np.array([[0, 0, 0, 1, 1, 1], [0, 1, 0, 1, 0, 1], range(6)])
    R = np.column_stack([two[labels[i // 3] % 2, i] for i in range(7)])
    return L.reshape(6, 7), R, U.reshape(7, 6), b


@pytest.mark.filterwarnings("ignore:.*encountered in")
@settings(max_examples=60, deadline=None)
@given(arrays=networks_with_classes(), activation=st.sampled_from(ACTIVATIONS), seed=st.integers(0, 99))
def test_every_difference_of_logits_by_classes_is_within_the_slack(arrays, activation, seed):
    network = round_to_floats(Weights.from_arrays(*arrays, activation=activation))
    if network is None:
        return
    rng, sets = np.random.default_rng(seed), [one.neurons.tolist() for one in shared_classes(network.R, 100)]
    together = np.concatenate([logits for _, logits in network.blocks(None)])
    for x, y in [(0, 0), (1, 5), (5, 2)]:
        real = real_logits(arrays, activation, x, y)
        orders = [in_some_order(network, x, y, rng, flush, sets) for flush in (True, False)]
        for logits in (together[x * 6 + y], *orders):
            assert np.isfinite(logits).all()
            assert furthest(network, logits, real) <= Fraction(network.slack)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("m", [3, 128])
def test_the_slack_is_of_the_right_size(m, activation):
    """Below a millionth of the logits' sizes and no more than what rounding does, times the number of terms and a hundred."""
    rng = np.random.default_rng(m)
    arrays = [rng.normal(size=shape) for shape in ((4, m), (4, m), (m, 4), (4,))]
    network = round_to_floats(Weights.from_arrays(*arrays, activation=activation))
    logits = network.logits(np.arange(16))
    worst = max(furthest(network, logits[4 * x + y], real_logits(arrays, activation, x, y)) for x in range(4) for y in range(4))
    assert 0 < worst <= network.slack <= worst * 100 * m
    sizes = np.abs(network.L).max(axis=0) + np.abs(network.R).max(axis=0)
    assert network.slack <= 4e-6 * m * (sizes ** (2 if activation == "square" else 1) @ np.abs(network.U)).max()


@pytest.mark.parametrize("part", range(4))
def test_declared_errors_of_the_weights_are_part_of_the_slack(part):
    """One of L, R, U and b is off by as much as it says."""
    rng = np.random.default_rng(part)
    true = [rng.normal(size=shape) for shape in ((3, 5), (3, 5), (5, 3), (3,))]
    given_arrays = [array.copy() for array in true]
    given_arrays[part] += rng.uniform(-1, 1, given_arrays[part].shape)
    errors = [float(np.abs(a - b).max()) * (1 + 2**-50) for a, b in zip(given_arrays, true, strict=True)]
    weights = Weights(*given_arrays, *(np.full(5, e) for e in errors[:2]), *errors[2:], Weights.from_arrays(*true).exact)
    network = round_to_floats(weights)
    logits = network.logits(np.arange(9))
    off = [furthest(network, logits[3 * x + y], real_logits(true, "relu", x, y)) for x in range(3) for y in range(3)]
    assert max(off) <= network.slack
    plain = round_to_floats(Weights.from_arrays(*given_arrays))
    assert max(off) > plain.slack * Fraction(2) ** (network.exponent - plain.exponent)


@pytest.mark.parametrize("lead", [0.0, 2.0**-52, 2.0**-24, 2.0**-10, 2.0])
def test_near_ties_are_left_to_the_next_tier(lead):
    """Two outputs of 128 neurons that differ by a lead: decided only where float32 can tell, and never wrongly."""
    rng = np.random.default_rng(1)
    L, R, U = rng.uniform(0, 1, (6, 128)), rng.uniform(0, 1, (6, 128)), rng.normal(size=(128, 6))
    U[:, 4] = U[:, 1]
    b = np.array([-1e3, 0.0, -1e3, -1e3, lead, -1e3])
    weights = Weights.from_arrays(L, R, U, b)
    network, found = round_to_floats(weights), evaluate(weights, tiers=("rounded", "exact"))
    assert (found.answer == (4 if lead else TIE)).all()
    decided = np.ldexp(lead, network.exponent) > 2 * network.slack
    assert decided == (lead == 2.0)
    assert found.tiers == {"rounded": 36 if decided else 0, "exact": 0 if decided else 36}


@pytest.mark.parametrize("tier", ["float32", "rounded", "float64", "wide"])
def test_an_activation_beyond_float64_decides_nothing_by_being_infinite(tier):
    """Squares near 2^1800 with votes for output 0 and near 2^1732 with votes for output 1 that are 2^106 times as great."""
    L = np.tile([2.0**900, 2.0**900], (2, 1))
    R = np.tile([0.0, 2.0**866 - 2.0**900], (2, 1))
    U = np.array([[2.0**-770, -(2.0**-770)], [-(2.0**-664), 2.0**-664]])
    weights = Weights.from_arrays(L, R, U, np.array([2.0**1000, 0.0]), activation="square")
    found, exact = evaluate(weights, tiers=(tier, "exact")), evaluate(weights, tiers=("exact",))
    assert (exact.answer == 1).all()
    assert (found.answer == 1).all()
    assert (found.margin_low <= exact.margin_high).all()
    assert (found.margin_high >= exact.margin_low).all()


def test_numbers_that_float32_cannot_hold_together_are_refused():
    """L and R that are far larger than their sums; and a network without a neuron that can be active."""
    one, U = np.ones((3, 1)), np.arange(3.0)[None]
    far = Weights.from_arrays(np.array([[1e200], [1.0], [0.0]]), np.full((3, 1), -1e200), U)
    silent = Weights.from_arrays(-one, 0 * one, U)
    for weights in (far, silent):
        assert round_to_floats(weights) is None
        assert (evaluate(weights, tiers=("rounded", "exact")).answer == TIE).all()
    active = Weights.from_arrays(one, 0 * one, U)
    assert round_to_floats(active) is not None
    assert (evaluate(active, tiers=("rounded", "exact")).answer == 2).all()
