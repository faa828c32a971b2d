"""Fitted votes without their equations written out, shared lists, and the path of programs, against slow twins."""

import itertools

import numpy as np
import pytest

from algebra.group import parse_group
from algebra.lattice import subgroups
from net.planted import planted_network, planted_rank_one
from net.weights import Weights
from verify.compare.answers import Shortfall
from verify.distil.curve import distill
from verify.distil.draft import RAW, Draft, project
from verify.distil.moment_bank import MomentBank
from verify.distil.moments import centred
from verify.distil.point_irreps import point_irreps
from verify.distil.rank_one import told_apart
from verify.distil.repair import _Owed, _Pairs
from verify.distil.settings import DEFAULT
from verify.distil.shared import shared_lists
from verify.distil.vote_search import vote_path
from verify.distil.votes import REMOVED, Moments, VoteFit, VoteSpace
from verify.exact.exhaustive import evaluate
from verify.program.form import GroupForm, expand_sides, linear_map

S4 = parse_group("S4")
LATTICE = subgroups(S4)


def some_spaces():
    """Spaces of four kinds of forms over S4."""
    h, k = (next(s for s in LATTICE.all if s.order == order) for order in (6, 8))
    point = GroupForm("images", (h,), (None,), (1, 0, 0, 2))
    return [
        VoteSpace.of(S4, GroupForm("double cosets", (h, k), (None, None))),
        VoteSpace.of(S4, GroupForm("coset sum", (h, k), (None, None))),
        VoteSpace.of(S4, point).joined(S4, GroupForm("preimages", (h,), (None,), (0, 1, 0, 0))),
        VoteSpace.of(S4, RAW),
    ]


def some_fit(seed, bias=True, same=0):
    """A program of eight neurons beside a network of as many, with random weights, and the fit of its votes."""
    rng = np.random.default_rng(seed)
    n, m = S4.order, 8
    network = Weights.from_arrays(*(rng.normal(size=shape) for shape in ((n, m), (n, m), (m, n), (n,))))
    sides = Weights.from_arrays(network.L + 0.1 * rng.normal(size=(n, m)), network.R, np.zeros((m, n)), np.zeros(n))
    bank = MomentBank(network)
    moments, own = Moments.of(sides, network, bank), bank.own
    forms = tuple(GroupForm("elements", kernels=(), rank=0) for _ in range(m))
    keys = tuple(GroupForm("right cosets", (LATTICE.all[1 + (i if i >= same else 0)],), (None,)) for i in range(m))
    lists = tuple(np.zeros(0) for _ in range(m))
    draft = Draft(LATTICE, np.arange(m), keys, forms, forms, lists, lists, lists, np.zeros(n))
    fit = VoteFit(draft, tuple(some_spaces() * 2), moments if bias else moments.without_bias(), centred(network.U), 0.1)
    return network, sides, own, fit


def test_a_joined_space_is_that_of_the_sum_of_forms():
    """Projection and list are those of least squares on the basis of the form itself."""
    rng = np.random.default_rng(0)
    for space in some_spaces()[:3]:
        basis = linear_map(S4, space.form).basis()
        basis = basis - basis.mean(axis=0)
        f = rng.normal(size=S4.order)
        f -= f.mean()
        nearest = basis @ np.linalg.lstsq(basis, f, rcond=None)[0]

        assert space.size == basis.shape[1]
        assert np.allclose(space.unit.T @ space.unit, np.eye(space.unit.shape[1]))
        assert np.allclose(space.project(f), nearest)
        assert np.allclose(basis @ space.list_of(S4, f), nearest)


@pytest.mark.parametrize("bias", [True, False])
def test_conjugate_gradients_solve_the_dense_equations(bias):
    """Against the equations written out in an orthonormal basis of all neurons' spaces."""
    _, _, _, fit = some_fit(1, bias)
    bases = [np.eye(S4.order) - 1 / S4.order if s.form == RAW else s.unit for s in fit.spaces]
    ends = np.cumsum([0, *(b.shape[1] for b in bases)])
    dense = np.zeros((ends[-1], ends[-1]))
    right = np.zeros(ends[-1])
    target = centred(fit.moments.cross_votes) + fit.pull * fit.own
    for i, a in enumerate(bases):
        right[ends[i] : ends[i + 1]] = a.T @ target[i]
        for j, b in enumerate(bases):
            factor = fit.moments.program[i, j] + (fit.pull[i, 0] if i == j else 0)
            dense[ends[i] : ends[i + 1], ends[j] : ends[j + 1]] = factor * a.T @ b
    solution = np.linalg.lstsq(dense, right, rcond=None)[0]
    wanted = np.array([b @ solution[ends[i] : ends[i + 1]] for i, b in enumerate(bases)])

    assert np.allclose(fit.votes(), wanted, atol=1e-4)


