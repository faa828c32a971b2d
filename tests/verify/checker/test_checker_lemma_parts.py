"""The parts of Q3 in the checker one by one, each against its definition on random circuits, without a search for proofs."""

from __future__ import annotations

import random
from dataclasses import replace
from fractions import Fraction
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from verify.checker import lemmas
from verify.checker.groups import Group, is_odd
from verify.checker.integers import Network
from verify.checker.lemmas import Family, Neurons, Space
from verify.checker.programs import Expanded
from verify.checker.progress import Progress
from verify.checker.shape import (
    Circuit,
    Differs,
    Form,
    GroupRecord,
    Malformed,
    Neuron,
    NeuronRecord,
    Program,
    SubgroupRecord,
    Symbolic,
    SymbolicBatch,
    SymbolicCase,
    SymbolicDuals,
    SymbolicFamily,
    SymbolicInterval,
    SymbolicLines,
    SymbolicMember,
    SymbolicProof,
    SymbolicPush,
    SymbolicRest,
    SymbolicTie,
    read_certificate,
)

if TYPE_CHECKING:
    from collections.abc import Callable

QUIET = Progress(None)
RECORDS = {
    "S2": GroupRecord("S2", 2, 2, ["(1 2)"]),
    "S3": GroupRecord("S3", 3, 6, ["(1 2 3)", "(1 2)"]),
    "C5": GroupRecord("C5", 5, 5, ["(1 2 3 4 5)"]),
    "A4": GroupRecord("A4", 4, 12, ["(1 2 3)", "(2 3 4)"]),
    "D8": GroupRecord("D8", 4, 8, ["(1 2 3 4)", "(2 4)"]),
}
GROUPS = {name: Group(record) for name, record in RECORDS.items()}
ELEMENTS = Form("elements", [], [])


# ---- circuits of no family


def rows(draw: random.Random, n: int, count: int, top: int) -> list[list[int]]:
    return [[draw.randint(-top, top) for _ in range(n)] for _ in range(count)]


def test_a_swing_is_the_most_that_brute_force_finds_and_no_other_number_is_accepted() -> None:
    """Over all x, y and two outputs; with lists that repeat themselves, neurons that never fire, and no neurons at all."""
    silent = 0
    for seed in range(80):
        draw = random.Random(seed)
        n, count, top = draw.randint(1, 6), draw.randint(0, 3), draw.choice([1, 3, 2**70])
        neurons = Neurons(rows(draw, n, count, top), rows(draw, n, count, top), rows(draw, n, count, top))
        swing = 0
        for x, y, z, other in product(range(n), repeat=4):
            push = [max(0, left[x] + right[y]) for left, right in zip(neurons.left, neurons.right, strict=True)]
            swing = max(swing, sum(h * (votes[z] - votes[other]) for h, votes in zip(push, neurons.votes, strict=True)))
        silent += swing == 0
        sets = [{*zip(*part, strict=True)} for part in neurons]
        lemmas.check_rest(SymbolicRest(0, swing), *sets)
        for stated in (swing - 1, swing + 1, -swing - 1):
            with pytest.raises(Differs, match="swing of circuit 0"):
                lemmas.check_rest(SymbolicRest(0, stated), *sets)
    assert 0 < silent < 60


def signs_and_rest(strength: int, rest: list[Neuron], bias: list[int]) -> tuple[Expanded, Group]:
    """Over two elements: a neuron that fires at each pair and votes for its product, and a circuit of other neurons."""
    strong = [
        Neuron(
            2 * x + y,
            [0 if g == x else -1 for g in range(2)],
            [1 if g == y else 0 for g in range(2)],
            [strength * (z == x ^ y) for z in range(2)],
        )
        for x, y in product(range(2), repeat=2)
    ]
    circuits = [Circuit(ELEMENTS, ELEMENTS, ELEMENTS, strong), Circuit(ELEMENTS, ELEMENTS, ELEMENTS, rest)]
    program = Program("coset-voting program 2", RECORDS["S2"], [], 0, 0, bias, circuits)
    return Expanded(program, GROUPS["S2"], 4 + len(rest)), GROUPS["S2"]


def test_a_proof_holds_where_what_is_certain_exceeds_the_swing_and_the_bias_and_not_a_unit_below() -> None:
    """No true margin is below the least sum; with the least strength that leaves a sum of 1 a proof is accepted, with one less not."""
    tight = 0
    for seed in range(40):
        draw = random.Random(seed)
        rest = [Neuron(4 + k, *(rows(draw, 2, 1, 4)[0] for _ in range(3))) for k in range(draw.randint(1, 3))]
        bias = draw.choice([[0, 0], [draw.randint(-4, 4), draw.randint(-4, 4)]])
        swing = 0
        for x, y in product(range(2), repeat=2):
            totals = [sum(max(0, n.left[x] + n.right[y]) * n.votes[z] for n in rest) for z in range(2)]
            swing = max(swing, max(totals) - min(totals))
        worst = swing + abs(bias[0] - bias[1])
        for strength, accepted in ((worst + 1, True), (worst, False)):
            own, group = signs_and_rest(strength, rest, bias)
            cases = []
            for x, y in product(range(2), repeat=2):
                least = strength - swing + bias[x ^ y] - bias[x ^ y ^ 1]
                cases.append(SymbolicCase(x, y, 1, strength, least, [SymbolicBatch([], [])]))
            proof = SymbolicProof([], [0], [SymbolicRest(1, swing)], [(b, b) for b in bias], cases)
            margins = [
                own.network.packed.number(own.network.logits(x, y), x ^ y)
                - own.network.packed.number(own.network.logits(x, y), x ^ y ^ 1)
                for x, y in product(range(2), repeat=2)
            ]
            assert all(case.least <= margin for case, margin in zip(cases, margins, strict=True))
            if accepted:
                tight += min(margins) == 1
                assert lemmas.check_proof(proof, own, group, QUIET) == 0
                for swings in (swing - 1, swing + 1):
                    with pytest.raises(Differs, match="swing of circuit 1"):
                        lemmas.check_proof(SymbolicProof([], [0], [SymbolicRest(1, swings)], proof.bias_rest, cases), own, group, QUIET)
            else:
                with pytest.raises(Differs, match=r"least sum in case .*, above 0"):
                    lemmas.check_proof(proof, own, group, QUIET)
    assert tight > 3


