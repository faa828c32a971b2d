"""The obligations: what they add up to, that z3 proves them, and that no wrong program passes."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import threading
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from net.folded import folded_network
from net.weights import Weights
from verify.distil.labels import NeuronLabel
from verify.exact.exhaustive import evaluate
from verify.program.program import Program, expand
from verify.program.written import Written
from verify.record.certificate import NeuronRecord
from verify.symbolic import correct, dual_ascent
from verify.symbolic.all_obligations import obligations_of
from verify.symbolic.correct import correct_obligations
from verify.symbolic.decide import decide_outline, decide_symbolic
from verify.symbolic.decomposition import take_apart
from verify.symbolic.distance import distance_obligation, margin_distance
from verify.symbolic.dual_variables import relaxed, sharp
from verify.symbolic.families import Case
from verify.symbolic.lemma import LemmaWriter
from verify.symbolic.neuron_lemmas import NeuronPush, neuron_obligation, neuron_pushes
from verify.symbolic.obligation import Obligation, write_scripts
from verify.symbolic.proof_outline import Outline, outline_proof, sign_share
from verify.symbolic.settings import DEFAULT
from verify.symbolic.solver import opinions
from verify.symbolic.solver.opinions import Asked, SolverDisagrees, SolverProcess, ask_solvers, checked_budget
from verify.symbolic.solver.worker import cvc5_answers, z3_answers
from verify.symbolic.witness import beyond_proof

sys.path.insert(0, str(Path(__file__).parent))
from symbolic_programs import Built, cancelling_program, random_program, searched, stabilisers, veto_program


def records(program: Program, deviations: tuple[str, str, str] = ("0", "0", "0")) -> tuple[NeuronRecord, ...]:
    """A record for each neuron of the program, all with the same deviations."""
    numbers = [(n.index, c) for c, circuit in enumerate(program.circuits) for n in circuit.neurons]
    return tuple(NeuronRecord(i, "coset", c, *deviations) for i, c in sorted(numbers))


def written(built: Built) -> Written:
    """A built program as the distillation hands it on."""
    program, group, members = built
    return Written(program, members, expand(program, group, members))


def z3_says(script: str, limit_s: float = 30) -> list[str]:
    """z3's answers to a script."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "script.smt2"
        file.write_text(script, encoding="utf-8")
        return z3_answers(file, limit_s)


def pushes_of(built: Built, slack: str) -> list[NeuronPush]:
    program, group, members = built
    return neuron_pushes(program, group, members, records(program, (slack, slack, "0")))


def decided(built: Built) -> Any:
    """Q3 of a program as the network that it is itself."""
    program, group, _ = built
    source = written(built)
    answers = evaluate(source.weights, expected=group.mul)
    labels = tuple(NeuronLabel(i, "coset", None, None, 1.0) for i in range(source.weights.width))
    return decide_symbolic(source, records(program), labels, folded_network(group, source.weights), answers)


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
                assert term.space
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
def test_a_program_of_vetoes_is_proved_and_both_solvers_agree(name: str, tmp_path: Path) -> None:
    """Every lemma of a right program is proved by integers, with and without odd permutations, and z3 and cvc5 say the same."""
    built = veto_program(name)
    weights = written(built).weights
    assert (evaluate(weights, expected=built[1].mul).answer == built[1].mul).all()
    finding = decided(built)
    assert (finding.status, finding.reason, finding.counterexample) == ("PROVED", "", None)
    obligations = obligations_of(finding)
    assert {o.id[:2] for o in obligations} == {"O1", "O2", "O3"}
    assert {o.status for o in obligations} == {"PROVED"}
    write_scripts(obligations, tmp_path)
    opinions = ask_solvers(obligations, tmp_path, 60)
    assert {o.word for by_solver in opinions.values() for o in by_solver.values()} == {"agrees"}
    assert all(set(by_solver) == {"z3", "cvc5"} for by_solver in opinions.values())


