"""The obligations: what they add up to, that z3 proves them, and that no wrong program passes."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from net.folded import folded_network
from net.weights import Weights
from verify.exact.exhaustive import evaluate
from verify.program.program import Program, expand
from verify.record.certificate import NeuronRecord
from verify.symbolic.correct import correct_tasks
from verify.symbolic.cross_check import cross_check
from verify.symbolic.decomposition import take_apart
from verify.symbolic.distance import distance_task
from verify.symbolic.families import Case
from verify.symbolic.lemma import LemmaWriter
from verify.symbolic.neurons import neuron_tasks
from verify.symbolic.obligations import prove_obligations
from verify.symbolic.proof_outline import Outline, outline_proof, sign_share
from verify.symbolic.replay import Replay
from verify.symbolic.solve import solve, write_scripts
from verify.symbolic.task import Counterexample, Task
from verify.symbolic.worker import run_script

sys.path.insert(0, str(Path(__file__).parent))
from symbolic_programs import Built, random_program, veto_program


def records(program: Program, deviations: tuple[str, str, str] = ("0", "0", "0")) -> tuple[NeuronRecord, ...]:
    """A record for each neuron of the program, all with the same deviations."""
    numbers = [(n.index, c) for c, circuit in enumerate(program.circuits) for n in circuit.neurons]
    return tuple(NeuronRecord(i, "coset", c, *deviations) for i, c in sorted(numbers))


def tasks_of(built: Built) -> list[Task]:
    program, group, members = built
    outline = planned_of(program, group, members)
    return correct_tasks(outline, Replay(outline, expand(program, group, members)).interpret)


def planned_of(*built: Any) -> Outline:
    """The plan of a program's proof."""
    return outline_proof(take_apart(*built))


def margins(built: Built, s: int) -> Any:
    """votes[xy] - votes[x s y] at every (x, y), from the definition."""
    program, group, members = built
    w = expand(program, group, members).exact()
    n = group.order
    result = np.zeros((n, n), dtype=object)
    for x in range(n):
        for y in range(n):
            votes = w.logits(x, y)
            result[x, y] = votes[group.mul[x, y]] - votes[group.mul[group.mul[x, s], y]]
    return result


@pytest.mark.parametrize(("name", "seed"), [("S3", 0), ("S3", 1), ("S4", 2)])
def test_the_parts_add_up_to_every_margin(name: str, seed: int) -> None:
    """Sum over families and points of T, parities, bias and leftover circuits is votes[xy] - votes[x s y] exactly."""
    built = random_program(name, seed)
    program, group, members = built
    parts = take_apart(program, group, members)
    assert name == "S3" or {family.mirrored for family in parts.families} == {False, True}
    assert parts.signs
    assert len(parts.rest) == 2
    rng = np.random.default_rng(seed)
    for s in range(1, group.order) if name == "S3" else rng.choice(np.arange(1, group.order), 3, replace=False):
        true = margins(built, int(s))
        for x in range(group.order):
            for y in range(group.order):
                case = Case(int(parts.parity[x]), int(parts.parity[y]), int(parts.parity[s]))
                w, z = int(group.mul[x, y]), int(group.mul[group.mul[x, s], y])
                found = sign_share(parts, case) + int(parts.bias_rest[w] - parts.bias_rest[z])
                for _, columns in parts.rest:
                    push = np.maximum(columns.left[x] + columns.right[y], 0)
                    found += int((push * (columns.votes[:, w] - columns.votes[:, z])).sum())
                for f, family in enumerate(parts.families):
                    found += share(parts, f, case, x, y, int(s), group, family)
                assert found == true[x, y]


_TABLES: dict[Any, Any] = {}


def share(parts: Any, f: int, case: Case, x: int, y: int, s: int, group: Any, family: Any) -> int:
    """The sum over the points j of T(j, js, p_j, y), read off the table."""
    key = (id(parts), f, case)
    if key not in _TABLES:
        _TABLES[key] = (parts, family.tables(case))
    tables = _TABLES[key][1]
    moved = family.points.moved
    if family.mirrored:
        x, y, s = int(group.inv[y]), int(group.inv[x]), int(group.inv[s])
    column = int(np.flatnonzero(tables.ys == y)[0])
    return sum(int(tables.whole[moved[p, x], moved[moved[p, x], s], p, column]) for p in range(family.points.count))


