"""Surgery on a network: interventions that network and program undergo alike, on the exact weights.

Each takes ``Weights`` and gives ``Weights``: float64 arrays with their error bounds and, when asked for, the exact integers.
Sources of the interventions: Stander et al. 2024, section 5.5 and table of interventions; Chughtai et al. 2023, section 5.
"""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from net.activation import degree, fired
from net.dyadic import dyadic
from net.errors import MalformedInput
from net.folded import FoldedNetwork, fold
from net.roundoff import U64
from net.weights import ExactWeights, Weights

Surgery = Callable[[Weights], Weights]


def remove(neurons: npt.NDArray[np.intp]) -> Surgery:
    """Zero ablation: the network without these neurons."""
    return lambda weights: weights.without(neurons)


def flip_signs(left: bool, right: bool) -> Surgery:
    """L -> -L and/or R -> -R: the preactivations' signs changed on one input or on both."""
    a, b = (-1 if left else 1), (-1 if right else 1)

    def operate(weights: Weights) -> Weights:
        def exact() -> ExactWeights:
            e = weights.exact()
            return replace(e, L=a * e.L, R=b * e.R)

        return replace(weights, L=a * weights.L, R=b * weights.R, make_exact=exact)

    return operate


def absolute_value(weights: Weights) -> Weights:
    """|.| for relu, as a relu network of twice the width: |a| = relu(a) + relu(-a)."""

    def exact() -> ExactWeights:
        e = weights.exact()
        return replace(
            e,
            L=np.concatenate([e.L, -e.L], axis=1),
            R=np.concatenate([e.R, -e.R], axis=1),
            U=np.concatenate([e.U, e.U]),
        )

    return replace(
        weights,
        L=np.concatenate([weights.L, -weights.L], axis=1),
        R=np.concatenate([weights.R, -weights.R], axis=1),
        U=np.concatenate([weights.U, weights.U]),
        L_error=np.tile(weights.L_error, 2),
        R_error=np.tile(weights.R_error, 2),
        make_exact=exact,
    )


def exchange_inputs(weights: Weights) -> Weights:
    """Embeddings and halves of the hidden matrix both swapped: a right network then answers yx.

    yx = xy for a share (number of conjugacy classes) / |G| of all pairs.
    """
    return weights.exchanged()


#: Noise is rounded to multiples of 2^-NOISE_BITS, so that the perturbed network has exact weights too.
NOISE_BITS = 24


def add_noise(mean: float, deviation: float, seed: int) -> Surgery:
    """Noise on L and R, drawn once per element and neuron, such that each preactivation L[x] + R[y] moves by N(mean, deviation^2).

    L moves by N(mean, deviation^2 / 2), R by N(0, deviation^2 / 2); numpy's default generator with ``seed``, L first; rounded to
    multiples of 2^-24, which a float64 of at least 2^29 is already, and kept within the largest float64.
    """

    def operate(weights: Weights) -> Weights:
        rng = np.random.default_rng(seed)
        spread = abs(deviation) / 2**0.5  # numpy takes -0.0 for a negative number
        left, right = (_rounded(rng.normal(centre, spread, weights.L.shape)) for centre in (mean, 0.0))

        def exact() -> ExactWeights:
            e = weights.exact()
            bits = max(e.preactivation_bits, NOISE_BITS)
            old = 1 << (bits - e.preactivation_bits)
            shifted = [a * old + dyadic(n).at(bits) for a, n in ((e.L, left), (e.R, right))]
            return replace(e, L=shifted[0], R=shifted[1], b=e.b * old ** degree(e.activation), preactivation_bits=bits)

        with np.errstate(over="ignore"):  # what is beyond float64 has an infinite error, and is left to integers
            moved = [weights.L + left, weights.R + right]
        errors = [
            e + 2 * U64 * np.abs(a).max(axis=0, initial=0.0) for e, a in ((weights.L_error, moved[0]), (weights.R_error, moved[1]))
        ]
        return replace(weights, L=moved[0], R=moved[1], L_error=errors[0], R_error=errors[1], make_exact=exact)

    return operate


def _rounded(noise: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The nearest multiples of 2^-NOISE_BITS within float64."""
    large = np.abs(noise) >= 2.0**29
    rounded = np.ldexp(np.rint(np.ldexp(np.where(large, 0.0, noise), NOISE_BITS)), -NOISE_BITS)
    most = np.finfo(np.float64).max
    return np.asarray(np.where(large, np.clip(noise, -most, most), rounded))


def set_to_mean(neurons: npt.NDArray[np.intp]) -> Surgery:
    """Mean ablation: each of these neurons is replaced by its mean activation over all pairs, which moves into the bias.

    The mean is computed in float64 and rounded to a multiple of 2^-p, p the network's own preactivation bits (2^-2p with squares).
    """

    def operate(weights: Weights) -> Weights:
        e, index = weights.exact(), np.asarray(neurons, dtype=np.intp)
        hidden_bits = degree(e.activation) * e.preactivation_bits
        units = np.array([round(_mean_activation(weights, i) * (1 << hidden_bits)) for i in index], dtype=object)
        bias = e.b + (units @ e.U[index] if len(index) else 0)
        kept = np.delete(np.arange(weights.width), index)
        rest = e.select(kept)
        return Weights.from_integers(rest.L, rest.R, rest.U, bias, e.preactivation_bits, e.vote_bits, e.activation)

    return operate


def _mean_activation(weights: Weights, neuron: int) -> Fraction:
    """The mean in float64, of a neuron multiplied by a power of two so that nothing overflows."""
    left, right = weights.L[:, neuron], weights.R[:, neuron]
    exponent = int(np.frexp(max(np.abs(left).max(), np.abs(right).max()))[1])
    with np.errstate(under="ignore"):
        sums = np.ldexp(left, -exponent)[:, None] + np.ldexp(right, -exponent)
    return Fraction(float(fired(sums, weights.activation).mean())) * Fraction(2) ** (exponent * degree(weights.activation))


def has_embeddings(network: FoldedNetwork) -> bool:
    """Whether the network's file holds two embeddings of one length, so that they can be swapped."""
    layers = network.layers
    if layers is None or any(len(chain) > 1 for chain in (*layers.left_added, *layers.right_added)):
        return False
    return len(layers.left) == len(layers.right) == 2 and layers.left[0].shape == layers.right[0].shape


def embeddings_swapped(network: FoldedNetwork) -> Weights:
    """Embeddings swapped, halves of the hidden matrix kept: L = E_right A and R = E_left B for L = E_left A and R = E_right B.

    Raises:
        MalformedInput: the network was not read from a file, or from one with folded weights or embeddings of two lengths.

    """
    layers = network.layers
    if layers is None or network.convention is None or not has_embeddings(network):
        raise MalformedInput("expected a network with two embeddings of one length in its file, got folded or unequal ones")
    (left, first), (right, second) = layers.left, layers.right
    swapped = replace(layers, left=(right, first), right=(left, second))
    weights = fold(swapped, network.group, network.source).weights.permuted(np.argsort(network.convention.numbering))
    return weights.exchanged() if network.convention.product == "right-first" else weights
