"""Q4 as a certificate states it, with the plan of the compact proof: exact, small, and enough for somebody else to redo it.

For every family of neurons it says which cosets they read, and each neuron's level on each coset, in the order of the cosets' least
elements, as integers over one power of two (levels are float32 numbers); then in which order the tables are added up.

The operations are those of the proof in exact arithmetic (verify.compact.flops.planned_tables), which has Theorem 2's slack for every
pair: without rounding it has at most the contenders that were found here, so whoever redoes it finds at least as many pairs and needs
no more operations.
"""

from fractions import Fraction

import numpy as np

from algebra.group import FiniteGroup
from algebra.permutation import format_cycles
from net.weights import Weights
from verify.compact.factorisation import Family
from verify.compact.flops import brute_force, contender_pair, planned_tables
from verify.compact.ladder import prove_factored_plan
from verify.compact.merge import merge_plan
from verify.compact.result import CompactResult, FactoredProof
from verify.record.certificate import Compact, CompactFamily, CompactPlan, Status

__all__ = ["state_compact"]


def state_compact(group: FiniteGroup, weights: Weights, result: CompactResult, q1: Status) -> Compact:
    """Q4 with the plan that ``result`` ran, or where another strategy settled pairs one that proves them by factoring alone.

    PROVED when every pair is certified, else UNKNOWN, or REFUTED with Q1. No plan where nothing was settled.
    """
    n, m = weights.order, weights.width
    factored = result.factored
    if factored is None and result.certified:
        factored = prove_factored_plan(group, weights)
    if factored is None or not factored.settled.any():
        return Compact("REFUTED" if q1 == "REFUTED" else "UNKNOWN", 0, brute_force(n, m), result.flops_brute, None)
    families = factored.plan.factorisation.families
    merge = merge_plan([family.partition for family in families], share=1.0)
    flops = planned_tables(n, m, [(len(f.neurons), f.partition.count) for f in families], merge.additions, len(merge.last))
    certified = int(factored.settled.sum())
    status: Status = "PROVED" if certified == n * n else "UNKNOWN"
    plan = _plan(group, factored, tuple((one, other) for one, other, _ in merge.steps))
    flops += _left(factored, n, m)
    return Compact("REFUTED" if q1 == "REFUTED" else status, certified, flops, result.flops_brute, plan)


def _left(factored: FactoredProof, n: int, m: int) -> int:
    """Operations for contenders, and for the pairs that stay open."""
    numbers, pairs = np.unique(factored.contenders[factored.settled], return_counts=True)
    looked = sum(contender_pair(int(k), m, n) * int(count) for k, count in zip(numbers, pairs, strict=True))
    return looked + int((~factored.settled).sum()) * (brute_force(n, m) // (n * n))


def _plan(group: FiniteGroup, factored: FactoredProof, merges: tuple[tuple[int, int], ...]) -> CompactPlan:
    families = factored.plan.factorisation.families
    bits = max(Fraction(float(level)).denominator.bit_length() - 1 for family in families for level in family.levels.ravel())
    return CompactPlan(
        side="right" if factored.plan.mirrored else "left",
        level_bits=bits,
        families=tuple(_family(group, family, bits) for family in families),
        merges=merges,
    )


def _family(group: FiniteGroup, family: Family, bits: int) -> CompactFamily:
    space = family.partition.space
    levels = [tuple(int(Fraction(float(level)) * 2**bits) for level in column) for column in family.levels.T]
    neurons = tuple(int(i) for i in family.neurons)
    if space is None:
        return CompactFamily("elements", (), neurons, tuple(levels))
    cycles = tuple(format_cycles(group.elements[g].tolist()) for g in space.subgroup.generators)
    return CompactFamily("right cosets" if space.side == "right" else "left cosets", cycles, neurons, tuple(levels))
