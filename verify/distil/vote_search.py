"""Which form each neuron's votes take: greedy refinement by what a dearer form buys.

Every neuron starts at its cheapest form. With the current fit's residual r = X - C' U', changing neuron i alone to a form with
projection P would lower the unexplained variance by |P r_i|^2 / C'[i, i]. A dearer form is bought while rate * gain exceeds its
price in constants, the best neuron of each circuit first and at most half of the candidates at a time, because neurons of one
circuit explain the same thing; then all votes are fitted again.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from algebra.lattice import SubgroupLattice
from net.weights import Weights
from verify.distil.coset_fit import Floats
from verify.distil.draft import RAW, Draft
from verify.distil.moments import centred
from verify.distil.point_irreps import PointIrrep, point_irreps
from verify.distil.rank_one import parts
from verify.distil.rank_votes import rank_one_votes
from verify.distil.settings import DistilSettings
from verify.distil.votes import Moments, VoteFit, averaged_votes
from verify.program.form import ON_POINTS, GroupForm, linear_map

#: Dearer forms are bought in at most so many rounds; a round that buys nothing ends the search, so this is never reached in practice.
MAX_ROUNDS = 12
#: Of what is offered in one round that is taken which pays at least this share of what the best offer pays.
BEST_SHARE = 0.4


def vote_forms(lattice: SubgroupLattice, left: GroupForm, right: GroupForm) -> tuple[GroupForm, ...]:
    """The forms that a neuron's votes may take, cheapest first, given the forms of its preactivations.

    relu(l(x) + r(y)) with l on right cosets Hx and r on left cosets yK is constant on the z = xy of no finer sets than HzK; a dual
    neuron votes through matrix coefficients, for which the coset matrix stands. Votes are free only where there is no coset form.
    """
    forms: list[GroupForm] = []
    h = left if left.on == "right cosets" else None
    k = right if right.on == "left cosets" else None
    if h and k:
        forms.append(GroupForm("double cosets", h.subgroups + k.subgroups, h.kernels + k.kernels))
    if h:
        forms += [GroupForm("right cosets", h.subgroups, (None,)), GroupForm("right cosets", h.subgroups, h.kernels)]
    if k:
        forms += [GroupForm("left cosets", k.subgroups, (None,)), GroupForm("left cosets", k.subgroups, k.kernels)]
    if h and k:
        both = h.subgroups + k.subgroups
        forms += [GroupForm("coset sum", both, (None, None)), GroupForm("coset sum", both, h.kernels + k.kernels)]
    order = lattice.group.order
    halves = [None, *(lattice.all[i] for i in np.flatnonzero(2 * lattice.orders == order).tolist())]
    for side in (left, right):
        if side.subgroups and 2 * side.subgroups[0].index ** 2 < order:
            # conjugate subgroups have the same coset matrices, up to numbering
            first = lattice.classes[int(lattice.class_of[lattice.find(side.subgroups[0].mask)])].representative
            forms += [GroupForm("coset matrix", (first,), (c,)) for c in halves]
    sized = [(linear_map(lattice.group, form).size, form) for form in dict.fromkeys(forms)]
    cheaper = [form for size, form in sorted(sized, key=lambda pair: pair[0]) if 0 < size < order]
    return tuple(cheaper) or (RAW,)


@lru_cache(maxsize=4096)
def _orthonormal(lattice: SubgroupLattice, form: GroupForm) -> Floats | None:
    """An orthonormal basis of the form's functions centred over z; None stands for all functions."""
    if form == RAW:
        return None
    basis = linear_map(lattice.group, form).basis()
    q, singular, _ = np.linalg.svd(basis - basis.mean(axis=0), full_matrices=False)
    return np.asarray(q[:, singular > 1e-9 * max(1.0, float(singular.max(initial=0.0)))])


