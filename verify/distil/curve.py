"""Distillation: from a network to the programs on its price curve, each with the network's answers on every pair.

Names in ``code`` are settings (`verify.distil.settings`).
Programs come from two searches. *At one exchange rate*, every list of preactivations and of votes is as long as pays
(`verify.distil.draft`, `verify.distil.exchange`): the rate alone says how dear the program is. *The path* (`verify.distil.vote_search`)
keeps the preactivations and refines votes round by round, on the neurons' own cosets first.
*Readable* is a program that explains ``readable_variance``, ``removed_variance`` after removals, and buys what pays at ``rate``: the
path's, or that of an exchange rate where this is clearly cheaper. *Faithful* is the program of the highest exchange rate that explains
``faithful_variance``. Both are measured when they are written in integers and have the network's answers; one that does not keep what
was promised is followed by the next of the search.
Where neither search has a program, there are the network's own votes, with preactivations written only as coarsely as loses at most
1 - ``faithful_variance``; where answers still differ, the neurons to which the differing pairs are owed are written out in full,
and more of them each round. With every neuron in full the program is the network, so this ends.
Nothing here is trusted: a program enters the result when exact evaluation finds its answers equal on all pairs.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from algebra.lattice import SubgroupLattice
from algebra.plural import plural
from net.activation import fired
from net.weights import Weights, dead_neurons
from verify.compare.answers import Shortfall, leads_at, logit_blocks, shortfalls
from verify.distil.coset_fit import Floats
from verify.distil.coset_spaces import CandidateSpaces
from verify.distil.draft import RAW, Draft, SideData, Sides, choose_sides, project, side_losses
from verify.distil.exchange import exchanged, free_votes
from verify.distil.labels import Labelling, NeuronLabel, labelled
from verify.distil.moment_bank import MomentBank
from verify.distil.moments import centred, quadratic_form
from verify.distil.point_irreps import point_irreps
from verify.distil.quantise import grained, write_exact, writings
from verify.distil.rank_one import chains
from verify.distil.repair import LARGEST_SHARE, repaired
from verify.distil.settings import DEFAULT, DistilSettings
from verify.distil.shared import SharedList, shared_lists
from verify.distil.vote_search import PathStep, first_spaces, vote_path
from verify.distil.votes import Moments, VoteFit, VoteSpace
from verify.exact.exhaustive import Evaluation, evaluate
from verify.memory import relieve
from verify.program.form import GroupForm, linear_map
from verify.program.written import Written

#: The lead that fitted votes are given where an answer is in danger, in units of the logits' root mean square.
LEAST_LEAD = 0.02
#: Preactivations may lose this share of what a program may leave unexplained, as predicted.
SIDES = 0.1
#: And this share where so little costs more than ``DEAR`` of the network's parameters.
DEAR_SIDES = 0.3
#: Preactivations of more than this share of the network's parameters are dear, and better ones are not looked for
DEAR = 0.05
#: where these lose no more of the logits' variance than this, as predicted.
LITTLE = 0.005
#: A program of the path may stand on the curve when it leaves at most this share of what the one before leaves unexplained.
PROGRESS = 0.75
#: Beside the readable and the faithful program the curve has at most so many.
OTHERS = 3
#: After a program that lacks some answers one is tried again that leaves at most this share of what it left unexplained.
AGAIN = 0.9
#: Programs that differ by less than this factor in price, or in what they leave unexplained, are not both shown.
APART = 1.05
#: The path's readable program is taken where it has at most so many times the constants of the exchange rate's.
PREFERRED = 1.05
#: Answers are counted on one in so many x first, and all of them where that finds few that differ.
SAMPLE = 16
#: The path of the votes may take so many times the operations of evaluating all pairs, and at least so many operations.
PASSES, LEAST_OPERATIONS = 2.0, 2e10
#: A path is left that is expected to reach what is wanted at so many times the constants that are allowed. Beyond what rates of single
#: rounds say, since paths get steeper towards their end: the programs at hand that are reached cost up to 1.2 times less than expected.
TOO_FAR = 1.5
#: The faithful exchange rate is looked for from here: a share of the variance for as many constants as the network has.
FIRST_PRICE = 0.25
#: It is to leave between these shares of what it may leave unexplained before repairs and rounding.
NEAR, CLOSE = 0.94, 0.985
#: Programs that leave more than so many times what they may are equally far from it: infinities would have no slope.
MOST_EXCESS = 1e12
#: Logits of less variance are not fitted: with votes near 1 that is what is left where neurons cancel, and shares of it overflow.
LEAST_VARIANCE = 2.0**-500
#: Beyond this share of the parameters the network itself is as good.
MOST_EXCHANGED = 0.9
#: Programs are as good as the same where they differ by this share of their constants.
SAME = 0.02
#: So many exchange rates are tried. Where a program does not keep what it promised the next is lower by the first factor, and by more
#: each time, up to the second.
TRIES, DEARER, DEAREST = 16, 1.15, 1.5
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
    """One program on the price curve with its exact answers, and the number of pairs on which the network has others."""

    name: str
    written: Written
    draft: Draft
    evaluation: Evaluation
    refinements: int
    differing: int = 0


@dataclass(frozen=True)
class Distillation:
    """The labels of all neurons, the programs found, cheapest first, and the moments of their neurons and the network's.

    ``readable`` and ``faithful`` are among the programs and have the network's answers on every pair.
    """

    labels: tuple[NeuronLabel, ...]
    points: tuple[Point, ...]
    bank: MomentBank

    @property
    def moments(self) -> Floats:
        """The network's own ``activation_moments``."""
        return self.bank.own

    def moments_beside(self, written: Written) -> Floats:
        """The ``activation_moments`` of the network and of a program side by side."""
        return self.bank.beside(written.weights).whole(self.bank.own)

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
    bank: MomentBank
    variance: float
    progress: Progress
    settings: DistilSettings

    def begin(self, stage: str) -> None:
        """Say what is done next, and forget what the stage before has kept where that is much."""
        relieve(self.lattice.group.order)
        self.progress(stage)

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

        Affordable are preactivations of at most ``DEAR`` of the network's parameters, and whatever it takes to bring the predicted
        loss to ``LITTLE``.
        """
        order = self.lattice.group.order
        rate, found = 0.1 * self.network.L.size, None
        for _ in range(100):
            both = choose_sides(self.choices, self.left, self.right, self.shared, self.neurons, 1.5 * rate, order)
            if found is not None and both.size > DEAR * self.parameters and found.loss <= LITTLE:
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

    def explained(self, point: Point) -> float:
        """The share of the logits' variance that the finished program explains; all of none."""
        if self.variance <= 0:
            return 1.0
        weights = point.written.weights
        votes = [centred(self.network.U), -centred(weights.U), centred((self.network.b - weights.b)[None])]
        return 1 - quadratic_form(self.bank.beside(weights).whole(self.bank.own), np.concatenate(votes)) / self.variance

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
    bank = MomentBank(network)
    moments = bank.own
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
        bank,
        variance,
        progress,
        settings,
    )
    return Distillation(labels, _programs(search), bank)


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
    def of(cls, fit: VoteFit, votes: Floats, unexplained: float) -> "_Stop":
        """Without the spaces."""
        return cls(fit.draft, tuple(space.form for space in fit.spaces), fit.moments, votes, fit.constants, unexplained)


