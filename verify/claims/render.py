"""Reports on claims as text for people."""

from verify.claims.claim import Claim, Outcome
from verify.claims.decide import Aggregate, Report
from verify.claims.schema import ClaimsFile


def render(claims: ClaimsFile, report: Report) -> str:
    """One line per claim with its verdict, and below it what was found, what refutes it and what the paper says."""
    lines = [f"{claims.title or 'claims'}: {report.checkpoint}, {report.group}"]
    for number, decision in enumerate(report.decisions):
        claim, outcome = decision.claim, decision.outcome
        lines.append(f"{outcome.verdict:<8} {_name(claim, number)}")
        lines.append(f"         {outcome.finding}{_beside(claim, outcome)}")
        if outcome.counterexample:
            shown = ", ".join(f"{key} = {_short(value)}" for key, value in outcome.counterexample.items())
            lines.append(f"         counterexample: {shown}")
        if claim.erratum:
            lines.append(f"         erratum: {claim.erratum}")
    return "\n".join(lines)


def render_aggregate(claims: ClaimsFile, rows: list[Aggregate], unread: list[tuple[str, str]]) -> str:
    """One paragraph per claim: how often each verdict came and how the figures lie."""
    lines = [claims.title or "claims"]
    for number, row in enumerate(rows):
        verdicts = ", ".join(f"{name} {count}" for name, count in sorted(row.verdicts.items())) or "no network"
        lines.append(f"{_name(row.claim, number)}")
        lines.append(f"         {verdicts} of {row.networks} networks")
        if row.figures:
            shown = ", ".join(f"{name} {value:.4g}" for name, value in row.figures.items())
            lines.append(f"         figures: {shown}{_published(row.claim)}")
        if row.agree or row.disagree:
            lines.append(f"         agree with the claim: {row.agree} of {row.agree + row.disagree}")
    lines += [f"not read: {path}: {why}" for path, why in unread]
    return "\n".join(lines)


def _name(claim: Claim, number: int) -> str:
    place = f" ({claim.place})" if claim.place else ""
    return f"{claim.id or f'claim {number}'}{place}: {claim.says or 'no sentence given'}"


def _beside(claim: Claim, outcome: Outcome) -> str:
    agreement = {True: "; agrees", False: "; does not agree", None: ""}[outcome.agrees]
    return _published(claim) + agreement


def _published(claim: Claim) -> str:
    return f"; published: {claim.published:g}" if isinstance(claim.published, float | int) else ""


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 200 else text[:200] + "..."
