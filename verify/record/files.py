"""A run's directory: its files written together, or not at all."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from net.errors import MalformedInput
from net.in_memory import FILE_NAME
from reports import Drawn, draw, write_program, write_report
from verify.program.program import Program
from verify.record import certificate as cert
from verify.record.checker_archive import checker_archive
from verify.record.pictures import Pictures, picture_bytes
from verify.record.summary import Summary, summary_bytes
from verify.symbolic.obligation import Obligation, write_scripts

#: What a run's directory holds beside reports, which `verify report` writes there in further formats.
WRITTEN = frozenset(
    "certificate.json checker.pyz summary.json pictures.json program.json program.py provable.json provable.py programs obligations "
    f"figures {FILE_NAME} __pycache__ .DS_Store".split()
)
#: Names of reports without their endings; LaTeX writes files of further endings beside them.
REPORTS = ("report", "report-circuits", "report-neurons")


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A new directory beside ``target`` that takes its place at the end; when something is raised, all stays as it was.

    Whether ``target`` can be written to shows before anything else is done.

    Raises:
        MalformedInput: ``target`` holds something else than an earlier run, or no folder can be made beside it.
        OSError: something cannot be written later on.

    """
    _refuse_what_no_run_wrote(target)
    missing = [folder for folder in target.parents if not folder.exists()]
    work: Path | None = None
    try:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            work = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
        except OSError as error:
            raise MalformedInput(
                f"expected a folder that can be written to at {target.parent}, got: {error.strerror or error}"
            ) from error
        yield work
        work.chmod(0o755)
        if target.exists():
            shutil.rmtree(target)
        work.rename(target)
    except BaseException:
        if work is not None:
            shutil.rmtree(work, ignore_errors=True)
        for folder in missing:
            with suppress(OSError):  # not there, or not empty
                folder.rmdir()
        raise


def _refuse_what_no_run_wrote(target: Path) -> None:
    """An earlier run is replaced as a whole, so it must hold nothing that somebody else put there: a checkpoint, say."""
    if not target.exists():
        return
    if not target.is_dir():
        raise MalformedInput(f"expected {target} to be a folder that is new, empty or an earlier run, got a file")
    held = sorted(entry.name for entry in target.iterdir())
    others = [name for name in held if name not in WRITTEN and name.partition(".")[0] not in REPORTS]
    if held and ("certificate.json" not in held or others):
        what = repr(others[0]) if others else "something else"
        raise MalformedInput(
            f"expected {target} to be new, empty or an earlier run and no more, but it holds {what}; choose another --out"
        )


def figures_of(certificate: cert.Certificate, summary: Summary, pictures: Pictures) -> Drawn:
    """The figures of a run's report; no solver's opinion is in any of them."""
    records = (cert.canonical_bytes(certificate), summary_bytes(summary), picture_bytes(pictures))
    return draw(*(msgspec.json.decode(record) for record in records))


def write_files(
    directory: Path,
    certificate: cert.Certificate,
    summary: Summary,
    obligations: Sequence[Obligation],
    pictures: Pictures,
    others: Mapping[str, Program],
    drawn: Drawn,
) -> None:
    """Write the certificate and its checker, summary and pictures, the programs as .json and .py, the report and obligations/.

    ``others`` are the programs of the price curve that no statement is about, by name: each becomes a file in programs/.
    ``drawn`` are the figures of `figures_of`.
    """
    write_scripts(obligations, directory)
    (directory / "certificate.json").write_bytes(cert.canonical_bytes(certificate) + b"\n")
    (directory / "checker.pyz").write_bytes(checker_archive())
    (directory / "summary.json").write_bytes(summary_bytes(summary))
    (directory / "pictures.json").write_bytes(picture_bytes(pictures))
    provable = certificate.symbolic.provable
    for name, program in (("program", certificate.program), ("provable", provable.program if provable else None)):
        if program is not None:
            text = cert.canonical_bytes(program)
            (directory / f"{name}.json").write_bytes(text + b"\n")
            write_program(msgspec.json.decode(text), directory / f"{name}.py")
    for name, program in others.items():
        path = directory / "programs" / f"{name.replace(' ', '-')}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(cert.canonical_bytes(program) + b"\n")
    write_report(directory, drawn=drawn)
