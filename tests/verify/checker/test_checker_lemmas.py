"""Q3 in the checker: its minima against a slow twin, its verdicts against brute force, and every number of a proof changed by one."""

from __future__ import annotations

import copy
import sys
from functools import cache
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pytest

from algebra.group import FiniteGroup, parse_group
from algebra.lattice import subgroups
from net.folded import folded_network
from verify.checker import lemmas
from verify.checker.groups import Group
from verify.checker.programs import Expanded
from verify.checker.progress import Progress
from verify.checker.shape import Differs, Malformed, SymbolicBatch, SymbolicDuals, SymbolicProof, SymbolicTie, parse
from verify.checker.shape import Program as ProgramRecord
from verify.checker.shape import Symbolic as SymbolicRecord
from verify.exact.exhaustive import evaluate
from verify.program.form import Form, linear_form
from verify.program.program import FORMAT, Circuit, Neuron, Program, expand, group_record, subgroup_record
from verify.program.written import Written
from verify.record.certificate import NeuronRecord, canonical_bytes
from verify.symbolic.decide import decide_outline, decide_symbolic
from verify.symbolic.decomposition import take_apart
from verify.symbolic.distance import margin_distance
from verify.symbolic.evidence import proof_record, symbolic_record
from verify.symbolic.proof_outline import outline_proof

sys.path.insert(0, str(Path(__file__).parents[1] / "symbolic"))
from symbolic_programs import veto_program

if TYPE_CHECKING:
    from algebra.subgroup import Subgroup

QUIET = Progress(None)


def plain(record: Any) -> Any:
    """A record as JSON reads it."""
    return msgspec.json.decode(canonical_bytes(record))


def expanded(program: Program, width: int) -> tuple[Expanded, Group]:
    """A program in the checker's own types."""
    record = parse(ProgramRecord, plain(program), "program")
    group = Group(record.group)
    return Expanded(record, group, width), group


def small_program(name: str, seed: int) -> tuple[Program, FiniteGroup, tuple[Subgroup, ...]]:
    """A random program over a small group: random subgroups, forms and integers, and often a strong table of right answers added."""
    group = parse_group(name)
    rng = np.random.default_rng(seed)
    members = tuple(subgroups(group).all)
    circuits: list[Circuit] = []
    index = 0
    strong = rng.random() < 0.8

    def numbers(form: Form, low: int, high: int) -> tuple[int, ...]:
        return tuple(int(v) for v in rng.integers(low, high + 1, linear_form(group, form, members).size))

    for _ in range(int(rng.integers(0, 4))):
        h, k = (int(v) for v in rng.integers(0, len(members), 2))
        left, right = Form("right cosets", (h,)), Form("left cosets", (k,))
        votes = [
            Form("double cosets", (h, k)), Form("right cosets", (h,)), Form("left cosets", (k,)), Form("coset sum", (h, k)),
            Form("elements"),
        ][int(rng.integers(0, 5))]  # fmt: skip
        neurons = []
        for _ in range(int(rng.integers(1, 3))):
            neurons.append(Neuron(index, numbers(left, -2, 2), numbers(right, -2, 2), numbers(votes, -2, 2)))
            index += 1
        circuits.append(Circuit(left, right, votes, tuple(neurons)))
    if strong:  # a veto for each pair of points of the natural action, far stronger than the rest on good days
        weight = int(rng.integers(1, 40))
        natural = [next(k for k, s in enumerate(members) if (s.mask == (group.elements[:, i] == i)).all()) for i in range(group.degree)]
        for i, k in product(range(group.degree), repeat=2):
            left, right = Form("right cosets", (natural[i],)), Form("left cosets", (natural[k],))
            votes = Form("double cosets", (natural[i], natural[k]))
            value = {
                left: lambda g, i=i: int(group.elements[g, i]),
                right: lambda g, k=k: -int(group.elements[g].tolist().index(k)),
                votes: lambda g, i=i, k=k: -weight * int(group.elements[g, i] == k),
            }
            lists = []
            for form in (left, right, votes):
                linear = linear_form(group, form, members)
                lists.append(tuple(value[form](int(np.flatnonzero(linear.index[0] == t)[0])) for t in range(linear.size)))
            l_, r, u = lists
            pair = (Neuron(index, l_, r, u), Neuron(index + 1, tuple(-v for v in l_), tuple(-v for v in r), u))
            index += 2
            circuits.append(Circuit(left, right, votes, pair))
    bias = tuple(int(v) for v in rng.integers(-3, 4, group.order)) if rng.random() < 0.5 else ()
    records = tuple(subgroup_record(s) for s in members)
    return Program(FORMAT, group_record(group), records, 0, 0, bias, tuple(circuits)), group, members


