"""`verify neuron` and `verify sweep`: pages and tables about real files."""

import json
import re

import pytest

from algebra.coset_space import Side
from algebra.group import parse_group
from algebra.lattice import subgroups
from net.formats.folded_arrays import save_folded
from net.planted import planted_network
from net.units import Units
from verify.analysis import Analysis
from verify.cli import execute
from verify.compare.concentration import concentration
from verify.jobs import run as jobs_run
from verify.jobs.neuron_page import neuron_page

S4 = parse_group("S4")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    path = tmp_path_factory.mktemp("networks") / "planted.safetensors"
    planted = planted_network(S4, seed=1, width=40, kinds={"dead": 1})
    save_folded(path, planted.network.weights)
    return path, planted.neurons


def test_neuron_page_names_the_planted_subgroups(checkpoint, capsys):
    """The page of a coset neuron states its kind and explains all of its variance; a dead one is called dead."""
    path, truth = checkpoint
    for kind in ("coset", "dead"):
        index = next(i for i, neuron in enumerate(truth) if neuron.kind == kind)

        assert execute(["neuron", str(index), "--checkpoint", str(path), "--group", "S4"]) == 0
        page = capsys.readouterr().out
        assert f"- kind: {kind}" in page
        if kind == "dead":
            assert "answers changed: 0 (exact)" in page
        else:
            read = f"right cosets of {subgroups(truth[index].left.group).label_of(truth[index].left)}: "
            assert any(f"{read}{share} of the variance" in page for share in ("100 %", "over 99.9999 %"))


def test_neuron_beyond_the_last_is_wrong_usage(checkpoint):
    assert execute(["neuron", "40", "--checkpoint", str(checkpoint[0]), "--group", "S4"]) == 2


@pytest.fixture
def small(tmp_path_factory):
    """A right network over S3, for whole runs."""
    path = tmp_path_factory.mktemp("small") / "planted.safetensors"
    save_folded(path, planted_network(parse_group("S3"), seed=1, width=18).network.weights)
    return path


def test_sweep_has_a_row_for_each_and_says_why_one_is_refused(small, tmp_path, capsys):
    path = small
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(path.read_bytes()[:100])

    assert execute(["sweep", str(path), str(broken), "--group", "S3", "--timeout", "0", "--out", str(tmp_path / "out")]) == 4
    rows = json.loads((tmp_path / "out" / "sweep.json").read_text())
    assert [row["verdict"] for row in rows] == ["VERIFIED", "REFUSED"]
    assert (rows[0]["right"], rows[0]["agree"]) == (36, 36)
    assert capsys.readouterr().out == (tmp_path / "out" / "sweep.md").read_text()


def test_an_internal_error_ends_one_row_and_not_the_sweep(small, tmp_path, monkeypatch, capsys):
    """The other networks have their rows, those that were finished are on disk by then, and the failed one says why."""
    path = small
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.safetensors").write_bytes(path.read_bytes())
    out, seen = tmp_path / "out", []

    def run(file, group, where, timeout_s, how):
        table = out / "sweep.json"
        seen.append([row["name"] for row in json.loads(table.read_text())] if table.exists() else None)
        if file.stem == "b":
            raise ZeroDivisionError("oops")
        return original(file, group, where, timeout_s=timeout_s, how=how)

    original = jobs_run.run
    monkeypatch.setattr(jobs_run, "run", run)

    assert execute(["sweep", str(tmp_path), "--group", "S3", "--timeout", "0", "--out", str(out), "--quiet"]) == 5
    rows = json.loads((out / "sweep.json").read_text())
    assert [row["verdict"] for row in rows] == ["VERIFIED", "FAILED", "VERIFIED"]
    assert rows[1]["reason"] == "internal error: ZeroDivisionError: oops"
    assert seen == [None, ["a"], ["a", "b"]]
    assert "internal error: ZeroDivisionError: oops" in capsys.readouterr().out


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("inputs", "votes"), [(0, 900), (-500, -500)])
def test_neuron_page_of_a_network_of_any_size(tmp_path, capsys, inputs, votes):
    """Powers of two change the values on a page, and no share, rate or count."""
    weights, pages = planted_network(parse_group("S3"), seed=1, width=18).network.weights, []
    for units in (Units.of(18, 0, 0), Units.of(18, inputs, votes)):
        save_folded(tmp_path / "net.safetensors", weights.scaled(units))
        assert execute(["neuron", "0", "--checkpoint", str(tmp_path / "net.safetensors"), "--group", "S3"]) == 0
        pages.append(
            [line for line in capsys.readouterr().out.splitlines() if "%" in line or "cosets |" in line or "right before" in line]
        )
    assert pages[0] == pages[1]
    assert len(pages[0]) >= 7


@pytest.mark.parametrize("side", ["left", "right"])
def test_coset_concentrations_of_a_page_are_those_of_claims(side: Side) -> None:
    """C_H of each subgroup named lies within its proved bounds, is among the three least, and is no share times the index."""
    analysis = Analysis(planted_network(S4, seed=1, width=48, noise=0.01).network)
    rows = re.findall(rf"^\| {side} \| (.*?) \| (\S+) \| (\S+) \|$", neuron_page(analysis, 3), re.MULTILINE)
    found = concentration(analysis.lattice, analysis.weights.L[:, [3]], analysis.weights.L_error[[3]], side)
    bounds = {
        analysis.lattice.label_of(analysis.lattice.all[h]): (float(low), float(high))
        for h, low, high in zip(found.subgroup, found.low[:, 0], found.high[:, 0], strict=True)
    }

    assert len(rows) == 6  # three for x, three for y
    for name, value, left_over in rows[:3]:
        low, high = bounds[name]
        index = 24 // analysis.lattice.by_name(name).order
        assert low * 0.99 <= float(value) <= high * 1.01
        assert float(value) <= sorted(high for _, high in bounds.values())[2] * 1.01
        assert float(value) / index == pytest.approx(float(left_over) * 23 / (24 - index), rel=0.02)
