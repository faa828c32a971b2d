"""O1: the program is right for all x, y and z != xy, as lemmas on points and one sum.

`families` writes the margin votes[xy] - votes[z], z = x s y with s != 1, as constants of the parities plus, for each family, a sum over
points j. The obligations are, for each case of parities of x, y and s,

* per family, (2) of `potentials`: for all points j, j', p and all y;
* O1-signs, O1-bias, O1-rest: what is left over is at least a constant;
* O1-sum: for all s != 1, the right sides of (3) and the constants add up to more than 0.

Where no potentials serve all s of a case at once, the s are divided into batches, each with lemmas and a sum of its own.
Numbers are integers in units of one vote: 2^-(preactivation_bits + vote_bits).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from verify.symbolic.families import Case, Parts
from verify.symbolic.lemma import LemmaWriter
from verify.symbolic.plan import Plan, extremes
from verify.symbolic.potentials import Batch, Potentials
from verify.symbolic.smtlib import declared, disjunction, real, scope, script, total
from verify.symbolic.task import Counterexample, Task

WORDS = {0: "even", 1: "odd"}
Interpret = Callable[[Case, dict[str, str]], Counterexample]


def correct_tasks(planned: Plan, interpret: Interpret) -> list[Task]:
    """The obligations of O1. ``interpret`` reads a model of O1-sum, in which e<s> is true for one element s.

    When some s of a case is not settled, the sum over these s is the only task: the lemmas under it would prove nothing.
    """
    if planned.failing is not None:
        case, batch = planned.failing
        return [_sum_task(planned, case, batch, f"O1-sum-{case.name}", [p.beta for p in batch.potentials], interpret)]
    tasks, betas = _lemmas(planned)
    tasks += [_signs_task(planned), _bias_task(planned), *_rest_tasks(planned)]
    for case, batches in planned.batches.items():
        for number, batch in enumerate(batches):
            name = f"O1-sum-{case.name}" + (f"-{number + 1}" if len(batches) > 1 else "")
            found = [betas[case, number, f] for f in range(len(batch.potentials))]
            tasks.append(_sum_task(planned, case, batch, name, found, interpret))
    return tasks


# --- the lemmas of the families ------------------------------------------------------------------------------------


class _Use(NamedTuple):
    """One use of a lemma: by the batch of this number in a case."""

    case: Case
    number: int
    batch: Batch
    potentials: Potentials


def _lemmas(planned: Plan) -> tuple[list[Task], dict[tuple[Case, int, int], Any]]:
    """One task per family and per set of batches with the same tables and potentials; the beta that each proves."""
    grouped: dict[tuple[int, bytes], list[_Use]] = {}
    for case, batches in planned.batches.items():
        for number, batch in enumerate(batches):
            for f, potentials in enumerate(batch.potentials):
                grouped.setdefault((f, _signature(potentials)), []).append(_Use(case, number, batch, potentials))
    tasks, betas = [], {}
    for (f, _), uses in grouped.items():
        beta = np.minimum.reduce([use.potentials.beta for use in uses])
        tasks.append(_lemma(planned, uses, beta))
        betas.update({(use.case, use.number, f): beta for use in uses})
    return tasks, betas


def _signature(potentials: Potentials) -> bytes:
    parts = [potentials.mu.tobytes(), potentials.lam.tobytes()]
    parts += [f"{id(space)}".encode() + values.tobytes() for space, values in potentials.ties]
    for term in potentials.tables.terms:
        parts += [f"{id(term.space)} {term.q} {term.through}".encode(), repr(term.values.tolist()).encode()]
    return b"\0".join(parts)


def _lemma(planned: Plan, uses: list[_Use], beta: Any) -> Task:
    potentials = uses[0].potentials
    ys = np.unique(np.concatenate([use.potentials.tables.ys for use in uses]))
    moved = np.concatenate([use.potentials.family.moved(use.batch.s) for use in uses], axis=1)
    pairs = sorted({(j, int(i)) for j, row in enumerate(moved) for i in row})
    lines, checks = LemmaWriter(potentials, ys, beta, pairs).lines()
    every = len(uses) == sum(len(batches) for batches in planned.batches.values())
    names = [use.case.name + (f".{use.number + 1}" if len(planned.batches[use.case]) > 1 else "") for use in uses]
    statement = (
        f"Circuits {potentials.family.name}: for all x and y and all points j and j' that an s takes to each other"
        + ("" if every else f" (cases {', '.join(names)})")
        + ", the share that point j contributes to the margin, with its potentials, is at least beta[j, j']."
    )
    name = f"O1-family-{potentials.family.name}" + ("" if every else f"-{names[0]}" + ("-etc" if len(names) > 1 else ""))
    return Task(name, statement, script("QF_LRA", statement, lines), checks)


# --- constants -----------------------------------------------------------------------------------------------------


def _signs_task(planned: Plan) -> Task:
    """Exact arithmetic on a few constants, one check per case."""
    parts = planned.parts
    first = [0, int(parts.parity.argmax())]
    lines: list[str] = []
    for case, value in planned.signs.items():
        terms = []
        for c in parts.signs:
            for i in range(len(c.votes)):
                sum_ = f"(+ {real(int(c.left[first[case.x], i]))} {real(int(c.right[first[case.y], i]))})"
                push = f"(ite (< 0.0 {sum_}) {sum_} 0.0)"
                terms.append(f"(* {push} {real(int(c.votes[i, first[case.product]] - c.votes[i, first[case.other]]))})")
        lines += scope([f"(assert (< {total(terms)} {real(value)}))"])
    statement = (
        "Neurons that see parities alone: in each case of parities their share of the margin is at least the constant used in O1-sum."
    )
    return Task("O1-signs", statement, script("QF_LRA", statement, lines), len(planned.signs))


def _bias_task(planned: Plan) -> Task:
    """For every z: the bias less the tables B[p, pz] lies within the range of z's parity."""
    parts = planned.parts
    families = [family for family in parts.families if family.bias is not None]
    lines = declared(("b", *(f"t{f}_{p}" for f, family in enumerate(families) for p in range(family.points.count))), "Real")
    for odd, (low, high) in planned.bias.items():
        elements = np.flatnonzero(parts.parity == odd)
        rows = declared([f"e{z}" for z in elements], "Bool")
        rows.append(f"(assert {disjunction([f'e{z}' for z in elements])})")
        for f, family in enumerate(families):
            count = family.points.count
            rows += declared([f"z{f}_{p}_{q}" for p in range(count) for q in range(count)], "Bool")
            rows += [
                f"(assert (=> z{f}_{p}_{q} (= t{f}_{p} {real(int(family.bias[p, q, odd]))})))"
                for p in range(count)
                for q in range(count)
            ]
        for z in elements:
            seen = [f"z{f}_{p}_{family.points.moved[p, z]}" for f, family in enumerate(families) for p in range(family.points.count)]
            rows.append(f"(assert (=> e{z} (and {' '.join([*seen, f'(= b {real(int(parts.bias[z]))})'])})))")
        rest = total(["b", *(f"(- t{f}_{p})" for f, family in enumerate(families) for p in range(family.points.count))])
        rows.append(f"(assert (or (< {rest} {real(low)}) (< {real(high)} {rest})))")
        lines += scope(rows)
    statement = "For all z, the bias less its tables over points lies between the constants used in O1-sum for z's parity."
    return Task("O1-bias", statement, script("QF_LRA", statement, lines), len(planned.bias))


