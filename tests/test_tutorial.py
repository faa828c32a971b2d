"""docs/tutorial.ipynb runs from top to bottom, and its picture shows what the text beside it says."""

import json
from pathlib import Path

import numpy as np
import pytest

NOTEBOOK = Path(__file__).parent.parent / "docs" / "tutorial.ipynb"


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """The names that the notebook's cells leave behind, run in a folder of their own."""
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    names = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("tutorial"))
        for cell in cells:
            if cell["cell_type"] == "code":
                exec(compile("".join(cell["source"]), "tutorial.ipynb", "exec"), names)
        names["folder"] = Path.cwd()
    return names


def test_the_cells_hold_no_outputs_that_could_be_old():
    """Outputs are made by whoever runs the notebook."""
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]

    assert all(cell["outputs"] == [] for cell in cells if cell["cell_type"] == "code")
    assert sum(cell["cell_type"] == "code" for cell in cells) > 10


def test_the_picture_is_there_and_sorted_by_coset(ran):
    """Rows are whole right cosets of H and columns whole left cosets of K, each element once."""
    H, K, mul = ran["H"], ran["K"], ran["a"].group.mul
    for rows, coset in ((ran["rows"].reshape(H.index, -1), H.right_cosets), (ran["columns"].reshape(K.index, -1), K.left_cosets)):
        assert [len({*coset.labels[row].tolist()}) for row in rows] == [1] * len(rows)
    assert sorted(ran["rows"].tolist()) == list(range(len(mul)))
    assert (ran["folder"] / "neuron.png").stat().st_size > 5000


def test_the_two_halves_cancel_where_xy_lies_in_the_shared_coset(ran):
    """The sentence above the picture: some coset D = Hg = gK has |L[x] + R[y]| small for all xy in D, against the whole range."""
    from algebra.action import shared_cosets

    a, i = ran["a"], ran["neuron"].index
    sums = a.network.weights.L[:, i][:, None] + a.network.weights.R[:, i]
    least = min(np.abs(sums[np.isin(a.group.mul, coset)]).max() for coset in shared_cosets(ran["H"], ran["K"]))

    assert least < 0.1 * np.ptp(sums)
