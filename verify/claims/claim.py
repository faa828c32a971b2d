"""What every claim has in common: where it was made, the published figure, the bounds it sets, and the outcome of a decision.

Verdicts. PROVED and REFUTED are statements about the network's exact weights, decided by integers or by a float computation with a
derived bound, never by a float alone; REFUTED comes with a counterexample in cycle notation that anyone can replay. MEASURED puts
our figure beside the claimed one and says no more; ``agrees`` tells whether the two are within the claim's own tolerance or bounds.
A claim about neurons that a float chose (by their labels, say) is MEASURED even where everything after the choice is exact.
UNKNOWN: the method leaves the answer open: it is sufficient only, or rounding leaves the number between two that decide differently.
SKIPPED: the claim is about other groups or other networks.

What was decided is said by ``Claim.statement``, which is made from the keys that the decision used; the author's own sentence
(``says``) is quoted as such and vouched for by nobody.
"""

import difflib
import math
import re
from collections.abc import Callable, Iterable
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Annotated, Literal, Self

import msgspec
import numpy as np

from algebra.group import FiniteGroup
from algebra.plural import plural

#: The most characters of a bound that is written as a string.
_LONGEST = 200
Verdict = Literal["PROVED", "REFUTED", "MEASURED", "UNKNOWN", "SKIPPED"]
Element = str
Index = Annotated[int, msgspec.Meta(ge=0)]
Seed = Annotated[int, msgspec.Meta(ge=0)]
Positive = Annotated[float, msgspec.Meta(gt=0)]
NonNegative = Annotated[float, msgspec.Meta(ge=0)]
Figure = float | dict[str, float]
Counterexample = dict[str, object]


class Mistake(Exception):  # noqa: N818 - a mistake in somebody's claims file, not an error of ours
    """Something in a claim that no network could make sense of: which key, what was expected and what came."""

    def __init__(self, key: str, sentence: str) -> None:
        super().__init__(sentence)
        self.key = key


class Outcome(msgspec.Struct, frozen=True):
    """What came of one claim.

    Attributes:
        verdict: see the module's docstring.
        finding: one sentence.
        figure: the figure that corresponds to the published one, where there is one.
        figures: further figures by name.
        counterexample: for REFUTED, what refutes the claim, in cycle notation.
        agrees: for MEASURED, whether our figure is the claimed one within the claim's bounds or tolerance.

    """

    verdict: Verdict
    finding: str
    figure: float | None = None
    figures: dict[str, object] = {}
    counterexample: Counterexample | None = None
    agrees: bool | None = None


