"""In which order to add tables that live on different partitions of x.

A table on the cells of P and one on the cells of Q add up to a table on the common refinement of P and Q, at
one addition per cell and logit, while a table left for the end costs |G| additions. So tables are merged while
their sum has fewer cells than a share of the group's elements. With all of them as share the six point stabilisers of S6
become three pairs with 30 cells, and two of these one table with 360; with a third of them, ``LIMIT``, the three pairs remain.
"""

from dataclasses import dataclass

import numpy as np

from verify.compact.partition import Indices, Partition, Refinement, refine
from verify.memory import kept

__all__ = ["MergePlan", "merge_plan", "nested_plan"]

#: Merged tables have at most this share of |G| cells. In operations any share below 1 pays; in time a merged entry costs
#: about three times as much as one of a last table, because both of its parts are gathered.
LIMIT = 1 / 3


@dataclass(frozen=True, eq=False)
class MergePlan:
    """Tables 0 .. k-1 are given; step j makes table k + j out of two of them; ``last`` are those that remain.

    Attributes:
        steps: (first table, second table, refinement) of each step.
        last: numbers of the remaining tables.
        labels: for each remaining table the cell of every x.
        additions: cells of all refinements: additions for each y and z before the last ones.

    """

    steps: tuple[tuple[int, int, Refinement], ...]
    last: tuple[int, ...]
    labels: tuple[Indices, ...]
    additions: int


def merge_plan(partitions: list[Partition], share: float = LIMIT) -> MergePlan:
    """Greedy: always merge the two tables whose sum has the fewest cells, while that is less than ``share`` |G|.

    Complexity: O(k^2 |G|) for k partitions.
    """
    return _merged(tuple(partitions), share)


@kept(64)  # plans that differ in their level groups alone follow one another
def _merged(partitions: tuple[Partition, ...], share: float) -> MergePlan:
    """``merge_plan``; partitions are told apart as objects."""
    alive = dict(enumerate(partitions))
    pairs: dict[tuple[int, int], Refinement] = {}
    steps: list[tuple[int, int, Refinement]] = []
    while len(alive) > 1:
        for i in alive:
            for j in alive:
                if i < j and (i, j) not in pairs:
                    pairs[i, j] = refine(alive[i], alive[j])
        open_pairs = [pair for pair in pairs if pair[0] in alive and pair[1] in alive]
        best = min(open_pairs, key=lambda pair: pairs[pair].partition.count)
        refinement = pairs[best]
        if refinement.partition.count >= share * len(refinement.partition.labels):
            break
        steps.append((*best, refinement))
        for used in best:
            del alive[used]
        alive[len(partitions) + len(steps) - 1] = refinement.partition
    numbers = tuple(alive)
    labels = tuple(np.ascontiguousarray(alive[i].labels) for i in numbers)
    return MergePlan(tuple(steps), numbers, labels, sum(step[2].partition.count for step in steps))


def nested_plan(
    partitions: list[Partition],
) -> tuple[tuple[tuple[int, int, Refinement], ...], dict[int, Partition]]:
    """Merge only tables of which one partition refines the other: steps as in MergePlan, and the tables left.

    Such merges lose nothing and cost one addition per cell of the finer partition and logit.
    """
    alive = dict(enumerate(partitions))
    steps: list[tuple[int, int, Refinement]] = []
    pending = [(i, j) for j in alive for i in alive if i < j]
    while pending:
        i, j = pending.pop(0)
        if i not in alive or j not in alive:
            continue
        refinement = refine(alive[i], alive[j])
        if refinement.partition.count > max(alive[i].count, alive[j].count):
            continue
        del alive[i], alive[j]
        number = len(partitions) + len(steps)
        steps.append((i, j, refinement))
        pending += [(k, number) for k in alive]
        alive[number] = refinement.partition
    return tuple(steps), alive
