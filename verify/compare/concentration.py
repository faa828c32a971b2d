"""Coset concentration C_H(f) of Stander et al. (arXiv 2312.06581), with proved bounds.

    C_H(f) = (sum over cosets c of H of Var[f | c]) / Var[f],      variances with ddof 1.

All cosets have |H| elements, so with s the share of f's centred energy in the functions that are constant on the cosets,

    C_H(f) = (|G| - 1) / (|H| - 1) * (1 - s).

It is a SUM over the cosets: for white noise it is about the index of H. The *normalised* form divides by the index, so noise has 1.

**Bounds.** Let f be the exact column less its mean, f~ the float64 one, |f~ - f|_2 <= eta up to a constant function, which is in every
H's space: eta = sqrt(n) (E + (n + 4) u max|g|), E the weights' own error, u = 2^-53, where g, f~ less its value at the identity, is
computed first: so a function that varies little beside its mean is known as well as any other. P and 1 - P are projections, so
sqrt(1 - s) moves by at most 2 eta / |f~|. The computed s (an autocorrelation of n-term sums, averaged over H) errs by at most
(2n + 8) u, from gamma_n |f~|^2 for each sum (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., 3.1), times two for the
quotients.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from algebra.coset_space import Side
from algebra.group import FiniteGroup
from algebra.lattice import SubgroupLattice
from net.roundoff import U64
from verify.distil.coset_fit import Floats, autocorrelation, captured_energy


@dataclass(frozen=True, eq=False)
class Concentration:
    """C_H of every function on the cosets of every proper nontrivial subgroup.

    Attributes:
        subgroup: (s,) indices into ``SubgroupLattice.all``.
        index: (s,) their indices in the group.
        low, high: (s, m) proved bounds of C_H: both infinite for a constant function, 0 and infinite where its error may be all of it.

    """

    subgroup: npt.NDArray[np.intp]
    index: npt.NDArray[np.intp]
    low: Floats
    high: Floats

    def least(self, normalised: bool = False) -> tuple[Floats, Floats, npt.NDArray[np.intp]]:
        """(low, high, subgroup) of min over H of C_H (or of C_H / [G:H]) for each function; the subgroup attains ``high``.

        A group of prime order has no such H: the minimum over nothing is infinite, and the subgroup is the trivial one.
        """
        if not len(self.subgroup):
            width = self.low.shape[1]
            return np.full(width, np.inf), np.full(width, np.inf), np.zeros(width, dtype=np.intp)
        scale = 1 / self.index[:, None] if normalised else 1.0
        low, high = self.low * scale, self.high * scale
        best = high.argmin(axis=0)
        return low.min(axis=0), high[best, np.arange(high.shape[1])], self.subgroup[best]


def concentration(lattice: SubgroupLattice, functions: Floats, error: Floats, side: Side) -> Concentration:
    """C_H of functions (|G|, m), each within ``error`` (m,) of the exact one, on the ``side`` cosets of all subgroups.

    Complexity: as ``verify.distil.coset_fit.autocorrelation`` and ``captured_energy``.
    """
    group = lattice.group
    chosen = np.flatnonzero((lattice.orders > 1) & (lattice.orders < group.order))
    correlation, moved = centred_autocorrelation(group, functions, error, side)
    energy = np.maximum(correlation[0], np.finfo(float).tiny)
    low, high = residual_bounds(captured_energy(lattice.masks[chosen], correlation) / energy, moved, group.order)
    factor = ((group.order - 1) / (lattice.orders[chosen] - 1))[:, None]
    constant = (functions == functions[0]).all(axis=0) & (error == 0)
    low = np.where(moved >= 0.5, np.where(constant, np.inf, 0.0), factor * low)
    high = np.where(moved >= 0.5, np.inf, factor * high)
    return Concentration(chosen, group.order // lattice.orders[chosen], low * (1 - 2**-50), high * (1 + 2**-50))


def centred_autocorrelation(group: FiniteGroup, functions: Floats, error: Floats, side: Side) -> tuple[Floats, Floats]:
    """The autocorrelation of the functions less their means, and (m,) eta / |f~|; 1 where f~ may be 0.

    Each function is first multiplied by a power of two that makes its largest difference from its first value about one: that changes
    no quotient, and squares neither overflow nor underflow. What is lost below 2^-1074 is less than a part 2^-53 of that difference.
    """
    with np.errstate(over="ignore", under="ignore"):
        halves = functions / 2 - functions[0] / 2  # within float64 whatever their sizes; halves of subnormals are rounded
        exact = np.abs(functions).max(axis=0) < 1.0
        from_first = np.where(exact, functions - functions[0], halves)
        error = np.where(exact, error, error / 2)
        exponent = np.frexp(np.abs(from_first).max(axis=0, initial=0.0))[1]
        functions, error = np.ldexp(from_first, -exponent), np.ldexp(error, -exponent)
    centred = functions - functions.mean(axis=0)
    correlation = autocorrelation(group, centred, side)
    order = group.order
    eta = np.sqrt(order) * (error + (order + 4) * U64 * np.abs(functions).max(axis=0, initial=0.0))
    length = np.sqrt(correlation[0])
    with np.errstate(divide="ignore", invalid="ignore"):
        moved = np.where(length > eta, eta / length, 1.0)
    return correlation, moved


def residual_bounds(share: Floats, moved: Floats, order: int, rounding: float = 1.0) -> tuple[Floats, Floats]:
    """Proved bounds of 1 - s for a computed share s, see the module's docstring; ``rounding`` multiplies (2n + 8) u."""
    slack = rounding * (2 * order + 8) * U64
    low = np.maximum(np.sqrt(np.maximum(1 - share - slack, 0)) - 2 * moved, 0) ** 2
    high = (np.sqrt(np.maximum(1 - share + slack, 0)) + 2 * moved) ** 2
    return low, high
