"""The search for a provable program: which voters, which votes, how many bits.

It keeps the readable program's preactivations, bit for bit, and gives the neurons that sit over points new votes on double cosets; all
other neurons are left out, but those that see parities alone. Spaces with many points make large lemmas. So the spaces with the fewest
points are tried first that explain, by least squares alone, nearly as much as all of them; then other sets of spaces, those first that
explain most. A program is handed on when exact evaluation finds it right on every pair and the exact bounds of
`verify.symbolic.proof_outline` settle every s in every case.
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
from verify.distil.moments import activation_moments, centred, quadratic_form
from verify.exact.exhaustive import Evaluation, correct_pairs, evaluate
from verify.program.program import Circuit, Neuron, Program, expand
from verify.program.written import Written, renumbered
from verify.symbolic.decomposition import take_apart
from verify.symbolic.points import parity
from verify.symbolic.proof_outline import Outline, outline_proof
from verify.symbolic.provable.voters import SignVoter, Voter, bias_voters, sign_voters, voters_of
from verify.symbolic.provable.votes_ascent import Quadratic, VotesAscent
from verify.symbolic.settings import DEFAULT, SymbolicSettings

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
) -> Provable | None:
    """A program that is right on every pair and whose lemmas add up, or None where none was found.

    ``network`` must be right on every pair; only its activations and votes are used.
    """
    if readable.program.preactivation_bits > settings.most_preactivation_bits:
        return None
    search = _Search(readable, group, network, settings)
    for seated in search.choices():
        names = sorted({v.space.name for v in seated})
        progress(f"fitting votes that lemmas can bound ({', '.join(names)})")
        found = search.attempt(seated)
        if found is not None:
            return found
    return None


class _Problem(NamedTuple):
    """Voters with their places in the vector of all votes, their rows of the moments, and the votes of least squares."""

    voters: list[Voter | SignVoter]
    places: list[slice]
    columns: list[int]
    quadratic: Quadratic
    start: Floats

    @property
    def unexplained(self) -> float:
        """The share of variance that least squares alone leaves."""
        return self.quadratic.value(self.start)


class _Search:
    def __init__(self, readable: Written, group: FiniteGroup, network: Weights, settings: SymbolicSettings) -> None:
        self.readable, self.group, self.network, self.settings = readable, group, network, settings
        self.parity = parity(group)
        self.signs = sign_voters(readable.program, group, readable.subgroups, readable.weights, self.parity)
        votes = np.concatenate([centred(network.U), centred(network.b[None])])
        own = activation_moments(network)
        self.total = quadratic_form(own, votes)
        self.unit = float(np.sqrt(self.total / group.order))
        width = readable.weights.width
        moments = activation_moments(readable.weights, network)
        kept = np.r_[0:width, len(moments) - 1]
        self.moments = moments[np.ix_(kept, kept)]
        self.cross = moments[kept][:, width:] @ votes

    def choices(self) -> list[list[Voter]]:
        """Voters over some of the spaces, the bias with them, in the order in which they are to be tried."""
        program, subgroups, weights = self.readable.program, self.readable.subgroups, self.readable.weights
        voters = voters_of(program, self.group, subgroups, weights, self.parity, self.settings.space_entries)
        voters = [v for v in voters if v.space.count**3 * self.group.order <= self.settings.lemma_entries]
        counts = sorted({v.space.count for v in voters})
        sets = [[v for v in voters if v.space.count <= count] for count in counts]
        sets = [chosen + bias_voters(chosen, self.parity) for chosen in sets]
        left = [self._problem(chosen).unexplained for chosen in sets]
        order = sorted(range(len(sets)), key=lambda k: left[k])
        if sets:
            order.insert(0, next(k for k in range(len(sets)) if left[k] <= min(left) + self.settings.nearly))
        return [sets[k] for k in dict.fromkeys(order)][: self.settings.most_sets]

    def _entries(self, voters: list[Voter]) -> int:
        """Table entries of one look at all bounds: points^3 |ys|, summed over spaces and cases."""
        cases = 4 if any(v.twisted for v in voters) else 1
        return sum(s.count**3 * self.group.order * cases for s in {id(v.space): v.space for v in voters}.values())

    def _columns(self, voters: Sequence[Voter | SignVoter]) -> list[int]:
        """Each voter's row of the moments; the bias has the last one."""
        firsts = np.cumsum([0, *(len(c.neurons) for c in self.readable.program.circuits)])
        return [int(firsts[v.circuit]) + v.neuron if v.circuit >= 0 else len(self.moments) - 1 for v in voters]

    def _problem(self, seated: list[Voter]) -> "_Problem":
        voters: list[Voter | SignVoter] = [*seated, *self.signs]
        columns = self._columns(voters)
        quadratic = self._quadratic(voters, columns)
        ridge = self.settings.ridge * np.diag(quadratic.matrix).mean() * np.eye(len(quadratic.target))
        start = np.asarray(np.linalg.solve(quadratic.matrix + ridge, quadratic.target))
        return _Problem(voters, _places(voters), columns, quadratic, start)

    def attempt(self, seated: list[Voter]) -> Provable | None:
        """The program with the votes that an ascent finds, if it can be proved."""
        problem, settings = self._problem(seated), self.settings
        voters, places, columns = problem.voters, problem.places, problem.columns
        push = np.sqrt(np.maximum(self.moments[columns, columns], 1e-12 * self.moments.diagonal().max()))
        units = np.concatenate([np.full(v.size, self.unit / p) for v, p in zip(voters, push, strict=True)])
        ascent = VotesAscent(seated, self.signs, places, self.parity, problem.start, problem.quadratic, self.unit, units, settings)
        reached = ascent.climb(int(np.clip(settings.votes_entries // max(1, self._entries(seated)), *settings.votes_rounds)))
        if reached.bound <= settings.hopeless:
            return None
        for extra in settings.votes_bits:
            bits = max(0, math.ceil(math.log2(push.max() / self.unit)) + extra)
            found = self._written(voters, places, reached.votes, bits)
            evaluation = evaluate(found.weights, expected=self.group.mul)
            if not correct_pairs(evaluation, self.group.mul).all():
                continue
            outline = outline_proof(take_apart(found.program, self.group, found.subgroups, settings), ascent.start(reached), settings)
            if outline.failing is None:
                return Provable(found, evaluation, outline)
        return None

    def _quadratic(self, voters: Sequence[Voter | SignVoter], columns: list[int]) -> Quadratic:
        """Least squares on the logits: entries (n, d), (m, e) have C[n, m] (B_n^T B_m)[d, e], B centred over z."""
        owner = np.concatenate([np.full(v.size, c) for v, c in zip(voters, columns, strict=True)])
        basis = np.concatenate([v.basis - v.basis.mean(axis=0) for v in voters], axis=1)
        matrix = (basis.T @ basis) * self.moments[np.ix_(owner, owner)]
        target = np.einsum("zk,kz->k", basis, self.cross[owner])
        return Quadratic(matrix, target, self.total, self.total)

    def _written(self, voters: Sequence[Voter | SignVoter], places: list[slice], votes: Floats, bits: int) -> Written:
        """The program with these votes over 2^bits."""
        old = self.readable.program
        circuits: dict[tuple[int, Form], list[Neuron]] = {}
        bias = np.zeros(self.group.order)
        for voter, place in zip(voters, places, strict=True):
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
        program, members = _tidied(
            Program(old.format, old.group, old.subgroups, old.preactivation_bits, bits, written, made, old.scale_bits),
            self.readable.subgroups,
        )
        return Written(program, members, expand(program, self.group, members))


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
