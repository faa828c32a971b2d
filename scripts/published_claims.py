"""Write docs/published-claims.md: every published claim, the paper's figure and ours, on the networks that are at hand.

    python scripts/published_claims.py --trained PATH ... [--published DIR] [--cache DIR] [--seconds N] [--further]

With --further, docs/further-claims.md: the claims of the papers in `FURTHER` alone, which take seconds where the others take minutes.

Networks: the bundled ones; those in the files and folders of --trained, made by `verify train`; those in --published, made by others.
With --cache the reports are kept by digest of network and library, so that an interrupted run goes on where it stopped. --seconds
bounds how long networks are examined in this run; the page is written from all reports at hand. Networks over other groups than S5
and S6 are asked the claims of `GENERAL` alone.
"""

import argparse
import hashlib
import statistics
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from algebra.group import parse_group
from net.bundled import bundled_checkpoint, bundled_groups
from net.checkpoint import read_checkpoint
from net.discovery import checkpoints
from net.errors import MalformedInput
from net.stated_group import default_group
from net.weights import Weights
from verify.claims.claim import Claim, Outcome
from verify.claims.decide import Decision, Report, decide_claims, open_subject
from verify.claims.schema import find_claims, read_claims
from verify.exact.exhaustive import correct_pairs, evaluate

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "published-claims.md"
COMMENTS = ROOT / "scripts" / "published_claims_comments.toml"
FURTHER_PAGE = ROOT / "docs" / "further-claims.md"
LIBRARIES = ("stander", "chughtai", "wu", "levels")
FURTHER = ("he", "wu-appendix-h", "mccracken", "morwani", "necessity")
#: Libraries whose claims make sense of any group.
GENERAL = ("mccracken", "wu-appendix-h", "morwani", "necessity")


class Network(NamedTuple):
    """A network: where it came from, its file, its group."""

    origin: str
    path: Path
    group: str


class Examined(NamedTuple):
    """A network, the share of pairs on which it is right (exact), and its report for each library that it was asked."""

    network: Network
    accuracy: float
    reports: dict[str, Report]

    @property
    def right(self) -> bool:
        """Whether the network multiplies."""
        return self.accuracy == 1

    @property
    def symmetric(self) -> bool:
        """Whether it is over S5 or S6, so that every claim makes sense."""
        return self.network.group in ("S5", "S6")

    def outcome(self, library: str, claim: str) -> Outcome:
        """What came of one claim; SKIPPED where its library was not asked."""
        if library not in self.reports:
            return Outcome("SKIPPED", "not asked")
        return next(d.outcome for d in self.reports[library].decisions if d.claim.id == claim)


def networks(trained: Sequence[Path], published: Path | None) -> list[Network]:
    """All networks that are at hand; smaller groups first, so that a bounded run sees many. Not read are those over no known group."""
    found = [Network("ours", bundled_checkpoint(group), group) for group in bundled_groups()]
    for origin, folders in (("ours", trained), ("others'", [] if published is None or not published.is_dir() else [published])):
        for path in checkpoints(folders):
            layers, source = read_checkpoint(path)
            found.append(Network(origin, path, default_group(source.details, len(layers.left[0]), path)))
    return sorted(found, key=lambda n: (n.group == "S6", n.group == "S5", n.group, n.origin != "ours"))


def examine(network: Network, cache: Path | None, until: float, libraries: tuple[str, ...] = LIBRARIES) -> Examined | None:
    """The reports on a network, from the cache where it has them; those that are missing when it is too late are left out.

    None when nothing is known of it. Over other groups than S5 and S6 the claims of `GENERAL` are asked alone.
    """
    digest = hashlib.sha256(network.path.read_bytes()).hexdigest()
    reports: dict[str, Report] = {}
    subject = None
    known = None if cache is None else cache / f"{digest[:16]}-accuracy.json"
    for library in libraries if network.group in ("S5", "S6") else [name for name in libraries if name in GENERAL]:
        path = find_claims(library)
        key = hashlib.sha256(path.read_bytes()).hexdigest()
        stored = None if cache is None else cache / f"{digest[:16]}-{library}-{key[:16]}.json"
        if stored is not None and stored.is_file():
            reports[library] = _decode(stored.read_bytes(), library)
            continue
        if time.monotonic() > until:
            continue
        subject = subject or open_subject(network.path, network.group, path.parent)
        reports[library] = decide_claims(path, read_claims(path), subject)
        if stored is not None:
            outcomes = [d.outcome for d in reports[library].decisions]
            stored.write_bytes(msgspec.json.encode([reports[library].checkpoint, network.group, outcomes]))
    if known is not None and known.is_file():
        return Examined(network, msgspec.json.decode(known.read_bytes(), type=float), reports)
    if not reports:
        return None
    subject = subject or open_subject(network.path, network.group, Path())
    accuracy = float(correct_pairs(subject.evaluation, subject.group.mul).mean())
    if known is not None:
        known.write_bytes(msgspec.json.encode(accuracy))
    return Examined(network, accuracy, reports)


