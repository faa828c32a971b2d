"""Neurons read through their nearest points, compared with the definition, and a proof that only divided neurons reach."""

import copy
import json
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from algebra.group import parse_group
from algebra.lattice import subgroups
from verify.checker import lemmas
from verify.checker.groups import Group
from verify.checker.programs import Expanded
from verify.checker.progress import Progress
from verify.checker.shape import Differs, SymbolicProof, parse
from verify.checker.shape import Program as ProgramRecord
from verify.compare.levels import kept_after_removal, mechanism
from verify.distil.labels import NeuronLabel
from verify.exact.exhaustive import correct_pairs, evaluate
from verify.program.form import Form
from verify.program.program import FORMAT, Circuit, Neuron, Program, expand, group_record, subgroup_record
from verify.program.written import Written
from verify.record.certificate import canonical_bytes
from verify.symbolic.evidence import proof_record
from verify.symbolic.points import Points, parities
from verify.symbolic.provable.nearest import through_points
from verify.symbolic.provable.search import find_provable
from verify.symbolic.settings import DEFAULT

sys.path.insert(0, str(Path(__file__).parent))
from symbolic_programs import veto_program

SCALE, BITS = 3, 6


def program_over(name: str, seed: int) -> Written:
    """Neurons that read through one point, several points with and without a sign, shared lists and element by element."""
    group = parse_group(name)
    lattice = subgroups(group)
    point = next(s for s in lattice.all if (s.mask == (group.elements[:, 0] == 0)).all())
    signs = np.asarray(group.parity)
    even = next(s for s in lattice.all if (s.mask == (signs == signs[0])).all())
    members, n, rng = (point, even), group.degree, np.random.default_rng(seed)
    kernel = 1 if even.order < group.order else None

    def numbers(count: int) -> tuple[int, ...]:
        return tuple(int(v) for v in rng.integers(-100, 100, count))

    weights = (1, 2, *(0,) * (n - 2))
    shared = Form("shared", (0,), (kernel,), (1, 0, -1, *(0,) * (n - 3)), constant=True)
    readings: list[tuple[Form, Form, int, int]] = [
        (Form("right cosets", (0,), (None,)), Form("left cosets", (0,), (None,)), n, n),
        (Form("images", (0,), (None,), weights), Form("preimages", (0,), (None,), weights), n, n),
        (Form("images", (0,), (kernel,), weights, constant=True), shared, n + 1, 2),
        (Form("elements"), Form("elements"), group.order, group.order),
    ]
    circuits = [
        Circuit(left, right, Form("elements"), (Neuron(k, numbers(a), numbers(b), numbers(group.order)),))
        for k, (left, right, a, b) in enumerate(readings)
    ]
    if kernel is not None:
        sign = Form("right cosets", (1,), (None,))
        circuits.append(Circuit(sign, sign, sign, (Neuron(len(circuits), numbers(2), numbers(2), numbers(2)),)))
    program = Program(FORMAT, group_record(group), tuple(map(subgroup_record, members)), BITS, 0, (), tuple(circuits), SCALE)
    return Written(program, members, expand(program, group, members))


def mean(values: Any, moved: Any, bits: Any, z: int) -> Fraction:
    """The mean of integers over the elements that take the point where z does and have its parity."""
    same = [int(v) for v, q, bit in zip(values, moved, bits, strict=True) if (q, bit) == (moved[z], bits[z])]
    return Fraction(sum(same), len(same))


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize(("name", "parts"), [("S4", 1), ("S4", 3), ("A4", 2)])
def test_every_neuron_reads_the_mean_over_where_one_point_is_taken(name: str, parts: int, mirrored: bool) -> None:
    """By brute force over all elements: the nearest points first, the other input as before, up to half a unit of rounding."""
    old = program_over(name, parts)
    group = old.subgroups[0].group
    bits, inv = parities(group), group.inv
    spaces = [Points(old.subgroups[0], bits)]
    new = through_points(old, group, spaces, mirrored, parts, msgspec.structs.replace(DEFAULT, least_share=0.0))
    unit = 1 << BITS + SCALE
    before, after = old.weights.exact(), new.weights.exact()
    assert (before.preactivation_bits, after.preactivation_bits) == (BITS + SCALE, BITS)
    first, second = (before.R[inv], before.L[inv]) if mirrored else (before.L, before.R)
    made, kept = (after.R[inv], after.L[inv]) if mirrored else (after.L, after.R)
    times: dict[int, list[int]] = {}
    for column, neuron in enumerate(n for c in new.program.circuits for n in c.neurons):
        times.setdefault(neuron.index, []).append(column)
    assert sorted(times) == list(range(len(first[0])))
    for index, columns in times.items():
        own = first[:, index]
        if index == 4:  # of parities alone
            assert (made[:, columns[0]] * (1 << SCALE) == own).all()
            continue
        found, errors = [], []
        for p in range(len(spaces[0].moved)):
            nearest = [mean(own, spaces[0].moved[p], bits, z) for z in range(group.order)]
            errors.append((sum((Fraction(int(v)) - m) ** 2 for v, m in zip(own, nearest, strict=True)), p, nearest))
        errors.sort(key=lambda item: item[:2])
        varied = sum((Fraction(int(v)) - Fraction(int(own.sum()), group.order)) ** 2 for v in own)
        single = 10 * errors[0][0] < varied  # one point explains more than nine tenths
        assert len(columns) == (1 if single else parts)
        for column in columns:
            fits = [
                p
                for _, p, nearest in errors[: len(columns)]
                if all(
                    abs(Fraction(int(v), 1 << BITS) - m / unit) <= Fraction(1, 1 << BITS)
                    for v, m in zip(made[:, column], nearest, strict=True)
                )
            ]
            assert fits
            found += fits
            difference = [
                abs(Fraction(int(a), 1 << BITS) - Fraction(int(b), unit))
                for a, b in zip(kept[:, column], second[:, index], strict=True)
            ]
            assert max(difference) <= (Fraction(1, 1 << BITS) if index == 2 else 0)
        assert len({*found}) == len(columns)


