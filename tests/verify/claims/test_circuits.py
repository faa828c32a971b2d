"""Which circuits are needed, against plain integers on all pairs; which irreps are used, against Young's matrices."""

import itertools
from fractions import Fraction

import numpy as np
import pytest

from algebra.characters.fourier import power_share
from algebra.group import parse_group
from algebra.lattice import subgroups
from net.planted import planted_network
from net.roundoff import inflate
from net.weights import Weights
from verify import analyse
from verify.claims.claim import Mistake
from verify.claims.irrep_claims import rank_correlation
from verify.claims.subject import Subject
from verify.compare.isotypic import isotypics, rho_set_sizes, shares
from verify.compare.necessity import _error, necessary, sufficient
from verify.exact.exhaustive import evaluate


def answers(weights, kept):
    """The answers at all pairs in Python integers, -1 for a tie."""
    exact, n = weights.exact(), weights.order
    found = np.empty((n, n), dtype=int)
    for x, y in itertools.product(range(n), repeat=2):
        logits = [int(b) for b in exact.b]
        for i in kept:
            a = int(exact.L[x, i]) + int(exact.R[y, i])
            h = a * a if weights.activation == "square" else max(a, 0)
            logits = [v + h * int(u) for v, u in zip(logits, exact.U[i], strict=True)]
        found[x, y] = logits.index(max(logits)) if logits.count(max(logits)) == 1 else -1
    return found


def networks():
    """Networks with margins large, none, and of a few units in the last place."""
    rng = np.random.default_rng(3)
    yield "planted", planted_network(parse_group("S3"), seed=2, width=24).network.weights
    yield "integers with ties", Weights.from_arrays(*(rng.integers(-2, 3, shape).astype(float) for shape in ((6, 9), (6, 9), (9, 6))))
    tiny = np.array([1.0, 1.0 + 2**-52, 1.0 + 2**-51, 1.0, 1.0 - 2**-53, 1.0])
    L, R, U = (rng.permuted(np.tile(tiny, (9, 1)), axis=1) for _ in range(3))
    yield "in the last place", Weights.from_arrays(L.T, R.T, U, rng.permuted(tiny))
    big = Weights.from_integers(*(rng.integers(-(2**60), 2**60, shape) for shape in ((6, 9), (6, 9), (9, 6))), None, 60, 60)
    yield "rounded", big
    shapes = ((6, 9), (6, 9), (9, 6))
    yield "squares", Weights.from_arrays(*(rng.normal(size=shape) for shape in shapes), activation="square")
    least = [np.ldexp(rng.normal(size=shape), power) for shape, power in zip(shapes, (-520, -520, -552), strict=True)]
    yield "products that underflow", Weights.from_arrays(*least)
    yield "squares that underflow", Weights.from_arrays(*least[:2], np.ldexp(least[2], 519), activation="square")
    most = [np.ldexp(rng.normal(size=shape), power) for shape, power in zip(shapes, (600, 600, 422), strict=True)]
    yield "products that overflow", Weights.from_arrays(*most)
    yield "squares that overflow", Weights.from_arrays(*most, activation="square")
    yield "squares with ties", Weights.from_arrays(*(rng.integers(-2, 3, shape).astype(float) for shape in shapes), activation="square")