def refine_votes(draft: Draft, moments: Moments, network: Weights, rate: float, settings: DistilSettings) -> VoteFit:
    """The fit with the vote forms that ``rate`` (constants for the whole variance) buys; see the module's docstring."""
    irreps = point_irreps(draft.lattice)
    options = [vote_forms(draft.lattice, a, b) for a, b in zip(draft.left, draft.right, strict=True)]
    forms = _first_forms(draft, options, irreps, moments, network, settings)
    known: dict[tuple[int, GroupForm], Floats] = {}
    for _ in range(MAX_ROUNDS):
        fit = VoteFit.of(draft, forms, moments, averaged_votes(draft, forms, network, known), settings.ridge)
        residual = moments.cross_votes - moments.program @ centred(fit.solve().expanded_votes())
        upgrades = _upgrades(draft, forms, options, irreps, residual, moments, rate)
        size = len(fit.target)
        taken: dict[int, GroupForm] = {}
        enough = max((offer.worth for offer in upgrades), default=0.0) * BEST_SHARE
        for worth, i, form, price in upgrades[: (len(upgrades) + 1) // 2]:
            if worth >= enough and size + price <= settings.most_votes:
                taken[i] = form
                size += price
        if not taken:
            return fit
        forms = tuple(taken.get(i, form) for i, form in enumerate(forms))
    return VoteFit.of(draft, forms, moments, averaged_votes(draft, forms, network, known), settings.ridge)


def _first_forms(
    draft: Draft,
    options: list[tuple[GroupForm, ...]],
    irreps: tuple[PointIrrep, ...],
    moments: Moments,
    network: Weights,
    settings: DistilSettings,
) -> tuple[GroupForm, ...]:
    """Each neuron's cheapest form; for one that reads points, or has no coset form, a form of rank one on its own irrep."""
    if not irreps:
        return tuple(choice[0] for choice in options)
    own = network.U[draft.neurons]
    terms = rank_one_votes(irreps, moments.program, moments.cross_votes, own - own.mean(axis=1, keepdims=True), settings.ridge)
    forms = []
    for i, (left, right, choice) in enumerate(zip(draft.left, draft.right, options, strict=True)):
        on_points = any(term.on in ON_POINTS for side in (left, right) for term in side.terms)
        offers = parts([irreps[terms.irrep[i]]], [terms.matrices[i]]) if on_points or choice[0] == RAW else []
        forms.append(offers[0].form if offers else choice[0])
    return tuple(forms)


class Offer(NamedTuple):
    """A dearer form for a neuron: the variance that it explains for each constant, and the constants."""

    worth: float
    neuron: int
    form: GroupForm
    price: int


def _upgrades(
    draft: Draft,
    forms: tuple[GroupForm, ...],
    options: list[tuple[GroupForm, ...]],
    irreps: tuple[PointIrrep, ...],
    residual: Floats,
    moments: Moments,
    rate: float,
) -> list[Offer]:
    """The best upgrade in each circuit that pays at this rate, those that pay most first."""
    best: dict[tuple[GroupForm, GroupForm, GroupForm], Offer] = {}
    order = draft.lattice.group.order
    coefficients = [irrep.coefficients(residual.T) for irrep in irreps]
    for i, current in enumerate(forms):
        spread = moments.program[i, i]
        if spread <= 0 or current == RAW:
            continue
        now = _captured(draft.lattice, current, residual[i])
        size = draft.linear(current).size
        offers = []
        for form in options[i]:
            price = (order if form == RAW else draft.linear(form).size) - size
            if price > 0 and len(current.terms) == 1:
                offers.append((_captured(draft.lattice, form, residual[i]) - now, form, price))
        for part in parts(irreps, [matrix[i] for matrix in coefficients]):
            if size + part.size < order and part.form not in current.terms:
                offers.append((part.energy, GroupForm.sum_of([current, part.form]), part.size))
        circuit = (draft.left[i], draft.right[i], current)
        for gain, form, price in offers:
            worth = gain / spread / moments.total / price
            if rate * worth > 1 and (circuit not in best or worth > best[circuit].worth):
                best[circuit] = Offer(worth, i, form, price)
    return sorted(best.values(), key=lambda offer: -offer.worth)


def _captured(lattice: SubgroupLattice, form: GroupForm, residual: Floats) -> float:
    """|P r|^2 for the projection on the form's functions."""
    basis = _orthonormal(lattice, form)
    return float(residual @ residual) if basis is None else float(((residual @ basis) ** 2).sum())
