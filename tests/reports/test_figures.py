"""Figures that can be read: nothing that stands for a number lies under a legend, and no two names lie on each other."""

from itertools import pairwise
from random import Random
from typing import Any

from reports.figures import draw_curve, draw_margins, styled

JSON = dict[str, Any]


def point(name: str, ratio: float, explained: float, removed: float) -> JSON:
    return {"name": name, "ratio": ratio, "logit_fve": explained, "ablation_fve": removed}


def curves() -> list[JSON]:
    """The provable program in each corner and beside the others, programs of one price, and programs that are nearly the same."""
    others = [point("", 0.006, 0.7, 0.5), point("readable", 0.01, 0.97, 0.96), point("faithful", 0.2, 0.997, 0.996)]
    found = [
        {"curve": [*others, point("provable", *at)]}
        for at in ((0.9, 0.51, 0.5), (0.9, 0.999, 0.4), (0.004, 0.5, 0.45), (0.0102, 0.972, 0.5), (0.2, 0.997, 0.99))
    ]
    found.append({"curve": [point("readable", 0.2, 0.99, 0.98), point("faithful", 0.2, 0.99, 0.98)]})
    steep = [
        point("", 0.01, 0.9, 0.5),
        point("readable", 0.02, 0.985, 0.96),
        point("fine", 0.05, 0.9951, 0.99),
        point("faithful", 0.1, 0.997, 0.996),
    ]
    found += [
        {"curve": [*steep, point("provable", at, explained, 0.7)]} for at in (0.02, 0.03, 0.04) for explained in (0.98, 0.99, 0.993)
    ]
    random = Random(3)
    for _ in range(3):
        prices = sorted(random.uniform(0.01, 0.9) for _ in range(3))
        found.append(
            {"curve": [point(n, p, 1 - p / 50, 0.9) for n, p in zip(("provable", "readable", "faithful"), prices, strict=True)]}
        )
    return found


def along(axes: Any, line: Any) -> list[Any]:
    """Points close together on a line that is drawn, in the picture."""
    corners = axes.transData.transform(list(zip(line.get_xdata(), line.get_ydata(), strict=True)))
    return [a + (b - a) * t / 300 for a, b in pairwise(corners) for t in range(301)]


def test_the_curve_shows_every_point_and_every_name() -> None:
    with styled():
        for summary in curves():
            figure = draw_curve(summary)
            figure.canvas.draw()
            axes = figure.axes[0]
            legend = axes.get_legend()
            assert legend is not None
            assert axes.lines
            covered = legend.get_window_extent()
            for one in summary["curve"]:
                for value in (one["logit_fve"], one["ablation_fve"]):
                    assert not covered.contains(*axes.transData.transform((one["ratio"], value)))
            names = [text.get_window_extent() for text in axes.texts]
            assert not any(one.overlaps(other) for k, one in enumerate(names) for other in names[:k])
            assert not any(name.contains(*spot) for name in names for line in axes.lines for spot in along(axes, line))
            shown = sorted(", ".join(text.get_text() for text in axes.texts).split(", "))
            assert shown == sorted(one["name"] for one in summary["curve"] if one["name"] in ("readable", "faithful", "provable"))


def test_the_legend_of_the_margins_lies_above_them() -> None:
    for counts in ([9, 1, 1, 1], [1, 1, 1, 9], [5, 5, 5, 5], [0, 9, 9, 0]):
        with styled():
            figure = draw_margins({"margins": {"edges": [0.0, 1.0, 2.0, 3.0, 4.0], "network": counts, "bound": counts[::-1]}})
            assert figure is not None
            figure.canvas.draw()
            axes = figure.axes[0]
            legend = axes.get_legend()
            assert legend is not None
            assert legend.get_window_extent().y0 >= axes.get_window_extent().y1
