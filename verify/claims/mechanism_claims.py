"""Claims about how coset neurons work, and about the group theory behind them: switches, powers of indicators."""

from fractions import Fraction

import numpy as np

from algebra.action import permutation_character, shared_cosets
from algebra.characters.character_table import character_table
from algebra.subgroup import Subgroup
from verify.claims.claim import Bounded, Counterexample, Mistake, NonNegative, Outcome, percent, word
from verify.claims.neuron_claims import Integers, named_subgroup
from verify.claims.subject import Subject


class Switches(Bounded, frozen=True, kw_only=True, tag="switches"):
    """The share of coset neurons that are switches for a shared coset D = Hg = gK: relu(L[x] + R[y]) = 0 whenever xy lies in D.

    With ``cancels = true``: |L[x] + R[y]| <= within * (max L - min L) whenever xy lies in D; ``exactly_there = true`` adds
    that it is greater on every other pair. Silence, too, allows activations up to ``within`` of the range.
    H and K are those of the neuron's label (kinds "coset" and "sign", `verify.distil.labels`), D any coset that they share; neurons
    whose H and K are not conjugate share none and count as no switches. Given the labels, decided exactly, in integers: the y with
    xy in D form one left coset of K for each right coset Hx, so extremes on cosets suffice. Without a bound MEASURED.
    REFUTED shows the neurons that are no switches. Source: Stander et al., arXiv 2312.06581, section 5.1 and 5.2.
    """

    within: NonNegative = 0.0
    cancels: bool = False
    exactly_there: bool = False

    def decide(self, subject: Subject) -> Outcome:
        """Test every labelled neuron on every coset that its subgroups share."""
        exact, lattice = subject.weights.exact(), subject.lattice
        good, others = 0, []
        shared: dict[tuple[int, int], list[int]] = {}
        for label in subject.labels:
            if label.kind not in ("coset", "sign") or label.left is None or label.right is None:
                continue
            key = (label.left.subgroup, label.right.subgroup)
            H, K = lattice.all[key[0]], lattice.all[key[1]]
            if key not in shared:
                shared[key] = [int(coset[0]) for coset in shared_cosets(H, K)]
            L, R = exact.L[:, label.index], exact.R[:, label.index]
            if any(self._switch(subject, L, R, H, K, g) for g in shared[key]):
                good += 1
            else:
                others.append(label.index)
        total = good + len(others)
        if not total:
            return Outcome("SKIPPED", "no neuron is labelled as a coset neuron")
        value = Fraction(good, total)
        what = "cancel" if self.cancels else "are silent"
        finding = f"{good} of {total} coset neurons {what} on a shared coset up to {self.within:g} ({percent(value)})"
        return self.decided(value, finding, lambda _: {"neurons": others, "within": self.within}, coset_neurons=total)

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

    def decide(self, subject: Subject) -> Outcome:
        """Decompose the permutation character."""
        table, subgroup = character_table(subject.group), named_subgroup(subject, "subgroup", self.subgroup)
        if self.irrep not in table.names[1:]:
            known = ", ".join(table.names[1:])
            raise Mistake("irrep", f"expected a nontrivial irrep out of {known}, got {self.irrep!r}")
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
