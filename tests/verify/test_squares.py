"""A network whose neurons square what they read, from its tensors to the checker: answers, program, reports, and what is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from fractions import Fraction

import msgspec
import numpy as np
import pytest
from safetensors.numpy import save

import verify
from algebra.group import parse_group
from net.errors import MalformedInput
from net.formats.reading import Reading
from verify.checker.progress import Progress
from verify.checker.shape import Differs, Malformed
from verify.checker.statement import Options, check
from verify.record.certificate import canonical_bytes, sealed

S3 = parse_group("S3")
N = S3.order
FIGURES_MADE = True  # of networks unlike those of other tests


def lookup():
    """One neuron for each pair (a, b), reading [x = a] and [y = b] and voting for ab: the square is 4 at (a, b) and 1 beside it.

    So at (x, y) z = xy gets 4 votes and every other z 2, while with relu, or |.|, both get 2.
    """
    a, b = np.divmod(np.arange(N * N), N)
    first = np.vstack([np.eye(N)[:, a], np.eye(N)[:, b]]).astype(np.float32)
    votes = np.zeros((N * N, N), np.float32)
    votes[np.arange(N * N), S3.mul[a, b]] = 1
    return {"fc1.weight": np.ascontiguousarray(first.T), "fc2.weight": np.ascontiguousarray(votes.T)}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """(the analysis, its directory) of the network that says nothing of its activation."""
    analysis = verify.analyse(lookup(), group="S3", timeout_s=0)
    return analysis, analysis.write(tmp_path_factory.mktemp("squares") / "run")


def judged(certificate, directory):
    return check(certificate, (directory / "network.safetensors").read_bytes(), Options(), Progress(None))


def test_the_square_is_found_by_the_table_and_checked(run):
    analysis, directory = run
    found = judged((directory / "certificate.json").read_bytes(), directory)

    assert analysis.network.source.reading.activation == "square"
    assert analysis.correct.right == 36
    assert analysis.correct.min_margin == "2"
    assert analysis.correct.float32_any_order is None
    assert (analysis.symbolic.status, analysis.certificate.compact) == ("UNKNOWN", None)
    assert analysis.programs["readable"].record().format == "coset-voting program 3"
    assert found.line == "s VERIFIED"
    assert found.formula.endswith("(fc1.weight^T[x] + fc1.weight^T[6 + y])^2 fc2.weight^T")


def test_program_and_reports_square_too(run):
    _, directory = run
    done = subprocess.run([sys.executable, directory / "program.py", "--all"], capture_output=True, text=True, check=True)
    text = (directory / "report.md").read_text()

    assert "36 of 36" in done.stdout
    assert "relu(" not in text
    assert "square" in text
    assert "squares" in (directory / "program.py").read_text()


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda c: c["checkpoint"]["reading"].pop("activation"), "float32_forward"),
        (lambda c: c["checkpoint"]["reading"].update(activation="abs"), "width"),
        (lambda c: c["program"].update(format="coset-voting program 2"), "activation of the program"),
        (lambda c: c["symbolic"].update(status="PROVED"), "symbolic"),
        (lambda c: c["correct"].update(min_margin="3"), "min_margin"),
        (lambda c: c["correct"].update(float32_any_order=36), "float32"),
        (lambda c: c["checkpoint"].update(float32_forward=True), "float32_forward"),
        (lambda c: c["program"]["circuits"][0]["neurons"][0]["votes"].__setitem__(0, 9), "neurons"),
    ],
)
def test_a_changed_certificate_is_refused(run, change, error):
    from verify.record.certificate import Certificate

    analysis, directory = run
    changed = json.loads(canonical_bytes(analysis.certificate))
    change(changed)
    whole = canonical_bytes(sealed(msgspec.convert(changed, Certificate)))

    with pytest.raises((Differs, Malformed), match=error):
        judged(whole, directory)


def test_what_is_said_of_the_activation_counts(tmp_path):
    tensors = lookup()
    for text in ("square", "Quad", "x^2", "x**2", "torch.square"):
        path = tmp_path / "net.safetensors"
        path.write_bytes(save(tensors, {"act_fn": text}))
        assert verify.analyse(path, "S3").network.source.reading.activation == "square"
    path.write_bytes(save(tensors, {"act_fn": "relu"}))
    with pytest.raises(MalformedInput, match="right on"):
        verify.analyse(path, "S3")
    with pytest.raises(MalformedInput, match="expected square as activation, got 'relu'"):
        verify.analyse(path, "S3", activation="square")
    assert verify.analyse(tensors, "S3", activation="square").correct.right == 36


def test_a_published_layout_is_read_with_squares_where_that_is_said(tmp_path):
    """Nothing in the file says so: then a file that does is certified; the checker refuses the first one under that reading."""
    first, second = lookup().values()
    arrays = {"L": np.ascontiguousarray(first.T[:N]), "R": np.ascontiguousarray(first.T[N:]), "U": np.ascontiguousarray(second.T)}
    analysis = verify.analyse(arrays, "S3", activation="square", timeout_s=0)
    assert analysis.correct.right == 36
    assert b'"act_fn": "square"' in analysis.network.source.rewritten.replace(b'\\"', b'"')
    directory = analysis.write(tmp_path / "run")
    assert judged((directory / "certificate.json").read_bytes(), directory).line == "s VERIFIED"
    layout = Reading(hidden_left="L", hidden_right="R", out="U", activation="square")
    assert verify.analyse(arrays, "S3", layout=layout).network.source.rewritten is not None


def test_claims_about_relu_are_skipped_and_others_decided(tmp_path):
    """On one network: accuracy is exact as ever; silence on a coset, dead neurons and |.| for relu are about another activation."""
    from verify.claims.decide import decide_claims, open_subject
    from verify.claims.schema import read_claims
    from verify.reading import How

    text = """
