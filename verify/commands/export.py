"""Write a run's network for other tools: a project whose theorem Coq's kernel checks."""

from pathlib import Path

import click


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
    """
    from shutil import which

    from verify.formal.project import stored_network, write_project
    from verify.record.certificate import read_certificate

    certificate = read_certificate(run / "certificate.json" if run.is_dir() else run)
    write_project(*stored_network(certificate, checkpoint), out)
    click.echo(out)
    if certificate.correct.wrong:
        wrong = f"{len(certificate.correct.wrong):,} of {certificate.correct.pairs:,} pairs"
        click.echo(f"the network is wrong at {wrong}: Theorem.v states that it is right at all others, and at none of these", err=True)
    if which("coqc") is None:
        click.echo(f"coqc was not found: install Coq (Debian and Ubuntu: apt-get install coq), then make -C {out}", err=True)
