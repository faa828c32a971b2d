"""Permutation groups of some hundred thousand elements: products by number, without a Cayley table.

Elements are numbered as in ``FiniteGroup``: lexicographically by their images, so that the identity is element 0. An element is known
by its images of a base, points of which no element but the identity fixes all. The base is cut into two halves; the images of each
half are numbered, and one table takes the two numbers to the element. A product then costs a few look-ups.
"""

from collections.abc import Iterable, Sequence
from functools import cached_property
from math import lcm

import numpy as np
from numpy.typing import NDArray

from algebra.errors import GroupError
from algebra.permutation import Images, cycles

__all__ = ["MOST_ELEMENTS", "ElementTable", "Numbers"]

#: Largest order: S9 has 362,880 elements, and its table of two halves takes 36 MB.
MOST_ELEMENTS = 500_000
#: Most entries of the table that takes two halves to an element.
_MOST_ENTRIES = 1 << 26
#: Most entries of the table that takes images of half of the base to their number; beyond it they are looked up by bisection.
_MOST_KEYS = 1 << 20
#: From so many factors on it is faster to multiply the two halves of all elements first (measured).
_MANY = 1_500

Numbers = NDArray[np.intp]


class _Half:
    """The images of some points of the base, numbered."""

    def __init__(self, elements: NDArray[np.uint8], points: list[int]) -> None:
        degree = elements.shape[1]
        if degree ** len(points) >= 1 << 62:
            raise GroupError(
                f"Expected a group whose elements few points tell apart, got a base of {2 * len(points)} of {degree} points."
            )
        self.weights = np.array([degree**k for k in range(len(points))], dtype=np.int64)
        keys = elements[:, points].astype(np.int64) @ self.weights
        self.keys, first, self.of_element = np.unique(keys, return_index=True, return_inverse=True)
        self.images = elements[first][:, points].astype(np.intp)
        self.dense: Numbers | None = None
        if degree ** len(points) <= _MOST_KEYS:
            self.dense = np.zeros(degree ** len(points), dtype=np.intp)
            self.dense[self.keys] = np.arange(len(self.keys))

    def numbers(self, images: NDArray[np.integer]) -> Numbers:
        """The number of each row of images (..., points)."""
        keys = images @ self.weights
        return self.dense[keys] if self.dense is not None else np.searchsorted(self.keys, keys)


