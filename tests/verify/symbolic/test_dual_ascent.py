"""The steps of the search for dual variables against the definitions in `dual_variables`, number by number."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from verify.symbolic import dual_ascent
from verify.symbolic.decomposition import take_apart
from verify.symbolic.dual_ascent import RealDuals
from verify.symbolic.dual_variables import Tie, relaxed
from verify.symbolic.settings import DEFAULT

sys.path.insert(0, str(Path(__file__).parent))
from symbolic_programs import random_program, searched, veto_program


def ties_of(state: RealDuals, number: int) -> list[Tie]:
    """The tables phi as a family sees it: as it is in the plain one, else with the other sign and exchanged indices."""
    spaces = [t.family.points for t in state.families]
    found = []
    for (f, g), c in zip(state.pairs, state.phi, strict=True):
        if number == f:
            found.append(Tie(spaces[g], c))
        if number == g:
            found.append(Tie(spaces[f], -c.transpose(1, 0, 3, 2)))
    return found


def left_sides(state: RealDuals) -> list[Any]:
    """The left side of (2) at [j, j', p, y] for each family."""
    return [relaxed(t, state.mu[f], state.lam[f], ties_of(state, f)) for f, t in enumerate(state.families)]


def right_side(state: RealDuals, s: int) -> float:
    """The sum over families of the right side of (3) at one s, from the definition."""
    total = 0.0
    for t, mu, values in zip(state.families, state.mu, left_sides(state), strict=True):
        moved = t.family.moved(s)
        total += sum(values[j, moved[j]].min() for j in range(len(mu))) - mu.sum()
    return total


def slope_of(state: RealDuals, some: Any) -> RealDuals:
    """The mean over some s of the subgradient: 1 at each entry that the minima of (2) read, -1 at each that (3) takes off."""
    slope = RealDuals(state.families)
    for f, (t, values) in enumerate(zip(state.families, left_sides(state), strict=True)):
        points, share = t.family.points, 1 / len(some)
        for s in some:
            for j in range(points.count):
                p, k = np.unravel_index(values[j, t.family.moved(int(s))[j]].argmin(), values.shape[2:])
                y = t.ys[k]
                slope.mu[f][p] += share
                for q in range(points.count):
                    slope.lam[f][j, q, points.moved[q, y]] += share
                for (plain, mirror), phi in zip(state.pairs, slope.phi, strict=True):
                    other = state.families[mirror if f == plain else plain].family.points
                    for q in range(other.count) if f in (plain, mirror) else ():
                        if f == plain:
                            phi[j, q, p, other.moved[q, y]] += share
                        else:
                            phi[q, j, other.moved[q, y], p] -= share
        slope.mu[f] -= slope.mu[f].mean()
        slope.lam[f] -= slope.lam[f].mean(axis=0)
    return slope


@pytest.mark.parametrize("seed", range(3))
def test_bounds_and_slopes_are_those_of_the_definition(seed: int) -> None:
    """For random dual variables, families seen from both sides and some of the s."""
    program, group, members = random_program("S4", 2)
    parts = take_apart(program, group, members)
    rng = np.random.default_rng(seed)
    case = list(parts.cases)[seed]
    tables = [family.tables(case) for family in parts.families]
    state = RealDuals(tables)
    assert {t.family.mirrored for t in tables} == {False, True}
    assert state.pairs
    state.numbers[:] = rng.normal(0, parts.scale, len(state.numbers))
    s = rng.choice(np.flatnonzero(parts.parity == case.s)[1:], 1 + 3 * seed, replace=False)
    looks = [dual_ascent._Look(state, f, s) for f in range(len(tables))]
    found = sum(look.bounds(state) for look in looks)
    assert found == pytest.approx([right_side(state, int(one)) for one in s], rel=1e-12)
    some = np.argsort(found, kind="stable")[:4]
    slope = RealDuals(tables, dual_ascent._slope(state, looks, some))
    expected = slope_of(state, s[some])
    for mine, other in zip([*slope.mu, *slope.lam, *slope.phi], [*expected.mu, *expected.lam, *expected.phi], strict=True):
        assert mine == pytest.approx(other, abs=1e-12)


def test_no_climb_lowers_the_least_bound() -> None:
    """What `_climb` returns is the best that it met, the start among them, and it leaves the start as it was."""
    program, group, members = veto_program("S4")
    parts = take_apart(program, group, members)
    for tables, s in searched(parts):
        start = RealDuals(tables)
        before = min(right_side(start, int(one)) for one in s)
        reached, effort = dual_ascent._climb(start, s, -(10**9), parts.scale, 1000, DEFAULT)
        assert effort < 1000
        assert not start.numbers.any()
        assert min(right_side(reached, int(one)) for one in s) >= before


def test_after_some_are_settled_the_best_of_the_others_come_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first climb is about all s, later ones about half as many, or after a success ``WIDER`` times as many, the best ones."""
    tried: list[list[int]] = []

    class Bounds:
        """Stands for a batch: what is tried is settled where that is at most two; of the others low numbers have better bounds."""

        def __init__(self, left: Any, duals: Any) -> None:
            self.s, self.duals = left, duals

        def totals(self, constant: int) -> Any:
            good = tried[-1] if len(tried[-1]) <= 2 else []
            return np.where(np.isin(self.s, good), 1, -self.s)

    class State:
        """Stands for dual variables."""

        def __init__(self) -> None:
            self.families: list[Any] = []

        def batch(self, left: Any) -> Bounds:
            return Bounds(left, [])

    def climb(state: Any, active: Any, *_: Any) -> Any:
        tried.append(active.tolist())
        return state, 1000

    monkeypatch.setattr(dual_ascent, "_climb", climb)
    monkeypatch.setattr(dual_ascent, "Batch", Bounds)
    everything: Any = State()
    settled, left = dual_ascent.find(everything, np.arange(1, 12), 1, 1, DEFAULT)
    assert left is None
    assert sorted(np.concatenate([batch.s for batch in settled])) == list(range(1, 12))
    assert tried[:4] == [list(range(1, 12)), [1, 2, 3, 4, 5], [1, 2], [3, 4, 5, 6]]
    assert all(len(one) <= 2 * dual_ascent.WIDER for one in tried[2:])
