"""How long the checker's tables take against full evaluation, network by network, in CPU seconds of one process.

    python benchmarks/bench_tables.py CHECKPOINT:GROUP ...

Full evaluation is timed on a sample of pairs in the same process and extrapolated. The plan is the one that a certificate carries.
"""

import argparse
import random
import resource
from pathlib import Path
from time import process_time

import msgspec
import numpy as np

from algebra.group import FiniteGroup
from net.checkpoint import load_network
from net.weights import Weights
from verify.checker.groups import Group
from verify.checker.integers import Network
from verify.checker.plans import operations, read_plan
from verify.checker.progress import Progress
from verify.checker.shape import CompactPlan, GroupRecord, parse
from verify.checker.tables import floor_of, settle
from verify.compact import prove_compactly
from verify.exact.exhaustive import evaluate, smallest_margin
from verify.program.program import group_record
from verify.record.certificate import canonical_bytes
from verify.record.compact_statement import state_compact

#: Pairs on which full evaluation is timed.
SAMPLE = 500


def checker_network(weights: Weights) -> Network:
    """The weights as the checker holds them."""
    exact = weights.exact()
    bits = exact.preactivation_bits, exact.vote_bits
    return Network(exact.L.tolist(), exact.R.tolist(), exact.U.tolist(), exact.b.tolist(), *bits)


def checker_group(group: FiniteGroup) -> Group:
    """The group as the checker makes it."""
    return Group(parse(GroupRecord, msgspec.json.decode(canonical_bytes(group_record(group))), "group"))


def measure(path: Path, name: str) -> str:
    """One line of the table."""
    net = load_network(path, name)
    result = prove_compactly(net)
    stated = state_compact(net.group, net.weights, result, np.ones(net.group.mul.shape, dtype=bool))
    if stated.plan is None:
        return f"| {path.parent.name}/{path.stem} | no plan |"
    least = smallest_margin(net.weights, evaluate(net.weights, net.group.mul), net.group.mul)
    plan = parse(CompactPlan, msgspec.json.decode(canonical_bytes(stated.plan)), "plan")
    network, group = checker_network(net.weights), checker_group(net.group)
    started = process_time()
    floor = floor_of(network, group.mul, None if least is None else least[1], 0, 0)
    settled = settle(plan, network, group, Progress(None), floor=floor)
    seconds = process_time() - started
    n, draw = net.group.order, random.Random(0)
    pairs = [(draw.randrange(n), draw.randrange(n)) for _ in range(SAMPLE)]
    started = process_time()
    for x, y in pairs:
        network.packed.contest(network.logits(x, y), group.mul[x][y])
    full = (process_time() - started) * n * n / len(pairs)
    brute = 2 * network.width * n**3
    assert (settled.certified, settled.operations) == (stated.certified, stated.flops)
    contenders = settled.operations - operations(read_plan(plan, group, network.width), n, network.width)
    cells = [
        f"{path.parent.name}/{path.stem}",
        f"{settled.certified:,} of {n * n:,}",
        f"1/{brute / settled.operations:.1f}",
        f"{100 * contenders / settled.operations:.2f} %",
        f"{len(canonical_bytes(stated.plan)) / 1000:.0f}",
        f"{seconds:.1f}",
        f"{full:.0f}",
        f"1/{full / seconds:.1f}",
        f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f}",
    ]
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("networks", nargs="+", metavar="CHECKPOINT:GROUP")
    print("| network | pairs by the plan | operations | contenders' share | plan kB | tables s | full evaluation s | ratio | peak MB |")
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    for text in parser.parse_args().networks:
        path, _, name = text.rpartition(":")
        print(measure(Path(path), name), flush=True)


if __name__ == "__main__":
    main()
