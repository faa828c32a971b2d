"""What a search for plans computes once, against computing it anew for every plan."""

import itertools
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from algebra.group import parse_group
from algebra.lattice import subgroups
from net.checkpoint import load_network
from net.roundoff import INFLATE
from net.weights import Weights
from verify.compact import plan as plans
from verify.compact.candidates import candidate_partitions
from verify.compact.factorisation import Factorisation, factorise
from verify.compact.merge import common_cells, merge_plan
from verify.compact.partition import Partition, coset_partition, refine, singletons
from verify.compact.readings import Readings
from verify.compact.settings import CompactSettings
from verify.distil.coset_fit import autocorrelation, captured_energy

Floats = npt.NDArray[np.float64]

GROUP = parse_group("S4")


def some_weights(seed: int, width: int = 10) -> Weights:
    """Noise, with error bounds on every array, and a neuron that never fires."""
    rng = np.random.default_rng(seed)
    n = GROUP.order
    L, R, U, b = (rng.normal(size=shape) for shape in ((n, width), (n, width), (width, n), n))
    L[:, 0] -= 20
    errors = rng.random((2, width)) * 2.0**-20
    return Weights(L, R, U, b, errors[0], errors[1], 2.0**-22, 2.0**-23, Weights.from_arrays(L, R, U, b).exact)


def some_partitions(seed: int, width: int = 10) -> list[Partition | None]:
    """Cosets of four subgroups, single elements, and neurons left out."""
    rng = np.random.default_rng(seed)
    numbers = rng.integers(0, len(subgroups(GROUP)), 4)
    some = [*(coset_partition(GROUP, int(k), "left" if k % 2 else "right") for k in numbers), singletons(GROUP.order), None]
    return [some[k] for k in rng.integers(0, len(some), width)]


def plain_levels(weights: Weights, chosen: list[Partition | None]) -> Floats:
    """(n, m) the float32 mean of L over the cell of every x, by loops; -inf for a neuron left out."""
    left = np.full(weights.L.shape, -np.inf)
    for i, partition in enumerate(chosen):
        for cell in range(partition.count if partition is not None else 0):
            assert partition is not None
            members = np.flatnonzero(partition.labels == cell)
            left[members, i] = np.float32(sum(weights.L[members, i].tolist()) / len(members))
    return left


def assert_as_plain(made: Factorisation, weights: Weights, chosen: list[Partition | None], groups: int) -> None:
    """Every array that depends on the partitions, from whole arrays as the docstring of `verify.compact.factorisation` has them."""
    left, out = plain_levels(weights, chosen), np.array([partition is None for partition in chosen])
    R, U = weights.R.astype(np.float32), made.U.astype(np.float64)
    right = np.maximum(np.nextafter(weights.R + weights.R_error, np.inf), R)
    above = np.maximum(np.nextafter(weights.L + weights.L_error, np.inf), left)
    hidden = np.maximum(above.max(axis=0) + right.max(axis=0), 0) * INFLATE
    assert (made.hidden == hidden).all()
    deviation = np.abs(weights.L - np.where(out, 0.0, left)) * INFLATE + weights.L_error
    rounding = np.abs(weights.R - R).max(axis=0) * INFLATE + weights.R_error
    spread = (U.max(axis=1) - U.min(axis=1)) * INFLATE
    residual = np.where(out, hidden, deviation + rounding) * spread * INFLATE
    cuts = np.quantile(np.where(out, 0.0, left), np.arange(1, groups) / groups, axis=0)
    group = sum(((left > cut).astype(int) for cut in cuts), start=np.zeros(left.shape, dtype=int))
    for k in range(groups):
        assert (made.residual[k] == np.where(group == k, residual, 0.0).T).all()
        assert (made.reach[k] == np.where(group == k, above, -np.inf).max(axis=0)).all()
    assert (made.pairs.levels == left).all()
    for family in made.families:
        assert (family.levels[family.partition.labels] == left[:, family.neurons]).all()
        assert [chosen[i] for i in family.neurons] == [family.partition] * len(family.neurons)


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_readings_handed_on_are_those_made_anew(groups: int) -> None:
    """Plan after plan out of the same readings: bit for bit what each plan is by itself, and what whole arrays give."""
    weights = some_weights(0)
    known = Readings(weights)
    for seed in range(30):
        chosen = some_partitions(seed % 20)
        made, anew = factorise(weights, chosen, groups, known), factorise(weights, chosen, groups)
        if seed % 7 == 6:
            known.forget_all_but(made.readings[:5])
            assert [*map(id, known.of(chosen)[:5])] == [*map(id, made.readings[:5])]
        assert_as_plain(made, weights, chosen, groups)
        ys = np.arange(GROUP.order)
        assert (made.constant, made.magnitude, made.rounding) == (anew.constant, anew.magnitude, anew.rounding)
        assert (made.slack(ys) == anew.slack(ys)).all()
        pairs = ys, ys[::-1], np.asarray(GROUP.mul[ys, ys[::-1]], dtype=np.intp)
        assert (made.pairs.bound(*pairs) == anew.pairs.bound(*pairs)).all()
    assert any(partition is None for partition in chosen)


