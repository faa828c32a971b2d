"""What was found out about a network, and the statements Q1, Q2 and Q4 that a certificate makes of it."""

import hashlib
import platform
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from algebra.group import FiniteGroup
from algebra.lattice import SubgroupLattice
from net.folded import FoldedNetwork
from verify.compact import CompactResult
from verify.distil.curve import Distillation, Point
from verify.exact.exhaustive import Evaluation, correct_pairs, smallest_margin
from verify.exact.float32 import float32_proved
from verify.program.program import group_record
from verify.record import certificate as cert
from verify.record.settings import Settings
from verify.symbolic.decide import SymbolicFinding
from verify.symbolic.evidence import symbolic_record
from verify.symbolic.obligation import Obligation

PACKAGES = ("coset-verify", "numpy", "torch", "sympy", "z3-solver")


@dataclass(frozen=True)
class Findings:
    """Everything that was found out about one network, before any of it is written down.

    Attributes:
        network: in the group's own numbering.
        lattice: all subgroups of its group.
        evaluation: its exact answers.
        correct: Q1.
        distillation: the neurons' labels and the programs.
        neurons: the neurons' records in the readable program.
        equivalent: Q2, about the readable program.
        symbolic: the proof behind Q3.
        obligations: its lemmas as files for SMT solvers.
        compact: the proof behind Q4, or None where none was asked for.
        compact_statement: Q4, or None.
        seconds: what each part took, by name.
        settings: those of the searches.

    """

    network: FoldedNetwork
    lattice: SubgroupLattice
    evaluation: Evaluation
    correct: cert.Correct
    distillation: Distillation
    neurons: tuple[cert.NeuronRecord, ...]
    equivalent: cert.Equivalent
    symbolic: SymbolicFinding
    obligations: tuple[Obligation, ...]
    compact: CompactResult | None
    compact_statement: cert.Compact | None
    seconds: Mapping[str, float]
    settings: Settings

    @property
    def readable(self) -> Point:
        """The program that the certificate is about."""
        return self.distillation.point("readable")


def answers_digest(evaluation: Evaluation) -> str:
    """SHA-256 of the answer table as big-endian 16-bit integers, row by row, -1 for a tie."""
    return hashlib.sha256(evaluation.answer.astype(">i2").tobytes()).hexdigest()


def decide_correct(network: FoldedNetwork, group: FiniteGroup, evaluation: Evaluation) -> cert.Correct:
    """Q1 from the exact answers, with the smallest margin and the pairs proved for float32."""
    good = correct_pairs(evaluation, group.mul)
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


def checkpoint_record(network: FoldedNetwork) -> cert.CheckpointRecord:
    """Which file the network comes from, and how its numbering maps to the group; it comes from a file and has a convention."""
    source, convention = network.source, network.convention
    assert source is not None
    assert convention is not None
    order, width = network.weights.L.shape
    return cert.CheckpointRecord(
        sha256=source.certified_sha256,
        format=source.format,
        order=convention.order,
        product="left-first" if convention.product == "left-first" else "right-first",
        numbering=tuple(int(g) for g in convention.numbering),
        width=width,
        parameters=3 * order * width + (order if network.weights.b.any() else 0),
        float32_forward=network.preactivation_terms is not None,
        reading=source.reading,
        activation_taken=source.activation_taken,
    )


def certify(findings: Findings) -> cert.Certificate:
    """The certificate of the findings, sealed. The network comes from a file and has a convention."""
    network = findings.network
    source = network.source
    assert source is not None
    symbolic = findings.symbolic
    evaluation = (symbolic.provable or findings.readable).evaluation
    program_right = bool(correct_pairs(evaluation, network.group.mul).all())
    if symbolic.status == "PROVED" and not program_right:
        raise AssertionError("the lemmas proved a program correct that exact evaluation finds wrong")
    return cert.sealed(
        cert.Certificate(
            format=cert.FORMAT,
            verdict=cert.overall_verdict(findings.correct.status, findings.equivalent.status),
            group=group_record(network.group),
            checkpoint=checkpoint_record(network),
            program=findings.readable.written.program,
            neurons=findings.neurons,
            correct=findings.correct,
            equivalent=findings.equivalent,
            symbolic=symbolic_record(symbolic),
            compact=findings.compact_statement,
            not_checked=cert.NotChecked(
                versions(),
                tuple(cert.Obligation(o.file, o.sha256) for o in findings.obligations),
                None if source.rewritten is None else cert.Original(source.path.name, source.sha256),
            ),
        )
    )


_version = cache(version)  # which reads the package's description each time


def versions() -> dict[str, str]:
    """The versions of Python and of the packages, those that are installed, that a run's result may owe something to."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        with suppress(PackageNotFoundError):
            found[name] = _version(name)
    return found
