"""Short names for the isomorphism type of a group: C6, D8, S4, F20, S4xC2, (C3xC3):C4.

``AxB`` is a direct product, ``N:Q`` a split extension, ``AwrS2`` a wreath product, ``D8`` the dihedral group of
order 8, ``F20`` the Frobenius group of that order whose kernel has prime order. ``G16`` is the last resort.
"""

from collections import Counter
from math import factorial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from algebra.subgroup import Subgroup, derived_mask

if TYPE_CHECKING:
    from algebra.group import FiniteGroup

__all__ = ["as_group", "joined", "structure_name"]

#: The perfect groups of these orders: each order has one (D. Holt and W. Plesken, Perfect Groups, 1989, Table).
_PERFECT = {
    60: "A5", 120: "SL(2,5)", 168: "L3(2)", 336: "SL(2,7)", 360: "A6", 504: "L2(8)", 660: "L2(11)", 2520: "A7",
}  # fmt: skip


def as_group(members: Subgroup) -> "FiniteGroup":
    """The subgroup as a group by itself, on the points that its group acts on."""
    from algebra.group import group_from_generators

    rows = members.group.elements[list(members.generators)].tolist()
    return group_from_generators("H", members.group.degree, [tuple(row) for row in rows])


def joined(names: list[str], sign: str = "x") -> str:
    """Factor names with a sign between them, those that are not simple names in brackets."""
    simple = len(names) == 1
    return sign.join(name if simple or not _compound(name, sign) else f"({name})" for name in names)


def _compound(name: str, sign: str) -> bool:
    return ":" in name or "wr" in name or (sign != "x" and "x" in name)


def structure_name(group: "FiniteGroup") -> str:
    """Name of the group's isomorphism type; equal names of at most order 15 mean isomorphic groups."""
    return (
        _natural(group) or _abelian(group) or _two_generated(group) or _insoluble(group) or _composed(group)
    )


