"""Claims about the network as a whole: accuracy, float32, equivariance, interventions."""

from fractions import Fraction
from typing import Annotated, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from algebra.errors import GroupError
from algebra.permutation import parse_cycles
from algebra.plural import plural
from net.weights import Weights
from verify.claims.claim import (
    Bounded,
    Claim,
    Counterexample,
    Element,
    Mistake,
    NonNegative,
    Outcome,
    Seed,
    loss_words,
    pair_shown,
    percent,
    word,
)
from verify.claims.subject import Subject
from verify.compare.interventions import absolute_value, add_noise, embeddings_swapped, exchange_inputs, flip_signs, has_embeddings
from verify.compare.noise import Noisy, noisy
from verify.exact.exhaustive import Evaluation, correct_pairs

Mask = npt.NDArray[np.bool_]


class Accuracy(Bounded, frozen=True, kw_only=True, tag="accuracy"):
    """The share of pairs (x, y) whose unique argmax is xy; a tie is wrong.

    ``pairs`` names the pairs in cycle notation, all |G|^2 when left out; without bound or published figure the claim is 100 %.
    Decided exactly: exhaustive evaluation in integers (`verify.exact.exhaustive`). REFUTED shows a pair that is wrong (or, where the
    claim is an upper bound, right). Source: Stander et al., arXiv 2312.06581; Chughtai et al., arXiv 2302.03025.
    """

    pairs: tuple[tuple[Element, Element], ...] = ()

    def quantity(self) -> str:
        """The share of pairs."""
        return f"the share of {'the pairs named' if self.pairs else 'all pairs (x, y)'} answered xy"

    def claims_all(self) -> bool:
        """Every pair is right."""
        return True

    def decide(self, subject: Subject) -> Outcome:
        """Count the right pairs."""
        good = correct_pairs(subject.evaluation, subject.group.mul)
        chosen = self._chosen(subject)
        value = Fraction(int(good[chosen].sum()), int(chosen.sum()))
        finding = f"{int(good[chosen].sum()):,} of {plural(int(chosen.sum()), 'pair')} right ({percent(value)})"
        return self.decided(value, finding, lambda low: example(subject, subject.evaluation, good, chosen, low))

    def _chosen(self, subject: Subject) -> Mask:
        order = subject.group.order
        chosen = np.full((order, order), not self.pairs)
        for number, pair in enumerate(self.pairs):
            x, y = (element(subject, f"pairs[{number}][{k}]", text) for k, text in enumerate(pair))
            chosen[x, y] = True
        return chosen


class Float32(Bounded, frozen=True, kw_only=True, tag="float32"):
    """The share of pairs on which a float32 forward pass answers xy in any order of summation, with or without fused multiply-add.

    IEEE arithmetic with gradual underflow is meant: not flush-to-zero, TF32 or bfloat16.
    Decided by the rounding bound of `verify.exact.float32` (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., 3.1) on
    exact margins. The bound is sufficient only: a lower bound it does not reach is UNKNOWN, unless so many pairs are proved to be
    answered wrongly in any order that it is REFUTED. Without bound or published figure the claim is 100 %.
    """

    def quantity(self) -> str:
        """The share of pairs."""
        return "the share of all pairs that float32 answers xy in any order of summation"

    def claims_all(self) -> bool:
        """Every pair is right in float32."""
        return True

    def decide(self, subject: Subject) -> Outcome:
        """Count the pairs for which the bound suffices."""
        from verify.exact.float32 import float32_proved

        proved = float32_proved(subject.network, subject.evaluation)
        if proved is None:
            return Outcome("SKIPPED", "the weights are no float32 numbers, so there is no float32 forward pass to speak of")
        good = correct_pairs(subject.evaluation, subject.group.mul)
        pairs = proved.size
        sure, wrong = Fraction(int((proved & good).sum()), pairs), Fraction(int((proved & ~good).sum()), pairs)
        finding = f"proved on {int((proved & good).sum()):,} of {plural(pairs, 'pair')}"
        return self.decided_between(sure, 1 - wrong, finding, lambda low: example(subject, subject.evaluation, good, proved, low))


