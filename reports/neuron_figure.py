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

USUAL = "in the usual order"
#: Of values that are not the network's own.
MULTIPLIED = "times a power of two"
MOST_CUTS = 30  # lines between cosets
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
    most = _most(response)
    for axes, grid, title in ((left, response, USUAL), (right, sorted_response, _order_of(pictures, index))):
        image = axes.imshow(grid, cmap="Blues", vmin=0, vmax=most, interpolation="nearest")
        axes.set_title(title, fontsize=9)
        axes.set_xlabel("y", fontsize=8)
        _bare(axes)
    left.set_ylabel("x", fontsize=8)
    _cuts(right, *cuts)
    bar = figure.colorbar(image, cax=axes_at(figure, 3.8, 0.4, 0.08, 1.3))
    bar.ax.tick_params(labelsize=7)
    bar.set_label("response" if pictures.get("own", True) else f"response, {MULTIPLIED}", fontsize=8)
    return figure


def responses(pictures: Record, index: int) -> "tuple[NDArray[np.floating], NDArray[np.floating], tuple[list[int], list[int]]]":
    """The responses in the usual order, sorted by cosets, and after how many rows and columns a coset ends."""
    import numpy as np

    neuron = neuron_of(pictures, index)
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

    neuron = neuron_of(pictures, index)
    figure = Figure(figsize=(7.2, 6.6), layout="constrained")
    top, below = figure.subfigures(2, 1, squeeze=False, height_ratios=(1.25, 1))[:, 0]
    response, sorted_response, cuts = responses(pictures, index)
    most = _most(response)
    for axes, grid, name in zip(top.subplots(1, 2), (response, sorted_response), (USUAL, _order_of(pictures, index)), strict=True):
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
        (
            *(name if neuron[side] is None else f"{name}, {side} by coset" for name, side in (("L(x)", "x"), ("R(y)", "y"))),
            "votes on z",
        ),
        strict=True,
    ):
        column = values(neuron[part])
        order = by_coset(pictures, neuron[side] if side else None, len(column))
        axes.plot(column[order], ".", color="#1f5fa8", markersize=2.5)
        axes.axhline(0, color="#8a8f98", linewidth=0.6)
        axes.set_title(name, fontsize=9)
        axes.tick_params(labelsize=7)
        axes.set_xticks([])
    figure.suptitle(title if pictures.get("own", True) else f"{title}; values {MULTIPLIED}", fontsize=10, parse_math=False)
    return figure


#: Of a contact sheet, in inches: the side of a picture, from one to the next across and up, and the room for the title.
SIDE, ACROSS, UP, TITLE = 1.3, 1.45, 1.6, 0.35


def draw_sheet(pictures: Record, indices: list[int], title: str, columns: int = 6) -> "Figure":
    """A contact sheet: the responses of several neurons, sorted by their cosets; says where a neuron has none to be sorted by.

    All pictures stand on one pair of axes, since axes take most of the time that a picture takes.
    """
    from matplotlib.collections import LineCollection
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    columns = min(columns, len(indices))
    wide, high = ACROSS * columns, UP * -(-len(indices) // columns)
    figure = Figure(figsize=(max(wide, 5.0), high + TITLE))
    figure.suppressComposite = True  # each picture keeps its own rows
    axes = axes_at(figure, 0, 0, wide, high)
    lines: list[list[tuple[float, float]]] = []
    for place, index in enumerate(indices):
        row, column = divmod(place, columns)
        left, bottom = ACROSS * column, high - UP * row - UP
        _, response, cuts = responses(pictures, index)
        size, neuron = len(response), neuron_of(pictures, index)
        extent = (left, left + SIDE, bottom, bottom + SIDE)
        axes.imshow(response, cmap="Blues", vmin=0, vmax=_most(response), interpolation="nearest", extent=extent, aspect="auto")
        axes.add_patch(Rectangle((left, bottom), SIDE, SIDE, fill=False, edgecolor="#1b1f24", linewidth=0.5, clip_on=False))
        named = f"neuron {index}" + {"x y": "", "": ", not sorted"}.get(known := sides(neuron), f", {known} sorted")
        axes.text(left + SIDE / 2, bottom + SIDE + 0.04, named, fontsize=8, horizontalalignment="center")
        for at, across in ((cuts[0], True), (cuts[1], False)):
            for cut in at if len(at) <= MOST_CUTS else ():
                down, right = bottom + SIDE * (1 - cut / size), left + SIDE * cut / size
                lines.append([(left, down), (left + SIDE, down)] if across else [(right, bottom), (right, bottom + SIDE)])
    axes.add_collection(LineCollection(lines, colors="#d9822b", linewidths=0.5))
    axes.set(xlim=(0, wide), ylim=(0, high))
    axes.axis("off")
    figure.text(0.02, 1 - TITLE / (high + TITLE) / 2, title, fontsize=10, parse_math=False)
    return figure


def _order_of(pictures: Record, index: int) -> str:
    """What a picture that is to be sorted by cosets says of its order."""
    known = sides(neuron_of(pictures, index))
    return {"x y": "sorted by cosets", "": f"{USUAL}, without cosets"}.get(known, f"{known} by coset")


def sides(neuron: Record) -> str:
    """The inputs, "x y" or less, for which a neuron's label has cosets to sort by."""
    return " ".join(side for side in ("x", "y") if neuron[side] is not None)


def neuron_of(pictures: Record, index: int) -> Record:
    """The neuron with that number."""
    found: Record = next(neuron for neuron in pictures["neurons"] if neuron["index"] == index)
    return found


def _most(response: "NDArray[np.floating]") -> float:
    """Where the scale of a response ends; a neuron that never fires has one, too."""
    return max(float(response.max()), 1e-30)


def _bare(axes: "Axes") -> None:
    axes.set_xticks([])
    axes.set_yticks([])


def _cuts(axes: "Axes", rows: list[int], columns: list[int]) -> None:
    """Thin lines between cosets, where these are few."""
    for line, at in ((axes.axhline, rows), (axes.axvline, columns)):
        for place in at if len(at) <= MOST_CUTS else ():
            line(place - 0.5, color="#d9822b", linewidth=0.5)
