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
from fractions import Fraction

import numpy as np

from algebra.coset import double_cosets
from algebra.group import FiniteGroup
from algebra.subgroup import Subgroup
from verify.program.form import Form, linear_form
from verify.program.program import Circuit, Neuron, Program
from verify.record.certificate import NeuronRecord, rational
from verify.symbolic.smtlib import between, conjunction, declared, disjunction, real, scope, script
from verify.symbolic.task import Task

#: (values of l on some cosets of x, values of r on some cosets of y) whose products lie in one class of pairs
Cells = dict[int, set[int]]


def neuron_tasks(
    program: Program, group: FiniteGroup, subgroups: tuple[Subgroup, ...], neurons: tuple[NeuronRecord, ...]
) -> list[Task]:
    """One task for every neuron that reads both inputs through cosets."""
    records = {record.index: record for record in neurons}
    tasks = []
    for circuit in program.circuits:
        if "elements" in (circuit.left.on, circuit.right.on):
            continue
        classes = _classes(group, circuit, subgroups)
        for neuron in circuit.neurons:
            record = records[neuron.index]
            if record.left_deviation is None or record.right_deviation is None:
                continue
            slack = (Fraction(record.left_deviation), Fraction(record.right_deviation))
            tasks.append(_task(program, group, circuit, subgroups, classes, neuron, slack))
    return tasks


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


def _task(
    program: Program,
    group: FiniteGroup,
    circuit: Circuit,
    subgroups: tuple[Subgroup, ...],
    classes: np.ndarray | None,
    neuron: Neuron,
    slack: tuple[Fraction, Fraction],
) -> Task:
    left = linear_form(group, circuit.left, subgroups).expand(np.array(neuron.left, dtype=object))
    right = linear_form(group, circuit.right, subgroups).expand(np.array(neuron.right, dtype=object))
    cells = _cells(group, circuit, subgroups, classes, left, right)
    scale = 1 << program.preactivation_bits
    intervals = {c: _interval(cells[c], scale, sum(slack)) for c in sorted(cells)}
    statement = _sentence(group, neuron.index, intervals, classes)
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
    return Task(f"O2-neuron-{neuron.index}", statement, script("QF_LRA", statement, lines), checks=len(intervals))


def _cells(
    group: FiniteGroup,
    circuit: Circuit,
    subgroups: tuple[Subgroup, ...],
    classes: np.ndarray | None,
    left: np.ndarray,
    right: np.ndarray,
) -> dict[int, Cells]:
    """Per class of xy, the values of l with the values of r that occur with them."""
    xs = _representatives(circuit.left, subgroups)
    ys = _representatives(circuit.right, subgroups)
    cells: dict[int, Cells] = defaultdict(lambda: defaultdict(set))
    for x in xs:
        for y in ys:
            c = 0 if classes is None else int(classes[group.mul[x, y]])
            cells[c][int(left[x])].add(int(right[y]))
    return cells


def _representatives(form: Form, subgroups: tuple[Subgroup, ...]) -> list[int]:
    subgroup = _kernel(form, subgroups)
    cosets = subgroup.right_cosets if form.on == "right cosets" else subgroup.left_cosets
    return [int(g) for g in cosets.representatives]


def _interval(cells: Cells, scale: int, slack: Fraction | int) -> tuple[Fraction, Fraction]:
    sums = [a + b for a, bs in cells.items() for b in (min(bs), max(bs))]
    return max(Fraction(min(sums), scale) - slack, Fraction(0)), max(Fraction(max(sums), scale) + slack, Fraction(0))


def _sentence(group: FiniteGroup, index: int, intervals: dict[int, tuple[Fraction, Fraction]], classes: np.ndarray | None) -> str:
    from algebra.permutation import format_cycles

    parts = []
    for c, (low, high) in intervals.items():
        if classes is None:
            where = "at every pair"
        else:
            least = tuple(int(i) for i in group.elements[int((classes == c).argmax())])
            where = f"when xy lies in the double coset of {format_cycles(least)}"
        if high == 0:
            parts.append(f"is silent {where}")
        elif low == 0:
            parts.append(f"pushes at most {rational(high)} {where}")
        else:
            parts.append(f"pushes at least {rational(low)} and at most {rational(high)} {where}")
    return f"For all preactivations within its coset intervals, neuron {index} " + ", ".join(parts) + "."
