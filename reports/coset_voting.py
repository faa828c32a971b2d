"""How a coset-voting program is read and run, with the standard library alone.

This module is part of every `program.py`: `reports.program_text` puts a program's constants in front of it.
Permutations are tuples of 0-based images, written in cycle notation from 1; xy applies x first, then y.
Elements of the group are numbered in lexicographic order, cosets by their least element.
"""

import hashlib
import sys
from collections.abc import Callable, Iterable, Sequence
from operator import add, eq, mul
from typing import TypeAlias, TypedDict

Permutation = tuple[int, ...]
Terms = list[tuple[int, int]]  # (place in a list of constants, factor), to be added up
Column = tuple[Sequence[int], Sequence[int]]  # the same for all elements: one place and one factor for each
Orbit = Callable[[Permutation], list[tuple[Permutation, int]]]


class More(TypedDict, total=False):
    """What a form on points has beside a subgroup."""

    weights: list[int]
    rank: int
    constant: bool


Form: TypeAlias = "tuple[Entry, ...]"  # ("double cosets", "H", ("K", "kernel")), ("images", "H", {"weights": [1, 0]})
Entry: TypeAlias = "str | More | Form"


class CircuitConstants(TypedDict):
    """A circuit in PROGRAM; of each neuron its number in the network and its lists for x, y and z."""

    left: Form
    right: Form
    votes: Form
    neurons: list[tuple[int, list[int], list[int], list[int]]]


class Activation(TypedDict, total=False):
    """What PROGRAM has where neurons take squares."""

    squares: bool


