"""Votes with the network's answers: the least-squares fit, with penalties at the pairs whose answers differ.

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


Indices = npt.NDArray[np.intp]


class Repaired(NamedTuple):
    """The votes with the fewest wrong answers, how many those are, in how many rounds, and the pairs that are watched."""

    votes: Floats
    wrong: int
    rounds: int
    watched: Shortfall


@dataclass(frozen=True)
class _Owed:
    """Pairs that are short: x, y, the wanted answer, its rival, and what the square of what is missing costs.

    A pair that is added again with the same rival is one with the sum of the costs.
    """

    x: Indices
    y: Indices
    a: Indices
    z: Indices
    weight: Floats

    @classmethod
    def none(cls) -> "_Owed":
        """No pairs."""
        nothing = np.zeros(0, dtype=np.intp)
        return cls(nothing, nothing, nothing, nothing, np.zeros(0))

    def with_worst(self, short: Shortfall, weight: float, order: int) -> "_Owed":
        """These and the worst of the short pairs, which cost ``weight`` together."""
        worst = np.argsort(short.lead, kind="stable")[:BATCH]
        weights = np.concatenate([self.weight, np.full(len(worst), weight / max(1, len(worst)))])
        pairs = ((self.x, short.x), (self.y, short.y), (self.a, short.wanted), (self.z, short.rival))
        x, y, a, z = (np.concatenate([old, new[worst]]).astype(np.int64) for old, new in pairs)
        # in the order of wanted answer and rival, so that pairs with the same two stand together
        _, first, same = np.unique(((a * order + z) * order + x) * order + y, return_index=True, return_inverse=True)
        costs = np.asarray(np.bincount(same.ravel(), weights=weights, minlength=len(first)), dtype=np.float64)
        return _Owed(x[first], y[first], a[first], z[first], costs)


class _Pairs:
    """Margins of owed pairs as linear functions of the votes: sum over i of hidden[s, i] (votes[i, a_s] - votes[i, z_s]) + constant.

    Activations in float32: solutions are approximate, and looked at again. Pairs with the same a and z stand together.
    """

    def __init__(self, fit: VoteFit, sides: Weights, owed: _Owed, goal: float) -> None:
        left, right = sides.L.astype(np.float32), sides.R.astype(np.float32)
        mean = fit.moments.program_mean.astype(np.float32)
        self.hidden = fired(left[owed.x] + right[owed.y], sides.activation) - mean
        starts = np.flatnonzero(np.append(True, (np.diff(owed.a) != 0) | (np.diff(owed.z) != 0)))
        self.starts, self.which = starts, np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(owed.a))))
        self.a, self.z = owed.a[starts], owed.z[starts]
        self.weight = owed.weight
        logits = fit.moments.network_mean_logits
        self.missing = goal - (logits[owed.a] - logits[owed.z])
        self.order = len(logits)

    def spread(self, amounts: Floats) -> Floats:
        """(k, |G|) the gradient of sum over s of amounts[s] margin[s]."""
        total = np.zeros((self.order, self.hidden.shape[1]))
        sums = np.add.reduceat(amounts.astype(np.float32)[:, None] * self.hidden, self.starts, axis=0).astype(np.float64)
        for index, sign in ((self.a, 1.0), (self.z, -1.0)):
            sort = np.argsort(index, kind="stable")
            values, starts = np.unique(index[sort], return_index=True)
            total[values] += sign * np.add.reduceat(sums[sort], starts, axis=0)
        return np.asarray(total.T)

    def margins(self, votes: Floats) -> Floats:
        """(s,) the part of the margins that is linear in the votes."""
        columns = np.ascontiguousarray(votes.T)
        gaps = (columns[self.a] - columns[self.z]).astype(np.float32)
        return np.asarray(np.einsum("si,si->s", self.hidden, gaps[self.which]), dtype=np.float64)

    def penalty(self, votes: Floats) -> Floats:
        """The linear part of half of the gradient of the sum of weight (missing - margin)^2."""
        return self.spread(self.weight * self.margins(votes))

    def target(self) -> Floats:
        """The constant part of it."""
        return self.spread(self.weight * self.missing)

    def stiffness(self, dimensions: Floats) -> Floats:
        """(k, 1) about the diagonal of the penalty, in spaces of these dimensions (k,)."""
        return np.asarray(2 * (self.weight @ self.hidden**2) * dimensions / self.order)[:, None]


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
    owed, added = _Owed.none(), 0
    weight, best, fewest, since = 2.0, votes, wanted.size, 0
    leads, again = watched, 0
    for number in range(ROUNDS + AGAIN * MORE):
        if number and again < AGAIN and not (leads.lead <= 0).any():
            everywhere = shortfalls(fit.weights(votes, sides), wanted, WATCHED * floor)
            if not (everywhere.lead <= 0).any():
                return Repaired(votes, 0, added, everywhere)
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
        added += 1
        owed = owed.with_worst(short, weight, order)
        pairs = _Pairs(fit, sides, owed, goal)
        votes, _ = fit.votes_and_steps(votes, ACCURACY, pairs.penalty, centred(pairs.target()), pairs.stiffness(dimensions))
        leads = leads_at(fit.weights(votes, sides), *watched[:3])
        weight *= 4
    return Repaired(best, fewest, added, watched)
