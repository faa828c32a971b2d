"""Settings reach the searches that they name, and the summary and docs/settings.md say what they are."""

import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

import verify
from algebra.group import parse_group
from net.formats.folded_arrays import save_folded
from net.planted import planted_network
from verify.record.settings import DEFAULT

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT / "benchmarks"))
import bench_settings  # noqa: E402


def test_the_page_lists_every_setting_with_its_reason() -> None:
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert "\n".join(bench_settings.reasons()) in text


@pytest.fixture(scope="module")
def network():
    return planted_network(parse_group("S3"), seed=0, width=24, noise=0.01).network


def analysed(network, **changed):
    settings = {name: msgspec.structs.replace(getattr(DEFAULT, name), **values) for name, values in changed.items()}
    return verify.analyse(network, timeout_s=0, settings=msgspec.structs.replace(DEFAULT, **settings))


def test_settings_reach_their_searches(network, monkeypatch) -> None:
    """One of each search, with a value that shows in what is found."""
    seen: dict[str, Any] = {}
    usual = analysed(network)
    known, distilled = usual.compact_proof, usual.distillation
    monkeypatch.setattr("verify.distil.curve.distill", lambda *given: seen.update(distil=given[-1]) or distilled)
    assert analysed(network, distil={"ridge": 0.25}).distillation is distilled
    assert seen["distil"].ridge == 0.25
    monkeypatch.undo()
    monkeypatch.setattr("verify.compact.prove_compactly", lambda _, settings: seen.update(compact=settings) or known)
    assert analysed(network, compact={"sample": 5}).compact_proof is known
    assert seen["compact"].sample == 5
    proof = analysed(network, symbolic={"dual_rounds": 7}).symbolic_proof
    assert proof.outline.settings.dual_rounds == 7


def test_the_summary_records_them(network, tmp_path) -> None:
    save_folded(tmp_path / "n.safetensors", network.weights)
    settings = msgspec.structs.replace(DEFAULT, distil=msgspec.structs.replace(DEFAULT.distil, ridge=0.25))
    found = verify.analyse(tmp_path / "n.safetensors", "S3", timeout_s=0, settings=settings)
    assert found.summary.settings == settings
