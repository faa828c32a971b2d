"""Change modules one operator, number, word or argument at a time, and see that a test fails each time.

    python scripts/mutation.py MODULE ... --out DIR [--only REGEX] [--again] [--seconds S] [--slowest S] [--budget S]

MODULE is a file that has tests in [tool.coset-verify.mutation] of pyproject.toml, such as verify/checker/slots.py. The changes are
those of mutmut, made as well in functions that are cached, static or properties, and in constants of a module.

How it is made fast: everything runs in one process. First each test is run once, which tells its time and the lines of the modules
that it reaches; a test of more than --slowest seconds is left out. Then a process is forked for each change, which puts the changed
function in the place of the old one and runs the tests that reach the changed line until one fails, at most --budget seconds of them.
Those come first that have noticed changes of the same function and take little time. Random inputs are the same every time. A change
that makes a test take ten times as long, or two gigabytes more, is noticed as well.

DIR/results.jsonl has a line for each change and what became of it; changes that are there are not run again, but for those that
survived when --again is given. DIR/survivors.diff has what survived. --only runs the changes of functions whose names match. With
--seconds, changes of each module are drawn at random until the time is over.
"""

import argparse
import ast
import difflib
import functools
import gc
import hashlib
import importlib
import inspect
import json
import os
import random
import re
import resource
import signal
import sys
import textwrap
import time
import tomllib
import types
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, NotRequired, TypedDict

import coverage
import libcst as cst
import pytest
from _pytest.tmpdir import tmppath_result_key
from hypothesis import HealthCheck, Phase, settings
from libcst.metadata import ByteSpanPositionProvider, MetadataWrapper, PositionProvider
from mutmut.mutation.file_mutation import MutationVisitor
from mutmut.mutation.mutators import mutation_operators
from mutmut.mutation.pragma_handling import IgnoredCode

ROOT = Path(__file__).parents[1]

#: Random inputs are always the same, and a failure is not made smaller.
settings.register_profile(
    "mutation",
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
#: Decorators of functions that are changed too.
UNWRAPPED = {"property", "cache", "staticmethod", "classmethod"}
#: A change is noticed when a test takes this many times as long, and these seconds more.
LONGER, MORE = 10, 1.0
#: Bytes that a change may take in addition.
MEMORY = 2 << 30


# ---- changes


class Change(NamedTuple):
    """One change: in which definition of which file, the lines that have to run for it, and the definition before and after.

    ``place`` is a function, Class.method, or the name of a constant; ``words`` is true where nothing but the words of a message or a
    `strict` of zip differ.
    """

    file: str
    place: str
    lines: range
    before: str
    after: str
    words: bool

    @property
    def key(self) -> str:
        """A name that stays while the definition does, whatever is said about it."""
        text = re.sub(r'"""(?s:.*?)"""', "", "\0".join([self.file, self.place, self.before, self.after]))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def difference(self) -> str:
        """The lines that differ."""
        lines = difflib.unified_diff(self.before.splitlines(), self.after.splitlines(), lineterm="", n=1)
        return "\n".join(line for line in lines if not line.startswith(("---", "+++")))


class Visitor(MutationVisitor):
    """mutmut's changes, also of functions with decorators that do not get in the way."""

    def _skip_node_and_children(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.FunctionDef):
            names = {d.decorator.value for d in node.decorators if isinstance(d.decorator, cst.Name)}
            return len(names) < len(node.decorators) or not names <= UNWRAPPED
        return bool(super()._skip_node_and_children(node))


def statement_lines(source: str) -> dict[int, range]:
    """For each line the lines of the statement that begins around it: of a compound one, those before its body."""
    found: dict[int, range] = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.stmt):
            body = getattr(node, "body", None)
            last = node.end_lineno or node.lineno
            if isinstance(body, list) and body and body[0].lineno > node.lineno:
                last = body[0].lineno - 1
            for line in range(node.lineno, last + 1):
                if line not in found or len(found[line]) > last + 1 - node.lineno:
                    found[line] = range(node.lineno, last + 1)
    return found


