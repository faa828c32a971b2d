"""Folding: L = W_x @ W[:d] and R = W_y @ W[d:], exactly and in float64 with a proved bound.

The statement about deployment that a folded network supports is about this float32 forward pass: one dot
product of `preactivation_terms` products for each pre-activation (both embeddings of length d against the two
halves of the hidden matrix, 2d products in all), relu, then one dot product of `logit_terms` products for
each logit (m neurons, and the bias as one more). In any order of summation, with or without fused
multiply-add, each errs by at most gamma_k times the sum of the products' absolute values plus the underflow
term, with gamma_k = k u / (1 - k u), u = 2^-24 (Higham, Accuracy and Stability of Numerical Algorithms, 2nd
ed., 3.1).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from net.dyadic import Dyadic, dyadic, product
from net.errors import MalformedInput
from net.roundoff import TINY64, U64, gamma
from net.weights import ExactWeights, Weights, exact_weights, indices

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from algebra.group import FiniteGroup
    from net.convention import Convention
    from net.dyadic import FloatMatrix
    from net.formats.layers import Layers
    from net.formats.reading import Reading

#: No intermediate of the float32 forward pass may reach this (the largest float32 is just below 2^128).
FLOAT32_LIMIT = 2.0**126
#: A dot product of the float32 forward pass has fewer terms than this, so that k u is below 1/2 in gamma_k.
FLOAT32_TERMS = 2**23


@dataclass(frozen=True)
class Source:
    """Where a network came from.

    Attributes:
        path, sha256: the file and the digest of its bytes.
        format: name of the published layout.
        dtype: precision of the stored weights, such as "float32".
        parameters: number of stored weights of this network.
        details: what else the file or a `cfg.json` beside it says: settings, epoch, seed.
        container: kind of file, such as "safetensors".
        rewritten: the same tensors as a safetensors file, where the checker could not read this one; else None. A certificate is
            about these bytes then.
        reading: which tensor is what, where the names are not those of a published layout.
        skipped: what the file holds beside the network's tensors: buffers, and keys with the state of an optimiser.
        activation_taken: whether the activation was taken, since neither the file nor one beside it names it.

    """

    path: Path
    sha256: str
    format: str
    dtype: str
    parameters: int
    details: dict[str, object]
    container: str = "safetensors"
    rewritten: bytes | None = field(default=None, repr=False)
    reading: Reading | None = None
    skipped: tuple[str, ...] = ()
    activation_taken: bool = False

    @property
    def certified_sha256(self) -> str:
        """Digest of the bytes that a certificate is about: those of the file, or of `rewritten`."""
        return self.sha256 if self.rewritten is None else hashlib.sha256(self.rewritten).hexdigest()


@dataclass(frozen=True, eq=False)
class FoldedNetwork:
    """A network over a group, in the group's own element order and left-first product.

    Attributes:
        weights: logits(x, y) = relu(L[x] + R[y]) @ U + b.
        convention: how the checkpoint numbers the elements, and the product it has in mind.
        source: None for a network that was not read from a file.
        L_abs, R_abs: (n, m) upper bounds of the sums of absolute products behind L and R.
        preactivation_terms, logit_terms: lengths of the two dot products of the float32 forward pass, or None
            where no statement about float32 is made: weights that are no float32 numbers, a bias between relu
            and unembedding, or sums that could overflow.
        layers: the layers in the file, in its own numbering; None for a network that was not read from a file, or of which
            neurons were removed.

    """

    group: FiniteGroup
    weights: Weights
    convention: Convention | None
    source: Source | None
    L_abs: FloatMatrix
    R_abs: FloatMatrix
    preactivation_terms: int | None
    logit_terms: int | None
    layers: Layers | None = None

    @property
    def width(self) -> int:
        """Number of hidden neurons."""
        return self.weights.width

    def select(self, neurons: Sequence[int] | npt.NDArray[np.integer | np.bool_]) -> FoldedNetwork:
        """The network that keeps these neurons (indices or a boolean mask), in this order."""
        kept = indices(self.width, neurons)
        weights, L_abs, R_abs = self.weights.select(kept), self.L_abs[:, kept], self.R_abs[:, kept]
        return replace(self, weights=weights, L_abs=L_abs, R_abs=R_abs, layers=None)

    def without(self, neurons: Sequence[int] | npt.NDArray[np.integer | np.bool_]) -> FoldedNetwork:
        """The network without these neurons (indices or a boolean mask)."""
        return self.select(np.delete(np.arange(self.width), indices(self.width, neurons)))

    def permuted(self, elements: npt.NDArray[np.integer]) -> FoldedNetwork:
        """The network whose element k is element `elements[k]` of this one."""
        return replace(
            self,
            weights=self.weights.permuted(elements),
            L_abs=self.L_abs[elements],
            R_abs=self.R_abs[elements],
        )

    def exchanged(self) -> FoldedNetwork:
        """The network that does at (x, y) what this one does at (y, x)."""
        return replace(self, weights=self.weights.exchanged(), L_abs=self.R_abs, R_abs=self.L_abs)


def folded_network(group: FiniteGroup, weights: Weights) -> FoldedNetwork:
    """A network given by folded weights: pre-activations are single additions, L_abs = |L| and R_abs = |R|.

    The float32 statement is made when the float64 arrays are the exact weights and float32 numbers.
    """
    arrays = (weights.L, weights.R, weights.U, weights.b)
    stated = weights.activation == "relu"
    stated = stated and not (weights.L_error.any() or weights.R_error.any() or weights.U_error or weights.b_error)
    with np.errstate(over="ignore"):
        stated = stated and all(np.array_equal(array.astype(np.float32), array) for array in arrays)
    L_abs, R_abs = np.abs(weights.L), np.abs(weights.R)
    stated = stated and not _may_overflow(L_abs, R_abs, weights)
    terms = (2, weights.width + bool(weights.b.any())) if stated else (None, None)
    return FoldedNetwork(group, weights, None, None, L_abs, R_abs, *terms)


def fold(layers: Layers, group: FiniteGroup, source: Source | None) -> FoldedNetwork:
    """The layers folded, still in the checkpoint's own numbering and product.

    Raises:
        MalformedInput: a folded weight is beyond the largest float64.

    """
    with np.errstate(over="ignore", invalid="ignore"):
        L, L_abs, L_error = _side_with_bounds(layers.left, layers.left_added)
        R, R_abs, R_error = _side_with_bounds(layers.right, layers.right_added)
        U, U_abs, U_error = _product_with_bounds(_votes(layers))
        b, b_error = _output_bias(layers)
    if not all(np.isfinite(array).all() for array in (L_abs, R_abs, U_abs, b)):
        raise MalformedInput("expected weights whose products stay within float64, got a product that overflows")
    weights = Weights(
        L,
        R,
        U,
        b,
        L_error.max(axis=0),
        R_error.max(axis=0),
        float(U_error.max()),
        b_error,
        partial(_exact, layers),
        layers.activation,
    )
    one_product = layers.activation == "relu" and layers.after_relu is None and layers.through is None
    terms = layers.preactivation_terms, layers.logit_terms
    stated = layers.in_float32() and one_product and max(terms) < FLOAT32_TERMS and not _may_overflow(L_abs, R_abs, weights)
    preactivation_terms, logit_terms = terms if stated else (None, None)
    return FoldedNetwork(group, weights, None, source, L_abs, R_abs, preactivation_terms, logit_terms, layers)


def _votes(layers: Layers) -> tuple[FloatMatrix, ...]:
    return (layers.unembedding,) if layers.through is None else (layers.unembedding, layers.through)


def _exact(layers: Layers) -> ExactWeights:
    left, right = _exact_side(layers.left, layers.left_added), _exact_side(layers.right, layers.right_added)
    votes = _exact_product(_votes(layers))
    bias = _exact_bias(layers)
    return exact_weights(left, right, votes, Dyadic(bias.integers[0], bias.bits), layers.activation)


def _exact_product(factors: tuple[FloatMatrix, ...]) -> Dyadic:
    return dyadic(factors[0]) if len(factors) == 1 else product(*factors)


def _exact_side(factors: tuple[FloatMatrix, ...], added: tuple[tuple[FloatMatrix, ...], ...]) -> Dyadic:
    total = _exact_product(factors)
    for chain in added:
        total = _sum(total, _exact_product((chain[0][None, :], *chain[1:])))
    return total


def _sum(a: Dyadic, b: Dyadic) -> Dyadic:
    """The sum of two matrices; a single row is added to every row of the other."""
    bits = max(a.bits, b.bits)
    return Dyadic(a.at(bits) + b.at(bits), bits)


def _exact_bias(layers: Layers) -> Dyadic:
    """The one row that is added to the logits."""
    total = Dyadic(np.zeros((1, _votes(layers)[-1].shape[1]), dtype=object), 0)
    if layers.bias is not None:
        total = dyadic(layers.bias[None, :])
    if layers.middle is not None and layers.through is not None:
        total = _sum(total, product(layers.middle[None, :], layers.through))
    if layers.after_relu is not None:
        after, votes = dyadic(layers.after_relu[None, :]), _exact_product(_votes(layers))
        total = _sum(total, Dyadic(after.integers @ votes.integers, after.bits + votes.bits))
    return total


def _side_with_bounds(
    factors: tuple[FloatMatrix, ...], added: tuple[tuple[FloatMatrix, ...], ...]
) -> tuple[FloatMatrix, FloatMatrix, FloatMatrix]:
    """As `_product_with_bounds`, with the rows that are added.

    A sum errs by at most 2^-53 of the sum of the absolute values, which M bounds once both are in it; 4 in place of 1 covers the
    roundings of M and E themselves.
    """
    P, M, E = _product_with_bounds(factors)
    for chain in added:
        row, size, error = _product_with_bounds((chain[0][None, :], *chain[1:]))
        P, M = P + row, (M + size) * (1 + 4 * U64)
        E = E + error + 4 * U64 * M
    return P, M, E


def _product_with_bounds(factors: tuple[FloatMatrix, ...]) -> tuple[FloatMatrix, FloatMatrix, FloatMatrix]:
    """(P, M, E): the product in float64, M >= |A| |B|, and E >= |P - AB|, entrywise.

    Higham 3.1, with d the inner dimension and g = gamma_d (net/roundoff.py) for u = 2^-53: |P - AB| <= g |A||B| + d 2^-1075,
    the last term for products that underflow. The computed S of |A||B| errs by as much, so |A||B| is at most
    (S + d 2^-1075) / (1 - g), and 1 + 8g covers that quotient and the roundings of this function's own lines.
    """
    if len(factors) == 1:
        return factors[0].copy(), np.abs(factors[0]), np.zeros_like(factors[0])
    left, right = factors
    inner = left.shape[1]
    factor = gamma(inner, U64)
    magnitude = (np.abs(left) @ np.abs(right)) * (1 + 8 * factor) + 2 * inner * TINY64
    return left @ right, magnitude, 2 * factor * magnitude + 2 * inner * TINY64


def _output_bias(layers: Layers) -> tuple[FloatMatrix, float]:
    """What is added to the logits in float64, and a bound of its largest error.

    Where it is more than one stored vector the exact numbers are rounded, so each errs by at most 2^-53 of itself and an underflow.
    """
    n = _votes(layers)[-1].shape[1]
    if layers.after_relu is None and layers.middle is None:
        return (np.zeros(n) if layers.bias is None else layers.bias.copy()), 0.0
    exact = _exact_bias(layers)
    try:
        rounded = np.array([int(integer) / (1 << exact.bits) for integer in exact.integers[0]])
    except OverflowError:
        return np.full(n, np.inf), 0.0
    return rounded, float(2 * U64 * np.abs(rounded).max(initial=0.0) + TINY64)


def _may_overflow(L_abs: FloatMatrix, R_abs: FloatMatrix, weights: Weights) -> bool:
    """Whether some sum of absolute products of the forward pass could reach FLOAT32_LIMIT."""
    with np.errstate(over="ignore"):
        hidden = L_abs.max(axis=0) + R_abs.max(axis=0)
        largest = hidden @ np.abs(weights.U) + np.abs(weights.b)
    return not (hidden.max(initial=0.0) < FLOAT32_LIMIT and largest.max(initial=0.0) < FLOAT32_LIMIT)
