"""What each setting of the searches for programs and for proofs of Q3 changes: every number halved and doubled, network by network.

    python benchmarks/bench_settings.py [--write] [--symbolic] [--only SETTING] [--known FILE] CHECKPOINT:GROUP ...

Prints a table of docs/settings.md in Markdown, that of distillation, or with --symbolic that of Q3; --write puts it there, and
rewrites the list of all settings with their reasons. Figures in the --known file (a JSON object a line) are not measured again, and
those that are measured are added to it, so that a long comparison can be made in pieces. A share of variance v is varied by halving
and doubling what it leaves, 1 - v. Per change: the readable program's constants, its share of the logits' variance, that share after
removals, the faithful program's constants and labelled neurons, each as the largest change over the networks, relative to the
defaults of the same run, and on how many networks it changes. With --symbolic: whether Q3 is proved, the batches of s that the proof
takes, the share of the logits' variance that the program of the proof explains, and the number of table entries that the checker
looks at.
"""

import argparse
import inspect
import json
import re
import time
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np

from algebra.group import parse_group
from algebra.lattice import subgroups
from net.checkpoint import load_network
from verify.analysis import analyse
from verify.compare.levels import fve, removal_fve
from verify.distil.curve import distill
from verify.distil.moments import activation_moments
from verify.distil.settings import DistilSettings
from verify.exact.exhaustive import evaluate
from verify.record.settings import DEFAULT, Settings
from verify.symbolic.decide import decide_symbolic
from verify.symbolic.settings import SymbolicSettings

PAGE = Path(__file__).parent.parent / "docs" / "settings.md"
DISTIL = {
    "readable constants": "{:+.1%}",
    "readable FVE": "{:+.4f}",
    "FVE after removals": "{:+.4f}",
    "faithful constants": "{:+.1%}",
    "labelled neurons": "{:+.0f}",
}
SYMBOLIC = {"proved": "{:+.0f}", "batches": "{:+.0f}", "FVE of the program": "{:+.4f}", "entries checked": "{:+.1%}"}
Figures = dict[str, float]
Varied = TypeVar("Varied", bound=msgspec.Struct)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoints", nargs="+", metavar="CHECKPOINT:GROUP")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--symbolic", action="store_true", help="the settings of Q3")
    parser.add_argument("--known", type=Path, metavar="FILE", help="figures of earlier calls; new ones are added")
    parser.add_argument("--only", action="append", metavar="SETTING", help="vary this setting; may be given several times")
    arguments = parser.parse_args()
    rows: dict[tuple[str, str], list[tuple[str, Figures, Figures]]] = {}
    names = []
    columns, defaults = (SYMBOLIC, DEFAULT.symbolic) if arguments.symbolic else (DISTIL, DEFAULT.distil)
    known = Known(arguments.known)
    for argument in arguments.checkpoints:
        path, _, group = argument.rpartition(":")
        name = Path(path).parent.name if Path(path).name == "model.pt" else Path(path).name
        measure = cache(partial(proofs if arguments.symbolic else measured, Path(path), group))
        names.append(name)
        base = known.figures(name, "defaults", "", lambda measure=measure: measure()(defaults))
        for setting, value, settings in varied(arguments.only, defaults):
            found = known.figures(name, setting, value, lambda measure=measure, settings=settings: measure()(settings))
            rows.setdefault((setting, value), []).append((name, base, found))
    table = "\n".join(written(rows, columns))
    print(table)
    if arguments.write:
        place(PAGE, "symbolic" if arguments.symbolic else "table", f"Networks: {', '.join(names)}.\n\n{table}\n")
        place(PAGE, "settings", "\n".join(reasons()) + "\n")


class Known:
    """Figures by network, setting and value; those in the file, if there is one, are not measured again."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        lines = file.read_text(encoding="utf-8").splitlines() if file and file.exists() else []
        self._found: dict[tuple[str, str, str], Figures] = {tuple(key): found for key, found in map(json.loads, lines)}

    def figures(self, network: str, setting: str, value: str, measure: Callable[[], Figures]) -> Figures:
        """The figures of one network with one setting changed to a value."""
        key = network, setting, value
        if key not in self._found:
            start = time.process_time()
            self._found[key] = {name: float(figure) for name, figure in measure().items()}
            print(*key, self._found[key], f"{time.process_time() - start:.0f} s", flush=True)
            if self._file:
                with self._file.open("a", encoding="utf-8") as out:
                    out.write(json.dumps([key, self._found[key]]) + "\n")
        return self._found[key]


def place(page: Path, mark: str, text: str) -> None:
    """Put text between a page's marks."""
    pattern = rf"(?<=<!-- {mark} -->\n).*?(?=<!-- end -->)"
    page.write_text(re.sub(pattern, lambda _: text, page.read_text(encoding="utf-8"), flags=re.S), encoding="utf-8")


