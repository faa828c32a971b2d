"""What is found out about one network: Q1, Q2 and Q4, decided before anything is written down."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from algebra.group import FiniteGroup
from algebra.lattice import SubgroupLattice, subgroups
from net.folded import FoldedNetwork
from verify.compact import CompactResult, prove_compactly
from verify.compare.levels import mechanism
from verify.distil.curve import Distillation, Point, distill
from verify.exact.exhaustive import Evaluation, evaluate, right, smallest_margin
from verify.exact.float32 import float32_proved
from verify.record import certificate as cert

Proof = Literal["auto", "exhaustive", "compact"]
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Findings:
    """Everything that was computed about one network before any of it is written down."""

    network: FoldedNetwork
    lattice: SubgroupLattice
    evaluation: Evaluation
    correct: cert.Correct
    distillation: Distillation
    neurons: tuple[cert.NeuronRecord, ...]
    equivalent: cert.Equivalent
    compact: CompactResult | None
    seconds: dict[str, float]

    @property
    def readable(self) -> Point:
        """The program that the certificate is about."""
        return self.distillation.point("readable")


def investigate(network: FoldedNetwork, group: FiniteGroup, proof: Proof, progress: Progress) -> Findings:
    """Q1, Q2 and Q4 of a network."""
    seconds: dict[str, float] = {}

    def timed(name: str, started: float) -> None:
        seconds[name] = time.perf_counter() - started

    started = time.perf_counter()
    compact = None
    if proof != "exhaustive":
        progress("proving pairs through the coset structure")
        compact = prove_compactly(network)
        timed("compact", started)
    progress("evaluating every pair exactly")
    started = time.perf_counter()
    evaluation = evaluate(network.weights, expected=group.mul)
    correct = decide_correct(network, group, evaluation)
    timed("exhaustive", started)
    if compact is not None and (compact.settled.astype(bool) & ~right(evaluation, group.mul)).any():
        raise AssertionError("the compact proof certified a pair that exact evaluation finds wrong")
    progress("enumerating subgroups")
    started = time.perf_counter()
    lattice = subgroups(group)
    timed("subgroups", started)
    started = time.perf_counter()
    distillation = distill(lattice, network.weights, evaluation, progress)
    point = distillation.point("readable")
    timed("distillation", started)
    started = time.perf_counter()
    neurons = mechanism(distillation.labels, point.written.program, network.weights.exact(), point.written.weights.exact())
    timed("mechanism", started)
    equivalent = decide_equivalent(evaluation, point.evaluation)
    return Findings(network, lattice, evaluation, correct, distillation, neurons, equivalent, compact, seconds)


def answers_digest(evaluation: Evaluation) -> str:
    """SHA-256 of the answer table as big-endian 16-bit integers, row by row, -1 for a tie."""
    return hashlib.sha256(evaluation.answer.astype(">i2").tobytes()).hexdigest()


def decide_correct(network: FoldedNetwork, group: FiniteGroup, evaluation: Evaluation) -> cert.Correct:
    """Q1 from the exact answers, with the smallest margin and the pairs proved for float32."""
    good = right(evaluation, group.mul)
    margin = smallest_margin(network.weights, evaluation, group.mul)
    proved = float32_proved(network, evaluation)
    return cert.Correct(
        status="PROVED" if good.all() else "REFUTED",
        pairs=good.size,
        right=int(good.sum()),
        ties=int((evaluation.answer < 0).sum()),
        wrong=tuple((int(x), int(y), int(evaluation.answer[x, y])) for x, y in np.argwhere(~good)),
        answers_sha256=answers_digest(evaluation),
        min_margin=None if margin is None else cert.rational(margin[0]),
        min_margin_pair=None if margin is None else margin[1],
        float32_any_order=None if proved is None else int((proved & good).sum()),
    )


def decide_equivalent(network: Evaluation, program: Evaluation) -> cert.Equivalent:
    """Q2 from the exact answers of both."""
    differ = np.argwhere(network.answer != program.answer)
    return cert.Equivalent(
        status="REFUTED" if len(differ) else "PROVED",
        pairs=network.answer.size,
        agree=network.answer.size - len(differ),
        differ=tuple((int(x), int(y), int(network.answer[x, y]), int(program.answer[x, y])) for x, y in differ),
        answers_sha256=answers_digest(program),
    )
