"""The examples in docs/claims/: one file per kind, true and false claims about the bundled network of S5, counterexamples replayed."""

import re
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from algebra.lattice import subgroups
from verify.claims.decide import decide_claims
from verify.claims.schema import KINDS, read_claims

FOLDER = Path(__file__).parents[3] / "docs" / "claims"
FILES = {kind: FOLDER / f"{kind.replace(' ', '-')}.toml" for kind in KINDS}


def announced(path):
    """The outcomes that the comments above the claims announce."""
    return re.findall(r"^# ([A-Z]+).*\n\[\[claims\]\]", path.read_text(), re.MULTILINE)


def came(outcome):
    if outcome.verdict != "MEASURED":
        return outcome.verdict
    return {True: "AGREES", False: "DIFFERS", None: "MEASURED"}[outcome.agrees]


def test_every_kind_has_an_example():
    """There is a file for each kind and no other, and it is about that kind."""
    assert {path.name for path in FOLDER.glob("*.toml")} == {path.name for path in FILES.values()}
    for kind, path in FILES.items():
        assert {claim.__struct_config__.tag for claim in read_claims(path).claims} == {kind}


@pytest.mark.parametrize("kind", KINDS)
def test_examples_come_out_as_announced(kind, s5, replay):
    """Each claim has the outcome in its comment, and whatever is REFUTED is refuted again by independent code."""
    path = FILES[kind]
    report = decide_claims(path, read_claims(path), s5)
    outcomes = [decision.outcome for decision in report.decisions]

    assert [came(outcome) for outcome in outcomes] == announced(path)
    assert {"REFUTED", "DIFFERS"} & set(announced(path)) or kind == "equivariance"
    assert {"PROVED", "AGREES"} & set(announced(path)) or kind == "dead"
    for decision in report.decisions:
        assert (decision.outcome.verdict == "REFUTED") == (decision.outcome.counterexample is not None)
        if decision.outcome.verdict == "REFUTED":
            REPLAYS[kind](decision.claim, decision.outcome.counterexample, replay(s5.weights, 5), s5)


def replay_pair(claim, shown, network, s5, **how):
    x, y = network.element(shown["x"]), network.element(shown["y"])
    given = network.answer(x, y, **how)
    assert given == network.shown(shown["answer"])
    wrong = given != network.shown(shown["expected"])
    assert wrong == (shown["claimed"].startswith("at_least"))


def replay_intervention(claim, shown, network, s5):
    assert claim.surgery == "flip left"
    flipped = lambda neuron, x, left=network.left: -left(neuron, x)  # noqa: E731
    network.left = flipped
    replay_pair(claim, shown, network, s5)
    assert network.shown(shown["expected"]) == network.times(network.element(shown["x"]), network.element(shown["y"]))


def replay_ablation(claim, shown, network, s5):
    kept = sorted(set(range(s5.weights.width)) - set(shown["removed"]))
    replay_pair(claim, shown, network, s5, neurons=kept)


def replay_circuits(claim, shown, network, s5):
    """Without the neurons the answers of a sample of pairs stay; the proof is about all of them."""
    for removed in shown["not needed"]:
        kept = sorted(set(range(s5.weights.width)) - set(removed))
        for x in network.elements[::17]:
            for y in network.elements[::23]:
                assert network.answer(x, y, neurons=kept) == network.answer(x, y)


def replay_float32(claim, shown, network, s5):
    """The shown pair is right in float32 in many random orders of summation."""
    x, y = (network.index[network.element(shown[key])] for key in "xy")
    w, rng = s5.weights, np.random.default_rng(0)
    hidden = np.maximum(w.L[x].astype(np.float32) + w.R[y].astype(np.float32), np.float32(0))
    for _ in range(20):
        order = rng.permutation(w.width)
        total = np.zeros(w.order, dtype=np.float32)
        for i in order:
            total += hidden[i] * w.U[i].astype(np.float32)
        assert network.elements[int(total.argmax())] == network.element(shown["answer"])
    assert Fraction(shown["claimed"].split()[-1]) < 1


