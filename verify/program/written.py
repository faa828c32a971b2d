"""A program with its subgroups and its exact weights, and what can be done with it as a whole."""

from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from algebra.subgroup import Subgroup
from net.units import Units
from net.weights import Weights
from verify.program.form import Form, scaled_list
from verify.program.program import Circuit, Neuron, Program


@dataclass(frozen=True)
class Written:
    """A program, its group's subgroups in the program's numbering, and its exact weights."""

    program: Program
    subgroups: tuple[Subgroup, ...]
    weights: Weights


def renumbered(form: Form, used: dict[int, int]) -> Form:
    """The form with subgroup number k called used[k]."""
    kernels = tuple(None if k is None else used[k] for k in form.kernels)
    parts = tuple(renumbered(part, used) for part in form.parts)
    return msgspec.structs.replace(form, subgroups=tuple(used[s] for s in form.subgroups), kernels=kernels, parts=parts)


class Rescaled(NamedTuple):
    """A program in other units, and the exponent of the power of two by which sums of its votes, as integers, were multiplied."""

    written: Written
    growth: int


def rescaled(written: Written, units: Units) -> Rescaled:
    """The program in other units, given for the network's neurons: other denominators, and integers times powers of two if need be.

    The denominators are the least for which ``growth`` is at least 0.
    """
    program = written.program
    pairs = [(circuit, neuron) for circuit in program.circuits for neuron in circuit.neurons]
    units = units.select([neuron.index for _, neuron in pairs])
    p, v = units.denominators(program.preactivation_bits, program.vote_bits)
    inputs, votes = (p - program.preactivation_bits + units.inputs).tolist(), (v - program.vote_bits + units.votes).tolist()
    growth = units.degree * (p - program.preactivation_bits) + v - program.vote_bits + units.logits
    zeros = [min(_zeros(c.left, n.left, p), _zeros(c.right, n.right, p)) for c, n in pairs]
    spare = min([p, growth // units.degree, *(zero + i for zero, i in zip(zeros, inputs, strict=True))])
    inputs, p, growth = [i - spare for i in inputs], p - spare, growth - units.degree * spare
    spare = min([v, growth, *(_zeros(c.votes, n.votes, v) + u for (c, n), u in zip(pairs, votes, strict=True))])
    votes, v, growth = [u - spare for u in votes], v - spare, growth - spare
    powers = iter(zip(inputs, votes, strict=True))

    def neuron(c: Circuit, n: Neuron) -> Neuron:
        i, u = next(powers)
        return Neuron(n.index, _times(c.left, n.left, i), _times(c.right, n.right, i), _times(c.votes, n.votes, u))

    changed = msgspec.structs.replace(
        program,
        preactivation_bits=p,
        vote_bits=v,
        bias=tuple(value << growth for value in program.bias),
        circuits=tuple(msgspec.structs.replace(c, neurons=tuple(neuron(c, n) for n in c.neurons)) for c in program.circuits),
    )
    return Rescaled(Written(changed, written.subgroups, written.weights.scaled(units)), growth)


def _multiplied(form: Form, length: int) -> list[bool]:
    """Which entries of a list are multiplied when its function is (`scaled_list`)."""
    return [factor == 2 for factor in scaled_list(form, (1,) * length, 2)]


def _times(form: Form, values: tuple[int, ...], power: int) -> tuple[int, ...]:
    """The list of the function times 2^power; no integer has to be rounded."""
    if power >= 0:
        return scaled_list(form, values, 1 << power)
    return tuple(value >> -power if due else value for value, due in zip(values, _multiplied(form, len(values)), strict=True))


def _zeros(form: Form, values: tuple[int, ...], most: int) -> int:
    """By how many powers of two the list's function can be divided, ``most`` where all that counts is 0."""
    counted = (value for value, due in zip(values, _multiplied(form, len(values)), strict=True) if due and value)
    return min(((value & -value).bit_length() - 1 for value in counted), default=most)
