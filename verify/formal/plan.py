"""The text of Plan.v: families of neurons, their levels and the order in which tables are added.

Nothing in it is trusted: Coq's kernel accepts the theorem with any plan that passes its check, and the statement does not name it.
The plan is the compact proof's own (verify/compact/plan.py), with levels in units of the weights' highest digits.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from algebra.group import FiniteGroup
from net.weights import Weights
from verify.compact.plan import find_plan
from verify.formal.text import Rows, StoredNetwork, list_of, scaled, splits, table_of

#: Networks of fewer multiplications are evaluated in full, at some 40 ns each: as fast as compiling the theory of tables.
SMALL = 1 << 28
#: The largest sum of coarse activations times votes, and the first cut that Coq does not take.
LANE_BITS, LARGEST_CUT = 29, 30


@dataclass(frozen=True)
class PlanFamily:
    """Neurons by number; a row of levels for each cell, and the cell of each element, in the checkpoint's order."""

    members: Sequence[int]
    levels: Rows
    cells: Sequence[int]


@dataclass(frozen=True)
class PlanStep:
    """Tables number `one` and `other` added: the pairs of their rows that occur, and which pair each element has."""

    one: int
    other: int
    pairs: Sequence[tuple[int, int]]
    cells: Sequence[int]


@dataclass(frozen=True)
class CoqPlan:
    """Tables 0, 1, ... are those of the families, then those of the steps; `last` are added for each pair of inputs.

    With `mirrored` levels stand for the second input. Activations are cut down by `input_cut` bits, votes by `vote_cut`.
    """

    mirrored: bool
    families: Sequence[PlanFamily]
    steps: Sequence[PlanStep]
    last: Sequence[int]
    input_cut: int
    vote_cut: int


def make_plan(network: StoredNetwork, group: FiniteGroup, weights: Weights, numbering: Sequence[int]) -> CoqPlan | None:
    """The plan for a network whose weights in the group's own numbering are given; None where full evaluation is as fast.

    Levels are rounded means of highest digits over the cells. Neurons that the plan leaves out get a level at which they are silent.
    """
    n, m = len(network.left), len(network.left[0])
    places = np.array(numbering, dtype=np.intp)
    if n**3 * m < SMALL:
        return None
    found = find_plan(group, weights, 0, lines=False)
    if found is None:
        return None
    inputs, votes = splits(network)
    left, right = (np.array(scaled(rows, inputs), dtype=np.int64) for rows in (network.left, network.right))
    if found.mirrored:
        left, right = right, left
    largest = int(max(np.abs(left).max(), np.abs(right).max()))
    families, stand_in = [], np.full((n, m), -largest)
    for family in found.factorisation.families:
        cells = np.asarray(family.partition.labels)[places]
        sums = np.zeros((family.partition.count, len(family.neurons)))
        np.add.at(sums, cells, left[:, family.neurons])
        levels = np.rint(sums / np.bincount(cells)[:, None]).astype(np.int64)
        stand_in[:, family.neurons] = levels[cells]
        families.append(PlanFamily(family.neurons.tolist(), levels.tolist(), cells.tolist()))
    merge, k = found.factorisation.merge, len(families)
    steps = [
        PlanStep(one, other, list(zip(r.first.tolist(), r.second.tolist(), strict=True)), r.partition.labels[places].tolist())
        for one, other, r in merge.steps
    ]
    last = list(merge.last)
    out = sorted(set(range(m)) - {i for family in families for i in family.members})
    if out:  # one table more, behind all others in number
        families.append(PlanFamily(out, [[-largest] * len(out)], [0] * n))
        steps = [PlanStep(s.one + (s.one >= k), s.other + (s.other >= k), s.pairs, s.cells) for s in steps]
        last = [i + (i >= k) for i in last] + [k]
    fired = max(int(np.maximum(row + right, 0).sum(axis=1).max()) for row in stand_in)
    vote = max(abs(v) for row in scaled(network.votes, votes) for v in row)
    return CoqPlan(found.mirrored, families, steps, last, *_cuts(m, fired, vote))


def _cuts(width: int, fired: int, vote: int) -> tuple[int, int]:
    """The two cuts that cost least, among those with which no sum leaves its lane.

    Cutting activations costs up to 2^input_cut vote for each active neuron, cutting votes up to 2^vote_cut for each unit of activation.
    """
    options = [(s, t) for s in range(LARGEST_CUT) for t in range(LARGEST_CUT) if (fired >> s) * ((vote >> t) + 1) <= 1 << LANE_BITS]
    return min(options, key=lambda cuts: (width * vote << cuts[0]) // 4 + (fired << cuts[1]))


def plan_text(plan: CoqPlan) -> str:
    """The text of Plan.v."""
    parts: list[str] = []
    for k, family in enumerate(plan.families):
        levels = table_of(family.levels)
        parts.append(
            f"Definition table_{k} : tree := Family {list_of(family.members)}%nat\n{levels}%uint63\n{list_of(family.cells)}%nat.\n"
        )
    for k, step in enumerate(plan.steps, len(plan.families)):
        pairs: Sequence[object] = [f"({a},{b})" for a, b in step.pairs]
        both = f"Both table_{step.one} table_{step.other}"
        parts.append(f"Definition table_{k} : tree := {both}\n{list_of(pairs)}%nat\n{list_of(step.cells)}%nat.\n")
    last = list_of([f"table_{k}" for k in plan.last])
    return f"""(** How neurons are read through levels, and in which order tables are added. Any plan that passes will do. *)

From Coq Require Import ZArith List Uint63.
From CosetVerify Require Import Tables Factored.
Import ListNotations.
Set Warnings "-abstract-large-number".
Open Scope list_scope.

{"".join(part + chr(10) for part in parts)}Definition mirrored : bool := {str(plan.mirrored).lower()}.
Definition chosen : plan := Plan {last} {plan.input_cut}%Z {plan.vote_cut}%Z.
"""
