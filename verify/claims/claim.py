"""What every claim has in common: where it was made, the published figure, the bounds it sets, and the outcome of a decision.

Verdicts. PROVED and REFUTED are statements about the network's exact weights, decided by integers or by a float computation with a
derived bound, never by a float alone; REFUTED comes with a counterexample in cycle notation that anyone can replay. MEASURED puts
our figure beside the claimed one and says no more; ``agrees`` tells whether the two are within the claim's own tolerance or bounds.
UNKNOWN: the method is sufficient only, and did not suffice. SKIPPED: the claim is about other groups or other networks.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Annotated, Any, Literal

import msgspec
import numpy as np

from algebra.group import FiniteGroup

Verdict = Literal["PROVED", "REFUTED", "MEASURED", "UNKNOWN", "SKIPPED"]
Element = str
Index = Annotated[int, msgspec.Meta(ge=0)]
Seed = Annotated[int, msgspec.Meta(ge=0)]
Positive = Annotated[float, msgspec.Meta(gt=0)]
NonNegative = Annotated[float, msgspec.Meta(ge=0)]
Figure = float | dict[str, float]
Counterexample = dict[str, Any]


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
    figures: dict[str, Any] = {}
    counterexample: Counterexample | None = None
    agrees: bool | None = None


class Claim(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """Keys of every kind.

    Attributes:
        id: a short name, unique in the file.
        says: the claim in a sentence.
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

    def measured(self, figure: float | None, finding: str, **figures: Any) -> Outcome:
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
        if found.get("at_least", Fraction(0)) > found.get("at_most", found.get("at_least", Fraction(0))):
            raise Mistake("at_least", "expected 'at_least' of at most 'at_most', got more")
        return found

    def broken(self, value: Fraction | float) -> str | None:
        """The bound that the value breaks, or None."""
        for key, bound in self.bounds.items():
            fits = {"at_least": value >= bound, "at_most": value <= bound, "exactly": value == bound}[key]
            if not fits:
                return key
        return None

    def decided(self, value: Fraction, finding: str, counterexample: Callable[[bool], Counterexample], **figures: Any) -> Outcome:
        """PROVED or REFUTED by an exact value; MEASURED when the claim sets no bound.

        ``counterexample`` is called with whether the value is too small, and gives instances with the value.
        """
        if not self.bounds:
            return self.measured(float(value), finding, **figures)
        key = self.broken(value)
        if key is None:
            return Outcome("PROVED", finding, float(value), figures)
        shown = counterexample(value < self.bounds[key]) | {"value": str(value), "claimed": f"{key} {self.bounds[key]}"}
        return Outcome("REFUTED", finding, float(value), figures, shown)

    def weighed(self, figure: float, finding: str, **figures: Any) -> Outcome:
        """MEASURED whatever the bounds: a float figure proves nothing, but it may agree with them."""
        plain = self.measured(figure, finding, **figures)
        if not self.bounds or not np.isfinite(figure):
            return plain
        return msgspec.structs.replace(plain, agrees=self.broken(figure) is None)


def _rational(key: str, value: Rational) -> Fraction:
    try:
        return Fraction(value) if isinstance(value, str) else Fraction(repr(value))
    except (ValueError, ZeroDivisionError) as error:
        raise Mistake(key, f"expected a number or a fraction such as '7/120', got {value!r:.40}") from error


def word(group: FiniteGroup, element: int) -> str:
    """An element in cycle notation; "a tie" for -1."""
    return "a tie" if element < 0 else group.word(int(element))


def pair_shown(group: FiniteGroup, x: int, y: int, answer: int, expected: int) -> Counterexample:
    """A pair, what the network answers there, and what was expected."""
    return {
        "x": word(group, x),
        "y": word(group, y),
        "answer": word(group, answer),
        "expected": word(group, expected),
    }


def percent(value: float | Fraction) -> str:
    """A share for people, with enough digits that 99.99 % and 100 % stay apart."""
    return f"{float(value) * 100:.6g} %"
