"""Claims that the network computes with irreps: GCR (Chughtai et al.), rho-set circuits (Wu et al.), rank-one neurons (He et al.)."""

from fractions import Fraction
from typing import Literal

import numpy as np
import numpy.typing as npt

from algebra.characters.character_table import character_table
from algebra.characters.fourier import power_share
from algebra.characters.irrep import has_irreps, irreps
from algebra.plural import plural
from verify.claims.claim import (
    Bounded,
    Counterexample,
    Mistake,
    NonNegative,
    Outcome,
    chosen_by_floats,
    loss_words,
    pair_shown,
    percent,
    tied,
    word,
)
from verify.claims.subject import Subject
from verify.compare.gcr import activation_fve, logit_cosines, logit_fve
from verify.compare.levels import DRAWS, SHARES_REMOVED, kept_after_removal
from verify.compare.rank_one import rank_one_fit
from verify.compare.restricted import restricted_excluded
from verify.compare.rho_sets import rho_set_fit

#: An irrep is a key irrep when its character explains this share of the logits' variance.
KEY = 0.01

Level = Literal[
    "answers",
    "logits",
    "counterfactuals",
    "neurons",
    "cosine",
    "activations",
    "restricted loss",
    "excluded loss",
]


class Gcr(Bounded, frozen=True, kw_only=True, tag="gcr"):
    """The network computes argmax over c of the sum over ``irreps`` of tr(rho(a) rho(b) rho(c^-1)).

    ``irreps`` lists names; all nontrivial ones when left out; ["key"] stands for those whose character explains 1 % of the logits.
    ``level = "answers"``: the share of pairs with GCR's answer. The sum of characters is largest exactly on its kernel, so GCR answers
    xy if that is trivial, else ties, which is no answer, so that no pair counts; decided exactly by the characters' cyclotomic integers
    and exhaustive evaluation (MEASURED for the key irreps, which floats choose); without a bound the claim is 100 %; REFUTED shows a
    pair.
    All other levels are MEASURED (`verify.compare.gcr`):
    ``"logits"``: sum over the irreps of cos^2 of the centred logits and the character cube (the paper's "logit FVE");
    ``"cosine"``: the cosine itself, of the sum's direction, sqrt of the former; ``"activations"``: share of the hidden activations'
    variance that is in rho(ab); ``"restricted loss"`` and ``"excluded loss"``: cross-entropy of the cubes alone, and without them,
    UNKNOWN where rounding hides it (`verify.compare.restricted`);
    ``"counterfactuals"``: logit FVE refitted after removing a random 20, 40 and 60 % of the circuits, averaged: more than any fixed
    GCR account can reach; ``"neurons"``: share of live neurons with L, R and U on one of the irreps up to ``within``.
    Source: Chughtai et al., arXiv 2302.03025.
    """

    irreps: tuple[str, ...] = ()
    level: Level = "logits"
    within: NonNegative = 0.05

    def quantity(self) -> str:
        """What the level measures, of the irreps named."""
        irreps = "all nontrivial irreps" if not self.irreps else "the irreps " + ", ".join(self.irreps)
        of = {
            "answers": "the share of pairs with the answer of GCR with",
            "logits": "the share of the logits' variance in the characters of",
            "counterfactuals": "the share of the logits' variance in the characters of, after removals,",
            "neurons": f"the share of live neurons with L, R and U on one, up to {self.within:g}, of",
            "cosine": "the cosine of the logits and the sum of the characters of",
            "activations": "the share of the activations' variance in rho(ab) of",
            "restricted loss": "the loss with the logits restricted to",
            "excluded loss": "the loss with the logits without",
        }
        return f"{of[self.level]} {irreps}"

    def attainable(self) -> tuple[Fraction, Fraction | None]:
        """A loss has no greatest value."""
        return Fraction(0), None if self.level.endswith("loss") else Fraction(1)

    def claims_all(self) -> bool:
        """GCR gives every answer."""
        return self.level == "answers"

    def decide(self, subject: Subject) -> Outcome:
        """Dispatch on the level."""
        names = chosen_irreps(subject, self.irreps)
        label = ", ".join(names)
        if self.level == "answers":
            return self._answers(subject, names)
        if not names:
            return Outcome("SKIPPED", "the group has no irrep but the trivial one")
        if self.level in ("logits", "cosine"):
            cosines = logit_cosines(subject.measured, subject.moments)
            shares = {name: value**2 for name, value in cosines.items()}
            total = sum(shares[name] for name in names)
            figure = total if self.level == "logits" else float(np.sqrt(total))
            finding = f"{percent(total)} of the logits' variance in the characters of {label}"
            return self.weighed(figure, finding, per_irrep=shares, cosines=cosines)
        if self.level == "activations":
            shares = activation_fve(subject.measured, subject.moments)
            total = sum(shares[name] for name in names)
            return self.weighed(total, f"{percent(total)} of the activations' variance in rho(ab) of {label}", per_irrep=shares)
        if self.level == "counterfactuals":
            return self._counterfactuals(subject, names)
        if self.level == "neurons":
            return self._neurons(subject, names)
        losses = restricted_excluded(subject.network, names)
        figure = losses.restricted if self.level == "restricted loss" else losses.excluded
        full, restricted, excluded = map(loss_words, losses)
        finding = f"loss of the logits: {full}; restricted to {label}: {restricted}; without: {excluded}"
        return Outcome("UNKNOWN", finding) if np.isnan(figure) else self.weighed(figure, finding, **losses._asdict())

    @property
    def keyed(self) -> bool:
        """Whether the irreps are the key irreps, which are found by measuring."""
        return self.irreps == ("key",)

    def _answers(self, subject: Subject, names: tuple[str, ...]) -> Outcome:
        group, table, ours = subject.group, character_table(subject.group), subject.evaluation.answer
        rows = [table.names.index(name) for name in names]
        trivial = (table.coefficients[rows] == table.coefficients[rows][:, :1]).all(axis=(0, 2))
        kernel = [g for g in range(group.order) if trivial[group.class_of[g]]]
        theirs = group.mul if len(kernel) == 1 else np.full_like(ours, -1)
        same = (ours == theirs) & (theirs >= 0)
        value = Fraction(int(same.sum()), same.size)
        answer = "answers xy" if len(kernel) == 1 else tied(len(kernel))
        finding = f"the sum over these irreps always {answer}; "
        finding += f"the network has its answer on {int(same.sum()):,} of {plural(same.size, 'pair')}"

        def shown(low: bool) -> Counterexample:
            x, y = (int(i) for i in np.argwhere(same != low)[0])
            found = pair_shown(group, x, y, int(ours[x, y]), int(theirs[x, y]))
            return found | {"kernel": [word(group, g) for g in kernel]} if len(kernel) > 1 else found

        outcome = self.decided(value, finding, shown)
        return chosen_by_floats(outcome, f"the key irreps {', '.join(names)} were chosen by measured shares") if self.keyed else outcome

    def _counterfactuals(self, subject: Subject, names: tuple[str, ...]) -> Outcome:
        program = subject.distillation.point("readable").written.program
        shares = {}
        for removed in SHARES_REMOVED:
            draws = []
            for seed in range(DRAWS):
                kept, _ = kept_after_removal(program, subject.weights.width, removed, seed)
                rows = np.append(kept, True)
                found = logit_fve(subject.measured.select(kept), subject.moments[np.ix_(rows, rows)]).per_irrep
                draws.append(sum(found[name] for name in names))
            shares[f"{removed:.0%}"] = float(np.mean(draws))
        mean = float(np.mean(list(shares.values())))
        return self.weighed(mean, f"at most {percent(mean)} of the logits' variance explained after removals", after_removing=shares)

    def _neurons(self, subject: Subject, names: tuple[str, ...]) -> Outcome:
        if not has_irreps(subject.group):
            return Outcome("SKIPPED", f"matrices of irreps are known for S_n and A_n, not for {subject.group.name}")
        numbers = [k for k, rho in enumerate(irreps(subject.group)) if rho.name in names]
        live = np.flatnonzero(~subject.dead)
        sides = [subject.side(of)[0][:, live] for of in ("left", "right", "votes")]
        shares = [power_share(subject.group, (f - f.mean(axis=0)).T)[numbers] for f in sides]
        least, inputs = (np.minimum.reduce(part).max(axis=0) for part in (shares, shares[:2]))
        share = float((least >= 1 - self.within).mean()) if len(live) else float("nan")
        finding = f"{percent(share)} of the live neurons on one irrep up to {self.within:g}"
        alone = float((inputs >= 1 - self.within).mean()) if len(live) else None
        return self.weighed(share, finding, inputs_alone=alone)


