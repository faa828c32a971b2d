"""Writes the Coq project of a run: the theory, Network.v, Theorem.v, a Makefile, and Plan.v and Mistakes.v where they are needed."""

import shutil
import tempfile
from importlib import resources
from pathlib import Path

import numpy as np

from algebra.group import parse_group
from algebra.permutation import parse_cycles
from net.checkpoint import ReadOptions, open_checkpoint
from net.errors import MalformedInput
from net.folded import fold
from verify.formal.plan import CoqPlan, make_plan, plan_text
from verify.formal.text import StoredNetwork, in_least_units, mistakes_text, network_text, theorem_text
from verify.program.program import GroupRecord
from verify.record.certificate import CheckpointRecord, Correct


def stored_network(
    group_record: GroupRecord, record: CheckpointRecord, correct: Correct, checkpoint: Path
) -> tuple[StoredNetwork, CoqPlan | None]:
    """The network in the file, in its own numbering, with the elements, product and mistakes that the records state, and its plan.

    Raises MalformedInput when the file is not the one that the records are about.
    """
    group = parse_group(group_record.name)
    opened = open_checkpoint(checkpoint, ReadOptions(layout=record.reading))
    _, layers, source = opened.ways(opened.elements())[0]
    if source.sha256 != record.sha256:
        raise MalformedInput(f"expected the checkpoint with digest {record.sha256[:16]}..., got one with {source.sha256[:16]}...")
    if sorted(record.numbering) != list(range(group.order)) or len(layers.left[0]) != group.order:
        raise MalformedInput(f"expected a certificate and a checkpoint over the group {group.name}, got others")
    network = fold(layers, group, source)
    if network.weights.activation == "square":
        raise MalformedInput("expected a network of relu for a Coq project, got one of squares, which the theory does not have")
    if record.product == "right-first":
        network = network.exchanged()
    exact = network.weights.exact()
    element = [tuple(int(i) for i in images) for images in group.elements]
    stored = in_least_units(
        StoredNetwork(
            name=group.name,
            degree=group.degree,
            generators=[parse_cycles(text, group.degree) for text in group_record.generators],
            numbering=[element[g] for g in record.numbering],
            left=exact.L.tolist(),
            right=exact.R.tolist(),
            votes=exact.U.T.tolist(),
            bias=exact.b.tolist(),
            input_bits=exact.preactivation_bits,
            vote_bits=exact.vote_bits,
            sha256=record.sha256,
            product=record.product,
            mistakes=[(element[x], element[y]) for x, y, _ in sorted(correct.wrong)],
        )
    )
    in_order = network.permuted(np.argsort(record.numbering))
    return stored, make_plan(stored, group, in_order.weights, record.numbering)


def theory_files() -> dict[str, str]:
    """The texts of the theory and of the Makefile, by the names that they have in a project."""
    package = resources.files("verify.formal")
    names = sorted(entry.name for entry in package.joinpath("theory").iterdir() if entry.name.endswith(".v"))
    texts = {f"theory/{name}": package.joinpath("theory", name).read_text(encoding="utf-8") for name in names}
    return texts | {"Makefile": package.joinpath("theory.mk").read_text(encoding="utf-8")}


def write_project(network: StoredNetwork, plan: CoqPlan | None, out: Path) -> list[str]:
    """Write the project into the directory `out`, which must not hold anything but an earlier project; returns the files' names."""
    texts = theory_files() | {"Network.v": network_text(network), "Theorem.v": theorem_text(network, plan is not None)}
    texts |= {} if plan is None else {"Plan.v": plan_text(plan)}
    texts |= {"Mistakes.v": mistakes_text(network)} if network.mistakes else {}
    if out.exists() and not (out.is_dir() and (not any(out.iterdir()) or (out / "theory" / "Definitions.v").is_file())):
        raise MalformedInput(f"expected a new or empty directory or an earlier export, got {out}; name another one with --out")
    out.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        for name, text in texts.items():
            (work / name).parent.mkdir(exist_ok=True)
            (work / name).write_text(text, encoding="utf-8")
        work.chmod(0o755)
        if out.exists():
            shutil.rmtree(out)
        work.rename(out)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return sorted(texts)
