"""summary.json: the measured figures of a run beside the proved ones, a stable interface for other programs.

Floats are rounded to six significant digits. Times are here and nowhere else: the certificate has none.
"""

from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt

from algebra.lattice import SubgroupLattice
from net.weights import Weights
from verify.distil.coset_fit import Floats
from verify.distil.curve import Distillation
from verify.distil.labels import NeuronLabel, SideLabel
from verify.exact.exhaustive import Evaluation
from verify.program.program import Program
from verify.record.certificate import Certificate


def rounded(value: Any) -> Any:
    """The value with every float in it rounded to six significant digits; NaN becomes None."""
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(v) for v in value]
    if isinstance(value, float | np.floating):
        return None if not np.isfinite(value) else float(f"{float(value):.6g}")
    return int(value) if isinstance(value, np.integer) else value


def family_name(lattice: SubgroupLattice, label: NeuronLabel) -> str:
    """The family that a neuron belongs to: its left subgroup's class and how it is used."""
    if label.left is None or label.right is None:
        return label.kind
    if label.kind == "sign":
        return "sign"
    names = [lattice.names[lattice.class_of[side.subgroup]] for side in (label.left, label.right)]
    name = names[0] if names[0] == names[1] else " / ".join(names)
    return name if label.kind == "coset" else f"{name} {label.kind}"


def family_members(lattice: SubgroupLattice, labels: tuple[NeuronLabel, ...]) -> dict[str, list[int]]:
    """Neurons of each family, the family with the most energy first; dead neurons belong to none."""
    members: dict[str, list[int]] = {}
    energy: Counter[str] = Counter()
    for label in labels:
        if label.kind != "dead":
            name = family_name(lattice, label)
            members.setdefault(name, []).append(label.index)
            energy[name] += label.energy  # type: ignore[assignment]
    return {name: members[name] for name, _ in energy.most_common()}


def families(lattice: SubgroupLattice, distillation: Distillation) -> list[dict[str, Any]]:
    """Families with their circuits, neurons and share of energy."""
    labels = distillation.labels
    total = sum(label.energy for label in labels) or 1.0
    rows = []
    for name, members in family_members(lattice, labels).items():
        circuits = {(_read_on(labels[i].left), _read_on(labels[i].right)) for i in members}
        share = sum(labels[i].energy for i in members) / total
        rows.append({"name": name, "circuits": len(circuits), "neurons": len(members), "energy_share": share})
    return rows


def _read_on(side: SideLabel | None) -> tuple[object, ...]:
    return () if side is None else (side.side, side.subgroup, side.kernel)


def class_drawing(lattice: SubgroupLattice, labels: tuple[NeuronLabel, ...]) -> dict[str, Any]:
    """The Hasse diagram of the subgroup classes with the number of neurons that read an input through each."""
    from algebra.containment import class_lattice

    used: Counter[int] = Counter()
    for label in labels:
        if label.left and label.right:
            used.update({int(lattice.class_of[side.subgroup]) for side in (label.left, label.right)})
    nodes = [{"name": c.name, "order": c.order, "length": c.length, "used": used[c.number]} for c in lattice.classes]
    return {"nodes": nodes, "edges": sorted([int(a), int(b)] for a, b in class_lattice(lattice).edges)}


def neuron_rows(
    lattice: SubgroupLattice, distillation: Distillation, program: Program, network: Weights, expanded: Weights
) -> list[dict[str, Any]]:
    """One row per neuron: label, residuals as shares of variance that the program's own forms leave, energy, irreps."""
    labels = distillation.labels
    total = sum(label.energy for label in labels) or 1.0
    position = {n.index: p for p, n in enumerate(n for c in program.circuits for n in c.neurons)}
    irreps = irrep_shares(lattice, network)
    rows = []
    for label in labels:
        i, p = label.index, position.get(label.index)
        row: dict[str, Any] = {
            "index": i,
            "kind": label.kind,
            "left": _side(lattice, label.left),
            "right": _side(lattice, label.right),
            "left_share": label.left.share if label.left else None,
            "right_share": label.right.share if label.right else None,
            "energy_share": label.energy / total,
            "irreps": irreps[i],
        }
        for field, ours, theirs in (
            ("left_residual", network.L[:, i], None if p is None else expanded.L[:, p]),
            ("right_residual", network.R[:, i], None if p is None else expanded.R[:, p]),
            ("votes_residual", network.U[i], None if p is None else expanded.U[p]),
        ):
            row[field] = None if theirs is None else _residual(ours, theirs)
        row["votes_share"] = None if row["votes_residual"] is None else 1 - row["votes_residual"]
        rows.append(row)
    return rows


