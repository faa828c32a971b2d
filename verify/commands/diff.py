"""Compare two checkpoints, programs or runs: answers, margins, labels, circuits."""

from pathlib import Path

import click


@click.command("diff")
@click.argument("a", type=click.Path(exists=True, path_type=Path))
@click.argument("b", type=click.Path(exists=True, path_type=Path))
@click.option("--group", help="The group; default: what each checkpoint says, or its size.")
@click.option("--order", type=click.Choice(["lexicographic", "even-first", "sympy", "table"]), help="Element order; default: detect.")
@click.option("--product", type=click.Choice(["left-first", "right-first"]), help="Product; default: detect.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@click.option("--quiet", is_flag=True, help="No progress on stderr.")
def command(a: Path, b: Path, group: str | None, order: str | None, product: str | None, as_json: bool, quiet: bool) -> int:
    """Say in what A and B differ; each is a checkpoint, a program.json, or the directory of a run.

    Exit code 0 when they give the same answers on every pair, 1 when they do not.
    """
    import msgspec

    from verify.jobs.diff import diff, markdown, side
    from verify.jobs.progress import comment

    def progress(text: str) -> None:
        if not quiet:
            comment(text)

    one, two = (side(path, group, progress, order, product) for path in (a, b))
    found = diff(one, two)
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
    else:
        click.echo(markdown(found, one.group), nl=False)
    return 1 if found["answers_differ"] else 0
