"""The figures of a report, as SVG or PDF files that are the same for the same input."""

import io
import warnings
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from reports.definitions import told
from reports.escaping import on_one_line
from reports.grid_figure import draw_pairs
from reports.hasse import draw_lattice
from reports.layout import GAP, POINTS, axes_at, width_of
from reports.mechanism import MOST_PANELS, drawn
from reports.neuron_figure import draw_neuron
from reports.records import Record
from reports.source import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from matplotlib.axes import Axes
    from matplotlib.backend_bases import RendererBase
    from matplotlib.figure import Figure
    from matplotlib.transforms import Bbox
    from matplotlib.typing import RcKeyType

    from reports.circuits import ReportedCircuit, VoteTable

BLUE, ORANGE = "#1f5fa8", "#d9822b"
#: The size of a point's name in the price curve, and where it may stand: to the right (or left) of the point and above (or below) it,
#: in widths and heights of the name.
NAME = 8
PLACES = ((0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (-1, 1), (1, -1), (-1, -1), (0, 2), (0, -2), (1, -2), (-1, 2), (0, 3), (0, -3))
STYLE: "dict[RcKeyType, object]" = {
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
    families: list[Record] = s["families"]
    drawings: dict[str, Callable[[], Figure | None]] = {
        "neuron": lambda: draw_neuron(pictures, neuron) if pictures is not None and neuron is not None else None,
        "pairs": lambda: draw_pairs(on_one_line(families)),
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
    """The style of all figures: a fixed salt, so that the same figure is the same file; no word of letters that the font lacks."""
    import matplotlib

    with matplotlib.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph ", UserWarning)
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        yield


def saved(figure: "Figure", form: Literal["svg", "pdf", "png"] = "svg") -> bytes:
    """The figure as a file without a date in it, cropped to what is drawn.

    What is drawn is measured before, where no layout engine has to draw the figure anyway: then it is drawn once.
    """
    from matplotlib.backends.backend_svg import RendererSVG

    content = io.BytesIO()
    dates = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(form)
    crop: Literal["tight"] | Bbox = "tight"
    if figure.get_layout_engine() is None:
        figure.dpi = POINTS  # as the renderer measures texts
        ruler: Callable[..., RendererBase] = RendererSVG  # without types
        crop = figure.get_tightbbox(ruler(*(figure.get_size_inches() * POINTS), io.StringIO())).padded(GAP)
    figure.savefig(content, format=form, metadata=dates, bbox_inches=crop, dpi=200)
    return content.getvalue()


#: A panel of a vote table and a bar of colours beside it, in inches, and the sizes of their texts, in points.
PANEL, BAR = 1.15, 0.06
TITLE, LABEL = 7, 6


def draw_votes(circuits: "list[ReportedCircuit]") -> "Figure | None":
    """The vote tables of some circuits in a row: of each the kinds of z that get the largest votes, for and against."""
    from matplotlib.figure import Figure

    tables = [(circuit.number, circuit.table) for circuit in circuits if circuit.table is not None and len(circuit.table.kinds) > 1]
    if not tables:
        return None
    below = max(width_of(table.columns, _tick_size(table)) for _, table in tables) + 0.3  # written upright
    places, left = [], 0.0
    for _, table in tables:
        kinds = kinds_drawn(table)
        pitch = max(PANEL, width_of((table.kinds[d] for d in kinds), LABEL)) + GAP
        left += width_of(table.rows, _tick_size(table)) + 2 * GAP
        places.append((left, pitch))
        left += len(kinds) * pitch + 0.65  # the bar and its numbers
    figure = Figure(figsize=(left, below + PANEL + 0.5))
    for (number, table), (start, pitch) in zip(tables, places, strict=True):
        _draw_table(figure, number, table, (start, below), pitch)
    return figure


def kinds_drawn(table: "VoteTable") -> list[int]:
    """The kinds of z that are drawn: those with the largest votes, in their order."""
    largest = [max(abs(cell[d]) for line in table.votes for cell in line) for d in range(len(table.kinds))]
    return sorted(sorted(range(len(table.kinds)), key=lambda d: -largest[d])[:MOST_PANELS])


def _draw_table(figure: "Figure", number: int, table: "VoteTable", place: tuple[float, float], pitch: float) -> None:
    """One table; ``place`` is the lower left corner of its first panel, and panels stand ``pitch`` apart."""
    most = max((abs(v) for line in table.votes for cell in line for v in cell), default=0.0) or 1.0
    kinds = kinds_drawn(table)
    left, below = place
    squares = max(len(table.rows), len(table.columns))
    across, up = (PANEL * len(labels) / squares for labels in (table.columns, table.rows))
    for k, d in enumerate(kinds):
        axes = axes_at(figure, left + k * pitch, below, across, up)
        values = [[cell[d] for cell in line] for line in table.votes]
        image = axes.imshow(values, cmap="RdBu", vmin=-most, vmax=most, aspect="equal")
        axes.set_title(table.kinds[d], fontsize=LABEL, parse_math=False)
        _mark_products(axes, table.products, d)
        _ticks(axes, table, first=k == 0)
    right = left + (len(kinds) - 1) * pitch + across
    size = figure.get_size_inches()
    middle, top = (left + right) / 2 / size[0], (below + up + 0.28) / size[1]
    figure.text(middle, top, f"votes of circuit {number} on", fontsize=TITLE, ha="center")
    bar = figure.colorbar(image, cax=axes_at(figure, right + GAP, below + 0.1 * up, BAR, 0.8 * up))
    bar.ax.tick_params(labelsize=5)


def _mark_products(axes: "Axes", products: "list[list[int | None]]", kind: int) -> None:
    """A dot in each cell whose product is of this kind."""
    cells = [(q, p) for p, line in enumerate(products) for q, d in enumerate(line) if d == kind]
    axes.scatter([q for q, _ in cells], [p for _, p in cells], s=5, color="black", linewidths=0)


def _tick_size(table: "VoteTable") -> int:
    return 5 if max(len(table.rows), len(table.columns)) <= 10 else 4


def _ticks(axes: "Axes", table: "VoteTable", first: bool) -> None:
    size, rows, columns = _tick_size(table), table.rows, table.columns
    axes.set_xticks(range(len(columns)), columns, rotation=90, fontsize=size, parse_math=False)
    axes.set_yticks(range(len(rows)) if first else (), rows if first else (), fontsize=size, parse_math=False)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("y", fontsize=TITLE)


def draw_curve(summary: Record) -> "Figure":
    """Price against what is explained: the logits' variance, and the same after removals."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, PercentFormatter

    points = sorted(summary["curve"], key=lambda point: point["ratio"])
    fitted = [point for point in points if point["name"] != "provable"]  # the provable program is made for another end
    figure = Figure(figsize=(6.4, 3.8))
    axes = axes_at(figure, 0.8, 0.5, 5.5, 3.2)
    series = (
        ("logit_fve", "all circuits in place", BLUE, "o-"),
        ("ablation_fve", "after removals", ORANGE, "s--"),
    )
    for key, label, colour, style in series:
        for some, line in ((fitted, style), ([point for point in points if point not in fitted], style[0])):
            known = [point for point in some if point[key] is not None and point["ratio"] > 0]
            at = [point["ratio"] for point in known], [point[key] for point in known]
            axes.plot(*at, line, color=colour, label=label if some is fitted else None, markersize=4)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.3g} %"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.set_ylim(top=min(1.0, axes.get_ylim()[1]) + 0.04 * (1 - axes.get_ylim()[0]))
    axes.set_xlabel("integers of the program / parameters of the network")
    axes.set_ylabel("variance of the logits explained")
    axes.grid(alpha=0.3)
    _name_points(axes, points)
    _legend_above(axes)
    return figure


def _name_points(axes: "Axes", points: list[Record]) -> None:
    """The names of points beside them, each where it lies on no line, point or other name; points at one place have one name.

    Of the places in PLACES the first with least on it is taken. Lengths are in points (1/72 inch), from the frame's lower left corner.
    """
    frame = [float(size) * POINTS / axes.figure.dpi for size in (axes.bbox.width, axes.bbox.height)]

    def here(ratio: float, explained: float) -> tuple[float, float]:
        x, y = (axes.transScale + axes.transLimits).transform((ratio, explained))
        return float(x) * frame[0], float(y) * frame[1]

    taken = [spot for line in axes.lines for spot in _spots([here(x, y) for x, y in line.get_xydata().tolist()])]  # type: ignore[union-attr]
    places: dict[tuple[float, float], list[str]] = {}
    for point in points:
        if point["name"] in ("readable", "faithful", "provable") and point["logit_fve"] is not None and point["ratio"] > 0:
            places.setdefault((point["ratio"], point["logit_fve"]), []).append(point["name"])
    boxes: list[tuple[float, float, float, float]] = []
    for at in sorted(places):
        name = ", ".join(places[at])
        x, y = here(*at)
        width = width_of([name], NAME) * POINTS
        found: list[tuple[int, int, int, tuple[float, float, float, float]]] = []
        for right, above in PLACES:
            left, low = x + right * (width / 2 + 6) - width / 2, y + above * 10 - NAME / 2
            box = left - 1, low - 1, left + width + 1, low + NAME + 1
            outside = box[0] < 0 or box[1] < 0 or box[3] > frame[1]
            on_names = sum(box[0] < o[2] and o[0] < box[2] and box[1] < o[3] and o[1] < box[3] for o in boxes)
            on_lines = sum(box[0] < p < box[2] and box[1] < q < box[3] for p, q in taken)
            found.append((on_names, on_lines + 4 * outside, len(found), box))
        boxes.append(min(found)[3])
        middle = (boxes[-1][0] + boxes[-1][2]) / 2 - x, (boxes[-1][1] + boxes[-1][3]) / 2 - y
        axes.annotate(name, at, middle, textcoords="offset points", ha="center", va="center", fontsize=NAME)


def _spots(corners: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Points close together on the line through these corners."""
    steps = [k / 100 for k in range(100)]
    between = [(p + t * (r - p), q + t * (s - q)) for (p, q), (r, s) in pairwise(corners) for t in steps]
    return [*between, *corners[-1:]]


def _legend_above(axes: "Axes") -> None:
    """The legend above the picture, where it covers nothing that is drawn."""
    axes.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2)


def draw_margins(summary: Record) -> "Figure | None":
    """How many of the right pairs have which margin, and how many pairs which lower bound by the compact proof."""
    from matplotlib.figure import Figure

    margins = summary.get("margins")
    if not margins:
        return None
    figure = Figure(figsize=(6.4, 3.2))
    axes = axes_at(figure, 0.8, 0.5, 5.5, 2.6)
    series = (("network", "margins of the network (measured)", BLUE), ("bound", "lower bounds by the inequality alone", ORANGE))
    for key, label, colour in series:
        axes.stairs(margins[key], margins["edges"], label=label, color=colour, fill=True, alpha=0.45)
    axes.axvline(0, color="black", linewidth=0.7)
    axes.set_xlabel("lead of the right logit over the best other one")
    axes.set_ylabel("pairs")
    _legend_above(axes)
    return figure
