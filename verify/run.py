"""From a checkpoint to a verdict: the main job, step by step.

Q1 and Q2 are decided exactly on every pair before anything else is tried; Q3 and Q4 add how and at what cost.
A run's files are written into a temporary directory beside the target, which takes the target's place when all are complete.
"""

import hashlib
import platform
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from algebra.group import FiniteGroup, parse_group
from algebra.subgroups import Subgroups, subgroups
from net.checkpoint import load_network
from net.errors import MalformedInput
from net.folded import FoldedNetwork
from verify import certificate as cert
from verify.compact import CompactResult, prove
from verify.distill import Distillation, Point, distill
from verify.exhaustive import Evaluation, evaluate, right, smallest_margin
from verify.float32 import float32_proved
from verify.gcr import logit_fve
from verify.levels import (
    Comparison,
    compare,
    fve,
    largest_margin_difference,
    mechanism,
    removal_fve,
    surgeries,
)
from verify.moments import activation_moments
from verify.program import group_record
from verify.summary import (
    circuit_rows,
    compact_map,
    families,
    family_members,
    lattice,
    neuron_rows,
    proved_part,
    rounded,
)
from verify.symbolic import SymbolicResult
from verify.symbolic import prove as prove_symbolic

Proof = Literal["auto", "exhaustive", "compact"]
Progress = Callable[[str], None]
#: Level 3 is measured on a sample of x where there are more pairs than this.
COUNTERFACTUAL_PAIRS = 60_000
PACKAGES = ("coset-verify", "numpy", "torch", "sympy", "z3-solver")


@dataclass(frozen=True)
class Result:
    """What a run ends with: the certificate, the summary and the directory that holds the files."""

    certificate: cert.Certificate
    summary: dict[str, Any]
    directory: Path


@dataclass(frozen=True)
class Findings:
    """Everything that was computed about one network before any of it is written down."""

    network: FoldedNetwork
    family: Subgroups
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


def run(
    checkpoint: Path,
    group_name: str,
    out: Path | None = None,
    proof: Proof = "auto",
    timeout_s: float = 60.0,
    order: str | None = None,
    product: str | None = None,
    all_counterfactuals: bool = False,
    progress: Progress = lambda _: None,
) -> Result:
    """Load, decide, distil, prove and write; returns what ``out`` (default proofs/GROUP-SHA8) then holds.

    ``all_counterfactuals`` measures level 3 on all pairs even of a large group. ``timeout_s`` bounds the SMT obligations, all together
    and each one. Raises MalformedInput for a checkpoint that cannot be read or does not fit the group, and for an ``out`` that holds
    something else than an earlier run.
    """
    group = parse_group(group_name)
    network = load_network(checkpoint, group, order, product)
    assert network.source is not None
    target = out or Path("proofs") / f"{group.name}-{network.source.sha256[:8]}"
    _check_target(target)
    findings = investigate(network, group, proof, progress)
    target.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        progress("proving the program symbolically")
        point = findings.readable
        started = time.perf_counter()
        symbolic = prove_symbolic(
            point.written.program, group, point.written.subgroups, network, findings.neurons, work, timeout_s, timeout_s
        )
        findings.seconds["symbolic"] = time.perf_counter() - started
        certificate = certify(findings, symbolic)
        progress("measuring the levels of equivalence")
        summary = summarise(findings, certificate, symbolic, all_counterfactuals)
        progress("writing the report")
        write(work, certificate, summary)
        _replace(work, target)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return Result(certificate, summary, target)


def investigate(network: FoldedNetwork, group: FiniteGroup, proof: Proof, progress: Progress) -> Findings:
    """Q1, Q2 and Q4 of a network."""
    seconds: dict[str, float] = {}

    def timed(name: str, started: float) -> None:
        seconds[name] = time.perf_counter() - started

    started = time.perf_counter()
    compact = None
    if proof != "exhaustive":
        progress("proving pairs through the coset structure")
        compact = prove(network)
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
    family = subgroups(group)
    timed("subgroups", started)
    started = time.perf_counter()
    distillation = distill(family, network.weights, evaluation, progress)
    point = distillation.point("readable")
    timed("distillation", started)
    started = time.perf_counter()
    neurons = mechanism(
        distillation.labels, point.written.program, network.weights.exact(), point.written.weights.exact()
    )
    timed("mechanism", started)
    equivalent = decide_equivalent(evaluation, point.evaluation)
    return Findings(
        network, family, evaluation, correct, distillation, neurons, equivalent, compact, seconds
    )


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


