"""What a sweep costs with one worker, with two, and through a dask scheduler: seconds, processor seconds and memory.

    python benchmarks/bench_sweep.py NETWORK ... [--workers 2]

Every way runs the same checkpoints into a fresh folder. Prints a Markdown table: wall-clock seconds, seconds of processor time of all
processes together, the largest resident memory of any one process, and the load of the machine when it began, which says how much of
the wall-clock time was waiting for others. The verdicts must be the same whatever the way.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WAYS = ("one", "processes", "scheduler")


def sweep(way: str, workers: int, networks: list[str], out: Path) -> None:
    """Run `verify sweep` in this process, so that the caller can measure it."""
    from verify.cli import execute

    line = ["sweep", *networks, "--out", str(out), "--quiet"]
    if way != "scheduler":
        raise SystemExit(execute([*line, "--jobs", str(1 if way == "one" else workers)]))
    from distributed import LocalCluster

    with LocalCluster(n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        code = execute([*line, "--scheduler", cluster.scheduler_address])
    raise SystemExit(code)


def measured(way: str, workers: int, networks: list[str], out: Path) -> dict[str, float]:
    """Run one way in a process of its own: wall seconds, processor seconds, and kilobytes of the largest process."""
    started, load = time.perf_counter(), os.getloadavg()[0]
    line = [sys.executable, __file__, "--way", way, "--workers", str(workers), "--out", str(out), *networks]
    process = subprocess.Popen(line, stdout=subprocess.DEVNULL, env=os.environ | {"OPENBLAS_NUM_THREADS": "1"})
    _, _, used = os.wait4(process.pid, 0)  # of this process and those that it waited for, not of an earlier way's
    return {
        "wall": time.perf_counter() - started,
        "processor": used.ru_utime + used.ru_stime,
        "memory": float(used.ru_maxrss),
        "load": load,
    }


def main() -> None:
    """Measure every way, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="+")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS)
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    if options.way:
        sweep(options.way, options.workers, options.networks, options.out)
    verdicts = []
    print("| way | seconds | processor seconds | largest process, MB | load before |", flush=True)
    print("|---|---|---|---|---|", flush=True)
    for way in options.ways:
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "sweep"
            found = measured(way, options.workers, options.networks, out)
            rows = json.loads((out / "sweep.json").read_text(encoding="utf-8"))
            verdicts.append([(row["name"], row["verdict"], row.get("right"), row.get("constants")) for row in rows])
        name = {
            "one": "one process",
            "processes": f"{options.workers} processes",
            "scheduler": f"scheduler, {options.workers} workers",
        }[way]
        cells = [name, f"{found['wall']:.0f}", f"{found['processor']:.0f}", f"{found['memory'] / 1024:.0f}", f"{found['load']:.1f}"]
        print("| " + " | ".join(cells) + " |", flush=True)
    if any(one != verdicts[0] for one in verdicts):
        sys.exit("the rows differ between the ways")


if __name__ == "__main__":
    main()
