"""The figures of a report, as SVG or PDF files that are the same for the same input."""

import io
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from reports.definitions import told
from reports.grid_figure import draw_pairs
from reports.hasse import draw_lattice
from reports.mechanism import MOST_PANELS, drawn
from reports.neuron_figure import draw_neuron
from reports.records import Record
from reports.source import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from reports.circuits import ReportedCircuit, VoteTable

BLUE, ORANGE = "#1f5fa8", "#d9822b"
STYLE: "dict[Any, Any]" = {
    "svg.hashsalt": "coset-verify",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "font.size": 9,
}


def draw_figures(source: Source, pictures: Record | None, neuron: int | None, form: Literal["svg", "pdf"] = "svg") -> dict[str, bytes]:
    """The figures that there is data for, by name in the order in which the report shows them, as files.

    Raises KeyError when the summary lacks an entry.
    """
    s = source.s
    drawings: dict[str, Callable[[], Figure | None]] = {
        "neuron": lambda: draw_neuron(pictures, neuron) if pictures is not None and neuron is not None else None,
        "pairs": lambda: draw_pairs(s["families"]),
        "votes": lambda: draw_votes(drawn(told(source))),
        "curve": lambda: draw_curve(s),
        "margins": lambda: draw_margins(s),
        "lattice": lambda: draw_lattice(s["lattice"], source.group),
    }
    with styled():
        figures = {name: draw() for name, draw in drawings.items()}
        return {name: saved(figure, form) for name, figure in figures.items() if figure is not None}


@contextmanager
def styled() -> "Iterator[None]":
    """The style of all figures: a fixed salt, so that the same figure is the same file."""
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        yield


def saved(figure: "Figure", form: Literal["svg", "pdf", "png"] = "svg") -> bytes:
    """The figure as a file without a date in it."""
    content = io.BytesIO()
    dates = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(form)
    figure.savefig(content, format=form, metadata=dates, bbox_inches="tight", dpi=200)
    return content.getvalue()


def draw_votes(circuits: "list[ReportedCircuit]") -> "Figure | None":
    """The vote tables of some circuits in a row: of each the kinds of z that get the largest votes, for and against."""
    from matplotlib.figure import Figure

    tables = [(circuit.number, circuit.table) for circuit in circuits if circuit.table is not None and len(circuit.table.kinds) > 1]
    if not tables:
        return None
    longest = max(len(label) for _, table in tables for label in table.columns)  # written upright below the squares
    figure = Figure(figsize=(3.4 * len(tables), 2.1 + 0.05 * max(0, longest - 8)), layout="constrained")
    parts: Any = figure.subfigures(1, len(tables), squeeze=False, wspace=0.04)
    for part, (number, table) in zip(parts[0], tables, strict=True):
        _draw_table(part, number, table)
    return figure


def kinds_drawn(table: "VoteTable") -> list[int]:
    """The kinds of z that are drawn: those with the largest votes, in their order."""
    largest = [max(abs(cell[d]) for line in table.votes for cell in line) for d in range(len(table.kinds))]
    return sorted(sorted(range(len(table.kinds)), key=lambda d: -largest[d])[:MOST_PANELS])


def _draw_table(figure: "Any", number: int, table: "VoteTable") -> None:  # Any: a SubFigure
    most = max((abs(v) for line in table.votes for cell in line for v in cell), default=0.0) or 1.0
    kinds = kinds_drawn(table)
    row = figure.subplots(1, len(kinds), squeeze=False)[0]
    for axes, d in zip(row, kinds, strict=True):
        values = [[cell[d] for cell in line] for line in table.votes]
        image = axes.imshow(values, cmap="RdBu", vmin=-most, vmax=most, aspect="equal")
        axes.set_title(table.kinds[d], fontsize=6, parse_math=False)
        _mark_products(axes, table.products, d)
        _ticks(axes, table.rows, table.columns, first=d == kinds[0])
    figure.suptitle(f"votes of circuit {number} on", fontsize=7)
    bar = figure.colorbar(image, ax=row, shrink=0.6, pad=0.02)
    bar.ax.tick_params(labelsize=5)


def _mark_products(axes: "Axes", products: "list[list[int | None]]", kind: int) -> None:
    """A dot in each cell whose product is of this kind."""
    cells = [(q, p) for p, line in enumerate(products) for q, d in enumerate(line) if d == kind]
    axes.scatter([q for q, _ in cells], [p for _, p in cells], s=5, color="black", linewidths=0)


def _ticks(axes: "Axes", rows: list[str], columns: list[str], first: bool) -> None:
    size = 5 if max(len(rows), len(columns)) <= 10 else 4
    axes.set_xticks(range(len(columns)), columns, rotation=90, fontsize=size, parse_math=False)
    axes.set_yticks(range(len(rows)), rows if first else [""] * len(rows), fontsize=size, parse_math=False)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("y", fontsize=7)


def draw_curve(summary: Record) -> "Figure":
    """Price against what is explained: the logits' variance, and the same after removals."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, PercentFormatter

    points = sorted(summary["curve"], key=lambda point: point["ratio"])
    fitted = [point for point in points if point["name"] != "provable"]  # the provable program is made for another end
    figure = Figure(figsize=(6.4, 3.8), layout="constrained")
    axes = figure.subplots()
    series = (
        ("logit_fve", "all circuits in place", BLUE, "o-"),
        ("ablation_fve", "after removals", ORANGE, "s--"),
    )
    for key, label, colour, style in series:
        for some, line in ((fitted, style), ([point for point in points if point not in fitted], style[0])):
            known = [point for point in some if point[key] is not None and point["ratio"] > 0]
            at = [point["ratio"] for point in known], [point[key] for point in known]
            axes.plot(*at, line, color=colour, label=label if some is fitted else None, markersize=4)
    for point in points:
        if point["name"] in ("readable", "faithful", "provable") and point["logit_fve"] is not None and point["ratio"] > 0:
            place, above = (point["ratio"], point["logit_fve"]), (0, 7)
            axes.annotate(point["name"], place, above, textcoords="offset points", ha="center", fontsize=8)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.3g} %"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.set_ylim(top=min(1.0, axes.get_ylim()[1]) + 0.04 * (1 - axes.get_ylim()[0]))
    axes.set_xlabel("constants of the program / parameters of the network")
    axes.set_ylabel("variance of the logits explained")
    axes.grid(alpha=0.3)
    axes.legend(frameon=False, loc="lower right")
    return figure


def draw_margins(summary: Record) -> "Figure | None":
    """How many of the right pairs have which margin, and how many pairs which lower bound by the compact proof."""
    from matplotlib.figure import Figure

    margins = summary.get("margins")
    if not margins:
        return None
    figure = Figure(figsize=(6.4, 3.2), layout="constrained")
    axes = figure.subplots()
    series = (("network", "margins of the network (measured)", BLUE), ("bound", "lower bounds by the inequality alone", ORANGE))
    for key, label, colour in series:
        axes.stairs(margins[key], margins["edges"], label=label, color=colour, fill=True, alpha=0.45)
    axes.axvline(0, color="black", linewidth=0.7)
    axes.set_xlabel("lead of the right logit over the best other one")
    axes.set_ylabel("pairs")
    axes.legend(frameon=False)
    return figure
