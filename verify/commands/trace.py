"""Watch a training run through its snapshots: answers, subgroups and irreps at each."""

from pathlib import Path

import click


@click.command("trace")
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
@click.option("--group", help="The group; default: what the snapshots say.")
@click.option("--out", type=click.Path(path_type=Path), help="Where trace.json, .md, .svg and .html go; default: FOLDER.trace.")
@click.option("--programs", is_flag=True, help="Distil each snapshot too, for the price of its program and what it explains.")
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Processes at a time, no more than cores.")
@click.option("--scheduler", metavar="ADDRESS", help="A dask scheduler whose workers do the work.")
@click.option("--quiet", is_flag=True, help="No progress on stderr.")
def command(folder: Path, group: str | None, out: Path | None, programs: bool, jobs: int, scheduler: str | None, quiet: bool) -> int:
    """Look at every snapshot in FOLDER (`verify train --keep-every` writes them), print a table, and draw it.

    FOLDER may be a file that holds several checkpoints, such as full_run.pth. Right pairs are exact; shares of energy are measured.
    trace.html shows all figures as strips over the snapshots, with their values at the one chosen.
    """
    import msgspec

    from reports.trace_figure import draw_trace
    from reports.trace_page import trace_page
    from verify.jobs.many import only_one
    from verify.jobs.progress import comment
    from verify.jobs.trace import events, markdown, trace

    def progress(text: str) -> None:
        if not quiet:
            comment(text)

    run = folder.resolve()
    target = out or run.with_name(run.name + ".trace")
    with only_one(target, "trace"):
        rows = trace(folder, group, jobs, scheduler, programs, progress)
        page = trace_page(rows, events(rows), run.name.removesuffix(".steps"))
        draw_trace(rows, target / "trace.svg")
        (target / "trace.json").write_bytes(msgspec.json.format(msgspec.json.encode(rows), indent=1) + b"\n")
        (target / "trace.md").write_text(markdown(rows), encoding="utf-8")
        (target / "trace.html").write_text(page, encoding="utf-8")
    click.echo(markdown(rows), nl=False)
    return 0
