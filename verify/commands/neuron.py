"""Everything known about one neuron of a checkpoint, and pictures of neurons."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from algebra.plural import plural
from verify.commands._reading_options import reading_options

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.figure import Figure

    from reports.records import Record
    from verify.analysis import Analysis
    from verify.reading import How

FORMS: dict[str, Literal["svg", "pdf", "png"]] = {".svg": "svg", ".pdf": "pdf", ".png": "png"}


@click.command()
@click.argument("index", type=click.IntRange(min=0), required=False)
@click.option("--checkpoint", type=click.Path(path_type=Path), help="The network; default: the bundled one for the group.")
@click.option("--group", "group_name", help="The group, such as S5; default: what the checkpoint says, or its size.")
@click.option("--class", "class_name", help="Instead of one neuron: all whose label names this class of subgroups, such as S4.")
@click.option("--figure", type=click.Path(path_type=Path, dir_okay=False), help="Draw into this file (.svg, .pdf or .png) instead.")
@click.option("--order", type=click.Choice(["lexicographic", "even-first", "sympy", "table"]), help="Element order; default: detect.")
@click.option("--product", type=click.Choice(["left-first", "right-first"]), help="Product; default: detect.")
@reading_options
def command(
    index: int | None,
    checkpoint: Path | None,
    group_name: str | None,
    class_name: str | None,
    figure: Path | None,
    order: str | None,
    product: str | None,
    how: "How",
) -> None:
    """Print the page of neuron INDEX: label, preactivations by coset, votes, irreps, and what its removal does.

    With --figure the neuron is drawn: its response to all pairs, as they come and sorted by cosets, its two functions and its votes.
    With --class and --figure it is a contact sheet of all neurons of the class; with --class alone their numbers are printed.
    """
    from net.bundled import bundled_checkpoint
    from verify.analysis import analyse

    if (index is None) == (class_name is None):
        raise click.UsageError(f"expected a neuron's number or --class, got {'neither' if index is None else 'both'}")
    if figure is not None and figure.suffix not in FORMS:
        raise click.UsageError(f"expected a figure's name to end in .svg, .pdf or .png, got {figure.name!r}")
    if figure is not None and not figure.absolute().parent.is_dir():
        raise click.UsageError(f"expected a figure in a folder that exists, got {figure}")
    if checkpoint is None and group_name is None:
        raise click.UsageError("expected --checkpoint, or --group for the bundled network of a group")
    path = checkpoint or bundled_checkpoint(group_name or "")
    analysis = analyse(path, group_name, order=order, product=product, **how._asdict())
    if class_name is not None:
        _class(analysis, class_name, figure)
        return
    assert index is not None
    if index >= analysis.network.width:
        raise click.UsageError(f"expected a neuron below {analysis.network.width}, got {index}")
    if figure is None:
        from verify.jobs.neuron_page import neuron_page

        click.echo(neuron_page(analysis, index), nl=False)
        return
    from reports.neuron_figure import draw_page

    neuron = analysis.neurons[index]
    title = f"neuron {index}: {neuron.kind}; x by {neuron.left or '–'}, y by {neuron.right or '–'}"
    _draw(lambda: draw_page(_pictures(analysis), index, title), figure)


def _class(analysis: "Analysis", name: str, figure: Path | None) -> None:
    pictures = _pictures(analysis)
    members = [neuron["index"] for neuron in pictures["neurons"] if name in neuron["classes"]]
    if not members:
        known = sorted({one for neuron in pictures["neurons"] for one in neuron["classes"]})
        raise click.UsageError(f"expected a class of subgroups that labels name ({', '.join(known) or 'there are none'}), got {name!r}")
    if figure is None:
        click.echo(" ".join(map(str, members)))
        return
    from reports.neuron_figure import draw_sheet

    title = f"{plural(len(members), 'neuron')} whose labels name {name}: responses to all pairs, sorted by cosets"
    _draw(lambda: draw_sheet(pictures, members, title), figure)


def _pictures(analysis: "Analysis") -> "Record":
    import msgspec

    found: Record = msgspec.to_builtins(analysis.pictures)
    return found


def _draw(draw: "Callable[[], Figure]", path: Path) -> None:
    from reports.figures import saved, styled

    with styled():
        content = saved(draw(), FORMS[path.suffix])
    path.write_bytes(content)
    click.echo(str(path))