def test_what_a_proof_divides_is_every_circuit_once() -> None:
    """All divisions of three circuits in which one is left out, in two parts, or has one term of two."""

    def proof(signs: list[int], rest: list[int], shares: list[tuple[int, str]]) -> Any:
        members = [SimpleNamespace(circuit=circuit, share=share) for circuit, share in shares]
        return SimpleNamespace(
            signs=signs,
            rest=[SimpleNamespace(circuit=k) for k in rest],
            families=[SimpleNamespace(members=members[::2]), SimpleNamespace(members=members[1::2])],
        )

    good = [
        ([0], [1], [(2, "whole")]), ([], [], [(0, "whole"), (1, "left"), (1, "right"), (2, "whole")]), ([2, 1, 0], [], []),
        ([], [0, 2], [(1, "right"), (1, "left")]),
    ]  # fmt: skip
    bad = [
        ([0], [1], []), ([0], [1], [(2, "left")]), ([0], [1], [(2, "left"), (2, "left")]), ([0, 2], [1], [(2, "whole")]),
        ([0, 1, 2, 2], [], []), ([0, 1], [2, 2], []), ([0, 1, 2], [], [(2, "left"), (2, "right")]),
        ([0, 1], [], [(2, "whole"), (2, "left")]),
    ]  # fmt: skip
    for division in good:
        lemmas.check_division(proof(*division), 3)
    for division in bad:
        with pytest.raises(Differs, match="every circuit is used once"):
            lemmas.check_division(proof(*division), 3)
    for circuit in (-1, 3):
        with pytest.raises(Malformed, match="expected one of 3 circuits"):
            lemmas.check_division(proof([0, 1, 2, circuit], [], []), 3)


# ---- families


def subgroup(group: Group, point: int) -> list[int]:
    """The elements that fix a point."""
    return [g for g in range(group.order) if group.elements[g][point] == point]


def of_points(draw: random.Random, group: Group, space: Space, point: int, mirrored: bool, top: int) -> Neurons:
    """Neurons that look at a point and parities in x and z, and at anything in y; in a mirrored family it is x that is free."""
    m, count = space.count, draw.randint(0, 2)

    def through() -> list[int]:
        table = rows(draw, m, 2, top)
        return [table[group.parity[g]][space.moved[point][g]] for g in range(group.order)]

    seen = Neurons([through() for _ in range(count)], rows(draw, group.order, count, top), [through() for _ in range(count)])
    return seen.mirrored(group.inverse) if mirrored else seen


class Made:
    """A family over the points of a group, with what it adds to the margin at each x, y and s from the definition."""

    def __init__(
        self, draw: random.Random, name: str, mirrored: bool, top: int = 4, members: list[int] | None = None
    ) -> None:  # fmt: skip
        self.group = GROUPS[name]
        self.space = Space(self.group, members or subgroup(self.group, 0))
        m, n = self.space.count, self.group.order
        places = [draw.randrange(m) for _ in range(draw.randint(1, 4))]
        self.circuits = [of_points(draw, self.group, self.space, point, mirrored, top) for point in places]
        even = 1 not in self.group.parity
        self.table = [] if draw.random() < 0.4 else [draw.randint(-top, top) * (1 - even * (k % 2)) for k in range(2 * m * m)]
        stated = [SymbolicMember(k, "whole", point) for k, point in enumerate(places)]
        self.stated = SymbolicFamily(0, mirrored, stated, self.table)
        program: Any = SimpleNamespace(of=lambda member: self.circuits[member.circuit])
        self.family = Family(self.stated, program, self.group, self.space)
        self.mirrored, self.n = mirrored, n

    def bias(self, z: int) -> int:
        """What the table of the bias gives to an output."""
        if not self.table:
            return 0
        g, m = (self.group.inverse[z] if self.mirrored else z), self.space.count
        return sum(self.table[2 * (p * m + self.space.moved[p][g]) + self.group.parity[g]] for p in range(m))

    def share(self, x: int, s: int, y: int) -> int:
        """What the family adds to the margin of xy over xsy."""
        mul = self.group.mul
        w, z = mul[x][y], mul[mul[x][s]][y]
        total = self.bias(w) - self.bias(z)
        for circuit in self.circuits:
            for left, right, votes in zip(*circuit, strict=True):
                total += max(0, left[x] + right[y]) * (votes[w] - votes[z])
        return total

    def entry(self, case: SymbolicCase, row: int, p: int, j: int, i: int) -> int:
        """T(j, i, p, row) on group elements; row is y, x^-1 where mirrored."""
        group, space = self.group, self.space
        x_bit = case.y if self.mirrored else case.x
        x = next(g for g in range(group.order) if space.moved[p][g] == j and group.parity[g] == x_bit)
        other = next(g for g in range(group.order) if space.moved[p][g] == i and group.parity[g] == x_bit ^ case.s)
        w, z = group.mul[x][row], group.mul[other][row]
        total, m = 0, space.count
        if self.table:
            total += self.table[2 * (p * m + space.moved[p][w]) + group.parity[w]]
            total -= self.table[2 * (p * m + space.moved[p][z]) + group.parity[z]]
        for member, circuit in zip(self.stated.members, self.circuits, strict=True):
            if member.point == p:
                seen = circuit.mirrored(group.inverse) if self.mirrored else circuit
                for left, right, votes in zip(*seen, strict=True):
                    total += max(0, left[x] + right[row]) * (votes[w] - votes[z])
        return total

    def line(self, case: SymbolicCase, row: int, mu: list[int]) -> Callable[[int], int]:
        """The bound for one y (x^-1 where mirrored): s to the sum over j of min over p of (T + mu[p]), less all mu."""
        group, space, m = self.group, self.space, self.space.count
        mus = mu or [0] * m
        beta = [[min(self.entry(case, row, p, j, i) + mus[p] for p in range(m)) for i in range(m)] for j in range(m)]
        return lambda s: sum(beta[j][space.moved[j][group.inverse[s] if self.mirrored else s]] for j in range(m)) - sum(mus)

    def beta(self, case: SymbolicCase, duals: SymbolicDuals, ties: list[tuple[SymbolicTie, Made, bool]]) -> list[list[int]]:
        """The minima over p and y of T + mu + lam + the ties, each with the other family, and whether this one is the plain one."""
        m, moved = self.space.count, self.space.moved
        ys = [g for g in range(self.group.order) if self.group.parity[g] == (case.x if self.mirrored else case.y)]

        def more(j: int, p: int, y: int) -> int:
            total = duals.mu[p] + sum(duals.lam[j * m * m + q * m + moved[q][y]] for q in range(m) if duals.lam)
            for tie, other, plain in ties:
                n = other.space.count
                for q in range(n):
                    k = other.space.moved[q][y]
                    # phi[j, q, p, k] of the plain family; the mirrored one has its q and j, k and p exchanged
                    a, b, c, d = (j, q, p, k) if plain else (q, j, k, p)
                    widths = (m, n) if plain else (n, m)
                    place = ((a * widths[1] + b) * widths[0] + c) * widths[1] + d
                    total += tie.phi[place] if plain else -tie.phi[place]
            return total

        return [
            [min(self.entry(case, y, p, j, i) + more(j, p, y) for p in range(m) for y in ys) for i in range(m)] for j in range(m)
        ]  # fmt: skip


