"""Slow and obvious ways to what the algebra layer computes, on Python sets."""

from itertools import combinations

import pytest

from algebra.group import FiniteGroup

Members = frozenset[int]


class SlowTwins:
    """What the tests compare with."""

    @staticmethod
    def generated(group: FiniteGroup, generators: list[int]) -> Members:
        """Multiply until nothing new appears."""
        members = {0}
        newest = {0}
        while newest:
            newest = {int(group.mul[x, g]) for x in newest for g in generators} - members
            members |= newest
        return frozenset(members)

    @classmethod
    def all_subgroups(cls, group: FiniteGroup, rank: int) -> set[Members]:
        """Every subgroup that at most ``rank`` elements generate, by trying all sets of cyclic subgroups."""
        cyclic = {cls.generated(group, [x]): x for x in range(group.order)}
        return {
            cls.generated(group, list(chosen)) for size in range(1, rank + 1) for chosen in combinations(sorted(cyclic.values()), size)
        }

    @staticmethod
    def conjugate(group: FiniteGroup, members: Members, by: int) -> Members:
        """x^-1 H x."""
        return frozenset(int(group.mul[group.mul[group.inv[by], h], by]) for h in members)


@pytest.fixture(scope="session")
def twins() -> type[SlowTwins]:
    return SlowTwins
