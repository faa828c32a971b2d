"""Votes that are near the network's and make every relaxed margin positive, by cutting planes.

Maximised is

    min(goal, least relaxed margin)  -  price * (share of the logits' variance left unexplained),

concave in the votes (`relaxation`; the second term is the quadratic form of least squares). The least margin is a minimum of very many
linear functions. So a *master problem* knows some of them, its optimum is looked at, the functions that are least there are added, and
so on (Kelley 1960). The next look is on the way from the best votes so far to the master's optimum, which settles sooner than looks at
the optimum itself (Ben-Ameur and Neto 2007). The value of the master's optimum bounds the objective of any votes from above, but for
the smoothing. Where the least margin there is not above ``enough``, the search leaves the price: a rule, and no bound of margins.
The master's minimum is smoothed, with a temperature that falls, and maximised by L-BFGS (Liu and Nocedal 1989). Everything is measured
in root mean squares of the network's logits, and the number of rounds, not a clock, ends the search.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from verify.distil.coset_fit import Floats
from verify.symbolic.provable.relaxation import Relaxation
from verify.symbolic.provable.triangular import Singles, coarse_factor, inverse_of_lower, times_upper
from verify.symbolic.settings import SymbolicSettings

__all__ = ["Quadratic", "Reached", "VoteSearch", "ridged"]

#: Pairs of steps that L-BFGS remembers.
MEMORY = 20
#: Rows that a master problem keeps: those that are least at its optimum.
MOST_ROWS = 4000
#: A climb looks at rows within so many temperatures of the least: shares of others in a gradient are below e^-30. It begins anew at
#: most so many times when others have come near.
REACH, CLIMBS = 30.0, 8
#: Rows whose share of a gradient is below this are left out of it: less than what float32 can tell.
FAINT = 1e-9


@dataclass(frozen=True)
class Quadratic:
    """The unexplained share of variance of votes t: (t.matrix.t - 2 target.t + constant) / total."""

    matrix: Floats
    target: Floats
    constant: float
    total: float

    def value(self, t: Floats) -> float:
        """The share that votes t leave unexplained."""
        return float((t @ self.matrix @ t - 2 * self.target @ t + self.constant) / self.total)


def ridged(matrix: Floats, share: float, times: float = 1.0) -> Floats:
    """The matrix, times a factor, with this share of its diagonal's mean added to the diagonal; one copy is made."""
    result = matrix * times
    result[np.diag_indices_from(result)] += share * np.diag(result).mean()
    return result


@dataclass(frozen=True)
class Reached:
    """Votes with their least relaxed margin, in units, and the share of variance that they leave unexplained."""

    votes: Floats
    bound: float
    unexplained: float


class VoteSearch:
    """The search for the votes of one set of voters, price by price; each price begins with the rows that those before collected."""

    def __init__(
        self, relaxation: Relaxation, form: Callable[[], Quadratic], start: Floats, unit: float, settings: SymbolicSettings
    ) -> None:
        """``form`` makes the quadratic form, ``start`` are the votes of least squares, ``unit`` is the logits' root mean square."""
        self._relaxation, self._form, self._settings = relaxation, form, settings
        self._start, self._votes, self._unit = start, start, unit
        self._quadratic: Quadratic | None = None
        self._master: _Master | None = None

    def release(self) -> None:
        """Give back the matrices of the size of all votes; the next price makes the same ones again."""
        self._quadratic = None
        if self._master is not None:
            self._master.release()

    def at(self, price: float) -> Reached:
        """The votes with the largest least margin that the rounds at this price came by, or the first whose margin is enough.

        The price is left when the master problem's optimum is not ``enough``, and after ``patience`` looks in a row that brought no
        larger margin.
        """
        settings, unit = self._settings, self._unit
        quadratic = self._quadratic = self._quadratic or self._form()
        best: Reached | None = None
        centre, height, vain = self._votes, -np.inf, 0
        for _ in range(settings.votes_rounds):
            least, rows, margins = self._relaxation.least(self._votes, settings.votes_rows)
            bound, unexplained = least / unit, quadratic.value(self._votes)
            vain += 1
            if best is None or bound > best.bound:
                best, vain = Reached(self._votes, bound, unexplained), 0
            if bound >= settings.goal / 4 or vain >= settings.patience:
                break
            if min(bound, settings.goal) - price * unexplained > height:
                centre, height = self._votes, min(bound, settings.goal) - price * unexplained
            self._master = self._master or _Master(self._start, unit, settings)
            optimum, ceiling = self._master.solve(quadratic, rows[margins <= max(least, 0.0) + settings.window * unit], price)
            if ceiling <= settings.enough:
                break
            self._votes = centre + settings.way * (optimum - centre)
        assert best is not None
        return best