def margins(program: Program, group: FiniteGroup, members: tuple[Subgroup, ...]) -> dict[int, int]:
    """Per s != 1 the least votes[xy] - votes[x s y] over all x and y, from the definition."""
    w = expand(program, group, members).exact()
    n = group.order
    push = np.maximum(np.array(w.L, dtype=object)[:, None] + np.array(w.R, dtype=object)[None], 0)
    votes = push @ np.array(w.U, dtype=object) + np.array(w.b, dtype=object) if len(w.U) else np.tile(w.b, (n, n, 1))
    return {
        s: min(int(votes[x, y, group.mul[x, y]] - votes[x, y, group.mul[group.mul[x, s], y]]) for x in range(n) for y in range(n))
        for s in range(1, n)
    }


@pytest.mark.parametrize(("name", "count"), [("S3", 60), ("C5", 30), ("C4", 30), ("D8", 6)])
def test_what_the_checker_accepts_as_proved_is_right_for_all_x_y_z(name: str, count: int) -> None:
    """See `check_programs`."""
    check_programs(name, count)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "count"), [("S3", 1500), ("C5", 700), ("C4", 600), ("D8", 200), ("A4", 60), ("S4", 30)])
def test_what_the_checker_accepts_as_proved_is_right_for_all_x_y_z_thousands_of_times(name: str, count: int) -> None:
    """Some three thousand programs; see `check_programs`."""
    check_programs(name, count)


