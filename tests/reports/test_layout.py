"""Figures whose parts are placed by the lengths of their labels: nothing overlaps, and nothing is cropped away."""

import io
import re
from typing import Any

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from reports.circuits import ReportedCircuit, VoteTable
from reports.figures import draw_curve, draw_margins, draw_votes, saved, styled
from reports.grid_figure import draw_pairs
from reports.layout import axes_at, width_of
from reports.named_form import NamedForm

LONG = "S4 wr C2 fixing a very long name"


def family(name: str, rows: int, columns: int) -> dict[str, Any]:
    """A family of the summary with a full grid, the first row and the last column with long names."""
    names = [f"H{k}" for k in range(rows)], [f"K{k}" for k in range(columns)]
    names[0][0] = names[1][-1] = LONG
    grid = {"rows": names[0], "columns": names[1], "neurons": [[1] * columns] * rows, "covered": rows * columns, "possible": 99}
    return {"name": name, "grid": grid}


def curve() -> Any:
    """The price curve of a summary."""
    points = [
        {"name": name, "ratio": ratio, "logit_fve": 0.9, "ablation_fve": 0.8} for name, ratio in (("readable", 0.01), ("faithful", 0.2))
    ]
    return draw_curve({"curve": points})


def margins() -> Any:
    """The histogram of a summary."""
    return draw_margins({"margins": {"edges": [-1.0, 0.0, 1.0, 2.0], "network": [0, 1, 200_000], "bound": [1, 100_000, 2]}})


def tables() -> Any:
    """The vote tables of two circuits."""
    rows, columns = [LONG, "b"], ["c", "d", "e"]
    form = NamedForm("elements", (), ())
    wide = VoteTable(rows=rows, columns=columns, kinds=[LONG, "g"], votes=[[[1.0, -2.0]] * 3] * 2, products=[[0, 1, None]] * 2)
    high = VoteTable(rows=columns, columns=rows, kinds=["f", "g"], votes=[[[1.0, -2.0]] * 2] * 3, products=[[0, 1]] * 3)
    return draw_votes([ReportedCircuit(number, "F", form, form, form, (), 0.5, table) for number, table in enumerate((wide, high))])


DRAWN = {
    "pairs": lambda: draw_pairs([family("F", 5, 5), family("a name that is far wider than its grid", 14, 4), *[family("G", 3, 6)] * 2]),
    "votes": tables,
    "curve": curve,
    "margins": margins,
}


def size(svg: bytes) -> tuple[float, float]:
    """Width and height in points."""
    found = re.search(rb'viewBox="0 0 ([0-9.]+) ([0-9.]+)"', svg)
    assert found is not None
    return float(found[1]), float(found[2])


@pytest.mark.parametrize("name", DRAWN)
def test_a_figure_is_cropped_as_matplotlib_crops_it(name: str) -> None:
    """The page is as large as that which matplotlib finds by drawing the figure first."""
    with styled():
        mine, figure = saved(DRAWN[name]()), DRAWN[name]()
        content = io.BytesIO()
        figure.savefig(content, format="svg", bbox_inches="tight", pad_inches=0.08)
    assert size(mine) == pytest.approx(size(content.getvalue()), abs=1.0)


@pytest.mark.parametrize("name", ["pairs", "votes"])
def test_no_label_lies_over_another_part(name: str) -> None:
    """What belongs to one panel, its labels and its title, meets no other panel's."""
    with styled():
        figure = DRAWN[name]()
        renderer = FigureCanvasAgg(figure).get_renderer()
        boxes = [axes.get_tightbbox(renderer) for axes in figure.axes]
    assert len(boxes) > 1
    for k, one in enumerate(boxes):
        for other in boxes[:k]:
            across = min(one.x1, other.x1) - max(one.x0, other.x0)
            up = min(one.y1, other.y1) - max(one.y0, other.y0)
            assert min(across, up) < 2, "panels overlap by more than two pixels"


def test_widths_are_those_that_are_drawn() -> None:
    """The longest label's width is that of the text on a figure, to a twentieth."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 2), dpi=300)
    text = axes_at(figure, 1, 1, 3, 0.5).text(0, 0, LONG, fontsize=7, parse_math=False)
    drawn = text.get_window_extent(FigureCanvasAgg(figure).get_renderer()).width / 300
    assert width_of(["short", LONG], 7) == pytest.approx(drawn, rel=0.05)
    assert width_of([], 7) == 0
