"""Q3: a program is right for all x, y and z other than xy, by lemmas about single points, redone in integers.

Write z = x s y; z differs from xy exactly when s is not 1. To show: for all x, y and s != 1 the margin votes(x, y)[xy] - votes(x,
y)[xsy] is above 0. The parities of x, y and s make at most eight cases, which are treated one by one.

What the certificate states and this module checks first: the program's circuits are divided, each once, into
  signs      circuits whose three functions depend on parities alone: they give a constant in each case;
  rest       circuits that can prefer no output to another by more than their ``swing``, whatever x and y;
  families   circuits over one space of points, the right cosets Bg of a subgroup, which g takes to each other.
In a family's circuit at the point p, l(x) depends on the point px and the parity of x alone, and u(z) on the point pz and the parity
of z; r(y) is any function. (A vote on a coset sum is two circuits. A mirrored family is the same for the inputs y^-1, x^-1, the
permutation s^-1 and outputs z^-1.) The bias is a sum of tables B[p, pz, parity] of families (z^-1 in mirrored ones), and a rest within
a range for each parity.

Why the lemmas suffice. Let x take the point p_j to j. What a family gives to the margin is sum over j of T(j, js, p_j, y), where T adds
up push * (u[jy] - u[(js)y]) over the neurons of the circuits at p_j, and B[p_j, jy] - B[p_j, (js)y]. For integers mu[p],
lam[j, q, k] with sum over j of lam = 0 for each q and k, and phi, let

    beta[j, j'] = minimum over p and y of  T(j, j', p, y) + mu[p] + sum over q of lam[j, q, qy] + (phi).

As x permutes the points, p_j runs over all points once, so summing over j gives: the family's share is at least
sum over j of beta[j, js] - sum of mu - (phi). A tie phi of a family and a mirrored one occurs in both lemmas with opposite signs:
for the mirrored family j is the point to which y^-1 takes its own p, so its q, p are this family's k, q, and both sums run over the
same terms; they cancel when the families are added. So if, for every s != 1 of a case, for some batch of dual variables, the families'
sums and the constants add up to more than 0, then every margin of the case is above 0.
A line is the same for one y: its minima are over p alone, with T + mu[p], and no lam or phi is needed. When no family is mirrored, a
margin at (x, y) is above 0 if for its s a batch's sum is, or that of a line of its y. When all are mirrored the lines are those of
x^-1, which is the second input as the families see it; the argument is the same with x for y. Lines with families of both kinds are
refused. Nothing depends on how the numbers were found. Python's integers have no bound, so no sum can overflow.

O2, the pushes: relu(s + t) with s within the left deviation of l(x) and t within the right deviation of r(y) lies in an interval for
each double coset of xy. O3, the distance: |hV - kv| <= e spread + (top + e) 2c for pushes h, k and differences of votes V, v (h - k at
most e, V - v at most 2c), summed over neurons, each term rounded up to a multiple of 2^-20.
"""

import itertools
import operator
from collections.abc import Sequence
from fractions import Fraction
from time import monotonic
from typing import NamedTuple

from .groups import Group
from .integers import Network, Rows, columns
from .programs import Expanded
from .progress import Progress, Redone, amount
from .shape import (
    Circuit,
    NeuronRecord,
    Symbolic,
    SymbolicBatch,
    SymbolicCase,
    SymbolicFamily,
    SymbolicLines,
    SymbolicMember,
    SymbolicProof,
    SymbolicPush,
    SymbolicRest,
    need,
    rational,
    same,
    written,
)
from .slots import slots_of, sum_of_slots

#: Largest number of points of a space, and of entries of a table: more is refused, so that a file cannot keep the checker for hours.
LARGEST_SPACE = 200
LARGEST_TABLE = 2_000_000_000
#: Sums below this are added up in slots of 64 bits, which are read fastest.
NARROW = 1 << 62