@pytest.mark.parametrize(("name", "weights"), list(networks()))
def test_needed_circuits_by_definition(name, weights):
    """Each circuit's pair is one that its removal changes, and where there is none every answer stays, in plain integers."""
    rng = np.random.default_rng(4)
    everything = range(weights.width)
    before = answers(weights, everything)
    circuits = [
        sorted(rng.choice(weights.width, size=k, replace=False).tolist()) for k in (1, 1, 2, 3, weights.width // 2, weights.width)
    ]
    for circuit, pair in zip(circuits, necessary(weights, evaluate(weights), circuits), strict=True):
        after = answers(weights, [i for i in everything if i not in circuit])
        changed = (after != before) & (before >= 0)
        assert (pair is not None) == changed.any()
        assert pair is None or changed[pair]


@pytest.mark.parametrize(("name", "weights"), list(networks()))
def test_a_sufficient_set_is_enough_and_minimal(name, weights):
    circuits = [list(part) for part in np.array_split(np.arange(weights.width), 6)]
    for order in (range(6), range(5, -1, -1)):
        found = sufficient(weights, evaluate(weights), circuits, list(order))
        before = answers(weights, range(weights.width))
        kept = [i for k in found.circuits for i in circuits[k]]
        assert (answers(weights, kept) == before)[before >= 0].all()
        for k, pair in zip(found.circuits, found.witnesses, strict=True):
            after = answers(weights, [i for i in kept if i not in circuits[k]])
            assert before[pair] >= 0
            assert after[pair] != before[pair]


def test_the_float_bound_covers_the_error():
    """Float64 logits against integers: the error stays below the bound, which is infinite where sums may overflow."""
    for name, weights in networks():
        if name.endswith("overflow"):
            with np.errstate(over="ignore", invalid="ignore"):
                assert _error(weights) == np.inf
            continue
        exact = weights.exact()
        one = 2**exact.logit_bits
        worst = max(
            abs(float(v) - int(e) / one)
            for x, y in itertools.product(range(weights.order), repeat=2)
            for v, e in zip(weights.logits(x, y), exact.logits(x, y), strict=True)
        )
        assert worst <= _error(weights)


def test_the_float_bound_of_more_neurons_than_inflate_covers_is_no_smaller_than_its_formula():
    """E in fractions, for equal neurons: more of them than 2^20, whose sum in float64 may lose more than 2^-30 of itself."""
    width, one, u = 2**23 + 5, Fraction(1, 3), Fraction(1, 2**53)
    reach, vote = Fraction(float(one)) * 2, Fraction(float(one))
    ones = np.full((2, width), float(one))
    weights = Weights.from_arrays(ones, ones, ones.T.copy())
    off = u * reach
    most, gamma = reach + off, (width + 2) * u / (1 - (width + 2) * u)
    formula = width * off * vote + gamma * width * most * vote + Fraction(8 * (width + 1), 2**1074)
    assert formula <= Fraction(_error(weights)) <= formula * (1 + Fraction(1, 2**26))
    for terms in (1, 2**20, 2**23, 2**30):
        lost = (1 - u) ** 30 * (1 - (terms * u))  # no larger than what is left after so many roundings: (1 - u)^k >= 1 - k u
        assert Fraction(inflate(terms)) * lost >= 1


def test_mistakes_in_sets(claim, planted_s4):
    subject, _ = planted_s4
    for sets in (((1, 2), (2, 3)), ((99,),), ((),)):
        with pytest.raises(Mistake, match=r"^expected (every neuron in one circuit|neurons from 0 to|the numbers of neurons)"):
            claim("circuits", sets=sets).decide(subject)


def test_dead_neurons_are_in_no_circuit_and_none_is_needed(claim, planted_s4):
    """A circuit of dead neurons is not needed; the whole network is."""
    subject, _ = planted_s4
    dead = tuple(int(i) for i in np.flatnonzero(subject.dead))
    assert dead
    outcome = claim("circuits", sets=(dead,)).decide(subject)
    assert outcome.verdict == "REFUTED"
    assert outcome.counterexample["not needed"] == [list(dead)]
    assert claim("circuits", sets=(tuple(range(subject.weights.width)),)).decide(subject).verdict == "PROVED"
    found = claim("circuits").decide(subject)
    assert not {i for row in found.figures["needed"] for i in row["neurons"]} & set(dead)


@pytest.mark.parametrize("name", ["S4", "A4", "S5"])
def test_shares_by_characters_are_those_of_the_matrices(name):
    group = parse_group(name)
    functions = np.random.default_rng(1).normal(size=(group.order, 3))
    by_matrices = dict(
        zip([row.name for row in _irreps(group)], power_share(group, (functions - functions.mean(axis=0)).T), strict=True)
    )
    for one, share in zip(isotypics(group), shares(group, functions), strict=True):
        assert share == pytest.approx(sum(by_matrices[n] for n in one.name.split(" and ")))


def _irreps(group):
    from algebra.characters.irrep import irreps

    return irreps(group)


def test_complex_irreps_go_with_their_conjugates():
    """On a cyclic group the parts are frequencies, whose shares the discrete Fourier transform gives."""
    group = parse_group("C7")
    assert [len(one.rows) for one in isotypics(group)] == [2, 2, 2]
    f = np.random.default_rng(0).normal(size=(7, 1))
    generator = group.index_of(group.generators[0])
    order = [0]
    while len(order) < 7:
        order.append(int(group.mul[order[-1], generator]))
    power = np.abs(np.fft.fft(f[order, 0] - f.mean())) ** 2
    wanted = sorted(2 * power[k] / power.sum() for k in (1, 2, 3))
    assert sorted(shares(group, f)[:, 0]) == pytest.approx(wanted)


def test_sizes_of_rho_sets():
    """S5 as Wu et al., appendix H, list them, but for (3,2), which S3 x S2 of index 10 fixes a vector of; S6 by its exotic points."""
    for name, wanted in {
        "S5": {"(4,1)": 5, "(3,2)": 10, "(3,1,1)": 20, "(2,2,1)": 6, "(2,1,1,1)": 10, "(1,1,1,1,1)": 2},
        "Q8": {"X2": 2, "X3": 2, "X4": 2, "X5": 8},
        "D8": {"X5": 4},
    }.items():
        group = parse_group(name)
        found = dict(zip([one.name for one in isotypics(group)], rho_set_sizes(subgroups(group)), strict=True))
        assert wanted.items() <= found.items()


def test_a_neuron_lives_where_it_was_planted(claim):
    """Votes, L and R of the point stabiliser's functions lie on the standard irrep."""
    group = parse_group("S4")
    standard = (group.elements == 0).astype(float)
    subject = Subject(analyse((standard, -standard, standard.T), group, order="lexicographic", product="left-first"))
    got = {level: claim("irrep use", level=level).decide(subject) for level in ("neurons", "count", "order")}
    assert got["neurons"].figure == 1
    assert got["count"].figure == 1
    energy = {name: row["energy"] for name, row in got["count"].figures["irreps"].items()}
    assert energy == {"(3,1)": 1, "(2,2)": 0, "(2,1,1)": 0, "(1,1,1,1)": 0}
    assert claim("irrep use", level="energy", irreps=("(3,1)",)).decide(subject).figure == 1
    assert claim("irrep use", level="full").decide(subject).figure == 0
    wide = claim("irrep use", level="used", wide=True).decide(subject)
    assert wide.verdict == "SKIPPED"
    assert "at least 126 neurons" in wide.finding


def test_rank_correlation_with_ties():
    assert rank_correlation(np.array([1.0, 2.0, 3.0]), np.array([9.0, 4.0, 1.0])) == pytest.approx(-1)
    assert rank_correlation(np.array([1.0, 1.0, 2.0, 3.0]), np.array([1.0, 2.0, 3.0, 4.0])) == pytest.approx(0.9486832980505138)


def test_irreps_are_named_where_they_are_asked_for(claim):
    for keys in ({"level": "energy"}, {"level": "used", "irreps": ("(3,1)",)}):
        with pytest.raises(Mistake, match=r"^expected irreps with level"):
            claim("irrep use", **keys).check()


@pytest.mark.parametrize("kind", ["concentrated", "subgroup classes", "irrep use", "circuits"])
def test_a_group_of_prime_order_has_no_cosets_to_look_at(claim, kind):
    """Nothing concentrates on the cosets of no subgroup; each live neuron is a circuit of its own."""
    rng = np.random.default_rng(0)
    network = tuple(rng.normal(size=shape) for shape in ((7, 5), (7, 5), (5, 7)))
    subject = Subject(analyse(network, "C7", order="lexicographic", product="left-first"))
    keys = {"irrep use": {"level": "count", "of": "inputs"}, "subgroup classes": {}, "concentrated": {"at_least": 0.5}, "circuits": {}}
    outcome = claim(kind, **keys[kind]).decide(subject)
    assert outcome.verdict == ("REFUTED" if kind == "concentrated" else "MEASURED")
    assert kind != "circuits" or outcome.figures["circuits"] == int((~subject.dead).sum())
