"""Neurons that read x and y through one list: L(x) = c + chi(x) sum of a[p] m[px] and R(y) = s chi(y) sum of m[p] d[py].

On an irrep rho inside the functions on the points, with basis V, the coefficients are alpha mu^T of L and s mu delta^T of R, where
alpha = V^T a, mu = V^T m, delta = V^T d. The vectors a and d are the small ones next to the strongest singular vectors of the two; mu
and s minimise

    w_L |A_L - alpha mu^T|^2 + w_R |A_R - s mu delta^T|^2,

each in turn, since for either one fixed the other is linear. The weights are what the variance of either side is worth.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from verify.distil.coset_fit import Floats
from verify.distil.point_irreps import PointIrrep
from verify.distil.rank_one import small_vector, strengths, told_apart
from verify.program.form import GroupForm

#: Rounds of the alternation, which starts beside its end where the two sides share a list at all.
ROUNDS = 10


class SharedList(NamedTuple):
    """The two forms, the list of x without its constant (m), the s of y, and the shares of variance of L and R explained."""

    left: GroupForm
    right: GroupForm
    m: Floats
    s: float
    left_share: float
    right_share: float

    @property
    def size(self) -> int:
        """Constants of both sides: m, c and s."""
        return len(self.m) + 2

    @property
    def one_point_each(self) -> bool:
        """Whether both vectors are single points, so that the sides are constant on cosets, up to the character."""
        return all(sum(weight != 0 for weight in form.weights) == 1 for form in (self.left, self.right))


def shared_lists(irreps: Sequence[PointIrrep], left: Floats, right: Floats, worth: tuple[Floats, Floats]) -> list[SharedList | None]:
    """For each neuron its best shared list, None where there is no irrep. ``left`` and ``right`` are L and R, (|G|, m).

    The irrep is the one where the smaller of L's and R's shares is largest. Complexity: O(m |G| sum of d^2).
    """
    sides = [side - side.mean(axis=0) for side in (left, right)]
    totals = [np.maximum((side**2).sum(axis=0), np.finfo(float).tiny) for side in sides]
    found: list[SharedList | None] = [None] * left.shape[1]
    usable = [irrep for irrep in irreps if irrep.dimension > 1]
    if not usable:
        return found
    matrices = [[irrep.coefficients(side) for side in sides] for irrep in usable]
    strong = [
        [strengths(irrep, a) / t for a, t in zip(pair, totals, strict=True)] for irrep, pair in zip(usable, matrices, strict=True)
    ]
    shares = [np.minimum(one, other) for one, other in strong]
    for i, best in enumerate(np.argmax(shares, axis=0).tolist()):
        pair = matrices[best][0][i], matrices[best][1][i]
        found[i] = _fitted(usable[best], pair, (float(totals[0][i]), float(totals[1][i])), (float(worth[0][i]), float(worth[1][i])))
    return found


Pair = tuple[float, float]


def _fitted(irrep: PointIrrep, pair: tuple[Floats, Floats], totals: Pair, worth: Pair) -> SharedList | None:
    one, other = pair
    a = told_apart(small_vector(irrep, np.linalg.svd(one)[0][:, 0]).weights)
    d = told_apart(small_vector(irrep, np.linalg.svd(other)[2][0]).weights)
    alpha, delta = (irrep.basis.T @ np.array(weights, dtype=float) for weights in (a, d))
    from_left, from_right = alpha @ one, other @ delta
    squares = float(alpha @ alpha), float(delta @ delta)
    weights = worth[0] / totals[0], worth[1] / totals[1]
    mu = from_left / squares[0]
    s = 0.0
    for _ in range(ROUNDS):
        size = float(mu @ mu)
        if size <= 0:
            return None
        s = float(mu @ from_right) / size / squares[1]
        below = weights[0] * squares[0] + weights[1] * (s * s) * squares[1]
        if not 0 < below < np.inf:  # one side is nothing beside the other
            return None
        mu = (weights[0] * from_left + weights[1] * s * from_right) / below
    scale = irrep.points.group.order / irrep.dimension
    # the rest of either side: what is off the irrep, and what is on it beside the two vectors
    errors = one - np.outer(alpha, mu), other - s * np.outer(mu, delta)
    shares = [
        1 - (total - scale * float((a * a).sum()) + scale * float((error * error).sum())) / total
        for total, a, error in zip(totals, pair, errors, strict=True)
    ]
    base, kernel = (irrep.points.base,), (irrep.kernel,)
    return SharedList(
        GroupForm("images", base, kernel, a, constant=True),
        GroupForm("shared", base, kernel, d),
        irrep.basis @ mu,
        s,
        shares[0],
        shares[1],
    )
