"""Programs made for a symbolic proof: what the search computes, that it finds what it should, and that nothing wrong passes."""

import sys
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from net.folded import folded_network
from verify.distil.labels import NeuronLabel
from verify.exact.exhaustive import correct_pairs, evaluate
from verify.program.program import Circuit, Neuron, Program, expand
from verify.program.written import Written
from verify.record.certificate import NeuronRecord
from verify.symbolic.bias import start_bias
from verify.symbolic.decide import decide_outline, decide_symbolic
from verify.symbolic.decomposition import take_apart
from verify.symbolic.families import Case
from verify.symbolic.obligations import obligations_of
from verify.symbolic.points import Points, parity
from verify.symbolic.proof_outline import outline_proof
from verify.symbolic.provable.bound import FamilyBound
from verify.symbolic.provable.search import find_provable
from verify.symbolic.provable.voters import bias_voters, sign_voters, voters_of
from verify.symbolic.settings import DEFAULT
from verify.symbolic.start import Start, StartOf, same_points

sys.path.insert(0, str(Path(__file__).parent))
from symbolic_programs import Built, even, random_program, stabilisers, veto_program


def written(built: Built) -> Written:
    """A built program as the distillation hands it on."""
    program, group, members = built
    return Written(program, members, expand(program, group, members))


def one_sided(seed: int) -> Built:
    """The veto program of S4 with circuits added that vote on left cosets: still right, and beyond the lemmas of the readable one."""
    program, group, members = veto_program("S4")
    rng = np.random.default_rng(seed)
    program = msgspec.structs.replace(program, vote_bits=4, circuits=tuple(map(_sixteenfold, program.circuits)))
    circuits = list(program.circuits)
    for circuit in program.circuits:
        first = circuit.neurons[0]
        votes = msgspec.structs.replace(circuit.right, on="left cosets")
        numbers = tuple(int(v) for v in rng.integers(-3, 4, len(first.right)))
        circuits.append(Circuit(circuit.left, circuit.right, votes, (Neuron(16 + len(circuits), first.left, first.right, numbers),)))
    return msgspec.structs.replace(program, circuits=tuple(circuits)), group, members


def _sixteenfold(circuit: Circuit) -> Circuit:
    neurons = tuple(msgspec.structs.replace(n, votes=tuple(16 * v for v in n.votes)) for n in circuit.neurons)
    return msgspec.structs.replace(circuit, neurons=neurons)


def records(program: Program) -> tuple[NeuronRecord, ...]:
    numbers = [(n.index, c) for c, circuit in enumerate(program.circuits) for n in circuit.neurons]
    return tuple(NeuronRecord(i, "coset", c, "0", "0", "0") for i, c in sorted(numbers))


def labels(width: int) -> tuple[NeuronLabel, ...]:
    return tuple(NeuronLabel(i, "coset", None, None, 1.0) for i in range(width))


@pytest.mark.parametrize("seed", [0, 1])
def test_shares_of_voters_add_up_to_the_margins_of_their_program(seed: int) -> None:
    """For all x, y, s of S3: the values at [j, js, p_j, y] summed over points, and the sign voters' share, are votes[w] - votes[z].

    The votes here are drawn anew, so the expected margins are computed from the voters' definition, on group elements.
    """
    program, group, members = random_program("S3", seed)
    bits = parity(group)
    weights = expand(program, group, members)
    voters = voters_of(program, group, members, weights, bits, DEFAULT.space_entries)
    voters += bias_voters(voters, bits)
    signs = sign_voters(program, group, members, weights, bits)
    assert {voter.twisted for voter in voters} == {True, False}
    assert signs
    places = _places([*voters, *signs])
    t = np.random.default_rng(seed).normal(size=places[-1].stop)
    every: list[Any] = [*voters, *signs]
    columns = [_column(program, voter) for voter in every]

    def votes(x: int, y: int) -> Any:
        given = np.zeros(group.order)
        for voter, place, column in zip(every, places, columns, strict=True):
            push = 1.0 if column is None else max(float(weights.L[x, column] + weights.R[y, column]), 0.0)
            given += push * (voter.basis @ t[place])
        return given

    for case in (Case(*bits_) for bits_ in product((0, 1), repeat=3)):
        families = _families(voters, places, case, np.flatnonzero(bits == case.y))
        values = [f.values(t, np.zeros(f.space.count), np.zeros((f.space.count,) * 3)) for f in families]
        share = sum(float(s.share(case) @ t[place]) for s, place in zip(signs, places[len(voters) :], strict=True))
        for x, y, s in product(*(np.flatnonzero(bits == bit) for bit in case)):
            found = share
            for family, table in zip(families, values, strict=True):
                row = int(np.flatnonzero(family.ys == y)[0])
                for p in range(family.space.count):
                    j = family.space.moved[p, x]
                    found += table[j, family.space.moved[j, s], p, row]
            given = votes(int(x), int(y))
            w, z = group.mul[x, y], group.mul[group.mul[x, s], y]
            assert found == pytest.approx(given[w] - given[z], abs=1e-3)


