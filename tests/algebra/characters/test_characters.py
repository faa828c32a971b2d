"""Irreps, character tables, Fourier transform."""

from math import factorial, prod
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algebra.action import permutation_characters
from algebra.characters.character_table import (
    CharacterTable,
    _power_classes,
    _reductions,
    character_table,
    cyclotomic_polynomial,
    format_value,
)
from algebra.characters.fourier import inverse_transform, power, power_share, transform
from algebra.characters.irrep import conjugate_partition, irreps, partitions, standard_tableaux
from algebra.errors import GroupError
from algebra.group import parse_group
from algebra.lattice import subgroups
from algebra.permutation import cycle_type

ROUNDING = 1e-12


def murnaghan_nakayama(shape: tuple[int, ...], cycles: tuple[int, ...]) -> int:
    """Character of S_n by the Murnaghan-Nakayama rule: remove a rim hook for each cycle."""
    if not cycles:
        return 1
    beta = [part + len(shape) - 1 - i for i, part in enumerate(shape)]
    total = 0
    for i, number in enumerate(beta):
        lower = number - cycles[0]
        if lower >= 0 and lower not in beta:
            leg = sum(lower < other < number for other in beta)
            rest = sorted([*beta[:i], lower, *beta[i + 1 :]], reverse=True)
            smaller = tuple(b - (len(rest) - 1 - j) for j, b in enumerate(rest))
            total += (-1) ** leg * murnaghan_nakayama(smaller, cycles[1:])
    return total


def exact_inner_products(table: CharacterTable) -> np.ndarray[Any, Any]:
    """|G| times the inner products of all characters, as coefficient vectors in the cyclotomic field."""
    root, sizes = table.root, [len(one) for one in table.group.conjugacy_classes]
    phi = table.coefficients.shape[2]
    full = np.zeros((len(table.names), len(table.names), root), dtype=object)
    values = table.coefficients.astype(object)
    conjugate = values[:, _power_classes(table.group, -1)]
    for a in range(phi):
        for b in range(phi):
            full[:, :, (a + b) % root] += (values[:, :, a] * np.array(sizes, dtype=object)) @ conjugate[:, :, b].T
    return full @ _reductions(root).astype(object)


@pytest.mark.parametrize("name", ["S2", "S3", "S4", "S5", "A3", "A4", "A5"])
def test_every_irrep_is_a_homomorphism_on_all_pairs(name: str) -> None:
    group = parse_group(name)
    for rho in irreps(group):
        matrices = rho.matrices
        assert np.abs(matrices[group.mul] - matrices[:, None] @ matrices[None]).max() < ROUNDING
        assert np.abs(matrices @ matrices.conj().transpose(0, 2, 1) - np.eye(rho.dimension)).max() < ROUNDING


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6])
def test_traces_of_the_irreps_of_s_n_follow_the_murnaghan_nakayama_rule(n: int) -> None:
    group = parse_group(f"S{n}")
    types = [cycle_type(group.elements[one[0]]) for one in group.conjugacy_classes]
    table = character_table(group)
    assert table.rational.all()
    for k, rho in enumerate(irreps(group)):
        expected = [murnaghan_nakayama(rho.partition, cycles) for cycles in types]
        firsts = [int(one[0]) for one in group.conjugacy_classes]
        traces = np.trace(rho.matrices[firsts], axis1=1, axis2=2)
        assert np.abs(traces - expected).max() < ROUNDING
        assert np.abs(rho.traces(firsts) - expected).max() < ROUNDING
        assert table.coefficients[k, :, 0].tolist() == expected
        assert table.names[k] == rho.name


@pytest.mark.parametrize("name", ["S1", "S5", "S6", "A3", "A4", "A5", "A6", "C7", "D10", "D14", "S3xS3", "C2xC4"])
def test_orthogonality_relations_hold_exactly(name: str) -> None:
    """sum_C |C| chi(C) psi(C^-1) = |G| delta, decided in the cyclotomic field with integers."""
    group = parse_group(name)
    table = character_table(group)
    expected = np.zeros((len(table.names), len(table.names), table.coefficients.shape[2]), dtype=object)
    expected[range(len(table.names)), range(len(table.names)), 0] = group.order
    assert (exact_inner_products(table) == expected).all()
    assert sum(int(d) ** 2 for d in table.degrees) == group.order


