"""Claims about all neurons of a network: shares, distributions, counts, coverage, correlations."""

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from typing import Literal

import numpy as np
import numpy.typing as npt

from algebra.coset_space import Side
from algebra.plural import plural
from algebra.subgroup import Subgroup
from verify.claims.claim import Bounded, Claim, Counterexample, Mistake, NonNegative, Outcome, Positive, number_list, percent
from verify.claims.neuron_claims import named_subgroup
from verify.claims.subject import Subject
from verify.record.explain import percentage

OWN: dict[str, Side] = {"left": "right", "right": "left"}
Mask = npt.NDArray[np.bool_]


class Concentrated(Bounded, frozen=True, kw_only=True, tag="concentrated"):
    """The share of neurons with min over H of C_H < ``below``, or with ``count = true`` the number of neurons that have not.

    C_H(f) is the sum over the cosets of H of Var[f | coset] / Var[f], ddof 1, over proper nontrivial H; ``form = "normalised"``
    divides by [G:H], which makes it about 1 for noise whatever H. ``of`` says whose f: L on right cosets ("left"), R on left cosets
    ("right"), or "both" at once. ``among`` says which neurons: all, or those that are not dead.
    Decided by float64 with the bounds of `verify.compare.concentration`; UNKNOWN when neurons that the bounds leave open matter.
    REFUTED shows the neurons that are provably not below, or, where too many are, those that provably are. A neuron whose function
    is constant is not below.
    Source: Stander et al., arXiv 2312.06581; the sum makes "C < 1" weak (see docs/published-claims.md).
    """

    below: Positive = 1.0
    form: Literal["stander", "normalised"] = "stander"
    of: Literal["left", "right", "both"] = "both"
    among: Literal["all", "live"] = "live"
    count: bool = False

    def quantity(self) -> str:
        """The share or the number of neurons."""
        of = {"left": "L", "right": "R", "both": "both L and R"}[self.of]
        what = "number of neurons without" if self.count else "share of neurons with"
        form = "" if self.form == "stander" else " / [G:H]"
        return f"the {what} min C_H{form} < {self.below:g} of {of}, among {self.among} neurons,"

    def attainable(self) -> tuple[Fraction, Fraction | None]:
        """A count has no greatest value."""
        return Fraction(0), None if self.count else Fraction(1)

    def decide(self, subject: Subject) -> Outcome:
        """Compare the bounds of the minimum with the threshold."""
        sure, possible = concentrated(subject, self.below, self.form == "normalised", self.of)
        chosen = np.ones_like(sure) if self.among == "all" else ~subject.dead
        total = int(chosen.sum())
        if not total and not self.count:
            return Outcome("SKIPPED", "every neuron is dead")
        few, many = int((sure & chosen).sum()), int((possible & chosen).sum())
        finding = f"{few} of {plural(total, 'neuron')} {'has' if few == 1 else 'have'}"
        finding += f" min C < {self.below:g} ({percent(Fraction(few, max(total, 1)))})"
        if self.count:
            low, high = Fraction(total - many), Fraction(total - few)
        else:
            low, high = Fraction(few, max(total, 1)), Fraction(many, max(total, 1))
        if low != high:
            finding += f"; rounding leaves {many - few} open"

        def shown(low: bool) -> Counterexample:
            least, most = least_concentration(subject, self.of, self.form == "normalised")
            if low != self.count:  # too few are below, or too many are not
                listed = np.flatnonzero(chosen & ~possible)
                rows = [{"neuron": int(i), "min_C_at_least": float(least[i])} for i in listed]
            else:
                listed = np.flatnonzero(chosen & sure)
                rows = [{"neuron": int(i), "min_C_at_most": float(most[i])} for i in listed]
            words = f"neurons {number_list(listed)} are {'not ' if low != self.count else ''}below"
            return {"neurons": rows, "of": self.of, "words": words}

        return self.decided_between(low, high, finding, shown, total=total)


class ClassDistribution(Claim, frozen=True, kw_only=True, tag="subgroup classes"):
    """How the neurons are distributed over the conjugacy classes of subgroups; ``published`` is a table of shares by class name.

    ``by = "concentration"``: each neuron counts for the class of the H with the least C_H of L on right cosets (the published rule:
    the sum prefers large H), "none" when that is 1 or more, "dead" when it is dead. ``by = "label"``: for the class that
    `verify.distil.labels` finds on L, "none" for raw neurons.
    Always MEASURED; the figure is the total variation distance to the published table, half the sum of the differences. Names are
    those of `verify group`.
    Source: Stander et al., arXiv 2312.06581, Figs. 5 and 6.
    """

    by: Literal["concentration", "label"] = "concentration"

    def statement(self) -> str:
        """The distribution."""
        return f"how the neurons are distributed over the classes of subgroups, by {self.by}: a figure without a bound"

    def decide(self, subject: Subject) -> Outcome:
        """Count classes."""
        names, lattice = subject.lattice.names, subject.lattice
        if self.by == "concentration":
            _, high, best = subject.concentration("left", "right").least()
            found = [names[int(lattice.class_of[h])] if c < 1 else "none" for c, h in zip(high, best, strict=True)]
        else:
            sides = [label.left for label in subject.labels]
            found = ["none" if side is None else lattice.name_of(side.subgroup) for side in sides]
        found = ["dead" if dead else name for name, dead in zip(found, subject.dead, strict=True)]
        shares = {name: count / len(found) for name, count in Counter(found).most_common()}
        finding = ", ".join(f"{name} {percentage(share)}" for name, share in shares.items())
        distance = None
        if isinstance(self.published, dict):
            distance = sum(abs(shares.get(k, 0) - self.published.get(k, 0)) for k in {*shares, *self.published}) / 2
        agrees = None if distance is None or self.tolerance is None else distance <= self.tolerance
        return Outcome("MEASURED", finding, distance, {"shares": shares}, None, agrees)


