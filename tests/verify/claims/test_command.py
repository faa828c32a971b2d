"""`verify claims` as a user calls it: libraries, folders, JSON, exit codes; and the generated page."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from net.bundled import bundled_checkpoint
from verify.claims.schema import library_names, read_claims
from verify.cli import execute
from verify.exit_codes import ExitCode

ROOT = Path(__file__).parents[3]
PUBLISHED = ROOT.parent / "shared" / "checkpoints" / "chughtai"
S5 = str(bundled_checkpoint("S5"))


@pytest.fixture
def write(tmp_path):
    """Write a claims file."""

    def build(text):
        file = tmp_path / "claims.toml"
        file.write_text(text)
        return str(file)

    return build


def test_exit_codes_follow_the_verdicts(write, capsys):
    """0 when all is proved or measured, even where a measured figure disagrees; 1 when something is refuted."""
    proved = '[[claims]]\nkind = "accuracy"\n'
    differs = '[[claims]]\nkind = "gcr"\npublished = 0.01\ntolerance = 0.01\n'
    refuted = '[[claims]]\nkind = "accuracy"\nat_most = 0.5\n'

    assert execute(["claims", write(proved + differs), "--checkpoint", S5, "--quiet"]) == ExitCode.VERIFIED
    assert "does not agree" in capsys.readouterr().out
    assert execute(["claims", write(proved + refuted), "--checkpoint", S5, "--quiet"]) == ExitCode.REFUTED
    assert "counterexample: at x = " in capsys.readouterr().out
    assert execute(["claims", write(proved), "--quiet"]) == ExitCode.USAGE


def test_json_holds_claim_outcome_and_digest(write, capsys):
    """The report names the checkpoint by digest, and each decision has the claim and the outcome."""
    execute(["claims", write('[[claims]]\nkind = "accuracy"\nid = "a"\n'), "--checkpoint", S5, "--quiet", "--json"])
    report = json.loads(capsys.readouterr().out)

    assert (report["group"], len(report["sha256"])) == ("S5", 64)
    assert report["decisions"][0]["claim"] == {"kind": "accuracy", "id": "a"} | report["decisions"][0]["claim"]
    assert report["decisions"][0]["outcome"]["verdict"] == "PROVED"


def test_the_group_is_found_by_the_networks_size(write, capsys):
    """Without --group, 120 elements mean S5."""
    assert execute(["claims", write('[[claims]]\nkind = "accuracy"\n'), "--checkpoint", S5, "--quiet"]) == ExitCode.VERIFIED
    assert ", S5" in capsys.readouterr().out


@pytest.mark.parametrize("given", [["--group", "S6"], ["--group", "A5"]])
def test_another_group_than_the_files_own_is_wrong_usage(given, write, capfd):
    """Claims over S5 are not decided over S6 because the command line says so."""
    path = write('group = "S5"\n[[claims]]\nkind = "accuracy"\n')

    assert execute(["claims", path, "--quiet", *given]) == ExitCode.USAGE
    out, err = capfd.readouterr()
    assert out == ""
    assert "expected --group S5, which the claims in" in err


def test_the_files_own_group_may_have_another_name(write, capsys):
    """Generators of S5 are S5."""
    path = write('group = "S5"\n[[claims]]\nkind = "accuracy"\n')

    assert execute(["claims", path, "--checkpoint", S5, "--quiet", "--group", "(1 2 3 4 5), (1 2)"]) == ExitCode.VERIFIED
    assert "PROVED" in capsys.readouterr().out


def test_a_group_that_is_none_is_a_mistake_in_the_file_whatever_the_command_line(write, capfd):
    """The file's mistake is told, not passed over."""
    path = write('group = "X9"\n[[claims]]\nkind = "accuracy"\n')

    assert execute(["claims", path, "--quiet", "--group", "S5"]) == ExitCode.MALFORMED
    assert "`$.group`" in capfd.readouterr().err


