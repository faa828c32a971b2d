"""Decisions on planted networks whose every neuron is known, and on networks one step away from the truth."""

import dataclasses
import itertools
from fractions import Fraction

import numpy as np
import pytest

from algebra.group import parse_group
from net.folded import folded_network
from net.planted import planted_network
from net.weights import Weights
from verify.claims.claim import Mistake
from verify.claims.subject import Subject
from verify.compare.interventions import flip_signs


def verdict(claim, subject):
    return claim.decide(subject).verdict


def labelled(planted, kind):
    """Numbers of the planted neurons of a kind, with what they were built from; there are some."""
    _, neurons = planted
    found = [(i, n) for i, n in enumerate(neurons) if n.kind == kind]
    assert found
    return found


def name_of(subject, subgroup):
    return subject.lattice.labels[subject.lattice.find(subgroup.mask)]


def changed(subject, x, y, z):
    """The network with one neuron more, which fires at (x, y) alone and votes for z."""
    w = subject.weights
    left, right = np.zeros((w.order, 1)), np.full((w.order, 1), -64.0)
    left[x], right[y] = 64, 0
    votes = np.zeros((1, w.order))
    votes[0, z] = 64
    weights = Weights.from_arrays(np.hstack([w.L, left]), np.hstack([w.R, right]), np.vstack([w.U, votes]), w.b)
    return Subject(folded_network(subject.group, weights))


def test_one_flipped_answer_refutes_accuracy_and_equivariance(planted_s4, claim, replay):
    """One wrong pair out of 576 refutes 100 %, 575/576 exactly is proved, and the symmetry breaks where the counterexample says."""
    subject = changed(planted_s4[0], 3, 5, 7)
    outcome = claim("accuracy").decide(subject)
    network = replay(subject.weights, 4)
    x, y = (network.element(outcome.counterexample[key]) for key in "xy")

    assert outcome.verdict == "REFUTED"
    assert (network.index[x], network.index[y]) == (3, 5)
    assert network.answer(x, y) == network.element(outcome.counterexample["answer"]) == network.elements[7]
    assert verdict(claim("accuracy", exactly="575/576"), subject) == "PROVED"

    broken = claim("equivariance").decide(subject)
    shown = broken.counterexample
    x, y, g = (network.element(shown[key]) for key in ("x", "y", "g"))
    times, back = network.times, network.inverse
    moved = {"left": (times(g, x), y), "right": (x, times(y, g)), "middle": (times(x, g), times(back(g), y))}[shown["under"]]
    wanted = {"left": lambda z: times(g, z), "right": lambda z: times(z, g), "middle": lambda z: z}[shown["under"]]
    assert broken.verdict == "REFUTED"
    assert network.answer(x, y) == network.element(shown["answer"])
    assert network.answer(*moved) == network.element(shown["answer_of_translate"])
    assert wanted(network.answer(x, y)) == network.element(shown["expected_of_translate"]) != network.answer(*moved)
    assert verdict(claim("equivariance"), planted_s4[0]) == "PROVED"


def test_a_flipped_network_breaks_a_symmetry(planted_s4, claim):
    """With the left sign flipped the answers follow not every translation."""
    flipped = Subject(dataclasses.replace(planted_s4[0].network, weights=flip_signs(True, False)(planted_s4[0].weights)))

    assert verdict(claim("equivariance"), flipped) == "REFUTED"


def test_planted_neurons_are_on_their_cosets(planted_s4, claim):
    """Coset, sign, dual and twisted neurons are proved to be what they were planted as, exactly (within 0), and raw ones refuted."""
    subject, _ = planted_s4
    for kind, right in (("coset", "right"), ("sign", "right"), ("dual", "left")):
        for i, neuron in labelled(planted_s4, kind)[:4]:
            keys = {"neuron": i, "of": "left", "subgroup": name_of(subject, neuron.left), "cosets": right}
            assert verdict(claim("on cosets", **keys), subject) == "PROVED"
    for i, neuron in labelled(planted_s4, "twisted"):
        name = name_of(subject, neuron.left)
        kernel = subject.lattice.find(neuron.left.mask & (subject.group.parity == 0))
        keys = {"neuron": i, "of": "left", "subgroup": name}
        assert verdict(claim("on cosets", **keys, kernel=subject.lattice.labels[kernel]), subject) == "PROVED"
        assert verdict(claim("on cosets", **keys), subject) == "REFUTED"
    for i, _neuron in labelled(planted_s4, "raw"):
        assert verdict(claim("on cosets", neuron=i, of="left", subgroup="S2"), subject) == "REFUTED"


