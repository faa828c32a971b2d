"""The published numberings of the elements of S_n and A_n.

- ``lexicographic``: by image lists; the group's own order everywhere in this project.
- ``even-first``: the even permutations, then the odd ones, each half lexicographic (sn-grok, the code of
  Stander et al., "Grokking Group Multiplication with Cosets", arXiv 2312.06581).
- ``sympy``: as ``SymmetricGroup(n).generate()`` or ``AlternatingGroup(n).generate()`` lists them (the code of
  Chughtai et al., "A Toy Model of Universality", arXiv 2302.03025).
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from algebra.errors import GroupError
from algebra.group import FiniteGroup

__all__ = ["ELEMENT_ORDERS", "element_order", "generated_order"]

ELEMENT_ORDERS = ("lexicographic", "even-first", "sympy")


def element_order(group: FiniteGroup, name: str) -> NDArray[np.intp]:
    """(order,) entry k is the index in ``group`` of the k-th element of the numbering ``name``.

    Groups other than S_n and A_n are listed by SymPy from the group's own generators.

    Raises:
        GroupError: the name is none of ``ELEMENT_ORDERS``.

    """
    if name == "lexicographic":
        return np.arange(group.order)
    if name == "even-first":
        return np.argsort(group.parity, kind="stable")
    if name == "sympy":
        return _sympy_order(group)
    raise GroupError(f"Expected an element order out of {', '.join(ELEMENT_ORDERS)}, got {name!r}.")


@lru_cache(maxsize=32)
def _sympy_order(group: FiniteGroup) -> NDArray[np.intp]:
    from sympy.combinatorics.named_groups import AlternatingGroup, SymmetricGroup

    if group.order == 1:
        return np.zeros(1, dtype=np.intp)
    kind, rank = group.name[:1], group.name[1:]
    if kind in ("S", "A") and rank.isdigit() and group.degree >= 2:
        named = SymmetricGroup(group.degree) if kind == "S" else AlternatingGroup(group.degree)
        return generated_order(group, [generator.array_form for generator in named.generators])
    return generated_order(group, [list(images) for images in group.generators])


def generated_order(group: FiniteGroup, generators: list[list[int]]) -> NDArray[np.intp]:
    """(order,) indices of the elements as SymPy's ``PermutationGroup(generators).generate()`` lists them.

    Raises:
        GroupError: the generators do not generate ``group``.

    """
    from sympy.combinatorics import Permutation, PermutationGroup

    listed = PermutationGroup([Permutation(images, size=group.degree) for images in generators]).generate()
    rows = np.array([element.array_form for element in listed], dtype=np.uint8).reshape(-1, group.degree)
    indices = np.asarray(group.index_of(rows))
    if len(indices) != group.order:
        raise GroupError(f"Expected generators of {group.name} of order {group.order}, got order {len(indices)}.")
    return indices
