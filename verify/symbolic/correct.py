"""O1: the program is right for all x, y and z != xy, as lemmas on points and one sum.

`families` writes the margin votes[xy] - votes[z], z = x s y with s != 1, as constants of the parities plus, for each family, a sum over
points j. The obligations are, for each case of parities of x, y and s,

* per family, (2) of `potentials`: for all points j, j', p and all y;
* O1-signs, O1-bias, O1-rest: what is left over is at least a constant;
* O1-sum: for all s != 1, the right sides of (3) and the constants add up to more than 0.

Numbers are integers in units of one vote: 2^-(preactivation_bits + vote_bits).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from algebra.group import FiniteGroup
from verify.symbolic.families import Case, Columns, Parts
from verify.symbolic.points import Points
from verify.symbolic.potentials import Potentials, find
from verify.symbolic.smtlib import declared, disjunction, real, scope, script, total
from verify.symbolic.task import Counterexample, Task

WORDS = {0: "even", 1: "odd"}


@dataclass(eq=False)
class Plan:
    """Everything that the obligations of O1 state: constants and potentials of each case."""

    parts: Parts
    signs: dict[Case, int]
    bias: dict[int, tuple[int, int]]
    rest: list[tuple[str, int]]
    potentials: dict[Case, list[Potentials]]
    failing: Case | None = None

    def least(self, case: Case) -> int:
        """The smallest sum of bounds over all s != 1 of the case's parity: the program is right in this case when it is positive."""
        s = np.flatnonzero(self.parts.parity == case.s)
        return self.constant(case) + int(np.min(sum(p.total(s[s != 0]) for p in self.potentials[case])))

    def search(self, case: Case) -> None:
        """Compute the constants and the potentials of one case."""
        self.signs[case] = _signs(self.parts, case)
        tables = [family.tables(case) for family in self.parts.families]
        self.potentials[case] = find(tables, self.constant(case), self.parts.scale)

    def fail_at(self, case: Case) -> None:
        """Let the failing case be this one, where a counterexample is known."""
        if case not in self.potentials:
            self.search(case)
        self.failing = case

    def constant(self, case: Case) -> int:
        """What parities, bias and leftover circuits give at least."""
        low = self.bias[case.product][0] - self.bias[case.other][1]
        return self.signs[case] + low - sum(bound for _, bound in self.rest)


def plan(parts: Parts) -> Plan:
    """Compute the constants and search the potentials of every case, up to the first case whose bounds do not add up."""
    result = Plan(parts, {}, _bias_range(parts), [(name, _swing(c)) for name, c in parts.rest], {})
    for case in parts.cases:
        result.search(case)
        if result.least(case) <= 0:
            result.failing = case
            break
    return result


def correct_tasks(planned: Plan, interpret: Callable[[Case, dict[str, str]], Counterexample]) -> list[Task]:
    """The obligations of O1. ``interpret`` reads a model of O1-sum, in which e<s> is true for one element s.

    When the bounds do not add up in some case, its O1-sum is the only task: the lemmas under it would prove nothing.
    """
    if planned.failing is not None:
        case, found = planned.failing, planned.potentials[planned.failing]
        return [_sum_task(planned, case, found, {(case, f): p.beta for f, p in enumerate(found)}, interpret)]
    tasks, betas = _lemmas(planned)
    tasks += [_signs_task(planned), _bias_task(planned), *_rest_tasks(planned)]
    for case, found in planned.potentials.items():
        tasks.append(_sum_task(planned, case, found, betas, interpret))
    return tasks


# --- the lemma of one family ---------------------------------------------------------------------------------------


def _lemmas(planned: Plan) -> tuple[list[Task], dict[tuple[Case, int], Any]]:
    """One task per family and per set of cases with the same tables; the beta that each proves."""
    grouped: dict[tuple[int, bytes], list[tuple[Case, Potentials]]] = {}
    for case, found in planned.potentials.items():
        for f, potentials in enumerate(found):
            grouped.setdefault((f, _signature(potentials)), []).append((case, potentials))
    tasks, betas = [], {}
    for (f, _), members in grouped.items():
        beta = np.minimum.reduce([potentials.beta for _, potentials in members])
        ys = np.unique(np.concatenate([potentials.tables.ys for _, potentials in members]))
        cases = [case for case, _ in members]
        tasks.append(_lemma(planned, members[0][1], cases, ys, beta))
        betas.update({(case, f): beta for case in cases})
    return tasks, betas


