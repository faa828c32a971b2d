"""Which pairs of subgroups the circuits of each family read x and y through, as grids."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_GRIDS = 8
MOST_ROWS = 40


def draw_pairs(families: list[dict[str, Any]]) -> "Figure | None":
    """A grid for each family with more than one pair (H, K): the number of neurons on each; None where no family has one."""
    from matplotlib.figure import Figure

    shown = [
        f
        for f in families
        if f["grid"] and f["grid"]["possible"] > 1 and max(len(f["grid"][k]) for k in ("rows", "columns")) <= MOST_ROWS
    ]
    shown = shown[:MOST_GRIDS]
    if not shown:
        return None
    columns = min(4, len(shown))
    rows = -(-len(shown) // columns)
    figure = Figure(figsize=(max(3.2, 2.5 * columns), 2.5 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False)
    for place, axes in enumerate(panels.flat):
        if place >= len(shown):
            axes.axis("off")
            continue
        family = shown[place]
        grid = family["grid"]
        most = max(max(row) for row in grid["neurons"])
        axes.imshow(grid["neurons"], cmap="Blues", vmin=0, vmax=1.6 * most, aspect="equal")
        large = max(len(grid["rows"]), len(grid["columns"])) > 12
        size = 4 if large else 6
        axes.set_xticks(range(len(grid["columns"])), grid["columns"], rotation=90, fontsize=size, parse_math=False)
        axes.set_yticks(range(len(grid["rows"])), grid["rows"], fontsize=size, parse_math=False)
        axes.tick_params(length=0)
        axes.set_title(f"{family['name']}: {grid['covered']} of {grid['possible']}", fontsize=8, parse_math=False)
        for r, row in enumerate(grid["neurons"]):
            for q, number in enumerate(row):
                if number:
                    axes.text(q, r, str(number), ha="center", va="center", fontsize=4 if large else 7)
    return figure
