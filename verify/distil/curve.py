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

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from algebra.lattice import SubgroupLattice
from net.activation import fired
from net.weights import Weights, dead_neurons
from verify.compare.answers import Shortfall, leads_at, logit_blocks, shortfalls
from verify.distil.coset_fit import Floats
from verify.distil.coset_spaces import CandidateSpaces
from verify.distil.draft import RAW, Draft, SideData, Sides, choose_sides, project, side_losses
from verify.distil.labels import Labelling, NeuronLabel, labelled
from verify.distil.moments import activation_moments, centred, quadratic_form
from verify.distil.point_irreps import point_irreps
from verify.distil.quantise import grained, write_exact, writings
from verify.distil.rank_one import chains
from verify.distil.repair import LARGEST_SHARE, repaired
from verify.distil.settings import DEFAULT, DistilSettings
from verify.distil.shared import SharedList, shared_lists
from verify.distil.vote_search import PathStep, vote_path
from verify.distil.votes import Moments, VoteFit, VoteSpace
from verify.exact.exhaustive import Evaluation, evaluate
from verify.program.form import GroupForm, linear_map
from verify.program.written import Written

#: The lead that fitted votes are given where an answer is in danger, in units of the logits' root mean square.
LEAST_LEAD = 0.02
#: Preactivations may lose this share of what a program may leave unexplained, as predicted.
SIDES = 0.1
#: And this share where so little costs more than ``faithful_ratio`` of the network's parameters.
DEAR_SIDES = 0.3
#: A program of the path may stand on the curve when it leaves at most this share of what the one before leaves unexplained.
PROGRESS = 0.75
#: Beside the readable and the faithful program the curve has at most so many.
OTHERS = 3
#: After a program that lacks some answers one is tried again that leaves at most this share of what it left unexplained.
AGAIN = 0.9
#: What a program may leave unexplained is to be left by its real votes with this much to spare, for repairs and rounding.
ENOUGH = 0.95
#: Fitted votes for the faithful program are not looked for beyond this share of the parameters: the network's own votes cost as much.
LARGEST = 1 / 4
#: Answers are counted on one in so many x first, and all of them where that finds few that differ.
SAMPLE = 16
#: The path of the votes may take so many times the operations of evaluating all pairs, and at least so many operations.
PASSES, LEAST_OPERATIONS = 2.0, 2e10
#: A path is left that is expected to reach what is wanted at so many times the constants that are allowed. Beyond what rates of single
#: rounds say, since paths get steeper towards their end: the programs at hand that are reached cost up to 1.2 times less than expected.
TOO_FAR = 1.5
#: Rates are those since the path had this many times fewer constants.
WINDOW = 1.5
#: One in so many neurons is written in full first, where answers of the faithful program differ.
FIRST_FULL = 32
#: Preactivations are sums of at most so many forms of rank one.
MOST_PARTS = 4
#: Accuracy of the votes of programs that are only shown: what they leave unexplained is off by its square.
LOOKED_AT = 1e-4
#: Rounding to integers may lose this share of the variance that a program may leave unexplained.
ROUNDING_SHARE = 0.01

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Point:
    """One program on the price curve with its exact answers, and the number of pairs on which the network has others.

    ``moments`` are those that its votes were fitted by, if they were.
    """

    name: str
    written: Written
    draft: Draft
    evaluation: Evaluation
    refinements: int
    differing: int = 0
    moments: Moments | None = None

    def _places(self) -> list[int]:
        """Where the program's neurons stand in the draft."""
        place = {int(i): k for k, i in enumerate(self.draft.neurons)}
        return [place[neuron.index] for circuit in self.written.program.circuits for neuron in circuit.neurons]

    def moments_beside(self, network: Weights, own: Floats) -> Floats:
        """The ``activation_moments`` of the network, whose own are ``own``, and of the program, side by side.

        Those of the fit where its preactivations are the program's.
        """
        if self.moments is None or self.draft.grain is None:
            return activation_moments(network, self.written.weights)
        return self.moments.beside(own, self._places())


@dataclass(frozen=True)
class Distillation:
    """The labels of all neurons, the programs found, cheapest first, and the network's own ``activation_moments``.

    ``readable`` and ``faithful`` are among the programs and have the network's answers on every pair.
    """

    labels: tuple[NeuronLabel, ...]
    points: tuple[Point, ...]
    moments: Floats

    def point(self, name: str) -> Point:
        """The program of that name."""
        return next(p for p in self.points if p.name == name)


