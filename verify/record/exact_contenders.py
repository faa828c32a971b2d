"""How many answers the plan of a compact proof leaves open at a pair: the count of exact arithmetic, from floats where they decide.

With votes moved so that each neuron's largest and least are opposite, V = U - (max U + min U) / 2 and s = (max U - min U) / 2, the
network's activations h = relu(L[x] + R[y]) and the plan's f = relu(level[x] + R[y]), 0 for a neuron that it leaves out, z is a
*contender* of the pair (x, y) with w = xy unless

    sum_i h_i V[i, w] + b[w] - sum_i |h_i - f_i| s_i  >  sum_i f_i V[i, z] + b[z].

The checker (verify/checker/tables.py) counts the same z. Computed in floats both sides together err by at most ``_error``; where they
are closer in float32, float64 is asked, and where they are closer in that, integers decide.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from net.roundoff import INFLATE, TINY32, U32, U64, Floats, gamma, inflate
from net.weights import ExactWeights, Weights
from verify.compact.factorisation import PartitionFamily

__all__ = ["count_contenders"]

#: Pairs that are looked at together.
BLOCK = 2048
#: Numbers, and the bound of rounding errors, which has at least 2^-24 of each sum of float32 numbers, are below this: no sum overflows.
LARGEST = 2.0**96

Counts = npt.NDArray[np.intp]
_Table = npt.NDArray[np.floating]


def count_contenders(weights: Weights, families: tuple[PartitionFamily, ...], products: npt.NDArray[np.int16], pairs: Counts) -> Counts:
    """The number of contenders of each of the (k, 2) ``pairs`` (x, y), whose answers should be ``products[x, y]``.

    O(k m n) operations in float32, in float64 for the pairs that these leave undecided, and O(m) integers for each z that is left.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # sums out of range are left to integers
        return _count(_Work.of(weights, families), products, pairs)


def _count(work: "_Work", products: npt.NDArray[np.int16], pairs: Counts) -> Counts:
    found = np.zeros(len(pairs), dtype=np.intp)
    for start in range(0, len(pairs), BLOCK):
        part = pairs[start : start + BLOCK]
        left, unsure = np.arange(len(part)), np.ones((len(part), work.weights.order), dtype=bool)
        for floats in work.floats:
            x, y = part[left].T
            w = products[x, y].astype(np.intp)
            bound = floats.bounds(x, y, w)
            # Not within the error's reach: false for what is no number, where sums are out of range.
            unsure = ~(np.abs(bound) > floats.error)
            bound[np.arange(len(w)), w], unsure[np.arange(len(w)), w] = np.inf, False
            found[start + left] = ((bound < 0) & ~unsure).sum(axis=1)
            open_ = unsure.any(axis=1)
            left, unsure = left[open_], unsure[open_]
            if not len(left):
                break
        for k, zs in zip(left.tolist(), unsure, strict=True):
            x, y = part[k].tolist()
            found[start + k] += work.exactly(x, y, int(products[x, y]), np.flatnonzero(zs))
    return found


@dataclass(frozen=True, eq=False)
class _Floats:
    """The network, its plan's levels (n, m) at every x (minus infinity for a neuron that is left out), V, s, and the error bound."""

    L: _Table
    R: _Table
    level: _Table
    V: _Table
    s: _Table
    b: _Table
    error: float

    def bounds(self, x: Counts, y: Counts, w: Counts) -> _Table:
        """(k, n) left side less right side."""
        right = self.R[y]
        h, f = np.maximum(self.L[x] + right, 0), np.maximum(self.level[x] + right, 0)
        known = np.einsum("ki,ki->k", h, self.V.T[w]) + self.b[w] - np.abs(h - f) @ self.s
        return np.asarray(known[:, None] - (f @ self.V + self.b))


