"""Q3: whether the program is right for all x, y and z, decided by exact integers.

The question is asked about the readable program where the lemmas reach it, as it is or written on cosets (the same function), else
about a provable program where one is found. Programs of squares are not asked about: UNKNOWN.
PROVED: in every case of parities, for every s != 1, the exact minima of the families' lemmas and the constants add up to more than 0
(`proof_outline`). REFUTED: exact evaluation finds a pair that the program gets wrong. UNKNOWN: the bounds found are too weak, or
the checker would not go through tables of this size.
No solver and no time limit decides; `obligations` writes the lemmas for solvers, and `solver` asks them.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import msgspec

from algebra.group import FiniteGroup
from algebra.plural import plural
from net.folded import FoldedNetwork
from net.units import Units
from verify.compare.levels import mechanism
from verify.distil.labels import NeuronLabel
from verify.distil.moment_bank import MomentBank
from verify.exact.exhaustive import Evaluation, correct_pairs, evaluate, smallest_margin
from verify.program.coset_forms import in_coset_forms
from verify.program.form import ON_POINTS
from verify.program.written import Written, rescaled
from verify.record.certificate import NeuronRecord, Status
from verify.symbolic.decomposition import take_apart
from verify.symbolic.distance import Distance, margin_distance
from verify.symbolic.neuron_lemmas import NeuronPush, neuron_pushes
from verify.symbolic.proof_outline import Outline, outline_proof
from verify.symbolic.provable.search import Provable, find_provable
from verify.symbolic.replay import Replay
from verify.symbolic.rescaling import rescaled_outline
from verify.symbolic.settings import DEFAULT, SymbolicSettings

__all__ = ["SymbolicFinding", "decide_symbolic", "rescaled_finding"]


@dataclass(frozen=True, eq=False)
class SymbolicFinding:
    """The answer to Q3 and all that it rests on.

    Attributes:
        status: PROVED, REFUTED or UNKNOWN.
        reason: in words why it is not PROVED; empty when it is.
        counterexample: (x, y, z) with votes(x, y)[z] >= votes(x, y)[xy] and z != xy when REFUTED, else None.
        written: the program that Q3 is about; ``neurons`` are the network's neurons in it.
        outline: dual variables, minima and constants (O1).
        pushes: what each neuron does (O2).
        distance: how far margins of network and program are apart (O3), where that is less than the network's smallest margin: then
            the program's answers follow from the network's. None where the bound says nothing.
        provable: set when ``written`` is not the readable program.

    """

    status: Status
    reason: str
    counterexample: tuple[int, int, int] | None
    written: Written
    neurons: tuple[NeuronRecord, ...]
    outline: Outline
    pushes: tuple[NeuronPush, ...]
    distance: Distance | None
    provable: Provable | None = None

    @property
    def about(self) -> Literal["readable", "provable"]:
        """Which program Q3 is about."""
        return "readable" if self.provable is None else "provable"


def decide_symbolic(
    readable: Written,
    neurons: tuple[NeuronRecord, ...],
    labels: tuple[NeuronLabel, ...],
    network: FoldedNetwork,
    answers: Evaluation,
    progress: Callable[[str], None] = lambda _: None,
    settings: SymbolicSettings = DEFAULT,
    bank: MomentBank | None = None,
) -> SymbolicFinding:
    """The answer to Q3 for a network with this readable program; writes nothing and asks no solver.

    ``neurons`` are the readable program's records, ``answers`` the network's own, ``bank`` the moments that are known already. A
    provable program is looked for when the readable one's bounds do not add up and the network is right on every pair: it would not
    have the network's answers otherwise. Where the readable program reads x and y through single points, the question is asked about
    the same program on cosets (`verify.program.coset_forms`), which then is the provable one.
    """
    group = network.group
    if network.weights.activation == "square":
        return _not_asked(readable, neurons, group, settings)
    progress("planning a symbolic proof")
    on_cosets = in_coset_forms(readable, group)
    outline = outline_proof(take_apart(on_cosets.program, group, on_cosets.subgroups, settings), None, settings, hurried=True)
    if outline.settled and on_cosets is readable:
        return _finding(readable, neurons, network, answers, outline)
    found = None
    if outline.settled:
        found = Provable(on_cosets, evaluate(on_cosets.weights, expected=group.mul), outline)
    elif correct_pairs(answers, group.mul).all():
        found = find_provable(in_coset_forms(readable, group, exact=False), group, network.weights, progress, settings, bank)
    if found is None:
        if on_cosets is not readable or not outline.looked:
            outline = outline_proof(take_apart(readable.program, group, readable.subgroups, settings), None, settings)
        return _finding(readable, neurons, network, answers, outline)
    written = found.written
    records = mechanism(labels, written.program, network.weights.exact(), written.weights.exact())
    return _finding(written, records, network, answers, found.outline, found)


def _not_asked(readable: Written, neurons: tuple[NeuronRecord, ...], group: FiniteGroup, settings: SymbolicSettings) -> SymbolicFinding:
    """UNKNOWN, of a program of squares: the lemmas' bounds rest on relu, which is 0 on one side."""
    empty = msgspec.structs.replace(readable.program, circuits=(), bias=())
    outline = Outline.before_search(take_apart(empty, group, readable.subgroups, settings), None, settings)
    reason = "the lemmas are about relu, and the neurons of this network square what they read"
    return SymbolicFinding("UNKNOWN", reason, None, readable, neurons, outline, (), None)


