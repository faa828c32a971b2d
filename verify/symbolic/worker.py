"""A solver in a process of its own: reads lines of JSON, answers each with a line of JSON, until its input ends.

A request names a file, a limit in seconds and the constants whose values are wanted when the last check is satisfiable.
z3 runs the whole script through its own SMT-LIB front end; nothing of the script is interpreted here.
"""

import json
import re
import sys
import time
from pathlib import Path
from typing import Any

#: The scripts are mostly propositional with bounds on sums; with these settings z3 is up to ten times faster on them (measured).
SETTINGS = {"smt.arith.solver": "2", "smt.relevancy": "0"}


def run_script(text: str, limit_s: float, wanted: tuple[str, ...] = (), seed: int = 0) -> tuple[list[str], dict[str, str]]:
    """The answers of z3 to the script's ``check-sat``s in order, and the values of ``wanted`` when the last one is sat.

    An answer is ``sat``, ``unsat``, ``unknown`` or a line that starts with ``error``.
    """
    import z3

    context = z3.Context()
    settings = SETTINGS | {"timeout": str(max(1, int(limit_s * 1000))), "smt.random_seed": str(seed)}
    options = "".join(f"(set-option :{name} {value})\n" for name, value in settings.items())
    said = z3.Z3_eval_smtlib2_string(context.ref(), options + text)
    answers = [line if line in ("sat", "unsat", "unknown") else f"error: {line}" for line in said.splitlines() if line.strip()]
    values: dict[str, str] = {}
    if wanted and answers and answers[-1] == "sat":
        got = z3.Z3_eval_smtlib2_string(context.ref(), f"(get-value ({' '.join(wanted)}))")
        values = dict(re.findall(r"\(\s*(\w+) ((?:\(.*?\)+)|[^\s()]+)\)", got))
    return answers, values


def serve() -> None:
    """Answer requests from stdin on stdout."""
    for line in sys.stdin:
        request: dict[str, Any] = json.loads(line)
        started = time.perf_counter()
        try:
            answers, values = run_script(
                Path(request["file"]).read_text(encoding="utf-8"), request["limit_s"], tuple(request["wanted"])
            )
        except Exception as error:  # a solver that gives up must not take the others with it
            answers, values = [f"error: {error}"], {}
        reply = {"answers": answers, "values": values, "seconds": time.perf_counter() - started}
        sys.stdout.write(json.dumps(reply) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
