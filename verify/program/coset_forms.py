"""Forms on one point as the forms on cosets that they are.

Images of one point p, chi(g) w t[pg], are constant up to the character on the right cosets of the stabiliser S of p: with r the least
element of a coset, f(hr) = chi(h) f(r) for h in S. Preimages of one point, and a shared list read through one, are so on left cosets.
A program can therefore be written with right and left cosets in their place: more constants, the same functions.
"""

from dataclasses import replace
from typing import NamedTuple

import msgspec
import numpy as np

from algebra.coset_space import CosetSpace, Side
from algebra.group import FiniteGroup
from algebra.gset import GSet
from algebra.lattice import SubgroupLattice
from algebra.lattice import subgroups as lattice_of
from algebra.subgroup import Subgroup
from net.activation import degree
from net.weights import Weights
from verify.memory import kept
from verify.program.form import WEIGHTED, Form, GroupForm, scaled_list
from verify.program.kind import side_of
from verify.program.program import Circuit, Neuron, Program, expand, subgroup_record
from verify.program.written import Written

__all__ = ["coset_space_of", "in_coset_forms", "on_cosets", "simplest"]


def coset_space_of(group: FiniteGroup, form: Form, subgroups: tuple[Subgroup, ...]) -> CosetSpace | None:
    """The cosets on which the form's functions are constant, up to a character and an added constant; None where there are none.

    There are none for several points. Subgroups are those of the group's lattice where they are not the program's own.
    """
    side = side_of(form)
    if side is None or side == "rank one":
        return None
    base = subgroups[form.subgroups[0]]
    kernel = subgroups[form.kernels[0]] if form.kernels and form.kernels[0] is not None else None
    if form.on not in WEIGHTED:
        return CosetSpace(base, side, kernel)
    point = next(p for p, weight in enumerate(form.weights) if weight)
    stabiliser = _canonical(GSet(base).stabiliser(point), subgroups)
    if kernel is None or (stabiliser.mask <= kernel.mask).all():
        return CosetSpace(stabiliser, side)
    return CosetSpace(stabiliser, side, _canonical(Subgroup(group, stabiliser.mask & kernel.mask), subgroups))


def _canonical(subgroup: Subgroup, known: tuple[Subgroup, ...]) -> Subgroup:
    """The subgroup as the program's own, or as the lattice's."""
    for one in known:
        if one.order == subgroup.order and (one.mask == subgroup.mask).all():
            return one
    lattice = lattice_of(subgroup.group)
    return lattice.all[lattice.find(subgroup.mask)]


def simplest(lattice: SubgroupLattice, form: GroupForm, t: tuple[int, ...]) -> tuple[GroupForm, tuple[int, ...]]:
    """The same function by a form on cosets, for images and preimages of one point where that takes no more integers.

    It does but for a character and no constant; then the point's weight becomes 1. Other forms stay. Complexity: O(points |G|).
    """
    if form.on not in ("images", "preimages") or sum(weight != 0 for weight in form.weights) != 1:
        return form, t
    point, weight = next((p, w) for p, w in enumerate(form.weights) if w)
    base, kernel, n = form.subgroups[0], form.kernel, len(form.weights)
    values, constant = [weight * value for value in t[:n]], t[n] if form.constant else 0
    points = GSet(base)
    stabiliser = points.stabiliser(point)
    plain = kernel is None or bool((stabiliser.mask <= kernel.mask).all())
    if not plain and not form.constant:
        return replace(form, weights=tuple(int(p == point) for p in range(n))), tuple(values)
    side: Side = "right" if form.on == "images" else "left"
    own = lattice.all[lattice.find(stabiliser.mask)]
    space = CosetSpace(own, side, None if plain or kernel is None else lattice.all[lattice.find(own.mask & kernel.mask)])
    found = []
    for r in space.representatives.tolist():
        place = points.moved[point, r if side == "right" else lattice.group.inv[r]]
        value = values[place] if kernel is None or kernel.mask[r] else -values[place]
        found.append(value + constant if plain else value)
    return GroupForm.of(space), tuple(found) if plain else (*found, constant)


@kept(4096)
def on_cosets(lattice: SubgroupLattice, form: GroupForm) -> GroupForm:
    """The form on right or left cosets whose functions those of images, preimages and shared lists of one point are; others stay."""
    if form.on not in WEIGHTED or sum(weight != 0 for weight in form.weights) != 1:
        return form
    point = next(p for p, weight in enumerate(form.weights) if weight)
    mask = GSet(form.subgroups[0]).stabiliser(point).mask
    own = lattice.all[lattice.find(mask)]
    plain = form.kernel is None or bool((mask <= form.kernel.mask).all())
    kernel = None if plain or form.kernel is None else lattice.all[lattice.find(mask & form.kernel.mask)]
    return GroupForm.of(CosetSpace(own, "right" if form.on == "images" else "left", kernel))


