"""Many checkpoints, one table."""

from pathlib import Path

import click


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Where each run's directory and sweep.md go.")
@click.option("--group", help="The group of all of them; default: what each checkpoint says.")
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Processes at a time.")
@click.option("--timeout", type=click.FloatRange(min=0), default=60.0, show_default=True, help="Seconds of SMT solver for each.")
def command(paths: tuple[Path, ...], out: Path, group: str | None, jobs: int, timeout: float) -> int:
    """Run every checkpoint in PATHS, files or directories of them, and print one table.

    Exit code 0 when every network is verified, 1 when one is refuted, 3 when one is unknown, 4 when one was refused.
    """
    from verify.jobs.sweep import markdown, sweep

    rows = sweep(paths, out, group, jobs, timeout)
    click.echo(markdown(rows), nl=False)
    codes = {"REFUSED": 4, "REFUTED": 1, "UNKNOWN": 3, "VERIFIED": 0}
    return max((codes[row["verdict"]] for row in rows), key=lambda code: (4, 1, 3, 0)[::-1].index(code))
