"""Q4 as a certificate states it, with the plan of the compact proof: exact, small, and enough for somebody else to redo it.

For every family of neurons it says which cosets they read, and each neuron's level on each coset, in the order of the cosets' least
elements, as integers over one power of two (levels are float32 numbers); then in which order the tables are added up.

Pairs and operations are those of the proof in exact arithmetic (verify.compact.flops.planned_tables), which has Theorem 2's slack for
every pair. Without rounding it has at most the contenders that the proof in float32 found, so only the pairs that have some, or that
were left open, are counted again (verify.record.exact_contenders). Whoever redoes it finds the same numbers.
"""

from fractions import Fraction

import msgspec
import numpy as np
import numpy.typing as npt

from algebra.group import FiniteGroup
from algebra.permutation import format_cycles
from net.units import Units
from net.weights import Weights
from verify.compact.factorisation import PartitionFamily
from verify.compact.flops import brute_force, contender_pair, planned_tables
from verify.compact.ladder import DEFAULT, prove_factored_plan
from verify.compact.merge import merge_plan
from verify.compact.result import CompactResult, FactoredProof
from verify.compact.settings import CompactSettings
from verify.record.certificate import Compact, CompactFamily, CompactPlan, Status
from verify.record.exact_contenders import count_contenders

__all__ = ["compact_in_units", "state_compact"]


def state_compact(
    group: FiniteGroup, weights: Weights, result: CompactResult, correct: npt.NDArray[np.bool_], settings: CompactSettings = DEFAULT
) -> Compact:
    """Q4 with the plan that ``result`` ran, or where another strategy settled pairs one that proves them by factoring alone.

    ``correct`` (n, n) are the pairs on which the network is right. PROVED when every pair is certified, else UNKNOWN, or REFUTED where
    the network is wrong somewhere. No plan where nothing was settled.
    """
    n, m = weights.order, weights.width
    factored = result.factored
    if factored is None and result.certified:
        factored = prove_factored_plan(group, weights, settings=settings)
    if factored is None or not factored.settled.any():
        return Compact("UNKNOWN" if correct.all() else "REFUTED", 0, brute_force(n, m), result.flops_brute, None)
    families = factored.plan.factorisation.families
    merge = merge_plan([family.partition for family in families], share=1.0)
    tables = planned_tables(n, m, [(len(f.neurons), f.partition.count) for f in families], merge.additions, len(merge.last))
    certified, looked = _settled(group, weights, factored, correct)
    status: Status = "PROVED" if certified == n * n else "UNKNOWN"
    plan = _plan(group, factored, tuple((one, other) for one, other, _ in merge.steps))
    return Compact(status if correct.all() else "REFUTED", certified, tables + looked, result.flops_brute, plan)


def _settled(group: FiniteGroup, weights: Weights, factored: FactoredProof, correct: npt.NDArray[np.bool_]) -> tuple[int, int]:
    """Pairs that the plan proves in exact arithmetic, and operations for contenders and for the pairs that it leaves open."""
    n, m = weights.order, weights.width
    mirrored = factored.plan.mirrored
    side, products, right = (weights.exchanged(), group.mul.T, correct.T) if mirrored else (weights, group.mul, correct)
    looked_at = right & (~factored.settled | (factored.contenders > 0))
    contenders = np.zeros((n, n), dtype=np.intp)
    contenders[looked_at] = count_contenders(side, factored.plan.factorisation.families, products, np.argwhere(looked_at))
    proved = right & (contenders <= n // 2)
    numbers, pairs = np.unique(contenders[proved], return_counts=True)
    operations = sum(contender_pair(int(k), m, n) * int(count) for k, count in zip(numbers, pairs, strict=True))
    certified = int(proved.sum())
    return certified, operations + (n * n - certified) * (brute_force(n, m) // (n * n))


def _plan(group: FiniteGroup, factored: FactoredProof, merges: tuple[tuple[int, int], ...]) -> CompactPlan:
    families = factored.plan.factorisation.families
    bits = max(Fraction(float(level)).denominator.bit_length() - 1 for family in families for level in family.levels.ravel())
    return CompactPlan(
        side="right" if factored.plan.mirrored else "left",
        level_bits=bits,
        families=tuple(_family(group, family, bits) for family in families),
        merges=merges,
    )


def _family(group: FiniteGroup, family: PartitionFamily, bits: int) -> CompactFamily:
    space = family.partition.space
    levels = [tuple(int(Fraction(float(level)) * 2**bits) for level in column) for column in family.levels.T]
    neurons = tuple(int(i) for i in family.neurons)
    if space is None:
        return CompactFamily("elements", (), neurons, tuple(levels))
    cycles = tuple(format_cycles(group.elements[g].tolist()) for g in space.subgroup.generators)
    return CompactFamily("right cosets" if space.side == "right" else "left cosets", cycles, neurons, tuple(levels))


def compact_in_units(compact: Compact, units: Units) -> Compact:
    """Q4 of the network in other units: levels are preactivations, so each neuron's are multiplied as its columns of L and R are.

    Theorem 2 compares sums of pushes times votes with a slack of the same kind; both are multiplied by one power of two, so the same
    pairs are settled with the same operations.
    """
    if compact.plan is None:
        return compact
    plan = compact.plan
    bits = max([0, *(plan.level_bits - int(units.inputs[i]) for family in plan.families for i in family.neurons)])
    families = []
    for family in plan.families:
        powers = [bits - plan.level_bits + int(units.inputs[i]) for i in family.neurons]
        levels = tuple(tuple(level << power for level in column) for column, power in zip(family.levels, powers, strict=True))
        families.append(msgspec.structs.replace(family, levels=levels))
    return msgspec.structs.replace(compact, plan=msgspec.structs.replace(plan, level_bits=bits, families=tuple(families)))