@pytest.mark.parametrize("name", ["S3", "S4"])
def test_the_terms_given_to_the_solver_are_the_tables_that_were_searched(name: str) -> None:
    """T evaluated through its terms, point by point, equals T evaluated on group elements."""
    program, group, members = random_program(name, 3)
    parts = take_apart(program, group, members)
    for case in parts.cases:
        for family in parts.families:
            tables = family.tables(case)
            reached = family.points.moved[:, tables.ys]
            total = np.zeros_like(tables.whole)
            for term in tables.terms:
                k = term.space.moved[term.q, tables.ys]
                for j in range(family.points.count):
                    for i in range(family.points.count):
                        if term.through:
                            b = reached[j if term.through == "j" else i]
                            total[j, i] += term.values[j, i][:, k, b]
                        else:
                            total[j, i] += term.values[j, i][:, k]
            assert (total == tables.whole).all()


@pytest.mark.parametrize("name", ["S3", "S4", "A4"])
def test_a_program_of_vetoes_is_proved(name: str, tmp_path: Path) -> None:
    """Every obligation of a right program is proved, with and without odd permutations."""
    program, group, members = veto_program(name)
    weights = expand(program, group, members)
    assert (evaluate(weights, expected=group.mul).answer == group.mul).all()
    outline = planned_of(program, group, members)
    result = prove_obligations(program, group, members, folded_network(group, weights), records(program), tmp_path, 30, 60, outline)
    assert result.symbolic.status == "PROVED"
    assert result.symbolic.reason == ""
    assert {o.id[:2] for o in result.symbolic.obligations} == {"O1", "O2", "O3"}
    assert set(result.seconds) == {o.id for o in result.symbolic.obligations}


def test_both_solvers_agree_on_the_files_of_a_run(tmp_path: Path) -> None:
    """cvc5 gives z3's answer to every check of every kind of obligation, and so on a script that has a model."""
    program, group, members = veto_program("S3")
    tasks = tasks_of((program, group, members))
    tasks += neuron_tasks(program, group, members, records(program))[:2]
    tasks.append(distance_task(program, group, members, folded_network(group, expand(program, group, members)), records(program)))
    tasks.append(Task("open", "x is false.", "(set-logic QF_UF)(declare-const x Bool)(assert x)(check-sat)"))
    write_scripts(tasks, tmp_path)
    agreement = cross_check(tmp_path, 30)
    assert sorted(agreement.agree) == sorted(f"obligations/{task.id}.smt2" for task in tasks)


def test_one_flipped_vote_is_refuted_by_a_pair_that_really_is_wrong(tmp_path: Path) -> None:
    """A circuit that votes for what it should veto: REFUTED, and the pair named has z ahead of xy."""
    program, group, members = veto_program("S4", flip=5)
    weights = expand(program, group, members)
    answers = evaluate(weights, expected=group.mul).answer
    assert (answers != group.mul).any()
    outline = planned_of(program, group, members)
    result = prove_obligations(program, group, members, folded_network(group, weights), records(program), tmp_path, 30, 60, outline)
    assert result.symbolic.status == "REFUTED"
    (text,) = (result.models[o.id] for o in result.symbolic.obligations if o.status == "REFUTED")
    found = re.fullmatch(r"at x = (.+), y = (.+) the output z = (.+) gets (\S+) votes and xy = (.+) gets (\S+)", text)
    assert found is not None
    from algebra.permutation import parse_cycles

    x, y, z, w = (group.index_of(parse_cycles(found[k], 4)) for k in (1, 2, 3, 5))
    assert group.mul[x, y] == w
    votes = weights.exact().logits(x, y)
    assert votes[z] >= votes[w]
    assert Fraction(found[4]) == Fraction(int(votes[z]), 2)


@pytest.mark.parametrize("seed", range(4))
def test_no_random_program_is_proved_right(seed: int, tmp_path: Path) -> None:
    """Random votes are wrong somewhere, and the status says so."""
    program, group, members = random_program("S3", seed)
    weights = expand(program, group, members)
    wrong = (evaluate(weights, expected=group.mul).answer != group.mul).any()
    assert wrong
    outline = planned_of(program, group, members)
    result = prove_obligations(program, group, members, folded_network(group, weights), records(program), tmp_path, 30, 60, outline)
    assert result.symbolic.status == "REFUTED"


