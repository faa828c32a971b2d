"""The quadratic strategy: all x at once for each (y, z), so that no (x, y, z) is enumerated.

On the tables T_k(y) (cells, n) of a factorisation, write S(x, y) = sum_k T_k[c_k(x), xy] for the computed right
logit and tau(x, y) = S(x, y) - slack(x, y). For ANY numbers t_k[c] the identity

    tau(x, y) - sum_k T_k[c_k(x), z] = e(x) + sum_k g_k[c_k(x)],
    e(x) = tau(x, y) - sum_k t_k[c_k(x)],        g_k[c] = t_k[c] - T_k[c, z],

holds, and the network is right at (x, y) if this is positive (beyond rounding) for every z != xy. Fix the *line*
(y, z) and let x0 be the element with x0 y = z, the only x to which nothing is to be shown. With a_k = g_k at the
cell of x0 and o_k the least g_k at any other cell, every x != x0 has

    sum_k g_k[c_k(x)]  >=  sum_k min(a_k, o_k) + sum over k with c_k(x) != c_k(x0) of max(o_k - a_k, 0)
                       >=  sum_k min(a_k, o_k) + min over p of sum over k in p of max(o_k - a_k, 0)  =:  B(y, z),

p over the minimal sets of tables whose cell can change when x0 is replaced by another x. The few x = h x0 that
change fewest cells (for point stabilisers: h a transposition) decide how good that is, so for a fixed set N of
such h these *near* triples are computed, and p runs over what the other, *far*, x can change only:

    e(x) + min over z of B(y, z) > 0  and  e(x) + sum_k g_k[c_k(x)] > 0 at its |N| near z    proves (x, y),

and if it fails only z with B(y, z) <= -e(x) or a near triple that failed remain to be looked at for that x.
The t_k are a gauge: they change no margin and decide how much is lost by taking minima table by table. Good ones are
the mean of T_k[c_k(x), xy] over each cell, corrected by least squares so that e is small.
Cost: O(n^2 (cells + tables (patterns + |N|))), cells the sum of the tables' cells, after making the tables.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from verify.compact.factorisation import Factorisation
from verify.compact.merge import nested_plan
from verify.compact.partition import Indices
from verify.compact.rounding import INFLATE, U32, Floats, Singles, gamma
from verify.flops import matrix_product

__all__ = ["LineBounder", "Lines"]

#: Tables with the fewest neurons are left out of the patterns until there are at most this many.
PATTERNS = 64
#: At most this many near elements, and at most this share of the group.
NEAR, NEAR_SHARE = 45, 1 / 6


@dataclass(frozen=True, eq=False)
class Lines:
    """For one y: e (n,) by x and B (n,) by z, rounding included, so that e(x) + B(z) > 0 proves a far triple.

    Attributes:
        e, B: see above.
        near: (|N|, n) lower bounds of the margins of the near triples, at [h, z].
        near_x: (|N|, n) their x.

    """

    e: Floats
    B: Floats
    near: Floats
    near_x: Indices

    def by_x(self, without: npt.NDArray[np.bool_] | None = None) -> Floats:
        """(n,) lower bound of the margin at (x, y) over all z, or over all but the masked ones."""
        keep = slice(None) if without is None else ~without
        far = self.B[keep].min(initial=np.inf)
        least = self.e + far
        for values, x in zip(self.near[:, keep], self.near_x[:, keep], strict=True):
            least[x] = np.minimum(least[x], values)
        return np.asarray(least)

    def open_lines(self, xs: Indices) -> npt.NDArray[np.bool_]:
        """(n,) the z at which some of these x is not proved."""
        failed = ~(self.near > 0).all(axis=0)
        return np.asarray(failed | ~(self.B + self.e[xs].min() > 0))


class LineBounder:
    """Bounds lines of a factorisation; raises ValueError when its partitions do not tell elements apart.

    Attributes:
        cells, tables, patterns: sizes that the cost depends on.

    """

    def __init__(self, factorisation: Factorisation, mul: npt.NDArray[np.int16]) -> None:
        self.factorisation, self.mul = factorisation, mul
        self.n = n = len(mul)
        self.steps, kept = nested_plan([family.partition for family in factorisation.families])
        self.kept = tuple(kept)
        partitions = list(kept.values())
        self.labels = np.stack([p.labels for p in partitions]) if partitions else np.zeros((0, n), dtype=np.intp)
        self.counts = [p.count for p in partitions]
        self.starts = np.cumsum([0, *self.counts[:-1]]) if partitions else np.zeros(0, dtype=np.intp)
        self.rows = self.labels + self.starts[:, None]
        self.cells, self.tables = sum(self.counts), len(partitions)
        if not partitions or min(self.counts) < 2:
            raise ValueError("expected partitions with at least two cells")
        self.near = self._near_elements()
        self.pattern_matrix = self._patterns().astype(np.float32)
        self.patterns = len(self.pattern_matrix)
        if not 0 < self.patterns <= PATTERNS:
            raise ValueError("expected partitions that tell all elements apart with few minimal patterns")
        design = np.zeros((n, self.cells))
        design[np.arange(n)[None], self.rows] = 1.0
        self.mean = (design / design.sum(axis=0)).T.astype(np.float32)
        self.solve = np.linalg.pinv(design).astype(np.float32)

    def _near_elements(self) -> npt.NDArray[np.int16]:
        """(|N|, n) rows h x over x for the h other than 1 whose x changes the fewest cells, counted at x = 1."""
        changed = (self.labels != self.labels[:, :1]).sum(axis=0)
        changed[0] = self.tables + 1
        limit = int(min(NEAR, NEAR_SHARE * self.n))
        sizes = np.bincount(changed, minlength=self.tables + 2)
        allowed = np.flatnonzero(np.cumsum(sizes) <= limit)
        chosen = np.flatnonzero(changed <= (allowed.max() if len(allowed) else -1))
        return self.mul[chosen]

    def _patterns(self) -> npt.NDArray[np.bool_]:
        """Minimal patterns of the far elements, on as many of the largest tables as keeps them few."""
        sizes = np.zeros(self.tables)
        home = {k: k for k in range(len(self.factorisation.families))}
        for step, (one, other, _) in enumerate(self.steps, start=len(home)):
            home = {k: step if at in (one, other) else at for k, at in home.items()}
        position = {number: place for place, number in enumerate(self.kept)}
        for k, family in enumerate(self.factorisation.families):
            sizes[position[home[k]]] += len(family.neurons)
        used = np.argsort(-sizes, kind="stable")
        while len(used):
            patterns = minimal_patterns(self.labels[used], self.near)
            if len(patterns) <= PATTERNS:
                result = np.zeros((len(patterns), self.tables), dtype=bool)
                result[:, used] = patterns
                return result
            used = used[:-1]
        return np.zeros((0, self.tables), dtype=bool)

    def bound(self, y: int, tables: list[Singles], slack: Floats, error: float) -> Lines:
        """The bounds for one y from the families' float32 tables (cells, n), which err by ``error`` in margins."""
        stack = self._stack(tables)
        answers = self.mul[:, y].astype(np.intp)
        right = stack[self.rows, answers[None]]  # (tables, n): T_k[c_k(x), xy]
        gauge = self._gauge(right)
        score = right.astype(np.float64).sum(axis=0) - gauge.astype(np.float64)[self.rows].sum(axis=0)
        gaps = np.subtract(gauge[:, None], stack, out=stack)
        origin = np.empty(self.n, dtype=np.intp)
        origin[answers] = np.arange(self.n)
        size = float(np.abs(gauge).max()) * self.tables + 2 * self.factorisation.magnitude
        off = error + 4 * gamma(2 * self.tables + len(tables) + 8, U32) * size
        e = score - slack
        near_x = self.near[:, origin].astype(np.intp)
        near = np.zeros(near_x.shape)
        for table in self.rows:
            near += gaps[table[near_x], np.arange(self.n)[None]]
        near += e[near_x] - off * INFLATE
        own = self.rows[:, origin]
        columns = np.arange(self.n)[None]
        a = gaps[own, columns]
        gaps[own, columns] = np.inf
        o = np.minimum.reduceat(gaps, self.starts, axis=0)
        rise = np.maximum(o - a, 0)
        least = (self.pattern_matrix @ rise).min(axis=0)
        B = np.minimum(a, o).sum(axis=0, dtype=np.float64) + least
        return Lines(e, B - off * INFLATE, near, near_x)

    def _stack(self, tables: list[Singles]) -> Singles:
        """The tables of the nested plan below each other, (cells, n)."""
        made = list(tables)
        for one, other, refinement in self.steps:
            made.append(made[one][refinement.first] + made[other][refinement.second])
        return np.concatenate([made[k] for k in self.kept])

    def _gauge(self, right: Singles) -> Singles:
        """The numbers t_k[c], (cells,): cell means of the right tables, corrected by least squares for their sum."""
        means = np.concatenate(
            [self.mean[s : s + c] @ row for s, c, row in zip(self.starts, self.counts, right, strict=True)]
        )
        correction = self.solve @ (right.sum(axis=0) - means[self.rows].sum(axis=0))
        return np.asarray(means + correction)

    @property
    def flops(self) -> int:
        """Operations for all y, without making the families' tables."""
        n, k = self.n, self.tables
        merges = sum(refinement.partition.count for _, _, refinement in self.steps)
        gauge = matrix_product(self.cells, n, n) * 2 + 4 * k * n * n
        gaps = 2 * self.cells * n * n + 6 * k * n * n
        patterns = matrix_product(self.patterns, k, n * n) + self.patterns * n * n
        near = len(self.near) * (k + 2) * n * n
        return merges * n * n + gauge + gaps + patterns + near + 4 * n * n