def _decode(data: bytes, library: str) -> Report:
    name, group, outcomes = msgspec.json.decode(data, type=tuple[str, str, list[Outcome]])
    claims = read_claims(find_claims(library)).claims
    return Report(
        name, "", group, tuple(Decision(claim, claim.statement(), outcome) for claim, outcome in zip(claims, outcomes, strict=True))
    )


def page(examined: list[Examined]) -> str:
    """The page of the three papers, and of both accounts at all levels."""
    comments = msgspec.toml.decode(COMMENTS.read_bytes(), type=dict[str, dict[str, str]])
    asked = [e for e in examined if e.symmetric]
    good, bad = [e for e in asked if e.right], [e for e in asked if not e.right]
    parts = [comments["page"]["introduction"], _populations(good, bad), comments["page"]["verdict"], _levels(good)]
    for library in LIBRARIES[:-1]:
        claims = read_claims(find_claims(library))
        parts.append(f"## {claims.title}\n\n{claims.source}\n\n{_table(library, good, comments.get(library, {}))}")
    parts += [_hand_built(comments["page"]["hand_built"]), _controls(bad)]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def further_page(examined: list[Examined]) -> str:
    """The page of the other papers."""
    comments = msgspec.toml.decode(COMMENTS.read_bytes(), type=dict[str, dict[str, str]])
    asked = [e for e in examined if e.symmetric]
    good, bad = [e for e in asked if e.right], [e for e in asked if not e.right]
    parts = [comments["page"]["further"], _populations(good, bad)]
    for library in FURTHER:
        claims = read_claims(find_claims(library))
        parts.append(f"## {claims.title}\n\n{claims.source}\n\n{_table(library, good, comments.get(library, {}))}")
        if library == "wu-appendix-h":
            parts.append(_irreps(good))
    parts += [_needed_by_mistaken(bad), _others([e for e in examined if not e.symmetric]), comments["page"]["undecided"]]
    return "\n\n".join(part.strip() for part in parts if part.strip()) + "\n"


def _needed_by_mistaken(bad: list[Examined]) -> str:
    """How many circuits a network with mistakes needs to keep its own answers."""
    rows = ["## Networks with mistakes", "", "| network | accuracy | circuits needed by themselves | in a minimal set | irreps used |"]
    rows.append("|---|---|---|---|---|")
    for one in bad:
        figures = [
            one.outcome(*claim).figure for claim in (("necessity", "each-needed"), ("necessity", "minimal-set"), ("morwani", "used"))
        ]
        rows.append(f"| {_name(one.network)} | {_share(one.accuracy)} | {' | '.join(map(_share, figures))} |")
    return "\n".join(rows) if bad else ""


def _irreps(good: list[Examined]) -> str:
    """For S5 and S6 each irrep with the size of its smallest rho-set, and how many of the networks use it."""
    rows = []
    for group in ("S5", "S6"):
        tables = [_by_name(e.outcome("wu-appendix-h", "full-circuit"), "irreps") for e in good if e.network.group == group]
        tables = [table for table in tables if table]
        if not tables:
            continue
        rows += [
            "",
            f"| {group}: irrep | smallest rho-set | used by, of {len(tables)} | mean share of energy | neurons, median where used |",
        ]
        rows.append("|---|---|---|---|---|")
        for name in sorted(tables[0], key=lambda n: tables[0][n]["size"]):
            used = [table[name] for table in tables if table[name]["energy"] >= 0.01]
            neurons = f"{statistics.median(row['neurons'] for row in used):g}" if used else ""
            mean = sum(table[name]["energy"] for table in tables) / len(tables)
            rows.append(f"| {name} | {tables[0][name]['size']} | {len(used)} | {_share(mean)} | {neurons} |")
    return "\n".join(rows)


def _others(examined: list[Examined]) -> str:
    """The figures of the general claims on networks over other groups, a column for each network."""
    if not examined:
        return ""
    rows = ["## Other groups", "", "| claim | " + " | ".join(f"{e.network.group}: {_name(e.network)}" for e in examined) + " |"]
    rows.append("|---|" + "---|" * len(examined))
    for library in GENERAL:
        for claim in read_claims(find_claims(library)).claims:
            outcomes = [e.outcome(library, claim.id) for e in examined]
            if any(o.verdict != "SKIPPED" for o in outcomes):
                rows.append(f"| {library}, **{claim.id}** | " + " | ".join(_cell(claim, [o]) for o in outcomes) + " |")
    return "\n".join(rows)


