"""Claims that the network computes a given algorithm: a coset-voting program, a vote formula, a compact proof through cosets."""

from fractions import Fraction
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

from algebra.errors import GroupError
from algebra.permutation import parse_cycles
from algebra.plural import plural
from algebra.subgroup import closure
from net.usual_units import beside
from net.weights import Weights
from verify.claims.claim import (
    Bounded,
    Counterexample,
    Mistake,
    NonNegative,
    Outcome,
    as_float,
    pair_shown,
    percent,
    tied,
    told_apart,
    word,
)
from verify.claims.population_claims import conjugates
from verify.claims.subject import Subject
from verify.compare.gcr import product_sums
from verify.compare.levels import fve, removal_fve
from verify.distil.moments import activation_moments, logit_variance
from verify.exact.exhaustive import Evaluation
from verify.program.program import Program, expand, group_record, program_subgroups
from verify.record.told import of_brute


class ComputesProgram(Bounded, frozen=True, kw_only=True, tag="program"):
    """The network computes a coset-voting program: a program.json beside the claims file, or "readable" / "faithful", distilled anew.

    ``level = "answers"``: the share of pairs with the same answer, decided exactly by exhaustive evaluation of both; where both tie
    they have the same answer, none, as in Q2 of a certificate, and the finding counts these pairs; without bound or published figure
    the claim is 100 %; REFUTED shows a pair and both answers. ``"mechanism"``: the largest |network pre-activation - program
    pre-activation| over pairs and neurons, decided exactly; a neuron that the program leaves out counts with 0 for the program, unless
    it is dead; REFUTED shows neuron, x and y.
    ``"logits"``: share of the variance of the centred logits explained; ``"counterfactuals"``: the same after removing a random 20,
    40 and 60 % of the circuits from both, averaged over shares and seeded draws; ``"neurons"``: the share of live neurons of which
    the program's L and R explain all but ``within`` of the variance; all three MEASURED.
    Source: the four levels of equivalence are those of `verify.compare.levels`.
    """

    program: str
    level: Literal["answers", "logits", "counterfactuals", "neurons", "mechanism"] = "answers"
    within: NonNegative = 0.05

    def quantity(self) -> str:
        """What the level compares."""
        of = {
            "answers": "the share of pairs with the answer of the program",
            "logits": "the share of the logits' variance explained by the program",
            "counterfactuals": "the share of the logits' variance explained, after the same removals, by the program",
            "neurons": f"the share of live neurons whose L and R are explained up to {self.within:g} by the program",
            "mechanism": "the largest difference of pre-activations from those of the program",
        }
        return f"{of[self.level]} {self.program!r}"

    def attainable(self) -> tuple[Fraction, Fraction | None]:
        """Differences of pre-activations have no greatest value."""
        return Fraction(0), None if self.level == "mechanism" else Fraction(1)

    def claims_all(self) -> bool:
        """The program gives every answer."""
        return self.level == "answers"

    def decide(self, subject: Subject) -> Outcome:
        """Expand the program and compare."""
        program, weights, evaluation = self._written(subject)
        price = f"{plural(program.constants, 'constant')}"
        if self.level == "answers":
            given = evaluation or subject.answers(f"program {self.program}", weights)
            return self._answers(subject, given, price)
        if self.level == "mechanism":
            return self._mechanism(subject, program, weights)
        if self.level == "neurons":
            return self._neurons(subject, program, weights)
        network, weights = subject.measured.weights, beside(weights, subject.analysis.units)
        moments = activation_moments(network, weights)
        if self.level == "logits":
            share = fve(network, weights, moments)
            return self.weighed(share, f"{percent(share)} of the logits' variance explained by {price}", constants=program.constants)
        shares = removal_fve(network, weights, program, moments)
        mean = float(np.mean(list(shares.values())))
        return self.weighed(mean, f"{percent(mean)} of the logits' variance explained after removals", after_removing=shares)

    def _written(self, subject: Subject) -> tuple[Program, Weights, Evaluation | None]:
        if self.program in ("readable", "faithful"):
            point = subject.distillation.point(self.program)
            return point.written.program, point.written.weights, point.evaluation
        path = subject.folder / self.program
        try:
            program = msgspec.json.decode(path.read_bytes(), type=Program)
        except OSError as error:
            raise Mistake("program", f"expected a readable program.json at {path}, got: {error.strerror}") from error
        except msgspec.MsgspecError as error:
            raise Mistake("program", f"expected a program in {path}, got: {error}") from error
        except ValueError as error:  # a path that no file can have
            raise Mistake("program", f"expected a readable program.json, got the path {self.program!r:.60}: {error}") from error
        self._fits(program, subject)
        try:
            return program, expand(program, subject.group, program_subgroups(program, subject.group)), None
        except (ValueError, IndexError, GroupError) as error:
            raise Mistake("program", f"expected a program that fits its forms in {path}, got: {error}") from error

    def _fits(self, program: Program, subject: Subject) -> None:
        """That the program is about the same permutations and about neurons that the network has, each once."""
        ours, theirs = group_record(subject.group), program.group
        if theirs != ours and not _generates(subject, theirs.generators, theirs.degree):
            shown = ", ".join(theirs.generators)
            raise Mistake("program", f"expected a program for {ours.name}, got one for {theirs.name} as generated by {shown}")
        if theirs.name != ours.name:
            raise Mistake("program", f"expected a program whose group is called {ours.name}, got {theirs.name!r:.60}")
        indices = [neuron.index for circuit in program.circuits for neuron in circuit.neurons]
        width = subject.weights.width
        for index in indices:
            if not 0 <= index < width or indices.count(index) > 1:
                what = f"{index} twice" if 0 <= index < width else str(index)
                raise Mistake("program", f"expected neurons from 0 to {width - 1}, each at most once, got {what}")

    def _answers(self, subject: Subject, theirs: Evaluation, price: str) -> Outcome:
        ours = subject.evaluation.answer
        same = ours == theirs.answer
        value = Fraction(int(same.sum()), same.size)
        ties = int((same & (ours < 0)).sum())
        of_ties = f", {ties} of them ties of both" if ties else ""
        finding = f"the same answer on {int(same.sum()):,} of {plural(same.size, 'pair')}{of_ties}, {price}"

        def shown(low: bool) -> Counterexample:
            x, y = (int(i) for i in np.argwhere(same != low)[0])
            return pair_shown(subject.group, x, y, int(ours[x, y]), int(theirs.answer[x, y]))

        return self.decided(value, finding, shown)

    def _neurons(self, subject: Subject, program: Program, weights: Weights) -> Outcome:
        neurons = np.array([neuron.index for circuit in program.circuits for neuron in circuit.neurons], dtype=np.intp)
        network, written = subject.measured.weights, weights.scaled(subject.analysis.units.select(neurons))
        residuals = [
            (ours[:, neurons] - theirs).var(axis=0) / np.maximum(ours[:, neurons].var(axis=0), np.finfo(float).tiny)
            for ours, theirs in ((network.L, written.L), (network.R, written.R))
        ]
        live = int((~subject.dead).sum())
        good = int(((np.maximum(*residuals) <= self.within) & ~subject.dead[neurons]).sum())
        share = good / live if live else float("nan")
        return self.weighed(
            share,
            f"inputs read as the program does, up to {self.within:g}, by {good} of {plural(live, 'live neuron')}",
        )

    def _mechanism(self, subject: Subject, program: Program, weights: Weights) -> Outcome:
        written = [neuron.index for circuit in program.circuits for neuron in circuit.neurons]
        left_out = sorted(set(np.flatnonzero(~subject.dead).tolist()) - set(written))
        neurons = written + left_out
        if not neurons:
            return self.decided(Fraction(0), "every neuron is dead, and the program has none", lambda _: {"neurons": []}, neurons=0)
        ours, theirs = subject.weights.exact(), weights.exact()
        bits = max(ours.preactivation_bits, theirs.preactivation_bits)
        a, b = 1 << (bits - ours.preactivation_bits), 1 << (bits - theirs.preactivation_bits)
        left, right = ours.L[:, neurons] * a, ours.R[:, neurons] * a
        left[:, : len(written)] -= theirs.L * b
        right[:, : len(written)] -= theirs.R * b
        up, down = left.max(axis=0) + right.max(axis=0), -(left.min(axis=0) + right.min(axis=0))
        worst = np.maximum(up, down)
        p = int(worst.argmax())
        value = Fraction(int(worst[p]), 1 << bits)

        def shown(_: bool) -> Counterexample:
            pick = np.argmax if up[p] >= down[p] else np.argmin
            x, y = word(subject.group, int(pick(left[:, p]))), word(subject.group, int(pick(right[:, p])))
            words = f"neuron {neurons[p]} differs by {as_float(value):.6g} at x = {x}, y = {y}"
            return {"neuron": neurons[p], "x": x, "y": y, "words": words + ("" if p < len(written) else "; the program leaves it out")}

        largest = told_apart(value, *self.with_bound().bounds.values())
        finding = f"the largest difference of pre-activations over {plural(len(neurons), 'neuron')} is {largest}"
        finding += f", {len(left_out)} of which the program leaves out" if left_out else ""
        return self.decided(value, finding, shown, neurons=len(neurons))


