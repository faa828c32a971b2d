"""Programs made for a symbolic proof: what the search computes, that it finds what it should, and that nothing wrong passes."""

import sys
from itertools import pairwise, permutations, product
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from net.folded import folded_network
from verify.distil.labels import NeuronLabel
from verify.distil.moment_bank import MomentBank
from verify.exact.exhaustive import correct_pairs, evaluate
from verify.program.form import Form
from verify.program.program import Circuit, Neuron, Program, expand
from verify.program.written import Written
from verify.record.certificate import NeuronRecord
from verify.symbolic.all_obligations import obligations_of
from verify.symbolic.assignment import assigned, assignments
from verify.symbolic.bias import start_bias
from verify.symbolic.decide import decide_outline, decide_symbolic
from verify.symbolic.decomposition import take_apart
from verify.symbolic.points import Points, parities
from verify.symbolic.proof_outline import outline_proof
from verify.symbolic.provable.relaxation import Relaxation
from verify.symbolic.provable.search import _Search, _Source, find_provable
from verify.symbolic.provable.voters import bias_voters, sign_voters, voters_of
from verify.symbolic.provable.votes import Quadratic, _Master, maximised, ridged
from verify.symbolic.settings import DEFAULT
from verify.symbolic.start import Start, StartOf, same_points

sys.path.insert(0, str(Path(__file__).parent))
from symbolic_programs import Built, even, random_program, stabilisers, veto_program


def written(built: Built) -> Written:
    """A built program as the distillation hands it on."""
    program, group, members = built
    return Written(program, members, expand(program, group, members))


def noisy(seed: int) -> Built:
    """The veto program of S4 with circuits added that vote element by element: still right, and beyond the lemmas."""
    program, group, members = veto_program("S4")
    rng = np.random.default_rng(seed)
    program = msgspec.structs.replace(program, vote_bits=4, circuits=tuple(map(_sixteenfold, program.circuits)))
    circuits = list(program.circuits)
    for circuit in program.circuits:
        first = circuit.neurons[0]
        numbers = tuple(int(v) for v in rng.integers(-2, 3, group.order))
        circuits.append(
            Circuit(circuit.left, circuit.right, Form("elements"), (Neuron(16 + len(circuits), first.left, first.right, numbers),))
        )
    return msgspec.structs.replace(program, circuits=tuple(circuits)), group, members


def _sixteenfold(circuit: Circuit) -> Circuit:
    neurons = tuple(msgspec.structs.replace(n, votes=tuple(16 * v for v in n.votes)) for n in circuit.neurons)
    return msgspec.structs.replace(circuit, neurons=neurons)


def records(program: Program) -> tuple[NeuronRecord, ...]:
    numbers = [(n.index, c) for c, circuit in enumerate(program.circuits) for n in circuit.neurons]
    return tuple(NeuronRecord(i, "coset", c, "0", "0", "0") for i, c in sorted(numbers))


def labels(width: int) -> tuple[NeuronLabel, ...]:
    return tuple(NeuronLabel(i, "coset", None, None, 1.0) for i in range(width))


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("seed", [0, 1])
def test_relaxed_margins_are_those_of_the_definition_and_no_margin_is_below(seed: int, mirrored: bool) -> None:
    """For all y, s of S3: the least over all permutations of the points, by brute force from group elements; rows give the same.

    The votes are drawn anew, so the margins are computed from the voters' definition, on group elements: relu(first[px] + second[y])
    times the difference of basis . votes, with x = y^-1, y = x^-1, z = z^-1 where the program is seen mirrored.
    """
    program, group, members = random_program("S3", seed)
    bits, inv = parities(group), group.inv
    weights = expand(program, group, members)
    numbers = [*members]
    spaces = [Points(member, bits) for member in members if member.index == 3][:1]
    voters = voters_of(program, numbers, weights, spaces, mirrored)
    assert {voter.twisted for voter in voters} == {True, False}
    voters += bias_voters(spaces[0], True, mirrored)
    signs = sign_voters(program, numbers, group, weights, bits, mirrored)
    assert signs
    places = _places([*voters, *signs])
    t = np.random.default_rng(seed).normal(size=places[-1].stop)
    relaxation = Relaxation(voters, signs, places, bits)
    least, rows, margins = relaxation.least(t, 1000)
    assert rows @ t == pytest.approx(margins, abs=1e-3)
    assert least == margins.min()
    left, right_ = (weights.R[inv], weights.L[inv]) if mirrored else (weights.L, weights.R)

    def share(voter: Any, place: slice, x: int, y: int, s: int) -> float:
        """What a voter gives to votes[w] - votes[z], on group elements of its side."""
        column = _column(program, voter)
        push = 1.0 if column is None else max(float(left[x, column] + right_[y, column]), 0.0)
        w, z = group.mul[x, y], group.mul[group.mul[x, s], y]
        outputs = (inv[w], inv[z]) if mirrored else (w, z)
        return push * float((voter.basis[outputs[0]] - voter.basis[outputs[1]]) @ t[place])

    every: list[tuple[Any, slice]] = list(zip([*voters, *signs], places, strict=True))
    true = min(sum(share(v, place, x, y, s) for v, place in every) for x, y, s in product(range(6), range(6), range(1, 6)))
    moved = spaces[0].moved
    relaxed = np.inf
    for odd, y, s in product((0, 1), range(6), range(1, 6)):
        xs = np.flatnonzero(bits == odd)
        takes = {(p, moved[p, x]): int(x) for x in xs for p in range(3)}  # some x of the parity that takes p to j
        constant = sum(share(v, place, int(xs[0]), y, s) for v, place in every[len(voters) :])
        for chosen in permutations(range(3)):
            total = constant + sum(share(v, place, takes[v.point, chosen[v.point]], y, s) for v, place in every[: len(voters)])
            relaxed = min(relaxed, total)
    assert least == pytest.approx(relaxed, abs=1e-3)
    assert least <= true + 1e-3