def cases_of(group: Group) -> list[SymbolicCase]:
    bits = sorted({*group.parity})
    return [
        SymbolicCase(x, y, s, 0, 0, [])
        for x, y, s in product(bits, repeat=3)
        if any(group.parity[g] == s for g in range(1, group.order))
    ]


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("name", ["S3", "C5", "A4"])
def test_lines_are_their_definition_and_below_every_margin(name: str, mirrored: bool) -> None:
    """Two families with any mu, in multiples of a unit, with one choice or two for each y, in narrow and in wide slots."""
    draw = random.Random(f"{name} {mirrored}")
    for _ in range(6 if name != "A4" else 2):
        made = [Made(draw, name, mirrored, draw.choice([3, 2**31])) for _ in range(draw.randint(1, 2))]
        group, m = made[0].group, made[0].space.count
        case = draw.choice(cases_of(group))
        ys = [g for g in range(group.order) if group.parity[g] == (case.x if mirrored else case.y)]
        unit, constant = draw.choice([1, 3, 2**40]), draw.randint(-9, 9)

        def numbers(m: int = m) -> list[int]:
            return draw.choice([[], [draw.randint(-5, 5) for _ in range(m)]])

        choices = [[[numbers() for _ in made] for _ in range(draw.randint(1, 2))] for _ in ys]
        lines = SymbolicLines(unit, choices)
        found, looked = lemmas.line_sums(case, lines, constant, [one.family for one in made], group)
        elements = [s for s in range(1, group.order) if group.parity[s] == case.s]
        assert looked == len(ys) * (len(made) * m**3 + len(elements) * len(made) * m)
        twin: dict[int, int] = {}
        for row, own in zip(ys, choices, strict=True):
            bounds = [[one.line(case, row, [unit * v for v in mu]) for one, mu in zip(made, mus, strict=True)] for mus in own]
            for s in elements:
                best = max(constant + sum(bound(s) for bound in of_choice) for of_choice in bounds)
                twin[s] = min(best, twin.get(s, best))
                others = [g for g in range(group.order) if group.parity[g] == (case.y if mirrored else case.x)]
                for other in others:
                    # the families see y^-1, x^-1 and s^-1 in place of x, y and s, so x^-1 is the row here
                    x, y = (group.inverse[row], group.inverse[other]) if mirrored else (other, row)
                    assert best <= constant + sum(one.share(x, s, y) for one in made)
        assert found == twin


def worlds(draw: random.Random, name: str) -> list[Made]:
    """A family, a mirrored one over another space where the group has one, and one more."""
    group = GROUPS[name]
    whole = [*range(group.order)]
    other = {"S3": None, "A4": [g for g in whole if group.mul[g][g] == 0]}[name]  # the four elements of a normal subgroup
    return [Made(draw, name, False), Made(draw, name, True, members=other), Made(draw, name, draw.random() < 0.5, members=whole)]


@pytest.mark.parametrize("name", ["S3", "A4"])
def test_a_batch_is_below_every_margin_and_its_minima_are_exact(name: str) -> None:
    """Families with any mu, any lam that adds up to 0, and any ties: the sum of the minima less all mu."""
    draw = random.Random(name)
    for _ in range(5 if name == "S3" else 2):
        made = worlds(draw, name)
        group = made[0].group
        families = [one.family for one in made]
        sizes = [one.space.count for one in made]
        duals = []
        for m in sizes:
            lam = [0] * m**3 if draw.random() < 0.8 else []
            for k in range(m * m if lam else 0):
                free = [draw.randint(-4, 4) for _ in range(m - 1)]
                lam[k :: m * m] = [*free, -sum(free)]
            duals.append(SymbolicDuals([draw.randint(-4, 4) for _ in range(m)], lam, []))
        joined = [(a, b) for a, b in product(range(3), repeat=2) if not families[a].mirrored and families[b].mirrored]
        joined = draw.sample(joined, draw.randint(0, len(joined))) + joined[:1]  # one of them may be there twice
        ties = [SymbolicTie(a, b, [draw.randint(-3, 3) for _ in range((sizes[a] * sizes[b]) ** 2)]) for a, b in joined]
        batch = SymbolicBatch(duals, ties)
        lemmas.check_ties(batch, families)
        case = draw.choice(cases_of(group))
        betas = [lemmas.minima(case, k, family, batch, families) for k, family in enumerate(families)]
        for k, one in enumerate(made):
            own = [(tie, made[tie.mirrored], True) for tie in ties if tie.plain == k]
            own += [(tie, made[tie.plain], False) for tie in ties if tie.mirrored == k]
            assert betas[k] == one.beta(case, duals[k], own)
        worst: dict[int, int] = {}
        for s in (g for g in range(1, group.order) if group.parity[g] == case.s):
            bound = sum(
                sum(row[k] for row, k in zip(beta, family.image(s), strict=True)) - sum(dual.mu)
                for beta, family, dual in zip(betas, families, duals, strict=True)
            )
            worst[s] = min(
                sum(one.share(x, s, y) for one in made)
                for x, y in product(range(group.order), repeat=2)
                if (group.parity[x], group.parity[y]) == (case.x, case.y)
            )
            assert bound <= worst[s]
        stated = [SymbolicDuals(dual.mu, dual.lam, [v for row in beta for v in row]) for dual, beta in zip(duals, betas, strict=True)]
        sums = {
            s: 10**6
            + sum(
                sum(row[k] for row, k in zip(beta, family.image(s), strict=True)) - sum(dual.mu)
                for beta, family, dual in zip(betas, families, duals, strict=True)
            )
            for s in worst
        }
        least = min(sums.values())
        whole = SymbolicCase(case.x, case.y, case.s, 0, least, [SymbolicBatch(stated, ties)])
        entries = sum(m**3 for m in sizes) * sum(bit == case.y for bit in group.parity)
        assert lemmas.check_case(whole, 10**6, families, group) == entries
        with pytest.raises(Differs, match="above 0"):
            lemmas.check_case(SymbolicCase(case.x, case.y, case.s, 0, 0, whole.batches), 10**6 - least, families, group)
        for change in (-1, 1):
            with pytest.raises(Differs, match="least sum"):
                lemmas.check_case(SymbolicCase(case.x, case.y, case.s, 0, least + change, whole.batches), 10**6, families, group)
            beta = [*stated[1].beta]
            beta[draw.randrange(len(beta))] += change
            changed = SymbolicBatch([stated[0], SymbolicDuals(stated[1].mu, stated[1].lam, beta), stated[2]], ties)
            with pytest.raises(Differs, match="beta of family 1"):
                lemmas.check_case(SymbolicCase(case.x, case.y, case.s, 0, least, [changed]), 10**6, families, group)


