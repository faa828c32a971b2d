"""The invariants of ARCHITECTURE.md, read off the source and off what Python really imports."""

import ast
import subprocess
import sys
import types
import typing
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import msgspec
import networkx
import pytest

from verify.record.certificate import Certificate

ROOT = Path(__file__).parent.parent
PACKAGES = ("algebra", "net", "verify", "reports")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
CHECKER = ROOT / "verify" / "checker"
HEAVY = {"torch", "matplotlib", "sympy", "z3"}

# The rooms, from the ground up: a module imports from its own room and from those above it in this list, wherever the import stands.
# A room is a package or a module; a module that is listed itself is a room of its own, whatever folder it lies in:
# the certificate's types are used by all who fill them in, and float answers by all who search.
ROOMS = (
    "algebra",
    "net",
    "reports",
    "verify.checker",
    "verify.exit_codes",
    "verify.cores",
    "verify.memory",
    "verify.exact",
    "verify.program",
    "verify.record.certificate",
    "verify.compare.answers",
    "verify.distil",
    "verify.compare",
    "verify.symbolic",
    "verify.compact",
    "verify.formal",
    "verify.record",
    "verify.reading",
    "verify.analysis",
    "verify.claims",
    "verify.jobs",
    "verify.commands",
    "verify.cli",
    "verify.__main__",
    "verify",
)
# Modules that belong to another room than the folder that they lie in.
ELSEWHERE: dict[str, str] = {}


def dotted(path: Path) -> str:
    """The module's name as Python imports it."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


NAMES = {dotted(path) for path in MODULES}


def room(module: str) -> str:
    """The room that a module lies in: the longest name in ROOMS that its own begins with."""
    return ELSEWHERE.get(module) or max((one for one in ROOMS if module == one or module.startswith(f"{one}.")), key=len)


@cache
def parsed(path: Path) -> ast.Module:
    """A module's syntax tree, which many tests walk and none changes."""
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imported_modules(path: Path, annotations: bool = False) -> tuple[str, ...]:
    """Every module of this project that a module imports, inside functions too, and for annotations alone where that is asked for."""
    return tuple(_imported_modules(path, annotations))


def _imported_modules(path: Path, annotations: bool) -> Iterator[str]:
    waiting: list[ast.AST] = [parsed(path)]
    package = dotted(path) if path.name == "__init__.py" else dotted(path).rpartition(".")[0]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test) and not annotations:
            waiting.extend(node.orelse)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in NAMES)
        elif isinstance(node, ast.ImportFrom):
            source = ".".join(filter(None, [package if node.level else "", node.module or ""]))
            for alias in node.names:
                full = f"{source}.{alias.name}"
                yield from [full] if full in NAMES else [source] if source in NAMES else []
        else:
            waiting.extend(ast.iter_child_nodes(node))


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def imports(path: Path, lazy: bool = True) -> tuple[str, ...]:
    """The top-level names of the packages that a module imports, except for annotations alone.

    Without ``lazy``, imports inside functions are left out.
    """
    return tuple(_imports(path, lazy))


def _imports(path: Path, lazy: bool) -> Iterator[str]:
    waiting: list[ast.AST] = [parsed(path)]
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


def test_modules_are_found_and_their_imports_read() -> None:
    """What the other tests go through is there to be gone through."""
    assert len(MODULES) > 250
    assert {"torch", "sympy", "matplotlib", "z3"} <= {name for path in MODULES for name in imports(path)}


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_no_import_leads_upwards(path: Path) -> None:
    """A module imports from its own room and from rooms before it in ROOMS, inside functions too."""
    own = ROOMS.index(room(dotted(path)))

    assert [module for module in imported_modules(path) if ROOMS.index(room(module)) > own] == []


def test_no_imports_go_round_in_circles() -> None:
    """No module is reached from itself along imports, those inside functions and those for annotations among them."""
    graph = networkx.DiGraph((dotted(path), module) for path in MODULES for module in imported_modules(path, annotations=True))

    assert graph.number_of_edges() > 500
    assert list(networkx.simple_cycles(graph)) == []


def test_reports_and_the_checker_import_nothing_of_the_others() -> None:
    """Each of the two is a room that stands alone."""
    for alone in ("reports", "verify.checker"):
        paths = [path for path in MODULES if room(dotted(path)) == alone]
        assert len(paths) > 5
        assert {room(module) for path in paths for module in imported_modules(path)} == {alone}


def test_every_room_is_there() -> None:
    """No name in ROOMS or ELSEWHERE is that of a module which is gone."""
    assert {room(dotted(path)) for path in MODULES} == set(ROOMS)
    assert set(ELSEWHERE) <= NAMES


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
    found = sorted(CHECKER.glob("*.py"))
    assert CHECKER / "__main__.py" in found
    for path in found:
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


def types_in(kind: typing.Any, seen: set[str] | None = None) -> Iterator[typing.Any]:
    """A type and all types that it is made of, fields of structs included; each once, since a form may have forms as parts."""
    seen = set() if seen is None else seen
    if repr(kind) in seen:
        return
    seen.add(repr(kind))
    yield kind
    parts = list(typing.get_args(kind))
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        parts += [field.type for field in msgspec.structs.fields(kind)]
    for part in parts:
        if isinstance(part, type | types.UnionType | types.GenericAlias) or typing.get_origin(part):
            yield from types_in(part, seen)


def test_a_certificate_holds_no_float() -> None:
    """No field of a certificate is a float: what is proved is an integer, a string or a rational."""
    found = list(types_in(Certificate))

    assert float not in found
    assert typing.Any not in found
    assert int in found