def certify(findings: Findings, symbolic: SymbolicResult) -> cert.Certificate:
    """The certificate of the findings, sealed."""
    network = findings.network
    source, convention = network.source, network.convention
    assert source is not None
    assert convention is not None
    program_right = bool(right(findings.readable.evaluation, network.group.mul).all())
    if symbolic.symbolic.status == "PROVED" and not program_right:
        raise AssertionError("the solver proved a program correct that exact evaluation finds wrong")
    order, width = network.weights.L.shape
    checkpoint = cert.CheckpointRecord(
        sha256=source.sha256,
        format=source.format,
        order=convention.order,
        product="left-first" if convention.product == "left-first" else "right-first",
        numbering=tuple(int(g) for g in convention.numbering),
        width=width,
        parameters=3 * order * width + (order if network.weights.b.any() else 0),
        float32_forward=network.preactivation_terms is not None,
    )
    compact = findings.compact
    return cert.sealed(
        cert.Certificate(
            format=cert.FORMAT,
            verdict=cert.overall_verdict(findings.correct.status, findings.equivalent.status),
            group=group_record(network.group),
            checkpoint=checkpoint,
            program=findings.readable.written.program,
            neurons=findings.neurons,
            correct=findings.correct,
            equivalent=findings.equivalent,
            symbolic=symbolic.symbolic,
            compact=None if compact is None else compact_record(compact, findings.correct),
            versions={name: version(name) for name in PACKAGES} | {"python": platform.python_version()},
        )
    )


def compact_record(compact: CompactResult, correct: cert.Correct) -> cert.Compact:
    """Q4 as the certificate states it: PROVED when every pair was settled, else UNKNOWN, or REFUTED with Q1."""
    certified = int((compact.settled > 0).sum())
    status: cert.Status = "PROVED" if certified == correct.pairs else "UNKNOWN"
    return cert.Compact(
        "REFUTED" if correct.status == "REFUTED" else status,
        certified,
        compact.flops,
        compact.flops_brute,
        tuple(cert.Strategy(s.name, s.certified, s.flops) for s in compact.strategies),
    )


def summarise(
    findings: Findings, certificate: cert.Certificate, symbolic: SymbolicResult, everything: bool
) -> dict[str, Any]:
    """summary.json: the proved figures again, and everything that was measured."""
    network, point = findings.network.weights, findings.readable
    program, expanded = point.written.program, point.written.weights
    seconds = findings.seconds
    labels = findings.distillation.labels
    base = compare(network, expanded, findings.network.group.mul)
    curve = [curve_point(findings, p, base) for p in findings.distillation.points]
    readable = next(p for p in curve if p["name"] == "readable")
    rows = neuron_rows(findings.family, findings.distillation, program, network, expanded)
    energy = sum(label.energy for label in labels) or 1.0
    gcr = logit_fve(findings.network)
    summary = proved_part(certificate)
    summary["correct"] |= {"seconds": seconds["exhaustive"], "rechecked_exactly": findings.evaluation.tiers["exact"]}
    summary |= {
        "network": {
            "width": network.L.shape[1],
            "live": sum(label.kind != "dead" for label in labels),
            "parameters": certificate.checkpoint.parameters,
            "sample_accuracy": findings.network.convention.sample_accuracy if findings.network.convention else None,
        },
        "program": {
            "constants": program.constants,
            "ratio": program.constants / certificate.checkpoint.parameters,
            "refinements": point.refinements,
            "raw_neurons": point.draft.raw_neurons,
            "circuits": len(program.circuits),
            "seconds": seconds["distillation"],
            "neurons": rows,
        },
        "equivalence": {
            "answers_agree": findings.equivalent.agree,
            "logit_fve": base.logit_fve,
            "max_margin_difference": largest_margin_difference(findings.evaluation, point.evaluation),
            "runner_up_agree": base.runner_up_agree,
            "ablation_fve": readable["ablation_fve"],
            "ablation_fve_by_share": readable["ablation_fve_by_share"],
        },
        "curve": curve,
        "counterfactuals": counterfactuals(findings, everything),
        "gcr": {"logit_fve": gcr.total, "irreps": gcr.per_irrep},
        "families": families(findings.family, findings.distillation),
        "circuits": circuit_rows(findings.family, findings.distillation, point),
        "lattice": lattice(findings.family, labels),
        "labels": {
            "energy_labelled": sum(label.energy for label in labels if label.kind not in ("raw", "dead")) / energy,
            "kinds": {kind: sum(label.kind == kind for label in labels) for kind in sorted({x.kind for x in labels})},
        },
        "symbolic": {
            "status": symbolic.symbolic.status,
            "reason": symbolic.symbolic.reason,
            "seconds": seconds["symbolic"],
            "obligations": [
                {
                    "id": o.id,
                    "statement": o.statement,
                    "status": o.status,
                    "seconds": symbolic.seconds.get(o.id, 0.0),
                    "file": o.file,
                }
                for o in symbolic.symbolic.obligations
            ],
        },
        "compact": _compact_summary(findings),
        "seconds": seconds,
    }
    if findings.compact is not None:
        summary["compact_map"] = compact_map(findings.compact.settled, [s.name for s in findings.compact.strategies])
    result: dict[str, Any] = rounded(summary)
    return result


