"""A training run watched through its snapshots: what the network computes at each, and with which subgroups and irreps.

Every figure is one network's, exact where it counts pairs and measured otherwise:

- pairs right among those trained on and among the others (exact), and the least margin of the right answers;
- the share of energy (mean square activation times variance of votes) in neurons labelled with each class of subgroups, by the
  subgroup that x is read through (`verify.distil.labels`), and in all labelled neurons;
- the share of energy in neurons that live on each irrep rho: of L[:, i] and of R[:, i], means removed, at least the share
  (1 + s) / 2 of the variance lies in rho, s = d^2 / (|G| - 1) being that of white noise;
- the rank-one share: for each neuron the largest (d / |G|) sigma_1(f^(rho))^2 over irreps rho, over the sum of squares of
  f = L[:, i] or R[:, i]; the mean over both weighted by energy. It is 1 for a function a^T rho(g) b.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from net.checkpoint import steps_of
from net.discovery import checkpoints
from net.errors import MalformedInput
from reports.escaping import escaped
from verify.jobs.many import Died, finished

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from algebra.lattice import SubgroupLattice
    from verify.analysis import Analysis

Snapshot = dict[str, Any]
#: A class of subgroups or an irrep has appeared when it holds this share of the energy.
APPEARED = 0.05


def trace(
    folder: Path,
    group: str | None = None,
    jobs: int = 1,
    scheduler: str | None = None,
    programs: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> list[Snapshot]:
    """The figures of every checkpoint in a folder or file, in order of steps; one that cannot be read has a ``reason`` instead.

    The step is what the file states, or else the last number in its name. A file may hold the checkpoints of several steps, as
    `full_run.pth` of sn-grok does; a step that a file of its own has is not looked at again there. ``programs`` distils each as well,
    for the price of the readable program and the variance that it explains. ``jobs`` and ``scheduler`` are those of
    `verify.jobs.many.finished`.

    Raises:
        MalformedInput: there is no checkpoint, or none can be read.

    """
    work = _snapshots(checkpoints([folder]))
    rows: list[Snapshot] = []
    known = _numbering(work, group)
    for k, result in finished(snapshot, [(path, group, programs, step, known) for path, step in work], jobs, scheduler):
        path, step = work[k]
        row = {"file": path.name, "step": step, "reason": result.reason} if isinstance(result, Died) else result
        rows.append(row)
        progress(f"{len(rows)} of {len(work)}: {row['file']}" + ("" if step is None else f", step {step}"))
    if all("reason" in row for row in rows):
        raise MalformedInput(f"expected snapshots of a network in {folder}, got none that can be read: {rows[0]['reason']}")
    return sorted(rows, key=lambda row: (row["step"] is None, row["step"] or 0, row["file"]))


def _snapshots(paths: list[Path]) -> list[tuple[Path, int | None]]:
    """Every network in the files: those that hold one, with None, and of those that hold several each step that has no file."""
    several = {path: steps for path in paths if len(steps := steps_of(path)) > 1}
    work: list[tuple[Path, int | None]] = [(path, None) for path in paths if path not in several]
    there = {_step(path, {}) for path, _ in work if path.suffix == ".pth"}
    return work + [(path, step) for path, steps in several.items() for step in steps if step not in there]


class Numbering(NamedTuple):
    """How a file numbers the group's elements, and which product its network learns; names that `verify.analyse` takes."""

    order: str
    product: str


def _numbering(work: list[tuple[Path, int | None]], group: str | None) -> Numbering | None:
    """That of the last step, which is likeliest to show it; None where that cannot be read or its numbering has no name."""
    from algebra.errors import GroupError
    from algebra.numbering import ELEMENT_ORDERS
    from verify.analysis import analyse

    path, step = max(work, key=lambda one: (_step(one[0], {}) or 0) if one[1] is None else one[1])
    try:
        convention = analyse(path, group, timeout_s=0, step=step).network.convention
    except (MalformedInput, GroupError, OSError):
        return None
    return Numbering(convention.order, convention.product) if convention and convention.order in ELEMENT_ORDERS else None


