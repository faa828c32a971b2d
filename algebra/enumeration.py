"""All subgroups of a group up to conjugacy, by cyclic extension.

Every subgroup K other than 1 either has a normal subgroup H of prime index p, or is perfect (K = K').

- Normal of prime index: ``K = <H, z>`` for an element z of K outside H that can be taken of p-power order,
  and then z normalises H and z^p lies in H. (J. Neubüser, "Untersuchungen des Untergruppenverbandes
  endlicher Gruppen auf einer programmgesteuerten elektronischen Dualmaschine", Numer. Math. 2, 1960; the
  cyclic subgroups of prime-power order are his "Zuppos".)
- Perfect: let S be a Sylow 2-subgroup of K. It is not normal, since K/S would have odd order and be soluble
  (Feit and Thompson), so some maximal subgroup M of K holds the normalizer of S, and [K:M] is odd. The
  2-elements of K generate a normal subgroup of odd index, hence K, so one of them is outside M,
  and ``K = <M, z>``. S is not cyclic, or K would have a normal 2-complement (Burnside). M and z lie in
  the soluble residual R of the group (its largest perfect subgroup), and [K:M] is at least 5, as the permutations
  of the cosets of M by K are a perfect group that is not trivial.

So extending one representative of every class by such z, smallest order first, finds every class. A class is
recorded with all its conjugates, whose packed masks are the keys that recognise a subgroup met again.

Where there are more than ``MAX_SUBGROUPS``, or ``MOST_CLASSES`` classes, those are listed that are told at once: see `_told_at_once`.
Whether there are can often be seen before the search: the subgroups between G'G^p and G are those of a vector space over GF(p), which
are counted.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import product

import numpy as np
from numpy.typing import NDArray

from algebra.coset import right_cosets
from algebra.errors import GroupError
from algebra.group import FiniteGroup
from algebra.subgroup import closure, derived_mask, generating, normalizer_mask

__all__ = ["MAX_SUBGROUPS", "FoundClass", "FoundClasses", "enumerate_classes"]

#: Most subgroups, all conjugates counted: S7 has 11,300. Their masks then take at most 200 MB.
MAX_SUBGROUPS = 20_000
#: Most classes: C2^6 has 2,825. Each is named, and placed among the others.
MOST_CLASSES = 3_000
#: Most subgroups of a list that is not complete.
MOST_TOLD = 2_000


@dataclass(frozen=True, eq=False)
class FoundClass:
    """A class of conjugate subgroups.

    Attributes:
        masks: (length, order of the group) all members.
        generators: (length, number of generators) numbers of elements that generate each member.
        normalizer: (order of the group,) normalizer of the first member.

    """

    masks: NDArray[np.bool_]
    generators: NDArray[np.intp]
    normalizer: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class FoundClasses:
    """Classes of subgroups, smallest subgroups first; ``complete`` when these are all."""

    classes: list[FoundClass]
    complete: bool


class _TooManyError(GroupError):
    """There are more subgroups than are listed."""


def enumerate_classes(group: FiniteGroup) -> FoundClasses:
    """Every conjugacy class of subgroups; where there are too many (``MAX_SUBGROUPS``, ``MOST_CLASSES``) those told at once."""
    if sum(_subspaces(p, len(_frattini_basis(group, p))) for p in _prime_divisors(group.order)) <= MAX_SUBGROUPS:
        try:
            return FoundClasses(_Search(group).run(), True)
        except _TooManyError:
            pass
    search = _Search(group)
    for mask in _told_at_once(group):
        try:
            search.add(mask, MOST_TOLD)
        except _TooManyError:  # a smaller class may have room
            if search.number == MOST_TOLD:
                break
    return FoundClasses(search.sorted(), False)


def _told_at_once(group: FiniteGroup) -> Iterator[NDArray[np.bool_]]:
    """Subgroups that need no search.

    1 and G; the derived series and the centre; the normal subgroups of prime index; stabilisers of a point; for one element of each
    class the cyclic group that it generates, its centralizer, and the normalizer of that cyclic group.
    """
    everything = np.arange(group.order)
    yield everything == 0
    yield everything >= 0
    mask = everything >= 0
    while (smaller := derived_mask(group, mask, generating(group, mask))).sum() < mask.sum():
        yield smaller
        mask = smaller
    yield (group.mul == group.mul.T).all(axis=1)
    yield from (mask for prime in _prime_divisors(group.order) for mask in _normal_of_index(group, prime))
    yield from (group.elements[:, point] == point for point in range(group.degree))
    for one in group.conjugacy_classes:
        first = int(one[0])
        cyclic = closure(group, (first,))
        yield cyclic
        yield group.mul[first] == group.mul[:, first]
        yield normalizer_mask(group, cyclic, (first,))


def _prime_divisors(number: int) -> list[int]:
    return [p for p in range(2, number + 1) if number % p == 0 and all(p % q for q in range(2, p) if q * q <= p)]


def _frattini(group: FiniteGroup, prime: int) -> NDArray[np.bool_]:
    """(order,) G'G^p, the least normal subgroup whose factor group is a vector space over GF(p)."""
    whole = np.ones(group.order, dtype=bool)
    power = np.arange(group.order)
    for _ in range(prime - 1):
        power = group.mul[power, np.arange(group.order)].astype(np.intp)
    mask = derived_mask(group, whole, generating(group, whole))
    while (missing := power[~mask[power]]).size:
        mask = closure(group, (*generating(group, mask), int(missing[0])))
    return mask


