"""Let Coq check the theorems of networks, and write what that takes into the table of docs/formal.md.

usage: python scripts/coq_table.py [NAME ...]

NAME: a checkpoint in ../shared/checkpoints/chughtai, such as S5_MLP_seed1; or "S5", "S6", the bundled networks; or "S4", one that is
trained for this first. Without names: all of NETWORKS. Rows of other networks stay in the page. Needs coqc; S6 takes minutes.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import verify
from net.bundled import bundled_checkpoint
from verify.cli import execute
from verify.formal.project import stored_network, theory_files, write_project
from verify.record.statements import checkpoint_record, group_record

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "formal.md"
PUBLISHED = ROOT.parent / "shared" / "checkpoints" / "chughtai"
NETWORKS = (
    "S4",
    "A5_MLP_seed1",
    "S5",
    *(f"S5_MLP_seed{k}" for k in range(1, 11)),
    "S5_MLP_hidden_dim_32_seed1",
    "S6",
    *(f"S6_MLP_seed{k}" for k in (1, 2, 3)),
)
HEADER = (
    "| network | neurons | wrong pairs | proof | Network.v | other files | Network.v read | theorem | everything | memory |",
    "|---|---|---|---|---|---|---|---|---|---|",
)
START, END = "<!-- table: python scripts/coq_table.py -->\n", "<!-- end of table -->\n"
SMALL_TRAINING = ("--seed", "1", "--width", "64", "--embed", "64", "--fraction", "1", "--steps", "4000", "--quiet")


def checkpoint_of(name: str, work: Path) -> tuple[str, Path]:
    """The network's group and file."""
    if name == "S4":
        if execute(["train", "--group", "S4", "--out", str(work / "S4.safetensors"), *SMALL_TRAINING]) != 0:
            sys.exit("training on S4 failed")
        return "S4", work / "S4.safetensors"
    if name in ("S5", "S6"):
        found = bundled_checkpoint(name)
        assert found is not None
        return name, found
    return name.partition("_")[0], PUBLISHED / name / "model.pt"


def compile_file(folder: Path, name: str) -> tuple[float, int]:
    """Seconds of the processor and the largest memory in bytes that coqc takes for one file."""
    process = subprocess.Popen(
        ["coqc", "-noglob", "-Q", "theory", "CosetVerify", name], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    said = process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{folder / name}: {said}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def theory_order(folder: Path, target: str) -> list[str]:
    """The files of the theory that `make` compiles for one of them, in that order."""
    said = subprocess.run(["make", "-n", "-B", target], cwd=folder, check=True, capture_output=True, text=True).stdout
    return [line.split()[-1] for line in said.splitlines() if line.startswith("coqc")]


def row(name: str, work: Path) -> str:
    """Export, compile everything, and one line of the table."""
    group, checkpoint = checkpoint_of(name, work)
    analysis = verify.analyse(checkpoint, group)
    network, plan = stored_network(group_record(analysis.group), checkpoint_record(analysis.network), analysis.correct, checkpoint)
    folder = work / name
    files = write_project(network, plan, folder)
    theory = theory_order(folder, "theory/AllPairs.vo" if plan else "theory/Check.vo")
    own = [f for f in ("Network.v", "Mistakes.v", "Plan.v", "Theorem.v") if f in files]
    taken = {f: compile_file(folder, f) for f in [*theory, *own]}
    sizes = {f: (folder / f).stat().st_size for f in own}
    cells = [
        name,
        f"{analysis.network.width}",
        f"{len(network.mistakes):,}",
        "tables" if plan else "every pair",
        f"{sizes['Network.v'] / 1e6:.1f} MB",
        f"{sum(size for f, size in sizes.items() if f != 'Network.v') / 1e3:.0f} kB",
        f"{taken['Network.v'][0]:.1f} s",
        f"{taken['Theorem.v'][0]:.1f} s",
        f"{sum(seconds for seconds, _ in taken.values()):.0f} s",
        f"{max(memory for _, memory in taken.values()) / 1e9:.2f} GB",
    ]
    return f"| {' | '.join(cells)} |"


def main(names: list[str]) -> None:
    """Measure the networks one after the other; the page is written after each."""
    assert "theory/Check.v" in theory_files()
    with tempfile.TemporaryDirectory() as work:
        for name in names or NETWORKS:
            line = row(name, Path(work))
            print(line, flush=True)
            text = PAGE.read_text(encoding="utf-8")
            before, _, rest = text.partition(START)
            table, _, after = rest.partition(END)
            rows = {old.split(" | ")[0].strip("| "): old for old in table.splitlines()[len(HEADER) :]} | {name: line}
            ordered = sorted(rows, key=lambda one: NETWORKS.index(one) if one in NETWORKS else len(NETWORKS))
            made = "".join(f"{one}\n" for one in [*HEADER, *(rows[key] for key in ordered)])
            PAGE.write_text(before + START + made + END + after, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
