"""Which tables must change together when one element is replaced by another, and the few elements that change least.

Element x is told from x0 by the tables k with c_k(x) != c_k(x0): its *pattern*. A bound that holds for every minimal
pattern holds for all of them, since the terms that a larger pattern adds are not negative. The elements h x0 that
change the fewest tables (for point stabilisers: h a transposition) decide how good such a bound is, so they are
listed, their triples are computed one by one, and only the patterns of the others, the *far* ones, are bounded.
"""

import numpy as np
import numpy.typing as npt

from verify.compact.partition import Indices

__all__ = ["far_patterns", "minimal_patterns", "near_elements"]

#: At most this many patterns: tables of the least weight are left out until there are no more.
PATTERNS = 64
#: At most this many near elements, and at most this share of the group.
NEAR, NEAR_SHARE = 45, 1 / 6

Mask = npt.NDArray[np.bool_]


def near_elements(labels: Indices, mul: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
    """(|N|, n) rows h x over x for the h other than 1 whose x changes the fewest tables, counted at x = 1."""
    tables, n = labels.shape
    changed = (labels != labels[:, :1]).sum(axis=0)
    changed[0] = tables + 1
    limit = int(min(NEAR, NEAR_SHARE * n))
    sizes = np.bincount(changed, minlength=tables + 2)
    allowed = np.flatnonzero(np.cumsum(sizes) <= limit)
    chosen = np.flatnonzero(changed <= (allowed.max() if len(allowed) else -1))
    return np.asarray(mul[chosen])


def far_patterns(labels: Indices, near: npt.NDArray[np.int16], weights: npt.NDArray[np.float64]) -> Mask:
    """Minimal patterns (patterns, tables) of the far elements on as many of the heaviest tables as keeps them few.

    No rows when no choice of tables tells all elements apart.
    """
    used = np.argsort(-weights, kind="stable")
    while len(used):
        patterns = minimal_patterns(labels[used], near)
        if len(patterns) <= PATTERNS:
            result = np.zeros((len(patterns), len(labels)), dtype=bool)
            result[:, used] = patterns
            return result
        used = used[:-1]
    return np.zeros((0, len(labels)), dtype=bool)


def minimal_patterns(labels: Indices, near: npt.NDArray[np.int16] | None = None) -> Mask:
    """The minimal sets {k: label_k(x) != label_k(x')} over x' other than x and the ``near`` (h, x), as rows.

    Shape (patterns, tables); empty when two elements share all labels: nothing separates them, and for more than 62
    tables. Complexity: O(n^2) sets are formed in chunks; only the distinct ones are kept.
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
