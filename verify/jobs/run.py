"""From a checkpoint to a verdict: the main job, step by step.

Q1 and Q2 are decided exactly on every pair before anything else is tried; Q3 and Q4 add how and at what cost.
A run's files are written into a temporary directory beside the target, which takes the target's place when all are complete.
"""

import platform
import shutil
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from algebra.group import parse_group
from net.checkpoint import load_network
from net.errors import MalformedInput
from verify.exact.exhaustive import right
from verify.findings import Findings, Progress, Proof, investigate
from verify.program.program import group_record
from verify.record import certificate as cert
from verify.record.compact_statement import state_compact
from verify.record.summarise import summarise
from verify.record.summary import Summary, summary_bytes
from verify.symbolic.decide import SymbolicFinding, decide_symbolic
from verify.symbolic.obligation import Obligation, write_scripts
from verify.symbolic.obligations import obligations_of
from verify.symbolic.solver.opinions import Opinion, advice, ask_solvers, checked_budget

PACKAGES = ("coset-verify", "numpy", "torch", "sympy", "z3-solver")


@dataclass(frozen=True)
class Result:
    """What a run ends with: the certificate, the summary and the directory that holds the files."""

    certificate: cert.Certificate
    summary: Summary
    directory: Path


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

    ``all_counterfactuals`` measures level 3 on all pairs even of a large group. ``timeout_s`` is the wall time that SMT solvers get
    for second opinions on the lemmas, 0 for none; no status depends on it. Raises MalformedInput for a checkpoint that cannot be read
    or does not fit the group, and for an ``out`` that holds something else than an earlier run; ValueError for a budget that is no
    number of seconds from 0 to 86,400; SolverDisagrees.
    """
    began = time.perf_counter()
    checked_budget(timeout_s)
    group = parse_group(group_name)
    network = load_network(checkpoint, group, order, product)
    loading = time.perf_counter() - began
    assert network.source is not None
    target = out or Path("proofs") / f"{group.name}-{network.source.sha256[:8]}"
    _check_target(target)
    findings = investigate(network, group, proof, progress)
    findings.seconds["loading"] = loading
    target.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        started = time.perf_counter()
        symbolic = decide_symbolic(
            findings.readable.written, findings.neurons, findings.distillation.labels, network, findings.evaluation, progress
        )
        obligations = obligations_of(symbolic)
        findings.seconds["symbolic_search"] = time.perf_counter() - started
        opinions = _second_opinions(obligations, work, timeout_s, progress)
        findings.seconds["symbolic"] = time.perf_counter() - started - findings.seconds["symbolic_search"]
        certificate = certify(findings, symbolic, obligations)
        progress("measuring the levels of equivalence")
        summary = summarise(findings, certificate, symbolic, obligations, opinions, all_counterfactuals, began)
        progress("writing the report")
        write(work, certificate, summary)
        _replace(work, target)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return Result(certificate, summary, target)


def _second_opinions(
    obligations: tuple[Obligation, ...], work: Path, budget_s: float, progress: Progress
) -> dict[str, dict[str, Opinion]]:
    """Write the lemmas' files below ``work`` and ask the solvers that are installed."""
    write_scripts(obligations, work)
    if budget_s > 0:
        progress(f"asking SMT solvers for second opinions on {len(obligations)} lemmas, at most {budget_s:.0f} s")
        if advice():
            progress(advice())
    return ask_solvers(obligations, work, budget_s)


def certify(findings: Findings, symbolic: SymbolicFinding, obligations: tuple[Obligation, ...]) -> cert.Certificate:
    """The certificate of the findings, sealed."""
    network = findings.network
    source, convention = network.source, network.convention
    assert source is not None
    assert convention is not None
    evaluation = (symbolic.provable or findings.readable).evaluation
    program_right = bool(right(evaluation, network.group.mul).all())
    if symbolic.status == "PROVED" and not program_right:
        raise AssertionError("the lemmas proved a program correct that exact evaluation finds wrong")
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
            symbolic=symbolic_record(symbolic, obligations),
            compact=None if compact is None else state_compact(network.group, network.weights, compact, findings.correct.status),
            not_checked=cert.NotChecked({name: version(name) for name in PACKAGES} | {"python": platform.python_version()}),
        )
    )


def symbolic_record(symbolic: SymbolicFinding, obligations: tuple[Obligation, ...]) -> cert.Symbolic:
    """Q3 as the certificate states it."""
    about = None if symbolic.provable is None else cert.ProvableProgram(symbolic.written.program, symbolic.neurons)
    rows = tuple(cert.Obligation(o.id, o.statement, o.status, o.file, o.sha256) for o in obligations)
    return cert.Symbolic(symbolic.status, symbolic.reason, about, rows)


def write(directory: Path, certificate: cert.Certificate, summary: Summary) -> None:
    """certificate.json, summary.json, program.json, program.py, report.md and figures/; provable.json and .py where there is one."""
    import msgspec

    from reports import write_program, write_report

    (directory / "certificate.json").write_bytes(cert.canonical_bytes(certificate) + b"\n")
    (directory / "summary.json").write_bytes(summary_bytes(summary))
    provable = certificate.symbolic.provable
    for name, program in (("program", certificate.program), ("provable", provable.program if provable else None)):
        if program is not None:
            plain = msgspec.json.decode(cert.canonical_bytes(program))
            (directory / f"{name}.json").write_bytes(cert.canonical_bytes(plain) + b"\n")
            write_program(plain, directory / f"{name}.py")
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
