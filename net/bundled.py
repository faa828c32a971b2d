"""The networks that come with this project, trained by it: see `checkpoints/README.md`."""

from __future__ import annotations

from pathlib import Path

from net.errors import MalformedInput

_FOLDER = Path(__file__).parent / "checkpoints"


def bundled_groups() -> list[str]:
    """Names of the groups for which a network is bundled."""
    return sorted(path.stem for path in _FOLDER.glob("*.safetensors"))


def bundled_checkpoint(group_name: str) -> Path:
    """The bundled network's file for the group of that name.

    Raises:
        MalformedInput: none is bundled for that group.

    """
    name = group_name.strip().upper()
    if name not in bundled_groups():
        bundled = " and ".join(bundled_groups()) or "nothing"
        raise MalformedInput(
            f"expected a checkpoint for {group_name}, got none, and bundled are {bundled} alone: give the file with --checkpoint"
        )
    return _FOLDER / f"{name}.safetensors"