@pytest.mark.parametrize("bias", [True, False])
def test_unexplained_is_that_of_all_pairs(bias):
    """Against all logits, with the best bias and without one."""
    network, sides, _, fit = some_fit(2, bias)
    votes = fit.votes()
    program = fit.weights(votes, sides)
    assert bool(program.b.any()) == bias
    pairs = [np.repeat(np.arange(S4.order), S4.order), np.tile(np.arange(S4.order), S4.order)]
    ours, theirs = (centred(w.logits(*pairs)) for w in (network, program))

    assert fit.moments.unexplained(votes) == pytest.approx(((ours - theirs) ** 2).sum() / (ours**2).sum(), rel=1e-4)


@pytest.mark.parametrize("same", [0, 5])
def test_what_removals_leave_is_the_mean_over_all_sets_of_circuits(same):
    """Against every set of circuits with its probability, on all pairs; with ``same`` neurons read through the same cosets."""
    network, sides, own, fit = some_fit(3, True, same)
    votes = fit.votes()
    program = fit.weights(votes, sides)
    x, y = np.repeat(np.arange(S4.order), S4.order), np.tile(np.arange(S4.order), S4.order)
    circuits = [[*range(same)]] * (same > 0) + [[i] for i in range(same, 8)]
    parts = [[centred(np.maximum(w.L[x][:, c] + w.R[y][:, c], 0) @ w.U[c]) for c in circuits] for w in (network, program)]
    shares = []
    for q in 1 - np.array(REMOVED):
        left = whole = 0.0
        for kept in itertools.product((0, 1), repeat=len(circuits)):
            chance = q ** sum(kept) * (1 - q) ** (len(kept) - sum(kept))
            ours, theirs = (
                sum(k * part for k, part in zip(kept, side, strict=True)) + centred(w.b[None])
                for side, w in zip(parts, (network, program), strict=True)
            )
            left += chance * ((ours - theirs) ** 2).sum()
            whole += chance * (ours**2).sum()
        shares.append(left / whole)

    assert fit.removed_unexplained(votes, network, own) == pytest.approx(np.mean(shares), rel=1e-4)


def test_margins_are_linear_in_the_votes():
    """Margins at pairs from all logits; what spreads amounts over the votes is the transpose; pairs added twice cost the sum."""
    _, sides, _, fit = some_fit(4)
    rng = np.random.default_rng(4)
    x, y, a, z = rng.integers(0, S4.order, (4, 30))
    z = np.where(z == a, (a + 1) % S4.order, z)
    short = Shortfall(x, y, a, z, np.arange(30.0))
    few = Shortfall(*(part[20:] for part in short))
    owed = _Owed.none().with_worst(short, 6.0, S4.order).with_worst(few, 4.0, S4.order)
    assert len(owed.x) == len({*zip(x.tolist(), y.tolist(), a.tolist(), z.tolist(), strict=True)}) == 30
    cost = {(xy[0], xy[1]): w for *xy, w in zip(owed.x.tolist(), owed.y.tolist(), owed.weight.tolist(), strict=True)}
    assert [cost[pair] for pair in zip(x.tolist(), y.tolist(), strict=True)] == pytest.approx([0.2] * 20 + [0.6] * 10)

    pairs, votes = _Pairs(fit, sides, owed, 1.0), fit.votes()
    logits = fit.weights(votes, sides).logits(owed.x, owed.y)
    margins = logits[np.arange(30), owed.a] - logits[np.arange(30), owed.z]
    assert np.allclose(pairs.margins(votes) + 1.0 - pairs.missing, margins, atol=1e-4)
    amounts, other = rng.normal(size=30), rng.normal(size=votes.shape)
    assert (pairs.spread(amounts) * other).sum() == pytest.approx(amounts @ pairs.margins(other), rel=1e-4)
    assert np.allclose(pairs.penalty(other), pairs.spread(owed.weight * pairs.margins(other)))