def _finding(
    written: Written,
    neurons: tuple[NeuronRecord, ...],
    network: FoldedNetwork,
    answers: Evaluation,
    outline: Outline,
    provable: Provable | None = None,
) -> SymbolicFinding:
    status, reason, wrong = decide_outline(outline, written)
    pushes = tuple(neuron_pushes(written.program, network.group, written.subgroups, neurons))
    distance = _distance(written, neurons, network, answers)
    return SymbolicFinding(status, reason, wrong, written, neurons, outline, pushes, distance, provable)


def rescaled_finding(
    finding: SymbolicFinding,
    units: Units,
    neurons: tuple[NeuronRecord, ...],
    network: FoldedNetwork,
    answers: Evaluation,
) -> SymbolicFinding:
    """The finding for the program in other units, given for the network's neurons.

    Status and counterexample are the same, and the lemmas are carried over (`rescaling`). ``neurons``, ``network`` and ``answers`` are
    those in the units of the result; pushes and distance are computed from them.
    """
    written, growth = rescaled(finding.written, units)
    if network.weights.activation == "square":  # nothing was asked
        return replace(finding, written=written, neurons=neurons)
    outline = rescaled_outline(finding.outline, written, 1 << growth)
    provable = finding.provable
    if provable is not None:
        provable = Provable(written, evaluate(written.weights, expected=network.group.mul), outline)
    pushes = tuple(neuron_pushes(written.program, network.group, written.subgroups, neurons))
    distance = _distance(written, neurons, network, answers)
    reason = "" if finding.status == "PROVED" else Replay(outline, written.weights).reason
    return SymbolicFinding(finding.status, reason, finding.counterexample, written, neurons, outline, pushes, distance, provable)


def _distance(written: Written, neurons: tuple[NeuronRecord, ...], network: FoldedNetwork, answers: Evaluation) -> Distance | None:
    """The distance of margins, None where it is no less than the network's smallest margin, and of a program that divides neurons."""
    group = network.group
    indices = [neuron.index for circuit in written.program.circuits for neuron in circuit.neurons]
    if len({*indices}) < len(indices):
        return None  # no record speaks of a neuron's parts
    if not correct_pairs(answers, group.mul).all():
        return None
    least = smallest_margin(network.weights, answers, group.mul)
    distance = margin_distance(written.program, group, written.subgroups, network, neurons)
    return distance if least is not None and distance.whole < least[0] else None


def decide_outline(outline: Outline, written: Written) -> tuple[Status, str, tuple[int, int, int] | None]:
    """Status, reason and counterexample of a program whose proof was outlined.

    Where the bounds do not add up the program is evaluated on every pair; the outline then fails at the case of the wrong pair.
    """
    if outline.settled:
        return "PROVED", "", None
    replay = Replay(outline, written.weights)
    if replay.wrong_case is not None and not outline.too_large:
        outline.fail_at(replay.wrong_case)
    reason = replay.reason
    several = sum(len(c.neurons) for c in written.program.circuits if not {c.left.on, c.right.on}.isdisjoint(ON_POINTS))
    if several and replay.wrong is None and not outline.too_large:
        reason += f"; lemmas bound {plural(several, 'neuron')} adding up over several points by the most that they can do at any pair"
    return ("UNKNOWN" if replay.wrong is None else "REFUTED"), reason, replay.wrong
