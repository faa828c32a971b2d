"""Layered drawings of directed acyclic graphs: who stands where so that a person can follow the edges.

The steps are those of K. Sugiyama, S. Tagawa, M. Toda, "Methods for visual understanding of hierarchical
system structures" (IEEE Trans. SMC 11, 1981): an edge that skips layers gets a bend in each; layers are
ordered by the mean place of their neighbours; then every node is moved towards its neighbours as far as the
widths allow.
"""

from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["LayeredLayout", "layered_layout"]

_SWEEPS = 24
_GAP = 0.22
_MARGIN = 0.18  # kept free on either side of a box
_STRAIGHTNESS = 4.0  # weight of a bend against that of a box


@dataclass(frozen=True)
class LayeredLayout:
    """Positions of nodes, and the points that each edge runs through from its source to its target.

    Attributes:
        positions: (x, layer) of each node.
        routes: for each edge the positions of its source, its bends and its target.

    """

    positions: dict[Hashable, tuple[float, int]]
    routes: dict[tuple[Hashable, Hashable], list[tuple[float, int]]]


def layered_layout(graph: "nx.DiGraph[object]", layer_of: Mapping[Hashable, int], width_of: Mapping[Hashable, float]) -> LayeredLayout:
    """Lay out a graph whose edges go from lower to higher layers; boxes of these widths do not overlap."""
    paths = {(a, b): _path(a, b, layer_of) for a, b in graph.edges}
    layers: dict[int, list[Hashable]] = defaultdict(list)
    for node in graph.nodes:
        layers[layer_of[node]].append(node)
    for (lower, _), path in paths.items():
        for layer, bend in enumerate(path[1:-1], start=layer_of[lower] + 1):
            layers[layer].append(bend)
    links = _links(paths.values())
    ordered = _ordered([layers[key] for key in sorted(layers)], links)
    x = _placed(ordered, links, width_of)
    level = {node: number for number, layer in enumerate(ordered) for node in layer}
    place = {node: (x[node], level[node]) for node in x}
    routes = {edge: [place[node] for node in path] for edge, path in paths.items()}
    return LayeredLayout({node: place[node] for node in graph.nodes}, routes)


def _path(lower: Hashable, upper: Hashable, layer_of: Mapping[Hashable, int]) -> list[Hashable]:
    bends = [(lower, upper, layer) for layer in range(layer_of[lower] + 1, layer_of[upper])]
    return [lower, *bends, upper]


def _links(paths: Iterable[list[Hashable]]) -> dict[str, dict[Hashable, list[Hashable]]]:
    """Neighbours of every node and bend in the layer below and in the layer above."""
    below: dict[Hashable, list[Hashable]] = defaultdict(list)
    above: dict[Hashable, list[Hashable]] = defaultdict(list)
    for path in paths:
        for one, other in pairwise(path):
            above[one].append(other)
            below[other].append(one)
    return {"below": below, "above": above}


def _ordered(layers: list[list[Hashable]], links: dict[str, dict[Hashable, list[Hashable]]]) -> list[list[Hashable]]:
    """Order each layer by the mean place of the neighbours in the one before, up and down in turn."""
    best, fewest = layers, _crossings(layers, links["above"])
    for sweep in range(_SWEEPS):
        up = sweep % 2 == 0
        layers = [list(layer) for layer in layers]
        steps = range(1, len(layers)) if up else range(len(layers) - 2, -1, -1)
        for number in steps:
            before = {node: i for i, node in enumerate(layers[number - 1 if up else number + 1])}
            neighbours = links["below" if up else "above"]
            here = {node: i for i, node in enumerate(layers[number])}
            means = {node: _mean([before[other] for other in neighbours[node]], here[node]) for node in here}
            layers[number].sort(key=lambda node, means=means: means[node])  # type: ignore[misc]
        if (crossings := _crossings(layers, links["above"])) < fewest:
            best, fewest = layers, crossings
    return best


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _crossings(layers: list[list[Hashable]], above: Mapping[Hashable, list[Hashable]]) -> int:
    """How many pairs of links between neighbouring layers cross."""
    total = 0
    for lower, upper in pairwise(layers):
        place = {node: i for i, node in enumerate(upper)}
        seen: list[int] = []
        for end in (end for node in lower for end in sorted(place[other] for other in above[node])):
            total += len(seen) - bisect_right(seen, end)
            insort(seen, end)
    return total


def _placed(
    layers: list[list[Hashable]],
    links: dict[str, dict[Hashable, list[Hashable]]],
    width_of: Mapping[Hashable, float],
) -> dict[Hashable, float]:
    """Horizontal places: each layer in turn goes as near to its neighbours as widths and order allow."""
    width = {node: width_of[node] + 2 * _MARGIN if node in width_of else 0.0 for layer in layers for node in layer}
    x: dict[Hashable, float] = {}
    for layer in layers:
        offsets = _offsets(layer, width)
        x.update({node: offset - offsets[-1] / 2 for node, offset in zip(layer, offsets, strict=True)})
    for sweep in range(2 * _SWEEPS):
        sides = ("below", "above") if sweep >= _SWEEPS else (("below",) if sweep % 2 == 0 else ("above",))
        for layer in layers if sweep % 2 == 0 else layers[::-1]:
            offsets = _offsets(layer, width)
            wanted = []
            for node, offset in zip(layer, offsets, strict=True):
                near = [x[other] for side in sides for other in links[side][node]]
                wanted.append(_mean(near, x[node]) - offset)
            weights = [1.0 if node in width_of else _STRAIGHTNESS for node in layer]
            for node, base, offset in zip(layer, _rising(wanted, weights), offsets, strict=True):
                x[node] = base + offset
    return x


def _offsets(layer: list[Hashable], width: Mapping[Hashable, float]) -> list[float]:
    """Places of the layer's nodes packed as closely as allowed, the first at 0."""
    offsets = [0.0]
    for one, other in pairwise(layer):
        offsets.append(offsets[-1] + (width[one] + width[other]) / 2 + _GAP)
    return offsets


def _rising(wanted: Sequence[float], weights: Sequence[float]) -> list[float]:
    """The rising sequence nearest to the wanted one in weighted least squares (pooled violators)."""
    blocks: list[tuple[float, float, int]] = []
    for value, weight in zip(wanted, weights, strict=True):
        mean, total, count = value, weight, 1
        while blocks and blocks[-1][0] > mean:
            before, heavy, many = blocks.pop()
            mean = (mean * total + before * heavy) / (total + heavy)
            total, count = total + heavy, count + many
        blocks.append((mean, total, count))
    return [mean for mean, _, count in blocks for _ in range(count)]
