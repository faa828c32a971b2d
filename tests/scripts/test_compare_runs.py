"""`scripts/compare_runs.py` sees every difference that it speaks of, and none between equal folders."""

import json
import shutil
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "compare_runs.py"


@pytest.fixture
def runs(script, tmp_path):
    """Two folders with one run each, in which every figure that is compared has a value of its own."""
    summary: dict = {}
    for number, figure in enumerate(script.FIGURES):
        *path, last = figure.split(".")
        at = summary
        for key in path:
            at = at.setdefault(key, {})
        at[last] = number
    summary["correct"]["wrong"] = [[0, 1, -1]]
    program = {"preactivation_bits": 3, "vote_bits": 2, "bias": [], "circuits": [{"neurons": [1]}]}
    program["subgroups"] = [{"name": "H", "order": 2, "generators": ["(1 2)"]}]
    for side in ("before", "after"):
        (tmp_path / side / "net").mkdir(parents=True)
        (tmp_path / side / "net" / "summary.json").write_text(json.dumps(summary))
        (tmp_path / side / "net" / "program.json").write_text(json.dumps(program))
    return tmp_path / "before", tmp_path / "after"


def test_equal_folders_differ_in_nothing(script, runs, capsys):
    assert script.main(["compare", *map(str, runs)]) == 0
    assert "1 networks on both sides" in capsys.readouterr().out


def test_each_figure_is_looked_at(script, runs, capsys):
    file = runs[1] / "net" / "summary.json"
    for figure in script.FIGURES:
        original = json.loads(file.read_text())
        changed = json.loads(file.read_text())
        *path, last = figure.split(".")
        at = changed
        for key in path:
            at = at[key]
        at[last] = "other"
        file.write_text(json.dumps(changed))
        assert script.main(["compare", *map(str, runs)]) == 1
        assert f"| net | {figure} |" in capsys.readouterr().out
        file.write_text(json.dumps(original))


@pytest.mark.parametrize(("key", "value"), [("vote_bits", 5), ("circuits", []), ("subgroups", []), ("bias", [1])])
def test_programs_are_compared_number_by_number(script, runs, key, value, capsys):
    file = runs[1] / "net" / "program.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {key: value}))
    assert script.main(["compare", *map(str, runs)]) == 1
    assert "1 differences" in capsys.readouterr().out


def test_names_of_subgroups_and_further_entries_are_not(script, runs):
    file = runs[1] / "net" / "program.json"
    program = json.loads(file.read_text())
    program["subgroups"][0]["name"] = "another"
    program["format"] = "coset-voting program 2"
    file.write_text(json.dumps(program))
    assert script.main(["compare", *map(str, runs)]) == 0


def test_a_run_that_is_missing_is_a_difference_and_so_is_nothing_at_all(script, runs, tmp_path):
    shutil.rmtree(runs[1] / "net")
    assert script.main(["compare", *map(str, runs)]) == 1
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert script.main(["compare", str(tmp_path / "a"), str(tmp_path / "b")]) == 1
