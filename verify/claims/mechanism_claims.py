"""Claims about how coset neurons work, and about the group theory behind them: switches, powers of indicators."""

from fractions import Fraction

import numpy as np

from algebra.action import permutation_character, shared_cosets
from algebra.characters.character_table import character_table
from algebra.plural import plural
from algebra.subgroup import Subgroup
from verify.claims.claim import (
    Bounded,
    Counterexample,
    Mistake,
    NonNegative,
    Outcome,
    chosen_by_floats,
    nearest,
    number_list,
    percent,
    word,
)
from verify.claims.neuron_claims import Integers, named_subgroup
from verify.claims.population_claims import conjugates, fits
from verify.claims.subject import Subject


class Switches(Bounded, frozen=True, kw_only=True, tag="switches"):
    """The share of coset neurons that are switches for a shared coset D = Hg = gK: relu(L[x] + R[y]) = 0 whenever xy lies in D.

    With ``cancels = true``: |L[x] + R[y]| <= within * (max L - min L) whenever xy lies in D; ``exactly_there = true`` adds
    that it is greater on every other pair. Silence, too, allows activations up to ``within`` of the range.
    D is any coset that H and K share; neurons whose H and K are not conjugate share none and count as no switches.
    With ``subgroup``, a coset neuron is what "coset neurons" counts for that class, up to ``constant_within``: L constant on the right
    cosets of a conjugate H, R on the left cosets of a conjugate K; then all is decided exactly, in integers. Without it, H and K are
    those of the neuron's label (kinds "coset" and "sign", `verify.distil.labels`), which floats chose: MEASURED.
    The y with xy in D form one left coset of K for each right coset Hx, so extremes on cosets suffice. Without a bound MEASURED.
    REFUTED shows the neurons that are no switches. Source: Stander et al., arXiv 2312.06581, section 5.1 and 5.2.
    """

    subgroup: str = ""
    constant_within: NonNegative = 0.01

    within: NonNegative = 0.0
    cancels: bool = False
    exactly_there: bool = False

    def quantity(self) -> str:
        """The share of coset neurons."""
        who = f"coset neurons of {self.subgroup}" if self.subgroup else "neurons labelled as coset neurons"
        what = "cancel" if self.cancels else "are silent"
        there = " exactly" if self.exactly_there else ""
        return f"the share of {who} that {what}{there} on a coset that their subgroups share, up to {self.within:g} of the range"

    def decide(self, subject: Subject) -> Outcome:
        """Test every coset neuron on every coset that its subgroups share."""
        exact = subject.weights.exact()
        switches, others = [], []
        shared: dict[tuple[bytes, bytes], list[int]] = {}
        for neuron, pairs in self._coset_neurons(subject).items():
            L, R = exact.L[:, neuron], exact.R[:, neuron]
            for H, K in pairs:
                key = (H.mask.tobytes(), K.mask.tobytes())
                if key not in shared:
                    shared[key] = [int(coset[0]) for coset in shared_cosets(H, K)]
                if any(self._switch(subject, L, R, H, K, g) for g in shared[key]):
                    switches.append(neuron)
                    break
            else:
                others.append(neuron)
        total = len(switches) + len(others)
        if not total:
            return Outcome("SKIPPED", "no neuron is a coset neuron" + (f" of {self.subgroup}" if self.subgroup else " by its label"))
        value = Fraction(len(switches), total)
        what = "cancel" if self.cancels else "are silent"
        finding = (
            f"{len(switches)} of {plural(total, 'coset neuron')} {what} on a shared coset up to {self.within:g} ({percent(value)})"
        )

        def shown(low: bool) -> Counterexample:
            listed = others if low else switches
            words = f"neurons {number_list(listed)} are {'no ' if low else ''}switches"
            return {"neurons": listed, "within": self.within, "words": words}

        outcome = self.decided(value, finding, shown, coset_neurons=total)
        return outcome if self.subgroup else chosen_by_floats(outcome, "which neurons are coset neurons was found by measured labels")

    def _coset_neurons(self, subject: Subject) -> dict[int, list[tuple[Subgroup, Subgroup]]]:
        """The coset neurons, each with the pairs (H, K) that it reads x and y through."""
        if not self.subgroup:
            return {
                label.index: [(label.left.subgroup, label.right.subgroup)]
                for label in subject.labels
                if label.kind in ("coset", "sign") and label.left is not None and label.right is not None
            }
        members = conjugates(subject, "subgroup", self.subgroup)
        left, right = (fits(subject, of, members, self.constant_within) for of in ("left", "right"))
        chosen = np.flatnonzero(left.any(axis=0) & right.any(axis=0) & ~subject.dead)
        return {
            int(i): [(members[h], members[k]) for h in np.flatnonzero(left[:, i]) for k in np.flatnonzero(right[:, i])] for i in chosen
        }

    def _switch(self, subject: Subject, L: Integers, R: Integers, H: Subgroup, K: Subgroup, g: int) -> bool:
        group, rows, columns = subject.group, H.right_cosets, K.left_cosets
        allowed = Fraction(repr(self.within)) * int(L.max() - L.min())
        left_low, left_high = _extremes(L, rows.labels, rows.count)
        right_low, right_high = _extremes(R, columns.labels, columns.count)
        partner = columns.labels[group.mul[group.inv[rows.representatives], g]]  # of each Hx: x^-1 g K
        high, low = left_high + right_high[partner], left_low + right_low[partner]
        if high.max() > allowed or (self.cancels and low.min() < -allowed):
            return False
        if not self.exactly_there:
            return True
        apart = np.ones((rows.count, columns.count), dtype=bool)
        apart[np.arange(rows.count), partner] = False
        fires = (left_low[:, None] + right_low > allowed).astype(bool)
        if self.cancels:
            fires |= (left_high[:, None] + right_high < -allowed).astype(bool)
        return bool(fires[apart].all())


