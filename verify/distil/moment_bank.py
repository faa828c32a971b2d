"""Second moments of activations that are computed once for each pair of neurons, however many programs have them.

Programs at neighbouring exchange rates, and those of Q3, read x and y through the same lists for most of their neurons. A neuron is
known by what it reads, its columns of L and R as float32 numbers, in which moments are computed anyway (`verify.distil.moments`). What
is asked for and not yet known is found in one pass over all pairs.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from net.common_part import without_opposite_parts
from net.weights import Weights
from verify.distil.coset_fit import Floats
from verify.distil.moments import activation_moments, activation_products

#: A bank of more than this many times the network's neurons, and more than the other number, begins anew.
LARGEST, ROOMY = 6, 3000

Singles = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]


class Beside(NamedTuple):
    """Moments of k neurons beside a network's m: E h' h'^T (k, k), E h' h^T (k, m) and E h' (k,)."""

    second: Floats
    with_own: Floats
    mean: Floats

    def whole(self, own: Floats) -> Floats:
        """The ``activation_moments`` of network and program side by side; ``own`` are the network's."""
        cross, mean = self.with_own, self.mean[:, None]
        return np.block([[own[:-1, :-1], cross.T, own[:-1, -1:]], [cross, self.second, mean], [own[-1:, :-1], mean.T, np.ones((1, 1))]])


class MomentBank:
    """Moments of the neurons of a network and of programs beside it.

    Attributes:
        own: the network's ``activation_moments``.

    """

    def __init__(self, network: Weights) -> None:
        """Complexity: one pass over all pairs, O(|G|^2 m^2)."""
        self._network = network
        self.own = activation_moments(network)
        self._begin()

    def _begin(self) -> None:
        """Know the network's own neurons alone."""
        width = self._network.width
        self._left, self._right = _single(self._network)
        self._places = {key: i for i, key in enumerate(_keys(self._left, self._right))}
        self._second, self._mean = self.own[:-1, :-1].copy(), self.own[:-1, -1].copy()
        self._known = np.ones((width, width), dtype=bool)

    def beside(self, program: Weights) -> Beside:
        """The moments of a program's neurons.

        Complexity: nothing where they are known; else one pass over all pairs, O(|G|^2 (new neurons) (all neurons of both)).
        """
        width, count = self._network.width, len(self._mean)
        if count > max(ROOMY, LARGEST * width):
            self._begin()
        left, right = _single(program)
        at = self._placed(left, right)
        needed, own = np.unique(at), np.arange(width)
        unknown = np.logical_not(self._known[np.ix_(needed, needed)])
        beyond: Flags = np.logical_not(self._known[np.ix_(needed, own)].all(axis=1))
        rows = []
        while (beyond | unknown.any(axis=1)).any():  # the neuron that lacks most first: others may then lack nothing
            k = int(np.argmax(unknown.sum(axis=1) + width * beyond))
            rows.append(int(needed[k]))
            unknown[k], unknown[:, k], beyond[k] = False, False, False
        if rows:
            self._compute(np.array(rows), np.union1d(needed, own))
        return Beside(self._second[np.ix_(at, at)], self._second[np.ix_(at, own)], self._mean[at])

    def _placed(self, left: Singles, right: Singles) -> npt.NDArray[np.intp]:
        """The place of each column; new ones are added, with nothing known about them."""
        places: list[int] = []
        new: list[int] = []
        for i, key in enumerate(_keys(left, right)):
            if key not in self._places:
                self._places[key] = len(self._mean) + len(new)  # neurons of the network that read alike have one place
                new.append(i)
            places.append(self._places[key])
        if new:
            self._left, self._right = (np.concatenate([a, b[:, new]], axis=1) for a, b in ((self._left, left), (self._right, right)))
            more = (0, len(new))
            self._second, self._known = (np.pad(table, (more, more)) for table in (self._second, self._known))
            self._mean = np.pad(self._mean, more)
        return np.array(places, dtype=np.intp)

    def _compute(self, rows: npt.NDArray[np.intp], among: npt.NDArray[np.intp]) -> None:
        """The moments of some neurons with these others."""
        order = np.concatenate([rows, np.setdiff1d(among, rows)])
        found = activation_products(self._left[:, order], self._right[:, order], self._network.activation, len(rows))
        self._second[np.ix_(rows, order)] = found[:, :-1]
        self._second[np.ix_(order, rows)] = found[:, :-1].T
        self._known[np.ix_(rows, order)] = self._known[np.ix_(order, rows)] = True
        self._mean[rows] = found[:, -1]


def _single(weights: Weights) -> tuple[Singles, Singles]:
    """L and R in float32, without a 0 that has a sign."""
    left, right = (side.astype(np.float32) + np.float32(0) for side in without_opposite_parts(weights.L, weights.R))
    return left, right


def _keys(left: Singles, right: Singles) -> list[bytes]:
    """What each neuron is known by."""
    return [column.tobytes() for column in np.concatenate([left, right]).T]
