"""A document as the inside of an HTML page; every text in it is escaped, and no attribute comes from a file."""

import base64
import re

from reports.blocks import Block, Bullets, Display, Environment, Figure, Heading, Line, Listing, Paragraph, Table
from reports.escaping import escaped_html


def formula(value: str) -> str:
    """A formula: letters after ``_`` below the line."""
    return re.sub(r"_([A-Za-z])", r"<sub>\1</sub>", escaped_html(value))


def line(spans: Line) -> str:
    """A line as HTML."""
    found = ""
    for content, style in spans:
        if style == "math":
            found += f'<span class="math">{formula(content)}</span>'
        else:
            tag = {"strong": "strong", "emph": "em", "code": "code"}.get(style)
            found += f"<{tag}>{escaped_html(content)}</{tag}>" if tag else escaped_html(content)
    return found


def body(blocks: tuple[Block, ...], figures: dict[str, str]) -> str:
    """Blocks as HTML; ``figures`` are SVG files by name, which go into the page."""
    return "\n".join(_block(block, figures) for block in blocks)


def _block(block: Block, figures: dict[str, str]) -> str:
    if isinstance(block, Heading):
        level = min(block.level, 4)
        return f'<h{level} id="{escaped_html(block.anchor)}">{line(block.line)}</h{level}>'
    if isinstance(block, Paragraph):
        return f"<p>{line(block.line)}</p>"
    if isinstance(block, Display):
        return f'<p class="display math">{formula(block.formula)}</p>'
    if isinstance(block, Bullets):
        return "<ul>" + "".join(f"<li>{line(point)}</li>" for point in block.lines) + "</ul>"
    if isinstance(block, Table):
        return table(block)
    if isinstance(block, Figure):
        svg = base64.b64encode(figures[block.name].encode()).decode()
        alternative = escaped_html("".join(span.text for span in block.caption))
        return (
            f'<figure id="figure-{escaped_html(block.name)}"><img alt="{alternative}" src="data:image/svg+xml;base64,{svg}">'
            f"<figcaption><strong>Figure {block.number}.</strong> {line(block.caption)}</figcaption></figure>"
        )
    if isinstance(block, Listing):
        return f"<pre>{escape_lines(block.text)}</pre>"
    return _environment(block, figures)


def escape_lines(text: str) -> str:
    """Several lines as HTML."""
    return "\n".join(map(escaped_html, text.split("\n")))


def table(block: Table) -> str:
    """A table in a box that scrolls by itself."""
    sides = [' class="r"' if letter == "r" else "" for letter in block.align]
    head = "".join(f'<th scope="col"{side}>{line(cell)}</th>' for side, cell in zip(sides, block.head, strict=True))
    rows = "\n".join(
        "<tr>" + "".join(f"<td{side}>{line(cell)}</td>" for side, cell in zip(sides, row, strict=True)) + "</tr>" for row in block.rows
    )
    caption = f"<caption>{line(block.caption)}</caption>" if block.caption else ""
    name = f' id="table-{escaped_html(block.name)}"' if block.name else ""
    return (
        f'<div class="scroll" tabindex="0"><table{name}>{caption}<thead><tr>{head}</tr></thead><tbody>\n{rows}\n</tbody></table></div>'
    )


def _environment(block: Environment, figures: dict[str, str]) -> str:
    title = f" ({line(block.title)})" if block.title else ""
    number = "" if block.number is None else f" {block.number}"
    opening = f"<em>Proof{title}.</em>" if block.kind == "Proof" else f"<strong>{block.kind}{number}{title}.</strong>"
    parts = [_block(part, figures) for part in block.blocks]
    parts[0] = parts[0].replace("<p>", f"<p>{opening} ", 1)
    if block.kind == "Proof":
        parts.append('<p class="qed">∎</p>')
    name = f' id="{block.kind.lower()}-{block.number}"' if block.number is not None else ""
    return f'<section class="{block.kind.lower()}"{name}>' + "\n".join(parts) + "</section>"
