"""Which pairs of subgroups the circuits of each family read x and y through, as grids."""

from typing import TYPE_CHECKING

from reports.records import Record

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_GRIDS = 4
LEAST_PAIRS = 4  # of fewer a table says as much as a picture
MOST_ROWS = 40


def gridded(families: list[Record]) -> list[Record]:
    """The families whose pairs (H, K) are drawn: those with several, largest first."""
    grids = [(f, f["grid"]) for f in families if f["grid"]]
    large = [f for f, grid in grids if grid["covered"] >= LEAST_PAIRS and max(len(grid["rows"]), len(grid["columns"])) <= MOST_ROWS]
    return large[:MOST_GRIDS]


def draw_pairs(families: list[Record]) -> "Figure | None":
    """A grid for each family with several pairs (H, K): the number of neurons on each; None where no family has several."""
    from matplotlib.figure import Figure

    shown = gridded(families)
    if not shown:
        return None
    columns = min(4, len(shown))
    rows = -(-len(shown) // columns)
    figure = Figure(figsize=(max(2.4, 1.65 * columns), 1.7 * rows), layout="constrained")
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
        size = 3 if large else 5
        axes.set_xticks(range(len(grid["columns"])), grid["columns"], rotation=90, fontsize=size, parse_math=False)
        axes.set_yticks(range(len(grid["rows"])), grid["rows"], fontsize=size, parse_math=False)
        axes.tick_params(length=0)
        axes.set_title(f"{family['name']}: {grid['covered']} of {grid['possible']}", fontsize=7, parse_math=False)
        for r, row in enumerate(grid["neurons"]):
            for q, number in enumerate(row):
                if number:
                    axes.text(q, r, str(number), ha="center", va="center", fontsize=3 if large else 6)
    return figure