def _natural(group: "FiniteGroup") -> str | None:
    """S_k or A_k in its natural action on the k points that it moves."""
    moved = int((group.elements != np.arange(group.degree)).any(axis=0).sum())
    if moved < 3 or moved > 12:
        return None
    return (
        {factorial(moved): f"S{moved}", factorial(moved) // 2: f"A{moved}"}.get(group.order)
        if moved > 3
        else ({6: "S3"}.get(group.order))
    )


def _abelian(group: "FiniteGroup") -> str | None:
    if not np.array_equal(group.mul, group.mul.T):
        return None
    if group.order == 1:
        return "1"
    factors = _invariant_factors(group.element_orders)
    return "x".join(f"C{factor}" for factor in factors)


def _invariant_factors(orders: NDArray[np.int16]) -> list[int]:
    """d_1, d_2, ... with d_{i+1} | d_i: an abelian group has gcd(k, d_1) gcd(k, d_2) ... elements with g^k = 1."""
    order = len(orders)
    factors: list[int] = []
    primes = [p for p in range(2, order + 1) if order % p == 0 and all(p % q for q in range(2, p))]
    for prime in primes:
        rank_before, power, at_least = 1, prime, []
        while (killed := int((power % orders == 0).sum())) > rank_before:
            at_least.append(round(np.log(killed / rank_before) / np.log(prime)))
            rank_before, power = killed, power * prime
        parts = [prime ** sum(1 for count in at_least if count > i) for i in range(at_least[0])]
        factors += [1] * (len(parts) - len(factors))
        for i, part in enumerate(parts):
            factors[i] *= part
    return factors


def _two_generated(group: "FiniteGroup") -> str | None:
    """Dihedral, dicyclic and Frobenius groups over a cyclic normal subgroup, and A4 and S4 by order statistics."""
    statistics = Counter(group.element_orders.tolist())
    if statistics == {1: 1, 2: 3, 3: 8}:
        return "A4"
    if statistics == {1: 1, 2: 9, 3: 8, 4: 6}:
        return "S4"
    half = group.order // 2
    if group.order % 2 == 0 and statistics[half]:
        rotation = int(np.flatnonzero(group.element_orders == half)[0])
        outside = group.element_orders[~_cyclic(group, rotation)]
        if (outside == 2).all():
            return f"D{group.order}" if half > 3 else "S3"
        if (outside == 4).all() and group.order & (group.order - 1) == 0:
            return f"Q{group.order}"
    for prime in (p for p in range(5, 252) if group.order % p == 0 and all(p % q for q in range(2, p))):
        ratio = group.order // prime
        if (
            statistics[prime] == prime - 1
            and (prime - 1) % ratio == 0
            and statistics[ratio]
            == group.order
            - prime
            - sum(count for order, count in statistics.items() if ratio % order == 0 and 1 < order < ratio)
            and all(ratio % order == 0 or order == prime for order in statistics)
        ):
            return f"F{group.order}"
    return None


def _cyclic(group: "FiniteGroup", element: int) -> NDArray[np.bool_]:
    mask = np.zeros(group.order, dtype=bool)
    power = 0
    while not mask[power]:
        mask[power] = True
        power = int(group.mul[power, element])
    return mask


def _insoluble(group: "FiniteGroup") -> str | None:
    """Perfect groups of orders that have one, and S5."""
    whole = Subgroup(group, np.ones(group.order, dtype=bool))
    derived = derived_mask(group, whole.mask, whole.generators)
    if derived.all():
        return _PERFECT.get(group.order)
    central = (group.mul == group.mul.T).all(axis=1).sum()
    if group.order == 120 and central == 1 and derived.sum() == 60:
        second = derived_mask(group, derived, Subgroup(group, derived).generators)
        return "S5" if second.sum() == 60 else None
    return None


def _composed(group: "FiniteGroup") -> str:
    """A direct product, wreath product or split extension of smaller groups, looked for in this order."""
    from algebra.subgroups import subgroups

    family = subgroups(group)
    normal = [one.representative for one in family.classes if one.length == 1 and 1 < one.order < group.order]
    for kernel in reversed(normal):
        for other in reversed(normal):
            if kernel.order * other.order == group.order and not (kernel.mask & other.mask)[1:].any():
                return joined(_sorted_names([kernel, other]))
    if wreath := _wreath(group, normal):
        return wreath
    for kernel in reversed(normal):
        for one in family.classes:
            if (
                one.order * kernel.order == group.order
                and not (one.representative.mask & kernel.mask)[1:].any()
            ):
                names = [structure_name(as_group(part)) for part in (kernel, one.representative)]
                return joined(names, ":")
    return f"G{group.order}"


def _sorted_names(parts: list[Subgroup]) -> list[str]:
    ranked = sorted(parts, key=lambda part: -part.order)
    return [structure_name(as_group(part)) for part in ranked]


def _wreath(group: "FiniteGroup", normal: list[Subgroup]) -> str | None:
    """A wr S2: a normal A x A of index 2 whose two factors an involution outside it exchanges."""
    from algebra.subgroups import subgroups

    for base in (part for part in normal if part.index == 2):
        involutions = np.flatnonzero((group.element_orders == 2) & ~base.mask)
        for one in subgroups(group).classes:
            if one.order**2 == base.order and one.length == 2:
                first, second = (subgroups(group).all[i] for i in one.members)
                product = group.mul[np.ix_(first.elements, second.elements)]
                direct = len(np.unique(product)) == base.order and base.mask[product].all()
                if direct and len(involutions) and _commute(group, first, second):
                    return f"{joined([structure_name(as_group(first))], 'wr')}wrS2"
    return None


def _commute(group: "FiniteGroup", first: Subgroup, second: Subgroup) -> bool:
    here = group.mul[np.ix_(first.elements, second.elements)]
    return bool(np.array_equal(here, group.mul[np.ix_(second.elements, first.elements)].T))