def cosets(network, generators, side):
    """Coset of each element as a frozenset, of the subgroup that some tuples generate."""
    group = {tuple(range(5))}
    while len(group) != len(group := group | {network.times(g, h) for g in group for h in generators}):
        pass
    times = network.times
    return {x: frozenset(times(h, x) if side == "right" else times(x, h) for h in group) for x in network.elements}


def named(s5, network, name):
    lattice = subgroups(s5.group)
    return [tuple(int(i) for i in s5.group.elements[g]) for g in lattice.by_name(name).generators]


def replay_on_cosets(claim, shown, network, s5):
    value = {"left": network.left, "right": network.right}[claim.of]
    x, y = network.element(shown["x"]), network.element(shown["y"])
    side = claim.cosets or "right"
    found = cosets(network, named(s5, network, claim.kernel or claim.subgroup), side)
    assert found[x] == found[y]
    residual = (value(claim.neuron, x) - value(claim.neuron, y)) / 2
    spread = [value(claim.neuron, z) for z in network.elements]
    assert residual == Fraction(shown["residual"])
    assert residual > Fraction(str(claim.within)) * (max(spread) - min(spread)) == Fraction(shown["claimed"])


def replay_silent(claim, shown, network, s5):
    x, y = network.element(shown["x"]), network.element(shown["y"])
    found = cosets(network, named(s5, network, claim.subgroup), "right")
    inside = found[network.times(x, y)] == found[network.element(claim.representative)]
    total = network.left(claim.neuron, x) + network.right(claim.neuron, y)
    assert (str(inside).lower(), total) == (shown["in_coset"], Fraction(shown["preactivation"]))
    values = [network.left(claim.neuron, z) for z in network.elements]
    allowed = Fraction(str(claim.within)) * (max(values) - min(values))
    assert (abs(total) if claim.cancels else max(total, 0)) > allowed if inside else total <= allowed


def replay_on_irrep(claim, shown, network, s5):
    """The share outside (4,1), whose character is the number of fixed points less 1, by the convolution itself."""
    f = np.array([float(network.left(claim.neuron, x)) for x in network.elements])
    f -= f.mean()
    chi = np.array([sum(i == k for k, i in enumerate(x)) - 1 for x in network.elements])
    index = [[network.index[network.times(x, network.inverse(y))] for y in network.elements] for x in network.elements]
    projected = 4 / 120 * chi[np.array(index)] @ f
    assert claim.irrep == "(4,1)"
    assert 1 - (projected @ projected) / (f @ f) == pytest.approx(shown["outside_at_least"], abs=1e-9)


def replay_dead(claim, shown, network, s5):
    x, y, z, other = (network.element(shown[key]) for key in ("x", "y", "z", "other"))
    assert network.left(claim.neuron, x) + network.right(claim.neuron, y) == Fraction(shown["preactivation"]) > 0
    assert network.vote(claim.neuron, z) != network.vote(claim.neuron, other)


def replay_concentrated(claim, shown, network, s5):
    """For the first neuron listed, every subgroup's C_H of L or of R is at least the threshold."""
    first = shown["neurons"][0]
    least = []
    for of, side in ((s5.weights.L, "right_cosets"), (s5.weights.R, "left_cosets")):
        f, found = of[:, first["neuron"]], []
        for subgroup in subgroups(s5.group).all:
            if 1 < subgroup.order < 120:
                labels = getattr(subgroup, side).labels
                found.append(sum(np.var(f[labels == c], ddof=1) for c in range(subgroup.index)) / np.var(f, ddof=1))
        least.append(min(found))
    assert max(least) == pytest.approx(first["min_C_at_least"], rel=1e-4)
    assert max(least) >= claim.below
    assert 1 - len(shown["neurons"]) / s5.weights.width == pytest.approx(float(Fraction(shown["value"])))


def spread_on(network, s5, generators, side, matrix):
    """(m,) largest max - min on a coset, over the range, for each column."""
    found = cosets(network, generators, side)
    rows = [[network.index[x] for x in coset] for coset in set(found.values())]
    inside = np.max([np.ptp(matrix[row], axis=0) for row in rows], axis=0)
    return inside / np.ptp(matrix, axis=0)