@pytest.mark.parametrize("noise", [0.0, 0.1, 0.2])
def test_planted_shared_lists_are_found(noise):
    """The vectors a and d come back up to what cannot be told apart, and the shares are those of the forms written out."""
    planted = planted_rank_one(S4, seed=5, width=12, noise=noise)
    w = planted.network.weights
    found = shared_lists(point_irreps(LATTICE), w.L, w.R, (np.ones(w.width), np.ones(w.width)))
    for i, (one, neuron) in enumerate(zip(found, planted.neurons, strict=True)):
        rank_one = neuron.rank_one
        assert one is not None
        if rank_one.points.index == one.left.subgroups[0].index:
            for given, weights in ((rank_one.a, one.left.weights), (rank_one.d, one.right.weights)):
                u, v = (np.array(vector) - np.mean(vector) for vector in (given, weights))
                assert abs(u @ v) == pytest.approx(np.linalg.norm(u) * np.linalg.norm(v))
        lists = np.append(one.m, w.L[:, i].mean())[:, None], np.array([[one.s]])
        sides = expand_sides(S4, one.left, one.right, *lists)
        for side, function, share in zip(sides, (w.L[:, i], w.R[:, i]), (one.left_share, one.right_share), strict=True):
            rest = function - function.mean() - (side[:, 0] - side.mean())
            assert share == pytest.approx(1 - (rest**2).sum() / ((function - function.mean()) ** 2).sum())
            assert share > 1 - 4 * noise**2 - 1e-6


def test_weights_with_a_negative_sum_change_their_sign():
    assert told_apart((2, 2, 1, 2, 2)) == (0, 0, 1, 0, 0)
    assert told_apart((0, 0, 1, 2)) == (0, 0, 1, 2)
    assert told_apart((1, 0, 1, 2)) == (1, 0, 1, 2)


def test_each_step_of_the_path_costs_more_and_explains_more():
    """Counted from the draft itself; what is explained grows but for the accuracy of the fits."""
    network = planted_network(S4, seed=6, width=34, noise=0.05).network.weights
    found = distill(LATTICE, network, evaluate(network, expected=S4.mul))
    draft = found.point("readable").draft
    moments = Moments.of(draft.weights(), network, MomentBank(network))
    steps = list(itertools.islice(vote_path(draft, moments, network, DEFAULT), 6))

    assert [step.fit.constants for step in steps] == sorted({step.fit.constants for step in steps})
    for one, other in itertools.pairwise(steps):
        assert other.unexplained < one.unexplained + 1e-3
    last = steps[-1].fit.drafted(steps[-1].votes)
    lists = [*last.left_values, *last.right_values, *last.votes_values]
    assert steps[-1].fit.constants == sum(map(len, lists)) + (S4.order if last.bias.any() else 0)


def test_the_curve_counts_the_pairs_that_differ():
    """Programs beside the readable and the faithful one may differ; the count is that of their exact answers."""
    network = planted_network(S4, seed=7, width=40, kinds={"raw": 6}, noise=0.2).network.weights
    answers = evaluate(network, expected=S4.mul)
    found = distill(LATTICE, network, answers)
    constants = [point.written.program.constants for point in found.points]

    assert constants == sorted(constants)
    assert len({point.name for point in found.points}) == len(found.points)
    for point in found.points:
        assert point.differing == (evaluate(point.written.weights).answer != answers.answer).sum()
    assert found.point("readable").differing == found.point("faithful").differing == 0


@pytest.mark.parametrize("weight", [1, 182, -300, 32_767, 32_768])
def test_projection_is_least_squares_whatever_the_weight_of_a_point(weight: int) -> None:
    """Forms keep such a weight in 16 bits where it fits, and its square does not."""
    group = parse_group("S3")
    stabiliser = next(s for s in subgroups(group).all if s.index == 3)
    linear = linear_map(group, GroupForm("images", (stabiliser,), weights=(0, weight, 0)))
    function = np.arange(6.0) ** 2
    expected = np.linalg.lstsq(linear.basis(), function, rcond=None)[0]
    assert len(linear.index) == 1
    assert np.allclose(project(linear, function) * weight, expected * weight)