def test_one_flipped_vote_is_refuted_by_a_pair_that_really_is_wrong(tmp_path: Path) -> None:
    """A circuit that votes for what it should veto: REFUTED, and the pair named has z ahead of xy; the solvers find a model."""
    built = veto_program("S4", flip=5)
    group = built[1]
    weights = written(built).weights
    assert (evaluate(weights, expected=group.mul).answer != group.mul).any()
    finding = decided(built)
    assert finding.status == "REFUTED"
    x, y, z = finding.counterexample
    votes = weights.exact().logits(x, y)
    assert z != group.mul[x, y]
    assert votes[z] >= votes[group.mul[x, y]]
    text = r"O1-sum: at x = (.+), y = (.+) the output z = (.+) gets (\S+) votes and xy = (.+) gets (\S+)"
    found = re.fullmatch(text, finding.reason)
    assert found is not None
    from algebra.permutation import parse_cycles

    assert [group.index_of(parse_cycles(found[k], 4)) for k in (1, 2, 3, 5)] == [x, y, z, group.mul[x, y]]
    assert Fraction(found[4]) == Fraction(int(votes[z]), 2)
    obligations = obligations_of(finding)
    (failed,) = (o for o in obligations if o.status != "PROVED")
    assert (failed.id[:6], failed.status, failed.expected) == ("O1-sum", "REFUTED", ("sat",))
    write_scripts([failed], tmp_path)
    assert {o.word for o in ask_solvers([failed], tmp_path, 60)[failed.id].values()} == {"agrees"}


@pytest.mark.parametrize("seed", range(4))
def test_no_random_program_is_proved_right(seed: int) -> None:
    """Random votes are wrong somewhere, and the status says so."""
    built = random_program("S3", seed)
    assert (evaluate(written(built).weights, expected=built[1].mul).answer != built[1].mul).any()
    assert decide_outline(planned_of(*built), written(built))[0] == "REFUTED"


@pytest.mark.parametrize("factor", [1, 1 << 40, 1 << 70, 1 << 950])
def test_minima_are_exact_beyond_64_bits(factor: int) -> None:
    """Votes times a power of two: minima, totals and status are the same times that power, whatever the type that holds them."""
    program, group, members = veto_program("S3")
    plain = planned_of(program, group, members)

    def scaled(neuron: Any) -> Any:
        return msgspec.structs.replace(neuron, votes=tuple(v * factor for v in neuron.votes))

    circuits = tuple(msgspec.structs.replace(c, neurons=tuple(map(scaled, c.neurons))) for c in program.circuits)
    large = msgspec.structs.replace(program, circuits=circuits)
    parts = take_apart(large, group, members)
    for case in parts.cases:
        for family, twin in zip(parts.families, plain.parts.families, strict=True):
            m = family.points.count
            zeros = np.zeros(m, dtype=np.int64), np.zeros((m, m, m), dtype=np.int64)
            one, other = sharp(family.tables(case), *zeros, []).beta, sharp(twin.tables(case), *zeros, []).beta
            assert [int(v) for v in one.ravel()] == [int(v) * factor for v in other.ravel()]
    assert decide_outline(outline_proof(parts), written((large, group, members)))[0] == "PROVED"


def test_sums_that_would_wrap_around_in_64_bits_are_exact() -> None:
    """Dual variables near 2^62 beside small tables: beta from `sharp` is the minimum of Python's integers, entry by entry."""
    program, group, members = random_program("S3", 5)
    parts = take_apart(program, group, members)
    rng = np.random.default_rng(6)
    for case in parts.cases:
        for family in parts.families:
            tables, m = family.tables(case), family.points.count
            mu = rng.integers(-(2**62), 2**62, m)
            lam = rng.integers(-(2**62), 2**62, (m, m, m))
            beta = sharp(tables, mu, lam, []).beta
            moved = family.points.moved
            for j, i in np.ndindex(m, m):
                values = (
                    int(tables.whole[j, i, p, k]) + int(mu[p]) + sum(int(lam[j, q, moved[q, y]]) for q in range(m))
                    for p in range(m)
                    for k, y in enumerate(tables.ys)
                )
                assert int(beta[j, i]) == min(values)


def test_terms_of_a_coset_sum_that_would_wrap_around_by_themselves_are_exact() -> None:
    """The votes of the sum are small, and so is every margin; a wrong program is not proved by what each term would be in 64 bits."""
    program, group, members = cancelling_program()
    built = written((program, group, members))
    assert int(abs(built.weights.exact().U).max()) < 1 << 20
    assert (evaluate(built.weights).answer != group.mul).sum() == 144
    parts = take_apart(program, group, members)
    assert {member.share for family in parts.families for member in family.members} == {"whole", "right", "left"}
    outline = outline_proof(parts)
    assert decide_outline(outline, built)[0] == "REFUTED"


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
            answers = z3_says("\n".join(["(set-logic QF_LRA)", *lines]))
            assert answers == (["sat"] if raised else ["unsat"]) + ["unsat"] * (checks - 1)