class Equivariance(Claim, frozen=True, kw_only=True, tag="equivariance"):
    """The answers follow a symmetry of the multiplication table, for all x, y and g.

    ``left``: answer(gx, y) = g answer(x, y); ``right``: answer(x, yg) = answer(x, y) g; ``middle``: answer(xg, g^-1 y) = answer(x, y).
    Decided exactly on the table of exact answers, for the generators g of the group, which is enough; a tie must go to a tie.
    REFUTED shows x, y, g and the two answers. Source: the symmetries are those of Wu et al., arXiv 2410.07476.
    """

    under: Annotated[tuple[Literal["left", "right", "middle"], ...], msgspec.Meta(min_length=1)] = ("left", "right", "middle")

    def statement(self) -> str:
        """The symmetries."""
        meaning = {
            "left": "answer(gx, y) = g answer(x, y)",
            "right": "answer(x, yg) = answer(x, y) g",
            "middle": "answer(xg, g^-1 y) = answer(x, y)",
        }
        return " and ".join(meaning[kind] for kind in self.under) + " for all x, y and g"

    def decide(self, subject: Subject) -> Outcome:
        """Compare the answer table with its translates."""
        group, answer = subject.group, subject.evaluation.answer.astype(np.intp)
        everything = np.arange(group.order)
        for kind in self.under:
            for images in group.generators:
                g = int(group.index_of(images))
                rows = {"left": group.mul[g], "right": everything, "middle": group.mul[:, g]}[kind].astype(np.intp)
                moved = {"left": everything, "right": group.mul[:, g], "middle": group.mul[group.inv[g]]}[kind].astype(np.intp)
                image = {"left": group.mul[g], "right": group.mul[:, g], "middle": everything}[kind]
                wanted = np.where(answer < 0, -1, image[np.maximum(answer, 0)])
                given = answer[rows][:, moved]
                if (given != wanted).any():
                    x, y = (int(i) for i in np.argwhere(given != wanted)[0])
                    return self._refuted(subject, kind, g, (x, y), (int(rows[x]), int(moved[y])), int(wanted[x, y]))
        names = ", ".join(self.under)
        return Outcome("PROVED", f"the answers on {plural(answer.size, 'pair')} follow every {names} translation")

    def _refuted(self, subject: Subject, kind: str, g: int, at: tuple[int, int], to: tuple[int, int], wanted: int) -> Outcome:
        group, answer = subject.group, subject.evaluation.answer
        shown: Counterexample = {"under": kind, "g": word(group, g), "x": word(group, at[0]), "y": word(group, at[1])}
        shown |= {"answer": word(group, int(answer[at])), "answer_of_translate": word(group, int(answer[to]))}
        shown |= {"expected_of_translate": word(group, wanted)}
        here = f"at x = {shown['x']}, y = {shown['y']} the answer is {shown['answer']}"
        then = f"the translate's answer is {shown['answer_of_translate']}, where the symmetry asks for {shown['expected_of_translate']}"
        shown["words"] = f"{here}; {then}"
        return Outcome("REFUTED", f"the answers do not follow {kind} translation by {word(group, g)}", counterexample=shown)


SurgeryName = Literal["none", "flip left", "flip right", "flip both", "absolute value", "exchange inputs", "swap embeddings", "noise"]


