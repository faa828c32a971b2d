"""Hasse diagrams of the classes of subgroups, as Graphviz text and as a picture."""

from pathlib import Path as FilePath
from typing import TYPE_CHECKING

from algebra.containment import class_lattice
from algebra.lattice import SubgroupClass, SubgroupLattice
from algebra.layered_layout import LayeredLayout, layered_layout
from algebra.plural import plural

if TYPE_CHECKING:
    from collections.abc import Hashable

    from matplotlib.axes import Axes


__all__ = ["hasse_dot", "hasse_layout", "save_hasse"]

_POINTS_PER_UNIT = 40.0
_CHARACTER = 0.155


def hasse_dot(lattice: SubgroupLattice) -> str:
    """The Hasse diagram of the classes in the DOT language, one rank for each order."""
    lines = [f'digraph "{lattice.group.name}" {{', "  rankdir=BT;", "  node [shape=box];"]
    for order in sorted({one.order for one in lattice.classes}):
        nodes = " ".join(_dot_node(one) for one in lattice.classes if one.order == order)
        lines.append(f"  {{ rank=same; {nodes} }}")
    edges = class_lattice(lattice).edges
    lines += [f"  n{a} -> n{b} [dir=none];" for a, b in sorted(edges)]
    return "\n".join([*lines, "}", ""])


def _dot_node(one: SubgroupClass) -> str:
    return f'n{one.number} [label="{one.name}\\n{one.order}, {one.length} conj."];'


def hasse_layout(lattice: SubgroupLattice) -> LayeredLayout:
    """Places of the classes, one layer for each order of subgroup, boxes as wide as their texts."""
    orders = sorted({one.order for one in lattice.classes})
    layer: dict[Hashable, int] = {one.number: orders.index(one.order) for one in lattice.classes}
    width: dict[Hashable, float] = {one.number: _width(one) for one in lattice.classes}
    return layered_layout(class_lattice(lattice), layer, width)


def _width(one: SubgroupClass) -> float:
    return round(_CHARACTER * max(len(line) for line in _caption(one).split("\n")), 4)


def _caption(one: SubgroupClass) -> str:
    return one.name if one.length == 1 else f"{one.name}\n×{one.length}"


def save_hasse(lattice: SubgroupLattice, path: FilePath) -> None:
    """Draw the Hasse diagram into a png, svg or pdf file; the same bytes every time."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    layout = hasse_layout(lattice)
    xs = [x for route in layout.routes.values() for x, _ in route] + [x for x, _ in layout.positions.values()]
    layers = max(layer for _, layer in layout.positions.values()) + 1
    width, height = max(xs) - min(xs) + 3.2, 0.95 * layers + 1.2
    with mpl.rc_context({"svg.hashsalt": "hasse", "svg.fonttype": "none"}):
        figure = Figure(figsize=(width * _POINTS_PER_UNIT / 72, height * _POINTS_PER_UNIT / 72))
        FigureCanvasAgg(figure)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_xlim(min(xs) - 2.2, max(xs) + 1.0)
        axes.set_ylim(-0.6, layers - 1 + 1.0)
        axes.set_axis_off()
        _draw(axes, lattice, layout)
        stamp = {"Date": None} if path.suffix == ".svg" else {"CreationDate": None} if path.suffix == ".pdf" else {}
        figure.savefig(path, dpi=150, metadata=stamp)


def _smooth(route: list[tuple[float, int]]) -> list[tuple[float, float]]:
    """Control points of cubic arcs through the points, tangents along the neighbours (Catmull, Rom)."""
    points = [route[0], *route, route[-1]]
    found: list[tuple[float, float]] = [route[0]]
    for (x0, y0), (x1, y1), (x2, y2), (x3, y3) in zip(points, points[1:], points[2:], points[3:], strict=False):
        first, second = (x1 + (x2 - x0) / 6, y1 + (y2 - y0) / 6), (x2 - (x3 - x1) / 6, y2 - (y3 - y1) / 6)
        found += [first, second, (x2, y2)]
    return found


def _draw(axes: "Axes", lattice: SubgroupLattice, layout: LayeredLayout) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    left, top = axes.get_xlim()[0] + 0.2, axes.get_ylim()[1]
    for route in layout.routes.values():
        codes = [Path.MOVETO, *[Path.CURVE4] * (3 * len(route) - 3)]
        axes.add_patch(PathPatch(Path(_smooth(route), codes), fill=False, edgecolor="#9aa3ad", linewidth=0.8, zorder=1))
    for one in lattice.classes:
        box = {"boxstyle": "round,pad=0.22", "facecolor": "#fff1d6" if one.length == 1 else "white",
               "edgecolor": "#44505c", "linewidth": 0.7}  # fmt: skip
        axes.text(*layout.positions[one.number], _caption(one), ha="center", va="center", fontsize=7.5,
                  linespacing=1.0, zorder=3, bbox=box)  # fmt: skip
    layer_of = {one.order: layout.positions[one.number][1] for one in lattice.classes}
    for order, layer in layer_of.items():
        axes.text(left, layer, str(order), fontsize=7.5, color="#7a8590", va="center", zorder=2)
    title = f"{lattice.group.name}: {plural(len(lattice), 'subgroup')} in {plural(len(lattice.classes), 'class', 'classes')}"
    axes.text(left, top - 0.35, title, fontsize=10, va="center")
    note = "order at the left; ×k: k conjugates; shaded: normal; a line: maximal in"
    axes.text(left, top - 0.7, note, fontsize=7, color="#44505c", va="center")