@pytest.mark.slow
def test_character_table_of_s7_follows_the_murnaghan_nakayama_rule() -> None:
    group = parse_group("S7")
    types = [cycle_type(group.elements[one[0]]) for one in group.conjugacy_classes]
    table = character_table(group)
    expected = [[murnaghan_nakayama(shape, cycles) for cycles in types] for shape in partitions(7)]
    assert table.coefficients[:, :, 0].tolist() == expected
    assert table.rational.all()


def test_the_two_halves_of_a_self_conjugate_partition_have_the_known_characters() -> None:
    """On 5-cycles of A5 the halves of (3,1,1) take (1 +- sqrt 5) / 2; on A4 (2,2) splits over C."""
    table = character_table(parse_group("A5"))
    assert [format_value(v) for v in table.values[3]] == ["3", "0", "-1", "(1-√5)/2", "(1+√5)/2"]
    halves = irreps(parse_group("A4"))[2:]
    assert [rho.name for rho in halves] == ["(2,2)+", "(2,2)-"]
    assert all(np.iscomplexobj(rho.matrices) for rho in halves)


def test_partitions_and_tableaux_are_counted_by_the_known_formulas() -> None:
    """p(n) = 1, 2, 3, 5, 7, 11, 15; the hook length formula; sum of d^2 = n!."""
    assert [len(partitions(n)) for n in range(1, 8)] == [1, 2, 3, 5, 7, 11, 15]
    for n in range(1, 7):
        for shape in partitions(n):
            columns = conjugate_partition(shape)
            hooks = prod(part - j + columns[j] - i - 1 for i, part in enumerate(shape) for j in range(part))
            assert len(standard_tableaux(shape)) == factorial(n) // hooks
        assert sum(len(standard_tableaux(shape)) ** 2 for shape in partitions(n)) == factorial(n)


def test_irreps_of_other_groups_and_too_many_classes_are_refused() -> None:
    with pytest.raises(GroupError, match="got D10"):
        irreps(parse_group("D10"))
    with pytest.raises(GroupError, match="got C255xC255 with 65025 classes of elements and exponent 255"):
        character_table.__wrapped__(
            SimpleNamespace(name="C255xC255", conjugacy_classes=range(65025), element_orders=np.array([1, 255]))
        )


def test_a_group_of_many_classes_has_its_table() -> None:
    """C129: the values are those of the characters k -> zeta^(jk), each once."""
    table = character_table(parse_group("C129"))
    expected = {tuple(np.round(np.exp(2j * np.pi * j * np.arange(129) / 129), 6) + 0) for j in range(129)}
    order = [int(one[0]) for one in table.group.conjugacy_classes]
    shift = table.group.elements[order, 0]
    found = {tuple(np.round(row[np.argsort(shift)], 6) + 0) for row in table.values}

    assert found == expected


def test_cyclotomic_polynomials_are_those_of_sympy() -> None:
    from sympy import Poly, cyclotomic_poly
    from sympy.abc import x

    for order in [*range(1, 40), 60, 105, 420]:
        expected = Poly(cyclotomic_poly(order, x), x).all_coeffs()[::-1]
        assert list(cyclotomic_polynomial(order)) == expected


def test_values_are_written_as_people_write_them() -> None:
    cases = {0: "0", -3: "-3", 1j: "i", -2j: "-2i", 5**0.5: "√5", (-1 + 1j * 3**0.5) / 2: "(-1+i√3)/2",
             (1 - 5**0.5) / 2: "(1-√5)/2", 1 + 1j: "1+i", 2 * 2**0.5: "2√2", 1.25: "1.250"}  # fmt: skip
    assert {format_value(complex(value)): text for value, text in cases.items()} == {t: t for t in cases.values()}


@pytest.mark.parametrize("name", ["S3", "S4", "S5", "A4", "A5"])
def test_the_transform_by_definition_and_back(name: str) -> None:
    group = parse_group(name)
    functions = np.random.default_rng(0).normal(size=(4, group.order))
    coefficients = transform(group, functions)
    for rho, found in zip(irreps(group), coefficients, strict=True):
        expected = sum(functions[:, g, None, None] * rho.matrices[g] for g in range(group.order))
        assert np.abs(found - expected).max() < 1e-10
    assert np.abs(inverse_transform(group, coefficients) - functions).max() < ROUNDING
    assert np.abs(power(group, functions).sum(axis=0) - (functions**2).mean(axis=1)).max() < ROUNDING


