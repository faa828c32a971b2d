"""Neurons as pictures: what is drawn where, and that no picture is called sorted that is not."""

import base64
from typing import Any

import numpy as np
import pytest
from matplotlib.collections import LineCollection

from reports.neuron_figure import draw_page, draw_sheet, responses

JSON = dict[str, Any]
ORDER = 6


def column(values: Any, unit: float = 0.5) -> JSON:
    return {"unit": unit, "bytes": base64.b64encode(np.array(values, dtype=np.int8).tobytes()).decode()}


@pytest.fixture
def pictures() -> JSON:
    """Four neurons over six elements: one sorted on both sides, one by x alone, one by neither, and one that never fires."""
    rng = np.random.default_rng(3)
    sides: tuple[tuple[int | None, int | None], ...] = ((0, 1), (0, None), (None, None), (0, 1))
    neurons: list[JSON] = [
        {
            "index": 2 * k,
            "left": column(rng.integers(-9, 9, ORDER) if k < 3 else [-9] * ORDER),
            "right": column(rng.integers(-9, 9, ORDER) if k < 3 else [-9] * ORDER),
            "votes": column(rng.integers(-9, 9, ORDER)),
            "x": x,
            "y": y,
            "classes": [],
        }
        for k, (x, y) in enumerate(sides)
    ]
    return {"neurons": neurons, "partitions": [[0, 1, 1, 0, 2, 2], [0, 0, 0, 1, 1, 1]], "activation": "relu", "own": True}


def test_a_sheet_draws_each_response_once_and_in_its_place(pictures: JSON) -> None:
    """The picture of neuron 2k is that of its sums, written out; names stand above it, in rows of two."""
    figure = draw_sheet(pictures, [0, 2, 4, 6], "title", columns=2)
    (axes,) = figure.axes
    orders = [[0, 3, 1, 2, 4, 5], list(range(6))]

    assert len(axes.images) == len(axes.texts) == 4
    for place, (image, name, neuron) in enumerate(zip(axes.images, axes.texts, pictures["neurons"], strict=True)):
        left, right = (np.frombuffer(base64.b64decode(neuron[s]["bytes"]), dtype=np.int8) * 0.5 for s in ("left", "right"))
        xs, ys = (orders[0] if neuron["x"] == 0 else orders[1]), orders[1]
        wanted = [[max(left[x] + right[y], 0) for y in ys] for x in xs]
        start, end, bottom, top = image.get_extent()

        assert np.asarray(image.get_array()).tolist() == wanted
        assert image.origin == "upper"
        assert start < name.get_position()[0] < end
        assert top < name.get_position()[1] < top + 0.2
        assert name.get_text().startswith(f"neuron {2 * place}")
        assert start == axes.images[place % 2].get_extent()[0]
        assert bottom == axes.images[place - place % 2].get_extent()[2]


def test_no_picture_is_called_sorted_that_is_not(pictures: JSON) -> None:
    """On the sheet and on a page: sorted by both, by x alone, by neither."""
    names = [text.get_text() for text in draw_sheet(pictures, [0, 2, 4], "title").axes[0].texts]
    titles = [[axes.get_title() for axes in figure.axes] for figure in (draw_page(pictures, index, "title") for index in (0, 2, 4))]

    assert names == ["neuron 0", "neuron 2, x sorted", "neuron 4, not sorted"]
    assert [row[1].partition("(x, y), ")[2] for row in titles] == [
        "sorted by cosets",
        "x by coset",
        "in the usual order, without cosets",
    ]
    assert [row[-3:-1] for row in titles] == [["L(x), x by coset", "R(y), y by coset"], ["L(x), x by coset", "R(y)"], ["L(x)", "R(y)"]]
    plain, ordered, _ = responses(pictures, 4)
    assert (plain == ordered).all()


def test_lines_stand_between_cosets(pictures: JSON) -> None:
    """Of neuron 0 two below and one beside: after elements 2, 4 and 3 of six."""
    (axes,) = draw_sheet(pictures, [0], "title").axes
    (lines,) = axes.collections
    assert isinstance(lines, LineCollection)
    left, right, bottom, top = axes.images[0].get_extent()
    found = [[tuple(map(float, end)) for end in line] for line in lines.get_segments()]

    assert found == [
        [(left, pytest.approx(top - (top - bottom) * 2 / 6)), (right, pytest.approx(top - (top - bottom) * 2 / 6))],
        [(left, pytest.approx(top - (top - bottom) * 4 / 6)), (right, pytest.approx(top - (top - bottom) * 4 / 6))],
        [(pytest.approx(left + (right - left) / 2), bottom), (pytest.approx(left + (right - left) / 2), top)],
    ]


@pytest.mark.parametrize("own", [True, False])
def test_values_that_are_not_the_networks_own_are_called_multiplied(pictures: JSON, own: bool) -> None:
    """Where floats hold the network only times powers of two, the page says so."""
    title = draw_page(pictures | {"own": own}, 0, "title").get_suptitle()

    assert title == ("title" if own else "title; values times a power of two")
