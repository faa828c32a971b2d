"""Conjugacy classes of subgroups against GAP, irreps, Fourier transform; prints a table with ratios.

Run ``python benchmarks/bench_algebra.py``. GAP's columns are filled where ``gap`` is installed (Debian:
gap-core, gap-smallgrp, gap-transgrp, gap-primgrp). Every figure is the median of several fresh processes,
as both programs remember what they have computed. "ours" is the time from generators to all subgroups with
their members; GAP lists classes first and their members on demand, so both are given. "process" includes
start-up.
"""

import os
import shutil
import statistics
import subprocess
import sys
import time

REPEATS = 3
GROUPS = ("S5", "S6", "S7", "A6", "A7")

OURS = """
import sys, time
from algebra.group import parse_group
from algebra.lattice import subgroups
start = time.perf_counter()
lattice = subgroups(parse_group(sys.argv[1]))
spent = time.perf_counter() - start
lattice.names
print(spent, time.perf_counter() - start, len(lattice.classes), len(lattice))
"""

THEIRS = """
G := {name};;
start := NanosecondsSinceEpoch();;
classes := ConjugacyClassesSubgroups(G);;
first := NanosecondsSinceEpoch() - start;;
number := Sum(List(classes, c -> Length(AsList(c))));;
second := NanosecondsSinceEpoch() - start;;
Print(Float(first / 10^9), " ", Float(second / 10^9), " ", Length(classes), " ", number, "\\n");
QUIT;
"""

FOURIER = """
import time
import numpy as np
from algebra.characters.fourier import matrix_coefficients, transform
from algebra.group import parse_group
group = parse_group("S6")
group.mul
start = time.perf_counter()
matrix_coefficients(group)
built = time.perf_counter() - start
functions = np.random.default_rng(0).normal(size=(256, 720))
times = []
for _ in range(5):
    start = time.perf_counter()
    transform(group, functions)
    times.append(time.perf_counter() - start)
print(built, sorted(times)[2])
"""


def timed(command: list[str], text: str | None = None) -> tuple[list[float], float]:
    """Numbers that the command printed, and its wall time."""
    start = time.perf_counter()
    # threads of OpenBLAS that wait for each other on a busy machine would drown the Fourier transform
    single = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True, env=single)
    return [float(word) for word in done.stdout.split()], time.perf_counter() - start


def median(runs: list[tuple[list[float], float]]) -> tuple[list[float], float]:
    columns = zip(*(numbers for numbers, _ in runs), strict=True)
    return [statistics.median(column) for column in columns], statistics.median(wall for _, wall in runs)


def gap_name(name: str) -> str:
    kind = {"S": "SymmetricGroup", "A": "AlternatingGroup"}[name[0]]
    return f"{kind}({name[1:]})"


def compare(name: str, gap: str | None) -> list[str]:
    ours, process = median([timed([sys.executable, "-c", OURS, name]) for _ in range(REPEATS)])
    row = [name, f"{ours[2]:.0f} / {ours[3]:.0f}", f"{ours[0]:.3f}", f"{ours[1]:.3f}", f"{process:.2f}"]
    if gap is None:
        return [*row, *["-"] * 6]
    script = THEIRS.format(name=gap_name(name))
    theirs, whole = median([timed([gap, "-q"], script) for _ in range(REPEATS)])
    if theirs[2:] != ours[2:]:
        raise SystemExit(f"{name}: GAP counts {theirs[2:]}, we count {ours[2:]}")
    row += [f"{theirs[0]:.3f}", f"{theirs[1]:.3f}", f"{whole:.2f}"]
    return [*row, f"{ours[0] / theirs[0]:.2f}", f"{ours[0] / theirs[1]:.2f}", f"{process / whole:.2f}"]


def main() -> None:
    gap = shutil.which("gap")
    header = [
        "group", "classes / subgroups", "ours s", "with names s", "process s",
        "GAP classes s", "GAP all members s", "GAP process s",
        "ratio classes", "ratio members", "ratio process",
    ]  # fmt: skip
    rows = [compare(name, gap) for name in GROUPS]
    print("| " + " | ".join(header) + " |")
    print("|" + " --- |" * len(header))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    (built, applied), _ = median([timed([sys.executable, "-c", FOURIER]) for _ in range(REPEATS)])
    print(f"\nirreps of S6: {built:.3f} s; Fourier transform of 256 functions on S6: {1000 * applied:.1f} ms")


if __name__ == "__main__":
    main()
