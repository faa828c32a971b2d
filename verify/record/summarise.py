"""From everything that a run found to summary.json: the proved figures again, and everything that is measured beside them."""

import time
from collections.abc import Mapping
from typing import Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from algebra.errors import GroupError
from algebra.lattice import SubgroupLattice
from net.folded import FoldedNetwork
from net.weights import Weights, dead_neurons
from verify.compact import CompactResult
from verify.compare.comparison import compare
from verify.compare.gcr import LogitFve, logit_fve
from verify.compare.levels import (
    fve,
    largest_margin_difference,
    margins_at,
    removal_fve,
    runner_up_agreement,
    surgeries,
    varying_fve,
)
from verify.distil.coset_fit import Floats
from verify.distil.curve import Distillation, Point
from verify.distil.labels import NeuronLabel
from verify.exact.exhaustive import Evaluation, correct_pairs
from verify.program.written import Written
from verify.record import summary as s
from verify.record.certificate import Certificate
from verify.record.explain import explained, structured_positions
from verify.record.grids import compact_map, least_in_squares, margin_histogram, margin_map
from verify.record.neuron_rows import circuit_rows, family_rows, labels_summary, lattice_summary, neuron_rows, program_families
from verify.record.settings import Settings
from verify.record.vote_tables import vote_tables
from verify.symbolic.decide import SymbolicFinding
from verify.symbolic.obligation import Obligation
from verify.symbolic.solver.opinions import Opinion

#: Level 3 is measured for some x only where there are more pairs than this.
COUNTERFACTUAL_PAIRS = 30_000
#: How many families are removed, one at a time.
FAMILIES_REMOVED = 3
#: What summary.json calls figures of a comparison that it names otherwise.
NAMES = {"agree_when_clear": "answers_agree_clear"}
#: How many wrong pairs summary.json lists.
WRONG_LISTED = 1000


class Parts(Protocol):
    """What a summary is made of; ``seconds`` holds the wall time of each step so far."""

    @property
    def network(self) -> FoldedNetwork: ...  # noqa: D102
    @property
    def lattice(self) -> SubgroupLattice: ...  # noqa: D102
    @property
    def evaluation(self) -> Evaluation: ...  # noqa: D102
    @property
    def distillation(self) -> Distillation: ...  # noqa: D102
    @property
    def compact(self) -> CompactResult | None: ...  # noqa: D102
    @property
    def seconds(self) -> Mapping[str, float]: ...  # noqa: D102
    @property
    def settings(self) -> Settings: ...  # noqa: D102


def summarise(
    parts: Parts,
    certificate: Certificate,
    symbolic: SymbolicFinding,
    obligations: tuple[Obligation, ...],
    everything: bool,
) -> s.Summary:
    """The summary of a run, rounded, before solvers are heard (`with_opinions`).

    With ``everything`` level 3 is measured on all pairs of a large group too.
    Complexity: O(|G|^2 m |G|) for each program of the curve and each intervention.
    """
    began = time.perf_counter()
    weights, lattice, labels = parts.network.weights, parts.lattice, parts.distillation.labels
    readable = parts.distillation.point("readable")
    programs = _programs(parts, symbolic)
    points = [_curve_point(parts, certificate.checkpoint.parameters, *program) for program in programs]
    place = next(k for k, point in enumerate(points) if point.name == "readable")
    point, beside = points[place], programs[place][3]
    labelled = labels_summary(labels)
    gcr = _gcr(parts.network, parts.distillation.moments)
    made = s.Summary(
        group=s.Group(certificate.group.name, certificate.group.order),
        checkpoint=_checkpoint(certificate),
        verdict=certificate.verdict,
        explained=_explained(parts, certificate, readable.written, beside, labelled.energy_labelled),
        correct=_correct(parts, certificate),
        network=_network(parts, certificate),
        program=_program(parts, certificate, readable),
        equivalence=s.Equivalence(
            answers_agree=certificate.equivalent.agree,
            logit_fve=point.logit_fve,
            max_margin_difference=largest_margin_difference(
                (weights, parts.evaluation), (readable.written.weights, readable.evaluation)
            ),
            runner_up_agree=runner_up_agreement(parts.evaluation, readable.evaluation),
            ablation_fve=point.ablation_fve,
            ablation_fve_by_share=point.ablation_fve_by_share,
        ),
        curve=points,
        counterfactuals=counterfactuals(parts.lattice, parts.distillation.labels, readable.written, parts.network.weights, everything),
        gcr=s.Gcr(gcr.total, dict(gcr.per_irrep)) if gcr else s.Gcr(None, {}),
        families=family_rows(lattice, readable.written, labels),
        circuits=(rows := circuit_rows(lattice, readable.written, labels)),
        vote_tables=vote_tables(parts.network.group, readable.written, rows),
        lattice=lattice_summary(lattice, labels),
        labels=labelled,
        symbolic=_symbolic(parts, symbolic, obligations),
        compact=_compact(parts),
        compact_map=None if parts.compact is None else compact_map(parts.compact.settled, [x.name for x in parts.compact.strategies]),
        margins=_margins(parts),
        margin_map=sharp_margin_map(weights, parts.evaluation, correct_pairs(parts.evaluation, parts.network.group.mul)),
        settings=parts.settings,
        seconds=dict(parts.seconds) | {"measuring": time.perf_counter() - began},
    )
    return s.rounded(made)


