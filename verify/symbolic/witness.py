"""Pairs that show that no dual variables settle an s: what families and constants give at a pair bounds every proof from above.

Whatever the dual variables, the bound of an s is at most the families' share at any x and y, plus the constants: (3) of
`dual_variables` and (5) of `lines` hold at every pair. So where that sum is not above 0 at some pair, no search has to be made.
Circuits of no family count in the constants with the most that they could do, which is why this happens to programs that are right.
"""

from typing import Any

import numpy as np

from verify.symbolic.families import CaseTables

__all__ = ["beyond_proof"]

#: Values of x that are looked at, evenly spread over those of the case.
SAMPLE = 12


def beyond_proof(tables: list[CaseTables], s: Any, constant: int) -> Any:
    """Which of the elements s have a pair, with one of a few x and any y, at which families and constants give no more than 0.

    Complexity: O(points |s| |y|) for each family and x.
    """
    if not tables:
        return np.full(len(s), constant <= 0)
    first = tables[0]
    parity, group, case = first.family.points.parity, first.family.points.group, first.case
    xs, ys = np.flatnonzero(parity == case.x), np.flatnonzero(parity == case.y)
    found = np.zeros(len(s), dtype=bool)
    for x in xs[:: max(1, len(xs) // SAMPLE)][:SAMPLE]:
        total: Any = constant
        for t in tables:
            points, moved = t.family.points, t.family.moved(s)
            if t.family.mirrored:  # its first input is y^-1, its second x^-1
                column = t.whole[..., int(np.searchsorted(t.ys, group.inv[x]))]
                for j in range(points.count):
                    total = total + column[j][moved[j]][:, points.moved[j, ys]]
            else:
                from_ = np.argsort(points.moved[:, x])  # the point that x takes to j
                for j in range(points.count):
                    total = total + t.whole[j, :, from_[j]][moved[j]]
        found |= (total <= 0).any(axis=1).astype(bool)
    return found