class _Plain(ast.NodeTransformer):
    """Messages become empty, and `strict` goes."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id if isinstance(node.func, ast.Name) else ""
        empty = ast.Constant("")
        if name == "zip":
            node.keywords = [keyword for keyword in node.keywords if keyword.arg != "strict"]
        elif name == "need" and len(node.args) == 2:
            node.args[1] = empty
        elif (name, len(node.args)) in {("same", 3), ("step", 2), ("step", 3), ("Malformed", 1), ("Differs", 1), ("ValueError", 1)}:
            node.args[0] = empty
        return node


def plain(code: str) -> str:
    """The code without words of messages."""
    return ast.dump(_Plain().visit(ast.parse(textwrap.dedent(code))))


def changes_of(file: str) -> Iterator[Change]:
    """All changes of a file."""
    source = (ROOT / file).read_text(encoding="utf-8")
    wrapper = MetadataWrapper(cst.parse_module(source))
    visitor = Visitor(mutation_operators, IgnoredCode(set(), set(), set()))
    wrapper.visit(visitor)
    positions, spans = wrapper.resolve(PositionProvider), wrapper.resolve(ByteSpanPositionProvider)
    headers, data, blank = statement_lines(source), source.encode(), cst.Module([])
    tops: list[tuple[range, cst.CSTNode, str, int]] = []
    for statement in wrapper.module.body:
        inner = statement.body.body if isinstance(statement, cst.ClassDef) else [statement]
        for one in inner:
            first = one.name if isinstance(one, cst.FunctionDef) else one  # behind decorators
            begin = data.rfind(b"\n", 0, spans[first].start) + 1
            owner = f"{statement.name.value}." if isinstance(statement, cst.ClassDef) else ""
            tops.append((range(positions[first].start.line, positions[one].end.line + 1), one, owner, begin))
    plains: dict[cst.CSTNode, str] = {}
    for mutation in visitor.mutations:
        old, line = mutation.original_node, positions[mutation.original_node].start.line
        found = next((entry for entry in tops if line in entry[0]), None)
        if found is None:
            continue
        _, top, owner, begin = found
        if isinstance(top, cst.FunctionDef):
            place = owner + top.name.value
        elif (name := _assigned(top, owner)) is not None:
            place = owner + name
        else:
            continue
        span, end = spans[old], spans[top].start + spans[top].length
        stands = data[span.start : span.start + span.length].decode()
        if stands.split() != blank.code_for_node(_bare(old)).split():  # but for indentation, and spaces around operators
            raise ValueError(f"{file}, line {line}: expected {blank.code_for_node(_bare(old))!r}, got {stands!r}")
        new = _bare(mutation.mutated_node) if getattr(old, "lpar", None) else mutation.mutated_node
        before = data[begin:end].decode()
        text = stands.replace(stands.strip(), blank.code_for_node(new).strip())
        after = (data[begin : span.start] + text.encode() + data[span.start + span.length : end]).decode()
        if top not in plains:
            plains[top] = plain(before)
        try:
            words = plain(after) == plains[top]
        except SyntaxError:
            continue
        lines = headers.get(line, range(line, line + 1))
        if isinstance(top, cst.FunctionDef) and line < positions[top.body].start.line:  # a default: it is read when the module is
            lines = range(positions[top.body].start.line, positions[top].end.line + 1)
        yield Change(file, place, lines, before, after, words)


def _bare(node: cst.CSTNode) -> cst.CSTNode:
    """Without the brackets around it, which do not count among its bytes."""
    return node.with_changes(lpar=[], rpar=[]) if getattr(node, "lpar", None) else node


def _assigned(statement: cst.CSTNode, owner: str) -> str | None:
    """The name of a constant of a module or class, to which this statement assigns; a field of a record is none."""
    if not isinstance(statement, cst.SimpleStatementLine) or len(statement.body) != 1:
        return None
    inner = statement.body[0]
    if isinstance(inner, cst.Assign) and len(inner.targets) == 1 and isinstance(inner.targets[0].target, cst.Name):
        return inner.targets[0].target.value
    if isinstance(inner, cst.AnnAssign) and isinstance(inner.target, cst.Name):
        return inner.target.value if not owner or "ClassVar" in cst.Module([]).code_for_node(inner) else None
    return None


def put_in(change: Change) -> None:
    """Make the change in this process."""
    module = importlib.import_module(change.file.removesuffix(".py").replace("/", "."))
    owner_name, _, name = change.place.rpartition(".")
    owner: object = getattr(module, owner_name) if owner_name else module
    code = change.after if not owner_name else f"class {owner_name}:\n{change.after}"
    namespace = dict(vars(module))
    exec(compile(code, change.file, "exec", dont_inherit=True), namespace)
    new = vars(namespace[owner_name])[name] if owner_name else namespace[name]
    old = inspect.getattr_static(owner, name)
    while not inspect.isfunction(old):
        inner = next((getattr(old, part) for part in ("fget", "__func__", "__wrapped__") if getattr(old, part, None)), None)
        if inner is None:
            break
        old = inner
    if not inspect.isfunction(old) or not inspect.isfunction(new):
        _replace(owner, name, old, new)
    elif new.__code__.co_freevars == old.__code__.co_freevars:
        old.__code__, old.__defaults__, old.__kwdefaults__ = new.__code__, new.__defaults__, new.__kwdefaults__
    else:
        closure = tuple(types.CellType(owner) for _ in new.__code__.co_freevars)
        setattr(owner, name, types.FunctionType(new.__code__, vars(module), name, new.__defaults__, closure))
    for module in _of_the_project():
        for value in [*vars(module).values()]:
            if isinstance(value, functools._lru_cache_wrapper):
                value.cache_clear()


def _of_the_project() -> list[types.ModuleType]:
    return [module for name, module in [*sys.modules.items()] if name.startswith(("verify.", "net."))]


def _replace(owner: object, name: str, old: object, new: object) -> None:
    """A constant, in its module and in those that have it from there."""
    setattr(owner, name, new)
    for module in _of_the_project():
        if vars(module).get(name) is old:
            setattr(module, name, new)


# ---- tests


class Fate(TypedDict):
    """What became of a change, as the log has it; ``difference`` where no test noticed it."""

    key: str
    file: str
    place: str
    line: int
    fate: str
    test: str
    seconds: float
    difference: NotRequired[str]


class TooSlow(BaseException):
    """A test that takes longer than it may."""


class Tests:
    """The tests of a session, what each of them reaches, and how long it takes."""

    def __init__(self, session: pytest.Session, files: list[str], slowest: float) -> None:
        self.session, self.items = session, session.items
        self.reach: dict[str, dict[int, set[int]]] = {file: {} for file in files}
        self.seconds: dict[int, float] = {}
        cover = coverage.Coverage(data_file=None, include=[str(ROOT / file) for file in files], config_file=False)
        signal.signal(signal.SIGPROF, _too_slow)
        cover.start()
        failed = slow = 0
        for number, item in enumerate(self.items):
            cover.switch_context(str(number))
            began, good, late = time.process_time(), False, False
            try:
                signal.setitimer(signal.ITIMER_PROF, slowest)
                good = passes(item)
                signal.setitimer(signal.ITIMER_PROF, 0)
            except TooSlow:  # once at most
                good, late = False, True
            took = time.process_time() - began
            if good:
                self.seconds[number] = took
            elif late:
                slow += 1
            else:
                failed += 1
                print(f"not used: {item.nodeid}", file=sys.stderr)
        cover.stop()
        data = cover.get_data()
        for file in files:
            for line, contexts in data.contexts_by_lineno(str(ROOT / file)).items():
                self.reach[file][line] = {int(context) for context in contexts if context} & self.seconds.keys()
        print(f"{len(self.seconds)} tests in {sum(self.seconds.values()):.0f} s, {slow} too slow, {failed} not used", file=sys.stderr)

    def of(self, change: Change) -> set[int]:
        """The tests that reach a change; all tests of the file where it is made when the module is imported."""
        reach = self.reach[change.file]
        if change.before.lstrip().startswith(("def ", "#", "async ")) or "\ndef " in change.before:
            return set().union(*(reach.get(line, set()) for line in change.lines))
        return set().union(*reach.values())


def _too_slow(*_: object) -> None:
    raise TooSlow


def passes(item: pytest.Item) -> bool:
    """Whether a test passes, without pytest's reports."""
    state = item.session._setupstate
    item.stash.setdefault(tmppath_result_key, {})  # where pytest's own loop puts the result
    try:
        state.teardown_exact(item)
        if not getattr(item, "_request", True):
            item._initrequest()  # type: ignore[attr-defined]
        state.setup(item)
        item.runtest()
    except pytest.skip.Exception:
        return True
    except TooSlow:
        raise
    except BaseException:
        return False
    return True


