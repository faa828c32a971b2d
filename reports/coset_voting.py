"""How a coset-voting program is read and run, with the standard library alone.

This module is part of every `program.py`: `reports.program_text` puts a program's constants in front of it.
Permutations are tuples of 0-based images, written in cycle notation from 1; xy applies x first, then y.
Elements of the group are numbered in lexicographic order, cosets by their least element.
"""

import hashlib
import sys
from collections.abc import Callable, Iterable, Sequence
from operator import add, eq, mul
from typing import Any

Permutation = tuple[int, ...]
Terms = list[tuple[int, int]]  # (place in a list of constants, +1 or -1), to be added up
Orbit = Callable[[Permutation], list[tuple[Permutation, int]]]

TIE = -1


def parse_cycles(text: str, degree: int) -> Permutation:
    """The permutation written as "(1 2 3)(4 5)"; "()" is the identity."""
    body = text.replace(",", " ").strip()
    if not (body.startswith("(") and body.endswith(")")):
        raise ValueError(f"expected cycles such as (1 2 3)(4 5), not {text!r}")
    images = tuple(range(degree))
    for cycle in body[1:-1].split(")"):
        words = cycle.strip().removeprefix("(").split()
        points = [int(word) - 1 for word in words if word.isdecimal() and 1 <= int(word) <= degree]
        if len(set(points)) != len(words):
            raise ValueError(f"expected different points from 1 to {degree} in a cycle, not {words}")
        step = dict(zip(points, points[1:] + points[:1], strict=True))
        images = tuple(step.get(image, image) for image in images)
    return images


def format_cycles(images: Sequence[int]) -> str:
    """Cycle notation, each cycle from its least point."""
    text, seen = "", set[int]()
    for start in range(len(images)):
        cycle = []
        point = start
        while point not in seen:
            seen.add(point)
            cycle.append(str(point + 1))
            point = images[point]
        if len(cycle) > 1:
            text += f"({' '.join(cycle)})"
    return text or "()"


def product(x: Permutation, y: Permutation) -> Permutation:
    """xy: first x, then y."""
    return tuple([y[image] for image in x])


def inverse(x: Permutation) -> Permutation:
    """The permutation that undoes x."""
    return tuple(sorted(range(len(x)), key=x.__getitem__))


def generated(generators: Iterable[str], degree: int) -> list[Permutation]:
    """The group of all products of the generators, in lexicographic order."""
    steps = [parse_cycles(text, degree) for text in generators]
    newest = {tuple(range(degree))}
    found = set(newest)
    while newest:
        newest = {product(x, step) for x in newest for step in steps} - found
        found |= newest
    return sorted(found)


class Signed:
    """A subgroup H with a homomorphism to +1 and -1, which is +1 on ``kernel`` (all of H when None)."""

    def __init__(self, members: list[Permutation], kernel: list[Permutation] | None = None) -> None:
        plus = set(members if kernel is None else kernel)
        self.signs = [(h, 1 if h in plus else -1) for h in members]
        self.twisted = kernel is not None