def check_symbolic(
    stated: Symbolic,
    program: Expanded,
    records: list[NeuronRecord],
    network: Network,
    min_margin: str | None,
    group: Group,
    progress: Progress,
) -> list[Redone]:
    """Redo all that is stated about Q3; Differs where something does not hold. ``min_margin`` is the network's, as redone for Q1."""
    redone = []
    started = monotonic()
    same("symbolic.proof, there", stated.proof is not None, stated.status == "PROVED")
    same("symbolic.counterexample, there", stated.counterexample is not None, stated.status == "REFUTED")
    what = "Q3: the program is correct for all x, y, z"
    if stated.proof is not None:
        entries = check_proof(stated.proof, program, group, progress)
        redone.append(Redone(what, "minima of the lemmas, and their sum for every s", entries, "entries", monotonic() - started))
    elif stated.counterexample is not None:
        check_counterexample(stated.counterexample, program.network, group)
        redone.append(Redone("Q3: the program is wrong", "the counterexample evaluated", 1, "pairs", monotonic() - started))
    else:
        redone.append(Redone(what + ": unknown", "nothing is stated", 0, "lemmas", 0.0))
    started = monotonic()
    check_pushes(stated.pushes, program, records, group)
    redone.append(Redone("O2: what each neuron does", "intervals", len(stated.pushes), "neurons", monotonic() - started))
    if stated.distance is not None:
        started = monotonic()
        check_distance(stated.distance, program, records, network, min_margin)
        redone.append(Redone("O3: distance of margins", "added up again", network.width, "neurons", monotonic() - started))
    return redone


def check_counterexample(stated: tuple[int, int, int], network: Network, group: Group) -> None:
    """At (x, y) the program gives z, which is not xy, at least as many votes as xy."""
    x, y, z = stated
    need(all(0 <= g < group.order for g in stated), "expected a counterexample of three elements of the group")
    slots, w = network.logits(x, y), group.mul[x][y]
    wrong = z != w and network.packed.number(slots, z) >= network.packed.number(slots, w)
    same("symbolic.counterexample, wrong", True, wrong)


# ---- points


class Space:
    """The right cosets of a subgroup as points: ``moved[p][g]`` is where g takes p, ``taking[p][q][parity]`` some g from p to q."""

    def __init__(self, group: Group, members: Sequence[int]) -> None:
        cosets = group.right_cosets(members)
        self.count = cosets.count
        need(self.count <= LARGEST_SPACE, f"expected a space of at most {LARGEST_SPACE} points, got {self.count}")
        self.moved = [[cosets.labels[g] for g in group.mul[first]] for first in cosets.first]
        self.taking = [[[-1, -1] for _ in range(self.count)] for _ in range(self.count)]
        for p, images in enumerate(self.moved):
            for g, q in enumerate(images):
                self.taking[p][q][group.parity[g]] = g
        bits = {*group.parity}
        complete = all(there[bit] >= 0 for row in self.taking for there in row for bit in bits)
        same("every point is taken to every other by elements of every parity", True, complete)


class Neurons(NamedTuple):
    """Some neurons as functions on the group: ``left[i][x]``, ``right[i][y]``, ``votes[i][z]``."""

    left: Rows
    right: Rows
    votes: Rows

    def mirrored(self, inverse: Sequence[int]) -> "Neurons":
        """The same as seen from y^-1, x^-1 and z^-1."""

        def turn(rows: Rows) -> Rows:
            return [[row[g] for g in inverse] for row in rows]

        return Neurons(turn(self.right), turn(self.left), turn(self.votes))


class Circuits:
    """A program's circuits as functions on the group."""

    def __init__(self, expanded: Expanded) -> None:
        self.expanded, self.circuits = expanded, expanded.program.circuits
        left, right = columns(expanded.network.left), columns(expanded.network.right)
        ends = [0]
        for circuit in self.circuits:
            ends.append(ends[-1] + len(circuit.neurons))
        spans = [slice(a, b) for a, b in itertools.pairwise(ends)]
        self.neurons = [Neurons(left[k], right[k], expanded.network.votes[k]) for k in spans]

    def of(self, member: SymbolicMember) -> Neurons:
        """A circuit with all of its votes, or with one of the two terms of votes on a coset sum."""
        whole = self.neurons[member.circuit]
        if member.share == "whole":
            return whole
        circuit: Circuit = self.circuits[member.circuit]
        same(f"votes of circuit {member.circuit} of which one term is used", "coset sum", circuit.votes.on)
        term = 0 if member.share == "right" else 1
        _, terms = self.expanded.terms(circuit.votes)
        votes = [[pair[term][1] * neuron.votes[pair[term][0]] for pair in terms] for neuron in circuit.neurons]
        return whole._replace(votes=votes)


