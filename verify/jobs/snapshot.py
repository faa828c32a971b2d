"""What one snapshot of a training run computes, and with which subgroups and irreps.

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

import math
import re
from typing import TYPE_CHECKING, NamedTuple, TypeGuard

import numpy as np

from net.errors import MalformedInput
from reports.records import Record
from verify.record.summary import in_float64

if TYPE_CHECKING:
    from pathlib import Path

    from algebra.lattice import SubgroupLattice
    from verify.analysis import Analysis

Snapshot = Record
#: Steps are below this: pages and figures compute with them in float64, which holds all integers below it.
STEPS = 2**53
#: Seeds are below this, which is as far as integers of 64 bits go.
SEEDS = 2**64
#: A file's name that tells its step: a number alone, or after one of these words.
_NAMED = re.compile(r"(?:^|(?:step|epoch|iter|iteration|checkpoint|ckpt|snapshot)s?[^0-9A-Za-z]*)([0-9]+)", re.IGNORECASE)


class Numbering(NamedTuple):
    """How a file numbers the group's elements, and which product its network learns; names that `verify.analyse` takes."""

    order: str
    product: str


def snapshot(path: Path, group: str | None, programs: bool, step: int | None = None, known: Numbering | None = None) -> Snapshot:
    """The figures of one checkpoint, of a file that holds several the one of this step; see the module's docstring.

    A network at chance does not show how its elements are numbered: where its file does not say so either, it is read as ``known``.
    One that cannot be read has a ``reason`` in place of figures.
    """
    from algebra.errors import GroupError
    from verify.analysis import analyse

    row: Snapshot = {"file": path.name, "step": named_step(path) if step is None else step}
    try:
        try:
            analysis = analyse(path, group, timeout_s=0, step=step)
        except MalformedInput:
            if known is None:
                raise
            analysis = analyse(path, group, timeout_s=0, step=step, order=known.order, product=known.product)
        details = {} if analysis.network.source is None else analysis.network.source.details
        if step is None and (stated := _stated_step(details)) is not None:
            row["step"] = stated
    except (MalformedInput, GroupError, OSError) as error:
        return row | {"reason": str(error)}
    row |= {"group": analysis.group.name, "width": analysis.network.width}
    seed = _config(details).get("seed")
    if _is_count(seed, SEEDS):
        row["seed"] = seed
    row |= _answers(analysis, details)
    row |= _mechanism(analysis)
    if programs:
        program = analysis.programs["readable"]
        order, bias = analysis.group.order, bool(analysis.weights.b.any())
        parameters = 3 * order * analysis.network.width + order * bias
        row |= {"ratio": program.constants / parameters, "fve": analysis.levels.logits.logit_fve}
    return row


def named_step(path: Path) -> int | None:
    """The step that a file's name tells: 20 of 0000020.pt, epoch-20.pt or S5-seed1-step20.pt; None of S5-seed1.pt or run-2.pt."""
    stem = path.stem
    numbers = [stem] if re.fullmatch("[0-9]+", stem) else re.findall(_NAMED, stem)
    if not numbers or len(numbers[-1].lstrip("0")) > len(str(STEPS)):
        return None
    step = int(numbers[-1])
    return step if step < STEPS else None


def _stated_step(details: dict[str, object]) -> int | None:
    """The step that a file states; None where it states no integer.

    Raises:
        MalformedInput: `check_step` refuses it.

    """
    stated = details.get("step")
    if not isinstance(stated, int):
        return None
    check_step(stated, "the file")
    return stated


def check_step(stated: int, where: str) -> None:
    """Refuse what is no step.

    Raises:
        MalformedInput: it is a truth value, negative, or not below `STEPS`.

    """
    if not _is_count(stated, STEPS):
        shown = f"{stated}".lower() if abs(stated) < STEPS else "one beyond that"
        raise MalformedInput(f"expected a step from 0 to 2^53 - 1 in {where}, got {shown}")


def _config(details: dict[str, object]) -> dict[str, object]:
    config = details.get("config")
    return config if isinstance(config, dict) else {}


def _is_count(value: object, bound: int) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < bound


def _answers(analysis: Analysis, details: dict[str, object]) -> Snapshot:
    """Right pairs in all, and apart for those trained on and the others where the file says which they are."""
    from verify.exact import exhaustive

    mul = analysis.group.mul
    right = exhaustive.correct_pairs(analysis.evaluation, mul)
    margin = exhaustive.smallest_margin(analysis.weights, analysis.evaluation, mul)
    exact = None if margin is None else str(margin[0])
    row: Snapshot = {
        "pairs": mul.size,
        "right": int(right.sum()),
        "min_margin": in_float64(exact),
        "exact_min_margin": exact,
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

    seed, fraction = _config(details).get("seed"), _config(details).get("fraction")
    if not _is_count(seed, SEEDS) or not isinstance(fraction, float) or not 0 <= fraction <= 1:  # NaN is none of them
        return None
    pairs = training_pairs(analysis.group.order, fraction, seed)
    if split_digest(pairs) != details.get("split_sha256"):
        return None
    mask = np.zeros(analysis.group.order**2, dtype=bool)
    mask[pairs] = True
    return mask.reshape(analysis.group.order, -1)


def _mechanism(analysis: Analysis) -> Snapshot:
    """Shares of energy by class of subgroups and by irrep, the labelled share, and the rank-one share.

    Where there is no energy no share is known: ``labelled`` and ``rank_one`` are None and nothing has a part. Where irreps were not
    measured ``rank_one`` is None. The rank-one share is rounded to twelve digits, beyond which float64 does not carry it.
    """
    neurons = analysis.neurons
    energy = np.array([neuron.energy_share for neuron in neurons])
    row: Snapshot = {"labelled": None, "rank_one": None, "classes": {}, "irreps": {}}
    if not energy.sum() > 0:
        return row
    names = [None if neuron.left is None else _class(analysis.lattice, neuron.left) for neuron in neurons]
    classes = {name: np.array([one == name for one in names]) for name in names if name is not None}
    row |= {
        "labelled": part_of(energy, np.array([neuron.kind not in ("raw", "dead") for neuron in neurons])),
        "classes": _sorted({name: part_of(energy, inside) for name, inside in classes.items()}),
    }
    parts = _irrep_parts(analysis)
    if parts is not None:
        row["rank_one"] = round(min(1.0, float(parts.rank_one @ energy / energy.sum())), 12)
        row["irreps"] = _sorted({name: part_of(energy, lives) for name, lives in zip(parts.names, parts.lives, strict=True)})
    return row


def part_of(energy: np.ndarray, inside: np.ndarray) -> float:
    """The share of the energy [neuron] in the neurons of a mask: 1 only where the others have none, 0 only where these have none."""
    part, rest = math.fsum(energy[inside]), math.fsum(energy[~inside])
    if part == 0 or rest == 0:
        return float(part > 0)
    return min(max(part / (part + rest), math.ulp(0.0)), math.nextafter(1.0, 0.0))


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
    return {name: part for name, part in sorted(shares.items(), key=lambda item: (-item[1], item[0])) if part > 0}
