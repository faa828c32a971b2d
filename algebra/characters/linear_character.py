"""Linear characters of subgroups: homomorphisms to the roots of unity.

A function f on G is *twisted* by a linear character chi of H if ``f(hx) = chi(h) f(x)``. Real ones take the
values 1 and -1 and are known by their kernel, a subgroup of index 2 (or H itself).
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from algebra.coset import left_cosets
from algebra.subgroup import Subgroup, closure, derived_mask

__all__ = ["LinearCharacters", "linear_characters", "sign_characters"]


@dataclass(frozen=True, eq=False)
class LinearCharacters:
    """All linear characters of a subgroup H, by exponents of roots of unity.

    Character k has the value ``exp(2 pi i exponents[k, j] / root)`` at element j of H.

    Attributes:
        subgroup: H.
        root: exponent of H/H'; all values are roots of unity of this order.
        exponents: ([H:H'], |H|) integers below ``root``, for the elements in the order of
            ``subgroup.elements``; row 0 is the trivial character.

    """

    subgroup: Subgroup
    root: int
    exponents: NDArray[np.intp]

    @cached_property
    def values(self) -> NDArray[np.complex128]:
        """([H:H'], |H|) the values as complex numbers."""
        powers: NDArray[np.complex128] = np.exp(2j * np.pi * np.arange(self.root) / self.root)
        return powers[self.exponents]


@lru_cache(maxsize=4096)
def linear_characters(subgroup: Subgroup) -> LinearCharacters:
    """All linear characters of H, trivial on the derived subgroup H'; there are [H:H'] of them.

    They are extended along a chain from H' to H: if z has the least power z^r inside, a character with
    value a at z^r extends in the r ways that take a value v with v^r = a at z.
    """
    group = subgroup.group
    derived = derived_mask(group, subgroup.mask, subgroup.generators)
    chain = _chain(subgroup, derived)
    root = _exponent(subgroup, derived)
    elements = np.flatnonzero(derived)
    exponents = np.zeros((1, len(elements)), dtype=np.intp)
    for z, ratio in chain:
        power = _power(subgroup, z, ratio)
        at_power = exponents[:, elements == power][:, 0]
        at_z = (at_power[:, None] // ratio + root // ratio * np.arange(ratio)).reshape(-1) % root
        powers = [_power(subgroup, z, k) for k in range(ratio)]
        exponents = np.repeat(exponents, ratio, axis=0)
        exponents = np.concatenate([exponents + at_z[:, None] * k for k in range(ratio)], axis=1) % root
        elements = np.concatenate([group.mul[elements, power] for power in powers])
    order = np.argsort(elements)
    exponents = exponents[:, order]
    return LinearCharacters(subgroup, root, exponents[np.lexsort(exponents.T[::-1])])


def _chain(subgroup: Subgroup, derived: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Elements z of H that generate it over H', each with the least r with z^r in what is before."""
    mask, chain = derived, []
    inside = np.flatnonzero(derived).tolist()
    while (missing := subgroup.mask & ~mask).any():
        z = int(missing.argmax())
        ratio, power = 1, z
        while not mask[power]:
            power = int(subgroup.group.mul[power, z])
            ratio += 1
        chain.append((z, ratio))
        mask = closure(subgroup.group, [*inside, *(one for one, _ in chain)])
    return chain


def _power(subgroup: Subgroup, element: int, exponent: int) -> int:
    power = 0
    for _ in range(exponent):
        power = int(subgroup.group.mul[power, element])
    return power


def _exponent(subgroup: Subgroup, derived: NDArray[np.bool_]) -> int:
    """Least k with x^k in H' for every x of H."""
    orders = [_order_modulo(subgroup, int(x), derived) for x in _transversal(subgroup, derived)]
    return int(np.lcm.reduce(orders))


def _transversal(subgroup: Subgroup, derived: NDArray[np.bool_]) -> NDArray[np.intp]:
    representatives = left_cosets(subgroup.group, derived).representatives
    return representatives[subgroup.mask[representatives]]


def _order_modulo(subgroup: Subgroup, element: int, derived: NDArray[np.bool_]) -> int:
    order, power = 1, element
    while not derived[power]:
        power = int(subgroup.group.mul[power, element])
        order += 1
    return order


@lru_cache(maxsize=16384)
def sign_characters(subgroup: Subgroup) -> tuple[tuple[Subgroup, NDArray[np.int8]], ...]:
    """The characters of order two of H: for each its kernel and its values.

    The values are an (order of the group,) array: 1 on the kernel, -1 on the rest of H, 0 outside H. The
    characters come in the order of their kernels' lists of elements.
    """
    group = subgroup.group
    squares = group.mul[subgroup.elements, subgroup.elements]
    # H / <squares> is the largest elementary abelian 2-quotient; its hyperplanes are the kernels
    common = closure(group, np.unique(squares))
    found = []
    for mask in _hyperplanes(subgroup, common):
        signs = np.where(mask, 1, np.where(subgroup.mask, -1, 0)).astype(np.int8)
        signs.setflags(write=False)
        found.append((Subgroup(group, mask), signs))
    return tuple(sorted(found, key=lambda pair: pair[0].elements.tolist()))


def _hyperplanes(subgroup: Subgroup, common: NDArray[np.bool_]) -> list[NDArray[np.bool_]]:
    """The subgroups of index 2 in H that contain the normal subgroup N, where H/N is elementary abelian."""
    bits = np.zeros((0, subgroup.group.order), dtype=np.int8)
    mask = common
    while (missing := subgroup.mask & ~mask).any():
        z = int(missing.argmax())
        inside = np.flatnonzero(mask)
        shifted = subgroup.group.mul[inside, z]
        bits[:, shifted] = bits[:, inside]
        coordinate = np.zeros((1, subgroup.group.order), dtype=np.int8)
        coordinate[0, shifted] = 1
        bits = np.concatenate([bits, coordinate])
        mask = mask.copy()
        mask[shifted] = True
    choices = (np.arange(1, 2 ** len(bits))[:, None] >> np.arange(len(bits))) & 1
    return [subgroup.mask & (row == 0) for row in (choices @ bits) % 2]
