"""Votes at one exchange rate: each neuron's list is as long as pays, where a constant has to explain ``price`` of the logits' variance.

Let H = C' + diag(r) with the moments and pulls of `verify.distil.votes`. With all votes free the fit is V = H^-1 (X + r own).
If neuron i may no longer vote for a function q of z, which it did in V, and the neurons whose votes are free take over what they can
of it, the loss is |q|^2 / (H^-1)[i, i], and V changes by -H^-1[:, i] / H^-1[i, i] q on them: H^-1 loses row and column i by one step
of Gaussian elimination. So neurons are taken out one after the other, those first that gain most: each keeps its base and the strongest
terms of rank one on the irreps, as long as these explain ``price`` for each of their constants, and loses the rest, if that is worth
less than the constants that all elements would cost beyond it. What is kept is written on points with small integer vectors
(`verify.distil.rank_one`). The search only says which lists there are; the votes are fitted together afterwards.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from verify.distil.coset_fit import Floats
from verify.distil.draft import RAW
from verify.distil.moments import centred
from verify.distil.point_irreps import PointIrrep
from verify.distil.rank_one import best_parts, strengths
from verify.distil.votes import VoteFit, VoteSpace, project_all
from verify.program.form import GroupForm

#: One in so many neurons with free votes is taken out at a time.
BATCH = 16
#: Terms on one irrep for one neuron.
MOST_TERMS = 8

Flags = npt.NDArray[np.bool_]


def free_votes(fit: VoteFit) -> Floats:
    """(k, |G|) the fit with every neuron's votes free."""
    pull = fit.pull
    matrix = fit.moments.program + np.diag(pull[:, 0])
    return np.asarray(np.linalg.solve(matrix, centred(fit.moments.cross_votes) + pull * fit.own))


def exchanged(fit: VoteFit, irreps: Sequence[PointIrrep], price: float) -> tuple[VoteSpace, ...]:
    """The spaces of the module's docstring; those of ``fit`` are the base that every neuron keeps.

    Complexity: O(BATCH log k) times the singular values of k functions on all irreps, O(k |G| sum of d^2), and O(k^2 (k + |G|)).
    """
    some, votes, matrix, inverse = _taken_out(fit, irreps, price)
    spaces = [space if i in some else VoteSpace.of(fit.draft.lattice.group, RAW) for i, space in enumerate(fit.spaces)]
    free = np.array([i for i in range(len(spaces)) if i not in some], dtype=np.intp)
    beside = matrix[:, free]
    worth = (np.diag(matrix) - np.einsum("is,st,it->i", beside, inverse[np.ix_(free, free)], beside)) / _total(fit)
    return _written(fit, irreps, price, spaces, votes, np.maximum(worth, 0.0))


def _total(fit: VoteFit) -> float:
    """The variance of the logits that shares are of; above 0 also where it is lost in float64."""
    return max(fit.moments.total, float(np.finfo(float).tiny))


def _taken_out(fit: VoteFit, irreps: Sequence[PointIrrep], price: float) -> tuple[set[int], Floats, Floats, Floats]:
    """The neurons whose votes are not free, the votes, H, and its inverse on those that are free (0 elsewhere)."""
    order, total = fit.draft.lattice.group.order, _total(fit)
    matrix: Floats = fit.moments.program + np.diag(fit.pull[:, 0])
    inverse, votes = np.asarray(np.linalg.inv(matrix), dtype=np.float64), free_votes(fit)
    free = np.array([space.size < order for space in fit.spaces], dtype=bool)
    out: set[int] = set()
    sizes = np.repeat([irrep.points.count for irrep in irreps], [irrep.dimension for irrep in irreps]).astype(float)
    while free.any():
        at = np.flatnonzero(free)
        rest = votes[at] - project_all([fit.spaces[i] for i in at], votes[at])
        worth = 1 / (np.diag(inverse)[at] * total)
        energies = _energies(irreps, rest)
        kept = energies * worth[:, None] > price * sizes
        loss = worth * np.maximum((rest**2).sum(axis=1) - (energies * kept).sum(axis=1), 0.0)
        base = np.array([fit.spaces[i].size for i in at])
        gain = price * (order - base - (kept * sizes).sum(axis=1)) - loss
        chosen = [j for j in np.argsort(-gain, kind="stable")[: -(-len(at) // BATCH)].tolist() if gain[j] > 0]
        if not chosen:
            break
        for j in chosen:
            i = int(at[j])
            dropped = _without(irreps, votes[i] - fit.spaces[i].project(votes[i]), kept[j])
            column = inverse[:, i] / inverse[i, i]
            votes -= np.outer(column, dropped)
            inverse -= np.outer(column, column) * inverse[i, i]
            inverse[i], inverse[:, i] = 0.0, 0.0
            out.add(i)
            free[i] = False
    return out, votes, matrix, inverse


def _energies(irreps: Sequence[PointIrrep], functions: Floats) -> Floats:
    """(k, sum of d) the sums of squares of the terms of rank one of functions (k, |G|), strongest first on each irrep."""
    found = [np.zeros((len(functions), 0))]
    for irrep in irreps:
        values = np.linalg.svd(irrep.coefficients(functions.T), compute_uv=False)
        found.append(values**2 * irrep.points.group.order / irrep.dimension)
    return np.concatenate(found, axis=1)


def _without(irreps: Sequence[PointIrrep], function: Floats, kept: Flags) -> Floats:
    """A function less its terms that are kept, which are numbered as in `_energies`."""
    rest, start = function.copy(), 0
    for irrep in irreps:
        some = kept[start : start + irrep.dimension]
        start += irrep.dimension
        if some.any():
            u, s, v = np.linalg.svd(irrep.coefficients(function[:, None])[0])
            rest -= irrep.functions(((u[:, some] * s[some]) @ v[some])[None])[:, 0]
    return np.asarray(rest)


def _written(
    fit: VoteFit, irreps: Sequence[PointIrrep], price: float, spaces: list[VoteSpace], votes: Floats, worth: Floats
) -> tuple[VoteSpace, ...]:
    """The spaces with forms on points added for what the votes have beside them, as long as a form pays."""
    group = fit.draft.lattice.group
    looking = [i for i, space in enumerate(spaces) if space.form != RAW]
    for _ in range(MOST_TERMS):
        if not looking:
            break
        rest = votes[looking] - project_all([spaces[i] for i in looking], votes[looking])
        more: dict[int, list[GroupForm]] = {}
        for irrep in irreps:
            coefficients = irrep.coefficients(rest.T)
            strong = strengths(irrep, coefficients) / irrep.points.count
            pays = np.flatnonzero(strong * worth[looking] > price)
            parts = best_parts([irrep], [coefficients[pays]], [strong[pays]])
            for j, part in zip(pays.tolist(), parts, strict=True):
                i = looking[j]
                if part is not None and part.energy * worth[i] > price * part.size:
                    more.setdefault(i, []).append(part.form)
        for i, forms in more.items():
            spaces[i] = spaces[i].joined(group, GroupForm.sum_of(forms))
            if spaces[i].size >= group.order:
                spaces[i] = VoteSpace.of(group, RAW)
        looking = [i for i in more if spaces[i].form != RAW]
    return tuple(spaces)
