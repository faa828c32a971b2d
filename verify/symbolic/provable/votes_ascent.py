"""Votes that are near the network's and make the lemmas add up: ascent on votes and dual variables together.

Maximised is

    min(goal, least bound(s) over all s and cases)  -  price * (share of the logits' variance left unexplained),

concave in votes and dual variables (`bound`; the second term is the quadratic form of least squares). Everything is measured in units
of the network: bounds and dual variables in root mean squares of its centred logits, a neuron's votes in that unit over the root mean
square of its push. So the step sizes do not depend on the scale of any network's weights. Steps are Adam's (Kingma and Ba 2015, arXiv
1412.6980).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from verify.distil.coset_fit import Floats
from verify.symbolic.families import Case
from verify.symbolic.points import Integers, Points
from verify.symbolic.provable.bound import CUT, FamilyBound
from verify.symbolic.provable.voters import SignVoter, Voter
from verify.symbolic.settings import DEFAULT, SymbolicSettings
from verify.symbolic.start import Start, StartOf

__all__ = ["Quadratic", "Reached", "VotesAscent"]

#: The least temperature of the soft minimum over s, in root mean squares of the logits: below it one s alone would pull.
LEAST_SPREAD = 0.03


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

    def slope(self, t: Floats) -> Floats:
        """Its gradient."""
        return np.asarray(2 * (self.matrix @ t - self.target) / self.total)


@dataclass(frozen=True)
class Reached:
    """Votes and dual variables with the least bound (in units) and the unexplained share that the ascent computed for them."""

    votes: Floats
    bound: float
    unexplained: float
    duals: list[list[tuple[Any, Any]]]


class _Adam:
    """Adam's steps on several arrays at once; ``factors`` are the units of each."""

    def __init__(self, arrays: list[Any], factors: list[Any]) -> None:
        self.arrays, self.factors = arrays, factors
        self.first = [np.zeros_like(a) for a in arrays]
        self.second = [np.zeros_like(a) for a in arrays]
        self.count = 0

    def step(self, slopes: list[Any], rates: list[float]) -> None:
        """One step upwards; slopes are with respect to the arrays themselves."""
        self.count += 1
        for k, (array, unit, slope) in enumerate(zip(self.arrays, self.factors, slopes, strict=True)):
            scaled = slope * unit
            self.first[k] = 0.9 * self.first[k] + 0.1 * scaled
            self.second[k] = 0.99 * self.second[k] + 0.01 * scaled**2
            mean = self.first[k] / (1 - 0.9**self.count)
            spread = np.sqrt(self.second[k] / (1 - 0.99**self.count))
            array += rates[k] * unit * mean / (spread + 1e-4)


@dataclass(frozen=True, eq=False)
class _Block:
    """Families in one case, or in all cases at once when nothing in them is twisted: one table then serves every parity.

    ``images`` are the families' points moved by the s of the block; ``constants`` [case, parity of s, vote] what sign voters give in
    each of the cases that the block covers.
    """

    cases: list[Case]
    families: list[FamilyBound]
    images: list[Integers]
    odd: Integers
    constants: Floats


