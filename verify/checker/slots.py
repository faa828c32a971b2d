"""A network and its tables in slots of long integers: the arithmetic of `tables`, which derives the bounds that are used here.

What this module proves: that sums and multiples of packed rows are those of the rows, each number within its slot, and that what was
rounded away is at most ``error``.
"""

from collections.abc import Sequence
from operator import add, mul

from .integers import Network, Rows, columns
from .plans import Tables, refined

#: Bits of a slot. Whole bytes; numbers have SLOT - 3 bits, so 37 of them for products of two rounded numbers.
SLOT = 40
#: Below every sum of tables: a level that no number of a table reaches.
LOWEST = -(1 << SLOT - 2)


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
            lowest = -reach - 1
            read[i] = [value - top if value - top > lowest else lowest for value in level.get(i, [])]
            left.append([value - top if value - top > lowest else lowest for value in by_x])
            right.append([value + top if value + top > -1 else -1 for value in by_y])
            self.live.append(i)
        place = {i: k for k, i in enumerate(self.live)}
        self.left, self.right = (columns(side) or [[] for _ in range(self.order)] for side in (left, right))
        self.votes = [centred(network.votes[i]) for i in self.live]
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
        self.error = 2 * (activations + votes + ((1 << unit) if unit else 0)) + 2 * activations

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

    def activations(self, x: int, y: int) -> list[int]:
        """The rounded activations h'."""
        return [h if h > 0 else 0 for h in map(add, self.short_left[x], self.short_right[y])]

    def logit(self, h: list[int], z: int) -> int:
        """The rounded logit of z with these rounded activations."""
        votes: int = sum(map(mul, h, self.by_answer[z]))
        return votes + self.short_bias[z]

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


def centred(votes: Sequence[int]) -> list[int]:
    """Twice the votes, less what makes the largest and the least of them opposite."""
    middle = max(votes) + min(votes)
    return [2 * vote - middle for vote in votes]


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