def test_a_constant_function_is_refuted_as_twisted_by_four_elements(planted_s4, claim, replay):
    """A coset neuron is constant on H, so c + t with t changing its sign fails; the counterexample's four values say so."""
    subject, _ = planted_s4
    i, neuron = labelled(planted_s4, "coset")[0]
    kernel = subject.lattice.find(neuron.left.mask & (subject.group.parity == 0))
    keys = {"subgroup": name_of(subject, neuron.left), "kernel": subject.lattice.labels[kernel]}
    outcome = claim("on cosets", neuron=i, of="left", **keys).decide(subject)
    network, shown = replay(subject.weights, 4), outcome.counterexample
    value = {key: network.left(i, network.element(shown[key])) for key in ("x+", "x-", "y+", "y-")}

    assert outcome.verdict == "REFUTED"
    residual = (value["x+"] + value["x-"] - value["y+"] - value["y-"]) / 4
    assert residual == Fraction(shown["residual"]) > 0


def test_dead_neurons_are_proved_dead_and_others_refuted(planted_s4, claim):
    """Each planted dead neuron is proved dead; each coset neuron is refuted."""
    subject, _ = planted_s4
    for i, _neuron in labelled(planted_s4, "dead"):
        assert verdict(claim("dead", neuron=i), subject) == "PROVED"
    for i, _neuron in labelled(planted_s4, "coset")[:5]:
        assert verdict(claim("dead", neuron=i), subject) == "REFUTED"


def test_planted_switches_cancel_and_are_silent_exactly_on_their_coset(planted_s4, claim):
    """L + R = 0 if and only if the product is in the planted coset; silence alone is not exact."""
    subject, _ = planted_s4
    i, neuron = labelled(planted_s4, "coset")[0]
    sums = subject.weights.L[:, i][:, None] + subject.weights.R[:, i]
    x, y = (int(k) for k in np.argwhere(sums == 0)[0])
    representative = subject.group.word(int(subject.group.mul[x, y]))
    keys = {"neuron": i, "subgroup": name_of(subject, neuron.left), "representative": representative}

    assert verdict(claim("silent", **keys, cancels=True, exactly=True), subject) == "PROVED"
    assert verdict(claim("silent", **keys), subject) == "PROVED"
    assert verdict(claim("silent", **keys, exactly=True), subject) == "REFUTED"
    exact = {"cancels": True, "exactly_there": True, "at_least": 1.0}
    assert verdict(claim("switches", subgroup="point stabiliser", constant_within=0, **exact), subject) == "PROVED"
    by_label = claim("switches", **exact).decide(subject)
    assert (by_label.verdict, by_label.agrees) == ("MEASURED", True)


def test_counts_of_planted_neurons(planted_s4, claim):
    """The number of sign neurons and the coverage of point stabilisers are those that were planted."""
    subject, _ = planted_s4
    signs = len(labelled(planted_s4, "sign"))

    assert verdict(claim("coset neurons", subgroup="even permutations", within=0, exactly=signs), subject) == "PROVED"
    assert verdict(claim("coset neurons", subgroup="even permutations", within=0, at_least=signs + 1), subject) == "REFUTED"
    assert verdict(claim("coverage", within=0), subject) == "PROVED"


def test_coverage_names_the_pair_that_is_missing(claim):
    """Without the neurons of one pair of stabilisers that pair, and no other, is uncovered."""
    group = parse_group("S4")
    planted = planted_network(group, seed=1, width=40)
    target = planted.neurons[0]
    gone = [
        i
        for i, n in enumerate(planted.neurons)
        if (n.left.mask == target.left.mask).all() and (n.right.mask == target.right.mask).all()
    ]
    subject = Subject(planted.network.without(gone))
    outcome = claim("coverage", within=0).decide(subject)

    assert outcome.verdict == "REFUTED"
    assert outcome.counterexample["uncovered"] == [[name_of(subject, target.left), name_of(subject, target.right)]]


def test_ablation_of_dead_neurons_costs_nothing_and_of_all_everything(planted_s4, claim):
    """Removing dead neurons keeps 100 %, zero or mean; removing everything leaves ties."""
    subject, _ = planted_s4
    for fill in ("zero", "mean"):
        keys = {"neurons": _criterion("ByKind", kinds=("dead",)), "fill": fill}
        assert verdict(claim("ablation", **keys, at_least=1.0), subject) == "PROVED"
    everything = _criterion("AtRandom", share=1.0)
    assert verdict(claim("ablation", neurons=everything, exactly=0), subject) == "PROVED"
    assert verdict(claim("ablation", neurons=everything, action="keep", at_least=1.0), subject) == "PROVED"


def _criterion(name, **keys):
    import verify.claims.ablation_claims as module

    return getattr(module, name)(**keys)


