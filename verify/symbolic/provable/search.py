"""The search for a provable program: which voters, which votes, how many bits.

Voters are neurons that see where one input takes one point of a coset space: of x, with votes on right cosets Hz, or of y, mirrored,
with votes on left cosets zK. Neurons that see parities alone vote for parities; all others are left out. There are three sources:

1. the readable program's own neurons, bit for bit, those that see several points being left out;
2. all of its neurons, those that see several points through the one that is nearest (`nearest`);
3. the same, such neurons divided into one for each of some points.

The first that explains, by least squares alone, enough or hardly less than the next one is tried first, then those after it. Those
before it are tried last, where from the same side no later one has failed: they have fewer voters.

Spaces with many points make large lemmas. So of each source the spaces with the fewest points are tried first that explain, by least
squares alone, nearly as much as all of them; then other sets of spaces, those first that explain most. A program is handed on when
exact evaluation finds it right on every pair and the exact bounds of `verify.symbolic.proof_outline` settle every s in every case.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np

from algebra.group import FiniteGroup
from algebra.subgroup import Subgroup
from net.weights import Weights
from verify.distil.coset_fit import Floats
from verify.distil.moment_bank import MomentBank
from verify.distil.moments import centred, quadratic_form
from verify.exact.exhaustive import Evaluation, correct_pairs, evaluate
from verify.program.program import Circuit, Neuron, Program, expand, subgroup_record
from verify.program.written import Written, renumbered
from verify.symbolic.decomposition import take_apart
from verify.symbolic.points import Points, parities
from verify.symbolic.proof_outline import Outline, outline_proof
from verify.symbolic.provable.nearest import through_points
from verify.symbolic.provable.relaxation import Relaxation
from verify.symbolic.provable.triangular import positive_solution
from verify.symbolic.provable.voters import SignVoter, Voter, bias_voters, sign_voters, voters_of
from verify.symbolic.provable.votes import Quadratic, VoteSearch, ridged
from verify.symbolic.settings import DEFAULT, SymbolicSettings
from verify.symbolic.start import Start, StartOf

if TYPE_CHECKING:
    from verify.program.form import Form

__all__ = ["Provable", "find_provable"]


@dataclass(frozen=True)
class Provable:
    """A program with its exact evaluation and the plan of its proof."""

    written: Written
    evaluation: Evaluation
    outline: Outline


def find_provable(
    readable: Written,
    group: FiniteGroup,
    network: Weights,
    progress: Callable[[str], None] = lambda _: None,
    settings: SymbolicSettings = DEFAULT,
    bank: MomentBank | None = None,
) -> Provable | None:
    """A program that is right on every pair and whose lemmas add up, or None where none was found.

    ``network`` must be right on every pair; only its activations and votes are used. ``bank`` has the moments that are known already.
    """
    if readable.program.preactivation_bits > settings.most_preactivation_bits:
        return None
    search = _Search(group, network, settings, bank or MomentBank(network))
    sources = _Sources(search, readable)
    failed: dict[bool, int] = {}
    held: VoteSearch | None = None  # the one search whose large matrices are kept
    for number in sources.order():
        # from a side on which more voters came to nothing fewer are not tried
        problems = [p for p in search.ordered(sources[number]) if failed.get(p.mirrored, number) <= number]
        searches = [search.votes_of(problem) for problem in problems]
        for price in settings.prices:
            for problem, votes in zip(problems, searches, strict=True):
                progress(f"fitting votes that lemmas can bound ({problem.names})")
                if held is not votes and held is not None:
                    held.release()
                held, reached = votes, votes.at(price)
                found = search.attempt(problem, reached.votes) if reached.bound > 0.0 else None
                if found is not None:
                    return found
        failed |= {problem.mirrored: max(number, failed.get(problem.mirrored, number)) for problem in problems}
    return None


class _Sources:
    """The problems of each source, made when they are first looked at."""

    def __init__(self, search: "_Search", readable: Written) -> None:
        parts = search.settings.parts
        self._makers = (lambda: search.own(readable), lambda: search.nearest(readable, 1), lambda: search.nearest(readable, parts))
        self._known: dict[int, list[_Problem]] = {}
        self._settings = search.settings

    def __getitem__(self, number: int) -> "list[_Problem]":
        """The problems of a source."""
        if number not in self._known:
            self._known[number] = self._makers[number]()
        return self._known[number]

    def order(self) -> list[int]:
        """The first source that explains enough, or hardly less than the next one, and those after it; then those before it."""
        first, last = 0, len(self._makers) - 1
        while first < last and self._least(first) > max(self._settings.explained, self._least(first + 1) + self._settings.gain):
            first += 1
        return [*range(first, last + 1), *range(first)]

    def _least(self, number: int) -> float:
        return min((problem.unexplained for problem in self[number]), default=math.inf)


class _Source:
    """A program whose neurons may become voters, with the moments of their activations and the network's."""

    def __init__(self, written: Written, members: list[Subgroup], search: "_Search") -> None:
        """``members`` are the program's subgroups and those of the voters' votes."""
        self.written, self.members, self._total = written, members, search.total
        found = search.bank.beside(written.weights)
        alone = np.append(found.mean, 1.0)  # the last activation is 1, the bias's
        self.moments = np.block([[found.second, alone[:-1, None]], [alone[None]]])
        self.cross = np.concatenate([np.column_stack([found.with_own, found.mean]), search.bank.own[-1:]]) @ search.votes

    def columns(self, voters: Sequence[Voter | SignVoter]) -> list[int]:
        """Each voter's row of the moments; the bias has the last one."""
        firsts = np.cumsum([0, *(len(c.neurons) for c in self.written.program.circuits)])
        return [int(firsts[v.circuit]) + v.neuron if v.circuit >= 0 else len(self.moments) - 1 for v in voters]

    def quadratic(self, voters: Sequence[Voter | SignVoter], columns: list[int]) -> Quadratic:
        """Least squares on the logits: entries (n, d), (m, e) have C[n, m] (B_n^T B_m)[d, e], B centred over z."""
        sizes = [v.size for v in voters]
        owner = np.repeat(columns, sizes)
        basis = np.concatenate([v.basis - v.basis.mean(axis=0) for v in voters], axis=1)
        single = basis.astype(np.float32)
        products, matrix = single.T @ single, np.empty((len(owner), len(owner)))
        for column, place in zip(columns, _places(voters), strict=True):  # row by row: no second array of this size
            np.multiply(products[place], np.repeat(self.moments[column, columns], sizes), out=matrix[place])
        target = np.einsum("zk,kz->k", basis, self.cross[owner])
        return Quadratic(matrix, target, self._total, self._total)


