"""The parts of the compact proof against slow twins."""

import itertools
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest

from algebra.group import parse_group
from algebra.lattice import subgroups
from net.planted import planted_network
from net.roundoff import gamma
from net.weights import Weights
from verify.compact.candidates import candidate_partitions
from verify.compact.factorisation import factorise
from verify.compact.flops import brute_force
from verify.compact.ladder import prove_factored_plan, prove_weights
from verify.compact.merge import merge_plan, nested_plan
from verify.compact.partition import Partition, coset_partition, refine, singletons
from verify.compact.strategies.coset_tables import prove_by_tables
from verify.compact.strategies.factored import factored_flops
from verify.compact.strategies.lines import LineBounder
from verify.compact.strategies.patterns import minimal_patterns
from verify.compact.strategies.potentials import Potentials
from verify.compact.strategies.tables_of_y import TableMaker, in_integers
from verify.exact.exhaustive import correct_pairs, evaluate


def partitions_of(name: str, count: int, seed: int) -> list[Partition]:
    group = parse_group(name)
    rng = np.random.default_rng(seed)
    numbers = rng.integers(0, len(subgroups(group)), count)
    return [coset_partition(group, int(k), "left" if k % 2 else "right") for k in numbers]


@pytest.mark.parametrize("name", ["S3", "S4"])
def test_refinement_separates_what_either_partition_separates(name: str) -> None:
    """All pairs of coset partitions: same cell of the refinement iff same cell of both, and its parents are those cells."""
    group = parse_group(name)
    everything = [coset_partition(group, k, side) for k in range(len(subgroups(group))) for side in ("right", "left")]  # type: ignore[arg-type]
    for one, other in itertools.product(everything[::3], everything[::2]):
        refinement = refine(one, other)
        labels = refinement.partition.labels
        same = (one.labels[:, None] == one.labels) & (other.labels[:, None] == other.labels)
        assert ((labels[:, None] == labels) == same).all()
        assert (refinement.first[labels] == one.labels).all()
        assert (refinement.second[labels] == other.labels).all()
        assert sorted(set(labels.tolist())) == list(range(refinement.partition.count))


@pytest.mark.parametrize("seed", range(20))
def test_merging_tables_keeps_their_sum(seed: int) -> None:
    """Both merge plans: the sum over the remaining tables at each x is the sum over the given ones."""
    parts = partitions_of("S4", 6, seed)
    tables = [np.random.default_rng(seed + k).normal(size=part.count) for k, part in enumerate(parts)]
    wanted = sum(table[part.labels] for table, part in zip(tables, parts, strict=True))
    plan = merge_plan(parts)
    made = list(tables)
    for one, other, refinement in plan.steps:
        made.append(made[one][refinement.first] + made[other][refinement.second])
    assert np.allclose(wanted, sum(made[k][labels] for k, labels in zip(plan.last, plan.labels, strict=True)))
    assert plan.additions == sum(step[2].partition.count for step in plan.steps)
    steps, kept = nested_plan(parts)
    made, spaces = list(tables), list(parts)
    for one, other, refinement in steps:
        assert refinement.partition.count == max(spaces[one].count, spaces[other].count)  # one of the two refines the other
        spaces.append(refinement.partition)
        made.append(made[one][refinement.first] + made[other][refinement.second])
    assert np.allclose(wanted, sum(made[k][part.labels] for k, part in kept.items()))
    for first, second in itertools.combinations(kept.values(), 2):
        assert refine(first, second).partition.count > max(first.count, second.count)


@pytest.mark.parametrize("seed", range(30))
def test_minimal_patterns_by_sets(seed: int) -> None:
    """The minimal sets of tables that tell two elements apart, against Python sets over all pairs."""
    labels = np.stack([part.labels for part in partitions_of("S4", 5, seed)])
    every = {frozenset(np.flatnonzero(labels[:, x] != labels[:, y]).tolist()) for x, y in itertools.permutations(range(24), 2)}
    minimal = {p for p in every if not any(q < p for q in every)}
    found = {frozenset(np.flatnonzero(row).tolist()) for row in minimal_patterns(labels)}
    assert found == (minimal if frozenset() not in minimal else set())


def weights_of(seed: int, width: int = 9) -> Weights:
    rng = np.random.default_rng(seed)
    return Weights.from_arrays(*(rng.normal(size=shape) for shape in ((6, width), (6, width), (width, 6), 6)))


