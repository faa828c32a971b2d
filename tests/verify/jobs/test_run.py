"""`verify run` from checkpoint to exit code: what is verified, refuted or refused, and that nothing stays half-written."""

import contextlib
import io
import json
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import msgspec
import numpy as np
import pytest

from algebra.group import parse_group
from net.errors import MalformedInput
from net.formats.folded_arrays import save_folded
from net.planted import planted_network
from net.weights import Weights
from reports import draw
from verify.analysis import analyse
from verify.cli import execute
from verify.program.program import Program
from verify.record.certificate import read_certificate, sealed
from verify.record.files import replacing

S4 = parse_group("S4")
#: What is said of files that say nothing.
TAKEN = "the file does not name its activation, and relu was taken (--activation says another)"
PUBLISHED = Path(__file__).parents[4] / "shared" / "checkpoints" / "chughtai"


@pytest.fixture(scope="module")
def planted():
    return planted_network(S4, seed=1, width=48, kinds={"sign": 2, "dead": 1}, noise=0.01).network.weights


def saved(path, weights):
    save_folded(path, weights)
    return path


def verify(checkpoint, out, *more, group="S4"):
    """The exit code of a run; no second opinions are asked for unless ``more`` says so."""
    fixed = ["--group", group, "--checkpoint", str(checkpoint), "--out", str(out), "--quiet", "--timeout", "0"]
    return execute(["run", *fixed, *more])


@pytest.fixture(scope="module")
def planted_run(planted, tmp_path_factory):
    """What a run on the planted network with second opinions leaves and prints: its directory, its exit code, its stdout."""
    folder = tmp_path_factory.mktemp("planted")
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        code = verify(saved(folder / "n.safetensors", planted), folder / "proof", "--timeout", "20")
    return folder / "proof", code, printed.getvalue()


def with_bias_at(weights, x, y, z, push):
    """The network with ``push`` added to the logit of z at (x, y) and nowhere else, by one more neuron."""
    left = np.full((weights.order, 1), -(2.0**20))
    right = left.copy()
    left[x], right[y] = 0.5, 0.5
    votes = np.zeros((1, weights.order))
    votes[0, z] = push
    return Weights.from_arrays(np.hstack([weights.L, left]), np.hstack([weights.R, right]), np.vstack([weights.U, votes]), weights.b)


def test_right_network_is_verified_with_all_its_files(planted_run):
    out, code, printed = planted_run

    words = json.loads((out / "summary.json").read_text())["explained"]["words"]
    assert (code, printed) == (0, f"{words}; {TAKEN}\ns VERIFIED\n")
    names = {p.name for p in out.iterdir()}
    assert {"certificate.json", "summary.json", "program.json", "program.py", "report.md", "figures", "obligations"} <= names
    certificate = read_certificate(out / "certificate.json")
    assert (certificate.correct.right, certificate.equivalent.agree) == (576, 576)
    assert certificate.correct.float32_any_order == 576
    assert sealed(certificate) == certificate
    summary = json.loads((out / "summary.json").read_text())
    assert {point["name"] for point in summary["curve"]} >= {"readable", "faithful"}
    assert msgspec.json.decode((out / "program.json").read_bytes(), type=Program) == certificate.program


def test_program_py_alone_gives_the_networks_answers(planted_run, tmp_path):
    """Run by `python -I` in an empty directory it answers as the network does on every pair."""
    out, _, _ = planted_run
    alone = tmp_path / "alone"
    alone.mkdir()
    shutil.copy(out / "program.py", alone)
    done = subprocess.run([sys.executable, "-I", "program.py", "--all"], cwd=alone, capture_output=True, text=True, check=True)
    certificate = read_certificate(out / "certificate.json")

    assert "576 of 576 pairs right, 0 ties" in done.stdout
    assert certificate.correct.answers_sha256 in done.stdout


def test_same_input_gives_the_same_certificate_bytes(planted, planted_run, tmp_path):
    """Whether solvers are asked for second opinions or not."""
    assert verify(saved(tmp_path / "n.safetensors", planted), tmp_path / "proof") == 0

    one, two = (directory / "certificate.json" for directory in (planted_run[0], tmp_path / "proof"))
    assert one.read_bytes() == two.read_bytes()


def test_a_solver_that_disagrees_leaves_nothing(planted, tmp_path, monkeypatch, capsys):
    """It is heard after everything else is done, and still nothing is written or printed as verified."""
    from verify.symbolic.solver import opinions

    monkeypatch.setattr(opinions, "judge", lambda *_: None)
    monkeypatch.setattr(opinions, "_sentence", lambda *_: "one of the two is wrong, and nothing is certified")
    assert verify(saved(tmp_path / "n.safetensors", planted), tmp_path / "proof", "--timeout", "20") == 5
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "one of the two is wrong, and nothing is certified" in printed.err
    assert [path.name for path in tmp_path.iterdir()] == ["n.safetensors"]