class RhoSets(Bounded, frozen=True, kw_only=True, tag="rho-sets"):
    """The share of live neurons of the rho-set form L = b^T rho(x) a, R = -a^T rho(y) c, U = b^T rho(z) c up to ``within``.

    That is: of L, R and U at least 1 - within of the variance is one rank-one coefficient of one irrep, and the vectors that ought
    to be shared have an absolute cosine of at least 1 - within. ``orbit = "short"`` counts those whose b has an orbit shorter
    than |G|, which are coset neurons: that b has a finite orbit holds for every vector. Always MEASURED; S_n and A_n only.
    Source: Wu et al., arXiv 2410.07476; `verify.compare.rho_sets`.
    """

    within: NonNegative = 0.05
    orbit: Literal["any", "short"] = "any"

    def quantity(self) -> str:
        """The share of neurons."""
        orbit = " with a short orbit" if self.orbit == "short" else ""
        return f"the share of live neurons of the rho-set form{orbit} up to {self.within:g}"

    def decide(self, subject: Subject) -> Outcome:
        """Fit every live neuron."""
        if not has_irreps(subject.group):
            return Outcome("SKIPPED", f"matrices of irreps are known for S_n and A_n, not for {subject.group.name}")
        live = np.flatnonzero(~subject.dead)
        if not len(live):
            return Outcome("SKIPPED", "every neuron is dead")
        fit = rho_set_fit(subject.group, subject.measured.weights.select(live))
        good = fit.fits(self.within)
        counted: npt.NDArray[np.bool_] = good & (fit.orbit < subject.group.order) if self.orbit == "short" else good
        share = float(counted.mean())
        finding = f"{percent(share)} of {plural(len(live), 'live neuron')} in the form up to {self.within:g}"
        finding += ", with an orbit shorter than |G|" if self.orbit == "short" else ""
        figures = {"median_share": float(np.median(fit.share)), "median_cosine": float(np.median(fit.aligned))}
        return self.weighed(share, finding, circuits=fit.circuits, **figures)


