"""The checker's arithmetic against fractions: packed sums, folded layers, logits, and the bound of a float32 pass to the unit."""

import random
from fractions import Fraction
from typing import Any

import pytest

from verify.checker.float32 import Forward
from verify.checker.integers import Matrix, Network, Packed
from verify.checker.layouts import fold

TINY = Fraction(1, 2**126)


@pytest.mark.parametrize("top", [0, 1, 2**62 - 1, 2**62, 2**63 - 1, 2**63, 2**64 + 1, 2**200])
@pytest.mark.parametrize("sign", [1, -1])
def test_sums_at_the_limit_of_what_was_promised_fit_in_their_slots(top: int, sign: int) -> None:
    """Largest coefficients, all entries of one sign, largest base: the slot's greatest or least number, beside zeros."""
    rows, largest = [[sign * top, 0, -sign * top], [sign * 3, 0, sign * 3]], [7, 0]
    packed = Packed(rows, [sign * top, 0, sign], largest)
    slots = packed.combine([7, 1])
    expected = [sign * (8 * top + 3), 0, sign * (4 - 7 * top)]
    assert [packed.number(slots, j) for j in range(3)] == expected
    assert packed.size % 8 == 0
    assert len(slots) == 3 * packed.size
    assert [packed.number(packed.combine([0, 0]), j) for j in range(3)] == [sign * top, 0, sign]


@pytest.mark.parametrize("seed", range(6))
def test_a_contest_is_decided_below_the_highest_64_bits(seed: int) -> None:
    """Numbers of 200 bits that differ in the last bit, or not at all."""
    rng = random.Random(seed)
    base = rng.randint(-(2**200), 2**200)
    for _ in range(100):
        values = [base + rng.choice([-1, 0, 0, 1, -(2**199)]) for _ in range(5)]
        packed = Packed([], values, [])
        slots = packed.combine([])
        for z in range(5):
            best = [j for j, value in enumerate(values) if value == max(values)]
            lead = values[z] - max(value for j, value in enumerate(values) if j != z)
            assert packed.contest(slots, z) == (best[0] if len(best) == 1 else -1, lead)


def test_a_contest_among_the_least_numbers_that_fit() -> None:
    """All highest words are 0; the second number leads by 1."""
    least = -(2**200 - 1)
    packed = Packed([], [least, least + 1, least], [])
    assert [packed.contest(packed.combine([]), z) for z in range(3)] == [(1, -1), (1, 1), (1, -1)]


def matrix(rng: random.Random, rows: int, columns: int, bits: int) -> Matrix:
    return Matrix([[rng.randint(-(2**bits), 2**bits) for _ in range(columns)] for _ in range(rows)], bits)


@pytest.mark.parametrize("seed", range(6))
def test_a_folded_layer_is_the_product_and_its_sizes_the_product_of_absolute_values(seed: int) -> None:
    rng = random.Random(seed)
    a, b = matrix(rng, 3, 4, 20 * seed), matrix(rng, 4, 2, 60)
    product, sizes = fold(a, b)
    for x in range(3):
        for i in range(2):
            terms = [a.rows[x][k] * b.rows[k][i] for k in range(4)]
            assert product.rows[x][i] == sum(terms)
            assert sizes.rows[x][i] == sum(map(abs, terms))
    assert product.bits == sizes.bits == 20 * seed + 60
    alone, sizes = fold(a)
    assert alone == a
    assert (sizes.rows, sizes.bits) == ([[abs(v) for v in row] for row in a.rows], a.bits)
    assert a.at(a.bits + 3) == [[8 * v for v in row] for row in a.rows]


