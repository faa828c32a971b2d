"""Everything known about one neuron of a checkpoint."""

from pathlib import Path

import click

from verify.commands.reading_options import reading_options


@click.command()
@click.argument("index", type=click.IntRange(min=0))
@click.option("--checkpoint", type=click.Path(path_type=Path), required=True, help="The network.")
@click.option("--group", "group_name", help="The group, such as S5; default: what the checkpoint says, or its size.")
@click.option("--order", type=click.Choice(["lexicographic", "even-first", "sympy", "table"]), help="Element order; default: detect.")
@click.option("--product", type=click.Choice(["left-first", "right-first"]), help="Product; default: detect.")
@reading_options
def command(
    index: int,
    checkpoint: Path,
    group_name: str | None,
    order: str | None,
    product: str | None,
    layout: Path | None,
    step: str | None,
) -> None:
    """Print the page of neuron INDEX: label, preactivations by coset, votes, irreps, and what its removal does."""
    from verify.analysis import analyse
    from verify.jobs.neuron_page import neuron_page

    analysis = analyse(checkpoint, group_name, order=order, product=product, layout=layout, step=step)
    if index >= analysis.network.width:
        raise click.UsageError(f"expected a neuron below {analysis.network.width}, got {index}")
    click.echo(neuron_page(analysis, index), nl=False)
