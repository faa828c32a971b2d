"""The lemma of one family, (2) of `dual_variables`, as a script: one check for each pair of points (j, j')."""

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

import numpy as np

from verify.symbolic.dual_variables import DualVariables
from verify.symbolic.exact import Exact
from verify.symbolic.families import Term
from verify.symbolic.points import Integers, Points
from verify.symbolic.smtlib import disjunction, real, scope, total

#: A lemma of more numbers than this has no script: it would be a file of some seven megabytes.
MOST_NUMBERS = 800_000


class Summand(NamedTuple):
    """A part of the left side of (2): ``name`` says what of, ``values[p, n]`` are its values for the point p and the n-th y."""

    name: str
    values: Exact


class LemmaWriter:
    """Writes that (2) fails for some p and y: its left side written out for every p and y, as a sum of integers.

    Quantifiers and look-up tables would keep the scripts shorter; solvers then go through the cases one by one, a hundred times as long
    (measured on S5).
    """

    def __init__(self, duals: DualVariables, ys: Integers, beta: Exact, pairs: list[tuple[int, int]]) -> None:
        self._duals, self._ys, self._beta, self._pairs = duals, ys, beta, pairs

    @cached_property
    def _summands(self) -> dict[tuple[int, int], list[Summand]]:
        """The summands of each pair of points that are not 0 everywhere."""
        return {pair: [one for one in self._parts(*pair) if one.values.any()] for pair in self._pairs}

    @property
    def numbers(self) -> int:
        """How many numbers the script has at most: one for each pair, point p, element y and summand."""
        cells = self._duals.family.points.count * len(self._ys)
        return cells * sum(len(summands) for summands in self._summands.values())

    def lines(self) -> tuple[list[str], int]:
        """The script's lines and the number of its checks."""
        points = self._duals.family.points
        lines = [
            "; Each check is of one pair (j, j'): some line, which is one p and one y, adds up to less than beta[j, j'].",
            f"; Lines go through p = 0, ..., {points.count - 1}, and for each p through these y, equal lines left out:",
            f"; {' '.join(map(str, self._ys))}",
        ]
        checks = [*(self._check(j, i) for j, i in self._pairs), self._telescopes()]
        written = [check for check in checks if check]
        return lines + [line for check in written for line in scope(check)], len(written)

    def _check(self, j: int, i: int) -> list[str]:
        """That (2) fails for j and j' = i; empty when all its terms are 0 and beta is not above 0."""
        summands, beta = self._summands[j, i], int(self._beta[j, i])
        if not summands and beta <= 0:
            return []
        columns = [_written(one.values) for one in summands]
        sums = dict.fromkeys(total(terms) for terms in zip(*columns, strict=True)) if columns else {total([]): None}
        about = f"; j = {j}, j' = {i}: the sum of {', '.join(one.name for one in summands) or 'nothing'}"
        return [about, "(assert (or false", *(f"(< {one} {real(beta)})" for one in sums), "))"]

    def _parts(self, j: int, i: int) -> Iterator[Summand]:
        """The left side of (2): the terms of T, mu[p], and lam and phi for each q."""
        duals, points = self._duals, self._duals.family.points
        shape = (points.count, len(self._ys))
        if duals.mu.any():
            yield Summand("mu[p]", np.broadcast_to(duals.mu[:, None], shape))
        for q in range(points.count):
            yield Summand(f"lam[j, {q}, {q}y]", np.broadcast_to(duals.lam[j, q, points.moved[q, self._ys]], shape))
        for space, values in duals.ties:
            for q in range(space.count):
                yield Summand(f"phi[j, {q}, p, {q}y]", values[j, q][:, space.moved[q, self._ys]])
        for (read, q), terms in self._terms.items():
            values = np.asarray(sum(self._looked_up(term, j, i) for term in terms))
            seen = [f"{through}y" for through in dict.fromkeys(term.through for term in terms) if through]
            yield Summand(f"T[{', '.join(['p', 'y' if read is None else f'{q}y', *seen])}]", values)

    @cached_property
    def _terms(self) -> dict[tuple[Points | None, int], list[Term]]:
        """The terms of T by the point of y that they look at: votes for xy and votes for z are taken together."""
        found: dict[tuple[Points | None, int], list[Term]] = {}
        for term in self._duals.tables.terms:
            found.setdefault((term.space, term.q), []).append(term)
        return found

    def _looked_up(self, term: Term, j: int, i: int) -> Exact:
        """A term's values for j and j' = i at every p and y."""
        values = term.values[j, i]
        if term.space is None:
            return np.asarray(values[:, self._numbers_of_ys])
        reached = term.space.moved[term.q, self._ys]
        if not term.through:
            return np.asarray(values[:, reached])
        return np.asarray(values[:, reached, self._duals.family.points.moved[{"j": j, "j'": i}[term.through], self._ys]])

    @cached_property
    def _numbers_of_ys(self) -> Integers:
        """Where the script's elements y stand among those of the case's tables."""
        return np.searchsorted(self._duals.tables.ys, self._ys)

    def _telescopes(self) -> list[str]:
        """That lam does not add up to 0 over j for some q and k; empty when lam is 0."""
        lam = self._duals.lam
        if not lam.any():
            return []
        sums = [f"(not (= 0.0 {total([real(int(v)) for v in lam[:, q, r]])}))" for q in range(len(lam)) for r in range(len(lam))]
        return ["; lam does not add up to 0 over j for some q and k", f"(assert {disjunction(sums)})"]


def _written(values: Exact) -> list[str]:
    """Every value as a term, in order; each different value is written once."""
    numbers = [int(value) for value in values.ravel().tolist()]
    terms = {number: real(number) for number in set(numbers)}
    return [terms[number] for number in numbers]
