"""The checker's comparison of a Coq project with its checkpoint: what is the same, and what must be refused."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from verify.checker.command import main
from verify.checker.coq import MAKEFILE, PLAN, PLAN_HEADER, THEORY
from verify.cli import execute
from verify.formal.plan import CoqPlan, PlanFamily, PlanStep, plan_text
from verify.formal.project import theory_files

ACCEPTED = Path(__file__).parents[2] / "certificates" / "accepted"
NAMES = sorted(path.stem for path in ACCEPTED.glob("*.json"))


def sealed(certificate: dict[str, Any]) -> bytes:
    """The certificate with the digest of what it says."""
    blank = json.dumps({**certificate, "sha256": ""}, ensure_ascii=False, separators=(",", ":"))
    return json.dumps({**certificate, "sha256": hashlib.sha256(blank.encode()).hexdigest()}).encode()


def compare(name: str, project: Path) -> int:
    return main([str(ACCEPTED / f"{name}.json"), "--checkpoint", str(ACCEPTED / f"{name}.ckpt"), "--coq", str(project)])


def export(name: str, project: Path) -> Path:
    arguments = ["export", "coq", str(ACCEPTED / f"{name}.json"), "--checkpoint", str(ACCEPTED / f"{name}.ckpt"), "--out", str(project)]
    assert execute(arguments) == 0
    return project


def test_the_digest_is_that_of_the_theory() -> None:
    """The checker knows the theory of this version."""
    texts = sorted((name, text) for name, text in theory_files().items() if name.startswith("theory/"))
    data = b"".join(name.encode() + b"\n" + text.encode() for name, text in texts)

    assert hashlib.sha256(data).hexdigest() == THEORY


@pytest.mark.parametrize("name", NAMES)
def test_both_writers_write_the_same_bytes(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The checker's own reading of the checkpoint gives the Network.v and the Theorem.v that were exported."""
    project = export(name, tmp_path / "project")

    assert compare(name, project) == 0
    assert capsys.readouterr().out.endswith("s SAME NETWORK\n")


def change(text: str, pattern: str, replacement: str) -> str:
    changed = re.sub(pattern, replacement, text, count=1)
    assert changed != text
    return changed


