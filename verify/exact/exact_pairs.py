"""Logits and leads of single pairs in Python integers: the last word, with no rounding anywhere."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from net.activation import fired
from verify.exact.wide_integers import round_wide

if TYPE_CHECKING:
    from collections.abc import Iterator

    from net.weights import ExactWeights, Weights
    from verify.exact.scaled_integers import Indices


class Lead(NamedTuple):
    """The exact answer of one pair (-1: tie), the lead of the greatest logit over the second greatest, and the output of that one."""

    answer: int
    margin: Fraction
    runner_up: int


def exact_leads(weights: Weights, pairs: Indices) -> Iterator[Lead]:
    """Answer and lead of each of the pairs x * n + y, in order.

    55-bit integers first single out the outputs that may be greatest or second greatest; only these cost O(m)
    Python integers each; of a network of squares all outputs do. Needs at least two outputs; ValueError otherwise.
    """
    if weights.order < 2:
        raise ValueError(f"A lead needs at least two outputs to compare; got {weights.order}.")
    exact = weights.exact()
    wide = round_wide(weights) if weights.activation == "relu" else None
    unit = Fraction(1, 1 << exact.logit_bits)
    rows = 1024 if wide is None else wide.rows
    for start in range(0, len(pairs), rows):
        part = pairs[start : start + rows]
        near = np.ones((len(part), weights.order), dtype=bool) if wide is None else wide.top_two(part)[3]
        for pair, columns in zip(part, near, strict=True):
            x, y = divmod(int(pair), weights.order)
            chosen = np.flatnonzero(columns)
            values = _integer_logits(exact, x, y, chosen)
            second, first = sorted(range(len(chosen)), key=values.__getitem__)[-2:]
            lead = values[first] - values[second]
            yield Lead(int(chosen[first]) if lead else -1, unit * lead, int(chosen[second]))


def _integer_logits(exact: ExactWeights, x: int, y: int, columns: Indices) -> list[int]:
    """The logits times 2^logit_bits."""
    hidden = fired(exact.L[x] + exact.R[y], exact.activation)
    active = np.flatnonzero(hidden)
    hidden = hidden[active]
    return [int((hidden * exact.U[active, z]).sum()) + int(exact.b[z]) for z in columns]


def outward(value: Fraction) -> tuple[float, float]:
    """Floats low <= value <= high, equal or neighbours; beyond the greatest float, that and infinity."""
    try:
        near = float(value)
    except OverflowError:
        near = float("inf") if value > 0 else float("-inf")
    if np.isfinite(near) and Fraction(near) == value:
        return near, near
    if near == float("inf") or (np.isfinite(near) and Fraction(near) > value):
        return math.nextafter(near, -math.inf), near
    return near, math.nextafter(near, math.inf)