class Run:
    """Changes one after the other, and what noticed each of them."""

    def __init__(self, tests: Tests, budget: float) -> None:
        self.tests, self.budget = tests, budget
        #: by file and by definition, how often each test was run, and how often it noticed
        self.tried: dict[str, Counter[int]] = defaultdict(Counter)
        self.noticed: dict[str, Counter[int]] = defaultdict(Counter)

    def chosen(self, change: Change) -> list[int]:
        """The tests for a change, in the order in which they are run."""
        seconds, near, far = self.tests.seconds, change.file + change.place, change.file

        def worth(test: int) -> float:
            noticed = 5 * self.noticed[near][test] + self.noticed[far][test] + 0.5
            return noticed / (5 * self.tried[near][test] + self.tried[far][test] + 5) / (seconds[test] + 0.005)

        found, total = [], 0.0
        for test in sorted(self.tests.of(change), key=worth, reverse=True):
            if total + seconds[test] <= self.budget:
                found.append(test)
                total += seconds[test]
        return found

    def fate(self, change: Change) -> tuple[str, str]:
        """("noticed" | "survived" | "not reached", the test that noticed it)."""
        numbers = self.chosen(change)
        if not numbers:
            return "not reached", ""
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            self._child(change, numbers, write)
        os.close(write)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        told = os.read(read, 1 << 20)
        os.close(read)
        for where in (change.file, change.file + change.place):
            self.tried[where].update(numbers[: len(told)])
        if status == 0:
            return "survived", ""
        last = numbers[len(told) - 1] if told else None
        if last is None:
            return "noticed", "cannot be made"
        for where in (change.file, change.file + change.place):
            self.noticed[where][last] += 1
        return "noticed", ("" if status == 1 else "takes too long: ") + self.tests.items[last].nodeid

    def _child(self, change: Change, numbers: list[int], write: int) -> None:
        """The process of one change: exit code 0 when all tests pass."""
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nowhere, stream)
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        pages = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (pages + MEMORY, pages + MEMORY))
        signal.alarm(int(120 + 10 * self.budget))
        try:
            put_in(change)
        except BaseException:
            os._exit(1)
        for number in numbers:
            os.write(write, b".")
            signal.setitimer(signal.ITIMER_PROF, LONGER * self.tests.seconds[number] + MORE)
            if not passes(self.tests.items[number]):
                os._exit(1)
        os._exit(0)


