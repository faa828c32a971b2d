"""What the checker would not go through is not called proved: the search counts the entries of its lemmas as the checker does."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pytest

from net.folded import folded_network
from net.units import Units
from verify.checker import lemmas
from verify.checker.groups import Group
from verify.checker.programs import Expanded
from verify.checker.progress import Progress
from verify.checker.shape import Malformed, SymbolicProof, parse
from verify.checker.shape import Program as ProgramRecord
from verify.distil.labels import NeuronLabel
from verify.exact.exhaustive import evaluate
from verify.program.form import Form
from verify.program.program import Circuit, Neuron, expand
from verify.program.written import Written
from verify.record.certificate import NeuronRecord, canonical_bytes
from verify.symbolic import proof_outline
from verify.symbolic.all_obligations import obligations_of
from verify.symbolic.decide import SymbolicFinding, decide_symbolic, rescaled_finding
from verify.symbolic.decomposition import take_apart
from verify.symbolic.evidence import proof_record
from verify.symbolic.proof_outline import Outline, outline_proof
from verify.symbolic.swing import distinct, entries_of

sys.path.insert(0, str(Path(__file__).parent))
from symbolic_programs import veto_program

if TYPE_CHECKING:
    from symbolic_programs import Built

QUIET = Progress(None)


def with_rest(name: str, seed: int, strength: int = 200, flip: int | None = None) -> Built:
    """The vetoes of a group, so many fold, and a circuit of two neurons that reads both inputs freely and votes weakly."""
    program, group, members = veto_program(name, flip)
    rng = np.random.default_rng(seed)
    circuits = [
        msgspec.structs.replace(
            c, neurons=tuple(msgspec.structs.replace(n, votes=tuple(strength * v for v in n.votes)) for n in c.neurons)
        )
        for c in program.circuits
    ]
    first, free = sum(len(c.neurons) for c in circuits), Form("elements")
    lists = [[tuple(int(v) for v in rng.integers(-3, 4, group.order)) for _ in range(3)] for _ in range(2)]
    circuits.append(Circuit(free, free, free, tuple(Neuron(first + k, *some) for k, some in enumerate(lists))))
    return msgspec.structs.replace(program, circuits=tuple(circuits)), group, members


def outline_of(built: Built) -> Outline:
    return outline_proof(take_apart(*built))


def decided(built: Built) -> SymbolicFinding:
    """Q3 of a program as the network that it is itself."""
    program, group, members = built
    weights = expand(program, group, members)
    labels = tuple(NeuronLabel(i, "coset", None, None, 1.0) for i in range(weights.width))
    answers = evaluate(weights, expected=group.mul)
    return decide_symbolic(Written(program, members, weights), records(built), labels, folded_network(group, weights), answers)


def records(built: Built) -> tuple[NeuronRecord, ...]:
    numbers = sorted((n.index, c) for c, circuit in enumerate(built[0].circuits) for n in circuit.neurons)
    return tuple(NeuronRecord(i, "coset", c, "0", "0", "0") for i, c in numbers)


def redo(outline: Outline, built: Built) -> int:
    """What the checker makes of the proof."""
    program, _, members = built
    record = parse(ProgramRecord, plain(program), "program")
    own = Group(record.group)
    proof = parse(SymbolicProof, plain(proof_record(outline, members)), "proof")
    return lemmas.check_proof(proof, Expanded(record, own, sum(len(c.neurons) for c in program.circuits)), own, QUIET)


def plain(record: Any) -> Any:
    return msgspec.json.decode(canonical_bytes(record))


def rest_entries(outline: Outline) -> int:
    return sum(entries_of(distinct(columns)) for _, columns in outline.parts.rest)


def test_the_search_stops_where_the_checker_does() -> None:
    """One limit, and spaces of no more points than the checker takes."""
    assert proof_outline.LARGEST_TABLE == lemmas.LARGEST_TABLE
    most = int(proof_outline.DEFAULT.space_entries**0.25)  # points^3 |G| is at least points^4
    assert most < lemmas.LARGEST_SPACE


@pytest.mark.parametrize("name", ["S3", "S4"])
def test_entries_are_counted_as_the_checker_counts_them(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Families and circuits outside of them: each count passes, and one less is refused with the count in words."""
    built = with_rest(name, 1)
    outline = outline_of(built)
    assert outline.settled
    for count in (outline.entries, rest_entries(outline)):
        assert count > 0
    redo(outline, built)
    for limit in sorted((outline.entries, rest_entries(outline))):
        monkeypatch.setattr(lemmas, "LARGEST_TABLE", limit - 1)
        with pytest.raises(Malformed, match=r"at most [\d,]+ entries, got [\d,]+") as refused:
            redo(outline, built)
        got = int(re.findall(r"got ([\d,]+)", str(refused.value))[0].replace(",", ""))
        assert got in (outline.entries, rest_entries(outline))
        assert got >= limit
    monkeypatch.setattr(lemmas, "LARGEST_TABLE", max(outline.entries, rest_entries(outline)))
    redo(outline, built)