def minimal_patterns(
    labels: Indices, near: npt.NDArray[np.int16] | None = None
) -> npt.NDArray[np.bool_]:
    """The minimal sets {k: label_k(x) != label_k(x')} over x' other than x and the ``near`` (h, x), as rows.

    Shape (patterns, tables); empty when two elements share all labels: nothing separates them. Complexity: O(n^2) sets are formed
    in chunks; only the distinct ones are kept.
    """
    k, n = labels.shape
    if k == 0 or k > 62:
        return np.zeros((0, k), dtype=bool)
    found: set[int] = set()
    for x in range(n):
        bits = np.zeros(n, dtype=np.int64)
        for table in range(k):
            bits |= (labels[table] != labels[table, x]).astype(np.int64) << table
        skipped = [x] if near is None else [x, *near[:, x].tolist()]
        found.update(np.unique(np.delete(bits, skipped)).tolist())
    minimal: list[int] = []
    for bits_of in sorted(found, key=lambda value: (value.bit_count(), value)):
        if not any(chosen & bits_of == chosen for chosen in minimal):
            minimal.append(bits_of)
    if minimal == [0]:
        return np.zeros((0, k), dtype=bool)
    return np.array([[(p >> table) & 1 for table in range(k)] for p in minimal], dtype=bool).reshape(-1, k)


