"""What coqc accepts and what it refuses."""

import dataclasses
import itertools
import re
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from verify.formal.plan import plan_text
from verify.formal.project import theory_files
from verify.formal.text import StoredNetwork, mistakes_text, network_text, theorem_text

S3 = list(itertools.permutations(range(3)))
NUMBERING = [S3[k] for k in (5, 0, 3, 1, 4, 2)]
#: Coq's words for what is taken without proof.
UNPROVED = re.compile(
    r"\b(Admitted|admit|give_up|Axioms?|Parameters?|Conjecture|Hypothes[ie]s|Variables?|Context|Guard Checking|bypass_check)\b"
)
#: Primitive integers and arrays, and their specifications.
PRIMITIVE = re.compile(r"(PrimInt63|Uint63|PArray)\.\w+")


def texts(network: StoredNetwork) -> dict[str, str]:
    return {"Network.v": network_text(network), "Theorem.v": theorem_text(network)}


def without_comments(text: str) -> str:
    return re.sub(r"\(\*.*?\*\)", "", text, flags=re.DOTALL)


@pytest.mark.parametrize("name", [name for name in theory_files() if name.endswith(".v")])
def test_nothing_in_the_theory_is_taken_without_proof(name: str) -> None:
    """No file holds an axiom, an admitted proof or a switched-off check."""
    assert UNPROVED.findall(without_comments(theory_files()[name])) == []


def test_a_right_network_has_its_theorem(projects: SimpleNamespace, theory: Path, tmp_path: Path) -> None:
    """The look-up network of S3 is right; its theorem rests on primitive integers and arrays alone."""
    network = projects.lookup(NUMBERING)
    folder = projects.write(tmp_path / "project", texts(network), theory)
    first, second = projects.coqc(folder, "Network.v"), projects.coqc(folder, "Theorem.v")
    axioms = re.findall(r"^(\S+)\s*:", second.stdout.partition("Axioms:\n")[2], re.MULTILINE)

    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert axioms
    assert all(PRIMITIVE.fullmatch(name) for name in axioms)


#: What the kernel says of a proof by computation whose computation ends in something else.
KERNEL = 'The term "eq_refl" has type "true = true" while it is expected to have type "{} '


def refused_by_the_kernel(projects: SimpleNamespace, folder: Path, check: str, own: tuple[str, ...]) -> None:
    """The project compiles but for one line of Theorem.v: there the kernel computes the check, and finds that it is not true."""
    for name in own:
        assert projects.coqc(folder, name).returncode == 0
    refused = projects.coqc(folder, "Theorem.v")
    assert refused.returncode != 0
    assert KERNEL.format(check) in " ".join(refused.stderr.split())
    assert "multiplies" not in refused.stdout


@pytest.mark.parametrize("flip", [0, 20, 35])
def test_one_flipped_answer_is_refused_by_the_kernel(flip: int, projects: SimpleNamespace, theory: Path, tmp_path: Path) -> None:
    """One vote of the look-up network on another element, at the first, at some and at the last pair, written as a right network is."""
    folder = projects.write(tmp_path / "project", texts(projects.lookup(flip=flip)), theory)
    refused_by_the_kernel(projects, folder, "check", ("Network.v",))


@pytest.mark.slow
def test_one_flipped_answer_is_refused_by_the_kernel_through_tables(projects: SimpleNamespace, theory: Path, tmp_path: Path) -> None:
    """The same at the last pair, with a plan that does not know of it."""
    network, right = projects.lookup(flip=35), projects.lookup()
    plan = plan_text(projects.plan(right, False))
    for name, one in (("right", right), ("flipped", network)):
        files = {"Network.v": network_text(one), "Theorem.v": theorem_text(one, True), "Plan.v": plan}
        files["Makefile"] = theory_files()["Makefile"]
        folder = projects.write(tmp_path / name, files, theory)
        subprocess.run(["make", "-s", "theory/AllPairs.vo"], cwd=folder, check=True, capture_output=True, timeout=600)
        if name == "flipped":
            refused_by_the_kernel(projects, folder, "check_tables", ("Network.v", "Plan.v"))
        else:
            made = [projects.coqc(folder, file) for file in ("Network.v", "Plan.v", "Theorem.v")]
            assert [done.returncode for done in made] == [0, 0, 0]


def mistakes(projects: SimpleNamespace, network: StoredNetwork) -> StoredNetwork:
    """The network with its mistakes, by definition."""
    n = range(len(network.numbering))
    found = []
    for x in n:
        for y in n:
            logits = [projects.logit(network, x, y, z) for z in n]
            w = network.numbering.index(projects.times(network.numbering[x], network.numbering[y]))
            if any(logits[z] >= logits[w] for z in n if z != w):
                found.append((network.numbering[x], network.numbering[y]))
    return dataclasses.replace(network, mistakes=found)


def test_a_network_with_a_mistake_has_the_theorem_that_names_it(projects: SimpleNamespace, theory: Path, tmp_path: Path) -> None:
    """The flipped network is right but at one pair, and with another pair instead there is no theorem."""
    network = mistakes(projects, projects.lookup(flip=7))
    folder = projects.write(tmp_path / "project", texts(network) | {"Mistakes.v": mistakes_text(network)}, theory)
    made = [projects.coqc(folder, name) for name in ("Network.v", "Mistakes.v", "Theorem.v")]
    axioms = re.findall(r"^(\S+)\s*:", made[2].stdout.partition("Axioms:\n")[2], re.MULTILINE)

    assert len(network.mistakes) == 1
    assert [one.returncode for one in made] == [0, 0, 0], made[2].stderr
    assert "~ In (x, y) mistakes" in made[2].stdout
    assert axioms
    assert all(PRIMITIVE.fullmatch(name) for name in axioms)
    stated = mistakes_text(dataclasses.replace(network, mistakes=[(S3[2], S3[3])]))
    (folder / "Mistakes.v").write_text(stated, encoding="utf-8")
    assert network.mistakes != [(S3[2], S3[3])]
    assert projects.coqc(folder, "Mistakes.v").returncode == 0
    assert projects.coqc(folder, "Theorem.v").returncode != 0
