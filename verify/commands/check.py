"""Check a certificate against its checkpoint, with the standard library alone."""

from pathlib import Path

import click


@click.command()
@click.argument("certificate", type=click.Path(path_type=Path))
@click.option("--checkpoint", type=click.Path(path_type=Path), required=True, help="The network that it is about.")
@click.option("--sample", type=click.IntRange(min=1), help="Look at this many pairs only; never s VERIFIED.")
@click.option("--seed", default=0, show_default=True, help="Which pairs are sampled.")
@click.option(
    "--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Processes, of which no more than cores are started."
)
@click.option("--coq", type=click.Path(path_type=Path), help="Compare this Coq project with the checkpoint, and do nothing else.")
def command(certificate: Path, checkpoint: Path, sample: int | None, seed: int, jobs: int, coq: Path | None) -> int:
    """Redo everything that CERTIFICATE states from the checkpoint alone, in exact integer arithmetic.

    Prints s VERIFIED (0), s CONFIRMED REFUTED (1: an honest report of a network that is wrong), s NOT VERIFIED
    (1: stderr says what is stated and what was found), s SAMPLED (3) or s MALFORMED (4). The checker is the package
    verify/checker, which also runs by itself: python -I verify/checker CERTIFICATE --checkpoint FILE.
    """
    from verify.checker.command import main

    options = ["--checkpoint", str(checkpoint), "--seed", str(seed), "--jobs", str(jobs)]
    options += [] if sample is None else ["--sample", str(sample)]
    options += [] if coq is None else ["--coq", str(coq)]
    return main([*options, "--", str(certificate)])