def test_a_lemma_that_is_too_long_has_no_script_and_changes_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without these lemmas the other scripts are byte for byte the same."""
    program, group, members = veto_program("S3")
    outline = planned_of(program, group, members)
    assert outline.failing is None
    whole = correct_obligations(outline, "PROVED")
    lemmas = [one for one in whole if one.id.startswith("O1-family")]
    assert lemmas
    monkeypatch.setattr(correct, "MOST_NUMBERS", 0)
    assert correct_obligations(outline, "PROVED") == [one for one in whole if one not in lemmas]


@pytest.mark.parametrize("name", ["S3", "S4"])
def test_the_numbers_of_a_lemma_are_counted(name: str) -> None:
    """What a lemma counts is at least what stands in its script, and its sums are the values of the left side, beside beta."""
    program, group, members = random_program(name, 1)
    outline = planned_of(program, group, members)
    assert outline.failing is not None
    for duals in outline.failing[1].duals:
        pairs = [(0, 1), (1, 1)]
        writer = LemmaWriter(duals, duals.tables.ys, duals.beta, pairs)
        sums: dict[tuple[int, ...], list[list[int]]] = {}
        for line in writer.lines()[0]:
            if line.startswith("; j = "):
                found = sums.setdefault(tuple(map(int, re.findall(r"= ([0-9]+)", line))), [])
            if line.startswith("(< "):
                numbers = re.findall(r"\(- [0-9]+\.0\)|[0-9]+\.0", line)
                found.append([int(number.strip("()").replace(" ", "")[:-2]) for number in numbers])
        assert 0 < sum(len(line) - 1 for lines in sums.values() for line in lines) <= writer.numbers
        table = relaxed(duals.tables, duals.mu, duals.lam, duals.ties)
        assert list(sums) == pairs
        for (j, i), lines in sums.items():
            assert {sum(line[:-1]) for line in lines} == set(table[j, i].ravel().tolist())
            assert {line[-1] for line in lines} == {int(duals.beta[j, i])}


def test_potentials_that_do_not_cancel_are_not_proved() -> None:
    """The script of a lemma checks that lam adds up to 0: changed at one place, it has a model."""
    program, group, members = random_program("S4", 1)
    outline = planned_of(program, group, members)
    assert outline.failing is not None
    duals = next(p for p in outline.failing[1].duals if p.lam.any())
    duals.lam = duals.lam.copy()
    duals.lam[0, 0, 0] += 1
    lines, _ = LemmaWriter(duals, duals.tables.ys, duals.beta, []).lines()
    assert z3_says("\n".join(["(set-logic QF_LRA)", *lines])) == ["sat"]


def test_what_is_beyond_proof_has_a_pair_that_shows_it_and_is_proved_by_no_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every s found so has a pair whose margin, with what circuits of no family could do at most, is not above 0."""
    known = {True: 0, False: 0}
    for program, group, members in (*(random_program("S3", seed) for seed in range(3)), veto_program("S3"), veto_program("A4", flip=2)):
        parts = take_apart(program, group, members)
        outline = Outline.before_search(parts)
        exact = expand(program, group, members).exact()
        logits = np.array([[list(exact.logits(x, y)) for y in range(group.order)] for x in range(group.order)], dtype=object)
        swing = sum(bound for _, bound in outline.rest)
        for case in parts.cases:
            outline.signs[case] = sign_share(parts, case)
            tables = [family.tables(case) for family in parts.families]
            s = np.flatnonzero(parts.parity == case.s)[int(case.s == 0) :]
            spread = sum(high - low for low, high in outline.bias.values())
            for one, beyond in zip(s, beyond_proof(tables, s, outline.constant(case)), strict=True):
                xs, ys = (np.flatnonzero(parts.parity == bit) for bit in (case.x, case.y))
                least = min(logits[x, y, group.mul[x, y]] - logits[x, y, group.mul[group.mul[x, one], y]] for x in xs for y in ys)
                known[bool(beyond)] += 1
                if beyond:  # the rest and the bias are bounded by what they could do at most
                    assert least <= 2 * (swing + spread)
            if beyond_proof(tables, s, outline.constant(case)).any():
                with monkeypatch.context() as patched:
                    patched.setattr("verify.symbolic.proof_outline.beyond_proof", lambda _, s, __: np.zeros(len(s), dtype=bool))
                    assert outline.search(case) is not None
    assert all(known.values())


