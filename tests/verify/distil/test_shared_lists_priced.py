"""What lists that all neurons share would save beside a program: `benchmarks/bench_lists.py`, against all pairs written out."""

import sys
from pathlib import Path

import numpy as np
import pytest

from algebra.group import parse_group
from algebra.lattice import subgroups
from net.activation import fired
from net.weights import Weights
from verify.distil.draft import RAW, Draft, firing_rates
from verify.distil.moment_bank import MomentBank
from verify.distil.moments import activation_moments, centred
from verify.distil.votes import Moments, VoteFit, VoteSpace
from verify.program.form import GroupForm

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT / "benchmarks"))
import bench_lists  # noqa: E402

S4 = parse_group("S4")
LATTICE = subgroups(S4)
WIDTH = 9


def random_network(seed):
    rng = np.random.default_rng(seed)
    n = S4.order
    return Weights.from_arrays(*(rng.normal(size=shape) for shape in ((n, WIDTH), (n, WIDTH), (WIDTH, n), (n,))))


def off_by(network, votes=0.0, left=0.0, right=0.0):
    """The network with these added to U, L and R."""
    return Weights.from_arrays(network.L + left, network.R + right, network.U + votes, network.b)


def of_rank(rows, columns, rank, seed):
    """A matrix of that rank whose singular values are all far from 0; functions on the group are of its columns of length |G|."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(rows, rank)) @ rng.normal(size=(rank, columns))


def hidden(weights):
    """(|G|^2, m + 1) the activations at all pairs, and 1."""
    pairs = fired((weights.L[:, None] + weights.R[None]).reshape(-1, weights.width), weights.activation)
    return np.append(pairs, np.ones((len(pairs), 1)), axis=1)


def whole_votes(weights):
    return centred(np.vstack([weights.U, weights.b]))


@pytest.mark.parametrize("rank", [0, 1, 3])
def test_as_many_lists_are_needed_as_the_votes_are_off_by(rank):
    network = random_network(1)
    program = off_by(network, votes=of_rank(WIDTH, S4.order, rank, seed=2) if rank else 0.0)
    assert bench_lists.lists_needed(network, program, activation_moments(network, program), 1 - 1e-5) == rank


@pytest.mark.parametrize("explained", [0.8, 0.95, 0.99])
def test_the_number_of_lists_is_that_of_all_pairs_written_out(explained):
    """With H' = Q R at all pairs, |H' (S + T) - H U|^2 is |H U - Q Q^T H U|^2 and what T of rank r leaves of Q^T H U - R S."""
    network = random_network(3)
    rng = np.random.default_rng(4)
    program = off_by(network, *(0.4 * rng.normal(size=w.shape) for w in (network.U, network.L, network.R)))
    logits = hidden(network) @ whole_votes(network)
    q, r = np.linalg.qr(hidden(program))
    beyond = float(((logits - q @ (q.T @ logits)) ** 2).sum())
    rest = q.T @ logits - r @ whole_votes(program)
    u, s, v = np.linalg.svd(rest)
    allowed = (1 - explained) * float((logits**2).sum())
    wanted = None
    for rank in range(len(s) + 1):
        lists = np.linalg.solve(r, (u[:, :rank] * s[:rank]) @ v[:rank])
        lost = float(((hidden(program) @ (whole_votes(program) + lists) - logits) ** 2).sum())
        if wanted is None and lost <= allowed:
            wanted = rank
    assert (wanted is None) == (beyond > allowed)
    assert bench_lists.lists_needed(network, program, activation_moments(network, program), explained) == wanted


def test_the_written_out_comparison_meets_both_outcomes():
    """Of the shares above one is reached with some lists and one by none: else the comparison would say little."""
    network = random_network(3)
    rng = np.random.default_rng(4)
    program = off_by(network, *(0.4 * rng.normal(size=w.shape) for w in (network.U, network.L, network.R)))
    moments = activation_moments(network, program)
    found = [bench_lists.lists_needed(network, program, moments, share) for share in (0.8, 0.95, 0.99)]
    assert found[0]
    assert found[-1] is None


def test_lists_for_both_sides_take_back_what_these_are_off_by():
    """Two on L and one on R are three; with two of them the one is left that matters least."""
    network = random_network(5)
    left, right = of_rank(S4.order, WIDTH, 2, 6), of_rank(S4.order, WIDTH, 1, 7)
    left, right = left - left.mean(axis=0), right - right.mean(axis=0)
    program = off_by(network, left=left, right=right)
    neurons = np.arange(WIDTH)
    whole = bench_lists.with_read_lists(network, program, neurons, 3)
    np.testing.assert_allclose(whole.L, network.L, atol=1e-9)
    np.testing.assert_allclose(whole.R, network.R, atol=1e-9)
    scale = np.sqrt(firing_rates(network) * (centred(network.U) ** 2).sum(axis=1))
    energies = sorted(float(e) for side in (left, right) for e in np.linalg.eigvalsh((side * scale).T @ (side * scale)))[-3:]
    for count in (0, 1, 2):
        some = bench_lists.with_read_lists(network, program, neurons, count)
        lost = sum(float((((mine - theirs) * scale) ** 2).sum()) for mine, theirs in ((some.L, network.L), (some.R, network.R)))
        assert lost == pytest.approx(sum(energies[: 3 - count]))
        assert (some.U == program.U).all()


def test_a_neuron_that_hardly_votes_gets_no_infinite_lists():
    """Its L is off, and matters so little that what is added to it is at most what it is off by."""
    some = random_network(5)
    votes = np.where(np.arange(WIDTH)[:, None] == 3, 1e-60 * some.U, some.U)
    network = Weights.from_arrays(some.L, some.R, votes, some.b)
    program = off_by(network, left=of_rank(S4.order, WIDTH, 2, 6))
    found = bench_lists.with_read_lists(network, program, np.arange(WIDTH), 4)
    assert (np.abs(found.L - network.L) <= 2 * np.abs(program.L - network.L).max()).all()


def structured_fit(rank, seed):
    """The fit on double cosets of a network whose votes are on them but for ``rank`` lists that all neurons share."""
    h, k = (next(s for s in LATTICE.all if s.order == order) for order in (2, 3))
    space = VoteSpace.of(S4, GroupForm("double cosets", (h, k), (None, None)))
    base = random_network(seed)
    votes = np.array([space.project(row) for row in centred(base.U)]) + centred(of_rank(WIDTH, S4.order, rank, seed + 1))
    network = Weights.from_arrays(base.L, base.R, votes, np.zeros(S4.order))
    lists = tuple(np.zeros(0) for _ in range(WIDTH))
    forms = (RAW,) * WIDTH
    draft = Draft(LATTICE, np.arange(WIDTH), forms, forms, forms, lists, lists, lists, np.zeros(S4.order))
    moments = Moments.of(network, network, MomentBank(network)).without_bias()
    return VoteFit(draft, (space,) * WIDTH, moments, centred(network.U), 0.1)


def test_forms_and_lists_are_fitted_together():
    """Two lists beside forms are found where the votes are that; one is not enough; without lists it is the fit on forms alone."""
    fit = structured_fit(rank=2, seed=8)
    left = [bench_lists.left_with_lists(fit, count) for count in (0, 1, 2)]
    assert left[0] > left[1] > 10 * max(left[2], 1e-6)
    assert left[2] < 1e-3
    alone = VoteFit(fit.draft, fit.spaces, fit.moments, fit.own, bench_lists.RIDGE)
    assert left[0] == pytest.approx(alone.moments.unexplained(alone.votes()), rel=1e-6)
