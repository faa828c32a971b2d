"""The proof of a program's correctness before it is written down: constants, and batches of s with their dual variables.

Numbers are integers in units of one vote: 2^-(preactivation_bits + scale_bits + vote_bits).
"""

from dataclasses import dataclass, field

import msgspec
import numpy as np

from verify.symbolic.bias import start_bias
from verify.symbolic.dual_ascent import RealDuals, find
from verify.symbolic.dual_variables import Batch
from verify.symbolic.exact import Exact
from verify.symbolic.families import Case, Decomposition
from verify.symbolic.lines import Lines, choices, find_lines, one_sided
from verify.symbolic.settings import DEFAULT, SymbolicSettings
from verify.symbolic.start import Start
from verify.symbolic.swing import distinct, entries_of, swing
from verify.symbolic.witness import beyond_proof

#: Steps of the search for dual variables where it is known that none settle all s, and first where lines can be had.
FEW = 20
#: The checker goes through at most so many entries of the families' lemmas, and of the circuits outside of them: what it would refuse
#: is not proved (`verify.checker.lemmas`).
LARGEST_TABLE = 2_000_000_000


@dataclass(eq=False)
class Outline:
    """Everything that the obligations of O1 state: the constants, and the batches and lines of each case.

    ``lines`` are there for the cases some of whose s no batch settles; they settle those. ``failing`` is a case with a batch of s that
    no bounds settle; None when every s is settled in every case. ``looked`` is False where these s are beyond proof and no dual
    variables were looked for that say how far the bounds are. ``too_large`` says in words what the checker would not go through;
    nothing is bounded then, and nothing proved.
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
    too_large: str = ""

    @classmethod
    def before_search(cls, parts: Decomposition, start: Start | None = None, settings: SymbolicSettings = DEFAULT) -> "Outline":
        """With the constants that are the same in all cases, and no case looked at; ``rest`` is empty where it is too large."""
        circuits = [(number, distinct(columns)) for number, columns in parts.rest]
        entries = sum(entries_of(columns) for _, columns in circuits)
        large = _refused("circuits outside of all families", entries)
        rest = [] if large else [(number, swing(columns)) for number, columns in circuits]
        return cls(parts, {}, _bias_range(parts), rest, {}, start=start, settings=settings, too_large=large)

    @property
    def settled(self) -> bool:
        """Whether every s is settled in every case, by lemmas that the checker goes through."""
        return self.failing is None and not self.too_large

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
        return self.signs[case] + low - sum(bound for (_, bound), _ in zip(self.rest, self.parts.rest, strict=True))

    @property
    def entries(self) -> int:
        """How many entries of tables the checker goes through in the families' lemmas and lines."""
        sizes, order = [family.points.count for family in self.parts.families], self.parts.group.order
        batches = sum(len(some) for some in self.batches.values())
        lines = sum(len(own) for some in self.lines.values() for own in choices(some))
        return max(1, batches) * sum(m**3 for m in sizes) * order + lines * sum(m**3 + m * order for m in sizes)

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
    if result.too_large:
        return result
    for case in parts.cases:
        left = result.search(case, hurried)
        if left is not None:
            result.failing = (case, left)
            return result
    result.too_large = _refused("lemmas", result.entries)
    return result


def _refused(what: str, entries: int) -> str:
    """In words that the checker does not go through so many entries; empty where it does."""
    if entries <= LARGEST_TABLE:
        return ""
    return f"{what} have {entries:,} entries, of which the checker goes through at most {LARGEST_TABLE:,}"


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
