"""Measure what the neurons of networks over S_n and A_n are, and write the tables of docs/mechanism.md.

usage: python scripts/mechanism_tables.py [FILE OR FOLDER ...] [--write]

Without arguments: the bundled networks and those in ../shared/checkpoints, where they are. --write puts the tables into the page.
"""

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from algebra.characters.irrep import has_irreps
from algebra.group import FiniteGroup
from net.bundled import bundled_checkpoint
from net.checkpoint import load_network
from net.discovery import checkpoints
from net.errors import MalformedInput
from net.folded import FoldedNetwork
from net.weights import Weights, dead_neurons
from verify.compare.gcr import logit_cosines
from verify.compare.rank_one import PointSet, RankOneFit, kind_of_weights, on_points, point_sets, rank_one_fit, weights_of_points
from verify.compare.rho_sets import rho_set_fit
from verify.distil.coset_fit import Floats

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "mechanism.md"
START, END = "<!-- tables: written by scripts/mechanism_tables.py -->", "<!-- end of tables -->"
KINDS = ("point", "pair", "difference", "half", "weighted")


class Measured(NamedTuple):
    """A network's live neurons: how far they are rank one, and for each that lies on points the weights a and d."""

    name: str
    group: FiniteGroup
    weights: Weights
    fit: RankOneFit
    placed: list[tuple[PointSet, str, str, float]]
    rho_sets: float
    gcr: float


def measured(name: str, network: FoldedNetwork) -> Measured:
    """All figures of one network."""
    group = network.group
    weights = network.weights.select(np.flatnonzero(~dead_neurons(network.weights)))
    fit = rank_one_fit(group, weights, sides=2)
    cosines = logit_cosines(network)
    rho_sets = float(rho_set_fit(group, weights).fits(0.05).mean())
    return Measured(name, group, weights, fit, placed(group, weights), rho_sets, sum(value**2 for value in cosines.values()))


def placed(group: FiniteGroup, weights: Weights) -> list[tuple[PointSet, str, str, float]]:
    """Neurons at least half of whose L and R lie on one set of points: the set, the kinds of a and d, the least cosine squared."""
    sets = point_sets(group)
    parts = [(on_points(group, where, weights.L), on_points(group, where, weights.R)) for where in sets]
    found = []
    for i in range(weights.width):
        shares = [min(left[1][i], right[1][i]) for left, right in parts]
        if not shares or max(shares) < 0.5:
            continue
        k = int(np.argmax(shares))
        a = np.linalg.svd(parts[k][0][0][i])[0][:, 0]
        d = np.linalg.svd(parts[k][1][0][i])[2][0]
        (one, first), (other, second) = weights_of_points(a), weights_of_points(d)
        found.append((sets[k], kind_of_weights(one), kind_of_weights(other), min(first, second)))
    return found


def networks(paths: list[str]) -> Iterator[tuple[str, FoldedNetwork]]:
    """The networks in files and folders whose group is S_n or A_n, or the bundled and the shared ones."""
    shared = ROOT.parent / "shared" / "checkpoints"
    found = [Path(path) for path in paths] or [bundled_checkpoint("S5"), bundled_checkpoint("S6"), *[shared] * shared.is_dir()]
    for path in checkpoints(found):
        try:
            network = load_network(path)
        except MalformedInput as error:
            print(f"{path}: {error}", file=sys.stderr)
            continue
        if has_irreps(network.group):
            yield path.parent.name if path.name == "model.pt" else f"bundled {path.stem}" if not paths else path.stem, network


# ---- tables


def middle(values: Floats) -> str:
    """The median, and the value that nine of ten neurons reach."""
    return f"{np.median(values):.3f} ({np.quantile(values, 0.1):.3f})" if len(values) else "-"


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    """A Markdown table."""
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)] + [""]