def test_vote_formula_by_definition(planted_s4, claim):
    """The formula's answers are those of counting, for every z, the conjugates with z and xy in one coset."""
    subject, _ = planted_s4
    group, lattice = subject.group, subject.lattice
    members = [s for s in lattice.all if lattice.name_of(s) == "S2xS2"]
    scores = np.zeros((group.order, group.order), dtype=int)  # [xy, z]
    for member in members:
        labels = member.right_cosets.labels
        scores += labels[:, None] == labels[None, :]
    unique = ((scores == scores.max(axis=1, keepdims=True)).sum(axis=1) == 1).all()
    outcome = claim("votes", weights={"S2xS2": 1.0}).decide(subject)

    assert (outcome.verdict == "PROVED") == unique
    assert verdict(claim("votes", weights={"A4": 1.0}), subject) == "REFUTED"
    with pytest.raises(Mistake, match="A9"):
        claim("votes", weights={"A9": 1.0}).decide(subject)


def test_float32_is_unknown_where_the_bound_is_not_enough(claim):
    """Margins of a hundredth of an ulp's bound are right, but not proved for float32."""
    subject, tiny = Subject(planted_network(parse_group("S3"), seed=0, width=24).network), 2.0**-22
    w = subject.weights
    bias = np.full(w.order, 4096.0)
    weights = Weights.from_arrays(w.L, w.R, (w.U * tiny).astype(np.float32), bias)
    near = Subject(folded_network(subject.group, weights))

    assert verdict(claim("accuracy"), near) == "PROVED"
    assert verdict(claim("float32"), near) == "UNKNOWN"
    assert verdict(claim("float32"), subject) == "PROVED"


def test_share_of_pairs_in_a_claim_means_the_decimal(planted_s4, claim):
    """0.1 is 1/10 and not the float64 next to it; 7/120 is not 0.0583."""
    assert claim("accuracy", at_least=0.1).bounds == {"at_least": Fraction(1, 10)}
    assert claim("accuracy", exactly="7/120").bounds == {"exactly": Fraction(7, 120)}


def test_claims_about_another_group_are_skipped(planted_s4, claim):
    """A claim with `groups` is decided on those groups only."""
    from pathlib import Path

    from verify.claims.decide import decide_claims
    from verify.claims.schema import ClaimsFile

    file = ClaimsFile(claims=(claim("accuracy", groups=("S5",)), claim("accuracy", groups=("S4",))))
    report = decide_claims(Path("x.toml"), file, planted_s4[0])

    assert [d.outcome.verdict for d in report.decisions] == ["SKIPPED", "PROVED"]


def test_within_is_a_distance_and_spread_twice_that(planted_s4, claim):
    """A function that leaves its cosets' constants by a tenth of the range on each side is within 0.1 of constant, not within 0.09."""
    group = planted_s4[0].group
    labels = np.where(group.elements[:, 0] == 0, 0.0, 1.0)  # constant on cosets of the stabiliser of point 1
    f = 10 * group.elements[:, 0].astype(float)
    f[labels == 0] += np.where(group.parity[labels == 0] == 1, 0.0, 6.0)  # range 30, spread 6 on one coset
    g = -f[group.inv]
    subject = Subject(folded_network(group, Weights.from_arrays(f[:, None], g[:, None], np.arange(24.0)[None])))
    name = name_of(subject, subject.lattice.all[subject.lattice.find(group.elements[:, 0] == 0)])

    for within, wanted in ((0.1, "PROVED"), (0.09, "REFUTED")):
        assert verdict(claim("on cosets", neuron=0, of="left", subgroup=name, within=within), subject) == wanted
        assert verdict(claim("coset neurons", subgroup="point stabiliser", within=within, at_least=1), subject) == wanted


def test_a_threshold_inside_the_rounding_bounds_is_unknown(claim):
    """Where C_H is known only to lie on both sides of the threshold, nothing is claimed about the neuron."""
    subject = Subject(planted_network(parse_group("S4"), seed=2, width=33, kinds={"raw": 1}, noise=0.05).network)
    low, high, _ = subject.concentration("left", "right").least()
    neuron = int((high - low).argmax())
    between = float(low[neuron] + high[neuron]) / 2
    assert low[neuron] < between < high[neuron]
    below = int((high < between).sum())
    share = Fraction(below + 1, 33)

    keys = {"below": between, "of": "left", "among": "all"}
    assert verdict(claim("concentrated", **keys, at_least=str(share)), subject) == "UNKNOWN"
    assert verdict(claim("concentrated", **keys, at_least=str(Fraction(below, 33))), subject) == "PROVED"
    assert verdict(claim("concentrated", **keys, at_least=str(Fraction(below + 2, 33))), subject) == "REFUTED"


def answers_by_neurons(group, table):
    """A network with a neuron for each pair, whose answer is table[x][y], or a tie of all outputs where that is -1."""
    n = group.order
    L, R, U = np.zeros((n, n * n)), np.full((n, n * n), -1.0), np.zeros((n * n, n))
    for x, y in np.ndindex(n, n):
        L[x, n * x + y], R[y, n * x + y] = 1, 0
        if table[x][y] >= 0:
            U[n * x + y, table[x][y]] = 1
    return Subject(folded_network(group, Weights.from_arrays(L, R, U)))


