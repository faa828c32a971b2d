"""Folded weights: float64 arrays with a proved error bound, and the exact integers behind them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from net.dyadic import Dyadic, dyadic

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from net.dyadic import FloatMatrix, IntegerMatrix

#: Unit roundoff of float64 and half of its least positive number (Higham, Accuracy and Stability, 2nd ed.,
#: 2.1).
UNIT = 2.0**-53
TINY = 2.0**-1074


@dataclass(frozen=True, eq=False)
class ExactWeights:
    """Object arrays of Python ints: L / 2^p and R / 2^p (n, m), U / 2^v (m, n), b / 2^(p+v) (n,)."""

    L: IntegerMatrix
    R: IntegerMatrix
    U: IntegerMatrix
    b: IntegerMatrix
    preactivation_bits: int
    vote_bits: int

    def logits(self, x: int, y: int) -> IntegerMatrix:
        """Logits at (x, y) as integers over 2^(p + v): sum_i max(L[x, i] + R[y, i], 0) U[i, :] + b."""
        hidden = np.maximum(self.L[x] + self.R[y], 0)
        return np.asarray(hidden @ self.U + self.b, dtype=object)

    def select(self, neurons: np.ndarray[Any, np.dtype[np.intp]]) -> ExactWeights:
        """The network that keeps these neurons, in this order."""
        return ExactWeights(
            self.L[:, neurons],
            self.R[:, neurons],
            self.U[neurons],
            self.b,
            self.preactivation_bits,
            self.vote_bits,
        )

    def permuted(self, elements: np.ndarray[Any, np.dtype[np.intp]]) -> ExactWeights:
        """The network whose element k is element `elements[k]` of this one, as input and as output."""
        return ExactWeights(
            self.L[elements],
            self.R[elements],
            self.U[:, elements],
            self.b[elements],
            self.preactivation_bits,
            self.vote_bits,
        )

    def exchanged(self) -> ExactWeights:
        """The network that does at (x, y) what this one does at (y, x)."""
        return ExactWeights(self.R, self.L, self.U, self.b, self.preactivation_bits, self.vote_bits)

    def scaled(self, inputs: int, votes: int) -> ExactWeights:
        """The network with L and R times 2^inputs, U times 2^votes and b times 2^(inputs + votes)."""
        p, v = max(0, self.preactivation_bits - inputs), max(0, self.vote_bits - votes)
        more, further = p - self.preactivation_bits + inputs, v - self.vote_bits + votes
        return ExactWeights(self.L * (1 << more), self.R * (1 << more), self.U * (1 << further), self.b * (1 << (more + further)), p, v)


def exact_weights(left: Dyadic, right: Dyadic, unembedding: Dyadic, bias: Dyadic) -> ExactWeights:
    """The four arrays over common denominators, the least ones: 2^p for L and R, 2^v for U, 2^(p+v) for b."""
    preactivation = max(left.bits, right.bits)
    vote = max(unembedding.bits, bias.bits - preactivation)
    return ExactWeights(
        left.at(preactivation),
        right.at(preactivation),
        unembedding.at(vote),
        bias.at(preactivation + vote),
        preactivation,
        vote,
    )


@dataclass(frozen=True, eq=False)
class Weights:
    """logits(x, y) = relu(L[x] + R[y]) @ U + b, as float64 arrays near the exact ones.

    Attributes:
        L, R: (n, m) pre-activation contributions of the left and the right argument.
        U, b: (m, n) votes and (n,) bias.
        L_error, R_error: (m,) upper bounds of |float64 - exact| over each column.
        U_error, b_error: upper bounds of |float64 - exact| over all entries.
        make_exact: computes the exact integers; called once, by `exact`.

    """

    L: FloatMatrix
    R: FloatMatrix
    U: FloatMatrix
    b: FloatMatrix
    L_error: FloatMatrix
    R_error: FloatMatrix
    U_error: float
    b_error: float
    make_exact: Callable[[], ExactWeights] = field(repr=False)

    def __post_init__(self) -> None:
        for array in (self.L, self.R, self.U, self.b, self.L_error, self.R_error):
            array.setflags(write=False)

    @property
    def order(self) -> int:
        """Number n of group elements."""
        return len(self.L)

    @property
    def width(self) -> int:
        """Number m of hidden neurons."""
        return int(self.L.shape[1])

    @property
    def constants(self) -> int:
        """Number of folded parameters: 2nm + mn, and n more when there is a bias."""
        return self.L.size + self.R.size + self.U.size + (self.b.size if self.b.any() else 0)

    def exact(self) -> ExactWeights:
        """The exact weights (computed at the first call, then kept)."""
        return self._exact

    @cached_property
    def _exact(self) -> ExactWeights:
        return self.make_exact()

    def logits(self, x: Any, y: Any) -> FloatMatrix:
        """Float64 logits (..., n) for index arrays x and y of one shape: for searching, not for verdicts."""
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray(np.maximum(self.L[x] + self.R[y], 0) @ self.U + self.b)

    def select(self, neurons: Sequence[int] | np.ndarray[Any, Any]) -> Weights:
        """The network that keeps these neurons (indices or a boolean mask), in this order."""
        kept = indices(self.width, neurons)
        return Weights(
            self.L[:, kept],
            self.R[:, kept],
            self.U[kept],
            self.b,
            self.L_error[kept],
            self.R_error[kept],
            self.U_error,
            self.b_error,
            lambda: self.exact().select(kept),
        )

    def without(self, neurons: Sequence[int] | np.ndarray[Any, Any]) -> Weights:
        """The network without these neurons (indices or a boolean mask)."""
        return self.select(np.delete(np.arange(self.width), indices(self.width, neurons)))

    def permuted(self, elements: np.ndarray[Any, Any]) -> Weights:
        """The network whose element k is element `elements[k]` of this one, as input and as output."""
        elements = np.asarray(elements)
        return Weights(
            self.L[elements],
            self.R[elements],
            self.U[:, elements],
            self.b[elements],
            self.L_error,
            self.R_error,
            self.U_error,
            self.b_error,
            lambda: self.exact().permuted(elements),
        )

    def exchanged(self) -> Weights:
        """The network that does at (x, y) what this one does at (y, x): L and R change places."""
        return Weights(
            self.R,
            self.L,
            self.U,
            self.b,
            self.R_error,
            self.L_error,
            self.U_error,
            self.b_error,
            lambda: self.exact().exchanged(),
        )

    def scaled(self, inputs: int, votes: int) -> Weights:
        """The network with L and R times 2^inputs, U times 2^votes and b times 2^(inputs + votes): the same answers.

        Where the float64 arrays do not overflow: a product with a power of two is exact, or errs by at most 2^-1074 where it
        underflows.
        """
        both = inputs + votes
        with np.errstate(under="ignore"):
            return Weights(
                np.ldexp(self.L, inputs),
                np.ldexp(self.R, inputs),
                np.ldexp(self.U, votes),
                np.ldexp(self.b, both),
                _scaled_error(self.L_error, inputs),
                _scaled_error(self.R_error, inputs),
                float(_scaled_error(self.U_error, votes)),
                float(_scaled_error(self.b_error, both)),
                lambda: self.exact().scaled(inputs, votes),
            )

    def unusual_scale(self) -> tuple[int, int]:
        """(i, v): the exponents of the largest |L|, |R| and of the largest |U|, or 0 in place of those within 2^-24 to 2^24.

        Networks with (0, 0) can be searched in float32 as they are; others are scaled by (-i, -v) first.
        """
        inputs = max(float(np.abs(self.L).max(initial=0.0)), float(np.abs(self.R).max(initial=0.0)))
        votes = float(np.abs(self.U).max(initial=0.0))
        exponents = (math.frexp(value)[1] if value else 0 for value in (inputs, votes))
        i, v = (0 if abs(exponent) <= 24 else exponent for exponent in exponents)
        return i, v

    @classmethod
    def from_arrays(cls, L: Any, R: Any, U: Any, b: Any | None = None) -> Weights:
        """The weights that these float arrays (up to float64) state exactly; all errors are 0."""
        left, right, votes = (np.array(array, dtype=np.float64) for array in (L, R, U))
        bias = np.zeros(len(left)) if b is None else np.array(b, dtype=np.float64)
        none = np.zeros(left.shape[1])
        return cls(
            left,
            right,
            votes,
            bias,
            none,
            none,
            0.0,
            0.0,
            lambda: exact_weights(dyadic(left), dyadic(right), dyadic(votes), dyadic(bias)),
        )

    @classmethod
    def from_integers(cls, L: Any, R: Any, U: Any, b: Any | None, preactivation_bits: int, vote_bits: int) -> Weights:
        """Weights L / 2^p, R / 2^p, U / 2^v, b / 2^(p+v) from integer arrays, p and v >= 0.

        The float64 arrays are the correctly rounded quotients, so an entry x errs by at most 2^-53 |x| +
        2^-1075 and not at all when the integer is below 2^53 in absolute value and p, v are below 1000.

        Raises:
            OverflowError: a quotient is beyond the largest float64.

        """
        integers = [np.asarray(array).astype(object) for array in (L, R, U)]
        bias = np.zeros(len(integers[0]), dtype=object) if b is None else np.asarray(b).astype(object)
        exact = ExactWeights(integers[0], integers[1], integers[2], bias, preactivation_bits, vote_bits)
        left, left_error = _rounded(exact.L, preactivation_bits)
        right, right_error = _rounded(exact.R, preactivation_bits)
        votes, votes_error = _rounded(exact.U, vote_bits)
        rounded_bias, bias_error = _rounded(exact.b, preactivation_bits + vote_bits)
        return cls(
            left,
            right,
            votes,
            rounded_bias,
            left_error.max(axis=0, initial=0.0),
            right_error.max(axis=0, initial=0.0),
            float(votes_error.max(initial=0.0)),
            float(bias_error.max(initial=0.0)),
            lambda: exact,
        )


def _scaled_error(error: Any, exponent: int) -> Any:
    return np.ldexp(error, exponent) + (TINY if exponent < 0 else 0.0)


def indices(width: int, neurons: Sequence[int] | np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.intp]]:
    """Indices of neurons, from indices or from a boolean mask of length `width`."""
    return np.arange(width)[np.asarray(neurons)] if len(neurons) else np.zeros(0, dtype=np.intp)


def _rounded(integers: IntegerMatrix, bits: int) -> tuple[FloatMatrix, FloatMatrix]:
    """The quotients integers / 2^bits, rounded to nearest, and an upper bound of each entry's rounding error.

    Dividing Python ints rounds correctly; twice the unit roundoff times the ROUNDED quotient covers u |x|.
    """
    denominator = 1 << bits
    values = np.frompyfunc(lambda integer: integer / denominator, 1, 1)(integers).astype(np.float64)
    small = np.frompyfunc(lambda integer: abs(integer) < 1 << 53, 1, 1)(integers).astype(bool)
    exact = small if bits < 1000 else np.zeros(integers.shape, dtype=bool)
    return values, np.where(exact, 0.0, 2 * UNIT * np.abs(values) + TINY)


def dead_neurons(weights: Weights) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Neurons that cannot change an answer: max L + max R <= 0 with the error bounds added, or outgoing weights all equal."""
    top = weights.L.max(axis=0) + weights.R.max(axis=0)
    slack = weights.L_error + weights.R_error
    flat = (np.ptp(weights.U, axis=1) == 0) & (weights.U_error == 0)
    # the sign of a rounded sum is exact; the two factors cover the rounding of sum and slack where there is a slack
    return np.asarray((top * (1 - 2.0**-50) <= -slack * (1 + 2.0**-50)) | flat)
