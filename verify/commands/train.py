"""Train a network of the published architecture on part of a group's multiplication table."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from dataclasses import asdict, replace
from importlib.util import find_spec
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from algebra.plural import plural
from net.errors import MalformedInput
from verify.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from algebra.group import FiniteGroup
    from net.training.state import TrainingSettings, TrainingState


#: No width, length of an embedding or batch is above this, which is beyond any machine's memory.
LARGEST = 2**24
#: No more networks are trained by one command.
MOST_SEEDS = 100_000


@click.command("train")
@click.option("--group", required=True, help="Group to learn, such as S5, A5, D10.")
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    help="Where to write the network; with --seeds, the folder for all of them.",
)
@click.option("--seed", type=click.IntRange(0, 2**64 - 1), help="Seed of the split, the weights and the batches [0].")
@click.option("--seeds", help="Several seeds, such as 1-20 or 3,5,8: a network OUT/GROUP-seedN.safetensors for each.")
@click.option(
    "--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Processes at a time, no more than cores, with --seeds."
)
@click.option("--scheduler", metavar="ADDRESS", help="A dask scheduler whose workers train, with --seeds.")
@click.option("--keep-every", type=click.IntRange(1), metavar="N", help="Keep the network of every N steps in OUT.steps/.")
@click.option("--steps", type=click.IntRange(1, 2**31), help="Most steps to take [60000; 20000 from 500 elements on].")
@click.option("--width", type=click.IntRange(1, LARGEST), help="Hidden neurons [128; 256 from 500 elements on].")
@click.option("--embed", type=click.IntRange(1, LARGEST), help="Length of an embedding [256; 512 from 500 elements on].")
@click.option("--fraction", type=click.FloatRange(0, 1, min_open=True), help="Share of pairs to train on [0.5].")
@click.option("--batch", type=click.IntRange(1, LARGEST), help="Pairs in a step [1024; 4096 from 500 elements on].")
@click.option("--learning-rate", type=click.FloatRange(0, min_open=True), help="AdamW's learning rate [0.001].")
@click.option("--weight-decay", type=click.FloatRange(0), help="AdamW's weight decay [1.0].")
@click.option("--activation", type=click.Choice(["relu", "square"]), help="What a neuron makes of what it reads [relu].")
@click.option("--resume", is_flag=True, help="Go on where an interrupted run with the same settings stopped.")
@click.option("--quiet", is_flag=True, help="No progress bar.")
def command(
    group: str,
    out: Path,
    seeds: str | None,
    jobs: int,
    scheduler: str | None,
    keep_every: int | None,
    resume: bool,
    quiet: bool,
    **options: object,
) -> int:
    """Train a network on part of a group's multiplication table.

    Stops when every pair is right and the smallest margin has not grown by 2 % for 10,000 steps, or at
    --steps. The state is kept in OUT.partial after every 500 steps. One thread is used, because the same
    settings then give the same file on the same kind of machine. With --seeds, a network that cannot be trained stops no other; the
    exit code is then 4.
    """
    from algebra.group import parse_group
    from net.training.state import TrainingSettings, default_settings

    if find_spec("torch") is None:
        raise click.UsageError("expected PyTorch for training, got none: pip install 'coset-verify[train]'")
    parsed = parse_group(group)
    given = {name: value for name, value in options.items() if value is not None}
    for name, value in given.items():
        if isinstance(value, float) and not isfinite(value):
            raise click.UsageError(f"expected a finite number for --{name.replace('_', '-')}, got {value}")
    if seeds is not None and "seed" in given:
        raise click.UsageError("expected --seed or --seeds, got both")
    if seeds is None and (jobs > 1 or scheduler is not None):
        raise click.UsageError("expected --jobs and --scheduler with --seeds alone, which trains several networks")
    settings = TrainingSettings(**asdict(default_settings(parsed.name, parsed.order)) | given)
    if parsed.order < 2 or round(settings.fraction * parsed.order**2) < 1:
        raise click.UsageError(
            f"expected a group and a --fraction that leave a pair to train on and an answer to get wrong, got {settings.fraction} of"
            f" {plural(parsed.order**2, 'pair')}"
        )
    if seeds is not None:
        return _train_seeds(settings, parsed.name, _numbers(seeds), out, keep_every, resume, jobs, scheduler, quiet)
    if out.is_file() and not resume:
        raise click.UsageError(
            f"expected a new file for --out, got {out}, which is there: move it away, choose another, or --resume an unfinished run"
        )
    if not out.parent.is_dir():
        raise click.UsageError(f"expected an existing folder for --out, got {out.parent}")
    if out.is_dir():
        raise click.UsageError(f"expected a file for --out, got the folder {out} (--seeds trains several networks into a folder)")
    _train_one(settings, parsed, out, keep_every, resume, quiet)
    return ExitCode.VERIFIED


def _train_one(settings: TrainingSettings, group: FiniteGroup, out: Path, keep_every: int | None, resume: bool, quiet: bool) -> None:
    partial = out.with_name(out.name + ".partial")
    if resume != partial.exists():
        wanted, came = ("an unfinished run", "none") if resume else ("no unfinished run (or --resume)", "one")
        raise click.UsageError(f"expected {wanted} at {partial}, got {came}")
    state = _run(settings, group, partial, _steps_folder(out, keep_every, resume), keep_every, resume, quiet)
    click.echo(_finish(settings, state, group, out))
    partial.unlink(missing_ok=True)


def _steps_folder(out: Path, keep_every: int | None, resume: bool) -> Path | None:
    if keep_every is None:
        return None
    folder = out.with_name(out.name + ".steps")
    if not resume and folder.is_dir() and any(folder.iterdir()):
        raise click.UsageError(f"expected no earlier snapshots in {folder}, got some: move them away, or choose another --out")
    folder.mkdir(exist_ok=True)
    return folder


def _numbers(text: str) -> list[int]:
    """The numbers in 1-20 or 3,5,8, in order and once."""
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isascii() or not first.isdigit() or (dash and not (last.isascii() and last.isdigit())):
            raise click.UsageError(f"expected --seeds like 1-20 or 3,5,8, got {text!r:.60}")
        one = range(int(first), int(last or first) + 1) if max(len(first), len(last)) <= len(str(2**64)) else range(2**64, 2**64 + 1)
        if one and (one[-1] >= 2**64 or one[-1] - one[0] + len(found) >= MOST_SEEDS):
            raise click.UsageError(f"expected --seeds of at most {MOST_SEEDS:,} numbers below 2^64, got {text!r:.60}")
        found += one
    if not found:
        raise click.UsageError(f"expected --seeds like 1-20 or 3,5,8, got {text!r:.60}")
    return list(dict.fromkeys(found))


def _train_seeds(
    settings: TrainingSettings,
    name: str,
    seeds: list[int],
    out: Path,
    keep_every: int | None,
    resume: bool,
    jobs: int,
    scheduler: str | None,
    quiet: bool,
) -> int:
    """One network for each seed; with --resume those that are there already stay, and unfinished ones go on."""
    from net.training.state import check_network
    from verify.jobs.many import Died, finished, only_one

    with only_one(out, "training"):
        files = {seed: out / f"{name}-seed{seed}.safetensors" for seed in seeds}
        for seed, file in files.items():
            if resume and file.exists():
                check_network(file, replace(settings, seed=seed))
            elif not resume:
                _check_new(file, keep_every)
        left = [seed for seed in seeds if not files[seed].exists()]
        work = [(replace(settings, seed=seed), files[seed], keep_every, quiet or jobs > 1 or scheduler is not None) for seed in left]
        failed = False
        for k, line in finished(_train_file, work, jobs, scheduler):
            if isinstance(line, Died | NotTrained):
                failed = True
                line = f"{files[left[k]]}: not trained: {line.reason}"
            click.echo(line)
        return ExitCode.MALFORMED if failed else ExitCode.VERIFIED


def _check_new(file: Path, keep_every: int | None) -> None:
    """Refuse to train over what is there of a network: its file, its unfinished run, its snapshots."""
    for there in (file, file.with_name(file.name + ".partial")):
        if there.exists():
            raise click.UsageError(f"expected no network of these seeds in {file.parent} (or --resume), got {there}")
    steps = file.with_name(file.name + ".steps")
    if keep_every is not None and steps.is_dir() and any(steps.iterdir()):
        raise click.UsageError(f"expected no earlier snapshots in {steps}, got some: move them away, or choose another --out")


class NotTrained(NamedTuple):
    """Why one of several networks was not trained."""

    reason: str


def _train_file(settings: TrainingSettings, out: Path, keep_every: int | None, quiet: bool) -> str | NotTrained:
    """Train one network, from where an interrupted run of it stopped, and say how it ended."""
    from algebra.group import parse_group

    group = parse_group(settings.group)
    partial = out.with_name(out.name + ".partial")
    resume = partial.exists()
    try:
        state = _run(settings, group, partial, _steps_folder(out, keep_every, resume), keep_every, resume, quiet)
        line = _finish(settings, state, group, out)
        partial.unlink(missing_ok=True)
    except (click.UsageError, MalformedInput, OSError, MemoryError) as error:
        return NotTrained(error.message if isinstance(error, click.UsageError) else " ".join(str(error).split()) or "too little memory")
    return line


def _run(
    settings: TrainingSettings,
    group: FiniteGroup,
    partial: Path,
    steps: Path | None,
    keep_every: int | None,
    resume: bool,
    quiet: bool,
) -> TrainingState:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from net.training.loop import train, use_one_thread
    from net.training.state import load_state, save_network, save_state, start
    from verify.record.explain import percentage

    use_one_thread()
    with _enough_memory(settings):
        state = load_state(partial, settings, group.order) if resume else start(settings, group.order)
    columns = (
        TextColumn("step"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    with _enough_memory(settings), Progress(*columns, console=Console(stderr=True), disable=quiet) as progress:
        task = progress.add_task("", total=settings.steps, completed=state.step)

        def after_evaluation(state: TrainingState) -> None:
            save_state(partial, settings, state)
            last = state.history[-1]
            share = last["right"] / group.order**2
            progress.update(task, description=f"{percentage(share, 2)} right, smallest margin {last['margin']:.4g}")

        def after_step(state: TrainingState) -> None:
            progress.update(task, completed=state.step)
            if steps is not None and keep_every is not None and state.step % keep_every == 0:
                save_network(steps / f"{state.step:07d}.safetensors", settings, state)

        if state.step == 0:
            if steps is not None:  # there are snapshots from now on, to which only a resumed run may add
                save_state(partial, settings, state)
            after_step(state)
        return train(settings, group.mul, state, after_step, after_evaluation)


@contextmanager
def _enough_memory(settings: TrainingSettings) -> Iterator[None]:
    """Tell that memory is lacking as a MemoryError, which PyTorch does not."""
    try:
        yield
    except RuntimeError as error:
        if "allocate memory" not in str(error):
            raise
        wanted = f"{plural(settings.width, 'neuron')}, embeddings of {settings.embed:,} and batches of {plural(settings.batch, 'pair')}"
        raise MemoryError(f"training takes more for {wanted}") from None


def _finish(settings: TrainingSettings, state: TrainingState, group: FiniteGroup, out: Path) -> str:
    """Write the network, and say in a line what it is."""
    from net.training.loop import float32_score
    from net.training.state import save_network

    save_network(out, settings, state)
    right, margin = float32_score(state.parameters, group.mul, None, settings.activation)
    digest = hashlib.sha256(out.read_bytes()).hexdigest()
    return (
        f"{out}: {right:,} of {plural(group.order**2, 'pair')} right after {plural(state.step, 'step')}, "
        f"smallest margin {margin:.4g} (float32), sha256 {digest}"
    )