def _programs(search: _Search) -> tuple[Point, ...]:
    """The programs of the curve, cheapest first."""
    settings = search.settings
    stops: list[_Stop] = []
    search.begin("fitting preactivations and votes")
    readable, base = _readable(search, stops)
    if readable is not None and search.explained(readable) >= settings.faithful_variance:
        faithful = replace(readable, name="faithful")
    else:
        search.begin("fitting preactivations and votes more closely")
        wanted = _Wanted("faithful", settings.faithful_variance)
        programs = _at_prices(search, wanted, stops, base, FIRST_PRICE / search.parameters, np.inf)
        faithful = _first_kept(search, wanted, programs)[0] or _own_votes(search)
    if readable is None or readable.written.program.constants > faithful.written.program.constants:
        readable = replace(faithful, name="readable")
    search.begin("evaluating other programs of the curve")
    points = [p for p in (_evaluated(search, stop) for stop in _others(stops, readable, faithful)) if _apart(p, readable)]
    coarse = [p for p in points if p.written.program.constants < readable.written.program.constants]
    fine = [p for p in points if p not in coarse]
    named = [replace(p, name=f"{word} {k + 1}") for word, part in (("coarse", coarse), ("fine", fine)) for k, p in enumerate(part)]
    return tuple(sorted([*named, readable, faithful], key=lambda p: (p.written.program.constants, p.name == "faithful")))


