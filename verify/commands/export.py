"""Write a run's network for other tools: a project whose theorem Coq's kernel checks."""

from __future__ import annotations

from os import getpid
from os.path import relpath
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from reports.document import Form


@click.group()
def command() -> None:
    """Write a run's network for other tools."""


@command.command("coq")
@click.argument("run", type=click.Path(exists=True, path_type=Path))
@click.option("--checkpoint", type=click.Path(path_type=Path), required=True, help="The network that the run is about.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="A new directory, or one with an earlier export.")
def coq(run: Path, checkpoint: Path, out: Path) -> None:
    """Write a Coq project with the theorem that the network of RUN multiplies, for all pairs of inputs.

    RUN is the directory of `verify run`, or its certificate.json. `make -C DIRECTORY` compiles the project: the theory, Network.v with
    the exact weights, and Theorem.v, whose proof Coq's kernel checks. Where the network has wrong answers, Mistakes.v lists the pairs,
    and the theorem is that it is right at all others and at none of these.
    `verify check RUN --coq DIRECTORY` compares Network.v, Mistakes.v and Theorem.v with the checkpoint.
    The run's summary and report name the theorem.
    """
    from shutil import which

    from verify.formal.project import stored_network, write_project
    from verify.record.certificate import read_certificate

    path = run / "certificate.json" if run.is_dir() else run
    certificate = read_certificate(path)
    network = stored_network(certificate.group, certificate.checkpoint, certificate.correct, checkpoint)
    write_project(*network, out)
    if path.name == "certificate.json":
        _name_theorem(path.parent, out, len(certificate.correct.wrong))
    click.echo(out)
    if certificate.correct.wrong:
        wrong = f"{len(certificate.correct.wrong):,} of {certificate.correct.pairs:,} pairs"
        click.echo(f"the network is wrong at {wrong}: Theorem.v states that it is right at all others, and at none of these", err=True)
    if which("coqc") is None:
        click.echo(f"coqc was not found: install Coq (Debian and Ubuntu: apt-get install coq), then make -C {out}", err=True)


def _name_theorem(run: Path, out: Path, mistakes: int) -> None:
    """Put the theorem into the run's summary.json, and write its reports again; does nothing where there is no summary."""
    import msgspec

    from reports import write_report
    from verify.record.summary import Theorem, read_summary, summary_bytes

    path = run / "summary.json"
    if not path.is_file():
        return
    directory = Path(relpath(out, run)).as_posix()
    theorem = Theorem("multiplies_except" if mistakes else "multiplies", directory, mistakes)
    work = path.with_name(f".{path.name}.{getpid()}")
    work.write_bytes(summary_bytes(msgspec.structs.replace(read_summary(path), theorem=theorem)))
    work.replace(path)
    forms: tuple[Form, ...] = ("md", "html", "tex")
    for form in forms:
        if (run / f"report.{form}").is_file():
            write_report(run, form)
