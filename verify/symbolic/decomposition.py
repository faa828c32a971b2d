"""A program taken apart: its circuits sorted into the families of `families`, its bias split into tables over points."""

import re
from typing import NamedTuple

import numpy as np

from algebra.group import FiniteGroup
from algebra.subgroup import Subgroup
from net.weights import ExactWeights
from verify.program.coset_forms import coset_space_of
from verify.program.form import Form, linear_form
from verify.program.program import Circuit, Program, expand
from verify.symbolic.bias import split_bias
from verify.symbolic.exact import Exact
from verify.symbolic.families import Columns, Decomposition, Member, PointFamily, Share
from verify.symbolic.pointed import Pointed, PointedSpaces
from verify.symbolic.points import parities
from verify.symbolic.settings import DEFAULT, SymbolicSettings


def take_apart(
    program: Program, group: FiniteGroup, subgroups: tuple[Subgroup, ...], settings: SymbolicSettings = DEFAULT
) -> Decomposition:
    """The program's circuits sorted into families, neurons that see parities alone, and a rest; the bias split over points."""
    weights = expand(program, group, subgroups).exact()
    safe = _largest(program, weights) < 1 << 60
    arrays = [np.asarray(a, dtype=np.int64) if safe else a for a in (weights.L, weights.R, weights.U, weights.b)]
    scale = 1 << (program.preactivation_bits + program.scale_bits + program.vote_bits)
    parts = Decomposition(group, parities(group), scale, [], [], [], arrays[3], arrays[3])
    sorter = _Sorter(parts, subgroups, settings)
    first = 0
    for number, circuit in enumerate(program.circuits):
        columns = np.arange(first, first + len(circuit.neurons))
        first += len(circuit.neurons)
        sorter.add(number, circuit, Columns(arrays[0][:, columns], arrays[1][:, columns], arrays[2][columns]))
    sorter.sort()
    split_bias(parts)
    return parts


def _largest(program: Program, weights: ExactWeights) -> int:
    """A bound of every number that occurs when margins are summed up, with a factor of two to spare.

    |votes[w] - votes[z]| <= 2 (sum over neurons of push times the largest |u|) + 2 max |b|, and push <= 2 max(|l|, |r|). Votes on a
    coset sum are looked at term by term, and each term can be far larger than their sum u: |u| stands for the largest of the three.
    """
    push = 2 * max(int(abs(weights.L).max(initial=0)), int(abs(weights.R).max(initial=0)))
    terms = (abs(v) for c in program.circuits if c.votes.on == "coset sum" for neuron in c.neurons for v in neuron.votes)
    votes = max(int(abs(weights.U).max(initial=0)), max(terms, default=0))
    return 4 * max(push, push * votes * max(1, len(weights.U)) + int(abs(weights.b).max(initial=0)))


class _Piece(NamedTuple):
    """A circuit, or a term of its votes, in the family of one G-set; ``other`` is the point through which the other input is read."""

    share: Share
    mirrored: bool
    seen: Pointed
    other: Pointed | None
    columns: Columns


