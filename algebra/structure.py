"""Short names for the isomorphism type of a group: C6, D8, S4, F20, S4xC2, (C3xC3):C4.

``AxB`` is a direct product, ``N:Q`` a split extension, ``AwrS2`` a wreath product, ``D8`` the dihedral
group of order 8, ``F20`` the Frobenius group of that order whose kernel has prime order. ``G16`` is the
last resort.
"""

from collections import Counter
from math import factorial

import numpy as np
from numpy.typing import NDArray

from algebra.group import FiniteGroup, group_from_generators
from algebra.subgroup import Subgroup, derived_mask
from algebra.unnamed_lattice import unnamed_lattice

__all__ = ["as_group", "joined", "structure_name"]

#: The perfect groups of these orders: each order has one (D. Holt and W. Plesken, Perfect Groups, 1989,
#: Table).
_PERFECT = {
    60: "A5", 120: "SL(2,5)", 168: "L3(2)", 336: "SL(2,7)", 360: "A6", 504: "L2(8)", 660: "L2(11)", 2520: "A7", 7920: "M11",
}  # fmt: skip


def as_group(members: Subgroup) -> FiniteGroup:
    """The subgroup as a group by itself, on the points that its group acts on."""
    rows = members.group.elements[list(members.generators)].tolist()
    return group_from_generators("H", members.group.degree, [tuple(row) for row in rows])


def joined(names: list[str], sign: str = "x") -> str:
    """Factor names with a sign between them, those that are not simple names in brackets."""
    simple = len(names) == 1
    return sign.join(name if simple or not _compound(name, sign) else f"({name})" for name in names)


def _compound(name: str, sign: str) -> bool:
    return ":" in name or "wr" in name or (sign != "x" and "x" in name)


def structure_name(group: FiniteGroup) -> str:
    """Name of the group's isomorphism type; equal names of at most order 15 mean isomorphic groups."""
    tests = (_natural, _abelian, _small, _dihedral, _frobenius, _insoluble)
    return next((name for test in tests if (name := test(group))), None) or _composed(group)


def _natural(group: FiniteGroup) -> str | None:
    """S_k or A_k, k > 2, in its natural action on the k points that it moves, but for A3 = C3."""
    moved = int((group.elements != np.arange(group.degree)).any(axis=0).sum())
    if not 3 <= moved <= 12:
        return None
    if group.order == factorial(moved):
        return f"S{moved}"
    return f"A{moved}" if moved > 3 and group.order == factorial(moved) // 2 else None


def _abelian(group: FiniteGroup) -> str | None:
    if not np.array_equal(group.mul, group.mul.T):
        return None
    if group.order == 1:
        return "1"
    factors = _invariant_factors(group.element_orders)
    return "x".join(f"C{factor}" for factor in factors)


def _invariant_factors(orders: NDArray[np.int16]) -> list[int]:
    """d_1, d_2, ..., d_{i+1} | d_i: in an abelian group gcd(k, d_1) gcd(k, d_2) ... elements have g^k = 1."""
    factors: list[int] = []
    for prime in _primes(len(orders)):
        rank_before, power, at_least = 1, prime, []
        while (killed := int((power % orders == 0).sum())) > rank_before:
            at_least.append(round(np.log(killed / rank_before) / np.log(prime)))
            rank_before, power = killed, power * prime
        parts = [prime ** sum(1 for count in at_least if count > i) for i in range(at_least[0])]
        factors += [1] * (len(parts) - len(factors))
        for i, part in enumerate(parts):
            factors[i] *= part
    return factors


def _small(group: FiniteGroup) -> str | None:
    """A4 and S4, which their orders of elements determine."""
    statistics = Counter(group.element_orders.tolist())
    return {((1, 1), (2, 3), (3, 8)): "A4", ((1, 1), (2, 9), (3, 8), (4, 6)): "S4"}.get(tuple(sorted(statistics.items())))


def _dihedral(group: FiniteGroup) -> str | None:
    """Dihedral and generalised quaternion groups: a cyclic half, and outside it elements of order 2 or 4."""
    half = group.order // 2
    if group.order % 2 or not (group.element_orders == half).any():
        return None
    rotation = int((group.element_orders == half).argmax())
    outside = group.element_orders[~_cyclic(group, rotation)]
    if (outside == 2).all():
        return f"D{group.order}" if half > 3 else "S3"
    return f"Q{group.order}" if (outside == 4).all() and group.order & (group.order - 1) == 0 else None


def _frobenius(group: FiniteGroup) -> str | None:
    """Frobenius groups with a cyclic complement of order above 2 and a kernel of prime order, 8 or 9.

    The kernel is a Sylow p-subgroup, all of whose elements but 1 have order p and which holds all elements
    of an order that p divides. Such a group is determined by its order.
    """
    orders = group.element_orders
    for prime in _primes(group.order):
        kernel, complement = int((orders % prime == 0).sum()) + 1, int((orders == prime).sum()) + 1
        if kernel != complement or group.order % kernel or (kernel != prime and kernel not in (8, 9)):
            continue
        rest = group.order // kernel
        if rest > 2 and rest % prime and (orders == rest).any():
            return f"F{group.order}"
    return None


def _primes(number: int) -> list[int]:
    return [p for p in range(2, number + 1) if number % p == 0 and all(p % q for q in range(2, p))]


def _cyclic(group: FiniteGroup, element: int) -> NDArray[np.bool_]:
    mask = np.zeros(group.order, dtype=bool)
    power = 0
    while not mask[power]:
        mask[power] = True
        power = int(group.mul[power, element])
    return mask


def _insoluble(group: FiniteGroup) -> str | None:
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


def _composed(group: FiniteGroup) -> str:
    """A direct product, wreath product or split extension of smaller groups, looked for in this order."""
    lattice = unnamed_lattice(group)
    normal = [one.representative for one in lattice.classes if one.length == 1 and 1 < one.order < group.order]
    for kernel in reversed(normal):
        for other in reversed(normal):
            if kernel.order * other.order == group.order and not (kernel.mask & other.mask)[1:].any():
                return joined(_sorted_names([kernel, other]))
    if wreath := _wreath(group, normal):
        return wreath
    for kernel in reversed(normal):
        for one in lattice.classes:
            if one.order * kernel.order == group.order and not (one.representative.mask & kernel.mask)[1:].any():
                names = [structure_name(as_group(part)) for part in (kernel, one.representative)]
                return joined(names, ":")
    return f"G{group.order}"


def _sorted_names(parts: list[Subgroup]) -> list[str]:
    return [structure_name(as_group(part)) for part in sorted(parts, key=lambda part: -part.order)]


def _wreath(group: FiniteGroup, normal: list[Subgroup]) -> str | None:
    """A wr S2: a normal A x A of index 2 whose two factors an involution outside it exchanges."""
    for base in (part for part in normal if part.index == 2):
        involutions = np.flatnonzero((group.element_orders == 2) & ~base.mask)
        for one in unnamed_lattice(group).classes:
            if one.order**2 == base.order and one.length == 2:
                first, second = (unnamed_lattice(group).all[i] for i in one.members)
                product = group.mul[np.ix_(first.elements, second.elements)]
                direct = len(np.unique(product)) == base.order and base.mask[product].all()
                if direct and len(involutions) and _commute(group, first, second):
                    return f"{joined([structure_name(as_group(first))], 'wr')}wrS2"
    return None


def _commute(group: FiniteGroup, first: Subgroup, second: Subgroup) -> bool:
    here = group.mul[np.ix_(first.elements, second.elements)]
    return bool(np.array_equal(here, group.mul[np.ix_(second.elements, first.elements)].T))
