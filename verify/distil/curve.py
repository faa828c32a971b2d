"""Distillation: from a network to the programs on its price curve, each with the network's answers on every pair.

Names in ``code`` are settings (`verify.distil.settings`).
*Readable* programs have fitted votes on coset forms. The exchange rate (constants paid for the whole of the logits' variance, as a
share of the network's parameters) climbs ``rates`` until the program explains ``readable_variance`` with the same answers, or a
higher rate leaves hardly less unexplained.
*Faithful* programs keep the network's own votes and write only the preactivations on cosets, as coarsely as loses at most
1 - ``faithful_variance``; where answers still differ, the neurons to which the differing pairs are owed are written out in full,
and more of them each round. With every neuron in full the program is the network, so this ends.
Nothing here is trusted: a program enters the result when exact evaluation finds its answers equal on all pairs.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from algebra.lattice import SubgroupLattice
from net.activation import fired
from net.weights import Weights, dead_neurons
from verify.compare.answers import float_answers
from verify.distil.coset_fit import Floats
from verify.distil.coset_spaces import Candidates
from verify.distil.draft import RAW, Chosen, Draft, SideData, choose_forms, project, side_losses
from verify.distil.labels import Labelling, NeuronLabel, labelled
from verify.distil.moments import activation_moments, centred, quadratic_form
from verify.distil.point_irreps import point_irreps
from verify.distil.quantise import write_exact, writings
from verify.distil.rank_one import chains
from verify.distil.repair import repaired
from verify.distil.settings import DEFAULT, DistilSettings
from verify.distil.vote_search import refine_votes
from verify.distil.votes import Moments
from verify.exact.exhaustive import Evaluation, evaluate
from verify.program.form import GroupForm, linear_map
from verify.program.written import Written

#: Share of pairs beyond which differing answers are not put down to rounding.
MANY = 0.001
#: The lead that fitted votes are given where an answer is in danger, in units of the logits' root mean square.
LEAST_LEAD = 0.02
#: A program enters the curve when it leaves less than this share of what the one before left unexplained.
PROGRESS = 0.95
#: One in so many neurons is written in full first, where answers of the faithful program differ.
FIRST_FULL = 32
#: Preactivations are sums of at most so many forms of rank one.
MOST_PARTS = 4
#: Rounding to integers may lose this share of the variance that a program may leave unexplained.
ROUNDING_SHARE = 0.01

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Point:
    """One program on the price curve, with the same exact answers as the network on every pair."""

    name: str
    written: Written
    draft: Draft
    evaluation: Evaluation
    refinements: int


@dataclass(frozen=True)
class Distillation:
    """The labels of all neurons and the programs found, cheapest first; ``readable`` and ``faithful`` are among them."""

    labels: tuple[NeuronLabel, ...]
    points: tuple[Point, ...]

    def point(self, name: str) -> Point:
        """The program of that name."""
        return next(p for p in self.points if p.name == name)


@dataclass(frozen=True)
class _Search:
    """What every step of the search looks at."""

    lattice: SubgroupLattice
    network: Weights
    answers: Evaluation
    choices: Candidates
    left: SideData
    right: SideData
    neurons: npt.NDArray[np.intp]
    moments: Floats
    variance: float
    progress: Progress
    settings: DistilSettings

    @property
    def level(self) -> Floats:
        """(m,) the mean of each neuron's R, which is written with L: what the two add up to is the same."""
        return np.asarray(self.network.R.mean(axis=0))

    def drafted(self, left: tuple[GroupForm, ...], right: tuple[GroupForm, ...]) -> Draft:
        """A draft with these preactivation forms, means over cosets, and the network's own votes and bias."""
        network = self.network
        votes = (RAW,) * len(self.neurons)
        return Draft(
            self.lattice,
            self.neurons,
            left,
            right,
            votes,
            self._values(left, network.L + self.level),
            self._values(right, network.R - self.level),
            tuple(network.U[i].copy() for i in self.neurons),
            network.b.copy(),
            network.activation,
        )

    def _values(self, forms: tuple[GroupForm, ...], functions: Floats) -> tuple[Floats, ...]:
        linear = [linear_map(self.lattice.group, form) for form in forms]
        return tuple(
            functions[:, i].copy() if form == RAW else project(lin, functions[:, i])
            for i, form, lin in zip(self.neurons, forms, linear, strict=True)
        )

    def forms(self, rate: float) -> tuple[Chosen, Chosen]:
        """The cheapest forms of both preactivations at a rate in constants."""
        order = self.lattice.group.order
        return (
            choose_forms(self.choices, self.left, self.neurons, rate, order),
            choose_forms(self.choices, self.right, self.neurons, rate, order),
        )

    def agreed(self, name: str, draft: Draft, refinements: int, loss: float) -> Point | None:
        """The draft in the fewest bits that lose at most ``loss`` and give the network's exact answers, or None."""
        wanted = self.answers.answer
        counts: list[int] = []
        for written in writings(draft, loss * self.variance):
            evaluation = evaluate(written.weights, expected=wanted)
            differing = int((evaluation.answer != wanted).sum())
            if not differing:
                return Point(name, written, draft, evaluation, refinements)
            counts.append(differing)
            if differing > MANY * wanted.size or (len(counts) > 2 and counts[-1] >= counts[-2] >= counts[-3]):
                break  # it is not rounding that makes them differ
        return None


