"""Claims about networks at every size: shares, cosines and answers do not depend on units, losses and noise do as they should."""

from pathlib import Path

import numpy as np
import pytest

from algebra.group import parse_group
from net.folded import folded_network
from net.planted import planted_network
from net.units import Units
from verify.claims.decide import decide_claims
from verify.claims.schema import find_claims, read_claims
from verify.claims.subject import Subject
from verify.compare.loss import mean_loss
from verify.compare.noise import noisy
from verify.compare.restricted import restricted_excluded

LIBRARIES = ("stander", "chughtai", "wu", "he", "wu-appendix-h", "mccracken", "morwani", "levels")
#: Powers of two for the inputs and for the votes.
SIZES = ((400, -400), (500, 500), (-500, -520), (0, 900), (0, -1000), (60, -60))


@pytest.fixture(scope="module")
def network():
    """A right network over S4 with noise, its weights of usual sizes."""
    return planted_network(parse_group("S4"), seed=1, width=40, noise=0.05).network


def resized(network, inputs, votes):
    return folded_network(network.group, network.weights.scaled(Units.of(network.weights.width, inputs, votes)))


def outcomes(network):
    subject = Subject(network)
    return {
        (name, k): decision
        for name in LIBRARIES
        for k, decision in enumerate(decide_claims(Path(name), read_claims(find_claims(name)), subject).decisions)
    }


@pytest.fixture(scope="module")
def usual(network):
    return outcomes(network)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("size", SIZES[1:5:2])
def test_libraries_find_the_same_at_every_size(network, usual, size):
    found, compared = outcomes(resized(network, *size)), 0
    for key, decision in found.items():
        if any(word in decision.statement for word in ("loss", "cross-entropy", "noise", "float32")):
            continue
        own, other = usual[key].outcome, decision.outcome
        assert (other.verdict, other.agrees) == (own.verdict, own.agrees), decision.statement
        assert other.figure == (own.figure and pytest.approx(own.figure, rel=1e-4, nan_ok=True)), decision.statement
        compared += 1
    assert compared > 60


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("size", SIZES)
def test_losses_are_those_of_the_logits_times_the_size(network, size):
    """Twin: float64 logits times 2^(a + b), clipped; tiny logits lose log |G|, huge right ones nothing."""
    weights, mul, exponent = network.weights, network.group.mul, sum(size)
    x, y = np.meshgrid(np.arange(24), np.arange(24), indexing="ij")
    plain = weights.logits(x, y)
    for target in (mul, mul.T):
        leads = plain - np.take_along_axis(plain, target[..., None].astype(np.intp), axis=2)
        with np.errstate(over="ignore", under="ignore"):
            leads = np.ldexp(leads, exponent)
        top = leads.max(axis=2)
        expected = np.inf if top.max() >= 1e300 else (top + np.log(np.exp(leads - top[..., None]).sum(axis=2))).mean()
        found = mean_loss(resized(network, *size).weights, target)
        assert found == pytest.approx(expected, rel=1e-4, abs=1e-6)
    losses = restricted_excluded(resized(network, *size), ("(3,1)",))
    assert losses.full == pytest.approx(mean_loss(resized(network, *size).weights, mul), rel=1e-4, abs=1e-6)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("exponent", [60, 400, -60, -400])
def test_noise_that_grows_with_the_network_does_the_same(network, exponent):
    mul = network.group.mul
    least, most, loss = noisy(network.weights, mul, 0.25, 0.5, 3)
    assert 0.1 < least / 576 == most / 576 < 1
    grown = noisy(resized(network, exponent, -exponent).weights, mul, np.ldexp(0.25, exponent), np.ldexp(0.5, exponent), 3)
    assert grown[:2] == (least, most)
    assert grown.loss == pytest.approx(loss, rel=1e-4)


@pytest.mark.filterwarnings("error")
def test_noise_drowns_a_tiny_network_and_leaves_a_huge_one_alone(network):
    mul = network.group.mul
    for found in (noisy(resized(network, 400, -400).weights, mul, 0.0, 1.0, 3), noisy(network.weights, mul, 0.0, 0.0, 3)):
        assert found[:2] == (576, 576)
    _, drowned, loss = noisy(resized(network, -400, 400).weights, mul, 0.0, 1.0, 3)
    assert drowned < 0.2 * 576
    assert loss > 1
