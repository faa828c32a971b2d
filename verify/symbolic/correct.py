"""O1: the program is right for all x, y and z != xy, as lemmas on points and one sum.

`families` writes the margin votes[xy] - votes[z], z = x s y with s != 1, as constants of the parities plus, for each family, a sum over
points j. The obligations are, for each case of parities of x, y and s,

* per family, (2) of `dual_variables`: for all points j, j', p and all y;
* O1-signs, O1-bias, O1-rest: what is left over is at least a constant;
* O1-sum: for all s != 1, the right sides of (3) and the constants add up to more than 0.

Where no dual variables serve all s of a case at once, the s are divided into batches, each with lemmas and a sum of its own.
Numbers are integers in units of one vote: 2^-(preactivation_bits + scale_bits + vote_bits).
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from verify.record.certificate import Status
from verify.symbolic.dual_variables import Batch, DualVariables
from verify.symbolic.exact import Exact
from verify.symbolic.families import Case, Decomposition
from verify.symbolic.lemma import MOST_NUMBERS, LemmaWriter
from verify.symbolic.obligation import Obligation
from verify.symbolic.proof_outline import Outline
from verify.symbolic.smtlib import declared, disjunction, real, scope, script, total
from verify.symbolic.swing import extremes

WORDS = {0: "even", 1: "odd"}


def correct_obligations(outline: Outline, status: Status) -> list[Obligation]:
    """The obligations of O1; ``status`` is that of the sum where it falls short.

    When some s of a case is not settled, the sum over these s is the only task: the lemmas under it would prove nothing. There is none
    where the lemmas are too large.
    """
    if outline.too_large:
        return []
    if outline.failing is not None:
        case, batch = outline.failing
        return [_sum_obligation(outline, case, batch, f"O1-sum-{case.name}", [p.beta for p in batch.duals], status)]
    tasks, betas = _lemmas(outline)
    tasks += [_signs(outline), _bias(outline), *_rest(outline)]
    for case, batches in outline.batches.items():
        for number, batch in enumerate(batches):
            name = f"O1-sum-{case.name}" + (f"-{number + 1}" if len(batches) > 1 else "")
            found = [betas[case, number, f] for f in range(len(batch.duals))]
            tasks.append(_sum_obligation(outline, case, batch, name, found))
    return tasks


# --- the lemmas of the families ------------------------------------------------------------------------------------


class _Use(NamedTuple):
    """One use of a lemma: by the batch of this number in a case."""

    case: Case
    number: int
    batch: Batch
    duals: DualVariables


def _lemmas(outline: Outline) -> tuple[list[Obligation], dict[tuple[Case, int, int], Exact]]:
    """One task per family and per set of batches with the same tables and dual variables, where it is not too long, and the betas."""
    grouped: dict[tuple[int, bytes], list[_Use]] = {}
    for case, batches in outline.batches.items():
        for number, batch in enumerate(batches):
            for f, duals in enumerate(batch.duals):
                grouped.setdefault((f, _signature(duals)), []).append(_Use(case, number, batch, duals))
    tasks: list[Obligation] = []
    betas: dict[tuple[Case, int, int], Exact] = {}
    if not _enough(outline, grouped):  # each use has a lemma of its own, with its own beta
        apart = [(f, use) for (f, _), uses in grouped.items() for use in uses]
        grouped = {(f, str(k).encode()): [use] for k, (f, use) in enumerate(apart)}
    for (f, _), uses in grouped.items():
        beta = np.minimum.reduce([use.duals.beta for use in uses])
        lemma = _lemma(outline, uses, beta)
        tasks += [] if lemma is None else [lemma]
        betas.update({(use.case, use.number, f): beta for use in uses})
    return tasks, betas


def _enough(outline: Outline, grouped: dict[tuple[int, bytes], list[_Use]]) -> bool:
    """Whether the sums of all batches stay positive with the least beta of each set of uses, which their common lemma proves."""
    totals: dict[tuple[Case, int], Exact] = {}
    for uses in grouped.values():
        beta = np.minimum.reduce([use.duals.beta for use in uses])
        for use in uses:
            share = replace(use.duals, beta=beta).total(use.batch.s)
            totals[use.case, use.number] = totals.get((use.case, use.number), outline.constant(use.case)) + share
    return all(bool((total > 0).all()) for total in totals.values())


def _signature(duals: DualVariables) -> bytes:
    parts = [_bytes(duals.mu), _bytes(duals.lam)]
    parts += [f"{id(space)}".encode() + _bytes(values) for space, values in duals.ties]
    for term in duals.tables.terms:
        where = f"{id(term.space)} {term.q} {term.through}" if term.space else repr(duals.tables.ys.tolist())
        parts += [where.encode(), _bytes(term.values)]
    return b"\0".join(parts)


def _bytes(integers: Exact) -> bytes:
    """The same bytes for the same integers, in whichever way they are held."""
    try:
        words = integers.astype(np.int64)
    except OverflowError:  # Python integers beyond 64 bits
        return repr(integers.tolist()).encode()
    return repr(words.shape).encode() + words.tobytes()


def _lemma(outline: Outline, uses: list[_Use], beta: Exact) -> Obligation | None:
    """The lemma of these uses; None where its script would be too long (`MOST_NUMBERS`)."""
    duals = uses[0].duals
    ys = np.unique(np.concatenate([use.duals.tables.ys for use in uses]))
    moved = np.concatenate([use.duals.family.moved(use.batch.s) for use in uses], axis=1)
    pairs = sorted({(j, int(i)) for j, row in enumerate(moved) for i in row})
    writer = LemmaWriter(duals, ys, beta, pairs)
    if writer.numbers > MOST_NUMBERS:
        return None
    lines, checks = writer.lines()
    every = len(uses) == sum(len(batches) for batches in outline.batches.values())
    names = [use.case.name + (f".{use.number + 1}" if len(outline.batches[use.case]) > 1 else "") for use in uses]
    statement = (
        f"Circuits {duals.family.name}: for all x and y and all points j and j' that an s takes to each other"
        + ("" if every else f" (cases {', '.join(names)})")
        + ", the share that point j contributes to the margin, with its dual variables, is at least beta[j, j']."
    )
    name = f"O1-family-{duals.family.name}" + ("" if every else f"-{names[0]}" + ("-etc" if len(names) > 1 else ""))
    return Obligation(name, statement, script("QF_LRA", statement, lines), ("unsat",) * checks)


# --- constants -----------------------------------------------------------------------------------------------------


def _signs(outline: Outline) -> Obligation:
    """Exact arithmetic on a few constants, one check per case."""
    parts = outline.parts
    first = [0, int(parts.parity.argmax())]
    lines: list[str] = []
    for case, value in outline.signs.items():
        terms = []
        for _, c in parts.signs:
            for i in range(len(c.votes)):
                sum_ = f"(+ {real(int(c.left[first[case.x], i]))} {real(int(c.right[first[case.y], i]))})"
                push = f"(ite (< 0.0 {sum_}) {sum_} 0.0)"
                terms.append(f"(* {push} {real(int(c.votes[i, first[case.product]] - c.votes[i, first[case.other]]))})")
        lines += scope([f"(assert (< {total(terms)} {real(value)}))"])
    statement = (
        "Neurons that see parities alone: in each case of parities their share of the margin is at least the constant used in O1-sum."
    )
    return Obligation("O1-signs", statement, script("QF_LRA", statement, lines), ("unsat",) * len(outline.signs))


def _bias(outline: Outline) -> Obligation:
    """For every z: the bias less the tables B[p, pz], or B[p, pz^-1] of mirrored families, lies within the range of z's parity."""
    parts = outline.parts
    families = [family for family in parts.families if family.bias is not None]
    tables = [family.bias for family in parts.families if family.bias is not None]
    lines = declared(("b", *(f"t{f}_{p}" for f, family in enumerate(families) for p in range(family.points.count))), "Real")
    for odd, (low, high) in outline.bias.items():
        elements = np.flatnonzero(parts.parity == odd)
        rows = declared([f"e{z}" for z in elements], "Bool")
        rows.append(f"(assert {disjunction([f'e{z}' for z in elements])})")
        for f, family in enumerate(families):
            count = family.points.count
            rows += declared([f"z{f}_{p}_{q}" for p in range(count) for q in range(count)], "Bool")
            rows += [
                f"(assert (=> z{f}_{p}_{q} (= t{f}_{p} {real(int(tables[f][p, q, odd]))})))" for p in range(count) for q in range(count)
            ]
        for z in elements:
            seen = [f"z{f}_{p}_{family.seen[p, z]}" for f, family in enumerate(families) for p in range(family.points.count)]
            rows.append(f"(assert (=> e{z} (and {' '.join([*seen, f'(= b {real(int(parts.bias[z]))})'])})))")
        rest = total(["b", *(f"(- t{f}_{p})" for f, family in enumerate(families) for p in range(family.points.count))])
        rows.append(f"(assert (or (< {rest} {real(low)}) (< {real(high)} {rest})))")
        lines += scope(rows)
    statement = "For all z, the bias less its tables over points lies between the constants used in O1-sum for z's parity."
    return Obligation("O1-bias", statement, script("QF_LRA", statement, lines), ("unsat",) * len(outline.bias))


