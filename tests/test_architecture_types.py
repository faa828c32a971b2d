"""`Any` stands only where a library forces it, read off the source."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = sorted(
    path for folder in ("algebra", "net", "verify", "reports", "scripts", "benchmarks") for path in (ROOT / folder).rglob("*.py")
)

#: Modules that use `Any`, each with a library that it imports and whose types have no other word for what stands there.
FORCED = {
    "reports/records.py": "json",  # objects of files whose shapes were checked when they were written
    "verify/checker/processes.py": "multiprocessing",  # a function that is handed to processes without being pickled has no type
    "verify/compact/strategies/tables_of_y.py": "numpy",  # arrays of int16 or of float32, in buffers of either
    "verify/symbolic/exact.py": "numpy",  # arrays of int64 or of Python's integers
}


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imported(tree: ast.Module) -> set[str]:
    """The top-level names of the packages that a module imports."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def uses_any(tree: ast.Module) -> bool:
    """Whether a module imports `Any`, under whatever name, or reaches it through the module that has it; what texts say is no use."""
    modules = {"typing", "typing_extensions"}
    names = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.name in modules
    }
    return any(
        (isinstance(node, ast.ImportFrom) and node.module in modules and any(alias.name in ("Any", "*") for alias in node.names))
        or (isinstance(node, ast.Attribute) and node.attr == "Any" and isinstance(node.value, ast.Name) and node.value.id in names)
        for node in ast.walk(tree)
    )


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("from typing import Any", True),
        ("if x:\n    from typing import TYPE_CHECKING, Any", True),
        ("from typing import Any as Whatever", True),
        ("from typing_extensions import Any", True),
        ("from typing import *", True),
        ("import typing\nx: typing.Any = 1", True),
        ("import typing as t\ndef f(x: t.Any) -> None: ...", True),
        ("import typing\nx: typing.Literal[1] = 1", False),
        ("from typing import Literal, cast", False),
        ('"""Any subgroup of a group."""\n# Any\nx = "from typing import Any"', False),
        ("import rocq\nrocq.Any", False),
    ],
)
def test_uses_of_any_are_found_and_texts_are_none(source: str, expected: bool) -> None:
    """What the next test goes by."""
    assert uses_any(ast.parse(source)) is expected


def using() -> Iterator[tuple[str, ast.Module]]:
    for path in MODULES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if uses_any(tree):
            yield named(path), tree


def test_any_stands_only_where_a_library_forces_it() -> None:
    """The modules that use `Any` are those of the list, each imports the library that it is listed with, and no other does."""
    found = dict(using())

    assert len(MODULES) > 250
    assert {name: library for name, library in FORCED.items() if name in found and library in imported(found[name])} == FORCED
    assert sorted(found) == sorted(FORCED)
