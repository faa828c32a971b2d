"""What is known of a group, a subgroup's cosets, as plain data for tables and JSON."""

from typing import TypedDict

import numpy as np

from algebra.action import permutation_characters, shared_cosets
from algebra.characters.character_table import character_table, format_value
from algebra.containment import class_lattice
from algebra.coset import double_cosets
from algebra.errors import GroupError
from algebra.group import FiniteGroup, parse_generators
from algebra.lattice import SubgroupClass, subgroups
from algebra.naming import NAMES_KEY, orbits
from algebra.outer_automorphism import outer_automorphism
from algebra.permutation import format_cycles
from algebra.public import subgroup_classes
from algebra.subgroup import Subgroup

__all__ = [
    "ClassRecord",
    "ClassesSummary",
    "CosetSummary",
    "DoubleCosetRecord",
    "ElementClassRecord",
    "GroupHead",
    "GroupSummary",
    "IrrepRecord",
    "SubgroupClassRecord",
    "classes_summary",
    "coset_summary",
    "group_summary",
]


class GroupHead(TypedDict):
    """What every summary of a group begins with."""

    group: str
    degree: int
    order: int
    generators: list[str]


class ElementClassRecord(TypedDict):
    """One class of elements, by its least element."""

    representative: str
    order: int
    size: int
    centralizer_order: int
    parity: str


class ClassRecord(TypedDict):
    """One class of subgroups of any group, by one member; points are 1-based."""

    order: int
    index: int
    conjugates: int
    normalizer_order: int
    kind: str
    orbits: list[list[int]]
    generators: list[str]


class SubgroupClassRecord(TypedDict):
    """One class of subgroups of a group whose subgroups have names; points are 1-based."""

    name: str
    order: int
    index: int
    conjugates: int
    normalizer: str
    core: str
    outer_image: str | None
    orbits: list[list[int]]
    generators: list[str]
    maximal_in: list[str]
    maximal_subgroups: list[str]


class IrrepRecord(TypedDict):
    """One irreducible character, by its values on the classes of elements."""

    name: str
    degree: int
    values: list[str]


class DoubleCosetRecord(TypedDict):
    """One double coset, by its least element."""

    representative: str
    size: int


class GroupSummary(GroupHead):
    """What ``group_summary`` gives."""

    element_classes: list[ElementClassRecord]
    names: list[str]
    subgroups: int
    complete: bool
    subgroup_classes: list[SubgroupClassRecord]
    irreps: list[IrrepRecord]
    permutation_characters: dict[str, dict[str, int]]


class ClassesSummary(GroupHead):
    """What ``classes_summary`` gives."""

    subgroups: int
    subgroup_classes: list[ClassRecord]


class CosetSummary(TypedDict):
    """What ``coset_summary`` gives."""

    group: str
    subgroup: str
    order: int
    index: int
    elements: list[str]
    right_cosets: list[str]
    left_cosets: list[str]
    double_cosets: list[DoubleCosetRecord]
    shared_with: dict[str, list[str]]


def group_summary(group: FiniteGroup) -> GroupSummary:
    """Classes of elements, classes of subgroups and irreducible characters, ready for JSON.

    Raises:
        GroupError: there are too many classes of elements; the sentence states the limit.

    """
    lattice = subgroups(group)
    return {
        "group": group.name,
        "degree": group.degree,
        "order": group.order,
        "generators": [format_cycles(images) for images in group.generators],
        "element_classes": _element_classes(group),
        "names": list(NAMES_KEY),
        "subgroups": len(lattice),
        "complete": lattice.complete,
        "subgroup_classes": [_subgroup_class(one) for one in lattice.classes],
        "irreps": _irreps(group),
        "permutation_characters": _permutation_characters(group),
    }


def classes_summary(name: str) -> ClassesSummary:
    """Every class of conjugate subgroups of a group, by one member, ready for JSON; the group may be too large to be analysed.

    Raises:
        GroupError: the name is no group's, or it has too many elements or classes; the sentence states the limit.

    """
    named = parse_generators(name)
    found = subgroup_classes(named.name)
    return {
        "group": named.name,
        "degree": named.degree,
        "order": found[-1].order,
        "generators": [format_cycles(images) for images in named.generators],
        "subgroups": sum(one.length for one in found),
        "subgroup_classes": [
            {
                "order": one.order,
                "index": found[-1].order // one.order,
                "conjugates": one.length,
                "normalizer_order": found[-1].order // one.length,
                "kind": "soluble" if one.soluble else "perfect" if one.perfect else "neither",
                "orbits": [[point + 1 for point in orbit] for orbit in one.orbits],
                "generators": [format_cycles(images) for images in one.generators],
            }
            for one in found
        ],
    }


