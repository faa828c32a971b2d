"""Q1 and Q4 from tables: what every pair's answer is, at a fraction of the cost of evaluating the network on it.

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

**The three passes** (n pairs at a time, as rows of n numbers; the steps of `settle_by`):
1. For each w the right logits at all pairs with xy = w: the activations of a neuron at these n pairs are one row over x.
2. For each y the tables and sum_i |h_i - f_i| s_i at all x; then for each x the z for which the right side of (1) is not above the
   margin that is asked for. A pair with more than FEW of them is evaluated.
3. For each w again the margins of what is left. A z that many pairs with xy = w have among theirs is added up for all n of them at
   once; the others one by one. A pair with a margin that is not above what is asked for is evaluated.
To evaluate a pair is to add up its n logits in slots, and those that are too close to that of xy in exact integers.

**The numbers.** A row of n numbers is one integer: number k stands in bits slot k to slot (k + 1) - 1 (slot k). Sums and multiples of
such integers are sums and multiples of rows, as long as every number stays below 2^(slot - 2) in absolute value. All z are compared
with t at once: slot z of  D = sum_z 2^(slot z) (2^(slot - 1) + t - T[z])  has its highest bit set when T[z] <= t, and no slot borrows
from the next one. With the highest bits G of all slots, (D & G) | (bit of w) == G says that no z but w is a contender. (A t that is too
small finds contenders that are none, and does no other harm.)

**The rounding.** Exact integers are too long for slots, so L, R and levels lose their last ``a`` bits and V its last ``c``; `Short`
chooses them so that everything fits, and 0 where the exact numbers fit. With ' for what is left: L' = floor(L / 2^a), V' = round(V /
2^c),

    h' = relu(L' + R'),    h = 2^a h' + r with 0 <= r < 2^(a+1)    (0 when a = 0), and the same for f
    |V - 2^c V'| <= 2^(c-1)                                        (0 when c = 0)
    |sum_i h_i V_i + b - 2^(a+c) T'| <= E = sum_i 2^(a+1) s_i + sum_i 2^a top_i 2^(c-1) + 2^(a+c),   top_i the largest h'_i or f'_i.

The last term is for b, which is rounded down; T' = sum_i h'_i V'_i + b'. With s'_i = s_i / 2^c rounded up,

    |h_i - f_i| s_i <= 2^a |h'_i - f'_i| 2^c s'_i + 2^(a+1) s_i,
    |h_i - f_i| s_i >= 2^a |h'_i - f'_i| 2^c s'_i - 2^(a+1) s_i - 2^(a+c) top_i         (without the last term when c = 0)

The right side of (1), and a margin taken from rounded numbers, are therefore at most ``error`` = 2 E + 2 sum_i 2^(a+1) s_i less than
what rounded numbers say, and at most ``excess`` = sum_i 2^(a+c) top_i (0 when c = 0) and the same error more. Whatever that leaves
undecided is decided by exact integers.
"""

import random
from array import array
from collections.abc import Sequence
from typing import NamedTuple

from .groups import Group
from .integers import Network, Rows, columns
from .plans import Tables, by_element, cheapest_sums, operations, read_plan
from .processes import mapped
from .progress import Progress
from .shape import Compact, CompactPlan, same
from .slots import Short, keep_memory, slots_of

#: Pairs whose margins are looked at first, so that the least margin is nearly known when the tables are made.
SAMPLE = 64
#: What is useful for Q2 is asked for where it is this many times smaller than the median margin.
FEWER = 16
#: A pair for which more z than this are open is evaluated: that costs about as much as a dozen margins one by one.
FEW = 32
#: A z that is open at this many pairs with the same xy is added up for all of them at once.
TOGETHER = 32
#: Where contenders are counted, rounding is this many times finer, since what is uncertain is computed exactly.
COUNTED = 8
#: A pair at which no more z than this are too close to xy is decided by exact logits of these alone.
CLOSE = 100


