"""Classes of conjugate subgroups of groups of some hundred thousand elements, without listing conjugates.

Every subgroup K is reached from its largest perfect subgroup, the last term of its derived series, by steps H < K with H normal in K
of prime index p: then K = <H, z> for an element z of p-power order that normalises H, with z^p in H (J. Neubüser, "Untersuchungen des
Untergruppenverbandes endlicher Gruppen auf einer programmgesteuerten elektronischen Dualmaschine", Numer. Math. 2, 1960). Up to
conjugacy it is enough to extend one H of each class, by one z of each class of subgroups of order p in N(H)/H. The perfect subgroups
are found by ``algebra.perfect_subgroups``; 1 is one of them.
"""

from collections.abc import Iterator
from heapq import heapify, heappop, heappush

import numpy as np
from numpy.typing import NDArray

from algebra.class_search import ClassSearch, Representative
from algebra.element_table import ElementTable, Numbers
from algebra.perfect_subgroups import add_perfect_subgroups, primes_of

__all__ = ["search_classes"]


def search_classes(table: ElementTable) -> list[Representative]:
    """A representative of every class of conjugate subgroups, smallest first, then by the number of conjugates."""
    search = ClassSearch(table)
    add_perfect_subgroups(search)
    queue = [(one.order, number) for number, one in enumerate(search.classes)]
    heapify(queue)
    while queue:
        _, number = heappop(queue)
        one = search.classes[number]
        for elements, z in _extensions(table, one):
            if search.add(elements, (*one.generators, z), one.residual_order) is not None:
                heappush(queue, (len(elements), len(search.classes) - 1))
        one.normalizer = one.normalizer[:0]  # the largest part of what is kept
    return sorted(search.classes, key=lambda one: (one.order, -one.normalizer_order))


def _extensions(table: ElementTable, one: Representative) -> Iterator[tuple[Numbers, int]]:
    """Every K in which H is normal of prime index, up to conjugacy under N(H): its elements, and a z with K = <H, z>."""
    if one.order == 1:
        yield from _of_prime_order(table)
        return
    cosets = len(one.normalizer)
    coset_of = np.zeros(table.order, dtype=np.intp)
    coset_of[one.normalizer] = np.arange(1, cosets + 1)[:, None]  # 0 outside N(H), 1 on H
    across = one.normalizer[:, 0]
    for prime in primes_of(cosets):
        inside = one.normalizer[1:].ravel()
        candidates = inside[_of_power_order(table, prime)[table.class_of[inside]]]
        candidates = candidates[coset_of[table.powers(candidates, prime)] == 1]
        chosen = np.zeros(cosets + 1, dtype=np.intp)
        chosen[coset_of[candidates]] = candidates
        while chosen.any():
            z = int(chosen[chosen > 0][0])
            powers, power = [one.elements], z
            for _ in range(prime - 1):
                powers.append(table.times(one.elements, power))
                chosen[coset_of[table.conjugates(power, across)]] = 0
                power = int(table.products(np.array([power]), np.array([z]))[0])
            yield np.sort(np.concatenate(powers)), z


def _of_power_order(table: ElementTable, prime: int) -> NDArray[np.bool_]:
    """(classes of elements,) whether the order of the elements is a power of the prime above 1."""
    return np.array([primes_of(order) == [prime] for order in table.class_orders.tolist()])


def _of_prime_order(table: ElementTable) -> Iterator[tuple[Numbers, int]]:
    """The subgroups of prime order, one or more of each class."""
    seen: set[int] = set()
    for first, order in zip(table.class_firsts.tolist(), table.class_orders.tolist(), strict=True):
        if first not in seen and primes_of(order) == [order]:
            powers = [0, first]
            while len(powers) < order:
                powers.append(int(table.products(np.array([powers[-1]]), np.array([first]))[0]))
            seen.update(table.class_firsts[table.class_of[powers]].tolist())
            yield np.sort(np.array(powers)), first
