"""The four levels at which a program and a network are compared (level 1, answers, is exact and lives in `verify.exact.exhaustive`).

Level 2, logits: share of the centred logits' variance explained, largest difference of margins, agreement on the runner-up.
Level 3, counterfactuals: the same surgery on both, then their logits and answers compared (`verify.compare.comparison`).
Level 4, mechanism: per neuron the exact largest deviation of preactivations and votes.
Levels 2 and 3 are measured in float64, on all pairs unless a sample is handed in; nothing is proved by them.
"""

from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from functools import partial

import numpy as np
import numpy.typing as npt

from net.activation import fired
from net.weights import ExactWeights, Weights
from verify.compare.interventions import Surgery, absolute_value, exchange_inputs, flip_signs, remove
from verify.distil.coset_fit import Floats
from verify.distil.labels import NeuronLabel
from verify.distil.moments import CANCELLED, NOTHING, centred
from verify.exact.exhaustive import Evaluation
from verify.program.kind import kind_of
from verify.program.program import Program
from verify.record.certificate import Kind, NeuronRecord, rational

SHARES_REMOVED = (0.2, 0.4, 0.6)
DRAWS = 3


def runner_up_agreement(network: Evaluation, program: Evaluation) -> float:
    """The share of all pairs at which the program's second best output is the network's."""
    return float((network.runner_up == program.runner_up).mean())


def _stacked(network: Weights, program: Weights) -> tuple[Floats, Floats]:
    """Centred votes of each, in the rows of the joint activations [network, program, 1]."""
    n = network.order
    ours = np.concatenate([network.U, np.zeros((program.width, n)), network.b[None]])
    theirs = np.concatenate([np.zeros((network.width, n)), program.U, program.b[None]])
    return centred(ours), centred(theirs)


def fve(network: Weights, program: Weights, moments: Floats) -> float:
    """1 - E |centred logits of network - of program|^2 / E |centred logits of network|^2 over all pairs; NaN where that is 0."""
    ours, theirs = _stacked(network, program)
    total, residual = (moments * (votes @ votes.T) for votes in (ours, ours - theirs))
    return _explained(total, residual, lambda: fve_of_logits(network, program))


def varying_fve(network: Weights, program: Weights, moments: Floats) -> float:
    """What `fve` is, of what varies from pair to pair: each output's mean over all pairs is taken off both networks' centred logits.

    With m = E h, the last column of the moments M, it is `fve` with the covariances M - m m^T in their place, in which a bias and
    neurons that are the same at every pair are 0. NaN where no logit varies.
    """
    ours, theirs = _stacked(network, program)
    mean = moments[:, -1]
    covariance = moments - np.outer(mean, mean)
    total, residual, whole = (m * (votes @ votes.T) for m, votes in ((covariance, ours), (covariance, ours - theirs), (moments, ours)))
    if float(total.sum()) <= CANCELLED * float(np.abs(whole).sum()):  # the difference has lost digits that M had
        return fve_of_logits(network, program, varying=True)
    return _explained(total, residual, lambda: fve_of_logits(network, program, varying=True))


def _explained(total: Floats, residual: Floats, exactly: Callable[[], float]) -> float:
    """1 - sum of the residual's terms / sum of the total's, by another way where the latter nearly cancel."""
    norm = float(total.sum())
    if norm <= CANCELLED * float(np.abs(total).sum()):
        return exactly()
    return 1 - max(float(residual.sum()), 0.0) / norm  # rounding may leave a little less than nothing


def fve_of_logits(network: Weights, program: Weights, varying: bool = False) -> float:
    """What `fve` is, or `varying_fve`, from all logits in float64: for networks whose neurons nearly cancel one another.

    Complexity: O(|G|^3 m).
    """
    (ours, mine), (theirs, other) = ((centred(w.U), w.b - w.b.mean()) for w in (network, program))
    if varying:
        mine, other = (-mean_activations(w) @ votes for w, votes in ((network, ours), (program, theirs)))
    total, residual, terms = 0.0, 0.0, 0.0
    for x in range(network.order):
        hidden, shown = (fired(w.L[x] + w.R, w.activation) for w in (network, program))
        logits = hidden @ ours + mine
        total += float((logits**2).sum())
        residual += float(((logits - (shown @ theirs + other)) ** 2).sum())
        terms += float(((hidden @ np.abs(ours) + np.abs(mine)) ** 2).sum())
    return 1 - residual / total if total > NOTHING * terms else float("nan")


