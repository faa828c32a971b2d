"""Votes both ways: averaged (what the weights say) and fitted (what the function is).

The votes of neuron i lie in the space of its form, centred over z; P_i is the orthogonal projection on it.
Averaged votes are P_i U[i]. Fitted votes minimise the mean over all pairs of the squared difference of centred logits between program
and network,

    E |h'(x, y) U' + b' - h(x, y) U - b|^2,      h' the program's activations, h the network's,

over all votes together, and over the bias where the program has one. A free bias makes this the same problem with centred activations:
C' = Cov(h', h') and X = Cov(h', h) U; without one C' = E h' h'^T and X = E h' (h U + b). The normal equations are

    P_i (sum over j of C'[i, j] U'[j] + r_i (U'[i] - prior[i])) = P_i X[i],

where the ridge r_i is a share of C'[i, i] and pulls towards the averaged votes. When circuits are removed at random, each staying with
probability q, the mean squared difference is q^2 times that of the whole and q (1 - q) times the sum of each circuit's own: so a ridge
is what keeps program and network alike when some are gone. It also settles directions that no activation sees.
The equations are never written out: conjugate gradients need C' times the votes and the projections, O(k^2 |G| + sum of |G| dim_i) a
step for k neurons (Hestenes and Stiefel 1952; the diagonal of C' as preconditioner).
Measurement only; the votes are checked exactly afterwards.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from algebra.group import FiniteGroup
from net.weights import Weights
from verify.distil.coset_fit import Floats
from verify.distil.draft import RAW, Draft
from verify.distil.moment_bank import MomentBank
from verify.distil.moments import centred, quadratic_form
from verify.program.form import GroupForm, linear_map

#: Conjugate gradients stop when the residual has fallen to this share of the right side, or after so many steps.
ACCURACY, MOST_STEPS = 1e-6, 400
#: Singular values below this share of the largest count as 0.
RANK = 1e-9
#: Lists whose functions are 0 are kept small by this share of the mean square of a basis function.
SHRINK = 1e-9
#: The shares of circuits removed.
REMOVED = (0.2, 0.4, 0.6)


@dataclass(frozen=True)
class Moments:
    """Second moments of program and network over all pairs: C', X and what is needed for bias and variance.

    ``with_own`` (k, m) is E h' h^T and ``mean`` E h', with a bias or without one.
    """

    program: Floats
    cross_votes: Floats
    program_mean: Floats
    network_mean_logits: Floats
    total: float
    total_centred: float
    with_own: Floats
    mean: Floats

    @classmethod
    def of(cls, draft: Weights, network: Weights, bank: MomentBank) -> "Moments":
        """For a program with a bias; ``bank`` is the network's."""
        own, (second, with_own, mean) = bank.own, bank.beside(draft)
        votes = np.concatenate([centred(network.U), centred(network.b[None])])
        mean_logits = own[-1] @ votes
        cross = with_own @ votes[:-1] + np.outer(mean, votes[-1] - mean_logits)
        total = quadratic_form(own, votes)
        return cls(
            second - np.outer(mean, mean),
            cross,
            mean,
            mean_logits,
            total,
            total - float((mean_logits**2).sum()),
            with_own,
            mean,
        )

    def without_bias(self) -> "Moments":
        """The same for a program that has none."""
        mean, logits = self.program_mean, self.network_mean_logits
        program, cross = self.program + np.outer(mean, mean), self.cross_votes + np.outer(mean, logits)
        none = np.zeros_like(mean), np.zeros_like(logits)
        return Moments(program, cross, *none, self.total, self.total, self.with_own, self.mean)

    def best_bias(self, votes: Floats) -> Floats:
        """The bias that is best for given votes (k, |G|), centred over z; 0 without one."""
        return np.asarray(self.network_mean_logits - self.program_mean @ centred(votes))

    def unexplained(self, votes: Floats) -> float:
        """Share of the logits' variance that given votes with their best bias leave unexplained."""
        u = centred(votes)
        residual = self.total_centred - 2 * float((u * self.cross_votes).sum())
        return (residual + float((u * (self.program @ u)).sum())) / max(self.total, np.finfo(float).tiny)


