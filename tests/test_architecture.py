"""The invariants of ARCHITECTURE.md, read off the source and off what Python really imports."""

import ast
import subprocess
import sys
import types
import typing
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from verify.record.certificate import Certificate

ROOT = Path(__file__).parent.parent
PACKAGES = ("algebra", "net", "verify", "reports")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
CHECKER = ROOT / "verify" / "checker"
HEAVY = {"torch", "matplotlib", "sympy", "z3"}

# package -> packages of this project that it may import
MAY_IMPORT = {"algebra": set(), "net": {"algebra"}, "reports": set(), "verify": {"algebra", "net", "reports"}}


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imports(path: Path, lazy: bool = True) -> Iterator[str]:
    """The top-level names of the packages that a module imports, except for annotations alone.

    Without ``lazy``, imports inside functions are left out.
    """
    waiting: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting.extend(node.orelse)
        elif isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level == 1 and path.parent == CHECKER:
                continue  # a package that runs by itself, under any name
            assert node.level == 0, f"{named(path)} imports relatively"
            yield (node.module or "").partition(".")[0]
        elif lazy or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            waiting.extend(ast.iter_child_nodes(node))


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_packages_import_downwards(path: Path) -> None:
    """The order is algebra, net, verify; reports stands alone and verify calls it."""
    package = path.relative_to(ROOT).parts[0]
    found = set(imports(path)) & set(PACKAGES)

    assert found - {package} <= MAY_IMPORT[package]


@pytest.mark.parametrize("path", [p for p in MODULES if "net" not in p.relative_to(ROOT).parts], ids=named)
def test_only_net_imports_torch(path: Path) -> None:
    """No package but net/ imports torch."""
    assert "torch" not in set(imports(path))


@pytest.mark.parametrize("path", [p for p in MODULES if "algebra" in p.relative_to(ROOT).parts], ids=named)
def test_algebra_needs_no_solver(path: Path) -> None:
    """algebra/ imports no z3."""
    assert "z3" not in set(imports(path))


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_slow_imports_wait_until_they_are_needed(path: Path) -> None:
    """Imports of torch, matplotlib, sympy and z3 stand inside functions only."""
    assert set(imports(path, lazy=False)).isdisjoint(HEAVY)


def test_the_checker_needs_the_standard_library_alone() -> None:
    """verify/checker/ imports nothing but the standard library and its own modules."""
    for path in CHECKER.glob("*.py"):
        assert set(imports(path)) <= sys.stdlib_module_names


def imported_by(code: str) -> set[str]:
    """Top-level names of all modules that a fresh interpreter has imported after running ``code``."""
    script = f"{code}\nimport sys\nprint(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(result.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    "code",
    [
        "import algebra.lattice, algebra.containment, net.checkpoint, verify.record.certificate, reports",
        "from verify.cli import execute; execute(['--help'])",
        "from verify.cli import execute; execute(['group', 'S4'])",
    ],
)
def test_light_commands_stay_light(code: str) -> None:
    """Help, groups, certificates and reading do not import torch, matplotlib, sympy or z3."""
    assert imported_by(code).isdisjoint(HEAVY)


def test_the_checker_runs_in_isolation() -> None:
    """`python -I verify/checker --help` runs outside of the project, without numpy."""
    command = [sys.executable, "-I", "-S", str(CHECKER), "--help"]  # -S: no site-packages
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")

    assert (result.returncode, result.stderr) == (0, "")


def types_in(kind: typing.Any) -> Iterator[typing.Any]:
    """A type and all types that it is made of, fields of structs included."""
    yield kind
    parts = list(typing.get_args(kind))
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        parts += [field.type for field in msgspec.structs.fields(kind)]
    for part in parts:
        if isinstance(part, type | types.UnionType | types.GenericAlias) or typing.get_origin(part):
            yield from types_in(part)


def test_a_certificate_holds_no_float() -> None:
    """No field of a certificate is a float: what is proved is an integer, a string or a rational."""
    found = list(types_in(Certificate))

    assert float not in found
    assert typing.Any not in found
    assert int in found
