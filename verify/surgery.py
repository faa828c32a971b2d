"""Surgery on a network: interventions that network and program undergo alike, on the exact weights.

Each takes ``Weights`` and gives ``Weights``: float64 arrays with their error bounds and, when asked for, the exact integers.
Sources of the interventions: Stander et al. 2024, section 5.5 and table of interventions; Chughtai et al. 2023, section 5.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

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
