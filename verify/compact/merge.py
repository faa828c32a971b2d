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

__all__ = ["MergePlan", "common_cells", "merge_plan", "nested_plan"]

#: Merged tables have at most this share of |G| cells. In operations any share below 1 pays; in time a merged entry costs
#: about three times as much as one of a last table, because both of its parts are gathered.
LIMIT = 1 / 3
#: Cells of refinements that are counted at a time.
ROOM = 1 << 20


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

    Complexity: O(k^2 |G|) for k partitions, and k^2 products of two counts.
    """
    return _merged(tuple(partitions), share)


@kept(64)  # plans that differ in their level groups alone follow one another
def _merged(partitions: tuple[Partition, ...], share: float) -> MergePlan:
    """``merge_plan``; partitions are told apart as objects."""
    given, order = len(partitions), len(partitions[0].labels) if partitions else 0
    tables, alive = list(partitions), list(range(given))
    labels = np.zeros((2 * given, order), dtype=np.intp)
    counts = np.zeros(2 * given, dtype=np.intp)
    cells = np.full((2 * given, 2 * given), order, dtype=np.intp)  # of the sum of two tables i < j; |G| where that is not wanted
    steps: list[tuple[int, int, Refinement]] = []

    def look_at(j: int, others: list[int]) -> None:
        labels[j], counts[j] = tables[j].labels, tables[j].count
        some = [i for i in others if max(counts[i], counts[j]) < share * order]  # no sum has fewer cells than its parts
        cells[some, j] = common_cells(labels[some], counts[some], tables[j])

    for j in alive:
        look_at(j, alive[:j])
    while len(alive) > 1 and cells.min() < share * order:
        ties = np.argwhere(cells == cells.min()).tolist()
        one, other = min(ties, key=lambda pair: (max(pair[1], given - 1), *pair))  # two given tables first
        refinement = refine(tables[one], tables[other])
        steps.append((one, other, refinement))
        tables.append(refinement.partition)
        alive = [k for k in alive if k not in (one, other)]
        cells[[one, other]] = cells[:, [one, other]] = order
        look_at(len(tables) - 1, alive)
        alive.append(len(tables) - 1)
    last = tuple(np.ascontiguousarray(tables[i].labels) for i in alive)
    return MergePlan(tuple(steps), tuple(alive), last, sum(step[2].partition.count for step in steps))


def common_cells(labels: Indices, counts: Indices, other: Partition) -> Indices:
    """(k,) numbers of cells of the common refinements of k partitions, given by labels (k, n) and counts, with another one.

    Complexity: O(k |G| + sum of the products of the counts), and memory for `ROOM` cells, or one product, at a time.
    """
    found = np.zeros(len(labels), dtype=np.intp)
    some = max(1, ROOM // (other.count * int(counts.max(initial=1))))
    for start in range(0, len(labels), some):
        part, sizes = labels[start : start + some], counts[start : start + some] * other.count
        first = np.cumsum(sizes) - sizes
        used = np.zeros(int(sizes.sum()), dtype=np.int8)
        used[part * other.count + other.labels + first[:, None]] = 1
        found[start : start + some] = np.add.reduceat(used, first, dtype=np.intp)
    return found


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
