"""Small programs over symmetric groups for the tests of the symbolic layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from algebra.coset_space import CosetSpace
from algebra.group import parse_group
from algebra.lattice import subgroups
from verify.program.form import Form, linear_form
from verify.program.program import FORMAT, Circuit, Neuron, Program, group_record, subgroup_record

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from algebra.group import FiniteGroup
    from algebra.subgroup import Subgroup
    from verify.symbolic.decomposition import Decomposition
    from verify.symbolic.families import CaseTables

Built = tuple[Program, "FiniteGroup", tuple["Subgroup", ...]]


def stabilisers(group: FiniteGroup) -> list[Subgroup]:
    """The stabilisers of the points, in order."""
    lattice = subgroups(group)
    points = [group.elements[:, i] == i for i in range(group.degree)]
    return [next(s for s in lattice.all if (s.mask == mask).all()) for mask in points]


def even(group: FiniteGroup, inside: Subgroup | None = None) -> Subgroup:
    """The alternating group, or the even elements of a subgroup."""
    signs = np.asarray(group.parity)
    mask = signs == signs[0]
    if inside is not None:
        mask = mask & inside.mask
    return next(s for s in subgroups(group).all if (s.mask == mask).all())


def veto_program(name: str, flip: int | None = None) -> Built:
    """Neuron (i, k) pushes unless x and y together take i to k, and then votes against all z that do: right on S_n.

    l = a where x takes i, r = -a where k comes from, twice (for both signs), so the push is |a - b|.
    ``flip`` names a circuit whose votes change sign.
    """
    group = parse_group(name)
    points = stabilisers(group)
    circuits: list[Circuit] = []
    for i in range(group.degree):
        for k in range(group.degree):
            left = _list(group, Form("right cosets", (i,)), points, lambda g, i=i: int(group.elements[g, i]))
            right = _list(group, Form("left cosets", (k,)), points, lambda g, k=k: -int(group.elements[g].tolist().index(k)))
            votes = _list(group, Form("double cosets", (i, k)), points, lambda g, i=i, k=k: -int(group.elements[g, i] == k))
            if flip == len(circuits):
                votes = tuple(-v for v in votes)
            pair = (
                Neuron(2 * len(circuits), left, right, votes),
                Neuron(2 * len(circuits) + 1, tuple(-v for v in left), tuple(-v for v in right), votes),
            )
            circuits.append(Circuit(Form("right cosets", (i,)), Form("left cosets", (k,)), Form("double cosets", (i, k)), pair))
    return _program(group, points, circuits, ()), group, tuple(points)


def cancelling_program() -> Built:
    """Vetoes over S4 and a neuron whose votes are a coset sum of two terms of 2^61 each that nearly cancel; wrong on 144 pairs.

    The neuron pushes 2 where x and y are even. There its votes for w less those for an odd z are 4B for one term and -4B - 2^21 for the
    other, up to a few units, with 4B = 2^63 - 2^20: in machine words the second one would be +2^63 - 2^20.
    """
    program, group, points = veto_program("S4")
    members = [*points, even(group), *(even(group, h) for h in points)]
    twisted = (len(points) + 1,)
    right, left = Form("right cosets", (0,), twisted), Form("left cosets", (0,), twisted)
    spaces = CosetSpace(points[0], "right", members[twisted[0]]), CosetSpace(points[0], "left", members[twisted[0]])
    signs = [1 - 2 * np.asarray(group.parity != group.parity[0], dtype=int)[space.representatives] for space in spaces]
    large = (1 << 61) - (1 << 18), -(1 << 61) + (1 << 18) - (1 << 19)
    votes = [[value * int(sign) for sign in some] for value, some in zip(large, signs, strict=True)]
    for some in votes:
        some[1] += 1  # so that neither point alone says what the votes are
    lists = [(*map(int, some), 0) for some in signs]
    neuron = Neuron(2 * len(program.circuits), lists[0], lists[1], (*votes[0], *votes[1]))
    vetoes = [
        msgspec.structs.replace(c, neurons=tuple(msgspec.structs.replace(n, votes=tuple(64 * v for v in n.votes)) for n in c.neurons))
        for c in program.circuits
    ]
    cancelling = Circuit(right, left, Form("coset sum", (0, 0), twisted * 2), (neuron,))
    return _program(group, members, [*vetoes, cancelling], ()), group, tuple(members)


def searched(parts: Decomposition) -> Iterator[tuple[list[CaseTables], npt.NDArray[np.intp]]]:
    """For each case of the lemmas the families' tables, and the s that dual variables are searched for: all but the neutral one."""
    for case in parts.cases:
        s = np.flatnonzero(parts.parity == case.s)
        yield [family.tables(case) for family in parts.families], s[s != 0]


def _list(group: FiniteGroup, form: Form, members: list[Subgroup], value: Any) -> tuple[int, ...]:
    linear = linear_form(group, form, tuple(members))
    return tuple(value(int(np.flatnonzero(linear.index[0] == t)[0])) for t in range(linear.size))


def random_program(name: str, seed: int) -> Built:
    """Random integers on every kind of circuit: plain and twisted, all forms of votes, dual, raw, parities, a bias."""
    group = parse_group(name)
    points = stabilisers(group)
    n = group.degree
    members = [*points, even(group), *(even(group, h) for h in points)]
    rng = np.random.default_rng(seed)
    circuits: list[Circuit] = []

    def add(left: Form, right: Form, votes: Form) -> None:
        sizes = [linear_form(group, form, tuple(members)).size for form in (left, right, votes)]
        lists = [tuple(int(v) for v in rng.integers(-9, 10, size)) for size in sizes]
        circuits.append(Circuit(left, right, votes, (Neuron(len(circuits), *lists),)))

    for i in range(n):
        for k in range(n):
            h, hh = Form("right cosets", (i,)), Form("left cosets", (k,))
            add(h, hh, Form("double cosets", (i, k)))
            add(h, hh, Form("right cosets", (i,)))
            add(h, hh, Form("left cosets", (k,)))
            add(h, hh, Form("coset sum", (i, k)))
            twisted = (n + 1 + i,), (n + 1 + k,)
            add(
                Form("right cosets", (i,), twisted[0]),
                Form("left cosets", (k,), twisted[1]),
                Form("double cosets", (i, k), (n + 1 + i, n + 1 + k)),
            )
    add(Form("right cosets", (n,)), Form("left cosets", (n,)), Form("double cosets", (n, n)))
    add(Form("left cosets", (0,)), Form("right cosets", (1,)), Form("coset matrix", (0,)))
    add(Form("elements"), Form("left cosets", (1,)), Form("elements"))
    bias = tuple(int(v) for v in rng.integers(-9, 10, group.order))
    return _program(group, members, circuits, bias), group, tuple(members)


def _program(group: FiniteGroup, members: list[Subgroup], circuits: list[Circuit], bias: tuple[int, ...]) -> Program:
    records = tuple(subgroup_record(s) for s in members)
    return Program(FORMAT, group_record(group), records, 1, 0, bias, tuple(circuits))
