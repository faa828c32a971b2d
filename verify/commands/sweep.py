"""Many checkpoints, one table."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from verify.commands._reading_options import reading_options
from verify.commands.run import solvers_budget
from verify.symbolic.settings import SOLVERS_S

if TYPE_CHECKING:
    from verify.reading import How


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Where each run's directory and sweep.md go.")
@click.option("--group", help="The group of all of them; default: what each checkpoint says.")
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Processes at a time, no more than cores.")
@click.option(
    "--timeout",
    type=float,
    callback=solvers_budget,
    default=SOLVERS_S,
    show_default=True,
    help="Seconds for the SMT solvers' second opinions on each network; 0 asks none.",
)
@reading_options
@click.option("--resume", is_flag=True, help="Keep the runs in --out that this version finished on the same files.")
@click.option("--scheduler", metavar="ADDRESS", help="A dask scheduler, such as tcp://node1:8786; its workers do the runs.")
@click.option("--quiet", is_flag=True, help="No progress on stderr.")
def command(
    paths: tuple[Path, ...],
    out: Path,
    group: str | None,
    jobs: int,
    timeout: float,
    how: "How",
    resume: bool,
    scheduler: str | None,
    quiet: bool,
) -> int:
    """Run every checkpoint in PATHS, files or directories of them, and print one table.

    The table is written again after each network, so that --resume can go on after an interruption. Exit code 0 when every network is
    verified; else the first of 5 when this program failed on one, 4 when one was refused, 1 when one is refuted, 3 when one is unknown.
    """
    from verify.exit_codes import exit_code
    from verify.jobs.progress import comment
    from verify.jobs.sweep import markdown, sweep

    def progress(text: str) -> None:
        if not quiet:
            comment(text)

    if resume and any(how):
        raise click.UsageError("expected --resume without --layout, --step and --activation, which earlier runs do not record")
    rows = sweep(paths, out, group, jobs, timeout, progress, resume=resume, scheduler=scheduler, how=how)
    click.echo(markdown(rows), nl=False)
    return exit_code(row["verdict"] for row in rows)