def test_of_several_batches_and_lines_the_best_counts_for_every_s() -> None:
    """Two batches with different minima, then with lines as well: for each s the largest sum, and the least of these is stated."""
    draw = random.Random(4)
    for _ in range(8):
        made = Made(draw, "S3", False)
        group, m, families = made.group, made.space.count, [made.family]
        case = draw.choice(cases_of(group))
        batches, best = [], dict[int, int]()
        elements = [g for g in range(1, group.order) if group.parity[g] == case.s]
        for _ in range(2):
            mu = [draw.randint(-6, 6) for _ in range(m)]
            beta = lemmas.minima(case, 0, made.family, SymbolicBatch([SymbolicDuals(mu, [], [])], []), families)
            batches.append(SymbolicBatch([SymbolicDuals(mu, [], [v for row in beta for v in row])], []))
            for s in elements:
                total = 500 + sum(row[k] for row, k in zip(beta, made.family.image(s), strict=True)) - sum(mu)
                best[s] = max(total, best.get(s, total))
        ys = [g for g in range(group.order) if group.parity[g] == case.y]
        lines = SymbolicLines(1, [[[[draw.randint(-6, 6) for _ in range(m)]]] for _ in ys])
        sums, looked = lemmas.line_sums(case, lines, 500, families, group)
        entries = 2 * m**3 * len(ys)
        assert lemmas.check_case(SymbolicCase(case.x, case.y, case.s, 0, min(best.values()), batches), 500, families, group) == entries
        both = min(max(best[s], sums[s]) for s in elements)
        found = lemmas.check_case(SymbolicCase(case.x, case.y, case.s, 0, both, batches, lines), 500, families, group)
        assert found == entries + looked
        alone = lemmas.check_case(SymbolicCase(case.x, case.y, case.s, 0, min(sums.values()), [], lines), 500, families, group)
        assert alone == looked
        with pytest.raises(Malformed, match="expected a batch of dual variables"):
            lemmas.check_case(SymbolicCase(case.x, case.y, case.s, 0, 1, []), 500, families, group)
        with pytest.raises(Differs, match="families with dual variables"):
            lemmas.check_case(SymbolicCase(case.x, case.y, case.s, 0, 1, [SymbolicBatch([], [])]), 500, families, group)


def test_dual_variables_that_prove_nothing_are_refused() -> None:
    """Lists too short or too long, lam that does not add up to 0 somewhere, ties of two families of one kind or that are not there."""
    draw = random.Random(1)
    families = [Made(draw, "S3", False).family, Made(draw, "S3", True).family]
    m = families[0].space.count

    def batch(mu: int = m, lam: list[int] | None = None, plain: int = 0, mirrored: int = 1, phi: int = m**4) -> SymbolicBatch:
        duals = [SymbolicDuals([0] * m, [], []), SymbolicDuals([1] * mu, lam or [], [])]
        return SymbolicBatch(duals, [SymbolicTie(plain, mirrored, [1] * phi)])

    lemmas.check_ties(batch(), families)
    balanced = [1] * (m * m) + [-1] * (m * m) + [0] * (m * m)
    lemmas.check_ties(batch(lam=balanced), families)
    for place in range(m**3):
        unbalanced = [*balanced]
        unbalanced[place] += 1
        with pytest.raises(Differs, match="lam, added up over j"):
            lemmas.check_ties(batch(lam=unbalanced), families)
    for wrong in (
        batch(mu=m - 1), batch(mu=m + 1), batch(lam=[0] * (m**3 - 1)), batch(lam=[0] * (m**3 + m * m)), batch(plain=1),
        batch(mirrored=0),         batch(plain=1, mirrored=0), batch(plain=-1), batch(plain=-2), batch(mirrored=-1), batch(mirrored=2),
        batch(plain=2), batch(phi=m**4 - 1),         batch(phi=0), batch(phi=m**4 + 1),
    ):  # fmt: skip
        with pytest.raises(Malformed, match=r"expected (3 numbers mu|a tie of two families|81 numbers phi)"):
            lemmas.check_ties(wrong, families)


def test_a_circuit_that_looks_at_more_than_its_point_is_refused() -> None:
    """One entry of l or u changed at any element, or the circuit put to another point."""
    draw = random.Random(3)
    group = GROUPS["S3"]
    space = Space(group, subgroup(group, 0))
    neurons = of_points(draw, group, space, 1, False, 3)
    while not neurons.left:
        neurons = of_points(draw, group, space, 1, False, 3)
    lemmas.by_points(neurons, SymbolicMember(0, "whole", 1), space, group)
    refused = 0
    for part, g in product((0, 2), range(group.order)):
        changed = [[[*row] for row in functions] for functions in neurons]
        changed[part][0][g] += 1
        try:
            lemmas.by_points(Neurons(*changed), SymbolicMember(0, "whole", 1), space, group)
        except Differs:
            refused += 1
    assert refused == 0  # S3 has one element of each parity from point to point: every function is of this kind
    group = GROUPS["A4"]
    space = Space(group, subgroup(group, 0))
    for seed in range(5):
        draw = random.Random(seed)
        neurons = of_points(draw, group, space, 1, False, 3)
        member = SymbolicMember(0, "whole", 1)
        found = lemmas.by_points(neurons, member, space, group)
        assert [found.rows[k] for k in found.row] == [list(r) for r in zip(*neurons.right, strict=True)] or not neurons.left
        assert len({*map(tuple, found.rows)}) == len(found.rows)
        for part, g in product((0, 2), range(group.order)):
            if neurons.left:
                changed = [[[*row] for row in functions] for functions in neurons]
                changed[part][-1][g] += 1
                with pytest.raises(Differs, match="looks at point 1 and parities alone"):
                    lemmas.by_points(Neurons(*changed), member, space, group)


def test_members_and_tables_of_a_family_that_do_not_fit_are_refused() -> None:
    draw = random.Random(2)
    made = Made(draw, "S3", False)
    m, program = made.space.count, SimpleNamespace(of=lambda member: made.circuits[0])
    for point in (-1, m):
        with pytest.raises(Malformed, match="expected one of 3 points"):
            Family(SymbolicFamily(0, False, [SymbolicMember(0, "whole", point)], []), program, made.group, made.space)  # type: ignore[arg-type]
    for length in (1, 2 * m * m - 1, 2 * m * m + 1, m * m):
        with pytest.raises(Malformed, match="entries of a table of the bias or none"):
            Family(SymbolicFamily(0, False, [], [0] * length), program, made.group, made.space)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["S3", "A4", "D8"])