def _frattini_basis(group: FiniteGroup, prime: int) -> list[int]:
    """Elements whose cosets are a basis of G / G'G^p."""
    mask, found = _frattini(group, prime), []
    while not mask.all():
        found.append(int((~mask).argmax()))
        mask = closure(group, (*generating(group, mask), found[-1]))
    return found


def _subspaces(prime: int, dimension: int) -> int:
    """The number of subspaces of a vector space over GF(p), by G(n + 1) = 2 G(n) + (p^n - 1) G(n - 1) (Goldman and Rota, 1969)."""
    before, now = 0, 1
    for n in range(dimension):
        before, now = now, 2 * now + (prime**n - 1) * before
    return now


def _normal_of_index(group: FiniteGroup, prime: int) -> Iterator[NDArray[np.bool_]]:
    """The normal subgroups of this prime index: the kernels of the linear functions on G / G'G^p, one of each line of functions."""
    basis, base = _frattini_basis(group, prime), np.flatnonzero(_frattini(group, prime))
    coordinates = np.zeros((group.order, len(basis)), dtype=np.int64)
    for powers in product(range(prime), repeat=len(basis)):
        element = 0
        for z, k in zip(basis, powers, strict=True):
            for _ in range(k):
                element = int(group.mul[element, z])
        coordinates[group.mul[element, base]] = powers
    for function in product(range(prime), repeat=len(basis)):
        if next((value for value in function if value), 0) == 1:
            yield coordinates @ np.array(function) % prime == 0


