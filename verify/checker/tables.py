"""Q1, Q2 and Q4 from tables: what every pair's answer is, at a fraction of the cost of evaluating the network on it.

**The theorem.** Write the logits as  logit(x, y)[z] = sum_i h_i V[i][z] + b[z],  h_i = relu(L[x][i] + R[y][i]),  where each neuron's
votes are moved so that the largest and the least are opposite: |V[i][z]| <= s_i. That adds the same number to all logits of a pair,
and changes no margin. Let neuron i read x through the cells of any partition of the group, with any level on each cell: f_i =
relu(level_i[cell(x)] + R[y][i]), or f_i = 0 for a neuron that is left out; and let F(x, y)[z] = sum_i f_i V[i][z] + b[z]. Then for w
= xy and every z

    logit(x, y)[w] - logit(x, y)[z]  >=  logit(x, y)[w] - sum_i |h_i - f_i| s_i - F(x, y)[z],                              (1)

since logit[z] - F[z] = sum_i (h_i - f_i) V[i][z]. If the right side is positive for all z but w, the network answers w at (x, y).
Where it is not, those z are the *contenders* of the pair, every other z is proved to lose, and the margins of the contenders are
taken from the network itself.

So no partition and no level can make a wrong pair look right: a bad plan has many contenders and costs time. F is cheap because it is a
sum of tables, T_P[cell][z] for each y, one for each partition P; tables are added up on the common refinement of their partitions.
A program is its own plan: elements at which all of its neurons of one partition have the same levels are a cell, so F is its logit.

**The numbers.** A row of n numbers, one for each z, is one integer: number z stands in bits SLOT z to SLOT (z + 1) - 1 (slot z). Sums
and multiples of such integers are sums and multiples of rows, as long as every number stays below 2^(SLOT - 2) in absolute value. All
z are compared with t at once: slot z of  D = sum_z 2^(SLOT z) (2^(SLOT - 1) + t - T[z])  has its highest bit set when T[z] <= t, and
no slot borrows from the next one. With the highest bits G of all slots, (D & G) | (bit of w) == G says that no z but w is a
contender.

**The rounding.** Exact integers are too long for slots, so L, R and levels lose their last ``a`` bits and V its last ``c``; `Short`
chooses them so that everything fits, and 0 where the exact numbers fit. With ' for what is left: L' = floor(L / 2^a), V' = round(V /
2^c),

    h' = relu(L' + R'),    h = 2^a h' + r with 0 <= r < 2^(a+1)    (0 when a = 0), and the same for f
    |V - 2^c V'| <= 2^(c-1)                                        (0 when c = 0)
    |sum_i h_i V_i + b - 2^(a+c) T'| <= E = sum_i 2^(a+1) s_i + sum_i 2^a top_i 2^(c-1) + 2^(a+c),   top_i the largest h'_i or f'_i.

The last term is for b, which is rounded down; T' = sum_i h'_i V'_i + b'. In the same way |h_i - f_i| s_i <= 2^a |h'_i - f'_i| 2^c
s'_i + 2^(a+1) s_i, with s'_i = s_i / 2^c rounded up. Both sides of (1) are therefore known up to ``error`` = 2 E + sum_i 2^(a+1) s_i,
and whatever it leaves undecided is decided by exact integers.
"""

import random
from collections.abc import Sequence
from operator import add, mul
from typing import NamedTuple

from .groups import Group, closure, permutation
from .integers import Network, Rows, columns
from .programs import Expanded
from .progress import Progress, mapped
from .shape import Compact, CompactPlan, need, same

#: Bits of a slot. Whole bytes; numbers have SLOT - 3 bits, so 37 of them for products of two rounded numbers.
SLOT = 40
#: Below every sum of tables: a level that no number of a table reaches.
LOWEST = -(1 << SLOT - 2)
#: Pairs whose margins are looked at first, so that the least margin is nearly known when the tables are made.
SAMPLE = 64
#: Up to this many contenders are looked at one by one; for more of them all logits are added up.
FEW = 16


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


