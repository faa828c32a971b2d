"""The numbers of the search for a proof of Q3, each with its reason. No proof rests on any of them.

They decide whether dual variables, or a provable program, are found, and how soon. What is found is rounded to integers and its bounds
are exact. docs/settings.md shows what changes when one is halved or doubled, and a run records them in summary.json. Numbers that
change nothing are constants of the method, beside the code that uses them.
"""

import msgspec

__all__ = ["DEFAULT", "SOLVERS_S", "SymbolicSettings"]

#: Seconds that SMT solvers get for second opinions where no others are asked for: about as long as a run on the bundled network over
#: S5 takes after its lemmas are written. z3 answers on all files in that time, and cvc5 on half of them; in twice as much on nearly
#: all. No status depends on it.
SOLVERS_S = 4.0


class SymbolicSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the search for dual variables and for provable votes tries, and when it gives up.

    Attributes:
        space_entries: the largest table (points^3 times |G|) of a space that families are made over: memory. Circuits on larger spaces
            are bounded cell by cell.
        dual_rounds: steps of the ascent before the s with the worse bounds are put aside: bounds rise little after a hundred.
        dual_entries: table entries looked at in the whole search of one case: a few seconds.
        dual_worst: the s with the lowest bounds over which a subgradient is averaged: with few of them the steps go back and forth,
            with all of them the worst does not rise.
        line_rounds: steps of the search for dual variables of each y by itself, which is exact but for where x takes the points.
        line_sets: choices of dual variables that a y may have, for different s.
        most_points: the most points of a space that a provable program votes over: each look goes through all sets of them.
        lemma_entries: the largest points^3 times |G| of such a space: what the checker runs through in a lemma takes a second or so.
        nearly: spaces with few points are preferred when they leave at most this much more of the variance unexplained, because
            their lemmas are small.
        most_sets: sets of spaces that are tried.
        explained: voters that leave at most this share of the variance unexplained are tried before those of which there are more.
        gain: so are those that leave at most this much more unexplained than the next ones.
        single: a neuron that reads an input through several points is divided into one-point parts unless one point explains more than
            this share of what it reads there.
        parts: at most so many parts.
        least_share: no part is made of a point that explains less.
        most_votes: voters with more votes in all are not tried: memory, and the time of equations of that size.
        ridge: added to the diagonal of the normal equations of the first votes, as a share of its mean, so that they have a solution.
        goal: the bound that is enough, in units of the logits' root mean square: what rounding can take away is far less.
        enough: when a master problem's least margin is below this, in that unit, no votes at its price are looked for any longer.
        prices: prices of unexplained variance in that unit: a cheaper one, which pays more for margins, where the one before came to
            nothing.
        votes_rounds: master problems that are solved at each price, at most.
        patience: looks in a row that bring no larger margin, after which a price is left.
        way: how far the next look is on the way from the best votes to the optimum of the master problem.
        votes_rows: margins that a look adds to the master problem, at most, for each kind of parities.
        window: of these, margins further than this above the least, or above 0, are left out.
        votes_steps: steps of the ascent on a master problem, at most, at each temperature.
        temperatures: of the smoothed minimum, in the same unit.
        votes_bits: bits of votes beyond those that make a rounding error of a vote about its neuron's share: about one per cent, and
            less where that is too coarse.
        most_preactivation_bits: programs with more are not tried: sums would leave 64 bits, and they are not readable anyway.

    """

    space_entries: int = 40_000_000
    dual_rounds: int = 120
    dual_entries: int = 600_000_000
    dual_worst: int = 40
    line_rounds: int = 200
    line_sets: int = 12
    most_points: int = 10
    lemma_entries: int = 400_000
    nearly: float = 0.03
    most_sets: int = 3
    explained: float = 0.08
    gain: float = 0.02
    single: float = 0.9
    parts: int = 3
    least_share: float = 0.05
    most_votes: int = 4500
    ridge: float = 1e-3
    goal: float = 0.12
    enough: float = 0.02
    prices: tuple[float, ...] = (1.0, 0.1)
    votes_rounds: int = 12
    patience: int = 2
    way: float = 0.5
    votes_rows: int = 200
    window: float = 1.0
    votes_steps: int = 100
    temperatures: tuple[float, ...] = (0.03, 0.003)
    votes_bits: tuple[int, ...] = (7, 11)
    most_preactivation_bits: int = 24


#: The settings of every run that asks for no others.
DEFAULT = SymbolicSettings()