def test_solvers_end_with_a_run_that_fails(planted, tmp_path, monkeypatch):
    """They work beside the compact proof; when that raises, no process and no thread of theirs is left."""
    from verify.symbolic.solver.opinions import SolverProcess

    begun, ended = [], []
    begin, close = SolverProcess.__init__, SolverProcess.close

    def start(process, solver):
        begin(process, solver)
        begun.append(process)

    def end(process):
        close(process)
        ended.append(process)

    def failing(*_, **__):
        while not begun:
            time.sleep(0.01)
        raise AssertionError("as a mistake in the compact proof")

    monkeypatch.setattr(SolverProcess, "__init__", start)
    monkeypatch.setattr(SolverProcess, "close", end)
    monkeypatch.setattr("verify.compact.prove_compactly", failing)
    threads = threading.active_count()
    with pytest.raises(AssertionError, match="as a mistake"):
        analyse(saved(tmp_path / "n.safetensors", planted), "S4", timeout_s=3600).write(tmp_path / "proof")
    assert (set(ended), threading.active_count()) == (set(begun), threads)
    assert [path.name for path in tmp_path.iterdir()] == ["n.safetensors"]


def test_figures_are_those_of_the_files(planted_run):
    """They are drawn before solvers have answered; drawn from what is written in the end they are the same."""
    out, _, _ = planted_run
    records = [json.loads((out / f"{name}.json").read_text()) for name in ("certificate", "summary", "pictures")]
    assert {word for one in records[1]["symbolic"]["obligations"] for word in one["opinions"]} == {"z3", "cvc5"}
    assert draw(*records).figures == {path.stem: path.read_bytes() for path in (out / "figures").iterdir()}


def test_one_wrong_pair_is_refuted_with_that_pair(planted, tmp_path, capsys):
    """One output made wrong at one pair of 576; the program makes the same mistake."""
    x, y, z = 3, 11, 0
    broken = with_bias_at(planted, x, y, z, 2.0**12)

    assert verify(saved(tmp_path / "n.safetensors", broken), tmp_path / "proof") == 1
    explained, verdict = capsys.readouterr().out.splitlines()
    words = json.loads((tmp_path / "proof" / "summary.json").read_text())["explained"]["words"]
    assert (verdict, explained) == ("s REFUTED", f"{words}; {TAKEN}")
    certificate = read_certificate(tmp_path / "proof" / "certificate.json")
    assert certificate.correct.wrong == ((x, y, z),)
    assert certificate.equivalent.agree == 576
    assert certificate.symbolic.status != "PROVED"


def exact_gap(weights, x, y, z):
    """Logit of xy minus logit of z at (x, y), a float because the planted weights have few bits."""
    exact = weights.exact()
    logits = exact.logits(x, y)
    return (int(logits[S4.mul[x, y]]) - int(logits[z])) / 2 ** (exact.preactivation_bits + exact.vote_bits)


@pytest.mark.draws
def test_a_tie_is_wrong(tmp_path):
    clean = planted_network(S4, seed=2, width=32).network.weights
    gap = exact_gap(clean, 5, 6, 1)

    assert verify(saved(tmp_path / "n.safetensors", with_bias_at(clean, 5, 6, 1, gap)), tmp_path / "proof") == 1
    correct = read_certificate(tmp_path / "proof" / "certificate.json").correct
    assert correct.wrong == ((5, 6, -1),)
    assert correct.ties == 1


def test_a_margin_of_a_billionth_is_right_but_not_in_float32(tmp_path):
    """A tie at one pair and a vote of -2^-30 on the rival there, all in float32 numbers."""
    clean = planted_network(S4, seed=2, width=32).network.weights
    tied = with_bias_at(clean, 5, 6, 1, exact_gap(clean, 5, 6, 1))
    near = with_bias_at(tied, 5, 6, 1, -(2.0**-30))

    assert verify(saved(tmp_path / "n.safetensors", near), tmp_path / "proof") == 0
    correct = read_certificate(tmp_path / "proof" / "certificate.json").correct
    assert (correct.right, correct.min_margin, correct.min_margin_pair) == (576, f"1/{2**30}", (5, 6))
    assert correct.float32_any_order == 575


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_weights_that_are_no_numbers_are_refused(planted, tmp_path, capsys, bad):
    votes = planted.U.copy()
    votes[0, 0] = bad
    np.savez(tmp_path / "n.npz", L=planted.L, R=planted.R, U=votes, b=planted.b)

    assert verify(tmp_path / "n.npz", tmp_path / "proof") == 4
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert not (tmp_path / "proof").exists()