class VoteFormula(Bounded, frozen=True, kw_only=True, tag="votes"):
    """The network computes argmax over z of sum over classes of w_H * (number of conjugates of H in one coset of which z and xy lie).

    z and xy share the right coset of H exactly when z (xy)^-1 lies in H, so the score is a function phi(z (xy)^-1).
    ``level = "answers"``: the share of pairs on which the network's exact answer is the formula's, decided exactly with rational w; a
    tie, of the formula or of the network, is no answer, and no such pair counts; without bound or published figure the claim is
    100 %; REFUTED shows a pair. ``"logits"``: the squared cosine of the
    centred logits and phi(z (xy)^-1), MEASURED: the share of their variance that the formula explains with the best scale.
    Source: Stander et al., arXiv 2312.06581 and Lemmas G.2-G.6 (counts of shared cosets are permutation characters).
    """

    weights: dict[str, float]
    level: Literal["answers", "logits"] = "answers"

    def quantity(self) -> str:
        """Answers or variance."""
        formula = " + ".join(f"{weight:g} * shared cosets of {name}" for name, weight in self.weights.items())
        what = "the share of pairs with the answer of" if self.level == "answers" else "the share of the logits' variance explained by"
        return f"{what} argmax of {formula}"

    def claims_all(self) -> bool:
        """The formula gives every answer."""
        return self.level == "answers"

    def decide(self, subject: Subject) -> Outcome:
        """Tabulate phi and compare."""
        if not self.weights:
            raise Mistake("weights", "expected at least one class of subgroups, got none")
        phi = [Fraction(0)] * subject.group.order
        for name, weight in self.weights.items():
            masks = np.array([member.mask for member in conjugates(subject, f"weights.{name}", name)], dtype=np.int64)
            phi = [old + Fraction(repr(weight)) * k for old, k in zip(phi, masks.sum(axis=0).tolist(), strict=True)]
        if self.level == "logits":
            largest = max(map(abs, phi)) or Fraction(1)  # a cosine is the same in any unit
            share = explained_by(subject, np.array([float(value / largest) for value in phi]))
            return self.weighed(share, f"{percent(share)} of the logits' variance explained")
        best = [g for g, value in enumerate(phi) if value == max(phi)]
        group, ours = subject.group, subject.evaluation.answer
        theirs = group.mul[best[0]][group.mul] if len(best) == 1 else np.full_like(ours, -1)
        same = (ours == theirs) & (theirs >= 0)
        value = Fraction(int(same.sum()), same.size)
        answer = "answers xy" if best == [0] else f"answers ({word(group, best[0])})xy" if len(best) == 1 else tied(len(best))
        finding = f"the formula always {answer}; the network has its answer on {int(same.sum()):,} of {plural(same.size, 'pair')}"

        def shown(low: bool) -> Counterexample:
            x, y = (int(i) for i in np.argwhere(same != low)[0])
            found: dict[str, object] = pair_shown(group, x, y, int(ours[x, y]), int(theirs[x, y]))
            return found | {"tied": [word(group, g) for g in best]} if len(best) > 1 else found

        return self.decided(value, finding, shown)


