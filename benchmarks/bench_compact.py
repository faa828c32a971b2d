"""Compact proofs against vectorised brute force, network by network, in one run.

    python benchmarks/bench_compact.py [--json FILE] [--maps FOLDER] [--scaling] CHECKPOINT:GROUP ...

Prints for each network the pairs by strategy, FLOPs and seconds with ratios to brute force (CPU seconds of this process, so run it
with OMP_NUM_THREADS=1), and what the quadratic strategy does alone. ``--scaling`` adds planted networks on S4 to S7.
"""

import argparse
import json
import resource
from pathlib import Path
from time import process_time
from typing import TypedDict
from unittest.mock import patch

import numpy as np

from algebra.group import FiniteGroup, parse_group
from net.checkpoint import load_network
from net.planted import planted_network
from net.weights import Weights
from verify.compact.ladder import prove_weights
from verify.compact.plan import find_plan
from verify.compact.result import CompactResult
from verify.compact.strategies.factored import prove_factored

#: Widths of the planted networks by group, and their noise relative to each column's root mean square.
PLANTED = {"S4": 64, "S5": 128, "S6": 256, "S7": 512}
NOISE = 0.01


#: Brute force is timed on as many y's as take this many FLOPs, and extrapolated.
BRUTE_LIMIT = 2e11


def brute_seconds(group: FiniteGroup, weights: Weights, dtype: type[np.float32 | np.float64]) -> float:
    """CPU seconds of evaluating all pairs and comparing, one y at a time; extrapolated for large groups."""
    limit = max(4, int(BRUTE_LIMIT / (2 * weights.width * group.order**2)))
    L, R, U = weights.L.astype(dtype), weights.R.astype(dtype), weights.U.astype(dtype)
    b = weights.b.astype(dtype)
    x = np.arange(group.order)
    ys = range(0, group.order, max(1, group.order // limit))
    started = process_time()
    for y in ys:
        logits = np.maximum(L + R[y], 0) @ U + b
        answers = group.mul[:, y]
        right = logits[x, answers]
        logits[x, answers] = -np.inf
        (right > logits.max(axis=1)).sum()
    return (process_time() - started) * group.order / len(ys)


def proof(group: FiniteGroup, weights: Weights) -> CompactResult:
    """The proof, timed in CPU seconds so that a busy machine does not show."""
    with (
        patch("verify.compact.ladder.perf_counter", process_time),
        patch("verify.compact.strategies.factored.perf_counter", process_time),
    ):
        return prove_weights(group, weights)


def lines_alone(group: FiniteGroup, weights: Weights) -> tuple[float, float]:
    """Share of pairs that the quadratic strategy settles by itself, and brute force over its FLOPs, tables included."""
    plan = find_plan(group, weights, 0, True)
    if plan is None or plan.lines is None:
        return 0.0, 0.0
    mul = np.ascontiguousarray(group.mul.T) if plan.mirrored else group.mul
    found = prove_factored(plan.factorisation, mul, None, plan.lines, only_lines=True)
    brute = 2 * weights.width * group.order**3
    return float(found.settled.mean()), brute / max(1, found.line_flops)


class Row(TypedDict):
    """A network's line of the table."""

    network: str
    order: int
    width: int
    certified: float
    tables: float
    quadratic: float
    factored: float
    shortlist: float
    flops: int
    flops_ratio: float
    seconds: float
    brute32: float
    brute64: float
    search: float
    quadratic_alone: float
    quadratic_ratio: float
    peak_gb: float
    reason: str | None


def measure(name: str, group: FiniteGroup, weights: Weights, alone: bool) -> tuple[Row, CompactResult]:
    """One row of the table."""
    result = proof(group, weights)
    seconds32, seconds64 = (brute_seconds(group, weights, dtype) for dtype in (np.float32, np.float64))
    shares = {record.name: record.certified / result.settled.size for record in result.strategies}
    share_alone, ratio_alone = lines_alone(group, weights) if alone else (float("nan"), float("nan"))
    row: Row = {
        "network": name,
        "order": group.order,
        "width": weights.width,
        "certified": result.certified / result.settled.size,
        "tables": shares.get("tables", 0.0),
        "quadratic": shares.get("quadratic", 0.0),
        "factored": shares.get("factored", 0.0),
        "shortlist": shares.get("shortlist", 0.0),
        "flops": result.flops_complete,
        "flops_ratio": result.flops_brute / max(1, result.flops_complete),
        "seconds": result.seconds,
        "brute32": seconds32,
        "brute64": seconds64,
        "search": result.seconds_search,
        "quadratic_alone": share_alone,
        "quadratic_ratio": ratio_alone,
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        "reason": result.reason,
    }
    return row, result


def show(row: Row) -> None:
    print(
        f"{row['network']:28s} {row['certified']:9.5f} | {row['tables']:.4f} {row['quadratic']:.4f} {row['factored']:.4f} "
        f"{row['shortlist']:.4f} | FLOPs 1/{row['flops_ratio']:<8.1f} | s {row['seconds']:8.3f} f32 {row['brute32']:8.3f} "
        f"f64 {row['brute64']:8.3f} search {row['search']:6.2f} | quadratic alone {row['quadratic_alone']:.4f} "
        f"1/{row['quadratic_ratio']:.1f} {row['reason']}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("networks", nargs="*")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--maps", type=Path)
    parser.add_argument("--scaling", nargs="*", metavar="GROUP", help="planted networks on these groups, or on S4 to S7")
    arguments = parser.parse_args()
    rows = []
    for text in arguments.networks:
        path, _, name = text.rpartition(":")
        network = load_network(path, name)
        label = Path(path).parent.name if Path(path).stem == "model" else f"bundled {Path(path).stem}"
        row, result = measure(label, network.group, network.weights, True)
        if arguments.maps:
            arguments.maps.mkdir(parents=True, exist_ok=True)
            names = [record.name for record in result.strategies]
            np.savez_compressed(arguments.maps / f"{label}.npz", settled=result.settled, bound=result.bound, names=names)
        rows.append(row)
        show(row)
    for name in [] if arguments.scaling is None else arguments.scaling or PLANTED:
        group = parse_group(name)
        planted = planted_network(group, 0, PLANTED[name], {"sign": 4}, noise=NOISE)
        row, _ = measure(f"planted {name}", group, planted.network.weights, False)
        rows.append(row)
        show(row)
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
