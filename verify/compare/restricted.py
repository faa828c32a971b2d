"""Losses of a network whose logits keep only the character cubes of some irreps, or lose them, as far as float64 knows them.

The cubes kept are phi(abc^-1), phi(g) = (1 / n^3) sum over rho of chi_rho(g) sum over classes C of conj(chi_rho(C)) P(C), with n = |G|
and P the class profile (`verify.compare.gcr`). What all elements share may be taken off P, since nontrivial characters sum to 0:
P(C) - |C| / n sum of all P.

**Error of P.** Let H, d, f, V be those of `bounded_logits`, of k neurons, S_i(e) the float sum of H_i over the pairs with product e,
s_i = sum over e of S_i(e) and v_i = sum over c of |V_ic|. A sum of n activations errs by at most gamma_(n+4) S_i(e) + n d_i, products
with votes by gamma_k more, and a class has at most n^2 terms (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., 3.1).
So all P(C) together err by

    at most sum over i of v_i (gamma_(n^2+n+k+32) s_i + n^2 d_i) + 2 n f_i (s_i + n^2 d_i), and n^2 k t.

Where that is more than ``LOST`` of them and ``WORK`` products of integers are enough, P is exact and rounded once.

**Error of phi.** chi_rho(C) is a sum of integers c_k times powers of a root of unity; let q_rho be the largest sum of |c_k|. It is at
most q_rho in absolute value, and as computed off by a share of that below 4 phi(e) + 128 roundings, e the group's exponent. With the
sums over classes and over irreps, in complex numbers, phi errs by at most

    sum over rho of q_rho^2 / n^3 times (the errors of all P, and gamma_(8 (phi(e) + classes + irreps) + 512) sum of |P|).
"""

from typing import NamedTuple

import numpy as np

from algebra.characters.character_table import character_table
from algebra.group import FiniteGroup
from net.activation import fired
from net.folded import FoldedNetwork
from net.roundoff import TINY64, U64, Floats, gamma, inflate
from net.usual_units import in_usual_units
from net.weights import Weights
from verify.compare.bounded_logits import LOST, WORK, BoundedLogits, changes, rows_at_once
from verify.compare.gcr import class_sums, sums_over_products
from verify.compare.loss import Losses
from verify.exact.scaled_integers import live_neurons


class PartLosses(NamedTuple):
    """Mean cross-entropy (natural logarithm) over all pairs: of the logits, of a part of them alone, and of the rest."""

    full: float
    restricted: float
    excluded: float


def restricted_excluded(network: FoldedNetwork, names: tuple[str, ...]) -> PartLosses:
    """Cross-entropy when only the cubes of ``names`` are kept of the logits (restricted), and when they are taken out (excluded).

    A loss that rounding may change by more than `loss.KNOWN` of itself is NaN. Complexity: O(|G|^3 m), a pass over all logits.
    Source: Chughtai et al., after Nanda et al. (arXiv 2301.05217).
    """
    group = network.group
    weights, units = in_usual_units(network.weights)
    kept, off = kept_function(weights, group, names)
    full, restricted, excluded = (Losses(-units.logits) for _ in range(3))
    _add(restricted, kept[None].copy(), np.array([2 * off]), np.zeros(1, dtype=np.intp))
    products, back = group.mul, group.inv.astype(np.intp)
    for block in BoundedLogits(weights).blocks(np.arange(group.order), rows_at_once(weights)):
        target = products[block.rows].ravel()
        rest = block.logits - kept[products[target[:, None], back]]
        full.add(block.logits, block.error, target, block.lead, block.decided & (block.first == target))
        _add(excluded, rest, block.error + 2 * off, target)
    return PartLosses(full.mean(), restricted.mean(), excluded.mean())


def _add(losses: Losses, logits: Floats, error: Floats, target: np.ndarray) -> None:
    """Add logits that are themselves the results of a rounding, as may be the differences that are made of them."""
    pairs = np.arange(len(target))
    error = error + 16 * U64 * np.abs(logits).max(axis=1)
    own = logits[pairs, target].copy()
    logits[pairs, target] = -np.inf
    lead = own - logits.max(axis=1, initial=-np.inf)
    logits[pairs, target] = own
    losses.add(logits, error, target, lead, lead > error)


def kept_function(weights: Weights, group: FiniteGroup, names: tuple[str, ...]) -> tuple[Floats, float]:
    """The function phi of the irreps of these names, (|G|,), and a bound of its errors; infinite where a number is not finite."""
    table, order = character_table(group), group.order
    chosen = [table.names.index(name) for name in names]
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        profile, error = _profile(weights, group)
        values = table.values[chosen]
        phi = (values.T @ (values.conj() @ profile / order**3)).real
        largest = np.abs(table.coefficients[chosen]).sum(axis=2).max(axis=1).astype(np.float64)
        steps = 8 * (table.coefficients.shape[2] + len(profile) + len(names)) + 512
        off = float((largest**2).sum()) / order**3 * (error + gamma(steps, U64) * float(np.abs(profile).sum()))
        off = off * inflate(order + len(profile)) + steps * TINY64
    if not (np.isfinite(off) and np.isfinite(phi).all()):
        return np.zeros(order), np.inf
    return np.asarray(phi[group.class_of]), off


def _profile(weights: Weights, group: FiniteGroup) -> tuple[Floats, float]:
    """P up to what is the same for all elements, one number per class, and a bound of the sum of its errors."""
    profile, error = _float_profile(weights, group)
    if error <= LOST * float(np.abs(profile).sum()):
        return profile, error
    exact = weights.exact()
    sizes = [max((abs(int(v)).bit_length() for v in array.ravel()), default=0) for array in (exact.L, exact.R, exact.U)]
    products = 2 * group.order**2 * (weights.width + 1) * (1 + sum(sizes) // 512)
    return _exact_profile(weights, group) if products <= WORK else (profile, error)


def _float_profile(weights: Weights, group: FiniteGroup) -> tuple[Floats, float]:
    """`_profile` in float64. O(|G|^2 m)."""
    real = live_neurons(weights)
    if real is None:
        return np.zeros(len(group.conjugacy_classes)), np.inf
    n, k = group.order, len(real.U)
    sums = sums_over_products(real.L, real.R, real.activation, group)
    profile = class_sums(group, sums @ real.U)
    total, change, largest = sums.sum(axis=0), n**2 * changes(real), np.abs(real.U).sum(axis=1)
    error = largest * (gamma(n**2 + n + k + 32, U64) * total + change) + 2 * n * real.U_error * (total + change)
    return profile, (float(error.sum()) + n**2 * k * TINY64) * inflate(n + k)


def _exact_profile(weights: Weights, group: FiniteGroup) -> tuple[Floats, float]:
    """`_profile` from Python's integers, each quotient rounded to nearest. O(|G|^2 m) products."""
    exact, n = weights.exact(), group.order
    sums = sum(fired(row + exact.R[group.mul[group.inv[a]]], exact.activation) for a, row in enumerate(exact.L))
    pooled = sums @ exact.U + n * exact.b
    classes = group.class_of[group.mul[:, group.inv]]
    sizes = [len(one) for one in group.conjugacy_classes]
    totals = [int(pooled[classes == number].sum()) for number in range(len(sizes))]
    try:
        found = [(n * one - size * sum(totals)) / (n << exact.logit_bits) for one, size in zip(totals, sizes, strict=True)]
    except OverflowError:
        return np.zeros(len(sizes)), np.inf
    profile = np.array(found)
    return profile, U64 * float(np.abs(profile).sum()) * inflate(len(sizes)) + len(sizes) * TINY64
