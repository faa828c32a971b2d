"""Ways to read x through cells: the plan of a certificate, a program's own cells, single elements.

What this module proves: nothing, and it need not. Any partition with any levels satisfies the theorem of `tables`; here they are
read and counted. Numbers of a plan that do not fit together are refused.
"""

from collections.abc import Sequence
from typing import NamedTuple

from .groups import Group, closure, permutation
from .integers import Network, Rows, columns
from .shape import CompactPlan, need, same


class Cells(NamedTuple):
    """Neurons that read x through one partition: the cell of each x, and for each cell the neurons' levels."""

    labels: list[int]
    neurons: list[int]
    levels: Rows


class Tables(NamedTuple):
    """A way to read x: the partitions with their levels over 2^bits, and which tables are added up first (two numbers for each sum).

    Tables are numbered: first those of ``cells``, then the sums in order. A sum takes the place of its two parts.
    """

    cells: list[Cells]
    bits: int
    sums: list[tuple[int, int]]

    @property
    def last(self) -> list[int]:
        """The tables that are left when the sums are made."""
        used = {table for pair in self.sums for table in pair}
        return [table for table in range(len(self.cells) + len(self.sums)) if table not in used]


def read_plan(plan: CompactPlan, group: Group, width: int) -> Tables:
    """The partitions and levels of a plan; Malformed or Differs where numbers don't fit together.

    What is not refused here is harmless: any partition and any levels satisfy the theorem.
    """
    cells = []
    for family in plan.families:
        if family.on == "elements":
            need(not family.generators, "expected no subgroup for neurons that are read by element")
            labels = list(range(group.order))
        else:
            members = closure([permutation(text, group.degree) for text in family.generators], group.degree)
            same("elements of a subgroup of the compact plan that are in the group", len(members & group.number.keys()), len(members))
            numbers = sorted(group.number[images] for images in members)
            cosets = group.right_cosets(numbers) if family.on == "right cosets" else group.left_cosets(numbers)
            labels = cosets.labels
        count = max(labels) + 1
        fits = len(family.neurons) == len(family.levels) > 0 and all(len(levels) == count for levels in family.levels)
        need(fits, f"expected {count} levels for each neuron of a family of the compact plan")
        cells.append(Cells(labels, list(family.neurons), columns(family.levels)))
    neurons = [i for family in cells for i in family.neurons]
    need(len({*neurons} & {*range(width)}) == len(neurons), "expected each neuron at most once in the compact plan")
    need(0 <= plan.level_bits <= 4000, f"expected bits of levels from 0 to 4,000, got {plan.level_bits}")
    alive = set(range(len(cells)))
    for k, pair in enumerate(plan.merges):
        need(len({*pair}) == 2 and {*pair} <= alive, f"expected two tables of the compact plan to add up, got {pair}")
        alive = (alive - {*pair}) | {len(cells) + k}
    return Tables(cells, plan.level_bits, [(one, other) for one, other in plan.merges])


def by_element(network: Network) -> Tables:
    """No plan: every x is a cell, and F is the network."""
    return Tables([Cells(list(range(network.order)), list(range(network.width)), network.left)], network.bits, [])


def of_program(program: Network, parts: Sequence[object]) -> Tables:
    """A program as its own plan: neurons with the same ``parts`` (a form) share cells, where all of them have equal levels."""
    together: dict[object, list[int]] = {}
    for i, part in enumerate(parts):
        together.setdefault(part, []).append(i)
    cells = []
    for neurons in together.values():
        known: dict[tuple[int, ...], int] = {}
        labels = []
        for row in program.left:
            labels.append(known.setdefault(tuple(row[i] for i in neurons), len(known)))
        cells.append(Cells(labels, neurons, [[*levels] for levels in known]))
    return Tables(cells, program.bits, cheapest_sums([family.labels for family in cells]))


def rows_added(tables: Tables, n: int) -> int:
    """How many rows are added up for each y to make all tables and to add them at each x, when every neuron fires."""
    labels, added = [family.labels for family in tables.cells], sum(len(f.neurons) * len(f.levels) for f in tables.cells)
    for one, other in tables.sums:
        cells, merged = refined(labels[one], labels[other])
        labels.append(merged)
        added += len(cells)
    return added + n * len(tables.last)


def cheapest_sums(partitions: list[list[int]]) -> list[tuple[int, int]]:
    """Which tables to add up first: always the two whose sum has the fewest cells, while these are at most half as many as elements.

    To add the parts of a larger sum at each element costs no more than to make and keep that many rows.
    """
    alive, sums = dict(enumerate(partitions)), []  # type: dict[int, list[int]], list[tuple[int, int]]
    sizes: dict[tuple[int, int], int] = {}
    while len(alive) > 1:
        for i in alive:
            for j in alive:
                if i < j and (i, j) not in sizes:
                    sizes[i, j] = len({*zip(alive[i], alive[j], strict=True)})
        size, i, j = min((size, *pair) for pair, size in sizes.items() if {*pair} <= alive.keys())
        if 2 * size > len(partitions[0]):
            break
        _, labels = refined(alive.pop(i), alive.pop(j))
        alive[len(partitions) + len(sums)] = labels
        sums.append((i, j))
    return sums


def refined(one: list[int], other: list[int]) -> tuple[list[tuple[int, int]], list[int]]:
    """The cells of the common refinement of two partitions, as (cell of one, cell of the other), and the labels."""
    known: dict[tuple[int, int], int] = {}
    labels = [known.setdefault(pair, len(known)) for pair in zip(one, other, strict=True)]
    return list(known), labels


def operations(tables: Tables, n: int, width: int) -> int:
    """Additions, multiplications, comparisons and relus of the proof by these tables, without contenders.

    Activations of all cells (2 each) and their products with votes (2 n each) for every y; the bias in one table; an addition for each
    cell of a sum and each z; for each pair n additions for each last table but one, n comparisons, and for each neuron 4 operations
    for the right logit, 6 for |h - f| s and its sum, one comparison more.
    """
    counts = [len(family.levels) for family in tables.cells]
    inside = sum(len(family.neurons) * len(family.levels) for family in tables.cells)
    labels = [family.labels for family in tables.cells]
    added = 0
    for one, other in tables.sums:
        cells, merged = refined(labels[one], labels[other])
        labels.append(merged)
        added += len(cells)
    last = max(1, len(tables.last))
    return n * 2 * inside + n * n * (2 * inside + min(counts, default=0) + added) + n * n * (last * n + 10 * width + 1)