class Group:
    """A permutation group with its elements, their numbers, and the forms of functions on it.

    A form turns a short list t into a function f on the group: f(g) is the sum of sign * t[place] over the
    terms of g. Each method returns the terms of every g, in the order of the elements, and the length of t.
    """

    def __init__(self, generators: Iterable[str], degree: int) -> None:
        self.degree = degree
        self.elements = generated(generators, degree)
        self.number = {x: n for n, x in enumerate(self.elements)}

    def right_cosets(self, subgroup: Signed) -> tuple[list[Terms], int]:
        """f(hr) = sign(h) t[coset Hr], r the least element of its coset; with a sign, plus the last of t."""
        return _with_constant(subgroup, self._right(subgroup))

    def left_cosets(self, subgroup: Signed) -> tuple[list[Terms], int]:
        """f(rh) = sign(h) t[coset rH], r the least element of its coset; with a sign, plus the last of t."""
        return _with_constant(subgroup, self._left(subgroup))

    def _right(self, subgroup: Signed) -> tuple[list[Terms], int]:
        return self._orbits(lambda r: [(product(h, r), sign) for h, sign in subgroup.signs])

    def _left(self, subgroup: Signed) -> tuple[list[Terms], int]:
        return self._orbits(lambda r: [(product(r, h), sign) for h, sign in subgroup.signs])

    def coset_sum(self, first: Signed, second: Signed) -> tuple[list[Terms], int]:
        """f(g) = t[coset Hg] + t[number of right cosets of H + coset gK], each with its sign."""
        (right, size), (left, more) = self._right(first), self._left(second)
        shifted = ([(size + place, sign) for place, sign in places] for places in left)
        return [a + b for a, b in zip(right, shifted, strict=True)], size + more

    def double_cosets(self, first: Signed, second: Signed) -> tuple[list[Terms], int]:
        """f(hrk) = sign(h) sign(k) t[double coset HrK], and 0 where these signs contradict one another."""

        def orbit(r: Permutation) -> list[tuple[Permutation, int]]:
            found: dict[Permutation, int] = {}
            again = []
            for h, sign in first.signs:
                hr = product(h, r)
                if hr in found:  # then all of hrK is there, and its signs agree if this one does
                    again.append((hr, sign))
                else:
                    found |= {product(hr, k): sign * other for k, other in second.signs}
            return [*found.items(), *again]

        return self._orbits(orbit)

    def _orbits(self, orbit: Orbit) -> tuple[list[Terms], int]:
        terms: dict[int, Terms] = {}
        size = 0
        for n, r in enumerate(self.elements):
            if n in terms:
                continue
            members = orbit(r)
            signs = dict(members)
            contradiction = any(signs[g] != sign for g, sign in members)  # for a g that comes twice
            for g, sign in signs.items():
                terms[self.number[g]] = [] if contradiction else [(size, sign)]
            size += not contradiction
        return [terms[n] for n in range(len(self.elements))], size

    def coset_matrix(self, subgroup: Signed, whole: Signed) -> tuple[list[Terms], int]:
        """f(g) = sign(g) times the sum over right cosets p of H of t[p, pg]."""
        label = [terms[0][0] for terms in self.right_cosets(Signed([h for h, _ in subgroup.signs]))[0]]
        count = max(label) + 1
        least = [self.elements[label.index(p)] for p in range(count)]
        terms: list[Terms] = [[] for _ in self.elements]
        for g, sign in whole.signs:
            terms[self.number[g]] = [(p * count + label[self.number[product(r, g)]], sign) for p, r in enumerate(least)]
        return terms, count * count

    def single_elements(self) -> tuple[list[Terms], int]:
        """f(g) = t[g]."""
        return [[(n, 1)] for n in range(len(self.elements))], len(self.elements)


def _with_constant(subgroup: Signed, form: tuple[list[Terms], int]) -> tuple[list[Terms], int]:
    terms, size = form
    return ([[*places, (size, 1)] for places in terms], size + 1) if subgroup.twisted else form


class Rows:
    """What the neurons of one circuit read from, or give to, each element.

    ``rows[kind[g]]`` holds one integer per neuron: the value at g of the function that the form makes of the
    neuron's list. Elements that look alike to all neurons of the circuit share a row.
    """

    def __init__(self, form: tuple[list[Terms], int], lists: Sequence[Sequence[int]]) -> None:
        terms, size = form
        if any(len(t) != size for t in lists):
            raise ValueError(f"expected lists of {size} integers, not of {sorted({len(t) for t in lists})}")
        columns = [[sum(sign * t[place] for place, sign in places) for places in terms] for t in lists]
        by_element = list(zip(*columns, strict=True)) or [()] * len(terms)
        numbers: dict[tuple[int, ...], int] = {}
        self.kind = [numbers.setdefault(row, len(numbers)) for row in by_element]
        self.rows = list(numbers)


class Circuit:
    """Neurons that read x through one form, y through another, and vote on z through a third."""

    KEPT = 2500  # a circuit with more cells than this works its votes out anew for every pair

    def __init__(self, left: Rows, right: Rows, votes: Rows) -> None:
        self.left, self.right, self.weights = left, right, votes
        self.cells: dict[tuple[int, int], list[int]] = {}

    def votes(self, x: int, y: int) -> list[int]:
        """For each z, the sum over neurons of relu(l(x) + r(y)) * u(z)."""
        cell = self.left.kind[x], self.right.kind[y]
        if cell in self.cells:
            return self.cells[cell]
        sums = map(add, self.left.rows[cell[0]], self.right.rows[cell[1]])
        pushes = [max(0, value) for value in sums]
        by_kind = [sum(map(mul, pushes, row)) for row in self.weights.rows]
        votes = [by_kind[k] for k in self.weights.kind]
        if len(self.left.rows) * len(self.right.rows) <= self.KEPT:
            self.cells[cell] = votes
        return votes