class Intervention(Bounded, frozen=True, kw_only=True, tag="intervention"):
    """Accuracy (and loss) after surgery on the weights: the share of pairs whose unique argmax is then ``product``.

    ``flip ...``: L -> -L and/or R -> -R; ``absolute value``: |.| for relu; ``exchange inputs``: embeddings AND halves of the hidden
    matrix swapped, so that a right network answers yx; ``swap embeddings``: the embeddings alone; ``noise``: N(mean, deviation^2),
    drawn by ``seed``, added ``at = "inputs"`` once per element and neuron (`verify.compare.interventions.add_noise`), or
    ``at = "preactivations"`` anew for every pair.
    Decided exactly, as accuracy is, on the altered network's exact weights; but noise at preactivations leaves no network with
    weights, so its accuracy is measured, and UNKNOWN where rounding leaves a pair open (`verify.compare.noise`). ``loss`` (mean
    cross-entropy) is always measured; ``metric = "loss"`` makes it the claim's figure. Source: Stander et al., arXiv 2312.06581.
    """

    surgery: SurgeryName
    mean: float = 0.0
    deviation: NonNegative = 0.0
    seed: Seed = 0
    at: Literal["inputs", "preactivations"] = "inputs"
    product: Literal["xy", "yx"] = "xy"
    metric: Literal["accuracy", "loss"] = "accuracy"

    def quantity(self) -> str:
        """Accuracy or loss after the intervention."""
        what = f"the share of pairs answered {self.product}" if self.metric == "accuracy" else "the mean cross-entropy"
        noise = f" N({self.mean + 0.0:g}, {abs(self.deviation):g}^2), seed {self.seed}, at {self.at}" if self.surgery == "noise" else ""
        return f"{what}, after the intervention {self.surgery!r}{noise}" if self.surgery != "none" else what

    def attainable(self) -> tuple[Fraction, Fraction | None]:
        """A loss has no greatest value."""
        return Fraction(0), Fraction(1) if self.metric == "accuracy" else None

    def decide(self, subject: Subject) -> Outcome:
        """Operate, evaluate, count."""
        if self.surgery != "noise" and (self.mean or self.deviation or self.seed or self.at != "inputs"):
            raise Mistake("surgery", f"expected mean, deviation, seed and at with 'noise' only, got them with {self.surgery!r}")
        mul = subject.group.mul
        wanted = mul if self.product == "xy" else mul.T
        if self.surgery == "noise" and self.at == "preactivations":
            return self._at_preactivations(noisy(subject.weights, wanted, self.mean, self.deviation, self.seed), wanted.size)
        if self.surgery == "absolute value" and subject.weights.activation != "relu":
            return Outcome("SKIPPED", f"the network has {subject.weights.activation}s, and no relu to put |.| in place of")
        if self.surgery == "swap embeddings" and not has_embeddings(subject.network):
            return Outcome("SKIPPED", "the network is given by folded weights, without embeddings to swap")
        weights = self._operate(subject)
        name = f"{self.surgery} {self.mean} {self.deviation} {self.seed}"
        loss = subject.loss(f"{name} {self.product}", weights, wanted)
        evaluation = subject.evaluation if self.surgery == "none" else subject.answers(name, weights)
        good = correct_pairs(evaluation, wanted)
        value = Fraction(int(good.sum()), good.size)
        finding = (
            f"{int(good.sum()):,} of {plural(good.size, 'pair')} answer {self.product} ({percent(value)}), loss {loss_words(loss)}"
        )
        if self.metric == "loss" and np.isnan(loss):
            return Outcome("UNKNOWN", finding)
        if self.metric == "loss":
            return self.weighed(loss, finding, accuracy=float(value), loss=loss)
        everything = np.ones_like(good)
        return self.decided(
            value,
            finding,
            lambda low: example(subject, evaluation, good, everything, low, wanted),
            accuracy=float(value),
            loss=loss,
        )

    def _at_preactivations(self, found: Noisy, pairs: int) -> Outcome:
        """MEASURED, or UNKNOWN where rounding leaves the figure open: of a pair that counts for the accuracy, or of the loss."""
        least, most, loss = found.least / pairs, found.most / pairs, found.loss
        accuracy = percent(least) if least == most else f"between {percent(least)} and {percent(most)}"
        finding = f"accuracy {accuracy}, loss {loss_words(loss)} (measured)"
        if least < most if self.metric == "accuracy" else np.isnan(loss):
            return Outcome("UNKNOWN", finding)
        return self.weighed(least if self.metric == "accuracy" else loss, finding, accuracy=least if least == most else None, loss=loss)

    def _operate(self, subject: Subject) -> Weights:
        weights = subject.weights
        if self.surgery == "none":
            return weights
        if self.surgery == "swap embeddings":
            return embeddings_swapped(subject.network)
        if self.surgery == "absolute value":
            return absolute_value(weights)
        if self.surgery == "exchange inputs":
            return exchange_inputs(weights)
        if self.surgery == "noise":
            return add_noise(self.mean, self.deviation, self.seed)(weights)
        return flip_signs(self.surgery in ("flip left", "flip both"), self.surgery in ("flip right", "flip both"))(weights)


def element(subject: Subject, key: str, text: str) -> int:
    """The number of the element in cycle notation.

    Raises:
        Mistake: the text is no element of the group.

    """
    try:
        return int(subject.group.index_of(parse_cycles(text, subject.group.degree)))
    except GroupError as error:
        raise Mistake(key, str(error).rstrip(".")) from error


def example(
    subject: Subject,
    evaluation: Evaluation,
    good: Mask,
    chosen: Mask,
    wrong: bool,
    wanted: npt.NDArray[np.integer] | None = None,
) -> Counterexample:
    """The first wrong (or else right) pair among the chosen ones."""
    x, y = (int(i) for i in np.argwhere(chosen & (good != wrong))[0])
    table = subject.group.mul if wanted is None else wanted
    return pair_shown(subject.group, x, y, int(evaluation.answer[x, y]), int(table[x, y]))
