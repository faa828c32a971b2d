"""A network and its tables in slots of long integers: the arithmetic of `tables`, which derives the bounds that are used here.

What this module proves: that sums and multiples of packed rows are those of the rows, each number within its slot, and that what was
rounded away is at most ``error``.

A row of numbers is packed over z (tables and logits of one pair) or over x (activations of one neuron, and one logit, at n pairs).
The cost is that of CPython's long integers: to multiply a row of 720 slots of 64 bits by a number below 2^30 and to add it to another
row takes about 3.5 microseconds, as much as 70 separate products, and 2.3 with slots of 40 bits. So a network of 128 neurons of which
half fire is evaluated at a pair in about 150 microseconds, where exact integers take 2,500. The slots are as narrow as they can be
while what is rounded away stays small beside the usual margin.
"""

import struct
from collections.abc import Iterator, Sequence
from operator import add, itemgetter, mul, sub

from .integers import Network, Rows, columns
from .plans import Tables, refined

#: Bits of a slot and how `struct` reads it: in one piece, or the lower 32 bits and the others.
SLOTS = {16: "H", 32: "I", 40: "IB", 48: "IH", 64: "Q"}
#: Most bits of sums of rounded numbers. Slots of 64 bits would hold more, but then many numbers would not be below 2^30, where products
#: are fastest.
ROUNDED = 54
#: Narrow slots do where what is rounded away is this many times smaller than the usual margin.
SMALLER = 16
#: Bits of the number that stands for a level where tables are compared with it.
DIGIT = 30


