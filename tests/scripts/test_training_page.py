"""`scripts/training_page.py` calls a share of nearly all by no name of all."""

from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "scripts" / "training_page.py"


def test_nearly_all_of_the_energy_is_not_all(script):
    runs = {"S5-a": [{"step": 1, "labelled": 0.99997}], "S5-b": [{"step": 1, "labelled": 1.0}]}
    found = {name: {"half": 1, "classes": {}} for name in runs}
    said = script._when(runs, found)
    assert said.endswith("at the last snapshot over 99.9 % to 100 %.")
    assert "hold over 99 % to 100 % of the energy (median over 99 %)" in said
