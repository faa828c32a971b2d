"""Forms in words: what a circuit looks at, said in terms of points wherever that is exact.

The stabiliser of a point or set is said by where a permutation sends it: x and x' lie in one right coset of
Stab(5) when they send 5 to the same point, y and y' in one left coset of Stab(2) when they send the same
point to 2. A subgroup H that is its own normalizer is the stabiliser of itself under conjugation: x and x'
lie in one right coset of H when x^-1 H x is the same subgroup for both. Whatever is neither is named only.
"""

from collections.abc import Callable, Sequence
from functools import cache
from itertools import combinations
from typing import NamedTuple

from reports.coset_voting import (
    Group,
    Permutation,
    Signed,
    Terms,
    format_cycles,
    generated,
    inverse,
    parse_cycles,
    product,
)
from reports.records import Record

PointNumbers = tuple[int, ...]
MOST_CYCLES = 60  # letters of an element in cycle notation


class Looks(NamedTuple):
    """What right cosets say: where x sends each of ``sets`` and, if ``parity``, whether x is even."""

    sets: tuple[PointNumbers, ...]
    parity: bool


class Words:
    """Describes the forms of one program, given its records of the group and of the subgroups."""

    def __init__(self, record: Record, subgroups: Sequence[Record]) -> None:
        self.group = Group(record["generators"], record["degree"])
        self.generators: dict[str, Sequence[str]] = {s["name"]: s["generators"] for s in subgroups}
        self.members = cache(self._members)
        self.looks = cache(self._looks)
        self.conjugates = cache(self._conjugates)
        self.class_of = cache(self._class_of)
        self.reads = cache(self._reads)
        self.labels = cache(self._labels)
        self.looks_of_pair = cache(self._looks_of_pair)
        self.points = cache(self._points)

    def element(self, number: int) -> str:
        """The element with this number in cycle notation, or its number where that is long; -1 is a tie."""
        if number < 0:
            return "a tie"
        cycles = format_cycles(self.group.elements[number])
        return cycles if len(cycles) <= MOST_CYCLES else f"element {number}"

    def product_number(self, x: int, y: int) -> int:
        """The number of xy."""
        elements = self.group.elements
        return self.group.number[product(elements[x], elements[y])]

    def product(self, x: int, y: int) -> str:
        """The product xy of two elements, given by their numbers, in cycle notation."""
        return self.element(self.product_number(x, y))

    def _members(self, name: str) -> list[Permutation]:
        return generated(self.generators[name], self.group.degree)

    def _looks(self, name: str) -> Looks | None:
        """How the cosets of a subgroup are told apart, or None where points and parity don't say it.

        A subgroup H lies in the stabiliser of any set of its orbits; it is that stabiliser, or the even part
        of it, when the orders agree.
        """
        members = self.members(name)
        even = all(is_even(parse_cycles(text, self.group.degree)) for text in self.generators[name])
        points = range(self.group.degree)
        orbits = sorted({tuple(sorted({h[i] for h in members})) for i in points}, key=_by_size)
        for count in range(len(orbits)):
            for sets in combinations(orbits, count):
                kept = [g for g in self.group.elements if all(image_of(s, g) == s for s in sets)]
                if len(kept) == len(members):
                    return Looks(sets, parity=False)
                if even and sum(map(is_even, kept)) == len(members):
                    return Looks(sets, parity=True)
        return None

    def _conjugates(self, name: str) -> dict[frozenset[Permutation], str] | None:
        """The names of all x^-1 H x, if there are as many as cosets and the program names each of them."""
        order = len(self.members(name))
        named = {frozenset(self.members(n)): n for n in self.generators if len(self.members(n)) == order}
        found = self.class_of(name)
        if len(found) != self._index(name) or not found <= named.keys():
            return None
        return {members: named[members] for members in found}

    def _class_of(self, name: str) -> frozenset[frozenset[Permutation]]:
        """All x^-1 H x."""
        representatives = self.least(self.group.right_cosets(Signed(self.members(name))))
        return frozenset(frozenset(self._conjugate(name, x)) for x in representatives)

    def least(self, form: tuple[list[Terms], int]) -> list[Permutation]:
        """The least element that each constant of a form stands for."""
        first: dict[int, Permutation] = {}
        for g, places in zip(self.group.elements, form[0], strict=True):
            for place, _ in places[:1]:
                first.setdefault(place, g)
        return [first[k] for k in sorted(first)]

    def normal(self, name: str) -> bool:
        """Whether right and left cosets of a subgroup are the same."""
        subgroup = Signed(self.members(name))
        return self.group.right_cosets(subgroup) == self.group.left_cosets(subgroup)

    def _conjugate(self, name: str, x: Permutation) -> list[Permutation]:
        back = inverse(x)
        return [product(product(back, h), x) for h in self.members(name)]

    def moved(self, name: str, x: Permutation) -> str:
        """The name of x^-1 H x."""
        return (self.conjugates(name) or {})[frozenset(self._conjugate(name, x))]

    def _reads(self, on: str, names: tuple[str, ...], variable: str) -> str:
        """A phrase for what a form can tell about ``variable``, such as "where x sends 5"."""
        if on == "elements" or len(self.members(names[0])) == 1:
            return f"which element {variable} is"
        if on == "coset matrix":
            looks = self.looks(names[0])
            if looks == Looks((), parity=True):
                return f"whether {variable} is even"
            if looks and len(looks.sets) == 1 and len(looks.sets[0]) == 1 and not looks.parity:
                return f"where {variable} sends each of the {self._index(names[0])} points"
            return f"where {variable} moves each of the {self._index(names[0])} right cosets of {names[0]}"
        if on == "coset sum":
            first, second = (
                self.reads("right cosets", names[:1], variable),
                self.reads("left cosets", names[1:], variable),
            )
            return first if first == second else f"{first} and {second}"
        if on == "double cosets":
            return self._reads_double(names[0], names[1], variable)
        looks = self.looks(names[0])
        if looks is None and self.conjugates(names[0]):
            moves = f"{names[0]} to" if on == "right cosets" else f"to {names[0]}"
            return f"which conjugate {variable} moves {moves}"
        if looks is None:
            return f"which of the {self._index(names[0])} {on} of {names[0]} {variable} lies in"
        if on == "right cosets":
            phrases = [f"where {variable} sends {set_of(s)}" for s in looks.sets]
        else:
            phrases = [f"what {variable} sends to {set_of(s)}" for s in looks.sets]
        return " and ".join(phrases + [f"whether {variable} is even"] * looks.parity) or "nothing"

    def _reads_double(self, first: str, second: str, variable: str) -> str:
        looks = self.looks_of_pair((first, second))
        if looks is not None:
            return " and ".join(self._tests(*looks, variable)) or "nothing"
        if self._moves_to(first, second):
            return f"whether {variable} moves {first} to {second}"
        return f"which double coset of {first} and {second} {variable} lies in"

    def _tests(self, one: PointNumbers, other: PointNumbers, parity: bool, variable: str) -> list[str]:
        tests = [f"whether {variable} is even"] * parity
        if not one:
            return tests
        if len(one) == 1:
            verb = "to" if len(other) == 1 else "into"
            return [f"whether {variable} sends {set_of(one)} {verb} {set_of(other)}", *tests]
        return [f"how many points of {set_of(one)} {variable} sends into {set_of(other)}", *tests]

    def _looks_of_pair(self, names: tuple[str, ...]) -> tuple[PointNumbers, PointNumbers, bool] | None:
        """Sets S, T and whether parity counts, where these tell all double cosets HzK apart; None where not.

        When H keeps S and K keeps T, all elements of HzK send equally many points of S into T; when both hold
        even permutations only, they have one parity. That tells the double cosets apart if it takes as many
        values as there are double cosets.
        """
        looks = [self.looks(name) for name in names]
        if looks[0] is None or looks[1] is None or looks[0].parity != looks[1].parity:
            return None
        sets = [one.sets[0] if len(one.sets) == 1 else () for one in (looks[0], looks[1])]
        found = sets[0], sets[1], looks[0].parity
        form = self.group.double_cosets(*(Signed(self.members(name)) for name in names))
        return found if len({self._signature(*found, z) for z in self.least(form)}) == form[1] else None

    def _signature(self, one: PointNumbers, other: PointNumbers, parity: bool, z: Permutation) -> tuple[int, bool]:
        return len(set(image_of(one, z)) & set(other)), parity and is_even(z)

    def _moves_to(self, first: str, second: str) -> bool:
        """Whether H and K are conjugate, named by their conjugates, and have two double cosets."""
        if second not in (self.conjugates(first) or {}).values():
            return False
        return self.group.double_cosets(Signed(self.members(first)), Signed(self.members(second)))[1] == 2

    def _index(self, name: str) -> int:
        return len(self.group.elements) // len(self.members(name))

    def _labels(self, on: str, names: tuple[str, ...], kernels: tuple[str | None, ...]) -> list[str]:
        """A short label for each constant of a form on right, left or double cosets, in their order."""
        pairs = zip(names, kernels, strict=True)
        signed = [Signed(self.members(h), None if k is None else self.members(k)) for h, k in pairs]
        forms: dict[str, Callable[..., tuple[list[Terms], int]]] = {
            "right cosets": self.group.right_cosets,
            "left cosets": self.group.left_cosets,
            "double cosets": self.group.double_cosets,
        }
        least = self.least(forms[on](*signed))
        labels = [self._label(on, names, g) for g in least]
        if any(kernels):  # the constant is the value at the least element, so that has to be said
            return [format_cycles(g) if on == "double cosets" else _at(label, g) for label, g in zip(labels, least, strict=True)]
        return labels

    def _label(self, on: str, names: tuple[str, ...], least: Permutation) -> str:
        if on == "double cosets":
            return self._double_label(names, least)
        looks = self.looks(names[0])
        if looks is None and self.conjugates(names[0]):
            if on == "right cosets":
                return f"{names[0]}->{self.moved(names[0], least)}"
            return f"{self.moved(names[0], inverse(least))}->{names[0]}"
        if looks is None:
            return format_cycles(least)
        if on == "right cosets":
            words = [f"{set_of(s)}->{set_of(image_of(s, least))}" for s in looks.sets]
        else:
            words = [f"{set_of(preimage_of(s, least))}->{set_of(s)}" for s in looks.sets]
        return " ".join(words + ["even" if is_even(least) else "odd"] * looks.parity)

    def _points(self, name: str) -> list[str]:
        """A name for each right coset of H as a point that the group moves, in their order.

        The point that Stab(5) fixes is 5; a conjugate that the program names is the point that it fixes; else points are numbered.
        """
        least = self.least(self.group.right_cosets(Signed(self.members(name))))
        looks = self.looks(name)
        if looks is not None and len(looks.sets) == 1 and not looks.parity:
            return [set_of(image_of(looks.sets[0], g)) for g in least]
        if self.conjugates(name):
            return [self.moved(name, g) for g in least]
        return [str(number) for number in range(1, len(least) + 1)]

    def named_points(self, name: str) -> bool:
        """Whether the right cosets of H have names as points: those that a permutation moves, sets of them, or conjugates."""
        looks = self.looks(name)
        return bool((looks is not None and len(looks.sets) == 1 and not looks.parity) or self.conjugates(name))

    def scores(self, on: str, name: str, weights: Sequence[int], rank: int, variable: str) -> str:
        """How a form on points scores ``variable``, such as "the sum of a list over where x sends 1, 2 rather than 5"."""
        of = "" if self.named_points(name) else f" of the {self._index(name)} right cosets of {name}"
        if on == "rank":
            sums = "" if rank == 1 else f"{rank} sums of "
            return (
                f"{sums}one list at each of {self._index(name)} points times another where {variable} sends it{of and f': points{of}'}"
            )
        where = f"where {variable} sends" if on == "images" else f"what {variable} sends to"
        points = weights_in_words(weights, self.points(name))
        single = [(point, weight) for point, weight in zip(self.points(name), weights, strict=True) if weight]
        if len(single) == 1 and on != "shared":
            point, weight = single[0]
            return f"{where} {point}{of}" + (f", times {weight}" if weight != 1 else "")
        same = "the same list" if on == "shared" else "a list"
        return f"the sum of {same} over {where} {points}{of}"

    def sign_of_group(self, kernel: str) -> str:
        """The homomorphism of the whole group to +1 and -1 with that kernel, in words."""
        even = {g for g in self.group.elements if is_even(g)}
        return "the sign" if even == set(self.members(kernel)) else f"the sign that is 1 on {kernel}"

    def sign(self, name: str, kernel: str) -> str:
        """The homomorphism of H to +1 and -1 with that kernel, in words."""
        even = {h for h in self.members(name) if is_even(h)}
        return "the sign of" if even == set(self.members(kernel)) else f"the sign on {name} of"

    def _double_label(self, names: tuple[str, ...], least: Permutation) -> str:
        looks = self.looks_of_pair(names)
        if looks is None:
            if not self._moves_to(*names):
                return format_cycles(least)
            return f"{names[0]}->{names[1] if self.moved(names[0], least) == names[1] else 'another'}"
        one, other, parity = looks
        hits, even = self._signature(*looks, least)
        words = ["even" if even else "odd"] * parity
        if len(one) == 1:
            words.insert(0, f"{set_of(one)}->{set_of(other)}" if hits else f"{set_of(one)} elsewhere")
        elif one:
            words.insert(0, f"{hits} of {set_of(one)} into {set_of(other)}")
        return " ".join(words)


