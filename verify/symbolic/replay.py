"""What a sum that falls short means, decided by exact evaluation of the program."""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np

from algebra.permutation import format_cycles
from net.weights import Weights
from verify.symbolic.families import Case
from verify.symbolic.proof_outline import Outline
from verify.symbolic.short_decimals import nearest_decimal


@dataclass(eq=False)
class Replay:
    """Looks for a real counterexample where the bounds do not add up, and says which bounds fall short otherwise."""

    outline: Outline
    program: Weights

    @property
    def reason(self) -> str:
        """In words: the pair that the program gets wrong, what is too large, or the s whose bounds fall shortest, with each share.

        It begins with the obligations that it is about.
        """
        task = "O1" if self.outline.too_large else "O1-sum"
        if self.wrong is not None:
            return f"{task}: {self._refutation(*self.wrong)}"
        if self.outline.too_large:
            return f"{task}: {self.outline.too_large}"
        assert self.outline.failing is not None
        case, batch = self.outline.failing
        totals = batch.totals(self.outline.constant(case))
        return f"{task}: {self._shortfall(case, int(batch.s[int(np.argmin(totals))]))}"

    @cached_property
    def wrong(self) -> tuple[int, int, int] | None:
        """(x, y, z) at the first pair that the program gets wrong, z the best output other than xy."""
        from verify.exact.exhaustive import evaluate

        group = self.outline.parts.group
        answers = evaluate(self.program, expected=group.mul).answer
        for x, y in zip(*np.nonzero(answers != group.mul), strict=True):
            votes = list(self.program.exact().logits(int(x), int(y)))
            product = int(group.mul[x, y])
            rival = max((z for z in range(group.order) if z != product), key=lambda z: votes[z])
            if votes[rival] >= votes[product]:
                return int(x), int(y), rival
        return None

    @property
    def wrong_case(self) -> Case | None:
        """The parities of x, y and s at the pair that ``wrong`` names."""
        if self.wrong is None:
            return None
        x, y, z = self.wrong
        parity, group = self.outline.parts.parity, self.outline.parts.group
        s = group.mul[group.inv[x], group.mul[z, group.inv[y]]]
        return Case(int(parity[x]), int(parity[y]), int(parity[s]))

    def _refutation(self, x: int, y: int, z: int) -> str:
        votes = self.program.exact().logits(x, y)
        scale = self.outline.parts.scale
        product = int(self.outline.parts.group.mul[x, y])
        return (
            f"at x = {self._cycles(x)}, y = {self._cycles(y)} the output z = {self._cycles(z)} gets {Fraction(int(votes[z]), scale)} "
            f"votes and xy = {self._cycles(product)} gets {Fraction(int(votes[product]), scale)}"
        )

    def _shortfall(self, case: Case, s: int) -> str:
        scale = self.outline.parts.scale
        assert self.outline.failing is not None
        shares = [(p.family.name, int(p.total(np.array([s]))[0])) for p in self.outline.failing[1].duals]
        constant = self.outline.constant(case)
        parts = ", ".join(f"{name} {nearest_decimal(Fraction(v, scale))}" for name, v in [*shares, ("constants", constant)])
        whole = constant + sum(v for _, v in shares)
        x, y, least = self._least_margin(case, s)
        return (
            f"s = {self._cycles(s)}: the bounds add up to {nearest_decimal(Fraction(whole, scale))} ({parts}); "
            f"evaluated, the least margin with this s is {nearest_decimal(Fraction(least, scale))}, "
            f"at x = {self._cycles(x)}, y = {self._cycles(y)}"
        )

    def _least_margin(self, case: Case, s: int) -> tuple[int, int, int]:
        """(x, y, margin of xy over x s y) with the least margin over the x and y of the case, exactly."""
        parts = self.outline.parts
        mul, exact = parts.group.mul, self.program.exact()
        xs, ys = (np.flatnonzero(parts.parity == bit) for bit in (case.x, case.y))
        best: tuple[int, int, int] | None = None
        columns = [np.asarray(a, dtype=parts.bias.dtype) for a in (exact.L, exact.R, exact.U.T, exact.b)]
        for x in xs:
            w, z = mul[x, ys], mul[mul[x, s], ys]
            push = np.maximum(columns[0][x] + columns[1][ys], 0)
            margins = np.asarray((push * (columns[2][w] - columns[2][z])).sum(axis=1) + columns[3][w] - columns[3][z])
            k = int(margins.argmin())
            if best is None or int(margins[k]) < best[2]:
                best = (int(x), int(ys[k]), int(margins[k]))
        assert best is not None
        return best

    def _cycles(self, g: int) -> str:
        return format_cycles(tuple(int(i) for i in self.outline.parts.group.elements[g]))
