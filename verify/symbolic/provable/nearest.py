"""A program whose neurons all read one input through single points: each by the lists that are nearest to what it reads there.

Lemmas bound what sees where one input takes one point. A neuron that sees where it takes several, f(z) = sum over p of a[p] m[pz] say,
is replaced by one that reads the mean of f over the elements that take one point to the same place and have the same parity,

    f_p(z) = the mean of f over the z' with pz' = pz and the parity of z',

the orthogonal projection of f on the functions of pz and of the parity: least squares explain the most of f by it. It may also be
*divided* into several, one for each of the points that explain most. The other input is read as before. What is made is a program of
its own: how near it is to the network is what exact evaluation on all pairs, and the comparison of logits, say about it.
"""

from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from algebra.group import FiniteGroup
from algebra.lattice import subgroups as lattice_of
from verify.distil.coset_fit import Floats
from verify.program.form import Form, On
from verify.program.program import FORMAT, Circuit, Neuron, Program, expand, subgroup_record
from verify.program.written import Written
from verify.symbolic.points import Points
from verify.symbolic.provable.voters import of_parity
from verify.symbolic.settings import SymbolicSettings

__all__ = ["through_points"]


class _Nearest(NamedTuple):
    """The projections on the functions of one point and of the parity: [parity, where it is taken, neuron], and what they explain."""

    space: Points
    point: int
    means: Floats
    shares: Floats


def through_points(
    readable: Written, group: FiniteGroup, spaces: list[Points], mirrored: bool, parts: int, settings: SymbolicSettings
) -> Written:
    """The program with its neurons' functions of x (of y, mirrored) replaced by functions of single points of the spaces.

    Functions that are such keep what they are. Others become the nearest, or up to ``parts`` parts with the same function of the other
    input where no point explains ``settings.single`` of them; points that explain less than ``settings.least_share`` are no part.
    Neurons of parities alone stay as they are; those without any part are left out, and so is the bias. Lists are rounded to the unit
    of the program's lists; lists shared by x and y become two. Votes stay as they are, for the search to replace.
    Complexity: O(points |G| m) for each space.
    """
    writer = _Writer(readable, group, mirrored)
    weights = readable.weights
    functions = weights.R[group.inv] if mirrored else weights.L
    found = [_nearest(functions, space, point) for space in spaces for point in range(space.count)]
    shares = np.stack([one.shares for one in found])
    order = np.argsort(-shares, axis=0, kind="stable")
    alone = of_parity(functions, spaces[0].parity)
    column = 0
    for circuit in readable.program.circuits:
        for neuron in circuit.neurons:
            best = float(shares[order[0, column], column])
            if alone[column]:
                writer.keep(circuit, neuron)
            else:
                some = order[: 1 if best > settings.single else parts, column]
                for k in some[shares[some, column] >= settings.least_share]:
                    writer.add(circuit, neuron, column, found[k])
            column += 1
    return writer.written()


def _nearest(functions: Floats, space: Points, point: int) -> _Nearest:
    """The projections of functions (|G|, m). Complexity: O(|G| m)."""
    kinds = 1 + int(space.parity.max())
    labels = space.moved[point] * kinds + space.parity
    sums = np.zeros((space.count * kinds, functions.shape[1]))
    np.add.at(sums, labels, functions)
    means = sums / np.bincount(labels, minlength=len(sums))[:, None]
    varied = ((functions - functions.mean(axis=0)) ** 2).sum(axis=0)
    left = ((functions - means[labels]) ** 2).sum(axis=0)
    shares = np.where(varied > 0.0, 1.0 - left / np.maximum(varied, 1e-300), 1.0)
    return _Nearest(space, point, means.reshape(space.count, kinds, -1).transpose(1, 0, 2), shares)


