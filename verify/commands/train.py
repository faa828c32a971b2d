"""Train a network of the published architecture on part of a group's multiplication table."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from algebra.group import FiniteGroup
    from net.training.state import TrainingSettings, TrainingState


@click.command("train")
@click.option("--group", required=True, help="Group to learn, such as S5, A5, D10.")
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to write the network.",
)
@click.option("--seed", type=click.IntRange(0), help="Seed of the split, the weights and the batches [0].")
@click.option("--steps", type=click.IntRange(1), help="Most steps to take [60000; 20000 from 500 elements on].")
@click.option("--width", type=click.IntRange(1), help="Hidden neurons [128; 256 from 500 elements on].")
@click.option("--embed", type=click.IntRange(1), help="Length of an embedding [256; 512 from 500 elements on].")
@click.option("--fraction", type=click.FloatRange(0, 1, min_open=True), help="Share of pairs to train on [0.5].")
@click.option("--batch", type=click.IntRange(1), help="Pairs in a step [1024; 4096 from 500 elements on].")
@click.option("--learning-rate", type=click.FloatRange(0, min_open=True), help="AdamW's learning rate [0.001].")
@click.option("--weight-decay", type=click.FloatRange(0), help="AdamW's weight decay [1.0].")
@click.option("--resume", is_flag=True, help="Go on where an interrupted run with the same settings stopped.")
@click.option("--quiet", is_flag=True, help="No progress bar.")
def command(group: str, out: Path, resume: bool, quiet: bool, **options: Any) -> None:
    """Train a network on part of a group's multiplication table.

    Stops when every pair is right and the smallest margin has not grown by 2 % for 10,000 steps, or at
    --steps. The state is kept in OUT.partial after every 500 steps. One thread is used, because the same
    settings then give the same file on the same kind of machine.
    """
    from algebra.group import parse_group
    from net.training.state import default_settings

    if find_spec("torch") is None:
        raise click.UsageError("expected PyTorch for training, got none: pip install 'coset-verify[train]'")
    parsed = parse_group(group)
    given = {name: value for name, value in options.items() if value is not None}
    settings = replace(default_settings(parsed.name, parsed.order), **given)
    partial = out.with_name(out.name + ".partial")
    if resume != partial.exists():
        wanted, came = ("an unfinished run", "none") if resume else ("no unfinished run (or --resume)", "one")
        raise click.UsageError(f"expected {wanted} at {partial}, got {came}")
    if not out.parent.is_dir():
        raise click.UsageError(f"expected an existing folder for --out, got {out.parent}")
    state = _run(settings, parsed, partial, resume, quiet)
    _finish(settings, state, parsed, out)
    partial.unlink(missing_ok=True)


def _run(settings: TrainingSettings, group: FiniteGroup, partial: Path, resume: bool, quiet: bool) -> TrainingState:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from net.training.loop import train, use_one_thread
    from net.training.state import load_state, save_state, start

    use_one_thread()
    state = load_state(partial, settings, group.order) if resume else start(settings, group.order)
    columns = (
        TextColumn("step"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=Console(stderr=True), disable=quiet) as progress:
        task = progress.add_task("", total=settings.steps, completed=state.step)

        def after_evaluation(state: TrainingState) -> None:
            save_state(partial, settings, state)
            last = state.history[-1]
            share = last["right"] / group.order**2
            progress.update(task, description=f"{share:.2%} right, smallest margin {last['margin']:.2f}")

        return train(
            settings,
            group.mul,
            state,
            lambda state: progress.update(task, completed=state.step),
            after_evaluation,
        )


def _finish(settings: TrainingSettings, state: TrainingState, group: FiniteGroup, out: Path) -> None:
    from net.training.loop import evaluate
    from net.training.state import save_network

    save_network(out, settings, state)
    right, margin = evaluate(state.parameters, group.mul)
    digest = hashlib.sha256(out.read_bytes()).hexdigest()
    click.echo(
        f"{out}: {right:,} of {group.order**2:,} pairs right after {state.step:,} steps, "
        f"smallest margin {margin:.3f} (float32), sha256 {digest}"
    )
