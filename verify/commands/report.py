"""Write the report again from a certificate, as Markdown, as one HTML page or as LaTeX."""

from pathlib import Path
from typing import Literal

import click


@click.command()
@click.argument("certificate", type=click.Path(exists=True, path_type=Path))
@click.option("--format", "form", type=click.Choice(["md", "html", "tex"]), default="md", show_default=True)
def command(certificate: Path, form: Literal["md", "html", "tex"]) -> None:
    """Write the report of CERTIFICATE, the directory of a run or the certificate.json in it.

    Nothing is proved again: the report repeats what the two files say. `verify check` redoes the proofs.
    A certificate that does not carry its own digest is refused. The path of the report is printed.
    """
    from net.errors import MalformedInput
    from reports import write_report
    from verify.record.certificate import read_certificate, sealed
    from verify.record.pictures import read_pictures
    from verify.record.summary import read_summary

    if certificate.is_dir():
        certificate = certificate / "certificate.json"
    if certificate.name != "certificate.json":
        raise click.UsageError(f"expected a file certificate.json, or the directory of a run, got {certificate.name}")
    contents = read_certificate(certificate)  # an error that names the path of what does not fit the schema
    if (digest := sealed(contents).sha256) != contents.sha256:
        raise MalformedInput(
            f"expected a certificate that carries the digest of its contents, {digest[:12]}..., got {contents.sha256[:12]!r}...: "
            "it was changed after it was written; `verify run` writes it again"
        )
    try:
        read_summary(certificate.with_name("summary.json"))
        if (pictures := certificate.with_name("pictures.json")).exists():
            read_pictures(pictures, contents.group.order, contents.checkpoint.width)
        click.echo(write_report(certificate.parent, form))
    except FileNotFoundError as error:
        raise MalformedInput(f"expected a file summary.json beside {certificate}, found none") from error
