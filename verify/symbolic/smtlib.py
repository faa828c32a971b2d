"""SMT-LIB 2 text: rationals, sums and files, written so that the same obligation always gives the same bytes.

Only exact numbers are written: integers as numerals, rationals as quotients of numerals.
The scripts keep to the standard (SMT-LIB 2.6), so that any solver can run them; several ``check-sat`` in one script are separated by
``push`` and ``pop``.
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction


def real(value: Fraction | int) -> str:
    """A rational as a term of sort Real: 3.0, (- 3.0), (/ 3.0 4.0), (- (/ 3.0 4.0))."""
    if isinstance(value, int):  # most are
        return f"{value}.0" if value >= 0 else f"(- {-value}.0)"
    top, bottom = abs(value.numerator), value.denominator
    term = f"{top}.0" if bottom == 1 else f"(/ {top}.0 {bottom}.0)"
    return f"(- {term})" if value < 0 else term


def integer(value: int) -> str:
    """An integer as a term of sort Int: 3, (- 3)."""
    return f"(- {-value})" if value < 0 else str(value)


def _joined(operator: str, terms: Sequence[str], empty: str) -> str:
    if len(terms) < 2:
        return terms[0] if terms else empty
    return f"({operator} {' '.join(terms)})"


def conjunction(terms: Sequence[str]) -> str:
    """(and ...), true when empty."""
    return _joined("and", terms, "true")


def disjunction(terms: Sequence[str]) -> str:
    """(or ...), false when empty."""
    return _joined("or", terms, "false")


def total(terms: Sequence[str], zero: str = "0.0") -> str:
    """(+ ...), ``zero`` when empty."""
    return _joined("+", terms, zero)


def between(term: str, low: Fraction | int, high: Fraction | int) -> str:
    """Low <= term <= high over the reals."""
    return f"(and (<= {real(low)} {term}) (<= {term} {real(high)}))"


def declared(names: Iterable[str], sort: str) -> list[str]:
    """Declarations of constants of one sort."""
    return [f"(declare-const {name} {sort})" for name in names]


def scope(lines: Iterable[str]) -> list[str]:
    """The lines with a ``check-sat`` of their own, undone afterwards."""
    return ["(push 1)", *lines, "(check-sat)", "(pop 1)"]


def script(logic: str, statement: str, lines: Iterable[str]) -> str:
    """A whole file: what is claimed as a comment, the logic, the lines."""
    comment = [f"; {line}" for line in statement.splitlines()]
    return "\n".join([*comment, "; Every check-sat below must answer unsat.", f"(set-logic {logic})", *lines, ""])
