"""Bounds for each y by itself, and circuits that read the other input freely: against brute force, in the search and in the checker."""

from __future__ import annotations

import copy
import sys
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from verify.checker import lemmas
from verify.checker.groups import Group
from verify.checker.programs import Expanded
from verify.checker.progress import Progress
from verify.checker.shape import Differs, Malformed, SymbolicProof, parse
from verify.checker.shape import Program as ProgramRecord
from verify.exact.exhaustive import correct_pairs, evaluate
from verify.program.form import Form
from verify.program.program import Circuit, Neuron, Program, expand
from verify.record.certificate import canonical_bytes
from verify.symbolic.correct import _bias
from verify.symbolic.decomposition import take_apart
from verify.symbolic.evidence import proof_record
from verify.symbolic.lines import Lines, find_lines
from verify.symbolic.obligation import write_scripts
from verify.symbolic.proof_outline import Outline, outline_proof
from verify.symbolic.settings import DEFAULT
from verify.symbolic.solver.opinions import SolverDisagrees, ask_solvers

sys.path.insert(0, str(Path(__file__).parent))
from symbolic_programs import Built, veto_program

QUIET = Progress(None)


def free_program(name: str, seed: int, mirrored: bool, size: int) -> Built:
    """The vetoes of a group of permutations, sixteenfold, and neurons that read one input through a point and the other freely.

    The latter vote through their point, by random integers up to ``size``.
    """
    program, group, members = veto_program(name)
    rng = np.random.default_rng(seed)
    circuits = []
    for circuit in program.circuits:
        neurons = tuple(msgspec.structs.replace(n, votes=tuple(16 * v for v in n.votes)) for n in circuit.neurons)
        circuits.append(msgspec.structs.replace(circuit, neurons=neurons))
    index = sum(len(circuit.neurons) for circuit in circuits)
    for point in range(group.degree):
        on_point = tuple(int(v) for v in rng.integers(-2, 3, group.degree))
        anywhere = tuple(int(v) for v in rng.integers(-2, 3, group.order))
        votes = tuple(int(v) for v in rng.integers(-size, size + 1, group.degree))
        form = Form("left cosets" if mirrored else "right cosets", (point,))
        sides = (Form("elements"), form) if mirrored else (form, Form("elements"))
        lists = (anywhere, on_point) if mirrored else (on_point, anywhere)
        circuits.append(Circuit(*sides, form, (Neuron(index + point, *lists, votes),)))
    return msgspec.structs.replace(program, circuits=tuple(circuits)), group, members


def outline_of(built: Built) -> Outline:
    program, group, members = built
    return outline_proof(take_apart(program, group, members))


def margins(built: Built) -> Any:
    """votes[xy] - votes[x s y] at [x, s, y], from the logits."""
    program, group, members = built
    exact, order = expand(program, group, members).exact(), group.order
    result = np.empty((order,) * 3, dtype=object)
    for x, y in product(range(order), repeat=2):
        logits = exact.logits(x, y)
        result[x, :, y] = logits[group.mul[x, y]] - np.asarray(logits, dtype=object)[group.mul[group.mul[x], y]]
    return result


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("name", ["S3", "A4"])
def test_lines_are_below_every_margin_whatever_their_numbers(name: str, mirrored: bool) -> None:
    """For every y (x^-1 where mirrored) and s of every case, with random mu: no margin of the case is less."""
    built = free_program(name, 3, mirrored, 6)
    parts = take_apart(*built)
    assert [family.mirrored for family in parts.families] == [mirrored]
    assert not parts.rest
    group, true = built[1], margins(built)
    rng = np.random.default_rng(1)
    outline = Outline.before_search(parts)
    for case in parts.cases:
        outline.signs[case] = 0
        tables = [family.tables(case) for family in parts.families]
        s = np.flatnonzero(parts.parity == case.s)[int(case.s == 0) :]
        points = parts.families[0].points.count
        for size in (0, 40):
            lines = Lines(tables, 3, [rng.integers(-size, size + 1, (len(tables[0].ys), points))])
            totals = lines.totals(s, outline.constant(case))
            others = np.flatnonzero(parts.parity == (case.y if mirrored else case.x))
            for (k, one), (row, y) in product(enumerate(s), enumerate(tables[0].ys)):
                seen = true[group.inv[y], one, others] if mirrored else true[others, one, y]
                assert totals[k, row] <= seen.min()


