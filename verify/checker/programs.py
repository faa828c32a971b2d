"""Coset-voting programs written out as networks.

What this module proves: that the network which `Expanded` holds is the one that a program describes. A program's circuit says by
three forms how short lists of integers become functions on the group; its neuron contributes relu(l(x) + r(y)) u(z) to the logit of
z, in a program of format 3 (l(x) + r(y))^2 u(z), where the bias is over 2^(2 preactivation_bits + vote_bits).
The value at g of the function that the list t describes is a sum of entries of t with factors, but for ``rank`` and ``shared``.

    on              subgroups   value at g                                             length of t
    right cosets    H           t[Hg]                                                  [G:H]
    left cosets     H           t[gH]                                                  [G:H]
    double cosets   H, K        t[HgK]                                                 number of double cosets
    coset sum       H, K        t[Hg] + t[[G:H] + gK]                                  [G:H] + [G:K]
    coset matrix    H           sum over right cosets p of H of t[p, pg], by rows      [G:H]^2
    images          H           sum over p of a[p] t[pg]                               [G:H]
    preimages       H           sum over p of t[p] d[pg]                               [G:H]
    rank            H           sum over s < r and p of alpha_s[p] beta_s[pg]          2 r [G:H]: alpha_1, beta_1, alpha_2, ...
    shared          H           s times the sum over p of m[p] d[pg]                   1: the number s
    elements                    t[g]                                                   order of G
    sum                         what its parts give, added up: their lists in order    that of all parts together

Parts of a sum are forms of the table, two or more, but for rank, shared and sum. Points p are right cosets of H, and pg is the coset
of p's elements times g. ``weights`` are the integers a on images and d on preimages and on ``shared``, one for each point. A form on
points is multiplied by the character of G whose kernel it names, and with ``constant`` its list has one more entry at the end, which
is added everywhere. y alone may be read through ``shared``, where x is read through ``images`` on the same H and character: m is the
neuron's list of x without its constant. The s of such lists are over 2^scale_bits of the program; everything else that is read of x or
y, and the bias, is multiplied by 2^scale_bits, so that all preactivations are integers over 2^(preactivation_bits + scale_bits).

Cosets are numbered by their least elements. A *twisted* form names for a subgroup S the kernel of a character of S of order two,
which is 1 on the kernel and -1 elsewhere on S. Then t gives the value at the least element r of each coset, and f(hr) = chi(h) f(r)
on right cosets, f(rh) = chi(h) f(r) on left ones, f(hrk) = chi(h) psi(k) f(r) on double ones. A double coset in which two ways to
write the same element have different signs forces f = 0 there, and has no entry in t. A twisted form on right or left cosets has
one more entry at the end of t, a constant that is added everywhere; a twisted coset sum twists each of its terms and has no
constant. A twisted coset matrix is multiplied by the character of G with that kernel.

This is the one place that knows what a form means.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from operator import add
from typing import Literal

from .groups import Group
from .integers import Network, Rows, columns
from .shape import Circuit, Form, Kind, Malformed, Neuron, Program, need, same, shown

#: For each element g the (index, factor) with f(g) = sum of factor t[index].
Terms = list[list[tuple[int, int]]]
#: A subgroup's elements with the values of a character on them.
Character = dict[int, int]

LARGEST_BITS = 12000
LARGEST_WEIGHT = 2**31
#: Entries of tables of forms and points that are kept for the next form.
KEPT = 2_000_000
SUBGROUPS_OF = {"double cosets": 2, "coset sum": 2, "elements": 0, "sum": 0}  # of every other form: 1
WEIGHTED = ("images", "preimages", "shared")
ON_POINTS = (*WEIGHTED, "rank")


class Expanded:
    """A program written out.

    ``network`` has the program's neurons in their order; ``where`` gives for the number of a neuron of the certified network, of
    ``width`` neurons, its position there and its circuit; ``subgroups`` are the members of the program's subgroups. A ``divisible``
    program may have a neuron several times; these are ``divided`` and have no place in ``where``.
    """

    def __init__(self, program: Program, group: Group, width: int, divisible: bool = False) -> None:
        n, bits = group.order, (program.preactivation_bits, program.vote_bits, program.scale_bits)
        need(min(bits) >= 0 and max(bits) <= LARGEST_BITS, f"expected bits of a program from 0 to {LARGEST_BITS:,}, got {shown(bits)}")
        need(len(program.bias) in (0, n), f"expected {n} biases of a program or none, got {len(program.bias)}")
        indices = [neuron.index for circuit in program.circuits for neuron in circuit.neurons]
        if divisible:
            same("neurons of the program, all of the network", True, {*indices} <= {*range(width)})
        else:
            same("neurons of the program, each once", len(indices), len({*indices} & {*range(width)}))
        self.divided = {index for index, times in Counter(indices).items() if times > 1}
        names = [record.name for record in program.subgroups]
        same("names of the program's subgroups, each for one", len(names), len({*names}))
        # the forms of each circuit are looked at where its neurons are written out
        same("circuits of the program without a neuron", [], [k for k, circuit in enumerate(program.circuits) if not circuit.neurons])
        self.program, self.width, self._group = program, width, group
        self._known: dict[str, tuple[int, Terms]] = {}
        self._moved: dict[int, Rows] = {}
        self._entries = 0
        self.subgroups = [group.subgroup(record) for record in program.subgroups]
        self.where: dict[int, tuple[int, int]] = {}
        left: Rows = []
        right: Rows = []
        votes: Rows = []
        on = [form.on for circuit in program.circuits for form in (circuit.left, circuit.right, circuit.votes)]
        new = program.format != "coset-voting program 1" or not ({*ON_POINTS, "sum"} & {*on} or program.scale_bits)
        need(new, f"expected forms on cosets and elements in a program of format 1, and no scale, got {shown(on)}")
        for number, circuit in enumerate(program.circuits):
            for neuron in circuit.neurons:
                if neuron.index not in self.divided:
                    self.where[neuron.index] = len(votes), number
                left.append(self._scaled(self.function(circuit.left, neuron.left)))
                shared = circuit.right.on == "shared"
                right.append(self._shared(circuit, neuron) if shared else self._scaled(self.function(circuit.right, neuron.right)))
                votes.append(self.function(circuit.votes, neuron.votes))
        by_x, by_y = (columns(side) or [[] for _ in range(n)] for side in (left, right))
        squared = program.format == "coset-voting program 3"
        bias = self._scaled(program.bias or [0] * n)
        bias = self._scaled(bias) if squared else bias
        read_bits = program.preactivation_bits + program.scale_bits
        self.network = Network(by_x, by_y, votes, bias, read_bits, program.vote_bits, squared)

    def kind(self, number: int) -> Kind:
        """The kind of neuron that the forms of a circuit describe.

        Images of one point are right cosets here, preimages of one point left ones, with a shared list too. With both forms on
        one-sided cosets: sign where both are on subgroups of index two, or on the whole group with a character of it, twisted where a
        character is named, coset for x on right and y on left cosets, dual the other way round. Where at least one is on images or
        preimages of several points, or on rank 1, and the other on any of these: rank one. Everything else is raw. Of a sum the
        first part counts.
        """
        circuit = self.program.circuits[number]
        forms = [form.parts[0] if form.parts else form for form in (circuit.left, circuit.right)]
        sides = [_side(form) for form in forms]
        if "raw" in sides:
            return "raw"
        if "rank one" in sides:
            return "rank one"
        if all(self._reads_a_sign(form) for form in forms):
            return "sign"
        if any(kernel is not None for form in forms for kernel in form.kernels):
            return "twisted"
        return "raw" if sides[0] == sides[1] else "coset" if sides[0] == "right" else "dual"

    def _reads_a_sign(self, form: Form) -> bool:
        order = len(self.subgroups[form.subgroups[0]])
        if form.kernels and form.kernels[0] is not None:
            return form.on in WEIGHTED and order == self._group.order
        return 2 * order == self._group.order

    def _scaled(self, values: Sequence[int]) -> list[int]:
        return [value << self.program.scale_bits for value in values]

    def function(self, form: Form, t: Sequence[int]) -> list[int]:
        """The function on the group that the list t describes."""
        if form.on == "shared":
            raise Malformed(f"expected a list shared with x where y is read, got {shown(form)}")
        if len(t) != self._length(form):
            same(f"length of a list on {shown(form)}", len(t), self._length(form))
        if form.on == "sum":
            return self._of_sum(form, t)
        if form.on == "rank":
            return self._of_rank(form, t)
        if form.on == "coset matrix":
            return self._of_matrix(form, t)
        if form.on in ON_POINTS:
            return self._of_points(form, t)
        _, terms = self.terms(form)
        return [t[term[0][0]] * term[0][1] if len(term) == 1 else sum([factor * t[index] for index, factor in term]) for term in terms]

    def _length(self, form: Form) -> int:
        """The length of the lists of a form."""
        self._need_form(form)
        if form.on == "sum":
            return sum(map(self._length, form.parts))
        if form.on not in ON_POINTS and form.on != "coset matrix":
            return self.terms(form)[0]
        points = self._group.order // len(self.subgroups[form.subgroups[0]])
        of_points = points**2 if form.on == "coset matrix" else 2 * form.rank * points if form.on == "rank" else points
        return of_points + form.constant

    def _of_sum(self, form: Form, t: Sequence[int]) -> list[int]:
        """The function of a sum: its parts' functions added up, their lists one after the other."""
        total, begin = [0] * self._group.order, 0
        for part in form.parts:
            end = begin + self._length(part)
            total = [*map(add, total, self.function(part, t[begin:end]))]
            begin = end
        return total

    def _of_points(self, form: Form, t: Sequence[int]) -> list[int]:
        """The function of a form on images or preimages."""
        moved, character = self._points(form)
        total, back = [0] * self._group.order, self._group.inverse
        for place, weight in enumerate(form.weights):
            if weight and form.on == "images":
                total = [value + weight * t[image] for value, image in zip(total, moved[place], strict=True)]
            elif weight:  # the p with pg = q is q g^-1
                images = moved[place]
                total = [value + weight * t[images[g]] for value, g in zip(total, back, strict=True)]
        constant = t[-1] if form.constant else 0
        return [sign * value + constant for sign, value in zip(character, total, strict=True)]

    def _of_matrix(self, form: Form, t: Sequence[int]) -> list[int]:
        """The function of a form on a coset matrix."""
        moved, character = self._points(form)
        total, m = [0] * self._group.order, len(moved)
        for p, images in enumerate(moved):
            row = t[p * m : (p + 1) * m]
            total = [value + row[image] for value, image in zip(total, images, strict=True)]
        return [sign * value for sign, value in zip(character, total, strict=True)]

    def _of_rank(self, form: Form, t: Sequence[int]) -> list[int]:
        """The function of a form on rank, which is not linear in its list."""
        moved, character = self._points(form)
        n, total = len(moved), [0] * self._group.order
        for start in range(0, 2 * form.rank * n, 2 * n):
            for alpha, images in zip(t[start : start + n], moved, strict=True):
                if alpha:
                    total = [value + alpha * t[start + n + image] for value, image in zip(total, images, strict=True)]
        return [sign * value + (t[-1] if form.constant else 0) for sign, value in zip(character, total, strict=True)]

    def _shared(self, circuit: Circuit, neuron: Neuron) -> list[int]:
        """What a neuron reads of y through its list of x, over 2^(preactivation_bits + scale_bits)."""
        left, right, t = circuit.left, circuit.right, neuron.right
        fits = left.on == "images" and left.subgroups == right.subgroups and _kernels(left) == _kernels(right)
        need(fits, f"expected x to be read through images of the points and the character of {shown(right)}, got {shown(left)}")
        same(f"length of a list on {shown(right)}", len(t), 1 + right.constant)
        self._points(right)  # it is a form
        values = self.function(replace(right, on="preimages", constant=False), neuron.left[: len(right.weights)])
        constant = t[1] << self.program.scale_bits if right.constant else 0
        return [t[0] * value + constant for value in values]

    def terms(self, form: Form) -> tuple[int, Terms]:
        """The length of the lists of a form on cosets or elements, and its linear map."""
        self._need_form(form)
        key = repr(form)
        if key not in self._known:
            self._make_room(2 * self._group.order)
            self._known[key] = self._terms(form)
        return self._known[key]

    def _make_room(self, entries: int) -> None:
        """Forget what is known of forms and points where it would have more entries than KEPT: no file can fill the memory with it."""
        self._entries += entries
        if self._entries > KEPT:
            self._known, self._moved, self._entries = {}, {}, entries

    def _terms(self, form: Form) -> tuple[int, Terms]:
        kernels = _kernels(form)
        everyone = list(range(self._group.order))
        if form.on == "elements":
            return len(everyone), [[(g, 1)] for g in everyone]
        members = [self.subgroups[place] for place in form.subgroups]
        characters = [self._character(part, kernel, form) for part, kernel in zip(members, kernels, strict=True)]
        trivial = {0: 1}
        if form.on == "double cosets":
            return self._cosets(*characters)
        if form.on == "coset sum":
            (count, right), (more, left) = self._cosets(characters[0], trivial), self._cosets(trivial, characters[1])
            return count + more, [a + [(count + k, sign) for k, sign in b] for a, b in zip(right, left, strict=True)]
        size, terms = self._cosets(characters[0], trivial) if form.on == "right cosets" else self._cosets(trivial, characters[0])
        if kernels[0] is None:
            return size, terms
        return size + 1, [[*term, (size, 1)] for term in terms]

    def _need_form(self, form: Form) -> None:
        """Malformed unless the form has subgroups, characters, weights and a rank as it takes them."""
        wrong = self._wrong_with(form)
        if wrong:  # forms are asked about for every list: the form is written out only where it is refused
            raise Malformed(f"expected {wrong} {shown(form)}")

    def _wrong_with(self, form: Form) -> str:
        """What was expected of a form that is none, and the words before it; an empty text for a form."""
        kernels = _kernels(form)
        fits = len(form.subgroups) == len(kernels) == SUBGROUPS_OF.get(form.on, 1)
        if not (fits and {*form.subgroups, *kernels} <= {None, *range(len(self.subgroups))}):
            return "a form with subgroups of the program, as many as it takes, got"
        points = self._group.order // len(self.subgroups[form.subgroups[0]]) if form.on in WEIGHTED else 0
        if len(form.weights) != points:
            return f"{points} weights, got {len(form.weights)} in"
        if not all(abs(weight) < LARGEST_WEIGHT for weight in form.weights):
            return f"weights below {LARGEST_WEIGHT} in absolute value, got"
        if not (form.rank > 0 if form.on == "rank" else form.rank == 0):
            return "a rank of at least 1 on rank and 0 elsewhere, got"
        if form.constant and form.on not in ON_POINTS:
            return "a constant with a form on points alone, got"
        if not (len(form.parts) > 1 if form.on == "sum" else not form.parts):
            return "two or more parts of a sum and none of another form, got"
        if {part.on for part in form.parts} & {"rank", "shared", "sum"}:
            return "parts of a sum that are linear and no sums, got"
        return ""

    def _points(self, form: Form) -> tuple[Rows, list[int]]:
        """Where each element takes each point, moved[p][g], and the character's value at each element, for a form on points."""
        self._need_form(form)
        everyone = range(self._group.order)
        character = self._character(everyone, _kernels(form)[0], form)
        place = form.subgroups[0]
        if place not in self._moved:
            self._make_room(self._group.order**2 // len(self.subgroups[place]))
            cosets, mul = self._group.right_cosets(self.subgroups[place]), self._group.mul
            self._moved[place] = [[cosets.labels[mul[first][g]] for g in everyone] for first in cosets.first]
        return self._moved[place], [character[g] for g in everyone]

    def _character(self, members: Sequence[int], kernel: int | None, form: Form) -> Character:
        """The character on the members with that kernel, which must be a subgroup of them of index two; None is the trivial one."""
        if kernel is None:
            return dict.fromkeys(members, 1)
        inside = {*self.subgroups[kernel]}
        index = len(members) // len(inside) if inside <= {*members} else 0
        same(f"index of the kernel of {shown(form)}", index, 2)
        return {g: 1 if g in inside else -1 for g in members}

    def _cosets(self, left: Character, right: Character) -> tuple[int, Terms]:
        """The map t -> f with f(hrk) = left[h] right[k] t[number of r], r the least element of its double coset."""
        mul, size = self._group.mul, 0
        terms: dict[int, list[tuple[int, int]]] = {}
        for r in range(self._group.order):
            if r in terms:
                continue
            signs: dict[int, int] = {}
            clash = False
            for h, chi in left.items():
                row = mul[mul[h][r]]
                for k, psi in right.items():
                    clash |= signs.setdefault(row[k], chi * psi) != chi * psi
            for g, sign in signs.items():
                terms[g] = [] if clash else [(size, sign)]
            size += not clash
        return size, [terms[g] for g in range(self._group.order)]


def _kernels(form: Form) -> list[int | None]:
    """The kernels of a form, one for each subgroup: where none are named, all characters are trivial."""
    return form.kernels or [None] * len(form.subgroups)


def _side(form: Form) -> Literal["right", "left", "rank one", "raw"]:
    """The side of the cosets on which the form's functions are constant up to a sign, or that they are of rank one."""
    if form.on in WEIGHTED and sum(weight != 0 for weight in form.weights) == 1:
        return "right" if form.on == "images" else "left"
    if form.on in WEIGHTED or (form.on == "rank" and form.rank == 1):
        return "rank one"
    return "right" if form.on == "right cosets" else "left" if form.on == "left cosets" else "raw"
