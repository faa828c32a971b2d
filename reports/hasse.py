"""The Hasse diagram of the classes of subgroups: rows by order, classes in use filled."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Edge = tuple[int, int]
BOX_WIDTH, BOX_HEIGHT = 0.86, 0.5  # in units of a slot and of a row
PASSES = 20


def draw_lattice(lattice: dict[str, Any], title: str) -> "Figure":
    """Draw ``{nodes: [{name, order, length, used}], edges: [[i, j], ...]}``.

    Each class is a box with its name, its number of conjugates and, when neurons use it, their number. A row
    holds the classes of one order; places within a row are chosen so that lines are short and pass behind few
    boxes.
    """
    from matplotlib.figure import Figure

    nodes = lattice["nodes"]
    orders = sorted({node["order"] for node in nodes})
    level = [orders.index(node["order"]) for node in nodes]
    edges = [(i, j) if level[i] < level[j] else (j, i) for i, j in lattice["edges"]]
    slots = 2 * max(level.count(k) for k in range(len(orders))) + 1
    place = arrange(level, edges, slots)

    figure = Figure(figsize=(0.55 * slots + 1.2, 0.62 * len(orders) + 0.6))
    axes = figure.add_axes((0, 0, 1, 1))
    for i, j in edges:
        used = nodes[i]["used"] and nodes[j]["used"]
        axes.plot(
            [place[i] / 2, place[j] / 2],
            [level[i] + BOX_HEIGHT / 2, level[j] - BOX_HEIGHT / 2],
            color="#1f5fa8" if used else "#b9bec7",
            linewidth=1.1 if used else 0.6,
            zorder=1 + bool(used),
            solid_capstyle="round",
        )
    for k, node in enumerate(nodes):
        _draw_class(axes, node, place[k] / 2, level[k])
    left = -0.9
    for k, order in enumerate(orders):
        axes.text(left, k, str(order), ha="right", va="center", fontsize=8, color="#555")
    axes.text(left, len(orders) - 0.4, "order", ha="right", va="bottom", fontsize=8, color="#555")
    axes.set_title(f"Conjugacy classes of subgroups of {title}; filled: used by the network", fontsize=10)
    axes.set_xlim(left - 0.6, (slots - 1) / 2 + 0.6)
    axes.set_ylim(-0.5, len(orders) - 0.2)
    axes.axis("off")
    return figure


def _draw_class(axes: Any, node: dict[str, Any], x: float, y: float) -> None:
    from matplotlib.patches import FancyBboxPatch

    used = node["used"]
    corner = (x - BOX_WIDTH / 2, y - BOX_HEIGHT / 2)
    shape = "round,pad=0,rounding_size=0.08"
    colour = "#1f5fa8" if used else "white"
    axes.add_patch(
        FancyBboxPatch(
            corner, BOX_WIDTH, BOX_HEIGHT, boxstyle=shape, facecolor=colour, edgecolor="#7a808a", zorder=3
        )
    )
    ink = "white" if used else "black"
    count = f"{node['length']} conj." if node["length"] > 1 else "normal"
    below = f"{count}, {used} n." if used else count
    size = 8.5 if len(node["name"]) <= 7 else max(4.5, 8.5 * 7 / len(node["name"]))
    axes.text(x, y + 0.08, node["name"], ha="center", va="center", fontsize=size, color=ink, zorder=4)
    axes.text(x, y - 0.14, below, ha="center", va="center", fontsize=5.5, color=ink, zorder=4)


def arrange(level: list[int], edges: list[Edge], slots: int) -> list[int]:
    """A place from 0 to ``slots`` - 1 for each node; nodes of one row are at least two places apart.

    Starts with every row centred and moves or exchanges single nodes as long as `_cost` falls.
    """
    place = [0] * len(level)
    for k in sorted(set(level)):
        row = [i for i, at in enumerate(level) if at == k]
        for n, i in enumerate(row):
            place[i] = (slots - 2 * len(row) + 1) // 2 + 2 * n
    cost = _cost(place, level, edges)
    for _ in range(PASSES):
        before = cost
        for i in range(len(level)):
            for target in range(slots):
                moved = _moved(place, level, i, target)
                if moved is not None and (new := _cost(moved, level, edges)) < cost:
                    place, cost = moved, new
        if cost == before:
            break
    return place


def _moved(place: list[int], level: list[int], i: int, target: int) -> list[int] | None:
    """Node i put at ``target``, exchanged with the node that is there; None where it would touch another."""
    row = [j for j, at in enumerate(level) if at == level[i] and j != i]
    here = [j for j in row if place[j] == target]
    if any(abs(place[j] - target) == 1 for j in row) or target == place[i]:
        return None
    moved = place.copy()
    moved[i] = target
    for j in here:
        moved[j] = place[i]
    return moved


def _cost(place: list[int], level: list[int], edges: list[Edge]) -> float:
    """Squared horizontal length of all lines, and a penalty for each box that a line passes behind."""
    rows: dict[int, list[int]] = {}
    for i, k in enumerate(level):
        rows.setdefault(k, []).append(place[i])
    cost = 0.0
    for i, j in edges:
        run, rise = place[j] - place[i], level[j] - level[i]
        cost += run * run / rise
        for k in range(level[i] + 1, level[j]):
            x = place[i] + run * (k - level[i]) / rise
            cost += sum(20 for other in rows[k] if abs(other - x) < 1)
    return cost
