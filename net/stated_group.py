"""The group that a checkpoint is about when nobody names one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from algebra.plural import plural
from net.errors import MalformedInput

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from algebra.group import FiniteGroup

#: Classes of groups in the settings of published checkpoints: what n stands for in our names (arXiv 2302.03025's
#: code calls the dihedral group of order 2n the one of parameter n).
_CLASSES = {"SymmetricGroup": ("S", 1), "AlternatingGroup": ("A", 1), "CyclicGroup": ("C", 1), "DihedralGroup": ("D", 2)}
#: Under which of these keys the parameter stands, the likeliest first.
_PARAMETERS = ("group_parameter", "parameter", "group_param", "group_n", "n")
#: The group that a number of elements stands for where the checkpoint says nothing.
BY_ORDER = {6: "S3", 12: "A4", 24: "S4", 60: "A5", 120: "S5", 360: "A6", 720: "S6"}


def default_group(details: Mapping[str, object], size: int, path: Path) -> str:
    """The name of the group that a checkpoint states, or else of the one in BY_ORDER with as many elements.

    ``details`` are those of `net.folded.Source`, ``size`` is the network's number of elements, ``path`` is named in messages.

    Raises:
        MalformedInput: it says nothing and its number of elements suggests nothing.

    """
    name = stated_group(details) or BY_ORDER.get(size)
    if name is None:
        raise MalformedInput(f"expected --group for a network over {plural(size, 'element')}, got none, and {path} does not say")
    return name


def stated_group(details: Mapping[str, object]) -> str | None:
    """The group in a checkpoint's settings (`Source.details`): a name, or a class and its parameter; None without one."""
    config = details.get("config")
    config = config if isinstance(config, dict) else details
    name = config.get("group")
    if not isinstance(name, str) or not name:
        return None
    if name in _CLASSES:  # without its parameter the class alone says too little
        parameter = next((value for value in map(config.get, _PARAMETERS) if isinstance(value, int) and type(value) is int), None)
        letter, factor = _CLASSES[name]
        return None if parameter is None else f"{letter}{factor * parameter}"
    return name


def likely_group(size: int, group: FiniteGroup | None = None) -> str | None:
    """A group of `size` elements that may be meant, where `group` is named or none; None without one.

    The dihedral group of order 2n is called D_n by some and D_2n by us.
    """
    if group is not None and group.name[:1] == "D" and group.name[1:].isdigit() and size == 2 * group.order:
        return f"D{size}"
    return BY_ORDER.get(size)
