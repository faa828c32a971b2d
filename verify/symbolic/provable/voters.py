"""The neurons of a provable program, and what each gives to the margin as a linear function of its votes.

A *voter* is a neuron that reads x through a right coset Hx and y through a left coset yK, up to the sign, so that H is the stabiliser
of a point p and K that of a point k (`verify.symbolic.families`), with votes on the double cosets HzK. With j = px, i the point that y
takes to k, and w = xy, its push is a number push[j, i] and its share of votes[w] - votes[z] is

    push[j, i] (basis_w[jy] - basis_z[pz]) . t,

t its list of votes, basis[q] the row of its vote form at elements that take p to q. The bias is made of voters that push 1 always.
A *sign voter* reads the parities of x and y alone and votes on that of z: the same formula, with parities for points.
"""

from dataclasses import dataclass

import numpy as np

from algebra.group import FiniteGroup
from algebra.subgroup import Subgroup
from net.weights import Weights
from verify.distil.coset_fit import Floats
from verify.program.form import Form, linear_form
from verify.program.program import Circuit, Program
from verify.symbolic.families import Case
from verify.symbolic.points import Integers, Points
from verify.symbolic.seats import Seats

__all__ = ["SignVoter", "Voter", "bias_voters", "sign_voters", "voters_of"]


@dataclass(frozen=True, eq=False)
class Voter:
    """One neuron, or a part of the bias.

    Attributes:
        circuit, neuron: places in the program; -1 for a part of the bias.
        space, point: where it reads x and where its votes look.
        other, other_point: where it reads y; None for a part of the bias.
        pushes: [parity of x, parity of y, j, i], or [2, 2, j, 1] for a part of the bias.
        form: the form of its votes.
        basis: (|G|, size) the form's linear map.
        at: [parity of z, point to which z takes ``point``, size] its rows.

    """

    circuit: int
    neuron: int
    space: Points
    point: int
    other: Points | None
    other_point: int
    pushes: Floats
    form: Form
    basis: Floats
    at: Floats

    @property
    def size(self) -> int:
        """How many votes it has."""
        return int(self.basis.shape[1])

    @property
    def twisted(self) -> bool:
        """Whether what it gives depends on parities beyond the points."""
        odd = self.pushes.shape[0] > 1 and not (
            (self.pushes[0] == self.pushes[1]).all() and (self.pushes[:, 0] == self.pushes[:, 1]).all()
        )
        return odd or not (self.at[0] == self.at[-1]).all()


@dataclass(frozen=True, eq=False)
class SignVoter:
    """A neuron that sees parities alone: pushes [parity of x, parity of y], at [parity of z, size]."""

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
    program: Program, group: FiniteGroup, subgroups: tuple[Subgroup, ...], weights: Weights, parity: Integers, largest: int
) -> list[Voter]:
    """The voters among a program's neurons; ``weights`` is the program expanded, ``largest`` as in `verify.symbolic.seats`."""
    seats = Seats(group, subgroups, parity, largest)
    voters: list[Voter] = []
    first = 0
    for number, circuit in enumerate(program.circuits):
        column, first = first, first + len(circuit.neurons)
        if circuit.left.on != "right cosets" or circuit.right.on != "left cosets":
            continue
        left, right = seats.of(circuit.left), seats.of(circuit.right)
        form = _vote_form(circuit)
        linear = linear_form(group, form, subgroups)
        if left is None or right is None or linear.size < 2:
            continue
        (space, point), (other, k) = left, right
        basis = linear.basis()
        at = _rows(space, point, parity, basis)
        if at is None:
            continue
        for place in range(len(circuit.neurons)):
            pushes = _pushes(weights, column + place, left, right, parity)
            voters.append(Voter(number, place, space, point, other, k, pushes, form, basis, at))
    return voters


def bias_voters(voters: list[Voter], parity: Integers) -> list[Voter]:
    """The bias as a sum over the points p of the smallest space in use of a list over the points pz.

    Where a voter is twisted, the same times the sign is added.
    """
    space = min((voter.space for voter in voters), key=lambda s: s.count)
    kinds = 1 + int(parity.max())
    signs = [np.ones(len(parity)), 1.0 - 2.0 * parity][: 1 + any(voter.twisted for voter in voters)]
    result = []
    for point in range(space.count):
        for sign in signs:
            basis = (space.moved[point][:, None] == np.arange(space.count)) * sign[:, None]
            at = _rows(space, point, parity, basis)
            assert at is not None
            ones = np.ones((kinds, kinds, space.count, 1))
            result.append(Voter(-1, -1, space, point, None, -1, ones, Form("elements"), basis, at))
    return result


def sign_voters(
    program: Program, group: FiniteGroup, subgroups: tuple[Subgroup, ...], weights: Weights, parity: Integers
) -> list[SignVoter]:
    """The sign voters among a program's neurons; they keep the form of their votes."""
    if not parity.any():
        return []
    first = np.array([0, int(parity.argmax())])
    voters: list[SignVoter] = []
    column = 0
    for number, circuit in enumerate(program.circuits):
        if circuit.votes.on == "rank":  # not linear in its list
            column += len(circuit.neurons)
            continue
        basis = linear_form(group, circuit.votes, subgroups).basis()
        for place in range(len(circuit.neurons)):
            left, right = weights.L[:, column], weights.R[:, column]
            if all((values == values[first][parity]).all() for values in (left, right, basis)):
                pushes = np.maximum(left[first][:, None] + right[first][None], 0)
                voters.append(SignVoter(number, place, pushes, circuit.votes, basis, basis[first]))
            column += 1
    return voters


def _vote_form(circuit: Circuit) -> Form:
    left, right = circuit.left, circuit.right
    return Form("double cosets", left.subgroups + right.subgroups, (left.kernels or (None,)) + (right.kernels or (None,)))


def _rows(space: Points, point: int, parity: Integers, basis: Floats) -> Floats | None:
    """Basis at [parity of z, point to which z takes ``point``], None where it depends on more than these."""
    kinds = 1 + int(parity.max())
    at = np.stack([basis[space.taking[point, :, odd]] for odd in range(kinds)])
    return at if (basis == at[parity, space.moved[point]]).all() else None


def _pushes(weights: Weights, column: int, left: tuple[Points, int], right: tuple[Points, int], parity: Integers) -> Floats:
    kinds = range(1 + int(parity.max()))
    (space, p), (other, k) = left, right
    return np.array(
        [
            [
                np.maximum(weights.L[space.taking[p, :, a], column][:, None] + weights.R[other.taking[:, k, b], column][None], 0)
                for b in kinds
            ]
            for a in kinds
        ]
    )
