"""The coset spaces that a preactivation may be read on, and how much of it each explains.

A candidate is a proper nontrivial subgroup with the trivial character, or any proper subgroup with a character of order two,
which is named by its kernel. For twisted candidates the share is that of the twisted part alone.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from algebra.coset_space import CosetSpace, Side
from algebra.lattice import SubgroupLattice
from verify.distil.coset_fit import Floats, autocorrelation, captured_energy

SIDES: tuple[Side, Side] = ("right", "left")


@dataclass(frozen=True, eq=False)
class CandidateSpaces:
    """The candidates of either side as arrays, one entry for each, smallest spaces first: row k of shares is that of entry k.

    It is a list of `algebra.coset_space.CosetSpace`, laid out so that a network's functions are compared with all of them in two
    matrix products; ``space`` gives an entry as the type and ``row`` finds a space's entry.

    Attributes:
        lattice: all subgroups.
        subgroup, kernel: numbers in ``lattice.all``; kernel is -1 for the trivial character.
        dimension: how many independent functions of the space have mean zero.
        size: the length of the list that a program keeps.

    """

    lattice: SubgroupLattice
    subgroup: npt.NDArray[np.intp]
    kernel: npt.NDArray[np.intp]
    dimension: Floats
    size: Floats

    @property
    def count(self) -> int:
        """How many candidates there are; none for a group of prime order."""
        return len(self.subgroup)

    @property
    def plain(self) -> npt.NDArray[np.intp]:
        """The numbers of the candidates with the trivial character."""
        return np.flatnonzero(self.kernel < 0)

    def space(self, number: int, side: Side) -> CosetSpace:
        """The coset space of one candidate."""
        kernel = int(self.kernel[number])
        return CosetSpace(self.lattice.all[self.subgroup[number]], side, None if kernel < 0 else self.lattice.all[kernel])

    def row(self, space: CosetSpace) -> int:
        """The number of the candidate with this space."""
        kernel = -1 if space.kernel is None else self.lattice.find(space.kernel.mask)
        return int(((self.subgroup == self.lattice.find(space.subgroup.mask)) & (self.kernel == kernel)).argmax())


def candidate_spaces(lattice: SubgroupLattice) -> CandidateSpaces:
    """All candidates of a group. Functions twisted over the whole group are constant on cosets of the kernel and left out."""
    order = lattice.group.order
    kernels, overgroups = _index_two_pairs(lattice)
    plain = np.flatnonzero((lattice.orders < order) & (lattice.orders > 1))
    proper = lattice.orders[overgroups] < order
    kernels, overgroups = kernels[proper], overgroups[proper]
    subgroup = np.concatenate([plain, overgroups])
    kernel = np.concatenate([np.full(len(plain), -1), kernels])
    index = order / lattice.orders[subgroup]
    dimension = np.where(kernel < 0, index - 1, index)
    sort = np.lexsort((subgroup, kernel >= 0, dimension))
    size = np.where(kernel < 0, index, index + 1)
    return CandidateSpaces(lattice, subgroup[sort], kernel[sort], dimension[sort], size[sort])


def _index_two_pairs(lattice: SubgroupLattice) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """All pairs (N, H) with N of index two in H."""
    found_n, found_h = [np.zeros(0, dtype=np.intp)], [np.zeros(0, dtype=np.intp)]
    masks = lattice.masks.astype(np.float32)
    for order in np.unique(lattice.orders):
        small, large = np.flatnonzero(lattice.orders == order), np.flatnonzero(lattice.orders == 2 * order)
        if len(large):
            n, h = np.nonzero(masks[small] @ masks[large].T > order - 0.5)
            found_n.append(small[n])
            found_h.append(large[h])
    return np.concatenate(found_n), np.concatenate(found_h)


def candidate_shares(choices: CandidateSpaces, functions: Floats) -> dict[Side, Floats]:
    """Share of each function's variance that each candidate explains, on right and on left cosets.

    ``functions`` (|G|, m) gives two arrays (number of candidates, m).
    Complexity: two autocorrelations and two matrix products, see ``verify.distil.coset_fit``.
    """
    lattice = choices.lattice
    centred = functions - functions.mean(axis=0)
    twisted = choices.kernel >= 0
    shares: dict[Side, Floats] = {}
    for side in SIDES:
        correlation = autocorrelation(lattice.group, centred, side)
        total = np.maximum(correlation[0], np.finfo(float).tiny)
        plain = captured_energy(lattice.masks, correlation) / total
        share = plain[choices.subgroup]
        share[twisted] = plain[choices.kernel[twisted]] - share[twisted]
        shares[side] = np.clip(share, 0.0, 1.0)
    return shares