class Program:
    """A coset-voting program: the answer to (x, y) is the z with the most votes, if there is only one."""

    def __init__(self, constants: dict[str, Any]) -> None:
        self.group = Group(constants["generators"], constants["degree"])
        self.scale = 2 ** (constants["preactivation_bits"] + constants["vote_bits"])
        named = constants["subgroups"].items()
        self.subgroups = {name: generated(generators, self.group.degree) for name, generators in named}
        self.bias: list[int] = constants["bias"] or [0] * len(self.group.elements)
        self.circuits = [self._circuit(c) for c in constants["circuits"]]

    def _circuit(self, constants: dict[str, Any]) -> Circuit:
        _, *lists = zip(*constants["neurons"], strict=True)
        forms = (self.form(*constants[part]) for part in ("left", "right", "votes"))
        return Circuit(*map(Rows, forms, lists))

    def form(self, kind: str, *names: str | tuple[str, str]) -> tuple[list[Terms], int]:
        """A form by name; a pair of names is a subgroup with the kernel of its sign."""
        pairs = [(name, None) if isinstance(name, str) else name for name in names]
        signed = [Signed(self.subgroups[name], None if kernel is None else self.subgroups[kernel]) for name, kernel in pairs]
        if kind == "coset matrix":
            kernel = pairs[0][1]
            return self.group.coset_matrix(
                Signed(self.subgroups[pairs[0][0]]),
                Signed(self.group.elements, None if kernel is None else self.subgroups[kernel]),
            )
        forms: dict[str, Callable[..., tuple[list[Terms], int]]] = {
            "right cosets": self.group.right_cosets,
            "left cosets": self.group.left_cosets,
            "double cosets": self.group.double_cosets,
            "coset sum": self.group.coset_sum,
            "elements": self.group.single_elements,
        }
        return forms[kind](*signed)

    def votes(self, x: int, y: int) -> list[int]:
        """The votes of all circuits and the bias on every z, in units of 1 / scale."""
        ballots = [self.bias, *(circuit.votes(x, y) for circuit in self.circuits)]
        return [sum(on_z) for on_z in zip(*ballots, strict=True)]

    def answer(self, x: int, y: int) -> int:
        """The number of the z with the most votes, or TIE."""
        votes = self.votes(x, y)
        most = max(votes)
        return TIE if votes.count(most) > 1 else votes.index(most)

    def explain(self, x: int, y: int, shown: int) -> str:
        """The answer to one pair and the votes for the ``shown`` elements that have most of them."""
        elements, votes = self.group.elements, self.votes(x, y)
        answer = self.answer(x, y)
        true = self.group.number[product(elements[x], elements[y])]
        verdict = "a tie" if answer == TIE else format_cycles(elements[answer])
        lines = [f"{format_cycles(elements[x])} * {format_cycles(elements[y])} = {verdict}"]
        if answer != true:
            lines.append(f"The program is wrong here: the product is {format_cycles(elements[true])}.")
        ranking = sorted(range(len(votes)), key=lambda z: (-votes[z], z))
        lines += [f"{votes[z] / self.scale:14.6f}  {format_cycles(elements[z])}" for z in ranking[:shown]]
        if shown < len(votes):
            lines.append(f"... and {len(votes) - shown} more; --votes shows all")
        return "\n".join(lines)

    def table(self) -> list[list[int]]:
        """The answers to all pairs, one list for each x."""
        numbers = range(len(self.group.elements))
        return [[self.answer(x, y) for y in numbers] for x in numbers]

    def summary(self) -> str:
        """How many of all pairs are answered rightly, and the SHA-256 that the certificate states."""
        elements, number = self.group.elements, self.group.number
        table = self.table()
        digest = hashlib.sha256(b"".join(z.to_bytes(2, "big", signed=True) for row in table for z in row))
        true = ([number[product(x, y)] for y in elements] for x in elements)
        right = sum(sum(map(eq, row, products)) for row, products in zip(table, true, strict=True))
        ties = sum(row.count(TIE) for row in table)
        pairs = len(elements) ** 2
        return f"{right} of {pairs} pairs right, {ties} ties\nSHA-256 of the answers {digest.hexdigest()}"


def main(arguments: list[str], program: Program, usage: str) -> int:
    """The command line of a `program.py`."""
    if arguments == ["--all"]:
        print(program.summary())
        return 0
    texts = [text for text in arguments if text != "--votes"]
    if len(texts) != 2:
        print(usage, file=sys.stderr)
        return 2
    try:
        x, y = (program.group.number[parse_cycles(text, program.group.degree)] for text in texts)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyError as error:
        print(f"{format_cycles(error.args[0])} is not an element of the group", file=sys.stderr)
        return 2
    print(program.explain(x, y, len(program.bias) if "--votes" in arguments else 10))
    return 0
