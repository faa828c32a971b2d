"""Proofs about networks that multiply in finite groups: `verify.analyse` and what it returns (docs/python-api.md)."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from algebra.errors import GroupError
    from net.errors import MalformedInput
    from verify.analysis import Analysis, Compared, Levels, Neuron, Neurons, Options, analyse
    from verify.exit_codes import ExitCode
    from verify.memory import release
    from verify.program.editable import CircuitTables, CosetProgram

__all__ = [
    "Analysis",
    "CircuitTables",
    "Compared",
    "CosetProgram",
    "ExitCode",
    "GroupError",
    "Levels",
    "MalformedInput",
    "Neuron",
    "Neurons",
    "Options",
    "analyse",
    "release",
]

_HOMES = {
    "CircuitTables": "verify.program.editable",
    "CosetProgram": "verify.program.editable",
    "ExitCode": "verify.exit_codes",
    "GroupError": "algebra.errors",
    "MalformedInput": "net.errors",
    "release": "verify.memory",
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for: `verify --help` needs none of them."""
    if name not in __all__:
        raise AttributeError(f"module 'verify' has no attribute {name!r}")
    found: object = getattr(import_module(_HOMES.get(name, "verify.analysis")), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
