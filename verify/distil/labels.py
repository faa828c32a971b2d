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
**Rank one.** Cosets are the case of one point in f(g) = chi(g) sum over p of a[p] m[p g] (`verify.distil.rank_one`). For a fixed vector
a and a fixed irrep of dimension d these functions have dimension d, so the same bound holds for the share of variance in them. A neuron
with a of several points on both of its sides, or on one, is labelled *rank one* where the bound times the number of candidates is less
than that of the best coset spaces times theirs: the candidates are all vectors with entries 0, ..., ``LEVELS`` on all G-sets, for
images and preimages, at most 2 (LEVELS + 1)^points for each irrep.

Labels describe; no verdict rests on them.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from algebra.coset_space import Side
from algebra.lattice import SubgroupLattice
from algebra.subgroup import Subgroup
from net.weights import Weights, dead_neurons
from verify.distil.coset_fit import Floats
from verify.distil.coset_spaces import CandidateSpaces, candidate_shares, candidate_spaces
from verify.distil.moments import squared_activations
from verify.distil.point_irreps import point_irreps
from verify.distil.rank_one import LEVELS, best_parts
from verify.distil.settings import DEFAULT, DistilSettings
from verify.program.form import GroupForm
from verify.record.certificate import Kind

#: The largest probability that noise would be labelled, over all coset spaces tried.
ACCIDENT = 1e-6
#: Shares are known up to this: nearer to 1 than that they do not differ.
ROUNDING = 1e-9

Shares = dict[Side, Floats]


class SideLabel(NamedTuple):
    """One side of a neuron: the form through which it reads its input, and the share of the variance that it explains.

    The form is on right or left cosets of a subgroup, or, of a rank-one neuron, on images or preimages with a vector of weights.
    """

    form: GroupForm
    share: float
    log_accident: float

    @property
    def subgroup(self) -> Subgroup:
        """The subgroup whose cosets are read, or are the points."""
        return self.form.subgroups[0]


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

    choices: CandidateSpaces
    left_shares: Shares
    right_shares: Shares
    labels: tuple[NeuronLabel, ...]


def labelled(lattice: SubgroupLattice, weights: Weights, settings: DistilSettings = DEFAULT) -> Labelling:
    """The label of every neuron of a network. Complexity: that of ``candidate_shares``, twice."""
    choices = candidate_spaces(lattice)
    left, right = (candidate_shares(choices, side) for side in (weights.L, weights.R))
    return Labelling(choices, left, right, label_neurons(lattice, choices, left, right, weights, settings))


def log_accident(share: Floats, dimension: Floats, order: int) -> Floats:
    """The Chernoff bound of the module's docstring, -(N/2) KL(k/N || s), and 0 where the share is no more than expected."""
    total = order - 1
    expected = dimension / total
    s = np.clip(share, 1e-300, 1 - ROUNDING)
    with np.errstate(divide="ignore", invalid="ignore"):
        rest = np.where(expected < 1, (1 - expected) * np.log((1 - expected) / (1 - s)), 0.0)
        divergence = expected * np.log(expected / s) + rest
    return np.asarray(np.where(s > expected, -total / 2 * divergence, 0.0))


def energies(weights: Weights) -> Floats:
    """E_i = mean over pairs of h_i(x, y)^2 times the variance over z of U[i, z]: how much neuron i moves the logits."""
    return np.asarray(squared_activations(weights) * weights.U.var(axis=1))


