"""O2: what each neuron does, for all preactivations within its coset intervals.

The program says l(p) on the coset p of x and r(q) on the coset q of y; the network's own values differ from these by at most
``left_deviation`` and ``right_deviation``. So at every pair (x, y) the network's preactivation is s + t with

    |s - l(p)| <= left_deviation,      |t - r(q)| <= right_deviation,

and its push is relu(s + t). When x is read through right cosets Hx and y through left cosets yK, the double coset H xy K is a function
of (p, q): HxyK runs over the double cosets, and on each of them the push lies in an interval [low, high] that the tables give.
The obligation states these intervals; high = 0 means that the neuron is silent there. Neurons of other shapes (dual ones, which read x
through left cosets) have one interval for all pairs.
"""

from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from algebra.coset import double_cosets
from algebra.group import FiniteGroup
from algebra.subgroup import Subgroup
from verify.program.form import Form, linear_form
from verify.program.program import Circuit, Program
from verify.record.certificate import NeuronRecord, rational
from verify.symbolic.obligation import Obligation
from verify.symbolic.smtlib import between, conjunction, declared, disjunction, real, scope, script

#: (values of l on some cosets of x, values of r on some cosets of y) whose products lie in one class of pairs
Cells = dict[int, set[int]]


@dataclass(frozen=True)
class NeuronPush:
    """What O2 states of one neuron: the interval of its push in each class of pairs.

    A class is a double coset of xy, under its least element, or None for all pairs. ``cells`` are the values of l with those of r that
    occur with them in each class, as integers over ``scale``.
    """

    index: int
    slack: tuple[Fraction, Fraction]
    scale: int
    cells: dict[int | None, Cells]

    @property
    def intervals(self) -> dict[int | None, tuple[Fraction, Fraction]]:
        """(least, largest) push of each class: relu of the extreme sums, moved apart by both deviations."""
        return {c: _interval(cells, self.scale, sum(self.slack)) for c, cells in self.cells.items()}


def neuron_pushes(
    program: Program, group: FiniteGroup, subgroups: tuple[Subgroup, ...], neurons: tuple[NeuronRecord, ...]
) -> list[NeuronPush]:
    """O2 for every neuron that reads both inputs through one-sided cosets, in the program's order."""
    records = {record.index: record for record in neurons}
    unit, scale = 1 << program.scale_bits, 1 << program.preactivation_bits + program.scale_bits
    found = []
    for circuit in program.circuits:
        if not {circuit.left.on, circuit.right.on} <= {"right cosets", "left cosets"}:
            continue
        classes = _classes(group, circuit, subgroups)
        for neuron in circuit.neurons:
            record = records[neuron.index]
            if record.left_deviation is None or record.right_deviation is None:
                continue
            slack = (Fraction(record.left_deviation), Fraction(record.right_deviation))
            left = linear_form(group, circuit.left, subgroups).expand(np.array(neuron.left, dtype=object)) * unit
            right = linear_form(group, circuit.right, subgroups).expand(np.array(neuron.right, dtype=object)) * unit
            cells = _cells(group, circuit, subgroups, classes, left, right)
            found.append(NeuronPush(neuron.index, slack, scale, dict(sorted(cells.items(), key=_first))))
    return found


def _first(item: tuple[int | None, Cells]) -> int:
    return -1 if item[0] is None else item[0]


