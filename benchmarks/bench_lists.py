"""Whether faithful programs would be cheaper if they could have lists that all neurons share, beside their forms.

    python benchmarks/bench_lists.py FILE:GROUP ...

No form of a program is such a list. With votes S on forms and r lists B (r, |G|) that k neurons mix by A (k, r), neuron i would vote
S_i + (A B)_i, for r (k + |G|) constants more; and in the same way with lists for what L and R have beside their forms. Programs to
start from are those of price curves whose faithful programs explain the shares ``EXPLAINED``. For each of them there are two questions
(that answers agree is asked by neither):

- with so many lists (``READ``) for L and R, and votes fitted again: how many lists for votes does it take to explain as much as a
  faithful program, and what is the price of all? (`lists_needed`)
- filled up with lists for votes to the price of today's faithful program, forms and lists fitted in turn: what is left?
  (`left_with_lists`)

One line for each program; then the table's row: the faithful program's price, and what is left by its own forms fitted as those with
lists are; the cheapest program with lists; and the least that is left at the faithful program's price with at least one list.
"""

import sys
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from net.weights import Weights
from verify import analyse
from verify.distil.coset_fit import Floats
from verify.distil.curve import Point, distill
from verify.distil.draft import firing_rates
from verify.distil.moment_bank import MomentBank
from verify.distil.moments import centred, quadratic_form
from verify.distil.settings import DEFAULT
from verify.distil.votes import Moments, VoteFit, VoteSpace
from verify.exact.exhaustive import evaluate

#: Shares of the variance that the faithful programs of the curves explain; the first is the one that is to be reached.
EXPLAINED = (DEFAULT.faithful_variance, 0.994, 0.98)
#: Lists for preactivations.
READ = (0, 8)
#: Combinations of activations with a smaller part of the largest eigenvalue of their second moments are nothing: these are float32.
NOTHING = 1e-7
#: Forms and lists are fitted in turn so many times, forms with so small a ridge: lists are not the network's own votes.
ROUNDS, RIDGE = 10, 1e-3


def lists_needed(network: Weights, program: Weights, moments: Floats, explained: float) -> int | None:
    """The least r with which the program's votes and r lists that all neurons share explain so much of the logits' variance.

    ``moments`` are ``activation_moments(network, program)``. With M = E[h' h'^T] = Q diag(w) Q^T of the program's activations (a 1 for
    the bias among them), X = E[h' h^T] U and Z = diag(w)^(-1/2) Q^T X, votes V lose E|h U|^2 - |Z|^2 + |Z - diag(w)^(1/2) Q^T V|^2. For
    V = S + (rank r) the last term is at least the sum of the squares of all but the r largest singular values of
    Z - diag(w)^(1/2) Q^T S, and can be that (Eckart and Young, 1936). None where free votes lose too much.
    Complexity: O((k + m)^2 |G|).
    """
    m = network.width
    theirs, ours = (centred(np.vstack([w.U, w.b])) for w in (network, program))
    of_network = [*range(m), len(moments) - 1]
    values, vectors = np.linalg.eigh(moments[m:, m:])
    some = values > NOTHING * values.max()
    root, along = np.sqrt(values[some])[:, None], vectors[:, some].T
    best = along @ moments[m:, of_network] @ theirs / root
    total = quadratic_form(moments[np.ix_(of_network, of_network)], theirs)
    rest = np.linalg.svd(best - root * (along @ ours), compute_uv=False) ** 2
    left = total - float((best**2).sum()) + np.append(np.cumsum(rest[::-1])[::-1], 0.0)
    enough = np.flatnonzero(left <= (1 - explained) * total)
    return int(enough[0]) if len(enough) else None


def with_read_lists(network: Weights, program: Weights, neurons: npt.NDArray[np.intp], count: int) -> Weights:
    """The program with so many lists that all neurons share added to L and R: those that leave least of what is lost by them.

    Where L or R of neuron i is off by e, about P(i fires) |U_i|^2 |e|^2 is lost (`verify.distil.draft`); the least sum of that is left
    by the largest singular values of both sides. ``neurons`` are the program's among the network's; constants stay.
    """
    part = network.select(neurons)
    scale = np.sqrt(firing_rates(part) * (centred(part.U) ** 2).sum(axis=1))
    scale = np.maximum(scale, NOTHING * (scale.max(initial=0.0) or 1.0))  # what hardly matters is left out, not multiplied by infinity
    found = []
    for theirs, ours in ((part.L, program.L), (part.R, program.R)):
        off = theirs - ours
        found.append(np.linalg.svd((off - off.mean(axis=0)) * scale, full_matrices=False))
    strong = sorted(((s, side, k) for side in (0, 1) for k, s in enumerate(found[side][1])), reverse=True)[:count]
    sides = [program.L.copy(), program.R.copy()]
    for s, side, k in strong:
        sides[side] += np.outer(found[side][0][:, k] * s, found[side][2][k] / scale)
    return Weights.from_arrays(sides[0], sides[1], program.U, program.b, activation=program.activation)