class _Sorter:
    """Puts circuits into families."""

    def __init__(self, parts: Decomposition, subgroups: tuple[Subgroup, ...], settings: SymbolicSettings) -> None:
        self._parts, self._subgroups = parts, subgroups
        self._spaces = PointedSpaces(parts.parity, settings.space_entries)
        self._ways: list[tuple[int, list[list[_Piece]]]] = []

    def add(self, number: int, circuit: Circuit, columns: Columns) -> None:
        """Add one circuit to the part where it belongs, or to those that ``sort`` puts into families."""
        parts = self._parts
        if all(self._of_parity(np.moveaxis(a, -1, 0)) for a in (columns.left.T, columns.right.T, columns.votes)):
            parts.signs.append((number, columns))
            return
        ways = self._all_ways(circuit, columns)
        if ways:
            self._ways.append((number, ways))
        else:
            parts.rest.append((number, columns))

    def sort(self) -> None:
        """Put circuits into families; those that fit into both kinds into mirrored ones where all others are mirrored."""
        kinds = [{piece.mirrored for way in ways for piece in way} for _, ways in self._ways if len(ways) == 1]
        mirrored = bool(kinds) and all(kind == {True} for kind in kinds)
        for number, ways in self._ways:
            for piece in ways[-1 if mirrored else 0]:
                self._join(number, piece)

    def _of_parity(self, function: Exact) -> bool:
        """Whether a function (|G|, ...) depends on the parity alone."""
        odd = int(self._parts.parity.argmax())
        return bool((function == function[np.where(self._parts.parity == 1, odd, 0)]).all())

    def _all_ways(self, circuit: Circuit, columns: Columns) -> list[list[_Piece]]:
        """The ways to see the circuit as pieces whose votes depend on Hz, or on zK (mirrored), the plain one first."""
        inverse = self._parts.group.inv
        h = self._pointed(circuit.left) if circuit.left.on == "right cosets" else None
        k = self._pointed(circuit.right) if circuit.right.on == "left cosets" else None
        ways = []
        if h and k and _sees(h, columns.votes):
            ways.append([_Piece("whole", False, h, k, columns)])
        if h and k and _sees(k, columns.votes[:, inverse]):
            ways.append([_Piece("whole", True, k, h, columns.mirrored(inverse))])
        if not ways and h and k and circuit.votes.on == "coset sum":
            ways += self._by_terms(circuit, columns, h, k)
        return ways or self._by_votes(circuit, columns)

    def _by_terms(self, circuit: Circuit, columns: Columns, h: Pointed, k: Pointed) -> list[list[_Piece]]:
        """Votes on a coset sum as two pieces."""
        inverse = self._parts.group.inv
        linear = linear_form(self._parts.group, circuit.votes, self._subgroups)
        lists = np.array([neuron.votes for neuron in circuit.neurons], dtype=columns.votes.dtype)
        right, left = (lists[:, index] * factor.astype(lists.dtype) for index, factor in zip(linear.index, linear.factor, strict=True))
        if not (_sees(h, right) and _sees(k, left[:, inverse])):
            return []
        mirrored = columns._replace(votes=left).mirrored(inverse)
        return [[_Piece("right", False, h, k, columns._replace(votes=right)), _Piece("left", True, k, h, mirrored)]]

    def _by_votes(self, circuit: Circuit, columns: Columns) -> list[list[_Piece]]:
        """The circuit as one piece when it votes through the point through which it reads x, or y; it may read the other freely."""
        form = circuit.votes.terms[0]
        if form.on not in ("right cosets", "left cosets"):
            return []
        mirrored = form.on == "left cosets"
        seen, facing = self._pointed(form), columns.mirrored(self._parts.group.inv) if mirrored else columns
        if seen is None or not (_sees(seen, facing.left.T) and _sees(seen, facing.votes)):
            return []
        return [[_Piece("whole", mirrored, seen, None, facing)]]

    def _pointed(self, form: Form) -> Pointed | None:
        """The point through which a form on right or left cosets sees its input."""
        space = coset_space_of(self._parts.group, form, self._subgroups)
        return None if space is None else self._spaces.of(space)

    def _join(self, number: int, piece: _Piece) -> None:
        share, mirrored, (points, point), other, columns = piece
        for family in self._parts.families:
            if family.points is points and family.mirrored == mirrored:
                break
        else:
            name = re.sub(r"[^\w.+-]+", "_", points.name).strip("_") + ("-mirrored" if mirrored else "")
            taken = sum(f.mirrored == mirrored and f.points.name == points.name for f in self._parts.families)
            family = PointFamily(f"{name}-{taken + 1}" if taken else name, points, mirrored)
            self._parts.families.append(family)
        family.members.append(Member(number, share, point, other, columns))


def _sees(seen: Pointed, functions: Exact) -> bool:
    """Whether functions (k, |G|) of z depend on where z takes the point, and on the parity of z, alone."""
    points, point = seen
    representative = points.taking[point, points.moved[point], points.parity]
    return bool((functions == functions[:, representative]).all())
