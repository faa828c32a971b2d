"""`verify export coq`: what it writes, what it says, and what it refuses."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from verify.cli import execute
from verify.record.certificate import read_certificate
from verify.record.summary import read_summary

ACCEPTED = Path(__file__).parents[2] / "certificates" / "accepted"
NAMES = sorted(path.stem for path in ACCEPTED.glob("*.json"))


def export(name: str, out: Path, checkpoint: str | None = None) -> int:
    return execute(
        [
            "export",
            "coq",
            str(ACCEPTED / f"{name}.json"),
            "--checkpoint",
            str(ACCEPTED / f"{checkpoint or name}.ckpt"),
            "--out",
            str(out),
        ]
    )


@pytest.mark.parametrize("name", NAMES)
def test_every_certificate_gives_a_project(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Theory, network, theorem and Makefile are written; a network with a wrong answer has its mistakes listed."""
    assert export(name, tmp_path / "project") == 0
    certificate = json.loads((ACCEPTED / f"{name}.json").read_text(encoding="utf-8"))
    files = {str(path.relative_to(tmp_path / "project")) for path in (tmp_path / "project").rglob("*") if path.is_file()}
    text = (tmp_path / "project" / "Network.v").read_text(encoding="utf-8")
    shown = capsys.readouterr()

    assert {"Makefile", "Network.v", "Theorem.v", "theory/Definitions.v"} <= files
    assert shown.out == f"{tmp_path / 'project'}\n"
    wrong = certificate["correct"]["wrong"]
    assert (f"wrong at {len(wrong)} of" in shown.err) == ("Mistakes.v" in files) == bool(wrong)
    assert certificate["checkpoint"]["sha256"] in text
    assert ("second input" in text) == (certificate["checkpoint"]["product"] == "right-first")
    assert f"neurons := {certificate['checkpoint']['width']};" in text
    listed = re.search(r"elements : list permutation :=\n(.*?)%nat", text, re.DOTALL)
    assert listed
    assert len(listed[1].split("\n")) == certificate["group"]["order"]


def test_a_network_in_a_numbering_of_its_own_has_its_theorem(theory: Path, tmp_path: Path) -> None:
    """The file's own numbering and its product stand in Network.v, and Coq accepts the theorem, of networks with mistakes too."""
    for name in ("s3_wu_right_first", "refuted_tie"):
        assert export(name, tmp_path / name) == 0
        shutil.rmtree(tmp_path / name / "theory")
        shutil.copytree(theory, tmp_path / name / "theory", copy_function=shutil.copy2)
        made = subprocess.run(["make", "-s"], cwd=tmp_path / name, capture_output=True, text=True, check=False, timeout=300)

        assert made.returncode == 0, made.stderr
        assert "Axioms:" in made.stdout


def test_summary_and_report_name_the_theorem(tmp_path: Path) -> None:
    """The theorem that was exported beside a run stands in its summary and report, and the reports say the same when written again."""
    checkpoint, run, out = str(ACCEPTED / "refuted_tie.ckpt"), tmp_path / "run", tmp_path / "theorem"
    assert (
        execute(
            [
                "run",
                "--group",
                "S3",
                "--checkpoint",
                checkpoint,
                "--order",
                "lexicographic",
                "--product",
                "left-first",
                "--out",
                str(run),
            ]
        )
        == 1
    )
    assert "Coq" not in (run / "report.md").read_text(encoding="utf-8")
    assert execute(["export", "coq", str(run), "--checkpoint", checkpoint, "--out", str(out)]) == 0
    summary, report = read_summary(run / "summary.json"), (run / "report.md").read_text(encoding="utf-8")

    assert summary.theorem is not None
    assert (summary.theorem.name, summary.theorem.directory) == ("multiplies_except", "../theorem")
    assert summary.theorem.mistakes == len(read_certificate(run / "certificate.json").correct.wrong) > 0
    assert "A Coq project in ../theorem states" in report
    assert f"{summary.theorem.mistakes} listed pairs (theorem `{summary.theorem.name}`)" in report
    assert f"Theorem {summary.theorem.name} :" in (out / "Theorem.v").read_text(encoding="utf-8")
    assert execute(["report", str(run)]) == 0  # as `check` and `export` take it
    assert (run / "report.md").read_text(encoding="utf-8") == report


def test_another_checkpoint_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The digest is that of another file: exit code 4, one sentence, nothing written."""
    assert export("s3_float64", tmp_path / "project", "s3_every_form") == 4
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "project").exists()


def test_a_directory_with_something_else_is_left_alone(tmp_path: Path) -> None:
    """An earlier export is replaced; a directory that holds other files is not."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes").write_text("mine", encoding="utf-8")

    assert export("s3_float64", tmp_path / "mine") == 4
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes"]
    assert export("s3_float64", tmp_path / "project") == 0
    (tmp_path / "project" / "Network.v").write_text("", encoding="utf-8")
    assert export("s3_float64", tmp_path / "project") == 0
    assert (tmp_path / "project" / "Network.v").stat().st_size > 1000


def test_without_coqc_the_project_is_still_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where Coq is not installed, stderr says how to install it."""
    monkeypatch.setenv("PATH", str(tmp_path))

    assert export("s3_float64", tmp_path / "project") == 0
    assert "apt-get install coq" in capsys.readouterr().err
