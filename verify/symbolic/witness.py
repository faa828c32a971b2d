"""Pairs that show that no dual variables settle an s: what families and constants give at a pair bounds every proof from above.

Whatever the dual variables, the bound of an s is at most the families' share at any x and y, plus the constants: (3) of
`dual_variables` and (5) of `lines` hold at every pair. So where that sum is not above 0 at some pair, no search has to be made.
Circuits of no family count in the constants with the most that they could do, which is why this happens to programs that are right.
"""

import numpy as np
import numpy.typing as npt

from verify.symbolic.exact import Exact
from verify.symbolic.families import CaseTables
from verify.symbolic.points import Integers

__all__ = ["beyond_proof"]

#: Values of x that are looked at, evenly spread over those of the case.
SAMPLE = 12


def beyond_proof(tables: list[CaseTables], s: Integers, constant: int) -> npt.NDArray[np.bool_]:
    """Which of the elements s have a pair, with one of a few x and any y, at which families and constants give no more than 0.

    Complexity: O(points |s| |y|) for each family and x.
    """
    if not tables:
        return np.full(len(s), constant <= 0)
    first = tables[0]
    parity, case = first.family.points.parity, first.case
    xs, ys = np.flatnonzero(parity == case.x), np.flatnonzero(parity == case.y)
    found = np.zeros(len(s), dtype=bool)
    for x in xs[:: max(1, len(xs) // SAMPLE)][:SAMPLE]:
        total = sum((_share(t, s, int(x), ys) for t in tables), constant)
        found |= np.asarray(total <= 0).any(axis=1).astype(bool)
    return found


def _share(tables: CaseTables, s: Integers, x: int, ys: Integers) -> Exact:
    """What the family gives to the margin at x, for elements s (rows) and the given y (columns)."""
    points, moved = tables.family.points, tables.family.moved(s)
    if tables.family.mirrored:  # its first input is y^-1, its second x^-1
        column = tables.whole[..., int(np.searchsorted(tables.ys, points.group.inv[x]))]
        rows = [column[j][moved[j]][:, points.moved[j, ys]] for j in range(points.count)]
    else:
        start = np.argsort(points.moved[:, x])  # the point that x takes to j
        rows = [tables.whole[j, :, start[j]][moved[j]] for j in range(points.count)]
    return np.asarray(sum(rows))
