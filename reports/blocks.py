"""A document as blocks and lines, the same for Markdown, LaTeX and HTML: what is said stands once, how it is written three times.

A line is made by `say` from a sentence with light marks (``*emphasis*``, ``**strong**``, `` `code` ``, ``$formula$``) in which fields
``{name}`` are filled with values. Only the sentence is read for marks; a value is text as it is, whatever stands in it, so nothing
that comes from a file can turn into markup. Formulas are written in Unicode with ``_i`` for an index.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from string import Formatter
from typing import Literal, NamedTuple

Style = Literal["", "strong", "emph", "code", "math"]
_MARKS: dict[str, Style] = {"**": "strong", "*": "emph", "`": "code", "$": "math"}


class Span(NamedTuple):
    """A piece of a line in one style."""

    text: str
    style: Style = ""


Line = tuple[Span, ...]


def say(sentence: str, **values: object) -> Line:
    """The line of a sentence with its fields filled; a value is a line itself or anything that is written as text."""
    spans: list[Span] = []
    style: Style = ""
    for literal, name, _, _ in Formatter().parse(sentence):
        for piece in re.split(r"(\*\*|\*|`|\$)", literal):
            if piece in _MARKS and style in ("", _MARKS[piece]):
                style = "" if style else _MARKS[piece]
            elif piece:
                spans.append(Span(piece, style))
        if name is not None:
            value = values[name]
            spans += list(value) if isinstance(value, tuple) else [Span(str(value), style)]
    if style:
        raise ValueError(f"expected an end of {style} in {sentence!r}")
    return _merged(spans)


def _merged(spans: list[Span]) -> Line:
    """The spans with neighbours of one style made one."""
    found: list[Span] = []
    for span in spans:
        if found and found[-1].style == span.style and span.style != "code":
            found[-1] = Span(found[-1].text + span.text, span.style)
        else:
            found.append(span)
    return tuple(found)


def text(value: object) -> Line:
    """A value as a line that shows it as it is."""
    return (Span(str(value)),)


def joined(lines: Sequence[Line], between: str = " ") -> Line:
    """Lines one after the other, those that are empty left out."""
    spans: list[Span] = []
    for line in lines:
        if line:
            spans += [*([Span(between)] if spans else []), *line]
    return tuple(spans)


@dataclass(frozen=True)
class Heading:
    """A heading of a section (level 2) or below, with the name that links lead to."""

    level: int
    line: Line
    anchor: str


@dataclass(frozen=True)
class Paragraph:
    """A paragraph."""

    line: Line


@dataclass(frozen=True)
class Display:
    """A formula on a line of its own."""

    formula: str


@dataclass(frozen=True)
class Bullets:
    """A list of points."""

    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Table:
    """A table with a caption; ``align`` has a letter l or r for each column. ``name`` is its element's id on the page."""

    head: tuple[Line, ...]
    rows: tuple[tuple[Line, ...], ...]
    align: str
    caption: Line = ()
    long: bool = False
    name: str = ""


@dataclass(frozen=True)
class Figure:
    """A figure by the name of its file, with its number and caption."""

    name: str
    number: int
    caption: Line


@dataclass(frozen=True)
class Listing:
    """Lines to be typed or read as they are."""

    text: str


@dataclass(frozen=True)
class Environment:
    """A definition, theorem, lemma or proof; a proof has no number."""

    kind: Literal["Definition", "Theorem", "Lemma", "Proof"]
    blocks: "tuple[Block, ...]"
    number: int | None = None
    title: Line = ()


Block = Heading | Paragraph | Display | Bullets | Table | Figure | Listing | Environment


@dataclass(frozen=True)
class Document:
    """A title and its blocks."""

    title: Line
    blocks: tuple[Block, ...]


def table(
    head: Sequence[str | Line], rows: Sequence[Sequence[object]], align: str, caption: Line = (), long: bool = False, name: str = ""
) -> Table:
    """A table from sentences or lines in its head, and values or lines in its rows; a text from a file is no sentence."""
    cells = tuple(tuple(cell if isinstance(cell, tuple) else text(cell) for cell in row) for row in rows)
    return Table(tuple(title if isinstance(title, tuple) else say(title) for title in head), cells, align, caption, long, name)
