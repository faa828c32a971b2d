"""Which form each neuron's votes take: greedy refinement by what a dearer form buys.

Every neuron starts at its cheapest form, without a bias. With the current fit's residual r = X - C' U', the votes t_i = r_i + C'[i, i]
U'[i] are what neuron i alone would be asked for, and a form with projection P in place of what it has, with P_i, would lower the
unexplained variance by (|P t_i|^2 - |P_i t_i|^2) / C'[i, i]. The forms that buy most for each constant are taken, the best neuron of
each circuit and at most half of the candidates at a time, because neurons of one circuit explain the same thing; then all votes are
fitted again. The bias is one more offer. So the programs come one after the other on a path, each dearer than the one before and
explaining more.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from algebra.lattice import SubgroupLattice
from net.weights import Weights
from verify.distil.coset_fit import Floats
from verify.distil.draft import RAW, Draft
from verify.distil.moments import centred
from verify.distil.point_irreps import PointIrrep, point_irreps
from verify.distil.rank_one import best_parts, strengths
from verify.distil.rank_votes import rank_one_votes
from verify.distil.settings import DistilSettings
from verify.distil.votes import Moments, VoteFit, VoteSpace
from verify.memory import kept
from verify.program.coset_forms import on_cosets
from verify.program.form import ON_POINTS, GroupForm, linear_map

#: Of what is offered in one round that is taken which pays at least this share of what the best offer pays.
BEST_SHARE = 0.4
#: A neuron on cosets that can buy votes on its own cosets, where the lemmas of Q3 see what it does, buys other points only where this
#: share of what one of their constants explains is more than what one of its cosets' does.
OWN_COSETS = 0.25
#: In one round the program grows by about this share of its constants at most.
GROWTH = 0.06
#: Accuracy of the fits between rounds, whose residuals only say what to buy next.
ACCURACY = 3e-3


def vote_forms(lattice: SubgroupLattice, left: GroupForm, right: GroupForm) -> tuple[GroupForm, ...]:
    """The forms that a neuron's votes may take, cheapest first, given the forms of its preactivations.

    relu(l(x) + r(y)) with l on right cosets Hx and r on left cosets yK is constant on the z = xy of no finer sets than HzK; a dual
    neuron votes through matrix coefficients, for which the coset matrix stands. Votes are free only where there is no coset form.
    Images and preimages of one point count as the cosets of its stabiliser that they are.
    """
    left, right = (on_cosets(lattice, side) for side in (left, right))
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


@kept(1024)
def _space(lattice: SubgroupLattice, form: GroupForm) -> VoteSpace:
    """The space of a form on cosets; sums of forms on points are too many to be kept."""
    return VoteSpace.of(lattice.group, form)


class PathStep(NamedTuple):
    """A program on the path: its fit, the votes, the share of the variance left unexplained, and what the next step offers.

    ``worth`` is the share of the variance that the best offer explains for each constant, 0 where nothing is offered; ``operations``
    counts those of the fits so far.
    """

    fit: VoteFit
    votes: Floats
    unexplained: float
    worth: float
    operations: float


def vote_path(
    draft: Draft, moments: Moments, network: Weights, settings: DistilSettings, start: tuple[VoteSpace, ...] | None = None
) -> Iterator[PathStep]:
    """The programs of the module's docstring, cheapest first; ``moments`` are those with a bias.

    The votes of a step are solved to ``ACCURACY`` only. With ``start`` these are the first spaces.
    Complexity of a step: a fit (`verify.distil.votes`), and O(k |G| sum of d^2) for the offers on the irreps.
    """
    group, order = draft.lattice.group, draft.lattice.group.order
    irreps = point_irreps(draft.lattice)
    own = centred(network.U[draft.neurons])
    options = [vote_forms(draft.lattice, a, b) for a, b in zip(draft.left, draft.right, strict=True)]
    plain = moments.without_bias()
    if start is None:
        start = first_spaces(draft, plain, network, settings)
    fit = VoteFit(draft, start, plain, own, settings.ridge)
    votes, steps = fit.votes_and_steps(accuracy=ACCURACY)
    operations = steps * fit.operations
    while True:
        rest = centred(fit.moments.cross_votes - fit.moments.program @ votes)
        upgrades = _upgrades(fit, options, irreps, rest, votes)
        unexplained = fit.moments.unexplained(votes)
        bias = (unexplained - moments.unexplained(votes)) / order if fit.moments is plain else 0.0
        best = max([bias, *(offer.worth for offer in upgrades[:1])])
        yield PathStep(fit, votes, unexplained, best, operations)
        if best <= 0:
            return
        spaces, room = list(fit.spaces), GROWTH * fit.constants
        for offer in upgrades[: (len(upgrades) + 1) // 2]:
            if offer.worth >= best * BEST_SHARE and room > 0:
                old = spaces[offer.neuron]
                spaces[offer.neuron] = old.joined(group, offer.form) if offer.added else _space(draft.lattice, offer.form)
                room -= spaces[offer.neuron].size - old.size
        if bias >= best * BEST_SHARE:
            fit = VoteFit(draft, fit.spaces, moments, own, settings.ridge)
        fit = fit.with_spaces(tuple(spaces))
        votes, steps = fit.votes_and_steps(votes, ACCURACY)
        operations += steps * fit.operations


def first_spaces(draft: Draft, moments: Moments, network: Weights, settings: DistilSettings) -> tuple[VoteSpace, ...]:
    """Each neuron's cheapest form; for one that reads points, or has no coset form, a form of rank one on its own irrep.

    ``moments`` are those without a bias.
    """
    irreps = point_irreps(draft.lattice)
    options = [vote_forms(draft.lattice, a, b) for a, b in zip(draft.left, draft.right, strict=True)]
    if not irreps:
        return tuple(_space(draft.lattice, choice[0]) for choice in options)
    own = network.U[draft.neurons]
    terms = rank_one_votes(irreps, moments.program, moments.cross_votes, own - own.mean(axis=1, keepdims=True), settings.ridge)
    forms = [choice[0] for choice in options]
    for number, irrep in enumerate(irreps):
        members = [i for i in np.flatnonzero(terms.irrep == number).tolist() if forms[i] == RAW or _reads_points(draft, i)]
        if members:
            matrices = np.array([terms.matrices[i] for i in members])
            parts = best_parts([irrep], [matrices], [strengths(irrep, matrices)])
            for i, part in zip(members, parts, strict=True):
                forms[i] = forms[i] if part is None else part.form
    return tuple(_space(draft.lattice, form) for form in forms)


def _reads_points(draft: Draft, i: int) -> bool:
    """Whether a neuron reads an input through several points."""
    sides = on_cosets(draft.lattice, draft.left[i]), on_cosets(draft.lattice, draft.right[i])
    return any(term.on in ON_POINTS for side in sides for term in side.terms)


class Offer(NamedTuple):
    """A dearer form for a neuron, or a form to be added to what it has, and the variance that it explains for each constant."""

    worth: float
    neuron: int
    form: GroupForm
    added: bool


def _upgrades(
    fit: VoteFit, options: list[tuple[GroupForm, ...]], irreps: tuple[PointIrrep, ...], rest: Floats, votes: Floats
) -> list[Offer]:
    """The best upgrade in each circuit, those that pay most first."""
    draft, moments = fit.draft, fit.moments
    order = draft.lattice.group.order
    spread = np.diag(moments.program)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        unit = 1 / spread / moments.total
    unit[~np.isfinite(unit)] = 0.0  # a neuron that hardly fires, or votes that explain nothing: nothing is offered
    now = [space.project(row) for space, row in zip(fit.spaces, rest, strict=True)]
    left = rest - np.array(now).reshape(rest.shape)
    coefficients = [irrep.coefficients(left.T) for irrep in irreps]
    strong = [strengths(irrep, matrices) / irrep.points.count for irrep, matrices in zip(irreps, coefficients, strict=True)]
    found: list[Offer] = []
    cosets = np.zeros(len(fit.spaces))
    for i, space in enumerate(fit.spaces):
        if spread[i] <= 0 or space.form == RAW or len(space.form.terms) > 1:
            continue
        alone = rest[i] + spread[i] * votes[i]  # what is to be explained by this neuron, the others staying as they are
        within = space.project(alone)
        inside = float(within @ within)
        for form in options[i]:
            price = linear_map(draft.lattice.group, form).size - space.size
            if price > 0:
                dearer = _space(draft.lattice, form).project(alone)
                offer = Offer((float(dearer @ dearer) - inside) * unit[i] / price, i, form, False)
                found.append(offer)
                cosets[i] = max(cosets[i], offer.worth)
    for i, space in enumerate(fit.spaces):
        if space.form != RAW:
            found.append(Offer(float(left[i] @ left[i]) * unit[i] / (order - space.size), i, RAW, False))
    best = max((offer.worth for offer in found), default=0.0)
    worth = np.max(strong, axis=0, initial=0.0) * unit if strong else np.zeros(len(fit.spaces))
    best = max(best, float(worth.max(initial=0.0)))
    some = [i for i in np.flatnonzero(worth >= best * BEST_SHARE).tolist() if fit.spaces[i].form != RAW]
    offers = best_parts(irreps, [matrices[some] for matrices in coefficients], [s[some] for s in strong])
    for i, part in zip(some, offers, strict=bool(irreps)):
        size = fit.spaces[i].size
        if part is not None and size + part.size < order and part.energy * unit[i] / part.size * OWN_COSETS > cosets[i]:
            found.append(Offer(part.energy * unit[i] / part.size, i, part.form, True))
    circuits: dict[tuple[GroupForm, GroupForm, GroupForm], Offer] = {}
    for offer in found:
        circuit = (draft.left[offer.neuron], draft.right[offer.neuron], fit.spaces[offer.neuron].form)
        if offer.worth > 0 and (circuit not in circuits or offer.worth > circuits[circuit].worth):
            circuits[circuit] = offer
    return sorted(circuits.values(), key=lambda offer: -offer.worth)
