"""The lemma of one family, (2) of `dual_variables`, as a script: one check for each pair of points (j, j')."""

import numpy as np

from verify.symbolic.dual_variables import DualVariables
from verify.symbolic.exact import Exact
from verify.symbolic.points import Integers, Points
from verify.symbolic.smtlib import declared, disjunction, real, scope, total


class LemmaWriter:
    """Writes (2): an element y, where it takes the points, the point p that x takes to j, and the terms of T."""

    def __init__(self, duals: DualVariables, ys: Integers, beta: Exact, pairs: list[tuple[int, int]]) -> None:
        self._duals, self._ys, self._beta, self._pairs = duals, ys, beta, pairs
        self._spaces: list[Points] = [duals.family.points]
        for term in duals.tables.terms:
            if term.space is not None and term.space not in self._spaces:
                self._spaces.append(term.space)
        self._spaces += [space for space, _ in duals.ties if space not in self._spaces]

    def lines(self) -> tuple[list[str], int]:
        """The script's lines and the number of its checks."""
        points = self._duals.family.points
        ps = [f"p{p}" for p in range(points.count)]
        lines = declared([f"e{y}" for y in self._ys] + ps, "Bool")
        for k, space in enumerate(self._spaces):
            lines += declared([f"y{k}_{q}_{r}" for q in range(space.count) for r in range(space.count)], "Bool")
        lines.append(f"(assert {disjunction([f'e{y}' for y in self._ys])})")
        for y in self._ys:
            images = " ".join(f"y{k}_{q}_{space.moved[q, y]}" for k, space in enumerate(self._spaces) for q in range(space.count))
            lines.append(f"(assert (=> e{y} (and {images})))")
        lines.append(f"(assert {disjunction(ps)})")
        checks = [self._check(j, i) for j, i in self._pairs]
        checks.append(self._telescopes())
        written = [check for check in checks if check]
        return lines + [line for check in written for line in scope(check)], len(written)

    def _check(self, j: int, i: int) -> list[str]:
        """That (2) fails for j and j' = i; empty when all its terms are 0 and beta is not above 0."""
        rows: list[str] = []
        names: list[str] = []
        for (space, q, through), values in self._summands(j, i).items():
            if not values.any():
                continue
            name = f"t{len(names)}"
            names.append(name)
            rows.append(f"(declare-const {name} Real)")
            rows += [f"(assert (=> {g} (<= {real(v)} {name})))" for g, v in self._guards(space, q, through, values)]
        if not names and self._beta[j, i] <= 0:
            return []
        return [*rows, f"(assert (< {total(names)} {real(int(self._beta[j, i]))}))"]

    def _summands(self, j: int, i: int) -> dict[tuple[int | None, int, int | None], Exact]:
        """The left side of (2) by what it looks at: (space, q, the point ``through`` or None) to values [p, k] or [p, k, b].

        Without a space it looks at y itself: values [p, number of y].
        """
        duals = self._duals
        result: dict[tuple[int | None, int, int | None], Exact] = {}

        def add(space: Points | None, q: int, through: int | None, values: Exact) -> None:
            key = (None if space is None else self._spaces.index(space), q, through)
            result[key] = result[key] + values if key in result else values

        for term in duals.tables.terms:
            add(term.space, term.q, {"": None, "j": j, "j'": i}[term.through], term.values[j, i])
        for space, values in duals.ties:
            for q in range(space.count):
                add(space, q, None, values[j, q])
        mine = duals.family.points
        if duals.lam[j].any():
            for q in range(mine.count):
                add(mine, q, None, np.tile(duals.lam[j, q], (mine.count, 1)))
        if duals.mu.any():
            add(mine, j, None, np.tile(duals.mu[:, None], (1, mine.count)))
        return result

    def _guards(self, space: int | None, q: int, through: int | None, values: Exact) -> list[tuple[str, int]]:
        """Conditions and the lower bounds that they give; the least value for each p stands for all that equal it."""
        seen = []
        for index in np.ndindex(values.shape[1:]):
            first = f"e{self._duals.tables.ys[index[0]]}" if space is None else f"y{space}_{q}_{index[0]}"
            seen.append(" ".join([first, *(f"y0_{through}_{b}" for b in index[1:])]))
        guards = []
        for p, row in enumerate(values.reshape(len(values), -1).tolist()):
            least = min(row)
            guards.append((f"p{p}", least))
            guards += [(f"(and p{p} {reached})", value) for reached, value in zip(seen, row, strict=True) if value != least]
        return guards

    def _telescopes(self) -> list[str]:
        """That lam does not add up to 0 over j for some q and k; empty when lam is 0."""
        lam = self._duals.lam
        if not lam.any():
            return []
        sums = [f"(not (= 0.0 {total([real(int(v)) for v in lam[:, q, r]])}))" for q in range(len(lam)) for r in range(len(lam))]
        return [f"(assert {disjunction(sums)})"]
