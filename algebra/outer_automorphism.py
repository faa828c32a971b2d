"""The outer automorphism of S6.

S6 has six subgroups PGL(2,5), isomorphic to S5 and transitive on the six points; conjugation permutes them,
and this action on six letters is an automorphism that exchanges transpositions with products of three
(Hölder 1895; Rotman, An Introduction to the Theory of Groups, 4th ed., Theorem 7.12). The six letters are
the six synthematic totals.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from algebra.errors import GroupError
from algebra.group import FiniteGroup

__all__ = ["homomorphism", "outer_automorphism", "synthematic_totals"]

Syntheme = frozenset[frozenset[int]]


def synthematic_totals() -> list[frozenset[Syntheme]]:
    """The six sets of five synthemes (partitions of six points into pairs) that hold each pair once."""
    pairs = [frozenset(pair) for pair in combinations(range(6), 2)]
    synthemes = [frozenset(three) for three in combinations(pairs, 3) if len(frozenset().union(*three)) == 6]
    totals = [frozenset(five) for five in combinations(synthemes, 5) if len(frozenset().union(*five)) == 15]
    return sorted(totals, key=lambda total: sorted(sorted(sorted(pair) for pair in s) for s in total))


@lru_cache(maxsize=4)
def outer_automorphism(group: FiniteGroup) -> NDArray[np.intp]:
    """(720,) number of the image of each element of S6 under its action on the six synthematic totals.

    Raises:
        GroupError: the group is not S6 on six points.

    """
    if group.degree != 6 or group.order != 720:
        raise GroupError(f"Expected S6, which alone has such an automorphism, got {group.name}.")
    totals = synthematic_totals()
    number = {total: i for i, total in enumerate(totals)}
    moved = [[number[_moved(total, images)] for total in totals] for images in group.generators]
    return homomorphism(group, [int(group.index_of(images)) for images in moved])


def _moved(total: frozenset[Syntheme], images: Sequence[int]) -> frozenset[Syntheme]:
    return frozenset(frozenset(frozenset(images[point] for point in pair) for pair in syntheme) for syntheme in total)


def homomorphism(group: FiniteGroup, images: Sequence[int]) -> NDArray[np.intp]:
    """(order,) images of all elements under the endomorphism that sends the k-th generator to ``images[k]``.

    Raises:
        GroupError: no endomorphism does that.

    """
    generators = [int(group.index_of(generator)) for generator in group.generators]
    values = np.full(group.order, -1, dtype=np.intp)
    values[0] = 0
    queue = [0]
    for here in queue:
        for generator, image in zip(generators, images, strict=True):
            there = int(group.mul[here, generator])
            if values[there] < 0:
                values[there] = group.mul[values[here], image]
                queue.append(there)
    for generator, image in zip(generators, images, strict=True):
        if not np.array_equal(values[group.mul[:, generator]], group.mul[values, image]):
            raise GroupError(f"Expected images of the generators of {group.name} that define an endomorphism.")
    values.setflags(write=False)
    return values
