"""The numbers of the search for a compact proof's plan, each with its reason. No proof rests on any of them."""

import msgspec

__all__ = ["CompactSettings"]


class CompactSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How plans are searched and priced; the weights of time are constants of `verify.compact.price`, measured once.

    Attributes:
        sample: random pairs on which a plan is priced: a share of open pairs of 1/4 % is seen twice.
        prices: what a unit of error costs in FLOPs per pair, by powers of four: from free to more than any network needs.
        groups: numbers of level groups to try: without, and so many that most inactive neurons are told apart.
        line_sample: values of y on which the quadratic strategy is tried: its cost varies little from y to y.
        flop_weight: units of time that one operation by rule counts beside its own, so that a plan is short by both yardsticks.
        settled_weight: where lines are wanted by themselves, how many times its cost by other means a settled pair counts.
        lines_enough: with a smaller share of the pairs settled lines are tried with the slack of single pairs.
        better: a larger index is a candidate when it leaves at most this share of what smaller ones leave.

    """

    sample: int = 768
    prices: tuple[float, ...] = tuple(float(2**k) for k in range(2, 24, 2))
    groups: tuple[int, ...] = (1, 4)
    line_sample: int = 6
    flop_weight: int = 10
    settled_weight: int = 10
    lines_enough: float = 0.99
    better: float = 0.9