def _apart(one: Point, other: Point) -> bool:
    """Whether two programs clearly differ in price."""
    sizes = [p.written.program.constants for p in (one, other)]
    return max(sizes) >= APART * min(sizes)


def _others(stops: list[_Stop], readable: Point, faithful: Point) -> list[_Stop]:
    """At most ``OTHERS`` of the programs on the way, cheapest first: each explains more than all that are cheaper.

    They have clearly fewer constants than the faithful program and than each other, and are not the readable one.
    """
    constants = readable.written.program.constants
    apart: list[_Stop] = []
    for stop in sorted(stops, key=lambda stop: stop.constants):
        if apart and (stop.unexplained * APART > apart[-1].unexplained or stop.constants < APART * apart[-1].constants):
            continue
        beside_readable = max(stop.constants, constants) < APART * min(stop.constants, constants)
        if not beside_readable and stop.constants * APART <= faithful.written.program.constants:
            apart.append(stop)
    return [apart[k] for k in sorted({round(k * (len(apart) - 1) / (OTHERS - 1)) for k in range(OTHERS)})] if apart else []


class _Wanted(NamedTuple):
    """What a program is to explain: of the logits' variance, and of it after random removals, if that is asked for."""

    name: str
    variance: float
    removed: float | None = None

    def excess(self, search: _Search, fit: VoteFit, votes: Floats) -> float:
        """What the program leaves unexplained, as a multiple of what it may: the worse of the two, and at most `MOST_EXCESS`."""
        left = fit.moments.unexplained(votes) / (1 - self.variance)
        if self.removed is not None:
            left = max(left, fit.removed_unexplained(votes, search.network, search.bank.own) / (1 - self.removed))
        return min(left, MOST_EXCESS)


class _Fitted(NamedTuple):
    """A fit, its votes, and the preactivations."""

    fit: VoteFit
    votes: Floats
    sides: Weights


def _readable(search: _Search, stops: list[_Stop]) -> tuple[Point | None, tuple[VoteSpace, ...] | None]:
    """The readable program and the spaces of its votes.

    It comes from the path where that has one of at most ``PREFERRED`` times the constants that an exchange rate asks for: the path
    votes on the neurons' own cosets as far as it can.
    """
    settings = search.settings
    wanted = _Wanted("readable", settings.readable_variance, settings.removed_variance)
    highest = 1 / (settings.rate * search.parameters)
    programs = _at_prices(search, wanted, stops, None, highest, highest)
    first = next(programs, None)
    most = settings.largest_ratio * search.parameters
    path = _Path(search, wanted, stops)
    found = path.first_kept(most if first is None else min(most, PREFERRED * first.fit.constants))
    if found[0] is not None or first is None:
        return found
    found = _first_kept(search, wanted, [first])
    if found[0] is None:  # it explains enough and lacks answers: the path grows in smaller steps than rates fall
        found = path.first_kept(most)
    return found if found[0] is not None else _first_kept(search, wanted, programs)


def _first_kept(search: _Search, wanted: _Wanted, programs: Iterable[_Fitted]) -> tuple[Point | None, tuple[VoteSpace, ...] | None]:
    """The first of the programs that keeps the answers and what it explains, and the spaces of its votes."""
    for fitted in programs:
        point = _tried(search, wanted, *fitted)
        if point is not None:
            return point, fitted.fit.spaces
    return None, None