@pytest.mark.parametrize("name", ["S3", "S4"])
def test_bounds_are_below_every_margin_whatever_the_potentials(name: str) -> None:
    """For each s, the sum of bounds found with dual variables of every kind is at most the least margin over x and y."""
    built = random_program(name, 0)
    program, group, members = built
    parts = take_apart(program, group, members)
    outline = outline_proof(parts)
    assert outline.failing is not None
    case, batch = outline.failing
    kinds = [any(getattr(p, kind).any() for p in batch.duals) for kind in ("mu", "lam")]
    assert all(kinds)
    assert name == "S3" or any(p.ties for p in batch.duals)
    totals = batch.totals(outline.constant(case))
    xs, ys = (np.flatnonzero(parts.parity == bit) for bit in (case.x, case.y))
    for s, bound in list(zip(batch.s, totals, strict=True))[:4]:
        assert bound <= margins(built, int(s))[np.ix_(xs, ys)].min()


@pytest.mark.parametrize("name", ["S3", "S4"])
def test_a_bound_that_is_one_unit_too_good_is_not_proved(name: str) -> None:
    """The solver proves each lemma with its beta, dual variables included, and has a model when one beta is raised by 1."""
    program, group, members = random_program(name, 1)
    outline = planned_of(program, group, members)
    assert outline.failing is not None
    for duals in outline.failing[1].duals:
        pairs = [(0, 1), (1, 0), (1, 1)]
        beta = duals.beta
        for raised in (0, 1):
            sharper = beta.copy()
            sharper[0, 1] += raised
            lines, checks = LemmaWriter(duals, duals.tables.ys, sharper, pairs).lines()
            answers, _ = run_script("\n".join(["(set-logic QF_LRA)", *lines]), 30)
            assert answers == (["sat"] if raised else ["unsat"]) + ["unsat"] * (checks - 1)


def test_potentials_that_do_not_cancel_are_not_proved() -> None:
    """The script of a lemma checks that lam adds up to 0: changed at one place, it has a model."""
    program, group, members = random_program("S4", 1)
    outline = planned_of(program, group, members)
    assert outline.failing is not None
    duals = next(p for p in outline.failing[1].duals if p.lam.any())
    duals.lam = duals.lam.copy()
    duals.lam[0, 0, 0] += 1
    lines, _ = LemmaWriter(duals, duals.tables.ys, duals.beta, []).lines()
    assert run_script("\n".join(["(set-logic QF_LRA)", *lines]), 30)[0] == ["sat"]


def test_batches_cover_every_s_once() -> None:
    """Where dual variables do not serve all s at once, the batches divide them, and every batch's exact bounds are positive."""
    from verify.symbolic import dual_ascent

    program, group, members = veto_program("S4")
    parts = take_apart(program, group, members)
    for case in parts.cases:
        tables = [family.tables(case) for family in parts.families]
        s = np.flatnonzero(parts.parity == case.s)
        s = s[s != 0]
        least = min(int(b) for b in dual_ascent.RealDuals(tables).batch(s).totals(0))
        settled, left = dual_ascent.find(dual_ascent.RealDuals(tables), s, -least, parts.scale)
        covered = np.concatenate([np.zeros(0, dtype=np.intp), *(batch.s for batch in settled)])
        rest = np.zeros(0, dtype=np.intp) if left is None else left.s
        assert sorted([*covered, *rest]) == sorted(s)
        assert all((batch.totals(-least) > 0).all() for batch in settled)


def test_neuron_intervals_hold_for_every_perturbed_preactivation() -> None:
    """What O2 states of a neuron holds at every pair for activations moved to the ends of their intervals, and is attained."""
    program, group, members = veto_program("S3")
    weights = expand(program, group, members)
    slack = Fraction(1, 8)
    tasks = neuron_tasks(program, group, members, records(program, ("1/8", "1/8", "0")))
    assert len(tasks) == weights.width
    for task in tasks[:6]:
        i = int(task.id.rsplit("-", 1)[1])
        assert run_script(task.script, 30)[0] == ["unsat"] * task.checks
        pushes = [
            max(Fraction(0), Fraction(int(weights.exact().L[x, i] + weights.exact().R[y, i]), 2) + 2 * sign * slack)
            for x in range(group.order)
            for y in range(group.order)
            for sign in (-1, 1)
        ]
        stated = [Fraction(found) for found in re.findall(r"at most (\S+?)(?= when|\.)", task.statement)]
        assert max(pushes) == max(stated)


