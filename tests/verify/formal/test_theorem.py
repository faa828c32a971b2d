"""What coqc accepts and what it refuses."""

import dataclasses
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from verify.formal.plan import CoqPlan, Family, Step, plan_text
from verify.formal.project import theory_files
from verify.formal.text import StoredNetwork, network_text, scaled, splits, theorem_text

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
    axioms = re.findall(r"^(\S+)\s*:", second.stdout.partition("Axioms:\n")[2], re.MULTILINE)

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


def trivial_plan(network: StoredNetwork, mirrored: bool, spoiled: int = 0) -> CoqPlan:
    """Every element by itself, the neurons in three families in an odd order, two of them merged; `spoiled` is added to one level."""
    cut, _ = splits(network)
    rows = scaled(network.right if mirrored else network.left, cut)
    n, m = len(rows), len(rows[0])
    order = [(5 * i + 2) % m for i in range(m)]
    cells = list(range(n))
    groups = [order[: m // 3], order[m // 3 : m // 2], order[m // 2 :]]
    families = [Family(group, [[row[i] for i in group] for row in rows], cells) for group in groups]
    if spoiled:
        families[2].levels[3][1] += spoiled
    return CoqPlan(mirrored, families, [Step(0, 2, [(k, k) for k in cells[::-1]], cells[::-1])], [1, 3], 14, 13)


@pytest.mark.parametrize("mirrored", [False, True])
def test_tables_prove_a_right_network_and_refuse_a_wrong_one(
    projects: SimpleNamespace, theory: Path, tmp_path: Path, mirrored: bool
) -> None:
    """Through tables: the right network has its theorem, with a bad level too (pairs are then evaluated); the flipped one has none."""
    for name, flip, spoiled, code in (("right", False, 0, 0), ("bad", False, 1 << 22, 0), ("flipped", True, 0, 1)):
        network = projects.lookup(flip=flip)
        plan = trivial_plan(network, mirrored, spoiled)
        files = {"Network.v": network_text(network), "Plan.v": plan_text(plan), "Theorem.v": theorem_text(network, True)}
        folder = projects.write(tmp_path / name, files, theory)

        assert projects.coqc(folder, "Network.v").returncode == 0
        made = projects.coqc(folder, "Plan.v")
        assert made.returncode == 0, made.stderr
        assert projects.coqc(folder, "Theorem.v").returncode == code


def test_a_plan_that_leaves_out_a_neuron_is_refused(projects: SimpleNamespace, theory: Path, tmp_path: Path) -> None:
    """Each neuron stands in the plan once."""
    network = projects.lookup()
    plan = trivial_plan(network, False)
    families = [Family([*plan.families[0].members[:-1], plan.families[1].members[0]], plan.families[0].levels, plan.families[0].cells)]
    twice = dataclasses.replace(plan, families=[*families, *plan.families[1:]])
    files = {"Network.v": network_text(network), "Plan.v": plan_text(twice), "Theorem.v": theorem_text(network, True)}
    folder = projects.write(tmp_path / "project", files, theory)

    assert [projects.coqc(folder, name).returncode for name in ("Network.v", "Plan.v", "Theorem.v")] == [0, 0, 1]


def test_coq_and_python_compute_the_same_logits(projects: SimpleNamespace, theory: Path, tmp_path: Path) -> None:
    """On random networks over S3 Coq's definition of a logit, evaluated, is Python's; so is which of them are largest."""
    network = projects.random(11, numbering=NUMBERING, spread=2**40)
    cut, votes = splits(network)
    unit = cut.shift + votes.shift
    rows = "; ".join("[" + "; ".join(map(str, images)) + "]" for images in NUMBERING)
    asked = f"""From Coq Require Import ZArith List.
From CosetVerify Require Import Definitions.
Require Import Network.
Import ListNotations.
Definition all : list permutation := [{rows}]%nat.
Eval vm_compute in map (fun x => map (fun y => map (fun z => logit weights x y z) all) all) all.
"""
    folder = projects.write(tmp_path / "project", {"Network.v": network_text(network), "Asked.v": asked}, theory)

    assert projects.coqc(folder, "Network.v").returncode == 0
    said = projects.coqc(folder, "Asked.v").stdout.partition(": list")[0]
    n = range(len(NUMBERING))
    assert [int(v) for v in re.findall(r"-?\d+", said)] == [projects.logit(network, x, y, z) << unit for x in n for y in n for z in n]
