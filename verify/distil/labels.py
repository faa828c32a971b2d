"""Which subgroups a neuron reads its inputs through: the label of every neuron.

A side of a neuron is a function f on the group (a column of L or of R, mean removed).
For a subgroup H, with or without a character of order two, let s be the share of f's variance that lies in the functions
constant (or twisted) on its cosets, k the dimension of that space with means removed, and N = |G| - 1.
For white noise s is Beta(k/2, (N-k)/2), and Chernoff's inequality bounds its tail by

    log P(share >= s) <= -(N/2) KL(k/N || s),      KL(p || q) = p log(p/q) + (1-p) log((1-p)/(1-q)),

for s > k/N (write the share as a ratio of sums of squares of normal variables and minimise the moment bound).
The label is the subgroup with the smallest bound: a small space that explains as much as a large one is the less likely accident,
which settles the choice between nested subgroups without a threshold.
A neuron is labelled at all only when on both sides that bound, times the number of candidates, is below ``ACCIDENT``, and when
more than ``labelled_variance`` of each side's variance is explained (`verify.distil.settings`).
Labels describe; no verdict rests on them.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from algebra.coset_space import CosetSpace, Side
from algebra.lattice import SubgroupLattice
from net.weights import Weights, dead_neurons
from verify.distil.coset_fit import Floats
from verify.distil.coset_spaces import Candidates, candidate_shares, candidates
from verify.distil.moments import squared_activations
from verify.distil.settings import DEFAULT, DistilSettings
from verify.record.certificate import Kind

#: The largest probability that noise would be labelled, over all coset spaces tried.
ACCIDENT = 1e-6

Shares = dict[Side, Floats]


class SideLabel(NamedTuple):
    """One side of a neuron: right or left cosets of a subgroup, the kernel of its character, share of variance explained."""

    side: Side
    subgroup: int
    kernel: int | None
    share: float
    log_accident: float

    def space(self, lattice: SubgroupLattice) -> CosetSpace:
        """The coset space."""
        return CosetSpace(lattice.all[self.subgroup], self.side, None if self.kernel is None else lattice.all[self.kernel])


@dataclass(frozen=True)
class NeuronLabel:
    """A neuron's kind, its two sides (None when raw or dead) and its energy, see ``energies``."""

    index: int
    kind: Kind
    left: SideLabel | None
    right: SideLabel | None
    energy: float


class Labelling(NamedTuple):
    """The labels of a network's neurons and what they were read off: the coset spaces and each one's share of L's and R's variance."""

    choices: Candidates
    left_shares: Shares
    right_shares: Shares
    labels: tuple[NeuronLabel, ...]


def labelled(lattice: SubgroupLattice, weights: Weights, settings: DistilSettings = DEFAULT) -> Labelling:
    """The label of every neuron of a network. Complexity: that of ``candidate_shares``, twice."""
    choices = candidates(lattice)
    left, right = (candidate_shares(lattice.group, lattice, choices, side) for side in (weights.L, weights.R))
    return Labelling(choices, left, right, label_neurons(lattice, choices, left, right, weights, settings))


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
    return np.asarray(squared_activations(weights) * weights.U.var(axis=1))


def label_neurons(
    lattice: SubgroupLattice,
    choices: Candidates,
    left_shares: Shares,
    right_shares: Shares,
    weights: Weights,
    settings: DistilSettings = DEFAULT,
) -> tuple[NeuronLabel, ...]:
    """The label of every neuron; the module's docstring states the rule.

    A neuron reads x through right cosets Hx and y through left cosets yK; one that reads x through left cosets and y through right
    ones is dual. ``left_shares`` and ``right_shares`` are ``candidate_shares`` of L and of R.
    """
    order = lattice.group.order
    left = {side: _best(choices, shares, side, order) for side, shares in left_shares.items()}
    right = {side: _best(choices, shares, side, order) for side, shares in right_shares.items()}
    energy = energies(weights)
    dead = dead_neurons(weights)
    labels = []
    for i in range(weights.L.shape[1]):
        if dead[i] or not len(choices.subgroup):  # a group of prime order has no coset space to read through
            labels.append(NeuronLabel(i, "dead" if dead[i] else "raw", None, None, 0.0 if dead[i] else float(energy[i])))
            continue
        coset = (left["right"][i], right["left"][i])
        dual = (left["left"][i], right["right"][i])
        best = min(coset, dual, key=lambda pair: pair[0].log_accident + pair[1].log_accident)
        kind = _kind(lattice, choices, best, best is dual, settings)
        seen = (None, None) if kind == "raw" else best
        labels.append(NeuronLabel(i, kind, seen[0], seen[1], float(energy[i])))
    return tuple(labels)


def _kind(
    lattice: SubgroupLattice, choices: Candidates, pair: tuple[SideLabel, SideLabel], is_dual: bool, settings: DistilSettings
) -> Kind:
    bar = np.log(ACCIDENT / max(1, len(choices.subgroup)))
    if any(side.share < settings.labelled_variance or side.log_accident > bar for side in pair):
        return "raw"
    if all(2 * lattice.orders[side.subgroup] == lattice.group.order and side.kernel is None for side in pair):
        return "sign"
    if any(side.kernel is not None for side in pair):
        return "twisted"
    return "dual" if is_dual else "coset"


def _best(choices: Candidates, share: Floats, side: Side, order: int) -> list[SideLabel]:
    """The least accidental candidate for each function; ties go to the smaller space."""
    if not len(choices.subgroup):
        return []
    bound = log_accident(share, choices.dimension[:, None], order)
    best = bound.argmin(axis=0)
    kernels = [int(k) if k >= 0 else None for k in choices.kernel[best]]
    return [
        SideLabel(side, int(choices.subgroup[c]), kernel, float(share[c, i]), float(bound[c, i]))
        for i, (c, kernel) in enumerate(zip(best, kernels, strict=True))
    ]
