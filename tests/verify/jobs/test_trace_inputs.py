"""`verify trace` states nothing false: one run, steps, seeds and shares that are known, and words for what is not."""

from __future__ import annotations

import json
from decimal import Decimal, localcontext
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from algebra.group import parse_group
from net.formats.container import read_contents
from net.formats.own import record_of, write_safetensors
from net.planted import planted_network
from reports.trace_figure import draw_trace
from verify.cli import execute
from verify.jobs.snapshot import named_step, part_of, snapshot
from verify.jobs.trace import markdown, trace

JSON = dict[str, Any]


def planted(path: Path, group: str, width: int = 24, scale: int = 0, seed: int = 1, votes: float = 1.0) -> Path:
    """A network that is right on every pair, its L, R and U times 2^scale, U times ``votes`` as well."""
    path.parent.mkdir(exist_ok=True)
    weights = planted_network(parse_group(group), seed=seed, width=width).network.weights
    arrays = {"L": weights.L, "R": weights.R, "U": weights.U * votes}
    write_safetensors(path, {name: np.ldexp(array, scale) for name, array in arrays.items()}, {})
    return path


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network trained over S3 for ten steps."""
    path = tmp_path_factory.mktemp("trained") / "net.safetensors"
    options = ["--width", "12", "--embed", "8", "--batch", "18", "--steps", "10", "--quiet"]
    assert execute(["train", "--group", "S3", *options, "--out", str(path)]) == 0
    return path


def stating(trained: Path, path: Path, config: JSON | None = None, **record: object) -> Path:
    """The trained network in a file that states something else."""
    contents = read_contents(trained.read_bytes())
    stated = record_of(contents.metadata)
    settings = stated["config"]
    assert isinstance(settings, dict)
    stated |= record | {"config": settings | (config or {})}
    path.parent.mkdir(exist_ok=True)
    write_safetensors(path, {name: tensor.array() for name, tensor in contents.tensors.items()}, stated)
    return path


def refused(folder: Path, capsys: pytest.CaptureFixture[str], *more: str) -> str:
    """The one sentence on stderr of a trace that is refused, and that leaves nothing behind."""
    capsys.readouterr()
    before = sorted(folder.parent.rglob("*"))
    assert execute(["trace", str(folder), "--quiet", *more]) == 4
    assert sorted(folder.parent.rglob("*")) == before
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    return said.err


def test_networks_of_two_groups_are_no_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    planted(tmp_path / "run" / "10.safetensors", "S3")
    planted(tmp_path / "run" / "20.safetensors", "S4", width=40)
    assert "got networks of the groups S3, S4: name the folder, or the file, of one run" in refused(tmp_path / "run", capsys)


def test_networks_of_two_widths_are_no_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    planted(tmp_path / "run" / "10.safetensors", "S3")
    planted(tmp_path / "run" / "20.safetensors", "S3", width=30)
    assert "got networks of 24, 30 hidden neurons: name" in refused(tmp_path / "run", capsys)


def test_networks_of_two_seeds_are_no_run(trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stating(trained, tmp_path / "run" / "a.safetensors", {"seed": 3}, step=10)
    stating(trained, tmp_path / "run" / "b.safetensors", {"seed": 4}, step=20)
    assert "got networks of the seeds 3, 4: name" in refused(tmp_path / "run", capsys)
    stating(trained, tmp_path / "run" / "b.safetensors", {"seed": 3}, step=20)
    assert [row["step"] for row in trace(tmp_path / "run")] == [10, 20]


def test_two_networks_at_one_step_are_no_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    planted(tmp_path / "run" / "010.safetensors", "S3")
    (tmp_path / "run" / "other").mkdir()
    planted(tmp_path / "run" / "other" / "10.safetensors", "S3", seed=2)
    said = refused(tmp_path / "run", capsys)
    assert "got 010.safetensors and other/10.safetensors at step 10: name" in said
    planted(tmp_path / "run" / "other" / "20.safetensors", "S3", seed=2)
    (tmp_path / "run" / "other" / "10.safetensors").unlink()
    assert [row["file"] for row in trace(tmp_path / "run")] == ["010.safetensors", "other/20.safetensors"]


@pytest.mark.parametrize(("step", "shown"), [(True, "true"), (-5, "-5"), (2**53, "one beyond that"), (10**30, "one beyond that")])
def test_what_is_no_step_is_refused(trained: Path, tmp_path: Path, step: int, shown: str, capsys: pytest.CaptureFixture[str]) -> None:
    stating(trained, tmp_path / "run" / "7.safetensors", step=step)
    assert f"expected a step from 0 to 2^53 - 1 in the file, got {shown}\n" in refused(tmp_path / "run", capsys)


def test_steps_of_a_file_that_are_none_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch = pytest.importorskip("torch")
    states = [{"w": torch.zeros(1)}, {"w": torch.ones(1)}]
    (tmp_path / "run").mkdir()
    for second, shown in ((-1, "-1"), (10**400, "one beyond that")):
        torch.save({"checkpoints": states, "checkpoint_epochs": [0, second]}, tmp_path / "run" / "full_run.pth")
        assert f"expected a step from 0 to 2^53 - 1 in full_run.pth, got {shown}\n" in refused(tmp_path / "run", capsys)


def test_names_tell_steps_and_nothing_else_does() -> None:
    told = {"0000020": 20, "epoch_100": 100, "S5-seed1-step20": 20, "Checkpoint-7": 7, "steps300": 300, "100": 100, "0" * 40: 0}
    assert {name: named_step(Path(f"{name}.pt")) for name in told} == told
    assert named_step(Path(f"{2**53 - 1}.pt")) == 2**53 - 1
    for name in (
        "S5-seed1",
        "S5",
        "S3xS3",
        "S5_MLP_hidden_dim_32",
        "run-2",
        "D118.final",
        "model",
        str(2**53),
        "9" * 300,
        "step" + "9" * 300,
    ):
        assert named_step(Path(f"{name}.pt")) is None, name


def test_nothing_is_said_of_when_where_no_step_is_known(tmp_path: Path) -> None:
    """The number of a seed in a name is no step; all pairs are right, so that "at no snapshot" would be false."""
    planted(tmp_path / "run" / "S3-seed1.safetensors", "S3")
    text = markdown(trace(tmp_path / "run"))
    assert "| not known | not known | not known | 100 % |" in text
    assert text.endswith("No snapshot's step is known, so nothing is said of when what happened.\n")


NO_SETTINGS = [{"seed": -1}, {"seed": True}, {"seed": 2**64}, {"fraction": float("nan")}, {"fraction": 1e308}]


@pytest.mark.parametrize("config", NO_SETTINGS)
def test_settings_that_no_run_has_tell_no_split(
    trained: Path, tmp_path: Path, config: JSON, capsys: pytest.CaptureFixture[str]
) -> None:
    stating(trained, tmp_path / "run" / "7.safetensors", config)
    assert execute(["trace", str(tmp_path / "run"), "--quiet"]) == 0
    said = capsys.readouterr().out
    assert "| 10 | not known | not known |" in said
    assert "Held-out pairs: there are none, or it is not known which they are." in said


def test_where_no_pair_is_held_out_none_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "nets" / "net.safetensors"
    path.parent.mkdir()
    options = ["--width", "12", "--embed", "8", "--batch", "18", "--steps", "4", "--fraction", "1", "--keep-every", "2", "--quiet"]
    assert execute(["train", "--group", "S3", *options, "--out", str(path)]) == 0
    steps = path.with_name("net.safetensors.steps")
    capsys.readouterr()
    assert execute(["trace", str(steps), "--quiet"]) == 0
    said = capsys.readouterr().out
    assert said.count("| no pairs |") == 3
    assert "Half of" not in said
    held = drawn(trace(steps))["held out"]
    assert len(held) == 3
    assert np.isnan(held).all()


def drawn(rows: list[JSON]) -> dict[str, list[float]]:
    """The lines of the figure by their labels."""
    lines: dict[str, list[float]] = {}
    with pytest.MonkeyPatch.context() as patch:

        def keep(figure: Figure, *_: object, **__: object) -> None:
            for axes in figure.axes:
                lines.update({str(line.get_label()): np.asarray(line.get_ydata()).tolist() for line in axes.lines})
                lines.update({str(text.get_text()): [] for text in axes.texts})

        patch.setattr(Figure, "savefig", keep)
        draw_trace(rows, Path("unused.svg"))
    return lines


def test_irreps_that_were_not_measured_are_not_none(tmp_path: Path) -> None:
    """D8 has irreps, and no names for them here."""
    planted(tmp_path / "run" / "10.safetensors", "D8")
    rows = trace(tmp_path / "run", "D8")
    assert "Irreps: not measured at any snapshot." in markdown(rows)
    assert "not measured" in drawn(rows)
    assert "5 % of the energy for the first time: none" not in markdown(rows)


def test_a_network_without_energy_has_no_shares(tmp_path: Path) -> None:
    """A network that answers the same everywhere uses no neuron: the energy has no parts, and no class falls."""
    planted(tmp_path / "run" / "10.safetensors", "S3")
    planted(tmp_path / "run" / "20.safetensors", "S3", votes=0.0)
    planted(tmp_path / "run" / "30.safetensors", "S3")
    rows = trace(tmp_path / "run", "S3")
    assert [row.get("reason") for row in rows] == [None] * 3
    assert (rows[1]["labelled"], rows[1]["rank_one"], rows[1]["classes"], rows[1]["irreps"]) == (None, None, {}, {})
    text = markdown(rows)
    assert "| 20 | not known | not known | 0 % | none | 0 | not known | not known | not known | not known |" in text
    assert "Fallen below half of that again: none." in text


@pytest.mark.parametrize("seed", range(4))
def test_all_of_the_energy_is_one(seed: int, tmp_path: Path) -> None:
    """Every neuron of a planted network is labelled, and all are read through S2, whatever the order in which shares are added."""
    planted(tmp_path / "p.safetensors", "S3", width=23, seed=seed)
    row = snapshot(tmp_path / "p.safetensors", "S3", False)
    assert (row["labelled"], row["classes"]) == (1.0, {"S2": 1.0})
    assert row["rank_one"] <= 1


def test_shares_of_energy_are_all_or_nothing_only_where_they_are() -> None:
    assert part_of(np.full(10, 0.1), np.ones(10, dtype=bool)) == 1.0
    assert part_of(np.array([1.0, 1e-300]), np.array([True, False])) == 1 - 2.0**-53
    assert part_of(np.array([1.0, 5e-324]), np.array([False, True])) == 5e-324
    assert part_of(np.array([1.0, 0.0]), np.array([True, False])) == 1.0
    assert part_of(np.array([1.0, 0.0]), np.array([False, True])) == 0.0
    assert part_of(np.array([0.2, 0.3, 0.5]), np.array([True, True, False])) == 0.5


def test_one_wrong_pair_of_half_a_million_is_told() -> None:
    made = {"step": 5, "pairs": 518400, "right": 518399, "trained_pairs": 259200, "trained_right": 259200, "held_out_right": 259199}
    parts = {"labelled": 0.99999, "rank_one": 0.00001, "classes": {"S5": 0.99999}, "irreps": {"(5,1)": 0.00001}}
    text = markdown([made | parts | {"exact_min_margin": "1/3", "live": 1}])
    assert "| 5 | 100 % | over 99.9 % | over 99.9 % | 0.3333 | 1 | over 99.9 % | less than 0.1 % |" in text
    assert "| S5 over 99.9 % | (5,1) less than 0.1 % |" in text


@pytest.mark.parametrize("scale", [0, 400, 500, 511, 513, 520, -400, -500, -522, -535, -540])
def test_least_margins_of_any_size_are_exact(scale: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Logits grow by 2^(2 scale), which leaves float64 at 2^1000; where the float is not the margin, there is none."""
    planted(tmp_path / "one.safetensors", "S3")
    planted(tmp_path / "run" / "10.safetensors", "S3", scale=scale)
    one = Fraction(snapshot(tmp_path / "one.safetensors", "S3", False)["exact_min_margin"])
    assert execute(["trace", str(tmp_path / "run"), "--group", "S3", "--quiet"]) == 0
    (row,) = json.loads((tmp_path / "run.trace" / "trace.json").read_text())
    exact = one * Fraction(4) ** scale
    assert Fraction(row["exact_min_margin"]) == exact
    with localcontext(prec=30):
        digits = Decimal(exact.numerator) / Decimal(exact.denominator)
    assert row["min_margin"] == (float(exact) if 1e-323 < digits < Decimal("1.7e308") else None)
    told = capsys.readouterr().out.split("| 100 % | ")[1].split(" |")[0]
    assert abs(Decimal(told) / digits - 1) <= Decimal("0.0005")
    shown = drawn([row])["least margin"]
    assert shown == [float(exact)] if digits < Decimal("1e300") and row["min_margin"] else np.isnan(shown).all()


def test_the_folder_that_one_stands_in_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    planted(tmp_path / "run.steps" / "10.safetensors", "S3")
    monkeypatch.chdir(tmp_path / "run.steps")
    assert execute(["trace", ".", "--quiet"]) == 0
    page = (tmp_path / "run.steps.trace" / "trace.html").read_text()
    assert "1 snapshot of run." in page