class ByPoints(NamedTuple):
    """A circuit of a family by points: ``left[parity of x][j]`` and ``votes[parity of z][q]`` of each neuron.

    ``rows`` are the distinct lists of r over its neurons, ``row[y]`` the number of that of y.
    """

    left: list[list[list[int]]]
    votes: list[list[list[int]]]
    rows: Rows
    row: list[int]


class Family:
    """A family: its space, and per point its circuits; every statement about what they look at is checked here."""

    def __init__(self, stated: SymbolicFamily, program: Circuits, group: Group, space: Space) -> None:
        self.space, self.mirrored, self.group = space, stated.mirrored, group
        self.at: list[list[ByPoints]] = [[] for _ in range(space.count)]
        for member in stated.members:
            need(0 <= member.point < space.count, f"expected one of {space.count} points, got {member.point}")
            neurons = program.of(member)
            self.at[member.point].append(
                by_points(neurons.mirrored(group.inverse) if stated.mirrored else neurons, member, space, group)
            )
        m = space.count
        need(len(stated.bias) in (0, 2 * m * m), f"expected {2 * m * m} entries of a table of the bias or none, got {len(stated.bias)}")
        unread = stated.bias[1::2] if 1 not in group.parity else []  # there is no odd z
        need(not any(unread), "expected zeros in a table of the bias where no z looks, got other numbers")
        table = [stated.bias[2 * m * p : 2 * m * (p + 1)] for p in range(m)] if stated.bias else []
        #: bias[parity of z][p][q]
        self.bias = [[row[parity::2] for row in table] for parity in (0, 1)] if table else []

    def image(self, s: int) -> list[int]:
        """Where s takes each point (s^-1 in a mirrored family)."""
        g = self.group.inverse[s] if self.mirrored else s
        return [row[g] for row in self.space.moved]


def by_points(neurons: Neurons, member: SymbolicMember, space: Space, group: Group) -> ByPoints:
    """The circuit by points; Differs when it looks at anything else than a family's circuit may."""
    moved, taking, parity = space.moved[member.point], space.taking[member.point], group.parity
    what = f"circuit {member.circuit} looks at point {member.point} and parities alone"
    found: list[list[list[list[int]]]] = []
    for functions in (neurons.left, neurons.votes):
        values = [[[f[there[bit]] if there[bit] >= 0 else 0 for there in taking] for f in functions] for bit in (0, 1)]
        fits = all(f[g] == values[parity[g]][i][moved[g]] for i, f in enumerate(functions) for g in range(group.order))
        same(what, True, fits)
        found.append(values)
    lists = [tuple(r) for r in zip(*neurons.right, strict=True)] or [()] * group.order
    number = {r: k for k, r in enumerate(dict.fromkeys(lists))}
    return ByPoints(found[0], found[1], [list(r) for r in number], [number[r] for r in lists])


# ---- the proof


