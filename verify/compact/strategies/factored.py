"""Left factorisation: every logit from tables on the cells of x, at a few additions each.

    factored(x, y)[z] = sum over families F of T_F[cell_F(x), y, z],
    T_F[p, y, z] = sum over i in F of relu(l_i[p] + R[y, i]) U[i, z].

Theorem. If at (x, y), with w = xy, the computed factored logits satisfy

    T(w) - max over z != w of T(z)  >  slack(x, y) + error(y),

then the network's unique argmax at (x, y) is w. Proof: slack bounds the difference of the true margin and the exact
factored one for every z (verify.compact.factorisation), error that of the latter and the computed one
(verify.compact.strategies.tables_of_y). So every true margin is positive.

Where the test fails, the slack of that pair is computed by itself (verify.compact.pair_slack); where it fails again,
the z with T(w) - T(z) <= slack + error are *contenders*: every other z is proved to lose.
Cost: 2 n^2 (sum over neurons of the number of cells) for the tables, n^2 (cells of the merge plan) + n^3 (tables
left - 1) to add them, n^3 to compare, against 2 m n^3 for brute force. Behind the quadratic strategy
(verify.compact.strategies.lines) only the x and z that it left open are added up and compared.
"""

from dataclasses import dataclass
from time import perf_counter

import numpy as np
import numpy.typing as npt

from net.roundoff import Floats, Singles
from verify.compact.factorisation import Factorisation
from verify.compact.flops import matrix_product
from verify.compact.partition import Indices
from verify.compact.strategies.lines import LineBounder
from verify.compact.strategies.tables_of_y import Numbers, TableMaker, TablesOfY, table_flops

__all__ = ["Contenders", "Factored", "block_size", "factored_flops", "prove_factored", "sweep_flops"]

#: Entries of one tile of sums: keeps a tile in a core's cache.
TILE = 1 << 18
#: Bounds are computed for this many y's at a time, so that they are one matrix product.
SLACK_BLOCK = 64
#: A pair with more than this share of all z as contenders is left to the exact evaluation.
CROWDED = 0.5

Triples = tuple[Indices, Indices, Indices]


@dataclass(frozen=True, eq=False)
class Contenders:
    """Triples (x, y, z) that are not settled, as three index arrays; those of a pair are consecutive."""

    x: Indices
    y: Indices
    z: Indices


@dataclass(frozen=True, eq=False)
class Factored:
    """What the quadratic and the factored strategy found.

    Attributes:
        bound: (n, n) float32 at [x, y]: a lower bound of the true margin (-inf: not computed).
        by_lines: (n, n) pairs that the quadratic strategy settled.
        contenders: of pairs that are not settled, unless they have too many.
        flops, line_flops: operations of the factored and of the quadratic strategy; making tables is counted once,
            for the strategy that comes first.
        line_seconds: time that the quadratic strategy took, the making of tables included.

    """

    bound: npt.NDArray[np.float32]
    by_lines: npt.NDArray[np.bool_]
    contenders: Contenders
    flops: int
    line_flops: int
    line_seconds: float

    @property
    def settled(self) -> npt.NDArray[np.bool_]:
        """(n, n) pairs that are proved right by either strategy."""
        return np.asarray(self.bound > 0)


def prove_factored(
    factorisation: Factorisation,
    mul: npt.NDArray[np.int16],
    deadline: float | None = None,
    lines: LineBounder | None = None,
    only_lines: bool = False,
) -> Factored:
    """Run the strategies for all y, or for those reached before ``deadline`` (a ``perf_counter`` time).

    ``mul[x, y]`` is the answer that the pair should get. Without ``lines`` the quadratic strategy is left out.
    """
    n = len(mul)
    work = _Work(factorisation, mul, lines, only_lines)
    found: list[Triples] = []
    for start in range(0, n, SLACK_BLOCK):
        if deadline is not None and perf_counter() > deadline:
            break
        found.extend(work.run(np.arange(start, min(start + SLACK_BLOCK, n))))
    x, y, z = (np.concatenate([np.zeros(0, np.intp), *(part[k] for part in found)]) for k in range(3))
    cost = work.flops, work.line_flops, work.line_seconds
    return Factored(work.bound, work.by_lines, Contenders(x, y, z), *cost)


