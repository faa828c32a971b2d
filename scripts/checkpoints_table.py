"""The tables of docs/checkpoints.md: what loader and checker read in each file of some folders, and how often it is right.

    python scripts/checkpoints_table.py FOLDER... [--group NAME]

A row says the file, what was read (the published layout, or the formula in the tensors' names), the pairs that are right by exact
evaluation, and whether the checker, which shares no code with the loader, reads the same function from the same bytes. A file that is
refused has the sentence in place of these. The group is the one that the file or a cfg.json beside it says, or the usual one of so
many elements.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from net.checkpoint import network_over, open_checkpoint
from net.errors import MalformedInput
from verify.checker import layouts, shape
from verify.checker.groups import Group
from verify.checker.shape import Malformed
from verify.exact.exhaustive import correct_pairs, evaluate
from verify.program.program import group_record
from verify.record.statements import checkpoint_record

if TYPE_CHECKING:
    from net.folded import FoldedNetwork

#: Formulas and sentences are cut after so many characters.
LONGEST = 150


def same_function(network: FoldedNetwork, data: bytes) -> bool:
    """Whether the checker folds the bytes into the very integers that the loader has."""
    record = shape.parse(shape.CheckpointRecord, msgspec.json.decode(msgspec.json.encode(checkpoint_record(network))), "checkpoint")
    group = Group(shape.parse(shape.GroupRecord, msgspec.json.decode(msgspec.json.encode(group_record(network.group))), "group"))
    layout, layers = layouts.read_checkpoint(data, record.reading, record.activation_taken)
    theirs, _ = layouts.folded(layout, layers, record, group)
    mine = network.weights.exact()
    pairs = [
        (theirs.left, mine.L, theirs.bits - mine.preactivation_bits),
        (theirs.right, mine.R, theirs.bits - mine.preactivation_bits),
    ]
    pairs += [(theirs.votes, mine.U, theirs.vote_bits - mine.vote_bits)]
    pairs += [([theirs.bias], mine.b[None], theirs.logit_bits - mine.logit_bits)]
    squares = mine.activation == "square"
    return theirs.squared == squares and all(np.array_equal(np.array(a, dtype=object), _shifted(b, bits)) for a, b, bits in pairs)


def _shifted(integers: np.ndarray, bits: int) -> np.ndarray:
    return integers << bits if bits >= 0 else integers >> -bits


def row(path: Path, name: str, group: str | None) -> list[str]:
    """The cells of one file."""
    try:
        network = network_over(group, open_checkpoint(path))
    except MalformedInput as error:
        return [name, f"refused: {_cut(str(error).replace(str(path), path.name))}", "–", "–"]
    source = network.source
    assert source is not None
    right = correct_pairs(evaluate(network.weights, expected=network.group.mul), network.group.mul)
    read = f"layout {source.format}" if source.reading is None else _cut(source.reading.formula())
    beside = f"; beside it {', '.join(source.skipped)}" if source.skipped else ""
    data = source.rewritten or path.read_bytes()
    try:
        same = "the same" if same_function(network, data) else "ANOTHER FUNCTION"
    except Malformed as error:
        same = f"refused: {_cut(str(error))}"
    certified = " (`network.safetensors`)" if source.rewritten else ""
    return [
        name,
        f"{source.container}; {read}{beside}",
        f"{int(right.sum()):,} of {right.size:,} in {network.group.name}",
        same + certified,
    ]


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--group")
    given = parser.parse_args()
    print("| file | read | right pairs | the checker reads |\n|---|---|---|---|")
    for folder in given.folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.suffix not in (".json", ".md", ".yaml", ".toml"):
                cells = row(path, str(path.relative_to(folder)), given.group)
                print("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |", flush=True)


if __name__ == "__main__":
    main()