@pytest.mark.parametrize("part", ["families", "rest"])
def test_a_program_whose_lemmas_are_one_entry_too_large_is_not_proved(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the limit it is PROVED; one below it UNKNOWN, with the reason and without obligations of O1, in other units as well."""
    built = with_rest("S4", 1) if part == "rest" else veto_program("S4")
    outline = outline_of(built)
    counts = {"families": outline.entries, "rest": rest_entries(outline)}
    assert counts[part] == max(counts.values())
    monkeypatch.setattr(proof_outline, "LARGEST_TABLE", counts[part])
    assert decided(built).status == "PROVED"
    monkeypatch.setattr(proof_outline, "LARGEST_TABLE", counts[part] - 1)
    assert part == "families" or decided(built).about == "provable"  # another program, without such a circuit
    monkeypatch.setattr("verify.symbolic.decide.find_provable", lambda *_: None)
    found = decided(built)

    assert (found.status, found.counterexample) == ("UNKNOWN", None)
    what = "lemmas" if part == "families" else "circuits outside of all families"
    counted = f"{what} have {counts[part]:,} entries, of which the checker goes through at most {counts[part] - 1:,}"
    assert found.reason == f"O1: {counted}"
    assert not [task.id for task in obligations_of(found) if task.id.startswith("O1")]
    group = built[1]
    network = folded_network(group, found.written.weights)
    answers = evaluate(network.weights, expected=group.mul)
    monkeypatch.setattr(proof_outline, "LARGEST_TABLE", counts[part])  # what was left open stays open
    again = rescaled_finding(found, Units.of(network.weights.width, 1, -3), found.neurons, network, answers)
    assert (again.status, again.reason) == ("UNKNOWN", found.reason)


def test_a_wrong_program_is_refuted_whatever_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a pair that it gets wrong, though nothing is bounded."""
    built = with_rest("S4", 1, flip=0)
    monkeypatch.setattr(proof_outline, "LARGEST_TABLE", 1000)
    found = decided(built)
    assert found.status == "REFUTED"
    assert found.counterexample is not None
    x, y, z = found.counterexample
    votes, product = found.written.weights.exact().logits(x, y), int(built[1].mul[x, y])
    assert z != product
    assert votes[z] >= votes[product]
    assert found.reason.startswith("O1: at x = ")


def test_no_bound_is_had_of_circuits_that_were_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The constant of a case adds up every circuit, or fails."""
    monkeypatch.setattr(proof_outline, "LARGEST_TABLE", 10)
    outline = outline_of(with_rest("S3", 1))
    assert outline.too_large
    assert not outline.settled
    case = next(iter(outline.parts.cases))
    outline.signs[case] = 0
    with pytest.raises(ValueError, match="zip"):
        outline.constant(case)
