"""How many answers the plan of a compact proof leaves open at a pair: the count of exact arithmetic, from float64 where that decides.

With votes moved so that each neuron's largest and least are opposite, V = U - (max U + min U) / 2 and s = (max U - min U) / 2, the
network's activations h = relu(L[x] + R[y]) and the plan's f = relu(level[x] + R[y]), 0 for a neuron that it leaves out, z is a
*contender* of the pair (x, y) with w = xy unless

    sum_i h_i V[i, w] + b[w] - sum_i |h_i - f_i| s_i  >  sum_i f_i V[i, z] + b[z].

The checker (verify/checker/tables.py) counts the same z. Computed in float64 both sides together err by at most ``_error``; where they
are closer, integers decide.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from net.roundoff import INFLATE, U64, Floats, gamma
from net.weights import ExactWeights, Weights
from verify.compact.factorisation import PartitionFamily

__all__ = ["count_contenders"]

#: Pairs that are looked at together.
BLOCK = 2048

Counts = npt.NDArray[np.intp]


def count_contenders(weights: Weights, families: tuple[PartitionFamily, ...], products: npt.NDArray[np.int16], pairs: Counts) -> Counts:
    """The number of contenders of each of the (k, 2) ``pairs`` (x, y), whose answers should be ``products[x, y]``.

    O(k m n) operations in float64, and O(m) integers for each z that these leave undecided.
    """
    work = _Work.of(weights, families)
    found = np.zeros(len(pairs), dtype=np.intp)
    for start in range(0, len(pairs), BLOCK):
        x, y = pairs[start : start + BLOCK].T
        w = products[x, y].astype(np.intp)
        bound = work.bounds(x, y, w)
        bound[np.arange(len(w)), w] = np.inf
        found[start : start + BLOCK] = (bound < -work.error).sum(axis=1)
        unsure = np.abs(bound) <= work.error
        for k in np.flatnonzero(unsure.any(axis=1)):
            found[start + k] += work.exactly(int(x[k]), int(y[k]), int(w[k]), np.flatnonzero(unsure[k]))
    return found


@dataclass(frozen=True, eq=False)
class _Work:
    """The network, its plan's levels (n, m) at every x (minus infinity for a neuron that is left out), and the error bound."""

    weights: Weights
    level: Floats
    V: Floats
    s: Floats
    error: float

    @classmethod
    def of(cls, weights: Weights, families: tuple[PartitionFamily, ...]) -> "_Work":
        level = np.full(weights.L.shape, -np.inf)
        for family in families:
            level[:, family.neurons] = family.levels[family.partition.labels]
        high, low = weights.U.max(axis=1), weights.U.min(axis=1)
        V, s = weights.U - ((high + low) / 2)[:, None], (high - low) / 2
        return cls(weights, level, V, s, _error(weights, level))

    def bounds(self, x: Counts, y: Counts, w: Counts) -> Floats:
        """(k, n) left side less right side."""
        net = self.weights
        h, f = np.maximum(net.L[x] + net.R[y], 0.0), np.maximum(self.level[x] + net.R[y], 0.0)
        known = np.einsum("ki,ik->k", h, self.V[:, w]) + net.b[w] - np.abs(h - f) @ self.s
        return np.asarray(known[:, None] - (f @ self.V + net.b))

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


def _error(weights: Weights, level: Floats) -> float:
    """How far both sides together may be from the exact ones.

    With a = errors of h and f, which are those of L, R and of one addition; v = errors of V and s, which are those of U and of two
    roundings; top = the largest h or f: the products h V and f V err by a |V| + (top + a) v each, |h - f| s by 2 a s + (top + 2 a) v,
    and the sums of m products and four more terms by gamma_{m+4} times the sum of absolute values.
    """
    kept = np.where(np.isfinite(level), level, 0.0)
    sizes = np.abs(weights.L).max(axis=0), np.abs(weights.R).max(axis=0), np.abs(kept).max(axis=0)
    a = (weights.L_error + weights.R_error + 2 * U64 * sum(sizes)) * INFLATE
    largest = np.abs(weights.U).max(axis=1)
    v = (2 * weights.U_error + 8 * U64 * largest) * INFLATE
    top = np.maximum(np.maximum(weights.L.max(axis=0), level.max(axis=0)) + weights.R.max(axis=0), 0.0) * INFLATE + a
    votes = 2 * largest * INFLATE
    products = float((2 * (a * votes + (top + a) * v) + 2 * a * votes + (top + 2 * a) * v).sum())
    sizes_of_sums = float((3 * (top + 2 * a) * (votes + v)).sum()) + 2 * float(np.abs(weights.b).max()) + 2 * weights.b_error
    return (products + 2 * weights.b_error + gamma(weights.width + 4, U64) * sizes_of_sums) * INFLATE + 2.0**-1000
