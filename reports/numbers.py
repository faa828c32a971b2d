"""Numbers as a report writes them; every function takes what JSON holds and returns plain text, which the template escapes."""

import math
import re
import sys
from decimal import MAX_EMAX, MIN_EMIN, ROUND_FLOOR, Decimal, localcontext
from fractions import Fraction

from reports.records import Record


def count(value: int) -> str:
    """14400 as "14,400"."""
    return f"{value:,}"


def plural(number: int, one: str, many: str | None = None) -> str:
    """A number with its noun: 1 circuit, 36 circuits."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


def share(value: float | None) -> str:
    """0.9951 as "99.5 %"; "100 %" is all and "0 %" nothing, "over 99.9 %" and "less than 0.1 %" what is near; None as a dash.

    A variance explained that is negative is "none": the mean would explain more. ValueError for what no float64 holds a hundred times.
    """
    if value is None:
        return "–"
    if not math.isfinite(100 * value):
        raise ValueError(f"expected a share, got {value:g}")
    if value < 0:
        return "none"
    if value in (0, 1):
        return f"{100 * value:.0f} %"
    percent = f"{100 * value:.1f}"
    if percent == "0.0":
        return "less than 0.1 %"
    return "over 99.9 %" if percent == "100.0" else f"{percent} %"


def portion(value: float | None) -> str:
    """A share, or a number of pairs when it is an integer: 0.91 as "91.0 %", 14400 as "14,400"."""
    return count(value) if isinstance(value, int) else share(value)


def rational(value: str | None) -> str:
    """An exact "p/q" rounded to four digits, "0" only when it is 0; None as a dash."""
    if value is None:
        return "–"
    fraction = Fraction(value)
    try:
        near = float(fraction)
    except OverflowError:
        near = math.inf
    if fraction and (abs(near) < sys.float_info.min or math.isinf(near)):  # beyond float64: digits and exponent from exact integers
        with localcontext() as context:
            context.prec, context.Emax, context.Emin = 30, MAX_EMAX, MIN_EMIN
            return f"{Decimal(fraction.numerator) / Decimal(fraction.denominator):.3e}"
    return decimal(near)


def at_least(numerator: int, denominator: int) -> str:
    """A positive quotient rounded down to four digits: what is said to be at least this is."""
    with localcontext() as context:
        context.prec, context.rounding, context.Emax, context.Emin = 4, ROUND_FLOOR, MAX_EMAX, MIN_EMIN
        return f"{Decimal(numerator) / Decimal(denominator):g}"


def decimal(value: float | None) -> str:
    """Four significant digits; None as a dash."""
    return "–" if value is None else f"{value:.4g}"


def power(value: int) -> str:
    """123456789 as "1.23e8"; below a million as it is."""
    if abs(value) < 10**6:
        return count(value)
    mantissa, exponent = f"{value:.2e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def power_of_two(exponent: int) -> str:
    """1,024 for 10, and "2^39" for what has more digits than a reader counts."""
    return count(2**exponent) if exponent <= 20 else f"2^{exponent}"


def ratio_of(part: int, whole: int) -> str:
    """59 of 442 as "1/7.5", "1/1" of all; more than all as "1.2 times"."""
    if not part:
        return "none"
    return f"1/{whole / part:.3g}" if part <= whole else f"{part / whole:.3g} times"


def seconds(value: float | None) -> str:
    """A time to three digits; None as a dash."""
    return "–" if value is None else f"{value:.3g} s"


def rounded(text: str) -> str:
    """A sentence with its long fractions rounded to four digits: "at most 58583748/2097152" as "at most ≈27.93"."""
    return re.sub(r"-?\d+/\d{4,}", lambda match: f"≈{rational(match[0])}", text)


def sentence(text: str) -> str:
    """Upper-case first letter and a full stop at the end."""
    return text[:1].upper() + text[1:].rstrip(".") + "." if text else ""


def squares(program: Record) -> bool:
    """Whether a program's neurons square what they read, in place of relu."""
    return bool(program["format"] == "coset-voting program 3")


def logit_bits(program: Record) -> int:
    """Votes and the bias are integers over 2 to this power."""
    read = int(program["preactivation_bits"] + program.get("scale_bits", 0))
    return (2 if squares(program) else 1) * read + int(program["vote_bits"])
