"""From real lists to small integers: as few bits as the logits and the network's answers allow.

Rounding each constant to nearest adds an error of variance 4^-bits / 12 to it. Through the neurons that loses about

    4^-v / 12 * |G| * sum_i c_i E h_i^2     for the votes,    4^-p / 6 * sum_i P(i fires) * |U_i centred|^2     for the preactivations,

of the logits' variance, where c_i is the mean over z of the sum of the squares of the factors with which constants enter U_i(z): 1 on
cosets, more where a form adds many constants up. The search starts at the least p and v that lose at most a given amount each, and adds
bits to both until the program's exact answers are the network's on every pair. The bias has the unit of the product of the two.
Where votes are fitted the preactivations are rounded before (`grained`), so that programs of one path read x and y in the same way, to
the last bit.
"""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from algebra.group import FiniteGroup
from net.activation import degree
from net.weights import ExactWeights, Weights
from verify.distil.coset_fit import Floats
from verify.distil.draft import Draft, firing_rates
from verify.distil.moments import squared_activations
from verify.program.coset_forms import simplest
from verify.program.form import Form, GroupForm, linear_map
from verify.program.program import (
    FORMAT,
    SQUARES,
    Circuit,
    Neuron,
    Program,
    expand,
    group_record,
    subgroup_record,
)
from verify.program.written import Written

if TYPE_CHECKING:
    from algebra.subgroup import Subgroup

EXTRA_BITS = (0, 1, 2, 4, 7, 12, 20, 34)
#: Factors alpha of ``rank`` that are integers below this stay as they are.
LARGEST_FACTOR = 1024


def preactivation_bits(weights: Weights, loss: float) -> int:
    """The least p of the module's docstring for a draft written out as ``weights`` and a loss of the logits' variance."""
    spread = float((weights.U.var(axis=1) * firing_rates(weights)).sum()) * weights.order
    return _least_bits(spread / 6, loss)


def vote_bits(weights: Weights, loss: float, growth: Floats) -> int:
    """The least v in the same way; ``growth`` (m,) are the c_i of the module's docstring."""
    return _least_bits(float(squared_activations(weights) @ growth) * weights.order / 12, loss)


def _growth(group: FiniteGroup, form: GroupForm) -> float:
    """c_i of the module's docstring for votes of a form; 1 for ``rank``, whose factors have bits of their own."""
    return 1.0 if form.on == "rank" else float((linear_map(group, form).factor.astype(float) ** 2).sum(axis=0).mean())


def grained(draft: Draft, loss: float) -> Draft:
    """The draft with its preactivations rounded to nearest in the fewest bits that lose at most ``loss`` with the votes that it has.

    Whatever is fitted to it afterwards is fitted to the very numbers of the program. Forms on ``rank`` are left to `write`.
    """
    if any(form.on == "rank" for form in (*draft.left, *draft.right)):
        return draft
    p = preactivation_bits(draft.weights(), loss)
    q = _Units.of(draft, p, 0).scale_bits
    left = tuple(_rounded(t, p) for t in draft.left_values)
    right = tuple(
        np.append(_rounded(t[:1], q), _rounded(t[1:], p)) if form.on == "shared" else _rounded(t, p)
        for form, t in zip(draft.right, draft.right_values, strict=True)
    )
    return replace(draft, left_values=left, right_values=right, grain=(p, q))


def _rounded(values: Floats, bits: int) -> Floats:
    """Multiples of 2^-bits: what floats that large hold of them anyway stays."""
    with np.errstate(over="ignore"):
        scaled = np.ldexp(values, bits)
    return np.where(np.isfinite(scaled), np.ldexp(np.rint(scaled), -bits), values)


def _least_bits(noise: float, loss: float) -> int:
    """The least k >= 0 with noise / 4^k <= loss; 0 where one of them is beyond float64, and more bits are tried anyway."""
    if not (0 < noise < math.inf and 0 < loss < math.inf):
        return 0
    ratio = float(noise) / float(loss)  # Python's quotient is silently inf where NumPy's warns
    least = math.log(ratio, 4) if 0 < ratio < math.inf else (math.log2(noise) - math.log2(loss)) / 2
    return max(0, math.ceil(least))


def _integers(values: Floats, bits: int) -> tuple[int, ...]:
    """The integers nearest to values * 2^bits, of two that are as near the even one."""
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = np.rint(np.ldexp(np.asarray(values, dtype=np.float64), bits))
    if (np.abs(scaled) < 2.0**62).all():
        return tuple(scaled.astype(np.int64).tolist())
    return tuple(_nearest(float(value), bits) for value in values)