@pytest.mark.parametrize("library", library_names())
def test_libraries_run_on_the_bundled_network(library, capsys):
    """Every claim of every library has an outcome; the control is exactly 7/120, and nothing is unknown."""
    code = execute(["claims", library, "--group", "S5", "--quiet", "--json"])
    report = json.loads(capsys.readouterr().out)
    outcomes = {d["claim"]["id"]: d["outcome"] for d in report["decisions"]}

    assert code in (ExitCode.VERIFIED, ExitCode.REFUTED)
    assert len(outcomes) == len(report["decisions"]) > 1
    assert all(outcome["verdict"] != "UNKNOWN" for outcome in outcomes.values())
    if library == "stander":
        assert outcomes["D-control-S5"]["verdict"] == "PROVED"
        assert outcomes["D-control-S5"]["figure"] == 7 / 120
        assert outcomes["D-control-S6"]["verdict"] == "SKIPPED"


@pytest.mark.parametrize("library", library_names())
def test_libraries_run_on_a_published_network(library, capsys):
    """The same on S5_MLP_seed2 of arXiv 2302.03025."""
    path = PUBLISHED / "S5_MLP_seed2" / "model.pt"
    if not path.is_file():
        pytest.skip(f"the published checkpoint is not at {path}")
    assert execute(["claims", library, "--checkpoint", str(path), "--quiet"]) in (ExitCode.VERIFIED, ExitCode.REFUTED)
    assert "UNKNOWN" not in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize("library", [name for name in library_names() if name != "levels"])
def test_libraries_run_on_the_bundled_network_of_s6(library, capsys):
    """Every claim has an outcome on S6, and the control is exactly 11/720."""
    execute(["claims", library, "--group", "S6", "--quiet", "--json"])
    outcomes = {d["claim"]["id"]: d["outcome"] for d in json.loads(capsys.readouterr().out)["decisions"]}

    assert len(outcomes) > 1
    assert all(outcome["verdict"] for outcome in outcomes.values())
    if library == "stander":
        assert (outcomes["D-control-S6"]["verdict"], outcomes["D-control-S6"]["figure"]) == ("PROVED", 11 / 720)


def test_every_library_claim_says_what_and_where():
    """Claims of the three papers have an id, a sentence and a place."""
    for name in ("stander", "chughtai", "wu"):
        claims = read_claims(ROOT / "verify" / "claims" / "library" / f"{name}.toml").claims
        assert len(claims) > 5
        assert all(claim.id and claim.says and claim.place for claim in claims)


def test_a_folder_is_aggregated_and_what_is_no_network_is_named(tmp_path, write, capsys):
    """Two networks count, a damaged file is named with the reason, a network over another group is passed over."""
    folder = tmp_path / "networks"
    (folder / "deeper").mkdir(parents=True)
    shutil.copy(S5, folder / "one.safetensors")
    shutil.copy(S5, folder / "deeper" / "two.safetensors")
    (folder / "broken.pt").write_bytes(b"PK nothing")
    claims = write('[[claims]]\nkind = "accuracy"\n[[claims]]\nkind = "gcr"\n')
    code = execute(["claims", claims, "--checkpoint", str(folder), "--group", "S5", "--quiet", "--json"])
    found = json.loads(capsys.readouterr().out)

    assert code == ExitCode.VERIFIED
    assert len(found["networks"]) == 2
    assert [row["verdicts"] for row in found["aggregate"]] == [{"PROVED": 2}, {"MEASURED": 2}]
    assert found["aggregate"][1]["figures"]["mean"] == pytest.approx(0.534, abs=0.001)
    assert len(found["not_read"]) == 1
    assert found["not_read"][0][0].endswith("broken.pt")
    execute(["claims", claims, "--checkpoint", str(folder), "--group", "S5", "--quiet"])
    assert "PROVED 2 of 2 networks" in capsys.readouterr().out


def test_the_page_on_the_language_is_up_to_date():
    """docs/claims.md is what the docstrings and examples give."""
    command = [sys.executable, "scripts/claims_reference.py", "--check"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env={"PYTHONPATH": str(ROOT)})

    assert result.returncode == 0, result.stderr
