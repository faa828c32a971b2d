"""Q2: the answers of a program at all pairs.

What this module proves: that the table of answers which `program_answers` gives is the program's. There are two ways.

**From the network's margins**, where the program is close to the network (a neuron that is written out number by number differs by
less than its denominators). With h_i, V_i the activation and votes of the network's neuron i, g_i, U_i those of the program's, b and c
the biases, the margin logit[w] - logit[z] of the two differs by at most

    apart = sum_i (|h_i - g_i| spread(V_i) + g_i spread(V_i - U_i)) + spread(b - c),        spread(v) = max v - min v,

since h V - g U = (h - g) V + g (V - U); where the program leaves a neuron out, g_i = 0. With d(x) = L[x] - l[x] and e(y) = R[y] - r[y],
|h_i - g_i| <= |d(x) + e(y)| <= max(|max d + max e|, |min d + min e|). So where the network's margin is above ``apart``, the program
answers w as well; at the other pairs it is evaluated.

**From tables** as in `tables`, where the program stands for the network. Its neurons are read through the cells on which they are
constant, with nothing to be lost, or through those of the network's own plan, with the mean of a cell for its level. The first has
large tables where neurons read almost every element differently; which of the two takes fewer additions is found on a few y.
"""

from collections.abc import Sequence

from .groups import Group
from .integers import Network, Rows, columns
from .plans import Cells, Tables, cheapest_sums, of_program, read_plan, rows_added
from .processes import mapped
from .programs import Expanded
from .progress import Progress
from .shape import CompactPlan
from .slots import Short
from .tables import Settled, exchanged, look_at, settle_by, turned

#: What an open pair, one z of it, and the evaluation of a pair cost beside the addition of two rows.
OPEN, ONE, WHOLE = 20, 5, 250
#: Values of y on which open pairs are counted.
TRIED = 3


def program_answers(
    program: Expanded, plan: CompactPlan | None, group: Group, settled: Settled, apart: int, progress: Progress, jobs: int = 1
) -> tuple[Rows, str]:
    """The answers of a program at all pairs, answers[x][y], -1 for a tie, and in which way they were found.

    ``settled`` is what is known of the network with this plan, and ``apart`` is `distance` of the two, in the network's units.
    """
    if apart <= settled.floor:
        return near(program.network, group.mul, settled, apart, progress, jobs), "margins of the network, which is close"
    side, tables, own = cheapest(program, plan, group)
    network, products = on_side(program.network, group.mul, side)
    found = settle_by(tables, network, products, progress, jobs)
    answers = (found if side == "left" else turned(found)).rows(group.mul)
    return answers, "tables on the program's own cells" if own else "tables on the cells of the compact plan"


def distance(network: Network, program: Expanded) -> int:
    """``apart`` of the module's docstring over 2^(bits + vote_bits) of the network, rounded up."""
    own = program.network
    p, q = max(network.bits, own.bits), max(network.vote_bits, own.vote_bits)

    def lifted(net: Network) -> tuple[Rows, Rows, Rows, list[int]]:
        by_x, by_y = ([[v << p - net.bits for v in column] for column in columns(side)] for side in (net.left, net.right))
        bias = [b << p + q - net.bits - net.vote_bits for b in net.bias]
        return by_x, by_y, [[v << q - net.vote_bits for v in row] for row in net.votes], bias

    (left, right, votes, bias), (other_left, other_right, other_votes, other_bias) = lifted(network), lifted(own)
    total = spread([a - b for a, b in zip(bias, other_bias, strict=True)])
    for i in range(network.width):
        place, _ = program.where.get(i, (None, None))
        if place is None:
            total += max(0, max(left[i]) + max(right[i])) * spread(votes[i])
            continue
        d = [a - b for a, b in zip(left[i], other_left[place], strict=True)]
        e = [a - b for a, b in zip(right[i], other_right[place], strict=True)]
        top = max(0, max(other_left[place]) + max(other_right[place]))
        total += max(abs(max(d) + max(e)), abs(min(d) + min(e))) * spread(votes[i])
        total += top * spread([a - b for a, b in zip(votes[i], other_votes[place], strict=True)])
    return -(-total >> p + q - network.bits - network.vote_bits)


def spread(values: Sequence[int]) -> int:
    """The largest less the least."""
    return max(values) - min(values)


def near(program: Network, products: Rows, settled: Settled, apart: int, progress: Progress, jobs: int) -> Rows:
    """The answers of a program that is no further than ``apart`` from the network that was settled."""

    def row(x: int) -> list[int]:
        found = []
        for y, (w, margin) in enumerate(zip(products[x], settled.low[x], strict=True)):
            far = margin is not None and margin > apart
            found.append(w if far else program.packed.contest(program.logits(x, y), w)[0])
        return found

    step, rows = progress.step("answers of the program", program.order**2), []
    for found in mapped(row, range(program.order), jobs):
        rows.append(found)
        step.done(program.order)
    return rows


def cheapest(program: Expanded, plan: CompactPlan | None, group: Group) -> tuple[str, Tables, bool]:
    """The side that tables are read through, the tables, and whether their cells are the program's own."""
    circuits = [program.program.circuits[number] for _, number in sorted(program.where.values())]
    options = []
    for side in ("left", "right"):
        network, _ = on_side(program.network, group.mul, side)
        tables = of_program(network, [repr(circuit.left if side == "left" else circuit.right) for circuit in circuits])
        options.append((rows_added(tables, group.order), side, tables, True))
    if plan is not None:
        network, products = on_side(program.network, group.mul, plan.side)
        tables = through(read_plan(plan, group, program.width), network, program)
        cost = rows_added(tables, group.order)
        if cost < min(options)[0]:
            options.append((cost + open_cost(Short(network, tables), products), plan.side, tables, False))
    _, side, tables, own = min(options, key=lambda option: option[0])
    return side, tables, own


def on_side(network: Network, products: Rows, side: str) -> tuple[Network, Rows]:
    """The network and the products, exchanged where tables are read through y."""
    return (network, products) if side == "left" else (exchanged(network), columns(products))


def through(plan: Tables, network: Network, program: Expanded) -> Tables:
    """The program's neurons read through the cells of a plan of the network's, levels the means of each cell, rounded down.

    Neurons that the plan leaves out have a cell for each element.
    """
    cells, missing = [], {place for place, _ in program.where.values()}
    for family in plan.cells:
        places = [program.where[i][0] for i in family.neurons if i in program.where]
        if not places:
            continue
        missing -= {*places}
        members: list[list[int]] = [[] for _ in family.levels]
        for x, label in enumerate(family.labels):
            members[label].append(x)
        levels = [[sum(network.left[x][place] for x in cell) // len(cell) for place in places] for cell in members]
        cells.append(Cells(family.labels, places, levels))
    if missing:
        rest = sorted(missing)
        cells.append(Cells([*range(network.order)], rest, [[row[place] for place in rest] for row in network.left]))
    return Tables(cells, network.bits, cheapest_sums([family.labels for family in cells]))


def open_cost(short: Short, products: Rows) -> int:
    """About how many additions of rows the pairs with one y take which tables leave open, and the right logits of one w."""
    if not short.gaps:
        return 0
    n, cost = short.order, 0
    ys = [k * n // TRIED for k in range(TRIED)]
    for y in ys:
        by_x = [row[y] for row in products]
        column = look_at(short, y, by_x, [short.logit(short.activations(x, y), w) for x, w in enumerate(by_x)], 0)
        cost += OPEN * len({*column.left[::2]}) + ONE * len(column.left) // 2 + WHOLE * len(column.evaluated)
    return cost // TRIED + OPEN * len(short.live)
