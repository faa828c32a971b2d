"""The Hasse diagram: no two boxes touch, no line passes behind a box where that can be avoided."""

import itertools

import pytest
from matplotlib.patches import FancyBboxPatch

from algebra.containment import class_lattice
from algebra.group import parse_group
from algebra.lattice import subgroups
from reports.hasse import arrange, draw_lattice


def rows_of(name: str) -> tuple[list[int], list[tuple[int, int]], int]:
    """Rows by order, edges of the class lattice, and the number of places in a row."""
    group = parse_group(name)
    lattice = subgroups(group)
    orders = [c.order for c in lattice.classes]
    level = [sorted(set(orders)).index(order) for order in orders]
    edges = [(int(i), int(j)) for i, j in class_lattice(lattice).edges]
    return level, edges, 2 * max(map(level.count, level)) + 1


@pytest.mark.parametrize("name", ["S4", "S5", "S6"])
def test_boxes_of_a_row_do_not_touch(name: str) -> None:
    """Two classes of the same order are at least two places apart, and all lie within the figure."""
    level, edges, slots = rows_of(name)
    place = arrange(level, edges, slots)

    for i, j in itertools.combinations(range(len(level)), 2):
        assert level[i] != level[j] or abs(place[i] - place[j]) >= 2
    assert min(place) >= 0
    assert max(place) < slots


def test_a_line_is_led_around_a_box() -> None:
    """In a chain with a long edge, the class in the middle is moved out of the way of that edge."""
    level, edges = [0, 1, 2], [(0, 1), (1, 2), (0, 2)]
    place = arrange(level, edges, 5)

    assert abs((place[0] + place[2]) / 2 - place[1]) >= 1


def test_straight_chain_stays_straight() -> None:
    """Where no line can hide, the shortest drawing is a straight one."""
    assert len(set(arrange([0, 1, 2], [(0, 1), (1, 2)], 5))) == 1


def test_every_class_is_drawn_once_and_filled_when_used() -> None:
    """The figure has one box for each class; those that neurons use are filled."""
    classes = (("1", 1, 0), ("C2", 2, 3), ("C4", 4, 0))
    nodes = [{"name": n, "order": k, "length": 1, "used": u} for n, k, u in classes]
    figure = draw_lattice({"nodes": nodes, "edges": [[0, 1], [1, 2]]}, "C4")
    boxes = [p for p in figure.axes[0].patches if isinstance(p, FancyBboxPatch)]

    assert len(boxes) == 3
    assert len({box.get_facecolor() for box in boxes}) == 2
    assert {"1", "C2", "C4", "normal, 3 n."} <= {text.get_text() for text in figure.axes[0].texts}