def test_a_hurried_outline_fails_where_any_other_does_with_worse_bounds_or_the_same() -> None:
    """What is told of a program has dual variables behind it: those of the outline that was in no hurry."""
    skipped = 0
    for built in (*(random_program("S3", seed) for seed in range(4)), veto_program("S3"), veto_program("A4", flip=2)):
        hurried, patient = outline_proof(take_apart(*built), hurried=True), planned_of(*built)
        assert patient.looked
        assert (hurried.failing is None) == (patient.failing is None)
        if hurried.failing and patient.failing:
            assert hurried.failing[0] == patient.failing[0]
            skipped += not hurried.looked
            constant = patient.constant(patient.failing[0])
            assert max(hurried.failing[1].totals(constant)) <= 0
            assert min(hurried.failing[1].totals(constant)) <= min(patient.failing[1].totals(constant))
            finding = decided(built)
            if finding.provable is None:
                assert finding.outline.looked
    assert skipped


def test_batches_cover_every_s_once() -> None:
    """Where dual variables do not serve all s at once, the batches divide them, and every batch's exact bounds are positive."""
    program, group, members = veto_program("S4")
    parts = take_apart(program, group, members)
    for tables, s in searched(parts):
        least = min(int(b) for b in dual_ascent.RealDuals(tables).batch(s).totals(0))
        settled, left = dual_ascent.find(dual_ascent.RealDuals(tables), s, -least, parts.scale, DEFAULT)
        covered = np.concatenate([np.zeros(0, dtype=np.intp), *(batch.s for batch in settled)])
        rest = np.zeros(0, dtype=np.intp) if left is None else left.s
        assert sorted([*covered, *rest]) == sorted(s)
        assert all((batch.totals(-least) > 0).all() for batch in settled)


