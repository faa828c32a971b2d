"""Numbers as a report writes them; every function takes what JSON holds and returns text."""

import math
import re
from collections.abc import Callable
from decimal import MAX_EMAX, MIN_EMIN, Decimal, localcontext
from fractions import Fraction
from typing import Any


def count(value: int) -> str:
    """14400 as "14,400"."""
    return f"{value:,}"


def share(value: float | None) -> str:
    """0.9951 as "99.5 %", never rounded up to 100 % or down to 0 %; None as a dash."""
    if value is None:
        return "–"
    if 0 < value < 0.0005:
        return "<0.1 %"
    percent = f"{100 * value:.1f}"
    if percent == "100.0" and value < 1:
        percent = "99.9+"
    return f"{percent} %"


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
    if fraction and (near == 0 or math.isinf(near)):  # beyond float64: digits and exponent from exact integers
        with localcontext() as context:
            context.prec, context.Emax, context.Emin = 30, MAX_EMAX, MIN_EMIN
            return f"{Decimal(fraction.numerator) / Decimal(fraction.denominator):.3e}"
    return decimal(near)


def decimal(value: float | None) -> str:
    """Four significant digits; None as a dash."""
    return "–" if value is None else f"{value:.4g}"


def power(value: int) -> str:
    """123456789 as "1.23e8"; below a million as it is."""
    if abs(value) < 10**6:
        return count(value)
    mantissa, exponent = f"{value:.2e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def seconds(value: float | None) -> str:
    """A time to three digits; None as a dash."""
    return "–" if value is None else f"{value:.3g} s"


def rounded(text: str) -> str:
    """A sentence with its long fractions rounded to four digits: "at most 58583748/2097152" as "at most ≈27.93"."""
    return re.sub(r"-?\d+/\d{4,}", lambda match: f"≈{rational(match[0])}", text)


def sentence(text: str) -> str:
    """Upper-case first letter and a full stop at the end."""
    return text[:1].upper() + text[1:].rstrip(".") + "." if text else ""


def literal(text: str) -> str:
    """Text that Markdown shows as it is, in a table too: S5[6]#4 is the name of a subgroup."""
    return "".join(f"\\{c}" if c in "\\*_|<[`" else c for c in text)


FILTERS: dict[str, Callable[[Any], str]] = {
    "n": count,
    "share": share,
    "portion": portion,
    "rational": rational,
    "g": decimal,
    "power": power,
    "seconds": seconds,
    "rounded": rounded,
    "sentence": sentence,
    "md": literal,
}
