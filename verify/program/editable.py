"""Programs as Python sees them: circuits with tables of integers, that can be read, copied, changed and written back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import numpy.typing as npt

from algebra.plural import plural
from verify.program.form import WEIGHTED
from verify.program.program import Circuit, Neuron, Program, expand, program_subgroups

if TYPE_CHECKING:
    from algebra.group import FiniteGroup
    from net.weights import Weights
    from verify.program.form import Form

Integers = npt.NDArray[np.object_]


@dataclass(eq=False)
class CircuitTables:
    """The neurons that read x and y through the same cosets and vote through the same form, as tables of integers.

    Attributes:
        neurons: (k,) their numbers in the network.
        reads_x, reads_y, votes_on: the three forms in words, such as ``right cosets of S4``.
        left, right, votes: (k, length of the form's list) Python integers: row i belongs to ``neurons[i]``. ``left`` and ``right``
            are over 2^preactivation_bits of the program, ``votes`` over 2^vote_bits (the factors alpha of a form on rank are plain
            integers, the number s of a shared list is over 2^scale_bits).
        forms: the three forms; `verify.program.form` says how a list becomes a function on the group.

    """

    neurons: tuple[int, ...]
    reads_x: str
    reads_y: str
    votes_on: str
    left: Integers
    right: Integers
    votes: Integers
    forms: tuple[Form, Form, Form]

    def __repr__(self) -> str:
        count = f"{plural(len(self.neurons), 'neuron')}"
        return f"<circuit of {count}: x by {self.reads_x}, y by {self.reads_y}, votes on {self.votes_on}>"

    def _copy(self) -> CircuitTables:
        tables = (self.left.copy(), self.right.copy(), self.votes.copy())
        return CircuitTables(self.neurons, self.reads_x, self.reads_y, self.votes_on, *tables, self.forms)


class CosetProgram:
    """A coset-voting program over a group.

    votes(x, y)[z] = bias[z] + sum over circuits, over their neurons i, of relu(l_i(x) + r_i(y)) * u_i(z), or with squares in place of
    relu (``record().activation``).

    Attributes:
        name: what the analysis calls it, such as ``readable``.
        group: the group.
        bias: (|G|,) integers over 2^(preactivation_bits + vote_bits), with squares over 2^(2 preactivation_bits + vote_bits).
        preactivation_bits, vote_bits: the denominators' exponents.
        circuits: the circuits; a tuple of read-only tables, or after `copy` a list that can be changed.

    """

    def __init__(self, name: str, group: FiniteGroup, program: Program) -> None:
        self.name = name
        self.group = group
        self.preactivation_bits = program.preactivation_bits
        self.vote_bits = program.vote_bits
        self.bias: Integers = _frozen(np.array(program.bias or [0] * group.order, dtype=object))
        self.circuits: tuple[CircuitTables, ...] | list[CircuitTables] = tuple(_tables(program, c) for c in program.circuits)
        self._original = program

    def __repr__(self) -> str:
        price = f"{plural(len(self.circuits), 'circuit')}, {plural(self.constants, 'constant')}"
        return f"<{self.name} program over {self.group.name}: {price}>"

    def copy(self) -> CosetProgram:
        """The same program, to be changed: its tables can be written to, and circuits can be added to and taken from its list."""
        other = CosetProgram(f"edited {self.name.removeprefix('edited ')}", self.group, self._original)
        other.preactivation_bits, other.vote_bits = self.preactivation_bits, self.vote_bits
        other.bias = self.bias.copy()
        other.circuits = [circuit._copy() for circuit in self.circuits]
        return other

    @property
    def constants(self) -> int:
        """How many integers the program is made of (its description length)."""
        return self.record().constants

    def record(self) -> Program:
        """The program as program.json states it.

        Raises:
            ValueError: a table holds something else than integers, or has not one row for each of its circuit's neurons.

        """
        circuits = tuple(_circuit(number, circuit) for number, circuit in enumerate(self.circuits))
        bias = _integers(self.bias, "the bias")
        return msgspec.structs.replace(
            self._original,
            preactivation_bits=self.preactivation_bits,
            vote_bits=self.vote_bits,
            bias=bias if self._original.bias or any(bias) else (),
            circuits=circuits,
        )

    def weights(self) -> Weights:
        """The program written out as the exact weights of a network, one neuron for each of its own.

        Raises:
            ValueError: as `record`, and where a row has not the length that its form asks for.

        """
        record = self.record()
        return expand(record, self.group, program_subgroups(record, self.group))


def _tables(program: Program, circuit: Circuit) -> CircuitTables:
    forms = (circuit.left, circuit.right, circuit.votes)
    lists = [[getattr(neuron, field) for neuron in circuit.neurons] for field in ("left", "right", "votes")]
    words = [form_in_words(form, [record.name for record in program.subgroups]) for form in forms]
    numbers = tuple(neuron.index for neuron in circuit.neurons)
    left, right, votes = (_frozen(np.array(rows, dtype=object).reshape(len(numbers), -1)) for rows in lists)
    return CircuitTables(numbers, words[0], words[1], words[2], left, right, votes, forms)


def form_in_words(form: Form, names: list[str]) -> str:
    """A form as a phrase, such as ``double cosets of S4 and F20``, given the names of the subgroups that it numbers."""
    if form.parts:
        return " plus ".join(form_in_words(part, names) for part in form.parts)
    if not form.subgroups:
        return "single elements"
    kernels = form.kernels or (None,) * len(form.subgroups)
    parts = [
        names[s] + ("" if k is None else f" with the sign that is 1 on {names[k]}")
        for s, k in zip(form.subgroups, kernels, strict=True)
    ]
    if form.on == "rank":
        return f"rank {form.rank} on cosets of {parts[0]}"
    if form.on in WEIGHTED:
        weights = ", ".join(map(str, form.weights))
        return f"{'a shared list' if form.on == 'shared' else form.on} of cosets of {parts[0]} with weights {weights}"
    return f"{form.on} of {' and '.join(parts)}"


def _circuit(number: int, circuit: CircuitTables) -> Circuit:
    rows = []
    for field in ("left", "right", "votes"):
        table = np.asarray(getattr(circuit, field))
        if table.ndim != 2 or len(table) != len(circuit.neurons):
            raise ValueError(
                f"expected {plural(len(circuit.neurons), 'row')} of {field} in circuit {number}, one a neuron, got shape {table.shape}"
            )
        rows.append([_integers(row, f"{field} of circuit {number}") for row in table])
    neurons = tuple(Neuron(index, *lists) for index, *lists in zip(circuit.neurons, *rows, strict=True))
    return Circuit(*circuit.forms, neurons)


def _integers(values: object, where: str) -> tuple[int, ...]:
    found = []
    for value in np.asarray(values).tolist():
        if not isinstance(value, int) and not (isinstance(value, float) and value.is_integer()):
            raise ValueError(f"expected integers in {where}, got {value!r}")
        found.append(int(value))
    return tuple(found)


def _frozen(array: Integers) -> Integers:
    array.setflags(write=False)
    return array
