"""The figure of `verify trace`: answers, margin and shares of energy over the steps of a training run."""

from pathlib import Path

from reports.figures import STYLE
from reports.records import Record

#: Classes and irreps that have a line of their own.
SHOWN = 6


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
        series = [("all pairs", [row["right"] / row["pairs"] for row in read])]
        if all("trained_right" in row for row in read) and read:
            series = [
                ("trained on", [row["trained_right"] / max(1, row["trained_pairs"]) for row in read]),
                ("held out", [row["held_out_right"] / max(1, row["pairs"] - row["trained_pairs"]) for row in read]),
            ]
        for label, values in series:
            answers.plot(steps, values, ".-", label=label, markersize=4)
        answers.set_ylabel("share of pairs right")
        margin.plot(steps, [float("nan") if row["min_margin"] is None else row["min_margin"] for row in read], ".-", markersize=4)
        margin.set_ylabel("least margin\nof right answers")
        for axes, key, title in ((classes, "classes", "class of subgroups"), (irreps, "irreps", "irrep of L and R")):
            most: dict[str, float] = {}
            for row in read:
                for name, share in row[key].items():
                    most[name] = max(share, most.get(name, 0.0))
            for name in sorted(most, key=lambda name: (-most[name], name))[:SHOWN]:
                axes.plot(steps, [row[key].get(name, 0.0) for row in read], ".-", label=name, markersize=3)
            axes.set_ylabel(f"share of energy\nby {title}")
        classes.plot(steps, [row["labelled"] for row in read], "k:", label="all labelled neurons")
        if read and all(row["rank_one"] is not None for row in read):
            irreps.plot(steps, [row["rank_one"] for row in read], "k:", label="rank-one share of L and R")
        for axes in (answers, classes, irreps):
            if axes.lines:
                axes.legend(frameon=False, fontsize=7, loc="upper left", bbox_to_anchor=(1.01, 1))
        irreps.set_xlabel("step")
        figure.savefig(path, format="svg", metadata={"Date": None}, bbox_inches="tight")
