"""The coset-voting program: the symbolic artefact that a network is distilled into.

    votes(x, y)[z] = bias[z] + sum over circuits, over their neurons i, of relu(l_i(x) + r_i(y)) * u_i(z)

where l_i, r_i and u_i are given by short lists of integers through the circuit's three forms (`verify.program.form`).
The answer is the unique z with the most votes; a tie is no answer.
Integers of l and r are over 2^preactivation_bits, votes over 2^vote_bits, the bias over the product of the two.
"""

import msgspec
import numpy as np
import numpy.typing as npt

from algebra.group import FiniteGroup
from algebra.lattice import subgroups
from algebra.permutation import format_cycles, parse_cycles
from algebra.subgroup import Subgroup, closure
from net.weights import Weights
from verify.program.form import Form, linear_form

FORMAT = "coset-voting program 1"


class GroupRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A permutation group by generators in cycle notation; its elements are numbered in lexicographic order of images."""

    name: str
    degree: int
    order: int
    generators: tuple[str, ...]


class SubgroupRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A subgroup by name, order and generators in cycle notation."""

    name: str
    order: int
    generators: tuple[str, ...]


class Neuron(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One neuron: its number in the network and the integers of its two preactivation functions and its votes."""

    index: int
    left: tuple[int, ...]
    right: tuple[int, ...]
    votes: tuple[int, ...]


class Circuit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The neurons that read x and y through the same cosets and vote through the same form."""

    left: Form
    right: Form
    votes: Form
    neurons: tuple[Neuron, ...]


class Program(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A coset-voting program; see the module's docstring for what it computes."""

    format: str
    group: GroupRecord
    subgroups: tuple[SubgroupRecord, ...]
    preactivation_bits: int
    vote_bits: int
    bias: tuple[int, ...]
    circuits: tuple[Circuit, ...]

    @property
    def constants(self) -> int:
        """The price: how many integers the program is made of."""
        lists = (len(n.left) + len(n.right) + len(n.votes) for c in self.circuits for n in c.neurons)
        return len(self.bias) + sum(lists)


def group_record(group: FiniteGroup) -> GroupRecord:
    """The record of a group."""
    generators = tuple(format_cycles(g) for g in group.generators)
    return GroupRecord(group.name, group.degree, group.order, generators)


def subgroup_record(subgroup: Subgroup) -> SubgroupRecord:
    """The record of a subgroup, under its label."""
    elements = subgroup.group.elements
    generators = tuple(format_cycles(tuple(int(i) for i in elements[g])) for g in subgroup.generators)
    return SubgroupRecord(subgroups(subgroup.group).label_of(subgroup), subgroup.order, generators)


def expand(program: Program, group: FiniteGroup, subgroups: tuple[Subgroup, ...]) -> Weights:
    """The program written out as exact network weights, one hidden unit per neuron in the program's order.

    ``subgroups`` are the program's own, position by position.
    Raises ValueError when a list does not have the length that its form asks for.
    Complexity: O(number of neurons times |G|).
    """
    columns: tuple[list[npt.NDArray[np.object_]], ...] = ([], [], [])
    for circuit in program.circuits:
        for part, (form, field) in enumerate(((circuit.left, "left"), (circuit.right, "right"), (circuit.votes, "votes"))):
            lists = [getattr(neuron, field) for neuron in circuit.neurons]
            columns[part].append(_expand_lists(group, form, subgroups, lists))
    n = group.order
    left, right, votes = (np.concatenate([np.zeros((n, 0), object), *part], axis=1) for part in columns)
    bias = np.array(program.bias or [0] * n, dtype=object)
    if bias.shape != (n,):
        raise ValueError(f"the bias has {len(program.bias)} integers, expected none or {n}")
    return Weights.from_integers(left, right, votes.T, bias, program.preactivation_bits, program.vote_bits)


def _expand_lists(
    group: FiniteGroup, form: Form, subgroups: tuple[Subgroup, ...], lists: list[tuple[int, ...]]
) -> npt.NDArray[np.object_]:
    linear = linear_form(group, form, subgroups)
    for t in lists:
        if len(t) != linear.size:
            raise ValueError(f"a list on {form.on} has {len(t)} integers, expected {linear.size}")
    table = np.empty((linear.size, len(lists)), dtype=object)
    for j, t in enumerate(lists):
        table[:, j] = t
    return np.asarray(linear.expand(table), dtype=object)


def program_subgroups(program: Program, group: FiniteGroup) -> tuple[Subgroup, ...]:
    """The subgroups that a program names, rebuilt from their generators in ``group``."""
    generators = ([group.index_of(parse_cycles(g, group.degree)) for g in r.generators] for r in program.subgroups)
    return tuple(Subgroup(group, closure(group, elements)) for elements in generators)
