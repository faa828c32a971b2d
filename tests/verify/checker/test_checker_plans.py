"""Plans in the checker: what is refused in them, which tables are added up, what is counted, each against its definition."""

import random
from dataclasses import replace
from itertools import combinations, product

import pytest

from verify.checker import plans
from verify.checker.groups import Group
from verify.checker.integers import Network, columns
from verify.checker.plans import Cells, Tables
from verify.checker.shape import CompactFamily, CompactPlan, Differs, GroupRecord, Malformed

S3 = Group(GroupRecord("S3", 3, 6, ["(1 2 3)", "(1 2)"]))
A4 = Group(GroupRecord("A4", 4, 12, ["(1 2 3)", "(2 3 4)"]))


def stated() -> CompactPlan:
    """Three families of S3, each in its own way, with two sums."""
    return CompactPlan(
        "left",
        3,
        [
            CompactFamily("right cosets", ["(1 2)"], [4, 0], [[1, 2, 3], [4, 5, 6]]),
            CompactFamily("left cosets", ["(1 2)"], [2], [[7, 8, 9]]),
            CompactFamily("elements", [], [1, 3], [[9, 8, 7, 6, 5, 4], [0, 0, 0, 1, 1, 1]]),
        ],
        [(2, 0), (1, 3)],
    )


def test_a_plan_is_read_as_its_cosets_and_levels() -> None:
    """Labels by sets of products, levels by cells in place of neurons, sums as they stand."""
    found = plans.read_plan(stated(), S3, 5)
    mul, members = S3.mul, [0, S3.number[bytes([1, 0, 2])]]
    for cells, right in ((found.cells[0], True), (found.cells[1], False)):
        cosets = sorted({frozenset(mul[h][x] if right else mul[x][h] for h in members) for x in range(6)}, key=min)
        assert cells.labels == [next(k for k, coset in enumerate(cosets) if x in coset) for x in range(6)]
    assert found.cells[2].labels == [*range(6)]
    assert [cells.neurons for cells in found.cells] == [[4, 0], [2], [1, 3]]
    assert [cells.levels for cells in found.cells] == [columns(family.levels) for family in stated().families]
    assert (found.bits, found.sums, found.last) == (3, [(2, 0), (1, 3)], [4])
    four = replace(
        stated(), families=[CompactFamily("elements", [], [k], [[0] * 6]) for k in range(4)], merges=[(0, 1), (2, 3), (4, 5)]
    )
    assert plans.read_plan(four, S3, 4).last == [6]


def test_numbers_of_a_plan_that_do_not_fit_are_refused() -> None:
    """One change of each kind, with the sentence that names it; bits up to the limit and no families at all are fine."""
    good = stated()
    first, second, third = good.families

    def families(*ones: CompactFamily) -> CompactPlan:
        return replace(good, families=[*ones])

    assert plans.read_plan(replace(good, families=[], merges=[]), S3, 5).last == []
    for bits in (0, 4000):
        assert plans.read_plan(replace(good, level_bits=bits), S3, 5).bits == bits
    for plan, width, sentence in (
        (families(first, second, replace(third, generators=["()"])), 5, "no subgroup"),
        (families(replace(first, levels=[[1, 2, 3], [4, 5]]), second, third), 5, "expected 3 levels"),
        (families(replace(first, levels=[[1, 2, 3, 4], [4, 5, 6, 7]]), second, third), 5, "expected 3 levels"),
        (families(replace(first, levels=[[1, 2, 3]]), second, third), 5, "expected 3 levels"),
        (families(replace(first, levels=[], neurons=[]), second, third), 5, "expected 3 levels"),
        (families(first, replace(second, neurons=[4]), third), 5, "each neuron at most once"),
        (families(first, second, replace(third, neurons=[1, 1])), 5, "each neuron at most once"),
        (families(first, replace(second, neurons=[-1]), third), 5, "each neuron at most once"),
        (good, 4, "each neuron at most once"),
        (replace(good, level_bits=-1), 5, "bits of levels from 0 to 4,000"),
        (replace(good, level_bits=4001), 5, "bits of levels from 0 to 4,000"),
        (replace(good, merges=[(2, 2)]), 5, "two tables"),
        (replace(good, merges=[(2, 0), (2, 1)]), 5, "two tables"),
        (replace(good, merges=[(2, 0), (1, 0)]), 5, "two tables"),
        (replace(good, merges=[(2, 3)]), 5, "two tables"),
        (replace(good, merges=[(-1, 0)]), 5, "two tables"),
        (replace(good, merges=[(0, 1), (2, 4)]), 5, "two tables"),
        (replace(good, merges=[(0, 1), (2, 3), (4, 4)]), 5, "two tables"),
    ):
        with pytest.raises(Malformed, match=sentence):
            plans.read_plan(plan, S3, width)
    outside = CompactPlan("left", 0, [CompactFamily("right cosets", ["(1 2)"], [0], [[0] * 6])], [])
    with pytest.raises(Differs, match="elements of a subgroup of the compact plan that are in the group"):
        plans.read_plan(outside, A4, 1)