@given(st.integers(0, 119), st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_a_translation_multiplies_the_transform_and_keeps_the_power(shift: int, seed: int) -> None:
    """For h(x) = f(sx), h^(rho) = rho(s)^-1 f^(rho)."""
    group = parse_group("S5")
    function = np.random.default_rng(seed).normal(size=120)
    moved = function[group.mul[shift]]
    pairs = zip(irreps(group), transform(group, function), transform(group, moved), strict=True)
    assert all(np.abs(rho.matrices[group.inv[shift]] @ before - after).max() < 1e-10 for rho, before, after in pairs)
    assert np.abs(power(group, moved) - power(group, function)).max() < ROUNDING


def test_functions_of_the_wrong_length_are_refused() -> None:
    with pytest.raises(GroupError, match="functions of 6 values on S3"):
        transform(parse_group("S3"), np.zeros(5))
    with pytest.raises(GroupError, match="2 x 2 matrices"):
        inverse_transform(parse_group("S3"), [np.zeros((1, 1))] * 3)


def test_the_share_of_the_zero_function_is_zero() -> None:
    assert not power_share(parse_group("S4"), np.zeros((2, 24))).any()


@pytest.mark.parametrize("name", ["S4", "S5", "A5", "S6"])
def test_multiplicities_in_permutation_characters_are_dimensions_of_invariants(name: str) -> None:
    """Frobenius: the multiplicity of rho on G/H is the trace of the mean of rho over H."""
    group = parse_group(name)
    lattice = subgroups(group)
    firsts = [one.representative for one in lattice.classes]
    found = character_table(group).multiplicities(permutation_characters(group, np.array([one.mask for one in firsts])))
    for row, one in zip(found, firsts, strict=True):
        invariants = [np.trace(rho.matrices[one.elements].mean(axis=0)) for rho in irreps(group)]
        assert np.abs(row - invariants).max() < 1e-9
        assert row @ character_table(group).degrees == one.index


def published_power() -> dict[str, dict[str, float]]:
    """Entries of Stander et al., Table 5 (per cent, arXiv 2312.06581), corrected where misprinted.

    C4: the printed row repeats a row of C2. S3xS2: the printed columns of (4,1) and (3,2) are exchanged.
    D10: 9.1 on the sign, printed as 1. C3: 20.5 on (4,1). Before November 2023 the labels were the
    conjugate partitions.
    """
    return {
        "C4": {
            "(4,1)": 13.8,
            "(3,2)": 17.2,
            "(3,1,1)": 20.7,
            "(2,2,1)": 34.5,
            "(2,1,1,1)": 13.8,
            "(1,1,1,1,1)": 0,
        },
        "S3xS2": {"(4,1)": 44.4, "(3,2)": 55.6},
        "D10": {"(1,1,1,1,1)": 9.1},
        "C3": {"(4,1)": 20.5},
        "S4": {"(4,1)": 100.0},
        "F20": {"(2,2,1)": 100.0},
        "A5": {"(1,1,1,1,1)": 100.0},
    }


def test_power_of_centred_indicators_is_that_of_table_5_with_its_corrections() -> None:
    group = parse_group("S5")
    names = [rho.name for rho in irreps(group)]
    for subgroup, row in published_power().items():
        indicator = subgroups(group).by_name(subgroup).mask.astype(float)
        share = power_share(group, indicator - indicator.mean())
        assert {name: round(100 * share[names.index(name)], 1) for name in row} == pytest.approx(row, abs=1e-9)


@pytest.mark.parametrize("name", ["S4", "S5", "A5"])
def test_power_of_a_centred_indicator_is_degree_times_multiplicity_over_index_minus_one(name: str) -> None:
    """Stander et al., section F: d_rho m_rho / ([G:H] - 1), m_rho the dimension of the H-invariants."""
    group = parse_group(name)
    table = character_table(group)
    lattice = subgroups(group)
    multiplicities = table.multiplicities(permutation_characters(group, lattice.masks))
    for index, one in enumerate(lattice.all):
        if one.index > 1:
            indicator = one.mask.astype(float)
            expected = table.degrees * multiplicities[index] / (one.index - 1)
            expected[0] = 0
            assert np.abs(power_share(group, indicator - indicator.mean()) - expected).max() < 1e-10