def snapshot(path: Path, group: str | None, programs: bool, step: int | None = None, known: Numbering | None = None) -> Snapshot:
    """The figures of one checkpoint, of a file that holds several the one of this step; see the module's docstring.

    A network at chance does not show how its elements are numbered: where its file does not say so either, it is read as ``known``.
    """
    from algebra.errors import GroupError
    from verify.analysis import analyse

    try:
        try:
            analysis = analyse(path, group, timeout_s=0, step=step)
        except MalformedInput:
            if known is None:
                raise
            analysis = analyse(path, group, timeout_s=0, step=step, order=known.order, product=known.product)
    except (MalformedInput, GroupError, OSError) as error:
        return {"file": path.name, "step": _step(path, {}) if step is None else step, "reason": str(error)}
    details = {} if analysis.network.source is None else analysis.network.source.details
    row: Snapshot = {"file": path.name, "step": _step(path, details) if step is None else step}
    row |= _answers(analysis, details)
    row |= _mechanism(analysis)
    if programs:
        program = analysis.programs["readable"]
        order, bias = analysis.group.order, bool(analysis.weights.b.any())
        parameters = 3 * order * analysis.network.width + order * bias
        row |= {"ratio": program.constants / parameters, "fve": analysis.levels.logits.logit_fve}
    return row


def _step(path: Path, details: dict[str, object]) -> int | None:
    stated = details.get("step")
    if isinstance(stated, int):
        return stated
    numbers = re.findall(r"\d+", path.stem)
    return int(numbers[-1]) if numbers else None


def _answers(analysis: Analysis, details: dict[str, object]) -> Snapshot:
    """Right pairs in all, and apart for those trained on and the others where the file says which they are."""
    from verify.exact import exhaustive

    mul = analysis.group.mul
    right = exhaustive.correct_pairs(analysis.evaluation, mul)
    margin = exhaustive.smallest_margin(analysis.weights, analysis.evaluation, mul)
    row: Snapshot = {
        "pairs": mul.size,
        "right": int(right.sum()),
        "min_margin": None if margin is None else float(margin[0]),
        "live": int(sum(neuron.kind != "dead" for neuron in analysis.neurons)),
    }
    trained = _trained(analysis, details)
    if trained is not None:
        row |= {
            "trained_pairs": int(trained.sum()),
            "trained_right": int(right[trained].sum()),
            "held_out_right": int(right[~trained].sum()),
        }
    return row


def _trained(analysis: Analysis, details: dict[str, object]) -> np.ndarray | None:
    """Which pairs the run trained on, as a mask [x, y], where the file states its seed and share and the digest of the pairs agrees."""
    from net.training.state import split_digest, training_pairs

    config = details.get("config")
    if not isinstance(config, dict) or not isinstance(config.get("seed"), int) or not isinstance(config.get("fraction"), float):
        return None
    pairs = training_pairs(analysis.group.order, config["fraction"], config["seed"])
    if split_digest(pairs) != details.get("split_sha256"):
        return None
    mask = np.zeros(analysis.group.order**2, dtype=bool)
    mask[pairs] = True
    return mask.reshape(analysis.group.order, -1)


def _mechanism(analysis: Analysis) -> Snapshot:
    """Shares of energy by class of subgroups and by irrep, the labelled share, and the rank-one share."""
    lattice = analysis.lattice
    classes: dict[str, float] = defaultdict(float)
    for neuron in analysis.neurons:
        if neuron.left is not None:
            classes[_class(lattice, neuron.left)] += neuron.energy_share
    energy = np.array([neuron.energy_share for neuron in analysis.neurons])
    labelled = sum(neuron.energy_share for neuron in analysis.neurons if neuron.kind not in ("raw", "dead"))
    row: Snapshot = {"labelled": labelled, "rank_one": None, "classes": _sorted(classes), "irreps": {}}
    parts = _irrep_parts(analysis)
    if parts is not None and energy.sum() > 0:
        row["rank_one"] = float(parts.rank_one @ energy / energy.sum())
        row["irreps"] = _sorted({name: float(energy @ lives) for name, lives in zip(parts.names, parts.lives, strict=True)})
    return row


class _Parts(NamedTuple):
    """Names of irreps; ``lives`` [irrep, neuron]; the rank-one share of each neuron."""

    names: list[str]
    lives: np.ndarray
    rank_one: np.ndarray


def _irrep_parts(analysis: Analysis) -> _Parts | None:
    """The parts of L and R on each irrep; None where the group's irreps are not known. Complexity: O(|G|^2 width)."""
    from algebra.characters.fourier import transform
    from algebra.characters.irrep import irreps
    from algebra.errors import GroupError

    weights, order = analysis.searched.weights, analysis.group.order
    functions = np.concatenate([weights.L.T, weights.R.T])
    functions = functions - functions.mean(axis=1, keepdims=True)
    total = (functions**2).sum(axis=1)
    try:
        coefficients = transform(analysis.group, functions)
        names = [rho.name for rho in irreps(analysis.group)]
    except GroupError:
        return None
    best = np.zeros(len(functions))
    lives = []
    for matrices in coefficients:
        d = matrices.shape[-1]
        share = _over(d / order * (np.abs(matrices) ** 2).sum(axis=(1, 2)), total)
        lives.append((share >= (1 + d**2 / (order - 1)) / 2).reshape(2, -1).all(axis=0))
        best = np.maximum(best, d / order * np.linalg.norm(matrices, ord=2, axis=(1, 2)) ** 2)
    return _Parts(names, np.array(lives), _over(best, total).reshape(2, -1).mean(axis=0))