@pytest.mark.parametrize(
    ("file", "pattern", "replacement"),
    [
        ("Network.v", r"left_high : list \(list int\) :=\n\[\[(\d)", r"left_high : list (list int) :=\n[[1\1"),
        ("Network.v", r"bias_entries : list Z :=\n\[", "bias_entries : list Z :=\n[1"),
        ("Network.v", r"generated 3", "generated 2"),
        ("Network.v", r"(elements : list permutation :=\n\[\[)0;1;2", r"\g<1>1;0;2"),
        ("Theorem.v", "z <> x", "z = x"),
        ("Theorem.v", r"\(x \* y\)\)%Z", "(y * x))%Z"),
        ("Theorem.v", "Proof. exact", "Admitted. (*"),
        ("Mistakes.v", r"\(\[0;", "([1;"),
        ("Mistakes.v", r"concat\n\[\[\(.*?\)[;\]]", "concat\n[["),
        ("theory/Definitions.v", "Z.max v 0", "Z.max v 1"),
        ("theory/Pairs.v", "Qed", "Admitted"),
    ],
)
def test_one_change_is_refused(file: str, pattern: str, replacement: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One weight, a generator, an element, the statement, a mistake or the theory changed: the comparison fails."""
    name = "refuted_network" if file == "Mistakes.v" else "s3_every_form"
    project = export(name, tmp_path / "project")
    path = project / file
    path.write_text(change(path.read_text(encoding="utf-8"), pattern, replacement), encoding="utf-8")

    assert compare(name, project) == 1
    assert capsys.readouterr().out.endswith("s NOT VERIFIED\n")


def test_a_file_more_or_less_is_refused(tmp_path: Path) -> None:
    """A project has the files that it was written with."""
    project = export("s3_every_form", tmp_path / "project")
    (project / "More.v").write_text("Axiom all : False.", encoding="utf-8")
    assert compare("s3_every_form", project) == 1
    (project / "More.v").unlink()
    (project / "Theorem.v").unlink()
    assert compare("s3_every_form", project) == 1
    (tmp_path / "nothing").mkdir()
    assert compare("s3_every_form", tmp_path / "nothing") == 1
    assert compare("s3_every_form", tmp_path / "nowhere") == 4


def test_the_makefile_is_compared(tmp_path: Path) -> None:
    """One that compiles nothing, or one that make would take in its place, is refused; and the digest is that of this version's."""
    project = export("s3_every_form", tmp_path / "project")
    text = (project / "Makefile").read_bytes()
    assert hashlib.sha256(text).hexdigest() == MAKEFILE
    (project / "Makefile").write_bytes(text.replace(b"$(COQC) $(COQFLAGS) $<", b"touch $@"))
    assert compare("s3_every_form", project) == 1
    (project / "Makefile").write_bytes(text)
    assert compare("s3_every_form", project) == 0
    for name in ("GNUmakefile", "makefile"):
        (project / name).write_text("Theorem.vo:")
        assert compare("s3_every_form", project) == 1
        (project / name).unlink()
    (project / "Makefile").unlink()
    assert compare("s3_every_form", project) == 4


@pytest.mark.parametrize("pair", [[-1, 0], [0, -6], [6, 0], [0, 10**30]])
def test_wrong_pairs_that_are_no_elements_are_malformed(pair: list[int], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They have no permutations, and a negative one is not counted from the end."""
    project = export("refuted_network", tmp_path / "project")
    certificate = json.loads((ACCEPTED / "refuted_network.json").read_bytes())
    certificate["correct"]["wrong"].append([*pair, 0])
    stated = tmp_path / "certificate.json"
    stated.write_bytes(sealed(certificate))

    assert main([str(stated), "--checkpoint", str(ACCEPTED / "refuted_network.ckpt"), "--coq", str(project)]) == 4
    assert "wrong pairs of two elements" in capsys.readouterr().err


def test_what_a_reading_says_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As it is where all statements are checked: the file itself does not say what its tensors are for."""
    certificate = json.loads((ACCEPTED / "s3_every_form.json").read_bytes())
    reading = {"hidden_left": "L", "hidden_right": "R", "out": "U", "bias": "b"}
    certificate["checkpoint"] |= {"format": "by meaning", "reading": reading}
    stated, checkpoint = tmp_path / "certificate.json", ACCEPTED / "s3_every_form.ckpt"
    stated.write_bytes(sealed(certificate))
    project = export("s3_every_form", tmp_path / "project")

    assert main([str(stated), "--checkpoint", str(checkpoint), "--coq", str(project)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-3:] == [
        "logits(x, y) = relu(L[x] + R[y]) U + b",
        "474 weights of the Coq project are those of the checkpoint",
        "s SAME NETWORK",
    ]


def test_another_network_is_refused(tmp_path: Path) -> None:
    """The project of one network is not that of another one."""
    assert compare("s3_float64", export("s3_every_form", tmp_path / "project")) == 1


def test_a_plan_is_numbers_and_nothing_else() -> None:
    """Whatever plan is written is let through; one word more is not."""
    families = [PlanFamily([0, 2], [[5, -3], [7, 0]], [0, 1, 1]), PlanFamily([1], [[1]], [0, 0, 0])]
    text = plan_text(CoqPlan(True, families, [PlanStep(0, 1, [(0, 0), (1, 0)], [0, 1, 1])], [2], 3, 4))

    assert text.startswith(PLAN_HEADER)
    assert PLAN.fullmatch(text, len(PLAN_HEADER))
    for word in ("Axiom all : False.\n", "Unset Guard Checking.\n", "(* *)\n", "Definition mirrored : bool := true.\n"):
        assert not PLAN.fullmatch(text + word, len(PLAN_HEADER))
        assert not PLAN.fullmatch(text.replace("Definition chosen", word + "Definition chosen"), len(PLAN_HEADER))
