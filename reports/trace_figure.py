"""The figure of `verify trace`: answers, margin and shares of energy over the steps of a training run."""

import math
from collections.abc import Iterable
from pathlib import Path

from reports.figures import STYLE
from reports.records import Record
from reports.trace_words import SHARES, held_out_share, trained_share

#: Classes and irreps that have a line of their own.
SHOWN = 6
#: Margins from here on are not drawn: axes need some room in float64.
LARGEST = 1e300


def draw_trace(rows: list[Record], path: Path) -> None:
    """Write the figure as an SVG file that is the same for the same rows; snapshots without a step, or not read, are left out.

    Four panels over the step: share of pairs right (held out and trained on, where that is known), the least margin of the right
    answers, shares of energy by class of subgroups, and by irrep.
    """
    import matplotlib
    from matplotlib.figure import Figure

    read = [row for row in rows if "reason" not in row and row["step"] is not None]
    steps = [row["step"] for row in read]
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        figure = Figure(figsize=(7.2, 8.6), layout="constrained")
        answers, margin, classes, irreps = figure.subplots(4, 1, sharex=True)
        series = {"all pairs": [row["right"] / row["pairs"] for row in read]}
        if read and all("trained_pairs" in row for row in read):
            series = {"trained on": _drawn(map(trained_share, read)), "held out": _drawn(map(held_out_share, read))}
        for label, values in series.items():
            answers.plot(steps, values, ".-", label=label, markersize=4)
        answers.set_ylabel("share of pairs right")
        margins = _drawn(row["min_margin"] if (row["min_margin"] or 0) < LARGEST else None for row in read)
        margin.plot(steps, margins, ".-", label="least margin", markersize=4)
        beyond = any(math.isnan(value) and row["exact_min_margin"] is not None for row, value in zip(read, margins, strict=True))
        margin.set_ylabel("least margin\nof right answers" + "\n(some beyond float64)" * beyond)
        for axes, key, title in ((classes, "classes", "class of subgroups"), (irreps, "irreps", "irrep of L and R")):
            most: dict[str, float] = {}
            for row in read:
                for name, part in row[key].items():
                    most[name] = max(part, most.get(name, 0.0))
            for name in sorted(most, key=lambda name: (-most[name], name))[:SHOWN]:
                axes.plot(steps, _drawn(SHARES[key](row, name) for row in read), ".-", label=name, markersize=3)
            fewer = f"\n({SHOWN} largest of {len(most)})" if len(most) > SHOWN else ""
            axes.set_ylabel(f"share of energy\nby {title}{fewer}")
        classes.plot(steps, _drawn(row["labelled"] for row in read), "k.:", markersize=3, label="all labelled neurons")
        if any(row["rank_one"] is not None for row in read):
            irreps.plot(steps, _drawn(row["rank_one"] for row in read), "k.:", markersize=3, label="rank-one share of L and R")
        else:
            irreps.text(0.5, 0.5, "not measured", transform=irreps.transAxes, ha="center", va="center")
        for axes in (answers, classes, irreps):
            if axes.lines:
                axes.legend(frameon=False, fontsize=7, loc="upper left", bbox_to_anchor=(1.01, 1))
        irreps.set_xlabel("step")
        figure.savefig(path, format="svg", metadata={"Date": None}, bbox_inches="tight")


def _drawn(values: Iterable[float | None]) -> list[float]:
    """The values, with NaN, which is not drawn, for what is not known."""
    return [math.nan if value is None else value for value in values]
