"""Left factorisation: every logit from tables on the cells of x, at a few additions each.

    factored(x, y)[z] = sum over families F of T_F[cell_F(x), y, z],
    T_F[p, y, z] = sum over i in F of relu(l_i[p] + R[y, i]) U[i, z].

Theorem. If at (x, y), with w = xy, the computed factored logits satisfy

    T(w) - max over z != w of T(z)  >  slack(x, y) + error(y),

then the network's unique argmax at (x, y) is w. Proof: slack bounds the difference of the true margin and the
exact factored one for every z (verify.compact.factorisation), error that of the latter and the computed one
(verify.compact.tables_of_y). So every true margin is positive.

Where the test fails, the z with T(w) - T(z) <= slack + error are *contenders*: every other z is proved to
lose.
Cost: 2 n^2 (sum over neurons of the number of cells) for the tables, n^2 (cells of the merge plan) + n^3
(tables left - 1) to add them, n^3 to compare, against 2 m n^3 for brute force.
"""

from dataclasses import dataclass
from time import perf_counter

import numpy as np
import numpy.typing as npt

from verify.compact.factorisation import Factorisation
from verify.compact.tables_of_y import Numbers, TableMaker, Tables, table_flops
from verify.compact.partition import Indices
from verify.compact.rounding import Floats
from verify.flops import matrix_product

__all__ = ["Contenders", "Factored", "factored_flops", "prove_factored"]

#: Entries of one tile of sums: keeps a tile in a core's cache.
TILE = 1 << 18
#: Bounds are computed for this many y's at a time, so that they are one matrix product.
SLACK_BLOCK = 64
#: A pair with more than this share of all z as contenders is left to the exact evaluation.
CROWDED = 0.25

Triples = tuple[Indices, Indices, Indices]


@dataclass(frozen=True, eq=False)
class Contenders:
    """Triples (x, y, z) that are not settled, as three index arrays; those of a pair are consecutive."""

    x: Indices
    y: Indices
    z: Indices


@dataclass(frozen=True, eq=False)
class Factored:
    """What the factored strategy found.

    Attributes:
        bound: (n, n) float32 at [x, y]: a lower bound of the true margin (-inf: not computed).
        contenders: of pairs that are not settled, unless they have too many.
        flops: operations of the blocks that were computed.

    """

    bound: npt.NDArray[np.float32]
    contenders: Contenders
    flops: int

    @property
    def settled(self) -> npt.NDArray[np.bool_]:
        """(n, n) pairs that are proved right."""
        return np.asarray(self.bound > 0)


def prove_factored(
    factorisation: Factorisation, mul: npt.NDArray[np.int16], deadline: float | None = None
) -> Factored:
    """Run the strategy on all pairs, or on the y's that are reached before ``deadline`` (a ``perf_counter``
    time).

    ``mul[x, y]`` is the answer that the pair should get.
    """
    n = len(mul)
    work = _Work(factorisation, mul)
    done = 0
    found: list[Triples] = []
    for start in range(0, n, SLACK_BLOCK):
        if deadline is not None and perf_counter() > deadline:
            break
        ys = np.arange(start, min(start + SLACK_BLOCK, n))
        found.extend(work.run(ys))
        done += len(ys)
    x, y, z = (np.concatenate([np.zeros(0, np.intp), *(part[k] for part in found)]) for k in range(3))
    return Factored(work.bound, Contenders(x, y, z), done * factored_flops(factorisation) // n)


def factored_flops(factorisation: Factorisation) -> int:
    """The cost by rule on all pairs, the bounds included."""
    groups, n, m = factorisation.residual.shape[:3]
    sums = max(len(factorisation.merge.last), 1) * n**3  # additions and comparisons
    bounds = matrix_product(n, groups * m, n) + n * groups * m + 4 * n * n
    return table_flops(factorisation) + sums + bounds


class _Work:
    """Buffers, and the loops over blocks of y and tiles of x."""

    def __init__(self, factorisation: Factorisation, mul: npt.NDArray[np.int16]) -> None:
        self.factorisation, self.mul = factorisation, mul
        self.n = n = len(mul)
        self.bound = np.full((n, n), -np.inf, dtype=np.float32)
        self.block = max(1, min(n, TILE // (n * n)))
        self.maker = TableMaker(factorisation, self.block)
        self.tile = max(1, min(n, TILE // (n * self.block)))
        self.sums = np.empty(self.block * self.tile * n, dtype=self.maker.dtype)
        self.gathered = np.empty_like(self.sums)

    def run(self, ys: Indices) -> list[Triples]:
        """Fill the columns ``ys`` of ``bound``; return contenders."""
        slack = self.factorisation.slack(ys)
        found = []
        for start in range(0, len(ys), self.block):
            part = slice(start, start + self.block)
            tables = self.maker.tables(ys[part])
            allowed = slack[part] + tables.error[:, None]
            for first in range(0, self.n, self.tile):
                xs = np.arange(first, min(first + self.tile, self.n))
                sums = self.add(tables, xs, len(ys[part]))
                found.extend(self.compare(ys[part], xs, sums, allowed[:, xs], tables.unit))
        return found

    def add(self, tables: Tables, xs: Indices, ys: int) -> Numbers:
        """(ys, len(xs), n) sums of the last tables."""
        shape = (ys, len(xs), self.n)
        size = ys * len(xs) * self.n
        sums, gathered = self.sums[:size].reshape(shape), self.gathered[:size].reshape(shape)
        if not tables.last:
            sums[:] = 0
        for k, (table, labels) in enumerate(zip(tables.last, self.factorisation.merge.labels, strict=True)):
            np.take(table, labels[xs], axis=1, out=gathered if k else sums, mode="clip")
            if k:
                sums += gathered
        return sums

    def compare(self, ys: Indices, xs: Indices, sums: Numbers, allowed: Floats, unit: Floats) -> list[Triples]:
        """Bounds of one tile; ``sums`` is overwritten at the right answers."""
        j, i = np.arange(len(ys))[:, None], np.arange(len(xs))[None, :]
        answers = self.mul[xs[None, :], ys[:, None]]
        right = sums[j, i, answers].astype(np.float64)
        sums[j, i, answers] = self.maker.lowest
        margin = (right - sums.max(axis=2)) * unit[:, None]
        lower = np.nextafter((margin - allowed).astype(np.float32), np.float32(-np.inf))
        self.bound[xs[:, None], ys[None, :]] = lower.T
        j, i = np.nonzero(lower <= 0)
        if not len(j):
            return []
        least = self.maker.rounded_down(right[j, i] - allowed[j, i] / unit[j] * (1 + 2.0**-20))
        close = sums[j, i] >= least[:, None]
        close &= (np.count_nonzero(close, axis=1) <= CROWDED * self.n)[:, None]
        pair, z = np.nonzero(close)
        return [(xs[i[pair]], ys[j[pair]], z)]