@dataclass(frozen=True)
class _Search:
    """What every step of the search looks at."""

    lattice: SubgroupLattice
    network: Weights
    answers: Evaluation
    choices: CandidateSpaces
    left: SideData
    right: SideData
    shared: list[SharedList | None]
    neurons: npt.NDArray[np.intp]
    moments: Floats
    variance: float
    progress: Progress
    settings: DistilSettings

    @property
    def level(self) -> Floats:
        """(m,) the mean of each neuron's R, which is written with L: what the two add up to is the same."""
        return np.asarray(self.network.R.mean(axis=0))

    @property
    def parameters(self) -> int:
        """How many numbers the network has, but for its bias."""
        return 3 * self.network.L.size

    def drafted(self, sides: Sides, full: npt.NDArray[np.bool_] | None = None) -> Draft:
        """A draft with these preactivations, means over cosets, and the network's own votes and bias; ``full`` neurons in full."""
        network = self.network
        raw = np.zeros(len(self.neurons), dtype=bool) if full is None else full
        left = tuple(RAW if given else form for given, form in zip(raw, sides.left, strict=True))
        right = tuple(RAW if given else form for given, form in zip(raw, sides.right, strict=True))
        values = self._values(left, network.L + self.level), self._values(right, network.R - self.level)
        for j, (i, shared) in enumerate(zip(self.neurons, sides.shared, strict=True)):
            if shared is not None and not raw[j]:
                values[0][j] = np.append(shared.m, network.L[:, i].mean() + self.level[i])
                values[1][j] = np.array([shared.s])
        votes = tuple(network.U[i].copy() for i in self.neurons)
        own = (RAW,) * len(votes)
        lists = tuple(values[0]), tuple(values[1]), votes
        return Draft(self.lattice, self.neurons, left, right, own, *lists, network.b.copy(), network.activation)

    def _values(self, forms: tuple[GroupForm, ...], functions: Floats) -> list[Floats]:
        """The list of each neuron's form; of one that is shared none yet."""
        found = []
        for i, form in zip(self.neurons, forms, strict=True):
            if form == RAW or form.on == "shared":
                found.append(functions[:, i].copy() if form == RAW else np.zeros(1))
            else:
                found.append(project(linear_map(self.lattice.group, form), functions[:, i]))
        return found

    def sides(self, wanted: float) -> Sides:
        """The preactivations at the lowest exchange rate whose predicted loss is at most this, or the last affordable; steps of 1.5.

        Affordable are preactivations of at most ``faithful_ratio`` of the network's parameters, and whatever it takes to bring the
        predicted loss below ``faithful_loss``.
        """
        settings, order = self.settings, self.lattice.group.order
        rate, found = 0.1 * self.network.L.size, None
        for _ in range(100):
            both = choose_sides(self.choices, self.left, self.right, self.shared, self.neurons, 1.5 * rate, order)
            if found is not None and both.size > settings.faithful_ratio * self.parameters and found.loss <= settings.faithful_loss:
                return found
            rate, found = 1.5 * rate, both
            if both.loss <= wanted:
                break
        assert found is not None
        return found

    def agreed(self, name: str, draft: Draft, refinements: int, loss: float, watched: Shortfall) -> Point | None:
        """The draft in the fewest bits that lose at most ``loss`` and give the network's exact answers, or None.

        All pairs are evaluated only where the answers at the ``watched`` pairs are the network's, as far as floats say.
        """
        fewest, since = self.answers.answer.size + 1, 0
        for written in writings(draft, loss * self.variance):
            wrong = int((leads_at(written.weights, *watched[:3]).lead <= 0).sum())
            point = None if wrong else self.point(name, written, draft, refinements)
            if point is not None and not point.differing:
                return point
            wrong = wrong if point is None else point.differing
            since = 0 if wrong < fewest else since + 1
            if since > 1:
                return None  # it is not rounding that makes them differ
            fewest = min(wrong, fewest)
        return None

    def point(self, name: str, written: Written, draft: Draft, refinements: int) -> Point:
        """A program with its exact answers."""
        evaluation = evaluate(written.weights, expected=np.maximum(self.answers.answer, 0))
        differing = int((evaluation.answer != self.answers.answer).sum())
        return Point(name, written, draft, evaluation, refinements, differing)


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
    Complexity: a few passes over all pairs of O(|G|^2 m (m + |G|)) each, and ``PASSES`` times that for the votes.
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
        shared_lists(irreps, network.L, network.R, (left_loss, right_loss)),
        alive,
        moments,
        variance,
        progress,
        settings,
    )
    return Distillation(labels, _programs(search), moments)


