"""A program taken apart: its circuits sorted into the families of `families`, its bias split into tables over points."""

import re
from typing import Any

import numpy as np

from algebra.group import FiniteGroup
from algebra.subgroup import Subgroup
from verify.program.form import linear_form
from verify.program.program import Circuit, Program, expand
from verify.symbolic.bias import split_bias
from verify.symbolic.families import Columns, Family, Member, Parts, Share
from verify.symbolic.points import parity
from verify.symbolic.seats import Seat, Seats
from verify.symbolic.settings import DEFAULT, SymbolicSettings


def take_apart(program: Program, group: FiniteGroup, subgroups: tuple[Subgroup, ...], settings: SymbolicSettings = DEFAULT) -> Parts:
    """The program's circuits sorted into families, neurons that see parities alone, and a rest; the bias split over points."""
    weights = expand(program, group, subgroups).exact()
    safe = _largest(weights) < 1 << 60
    arrays = [np.asarray(a, dtype=np.int64) if safe else a for a in (weights.L, weights.R, weights.U, weights.b)]
    scale = 1 << (program.preactivation_bits + program.scale_bits + program.vote_bits)
    parts = Parts(group, parity(group), scale, [], [], [], arrays[3], arrays[3])
    sorter = _Sorter(parts, subgroups, settings)
    first = 0
    for number, circuit in enumerate(program.circuits):
        columns = np.arange(first, first + len(circuit.neurons))
        first += len(circuit.neurons)
        sorter.sort(number, circuit, Columns(arrays[0][:, columns], arrays[1][:, columns], arrays[2][columns]))
    split_bias(parts)
    return parts


def _largest(weights: Any) -> int:
    """A bound of every number that occurs when margins are summed up, with a factor of two to spare.

    |votes[w] - votes[z]| <= 2 (sum over neurons of push times the largest |u|) + 2 max |b|, and push <= 2 max(|l|, |r|).
    """
    push = 2 * max(int(abs(weights.L).max(initial=0)), int(abs(weights.R).max(initial=0)))
    return 4 * (push * int(abs(weights.U).max(initial=0)) * max(1, len(weights.U)) + int(abs(weights.b).max(initial=0)))


class _Sorter:
    """Puts circuits into families."""

    def __init__(self, parts: Parts, subgroups: tuple[Subgroup, ...], settings: SymbolicSettings) -> None:
        self._parts, self._subgroups = parts, subgroups
        self._seats = Seats(parts.group, subgroups, parts.parity, settings.space_entries)

    def sort(self, number: int, circuit: Circuit, columns: Columns) -> None:
        """Add one circuit to the part where it belongs."""
        parts = self._parts
        if all(self._of_parity(np.moveaxis(a, -1, 0)) for a in (columns.left.T, columns.right.T, columns.votes)):
            parts.signs.append((number, columns))
            return
        if circuit.left.on == "right cosets" and circuit.right.on == "left cosets":
            h, k = (self._seats.of(form) for form in (circuit.left, circuit.right))
            if h and k:
                pieces = self._pieces(circuit, columns, h, k)
                if pieces:
                    for share, mirrored, piece in pieces:
                        self._join(number, share, mirrored, h, k, piece)
                    return
        parts.rest.append((number, columns))

    def _of_parity(self, function: Any) -> bool:
        """Whether a function (|G|, ...) depends on the parity alone."""
        odd = int(self._parts.parity.argmax())
        return bool((function == function[np.where(self._parts.parity == 1, odd, 0)]).all())

    def _pieces(self, circuit: Circuit, columns: Columns, h: Seat, k: Seat) -> list[tuple[Share, bool, Columns]]:
        """The circuit as pieces whose votes depend on Hz, or on zK (mirrored); empty when it does not fall into such."""
        inverse = self._parts.group.inv
        if _sees(h, columns.votes):
            return [("whole", False, columns)]
        if _sees(k, columns.votes[:, inverse]):
            return [("whole", True, columns.mirrored(inverse))]
        if circuit.votes.on != "coset sum":
            return []
        linear = linear_form(self._parts.group, circuit.votes, self._subgroups)
        lists = np.array([neuron.votes for neuron in circuit.neurons], dtype=columns.votes.dtype)
        right, left = (lists[:, index] * factor.astype(lists.dtype) for index, factor in zip(linear.index, linear.factor, strict=True))
        if not (_sees(h, right) and _sees(k, left[:, inverse])):
            return []
        return [("right", False, columns._replace(votes=right)), ("left", True, columns._replace(votes=left).mirrored(inverse))]

    def _join(self, number: int, share: Share, mirrored: bool, h: Seat, k: Seat, columns: Columns) -> None:
        (space, point), (other_space, other) = (k, h) if mirrored else (h, k)
        for family in self._parts.families:
            if family.points is space and family.mirrored == mirrored:
                break
        else:
            name = re.sub(r"[^\w.+-]+", "_", space.name).strip("_") + ("-mirrored" if mirrored else "")
            taken = sum(f.mirrored == mirrored and f.points.name == space.name for f in self._parts.families)
            family = Family(f"{name}-{taken + 1}" if taken else name, space, mirrored)
            self._parts.families.append(family)
        family.members.append(Member(number, share, point, other_space, other, columns))


def _sees(seat: Seat, votes: Any) -> bool:
    """Whether votes (k, |G|) depend on the point to which z takes the seat's point, and on the parity of z, alone."""
    space, point = seat
    representative = space.taking[point, space.moved[point], space.parity]
    return bool((votes == votes[:, representative]).all())
