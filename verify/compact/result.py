"""What a compact proof hands back: which strategy settled which pair, and at what cost."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from verify.compact.flops import matrix_product

if TYPE_CHECKING:
    from verify.compact.plan import Plan

__all__ = ["CompactResult", "FactoredProof", "StrategyRecord"]


@dataclass(frozen=True)
class StrategyRecord:
    """One strategy: its name, the pairs that it settled and none before it had, FLOPs by rule and seconds."""

    name: str
    certified: int
    flops: int
    seconds: float


@dataclass(frozen=True, eq=False)
class FactoredProof:
    """The factored strategy and the shortlist: what they ``settled`` (n, n), and the number of ``contenders`` (n, n) of each pair."""

    plan: "Plan"
    settled: npt.NDArray[np.bool_]
    contenders: npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class CompactResult:
    """A compact proof.

    Attributes:
        settled: (n, n) at [x, y] 0 where nothing is proved, k where ``strategies[k - 1]`` proved that the network's
            unique argmax at (x, y) is xy.
        bound: (n, n) proved lower bounds of the margin at [x, y], -inf where none was computed. A bound may
            be negative where a later strategy settled the pair.
        strategies: in the order in which they ran.
        flops_brute: 2 m n^3 (verify.compact.flops).
        seconds_search: finding the cosets and the plan, which no proof rests on.
        width: number m of neurons.
        reason: why nothing was tried, or empty.
        factored: what the factored strategy by itself found, with its plan; None where it did not run, or ran behind lines.

    """

    settled: npt.NDArray[np.uint8]
    bound: npt.NDArray[np.floating]
    strategies: tuple[StrategyRecord, ...]
    flops_brute: int
    seconds_search: float
    width: int
    reason: str = ""
    factored: "FactoredProof | None" = None

    @property
    def flops(self) -> int:
        """Operations of all strategies."""
        return sum(strategy.flops for strategy in self.strategies)

    @property
    def seconds(self) -> float:
        """Seconds of all strategies, without the search."""
        return sum(strategy.seconds for strategy in self.strategies)

    @property
    def certified(self) -> int:
        """Number of pairs that are proved right."""
        return int(np.count_nonzero(self.settled))

    @property
    def flops_complete(self) -> int:
        """``flops`` and evaluating the network on every pair that is left."""
        order = len(self.settled)
        left = order * order - self.certified
        return self.flops + matrix_product(left, self.width, order)