def _signature(potentials: Potentials) -> bytes:
    parts = [potentials.mu.tobytes(), potentials.lam.tobytes()]
    for term in potentials.tables.terms:
        parts += [f"{id(term.space)} {term.q} {term.through}".encode(), repr(term.values.tolist()).encode()]
    return b"\0".join(parts)


def _lemma(planned: Plan, potentials: Potentials, cases: list[Case], ys: Any, beta: Any) -> Task:
    family = potentials.family
    every = len(cases) == len(planned.potentials)
    where = "" if every else "-" + "-".join(case.name for case in cases)
    writer = _LemmaWriter(potentials, ys, beta)
    lines, checks = writer.lines()
    statement = (
        f"Circuits {family.name}: for all points j and j' and all x and y"
        + ("" if every else f" (parities of x, y, s: {', '.join(case.name for case in cases)})")
        + ", the share that point j contributes to the margin when s takes j to j', with its potentials, is at least beta[j, j']."
    )
    return Task(f"O1-family-{family.name}{where}", statement, script("QF_LRA", statement, lines), checks)


class _LemmaWriter:
    """Writes (2): an element y, where it takes the points, the point p that x takes to j, and the terms of T."""

    def __init__(self, potentials: Potentials, ys: Any, beta: Any) -> None:
        self._potentials, self._ys, self._beta = potentials, ys, beta
        self._spaces: list[Points] = [potentials.family.points]
        for term in potentials.tables.terms:
            if term.space not in self._spaces:
                self._spaces.append(term.space)

    def lines(self) -> tuple[list[str], int]:
        """The script's lines and the number of its checks."""
        points = self._potentials.family.points
        ps = [f"p{p}" for p in range(points.count)]
        lines = declared([f"e{y}" for y in self._ys] + ps, "Bool")
        for k, space in enumerate(self._spaces):
            lines += declared([f"y{k}_{q}_{r}" for q in range(space.count) for r in range(space.count)], "Bool")
        lines.append(f"(assert {disjunction([f'e{y}' for y in self._ys])})")
        for y in self._ys:
            images = " ".join(f"y{k}_{q}_{space.moved[q, y]}" for k, space in enumerate(self._spaces) for q in range(space.count))
            lines.append(f"(assert (=> e{y} (and {images})))")
        lines.append(f"(assert {disjunction(ps)})")
        checks = [self._check(j, i) for j in range(points.count) for i in range(points.count)]
        checks.append(self._telescopes())
        written = [check for check in checks if check]
        return lines + [line for check in written for line in scope(check)], len(written)

    def _check(self, j: int, i: int) -> list[str]:
        """That (2) fails for j and j' = i; empty when all its terms are 0 and beta is not above 0."""
        rows: list[str] = []
        names: list[str] = []

        def bounded(guards: list[tuple[str, int]]) -> None:
            name = f"t{len(names)}"
            names.append(name)
            rows.append(f"(declare-const {name} Real)")
            rows.extend(f"(assert (=> {guard} (<= {real(value)} {name})))" for guard, value in guards)

        for term in self._potentials.tables.terms:
            values = term.values[j, i]
            if values.any():
                bounded(self._guards(term.space, term.q, {"": None, "j": j, "j'": i}[term.through], values))
        mu, lam = self._potentials.mu, self._potentials.lam[j]
        if mu.any():
            bounded([(f"p{p}", int(v)) for p, v in enumerate(mu)])
        for q, row in enumerate(lam):
            if row.any():
                bounded([(f"y0_{q}_{r}", int(v)) for r, v in enumerate(row)])
        if not names and self._beta[j, i] <= 0:
            return []
        return [*rows, f"(assert (< {total(names)} {real(int(self._beta[j, i]))}))"]

    def _guards(self, space: Points, q: int, through: int | None, values: Any) -> list[tuple[str, int]]:
        k = self._spaces.index(space)
        guards = []
        for p, row in enumerate(values):
            for r, value in enumerate(row):
                if through is None:
                    guards.append((f"(and p{p} y{k}_{q}_{r})", int(value)))
                else:
                    guards += [(f"(and p{p} y{k}_{q}_{r} y0_{through}_{b})", int(v)) for b, v in enumerate(value)]
        return guards

    def _telescopes(self) -> list[str]:
        """That lam does not add up to 0 over j for some q and k; empty when lam is 0."""
        lam = self._potentials.lam
        if not lam.any():
            return []
        sums = [f"(not (= 0.0 {total([real(int(v)) for v in lam[:, q, r]])}))" for q in range(len(lam)) for r in range(len(lam))]
        return [f"(assert {disjunction(sums)})"]


