"""Claims about single neurons: constant or twisted on cosets, silent on a shared coset, on one irrep, dead."""

import re
from fractions import Fraction
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

from algebra.characters.character_table import character_table
from algebra.coset_space import character_signs
from algebra.errors import GroupError
from algebra.permutation import parse_cycles
from algebra.subgroup import Subgroup, closure
from verify.claims.claim import (
    Claim,
    Counterexample,
    Element,
    Index,
    Mistake,
    NonNegative,
    Outcome,
    as_float,
    nearest,
    told_apart,
    word,
)
from verify.claims.network_claims import element
from verify.claims.subject import Subject
from verify.compare.concentration import centred_autocorrelation, residual_bounds
from verify.record.explain import percentage

Argument = Literal["left", "right", "votes"]
Integers = npt.NDArray[np.object_]


class NeuronClaim(Claim, frozen=True, kw_only=True):
    """A claim about the neuron with this number, from 0."""

    neuron: Index

    def index(self, subject: Subject) -> int:
        """The neuron's number, checked.

        Raises:
            Mistake: the network is not that wide.

        """
        if self.neuron >= subject.weights.width:
            raise Mistake("neuron", f"expected a neuron from 0 to {subject.weights.width - 1}, got {self.neuron}")
        return self.neuron


#: Which of the conjugates of a subgroup a claim is about.
Conjugate = Literal["this", "some", "all", ""]