def test_a_narrower_interval_of_a_neuron_is_not_proved() -> None:
    """With the deviation in the assumptions made larger than the one that the intervals were computed with, z3 finds a model."""
    program, group, members = veto_program("S3")
    (task, *_) = neuron_tasks(program, group, members, records(program, ("1/8", "1/8", "0")))
    wider = task.script.replace("(/ 1.0 8.0)", "(/ 1.0 4.0)")
    assert "sat" in run_script(wider, 30)[0]


def test_the_distance_bounds_every_margin_difference() -> None:
    """O3's bound is at least |margin of network - margin of program| at all pairs and outputs, and its script is proved."""
    program, group, members = veto_program("S3")
    written = expand(program, group, members)
    rng = np.random.default_rng(0)
    noise = [rng.integers(-8, 9, a.shape) / 64 for a in (written.L, written.R, written.U, written.b)]
    network = Weights.from_arrays(*(a + e for a, e in zip((written.L, written.R, written.U, written.b), noise, strict=True)))
    spread = [str(Fraction(float(np.abs(e).max()))) for e in noise[:3]]
    task = distance_task(program, group, members, folded_network(group, network), records(program, tuple(spread)))  # type: ignore[arg-type]
    bound = Fraction(re.search(r"at most (\S+) ", task.statement)[1])  # type: ignore[index]
    worst = 0.0
    for x in range(group.order):
        for y in range(group.order):
            d = network.logits(x, y) - written.logits(x, y)
            worst = max(worst, float(np.ptp(d)))
    assert 0 < worst <= bound
    assert run_script(task.script, 60)[0] == ["unsat"] * task.checks


def test_the_same_program_gives_the_same_bytes() -> None:
    built = veto_program("S4")
    assert [t.script for t in tasks_of(built)] == [t.script for t in tasks_of(veto_program("S4"))]


def test_what_the_solver_has_no_time_for_is_unknown(tmp_path: Path) -> None:
    """A hard script under a short limit, a script that is no script, and a deadline that has passed: all UNKNOWN."""
    names = [f"a{i}_{j}" for i in range(11) for j in range(10)]
    holes = [f"(declare-const {n} Bool)" for n in names]
    holes += [f"(assert (or {' '.join(f'a{i}_{j}' for j in range(10))}))" for i in range(11)]
    holes += [f"(assert (or (not a{i}_{j}) (not a{k}_{j})))" for j in range(10) for i in range(11) for k in range(i)]
    hard = Task("hard", "Eleven pigeons do not fit into ten holes.", "\n".join(["(set-logic QF_UF)", *holes, "(check-sat)"]))
    broken = Task("broken", "Nothing.", "(assert (= 1 2)\n(check-sat)")
    write_scripts([hard, broken], tmp_path)
    outcomes = solve([hard, broken], tmp_path, 0.3, time.perf_counter() + 30, 1)
    assert [outcome.status for outcome in outcomes] == ["UNKNOWN", "UNKNOWN"]
    late = solve([hard], tmp_path, 1, time.perf_counter() - 1, 1)
    assert late[0].detail == "not started within the total time"


def test_a_model_alone_refutes_nothing(tmp_path: Path) -> None:
    """A satisfiable script without a replayed counterexample is UNKNOWN, with what its model means as the detail."""
    task = Task(
        "open",
        "x is false.",
        "(set-option :produce-models true)(set-logic QF_UF)(declare-const x Bool)(assert x)(check-sat)",
        wanted=("x",),
        interpret=lambda values: Counterexample(f"x is {values['x']}"),
    )
    write_scripts([task], tmp_path)
    (outcome,) = solve([task], tmp_path, 5, time.perf_counter() + 30, 1)
    assert (outcome.status, outcome.detail) == ("UNKNOWN", "x is true")


def test_the_layer_is_imported_without_the_solver() -> None:
    code = "import sys, verify.symbolic, verify.symbolic.cross_check; sys.exit('z3' in sys.modules or 'cvc5' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