@cache
def proved(name: str, mirrored: bool) -> list[tuple[Any, Expanded, Group, Built]]:
    """Proofs with lines of programs with more and more noise, as JSON, with the program as the checker has it."""
    found = []
    for seed in range(12):
        built = free_program(name, seed, mirrored, 4 + seed)
        program, group, members = built
        outline = outline_of(built)
        if outline.failing is None:
            assert correct_pairs(evaluate(expand(program, group, members), expected=group.mul), group.mul).all()
            if outline.lines:
                record = parse(ProgramRecord, _plain(program), "program")
                own = Group(record.group)
                width = sum(len(circuit.neurons) for circuit in program.circuits)
                found.append((_plain(proof_record(outline, members)), Expanded(record, own, width), own, built))
    assert found
    return found


def _plain(record: Any) -> Any:
    return msgspec.json.decode(canonical_bytes(record))


def redo(raw: Any, own: Expanded, group: Group) -> int:
    return lemmas.check_proof(parse(SymbolicProof, raw, "proof"), own, group, QUIET)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("name", ["S3", "A4"])
def test_the_checker_redoes_lines_and_refuses_what_is_one_change_away(name: str, mirrored: bool) -> None:
    """The least sum one up or down; a line left out, too short or too long; a unit of 0; numbers that make a sum negative."""
    raw, own, group, _ = proved(name, mirrored)[0]
    assert redo(raw, own, group) > 0
    where = next(k for k, case in enumerate(raw["cases"]) if case["lines"])

    def refused(what: str, change: Any) -> None:
        changed = copy.deepcopy(raw)
        change(changed["cases"][where], changed)
        with pytest.raises((Differs, Malformed), match=what):
            redo(changed, own, group)

    refused("least sum in case", lambda case, _: case.update(least=case["least"] + 1))
    refused("least sum in case", lambda case, _: case.update(least=case["least"] - 1))
    refused("expected lines for", lambda case, _: case["lines"]["choices"].pop())
    refused("a line for every element", lambda case, _: case["lines"]["choices"][0].clear())
    refused("numbers mu of a line", lambda case, _: case["lines"]["choices"][0][0].append([]))
    refused("numbers mu of a line", lambda case, _: case["lines"]["choices"][0].__setitem__(0, [[1]]))
    refused("a positive unit", lambda case, _: case["lines"].update(unit=0))
    refused("a positive unit", lambda case, _: case["lines"].update(unit=-case["lines"]["unit"]))
    refused("looks at point|beta of family", lambda _, proof: proof["families"][0].update(mirrored=not mirrored))
    ys = len(raw["cases"][where]["lines"]["choices"])
    points = group.order // len(own.subgroups[raw["families"][0]["subgroup"]])
    for k in range(ys):  # a large price at one point makes the y's best sum negative
        bad = [[10**9] + [0] * (points - 1)]
        refused("least sum in case", lambda case, _, k=k, bad=bad: case["lines"]["choices"].__setitem__(k, [bad]))


def by_lines_first(raw: Any) -> Any:
    """The proof with the cases that lines settle before the others, and without batches in them."""
    changed = copy.deepcopy(raw)
    changed["cases"].sort(key=lambda case: case["lines"] is None)
    assert changed["cases"][0]["lines"]
    for case in changed["cases"]:
        if case["lines"]:
            case["batches"] = []
    return changed


@pytest.mark.parametrize("mirrored", [False, True])
def test_lines_are_refused_for_a_program_that_is_wrong_somewhere(mirrored: bool) -> None:
    """The same proof with the votes of one veto turned round, and with whatever least sums the checker finds: some is not above 0."""
    raw, _, group, (program, own, members) = proved("S3", mirrored)[0]
    first = program.circuits[0]
    neurons = tuple(msgspec.structs.replace(n, votes=tuple(-4 * v for v in n.votes)) for n in first.neurons)
    wrong: Program = msgspec.structs.replace(program, circuits=(msgspec.structs.replace(first, neurons=neurons), *program.circuits[1:]))
    assert not correct_pairs(evaluate(expand(wrong, own, members), expected=own.mul), own.mul).all()
    record = parse(ProgramRecord, _plain(wrong), "program")
    expanded = Expanded(record, group, sum(len(circuit.neurons) for circuit in wrong.circuits))
    changed = by_lines_first(raw)
    refusals = []
    for case in changed["cases"]:
        with pytest.raises(Differs, match=r"^least sum in case") as caught:
            redo(changed, expanded, group)
        refusals.append(str(caught.value))
        if "above 0" in refusals[-1]:
            break
        case["least"] = int(refusals[-1].rpartition(" ")[2])
    assert refusals[-1].endswith("above 0: the certificate states True, the checker finds False")


