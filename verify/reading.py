"""How a user says that a checkpoint is to be read, where that is not left to the file."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

    from net.formats.reading import Activation, Reading


class How(NamedTuple):
    """What ``--layout``, ``--step`` and ``--activation`` say; None for what is left to the file.

    Attributes:
        layout: what each tensor is, or the path of a TOML file that says it.
        step: which of several checkpoints in the file: an epoch, a place in a list, or a key.
        activation: relu, square or abs.

    """

    layout: Reading | Path | str | None = None
    step: int | str | None = None
    activation: Activation | None = None


#: All is left to the file.
AS_FOUND = How()
