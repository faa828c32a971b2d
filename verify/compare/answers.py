"""Answers and margins of a network on every pair in float32: for search and for measured figures, never for a verdict."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from net.activation import fired
from net.common_part import without_common_part, without_opposite_parts
from net.weights import Weights

Answers = npt.NDArray[np.integer]
Floats = npt.NDArray[np.float64]


class LogitRows(NamedTuple):
    """Float32 logits (rows, |G|, |G|) of the pairs (x, y) with x in ``rows``."""

    rows: npt.NDArray[np.intp]
    logits: npt.NDArray[np.float32]


def logit_blocks(weights: Weights, x: npt.NDArray[np.intp] | None = None, entries: int = 1_000_000) -> Iterator[LogitRows]:
    """Logits of all pairs, or of those with x in a sample, in float32, so many x at a time as make about ``entries`` logits.

    Logits are less what all outputs share by every vote of a neuron, or by the bias (`net.common_part`).
    """
    x = np.arange(weights.order) if x is None else x
    left, right = (side.astype(np.float32) for side in without_opposite_parts(weights.L, weights.R))
    votes = without_common_part(weights.U).astype(np.float32)
    bias = without_common_part(weights.b[None])[0].astype(np.float32)
    order, width = left.shape
    step = max(1, entries // order**2)
    for start in range(0, len(x), step):
        rows = x[start : start + step]
        sums: npt.NDArray[np.float32] = left[rows][:, None] + right[None]
        hidden = fired(sums, weights.activation).reshape(len(rows) * order, width)
        logits = hidden @ votes
        if bias.any():
            logits += bias
        yield LogitRows(rows, logits.reshape(-1, order, order))


class Shortfall(NamedTuple):
    """Pairs whose wanted answer does not lead by a floor: x, y, wanted answer, strongest other answer, lead."""

    x: npt.NDArray[np.intp]
    y: npt.NDArray[np.intp]
    wanted: npt.NDArray[np.intp]
    rival: npt.NDArray[np.intp]
    lead: Floats


def shortfalls(weights: Weights, wanted: Answers, floor: float) -> Shortfall:
    """Every pair whose wanted answer leads all others by less than ``floor``; ties of the network (-1) are passed over."""
    found: list[tuple[npt.NDArray[np.intp], ...]] = []
    leads = [np.zeros(0)]
    for rows, logits in logit_blocks(weights):
        want = np.maximum(wanted[rows], 0).astype(np.intp)[..., None]
        own = np.take_along_axis(logits, want, axis=2)[..., 0]
        np.put_along_axis(logits, want, -np.inf, axis=2)
        rival = logits.max(axis=2)
        x, y = np.nonzero((own - rival < floor) & (wanted[rows] >= 0))
        found.append((rows[x], y, want[x, y, 0], logits[x, y].argmax(axis=1)))
        leads.append((own - rival)[x, y].astype(np.float64))
    x, y, want, best = (np.concatenate(part) for part in zip(*found, strict=True))
    return Shortfall(x, y, want, best, np.concatenate(leads))


def leads_at(weights: Weights, x: npt.NDArray[np.intp], y: npt.NDArray[np.intp], wanted: npt.NDArray[np.intp]) -> Shortfall:
    """The lead of the wanted answer over its strongest rival at some pairs, in float64. Complexity: O(pairs (m |G|))."""
    rival, lead = np.empty(len(x), dtype=np.intp), np.empty(len(x))
    step = max(1, 4_000_000 // weights.order)
    for start in range(0, len(x), step):
        part = slice(start, start + step)
        logits = weights.logits(x[part], y[part])
        rows = np.arange(len(logits))
        own = logits[rows, wanted[part]].copy()
        logits[rows, wanted[part]] = -np.inf
        rival[part] = logits.argmax(axis=1)
        lead[part] = own - logits[rows, rival[part]]
    return Shortfall(x, y, wanted, rival, lead)