@pytest.mark.parametrize("seed", range(40))
def test_tables_add_up_to_the_factored_network(seed: int) -> None:
    """Sums of tables are the factored logits within the stated error, as integers and as float32 numbers."""
    weights = weights_of(seed)
    parts = partitions_of("S3", 3, seed)
    if seed % 2:
        parts = [parts[0], parts[0], singletons(6)]
    chosen = [parts[i % 3] for i in range(9)]
    plan = factorise(weights, chosen, 2)
    maker = TableMaker(plan, 6)
    tables = maker.finish(maker.fill(np.arange(6)))
    total = sum(table[:, labels].astype(np.float64) for table, labels in zip(tables.last, plan.merge.labels, strict=True))
    total = np.asarray(total) * tables.unit[:, None, None]
    left = np.empty((6, 9))
    for family in plan.families:
        left[:, family.neurons] = family.levels[family.partition.labels]
    R, U, b = (part.astype(np.float64) for part in (plan.R, plan.U, plan.b))
    wanted = np.maximum(left[None] + R[:, None], 0) @ U + b
    margins = (total[..., None] - total[..., None, :]) - (wanted[..., None] - wanted[..., None, :])
    assert (np.abs(margins).max(axis=(1, 2, 3)) <= tables.error).all()
    true = np.maximum(weights.L[None] + weights.R[:, None], 0) @ weights.U + weights.b
    off = (true[..., None] - true[..., None, :]) - (wanted[..., None] - wanted[..., None, :])
    assert (np.abs(off).max(axis=(2, 3)) <= plan.slack(np.arange(6))).all()


def test_both_kinds_of_tables_are_exercised() -> None:
    """The test above meets integer tables and float32 ones."""
    kinds = set()
    for seed in range(40):
        parts = partitions_of("S3", 3, seed)
        parts = [parts[0], parts[0], singletons(6)] if seed % 2 else parts
        kinds.add(in_integers(factorise(weights_of(seed), [parts[i % 3] for i in range(9)])))
    small = factorise(weights_of(0), [partitions_of("S3", 1, 0)[0]] * 9)
    kinds.add(in_integers(small))
    assert kinds == {True, False}


@pytest.mark.parametrize("seed", range(40))
def test_lines_bound_every_triple(seed: int) -> None:
    """e(x) + B(y, z), or the near bound, is at most the factored margin less slack, for every x, y, z other than xy."""
    group = parse_group("S3")
    weights = weights_of(seed)
    parts = [coset_partition(group, k % len(subgroups(group)), "right") for k in (1, 2, 3, 4)]
    plan = factorise(weights, [parts[i % 4] for i in range(9)], 2)
    bounder = LineBounder(plan, group.mul)
    maker = TableMaker(plan, 1)
    left = np.empty((6, 9))
    for family in plan.families:
        left[:, family.neurons] = family.levels[family.partition.labels]
    for y in range(6):
        slack = plan.slack(np.array([y]))[0]
        lines = bounder.bound(y, [t[0] for t in maker.fill(np.array([y]))], slack, 2 * maker.rounding)
        logits = np.maximum(left + plan.R[y].astype(np.float64), 0) @ plan.U.astype(np.float64) + plan.b
        for x, z in itertools.product(range(6), range(6)):
            if z != group.mul[x, y]:
                margin = logits[x, group.mul[x, y]] - logits[x, z] - slack[x]
                near = [lines.near[h, z] for h in range(len(lines.near)) if lines.near_x[h, z] == x]
                assert (near[0] if near else lines.e[x] + lines.B[z]) <= margin + 1e-12
                assert lines.by_x()[x] <= margin + 1e-12


def test_flops_by_counting() -> None:
    """The rule for the factored strategy against a loop that counts each operation as it would be done."""
    group = parse_group("S3")
    parts = [coset_partition(group, k, "right") for k in (1, 2, 4)]
    plan = factorise(weights_of(0), [parts[i % 3] for i in range(9)], 2)
    n, m, groups = 6, 9, 2
    count = 0
    for _ in range(n):  # each y
        for family in plan.families:
            for _ in range(family.partition.count):
                count += 2 * len(family.neurons)  # an addition and a ReLU each
                count += 2 * len(family.neurons) * n  # the product with the votes
                count += n + 3 * len(family.neurons) if in_integers(plan) else 0  # scaled; products, sums, largest
        count += min(f.partition.count for f in plan.families) * n  # bias
        for step in plan.merge.steps:
            count += step[2].partition.count * n
        for _ in range(n):  # each x
            count += (len(plan.merge.last) - 1) * n + n  # additions, comparisons
            count += len(plan.families) + 3  # right logit, margin, bound, test
            count += 2 * groups * m + 1  # bound: product, constant
        count += groups * m  # activity
    assert factored_flops(plan) == count
    assert brute_force(6, 9) == sum(2 * 9 for _ in range(6**3))


