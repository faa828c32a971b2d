"""Permutations as tuples of 0-based images, and 1-based cycle notation.

A product is read from left to right: ``(pq)(i) = q(p(i))``, which is SymPy's ``p*q`` and GAP's ``p*q``.
"""

import re
from collections.abc import Sequence

from algebra.errors import GroupError

__all__ = ["Images", "compose", "cycle_type", "cycles", "format_cycles", "inverse", "parity", "parse_cycles"]

Images = tuple[int, ...]

_CYCLE = re.compile(r"\(([^()]*)\)")
_SEPARATOR = re.compile(r"[\s,]+")


def parse_cycles(text: str, degree: int) -> Images:
    """Images of the permutation of ``1..degree`` that is written in cycle notation, such as ``(1 2 3)(4 5)``.

    Points within a cycle are separated by blanks or commas; ``()`` is the identity. Cycles need not be
    disjoint: they are multiplied from left to right.

    Raises:
        GroupError: the text is not cycle notation, a point is outside ``1..degree``, or a cycle repeats one.

    """
    if not _CYCLE.search(text) or _CYCLE.sub("", text).strip():
        raise GroupError(f"Expected cycle notation such as (1 2 3)(4 5), got {text!r}.")
    images = tuple(range(degree))
    for body in _CYCLE.findall(text):
        images = compose(images, _cycle_images(body, degree))
    return images


def _cycle_images(body: str, degree: int) -> Images:
    words = [word for word in _SEPARATOR.split(body.strip()) if word]
    if not all(word.isascii() and word.isdigit() for word in words):
        raise GroupError(f"Expected the points of a cycle as numbers, got ({body}).")
    points = [int(word) - 1 for word in words]
    if -1 in points:
        raise GroupError(f"Expected points that start at 1, got a 0 in ({body}).")
    if any(not 0 <= point < degree for point in points):
        raise GroupError(f"Expected points from 1 to {degree}, got ({body}).")
    if len(set(points)) != len(points):
        raise GroupError(f"Expected the points of a cycle to differ, got ({body}).")
    images = list(range(degree))
    for here, there in zip(points, points[1:] + points[:1], strict=True):
        images[here] = there
    return tuple(images)


def cycles(images: Sequence[int]) -> list[list[int]]:
    """Cycles of the permutation on 0-based points, fixed points included, each from its least point."""
    seen = [False] * len(images)
    found = []
    for start in range(len(images)):
        cycle = []
        point = start
        while not seen[point]:
            seen[point] = True
            cycle.append(point)
            point = int(images[point])
        if cycle:
            found.append(cycle)
    return found


def cycle_type(images: Sequence[int]) -> tuple[int, ...]:
    """Lengths of the cycles in falling order, fixed points included: a partition of the degree."""
    return tuple(sorted((len(cycle) for cycle in cycles(images)), reverse=True))


def format_cycles(images: Sequence[int]) -> str:
    """Disjoint cycles on 1-based points, each from its least point; ``()`` for the identity."""
    moved = [cycle for cycle in cycles(images) if len(cycle) > 1]
    return "".join("(" + " ".join(str(point + 1) for point in cycle) + ")" for cycle in moved) or "()"


def compose(first: Sequence[int], second: Sequence[int]) -> Images:
    """The product ``first * second``, which applies ``first`` and then ``second``.

    Raises:
        GroupError: the two degrees differ.

    """
    if len(first) != len(second):
        raise GroupError(f"Expected two permutations of one degree, got degrees {len(first)} and {len(second)}.")
    return tuple(int(second[point]) for point in first)


def inverse(images: Sequence[int]) -> Images:
    """The permutation ``q`` with ``q(p(i)) = i``."""
    undone = [0] * len(images)
    for point, image in enumerate(images):
        undone[image] = point
    return tuple(undone)


def parity(images: Sequence[int]) -> int:
    """0 for an even permutation, 1 for an odd one: degree minus number of cycles, modulo 2."""
    return (len(images) - len(cycles(images))) % 2
