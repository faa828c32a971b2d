"""Where the search for a proof may begin: bias tables and dual variables that another search has found.

They are given over spaces of their own and carried over to the proof's spaces by the isomorphism of G-sets that matches stabilisers.
Nothing rests on them: tables and dual variables enter a proof as rounded integers, and the solver proves what they give.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from verify.symbolic.families import Case, Family
from verify.symbolic.points import Integers, Points

__all__ = ["Start", "StartOf", "same_points"]


@dataclass(frozen=True, eq=False)
class StartOf:
    """For one space: the bias B as [p, q, parity of z] or None, and mu[p], lam[j, q, k] by case; floats in votes."""

    space: Points
    bias: Any
    duals: dict[Case, tuple[Any, Any]]


@dataclass(frozen=True, eq=False)
class Start:
    """What was found for several spaces; families over other spaces, and mirrored ones, start from nothing."""

    spaces: tuple[StartOf, ...]

    def bias(self, family: Family) -> Any:
        """B over the family's own points, or None."""
        for known, to in self._matches(family):
            if known.bias is not None:
                result = np.zeros_like(known.bias)
                result[to[:, None], to[None]] = known.bias
                return result
        return None

    def duals(self, family: Family, case: Case) -> tuple[Any, Any] | None:
        """Mu and lam over the family's own points, or None."""
        for known, to in self._matches(family):
            if case in known.duals:
                mu, lam = (np.zeros_like(a) for a in known.duals[case])
                mu[to] = known.duals[case][0]
                lam[to[:, None, None], to[:, None], to] = known.duals[case][1]
                return mu, lam
        return None

    def _matches(self, family: Family) -> list[tuple[StartOf, Integers]]:
        if family.mirrored:
            return []
        found = [(known, same_points(known.space, family.points)) for known in self.spaces]
        return [(known, to) for known, to in found if to is not None]


def same_points(one: Points, other: Points) -> Integers | None:
    """The map of points to points with other.moved[to[p], g] = to[one.moved[p, g]] for all g, or None where there is none."""
    first = other.point(one.base)
    if first is None or one.count != other.count:
        return None
    to = np.empty(one.count, dtype=np.intp)
    to[one.moved[0]] = other.moved[first]
    return to
