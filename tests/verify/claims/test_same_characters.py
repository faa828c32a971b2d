"""The script that trains on groups with the same character table: its tables, its measures, and what follows from the groups."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from algebra.group import parse_group
from algebra.lattice import subgroups
from net.weights import dead_neurons
from verify import analyse
from verify.claims.subject import Subject

ROOT = Path(__file__).parents[3]
SCRIPT = ROOT / "scripts" / "same_characters.py"


def test_the_pairs_have_the_same_tables_and_are_not_isomorphic(script):
    for pair in script.PAIRS:
        first, second = (parse_group(name) for _, name in pair.groups)
        assert script.same_characters(first, second)
        orders = [np.bincount(group.element_orders, minlength=105).tolist() for group in (first, second)]
        assert orders[0] != orders[1]
    assert not script.same_characters(parse_group("D8"), parse_group("C8"))
    assert not script.same_characters(parse_group("D12"), parse_group("Dic3"))


def test_the_page_states_the_settings_of_the_script(script):
    """A row of the page's first table for each pair, with its seeds, batch and steps."""
    rows = [line for line in script.PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    for pair in script.PAIRS:
        share = "all pairs" if pair.fraction == 1 else f"{pair.fraction:.0%}".replace("%", " %")
        ending = f"| {share} | 1-{pair.seeds} | {script.WIDTH} | {pair.batch} | {pair.steps:,} |"
        assert any(row.startswith(f"| {pair.name} |") and row.endswith(ending) for row in rows)


def test_where_the_pairs_differ(script):
    """What the page says of subgroups without z: none in Q8 and Q16, C13 in Dic26, reflections, orders 4 and 2 in the 2^(1+4)."""
    most = {}
    for name in ("D8", "Q8", "D16", "Q16", "D104", "Dic26", script.PLUS, script.MINUS):
        group = parse_group(name)
        z = script.central_involution(group)
        assert int(group.mul[z, z]) == 0
        most[name] = max(h.order for h in subgroups(group).all if not h.mask[z])
    assert most == {"D8": 2, "Q8": 1, "D16": 2, "Q16": 1, "D104": 26, "Dic26": 13, script.PLUS: 4, script.MINUS: 2}


def test_odd_shares_by_definition(script):
    group = parse_group("D8")
    rng = np.random.default_rng(2)
    f = rng.normal(size=(8, 3))
    z = next(g for g in range(1, 8) if all(group.mul[g, h] == group.mul[h, g] for h in range(8)))
    for i, share in enumerate(script.odd_share(group, f)):
        odd = [(f[g, i] - f[group.mul[z, g], i]) / 2 for g in range(8)]
        assert share == pytest.approx(np.sum(np.square(odd)) / np.sum((f[:, i] - f[:, i].mean()) ** 2))


def test_equal_halves_are_rank_one(script):
    """Functions tr(A rho(g)) on D8 with A of rank one have equal halves; a rotation as A has all on rotations."""
    group = parse_group("D8")
    corners = np.array([[1, 0], [0, 1], [-1, 0], [0, -1]])
    square = group.elements  # images of the corners in a row round the square
    matrices = np.stack([np.linalg.lstsq(corners.astype(float), corners[row].astype(float), rcond=None)[0] for row in square])
    one = np.einsum("gij,i,j->g", matrices, [1.0, 2.0], [3.0, -1.0])
    turn = np.einsum("gii->g", matrices)
    everything = np.ones(1, dtype=bool)
    assert script.halves(group, one[:, None], one[:, None], everything) == 1.0
    assert script.halves(group, turn[:, None], turn[:, None], everything) == 0.0
    assert script.halves(parse_group("C2xC2"), np.zeros((4, 1)), np.zeros((4, 1)), np.zeros(1, dtype=bool)) is None


@pytest.mark.parametrize("name", ["D16", "Q16"])
def test_planted_coset_neurons_are_found(script, name):
    """All of them, by the definition over every subgroup; in Q16 none is odd."""
    group = parse_group(name)
    rng = np.random.default_rng(1)
    chosen = [h for h in subgroups(group).all if 1 < h.order < 16]
    left = np.column_stack([rng.normal(size=h.index)[h.right_cosets.labels] for h in chosen] + [rng.normal(size=16)] * 2)
    right = np.column_stack([rng.normal(size=h.index)[h.left_cosets.labels] for h in chosen[::-1]] + [rng.normal(size=16)] * 2)
    votes = rng.normal(size=(left.shape[1], 16))
    subject = Subject(analyse((left, right, votes), name, order="lexicographic", product="left-first"))
    weights = subject.weights
    dead = dead_neurons(weights)
    found = script.on_cosets(subject)
    for i in np.flatnonzero(~dead):
        fits = []
        for of, side in ((weights.L, "right_cosets"), (weights.R, "left_cosets")):
            f = of[:, i]
            spread = [
                max(np.ptp(f[getattr(h, side).labels == c]) for c in range(h.index)) for h in subject.lattice.all if 1 < h.order < 16
            ]
            fits.append(min(spread) <= 2 * script.WITHIN * np.ptp(f))
        assert found[i] == all(fits)
    assert found[~dead].any()
    if name == "Q16":
        odd = np.minimum(script.odd_share(group, weights.L), script.odd_share(group, weights.R)) >= 0.5
        assert not (odd & found & ~dead).any()


def test_verdicts_count_pairs(script):
    """A prediction that holds of one pair of two says so, and says the medians."""
    keys = {key for key, _, _ in script.TABLE}
    row = dict.fromkeys(keys, 0.5)
    found = {"16": {"a": [row], "b": [row | {"fve": 0.7}]}, "32": {"a": [row], "b": [row]}}
    lines = list(script.verdicts(found))
    assert any(
        line.startswith("| C2, in all") and "| in 1 of 2 pairs | 16: 0.5 and 0.7 (no); 32: 0.5 and 0.5 |" in line for line in lines
    )
    assert len(list(itertools.chain(script.table(found)))) == len(script.TABLE) + 2