def test_points_are_moved_as_cosets_are_and_taken_to_each_other(name: str) -> None:
    """By the sets of products; D8 has no odd element that leaves a vertex in place but one, and none of some subgroups takes p to q."""
    group = GROUPS[name]
    complete = 0
    for generator in range(group.order):
        members = [0]
        while group.mul[members[-1]][generator] not in members:
            members.append(group.mul[members[-1]][generator])
        cosets = sorted({frozenset(group.mul[h][x] for h in members) for x in range(group.order)}, key=min)
        moved = [[cosets.index(frozenset(group.mul[k][g] for k in coset)) for g in range(group.order)] for coset in cosets]
        bits = {*group.parity}
        fits = all(
            any(moved[p][g] == q and group.parity[g] == bit for g in range(group.order))
            for p in range(len(cosets))
            for q in range(len(cosets))
            for bit in bits
        )
        if not fits:
            with pytest.raises(Differs, match="every point is taken to every other"):
                Space(group, members)
            continue
        space, complete = Space(group, members), complete + 1
        assert (space.count, space.moved) == (len(cosets), moved)
        for p, q, bit in product(range(space.count), range(space.count), (0, 1)):
            g = space.taking[p][q][bit]
            assert (moved[p][g], group.parity[g]) == (q, bit) if bit in bits else g == -1
    assert complete > 0


def test_more_points_than_the_limit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    group = GROUPS["A4"]
    monkeypatch.setattr(lemmas, "LARGEST_SPACE", 4)
    assert Space(group, subgroup(group, 0)).count == 4
    monkeypatch.setattr(lemmas, "LARGEST_SPACE", 3)
    with pytest.raises(Malformed, match="expected a space of at most 3 points, got 4"):
        Space(group, subgroup(group, 0))


# ---- constants of a case


def test_what_signs_and_the_bias_give_is_what_they_give_at_every_pair() -> None:
    """Circuits that read parities alone, at all x, y and s of every case; and the least and the largest bias for each parity."""
    for name, seed in product(("S3", "A4", "D8", "S2"), range(5)):
        draw, group = random.Random(seed), GROUPS[name]

        def by_parity(draw: random.Random = draw, group: Group = group) -> list[int]:
            pair = [draw.randint(-4, 4), draw.randint(-4, 4)]
            return [pair[bit] for bit in group.parity]

        circuits = [Neurons(*([by_parity() for _ in range(count)] for _ in range(3))) for count in (0, 1, 2)]
        for case in cases_of(group):
            found = lemmas.sign_share(case, circuits, group)
            for x, y, s in product(range(group.order), repeat=3):
                if (group.parity[x], group.parity[y], group.parity[s]) == (case.x, case.y, case.s):
                    w, z = group.mul[x][y], group.mul[group.mul[x][s]][y]
                    neurons = [row for circuit in circuits for row in zip(*circuit, strict=True)]
                    assert found == sum(max(0, a[x] + b[y]) * (u[w] - u[z]) for a, b, u in neurons)
        made = [Made(draw, name, mirrored) for mirrored in (False, True)] if name in ("S3", "A4") else []
        bias = [draw.randint(-50, 50) for _ in range(group.order)]
        rest = [bias[z] - sum(one.bias(z) for one in made) for z in range(group.order)]
        twin = [[v for v, bit in zip(rest, group.parity, strict=True) if bit == odd] for odd in (0, 1)]
        expected = [(min(values), max(values)) for values in twin if values]
        assert lemmas.bias_range([one.family for one in made], bias, group) == expected


# ---- the counterexample, the pushes, the distance


def test_a_counterexample_is_another_output_with_as_many_votes() -> None:
    """Over two elements at (0, 1): fewer votes for the other output are none, as many are one, and so are more."""
    group = GROUPS["S2"]
    for votes, wrong in (([1, 2], False), ([2, 2], True), ([3, 2], True)):
        network = Network([[1], [0]], [[0], [0]], [votes], [0, 0], 0, 0)
        if wrong:
            lemmas.check_counterexample((0, 1, 0), network, group)
        else:
            with pytest.raises(Differs, match=r"symbolic\.counterexample, wrong"):
                lemmas.check_counterexample((0, 1, 0), network, group)
        with pytest.raises(Differs, match=r"symbolic\.counterexample, wrong"):
            lemmas.check_counterexample((0, 1, 1), network, group)
        for outside in ((-1, 1, 0), (0, 2, 0), (0, 1, -1), (2, 0, 0), (0, 1, 2)):
            with pytest.raises(Malformed, match="three elements of the group"):
                lemmas.check_counterexample(outside, network, group)


def some_program(draw: random.Random, name: str) -> tuple[Expanded, Group]:
    """Circuits on one-sided cosets of cyclic subgroups, plain and twisted, and on elements, with random lists."""
    group, record = GROUPS[name], RECORDS[name]
    words = sorted({_cycles(group.elements[g]) for g in range(group.order)})
    subgroups = []
    for word in words:
        members = [0]
        g = next(g for g in range(group.order) if _cycles(group.elements[g]) == word)
        while group.mul[members[-1]][g] not in members:
            members.append(group.mul[members[-1]][g])
        subgroups.append((word, {*members}))
    records = [SubgroupRecord(word, len(members), [] if word == "()" else [word]) for word, members in subgroups]
    circuits, index = [], 0
    empty = Expanded(Program("coset-voting program 2", record, records, 0, 0, [], []), group, 0)
    for _ in range(4):
        forms = []
        for _ in range(2):
            on = draw.choice(["right cosets", "left cosets", "right cosets", "left cosets", "elements"])
            k = draw.randrange(len(records))
            kernels = [
                j for j, (_, inside) in enumerate(subgroups) if 2 * len(inside) == len(subgroups[k][1]) and inside < subgroups[k][1]
            ]
            forms.append(Form(on, [k], [draw.choice([None, *kernels])]) if on != "elements" else ELEMENTS)  # type: ignore[arg-type]
        neurons = []
        for _ in range(draw.randint(1, 2)):
            lists = [rows(draw, empty._length(form), 1, 9)[0] for form in (*forms, ELEMENTS)]
            neurons.append(Neuron(index, *lists))
            index += 1
        circuits.append(Circuit(forms[0], forms[1], ELEMENTS, neurons))
    return Expanded(Program("coset-voting program 2", record, records, draw.choice([0, 3]), 2, [], circuits), group, index + 1), group


def _cycles(images: bytes) -> str:
    from verify.checker.groups import cycles

    return cycles(images)


