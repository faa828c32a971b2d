"""`scripts/mechanism_tables.py` measures the bundled S5 network as its page says."""

from pathlib import Path

import numpy as np

from algebra.group import parse_group
from net.bundled import bundled_checkpoint
from net.planted import PlantedNetwork, planted_rank_one

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts" / "mechanism_tables.py"


def test_the_page_has_the_rows_of_the_bundled_network(script, capsys):
    """Every row of the bundled network stands in docs/mechanism.md, under its name there."""
    assert script.main([str(bundled_checkpoint("S5"))]) == 0
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| S5 |")]
    page = (ROOT / "docs" / "mechanism.md").read_text(encoding="utf-8")
    assert len(rows) == 5
    for row in rows:
        assert row.replace("| S5 |", "| bundled S5 |") in page


def test_planted_neurons_are_placed_on_their_points(script):
    planted: PlantedNetwork = planted_rank_one(parse_group("S5"), 2, 30)
    found = script.measured("planted", planted.network)
    truth = [neuron.rank_one for neuron in planted.neurons]
    assert len(found.placed) == len(truth)
    assert [where.kernel is None for where, _, _, _ in found.placed] == [one.kernel is None for one in truth]
    assert all(where.points.count == 5 for where, _, _, _ in found.placed)
    assert np.min(found.fit.rank_one) > 0.999
