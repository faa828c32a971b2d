"""Permutation groups: elements, subgroups, cosets, lattices, characters, representations.

The names in ``__all__`` are public. Each is imported from its module when it is first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from algebra.action import permutation_character, shared_cosets, table_of_marks
    from algebra.characters.character_table import CharacterTable, character_table
    from algebra.characters.irrep import Irrep, irreps
    from algebra.coset import Cosets
    from algebra.coset_space import CosetSpace
    from algebra.errors import GroupError
    from algebra.group import FiniteGroup, is_name_of, parse_group
    from algebra.gset import GSet
    from algebra.lattice import SubgroupClass, SubgroupLattice, subgroups
    from algebra.public import (
        ClassRepresentative,
        centralizer,
        conjugacy_classes,
        cosets,
        double_cosets,
        generated_subgroup,
        lattice_graph,
        normal_closure,
        subgroup_classes,
    )
    from algebra.subgroup import Subgroup
    from algebra.sympy_bridge import element_number, from_sympy, permutations, subgroup_from_sympy, to_sympy

_MODULES = {
    "algebra.action": ("permutation_character", "shared_cosets", "table_of_marks"),
    "algebra.characters.character_table": ("CharacterTable", "character_table"),
    "algebra.characters.irrep": ("Irrep", "irreps"),
    "algebra.coset": ("Cosets",),
    "algebra.coset_space": ("CosetSpace",),
    "algebra.errors": ("GroupError",),
    "algebra.group": ("FiniteGroup", "is_name_of", "parse_group"),
    "algebra.gset": ("GSet",),
    "algebra.lattice": ("SubgroupClass", "SubgroupLattice", "subgroups"),
    "algebra.public": (
        "ClassRepresentative",
        "centralizer",
        "conjugacy_classes",
        "cosets",
        "double_cosets",
        "generated_subgroup",
        "lattice_graph",
        "normal_closure",
        "subgroup_classes",
    ),
    "algebra.subgroup": ("Subgroup",),
    "algebra.sympy_bridge": ("element_number", "from_sympy", "permutations", "subgroup_from_sympy", "to_sympy"),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "CharacterTable",
    "ClassRepresentative",
    "CosetSpace",
    "Cosets",
    "FiniteGroup",
    "GSet",
    "GroupError",
    "Irrep",
    "Subgroup",
    "SubgroupClass",
    "SubgroupLattice",
    "centralizer",
    "character_table",
    "conjugacy_classes",
    "cosets",
    "double_cosets",
    "element_number",
    "from_sympy",
    "generated_subgroup",
    "irreps",
    "is_name_of",
    "lattice_graph",
    "normal_closure",
    "parse_group",
    "permutation_character",
    "permutations",
    "shared_cosets",
    "subgroup_classes",
    "subgroup_from_sympy",
    "subgroups",
    "table_of_marks",
    "to_sympy",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'algebra' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
