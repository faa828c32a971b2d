"""Neurons read through their nearest points, compared with the definition, and a proof that only divided neurons reach."""

from fractions import Fraction
from typing import Any

import msgspec
import numpy as np
import pytest

from algebra.group import parse_group
from algebra.lattice import subgroups
from verify.program.form import Form
from verify.program.program import FORMAT, Circuit, Neuron, Program, expand, group_record, subgroup_record
from verify.program.written import Written
from verify.symbolic.points import Points, parity
from verify.symbolic.provable.nearest import through_points
from verify.symbolic.settings import DEFAULT

SCALE, BITS = 3, 6


def program_over(name: str, seed: int) -> Written:
    """Neurons that read through one point, several points with and without a sign, shared lists and element by element."""
    group = parse_group(name)
    lattice = subgroups(group)
    point = next(s for s in lattice.all if (s.mask == (group.elements[:, 0] == 0)).all())
    signs = np.asarray(group.parity)
    even = next(s for s in lattice.all if (s.mask == (signs == signs[0])).all())
    members, n, rng = (point, even), group.degree, np.random.default_rng(seed)
    kernel = 1 if even.order < group.order else None

    def numbers(count: int) -> tuple[int, ...]:
        return tuple(int(v) for v in rng.integers(-100, 100, count))

    weights = (1, 2, *(0,) * (n - 2))
    shared = Form("shared", (0,), (kernel,), (1, 0, -1, *(0,) * (n - 3)), constant=True)
    readings: list[tuple[Form, Form, int, int]] = [
        (Form("right cosets", (0,), (None,)), Form("left cosets", (0,), (None,)), n, n),
        (Form("images", (0,), (None,), weights), Form("preimages", (0,), (None,), weights), n, n),
        (Form("images", (0,), (kernel,), weights, constant=True), shared, n + 1, 2),
        (Form("elements"), Form("elements"), group.order, group.order),
    ]
    circuits = [
        Circuit(left, right, Form("elements"), (Neuron(k, numbers(a), numbers(b), numbers(group.order)),))
        for k, (left, right, a, b) in enumerate(readings)
    ]
    if kernel is not None:
        sign = Form("right cosets", (1,), (None,))
        circuits.append(Circuit(sign, sign, sign, (Neuron(len(circuits), numbers(2), numbers(2), numbers(2)),)))
    program = Program(FORMAT, group_record(group), tuple(map(subgroup_record, members)), BITS, 0, (), tuple(circuits), SCALE)
    return Written(program, members, expand(program, group, members))


def mean(values: Any, moved: Any, bits: Any, z: int) -> Fraction:
    """The mean of integers over the elements that take the point where z does and have its parity."""
    same = [int(v) for v, q, bit in zip(values, moved, bits, strict=True) if (q, bit) == (moved[z], bits[z])]
    return Fraction(sum(same), len(same))


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize(("name", "parts"), [("S4", 1), ("S4", 3), ("A4", 2)])
def test_every_neuron_reads_the_mean_over_where_one_point_is_taken(name: str, parts: int, mirrored: bool) -> None:
    """By brute force over all elements: the nearest points first, the other input as before, up to half a unit of rounding."""
    old = program_over(name, parts)
    group = old.subgroups[0].group
    bits, inv = parity(group), group.inv
    spaces = [Points(old.subgroups[0], bits)]
    new = through_points(old, group, spaces, mirrored, parts, msgspec.structs.replace(DEFAULT, least_share=0.0))
    unit = 1 << BITS + SCALE
    before, after = old.weights.exact(), new.weights.exact()
    assert (before.preactivation_bits, after.preactivation_bits) == (BITS + SCALE, BITS)
    first, second = (before.R[inv], before.L[inv]) if mirrored else (before.L, before.R)
    made, kept = (after.R[inv], after.L[inv]) if mirrored else (after.L, after.R)
    times: dict[int, list[int]] = {}
    for column, neuron in enumerate(n for c in new.program.circuits for n in c.neurons):
        times.setdefault(neuron.index, []).append(column)
    assert sorted(times) == list(range(len(first[0])))
    for index, columns in times.items():
        own = first[:, index]
        if index == 4:  # of parities alone
            assert (made[:, columns[0]] * (1 << SCALE) == own).all()
            continue
        found, errors = [], []
        for p in range(len(spaces[0].moved)):
            nearest = [mean(own, spaces[0].moved[p], bits, z) for z in range(group.order)]
            errors.append((sum((Fraction(int(v)) - m) ** 2 for v, m in zip(own, nearest, strict=True)), p, nearest))
        errors.sort(key=lambda item: item[:2])
        varied = sum((Fraction(int(v)) - Fraction(int(own.sum()), group.order)) ** 2 for v in own)
        single = 10 * errors[0][0] < varied  # one point explains more than nine tenths
        assert len(columns) == (1 if single else parts)
        for column in columns:
            fits = [
                p
                for _, p, nearest in errors[: len(columns)]
                if all(
                    abs(Fraction(int(v), 1 << BITS) - m / unit) <= Fraction(1, 1 << BITS)
                    for v, m in zip(made[:, column], nearest, strict=True)
                )
            ]
            assert fits
            found += fits
            difference = [
                abs(Fraction(int(a), 1 << BITS) - Fraction(int(b), unit))
                for a, b in zip(kept[:, column], second[:, index], strict=True)
            ]
            assert max(difference) <= (Fraction(1, 1 << BITS) if index == 2 else 0)
        assert len({*found}) == len(columns)
