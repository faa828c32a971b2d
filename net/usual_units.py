"""The units (`net.units`) in which the largest entries of a network are near one, so that floats can search it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from net.activation import degree
from net.units import Exponents, Units
from net.weights import dead_neurons

if TYPE_CHECKING:
    from net.dyadic import FloatMatrix
    from net.weights import Weights

#: Sizes within 2^-24 to 2^24 of one are usual: products of two then stay far inside float32, and networks keep their own units.
USUAL = 24
#: Neurons whose preactivations are 2^64 times smaller than the largest get units of their own: products of float32 would lose them.
APART = 64


def usual_units(weights: Weights) -> Units:
    """Units in which the largest entries of L and R, and of U or the bias, are near one; nothing is multiplied where they are usual.

    Neurons far smaller than the largest get units of their own. Dead neurons matter to nothing, so each is brought near one by itself.
    The bias counts without what all of its entries share (`Weights.scaled`). With squares it is the squares of L and R that are to be
    usual.
    """
    power = degree(weights.activation)
    x = power * np.maximum(_exponents(weights.L, 0), _exponents(weights.R, 0))
    u = _exponents(weights.U, 1)
    alive = ~dead_neurons(weights)
    inputs, votes = _unusual(x), _unusual(u)
    seen = alive & (x > _NONE) & (u > _NONE)
    total = 0
    if seen.any():
        apart = bool((x[seen] < x[seen].max() - APART).any())
        inputs[seen] = x[seen] if apart else _unusual(x[seen].max())
        total = int((u + inputs)[seen].max()) if apart else int(inputs[seen][0] + _unusual(u[seen].max()))
    bias = int(_exponents((weights.b / 2 - np.median(weights.b / 2))[:, None], 0)[0]) + 1
    total = bias if bias > total + USUAL else total
    lost = alive & ~seen  # so small that float64 has 0 in place of its weights
    inputs[lost] = np.where(u > _NONE, total - u, _unusual(x))[lost]
    inputs = inputs // power
    votes[alive] = total - power * inputs[alive]
    return Units(-inputs, -votes, -total, power)


def in_usual_units(weights: Weights) -> tuple[Weights, Units]:
    """The network in usual units, which floats can search, and these units; the network itself where it has them.

    A part of the bias that all outputs share is taken away where it is far larger than the logits.
    """
    units = usual_units(weights)
    common = int(_exponents(weights.b[:, None], 0)[0]) + units.logits > USUAL
    return (weights.scaled(units, common) if common or not units.own else weights), units


def beside(weights: Weights, units: Units) -> Weights:
    """Another network over the same group, a program, with logits in the units of a first one, its neurons near one each."""
    own = usual_units(weights)
    logits = units.logits
    other = Units(own.inputs, logits - own.degree * own.inputs, logits, own.degree)
    return weights if other.own else weights.scaled(other, drop_common_bias=True)


def _unusual(exponents: Exponents) -> Exponents:
    """Those that are not usual, 0 in place of the others and of those of 0."""
    return np.where((np.abs(exponents) > USUAL) & (exponents > _NONE), exponents, 0)


#: In place of the exponent of 0.
_NONE = -(1 << 20)


def _exponents(array: FloatMatrix, axis: int) -> Exponents:
    """The exponents of the largest absolute values along an axis."""
    largest = np.abs(array).max(axis=axis, initial=0.0)
    return np.where(largest > 0, np.frexp(largest)[1], _NONE).astype(np.int64)
