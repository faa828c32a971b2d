"""A finding of Q3 as the certificate states it: every number that the checker needs to redo it."""

import numpy as np

from algebra.subgroup import Subgroup
from verify.record import certificate as cert
from verify.symbolic.decide import SymbolicFinding
from verify.symbolic.dual_variables import DualVariables
from verify.symbolic.exact import Exact
from verify.symbolic.families import Case, PointFamily
from verify.symbolic.lines import Lines, choices
from verify.symbolic.proof_outline import Outline

__all__ = ["proof_record", "symbolic_record"]


def symbolic_record(finding: SymbolicFinding) -> cert.Symbolic:
    """The certificate's part about Q3."""
    about = None if finding.provable is None else cert.ProvableProgram(finding.written.program, finding.neurons)
    pushes = tuple(
        cert.SymbolicPush(
            push.index,
            tuple(cert.SymbolicInterval(c, cert.rational(low), cert.rational(high)) for c, (low, high) in push.intervals.items()),
        )
        for push in finding.pushes
    )
    proof = proof_record(finding.outline, finding.written.subgroups) if finding.status == "PROVED" else None
    distance = None if finding.distance is None else cert.rational(finding.distance.whole)
    return cert.Symbolic(finding.status, about, proof, finding.counterexample, pushes, distance)


def proof_record(outline: Outline, subgroups: tuple[Subgroup, ...]) -> cert.SymbolicProof:
    """The proof of an outline in which no s is left; ``subgroups`` are the program's."""
    parts = outline.parts
    return cert.SymbolicProof(
        families=tuple(_family(family, subgroups) for family in parts.families),
        signs=tuple(number for number, _ in parts.signs),
        rest=tuple(cert.SymbolicRest(number, swing) for number, swing in outline.rest),
        bias_rest=tuple(outline.bias[odd] for odd in sorted(outline.bias)),
        cases=tuple(_case(outline, case) for case in outline.batches),
    )


def _family(family: PointFamily, subgroups: tuple[Subgroup, ...]) -> cert.SymbolicFamily:
    number = next(k for k, s in enumerate(subgroups) if (s.mask == family.points.base.mask).all())
    members = tuple(cert.SymbolicMember(m.circuit, m.share, m.point) for m in family.members)
    return cert.SymbolicFamily(number, family.mirrored, members, _bias(family))


def _bias(family: PointFamily) -> tuple[int, ...]:
    """The table of the bias, with zeros for odd z where there are none; empty where the family has none."""
    if family.bias is None:
        return ()
    values = family.bias.copy()
    if not family.points.base.group.parity.any():
        values[..., 1] = 0
    return _flat(values)


def _case(outline: Outline, case: Case) -> cert.SymbolicCase:
    batches, lines = outline.batches[case], outline.lines.get(case, [])
    every = np.flatnonzero(outline.parts.parity == case.s)
    every = every[every != 0]
    sums = [type(batch)(every, batch.duals).totals(outline.constant(case)) for batch in batches]
    if lines:
        sums.append(np.maximum.reduce([some.totals(every, outline.constant(case)) for some in lines]).min(axis=1))
    least = min(int(total) for total in np.maximum.reduce(sums))
    records = tuple(cert.SymbolicBatch(tuple(map(_duals, b.duals)), _ties(outline.parts.families, b.duals)) for b in batches)
    return cert.SymbolicCase(case.x, case.y, case.s, outline.signs[case], least, records, _lines(lines))


def _lines(lines: list[Lines]) -> cert.SymbolicLines | None:
    """The lines by y: of each y those that are not the same as one before."""
    return cert.SymbolicLines(lines[0].unit, choices(lines)) if lines else None


def _duals(duals: DualVariables) -> cert.SymbolicDuals:
    return cert.SymbolicDuals(_flat(duals.mu), _flat(duals.lam) if duals.lam.any() else (), _flat(duals.beta))


def _ties(families: list[PointFamily], duals: list[DualVariables]) -> tuple[cert.SymbolicTie, ...]:
    """The ties as their plain families see them."""
    found = []
    for f, (family, own) in enumerate(zip(families, duals, strict=True)):
        if family.mirrored:
            continue
        for space, values in own.ties:
            twin = next(g for g, other in enumerate(families) if other.mirrored and other.points is space)
            found.append(cert.SymbolicTie(f, twin, _flat(values)))
    return tuple(found)


def _flat(array: Exact) -> tuple[int, ...]:
    return tuple(int(v) for v in array.ravel())
