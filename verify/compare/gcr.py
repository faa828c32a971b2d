"""Group composition via representations (GCR): how much of a network's logits is tr(rho(a) rho(b) rho(c^-1)).

Chughtai, Chan and Nanda (arXiv 2302.03025) hold that a network which multiplies in a group computes
argmax over c of a sum over some irreps rho of the *character cubes* T_rho(a, b, c) = tr(rho(a) rho(b) rho(c^-1)) = chi_rho(abc^-1).
The cubes are orthogonal, |T_rho|^2 = |G|^3, and their span over all irreps is exactly the space of cubes that are invariant under
(a, b, c) -> (gak, k^-1 bh, gch): the equivariant part of the logits. So the shares add up, to at most 1.

An inner product with any cube phi(abc^-1) takes no cube. With S_i(d) = sum over ab = d of relu(L[a, i] + R[b, i]),

    <logits, phi(abc^-1)> = sum over i, d of S_i(d) (sum over c of U[i, c] phi(dc^-1)),      O(|G|^2 m) in all.

Measurement in float64: no verdict rests on it.
"""

from typing import NamedTuple

import numpy as np

from algebra.characters.character_table import character_table
from algebra.group import FiniteGroup
from net.activation import Activation, fired
from net.folded import FoldedNetwork
from net.weights import Weights
from verify.distil.coset_fit import Floats
from verify.distil.moments import activation_moments, logit_variance


class LogitFve(NamedTuple):
    """Share of the variance of the centred logits that lies in the character cubes: in all, and per irrep by name."""

    total: float
    per_irrep: dict[str, float]


def logit_fve(network: FoldedNetwork, moments: Floats | None = None) -> LogitFve:
    """FVE_rho = cos(centred logits, T_rho)^2 for every irrep but the trivial one, whose cube is constant in c.

    ``moments`` are ``activation_moments(network.weights)`` when they are at hand; else they take most of the time, O(|G|^2 m^2).
    Complexity: O(|G|^2 m) beyond that. A constant network has NaN shares.
    Source: Chughtai et al. ("logit similarity"); FVE is the sum of the squared cosines over irreps.
    """
    cosines = logit_cosines(network, moments)
    per_irrep = {name: value**2 for name, value in cosines.items()}
    return LogitFve(sum(per_irrep.values()), per_irrep)


def logit_cosines(network: FoldedNetwork, moments: Floats | None = None) -> dict[str, float]:
    """Cosine of the centred logits and T_rho per nontrivial irrep; of complex irreps its absolute value."""
    group, weights = network.group, network.weights
    if moments is None:
        moments = activation_moments(weights)
    length = float(np.sqrt(logit_variance(weights, moments))) * group.order
    if not length:
        return dict.fromkeys(character_table(group).names[1:], float("nan"))
    found = {name: c / length * group.order**1.5 for name, c in cube_coefficients(weights, group).items()}
    return {name: float(value.real if abs(value.imag) < 1e-9 else abs(value)) for name, value in found.items()}


def cube_coefficients(weights: Weights, group: FiniteGroup) -> dict[str, complex]:
    """alpha_rho = <logits, T_rho> / |G|^3 per nontrivial irrep: the logits' equivariant part is their sum of alpha_rho T_rho."""
    table = character_table(group)
    profile = class_profile(weights, group)
    projected = table.values.conj() @ profile / group.order**3
    return {name: complex(value) for name, value in list(zip(table.names, projected, strict=True))[1:]}


def class_profile(weights: Weights, group: FiniteGroup) -> Floats:
    """P(C) = sum over pairs and over c with abc^-1 in C of logits(a, b)[c], one number per conjugacy class of elements.

    All that an inner product of the logits with a class function of abc^-1 needs. Complexity: O(|G|^2 m).
    """
    sums = product_sums(weights, group)
    return class_sums(group, sums @ weights.U + group.order * weights.b)


def class_sums(group: FiniteGroup, values: Floats) -> Floats:
    """For each conjugacy class C the sum of ``values[d, c]``, (|G|, |G|), over the d and c with dc^-1 in C; shape (classes,)."""
    classes = group.class_of[group.mul[:, group.inv]]
    return np.asarray(np.bincount(classes.ravel(), weights=values.ravel(), minlength=len(group.conjugacy_classes)), dtype=np.float64)


def product_sums(weights: Weights, group: FiniteGroup) -> Floats:
    """S[d, i] = sum over pairs with ab = d of relu(L[a, i] + R[b, i]), shape (|G|, m). Complexity: O(|G|^2 m)."""
    return sums_over_products(weights.L, weights.R, weights.activation, group)


def sums_over_products(left: Floats, right: Floats, activation: Activation, group: FiniteGroup) -> Floats:
    """What ``product_sums`` gives, of preactivations (|G|, m)."""
    total = np.zeros_like(left)
    right = np.ascontiguousarray(right)
    buffer = np.empty_like(total)
    for a in range(group.order):
        np.take(right, group.mul[group.inv[a]], axis=0, out=buffer, mode="clip")  # without a copy in between
        buffer += left[a]
        total += fired(buffer, activation, out=buffer)
    return total


def activation_fve(network: FoldedNetwork, moments: Floats | None = None) -> dict[str, float]:
    """Share of the hidden activations' variance that is a function of ab in the span of rho's matrix entries, per irrep.

    sum_i |P_rho (S_i / |G|)|^2 |G| / (|G|^2 sum_i Var h_i), P_rho f = (d_rho / |G|) f * chi_rho, S as in ``product_sums``.
    The trivial irrep (a constant) is left out. Source: Chughtai et al. ("MLP FVE for rho(ab)").
    """
    group, weights = network.group, network.weights
    if moments is None:
        moments = activation_moments(weights)
    mean = moments[-1, :-1]
    variance = float((np.diag(moments)[:-1] - mean**2).sum())
    sums = product_sums(weights, group) / group.order
    correlation = sums @ sums.T  # [d, e]: sum over neurons
    by_class = class_sums(group, correlation)
    table = character_table(group)
    energy = (table.values.conj() @ by_class).real * table.degrees / group.order**2
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = energy / variance if variance > 0 else np.full(len(energy), np.nan)
    return {name: float(share) for name, share in list(zip(table.names, shares, strict=True))[1:]}
