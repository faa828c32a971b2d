"""From real lists to small integers: as few bits as the logits and the network's answers allow.

Rounding each constant to nearest adds an error of variance 4^-bits / 12 to it. Through the neurons that loses about

    4^-v / 12 * |G| * sum_i E h_i^2     for the votes,      4^-p / 6 * sum_i P(i fires) * |U_i centred|^2     for the preactivations,

of the logits' variance. The search starts at the least p and v that lose at most a given amount each, and adds bits to both
until the program's exact answers are the network's on every pair. The bias has the unit of the product of the two.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
import numpy as np

from algebra.group import FiniteGroup
from algebra.subgroup import Subgroup
from net.weights import ExactWeights, Weights
from verify.distil.coset_fit import Floats
from verify.distil.draft import Draft, firing_rates
from verify.distil.moments import activation_moments
from verify.program.form import Form, GroupForm, linear_map
from verify.program.program import (
    FORMAT,
    Circuit,
    Neuron,
    Program,
    expand,
    group_record,
    subgroup_record,
)

EXTRA_BITS = (0, 1, 2, 4, 7, 12, 20, 34)


@dataclass(frozen=True)
class Written:
    """A program, its group's subgroups in the program's numbering, and its exact weights."""

    program: Program
    subgroups: tuple[Subgroup, ...]
    weights: Weights


def start_bits(weights: Weights, loss: float) -> tuple[int, int]:
    """The least (p, v) of the module's docstring for a draft written out as ``weights`` and a loss of the logits' variance."""
    spread = float((weights.U.var(axis=1) * firing_rates(weights)).sum()) * weights.order
    energy = float(np.diag(activation_moments(weights))[:-1].sum()) * weights.order
    return _least_bits(spread / 6, loss), _least_bits(energy / 12, loss)


def _least_bits(noise: float, loss: float) -> int:
    """The least k >= 0 with noise / 4^k <= loss; 0 where one of them is beyond float64, and more bits are tried anyway."""
    if not (0 < noise < math.inf and 0 < loss < math.inf):
        return 0
    ratio = noise / loss
    least = math.log(ratio, 4) if 0 < ratio < math.inf else (math.log2(noise) - math.log2(loss)) / 2
    return max(0, math.ceil(least))


def _integers(values: Floats, bits: int) -> tuple[int, ...]:
    return tuple(round(math.ldexp(float(value), bits)) for value in values)


def write(draft: Draft, p: int, v: int) -> Written:
    """The draft rounded to nearest: preactivations over 2^p, votes over 2^v, the bias over 2^(p + v).

    Neurons whose votes all round to zero, or that then never fire, are left out, at no loss.
    """
    neurons = [
        Neuron(int(i), _integers(a, p), _integers(b, p), _integers(c, v))
        for i, a, b, c in zip(draft.neurons, draft.left_values, draft.right_values, draft.votes_values, strict=True)
    ]
    bias = _integers(draft.bias, p + v) if draft.bias.any() else ()
    return _assemble(draft, neurons, bias, p, v)


def write_exact(draft: Draft, exact: ExactWeights) -> Written:
    """The draft's neurons with the network's own exact integers; every form must be ``elements``."""
    neurons = [
        Neuron(int(i), tuple(exact.L[:, i].tolist()), tuple(exact.R[:, i].tolist()), tuple(exact.U[i].tolist())) for i in draft.neurons
    ]
    bias = tuple(exact.b.tolist()) if exact.b.any() else ()
    return _assemble(draft, neurons, bias, exact.preactivation_bits, exact.vote_bits)


def writings(draft: Draft, loss: float) -> Iterator[Written]:
    """The draft in more and more bits, from those that lose at most ``loss`` of the logits' variance."""
    p, v = start_bits(draft.weights(), loss)
    for extra in EXTRA_BITS:
        yield write(draft, p + extra, v + extra)


def _assemble(draft: Draft, neurons: list[Neuron], bias: tuple[int, ...], p: int, v: int) -> Written:
    used: dict[Subgroup, int] = {}
    kept = [_matters(draft.lattice.group, *parts) for parts in zip(draft.left, draft.right, neurons, strict=True)]
    for forms in (draft.left, draft.right, draft.votes):
        for form in (form for form, keep in zip(forms, kept, strict=True) if keep):
            for s in (*form.subgroups, *(k for k in form.kernels if k is not None)):
                used.setdefault(s, len(used))
    circuits: dict[tuple[Form, Form, Form], list[Neuron]] = {}
    for left, right, votes, neuron, keep in zip(draft.left, draft.right, draft.votes, neurons, kept, strict=True):
        if not keep:
            continue
        key = (left.numbered(used), right.numbered(used), votes.numbered(used))
        circuits.setdefault(key, []).append(neuron)
    subgroups = tuple(used)
    program = Program(
        FORMAT,
        group_record(draft.lattice.group),
        tuple(subgroup_record(s) for s in subgroups),
        p,
        v,
        bias,
        tuple(Circuit(*key, tuple(members)) for key, members in circuits.items()),
    )
    return Written(program, subgroups, expand(program, draft.lattice.group, subgroups))


def _matters(group: FiniteGroup, left: GroupForm, right: GroupForm, neuron: Neuron) -> bool:
    """Whether a neuron votes at all, and fires at some pair: max l + max r > 0. One that does not is no part of a program."""
    if not any(neuron.votes):
        return False
    top = [
        max(linear_map(group, form).expand(np.array(values, dtype=object)).tolist())
        for form, values in ((left, neuron.left), (right, neuron.right))
    ]
    return bool(sum(top) > 0)


def renumbered(form: Form, used: dict[int, int]) -> Form:
    """The form with subgroup number k called used[k]."""
    kernels = tuple(None if k is None else used[k] for k in form.kernels)
    return Form(form.on, tuple(used[s] for s in form.subgroups), kernels)


def rescaled(written: Written, inputs: int, votes: int) -> Written:
    """The program with preactivations times 2^inputs and votes times 2^votes: by other denominators, and larger integers if need be."""
    program = written.program
    p, v = program.preactivation_bits - inputs, program.vote_bits - votes
    more, further = 1 << max(0, -p), 1 << max(0, -v)

    def times(values: tuple[int, ...], factor: int) -> tuple[int, ...]:
        return tuple(value * factor for value in values)

    circuits = tuple(
        msgspec.structs.replace(
            circuit,
            neurons=tuple(Neuron(n.index, times(n.left, more), times(n.right, more), times(n.votes, further)) for n in circuit.neurons),
        )
        for circuit in program.circuits
    )
    changed = msgspec.structs.replace(
        program,
        preactivation_bits=max(0, p),
        vote_bits=max(0, v),
        bias=times(program.bias, more * further),
        circuits=circuits,
    )
    return Written(changed, written.subgroups, written.weights.scaled(inputs, votes))
