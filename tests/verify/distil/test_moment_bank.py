"""Moments that are kept are those of a pass over all pairs, in whichever order programs come."""

import numpy as np
import pytest

from algebra.group import parse_group
from net.activation import Activation
from net.roundoff import Floats, Singles
from net.weights import Weights
from verify.distil import moment_bank
from verify.distil.moment_bank import MomentBank
from verify.distil.moments import activation_moments

S3 = parse_group("S3")


def some_network(seed: int, width: int) -> Weights:
    """Random weights over S3."""
    rng = np.random.default_rng(seed)
    return Weights.from_arrays(*(rng.normal(size=shape) for shape in ((6, width), (6, width), (width, 6), (6,))))


def mixed(rng: np.random.Generator, sources: list[Weights]) -> Weights:
    """A program of some neurons of each source, in any order, some of them twice."""
    width = sum(source.width for source in sources)
    some = rng.integers(0, width, rng.integers(1, 2 * width))
    left, right = (np.concatenate([getattr(source, side) for source in sources], axis=1)[:, some] for side in "LR")
    return Weights.from_arrays(left, right, rng.normal(size=(len(some), 6)), np.zeros(6))


@pytest.mark.parametrize("roomy", [0, 3000])
@pytest.mark.parametrize("twice", [False, True])
def test_moments_are_those_of_a_pass(roomy: int, twice: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs that share neurons with the network and with each other; once a bank is full it begins anew.

    ``twice``: the network has neurons that read x and y alike, as pairs of dead neurons, or of planted ones, do.
    """
    monkeypatch.setattr(moment_bank, "ROOMY", roomy)
    monkeypatch.setattr(moment_bank, "LARGEST", 2)
    network, rng = some_network(0, 5), np.random.default_rng(1)
    if twice:
        network = network.select(np.array([0, 1, 0, 2, 3, 2, 4, 0]))
    sources = [network, some_network(2, 4), some_network(3, 6)]
    bank = MomentBank(network)
    for _ in range(12):
        program = mixed(rng, sources)
        expected = activation_moments(network, program)
        assert np.allclose(bank.beside(program).whole(bank.own), expected, rtol=1e-5, atol=1e-7)


def test_no_pass_is_made_for_what_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program of neurons that were asked for before, and rows for the new ones alone."""
    network, other = some_network(0, 5), some_network(2, 4)
    bank = MomentBank(network)
    rows: list[int] = []
    products = moment_bank.activation_products

    def counted(left: Singles, right: Singles, activation: Activation, kept: int) -> Floats:
        rows.append(kept)
        return products(left, right, activation, kept)

    monkeypatch.setattr(moment_bank, "activation_products", counted)
    bank.beside(network)
    bank.beside(other.select(np.array([0, 1])))
    bank.beside(other.select(np.array([2, 1, 1])))
    bank.beside(other.select(np.array([1, 0])))
    bank.beside(other.select(np.array([0, 2])))  # these two were never asked for together
    bank.beside(other.select(np.array([2, 1, 0])))

    assert rows == [2, 1, 1]
    assert np.allclose(bank.beside(other).whole(bank.own), activation_moments(network, other), rtol=1e-5, atol=1e-7)
