"""Votes with the network's answers: the fit of least squares, bent as little as the wrong answers ask for.

A margin is linear in the votes. The pairs at which the wanted answer a does not lead its strongest rival z by a floor add the mean
penalty c (goal - margin)^2 to the least-squares problem; the votes are solved again, pairs newly short are added, and c grows, until
no pair is short or the rounds run out. No constant is added to the program.
All pairs are gone through once; after that those alone that led by less than ``WATCHED`` floors then, and the exact evaluation of the
finished program decides about the others.
"""

import numpy as np

from net.activation import fired
from verify.compare.answers import Answers, Shortfall, leads_at, shortfalls
from verify.distil.coset_fit import Floats
from verify.distil.draft import Draft
from verify.distil.votes import VoteFit

#: Wrong answers are added to the fit at most so many times; as many rounds without fewer wrong answers end it.
ROUNDS, PATIENCE = 8, 3
#: With more than this share of all pairs in danger the forms are too coarse.
LARGEST_SHARE = 0.02
#: So many of the worst pairs are added in one round.
BATCH = 3000
#: Pairs that lead by less than so many floors at first are looked at again in every round.
WATCHED = 8


def repaired(fit: VoteFit, wanted: Answers, floor: float, goal: float) -> tuple[Draft, int]:
    """The fitted draft with the fewest wrong answers, and their number.

    Gives up when more than ``LARGEST_SHARE`` of all pairs are short, or when ``PATIENCE`` rounds bring nothing: then the forms
    are too coarse.
    """
    draft = fit.solve()
    watched = shortfalls(draft.weights(), wanted, WATCHED * floor)
    pairs = wanted.size
    size = len(fit.target)
    extra, extra_target = np.zeros((size, size)), np.zeros(size)
    weight = 2.0
    best, fewest, since, first = draft, pairs, 0, draft
    for _ in range(ROUNDS):
        leads = watched if draft is first else leads_at(draft.weights(), *watched[:3])
        near = leads.lead < floor
        short = Shortfall(leads.x[near], leads.y[near], leads.wanted[near], leads.rival[near], leads.lead[near])
        wrong = int((short.lead <= 0).sum())
        since = 0 if wrong < fewest else since + 1
        if wrong < fewest:
            best, fewest = draft, wrong
        if not len(short.x) or len(short.x) > LARGEST_SHARE * pairs or not size or since >= PATIENCE:
            break
        features, constant = _features(fit, draft, short)
        extra += weight / len(features) * features.T @ features
        extra_target += weight / len(features) * features.T @ (goal - constant)
        draft = fit.solve(extra, extra_target)
        weight *= 4
    return best, fewest


def _features(fit: VoteFit, draft: Draft, short: Shortfall) -> tuple[Floats, Floats]:
    """Margins of the worst short pairs as features @ votes + constant, with the best bias substituted."""
    worst = np.argsort(short.lead)[:BATCH]
    weights = draft.weights()
    x, y, a, z = (part[worst] for part in short[:4])
    hidden = fired(weights.L[x] + weights.R[y], weights.activation) - fit.moments.program_mean
    parameters = fit.parameters
    difference = parameters.basis[a][:, parameters.column] - parameters.basis[z][:, parameters.column]
    constant = fit.moments.network_mean_logits[a] - fit.moments.network_mean_logits[z]
    return hidden[:, parameters.neuron] * difference, constant