def with_opinions(measured: s.Summary, opinions: Mapping[str, Mapping[str, Opinion]], seconds: Mapping[str, float]) -> s.Summary:
    """The summary with what solvers say about the obligations, by id and by the solver's name; ``measured`` stays as it is.

    ``seconds`` are those of what was done since ``measured``: ``symbolic``, in which solvers were waited for, and the ``total``.
    """
    change = msgspec.structs.replace
    rows = []
    for row in measured.symbolic.obligations:
        heard = {name: s.OpinionRow(x.word, _digits(x.seconds), x.detail) for name, x in opinions.get(row.id, {}).items()}
        rows.append(change(row, opinions=heard, seconds=max((x.seconds for x in heard.values()), default=0.0)))
    steps = measured.seconds | {name: _digits(value) for name, value in seconds.items()}
    return change(measured, symbolic=change(measured.symbolic, obligations=rows, seconds=steps["symbolic"]), seconds=steps)


def _digits(seconds: float) -> float:
    return s.six_digits(seconds) or 0.0


def _gcr(network: FoldedNetwork, moments: Floats) -> LogitFve | None:
    """What the rival account by irreps explains; None where the character table takes too much memory."""
    try:
        return logit_fve(network, moments)
    except GroupError:
        return None


def _checkpoint(certificate: Certificate) -> s.Checkpoint:
    record = certificate.checkpoint
    return s.Checkpoint(record.sha256, record.format, record.order, record.product)


def _correct(parts: Parts, certificate: Certificate) -> s.Correct:
    correct = certificate.correct
    return s.Correct(
        status=correct.status,
        pairs=correct.pairs,
        right=correct.right,
        ties=correct.ties,
        wrong=[list(row) for row in correct.wrong[:WRONG_LISTED]],
        min_margin=correct.min_margin,
        float32_any_order=correct.float32_any_order,
        **rechecked(parts.evaluation),
        seconds=parts.seconds["exhaustive"],
    )


def rechecked(evaluation: Evaluation) -> dict[str, int]:
    """How many pairs floats did not decide, and of these how many were left to single outputs in Python's integers."""
    return {"rechecked_exactly": evaluation.tiers["wide"] + evaluation.tiers["exact"], "last_tier": evaluation.tiers["exact"]}


def _network(parts: Parts, certificate: Certificate) -> s.Network:
    convention = parts.network.convention
    return s.Network(
        width=parts.network.weights.width,
        live=int((~dead_neurons(parts.network.weights)).sum()),
        parameters=certificate.checkpoint.parameters,
        sample_accuracy=convention.sample_accuracy if convention else None,
    )


def _program(parts: Parts, certificate: Certificate, readable: Point) -> s.ProgramFigures:
    program = readable.written.program
    return s.ProgramFigures(
        constants=program.constants,
        ratio=program.constants / certificate.checkpoint.parameters,
        refinements=readable.refinements,
        raw_neurons=readable.draft.raw_neurons,
        circuits=len(program.circuits),
        seconds=parts.seconds["distillation"],
        neurons=neuron_rows(parts.lattice, parts.distillation.labels, readable.written, parts.network.weights),
    )


def _explained(parts: Parts, certificate: Certificate, written: Written, moments: Floats, energy_labelled: float) -> s.Explained:
    """Price, variance and structure: `verify.record.explain`. ``moments`` are those of network and program side by side."""
    weights, program = parts.network.weights, written.program
    kept = np.array(structured_positions(program), dtype=np.intp)
    rows = np.concatenate([np.arange(weights.width), weights.width + kept, [len(moments) - 1]])
    variance = varying_fve(weights, written.weights.select(kept), moments[np.ix_(rows, rows)])
    live = int((~dead_neurons(weights)).sum())
    parameters = certificate.checkpoint.parameters - 3 * weights.order * (weights.width - live)  # a bias is among them
    prime = parts.lattice.complete and len(parts.lattice.classes) == 2
    return explained(program.constants, parameters, s.six_digits(variance), energy_labelled, prime, dead=live < weights.width)


def _programs(parts: Parts, symbolic: SymbolicFinding) -> list[tuple[str, Written, Evaluation, Floats]]:
    """All programs of the run by name, the provable one first, with the moments of the network and the program side by side."""
    provable = symbolic.provable
    found: list[tuple[str, Written, Evaluation, Floats]] = []
    if provable:
        found.append(("provable", provable.written, provable.evaluation, parts.distillation.moments_beside(provable.written)))
    for point in parts.distillation.points:
        known = next((moments for _, written, _, moments in found if written is point.written), None)  # one program with two names
        moments = parts.distillation.moments_beside(point.written) if known is None else known
        found.append((point.name, point.written, point.evaluation, moments))
    return found


