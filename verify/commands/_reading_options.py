"""The options that say how a checkpoint is read, for every command that reads one."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING

import click

from verify.reading import How

if TYPE_CHECKING:
    from net.formats.reading import Activation

_OPTIONS = (
    click.option(
        "--layout",
        type=click.Path(path_type=Path),
        help="TOML that says what each tensor is (docs/checkpoints.md); default: by names and shapes.",
    ),
    click.option(
        "--step",
        help="Which of several checkpoints in the file: an epoch, a place in a list, or a key; default: the last one.",
    ),
    click.option(
        "--activation",
        type=click.Choice(["relu", "square", "abs"]),
        help="The hidden layer's activation; default: what the file says, or else relu unless the network's answers speak against it.",
    ),
)


def reading_options(command: Callable[..., object]) -> Callable[..., object]:
    """Give a command --layout, --step and --activation, as one argument ``how``."""

    @wraps(command)
    def reading(*args: object, layout: Path | None, step: str | None, activation: "Activation | None", **more: object) -> object:
        return command(*args, how=How(layout, step, activation), **more)

    for option in reversed(_OPTIONS):
        reading = option(reading)
    return reading