class CosetNeurons(Bounded, frozen=True, kw_only=True, tag="coset neurons"):
    """The number of neurons with L on right cosets of a conjugate of ``subgroup`` and R on left cosets of one of ``right``.

    ``subgroup`` names a class ("S4"), or is "even permutations" or "point stabiliser"; ``right`` is the same class when left out.
    Constant means up to ``within`` of the range of L and of R, in sup norm. Dead neurons don't count.
    Decided exactly, in integers. REFUTED shows the neurons that were counted, so a recount refutes it.
    Source: Stander et al., arXiv 2312.06581 (sign neurons; neurons of S_{n-1}).
    """

    subgroup: str
    right: str = ""
    within: NonNegative = 0.01

    def quantity(self) -> str:
        """The number of neurons."""
        right = f" and R on left cosets of one of {self.right}" if self.right else ""
        on = f"cosets of conjugates of {self.subgroup}{right}"
        return f"the number of neurons constant on {on}, up to {self.within:g} of their range,"

    def attainable(self) -> tuple[Fraction, Fraction | None]:
        """A count has no greatest value."""
        return Fraction(0), None

    def decide(self, subject: Subject) -> Outcome:
        """Count them."""
        left = conjugates(subject, "subgroup", self.subgroup)
        right = conjugates(subject, "right", self.right or self.subgroup)
        on_left = fits(subject, "left", left, self.within).any(axis=0)
        both = on_left & fits(subject, "right", right, self.within).any(axis=0) & ~subject.dead
        neurons = [int(i) for i in np.flatnonzero(both)]
        finding = f"{plural(len(neurons), 'neuron')} on cosets of {self.subgroup} up to {self.within:g} of their range"
        words = f"the neurons are {number_list(neurons)}"
        return self.decided(Fraction(len(neurons)), finding, lambda _: {"neurons": neurons, "within": self.within, "words": words})


class Coverage(Bounded, frozen=True, kw_only=True, tag="coverage"):
    """The share of pairs (H_i, K_j) of conjugates of ``subgroup`` with a neuron that has L on right cosets of H_i, R on left of K_j.

    As "coset neurons" in everything else; without bound or published figure the claim is that every pair is covered.
    Decided exactly, in integers. REFUTED shows the pairs without a neuron, by label of the subgroups.
    Source: Stander et al., arXiv 2312.06581, section 5.3 (the n^2 switches determine the product).
    """

    subgroup: str = "point stabiliser"
    within: NonNegative = 0.01

    def quantity(self) -> str:
        """The share of pairs of conjugates."""
        return f"the share of pairs of conjugates of {self.subgroup} with a neuron on their cosets, up to {self.within:g} of its range,"

    def claims_all(self) -> bool:
        """Every pair is covered."""
        return True

    def decide(self, subject: Subject) -> Outcome:
        """Cover the table of pairs."""
        members = conjugates(subject, "subgroup", self.subgroup)
        left, right = (fits(subject, of, members, self.within) & ~subject.dead for of in ("left", "right"))
        covered = left.astype(np.int64) @ right.astype(np.int64).T > 0
        value = Fraction(int(covered.sum()), covered.size)
        finding = f"a neuron for {int(covered.sum())} of {plural(covered.size, 'pair')}"
        labels = [subject.lattice.label_of(member) for member in members]
        missing = [[labels[i], labels[j]] for i, j in np.argwhere(~covered)]
        there = [[labels[i], labels[j]] for i, j in np.argwhere(covered)]

        def shown(low: bool) -> Counterexample:
            key, pairs = ("uncovered", missing) if low else ("covered", there)
            listed = ", ".join(f"({h}, {k})" for h, k in pairs[:6]) + (f" and {len(pairs) - 6} more" if len(pairs) > 6 else "")
            return {key: pairs, "within": self.within, "words": f"{key}: {listed}"}

        return self.decided(value, finding, shown)


