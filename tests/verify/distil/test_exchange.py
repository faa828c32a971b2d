"""Votes at one exchange rate, against the least-squares problems that they stand for."""

import numpy as np
import pytest

from algebra.group import parse_group
from algebra.lattice import subgroups
from net.planted import planted_rank_one
from net.weights import Weights
from verify.distil.curve import _next_price
from verify.distil.draft import RAW, Draft
from verify.distil.exchange import _taken_out, _without, exchanged, free_votes
from verify.distil.moment_bank import MomentBank
from verify.distil.moments import centred
from verify.distil.point_irreps import point_irreps
from verify.distil.quantise import _growth
from verify.distil.votes import Moments, VoteFit, VoteSpace
from verify.program.form import GroupForm, linear_map

S4 = parse_group("S4")
LATTICE = subgroups(S4)
IRREPS = point_irreps(LATTICE)


def some_fit(seed, width=10):
    """A network of random weights, beside a program whose x-side is a little off, and votes that start on cosets."""
    rng = np.random.default_rng(seed)
    n = S4.order
    network = Weights.from_arrays(*(rng.normal(size=shape) for shape in ((n, width), (n, width), (width, n), (n,))))
    sides = Weights.from_arrays(network.L + 0.1 * rng.normal(size=(n, width)), network.R, np.zeros((width, n)), np.zeros(n))
    moments = Moments.of(sides, network, MomentBank(network))
    forms, lists = (RAW,) * width, tuple(np.zeros(0) for _ in range(width))
    draft = Draft(LATTICE, np.arange(width), forms, forms, forms, lists, lists, lists, np.zeros(n))
    h, k = (next(s for s in LATTICE.all if s.order == order) for order in (6, 8))
    base = VoteSpace.of(S4, GroupForm("double cosets", (h, k), (None, None)))
    return VoteFit(draft, (base,) * width, moments, centred(network.U), 0.1)


def lost(fit, votes):
    """The objective of the fit at given votes, as a share of the variance."""
    pulled = float((fit.pull * (votes - fit.own) ** 2).sum())
    return fit.moments.unexplained(votes) + pulled / fit.moments.total


def test_free_votes_are_those_of_the_fit_on_all_elements():
    fit = some_fit(0)
    free = fit.with_spaces((VoteSpace.of(S4, RAW),) * 10)

    assert np.allclose(free_votes(fit), free.votes(accuracy=1e-10), atol=1e-8)


def test_a_neuron_taken_out_costs_what_the_others_cannot_take_over():
    """The loss of one step is that of the least-squares problem in which the neuron lacks the function and the others are free."""
    fit, i = some_fit(1), 3
    votes = free_votes(fit)
    q = votes[i] - fit.spaces[i].project(votes[i])
    matrix = fit.moments.program + np.diag(fit.pull[:, 0])
    kept = [k for k in range(10) if k != i]
    target = centred(fit.moments.cross_votes) + fit.pull * fit.own
    fixed = votes[i] - q
    best = votes.copy()
    best[i] = fixed
    best[kept] = np.linalg.solve(matrix[np.ix_(kept, kept)], target[kept] - np.outer(matrix[kept, i], fixed))
    predicted = float(q @ q) / np.linalg.inv(matrix)[i, i] / fit.moments.total

    assert lost(fit, best) - lost(fit, votes) == pytest.approx(predicted)


def test_after_all_steps_the_free_neurons_have_the_best_votes_for_what_the_others_keep():
    fit = some_fit(2)
    out, votes, matrix, inverse = _taken_out(fit, IRREPS, price=6e-4)
    free = [i for i in range(10) if i not in out]
    taken = sorted(out)
    target = centred(fit.moments.cross_votes) + fit.pull * fit.own
    best = np.linalg.solve(matrix[np.ix_(free, free)], target[free] - matrix[np.ix_(free, taken)] @ votes[taken])

    assert 0 < len(out) < 10
    assert np.allclose(votes[free], best, atol=1e-8)
    assert np.allclose(inverse[np.ix_(free, free)], np.linalg.inv(matrix[np.ix_(free, free)]), atol=1e-8)
    assert not inverse[taken].any()


def test_terms_that_are_kept_are_the_strongest_ones_of_each_irrep():
    rng = np.random.default_rng(3)
    function = centred(rng.normal(size=(1, S4.order)))[0]
    kept = np.concatenate([np.arange(irrep.dimension) < 1 for irrep in IRREPS])
    rest = _without(IRREPS, function, kept)
    for irrep in IRREPS:
        before, after = (np.linalg.svd(irrep.coefficients(f[:, None])[0], compute_uv=False) for f in (function, rest))

        assert np.allclose(after, np.append(before[1:], 0.0), atol=1e-9)


def test_a_dearer_constant_makes_shorter_lists():
    """From everything free, where constants are all but free, to the base, where nothing pays."""
    fit = some_fit(4)
    sizes = [fit.with_spaces(exchanged(fit, IRREPS, price)) for price in (1e-12, 6e-4, 3e-3, 1.0)]
    constants = [some.constants for some in sizes]

    assert constants == sorted(constants, reverse=True)
    assert len(set(constants)) == 4
    assert {space.form for space in sizes[0].spaces} == {RAW}
    assert sizes[-1].spaces == fit.spaces


def test_planted_votes_of_rank_one_are_written_on_their_points():
    """Votes that are a few forms on points need no neuron with votes on all elements."""
    network = planted_rank_one(S4, seed=5, width=24).network.weights
    moments = Moments.of(network, network, MomentBank(network))
    forms, lists = (RAW,) * network.width, tuple(np.zeros(0) for _ in range(network.width))
    draft = Draft(LATTICE, np.arange(network.width), forms, forms, forms, lists, lists, lists, network.b)
    base = VoteSpace.of(S4, GroupForm("right cosets", (LATTICE.all[-1],), (None,)))
    fit = VoteFit(draft, (base,) * network.width, moments, centred(network.U), 0.1)
    spaces = exchanged(fit, IRREPS, 1e-6)

    assert sum(space.form == RAW for space in spaces) < network.width / 4


def test_the_next_price_is_on_the_line_through_two():
    """Halving the price halves what is left: the next one asks for what is wanted; after one alone the same is taken for granted."""
    first = _next_price([(1.0, 2.0)])

    assert first == pytest.approx(_next_price([(2.0, 4.0), (1.0, 2.0)]))
    assert 0.94 / 2 < first < 0.985 / 2
    assert _next_price([(4.0, 4.0), (1.0, 2.0)]) == pytest.approx(first**2)
    assert _next_price([(1.0, 1e9)]) == pytest.approx(0.1)


def test_rounding_noise_of_votes_grows_with_what_is_added_up():
    """The mean square of what rounding to integers does to the votes, over many lists."""
    rng = np.random.default_rng(6)
    h = next(s for s in LATTICE.all if s.order == 2)
    form = GroupForm.sum_of([GroupForm("images", (h,), (None,), tuple(rng.integers(0, 3, 12).tolist())) for _ in range(3)])
    linear = linear_map(S4, form)
    lists = 1000 * rng.normal(size=(linear.size, 2000))
    noise = float(((linear.expand(np.rint(lists)) - linear.expand(lists)) ** 2).mean())

    assert _growth(S4, form) / 12 == pytest.approx(noise, rel=0.05)
    assert _growth(S4, RAW) == 1
