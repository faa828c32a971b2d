"""`verify trace`: a run's snapshots, and what happened when."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from algebra.characters.irrep import irreps
from algebra.group import parse_group
from net.formats.folded_arrays import save_folded
from net.planted import planted_network
from verify import analyse
from verify.cli import execute
from verify.jobs.snapshot import _irrep_parts, snapshot
from verify.jobs.trace import events, markdown, trace

if TYPE_CHECKING:
    from pathlib import Path

TRAIN = ["train", "--group", "S3", "--width", "12", "--embed", "8", "--batch", "18", "--steps", "60", "--quiet"]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two networks with their snapshots."""
    out = tmp_path_factory.mktemp("trained") / "nets"
    assert execute([*TRAIN, "--seeds", "1,4-4", "--keep-every", "20", "--out", str(out)]) == 0
    return out


def test_every_seed_has_its_network_and_snapshots(kept: Path) -> None:
    assert sorted(path.name for path in kept.glob("*.safetensors")) == ["S3-seed1.safetensors", "S3-seed4.safetensors"]
    steps = sorted(path.stem for path in (kept / "S3-seed4.safetensors.steps").iterdir())
    assert steps == ["0000000", "0000020", "0000040", "0000060"]
    last = (kept / "S3-seed4.safetensors.steps" / "0000060.safetensors").read_bytes()
    assert len(last) > 0
    assert (
        snapshot(kept / "S3-seed4.safetensors", None, False)["right"]
        == snapshot(kept / "S3-seed4.safetensors.steps" / "0000060.safetensors", None, False)["right"]
    )


def test_the_network_of_a_seed_is_that_of_one_run(kept: Path, tmp_path: Path) -> None:
    """Keeping snapshots, or training several seeds, changes no weight."""
    assert execute([*TRAIN, "--seed", "4", "--out", str(tmp_path / "one.safetensors")]) == 0
    assert (tmp_path / "one.safetensors").read_bytes() == (kept / "S3-seed4.safetensors").read_bytes()


