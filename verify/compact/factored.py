"""Left factorisation: every logit from tables on the cells of x, at a few additions each.

    factored(x, y)[z] = sum over families F of T_F[cell_F(x), y, z],     T_F[p, y, z] = sum_{i in F} relu(l_i[p] + R[y, i]) U[i, z]

Theorem. If for a pair (x, y), w = xy, the computed factored logits satisfy T(w) - max_{z != w} T(z) > slack(x, y), then the network's
unique argmax at (x, y) is w. Proof: slack bounds, for every z, the difference between the true margin and the computed one
(verify.compact.factorisation), so every true margin is positive.

When the test fails, the z with T(w) - T(z) <= slack(x, y) are *contenders*: every other z is proved to lose.
Cost: 2 n^2 (sum over neurons of the number of cells) for the tables, n^2 (cells of the merge plan) + n^3 to add them, n^3 to compare,
against 2 m n^3 for brute force.
"""

from dataclasses import dataclass
from time import perf_counter

import numpy as np
import numpy.typing as npt

from verify.compact.factorisation import Factorisation
from verify.compact.partition import Indices
from verify.compact.rounding import Floats, Singles
from verify.flops import matrix_product

__all__ = ["Contenders", "Factored", "factored_flops", "prove_factored"]

#: Table entries that a block of y's may have: keeps a block in a core's cache.
BLOCK = 1 << 19
#: A pair with more than this share of all z as contenders is left to the exact evaluation.
CROWDED = 0.25


@dataclass(frozen=True, eq=False)
class Contenders:
    """Triples (x, y, z) that are not settled, as three index arrays, sorted by pair."""

    x: Indices
    y: Indices
    z: Indices


@dataclass(frozen=True, eq=False)
class Factored:
    """What the factored strategy found.

    Attributes:
        bound: (n, n) float32 at [x, y]: computed margin minus slack, a lower bound of the true margin (-inf: not computed).
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


def prove_factored(factorisation: Factorisation, mul: npt.NDArray[np.int16], deadline: float | None = None) -> Factored:
    """Run the strategy on all pairs, or on the y's that are reached before ``deadline`` (a ``perf_counter`` time).

    ``mul[x, y]`` is the answer that the pair should get.
    """
    n = len(mul)
    bound = np.full((n, n), -np.inf, dtype=np.float32)
    work = _Work(factorisation, mul)
    done = 0
    found: list[tuple[Indices, Indices, Indices]] = []
    for start in range(0, n, work.block):
        if deadline is not None and perf_counter() > deadline:
            break
        ys = np.arange(start, min(start + work.block, n))
        found.extend(work.run(ys, bound))
        done += len(ys)
    x, y, z = (np.concatenate([np.zeros(0, np.intp), *(part[k] for part in found)]) for k in range(3))
    return Factored(bound, Contenders(x, y, z), done * factored_flops(factorisation) // n)


def factored_flops(factorisation: Factorisation) -> int:
    """The cost by rule of the module's docstring on all pairs."""
    n, m = factorisation.R.shape
    tables = sum(
        matrix_product(n * family.partition.count, len(family.neurons), n) + 2 * n * family.levels.size
        for family in factorisation.families
    )
    narrowest = min((family.partition.count for family in factorisation.families), default=0)  # takes the bias
    additions = (factorisation.merge.additions + narrowest) * n * n
    return tables + additions + 2 * n**3 + matrix_product(n, m, n) + 3 * n * n


class _Work:
    """Buffers and the loop over blocks of y."""

    def __init__(self, factorisation: Factorisation, mul: npt.NDArray[np.int16]) -> None:
        self.factorisation, self.mul = factorisation, mul
        self.n = len(mul)
        self.block = max(1, min(self.n, BLOCK // (self.n * self.n)))
        self.tile = max(1, min(self.n, BLOCK // self.n // self.block))
        self.sums = np.empty((self.block, self.tile, self.n), dtype=np.float32)
        self.gathered = np.empty_like(self.sums)
        self.columns = [np.ascontiguousarray(factorisation.R[:, family.neurons]) for family in factorisation.families]
        self.votes = [np.ascontiguousarray(factorisation.U[family.neurons]) for family in factorisation.families]

    def tables(self, ys: Indices) -> list[Singles]:
        """The last one or two tables, (len(ys), cells, n) each."""
        made: list[Singles | None] = []
        for family, R, U in zip(self.factorisation.families, self.columns, self.votes, strict=True):
            hidden = R[ys][:, None, :] + family.levels
            np.maximum(hidden, 0, out=hidden)
            made.append((hidden.reshape(-1, hidden.shape[2]) @ U).reshape(len(ys), -1, self.n))
        table = min((table for table in made if table is not None), key=np.size, default=None)
        if table is None:
            return [np.broadcast_to(self.factorisation.b, (len(ys), 1, self.n))]
        table += self.factorisation.b
        for one, other, refinement in self.factorisation.merge.steps:
            made.append(made[one][:, refinement.first] + made[other][:, refinement.second])  # type: ignore[index]
            made[one] = made[other] = None
        return [table for table in made if table is not None]

    def run(self, ys: Indices, bound: npt.NDArray[np.float32]) -> list[tuple[Indices, Indices, Indices]]:
        """Fill the columns ``ys`` of ``bound``; return contenders."""
        tables = self.tables(ys)
        labels = self.factorisation.merge.labels or (np.zeros(self.n, dtype=np.intp),)
        slack = self.factorisation.slack(ys)
        found = []
        for start in range(0, self.n, self.tile):
            xs = np.arange(start, min(start + self.tile, self.n))
            sums = self.sums[: len(ys), : len(xs)]
            np.take(tables[0], labels[0][xs], axis=1, out=sums, mode="clip")
            if len(tables) == 2:
                gathered = self.gathered[: len(ys), : len(xs)]
                np.take(tables[1], labels[1][xs], axis=1, out=gathered, mode="clip")
                sums += gathered
            found.extend(self.compare(ys, xs, sums, slack[:, xs], bound))
        return found

    def compare(
        self, ys: Indices, xs: Indices, sums: Singles, slack: Floats, bound: npt.NDArray[np.float32]
    ) -> list[tuple[Indices, Indices, Indices]]:
        """Bounds of one tile; ``sums`` (len(ys), len(xs), n) is overwritten at the right answers."""
        answers = self.mul[xs[:, None], ys[None, :]].T.astype(np.intp)[:, :, None]
        right = np.take_along_axis(sums, answers, axis=2)[:, :, 0].astype(np.float64)
        np.put_along_axis(sums, answers, -np.inf, axis=2)
        margin = right - sums.max(axis=2)
        lower = np.nextafter((margin - slack).astype(np.float32), -np.inf)  # rounds towards the safe side
        bound[xs[:, None], ys[None, :]] = lower.T
        j, i = np.nonzero(lower <= 0)
        if not len(j):
            return []
        close = right[j, i, None] - sums[j, i] <= slack[j, i, None] * (1 + 2.0**-20)
        close &= (close.sum(axis=1) <= CROWDED * self.n)[:, None]
        pair, z = np.nonzero(close)
        return [(xs[i[pair]], ys[j[pair]], z)]
