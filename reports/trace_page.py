"""The page of `verify trace`: a strip with a row for each figure and a column for each snapshot, and the values at the one chosen."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from reports.escaping import escaped_html
from reports.html_file import html_file
from reports.records import Record

#: Classes and irreps that never hold this share of the energy have no row.
LEAST = 0.01


class Row(NamedTuple):
    """A row of the strip: its name, its value at each snapshot (None where it is not known), and whether the values are shares."""

    name: str
    values: list[float | None]
    shares: bool = True


def trace_page(rows: Sequence[Record], found: Record, name: str) -> str:
    """The page's text. ``rows`` and ``found`` are what `verify.jobs.trace` gives for the run; ``name`` is the run's.

    A row is shaded from nothing to its section's largest value, so that small shares are seen beside one another; the values stand
    beside the strip, to three digits.
    """
    read = [row for row in rows if "reason" not in row and row["step"] is not None]
    sections = [(title, note, kept) for title, note, kept in _sections(read, found) if kept]
    steps = [row["step"] for row in read]
    inside = "\n".join(
        [
            f"<p>{len(read)} snapshots of {escaped_html(name)}. Choose one by the slider (arrow keys), or in the strip. "
            "Pairs right are exact, shares of energy measured.</p>",
            '<p class="chosen"><label>snapshot <input id="chosen" type="range" min="0" '
            f'max="{max(0, len(read) - 1)}" value="{max(0, len(read) - 1)}"></label> '
            '<output id="step" for="chosen" aria-live="polite"></output></p>',
            *(_section(title, note, kept, found) for title, note, kept in sections),
            _unread(rows),
        ]
    )
    data = {
        "steps": steps,
        "sections": [[{"values": row.values, "shares": row.shares} for row in kept] for _, _, kept in sections],
    }
    return html_file(f"Training watched: {name}", inside, data, styles=("page.css", "trace.css"), script="trace.js")


def _sections(read: Sequence[Record], found: Record) -> list[tuple[str, str, list[Row]]]:
    def column(value: Callable[[Record], float | None]) -> list[float | None]:
        return [value(row) for row in read]

    answers = [Row("all pairs", column(lambda row: row["right"] / row["pairs"]))]
    if any("trained_right" in row for row in read):
        answers += [
            Row("trained on", column(lambda row: _share(row, "trained_right", row.get("trained_pairs", 0)))),
            Row("held out", column(lambda row: _share(row, "held_out_right", row["pairs"] - row.get("trained_pairs", 0)))),
        ]
    whole = [
        Row("energy in labelled neurons", column(lambda row: row["labelled"])),
        Row("rank-one share of L and R", column(lambda row: row["rank_one"])),
    ]
    if any("fve" in row for row in read):
        whole += [
            Row("variance that the readable program explains", column(lambda row: row.get("fve"))),
            Row("its integers over the parameters", column(lambda row: row.get("ratio"))),
        ]
    return [
        ("Pairs right", "Share of the pairs, exact.", answers),
        ("Least margin", "Of the pairs that are right.", [Row("least margin", column(lambda row: row["min_margin"]), shares=False)]),
        (
            "Structure",
            "Measured; L and R are the two readings of a neuron, weighted by its energy.",
            [row for row in whole if any(v is not None for v in row.values)],
        ),
        (
            "Classes of subgroups",
            "Share of the energy in neurons read through them; with a star, times a sign.",
            _held(read, "classes", found),
        ),
        ("Irreps", "Share of the energy in neurons that live on them.", _held(read, "irreps", found)),
    ]


def _share(row: Record, key: str, whole: int) -> float | None:
    return row[key] / whole if key in row and whole else None


def _held(read: Sequence[Record], kind: str, found: Record) -> list[Row]:
    """A row for each class or irrep that ever holds `LEAST`; in order of appearance, those that never do by their largest share."""
    most: dict[str, float] = {}
    for row in read:
        for name, share in row[kind].items():
            most[name] = max(share, most.get(name, 0.0))
    shown = [name for name, share in most.items() if share >= LEAST]
    shown.sort(key=lambda name: (name not in found[kind], found[kind].get(name, 0), -most[name], name))
    return [Row(name, [row[kind].get(name, 0.0) for row in read]) for name in shown]


def _section(title: str, note: str, rows: list[Row], found: Record) -> str:
    appeared = {**found["classes"], **found["irreps"]}
    lines = []
    for row in rows:
        when = f"step {appeared[row.name]}" if row.name in appeared else ""
        if row.name in found["vanished"]:
            when += f"; first below half of that at step {found['vanished'][row.name]}"
        lines.append(
            f'<tr><th scope="row">{escaped_html(row.name)}</th><td><canvas height="18"></canvas></td>'
            f'<td class="r value"></td><td>{escaped_html(when)}</td></tr>'
        )
    last = "reached 5 %" if title in ("Classes of subgroups", "Irreps") else ""
    return (
        f'<div class="scroll" tabindex="0"><table class="strip"><caption><strong>{escaped_html(title)}.</strong> {escaped_html(note)}'
        f'</caption><thead><tr><th scope="col"></th><th scope="col">snapshots</th><th scope="col" class="r">value</th>'
        f'<th scope="col">{last}</th></tr></thead><tbody>\n' + "\n".join(lines) + "\n</tbody></table></div>"
    )


def _unread(rows: Sequence[Record]) -> str:
    """What is not in the strip, with the reason."""
    left = [row for row in rows if "reason" in row or row["step"] is None]
    if not left:
        return ""
    items = "".join(f"<li>{escaped_html(row['file'])}: {escaped_html(row.get('reason', 'no step is known'))}</li>" for row in left)
    return f"<p>Not in the strip:</p><ul>{items}</ul>"