class OnCosets(NeuronClaim, frozen=True, kw_only=True, tag="on cosets"):
    """A function f of a neuron (L, R or the votes) is constant, or twisted, on the cosets of a subgroup H up to ``within`` in sup norm.

    Some function t that is constant on the cosets has max |f - t| <= within * (max f - min f); with ``scale = "absolute"``, <= within.
    That is so exactly when max f - min f on each coset is at most twice the right-hand side. With ``kernel``, a subgroup of index two
    in H, f is to be c + t with t(hx) = chi(h) t(x) (t(xh) on left cosets), chi the character of H with that kernel.
    ``cosets`` is "right" for L and "left" for R when left out; the other way about is a dual neuron.
    ``conjugate`` says which H: "this" one, "some" conjugate of it or "all" of them. When left out it is "this" for a subgroup by its
    label or by generators, and "some" for a class such as F20.
    Decided exactly, in integers. REFUTED shows two elements of one coset whose values differ by too much (or, for twisted functions,
    x+, x-, y+, y- with f(x+) + f(x-) - f(y+) - f(y-) too great), for the H that comes closest.
    Source: Stander et al., arXiv 2312.06581.
    """

    of: Argument
    subgroup: str
    conjugate: Conjugate = ""
    kernel: str = ""
    cosets: Literal["right", "left", ""] = ""
    within: NonNegative = 0.0
    scale: Literal["range", "absolute"] = "range"

    @property
    def side(self) -> str:
        """The kind of cosets."""
        return self.cosets or ("left" if self.of == "right" else "right")

    def statement(self) -> str:
        """The function, the cosets and how close."""
        what = f"twisted by the character with kernel {self.kernel}" if self.kernel else "constant"
        unit = " of its range" if self.scale == "range" else ""
        which = {"this": "", "some": "some conjugate of ", "all": "every conjugate of ", "": ""}[self.conjugate]
        on = f"the {self.side} cosets of {which}{self.subgroup}"
        return f"{self.of} of neuron {self.neuron} is {what} on {on}, up to {self.within:g}{unit}"

    def check(self) -> None:
        """Half of the range is enough for every function."""
        if self.scale == "range" and self.within >= 0.5 and not self.kernel:
            raise Mistake("within", f"expected less than 0.5, which every function keeps to, got {self.within:g}")

    def decide(self, subject: Subject) -> Outcome:
        """Compare extremes on each coset of each subgroup meant."""
        i = self.index(subject)
        values, bits = exact_side(subject, self.of, i)
        spread = int(values.max() - values.min())
        unit = Fraction(spread) if self.scale == "range" else Fraction(1 << bits)
        allowed = Fraction(repr(self.within)) * unit
        which, members = meant(subject, "subgroup", self.subgroup, self.conjugate)
        tried = [(*self._residual(subject, values, member), member) for member in members]
        worst, shown, member = (max if which == "all" else min)(tried, key=lambda found: found[0])
        share = worst / unit if unit else Fraction(0)
        name = "range" if self.scale == "range" else "1"
        what = "twisted" if self.kernel else "constant"
        label = subject.lattice.label_of(member)
        near = told_apart(share, allowed / unit if unit else share)
        finding = f"neuron {i}: {self.of} is within {near} x {name} of {what} on the {self.side} cosets of {label}"
        finding += f" ({tried_words(subject, which, members)})" if len(members) > 1 else ""
        if worst <= allowed:
            return Outcome("PROVED", finding, as_float(share))
        shown |= {"neuron": i, "of": self.of, "subgroup": label}
        shown |= {"residual": str(worst / (1 << bits)), "claimed": str(allowed / (1 << bits))}
        return Outcome("REFUTED", finding, as_float(share), counterexample=shown)

    def _residual(self, subject: Subject, values: Integers, subgroup: Subgroup) -> tuple[Fraction, Counterexample]:
        """How far the function is from constant or twisted on the subgroup's cosets, and what forces it."""
        if self.kernel:
            return self._twisted(subject, values, subgroup, self.side)
        return constant_residual(subject, values, coset_rows(subject, subgroup, self.side))

    def _twisted(self, subject: Subject, values: Integers, subgroup: Subgroup, side: str) -> tuple[Fraction, Counterexample]:
        """Least r with |f - c - t| <= r for some twisted t and constant c, and what forces it.

        On the half of a coset where chi is +, c + t(r) is in [max+ - r, min+ + r]; on the other, c - t(r) in [max- - r, min- + r].
        Such t(r) exist for all cosets exactly when each half has max - min <= 2r and, adding the two, one 2c is in every
        [max+ + max- - 2r, min+ + min- + 2r].
        """
        signs = self._signs(subject, subgroup)
        rows = coset_rows(subject, subgroup, side)  # in the order of the subgroup's elements
        halves = [rows[:, signs == 1], rows[:, signs == -1]]
        worst, shown = max((constant_residual(subject, values, half) for half in halves), key=lambda found: found[0])
        top = [half[np.arange(len(half)), values[half].argmax(axis=1)] for half in halves]
        low = [half[np.arange(len(half)), values[half].argmin(axis=1)] for half in halves]
        greatest, least = (values[top[0]] + values[top[1]]), (values[low[0]] + values[low[1]])
        p, q = int(greatest.argmax()), int(least.argmin())
        both = Fraction(int(greatest[p] - least[q]), 4)
        if both <= worst:
            return worst, shown
        names = {"x+": top[0][p], "x-": top[1][p], "y+": low[0][q], "y-": low[1][q]}
        return both, {key: word(subject.group, int(g)) for key, g in names.items()}

    def _signs(self, subject: Subject, subgroup: Subgroup) -> npt.NDArray[np.int64]:
        """(|H|,) the character of H whose kernel is the one named, or the one of the class named that lies in H."""
        _, kernels = meant(subject, "kernel", self.kernel, "")
        inside = [k for k in kernels if 2 * k.order == subgroup.order and subgroup.mask[k.elements].all()]
        if len(inside) != 1:
            found = f"{len(inside)} of them" if inside else "none"
            wanted = f"expected one subgroup {self.kernel} of index two in {subject.lattice.label_of(subgroup)}"
            raise Mistake("kernel", f"{wanted}, got {found}")
        return np.asarray(character_signs(subgroup, inside[0])[subgroup.elements])


