"""Change the exact kernels one operator, number or word at a time, and see that a test fails each time.

    python scripts/mutation.py [MODULE ...] [--folder DIR] [--only NAME ...]

MODULE is a file in [tool.coset-verify.mutation] of pyproject.toml, such as verify/exact/float32.py; without one, all of them. mutmut
makes the mutants and runs them, in a copy of the tree below DIR (a temporary folder when it is not given; given, the next
run takes up where the last one stopped). The copy has its own configuration: [tool.mutmut] with the tests that the table names
for this module. Prints a line per module for docs/mutation.md and writes the differences of the survivors to DIR/MODULE/survivors.diff.
With --only, these mutants alone are run again.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
COPIED = ["algebra", "net", "verify", "reports", "tests", "docs", "benchmarks", "scripts"]
BIN = Path(sys.executable).parent

#: Tests that failed first come first, random inputs are always the same, and a failure is not made smaller.
PLUGIN = """
import json
from pathlib import Path
from hypothesis import HealthCheck, Phase, settings

settings.register_profile(
    "mutation", derandomize=True, database=None, deadline=None, phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
settings.load_profile("mutation")


def pytest_collection_modifyitems(items):
    file = Path("mutmut-stats.json")
    seconds = json.loads(file.read_text())["duration_by_test"] if file.exists() else {}
    items.sort(key=lambda item: seconds.get(item.nodeid, 0.0))
"""


def toml(value: object) -> str:
    """A string, a list of strings, a truth value or a number as TOML."""
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    return f'"{value}"' if isinstance(value, str) else str(value).lower()


def prepare(folder: Path, module: str, tests: list[str], settings: dict[str, object]) -> None:
    """A copy of the tree in which mutmut changes this module and runs these tests."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in COPIED:
        shutil.copytree(ROOT / name, folder / name, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "mutation_plugin.py").write_text(PLUGIN)
    lines = (ROOT / "pyproject.toml").read_text(encoding="utf-8").split("[tool.mutmut]")[0]
    settings = settings | {
        "source_paths": ["verify"],
        "also_copy": [*(name for name in COPIED if name != "verify"), "mutation_plugin.py"],
        "only_mutate": [module],
        "pytest_add_cli_args_test_selection": tests,
    }
    table = "".join(f"{key} = {toml(value)}\n" for key, value in settings.items())
    (folder / "pyproject.toml").write_text(f"{lines}[tool.mutmut]\n{table}", encoding="utf-8")


def run(folder: Path, only: list[str]) -> None:
    """Run the mutants; what mutmut prints goes to run.log."""
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": ""}
    with (folder / "run.log").open("ab") as log:
        command = [str(BIN / "mutmut"), "run", "--max-children", "1", *only]
        subprocess.run(command, cwd=folder, env=environment, stdout=log, stderr=log, check=False)


def results(folder: Path) -> dict[str, str]:
    """Each mutant and what became of it."""
    command = [str(BIN / "mutmut"), "results", "--all", "true"]
    output = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout
    return dict(line.strip().rsplit(": ", 1) for line in output.splitlines() if ": " in line)


def survivors(folder: Path, names: list[str]) -> str:
    """The differences of these mutants."""
    shown = [subprocess.run([BIN / "mutmut", "show", name], cwd=folder, capture_output=True, text=True).stdout for name in names]
    return "\n".join(shown)


def main() -> None:
    """Run the modules that were named."""
    tables = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    tests = tables["coset-verify"]["mutation"]
    parser = argparse.ArgumentParser(description="Run mutmut on the exact kernels.")
    parser.add_argument("modules", nargs="*", metavar="MODULE", help=f"among {', '.join(tests)}")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--only", nargs="*", default=[])
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="mutation-"))
    for module in options.modules or tests:
        place = folder.resolve() / module.replace("/", ".").removesuffix(".py")
        prepare(place, module, tests[module], tables["mutmut"])
        run(place, options.only)
        found = results(place)
        counts = Counter(found.values())
        (place / "survivors.diff").write_text(survivors(place, [name for name, status in found.items() if status == "survived"]))
        others = ", ".join(f"{status} {count}" for status, count in sorted(counts.items()))
        print(f"{module}: {len(found)} mutants: {others}; {place}/survivors.diff", flush=True)


if __name__ == "__main__":
    main()