def check_programs(name: str, count: int) -> None:
    """Random programs: where the checker accepts PROVED, brute force finds every margin to be at least the least sum.

    A program that is wrong somewhere is REFUTED with a counterexample that the checker accepts. None is proved over C4, where the
    points of no space are taken to each other by even and by odd elements, and none of these over D8, where two points share a
    stabiliser, so that both of their circuits sit at one.
    """
    statuses = {"PROVED": 0, "REFUTED": 0, "UNKNOWN": 0}
    for seed in range(count):
        program, group, members = small_program(name, seed)
        true = margins(program, group, members)
        written = Written(program, members, expand(program, group, members))
        outline = outline_proof(take_apart(program, group, members))
        status, _, wrong = decide_outline(outline, written)
        statuses[status] += 1
        own, table = expanded(program, written.weights.width)
        if status == "PROVED":
            assert min(true.values()) > 0
            proof = parse(SymbolicProof, plain(proof_record(outline, members)), "proof")
            lemmas.check_proof(proof, own, table, QUIET)
            assert min(case.least for case in proof.cases) <= min(true.values())
        elif status == "REFUTED":
            assert min(true.values()) <= 0
            assert wrong is not None
            lemmas.check_counterexample(wrong, own.network, table)
        else:
            assert min(true.values()) > 0
    assert statuses["PROVED"] > (-1 if name in ("C4", "D8") else count // 50)
    assert statuses["REFUTED"] >= count // 10


@cache
def proved(name: str) -> list[tuple[Any, Expanded, Group]]:
    """A few proofs as JSON, those with ties, several families, a bias and a rest among them."""
    found: list[tuple[Any, Expanded, Group]] = []
    seen: set[tuple[bool, ...]] = set()
    for seed in range(60):
        program, group, members = small_program(name, seed)
        outline = outline_proof(take_apart(program, group, members))
        if outline.failing is not None:
            continue
        proof = plain(proof_record(outline, members))
        kinds = (
            bool(proof["rest"]), bool(proof["signs"]), len(proof["families"]) > 1, any(f["mirrored"] for f in proof["families"]),
            any(f["bias"] for f in proof["families"]), any(d["lam"] for c in proof["cases"] for b in c["batches"] for d in b["duals"]),
            any(b["ties"] for c in proof["cases"] for b in c["batches"]),
        )  # fmt: skip
        if kinds not in seen:
            seen.add(kinds)
            found.append((proof, *expanded(program, outline.parts.group.order * 100)))
    return found


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where the numbers of a JSON value stand."""
    if isinstance(value, dict):
        return [p for key, item in value.items() for p in paths(item, (*path, key))]
    if isinstance(value, list):
        return [p for k, item in enumerate(value) for p in paths(item, (*path, k))]
    return [path] if type(value) in (int, bool) else []


def slow_beta(case: Any, number: int, batch: Any, families: list[lemmas.Family], j: int, i: int) -> int:
    """Beta from its definition: over all x with p x = j, all z, and all y of the case, on group elements."""
    family = families[number]
    group, space = family.group, family.space
    x_bit, y_bit = (case.y, case.x) if family.mirrored else (case.x, case.y)

    def votes(circuit: lemmas.ByPoints, n: int, p: int, z: int) -> int:
        return circuit.votes[group.parity[z]][n][space.moved[p][z]]

    values = []
    for p, y in product(range(space.count), range(group.order)):
        if group.parity[y] != y_bit:
            continue
        x = next(g for g in range(group.order) if space.moved[p][g] == j and group.parity[g] == x_bit)
        end = next(g for g in range(group.order) if space.moved[p][g] == i and group.parity[g] == x_bit ^ case.s)
        w, z = group.mul[x][y], group.mul[end][y]
        total = batch.duals[number].mu[p]
        for circuit in family.at[p]:
            for n, right in enumerate(circuit.rows[circuit.row[y]]):
                push = max(0, circuit.left[x_bit][n][j] + right)
                total += push * (
                    circuit.votes[group.parity[w]][n][space.moved[p][w]] - circuit.votes[group.parity[z]][n][space.moved[p][z]]
                )
        if family.bias:
            total += family.bias[group.parity[w]][p][space.moved[p][w]] - family.bias[group.parity[z]][p][space.moved[p][z]]
        m, lam = space.count, batch.duals[number].lam
        if lam:
            total += sum(lam[(j * m + q) * m + space.moved[q][y]] for q in range(m))
        for tie in batch.ties:
            if tie.plain == number:
                twin = families[tie.mirrored].space
                phi = np.array(tie.phi, dtype=object).reshape(m, twin.count, m, twin.count)
                total += sum(int(phi[j, q, p, twin.moved[q][y]]) for q in range(twin.count))
            if tie.mirrored == number:
                twin = families[tie.plain].space
                phi = np.array(tie.phi, dtype=object).reshape(twin.count, m, twin.count, m)
                total -= sum(int(phi[q, j, twin.moved[q][y], p]) for q in range(twin.count))
        values.append(total)
    return min(values)


def random_batch(families: list[lemmas.Family], rng: Any) -> SymbolicBatch:
    """Random dual variables for every family, and a tie for every family with a mirrored one."""
    sizes = [family.space.count for family in families]

    def numbers(size: int) -> list[int]:
        return [int(v) for v in rng.integers(-9, 10, size)]

    ties = [
        SymbolicTie(f, g, numbers((sizes[f] * sizes[g]) ** 2))
        for f, g in product(range(len(families)), repeat=2)
        if not families[f].mirrored and families[g].mirrored
    ]
    return SymbolicBatch([SymbolicDuals(numbers(m), numbers(m**3), []) for m in sizes], ties)


@pytest.mark.parametrize("narrow", [1 << 62, 1])
@pytest.mark.parametrize("name", ["S3", "C5"])
def test_minima_are_those_of_the_definition(name: str, narrow: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every beta of a few proofs, with their dual variables and with random ones of every kind, in slots of 64 bits and in others."""
    monkeypatch.setattr(lemmas, "NARROW", narrow)
    kinds, rng = set(), np.random.default_rng(8)
    for raw, own, group in proved(name):
        proof = parse(SymbolicProof, raw, "proof")
        program = lemmas.Circuits(own)
        families = [lemmas.Family(f, program, group, lemmas.Space(group, own.subgroups[f.subgroup])) for f in proof.families]
        for case, (number, family) in product(proof.cases[:3], enumerate(families)):
            for batch in (*case.batches, random_batch(families, rng)):
                beta = lemmas.minima(case, number, family, batch, families)
                m = family.space.count
                assert beta == [[slow_beta(case, number, batch, families, j, i) for i in range(m)] for j in range(m)]
                kinds.add((family.mirrored, bool(batch.duals[number].lam), bool(batch.ties)))
    assert len(kinds) >= (4 if name == "S3" else 2)


@pytest.mark.parametrize("name", ["S3", "C5"])
def test_every_ninth_number_of_a_proof_changed_by_one_is_refused_or_still_a_proof(name: str) -> None:
    """See `change_numbers`."""
    change_numbers(name, 9)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["S3", "C5"])