def test_slopes_are_adjoint_to_values() -> None:
    """The values are linear in votes, mu and lam: sum of E * values(t, mu, lam) is the product of (t, mu, lam) with the slopes of E."""
    program, group, members = random_program("S4", 3)
    bits = parity(group)
    voters = voters_of(program, group, members, expand(program, group, members), bits, DEFAULT.space_entries)
    places = _places(voters)
    rng = np.random.default_rng(4)
    case = Case(1, 0, 1)
    for family in _families(voters, places, case, np.flatnonzero(bits == case.y)):
        m = family.space.count
        t, mu, lam = rng.normal(size=places[-1].stop), rng.normal(size=m), rng.normal(size=(m, m, m))
        values = family.values(t, mu, lam)
        weights = rng.normal(size=values.shape).astype(np.float32)
        slopes = np.zeros_like(t), np.zeros_like(mu), np.zeros_like(lam)
        family.slope(weights, *slopes)
        expected = float((weights.astype(float) * values).sum())
        assert sum(float((a * b).sum()) for a, b in zip((t, mu, lam), slopes, strict=True)) == pytest.approx(expected, rel=1e-4)


def test_points_of_isomorphic_spaces_are_matched() -> None:
    """The map between the points over two conjugate stabilisers commutes with the group; there is none to a space of another size."""
    group = veto_program("S4")[1]
    first, last = stabilisers(group)[0], stabilisers(group)[3]
    bits = parity(group)
    one, other = Points(group, first, bits), Points(group, last, bits)
    to = same_points(one, other)
    assert to is not None
    for g, p in product(range(group.order), range(4)):
        assert other.moved[to[p], g] == to[one.moved[p, g]]
    assert same_points(Points(group, even(group), bits), one) is None


def test_a_start_settles_what_it_was_found_for() -> None:
    """Dual variables given over a space whose points have other numbers come back over the family's own points."""
    program, group, members = veto_program("S4")
    parts = take_apart(program, group, members)
    (family,) = parts.families
    case = Case(0, 0, 0)
    m = family.points.count
    rng = np.random.default_rng(5)
    mu, lam = rng.normal(size=m), rng.normal(size=(m, m, m))
    other = Points(group, stabilisers(group)[2], parts.parity)
    to = same_points(other, family.points)
    assert to is not None
    moved = lam[np.ix_(to, to, to)]
    found = Start((StartOf(other, None, {case: (mu[to], moved)}),)).duals(family, case)
    assert found is not None
    assert (found[0] == mu).all()
    assert (found[1] == lam).all()


@pytest.mark.parametrize("dtype", [np.int64, object])
def test_bias_tables_of_a_start_and_the_rest_add_up_to_the_bias(dtype: Any) -> None:
    """For every z: sum over p of B[p, pz] and the rest is the bias, in integers also where these are beyond 64 bits."""
    program, group, members = random_program("S4", 6)
    parts = take_apart(program, group, members)
    parts.bias = parts.bias.astype(dtype) * (2**70 if dtype is object else 1)
    space = next(family.points for family in parts.families if not family.mirrored)
    rng = np.random.default_rng(7)
    table = rng.normal(size=(space.count, space.count, 2))
    start_bias(parts, Start((StartOf(space, table, {}),)))
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
    """Votes on left cosets spoil the bounds of a right program; with votes on double cosets Q3 is proved, about another program."""
    built = one_sided(1)
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
    assert {circuit.votes.on for circuit in finding.written.program.circuits} == {"double cosets"}
    assert len(finding.neurons) == width
    assert {o.status for o in obligations_of(finding)} == {"PROVED"}


def test_one_flipped_vote_of_a_provable_program_is_not_proved() -> None:
    """The provable program with one circuit voting the other way is wrong somewhere, and refuted by a pair, from the same start."""
    source = written(one_sided(1))
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


def _families(voters: list[Any], places: list[slice], case: Case, ys: Any) -> list[FamilyBound]:
    by_space: dict[int, list[Any]] = {}
    for voter, place in zip(voters, places, strict=False):
        by_space.setdefault(id(voter.space), []).append((voter, place))
    return [FamilyBound.of(members, case, ys) for members in by_space.values()]


def _column(program: Program, voter: Any) -> int | None:
    if voter.circuit < 0:
        return None
    return sum(len(circuit.neurons) for circuit in program.circuits[: voter.circuit]) + int(voter.neuron)