class Short:
    """A network and tables in slots: the numbers with ' of `tables`, those of live neurons only.

    ``slot`` is the number of bits of a slot: as few as hold the exact numbers, or numbers of which little is lost beside the usual
    ``margin``, else 64; numbers have slot - 3 bits. ``lowest`` is a level below every sum of tables, at least -2^(slot - 3), and
    ``grain`` a step of levels. ``unit`` is a + c; ``error`` and ``excess`` bound what the rounding does to (1), over
    2^(bits + vote_bits + 1), where ``bits`` are those of the finer of network and levels. ``left``, ``right``, ``votes``, ``bias`` are
    the exact numbers behind it, votes and bias doubled. Where there are no ``gaps``, the tables are the network's own logits.
    """

    def __init__(self, network: Network, tables: Tables, margin: int = 0) -> None:
        self.order, self.network, self.tables = network.order, network, tables
        self.bits: int = max(network.bits, tables.bits)
        lift, level_lift = self.bits - network.bits, self.bits - tables.bits
        by_cell: dict[int, list[int]] = {}  # the levels of each neuron that the tables read
        for family in tables.cells:
            for i, levels in zip(family.neurons, columns(family.levels), strict=True):
                by_cell[i] = [value << level_lift for value in levels]
        self.live: list[int] = []
        left, right, read = [], [], {}
        for i, (by_x, by_y, votes) in enumerate(zip(columns(network.left), columns(network.right), network.votes, strict=True)):
            by_x, by_y = [value << lift for value in by_x], [value << lift for value in by_y]
            top = max(by_x + by_cell.get(i, []))
            reach = max(by_y) + top
            if reach <= 0 or max(votes) == min(votes):
                continue  # it never fires, or votes for all answers alike
            # moved so that no level is above 0, and cut where nothing fires: relu(L + R) stays what it is
            silent = -reach - 1
            read[i] = [value - top if value - top > silent else silent for value in by_cell.get(i, [])]
            left.append([value - top if value - top > silent else silent for value in by_x])
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
        self._round([max(column) for column in right], margin)
        self._pack()

    def _round(self, reach: list[int], margin: int) -> None:
        """Choose the slots, a and c, and round."""
        total: int = sum(map(mul, reach, self.spread)) + max(map(abs, self.bias), default=0)
        # with this unit every top is at most 3 and every spread 1: neurons of very different sizes, whose products are alike, need it
        most = max(total.bit_length(), sum(reach).bit_length() + sum(self.spread).bit_length()) + 2
        for slot in SLOTS:
            least = max(1, total.bit_length() - min(ROUNDED, slot - 3))
            fits = any(self._fits(slot, unit, reach) for unit in (0, *range(least, most + 1)))
            if fits and SMALLER * self.error <= self.doubled(margin):
                break
        if not fits:  # cannot be: slots of 64 bits hold all numbers at the largest unit
            raise ArithmeticError("expected all numbers to fit in slots of 64 bits")
        a, c = self.short_by, self.votes_by
        self.short_left = [[value >> a for value in row] for row in self.left]
        self.short_right = [[value >> a for value in row] for row in self.right]
        self.short_levels = [[[value >> a for value in row] for row in levels] for _, levels in self.levels]
        self.short_votes = [[(value + (1 << c >> 1)) >> c for value in row] for row in self.votes]

    def _fits(self, slot: int, unit: int, reach: list[int]) -> bool:
        """Whether all numbers rounded in this way have slot - 3 bits; a and c such that both roundings cost about the same."""
        shift = sum(reach).bit_length() - sum(self.spread).bit_length()
        a = min(max(0, (unit + shift - 1) // 2), unit)
        c = unit - a
        tops = [(top >> a) + 2 if a else top for top in reach]
        self.slot, self.unit, self.short_by, self.votes_by = slot, unit, a, c
        self.short_spread = [-(-s >> c) for s in self.spread]
        self.short_bias = [b >> unit for b in self.bias]
        most: int = sum(map(mul, tops, (s + 1 for s in self.short_spread))) + max(map(abs, self.short_bias), default=0)
        self.lowest = -(1 << (most + 1).bit_length())
        activations = sum(self.spread) << a + 1 if a else 0
        votes = sum(tops) << a + c - 1 if c else 0
        self.error: int = 2 * (activations + votes + ((1 << unit) if unit else 0)) + 2 * activations
        self.excess: int = sum(tops) << unit if c else 0
        return most + 1 < 1 << slot - 3

    def _pack(self) -> None:
        """The rows in slots."""
        n, slot, size = self.order, self.slot, self.slot // 8
        self.ones = sum_of_slots([1] * n, slot)
        self._places = max(0, self.lowest.bit_length() - DIGIT)
        self.grain, self._grains = 1 << self._places, self.ones << self._places
        self.high = self.ones << slot - 1
        self.bit = [1 << slot * w + slot - 1 for w in range(n)]
        self.rows = [-sum_of_slots(row, slot) for row in self.short_votes]  # less the votes: D has less the tables
        self.base = self.high - sum_of_slots(self.short_bias, slot)
        self.by_answer = columns(self.short_votes) or [[] for _ in range(n)]
        # for `activations_of`: L' + 2^(slot - 1) - 1 over x, and R' + 1, which is not negative, as bytes
        self._by_x = [sum_of_slots(column, slot) + self.high - self.ones for column in columns(self.short_left)]
        self._by_y = [[(value + 1).to_bytes(size, "little") for value in column] for column in columns(self.short_right)]
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
                self.gaps.append((p, sum_of_slots(own, self.slot) + self.high, None, self.short_spread[p]))
            elif read != own:
                upper, lower = (sum_of_slots([*map(which, own, read)], self.slot) + self.high for which in (max, min))
                self.gaps.append((p, upper, lower, self.short_spread[p]))

    def slack(self, right: list[int]) -> list[int]:
        """sum_i |h'_i - f'_i| s'_i at every x, for the y with this row of R'.

        |relu(p + r) - relu(q + r)| = relu(max(p, q) + r) - relu(min(p, q) + r).
        """
        if not self.gaps:
            return [0] * self.order
        total, ones = 0, self.ones
        for p, upper, lower, spread in self.gaps:
            shift = right[p] * ones
            found = self.relu(upper + shift)
            if lower is not None:
                found -= self.relu(lower + shift)
            total += spread * found
        return slots_of(total, self.order, self.slot)

    def relu(self, values: int) -> int:
        """All slots at once, for v + 2^(slot - 1) in each: max(v, 0): those with the highest bit keep their other bits."""
        signs = values & self.high
        return values & (signs - (signs >> self.slot - 1))

    def activations_of(self, ys: Sequence[int]) -> Iterator[int]:
        """For each live neuron its rounded activations at the pairs (x, ys[x]), packed over x."""
        pick = itemgetter(*ys) if len(ys) > 1 else lambda row: [row[y] for y in ys]
        for by_x, by_y in zip(self._by_x, self._by_y, strict=True):
            yield self.relu(by_x + int.from_bytes(b"".join(pick(by_y)), "little"))

    def packed_logits(self, activations: Sequence[int], z: int) -> int:
        """The rounded logits of z at the pairs with these activations, packed over x."""
        total = self.short_bias[z] * self.ones
        for votes, row in zip(self.by_answer[z], activations, strict=True):
            total += votes * row
        return total

    def unpacked(self, packed: int) -> list[int]:
        """The numbers in all slots."""
        half = 1 << self.slot - 1
        return [value - half for value in slots_of(self.high + packed, self.order, self.slot)]

    def row(self, h: Sequence[int]) -> int:
        """2^(slot - 1) - T' in all slots, T' the rounded logits of a pair with these rounded activations."""
        total = self.base
        for value, votes in zip(h, self.rows, strict=True):
            if value:
                total += value * votes
        return total

    def tables_of(self, right: list[int]) -> list[list[int]]:
        """The tables that are left for the y with this row of R', in slots.

        They are the tables of D: with a minus sign, and 2^(slot - 1) in the first, so their sum is 2^(slot - 1) - T'.
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

    def not_above(self, level: int, table: int) -> int:
        """The highest bits of the slots in which T' is at most a multiple of ``grain``, the last one not above the level.

        ``table`` has 2^(slot - 1) - T' in its slots. The multiple is a number of DIGIT bits times the grain, so that the product with a
        row of ones is one step.
        """
        return (table + (max(level, self.lowest) >> self._places) * self._grains) & self.high

    def above(self, marks: int) -> list[int]:
        """The slots whose highest bit is not set, in marks that have no other bits."""
        highest = marks.to_bytes(self.slot // 8 * self.order, "little")[self.slot // 8 - 1 :: self.slot // 8]
        found, place = [], highest.find(0)
        while place >= 0:
            found.append(place)
            place = highest.find(0, place + 1)
        return found

    def numbers(self, table: int, zs: Sequence[int]) -> list[int]:
        """T' at these z; ``table`` has 2^(slot - 1) - T' in its slots."""
        size, half = self.slot // 8, 1 << self.slot - 1
        data = table.to_bytes(size * self.order, "little")
        return [half - int.from_bytes(data[size * z : size * z + size], "little") for z in zs]

    def more_than(self, margin: int) -> int:
        """How much larger, in units of the tables, than T' the known side has to be so that twice the margin exceeds this."""
        return -(-(self.error + margin + 1) >> self.unit)

    def doubled(self, margin: int) -> int:
        """Twice a margin of the network over 2^(bits + vote_bits)."""
        return margin << self.bits - self.network.bits + 1

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

    def exact_logit(self, h: list[int], z: int) -> int:
        """Twice logit z with these activations, moved as in `tables`, over 2^(bits + vote_bits)."""
        votes: int = sum(map(mul, h, self.exact_by_answer[z]))
        return votes + self.bias[z]

    def undoubled(self, margin: int) -> int:
        """The margin of the network over 2^(bits + vote_bits) of which this is twice the exact one."""
        return margin >> self.bits - self.network.bits + 1

    def exact_bounds(self, h: list[int], x: int, y: int, w: int, zs: list[int]) -> list[int]:
        """Twice the right side of (1) for these z."""
        f = [0] * len(h)
        right = self.right[y]
        for (places, levels), family in zip(self.levels, self.tables.cells, strict=True):
            for p, value in zip(places, levels[family.labels[x]], strict=True):
                reading = value + right[p]
                if reading > 0:
                    f[p] = reading
        own = self.exact_logit(h, w) - sum(map(mul, map(abs, map(sub, h, f)), self.spread))
        return [own - self.exact_logit(f, z) for z in zs]


def centred(votes: Sequence[int]) -> list[int]:
    """Twice the votes, less what makes the largest and the least of them opposite."""
    middle = max(votes) + min(votes)
    return [2 * vote - middle for vote in votes]


def sum_of_slots(row: Sequence[int], slot: int) -> int:
    """sum_z row[z] 2^(slot z), for numbers of at most slot - 1 bits and a sign."""
    half, size = 1 << slot - 1, slot // 8
    halves = int.from_bytes(half.to_bytes(size, "little") * len(row), "little")
    return int.from_bytes(b"".join((value + half).to_bytes(size, "little") for value in row), "little") - halves


def slots_of(total: int, count: int, slot: int) -> list[int]:
    """The numbers in that many slots, none of them negative; slots of other sizes than `SLOTS` has are whole bytes."""
    if slot not in SLOTS:
        data, size = total.to_bytes(slot // 8 * count, "little"), slot // 8
        return [int.from_bytes(data[k : k + size], "little") for k in range(0, size * count, size)]
    pieces = SLOTS[slot]
    read = struct.unpack(f"<{pieces * count}", total.to_bytes(slot // 8 * count, "little"))
    return [*read] if len(pieces) == 1 else [low | high << 32 for low, high in zip(read[::2], read[1::2], strict=True)]


def keep_memory() -> None:
    """Let memory that is freed stay with the process, where glibc manages it; it does nothing elsewhere.

    Rows of slots are made and freed a thousand times for each y. The last of them are at the end of the heap, and glibc would give
    that back to the system each time, which has to clear it when it is asked for again; a quarter of all time went there. After a
    block of this size was freed, glibc keeps up to twice as much (mallopt(3), M_MMAP_THRESHOLD).
    """
    bytearray(2**25 - 2**16)
