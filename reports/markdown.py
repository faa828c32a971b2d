"""A document as Markdown: CommonMark with tables, one paragraph or cell to a line."""

import re

from reports.blocks import Block, Bullets, Display, Document, Environment, Figure, Heading, Line, Listing, Paragraph, Table
from reports.escaping import escaped, one_line


def markdown(document: Document, figures: str = "figures") -> str:
    """The text of a document; ``figures`` is the folder of its pictures, as SVG."""
    blocks = [_block(block, figures) for block in document.blocks]
    return "\n\n".join([f"# {line(document.title)}", *blocks]) + "\n"


def line(spans: Line, in_table: bool = False) -> str:
    """A line as Markdown that shows every span as it is; ``in_table`` a bar in code has a backslash, or it would end the cell."""
    found = ""
    for content, style in spans:
        if style == "code":
            plain = one_line(content)
            fence = "`" * (1 + max(map(len, re.findall("`+", plain)), default=0))  # longer than any that stands inside
            code = f"{fence} {plain} {fence}" if "`" in plain else f"`{plain}`"
            found += code.replace("|", r"\|") if in_table else code
        else:
            mark = {"strong": "**", "emph": "*"}.get(style, "")
            shown = escaped(f"x{content}")[1:] if found else escaped(content)  # only what begins a line can be a list or a heading
            kept = shown.strip()
            found += (
                f"{shown[: len(shown) - len(shown.lstrip())]}{mark}{kept}{mark}{shown[len(shown.rstrip()) :]}"
                if mark and kept
                else shown
            )
    return found


def _block(block: Block, figures: str) -> str:
    if isinstance(block, Heading):
        return f"{'#' * block.level} {line(block.line)}"
    if isinstance(block, Paragraph):
        return line(block.line)
    if isinstance(block, Display):
        return f"    {one_line(block.formula)}"
    if isinstance(block, Bullets):
        return "\n".join(f"- {line(point)}" for point in block.lines)
    if isinstance(block, Table):
        return _table(block)
    if isinstance(block, Figure):
        return f"![Figure {block.number}]({figures}/{block.name}.svg)\n\n**Figure {block.number}.** {line(block.caption)}"
    if isinstance(block, Listing):
        return f"```\n{block.text}\n```"
    return _environment(block, figures)


def _table(block: Table) -> str:
    rows = [
        "| " + " | ".join(map(line, block.head)) + " |",
        "|" + "|".join("---:" if letter == "r" else "---" for letter in block.align) + "|",
        *("| " + " | ".join(line(cell, in_table=True) for cell in row) + " |" for row in block.rows),
    ]
    return "\n".join([*([f"{line(block.caption)}\n"] if block.caption else []), *rows])


def _environment(block: Environment, figures: str) -> str:
    title = f" ({line(block.title)})" if block.title else ""
    number = "" if block.number is None else f" {block.number}"
    opening = f"*Proof{title}.*" if block.kind == "Proof" else f"**{block.kind}{number}{title}.**"
    parts = [_block(part, figures) for part in block.blocks]
    if block.kind == "Proof":
        parts[-1] += " ∎" if isinstance(block.blocks[-1], Paragraph) else "\n\n∎"
    text = "\n\n".join([f"{opening} {parts[0]}", *parts[1:]])
    if block.kind in ("Theorem", "Lemma"):
        return "\n".join(f"> {row}".rstrip() for row in text.split("\n"))
    return text