def test_every_number_of_a_proof_changed_by_one_is_refused_or_still_a_proof(name: str) -> None:
    """See `change_numbers`."""
    change_numbers(name, 1)


def change_numbers(name: str, stride: int) -> None:
    """Changed by 1 either way: Differs or Malformed, but for what is another proof of the same.

    These are accepted: dual variables phi and those of lines, and entries of bias tables, that attain no minimum; and over C5, whose
    family has the five elements as points, another point or side for a circuit that can be read there. Each of these proofs is redone
    from the definition: its minima over group elements are those stated.
    """
    counts = {"refused": 0, "accepted": 0}
    for raw, own, group in proved(name)[:4]:
        lemmas.check_proof(parse(SymbolicProof, raw, "proof"), own, group, QUIET)
        changed = copy.deepcopy(raw)
        for path in paths(raw)[::stride]:
            for step in (-1, 1):
                place = changed
                for key in path[:-1]:
                    place = place[key]
                before = place[path[-1]]
                place[path[-1]] = (not before) if isinstance(before, bool) else before + step
                try:
                    lemmas.check_proof(parse(SymbolicProof, changed, "proof"), own, group, QUIET)
                except (Differs, Malformed):
                    counts["refused"] += 1
                else:
                    counts["accepted"] += 1
                    assert path[-2] in ("phi", "bias") or "lines" in path or (name == "C5" and path[-1] in ("point", "mirrored")), path
                    if counts["accepted"] % 5 == 1:
                        assert_minima(parse(SymbolicProof, changed, "proof"), own, group)
                place[path[-1]] = before
    assert counts["refused"] > 3 * counts["accepted"] > 0


def assert_minima(proof: SymbolicProof, own: Expanded, group: Group) -> None:
    """Every stated beta of the first case is that of the definition."""
    program = lemmas.Circuits(own)
    families = [lemmas.Family(f, program, group, lemmas.Space(group, own.subgroups[f.subgroup])) for f in proof.families]
    case = proof.cases[0]
    for batch, (number, family) in product(case.batches, enumerate(families)):
        m = range(family.space.count)
        assert batch.duals[number].beta == [slow_beta(case, number, batch, families, j, i) for j in m for i in m]


def test_unread_entries_of_a_bias_table_are_zero() -> None:
    """C5 has no odd permutations: a number for odd z, which no lemma reads, is refused."""
    raw, own, group = next(found for found in proved("C5") if any(f["bias"] for f in found[0]["families"]))
    raw = copy.deepcopy(raw)
    lemmas.check_proof(parse(SymbolicProof, raw, "proof"), own, group, QUIET)
    table = next(f["bias"] for f in raw["families"] if f["bias"])
    assert not any(table[1::2])
    table[3] = 1
    with pytest.raises(Malformed, match="where no z looks"):
        lemmas.check_proof(parse(SymbolicProof, raw, "proof"), own, group, QUIET)