def slack_flops(factorisation: Factorisation) -> int:
    """The cost by rule of the bounds for all pairs."""
    groups, n, m = (int(size) for size in (factorisation.groups, *factorisation.R.shape))
    return matrix_product(n, groups * m, n) + n * groups * m + n * n


def sweep_flops(factorisation: Factorisation, rows: int, columns: int) -> int:
    """The cost by rule of adding and comparing for one y, that many x and that many z."""
    families, last = len(factorisation.families), max(len(factorisation.merge.last), 1)
    return factorisation.merge.additions * columns + rows * (last * columns + families + 3)


def factored_flops(factorisation: Factorisation) -> int:
    """The cost by rule on all pairs, without the quadratic strategy."""
    n = len(factorisation.R)
    return table_flops(factorisation) + slack_flops(factorisation) + n * sweep_flops(factorisation, n, n)


def block_size(order: int) -> int:
    """How many y's are swept at a time: so many that a tile holds all their logits, and one for a large group."""
    return max(1, min(order, TILE // (order * order)))


class _Work:
    """Buffers, counters, and the loops over blocks of y and tiles of x."""

    def __init__(self, factorisation: Factorisation, mul: npt.NDArray[np.int16], lines: LineBounder | None, only_lines: bool) -> None:
        self.factorisation, self.mul, self.lines, self.only_lines = factorisation, mul, lines, only_lines
        if lines is not None:
            lines.reset()  # what is proved of a network does not depend on what was bounded before
        self.n = n = len(mul)
        self.bound = np.full((n, n), -np.inf, dtype=np.float32)
        self.by_lines = np.zeros((n, n), dtype=bool)
        self.flops, self.line_flops, self.line_seconds = 0, 0, 0.0
        self.block = 1 if lines is not None else block_size(n)
        self.maker = TableMaker(factorisation, self.block)
        self.sums = np.empty(max(TILE, self.block * n), dtype=self.maker.dtype)
        self.gathered = np.empty_like(self.sums)
        self.making = table_flops(factorisation) - factorisation.merge.additions * n * n
        self.making = (self.making + slack_flops(factorisation)) // n

    def run(self, ys: Indices) -> list[Triples]:
        """Fill the columns ``ys`` of ``bound``; return contenders."""
        found: list[Triples] = []
        started = perf_counter()
        slack = self.factorisation.slack(ys)
        self.line_seconds += perf_counter() - started if self.lines is not None else 0.0
        for start in range(0, len(ys), self.block):
            part = slice(start, start + self.block)
            found.extend(self.run_block(ys[part], slack[part]))
        return found

    def run_block(self, ys: Indices, slack: Floats) -> list[Triples]:
        """The strategies for one block of y's; all of one block are swept over the same x and z."""
        started = perf_counter()
        floats = self.maker.fill(ys)
        xs, zs = np.arange(self.n), None
        if self.lines is not None:
            self.line_flops += self.making
            xs, zs = self.draw_lines(int(ys[0]), floats, slack[0])
            self.line_seconds += perf_counter() - started
            if not len(xs) or self.only_lines:
                return []
        else:
            self.flops += self.making * len(ys)
        columns = self.n if zs is None else len(zs)
        self.flops += sweep_flops(self.factorisation, len(xs), columns) * len(ys)
        tables = self.maker.finish(floats, zs)
        allowed = slack + tables.error[:, None]
        tile = max(1, TILE // (columns * len(ys)))
        found: list[Triples] = []
        for first in range(0, len(xs), tile):
            part = xs[first : first + tile]
            found.extend(self.compare(ys, part, zs, self.add(tables, part), tables, allowed[:, part]))
        return found

    def draw_lines(self, y: int, floats: list[Singles], slack: Floats) -> tuple[Indices, Indices]:
        """Record what the quadratic strategy proves for one y; return the x and the z that it leaves open."""
        assert self.lines is not None
        lines = self.lines.bound(y, [table[0] for table in floats], slack, 2 * self.maker.rounding)
        self.line_flops += lines.flops
        bound = _rounded_down(lines.by_x())
        self.by_lines[:, y] = bound > 0
        self.bound[:, y] = bound
        xs = np.flatnonzero(~(bound > 0))
        if not len(xs):
            return xs, xs
        open_lines = lines.open_lines(xs)
        if not self.only_lines:  # what the lines that are not swept leave as a bound
            self.bound[xs, y] = _rounded_down(lines.by_x(open_lines))[xs]
        return xs, np.flatnonzero(open_lines)

    def add(self, tables: TablesOfY, xs: Indices) -> Numbers:
        """(number of y, len(xs), number of z) sums of the last tables."""
        shape = (len(tables.unit), len(xs), tables.last[0].shape[2])
        size = shape[0] * shape[1] * shape[2]
        sums, gathered = self.sums[:size].reshape(shape), self.gathered[:size].reshape(shape)
        for k, (table, labels) in enumerate(zip(tables.last, self.factorisation.merge.labels, strict=True)):
            np.take(table, labels[xs], axis=1, out=gathered if k else sums, mode="clip")
            if k:
                sums += gathered
        return sums

    def right(self, ys: Indices, xs: Indices, tables: TablesOfY) -> Numbers:
        """(len(ys), len(xs)) right logits in units: integers, or float32 sums whose rounding ``error`` covers."""
        answers = self.mul[xs[None, :], ys[:, None]]
        j = np.arange(len(ys))[:, None]
        total = np.zeros(answers.shape, dtype=np.float64)
        for family, table in zip(self.factorisation.families, tables.families, strict=True):
            total += table[j, family.partition.labels[xs][None, :], answers]
        return total

    def tighter(self, ys: Indices, xs: Indices, answers: Indices) -> Floats:
        """The slack of single pairs."""
        pairs = self.factorisation.pairs
        self.flops += pairs.flops(len(xs))
        return pairs.bound(xs, ys, answers)

    def compare(self, ys: Indices, xs: Indices, zs: Indices | None, sums: Numbers, tables: TablesOfY, allowed: Floats) -> list[Triples]:
        """Bounds of one tile; ``sums`` is overwritten at the right answers."""
        answers = self.mul[xs[None, :], ys[:, None]].astype(np.intp)
        j, i = np.arange(len(ys))[:, None], np.arange(len(xs))[None, :]
        if zs is None:
            right = sums[j, i, answers].astype(np.float64)
            sums[j, i, answers] = self.maker.lowest
        else:
            right = self.right(ys, xs, tables)
            place = np.searchsorted(zs, answers).clip(max=len(zs) - 1)
            j, i = np.nonzero(zs[place] == answers)
            sums[j, i, place[j, i]] = self.maker.lowest
        margin = (right - sums.max(axis=2)) * tables.unit[:, None]
        lower = _rounded_down(margin - allowed)
        j, i = np.nonzero(lower <= 0)
        if len(j):  # what the slack for all pairs left open
            allowed[j, i] = np.minimum(allowed[j, i], self.tighter(ys[j], xs[i], answers[j, i]) + tables.error[j])
            lower[j, i] = _rounded_down(margin[j, i] - allowed[j, i])
        known = self.bound[xs[None, :], ys[:, None]] if zs is not None else np.inf
        self.bound[xs[None, :], ys[:, None]] = np.minimum(lower, known)
        j, i = np.nonzero(lower <= 0)
        if not len(j):
            return []
        least = right[j, i] - allowed[j, i] / tables.unit[j] * (1 + 2.0**-20)
        close = sums[j, i] >= self.maker.rounded_down(least)[:, None]
        pair, z = np.divmod(np.flatnonzero(close), close.shape[1])  # several times as fast as nonzero of two axes
        few = (np.bincount(pair, minlength=len(j)) <= CROWDED * self.n)[pair]
        pair, z = pair[few], z[few]
        return [(xs[i[pair]], ys[j[pair]], z if zs is None else zs[z])]


def _rounded_down(values: Floats) -> Singles:
    """Float32 numbers below the values."""
    return np.nextafter(values.astype(np.float32), np.float32(-np.inf))
