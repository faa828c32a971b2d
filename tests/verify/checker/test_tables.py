"""The checker's tables against brute force: answers, margins, counts, on random networks with random and with absurd plans."""

import random
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from itertools import permutations, product
from types import SimpleNamespace
from typing import Any, Literal

import pytest

from verify.checker import equivalence, plans, slots, tables
from verify.checker.groups import Group
from verify.checker.integers import Network, columns
from verify.checker.plans import Cells, Tables
from verify.checker.progress import Progress
from verify.checker.shape import CompactFamily, CompactPlan, GroupRecord

SILENT = Progress(None)
ALL_SLOTS = dict(slots.SLOTS)


def group(name: str) -> list[list[int]]:
    """A table of products: S3, a cyclic group, or D8, the symmetries of a square."""
    if name[0] == "C":
        n = int(name[1:])
        return [[(x + y) % n for y in range(n)] for x in range(n)]
    points = range(3 if name == "S3" else 4)
    edges = [frozenset((p, (p + 1) % 4)) for p in range(4)]
    elements = [g for g in permutations(points) if name == "S3" or all(frozenset((g[p], g[(p + 1) % 4])) in edges for p in range(4))]
    return [[elements.index(tuple(y[x[p]] for p in points)) for y in elements] for x in elements]


def random_network(draw: random.Random, products: list[list[int]]) -> Network:
    """Right, wrong and tied on some pairs, at any scale, with dead neurons: a lookup by pairs under noise, or noise alone."""
    n, bits, vote_bits = len(products), draw.choice([0, 3, 30, 90]), draw.choice([0, 5, 25, 60])
    big = 1 << draw.choice([1, 4, 12, 25, 70])
    spread = draw.choice([0, 1, big // 8 + 1, big])
    left, right, votes = [], [], []
    if draw.random() < 0.6:  # neuron k fires at the pairs (x, y) with x in its set and votes for the products
        for x in range(n):
            for y in range(n):
                left.append([big * (g == x) - big // 2 for g in range(n)])
                right.append([big * (g == y) - big // 2 for g in range(n)])
                votes.append([big * (g == products[x][y]) for g in range(n)])
    for _ in range(draw.randrange(1, 5)):
        left.append([draw.randint(-big, big) for _ in range(n)])
        right.append([draw.randint(-big, big) for _ in range(n)])
        votes.append([draw.randint(-big, big) for _ in range(n)])
    if draw.random() < 0.3:
        left[-1] = [-(3**99)] * n
    if draw.random() < 0.3:
        votes[-1] = [7] * n
    left, right, votes = ([[v + draw.randint(-spread, spread) for v in row] for row in part] for part in (left, right, votes))
    down = draw.choice([0, 0, -(big**2), -9 * big**2, big**2])  # so that all logits may be below 0, or above it
    bias = [draw.randint(-spread, spread) + down for _ in range(n)]
    return Network(columns(left), columns(right), votes, bias, bits, vote_bits)


def random_plan(draw: random.Random, network: Network) -> Tables:
    """Any partitions and levels, mostly near the network's, and any sums."""
    n, neurons = network.order, list(range(network.width))
    draw.shuffle(neurons)
    neurons = neurons[: draw.choice([network.width, network.width, draw.randint(0, network.width)])]
    cells, bits = [], draw.choice([0, network.bits, network.bits + 3])
    for start in range(0, len(neurons), max(1, len(neurons) // 3)):
        part = neurons[start : start + max(1, len(neurons) // 3)]
        count = draw.choice([1, 2, n])
        labels = [*range(n)] if count == n else [draw.randrange(count) for _ in range(n)]
        labels = [sorted({*labels}).index(label) for label in labels]
        levels = []
        for cell in range(max(labels) + 1):
            x = labels.index(cell)
            near = [(network.left[x][i] << bits) >> network.bits for i in part]
            levels.append([value if draw.random() < 0.8 else draw.randint(-9, 9) << draw.choice([0, 90]) for value in near])
        cells.append(Cells(labels, part, levels))
    alive, sums = list(range(len(cells))), []
    while len(alive) > 1 and draw.random() < 0.6:
        one, other = draw.sample(alive, 2)
        sums.append((one, other))
        alive = [k for k in alive if k not in (one, other)] + [len(cells) + len(sums) - 1]
    return Tables(cells, bits, sums)


def logits(network: Network, x: int, y: int) -> list[int]:
    """By definition, over 2^(bits + vote_bits)."""
    h = [max(0, a + b) for a, b in zip(network.left[x], network.right[y], strict=True)]
    return [sum(a * v[z] for a, v in zip(h, network.votes, strict=True)) + network.bias[z] for z in range(network.order)]


def margin_of(values: list[int], w: int) -> int | None:
    """Value w less the largest other one; None where there is no other."""
    return min((values[w] - value for z, value in enumerate(values) if z != w), default=None)


def factored(network: Network, plan: Tables, x: int, y: int, w: int) -> list[int]:
    """Twice the right side of the theorem at every z, over 2^(network's and plan's bits + vote_bits)."""
    level: dict[int, int] = {}
    for family in plan.cells:
        for i, value in zip(family.neurons, family.levels[family.labels[x]], strict=True):
            level[i] = value << network.bits
    known, sums = 2 * network.bias[w] << plan.bits, [2 * b << plan.bits for b in network.bias]
    for i, votes in enumerate(network.votes):
        r = network.right[y][i] << plan.bits
        h = max(0, (network.left[x][i] << plan.bits) + r)
        f = max(0, level[i] + r) if i in level else 0
        middle = max(votes) + min(votes)
        known += h * (2 * votes[w] - middle) - abs(h - f) * (2 * max(votes) - middle)
        sums = [total + f * (2 * vote - middle) for total, vote in zip(sums, votes, strict=True)]
    return [known - total for total in sums]


def cases(name: str, count: int, seed: int) -> Iterator[tuple[list[list[int]], Network, Tables, random.Random]]:
    """Random networks and plans."""
    products, draw = group(name), random.Random(f"{name} {seed}")
    for _ in range(count):
        network = random_network(draw, products)
        yield products, network, random_plan(draw, network), draw


def check_tables(name: str, count: int, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that `settle_by` says about all pairs of random networks with random plans, whichever pass finds it."""
    rights = wrongs = exact = 0
    for products, network, plan, draw in cases(name, count, seed):
        n, pairs = network.order, [*product(range(network.order), repeat=2)]
        monkeypatch.setattr(tables, "FEW", draw.choice([0, 1, n]))
        monkeypatch.setattr(tables, "TOGETHER", draw.choice([1, 2, n + 1]))
        monkeypatch.setattr(slots, "ROUNDED", draw.choice([6, 10, 16, 54]))  # coarse numbers leave much to exact ones
        monkeypatch.setattr(slots, "SLOTS", draw.choice([ALL_SLOTS, {40: "IB"}, {48: "IH"}, {64: "Q"}]))
        monkeypatch.setattr(slots, "SMALLER", draw.choice([0, 16, 16]))  # with 0 the narrowest slots are taken
        monkeypatch.setattr(tables, "CLOSE", draw.choice([0, 1, n]))
        values = {(x, y): logits(network, x, y) for x, y in pairs}
        truth = {(x, y): margin_of(values[x, y], products[x][y]) for x, y in pairs}
        margins = sorted(margin for margin in truth.values() if margin is not None and margin > 0)
        hint = draw.choice([None, (draw.randrange(n), draw.randrange(n)), (-1, 0), (0, n)])
        needed, useful = (draw.choice([0, *margins]) for _ in range(2))
        floor = tables.floor_of(network, products, hint, needed, useful)
        assert n == 1 or (margins[0] if margins else max(map(abs, truth.values()))) <= floor  # type: ignore[arg-type]
        assert floor >= needed
        found = tables.settle_by(plan, network, products, SILENT, floor=floor)
        for (x, y), margin in truth.items():
            low = found.low[x][y]
            if margin is None:
                continue
            assert (low is not None) == (margin > 0)
            if margin > 0:
                assert low == min(margin, floor + 1)
                exact += low == margin
            rights, wrongs = rights + (margin > 0), wrongs + (margin <= 0)
        assert (found.certified, found.operations) == counts(network, plan, products)
        assert found.rows(products) == answers_by_definition(n, values)
        check_answers(network, products, values)
    assert name == "C1" or min(rights, wrongs, exact) > 0


def counts(network: Network, plan: Tables, products: list[list[int]]) -> tuple[int, int]:
    """How many pairs are certified, and with how many operations all are settled, from the contenders of each pair one by one."""
    n, evaluation = network.order, 2 * network.width * network.order
    certified, spent = 0, plans.operations(plan, n, network.width)
    for x, y in product(range(n), repeat=2):
        w = products[x][y]
        margin = margin_of(logits(network, x, y), w)
        if margin is None:
            certified += 1
            continue
        contenders = sum(bound <= 0 for z, bound in enumerate(factored(network, plan, x, y, w)) if z != w)
        if margin > 0 and contenders <= n // 2:
            certified += 1
            spent += min(4 * network.width + 1 + (2 * network.width + 2) * contenders, evaluation) * (contenders > 0)
        else:
            spent += evaluation
    return certified, spent


def answers_by_definition(n: int, values: dict[tuple[int, int], list[int]]) -> list[list[int]]:
    """The place of the unique largest logit at all pairs, -1 for a tie."""
    truth: list[list[int]] = [[] for _ in range(n)]
    for (x, _), found in values.items():
        truth[x].append(found.index(max(found)) if found.count(max(found)) == 1 else -1)
    return truth


def check_answers(network: Network, products: list[list[int]], values: dict[tuple[int, int], list[int]]) -> None:
    """The answers of a network that is its own plan, ties among them, from both kinds of tables and from either side."""
    truth = answers_by_definition(network.order, values)
    own = plans.of_program(network, [i % 2 for i in range(network.width)])
    for plan in (plans.by_element(network), own):
        assert tables.settle_by(plan, network, products, SILENT).rows(products) == truth
    other, columns_of = tables.exchanged(network), columns(products)
    found = tables.turned(tables.settle_by(plans.by_element(other), other, columns_of, SILENT))
    assert found.rows(products) == truth


def nearby(draw: random.Random, network: Network) -> tuple[Network, dict[int, tuple[int, int]]]:
    """A network that could be a program of another: neurons left out or in another order, a little noise, other denominators."""
    kept = [i for i in range(network.width) if draw.random() < 0.9]
    draw.shuffle(kept)
    p, q, noise = draw.choice([0, 3]), draw.choice([0, 4]), draw.choice([0, 0, 1, 1000])
    shift = draw.randint(-noise, noise)

    def near(values: list[int], bits: int, constant: int = 0) -> list[int]:
        return [(value + constant + draw.randint(-noise, noise)) << bits for value in values]

    by_x, by_y = columns(network.left), columns(network.right)
    left = columns([near(by_x[i], p, shift) for i in kept]) or [[] for _ in range(network.order)]
    right = columns([near(by_y[i], p, -shift) for i in kept]) or [[] for _ in range(network.order)]
    votes = [near(network.votes[i], q, draw.choice([0, 7])) for i in kept]
    program = Network(left, right, votes, near(network.bias, p + q, 5), network.bits + p, network.vote_bits + q)
    return program, {i: (place, 0) for place, i in enumerate(kept)}


def check_program(name: str, count: int, seed: int) -> None:
    """The answers of programs by each of the ways, and that no margin differs from the network's by more than the distance."""
    ways = Counter[str]()
    for products, network, plan, draw in cases(name, count, seed):
        program, where = nearby(draw, network)
        n, expanded = network.order, SimpleNamespace(network=program, where=where)
        pairs = [*product(range(n), repeat=2)]
        values = {(x, y): logits(program, x, y) for x, y in pairs}
        truth = answers_by_definition(n, values)
        apart = equivalence.distance(network, expanded)  # type: ignore[arg-type]
        scale, other = Fraction(1, 1 << network.bits + network.vote_bits), Fraction(1, 1 << program.bits + program.vote_bits)
        for x, y in pairs:
            ours, w = logits(network, x, y), products[x][y]
            for z in range(n):
                gap = (ours[w] - ours[z]) * scale - (values[x, y][w] - values[x, y][z]) * other
                assert abs(gap) <= apart * scale
        floor = max(apart, tables.floor_of(network, products, None, 0, 0))
        settled = tables.settle_by(plan, network, products, SILENT, floor=floor)
        assert equivalence.near(program, products, settled, apart, SILENT, 1) == truth
        ways["near"] += sum(low is not None and low > apart for row in settled.low for low in row)
        cells = equivalence.through(plan, program, expanded)  # type: ignore[arg-type]
        assert sorted(i for family in cells.cells for i in family.neurons) == [*range(program.width)]
        assert tables.settle_by(cells, program, products, SILENT).rows(products) == truth
        if program.width:
            ways["open"] += equivalence.open_cost(equivalence.Short(program, cells), products) > 0
    assert min(ways["near"], ways["open"]) > 0 or name == "C1"


def test_rounded_numbers_are_within_the_error_and_come_near_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Margins and the right side of the theorem from rounded numbers, of networks of one or two neurons, against exact ones."""
    draw, nearest = random.Random(5), Fraction(0)
    for _ in range(200):
        monkeypatch.setattr(slots, "ROUNDED", draw.choice([3, 5, 8, 12]))
        n, width, big = draw.choice([2, 3]), draw.choice([1, 1, 2]), 1 << draw.choice([40, 60])

        def numbers(rows: int, columns: int, big: int = big) -> list[list[int]]:
            return [[draw.randint(-big // 4, big) for _ in range(columns)] for _ in range(rows)]

        network = Network(numbers(n, width), numbers(n, width), numbers(width, n), numbers(1, n)[0], 0, 0)
        levels = [[value + draw.choice([0, 1, -big // 3]) for value in row] for row in network.left]
        plan = Tables([Cells([*range(n)], [*range(width)], levels)], 0, [])
        short: Any = slots.Short(network, plan)
        if not short.live or not short.unit:
            continue
        a, c = short.short_by, short.votes_by
        for rows, cut in ((short.left, short.short_left), (short.right, short.short_right)):
            assert all(0 <= u - (v << a) < 1 << a for row, less in zip(rows, cut, strict=True) for u, v in zip(row, less, strict=True))
        for row, less in zip(short.votes, short.short_votes, strict=True):
            assert all(2 * abs(u - (v << c)) <= 1 << c for u, v in zip(row, less, strict=True))
        for x, y, w, z in product(range(n), repeat=4):
            values, h, slack = logits(network, x, y), short.activations(x, y), short.slack(short.short_right[y])[x]
            made = sum(table[labels[x]] for table, labels in zip(short.tables_of(short.short_right[y]), short.last_labels, strict=True))
            factor = (1 << short.slot - 1) - slots.slots_of(made, n, short.slot)[z]
            own = short.logit(h, w)
            found = [(2 * (values[w] - values[z]), own - short.logit(h, z), 0)] if w != z else []
            found.append((factored(network, plan, x, y, w)[z], own - slack - factor, short.excess))
            for exact, rounded, excess in found:
                gap = exact - (rounded << short.unit)
                assert -short.error <= gap <= short.error + excess
                nearest = max(nearest, Fraction(abs(gap), short.error))
    assert nearest > Fraction(2, 5)


def test_contenders_are_counted_exactly_where_rounded_votes_say_too_many() -> None:
    """At (0, 0) both other outputs are just no contenders, and rounded numbers say that they are by more than ``error``.

    The first neuron is read as silent where it fires with 1000. Its votes of 2^43 are rounded by half a unit, and the largest of them
    is rounded up by a whole one, since the second neuron, which is silent there, has much larger votes.
    """
    right, largest, fires = (1 << 43) - 2, (1 << 44) + 2, 1000
    lead = (fires * (largest - right) + 2) // 2
    left = [[fires, 0], [0, 0], [0, 1]]
    votes = [[right // 2, largest // 2, -largest // 2], [1 << 70, -(1 << 70), 0]]
    network = Network(left, [[0, 0], [-fires, 1], [-fires, 1]], votes, [lead, 0, 0], 0, 0)
    plan = Tables([Cells([0, 1, 2], [0, 1], [[0, 0], [0, 0], [0, 1]])], 0, [])
    products = group("C3")
    assert factored(network, plan, 0, 0, 0)[1:] == [2, 2]
    found = tables.settle_by(plan, network, products, SILENT)
    certified, spent = counts(network, plan, products)
    assert (found.certified, found.operations) == (certified, spent) == (3, 459)


@pytest.mark.parametrize("slot", ALL_SLOTS)
def test_slots_are_read_as_they_were_packed(slot: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers, those at some places, and the marks of a level, one by one, in slots of every size."""
    draw, n = random.Random(slot), 7
    monkeypatch.setattr(slots, "SLOTS", {slot: ALL_SLOTS[slot]})
    network = Network([[1] * 2] * n, [[draw.randrange(5) for _ in range(2)] for _ in range(n)], [[1] * n, [*range(n)]], [0] * n, 0, 0)
    short = slots.Short(network, plans.by_element(network))
    assert short.slot == slot
    for _ in range(50):
        row = [draw.randrange(-(1 << slot - 3), 1 << slot - 3) for _ in range(n)]
        table = short.high - slots.sum_of_slots(row, slot)
        assert slots.slots_of(table, n, slot) == [(1 << slot - 1) - value for value in row]
        places = draw.sample(range(n), 3)
        assert short.numbers(table, places) == [row[place] for place in places]
        marks = sum(bit for bit, value in zip(short.bit, row, strict=True) if value < 0)
        assert short.above(marks) == [place for place, value in enumerate(row) if value >= 0]


S3 = Group(GroupRecord("S3", 3, 6, ["(1 2 3)", "(1 2)"]))


def on_cosets(draw: random.Random, network: Network, side: Literal["left", "right"] | None) -> CompactPlan | None:
    """A plan that reads x or y through right and left cosets, with the levels of the cosets' least elements; None for no side."""
    if side is None:
        return None
    neurons = draw.sample(range(network.width), network.width)
    read = columns(network.left if side == "left" else network.right)
    families = []
    for on, word, part in (("right cosets", "(1 2)", neurons[::2]), ("left cosets", "(2 3)", neurons[1::2])):
        if part:
            numbers = [0, S3.number[plans.permutation(word, 3)]]
            labels = (S3.right_cosets(numbers) if on == "right cosets" else S3.left_cosets(numbers)).labels
            levels = [[read[i][labels.index(c)] for c in range(3)] for i in part]
            families.append(CompactFamily(on, [word], part, levels))  # type: ignore[arg-type]
    return CompactPlan(side, network.bits, families, [])


@pytest.mark.parametrize("side", ["left", "right", None])
def test_a_plan_of_either_side_settles_every_pair(side: Literal["left", "right"] | None) -> None:
    """Margins up to the floor and answers, by the definition, with a plan that reads one input through cosets, or with none."""
    draw, seen = random.Random(str(side)), Counter[bool]()
    for _ in range(12):
        network = random_network(draw, S3.mul)
        plan = on_cosets(draw, network, side)
        truth = {(x, y): margin_of(logits(network, x, y), S3.mul[x][y]) or 0 for x, y in product(range(6), repeat=2)}
        floor = draw.choice([1, *(margin for margin in truth.values() if margin > 0)])
        found = tables.settle(plan, network, S3, SILENT, floor=floor)
        assert found.floor == floor
        for (x, y), margin in truth.items():
            assert found.low[x][y] == (min(margin, floor + 1) if margin > 0 else None)
            seen[margin > floor] += margin > 0
        assert found.rows(S3.mul) == answers_by_definition(6, {pair: logits(network, *pair) for pair in truth})
    assert min(seen[True], seen[False]) > 5


@pytest.mark.parametrize("side", ["left", "right", None])
@pytest.mark.parametrize("dear", [False, True])
def test_programs_are_read_through_whatever_costs_least(
    side: Literal["left", "right"] | None, dear: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answers of any program, by its own cells, by a plan where these are made out to cost more, or by the network's margins."""
    draw, ways = random.Random(f"{side} {dear}"), Counter[str]()
    own, rows_added, costly = equivalence.of_program, equivalence.rows_added, []  # type: Any, Any, list[Any]

    def remembered(*arguments: Any) -> Any:
        costly.append(own(*arguments))
        return costly[-1]

    monkeypatch.setattr(equivalence, "of_program", remembered)
    monkeypatch.setattr(equivalence, "rows_added", lambda tables, n: rows_added(tables, n) + 10**6 * (dear and tables in costly))
    for _ in range(8):
        network = random_network(draw, S3.mul)
        plan = on_cosets(draw, network, side)
        program, places = nearby(draw, network)
        where = {i: (place, place % 2) for i, (place, _) in places.items()}
        circuits = [SimpleNamespace(left="a", right="b"), SimpleNamespace(left="a", right="c")]
        expanded: Any = SimpleNamespace(network=program, where=where, width=network.width, program=SimpleNamespace(circuits=circuits))
        apart = equivalence.distance(network, expanded)
        truth = answers_by_definition(6, {(x, y): logits(program, x, y) for x, y in product(range(6), repeat=2)})
        for floor in (apart, max(0, apart - 1)):
            settled = tables.settle(plan, network, S3, SILENT, floor=floor)
            found, way = equivalence.program_answers(expanded, plan, S3, settled, apart, SILENT)
            assert found == truth
            assert (way == "margins of the network, which is close") == (apart <= floor)
            ways[way] += 1
    other = "tables on the cells of the compact plan" if dear and side is not None else "tables on the program's own cells"
    assert min(ways["margins of the network, which is close"], ways[other]) > 3


@pytest.mark.parametrize("slot", [8, 24, 56, 64, 72, 80, 200])
def test_slots_of_any_number_of_bytes_are_read(slot: int) -> None:
    """Also sizes that `struct` does not know."""
    draw = random.Random(slot)
    row = [draw.choice([0, 1, (1 << slot) - 1, draw.randrange(1 << slot)]) for _ in range(9)]
    assert slots.slots_of(sum(value << slot * k for k, value in enumerate(row)), 9, slot) == row
    signed = [draw.randrange(-(1 << slot - 1), 1 << slot - 1) for _ in range(9)]
    assert slots.sum_of_slots(signed, slot) == sum(value << slot * k for k, value in enumerate(signed))


@pytest.mark.parametrize("name", ["S3", "C4", "C2"])
def test_the_slack_is_its_definition_to_the_unit(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of rounded numbers, for neurons with levels and for those that are left out, in slots of every size."""
    kinds = set()
    for _, network, plan, draw in cases(name, 12, 7):
        monkeypatch.setattr(slots, "ROUNDED", draw.choice([6, 12, 54]))
        monkeypatch.setattr(slots, "SLOTS", draw.choice([ALL_SLOTS, {40: "IB"}, {48: "IH"}, {64: "Q"}]))
        short: Any = slots.Short(network, plan)
        for y in range(network.order):
            right, slack = short.short_right[y], [0] * network.order
            for x in range(network.order):
                read: dict[int, int] = {}
                for (places, _), family, levels in zip(short.levels, plan.cells, short.short_levels, strict=True):
                    read |= dict(zip(places, levels[family.labels[x]], strict=True))
                for place, spread in enumerate(short.short_spread):
                    h = max(0, short.short_left[x][place] + right[place])
                    f = max(0, read[place] + right[place]) if place in read else 0
                    slack[x] += abs(h - f) * spread
                    kinds.add((place in read, h > 0, f > 0, h == f))
            assert short.slack(right) == slack
    assert len(kinds) > 5


def test_a_margin_that_is_just_the_distance_says_nothing_of_the_program() -> None:
    """One neuron makes the margin of (0, 0), which is 2; the program leaves it out, so the distance is 2, and there is a tie."""
    network = Network([[1], [0]], [[1], [0]], [[1, 0]], [0, 0], 0, 0)
    program = SimpleNamespace(network=Network([[], []], [[], []], [], [0, 0], 0, 0), where={})
    products = group("C2")
    apart = equivalence.distance(network, program)  # type: ignore[arg-type]
    settled = tables.settle_by(plans.by_element(network), network, products, SILENT, floor=apart)
    assert (apart, settled.low[0][0]) == (2, 2)
    assert equivalence.near(program.network, products, settled, apart, SILENT, 1) == [[-1, -1], [-1, -1]]


SIZES = {"S3": 25, "C4": 25, "D8": 6, "C5": 12, "C2": 40, "C1": 5}


#: A few networks at a time: what is wrong is noticed soon.
AT_ONCE = {"S3": 8, "C4": 8, "D8": 3, "C5": 6, "C2": 10, "C1": 5}
PARTS = [(name, part) for name, size in SIZES.items() for part in range(size // AT_ONCE[name])]


@pytest.mark.parametrize(("name", "part"), PARTS)
def test_tables_say_what_brute_force_says(name: str, part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Margins up to the floor, wrong answers, certified pairs and operations, to the last integer."""
    check_tables(name, AT_ONCE[name], part, monkeypatch)


@pytest.mark.parametrize(("name", "part"), PARTS)
def test_programs_answer_what_brute_force_says(name: str, part: int) -> None:
    """By the network's margins, and through the cells of any plan."""
    check_program(name, AT_ONCE[name], part)


@pytest.mark.slow
@pytest.mark.parametrize("name", SIZES)
def test_tables_say_what_brute_force_says_thousands_of_times(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same on some four thousand networks."""
    check_tables(name, 50 * SIZES[name], 1, monkeypatch)
    check_program(name, 50 * SIZES[name], 1)
