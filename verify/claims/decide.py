"""Claims decided on one network, and the reports of many aggregated as a paper does."""

import statistics
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec

from algebra.errors import GroupError
from algebra.group import FiniteGroup, parse_group
from net.errors import MalformedInput
from verify.analysis import analyse
from verify.claims.claim import Mistake, Outcome
from verify.claims.network_claims import Intervention
from verify.claims.schema import AnyClaim, ClaimsFile, located
from verify.claims.subject import Subject
from verify.reading import AS_FOUND, How

Progress = Callable[[str], None]


class Decision(msgspec.Struct, frozen=True):
    """A claim, the statement that was decided (made from the claim's keys, not from its author's words), and what came of it."""

    claim: AnyClaim
    statement: str
    outcome: Outcome


class Report(msgspec.Struct, frozen=True):
    """All claims on one network: which file, which group, and the decisions in the order of the claims.

    ``product`` is the file's own: with "right-first" its inputs are exchanged, and xy in the claims is yx in its own terms.
    """

    checkpoint: str
    sha256: str
    group: str
    decisions: tuple[Decision, ...]
    product: str = "left-first"


class Aggregate(msgspec.Struct, frozen=True):
    """One claim over many networks: how often each verdict came, and the figures' number, mean, median, least and greatest."""

    claim: AnyClaim
    networks: int
    verdicts: dict[str, int]
    agree: int
    disagree: int
    figures: dict[str, float]


def decide_claims(path: Path, claims: ClaimsFile, subject: Subject, progress: Progress = lambda _: None) -> Report:
    """Decide every claim on the network.

    Raises:
        MalformedInput: a claim makes no sense for this network, with the path of the mistake.

    """
    decisions = []
    for number, claim in enumerate(claims.claims):
        statement = claim.statement()
        progress(" ".join(f"{claim.id or number}: {statement}".split()))
        try:
            decisions.append(Decision(claim, statement, _decide(claim, subject)))
        except Mistake as mistake:
            raise located(path, number, claim.id, mistake) from mistake
    source = subject.network.source
    name, digest = ("", "") if source is None else (str(source.path), source.sha256)
    convention = subject.network.convention
    product = "left-first" if convention is None else convention.product
    return Report(name, digest, subject.group.name, tuple(decisions), product)


#: Claims that are about relu, or decided by bounds that rest on it.
ABOUT_RELU = ("silent", "switches", "dead", "indicator power", "compact proof", "votes")


def _about_relu(claim: AnyClaim) -> bool:
    """Whether an intervention is one on relu: another activation in its place, or noise in front of it."""
    return isinstance(claim, Intervention) and claim.surgery in ("absolute value", "noise")


def _decide(claim: AnyClaim, subject: Subject) -> Outcome:
    if claim.groups and subject.group.name not in claim.groups:
        return Outcome("SKIPPED", f"a claim about {', '.join(claim.groups)}, not {subject.group.name}")
    if subject.weights.activation == "square" and (claim.__struct_config__.tag in ABOUT_RELU or _about_relu(claim)):
        return Outcome("SKIPPED", "a claim about neurons of relu; those of this network square what they read")
    return claim.decide(subject)


def open_subject(checkpoint: Path, group: str, folder: Path, how: How = AS_FOUND) -> Subject:
    """The network in the file over the group of that name, or over the one that `net.stated_group.default_group` finds.

    Raises:
        MalformedInput: the file is no network, or no group is named and none is found.

    """
    return Subject(analyse(checkpoint, named_group(group) if group else None, **how._asdict()), folder)


def named_group(group: str) -> FiniteGroup:
    """The group that a claims file names; MalformedInput says where, when there is none."""
    try:
        return parse_group(group)
    except GroupError as error:
        raise MalformedInput(f"{str(error).rstrip('.')} - at `$.group`") from error


def aggregate(claims: ClaimsFile, reports: list[Report]) -> list[Aggregate]:
    """Each claim over all networks; skipped ones don't count."""
    rows = []
    for number, claim in enumerate(claims.claims):
        outcomes = [report.decisions[number].outcome for report in reports]
        counted = [outcome for outcome in outcomes if outcome.verdict != "SKIPPED"]
        figures = [o.figure for o in counted if o.figure is not None and o.figure == o.figure]
        rows.append(
            Aggregate(
                claim,
                len(counted),
                dict(Counter(outcome.verdict for outcome in counted)),
                sum(outcome.agrees is True for outcome in counted),
                sum(outcome.agrees is False for outcome in counted),
                _statistics(figures),
            )
        )
    return rows


def _statistics(figures: list[float]) -> dict[str, float]:
    if not figures:
        return {}
    found = {"mean": statistics.fmean(figures), "median": statistics.median(figures)}
    return found | {"least": min(figures), "greatest": max(figures)}
