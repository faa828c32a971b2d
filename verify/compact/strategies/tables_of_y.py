"""The tables of a factorisation, for some y's at a time, as 16-bit integers or as float32 numbers.

For one y let T_F (cells, n) be the computed float32 tables. With one scale s for all families and

    Q_F = s T_F without its fraction,     sum over F of max|Q_F| <= 32767,

sums of the Q_F in 16 bits are exact, in any order, and additions run at the speed of memory. |s T_F - Q_F| is at
most 1.002 units: one unit for the fraction, and the rounding of a float32 product below 2^15, which is 2^-9.
So margins read off the integers differ from those of the exact factored network by at most

    2 * 1.002 * (number of families) / s + 2 * (rounding of the float32 tables).

Entries of T_F are bounded by sum_i relu(l_i[p] + R[y, i]) max|U_i|, so no pass over the tables is needed to find s, and
scaling costs one operation an entry. Where that is much (small groups, many families), tables stay float32, and k
families that add up to at most M in absolute value cost 2 gamma_k M instead of the first term.
"""

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from net.roundoff import INFLATE, U32, Floats, Singles, gamma
from verify.compact.factorisation import Factorisation
from verify.compact.flops import matrix_product
from verify.compact.partition import Indices, Refinement

__all__ = ["TableMaker", "TablesOfY", "table_flops"]

#: Largest 16-bit integer.
LIMIT = 32767.0
#: Error of one integer entry in units, rounded up.
UNIT_ERROR = 1.002

Numbers = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class TablesOfY:
    """Tables for k values of y, times ``unit`` (k,), from which margins err by at most ``error`` (k,).

    Attributes:
        families: (k, cells, n) for each family.
        last: (k, cells, number of z) for each table that the merge plan leaves.

    """

    families: list[Numbers]
    last: tuple[Numbers, ...]
    unit: Floats
    error: Floats


def in_integers(factorisation: Factorisation) -> bool:
    """Whether tables have at most two thirds of |G| cells: then additions of 16 bits save more than scaling costs."""
    cells = sum(family.partition.count for family in factorisation.families)
    return 3 * cells <= 2 * len(factorisation.R)


