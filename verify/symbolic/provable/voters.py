"""The neurons of a provable program, and what each gives to the margin as a linear function of its votes.

A provable program is seen from one *side*: as it is, or *mirrored*, from the inputs x' = y^-1 and y' = x^-1, with outputs z' = z^-1 and
s' = s^-1 (`verify.symbolic.families`); a program as it is has x' = x and so on. A *voter* is a neuron whose function of x' depends
on where x' takes one point p of a coset space, and on the parity of x', alone. Its function of y' may be any. Its votes are a list over
the points, looked at where z' takes p. With j = px' and w' = x'y' its share of votes[w] - votes[z] is

    push[j, y'] (basis[jy'] - basis[(js')y']) . t,      push[j, y'] = relu(first[j] + second[y']),

t its list of votes, basis[q] the row of its vote form at elements that take p to q; first and basis depend on parities as well. The
bias is made of voters that push 1 always. A *sign voter* reads the parities of x and y alone and votes on that of z: the same formula,
with parities for points.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from algebra.group import FiniteGroup
from algebra.lattice import subgroups as lattice_of
from algebra.subgroup import Subgroup
from net.weights import Weights
from verify.distil.coset_fit import Floats
from verify.program.form import Form, On, linear_form
from verify.program.program import Program
from verify.symbolic.families import Case
from verify.symbolic.points import Integers, Points

__all__ = ["SignVoter", "Voter", "bias_voters", "of_parity", "sign_voters", "voters_of"]


@dataclass(frozen=True, eq=False)
class Voter:
    """One neuron, or a part of the bias.

    Attributes:
        circuit, neuron: places in the program; -1 for a part of the bias.
        space, point: where it reads x' and where its votes look.
        first: [parity of x', j] its function of x'.
        second: (|G|,) its function of y'.
        form: the form of its votes, as functions of z.
        basis: (|G|, size) the form's linear map, as functions of z.
        at: [parity of z', point to which z' takes ``point``, size] its rows.

    """

    circuit: int
    neuron: int
    space: Points
    point: int
    first: Floats
    second: Floats
    form: Form
    basis: Floats
    at: Floats

    @property
    def size(self) -> int:
        """How many votes it has."""
        return int(self.basis.shape[1])

    @property
    def twisted(self) -> bool:
        """Whether what it gives depends on the parity of x' or of z' beyond the points."""
        return not ((self.first[0] == self.first[-1]).all() and (self.at[0] == self.at[-1]).all())


@dataclass(frozen=True, eq=False)
class SignVoter:
    """A neuron that sees parities alone: pushes [parity of x', parity of y'], at [parity of z', size]."""

    circuit: int
    neuron: int
    pushes: Floats
    form: Form
    basis: Floats
    at: Floats

    @property
    def size(self) -> int:
        """How many votes it has."""
        return int(self.basis.shape[1])

    def share(self, case: Case) -> Floats:
        """What it gives to votes[w] - votes[z] in a case, as a linear function of its votes."""
        return np.asarray(self.pushes[case.x, case.y] * (self.at[case.product] - self.at[case.other]))


def voters_of(
    program: Program, members: list[Subgroup], weights: Weights, spaces: Sequence[Points], mirrored: bool, parities: bool = False
) -> list[Voter]:
    """The voters among a program's neurons over some spaces; ``weights`` is the program expanded.

    ``members`` are the program's subgroups; those that votes need are added to them.

    A neuron belongs to the first space that fits and to the first of its points. Votes are lists on the right cosets of the point's
    stabiliser (left cosets, seen mirrored), and on the twisted ones as well where its function of x' looks at parities, or with
    ``parities``.
    Neurons of parities alone are none. Complexity: O(points |G| m) for each space.
    """
    if not spaces:
        return []
    group, parity = spaces[0].group, spaces[0].parity
    firsts, seconds = (weights.R[group.inv], weights.L[group.inv]) if mirrored else (weights.L, weights.R)
    open_ = ~of_parity(firsts, parity)
    places = [(number, place) for number, circuit in enumerate(program.circuits) for place in range(len(circuit.neurons))]
    found: dict[int, Voter] = {}
    for space in spaces:
        for point in range(space.count):
            at = space.taking[point, space.moved[point], parity]
            fits = open_ & (firsts == firsts[at]).all(axis=0)
            open_ &= ~fits
            for column in np.flatnonzero(fits):
                first = np.stack([firsts[space.taking[point, :, odd], column] for odd in range(1 + int(parity.max()))])
                twisted = bool((parities and parity.any()) or not (first[0] == first[-1]).all())
                form = _vote_form(space, point, twisted, members, mirrored)
                basis = linear_form(group, form, members).basis()
                rows = _rows(space, point, basis[group.inv] if mirrored else basis)
                found[int(column)] = Voter(*places[column], space, point, first, seconds[:, column], form, basis, rows)
    return [found[column] for column in sorted(found)]


def bias_voters(space: Points, twisted: bool, mirrored: bool) -> list[Voter]:
    """The bias as a sum over the points p of a space of a list over the points pz'; with ``twisted`` also the same times the sign."""
    signs = [np.ones(len(space.parity)), 1.0 - 2.0 * space.parity][: 1 + (twisted and bool(space.parity.any()))]
    kinds = 1 + int(space.parity.max())
    result = []
    for point in range(space.count):
        for sign in signs:
            seen = (space.moved[point][:, None] == np.arange(space.count)) * sign[:, None]
            ones, zeros = np.ones((kinds, space.count)), np.zeros(len(space.parity))
            basis = seen[space.group.inv] if mirrored else seen
            result.append(Voter(-1, -1, space, point, ones, zeros, Form("elements"), basis, _rows(space, point, seen)))
    return result


def sign_voters(
    program: Program, members: list[Subgroup], group: FiniteGroup, weights: Weights, parity: Integers, mirrored: bool
) -> list[SignVoter]:
    """The sign voters among a program's neurons.

    Their votes are two numbers, for even and for odd z: the cosets of the even elements.
    """
    if not parity.any():
        return []
    form = Form("right cosets", (_number(members, group, parity == 0),), (None,))
    basis = linear_form(group, form, members).basis()
    first = np.array([0, int(parity.argmax())])
    firsts, seconds = (weights.R, weights.L) if mirrored else (weights.L, weights.R)
    fits = of_parity(weights.L, parity) & of_parity(weights.R, parity)
    voters: list[SignVoter] = []
    column = 0
    for number, circuit in enumerate(program.circuits):
        for place in range(len(circuit.neurons)):
            if fits[column]:
                pushes = np.maximum(firsts[first, column][:, None] + seconds[first, column][None], 0)
                voters.append(SignVoter(number, place, pushes, form, basis, basis[first]))
            column += 1
    return voters


def of_parity(functions: Floats, parity: Integers) -> Integers:
    """Which columns of (|G|, m) depend on the parity alone."""
    return np.asarray((functions == functions[np.where(parity == 1, int(parity.argmax()), 0)]).all(axis=0))


def _vote_form(space: Points, point: int, parities: bool, members: list[Subgroup], mirrored: bool) -> Form:
    """Votes on the cosets of the point's stabiliser, and where the neuron looks at parities the same twisted by the sign as well."""
    mask = space.moved[point] == point
    own = _number(members, space.group, mask)
    on: On = "left cosets" if mirrored else "right cosets"
    plain = Form(on, (own,), (None,))
    if not parities:
        return plain
    return Form("sum", parts=(plain, Form(on, (own,), (_number(members, space.group, mask & (space.parity == 0)),))))


def _number(members: list[Subgroup], group: FiniteGroup, mask: npt.NDArray[np.bool_]) -> int:
    """The number of a subgroup in the list, which grows by it where it is new."""
    known = next((number for number, s in enumerate(members) if (s.mask == mask).all()), None)
    if known is None:
        lattice = lattice_of(group)
        members.append(lattice.all[lattice.find(mask)])
        known = len(members) - 1
    return known


def _rows(space: Points, point: int, basis: Floats) -> Floats:
    """Basis at [parity of z', point to which z' takes ``point``]."""
    kinds = 1 + int(space.parity.max())
    return np.stack([basis[space.taking[point, :, odd]] for odd in range(kinds)])