@dataclass(frozen=True)
class _Stop:
    """A program of the path that may stand on the curve: what it takes to make it again, since the spaces of its votes are large."""

    draft: Draft
    forms: tuple[GroupForm, ...]
    moments: Moments
    votes: Floats
    constants: int
    unexplained: float

    @classmethod
    def of(cls, step: PathStep) -> "_Stop":
        """Without the spaces."""
        forms = tuple(space.form for space in step.fit.spaces)
        return cls(step.fit.draft, forms, step.fit.moments, step.votes, step.fit.constants, step.unexplained)


def _programs(search: _Search) -> tuple[Point, ...]:
    """The programs of the curve, cheapest first."""
    settings = search.settings
    stops: list[_Stop] = []
    search.progress("fitting votes")
    readable, at = _follow(search, "readable", settings.readable_variance, settings.largest_ratio, stops, None)
    faithful, end = None, None
    if at is not None:
        search.progress("fitting votes more closely")
        faithful, end = _follow(search, "faithful", settings.faithful_variance, LARGEST, stops, at.fit.spaces)
    faithful = faithful or _own_votes(search)
    readable = readable or replace(faithful, name="readable")
    search.progress("evaluating other programs of the curve")
    most = faithful.written.program.constants
    between = [
        stop for stop in stops if stop.constants < most and not any(step is not None and stop.votes is step.votes for step in (at, end))
    ]
    chosen = [between[k] for k in sorted({round(k * (len(between) - 1) / (OTHERS - 1)) for k in range(OTHERS)})] if between else []
    points = [_evaluated(search, stop) for stop in chosen]
    coarse = [p for p in points if p.written.program.constants < readable.written.program.constants]
    fine = [p for p in points if p not in coarse]
    named = [replace(p, name=f"{word} {k + 1}") for word, part in (("coarse", coarse), ("fine", fine)) for k, p in enumerate(part)]
    return tuple(sorted([*named, readable, faithful], key=lambda p: (p.written.program.constants, p.name == "faithful")))


def _follow(
    search: _Search, name: str, variance: float, largest: float, stops: list[_Stop], start: tuple[VoteSpace, ...] | None
) -> tuple[Point | None, PathStep | None]:
    """The first program of a path that explains this share of the variance and has the answers, and its step.

    It has at most ``largest`` times the network's parameters. ``stops`` gets the programs on the way that may stand on the curve;
    ``start`` are spaces that the votes have from the beginning.
    """
    settings, network = search.settings, search.network
    sides = search.sides(SIDES * (1 - variance))
    if sides.size > settings.faithful_ratio * search.parameters:
        sides = search.sides(DEAR_SIDES * (1 - variance))
    draft = grained(search.drafted(sides), ROUNDING_SHARE * (1 - variance) * search.variance)
    most = largest * search.parameters
    if draft.preactivation_constants > most:
        return None, None
    exact = draft.weights()
    moments = Moments.of(exact, network, search.moments)
    tried, before = np.inf, min((stop.unexplained for stop in stops), default=np.inf)
    passed: list[tuple[int, float]] = []
    budget = max(PASSES * 2.0 * network.order**3 * network.width, LEAST_OPERATIONS)
    for step in vote_path(draft, moments, network, settings, start):
        passed.append((step.fit.constants, step.unexplained))
        if step.fit.constants > most or step.operations > budget or _expected(passed, ENOUGH * (1 - variance)) > TOO_FAR * most:
            break
        if step.unexplained <= PROGRESS * before:
            stops.append(_Stop.of(step))
            before = step.unexplained
        if step.unexplained > min(ENOUGH * (1 - variance), AGAIN * tried):
            continue
        if name == "readable" and (
            step.worth * settings.rate * search.parameters > 1
            or step.fit.removed_unexplained(step.votes, network, search.moments) > 1 - settings.removed_variance
        ):
            continue
        point = _tried(search, name, step, exact, ROUNDING_SHARE * (1 - variance))
        if point is not None:
            return point, step
        tried = step.unexplained
    return None, None


