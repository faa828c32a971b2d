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

p over the minimal sets of tables whose cell can change when x0 is replaced by another x. So

    e(x) + min over z of B(y, z) > 0    proves the pair (x, y),

and if it fails only the z with B(y, z) <= -e(x) remain to be looked at for that x.
The t_k are a gauge: they change no margin and decide how much is lost by taking minima table by table. Good ones are
the mean of T_k[c_k(x), xy] over each cell, corrected by least squares so that e is small.
Cost: O(n^2 (cells + tables * patterns)), cells the sum of the tables' cells, after making the tables themselves.
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

#: More minimal patterns than this are not used: the bound would cost more than it saves.
PATTERNS = 256


@dataclass(frozen=True, eq=False)
class Lines:
    """For one y: e (n,) by x and B (n,) by z, rounding included, so that e(x) + B(z) > 0 proves the triple."""

    e: Floats
    B: Floats


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
        self.pattern_matrix = minimal_patterns(self.labels).astype(np.float32)
        self.patterns = len(self.pattern_matrix)
        if not 0 < self.patterns <= PATTERNS or min(self.counts) < 2:
            raise ValueError("expected partitions that tell all elements apart with few minimal patterns")
        design = np.zeros((n, self.cells))
        design[np.arange(n)[None], self.rows] = 1.0
        self.mean = (design / design.sum(axis=0)).T.astype(np.float32)
        self.solve = np.linalg.pinv(design).astype(np.float32)

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
        own = self.rows[:, origin]
        columns = np.arange(self.n)[None]
        a = gaps[own, columns]
        gaps[own, columns] = np.inf
        o = np.minimum.reduceat(gaps, self.starts, axis=0)
        rise = np.maximum(o - a, 0)
        least = (self.pattern_matrix @ rise).min(axis=0)
        B = np.minimum(a, o).sum(axis=0, dtype=np.float64) + least
        size = float(np.abs(gauge).max()) * self.tables + 2 * self.factorisation.magnitude
        rounding = 4 * gamma(2 * self.tables + len(tables) + 8, U32) * size
        return Lines(score - slack, B - (error + rounding) * INFLATE)

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
        return merges * n * n + gauge + gaps + patterns + 4 * n * n


def minimal_patterns(labels: Indices) -> npt.NDArray[np.bool_]:
    """The minimal sets {k: label_k(x) != label_k(x')} over x != x', as rows (patterns, tables).

    Empty when two elements share all labels, since then nothing separates them. Complexity: O(n^2) sets are formed
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
        found.update(np.unique(np.delete(bits, x)).tolist())
    minimal: list[int] = []
    for bits_of in sorted(found, key=lambda value: (value.bit_count(), value)):
        if not any(chosen & bits_of == chosen for chosen in minimal):
            minimal.append(bits_of)
    if minimal == [0]:
        return np.zeros((0, k), dtype=bool)
    return np.array([[(p >> table) & 1 for table in range(k)] for p in minimal], dtype=bool).reshape(-1, k)


