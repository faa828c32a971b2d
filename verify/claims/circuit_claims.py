"""Claims about which circuits a network needs: each by itself, and together."""

from fractions import Fraction
from typing import Literal

import msgspec
import numpy as np

from algebra.plural import plural
from verify.claims.claim import Bounded, Counterexample, Index, Mistake, Outcome, chosen_by_floats, number_list, percent, word
from verify.claims.subject import Subject
from verify.compare.necessity import necessary, sufficient


class Circuits(Bounded, frozen=True, kw_only=True, tag="circuits"):
    """The share of circuits that the network needs: whose removal changes the answer to some pair.

    ``level = "necessary"``: each circuit is removed alone; without bound or published figure the claim is that every one is needed.
    ``"sufficient"``: circuits that keep every answer together and none of which can be left out (a minimal set, found by trying the
    circuits of least energy first); the figure is their share of all circuits. What is proved is that so few are enough: a claim that
    at least more are needed is REFUTED by them, one of a lower bound within reach is UNKNOWN, since another set may be smaller.
    ``sets`` lists the circuits, each by its neurons from 0; when left out, neurons with the same label on both sides
    (`verify.distil.labels`) make a circuit and live neurons without label one each: floats chose these, so the claim is MEASURED.
    An answer is the unique greatest logit of the whole network; ties are passed over. Given the circuits all is decided exactly
    (`verify.compare.necessity`). REFUTED shows the circuits that can go, or for each the pair that needs it.
    Source: the ablations of Stander et al., arXiv 2312.06581, restated.
    """

    level: Literal["necessary", "sufficient"] = "necessary"
    sets: tuple[tuple[Index, ...], ...] = ()

    def quantity(self) -> str:
        """The share of circuits."""
        of = f"the {plural(len(self.sets), 'circuit')} given" if self.sets else "the circuits that labels make"
        if self.level == "necessary":
            return f"the share of {of} whose removal changes an answer"
        return f"the share of {of} in a minimal set that keeps every answer"

    def claims_all(self) -> bool:
        """Every circuit is needed."""
        return self.level == "necessary"

    def decide(self, subject: Subject) -> Outcome:
        """Remove circuits one at a time, from the whole or from what is left."""
        circuits = self._given(subject) if self.sets else by_label(subject)
        if not circuits:
            return Outcome("SKIPPED", "every neuron is dead")
        if self.level == "necessary":
            pairs = necessary(subject.weights, subject.evaluation, circuits)
            needed = [k for k, pair in enumerate(pairs) if pair is not None]
            witnesses = [pair for pair in pairs if pair is not None]
        else:
            energy = np.array([label.energy for label in subject.labels])
            order = np.argsort([energy[circuit].sum() for circuit in circuits], kind="stable").tolist()
            found = sufficient(subject.weights, subject.evaluation, circuits, order)
            needed, witnesses = list(found.circuits), list(found.witnesses)
        value = Fraction(len(needed), len(circuits))
        rows = [
            {"neurons": circuits[k], "x": word(subject.group, x), "y": word(subject.group, y)}
            for k, (x, y) in zip(needed, witnesses, strict=True)
        ]
        spare = [circuits[k] for k in range(len(circuits)) if k not in set(needed)]
        count = sum(len(circuits[k]) for k in needed)
        if self.level == "necessary":
            finding = f"{len(needed)} of {plural(len(circuits), 'circuit')} needed ({percent(value)})"
        else:
            finding = f"{len(needed)} of {plural(len(circuits), 'circuit')} ({plural(count, 'neuron')})"
            finding += " keep every answer, and none of them can go"

        def shown(low: bool) -> Counterexample:
            if not low or self.level == "sufficient":
                return {"needed": rows, "words": finding}
            return {"not needed": spare, "words": f"removing neurons {number_list(spare[0])} changes no answer"}

        figures = {"circuits": len(circuits), "needed": rows, "neurons": count}
        if self.level == "necessary":
            outcome = self.decided(value, finding, shown, **figures)
        else:
            between = self.decided_between(Fraction(0), value, finding, shown, **figures)
            outcome = msgspec.structs.replace(between, figure=float(value))
        return outcome if self.sets else chosen_by_floats(outcome, "which neurons make a circuit was found by measured labels")

    def _given(self, subject: Subject) -> list[list[int]]:
        seen = set[int]()
        for number, neurons in enumerate(self.sets):
            if not neurons:
                raise Mistake(f"sets[{number}]", "expected the numbers of neurons, got none")
            for i in neurons:
                if i >= subject.weights.width:
                    raise Mistake(f"sets[{number}]", f"expected neurons from 0 to {subject.weights.width - 1}, got {i}")
                if i in seen:
                    raise Mistake(f"sets[{number}]", f"expected every neuron in one circuit, got {i} twice")
                seen.add(i)
        return [list(neurons) for neurons in self.sets]


def by_label(subject: Subject) -> list[list[int]]:
    """Live neurons by what they read x and y through; those without a label stand alone."""
    found: dict[object, list[int]] = {}
    for label in subject.labels:
        if label.kind != "dead":
            read = [None if side is None else side.form for side in (label.left, label.right)]
            found.setdefault(tuple(read) if None not in read else label.index, []).append(label.index)
    return list(found.values())