class VotesAscent:
    """The joint search for voters over some spaces; ``unit`` is the logits' root mean square, ``units`` that of each vote."""

    def __init__(
        self,
        voters: list[Voter],
        signs: list[SignVoter],
        places: list[slice],
        parity: Integers,
        start: Floats,
        quadratic: Quadratic,
        unit: float,
        units: Floats,
        settings: SymbolicSettings = DEFAULT,
    ) -> None:
        self.settings = settings
        self.quadratic, self.unit, self.units = quadratic, unit, units
        self.votes = start.copy()
        self._signs = list(zip(signs, places[len(voters) :], strict=True))
        self._located = located = list(zip(voters, places, strict=False))
        bits = range(1 + int(parity.max()))
        if any(voter.twisted for voter in voters):
            cases = [Case(x, y, s) for s in bits for x in bits for y in bits]
            self.blocks = [self._block(located, [case], parity, parity == case.y, parity == case.s) for case in cases]
        else:
            everything = np.ones(len(parity), dtype=bool)
            cases = [Case(x, y, 0) for x in bits for y in bits]
            self.blocks = [self._block(located, cases, parity, everything, everything)]
        self.duals = [[(np.zeros(f.space.count), np.zeros((f.space.count,) * 3)) for f in block.families] for block in self.blocks]

    def _block(self, voters: list[tuple[Voter, slice]], cases: list[Case], parity: Integers, ys: Any, s: Any) -> _Block:
        by_space: dict[int, list[tuple[Voter, slice]]] = {}
        for voter, place in voters:
            by_space.setdefault(id(voter.space), []).append((voter, place))
        families = [FamilyBound.of(members, cases[0], np.flatnonzero(ys)) for members in by_space.values()]
        elements = np.flatnonzero(s)
        elements = elements[elements != 0]
        constants = np.zeros((len(cases), 2, len(self.votes)))
        for number, case in enumerate(cases):
            for odd in (0, 1):
                for sign, place in self._signs:
                    constants[number, odd, place] = sign.share(case._replace(s=odd))
        return _Block(cases, families, [f.space.moved[:, elements] for f in families], parity[elements], constants)

    def climb(self, rounds: int) -> Reached:
        """The best votes of ``rounds`` steps at each price, the one that explains most among those whose bound is half the goal."""
        best: Reached | None = None
        hot, cold = self.settings.temperatures
        rates = [self.settings.votes_step, *[self.settings.dual_step for _ in self._flat()]]
        for price in self.settings.prices:
            adam = _Adam([self.votes, *self._flat()], [self.units, *[self.unit for _ in self._flat()]])
            for step in range(rounds):
                done = step / rounds
                found, slopes = self._look(hot * (cold / hot) ** done, price)
                best = found if best is None or _better(found, best, self.settings.goal / 2) else best
                fade = 0.05**done
                adam.step(slopes, [rate * fade for rate in rates])
                for _, lam in (pair for pairs in self.duals for pair in pairs):
                    lam -= lam.mean(axis=0)  # Adam's steps leave the subspace in which lam adds up to 0
            if best is not None and best.bound < self.settings.goal / 2:
                break
        assert best is not None
        return best

    def start(self, reached: Reached) -> Start:
        """What a proof of these votes can begin with."""
        spaces = {id(f.space): f.space for block in self.blocks for f in block.families}
        found: dict[int, dict[Case, tuple[Any, Any]]] = {key: {} for key in spaces}
        for block, pairs in zip(self.blocks, reached.duals, strict=True):
            for family, pair in zip(block.families, pairs, strict=True):
                for case in block.cases:
                    found[id(family.space)] |= {case: pair, case._replace(s=1): pair} if len(self.blocks) == 1 else {case: pair}
        return Start(tuple(StartOf(space, self._bias(space, reached.votes), found[key]) for key, space in spaces.items()))

    def _bias(self, space: Points, votes: Floats) -> Any:
        """B over one space as [p, q, parity of z], None where no part of the bias lies over it."""
        parts = [(voter, place) for voter, place in self._located if voter.circuit < 0 and voter.space is space]
        if not parts:
            return None
        table = np.zeros((space.count, space.count, 2))
        for voter, place in parts:
            for odd in (0, 1):
                table[voter.point, :, odd] += voter.at[odd % len(voter.at)] @ votes[place]
        return table

    def _flat(self) -> list[Any]:
        return [array for pairs in self.duals for pair in pairs for array in pair]

    def _look(self, temperature: float, price: float) -> tuple[Reached, list[Any]]:
        """Bounds at the present votes, and the slopes of the objective in votes and dual variables, in units."""
        tables, totals = [], []
        for block, duals in zip(self.blocks, self.duals, strict=True):
            total: Any = (block.constants @ self.votes)[:, block.odd]
            for family, images, (mu, lam) in zip(block.families, block.images, duals, strict=True):
                values = family.values(self.votes, mu, lam)
                least = values.reshape(*values.shape[:2], -1).min(axis=2)
                total = total + least[np.arange(len(least))[:, None], images].sum(axis=0) - mu.sum()
                tables.append((values, least))
            totals.append(total)
        low = min(float(total.min()) for total in totals)
        spread = max(temperature, LEAST_SPREAD) * self.unit
        weights = [np.exp(-np.minimum((total - low) / spread, CUT)) for total in totals]
        whole = sum(float(w.sum()) for w in weights) if low < self.settings.goal * self.unit else np.inf
        slopes = [np.zeros_like(self.votes), *(np.zeros_like(a) for a in self._flat())]
        k = 0
        for block, weight in zip(self.blocks, weights, strict=True):
            for odd in (0, 1):
                slopes[0] += weight[:, block.odd == odd].sum(axis=1) / whole @ block.constants[:, odd]
            share = weight.sum(axis=0) / whole
            for family, images in zip(block.families, block.images, strict=True):
                self._pull(family, images, *tables[k], share, temperature * self.unit, slopes, k)
                k += 1
        slopes = [slope / self.unit for slope in slopes]
        slopes[0] -= price * self.quadratic.slope(self.votes)
        kept = [[(mu.copy(), lam.copy()) for mu, lam in pairs] for pairs in self.duals]
        return Reached(self.votes.copy(), low / self.unit, self.quadratic.value(self.votes), kept), slopes

    def _pull(
        self, family: FamilyBound, images: Any, values: Any, least: Any, share: Any, heat: float, slopes: list[Any], k: int
    ) -> None:
        if not share.any():
            return
        m = len(least)
        wanted = np.zeros((m, m))
        np.add.at(wanted, (np.broadcast_to(np.arange(m)[:, None], images.shape), images), share[None])
        np.subtract(values, least[:, :, None, None], out=values)
        np.multiply(values, np.float32(-1 / heat), out=values)
        np.maximum(values, np.float32(-CUT), out=values)
        np.exp(values, out=values)
        values *= (wanted / values.sum(axis=(2, 3))).astype(np.float32)[:, :, None, None]
        mu, lam = slopes[1 + 2 * k], slopes[2 + 2 * k]
        family.slope(values, slopes[0], mu, lam)
        mu -= wanted.sum() / m
        lam -= lam.mean(axis=0)


def _better(new: Reached, old: Reached, enough: float) -> bool:
    if new.bound >= enough and old.bound >= enough:
        return new.unexplained < old.unexplained
    return new.bound > old.bound
