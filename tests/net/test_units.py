"""Units of networks: no answer changes, float arrays stay near one, and bounds hold."""

import numpy as np
import pytest

from net.activation import Activation, degree
from net.answers import sampled_answers
from net.units import Units
from net.usual_units import USUAL, in_usual_units, usual_units
from net.weights import Weights, dead_neurons

ACTIVATIONS: tuple[Activation, ...] = ("relu", "square")


def random_weights(seed: int, activation: Activation = "relu") -> Weights:
    """Every neuron, the votes and the bias at a scale of its own, some neurons dead or zero."""
    rng = np.random.default_rng(seed)
    n, m = 5, 7
    left, right, votes, bias = rng.normal(size=(n, m)), rng.normal(size=(n, m)), rng.normal(size=(m, n)), rng.normal(size=n)
    spread = rng.choice([0, 5, 30, 500])
    inputs, back = rng.integers(-spread, spread + 1, m), rng.integers(-spread, spread + 1, m)
    left, right, votes = np.ldexp(left, inputs), np.ldexp(right, inputs), np.ldexp(votes, back[:, None])
    left[:, 0] = right[:, 0] = -np.abs(left[:, 0])
    votes[1] *= rng.choice([0, 1])
    return Weights.from_arrays(
        left, right, votes, np.ldexp(bias, rng.integers(-spread, spread + 1)) + rng.choice([0.0, 1e200]), activation=activation
    )


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("seed", range(40))
def test_all_margins_are_multiplied_by_one_power_of_two(seed: int, activation: Activation) -> None:
    weights = random_weights(seed, activation)
    found, units = in_usual_units(weights)
    alive = ~dead_neurons(weights)
    assert (degree(activation) * units.inputs + units.votes == units.logits)[alive].all()
    one, two = weights.exact(), found.exact()
    p, q = one.logit_bits - units.logits, two.logit_bits
    for x, y in np.ndindex(5, 5):
        mine, theirs = (list(e.logits(x, y)) for e in (one, two))
        difference = [
            (a - mine[0]) * 2 ** max(0, q - p) - (b - theirs[0]) * 2 ** max(0, p - q) for a, b in zip(mine, theirs, strict=True)
        ]
        assert not any(difference)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("seed", range(40))
def test_floats_are_near_one_and_within_their_bounds(seed: int, activation: Activation) -> None:
    found, _ = in_usual_units(random_weights(seed, activation))
    exact = found.exact()
    for array, bits, error in (
        (found.L, exact.preactivation_bits, found.L_error),
        (found.R, exact.preactivation_bits, found.R_error),
        (found.U, exact.vote_bits, found.U_error),
        (found.b, exact.logit_bits, found.b_error),
    ):
        assert np.abs(array).max() < 2.0 ** (2 * USUAL)
        integers = {id(found.L): exact.L, id(found.R): exact.R, id(found.U): exact.U, id(found.b): exact.b}[id(array)]
        numbers = zip(array.ravel(), integers.ravel(), np.broadcast_to(error, array.shape).ravel(), strict=True)
        for value, whole, bound in numbers:
            up, down = float(value).as_integer_ratio()
            # |up / down - whole / 2^bits| <= bound
            top, bottom = float(bound).as_integer_ratio()
            assert abs((up << bits) - whole * down) * bottom <= (top * down) << bits


def test_usual_networks_keep_their_units() -> None:
    rng = np.random.default_rng(0)
    weights = Weights.from_arrays(rng.normal(size=(6, 4)), rng.normal(size=(6, 4)), rng.normal(size=(4, 6)), rng.normal(size=6))
    assert usual_units(weights).own
    assert in_usual_units(weights)[0] is weights


def test_neurons_that_float64_rounds_to_0_keep_their_share() -> None:
    """A neuron whose weights are not seen in float64 is multiplied as the others are."""
    exact = Weights.from_integers([[1, 1 << 1200], [0, 0]], [[1, 0], [0, 0]], [[5, 3], [1, 0]], None, 1200, 0)
    assert (exact.L[:, 0] == 0).all()
    units = usual_units(exact)
    assert (units.inputs + units.votes == units.logits).all()


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_inputs_are_brought_near_one_where_float64_has_no_votes(activation: Activation) -> None:
    """Votes below 2^-1074 are 0 in float64, and what they are multiplied by, 2^101 here, would be 2^202 when it is squared."""
    left, votes = [[1 << 101, 3], [0, 1]], [[1, 0], [1 << 1200, 0]]
    found, _ = in_usual_units(Weights.from_integers(left, left, votes, None, 0, 1200, activation))
    assert np.abs(found.L).max() <= 2.0**USUAL
    assert sampled_answers(found, np.array([0, 1]), np.array([0, 0])).tolist() == [0, 0]


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_units_and_back(activation: Activation) -> None:
    weights = random_weights(3, activation)
    units = usual_units(weights)
    again = weights.exact().scaled(units).scaled(units.back)
    assert (again.L * 2 ** (weights.exact().preactivation_bits) == weights.exact().L * 2**again.preactivation_bits).all()
    assert Units.of(7, 0, 0).own
