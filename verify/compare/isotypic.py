"""Irreps by their characters alone, for any group: parts of functions, which neuron lives on which irrep, sizes of rho-sets.

The part of a real function f on an irrep rho (d its degree, chi its character) is (d / |G|) sum over h of chi(g h^-1) f(h). A complex
irrep is taken together with its conjugate, so that parts are real; of S_n every irrep is real. Measurement in float64.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from algebra.action import permutation_characters
from algebra.characters.character_table import character_table
from algebra.group import FiniteGroup
from algebra.lattice import SubgroupLattice
from net.weights import Weights

Floats = npt.NDArray[np.float64]


class Isotypic(NamedTuple):
    """An irrep, or a complex one with its conjugate: names, rows of the character table, and the sum of their d chi."""

    name: str
    rows: tuple[int, ...]
    kernel: Floats


@lru_cache(maxsize=8)
def isotypics(group: FiniteGroup) -> tuple[Isotypic, ...]:
    """Every irrep but the trivial one, conjugates together, in the order of the character table."""
    table, found, seen = character_table(group), [], {0}
    for r in range(1, len(table.names)):
        if r in seen:
            continue
        conjugate = next(s for s, row in enumerate(table.values) if np.allclose(row, table.values[r].conj()))
        rows = tuple(sorted({r, conjugate}))
        seen |= set(rows)
        values = np.real(sum(table.degrees[s] * table.values[s] for s in rows))[group.class_of]
        found.append(Isotypic(" and ".join(table.names[s] for s in rows), rows, np.asarray(values)))
    return tuple(found)


def shares(group: FiniteGroup, functions: Floats) -> Floats:
    """(isotypics, m) the share of the variance of functions [g, i] on each; 0 for a constant. Complexity: O(|G|^2 m) for each."""
    centred = functions - functions.mean(axis=0)
    total = (centred**2).sum(axis=0)
    quotients = group.mul[:, group.inv]
    parts = [((one.kernel[quotients] @ centred / group.order) ** 2).sum(axis=0) for one in isotypics(group)]
    found = np.stack(parts) if parts else np.zeros((0, functions.shape[1]))
    return np.asarray(np.divide(found, total, out=np.zeros_like(found), where=total > 0))


def on_one_irrep(group: FiniteGroup, weights: Weights, votes: bool = True) -> Floats:
    """(isotypics, m) the least of the shares of L[:, i], R[:, i] and, with ``votes``, U[i, :] on each."""
    sides = (weights.L, weights.R, weights.U.T) if votes else (weights.L, weights.R)
    return np.asarray(np.minimum.reduce([shares(group, side) for side in sides]))


def rho_set_sizes(lattice: SubgroupLattice) -> tuple[int, ...]:
    """For each of ``isotypics`` the least number of vectors in an orbit: the least index of a subgroup that fixes a vector.

    H fixes a vector of rho when the permutation character of G/H contains chi. Source: Wu et al., arXiv 2410.07476, appendix H.
    """
    table = character_table(lattice.group)
    masks = np.stack([lattice.all[int(one.members[0])].mask for one in lattice.classes])
    fixed = np.array([table.multiplicities(row) for row in permutation_characters(lattice.group, masks)])
    index = lattice.group.order // masks.sum(axis=1)
    return tuple(int(min(index[(fixed[:, list(one.rows)] > 0).any(axis=1)])) for one in isotypics(lattice.group))
