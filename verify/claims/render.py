"""Reports on claims as text for people.

Whatever comes from the claims file is printed on one line with control characters shown as escapes, so that no file can write a line of
the report; what was decided is said in the tool's own words, and the author's sentence is quoted after it.
"""

import re
import sys
from decimal import Decimal

from algebra.plural import plural
from reports.escaping import is_seen
from verify.claims.claim import Claim, Counterexample, Outcome
from verify.claims.decide import Aggregate, Report
from verify.claims.schema import ClaimsFile

#: Exact numbers with more characters than this are shown as decimals; --json has them in full.
LONGEST_NUMBER = 16


def render(claims: ClaimsFile, report: Report) -> str:
    """A paragraph per claim: verdict and name, what was decided, what was found, what refutes it, and what its author says."""
    turned = "; its second input acts first, so xy here is yx in the file's own terms" if report.product == "right-first" else ""
    lines = [one_line(f"{claims.title or 'claims'}: {report.checkpoint}, {report.group}{turned}")]
    for number, decision in enumerate(report.decisions):
        claim, outcome = decision.claim, decision.outcome
        lines.append(one_line(f"{outcome.verdict:<8} {_name(claim, number)}"))
        more = {"decided": decision.statement, "found": f"{outcome.finding}{_beside(claim, outcome)}"}
        if outcome.counterexample:
            more["counterexample"] = counterexample_words(outcome.counterexample)
        more |= {"erratum": claim.erratum} if claim.erratum else {}
        more |= {"the author says": quoted(claim.says)} if claim.says else {}
        lines += [one_line(f"         {key}: {text}") for key, text in more.items()]
    return "\n".join(lines)


def render_aggregate(claims: ClaimsFile, rows: list[Aggregate], unread: list[tuple[str, str]]) -> str:
    """One paragraph per claim: how often each verdict came and how the figures lie."""
    lines = [one_line(claims.title or "claims")]
    for number, row in enumerate(rows):
        verdicts = ", ".join(f"{name} {count}" for name, count in sorted(row.verdicts.items())) or "no network"
        lines.append(one_line(_name(row.claim, number)))
        lines.append(one_line(f"         {row.claim.statement()}"))
        lines.append(f"         {verdicts} of {plural(row.networks, 'network')}")
        if row.figures:
            shown = ", ".join(f"{name} {value:.4g}" for name, value in row.figures.items())
            lines.append(f"         figures: {shown}{_published(row.claim)}")
        if row.agree or row.disagree:
            lines.append(f"         agree with the claim: {row.agree} of {row.agree + row.disagree}")
    lines += [one_line(f"not read: {path}: {why}") for path, why in unread]
    return "\n".join(lines)


def one_line(text: str) -> str:
    """The text on one line: what is not seen, or ends a line, as escapes."""
    return "".join(c if is_seen(c) else c.encode("unicode_escape").decode() for c in text)


def quoted(text: str) -> str:
    """The text in quotation marks."""
    return '"' + text.replace('"', "'") + '"'


def counterexample_words(shown: Counterexample) -> str:
    """The counterexample in a sentence where there is one, then its numbers: long fractions as decimals."""
    words = [str(shown["words"])] if "words" in shown else []
    rest = [f"{key} = {_short(value)}" for key, value in shown.items() if key != "words" and not (words and key in _SAID)]
    return "; ".join([*words, ", ".join(rest)] if rest else words)


#: Keys that the sentence of a counterexample says already.
_SAID = frozenset(
    {"x", "y", "answer", "expected", "answer_of_translate", "expected_of_translate", "in_coset", "neurons", "uncovered", "covered"}
)


def _name(claim: Claim, number: int) -> str:
    place = f" ({claim.place})" if claim.place else ""
    return f"{claim.id or f'claim {number}'}{place}"


def _beside(claim: Claim, outcome: Outcome) -> str:
    agreement = {True: "; agrees", False: "; does not agree", None: ""}[outcome.agrees]
    return _published(claim) + agreement


def _published(claim: Claim) -> str:
    return f"; published: {claim.published:g}" if isinstance(claim.published, float | int) else ""


def _decimal(whole: int, over: int) -> str:
    """Whole / over to six digits, also where it lies beyond the range of a float."""
    try:
        near = whole / over
    except OverflowError:
        near = 0.0
    return f"{near:.6g}" if abs(near) >= sys.float_info.min or not whole else f"{(Decimal(whole) / Decimal(over)).normalize():.6g}"


def _short(value: object) -> str:
    """A value for people: a long exact number as a decimal, a long text cut."""
    text = str(value)
    if len(text) > LONGEST_NUMBER and (match := re.fullmatch(r"(\D*?)(-?\d+)/?(\d+)?", text)):
        whole, over = int(match[2]), int(match[3] or 1)
        return f"{match[1]}about {_decimal(whole, over)}"
    return text if len(text) <= 200 else text[:200] + "..."
