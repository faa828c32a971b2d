"""The options that say how a checkpoint is read, for every command that reads one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--layout",
        type=click.Path(path_type=Path),
        help="TOML that says what each tensor is (docs/checkpoints.md); default: by names and shapes.",
    ),
    click.option("--step", help="Which of several checkpoints in the file: an epoch, or a place in a list; default: the last one."),
)


def reading_options(command: Command) -> Command:
    """Give a command --layout and --step."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
