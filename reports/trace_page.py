"""The page of `verify trace`: a strip with a row for each figure and a column for each snapshot, and the values at the one chosen."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from reports.escaping import escaped_html
from reports.html_file import html_file
from reports.numbers import plural
from reports.records import Record
from reports.trace_words import SHARES, held_out_share, margin_words, measured_words, split_words, trained_share

#: Classes and irreps that never hold this share of the energy have no row.
LEAST = 0.01


class Row(NamedTuple):
    """A row of the strip: its name, its value at each snapshot (None where there is none to shade), and the value in words."""

    name: str
    values: list[float | None]
    told: list[str]


def trace_page(rows: Sequence[Record], found: Record, name: str) -> str:
    """The page's text. ``rows`` and ``found`` are what `verify.jobs.trace` gives for the run; ``name`` is the run's.

    A row is shaded from nothing to its section's largest value, pairs right to all of them, so that small shares are seen beside one
    another; the values stand beside the strip, in the words of the table.
    """
    read = [row for row in rows if "reason" not in row and row["step"] is not None]
    sections = [(title, note, kept) for title, note, kept in _sections(read, found) if kept]
    steps = [row["step"] for row in read]
    inside = "\n".join(
        [
            f"<p>{plural(len(read), 'snapshot')} of {escaped_html(name)}. "
            "Choose one by the slider (arrow keys), or in the strip. Pairs right are exact, shares of energy measured. "
            "Shades go from nothing to the largest value of a section, those of pairs right to all pairs.</p>",
            '<p class="chosen"><label>snapshot <input id="chosen" type="range" min="0" '
            f'max="{max(0, len(read) - 1)}" value="{max(0, len(read) - 1)}"></label> '
            '<output id="step" for="chosen" aria-live="polite"></output></p>',
            *(_section(title, note, kept, found) for title, note, kept in sections),
            _unread(rows),
        ]
    )
    data = {
        "steps": steps,
        "sections": [[{"values": row.values, "told": row.told} for row in kept] for _, _, kept in sections],
    }
    return html_file(f"Training watched: {name}", inside, data, styles=("page.css", "trace.css"), script="trace.js")


def _sections(read: Sequence[Record], found: Record) -> list[tuple[str, str, list[Row]]]:
    answers = [_measured(read, "all pairs", lambda row: row["right"] / row["pairs"])]
    if any("trained_pairs" in row for row in read):
        answers += [
            _row(read, "trained on", trained_share, lambda row: split_words(row, trained_share(row))),
            _row(read, "held out", held_out_share, lambda row: split_words(row, held_out_share(row))),
        ]
    whole = [
        _measured(read, "energy in labelled neurons", lambda row: row["labelled"]),
        _measured(read, "rank-one share of L and R", lambda row: row["rank_one"]),
        _measured(read, "variance that the readable program explains", lambda row: row.get("fve")),
        _measured(read, "its integers over the parameters", lambda row: row.get("ratio")),
    ]
    return [
        ("Pairs right", "Share of the pairs, exact.", answers),
        ("Least margin", "Of the pairs that are right.", [_row(read, "least margin", lambda row: row["min_margin"], margin_words)]),
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


def _row(read: Sequence[Record], name: str, value: Callable[[Record], float | None], told: Callable[[Record], str]) -> Row:
    return Row(name, [value(row) for row in read], [told(row) for row in read])


def _measured(read: Sequence[Record], name: str, value: Callable[[Record], float | None]) -> Row:
    return _row(read, name, value, lambda row: measured_words(value(row)))


def _held(read: Sequence[Record], kind: str, found: Record) -> list[Row]:
    """A row for each class or irrep that ever holds `LEAST`; in order of appearance, those that never do by their largest share."""
    most: dict[str, float] = {}
    part_of = SHARES[kind]
    for row in read:
        for name, share in row[kind].items():
            most[name] = max(share, most.get(name, 0.0))
    shown = [name for name, share in most.items() if share >= LEAST]
    shown.sort(key=lambda name: (name not in found[kind], found[kind].get(name, 0), -most[name], name))
    return [_measured(read, name, partial(part_of, name=name)) for name in shown]


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
