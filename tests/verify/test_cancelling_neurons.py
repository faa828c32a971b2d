"""Figures of networks whose neurons cancel one another, wholly or nearly: those of what is left."""

import numpy as np
import pytest

import verify
from algebra.group import parse_group
from net.folded import folded_network
from net.planted import planted_network
from net.weights import Weights
from verify.analysis import Analysis, Options
from verify.compare.gcr import logit_fve
from verify.compare.levels import fve, fve_of_logits
from verify.distil.moments import activation_moments, logit_variance
from verify.jobs.neuron_page import neuron_page


def with_cancelling(weights: Weights, times: float, rest: float = 1.0) -> Weights:
    """The network with votes times ``rest`` and neurons that cancel in pairs, at random, with votes ``times`` as large."""
    rng = np.random.default_rng(0)
    n = weights.order
    left, right, votes = (rng.standard_normal(size) for size in ((n, 5), (n, 5), (5, n)))
    return Weights.from_arrays(
        np.hstack([weights.L, left, left]),
        np.hstack([weights.R, right, right]),
        np.vstack([weights.U * rest, votes * times, -votes * times]),
    )


@pytest.fixture(scope="module")
def usual() -> Weights:
    return planted_network(parse_group("S3"), seed=1, width=22, noise=0.1).network.weights


def test_shares_of_variance_are_those_without_neurons_that_cancel(usual) -> None:
    group = parse_group("S3")
    program = usual.select(np.arange(17))
    expected = fve(usual, program, activation_moments(usual, program))
    cubes = logit_fve(folded_network(group, usual)).per_irrep
    large = with_cancelling(usual, 3000.0)

    assert fve(large, program, activation_moments(large, program)) == pytest.approx(expected, abs=1e-6)
    assert fve_of_logits(usual, program) == pytest.approx(expected, abs=1e-6)
    assert logit_fve(folded_network(group, large)).per_irrep == pytest.approx(cubes, abs=1e-6)
    alone = logit_variance(usual, activation_moments(usual))
    assert logit_variance(large, activation_moments(large)) == pytest.approx(alone, rel=1e-6)


def test_networks_whose_neurons_all_cancel_have_no_variance_to_explain(usual) -> None:
    nothing = with_cancelling(usual, 1.0, 0.0)

    assert np.isnan(fve(nothing, usual, activation_moments(nothing, usual)))
    assert logit_variance(nothing, activation_moments(nothing)) == 0
    assert np.isnan(logit_fve(folded_network(parse_group("S3"), nothing)).total)


def test_a_run_says_that_there_is_nothing_to_explain(usual) -> None:
    weights = with_cancelling(usual, 1.0, 0.0)
    arrays = (weights.L, weights.R, weights.U)
    summary = verify.analyse(arrays, "S3", order="lexicographic", product="left-first", timeout_s=0).summary

    assert summary.equivalence.logit_fve is None
    assert (summary.explained.status, summary.explained.logit_fve) == ("not explained", None)
    assert set(summary.gcr.irreps.values()) == {None}


@pytest.mark.parametrize(("activation", "rate"), [("relu", "33.3 %"), ("square", "66.7 %")])
def test_pages_of_neurons_without_variance_or_of_squares(activation, rate) -> None:
    """L is 0, 0, 1, 1, 2, 2 on the elements and R is -1: at a third of all pairs their sum is above 0, at a third below."""
    left = np.column_stack([[0.0, 0, 1, 1, 2, 2], np.full(6, 2.0)])
    weights = Weights.from_arrays(left, np.full((6, 2), -1.0), [[0.0, 0, 0, 1, 1, 1], [3.0] * 6], activation=activation)
    analysis = Analysis(folded_network(parse_group("S3"), weights), Options(timeout_s=0))
    first, second = neuron_page(analysis, 0), neuron_page(analysis, 1)

    assert f"- fires on {rate} of all pairs" in first
    assert "- fires on 100 % of all pairs" in second
    assert first.count("the same for all elements, -1: there is no variance that cosets could explain") == 1
    assert second.count("the same for all elements") == 2
    assert "| elements | 6 | - |" in second
    assert "| elements | 6 | 1.0000 |" in first