class Silent(NeuronClaim, frozen=True, kw_only=True, tag="silent"):
    """A neuron is silent when xy lies in the coset Hg: relu(L[x] + R[y]) = 0 for all x, y with xy in Hg.

    ``conjugate`` is as in "on cosets". ``exactly = true`` adds the converse: it fires on every other pair. ``cancels = true`` claims
    |L[x] + R[y]| <= within instead of silence, where ``within`` is a share of the range of L. Silence allows activations up to
    ``within`` of it, too.
    Decided exactly, in integers, on all pairs. REFUTED shows a pair. Source: Stander et al., arXiv 2312.06581, section 5.1
    (L + R = 0 if and only if the product is in the shared coset; a neuron that fires says "not there").
    """

    subgroup: str
    conjugate: Conjugate = ""
    representative: Element = "()"
    exactly: bool = False
    cancels: bool = False
    within: NonNegative = 0.0

    def statement(self) -> str:
        """Where the neuron is silent."""
        verb = "cancels" if self.cancels else "is silent"
        which = {"this": "", "some": "some conjugate of ", "all": "every conjugate of ", "": ""}[self.conjugate]
        on = f"{which}{self.subgroup}" + (f" {self.representative}" if self.representative != "()" else "")
        only = ", and on no other pair" if self.exactly else ""
        return f"neuron {self.neuron} {verb} whenever xy lies in {on}{only}, up to {self.within:g} of the range of L"

    def decide(self, subject: Subject) -> Outcome:
        """Evaluate the neuron on all pairs, for each subgroup meant."""
        which, members = meant(subject, "subgroup", self.subgroup, self.conjugate)
        outcomes = [self._decided(subject, member) for member in members]
        proved = [outcome for outcome in outcomes if outcome.verdict == "PROVED"]
        refuted = [outcome for outcome in outcomes if outcome.verdict == "REFUTED"]
        first = (refuted or proved) if which == "all" else (proved or refuted)
        chosen = first[0] if first is proved else max(first, key=lambda outcome: outcome.figure or 0.0)
        more = f" ({tried_words(subject, which, members)})" if len(members) > 1 else ""
        return msgspec.structs.replace(chosen, finding=chosen.finding + more)

    def _decided(self, subject: Subject, subgroup: Subgroup) -> Outcome:
        i = self.index(subject)
        (left, bits), (right, _) = exact_side(subject, "left", i), exact_side(subject, "right", i)
        labels = subgroup.right_cosets.labels
        inside = (labels == labels[element(subject, "representative", self.representative)])[subject.group.mul]
        sums = left[:, None] + right
        size = abs(sums) if self.cancels else np.maximum(sums, 0)
        allowed = Fraction(repr(self.within)) * int(left.max() - left.min())
        small = (size <= allowed).astype(bool)
        verb = "cancels" if self.cancels else "is silent"
        share = float((small & inside).sum() / inside.sum())
        outside = float((small & ~inside).sum() / max(1, (~inside).sum()))
        label = subject.lattice.label_of(subgroup)
        where = label + (f" {self.representative}" if self.representative != "()" else "")
        rest = f"on {percentage(outside, 4)} of the others"
        finding = f"neuron {i} {verb} on {percentage(share, 4)} of the pairs with xy in {where} and {rest}"
        broken = (inside & ~small) | (~inside & small if self.exactly else False)
        if not broken.any():
            return Outcome("PROVED", finding, share)
        x, y = (int(k) for k in np.argwhere(broken)[0])
        group = subject.group
        shown: Counterexample = {"neuron": i, "x": word(group, x), "y": word(group, y), "product": word(group, int(group.mul[x, y]))}
        shown |= {"preactivation": str(Fraction(int(sums[x, y]), 1 << bits)), "in_coset": str(bool(inside[x, y])).lower()}
        shown |= {"subgroup": label}
        value, place = as_float(Fraction(int(sums[x, y]), 1 << bits)), "inside" if inside[x, y] else "outside"
        at = f"at x = {shown['x']}, y = {shown['y']} the preactivation is {value:.6g}"
        shown["words"] = f"{at}, and xy = {shown['product']} lies {place} the coset"
        return Outcome("REFUTED", finding, share, counterexample=shown)