class Settled(NamedTuple):
    """What the tables prove about every pair.

    ``low[x][y]``: a positive number that the margin logit(xy) - max of the others reaches, over 2^(bits + vote_bits) of the network;
    None where the network's answer is not xy. Where low[x][y] is at most ``floor``, it is the margin. ``answers`` are those of all
    pairs where low is None, -1 for a tie. ``certified`` pairs have at most half of all z as contenders, all with positive margins;
    ``operations`` are counted by `plans.operations`, pairs that are not certified at the cost of evaluating the network on them.
    """

    low: list[list[int | None]]
    answers: dict[tuple[int, int], int]
    floor: int
    certified: int
    operations: int

    def rows(self, products: Rows) -> Rows:
        """The answers at all pairs: rows[x][y]."""
        found = [[*row] for row in products]
        for (x, y), answer in self.answers.items():
            found[x][y] = answer
        return found


class Evaluated(NamedTuple):
    """The answer at (x, y), -1 for a tie, and where it is xy the margin, or floor + 1 for one above the floor; else 0."""

    x: int
    y: int
    answer: int
    margin: int


class Column(NamedTuple):
    """What the tables of one y leave.

    ``contenders`` by x where there are some; ``left``: x, z, x, z, ... that are to be looked at; pairs that were ``evaluated``.
    """

    contenders: dict[int, int]
    left: "array[int]"
    evaluated: list[Evaluated]


def settle(
    plan: CompactPlan | None,
    network: Network,
    group: Group,
    progress: Progress,
    jobs: int = 1,
    floor: int = 0,
) -> Settled:
    """What the tables of a plan prove about a network, or without a plan those in which every x is a cell."""
    tables = by_element(network) if plan is None else read_plan(plan, group, network.width)
    if plan is None or plan.side == "left":
        return settle_by(tables, network, group.mul, progress, jobs, floor)
    return turned(settle_by(tables, exchanged(network), columns(group.mul), progress, jobs, floor))


def exchanged(network: Network) -> Network:
    """The network that takes y first and x second."""
    return Network(network.right, network.left, network.votes, network.bias, network.bits, network.vote_bits)


def turned(found: Settled) -> Settled:
    """What was found of the exchanged network, as it is for the network."""
    answers = {(y, x): answer for (x, y), answer in found.answers.items()}
    return found._replace(low=[list(row) for row in zip(*found.low, strict=True)], answers=answers)


def check_compact(stated: Compact, settled: Settled, order: int, width: int) -> None:
    """Q4: the plan proves as many pairs as stated, and all pairs are settled with as many operations.

    Without a plan nothing is proved, and all pairs cost their evaluation.
    """
    brute = 2 * width * order**3
    same("compact.flops_brute", stated.flops_brute, brute)
    certified, spent = (settled.certified, settled.operations) if stated.plan is not None else (0, brute)
    same("compact.certified", stated.certified, certified)
    same("compact.flops", stated.flops, spent)


def some_margins(network: Network, products: Rows, hint: tuple[int, int] | None = None) -> list[int]:
    """The margins that are above 0 at some pairs, and at the one that is hinted at, smallest first."""
    n, draw = network.order, random.Random(0)
    pairs = [(draw.randrange(n), draw.randrange(n)) for _ in range(SAMPLE)]
    known = [] if hint is None or not all(0 <= g < n for g in hint) else [hint]
    margins = [network.packed.contest(network.logits(x, y), products[x][y])[1] for x, y in [*pairs, *known]]
    return sorted(margin for margin in margins if margin > 0)


