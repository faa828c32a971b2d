"""Maximal relations, containment counts, the drawing."""

from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest

from algebra.containment import class_lattice, containment_counts, maximal_subgroups, subgroup_lattice
from algebra.group import parse_group
from algebra.hasse import hasse_dot, hasse_layout, save_hasse
from algebra.lattice import subgroups
from algebra.layered_layout import layered_layout


@pytest.mark.parametrize("name", ["S3", "S4", "A5", "S5", "D12", "C12"])
def test_maximal_relations_by_definition(name: str) -> None:
    """H is maximal in K if H < K and no L has H < L < K; networkx reduces the order to the same."""
    lattice = subgroups(parse_group(name))
    below = np.array([lattice.inside(i) for i in range(len(lattice))]).T & ~np.eye(len(lattice), dtype=bool)
    reduced = nx.transitive_reduction(nx.DiGraph(list(zip(*np.nonzero(below), strict=True))))
    graph = subgroup_lattice(lattice)
    assert set(graph.edges) == set(reduced.edges)
    between = (below.astype(int) @ below.astype(int)) > 0
    assert set(graph.edges) == set(zip(*(part.tolist() for part in np.nonzero(below & ~between)), strict=True))


@pytest.mark.parametrize("name", ["S4", "A5", "S5"])
def test_the_lattice_of_classes_counts_maximal_members(name: str) -> None:
    lattice = subgroups(parse_group(name))
    single, classes = subgroup_lattice(lattice), class_lattice(lattice)
    for a, b, data in classes.edges(data=True):
        first, last = int(lattice.classes[a].members[0]), int(lattice.classes[b].members[0])
        assert data["below"] == sum(lattice.class_of[i] == a for i in single.predecessors(last))
        assert data["above"] == sum(lattice.class_of[i] == b for i in single.successors(first))
    expected = {(int(lattice.class_of[a]), int(lattice.class_of[b])) for a, b in single.edges}
    assert set(classes.edges) == expected


@pytest.mark.parametrize("name", ["S4", "S5"])
def test_containment_counts_by_definition(name: str) -> None:
    lattice = subgroups(parse_group(name))
    counts = containment_counts(lattice)
    for a in lattice.classes:
        for b in lattice.classes:
            direct = sum(not (a.representative.mask & ~lattice.masks[i]).any() for i in b.members)
            assert counts[a.number, b.number] == direct


def test_maximal_subgroups_of_s6_are_the_known_ones() -> None:
    """ATLAS of Finite Groups, p. 4: A6, S5 twice, S4xS2 twice, S3wrS2."""
    lattice = subgroups(parse_group("S6"))
    found = {lattice.names[lattice.class_of[i]] for i in maximal_subgroups(lattice, len(lattice) - 1)}
    assert found == {"A6", "S5", "S5[6]", "S4xS2", "S4xC2", "S3wrS2"}


@pytest.mark.parametrize("name", ["S4", "S5", "S6", "A6", "S3xS3"])
def test_boxes_of_the_hasse_diagram_do_not_overlap(name: str, tmp_path: Path) -> None:
    """Measured on the rendered texts, not on the layout's estimate of their widths."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    lattice = subgroups(parse_group(name))
    drawn: list[Figure] = []
    original = Figure.savefig
    with pytest.MonkeyPatch.context() as patch:

        def saved(self: Figure, *words: Any, **options: Any) -> None:
            drawn.append(self)
            original(self, *words, **options)

        patch.setattr(Figure, "savefig", saved)
        save_hasse(lattice, tmp_path / "figure.png")
    figure = drawn[0]
    assert isinstance(figure.canvas, FigureCanvasAgg)
    renderer = figure.canvas.get_renderer()
    boxes = [text.get_window_extent(renderer) for text in figure.axes[0].texts]
    boxes += [box.get_window_extent(renderer) for text in figure.axes[0].texts if (box := text.get_bbox_patch())]
    texts = boxes[: len(figure.axes[0].texts)]
    assert len(texts) > len(lattice.classes)
    for i, one in enumerate(texts):
        assert not any(one.overlaps(other) for other in texts[i + 1 :])


def test_layers_follow_orders_and_routes_run_upwards() -> None:
    lattice = subgroups(parse_group("S5"))
    layout = hasse_layout(lattice)
    for a, b in class_lattice(lattice).edges:
        heights = [y for _, y in layout.routes[a, b]]
        assert heights == list(range(layout.positions[a][1], layout.positions[b][1] + 1))
    orders = {layout.positions[one.number][1]: one.order for one in lattice.classes}
    assert [orders[layer] for layer in sorted(orders)] == sorted(orders.values())


def test_crossings_that_can_be_avoided_are() -> None:
    graph = nx.DiGraph([("a", "D"), ("b", "C"), ("c", "B"), ("d", "A")])
    layer = {node: int(node.isupper()) for node in graph}
    x = {node: place for node, (place, _) in layered_layout(graph, layer, dict.fromkeys(graph, 1.0)).positions.items()}
    assert sorted("abcd", key=x.__getitem__) == [{"D": "a", "C": "b", "B": "c", "A": "d"}[n] for n in sorted("ABCD", key=x.__getitem__)]


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_the_figure_has_the_same_bytes_every_time(suffix: str, tmp_path: Path) -> None:
    lattice = subgroups(parse_group("S4"))
    files = [tmp_path / f"{k}{suffix}" for k in range(2)]
    for file in files:
        save_hasse(lattice, file)
    assert files[0].read_bytes() == files[1].read_bytes()


def test_dot_has_a_node_for_each_class_and_a_line_for_each_relation() -> None:
    lattice = subgroups(parse_group("S4"))
    text = hasse_dot(lattice)
    assert text.count("[label=") == 11
    assert text.count(" -> ") == class_lattice(lattice).number_of_edges()


@pytest.mark.parametrize("name", ["S4", "S5", "A5", "D8"])
def test_the_drawing_has_every_class_and_line_and_no_two_boxes_overlap(name: str) -> None:
    lattice = subgroups(parse_group(name))
    layout = hasse_layout(lattice)
    width: dict[Any, float] = {
        one.number: 0.15 * max(len(one.name), 1 + len(str(one.length)) if one.length > 1 else 0) for one in lattice.classes
    }
    assert set(layout.positions) == {one.number for one in lattice.classes}
    assert set(layout.routes) == set(class_lattice(lattice).edges)
    for (lower, upper), route in layout.routes.items():
        assert [route[0], route[-1]] == [layout.positions[lower], layout.positions[upper]]
    for a, (x, layer) in layout.positions.items():
        for b, (other, same) in layout.positions.items():
            if a != b and layer == same:
                assert abs(x - other) >= (width[a] + width[b]) / 2