@pytest.mark.parametrize("groups", [1, 4])
def test_the_slack_of_a_sample_is_that_of_all_pairs(groups: int) -> None:
    """The sum of what each reading adds at the sample's pairs, against one product for all pairs, up to float64's roundings."""
    weights = some_weights(3)
    sample = plans._Sample(weights, GROUP.mul, np.random.default_rng(0), CompactSettings(sample=200))
    for seed in range(20):
        made = factorise(weights, some_partitions(seed), groups, sample.known)
        wanted = made.slack(sample.y)[np.arange(200), sample.x]
        assert np.allclose(sample.slack(made), wanted, rtol=1e-12, atol=0)


def test_deviations_by_loops() -> None:
    """Mean over x of |L - mean over the cell|, for one neuron after the other, asked for in parts."""
    weights = some_weights(1)
    known = Readings(weights)
    for partition in filter(None, some_partitions(2)):
        for neurons in ([1, 4], [4, 0, 1], list(range(10))):
            found = known.deviations(partition, np.array(neurons))
            for i, value in zip(neurons, found, strict=True):
                f = weights.L[:, i]
                means = [f[partition.labels == cell].mean() for cell in partition.labels]
                assert value == pytest.approx(np.mean([abs(v - mean) for v, mean in zip(f, means, strict=True)]), rel=1e-12, abs=1e-15)


def plain_merges(partitions: list[Partition], share: float) -> list[tuple[int, int, int]]:
    """The two tables of each merge and the cells of their sum: all pairs are refined, and the first of the smallest ones is taken."""
    alive = dict(enumerate(partitions))
    pairs: dict[tuple[int, int], Partition] = {}
    steps: list[tuple[int, int, int]] = []
    while len(alive) > 1:
        for i, j in itertools.combinations(alive, 2):
            if (i, j) not in pairs:
                pairs[i, j] = refine(alive[i], alive[j]).partition
        one, other = min((pair for pair in pairs if pair[0] in alive and pair[1] in alive), key=lambda pair: pairs[pair].count)
        merged = pairs[one, other]
        if merged.count >= share * len(merged.labels):
            break
        del alive[one], alive[other]
        alive[len(partitions) + len(steps)] = merged
        steps.append((one, other, merged.count))
    return steps


@pytest.mark.parametrize("share", [1 / 3, 0.7, 1.0])
def test_merges_by_refining_all_pairs(share: float) -> None:
    """Cells counted without refinements lead to the same merges in the same order, ties included."""
    longest = 0
    for seed in range(60):
        parts = [part for part in some_partitions(seed, 8) if part is not None]
        made = merge_plan(parts, share)
        steps = [(one, other, refinement.partition.count) for one, other, refinement in made.steps]
        assert steps == plain_merges(parts, share)
        longest = max(longest, len(steps))
    assert longest >= 3


@pytest.mark.parametrize("room", [1, 100, 1 << 20])
def test_cells_of_refinements_by_refining(room: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of cells of a common refinement, however many are counted at a time."""
    monkeypatch.setattr("verify.compact.merge.ROOM", room)
    parts = [coset_partition(GROUP, k, "right") for k in range(len(subgroups(GROUP)))]
    labels, counts = np.stack([part.labels for part in parts]), np.array([part.count for part in parts])
    for other in [*parts, singletons(GROUP.order)]:
        assert common_cells(labels, counts, other).tolist() == [refine(part, other).partition.count for part in parts]
    assert common_cells(labels[:0], counts[:0], parts[0]).size == 0


@pytest.mark.parametrize("better", [0.5, 0.9, 1.0])
def test_candidates_by_looking_at_every_subgroup(better: float) -> None:
    """For each neuron and index the subgroup that leaves least, kept where it leaves at most a share of what smaller indices leave."""
    weights, lattice = some_weights(5, 30), subgroups(GROUP)
    functions = np.concatenate([weights.L, lattice.masks[3:9].T.astype(float)], axis=1)
    found = candidate_partitions(GROUP, functions, better)
    indices = [GROUP.order // subgroup.order for subgroup in lattice.all]
    for i, options in enumerate(found):
        f = np.ascontiguousarray(functions[:, [i]])
        left_over = {}
        for side in ("right", "left"):
            energy = captured_energy(lattice.masks, autocorrelation(GROUP, f, side))[:, 0]
            left_over[side] = float((f**2).sum()) - energy
        expected, least = [], np.inf
        for index in sorted(set(indices) - {GROUP.order}):
            numbers = [k for k, value in enumerate(indices) if value == index]
            right, left = (min(numbers, key=lambda k: left_over[side][k]) for side in ("right", "left"))
            side, number = ("left", left) if left_over["left"][left] < 0.999 * left_over["right"][right] else ("right", right)
            leaves = max(left_over[side][number], 1e-12 * float((f**2).sum()))
            if leaves < better * least:
                expected.append(f"{side} #{number}")
                least = leaves
        assert [partition.name for partition in options] == [*expected, "elements"]


def test_no_plan_is_priced_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over the bundled S5 network no choice of partitions comes up again with as many level groups."""
    network = load_network(Path(__file__).parents[3] / "net" / "checkpoints" / "S5.safetensors", "S5")
    seen: list[tuple[object, ...]] = []

    def noted(weights: Weights, partitions: list[Partition | None], groups: int, known: Readings) -> Factorisation:
        seen.append((id(weights), groups, *map(id, partitions)))
        return factorise(weights, partitions, groups, known)

    monkeypatch.setattr(plans, "factorise", noted)
    assert plans.find_plan(network.group, network.weights) is not None
    assert len(seen) == len(set(seen)) > 20