class ElementTable:
    """The elements of a permutation group by number.

    Attributes:
        name: what messages call the group.
        degree: number of points.
        generators: image tuples that generate the group.
        elements: (order, degree) images of each element, rows in lexicographic order.

    """

    def __init__(self, name: str, degree: int, generators: Sequence[Images]) -> None:
        """List the elements; O(order * number of generators).

        Raises:
            GroupError: there are more than ``MOST_ELEMENTS``, or no few points tell them apart.

        """
        self.name, self.degree = name, degree
        self.generators = tuple(images for images in generators if images != tuple(range(degree)))
        self.elements = _listed(name, degree, self.generators)
        points, cut = _base(self.elements)
        self._base = np.array(points, dtype=np.intp)
        self._cut = cut
        self._first, self._second = _Half(self.elements, points[:cut]), _Half(self.elements, points[cut:])
        self._table = np.zeros((len(self._first.keys), len(self._second.keys)), dtype=np.int32)
        self._table[self._first.of_element, self._second.of_element] = np.arange(self.order)
        self._flat, self._columns = self._table.ravel(), self._table.shape[1]
        self._based = self.elements[:, points].astype(np.intp)
        self._images = self.elements.ravel()
        self._conjugates: dict[int, NDArray[np.int32]] = {}
        self._row_starts = np.arange(self.order, dtype=np.intp) * degree

    @property
    def order(self) -> int:
        """Number of elements."""
        return len(self.elements)

    def _numbered(self, images: NDArray[np.integer]) -> Numbers:
        """The elements with these images (..., base) of the base."""
        first, second = self._first.numbers(images[..., : self._cut]), self._second.numbers(images[..., self._cut :])
        return np.asarray(self._flat[first * self._columns + second], dtype=np.intp)

    @cached_property
    def inverse(self) -> Numbers:
        """(order,) the inverse of each element: g^-1(b) is the point that g takes to b."""
        where = np.argsort(self.elements, axis=1)
        return self._numbered(where[:, self._base])

    @cached_property
    def generator_numbers(self) -> tuple[int, ...]:
        """The generators by number."""
        return tuple(int(self._numbered(np.array(images)[self._base])) for images in self.generators)

    def number(self, images: Sequence[int]) -> int:
        """The element with these 0-based images.

        Raises:
            GroupError: it is no element of the group.

        """
        number = int(self._numbered(np.array(images, dtype=np.intp)[self._base]))
        if self.elements[number].tolist() != list(images):
            raise GroupError(f"Expected images of an element of {self.name}, got a permutation outside it.")
        return number

    def times(self, xs: Numbers, y: int) -> Numbers:
        """The products x y, which apply x first, for many x and one y."""
        if y == 0:
            return xs
        images = self.elements[y].astype(np.intp)
        if len(xs) < _MANY:
            return self._numbered(images[self._based[xs]])
        first, second = self._first, self._second
        rows = first.numbers(images[first.images]) * self._columns
        columns = second.numbers(images[second.images])
        return np.asarray(self._flat[rows[first.of_element[xs]] + columns[second.of_element[xs]]], dtype=np.intp)

    def left_times(self, x: int, ys: Numbers) -> Numbers:
        """The products x y for one x and many y: the inverses of y^-1 x^-1."""
        if x == 0:
            return ys
        return self.inverse[self.times(self.inverse[ys], int(self.inverse[x]))]

    def products(self, xs: Numbers, ys: Numbers) -> Numbers:
        """The products x y, element by element of two arrays that broadcast together."""
        starts = self._row_starts[ys]
        return self._numbered(self._images[starts[..., None] + self._based[xs]])

    def closure(self, generators: Iterable[int]) -> NDArray[np.bool_]:
        """(order,) membership of the subgroup that the elements generate: breadth first from the identity."""
        chosen = [g for g in generators if g]
        mask = np.zeros(self.order, dtype=bool)
        mask[0] = True
        newest = np.zeros(1, dtype=np.intp)
        while len(newest) and chosen:
            reached = []
            for g in chosen:
                products = self.times(newest, g)
                new = products[~mask[products]]
                mask[new] = True
                reached.append(new)
            newest = np.concatenate(reached)
        return mask

    @cached_property
    def _classes(self) -> tuple[Numbers, Numbers, Numbers]:
        """Class of each element; an element that conjugates its class's first one into it; the first elements."""
        everything = np.arange(self.order)
        by = [self.left_times(int(self.inverse[g]), self.times(everything, g)) for g in self.generator_numbers]
        firsts = np.full(self.order, -1, dtype=np.intp)
        movers = np.zeros(self.order, dtype=np.intp)
        central = np.all([conjugate == everything for conjugate in by], axis=0) if by else everything == 0
        firsts[central] = everything[central]
        start = 0
        while (free := firsts[start:] < 0).any():
            start += int(free.argmax())
            firsts[start] = start
            newest = np.array([start])
            while len(newest):
                reached = []
                for g, conjugate in zip(self.generator_numbers, by, strict=True):
                    images = conjugate[newest]
                    fresh = firsts[images] < 0
                    firsts[images[fresh]] = start
                    movers[images[fresh]] = self.times(movers[newest[fresh]], g)
                    reached.append(images[fresh])
                newest = np.concatenate(reached)
        least, labels = np.unique(firsts, return_inverse=True)
        return labels, movers, least

    @property
    def class_of(self) -> Numbers:
        """(order,) number of each element's conjugacy class; classes are numbered by their least element."""
        return self._classes[0]

    @property
    def mover(self) -> Numbers:
        """(order,) an element t with t^-1 r t = g, for each g, r the least element of its class."""
        return self._classes[1]

    @property
    def class_firsts(self) -> Numbers:
        """(classes,) least element of each class."""
        return self._classes[2]

    @cached_property
    def class_sizes(self) -> Numbers:
        """(classes,) number of elements of each class."""
        return np.bincount(self.class_of)

    @cached_property
    def class_orders(self) -> Numbers:
        """(classes,) order of the elements of each class: the least common multiple of the lengths of their cycles."""
        return np.array([lcm(*map(len, cycles(self.elements[first].tolist()))) for first in self.class_firsts], dtype=np.intp)

    @cached_property
    def element_orders(self) -> Numbers:
        """(order,) order of each element."""
        return self.class_orders[self.class_of]

    def conjugates_of_first(self, number: int) -> NDArray[np.int32]:
        """(order,) x^-1 r x for every x, r the least element of the class with this number; kept once it is computed."""
        if number not in self._conjugates:
            first = self.elements[self.class_firsts[number]].astype(np.intp)
            before = first[self.elements[self.inverse][:, self._base]]
            self._conjugates[number] = self._numbered(self._images[self._row_starts[:, None] + before]).astype(np.int32)
        return self._conjugates[number]

    def conjugates(self, g: int, xs: Numbers) -> Numbers:
        """x^-1 g x for many x: with g = t^-1 r t it is (tx)^-1 r (tx)."""
        table = self.conjugates_of_first(int(self.class_of[g]))
        return np.asarray(table[self.left_times(int(self.mover[g]), xs)], dtype=np.intp)

    def centralizer_of_first(self, number: int) -> Numbers:
        """The elements that commute with the least element of the class with this number, rising."""
        return np.flatnonzero(self.conjugates_of_first(number) == self.class_firsts[number])

    def powers(self, xs: Numbers, exponent: int) -> Numbers:
        """x^exponent for many x, exponent > 0."""
        found = xs
        for bit in bin(exponent)[3:]:
            found = self.products(found, found)
            if bit == "1":
                found = self.products(found, xs)
        return found