def mean_activations(weights: Weights) -> Floats:
    """(m,) the mean of each neuron's activation over all pairs, in float64. Complexity: O(|G|^2 m)."""
    return np.asarray(np.mean([fired(row + weights.R, weights.activation).mean(axis=0) for row in weights.L], axis=0))


def removal_fve(network: Weights, program: Weights, layout: Program, moments: Floats, draws: int = DRAWS) -> dict[str, float]:
    """Variance explained after the same random circuits are removed from both, for each share the mean of seeded draws.

    The squared norm of what a set S of neurons contributes is the sum over i, j in S of M[i, j] V_i . V_j, so one table of these
    terms serves all draws. ``moments`` are those of network and program side by side.
    """
    ours, theirs = _stacked(network, program)
    total, residual = (moments * (votes @ votes.T) for votes in (ours, ours - theirs))
    result = {}
    for share in SHARES_REMOVED:
        explained = []
        for seed in range(draws):
            mine, other = kept_after_removal(layout, network.width, share, seed)
            kept = np.concatenate([mine, other, [True]])
            left = network.select(mine), program.select(other)
            explained.append(_explained(total[np.ix_(kept, kept)], residual[np.ix_(kept, kept)], partial(fve_of_logits, *left)))
        result[f"{share:.0%}"] = float(np.mean(explained))
    return result