def _nearest(value: float, bits: int) -> int:
    """The integer nearest to value * 2^bits, also where that is beyond float64."""
    fraction, exponent = math.frexp(value)
    if exponent + bits <= 1000:
        return round(math.ldexp(value, bits))
    return int(fraction * 2**53) << (exponent + bits - 53)


def write(draft: Draft, p: int, v: int) -> Written:
    """The draft rounded to nearest: preactivations over 2^p, votes over 2^v, the bias over 2^(p + v) (2^(2p + v) with squares).

    Preactivations that have a grain keep it. More bits are added where a list has factors: see `_Units`. Neurons whose votes all round
    to zero, or that then never fire, are left out, at no loss. Images and preimages of one point are written on cosets where that takes
    no more integers, so that neurons which look at the same things stand in one circuit.
    """
    units = _Units.of(draft, p, v)
    p, v = units.preactivation_bits, units.vote_bits
    neurons = []
    for i, left, right, votes, a, b, c in zip(
        draft.neurons, draft.left, draft.right, draft.votes, draft.left_values, draft.right_values, draft.votes_values, strict=True
    ):
        shared = right.on == "shared"
        read = (_nearest(float(b[0]), units.scale_bits), *_integers(b[1:], p)) if shared else _listed(right, b, p, units.left)
        neurons.append(Neuron(int(i), _listed(left, a, p, units.left), read, _listed(votes, c, v, units.votes)))
    bias = _integers(draft.bias, degree(draft.activation) * p + v) if draft.bias.any() else ()
    return _assemble(*_simplified(draft, neurons), bias, units)


def _simplified(draft: Draft, neurons: list[Neuron]) -> tuple[Draft, list[Neuron]]:
    """Forms and lists of the neurons with cosets in place of single points; a list that is shared stays where it is."""
    lattice, found = draft.lattice, []
    for left, right, votes, neuron in zip(draft.left, draft.right, draft.votes, neurons, strict=True):
        parts = [(left, neuron.left), (right, neuron.right), (votes, neuron.votes)]
        alone = right.on != "shared"
        found.append([simplest(lattice, form, t) if alone or k == 2 else (form, t) for k, (form, t) in enumerate(parts)])
    forms = [tuple(parts[k][0] for parts in found) for k in range(3)]
    lists = [Neuron(neuron.index, *(t for _, t in parts)) for neuron, parts in zip(neurons, found, strict=True)]
    return replace(draft, left=forms[0], right=forms[1], votes=forms[2]), lists


class _Units(NamedTuple):
    """Denominators' exponents, and the bits of the factors alpha of preactivations and of votes on ``rank``.

    A factor alpha of k bits is off by 2^-k of its largest entry, and its beta, over 2^(v + k), then by 2^-v times alpha's own unit. So
    k is such that both errors of a product are those of a plain list over 2^v; and in the same way for the s of shared lists.
    """

    preactivation_bits: int
    vote_bits: int
    scale_bits: int = 0
    left: int = 0
    votes: int = 0

    @staticmethod
    def of(draft: Draft, p: int, v: int) -> "_Units":
        """The units of a draft whose plain lists are to be over 2^p and 2^v; those of its grain where it has one."""
        if draft.grain is not None:
            m = max((_factor_bits(form, t, v) for form, t in zip(draft.votes, draft.votes_values, strict=True)), default=0)
            return _Units(draft.grain[0], v + m, draft.grain[1], 0, m)
        read = [*zip(draft.left, draft.left_values, strict=True), *zip(draft.right, draft.right_values, strict=True)]
        k = max((_factor_bits(form, t, p) for form, t in read), default=0)
        m = max((_factor_bits(form, t, v) for form, t in zip(draft.votes, draft.votes_values, strict=True)), default=0)
        sums = [
            float(np.abs(t[: len(right.weights)]).max() * np.abs(right.weights).sum())
            for right, t in zip(draft.right, draft.left_values, strict=True)
            if right.on == "shared"
        ]
        scale = max(0, p + _exponent(max(sums, default=0))) if sums else 0
        return _Units(p + k, v + m, scale, k, m)


def _exponent(size: float) -> int:
    """The least k with size < 2^k."""
    return math.frexp(size)[1]


def _factors(form: GroupForm, t: Floats) -> tuple[Floats, Floats]:
    """The alphas and the betas of a list on ``rank``, (r, points) each."""
    both = np.asarray(t[: len(t) - form.constant], dtype=float).reshape(form.rank, 2, -1)
    return both[:, 0], both[:, 1]


