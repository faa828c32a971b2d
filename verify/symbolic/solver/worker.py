"""A solver in a process of its own: reads lines of JSON, answers each with a line of JSON, until its input ends.

A request names a file and a limit in seconds. The solver runs the whole script through its own SMT-LIB front end; nothing of the
script is interpreted here.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypedDict

#: The scripts are mostly propositional with bounds on sums; with these settings z3 is up to ten times faster on them (measured).


class Request(TypedDict):
    """A line of stdin: a file, and the seconds for each of its checks."""

    file: str
    limit_s: float


class Reply(TypedDict):
    """A line of stdout."""

    answers: list[str]
    seconds: float


Z3_SETTINGS = {"smt.arith.solver": "2", "smt.relevancy": "0"}


def z3_answers(file: Path, limit_s: float) -> list[str]:
    """The answers of z3 to a script's ``check-sat``s in order: ``sat``, ``unsat``, ``unknown`` or a line that starts with ``error``."""
    import z3

    settings = Z3_SETTINGS | {"timeout": str(max(1, int(limit_s * 1000))), "smt.random_seed": "0"}
    options = "".join(f"(set-option :{name} {value})\n" for name, value in settings.items())
    context = z3.Context()  # a name of its own: z3 frees a context that nobody holds
    said = z3.Z3_eval_smtlib2_string(context.ref(), options + file.read_text(encoding="utf-8"))
    return [_answer(line) for line in said.splitlines() if line.strip()]


def cvc5_answers(file: Path, limit_s: float) -> list[str]:
    """The same of cvc5, which reads the script command by command as its own binary does."""
    import cvc5

    solver = cvc5.Solver()
    solver.setOption("incremental", "true")
    solver.setOption("tlimit-per", str(max(1, int(limit_s * 1000))))
    if "(set-logic QF_NRA)" in file.read_text(encoding="utf-8"):
        solver.setOption("nl-ext", "none")  # products of few variables: cylindrical coverings at once
        solver.setOption("nl-cov", "true")
    manager = cvc5.SymbolManager(solver)
    parser = cvc5.InputParser(solver, manager)
    parser.setFileInput(cvc5.InputLanguage.SMT_LIB_2_6, str(file))
    answers: list[str] = []
    while not (command := parser.nextCommand()).isNull():
        answers += [_answer(line) for line in command.invoke(solver, manager).splitlines() if line.strip()]
        if answers and answers[-1] == "unknown":
            break  # what is left has no time any more
    return answers


def cvc5_proofs(file: Path, limit_s: float) -> list[str]:
    """The answers of cvc5, and their proofs in Alethe in NAME.alethe beside NAME.smt2, written when all checks have one without holes.

    Each proof stands for itself, after a line ``; check K``.
    """
    import cvc5

    solver = cvc5.Solver()
    text = file.read_text(encoding="utf-8")
    settings = {"incremental": "true", "produce-proofs": "true", "proof-format-mode": "alethe", "proof-granularity": "dsl-rewrite"}
    if "(set-logic QF_NRA)" in text:
        settings |= {"nl-ext": "none", "nl-cov": "true"}
    for name, value in (settings | {"tlimit-per": str(max(1, int(limit_s * 1000)))}).items():
        solver.setOption(name, value)
    manager = cvc5.SymbolManager(solver)
    parser = cvc5.InputParser(solver, manager)
    parser.setFileInput(cvc5.InputLanguage.SMT_LIB_2_6, str(file))
    proofs: list[str] = []
    answers: list[str] = []
    while not (command := parser.nextCommand()).isNull():
        for line in command.invoke(solver, manager).splitlines():
            answers.append(_answer(line))
            if line == "unsat":
                proof = solver.proofToString(solver.getProof()[0], cvc5.ProofFormat.ALETHE)
                proofs.append(proof.decode() if isinstance(proof, bytes) else proof)
                answers[-1] = judged_proof(proofs[-1])
        if answers and answers[-1] != "unsat":
            return answers
    file.with_suffix(".alethe").write_text("".join(f"; check {k}\n{proof}\n" for k, proof in enumerate(proofs, 1)), encoding="utf-8")
    return answers


def judged_proof(proof: str) -> str:
    """``unsat`` for a proof in Alethe without holes, else what is wrong with it."""
    if not proof.startswith("(\n(assume "):
        return f"no proof in Alethe: {' '.join(proof.split())[:150]}"
    return "a step of the proof is a hole" if ":rule hole" in proof else "unsat"


SOLVERS: dict[str, Callable[[Path, float], list[str]]] = {"z3": z3_answers, "cvc5": cvc5_answers, "cvc5 proofs": cvc5_proofs}


def _answer(line: str) -> str:
    return line if line in ("sat", "unsat", "unknown") else f"error: {line}"


def serve(solver: str) -> None:
    """Answer requests from stdin on stdout."""
    for line in sys.stdin:
        request: Request = json.loads(line)
        started = time.perf_counter()
        try:
            answers = SOLVERS[solver](Path(request["file"]), request["limit_s"])
        except Exception as error:  # a solver that gives up must not take the others with it
            answers = [f"error: {error}"]
        reply: Reply = {"answers": answers, "seconds": time.perf_counter() - started}
        sys.stdout.write(json.dumps(reply) + "\n")
        sys.stdout.flush()