[[claims]]
kind = "accuracy"
at_least = 1.0
[[claims]]
kind = "dead"
neuron = 0
[[claims]]
kind = "intervention"
surgery = "absolute value"
at_least = 0.5
[[claims]]
kind = "intervention"
surgery = "exchange inputs"
product = "yx"
at_least = 1.0
[[claims]]
kind = "circuits"
sets = [[0], [1, 2]]
[[claims]]
kind = "irrep use"
level = "used"
at_least = 0.1
"""
    (tmp_path / "claims.toml").write_text(text)
    (tmp_path / "net.safetensors").write_bytes(save(lookup()))
    subject = open_subject(tmp_path / "net.safetensors", "S3", tmp_path, How(activation="square"))
    report = decide_claims(tmp_path / "claims.toml", read_claims(tmp_path / "claims.toml"), subject)

    assert [d.outcome.verdict for d in report.decisions] == ["PROVED", "SKIPPED", "SKIPPED", "PROVED", "PROVED", "MEASURED"]
    assert "square what they read" in report.decisions[1].outcome.finding


@pytest.mark.parametrize(("one", "votes"), [(2.0**40, 1.0), (2.0**-60, 2.0**100), (1e-18, 1e-18)])
def test_sizes_matter_to_no_answer(run, one, votes):
    """Weights times numbers far from one: the program of the usual size, its integers over other powers of two."""
    usual, factors = run[0], {"fc1.weight": np.float32(one), "fc2.weight": np.float32(votes)}
    analysis = verify.analyse({name: tensor * factors[name] for name, tensor in lookup().items()}, group="S3", timeout_s=0)
    assert analysis.correct.right == analysis.certificate.equivalent.agree == 36
    assert analysis.programs["readable"].constants == usual.programs["readable"].constants
    assert analysis.summary.equivalence.logit_fve == pytest.approx(usual.summary.equivalence.logit_fve, abs=1e-4)
    first, second = (Fraction(float(factor)) for factor in factors.values())
    assert Fraction(analysis.correct.min_margin) == 2 * first**2 * second


def test_a_module_that_squares_is_compared_with_its_tensors():
    torch = pytest.importorskip("torch")

    class Net(torch.nn.Module):
        def __init__(self, power):
            super().__init__()
            self.fc1, self.fc2, self.power = torch.nn.Linear(2 * N, N * N, bias=False), torch.nn.Linear(N * N, N, bias=False), power
            self.load_state_dict({name: torch.from_numpy(tensor) for name, tensor in lookup().items()})

        def forward(self, x, y):
            hot = torch.nn.functional.one_hot
            joined = torch.cat([hot(x, N), hot(y, N)], dim=1).float()
            return self.fc2(self.fc1(joined).abs() ** self.power)

    assert verify.analyse(Net(2), "S3").correct.right == 36
    with pytest.raises(MalformedInput, match="computes what its tensors say"):
        verify.analyse(Net(3), "S3")
