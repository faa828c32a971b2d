"""Folded weights: float64 arrays with a proved error bound, and the exact integers behind them."""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from net.activation import Activation, degree, fired
from net.dyadic import Dyadic, dyadic
from net.roundoff import TINY64, U64

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from net.dyadic import FloatMatrix, IntegerMatrix
    from net.units import Units


@dataclass(frozen=True, eq=False)
class ExactWeights:
    """Object arrays of Python ints: L / 2^p and R / 2^p (n, m), U / 2^v (m, n), b / 2^(d p + v) (n,), d the activation's degree."""

    L: IntegerMatrix
    R: IntegerMatrix
    U: IntegerMatrix
    b: IntegerMatrix
    preactivation_bits: int
    vote_bits: int
    activation: Activation = "relu"

    @property
    def logit_bits(self) -> int:
        """Logits and the bias are integers over 2 to this power: p + v, or 2p + v where the activation is the square."""
        return degree(self.activation) * self.preactivation_bits + self.vote_bits

    def logits(self, x: int, y: int) -> IntegerMatrix:
        """Logits at (x, y) as integers over 2^logit_bits: sum_i activation(L[x, i] + R[y, i]) U[i, :] + b."""
        hidden = fired(self.L[x] + self.R[y], self.activation)
        return np.asarray(hidden @ self.U + self.b, dtype=object)

    @property
    def silent(self) -> npt.NDArray[np.bool_]:
        """Neurons whose activation is 0 at every pair."""
        top = self.L.max(axis=0) + self.R.max(axis=0)
        if self.activation == "square":
            return np.asarray((top == 0) & (self.L.min(axis=0) + self.R.min(axis=0) == 0), dtype=bool)
        return np.asarray(top <= 0, dtype=bool)

    def select(self, neurons: npt.NDArray[np.intp]) -> ExactWeights:
        """The network that keeps these neurons, in this order."""
        return replace(self, L=self.L[:, neurons], R=self.R[:, neurons], U=self.U[neurons])

    def permuted(self, elements: npt.NDArray[np.integer]) -> ExactWeights:
        """The network whose element k is element `elements[k]` of this one, as input and as output."""
        return replace(self, L=self.L[elements], R=self.R[elements], U=self.U[:, elements], b=self.b[elements])

    def exchanged(self) -> ExactWeights:
        """The network that does at (x, y) what this one does at (y, x)."""
        return replace(self, L=self.R, R=self.L)

    def scaled(self, units: Units) -> ExactWeights:
        """The network times powers of two (`net.units`), over the least denominators."""
        p, v = units.denominators(self.preactivation_bits, self.vote_bits)
        inputs, votes = _powers(p - self.preactivation_bits + units.inputs), _powers(v - self.vote_bits + units.votes)
        bias = 1 << (units.degree * p + v - self.logit_bits + units.logits)
        return ExactWeights(self.L * inputs, self.R * inputs, self.U * votes[:, None], self.b * bias, p, v, self.activation)

    def without_common_bias(self, output: int) -> ExactWeights:
        """The network whose bias has this output's entry less: 0 there, the same margins, the same answers."""
        return replace(self, b=np.asarray(self.b - self.b[output], dtype=object))


def _powers(exponents: npt.NDArray[np.int64]) -> IntegerMatrix:
    return np.array([1 << e for e in exponents.tolist()], dtype=object)


def exact_weights(left: Dyadic, right: Dyadic, unembedding: Dyadic, bias: Dyadic, activation: Activation = "relu") -> ExactWeights:
    """The four arrays over common denominators, the least ones: 2^p for L and R, 2^v for U, 2^(d p + v) for b."""
    preactivation = max(left.bits, right.bits)
    hidden = degree(activation) * preactivation
    vote = max(unembedding.bits, bias.bits - hidden)
    return ExactWeights(
        left.at(preactivation),
        right.at(preactivation),
        unembedding.at(vote),
        bias.at(hidden + vote),
        preactivation,
        vote,
        activation,
    )