@dataclass(frozen=True, eq=False)
class VoteSpace:
    """The functions of one neuron's votes, centred over z.

    Attributes:
        form: the form.
        size: the length of the list.
        unit: (|G|, dimension) an orthonormal basis of what the centred functions of its entries span; empty for all elements.

    """

    form: GroupForm
    size: int
    unit: Floats

    @classmethod
    def of(cls, group: FiniteGroup, form: GroupForm) -> "VoteSpace":
        """The space of a form."""
        if form == RAW:
            return cls(form, group.order, np.zeros((group.order, 0)))
        basis = _centred_basis(group, form)
        return cls(form, int(basis.shape[1]), _orthonormal(basis))

    def joined(self, group: FiniteGroup, part: GroupForm) -> "VoteSpace":
        """The space of the sum of this form and another one."""
        more = _centred_basis(group, part)
        rest = more - self.unit @ (self.unit.T @ more)
        found = _orthonormal(rest, float(np.linalg.norm(more)))
        found -= self.unit @ (self.unit.T @ found)
        form = GroupForm.sum_of([self.form, part])
        return VoteSpace(form, self.size + int(more.shape[1]), np.concatenate([self.unit, found], axis=1))

    @property
    def dimension(self) -> int:
        """How many functions span it, those on all elements without taking the centring into account."""
        return self.size if self.form == RAW else int(self.unit.shape[1])

    def project(self, function: Floats) -> Floats:
        """P of a function that is centred already."""
        return function if self.form == RAW else np.asarray(self.unit @ (function @ self.unit))

    def list_of(self, group: FiniteGroup, function: Floats) -> Floats:
        """The shortest list whose function, up to an added constant, is nearest to this one."""
        if self.form == RAW:
            return function
        basis = _centred_basis(group, self.form)
        gram, found = basis.T @ basis, np.zeros(self.size)
        gram += SHRINK * max(float(np.trace(gram)) / self.size, np.finfo(float).tiny) * np.eye(self.size)
        for _ in range(2):  # the second takes back what shrinking lost
            found += np.linalg.solve(gram, basis.T @ (function - basis @ found))
        return np.asarray(found)


def _centred_basis(group: FiniteGroup, form: GroupForm) -> Floats:
    basis = linear_map(group, form).basis()
    return np.asarray(basis - basis.mean(axis=0))


def _orthonormal(columns: Floats, scale: float = 0.0) -> Floats:
    """An orthonormal basis of what the columns span, up to ``RANK`` times their size or ``scale``."""
    q, singular, _ = np.linalg.svd(columns, full_matrices=False)
    return np.asarray(q[:, singular > RANK * max(scale, float(singular.max(initial=0.0)), np.finfo(float).tiny)])


def project_all(spaces: Sequence[VoteSpace], votes: Floats) -> Floats:
    """Each row projected on its neuron's space; rows are centred."""
    return np.array([space.project(row) for space, row in zip(spaces, votes, strict=True)]).reshape(votes.shape)


def _kept(table: Floats, same: npt.NDArray[np.bool_], bias: float, square: float) -> Floats:
    """The expectation in `VoteFit.removed_unexplained` for each share, from its terms by pairs of neurons."""
    q = 1 - np.array(REMOVED)
    everything, alone = float(table.sum()), float(table[same].sum())
    return np.asarray(q**2 * everything + q * (1 - q) * alone + 2 * q * bias + square)


#: Adds the gradient's linear part of a penalty to votes: (k, |G|) to (k, |G|).
Penalty = Callable[[Floats], Floats]


