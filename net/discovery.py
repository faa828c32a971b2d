"""The checkpoints in a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from net.errors import MalformedInput

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

#: Suffixes of the files in a folder that are taken for checkpoints; a file that is named itself may have any name.
SUFFIXES = (".safetensors", ".pt", ".pth", ".ckpt", ".npz")


def checkpoints_in(folder: Path) -> list[Path]:
    """Every file in the folder, at any depth, that has the suffix of a checkpoint, in order of path.

    Raises:
        MalformedInput: there is none.

    """
    found = sorted(path for path in folder.rglob("*") if path.suffix in SUFFIXES and path.is_file())
    if not found:
        raise MalformedInput(f"expected checkpoints ({', '.join(SUFFIXES)}) in {folder}, got none")
    return found


def checkpoints(paths: Iterable[Path]) -> list[Path]:
    """The paths that are no folders, and those of `checkpoints_in` for each one that is, in the order given.

    Raises:
        MalformedInput: a folder holds no checkpoint.

    """
    return [found for path in paths for found in (checkpoints_in(path) if path.is_dir() else [path])]