class Plugin:
    """Runs the changes in place of the tests."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Baseline, then every change."""
        options = self.options
        settings.load_profile("mutation")
        session._setupstate.teardown_exact(None)
        tests = Tests(session, options.modules, options.slowest)
        run, out = Run(tests, options.budget), options.out
        out.mkdir(parents=True, exist_ok=True)
        log = out / "results.jsonl"
        known: dict[str, Fate] = {}
        for line in log.read_text().splitlines() if log.exists() else []:
            known[json.loads(line)["key"]] = json.loads(line)
        gc.collect()
        gc.freeze()
        gc.disable()
        survivors = []
        for file in options.modules:
            every = list(changes_of(file))
            self.module(run, [change for change in every if not change.words], known, log)
            own = [change for change in every if change.key in known and not change.words]
            fates = Counter(known[change.key]["fate"] for change in own)
            words = sum(change.words for change in every)
            print(f"{file}: {len(every)} changes, {words} of words, {fates.total()} run, {dict(fates)}", flush=True)
            for change in own:
                if known[change.key]["fate"] != "noticed":
                    title = f"{known[change.key]['fate']}: {file} {change.place} line {change.lines.start}"
                    survivors.append(f"{title}\n{change.difference()}\n")
            (out / "survivors.diff").write_text("\n".join(survivors))
        return True

    def module(self, run: Run, every: list[Change], known: dict[str, Fate], log: Path) -> None:
        """The changes of one module that are to be run; what became of them goes to the log."""
        options = self.options
        todo = [change for change in every if re.search(options.only, f"{change.file}:{change.place}")]
        todo = [c for c in todo if c.key not in known or (options.again and known[c.key]["fate"] != "noticed")]
        if options.seconds:
            random.Random(options.seed).shuffle(todo)
        began = time.monotonic()
        with log.open("a") as stream:
            for change in todo:
                if options.seconds and time.monotonic() - began > options.seconds:
                    break
                start = time.monotonic()
                fate, test = run.fate(change)
                entry: Fate = {
                    "key": change.key,
                    "file": change.file,
                    "place": change.place,
                    "line": change.lines.start,
                    "fate": fate,
                    "test": test,
                    "seconds": round(time.monotonic() - start, 3),
                }
                if fate != "noticed":
                    entry["difference"] = change.difference()
                known[change.key] = entry
                print(json.dumps(entry), file=stream, flush=True)


def main() -> None:
    """Run the modules that were named."""
    tests = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["coset-verify"]["mutation"]
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("modules", nargs="+", metavar="MODULE")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--tests", nargs="*", help="in place of those that pyproject.toml names")
    parser.add_argument("--only", default="", metavar="REGEX", help="changes of functions whose names (FILE:FUNCTION) match")
    parser.add_argument("--again", action="store_true", help="run what survived before once more")
    parser.add_argument("--seconds", type=float, default=0, help="for each module changes at random, for so long")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--slowest", type=float, default=2.0, help="leave out tests of more seconds")
    parser.add_argument("--budget", type=float, default=6.0, help="seconds of tests for one change")
    options = parser.parse_args()
    os.chdir(ROOT)
    os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"  # before numpy is imported
    sys.path.insert(0, str(ROOT))
    chosen = sorted({one for module in options.modules for key, value in tests.items() if module.startswith(key) for one in value})
    chosen = options.tests or chosen
    arguments = ["-q", "-s", "--assert=plain", "-p", "no:randomly", "-p", "no:xdist", "-p", "no:benchmark", "-m", "not slow"]
    sys.exit(pytest.main([*arguments, *chosen], plugins=[Plugin(options)]))


if __name__ == "__main__":
    main()