def neuron_obligation(group: FiniteGroup, push: NeuronPush) -> Obligation:
    """O2 of one neuron as a script: one check for each class."""
    slack, scale, cells, intervals = push.slack, push.scale, push.cells, push.intervals
    statement = _sentence(group, push.index, intervals)
    lines = declared(("l", "r", "s", "t"), "Real")
    lines += [
        "(define-fun push () Real (ite (< 0.0 (+ s t)) (+ s t) 0.0))",
        f"(assert {between('(- s l)', -slack[0], slack[0])})",
        f"(assert {between('(- t r)', -slack[1], slack[1])})",
    ]
    for c, (low, high) in intervals.items():
        where = disjunction(
            [
                conjunction(
                    [f"(= l {real(Fraction(a, scale))})", disjunction([f"(= r {real(Fraction(b, scale))})" for b in sorted(bs)])]
                )
                for a, bs in sorted(cells[c].items())
            ]
        )
        lines += scope([f"(assert {where})", f"(assert (not {between('push', low, high)}))"])
    return Obligation(f"O2-neuron-{push.index}", statement, script("QF_LRA", statement, lines), ("unsat",) * len(intervals))


def _classes(group: FiniteGroup, circuit: Circuit, subgroups: tuple[Subgroup, ...]) -> np.ndarray | None:
    """labels[g] = number of the double coset HgK when (Hx, yK) determines HxyK, else None."""
    left, right = _kernel(circuit.left, subgroups), _kernel(circuit.right, subgroups)
    if circuit.left.on != "right cosets" and not _normal(group, left):
        return None
    if circuit.right.on != "left cosets" and not _normal(group, right):
        return None
    return np.asarray(double_cosets(group, left.mask, right.mask).labels)


def _kernel(form: Form, subgroups: tuple[Subgroup, ...]) -> Subgroup:
    """The subgroup on whose cosets a one-sided form is constant."""
    kernel = form.kernels[0] if form.kernels else None
    return subgroups[form.subgroups[0] if kernel is None else kernel]


def _normal(group: FiniteGroup, subgroup: Subgroup) -> bool:
    return bool((subgroup.right_cosets.labels == subgroup.left_cosets.labels).all())


def _cells(
    group: FiniteGroup,
    circuit: Circuit,
    subgroups: tuple[Subgroup, ...],
    classes: np.ndarray | None,
    left: np.ndarray,
    right: np.ndarray,
) -> dict[int | None, Cells]:
    """Per class of xy, the values of l with the values of r that occur with them."""
    xs = _representatives(circuit.left, subgroups)
    ys = _representatives(circuit.right, subgroups)
    cells: dict[int | None, Cells] = defaultdict(lambda: defaultdict(set))
    labels = classes if classes is not None else np.zeros(0, dtype=np.intp)
    least = [int(g) for g in np.unique(labels, return_index=True)[1]]
    for x in xs:
        for y in ys:
            c = None if classes is None else least[int(classes[group.mul[x, y]])]
            cells[c][int(left[x])].add(int(right[y]))
    return cells


def _representatives(form: Form, subgroups: tuple[Subgroup, ...]) -> list[int]:
    subgroup = _kernel(form, subgroups)
    cosets = subgroup.right_cosets if form.on == "right cosets" else subgroup.left_cosets
    return [int(g) for g in cosets.representatives]


def _interval(cells: Cells, scale: int, slack: Fraction | int) -> tuple[Fraction, Fraction]:
    sums = [a + b for a, bs in cells.items() for b in (min(bs), max(bs))]
    return max(Fraction(min(sums), scale) - slack, Fraction(0)), max(Fraction(max(sums), scale) + slack, Fraction(0))


def _sentence(group: FiniteGroup, index: int, intervals: dict[int | None, tuple[Fraction, Fraction]]) -> str:
    from algebra.permutation import format_cycles

    parts = []
    for c, (low, high) in intervals.items():
        if c is None:
            where = "at every pair"
        else:
            where = f"when xy lies in the double coset of {format_cycles(tuple(int(i) for i in group.elements[c]))}"
        if high == 0:
            parts.append(f"is silent {where}")
        elif low == 0:
            parts.append(f"pushes at most {rational(high)} {where}")
        else:
            parts.append(f"pushes at least {rational(low)} and at most {rational(high)} {where}")
    return f"For all preactivations within its coset intervals, neuron {index} " + ", ".join(parts) + "."
