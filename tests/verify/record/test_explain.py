"""What counts as an explanation: nulls are not explained, coset networks are."""

from fractions import Fraction

import numpy as np
import pytest

from algebra.group import FiniteGroup, parse_group
from algebra.lattice import subgroups
from net.activation import Activation
from net.planted import planted_network
from net.weights import Weights
from verify.claims.claim import percent
from verify.compare.comparison import compare
from verify.compare.levels import fve, fve_of_logits, varying_fve
from verify.distil.curve import distill
from verify.distil.moments import activation_moments
from verify.exact.exhaustive import evaluate
from verify.program.form import Form
from verify.program.program import Circuit, Neuron
from verify.record.explain import STEPS, explained, percentage, reads_cosets, structured_positions
from verify.record.neuron_rows import labels_summary
from verify.record.summary import Explained

S4, A4 = parse_group("S4"), parse_group("A4")


def judged(weights: Weights, group: FiniteGroup = S4) -> Explained:
    """The status of a network, from its distillation."""
    evaluation = evaluate(weights, expected=group.mul)
    distillation = distill(subgroups(group), weights, evaluation)
    written = distillation.point("readable").written
    kept = np.array(structured_positions(written.program), dtype=np.intp)
    alone = fve_of_logits(weights, written.weights.select(kept), varying=True)
    energy = labels_summary(distillation.labels).energy_labelled
    return explained(written.program.constants, weights.constants, alone, energy)


def lookup(group: FiniteGroup) -> Weights:
    """One neuron for each pair (x, y), which votes for xy."""
    n = group.order
    x, y = (axis.ravel() for axis in np.indices((n, n)))
    left, right, votes = (np.zeros((n, n * n)) for _ in range(3))
    left[x, np.arange(n * n)] = right[y, np.arange(n * n)] = 1
    votes[group.mul[x, y], np.arange(n * n)] = 1
    return Weights.from_arrays(left, right - 1, votes.T)


def random_weights(group: FiniteGroup, seed: int) -> Weights:
    rng, n = np.random.default_rng(seed), group.order
    return Weights.from_arrays(*(rng.normal(size=shape) for shape in ((n, 64), (n, 64), (64, n))))


def memoriser(group: FiniteGroup, seed: int, width: int) -> Weights:
    """Random features of the pairs and the votes that fit all products best: right by memory."""
    rng, n = np.random.default_rng(seed), group.order
    left, right = rng.normal(size=(2, n, width))
    hidden = np.maximum(left[:, None] + right[None], 0).reshape(n * n, width)
    wanted = np.eye(n)[group.mul.ravel()]
    votes = np.linalg.lstsq(hidden, wanted, rcond=None)[0]
    return Weights.from_arrays(left, right, np.round(votes * 2**20) / 2**20)


NULLS = {"look-up table": (lookup(A4), A4), "memoriser": (memoriser(A4, 1, 140), A4)}
NULLS |= {f"random {seed}": (random_weights(S4, seed), S4) for seed in (1, 2)}
SLOW = {"large look-up table": (lookup(S4), S4), "large memoriser": (memoriser(S4, 1, 500), S4)}


@pytest.mark.parametrize("name", [*NULLS, *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW)])
def test_networks_without_structure_are_not_explained(name: str) -> None:
    """Right or wrong, what is the network written out explains nothing."""
    found = judged(*(NULLS | SLOW)[name])
    assert found.status == "not explained"
    assert found.words.startswith("not explained: the program is the network written out; a program of ")


def test_a_look_up_table_hidden_among_sign_neurons_is_not_explained() -> None:
    """Pairs of sign neurons that cancel make the program cheap and the energy labelled, and explain no variance."""
    table, many = lookup(S4), 4000
    sign = np.repeat(S4.parity.astype(float)[:, None], many, axis=1)
    votes = np.repeat(S4.parity.astype(float)[None], many, axis=0)
    votes[::2] *= -1
    hidden = Weights.from_arrays(np.hstack([table.L, sign]), np.hstack([table.R, sign]), np.vstack([table.U, votes * 50]))
    n = S4.order
    constants = 3 * n * 576 + 6 * many  # the table written out, and two integers for each list of a sign neuron
    kept = Weights.from_arrays(sign, sign, votes * 50)
    alone = compare(hidden, kept, S4.mul).logit_fve
    found = explained(constants, hidden.constants, alone, 0.999)

    assert found.ratio is not None
    assert found.ratio < STEPS[0][1]
    assert abs(alone) < 1e-3
    assert found.status == "not explained"


@pytest.mark.parametrize("size", [1.0, 30.0, 1e6])
def test_what_is_the_same_at_every_pair_explains_nothing(size: float) -> None:
    """A constant neuron and a bias, each with most of the variance over outputs, beside a table: the program has those alone."""
    table, rng = lookup(A4), np.random.default_rng(0)
    ones, votes, bias = np.ones((12, 1)), size * rng.normal(size=(1, 12)), size * rng.normal(size=12)
    network = Weights.from_arrays(np.hstack([table.L, ones]), np.hstack([table.R, ones]), np.vstack([table.U, votes]), bias)
    program = network.select([network.width - 1])
    moments = activation_moments(network, program)

    assert fve(network, program, moments) > 0.9
    assert abs(varying_fve(network, program, moments)) < 1e-4
    assert abs(fve_of_logits(network, program, varying=True)) < 1e-4
    assert varying_fve(network, network, activation_moments(network, network)) == pytest.approx(1)
    assert np.isnan(varying_fve(program, program, activation_moments(program, program)))