def kept_after_removal(layout: Program, width: int, share: float, seed: int) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Masks of the neurons that stay in the network and in the program; circuits are those with the same preactivation forms."""
    circuits = input_circuits(layout)
    rng = np.random.default_rng(seed)
    gone = rng.permutation(len(circuits))[: round(share * len(circuits))]
    kept_network = np.ones(width, dtype=bool)
    kept_program = np.ones(sum(len(c.neurons) for c in layout.circuits), dtype=bool)
    for number in gone:
        for position, index in circuits[number]:
            kept_program[position] = False
            kept_network[index] = False
    return kept_network, kept_program


def input_circuits(layout: Program) -> list[list[tuple[int, int]]]:
    """Neurons that read x and y through the same cosets, as (position in the program, number in the network).

    All parts of a divided neuron are together, and alone.
    """
    times = Counter(neuron.index for circuit in layout.circuits for neuron in circuit.neurons)
    groups: dict[object, list[tuple[int, int]]] = {}
    position = 0
    for circuit in layout.circuits:
        for neuron in circuit.neurons:
            # lists of these forms say which points are looked at, or which elements: neurons have nothing in common
            alone = {circuit.left.on, circuit.right.on} & {"elements", "rank"}
            key = (neuron.index,) if alone or times[neuron.index] > 1 else (circuit.left, circuit.right)
            groups.setdefault(key, []).append((position, neuron.index))
            position += 1
    return list(groups.values())


def surgeries(layout: Program, width: int, families: dict[str, list[int]]) -> list[tuple[str, Surgery, Surgery]]:
    """The counterfactuals of a run: name, what is done to the network, what is done to the program.

    ``width`` is the network's; ``families`` are numbers of neurons in the network by the families' names.
    """
    plan: list[tuple[str, Surgery, Surgery]] = []
    for share in SHARES_REMOVED:
        kept_network, kept_program = kept_after_removal(layout, width, share, 0)
        plan.append((f"remove {share:.0%} of circuits", _keep(kept_network), _keep(kept_program)))
    positions = {n.index: p for p, n in enumerate(n for c in layout.circuits for n in c.neurons)}
    for name, members in families.items():
        inside = np.array([positions[i] for i in members if i in positions], dtype=np.intp)
        if 0 < len(inside) < len(positions):
            plan.append((f"remove family {name}", remove(np.array(members)), remove(inside)))
    both: list[tuple[str, Surgery]] = [
        ("flip signs left", flip_signs(True, False)),
        ("flip signs right", flip_signs(False, True)),
        ("flip signs both", flip_signs(True, True)),
        *([("|.| for relu", absolute_value)] if layout.activation == "relu" else []),
        ("exchange inputs", exchange_inputs),
    ]
    return plan + [(name, surgery, surgery) for name, surgery in both]


def _keep(mask: npt.NDArray[np.bool_]) -> Surgery:
    return lambda weights: weights.select(np.flatnonzero(mask))


#: Pairs whose margins are computed again in float64, those with the largest difference in the evaluations.
_CONTENDERS = 256


def largest_margin_difference(network: tuple[Weights, Evaluation], program: tuple[Weights, Evaluation]) -> float | None:
    """Max over all pairs with the same answer of |margin of network - margin of program|; None where no answer is the same.

    The pairs with the largest differences of what evaluation knows of margins are computed again in float64, and the largest of these
    is the result.
    """
    (ours, mine), (theirs, other) = network, program
    same = mine.answer == other.answer
    if not same.any() or ours.order == 1:
        return None
    difference = np.where(same, np.abs(mine.margin - other.margin), -1.0).ravel()
    few = min(_CONTENDERS, int(same.sum()))
    pairs = np.argpartition(-difference, few - 1)[:few]
    x, y = np.divmod(pairs, ours.order)
    return float(np.abs(margins_at(ours, x, y) - margins_at(theirs, x, y)).max())


def margins_at(weights: Weights, x: npt.NDArray[np.intp], y: npt.NDArray[np.intp]) -> Floats:
    """Greatest less second greatest logit in float64 at some pairs."""
    logits = weights.logits(x, y)
    second, first = np.partition(logits, (-2, -1), axis=1)[:, -2:].T
    return np.asarray(first - second)


def mechanism(
    labels: tuple[NeuronLabel, ...], layout: Program, network: ExactWeights, program: ExactWeights
) -> tuple[NeuronRecord, ...]:
    """Level 4: every neuron's record with exact deviations, in the network's order. O(|G| m) big-integer operations.

    A neuron's kind is what the program makes of it (`verify.program.kind`), or dead where it can change no answer. One that the program
    has several times is divided, and has no deviations.
    """
    where = [(n.index, c) for c, circuit in enumerate(layout.circuits) for n in circuit.neurons]
    indices = np.array([i for i, _ in where], dtype=np.intp)
    kinds = [kind_of(circuit, layout) for circuit in layout.circuits]
    dead = np.asarray(network.silent | (network.U.max(axis=1) == network.U.min(axis=1)), dtype=bool)
    p = (network.preactivation_bits, program.preactivation_bits)
    left = _deviations(network.L[:, indices], program.L, p)
    right = _deviations(network.R[:, indices], program.R, p)
    votes = _deviations(network.U[indices].T, program.U.T, (network.vote_bits, program.vote_bits))
    times = np.bincount(indices, minlength=len(labels))
    found = {
        i: NeuronRecord(i, "dead" if dead[i] else kinds[c], c, rational(left[j]), rational(right[j]), rational(votes[j]))
        for j, (i, c) in enumerate(where)
        if times[i] == 1
    }
    absent: list[Kind] = ["dead" if dead[i] else "divided" if times[i] else "left out" for i in range(len(labels))]
    others = (NeuronRecord(i, kind, None, None, None, None) for i, kind in enumerate(absent))
    return tuple(found.get(record.index, record) for record in others)


def _deviations(network: npt.NDArray[np.object_], program: npt.NDArray[np.object_], bits: tuple[int, int]) -> list[Fraction]:
    """Max over rows of |network / 2^bits[0] - program / 2^bits[1]|, exactly, per column."""
    common = max(bits)
    difference = abs(network * (1 << (common - bits[0])) - program * (1 << (common - bits[1])))
    return [Fraction(int(top), 1 << common) for top in difference.max(axis=0)] if difference.size else []
