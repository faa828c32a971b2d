"""Coset-voting programs written out as networks.

What this module proves: that the network which `Expanded` holds is the one that a program describes. A program's circuit says by
three forms how short lists of integers become functions on the group; its neuron contributes relu(l(x) + r(y)) u(z) to the logit of
z. A form is a linear map: the value at g of the function that the list t describes is a sum of entries of t with signs.

    on              subgroups   value at g                                             length of t
    right cosets    H           t[Hg]                                                  [G:H]
    left cosets     H           t[gH]                                                  [G:H]
    double cosets   H, K        t[HgK]                                                 number of double cosets
    coset sum       H, K        t[Hg] + t[[G:H] + gK]                                  [G:H] + [G:K]
    coset matrix    H           sum over right cosets p of H of t[p, pg], by rows      [G:H]^2
    elements                    t[g]                                                   order of G

Cosets are numbered by their least elements. A *twisted* form names for a subgroup S the kernel of a character of S of order two,
which is 1 on the kernel and -1 elsewhere on S. Then t gives the value at the least element r of each coset, and f(hr) = chi(h) f(r)
on right cosets, f(rh) = chi(h) f(r) on left ones, f(hrk) = chi(h) psi(k) f(r) on double ones. A double coset in which two ways to
write the same element have different signs forces f = 0 there, and has no entry in t. A twisted form on right or left cosets has
one more entry at the end of t, a constant that is added everywhere; a twisted coset sum twists each of its terms and has no
constant. A twisted coset matrix is multiplied by the character of G with that kernel.

This is the one place that knows what a form means.
"""

from collections.abc import Sequence

from .groups import Group
from .integers import Network, Rows, columns
from .shape import Form, Kind, Program, need, same, shown

#: For each element g the (index, sign) with f(g) = sum of sign t[index].
Terms = list[list[tuple[int, int]]]
#: A subgroup's elements with the values of a character on them.
Character = dict[int, int]

LARGEST_BITS = 4000
SUBGROUPS_OF = {"double cosets": 2, "coset sum": 2, "elements": 0, "right cosets": 1, "left cosets": 1, "coset matrix": 1}


class Expanded:
    """A program written out.

    ``network`` has the program's neurons in their order; ``where`` gives for the number of a neuron of the certified network its
    position there and its circuit; ``subgroups`` are the members of the program's subgroups.
    """

    def __init__(self, program: Program, group: Group, width: int) -> None:
        n, bits = group.order, (program.preactivation_bits, program.vote_bits)
        need(min(bits) >= 0 and max(bits) <= LARGEST_BITS, f"expected bits of a program from 0 to {LARGEST_BITS:,}, got {shown(bits)}")
        need(len(program.bias) in (0, n), f"expected {n} biases of a program or none, got {len(program.bias)}")
        indices = [neuron.index for circuit in program.circuits for neuron in circuit.neurons]
        same("neurons of the program, each once", len(indices), len({*indices} & {*range(width)}))
        names = [record.name for record in program.subgroups]
        same("names of the program's subgroups, each for one", len(names), len({*names}))
        self.program, self._group = program, group
        self._known: dict[str, tuple[int, Terms]] = {}
        self.subgroups = [group.subgroup(record) for record in program.subgroups]
        self.where: dict[int, tuple[int, int]] = {}
        left: Rows = []
        right: Rows = []
        votes: Rows = []
        for number, circuit in enumerate(program.circuits):
            for neuron in circuit.neurons:
                self.where[neuron.index] = len(votes), number
                left.append(self.function(circuit.left, neuron.left))
                right.append(self.function(circuit.right, neuron.right))
                votes.append(self.function(circuit.votes, neuron.votes))
        by_x, by_y = (columns(side) or [[] for _ in range(n)] for side in (left, right))
        self.network = Network(by_x, by_y, votes, program.bias or [0] * n, *bits)

    def kind(self, number: int) -> Kind:
        """The kind of neuron that the forms of a circuit describe.

        Where x and y are both read through one-sided cosets: twisted where a character is named, sign where both subgroups have index
        two, coset where x is read through right and y through left cosets, dual the other way round. Everything else is raw.
        """
        circuit = self.program.circuits[number]
        forms = circuit.left, circuit.right
        if not {form.on for form in forms} <= {"right cosets", "left cosets"}:
            return "raw"
        if any(kernel is not None for form in forms for kernel in form.kernels):
            return "twisted"
        if all(2 * len(self.subgroups[form.subgroups[0]]) == self._group.order for form in forms):
            return "sign"
        if circuit.left.on == circuit.right.on:
            return "raw"
        return "coset" if circuit.left.on == "right cosets" else "dual"

    def function(self, form: Form, t: Sequence[int]) -> list[int]:
        """The function on the group that the list t describes."""
        size, terms = self.terms(form)
        same(f"length of a list on {shown(form)}", len(t), size)
        return [sum(sign * t[index] for index, sign in term) for term in terms]

    def terms(self, form: Form) -> tuple[int, Terms]:
        """The length of the lists of a form, and its linear map."""
        key = repr(form)
        if key not in self._known:
            self._known[key] = self._terms(form)
        return self._known[key]

    def _terms(self, form: Form) -> tuple[int, Terms]:
        kernels = form.kernels or [None] * len(form.subgroups)
        fits = len(form.subgroups) == len(kernels) == SUBGROUPS_OF[form.on]
        fits = fits and {*form.subgroups, *kernels} <= {None, *range(len(self.subgroups))}
        need(fits, f"expected a form with subgroups of the program, as many as it takes, got {shown(form)}")
        everyone = list(range(self._group.order))
        if form.on == "elements":
            return len(everyone), [[(g, 1)] for g in everyone]
        members = [self.subgroups[place] for place in form.subgroups]
        if form.on == "coset matrix":
            return self._matrix(members[0], self._character(everyone, kernels[0], form))
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

    def _matrix(self, members: Sequence[int], character: Character) -> tuple[int, Terms]:
        """The map t -> f with f(g) = character[g] times the sum over the right cosets p of t[p, pg]."""
        cosets, mul = self._group.right_cosets(members), self._group.mul
        terms = []
        for g, sign in sorted(character.items()):
            terms.append([(p * cosets.count + cosets.labels[mul[first][g]], sign) for p, first in enumerate(cosets.first)])
        return cosets.count**2, terms