class RankOne(Bounded, frozen=True, kw_only=True, tag="rank one"):
    """The share of live neurons that are rank one on one irrep: L = a^T rho(x) b, R = b^T rho(y) d, U = a^T rho(z) d, up to ``within``.

    That is: at least 1 - within of the variance of each is one coefficient of the same irrep; ``of = "inputs"`` asks it of L and R
    alone. ``level = "irrep"`` asks for the one irrep and not for rank one; ``"aligned"`` asks for rank one and for absolute cosines of
    at least 1 - within of the vectors that L, R and U share (of b alone for the inputs). Vectors are free: none need be fixed by a
    subgroup, or run over a set, as those of coset neurons and of rho-sets do. Always MEASURED; S_n and A_n only.
    Source: He et al., arXiv 2606.02993, for the square activation; `verify.compare.rank_one`.
    """

    within: NonNegative = 0.05
    of: Literal["inputs", "all"] = "all"
    level: Literal["irrep", "rank", "aligned"] = "rank"

    def quantity(self) -> str:
        """The share of neurons."""
        sides = "L and R" if self.of == "inputs" else "L, R and U"
        what = {
            "irrep": f"{sides} on one irrep",
            "rank": f"{sides} rank one on one irrep",
            "aligned": f"{sides} rank one on one irrep, with the same vectors,",
        }
        return f"the share of live neurons with {what[self.level]} up to {self.within:g}"

    def decide(self, subject: Subject) -> Outcome:
        """Measure every live neuron."""
        if not has_irreps(subject.group):
            return Outcome("SKIPPED", f"matrices of irreps are known for S_n and A_n, not for {subject.group.name}")
        live = np.flatnonzero(~subject.dead)
        if not len(live):
            return Outcome("SKIPPED", "every neuron is dead")
        sides = 2 if self.of == "inputs" else 3
        fit = rank_one_fit(subject.group, subject.measured.weights.select(live), sides)
        good = fit.fits(self.within, sides, self.level == "aligned")
        if self.level == "irrep":
            good = (fit.power[:sides].min(axis=0) >= 1 - self.within).any(axis=0)
        share = float(good.mean())
        finding = f"{percent(share)} of {plural(len(live), 'live neuron')} up to {self.within:g}"
        figures = {f"median_{name}": float(np.median(fit.rank_one[k])) for k, name in enumerate(("left", "right", "votes"))}
        return self.weighed(share, finding, median_cosine=float(np.median(fit.shared[1])), **figures)


def chosen_irreps(subject: Subject, names: tuple[str, ...]) -> tuple[str, ...]:
    """The irreps that a claim names; all nontrivial ones for none, those that explain the logits for "key".

    Raises:
        Mistake: a name is not that of a nontrivial irrep, or stands twice.

    """
    known = character_table(subject.group).names[1:]
    if names == ("key",):
        if not known:
            return ()
        shares = logit_fve(subject.measured, subject.moments).per_irrep
        return tuple(name for name in known if shares[name] >= KEY) or (max(shares, key=lambda name: shares[name]),)
    for number, name in enumerate(names):
        if name not in known:
            raise Mistake(f"irreps[{number}]", f"expected a nontrivial irrep out of {', '.join(known)}, got {name!r}")
        if name in names[:number]:
            raise Mistake(f"irreps[{number}]", f"expected every irrep once, got {name!r} twice")
    return names or known
