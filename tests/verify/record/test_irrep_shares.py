"""Which irreps the votes of neurons live on: by characters in any group, against matrix coefficients where these are known."""

from __future__ import annotations

import numpy as np
import pytest

import verify
from algebra.characters.fourier import power_share
from algebra.characters.irrep import irreps
from algebra.group import parse_group
from verify.record.neuron_rows import _character_shares


@pytest.mark.parametrize("name", ["S3", "S4", "A4", "A5"])
def test_shares_by_characters_are_those_of_matrix_coefficients(name):
    group, rng = parse_group(name), np.random.default_rng(3)
    votes = rng.standard_normal((4, group.order))
    votes -= votes.mean(axis=1, keepdims=True)
    names, shares = _character_shares(group, votes)
    expected = dict(zip([irrep.name for irrep in irreps(group)], power_share(group, votes), strict=True))

    for one, row in zip(names, shares, strict=True):
        assert np.allclose(row, sum(expected[part] for part in one.split(" and ")), atol=1e-9)


def test_waves_on_a_cyclic_group_have_their_frequency():
    """The cosine and sine of 2 pi k s / 7, s the shift of an element; a sum of two waves has both, by their squared amplitudes."""
    group = parse_group("C7")
    shift = group.elements[:, 0].astype(float)
    waves = np.stack([np.cos(2 * np.pi * 2 * shift / 7), np.sin(2 * np.pi * 3 * shift / 7)])
    votes = np.stack([waves[0], waves[1], 2 * waves[0] + waves[1]])
    names, shares = _character_shares(group, votes)
    found = dict(zip(names, shares, strict=True))

    assert set(names) == {f"frequency {k}" for k in range(4)}
    assert np.allclose(found["frequency 2"], [1, 0, 0.8])
    assert np.allclose(found["frequency 3"], [0, 1, 0.2])


def test_a_report_over_prime_order_says_that_cosets_explain_nothing(tmp_path):
    """Logit z = 2 z s - z^2 for s = x + y mod 5 = p - 5 (relu(p - 4) - relu(p - 5)), p = x + y: right, and about no cosets."""
    group = parse_group("C5")
    shift = group.elements[:, 0].astype(float)
    L, R = np.stack([shift] * 3, axis=1), np.stack([shift, shift - 4, shift - 5], axis=1)
    U = np.stack([2 * shift, -10 * shift, 10 * shift])
    analysis = verify.analyse((L, R, U, -(shift**2)), group="C5", timeout_s=0)
    text = (analysis.write(tmp_path / "run") / "report.md").read_text()

    assert analysis.correct.right == 25
    assert analysis.summary.explained.words.startswith("not explained: a group of prime order")
    assert "cosets cannot explain anything here" in text
    assert "frequency" in text
