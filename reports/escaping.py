"""One escaping of text for Markdown, applied to everything that a template prints and to nothing by hand.

Text comes from files that a stranger may have written: names of groups and subgroups, reasons, versions. In the report each is shown
as it is, within its line and its cell, and never read as markup. CommonMark lets a backslash stand before any ASCII punctuation,
which then means itself; HTML is made from that Markdown with raw HTML switched off.
"""

import html
import re
from typing import TypeVar, overload

#: what means something within a line in CommonMark, in GitHub's tables or in its formulas
_INLINE = re.compile(r"[\\`*_\[\]|&~$]")
#: what means something at the beginning of a line: headings, lists, quotes, rules, definitions
_FIRST = re.compile(r"^(\s*)([#+\-=:!>])(?!\d)")
#: what some readers make a link of without being asked
_WEB = re.compile(r"(www)\.", re.IGNORECASE)
_NUMBERED = re.compile(r"^(\s*\d+)([.)])(?=\s|$)")
#: letters and signs that are not seen either: fillers of Hangul, and the pattern of Braille without dots
_BLANK = frozenset("\u115f\u1160\u3164\uffa0\u2800")


class Markdown(str):
    """Text that is Markdown already: its parts were escaped when it was made."""

    __slots__ = ()


def one_line(text: str) -> str:
    """The text with a space in place of what ends a line or is not seen: controls, separators, marks of direction."""
    return text if text.isascii() and text.isprintable() else "".join(c if is_seen(c) else " " for c in text)


Held = TypeVar("Held")


@overload
def on_one_line(value: dict[str, Held]) -> dict[str, Held]: ...
@overload
def on_one_line(value: list[Held]) -> list[Held]: ...
@overload
def on_one_line(value: object) -> object: ...
def on_one_line(value: object) -> object:
    """A JSON value with every text in it, keys too, on one line."""
    if isinstance(value, dict):
        return {one_line(key): on_one_line(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [on_one_line(part) for part in value]
    return one_line(value) if isinstance(value, str) else value


def is_seen(character: str) -> bool:
    """Whether the character shows as something, or is a plain space: of no Unicode category of controls, formats or other spaces."""
    return character.isprintable() and character not in _BLANK


def escaped(value: object) -> Markdown:
    """A value as Markdown that shows it as it is, in one line; what is Markdown already stays."""
    if isinstance(value, Markdown):
        return value
    text = _INLINE.sub(r"\\\g<0>", one_line(str(value)))
    text = _FIRST.sub(r"\1\\\2", text)
    text = _NUMBERED.sub(r"\1\\\2", text).replace("://", ":\\//").replace("<", "&lt;")
    return Markdown(_WEB.sub(r"\1\\.", text))


def escaped_html(text: str) -> str:
    """A text as HTML that shows it as it is, in one line."""
    return html.escape(one_line(text))
