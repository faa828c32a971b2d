"""A training run watched through its snapshots: the figures of each (`verify.jobs.snapshot`), and what happened when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from net.checkpoint import steps_of
from net.discovery import checkpoints
from net.errors import MalformedInput
from reports.escaping import escaped
from reports.numbers import share
from reports.trace_words import NOT_KNOWN, SHARES, held_out_share, margin_words, measured_words, split_words, trained_share
from verify.jobs.many import Died, finished
from verify.jobs.snapshot import Numbering, Snapshot, check_step, named_step, snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from reports.records import Record

#: A class of subgroups or an irrep has appeared when it holds this share of the energy.
APPEARED = 0.05


def trace(
    folder: Path,
    group: str | None = None,
    jobs: int = 1,
    scheduler: str | None = None,
    programs: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> list[Snapshot]:
    """The figures of every checkpoint in a folder or file, in order of steps; one that cannot be read has a ``reason`` instead.

    The step is what the file states, or else what its name tells (`named_step`). A file may hold the checkpoints of several steps, as
    `full_run.pth` of sn-grok does, by epoch or by place in a list; a step that a file of its own has is not looked at again there.
    ``programs`` distils each as well, for the price of the readable program and the variance that it explains. ``jobs`` and
    ``scheduler`` are those of `verify.jobs.many.finished`.

    Raises:
        MalformedInput: there is no checkpoint, none can be read, or they are of several runs (`check_one_run`).

    """
    work = _snapshots(checkpoints([folder]))
    rows: list[Snapshot] = []
    known = _numbering(work, group)
    for k, result in finished(snapshot, [(path, group, programs, step, known) for path, step in work], jobs, scheduler):
        path, step = work[k]
        row = {"step": named_step(path) if step is None else step, "reason": result.reason} if isinstance(result, Died) else result
        row = {**row, "file": str(path.relative_to(folder)) if folder.is_dir() else path.name}
        rows.append(row)
        progress(f"{len(rows)} of {len(work)}: {row['file']}" + ("" if step is None else f", step {step}"))
    if all("reason" in row for row in rows):
        raise MalformedInput(f"expected snapshots of a network in {folder}, got none that can be read: {rows[0]['reason']}")
    rows.sort(key=lambda row: (row["step"] is None, row["step"] or 0, row["file"]))
    check_one_run(folder, rows)
    return rows


def check_one_run(folder: Path, rows: Sequence[Snapshot]) -> None:
    """Refuse snapshots of several runs, which would be shown as one that rises and falls.

    Raises:
        MalformedInput: they are of different groups, seeds that their files state, or numbers of neurons, or two are of one step.

    """
    read = [row for row in rows if "reason" not in row]
    mend = "name the folder, or the file, of one run"
    for key, several in (("group", "the groups {}"), ("seed", "the seeds {}"), ("width", "{} hidden neurons")):
        found = sorted({row[key] for row in read if key in row})
        if len(found) > 1:
            shown = several.format(", ".join(map(str, found[:5])) + (", ..." if len(found) > 5 else ""))
            raise MalformedInput(f"expected the snapshots of one training run in {folder}, got networks of {shown}: {mend}")
    first: dict[int, str] = {}
    for row in read:
        step, file = row["step"], row["file"]
        if step in first:
            raise MalformedInput(f"expected one network at each step in {folder}, got {first[step]} and {file} at step {step}: {mend}")
        if step is not None:
            first[step] = file


def _snapshots(paths: list[Path]) -> list[tuple[Path, int | None]]:
    """Every network in the files: those that hold one, with None, and of those that hold several each step that has no file.

    Raises:
        MalformedInput: a file holds a network of no possible step.

    """
    several = {path: steps for path in paths if len(steps := steps_of(path)) > 1}
    for path, steps in several.items():
        for step in steps:
            check_step(step, path.name)
    work: list[tuple[Path, int | None]] = [(path, None) for path in paths if path not in several]
    there = {named_step(path) for path, _ in work if path.suffix == ".pth"}
    return work + [(path, step) for path, steps in several.items() for step in steps if step not in there]


def _numbering(work: list[tuple[Path, int | None]], group: str | None) -> Numbering | None:
    """That of the last step, which is likeliest to show it; None where that cannot be read or its numbering has no name."""
    from algebra.errors import GroupError
    from algebra.numbering import ELEMENT_ORDERS
    from verify.analysis import analyse

    path, step = max(work, key=lambda one: (named_step(one[0]) or 0) if one[1] is None else one[1])
    try:
        convention = analyse(path, group, timeout_s=0, step=step).network.convention
    except (MalformedInput, GroupError, OSError):
        return None
    return Numbering(convention.order, convention.product) if convention and convention.order in ELEMENT_ORDERS else None


def events(rows: Sequence[Snapshot]) -> Record:
    """When what happened, in steps of the snapshots; those without a step are left out.

    ``half`` and ``nearly`` are the first at which half and 99 % of the held-out pairs are right, ``classes`` and ``irreps`` the first
    at which each holds `APPEARED` of the energy, ``vanished`` those that fall below half of that again, with the step of it. Where a
    share is not known, nothing happens.
    """
    read = [row for row in rows if "reason" not in row and row["step"] is not None]
    found: Record = {"half": None, "nearly": None, "classes": {}, "irreps": {}, "vanished": {}}
    for row in read:
        held = held_out_share(row)
        if held is not None:
            for name, bar in (("half", 0.5), ("nearly", 0.99)):
                if found[name] is None and held >= bar:
                    found[name] = row["step"]
        for kind, part_of in SHARES.items():
            for name in {**found[kind], **row[kind]}:
                part = part_of(row, name)
                if part is None:
                    continue
                if part >= APPEARED:
                    found[kind].setdefault(name, row["step"])
                elif name in found[kind] and part < APPEARED / 2:
                    found["vanished"].setdefault(name, row["step"])
    return found


def markdown(rows: Sequence[Snapshot]) -> str:
    """The table in Markdown: one row a snapshot, with its three leading classes and irreps; then the events."""
    lines = [
        "| step | trained | held out | right | least margin | live | labelled | rank one | classes | irreps |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        step = NOT_KNOWN if row["step"] is None else row["step"]
        if "reason" in row:
            lines.append(f"| {step} | not read: {escaped(row['reason'])} |" + " |" * 8)
            continue
        cells = [
            step,
            split_words(row, trained_share(row)),
            split_words(row, held_out_share(row)),
            share(row["right"] / row["pairs"]),
            margin_words(row),
            row["live"],
            measured_words(row["labelled"]),
            measured_words(row["rank_one"]),
            *(_leading(row, kind) for kind in SHARES),
        ]
        lines.append("| " + " | ".join(escaped(cell) for cell in cells) + " |")
    lines += ["", *_told(rows)]
    if any(name.endswith("*") for row in rows for name in row.get("classes", {})):
        lines.append("A star marks twisted ones: cosets are read times a sign.")
    return "\n".join(lines) + "\n"


def _leading(row: Snapshot, kind: str) -> str:
    """The three parts with the most energy; "none" where none has any."""
    if SHARES[kind](row, "") is None:
        return NOT_KNOWN
    return ", ".join(f"{name} {share(part)}" for name, part in list(row[kind].items())[:3]) or "none"


def _told(rows: Sequence[Snapshot]) -> list[str]:
    """The events in sentences, which say of nothing that it did not happen where it is not known."""
    read = [row for row in rows if "reason" not in row and row["step"] is not None]
    if not read:
        return ["No snapshot's step is known, so nothing is said of when what happened."]
    found, lines = events(rows), []
    if any(held_out_share(row) is not None for row in read):
        half, nearly = ("at no snapshot" if found[name] is None else f"step {found[name]}" for name in ("half", "nearly"))
        lines.append(f"Half of the held-out pairs right for the first time: {half}. 99 %: {nearly}.")
    else:
        lines.append("Held-out pairs: there are none, or it is not known which they are.")
    for kind, title in (("classes", "Classes of subgroups"), ("irreps", "Irreps")):
        if all(SHARES[kind](row, "") is None for row in read):
            lines.append(f"{title}: not measured at any snapshot.")
            continue
        words = ", ".join(f"{escaped(name)} at {step}" for name, step in found[kind].items())
        lines.append(f"{title} with at least {100 * APPEARED:.0f} % of the energy for the first time: {words or 'none'}.")
    words = ", ".join(f"{escaped(name)} at {step}" for name, step in found["vanished"].items())
    return [*lines, f"Fallen below half of that again: {words or 'none'}."]