class OnIrrep(NeuronClaim, frozen=True, kw_only=True, tag="on irrep"):
    """All but a share ``within`` of the variance of a neuron's L, R or votes lies in the matrix entries of one irrep.

    Decided by a float64 computation with the bounds of `verify.compare.concentration`; a share that the bounds leave open is UNKNOWN.
    REFUTED shows the proved share that lies outside. Source: Stander et al., arXiv 2312.06581; Chughtai et al., arXiv 2302.03025.
    """

    of: Argument
    irrep: str
    within: NonNegative = 0.0

    def statement(self) -> str:
        """The function, the irrep and how much of it."""
        return f"all but {self.within:g} of the variance of {self.of} of neuron {self.neuron} lies in the irrep {self.irrep}"

    def check(self) -> None:
        """A share of 1 outside is allowed to every function."""
        if self.within >= 1:
            raise Mistake("within", f"expected less than 1, the share outside of which no function has more, got {self.within:g}")

    def decide(self, subject: Subject) -> Outcome:
        """Bound the share outside."""
        i = self.index(subject)
        functions, error = subject.side(self.of)
        shares, low, high = irrep_residual(subject, functions[:, [i]], error[[i]], self.irrep, "irrep")
        finding = f"neuron {i}: {max(0.0, 1 - high[0]):.6g} of the variance of {self.of} is proved to lie in {self.irrep}"
        if high[0] <= self.within:
            return Outcome("PROVED", finding, float(shares[0]))
        if low[0] <= self.within:
            return Outcome("UNKNOWN", finding, float(shares[0]))
        at_most = told_apart(1 - Fraction(float(low[0])), 1 - Fraction(self.within))
        finding = f"neuron {i}: at most {at_most} of the variance of {self.of} lies in {self.irrep}"
        shown: Counterexample = {
            "neuron": i,
            "of": self.of,
            "irrep": self.irrep,
            "outside_at_least": float(low[0]),
            "claimed": self.within,
        }
        return Outcome("REFUTED", finding, float(shares[0]), counterexample=shown)


class Dead(NeuronClaim, frozen=True, kw_only=True, tag="dead"):
    """A neuron is dead: it fires on no pair (max L + max R <= 0), or its votes are the same for every output.

    So it prefers no output to another at any pair. A neuron that is not dead may still be one that no answer needs ("circuits").
    Decided exactly, in integers. REFUTED shows a pair on which it fires and two outputs with different votes.
    Source: Stander et al., arXiv 2312.06581 ("dead neurons").
    """

    def statement(self) -> str:
        """That the neuron is dead, by its definition."""
        return f"neuron {self.neuron} is dead: it fires on no pair, or votes the same for every output"

    def decide(self, subject: Subject) -> Outcome:
        """Look at the largest preactivation and the votes."""
        i, group = self.index(subject), subject.group
        (left, bits), (right, _), (votes, vote_bits) = (exact_side(subject, of, i) for of in ("left", "right", "votes"))
        x, y = int(left.argmax()), int(right.argmax())
        top = int(left[x] + right[y])
        if top <= 0:
            return Outcome("PROVED", f"neuron {i} fires on no pair")
        most, least = int(votes.argmax()), int(votes.argmin())
        if votes[most] == votes[least]:
            return Outcome("PROVED", f"neuron {i} votes the same for every output")
        shown = {"neuron": i, "x": word(group, x), "y": word(group, y), "preactivation": str(Fraction(top, 1 << bits))}
        shown |= {"z": word(group, most), "other": word(group, least)}
        shown |= {"difference_of_votes": str(Fraction(int(votes[most] - votes[least]), 1 << vote_bits))}
        return Outcome("REFUTED", f"neuron {i} fires, and its votes differ", counterexample=shown)


def exact_side(subject: Subject, of: str, neuron: int) -> tuple[Integers, int]:
    """A neuron's L, R or votes as Python integers over 2^bits, and bits."""
    exact = subject.weights.exact()
    if of == "votes":
        return exact.U[neuron], exact.vote_bits
    return (exact.L if of == "left" else exact.R)[:, neuron], exact.preactivation_bits


def coset_rows(subject: Subject, subgroup: Subgroup, side: str) -> npt.NDArray[np.intp]:
    """(index, |H|) the cosets, each row in the order of the subgroup's elements."""
    cosets = subgroup.right_cosets if side == "right" else subgroup.left_cosets
    first, inside = cosets.representatives[:, None], subgroup.elements[None, :]
    mul = subject.group.mul
    return np.asarray(mul[inside, first] if side == "right" else mul[first, inside], dtype=np.intp)


