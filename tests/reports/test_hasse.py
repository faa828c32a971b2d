"""The Hasse diagram is drawn at the places that the summary gives, and on those no two boxes touch."""

import itertools
from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from algebra.group import parse_group
from algebra.lattice import subgroups
from reports.hasse import draw_lattice
from verify.record.neuron_rows import lattice_summary
from verify.record.summary import Lattice

JSON = dict[str, Any]


def as_json(lattice: Lattice, used: int) -> JSON:
    import msgspec

    found: JSON = msgspec.to_builtins(lattice)
    for node in found["nodes"]:
        node["used"] = used
    return found


@pytest.mark.parametrize("name", ["S4", "S5", "S6"])
def test_boxes_do_not_touch(name: str) -> None:
    """The frames of all classes, as drawn with the widest of texts, are apart and within the figure."""
    figure = draw_lattice(as_json(lattice_summary(subgroups(parse_group(name)), ()), used=256), name)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    boxes = [box.get_window_extent() for text in figure.axes[0].texts if (box := text.get_bbox_patch())]

    assert len(boxes) == len(subgroups(parse_group(name)).classes)
    assert not [(a, b) for a, b in itertools.combinations(boxes, 2) if a.overlaps(b)]
    width, height = canvas.get_width_height()
    assert all(box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height for box in boxes)


def test_every_class_is_drawn_once_and_filled_when_used(summary: JSON) -> None:
    """The figure has one box for each class; those that neurons use are filled, and lines follow the routes."""
    axes = draw_lattice(summary["lattice"], "S3").axes[0]
    boxes = {text.get_text(): box for text in axes.texts if (box := text.get_bbox_patch())}

    assert set(boxes) == {"1", "S2\n×3\n18 n.", "C3", "S3"}
    assert len({box.get_facecolor() for box in boxes.values()}) == 2
    lines = [[list(point) for point in np.asarray(line.get_xydata())] for line in axes.lines]
    assert lines == summary["lattice"]["routes"]