def _rest_tasks(planned: Plan) -> list[Task]:
    """One task for all circuits that belong to no family."""
    if not planned.rest:
        return []
    lines = declared(("w", "z"), "Real")
    for (_, columns), (_, bound) in zip(planned.parts.rest, planned.rest, strict=True):
        cells = [
            f"(and (<= {real(low)} w) (<= w {real(high)}) (<= {real(low)} z) (<= z {real(high)}))" for high, low in extremes(columns)
        ]
        lines += scope([f"(assert {disjunction(cells)})", f"(assert (< (- w z) {real(-bound)}))"])
    names = ", ".join(name for name, _ in planned.rest)
    statement = (
        f"Circuits outside all families ({names}): none can prefer one output to another by more than the constant used in O1-sum."
    )
    return [Task("O1-rest", statement, script("QF_LRA", statement, lines), len(planned.rest))]


# --- the sum -------------------------------------------------------------------------------------------------------


def _sum_task(
    planned: Plan,
    case: Case,
    batch: Batch,
    name: str,
    betas: list[Any],
    interpret: Interpret,
) -> Task:
    parts = planned.parts
    elements, found = [int(s) for s in batch.s], batch.potentials
    names = [f"e{s}" for s in elements]
    lines = declared(names, "Bool")
    lines.append(f"(assert {disjunction(names)})")
    terms, constant = [], planned.constant(case)
    moved = [potentials.family.moved(np.array(elements)) for potentials in found]
    for f, potentials in enumerate(found):
        count = potentials.family.points.count
        constant -= potentials.constant
        lines += declared([f"s{f}_{j}_{i}" for j in range(count) for i in range(count)], "Bool")
        lines += declared([f"m{f}_{j}" for j in range(count)], "Real")
        terms += [f"m{f}_{j}" for j in range(count)]
        lines += [f"(assert (=> s{f}_{j}_{i} (<= {real(int(betas[f][j, i]))} m{f}_{j})))" for j in range(count) for i in range(count)]
    for n, element in enumerate(names):
        images = [f"s{f}_{j}_{k[j, n]}" for f, k in enumerate(moved) for j in range(len(k))]
        if images:
            lines.append(f"(assert (=> {element} (and {' '.join(images)})))")
    lines += [f"(assert (<= {total([*terms, real(constant)])} 0.0))", "(check-sat)"]
    statement = _sum_statement(parts, case, len(elements))
    return Task(
        name,
        statement,
        script("QF_LRA", statement, lines, models=True),
        wanted=tuple(names),
        interpret=lambda values: interpret(case, values),
    )


def _sum_statement(parts: Parts, case: Case, count: int) -> str:
    where = f"{WORDS[case.x]} x, {WORDS[case.y]} y, " if parts.parity.any() else ""
    whole = int((parts.parity == case.s).sum()) - (case.s == 0)
    some = "" if count == whole else f"{count} of the {whole} "
    kind = f"{some}{WORDS[case.s]} s" if parts.parity.any() else f"{some}s"
    name = parts.group.name
    return f"For all x, y and s != 1 of {name} ({where}{kind}), the program's votes for xy exceed its votes for z = x s y."
