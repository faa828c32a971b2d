"""The page to look at: the report and everything in it that can be clicked, as one HTML file that loads nothing.

What the script draws it takes from one JSON value in the page; no text of a file becomes markup.
"""

import base64
import json
import re
import struct
from collections.abc import Sequence

from reports.appendices import circuit_rows, circuits_appendix, neuron_pairs
from reports.as_html import body, table
from reports.blocks import Block, Document, Figure, Heading, Table, say
from reports.blocks import table as table_of
from reports.circuits import class_labels, parts
from reports.coset_voting import Program as Voting
from reports.coset_voting import Rows
from reports.escaping import escaped_html
from reports.html_file import html_file
from reports.limits import references
from reports.named_form import NamedForm
from reports.numbers import rational, share
from reports.records import Record
from reports.source import Source

#: Bytes of circuits, and numbers of neurons, above which a page holds none of them: it stays below three megabytes.
MOST_BYTES, MOST_NUMBERS = 1_400_000, 1_500_000
#: Labels of rows are written for tables of at most this many.
MOST_LABELS = 40


def page(source: Source, document: Document, pictures: Record | None, voting: Voting, figures: dict[str, str]) -> str:
    """The page's text."""
    data = page_data(source, pictures, voting)
    looks = looking(source, bool(data["circuits"]))
    appendix = circuits_appendix(source).blocks
    static = tuple(block for block in _without_first_table(appendix) if not drawn_above(block))
    sections = [*document.blocks, *references()]
    anchors = [(block.anchor, block.line) for block in sections if isinstance(block, Heading) and block.level == 2]
    links = [("look", say("Look inside")), *anchors, ("more", say("More tables"))]
    contents = "".join(
        f'<li><a href="#{escaped_html(anchor)}">{escaped_html("".join(s.text for s in line))}</a></li>' for anchor, line in links
    )
    title = "".join(span.text for span in document.title)
    first, rest = _after_section(document.blocks)
    inside = "\n".join(
        [
            body(first, figures),
            looks,
            body((*rest, *references()), figures),
            '<h2 id="more">More tables</h2>',
            body(static, figures),
        ]
    )
    return html_file(title, inside, data, styles=("page.css",), script="page.js", contents=contents)


def drawn_above(block: Block) -> bool:
    """Whether the part to look at shows this block of the appendix, or what it draws."""
    return (isinstance(block, Table) and bool(block.name)) or (isinstance(block, Figure) and block.name == "lattice")


def _after_section(blocks: Sequence[Block]) -> tuple[tuple[Block, ...], tuple[Block, ...]]:
    """The first section, and all others."""
    second = [k for k, block in enumerate(blocks) if isinstance(block, Heading) and block.level == 2][1]
    return tuple(blocks[:second]), tuple(blocks[second:])


def _without_first_table(blocks: Sequence[Block]) -> list[Block]:
    """The appendix without the circuits' table, which stands above and can be sorted there."""
    start = next(k for k, block in enumerate(blocks) if isinstance(block, Table))
    return [
        Heading(3, block.line, f"more-{block.anchor}") if isinstance(block, Heading) else block
        for block in blocks[start + 1 :]
        if not (isinstance(block, Heading) and block.anchor == "circuits")
    ]


# ---- what can be clicked


def looking(source: Source, ballots: bool) -> str:
    """The tables, the ballot and the lattice."""
    return "\n".join(
        [
            '<div class="look"><h2 id="look">Look inside</h2>',
            _ballot() if ballots else "<p>The program has too many integers to be run on this page; program.py runs it.</p>",
            '<h3 id="circuits">Circuits</h3>',
            _filtered("circuits", circuit_table(source)),
            '<div id="circuit-view" class="panel" aria-live="polite"><p>Choose a circuit for its table of votes.</p></div>',
            '<h3 id="neurons">Neurons</h3>',
            _filtered("neurons", neuron_table(source)),
            '<div id="neuron-view" class="panel" aria-live="polite"><p>Choose a neuron for its picture.</p></div>',
            '<h3 id="lattice">Classes of subgroups</h3>',
            "<p>Each box is a class of conjugate subgroups, larger ones above; a line says that one contains the other with "
            "nothing between. "
            "Filled ones are in labels of neurons: choose one to see of which.</p>",
            '<div id="lattice-view" class="scroll" tabindex="0"></div>',
            '<div id="class-view" class="panel" aria-live="polite"><p>Choose a class.</p></div></div>',
        ]
    )


def _ballot() -> str:
    return (
        '<h3 id="ballot">The ballot at one pair</h3>\n'
        "<p>Type x and y as cycles, or choose the pair in the grid (by mouse, or with the arrow keys). The grid has x "
        "downwards and y to the "
        "right; the darker, the larger the least margin of the network there (measured), red where it is wrong.</p>\n"
        '<form id="pick"><label>x <input id="pick-x" autocomplete="off" spellcheck="false"></label>'
        '<label>y <input id="pick-y" autocomplete="off" spellcheck="false"></label>'
        '<button type="submit">vote</button> <span id="pick-error" class="error" role="alert"></span></form>\n'
        '<canvas id="pairs-grid" width="480" height="480" tabindex="0" role="application" aria-label="grid of all pairs"></canvas>\n'
        '<div id="ballot-view" aria-live="polite"></div>'
    )