class _Writer:
    """Collects the neurons of the new program."""

    def __init__(self, readable: Written, group: FiniteGroup, mirrored: bool) -> None:
        self._old, self._group, self._mirrored = readable.program, group, mirrored
        self._members = [*readable.subgroups]
        self._circuits: dict[tuple[Form, Form, Form], list[Neuron]] = {}

    def keep(self, circuit: Circuit, neuron: Neuron) -> None:
        """Add the neuron as it is."""
        right, list_ = self._unshared(circuit, neuron)
        self._put(circuit.left, right, circuit.votes, Neuron(neuron.index, neuron.left, list_, neuron.votes))

    def add(self, circuit: Circuit, neuron: Neuron, column: int, nearest: _Nearest) -> None:
        """Add the neuron, reading one input through this point."""
        on: On = "left cosets" if self._mirrored else "right cosets"
        first, list_ = self._single(on, nearest, column)
        if self._mirrored:
            left, right, lists = circuit.left, first, (neuron.left, list_)
        else:
            right, other = self._unshared(circuit, neuron)
            left, lists = first, (list_, other)
        self._put(left, right, circuit.votes, Neuron(neuron.index, lists[0], lists[1], neuron.votes))

    def _put(self, left: Form, right: Form, votes: Form, neuron: Neuron) -> None:
        self._circuits.setdefault((left, right, votes), []).append(neuron)

    def _single(self, on: On, nearest: _Nearest, column: int) -> tuple[Form, tuple[int, ...]]:
        """Form and list of a function of one point, on its stabiliser's cosets; with parities, twisted by the sign or a sum of both.

        With v at even and u at odd elements it is (v + u) / 2 and, times the sign, (v - u) / 2.
        """
        space, point = nearest.space, nearest.point
        own = self._number(space.moved[point] == point)
        cosets = self._members[own].right_cosets if on == "right cosets" else self._members[own].left_cosets
        z = cosets.representatives if on == "right cosets" else self._group.inv[cosets.representatives]
        values = np.ldexp(nearest.means[:, :, column], self._old.preactivation_bits)[:, space.moved[point, z]]
        plain = tuple(round(float(v)) for v in (values[0] + values[-1]) / 2)
        signs = 1.0 - 2.0 * space.parity[z]
        twisted = tuple(round(float(v)) for v in signs * (values[0] - values[-1]) / 2)
        if not any(twisted):
            return Form(on, (own,), (None,)), plain
        kernel = self._number((space.moved[point] == point) & (space.parity == 0))
        form = Form(on, (own,), (kernel,))
        if len({*plain}) == 1:
            return form, (*twisted, plain[0])
        return Form("sum", parts=(Form(on, (own,), (None,)), form)), (*plain, *twisted, 0)

    def _unshared(self, circuit: Circuit, neuron: Neuron) -> tuple[Form, tuple[int, ...]]:
        """How the neuron reads y, through a list of its own: s m[p] where it was shared, rounded."""
        form = circuit.right
        if form.on != "shared":
            return form, neuron.right
        scale, half = self._old.scale_bits, (1 << self._old.scale_bits) >> 1
        own = tuple((neuron.right[0] * value + half) >> scale for value in neuron.left[: len(form.weights)])
        return msgspec.structs.replace(form, on="preimages"), (*own, *neuron.right[1:])

    def _number(self, mask: npt.NDArray[np.bool_]) -> int:
        known = next((number for number, s in enumerate(self._members) if (s.mask == mask).all()), None)
        if known is None:
            lattice = lattice_of(self._group)
            self._members.append(lattice.all[lattice.find(mask)])
            known = len(self._members) - 1
        return known

    def written(self) -> Written:
        """The program of all neurons that were added."""
        old, members = self._old, tuple(self._members)
        made = tuple(Circuit(left, right, votes, tuple(neurons)) for (left, right, votes), neurons in self._circuits.items())
        records = (*old.subgroups, *(subgroup_record(s) for s in members[len(old.subgroups) :]))
        program: Program = msgspec.structs.replace(old, format=FORMAT, subgroups=records, bias=(), circuits=made, scale_bits=0)
        return Written(program, members, expand(program, self._group, members))
