"""Pairs of inputs as properties in VNN-LIB, which verifiers of neural networks read beside an ONNX model.

A property asserts that the input is the pair and that some logit is not below that of the product: so it holds for no input, which
solvers call unsat, exactly when the network answers xy. Numbers of elements are the file's own, those of `onnx_model`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def property_text(n: int, x: int, y: int, product: int, radius: str = "0") -> str:
    """The property at (x, y) over n elements, whose product is ``product``; inputs may be off by ``radius``, a decimal, each."""
    lines = [f"; the answer at ({x}, {y}) is {product}: unsat means that it is", ""]
    lines += [f"(declare-const X_{k} Real)" for k in range(2 * n)]
    lines += [f"(declare-const Y_{k} Real)" for k in range(n)]
    lines.append("")
    for k in range(2 * n):
        one = int(k in (x, n + y))
        low, high = (f"{one}.0", f"{one}.0") if radius == "0" else (_sum(one, f"-{radius}"), _sum(one, radius))
        lines += [f"(assert (>= X_{k} {low}))", f"(assert (<= X_{k} {high}))"]
    lines += ["", "(assert (or"]
    lines += [f"    (and (>= Y_{z} Y_{product}))" for z in range(n) if z != product]
    return "\n".join([*lines, "))", ""])


def _sum(one: int, more: str) -> str:
    """A decimal and an integer added up, written in full."""
    from decimal import Decimal

    return f"{Decimal(one) + Decimal(more):f}"


def instances(model: str, names: Iterator[str], seconds: int = 60) -> str:
    """The list of instances that the competition's tools read: model, property, seconds."""
    return "".join(f"{model},{name},{seconds}\n" for name in names)