def refused(checkpoint, tmp_path, capsys, group="S4"):
    """Exit code 4, one sentence on stderr, no output and nothing left behind."""
    before = sorted(tmp_path.iterdir())
    code = verify(checkpoint, tmp_path / "proof", group=group)
    said = capsys.readouterr()
    return code == 4 and said.out == "" and len(said.err.strip().splitlines()) == 1 and sorted(tmp_path.iterdir()) == before


def test_truncated_file_is_refused(planted, tmp_path, capsys):
    whole = saved(tmp_path / "n.safetensors", planted).read_bytes()
    (tmp_path / "n.safetensors").write_bytes(whole[: len(whole) // 2])

    assert refused(tmp_path / "n.safetensors", tmp_path, capsys)


def test_pickle_with_code_in_it_is_refused_and_not_run(tmp_path, capsys):
    import torch

    class Bomb:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "exploded",))

    torch.save({"W_x": Bomb()}, tmp_path / "n.pt")

    assert refused(tmp_path / "n.pt", tmp_path, capsys)
    assert not (tmp_path / "exploded").exists()


def test_directory_is_refused(tmp_path, capsys):
    (tmp_path / "n").mkdir()

    assert refused(tmp_path / "n", tmp_path, capsys)


@pytest.mark.parametrize("group", ["S3", "S5", "C24"])
def test_network_for_another_group_is_refused(planted, tmp_path, capsys, group):
    assert refused(saved(tmp_path / "n.safetensors", planted), tmp_path, capsys, group)