@pytest.mark.parametrize("activation", ["relu", "square"])
def test_variance_over_pairs_is_that_of_all_logits(activation: Activation) -> None:
    """By moments and by passes, against the logits themselves, for random networks with biases of all sizes."""
    for seed, size in enumerate((0.0, 1.0, 100.0, 1e5)):
        rng = np.random.default_rng(seed)
        left, right, votes = (rng.normal(size=shape) for shape in ((24, 8), (24, 8), (8, 24)))
        bias = size * rng.normal(size=24)
        network = Weights.from_arrays(left, right, votes, bias, activation=activation)
        rounded = [np.round(4 * a) / 4 for a in (left, right, votes)]
        program = Weights.from_arrays(rounded[0], rounded[1], rounded[2], np.round(bias), activation=activation)
        logits = []
        for weights in (network, program):
            p = weights.L[:, None] + weights.R
            own = (np.maximum(p, 0) if activation == "relu" else p**2) @ weights.U + weights.b
            own = own - own.mean(axis=2, keepdims=True)
            logits.append(own - own.mean(axis=(0, 1)))
        share = 1 - ((logits[0] - logits[1]) ** 2).sum() / (logits[0] ** 2).sum()
        assert varying_fve(network, program, activation_moments(network, program)) == pytest.approx(share, abs=2e-3)
        assert fve_of_logits(network, program, varying=True) == pytest.approx(share, abs=1e-6)


def test_a_network_on_cosets_is_explained() -> None:
    """Neurons planted on cosets, with a little noise."""
    found = judged(planted_network(S4, seed=1, width=48, noise=0.01).network.weights)
    assert found.status in ("explained", "in part")


def test_a_form_that_looks_at_one_point_reads_cosets_in_small_groups_too() -> None:
    """On S3 three numbers and one place are fewer than six elements; a weight for every place and three numbers are not."""
    one, every = Form("images", (0,), weights=(0, 1, 0)), Form("images", (0,), weights=(1, 2, -1))
    left, shared = (1, 2, 3), Form("shared", (0,), weights=(0, 0, 1))
    circuits = [Circuit(form, shared, Form("elements"), (Neuron(0, left, (1,), (0,) * 6),)) for form in (one, every)]

    assert [reads_cosets(circuit, 6) for circuit in circuits] == [True, False]


def test_the_sentence_says_whose_parameters_and_how_long() -> None:
    """Where neurons are dead the price is over those of the others; a program is the network written out at its whole price alone."""
    assert "10.0 % of the parameters of neurons that can change an answer," in explained(10, 100, 0.99, 1.0, dead=True).words
    assert "10.0 % of the parameters," in explained(10, 100, 0.99, 1.0).words
    assert explained(92, 100, 0.6, 0.0).words.startswith("not explained: the program is nearly as long as the network written out;")
    assert explained(100, 100, 0.6, 0.0).words.startswith("not explained: the program is the network written out;")


@pytest.mark.parametrize(
    ("figures", "status"),
    [
        ((25, 100, 0.9, 0.9), "explained"),
        ((26, 100, 0.9, 0.9), "in part"),
        ((25, 100, 0.899, 0.9), "in part"),
        ((25, 100, 0.9, 0.899), "in part"),
        ((75, 100, 0.5, 0.5), "in part"),
        ((76, 100, 1.0, 1.0), "not explained"),
        ((1, 100, 0.499, 1.0), "not explained"),
        ((1, 100, 1.0, 0.499), "not explained"),
        ((0, 0, None, 0.0), "not explained"),
        ((1, 100, None, 1.0), "not explained"),
    ],
)
def test_the_steps_are_met_at_their_edges(figures: tuple[int, int, float | None, float], status: str) -> None:
    assert explained(*figures).status == status


@pytest.mark.parametrize(
    ("share", "text"),
    [(1.0, "100 %"), (0.99999, "over 99.9 %"), (0.123, "12.3 %"), (0.0001, "less than 0.1 %"), (0.0, "0 %"), (-0.2, "none")],
)
def test_percentages_say_all_and_nothing_only_of_all_and_nothing(share: float, text: str) -> None:
    assert percentage(share) == text


def test_no_number_of_digits_rounds_to_all_or_nothing() -> None:
    for digits, near in ((1, "99.9"), (2, "99.99"), (4, "99.9999")):
        assert percentage(1 - 1e-9, digits) == f"over {near} %"
        assert percentage(1e-9, digits) == f"less than {f'{10**-digits:.{digits}f}'} %"
        assert (percentage(1, digits), percentage(0, digits)) == ("100 %", "0 %")
    assert percentage(0.123456789, 4) == "12.3457 %"
    assert [percent(Fraction(k, 10**8)) for k in (10**8, 10**8 - 1, 1, 0)] == ["100 %", "over 99.9999 %", "1e-06 %", "0 %"]