@dataclass(frozen=True, eq=False)
class Weights:
    """logits(x, y) = activation(L[x] + R[y]) @ U + b, as float64 arrays near the exact ones.

    Attributes:
        L, R: (n, m) pre-activation contributions of the left and the right argument.
        U, b: (m, n) votes and (n,) bias.
        L_error, R_error: (m,) upper bounds of |float64 - exact| over each column.
        U_error, b_error: upper bounds of |float64 - exact| over all entries.
        make_exact: computes the exact integers; called once, by `exact`.
        activation: relu, or the square.

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
    activation: Activation = "relu"

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

    def logits(self, x: npt.NDArray[np.integer], y: npt.NDArray[np.integer]) -> FloatMatrix:
        """Float64 logits (..., n) for index arrays x and y of one shape: for searching, not for verdicts."""
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray(fired(self.L[x] + self.R[y], self.activation) @ self.U + self.b)

    def select(self, neurons: Sequence[int] | npt.NDArray[np.integer | np.bool_]) -> Weights:
        """The network that keeps these neurons (indices or a boolean mask), in this order."""
        kept = indices(self.width, neurons)
        return replace(
            self,
            L=self.L[:, kept],
            R=self.R[:, kept],
            U=self.U[kept],
            L_error=self.L_error[kept],
            R_error=self.R_error[kept],
            make_exact=lambda: self.exact().select(kept),
        )

    def without(self, neurons: Sequence[int] | npt.NDArray[np.integer | np.bool_]) -> Weights:
        """The network without these neurons (indices or a boolean mask)."""
        return self.select(np.delete(np.arange(self.width), indices(self.width, neurons)))

    def permuted(self, elements: npt.NDArray[np.integer]) -> Weights:
        """The network whose element k is element `elements[k]` of this one, as input and as output."""
        elements = np.asarray(elements)
        return replace(
            self,
            L=self.L[elements],
            R=self.R[elements],
            U=self.U[:, elements],
            b=self.b[elements],
            make_exact=lambda: self.exact().permuted(elements),
        )

    def exchanged(self) -> Weights:
        """The network that does at (x, y) what this one does at (y, x): L and R change places."""
        return replace(
            self,
            L=self.R,
            R=self.L,
            L_error=self.R_error,
            R_error=self.L_error,
            make_exact=lambda: self.exact().exchanged(),
        )

    def scaled(self, units: Units, drop_common_bias: bool = False) -> Weights:
        """The network times powers of two (`net.units`), perhaps without the entry in the middle of the bias: the same answers.

        A float64 times a power of two is exact, or errs by at most 2^-1074 where it underflows, or becomes infinite; the error bounds
        say so.
        """
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            L, L_error = _times(self.L, self.L_error, units.inputs)
            R, R_error = _times(self.R, self.R_error, units.inputs)
            U, U_errors = _times(self.U.T, np.full(self.width, self.U_error), units.votes)
            b, b_errors = _times(self.b[:, None], np.array([self.b_error]), np.array([units.logits]))
        b, b_error = b[:, 0], float(b_errors[0])

        def exact() -> ExactWeights:
            return self.exact().scaled(units)

        if drop_common_bias:
            middle = int(np.argsort(self.b, kind="stable")[self.order // 2])
            whole = exact().without_common_bias(middle)
            b, b_errors = _rounded(whole.b, whole.logit_bits)
            b_error = float(b_errors.max())
            return Weights(L, R, U.T, b, L_error, R_error, float(U_errors.max(initial=0.0)), b_error, lambda: whole, self.activation)
        return Weights(L, R, U.T, b, L_error, R_error, float(U_errors.max(initial=0.0)), b_error, exact, self.activation)

    @classmethod
    def from_arrays(
        cls, L: npt.ArrayLike, R: npt.ArrayLike, U: npt.ArrayLike, b: npt.ArrayLike | None = None, *, activation: Activation = "relu"
    ) -> Weights:
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
            lambda: exact_weights(dyadic(left), dyadic(right), dyadic(votes), dyadic(bias), activation),
            activation,
        )

    @classmethod
    def from_integers(
        cls,
        L: npt.ArrayLike,
        R: npt.ArrayLike,
        U: npt.ArrayLike,
        b: npt.ArrayLike | None,
        preactivation_bits: int,
        vote_bits: int,
        activation: Activation = "relu",
    ) -> Weights:
        """Weights L / 2^p, R / 2^p, U / 2^v, b / 2^(d p + v) from integer arrays, p and v >= 0, d the activation's degree.

        The float64 arrays are the correctly rounded quotients, so an entry x errs by at most 2^-53 |x| +
        2^-1075 and not at all when the integer is below 2^53 in absolute value and p, v are below 1000. A quotient beyond
        the largest float64 becomes infinite, with an infinite error bound.

        """
        given = [_integers(array) for array in (L, R, U, np.zeros(len(np.asarray(L)), dtype=np.int64) if b is None else b)]
        logit_bits = degree(activation) * preactivation_bits + vote_bits

        def exact() -> ExactWeights:
            integers = [array.astype(object) for array in given]
            return ExactWeights(integers[0], integers[1], integers[2], integers[3], preactivation_bits, vote_bits, activation)

        left, left_error = _rounded(given[0], preactivation_bits)
        right, right_error = _rounded(given[1], preactivation_bits)
        votes, votes_error = _rounded(given[2], vote_bits)
        rounded_bias, bias_error = _rounded(given[3], logit_bits)
        return cls(
            left,
            right,
            votes,
            rounded_bias,
            left_error.max(axis=0, initial=0.0),
            right_error.max(axis=0, initial=0.0),
            float(votes_error.max(initial=0.0)),
            float(bias_error.max(initial=0.0)),
            exact,
            activation,
        )


def _times(array: FloatMatrix, error: FloatMatrix, exponents: npt.NDArray[np.int64]) -> tuple[FloatMatrix, FloatMatrix]:
    """Columns times powers of two, and bounds of their errors: those of before, more where something underflows or overflows."""
    values, errors = np.ldexp(array, exponents), np.ldexp(error, exponents)
    lost = (np.ldexp(values, -exponents) != array).any(axis=0) | (np.ldexp(errors, -exponents) != error)
    errors = errors + np.where(lost, 2 * TINY64, 0.0)
    return values, np.where(np.isfinite(values).all(axis=0), errors, np.inf)


def indices(width: int, neurons: Sequence[int] | npt.NDArray[np.integer | np.bool_]) -> npt.NDArray[np.intp]:
    """Indices of neurons, from indices or from a boolean mask of length `width`."""
    return np.arange(width)[np.asarray(neurons)] if len(neurons) else np.zeros(0, dtype=np.intp)


def _integers(given: npt.ArrayLike) -> IntegerMatrix:
    """A copy in machine words where it comes in them, else in Python's integers: numpy makes floats of lists such as [2**63, -1].

    numpy's own integers in a list would stay what they are, and overflow later; what is no integer is a TypeError.
    """
    if isinstance(given, np.ndarray) and given.dtype == np.int64:
        return np.array(given, dtype=np.int64)
    return np.asarray(np.frompyfunc(operator.index, 1, 1)(np.array(given, dtype=object)), dtype=object)


def _rounded(integers: IntegerMatrix, bits: int) -> tuple[FloatMatrix, FloatMatrix]:
    """The quotients integers / 2^bits, rounded to nearest, and an upper bound of each entry's rounding error.

    Dividing Python ints rounds correctly; twice the unit roundoff times the ROUNDED quotient covers u |x|. Machine words below 2^53 in
    absolute value are floats, and a power of two that leaves them in the normal range changes no digit.
    """
    if integers.dtype == np.int64 and bits < 1000 and (not integers.size or -(1 << 53) < integers.min() <= integers.max() < 1 << 53):
        return np.ldexp(integers.astype(np.float64), -bits), np.zeros(integers.shape)
    integers, denominator = integers.astype(object), 1 << bits

    def quotient(integer: int) -> float:
        try:
            return integer / denominator
        except OverflowError:
            return math.inf if integer > 0 else -math.inf

    values = np.asarray(np.frompyfunc(quotient, 1, 1)(integers)).astype(np.float64)
    small = np.frompyfunc(lambda integer: abs(integer) < 1 << 53, 1, 1)(integers).astype(bool)
    exact = small if bits < 1000 else np.zeros(integers.shape, dtype=bool)
    return values, np.where(exact, 0.0, 2 * U64 * np.abs(values) + TINY64)


def dead_neurons(weights: Weights) -> npt.NDArray[np.bool_]:
    """Neurons that cannot change an answer: max L + max R <= 0 with the error bounds added, or outgoing weights all equal.

    With squares in place of relu: pre-activations that are 0 everywhere, or outgoing weights all equal.
    """
    with np.errstate(over="ignore"):
        top = weights.L.max(axis=0) + weights.R.max(axis=0)
    slack = weights.L_error + weights.R_error
    flat = (weights.U.max(axis=1) == weights.U.min(axis=1)) & (weights.U_error == 0)
    if weights.activation == "square":
        with np.errstate(over="ignore"):
            bottom = weights.L.min(axis=0) + weights.R.min(axis=0)
        return np.asarray(((top == 0) & (bottom == 0) & (slack == 0)) | flat)
    # the sign of a rounded sum is exact; the two factors cover the rounding of sum and slack where there is a slack
    return np.asarray((top * (1 - 2.0**-50) <= -slack * (1 + 2.0**-50)) | flat)
