"""Write docs/training.md from traces: what appears when in training, over many seeds, group by group.

    verify train --group S5 --seeds 101-108 --steps 15000 --keep-every 500 --out nets
    verify train --group S6 --width 128 --seeds 11-13 --keep-every 1000 --out nets
    for run in nets/*.steps; do verify trace "$run"; done
    python scripts/training_page.py nets/*.trace

Everything on the page but its fixed sentences is computed here from the trace.json files.
"""

import itertools
import json
import shutil
import statistics
import sys
from pathlib import Path

from reports.records import Record
from verify.jobs.trace import APPEARED, events
from verify.record.explain import percentage

DOCS = Path(__file__).parents[1] / "docs"
Runs = dict[str, list[Record]]

QUESTIONS = (
    "Do subgroups appear before, at or after the jump?",
    "One after the other, or together?",
    "Does what was found vanish again?",
    "What goes on after the jump?",
)

#: What is said before the answers, by the question's place.
REMARKS = {
    1: (
        "For two-layer networks that begin with vanishing weights arXiv 2602.03655 proves that irreps are learnt one at a time. The",
        "initial weights here are not small.",
        "",
    ),
}


def held_out(row: Record) -> float:
    """The share of held-out pairs that are right."""
    return float(row["held_out_right"] / (row["pairs"] - row["trained_pairs"]))


def by_group(runs: Runs) -> dict[str, Runs]:
    """The runs of each group, by the part of a run's name before the hyphen."""
    found: dict[str, Runs] = {}
    for name, rows in runs.items():
        found.setdefault(name.partition("-")[0], {})[name] = rows
    return found