def _extremes(values: Integers, labels: np.ndarray[tuple[int, ...], np.dtype[np.intp]], count: int) -> tuple[Integers, Integers]:
    cosets = values[np.argsort(labels, kind="stable")].reshape(count, -1)
    return cosets.min(axis=1), cosets.max(axis=1)


class IndicatorPower(Bounded, frozen=True, kw_only=True, tag="indicator power"):
    """The share of the variance of the indicator of H that lies in an irrep: d_rho m_rho / ([G:H] - 1), m_rho = dim of H-invariants.

    A statement about the group alone, decided exactly: m_rho is the multiplicity of rho in the permutation character of H.
    REFUTED shows the exact share. Source: Stander et al., arXiv 2312.06581, Table 5.
    """

    subgroup: str
    irrep: str

    def quantity(self) -> str:
        """The share of the variance."""
        return f"the share of the variance of the indicator of {self.subgroup} in the irrep {self.irrep}"

    def decide(self, subject: Subject) -> Outcome:
        """Decompose the permutation character."""
        table, subgroup = character_table(subject.group), named_subgroup(subject, "subgroup", self.subgroup)
        if self.irrep not in table.names[1:]:
            known = ", ".join(table.names[1:])
            near = nearest(self.irrep, table.names[1:])
            raise Mistake("irrep", f"expected a nontrivial irrep out of {known}, got {self.irrep!r}{near}")
        if subgroup.index == 1:
            raise Mistake("subgroup", f"expected a proper subgroup, got {self.subgroup!r}")
        number = table.names.index(self.irrep)
        multiplicity = int(table.multiplicities(permutation_character(subgroup))[number])
        degree = int(table.degrees[number])
        value = Fraction(degree * multiplicity, subgroup.index - 1)
        finding = f"{degree} * {multiplicity} / ({subgroup.index} - 1) = {percent(value)}"
        shown: Counterexample = {
            "generators": [word(subject.group, g) for g in subgroup.generators],
            "degree": degree,
            "multiplicity": multiplicity,
            "index": subgroup.index,
        }
        return self.decided(value, finding, lambda _: shown)