class Settled(NamedTuple):
    """What the tables prove about every pair.

    ``low[x][y]``: a positive number that the margin logit(xy) - max of the others reaches, over 2^(bits + vote_bits) of the network;
    None where it was not proved positive. Where low[x][y] is at most the least margin of any right pair, it is the margin.
    ``certified`` pairs have at most half of all z as contenders, all with positive margins; ``operations`` are counted by `operations`,
    pairs that are not certified at the cost of evaluating the network on them.
    """

    low: list[list[int | None]]
    certified: int
    operations: int


# ---- a plan


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


def cheapest_sums(partitions: list[list[int]]) -> list[tuple[int, int]]:
    """Which tables to add up first: always the two whose sum has the fewest cells, while that is fewer than there are elements."""
    alive, sums = dict(enumerate(partitions)), []  # type: dict[int, list[int]], list[tuple[int, int]]
    sizes: dict[tuple[int, int], int] = {}
    while len(alive) > 1:
        for i in alive:
            for j in alive:
                if i < j and (i, j) not in sizes:
                    sizes[i, j] = len({*zip(alive[i], alive[j], strict=True)})
        size, i, j = min((size, *pair) for pair, size in sizes.items() if {*pair} <= alive.keys())
        if size >= len(partitions[0]):
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


# ---- the arithmetic


