"""Bounds for each y by itself: where no dual variables serve all y at once.

With T from `families`, fix y (x^-1 where all families are mirrored) and any numbers mu[p] for each family. Then

    T(j, js, p_j, y) + mu[p_j]  >=  beta[j, js],      beta[j, j'] = minimum over p of T(j, j', p, y) + mu[p],             (4)

so, because x permutes the points, for all x

    share of the family >= sum over j of beta[j, js] - sum over p of mu[p].                                               (5)

Without the sums over q of (2) in `dual_variables` there is nothing to tie the points' choices of y together, as y is given. What is
left to chance is where x takes the points, and (5) with the best mu is the least cost of an assignment. A *line* is one y with one
choice of mu. The numbers mu are found by subgradient steps of Polyak's length (Polyak 1969), for all y at once, and rounded to
multiples of one unit; the minima over integers are exact.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from verify.symbolic.assignment import assigned
from verify.symbolic.dual_variables import INT64_SAFE, largest
from verify.symbolic.exact import Exact
from verify.symbolic.families import CaseTables
from verify.symbolic.points import Integers
from verify.symbolic.settings import SymbolicSettings

__all__ = ["Lines", "choices", "find_lines", "one_sided"]

#: Bounds are aimed at first this share of the largest entry of the tables above the best so far; half of it after STALE vain steps.
AIM = 1 / 64
STALE = 6
#: Dual variables are multiples of about this share of the largest entry.
GRAIN = 2.0**-18
#: Numbers of more bits than this are beyond float32.
FLOAT_BITS = 100
#: One y in so many is looked at for s that are hopeless before any search, all that are open after the first one.
SOME = 8
#: What a sum of costs in float32 may err by, as a share of the largest entry.
ROUNDING = 2.0**-16
#: Sets of points, times s, times y, that are worth going through to know which s are hopeless: some ten seconds.
MOST_SETS = 4_000_000_000


@dataclass(eq=False)
class Lines:
    """One line for each y of a case: ``mu`` (number of y, points) for each family, in multiples of ``unit``."""

    tables: list[CaseTables]
    unit: int
    mu: list[Exact]

    def totals(self, s: Integers, constant: int) -> Exact:
        """The sum of the right sides of (5) and a constant, exactly, for elements s and every y: (len(s), number of y)."""
        total: Exact | int = constant
        for tables, numbers in zip(self.tables, self.mu, strict=True):
            mu = numbers.astype(object) * self.unit
            reach = largest(tables.whole) + largest(mu)
            if tables.whole.dtype != object and reach * 4 * max(1, len(tables.whole)) < INT64_SAFE and abs(constant) < INT64_SAFE:
                mu = mu.astype(np.int64)
            beta = (tables.whole + mu.T[None, None]).min(axis=2)
            moved = tables.family.moved(s)
            for j, row in enumerate(beta):
                total = total + row[moved[j]]
            total = total - mu.sum(axis=1)
        return np.asarray(total)


def choices(lines: list[Lines]) -> tuple[tuple[tuple[tuple[int, ...], ...], ...], ...]:
    """For each y the numbers mu of its lines, family by family and empty where all are 0, of lines that are the same only the first."""
    found = []
    for y in range(len(lines[0].tables[0].ys)):
        own = [tuple(tuple(int(v) for v in mu[y]) if mu[y].any() else () for mu in some.mu) for some in lines]
        found.append(tuple(dict.fromkeys(own)))
    return tuple(found)


def one_sided(tables: list[CaseTables]) -> bool:
    """Whether all families are seen from one side, so that they look at the same y."""
    return bool(tables) and len({t.family.mirrored for t in tables}) == 1


def find_lines(tables: list[CaseTables], s: Integers, constant: int, settings: SymbolicSettings) -> tuple[list[Lines], Integers]:
    """Lines for every y, and the s among the given ones for which some y has no line with a sum above 0.

    At most ``settings.dual_entries`` sums of minima are looked at. Where one line for a y does not settle all s, further ones are
    looked for, each for the s whose sum was the least: for one s alone the best mu give the least cost of an assignment exactly, while
    two may want different ones.
    """
    size = max(largest(t.whole) for t in tables)
    found: list[Lines] = []
    settled = np.zeros((len(s), len(tables[0].ys)), dtype=bool)
    sums, points = len(s) * len(tables[0].ys), [len(t.whole) for t in tables]
    if max(size, abs(constant)).bit_length() > FLOAT_BITS or sums * sum(m << m for m in points) > MOST_SETS:
        return found, s
    effort = settings.dual_entries // (sums * sum(points))
    few = np.arange(0, settled.shape[1], SOME)
    if (hopeless := _hopeless(tables, s, few, constant, size)).any():
        return found, s[hopeless]
    wanted = ~settled
    for _ in range(settings.line_sets):
        rounds = min(settings.line_rounds, int(effort / max(1e-9, wanted.any(axis=0).mean())))
        if rounds < 1:
            break
        effort -= math.ceil(rounds * wanted.any(axis=0).mean())
        lines = _search(tables, s, constant, size, ~wanted, rounds)
        if found:  # a y that needs no further line repeats its first
            idle = ~wanted.any(axis=0)
            for mine, first in zip(lines.mu, found[0].mu, strict=True):
                mine[idle] = first[idle]
        found.append(lines)
        totals = lines.totals(s, constant)
        settled |= (totals > 0).astype(bool)
        if settled.all() or not (wanted & settled).any():
            break
        if len(found) == 1:
            left = ~settled.all(axis=1)
            if (hopeless := _hopeless(tables, s[left], np.flatnonzero(~settled.all(axis=0)), constant, size)).any():
                return found, s[left][hopeless]
        worst = np.where(settled, largest(totals) + 1, totals).argmin(axis=0)
        wanted = ~settled & (np.arange(len(s))[:, None] == worst)
    return found, s[~settled.all(axis=1)]


def _hopeless(tables: list[CaseTables], s: Integers, ys: Integers, constant: int, size: int) -> npt.NDArray[np.bool_]:
    """Which of the s no dual variables serve at some of these y, by the duality of assignments.

    The least of (5) over x, where x may be any permutation of the points, is what the best mu reach for one s and y. It is computed in
    float32, and an s is hopeless where it is further below 0 than that can err.
    """
    total = np.full((len(s), len(ys)), constant, dtype=np.float32)
    for t in tables:
        values, images = t.whole[..., ys].astype(np.float32), t.family.moved(s)
        total += assigned([np.moveaxis(values[j][images[j]], 1, 0) for j in range(len(values))])
    return np.asarray((total < -ROUNDING * (size + abs(constant))).any(axis=1))


def _search(tables: list[CaseTables], s: Integers, constant: int, size: int, settled: npt.NDArray[np.bool_], rounds: int) -> Lines:
    """One line for each y, after at most ``rounds`` steps, for the pairs of s and y that are not ``settled``."""
    unit = 1 << max(0, int(size * GRAIN).bit_length() - 1)  # float32 numbers are finer
    enough = 4.0 * unit * sum(len(t.whole) for t in tables)  # more than what rounding takes away
    whole = [t.whole.astype(np.float32) for t in tables]
    moved = [t.family.moved(s) for t in tables]
    state = [np.zeros((w.shape[3], w.shape[2]), dtype=np.float32) for w in whole]
    best, low = [mu.copy() for mu in state], np.full(len(tables[0].ys), -np.inf)
    gap, stale = np.full(len(low), max(enough, AIM * size)), np.zeros(len(low), dtype=np.intp)
    open_ = np.flatnonzero(~settled.all(axis=0))
    for _ in range(rounds):
        if not len(open_):
            break
        choices, total = [], np.full((len(s), len(open_)), constant, dtype=np.float32)
        for w, mu, images in zip(whole, state, moved, strict=True):
            values = w[..., open_] + mu[open_].T
            choice = values.argmin(axis=2)
            beta = np.take_along_axis(values, choice[:, :, None], axis=2)[:, :, 0]
            choices.append(choice)
            for j, row in enumerate(beta):
                total += row[images[j]]
            total -= mu[open_].sum(axis=1)
        total[settled[:, open_]] = np.inf
        worst = total.argmin(axis=0)
        least = total[worst, np.arange(len(open_))]
        better = least > low[open_]
        low[open_[better]] = least[better]
        stale[open_] = np.where(better, 0, stale[open_] + 1)
        tired = open_[stale[open_] >= STALE]
        gap[tired] /= 2
        stale[tired] = 0
        slopes = []
        for k, (choice, images) in enumerate(zip(choices, moved, strict=True)):
            best[k][open_[better]] = state[k][open_[better]]
            points = len(choice)
            taken = choice[np.arange(points)[:, None], images[:, worst], np.arange(len(open_))]
            slopes.append((taken[:, :, None] == np.arange(points)).sum(axis=0) - 1.0)
        norm = sum((slope**2).sum(axis=1) for slope in slopes)
        step = (low[open_] + gap[open_] - least) / np.maximum(norm, 1.0)
        for mu, slope in zip(state, slopes, strict=True):
            mu[open_] += (step[:, None] * slope).astype(np.float32)
        open_ = open_[(least <= enough) & (norm > 0)]
    return Lines(tables, unit, [np.rint(mu / unit).astype(np.int64) for mu in best])