def label_neurons(
    lattice: SubgroupLattice,
    choices: CandidateSpaces,
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
    rank_one = rank_one_sides(lattice, weights, settings)
    energy = energies(weights)
    dead = dead_neurons(weights)
    labels = []
    for i in range(weights.L.shape[1]):
        if dead[i] or not choices.count:  # a group of prime order has no coset space to read through
            labels.append(NeuronLabel(i, "dead" if dead[i] else "raw", None, None, 0.0 if dead[i] else float(energy[i])))
            continue
        coset = (left["right"][i], right["left"][i])
        dual = (left["left"][i], right["right"][i])
        best = min(coset, dual, key=lambda pair: pair[0].log_accident + pair[1].log_accident)
        kind = _kind(choices, best, best is dual, settings)
        points = rank_one[i]
        tried = 2 * np.log(choices.count) if kind != "raw" else -np.inf
        if points is not None and (kind == "raw" or points.log_accident < sum(side.log_accident for side in best) + tried):
            kind, best = "rank one", points.sides
        seen = (None, None) if kind == "raw" else best
        labels.append(NeuronLabel(i, kind, seen[0], seen[1], float(energy[i])))
    return tuple(labels)


class PointSides(NamedTuple):
    """Both sides of a neuron on points, and the sum of their bounds with the logarithms of the numbers of candidates added."""

    sides: tuple[SideLabel, SideLabel]
    log_accident: float


def rank_one_sides(lattice: SubgroupLattice, weights: Weights, settings: DistilSettings = DEFAULT) -> list[PointSides | None]:
    """For each neuron the best reading of both sides on one irrep with small weights of several points, None where there is none.

    Complexity: O(m |G| sum of d^2) for the irreps, and a search for small vectors for each neuron and side.
    """
    group, irreps = lattice.group, [irrep for irrep in point_irreps(lattice) if irrep.dimension > 1]
    found: list[PointSides | None] = [None] * weights.width
    functions = [side - side.mean(axis=0) for side in (weights.L, weights.R)]
    totals = [np.maximum((side**2).sum(axis=0), np.finfo(float).tiny) for side in functions]
    coefficients = [[irrep.coefficients(side) for side in functions] for irrep in irreps]
    for irrep, matrices in zip(irreps, coefficients, strict=True):
        scale = group.order / irrep.dimension
        strongest = [np.linalg.norm(a, 2, axis=(1, 2)) ** 2 * scale / total for a, total in zip(matrices, totals, strict=True)]
        candidates = np.log(len(irreps)) + np.log(2) + irrep.points.count * np.log(LEVELS + 1)
        some = np.flatnonzero(np.minimum(*strongest) >= settings.labelled_variance)
        parts = [best_parts([irrep], [a[some]], [s[some]], constant=True) for a, s in zip(matrices, strongest, strict=True)]
        for i, pair in zip(some.tolist(), zip(*parts, strict=True), strict=True):
            sides, bound, several = [], 0.0, False
            for part, total in zip(pair, totals, strict=True):
                if part is None:  # a function that has nothing on the irrep
                    break
                share = min(1.0, part.energy / float(total[i]))
                log = float(log_accident(np.array([share]), np.array([float(irrep.dimension)]), group.order)[0]) + candidates
                several |= min(part.form.weights.count(w) for w in set(part.form.weights)) > 1 or len({*part.form.weights}) > 2
                sides.append(SideLabel(part.form, share, log))
                bound += log
            certain = len(sides) == 2 and all(
                s.share >= settings.labelled_variance and s.log_accident < np.log(ACCIDENT) for s in sides
            )
            best = found[i]
            if several and certain and (best is None or bound < best.log_accident):
                found[i] = PointSides((sides[0], sides[1]), bound)
    return found


def _kind(choices: CandidateSpaces, pair: tuple[SideLabel, SideLabel], is_dual: bool, settings: DistilSettings) -> Kind:
    bar = np.log(ACCIDENT / max(1, choices.count))
    if any(side.share < settings.labelled_variance or side.log_accident > bar for side in pair):
        return "raw"
    if all(side.subgroup.index == 2 and side.form.kernel is None for side in pair):
        return "sign"
    if any(side.form.kernel is not None for side in pair):
        return "twisted"
    return "dual" if is_dual else "coset"


def _best(choices: CandidateSpaces, share: Floats, side: Side, order: int) -> list[SideLabel]:
    """The least accidental candidate for each function; ties go to the smaller space."""
    if not choices.count:
        return []
    bound = log_accident(share, choices.dimension[:, None], order)
    best = bound.argmin(axis=0).tolist()
    return [SideLabel(GroupForm.of(choices.space(c, side)), float(share[c, i]), float(bound[c, i])) for i, c in enumerate(best)]
