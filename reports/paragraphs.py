"""A circuit in words: which products it tests, and what it votes on each outcome."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from reports.coset_voting import Permutation, Signed, product
from reports.numbers import decimal, literal, share
from reports.words import Words

Table = Sequence[Sequence[Sequence[float]]]
SIDES = {"left_on": "right cosets", "right_on": "left cosets", "votes_on": "double cosets"}


class Outcome(NamedTuple):
    """The cells whose product lies in one double coset, and the range of votes on it and on all others."""

    double_coset: int
    cells: int
    on_it: tuple[float, float]
    elsewhere: tuple[float, float]
    least_lead: float


def circuit_paragraph(circuit: dict[str, Any], words: Words) -> str:
    """What a circuit with a table of votes reads, tests and votes, in a few sentences of Markdown."""
    neurons = circuit["neurons"]
    subgroups = f"{literal(circuit['left'])} and {literal(circuit['right'])}"
    opening = (
        f"**Circuit {circuit['number']}** ({neurons} neuron{'s' * (neurons != 1)}, "
        f"{share(circuit['energy_share'])} of the energy, {subgroups})"
    )
    if not reads_cosets(circuit, words):
        return f"{opening} votes on {circuit['votes_on']}; its table is in `summary.json`."
    names = circuit["left"], circuit["right"]
    return " ".join(
        [
            f"{opening} looks at {literal(words.reads('right cosets', names[:1], 'x'))}",
            f"and {literal(words.reads('left cosets', names[1:], 'y'))}:",
            f"{circuit['left_cosets']} × {circuit['right_cosets']} cells.",
            f"For each cell that settles {literal(words.reads('double cosets', names, 'xy'))},",
            f"and the circuit votes on {literal(words.reads('double cosets', names, 'z'))}.",
            *_outcome_sentences(circuit, words),
        ]
    )


def reads_cosets(circuit: dict[str, Any], words: Words) -> bool:
    """Whether a circuit reads Hx and yK and votes on HzK, without signs, H and K named by the program."""
    known = circuit["left"] in words.generators and circuit["right"] in words.generators
    return known and all(circuit[side] == on for side, on in SIDES.items())


def _outcome_sentences(circuit: dict[str, Any], words: Words) -> list[str]:
    names = circuit["left"], circuit["right"]
    labels = words.labels("double cosets", names, (None, None))
    rows = outcomes(circuit["table"], products(names, words))
    sentences = [
        f"Where xy is of the kind “{literal(labels[o.double_coset])}” ({o.cells} cells), its votes on that "
        f"kind are {_between(o.on_it)} and on every other kind {_between(o.elsewhere)}."
        for o in rows
        if len(labels) > 1
    ]
    least = min((o.least_lead for o in rows), default=0.0)
    if len(labels) < 2:
        return sentences
    if least > 0:
        return [*sentences, f"So the kind of xy is ahead in every cell, by {decimal(least)} or more."]
    if least == 0:
        return [*sentences, "So no kind is ever ahead of that of xy."]
    return [*sentences, f"In some cell another kind is ahead of that of xy, by up to {decimal(-least)}."]


def _between(values: tuple[float, float]) -> str:
    low, high = values
    return decimal(low) if low == high else f"between {decimal(low)} and {decimal(high)}"


def products(names: tuple[str, str], words: Words) -> list[list[int]]:
    """For each right coset Hx and left coset yK the number of their product, the double coset HxyK."""
    group = words.group
    signed = [Signed(words.members(name)) for name in names]
    double = [terms[0][0] for terms in group.double_cosets(*signed)[0]]

    def least(form: Any) -> list[Permutation]:
        first: dict[int, Permutation] = {}
        for g, terms in zip(group.elements, form[0], strict=True):
            first.setdefault(terms[0][0], g)
        return list(first.values())

    rows, columns = least(group.right_cosets(signed[0])), least(group.left_cosets(signed[1]))
    return [[double[group.number[product(x, y)]] for y in columns] for x in rows]


def outcomes(table: Table, kinds: Sequence[Sequence[int]]) -> list[Outcome]:
    """The votes of a table [p][q][d], grouped by the double coset that the product of the cell lies in."""
    cells: dict[int, list[Sequence[float]]] = {}
    for row, row_kinds in zip(table, kinds, strict=True):
        for votes, kind in zip(row, row_kinds, strict=True):
            cells.setdefault(kind, []).append(votes)
    found = []
    for kind, ballots in sorted(cells.items()):
        on_it = [votes[kind] for votes in ballots]
        others = [[v for d, v in enumerate(votes) if d != kind] for votes in ballots]
        elsewhere = [v for votes in others for v in votes] or [0.0]
        leads = [mine - max(rest, default=mine) for mine, rest in zip(on_it, others, strict=True)]
        ranges = (min(on_it), max(on_it)), (min(elsewhere), max(elsewhere))
        found.append(Outcome(kind, len(ballots), *ranges, min(leads)))
    return found