def check_proof(proof: SymbolicProof, expanded: Expanded, group: Group, progress: Progress) -> int:
    """Redo a proof; the number of table entries that the minima ran through. Programs of squares are refused: pushes are relu's."""
    same("program of Q3, of squares", False, expanded.network.squared)
    program = Circuits(expanded)
    check_division(proof, len(program.circuits))
    spaces: dict[int, Space] = {}
    for stated in proof.families:
        need(0 <= stated.subgroup < len(expanded.subgroups), f"expected a subgroup of the program, got number {stated.subgroup}")
        if stated.subgroup not in spaces:
            spaces[stated.subgroup] = Space(group, expanded.subgroups[stated.subgroup])
    families = [Family(stated, program, group, spaces[stated.subgroup]) for stated in proof.families]
    cost = sum(family.space.count**3 * group.order for family in families) * max(1, sum(len(c.batches) for c in proof.cases))
    choices = sum(len(own) for c in proof.cases if c.lines is not None for own in c.lines.choices)
    cost += choices * sum(family.space.count * (family.space.count**2 + group.order) for family in families)
    need(cost <= LARGEST_TABLE, f"expected lemmas of at most {LARGEST_TABLE:,} entries, got {cost:,}")
    for number in proof.signs:
        for functions in program.neurons[number]:
            for f in functions:
                by_parity = {(group.parity[g], f[g]) for g in range(group.order)}
                same(f"circuit {number} looks at parities alone", len(by_parity), len({*group.parity}))
    parts = [(rest, [{*zip(*rows, strict=True)} for rows in program.neurons[rest.circuit]]) for rest in proof.rest]
    cost = sum(len(lefts) * len(rights) * len(outputs) * (1 + len(next(iter(lefts)))) for _, (lefts, rights, outputs) in parts if lefts)
    need(cost <= LARGEST_TABLE, f"expected circuits outside of all families of at most {LARGEST_TABLE:,} entries, got {cost:,}")
    for rest, rows in parts:
        check_rest(rest, *rows)
    bias = bias_range(families, expanded.network.bias, group)
    same("symbolic.proof.bias_rest", [list(pair) for pair in proof.bias_rest], [list(pair) for pair in bias])
    counts = [sum(bit == odd for bit in group.parity) for odd in (0, 1)]
    wanted = [(x, y, s) for x in (0, 1) for y in (0, 1) for s in (0, 1) if counts[x] and counts[y] and counts[s] > (s == 0)]
    same("cases of parities", sorted((c.x, c.y, c.s) for c in proof.cases), wanted)
    step = progress.step("Q3: lemmas", len(proof.cases), "cases")
    entries = 0
    for case in proof.cases:
        same(f"signs in case {case.x, case.y, case.s}", case.signs, sign_share(case, [program.neurons[k] for k in proof.signs], group))
        low = bias[case.x ^ case.y][0] - bias[case.x ^ case.y ^ case.s][1] - sum(rest.swing for rest in proof.rest)
        entries += check_case(case, case.signs + low, families, group)
        step.done()
    return entries


def check_division(proof: SymbolicProof, count: int) -> None:
    """Every circuit is in one part, with all of its votes or with both terms of a coset sum."""
    shares: list[list[str]] = [[] for _ in range(count)]
    parts = [(k, "whole") for k in (*proof.signs, *(rest.circuit for rest in proof.rest))]
    parts += [(member.circuit, member.share) for family in proof.families for member in family.members]
    for circuit, share in parts:
        need(0 <= circuit < count, f"expected one of {count} circuits, got {circuit}")
        shares[circuit].append(share)
    same("every circuit is used once", [], [k for k, found in enumerate(shares) if sorted(found) not in (["whole"], ["left", "right"])])


def check_rest(stated: SymbolicRest, lefts: set[tuple[int, ...]], rights: set[tuple[int, ...]], outputs: set[tuple[int, ...]]) -> None:
    """The most by which the circuit prefers one output to another, over all its distinct rows of l, of r and of u."""
    swing = 0
    for left in lefts:
        for right in rights:
            push = [max(0, a + b) for a, b in zip(left, right, strict=True)]
            totals = [sum(h * u for h, u in zip(push, votes, strict=True)) for votes in outputs]
            swing = max(swing, max(totals) - min(totals)) if totals else swing
    same(f"swing of circuit {stated.circuit}", stated.swing, swing)


def bias_range(families: list[Family], bias: Sequence[int], group: Group) -> list[tuple[int, int]]:
    """For each parity of z that occurs the least and the largest bias less the families' tables."""
    rest: list[list[int]] = [[], []]
    for z, value in enumerate(bias):
        odd = group.parity[z]
        for family in families:
            if family.bias:
                seen = group.inverse[z] if family.mirrored else z
                value -= sum(row[moved[seen]] for row, moved in zip(family.bias[odd], family.space.moved, strict=True))
        rest[odd].append(value)
    return [(min(values), max(values)) for values in rest if values]