def point_stabiliser(point):
    return [t for t in ((1, 0, 2, 3, 4), (0, 2, 1, 3, 4), (0, 1, 3, 2, 4), (0, 1, 2, 4, 3)) if t[point] == point] + [
        tuple({a: b, b: a}.get(k, k) for k in range(5)) for a in range(5) for b in range(a) if point not in (a, b)
    ]


def replay_coset_neurons(claim, shown, network, s5):
    """No neuron has both sides within 2 * 5 % of its range on cosets of point stabilisers."""
    sides = [
        np.min([spread_on(network, s5, point_stabiliser(p), side, f) for p in range(5)], axis=0)
        for side, f in (("right", s5.weights.L), ("left", s5.weights.R))
    ]
    assert np.flatnonzero((sides[0] <= 2 * claim.within) & (sides[1] <= 2 * claim.within)).tolist() == shown["neurons"]
    assert len(shown["neurons"]) < Fraction(shown["claimed"].split()[-1])


def replay_coverage(claim, shown, network, s5):
    replay_coset_neurons(claim, {"neurons": [], "claimed": "at_least 1"}, network, s5)
    assert len(shown["uncovered"]) == 25


def replay_switches(claim, shown, network, s5):
    """The first neuron listed is quiet on some pair outside of every coset that its subgroups share."""
    i = shown["neurons"][0]
    sums = s5.weights.L[:, i][:, None] + s5.weights.R[:, i]
    allowed = claim.within * np.ptp(s5.weights.L[:, i])
    label = s5.labels[i]
    H = label.left.subgroup
    labels = H.right_cosets.labels[s5.group.mul]
    for coset in range(H.index):
        inside = labels == coset
        assert (sums[inside] > allowed).any() or (sums[~inside] <= allowed).any()


def replay_indicator_power(claim, shown, network, s5):
    """The multiplicity is the mean over the subgroup of (4,1)'s character, the number of fixed points less 1."""
    group = cosets(network, [network.element(g) for g in shown["generators"]], "right")[tuple(range(5))]
    invariants = Fraction(sum(sum(i == k for k, i in enumerate(h)) - 1 for h in group), len(group))
    value = 4 * invariants / (Fraction(120, len(group)) - 1)
    assert claim.irrep == "(4,1)"
    assert value == Fraction(shown["value"]) != Fraction(claim.exactly)


def replay_program(claim, shown, network, s5):
    """The pre-activations of network and program differ by the stated amount at the stated pair."""
    x, y, i = network.element(shown["x"]), network.element(shown["y"]), shown["neuron"]
    written = s5.distillation.point("readable").written
    kept = [n.index for c in written.program.circuits for n in c.neurons]
    e, theirs = written.weights.exact(), Fraction(0)  # 0 for a neuron that the program leaves out
    if i in kept:
        position = kept.index(i)
        theirs = Fraction(int(e.L[network.index[x], position] + e.R[network.index[y], position]), 2**e.preactivation_bits)
    assert abs(network.left(i, x) + network.right(i, y) - theirs) == Fraction(shown["value"]) > 0


def replay_tie(claim, shown, network, s5):
    """The tied multiples of xy are the even ones, and the network's own answer there is unique."""
    x, y = network.element(shown["x"]), network.element(shown["y"])
    assert network.answer(x, y) == network.element(shown["answer"])
    assert shown["expected"] == "a tie"
    tied = {network.element(g) for g in shown.get("tied") or shown["kernel"]}
    assert tied == {g for g in network.elements if sum(g[i] > g[j] for j in range(5) for i in range(j)) % 2 == 0}


REPLAYS = {
    "accuracy": replay_pair,
    "float32": replay_float32,
    "intervention": replay_intervention,
    "on cosets": replay_on_cosets,
    "silent": replay_silent,
    "on irrep": replay_on_irrep,
    "dead": replay_dead,
    "concentrated": replay_concentrated,
    "coset neurons": replay_coset_neurons,
    "coverage": replay_coverage,
    "switches": replay_switches,
    "indicator power": replay_indicator_power,
    "program": replay_program,
    "votes": replay_tie,
    "gcr": replay_tie,
    "compact proof": replay_pair,
    "ablation": replay_ablation,
    "circuits": replay_circuits,
}
