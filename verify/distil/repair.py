"""Votes with the network's answers: the fit of least squares, bent as little as the wrong answers ask for.

A margin is linear in the votes. The pairs at which the wanted answer a does not lead its strongest rival z by a floor add the mean
penalty c (goal - margin)^2 to the least-squares problem; the votes are solved again, pairs newly short are added, and c grows, until
no pair is short or the rounds run out. No constant is added to the program.
All pairs are gone through once; after that those alone that led by less than ``WATCHED`` floors then. Where all of these are right,
all pairs are gone through again, and those that have come near since are watched as well.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from net.activation import fired
from net.weights import Weights
from verify.compare.answers import Answers, Shortfall, leads_at, shortfalls
from verify.distil.coset_fit import Floats
from verify.distil.moments import centred
from verify.distil.votes import VoteFit

#: Wrong answers are added to the fit at most so many times; as many rounds without fewer wrong answers end it.
ROUNDS, PATIENCE = 10, 3
#: With more than this share of all pairs in danger the forms are too coarse.
LARGEST_SHARE = 0.02
#: All pairs are gone through again at most so many times, each of which allows so many more rounds.
AGAIN, MORE = 4, 4
#: So many of the worst pairs are added in one round.
BATCH = 6000
#: Pairs that lead by less than so many floors at first are looked at again in every round.
WATCHED = 5
#: Accuracy of the solutions in between: what is left is corrected by the next round.
ACCURACY = 1e-4


class Repaired(NamedTuple):
    """The votes with the fewest wrong answers, how many those are, in how many rounds, and the pairs that are watched."""

    votes: Floats
    wrong: int
    rounds: int
    watched: Shortfall


@dataclass(frozen=True)
class _Pairs:
    """Margins of some pairs as linear functions of the votes: sum over i of hidden[s, i] (votes[i, a_s] - votes[i, z_s]) + constant."""

    hidden: Floats
    a: npt.NDArray[np.intp]
    z: npt.NDArray[np.intp]
    missing: Floats
    weight: float

    @classmethod
    def of(cls, fit: VoteFit, sides: Weights, short: Shortfall, goal: float, weight: float) -> "_Pairs":
        """The worst of the short pairs; ``missing`` is the goal less the constant of the best bias."""
        worst = np.argsort(short.lead, kind="stable")[:BATCH]
        x, y, a, z = (part[worst] for part in short[:4])
        hidden = fired(sides.L[x] + sides.R[y], sides.activation) - fit.moments.program_mean
        logits = fit.moments.network_mean_logits
        return cls(hidden, a, z, goal - (logits[a] - logits[z]), weight / max(1, len(worst)))

    def spread(self, amounts: Floats, order: int) -> Floats:
        """(k, |G|) the gradient of sum over s of amounts[s] margin[s]."""
        total = np.zeros((order, self.hidden.shape[1]))
        rows = amounts[:, None] * self.hidden
        for index, sign in ((self.a, 1.0), (self.z, -1.0)):
            sort = np.argsort(index, kind="stable")
            values, starts = np.unique(index[sort], return_index=True)
            total[values] += sign * np.add.reduceat(rows[sort], starts, axis=0)
        return np.asarray(total.T)

    def margins(self, votes: Floats) -> Floats:
        """(s,) the part of the margins that is linear in the votes."""
        columns = np.ascontiguousarray(votes.T)
        return np.asarray(np.einsum("si,si->s", self.hidden, columns[self.a] - columns[self.z]))

    def penalty(self, votes: Floats) -> Floats:
        """The linear part of half of the gradient of weight times the sum of (missing - margin)^2."""
        return self.spread(self.weight * self.margins(votes), votes.shape[1])

    def target(self, order: int) -> Floats:
        """The constant part of it."""
        return self.spread(self.weight * self.missing, order)

    def stiffness(self, dimensions: Floats, order: int) -> Floats:
        """(k, 1) about the diagonal of the penalty, in spaces of these dimensions (k,)."""
        return np.asarray(2 * self.weight * (self.hidden**2).sum(axis=0) * dimensions / order)[:, None]


def _both(some: Shortfall, others: Shortfall, wanted: Answers) -> Shortfall:
    """The pairs of either list, those of the second in place of the same ones of the first."""
    order = len(wanted)
    known = np.isin(some.x * order + some.y, others.x * order + others.y)
    return Shortfall(*(np.concatenate([mine[~known], theirs]) for mine, theirs in zip(some, others, strict=True)))


def repaired(fit: VoteFit, votes: Floats, sides: Weights, wanted: Answers, floor: float, goal: float) -> Repaired:
    """Fitted votes with the fewest wrong answers. ``sides`` has the preactivations of the fit's draft, ``votes`` are its solution.

    Gives up when more than ``LARGEST_SHARE`` of all pairs are short, or when ``PATIENCE`` rounds bring nothing: then the forms
    are too coarse.
    """
    watched = shortfalls(fit.weights(votes, sides), wanted, WATCHED * floor)
    order = votes.shape[1]
    dimensions = np.array([space.dimension for space in fit.spaces], dtype=float)
    added: list[_Pairs] = []
    weight, best, fewest, since = 2.0, votes, wanted.size, 0
    leads, again = watched, 0
    for number in range(ROUNDS + AGAIN * MORE):
        if number and again < AGAIN and not (leads.lead <= 0).any():
            everywhere = shortfalls(fit.weights(votes, sides), wanted, WATCHED * floor)
            if not (everywhere.lead <= 0).any():
                return Repaired(votes, 0, len(added), everywhere)
            again, since, fewest = again + 1, 0, wanted.size
            watched = _both(watched, everywhere, wanted)
            leads = leads_at(fit.weights(votes, sides), *watched[:3])
        near = leads.lead < floor
        short = Shortfall(leads.x[near], leads.y[near], leads.wanted[near], leads.rival[near], leads.lead[near])
        wrong = int((short.lead <= 0).sum())
        since = 0 if wrong < fewest else since + 1
        if wrong < fewest:
            best, fewest = votes, wrong
        many = len(short.x) > LARGEST_SHARE * wanted.size
        if not len(short.x) or many or not len(votes) or since >= PATIENCE or number >= ROUNDS + again * MORE - 1:
            break
        added.append(_Pairs.of(fit, sides, short, goal, weight))
        target, stiff = (sum(part) for part in zip(*((p.target(order), p.stiffness(dimensions, order)) for p in added), strict=True))
        votes, _ = fit.votes_and_steps(
            votes,
            ACCURACY,
            lambda u: np.asarray(sum(pairs.penalty(u) for pairs in added)),
            centred(np.asarray(target)),
            np.asarray(stiff),
        )
        leads = leads_at(fit.weights(votes, sides), *watched[:3])
        weight *= 4
    return Repaired(best, fewest, len(added), watched)
