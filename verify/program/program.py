"""The coset-voting program: the symbolic artefact that a network is distilled into.

    votes(x, y)[z] = bias[z] + sum over circuits, over their neurons i, of relu(l_i(x) + r_i(y)) * u_i(z)

where l_i, r_i and u_i are given by short lists of integers through the circuit's three forms (`verify.program.form`).
The answer is the unique z with the most votes; a tie is no answer.
Integers of l and r are over 2^preactivation_bits, votes over 2^vote_bits, the bias over the product of the two. Where y is read through
the list of x, the number that it is multiplied by is over 2^scale_bits; preactivations are then over 2^(preactivation_bits +
scale_bits).

Format 2 has the forms on images, preimages, rank and shared, and ``scale_bits``; a program of format 1 has none of them, and is still
read.

Format 3 is format 2 with squares in place of relu: votes(x, y)[z] = bias[z] + sum (l_i(x) + r_i(y))^2 u_i(z). Its bias is over
2^(2 preactivation_bits + vote_bits), and what is said of 2^scale_bits above holds for its square.
"""

import msgspec
import numpy as np
import numpy.typing as npt

from algebra.group import FiniteGroup, group_from_generators
from algebra.lattice import subgroups
from algebra.permutation import format_cycles, parse_cycles
from algebra.plural import plural
from algebra.subgroup import Subgroup, closure
from net.activation import Activation, degree
from net.weights import Weights
from verify.program.form import ON_POINTS, Form, Numbers, check_circuit, expand_lists, expand_sides, in_words, list_in_words, over_group

FORMAT = "coset-voting program 2"
#: Programs with (l_i(x) + r_i(y))^2 in place of relu, and the forms of format 2.
SQUARES = "coset-voting program 3"
FORMATS = ("coset-voting program 1", FORMAT, SQUARES)
#: Powers of two over which integers may be; the checker has the same bound.
LARGEST_BITS = 12_000


Integers = npt.NDArray[np.object_] | npt.NDArray[np.int64]


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
    scale_bits: int = 0

    def __post_init__(self) -> None:
        """Raise ValueError where the format is unknown, or older than what the program uses, or integers are over no power of two."""
        if self.format not in FORMATS:
            raise ValueError(f"expected a program in the format {' or '.join(map(repr, FORMATS))}, got {self.format!r:.80}")
        new = self.scale_bits or any(form.on in {*ON_POINTS, "sum"} for c in self.circuits for form in (c.left, c.right, c.votes))
        if self.format == FORMATS[0] and new:
            raise ValueError(f"expected forms on cosets and elements in {self.format!r}, got one that {FORMAT!r} brought")
        bits = (self.preactivation_bits, self.vote_bits, self.scale_bits)
        if min(bits) < 0 or max(bits) > LARGEST_BITS:
            raise ValueError(f"expected preactivation_bits, vote_bits and scale_bits from 0 to {LARGEST_BITS:,}, got others")

    @property
    def activation(self) -> Activation:
        """What a neuron makes of l(x) + r(y)."""
        return "square" if self.format == SQUARES else "relu"

    @property
    def constants(self) -> int:
        """The price: how many integers the program's lists and its bias are made of."""
        lists = (len(n.left) + len(n.right) + len(n.votes) for c in self.circuits for n in c.neurons)
        return len(self.bias) + sum(lists)


def group_record(group: FiniteGroup) -> GroupRecord:
    """The record of a group."""
    generators = tuple(format_cycles(g) for g in group.generators)
    return GroupRecord(group.name, group.degree, group.order, generators)


def group_of(record: GroupRecord) -> FiniteGroup:
    """The group that the record's generators generate."""
    return group_from_generators(record.name, record.degree, [parse_cycles(g, record.degree) for g in record.generators])


def subgroup_record(subgroup: Subgroup) -> SubgroupRecord:
    """The record of a subgroup, under its label."""
    elements = subgroup.group.elements
    generators = tuple(format_cycles(tuple(int(i) for i in elements[g])) for g in subgroup.generators)
    return SubgroupRecord(subgroups(subgroup.group).label_of(subgroup), subgroup.order, generators)


def expand(program: Program, group: FiniteGroup, subgroups: tuple[Subgroup, ...]) -> Weights:
    """The program written out as exact network weights, one hidden unit per neuron in the program's order.

    Integers are machine words where all that is met on the way surely fits, and Python's otherwise.

    ``subgroups`` are the program's own, position by position.
    Raises ValueError when a form is none, or a list does not have the length that its form asks for.
    Complexity: O(number of neurons times |G|) for each point that a form looks at.
    """
    n, unit = group.order, 1 << program.scale_bits
    columns: tuple[list[Numbers], ...] = ([], [], [])
    for circuit in program.circuits:
        forms = [over_group(form, subgroups) for form in (circuit.left, circuit.right, circuit.votes)]
        check_circuit(group, *forms)
        if not circuit.neurons:
            continue
        lists = [_columns([getattr(neuron, field) for neuron in circuit.neurons]) for field in ("left", "right", "votes")]
        if in_words(group, forms[0], forms[1], lists[0], lists[1], unit):
            lists[:2] = (part.astype(np.int64) for part in lists[:2])
        if list_in_words(group, forms[2], lists[2]):
            lists[2] = lists[2].astype(np.int64)
        sides = expand_sides(group, forms[0], forms[1], lists[0], lists[1], unit)
        for found, part in zip(columns, (*sides, expand_lists(group, forms[2], lists[2])), strict=True):
            found.append(part)
    left, right, votes = (np.concatenate(part or [np.zeros((n, 0), object)], axis=1) for part in columns)
    bias = np.array(program.bias or [0] * n, dtype=object)
    if bias.shape != (n,):
        raise ValueError(f"the bias has {plural(len(program.bias), 'integer')}, expected none or {n}")
    bits, activation = program.preactivation_bits + program.scale_bits, program.activation
    return Weights.from_integers(left, right, votes.T, bias * unit ** degree(activation), bits, program.vote_bits, activation)


def _columns(lists: list[tuple[int, ...]]) -> Integers:
    """Lists of one length as the columns of a table of Python integers; ValueError where they have different lengths."""
    if len({len(t) for t in lists}) > 1:
        raise ValueError(f"expected lists of one length in a circuit, got lengths {sorted({len(t) for t in lists})}")
    table = np.empty((len(lists[0]), len(lists)), dtype=object)
    for j, t in enumerate(lists):
        table[:, j] = t
    return table


def program_subgroups(program: Program, group: FiniteGroup) -> tuple[Subgroup, ...]:
    """The subgroups that a program names, rebuilt from their generators in ``group``."""
    generators = ([group.index_of(parse_cycles(g, group.degree)) for g in r.generators] for r in program.subgroups)
    return tuple(Subgroup(group, closure(group, elements)) for elements in generators)