@pytest.mark.parametrize("name", ["S3", "A4", "D8"])
def test_pushes_are_the_intervals_over_all_pairs(name: str) -> None:
    """Each neuron on one-sided cosets: over all x and y by the double coset of xy where the two cosets determine it, else over all."""
    draw = random.Random(name)
    kinds = set()
    for _ in range(14):
        expanded, group = some_program(draw, name)
        mul, n = group.mul, group.order
        records = []
        for index in range(expanded.width):
            e = [f"{draw.randint(0, 3)}/{draw.choice([1, 2, 8])}" for _ in range(3)]
            there = index in expanded.where and draw.random() < 0.9
            records.append(NeuronRecord(index, "coset", 0, *(e if there else [None] * 3)))
        pushes, wanted = [], Fraction(1, 1 << expanded.network.bits)
        for circuit in expanded.program.circuits:
            if "elements" in (circuit.left.on, circuit.right.on):
                continue
            sets = []
            for form in (circuit.left, circuit.right):
                kernel = form.kernels[0]
                sets.append({*expanded.subgroups[form.subgroups[0] if kernel is None else kernel]})
            normal = [all(mul[mul[group.inverse[g]][h]][g] in members for g in range(n) for h in members) for members in sets]
            known = (circuit.left.on == "right cosets" or normal[0]) and (circuit.right.on == "left cosets" or normal[1])
            kinds.add((known, circuit.left.on, circuit.right.on, tuple(normal)))
            for neuron in circuit.neurons:
                record, place = records[neuron.index], expanded.where[neuron.index][0]
                if record.left_deviation is None or record.right_deviation is None:
                    continue
                slack = Fraction(record.left_deviation) + Fraction(record.right_deviation)
                values: dict[int | None, list[Fraction]] = {}
                for x, y in product(range(n), repeat=2):
                    double = min(mul[mul[h][mul[x][y]]][k] for h in sets[0] for k in sets[1]) if known else None
                    value = (expanded.network.left[x][place] + expanded.network.right[y][place]) * wanted
                    values.setdefault(double, []).append(value)
                intervals = [
                    SymbolicInterval(g, str(max(min(v) - slack, Fraction())), str(max(max(v) + slack, Fraction())))
                    for g, v in sorted(values.items(), key=lambda item: -1 if item[0] is None else item[0])
                ]
                pushes.append(SymbolicPush(neuron.index, intervals))
        lemmas.check_pushes(pushes, expanded, records, group)
        lemmas.check_pushes([], expanded, records, group)
        for k, push in enumerate(pushes):
            for wrong in (
                [*pushes[:k], *pushes[k + 1 :]] if len(pushes) > 1 else [push, push],
                [*pushes[:k], SymbolicPush(push.index + 1, push.intervals), *pushes[k + 1 :]],
                [*pushes[:k], SymbolicPush(push.index, push.intervals[1:]), *pushes[k + 1 :]],
            ):
                with pytest.raises(Differs, match=r"symbolic\.pushes"):
                    lemmas.check_pushes(wrong, expanded, records, group)
    assert {known for known, *_ in kinds} == {True, False} or name == "A4"


