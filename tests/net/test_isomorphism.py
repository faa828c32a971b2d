"""Bare multiplication tables: which are groups, and which group."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from algebra.group import parse_group
from net.isomorphism import closure, generating_set, identity_of, is_group_table, is_latin_square, isomorphism

NAMES = [
    "S3",
    "S4",
    "S5",
    "A4",
    "A5",
    "C1",
    "C2",
    "C6",
    "C7",
    "D8",
    "D10",
    "D12",
    "S3xS3",
    "C2xC2xC2",
    "C4xC2",
]


def shuffled(table, seed):
    """The table under a random renumbering, and the renumbering."""
    p = np.random.default_rng(seed).permutation(len(table))
    return p[table[np.argsort(p)[:, None], np.argsort(p)[None, :]]], p


def slow_is_group(table):
    """Closure, identity, inverses and associativity, triple by triple."""
    n = len(table)
    identities = [e for e in range(n) if all(table[e][a] == a == table[a][e] for a in range(n))]
    return (
        len(identities) == 1
        and all(any(table[a][b] == identities[0] for b in range(n)) for a in range(n))
        and all(table[table[a][b]][c] == table[a][table[b][c]] for a in range(n) for b in range(n) for c in range(n))
    )


@pytest.mark.parametrize("name", NAMES)
def test_the_isomorphism_respects_every_product(name):
    """numbering[table[a, b]] = mul[numbering[a], numbering[b]] for all a and b, and it is a bijection."""
    group = parse_group(name)
    table, _ = shuffled(group.mul.astype(int), 4)
    numbering = isomorphism(table, group)

    assert np.array_equal(np.sort(numbering), np.arange(group.order))
    assert np.array_equal(numbering[table], group.mul[numbering[:, None], numbering[None, :]])


@pytest.mark.parametrize(
    "names",
    [("S3", "C6"), ("D8", "C4xC2", "C2xC2xC2", "C8"), ("A4", "D12", "C12", "C6xC2"), ("S4", "A4xC2", "D24")],
)
def test_groups_of_one_order_that_differ_have_no_isomorphism(names):
    for a, b in itertools.permutations(names, 2):
        assert isomorphism(shuffled(parse_group(a).mul.astype(int), 1)[0], parse_group(b)) is None


def test_s6_is_recognised_under_any_numbering():
    group = parse_group("S6")
    table, _ = shuffled(group.mul.astype(int), 8)
    numbering = isomorphism(table, group)

    assert np.array_equal(numbering[table], group.mul[numbering[:, None], numbering[None, :]])


def test_group_tables_of_order_at_most_four_among_all_latin_squares():
    """All 1 + 2 + 12 + 576 Latin squares: `is_group_table` agrees with the axioms one by one."""
    counted = []
    for n in (1, 2, 3, 4):
        rows = list(itertools.permutations(range(n)))
        candidates = itertools.product(rows, repeat=n)
        squares = [s for s in candidates if all(len(set(column)) == n for column in zip(*s, strict=True))]
        assert all(is_latin_square(np.array(square)) for square in squares)
        for square in squares:
            assert is_group_table(np.array(square)) == slow_is_group(square)
        counted.append(len(squares))

    assert counted == [1, 2, 12, 576]


def test_one_exchanged_intercalate_is_no_group():
    """S4's table with one 2 x 2 Latin subsquare turned round: still Latin, not associative."""
    table = parse_group("S4").mul.astype(int)
    involution = next(g for g in range(1, 24) if table[g, g] == 0)
    a, b = 5, 7
    rows, columns = np.array([a, table[a, involution]]), np.array([b, table[involution, b]])
    turned = table.copy()
    turned[np.ix_(rows, columns)] = table[np.ix_(rows, columns)][::-1]

    assert is_latin_square(turned)
    assert not is_group_table(turned)
    assert not slow_is_group(turned.tolist())


@pytest.mark.parametrize("name", ["S4", "A5", "C2xC2xC2"])
def test_generating_set_generates(name):
    group = parse_group(name)
    table, _ = shuffled(group.mul.astype(int), 2)
    generators = generating_set(table)

    assert len(closure(table, generators)) == group.order
    assert all(len(closure(table, generators[:k])) < group.order for k in range(1, len(generators)))
    assert identity_of(table) is not None


def test_tables_without_identity():
    """Subtraction modulo 3 is a Latin square with a right identity only."""
    table = (np.arange(3)[:, None] - np.arange(3)[None, :]) % 3

    assert identity_of(table) is None
    assert not is_group_table(table)
