"""Q3 for a network: about the readable program where the lemmas reach it, else about a provable program where one is found."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from net.folded import FoldedNetwork
from verify.compare.levels import mechanism
from verify.distil.labels import NeuronLabel
from verify.exact.exhaustive import Evaluation, right
from verify.program.quantise import Written
from verify.record.certificate import NeuronRecord, ProvableProgram
from verify.symbolic.decomposition import take_apart
from verify.symbolic.obligations import prove_obligations
from verify.symbolic.proof_outline import outline_proof
from verify.symbolic.provable.search import Provable, find_provable
from verify.symbolic.task import SymbolicResult

__all__ = ["SymbolicFinding", "decide_symbolic"]


@dataclass(frozen=True)
class SymbolicFinding:
    """The answer to Q3; ``provable`` when it is about another program than the readable one.

    ``seconds`` is the wall time of z3's part, without planning and search.
    """

    result: SymbolicResult
    seconds: float
    provable: Provable | None = None


def decide_symbolic(
    readable: Written,
    neurons: tuple[NeuronRecord, ...],
    labels: tuple[NeuronLabel, ...],
    network: FoldedNetwork,
    answers: Evaluation,
    directory: Path,
    timeout_s: float,
    progress: Callable[[str], None] = lambda _: None,
) -> SymbolicFinding:
    """Outline, and let z3 decide, the obligations of one program; they are written below ``directory``.

    ``neurons`` are the readable program's records, ``answers`` the network's own. A provable program is looked for when the readable
    one's bounds do not add up and the network is right on every pair: it would not have the network's answers otherwise.
    """
    group = network.group
    progress("planning a symbolic proof")
    outline = outline_proof(take_apart(readable.program, group, readable.subgroups))
    if outline.failing is not None and right(answers, group.mul).all():
        found = find_provable(readable, group, network.weights, progress)
        if found is not None:
            written = found.written
            records = mechanism(labels, written.program, network.weights.exact(), written.weights.exact())
            progress("proving the provable program symbolically")
            started = time.perf_counter()
            result = prove_obligations(
                written.program, group, written.subgroups, network, records, directory, timeout_s, timeout_s, found.outline
            )
            about = ProvableProgram(written.program, records)
            result = replace(result, symbolic=msgspec.structs.replace(result.symbolic, provable=about))
            return SymbolicFinding(result, time.perf_counter() - started, found)
    progress("proving the readable program symbolically")
    started = time.perf_counter()
    result = prove_obligations(readable.program, group, readable.subgroups, network, neurons, directory, timeout_s, timeout_s, outline)
    return SymbolicFinding(result, time.perf_counter() - started)
