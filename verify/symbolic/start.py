"""Where the search for a proof may begin: bias tables that another search has found.

They are given over spaces of their own and carried over to the proof's spaces by the isomorphism of G-sets that matches stabilisers.
Nothing rests on them: tables enter a proof as rounded integers, and what they give is proved.
"""

from dataclasses import dataclass

import numpy as np

from net.roundoff import Floats
from verify.symbolic.families import PointFamily
from verify.symbolic.points import Integers, Points

__all__ = ["Start", "StartOf", "same_points"]


@dataclass(frozen=True, eq=False)
class StartOf:
    """For one space, seen from one side: the bias B as [p, q, parity of z], floats in votes."""

    space: Points
    mirrored: bool
    bias: Floats


@dataclass(frozen=True, eq=False)
class Start:
    """What was found for several spaces; families over other spaces start from nothing."""

    spaces: tuple[StartOf, ...]

    def bias(self, family: PointFamily) -> Floats | None:
        """B over the family's own points, or None."""
        for known in self.spaces:
            to = same_points(known.space, family.points) if known.mirrored == family.mirrored else None
            if to is not None:
                result = np.zeros_like(known.bias)
                result[to[:, None], to[None]] = known.bias
                return result
        return None


def same_points(one: Points, other: Points) -> Integers | None:
    """The map of points to points with other.moved[to[p], g] = to[one.moved[p, g]] for all g, or None where there is none."""
    first = other.point(one.base)
    if first is None or one.count != other.count:
        return None
    to = np.empty(one.count, dtype=np.intp)
    to[one.moved[0]] = other.moved[first]
    return to