def distill(
    lattice: SubgroupLattice,
    network: Weights,
    answers: Evaluation,
    progress: Progress = lambda _: None,
    labelling: Labelling | None = None,
    settings: DistilSettings = DEFAULT,
) -> Distillation:
    """Labels and programs of a network whose exact answers are known; see the module's docstring.

    ``labelling`` is that of the network, where it is known already.
    Complexity: a few passes over all pairs of O(|G|^2 m (m + |G|)) each.
    """
    choices, left_shares, right_shares, labels = labelling or labelled(lattice, network, settings)
    moments = activation_moments(network)
    left_loss, right_loss = side_losses(network, moments)
    variance = quadratic_form(moments, centred(np.concatenate([network.U, network.b[None]])))
    irreps = point_irreps(lattice)
    alive = np.flatnonzero(~dead_neurons(network))
    search = _Search(
        lattice,
        network,
        answers,
        choices,
        SideData(network.L, left_shares, left_loss, chains(lattice.group, irreps, network.L, True, MOST_PARTS)),
        SideData(network.R, right_shares, right_loss, chains(lattice.group, irreps, network.R, False, MOST_PARTS)),
        alive,
        moments,
        variance,
        progress,
        settings,
    )
    faithful = _faithful(search)
    points = _readable(search, faithful)
    return Distillation(labels, (*points, faithful))


def _readable(search: _Search, faithful: Point) -> tuple[Point, ...]:
    """Programs with fitted votes, cheapest first; the last is called readable."""
    parameters = 3 * search.network.L.size
    found: list[Point] = []
    seen: set[tuple[GroupForm, ...]] = set()
    best = np.inf
    settings = search.settings
    for step, rate in enumerate(settings.rates):
        search.progress(f"fitting votes at exchange rate {rate:g}")
        left, right = search.forms(rate * parameters)
        draft = search.drafted(left.forms, right.forms)
        if draft.preactivation_constants > settings.largest_ratio * parameters:
            break
        moments = Moments.of(draft.weights(), search.network, search.moments)
        fit = refine_votes(draft, moments, search.network, rate * parameters, settings)
        shape = draft.left + draft.right + fit.forms
        floor = LEAST_LEAD * float(np.sqrt(search.variance / search.network.order))
        if shape in seen or fit.constants > settings.largest_ratio * parameters:
            continue
        seen.add(shape)
        fitted, wrong = repaired(fit, search.answers.answer, floor, 2 * floor)
        loss = ROUNDING_SHARE * (1 - settings.readable_variance)
        point = search.agreed("readable", fitted, step, loss) if not wrong else None
        if point is None:
            continue
        unexplained = moments.unexplained(fitted.expanded_votes())
        if unexplained > PROGRESS * best:
            break
        best = unexplained
        # a dearer program that explains less is no point of the curve
        found = [p for p in found if p.written.program.constants < point.written.program.constants] + [point]
        if unexplained <= 1 - settings.readable_variance:
            break
    if not found:
        return (Point("readable", faithful.written, faithful.draft, faithful.evaluation, faithful.refinements),)
    named = [Point(f"coarse {i + 1}", p.written, p.draft, p.evaluation, p.refinements) for i, p in enumerate(found[:-1])]
    return (*named, found[-1])


def _faithful(search: _Search) -> Point:
    """Own votes, preactivations on cosets, neurons written in full where differing pairs ask for it."""
    search.progress("writing preactivations on cosets")
    left, right = (chosen.forms for chosen in search.forms(_faithful_rate(search)))
    full = np.zeros(len(search.neurons), dtype=bool)
    refinements = 0
    loss = ROUNDING_SHARE * (1 - search.settings.faithful_variance)
    while True:
        forms = [tuple(RAW if raw else form for raw, form in zip(full, side, strict=True)) for side in (left, right)]
        draft = search.drafted(forms[0], forms[1])
        point = search.agreed("faithful", draft, refinements, loss)
        if point is not None:
            return point
        refinements += 1
        if full.all():
            written = write_exact(draft, search.network.exact())
            evaluation = evaluate(written.weights, expected=search.answers.answer)
            return Point("faithful", written, draft, evaluation, refinements)
        full = _blamed(search, draft, full)
        search.progress(f"refinement {refinements}: {int(full.sum())} neurons in full")


def _faithful_rate(search: _Search) -> float:
    """The lowest exchange rate whose predicted loss is at most 1 - ``faithful_variance``, or the last affordable one; steps of 1.5.

    Affordable are preactivations of at most ``faithful_ratio`` of the network's parameters, and whatever it takes to bring the
    predicted loss below ``faithful_loss``.
    """
    settings = search.settings
    rate = 0.1 * search.network.L.size
    loss = np.inf
    for _ in range(100):
        both = search.forms(1.5 * rate)
        size = sum(sum(chosen.sizes) for chosen in both)
        if size > settings.faithful_ratio * 3 * search.network.L.size and loss <= settings.faithful_loss:
            break
        rate *= 1.5
        loss = 0.0
        for side, chosen in zip((search.left, search.right), both, strict=True):
            loss += float((side.loss[search.neurons] * (1 - np.array(chosen.shares))).sum())
        if loss <= 1 - settings.faithful_variance:
            break
    return rate


def _blamed(search: _Search, draft: Draft, full: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """The neurons written in full next: those that owe most of the margin lost on the differing pairs, at least doubling."""
    weights, wanted = draft.weights(), search.answers.answer
    given = float_answers(weights)
    x, y = np.nonzero(given != wanted)
    x, y = x[:20_000], y[:20_000]
    network = search.network.select(search.neurons)
    lost = fired(network.L[x] + network.R[y], network.activation) - fired(weights.L[x] + weights.R[y], weights.activation)
    swing = network.U[:, np.maximum(wanted[x, y], 0)].T - network.U[:, given[x, y]].T
    owed = np.where(full, -np.inf, (lost * swing).sum(axis=0))
    count = max(-(-len(full) // FIRST_FULL), int(full.sum()))
    result = full.copy()
    result[np.argsort(-owed, kind="stable")[:count]] = True
    return result
