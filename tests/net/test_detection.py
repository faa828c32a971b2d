"""Element order and product are found whatever they are, or the network is refused."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from algebra.group import parse_group
from algebra.numbering import ELEMENT_ORDERS, element_order
from net.checkpoint import load_network
from net.convention import PRODUCTS, Convention
from net.detection import (
    SAMPLE,
    beats_chance,
    chance_level,
    detect_convention,
    with_convention,
)
from net.errors import MalformedInput
from net.folded import folded_network
from net.planted import planted_network
from net.weights import Weights

WIDTHS = {"S3": 24, "S4": 40, "S5": 64, "A4": 40, "A5": 64, "D10": 60, "S3xS3": 40, "C7": 14}


def planted(name, seed=0):
    return planted_network(parse_group(name), seed, WIDTHS[name]).network


def renumbered(network, numbering, product="left-first"):
    """The network as a checkpoint with this numbering and product would have it."""
    network = network.permuted(np.asarray(numbering))
    return network.exchanged() if product == "right-first" else network


def right_everywhere(network):
    """Whether every pair's unique argmax is the product, in float64."""
    n = network.group.order
    logits = network.weights.logits(np.repeat(np.arange(n), n), np.tile(np.arange(n), n))
    own = np.take_along_axis(logits, network.group.mul.reshape(-1, 1).astype(int), axis=1)
    return bool(((logits >= own).sum(axis=1) == 1).all())


@pytest.mark.parametrize("group", WIDTHS)
@pytest.mark.parametrize("order", ELEMENT_ORDERS)
@pytest.mark.parametrize("product", PRODUCTS)
def test_published_conventions_are_detected_and_undone(group, order, product):
    """The network comes back right on all pairs, with the convention named (or one with the same table)."""
    network = planted(group)
    numbering = np.asarray(element_order(network.group, order))
    found = with_convention(renumbered(network, numbering, product))
    pairs = (found.convention.numbering, found.convention.product), (numbering, product)
    mul, tables = network.group.mul, []
    for numbers, side in pairs:
        table = np.argsort(numbers)[mul[numbers[:, None], numbers[None, :]]]
        tables.append(table if side == "left-first" else table.T)

    assert right_everywhere(found)
    assert np.array_equal(*tables)
    assert found.convention.sample_accuracy == 1


@pytest.mark.parametrize("group", WIDTHS)
def test_any_numbering_is_read_off_the_networks_own_table(group):
    """A random numbering: the isomorphism makes the network right on all pairs."""
    network = planted(group)
    numbering = np.random.default_rng(5).permutation(network.group.order)
    found = with_convention(renumbered(network, numbering))

    assert right_everywhere(found)
    assert found.convention.order == "table"


def test_a_numbering_that_is_nearly_published_is_not_taken_for_it():
    """Two elements of 120 exchanged: lexicographic would be right on 95 %, the own table on all pairs."""
    network = planted("S5")
    numbering = np.arange(120)
    numbering[[50, 51]] = [51, 50]
    found = with_convention(renumbered(network, numbering))

    assert found.convention.order == "table"
    assert right_everywhere(found)


def test_right_first_networks_with_their_own_numbering_are_read_too():
    numbering = np.random.default_rng(6).permutation(24)

    assert right_everywhere(with_convention(renumbered(planted("S4"), numbering, "right-first")))


@pytest.mark.parametrize(("name", "share", "accepted"), [("S5", 0.3, True), ("S4", 0.6, True), ("S4", 0.3, False)])
def test_a_network_that_memorised_a_part_is_detected_only_clearly_above_chance(name, share, accepted):
    """A table of answers, right on this share of pairs, random elsewhere; levels 11.7 % and 41.7 %."""
    group = parse_group(name)
    n = group.order
    rng = np.random.default_rng(1)
    answers = np.where(rng.random((n, n)) < share, group.mul, rng.integers(0, n, (n, n)))
    network = folded_network(group, table_network(answers))
    network = renumbered(network, element_order(group, "even-first"))
    if accepted:
        convention = with_convention(network).convention
        assert (convention.order, convention.product) == ("even-first", "left-first")
        assert abs(convention.sample_accuracy - share) < 0.06
    else:
        with pytest.raises(MalformedInput, match=r"not clearly more than 41\.7%"):
            with_convention(network)


