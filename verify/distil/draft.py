"""A program in the making: real numbers where the finished program has integers, forms over the group.

The forms of preactivations are chosen by exchange rate. Writing L[:, i] on a space that explains a share s of its variance costs
its list's length in constants and loses about

    P(i fires) Var(L[:, i]) (1 - s) * |G| Var(U[i, :])

of the logits' variance (relu is 1-Lipschitz, and only firing matters). With ``rate`` constants paid for the whole of the logits'
variance, the cheapest candidate by size + rate * loss is taken. One number, the rate, moves a program along its price curve.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from algebra.coset_space import Side
from algebra.lattice import SubgroupLattice
from net.activation import Activation
from net.weights import Weights
from verify.distil.coset_fit import Floats
from verify.distil.coset_spaces import CandidateSpaces
from verify.distil.moments import centred
from verify.distil.rank_one import Chain
from verify.distil.shared import SharedList
from verify.program.form import GroupForm, LinearForm, expand_lists, expand_sides, linear_map

RAW = GroupForm("elements")
#: More than this many times the logits' variance is as good as this: no exchange rate takes such a loss.
_ALL = 1e9


@dataclass(frozen=True)
class Draft:
    """Forms and real lists of each neuron that is kept; forms are over the group.

    ``grain`` are exponents (p, q) where preactivations are rounded already: each list is integers over 2^p, and the s of shared lists
    over 2^q. It is None where they are any real numbers.
    """

    lattice: SubgroupLattice
    neurons: npt.NDArray[np.intp]
    left: tuple[GroupForm, ...]
    right: tuple[GroupForm, ...]
    votes: tuple[GroupForm, ...]
    left_values: tuple[Floats, ...]
    right_values: tuple[Floats, ...]
    votes_values: tuple[Floats, ...]
    bias: Floats
    activation: Activation = "relu"
    grain: tuple[int, int] | None = None

    @property
    def preactivation_constants(self) -> int:
        """How many numbers the preactivations are made of."""
        return sum(len(t) for part in (self.left_values, self.right_values) for t in part)

    @property
    def raw_neurons(self) -> int:
        """Neurons with a preactivation that no coset space describes."""
        return sum(RAW in pair for pair in zip(self.left, self.right, strict=True))

    def weights(self) -> Weights:
        """The draft as a network: float64 arrays taken as exact."""
        group = self.lattice.group
        parts = zip(self.left, self.right, self.left_values, self.right_values, strict=True)
        none = np.zeros((group.order, 0))
        sides = [(none, none), *(expand_sides(group, a, b, t[:, None], u[:, None]) for a, b, t, u in parts)]
        left, right = (np.concatenate(side, axis=1, dtype=float) for side in zip(*sides, strict=True))
        return Weights.from_arrays(left, right, self.expanded_votes(), self.bias, activation=self.activation)

    def expanded_votes(self) -> Floats:
        """The votes on all elements, (neurons, |G|)."""
        group = self.lattice.group
        rows = [expand_lists(group, form, t[:, None])[:, 0] for form, t in zip(self.votes, self.votes_values, strict=True)]
        return np.array(rows, dtype=float).reshape(-1, group.order)

    def linear(self, form: GroupForm) -> LinearForm:
        """The linear map of one of the draft's forms."""
        return linear_map(self.lattice.group, form)

    def with_votes(self, votes: tuple[GroupForm, ...], values: tuple[Floats, ...], bias: Floats) -> "Draft":
        """The same preactivations with other votes."""
        return replace(self, votes=votes, votes_values=values, bias=bias)


class SideData(NamedTuple):
    """One input of the network: its weights, the shares of every candidate, what losing all its variance costs, sums on points."""

    weights: Floats
    shares: dict[Side, Floats]
    loss: Floats
    chains: list[Chain]


def side_losses(weights: Weights, moments: Floats) -> tuple[Floats, Floats]:
    """Per neuron, the share of the logits' variance at stake in L[:, i] and in R[:, i]; see the module's docstring.

    ``moments`` are the network's own ``activation_moments``. Neurons that cancel each other can have far more than all of it.
    """
    votes = centred(weights.U)
    stake = (votes**2).sum(axis=1)
    total = max(float(np.einsum("iz,iz->", votes, moments[:-1, :-1] @ votes)), np.finfo(float).tiny)
    firing = firing_rates(weights)
    left, right = (np.minimum(firing * side.var(axis=0) * stake, _ALL * total) / total for side in (weights.L, weights.R))
    return left, right


