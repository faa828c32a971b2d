"""Every lemma behind Q3 as a file for SMT solvers.

The ids say what a lemma is about: O1 the program's correctness, O2 single neurons, O3 the distance to the network.
"""

from verify.symbolic.correct import correct_obligations
from verify.symbolic.decide import SymbolicFinding
from verify.symbolic.distance import distance_obligation
from verify.symbolic.neuron_lemmas import neuron_obligation
from verify.symbolic.obligation import Obligation

__all__ = ["obligations_of"]


def obligations_of(finding: SymbolicFinding) -> tuple[Obligation, ...]:
    """The lemmas of a finding with their scripts, those of O1 first; the same finding gives the same bytes."""
    group = finding.outline.parts.group
    found = correct_obligations(finding.outline, finding.status)
    found += [neuron_obligation(group, push) for push in finding.pushes]
    if finding.distance is not None:
        found.append(distance_obligation(finding.distance))
    return tuple(found)