class _Circuit(NamedTuple):
    """A circuit to be written: its old forms and neurons, its first column of the weights, and where both sides are on cosets these."""

    old: Circuit
    first: int
    spaces: tuple[CosetSpace, CosetSpace] | None


def in_coset_forms(written: Written, group: FiniteGroup, exact: bool = True) -> Written:
    """The program with circuits whose x and y are both read through one point each written on right and left cosets.

    The program itself where there is none. With ``exact`` it computes the same; else what is read of y through a shared list is
    rounded to the unit of the other lists, so that no integer grows.
    """
    program = written.program
    circuits, first = [], 0
    for circuit in program.circuits:
        new = any(form.on in WEIGHTED for form in (circuit.left, circuit.right))
        one, other = (coset_space_of(group, form, written.subgroups) if new else None for form in (circuit.left, circuit.right))
        circuits.append(_Circuit(circuit, first, (one, other) if one is not None and other is not None else None))
        first += len(circuit.neurons)
    if all(circuit.spaces is None for circuit in circuits):
        return written
    grown = 1 << program.scale_bits if exact else 1
    found = {subgroup: number for number, subgroup in enumerate(written.subgroups)}
    made = tuple(_rewritten(circuit, written.weights, program, found, grown) for circuit in circuits)
    shared = any(circuit.right.on == "shared" for circuit in made)
    changed = msgspec.structs.replace(
        program,
        subgroups=(*program.subgroups, *(subgroup_record(s) for s in [*found][len(program.subgroups) :])),
        preactivation_bits=program.preactivation_bits + (program.scale_bits if exact else 0),
        bias=tuple(value * grown ** degree(program.activation) for value in program.bias),
        circuits=made,
        scale_bits=program.scale_bits if shared else 0,
    )
    members = tuple(found)
    return Written(changed, members, expand(changed, group, members))


def _rewritten(circuit: _Circuit, weights: Weights, program: Program, found: dict[Subgroup, int], grown: int) -> Circuit:
    old = circuit.old
    if circuit.spaces is None:
        neurons = tuple(
            Neuron(n.index, scaled_list(old.left, n.left, grown), scaled_list(old.right, n.right, grown), n.votes) for n in old.neurons
        )
        return msgspec.structs.replace(old, neurons=neurons)
    exact = weights.exact()
    # the weights' own unit may be finer or coarser than that of the program's integers
    units = exact.preactivation_bits - program.preactivation_bits - (grown.bit_length() - 1)
    neurons = tuple(
        Neuron(
            n.index,
            _listed(circuit.spaces[0], exact.L[:, circuit.first + k], units),
            _listed(circuit.spaces[1], exact.R[:, circuit.first + k], units),
            n.votes,
        )
        for k, n in enumerate(old.neurons)
    )
    for space in circuit.spaces:
        for subgroup in (space.subgroup, space.kernel):
            if subgroup is not None:
                found.setdefault(subgroup, len(found))
    return Circuit(_form(circuit.spaces[0], found), _form(circuit.spaces[1], found), old.votes, neurons)


def _form(space: CosetSpace, found: dict[Subgroup, int]) -> Form:
    kernel = None if space.kernel is None else found[space.kernel]
    on: dict[Side, str] = {"right": "right cosets", "left": "left cosets"}
    return msgspec.convert({"on": on[space.side], "subgroups": [found[space.subgroup]], "kernels": [kernel]}, Form)


def _listed(space: CosetSpace, values: np.ndarray, units: int) -> tuple[int, ...]:
    """The list of a function in the space, given in units of 2^-units of the list's; a twisted one's constant comes last.

    The constant of a twisted function is its mean over two elements of one coset with opposite signs.
    """
    if space.kernel is None:
        return tuple(_over(int(values[r]), units) for r in space.representatives)
    twin = int(np.flatnonzero((space.labels == 0) & (space.signs == -1))[0])
    constant = (int(values[space.representatives[0]]) + int(values[twin])) // 2
    return (*(_over(int(values[r]) - constant, units) for r in space.representatives), _over(constant, units))


def _over(value: int, units: int) -> int:
    """Value / 2^units, rounded to nearest."""
    return value << -units if units <= 0 else (value + (1 << units - 1)) >> units
