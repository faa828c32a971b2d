"""Which pairs of subgroups the circuits of each family read x and y through, as grids."""

from typing import TYPE_CHECKING, NamedTuple

from reports.layout import GAP, axes_at, width_of
from reports.records import Record

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_GRIDS = 4
LEAST_PAIRS = 4  # of fewer a table says as much as a picture
MOST_ROWS = 40
SIDE = 1.05  # of a grid, in inches
TOP = 0.3  # for a title above it, in inches
TITLE, LARGE, SMALL = 7, 5, 3  # sizes of texts, in points


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
    sizes = [_sizes(family) for family in shown]
    columns = min(4, len(shown))
    wide = [max(cell.left + cell.right for cell in sizes[k::columns]) for k in range(columns)]
    high = max(cell.below + SIDE + TOP for cell in sizes)
    rows = -(-len(shown) // columns)
    figure = Figure(figsize=(sum(wide), high * rows))
    for place, (family, cell) in enumerate(zip(shown, sizes, strict=True)):
        row, column = divmod(place, columns)
        below = high * (rows - row) - TOP - cell.up
        axes = axes_at(figure, sum(wide[:column]) + cell.left, below, cell.across, cell.up)
        grid = family["grid"]
        most = max(max(row) for row in grid["neurons"])
        axes.imshow(grid["neurons"], cmap="Blues", vmin=0, vmax=1.6 * most, aspect="equal")
        axes.set_xticks(range(len(grid["columns"])), grid["columns"], rotation=90, fontsize=cell.font, parse_math=False)
        axes.set_yticks(range(len(grid["rows"])), grid["rows"], fontsize=cell.font, parse_math=False)
        axes.tick_params(length=0)
        axes.set_title(_title(family), fontsize=TITLE, parse_math=False)
        for r, row in enumerate(grid["neurons"]):
            for q, number in enumerate(row):
                if number:
                    axes.text(q, r, str(number), ha="center", va="center", fontsize=cell.font + (cell.font > SMALL))
    return figure


class _Sizes(NamedTuple):
    """Of one grid: what lies left of its frame and from there to the next grid, what lies below, its frame, all in inches; a font."""

    left: float
    right: float
    below: float
    across: float
    up: float
    font: int


def _sizes(family: Record) -> _Sizes:
    grid = family["grid"]
    squares = max(len(grid["rows"]), len(grid["columns"]))
    font = SMALL if squares > 12 else LARGE
    across, up = (SIDE * len(grid[labels]) / squares for labels in ("columns", "rows"))
    over = max(0.0, (width_of([_title(family)], TITLE) - across) / 2)  # the title is centred on the frame
    left = max(width_of(grid["rows"], font) + GAP, over)
    return _Sizes(left, max(across, across + over) + 3 * GAP, width_of(grid["columns"], font) + 2 * GAP, across, up, font)


def _title(family: Record) -> str:
    return f"{family['name']}: {family['grid']['covered']} of {family['grid']['possible']}"