class _Path:
    """The path of the votes, which is followed as far as is asked for, and later on from there.

    ``stops`` gets the programs on the way that may stand on the curve.
    """

    def __init__(self, search: _Search, wanted: _Wanted, stops: list[_Stop]) -> None:
        self._search, self._wanted, self._stops = search, wanted, stops
        left = 1 - wanted.variance
        sides = search.sides(SIDES * left)
        if sides.size > DEAR * search.parameters:
            sides = search.sides(DEAR_SIDES * left)
        self._draft = grained(search.drafted(sides), ROUNDING_SHARE * left * search.variance)
        self._exact = self._draft.weights()
        self._steps: Iterator[PathStep] | None = None
        self._next: PathStep | None = None
        self._passed: list[tuple[int, float]] = []
        self._tried = self._before = np.inf

    def first_kept(self, most: float) -> tuple[Point | None, tuple[VoteSpace, ...] | None]:
        """The next program of at most ``most`` constants that explains what is wanted and has the answers, and its votes' spaces."""
        search, left = self._search, 1 - self._wanted.variance
        if self._draft.preactivation_constants > most:
            return None, None
        budget = max(PASSES * 2.0 * search.network.order**3 * search.network.width, LEAST_OPERATIONS)
        while (step := self._step()) is not None and step.operations <= budget:
            if step.fit.constants > most or _expected(self._passed, CLOSE * left) > TOO_FAR * most:
                self._next = step
                break
            if step.unexplained <= PROGRESS * self._before:
                self._stops.append(_Stop.of(step.fit, step.votes, step.unexplained))
                self._before = step.unexplained
            if step.unexplained > min(CLOSE * left, AGAIN * self._tried) or step.worth * search.settings.rate * search.parameters > 1:
                continue
            if self._wanted.excess(search, step.fit, step.votes) > 1:
                continue
            point = _tried(search, self._wanted, step.fit, step.votes, self._exact)
            if point is not None:
                return point, step.fit.spaces
            self._tried = step.unexplained
        return None, None

    def _step(self) -> PathStep | None:
        """The step at which it was left, or a new one."""
        step, self._next = self._next, None
        if step is not None:
            return step
        if self._steps is None:
            network = self._search.network
            moments = Moments.of(self._exact, network, self._search.bank)
            self._steps = vote_path(self._draft, moments, network, self._search.settings)
        step = next(self._steps, None)
        if step is not None:
            self._passed.append((step.fit.constants, step.unexplained))
        return step


def _at_prices(
    search: _Search, wanted: _Wanted, stops: list[_Stop], base: tuple[VoteSpace, ...] | None, price: float, highest: float
) -> Iterator[_Fitted]:
    """Programs at ever lower exchange rates that explain what is wanted, the first at the highest rate at which one does.

    Rates are at most ``highest``, and looked for from ``price``; the next program is asked for where one doesn't keep what it promised.
    ``base`` are spaces that votes keep; ``stops`` gets the programs on the way.
    """
    usable = len(search.neurons) > 0 and search.variance > LEAST_VARIANCE and np.isfinite(search.bank.own).all()
    if not usable or (search.answers.answer < 0).any():
        return  # rounded votes tie nowhere
    seen: list[tuple[float, float]] = []
    sizes: list[int] = []
    failed, dearer = 0, DEARER
    rates = _Rates(search, 1 - wanted.variance, base)
    for _ in range(TRIES):
        fitted = rates.at(price)
        fit, votes = fitted.fit, fitted.votes
        excess = wanted.excess(search, fit, votes)
        left = fit.moments.unexplained(votes)
        search.progress(f"{fit.constants / search.parameters:.1%} of the parameters leave {max(left, 0.0):.2%} unexplained")
        if fit.constants > MOST_EXCHANGED * search.parameters:
            return
        same = any(abs(fit.constants - size) <= SAME * size for size in sizes)
        seen.append((price, excess))
        sizes.append(fit.constants)
        if excess <= CLOSE and (excess >= NEAR or same or failed or price >= highest):
            if fit.constants > failed:
                yield fitted
            failed = max(failed, fit.constants)
            price, dearer, highest = price / dearer, min(dearer**1.5, DEAREST), price
        else:
            stops.append(_Stop.of(fit, votes, left))
            price = min(_next_price(seen), highest)


def _next_price(seen: list[tuple[float, float]]) -> float:
    """The price at which as much is left as may be, by the line through the two last ones in logarithms; after one by slope 1.

    ``seen`` are prices and the multiples of what may be left.
    """
    (price, excess), slope = seen[-1], 1.0
    wanted = (NEAR + CLOSE) / 2 / max(excess, 1e-6)
    if len(seen) > 1 and excess > 0 < seen[-2][1] != excess and price != seen[-2][0]:
        slope = min(max(math.log(price / seen[-2][0]) / math.log(excess / seen[-2][1]), 0.3), 3.0)
    return price * min(max(math.pow(wanted, slope), 0.1), 10.0)


class _Sided(NamedTuple):
    """A draft with its preactivations, written out as ``weights``; the fits of votes beside them, without a bias and with one.

    ``left`` is what either leaves unexplained with all votes free.
    """

    draft: Draft
    weights: Weights
    fits: tuple[VoteFit, VoteFit]
    left: tuple[float, float]