def table_network(answers):
    """A network whose answer at (x, y) is answers[x, y]: for each pair a neuron that fires there alone."""
    n = len(answers)
    pairs = np.arange(n * n)
    x = np.eye(n, dtype=np.float32)
    left, right = x[:, pairs // n] - 0.5, x[:, pairs % n] - 0.5
    votes = np.zeros((n * n, n), dtype=np.float32)
    votes[pairs, answers.ravel()] = 1
    return Weights.from_arrays(left, right, votes)


@pytest.mark.parametrize(("trained", "asked"), [("S4", "A4xC2"), ("C7", "C7"), ("S3", "C6"), ("D10", "C10")])
def test_a_network_for_another_group_of_the_same_order_is_refused(trained, asked):
    """Unless it is the same group: then the isomorphism is found."""
    width = {"S4": 40, "C7": 14, "S3": 24, "D10": 60}[trained]
    network = planted_network(parse_group(trained), 0, width).network
    numbering = np.random.default_rng(2).permutation(network.group.order)
    moved = renumbered(network, numbering)
    moved = folded_network(parse_group(asked), moved.weights)
    if trained == asked:
        assert right_everywhere(with_convention(moved))
    else:
        with pytest.raises(MalformedInput, match="another group"):
            with_convention(moved)


def test_random_weights_are_refused():
    group = parse_group("S4")
    rng = np.random.default_rng(0)
    weights = Weights.from_arrays(*(rng.standard_normal(shape) for shape in ((24, 8), (24, 8), (8, 24))))
    with pytest.raises(MalformedInput, match="right on"):
        with_convention(folded_network(group, weights))


def test_overrides_narrow_the_choice():
    network = planted("S4")
    numbering = np.asarray(element_order(network.group, "even-first"))
    checkpoint = renumbered(network, numbering, "right-first")

    assert right_everywhere(with_convention(checkpoint, order="even-first"))
    assert right_everywhere(with_convention(checkpoint, product="right-first"))
    assert right_everywhere(with_convention(checkpoint, "even-first", "right-first"))
    assert with_convention(checkpoint, order="table").convention.order == "table"
    with pytest.raises(MalformedInput, match="right on"):
        with_convention(checkpoint, order="sympy")


def test_two_overrides_are_taken_as_they_are():
    """Also when the network is then wrong: the person who says so may want to see that."""
    forced = with_convention(planted("S4"), "even-first", "right-first").convention

    assert (forced.order, forced.product) == ("even-first", "right-first")
    assert forced.sample_accuracy < 0.5


@pytest.mark.parametrize(("order", "product"), [("alphabetic", None), (None, "sideways")])
def test_unknown_overrides_are_refused(order, product):
    with pytest.raises(MalformedInput, match="expected as"):
        with_convention(planted("S3"), order, product)


def test_table_order_needs_a_network_that_is_right_everywhere():
    network = planted("S4")
    with pytest.raises(MalformedInput, match="not the table of a group"):
        with_convention(network.without(range(30)), order="table")


@pytest.mark.parametrize("name", ["S3", "S4", "S5", "S6", "A4", "A5", "D8", "D10", "D12", "S3xS3", "C6", "C7", "C12"])
def test_chance_level_is_above_what_one_convention_scores_under_another(name):
    """Agreement of the product tables of all pairs of published conventions that differ."""
    group = parse_group(name)
    tables = []
    for order in ELEMENT_ORDERS:
        numbering = np.asarray(element_order(group, order))
        table = np.argsort(numbering)[group.mul[numbering[:, None], numbering[None, :]]]
        tables += [table, table.T]
    agreements = [float((a == b).mean()) for a, b in itertools.combinations(tables, 2)]

    assert max([a for a in agreements if a < 1], default=0) <= chance_level(group)


def test_the_rule_bounds_the_binomial_tail():
    """The least accepted count has a binomial tail below FALSE_POSITIVE / 6 at the chance level."""
    from math import exp, lgamma, log

    group = parse_group("S5")
    level = chance_level(group)

    def accepted(hits):
        return beats_chance(Convention("sympy", "left-first", np.arange(120), hits / SAMPLE, SAMPLE), group)

    least = next(hits for hits in range(SAMPLE) if accepted(hits))
    choose = [lgamma(SAMPLE + 1) - lgamma(h + 1) - lgamma(SAMPLE - h + 1) for h in range(least, SAMPLE + 1)]
    tail = sum(exp(c + h * log(level) + (SAMPLE - h) * log(1 - level)) for h, c in zip(range(least, SAMPLE + 1), choose, strict=True))

    assert tail < 1e-9 / 6
    assert not accepted(least - 1)
    assert accepted(SAMPLE)
    assert least / SAMPLE < 0.2


@pytest.mark.parametrize(
    ("name", "order", "accuracy"),
    [
        ("S5_MLP_seed1", "sympy", 1.0),
        ("S5_MLP_hidden_dim_96_seed3", "sympy", 1.0),
        ("S6_MLP_seed1", "sympy", 1.0),
        ("S6_MLP_seed2", "sympy", 1.0),
        ("A5_MLP_seed1", "table", 1.0),
        ("S5_MLP_hidden_dim_32_seed1", "sympy", 11593 / 14400),
        ("S5_MLP_hidden_dim_64_seed1", "sympy", 5788 / 14400),
    ],
)
def test_published_networks(published, name, order, accuracy):
    """Right-everywhere networks and two negative controls; the sample errs by less than 3 %."""
    convention = load_network(published(name), name[:2]).convention

    assert (convention.order, convention.product) == (order, "left-first")
    assert abs(convention.sample_accuracy - accuracy) < 0.03


def test_the_a5_network_has_the_order_of_a_sympy_generation(published):
    """PermutationGroup((0 1 2 3 4), (1 2)(3 4)).generate() numbers it, up to an automorphism of A5."""
    from algebra.numbering import generated_order

    network = load_network(published("A5_MLP_seed1"), "A5")
    group, found = network.group, network.convention.numbering
    generated = np.asarray(generated_order(group, [[1, 2, 3, 4, 0], [0, 2, 1, 4, 3]]))
    automorphism = np.empty(60, dtype=int)
    automorphism[generated] = found

    assert np.array_equal(automorphism[group.mul], group.mul[automorphism[:, None], automorphism[None, :]])
    assert right_everywhere(network)


@pytest.mark.parametrize(("name", "asked"), [("S5_MLP_seed1", "S4"), ("S5_MLP_seed1", "A5xC2"), ("S6_MLP_seed1", "S5")])
def test_published_networks_are_refused_for_other_groups(published, name, asked):
    with pytest.raises(MalformedInput, match=r"expected a network .*(elements|another group)"):
        load_network(published(name), asked)


def test_detection_leaves_the_weights_as_they_are():
    """`detect_convention` answers; `with_convention` moves."""
    network = planted("S3")

    assert detect_convention(network.weights, network.group).order == "lexicographic"