def curve_point(findings: Findings, point: Point, readable: Comparison) -> dict[str, Any]:
    """One program of the curve at levels 1 to 3: removals at three shares, averaged over seeded draws."""
    network, program = findings.network.weights, point.written.weights
    layout = point.written.program
    moments = activation_moments(network, program)
    same = readable if point is findings.readable else compare(network, program, findings.network.group.mul)
    parameters = network.L.size * 3
    removal = removal_fve(network, program, layout, moments)
    return {
        "name": point.name,
        "ratio": layout.constants / parameters,
        "answers_agree": int((point.evaluation.answer == findings.evaluation.answer).sum()),
        "logit_fve": fve(network, program, moments),
        "runner_up_agree": same.runner_up_agree,
        "ablation_fve": float(np.mean(list(removal.values()))),
        "ablation_fve_by_share": removal,
        "preactivation_bits": layout.preactivation_bits,
        "vote_bits": layout.vote_bits,
    }


def counterfactual_rows(order: int, everything: bool) -> npt.NDArray[np.intp]:
    """The x whose pairs level 3 looks at: all, or evenly spaced ones when there are more than ``COUNTERFACTUAL_PAIRS`` pairs."""
    step = 1 if everything else -(-(order**2) // COUNTERFACTUAL_PAIRS)
    return np.arange(0, order, step)


def counterfactuals(findings: Findings, everything: bool) -> list[dict[str, Any]]:
    """Level 3: the same surgery on network and readable program, compared on the pairs of ``counterfactual_rows``."""
    point = findings.readable
    x = counterfactual_rows(findings.network.group.order, everything)
    members = family_members(findings.family, findings.distillation.labels)
    largest = dict(list(members.items())[:3])
    rows = []
    for name, on_network, on_program in surgeries(point.written.program, findings.distillation.labels, largest):
        result = compare(
            on_network(findings.network.weights), on_program(point.written.weights), findings.network.group.mul, x
        )
        rows.append(
            {
                "name": name,
                "pairs": len(x) * findings.network.group.order,
                "network_right": result.network_right,
                "program_right": result.program_right,
                "logit_fve": result.logit_fve,
                "in_top_set": result.in_top_set,
                "answers_agree_clear": result.agree_when_clear,
                "clear": result.clear,
            }
        )
    return rows


def _compact_summary(findings: Findings) -> dict[str, Any] | None:
    compact = findings.compact
    if compact is None:
        return None
    return {
        "certified": int((compact.settled > 0).sum()),
        "flops": compact.flops,
        "flops_brute": compact.flops_brute,
        "seconds": compact.seconds,
        "seconds_brute": findings.seconds["exhaustive"],
        "seconds_search": compact.seconds_search,
        "strategies": [asdict(s) for s in compact.strategies],
        "reason": compact.reason,
    }


def write(directory: Path, certificate: cert.Certificate, summary: dict[str, Any]) -> None:
    """certificate.json, summary.json, program.json, program.py, report.md and figures/."""
    import msgspec

    from reports import write_program, write_report

    (directory / "certificate.json").write_bytes(cert.canonical_bytes(certificate) + b"\n")
    (directory / "summary.json").write_bytes(msgspec.json.format(cert.canonical_bytes(summary), indent=1) + b"\n")
    program = msgspec.json.decode(cert.canonical_bytes(certificate.program))
    (directory / "program.json").write_bytes(cert.canonical_bytes(program) + b"\n")
    write_program(program, directory / "program.py")
    write_report(directory)


def _check_target(target: Path) -> None:
    if target.exists() and not (target.is_dir() and ((target / "certificate.json").exists() or not any(target.iterdir()))):
        raise MalformedInput(f"expected {target} to be new, empty or an earlier run, but it holds something else")


def _replace(work: Path, target: Path) -> None:
    """Put a finished directory in the place of an earlier one."""
    work.chmod(0o755)
    if target.exists():
        shutil.rmtree(target)
    work.rename(target)
