"""Where the parts of a figure stand, in inches, from the lengths of their labels.

A layout engine draws a figure to measure it, and cropping to what is drawn does so once more; here every part is drawn once.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Between a label and what it belongs to, and between parts.
GAP = 0.08
POINTS = 72  # in an inch


def width_of(labels: Iterable[str], size: float) -> float:
    """The width of the longest of some labels in a font of ``size`` points, in inches; 0 of none."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(size=size)
    widths = [text_to_path.get_text_width_height_descent(label, font, ismath=False)[0] for label in labels]
    return float(max(widths, default=0.0)) / POINTS


def axes_at(figure: "Figure", left: float, bottom: float, width: float, height: float) -> "Axes":
    """Axes whose frame has this place and size, in inches from the lower left corner."""
    across, up = figure.get_size_inches()
    return figure.add_axes((left / across, bottom / up, width / across, height / up))
