"""Which subgroups a neuron reads its inputs through: the label of every neuron.

A side of a neuron is a function f on the group (a column of L or of R, mean removed).
For a subgroup H, with or without a character of order two, let s be the share of f's variance that lies in the functions
constant (or twisted) on its cosets, k the dimension of that space with means removed, and N = |G| - 1.
For white noise s is Beta(k/2, (N-k)/2), and Chernoff's inequality bounds its tail by

    log P(share >= s) <= -(N/2) KL(k/N || s),      KL(p || q) = p log(p/q) + (1-p) log((1-p)/(1-q)),

for s > k/N (write the share as a ratio of sums of squares of normal variables and minimise the moment bound).
The label is the subgroup with the smallest bound: a small space that explains as much as a large one is the less likely accident,
which settles the choice between nested subgroups without a threshold.
A neuron is labelled at all only when on both sides that bound, times the number of candidates, is below 1e-6, and when
more than ``MAJORITY`` of each side's variance is explained. Labels describe; no verdict rests on them.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from algebra.group import FiniteGroup
from algebra.subgroups import Subgroups
from net.weights import Weights
from verify.certificate import Kind
from verify.coset_fit import Floats, Side, autocorrelation, captured_energy

MAJORITY = 0.9
ACCIDENT = 1e-6


class SideLabel(NamedTuple):
    """One side of a neuron: right or left cosets of a subgroup, the kernel of its character, share of variance explained."""

    side: Side
    subgroup: int
    kernel: int | None
    share: float
    log_accident: float


class NeuronLabel(NamedTuple):
    """A neuron's kind, its two sides (None when raw or dead) and its energy, see ``energies``."""

    index: int
    kind: Kind
    left: SideLabel | None
    right: SideLabel | None
    energy: float


class Candidates(NamedTuple):
    """Subgroups with a character of order two or the trivial one, largest subgroups first; kernel -1 for the trivial one."""

    subgroup: npt.NDArray[np.intp]
    kernel: npt.NDArray[np.intp]
    dimension: npt.NDArray[np.float64]


def candidates(family: Subgroups) -> Candidates:
    """Every proper nontrivial subgroup, and every subgroup with each of its characters of order two.

    The whole group is left out with the trivial character only: with a nontrivial one it labels sign-like functions, which the
    kernel labels at the same dimension, so the kernel is preferred.
    """
    order = family.group.order
    kernels, overgroups = _index_two_pairs(family)
    plain = np.flatnonzero((family.orders < order) & (family.orders > 1))
    twisted = family.orders[overgroups] < order
    kernels, overgroups = kernels[twisted], overgroups[twisted]
    subgroup = np.concatenate([plain, overgroups])
    kernel = np.concatenate([np.full(len(plain), -1), kernels])
    index = order / family.orders[subgroup]
    dimension = np.where(kernel < 0, index - 1, index)
    sort = np.lexsort((subgroup, kernel >= 0, dimension))
    return Candidates(subgroup[sort], kernel[sort], dimension[sort])


def _index_two_pairs(family: Subgroups) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """All pairs (N, H) with N of index two in H."""
    found_n, found_h = [], []
    masks = family.masks.astype(np.float32)
    for order in np.unique(family.orders):
        small, large = np.flatnonzero(family.orders == order), np.flatnonzero(family.orders == 2 * order)
        if len(large):
            inside = masks[small] @ masks[large].T > order - 0.5
            n, h = np.nonzero(inside)
            found_n.append(small[n])
            found_h.append(large[h])
    empty = np.zeros(0, dtype=np.intp)
    return np.concatenate([empty, *found_n]), np.concatenate([empty, *found_h])


def log_accident(share: Floats, dimension: Floats, order: int) -> Floats:
    """The Chernoff bound of the module's docstring, -(N/2) KL(k/N || s), and 0 where the share is no more than expected."""
    total = order - 1
    expected = dimension / total
    s = np.clip(share, 1e-300, 1 - 1e-16)
    with np.errstate(divide="ignore", invalid="ignore"):
        rest = np.where(expected < 1, (1 - expected) * np.log((1 - expected) / (1 - s)), 0.0)
        divergence = expected * np.log(expected / s) + rest
    return np.asarray(np.where(s > expected, -total / 2 * divergence, 0.0))


