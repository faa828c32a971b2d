"""The Hasse diagram of the classes of subgroups: rows by order, classes in use filled."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Edge = tuple[int, int]
BOX_WIDTH, BOX_HEIGHT = 0.86, 0.5  # in units of a slot and of a row
PASSES = 20
PENALTY = 20  # for a line behind a box, in squared places


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
    slots = max(9, 2 * max(level.count(k) for k in range(len(orders))) + 1)
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
    axes.add_patch(FancyBboxPatch(corner, BOX_WIDTH, BOX_HEIGHT, boxstyle=shape, facecolor=colour, edgecolor="#7a808a", zorder=3))
    ink = "white" if used else "black"
    count = f"{node['length']} conj." if node["length"] > 1 else "normal"
    below = f"{count}, {used} n." if used else count
    size = 8.5 if len(node["name"]) <= 7 else max(4.5, 8.5 * 7 / len(node["name"]))
    axes.text(x, y + 0.08, node["name"], ha="center", va="center", fontsize=size, color=ink, zorder=4)
    axes.text(x, y - 0.14, below, ha="center", va="center", fontsize=5.5, color=ink, zorder=4)


def arrange(level: list[int], edges: list[Edge], slots: int) -> list[int]:
    """A place from 0 to ``slots`` - 1 for each node; nodes of one row are at least two places apart.

    Starts with every row centred; moves single nodes, or exchanges two of a row, as long as that lowers the
    sum of squared horizontal lengths, plus a penalty for each box that a line passes behind.
    """
    drawing = _Drawing(level, edges, slots)
    for _ in range(PASSES):
        if not sum(drawing.improve(i, target) for i in range(len(level)) for target in range(slots)):
            break
    return drawing.place


class _Drawing:
    """Places of nodes, and what it costs to move one."""

    def __init__(self, level: list[int], edges: list[Edge], slots: int) -> None:
        self.level = level
        rows = range(max(level) + 1)
        self.row = [[i for i, at in enumerate(level) if at == k] for k in rows]
        self.touching = [[e for e in edges if i in e] for i in range(len(level))]
        self.crossing = [[e for e in edges if level[e[0]] < k < level[e[1]]] for k in rows]
        self.place = [0] * len(level)
        for row in self.row:
            for n, i in enumerate(row):
                self.place[i] = (slots - 2 * len(row) + 1) // 2 + 2 * n

    def improve(self, i: int, target: int) -> bool:
        """Put node i at ``target``, exchanging it with the node that is there, if the cost falls by that."""
        place, row = self.place, [j for j in self.row[self.level[i]] if j != i]
        if target == place[i] or any(abs(place[j] - target) == 1 for j in row):
            return False
        moved = [i, *(j for j in row if place[j] == target)]
        before, old = self._cost(moved), [place[j] for j in moved]
        for j, new in zip(moved, [target, place[i]], strict=False):
            place[j] = new
        if self._cost(moved) < before:
            return True
        for j, was in zip(moved, old, strict=True):
            place[j] = was
        return False

    def _cost(self, moved: list[int]) -> float:
        """What depends on the places of these nodes of one row."""
        lines = (self._line(e) for i in moved for e in self.touching[i])
        k = self.level[moved[0]]
        behind = sum(self._hides(i, self._at(e, k)) for e in self.crossing[k] for i in moved)
        return sum(lines) + PENALTY * behind

    def _line(self, edge: Edge) -> float:
        low, high = (self.level[i] for i in edge)
        run = self.place[edge[1]] - self.place[edge[0]]
        between = range(low + 1, high)
        behind = sum(self._hides(i, self._at(edge, k)) for k in between for i in self.row[k])
        return run * run / (high - low) + PENALTY * behind

    def _at(self, edge: Edge, k: int) -> float:
        """Where a line crosses row k."""
        (i, j), level = edge, self.level
        return self.place[i] + (self.place[j] - self.place[i]) * (k - level[i]) / (level[j] - level[i])

    def _hides(self, i: int, x: float) -> bool:
        return abs(self.place[i] - x) < 1