def test_neuron_intervals_hold_for_every_perturbed_preactivation() -> None:
    """What O2 states of a neuron holds at every pair for activations moved to the ends of their intervals, and is attained."""
    built = veto_program("S3")
    program, group, _ = built
    weights = written(built).weights
    slack = Fraction(1, 8)
    pushes = pushes_of(built, "1/8")
    assert len(pushes) == weights.width
    for push in pushes[:6]:
        task = neuron_obligation(group, push)
        assert z3_says(task.script) == list(task.expected)
        column = [n.index for c in program.circuits for n in c.neurons].index(push.index)
        found: dict[int, list[Fraction]] = {}
        h, k = (
            stabilisers(group)[program.circuits[column // 2].left.subgroups[0]],
            stabilisers(group)[program.circuits[column // 2].right.subgroups[0]],
        )
        for x, y in np.ndindex(group.order, group.order):
            coset = {int(group.mul[group.mul[a, group.mul[x, y]], b]) for a in h.elements for b in k.elements}
            reached = Fraction(int(weights.exact().L[x, column] + weights.exact().R[y, column]), 2)
            found.setdefault(min(coset), []).extend(max(Fraction(0), reached + 2 * sign * slack) for sign in (-1, 1))
        assert push.intervals == {c: (min(values), max(values)) for c, values in found.items()}


def test_a_narrower_interval_of_a_neuron_is_not_proved() -> None:
    """With the deviation in the assumptions made larger than the one that the intervals were computed with, z3 finds a model."""
    built = veto_program("S3")
    task = neuron_obligation(built[1], pushes_of(built, "1/8")[0])
    assert "sat" in z3_says(task.script.replace("(/ 1.0 8.0)", "(/ 1.0 4.0)"))


def test_the_distance_bounds_every_margin_difference() -> None:
    """O3's bound is at least |margin of network - margin of program| at all pairs and outputs, and its script is proved."""
    program, group, members = veto_program("S3")
    source = expand(program, group, members)
    rng = np.random.default_rng(0)
    noise = [rng.integers(-8, 9, a.shape) / 64 for a in (source.L, source.R, source.U, source.b)]
    network = Weights.from_arrays(*(a + e for a, e in zip((source.L, source.R, source.U, source.b), noise, strict=True)))
    spread = tuple(str(Fraction(float(np.abs(e).max()))) for e in noise[:3])
    distance = margin_distance(program, group, members, folded_network(group, network), records(program, spread))  # type: ignore[arg-type]
    worst = max(float(np.ptp(network.logits(x, y) - source.logits(x, y))) for x, y in np.ndindex(group.order, group.order))
    assert 0 < worst <= distance.whole
    task = distance_obligation(distance)
    assert z3_says(task.script, 60) == list(task.expected)


def test_the_distance_is_stated_where_it_says_something_and_nowhere_else() -> None:
    """A program that is its network has distance 0, below every margin; moved apart by more than the margins nothing is stated."""
    built = veto_program("S3")
    program, group, _ = built
    assert decided(built).distance.whole == 0
    source = written(built)
    answers = evaluate(source.weights, expected=group.mul)
    network = folded_network(group, source.weights)
    far = decide_symbolic(source, records(program, ("9", "9", "9")), (), network, answers)
    assert (far.status, far.distance) == ("PROVED", None)


def test_the_same_program_gives_the_same_bytes() -> None:
    one, other = (correct_obligations(planned_of(*veto_program("S4")), "UNKNOWN") for _ in range(2))
    assert [o.script for o in one] == [o.script for o in other]


def hard_script() -> str:
    names = [f"a{i}_{j}" for i in range(11) for j in range(10)]
    holes = [f"(declare-const {n} Bool)" for n in names]
    holes += [f"(assert (or {' '.join(f'a{i}_{j}' for j in range(10))}))" for i in range(11)]
    holes += [f"(assert (or (not a{i}_{j}) (not a{k}_{j})))" for j in range(10) for i in range(11) for k in range(i)]
    return "\n".join(["(set-logic QF_UF)", *holes, "(check-sat)"])


def test_time_outs_and_broken_scripts_change_no_status_and_are_told_apart(tmp_path: Path) -> None:
    hard = Obligation("hard", "Eleven pigeons do not fit into ten holes.", hard_script(), ("unsat",))
    broken = Obligation("broken", "Nothing.", "(assert (= 1 2)\n(check-sat)", ("unsat",))
    write_scripts([broken, hard], tmp_path)
    opinions = ask_solvers([broken, hard], tmp_path, 4)
    assert [opinions["broken"][name].word for name in ("z3", "cvc5")] == ["error", "error"]
    assert opinions["hard"]["z3"].word == "time-out"
    easy = Obligation("easy", "x.", "(set-logic QF_UF)(declare-const x Bool)(assert (and x (not x)))(check-sat)", ("unsat",))
    write_scripts([easy], tmp_path)
    assert ask_solvers([hard, easy], tmp_path, 1, jobs=1)["easy"]["z3"].word == "agrees", "short scripts come first"
    nobody = ask_solvers([hard], tmp_path, 0)
    assert {o.word for o in nobody["hard"].values()} == {"not asked"}


def test_solvers_at_work_are_ended_at_once(tmp_path: Path) -> None:
    """Their processes and threads are gone, within seconds of a budget of an hour; nothing is made of the answer that never came."""
    hard = [
        Obligation(name, "Eleven pigeons do not fit into ten holes.", hard_script(), ("unsat",)) for name in ("one", "two", "three")
    ]
    write_scripts(hard, tmp_path)
    threads, began = set(threading.enumerate()), time.perf_counter()
    asked = Asked(hard, tmp_path, 3600, jobs=2)
    try:
        while len(asked._processes) < 2:
            time.sleep(0.01)
        processes = [one._process for one in asked._processes]
    finally:
        asked.stop()
    assert time.perf_counter() - began < 60
    assert {*threading.enumerate()} <= threads
    assert all(one.poll() is not None for one in processes)
    assert not any(opinion.word == "agrees" for heard in asked.opinions().values() for opinion in heard.values())
    asked.stop()


def test_a_solver_that_ended_before_it_was_asked_is_closed(tmp_path: Path) -> None:
    """The request that never reached it is no error, and nothing stays open."""
    solver = SolverProcess("z3")
    solver.kill()
    solver._process.wait()
    assert solver.ask(tmp_path / "none.smt2", 1.0) is None
    solver.close()
    assert solver._process.stdin is not None
    assert solver._process.stdout is not None
    assert solver._process.stdin.closed
    assert solver._process.stdout.closed


@pytest.mark.parametrize(("there", "jobs"), [(1, 1), (2, 1), (3, 2), (64, 2)])
def test_a_run_has_a_core_beside_the_solvers(there: int, jobs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """At most two solvers at a time, and one where there is one core or two."""
    monkeypatch.setattr(opinions, "cores", lambda: there)
    assert opinions.beside() == jobs


def test_one_solver_is_asked_about_all_files_before_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Short files first; so that where the budget ends early every lemma has an opinion before some have two."""
    from verify.symbolic.solver import opinions as module

    asked: list[tuple[str, str, float]] = []

    class Process:
        """Answers at once, and says what it was asked."""

        def __init__(self, solver: str) -> None:
            self.solver = solver

        def ask(self, file: Path, limit_s: float) -> dict[str, Any]:
            asked.append((self.solver, file.stem, limit_s))
            return {"answers": ["unsat"], "seconds": 0.5}

        def close(self) -> None:
            """Nothing runs."""

    monkeypatch.setattr(module, "SolverProcess", Process)
    lemmas = [Obligation(name, "Nothing.", "x" * size, ("unsat",)) for name, size in (("long", 30), ("short", 10), ("middle", 20))]
    found = ask_solvers(lemmas, tmp_path, 8, jobs=1)
    assert [one[:2] for one in asked] == [(solver, name) for solver in ("z3", "cvc5") for name in ("short", "middle", "long")]
    assert max(limit for *_, limit in asked) <= 8 * module.LARGEST_SHARE
    assert {opinion.word for heard in found.values() for opinion in heard.values()} == {"agrees"}


@pytest.mark.parametrize("solver", ["z3", "cvc5"])
def test_a_solver_that_disagrees_stops_everything(solver: str, tmp_path: Path) -> None:
    """A lemma called proved whose file has a model, and one called open whose file has none: an error that names file and answers."""
    false = Obligation("false", "x.", "(set-logic QF_UF)(declare-const x Bool)(assert x)(check-sat)", ("unsat",))
    true = Obligation("true", "x.", "(set-logic QF_UF)(declare-const x Bool)(assert (and x (not x)))(check-sat)", ("sat",), "UNKNOWN")
    for obligation, said in ((false, "sat"), (true, "unsat")):
        write_scripts([obligation], tmp_path)
        with pytest.raises(SolverDisagrees, match=f"^{solver} answers '{said}' to check 1 of obligations/{obligation.id}.smt2"):
            ask_solvers([obligation], tmp_path, 30, solvers=[solver])


def test_a_solver_that_is_not_installed_has_no_opinion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from verify.symbolic.solver import opinions as module

    monkeypatch.setattr(module, "find_spec", lambda name: None if name == "cvc5" else object())
    true = Obligation("true", "x.", "(set-logic QF_UF)(declare-const x Bool)(assert (and x (not x)))(check-sat)", ("unsat",))
    write_scripts([true], tmp_path)
    assert {name: o.word for name, o in ask_solvers([true], tmp_path, 30)["true"].items()} == {"z3": "agrees", "cvc5": "not installed"}
    assert module.advice() == "no second opinion from cvc5: pip install cvc5"


@pytest.mark.parametrize("budget", [float("nan"), float("inf"), -1.0, 4_300_000.0, 1e300])
def test_a_budget_is_a_number_of_seconds_within_a_day(budget: float) -> None:
    with pytest.raises(ValueError, match="budget from 0 to 86400 seconds"):
        checked_budget(budget)
    assert [checked_budget(s) for s in (0.0, 0.5, 86_400.0)] == [0.0, 0.5, 86_400.0]


def test_both_solvers_read_the_same_answers(tmp_path: Path) -> None:
    file = tmp_path / "two.smt2"
    file.write_text("(set-logic QF_UF)(declare-const x Bool)(push 1)(assert x)(check-sat)(pop 1)(assert (and x (not x)))(check-sat)")
    assert z3_answers(file, 30) == cvc5_answers(file, 30) == ["sat", "unsat"]


def test_the_layer_is_imported_without_the_solver() -> None:
    modules = "verify.symbolic.all_obligations, verify.symbolic.solver.opinions"
    code = f"import sys, {modules}; sys.exit('z3' in sys.modules or 'cvc5' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
