"""Votes both ways: averaged (what the weights say) and fitted (what the function is).

Averaged votes are the least-squares projection of each neuron's own U[i, :] on its form.
Fitted votes minimise the mean over all pairs of the squared difference of centred logits between program and network,

    E |h'(x, y) U' + b' - h(x, y) U - b|^2,      h' the program's activations, h the network's,

over all vote lists and the bias together. A free bias makes this the same problem with centred activations, so with
C' = Cov(h', h') and X = Cov(h', h) U the normal equations for the entry d of neuron i's list (basis B_i, centred over z) are

    sum over (j, e) of C'[i, j] (B_i^T B_j)[d, e] t[j, e] = (B_i^T X[i, :])[d].

A ridge (a share ``ridge`` of the diagonal, and 1e-4 of that of its mean) pulls towards the averaged votes. It costs a tenth of a
per cent of the variance explained at most on the networks measured, settles directions that no activation sees, and keeps each
neuron's votes near its own, so that program and network stay alike when circuits are removed.
Measurement only; the votes are checked exactly afterwards.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from net.weights import Weights
from verify.distil.coset_fit import Floats
from verify.distil.draft import RAW, Draft, project
from verify.distil.moments import activation_moments, centred, quadratic_form
from verify.program.form import GroupForm


@dataclass(frozen=True)
class Moments:
    """Second moments of program and network over all pairs, centred: C', X and what is needed for bias and variance."""

    program: Floats
    cross_votes: Floats
    program_mean: Floats
    network_mean_logits: Floats
    total: float
    total_centred: float

    @classmethod
    def of(cls, draft: Weights, network: Weights, own: Floats) -> "Moments":
        """One pass over all pairs; ``own`` are the network's ``activation_moments``, see there for the cost."""
        k = draft.width
        moments = activation_moments(draft, network, first=k)
        votes = np.concatenate([centred(network.U), centred(network.b[None])])
        mean = moments[:, -1]
        mean_logits = own[-1] @ votes
        cross = moments[:, k:] @ votes - np.outer(mean, mean_logits)
        total = quadratic_form(own, votes)
        return cls(
            moments[:, :k] - np.outer(mean, mean),
            cross,
            mean,
            mean_logits,
            total,
            total - float((mean_logits**2).sum()),
        )

    def best_bias(self, votes: Floats) -> Floats:
        """The bias that is best for given votes (k, |G|), centred over z."""
        return np.asarray(self.network_mean_logits - self.program_mean @ centred(votes))

    def unexplained(self, votes: Floats) -> float:
        """Share of the logits' variance that given votes with their best bias leave unexplained."""
        u = centred(votes)
        residual = self.total_centred - 2 * float((u * self.cross_votes).sum())
        return (residual + float((u * (self.program @ u)).sum())) / max(self.total, np.finfo(float).tiny)


@dataclass(frozen=True)
class _Parameters:
    """All vote lists laid end to end: entry p belongs to ``neuron[p]`` and to column ``column[p]`` of the joint basis."""

    neuron: npt.NDArray[np.intp]
    column: npt.NDArray[np.intp]
    basis: Floats
    starts: list[int]


def _parameters(draft: Draft, forms: tuple[GroupForm, ...]) -> _Parameters:
    offsets: dict[GroupForm, tuple[int, int]] = {}
    blocks: list[Floats] = []
    width = 0
    neuron: list[npt.NDArray[np.intp]] = []
    column: list[npt.NDArray[np.intp]] = []
    starts = [0]
    for i, form in enumerate(forms):
        if form not in offsets:
            block = draft.linear(form).basis()
            offsets[form] = (width, block.shape[1])
            blocks.append(block)
            width += block.shape[1]
        start, size = offsets[form]
        neuron.append(np.full(size, i, dtype=np.intp))
        column.append(np.arange(start, start + size, dtype=np.intp))
        starts.append(starts[-1] + size)
    empty = np.zeros(0, dtype=np.intp)
    basis = np.concatenate([np.zeros((draft.lattice.group.order, 0)), *blocks], axis=1)
    return _Parameters(np.concatenate([empty, *neuron]), np.concatenate([empty, *column]), basis - basis.mean(axis=0), starts)


@dataclass(frozen=True)
class VoteFit:
    """The normal equations of the fitted votes for given forms, kept so that constraints can be added to them."""

    draft: Draft
    forms: tuple[GroupForm, ...]
    moments: Moments
    parameters: _Parameters
    matrix: Floats
    target: Floats
    scale: Floats
    prior: Floats

    @property
    def constants(self) -> int:
        """The price of the finished program: preactivation lists, vote lists and the bias."""
        return self.draft.preactivation_constants + len(self.target) + self.draft.lattice.group.order

    @classmethod
    def of(cls, draft: Draft, forms: tuple[GroupForm, ...], moments: Moments, averaged: tuple[Floats, ...], ridge: float) -> "VoteFit":
        """Set up the equations: O(p^2) for p vote constants. ``averaged`` are the lists that the ridge pulls towards."""
        parameters = _parameters(draft, forms)
        gram = parameters.basis.T @ parameters.basis
        i, c = parameters.neuron, parameters.column
        matrix = moments.program[np.ix_(i, i)] * gram[np.ix_(c, c)]
        target = np.einsum("zp,pz->p", parameters.basis[:, c], moments.cross_votes[i])
        diagonal = np.diag(matrix).copy()
        scale = ridge * (diagonal + 1e-4 * max(float(diagonal.mean()), 1e-30) if len(diagonal) else diagonal)
        prior = np.concatenate([np.zeros(0), *averaged])
        return cls(draft, forms, moments, parameters, matrix, target, scale, prior)

    def solve(self, extra: Floats | None = None, extra_target: Floats | None = None) -> Draft:
        """The draft with fitted votes; ``extra`` adds penalties E^T E and E^T goal to the equations."""
        matrix = self.matrix + np.diag(self.scale)
        target = self.target + self.scale * self.prior
        if extra is not None and extra_target is not None:
            matrix = matrix + extra
            target = target + extra_target
        solution: Floats = np.asarray(np.linalg.solve(matrix, target)) if len(target) else target
        starts = self.parameters.starts
        values = tuple(np.asarray(solution[starts[j] : starts[j + 1]]) for j in range(len(self.forms)))
        fitted = self.draft.with_votes(self.forms, values, self.draft.bias)
        return fitted.with_votes(self.forms, values, self.moments.best_bias(fitted.expanded_votes()))


def averaged_votes(
    draft: Draft, forms: tuple[GroupForm, ...], network: Weights, known: dict[tuple[int, GroupForm], Floats]
) -> tuple[Floats, ...]:
    """Each neuron's own votes projected on its form; ``elements`` keeps them as they are. ``known`` keeps what was projected."""
    for i, form in zip(draft.neurons.tolist(), forms, strict=True):
        if (i, form) not in known:
            known[i, form] = network.U[i].copy() if form == RAW else project(draft.linear(form), network.U[i])
    return tuple(known[i, form] for i, form in zip(draft.neurons.tolist(), forms, strict=True))
