"""A proof of a program carried over to the program in other units.

In other units (`net.units`) a program is written over other denominators, with integers times powers of two: those of a neuron's pushes
times 2^a, those of its votes times 2^c, those of the bias times 2^g, where g = a + c for every neuron (`verify.program.written`). So
every table T of (1) in `families`, and every constant, is what it was times 2^g; with dual variables times 2^g both sides of (2) in
`dual_variables` are times 2^g, and a sum is above 0 exactly when it was. Nothing is searched or rounded again, and the checker computes
every minimum from the program that is stated.
"""

from dataclasses import replace

from verify.program.written import Written
from verify.symbolic.bias import take_off
from verify.symbolic.decomposition import take_apart
from verify.symbolic.dual_variables import Batch, DualVariables, Tie
from verify.symbolic.exact import Exact
from verify.symbolic.families import Case, CaseTables
from verify.symbolic.lines import Lines
from verify.symbolic.points import Points
from verify.symbolic.proof_outline import Outline, sign_share

__all__ = ["rescaled_outline"]


def rescaled_outline(outline: Outline, written: Written, factor: int) -> Outline:
    """The proof's outline for ``written``, the same program in other units, whose sums of votes are ``factor`` times as large."""
    old = outline.parts
    parts = take_apart(written.program, old.group, written.subgroups, outline.settings)
    tables = [(mine, theirs.bias) for mine, theirs in zip(parts.families, old.families, strict=True) if theirs.bias is not None]
    if tables:
        take_off(parts, [mine for mine, _ in tables], [_times(bias, factor) for _, bias in tables])
    result = Outline.before_search(parts, None, outline.settings)
    result.too_large = outline.too_large
    for case, batches in outline.batches.items():
        result.signs[case] = sign_share(parts, case)
        result.batches[case] = [_batch(batch, result, case, factor) for batch in batches]
    for case, lines in outline.lines.items():
        tables_of_case = [family.tables(case) for family in parts.families]
        result.lines[case] = [Lines(tables_of_case, some.unit * factor, some.mu) for some in lines]
    if outline.failing is not None:
        case, batch = outline.failing
        result.failing = (case, _batch(batch, result, case, factor))
    return result


def _batch(batch: Batch, outline: Outline, case: Case, factor: int) -> Batch:
    families = outline.parts.families
    spaces = {id(old.family.points): new.points for old, new in zip(batch.duals, families, strict=True)}
    return Batch(batch.s, [_duals(old, new.tables(case), spaces, factor) for old, new in zip(batch.duals, families, strict=True)])


def _duals(old: DualVariables, tables: CaseTables, spaces: dict[int, Points], factor: int) -> DualVariables:
    ties = [Tie(spaces[id(space)], _times(values, factor)) for space, values in old.ties]
    return replace(old, tables=tables, mu=_times(old.mu, factor), lam=_times(old.lam, factor), ties=ties, beta=_times(old.beta, factor))


def _times(integers: Exact, factor: int) -> Exact:
    """The product, in Python's integers."""
    return integers.astype(object) * factor
