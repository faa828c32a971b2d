"""Two networks on all pairs, or on those with some x: shares of logits' variance, and shares of pairs, as far as float64 knows them.

Logits come with bounds of what rounding can do to them, and are exact where that is too much and integers have time for it
(`verify.compare.bounded_logits`). So of every pair it is known that it counts for a share, that it does not, or neither. A share is a
number where all pairs are known; an interval where some are not; and not known where this is wider than ``WIDE``.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from net.roundoff import TINY64, U64, Floats, gamma
from net.usual_units import in_usual_units
from net.weights import Weights
from verify.compare.bounded_logits import BoundedLogits, LogitBlock, rows_at_once
from verify.exact.exhaustive import TIE

NEAR_TIE = 0.05
#: The root mean square of the logits is taken over about so many x.
SCALE_ROWS = 8
#: An interval wider than this says too little, and the share is not known.
WIDE = 0.1
#: A share of variance that is known to within this, of itself where it is beyond 1, is a number.
SHARP = 1e-6

#: The figures that are shares of all pairs.
SHARES = ("answers_agree", "clear", "in_top_set", "network_right", "program_right")

Interval = tuple[float, float]
_Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Comparison:
    """Two networks on all pairs: level 2 figures, and answers compared where neither side has a near tie.

    A near tie is a margin below ``NEAR_TIE`` times the root mean square of that side's centred logits, or of 0; the top set of the
    program are the outputs within that distance of its best. Equal greatest logits are a tie, which is no answer: right nowhere, and in
    agreement and in the top set where the other side has a tie, too. ``agree_when_clear`` is the share of agreeing answers among the
    clear pairs, None where there are none; ``logit_fve`` is NaN where the network's logits do not vary. ``runner_up_agree`` compares
    the second best outputs as computed: outputs behind the first are told apart by no bound.

    A figure that rounding could change is None, or NaN: ``between`` has its least and its greatest value by its name, or ``not_known``
    has the name, where these are more than ``WIDE`` apart (for ``logit_fve`` times its size, where that is beyond 1).
    """

    logit_fve: float
    runner_up_agree: float
    answers_agree: float | None
    agree_when_clear: float | None
    clear: float | None
    in_top_set: float | None
    network_right: float | None
    program_right: float | None
    between: dict[str, Interval] = field(default_factory=dict)
    not_known: tuple[str, ...] = ()


def compare(network: Weights, program: Weights, product: npt.NDArray[np.integer], x: npt.NDArray[np.intp] | None = None) -> Comparison:
    """One pass in float64 over all pairs, or over those with x in a sample; ``product`` is the table that "right" refers to.

    Complexity: O(|G|^2 m) for each x, and at most `bounded_logits.WORK` products of integers twice for each network.
    """
    x = np.arange(network.order) if x is None else x
    (ours, our_units), (theirs, their_units) = in_usual_units(network), in_usual_units(program)
    first, second = BoundedLogits(ours), BoundedLogits(theirs)
    near, step = (_near(first, x), _near(second, x)), rows_at_once(ours, theirs)
    variances, counted = _Variances(network.order, our_units.logits - their_units.logits), _Counts()
    for one, other in zip(first.blocks(x, step), second.blocks(x, step), strict=True):
        counted.add(one, other, near, product[one.rows].ravel())
        variances.add(one, other)
    return _comparison(counted, variances.explained(), network.order * len(x))


def _comparison(counted: "_Counts", explained: Interval, pairs: int) -> Comparison:
    """Counts of pairs as shares."""
    low, high = counted.low, counted.high
    agree, disagree, unsure = low["agree"], low["clear"] - low["agree"], high["clear"] - low["clear"]
    most = agree + disagree + unsure
    shares: dict[str, Interval] = {
        name: (low[name] / pairs, high[name] / pairs)
        for name in ("answers_agree", "clear", "in_top_set", "network_right", "program_right")
    }
    if most:  # of the clear pairs all that are open may disagree, or all agree
        shares["agree_when_clear"] = agree / most, (agree + unsure) / (agree + unsure + disagree)
    figures = {name: one if one == other else None for name, (one, other) in shares.items()}
    open_ = {name: share for name, share in shares.items() if figures[name] is None}
    size = max(1.0, abs(explained[1]))  # residuals may be far larger than what is to be explained
    fve = (explained[0] + explained[1]) / 2 if explained[1] - explained[0] <= SHARP * size else math.nan
    if math.isnan(fve) and not math.isnan(explained[0]):
        open_["logit_fve"] = explained
    known = {name for name, share in open_.items() if share[1] - share[0] <= WIDE * (size if name == "logit_fve" else 1.0)}
    return Comparison(
        logit_fve=fve,
        runner_up_agree=counted.runner_up / pairs,
        answers_agree=figures["answers_agree"],
        agree_when_clear=figures.get("agree_when_clear"),
        clear=figures["clear"],
        in_top_set=figures["in_top_set"],
        network_right=figures["network_right"],
        program_right=figures["program_right"],
        between={name: share for name, share in open_.items() if name in known},
        not_known=tuple(name for name in open_ if name not in known),
    )


class _Counts:
    """How many pairs count for each share: at least, and at most."""

    def __init__(self) -> None:
        names = (*SHARES, "agree")
        self.low, self.high, self.runner_up = dict.fromkeys(names, 0), dict.fromkeys(names, 0), 0

    def add(self, one: LogitBlock, other: LogitBlock, near: tuple[Interval, Interval], target: npt.NDArray[np.integer]) -> None:
        """Count a block's pairs; ``near`` are bounds of what is near on each side, and ``target`` (pairs,) what is right."""
        answer, answered = _answers(one), _answers(other)
        known = one.decided & other.decided
        same = answer == answered
        clear, perhaps = (np.logical_and(*parts) for parts in zip(_clear(one, near[0]), _clear(other, near[1]), strict=True))
        inside, maybe = _in_top(one, other, near[1])
        self.runner_up += int((one.second == other.second).sum())
        self._count("answers_agree", known & same, same | ~known)
        self._count("clear", clear, perhaps)
        self._count("agree", clear & same, perhaps)
        self._count("in_top_set", inside, maybe)
        self._count("network_right", one.decided & (answer == target), ~one.decided | (answer == target))
        self._count("program_right", other.decided & (answered == target), ~other.decided | (answered == target))

    def _count(self, name: str, surely: _Mask, perhaps: _Mask) -> None:
        self.low[name] += int(surely.sum())
        self.high[name] += int(perhaps.sum())


