"""Noise on every preactivation of every pair: the share of pairs that are answered rightly then, and the loss, as far as float64 knows.

A preactivation is p = L + R + v with noise v, a float64, and computed as w in two sums: |w - p| <= u |w| + e with
e = e_i + u (1 + u) (max |L| + max |R|), for the notation of `verify.compare.bounded_logits`. So activations err by at most c u H + d:
with relu by c = 1 and d = e, and not at all where w <= -2 e, so that p < 0; with squares by c = 4 and d = 2 (|w| + e) e + 4 t.
Logits err as they do there.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from net.activation import degree, fired
from net.common_part import without_common_part
from net.roundoff import TINY64, U64, gamma, inflate
from net.units import Units
from net.usual_units import USUAL, in_usual_units
from net.weights import Weights
from verify.compare.loss import Losses
from verify.exact.scaled_integers import top_two


class Noisy(NamedTuple):
    """At least and at most so many pairs are answered rightly; the mean loss, NaN where rounding hides it."""

    least: int
    most: int
    loss: float


def noisy(weights: Weights, wanted: npt.NDArray[np.integer], mean: float, deviation: float, seed: int) -> Noisy:
    """What comes out when N(mean, deviation^2) is added to every preactivation of every pair, drawn by ``seed`` in float32.

    A pair counts whose unique argmax is in ``wanted``. Where the network's sizes are not usual, noise is multiplied out in float64, in
    units in which the larger of network and noise is near one. Complexity: O(|G|^3 m).
    """
    rng = np.random.default_rng(seed)
    scaled, units = in_usual_units(weights)
    power = degree(weights.activation)
    loudest = np.frexp(max(abs(mean), deviation))[1] + units.inputs if mean or deviation else np.zeros(weights.width)
    less = 0 if units.own else max(0, int(loudest.max(initial=0)) - USUAL)
    kind = np.dtype(np.float32 if units.own else np.float64)
    spread, centre = np.asarray(deviation, dtype=kind), np.asarray(mean, dtype=kind)
    network = _Network(scaled.scaled(Units.of(weights.width, -less, 0, power)) if less else scaled)
    losses, least, most = Losses(power * less - units.logits), 0, 0
    for x in range(weights.order):
        noise = np.asarray(rng.standard_normal(scaled.R.shape, dtype=np.float32), dtype=kind) * spread + centre
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            logits, error = network.logits(x, np.ldexp(noise.astype(np.float64), 0 if units.own else units.inputs - less))
        first, lead, _ = top_two(logits)
        decided, right = (lead > error) | (error == 0), (first == wanted[x]) & (lead > 0)
        least, most = least + int((decided & right).sum()), most + int((~decided | right).sum())
        losses.add(logits, error, wanted[x], lead, decided & (first == wanted[x]))
    return Noisy(least, most, losses.mean())


class _Network:
    """A network whose logits at pairs of one x are computed with noise, and bounded."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        self.votes, self.bias = without_common_part(weights.U), without_common_part(weights.b[None])[0]
        self.sizes, self.bias_size = np.abs(self.votes).max(axis=1, initial=0.0), float(np.abs(self.bias).max())
        largest = sum(np.abs(side).max(axis=0, initial=0.0) for side in (weights.L, weights.R))
        self.change = (weights.L_error + weights.R_error + U64 * largest) * inflate(8) + TINY64  # that of noise in other units

    def logits(self, x: int, noise: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Logits (|G|, |G|) of the pairs (x, y), and bounds (|G|,) of the errors of their differences."""
        weights, e, terms = self.weights, self.change, self.weights.width + 1
        sums = weights.L[x] + weights.R + noise
        hidden = fired(sums, weights.activation)
        if weights.activation == "relu":
            off = np.where(sums > -2 * e, e, 0.0)
        else:
            off = 2 * (np.abs(sums) + e) * e + 4 * TINY64
        logits = hidden @ self.votes + self.bias
        rounded = gamma(terms + 8, U64) * (hidden @ self.sizes + self.bias_size) + terms * TINY64
        active = (hidden.any(axis=1) | off.any(axis=1)) & self.sizes.any()
        error = np.where(active, rounded, 0.0) + off @ (self.sizes + weights.U_error)
        error = 2 * (error + weights.U_error * hidden.sum(axis=1) + weights.b_error) * inflate(terms + 8)
        lost = ~np.isfinite(error)
        logits[lost], error[lost] = 0.0, np.inf
        return logits, error