# --- constants -------------------------------------------------------------------------------------------------------


def _signs(parts: Parts, case: Case) -> int:
    """The share of the margin that neurons give which see parities alone."""
    return sum(int((push * (w - z)).sum()) for push, w, z in _sign_values(parts, case))


def _sign_values(parts: Parts, case: Case) -> list[tuple[Any, Any, Any]]:
    first = [0, int(parts.parity.argmax())]
    return [
        (np.maximum(c.left[first[case.x]] + c.right[first[case.y]], 0), c.votes[:, first[case.product]], c.votes[:, first[case.other]])
        for c in parts.signs
    ]


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


def _bias_range(parts: Parts) -> dict[int, tuple[int, int]]:
    result = {}
    for odd in {int(bit) for bit in parts.parity}:
        values = parts.bias_rest[parts.parity == odd]
        result[odd] = (int(values.min()), int(values.max()))
    return result


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


def _swing(columns: Columns) -> int:
    """The most that a circuit can prefer one output to another at any pair."""
    return max((high - low for high, low in _extremes(columns)), default=0)


def _extremes(columns: Columns) -> list[tuple[int, int]]:
    """(most, fewest) votes over all outputs, at every pair of distinct left and right rows."""
    lefts, rights = ({tuple(row) for row in a.tolist()} for a in (columns.left, columns.right))
    right = np.array(sorted(rights), dtype=columns.right.dtype)
    result: set[tuple[int, int]] = set()
    for row in sorted(lefts):
        votes = np.maximum(np.array(row, dtype=columns.left.dtype) + right, 0) @ columns.votes
        result.update(zip(votes.max(axis=1).tolist(), votes.min(axis=1).tolist(), strict=True))
    return sorted(result)


def _rest_tasks(planned: Plan) -> list[Task]:
    """One task for all circuits that belong to no family."""
    if not planned.rest:
        return []
    lines = declared(("w", "z"), "Real")
    for (_, columns), (_, bound) in zip(planned.parts.rest, planned.rest, strict=True):
        cells = [
            f"(and (<= {real(low)} w) (<= w {real(high)}) (<= {real(low)} z) (<= z {real(high)}))" for high, low in _extremes(columns)
        ]
        lines += scope([f"(assert {disjunction(cells)})", f"(assert (< (- w z) {real(-bound)}))"])
    names = ", ".join(name for name, _ in planned.rest)
    statement = (
        f"Circuits outside all families ({names}): none can prefer one output to another by more than the constant used in O1-sum."
    )
    return [Task("O1-rest", statement, script("QF_LRA", statement, lines), len(planned.rest))]


# --- the sum ---------------------------------------------------------------------------------------------------------


def _sum_task(
    planned: Plan,
    case: Case,
    found: list[Potentials],
    betas: dict[tuple[Case, int], Any],
    interpret: Callable[[Case, dict[str, str]], Counterexample],
) -> Task:
    parts = planned.parts
    elements = [int(s) for s in np.flatnonzero(parts.parity == case.s) if s != 0]
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
        lines += [
            f"(assert (=> s{f}_{j}_{i} (<= {real(int(betas[case, f][j, i]))} m{f}_{j})))" for j in range(count) for i in range(count)
        ]
    for n, name in enumerate(names):
        images = [f"s{f}_{j}_{k[j, n]}" for f, k in enumerate(moved) for j in range(len(k))]
        if images:
            lines.append(f"(assert (=> {name} (and {' '.join(images)})))")
    lines += [f"(assert (<= {total([*terms, real(constant)])} 0.0))", "(check-sat)"]
    statement = _sum_statement(parts.group, case, bool(parts.parity.any()))
    return Task(
        f"O1-sum-{case.name}",
        statement,
        script("QF_LRA", statement, lines, models=True),
        wanted=tuple(names),
        interpret=lambda values: interpret(case, values),
    )


def _sum_statement(group: FiniteGroup, case: Case, parities: bool) -> str:
    where = f" ({WORDS[case.x]} x, {WORDS[case.y]} y, {WORDS[case.s]} s)" if parities else ""
    return f"For all x, y and s != 1 of {group.name}{where}, the program's votes for xy exceed its votes for z = x s y."