def constant_residual(subject: Subject, values: Integers, rows: npt.NDArray[np.intp]) -> tuple[Fraction, Counterexample]:
    """Half of the largest max - min over the rows, and the two elements that attain it."""
    on = values[rows]
    number = np.arange(len(rows))
    top, low = rows[number, on.argmax(axis=1)], rows[number, on.argmin(axis=1)]
    worst = int((values[top] - values[low]).argmax())
    shown: Counterexample = {"x": word(subject.group, int(top[worst])), "y": word(subject.group, int(low[worst]))}
    return Fraction(int(values[top[worst]] - values[low[worst]]), 2), shown


def meant(subject: Subject, key: str, name: str, conjugate: Conjugate) -> tuple[str, list[Subgroup]]:
    """Which conjugates a claim is about ("this", "some" or "all", see "on cosets"), and the subgroups themselves.

    A name is a subgroup's label, a class of conjugates (``F20``), or generators in cycle notation ("(1 2), (1 2 3)").

    Raises:
        Mistake: there is no such subgroup, or "this" one of several is asked for.

    """
    lattice, one = subject.lattice, named_subgroup(subject, key, name)
    members = [lattice.all[int(i)] for i in lattice.classes[int(lattice.class_of[lattice.find(one.mask)])].members]
    several = len(members) > 1 and name.strip() in lattice.names and name.strip() not in lattice.labels
    which = conjugate or ("some" if several else "this")
    if which != "this":
        return which, members
    if several:
        shown = ", ".join(subject.lattice.label_of(member) for member in members[:3])
        raise Mistake(key, f"expected one subgroup, such as {shown}, got {name!r}, which names a class of {len(members)}")
    return which, [one]


def tried_words(subject: Subject, which: str, members: list[Subgroup]) -> str:
    """Which subgroups were tried, in words."""
    labels = [subject.lattice.label_of(member) for member in members]
    shown = ", ".join(labels[:6]) + (f" and {len(labels) - 6} more" if len(labels) > 6 else "")
    return f"{'some' if which == 'some' else 'every'} conjugate, tried: {shown}"


def named_subgroup(subject: Subject, key: str, name: str) -> Subgroup:
    """The subgroup with this label, the first of the class of this name, or the one that permutations generate.

    Raises:
        Mistake: there is none; the nearest names are given.

    """
    group = subject.group
    try:
        if re.match(r"\([0-9\s,]*\)", name):
            words = re.split(r"(?<=\))\s*,\s*(?=\()", name)
            generators = [int(group.index_of(parse_cycles(text, group.degree))) for text in words]
            return subject.lattice.all[subject.lattice.find(closure(group, generators))]
        return subject.lattice.by_name(name)
    except GroupError as error:
        near = nearest(name, (*subject.lattice.names, *subject.lattice.labels))
        raise Mistake(key, str(error).rstrip(".") + near) from error


def irrep_residual(
    subject: Subject, functions: npt.NDArray[np.float64], error: npt.NDArray[np.float64], name: str, key: str
) -> tuple[npt.NDArray[np.float64], ...]:
    """(computed, low, high) share of each function's variance outside an irrep, a complex one together with its conjugate.

    |P_rho f|^2 = (d / |G|) sum over h of chi(h) A(h), A the autocorrelation; since sum |chi| <= |G|, the rounding bound grows by d.
    """
    table = character_table(subject.group)
    if name not in table.names:
        raise Mistake(key, f"expected an irrep out of {', '.join(table.names)}, got {name!r}{nearest(name, table.names)}")
    number = table.names.index(name)
    chi, degree = table.values[number][subject.group.class_of], int(table.degrees[number])
    pair = 2 if np.abs(chi.imag).max() > 1e-9 else 1
    correlation, moved = centred_autocorrelation(subject.group, np.ascontiguousarray(functions), error, "right")
    energy = np.maximum(correlation[0], np.finfo(float).tiny)
    share = pair * degree / subject.group.order * (chi.real @ correlation) / energy
    low, high = residual_bounds(share, moved, subject.group.order, rounding=2.0 * pair * degree)
    return 1 - share, low, high