def shares_table(found: list[Measured]) -> list[str]:
    """How much of L, R and U is rank one, and how parallel the vectors are that they share."""
    rows = []
    for one in found:
        fit = one.fit
        same = float((fit.strongest == fit.strongest[0]).all(axis=0).mean())
        inputs = fit.fits(0.05, 2, aligned=True).mean()
        rows.append(
            [
                one.name,
                str(one.weights.width),
                f"{same:.0%}",
                f"{inputs:.0%}",
                middle(fit.rank_one[0]),
                middle(fit.rank_one[1]),
                middle(fit.rank_one[2]),
                middle(fit.shared[1]),
                middle(fit.shared[0]),
                middle(fit.shared[2]),
            ]
        )
    head = ["network", "live neurons", "one irrep", "rank one", "L", "R", "U", "cos of b", "cos of a", "cos of d"]
    return table(head, rows)


def vectors_table(found: list[Measured]) -> list[str]:
    """Of neurons on points the kinds of a and d, and how near they are to small integers."""
    rows = []
    for one in found:
        irreps = Counter(one.fit.names[k] for k in one.fit.irrep)
        names = ", ".join(f"{name} {count}" for name, count in irreps.most_common())
        for twisted in (False, True):
            mine = [p for p in one.placed if (p[0].kernel is not None) == twisted]
            if not mine:
                continue
            kinds = Counter(kind for p in mine for kind in p[1:3])
            sets = Counter(f"{p[0].points.count} of {p[0].name}" for p in mine)
            points = ", ".join(f"{name}: {count}" for name, count in sets.most_common())
            spread = [str(kinds[kind]) for kind in KINDS]
            cosines = np.array([p[3] for p in mine])
            rows.append([one.name, "yes" if twisted else "no", points, *spread, middle(cosines), names])
            names = ""
    return table(["network", "times the sign", "neurons by points", *KINDS, "cos^2", "irreps of all neurons"], rows)


def rest_table(found: list[Measured]) -> list[str]:
    """Of the part of L off the neuron's irrep: its share, and which irreps have most of it."""
    rows = []
    for one in found:
        rest = one.fit.rest[0]
        total = rest.sum(axis=0)
        by_irrep = rest.mean(axis=1)
        order = np.argsort(-by_irrep)[:3]
        names = ", ".join(f"{one.fit.names[k]} {by_irrep[k] / max(by_irrep.sum(), 1e-300):.0%}" for k in order)
        more = one.fit.on_irrep[0] - one.fit.rank_one[0]
        rows.append(
            [
                one.name,
                f"{np.median(total):.4f} ({np.quantile(total, 0.9):.4f})",
                f"{np.median(more):.4f} ({np.quantile(more, 0.9):.4f})",
                names,
            ]
        )
    return table(["network", "off the irrep", "on it beyond rank one", "where most of it is, over all neurons"], rows)


def accounts_table(found: list[Measured]) -> list[str]:
    """What the three published accounts describe."""
    rows = []
    for one in found:
        points = sum(p[1] == p[2] == "point" and p[0].kernel is None and p[3] > 0.95 for p in one.placed) / one.weights.width
        twisted = sum(p[1] == p[2] == "point" and p[0].kernel is not None and p[3] > 0.95 for p in one.placed) / one.weights.width
        rest = sum(not p[1] == p[2] == "point" for p in one.placed) / one.weights.width
        inputs, every = (one.fit.fits(0.05, sides).mean() for sides in (2, 3))
        rows.append([one.name, *(f"{share:.0%}" for share in (points, twisted, rest, inputs, every, one.rho_sets, one.gcr))])
    head = [
        "network",
        "single points",
        "times the sign",
        "several points",
        "L, R rank one",
        "and U",
        "rho-set form",
        "logits in characters",
    ]
    return table(head, rows)


def main(arguments: list[str]) -> int:
    """Print the tables, or write them into the page."""
    paths = [text for text in arguments if text != "--write"]
    found = [measured(*network) for network in networks(paths)]
    lines = ["**Shares and shared vectors.**", "", *shares_table(found)]
    lines += ["**Weights of points.**", "", *vectors_table(found)]
    lines += ["**What is left over of L.**", "", *rest_table(found)]
    lines += ["**Three accounts.**", "", *accounts_table(found)]
    text = "\n".join(lines)
    if "--write" in arguments:
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(START)
        _, _, after = rest.partition(END)
        PAGE.write_text(f"{before}{START}\n\n{text}\n{END}{after}", encoding="utf-8")
    else:
        print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