def test_output_directory_with_other_things_in_it_is_left_alone(planted, tmp_path, capsys):
    out = tmp_path / "proof"
    out.mkdir()
    (out / "thesis.tex").write_text("years of work")

    assert verify(saved(tmp_path / "n.safetensors", planted), out) == 4
    assert [p.name for p in out.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("arguments", [["--group", "S0"], ["--group", "S4", "--proof", "maybe"], []])
def test_wrong_usage_exits_with_two(arguments, tmp_path):
    assert execute(["run", *arguments, "--out", str(tmp_path / "proof"), "--quiet"]) == 2


def published(name):
    file = PUBLISHED / name / "model.pt"
    if not file.is_file():
        pytest.skip(f"the published checkpoint {name} is not at {PUBLISHED}")
    return file


@pytest.mark.parametrize(
    ("name", "group", "code", "right"),
    [
        ("S5_MLP_seed2", "S5", 0, 14_400),
        ("S5_MLP_hidden_dim_32_seed1", "S5", 1, 11_593),
        pytest.param("A5_MLP_seed1", "A5", 0, 3_600, marks=pytest.mark.slow),
    ],
)
def test_published_networks_get_their_verdicts(name, group, code, right, tmp_path):
    """Right on all pairs, or wrong on many; the program answers alike on all pairs, mistakes included."""
    assert verify(published(name), tmp_path / "proof", group=group) == code
    certificate = read_certificate(tmp_path / "proof" / "certificate.json")

    assert certificate.correct.right == right
    assert certificate.equivalent.agree == certificate.equivalent.pairs


def test_a_published_network_over_a5_is_right_and_has_its_program():
    """Q1 and Q2 of a group that is not symmetric; its Q3, a search of twenty seconds, is among the slow tests."""
    found = analyse(published("A5_MLP_seed1"), "A5")

    assert (found.correct.status, found.correct.right) == ("PROVED", 3_600)
    assert (found.equivalent.status, found.equivalent.agree) == ("PROVED", 3_600)


@pytest.mark.parametrize("blocked", ["file in the way", "other content", "read-only"])
def test_an_output_that_cannot_be_written_is_noticed_before_the_work(blocked, planted, tmp_path, capsys, monkeypatch):
    """Nothing is evaluated when the result has nowhere to go, and nothing is left behind."""
    out = tmp_path / "place" / "proof"
    if blocked == "file in the way":
        (tmp_path / "place").write_text("")
    elif blocked == "other content":
        out.mkdir(parents=True)
        (out / "diary.txt").write_text("mine")
    else:  # as a file system would say it; the tests may run as root, whom permissions do not stop

        def refused(*args, **kwargs):
            raise PermissionError(13, "Permission denied", str(tmp_path / "place"))

        monkeypatch.setattr("verify.record.files.tempfile.mkdtemp", refused)
    before = sorted(tmp_path.rglob("*"))

    def never(*args, **kwargs):
        raise AssertionError("evaluated")

    monkeypatch.setattr("verify.analysis.evaluate", never)
    checkpoint = saved(tmp_path / "n.safetensors", planted)
    assert verify(checkpoint, out) == 4
    assert sorted(tmp_path.rglob("*")) == sorted([*before, checkpoint])
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("written", ["certificate.json", pytest.param("figures", marks=pytest.mark.draws), "report.md"])
def test_a_full_disk_ends_with_a_sentence_and_leaves_nothing(written, planted, planted_run, tmp_path, capsys, monkeypatch):
    """Whatever is being written when the space is used up: exit code 4, and the earlier run's files are as they were."""
    checkpoint, out = saved(tmp_path / "n.safetensors", planted), tmp_path / "proof"
    shutil.copytree(planted_run[0], out)
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    open_ = Path.open

    def full(self, mode="r", *args, **kwargs):
        if "w" in mode and written in str(self):
            raise OSError(28, "No space left on device")
        return open_(self, mode, *args, **kwargs)

    capsys.readouterr()
    monkeypatch.setattr(Path, "open", full)
    if written == "figures":  # matplotlib opens them by name

        def full_figure(*args, **kwargs):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("matplotlib.figure.Figure.savefig", full_figure)
    assert verify(checkpoint, out) == 4
    assert "No space left on device" in capsys.readouterr().err
    monkeypatch.undo()
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["n.safetensors", "proof"]


def test_a_network_of_yx_is_called_one(planted, tmp_path, capsys):
    """The product of the file, and a numbering of its own, are said in words before the verdict."""
    swapped = saved(tmp_path / "yx.safetensors", planted.exchanged())
    assert verify(swapped, tmp_path / "yx") == 0
    assert "it answers yx (its second input acts first)" in capsys.readouterr().out
    shuffled = np.random.default_rng(3).permutation(24)
    renumbered = saved(tmp_path / "own.safetensors", planted.permuted(shuffled))
    assert verify(renumbered, tmp_path / "own") == 0
    assert "(the numbering was read off the network's own answers)" in capsys.readouterr().out


def test_a_group_of_a_hundred_and_more_classes_is_no_obstacle(tmp_path):
    """C129 by three neurons: logit z = 2 z s - z^2 with s = x + y mod 129 has margin 1 on every pair."""
    n = 129
    k = np.arange(float(n))
    left, right = np.stack([k, k, k], 1), np.stack([k, k - n + 1, k - n], 1)
    weights = Weights.from_arrays(left, right, np.stack([2 * k, -2 * n * k, 2 * n * k]), -k * k)
    out = tmp_path / "out"
    assert verify(saved(tmp_path / "n.safetensors", weights), out, "--timeout", "0", group="C129") == 0
    summary = json.loads((out / "summary.json").read_text())
    assert (summary["correct"]["right"], summary["correct"]["min_margin"]) == (n * n, "1")
    assert len(summary["gcr"]["irreps"]) == n - 1  # all but the trivial one


def test_a_disk_that_is_really_full_ends_with_a_sentence_and_leaves_nothing(planted, tmp_path):
    """A process that may write no file beyond 40,000 bytes: the system itself refuses the rest, in the middle of the certificate."""
    import resource

    checkpoint, out = saved(tmp_path / "n.safetensors", planted), tmp_path / "proof"
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "verify.cli",
            "run",
            "--group",
            "S4",
            "--checkpoint",
            checkpoint,
            "--out",
            out,
            "--timeout",
            "0",
            "--quiet",
        ],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000)),
    )
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr == "verify: File too large\n"
    assert [p.name for p in tmp_path.iterdir()] == ["n.safetensors"]


@pytest.mark.parametrize("stranger", ["model.pt", "coq", "notes.md", ".git", "report-draft.md", "reports"])
def test_a_run_replaces_nothing_that_no_run_wrote(tmp_path, stranger):
    """A checkpoint or a folder beside an earlier run's files would be lost with them: refused by its name, and still there."""
    target = tmp_path / "run"
    target.mkdir()
    for name in ("certificate.json", "report.md", "report.pdf", "network.safetensors", stranger):
        (target / name).write_text(name)
    with pytest.raises(MalformedInput, match=f"it holds '{stranger}'"), replacing(target):
        raise AssertionError
    assert (target / stranger).read_text() == stranger
    (target / stranger).unlink()
    with replacing(target) as work:
        (work / "certificate.json").write_text("new")
    assert [path.name for path in target.iterdir()] == ["certificate.json"]


@pytest.mark.parametrize("out", ["file", "file/run"])
def test_a_file_where_a_folder_has_to_be_is_said_without_names_of_ours(tmp_path, out):
    """The sentence names what was asked for, not the folder that was to be made beside it for a while."""
    (tmp_path / "file").write_text("")
    with pytest.raises(MalformedInput, match=r"^expected .*folder.*, got") as raised, replacing(tmp_path / out):
        raise AssertionError
    assert "/." not in str(raised.value)
