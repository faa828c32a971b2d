"""Networks over S3 made to fool floating point, each with both verdicts: exact, and float32 in any order of summation.

    python tests/verify/adversarial_cases.py

prints the table in docs/adversarial.md. Each network is right at 35 pairs by a margin of 2, with 3 votes for the product. At the
pair PAIR some neurons more are active, which give votes to the product and to RIVAL, an element with one vote.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from algebra.group import parse_group
from net.folded import FoldedNetwork, folded_network
from net.weights import Weights
from verify.exact.exhaustive import correct_pairs, evaluate, smallest_margin
from verify.exact.float32 import float32_proved

S3 = parse_group("S3")
PAIR = (2, 4)
PRODUCT = int(S3.mul[PAIR])
RIVAL = next(z for z in range(6) if z != PRODUCT and (S3.elements[z] == S3.elements[PRODUCT]).any())
ORDERS = 500
TINY, ULP = 2.0**-149, 2.0**-22  # the least float32; the distance of float32 numbers from 2 to 4
TENTH, FIFTH, THREE_TENTHS, SEVEN_TENTHS = (float(np.float32(value)) for value in (0.1, 0.2, 0.3, 0.7))
#: (L, R) at the pair of a neuron that is 1 there, 1 + 2^-24 (which float32 rounds to 1), or 2^-149
HUGE = 2.0**120
ONE, NEARLY_ONE, LEAST = (2.0, -1.0), (2.0, -1.0 + 2.0**-24), (2 * TINY, -TINY)


@dataclass(frozen=True)
class Case:
    """Votes of the neurons that are active at the pair alone, and the product's exact lead over the rival there, by hand."""

    name: str
    product: list[float]
    rival: list[float]
    lead: Fraction
    neurons: tuple[tuple[float, float], ...] = ()


def tiny(power: int, times: int = 1) -> Fraction:
    """So many times a power of two."""
    return times * Fraction(2) ** power


CASES = [
    Case("margin of 2^-12", [], [2 - 2.0**-12], tiny(-12)),
    Case("margin of one unit in the last place", [], [2 - ULP], tiny(-22)),
    Case("wrong by one unit in the last place", [], [2 + ULP], tiny(-22, -1)),
    Case("exact tie", [], [2], Fraction(0)),
    Case("tie of equal sums in two orders", [TENTH, FIFTH, SEVEN_TENTHS, 0], [SEVEN_TENTHS, TENTH, FIFTH, 2], Fraction(0)),
    Case(
        "tie in decimals, none in binary: 0.3 against 0.1 + 0.2",
        [THREE_TENTHS, 0, 0, 0], [0, TENTH, FIFTH, 2], Fraction(THREE_TENTHS) - Fraction(TENTH) - Fraction(FIFTH),
    ),
    Case("huge weights cancel, and a denormal decides, rightly", [HUGE, 0, 0, -HUGE], [HUGE, 2, -TINY, -HUGE], tiny(-149)),
    Case("huge weights cancel, and a denormal decides, wrongly", [HUGE, 0, 0, -HUGE], [HUGE, 2, TINY, -HUGE], tiny(-149, -1)),
    Case("2^-149 times 2^-149 decides, which float32 rounds to 0", [0, TINY], [2, 0], tiny(-298), (ONE, LEAST)),
    Case("votes lost in 2^26: right, but not in every order", [2.0**26, -(2.0**26)], [0, 0], Fraction(2)),
    Case("votes lost in 2^24: wrong, but not in every order", [0] * 5, [2.0**24, 1, 1, 0.5, -(2.0**24)], Fraction(-1, 2)),
    Case(
        "wrong, and float32 gives the right answer in every order tried",
        [1 + 2.0**-23 - 3, 0, 0, 0], [0, 1, 2.0**-24, -1], tiny(-48, -1), (ONE, NEARLY_ONE, NEARLY_ONE, ONE),
    ),
    Case(
        "right, and float32 gives a wrong answer in every order tried",
        [0, 1, 2.0**-24, -3], [1 + 2.0**-23 - 1, 0, 0, 0], tiny(-48), (ONE, NEARLY_ONE, NEARLY_ONE, ONE),
    ),
    Case("sums that can overflow: no statement about float32", [2.0**127, -(2.0**127)], [0, 0], Fraction(2)),
]  # fmt: skip


def arrays(case: Case) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """L, R, U: three votes for the product everywhere (neuron (i, c, k): x(i) = c and y(c) = k), then the case's neurons."""
    i, c, k = (axis.ravel() for axis in np.meshgrid(*[np.arange(3)] * 3, indexing="ij"))
    L, R = (S3.elements[:, i] == c).astype(float), (S3.elements[:, c] == k).astype(float) - 1
    U = (S3.elements[:, i] == k).T.astype(float)
    for (left, right_), own, other in zip(case.neurons or (ONE,) * len(case.rival), case.product or [0], case.rival, strict=True):
        column, row = np.zeros((6, 1)), np.full((6, 1), -2 * left)
        column[PAIR[0]], row[PAIR[1]] = left, right_
        votes = np.zeros((1, 6))
        votes[0, PRODUCT], votes[0, RIVAL] = own, other
        L, R, U = np.hstack([L, column]), np.hstack([R, row]), np.vstack([U, votes])
    return L, R, U


def network(case: Case) -> FoldedNetwork:
    """The case as a network."""
    return folded_network(S3, Weights.from_arrays(*arrays(case)))


def float32_answers(case: Case) -> set[str]:
    """What float32 answers at the pair when the neurons are added up from left to right, and in many random orders."""
    L, R, U = (array.astype(np.float32) for array in arrays(case))
    terms = np.maximum(L[PAIR[0]] + R[PAIR[1]], 0)[:, None] * U
    rng = np.random.default_rng(0)
    found = set()
    with np.errstate(over="ignore", invalid="ignore"):
        for k in range(ORDERS):
            total = np.zeros(6, np.float32)
            for term in terms if k == 0 else terms[rng.permutation(len(terms))]:
                total = total + term
            best = np.flatnonzero(total == total.max())
            assert len(best), "no sum of these cases is infinity less infinity"
            found.add("tie" if len(best) > 1 else "right" if best[0] == PRODUCT else "wrong")
    return found


def verdicts(case: Case) -> list[str]:
    """The case's line of the table."""
    net = network(case)
    evaluation = evaluate(net.weights, S3.mul)
    good = correct_pairs(evaluation, S3.mul)
    at = "right" if good[PAIR] else "tie" if evaluation.answer[PAIR] < 0 else "wrong"
    proved = float32_proved(net, evaluation)
    smallest = smallest_margin(net.weights, evaluation, S3.mul)
    assert smallest is not None
    any_order = "no statement" if proved is None else f"{(proved & good).sum()} of 36"
    return [case.name, at, f"{good.sum()} of 36", power(smallest[0]), any_order, ", ".join(sorted(float32_answers(case)))]


def power(value: Fraction) -> str:
    """A fraction in short: a power of two as such."""
    exact = value.numerator == 1 and value.denominator & (value.denominator - 1) == 0 and value.denominator > 1
    return f"2^-{value.denominator.bit_length() - 1}" if exact else f"{float(value):.3g}"


def table() -> str:
    """All cases, as the page shows them."""
    heads = ["network", "exact, at the pair", "exact, right pairs", "smallest right margin", "proved in float32, any order",
             f"float32 at the pair, {ORDERS} orders"]  # fmt: skip
    lines = [heads, ["---"] * len(heads), *map(verdicts, CASES)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    print(table(), end="")
