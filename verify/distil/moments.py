"""Second moments of hidden activations over all pairs: enough to compare the logits of two networks without their logits.

With h(x, y) the activations of some networks side by side (and a final 1 for the bias), M = mean over pairs of h h^T and V the
stacked votes centred over z (each network's with its sign), the mean over pairs of the squared difference of centred logits is

    sum over z of V[:, z]^T M V[:, z].

So one pass over the pairs prices every choice of votes and every removal of neurons. Measurement only: float32 sums, no verdict.
"""

import numpy as np

from net.activation import Activation, fired
from net.common_part import without_opposite_parts
from net.roundoff import Singles
from net.weights import Weights
from verify.distil.coset_fit import Floats

#: So many pairs are looked at together: their activations stay in the processor's cache, which takes half the time of larger blocks.
BLOCK = 1500

#: A sum that is a smaller part than this of its terms' absolute values is no longer known by moments in float32.
CANCELLED = 2.0**-8
#: Logits whose mean square is a smaller part than this of that of their terms' sums of absolute values are 0 but for rounding.
NOTHING = 2.0**-90


def activation_moments(*networks: Weights) -> Floats:
    """M = mean over pairs of [h_1, ..., h_k, 1] [h_1, ..., h_k, 1]^T, for networks over the same group, of one activation.

    Shape (m_1 + ... + m_k + 1, same). Complexity O(|G|^2 (sum of m)^2).
    """
    sides = [without_opposite_parts(w.L, w.R) for w in networks]
    left, right = (np.concatenate(side, axis=1, dtype=np.float32, casting="same_kind") for side in zip(*sides, strict=True))
    return activation_products(left, right, networks[0].activation, left.shape[1] + 1)


def activation_products(left: Singles, right: Singles, activation: Activation, kept: int) -> Floats:
    """The first ``kept`` rows of M for neurons with these preactivations, (|G|, m) each; the last column, and row, is that of 1.

    Float32 products, summed in float64 block by block; complexity O(|G|^2 kept m).
    """
    order, width = left.shape
    total = np.zeros((kept, width + 1))
    rows = max(1, BLOCK // order)
    of_x, of_y = np.ascontiguousarray(left.T), np.ascontiguousarray(right.T)  # long rows: sums run over pairs, not over neurons
    whole = np.ones((width + 1, min(rows, order), order), dtype=np.float32)
    for start in range(0, order, rows):
        block = of_x[:, start : start + rows]
        h = whole[:, : block.shape[1]]
        fired(np.add(block[:, :, None], of_y[:, None], out=h[:-1]), activation, out=h[:-1])
        flat = h.reshape(width + 1, -1)
        few = flat[:kept]
        total[:, :kept] += few @ few.T  # of the two products BLAS does half of this one
        total[:, kept:] += few @ flat[kept:].T
    return np.asarray(total / order**2)


def squared_activations(weights: Weights) -> Floats:
    """(m,) the mean over pairs of the square of each neuron's activation.

    With R sorted, sums of (l + r)^2 over the r above -l are differences of sums of r and r^2: O(m |G| log |G|). Squares of l + r are
    summed pair by pair, O(|G|^2 m).
    """
    order = weights.order
    if weights.activation == "square":
        total = np.zeros(weights.width)
        for row in weights.L:
            total += np.einsum("yi,yi->i", h := fired(row + weights.R, weights.activation), h)
        return np.asarray(total / order**2)
    found = np.empty(weights.width)
    for i, (left, right) in enumerate(zip(weights.L.T, np.sort(weights.R, axis=0).T, strict=True)):
        first = np.searchsorted(right, -left, side="right")
        # from the largest r downwards, less the largest: so that neurons that hardly fire lose no digits
        top = right[-1]
        below = np.append(np.cumsum((right - top)[::-1])[::-1], 0.0)[first]
        squares = np.append(np.cumsum(((right - top) ** 2)[::-1])[::-1], 0.0)[first]
        most = left + top
        found[i] = float(((order - first) * most**2 + 2 * most * below + squares).sum())
    return np.maximum(found, 0.0) / order**2


def centred(votes: Floats) -> Floats:
    """Votes (k, |G|) minus each row's mean over z: a common part of all logits changes no answer."""
    return np.asarray(votes - votes.mean(axis=1, keepdims=True))


def quadratic_form(moments: Floats, votes: Floats) -> float:
    """Sum over z of V[:, z]^T M V[:, z]; not below 0, where rounded moments would say so."""
    found = float(np.einsum("iz,iz->", votes, moments @ votes))
    return 0.0 if found < 0 else found


def logit_variance(weights: Weights, moments: Floats) -> float:
    """E |centred logits|^2 over all pairs, 0 where it is nothing but rounding; ``moments`` are ``activation_moments(weights)``.

    From all logits in float64 where the neurons nearly cancel one another: then O(|G|^3 m).
    """
    votes = centred(np.concatenate([weights.U, weights.b[None]]))
    terms = moments * (votes @ votes.T)
    found = float(terms.sum())
    if found > CANCELLED * float(np.abs(terms).sum()):
        return found
    total, gross = 0.0, 0.0
    for row in weights.L:
        hidden = np.append(fired(row + weights.R, weights.activation), np.ones((weights.order, 1)), axis=1)
        total += float(((hidden @ votes) ** 2).sum())
        gross += float(((hidden @ np.abs(votes)) ** 2).sum())
    return total / weights.order**2 if total > NOTHING * gross else 0.0
