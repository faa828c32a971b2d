"""Write docs/training.md from traces: what appears when in training, over many seeds.

    verify train --group S5 --seeds 101-108 --steps 15000 --keep-every 500 --out nets
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
from typing import Any

from verify.jobs.trace import APPEARED, events

DOCS = Path(__file__).parents[1] / "docs"
JSON = dict[str, Any]


def held_out(row: JSON) -> float:
    """The share of held-out pairs that are right."""
    return float(row["held_out_right"] / (row["pairs"] - row["trained_pairs"]))


def page(runs: dict[str, list[JSON]]) -> str:
    """The page, from the snapshots of each run."""
    found = {name: events(rows) for name, rows in runs.items()}
    lines = [
        "# Training watched",
        "",
        "`verify train --keep-every N` keeps the network of every N steps, and `verify trace` looks at each: pairs right among those",
        "trained on and the others (exact), and which classes of subgroups and irreps hold how much of the energy (measured; the",
        "definitions stand in `verify/jobs/trace.py`). This page is written by `scripts/training_page.py`, whose first lines are the",
        "commands that make it again.",
        "",
        f"{len(runs)} runs. A class or an irrep *appears* when it first holds {APPEARED:.0%} of the energy. The *jump* is the first",
        "snapshot with half of the held-out pairs right. A star marks a class read through a character.",
        "",
        "| run | last step | jump | 99 % | classes of subgroups: step | irreps: step | fell below half of that again |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, rows in runs.items():
        e = found[name]
        listed = [", ".join(f"{k} {v}" for k, v in e[key].items()) or "none" for key in ("classes", "irreps", "vanished")]
        lines.append(f"| {name} | {rows[-1]['step']} | {_step(e['half'])} | {_step(e['nearly'])} | " + " | ".join(listed) + " |")
    lines += ["", *answers(runs, found)]
    return "\n".join(lines) + "\n"


def answers(runs: dict[str, list[JSON]], found: dict[str, JSON]) -> list[str]:
    """The questions, each with its numbers."""
    jumped = {name: e for name, e in found.items() if e["half"] is not None}
    lines = ["## Do subgroups appear before, at or after the jump?", ""]
    where = {"before": 0, "at": 0, "after": 0}
    for e in jumped.values():
        for step in e["classes"].values():
            where["before" if step < e["half"] else "at" if step == e["half"] else "after"] += 1
    lines.append(
        f"Of {sum(where.values())} appearances of a class in the {len(jumped)} runs that jumped, {where['before']} came before the"
        f" jump, {where['at']} at the same snapshot and {where['after']} after it."
    )
    labelled = [next(row["labelled"] for row in runs[name] if row["step"] == e["half"]) for name, e in jumped.items()]
    if labelled:
        lines.append(
            f"At the jump labelled neurons hold {min(labelled):.0%} to {max(labelled):.0%} of the energy"
            f" (median {statistics.median(labelled):.0%}); at the last snapshot"
            f" {min(rows[-1]['labelled'] for rows in runs.values()):.1%} to {max(rows[-1]['labelled'] for rows in runs.values()):.1%}."
        )
    lines += ["", "## One after the other, or together?", ""]
    gaps = []
    for e in jumped.values():
        steps = sorted(e["irreps"].values())
        gaps += [b - a for a, b in itertools.pairwise(steps)]
    if gaps:
        lines.append(
            f"Between one irrep's appearance and the next lie {min(gaps)} to {max(gaps)} steps (median {statistics.median(gaps):g}, in"
            " steps of the snapshots); 0 means the same snapshot. Appearing means crossing a threshold: several irreps then grow at the"
            " same time."
        )
    first: dict[str, int] = {}
    for e in found.values():
        for name, step in e["irreps"].items():
            if step == min(e["irreps"].values()):
                first[name] = first.get(name, 0) + 1
    said = ", ".join(f"{name} in {count}" for name, count in sorted(first.items(), key=lambda item: -item[1]))
    lines.append(f"The irrep that appears first: {said or 'none'} of {len(found)} runs.")
    lines += ["", "## Does what was found vanish again?", ""]
    vanished = {name: e["vanished"] for name, e in found.items() if e["vanished"]}
    said = "; ".join(f"{name}: {', '.join(f'{k} at {v}' for k, v in gone.items())}" for name, gone in vanished.items())
    lines.append(f"In {len(vanished)} of {len(found)} runs something fell below half of the threshold again: {said or 'nothing'}.")
    lines += ["", "## What goes on after the jump?", ""]
    rest = []
    for name in jumped:
        after = [row for row in runs[name] if held_out(row) >= 0.99]
        if len(after) > 1:
            rest.append((after[0], after[-1]))
    if rest:
        lines.append(
            f"From the first snapshot with 99 % of the held-out pairs right to the last one, over {len(rest)} runs: the share of"
            f" energy in neurons without a label goes from {statistics.median(1 - a['labelled'] for a, _ in rest):.1%} to"
            f" {statistics.median(1 - b['labelled'] for _, b in rest):.1%} (medians), what L and R leave beside their best rank-one"
            f" part from {statistics.median(1 - a['rank_one'] for a, _ in rest):.2%} to"
            f" {statistics.median(1 - b['rank_one'] for _, b in rest):.2%}, neurons that can change an answer from"
            f" {statistics.median(a['live'] for a, _ in rest):g} to {statistics.median(b['live'] for _, b in rest):g}."
        )
    return lines


def _step(value: int | None) -> str:
    return "-" if value is None else str(value)


def main(folders: list[str]) -> None:
    """Write docs/training.md, and the figure of the first run beside it."""
    runs = {}
    for folder in map(Path, folders):
        rows = json.loads((folder / "trace.json").read_text(encoding="utf-8"))
        runs[folder.name.partition(".")[0]] = [row for row in rows if "reason" not in row and row["step"] is not None]
    text = page(runs)
    name = next(iter(runs))
    shutil.copy(Path(folders[0]) / "trace.svg", DOCS / "figures" / "trace.svg")
    text += f"\n![answers, least margin and shares of energy over the steps of training](figures/trace.svg)\n\nThe run {name}.\n"
    (DOCS / "training.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("expected folders that `verify trace` wrote, got none")
    main(sys.argv[1:])
