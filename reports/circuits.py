"""The circuits of a program, largest first, with vote tables where they vote on the cosets that they read."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from reports.coset_voting import Permutation, Signed, product
from reports.coset_voting import Program as Voting
from reports.named_form import NamedForm
from reports.program_text import program_constants
from reports.words import Words

SHOWN = 8  # circuits told in words
OF_A_KIND = 2  # of them at most so many on subgroups of one name
CELLS, KINDS = 400, 12  # the largest table that is written out


class VoteTable(NamedTuple):
    """Votes: ``votes[p][q][d]`` for x in right coset p, y in left coset q, z in double coset d.

    ``products[p][q]`` is the double coset that xy lies in. Labels name the cosets.
    """

    rows: list[str]
    columns: list[str]
    kinds: list[str]
    products: list[list[int]]
    votes: list[list[list[float]]]


class ReportedCircuit(NamedTuple):
    """A circuit by its number in program.py, with its forms, neurons and their measured share of energy."""

    number: int
    left: NamedForm
    right: NamedForm
    votes: NamedForm
    neurons: int
    energy_share: float
    cells: tuple[int, int]
    table: VoteTable | None


def circuits(program: dict[str, Any], rows: Sequence[dict[str, Any]], words: Words) -> list[ReportedCircuit]:
    """All circuits of a program, those with most energy first; ``rows`` are the summary's circuits."""
    names = [record["name"] for record in program["subgroups"]]
    energy = {row["number"]: row["energy_share"] for row in rows}
    found = []
    for number, record in enumerate(program["circuits"], 1):
        left, right, votes = (NamedForm.of(record[part], names) for part in ("left", "right", "votes"))
        share = energy[number]
        cells = len(record["neurons"][0]["left"]), len(record["neurons"][0]["right"])
        found.append(ReportedCircuit(number, left, right, votes, len(record["neurons"]), share, cells, None))
    found.sort(key=lambda circuit: -circuit.energy_share)
    voting = Voting(program_constants(program))
    largest = {circuit.number for circuit in told(found)}
    return [circuit._replace(table=vote_table(circuit, voting, words)) if circuit.number in largest else circuit for circuit in found]


def told(found: Sequence[ReportedCircuit]) -> list[ReportedCircuit]:
    """The circuits that a report tells in words: the largest ones, at most two on subgroups of one name."""
    chosen: list[ReportedCircuit] = []
    seen: dict[tuple[str, ...], int] = {}
    for circuit in found:
        stem = tuple(re.split(r"[(#]", name)[0] for form in circuit[1:3] for name in form.whole())
        seen[stem] = seen.get(stem, 0) + 1
        if seen[stem] <= OF_A_KIND and len(chosen) < SHOWN:
            chosen.append(circuit)
    return chosen


def vote_table(circuit: ReportedCircuit, voting: Voting, words: Words) -> VoteTable | None:
    """The table of a circuit that reads Hx and yK and votes on HzK; None where there is none to show.

    A function on cosets of H with a sign is constant on cosets of the sign's kernel: the table is over those.
    """
    if not matching(circuit, words):
        return None
    group = words.group
    names = circuit.left.whole()[0], circuit.right.whole()[0]
    signed = [Signed(words.members(name)) for name in names]
    kind_of = [terms[0][0] for terms in group.double_cosets(*signed)[0]]
    xs, ys = (
        words.least(group.right_cosets(signed[0])),
        words.least(group.left_cosets(signed[1])),
    )
    zs = words.least(group.double_cosets(*signed))
    if len(xs) * len(ys) > CELLS or len(zs) > KINDS:
        return None
    z_numbers = [group.number[z] for z in zs]
    ballots = voting.circuits[circuit.number - 1]

    def cell(x: Permutation, y: Permutation) -> list[float]:
        votes = ballots.votes(group.number[x], group.number[y])
        return [votes[z] / voting.scale for z in z_numbers]

    return VoteTable(
        words.labels("right cosets", names[:1], (None,)),
        words.labels("left cosets", names[1:], (None,)),
        words.labels("double cosets", names, (None, None)),
        [[kind_of[group.number[product(x, y)]] for y in ys] for x in xs],
        [[cell(x, y) for y in ys] for x in xs],
    )


def matching(circuit: ReportedCircuit, words: Words) -> bool:
    """Whether x is read through right cosets of H, y through left ones of K, and votes stand on HzK."""
    left, right, votes = circuit.left, circuit.right, circuit.votes
    if not (_reads(left, "right cosets", words) and _reads(right, "left cosets", words)):
        return False
    if votes.on == "double cosets":
        return votes.entry()[1:] == (*left.entry()[1:], *right.entry()[1:])
    normal = votes.on in ("right cosets", "left cosets") and words.normal(votes.whole()[0])
    return normal and votes.whole() == left.whole() == right.whole()


def _reads(form: NamedForm, on: str, words: Words) -> bool:
    if form.on == on:
        return True
    return form.on in ("right cosets", "left cosets") and form.kernels == (None,) and words.normal(form.names[0])