def test_the_distance_is_its_formula_and_has_to_be_below_the_least_margin() -> None:
    """Random networks and programs of other denominators, with neurons left out; a unit of 2^-20 more or less is refused."""
    for seed in range(60):
        draw = random.Random(seed)
        n, width, bits = 3, 3, draw.choice([3, 24])
        network = Network(rows(draw, width, n, 9), rows(draw, width, n, 9), rows(draw, n, width, 5), rows(draw, n, 1, 9)[0], bits, 2)
        kept = [i for i in range(width) if draw.random() < 0.7]
        own = Network(
            rows(draw, len(kept), n, 9),
            rows(draw, len(kept), n, 9),
            rows(draw, n, len(kept), 5),
            rows(draw, n, 1, 9)[0],
            draw.choice([0, 4, 23]),
            1,
        )
        records, total = [], Fraction(0)
        unit = Fraction(1, 1 << 20)

        def up(value: Fraction, unit: Fraction = unit) -> Fraction:
            return -(-value // unit) * unit

        terms = []
        for i in range(width):
            if i in kept:
                k = kept.index(i)
                e, f, c = (Fraction(draw.randint(0, 5), draw.choice([1, 3, 7])) for _ in range(3))
                records.append(NeuronRecord(i, "coset", 0, str(e), str(f), str(c)))
                spread = Fraction(max(own.votes[k]) - min(own.votes[k]), 2)
                top = Fraction(max(0, max(row[k] for row in own.left) + max(row[k] for row in own.right)), 1 << own.bits)
                terms.append((e + f) * spread + (top + e + f) * 2 * c)
            else:
                records.append(NeuronRecord(i, "left out", None, None, None, None))
                spread = Fraction(max(network.votes[i]) - min(network.votes[i]), 4)
                top = Fraction(max(0, max(row[i] for row in network.left) + max(row[i] for row in network.right)), 1 << bits)
                terms.append(top * spread)
        gaps = [Fraction(a, 4 << bits) - Fraction(b, 2 << own.bits) for a, b in zip(network.bias, own.bias, strict=True)]
        terms.append(max(gaps) - min(gaps))
        total = sum(map(up, terms), Fraction(0))
        expanded: Any = SimpleNamespace(network=own, divided=set(), where={i: (k, 0) for k, i in enumerate(kept)})
        lemmas.check_distance(str(total), expanded, records, network, str(total + unit))
        for stated in (total - unit, total + unit):
            with pytest.raises(Differs, match=r"symbolic\.distance: "):
                lemmas.check_distance(str(stated), expanded, records, network, str(total + 1))
        for margin in (str(total), None):
            with pytest.raises(Differs, match="below the network's smallest margin"):
                lemmas.check_distance(str(total), expanded, records, network, margin)
        expanded.divided = {1}
        with pytest.raises(Differs, match="divided neurons"):
            lemmas.check_distance(str(total), expanded, records, network, str(total + unit))


# ---- a whole proof, of a program whose lemmas are known


SWITCHES = Path(__file__).parents[2] / "certificates" / "accepted" / "s3_chughtai_table.json"


class Known:
    """A program over S3 that votes against every z with z(i) = k where x(i) is not y^-1(k), and a proof of it.

    At the point p, whatever y is, two neurons for each k push by |j - y^-1(k)| against z(p) = k; so T(j, j', p, y) = 256 |j - j'|.
    """

    def __init__(self, mirrored: bool = False, lines: bool = False, batches: int = 1, bias: list[int] | None = None) -> None:
        certificate = read_certificate(SWITCHES.read_bytes())
        self.group = Group(certificate.group)
        self.own = Expanded(replace(certificate.program, bias=bias or []), self.group, certificate.checkpoint.width)
        self.records, self.min_margin = certificate.neurons[:18], certificate.correct.min_margin
        by_parity = [[v for v, bit in zip(bias or [0] * 6, self.group.parity, strict=True) if bit == odd] for odd in (0, 1)]
        self.ranges = [(min(values), max(values)) for values in by_parity]
        beta = [256 * abs(j - i) for j, i in product(range(3), repeat=2)]
        members = [SymbolicMember(3 * i + k, "whole", k if mirrored else i) for i, k in product(range(3), repeat=2)]
        cases = []
        for x, y, s in product((0, 1), repeat=3):
            images = [e for e in self.group.elements if is_odd(e) == s and e != bytes(range(3))]
            least = min(sum(256 * abs(j - image[j]) for j in range(3)) for image in images)
            least += self.ranges[x ^ y][0] - self.ranges[x ^ y ^ s][1]
            found = SymbolicLines(1, [[[[]]]] * 3) if lines else None
            batch = SymbolicBatch([SymbolicDuals([0] * 3, [], beta)], [])
            cases.append(SymbolicCase(x, y, s, 0, least, [batch] * batches, found))
        self.proof = SymbolicProof([SymbolicFamily(0, mirrored, members, [])], [], [], self.ranges, cases)

    def redo(self, **changed: Any) -> int:
        """What `check_proof` says, with these parts of the proof changed."""
        return lemmas.check_proof(replace(self.proof, **changed), self.own, self.group, QUIET)

    def symbolic(self, **changed: Any) -> Symbolic:
        """Q3 of the program."""
        return replace(Symbolic("PROVED", None, self.proof, None, [], None), **changed)

    def lines(self, symbolic: Symbolic, margin: str | None = None) -> list[tuple[str, str, int, str]]:
        """What the closing table says of Q3, without the seconds."""
        found = lemmas.check_symbolic(
            symbolic, self.own, self.records, self.own.network, margin or self.min_margin, self.group, QUIET
        )  # fmt: skip
        assert all(0 <= line.seconds < 60 for line in found)
        return [(line.statement, line.how, line.number, line.unit) for line in found]


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_proof_that_is_known_in_advance_is_accepted(mirrored: bool) -> None:
    """By batches, by lines, and by both; the number of entries is that of all minima."""
    for lines, batches in ((False, 1), (True, 0), (True, 1), (False, 2)):
        known = Known(mirrored, lines, batches)
        entries = 8 * batches * 27 * 3 + 8 * lines * 3 * 27 + lines * sum(3 * 3 * count for count in (2, 3)) * 4
        assert known.redo() == entries


def test_a_bias_takes_the_most_that_it_can_take() -> None:
    """The least bias of the right output's parity, less the largest of the other's; up to a bias that leaves a sum of 0."""
    draw = random.Random(9)
    for _ in range(10):
        known = Known(bias=[draw.randint(-60, 60) for _ in range(6)])
        assert known.redo() == 8 * 81
        margins = []
        for x, y, s in product(range(6), range(6), range(1, 6)):
            w, z = known.group.mul[x][y], known.group.mul[known.group.mul[x][s]][y]
            slots, packed = known.own.network.logits(x, y), known.own.network.packed
            case = next(c for c in known.proof.cases if (c.x, c.y, c.s) == tuple(known.group.parity[g] for g in (x, y, s)))
            margins.append(packed.number(slots, w) - packed.number(slots, z) - case.least)
        assert min(margins) >= 0
    assert Known(bias=[-511, 0, 0, 0, 0, 0]).redo() > 0
    for bias in ([-512, 0, 0, 0, 0, 0], [0, 512, 0, 0, 0, 0]):
        with pytest.raises(Differs, match="above 0"):
            Known(bias=bias).redo()


@pytest.mark.parametrize("size", range(50, 130))
def test_slots_hold_sums_of_every_size(size: int) -> None:
    """One push times one vote as large as that, in both signs: each entry is the difference of the two votes."""
    group = GROUPS["S3"]
    space = Space(group, subgroup(group, 0))
    up = size // 2
    images = [element[0] for element in group.elements]
    left = [(1 << up) - 1 if image == 0 else -1 for image in images]
    votes = [((1 << size - up) - 1) * (1 if image == 1 else -1) for image in images]
    circuit = Neurons([left], [[0] * 6], [votes])
    program: Any = SimpleNamespace(of=lambda member: circuit)
    family = Family(SymbolicFamily(0, False, [SymbolicMember(0, "whole", 0)], []), program, group, space)
    for case in cases_of(group)[:4]:
        shares = lemmas.Shares(case, family)
        for y in (g for g in range(6) if group.parity[g] == case.y):
            moved = [row[y] for row in space.moved]
            push = [(1 << up) - 1, 0, 0]
            vote = [((1 << size - up) - 1) * (1 if q == 1 else -1) for q in moved]
            assert shares.entries(y)[0] == [push[j] * (vote[j] - vote[i]) for j in range(3) for i in range(3)]


def test_a_proof_of_anything_else_is_refused() -> None:
    known = Known()
    first, *others = known.proof.cases
    family = known.proof.families[0]
    swing = SymbolicRest(0, 0)
    for changed, error, sentence in (
        ({"families": [replace(family, subgroup=-1)]}, Malformed, "expected a subgroup of the program, got number -1"),
        (
            {"families": [replace(family, subgroup=len(known.own.subgroups))]},
            Malformed,
            "expected a subgroup of the program, got number",
        ),
        ({"families": [replace(family, members=family.members[1:])]}, Differs, "every circuit is used once"),
        (
            {"families": [replace(family, members=[replace(family.members[0], point=1), *family.members[1:]])]},
            Differs,
            "beta of family 0",
        ),
        ({"families": [replace(family, mirrored=True)]}, Differs, "beta of family 0"),
        ({"rest": [swing]}, Differs, "every circuit is used once"),
        ({"families": [replace(family, members=family.members[1:])], "signs": [0]}, Differs, "circuit 0 looks at parities alone"),
        ({"families": [replace(family, members=family.members[1:])], "rest": [swing]}, Differs, "swing of circuit 0"),
        ({"bias_rest": [(0, 0)]}, Differs, r"symbolic\.proof\.bias_rest"),
        ({"bias_rest": [(0, 0), (0, 1)]}, Differs, r"symbolic\.proof\.bias_rest"),
        ({"bias_rest": [(-1, 0), (0, 0)]}, Differs, r"symbolic\.proof\.bias_rest"),
        ({"cases": others}, Differs, "cases of parities"),
        ({"cases": [first, first, *others]}, Differs, "cases of parities"),
        ({"cases": [replace(first, s=1), *others]}, Differs, "cases of parities"),
        ({"cases": [replace(first, signs=1), *others]}, Differs, "signs in case"),
        ({"cases": [replace(first, least=first.least - 1), *others]}, Differs, "least sum in case"),
        ({"cases": [replace(first, batches=[]), *others]}, Malformed, "expected a batch"),
    ):
        with pytest.raises(error, match=sentence):
            known.redo(**changed)
    assert known.redo(cases=[*others[::-1], first]) == known.redo()


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_proof_is_as_large_as_it_may_be_and_no_larger(mirrored: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The entries of all minima, of lines, and of circuits of no family, up to the limit and one beyond it."""
    for lines, batches in ((False, 1), (True, 0), (True, 1), (False, 2)):
        known = Known(mirrored, lines, batches)
        size = 27 * 6 * max(1, 8 * batches) + 8 * 3 * lines * 3 * (9 + 6)
        monkeypatch.setattr(lemmas, "LARGEST_TABLE", size)
        known.redo()
        monkeypatch.setattr(lemmas, "LARGEST_TABLE", size - 1)
        with pytest.raises(Malformed, match=f"at most {size - 1:,} entries, got {size:,}"):
            known.redo()
    draw = random.Random(1)
    rest = [Neuron(4 + k, *(rows(draw, 2, 1, 4)[0] for _ in range(3))) for k in range(2)]
    own, group = signs_and_rest(99, rest, [0, 0])
    sets = [len({*zip(*part, strict=True)}) for part in ([n.left for n in rest], [n.right for n in rest], [n.votes for n in rest])]
    size = sets[0] * sets[1] * sets[2] * 3
    proof = SymbolicProof([], [0], [SymbolicRest(1, -1)], [(0, 0), (0, 0)], [])
    for limit, sentence in (
        (size, "swing of circuit 1"),
        (size - 1, f"circuits outside of all families of at most {size - 1:,} entries"),
    ):
        monkeypatch.setattr(lemmas, "LARGEST_TABLE", limit)
        with pytest.raises((Malformed, Differs), match=sentence):
            lemmas.check_proof(proof, own, group, QUIET)


def test_the_table_says_what_was_done_for_q3() -> None:
    """A proof, a counterexample, nothing; pushes and the distance where they are stated."""
    known = Known()
    claim = "Q3: the program is correct for all x, y, z"
    proved = (claim, "minima of the lemmas, and their sum for every s", 8 * 81, "entries")
    pushes = ("O2: what each neuron does", "intervals", 0, "neurons")
    assert known.lines(known.symbolic()) == [proved, pushes]
    unknown = (claim + ": unknown", "nothing is stated", 0, "lemmas")
    assert known.lines(known.symbolic(status="UNKNOWN", proof=None)) == [unknown, pushes]
    for status, part in (("PROVED", {"proof": None}), ("UNKNOWN", {}), ("REFUTED", {}), ("REFUTED", {"proof": None})):
        with pytest.raises(Differs, match=r"symbolic\.(proof|counterexample), there"):
            known.lines(known.symbolic(status=status, **part))
    with pytest.raises(Differs, match=r"symbolic\.counterexample, there"):
        known.lines(known.symbolic(counterexample=(0, 0, 1)))
    with pytest.raises(Differs, match=r"symbolic\.counterexample, wrong"):
        known.lines(known.symbolic(status="REFUTED", proof=None, counterexample=(0, 0, 1)))
    own, group = signs_and_rest(0, [Neuron(4, [0, 1], [0, 0], [0, 1])], [0, 0])
    stated = Symbolic("REFUTED", None, None, (0, 1, 0), [], None)
    (line, _) = lemmas.check_symbolic(stated, own, [], own.network, None, group, QUIET)
    assert line[:4] == ("Q3: the program is wrong", "the counterexample evaluated", 1, "pairs")
    assert 0 <= line.seconds < 60
    found = known.lines(known.symbolic(distance="40217/524288"), "1")
    assert found == [proved, pushes, ("O3: distance of margins", "added up again", known.own.network.width, "neurons")]
    with pytest.raises(Differs, match=r"symbolic\.pushes"):
        known.lines(known.symbolic(pushes=[SymbolicPush(0, [])]))


def test_a_vote_on_a_coset_sum_may_be_two_circuits() -> None:
    """Each term by itself at every z; of other votes no term can be used."""
    stabilisers = [SubgroupRecord("(2 3)", 2, ["(2 3)"]), SubgroupRecord("(1 3)", 2, ["(1 3)"])]
    right, left = Form("right cosets", [0], [None]), Form("left cosets", [1], [None])
    both = Form("coset sum", [0, 1], [None, None])
    neurons = [Neuron(k, [1, 2, 3], [4, 5, 6], [7 + k, 8, 9, 10, 11, 12 * k]) for k in range(2)]
    circuits = [Circuit(right, left, both, neurons), Circuit(right, left, right, [Neuron(2, [1, 2, 3], [0, 0, 1], [1, 0, 0])])]
    group = GROUPS["S3"]
    own = Expanded(Program("coset-voting program 2", RECORDS["S3"], stabilisers, 0, 0, [], circuits), group, 3)
    program = lemmas.Circuits(own)
    assert program.of(SymbolicMember(0, "whole", 0)) == program.neurons[0]
    cosets = group.right_cosets(own.subgroups[0]), group.left_cosets(own.subgroups[1])
    for share, labels, start in (("right", cosets[0].labels, 0), ("left", cosets[1].labels, 3)):
        found = program.of(SymbolicMember(0, share, 0))  # type: ignore[arg-type]
        assert (found.left, found.right) == (program.neurons[0].left, program.neurons[0].right)
        assert found.votes == [[neuron.votes[start + label] for label in labels] for neuron in neurons]
        with pytest.raises(Differs, match="votes of circuit 1 of which one term is used"):
            program.of(SymbolicMember(1, share, 0))  # type: ignore[arg-type]


def test_what_no_output_looks_at_is_zero_in_a_table_of_the_bias() -> None:
    """C5 has no odd permutation: entries for odd z are 0."""
    draw = random.Random(0)
    group = GROUPS["C5"]
    space = Space(group, subgroup(group, 0))
    table = [draw.randint(1, 9) * (1 - k % 2) for k in range(50)]
    nobody: Any = SimpleNamespace()
    found = Family(SymbolicFamily(0, False, [], table), nobody, group, space)
    assert [row for rows in found.bias[0] for row in rows] == table[::2]
    for place in (1, 13, 49):
        wrong = [*table]
        wrong[place] = 1
        with pytest.raises(Malformed, match="where no z looks"):
            Family(SymbolicFamily(0, False, [], wrong), nobody, group, space)
    odd = Space(GROUPS["S3"], subgroup(GROUPS["S3"], 0))
    assert Family(SymbolicFamily(0, False, [], [*range(18)]), nobody, GROUPS["S3"], odd).bias[1] == [
        [1, 3, 5],
        [7, 9, 11],
        [13, 15, 17],
    ]