def _rest(outline: Outline) -> list[Obligation]:
    """One obligation for all circuits that belong to no family."""
    if not outline.rest:
        return []
    lines = declared(("w", "z"), "Real")
    for (_, columns), (_, bound) in zip(outline.parts.rest, outline.rest, strict=True):
        cells = [
            f"(and (<= {real(low)} w) (<= w {real(high)}) (<= {real(low)} z) (<= z {real(high)}))" for high, low in extremes(columns)
        ]
        lines += scope([f"(assert {disjunction(cells)})", f"(assert (< (- w z) {real(-bound)}))"])
    names = ", ".join(f"circuit {number}" for number, _ in outline.rest)
    statement = (
        f"Circuits outside all families ({names}): none can prefer one output to another by more than the constant used in O1-sum."
    )
    return [Obligation("O1-rest", statement, script("QF_LRA", statement, lines), ("unsat",) * len(outline.rest))]


# --- the sum -------------------------------------------------------------------------------------------------------


def _sum_obligation(outline: Outline, case: Case, batch: Batch, name: str, betas: list[Exact], status: Status = "PROVED") -> Obligation:
    parts = outline.parts
    elements, found = [int(s) for s in batch.s], batch.duals
    names = [f"e{s}" for s in elements]
    lines = declared(names, "Bool")
    lines.append(f"(assert {disjunction(names)})")
    terms, constant = [], outline.constant(case)
    moved = [duals.family.moved(np.array(elements)) for duals in found]
    for f, duals in enumerate(found):
        count = duals.family.points.count
        constant -= duals.constant
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
    expected = "unsat" if status == "PROVED" else "sat"
    return Obligation(name, statement, script("QF_LRA", statement, lines), (expected,), status)


def _sum_statement(parts: Decomposition, case: Case, count: int) -> str:
    where = f"{WORDS[case.x]} x, {WORDS[case.y]} y, " if parts.parity.any() else ""
    whole = int((parts.parity == case.s).sum()) - (case.s == 0)
    some = "" if count == whole else f"{count} of the {whole} "
    kind = f"{some}{WORDS[case.s]} s" if parts.parity.any() else f"{some}s"
    name = parts.group.name
    return f"For all x, y and s != 1 of {name} ({where}{kind}), the program's votes for xy exceed its votes for z = x s y."
