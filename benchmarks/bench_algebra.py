"""Conjugacy classes of subgroups against GAP, irreps, Fourier transform; prints tables with ratios.

Run ``python benchmarks/bench_algebra.py``, or with names of groups behind it for these alone. GAP's columns are filled where ``gap`` is
installed (Debian: gap-core, gap-smallgrp, gap-transgrp, gap-primgrp). Every figure is the median of several fresh processes, as both
programs remember what they have computed, and includes start-up; "CPU s" is user and system time of the process, "MB" its largest
memory. The first table has classes alone, by `algebra.subgroup_classes` and GAP's `ConjugacyClassesSubgroups`, and both count the
conjugates; the second all subgroups with their members, by `algebra.subgroups` and GAP's `AsList` of each class.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple

from algebra.group import parse_generators
from algebra.permutation import format_cycles

REPEATS = 3
CLASSES_OF = ("S5", "S6", "S7", "A7", "PSL(2,11)", "M11", "S8", "S9")
MEMBERS_OF = ("S5", "S6", "S7", "A6", "A7")

OUR_CLASSES = """
import sys
from algebra import subgroup_classes
found = subgroup_classes(sys.argv[1])
print(len(found), sum(one.length for one in found))
"""

OUR_MEMBERS = """
import sys
from algebra import parse_group, subgroups
lattice = subgroups(parse_group(sys.argv[1]))
print(len(lattice.classes), len(lattice))
"""

THEIR_CLASSES = """
classes := ConjugacyClassesSubgroups({group});;
Print(Length(classes), " ", Sum(classes, Size), "\\n");
QUIT;
"""

THEIR_MEMBERS = """
classes := ConjugacyClassesSubgroups({group});;
Print(Length(classes), " ", Sum(classes, c -> Length(AsList(c))), "\\n");
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


class Measured(NamedTuple):
    """What a process printed, as numbers, and what it took."""

    numbers: list[float]
    wall: float
    cpu: float
    megabytes: float


def measured(command: list[str], text: str = "") -> Measured:
    """Run a process to its end."""
    # threads of OpenBLAS that wait for each other on a busy machine would drown the Fourier transform
    single = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    with tempfile.TemporaryFile("w+") as given, tempfile.TemporaryFile("w+") as printed:
        given.write(text)
        given.seek(0)
        start = time.perf_counter()
        process = subprocess.Popen(command, stdin=given, stdout=printed, env=single)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{command[0]} ended with exit status {process.returncode}")
        printed.seek(0)
        return Measured([float(word) for word in printed.read().split()], wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def median(runs: list[Measured]) -> Measured:
    columns = zip(*(run.numbers for run in runs), strict=True)
    whole = [statistics.median(values) for values in zip(*((run.wall, run.cpu, run.megabytes) for run in runs), strict=True)]
    return Measured([statistics.median(column) for column in columns], *whole)


def in_gap(name: str) -> str:
    """The group in GAP's language: the same permutations."""
    if name[0] in "SA" and name[1:].isdigit():
        return {"S": "SymmetricGroup", "A": "AlternatingGroup"}[name[0]] + f"({name[1:]})"
    return "Group(" + ",".join(format_cycles(images).replace(" ", ",") for images in parse_generators(name).generators) + ")"


def compare(name: str, repeats: int, ours: str, theirs: str) -> list[str]:
    gap = shutil.which("gap")
    mine = median([measured([sys.executable, "-c", ours, name]) for _ in range(repeats)])
    row = [name, f"{mine.numbers[0]:,.0f} / {mine.numbers[1]:,.0f}", f"{mine.wall:.2f}", f"{mine.cpu:.2f}", f"{mine.megabytes:.0f}"]
    if gap is None:
        return [*row, *["-"] * 5]
    script = theirs.format(group=in_gap(name))
    other = median([measured([gap, "-q"], script) for _ in range(repeats)])
    if other.numbers != mine.numbers:
        raise SystemExit(f"{name}: GAP counts {other.numbers}, we count {mine.numbers}")
    row += [f"{other.wall:.2f}", f"{other.cpu:.2f}", f"{other.megabytes:.0f}"]
    return [*row, f"{mine.wall / other.wall:.2f}", f"{mine.cpu / other.cpu:.2f}"]


def table(title: str, names: tuple[str, ...], repeats: int, ours: str, theirs: str) -> None:
    header = ["group", "classes / subgroups", "s", "CPU s", "MB", "GAP s", "GAP CPU s", "GAP MB", "ratio", "CPU ratio"]
    print(f"{title}\n\n| {' | '.join(header)} |\n|{' --- |' * len(header)}")
    for name in names:
        print("| " + " | ".join(compare(name, repeats, ours, theirs)) + " |", flush=True)
    print()


def main() -> None:
    parser = argparse.ArgumentParser(description="Classes of subgroups against GAP.")
    parser.add_argument("names", nargs="*", help="groups of the first table; all tables without them")
    parser.add_argument("--repeats", type=int, default=REPEATS, help="processes per figure")
    chosen = parser.parse_args()
    table("Classes of subgroups", tuple(chosen.names) or CLASSES_OF, chosen.repeats, OUR_CLASSES, THEIR_CLASSES)
    if chosen.names:
        return
    table("All subgroups with their members", MEMBERS_OF, chosen.repeats, OUR_MEMBERS, THEIR_MEMBERS)
    built, applied = median([measured([sys.executable, "-c", FOURIER]) for _ in range(chosen.repeats)]).numbers
    print(f"irreps of S6: {built:.3f} s; Fourier transform of 256 functions on S6: {1000 * applied:.1f} ms")


if __name__ == "__main__":
    main()
