"""One lemma as a file for an SMT solver, with the answers that exact integers lead one to expect."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from verify.record.certificate import Status

FOLDER = "obligations"


@dataclass(frozen=True)
class Obligation:
    """A lemma: its id, its statement in one sentence, and a script in SMT-LIB 2 that asserts its negation.

    ``status`` is what exact integers say. ``expected`` has one answer for each of the script's checks: ``unsat`` for what holds, and
    ``sat`` where a sum of bounds falls short.
    """

    id: str
    statement: str
    script: str
    expected: tuple[str, ...]
    status: Status = "PROVED"

    @property
    def file(self) -> str:
        """Where the script lies, relative to the run's directory."""
        return f"{FOLDER}/{self.id}.smt2"

    @property
    def sha256(self) -> str:
        """The digest of the script."""
        return hashlib.sha256(self.script.encode()).hexdigest()


def write_scripts(obligations: Sequence[Obligation], directory: Path) -> None:
    """Write every script below ``directory``."""
    (directory / FOLDER).mkdir(parents=True, exist_ok=True)
    for obligation in obligations:
        (directory / obligation.file).write_bytes(obligation.script.encode())