def _filtered(name: str, block: Table) -> str:
    inside = table(block).replace('class="scroll"', 'class="scroll tall"')
    inside = re.sub(r'<tr><td class="r">(\d+)</td>', rf'<tr><td class="r"><a href="#{name[:-1]}-\1">\1</a></td>', inside)
    return f'<label>Show rows with <input id="filter-{name}" placeholder="words"></label>\n{inside}'


def circuit_table(source: Source) -> Table:
    """All circuits; the first cell is a link."""
    rows = circuit_rows(source)
    return table_of(["circuit", "family", "looks at", "and at", "votes on", "neurons", "energy"], rows, "rllllrr", name="circuits")


def neuron_table(source: Source) -> Table:
    """All neurons; the last three columns are proved."""
    rows = [
        [
            str(proved["index"]),
            proved["kind"],
            measured["left"] or "–",
            measured["right"] or "–",
            share(measured["energy_share"]),
            share(measured["votes_residual"]),
            *(rational(proved[f"{part}_deviation"]) for part in ("left", "right", "votes")),
        ]
        for measured, proved in neuron_pairs(source)
    ]
    head = ["neuron", "kind", "on $x$", "on $y$", "energy", "program leaves of votes", "$L$ differs by", "$R$ by", "votes by"]
    return table_of(head, rows, "rlllrrrrr", name="neurons")


# ---- what the script draws from


def page_data(source: Source, pictures: Record | None, voting: Voting) -> Record:
    """The Record value in the page."""
    kinds: list[str] = []
    place: dict[tuple[int, ...], int] = {}

    def part(rows: Rows, form: NamedForm) -> Record:
        key = tuple(rows.kind)
        if key not in place:
            place[key] = len(kinds)
            kinds.append(packed(rows.kind))
        labels = class_labels(form, rows.kind, source.words) if len(rows.rows) <= MOST_LABELS else None
        return {"kind": place[key], "rows": [list(row) for row in rows.rows], "labels": labels}

    found = []
    for circuit in source.circuits:
        left, right, votes = parts(voting.circuits[circuit.number - 1])
        found.append(
            {
                "number": circuit.number,
                "family": circuit.family,
                "words": [
                    form.phrase(source.words, v) for form, v in zip((circuit.left, circuit.right, circuit.votes), "xyz", strict=True)
                ],
                "neurons": list(circuit.neurons),
                "left": part(left, circuit.left),
                "right": part(right, circuit.right),
                "votes": part(votes, circuit.votes),
            }
        )
    if len(json.dumps([found, kinds])) > MOST_BYTES:
        found, kinds = [], []
    correct = source.c["correct"]
    return {
        "group": source.group,
        "degree": source.c["group"]["degree"],
        "elements": [list(element) for element in voting.group.elements],
        "scale": voting.scale,
        "squares": source.squares,
        "bias": list(voting.bias) if any(voting.bias) else [],
        "circuits": found,
        "kinds": kinds,
        "neurons": _neurons(source, pictures),
        "own": pictures is None or pictures.get("own", True),
        "partitions": [packed(partition) for partition in pictures["partitions"]] if pictures else [],
        "margins": source.s["margin_map"],
        "wrong": [row[:2] for row in correct["wrong"]],
        "lattice": source.s["lattice"],
        "start": correct["wrong"][0][:2] if correct["wrong"] else correct["min_margin_pair"] or [0, 0],
    }


def packed(numbers: Sequence[int]) -> str:
    """Numbers below 256 in one byte each, or all in two, the lower one first, in base 64; as many bytes as numbers says which."""
    wide = "H" if max(numbers, default=0) > 255 else "B"
    return base64.b64encode(struct.pack(f"<{len(numbers)}{wide}", *numbers)).decode("ascii")


def _neurons(source: Source, pictures: Record | None) -> list[Record]:
    circuit_of = {index: circuit.number for circuit in source.circuits for index in circuit.neurons}
    drawn = {neuron["index"]: neuron for neuron in pictures["neurons"]} if pictures else {}
    small = source.order * len(drawn) * 3 <= MOST_NUMBERS
    found = []
    for measured, proved in neuron_pairs(source):
        index = proved["index"]
        picture = drawn.get(index)
        row = {
            "index": index,
            "kind": proved["kind"],
            "left": measured["left"],
            "right": measured["right"],
            "energy": share(measured["energy_share"]),
            "circuit": circuit_of.get(index),
            "classes": picture["classes"] if picture else [],
        }
        if picture and small:
            row |= {"L": picture["left"], "R": picture["right"], "U": picture["votes"], "x": picture["x"], "y": picture["y"]}
        found.append(row)
    return found