class Constants(Activation):
    """PROGRAM."""

    group: str
    degree: int
    generators: list[str]
    subgroups: dict[str, list[str]]
    preactivation_bits: int
    vote_bits: int
    scale_bits: int
    bias: list[int]
    circuits: list[CircuitConstants]


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

    A form turns a short list t into a function f on the group: f(g) is the sum of factor * t[place] over the
    terms of g. Each method returns the terms of every g, in the order of the elements, and the length of t;
    of forms with many terms it returns columns, one term of every g each.
    """

    def __init__(self, generators: Iterable[str], degree: int) -> None:
        self.degree = degree
        self.elements = generated(generators, degree)
        self.number = {x: n for n, x in enumerate(self.elements)}
        self._moved: dict[Signed, list[list[int]]] = {}
        self._signs: dict[Signed, list[int]] = {}

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

    def coset_matrix(self, subgroup: Signed, whole: Signed) -> tuple[list[Column], int]:
        """f(g) = sign(g) times the sum over right cosets p of H of t[p, pg]."""
        moved, signs = self.points(subgroup), self.signs(whole)
        count = len(moved)
        return [([p * count + q for q in row], signs) for p, row in enumerate(moved)], count * count

    def points(self, subgroup: Signed) -> list[list[int]]:
        """Where each element takes each point: points are right cosets of H, and p goes to pg."""
        if subgroup not in self._moved:
            label = [terms[0][0] for terms in self.right_cosets(Signed([h for h, _ in subgroup.signs]))[0]]
            least = [self.elements[label.index(p)] for p in range(max(label) + 1)]
            self._moved[subgroup] = [[label[self.number[product(r, g)]] for g in self.elements] for r in least]
        return self._moved[subgroup]

    def signs(self, whole: Signed) -> list[int]:
        """The sign of each element, for a homomorphism of the whole group."""
        if whole not in self._signs:
            found = {self.number[g]: sign for g, sign in whole.signs}
            self._signs[whole] = [found[n] for n in range(len(self.elements))]
        return self._signs[whole]

    def images(self, subgroup: Signed, whole: Signed, a: Sequence[int]) -> tuple[list[Column], int]:
        """f(g) = sign(g) times the sum over points p of a[p] t[pg]."""
        moved, signs = self.points(subgroup), self.signs(whole)
        factors = {weight: [weight * sign for sign in signs] for weight in {*a}}
        return [(row, factors[a[p]]) for p, row in enumerate(moved) if a[p]], len(moved)

    def preimages(self, subgroup: Signed, whole: Signed, d: Sequence[int]) -> tuple[list[Column], int]:
        """f(g) = sign(g) times the sum over points p of t[p] d[pg]."""
        moved, signs = self.points(subgroup), self.signs(whole)
        n = len(signs)
        return [([p] * n, list(map(mul, signs, map(d.__getitem__, row)))) for p, row in enumerate(moved)], len(moved)

    def single_elements(self) -> tuple[list[Terms], int]:
        """f(g) = t[g]."""
        return [[(n, 1)] for n in range(len(self.elements))], len(self.elements)


def _with_constant(subgroup: Signed, form: tuple[list[Terms], int]) -> tuple[list[Terms], int]:
    terms, size = form
    return ([[*places, (size, 1)] for places in terms], size + 1) if subgroup.twisted else form


Function = list[int]  # its value at each element, by the element's number


def in_columns(terms: Sequence[Terms]) -> list[Column]:
    """Terms of every element as columns; where an element has fewer than others, a factor is 0."""
    most = max(map(len, terms))
    filled = [[*places, *[(0, 0)] * (most - len(places))] for places in terms]
    return [([row[k][0] for row in filled], [row[k][1] for row in filled]) for k in range(most)]


def of_list(columns: Sequence[Column], t: Sequence[int], count: int) -> Function:
    """The function that a form makes of a list, on ``count`` elements."""
    total = [0] * count
    for places, factors in columns:
        total = list(map(add, total, map(mul, factors, map(t.__getitem__, places))))
    return total


class Rows:
    """What the neurons of one circuit read from, or give to, each element.

    ``rows[kind[g]]`` holds one integer per neuron: the value at g of the neuron's function. Elements that look
    alike to all neurons of the circuit share a row.
    """

    def __init__(self, functions: Sequence[Function]) -> None:
        numbers: dict[tuple[int, ...], int] = {}
        self.kind = [numbers.setdefault(row, len(numbers)) for row in zip(*functions, strict=True)]
        self.rows = list(numbers)


class Circuit:
    """Neurons that read x through one form, y through another, and vote on z through a third."""

    KEPT = 2500  # a circuit with more cells than this works its votes out anew for every pair

    def __init__(self, left: Rows, right: Rows, votes: Rows, squares: bool = False) -> None:
        self.left, self.right, self.weights, self.squares = left, right, votes, squares
        self.cells: dict[tuple[int, int], list[int]] = {}

    def votes(self, x: int, y: int) -> list[int]:
        """For each z, the sum over neurons of relu(l(x) + r(y)) * u(z), or with squares in place of relu."""
        cell = self.left.kind[x], self.right.kind[y]
        if cell in self.cells:
            return self.cells[cell]
        sums = map(add, self.left.rows[cell[0]], self.right.rows[cell[1]])
        pushes = [value * value if self.squares else max(0, value) for value in sums]
        by_kind = [sum(map(mul, pushes, row)) for row in self.weights.rows]
        votes = [by_kind[k] for k in self.weights.kind]
        if len(self.left.rows) * len(self.right.rows) <= self.KEPT:
            self.cells[cell] = votes
        return votes


def named(name: Entry) -> tuple[str, str | None]:
    """(subgroup, kernel of the sign on it or None), given by one name or by a pair of them."""
    match name:
        case str():
            return name, None
        case (str() as subgroup, str() as kernel):
            return subgroup, kernel
    raise ValueError(f"expected the name of a subgroup, or a pair of names, not {name}")


def on_points(form: Form) -> tuple[Entry, More]:
    """(name, weights and the like) of a form on the points of one subgroup."""
    _, name, more = form
    if not isinstance(more, dict):
        raise ValueError(f"expected weights in a form on points, not {more}")
    return name, more


class Program:
    """A coset-voting program: the answer to (x, y) is the z with the most votes, if there is only one."""

    def __init__(self, constants: Constants) -> None:
        self.group = Group(constants["generators"], constants["degree"])
        self.unit = 2 ** constants["scale_bits"]
        self.squares = constants.get("squares", False)
        power = 2 if self.squares else 1
        self.scale = 2 ** constants["vote_bits"] * (2 ** constants["preactivation_bits"] * self.unit) ** power
        named = constants["subgroups"].items()
        self.subgroups = {name: generated(generators, self.group.degree) for name, generators in named}
        self._pairs: dict[tuple[str, str | None], tuple[Signed, Signed]] = {}
        self._forms: dict[tuple[object, ...], tuple[list[Column], int]] = {}
        self.bias = [self.unit**power * value for value in constants["bias"] or [0] * len(self.group.elements)]
        self.circuits = [self._circuit(c) for c in constants["circuits"]]

    def _circuit(self, constants: CircuitConstants) -> Circuit:
        _, *lists = zip(*constants["neurons"], strict=True)
        left, right, votes = constants["left"], constants["right"], constants["votes"]
        x, z = self.functions(left, lists[0]), self.functions(votes, lists[2])
        y = self._shared(right, lists[0], lists[1]) if right[0] == "shared" else self._scaled(self.functions(right, lists[1]))
        return Circuit(Rows(self._scaled(x)), Rows(y), Rows(z), self.squares)

    def _scaled(self, functions: Sequence[Function]) -> list[Function]:
        return [[self.unit * value for value in function] for function in functions]

    def _shared(self, form: Form, lists: Sequence[Sequence[int]], numbers: Sequence[Sequence[int]]) -> list[Function]:
        """What neurons read of y through their lists of x: s times preimages, plus a constant, in units of 1 / scale."""
        name, given = on_points(form)
        weights, constant = given["weights"], given.get("constant", False)
        if any(len(t) != 1 + constant for t in numbers):
            raise ValueError(f"expected lists of {1 + constant} integers beside a shared list")
        read = self.functions(("preimages", name, {"weights": weights}), [t[: len(weights)] for t in lists])
        ends = [self.unit * t[1] if constant else 0 for t in numbers]
        return [[t[0] * value + end for value in function] for t, function, end in zip(numbers, read, ends, strict=True)]

    def functions(self, form: Form, lists: Sequence[Sequence[int]]) -> list[Function]:
        """The functions on the group that a form makes of lists; the form as PROGRAM writes it."""
        if form[0] == "rank":
            return [self._of_rank(*on_points(form), t) for t in lists]
        parts = [self.columns(part) for part in (form[1:] if form[0] == "sum" else [form]) if isinstance(part, tuple)]
        size, count = sum(size for _, size in parts), len(self.group.elements)
        for t in lists:
            if len(t) != size:
                raise ValueError(f"expected lists of {size} integers, not of {len(t)}")
        totals = [[0] * count for _ in lists]
        start = 0
        for columns, length in parts:
            for k, t in enumerate(lists):
                totals[k] = list(map(add, totals[k], of_list(columns, t[start : start + length], count)))
            start += length
        return totals

    def _of_rank(self, name: Entry, more: More, t: Sequence[int]) -> Function:
        """f(g) = sign(g) times the sum over s and points p of alpha_s[p] beta_s[pg], t = alpha_1, beta_1, alpha_2, ..."""
        subgroup, whole = self._on_points(name)
        moved, signs = self.group.points(subgroup), self.group.signs(whole)
        n, rank, constant = len(moved), more["rank"], more.get("constant", False)
        if len(t) != 2 * rank * n + constant:
            raise ValueError(f"expected lists of {2 * rank * n + constant} integers, not of {len(t)}")
        pairs = [(t[2 * s * n + p], t[(2 * s + 1) * n : (2 * s + 2) * n], moved[p]) for s in range(rank) for p in range(n)]
        end = t[-1] if constant else 0
        return [sign * sum(alpha * beta[row[g]] for alpha, beta, row in pairs) + end for g, sign in enumerate(signs)]

    def _on_points(self, name: Entry) -> tuple[Signed, Signed]:
        """A subgroup, and the whole group with the sign whose kernel stands beside it; the same pair for the same name."""
        subgroup, kernel = named(name)
        if (subgroup, kernel) not in self._pairs:
            whole = Signed(self.group.elements, None if kernel is None else self.subgroups[kernel])
            self._pairs[subgroup, kernel] = Signed(self.subgroups[subgroup]), whole
        return self._pairs[subgroup, kernel]

    def columns(self, form: Form) -> tuple[list[Column], int]:
        """A form by name, but for sums; a pair of names is a subgroup with the kernel of a sign, and a dictionary holds weights."""
        kind = form[0]
        if kind == "coset matrix":
            return self.group.coset_matrix(*self._on_points(form[1]))
        if kind in ("images", "preimages"):
            name, more = on_points(form)
            make = self.group.images if kind == "images" else self.group.preimages
            columns, size = make(*self._on_points(name), more["weights"])
            ends = [size] * len(self.group.elements), [1] * len(self.group.elements)
            return ([*columns, ends], size + 1) if more.get("constant", False) else (columns, size)
        if form not in self._forms:
            terms, size = self._on_cosets(form)
            self._forms[form] = in_columns(terms), size
        return self._forms[form]

    def _on_cosets(self, form: Form) -> tuple[list[Terms], int]:
        """A form without weights by name."""
        kind, *given = form
        pairs = [named(name) for name in given]
        signed = [Signed(self.subgroups[name], None if kernel is None else self.subgroups[kernel]) for name, kernel in pairs]
        forms: dict[object, Callable[..., tuple[list[Terms], int]]] = {
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
        counts = f"{right} of {pairs} pair{'s' * (pairs != 1)} right, {ties} tie{'s' * (ties != 1)}"
        return f"{counts}\nSHA-256 of the answers {digest.hexdigest()}"


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