def _listed(name: str, degree: int, generators: Sequence[Images]) -> NDArray[np.uint8]:
    """(order, degree) the images of all products of the generators, sorted; GroupError beyond ``MOST_ELEMENTS``."""
    identity = bytes(range(degree))
    tables = [bytes(images) + bytes(256 - degree) for images in generators]
    known = {identity}
    newest = [identity]
    while newest:
        reached = {element.translate(table) for element in newest for table in tables} - known
        known |= reached
        newest = list(reached)
        if len(known) > MOST_ELEMENTS:
            raise GroupError(f"Expected a group of at most {MOST_ELEMENTS:,} elements, got {name} with more.")
    return np.frombuffer(b"".join(sorted(known)), dtype=np.uint8).reshape(-1, degree)


def _base(elements: NDArray[np.uint8]) -> tuple[list[int], int]:
    """Points whose images tell all elements apart, and how many of them go into the first half: so that the two halves are smallest.

    Rows are sorted, so rows with the same images of the first points are neighbours: a point belongs to the base if it tells
    neighbours apart that the points before it don't.
    """
    new = np.zeros(len(elements), dtype=bool)
    new[0] = True
    points, counts = [], [1]
    for point in range(elements.shape[1]):
        told = new.copy()
        told[1:] |= elements[1:, point] != elements[:-1, point]
        if told.sum() > new.sum():
            points.append(point)
            new = told
            counts.append(int(new.sum()))
    halves = [(counts[cut], _distinct(elements, points[cut:]), cut) for cut in range(len(points) + 1)]
    cuts = [(first + second, cut) for first, second, cut in halves if first * second <= _MOST_ENTRIES]
    if not cuts:
        raise GroupError(f"Expected a group whose elements few points tell apart, got a base of {len(points)} points.")
    return points, min(cuts)[1]


def _distinct(elements: NDArray[np.uint8], points: list[int]) -> int:
    """The number of different images of these points, or a bound above it where that is the quick way."""
    degree = elements.shape[1]
    if not points:
        return 1
    if degree ** len(points) >= 1 << 62:
        return _MOST_ENTRIES
    weights = np.array([degree**k for k in range(len(points))], dtype=np.int64)
    return len(np.unique(elements[:, points].astype(np.int64) @ weights))