class _Rates:
    """Programs by exchange rate, which may leave ``wanted`` unexplained; ``base`` are spaces that votes keep, if they are given.

    Rates beside each other often give the same preactivations, and the same program: those of the last rate are kept.
    """

    def __init__(self, search: _Search, wanted: float, base: tuple[VoteSpace, ...] | None) -> None:
        self._search, self._wanted, self._base = search, wanted, base
        self._sides: tuple[object, ...] | None = None
        self._sided: _Sided | None = None
        self._forms: tuple[object, ...] | None = None
        self._fitted: _Fitted | None = None

    def at(self, price: float) -> _Fitted:
        """The program whose every constant explains about ``price`` of the variance."""
        search = self._search
        sided = self._sided_at(price)
        with_bias = bool(sided.left[0] - sided.left[1] > price * search.network.order)
        fit = sided.fits[with_bias]
        fit = fit.with_spaces(exchanged(fit, point_irreps(search.lattice), price))
        forms = self._sides, with_bias, tuple(space.form for space in fit.spaces)
        if self._fitted is None or forms != self._forms:
            self._forms, self._fitted = forms, _Fitted(fit, fit.votes(accuracy=LOOKED_AT), sided.weights)
        return self._fitted

    def _sided_at(self, price: float) -> _Sided:
        """The preactivations at a rate, and what follows from them alone."""
        search, order = self._search, self._search.network.order
        sides = choose_sides(search.choices, search.left, search.right, search.shared, search.neurons, 1 / price, order)
        chosen = sides.left, sides.right, tuple(common is not None for common in sides.shared)
        if self._sided is not None and chosen == self._sides:
            return self._sided
        network, settings = search.network, search.settings
        draft = grained(search.drafted(sides), ROUNDING_SHARE * self._wanted * search.variance)
        exact = draft.weights()
        moments = Moments.of(exact, network, search.bank)
        plain, own = moments.without_bias(), centred(network.U[draft.neurons])
        spaces = self._base if self._base is not None else first_spaces(draft, plain, network, settings)
        one, other = (VoteFit(draft, spaces, some, own, settings.ridge) for some in (plain, moments))
        left = one.moments.unexplained(free_votes(one)), other.moments.unexplained(free_votes(other))
        self._sides, self._sided = chosen, _Sided(draft, exact, (one, other), left)
        return self._sided


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


def _tried(search: _Search, aim: _Wanted, fit: VoteFit, start: Floats, sides: Weights) -> Point | None:
    """The program of a fit with its votes repaired until the answers are the network's, None where it does not keep its promise."""
    wanted = search.answers.answer
    votes = fit.votes(start)
    few = np.arange(0, search.network.order, SAMPLE)
    wrong = sum(int((logits.argmax(axis=2) != wanted[rows]).sum()) for rows, logits in logit_blocks(fit.weights(votes, sides), few))
    if wrong > LARGEST_SHARE * len(few) * search.network.order:
        return None
    loss = ROUNDING_SHARE * (1 - aim.variance)
    if not wrong:  # most likely there is nothing to repair, which the exact answers say as soon as a look at all pairs
        draft = fit.drafted(votes)
        alike = search.point(aim.name, next(writings(draft, loss * search.variance)), draft, 0)
        if not alike.differing:
            search.progress("0 repairs of answers leave 0 that differ")
            return alike if search.explained(alike) >= aim.variance else None
    floor = LEAST_LEAD * float(np.sqrt(search.variance / search.network.order))
    found = repaired(fit, votes, sides, wanted, floor, 2 * floor)
    search.progress(f"{plural(found.rounds, 'repair')} of answers leave {found.wrong} that differ")
    if found.wrong or aim.excess(search, fit, found.votes) > 1:
        return None
    point = search.agreed(aim.name, fit.drafted(found.votes), found.rounds, loss, found.watched)
    return point if point is not None and search.explained(point) >= aim.variance else None


def _evaluated(search: _Search, stop: _Stop) -> Point:
    """A program of the path in the fewest bits, with its exact answers."""
    group, network = search.lattice.group, search.network
    spaces = tuple(VoteSpace.of(group, form) for form in stop.forms)
    fit = VoteFit(stop.draft, spaces, stop.moments, centred(network.U[stop.draft.neurons]), search.settings.ridge)
    draft = fit.drafted(fit.votes(stop.votes, LOOKED_AT))
    written = next(writings(draft, ROUNDING_SHARE * stop.unexplained * search.variance))
    return search.point("", written, draft, 0)


def _own_votes(search: _Search) -> Point:
    """Own votes, preactivations on cosets, neurons written in full where differing pairs ask for it."""
    search.begin("writing preactivations on cosets")
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
        search.progress(f"refinement {refinements}: {plural(int(full.sum()), 'neuron')} in full")
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
