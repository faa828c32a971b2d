"""The numbers of the search for a proof of Q3, each with its reason. No proof rests on any of them.

They decide whether dual variables, or a provable program, are found, and how soon. What is found is rounded to integers and its bounds
are exact. docs/settings.md shows what changes when one is halved or doubled, and a run records them in summary.json. Numbers that
change nothing are constants of the method, beside the code that uses them.
"""

import msgspec

__all__ = ["DEFAULT", "SymbolicSettings"]


class SymbolicSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the search for dual variables and for provable votes tries, and when it gives up.

    Attributes:
        space_entries: the largest table (points^3 times |G|) of a space that families are made over: memory. Circuits on larger spaces
            are bounded cell by cell.
        dual_rounds: steps of the ascent before the s with the worse bounds are put aside: bounds rise little after a hundred.
        dual_entries: table entries looked at in the whole search of one case: a few seconds.
        dual_worst: the s with the lowest bounds over which a subgradient is averaged: with few of them the steps go back and forth,
            with all of them the worst does not rise.
        lemma_entries: the largest points^3 times |G| of a space that a provable program votes over: what a solver runs through in a
            lemma takes a minute or so at this size.
        votes_entries: table entries of a whole ascent on votes: a minute or so.
        votes_rounds: its steps at each price, at least and at most.
        nearly: spaces with few points are preferred when they leave at most this much more of the variance unexplained, because
            their lemmas are small.
        most_sets: sets of spaces that are tried.
        ridge: added to the diagonal of the normal equations of the first votes, as a share of its mean, so that they have a solution.
        goal: the bound that is enough, in units of the logits' root mean square: what rounding can take away is far less.
        prices: prices of unexplained variance in that unit, tried one after the other: a dearer one, which buys more variance,
            where the one before left a bound that is enough.
        hopeless: a bound so far below zero, in that unit, that dual variables of their own for batches of s cannot mend it.
        votes_step: Adam's step of votes, in units of a neuron's share.
        dual_step: Adam's step of dual variables, in units of the logits' root mean square.
        temperatures: of the soft minimum, first and last, in the same unit.
        votes_bits: bits of votes beyond those that make a rounding error of a vote about its neuron's share: about one per cent, and
            less where that is too coarse.
        most_preactivation_bits: programs with more are not tried: sums would leave 64 bits, and they are not readable anyway.

    """

    space_entries: int = 40_000_000
    dual_rounds: int = 120
    dual_entries: int = 600_000_000
    dual_worst: int = 40
    lemma_entries: int = 400_000
    votes_entries: int = 600_000_000
    votes_rounds: tuple[int, int] = (120, 600)
    nearly: float = 0.03
    most_sets: int = 3
    ridge: float = 1e-3
    goal: float = 0.25
    prices: tuple[float, ...] = (0.7, 3.0)
    hopeless: float = -0.15
    votes_step: float = 0.006
    dual_step: float = 0.015
    temperatures: tuple[float, float] = (0.3, 0.003)
    votes_bits: tuple[int, ...] = (7, 11)
    most_preactivation_bits: int = 24


#: The settings of every run that asks for no others.
DEFAULT = SymbolicSettings()