def floor_of(network: Network, products: Rows, hint: tuple[int, int] | None, needed: int, useful: int) -> int:
    """A margin up to which margins should be known exactly, so that the least one of all right pairs is among these.

    It is the least of some pairs, at least ``needed``, and at least ``useful`` where few pairs have margins as small as that. ``hint``
    is a pair that may have the least margin; it saves time and is not trusted. Where all of these pairs are wrong, it is above every
    margin.
    """
    right = some_margins(network, products, hint)
    if not right:
        return 2 * network.packed.half  # logits are below half in absolute value
    return max(right[0], needed, useful if FEWER * useful <= right[len(right) // 2] else 0)


def settle_by(
    tables: Tables, network: Network, products: Rows, progress: Progress, jobs: int = 1, floor: int = 0, counting: bool = True
) -> Settled:
    """What tables prove, for a network whose answer at (x, y) should be products[x][y], in a table in which no row repeats itself.

    Which tables are added up first is chosen here; the sums of ``tables`` are counted and not made. Without ``counting`` contenders
    are not counted, so what is said of Q4 means nothing.
    """
    n = network.order
    keep_memory()
    usual = some_margins(network, products)
    lighter = tables._replace(sums=cheapest_sums([family.labels for family in tables.cells]))
    small = usual[len(usual) // 2] if usual else 0  # what little rounding should be small beside
    short = Short(network, lighter, small // COUNTED if counting else small)
    partners = [[0] * n for _ in range(n)]  # partners[w][x] is the y with xy = w
    for x, row in enumerate(products):
        for y, w in enumerate(row):
            partners[w][x] = y
    by_y = columns(products)
    targets: Rows | None = None  # targets[y][x] is the rounded logit of xy
    packed_targets: list[int] = []  # the same by w, packed over x
    if short.gaps:
        step, targets = progress.step("right logits of the network", n * n), [[0] * n for _ in range(n)]
        for ys, packed in zip(partners, mapped(lambda w: right_logits(short, w, partners[w]), range(n), jobs), strict=True):
            packed_targets.append(packed)
            for x, (y, value) in enumerate(zip(ys, short.unpacked(packed), strict=True)):
                targets[y][x] = value
            step.done(n)

    def of_y(y: int) -> Column:
        return look_at(short, y, by_y[y], None if targets is None else targets[y], floor, counting)

    step = progress.step("adding up tables of the network", n * n)
    contenders: list[dict[int, int]] = []
    left = [array("H") for _ in range(n)]
    evaluated: list[Evaluated] = []
    for y, column in enumerate(mapped(of_y, range(n), jobs)):
        contenders.append(column.contenders)
        evaluated += column.evaluated
        for x, z in zip(column.left[::2], column.left[1::2], strict=True):
            left[by_y[y][x]].extend((x, z))
        step.done(n)
    if any(left):
        step = progress.step("margins that the tables leave open", n)
        for failed in mapped(lambda w: look_again(short, w, partners[w], left[w], packed_targets[w], floor), range(n), jobs):
            evaluated += failed
            step.done()
    return counted(contenders, evaluated, floor, network, operations(tables, n, network.width))


def counted(contenders: list[dict[int, int]], evaluated: list[Evaluated], floor: int, network: Network, spent: int) -> Settled:
    """All pairs together: those that were not evaluated are right by more than the floor."""
    n, width = network.order, network.width
    low: list[list[int | None]] = [[floor + 1] * n for _ in range(n)]
    answers: dict[tuple[int, int], int] = {}
    for x, y, answer, margin in evaluated:
        if margin > 0:
            low[x][y] = margin
        else:
            low[x][y], answers[x, y] = None, answer
    certified, whole = n * n - len(answers), 2 * width * n
    spent += whole * len(answers)
    for y, column in enumerate(contenders):
        for x, count in column.items():
            if low[x][y] is None:
                continue
            if count <= n // 2:
                spent += min(4 * width + 1 + (2 * width + 2) * count, whole)
            else:
                certified -= 1
                spent += whole
    return Settled(low, answers, floor, certified, spent)


# ---- the three passes


def right_logits(short: Short, w: int, ys: Sequence[int]) -> int:
    """The rounded logits of w at the pairs (x, ys[x]), packed over x."""
    return short.packed_logits([*short.activations_of(ys)], w)


def look_at(short: Short, y: int, products: Sequence[int], targets: Sequence[int] | None, floor: int, counting: bool = True) -> Column:
    """Every pair with this y; ``products`` are xy for all x, ``targets`` their rounded logits, None where the tables have them."""
    high, bit = short.high, short.bit
    tables = list(zip(short.tables_of(short.short_right[y]), short.last_labels, strict=True))
    slack = short.slack(short.short_right[y])
    wanted = short.more_than(short.doubled(floor))
    column = Column({}, array("H"), [])
    for x, w in enumerate(products):
        found = 0
        for table, labels in tables:
            found += table[labels[x]]
        known = (short.numbers(found, [w])[0] if targets is None else targets[x]) - slack[x]  # the right side of (1), less F
        marks = short.not_above(known - wanted, found) | bit[w]
        if marks == high:
            continue
        rivals = short.above(marks)
        if counting and (count := _contenders(short, x, y, w, rivals, found, known)):
            column.contenders[x] = count
        if targets is None:
            column.evaluated.append(evaluate(short, x, y, w, found, floor))
        elif len(rivals) > FEW:
            column.evaluated.append(evaluate(short, x, y, w, short.row(short.activations(x, y)), floor))
        else:
            for z in rivals:
                column.left.extend((x, z))
    return column


def _contenders(short: Short, x: int, y: int, w: int, rivals: list[int], found: int, known: int) -> int:
    """The number of contenders of a pair, which are among these z.

    ``found`` are its tables added up, ``known`` the right side of (1) less F.
    """
    possible = known - short.more_than(0)  # no contender has a T' up to this
    surely = known - 1 - (-(short.error + short.excess) >> short.unit)  # every z with a T' above this is one
    count, open_ = 0, []
    for z, value in zip(rivals, short.numbers(found, rivals), strict=True):
        if value > surely:
            count += 1
        elif value > possible:
            open_.append(z)
    if open_:
        count += sum(bound <= 0 for bound in short.exact_bounds(short.exact(x, y), x, y, w, open_))
    return count


def look_again(short: Short, w: int, ys: Sequence[int], left: Sequence[int], packed_targets: int, floor: int) -> list[Evaluated]:
    """Those of the pairs (x, ys[x]), all with xy = w, that have a margin not above the floor; x, z, x, z, ... are ``left`` of them.

    ``packed_targets`` has the rounded logits of w, packed over x.
    """
    wanted = short.more_than(short.doubled(floor))
    by_z: dict[int, list[int]] = {}
    for x, z in zip(left[::2], left[1::2], strict=True):
        by_z.setdefault(z, []).append(x)
    targets = short.unpacked(packed_targets) if by_z else []
    failed: set[int] = set()
    few: dict[int, list[int]] = {}
    rows: list[int] = []
    possible = wanted <= -2 * short.lowest  # else no margin of rounded numbers is as large
    level = short.high - wanted * short.ones if possible else 0
    for z, xs in by_z.items():
        if not possible:
            failed.update(xs)
        elif len(xs) >= TOGETHER:
            rows = rows or [*short.activations_of(ys)]
            # of the x at which the margin is at least ``wanted``
            marks = (packed_targets - short.packed_logits(rows, z) + level) & short.high
            failed.update({*xs} & {*short.above(marks)})
        else:
            for x in xs:
                few.setdefault(x, []).append(z)
    for x, zs in few.items():
        if x not in failed:
            h = short.activations(x, ys[x])
            if any(targets[x] - short.logit(h, z) < wanted for z in zs):
                failed.add(x)
    return [evaluate(short, x, ys[x], w, short.row(short.activations(x, ys[x])), floor) for x in sorted(failed)]


def evaluate(short: Short, x: int, y: int, w: int, row: int, floor: int) -> Evaluated:
    """A pair from all of its logits: ``row`` has 2^(slot - 1) less the rounded ones; exactly where these are too close."""
    (target,) = short.numbers(row, [w])
    close = short.above(short.not_above(target - short.more_than(short.doubled(floor)), row) | short.bit[w])
    if not close:
        return Evaluated(x, y, w, floor + 1)
    if len(close) <= CLOSE:  # all others have a smaller logit than w, by more than the floor
        h = short.exact(x, y)
        values = [short.exact_logit(h, z) for z in close]
        best, lead = max(values), short.exact_logit(h, w) - max(values)
        if lead > 0:
            return Evaluated(x, y, w, min(short.undoubled(lead), floor + 1))
        return Evaluated(x, y, close[values.index(best)] if lead < 0 and values.count(best) == 1 else -1, 0)
    values = slots_of(row, short.order, short.slot)
    best = values.index(min(values))
    top, values[best] = values[best], 1 << short.slot
    if best != w and min(values) - top >= short.more_than(0):
        return Evaluated(x, y, best, 0)
    answer, margin = short.network.packed.contest(short.network.logits(x, y), w)
    return Evaluated(x, y, answer, min(margin, floor + 1) if margin > 0 else 0)
