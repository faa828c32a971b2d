"""summary.json of a run: the certificate's findings again, and everything that was measured beside them."""

from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from verify.compare.gcr import logit_fve
from verify.compare.levels import Comparison, compare, fve, largest_margin_difference, removal_fve, surgeries
from verify.distil.moments import activation_moments
from verify.exact.exhaustive import Evaluation, right
from verify.findings import Findings
from verify.program.quantise import Written
from verify.record import certificate as cert
from verify.record.summary import (
    class_drawing,
    compact_map,
    families,
    family_members,
    margin_histogram,
    neuron_rows,
    proved_part,
    rounded,
)
from verify.symbolic.decide import SymbolicFinding
from verify.symbolic.obligation import Obligation
from verify.symbolic.solver.opinions import Opinion

#: Level 3 is measured on a sample of x where there are more pairs than this.
COUNTERFACTUAL_PAIRS = 60_000


def summarise(
    findings: Findings,
    certificate: cert.Certificate,
    symbolic: SymbolicFinding,
    obligations: tuple[Obligation, ...],
    opinions: dict[str, dict[str, Opinion]],
    everything: bool,
) -> dict[str, Any]:
    """summary.json: the proved figures again, and everything that was measured."""
    network, group, point = findings.network.weights, findings.network.group, findings.readable
    program, expanded = point.written.program, point.written.weights
    seconds = findings.seconds
    labels = findings.distillation.labels
    base = compare(network, expanded, findings.network.group.mul)
    provable = symbolic.provable
    points = [("provable", provable.written, provable.evaluation)] if provable else []
    points += [(p.name, p.written, p.evaluation) for p in findings.distillation.points]
    curve = [curve_point(findings, *point, base) for point in points]
    readable = next(p for p in curve if p["name"] == "readable")
    rows = neuron_rows(findings.lattice, findings.distillation, program, network, expanded)
    energy = sum(label.energy for label in labels) or 1.0
    gcr = logit_fve(findings.network)
    summary = proved_part(certificate)
    tiers = findings.evaluation.tiers
    summary["correct"] |= {"seconds": seconds["exhaustive"], "rechecked_exactly": tiers["wide"] + tiers["exact"]}
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
        "families": families(findings.lattice, findings.distillation),
        "lattice": class_drawing(findings.lattice, labels),
        "labels": {
            "energy_labelled": sum(label.energy for label in labels if label.kind not in ("raw", "dead")) / energy,
            "kinds": {kind: sum(label.kind == kind for label in labels) for kind in sorted({x.kind for x in labels})},
        },
        "symbolic": {
            "status": symbolic.status,
            "reason": symbolic.reason,
            "seconds": seconds["symbolic"],
            "seconds_search": seconds["symbolic_search"],
            "about": symbolic.about,
            "obligations": [
                {
                    "id": o.id,
                    "statement": o.statement,
                    "status": o.status,
                    "seconds": max((opinion.seconds for opinion in opinions[o.id].values()), default=0.0),
                    "file": o.file,
                    "opinions": {solver: asdict(opinion) for solver, opinion in opinions[o.id].items()},
                }
                for o in obligations
            ],
        },
        "compact": _compact_summary(findings),
        "seconds": seconds,
    }
    if findings.compact is not None:
        summary["compact_map"] = compact_map(findings.compact.settled, [s.name for s in findings.compact.strategies])
        margins = margin_histogram(findings.evaluation, right(findings.evaluation, group.mul), findings.compact.bound)
        summary |= {"margins": margins} if margins else {}
    result: dict[str, Any] = rounded(summary)
    return result


def curve_point(findings: Findings, name: str, written: Written, evaluation: Evaluation, readable: Comparison) -> dict[str, Any]:
    """One program of the curve at levels 1 to 3: removals at three shares, averaged over seeded draws."""
    network, program = findings.network.weights, written.weights
    layout = written.program
    moments = activation_moments(network, program)
    same = readable if written is findings.readable.written else compare(network, program, findings.network.group.mul)
    parameters = network.L.size * 3
    removal = removal_fve(network, program, layout, moments)
    return {
        "name": name,
        "ratio": layout.constants / parameters,
        "answers_agree": int((evaluation.answer == findings.evaluation.answer).sum()),
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
    members = family_members(findings.lattice, findings.distillation.labels)
    largest = dict(list(members.items())[:3])
    rows = []
    for name, on_network, on_program in surgeries(point.written.program, findings.distillation.labels, largest):
        result = compare(on_network(findings.network.weights), on_program(point.written.weights), findings.network.group.mul, x)
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
