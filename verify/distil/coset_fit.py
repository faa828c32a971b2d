"""How much of a function on a group lies in the functions that are constant on the cosets of each subgroup.

Projection onto the functions that are constant on right cosets Hx averages over H: (P_H f)(x) = 1/|H| sum over h in H of f(hx).
P_H is an orthogonal projection, so

    |P_H f|^2 = <P_H f, f> = 1/|H| sum over h in H of A(h),      A(h) = sum over x of f(hx) f(x),

and ONE autocorrelation A gives the captured energy of EVERY subgroup by a product with the 0/1 matrix of subgroups.
The functions with f(hx) = chi(h) f(x), chi of order two with kernel N, are the part of P_N that P_H leaves out:

    |P_{H,chi} f|^2 = |P_N f|^2 - |P_H f|^2.

All of this is search: float64, decides no verdict.
"""

import numpy as np
import numpy.typing as npt

from algebra.coset_space import Side
from algebra.group import FiniteGroup

Floats = npt.NDArray[np.float64]


def autocorrelation(group: FiniteGroup, functions: Floats, side: Side) -> Floats:
    """A[h, i] = sum over x of f_i(hx) f_i(x) for right cosets, of f_i(xh) f_i(x) for left ones.

    ``functions`` has shape (|G|, k), the result too. A(h) = A(h^-1), so half of the group is enough.
    Complexity: O(|G|^2 k / 2).
    """
    result = np.empty_like(functions)
    for h in range(group.order):
        back = int(group.inv[h])
        if back < h:
            result[h] = result[back]
            continue
        moved = group.mul[h] if side == "right" else group.mul[:, h]
        result[h] = np.einsum("xi,xi->i", functions[moved], functions)
    return result


def captured_energy(masks: npt.NDArray[np.bool_], correlation: Floats) -> Floats:
    """|P_H f_i|^2 for each subgroup and function: ``masks`` (s, |G|) and ``correlation`` (|G|, k) give (s, k).

    Complexity: one matrix product, O(s |G| k).
    """
    weights = masks / masks.sum(axis=1, keepdims=True)
    return np.asarray(weights @ correlation)
