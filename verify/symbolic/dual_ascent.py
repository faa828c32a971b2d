"""The search for dual variables: subgradient ascent on the least bound, for as many s at a time as share their dual variables.

The bound of each s (the sum of the right sides of (3) in `dual_variables`) is concave in the dual variables, and the worst p and y of
each point give a subgradient (Held and Karp 1971). All s of a case are tried together first; when that stalls, the half with the better
bounds is tried alone, and so on down to a single s. Every s whose exact bound has become positive is settled then with the dual
variables at hand, and the search goes on with the best of the others, ``WIDER`` times as many as have just been tried. Floats are used
throughout; what is returned is rounded to integers and its bounds are exact.
"""

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from net.roundoff import Floats
from verify.symbolic.dual_variables import Batch, Tie, largest, sharp
from verify.symbolic.exact import Exact
from verify.symbolic.families import CaseTables
from verify.symbolic.points import Integers
from verify.symbolic.settings import SymbolicSettings

#: Of the steps before, and of the step after it brought nothing four times in a row.
MOMENTUM = 0.8
SHRINK = 0.7
#: After some s were settled, so many times as many are tried together as at last: with all that are left it would go all the way down
#: again.
WIDER = 2
#: Numbers of more bits than this are beyond floats: their bounds are taken as they are, without a search.
FLOAT_BITS = 900
#: Largest table phi that is worth having.
MAX_TIE = 20_000


class RealDuals:
    """mu and lam of all families, and phi for each pair of a family and a mirrored one: views of one vector ``numbers``."""

    def __init__(self, families: list[CaseTables], numbers: Floats | None = None) -> None:
        """All of them 0 where no numbers are given."""
        self.families = families
        sizes = [t.family.points.count for t in families]
        self.pairs = [
            (f, g)
            for f, plain in enumerate(families)
            for g, mirror in enumerate(families)
            if not plain.family.mirrored and mirror.family.mirrored and (sizes[f] * sizes[g]) ** 2 <= MAX_TIE
        ]
        shapes: list[tuple[int, ...]] = [*((m,) for m in sizes), *((m, m, m) for m in sizes)]
        shapes += [(sizes[f], sizes[g], sizes[f], sizes[g]) for f, g in self.pairs]
        self.starts = [0, *itertools.accumulate(math.prod(shape) for shape in shapes)]
        self.numbers = np.zeros(self.starts[-1]) if numbers is None else numbers
        arrays = [self.numbers[a:b].reshape(shape) for (a, b), shape in zip(itertools.pairwise(self.starts), shapes, strict=True)]
        count = len(sizes)
        self.mu, self.lam, self.phi = arrays[:count], arrays[count : 2 * count], arrays[2 * count :]

    def batch(self, s: Integers) -> Batch:
        """The dual variables as integers, lam adding up to 0 over j, with their exact bounds."""
        lams = []
        for lam in map(_rounded, self.lam):
            lam[0] -= lam.sum(axis=0)
            lams.append(lam)
        phi = [_rounded(c) for c in self.phi]
        return Batch(
            s,
            [sharp(t, _rounded(self.mu[f]), lams[f], _ties(self.families, self.pairs, phi, f)) for f, t in enumerate(self.families)],
        )


def _ties(families: list[CaseTables], pairs: list[tuple[int, int]], phi: Sequence[Exact], number: int) -> list[Tie]:
    """The tables phi as family ``number`` sees them, those that are 0 left out."""
    spaces, some = [t.family.points for t in families], [(f, g, c) for (f, g), c in zip(pairs, phi, strict=True) if c.any()]
    plain = [Tie(spaces[g], c) for f, g, c in some if f == number]
    mirror = [Tie(spaces[f], -c.transpose(1, 0, 3, 2)) for f, g, c in some if g == number]
    return plain + mirror


