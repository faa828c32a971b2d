"""Claims about which irreps a network uses, for any group, by characters alone."""

import math
from fractions import Fraction
from typing import Literal

import numpy as np
import numpy.typing as npt

from algebra.characters.character_table import character_table
from algebra.plural import plural
from verify.claims.claim import Bounded, Mistake, NonNegative, Outcome, nearest, percent
from verify.claims.subject import Subject
from verify.compare.isotypic import isotypics, on_one_irrep, rho_set_sizes
from verify.record.explain import percentage

Floats = npt.NDArray[np.float64]
#: A neuron lives on the irrep with at least this share of the variance of each of L, R and U.
LIVES = 0.5


class IrrepUse(Bounded, frozen=True, kw_only=True, tag="irrep use"):
    """Which irreps the neurons live on: a neuron lives on the irrep that has half of the variance or more of its L, its R and its U.

    A complex irrep counts together with its conjugate, and the trivial one not at all; an irrep is used when its neurons have the
    share ``least`` of the energy. What the figure is, by ``level``:
    ``"neurons"``: the share of live neurons with all but ``within`` of L, R and U on one irrep (of L and R alone with
    ``of = "inputs"``, which goes for where a neuron lives, too), or with ``or_cosets = true`` labelled
    as reading cosets (`verify.distil.labels`); ``"energy"``: the share of energy of the neurons that live on ``irreps``;
    ``"used"``: the share of all irreps that are used; ``"count"``: their number;
    ``"order"``: Spearman's rank correlation over irreps of their energy with the size of their smallest rho-set, the least index of a
    subgroup that fixes a vector of the irrep; ``"full"``: the share of the used irreps with as many neurons as the square of that size.
    ``wide = true`` passes over networks with fewer than 2 sum of d^3 neurons, d the degrees of all irreps but the trivial one.
    Always MEASURED. Sources: Wu et al., arXiv 2410.07476, appendix H; McCracken et al., arXiv 2505.18266; Morwani et al.,
    arXiv 2311.07568.
    """

    level: Literal["neurons", "energy", "used", "count", "order", "full"]
    irreps: tuple[str, ...] = ()
    of: Literal["inputs", "all"] = "all"
    within: NonNegative = 0.05
    least: NonNegative = 0.01
    or_cosets: bool = False
    wide: bool = False

    def quantity(self) -> str:
        """The figure of the level."""
        cosets = " or labelled as reading cosets" if self.or_cosets else ""
        sides = "L and R" if self.of == "inputs" else "L, R and U"
        return {
            "neurons": f"the share of live neurons with {sides} on one irrep up to {self.within:g}{cosets}",
            "energy": f"the share of energy of the neurons on {', '.join(self.irreps)}",
            "used": f"the share of irreps with {self.least:g} of the energy",
            "count": f"the number of irreps with {self.least:g} of the energy",
            "order": "the rank correlation of the irreps' energy and the size of their smallest rho-set",
            "full": "the share of used irreps with as many neurons as the square of the size of the smallest rho-set",
        }[self.level]

    def attainable(self) -> tuple[Fraction, Fraction | None]:
        """A count has no greatest value, a correlation may be negative."""
        return Fraction(-1 if self.level == "order" else 0), None if self.level == "count" else Fraction(1)

    def check(self) -> None:
        """Irreps belong to the level "energy"."""
        super().check()
        if bool(self.irreps) != (self.level == "energy"):
            raise Mistake(
                "irreps", f"expected irreps with level 'energy' and with no other, got {len(self.irreps)} with {self.level!r}"
            )

    def decide(self, subject: Subject) -> Outcome:
        """Measure every live neuron."""
        group, irreps = subject.group, isotypics(subject.group)
        if not irreps:
            return Outcome("SKIPPED", "the group has no irrep but the trivial one")
        if self.wide and subject.weights.width < (width := 2 * sum(int(d) ** 3 for d in character_table(group).degrees[1:])):
            return Outcome(
                "SKIPPED", f"said of networks with at least {plural(width, 'neuron')}, and this one has {subject.weights.width}"
            )
        live = np.flatnonzero(~subject.dead)
        energy = np.array([label.energy for label in subject.labels])[live]
        if not len(live) or energy.sum() <= 0:
            return Outcome("SKIPPED", "every neuron is dead")
        least = on_one_irrep(group, subject.measured.weights.select(live), self.of == "all")
        if self.level == "neurons":
            good = least.max(axis=0) >= 1 - self.within
            if self.or_cosets:
                kinds = [subject.labels[i].kind for i in live]
                good |= np.array([kind in ("coset", "sign", "twisted", "dual") for kind in kinds])
            return self.weighed(float(good.mean()), f"{percent(float(good.mean()))} of {plural(len(live), 'live neuron')}")
        homes = np.where(least.max(axis=0) >= LIVES, least.argmax(axis=0), -1)
        parts = np.array([energy[homes == k].sum() for k in range(len(irreps))]) / energy.sum()
        return self._of_irreps(subject, homes, parts)

    def _of_irreps(self, subject: Subject, homes: npt.NDArray[np.intp], parts: Floats) -> Outcome:
        """The figures that are sums over irreps: ``homes`` of the live neurons, ``parts`` of the energy."""
        irreps, sizes = isotypics(subject.group), rho_set_sizes(subject.lattice)
        used = parts >= self.least
        names = [one.name for one in irreps]
        table = {
            n: {"energy": float(p), "size": s, "neurons": int((homes == k).sum())}
            for k, (n, p, s) in enumerate(zip(names, parts, sizes, strict=True))
        }
        largest = [k for k in np.argsort(-parts, kind="stable")[:8] if used[k]]
        said = ", ".join(f"{names[k]} {percentage(float(parts[k]))}" for k in largest) or "none"
        if self.level == "energy":
            for number, name in enumerate(self.irreps):
                if name not in names:
                    raise Mistake(
                        f"irreps[{number}]", f"expected an irrep out of {', '.join(names)}, got {name!r}{nearest(name, names)}"
                    )
                if name in self.irreps[:number]:
                    raise Mistake(f"irreps[{number}]", f"expected every irrep once, got {name!r} twice")
            figure = float(sum(parts[names.index(name)] for name in self.irreps))
        elif self.level in ("used", "count"):
            figure = float(used.mean()) if self.level == "used" else float(used.sum())
        elif self.level == "order":
            if len(set(sizes)) < 2 or len(set(parts.tolist())) < 2:
                return Outcome("SKIPPED", "all irreps have rho-sets of one size, or the same energy")
            figure = rank_correlation(parts, np.array(sizes, dtype=float))
        else:
            if not used.any():
                return Outcome("SKIPPED", "no irrep is used")
            figure = float(np.mean([table[names[k]]["neurons"] >= sizes[k] ** 2 for k in np.flatnonzero(used)]))
        what = f"{figure:.4g} is {self.quantity()}; energy by irrep: {said}"
        return self.weighed(figure, what, irreps=table, log2=math.log2(subject.group.order))


def rank_correlation(one: Floats, other: Floats) -> float:
    """Spearman's rho: the correlation of ranks, equal values sharing the mean of theirs."""
    ranks = [np.array([(values < v).sum() + ((values == v).sum() - 1) / 2 for v in values]) for values in (one, other)]
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])
