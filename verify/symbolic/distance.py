"""O3: how far the network's margins are from the program's, for all activations within the intervals.

Write h = relu(network's preactivation), k = relu(program's), V = U[i, w] - U[i, z] and v = u_i(w) - u_i(z) for a neuron i and two
outputs w and z. With e the sum of the neuron's left and right deviation and c its votes' deviation,

    |h - k| <= e,   0 <= k <= top,   |v| <= spread,   |V - v| <= 2c      imply      |hV - kv| <= e spread + (top + e) 2c,

because hV - kv = (h - k) v + h (V - v) and relu is 1-Lipschitz. A neuron that the program leaves out contributes at most
top spread of its own. The margin's difference is the sum over the neurons and the difference of the two biases.
"""

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from algebra.group import FiniteGroup
from algebra.subgroup import Subgroup
from net.folded import FoldedNetwork
from net.weights import ExactWeights
from verify.program.program import Program, expand
from verify.record.certificate import NeuronRecord, rational
from verify.symbolic.obligation import Obligation
from verify.symbolic.short_decimals import above
from verify.symbolic.smtlib import between, declared, real, scope, script, total


@dataclass(frozen=True)
class Distance:
    """O3: every margin of network and program differs by at most ``whole``; the neurons' (e, c, top, spread) and all ``bounds``."""

    whole: Fraction
    bounds: dict[str, Fraction]
    neurons: dict[str, tuple[Fraction, Fraction, Fraction, Fraction]]


def margin_distance(
    program: Program,
    group: FiniteGroup,
    subgroups: tuple[Subgroup, ...],
    network: FoldedNetwork,
    neurons: tuple[NeuronRecord, ...],
) -> Distance:
    """The sum of the neurons' bounds and of the biases' difference, each rounded up to a multiple of 2^-20."""
    weights, written = network.weights.exact(), expand(program, group, subgroups).exact()
    order = [neuron.index for circuit in program.circuits for neuron in circuit.neurons]
    column = {index: k for k, index in enumerate(order)}
    bounds: dict[str, Fraction] = {}
    parts: dict[str, tuple[Fraction, Fraction, Fraction, Fraction]] = {}
    for record in neurons:
        if record.left_deviation is None or record.right_deviation is None or record.votes_deviation is None:
            bound = _top(weights, record.index) * _spread(weights.U[record.index], weights.vote_bits)
        else:
            k = column[record.index]
            e = Fraction(record.left_deviation) + Fraction(record.right_deviation)
            c = 2 * Fraction(record.votes_deviation)
            top, spread = _top(written, k), _spread(written.U[k], written.vote_bits)
            bound = e * spread + (top + e) * c
            parts[f"d{record.index}"] = (e, c, top, spread)
        bounds[f"d{record.index}"] = _up(bound)
    bounds["bias"] = _up(_bias(weights, written))
    return Distance(sum(bounds.values(), Fraction(0)), bounds, parts)


def distance_obligation(distance: Distance) -> Obligation:
    """O3 as a script: one check for each neuron of the program, and the sum."""
    lines: list[str] = []
    for name, (e, c, top, spread) in distance.neurons.items():
        lines += scope(_neuron(e, c, top, spread, distance.bounds[name]))
    lines += scope(_sum(distance.bounds, distance.whole))
    differ = f"margins of network and program differ by at most {rational(distance.whole)} (at most {above(distance.whole)})"
    statement = f"For all activations within the intervals, {differ}, less than the network's smallest margin."
    return Obligation("O3-distance", statement, script("QF_NRA", statement, lines), ("unsat",) * lines.count("(check-sat)"))


def _up(bound: Fraction) -> Fraction:
    """The least multiple of 2^-20 that is not below the bound: any larger number is a bound too, and this one can be read."""
    return Fraction(math.ceil(bound * 2**20), 2**20)


def _top(weights: ExactWeights, i: int) -> Fraction:
    """The largest relu(l + r) over all pairs."""
    return Fraction(max(0, int(weights.L[:, i].max()) + int(weights.R[:, i].max())), 1 << weights.preactivation_bits)


def _spread(votes: np.ndarray, bits: int) -> Fraction:
    return Fraction(int(votes.max()) - int(votes.min()), 1 << bits)


def _bias(weights: ExactWeights, written: ExactWeights) -> Fraction:
    """Max - min over z of the difference of the two biases."""
    p, q = (w.preactivation_bits + w.vote_bits for w in (weights, written))
    difference = [Fraction(int(a), 1 << p) - Fraction(int(b), 1 << q) for a, b in zip(weights.b, written.b, strict=True)]
    return max(difference) - min(difference)


def _neuron(e: Fraction, c: Fraction, top: Fraction, spread: Fraction, bound: Fraction) -> list[str]:
    """Variables: f = h - k, k, v and g = V - v."""
    lines = declared(("f", "k", "v", "g"), "Real")
    for name, low, high in (("f", -e, e), ("k", Fraction(0), top), ("v", -spread, spread), ("g", -c, c)):
        lines.append(f"(assert {between(name, low, high)})")
    lines.append("(assert (<= 0.0 (+ k f)))")
    return [*lines, f"(assert (not {between('(- (* (+ k f) (+ v g)) (* k v))', -bound, bound)}))"]


def _sum(bounds: dict[str, Fraction], whole: Fraction) -> list[str]:
    lines = declared(bounds, "Real")
    lines += [f"(assert {between(name, -bound, bound)})" for name, bound in bounds.items()]
    return [*lines, f"(assert (< {real(whole)} {total(list(bounds))}))"]
