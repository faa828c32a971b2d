"""Q3: every obligation of a run written down, handed to z3, and summed up.

The ids say what an obligation is about: O1 the program's correctness, O2 single neurons, O3 the distance to the network.
"""

import hashlib
import time
from pathlib import Path

from algebra.group import FiniteGroup
from algebra.subgroup import Subgroup
from net.folded import FoldedNetwork
from verify.program.program import Program, expand
from verify.record.certificate import NeuronRecord, Obligation, Status, Symbolic
from verify.symbolic.correct import correct_tasks
from verify.symbolic.distance import distance_task
from verify.symbolic.neurons import neuron_tasks
from verify.symbolic.proof_outline import Outline
from verify.symbolic.replay import Replay
from verify.symbolic.solve import file_name, solve, write_scripts
from verify.symbolic.task import Outcome, SymbolicResult, Task


def prove_obligations(
    program: Program,
    group: FiniteGroup,
    subgroups: tuple[Subgroup, ...],
    network: FoldedNetwork,
    neurons: tuple[NeuronRecord, ...],
    directory: Path,
    timeout_s: float,
    total_s: float,
    outline: Outline,
    jobs: int = 2,
) -> SymbolicResult:
    """Write the obligations below ``directory``/obligations and let z3 decide them.

    ``neurons`` are the records of the program's mechanism and ``outline`` is the plan of its proof (`verify.symbolic.proof_outline`).
    ``timeout_s`` bounds one obligation, ``total_s`` all of them together.
    PROVED means that z3 refuted the negation of every obligation; REFUTED that a counterexample was replayed exactly.
    """
    deadline = time.perf_counter() + total_s
    first = [
        *neuron_tasks(program, group, subgroups, neurons),
        distance_task(program, group, subgroups, network, neurons),
    ]
    write_scripts(first, directory)
    outcomes = solve(first, directory, timeout_s, deadline, jobs)
    replay = Replay(outline, expand(program, group, subgroups))
    if outline.failing is not None and replay.wrong_case is not None:
        outline.fail_at(replay.wrong_case)
    tasks = correct_tasks(outline, replay.interpret)
    write_scripts(tasks, directory)
    outcomes = solve(tasks, directory, timeout_s, deadline, jobs) + outcomes
    tasks += first
    return _summed_up(tasks, outcomes)


def _summed_up(tasks: list[Task], outcomes: list[Outcome]) -> SymbolicResult:
    status = _overall([outcome.status for outcome in outcomes])
    failed = [(task, outcome) for task, outcome in zip(tasks, outcomes, strict=True) if outcome.status != "PROVED"]
    reason = "; ".join(f"{task.id}: {outcome.detail}" for task, outcome in failed[:3])
    if len(failed) > 3:
        reason += f"; and {len(failed) - 3} more"
    obligations = tuple(
        Obligation(task.id, task.statement, outcome.status, file_name(task), hashlib.sha256(task.script.encode()).hexdigest())
        for task, outcome in zip(tasks, outcomes, strict=True)
    )
    return SymbolicResult(
        Symbolic(status, reason, None, obligations),
        {task.id: outcome.seconds for task, outcome in zip(tasks, outcomes, strict=True)},
        {task.id: outcome.model.text for task, outcome in zip(tasks, outcomes, strict=True) if outcome.model},
    )


def _overall(statuses: list[Status]) -> Status:
    if "REFUTED" in statuses:
        return "REFUTED"
    return "PROVED" if statuses and all(s == "PROVED" for s in statuses) else "UNKNOWN"
