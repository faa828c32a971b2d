"""The search for dual variables: subgradient ascent on the least bound, for as many s at a time as share their dual variables.

The bound of each s (the sum of the right sides of (3) in `dual_variables`) is concave in the dual variables, and the worst p and y of
each point give a subgradient (Held and Karp 1971). All s of a case are tried together first; when that stalls, the half with the better
bounds is tried alone, and so on down to a single s. Every s whose exact bound has become positive is settled then with the dual
variables at hand, and the search goes on with the others. Floats are used throughout; what is returned is rounded to integers and its
bounds are exact.
"""

import numpy as np

from net.roundoff import Floats
from verify.symbolic.dual_variables import Batch, Tie, largest, relaxed, sharp
from verify.symbolic.exact import Exact
from verify.symbolic.families import CaseTables
from verify.symbolic.points import Integers
from verify.symbolic.settings import SymbolicSettings

#: Of the steps before, and of the step after it brought nothing four times in a row.
MOMENTUM = 0.8
SHRINK = 0.7
#: Numbers of more bits than this are beyond floats: their bounds are taken as they are, without a search.
FLOAT_BITS = 900
#: Largest table phi that is worth having.
MAX_TIE = 20_000


class RealDuals:
    """mu and lam of all families, and phi for each pair of a family and a mirrored one."""

    def __init__(self, families: list[CaseTables]) -> None:
        self.families = families
        sizes = [t.family.points.count for t in families]
        self.mu = [np.zeros(m) for m in sizes]
        self.lam = [np.zeros((m, m, m)) for m in sizes]
        self.phi = {
            (f, g): np.zeros((sizes[f], sizes[g], sizes[f], sizes[g]))
            for f, plain in enumerate(families)
            for g, mirror in enumerate(families)
            if not plain.family.mirrored and mirror.family.mirrored and (sizes[f] * sizes[g]) ** 2 <= MAX_TIE
        }

    def arrays(self) -> list[Floats]:
        """All arrays, in a fixed order."""
        return [*self.mu, *self.lam, *self.phi.values()]

    def add(self, factor: float, other: "RealDuals") -> None:
        """Add a multiple of others in place."""
        for mine, theirs in zip(self.arrays(), other.arrays(), strict=True):
            mine += factor * theirs

    def ties(self, number: int) -> list[Tie]:
        """The tables phi as family ``number`` sees them, those that are 0 left out."""
        spaces = [t.family.points for t in self.families]
        plain = [Tie(spaces[g], c) for (f, g), c in self.phi.items() if f == number and c.any()]
        mirror = [Tie(spaces[f], -c.transpose(1, 0, 3, 2)) for (f, g), c in self.phi.items() if g == number and c.any()]
        return plain + mirror

    def batch(self, s: Integers) -> Batch:
        """The dual variables as integers, lam adding up to 0 over j, with their exact bounds."""
        whole = RealDuals(self.families)
        for number, lam in enumerate(self.lam):
            whole.mu[number] = _rounded(self.mu[number])
            whole.lam[number] = _rounded(lam)
            whole.lam[number][0] -= whole.lam[number].sum(axis=0)
        whole.phi = {key: _rounded(c) for key, c in self.phi.items()}
        found = [sharp(t, whole.mu[f], whole.lam[f], whole.ties(f)) for f, t in enumerate(self.families)]
        return Batch(s, found)


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
        good = (batch.totals(constant) > 0).astype(bool)
        if good.any():
            settled.append(Batch(left[good], batch.duals))
            left = active = left[~good]
        elif len(active) == 1 or effort <= 0 or not thorough:
            return settled, batch
        else:
            totals = Batch(active, batch.duals).totals(constant)
            active = active[np.argsort(-totals, kind="stable")[: len(active) // 2]]
    return settled, None


def _climb(start: RealDuals, s: Integers, constant: int, scale: int, effort: int, settings: SymbolicSettings) -> tuple[RealDuals, int]:
    """The best dual variables met on an ascent from ``start`` for these s, and the effort left; stops when every bound is positive."""
    families = start.families
    moved = [t.family.moved(s) for t in families]
    state, velocity, best_state = _copy(start), RealDuals(families), start
    best, gap, stale = -np.inf, 0.0, 0
    for _ in range(settings.dual_rounds if effort > 0 else 0):
        flat = []
        for f, t in enumerate(families):
            values = relaxed(t, state.mu[f], state.lam[f], state.ties(f))
            flat.append(values.astype(np.float64).reshape(*values.shape[:2], -1))
        sums = constant + sum(
            v.min(axis=2)[np.arange(len(v))[:, None], k].sum(axis=0) - a.sum() for v, k, a in zip(flat, moved, state.mu, strict=True)
        )
        low, effort, stale = float(np.min(sums)), effort - 1, stale + 1
        if low > best:
            best, best_state, stale = low, _copy(state), 0
        if best > 0.02 * scale or effort <= 0 or not families:
            break
        gap = gap or max(8.0 * scale, 0.4 * abs(low))
        if stale == 4:
            gap, stale = SHRINK * gap, 0
        worst = np.argsort(sums, kind="stable")[: settings.dual_worst]
        slope = _slope(families, flat, [k[:, worst] for k in moved])
        for array in velocity.arrays():
            array *= MOMENTUM
        velocity.add(1.0, slope)
        norm = sum(float((a**2).sum()) for a in velocity.arrays())
        if norm < 1e-12:
            break
        state.add(gap / norm, velocity)
    return best_state, effort


def _copy(state: RealDuals) -> RealDuals:
    result = RealDuals(state.families)
    result.add(1.0, state)
    return result


def _slope(families: list[CaseTables], flat: list[Floats], moved: list[Integers]) -> RealDuals:
    """The subgradient averaged over s (columns of ``moved``); mu and lam projected to mean 0 over p and over j."""
    slope = RealDuals(families)
    share = 1.0 / moved[0].shape[1]
    for f, tables in enumerate(families):
        m, ys = len(flat[f]), tables.ys
        j = np.repeat(np.arange(m), moved[f].shape[1])
        p, y = np.divmod(flat[f][j, moved[f].ravel()].argmin(axis=1), len(ys))
        np.add.at(slope.mu[f], p, share)
        q = np.arange(m)[:, None]
        np.add.at(slope.lam[f], (j[None], q, tables.family.points.moved[:, ys[y]]), share)
        for (plain, mirror), values in slope.phi.items():
            if f in (plain, mirror):
                image = families[mirror if f == plain else plain].family.points.moved[:, ys[y]]
                q = np.arange(len(image))[:, None]
                index = (j[None], q, p[None], image) if f == plain else (q, j[None], image, p[None])
                np.add.at(values, index, share if f == plain else -share)
        slope.mu[f] -= slope.mu[f].mean()
        slope.lam[f] -= slope.lam[f].mean(axis=0)
    return slope