def _expected(passed: list[tuple[int, float]], wanted: float) -> float:
    """How many constants a path will have when it leaves ``wanted`` unexplained, if that falls at the rate of its last third.

    ``passed`` are constants and the share unexplained of each program so far; the rate is of the logarithm for each constant.
    """
    constants, left = passed[-1]
    before = next(((c, u) for c, u in reversed(passed) if WINDOW * c <= constants), None)
    if before is None or left <= wanted or wanted <= 0:
        return constants
    fallen = math.log(before[1] / left) if before[1] > left > 0 else 0.0
    return constants + math.log(left / wanted) * (constants - before[0]) / fallen if fallen > 0 else math.inf


def _tried(search: _Search, name: str, step: PathStep, sides: Weights, loss: float) -> Point | None:
    """The program of a step with its votes repaired until the answers are the network's, or None."""
    wanted = search.answers.answer
    fit, votes = step.fit, step.fit.votes(step.votes)
    few = np.arange(0, search.network.order, SAMPLE)
    wrong = sum(int((logits.argmax(axis=2) != wanted[rows]).sum()) for rows, logits in logit_blocks(fit.weights(votes, sides), few))
    if wrong > LARGEST_SHARE * len(few) * search.network.order:
        return None
    floor = LEAST_LEAD * float(np.sqrt(search.variance / search.network.order))
    found = repaired(fit, votes, sides, wanted, floor, 2 * floor)
    search.progress(f"{found.rounds} repairs of answers leave {found.wrong} that differ")
    if found.wrong:
        return None
    point = search.agreed(name, fit.drafted(found.votes), found.rounds, loss, found.watched)
    return None if point is None else replace(point, moments=fit.moments)


def _evaluated(search: _Search, stop: _Stop) -> Point:
    """A program of the path in the fewest bits, with its exact answers."""
    group, network = search.lattice.group, search.network
    spaces = tuple(VoteSpace.of(group, form) for form in stop.forms)
    fit = VoteFit(stop.draft, spaces, stop.moments, centred(network.U[stop.draft.neurons]), search.settings.ridge)
    draft = fit.drafted(fit.votes(stop.votes, LOOKED_AT))
    written = next(writings(draft, ROUNDING_SHARE * stop.unexplained * search.variance))
    return replace(search.point("", written, draft, 0), moments=fit.moments)


def _own_votes(search: _Search) -> Point:
    """Own votes, preactivations on cosets, neurons written in full where differing pairs ask for it."""
    search.progress("writing preactivations on cosets")
    loss = 1 - search.settings.faithful_variance
    sides = search.sides(SIDES * loss)
    full = np.zeros(len(search.neurons), dtype=bool)
    floor = LEAST_LEAD * float(np.sqrt(search.variance / search.network.order))
    refinements = 0
    while not full.all():
        draft = search.drafted(sides, full)
        near = shortfalls(draft.weights(), search.answers.answer, floor)
        short = near.lead <= 0
        point = None if short.any() else search.agreed("faithful", draft, refinements, ROUNDING_SHARE * loss, near)
        if point is not None:
            return point
        refinements += 1
        full = _blamed(search, draft, full, near)
        search.progress(f"refinement {refinements}: {int(full.sum())} neurons in full")
    draft = search.drafted(sides, full)
    return search.point("faithful", write_exact(draft, search.network.exact()), draft, refinements)


def _blamed(search: _Search, draft: Draft, full: npt.NDArray[np.bool_], near: Shortfall) -> npt.NDArray[np.bool_]:
    """The neurons written in full next: those that owe most of the margin lost on the worst pairs, at least doubling."""
    weights, network = draft.weights(), search.network.select(search.neurons)
    x, y, wanted, rival = (part[np.argsort(near.lead, kind="stable")[:20_000]] for part in near[:4])
    lost = fired(network.L[x] + network.R[y], network.activation) - fired(weights.L[x] + weights.R[y], weights.activation)
    owed = np.where(full, -np.inf, (lost * (network.U[:, wanted].T - network.U[:, rival].T)).sum(axis=0))
    count = max(-(-len(full) // FIRST_FULL), int(full.sum()))
    result = full.copy()
    result[np.argsort(-owed, kind="stable")[:count]] = True
    return result