def test_what_is_there_is_not_trained_over(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute([*TRAIN, "--seeds", "1-2", "--out", str(kept)]) == 2
    assert "expected no network of these seeds" in capsys.readouterr().err
    assert execute([*TRAIN, "--seeds", "1-x", "--out", str(kept)]) == 2


def test_pairs_are_counted_apart_and_exactly(kept: Path) -> None:
    """Trained and held-out pairs against a loop over all pairs in float64 with the split that training made."""
    from net.training.state import training_pairs

    path = kept / "S3-seed1.safetensors"
    row = snapshot(path, None, False)
    analysis = analyse(path)
    mul, w = analysis.group.mul, analysis.weights
    logits = np.maximum(w.L[:, None] + w.R[None], 0) @ w.U + w.b
    right = logits.argmax(axis=2) == mul
    trained = set(training_pairs(6, 0.5, 1).tolist())
    counts = [0, 0]
    for x in range(6):
        for y in range(6):
            counts[6 * x + y not in trained] += bool(right[x, y])

    assert [row["trained_right"], row["held_out_right"]] == counts
    assert (row["right"], row["trained_pairs"], row["pairs"]) == (sum(counts), 18, 36)


def test_a_folder_becomes_a_table_a_figure_and_a_page(kept: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = kept / "S3-seed1.safetensors.steps"
    assert execute(["trace", str(folder), "--out", str(tmp_path / "t")]) == 0
    shown = capsys.readouterr().out
    rows = json.loads((tmp_path / "t" / "trace.json").read_text())

    assert [row["step"] for row in rows] == [0, 20, 40, 60]
    assert shown == (tmp_path / "t" / "trace.md").read_text()
    assert ("A star marks" in shown) == any(name.endswith("*") for row in rows for name in row["classes"])
    assert (tmp_path / "t" / "trace.svg").read_text().startswith("<?xml")
    assert '"steps":[0,20,40,60]' in (tmp_path / "t" / "trace.html").read_text()


def test_a_file_that_is_none_has_a_row_that_says_why(kept: Path, tmp_path: Path) -> None:
    (tmp_path / "7.safetensors").write_bytes((kept / "S3-seed1.safetensors").read_bytes())
    (tmp_path / "8.safetensors").write_bytes(b"nothing")
    rows = trace(tmp_path)

    assert [row["step"] for row in rows] == [8, 60]  # the name counts where the file says nothing
    assert "expected" in rows[0]["reason"]


def test_planted_subgroups_and_irreps_are_seen(tmp_path: Path) -> None:
    """Neurons on point stabilisers of S4 live on the irrep of dimension 3 that points make; random ones live on none."""
    group = parse_group("S4")
    save_folded(tmp_path / "p.safetensors", planted_network(group, seed=0, width=40).network.weights)
    row = snapshot(tmp_path / "p.safetensors", "S4", False)

    assert row["classes"] == pytest.approx({"S3": 1.0})
    assert row["irreps"] == pytest.approx({"(3,1)": 1.0})
    assert row["rank_one"] == pytest.approx(1.0)


def test_parts_on_irreps_are_those_of_the_projections() -> None:
    """Shares by the projection (d / |G|) sum over h of chi(h^-1) f(gh), and the rank-one share by the best a^T rho(g) b."""
    group = parse_group("S4")
    rng = np.random.default_rng(1)
    rho = irreps(group)[1].matrices
    a, b = rng.normal(size=(2, rho.shape[-1]))
    pure = np.einsum("i,gij,j->g", a, rho, b)
    noise = rng.normal(size=(24, 3))
    left = np.column_stack([pure, pure + 0.3 * noise[:, 0], noise[:, 1]])
    analysis = analyse((left, left.copy(), rng.normal(size=(3, 24))), "S4", order="lexicographic", product="left-first")
    parts = _irrep_parts(analysis)
    assert parts is not None

    for k, one in enumerate(irreps(group)):
        chi, d = np.trace(one.matrices, axis1=1, axis2=2), one.matrices.shape[-1]
        for i in range(3):
            f = left[:, i] - left[:, i].mean()
            projected = d / 24 * np.array([(chi[group.inv] * f[group.mul[g]]).sum() for g in range(24)])
            share = (projected**2).sum() / (f**2).sum()
            assert parts.lives[k, i] == (share >= (1 + d * d / 23) / 2)
    assert parts.rank_one[0] == pytest.approx(1.0)
    assert 0.5 < parts.rank_one[1] < 1


def test_events_are_the_first_steps() -> None:
    """A share that is not known (of irreps that were not measured, of no energy) is no fall to 0."""

    def row(step: int, held: int, s4: float, **more: object) -> dict[str, object]:
        made = {"step": step, "pairs": 36, "trained_pairs": 18, "held_out_right": held, "labelled": s4, "rank_one": 0.5}
        return made | {"classes": {"S4": s4}, "irreps": {"(2,1)": 0.2}} | more

    unknown: dict[str, object] = {"labelled": None, "rank_one": None, "classes": {}, "irreps": {}}
    rows = [row(0, 0, 0.0), row(10, 9, 0.06), row(15, 9, 0.0, **unknown), row(20, 18, 0.01), {"step": 30, "reason": "x"}]
    assert events(rows) == {"half": 10, "nearly": 20, "classes": {"S4": 10}, "irreps": {"(2,1)": 0}, "vanished": {"S4": 20}}


def sn_grok_run(tmp_path: Path) -> Path:
    """A folder as sn-grok leaves it: full_run.pth with the checkpoints of three epochs, and the files of two epochs."""
    import torch

    group = parse_group("S3")
    weights = planted_network(group, seed=1, width=24).network.weights
    # sn-grok numbers even permutations first, each half in lexicographic order, as a stable sort of the lexicographic order does.
    numbering = np.argsort(group.parity, kind="stable")
    L, R, U = weights.L[numbering], weights.R[numbering], weights.U[:, numbering]

    def state(scale: float) -> dict[str, torch.Tensor]:
        """L and R as embeddings whose halves of linear.weight are identities; unembed is U turned."""
        one = np.eye(L.shape[1])
        arrays = {"lembed": L * scale, "rembed": R, "linear": np.concatenate([one, one], axis=1), "unembed": U.T}
        return {f"{name}.weight": torch.tensor(array) for name, array in arrays.items()} | {"unembed.bias": torch.zeros(6)}

    states = [state(scale) for scale in (0.0, 0.5, 1.0)]
    config = {"embed_dim": 24, "model_dim": [24], "vocab_size": 6}
    run = {
        "model": states[2],
        "config": config,
        "checkpoints": states,
        "checkpoint_epochs": [0, 100, 200],
        "train_loss": [3.0, 1.0, 0.1],
    }
    folder = tmp_path / "run"
    folder.mkdir()
    torch.save(run, folder / "full_run.pth")
    for epoch in (200, 300):
        torch.save({"model": states[2], "config": config}, folder / f"{epoch}.pth")
    return folder


def test_full_run_and_epochs_of_sn_grok(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every epoch once: those with a file of their own from there, the others out of full_run.pth."""
    folder = sn_grok_run(tmp_path)
    rows = trace(folder, "S3")
    assert [(row["step"], row["file"]) for row in rows] == [
        (0, "full_run.pth"),
        (100, "full_run.pth"),
        (200, "200.pth"),
        (300, "300.pth"),
    ]
    assert [row["right"] for row in rows[2:]] == [36, 36]
    assert rows[0]["right"] == 6  # L = 0: one x for each y, none of which ties
    alone = trace(folder / "full_run.pth", "S3")
    assert [row["step"] for row in alone] == [0, 100, 200]
    assert [row["right"] for row in alone] == [row["right"] for row in rows[:3]]
    assert execute(["trace", str(folder / "full_run.pth"), "--group", "S3", "--out", str(tmp_path / "t"), "--quiet"]) == 0
    assert capsys.readouterr().out.count("\n| ") == 3


def test_an_epoch_of_a_full_run_is_certified(tmp_path: Path) -> None:
    """What `run` reads with --step where the last state stands beside the checkpoints, the checker reads, too."""
    folder, out = sn_grok_run(tmp_path), tmp_path / "out"
    file = ["--checkpoint", str(folder / "full_run.pth")]
    assert execute(["run", "--group", "S3", "--step", "200", *file, "--out", str(out), "--timeout", "0", "--quiet"]) == 0
    assert execute(["check", str(out / "certificate.json"), *file]) == 0


def test_why_a_snapshot_was_not_read_writes_no_row() -> None:
    """The reason quotes the file: names of tensors, settings."""
    rows: list[dict[str, Any]] = [{"file": "a", "step": 3, "reason": "got 'x | y'\n| 4 | FORGED | <b>"}]
    text = markdown(rows)
    assert [line for line in text.splitlines() if "FORGED" in line] == [
        r"| 3 | not read: got 'x \| y' \| 4 \| FORGED \| &lt;b> |" + " |" * 8
    ]