class UnembeddingCorrelation(Claim, frozen=True, kw_only=True, tag="unembedding correlation"):
    """Mean correlation of two neurons' votes U[i, :], over pairs of live neurons that stand in a relation.

    "same coset": both read x through right cosets of one H and y through left cosets of one K, so they share a coset Hg = gK;
    "same class": through conjugates of one class but other H or K; "others": through different classes. Labels are those of
    `verify.distil.labels`; raw neurons are left out.
    Always MEASURED; the figure is the mean, with the standard deviation and the number of pairs of each relation beside it.
    Source: Stander et al., arXiv 2312.06581 (against GCR).
    """

    relation: Literal["same coset", "same class", "others"] = "same coset"

    def statement(self) -> str:
        """The correlation."""
        return f"the mean correlation of the votes of two neurons in the relation {self.relation!r}: a figure without a bound"

    def decide(self, subject: Subject) -> Outcome:
        """Correlate and average."""
        lattice, rows, read, kinds = subject.lattice, [], [], []
        for label in subject.labels:
            if label.left is not None and label.right is not None and label.kind != "rank one":
                rows.append(label.index)
                read.append((label.left.form, label.right.form))
                kinds.append(tuple(lattice.name_of(side.subgroup) for side in (label.left, label.right)))
        if len(rows) < 2:
            return Outcome("SKIPPED", "fewer than two neurons have labels")
        correlation = np.asarray(np.corrcoef(subject.measured.weights.U[rows]))
        same_coset = _equal(read)
        same_class = _equal(kinds) & ~same_coset
        upper = np.triu(np.ones(correlation.shape, dtype=bool), 1)
        masks = {"same coset": same_coset, "same class": same_class, "others": ~same_coset & ~same_class}
        table = {name: _summary(correlation[mask & upper]) for name, mask in masks.items()}
        mean = table[self.relation]["mean"]
        if not table[self.relation]["pairs"]:
            return Outcome("SKIPPED", f"no two neurons with labels stand in the relation {self.relation!r}")
        finding = f"{self.relation}: {mean:.3f} (sd {table[self.relation]['sd']:.3f}, {table[self.relation]['pairs']} pairs)"
        return self.measured(mean, finding, relations=table)


def _equal(keys: Sequence[object]) -> Mask:
    numbers: dict[object, int] = {}
    labels = np.array([numbers.setdefault(key, len(numbers)) for key in keys])
    return np.asarray(labels[:, None] == labels)


def _summary(values: npt.NDArray[np.float64]) -> dict[str, float]:
    if not values.size:
        return {"mean": float("nan"), "sd": float("nan"), "pairs": 0}
    return {"mean": float(values.mean()), "sd": float(values.std()), "pairs": int(values.size)}


def least_concentration(subject: Subject, of: str, normalised: bool) -> tuple[npt.NDArray[np.float64], ...]:
    """(low, high) bounds of min over H of C_H for each neuron; the greater one of both sides for "both"."""
    sides = ("left", "right") if of == "both" else (of,)
    bounds = [subject.concentration(side, OWN[side]).least(normalised)[:2] for side in sides]
    return tuple(np.maximum.reduce([pair[k] for pair in bounds]) for k in range(2))


def concentrated(subject: Subject, below: float, normalised: bool, of: str) -> tuple[Mask, Mask]:
    """Masks of the neurons whose min over H of C_H is provably below the threshold, and of those where it may be."""
    low, high = least_concentration(subject, of, normalised)
    return high < below, low < below


def conjugates(subject: Subject, key: str, name: str) -> list[Subgroup]:
    """All conjugates of the subgroup that a claim names; also "even permutations" and "point stabiliser" (of every point).

    Raises:
        Mistake: there is none, or for "even permutations" no odd permutation.

    """
    lattice, group = subject.lattice, subject.group
    if name == "sign":
        raise Mistake(key, "expected a subgroup, got 'sign', which is a kind of neuron; did you mean 'even permutations'?")
    if name == "even permutations":
        if not group.parity.any():
            raise Mistake(key, f"expected a group with odd permutations for 'even permutations', got {group.name}")
        return [lattice.all[lattice.find(group.parity == 0)]]
    if name == "point stabiliser":
        masks = {(mask := group.elements[:, point] == point).tobytes(): mask for point in range(group.degree)}
        return [lattice.all[lattice.find(mask)] for mask in masks.values()]
    one = named_subgroup(subject, key, name)
    number = int(lattice.class_of[lattice.find(one.mask)])
    return [lattice.all[int(i)] for i in lattice.classes[number].members]


def fits(subject: Subject, of: str, members: list[Subgroup], within: float) -> Mask:
    """(members, m) whether max - min of L on each right coset (of R on each left one) is at most 2 * within * range, exactly."""
    exact = subject.weights.exact()
    values = exact.L if of == "left" else exact.R
    allowed = (values.max(axis=0) - values.min(axis=0)) * (2 * Fraction(repr(within)))
    found = np.zeros((len(members), values.shape[1]), dtype=bool)
    for row, member in enumerate(members):
        labels = (member.right_cosets if of == "left" else member.left_cosets).labels
        cosets = values[np.argsort(labels, kind="stable")].reshape(member.index, member.order, -1)
        found[row] = (cosets.max(axis=1) - cosets.min(axis=1)).max(axis=0) <= allowed
    return found
