"""A circuit in words: which products it tests, and what it votes on each outcome."""

from collections.abc import Sequence
from typing import NamedTuple

from reports.blocks import Line, joined, say
from reports.circuits import ReportedCircuit, VoteTable
from reports.numbers import count, decimal, plural, share
from reports.words import Words

MOST_OUTCOMES = 4  # kinds of products that get a sentence each


class VoteRange(NamedTuple):
    """The cells whose product is of one kind, and the range of votes on it and on all others."""

    kind: int
    cells: int
    on_it: tuple[float, float]
    elsewhere: tuple[float, float]
    least_lead: float


def circuit_paragraph(circuit: ReportedCircuit, words: Words) -> Line:
    """What a circuit reads, tests and votes, in a few sentences."""
    opening = say(
        "**Circuit {number}** ({family}; {neurons}, {energy} of the energy) looks at {left} and at {right}",
        number=circuit.number,
        family=circuit.family,
        neurons=plural(len(circuit.neurons), "neuron"),
        energy=share(circuit.energy_share),
        left=circuit.left.phrase(words, "x"),
        right=circuit.right.phrase(words, "y"),
    )
    votes = say("It votes on {votes}.", votes=circuit.votes.phrase(words, "z"))
    if circuit.table is None:
        return joined([joined([opening, say(".")], ""), votes])
    size = say(": {rows} × {columns} cells.", rows=len(circuit.table.rows), columns=len(circuit.table.columns))
    return joined([joined([opening, size], ""), votes, *_outcome_sentences(circuit.table)])


def _outcome_sentences(table: VoteTable) -> list[Line]:
    cells = [kind for row in table.products for kind in row]
    if (unsettled := cells.count(None)) == len(cells):
        return [say("None of its cells settles by itself of which kind $xy$ is.")]
    if unsettled:
        some = plural(unsettled, "cell")
        return [
            say(
                "In {some} of {all} $xy$ can be of several kinds, so the circuit alone does not settle which.",
                some=some,
                all=count(len(cells)),
            )
        ]
    rows = outcomes(table.votes, table.products)
    sentences = [
        say(
            "Where $xy$ is of the kind “{kind}” ({cells}), the votes on that kind are {mine} and on {others} {rest}.",
            kind=table.kinds[o.kind],
            cells=plural(o.cells, "cell"),
            mine=_between(o.on_it),
            others="the other kind" if len(table.kinds) == 2 else "the other kinds",
            rest=_between(o.elsewhere),
        )
        for o in rows
        if len(table.kinds) > 1 and len(rows) <= MOST_OUTCOMES
    ]
    least = min(o.least_lead for o in rows)
    if least > 0:
        return [*sentences, say("So the kind of $xy$ is ahead in every cell, by {least} or more.", least=decimal(least))]
    if least == 0:
        return [*sentences, say("So no kind is ever ahead of that of $xy$.")]
    return [*sentences, say("In some cell another kind is ahead of that of $xy$, by up to {least}.", least=decimal(-least))]


def _between(values: tuple[float, float]) -> str:
    low, high = (decimal(value) for value in values)
    return low if low == high else f"between {low} and {high}"


def outcomes(votes: Sequence[Sequence[Sequence[float]]], products: Sequence[Sequence[int | None]]) -> list[VoteRange]:
    """The votes of a table [p][q][d], grouped by the kind that the product of the cell is of."""
    cells: dict[int, list[Sequence[float]]] = {}
    for row, kinds in zip(votes, products, strict=True):
        for ballot, kind in zip(row, kinds, strict=True):
            if kind is not None:
                cells.setdefault(kind, []).append(ballot)
    found = []
    for kind, ballots in sorted(cells.items()):
        on_it = [ballot[kind] for ballot in ballots]
        others = [[v for d, v in enumerate(ballot) if d != kind] for ballot in ballots]
        elsewhere = [v for rest in others for v in rest] or [0.0]
        leads = [mine - max(rest, default=mine) for mine, rest in zip(on_it, others, strict=True)]
        ranges = (min(on_it), max(on_it)), (min(elsewhere), max(elsewhere))
        found.append(VoteRange(kind, len(ballots), *ranges, min(leads)))
    return found