def _factor_bits(form: GroupForm, t: Floats, bits: int) -> int:
    """How many bits the alphas of a list need; 0 where the form has none, or they are integers already."""
    if form.on != "rank":
        return 0
    alphas, betas = _factors(form, t)
    if (alphas == np.rint(alphas)).all() and np.abs(alphas).max() < LARGEST_FACTOR:
        return 0
    return max(1, bits + _exponent(float((np.abs(alphas).max(axis=1) * np.abs(betas).max(axis=1)).max())))


def _listed(form: GroupForm, t: Floats, bits: int, factor_bits: int) -> tuple[int, ...]:
    """A list as integers over 2^bits; alphas of a form on ``rank`` are brought to at most ``factor_bits`` bits first, if they must."""
    if form.on != "rank":
        return _integers(t, bits)
    found: list[int] = []
    for alpha, beta in zip(*_factors(form, t), strict=True):
        largest = float(np.abs(alpha).max())
        whole = (alpha == np.rint(alpha)).all() and largest < LARGEST_FACTOR
        scale = 1.0 if whole or largest == 0 else 2.0**factor_bits / largest
        found += [*_integers(alpha * scale, 0), *_integers(beta / scale, bits)]
    return (*found, *_integers(t[len(t) - form.constant :], bits))


def write_exact(draft: Draft, exact: ExactWeights) -> Written:
    """The draft's neurons with the network's own exact integers; every form must be ``elements``."""
    neurons = [
        Neuron(int(i), tuple(exact.L[:, i].tolist()), tuple(exact.R[:, i].tolist()), tuple(exact.U[i].tolist())) for i in draft.neurons
    ]
    bias = tuple(exact.b.tolist()) if exact.b.any() else ()
    return _assemble(draft, neurons, bias, _Units(exact.preactivation_bits, exact.vote_bits))


def writings(draft: Draft, loss: float) -> Iterator[Written]:
    """The draft in more and more bits, from those that lose at most ``loss`` of the logits' variance."""
    weights = draft.weights()
    growth = np.array([_growth(draft.lattice.group, form) for form in draft.votes])
    p, v = preactivation_bits(weights, loss), vote_bits(weights, loss, growth)
    for extra in EXTRA_BITS:
        yield write(draft, p + extra, v + extra)


def _assemble(draft: Draft, neurons: list[Neuron], bias: tuple[int, ...], units: _Units) -> Written:
    """The program of the neurons that vote at all and fire at some pair."""
    votes = np.array([any(neuron.votes) for neuron in neurons], dtype=bool)
    written, places = _assembled(draft, neurons, votes, bias, units)
    silent = silent_neurons(written.weights)
    if not silent.any():
        return written
    votes[[place for place, idle in zip(places, silent, strict=True) if idle]] = False
    return _assembled(draft, neurons, votes, bias, units)[0]


def _assembled(
    draft: Draft, neurons: list[Neuron], kept: npt.NDArray[np.bool_], bias: tuple[int, ...], units: _Units
) -> tuple[Written, list[int]]:
    """The program of some of the neurons, and where in the list each of its neurons stands."""
    used: dict[Subgroup, int] = {}
    for forms in (draft.left, draft.right, draft.votes):
        for form in (form for form, keep in zip(forms, kept, strict=True) if keep):
            for s in form.members:
                used.setdefault(s, len(used))
    circuits: dict[tuple[Form, Form, Form], list[int]] = {}
    for place in np.flatnonzero(kept).tolist():
        key = tuple(forms[place].numbered(used) for forms in (draft.left, draft.right, draft.votes))
        circuits.setdefault((key[0], key[1], key[2]), []).append(place)
    subgroups = tuple(used)
    program = Program(
        SQUARES if draft.activation == "square" else FORMAT,
        group_record(draft.lattice.group),
        tuple(subgroup_record(s) for s in subgroups),
        units.preactivation_bits,
        units.vote_bits,
        bias,
        tuple(Circuit(*key, tuple(neurons[place] for place in places)) for key, places in circuits.items()),
        units.scale_bits,
    )
    written = Written(program, subgroups, expand(program, draft.lattice.group, subgroups))
    return written, [place for places in circuits.values() for place in places]


def silent_neurons(weights: Weights) -> npt.NDArray[np.bool_]:
    """Which neurons are 0 at every pair: max l + max r <= 0; with squares l + r is 0 at every pair.

    The sign of a sum of two floats is right, so that floats which are exact say it; integers do where they are rounded.
    """
    if (weights.L_error > 0).any() or (weights.R_error > 0).any():
        return weights.exact().silent
    top, bottom = (getattr(weights.L, end)(axis=0) + getattr(weights.R, end)(axis=0) for end in ("max", "min"))
    return np.asarray((top <= 0) & ((bottom >= 0) | (weights.activation == "relu")))