class _Search:
    """The classes found so far and those still to be extended."""

    def __init__(self, group: FiniteGroup) -> None:
        self.group = group
        self.classes: list[FoundClass] = []
        self.known: set[bytes] = set()
        self.queue: list[tuple[int, int]] = []
        self.number = 0
        self.prime_of, self.prime_power = _prime_powers(group)
        self.residual = _soluble_residual(group)

    def run(self) -> list[FoundClass]:
        """All classes; _TooManyError where there are too many subgroups."""
        trivial = np.zeros(self.group.order, dtype=bool)
        trivial[0] = True
        self.add(trivial)
        while self.queue:
            _, number = heappop(self.queue)
            found = self.classes[number]
            self.extend_normally(found.masks[0], found.normalizer)
            if self.residual.sum() > 1:
                self.extend_to_perfect(found.masks[0], found.normalizer)
        return self.sorted()

    def sorted(self) -> list[FoundClass]:
        """The classes found so far, smallest subgroups first."""
        return sorted(self.classes, key=lambda found: int(found.masks[0].sum()))

    def add(self, mask: NDArray[np.bool_], most: int | None = None) -> None:
        """Record the class of this subgroup, unless it is known; _TooManyError, and nothing, where that makes too many subgroups."""
        if np.packbits(mask).tobytes() in self.known:
            return
        generators = generating(self.group, mask)
        normalizer = normalizer_mask(self.group, mask, generators)
        by = right_cosets(self.group, normalizer).representatives[:, None]
        if self.number + len(by) > (most or MAX_SUBGROUPS) or len(self.classes) >= MOST_CLASSES:
            raise _TooManyError(f"{self.group.name} has more than {most or MAX_SUBGROUPS:,} subgroups")
        members = self.group.conjugate(np.flatnonzero(mask), by)
        self.number += len(members)
        masks = np.zeros((len(members), self.group.order), dtype=bool)
        np.put_along_axis(masks, members.astype(np.intp), True, axis=1)
        self.known.update(row.tobytes() for row in np.packbits(masks, axis=1))
        heappush(self.queue, (members.shape[1], len(self.classes)))
        conjugate = self.group.conjugate(np.array(generators, dtype=np.intp), by).astype(np.intp)
        self.classes.append(FoundClass(masks, conjugate, normalizer))

    def extend_normally(self, mask: NDArray[np.bool_], normalizer: NDArray[np.bool_]) -> None:
        """Add every K in which H is normal of prime index p: H with the cosets of z, z^2, ..., z^(p-1)."""
        todo = normalizer & ~mask & mask[self.prime_power]
        inside = np.flatnonzero(mask)
        while todo.any():
            z = int(todo.argmax())
            larger = mask.copy()
            power = z
            for _ in range(int(self.prime_of[z]) - 1):
                larger[self.group.mul[power, inside]] = True
                power = int(self.group.mul[power, z])
            todo &= ~larger
            self.add(larger)

    def extend_to_perfect(self, mask: NDArray[np.bool_], normalizer: NDArray[np.bool_]) -> None:
        """Add <H, z> for every 2-element z of R outside N(H), one for each orbit of N(H)."""
        order, whole = int(mask.sum()), int(self.residual.sum())
        if order % 4 or whole % order or order * 5 > whole or (mask & ~self.residual).any():
            return
        todo = self.residual & ~normalizer & (self.prime_of == 2)
        around = np.flatnonzero(normalizer)
        generators = generating(self.group, mask)
        while todo.any():
            z = int(todo.argmax())
            todo[self.group.conjugate(z, around)] = False
            self.add(closure(self.group, (*generators, z)))


def _prime_powers(group: FiniteGroup) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """For each z of p-power order, p and the number of z^p; for every other z, 0 and z itself."""
    everything = np.arange(group.order)
    prime_of = np.zeros(group.order, dtype=np.intp)
    power = everything.copy()
    for order in np.unique(group.element_orders).tolist():
        prime = next((p for p in range(2, order + 1) if order % p == 0), 0)
        if prime and _is_power(order, prime):
            chosen = np.flatnonzero(group.element_orders == order)
            prime_of[chosen] = prime
            result = chosen
            for _ in range(prime - 1):
                result = group.mul[result, chosen].astype(np.intp)
            power[chosen] = result
    return prime_of, power


def _is_power(order: int, prime: int) -> bool:
    while order % prime == 0:
        order //= prime
    return order == 1


def _soluble_residual(group: FiniteGroup) -> NDArray[np.bool_]:
    """(order,) the last term of the derived series: the largest perfect subgroup."""
    mask = np.ones(group.order, dtype=bool)
    while True:
        smaller = derived_mask(group, mask, generating(group, mask))
        if smaller.sum() == mask.sum():
            return mask
        mask = smaller