def veto_symbolic() -> tuple[Any, Any]:
    """Q3 of the veto program of S3 as JSON, and everything that the checker needs beside it."""
    program, group, members = veto_program("S3")
    weights = expand(program, group, members)
    numbers = [(n.index, c) for c, circuit in enumerate(program.circuits) for n in circuit.neurons]
    records = tuple(NeuronRecord(i, "coset", c, "1/8", "0", "0") for i, c in sorted(numbers))
    answers = evaluate(weights, expected=group.mul)
    finding = decide_symbolic(Written(program, members, weights), records, (), folded_network(group, weights), answers)
    own, table = expanded(program, weights.width)
    around = SimpleNamespace(own=own, group=table, records=records, network=own.network)
    return plain(symbolic_record(finding)), around


def redo(raw: Any, around: Any, margin: str | None = "100") -> None:
    stated = parse(SymbolicRecord, raw, "symbolic")
    lemmas.check_symbolic(stated, around.own, around.records, around.network, margin, around.group, QUIET)


def test_pushes_and_distance_are_redone() -> None:
    """Every interval and the distance as the writer states them; each changed, left out, or without its reason, is refused."""
    raw, around = veto_symbolic()
    assert len(raw["pushes"]) == 18
    raw["distance"] = raw["distance"] or "9/4"
    program, group, members = veto_program("S3")
    bound = margin_distance(program, group, members, folded_network(group, expand(program, group, members)), around.records)
    raw["distance"] = str(bound.whole)
    redo(raw, around)
    for change, what in (
        (lambda c: c["pushes"][3]["intervals"][0].update(low="7"), "symbolic.pushes"),
        (lambda c: c["pushes"][3]["intervals"][0].update(high="1/2"), "symbolic.pushes"),
        (lambda c: c["pushes"][3]["intervals"][0].update(element=None), "symbolic.pushes"),
        (lambda c: c["pushes"][3]["intervals"].pop(), "symbolic.pushes"),
        (lambda c: c["pushes"].pop(), "symbolic.pushes"),
        (lambda c: c["pushes"].reverse(), "symbolic.pushes"),
        (lambda c: c.update(distance=str(bound.whole + 1)), "symbolic.distance"),
        (lambda c: c.update(distance="0"), "symbolic.distance"),
        (lambda c: c.update(status="UNKNOWN"), "symbolic.proof, there"),
        (lambda c: c.update(status="REFUTED", proof=None, counterexample=[1, 2, 0]), "symbolic.counterexample, wrong"),
        (lambda c: c.update(proof=None), "symbolic.proof, there"),
        (lambda c: c["proof"]["cases"].pop(), "cases of parities"),
        (lambda c: c["proof"]["families"][0]["members"].pop(), "every circuit is used once"),
        (lambda c: c["proof"]["cases"].append(c["proof"]["cases"][0]), "cases of parities"),
    ):
        changed = copy.deepcopy(raw)
        change(changed)
        with pytest.raises(Differs, match=f"^{what}: "):
            redo(changed, around)
    with pytest.raises(Differs, match="below the network's smallest margin"):
        redo(raw, around, str(bound.whole))
    with pytest.raises(Differs, match="below the network's smallest margin"):
        redo(raw, around, None)


def test_a_proof_about_another_program_is_refused() -> None:
    """The proof of the veto program beside the program with one circuit voting the other way: right proof, wrong program."""
    raw, around = veto_symbolic()
    program, _, _ = veto_program("S3", flip=4)
    around.own, around.group = expanded(program, 18)
    around.network = around.own.network
    with pytest.raises(Differs, match=r"^beta of family"):
        redo(raw, around)