class Short:
    """A network and tables in slots: the numbers with ' of the module's docstring, those of live neurons only.

    ``unit`` is a + c; ``error`` bounds what the rounding does to (1), over 2^(bits + vote_bits + 1), where ``bits`` are those of the
    finer of network and levels. ``left``, ``right``, ``votes``, ``bias`` are the exact numbers behind it, votes and bias doubled.
    """

    def __init__(self, network: Network, tables: Tables) -> None:
        self.order, self.network, self.tables = network.order, network, tables
        self.bits: int = max(network.bits, tables.bits)
        lift, level_lift = self.bits - network.bits, self.bits - tables.bits
        level: dict[int, list[int]] = {}
        for family in tables.cells:
            for i, levels in zip(family.neurons, columns(family.levels), strict=True):
                level[i] = [value << level_lift for value in levels]
        self.live: list[int] = []
        left, right, read = [], [], {}
        for i, (by_x, by_y, votes) in enumerate(zip(columns(network.left), columns(network.right), network.votes, strict=True)):
            by_x, by_y = [value << lift for value in by_x], [value << lift for value in by_y]
            top = max(by_x + level.get(i, []))
            reach = max(by_y) + top
            if reach <= 0 or max(votes) == min(votes):
                continue  # it never fires, or votes for all answers alike
            # moved so that no level is above 0, and cut where nothing fires: relu(L + R) stays what it is
            read[i] = [max(value - top, -reach - 1) for value in level.get(i, [])]
            left.append([max(value - top, -reach - 1) for value in by_x])
            right.append([max(value + top, -1) for value in by_y])
            self.live.append(i)
        place = {i: k for k, i in enumerate(self.live)}
        self.left, self.right = (columns(side) or [[] for _ in range(self.order)] for side in (left, right))
        alive = [network.votes[i] for i in self.live]
        self.votes = [[2 * vote - max(votes) - min(votes) for vote in votes] for votes in alive]
        self.spread = [max(row) for row in self.votes]
        self.bias = [2 * b << lift for b in network.bias]
        self.exact_by_answer = columns(self.votes) or [[] for _ in range(self.order)]
        self.levels: list[tuple[list[int], Rows]] = []
        for family in tables.cells:
            inside = [i for i in family.neurons if i in place]
            self.levels.append(([place[i] for i in inside], columns([read[i] for i in inside]) or [[] for _ in family.levels]))
        self.sum_cells: list[list[tuple[int, int]]] = []
        labels = [family.labels for family in tables.cells]
        for one, other in tables.sums:
            cells, merged = refined(labels[one], labels[other])
            self.sum_cells.append(cells)
            labels.append(merged)
        self.last_labels = [labels[k] for k in tables.last] or [[0] * network.order]  # all neurons may be left out
        self._round([max(column) for column in right])
        self._pack()

    def _round(self, reach: list[int]) -> None:
        """Choose a and c, and round."""
        limit = 1 << SLOT - 3
        total: int = sum(map(mul, reach, self.spread)) + max(map(abs, self.bias), default=0)
        self.largest_margin = 2 * total + 1
        unit: int = max(0, total.bit_length() - (SLOT - 4))
        while True:
            a = unit + 1 + sum(reach).bit_length() - sum(self.spread).bit_length() - 2  # where both roundings cost about the same
            a = min(max(0, a // 2), unit)
            c = unit - a
            tops = [(top >> a) + 2 if a else top for top in reach]
            spread = [-(-s >> c) for s in self.spread]
            bias = [b >> unit for b in self.bias]
            if sum(map(mul, tops, (s + 1 for s in spread))) + max(map(abs, bias), default=0) + 1 < limit:
                break
            unit += 1
        self.unit, self.short_spread, self.short_bias = unit, spread, bias
        self.short_left = [[value >> a for value in row] for row in self.left]
        self.short_right = [[value >> a for value in row] for row in self.right]
        self.short_levels = [[[value >> a for value in row] for row in levels] for _, levels in self.levels]
        self.short_votes = [[(value + (1 << c >> 1)) >> c for value in row] for row in self.votes]
        activations = sum(self.spread) << a + 1 if a else 0
        votes = sum(tops) << a + c - 1 if c else 0
        self.error = 2 * (activations + votes + ((1 << unit) if unit else 0)) + activations

    def _pack(self) -> None:
        """The rows in slots."""
        n = self.order
        self.ones = sum_of_slots([1] * n)
        self.high = self.ones << SLOT - 1
        self.bit = [1 << SLOT * w + SLOT - 1 for w in range(n)]
        self.rows = [-sum_of_slots(row) for row in self.short_votes]  # less the votes: D has less the tables
        self.base = self.high - sum_of_slots(self.short_bias)
        self.by_answer = columns(self.short_votes) or [[] for _ in range(n)]
        self._pack_slack()

    def _pack_slack(self) -> None:
        """Per live neuron the larger and the smaller of L' and level', packed over x; None where both are the same."""
        level: list[list[int] | None] = [None] * len(self.live)
        for (places, _), family, short in zip(self.levels, self.tables.cells, self.short_levels, strict=True):
            for p, values in zip(places, columns(short), strict=True):
                level[p] = [values[label] for label in family.labels]
        self.gaps: list[tuple[int, int, int | None, int]] = []
        for p, (own, read) in enumerate(zip(columns(self.short_left), level, strict=True)):
            if read is None:
                self.gaps.append((p, sum_of_slots(own) + self.high, None, self.short_spread[p]))
            elif read != own:
                upper, lower = (sum_of_slots([*map(which, own, read)]) + self.high for which in (max, min))
                self.gaps.append((p, upper, lower, self.short_spread[p]))

    def slack(self, right: list[int]) -> list[int]:
        """sum_i |h'_i - f'_i| s'_i at every x, for the y with this row of R'.

        |relu(p + r) - relu(q + r)| = relu(max(p, q) + r) - relu(min(p, q) + r), and relu of all slots at once: those whose highest
        bit is set (numbers not below 0) keep their other bits.
        """
        if not self.gaps:
            return [0] * self.order
        total, high, ones = 0, self.high, self.ones
        for p, upper, lower, spread in self.gaps:
            shift = right[p] * ones
            value = upper + shift
            signs = value & high
            found = value & (signs - (signs >> SLOT - 1))
            if lower is not None:
                value = lower + shift
                signs = value & high
                found -= value & (signs - (signs >> SLOT - 1))
            total += spread * found
        return slots_of(total, self.order)

    def tables_of(self, right: list[int]) -> list[list[int]]:
        """The tables that are left for the y with this row of R', in slots.

        They are the tables of D: with a minus sign, and 2^(SLOT - 1) in the first, so their sum is 2^(SLOT - 1) - T'.
        """
        made: list[list[int]] = []
        for (places, _), levels in zip(self.levels, self.short_levels, strict=True):
            rights, rows = [right[p] for p in places], [self.rows[p] for p in places]
            table = []
            for row in levels:
                cell = 0
                for h, votes in zip(map(add, row, rights), rows, strict=True):
                    if h > 0:
                        cell += h * votes
                table.append(cell)
            made.append(table)
        for (one, other), cells in zip(self.tables.sums, self.sum_cells, strict=True):
            first, second = made[one], made[other]
            made.append([first[p] + second[q] for p, q in cells])
        last = [made[k] for k in self.tables.last] or [[0]]
        last[0] = [cell + self.base for cell in last[0]]
        return last

    def more_than(self, margin: int) -> int:
        """How much larger, in units of the tables, than T' the known side has to be so that twice the margin exceeds this."""
        return -(-(self.error + margin + 1) >> self.unit)

    def in_network(self, margin: int) -> int:
        """Twice a margin over 2^(bits + vote_bits) as a margin over the network's own bits, of which it is a multiple."""
        return margin >> (self.bits - self.network.bits + 1)

    def exact(self, x: int, y: int) -> list[int]:
        """The activations h."""
        return [max(h, 0) for h in map(add, self.left[x], self.right[y])]

    def exact_margins(self, h: list[int], w: int, zs: list[int]) -> list[int]:
        """Twice logit w less logit z for these z, over 2^(bits + vote_bits)."""
        votes, bias = self.exact_by_answer, self.bias
        own = sum(map(mul, h, votes[w])) + bias[w]
        return [own - sum(map(mul, h, votes[z])) - bias[z] for z in zs]

    def exact_bounds(self, h: list[int], x: int, y: int, w: int, zs: list[int]) -> list[int]:
        """Twice the right side of (1) for these z."""
        f = [0] * len(h)
        right = self.right[y]
        for (places, levels), family in zip(self.levels, self.tables.cells, strict=True):
            for p, value in zip(places, levels[family.labels[x]], strict=True):
                f[p] = max(0, value + right[p])
        votes, bias = self.exact_by_answer, self.bias
        own = sum(map(mul, h, votes[w])) + bias[w]
        own -= sum(abs(a - b) * s for a, b, s in zip(h, f, self.spread, strict=True))
        return [own - sum(map(mul, f, votes[z])) - bias[z] for z in zs]


def sum_of_slots(row: Sequence[int]) -> int:
    """sum_z row[z] 2^(SLOT z), for numbers of at most SLOT - 1 bits and a sign."""
    half, size = 1 << SLOT - 1, SLOT // 8
    halves = int.from_bytes(half.to_bytes(size, "little") * len(row), "little")
    return int.from_bytes(b"".join((value + half).to_bytes(size, "little") for value in row), "little") - halves


def slots_of(total: int, count: int) -> list[int]:
    """The numbers in that many slots, none of them negative."""
    size = SLOT // 8
    data = total.to_bytes(size * count, "little")
    return [int.from_bytes(data[k : k + size], "little") for k in range(0, size * count, size)]


def highest_bits(marks: int) -> list[int]:
    """The slots whose highest bit is set, in marks that have no other bits."""
    found = []
    while marks:
        place = marks.bit_length() // SLOT
        found.append(place - 1)
        marks ^= 1 << SLOT * place - 1
    return found


# ---- all pairs


class Row(NamedTuple):
    """What was found for one y: ``low`` at every x, pairs certified, and the operations of contenders and of what is left open."""

    low: list[int | None]
    certified: int
    operations: int


def settle(
    plan: CompactPlan | None, network: Network, group: Group, progress: Progress, jobs: int = 1, hint: tuple[int, int] | None = None
) -> Settled:
    """What the tables of a plan prove about a network, or without a plan those in which every x is a cell.

    ``hint`` is a pair that may have the least margin; it saves time and is not trusted.
    """
    tables = by_element(network) if plan is None else read_plan(plan, group, network.width)
    if plan is None or plan.side == "left":
        return settle_by(tables, network, group.mul, progress, jobs, hint)
    found = settle_by(tables, exchanged(network), columns(group.mul), progress, jobs, hint and (hint[1], hint[0]))
    return found._replace(low=[list(row) for row in zip(*found.low, strict=True)])


def exchanged(network: Network) -> Network:
    """The network that takes y first and x second."""
    return Network(network.right, network.left, network.votes, network.bias, network.bits, network.vote_bits)


def check_compact(stated: Compact, settled: Settled, order: int, width: int) -> None:
    """Q4: the plan proves as many pairs as stated, or more, and all pairs are settled with as many operations, or fewer.

    Without a plan nothing is stated to be proved, and all pairs cost their evaluation.
    """
    brute = 2 * width * order**3
    same("compact.flops_brute", stated.flops_brute, brute)
    certified, spent = (settled.certified, settled.operations) if stated.plan is not None else (0, brute)
    fine = 0 <= stated.certified <= certified
    same("compact.certified", stated.certified, stated.certified if fine else f"at most {certified}")
    same("compact.flops", stated.flops, stated.flops if stated.flops >= spent else f"at least {spent}")


def settle_by(
    tables: Tables, network: Network, products: Rows, progress: Progress, jobs: int = 1, hint: tuple[int, int] | None = None
) -> Settled:
    """What tables prove, for a network whose answer at (x, y) should be products[x][y]."""
    n, short = network.order, Short(network, tables)
    least = _least_of_some(short, products, hint)
    step = progress.step("adding up tables of the network", n * n)
    low: list[list[int | None]] = [[None] * n for _ in range(n)]
    certified, spent = 0, operations(tables, n, network.width)

    def row(y: int) -> Row:
        return _row(short, y, [products[x][y] for x in range(n)], least)

    for y, found in enumerate(mapped(row, range(n), jobs)):
        for x, value in enumerate(found.low):
            low[x][y] = value
        certified += found.certified
        spent += found.operations
        step.done(n)
    return Settled(low, certified, spent)


def _least_of_some(short: Short, products: Rows, hint: tuple[int, int] | None) -> int:
    """Twice the least positive margin of some pairs; where all of these are wrong a number above every margin."""
    n, draw = short.order, random.Random(0)
    pairs = [(draw.randrange(n), draw.randrange(n)) for _ in range(SAMPLE)]
    found = []
    for x, y in pairs if hint is None else [*pairs, hint]:
        if 0 <= x < n and 0 <= y < n:
            w = products[x][y]
            found += [min(short.exact_margins(short.exact(x, y), w, [z for z in range(n) if z != w]), default=0)]
    return min((margin for margin in found if margin > 0), default=short.largest_margin)


def _row(short: Short, y: int, answers: list[int], least: int) -> Row:
    """Every pair with this y."""
    n, width = short.order, short.network.width
    right, high, ones, by_answer, bias, bit = short.short_right[y], short.high, short.ones, short.by_answer, short.short_bias, short.bit
    tables = list(zip(short.tables_of(right), short.last_labels, strict=True))
    slack = short.slack(right)
    wanted = short.more_than(least)
    clear = short.in_network(least) + 1
    low: list[int | None] = []
    certified = spent = 0
    for x, (left, w) in enumerate(zip(short.short_left, answers, strict=True)):
        found = 0
        for table, labels in tables:
            found += table[labels[x]]
        known = sum([h * v for h, v in zip(map(add, left, right), by_answer[w], strict=True) if h > 0]) + bias[w] - slack[x]
        if (found + max(known - wanted, LOWEST) * ones) & high | bit[w] == high:
            low.append(clear)
            certified += 1
            continue
        lead, contenders = _look(short, x, y, w, found, known, least)
        low.append(min(lead, clear) if lead > 0 else None)
        if lead > 0 and contenders <= n // 2:
            certified += 1
            spent += min(4 * width + 1 + (2 * width + 2) * contenders, 2 * width * n) if contenders else 0
        else:
            spent += 2 * width * n
    return Row(low, certified, spent)


def _look(short: Short, x: int, y: int, w: int, found: int, known: int, least: int) -> tuple[int, int]:
    """The margin of a pair where it is at most ``least``, else a number above that; and the number of contenders where it is right.

    ``found`` are the tables added up, ``known`` the right logit less the slack.
    """

    def against(level: int) -> list[int]:
        """The z other than w for which T' <= level does not hold."""
        marks = (found + max(level, LOWEST) * short.ones) & short.high | short.bit[w]
        return highest_bits(short.high ^ marks)

    h = short.exact(x, y)
    close = against(known - short.more_than(least))
    if len(close) <= FEW:
        lead = short.in_network(min(short.exact_margins(h, w, close)))
    else:
        lead = short.network.packed.contest(short.network.logits(x, y), w)[1]
    if lead <= 0:
        return lead, 0
    certain = {*against(min(known - 1 - (-short.error >> short.unit), -LOWEST))}
    open_ = [z for z in against(known - short.more_than(0)) if z not in certain]
    return lead, len(certain) + sum(bound <= 0 for bound in short.exact_bounds(h, x, y, w, open_))


# ---- answers of a program


def program_answers(program: Expanded, group: Group, progress: Progress, jobs: int = 1) -> Rows:
    """The answers of a program at all pairs: answers[x][y], -1 for a tie; read through x or through y, whichever takes less."""
    n, network, sides = group.order, program.network, {}
    circuits = [program.program.circuits[number] for _, number in sorted(program.where.values())]
    sides["left"] = of_program(network, [repr(circuit.left) for circuit in circuits])
    other = exchanged(network)
    sides["right"] = of_program(other, [repr(circuit.right) for circuit in circuits])
    if operations(sides["left"], n, network.width) <= operations(sides["right"], n, network.width):
        return answers(sides["left"], network, group.mul, progress, jobs)
    return columns(answers(sides["right"], other, columns(group.mul), progress, jobs))


def answers(tables: Tables, program: Network, guesses: Rows, progress: Progress, jobs: int = 1) -> Rows:
    """The answers at all pairs of a network that is its own plan (`of_program`, `by_element`): answers[x][y], -1 for a tie.

    ``guesses[x][y]`` is tried first, and costs time where it is wrong.
    """
    n, short = program.order, Short(program, tables)
    step = progress.step("adding up tables of the program", n * n)

    def row(y: int) -> list[int]:
        return _answers(short, y, [guesses[x][y] for x in range(n)])

    by_y = []
    for found in mapped(row, range(n), jobs):
        by_y.append(found)
        step.done(n)
    return columns(by_y)


def _answers(short: Short, y: int, guesses: list[int]) -> list[int]:
    """The answers at every x with this y: the guess, else the z with the largest sum of tables, else what full evaluation says."""
    tables = list(zip(short.tables_of(short.short_right[y]), short.last_labels, strict=True))
    high, ones, bit, wanted = short.high, short.ones, short.bit, short.more_than(0)
    middle, mask = 1 << SLOT - 1, (1 << SLOT) - 1
    result = []
    for x, guess in enumerate(guesses):
        found = 0
        for table, labels in tables:
            found += table[labels[x]]
        level = middle - (found >> SLOT * guess & mask) - wanted
        if (found + max(level, LOWEST) * ones) & high | bit[guess] == high:
            result.append(guess)
            continue
        values = slots_of(found, short.order)  # 2^(SLOT - 1) - T'
        best = values.index(min(values))
        level = middle - values[best] - wanted
        if (found + max(level, LOWEST) * ones) & high | bit[best] != high:
            best = short.network.packed.contest(short.network.logits(x, y), guess)[0]
        result.append(best)
    return result
