"""Coset spaces as sets of points that the group permutes, with the parities of the elements that move them.

For a subgroup B the right cosets of B are points, and g takes the point Bx to Bxg (`algebra.gset`). A conjugate H of B is the
stabiliser of a point w, and the right coset Hx is then the set of all g that take w where x takes it. A circuit that reads x through Hx
sees where x takes w.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from algebra.group import FiniteGroup
from algebra.gset import GSet
from algebra.lattice import SubgroupLattice, subgroups

Integers = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Points(GSet):
    """The right cosets of ``base`` as points; ``parity`` is a homomorphism to {0, 1} that is all 0 when it is not used."""

    parity: Integers

    @property
    def lattice(self) -> SubgroupLattice:
        """All subgroups of the group."""
        return subgroups(self.group)

    @cached_property
    def name(self) -> str:
        """Name of the base's class of subgroups."""
        return self.lattice.name_of(self.base)

    @cached_property
    def taking(self) -> Integers:
        """taking[p, q, s] = the least g of parity s that takes p to q, or -1 when there is none."""
        found = self.least_transporters(self.parity)
        if found.shape[2] == 2:
            return found
        return np.concatenate([found, np.full_like(found, -1)], axis=2)

    @property
    def complete(self) -> bool:
        """Whether elements of every parity that occurs take every point to every other."""
        return bool((self.taking[:, :, : 1 + int(self.parity.max())] >= 0).all())


def parities(group: FiniteGroup) -> Integers:
    """0 for even and 1 for odd permutations, shape (|G|,)."""
    signs = np.asarray(group.parity)
    return np.asarray(signs != signs[0], dtype=np.intp)
