"""The command line of the checker: it redoes what a certificate states, from the checkpoint alone.

    python -I verify/checker CERTIFICATE --checkpoint FILE [--sample N --seed S] [--jobs J]
    python -I checker.pyz CERTIFICATE --checkpoint FILE

Standard library only; no code shared with the program that writes certificates.

    last line of stdout    exit code
    s VERIFIED             0   everything that the certificate states but in `not_checked` holds, and its verdict is VERIFIED
    s SAME NETWORK         0   with --coq: the project is about this network (compile it to see whether the theorem holds)
    s CONFIRMED REFUTED    1   the same, and its verdict is REFUTED
    s NOT VERIFIED         1   something does not hold; stderr says what is stated and what was found
    s SAMPLED              3   nothing wrong on the sampled pairs; the others, digests, least margin, float32 and Q4 were left out
    s MALFORMED            4   a file is not what it should be; stderr says why
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from .coq import check_project
from .files import FILE_LIMIT
from .processes import at_once
from .progress import Progress, Redone, amount
from .shape import Differs, Malformed, need, shown
from .statement import Options, check

CODES = {"s VERIFIED": 0, "s SAME NETWORK": 0, "s CONFIRMED REFUTED": 1, "s NOT VERIFIED": 1, "s SAMPLED": 3, "s MALFORMED": 4}


def main(arguments: Sequence[str] | None = None) -> int:
    """Check one certificate, print the table and the verdict; the exit code is that of the module's docstring."""
    description, _, rest = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        "checker", description=description, epilog=rest, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("certificate", type=Path, help="certificate.json, or the directory of a run that it is in")
    parser.add_argument("--checkpoint", type=Path, required=True, metavar="FILE", help="the network that it is about")
    parser.add_argument("--sample", type=_positive, metavar="N", help="look at N pairs only; never s VERIFIED")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="which pairs these are")
    parser.add_argument("--jobs", type=_positive, default=1, metavar="J", help="processes that share the pairs, no more than cores")
    parser.add_argument("--coq", type=Path, metavar="DIR", help="compare this Coq project with the checkpoint, and do nothing else")
    parser.add_argument("--quiet", action="store_true", help="no progress on stderr")
    options = parser.parse_args(arguments)
    try:
        run: Path = options.certificate
        certificate, checkpoint = _read(run / "certificate.json" if run.is_dir() else run), _read(options.checkpoint)
        _in_their_places(certificate, checkpoint)
        if options.coq is not None:
            need(options.coq.is_dir(), f"expected the folder of a Coq project, got none at {shown(str(options.coq))}")
            number, formula = check_project(certificate, checkpoint, options.coq)
            print(
                *([formula] if formula else []), f"{amount(number, 'weights')} of the Coq project are those of the checkpoint", sep="\n"
            )
            print("s SAME NETWORK")
            return CODES["s SAME NETWORK"]
        progress = Progress(None if options.quiet else sys.stderr)
        if (jobs := at_once(options.jobs)) < options.jobs:
            progress.write(f"{amount(jobs, 'processes')} in place of {options.jobs:,}: there are no more cores", True)
        line, table, formula = check(certificate, checkpoint, Options(options.sample, options.seed, jobs), progress)
        print(*([formula] if formula else []), *_lines(table), sep="\n")
    except Differs as error:
        print(error, file=sys.stderr)
        line = "s NOT VERIFIED"
    except Malformed as error:
        print(error, file=sys.stderr)
        line = "s MALFORMED"
    print(line)
    return CODES[line]


def _in_their_places(certificate: bytes, checkpoint: bytes) -> None:
    """Say so where the certificate stands behind --checkpoint; no checkpoint begins as a JSON object does."""
    exchanged = checkpoint.lstrip().startswith(b"{") and not certificate.lstrip().startswith(b"{")
    need(not exchanged, "expected a certificate, and its network behind --checkpoint, got the two the other way round")


def _positive(text: str) -> int:
    if int(text) < 1:
        raise ValueError(text)
    return int(text)


def _read(path: Path) -> bytes:
    """The bytes of a file of at most FILE_LIMIT."""
    try:
        with path.open("rb") as file:
            data = file.read(FILE_LIMIT + 1)
    except (OSError, ValueError) as error:
        raise Malformed(f"expected a readable file, got {shown(str(error))}") from None
    if len(data) > FILE_LIMIT:
        raise Malformed(f"expected a file of at most {FILE_LIMIT:,} bytes, got more at {shown(str(path))}")
    return data


def _lines(table: list[Redone]) -> list[str]:
    """The table as text."""
    rows = [("statement", "how it was redone", "on", "seconds")]
    rows += [(line.statement, line.how, amount(line.number, line.unit), f"{line.seconds:.1f}") for line in table]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
