"""The quadratic strategy: all x at once for each (y, z), so that no (x, y, z) is enumerated.

On the tables T_k(y) (cells, n) of a factorisation, write S(x, y) = sum_k T_k[c_k(x), xy] for the computed right
logit and tau(x, y) = S(x, y) - slack(x, y). For ANY numbers t_k[c] the identity

    tau(x, y) - sum_k T_k[c_k(x), z] = e(x) + sum_k g_k[c_k(x)],
    e(x) = tau(x, y) - sum_k t_k[c_k(x)],        g_k[c] = t_k[c] - T_k[c, z],

holds, and the network is right at (x, y) if this is positive (beyond rounding) for every z != xy. Fix the *line*
(y, z) and let x0 be the element with x0 y = z, the only x to which nothing is to be shown. Let nu be *potentials*:
functions of the cells with sum_k nu_k[c_k(x)] = 0 for all x (verify.compact.strategies.potentials), and r = g - nu, which has the
same sums. With a_k = r_k at the cell of x0 and o_k the least r_k at any other cell, every x != x0 has

    sum_k r_k[c_k(x)]  >=  sum_k min(a_k, o_k) + sum over k with c_k(x) != c_k(x0) of max(o_k - a_k, 0)
                       >=  sum_k min(a_k, o_k) + min over p of sum over k in p of max(o_k - a_k, 0)  =:  B(y, z),

p over the minimal sets of tables whose cell can change when x0 is replaced by another x. For a fixed set N of elements h
(verify.compact.strategies.patterns) the *near* triples x = h x0 are computed, and p runs over what the other, *far*, x can change:

    e(x) + min over z of B(y, z) > 0  and  e(x) + sum_k g_k[c_k(x)] > 0 at its |N| near z    proves (x, y),

and if it fails only z with B(y, z) <= -e(x) or a near triple that failed remain to be looked at for that x.

Two choices decide how good this is, and no proof rests on them. The t_k are a gauge: the mean of T_k[c_k(x), xy] over
each cell, corrected by least squares so that e is small. Potentials are zero at first, and are improved where
B(y, z) <= -min e, at most STEPS times.

Rounding. Sums of g_k err by at most error + 4 gamma (sum of magnitudes) with the tables. An entry of r is rounded once
more, to float32, and sums of nu are zero up to ``Potentials.off``. With r = max|r_k| on the line, computing B errs by at
most 4 gamma_{K+4} K r: one rounding for each entry, one for each difference, K + 1 for each sum over a pattern.

Cost: O(n^2 (cells + tables (patterns + |N|))), cells the sum of the tables' cells, after making the tables, and
O(cells tables + patterns tables) for each step on each line.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from net.roundoff import INFLATE, TINY32, U32, Floats, Singles, gamma
from verify.compact.factorisation import Factorisation
from verify.compact.flops import matrix_product
from verify.compact.merge import nested_plan
from verify.compact.partition import Indices
from verify.compact.strategies.patterns import far_patterns, near_elements
from verify.compact.strategies.potentials import Potentials

__all__ = ["FarBounds", "LineBounder"]

#: Steps of relaxation on a line for one y.
STEPS = 30


@dataclass(frozen=True, eq=False)
class FarBounds:
    """For one y: e (n,) by x and B (n,) by z, rounding included, so that e(x) + B(z) > 0 proves a far triple.

    Attributes:
        e, B: see above.
        near: (|N|, n) lower bounds of the margins of the near triples, at [h, z].
        near_x: (|N|, n) their x.
        flops: operations for this y, without making the families' tables.

    """

    e: Floats
    B: Floats
    near: Floats
    near_x: Indices
    flops: int

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

    ``bound`` learns potentials from call to call; ``reset`` forgets them.

    Attributes:
        cells, tables, patterns: sizes that the cost depends on.
        tight: whether to compute the slack of every pair by itself (verify.compact.pair_slack).

    """

    def __init__(self, factorisation: Factorisation, mul: npt.NDArray[np.int16], steps: int = STEPS) -> None:
        self.factorisation, self.mul, self.steps, self.tight = factorisation, mul, steps, False
        self.n = n = len(mul)
        self.merges, kept = nested_plan([family.partition for family in factorisation.families])
        self.kept = tuple(kept)
        partitions = list(kept.values())
        self.counts = [p.count for p in partitions]
        if not partitions or min(self.counts) < 2:
            raise ValueError("expected partitions with at least two cells")
        labels = np.stack([p.labels for p in partitions])
        self.starts = np.cumsum([0, *self.counts[:-1]])
        self.rows = labels + self.starts[:, None]
        self.cells, self.tables = sum(self.counts), len(partitions)
        self.near = near_elements(labels, mul)
        self.pattern_matrix = far_patterns(labels, self.near, self._neurons()).astype(np.float32)
        self.patterns = len(self.pattern_matrix)
        if not self.patterns:
            raise ValueError("expected partitions that tell all elements apart with few minimal patterns")
        design = np.zeros((n, self.cells))
        design[np.arange(n)[None], self.rows] = 1.0
        inverse: Floats = np.linalg.pinv(design).astype(np.float64)
        self.mean = (design / design.sum(axis=0)).T.astype(np.float32)
        self.solve = inverse.astype(np.float32)
        self.potentials = Potentials(design, inverse, self.rows)

    def _neurons(self) -> Floats:
        """(tables,) the number of neurons behind each table."""
        home = {k: k for k in range(len(self.factorisation.families))}
        for step, (one, other, _) in enumerate(self.merges, start=len(home)):
            home = {k: step if at in (one, other) else at for k, at in home.items()}
        sizes = np.zeros(self.tables)
        for k, family in enumerate(self.factorisation.families):
            sizes[self.kept.index(home[k])] += len(family.neurons)
        return sizes

    def reset(self) -> None:
        """Start anew: the next ``bound`` does not know any earlier one."""
        self.potentials.reset(self.n)

    def bound(self, y: int, tables: list[Singles], slack: Floats, error: float) -> FarBounds:
        """The bounds for one y from the families' float32 tables (cells, n), which err by ``error`` in margins."""
        stack = self._stack(tables)
        answers = self.mul[:, y].astype(np.intp)  # z of the line of x0
        if self.tight:
            pairs = self.factorisation.pairs
            slack = np.minimum(slack, pairs.bound(np.arange(self.n), np.full(self.n, y), answers))
        right = stack[self.rows, answers[None]]  # (tables, n): T_k[c_k(x), xy]
        gauge = self._gauge(right)
        score = right.astype(np.float64).sum(axis=0) - gauge.astype(np.float64)[self.rows].sum(axis=0)
        gaps = np.subtract(gauge[:, None], stack, out=stack)[:, answers]
        size = float(np.abs(gauge).max()) * self.tables + 2 * self.factorisation.magnitude
        off = error + 4 * gamma(2 * self.tables + len(tables) + 8, U32) * size
        e = score - slack
        near, near_x = self._near(gaps, e, off)
        far = np.empty(self.n)
        far[answers], spent = self._far(gaps, -float(e.min()), off * INFLATE)
        back = np.empty(self.n, dtype=np.intp)
        back[answers] = np.arange(self.n)
        return FarBounds(e, far, near[:, back], near_x[:, back], self.flops // self.n + spent)

    def _near(self, gaps: Singles, e: Floats, off: float) -> tuple[Floats, Indices]:
        """Bounds of the near triples and their x, at [h, x0]."""
        near_x = self.near.astype(np.intp)
        near = np.zeros(near_x.shape)
        for table in self.rows:
            near += gaps[table[near_x], np.arange(self.n)[None]]
        return near + e[near_x] - off * INFLATE, near_x

    def _far(self, gaps: Singles, wanted: float, off: float) -> tuple[Floats, int]:
        """(n,) B at x0, rounding included, and the operations spent on lines where it is not ``wanted`` at once.

        B is the largest that was found, so potentials never make it worse. What is wanted may be out of reach; potentials that end
        below the bound without any are forgotten, for relaxation towards an empty set grows without limit from y to y.
        """
        lines = np.arange(self.n)
        found, pseudo = self._least(gaps.copy(), lines, wanted, off)
        plain, best, flops = found.copy(), found.copy(), 0
        for step in range(self.steps + 1):
            left = ~(found > wanted)
            if not left.any() or not self.steps:
                break
            lines = lines[left]
            if step:  # at first, only go where an earlier y ended
                self.potentials.step(lines, pseudo, wanted - found[left])
            moved = (gaps[:, lines] - self.potentials.values[lines].T).astype(np.float32)
            found, pseudo = self._least(moved, lines, wanted, off + self.potentials.off(lines))
            best[lines] = np.fmax(best[lines], found)
            flops += len(lines) * (self.cells + self.flops_of_line + bool(step) * self.potentials.flops_of_step)
        self.potentials.forget(lines[~(found >= plain[lines])])
        return best, flops

    def _least(self, r: Singles, lines: Indices, wanted: float, off: float | Floats) -> tuple[Floats, Indices]:
        """B less ``off`` and rounding at these x0, and the pseudo-elements (tables, k) of those that are not ``wanted``.

        ``r`` (cells, number of lines) is overwritten.
        """
        own, columns = self.rows[:, lines], np.arange(len(lines))
        size = np.abs(r).max(axis=0).astype(np.float64)
        a = r[own, columns]
        r[own, columns] = np.inf
        o = np.minimum.reduceat(r, self.starts, axis=0)
        sums = self.pattern_matrix @ np.maximum(o - a, 0)
        worst = sums.argmin(axis=0)
        found = np.minimum(a, o).sum(axis=0, dtype=np.float64) + sums[worst, columns]
        found -= 4 * gamma(self.tables + 4, U32) * self.tables * size + 8 * self.tables * TINY32 + off
        left = np.flatnonzero(~(found > wanted))
        r = r[:, left]
        cells = np.stack([r[s : s + c].argmin(axis=0) + s for s, c in zip(self.starts, self.counts, strict=True)])
        changed = (o < a)[:, left] | (self.pattern_matrix[worst[left]].T > 0)
        return found, np.where(changed, cells, own[:, left])

    def _stack(self, tables: list[Singles]) -> Singles:
        """The tables of the nested plan below each other, (cells, n)."""
        made = list(tables)
        for one, other, refinement in self.merges:
            made.append(made[one][refinement.first] + made[other][refinement.second])
        return np.concatenate([made[k] for k in self.kept])

    def _gauge(self, right: Singles) -> Singles:
        """The numbers t_k[c], (cells,): cell means of the right tables, corrected by least squares for their sum."""
        means = np.concatenate([self.mean[s : s + c] @ row for s, c, row in zip(self.starts, self.counts, right, strict=True)])
        correction = self.solve @ (right.sum(axis=0) - means[self.rows].sum(axis=0))
        return np.asarray(means + correction)

    @property
    def flops_of_line(self) -> int:
        """Operations of B on one line: magnitudes, minima, differences, sums over patterns, and the least of them."""
        return 2 * self.cells + 6 * self.tables + matrix_product(self.patterns, self.tables, 1) + self.patterns

    @property
    def flops(self) -> int:
        """Operations for all y before the first step, without making the families' tables."""
        n, k = self.n, self.tables
        merges = sum(refinement.partition.count for _, _, refinement in self.merges)
        gauge = matrix_product(self.cells, n, n) * 2 + 4 * k * n * n
        near = len(self.near) * (k + 2) * n * n
        lines = (self.cells + self.flops_of_line + 4) * n * n
        lines += self.factorisation.pairs.flops(n * n) if self.tight else 0
        return merges * n * n + gauge + near + lines + self.potentials.flops_checked