@pytest.mark.parametrize("points", [2, 4])
def test_assignments_are_the_best_of_all_permutations(points: int) -> None:
    costs = np.random.default_rng(points).normal(size=(7, points, points))
    every = [[costs[k, range(points), list(p)].sum() for p in permutations(range(points))] for k in range(7)]
    assert assigned(list(costs.transpose(1, 2, 0))) == pytest.approx(np.min(every, axis=1))
    found = assignments(costs)
    assert [costs[k, range(points), found[k]].sum() for k in range(7)] == pytest.approx(np.min(every, axis=1))


@pytest.mark.parametrize("mirrored", [False, True])
def test_the_quadratic_form_is_the_difference_of_all_logits(mirrored: bool) -> None:
    """The unexplained share of random votes, voters of several sizes and the bias among them, against logits pair by pair."""
    built, rng = noisy(3), np.random.default_rng(0)
    readable, group = written(built), built[1]
    weights = readable.weights
    search, members = _Search(group, weights, DEFAULT, MomentBank(weights)), [*readable.subgroups]
    source, space = _Source(readable, members, search), Points(members[0], parities(group))
    plain, twisted = (voters_of(readable.program, members, weights, [space], mirrored, parities) for parities in (False, True))
    chosen = [*plain[:5], *twisted[3:6], *bias_voters(space, False, mirrored)[1:]]  # two of them are of the same neurons as others
    assert len({voter.size for voter in chosen}) > 1
    columns = source.columns(chosen)
    form = source.quadratic(chosen, columns)
    votes = [rng.normal(size=voter.size) for voter in chosen]
    total = rest = 0.0
    for x, y in product(range(group.order), repeat=2):
        hidden = np.append(np.maximum(weights.L[x] + weights.R[y], 0), 1.0)
        theirs = hidden[:-1] @ weights.U + weights.b
        ours = sum(hidden[column] * (voter.basis @ t) for voter, column, t in zip(chosen, columns, votes, strict=True))
        total += ((theirs - theirs.mean()) ** 2).sum()
        rest += ((theirs - ours - (theirs - ours).mean()) ** 2).sum()
    assert form.value(np.concatenate(votes)) == pytest.approx(rest / total, rel=1e-4)
    assert np.allclose(form.matrix, form.matrix.T, rtol=1e-4, atol=1e-6 * np.abs(form.matrix).max())


def test_the_ascent_finds_the_top_of_a_quadratic_form() -> None:
    rng = np.random.default_rng(2)
    root, top = rng.normal(size=(9, 9)), rng.normal(size=9)
    curvature = root @ root.T + 0.1 * np.eye(9)
    found = maximised(lambda v: (-float((v - top) @ curvature @ (v - top)), -2 * curvature @ (v - top)), np.zeros(9), 200)
    assert found == pytest.approx(top, abs=1e-2)


def test_the_master_problem_looks_at_all_rows_that_matter() -> None:
    """What it reaches from a point where few rows are near is the optimum over all of them, also where a start was far from it."""
    rng, size, coldest = np.random.default_rng(3), 12, DEFAULT.temperatures[-1]
    root = rng.normal(size=(size, size))
    quadratic = Quadratic(root @ root.T / 10 + np.eye(size), rng.normal(size=size), 1.0, 2.0)
    start = np.asarray(np.linalg.solve(quadratic.matrix, quadratic.target), dtype=np.float64)
    curvature = ridged(quadratic.matrix, DEFAULT.ridge, times=2 / quadratic.total)
    master, every = _Master(start, 1.0, DEFAULT), np.zeros((0, size))

    def smooth(votes: np.ndarray) -> tuple[float, np.ndarray]:
        margins = np.append(every @ votes, DEFAULT.goal)
        weights = np.exp((margins.min() - margins) / coldest)
        value = margins.min() - coldest * np.log(weights.sum()) - 0.05 * (votes - start) @ curvature @ (votes - start)
        return float(value), weights[:-1] @ every / weights.sum() - 0.1 * curvature @ (votes - start)

    for _ in range(3):
        rows = rng.normal(size=(60, size))
        every = np.concatenate([every, rows])
        votes, least = master.solve(quadratic, rows, price=0.1)
        assert least == pytest.approx((every @ votes).min(), abs=1e-4)
        assert smooth(votes)[0] >= smooth(maximised(smooth, votes, 3000))[0] - 3e-3


