"""Proofs of the lemmas that others can check: what cvc5 prints in the format Alethe, beside each file for solvers.

No status rests on them: exact integers decided every lemma before. A proof is asked for with the granularity ``dsl-rewrite``, with
which every step is one of Alethe's rules; a proof with a step of the rule ``hole``, which claims something without saying why, is not
written.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from algebra.plural import plural
from verify.symbolic.obligation import Obligation
from verify.symbolic.solver.opinions import SolverProcess, installed

__all__ = ["proof_file", "write_proofs"]

#: Seconds for one check, and for one file.
CHECK_S, FILE_S = 60.0, 300.0


def proof_file(file: Path) -> Path:
    """Where the proof of a lemma's file stands: NAME.alethe beside NAME.smt2."""
    return file.with_suffix(".alethe")


def write_proofs(
    obligations: Sequence[Obligation], directory: Path, progress: Callable[[str], None] = lambda _: None
) -> dict[str, str]:
    """Write a proof beside each lemma's file below ``directory``; why there is none, by the id of each lemma that has none.

    A lemma has a proof when all checks of its file are refuted, each by a proof without holes. RuntimeError where cvc5 is not
    installed.
    """
    if not installed()["cvc5"]:
        raise RuntimeError("expected cvc5 for proofs in Alethe, found none: pip install cvc5")
    missing: dict[str, str] = {}
    process = SolverProcess("cvc5 proofs")
    try:
        for number, obligation in enumerate(obligations, 1):
            file = directory / obligation.file
            proof_file(file).unlink(missing_ok=True)
            if set(obligation.expected) != {"unsat"}:
                missing[obligation.id] = "the lemma is not proved"
                continue
            reply = process.ask(file, CHECK_S, FILE_S)
            if reply is None:
                process.close()
                process = SolverProcess("cvc5 proofs")
                missing[obligation.id] = f"not done in {FILE_S:.0f} s"
            elif reply["answers"] != list(obligation.expected):
                proof_file(file).unlink(missing_ok=True)
                missing[obligation.id] = next(a for a in [*reply["answers"], "fewer answers than checks"] if a != "unsat")
            if number % 20 == 0:
                progress(f"{number} of {plural(len(obligations), 'lemma')} given to cvc5 for proofs")
    finally:
        process.close()
    return missing