def reasons() -> Iterator[str]:
    """Every setting with its value and its reason, from the docstrings of the types."""
    yield "| setting | value | reason |"
    yield "|---|---|---|"
    for search in msgspec.structs.fields(Settings):
        struct = getattr(DEFAULT, search.name)
        listed = inspect.cleandoc(type(struct).__doc__ or "").partition("Attributes:\n")[2]
        said = dict(part.split(": ", 1) for part in re.split(r"\n    (?=\w)", "\n" + listed.rstrip()) if part)
        for field in msgspec.structs.fields(type(struct)):
            value = json.dumps(msgspec.to_builtins(getattr(struct, field.name))).strip("[]")
            yield f"| `{search.name}.{field.name}` | {value} | {' '.join(said[field.name].split()).replace('|', chr(92) + '|')} |"


def measured(path: Path, name: str) -> Callable[[DistilSettings], Figures]:
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


def proofs(path: Path, name: str) -> Callable[[SymbolicSettings], Figures]:
    """A function from settings of Q3 to the figures of one network's proof."""
    group = parse_group(name)
    found = analyse(path, group, timeout_s=0)
    readable = found.distillation.point("readable").written

    def figures(settings: SymbolicSettings) -> Figures:
        proof = decide_symbolic(readable, found.mechanism, found.labels, found.network, found.evaluation, settings=settings)
        moments = activation_moments(found.weights, proof.written.weights)
        batches = [batch for batches in proof.outline.batches.values() for batch in batches]
        entries = sum(d.family.points.count**3 * len(d.tables.ys) for batch in batches for d in batch.duals)
        return {
            "proved": proof.status == "PROVED",
            "batches": len(batches),
            "FVE of the program": fve(found.weights, proof.written.weights, moments),
            "entries checked": entries,
        }

    return figures


def varied(only: list[str] | None, defaults: Varied) -> Iterator[tuple[str, str, Varied]]:
    """Each setting (or ``only`` these) halved and doubled, with the value in words."""
    for field in msgspec.structs.fields(type(defaults)):
        if only and field.name not in only:
            continue
        value = getattr(defaults, field.name)
        for factor in (0.5, 2.0):
            if isinstance(value, tuple):
                changed = tuple(type(v)(v * factor) for v in value)
            elif field.name.endswith("variance"):
                changed = 1 - (1 - value) * factor
            else:
                changed = type(value)(value * factor)
            yield field.name, words(changed), msgspec.structs.replace(defaults, **{field.name: changed})


def words(value: float | tuple[float, ...]) -> str:
    """A number, or several, in six digits."""
    return ", ".join(f"{v:.6g}" for v in value) if isinstance(value, tuple) else f"{value:.6g}"


def written(rows: dict[tuple[str, str], list[tuple[str, Figures, Figures]]], columns: dict[str, str]) -> Iterator[str]:
    """The table: of each figure the largest change over the networks, the network where it came, and how many networks changed."""
    yield "| setting | value | " + " | ".join(columns) + " |"
    yield "|---" * (2 + len(columns)) + "|"
    for (setting, value), results in rows.items():
        cells = []
        for column, shape in columns.items():
            relative = "%" in shape
            both = [(name, before[column], after[column]) for name, before, after in results if before[column] or not relative]
            changes = [(after / before - 1 if relative else after - before, name) for name, before, after in both]
            shown = [(abs(change), shape.format(change), name) for change, name in changes]
            seen = [entry for entry in shown if float(entry[1].rstrip("%")) != 0]
            _, text, name = max(seen, default=(0.0, "0", ""))
            cells.append(f"{text} ({name}; {len(seen)} of {len(results)})" if seen else text)
        yield f"| `{setting}` | {value} | {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
