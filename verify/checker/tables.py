"""Q1, Q2 and Q4 from tables: what every pair's answer is, at a fraction of the cost of evaluating the network on it.

**The theorem.** Write the logits as  logit(x, y)[z] = sum_i h_i V[i][z] + b[z],  h_i = relu(L[x][i] + R[y][i]),  where each neuron's
votes are moved so that the largest and the least are opposite: |V[i][z]| <= s_i. That adds the same number to all logits of a pair,
and changes no margin. Let neuron i read x through the cells of any partition of the group, with any level on each cell: f_i =
relu(level_i[cell(x)] + R[y][i]), or f_i = 0 for a neuron that is left out; and let F(x, y)[z] = sum_i f_i V[i][z] + b[z]. Then for w
= xy and every z

    logit(x, y)[w] - logit(x, y)[z]  >=  logit(x, y)[w] - sum_i |h_i - f_i| s_i - F(x, y)[z],                              (1)

since logit[z] - F[z] = sum_i (h_i - f_i) V[i][z]. If the right side is positive for all z but w, the network answers w at (x, y).
Where it is not, those z are the *contenders* of the pair, every other z is proved to lose, and the margins of the contenders are
taken from the network itself. The same for w in place of z gives logit[w] >= F[w] - sum_i |h_i - f_i| s_i, so

    logit(x, y)[w] - logit(x, y)[z]  >=  F(x, y)[w] - 2 sum_i |h_i - f_i| s_i - F(x, y)[z],                                (2)

which is less than (1) says, but needs no logit of the network: it is tried first.

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
s'_i + 2^(a+1) s_i, with s'_i = s_i / 2^c rounded up. The sides of (1) and (2), and a margin taken from rounded numbers, are therefore
known up to ``error`` = 2 E + 2 sum_i 2^(a+1) s_i (less would do for all but (2)), and whatever that leaves undecided is decided by
exact integers.
"""

import random
from typing import NamedTuple

from .groups import Group
from .integers import Network, Rows, columns
from .plans import Tables, by_element, of_program, operations, read_plan
from .programs import Expanded
from .progress import Progress, mapped
from .shape import Compact, CompactPlan, same
from .slots import LOWEST, SLOT, Short, highest_bits, slots_of

#: Pairs whose margins are looked at first, so that the least margin is nearly known when the tables are made.
SAMPLE = 64
#: Up to this many contenders are looked at one by one; for more of them all logits are added up.
FEW = 16


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
    """Q4: the plan proves as many pairs as stated, and all pairs are settled with as many operations.

    Without a plan nothing is proved, and all pairs cost their evaluation.
    """
    brute = 2 * width * order**3
    same("compact.flops_brute", stated.flops_brute, brute)
    certified, spent = (settled.certified, settled.operations) if stated.plan is not None else (0, brute)
    same("compact.certified", stated.certified, certified)
    same("compact.flops", stated.flops, spent)


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
    high, ones, bit = short.high, short.ones, short.bit
    middle, mask = 1 << SLOT - 1, (1 << SLOT) - 1
    tables = list(zip(short.tables_of(short.short_right[y]), short.last_labels, strict=True))
    slack = short.slack(short.short_right[y])
    wanted, clear = short.more_than(least), short.in_network(least) + 1
    low: list[int | None] = []
    certified = spent = 0
    for x, w in enumerate(answers):
        found = 0
        for table, labels in tables:
            found += table[labels[x]]
        own = middle - (found >> SLOT * w & mask)
        level = own - 2 * slack[x] - wanted
        if (found + (level if level > LOWEST else LOWEST) * ones) & high | bit[w] == high:  # (2)
            low.append(clear)
            certified += 1
            continue
        lead, contenders = _look(short, x, y, w, found, slack[x], least)
        low.append(min(lead, clear) if lead > 0 else None)
        if lead > 0 and contenders <= n // 2:
            certified += 1
            spent += min(4 * width + 1 + (2 * width + 2) * contenders, 2 * width * n) if contenders else 0
        else:
            spent += 2 * width * n
    return Row(low, certified, spent)


def _look(short: Short, x: int, y: int, w: int, found: int, slack: int, least: int) -> tuple[int, int]:
    """The margin of a pair where it is at most ``least``, else a number above that; and the number of contenders where it is right.

    ``found`` are the tables added up.
    """

    def against(level: int) -> list[int]:
        """The z other than w for which T' <= level does not hold."""
        marks = (found + max(level, LOWEST) * short.ones) & short.high | short.bit[w]
        return highest_bits(short.high ^ marks)

    h = short.activations(x, y)
    own = short.logit(h, w)
    known = own - slack  # the right side of (1), less the table of z
    lead = short.in_network(least) + 1
    close = against(known - short.more_than(least))
    if len(close) > FEW:
        lead = short.network.packed.contest(short.network.logits(x, y), w)[1]
    elif close := [z for z in close if own - short.logit(h, z) < short.more_than(least)]:
        lead = short.in_network(min(short.exact_margins(short.exact(x, y), w, close)))
    if lead <= 0:
        return lead, 0
    open_ = against(known - short.more_than(0))
    if not open_:
        return lead, 0
    certain = {*against(min(known - 1 - (-short.error >> short.unit), -LOWEST))}
    bounds = short.exact_bounds(short.exact(x, y), x, y, w, [z for z in open_ if z not in certain])
    return lead, len(certain) + sum(bound <= 0 for bound in bounds)


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
