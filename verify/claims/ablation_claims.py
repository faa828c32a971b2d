"""Claims about what happens when neurons are removed or kept by a criterion."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Annotated, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from algebra.characters.character_table import CharacterTable, character_table
from algebra.plural import plural
from verify.claims.claim import Bounded, Index, Mistake, NonNegative, Outcome, Positive, Seed, chosen_by_floats, number_list, percent
from verify.claims.network_claims import example
from verify.claims.population_claims import concentrated, conjugates, fits
from verify.claims.representation_claims import chosen_irreps
from verify.claims.subject import Subject
from verify.compare.interventions import remove, set_to_mean
from verify.exact.exhaustive import correct_pairs

Mask = npt.NDArray[np.bool_]


class ByConcentration(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="concentration", tag_field="by"):
    """Neurons with min over H of C_H provably below the threshold, as in "concentrated"."""

    below: Positive
    form: Literal["stander", "normalised"] = "stander"
    of: Literal["left", "right", "both"] = "both"

    def select(self, subject: Subject) -> tuple[Mask, str]:
        """(m,) mask, and why the choice is a measurement where it is one."""
        sure, possible = concentrated(subject, self.below, self.form == "normalised", self.of)
        unsure = np.flatnonzero(possible & ~sure)
        return sure, f"rounding leaves open whether neurons {number_list(unsure)} are below" if len(unsure) else ""


class BySubgroup(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="subgroup", tag_field="by"):
    """Neurons with L on right cosets and R on left cosets of conjugates of the subgroup, as in "coset neurons"."""

    subgroup: str
    within: NonNegative = 0.01

    def select(self, subject: Subject) -> tuple[Mask, str]:
        """(m,) mask, and why the choice is a measurement where it is one."""
        members = conjugates(subject, "neurons.subgroup", self.subgroup)
        both = [fits(subject, of, members, self.within).any(axis=0) for of in ("left", "right")]
        return np.asarray(both[0] & both[1]), ""


class ByKind(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="kind", tag_field="by"):
    """Neurons whose label has one of these kinds (`verify.distil.labels`); "dead" ones are decided exactly."""

    kinds: tuple[Literal["coset", "twisted", "dual", "sign", "rank one", "raw", "dead"], ...]

    def select(self, subject: Subject) -> tuple[Mask, str]:
        """(m,) mask, and why the choice is a measurement where it is one."""
        if self.kinds == ("dead",):
            return subject.dead, ""
        return np.array([label.kind in self.kinds for label in subject.labels], dtype=bool), "neurons were picked by measured labels"


class ByIrrep(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="irrep", tag_field="by"):
    """Neurons whose votes have at least half of their variance in these irreps, a complex one together with its conjugate."""

    irreps: tuple[str, ...]

    def select(self, subject: Subject) -> tuple[Mask, str]:
        """(m,) mask, and why the choice is a measurement where it is one."""
        from verify.claims.neuron_claims import irrep_residual

        votes, error = subject.side("votes")
        names = _one_of_conjugates(character_table(subject.group), chosen_irreps(subject, self.irreps))
        inside = [1 - irrep_residual(subject, votes, error, name, "neurons.irreps")[0] for name in names]
        return np.asarray(np.sum(inside, axis=0) >= 0.5), "neurons were picked by measured shares of variance"


def _one_of_conjugates(table: CharacterTable, names: Sequence[str]) -> list[str]:
    """The names, less those whose complex conjugate stands before them: `irrep_residual` counts the two together."""
    kept: list[str] = []
    for name in names:
        conjugate = table.values[table.names.index(name)].conj()
        if not any(np.abs(table.values[table.names.index(other)] - conjugate).max() < 1e-6 for other in kept):
            kept.append(name)
    return kept


class ByNumber(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="number", tag_field="by"):
    """Neurons with these numbers, from 0."""

    neurons: tuple[Index, ...]

    def select(self, subject: Subject) -> tuple[Mask, str]:
        """(m,) mask, and why the choice is a measurement where it is one."""
        mask = np.zeros(subject.weights.width, dtype=bool)
        for place, neuron in enumerate(self.neurons):
            if neuron >= len(mask):
                raise Mistake(f"neurons.neurons[{place}]", f"expected a neuron from 0 to {len(mask) - 1}, got {neuron}")
            mask[neuron] = True
        return mask, ""


class AtRandom(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="random", tag_field="by"):
    """A random share of all neurons, drawn by a seed."""

    share: Annotated[float, msgspec.Meta(ge=0, le=1)]
    seed: Seed = 0

    def select(self, subject: Subject) -> tuple[Mask, str]:
        """(m,) mask, and why the choice is a measurement where it is one."""
        width = subject.weights.width
        mask = np.zeros(width, dtype=bool)
        mask[np.random.default_rng(self.seed).permutation(width)[: round(self.share * width)]] = True
        return mask, ""


Criterion = ByConcentration | BySubgroup | ByKind | ByIrrep | ByNumber | AtRandom


class Ablation(Bounded, frozen=True, kw_only=True, tag="ablation"):
    """Accuracy after removing the neurons that a criterion picks, or all others (``action = "keep"``).

    ``fill = "zero"`` drops a neuron; ``"mean"`` puts its mean activation over all pairs in its place (rounded to the network's own
    bits, `verify.compare.interventions.set_to_mean`). ``metric = "loss of accuracy"`` bounds the accuracy before less that
    after.
    Given the neurons, which are stated with the finding, the accuracy is decided exactly, by exhaustive evaluation. Where floats pick
    them (labels, irreps, a concentration that rounding leaves open) the claim is MEASURED all the same.
    REFUTED shows a pair and the neurons removed. Source: Stander et al., arXiv 2312.06581 (zero or mean is not said).
    """

    neurons: Criterion
    action: Literal["remove", "keep"] = "remove"
    fill: Literal["zero", "mean"] = "zero"
    metric: Literal["accuracy", "loss of accuracy"] = "accuracy"

    def quantity(self) -> str:
        """Accuracy, or what is lost of it."""
        what = "accuracy" if self.metric == "accuracy" else "the accuracy before less that"
        verb = "removing the neurons picked" if self.action == "remove" else "removing all neurons but those picked"
        keys = ", ".join(f"{key} {value}" for key, value in msgspec.to_builtins(self.neurons).items())
        return f"{what} after {verb} ({keys}; filled with {self.fill})"

    def attainable(self) -> tuple[Fraction, Fraction | None]:
        """Accuracy may also grow."""
        return Fraction(0) if self.metric == "accuracy" else Fraction(-1), Fraction(1)

    def decide(self, subject: Subject) -> Outcome:
        """Ablate, evaluate, count."""
        picked, measured = self.neurons.select(subject)
        gone = np.flatnonzero(picked if self.action == "remove" else ~picked)
        surgery = remove(gone) if self.fill == "zero" else set_to_mean(gone)
        if len(gone):
            evaluation = subject.answers(f"{self.fill} {gone.tolist()}", surgery(subject.weights))
        else:
            evaluation = subject.evaluation
        good, before = correct_pairs(evaluation, subject.group.mul), correct_pairs(subject.evaluation, subject.group.mul)
        accuracy, loss = (Fraction(int(k), good.size) for k in (good.sum(), before.sum() - good.sum()))
        value = accuracy if self.metric == "accuracy" else loss
        finding = f"{len(gone)} of {plural(len(picked), 'neuron')} removed ({self.fill}): accuracy {percent(accuracy)}; "
        finding += f"picked: {number_list(np.flatnonzero(picked))}"
        everything = np.ones_like(good)
        numbers = [int(i) for i in gone]

        def shown(low: bool) -> dict[str, object]:
            wrong = low if self.metric == "accuracy" else not low
            return example(subject, evaluation, good, everything, wrong) | {"removed": numbers, "fill": self.fill}

        outcome = self.decided(value, finding, shown, removed=len(gone), accuracy=float(accuracy))
        return chosen_by_floats(outcome, measured) if measured else outcome
