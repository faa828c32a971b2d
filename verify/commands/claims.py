"""Decide claims about a network, from a file or from a paper, on one checkpoint or on a folder of them."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from verify.commands._reading_options import reading_options

if TYPE_CHECKING:
    from verify.reading import How


@click.command("claims")
@click.argument("claims")
@click.option("--init", is_flag=True, help="Write CLAIMS as a new file to begin with, and decide nothing.")
@click.option(
    "--checkpoint",
    type=click.Path(path_type=Path),
    help="The network, or a folder of networks; default: the bundled one for the group.",
)
@click.option("--group", default="", help="The group, such as S5; default: the file's own, or by the network's size.")
@reading_options
@click.option(
    "--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Processes at a time, no more than cores, for a folder."
)
@click.option("--scheduler", metavar="ADDRESS", help="A dask scheduler whose workers decide, for a folder.")
@click.option("--json", "as_json", is_flag=True, help="Print the reports as JSON.")
@click.option("--quiet", is_flag=True, help="No progress on stderr.")
def command(
    claims: str,
    init: bool,
    checkpoint: Path | None,
    group: str,
    how: "How",
    jobs: int,
    scheduler: str | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Decide the claims in a TOML file, or in a library.

    Libraries: stander, chughtai, wu, he, wu-appendix-h, mccracken, morwani, necessity, levels.

    Each claim comes out PROVED, REFUTED with a counterexample, MEASURED beside the published figure, UNKNOWN or SKIPPED. Exit code 0
    when all are proved or measured, 1 when one is refuted, 3 when one is unknown, 4 for a mistake in the file.
    """
    import msgspec

    from net.bundled import bundled_checkpoint
    from verify.claims.decide import Report, aggregate, decide_claims, open_subject
    from verify.claims.render import render, render_aggregate
    from verify.claims.schema import find_claims, read_claims
    from verify.exit_codes import exit_code
    from verify.jobs.claims import decide_folder
    from verify.jobs.progress import comment

    def progress(text: str) -> None:
        if not quiet:
            comment(text)

    if init:
        _write_template(Path(claims), group)
        return 0
    path = find_claims(claims)
    found = read_claims(path)
    name = _about(path, found.group, group)
    if checkpoint is None and not name:
        raise click.UsageError("expected --checkpoint, or --group for a bundled network, got neither")
    where = checkpoint or bundled_checkpoint(name)
    if not where.is_dir():
        report = decide_claims(path, found, open_subject(where, name, path.parent, how), progress)
        click.echo(msgspec.json.encode(report).decode() if as_json else render(found, report))
        return exit_code(decision.outcome.verdict for decision in report.decisions)
    reports: list[Report] = []
    unread: list[tuple[str, str]] = []
    for one in decide_folder(path, found, where, name, progress, jobs, scheduler, how):
        if isinstance(one, Report):
            reports.append(one)
        else:
            unread.append((str(one[0]), one[1]))
            progress(f"not read: {one[0]}: {one[1]}")
    rows = aggregate(found, reports)
    if as_json:
        content = {"networks": reports, "aggregate": rows, "not_read": unread}
        click.echo(msgspec.json.encode(content).decode())
    else:
        click.echo(render_aggregate(found, rows, unread))
    return exit_code(decision.outcome.verdict for report in reports for decision in report.decisions)


def _about(path: Path, stated: str, asked: str) -> str:
    """The name of the group that the claims are decided over: --group's, which is to be the file's own where it has one."""
    from algebra.group import parse_group
    from verify.claims.decide import named_group

    if stated and asked:
        ours, theirs = named_group(stated), parse_group(asked)
        if ours.elements.tolist() != theirs.elements.tolist():
            raise click.UsageError(
                f"expected --group {stated}, which the claims in {path} are about, got {asked!r}: "
                "leave --group away, or change `group` in the file"
            )
    return asked or stated


def _write_template(path: Path, group: str) -> None:
    from algebra.group import parse_group
    from verify.claims.template import template

    if path.suffix != ".toml":
        raise click.UsageError(f"expected a new file's name that ends in .toml, got {path.name!r}")
    if group:
        parse_group(group)  # a name that is no group is wrong usage
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(template(path.name, group))
    except FileExistsError:
        raise click.UsageError(f"expected a new file, but {path} is there already") from None
    click.echo(f"{path}: change it, then: verify claims {path} --checkpoint FILE")