def _rounded(values: Floats) -> Exact:
    """The nearest integers: int64 where they are below 2^50, so that sums over a space's points are exact, else Python's."""
    if np.abs(values).max(initial=0) < 2.0**50:
        return np.rint(values).astype(np.int64)
    return np.array([int(v) for v in np.rint(values).ravel()], dtype=object).reshape(values.shape)


def find(
    state: RealDuals, s: Integers, constant: int, scale: int, settings: SymbolicSettings, thorough: bool = True
) -> tuple[list[Batch], Batch | None]:
    """Batches of s whose bounds with ``constant`` are positive, and a batch of those for which no such bound was found, or None.

    The search begins at ``state``. Unless it is to be ``thorough``, s that are not settled with the others are not tried by themselves.

    ``scale`` is the unit of one vote. At most ``settings.dual_entries`` table entries are looked at.
    """
    settled: list[Batch] = []
    effort = settings.dual_entries // max(1, sum(t.whole.size for t in state.families))
    if max([abs(constant), scale, *(largest(t.whole) for t in state.families)]).bit_length() > FLOAT_BITS:
        effort = 0
    left = active = s
    while len(left):
        state, effort = _climb(state, active, constant, scale, effort, settings)
        batch = state.batch(left)
        totals = batch.totals(constant)
        good = (totals > 0).astype(bool)
        if good.any():
            settled.append(Batch(left[good], batch.duals))
            left, most = left[~good], WIDER * len(active)
            active = left if len(left) <= most else left[np.argsort(-totals[~good], kind="stable")[:most]]
        elif len(active) == 1 or effort <= 0 or not thorough:
            return settled, batch
        else:
            totals = Batch(active, batch.duals).totals(constant)
            active = active[np.argsort(-totals, kind="stable")[: len(active) // 2]]
    return settled, None


def _climb(start: RealDuals, s: Integers, constant: int, scale: int, effort: int, settings: SymbolicSettings) -> tuple[RealDuals, int]:
    """The best dual variables met on an ascent from ``start`` for these s, and the effort left; stops when every bound is positive."""
    if effort <= 0 or settings.dual_rounds <= 0:
        return start, effort
    looks = [_Look(start, f, s) for f in range(len(start.families))]
    state, velocity = RealDuals(start.families, start.numbers.copy()), np.zeros(len(start.numbers))
    best, gap, stale, best_numbers = -np.inf, 0.0, 0, start.numbers
    for _ in range(settings.dual_rounds):
        sums = constant + sum(look.bounds(state) for look in looks)
        low, effort, stale = float(np.min(sums)), effort - 1, stale + 1
        if low > best:
            best, best_numbers, stale = low, state.numbers.copy(), 0
        if best > 0.02 * scale or effort <= 0 or not looks:
            break
        gap = gap or max(8.0 * scale, 0.4 * abs(low))
        if stale == 4:
            gap, stale = SHRINK * gap, 0
        velocity *= MOMENTUM
        velocity += _slope(state, looks, np.argsort(sums, kind="stable")[: settings.dual_worst])
        squares = velocity * velocity
        norm = sum(float(squares[a:b].sum()) for a, b in itertools.pairwise(state.starts))
        if norm < 1e-12:
            break
        state.numbers += gap / norm * velocity
    return RealDuals(start.families, best_numbers), effort


class _Tie(NamedTuple):
    """One phi as a family sees it: where it begins in a state's ``numbers``, the points of both families, image[q, y] = qy.

    The family is ``plain`` where phi counts as it is, else phi counts with the other sign and the roles of its indices exchanged.
    """

    start: int
    points: int
    others: int
    image: Integers
    plain: bool

    def places(self, q: Integers, j: Integers, p: Integers, k: Integers) -> Integers:
        """Where in ``numbers`` the family finds phi[j, q, p, k]."""
        m, n = self.points, self.others
        return self.start + (((j * n + q) * m + p) * n + k if self.plain else ((q * m + j) * n + k) * m + p)


class _Look:
    """What one family gives to the bounds of some s, for one state after another.

    The left side of (2) is computed for those pairs (j, j') alone that one of the s asks for; `dual_variables.relaxed` has all of them.
    """

    def __init__(self, state: RealDuals, number: int, s: Integers) -> None:
        tables, count = state.families[number], len(state.families)
        points, m, each = tables.family.points, tables.family.points.count, np.arange(tables.family.points.count)
        pairs, where = np.unique(each[:, None] * m + tables.family.moved(s), return_inverse=True)
        self._rows, self._j, self._number = where.reshape(m, len(s)), pairs // m, number
        self._whole = np.empty((len(pairs), m, len(tables.ys)))
        self._whole[:] = tables.whole.reshape(m * m, m, -1)[pairs]
        self._mu, self._count = state.starts[number], len(tables.ys)
        self._ties = []
        for (f, g), start in zip(state.pairs, state.starts[2 * count :], strict=False):
            if number in (f, g):
                other = state.families[g if number == f else f].family.points
                self._ties.append(_Tie(start, m, other.count, other.moved[:, tables.ys], number == f))
        # where in ``numbers`` lam[j, q, qy] is, as [q, j, y], and phi[j, q, p, qy], as [q, j, p, y]
        self._at_lam = state.starts[count + number] + (each[:, None] * m + each[:, None, None]) * m + points.moved[:, None, tables.ys]
        self._at_phi = [
            tie.places(np.arange(tie.others)[:, None, None, None], each[:, None, None], each[:, None], tie.image[:, None, None])
            for tie in self._ties
        ]
        self._least: Integers = np.zeros(len(pairs), dtype=np.intp)

    def bounds(self, state: RealDuals) -> Floats:
        """The family's part of the bound of each s; where each pair (j, j') has its minimum is kept for `slope`."""
        mu, numbers = state.mu[self._number], state.numbers
        total = self._whole + mu[:, None]
        total += numbers[self._at_lam].sum(axis=0)[self._j][:, None]
        for tie, places in zip(self._ties, self._at_phi, strict=True):
            per_p = numbers[places].sum(axis=0)[self._j]
            (np.add if tie.plain else np.subtract)(total, per_p, out=total)
        flat = total.reshape(len(total), -1)
        self._least = flat.argmin(axis=1)
        return np.asarray(flat[np.arange(len(flat)), self._least][self._rows].sum(axis=0) - mu.sum())

    def slope(self, some: Integers) -> tuple[list[Integers], list[float]]:
        """Where in ``numbers`` a subgradient of the bounds of ``some`` s, added up, is not 0: places, and 1 or -1 for each array."""
        j = np.repeat(np.arange(len(self._rows)), len(some))
        p, y = np.divmod(self._least[self._rows[:, some].ravel()], self._count)
        places = [self._mu + p, self._at_lam[:, j, y].ravel(), *(at[:, j, p, y].ravel() for at in self._at_phi)]
        return places, [1.0, 1.0, *(1.0 if tie.plain else -1.0 for tie in self._ties)]


def _slope(state: RealDuals, looks: list[_Look], worst: Integers) -> Floats:
    """The subgradient averaged over the worst s, in the order of ``numbers``; mu and lam projected to mean 0 over p and over j."""
    found = [look.slope(worst) for look in looks]
    places, signs = [part for parts, _ in found for part in parts], [sign for _, some in found for sign in some]
    amounts = np.repeat(np.array(signs) / len(worst), [len(part) for part in places])
    sums: Floats = np.bincount(np.concatenate(places), weights=amounts, minlength=len(state.numbers)).astype(np.float64, copy=False)
    slope = RealDuals(state.families, sums)
    for mu, lam in zip(slope.mu, slope.lam, strict=True):
        mu -= mu.sum() / len(mu)
        lam -= lam.sum(axis=0) / len(lam)
    return slope.numbers