def _answers(block: LogitBlock) -> npt.NDArray[np.integer]:
    return np.where(block.lead > 0, block.first, TIE)


def _clear(block: LogitBlock, near: Interval) -> tuple[_Mask, _Mask]:
    """Which pairs surely, and which perhaps, have neither a tie nor a near one on this side."""
    tie = block.decided & (block.lead == 0)
    surely = block.decided & ~tie & (block.lead - block.error >= near[1])
    return surely, ~tie & (block.lead + block.error >= near[0])


def _in_top(one: LogitBlock, other: LogitBlock, near: Interval) -> tuple[_Mask, _Mask]:
    """Which pairs surely, and which perhaps, have the network's answer in the program's top set, or ties on both sides."""
    pairs = np.arange(len(one.first))
    behind = other.logits[pairs, other.first] - other.logits[pairs, one.first]
    best = other.decided & (one.first == other.first)
    tied, both = one.lead == 0, (other.lead == 0) & other.decided
    surely = np.where(tied, both, best | (behind + other.error <= near[0])) & one.decided
    perhaps = np.where(tied, (other.lead == 0) | ~other.decided, best | (behind - other.error <= near[1])) | ~one.decided
    return surely, perhaps


def _near(network: BoundedLogits, x: npt.NDArray[np.intp]) -> Interval:
    """Bounds of ``NEAR_TIE`` times the root mean square of the centred logits, over a few x at most."""
    few = x[:: max(1, len(x) // SCALE_ROWS)]
    total = _Length()
    for block in network.blocks(few, rows_at_once(network.weights), keep=True):
        total.add(block.logits, (block.error,))
    unit = NEAR_TIE / math.sqrt(len(few)) / network.weights.order
    least, most = total.bounds()
    return unit * least, unit * most


class _Length:
    """Bounds of the length of all centred logits together, a vector with an entry for each pair and output.

    A pair's centred logits are means of differences, so each errs by at most the pair's error E, and the length by at most the square
    root of the sum of |G| E^2. The computed sum of v^2 less (sum of v)^2 / |G| errs by at most 8 gamma_(|G| + pairs + 8) times the sum
    of v^2, and by 4 units of 2^-1074 for each v where some is not 0 (Higham, 3.1; |sum of v| <= sqrt(|G| sum of v^2)).
    """

    def __init__(self) -> None:
        self.square, self.slack, self.error = 0.0, 0.0, 0.0

    def add(self, logits: Floats, errors: Iterable[Floats]) -> float:
        """Add a block, with what the error E of each pair is made of; returns the length of all v."""
        order = logits.shape[1]
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            whole, square = _square(logits)
            total = whole
            if square <= LOSING * whole:  # a number that all logits of a pair share
                total, square = _square(logits - logits[:, :1])
            self.square += square
            if total or logits.any():
                self.slack += 8 * gamma(order + len(logits) + 8, U64) * total + 4 * logits.size * TINY64
            self.error += math.sqrt(order) * sum(_norm(error) for error in errors)
        return math.sqrt(whole)

    def bounds(self) -> Interval:
        """The least and the greatest length that it can be; (0, 0) where no logit differs from another."""
        if not (math.isfinite(self.square) and math.isfinite(self.slack) and math.isfinite(self.error)):
            return 0.0, math.inf
        least, most = (math.sqrt(max(0.0, self.square + sign * self.slack)) for sign in (-1, 1))
        return max(0.0, (least - self.error) * (1 - SPARE)), (most + self.error) * (1 + SPARE)


#: Sums of squares are taken again without a shared number where they cancel to less than this.
LOSING = 2.0**-10
#: For the roundings of sums over blocks, of which there are fewer than 2^20, and of the last steps.
SPARE = 2.0**-32


def _square(logits: Floats) -> tuple[float, float]:
    """The sum of v^2, and that less (sum of v)^2 / |G| of every pair."""
    total = float(np.einsum("pz,pz->p", logits, logits).sum())
    return total, total - float((logits.sum(axis=1) ** 2).sum()) / logits.shape[1]


def _norm(values: Floats) -> float:
    """The square root of the sum of squares, which do not underflow."""
    largest = float(values.max(initial=0.0))
    return largest * float(np.sqrt(((values / largest) ** 2).sum())) if 0 < largest < math.inf else largest


class _Variances:
    """1 - |centred logits of network - of program|^2 / |centred logits of network|^2, over all pairs."""

    def __init__(self, order: int, shift: int) -> None:
        """``shift`` takes the program's logits to the network's units, as a power of two."""
        self.shift, self.ours, self.rest = shift, _Length(), _Length()

    def add(self, one: LogitBlock, other: LogitBlock) -> None:
        """Add a block of both."""
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            theirs, error = (np.ldexp(part, self.shift) if self.shift else part for part in (other.logits, other.error))
            length = self.ours.add(one.logits, (one.error,))
            length += self.rest.add(one.logits - theirs, (one.error, error))
            # Forming the difference rounded once each of these, and the program's are no longer than both together;
            # moving to other units may underflow.
            self.rest.error += 4 * U64 * length + (2 * TINY64 * theirs.size if self.shift else 0.0)

    def explained(self) -> Interval:
        """The least and the greatest that it can be; NaN where the network's logits do not vary."""
        (least, most), (near, far) = self.ours.bounds(), self.rest.bounds()
        if most == 0:
            return math.nan, math.nan
        low, high = (far / least if least > 0 else math.inf), (near / most)
        return 1 - low * low, 1 - high * high