def test_lines_with_families_of_both_kinds_are_refused() -> None:
    """A line is about one y; a mirrored family looks at x^-1."""
    raw, own, group, _ = proved("S3", False)[0]
    changed = by_lines_first(raw)
    family = changed["families"][0]
    kept, moved = family["members"][:-1], family["members"][-1:]
    both = [m for m in kept if own.program.circuits[m["circuit"]].votes.on == "double cosets"]
    changed["families"] = [
        {**family, "members": [m for m in kept + moved if m not in both[:1]]},
        {**family, "members": both[:1], "mirrored": True, "bias": []},
    ]
    for case in changed["cases"]:
        for choices in (case["lines"] or {"choices": []})["choices"]:
            for choice in choices:
                choice.append([])
    with pytest.raises(Malformed, match="all mirrored or all not"):
        redo(changed, own, group)


@pytest.mark.parametrize("name", ["S3", "A4"])
def test_what_is_hopeless_is_known_at_once(name: str) -> None:
    """Where no numbers can settle an s, find_lines says so; where it does not, the bounds it finds are positive."""
    known = {True: 0, False: 0}
    for seed, size in product(range(4), (5, 60)):
        parts = take_apart(*free_program(name, seed, False, size))
        outline = Outline.before_search(parts)
        for case in parts.cases:
            outline.signs[case] = 0
            tables = [family.tables(case) for family in parts.families]
            s = np.flatnonzero(parts.parity == case.s)[int(case.s == 0) :]
            lines, left = find_lines(tables, s, outline.constant(case), DEFAULT)
            known[bool(len(left))] += 1
            if not len(left):
                best = np.maximum.reduce([some.totals(s, outline.constant(case)) for some in lines])
                assert (best > 0).all()
    assert all(known.values())


def test_a_proof_about_a_program_of_squares_is_refused() -> None:
    """The lemmas' pushes are those of relu; the same program read as one of squares is another function."""
    raw, own, group, (program, _, _) = proved("S3", False)[0]
    record = parse(ProgramRecord, _plain(msgspec.structs.replace(program, format="coset-voting program 3")), "program")
    squares = Expanded(record, group, own.network.width)
    assert squares.network.squared
    with pytest.raises(Differs, match="of squares"):
        redo(raw, squares, group)


@pytest.mark.parametrize("mirrored", [False, True])
def test_the_solver_agrees_on_what_tables_leave_of_a_bias(mirrored: bool, tmp_path: Path) -> None:
    """A bias of tables and noise: its file says what was computed, z^-1 for mirrored families; with narrower ranges it is false."""
    program, group, members = free_program("S3", 3, mirrored, 6)
    rng = np.random.default_rng(5)
    table = rng.integers(-40, 41, (3, 3))
    seen = group.elements if not mirrored else group.elements[group.inv]
    bias = tuple(int(sum(table[p, image[p]] for p in range(3)) + rng.integers(0, 2)) for image in seen)
    parts = take_apart(msgspec.structs.replace(program, bias=bias), group, members)
    outline = Outline.before_search(parts)
    assert [family.mirrored for family in parts.families if family.bias is not None and family.bias.any()] == [mirrored]
    assert all(high - low < 10 < max(bias) - min(bias) for low, high in outline.bias.values())
    true = _bias(outline)
    write_scripts([true], tmp_path)
    assert {o.word for o in ask_solvers([true], tmp_path, 60)[true.id].values()} == {"agrees"}

    odd, (low, high) = next((odd, ends) for odd, ends in outline.bias.items() if ends[0] < ends[1])
    outline.bias[odd] = low, high - 1
    false = _bias(outline)
    write_scripts([false], tmp_path)
    with pytest.raises(SolverDisagrees, match=false.id):
        ask_solvers([false], tmp_path, 60)
