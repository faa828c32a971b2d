"""The proof of a program's correctness before it is written down: constants, and batches of s with their dual variables.

Numbers are integers in units of one vote: 2^-(preactivation_bits + scale_bits + vote_bits).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

import msgspec
import numpy as np
import numpy.typing as npt

from net.roundoff import Floats
from verify.symbolic.bias import start_bias
from verify.symbolic.dual_ascent import RealDuals, find
from verify.symbolic.dual_variables import Batch
from verify.symbolic.exact import Exact
from verify.symbolic.families import Case, Columns, Decomposition
from verify.symbolic.lines import Lines, find_lines, one_sided
from verify.symbolic.settings import DEFAULT, SymbolicSettings
from verify.symbolic.start import Start
from verify.symbolic.witness import beyond_proof

#: Steps of the search for dual variables where it is known that none settle all s, and first where lines can be had.
FEW = 20


@dataclass(eq=False)
class Outline:
    """Everything that the obligations of O1 state: the constants, and the batches and lines of each case.

    ``lines`` are there for the cases some of whose s no batch settles; they settle those. ``failing`` is a case with a batch of s that
    no bounds settle; None when every s is settled in every case. ``looked`` is False where these s are beyond proof and no dual
    variables were looked for that say how far the bounds are.
    """

    parts: Decomposition
    signs: dict[Case, int]
    bias: dict[int, tuple[int, int]]
    rest: list[tuple[int, int]]
    batches: dict[Case, list[Batch]]
    failing: tuple[Case, Batch] | None = None
    start: Start | None = None
    settings: SymbolicSettings = DEFAULT
    lines: dict[Case, list[Lines]] = field(default_factory=dict)
    looked: bool = True

    @classmethod
    def before_search(cls, parts: Decomposition, start: Start | None = None, settings: SymbolicSettings = DEFAULT) -> "Outline":
        """With the constants that are the same in all cases, and no case looked at."""
        return cls(parts, {}, _bias_range(parts), [(number, _swing(c)) for number, c in parts.rest], {}, start=start, settings=settings)

    def search(self, case: Case, hurried: bool = False) -> Batch | None:
        """Compute the constants and the batches of one case; what is returned could not be settled.

        ``hurried`` is without dual variables for s that are beyond proof.
        """
        self.signs[case] = sign_share(self.parts, case)
        tables = [family.tables(case) for family in self.parts.families]
        s = np.flatnonzero(self.parts.parity == case.s)
        by_lines, s = one_sided(tables), s[s != 0]
        begin, constant = RealDuals(tables), self.constant(case)
        beyond = s[beyond_proof(tables, s, constant)]
        if len(beyond):  # dual variables serve to say how far the bounds are
            self.looked = not hurried
            few = msgspec.structs.replace(self.settings, dual_rounds=0 if hurried else min(FEW, self.settings.dual_rounds))
            self.batches[case], left = find(begin, beyond, constant, self.parts.scale, few, thorough=False)
            return left
        if by_lines:  # where a few steps settle nothing, lines are sooner found than batches
            few = msgspec.structs.replace(self.settings, dual_rounds=min(FEW, self.settings.dual_rounds))
            self.batches[case], left = find(begin, s, constant, self.parts.scale, few, thorough=False)
        if not by_lines or (left is not None and self.batches[case]):
            self.batches[case], left = find(begin, s, constant, self.parts.scale, self.settings, not by_lines)
        if left is None or not by_lines:
            return left
        lines, open_ = find_lines(tables, left.s, constant, self.settings)
        if len(open_):
            return Batch(open_, left.duals)
        self.lines[case] = lines
        return None

    def fail_at(self, case: Case) -> None:
        """Let the failing case be this one, where a counterexample is known."""
        if self.failing is None or self.failing[0] != case:
            left = self.search(case)
            if left is not None:
                self.failing = (case, left)

    def constant(self, case: Case) -> int:
        """What parities, bias and leftover circuits give at least."""
        low = self.bias[case.product][0] - self.bias[case.other][1]
        return self.signs[case] + low - sum(bound for _, bound in self.rest)

    @property
    def single(self) -> bool:
        """Whether every case is settled by one batch."""
        return all(len(batches) == 1 for batches in self.batches.values()) and not self.lines


def outline_proof(
    parts: Decomposition, start: Start | None = None, settings: SymbolicSettings = DEFAULT, hurried: bool = False
) -> Outline:
    """Compute the constants and search the dual variables of every case, up to the first case in which some s is not settled.

    The search begins with the bias tables and dual variables of ``start`` where there is one. ``hurried`` is for programs of which
    nothing is told where the bounds do not add up.

    Complexity: a pass over a case's tables (points^3 |G| for each family) per step of the search, see `dual_ascent`.
    """
    if start is not None:
        start_bias(parts, start)
    result = Outline.before_search(parts, start, settings)
    for case in parts.cases:
        left = result.search(case, hurried)
        if left is not None:
            result.failing = (case, left)
            break
    return result


def sign_share(parts: Decomposition, case: Case) -> int:
    """The share of the margin that neurons give which see parities alone."""
    return sum(int((push * (w - z)).sum()) for push, w, z in _sign_values(parts, case))


def _sign_values(parts: Decomposition, case: Case) -> list[tuple[Exact, Exact, Exact]]:
    first = [0, int(parts.parity.argmax())]
    return [
        (np.maximum(c.left[first[case.x]] + c.right[first[case.y]], 0), c.votes[:, first[case.product]], c.votes[:, first[case.other]])
        for _, c in parts.signs
    ]


def _bias_range(parts: Decomposition) -> dict[int, tuple[int, int]]:
    result = {}
    for odd in {int(bit) for bit in parts.parity}:
        values = parts.bias_rest[parts.parity == odd]
        result[odd] = (int(values.min()), int(values.max()))
    return result


def _swing(columns: Columns) -> int:
    """The most that a circuit can prefer one output to another at any pair."""
    return max((high - low for high, low in extremes(columns)), default=0)


def extremes(columns: Columns) -> list[tuple[int, int]]:
    """(most, fewest) votes over all outputs, at every pair of distinct left and right rows.

    Activations and votes are written in digits of t bits, which float64 multiplies exactly: with k neurons and t = (53 - bits of k) / 2
    rounded down, a sum of k products of two digits, each at most 2^t in absolute value, is an integer of at most k 2^(2t) < 2^53, and
    so is every partial sum, in whatever order they are added up.
    Complexity: O(left rows, right rows, neurons, outputs) for each pair of digits, by BLAS.
    """
    lefts, rights = (sorted({tuple(row) for row in a.tolist()}) for a in (columns.left, columns.right))
    kind = columns.left.dtype
    left, right = np.array(lefts, dtype=kind), np.array(rights, dtype=kind)
    shift = (53 - len(columns.votes).bit_length()) // 2
    votes = _digits(columns.votes, shift)
    result: set[tuple[int, int]] = set()
    for row in left:
        pushes = _digits(np.maximum(row + right, 0), shift)
        totals = [np.zeros((len(right), columns.votes.shape[1]), dtype=np.int64) for _ in range(len(pushes) + len(votes) - 1)]
        for i, push in enumerate(pushes):
            for j, vote in enumerate(votes):
                totals[i + j] += (push @ vote).astype(np.int64)
        for lower, higher in pairwise(totals):
            higher += lower >> shift
            lower &= (1 << shift) - 1
        result.update(zip(_best(totals, shift, np.max), _best(totals, shift, np.min), strict=True))
    return sorted(result)


def _digits(numbers: Exact, shift: int) -> list[Floats]:
    """Matrices D_k with numbers = sum over k of 2^(shift k) D_k, all from 0 to 2^shift but the last, which has the signs."""
    lower = []
    while int(abs(numbers).max(initial=0)) > 1 << shift:
        lower.append((numbers & ((1 << shift) - 1)).astype(np.float64))
        numbers = numbers >> shift
    return [*lower, numbers.astype(np.float64)]


def _best(digits: list[npt.NDArray[np.int64]], shift: int, choose: Callable[..., npt.NDArray[np.int64]]) -> list[int]:
    """The greatest (`np.max`) or least (`np.min`) number of each row, of numbers in digits that carry nothing any more."""
    none = np.iinfo(np.int64).min if choose is np.max else np.iinfo(np.int64).max
    best = [0] * len(digits[0])
    contenders = np.ones(digits[0].shape, dtype=bool)
    for digit in reversed(digits):
        found = choose(np.where(contenders, digit, none), axis=1)
        contenders &= digit == found[:, None]
        best = [(number << shift) + int(value) for number, value in zip(best, found, strict=True)]
    return best