def through_two_points() -> tuple[Written, Written]:
    """A right program over S4, and one with as many neurons that all read x and y through two points each."""
    program, group, members = veto_program("S4")
    rng = np.random.default_rng(0)
    circuits: list[Circuit] = []
    for i in range(4):
        for k in range(4):
            read, seen = (tuple(int(p in (q, (q + 1) % 4)) for p in range(4)) for q in (i, k))
            for sign in (16, -16):
                numbers = tuple(sign * int(v) for v in rng.permutation(4))
                neuron = Neuron(len(circuits), numbers, tuple(-v for v in numbers), (0, 0))
                left, right = Form("images", (0,), (None,), read), Form("preimages", (0,), (None,), seen)
                circuits.append(Circuit(left, right, Form("double cosets", (0, 1)), (neuron,)))
    other = msgspec.structs.replace(program, format=FORMAT, circuits=tuple(circuits), preactivation_bits=4)
    return Written(program, members, expand(program, group, members)), Written(other, members, expand(other, group, members))


def test_divided_neurons_reach_a_proof_that_the_checker_redoes() -> None:
    """The program is right by exact evaluation; changed votes are refused; a divided neuron has no deviations."""
    network, readable = through_two_points()
    group = network.subgroups[0].group
    assert find_provable(readable, group, network.weights, settings=msgspec.structs.replace(DEFAULT, most_votes=100)) is None
    found = find_provable(readable, group, network.weights)
    assert found is not None
    assert correct_pairs(evaluate(found.written.weights, expected=group.mul), group.mul).all()
    program = found.written.program
    indices = [n.index for c in program.circuits for n in c.neurons]
    divided = {i for i in indices if indices.count(i) > 1}
    assert divided
    raw = json.loads(canonical_bytes(proof_record(found.outline, found.written.subgroups)))
    stated = json.loads(canonical_bytes(program))

    def redone(changed: Any) -> None:
        record = parse(ProgramRecord, changed, "program")
        own = Group(record.group)
        lemmas.check_proof(parse(SymbolicProof, raw, "proof"), Expanded(record, own, 32, divisible=True), own, Progress(None))

    redone(stated)
    wrong = copy.deepcopy(stated)
    wrong["circuits"][0]["neurons"][0]["votes"] = [-vote for vote in wrong["circuits"][0]["neurons"][0]["votes"]]
    with pytest.raises(Differs):
        redone(wrong)
    record = parse(ProgramRecord, stated, "program")
    with pytest.raises(Differs, match="each once"):
        Expanded(record, Group(record.group), 32)
    labels = tuple(NeuronLabel(i, "coset", None, None, 1.0) for i in range(32))
    records = mechanism(labels, program, network.weights.exact(), found.written.weights.exact())
    assert {r.index for r in records if r.kind == "divided"} == divided
    assert all((r.left_deviation is None) == (r.index in divided or r.index not in indices) for r in records)
    for seed in range(4):  # the parts of a neuron are removed together
        network_kept, program_kept = kept_after_removal(program, 32, 0.4, seed)
        assert all(kept == network_kept[i] for i, kept in zip(indices, program_kept, strict=True))