def share_by_definition(table, score):
    """The share of all pairs (x, y) over S3 at which the one z with the greatest score(x, y, z) is there, and is the table's answer."""
    elements = list(itertools.permutations(range(3)))
    same = 0
    for i, x in enumerate(elements):
        for j, y in enumerate(elements):
            scores = [score(x, y, z) for z in elements]
            best = [k for k, value in enumerate(scores) if value == max(scores)]
            same += len(best) == 1 and table[i][j] == best[0]
    return Fraction(same, 36)


def times(x, y):
    """First x, then y."""
    return tuple(y[i] for i in x)


S3_CLASSES = {
    "1": [[(0, 1, 2)]],
    "S2": [[(0, 1, 2), (0, 2, 1)], [(0, 1, 2), (2, 1, 0)], [(0, 1, 2), (1, 0, 2)]],
    "C3": [[(0, 1, 2), (1, 2, 0), (2, 0, 1)]],
    "S3": [list(itertools.permutations(range(3)))],
}
S3_CHARACTERS = {"(2,1)": (2, 0, -1), "(1,1,1)": (1, -1, 1)}  # of an element with 3, 1 or no fixed points


def test_no_tie_counts_as_the_answer_of_an_algorithm(claim):
    """On tables of answers with many ties, all formulas agree with their definitions on all pairs."""
    s3, rng = parse_group("S3"), np.random.default_rng(4)
    right = [[int(z) for z in row] for row in s3.mul]
    tables = [right, [[-1] * 6] * 6]
    for _ in range(12):
        keep = rng.integers(3, size=(6, 6))
        tables.append([[(right[i][j], -1, int(rng.integers(6)))[keep[i, j]] for j in range(6)] for i in range(6)])
    for number, table in enumerate(tables):
        subject = answers_by_neurons(s3, table)
        assert subject.evaluation.answer.tolist() == table
        chosen = sorted(S3_CLASSES, key=lambda _: rng.random())[: 1 + number % 3]
        weights = {name: float(rng.integers(-2, 3)) / 2 for name in chosen}

        def shared(x, y, z, weights=weights):
            cosets = ((weights[name], {times(h, times(x, y)) for h in member}) for name in weights for member in S3_CLASSES[name])
            return sum(weight for weight, coset in cosets if z in coset)

        def characters(x, y, z, names):
            product = times(times(x, y), tuple(sorted(range(3), key=z.__getitem__)))
            place = {3: 0, 1: 1, 0: 2}[sum(product[i] == i for i in range(3))]
            return sum(S3_CHARACTERS[name][place] for name in names)

        found = share_by_definition(table, shared)
        outcome = claim("votes", weights=weights, exactly=str(found)).decide(subject)
        assert (outcome.verdict, outcome.figure) == ("PROVED", float(found))
        for names in (("(2,1)",), ("(1,1,1)",), ("(2,1)", "(1,1,1)")):
            found = share_by_definition(table, lambda x, y, z, names=names: characters(x, y, z, names))
            outcome = claim("gcr", irreps=names, level="answers", exactly=str(found)).decide(subject)
            assert (outcome.verdict, outcome.figure) == ("PROVED", float(found))
            assert "(2,1)" in names or outcome.finding.endswith("which is no answer; the network has its answer on 0 of 36 pairs")
    nothing = answers_by_neurons(s3, tables[1])
    assert verdict(claim("gcr", irreps=("(1,1,1)",), level="answers"), nothing) == "REFUTED"
    assert verdict(claim("votes", weights={"C3": 1.0}), nothing) == "REFUTED"


def test_a_neuron_that_fires_and_votes_is_not_dead_even_where_no_answer_needs_it(claim):
    """Beside votes of 1 a neuron with votes of at most 1/8 changes no answer, and a claim that it is dead is refuted all the same."""
    s3 = parse_group("S3")
    subject = answers_by_neurons(s3, [[int(z) for z in row] for row in s3.mul])
    w = subject.weights
    votes = np.vstack([w.U, [0.125, 0, 0, 0, 0, 0]])
    more = Weights.from_arrays(np.hstack([w.L, np.ones((6, 1))]), np.hstack([w.R, np.zeros((6, 1))]), votes)
    beside = Subject(folded_network(s3, more))
    assert (beside.evaluation.answer == subject.evaluation.answer).all()
    stated = claim("dead", neuron=36)
    assert stated.statement() == "neuron 36 is dead: it fires on no pair, or votes the same for every output"
    assert stated.decide(beside).verdict == "REFUTED"
    assert verdict(claim("circuits", sets=[[36]], level="necessary", exactly=0), beside) == "PROVED"
