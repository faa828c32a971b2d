"""The cheapest strategy: networks that are coset-structured in x, y and z need no table of size |G|^2.

Let circuit c collect the neurons with L constant on right cosets Hx, R on left cosets yK and U on double cosets HzK. With p = Hx and
q = yK the double coset of xy is D(p, q) = HxyK, and a circuit's part of the margin against z depends on (p, q) and the double coset
d' of z alone. So with

    gain_c[d, d'] = min over (p, q) with D(p, q) = d of  sum_i relu(l_i[p] + r_i[q]) (u_i[d] - u_i[d']),

    margin(x, y, z)  >=  sum_c gain_c[D_c(xy), D_c(z)] + b[xy] - b[z] - slack     for all x, y, z:

a bound that depends on (xy, z) only. If it is positive for one w and all z != w, every pair with xy = w is proved. The slack bounds
what the structure leaves out: sum_i (max|L - l_i| + max|R - r_i|) spread(u_i) + 2 hmax_i max|U_i - u_i|, and float64 roundings.
Where products underflow, each loses at most 2^-1075, and sums lose nothing: two logits have 2m products and the slack at most 4m.
Cost: O(sum over circuits of neurons * cells^2 * double cosets + n^2 * circuits); nothing of size m n^2.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from algebra.coset import double_cosets
from algebra.group import FiniteGroup
from algebra.lattice import subgroups
from net.roundoff import INFLATE, TINY64, U64, Floats, gamma
from net.weights import Weights
from verify.compact.partition import Indices
from verify.distil.coset_fit import autocorrelation, captured_energy

__all__ = ["CosetTables", "coset_circuits", "prove_by_tables"]

#: A neuron counts as structured when its cosets leave less than this share of its energy.
STRUCTURED = 1e-9


@dataclass(frozen=True, eq=False)
class CosetTables:
    """(n, n) lower bounds of the margin at [w, z] for every pair with xy = w, and the FLOPs spent."""

    bound: Floats
    flops: int

    def proved(self) -> npt.NDArray[np.bool_]:
        """(n,) the w such that every pair with product w is right."""
        others = self.bound + np.where(np.eye(len(self.bound), dtype=bool), np.inf, 0.0)
        return np.asarray(others.min(axis=1) > 0)


def coset_circuits(group: FiniteGroup, weights: Weights) -> dict[tuple[int, int], list[int]] | None:
    """Neurons by (H, K), numbers in ``subgroups(group)``: the largest ones that leave no energy; None when some neuron has none.

    Dead neurons (never positive, or without votes) are left out. Search: float64 decides only what is tried.
    """
    lattice = subgroups(group)
    live = np.flatnonzero(_hidden(weights) * np.ptp(weights.U, axis=1) > 0)
    largest_first = np.argsort(-lattice.orders, kind="stable")
    chosen = []
    for functions, right in ((weights.L, True), (weights.R, False)):
        correlation = autocorrelation(group, np.ascontiguousarray(functions[:, live]), "right" if right else "left")
        left_over = correlation[0] - captured_energy(lattice.masks[largest_first], correlation)
        fits = left_over <= STRUCTURED * correlation[0]
        first = fits.argmax(axis=0)
        if (lattice.orders[largest_first[first]] == 1).any():
            return None
        chosen.append(largest_first[first])
    circuits: dict[tuple[int, int], list[int]] = {}
    for i, H, K in zip(live.tolist(), *(c.tolist() for c in chosen), strict=True):
        circuits.setdefault((H, K), []).append(i)
    return circuits


def prove_by_tables(group: FiniteGroup, weights: Weights, circuits: dict[tuple[int, int], list[int]]) -> CosetTables:
    """The bound of the module's docstring for these circuits; neurons in none of them enter the slack with all they can do."""
    n = group.order
    hidden = _hidden(weights)
    spread = np.ptp(weights.U, axis=1) + 2 * weights.U_error
    left_out = np.ones(weights.width, dtype=bool)
    bound = (weights.b[:, None] - weights.b[None, :]).astype(np.float64)
    slack, flops = 2 * weights.b_error, n * n
    for (H, K), neurons in circuits.items():
        index = np.array(neurons)
        left_out[index] = False
        circuit = _Circuit(group, weights, H, K, index)
        gain = circuit.gain()
        bound += gain[:, circuit.double][circuit.double]
        slack += circuit.slack(hidden[index])
        flops += n * n + circuit.flops
    slack += float(hidden[left_out] @ spread[left_out])
    magnitude = float(hidden @ np.abs(weights.U).max(axis=1)) + float(np.abs(weights.b).max())
    slack += gamma(4 * weights.width + len(circuits) + 16, U64) * 4 * magnitude + 8 * (weights.width + 1) * TINY64
    return CosetTables(bound - slack * INFLATE, flops)


def _hidden(weights: Weights) -> Floats:
    """(m,) upper bounds of relu(L + R); each side is rounded up, since what it loses may be all that is left of their sum."""
    sides = ((weights.L, weights.L_error), (weights.R, weights.R_error))
    left, right = (np.nextafter(array.max(axis=0) + error, np.inf) for array, error in sides)
    return np.asarray(np.maximum(left + right, 0) * INFLATE)


class _Circuit:
    """The constants of one (H, K) and its neurons: l (cells of x, k), r (cells of y, k), u (k, double cosets)."""

    def __init__(self, group: FiniteGroup, weights: Weights, H: int, K: int, neurons: Indices) -> None:
        lattice = subgroups(group)
        x, y = lattice.all[H].right_cosets, lattice.all[K].left_cosets
        z = double_cosets(group, lattice.all[H].mask, lattice.all[K].mask)
        self.double = z.labels
        self.met = z.labels[group.mul[np.ix_(x.representatives, y.representatives)]]  # D(p, q)
        L, R, U = weights.L[:, neurons], weights.R[:, neurons], weights.U[neurons]
        self.l, self.r, self.u = L[x.representatives], R[y.representatives], U[:, z.representatives]
        off = [np.abs(L - self.l[x.labels]).max(axis=0), np.abs(R - self.r[y.labels]).max(axis=0)]
        self.off = (off[0] + off[1]) * INFLATE + weights.L_error[neurons] + weights.R_error[neurons]
        self.votes_off = np.abs(U - self.u[:, z.labels]).max(axis=1) * INFLATE + weights.U_error

    def gain(self) -> Floats:
        """gain[d, d'] of the module's docstring, (double cosets, double cosets)."""
        size = self.u.shape[1]
        result = np.full((size, size), np.inf)
        for d, votes in self._votes():
            np.minimum(result[d], (votes[:, d, None] - votes).min(axis=0), out=result[d])
        return result

    def _votes(self) -> Iterator[tuple[int, Floats]]:
        """For each double coset d the votes of the cells (p, q) with D(p, q) = d, (cells, double cosets)."""
        for d in range(self.u.shape[1]):
            p, q = np.nonzero(self.met == d)
            yield d, np.maximum(self.l[p] + self.r[q], 0) @ self.u

    def slack(self, hidden: Floats) -> float:
        """What the neurons' deviations from their constants can do to a margin."""
        spread = np.ptp(self.u, axis=1)
        return float(self.off @ spread + 2 * hidden @ self.votes_off)

    @property
    def flops(self) -> int:
        """Reading the weights once, votes of all cells, their differences and minima."""
        cells, neurons, double = int(self.met.size), *(int(size) for size in self.u.shape)
        reading = 3 * neurons * len(self.double)
        return reading + cells * (2 * neurons + 2 * neurons * double + 2 * double)