class _Problem(NamedTuple):
    """Voters seen from one side with their places in the vector of all votes, and rows of the moments.

    ``start`` are the votes of least squares, ``unexplained`` the share of variance that they leave. The quadratic form, a matrix of
    the size of all votes, is made when it is needed.
    """

    source: _Source
    mirrored: bool
    voters: list[Voter]
    signs: list[SignVoter]
    places: list[slice]
    columns: list[int]
    start: Floats
    unexplained: float

    def quadratic(self) -> Quadratic:
        """The unexplained share of variance as a form in the votes."""
        return self.source.quadratic(self.every, self.columns)

    @property
    def every(self) -> list[Voter | SignVoter]:
        """All voters in the order of their places."""
        return [*self.voters, *self.signs]

    @property
    def names(self) -> str:
        """The spaces in words."""
        names = sorted({voter.space.name for voter in self.voters})
        return ", ".join(names) + (", mirrored" if self.mirrored else "")


class _Search:
    def __init__(self, group: FiniteGroup, network: Weights, settings: SymbolicSettings, bank: MomentBank) -> None:
        self.group, self.settings, self.bank = group, settings, bank
        self.parity = parities(group)
        self.votes = np.concatenate([centred(network.U), centred(network.b[None])])
        self.total = quadratic_form(bank.own, self.votes)
        self.unit = float(np.sqrt(self.total / group.order))

    def own(self, readable: Written) -> list[_Problem]:
        """Voters among the program's own neurons, over some of the spaces, from either side."""
        source, spaces = _Source(readable, [*readable.subgroups], self), self._spaces(readable)
        problems = []
        for mirrored in (False, True):
            seen: set[int] = set()
            for some in _smallest(spaces):
                voters = voters_of(readable.program, source.members, readable.weights, some, mirrored)
                if len(voters) not in seen | {0} and self._few(voters):
                    seen.add(len(voters))
                    problems.append(self._problem(source, voters, mirrored))
        return problems

    def nearest(self, readable: Written, parts: int) -> list[_Problem]:
        """Voters among neurons that read one input through the points nearest to what the program's neurons read of it.

        Those that would be divided into too many parts are divided into fewer.
        """
        problems = []
        for mirrored in (False, True):
            for some in _smallest(self._spaces(readable)):
                for most in range(parts, min(parts, 2) - 1, -1):
                    written = through_points(readable, self.group, some, mirrored, most, self.settings)
                    members = [*written.subgroups]
                    voters = voters_of(written.program, members, written.weights, some, mirrored, parities=True)
                    if voters and self._few(voters):
                        problems.append(self._problem(_Source(written, members, self), voters, mirrored))
                        break
        return problems

    def _few(self, voters: list[Voter]) -> bool:
        """Whether the equations of their votes are worth writing out."""
        return sum(voter.size for voter in voters) <= self.settings.most_votes

    def ordered(self, problems: list[_Problem]) -> list[_Problem]:
        """The problems in the order in which they are to be tried."""
        order = sorted(range(len(problems)), key=lambda k: problems[k].unexplained)
        if problems:
            least = problems[order[0]].unexplained + self.settings.nearly
            nearly = [k for k in range(len(problems)) if problems[k].unexplained <= least]
            order.insert(0, min(nearly, key=lambda k: (max(v.space.count for v in problems[k].voters), problems[k].unexplained)))
        return [problems[k] for k in dict.fromkeys(order)][: self.settings.most_sets]

    def _spaces(self, readable: Written) -> list[Points]:
        """The spaces of few points over the program's subgroups, one for each class, those of fewest points first."""
        found: list[Points] = []
        for subgroup in sorted(readable.subgroups, key=lambda s: s.index):
            if 2 < subgroup.index <= self.settings.most_points and subgroup.index**3 * self.group.order <= self.settings.lemma_entries:
                space = Points(subgroup, self.parity)
                if space.complete and all(known.point(subgroup) is None for known in found):
                    found.append(space)
        return found

    def _problem(self, source: _Source, voters: list[Voter], mirrored: bool) -> _Problem:
        spaces = list({id(voter.space): voter.space for voter in voters}.values())
        twisted = any(voter.twisted for voter in voters)
        program, weights = source.written.program, source.written.weights
        voters = voters + [part for space in spaces for part in bias_voters(space, twisted, mirrored)]
        signs = sign_voters(program, source.members, self.group, weights, self.parity, mirrored)
        every: list[Voter | SignVoter] = [*voters, *signs]
        columns = source.columns(every)
        quadratic = source.quadratic(every, columns)
        start = positive_solution(ridged(quadratic.matrix, self.settings.ridge), quadratic.target)
        return _Problem(source, mirrored, voters, signs, _places(every), columns, start, quadratic.value(start))

    def votes_of(self, problem: _Problem) -> VoteSearch:
        """The search for the problem's votes."""
        relaxation = Relaxation(problem.voters, problem.signs, problem.places, self.parity)
        return VoteSearch(relaxation, problem.quadratic, problem.start, self.unit, self.settings)

    def attempt(self, problem: _Problem, votes: Floats) -> Provable | None:
        """The program with these votes, if it can be proved."""
        settings, source = self.settings, problem.source
        push = np.sqrt(source.moments[problem.columns, problem.columns].max())
        for extra in settings.votes_bits:
            bits = max(0, math.ceil(math.log2(push / self.unit)) + extra)
            found = self._written(problem, votes, bits)
            evaluation = evaluate(found.weights, expected=self.group.mul)
            if not correct_pairs(evaluation, self.group.mul).all():
                continue
            parts = take_apart(found.program, self.group, found.subgroups, settings)
            outline = outline_proof(parts, self._start(problem, votes), settings, hurried=True)
            if outline.settled:
                return Provable(found, evaluation, outline)
        return None

    def _start(self, problem: _Problem, votes: Floats) -> Start:
        """The bias tables of the proof."""
        tables: dict[int, tuple[Points, Floats]] = {}
        for voter, place in zip(problem.voters, problem.places, strict=False):
            if voter.circuit < 0:
                space = voter.space
                _, table = tables.setdefault(id(space), (space, np.zeros((space.count, space.count, 2))))
                for odd in (0, 1):
                    table[voter.point, :, odd] += voter.at[odd % len(voter.at)] @ votes[place]
        return Start(tuple(StartOf(space, problem.mirrored, table) for space, table in tables.values()))

    def _written(self, problem: _Problem, votes: Floats, bits: int) -> Written:
        """The program with these votes over 2^bits."""
        old, members = problem.source.written.program, problem.source.members
        circuits: dict[tuple[int, Form], list[Neuron]] = {}
        bias = np.zeros(self.group.order)
        for voter, place in zip(problem.every, problem.places, strict=True):
            if voter.circuit < 0:
                bias += voter.basis @ votes[place]
                continue
            neuron = old.circuits[voter.circuit].neurons[voter.neuron]
            numbers = tuple(round(float(v)) for v in np.ldexp(votes[place], bits))
            if any(numbers):
                circuits.setdefault((voter.circuit, voter.form), []).append(Neuron(neuron.index, neuron.left, neuron.right, numbers))
        made = tuple(
            Circuit(old.circuits[number].left, old.circuits[number].right, form, tuple(neurons))
            for (number, form), neurons in circuits.items()
        )
        scale = old.preactivation_bits + bits
        written = tuple(round(float(b)) for b in np.ldexp(bias, scale)) if bias.any() else ()
        subgroups = tuple(members)
        records = (*old.subgroups, *map(subgroup_record, subgroups[len(old.subgroups) :]))
        changed = Program(old.format, old.group, records, old.preactivation_bits, bits, written, made, old.scale_bits)
        program, kept = _tidied(changed, subgroups)
        return Written(program, kept, expand(program, self.group, kept))


def _smallest(spaces: list[Points]) -> list[list[Points]]:
    """The spaces of at most so many points, for each number of points that occurs."""
    return [[space for space in spaces if space.count <= count] for count in sorted({space.count for space in spaces})]


def _places(voters: Sequence[Voter | SignVoter]) -> list[slice]:
    ends = itertools.accumulate((v.size for v in voters), initial=0)
    return [slice(a, b) for a, b in itertools.pairwise(ends)]


def _tidied(program: Program, members: tuple[Subgroup, ...]) -> tuple[Program, tuple[Subgroup, ...]]:
    """The program without subgroups that no form names."""
    used: dict[int, int] = {}
    for circuit in program.circuits:
        for form in (circuit.left, circuit.right, circuit.votes):
            for s in form.members:
                used.setdefault(s, len(used))
    circuits = tuple(
        Circuit(renumbered(c.left, used), renumbered(c.right, used), renumbered(c.votes, used), c.neurons) for c in program.circuits
    )
    records = tuple(program.subgroups[s] for s in used)
    tidy = msgspec.structs.replace(program, subgroups=records, circuits=circuits)
    return tidy, tuple(members[s] for s in used)