@dataclass(frozen=True)
class VoteFit:
    """Fitted votes for given spaces, and their equations, to which penalties can be added."""

    draft: Draft
    spaces: tuple[VoteSpace, ...]
    moments: Moments
    own: Floats
    ridge: float

    @property
    def constants(self) -> int:
        """The price of the finished program: preactivation lists, vote lists and the bias."""
        bias = self.draft.lattice.group.order if self.moments.program_mean.any() else 0
        return self.draft.preactivation_constants + sum(space.size for space in self.spaces) + bias

    @property
    def pull(self) -> Floats:
        """(k, 1) r_i of the module's docstring; a ten-thousandth of the mean of C'[i, i] counts as the least."""
        diagonal = np.diag(self.moments.program)
        return np.asarray(self.ridge * (diagonal + 1e-4 * max(float(diagonal.mean()), 1e-30) if len(diagonal) else diagonal))[:, None]

    @property
    def operations(self) -> float:
        """Of one step of the conjugate gradients."""
        order = self.draft.lattice.group.order
        dimensions = sum(int(space.unit.shape[1]) for space in self.spaces)
        return 2.0 * order * (len(self.spaces) ** 2 + 2 * dimensions)

    def with_spaces(self, spaces: tuple[VoteSpace, ...]) -> "VoteFit":
        """The same fit on other spaces."""
        return replace(self, spaces=spaces)

    def votes(self, start: Floats | None = None, accuracy: float = ACCURACY) -> Floats:
        """(k, |G|) the fitted votes."""
        return self.votes_and_steps(start, accuracy)[0]

    def votes_and_steps(
        self,
        start: Floats | None = None,
        accuracy: float = ACCURACY,
        penalty: Penalty | None = None,
        penalty_target: Floats | None = None,
        stiffness: Floats | None = None,
    ) -> tuple[Floats, int]:
        """(k, |G|) fitted votes by conjugate gradients from ``start``, and the number of steps.

        A penalty adds its linear part and its target; ``stiffness`` (k, 1) is about its diagonal.
        """
        program, pull, spaces = self.moments.program, self.pull, self.spaces
        if not len(program):
            return np.zeros((0, self.draft.lattice.group.order)), 0
        target = centred(self.moments.cross_votes) + pull * self.own
        if penalty_target is not None:
            target = target + penalty_target

        def applied(votes: Floats) -> Floats:
            total = program @ votes + pull * votes
            return project_all(spaces, total if penalty is None else centred(total + penalty(votes)))

        scale = np.diag(program)[:, None] + pull + (0.0 if stiffness is None else stiffness)
        right = project_all(spaces, centred(target))
        solution = project_all(spaces, centred(self.own if start is None else start))
        rest = right - applied(solution)
        direction = ready = rest / scale
        size, enough = float((rest * ready).sum()), accuracy**2 * float((right * right / scale).sum())
        steps = 0
        while size > enough and steps < MOST_STEPS:
            steps += 1
            moved = applied(direction)
            curvature = float((direction * moved).sum())
            if not curvature > 0:  # above 0 but where products underflow
                break
            step = size / curvature
            solution = solution + step * direction
            rest = rest - step * moved
            ready = rest / scale
            size, before = float((rest * ready).sum()), size
            direction = ready + size / before * direction
        return np.asarray(solution), steps

    def removed_unexplained(self, votes: Floats, network: Weights, own: Floats) -> float:
        """The share of the variance left unexplained when circuits of both are removed at random, the mean over ``REMOVED``.

        Circuits are neurons with the same preactivation forms. With r_c = what circuit c of the program says less what its neurons in
        the network say, and beta the difference of the biases, keeping each circuit with probability q leaves
        q^2 E |sum r_c|^2 + q (1 - q) sum E |r_c|^2 + 2 q sum E r_c beta + |beta|^2, and the same of the network's parts is the whole.
        ``own`` are the network's ``activation_moments``.
        """
        m, neurons = self.moments, self.draft.neurons
        second = m.program + np.outer(m.program_mean, m.program_mean)
        shared = m.with_own[:, neurons]
        theirs, bias = centred(network.U[neurons]), centred(network.b[None])[0]
        beta = m.best_bias(votes) - bias
        keys = [*zip(self.draft.left, self.draft.right, strict=True)]
        number = {key: k for k, key in enumerate(dict.fromkeys(keys))}
        circuit = np.array([number[key] for key in keys], dtype=np.intp)
        same = circuit[:, None] == circuit
        total = own[np.ix_(neurons, neurons)] * (theirs @ theirs.T)
        rest = second * (votes @ votes.T) - 2 * shared * (votes @ theirs.T) + total
        fire = own[neurons, -1]
        left = _kept(rest, same, float(m.mean @ (votes @ beta) - fire @ (theirs @ beta)), float(beta @ beta))
        whole = _kept(total, same, float(fire @ (theirs @ bias)), float(bias @ bias))
        with np.errstate(over="ignore"):  # the parts of a network may cancel: then any difference is infinitely more
            return float(np.mean(left / np.maximum(whole, np.finfo(float).tiny)))

    def drafted(self, votes: Floats) -> Draft:
        """The draft with votes in these spaces, and their best bias."""
        group = self.draft.lattice.group
        values = tuple(space.list_of(group, row) for space, row in zip(self.spaces, votes, strict=True))
        return self.draft.with_votes(tuple(space.form for space in self.spaces), values, self.moments.best_bias(votes))

    def weights(self, votes: Floats, sides: Weights) -> Weights:
        """The network of these votes on the preactivations of ``sides``."""
        return Weights.from_arrays(sides.L, sides.R, votes, self.moments.best_bias(votes), activation=sides.activation)