def _residual(ours: Floats, theirs: Floats) -> float:
    """Var(ours - theirs) / Var(ours)."""
    spread = float(ours.var())
    return float((ours - theirs).var()) / spread if spread > 0 else 0.0


def _side(lattice: SubgroupLattice, side: SideLabel | None) -> str | None:
    if side is None:
        return None
    mark = "" if side.kernel is None else f" over {lattice.labels[side.kernel]}"
    return f"{lattice.labels[side.subgroup]}{mark}"


def irrep_shares(lattice: SubgroupLattice, network: Weights) -> list[list[list[Any]]]:
    """For each neuron the irreps that hold at least one per cent of its votes' power, [[name, share], ...]; [] where unknown."""
    from algebra.characters.fourier import power_share
    from algebra.characters.irrep import has_irreps, irreps

    if not has_irreps(lattice.group):
        return [[] for _ in range(network.width)]
    table = irreps(lattice.group)
    shares = power_share(lattice.group, network.U - network.U.mean(axis=1, keepdims=True))
    names = [irrep.name for irrep in table]
    return [[[names[k], float(shares[k, i])] for k in np.argsort(-shares[:, i]) if shares[k, i] >= 0.01] for i in range(network.width)]


def compact_map(settled: npt.NDArray[np.uint8], names: list[str], size: int = 120) -> dict[str, Any]:
    """The pairs by strategy on a grid of at most ``size`` x ``size``: the largest (last needed) strategy in each cell."""
    order = len(settled)
    step = -(-order // size)
    cells = -(-order // step)
    rows = [
        [int(_latest(settled[r * step : (r + 1) * step, c * step : (c + 1) * step], len(names))) for c in range(cells)]
        for r in range(cells)
    ]
    return {"names": [*names, "exhaustive"], "rows": rows}


def _latest(block: npt.NDArray[np.uint8], strategies: int) -> int:
    """1 for the first strategy and so on; pairs that none settled count as one past the last."""
    numbers = np.where(block == 0, strategies + 1, block)
    return int(numbers.max())


def margin_histogram(
    evaluation: Evaluation, good: npt.NDArray[np.bool_], bound: npt.NDArray[np.float32], bins: int = 60
) -> dict[str, Any] | None:
    """How many of the right pairs have which margin, and which lower bound by the compact proof; None where nothing was bounded.

    Margins are the lower ends of the exact evaluation's intervals. Bins are equal, from the least to the greatest of these numbers.
    """
    margins, bounds = evaluation.margin_low[good], bound[np.isfinite(bound)].astype(np.float64)
    if not len(margins) or not len(bounds):
        return None
    edges = np.linspace(min(margins.min(), bounds.min()), max(margins.max(), bounds.max()), bins + 1)
    counts = {name: np.histogram(v, edges)[0].tolist() for name, v in (("network", margins), ("bound", bounds))}
    return {"edges": edges.tolist(), **counts}


def proved_part(certificate: Certificate) -> dict[str, Any]:
    """The entries of summary.json that repeat the certificate's findings."""
    correct = certificate.correct
    return {
        "group": {"name": certificate.group.name, "order": certificate.group.order},
        "checkpoint": {
            "sha256": certificate.checkpoint.sha256,
            "format": certificate.checkpoint.format,
            "order": certificate.checkpoint.order,
            "product": certificate.checkpoint.product,
        },
        "verdict": certificate.verdict,
        "correct": {
            "status": correct.status,
            "pairs": correct.pairs,
            "right": correct.right,
            "ties": correct.ties,
            "wrong": [list(row) for row in correct.wrong[:1000]],
            "min_margin": correct.min_margin,
            "float32_any_order": correct.float32_any_order,
        },
    }