def some_tables(draw: random.Random, n: int, narrow: bool = False) -> Tables:
    """Partitions with levels and sums."""
    cells, next_neuron = [], 0
    for _ in range(draw.randint(0, 4)):
        count = draw.randint(1, 2 if narrow else n)
        labels = [draw.randrange(count) for _ in range(n)]
        labels = [sorted({*labels}).index(label) for label in labels]
        width = draw.randint(1, 3)
        levels = [[draw.randint(-9, 9) for _ in range(width)] for _ in range(max(labels) + 1)]
        cells.append(Cells(labels, [*range(next_neuron, next_neuron + width)], levels))
        next_neuron += width
    alive, sums = [*range(len(cells))], []
    while len(alive) > 1 and draw.random() < 0.7:
        one, other = draw.sample(alive, 2)
        sums.append((one, other))
        alive = [k for k in alive if k not in (one, other)] + [len(cells) + len(sums) - 1]
    return Tables(cells, 0, sums)


def parts_of(tables: Tables) -> list[list[int]]:
    """For each table, those of the sums included, the families that it is made of."""
    parts = [[k] for k in range(len(tables.cells))]
    for one, other in tables.sums:
        parts.append(parts[one] + parts[other])
    return parts


def count_cells(tables: Tables, part: list[int], n: int) -> int:
    """The number of cells of the common refinement of some families."""
    return len({tuple(tables.cells[k].labels[x] for k in part) for x in range(n)})


def test_operations_and_rows_are_counted_one_by_one() -> None:
    """By the rule of the docstring, loop by loop; some plans leave everything out, some sums have fewer cells than elements."""
    empty = merged = 0
    for seed in range(120):
        draw = random.Random(seed)
        n, width = draw.randint(2, 6), draw.randint(1, 9)
        tables = some_tables(draw, n, draw.random() < 0.5)
        parts = parts_of(tables)
        used = {k for pair in tables.sums for k in pair}
        last = [k for k in range(len(parts)) if k not in used]
        assert tables.last == last
        spent = rows = 0
        for _ in range(n):  # each y
            for family in tables.cells:
                for _ in product(family.levels, family.neurons):
                    spent += 2 + 2 * n
                    rows += 1
            spent += n * min((len(family.levels) for family in tables.cells), default=0)
            for part in parts[len(tables.cells) :]:
                spent += n * count_cells(tables, part, n)
                rows += count_cells(tables, part, n)
                merged += count_cells(tables, part, n) < n
            for _ in range(n):  # each x
                spent += n * max(0, len(last) - 1) + n + 4 * width + 6 * width + 1
                rows += len(last)
        empty += not last
        assert plans.operations(tables, n, width) == spent
        assert n * plans.rows_added(tables, n) == rows
    assert min(empty, merged) > 0


def test_cells_are_refined_to_pairs_of_cells_that_occur() -> None:
    draw = random.Random(0)
    for _ in range(30):
        one, other = ([draw.randrange(3) for _ in range(7)] for _ in range(2))
        cells, labels = plans.refined(one, other)
        assert sorted(cells) == sorted({*zip(one, other, strict=True)})
        assert [cells[label] for label in labels] == [*zip(one, other, strict=True)]


def test_the_sum_with_the_fewest_cells_is_made_first_while_these_are_at_most_half_as_many_as_elements() -> None:
    """By brute force over all pairs of the tables that are left, the first pair of the least size."""
    stopped = joined = 0
    for seed in range(120):
        draw = random.Random(seed)
        n = draw.randint(2, 12)
        partitions = [[draw.randrange(draw.choice([1, 2, 3])) for _ in range(n)] for _ in range(draw.randint(0, 5))]
        alive = {k: [(label,) for label in labels] for k, labels in enumerate(partitions)}
        twin: list[tuple[int, int]] = []
        while len(alive) > 1:
            sizes = {(i, j): len({*zip(alive[i], alive[j], strict=True)}) for i, j in combinations(sorted(alive), 2)}
            pair = min(sizes, key=lambda pair, sizes=sizes: (sizes[pair], pair))  # type: ignore[misc]
            if sizes[pair] > n / 2:
                stopped += 1
                break
            alive[len(partitions) + len(twin)] = [a + b for a, b in zip(alive.pop(pair[0]), alive.pop(pair[1]), strict=True)]
            twin.append(pair)
        joined += len(twin) > 1
        assert plans.cheapest_sums(partitions) == twin
    assert min(stopped, joined) > 5


def test_a_network_that_is_its_own_plan_keeps_its_levels() -> None:
    """By element, and with neurons of the same part in cells of equal levels: every neuron once, each level that of the network."""
    for seed in range(20):
        draw = random.Random(seed)
        n, width = draw.randint(1, 5), draw.randint(1, 6)
        left = [[draw.randint(0, 1) for _ in range(width)] for _ in range(n)]
        network = Network(left, [[0] * width] * n, [[0] * n] * width, [0] * n, 7, 0)
        parts = [draw.choice("ab") for _ in range(width)]
        for tables, share in ((plans.by_element(network), False), (plans.of_program(network, parts), True)):
            assert (tables.bits, sorted(i for cells in tables.cells for i in cells.neurons)) == (7, [*range(width)])
            for cells in tables.cells:
                assert all([left[x][i] for i in cells.neurons] == cells.levels[cells.labels[x]] for x in range(n))
                if share:
                    assert len({*map(tuple, cells.levels)}) == len(cells.levels)
                    assert len({parts[i] for i in cells.neurons}) == 1
            if share:
                assert len(tables.cells) == len({*parts})
                assert tables.sums == plans.cheapest_sums([cells.labels for cells in tables.cells])
            else:
                assert (tables.sums, tables.cells[0].labels) == ([], [*range(n)])


def test_a_plan_is_not_changed_by_reading_it() -> None:
    plan = stated()
    found = plans.read_plan(plan, S3, 5)
    found.cells[0].neurons.append(9)
    found.cells[1].levels[0].clear()
    assert plan == stated()
