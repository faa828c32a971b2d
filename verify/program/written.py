"""A program with its subgroups and its exact weights, and what can be done with it as a whole."""

from dataclasses import dataclass

import msgspec

from algebra.subgroup import Subgroup
from net.weights import Weights
from verify.program.form import Form, scaled_list
from verify.program.program import Neuron, Program


@dataclass(frozen=True)
class Written:
    """A program, its group's subgroups in the program's numbering, and its exact weights."""

    program: Program
    subgroups: tuple[Subgroup, ...]
    weights: Weights


def renumbered(form: Form, used: dict[int, int]) -> Form:
    """The form with subgroup number k called used[k]."""
    kernels = tuple(None if k is None else used[k] for k in form.kernels)
    return msgspec.structs.replace(form, subgroups=tuple(used[s] for s in form.subgroups), kernels=kernels)


def rescaled(written: Written, inputs: int, votes: int) -> Written:
    """The program with preactivations times 2^inputs and votes times 2^votes: by other denominators, and larger integers if need be."""
    program = written.program
    p, v = program.preactivation_bits - inputs, program.vote_bits - votes
    more, further = 1 << max(0, -p), 1 << max(0, -v)
    circuits = tuple(
        msgspec.structs.replace(
            circuit,
            neurons=tuple(
                Neuron(
                    n.index,
                    scaled_list(circuit.left, n.left, more),
                    scaled_list(circuit.right, n.right, more),
                    scaled_list(circuit.votes, n.votes, further),
                )
                for n in circuit.neurons
            ),
        )
        for circuit in program.circuits
    )
    changed = msgspec.structs.replace(
        program,
        preactivation_bits=max(0, p),
        vote_bits=max(0, v),
        bias=tuple(value * more * further for value in program.bias),
        circuits=circuits,
    )
    return Written(changed, written.subgroups, written.weights.scaled(inputs, votes))
