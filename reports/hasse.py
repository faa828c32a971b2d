"""The Hasse diagram of the classes of subgroups, at the places that summary.json gives: rows by order, classes in use filled."""

from typing import TYPE_CHECKING

from reports.escaping import one_line
from reports.records import Record

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROW = 0.66  # inches from one layer to the next
COLUMN = 0.75  # inches for one unit of x
SMALL = 5.5


def draw_lattice(lattice: Record, title: str) -> "Figure":
    """Draw ``{nodes: [{name, order, length, used, x, layer}], edges: [[i, j], ...], routes: [[[x, layer], ...], ...]}``.

    Each class is a box with its name, ×k for k conjugates and, when it is in labels of neurons, their number; a line says maximal in.
    """
    from matplotlib.figure import Figure

    nodes = lattice["nodes"]
    xs = [x for route in lattice["routes"] for x, _ in route] + [node["x"] for node in nodes]
    layers = max(node["layer"] for node in nodes) + 1
    left, right = min(xs) - 1.5, max(xs) + 1.0
    figure = Figure(figsize=(max(5.0, COLUMN * (right - left)), ROW * layers + 0.7))
    axes = figure.add_axes((0, 0, 1, 1))
    for (i, j), route in zip(lattice["edges"], lattice["routes"], strict=True):
        used = nodes[i]["used"] and nodes[j]["used"]
        axes.plot(
            [x for x, _ in route],
            [layer for _, layer in route],
            color="#1f5fa8" if used else "#b9bec7",
            linewidth=1.1 if used else 0.6,
            zorder=1 + bool(used),
        )
    for node in nodes:
        _draw_class(axes, node)
    for layer, order in sorted({(node["layer"], node["order"]) for node in nodes}):
        axes.text(left + 0.4, layer, str(order), ha="right", va="center", fontsize=8, color="#555")
    axes.text(left + 0.4, layers - 0.4, "order", ha="right", va="bottom", fontsize=8, color="#555")
    axes.set_title(
        f"Conjugacy classes of subgroups of {one_line(title)}; ×k: k conjugates; filled: in the labels of n neurons",
        fontsize=10,
        parse_math=False,
    )
    axes.set_xlim(left, right)
    axes.set_ylim(-0.5, layers - 0.1)
    axes.axis("off")
    return figure


def _draw_class(axes: "Axes", node: Record) -> None:
    used = node["used"]
    lines = [one_line(node["name"])] + [f"×{node['length']}"] * (node["length"] > 1) + [f"{used} n."] * bool(used)
    box = {"boxstyle": "round,pad=0.25", "facecolor": "#1f5fa8" if used else "white", "edgecolor": "#7a808a", "linewidth": 0.8}
    axes.text(
        node["x"],
        node["layer"],
        "\n".join(lines),
        ha="center",
        va="center",
        fontsize=SMALL + 1,
        linespacing=1.1,
        color="white" if used else "black",
        bbox=box,
        zorder=3,
        parse_math=False,
    )
