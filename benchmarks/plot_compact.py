"""Figures of docs/compact-proofs.md from the files that bench_compact.py wrote.

python benchmarks/plot_compact.py SCALING.json MAPS_FOLDER CHECKPOINT_FOLDER docs/figures
"""

import json
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap

from net.checkpoint import load_network

plt.switch_backend("Agg")

SHOWN = ("S5_MLP_seed1", "S5_MLP_seed10", "S6_MLP_seed2", "S6_MLP_seed1")
COLOURS = ("#d62728", "#1f77b4", "#9ecae1", "#fdae6b")


def scaling(rows: list[dict[str, float]], folder: Path) -> None:
    """FLOPs and CPU seconds against |G|, brute force and proof."""
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    n = np.array([row["order"] for row in rows])
    brute = np.array([row["flops"] * row["flops_ratio"] for row in rows])
    for axis, pairs, label in (
        (axes[0], ((brute, "brute force, 2 m n³"), ([row["flops"] for row in rows], "compact proof")), "FLOPs"),
        (
            axes[1],
            (
                ([row["brute32"] for row in rows], "brute force, float32"),
                ([row["brute64"] for row in rows], "brute force, float64"),
                ([row["seconds"] for row in rows], "compact proof"),
                ([row["search"] for row in rows], "search for the plan"),
            ),
            "CPU seconds",
        ),
    ):
        for values, name in pairs:
            axis.loglog(n, values, "o-", label=name)
        axis.set_xlabel("|G|: S4, S5, S6, S7 with m = 64, 128, 256, 512")
        axis.set_ylabel(label)
        axis.legend(fontsize=8)
        axis.grid(alpha=0.3)
    figure.savefig(folder / "compact-scaling.png", dpi=130)


def maps(maps_folder: Path, checkpoints: Path, folder: Path) -> None:
    """Which strategy settled which pair, and bounds against margins."""
    figure, axes = plt.subplots(2, len(SHOWN), figsize=(13, 6), layout="constrained")
    for column, name in enumerate(SHOWN):
        data = np.load(maps_folder / f"{name}.npz")
        names = [str(text) for text in data["names"]]
        colours = ListedColormap(COLOURS[: len(names) + 1])
        shown = axes[0, column].imshow(data["settled"].T, cmap=colours, vmin=-0.5, vmax=len(names) + 0.5, interpolation="nearest")
        bar = figure.colorbar(shown, ax=axes[0, column], ticks=range(len(names) + 1), shrink=0.75)
        bar.ax.set_yticklabels(["open", *names], fontsize=7)
        axes[0, column].set(title=name, xlabel="x", ylabel="y")
        margin = margins(checkpoints / name / "model.pt", name[:2])
        low = float(data["bound"].min())
        edges = np.linspace(min(low, 0), float(np.quantile(margin, 0.999)), 90)
        axes[1, column].hist(margin.ravel(), edges, histtype="step", label="margin")
        axes[1, column].hist(data["bound"].ravel(), edges, histtype="step", label="proved lower bound")
        axes[1, column].axvline(0, color="black", linewidth=0.8)
        axes[1, column].set_xlabel("logit units")
        axes[1, column].legend(fontsize=7)
    figure.savefig(folder / "compact-strategies.png", dpi=110)


def margins(path: Path, group: str) -> np.ndarray:  # type: ignore[type-arg]
    """(n, n) float64 margins, for the picture only."""
    network = load_network(path, group)
    n = network.group.order
    x = np.arange(n)
    result = np.empty((n, n))
    for y in range(n):
        logits = network.weights.logits(x, np.full(n, y))
        answers = network.group.mul[:, y]
        right = logits[x, answers]
        logits[x, answers] = -np.inf
        result[:, y] = right - logits.max(axis=1)
    return result


if __name__ == "__main__":
    source, maps_folder, checkpoints, folder = (Path(text) for text in sys.argv[1:5])
    folder.mkdir(parents=True, exist_ok=True)
    scaling(json.loads(source.read_text(encoding="utf-8")), folder)
    maps(maps_folder, checkpoints, folder)