def _curve_point(parts: Parts, parameters: int, name: str, written: Written, evaluation: Evaluation, moments: Floats) -> s.CurvePoint:
    """One program of the curve at levels 1 to 3: removals at three shares, averaged over seeded draws.

    ``parameters`` are the certificate's: a bias that all outputs share is among them, though no search looks at it.
    """
    network, program, layout = parts.network.weights, written.weights, written.program
    removal = removal_fve(network, program, layout, moments)
    named = name in ("readable", "faithful", "provable")
    return s.CurvePoint(
        name=name,
        ratio=layout.constants / parameters,
        answers_agree=int((evaluation.answer == parts.evaluation.answer).sum()),
        logit_fve=fve(network, program, moments),
        runner_up_agree=runner_up_agreement(parts.evaluation, evaluation) if named else None,
        ablation_fve=float(np.mean(list(removal.values()))),
        ablation_fve_by_share=dict(removal),
        preactivation_bits=layout.preactivation_bits,
        vote_bits=layout.vote_bits,
    )


def counterfactual_rows(order: int, everything: bool) -> npt.NDArray[np.intp]:
    """The x whose pairs level 3 looks at: all, or as many as make ``COUNTERFACTUAL_PAIRS`` pairs, drawn with seed 0."""
    if everything or order**2 <= COUNTERFACTUAL_PAIRS:
        return np.arange(order)
    return np.sort(np.random.default_rng(0).permutation(order)[: max(1, COUNTERFACTUAL_PAIRS // order)])


def counterfactuals(
    lattice: SubgroupLattice, labels: tuple[NeuronLabel, ...], written: Written, network: Weights, everything: bool
) -> list[s.Counterfactual]:
    """Level 3: the same intervention on network and readable program, compared on the pairs of ``counterfactual_rows``."""
    group = lattice.group
    x = counterfactual_rows(group.order, everything)
    rows = []
    for name, on_network, on_program in surgeries(written.program, network.width, largest_families(lattice, labels, written)):
        result = compare(on_network(network), on_program(written.weights), group.mul, x)
        rows.append(
            s.Counterfactual(
                name=name,
                pairs=len(x) * group.order,
                network_right=result.network_right,
                program_right=result.program_right,
                logit_fve=result.logit_fve,
                in_top_set=result.in_top_set,
                answers_agree_clear=result.agree_when_clear,
                clear=result.clear,
                between={NAMES.get(name, name): share for name, share in result.between.items() if name != "answers_agree"},
                not_known=[NAMES.get(name, name) for name in result.not_known if name != "answers_agree"],
            )
        )
    return rows


def largest_families(lattice: SubgroupLattice, labels: tuple[NeuronLabel, ...], written: Written) -> dict[str, list[int]]:
    """The neurons of the families with most energy, largest first."""
    found = program_families(lattice, written)
    rows = family_rows(lattice, written, labels)[:FAMILIES_REMOVED]
    return {row.name: [neuron.index for circuit in found[row.name] for neuron in circuit.neurons] for row in rows}


def sharp_margin_map(weights: Weights, evaluation: Evaluation, good: npt.NDArray[np.bool_]) -> s.MarginMap:
    """The map of margins, those that it shows as float64 knows them: float32 may have decided the pairs with few digits of a lead."""
    least, margins = least_in_squares(evaluation.margin, good), evaluation.margin.copy()
    if len(least):
        low, high = (bound.ravel()[least] for bound in (evaluation.margin_low, evaluation.margin_high))
        margins.ravel()[least] = np.clip(margins_at(weights, *np.divmod(least, weights.order)), low, high)
    return margin_map(margins, good)


def _margins(parts: Parts) -> s.Margins | None:
    if parts.compact is None:
        return None
    return margin_histogram(parts.evaluation.margin, correct_pairs(parts.evaluation, parts.network.group.mul), parts.compact.bound)


def _symbolic(parts: Parts, symbolic: SymbolicFinding, obligations: tuple[Obligation, ...]) -> s.SymbolicFigures:
    rows = [
        s.ObligationRow(id=one.id, statement=one.statement, status=one.status, seconds=0.0, file=one.file, opinions={})
        for one in obligations
    ]
    return s.SymbolicFigures(
        status=symbolic.status,
        reason=symbolic.reason,
        seconds=0.0,
        seconds_search=parts.seconds["symbolic_search"],
        about="provable" if symbolic.provable else "readable",
        obligations=rows,
    )


def _compact(parts: Parts) -> s.CompactFigures | None:
    compact = parts.compact
    if compact is None:
        return None
    return s.CompactFigures(
        certified=compact.certified,
        flops=compact.flops,
        flops_brute=compact.flops_brute,
        seconds=compact.seconds,
        seconds_brute=parts.seconds["exhaustive"],
        seconds_search=compact.seconds_search,
        strategies=[s.StrategyRow(x.name, x.certified, x.flops, x.seconds) for x in compact.strategies],
        reason=compact.reason,
    )