@dataclass(frozen=True, eq=False)
class _Work:
    """The network, its plan's levels, and both in floats, the cheaper ones first."""

    weights: Weights
    level: Floats
    floats: tuple[_Floats, ...]

    @classmethod
    def of(cls, weights: Weights, families: tuple[PartitionFamily, ...]) -> "_Work":
        level = np.full(weights.L.shape, -np.inf)
        for family in families:
            level[:, family.neurons] = family.levels[family.partition.labels]
        high, low = weights.U.max(axis=1), weights.U.min(axis=1)
        V, s = weights.U - ((high + low) / 2)[:, None], (high - low) / 2
        arrays = (weights.L, weights.R, level, V, s, weights.b)
        floats = [_Floats(*arrays, _error(weights, level, U64, 0.0))]
        error = _error(weights, level, U32, TINY32)
        if max(error, *(float(np.abs(array[np.isfinite(array)]).max(initial=0.0)) for array in arrays)) < LARGEST:
            one, other, at, votes, spread, bias = (np.ascontiguousarray(array, dtype=np.float32) for array in arrays)
            above = float(np.nextafter(np.float32(error), np.float32(np.inf)))
            floats.insert(0, _Floats(one, other, at, votes, spread, bias, above))
        return cls(weights, level, tuple(floats))

    def exactly(self, x: int, y: int, w: int, zs: Counts) -> int:
        """How many of these z are contenders, in integers: twice both sides, over one power of two."""
        exact: ExactWeights = self.weights.exact()
        kept = np.isfinite(self.level[x])
        fractions = [value.as_integer_ratio() if inside else (0, 1) for value, inside in zip(self.level[x].tolist(), kept, strict=True)]
        bits = max(exact.preactivation_bits, *(q.bit_length() - 1 for _, q in fractions))
        lift = bits - exact.preactivation_bits
        level = np.array([p << bits + 1 - q.bit_length() for p, q in fractions], dtype=object)
        left, right = exact.L[x] * (1 << lift), exact.R[y] * (1 << lift)
        h, f = np.maximum(left + right, 0), np.where(kept, np.maximum(level + right, 0), 0)
        high, low = exact.U.max(axis=1), exact.U.min(axis=1)
        votes = 2 * exact.U[:, [w, *zs.tolist()]] - (high + low)[:, None]
        bias = 2 * exact.b[[w, *zs.tolist()]] * (1 << lift)
        known = h @ votes[:, 0] + bias[0] - np.abs(h - f) @ (high - low)
        return int(sum(bool(known <= other) for other in f @ votes[:, 1:] + bias[1:]))


def _error(weights: Weights, level: Floats, unit: float, tiny: float) -> float:
    """How far both sides together, in floats of this unit roundoff, may be from the exact ones.

    With a = errors of h and f, which are those of L, R and level, of their rounding to these floats, and of one addition; v = errors of
    V and s, which are those of U, of two roundings in float64 and of one to these floats; top = the largest h or f: the products h V
    and f V err by a |V| + (top + a) v each, |h - f| s by 2 a s + (top + 2 a) v, and the sums of m products and four more terms by
    gamma_{m+6} times the sum of absolute values; the two more stand for the rounding of h - f and of b. ``tiny`` is what a number that
    underflows may lose, 0 in float64, where no product of weights is that small beside 2^-1000: each of 4 (m + 6) numbers at most, and
    later roundings less than double it. Sums over m neurons are of nonnegative terms with fewer than 30 roundings each (`inflate`);
    INFLATE covers the few roundings of a, v and top.
    """
    kept = np.where(np.isfinite(level), level, 0.0)
    sizes = np.abs(weights.L).max(axis=0), np.abs(weights.R).max(axis=0), np.abs(kept).max(axis=0)
    a = (weights.L_error + weights.R_error + 3 * unit * sum(sizes)) * INFLATE + 4 * tiny
    largest = np.abs(weights.U).max(axis=1)
    v = (2 * weights.U_error + 8 * U64 * largest + 2 * (unit > U64) * unit * largest) * INFLATE + 2 * tiny
    top = np.maximum(np.maximum(weights.L.max(axis=0), level.max(axis=0)) + weights.R.max(axis=0), 0.0) * INFLATE + a
    votes = 2 * largest * INFLATE
    products = float((2 * (a * votes + (top + a) * v) + 2 * a * votes + (top + 2 * a) * v).sum())
    sizes_of_sums = float((3 * (top + 2 * a) * (votes + v)).sum()) + 2 * float(np.abs(weights.b).max()) + 2 * weights.b_error
    rounded = gamma(weights.width + 6, unit) * sizes_of_sums + 8 * (weights.width + 6) * tiny
    return (products + 2 * weights.b_error + rounded) * inflate(weights.width) + 2.0**-1000