class TableMaker:
    """Makes the merged tables of a factorisation for up to ``block`` y's at a time, in buffers that it reuses.

    Attributes:
        dtype: int16 or float32.
        lowest: a number of that type below every sum of tables.

    """

    def __init__(self, factorisation: Factorisation, block: int) -> None:
        families, merge = factorisation.families, factorisation.merge
        self.factorisation = factorisation
        self.dtype: np.dtype[Any] = np.dtype(np.int16 if in_integers(factorisation) else np.float32)
        self.lowest: int | float = np.iinfo(np.int16).min if self.dtype == np.int16 else -np.inf
        self.votes = [np.ascontiguousarray(factorisation.U[f.neurons]) for f in families]
        counts = [f.partition.count for f in families]
        self.takes_bias = int(np.argmin(counts))
        self.rounding = factorisation.rounding
        merged = [refinement.partition.count for _, _, refinement in merge.steps]
        n = len(factorisation.R)
        # all families below each other, so that one operation serves them all
        self.neurons = np.concatenate([np.tile(f.neurons, f.partition.count) for f in families])
        self.levels = np.concatenate([f.levels.ravel() for f in families])
        reach = np.abs(factorisation.U).max(axis=1)
        self.reach = np.concatenate([np.tile(reach[f.neurons], f.partition.count) for f in families])
        sizes = np.concatenate([np.full(f.partition.count, len(f.neurons)) for f in families])
        self.cells = np.cumsum(sizes) - sizes  # where each cell starts in levels
        self.largest = np.zeros(block)
        self.zeros = np.zeros_like(self.levels)
        self.cuts = np.cumsum([0, *counts])
        self.stack = np.empty((block, int(self.cuts[-1]), n), dtype=np.float32)
        self.integers = np.empty(self.stack.shape, dtype=np.int16)
        self.made: list[Numbers] = [np.empty((block, count, n), dtype=self.dtype) for count in merged]
        self.gathered = np.empty(block * max(merged, default=1) * n, dtype=self.dtype)

    def rounded_down(self, values: Floats) -> Numbers:
        """Numbers of the tables' type, not above the values, and above ``lowest``."""
        if self.dtype == np.int16:
            return np.floor(np.clip(values, -LIMIT, LIMIT)).astype(np.int16)
        return np.nextafter(np.maximum(values, -1e38).astype(np.float32), np.float32(-np.inf))

    def fill(self, ys: Indices) -> list[Singles]:
        """T_F as (len(ys), cells, n) float32 for each family; the bias is in one of them."""
        hidden: Singles = self.factorisation.R[ys][:, self.neurons] + self.levels
        np.maximum(hidden, self.zeros, out=hidden)  # numpy is slower with the number 0
        self._note_size(hidden)
        tables = self._split(self.stack[: len(ys)])
        start = 0
        for family, votes, table in zip(self.factorisation.families, self.votes, tables, strict=True):
            part = hidden[:, start : start + family.levels.size].reshape(len(ys), *family.levels.shape)
            np.matmul(part, votes, out=table)
            start += family.levels.size
        tables[self.takes_bias] += self.factorisation.b
        return tables

    def _note_size(self, hidden: Singles) -> None:
        """Bound the sum of the families' largest entries by what their neurons do with their largest votes."""
        cells = np.add.reduceat(hidden * self.reach, self.cells, axis=1)
        largest = np.maximum.reduceat(cells, self.cuts[:-1], axis=1).sum(axis=1, dtype=np.float64)
        self.largest[: len(hidden)] = largest + float(np.abs(self.factorisation.b).max())

    def _split(self, stack: Numbers) -> list[Numbers]:
        """The families' parts of an array (number of y, cells of all families, n)."""
        return [stack[:, start:end] for start, end in itertools.pairwise(self.cuts.tolist())]

    def finish(self, floats: list[Singles], columns: Indices | None = None) -> TablesOfY:
        """The tables that remain after the merge plan, for these z or all; overwritten by the next call.

        ``floats`` is what ``fill`` returned.
        """
        unit, error = np.ones(len(floats[0])), np.full(len(floats[0]), 2 * self.rounding)
        width = len(self.factorisation.R) if columns is None else len(columns)
        made = [table.reshape(-1)[: len(unit) * table.shape[1] * width] for table in self.made]
        made = [part.reshape(len(unit), -1, width) for part in made]
        given: list[Numbers] = list(floats)
        if self.dtype == np.int16:
            unit = self._scale(len(unit))
            given = self._split(self.integers[: len(unit)])
            error += 2 * UNIT_ERROR * len(floats) * unit
        else:
            error += 2 * gamma(len(floats) + 1, U32) * self.factorisation.magnitude
        tables = list(given) if columns is None else [table[:, :, columns] for table in given]
        for k, (one, other, refinement) in enumerate(self.factorisation.merge.steps):
            self.merge(tables[one], tables[other], refinement, made[k])
            tables.append(made[k])
        last = tuple(tables[k] for k in self.factorisation.merge.last)
        return TablesOfY(given, last, unit, error * INFLATE)

    def merge(self, one: Numbers, other: Numbers, refinement: Refinement, out: Numbers) -> None:
        """Put the sum of two tables on the cells of the refinement into ``out``."""
        if out.shape[1] == one.shape[1] * other.shape[1]:  # every cell meets every other one: nothing to gather
            shape = (len(out), one.shape[1], other.shape[1], out.shape[2])
            np.add(one[:, :, None], other[:, None], out=out.reshape(shape))
            return
        gathered = self.gathered[: out.size].reshape(out.shape)
        np.take(one, refinement.first, axis=1, out=out, mode="clip")
        np.take(other, refinement.second, axis=1, out=gathered, mode="clip")
        out += gathered

    def _scale(self, size: int) -> Floats:
        """Put the integers Q_F of that many y's into ``integers`` and return 1 / s for each y."""
        stack = self.stack[:size]
        largest = self.largest[:size] * (1 + 2 * gamma(max(map(len, self.votes)) + 8, U32)) + 2.0**-60
        scale = (LIMIT / largest * (1 - 2.0**-20)).astype(np.float32)
        np.multiply(stack, scale[:, None, None], out=self.integers[:size], casting="unsafe")
        return np.asarray(1.0 / scale.astype(np.float64))


def table_flops(factorisation: Factorisation) -> int:
    """Making the tables for all y: activations, products, bias, scaling, merges."""
    n = len(factorisation.R)
    counts = [family.partition.count for family in factorisation.families]
    products = sum(
        matrix_product(n * family.partition.count, len(family.neurons), n) + 2 * n * family.levels.size
        for family in factorisation.families
    )
    scaling = sum(counts) if in_integers(factorisation) else 0
    bounds = 3 * n * sum(family.levels.size for family in factorisation.families) if scaling else 0
    return products + bounds + (min(counts, default=0) + scaling + factorisation.merge.additions) * n * n