def _populations(good: list[Examined], bad: list[Examined]) -> str:
    rows = ["| networks | group | right on all pairs | wrong on some |", "|---|---|---|---|"]
    for key in sorted({(e.network.origin, e.network.group) for e in good + bad}, reverse=True):
        counts = [sum((e.network.origin, e.network.group) == key for e in part) for part in (good, bad)]
        rows.append(f"| {key[0]} | {key[1]} | {counts[0]} | {counts[1]} |")
    return "## Networks\n\n" + "\n".join(rows)


def _levels(good: list[Examined]) -> str:
    rows = [
        "## Both accounts at all four levels",
        "",
        "| network | constants: cosets | answers: cosets | GCR | logits: cosets | GCR "
        "| counterfactuals: cosets | GCR | neurons: cosets | GCR |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for one in good:
        if "levels" not in one.reports:
            continue
        cells = [f"{one.outcome('levels', 'cosets-logits').figures['constants']:,}"]
        for level in ("answers", "logits", "counterfactuals", "neurons"):
            cells += [_share(one.outcome("levels", f"{account}-{level}").figure) for account in ("cosets", "gcr")]
        rows.append(f"| {_name(one.network)} | {' | '.join(cells)} |")
    return "\n".join(rows)


def _name(network: Network) -> str:
    stem = network.path.parent.name if network.path.stem == "model" else network.path.stem
    return f"{stem} ({network.origin})"


def _share(value: float | None) -> str:
    text = "" if value is None else f"{value:.1%}" if value == 1 or round(value, 3) < 1 else f"{value:.3%}"
    return text.replace("100.0%", "100 %").replace("%", " %").replace("  %", " %")


def _table(library: str, good: list[Examined], comments: dict[str, str]) -> str:
    columns = [("ours", "S5"), ("others'", "S5"), ("ours", "S6"), ("others'", "S6")]
    counts = [sum((e.network.origin, e.network.group) == column and library in e.reports for e in good) for column in columns]
    titles = [f"{group}, {origin} ({count})" for (origin, group), count in zip(columns, counts, strict=True)]
    rows = [f"| claim | paper | {' | '.join(titles)} | agreement | why |", "|---|---|---|---|---|---|---|---|"]
    for claim in read_claims(find_claims(library)).claims:
        outcomes = {c: [e.outcome(library, claim.id) for e in good if (e.network.origin, e.network.group) == c] for c in columns}
        cells = [_cell(claim, outcomes[column]) for column in columns]
        everything = [o for part in outcomes.values() for o in part if o.verdict != "SKIPPED"]
        why = " ".join(text for text in (comments.get(claim.id, ""), claim.erratum and f"Erratum: {claim.erratum}.") if text)
        says = f"**{claim.id}** {claim.says}" + (f" ({claim.place})" if claim.place else "")
        row = [says, _published(claim), *cells, _agreement(claim, everything), why]
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |")
    return "\n".join(rows)


def _published(claim: Claim) -> str:
    if isinstance(claim.published, dict):
        return ", ".join(f"{name} {value:.1%}" for name, value in claim.published.items())
    if claim.published is not None:
        return f"{claim.published:g}"
    bounds = [f"{sign} {getattr(claim, key)}" for key, sign in BOUNDS.items() if getattr(claim, key, None) is not None]
    return ", ".join(bounds) or "no figure"


BOUNDS = {"at_least": ">=", "at_most": "<=", "exactly": "="}


def _cell(claim: Claim, outcomes: list[Outcome]) -> str:
    outcomes = [o for o in outcomes if o.verdict != "SKIPPED"]
    if not outcomes:
        return ""
    if isinstance(claim.published, dict):
        return ", ".join(f"{name} {share:.1%}" for name, share in _mean_distribution(outcomes).most_common(10))
    verdicts = Counter(o.verdict for o in outcomes)
    text = ", ".join(f"{name} {count}" for name, count in sorted(verdicts.items()) if name != "MEASURED")
    figures = [o.figure for o in outcomes if o.figure is not None and np.isfinite(o.figure)]
    if not figures:
        return text
    low, high = min(figures), max(figures)
    shown = f"{low:.4g}" if low == high else f"{statistics.median(figures):.4g} [{low:.3g}, {high:.3g}]"
    return f"{text}; {shown}" if text else shown


def _mean_distribution(outcomes: list[Outcome]) -> Counter[str]:
    total: Counter[str] = Counter()
    for outcome in outcomes:
        for name, share in _by_name(outcome, "shares").items():
            total[name] += share / len(outcomes)  # type: ignore[assignment]
    return total


def _by_name(outcome: Outcome, name: str) -> dict:
    """A figure of an outcome that has one for each of several things; empty where there is none."""
    found = outcome.figures.get(name, {})
    assert isinstance(found, dict)
    return found


def _agreement(claim: Claim, outcomes: list[Outcome]) -> str:
    """On how many networks the claim holds, and for averages whether the median (or the mean distribution) agrees."""
    if not outcomes:
        return "no network"
    if isinstance(claim.published, dict):
        return _distribution_agrees(claim.published, outcomes)
    proved, refuted, unknown = (sum(o.verdict == verdict for o in outcomes) for verdict in ("PROVED", "REFUTED", "UNKNOWN"))
    judged = [o.agrees for o in outcomes if o.agrees is not None]
    total = proved + refuted + unknown + len(judged)
    if not total:
        return "only measured"
    text = f"{proved + sum(judged)} of {total}"
    figures = [o.figure for o in outcomes if o.figure is not None and np.isfinite(o.figure)]
    if judged and isinstance(claim.published, float | int) and claim.tolerance is not None:
        close = abs(statistics.median(figures) - claim.published) <= claim.tolerance
        text += "; the median agrees" if close else "; the median does not"
    return text


def _distribution_agrees(published: dict[str, float], outcomes: list[Outcome]) -> str:
    mean = _mean_distribution(outcomes)
    distance = sum(abs(mean[name] - published.get(name, 0)) for name in {*mean, *published}) / 2
    return f"the means are {distance:.2f} apart in total variation"


def hand_built(count: int, spaced: bool, seed: int) -> float:
    """Accuracy of `count` single-relu switches over S5: neuron (i, j) is relu(a(x(i)) - a(y^-1(j))) and votes -1 for z(i) = j.

    The values a are 0, 1, ..., 4 for all neurons, or drawn anew for each; neurons go through the 25 pairs (i, j) again and again.
    """
    group, rng = parse_group("S5"), np.random.default_rng(seed)
    back = group.elements[group.inv]
    pairs = np.arange(count) % 25
    values = np.tile(np.arange(5.0), (count, 1)) if spaced else rng.standard_normal((count, 5))
    L = np.stack([v[group.elements[:, p // 5]] for v, p in zip(values, pairs, strict=True)], axis=1)
    R = np.stack([-v[back[:, p % 5]] for v, p in zip(values, pairs, strict=True)], axis=1)
    U = np.stack([-(group.elements[:, p // 5] == p % 5).astype(float) for p in pairs])
    return float(correct_pairs(evaluate(Weights.from_arrays(L, R, U)), group.mul).mean())


def _hand_built(text: str) -> str:
    published = {25: 2.7, 50: 33.6, 75: 84.5, 100: 98.2, 150: 99.7}
    rows = ["| values | neurons | paper | ours, median of 9 seeds [least, greatest] |", "|---|---|---|---|"]
    rows.append(f"| equally spaced | 25 | 100 % | {_share(hand_built(25, True, 0))} |")
    for count, figure in published.items():
        found = sorted(hand_built(count, False, seed) for seed in range(9))
        rows.append(f"| random, injective | {count} | {figure} % | {_share(found[4])} [{_share(found[0])}, {_share(found[-1])}] |")
    return f"## Switches built by hand\n\n{text}\n\n" + "\n".join(rows)


def _controls(bad: list[Examined]) -> str:
    rows = ["## Networks that do not multiply", "", "| network | accuracy | GCR's share of the logits | compact proof |"]
    rows.append("|---|---|---|---|")
    for one in bad:
        cells = [one.accuracy, one.outcome("levels", "gcr-logits").figure, one.outcome("wu", "bound-95").figure]
        rows.append(f"| {_name(one.network)} | {' | '.join(map(_share, cells))} |")
    return "\n".join(rows) if bad else ""


def main() -> None:
    """Examine, then write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trained", type=Path, nargs="*", default=[])
    parser.add_argument("--published", type=Path, default=ROOT.parent / "shared" / "checkpoints")
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--further", action="store_true")
    options = parser.parse_args()
    if options.cache is not None:
        options.cache.mkdir(parents=True, exist_ok=True)
    examined, until = [], time.monotonic() + options.seconds
    for network in networks(options.trained, options.published):
        try:
            one = examine(network, options.cache, until, FURTHER if options.further else LIBRARIES)
        except MalformedInput as error:
            print(f"not read: {network.path}: {error}")
            continue
        if one is not None:
            examined.append(one)
            print(f"{_name(network)}: done", flush=True)
    if options.further:
        FURTHER_PAGE.write_text(further_page(examined), encoding="utf-8")
    else:
        PAGE.write_text(page(examined), encoding="utf-8")


if __name__ == "__main__":
    main()