def firing_rates(weights: Weights) -> Floats:
    """P(neuron i fires): the share of pairs with L[x, i] + R[y, i] > 0, by sorting: O(m |G| log |G|).

    In general the mean square of the activation's derivative, which for squares is the mean of 4 (L[x, i] + R[y, i])^2.
    """
    if weights.activation == "square":
        squares = (weights.L**2).mean(axis=0) + (weights.R**2).mean(axis=0)
        return np.asarray(4 * (squares + 2 * weights.L.mean(axis=0) * weights.R.mean(axis=0)))
    order, width = weights.L.shape
    rates = np.empty(width)
    for i in range(width):
        below = np.searchsorted(np.sort(weights.R[:, i]), -weights.L[:, i], side="right")
        rates[i] = 1 - below.sum() / order**2
    return rates


class Chosen(NamedTuple):
    """Forms of one input of each neuron, the shares of variance that they explain, the lengths of their lists, and the costs."""

    forms: tuple[GroupForm, ...]
    shares: tuple[float, ...]
    sizes: tuple[int, ...]
    costs: tuple[float, ...]


def choose_forms(choices: CandidateSpaces, side: SideData, neurons: npt.NDArray[np.intp], rate: float, order: int) -> Chosen:
    """The cheapest form of each neuron's preactivation at an exchange rate, ``elements`` where neither cosets nor points pay."""
    best_cost = np.full(len(neurons), float(order))
    best: list[tuple[GroupForm, float, int]] = [(RAW, 1.0, order)] * len(neurons)
    for name, shares in side.shares.items():
        if not choices.count:
            continue
        cost = choices.size[:, None] + rate * side.loss[neurons] * (1 - shares[:, neurons])
        winner = cost.argmin(axis=0)
        for j, c in enumerate(winner):
            if cost[c, j] < best_cost[j]:
                best_cost[j] = cost[c, j]
                best[j] = GroupForm.of(choices.space(int(c), name)), float(shares[c, neurons[j]]), int(choices.size[c])
    for j, i in enumerate(neurons):
        for form, size, share in zip(*side.chains[i], strict=True):
            # votes have a list on points as well, where two subgroups' double cosets are a handful: each side pays half of it
            cost = size + form.terms[0].subgroups[0].index / 2 + rate * side.loss[i] * (1 - share)
            if cost < best_cost[j]:
                best_cost[j], best[j] = cost, (form, share, size)
    forms, shares_of, sizes = zip(*best, strict=True) if best else ((), (), ())
    return Chosen(forms, shares_of, sizes, tuple(best_cost.tolist()))


class Sides(NamedTuple):
    """How the neurons read x and y: forms, where both read one list that list, the constants, and the loss that is predicted."""

    left: tuple[GroupForm, ...]
    right: tuple[GroupForm, ...]
    shared: tuple[SharedList | None, ...]
    size: int
    loss: float


def choose_sides(
    choices: CandidateSpaces,
    left: SideData,
    right: SideData,
    shared: list[SharedList | None],
    neurons: npt.NDArray[np.intp],
    rate: float,
    order: int,
) -> Sides:
    """The cheapest forms of both preactivations of each neuron at an exchange rate, through one list where that is cheaper."""
    one, other = (choose_forms(choices, side, neurons, rate, order) for side in (left, right))
    forms, taken, size, loss = [], [], 0, 0.0
    for j, i in enumerate(neurons.tolist()):
        stake = float(left.loss[i]), float(right.loss[i])
        lost = stake[0] * (1 - one.shares[j]) + stake[1] * (1 - other.shares[j])
        constants, pair, common = one.sizes[j] + other.sizes[j], (one.forms[j], other.forms[j]), shared[i]
        if common is not None:
            lost_so = stake[0] * (1 - common.left_share) + stake[1] * (1 - common.right_share)
            votes = 0 if common.one_point_each else len(common.m)
            if common.size + votes + rate * lost_so < one.costs[j] + other.costs[j]:
                constants, pair, lost = common.size, (common.left, common.right), lost_so
            else:
                common = None
        forms.append(pair)
        taken.append(common)
        size, loss = size + constants, loss + lost
    return Sides(tuple(a for a, _ in forms), tuple(b for _, b in forms), tuple(taken), size, loss)


def project(linear: LinearForm, function: Floats) -> Floats:
    """The list t that brings the form nearest to a function: least squares, by averages where the form has one term."""
    if len(linear.index) == 1:
        index, factor = linear.index[0], linear.factor[0].astype(np.float64)  # squares of 16 bits do not fit into 16
        counts = np.bincount(index, weights=factor**2, minlength=linear.size)
        sums = np.bincount(index, weights=factor * function, minlength=linear.size)
        return np.asarray(sums / np.maximum(counts, 1))
    basis = linear.basis()
    return np.asarray(np.linalg.lstsq(basis.T @ basis, basis.T @ function, rcond=None)[0])
