"""The bias as a sum of tables over points, and what that leaves over.

A function on the group is approximated by sum over p of B[p, pz], one table per coset space in use (twisted by the sign as well), and a
function of the parity. A mirrored family's table is B[p, pz^-1]; it has one where all families are mirrored: else it would be the
transpose of a table that is there. The tables are found by least squares in float64 and rounded to integers; what they miss is exact
in the rest.
"""

import numpy as np
import numpy.typing as npt

from verify.symbolic.exact import Exact
from verify.symbolic.families import Decomposition, PointFamily
from verify.symbolic.start import Start

#: Integers of more bits than this are not turned into floats.
FLOAT_BITS = 900


def split_bias(parts: Decomposition) -> None:
    """Set the ``bias`` table of each family that has one and the program's ``bias_rest``; changes ``parts`` in place."""
    families = with_tables(parts)
    if not families or not parts.bias.any() or max(abs(int(b)) for b in parts.bias).bit_length() > FLOAT_BITS:
        return
    order = parts.group.order
    sign = 1.0 - 2.0 * parts.parity
    columns: list[npt.NDArray[np.floating]] = [np.ones(order), sign] if parts.parity.any() else [np.ones(order)]
    places: list[tuple[int, int, int, bool] | None] = [None] * len(columns)
    twists = (False, True) if parts.parity.any() else (False,)
    for f, family in enumerate(families):
        for p, reached in enumerate(family.seen):
            for q in range(family.points.count):
                for twist in twists:
                    column = (reached == q) * (sign if twist else 1.0)
                    mean = sign * (column @ sign) / order if twist else column.mean()
                    columns.append(column - mean)
                    places.append((f, p, q, twist))
    found, *_ = np.linalg.lstsq(np.array(columns).T, parts.bias.astype(np.float64), rcond=None)
    tables = [np.zeros((f.points.count, f.points.count, 2), dtype=object) for f in families]
    for place, value in zip(places, found, strict=True):
        if place is not None:
            f, p, q, twist = place
            tables[f][p, q] += round(float(value)) * np.array([1, -1 if twist else 1], dtype=object)
    take_off(parts, families, tables)


def with_tables(parts: Decomposition) -> list[PointFamily]:
    """The families that have a table of the bias: those that are not mirrored, or all where there is no such family."""
    plain = [family for family in parts.families if not family.mirrored]
    return plain or parts.families


def start_bias(parts: Decomposition, start: Start) -> None:
    """Set the ``bias`` tables to those of a start, in whole votes, in place of the ones that ``split_bias`` found."""
    families = with_tables(parts)
    tables = []
    for family in families:
        known = start.bias(family)
        shape = (family.points.count,) * 2 + (2,)
        values = np.zeros(shape) if known is None else known * parts.scale
        tables.append(np.array([round(float(v)) for v in values.ravel()], dtype=object).reshape(shape))
    take_off(parts, families, tables)


def take_off(parts: Decomposition, families: list[PointFamily], tables: list[Exact]) -> None:
    """Let these be the families' tables of the bias, and what they leave over its rest.

    The tables of Python's integers become int64 where |bias| + (the tables' largest entries, summed over points) < 2^60.

    Then neither the rest of the bias nor a difference of two entries, added to a margin below 2^60, leaves 64 bits.
    """
    reach = max(abs(int(b)) for b in parts.bias) + sum(len(table) * int(abs(table).max(initial=0)) for table in tables)
    if reach < 1 << 60 and parts.bias.dtype == np.int64:
        tables = [table.astype(np.int64) for table in tables]
    rest = parts.bias.astype(tables[0].dtype) if tables else parts.bias.copy()
    for family, table in zip(families, tables, strict=True):
        family.bias = table
        for p, reached in enumerate(family.seen):
            rest = rest - table[p, reached, parts.parity]
    parts.bias_rest = rest
