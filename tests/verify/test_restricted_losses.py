"""Losses restricted to some irreps and without them, on networks in which floats lose the logits: the true ones, or none."""

from fractions import Fraction

import numpy as np
import pytest

from algebra.characters.character_table import character_table
from algebra.group import FiniteGroup, parse_group
from net.folded import folded_network
from net.planted import planted_network
from net.weights import Weights
from verify.claims.representation_claims import Gcr
from verify.claims.subject import Subject
from verify.compare import restricted
from verify.compare.bounded_logits import BoundedLogits
from verify.compare.restricted import kept_function, restricted_excluded

NAMES = {"S3": ("(2,1)",), "S4": ("(3,1)", "(2,1,1)"), "C5": ("X2", "X5")}


def cancelling(weights: Weights, times: float) -> Weights:
    """The network with two neurons more, whose votes are opposite."""
    rng, n = np.random.default_rng(2), weights.order
    left, right, votes = rng.standard_normal((n, 1)), rng.standard_normal((n, 1)), times * rng.standard_normal((1, n))
    sides = [np.hstack([old, new, new]) for old, new in ((weights.L, left), (weights.R, right))]
    return Weights.from_arrays(sides[0], sides[1], np.vstack([weights.U, votes, -votes]), weights.b)


def exact_phi(weights: Weights, group: FiniteGroup, names: tuple[str, ...]) -> list[Fraction]:
    """Real part of 1 / n^3 times the sum over rho, a, b, c of logits(a, b)[c] conj(chi(abc^-1)) chi(g), from fractions.

    The values of characters are rounded to 2^-45 or so of themselves, unless they are integers.
    """
    e, n, table = weights.exact(), group.order, character_table(group)
    hidden = e.L[:, None] + e.R
    hidden = hidden * (hidden > 0) if weights.activation == "relu" else hidden * hidden
    logits = hidden @ e.U + e.b
    per_class = [0] * len(group.conjugacy_classes)
    for a in range(n):
        for b in range(n):
            for c in range(n):
                per_class[group.class_of[group.mul[group.mul[a, b], group.inv[c]]]] += logits[a, b, c]
    found = [Fraction(0)] * n
    for name in names:
        values = [(Fraction(float(v.real)), Fraction(float(v.imag))) for v in table.values[table.names.index(name)]]
        re = sum(p * v[0] for p, v in zip(per_class, values, strict=True))
        im = -sum(p * v[1] for p, v in zip(per_class, values, strict=True))
        for g in range(n):
            x, y = values[group.class_of[g]]
            found[g] += (re * x - im * y) / (n**3 << e.logit_bits)
    return found


@pytest.mark.parametrize("times", [1.0, 1e12, 1e30])
@pytest.mark.parametrize("name", ["S3", "S4"])
def test_neurons_that_cancel_change_no_loss(name: str, times: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Integers know the losses; floats alone know them or say that they do not, at 1e12 and beyond."""
    group = parse_group(name)
    plain = planted_network(group, seed=3, width=40, noise=0.1).network
    network = folded_network(group, cancelling(plain.weights, times))
    expected = restricted_excluded(plain, NAMES[name])
    assert not np.isnan(expected).any()
    assert restricted_excluded(network, NAMES[name]) == pytest.approx(expected, rel=1e-6)
    claims = [Gcr(irreps=NAMES[name], level=level) for level in ("restricted loss", "excluded loss")]
    assert {claim.decide(Subject(network)).verdict for claim in claims} == {"MEASURED"}

    monkeypatch.setattr(restricted, "WORK", 0)
    monkeypatch.setattr(BoundedLogits.blocks, "__defaults__", (0,))
    assert restricted_excluded(plain, NAMES[name]) == pytest.approx(expected, rel=1e-6)
    found = restricted_excluded(network, NAMES[name])
    if times == 1:
        assert found == pytest.approx(expected, rel=1e-6)
    else:
        assert np.isnan(found).all()
        for claim in claims:
            told = claim.decide(Subject(network))
            assert (told.verdict, told.figure) == ("UNKNOWN", None)
            assert "not known" in told.finding


def test_a_bound_holds_every_error_of_the_part_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Against fractions, with and without integers, on networks of every size, squares, errors and large biases."""
    rng, worst = np.random.default_rng(5), {True: 0.0, False: 0.0}
    for trial in range(40):
        group = parse_group(("S3", "C5")[trial % 2])
        n = group.order
        left, right, votes = (rng.standard_normal(shape) for shape in ((n, 4), (n, 4), (4, n)))
        scales = 2.0 ** rng.choice([-60, 0, 60], 2)
        bias = rng.standard_normal(n) * 10.0 ** int(rng.choice([-9, 0, 9]))
        weights = Weights.from_arrays(left * scales[0], right * scales[0], votes * scales[1], bias * scales.prod())
        if trial % 3 == 0:
            weights = cancelling(weights, 1e6)
        elif trial % 3 == 1:
            weights = Weights.from_arrays(left, right, votes, bias, activation="square")
        else:
            digits = [np.array([[int(v * 10**30) for v in row] for row in a.tolist()], dtype=object) for a in (left, right, votes)]
            weights = Weights.from_integers(digits[0], digits[1], digits[2], None, 90, 99)
        true = exact_phi(weights, group, NAMES[group.name])
        for integers in (True, False):
            monkeypatch.setattr(restricted, "WORK", (1 << 24) * integers)
            monkeypatch.setattr(restricted, "LOST", 0.0)
            phi, off = kept_function(weights, group, NAMES[group.name])
            assert np.isfinite(off)
            for one, other in zip(phi.tolist(), true, strict=True):
                assert abs(Fraction(one) - other) <= Fraction(off)
            distance = max(float(abs(Fraction(one) - other)) for one, other in zip(phi.tolist(), true, strict=True))
            worst[integers] = max(worst[integers], distance / off)
    assert worst[True] > 1e-4
    assert worst[False] > 1e-4