def page(runs: Runs) -> str:
    """The page, from the snapshots of each run."""
    groups = by_group(runs)
    counts = ", ".join(f"{len(some)} of {group}" for group, some in groups.items())
    lines = [
        "# Training watched",
        "",
        "`verify train --keep-every N` keeps the network of every N steps, and `verify trace` looks at each: pairs right among those",
        "trained on and the others (exact), and which classes of subgroups and irreps hold how much of the energy (measured; the",
        "definitions stand in `verify/jobs/snapshot.py`). This page is written by `scripts/training_page.py`, whose first lines are",
        "the commands that make it again.",
        "",
        f"Runs: {counts}. A class or an irrep *appears* when it first holds {APPEARED:.0%} of the energy. The *jump* is the",
        "first snapshot with half of the held-out pairs right. A star marks a class read through a character. A run may end before its",
        "network is finished: its last step is in the table.",
        "",
        "| run | last step | held out | jump | 99 % | classes of subgroups: step | irreps: step | fell below half of that again |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, rows in runs.items():
        e = events(rows)
        listed = [", ".join(f"{k} {v}" for k, v in e[key].items()) or "none" for key in ("classes", "irreps", "vanished")]
        cells = [name, str(rows[-1]["step"]), f"{percentage(held_out(rows[-1]))}", _step(e["half"]), _step(e["nearly"]), *listed]
        lines.append("| " + " | ".join(cells) + " |")
    said = {group: answers(some) for group, some in groups.items()}
    for number, question in enumerate(QUESTIONS):
        lines += ["", f"## {question}", "", *REMARKS.get(number, ()), "| group | answer |", "|---|---|"]
        lines += [f"| {group} | {texts[number]} |" for group, texts in said.items()]
    return "\n".join(lines) + "\n"


def answers(runs: Runs) -> list[str]:
    """The answers to the questions, each with its numbers, from the runs of one group."""
    found = {name: events(rows) for name, rows in runs.items()}
    return [_when(runs, found), _together(found), _vanished(found), _afterwards(runs, found)]


def _when(runs: Runs, found: dict[str, Record]) -> str:
    jumped = {name: e for name, e in found.items() if e["half"] is not None}
    if not jumped:
        return f"None of {_runs(len(runs))} has jumped."
    where = {"before": 0, "at": 0, "after": 0}
    for e in jumped.values():
        for step in e["classes"].values():
            where["before" if step < e["half"] else "at" if step == e["half"] else "after"] += 1
    labelled = [next(row["labelled"] for row in runs[name] if row["step"] == e["half"]) for name, e in jumped.items()]
    middle, last = percentage(statistics.median(labelled), 0), [runs[name][-1]["labelled"] for name in jumped]
    return (
        f"Of {sum(where.values())} appearances of a class in {_runs(len(jumped))} that jumped, {where['before']} came before the"
        f" jump, {where['at']} at the same snapshot and {where['after']} after it. At the jump labelled neurons hold"
        f" {percentage(min(labelled), 0)} to {percentage(max(labelled), 0)} of the energy (median {middle}); at the last snapshot"
        f" {percentage(min(last))} to {percentage(max(last))}."
    )


def _together(found: dict[str, Record]) -> str:
    gaps = []
    for e in found.values():
        gaps += [b - a for a, b in itertools.pairwise(sorted(e["irreps"].values()))]
    text = ""
    if gaps:
        text = (
            f"Between one irrep's appearance and the next lie {min(gaps)} to {max(gaps)} steps (median {statistics.median(gaps):g}, in"
            f" steps of the snapshots); {sum(gap == 0 for gap in gaps)} of {len(gaps)} appear at the same snapshot as the one before."
            " Appearing means crossing a threshold: several irreps then grow at the same time. "
        )
    first: dict[str, int] = {}
    for e in found.values():
        for name, step in e["irreps"].items():
            if step == min(e["irreps"].values()):
                first[name] = first.get(name, 0) + 1
    said = ", ".join(f"{name} in {count}" for name, count in sorted(first.items(), key=lambda item: -item[1]))
    return f"{text}The irrep that appears first: {said or 'none'} of {_runs(len(found))}."


def _vanished(found: dict[str, Record]) -> str:
    vanished = {name: e["vanished"] for name, e in found.items() if e["vanished"]}
    said = "; ".join(f"{name}: {', '.join(f'{k} at {v}' for k, v in gone.items())}" for name, gone in vanished.items())
    return f"In {len(vanished)} of {_runs(len(found))} something fell below half of the threshold again: {said or 'nothing'}."


def _afterwards(runs: Runs, found: dict[str, Record]) -> str:
    rest = []
    for name, e in found.items():
        after = [row for row in runs[name] if held_out(row) >= 0.99] if e["half"] is not None else []
        if len(after) > 1:
            rest.append((after[0], after[-1]))
    if not rest:
        return "No run has gone on so far."
    return (
        f"From the first snapshot with 99 % of the held-out pairs right to the last one, over {_runs(len(rest))}: the share of"
        f" energy in neurons without a label goes from {percentage(statistics.median(1 - a['labelled'] for a, _ in rest))} to"
        f" {percentage(statistics.median(1 - b['labelled'] for _, b in rest))} (medians), what L and R leave beside their best rank-one"
        f" part from {statistics.median(1 - a['rank_one'] for a, _ in rest):.2%} to"
        f" {statistics.median(1 - b['rank_one'] for _, b in rest):.2%}, neurons that can change an answer from"
        f" {statistics.median(a['live'] for a, _ in rest):g} to {statistics.median(b['live'] for _, b in rest):g}, the least margin"
        f" from {statistics.median(a['min_margin'] for a, _ in rest):.2g} to {statistics.median(b['min_margin'] for _, b in rest):.2g}"
        " (of pairs that are right)."
    )


def _runs(count: int) -> str:
    return f"{count} run{'s' * (count != 1)}"


def _step(value: int | None) -> str:
    return "-" if value is None else str(value)


def main(folders: list[str]) -> None:
    """Write docs/training.md, and the figure of the first run of each group beside it."""
    runs: Runs = {}
    for folder in map(Path, folders):
        rows = json.loads((folder / "trace.json").read_text(encoding="utf-8"))
        runs[folder.name.partition(".")[0]] = [row for row in rows if "reason" not in row and row["step"] is not None]
    text = page(runs)
    for number, (group, some) in enumerate(by_group(runs).items()):
        name = next(iter(some))
        folder = next(path for path in map(Path, folders) if path.name.partition(".")[0] == name)
        figure = "trace.svg" if number == 0 else f"trace-{group}.svg"
        shutil.copy(folder / "trace.svg", DOCS / "figures" / figure)
        text += f"\n![answers, least margin and shares of energy over the steps of training](figures/{figure})\n\nThe run {name}.\n"
    (DOCS / "training.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("expected folders that `verify trace` wrote, got none")
    main(sys.argv[1:])
