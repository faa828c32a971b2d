"""Potentials: functions on the cells of several tables whose sum is zero on the whole group.

Tables k = 1 .. K with cells c_k(x) have a null space

    N = {nu: sum_k nu_k[c_k(x)] = 0 for every x}.

For the five point stabilisers of S5 it holds the column potentials of an assignment problem, nu_k[p] = v[p] - mean(v),
because x permutes the points; for stabilisers of points and of pairs it also moves a sum v[a] + v[b] from one table to
another. Subtracting a member of N from a *line* (verify.compact.strategies.lines) changes no sum over an element's cells, but it
changes minima taken table by table. The best member gives the bound of the linear relaxation (LP duality): potentials are dual
variables of it, as those of Q3 are of another one.

A good one is found by relaxation (Agmon 1954; Motzkin and Schoenberg 1954): the bound's minimum is attained at one cell
of every table, a *pseudo-element* q. Its sum can be raised, since it is no element; the sums of elements cannot. With
P the orthogonal projection on N and s = P (indicator of q), |s|^2 = sum of s over q,

    nu  <-  nu - rate * (wanted - found) / |s|^2 * s

raises it by rate times what is missing. For 0 < rate < 2 each step brings nu closer to every nu that is good enough.
Lines (y, x0 y) of one x0 look alike, so each starts where the last one of its x0 ended.

What is proved does not rest on any of this, but on the *defect*. The computed matrix P^ and numbers beta_j say that nu
is sum_j beta_j P^_j, up to rounding in chains of at most ``chain`` operations (Higham 3.1), so for every x

    |sum_k nu_k[c_k(x)]|  <=  sum_j |beta_j| (delta + K gamma_chain max|P^|),
    delta >= |sum_k P^[c_k(x), j]| for all x and j,

and delta is computed, once, in O(n K cells).
"""

import numpy as np

from net.roundoff import INFLATE, U64, Floats, gamma
from verify.compact.partition import Indices

__all__ = ["Potentials"]

#: The middle of the interval in which relaxation converges is 1; beyond it fewer, longer steps do the same.
RATE = 1.5
#: A pseudo-element this close to the elements' span is not moved.
FLOOR = 1e-6


class Potentials:
    """The potentials of n lines, one for each x0, and what is known about their sums over elements' cells.

    Attributes:
        values: (n, cells) float64.
        mass: (n,) sum_j |beta_j| of the module's docstring.

    """

    def __init__(self, design: Floats, inverse: Floats, rows: Indices) -> None:
        """``design`` (n, cells) is 1 at the cells of x, ``rows`` (K, n) are their numbers, ``inverse`` its pseudoinverse."""
        self.projection = np.eye(design.shape[1]) - inverse @ design
        self.projection = (self.projection + self.projection.T) / 2
        self.tables = len(rows)
        self.largest = float(np.abs(self.projection).max())
        sums = sum(self.projection[row] for row in rows)
        self.delta = float(np.abs(sums).max()) + gamma(self.tables, U64) * self.tables * self.largest
        self.reset(design.shape[0])

    def reset(self, lines: int) -> None:
        """Forget everything: all potentials are zero."""
        self.values = np.zeros((lines, len(self.projection)))
        self.mass = np.zeros(lines)
        self.steps = 0

    def forget(self, lines: Indices) -> None:
        """Set the potentials of these lines to zero."""
        self.values[lines] = 0
        self.mass[lines] = 0

    def off(self, lines: Indices) -> Floats:
        """Upper bound of |sum_k nu_k[c_k(x)]| over all x for these lines."""
        rounding = self.tables * self.largest * gamma(self.tables + self.steps + 2, U64)
        return np.asarray(self.mass[lines] * (self.delta + rounding) * INFLATE)

    def step(self, lines: Indices, cells: Indices, missing: Floats) -> None:
        """Raise the sums at the pseudo-elements ``cells`` (K, lines) by RATE times what is ``missing``."""
        direction = self.projection[cells[0]]
        for chosen in cells[1:]:
            direction += self.projection[chosen]
        square = np.take_along_axis(direction, cells.T, axis=1).sum(axis=1)
        factor = np.where(square > FLOOR, RATE * missing / np.maximum(square, FLOOR), 0.0)
        self.values[lines] -= factor[:, None] * direction
        self.mass[lines] += np.abs(factor) * self.tables
        self.steps += 1

    @property
    def flops_checked(self) -> int:
        """Operations of delta, once."""
        return self.tables * len(self.values) * len(self.projection)

    @property
    def flops_of_step(self) -> int:
        """Operations of one step on one line: the direction, its square, the factor, and adding it."""
        cells = len(self.projection)
        return (self.tables - 1) * cells + self.tables + 5 + 2 * cells