def test_gamma_is_an_upper_bound_and_refuses_nonsense() -> None:
    """gamma_k >= k u / (1 - k u), and a chain so long that it bounds nothing is an error."""
    for terms in (1, 7, 1000, 10**6):
        product = Fraction(terms, 2**24)
        assert Fraction(gamma(terms, 2.0**-24)) >= product / (1 - product)
    assert gamma(2**23 - 1, 2.0**-24) < 1.001
    for terms in (2**23, 2**24):
        with pytest.raises(ValueError, match=rf"^expected fewer than 8.39e\+06 terms in a rounding bound, got {terms}$"):
            gamma(terms, 2.0**-24)


def elements_of(counts: list[int], rows: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
    """(n, cells) 1 at the cells of each element: a twin of the design matrix, by loops."""
    design = np.zeros((rows.shape[1], sum(counts)))
    for k, x in itertools.product(range(len(rows)), range(rows.shape[1])):
        design[x, rows[k, x]] += 1
    return design


@pytest.mark.parametrize("name", ["S3", "S4"])
@pytest.mark.parametrize("seed", range(30))
def test_potentials_sum_to_zero_on_every_element(name: str, seed: int) -> None:
    """After random steps, the sum over the cells of every element is within ``off``, and not every cell is zero."""
    rng = np.random.default_rng(seed)
    parts = [part for part in partitions_of(name, 6, seed) if part.count > 1]
    assert parts
    starts = np.cumsum([0] + [part.count for part in parts[:-1]])
    rows = np.stack([part.labels for part in parts]) + starts[:, None]
    design = elements_of([part.count for part in parts], rows)
    potentials = Potentials(design, np.linalg.pinv(design).astype(np.float64), rows)
    n, lines, stepped = len(design), np.arange(len(design)), 0
    for _ in range(20):
        cells = np.stack([rng.integers(s, s + part.count, n) for s, part in zip(starts, parts, strict=True)])
        before = np.array([sum(potentials.values[i, cells[:, i]]) for i in lines])
        potentials.step(lines, cells, np.full(n, 3.0))
        after = np.array([sum(potentials.values[i, cells[:, i]]) for i in lines])
        moved = np.abs(after - before) > 1e-9
        assert np.allclose((before - after)[moved], 1.5 * 3.0)  # r = g - nu rises at the pseudo-element
        stepped += int(moved.sum())
    assert stepped > 0 or len(parts) == 2  # two tables of S3 may leave no room to move
    exact = [[sum((Fraction(float(potentials.values[i, c])) for c in rows[:, x]), Fraction(0)) for x in range(n)] for i in lines[:4]]
    for i, sums in enumerate(exact):
        assert max(map(abs, sums)) <= Fraction(float(potentials.off(lines)[i]))
    assert (potentials.off(lines) < 1e-6).all()


def bounds_with(seed: int, name: str, steps: int, shift: float = 0.0) -> tuple[npt.NDArray[np.float64], ...]:
    """Bounds e(x) + B(z), near ones put in, and the true margins less slack, at [y, x, z]; random potentials to start with."""
    group, n = parse_group(name), parse_group(name).order
    rng = np.random.default_rng(seed)
    planted = planted_network(group, seed, 2 * group.degree**2 + 4).network.weights
    noise = rng.choice([0.05, 0.2, 0.6])
    parts = (planted.L, planted.R, planted.U, planted.b)
    weights = Weights.from_arrays(*(part + noise * rng.normal(size=part.shape) for part in parts))
    options = candidate_partitions(group, weights.L)
    plan = factorise(weights, [next(p for p in option if p.count > 2) for option in options], 2)
    bounder = LineBounder(plan, group.mul, steps)
    maker = TableMaker(plan, 1)
    left = np.empty((n, weights.width))
    for family in plan.families:
        left[:, family.neurons] = family.levels[family.partition.labels]
    found, true = np.full((n, n, n), np.inf), np.full((n, n, n), np.inf)
    for y in range(n):
        if shift:  # absurd potentials: moved along random pseudo-elements
            starts = bounder.starts
            cells = np.stack([rng.integers(s, s + c, n) for s, c in zip(starts, bounder.counts, strict=True)])
            bounder.potentials.step(np.arange(n), cells, rng.normal(size=n) * shift)
        slack = plan.slack(np.array([y]))[0]
        lines = bounder.bound(y, [t[0] for t in maker.fill(np.array([y]))], slack, 2 * maker.rounding)
        logits = np.maximum(left + plan.R[y].astype(np.float64), 0) @ plan.U.astype(np.float64) + plan.b
        found[y] = lines.e[:, None] + lines.B
        for h in range(len(lines.near)):
            found[y, lines.near_x[h], np.arange(n)] = lines.near[h]
        margin = logits[np.arange(n), group.mul[:, y]][:, None] - logits - slack[:, None]
        own = np.zeros((n, n), dtype=bool)
        own[np.arange(n), group.mul[:, y]] = True
        found[y][own] = true[y][own] = np.inf
        true[y][~own] = margin[~own]
    return found, true


@pytest.mark.parametrize(("name", "seeds"), [("S3", range(40)), ("S4", range(10))])
def test_lines_with_absurd_potentials_stay_below_the_margins(name: str, seeds: range) -> None:
    """On noisy planted networks no bound exceeds the margin, and potentials that start at zero make none worse."""
    better = 0
    for seed in seeds:
        try:
            plain, true = bounds_with(seed, name, 0)
        except ValueError:
            continue  # the partitions do not tell elements apart
        moved, _ = bounds_with(seed, name, 8)
        absurd, _ = bounds_with(seed, name, 2, shift=5.0)
        other = np.isfinite(true)
        for bound in (plain, moved, absurd):
            assert (bound[other] <= true[other] + 1e-12).all()
        assert (moved >= plain).all()
        better += int((moved > plain).any())
    assert better > 0


@pytest.mark.parametrize("name", ["S3", "S4"])
def test_potentials_that_harm_are_forgotten_and_lower_no_bound(name: str) -> None:
    """With a slack that nothing makes up for and steps that go astray, bounds stay as they are without any, and so do potentials."""
    group = parse_group(name)
    planted = planted_network(group, 1, 2 * group.degree**2 + 4, noise=0.1).network.weights
    options = candidate_partitions(group, planted.L)
    plan = factorise(planted, [next(p for p in option if p.count > 2) for option in options], 2)
    climbing, plain = LineBounder(plan, group.mul), LineBounder(plan, group.mul, 0)
    potentials, maker = climbing.potentials, TableMaker(plan, 1)
    rng = np.random.default_rng(0)

    def astray(lines: npt.NDArray[np.intp], _: object, __: object) -> None:
        potentials.values[lines] += 1e20 * (rng.normal(size=(len(lines), climbing.cells)) @ potentials.projection)

    potentials.step = astray  # type: ignore[assignment,method-assign]
    for y in range(group.order):
        tables = [t[0].copy() for t in maker.fill(np.array([y]))]
        found = climbing.bound(y, [t.copy() for t in tables], np.full(group.order, 1e6), 2 * maker.rounding)
        expected = plain.bound(y, tables, np.full(group.order, 1e6), 2 * maker.rounding)
        assert (found.B >= expected.B).all()
        assert not potentials.values.any()


@pytest.mark.parametrize("seed", range(60))
def test_slack_of_single_pairs_by_loops(seed: int) -> None:
    """The slack of a pair bounds the difference of factored and true margin for every z, and mostly beats the other one."""
    weights = weights_of(seed)
    parts = partitions_of("S3", 3, seed)
    chosen = [None if seed % 3 == 0 and i == 0 else parts[i % 3] for i in range(9)]
    plan, mul = factorise(weights, chosen, 2), parse_group("S3").mul.astype(np.intp)
    left = np.full((6, 9), -np.inf)
    for family in plan.families:
        left[:, family.neurons] = family.levels[family.partition.labels]
    loose = plan.slack(np.arange(6))
    for x, y in itertools.product(range(6), range(6)):
        tight = float(plan.pairs.bound(np.array([x]), np.array([y]), mul[[x], [y]])[0])
        true = np.maximum(weights.L[x] + weights.R[y], 0) @ weights.U + weights.b
        made = np.maximum(left[x] + plan.R[y].astype(np.float64), 0) @ plan.U.astype(np.float64) + plan.b
        w = int(mul[x, y])
        worst = max((made[w] - made[z]) - (true[w] - true[z]) for z in range(6))
        assert worst <= tight <= loose[y, x] + 1e-3


def test_flops_of_lines_by_counting() -> None:
    """The rule for one line and one step against loops that count each operation as it would be done."""
    group = parse_group("S3")
    parts = [coset_partition(group, k % len(subgroups(group)), "right") for k in (1, 2, 3, 4)]
    bounder = LineBounder(factorise(weights_of(0), [parts[i % 4] for i in range(9)], 2), group.mul)
    line = step = 0
    for cells in bounder.counts:
        line += cells  # the largest entry
        line += cells  # the least entry other than x0's
        line += 6  # a or o, the difference, its positive part, the sum, which cell changes, rounding
        step += bounder.cells  # a row of the projection is added
        step += 1  # the square
    for _ in range(bounder.patterns):
        line += 2 * bounder.tables + 1  # a product with ones and zeros, and the least
    step += 2 * bounder.cells + 5 - bounder.cells  # scaled and added; the factor; the first row is not added
    assert bounder.flops_of_line == line
    assert bounder.potentials.flops_of_step == step
    plain = bounder.flops
    bounder.tight = True
    assert bounder.flops - plain == 10 * 9 * 6 * 6


def test_errors_that_are_lost_beside_large_weights_count_in_the_bound_of_tables() -> None:
    """L + R is 2^-16 where its floats say 0 and their error bounds, too small to be added to 2^38 in float64, say that it may be."""
    group = parse_group("S3")
    n, error = group.order, 2.0**-17
    large, none = np.full((n, 1), 2.0**38), np.zeros(n)
    votes = np.zeros((1, n))
    votes[0, 0] = 2.0**30
    bias = np.power(2.0, np.arange(n, dtype=np.float64))
    exact = Weights.from_integers(
        np.full((n, 1), 2**55 + 1), np.full((n, 1), -(2**55) + 1), votes.astype(np.int64), bias.astype(np.int64), 17, 0
    )
    weights = Weights(large, -large, votes, bias, none[:1] + error, none[:1] + error, 0.0, 0.0, exact.exact)
    bound = prove_by_tables(group, weights, {}).bound
    logits = [int(v) for v in weights.exact().logits(0, 0)]
    unit = Fraction(1, 1 << weights.exact().logit_bits)
    for w, z in itertools.permutations(range(n), 2):
        assert Fraction(float(bound[w, z])) <= (logits[w] - logits[z]) * unit


def test_products_that_underflow_count_in_the_bound_of_tables() -> None:
    """0.6 and three times 0.4 of the least float64: rounded they are 1, 0, 0 and 0, and the three are more than the first."""
    group = parse_group("C4")
    lattice = subgroups(group)
    half = int(np.flatnonzero(lattice.orders == 2)[0])
    inside = lattice.all[half].mask
    sides = np.full((4, 4), 2.0**-501)
    votes = np.array([0.6 * inside, *(0.4 * ~inside,) * 3]) * 2.0**-574
    weights = Weights.from_arrays(sides, sides, votes)
    bound = prove_by_tables(group, weights, {(half, half): [0, 1, 2, 3]}).bound
    logits = [int(v) for v in weights.exact().logits(0, 0)]
    assert logits[0] < logits[1]
    assert bound[0, 1] <= 0


def test_squares_are_refused() -> None:
    """A neuron that relu keeps silent decides everything where it is squared."""
    group = parse_group("S4")
    planted = planted_network(group, 1, 40).network.weights
    silent, votes = np.full((24, 1), -1000.0), np.arange(24.0)[None]
    weights = Weights.from_arrays(np.hstack([planted.L, silent]), np.hstack([planted.R, silent]), np.vstack([planted.U, votes]))
    squares = Weights.from_arrays(weights.L, weights.R, weights.U, weights.b, activation="square")
    assert prove_weights(group, weights).certified == 576
    assert not correct_pairs(evaluate(squares), group.mul).all()
    found = prove_weights(group, squares)
    assert (found.certified, found.strategies) == (0, ())
    assert "square" in found.reason
    assert prove_factored_plan(group, squares) is None