def _over(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.asarray(np.divide(part, whole, out=np.zeros_like(part), where=whole > 0))


def _class(lattice: SubgroupLattice, label: str) -> str:
    """The class of a neuron's subgroup in words: a star where its character is not trivial, "points of S4" where it reads several."""
    from algebra.errors import GroupError

    several = re.fullmatch(r"cosets of (.*) as points sent (?:from|to), weights [-0-9, ]*?(, times the sign that is 1 on .*)?", label)
    name, over, _ = (several[1], several[2], "") if several else label.partition(" over ")
    try:
        return ("points of " if several else "") + lattice.name_of(lattice.by_name(name)) + ("*" if over else "")
    except GroupError:
        return name


def _sorted(shares: dict[str, float]) -> dict[str, float]:
    return {name: round(share, 6) for name, share in sorted(shares.items(), key=lambda item: (-item[1], item[0])) if share > 0}


def events(rows: Sequence[Snapshot]) -> dict[str, Any]:
    """When what happened, in steps of the snapshots.

    ``half`` and ``nearly`` are the first at which half and 99 % of the held-out pairs are right, ``classes`` and ``irreps`` the first
    at which each holds `APPEARED` of the energy, ``vanished`` those that fall below half of that again, with the step of it.
    """
    read = [row for row in rows if "reason" not in row and row["step"] is not None]
    found: dict[str, Any] = {"half": None, "nearly": None, "classes": {}, "irreps": {}, "vanished": {}}
    for row in read:
        if "held_out_right" in row:
            share = row["held_out_right"] / max(1, row["pairs"] - row["trained_pairs"])
            for name, bar in (("half", 0.5), ("nearly", 0.99)):
                if found[name] is None and share >= bar:
                    found[name] = row["step"]
        for kind in ("classes", "irreps"):
            for name, share in row[kind].items():
                if share >= APPEARED:
                    found[kind].setdefault(name, row["step"])
            for name in found[kind]:
                if row[kind].get(name, 0.0) < APPEARED / 2:
                    found["vanished"].setdefault(name, row["step"])
    return found


def markdown(rows: Sequence[Snapshot]) -> str:
    """The table in Markdown: one row a snapshot, with its three leading classes and irreps; then the events."""
    lines = [
        "| step | trained | held out | right | least margin | live | labelled | rank one | classes | irreps |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        if "reason" in row:
            lines.append(f"| {_cell(row['step'])} | not read: {escaped(row['reason'])} |" + " |" * 8)
            continue
        held = None
        if "held_out_right" in row:
            held = row["held_out_right"] / max(1, row["pairs"] - row["trained_pairs"])
        cells = [
            row["step"],
            row["trained_right"] / max(1, row["trained_pairs"]) if "trained_right" in row else None,
            held,
            row["right"] / row["pairs"],
            row["min_margin"],
            row["live"],
            row["labelled"],
            row["rank_one"],
            ", ".join(f"{name} {share:.2f}" for name, share in list(row["classes"].items())[:3]),
            ", ".join(f"{name} {share:.2f}" for name, share in list(row["irreps"].items())[:3]),
        ]
        lines.append("| " + " | ".join(_cell(cell) for cell in cells) + " |")
    found = events(rows)
    lines += ["", f"Half of the held-out pairs right: step {_cell(found['half'])}. 99 %: step {_cell(found['nearly'])}."]
    for kind, title in (("classes", "Classes of subgroups"), ("irreps", "Irreps")):
        words = ", ".join(f"{escaped(name)} at {step}" for name, step in found[kind].items())
        lines.append(f"{title} with {APPEARED:.0%} of the energy for the first time: {words or 'none'}.")
    words = ", ".join(f"{escaped(name)} at {step}" for name, step in found["vanished"].items())
    lines.append(f"Fallen below half of that again: {words or 'none'}.")
    if any(name.endswith("*") for row in rows for name in row.get("classes", {})):
        lines.append("A star marks twisted ones: cosets are read times a sign.")
    return "\n".join(lines) + "\n"


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else escaped(value)
