"""What the checker needs for the answers of a program whose neurons look at several points: tables against evaluation.

usage: python benchmarks/bench_points.py [GROUP] [WIDTH]

A planted program of rank-one neurons on the points of all small sets; the time of one y, times |G|, with guesses that are not its
answers and with its own. Operations are counted, as a share of 2 m |G|^3.
"""

import json
import sys
import time

import msgspec

from algebra.group import parse_group
from net.planted import planted_rank_one
from verify.checker import shape
from verify.checker.groups import Group
from verify.checker.plans import of_program, operations
from verify.checker.programs import Expanded
from verify.checker.slots import Short
from verify.checker.tables import look_at
from verify.compare.rank_one import point_sets
from verify.program.form import Form
from verify.program.program import FORMAT, Circuit, Neuron, Program, group_record, subgroup_record


def planted_program(name: str, width: int) -> Program:
    """The program of a planted network without noise, lists of x shared, votes on images with the list of x."""
    group = parse_group(name)
    spaces = [(where.points.base, where.kernel) for where in point_sets(group) if where.points.count > 3]
    used = list(dict.fromkeys(one for pair in spaces for one in pair if one is not None))
    circuits: dict[tuple[Form, Form, Form], list[Neuron]] = {}
    for i, neuron in enumerate(planted_rank_one(group, 0, width, spaces).neurons):
        one = neuron.rank_one
        assert one is not None
        h, kernel = (used.index(one.points),), (None if one.kernel is None else used.index(one.kernel),)
        forms = Form("images", h, kernel, one.a, constant=True), Form("shared", h, kernel, one.d), Form("images", h, kernel, one.a)
        m = tuple(int(8 * value) for value in one.m)
        circuits.setdefault(forms, []).append(Neuron(i, (*m, int(8 * one.c)), (-int(8 * one.s),), m))
    records = tuple(subgroup_record(one) for one in used)
    made = tuple(Circuit(*forms, tuple(neurons)) for forms, neurons in circuits.items())
    return Program(FORMAT, group_record(group), records, 3, 3, (), made, 3)


def main(name: str, width: int) -> None:
    """Print the figures."""
    program = planted_program(name, width)
    record = shape.parse(shape.Program, json.loads(msgspec.json.encode(program)), "program")
    group = Group(record.group)
    n = group.order
    start = time.process_time()
    expanded = Expanded(record, group, width)
    made = time.process_time() - start
    forms = [repr(expanded.program.circuits[number].left) for _, number in sorted(expanded.where.values())]
    start = time.process_time()
    tables = of_program(expanded.network, forms)
    short = Short(expanded.network, tables)
    set_up = time.process_time() - start
    cells = sorted(len(family.levels) for family in tables.cells)
    weights = sum(len(t.weights) for c in program.circuits for form in (c.left, c.right, c.votes) for t in form.terms)
    print(f"{name}, {width} neurons in {len(program.circuits)} circuits, {program.constants} constants, {weights} weights")
    print(
        f"cells of a form: {cells[0]} to {cells[-1]}, median {cells[len(cells) // 2]}; tables added up at the end: {len(tables.last)}"
    )
    print(f"operations: {operations(tables, n, width) / (2 * width * n**3):.1%} of evaluation")
    print(f"expansion {made:.1f} s, tables set up in {set_up:.1f} s")
    y = n // 10
    guesses = [group.mul[x][y] for x in range(n)]
    for words in ("guesses that are not its answers", "its own answers as guesses"):
        start = time.process_time()
        for found in look_at(short, y, guesses, None, 0).evaluated:
            guesses[found.x] = found.answer
        print(f"{words}: {(time.process_time() - start) * n:.0f} s for all y")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "S6", int(sys.argv[2]) if len(sys.argv) > 2 else 128)
