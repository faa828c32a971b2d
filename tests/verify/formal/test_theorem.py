"""What coqc accepts and what it refuses."""

import dataclasses
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from verify.formal.project import theory_files
from verify.formal.text import network_text, theorem_text

NUMBERING = [(2, 1, 0), (0, 1, 2), (1, 2, 0), (0, 2, 1), (2, 0, 1), (1, 0, 2)]
#: Coq's words for what is taken without proof.
UNPROVED = re.compile(
    r"\b(Admitted|admit|give_up|Axioms?|Parameters?|Conjecture|Hypothes[ie]s|Variables?|Context|Guard Checking|bypass_check)\b"
)
#: Primitive integers and arrays, and their specifications.
PRIMITIVE = re.compile(r"(PrimInt63|Uint63|PArray)\.\w+")


def texts(network: object) -> dict[str, str]:
    return {"Network.v": network_text(network), "Theorem.v": theorem_text(network)}


def without_comments(text: str) -> str:
    return re.sub(r"\(\*.*?\*\)", "", text, flags=re.DOTALL)


@pytest.mark.parametrize("name", [name for name in theory_files() if name.endswith(".v")])
def test_nothing_in_the_theory_is_taken_without_proof(name: str) -> None:
    """No file holds an axiom, an admitted proof or a switched-off check."""
    assert UNPROVED.findall(without_comments(theory_files()[name])) == []


@pytest.mark.parametrize("numbering", [None, NUMBERING])
def test_a_right_network_has_its_theorem(projects: SimpleNamespace, theory: Path, tmp_path: Path, numbering: object) -> None:
    """The look-up network of S3 is right; its theorem rests on primitive integers and arrays alone."""
    network = projects.lookup(numbering or projects.S3)
    folder = projects.write(tmp_path / "project", texts(network), theory)
    first, second = projects.coqc(folder, "Network.v"), projects.coqc(folder, "Theorem.v")
    axioms = re.findall(r"^(\S+)\s*:", second.stdout.removeprefix("Axioms:\n"), re.MULTILINE)

    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert axioms
    assert all(PRIMITIVE.fullmatch(name) for name in axioms)


def test_one_flipped_answer_is_refused(projects: SimpleNamespace, theory: Path, tmp_path: Path) -> None:
    """The same network with one vote on another element: the proof of the theorem fails."""
    folder = projects.write(tmp_path / "project", texts(projects.lookup(flip=True)), theory)

    assert projects.coqc(folder, "Network.v").returncode == 0
    refused = projects.coqc(folder, "Theorem.v")
    assert refused.returncode != 0
    assert "Theorem.v" in refused.stderr


def test_a_tie_is_refused(projects: SimpleNamespace, theory: Path, tmp_path: Path) -> None:
    """A network without votes ties everywhere, and no statement says that it is right."""
    network = projects.lookup()
    silent = dataclasses.replace(network, votes=[[0] * len(row) for row in network.votes])
    folder = projects.write(tmp_path / "project", texts(silent), theory)

    assert projects.coqc(folder, "Network.v").returncode == 0
    assert projects.coqc(folder, "Theorem.v").returncode != 0


def test_a_margin_below_the_rounding_is_decided_exactly(projects: SimpleNamespace, theory: Path, tmp_path: Path) -> None:
    """A bias that makes every margin one part in 2^190 is seen by the exact comparison, and one more step makes a tie."""
    network = projects.lookup(scale=1 << 100)
    margin = max(network.votes[0]) * max(network.right[0])
    for step, code in ((0, 1), (1, 0)):
        # element 0 is the answer to six pairs only; everywhere else it must stay behind by one unit
        bias = [margin - step, *[0] * 5]
        lifted = dataclasses.replace(network, bias=bias)
        folder = projects.write(tmp_path / f"project{step}", texts(lifted), theory)

        assert projects.coqc(folder, "Network.v").returncode == 0
        assert projects.coqc(folder, "Theorem.v").returncode == code


def test_the_theorem_is_about_every_element(projects: SimpleNamespace, theory: Path, tmp_path: Path) -> None:
    """A numbering that leaves out an element, or holds one twice, is refused."""
    network = projects.lookup()
    for k, numbering in enumerate(([*projects.S3[:5], projects.S3[0]], projects.S3[:5])):
        rows = len(numbering)
        cut = dataclasses.replace(
            network,
            numbering=numbering,
            left=network.left[:rows],
            right=network.right[:rows],
            votes=network.votes[:rows],
            bias=network.bias[:rows],
        )
        folder = projects.write(tmp_path / f"project{k}", texts(cut), theory)

        assert projects.coqc(folder, "Network.v").returncode == 0
        assert projects.coqc(folder, "Theorem.v").returncode != 0