class Claim(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """Keys of every kind.

    Attributes:
        id: a short name, unique in the file.
        says: the claim in the author's words; quoted, not decided.
        place: section, table or figure where it was made.
        published: the figure in print.
        tolerance: how far a measured figure may be from the published one to agree with it.
        erratum: what is known to be wrong in print.
        note: how the claim was made decidable.
        groups: groups that the claim is about; all when left out.

    """

    id: str = ""
    says: str = ""
    place: str = ""
    published: Figure | None = None
    tolerance: NonNegative | None = None
    erratum: str = ""
    note: str = ""
    groups: tuple[str, ...] = ()

    def statement(self) -> str:
        """What is decided, in a sentence made from the claim's own keys."""
        raise NotImplementedError

    def check(self) -> None:
        """Look for what makes the claim senseless before any network is read.

        Raises:
            Mistake: bounds that contradict each other or that no network can fail.

        """

    def measured(self, figure: float | None, finding: str, **figures: object) -> Outcome:
        """MEASURED, in agreement when the figure is within ``tolerance`` of the published one."""
        agrees = None
        if figure is not None and isinstance(self.published, float | int) and self.tolerance is not None:
            agrees = bool(abs(figure - self.published) <= self.tolerance)
        return Outcome("MEASURED", finding, figure, figures, None, agrees)


Rational = float | str


class Bounded(Claim, frozen=True, kw_only=True):
    """A claim about one number, which may be bounded by ``at_least``, ``at_most`` or ``exactly`` (numbers, or strings like "7/120")."""

    at_least: Rational | None = None
    at_most: Rational | None = None
    exactly: Rational | None = None

    def quantity(self) -> str:
        """The number that the claim is about, in words."""
        raise NotImplementedError

    def attainable(self) -> tuple[Fraction, Fraction | None]:
        """The least and the greatest value that the number can have on any network; None where there is no greatest one."""
        return Fraction(0), Fraction(1)

    def claims_all(self) -> bool:
        """Whether the claim is "all of them" where it sets no bound and quotes no figure."""
        return False

    def statement(self) -> str:
        """The number and its bounds: "the share of ... is at least 0.9"."""
        words = {"at_least": "at least", "at_most": "at most", "exactly": "exactly"}
        claim = self.with_bound()
        given = [f"{words[key]} {getattr(claim, key)}" for key in words if getattr(claim, key) is not None]
        return f"{self.quantity()} is {' and '.join(given)}" if given else f"{self.quantity()}: a figure without a bound"

    def check(self) -> None:
        """Refuse bounds that contradict each other, bounds that hold of every network, and those that hold of none."""
        least, greatest = self.attainable()
        bounds = self.bounds
        range_ = f"a number of at least {least}" + ("" if greatest is None else f" and at most {greatest}")
        for key, bound in bounds.items():
            if (key != "at_most" and greatest is not None and bound > greatest) or (key != "at_least" and bound < least):
                share = "; shares are written as 0.95, not as 95" if greatest == 1 and 1 < bound <= 100 else ""
                raise Mistake(key, f"expected a bound that a network can keep to, got {key} = {bound} for {range_}{share}")
        idle = {
            key: (key == "at_least" and bound <= least) or (key == "at_most" and greatest is not None and bound >= greatest)
            for key, bound in bounds.items()
        }
        if idle and all(idle.values()):
            key = next(iter(idle))
            raise Mistake(key, f"expected a bound that a network can fail, got {key} = {bounds[key]} for {range_}")

    @property
    def bounds(self) -> dict[str, Fraction]:
        """The bounds as exact rationals: a decimal number means the decimal, 0.1 is 1/10.

        Raises:
            Mistake: a bound is no rational number, or ``exactly`` stands beside another one.

        """
        given = {"at_least": self.at_least, "at_most": self.at_most, "exactly": self.exactly}
        found = {key: _rational(key, value) for key, value in given.items() if value is not None}
        if "exactly" in found and len(found) > 1:
            raise Mistake("exactly", "expected 'exactly' alone, got another bound beside it")
        if "at_least" in found and "at_most" in found and found["at_least"] > found["at_most"]:
            raise Mistake("at_least", "expected 'at_least' of at most 'at_most', got more")
        return found

    def with_bound(self) -> Self:
        """The claim itself, or with ``at_least = 1`` where it sets no bound, quotes no figure and is about all of them."""
        if self.bounds or self.published is not None or not self.claims_all():
            return self
        return msgspec.structs.replace(self, at_least=1)

    def broken(self, value: Fraction | float) -> str | None:
        """The bound that the value breaks, or None."""
        for key, bound in self.bounds.items():
            fits = {"at_least": value >= bound, "at_most": value <= bound, "exactly": value == bound}[key]
            if not fits:
                return key
        return None

    def decided(self, value: Fraction, finding: str, counterexample: Callable[[bool], Counterexample], **figures: object) -> Outcome:
        """PROVED or REFUTED by an exact value; MEASURED when the claim sets no bound.

        ``counterexample`` is called with whether the value is too small, and gives instances with the value.
        """
        return self.decided_between(value, value, finding, counterexample, **figures)

    def decided_between(
        self, low: Fraction, high: Fraction, finding: str, counterexample: Callable[[bool], Counterexample], **figures: object
    ) -> Outcome:
        """The verdict on a number of which only low <= number <= high is proved; the figure reported is ``low``.

        PROVED when every value in between is within the bounds, REFUTED when every one breaks the same bound, else UNKNOWN; MEASURED
        when the claim sets no bound. ``counterexample`` is called with whether the number is too small.
        """
        claim = self.with_bound()
        if not claim.bounds:
            return self.measured(as_float(low), finding, **figures)
        for key, bound in claim.bounds.items():
            too_small, too_large = key != "at_most" and high < bound, key != "at_least" and low > bound
            if too_small or too_large:
                value = str(low) if low == high else f"between {low} and {high}"
                shown = counterexample(too_small) | {"value": value, "claimed": f"{key} {bound}"}
                return Outcome("REFUTED", finding, as_float(low), figures, shown)
        if claim.broken(low) is None and claim.broken(high) is None:
            return Outcome("PROVED", finding, as_float(low), figures)
        return Outcome("UNKNOWN", f"{finding}; proved only that the number is between {low} and {high}", as_float(low), figures)

    def weighed(self, figure: float, finding: str, **figures: object) -> Outcome:
        """MEASURED whatever the bounds: a float figure proves nothing, but it may agree with them; SKIPPED where it is 0 / 0."""
        if np.isnan(figure):
            return Outcome("SKIPPED", "no neuron is live, or what is compared does not vary, so there is nothing to take a share of")
        plain = self.measured(figure, finding, **figures)
        claim = self.with_bound()
        if not claim.bounds or not np.isfinite(figure):
            return plain
        return msgspec.structs.replace(plain, agrees=claim.broken(figure) is None)


def chosen_by_floats(outcome: Outcome, what: str) -> Outcome:
    """An exact decision about something that floats chose (``what``, in words): MEASURED, which agrees or does not."""
    if outcome.verdict not in ("PROVED", "REFUTED"):
        return outcome
    agrees = outcome.verdict == "PROVED"
    figures = outcome.figures | ({"instance": outcome.counterexample} if outcome.counterexample else {})
    return Outcome("MEASURED", f"{outcome.finding}; {what}, so this is measured", outcome.figure, figures, None, agrees)


def _rational(key: str, value: Rational) -> Fraction:
    if isinstance(value, str) and (len(value) > _LONGEST or re.search(r"e[+-]?\d{4}", value, re.IGNORECASE)):
        raise Mistake(key, f"expected at most {_LONGEST} characters and an exponent of at most three digits, got {value!r:.40}")
    try:
        return Fraction(value) if isinstance(value, str) else Fraction(repr(value))
    except (ValueError, ZeroDivisionError) as error:
        raise Mistake(key, f"expected a number or a fraction such as '7/120', got {value!r:.40}") from error


def word(group: FiniteGroup, element: int) -> str:
    """An element in cycle notation; "a tie" for -1."""
    return "a tie" if element < 0 else group.word(int(element))


def pair_shown(group: FiniteGroup, x: int, y: int, answer: int, expected: int) -> Counterexample:
    """A pair, what the network answers there, and what was expected; the same in a sentence under ``words``."""
    pair: Counterexample = {"x": word(group, x), "y": word(group, y), "answer": word(group, answer), "expected": word(group, expected)}
    return pair | {"words": f"at x = {pair['x']}, y = {pair['y']} the answer is {pair['answer']}, compared with {pair['expected']}"}


def tied(count: int) -> str:
    """What a formula does that prefers some outputs to all others, but none of these to another, at any pair."""
    return f"ties {plural(count, 'output')}, which is no answer"


def nearest(name: str, known: Iterable[str]) -> str:
    """The end of a sentence that asks for the nearest known name; nothing where none is near."""
    found = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {found[0]!r}?" if found else ""


def number_list(numbers: Iterable[int], most: int = 12) -> str:
    """Numbers for people: "3, 5, 8", with a count in place of those after the first ``most``."""
    listed = [str(int(i)) for i in numbers]
    return ", ".join(listed[:most]) + (f" and {len(listed) - most} more" if len(listed) > most else "") or "none"


def as_float(value: Fraction) -> float:
    """The nearest float64, infinite where the number is beyond all of them."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def percent(value: float | Fraction) -> str:
    """A share for people, to six digits; "100 %" is all of it, and what is nearly all is "over 99.9999 %"."""
    text = f"{float(value) * 100:.6g} %"
    return "over 99.9999 %" if text == "100 %" and value < 1 else text


def told_apart(value: Fraction, *bounds: Fraction) -> str:
    """A decimal of the value, of three significant digits or as many more as show whether it is above each bound."""
    with localcontext() as context:
        for digits in range(3, 400):
            context.prec = digits
            near = (Decimal(value.numerator) / Decimal(value.denominator)).normalize()
            text = f"{near:f}" if not near or 1e-6 <= abs(near) < 10**12 else f"{near:g}"
            if all((Fraction(text) > bound) == (value > bound) for bound in bounds):
                return text
    return str(value)


def loss_words(value: float) -> str:
    """A loss for people, to four digits; networks and noise near the largest float have losses that no float64 holds.

    NaN is one that is not known (`verify.compare.loss`).
    """
    if math.isnan(value):
        return "not known, since float64 does not hold it"
    return f"{value:.4g}" if math.isfinite(value) else "beyond float64"