def left_with_lists(fit: VoteFit, count: int) -> float:
    """The share of the variance left by votes on the fit's spaces and ``count`` lists that all neurons share, fitted in turn.

    For given lists the votes on spaces are a fit with X - C' A B in place of X, and for given votes the lists are the largest singular
    values of C'^(1/2) times what the votes leave of free ones. What is left falls from round to round, to what need not be the least.
    """
    fit = replace(fit, ridge=RIDGE)
    program, cross = fit.moments.program, centred(fit.moments.cross_votes)
    values, vectors = np.linalg.eigh(program)
    some = values > NOTHING * values.max()
    root, along = np.sqrt(values[some])[:, None], vectors[:, some].T
    best = along @ cross / root
    votes, lists = fit.votes(), np.zeros_like(cross)
    for _ in range(ROUNDS if count else 0):
        u, singular, v = np.linalg.svd(best - root * (along @ votes), full_matrices=False)
        lists = along.T @ ((u[:, :count] * singular[:count]) @ v[:count] / root)
        rest = replace(fit.moments, cross_votes=cross - program @ lists)
        votes = replace(fit, moments=rest, own=fit.own - lists).votes(votes)
    return fit.moments.unexplained(votes + lists)


@dataclass(frozen=True)
class Priced:
    """A program with lists that all neurons share: its own constants, how many lists for votes and for L and R, and all constants.

    ``votes`` is None where no number of lists for votes is enough.
    """

    constants: int
    votes: int | None
    read: int
    whole: int


@dataclass(frozen=True)
class Filled:
    """What is left by a program's forms and so many lists for votes."""

    left: float
    lists: int


def read_again(network: Weights, bank: MomentBank, point: Point, read: int) -> tuple[VoteFit, Weights]:
    """The fit of a program's votes beside ``read`` lists for L and R, and these."""
    draft = point.draft
    sides = with_read_lists(network, draft.weights(), draft.neurons, read)
    moments = Moments.of(sides, network, bank)
    spaces = tuple(VoteSpace.of(draft.lattice.group, form) for form in draft.votes)
    chosen = moments if draft.bias.any() else moments.without_bias()
    return VoteFit(draft, spaces, chosen, centred(network.U[draft.neurons]), DEFAULT.ridge), sides


def priced(network: Weights, bank: MomentBank, point: Point, read: int) -> Priced:
    """The program with ``read`` lists for L and R, its votes fitted again, and the fewest lists for votes."""
    fit, sides = read_again(network, bank, point, read)
    needed = lists_needed(network, fit.weights(fit.votes(), sides), bank.beside(sides).whole(bank.own), DEFAULT.faithful_variance)
    constants, each = point.written.program.constants, len(fit.draft.neurons) + network.order
    return Priced(constants, needed, read, constants + (read + (needed or 0)) * each)


def filled(network: Weights, bank: MomentBank, point: Point, allowed: int) -> Filled:
    """The program with as many lists for votes as ``allowed`` constants have room for."""
    count = max(0, allowed - point.written.program.constants) // (len(point.draft.neurons) + network.order)
    return Filled(left_with_lists(read_again(network, bank, point, 0)[0], count), count)


def curve_points(path: Path, name: str) -> tuple[Weights, MomentBank, list[Point], Point]:
    """The network, its moments, all programs of the curves, cheapest first, and the faithful one."""
    analysis = analyse(path, name).searched
    network = analysis.weights
    answers = evaluate(network, expected=analysis.group.mul)
    settings = [msgspec.structs.replace(DEFAULT, faithful_variance=explained) for explained in EXPLAINED]
    curves = [distill(analysis.lattice, network, answers, settings=some) for some in settings]
    points = {p.written.program.constants: p for curve in curves for p in curve.points}
    return network, curves[0].bank, [points[k] for k in sorted(points)], curves[0].point("faithful")


def row(path: Path, name: str) -> str:
    """The network's row of the table; a line on each of its programs is printed on the way."""
    network, bank, points, faithful = curve_points(path, name)
    allowed = faithful.written.program.constants
    dearer: list[Priced] = []
    as_dear: list[Filled] = []
    for point in points:
        full, some = filled(network, bank, point, allowed), [priced(network, bank, point, read) for read in READ]
        told = [f"{point.written.program.constants / network.constants:.2%}", f"filled up with {full.lists} lists {full.left:.4f} left"]
        for one in some:
            enough = "no lists are" if one.votes is None else f"{one.whole / network.constants:.1%} with {one.votes} lists is"
            told.append(f"{one.read} lists for L and R: {enough} enough")
        print("  " + "; ".join(told), flush=True)
        dearer += [one for one in some if one.votes is not None and one.votes + one.read > 0]
        as_dear += [full] if full.lists else []
    cells = [path.parent.name if path.name == "model.pt" else path.stem, f"{allowed / network.constants:.1%}"]
    cells.append(f"{filled(network, bank, faithful, allowed).left:.4f}")
    if dearer:
        one = min(dearer, key=lambda one: one.whole)
        share, own = one.whole / network.constants, one.constants / network.constants
        cells.append(f"{share:.1%}: {own:.1%} and {one.votes} + {one.read} lists")
    else:
        cells.append("none")
    least = min(as_dear, key=lambda full: full.left, default=None)
    cells.append("none" if least is None else f"{least.left:.4f} ({least.lists} lists)")
    return f"| {' | '.join(cells)} |"


HEAD = "| network | faithful | left | cheapest with lists: forms, lists for votes + for L and R | left by forms and lists as dear |"


def main() -> None:
    """Print the table for the networks of the command line."""
    rows = [row(Path(path), name) for path, _, name in (network.rpartition(":") for network in sys.argv[1:])]
    print("\n".join([HEAD, "|" + "---|" * (HEAD.count("|") - 1), *rows]))


if __name__ == "__main__":
    main()
