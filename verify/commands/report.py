"""Write report.md or report.html again from a certificate."""

from pathlib import Path

import click


@click.command()
@click.argument("certificate", type=click.Path(exists=True, path_type=Path))
@click.option("--format", "form", type=click.Choice(["md", "html"]), default="md", show_default=True)
def command(certificate: Path, form: str) -> None:
    """Write the report of CERTIFICATE, a certificate.json with its summary.json in the same directory.

    Nothing is proved again: the report repeats what the two files say. `verify check` redoes the proofs.
    The path of the report is printed.
    """
    from net.errors import MalformedInput
    from reports import UnreadableReport, write_report
    from verify.record.certificate import read_certificate

    if certificate.name != "certificate.json":
        raise click.UsageError(f"expected a file certificate.json, not {certificate.name}")
    read_certificate(certificate)  # an error that names the path of what does not fit the schema
    try:
        click.echo(write_report(certificate.parent, form))
    except UnreadableReport as error:
        raise MalformedInput(str(error)) from error
