"""What a certificate states of the compact proof is what the checker counts, and what rationals say of single pairs."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import msgspec
import numpy as np
import pytest

from algebra.group import FiniteGroup, parse_group
from net.planted import planted_network
from net.roundoff import U32, U64
from net.weights import Weights
from verify.checker.groups import Group
from verify.checker.integers import Network
from verify.checker.progress import Progress
from verify.checker.shape import Compact, Differs, GroupRecord, parse
from verify.checker.tables import check_compact, settle
from verify.compact.factorisation import PartitionFamily, factorise
from verify.compact.ladder import prove_factored_plan, prove_weights
from verify.compact.partition import coset_partition, singletons
from verify.exact.exhaustive import correct_pairs, evaluate
from verify.program.program import group_record
from verify.record import exact_contenders
from verify.record.certificate import canonical_bytes
from verify.record.compact_statement import state_compact
from verify.record.exact_contenders import count_contenders


def noisy(name: str, seed: int, noise: float) -> tuple[FiniteGroup, Weights]:
    """A planted network with noise on every weight."""
    group = parse_group(name)
    return group, planted_network(group, seed, 2 * group.degree**2 + 4, noise=noise).network.weights


def plain(record: Any) -> Any:
    """A record as JSON reads it."""
    return msgspec.json.decode(canonical_bytes(record))


def redo(group: FiniteGroup, weights: Weights, stated: Compact) -> None:
    """Let the checker count; Differs where it finds other numbers."""
    exact = weights.exact()
    left, right, votes, bias = (part.tolist() for part in (exact.L, exact.R, exact.U, exact.b))
    network = Network(left, right, votes, bias, exact.preactivation_bits, exact.vote_bits)
    own = Group(parse(GroupRecord, plain(group_record(group)), "group"))
    check_compact(stated, settle(stated.plan, network, own, Progress(None)), group.order, weights.width)


@pytest.mark.parametrize(("name", "noise"), [("S3", 0.05), ("S3", 0.5), ("S4", 0.1), ("S4", 0.3), ("A4", 0.3)])
def test_the_checker_counts_what_is_stated(name: str, noise: float) -> None:
    """Pairs and operations, to the last one; many pairs have contenders, and some are wrong."""
    group, weights = noisy(name, 3, noise)
    factored = prove_factored_plan(group, weights)
    assert factored is not None
    result = replace(prove_weights(group, weights), factored=factored)
    correct = correct_pairs(evaluate(weights, group.mul), group.mul)
    stated = parse(Compact, plain(state_compact(group, weights, result, correct)), "compact")
    assert stated.plan is not None
    redo(group, weights, stated)
    changes: list[dict[str, Any]] = [{"certified": stated.certified - 1}, {"flops": stated.flops + 1}, {"flops": stated.flops - 1}]
    for change in changes:
        with pytest.raises(Differs, match=rf"^compact\.{next(iter(change))}: "):
            redo(group, weights, replace(stated, **change))


def by_fractions(weights: Weights, families: tuple[PartitionFamily, ...], products: Any, x: int, y: int) -> int:
    """The contenders of one pair, from their definition."""
    exact = weights.exact()
    level = {int(i): Fraction(float(f.levels[f.partition.labels[x], k])) for f in families for k, i in enumerate(f.neurons)}
    one, scale = 2**exact.preactivation_bits, 2**exact.vote_bits
    known, sums = Fraction(0), [Fraction(0)] * weights.order
    for i in range(weights.width):
        votes = [Fraction(int(u), scale) for u in exact.U[i]]
        middle = (max(votes) + min(votes)) / 2
        r = Fraction(int(exact.R[y, i]), one)
        h, f = max(Fraction(0), Fraction(int(exact.L[x, i]), one) + r), max(Fraction(0), level[i] + r) if i in level else Fraction(0)
        known += h * (votes[products[x, y]] - middle) - abs(h - f) * (max(votes) - middle)
        sums = [total + f * (vote - middle) for total, vote in zip(sums, votes, strict=True)]
    bias = [Fraction(int(b), one * scale) for b in exact.b]
    w = products[x, y]
    return sum(known + bias[w] <= sums[z] + bias[z] for z in range(weights.order) if z != w)


@pytest.mark.parametrize("decides", ["float32", "float64", "integers"])
def test_contenders_are_those_of_rationals(decides: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On every pair, with absurd partitions and neurons that are left out; as each kind of number decides."""
    group, weights = noisy("S3", 5, 0.2)
    rng = np.random.default_rng(5)
    chosen = [coset_partition(group, 2, "right"), coset_partition(group, 1, "left"), singletons(group.order), None]
    families = factorise(weights, [chosen[k] for k in rng.choice(4, weights.width, p=[0.3, 0.1, 0.5, 0.1])]).families
    bound = exact_contenders._error
    unsure = {"float32": (), "float64": (U32,), "integers": (U32, U64)}[decides]
    monkeypatch.setattr(exact_contenders, "_error", lambda w, level, unit, tiny: 1e9 if unit in unsure else bound(w, level, unit, tiny))
    pairs = np.argwhere(np.ones((6, 6), dtype=bool))
    found = count_contenders(weights, families, group.mul, pairs)
    assert found.tolist() == [by_fractions(weights, families, group.mul, int(x), int(y)) for x, y in pairs]
    assert 0 < found.sum() < 5 * len(pairs)
    # Sums beyond float64, where differences of infinities are no numbers.
    for one, votes in ((2.0**100, 2.0**920), (1.0, 2.0**1020)):
        large = Weights.from_arrays(weights.L * one, weights.R * one, weights.U * votes, weights.b)
        scaled = tuple(replace(family, levels=family.levels * one) for family in families)
        expected = [by_fractions(large, scaled, group.mul, int(x), int(y)) for x, y in pairs]
        monkeypatch.setattr(exact_contenders, "_error", bound if decides != "integers" else lambda *_: np.nan)
        assert count_contenders(large, scaled, group.mul, pairs).tolist() == expected


