"""The circuits of a program, largest first, with the vote tables that the summary holds and a label for each row and column."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from reports.coset_voting import Circuit as Voting
from reports.coset_voting import Rows, Signed, Terms, inverse, product
from reports.escaping import one_line
from reports.named_form import NamedForm
from reports.numbers import logit_bits
from reports.records import Record
from reports.words import Words

JOINED = 3  # labels of cosets that a row or column may hold before they are cut short


class VoteTable(NamedTuple):
    """Votes: ``votes[p][q][d]`` for x of row p, y of column q, z of kind d.

    ``products[p][q]`` is the kind of xy, None where it is not settled by the cell. Labels name rows, columns and kinds.
    """

    rows: list[str]
    columns: list[str]
    kinds: list[str]
    products: list[list[int | None]]
    votes: list[list[list[float]]]


class ReportedCircuit(NamedTuple):
    """A circuit by its number in program.py, with its family, forms, neurons and their measured share of energy."""

    number: int
    family: str
    left: NamedForm
    right: NamedForm
    votes: NamedForm
    neurons: tuple[int, ...]
    energy_share: float
    table: VoteTable | None


def circuits(program: Record, summary: Record, words: Words, voting: Sequence[Voting]) -> tuple[ReportedCircuit, ...]:
    """All circuits of a program, those with most energy first; ``voting`` are the same as program.py runs them."""
    names = [record["name"] for record in program["subgroups"]]
    rows = {row["number"]: row for row in summary["circuits"]}
    tables = {table["circuit"]: table for table in summary["vote_tables"]}
    scale = 2 ** logit_bits(program)
    found = []
    for number, record in enumerate(program["circuits"], 1):
        left, right, votes = (NamedForm.of(record[part], names) for part in ("left", "right", "votes"))
        neurons = tuple(neuron["index"] for neuron in record["neurons"])
        row, table = rows[number], None
        if number in tables:
            labels = [
                class_labels(form, part.kind, words) for form, part in zip((left, right, votes), parts(voting[number - 1]), strict=True)
            ]
            stated = tables[number]
            cells = [[[vote / scale for vote in cell] for cell in line] for line in stated["votes"]]
            xs, ys, kinds = ([*map(one_line, label)] for label in labels)
            table = VoteTable(xs, ys, kinds, stated["products"], cells)
        found.append(ReportedCircuit(number, row["family"], left, right, votes, neurons, row["energy_share"], table))
    return tuple(sorted(found, key=lambda circuit: -circuit.energy_share))


def parts(circuit: Voting) -> tuple[Rows, Rows, Rows]:
    """The three functions of a circuit as program.py holds them."""
    return circuit.left, circuit.right, circuit.weights


def class_labels(form: NamedForm, kind: Sequence[int], words: Words) -> list[str]:
    """A label for each class of elements that a circuit does not tell apart, given the class of each element.

    A class of a form on cosets is a coset or several of them, and one of a form that looks at one point is where that is sent, or
    what is sent there; their labels are joined. Any other class is named by its least element and how many more it has.
    """
    size = max(kind, default=-1) + 1
    if form.on in ("right cosets", "left cosets", "double cosets") and len(form.names) <= 2:
        whole = form.whole()
        labels = [label.replace("->", "→") for label in words.labels(form.on, whole, (None,) * len(whole))]
        group = words.group
        signed = [group_of(words, name) for name in whole]
        every: dict[str, Callable[..., tuple[list[Terms], int]]] = {
            "right cosets": group.right_cosets,
            "left cosets": group.left_cosets,
            "double cosets": group.double_cosets,
        }
        coset = [terms[0][0] for terms in every[form.on](*signed)[0]]
        inside: list[list[int]] = [[] for _ in range(size)]
        for number, c in zip(kind, coset, strict=True):
            if c not in inside[number]:
                inside[number].append(c)
        if sum(map(len, inside)) == len(labels):
            return [cut([labels[c] for c in cosets]) for cosets in inside]
    members: list[list[int]] = [[] for _ in range(size)]
    for g, k in enumerate(kind):
        members[k].append(g)
    places = point_labels(form, words)
    if places:
        joint = [list(dict.fromkeys(places[g] for g in elements)) for elements in members]
        if sum(map(len, joint)) == len(set(places)):
            return [cut(labels) for labels in joint]
    return [words.element(g[0]) + (f" or {len(g) - 1} more" if len(g) > 1 else "") for g in members]


def point_labels(form: NamedForm, words: Words) -> list[str] | None:
    """For each element where it sends the one point that a form looks at, or what it sends there: "4→2", with a sign "4→2 odd".

    None where the form looks at several points, or the points have no names of their own.
    """
    looked_at = [point for point, weight in enumerate(form.weights) if weight]
    if form.on not in ("images", "preimages", "shared") or form.parts or len(looked_at) != 1 or not words.named_points(form.names[0]):
        return None
    group, names = words.group, words.points(form.names[0])
    coset = [terms[0][0] for terms in group.right_cosets(group_of(words, form.names[0]))[0]]
    start = group.elements[coset.index(looked_at[0])]
    there, kernel = names[looked_at[0]], form.kernels[0]
    positive = None if kernel is None else set(words.members(kernel))
    even, odd = ("even", "odd") if kernel is None or words.sign_of_group(kernel) == "the sign" else ("+", "-")
    labels = []
    for g in group.elements:
        other = names[coset[group.number[product(start, g if form.on == "images" else inverse(g))]]]
        place = f"{there}→{other}" if form.on == "images" else f"{other}→{there}"
        labels.append(place if positive is None else f"{place} {even if g in positive else odd}")
    return labels


def group_of(words: Words, name: str) -> Signed:
    """A subgroup of the program as program.py holds it."""
    return Signed(words.members(name))


def cut(labels: Sequence[str]) -> str:
    """Labels joined, the later ones of many as a number."""
    if len(labels) <= JOINED:
        return " or ".join(labels)
    return f"{' or '.join(labels[: JOINED - 1])} or {len(labels) - JOINED + 1} more"
