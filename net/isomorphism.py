"""Recognising a group in a bare multiplication table, and finding it in a group that we know."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from algebra.group import FiniteGroup

Table = npt.NDArray[np.intp]
Indices = npt.NDArray[np.intp]

_CHUNK = 256


def is_latin_square(table: Table) -> bool:
    """Whether every row and every column contains each of 0..n-1 once."""
    numbers = np.arange(len(table))
    return bool((np.sort(table, axis=1) == numbers).all() and (np.sort(table, axis=0) == numbers[:, None]).all())


def is_group_table(table: Table) -> bool:
    """Whether the Latin square is the Cayley table of a group; O(n^2 log n).

    A Latin square with a two-sided identity is a loop, and a loop is a group when (a g) b = a (g b) for all
    a, b and all g of a generating set (Light's test: Clifford and Preston, The Algebraic Theory of Semigroups
    I, 1.2).
    """
    if not is_latin_square(table) or identity_of(table) is None:
        return False
    return all(np.array_equal(table[table[:, g]], table[:, table[g]]) for g in generating_set(table))


def identity_of(table: Table) -> int | None:
    """The two-sided identity of the table, if there is one."""
    numbers = np.arange(len(table))
    found = np.flatnonzero((table == numbers).all(axis=1) & (table == numbers[:, None]).all(axis=0))
    return int(found[0]) if len(found) else None


def closure(table: Table, generators: list[int]) -> Indices:
    """The elements reached from the generators by multiplying them on the right, again and again."""
    known = np.zeros(len(table), dtype=bool)
    frontier = np.unique(np.asarray(generators, dtype=np.intp))
    while len(frontier):
        known[frontier] = True
        reached = np.unique(table[frontier][:, generators])
        frontier = reached[~known[reached]]
    return np.flatnonzero(known)


def generating_set(table: Table) -> list[int]:
    """Elements that generate: greedily, the least element that is not reached yet."""
    generators: list[int] = []
    reached = np.zeros(len(table), dtype=bool)
    while not reached.all():
        generators.append(int(np.flatnonzero(~reached)[0]))
        reached[closure(table, generators)] = True
    return generators


def isomorphism(table: Table, group: FiniteGroup) -> Indices | None:
    """Numbering with numbering[table[a, b]] = mul[numbering[a], numbering[b]], or None when there is none.

    `table` is the Cayley table of a group. The images of a small generating set of `group` are tried, all
    that have the same order and number of square roots; each choice is extended along words and checked on
    all products with generators, which decides. Of several isomorphisms (they differ by automorphisms) the
    first in lexicographic order of these images is returned.
    """
    mul = group.mul.astype(np.intp)
    if len(table) != group.order:
        return None
    identity = identity_of(table)
    assert identity is not None, "a group table has an identity"
    generators = _few_generators(group, mul)
    wanted, offered = _signatures(mul, 0), _signatures(table, identity)
    choices = [np.flatnonzero((offered == wanted[g]).all(axis=1)) for g in generators]
    words = _words(mul, generators)
    for images in _chunks(choices):
        maps = _extensions(table, identity, words, images, group.order)
        for j, g in enumerate(generators):
            respected = (table[maps, images[:, j, None]] == maps[:, mul[:, g]]).all(axis=1)
            maps, images = maps[respected], images[respected]
        for candidate in maps:
            numbering = np.full(group.order, -1)
            numbering[candidate] = np.arange(group.order)
            if (numbering >= 0).all():
                return numbering
    return None


def _signatures(table: Table, identity: int) -> npt.NDArray[np.int64]:
    """(n, 2): order and number of square roots of each element, which isomorphisms keep."""
    n = len(table)
    orders, power = np.ones(n, dtype=np.intp), np.arange(n)
    while (running := power != identity).any():
        orders += running
        power = np.where(running, table[power, np.arange(n)], identity)
    return np.stack([orders, np.bincount(np.diagonal(table), minlength=n)], axis=1)


def _few_generators(group: FiniteGroup, mul: Table) -> list[int]:
    """Two elements that generate, if a seeded search of 300 pairs finds any; else the group's generators."""
    given = [int(group.index_of(images)) for images in group.generators]
    if len(given) <= 2:
        return given or [0]
    pairs = np.random.PCG64(0).random_raw((300, 2)) % np.uint64(group.order)
    for pair in pairs.astype(np.intp).tolist():
        if len(closure(mul, pair)) == group.order:
            return list(pair)
    return given


def _words(mul: Table, generators: list[int]) -> list[tuple[int, int, int]]:
    """(element, parent, position of the generator) with element = parent * generator, parents first."""
    known, queue, words = {0}, [0], []
    for parent in queue:
        for j, g in enumerate(generators):
            element = int(mul[parent, g])
            if element not in known:
                known.add(element)
                queue.append(element)
                words.append((element, parent, j))
    return words


def _chunks(choices: list[Indices]) -> Iterator[Indices]:
    """The Cartesian product of the choices as arrays (at most _CHUNK, number of generators)."""
    combinations = itertools.product(*(choice.tolist() for choice in choices))
    while chunk := list(itertools.islice(combinations, _CHUNK)):
        yield np.array(chunk, dtype=np.intp)


def _extensions(table: Table, identity: int, words: list[tuple[int, int, int]], images: Indices, order: int) -> Indices:
    """(choices, n) image of each group element under the map that sends the generators to `images`."""
    maps = np.empty((len(images), order), dtype=np.intp)
    maps[:, 0] = identity
    for element, parent, j in words:
        maps[:, element] = table[maps[:, parent], images[:, j]]
    return maps
