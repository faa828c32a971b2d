"""A circuit in words: which products it tests, and what it votes on each outcome."""

from collections.abc import Sequence
from typing import NamedTuple

from reports.circuits import ReportedCircuit, VoteTable
from reports.escaping import Markdown, escaped
from reports.numbers import decimal, share
from reports.words import Words

MOST_OUTCOMES = 6  # kinds of products that get a sentence each


class Outcome(NamedTuple):
    """The cells whose product lies in one double coset, and the range of votes on it and on all others."""

    double_coset: int
    cells: int
    on_it: tuple[float, float]
    elsewhere: tuple[float, float]
    least_lead: float


def circuit_paragraph(circuit: ReportedCircuit, words: Words) -> Markdown:
    """What a circuit reads, tests and votes, in a few sentences of Markdown."""
    opening = (
        f"**Circuit {circuit.number}** ({circuit.neurons} neuron{'s' * (circuit.neurons != 1)}, "
        f"{share(circuit.energy_share)} of the energy) "
        f"looks at {escaped(circuit.left.phrase(words, 'x'))} "
        f"and at {escaped(circuit.right.phrase(words, 'y'))}"
    )
    votes = escaped(circuit.votes.phrase(words, "z"))
    if circuit.table is None:
        return Markdown(f"{opening}. It votes on {votes}.")
    names = circuit.left.whole()[0], circuit.right.whole()[0]
    test = escaped(words.reads("double cosets", names, "xy"))
    sentences = [
        f"{opening}: {len(circuit.table.rows)} × {len(circuit.table.columns)} cells.",
        f"Each cell settles {test}, and the circuit votes on {votes}.",
    ]
    return Markdown(" ".join([*sentences, *_outcome_sentences(circuit.table)]))


def _outcome_sentences(table: VoteTable) -> list[str]:
    rows = outcomes(table.votes, table.products)
    sentences = [
        f"Where xy is of the kind “{escaped(table.kinds[o.double_coset])}” ({o.cells} cells), its votes on "
        f"that kind are {_between(o.on_it)} and on every other kind {_between(o.elsewhere)}."
        for o in rows
        if len(rows) <= MOST_OUTCOMES
    ]
    least = min(o.least_lead for o in rows)
    if least > 0:
        return [*sentences, f"So the kind of xy is ahead in every cell, by {decimal(least)} or more."]
    if least == 0:
        return [*sentences, "So no kind is ever ahead of that of xy."]
    return [*sentences, f"In some cell another kind is ahead of that of xy, by up to {decimal(-least)}."]


def _between(values: tuple[float, float]) -> str:
    low, high = (decimal(value) for value in values)
    return low if low == high else f"between {low} and {high}"


def outcomes(votes: Sequence[Sequence[Sequence[float]]], products: Sequence[Sequence[int]]) -> list[Outcome]:
    """The votes of a table [p][q][d], grouped by the double coset that the product of the cell lies in."""
    cells: dict[int, list[Sequence[float]]] = {}
    for row, kinds in zip(votes, products, strict=True):
        for ballot, kind in zip(row, kinds, strict=True):
            cells.setdefault(kind, []).append(ballot)
    found = []
    for kind, ballots in sorted(cells.items()):
        on_it = [ballot[kind] for ballot in ballots]
        others = [[v for d, v in enumerate(ballot) if d != kind] for ballot in ballots]
        elsewhere = [v for rest in others for v in rest] or [0.0]
        leads = [mine - max(rest, default=mine) for mine, rest in zip(on_it, others, strict=True)]
        ranges = (min(on_it), max(on_it)), (min(elsewhere), max(elsewhere))
        found.append(Outcome(kind, len(ballots), *ranges, min(leads)))
    return found