def _element_classes(group: FiniteGroup) -> list[ElementClassRecord]:
    return [
        {
            "representative": group.word(int(one[0])),
            "order": int(group.element_orders[one[0]]),
            "size": len(one),
            "centralizer_order": group.order // len(one),
            "parity": "odd" if group.parity[one[0]] else "even",
        }
        for one in group.conjugacy_classes
    ]


def _subgroup_class(one: SubgroupClass) -> SubgroupClassRecord:
    graph, group, first = class_lattice(one.lattice), one.lattice.group, one.representative
    return {
        "name": one.name,
        "order": one.order,
        "index": first.index,
        "conjugates": one.length,
        "normalizer": _name(one, one.normalizer),
        "core": _name(one, one.core),
        "outer_image": _outer_image(one),
        "orbits": [[point + 1 for point in orbit] for orbit in orbits(group.elements[first.mask])],
        "generators": [group.word(element) for element in first.generators],
        "maximal_in": [one.lattice.names[number] for number in sorted(graph.successors(one.number))],
        "maximal_subgroups": [one.lattice.names[number] for number in sorted(graph.predecessors(one.number))],
    }


def _name(one: SubgroupClass, subgroup: Subgroup) -> str:
    """The name of a subgroup's class, or its order where a list that is not complete does not have it."""
    try:
        return one.lattice.name_of(subgroup)
    except GroupError:
        return f"of order {subgroup.order}, not listed"


def _outer_image(one: SubgroupClass) -> str | None:
    """The class to which the outer automorphism of S6 takes this one; None in other groups."""
    group, lattice = one.lattice.group, one.lattice
    if (group.degree, group.order) != (6, 720):
        return None
    mask = np.zeros(group.order, dtype=bool)
    mask[outer_automorphism(group)[one.representative.elements]] = True
    return lattice.names[int(lattice.class_of[lattice.find(mask)])]


def _irreps(group: FiniteGroup) -> list[IrrepRecord]:
    table = character_table(group)
    return [
        {"name": name, "degree": int(degree), "values": [format_value(value) for value in row]}
        for name, degree, row in zip(table.names, table.degrees, table.values.tolist(), strict=True)
    ]


def _permutation_characters(group: FiniteGroup) -> dict[str, dict[str, int]]:
    """Multiplicity of each irreducible character in the action on the cosets of each class of subgroups."""
    lattice, table = subgroups(group), character_table(group)
    firsts = lattice.masks[[one.members[0] for one in lattice.classes]]
    found = table.multiplicities(permutation_characters(group, firsts)).tolist()
    return {
        name: {irrep: count for irrep, count in zip(table.names, row, strict=True) if count}
        for name, row in zip(lattice.names, found, strict=True)
    }


def coset_summary(subgroup: Subgroup) -> CosetSummary:
    """Right, left and double cosets of a subgroup, and the right cosets that are left cosets of conjugates.

    Raises:
        GroupError: the group's subgroups are too many to name this one.

    """
    group = subgroup.group
    right, left = subgroup.right_cosets, subgroup.left_cosets
    double = double_cosets(group, subgroup.mask, subgroup.mask)
    lattice = subgroups(group)
    conjugates = lattice.classes[int(lattice.class_of[lattice.find(subgroup.mask)])].members
    shared = {
        lattice.labels[index]: [group.word(int(coset[0])) for coset in shared_cosets(subgroup, lattice.all[index])]
        for index in conjugates.tolist()
    }
    if sum(len(words) for words in shared.values()) != subgroup.index:
        raise GroupError(f"Expected every right coset of {lattice.label_of(subgroup)} to be a left coset of one conjugate.")
    return {
        "group": group.name,
        "subgroup": lattice.label_of(subgroup),
        "order": subgroup.order,
        "index": subgroup.index,
        "elements": [group.word(element) for element in subgroup.elements.tolist()],
        "right_cosets": [group.word(element) for element in right.representatives.tolist()],
        "left_cosets": [group.word(element) for element in left.representatives.tolist()],
        "double_cosets": [
            {"representative": group.word(element), "size": size}
            for element, size in zip(double.representatives.tolist(), double.sizes.tolist(), strict=True)
        ],
        "shared_with": shared,
    }