@pytest.mark.parametrize("size", [1.0, 2.0**30, 2.0**-130, 2.0**110])
def test_what_floats_find_errs_by_no_more_than_the_bound(size: float) -> None:
    """Both sides in float32 and in float64 against rationals, with votes of odd sizes; float32 is not asked where it overflows."""
    group, weights = noisy("S3", 4, 0.3)
    weights = Weights.from_arrays(weights.L * size, weights.R * size, weights.U / 3, weights.b + 0.1, activation=weights.activation)
    families = factorise(weights, [singletons(group.order)] * weights.width, 1).families
    work = exact_contenders._Work.of(weights, families)
    assert len(work.floats) == (1 if size > 2.0**96 else 2)
    exact = weights.exact()
    one, scale = Fraction(1, 2**exact.preactivation_bits), Fraction(1, 2**exact.vote_bits)
    votes = [[int(u) * scale for u in row] for row in exact.U]
    middle = [(max(row) + min(row)) / 2 for row in votes]
    x, y = (part.ravel() for part in np.indices((group.order,) * 2))
    w = group.mul[x, y].astype(np.intp)
    for floats in work.floats:
        for found, at_x, at_y, product in zip(floats.bounds(x, y, w), x.tolist(), y.tolist(), w.tolist(), strict=True):
            sides = [int(b) * one * scale for b in exact.b]
            known = sides[product]
            for i, row in enumerate(votes):
                right = int(exact.R[at_y, i]) * one
                h = max(Fraction(0), int(exact.L[at_x, i]) * one + right)
                f = max(Fraction(0), Fraction(float(work.level[at_x, i])) + right)
                known += h * (row[product] - middle[i]) - abs(h - f) * (max(row) - middle[i])
                sides = [side + f * (vote - middle[i]) for side, vote in zip(sides, row, strict=True)]
            errors = [abs(Fraction(float(value)) - (known - side)) for value, side in zip(found, sides, strict=True)]
            assert max(errors) <= Fraction(floats.error)
