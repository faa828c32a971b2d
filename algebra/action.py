"""Counts of fixed cosets: permutation characters, the table of marks, shared cosets."""

import numpy as np
from numpy.typing import NDArray

from algebra.containment import containment_counts
from algebra.errors import GroupError
from algebra.group import FiniteGroup
from algebra.lattice import SubgroupLattice
from algebra.subgroup import Subgroup

__all__ = [
    "permutation_character",
    "permutation_characters",
    "shared_cosets",
    "table_of_marks",
]


def permutation_characters(group: FiniteGroup, masks: NDArray[np.bool_]) -> NDArray[np.intp]:
    """(subgroups, classes of elements) how many right cosets of H an element x fixes, for many subgroups H.

    It is ``[G:H] |H n x^G| / |x^G|``; ``masks`` is (subgroups, order).
    """
    sizes = np.array([len(one) for one in group.conjugacy_classes])
    inside = np.stack([masks[:, one].sum(axis=1) for one in group.conjugacy_classes], axis=1)
    counts: NDArray[np.intp] = group.order * inside // (masks.sum(axis=1)[:, None] * sizes)
    return counts


def permutation_character(subgroup: Subgroup) -> NDArray[np.intp]:
    """(classes of elements,) number of fixed right cosets of one subgroup."""
    return np.asarray(permutation_characters(subgroup.group, subgroup.mask[None])[0])


def table_of_marks(lattice: SubgroupLattice) -> NDArray[np.intp]:
    """(classes, classes) entry [a, b]: how many right cosets of a member of b a member of a fixes (Burnside).

    ``Hx`` is fixed by K if x^-1 H x contains K; each conjugate of H that does accounts for [N(H):H] cosets.
    """
    weights = [one.normalizer_order // one.order for one in lattice.classes]
    return containment_counts(lattice) * np.array(weights, dtype=np.intp)


def shared_cosets(left: Subgroup, right: Subgroup) -> tuple[NDArray[np.intp], ...]:
    """The sets that are right cosets of ``left`` and left cosets of ``right``, as rising element numbers.

    ``Hx = xK`` if and only if ``K = x^-1 H x``: there are [N(H):H] of them for conjugate subgroups, none
    for others (Stander et al., arXiv 2312.06581, section 5.2).

    Raises:
        GroupError: the two lie in different groups.

    """
    group = left.group
    if group is not right.group:
        raise GroupError(f"Expected two subgroups of one group, got {group.name} and {right.group.name}.")
    if left.order != right.order:
        return ()
    fits = np.ones(group.order, dtype=bool)
    for generator in left.generators:
        fits &= right.mask[group.conjugate(generator, np.arange(group.order))]
    labels = left.right_cosets.labels
    return tuple(np.flatnonzero(labels == number) for number in np.unique(labels[fits]).tolist())
