"""What each setting of the search for programs changes: every number halved and doubled, network by network.

    python benchmarks/bench_settings.py [--write] [--only SETTING] CHECKPOINT:GROUP ...

Prints the table of docs/settings.md in Markdown; --write puts it there. A share of variance v is varied by halving and doubling what
it leaves, 1 - v. Per change: the readable program's constants, its share of the logits' variance, that share after removals,
the faithful program's constants and labelled neurons, each as the largest change over the networks, relative to the defaults of
the same run.
"""

import argparse
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from algebra.group import parse_group
from algebra.lattice import subgroups
from net.checkpoint import load_network
from verify.compare.levels import fve, removal_fve
from verify.distil.curve import distill
from verify.distil.moments import activation_moments
from verify.distil.settings import DEFAULT, DistilSettings
from verify.exact.exhaustive import evaluate

PAGE = Path(__file__).parent.parent / "docs" / "settings.md"
COLUMNS = {
    "readable constants": "{:+.1%}",
    "readable FVE": "{:+.4f}",
    "FVE after removals": "{:+.4f}",
    "faithful constants": "{:+.1%}",
    "labelled neurons": "{:+.0f}",
}
Figures = dict[str, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoints", nargs="+", metavar="CHECKPOINT:GROUP")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--only", action="append", metavar="SETTING", help="vary this setting; may be given several times")
    arguments = parser.parse_args()
    rows: dict[tuple[str, str], list[tuple[str, Figures, Figures]]] = {}
    names = []
    for argument in arguments.checkpoints:
        path, _, group = argument.rpartition(":")
        name, measure = Path(path).parent.name if Path(path).name == "model.pt" else Path(path).name, measured(Path(path), group)
        names.append(name)
        base = measure(DEFAULT)
        for setting, value, settings in varied(arguments.only):
            rows.setdefault((setting, value), []).append((name, base, measure(settings)))
            print(name, setting, value, rows[setting, value][-1][2], flush=True)
    table = "\n".join(written(rows))
    print(table)
    if arguments.write:
        page = PAGE.read_text(encoding="utf-8")
        networks = f"Networks: {', '.join(names)}.\n\n"
        PAGE.write_text(
            re.sub(r"(?<=<!-- table -->\n).*(?=<!-- end -->)", lambda _: networks + table + "\n", page, flags=re.S), encoding="utf-8"
        )


def measured(path: Path, name: str) -> Any:
    """A function from settings to the figures of one network."""
    group = parse_group(name)
    network = load_network(path, group).weights
    answers = evaluate(network, expected=group.mul)
    lattice = subgroups(group)

    def figures(settings: DistilSettings) -> Figures:
        found = distill(lattice, network, answers, settings=settings)
        readable, faithful = found.point("readable").written, found.point("faithful").written
        moments = activation_moments(network, readable.weights)
        return {
            "readable constants": readable.program.constants,
            "readable FVE": fve(network, readable.weights, moments),
            "FVE after removals": float(np.mean(list(removal_fve(network, readable.weights, readable.program, moments).values()))),
            "faithful constants": faithful.program.constants,
            "labelled neurons": sum(label.kind not in ("raw", "dead") for label in found.labels),
        }

    return figures


def varied(only: list[str] | None) -> Iterator[tuple[str, str, DistilSettings]]:
    """Each setting (or ``only`` these) halved and doubled, with the value in words."""
    for field in msgspec.structs.fields(DistilSettings):
        if only and field.name not in only:
            continue
        value = getattr(DEFAULT, field.name)
        for factor in (0.5, 2.0):
            if isinstance(value, tuple):
                changed: Any = tuple(v * factor for v in value)
            elif field.name.endswith("variance"):
                changed = 1 - (1 - value) * factor
            else:
                changed = type(value)(value * factor)
            yield field.name, words(changed), msgspec.structs.replace(DEFAULT, **{field.name: changed})


def words(value: Any) -> str:
    """A number, or several, in six digits."""
    return ", ".join(f"{v:.6g}" for v in value) if isinstance(value, tuple) else f"{value:.6g}"


def written(rows: dict[tuple[str, str], list[tuple[str, Figures, Figures]]]) -> Iterator[str]:
    """The table: the largest change of each figure over the networks, and the network where it came."""
    yield "| setting | value | " + " | ".join(COLUMNS) + " |"
    yield "|---" * (2 + len(COLUMNS)) + "|"
    for (setting, value), results in rows.items():
        cells = []
        for column, shape in COLUMNS.items():
            relative = "%" in shape
            changes = [
                (after[column] / before[column] - 1 if relative else after[column] - before[column]) for _, before, after in results
            ]
            worst = max(changes, key=abs)
            text = shape.format(worst)
            cells.append("0" if float(text.rstrip("%")) == 0 else f"{text} ({results[changes.index(worst)][0]})")
        yield f"| `{setting}` | {value} | {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
