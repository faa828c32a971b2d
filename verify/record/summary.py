"""summary.json as a type: the figures of a run, proved ones repeated from the certificate and measured ones beside them.

A stable interface for other programs: a name that exists stays, and keeps its meaning; ``format`` changes when one must go.
Floats are rounded to six significant digits and never up to 1. Shares lie between 0 and 1; a variance explained (``_fve``) may be
negative, when the program's logits are farther from the network's than none would be, and None where there is no variance to explain.
Times are here and nowhere else: the certificate has none. docs/numbers.md says how each number is checked.
"""

import math
from fractions import Fraction
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np

from verify.record.certificate import Kind, Status, Verdict
from verify.record.settings import Settings

FORMAT = "coset-verify summary 2"

ExplainedStatus = Literal["explained", "in part", "not explained"]


class Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The group's name and number of elements."""

    name: str
    order: int


class Checkpoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which file, and how it was read; the same words as in the certificate."""

    sha256: str
    format: str
    order: str
    product: str


class Explained(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the explanation is worth: see `verify.record.explain` for the definition of each status.

    ``ratio`` is the program's integers over the folded parameters of the neurons that matter, ``logit_fve`` the share of the logits'
    variance that its circuits on cosets explain alone, ``energy_labelled`` as in ``labels``. ``words`` is one sentence.
    """

    status: ExplainedStatus
    ratio: float | None
    logit_fve: float | None
    energy_labelled: float
    words: str