def sign_share(case: SymbolicCase, circuits: list[Neurons], group: Group) -> int:
    """What circuits that look at parities alone give to the margin in a case."""
    first = [group.parity.index(bit) if bit in group.parity else 0 for bit in (0, 1)]
    x, y, w, z = first[case.x], first[case.y], first[case.x ^ case.y], first[case.x ^ case.y ^ case.s]
    rows = (row for neurons in circuits for row in zip(*neurons, strict=True))
    return sum(max(0, left[x] + right[y]) * (votes[w] - votes[z]) for left, right, votes in rows)


def check_case(case: SymbolicCase, constant: int, families: list[Family], group: Group) -> int:
    """Redo the minima of every batch and line, and the sum for every s != 1; the number of entries looked at.

    A batch serves every y; so the best sum of an s is the larger of the best batch's and the least over y of the best line's.
    """
    name, entries = f"case {case.x, case.y, case.s}", 0
    best: dict[int, int] = {}
    for batch in case.batches:
        same(f"families with dual variables in {name}", len(batch.duals), len(families))
        check_ties(batch, families)
        shares: list[tuple[Family, Rows, int]] = []
        for number, (family, duals) in enumerate(zip(families, batch.duals, strict=True)):
            beta = minima(case, number, family, batch, families)
            m = family.space.count
            same(f"beta of family {number} in {name}", duals.beta, [value for row in beta for value in row])
            shares.append((family, beta, sum(duals.mu)))
            entries += m**3 * sum(bit == case.y for bit in group.parity)
        for s in range(1, group.order):
            if group.parity[s] == case.s:
                total = constant + sum(
                    sum(row[k] for row, k in zip(beta, family.image(s), strict=True)) - mu for family, beta, mu in shares
                )
                best[s] = max(total, best.get(s, total))
    if case.lines is not None:
        sums, looked = line_sums(case, case.lines, constant, families, group)
        entries += looked
        for s, total in sums.items():
            best[s] = max(total, best.get(s, total))
    need(bool(best), f"expected a batch of dual variables in {name}")
    least = min(best.values())
    same(f"least sum in {name}", case.least, least)
    same(f"least sum in {name}, above 0", True, least > 0)
    return entries


def line_sums(
    case: SymbolicCase, lines: SymbolicLines, constant: int, families: list[Family], group: Group
) -> tuple[dict[int, int], int]:
    """For each s != 1 of the case the least over y of the best line's sum, and how many entries were looked at.

    y is x^-1 where the families are mirrored. The module's docstring says why these sums bound the margins.
    """
    kinds = {family.mirrored for family in families}
    need(len(kinds) == 1, "expected lines with families that are all mirrored or all not")
    need(lines.unit > 0, f"expected a positive unit of the lines' numbers, got {lines.unit}")
    parity_of_y = case.x if kinds == {True} else case.y
    ys = [y for y in range(group.order) if group.parity[y] == parity_of_y]
    need(len(lines.choices) == len(ys), f"expected lines for {amount(len(ys), 'elements')}, got {len(lines.choices)}")
    elements = [s for s in range(1, group.order) if group.parity[s] == case.s]
    sizes = [family.space.count for family in families]
    # where beta[j][js] stand in a family's list of minima, for each s
    looks = [
        [operator.itemgetter(*(j * m + k for j, k in enumerate(family.image(s))), 0) for s in elements]
        for family, m in zip(families, sizes, strict=True)
    ]
    tables = [Shares(case, family) for family in families]
    found: dict[int, int] = {}
    for y, choices in zip(ys, lines.choices, strict=True):
        need(bool(choices), "expected a line for every element")
        entries = [table.entries(y) for table in tables]
        best: list[int] = []
        for mus in choices:
            fits = len(mus) == len(families) and all(len(mu) in (0, m) for mu, m in zip(mus, sizes, strict=True))
            need(fits, f"expected {sizes} numbers mu of a line, or none, got {[len(mu) for mu in mus]}")
            totals = [constant - lines.unit * sum(map(sum, mus))] * len(elements)
            for rows, mu, getters in zip(entries, mus, looks, strict=True):
                moved = [[value + lines.unit * extra for value in row] for row, extra in zip(rows, mu, strict=True)] if mu else rows
                beta = [min(values) for values in zip(*moved, strict=True)]
                totals = [total + sum(look(beta)) - beta[0] for total, look in zip(totals, getters, strict=True)]
            best = [max(pair) for pair in zip(best, totals, strict=True)] if best else totals
        for s, total in zip(elements, best, strict=True):
            if total < found.get(s, total + 1):
                found[s] = total
    return found, len(ys) * (sum(m**3 for m in sizes) + len(elements) * sum(sizes))


