"""Q3 of programs that read x and y through images and shared lists of one point: proved as the programs on cosets that they are."""

import itertools

import msgspec
import numpy as np

from algebra.group import parse_group
from algebra.gset import GSet
from algebra.lattice import subgroups
from net.folded import folded_network
from net.planted import planted_network
from verify.compare.levels import mechanism
from verify.exact.exhaustive import evaluate
from verify.program.form import Form
from verify.program.program import FORMAT, Circuit, Neuron, Program, expand, group_record, subgroup_record
from verify.program.written import Written
from verify.symbolic.decide import decide_symbolic

S4 = parse_group("S4")
SUBGROUP = next(one for one in subgroups(S4).all if one.index == 4)
POINTS = GSet(SUBGROUP)


def on_points(planted):
    """The planted network exactly, each neuron by images of one point, a shared list with s = -1, and images of one point again."""
    exact, circuits = planted.network.weights.exact(), []
    for i, neuron in enumerate(planted.neurons):
        p, q = (POINTS.point(side) for side in (neuron.left, neuron.right))
        m, u = [0] * 4, [0] * 4
        for g in range(S4.order):
            m[POINTS.moved[p, g]], u[POINTS.moved[p, g]] = int(exact.L[g, i]), int(exact.U[i, g])
        a, d = (tuple(int(k == point) for k in range(4)) for point in (p, q))
        forms = Form("images", (0,), weights=a), Form("shared", (0,), weights=d), Form("images", (0,), weights=a)
        circuits.append(Circuit(*forms, (Neuron(i, tuple(m), (-8,), tuple(u)),)))
    p, v = exact.preactivation_bits, exact.vote_bits
    program = Program(FORMAT, group_record(S4), (subgroup_record(SUBGROUP),), p, v, (), tuple(circuits), 3)
    return Written(program, (SUBGROUP,), expand(program, S4, (SUBGROUP,)))


def decided(written, network):
    labels = tuple(range(network.width))  # only their number matters
    records = mechanism(labels, written.program, network.weights.exact(), written.weights.exact())
    return records, decide_symbolic(written, records, labels, network, evaluate(network.weights, expected=S4.mul))


def test_a_program_on_single_points_is_proved_as_a_program_on_cosets():
    planted = planted_network(S4, 0, 32)
    written = on_points(planted)
    for one, other in zip((written.weights.L, written.weights.R, written.weights.U), vars_of(planted.network.weights), strict=True):
        assert np.array_equal(one, other)
    records, finding = decided(written, planted.network)
    assert {record.kind for record in records} == {"coset"}
    assert (finding.status, finding.about) == ("PROVED", "provable")
    assert finding.written.program.scale_bits == 0
    assert len(finding.pushes) == 32
    assert written.program.constants < finding.written.program.constants


def vars_of(weights):
    return weights.L, weights.R, weights.U


def two_points():
    """Vetoes on pairs of points: relu(+-(m over where x sends A, less m over what y sends to B)), m = 1, 2, 4, 8, against zA = B."""
    pairs, circuits = list(itertools.combinations(range(4), 2)), []
    m = (1, 2, 4, 8)
    for number, (a, b) in enumerate(itertools.product(pairs, pairs)):
        taken = [int({int(POINTS.moved[p, z]) for p in a} == {*b}) for z in range(S4.order)]
        weights = [tuple(int(p in pair) for p in range(4)) for pair in (a, b)]
        forms = Form("images", (0,), weights=weights[0]), Form("shared", (0,), weights=weights[1]), Form("elements")
        neurons = tuple(
            Neuron(2 * number + k, tuple(sign * value for value in m), (-1,), tuple(-one for one in taken))
            for k, sign in enumerate((1, -1))
        )
        circuits.append(Circuit(*forms, neurons))
    program = Program(FORMAT, group_record(S4), (subgroup_record(SUBGROUP),), 0, 0, (), tuple(circuits))
    return Written(program, (SUBGROUP,), expand(program, S4, (SUBGROUP,)))


def test_several_points_leave_the_question_open_and_the_reason_says_so():
    """A program that is right everywhere, all of whose neurons add up over two points: no lemma is about them."""
    written = two_points()
    network = folded_network(S4, written.weights)
    assert np.array_equal(evaluate(network.weights, expected=S4.mul).answer, S4.mul)
    records, finding = decided(written, network)
    assert {record.kind for record in records} == {"rank one"}
    assert (finding.status, finding.about) == ("UNKNOWN", "readable")
    assert "lemmas bound 72 neurons adding up over several points" in finding.reason


def test_a_neuron_that_reads_x_through_two_points_is_kept_in_the_mirrored_provable_program():
    """It reads y through one point, so its votes on left cosets are bounded by lemmas about y; how it reads x is free."""
    planted = planted_network(S4, 0, 32)
    written = on_points(planted)
    first = written.program.circuits[0]
    wide = msgspec.structs.replace(first, left=msgspec.structs.replace(first.left, weights=(1, 1, 0, 0)))
    program = msgspec.structs.replace(written.program, circuits=(wide, *written.program.circuits[1:]))
    _, finding = decided(Written(program, written.subgroups, expand(program, S4, written.subgroups)), planted.network)
    assert (finding.status, finding.about) == ("PROVED", "provable")
    (kept,) = [c for c in finding.written.program.circuits for n in c.neurons if n.index == first.neurons[0].index]
    assert (kept.left.weights, kept.votes.on) == ((1, 1, 0, 0), "left cosets")
