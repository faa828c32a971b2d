"""Compare the runs of two versions on the same networks: verdicts, counts, programs, and the statuses of Q3 and Q4.

    python scripts/compare_runs.py run FOLDER [--jobs 2] [NETWORKS...]
    python scripts/compare_runs.py compare BEFORE AFTER

`run` writes FOLDER/NAME for every network, by `verify run` with no second opinions; without NETWORKS these are the bundled ones and
those below ../shared/checkpoints. A network that is not read or that ends in an error leaves FOLDER/NAME.refused with the sentence.
`compare` prints one row per network that differs, and one line at the end; a name that is missing on one side counts as a difference.
The two versions may write different formats: what is compared is found by its name in summary.json and program.json alone.
Exit code 1 when something differs.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PUBLISHED = ROOT.parent / "shared" / "checkpoints"

#: What is compared, as a path into summary.json; ``None`` where a version does not state it.
FIGURES = (
    "verdict",
    "group.name",
    "group.order",
    "checkpoint.sha256",
    "checkpoint.order",
    "checkpoint.product",
    "correct.status",
    "correct.right",
    "correct.ties",
    "correct.min_margin",
    "correct.float32_any_order",
    "network.width",
    "network.live",
    "labels.kinds",
    "equivalence.answers_agree",
    "program.constants",
    "program.circuits",
    "program.raw_neurons",
    "symbolic.status",
    "symbolic.about",
    "compact.certified",
)


def networks() -> Iterator[tuple[str, Path]]:
    """(name, file) of the bundled networks and of those that others published."""
    for path in sorted((ROOT / "net" / "checkpoints").glob("*.safetensors")):
        yield path.stem, path
    for path in sorted(PUBLISHED.rglob("*")):
        if path.suffix in (".pt", ".pth", ".safetensors", ".npz"):
            yield path.parent.name, path


def run_one(name: str, path: Path, folder: Path) -> str:
    """Run one network; the outcome in a word or the sentence of its refusal."""
    group = [] if path.parent != ROOT / "net" / "checkpoints" else ["--group", path.stem]
    if not group:
        from net.checkpoint import load_network
        from net.errors import MalformedInput

        try:
            group = ["--group", load_network(path).group.name]
        except MalformedInput as error:
            (folder / f"{name}.refused").write_text(f"{error}\n", encoding="utf-8")
            return str(error)
    command = [sys.executable, "-m", "verify", "run", *group, "--checkpoint", str(path), "--out", str(folder / name)]
    done = subprocess.run([*command, "--timeout", "0", "--quiet"], capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode not in (0, 1, 3):
        (folder / f"{name}.refused").write_text(done.stderr, encoding="utf-8")
        return f"exit code {done.returncode}: {' '.join(done.stderr.split())[-200:]}"
    return (done.stdout.splitlines() or ["no verdict"])[-1]


def stated(folder: Path, name: str) -> dict[str, object]:
    """What one run states: each of FIGURES, the program without subgroup names, and the wrong pairs."""
    directory = folder / name
    if not (directory / "summary.json").exists():
        return {}
    summary = json.loads((directory / "summary.json").read_text(encoding="utf-8"))
    found: dict[str, object] = {}
    for figure in FIGURES:
        value: object = summary
        for key in figure.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        found[figure] = value
    found["correct.wrong"] = (summary.get("correct") or {}).get("wrong")
    program = json.loads((directory / "program.json").read_text(encoding="utf-8"))
    found["program"] = {key: program.get(key) for key in ("preactivation_bits", "vote_bits", "bias", "circuits")}
    found["program.subgroups"] = [[record["order"], sorted(record["generators"])] for record in program["subgroups"]]
    return found


def names(folder: Path) -> set[str]:
    """The names of the runs in a folder, hidden ones aside."""
    return {path.parent.name for path in folder.glob("*/summary.json") if not path.parent.name.startswith(".")}


def differences(before: Path, after: Path) -> list[tuple[str, str, str, str]]:
    """(network, what, before, after) for everything that differs."""
    rows = []
    for name in sorted(names(before) | names(after)):
        one, other = stated(before, name), stated(after, name)
        if not one or not other:
            rows.append((name, "run", "there" if one else "missing", "there" if other else "missing"))
            continue
        rows += [(name, what, shown(one[what]), shown(other[what])) for what in one if one[what] != other[what]]
    return rows


def shown(value: object) -> str:
    """A value in at most 60 characters."""
    text = json.dumps(value, sort_keys=True)
    return text if len(text) <= 60 else f"{text[:45]}... ({len(text)} characters)"


def main(arguments: list[str]) -> int:
    """Run or compare; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kinds = parser.add_subparsers(dest="kind", required=True)
    running = kinds.add_parser("run")
    running.add_argument("folder", type=Path)
    running.add_argument("networks", nargs="*", type=Path)
    running.add_argument("--jobs", type=int, default=1)
    comparing = kinds.add_parser("compare")
    comparing.add_argument("before", type=Path)
    comparing.add_argument("after", type=Path)
    chosen = parser.parse_args(arguments)
    if chosen.kind == "run":
        chosen.folder.mkdir(parents=True, exist_ok=True)
        work = [(path.parent.name if path.stem == "model" else path.stem, path) for path in chosen.networks] or list(networks())
        with ThreadPoolExecutor(chosen.jobs) as pool:
            for (name, _), outcome in zip(work, pool.map(lambda one: run_one(one[0], one[1], chosen.folder), work), strict=True):
                print(f"{name}: {outcome}", flush=True)
        return 0
    rows = differences(chosen.before, chosen.after)
    both = len(names(chosen.before) & names(chosen.after))
    if rows:
        print("| network | what | before | after |\n|---|---|---|---|")
        for row in rows:
            print("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |")
    print(f"{both} networks on both sides, {len(FIGURES) + 3} statements each, {len(rows)} differences")
    return 1 if rows or not both else 0


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main(sys.argv[1:]))