def energies(weights: Weights) -> Floats:
    """E_i = mean over pairs of h_i(x, y)^2 times the variance over z of U[i, z]: how much neuron i moves the logits."""
    n = weights.L.shape[0]
    total = np.zeros(weights.L.shape[1])
    for x in range(n):
        h = np.maximum(weights.L[x] + weights.R, 0)
        total += np.einsum("yi,yi->i", h, h)
    return np.asarray(total / n**2 * weights.U.var(axis=1))


def dead_neurons(weights: Weights) -> npt.NDArray[np.bool_]:
    """Neurons that cannot change an answer: max L + max R <= 0 with the error bounds added, or outgoing weights all equal."""
    top = weights.L.max(axis=0) + weights.R.max(axis=0)
    slack = weights.L_error + weights.R_error + 2.0**-50 * (np.abs(weights.L).max(axis=0) + np.abs(weights.R).max(axis=0))
    flat = (np.ptp(weights.U, axis=1) == 0) & (weights.U_error == 0)
    return np.asarray((top + slack <= 0) | flat)


def label_neurons(group: FiniteGroup, family: Subgroups, weights: Weights) -> tuple[NeuronLabel, ...]:
    """The label of every neuron; the module's docstring states the rule.

    Right cosets for L and left cosets for R are the coset neurons of DESIGN; the opposite pair makes a dual neuron.
    Complexity: four autocorrelations, O(|G|^2 m), and a product O((number of subgroups) |G| m).
    """
    choices = candidates(family)
    left = {side: _best(group, family, choices, weights.L, side) for side in ("right", "left")}
    right = {side: _best(group, family, choices, weights.R, side) for side in ("right", "left")}
    energy = energies(weights)
    dead = dead_neurons(weights)
    labels = []
    for i in range(weights.L.shape[1]):
        if dead[i]:
            labels.append(NeuronLabel(i, "dead", None, None, 0.0))
            continue
        coset = (left["right"][i], right["left"][i])
        dual = (left["left"][i], right["right"][i])
        best = min(coset, dual, key=lambda pair: pair[0].log_accident + pair[1].log_accident)
        kind = _kind(family, choices, best, is_dual=best is dual)
        sides = (None, None) if kind == "raw" else best
        labels.append(NeuronLabel(i, kind, *sides, float(energy[i])))
    return tuple(labels)


def _kind(family: Subgroups, choices: Candidates, pair: tuple[SideLabel, SideLabel], is_dual: bool) -> Kind:
    bar = np.log(ACCIDENT / max(1, len(choices.subgroup)))
    if any(side.share < MAJORITY or side.log_accident > bar for side in pair):
        return "raw"
    if all(2 * family.orders[side.subgroup] == family.group.order and side.kernel is None for side in pair):
        return "sign"
    if any(side.kernel is not None for side in pair):
        return "twisted"
    return "dual" if is_dual else "coset"


def _best(
    group: FiniteGroup, family: Subgroups, choices: Candidates, functions: Floats, side: Side
) -> list[SideLabel]:
    """The least accidental candidate for each function; ties go to the smaller space."""
    centred = functions - functions.mean(axis=0)
    correlation = autocorrelation(group, centred, side)
    total = np.maximum(correlation[0], np.finfo(float).tiny)
    plain = captured_energy(family.masks, correlation) / total
    share = plain[choices.subgroup]
    twisted = choices.kernel >= 0
    share[twisted] = plain[choices.kernel[twisted]] - plain[choices.subgroup[twisted]]
    bound = log_accident(share, choices.dimension[:, None], group.order)
    best = bound.argmin(axis=0)
    return [
        SideLabel(
            side,
            int(choices.subgroup[c]),
            int(choices.kernel[c]) if choices.kernel[c] >= 0 else None,
            float(min(1.0, share[c, i])),
            float(bound[c, i]),
        )
        for i, c in enumerate(best)
    ]