class Correct(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Q1 as in the certificate, with at most the first thousand wrong pairs as [x, y, answer].

    ``rechecked_exactly`` counts the pairs that float arithmetic left open, ``last_tier`` those of them that only
    Python's integers decided. ``seconds`` is the time of the answers, the smallest margin and the float32 statement.
    """

    status: Status
    pairs: int
    right: int
    ties: int
    wrong: list[list[int]]
    min_margin: str | None
    float32_any_order: int | None
    rechecked_exactly: int
    last_tier: int
    seconds: float


class Network(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Hidden units, those of them that can change an answer, folded parameters, and the convention's accuracy on its sample."""

    width: int
    live: int
    parameters: int
    sample_accuracy: float | None


class NeuronRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One neuron: its label, its share of all energy, and what the readable program leaves of it.

    ``left`` and ``right`` are the label's subgroups, ``left_share`` and ``right_share`` the shares of the variance of L[:, i] and
    R[:, i] that the label's cosets explain. ``left_residual`` and so on are Var(network - program) / Var(network) over the group, None
    for a neuron that the program leaves out; ``votes_share`` is 1 - ``votes_residual``. ``irreps`` are the irreps that hold at least
    one per cent of the power of U[i], with their shares.
    """

    index: int
    kind: Kind
    left: str | None
    right: str | None
    left_share: float | None
    right_share: float | None
    energy_share: float
    irreps: list[tuple[str, float]]
    left_residual: float | None
    right_residual: float | None
    votes_residual: float | None
    votes_share: float | None


class ProgramFigures(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The readable program: its price and its neurons.

    ``ratio`` is ``constants`` over the network's folded parameters; ``raw_neurons`` have a form on single elements; ``circuits``
    counts those of program.json; ``seconds`` is the time of the whole distillation.
    """

    constants: int
    ratio: float
    refinements: int
    raw_neurons: int
    circuits: int
    seconds: float
    neurons: list[NeuronRow]


class Equivalence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Network against readable program.

    ``answers_agree`` (proved) counts pairs with the same answer; the others are measured on all pairs: ``logit_fve`` of the centred
    logits, the share of pairs with the same runner-up, the largest difference of the two margins where the answers agree, and
    ``ablation_fve`` after removals of circuits: the mean over shares and draws, and the mean over draws for each share.
    """

    answers_agree: int
    logit_fve: float | None
    max_margin_difference: float | None
    runner_up_agree: float
    ablation_fve: float | None
    ablation_fve_by_share: dict[str, float | None]


class CurvePoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One program of the price curve, with the figures of ``equivalence``; ``runner_up_agree`` of those that have a name alone."""

    name: str
    ratio: float
    answers_agree: int
    logit_fve: float | None
    runner_up_agree: float | None
    ablation_fve: float | None
    ablation_fve_by_share: dict[str, float | None]
    preactivation_bits: int
    vote_bits: int


class Counterfactual(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The same intervention on network and readable program, on ``pairs`` pairs: all, or all y for x drawn at random (seed 0).

    Shares of these pairs: ``network_right`` and ``program_right``; ``in_top_set``, the network's answer being within a near tie of the
    program's best, or both having a tie, which is no answer; ``clear``, neither side having a tie or a near one; and of those
    ``answers_agree_clear`` (None where there are none). Figures that rounding could change, since float64 with its bounds leaves pairs
    open and there are too many for integers, are None: ``between`` has the least and the greatest value of these by name, and
    ``not_known`` names those for which they are more than 0.1 apart.
    """

    name: str
    pairs: int
    network_right: float | None
    program_right: float | None
    logit_fve: float | None
    in_top_set: float | None
    answers_agree_clear: float | None
    clear: float | None
    between: dict[str, tuple[float, float]] = {}
    not_known: list[str] = []


class Gcr(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rival description by irreducible representations: shares of the logits' variance, in all and for each irrep.

    Empty for a group with more conjugacy classes than character tables are made for.
    """

    logit_fve: float | None
    irreps: dict[str, float | None]


class Family(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The circuits of the readable program that read x and y through the same classes of subgroups, up to sign.

    ``circuits`` and ``neurons`` add up over the families to those of the program, ``energy_share`` to the energy of its neurons.
    ``grid`` is there where each circuit reads x through one subgroup and y through one.
    """

    name: str
    circuits: int
    neurons: int
    energy_share: float
    grid: "FamilyGrid | None"


class FamilyGrid(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which pairs (H, K) a family's circuits read x and y through: ``neurons[r][c]`` of them through ``rows[r]`` and ``columns[c]``.

    ``rows`` and ``columns`` are all subgroups of the classes that occur; ``covered`` of the ``possible`` pairs have a neuron.
    """

    rows: list[str]
    columns: list[str]
    neurons: list[list[int]]
    covered: int
    possible: int


class CircuitRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A circuit of the readable program by its number in program.py, from 1: its family, neurons and share of all energy."""

    number: int
    family: str
    neurons: int
    energy_share: float


class VoteTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that one circuit says: ``votes[p][q][d]`` for x of row p, y of column q and z of kind d, over 2^(sum of the program's bits).

    A row holds the elements that no left function of the circuit tells apart, and is given by the least of them; so are columns (right
    functions) and kinds (votes). ``products[p][q]`` is the kind of xy where all x and y of the cell have the same, else None.
    """

    circuit: int
    rows: list[int]
    columns: list[int]
    kinds: list[int]
    products: list[list[int | None]]
    votes: list[list[list[int]]]


class LatticeNode(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A conjugacy class of ``length`` subgroups of one order; ``used`` neurons have it in their label.

    ``x`` and ``layer`` are its place in the drawing, layers counted from the trivial subgroup.
    """

    name: str
    order: int
    length: int
    used: int
    x: float
    layer: int


class Lattice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The Hasse diagram of the classes; ``routes`` are the points (x, layer) that the drawing of each edge runs through.

    ``complete`` is false where the group has too many subgroups to list, and these are some of them.
    """

    nodes: list[LatticeNode]
    edges: list[tuple[int, int]]
    routes: list[list[tuple[float, int]]]
    complete: bool = True


class Labels(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The share of energy in neurons with a label other than raw, and how many neurons have which kind."""

    energy_labelled: float
    kinds: dict[str, int]


class OpinionRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one solver says about an obligation, after how many seconds, and why where it does not say."""

    word: str
    seconds: float
    detail: str


class ObligationRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One obligation of Q3, decided in exact integers, and the solvers' opinions by name; ``seconds`` of the slowest one."""

    id: str
    statement: str
    status: Status
    seconds: float
    file: str
    opinions: dict[str, OpinionRow]


class SymbolicFigures(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Q3: about which program, the seconds of deciding it (``seconds_search``) and of waiting for solvers (``seconds``)."""

    status: Status
    reason: str
    seconds: float
    seconds_search: float
    about: Literal["readable", "provable"]
    obligations: list[ObligationRow]


class StrategyRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One strategy of the compact proof: pairs that no earlier one had settled, FLOPs and seconds."""

    name: str
    certified: int
    flops: int
    seconds: float


class CompactFigures(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Q4: pairs settled, FLOPs, seconds of the check and of the search; beside them brute force in the same run."""

    certified: int
    flops: int
    flops_brute: int
    seconds: float
    seconds_brute: float
    seconds_search: float
    strategies: list[StrategyRow]
    reason: str


class CompactMap(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The pairs on a grid: ``rows[r][c]`` is the largest number (from 1, in ``names``) of a strategy that a pair of the cell needed."""

    names: list[str]
    rows: list[list[int]]


class Margins(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many right pairs have which margin (measured, on all of them), and how many pairs which proved lower bound."""

    edges: list[float]
    network: list[int]
    bound: list[int]


class MarginMap(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The pairs on a grid of squares with ``step`` elements on a side: the least margin (measured) of the right pairs of each square.

    None stands where no pair of the square is right.
    """

    step: int
    rows: list[list[float | None]]


class Theorem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The theorem about the network in a Coq project: what Theorem.v states. Whether coqc accepted it is not recorded here.

    ``name`` says which: of a network that is right everywhere, or but for ``mistakes`` pairs. ``directory`` is relative to the run's.
    """

    name: Literal["multiplies", "multiplies_except"]
    directory: str
    mistakes: int


class Summary(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """summary.json. ``theorem`` is added by `verify export coq`."""

    group: Group
    checkpoint: Checkpoint
    verdict: Verdict
    explained: Explained
    correct: Correct
    network: Network
    program: ProgramFigures
    equivalence: Equivalence
    curve: list[CurvePoint]
    counterfactuals: list[Counterfactual]
    gcr: Gcr
    families: list[Family]
    circuits: list[CircuitRow]
    vote_tables: list[VoteTable]
    lattice: Lattice
    labels: Labels
    symbolic: SymbolicFigures
    compact: CompactFigures | None
    compact_map: CompactMap | None
    margins: Margins | None
    margin_map: MarginMap | None
    settings: Settings
    seconds: dict[str, float]
    format: str = FORMAT
    theorem: Theorem | None = None


def rounded(summary: Summary) -> Summary:
    """The summary with every measured float rounded to six significant digits, and None in place of NaN and infinity."""
    found = msgspec.convert(_rounded(msgspec.to_builtins(summary, enc_hook=_plain)), Summary)
    return msgspec.structs.replace(found, settings=summary.settings)


def _plain(value: object) -> int | float:
    """A NumPy number as Python's own."""
    if isinstance(value, np.integer | np.floating):
        return int(value) if isinstance(value, np.integer) else float(value)
    raise TypeError(f"expected a number, got {type(value).__name__}")


def _rounded(value: object) -> object:
    if isinstance(value, dict):
        return {key: _rounded(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(part) for part in value]
    return six_digits(value) if isinstance(value, float) else value


def six_digits(value: float) -> float | None:
    """Six significant digits; what is less than 1 stays less than 1, so that a share of 1 is all of it."""
    if not math.isfinite(value):
        return None
    near = float(f"{value:.6g}")
    return 0.999999 if near >= 1 > value else near


def approximate(number: str) -> float:
    """An exact "p/q" or "p" as the nearest float, and infinity with its sign beyond all of them."""
    fraction = Fraction(number)
    try:
        return float(fraction)
    except OverflowError:
        return math.inf if fraction > 0 else -math.inf


def in_float64(number: str | None) -> float | None:
    """An exact number as the nearest float; None of None, and where that is infinite, or 0 for what is not 0."""
    near = None if number is None else approximate(number)
    return None if near is None or math.isinf(near) or (near == 0 and Fraction(str(number))) else near


def summary_bytes(summary: Summary) -> bytes:
    """summary.json: indented JSON, fields in the order of the types and dictionary keys sorted."""
    return msgspec.json.format(msgspec.json.encode(summary, order="deterministic"), indent=1) + b"\n"


def read_summary(path: Path) -> Summary:
    """The summary in a file; msgspec.ValidationError names the path of what does not fit the type."""
    return msgspec.json.decode(path.read_bytes(), type=Summary)