class Shares:
    """T[j, j', p, y] of one family in one case, y by y.

    What a circuit gives for one row of r, as [j][q], is packed into one integer with a slot for each entry, so that the circuits at a
    point are added up at once. Every sum of absolute values over the circuits and the bias is below 2^(slot - 2), so no slot overflows.
    """

    def __init__(self, case: SymbolicCase, family: Family) -> None:
        self.family, m = family, family.space.count
        x = case.y if family.mirrored else case.x
        for_w, for_z = case.x ^ case.y, case.x ^ case.y ^ case.s
        self.parts = 1 if for_w == for_z else 2
        found = [[votes_by_row(circuit, x, for_w, for_z, m) for circuit in circuits] for circuits in family.at]
        # per point and part a table of the bias, which is the same for every j
        biases = [[[*(family.bias[bit][p] if family.bias else [0] * m)] * m for bit in (for_w, for_z)[-self.parts :]] for p in range(m)]
        reach = max(
            max(map(abs, itertools.chain(*bias)))
            + sum(max((abs(v) for both in rows for part in both for line in part for v in line), default=0) for rows in tables)
            for bias, tables in zip(biases, found, strict=True)
        )
        self.slot = 64 if reach < NARROW else 8 * (reach.bit_length() // 8 + 2)
        half = sum_of_slots([1 << self.slot - 2] * (m * m), self.slot)  # against negative numbers
        self.bias = [[half + sum_of_slots(part, self.slot) for part in bias] for bias in biases]
        #: tables[p][circuit][row of r][part]
        self.tables = [
            [[[sum_of_slots([*itertools.chain(*part)], self.slot) for part in both[-self.parts :]] for both in rows] for rows in tables]
            for tables in found
        ]

    def entries(self, y: int) -> Rows:
        """For each p the numbers T[j, j', p, y], j' running first."""
        m = self.family.space.count
        image = [row[y] for row in self.family.space.moved]
        # one place more keeps `itemgetter` from giving a number where there is one point
        of_w = operator.itemgetter(*(j * m + jy for j, jy in enumerate(image) for _ in image), 0)
        of_z = operator.itemgetter(*(j * m + q for j in range(m) for q in image), 0)
        found = []
        for circuits, tables, bias in zip(self.family.at, self.tables, self.bias, strict=True):
            chosen = [rows[circuit.row[y]] for rows, circuit in zip(tables, circuits, strict=True)]
            sums = [slots_of(sum([both[k] for both in chosen], bias[k]), m * m, self.slot) for k in range(self.parts)]
            found.append([*map(operator.sub, of_w(sums[0]), of_z(sums[-1]))][: m * m])
        return found


def check_ties(batch: SymbolicBatch, families: list[Family]) -> None:
    """Dual variables have the lengths of their tables, lam adds up to 0 over j, ties join a family and a mirrored one."""
    for family, duals in zip(families, batch.duals, strict=True):
        m = family.space.count
        fits = len(duals.mu) == m and len(duals.lam) in (0, m**3)
        need(fits, f"expected {amount(m, 'numbers')} mu and {m**3} lam or none, got {len(duals.mu)} and {len(duals.lam)}")
        if duals.lam:
            same("lam, added up over j", [0] * m * m, [sum(duals.lam[k :: m * m]) for k in range(m * m)])
    for tie in batch.ties:
        inside = min(tie.plain, tie.mirrored) >= 0 and max(tie.plain, tie.mirrored) < len(families)
        need(inside and not families[tie.plain].mirrored and families[tie.mirrored].mirrored, "expected a tie of two families")
        size = (families[tie.plain].space.count * families[tie.mirrored].space.count) ** 2
        need(len(tie.phi) == size, f"expected {amount(size, 'numbers')} phi, got {len(tie.phi)}")


def minima(case: SymbolicCase, number: int, family: Family, batch: SymbolicBatch, families: list[Family]) -> Rows:
    """beta[j][j'], the minimum over p and y that the module's docstring defines.

    In a mirrored family the first input is y^-1 and the second is x^-1, so the parities of x and y change places.
    """
    space, duals, group = family.space, batch.duals[number], family.group
    m = space.count
    y_parity = case.x if family.mirrored else case.y
    ys = [y for y in range(group.order) if group.parity[y] == y_parity]
    images = {y: [row[y] for row in space.moved] for y in ys}
    added = {y: [0] * m for y in ys}  # sum over q of lam[j, q, qy]
    if duals.lam:
        lam = [[duals.lam[(j * m + q) * m : (j * m + q + 1) * m] for q in range(m)] for j in range(m)]
        added = {y: [sum(row[k] for row, k in zip(rows, images[y], strict=True)) for rows in lam] for y in ys}
    shares, ties = Shares(case, family), [tied(batch, number, p, ys, families) for p in range(m)]
    best: list[int] = []
    for y in ys:
        for row, mu, tie in zip(shares.entries(y), duals.mu, ties, strict=True):
            more = [mu + one + other for one, other in zip(added[y], tie[y] if tie else [0] * m, strict=True)]
            values = [value + more[k // m] for k, value in enumerate(row)]
            best = [*map(min, best, values)] if best else values
    return [best[j * m : (j + 1) * m] for j in range(m)]


def votes_by_row(circuit: ByPoints, x: int, for_w: int, for_z: int, m: int) -> list[tuple[Rows, Rows]]:
    """Per distinct row of r what the circuit gives, as [j][q], to an output at the point q: of the parity of w, and of that of z."""
    found = []
    for r in circuit.rows:
        by_parity = []
        for bit in (for_w, for_z) if for_w != for_z else (for_z,):
            votes = [[0] * m for _ in range(m)]
            for i, right in enumerate(r):
                u = circuit.votes[bit][i]
                for j, left in enumerate(circuit.left[x][i]):
                    push = left + right
                    if push > 0:
                        votes[j] = [total + push * vote for total, vote in zip(votes[j], u, strict=True)]
            by_parity.append(votes)
        found.append((by_parity[0], by_parity[-1]))
    return found


def tied(batch: SymbolicBatch, number: int, p: int, ys: list[int], families: list[Family]) -> dict[int, list[int]]:
    """Per y and j what the ties add to a family's lemma at p: phi[j, q, p, qy] over q, or the negative of what the twin sees."""
    found: dict[int, list[int]] = {}
    for tie in batch.ties:
        if number not in (tie.plain, tie.mirrored):
            continue
        own, twin = families[number].space, families[tie.mirrored if number == tie.plain else tie.plain].space
        m, n = own.count, twin.count
        for y in ys:
            row = found.setdefault(y, [0] * m)
            image = [moved[y] for moved in twin.moved]
            for j in range(m):
                if number == tie.plain:
                    row[j] += sum(tie.phi[((j * n + q) * m + p) * n + k] for q, k in enumerate(image))
                else:
                    row[j] -= sum(tie.phi[((q * m + j) * n + k) * m + p] for q, k in enumerate(image))
    return found


# ---- O2 and O3


def check_pushes(stated: list[SymbolicPush], expanded: Expanded, records: list[NeuronRecord], group: Group) -> None:
    """Every neuron that reads both inputs through one-sided cosets, in the program's order, with its intervals; or nothing at all."""
    if not stated:
        return
    left, right = columns(expanded.network.left), columns(expanded.network.right)
    found: list[tuple[int, list[tuple[int | None, str, str]]]] = []
    position = 0
    for circuit in expanded.program.circuits:
        one_sided = {circuit.left.on, circuit.right.on} <= {"right cosets", "left cosets"}
        where = classes(circuit, expanded, group) if one_sided else []
        for neuron in circuit.neurons:
            record = records[neuron.index]
            if one_sided and record.left_deviation is not None and record.right_deviation is not None:
                slack = Fraction(record.left_deviation) + Fraction(record.right_deviation)
                sums: dict[int | None, tuple[int, int]] = {}
                for x, y, element in where:
                    value = left[position][x] + right[position][y]
                    least, most = sums.get(element, (value, value))
                    sums[element] = min(least, value), max(most, value)
                unit = 1 << expanded.network.bits
                intervals = []
                for element in sorted(sums, key=lambda g: -1 if g is None else g):
                    low, high = (Fraction(end, unit) for end in sums[element])
                    intervals.append((element, written(max(low - slack, Fraction())), written(max(high + slack, Fraction()))))
                found.append((neuron.index, intervals))
            position += 1
    same("symbolic.pushes", [(push.index, [(i.element, i.low, i.high) for i in push.intervals]) for push in stated], found)


def classes(circuit: Circuit, expanded: Expanded, group: Group) -> list[tuple[int, int, int | None]]:
    """(x, y, least element of the double coset of xy) for one x and one y of each pair of cosets that the circuit reads.

    With H the subgroup on whose cosets l is constant and K that of r, the double coset is HxyK, which the pair determines when l is
    read on right cosets or H is normal, and r on left cosets or K is normal; otherwise all pairs are in one class, None.
    """
    cosets = []
    for form, proper in ((circuit.left, "right cosets"), (circuit.right, "left cosets")):
        kernel = form.kernels[0] if form.kernels else None
        members = expanded.subgroups[form.subgroups[0] if kernel is None else kernel]
        rights, lefts = group.right_cosets(members), group.left_cosets(members)
        reads = rights if form.on == "right cosets" else lefts
        cosets.append((members, reads.first, form.on == proper or rights.labels == lefts.labels))
    (h, xs, one), (k, ys, two) = cosets
    if not (one and two):
        return [(x, y, None) for x in xs for y in ys]
    double = group.double_cosets(h, k)
    return [(x, y, double.first[double.labels[group.mul[x][y]]]) for x in xs for y in ys]


def check_distance(stated: str, expanded: Expanded, records: list[NeuronRecord], network: Network, min_margin: str | None) -> None:
    """The bound of the module's docstring, and that it is less than the network's smallest margin."""
    program = expanded.network
    same("symbolic.distance, of a program with divided neurons", [], sorted(expanded.divided))  # no record speaks of their parts
    ours, theirs = ((columns(net.left), columns(net.right), net.votes) for net in (network, program))

    def size(net: tuple[Rows, Rows, Rows], bits: tuple[int, int], i: int) -> tuple[Fraction, Fraction]:
        top = Fraction(max(0, max(net[0][i]) + max(net[1][i])), 1 << bits[0])
        return top, Fraction(max(net[2][i]) - min(net[2][i]), 1 << bits[1])

    bounds = []
    for record in records:
        if record.left_deviation is None or record.right_deviation is None or record.votes_deviation is None:
            top, spread = size(ours, (network.bits, network.vote_bits), record.index)
            bounds.append(top * spread)
        else:
            top, spread = size(theirs, (program.bits, program.vote_bits), expanded.where[record.index][0])
            e = Fraction(record.left_deviation) + Fraction(record.right_deviation)
            bounds.append(e * spread + (top + e) * 2 * Fraction(record.votes_deviation))
    p, q = network.bits + network.vote_bits, program.bits + program.vote_bits
    gaps = [Fraction(a, 1 << p) - Fraction(b, 1 << q) for a, b in zip(network.bias, program.bias, strict=True)]
    bounds.append(max(gaps) - min(gaps))
    whole = Fraction(sum(-(-(bound * 2**20).numerator // (bound * 2**20).denominator) for bound in bounds), 2**20)
    same("symbolic.distance", stated, written(whole))
    least = None if min_margin is None else rational(min_margin)
    same("symbolic.distance, below the network's smallest margin", True, least is not None and whole < least)
