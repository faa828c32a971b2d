"""A neuron as a picture: its response to all pairs, as it comes and sorted by cosets, its two functions and its votes."""

import base64
from typing import TYPE_CHECKING

from reports.layout import axes_at
from reports.records import Record

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

MOST = 360  # rows of a heat map: of a larger group every k-th element is drawn


def values(column: Record) -> "NDArray[np.floating]":
    """A column of pictures.json as floats."""
    import numpy as np

    found: NDArray[np.floating] = np.frombuffer(base64.b64decode(column["bytes"]), dtype=np.int8) * float(column["unit"])
    return found


def by_coset(pictures: Record, partition: int | None, size: int) -> "NDArray[np.intp]":
    """The elements in the order of their cosets, and within one in their own; as they come without a partition."""
    import numpy as np

    if partition is None:
        return np.arange(size)
    return np.argsort(np.array(pictures["partitions"][partition]), kind="stable")


def draw_neuron(pictures: Record, index: int) -> "Figure":
    """The response of one neuron, relu(L(x) + R(y)) or the square of L(x) + R(y), to all pairs.

    Elements as they come, and sorted by its label's cosets.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.8, 2.1))
    left, right = (axes_at(figure, start, 0.25, 1.6, 1.6) for start in (0.25, 2.1))
    response, sorted_response, cuts = responses(pictures, index)
    most = max(float(response.max()), 1e-30)
    for axes, grid, title in ((left, response, "in the usual order"), (right, sorted_response, "sorted by cosets")):
        image = axes.imshow(grid, cmap="Blues", vmin=0, vmax=most, interpolation="nearest")
        axes.set_title(title, fontsize=9)
        axes.set_xlabel("y", fontsize=8)
        _bare(axes)
    left.set_ylabel("x", fontsize=8)
    _cuts(right, *cuts)
    bar = figure.colorbar(image, cax=axes_at(figure, 3.8, 0.4, 0.08, 1.3))
    bar.ax.tick_params(labelsize=7)
    bar.set_label("response", fontsize=8)
    return figure


def responses(pictures: Record, index: int) -> "tuple[NDArray[np.floating], NDArray[np.floating], tuple[list[int], list[int]]]":
    """The responses in the usual order, sorted by cosets, and after how many rows and columns a coset ends."""
    import numpy as np

    neuron = next(neuron for neuron in pictures["neurons"] if neuron["index"] == index)
    left, right = values(neuron["left"]), values(neuron["right"])
    size = len(left)
    step = -(-size // MOST)
    orders = [by_coset(pictures, neuron[side], size)[::step] for side in ("x", "y")]
    cuts: list[list[int]] = []
    for side, order in zip(("x", "y"), orders, strict=True):
        coset = np.array(pictures["partitions"][neuron[side]])[order] if neuron[side] is not None else np.zeros(len(order))
        cuts.append([int(k) + 1 for k in np.flatnonzero(np.diff(coset))])

    def grid(x: "NDArray[np.intp]", y: "NDArray[np.intp]") -> "NDArray[np.floating]":
        sums = left[x][:, None] + right[y][None]
        return np.asarray(sums**2 if pictures.get("activation") == "square" else np.maximum(sums, 0))

    plain = np.arange(0, size, step)
    return grid(plain, plain), grid(*orders), (cuts[0], cuts[1])


def draw_page(pictures: Record, index: int, title: str) -> "Figure":
    """One neuron in three rows: its response, its two functions, and its votes, elements sorted by cosets."""
    from matplotlib.figure import Figure

    neuron = next(neuron for neuron in pictures["neurons"] if neuron["index"] == index)
    figure = Figure(figsize=(7.2, 6.6), layout="constrained")
    top, below = figure.subfigures(2, 1, squeeze=False, height_ratios=(1.25, 1))[:, 0]
    response, sorted_response, cuts = responses(pictures, index)
    most = max(float(response.max()), 1e-30)
    for axes, grid, name in zip(
        top.subplots(1, 2), (response, sorted_response), ("in the usual order", "sorted by cosets"), strict=True
    ):
        image = axes.imshow(grid, cmap="Blues", vmin=0, vmax=most, interpolation="nearest")
        axes.set_title(f"response to (x, y), {name}", fontsize=9)
        axes.set_xlabel("y", fontsize=8)
        axes.set_ylabel("x", fontsize=8)
        _bare(axes)
    _cuts(axes, *cuts)
    top.colorbar(image, ax=top.axes, shrink=0.8)
    for axes, part, side, name in zip(
        below.subplots(1, 3),
        ("left", "right", "votes"),
        ("x", "y", None),
        ("L(x), x by coset", "R(y), y by coset", "votes on z"),
        strict=True,
    ):
        column = values(neuron[part])
        order = by_coset(pictures, neuron[side] if side else None, len(column))
        axes.plot(column[order], ".", color="#1f5fa8", markersize=2.5)
        axes.axhline(0, color="#8a8f98", linewidth=0.6)
        axes.set_title(name, fontsize=9)
        axes.tick_params(labelsize=7)
        axes.set_xticks([])
    figure.suptitle(title, fontsize=10, parse_math=False)
    return figure


def draw_sheet(pictures: Record, indices: list[int], title: str, columns: int = 6) -> "Figure":
    """A contact sheet: the responses of several neurons, sorted by their cosets."""
    from matplotlib.figure import Figure

    rows = -(-len(indices) // columns)
    figure = Figure(figsize=(1.5 * columns, 1.7 * rows + 0.5), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False)
    for place, axes in enumerate(grid.flat):
        if place >= len(indices):
            axes.axis("off")
            continue
        _, response, cuts = responses(pictures, indices[place])
        axes.imshow(response, cmap="Blues", vmin=0, interpolation="nearest")
        axes.set_title(f"neuron {indices[place]}", fontsize=8)
        _bare(axes)
        _cuts(axes, *cuts)
    figure.suptitle(title, fontsize=10, parse_math=False)
    return figure


def _bare(axes: "Axes") -> None:
    axes.set_xticks([])
    axes.set_yticks([])


def _cuts(axes: "Axes", rows: list[int], columns: list[int]) -> None:
    """Thin lines between cosets, where these are few."""
    for line, at in ((axes.axhline, rows), (axes.axvline, columns)):
        for place in at if len(at) <= 30 else ():
            line(place - 0.5, color="#d9822b", linewidth=0.5)