class Random:
    """A small network, its weights as fractions, and the lengths of its sums; the first output's bias is `lead` units more."""

    def __init__(self, seed: int, lead: int) -> None:
        rng = random.Random(seed)
        self.bits, self.vote_bits = rng.choice([(0, 60), (3, 40), (30, 30), (130, 20), (200, 60)])
        size = 2**self.bits
        self.n, self.m = rng.choice([(2, 1), (2, 3), (3, 4)])
        self.K, self.M = rng.choice([2, 20, 129]), self.m + rng.choice([0, 1, 500])

        def draw(rows: int, columns: int, unit: int, scale: int) -> list[list[int]]:
            return [[rng.randint(-scale, scale) * unit // 8 for _ in range(columns)] for _ in range(rows)]

        unit = max(1, size // 2 ** rng.choice([0, 0, 140]))
        self.L, self.R = draw(self.n, self.m, 8 * unit, 9), draw(self.n, self.m, 8 * unit, 9)
        for i in range(self.m):  # at (0, 0) a neuron is silent by less, or by a little more, than float32 may err
            if self.bits >= 30 and rng.random() < 0.5:
                self.R[0][i] = -self.L[0][i] - rng.randint(0, 3 * self.K * abs(self.L[0][i]) >> 24)
        self.A, self.B = ([[abs(v) + rng.randint(0, 3) * unit for v in row] for row in side] for side in (self.L, self.R))
        self.U = draw(self.m, self.n, 8 * 2 ** (self.vote_bits - 10), 900)
        self.b = [rng.choice([0, 1, -5]) * size * 2 ** (self.vote_bits - 3) for _ in range(self.n)]
        for x in range(1, self.n):  # outputs that nearly tie with the first
            for row in self.U:
                row[x] = row[0] + rng.randint(-1, 1)
            self.b[x] = self.b[0] + rng.randint(-3, 3)
        self.b[0] += lead
        self.network = Network(self.L, self.R, self.U, self.b, self.bits, self.vote_bits)
        self.forward = Forward(self.network, self.A, self.B, (self.K, self.M))

    def logits(self, x: int, y: int) -> list[Fraction]:
        """From the definition."""
        unit = Fraction(1, 2 ** (self.bits + self.vote_bits))
        hidden = [max(0, a + b) for a, b in zip(self.L[x], self.R[y], strict=True)]
        return [unit * (sum(h * row[z] for h, row in zip(hidden, self.U, strict=True)) + self.b[z]) for z in range(self.n)]

    def errors(self, x: int, y: int) -> list[Fraction]:
        """E_z, from the first two lines of the formula in the docstring of `Forward`."""
        p_unit, u_unit = Fraction(1, 2**self.bits), Fraction(1, 2**self.vote_bits)
        found = []
        for z in range(self.n):
            through, again = Fraction(0), abs(self.b[z]) * p_unit * u_unit + TINY
            for i in range(self.m):
                p, A = (self.L[x][i] + self.R[y][i]) * p_unit, (self.A[x][i] + self.B[y][i]) * p_unit
                e = self.K * (A + TINY) / (2**24 - self.K) + min(p, Fraction(0))
                if e > 0:
                    through += e * abs(self.U[i][z]) * u_unit
                    again += (max(p, Fraction(0)) + e) * abs(self.U[i][z]) * u_unit
            found.append(through + self.M * again / (2**24 - self.M))
        return found

    def checked(self, x: int, y: int) -> bool:
        """Whether output 0 is firm at (x, y), to the checker."""
        return self.forward.firm(x, y, 0, self.network.logits(x, y))

    def firm(self, x: int, y: int) -> tuple[bool, bool]:
        """Whether output 0 is firm at (x, y), to the checker and by fractions."""
        logits, errors = self.logits(x, y), self.errors(x, y)
        twin = all(logits[0] - logits[w] > errors[0] + errors[w] for w in range(1, self.n))
        return self.checked(x, y), twin


@pytest.mark.parametrize("seed", range(40))
def test_an_answer_becomes_firm_in_float32_at_the_same_unit_as_in_fractions(seed: int) -> None:
    """The least lead, in units of the logits, with which the first output is firm: found by bisection, the same for both."""
    for x, y in [(0, 0), (1, 0)]:
        low, high = 0, 1
        while not Random(seed, high).checked(x, y):
            low, high = high, 2 * high
            assert high < 2**400
        while high - low > 1:
            middle = (low + high) // 2
            if Random(seed, middle).checked(x, y):
                high = middle
            else:
                low = middle
        assert Random(seed, high).firm(x, y) == (True, True)
        assert low == 0 or Random(seed, low).firm(x, y) == (False, False)


@pytest.mark.parametrize("seed", range(20))
def test_logits_and_the_least_lead_are_those_of_fractions(seed: int) -> None:
    made = Random(seed, 0)
    for x in range(made.n):
        for y in range(made.n):
            slots, unit = made.network.logits(x, y), Fraction(1, 2 ** (made.bits + made.vote_bits))
            assert [unit * made.network.packed.number(slots, z) for z in range(made.n)] == made.logits(x, y)


def overflows(left: int, right: int, vote: int, bias: int) -> bool:
    """Of a network over two elements with one neuron, weights in units of 2^-2, votes of 2^-3, and another row and output of 0."""
    L, R, U, b = [[0], [left]], [[right], [0]], [[0, vote]], [bias, 0]
    network = Network(L, R, U, b, 2, 3)
    A: Any = [[abs(v) for v in row] for row in L]
    B: Any = [[abs(v) for v in row] for row in R]
    return bool(Forward(network, A, B, (2, 1)).overflows)


def test_sums_of_2_to_126_may_overflow_and_less_may_not() -> None:
    """In a pre-activation over 2^2, and in a logit over 2^5 with its bias."""
    half = 2 ** (125 + 2)
    assert overflows(half, half, 0, 0)
    assert overflows(half, -half, 0, 0)
    assert not overflows(half, half - 1, 0, 0)
    assert overflows(2**2, 0, 2 ** (126 + 3), 0)
    assert not overflows(2**2, 0, 2 ** (126 + 3) - 1, 0)
    assert overflows(0, 0, 0, -(2 ** (126 + 5)))
    assert not overflows(0, 0, 0, 2 ** (126 + 5) - 1)