class _Master:
    """The master problem, in coordinates in which the quadratic form is half the square of the distance to its optimum."""

    def __init__(self, start: Floats, unit: float, settings: SymbolicSettings) -> None:
        self._settings, self._unit, self._start = settings, unit, start
        self._back: Singles | None = None
        self._rows = np.zeros((0, len(start)), dtype=np.float32)
        self._levels = np.zeros(0)
        self._at = np.zeros(len(start))

    def release(self) -> None:
        """Forget the change of coordinates, which follows from the quadratic form."""
        self._back = None

    def _changed(self, quadratic: Quadratic) -> Singles:
        """B with votes = start + B @ coordinates."""
        if self._back is None:
            matrix = ridged(quadratic.matrix, self._settings.ridge, times=2 / quadratic.total)
            self._back = np.ascontiguousarray(inverse_of_lower(coarse_factor(matrix)).T)
        return self._back

    def solve(self, quadratic: Quadratic, rows: Floats, price: float) -> tuple[Floats, float]:
        """Add rows; the votes of the optimum and its least margin over all rows, in units."""
        back = self._changed(quadratic)
        self._rows = np.concatenate([self._rows, times_upper((rows / self._unit).astype(np.float32), back)])
        self._levels = np.concatenate([self._levels, rows @ self._start / self._unit])
        for temperature in self._settings.temperatures:
            self._climb(price, temperature)
        margins = self._rows @ self._at.astype(np.float32) + self._levels
        least = float(margins.min())
        kept = np.sort(np.argsort(margins, kind="stable")[:MOST_ROWS])
        self._rows, self._levels = self._rows[kept], self._levels[kept]
        return self._start + back @ self._at.astype(np.float32), least

    def _climb(self, price: float, temperature: float) -> None:
        """Maximise at one temperature, over the rows that are near the least; those that come near on the way are added."""
        some = np.zeros(len(self._rows), dtype=bool)
        for _ in range(CLIMBS):
            margins = self._rows @ self._at.astype(np.float32) + self._levels
            near = margins < min(float(margins.min()), self._settings.goal) + REACH * temperature
            if not (near & ~some).any():
                break
            some |= near
            objective = partial(self._objective, price, temperature, self._rows[some], self._levels[some])
            self._at = maximised(objective, self._at, self._settings.votes_steps)

    def _objective(self, price: float, temperature: float, rows: Singles, levels: Floats, at: Floats) -> tuple[float, Floats]:
        margins = np.append(rows @ at.astype(np.float32) + levels, self._settings.goal)
        least = margins.min()
        weights = np.exp(-(margins - least) / temperature)
        whole = weights.sum()
        value = least - temperature * np.log(whole) - price * (at @ at) / 2
        near = np.flatnonzero(weights[:-1] > FAINT * whole)
        return float(value), np.asarray((weights[near] / whole).astype(np.float32) @ rows[near] - price * at, dtype=np.float64)


def maximised(objective: Callable[[Floats], tuple[float, Floats]], at: Floats, steps: int) -> Floats:
    """The point that at most ``steps`` steps of L-BFGS reach on a concave function, given with its gradient."""
    value, slope = objective(at)
    pairs: list[tuple[Floats, Floats, float]] = []
    for _ in range(steps):
        direction = _direction(slope, pairs)
        rise = float(slope @ direction)
        if rise <= 0.0:
            pairs, direction = [], slope
            rise = float(slope @ slope)
        step = 1.0 if pairs else min(1.0, 1.0 / float(np.sqrt(rise) + 1e-300))
        for _ in range(30):
            new = at + step * direction
            reached, there = objective(new)
            if reached >= value + 1e-4 * step * rise:
                break
            step /= 2
        else:
            return at
        moved, bent = new - at, slope - there
        gain = reached - value
        at, value, slope = new, reached, there
        if moved @ bent > 0.0:
            pairs = [*pairs, (moved, bent, float(moved @ bent))][-MEMORY:]
        if gain <= 1e-7:
            break
    return at


def _direction(slope: Floats, pairs: list[tuple[Floats, Floats, float]]) -> Floats:
    """The product of the inverse curvature that the pairs of steps suggest and the slope."""
    direction = slope.copy()
    shares = []
    for moved, bent, product in reversed(pairs):
        shares.append(float(moved @ direction) / product)
        direction -= shares[-1] * bent
    if pairs:
        moved, bent, product = pairs[-1]
        direction *= product / float(bent @ bent)
    for (moved, bent, product), share in zip(pairs, reversed(shares), strict=True):
        direction += (share - float(bent @ direction) / product) * moved
    return np.asarray(direction)