def test_points_of_isomorphic_spaces_are_matched() -> None:
    """The map between the points over two conjugate stabilisers commutes with the group; there is none to a space of another size."""
    group = veto_program("S4")[1]
    first, last = stabilisers(group)[0], stabilisers(group)[3]
    bits = parities(group)
    one, other = Points(first, bits), Points(last, bits)
    to = same_points(one, other)
    assert to is not None
    for g, p in product(range(group.order), range(4)):
        assert other.moved[to[p], g] == to[one.moved[p, g]]
    assert same_points(Points(even(group), bits), one) is None


@pytest.mark.parametrize("dtype", [np.int64, object])
def test_bias_tables_of_a_start_and_the_rest_add_up_to_the_bias(dtype: Any) -> None:
    """For every z: sum over p of B[p, pz] and the rest is the bias, in integers also where these are beyond 64 bits."""
    program, group, members = random_program("S4", 6)
    parts = take_apart(program, group, members)
    parts.bias = parts.bias.astype(dtype) * (2**70 if dtype is object else 1)
    space = next(family.points for family in parts.families if not family.mirrored)
    rng = np.random.default_rng(7)
    table = rng.normal(size=(space.count, space.count, 2))
    start_bias(parts, Start((StartOf(space, False, table),)))
    tables = [family.bias for family in parts.families if family.bias is not None]
    assert any(np.any(found) for found in tables)
    for z in range(group.order):
        total = parts.bias_rest[z]
        for family in parts.families:
            if family.bias is not None:
                total += sum(family.bias[p, family.points.moved[p, z], parts.parity[z]] for p in range(family.points.count))
        assert total == parts.bias[z]
        assert isinstance(total, int | np.integer)


def test_a_provable_program_is_found_where_the_readable_one_is_beyond_the_lemmas() -> None:
    """Votes of elements spoil the bounds of a right program; with votes on one kind of cosets Q3 is proved, about another program."""
    built = noisy(1)
    program, group, members = built
    source = written(built)
    answers = evaluate(source.weights, expected=group.mul)
    assert correct_pairs(answers, group.mul).all()
    assert outline_proof(take_apart(program, group, members)).failing is not None
    network = folded_network(group, source.weights)
    width = source.weights.width
    finding = decide_symbolic(source, records(program), labels(width), network, answers)
    assert finding.status == "PROVED"
    assert finding.about == "provable"
    assert finding.provable is not None
    assert finding.written is finding.provable.written
    assert finding.written.program != program
    assert correct_pairs(evaluate(finding.written.weights, expected=group.mul), group.mul).all()
    assert len({circuit.votes.on for circuit in finding.written.program.circuits}) == 1
    assert len(finding.neurons) == width
    assert {o.status for o in obligations_of(finding)} == {"PROVED"}


def test_one_flipped_vote_of_a_provable_program_is_not_proved() -> None:
    """The provable program with one circuit voting the other way is wrong somewhere, and refuted by a pair, from the same start."""
    source = written(noisy(1))
    group = veto_program("S4")[1]
    found = find_provable(source, group, source.weights)
    assert found is not None
    program, members = found.written.program, found.written.subgroups
    circuit = program.circuits[0]
    neurons = tuple(msgspec.structs.replace(n, votes=tuple(-4 * v for v in n.votes)) for n in circuit.neurons)
    flipped = msgspec.structs.replace(program, circuits=(msgspec.structs.replace(circuit, neurons=neurons), *program.circuits[1:]))
    weights = expand(flipped, group, members)
    assert not correct_pairs(evaluate(weights, expected=group.mul), group.mul).all()
    outline = outline_proof(take_apart(flipped, group, members), found.outline.start)
    assert decide_outline(outline, Written(flipped, members, weights))[0] == "REFUTED"


def test_a_network_that_is_wrong_somewhere_gets_no_provable_program() -> None:
    """A right program would not have the answers of a network with a mistake, so none is looked for."""
    built = veto_program("S3", flip=1)
    program, group, _ = built
    source = written(built)
    answers = evaluate(source.weights, expected=group.mul)
    assert not correct_pairs(answers, group.mul).all()
    network = folded_network(group, source.weights)
    finding = decide_symbolic(source, records(program), labels(source.weights.width), network, answers)
    assert (finding.provable, finding.status, finding.about) == (None, "REFUTED", "readable")


def _places(voters: list[Any]) -> list[slice]:
    ends = [sum(v.size for v in voters[:k]) for k in range(len(voters) + 1)]
    return [slice(a, b) for a, b in pairwise(ends)]


def _column(program: Program, voter: Any) -> int | None:
    if voter.circuit < 0:
        return None
    return sum(len(circuit.neurons) for circuit in program.circuits[: voter.circuit]) + int(voter.neuron)