def weights_in_words(weights: Sequence[int], names: Sequence[str]) -> str:
    """Weights of points: "3", "1 and 4", "1, 2 rather than 5", "all points", "2 at 1, 1 at 3 and 4", "no point"."""
    groups: dict[int, list[str]] = {}
    for weight, name in zip(weights, names, strict=True):
        if weight:
            groups.setdefault(weight, []).append(name)
    values = sorted(groups, reverse=True)
    if not values:
        return "no point"
    if values == [1]:
        return "all points" if len(groups[1]) == len(names) > 1 else _listed(groups[1])
    if values == [1, -1]:
        return f"{', '.join(groups[1])} rather than {', '.join(groups[-1])}"
    return ", ".join(f"{value} at {_listed(groups[value])}" for value in values)


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]


@cache
def is_even(x: Permutation) -> bool:
    """Whether the number of pairs that x puts in the wrong order is even."""
    return sum(a > b for a, b in combinations(x, 2)) % 2 == 0


def image_of(points: PointNumbers, x: Permutation) -> PointNumbers:
    """The set of points that x sends ``points`` to."""
    return tuple(sorted(x[i] for i in points))


def preimage_of(points: PointNumbers, x: Permutation) -> PointNumbers:
    """The set of points that x sends to ``points``."""
    return tuple(i for i, image in enumerate(x) if image in points)


def set_of(points: PointNumbers) -> str:
    """A point as "5", a set as "{4,5}"; points are written from 1."""
    text = ",".join(str(p + 1) for p in points)
    return text if len(points) == 1 else f"{{{text}}}"


def _at(label: str, g: Permutation) -> str:
    return label if label == format_cycles(g) else f"{label} at {format_cycles(g)}"


def _by_size(points: PointNumbers) -> tuple[int, PointNumbers]:
    return len(points), points
