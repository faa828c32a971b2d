"""One escaping of text for Markdown, applied to everything that a template prints and to nothing by hand.

Text comes from files that a stranger may have written: names of groups and subgroups, reasons, versions. In the report each is shown
as it is, within its line and its cell, and never read as markup. CommonMark lets a backslash stand before any ASCII punctuation,
which then means itself; HTML is made from that Markdown with raw HTML switched off.
"""

import html
import re
from typing import Any

#: what means something within a line in CommonMark, in GitHub's tables or in its formulas
_INLINE = re.compile(r"[\\`*_\[\]|&~$]")
#: what means something at the beginning of a line: headings, lists, quotes, rules, definitions
_FIRST = re.compile(r"^(\s*)([#+\-=:!>])(?!\d)")
_NUMBERED = re.compile(r"^(\s*\d+)([.)])(?=\s|$)")
#: what ends a line, or is not printed: C0 and C1 controls, separators of lines and paragraphs, marks that turn the direction of text
_UNPRINTED = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]+")


class Markdown(str):
    """Text that is Markdown already: its parts were escaped when it was made."""

    __slots__ = ()


def one_line(text: str) -> str:
    """The text with a space in place of what ends a line or is not printed."""
    return _UNPRINTED.sub(" ", text)


def escaped(value: Any) -> Markdown:
    """A value as Markdown that shows it as it is, in one line; what is Markdown already stays."""
    if isinstance(value, Markdown):
        return value
    text = _INLINE.sub(r"\\\g<0>", one_line(str(value)))
    text = _FIRST.sub(r"\1\\\2", text)
    return Markdown(_NUMBERED.sub(r"\1\\\2", text).replace("://", ":\\//").replace("<", "&lt;"))


def escaped_html(text: str) -> str:
    """A text as HTML that shows it as it is, in one line."""
    return html.escape(one_line(text))
