"""What a hidden neuron makes of its pre-activation: relu, or the square.

Absolute values are no case of their own: |p| = relu(p) + relu(-p), so such a network is read as one of relu with twice the neurons.
relu(t p) = t relu(p) and (t p)^2 = t^2 p^2 for t > 0, so integers over 2^p become activations over 2^(d p) with d = `degree`.
"""

from __future__ import annotations

from typing import Literal, TypeVar

import numpy as np
import numpy.typing as npt

Activation = Literal["relu", "square"]
Values = TypeVar("Values", bound=npt.NDArray[np.generic])


def degree(activation: Activation) -> int:
    """1 for relu, 2 for the square: the power of a positive factor that an activation carries on."""
    return 2 if activation == "square" else 1


def fired(preactivations: Values, activation: Activation, out: Values | None = None) -> Values:
    """The activations, entry by entry: floats or Python integers, into ``out`` where it is given.

    >>> fired(np.array([-2, 3]), "relu"), fired(np.array([-2, 3]), "square")
    (array([0, 3]), array([4, 9]))
    """
    if activation == "square":
        squares: Values = np.multiply(preactivations, preactivations, out=out)
        return squares
    positive: Values = np.maximum(preactivations, 0, out=out)
    return positive