class CompactProof(Bounded, frozen=True, kw_only=True, tag="compact proof"):
    """The share of pairs that are proved right through the coset structure, at less cost than evaluating the network on them.

    Decided by `verify.compact`, which uses coset explanations alone, with all rounding accounted for. The method is sufficient only:
    a lower bound that it does not reach is UNKNOWN. An upper bound claimed for what coset explanations can prove is REFUTED by the
    pairs that are proved; one is shown. Source: Wu et al., arXiv 2410.07476; Gross et al., arXiv 2406.11779.
    """

    def quantity(self) -> str:
        """The share of pairs."""
        return "the share of pairs proved right through cosets at less cost than evaluation"

    def decide(self, subject: Subject) -> Outcome:
        """Run the compact proof."""
        result = subject.compact
        value = Fraction(result.certified, result.settled.size)
        ratio = result.flops_brute / max(1, result.flops_complete)
        finding = f"{result.certified:,} of {plural(result.settled.size, 'pair')} proved"
        finding += f", with {of_brute(result.flops_complete, result.flops_brute)}" if result.certified else ""

        def shown(_: bool) -> Counterexample:
            x, y = (int(i) for i in np.argwhere(result.settled > 0)[0])
            product = int(subject.group.mul[x, y])
            found: Counterexample = pair_shown(subject.group, x, y, product, product)
            return found | {"strategy": result.strategies[int(result.settled[x, y]) - 1].name}

        key = self.broken(value)
        if key in ("at_least", "exactly") and value < self.bounds[key]:
            return Outcome("UNKNOWN", finding, float(value), {"flops_ratio": ratio})
        return self.decided(value, finding, shown, flops_ratio=ratio)


def _generates(subject: Subject, generators: tuple[str, ...], degree: int) -> bool:
    """Whether these permutations, in cycle notation on ``degree`` points, generate the network's group."""
    group = subject.group
    if degree != group.degree:
        return False
    try:
        inside = [int(group.index_of(parse_cycles(text, degree))) for text in generators]
    except GroupError:
        return False
    return bool(closure(group, inside).all())


def explained_by(subject: Subject, phi: npt.NDArray[np.float64], weights: Weights | None = None) -> float:
    """cos^2 of the centred logits and phi(z (xy)^-1), phi a function on the group; O(|G|^2 m)."""
    group = subject.group
    used = weights or subject.measured.weights
    moments = activation_moments(used) if weights else subject.moments
    variance = logit_variance(used, moments) * group.order**2
    function = phi - phi.mean()
    kernel = function[group.mul[:, group.inv]]  # [z, d] = phi(z d^-1)
    pooled = product_sums(used, group) @ used.U + group.order * used.b  # [d, z]
    inner = float(np.einsum("dz,zd->", pooled, kernel))
    length = float((function**2).sum()) * group.order**2
    return inner**2 / (variance * length) if variance > 0 and length > 0 else float("nan")
