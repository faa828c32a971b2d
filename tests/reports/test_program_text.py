"""program.py: its answers are the program's, whatever the forms; it needs the standard library alone."""

import ast
import hashlib
import itertools
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

import msgspec
import numpy as np
import pytest

import algebra.permutation
from algebra.group import FiniteGroup, parse_group
from algebra.lattice import subgroups
from reports import coset_voting
from reports.named_form import NamedForm
from reports.program_text import _text, program_constants, program_source, write_program
from reports.words import Words
from verify.program.form import Form, On, list_length, over_group
from verify.program.program import FORMAT, Circuit, Neuron, Program, expand, group_record, subgroup_record


def as_json(program: Program) -> dict[str, Any]:
    values: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(program))
    return values


def load(program: Program, directory: Path) -> ModuleType:
    path = directory / "program.py"
    write_program(as_json(program), path)
    module = ModuleType("program_under_test")
    exec(compile(path.read_text(encoding="utf-8"), path, "exec"), module.__dict__)  # not imported: no compiled file stays beside it
    return module


def index_two(group: FiniteGroup, number: int) -> list[int]:
    """Numbers of the subgroups of index two in subgroup ``number``."""
    everyone = subgroups(group).all
    whole = everyone[number]
    return [k for k, s in enumerate(everyone) if 2 * s.order == whole.order and whole.mask[s.elements].all()]


def random_form(group: FiniteGroup, on: On, rng: np.random.Generator) -> Form:
    """A form of that kind on random subgroups, twisted by a random sign or by none."""
    if on == "sum":
        return Form(on, parts=tuple(random_form(group, part, rng) for part in ("images", "double cosets", "left cosets")))
    everyone = subgroups(group).all
    count = {"elements": 0, "double cosets": 2, "coset sum": 2}.get(on, 1)
    of_group = on in ("coset matrix", "images", "preimages", "rank")
    members = rng.integers(len(everyone) // 2 if of_group else 0, len(everyone), count)
    signed_by = [len(everyone) - 1] * count if of_group else members
    choices = [[None, *index_two(group, int(h))] for h in signed_by]
    kernels = tuple(choice[rng.integers(len(choice))] for choice in choices)
    form = Form(on, tuple(map(int, members)), kernels if any(k is not None for k in kernels) else ())
    if on in ("images", "preimages"):
        weights = tuple(int(w) for w in rng.integers(-2, 3, everyone[members[0]].index))
        form = msgspec.structs.replace(form, weights=weights, constant=bool(rng.integers(2)))
    if on == "rank":
        form = msgspec.structs.replace(form, rank=int(rng.integers(1, 3)), constant=bool(rng.integers(2)))
    if list_length(group, over_group(form, everyone)) == 0:  # the signs contradict each other on every double coset
        return random_form(group, on, rng)
    return form


def random_program(group: FiniteGroup, seed: int, circuits: int) -> Program:
    """A program with random forms of every kind, twisted ones among them, and random lists."""
    rng = np.random.default_rng(seed)
    everyone = subgroups(group).all
    kinds = [on for on in get_args(On) if on != "shared"]

    def integers(size: int) -> tuple[int, ...]:
        return tuple(int(v) for v in rng.integers(-9, 10, size))

    def circuit(number: int) -> Circuit:
        left, right, votes = (random_form(group, kinds[(number + part) % len(kinds)], rng) for part in range(3))
        if left.on == "images" and rng.integers(4):
            weights = tuple(int(w) for w in rng.integers(-2, 3, len(left.weights)))
            right = Form("shared", left.subgroups, left.kernels, weights, constant=bool(rng.integers(2)))
        sizes = [list_length(group, over_group(form, everyone)) for form in (left, right, votes)]
        neurons = tuple(Neuron(10 * number + i, *map(integers, sizes)) for i in range(2))
        return Circuit(left, right, votes, neurons)

    records = tuple(subgroup_record(s) for s in everyone)
    found = tuple(circuit(number) for number in range(circuits))
    return Program(FORMAT, group_record(group), records, 3, 2, integers(group.order), found, seed % 2 * 3)


@pytest.mark.parametrize("name", ["S3", "S4", "A4", "D10"])
@pytest.mark.parametrize("seed", range(4))
def test_votes_are_those_of_the_expanded_program(name: str, seed: int, tmp_path: Path) -> None:
    """On every pair and element the votes are those of the program written out as network weights."""
    group = parse_group(name)
    program = random_program(group, seed, circuits=9)
    module = load(program, tmp_path)
    exact = expand(program, group, subgroups(group).all).exact()

    for x, y in itertools.product(range(group.order), repeat=2):
        expected = [int(v) for v in exact.logits(x, y)]

        assert module.VOTING.votes(x, y) == expected


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory that holds the program.py of a random program for S4 and nothing else."""
    path = tmp_path_factory.mktemp("program")
    write_program(as_json(random_program(parse_group("S4"), 1, 9)), path / "program.py")
    return path


def run(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", "program.py", *arguments]
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)


def test_all_pairs_in_isolation(directory: Path) -> None:
    """`python -I program.py --all` prints how many pairs are right, and the digest of the exact answers."""
    group = parse_group("S4")
    exact = expand(random_program(group, 1, 9), group, subgroups(group).all).exact()
    table = []
    for x, y in itertools.product(range(group.order), repeat=2):
        logits = list(exact.logits(x, y))
        table.append(logits.index(max(logits)) if logits.count(max(logits)) == 1 else -1)
    right = sum(z == group.mul[x, y] for (x, y), z in zip(np.ndindex(24, 24), table, strict=True))
    digest = hashlib.sha256(b"".join(z.to_bytes(2, "big", signed=True) for z in table)).hexdigest()

    result = run(directory, "--all")

    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == f"{right} of 576 pairs right, {table.count(-1)} ties\nSHA-256 of the answers {digest}\n"


def test_imports_the_standard_library_alone(directory: Path) -> None:
    """Every module that program.py imports belongs to the standard library."""
    tree = ast.parse((directory / "program.py").read_text())
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}

    assert {name.partition(".")[0] for name in names} <= sys.stdlib_module_names


def test_one_pair_shows_product_and_votes(directory: Path) -> None:
    """Two permutations give the answer, the true product where the answer is wrong, and the largest votes."""
    group = parse_group("S4")
    exact = expand(random_program(group, 1, 9), group, subgroups(group).all).exact()
    # x = (1 2 3) sends 0, 1, 2, 3 to 1, 2, 0, 3; y = (2 4) exchanges 1 and 3
    logits = list(exact.logits(group.index_of((1, 2, 0, 3)), group.index_of((0, 3, 2, 1))))
    answer = algebra.permutation.format_cycles(tuple(group.elements[logits.index(max(logits))].tolist()))
    result = run(directory, "(1 2 3)", "(2 4)")
    lines = result.stdout.splitlines()

    assert result.returncode == 0
    assert logits.count(max(logits)) == 1
    assert lines[0] == f"(1 2 3) * (2 4) = {answer}"
    # x first: 1 -> 2 -> 4, 4 -> 4 -> 2, 2 -> 3 -> 3, 3 -> 1 -> 1; random votes find another answer
    assert answer != "(1 4 2 3)"
    assert lines[1] == "The program is wrong here: the product is (1 4 2 3)."
    unit = 2 ** (exact.preactivation_bits + exact.vote_bits)
    votes = [float(line.split()[0]) for line in lines if line.startswith("  ")]
    assert votes == pytest.approx([v / unit for v in sorted(map(int, logits), reverse=True)[:10]], rel=1e-5)
    assert lines[-1] == "... and 14 more; --votes shows all"


def test_every_vote_on_request(directory: Path) -> None:
    """With --votes there is a line for each element of the group."""
    lines = run(directory, "(1 2 3)", "(2 4)", "--votes").stdout.splitlines()

    assert sum(line.startswith("  ") for line in lines) == 24


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "usage:"),
        (["(1 2)"], "usage:"),
        (["1 2", "(1 2)"], "expected cycles such as (1 2 3)(4 5), not '1 2'"),
        (["(1 5)", "(1 2)"], "expected different points from 1 to 4 in a cycle, not ['1', '5']"),
        (["(1 1)", "(1 2)"], "expected different points from 1 to 4 in a cycle, not ['1', '1']"),
    ],
)
def test_bad_arguments_exit_with_2(directory: Path, arguments: list[str], message: str) -> None:
    """What cannot be read is said in one sentence on stderr, with exit code 2."""
    result = run(directory, *arguments)

    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.startswith(message)


def test_an_element_outside_the_group_is_refused(tmp_path: Path) -> None:
    """A permutation of the right degree that is not in the group is named."""
    write_program(as_json(random_program(parse_group("A4"), 0, 2)), tmp_path / "program.py")

    assert run(tmp_path, "(1 2)", "(1 2 3)").stderr == "(1 2) is not an element of the group\n"


def test_same_program_same_text() -> None:
    """The text does not depend on anything but the program."""
    program = as_json(random_program(parse_group("S4"), 3, 9))

    assert program_source(program) == program_source(json.loads(json.dumps(program)))


def test_each_integer_has_one_label_however_often_its_form_comes() -> None:
    """Forms on cosets of every subgroup with a sign, several times with the same words: a list ends with one constant."""
    group = parse_group("S4")
    program = as_json(random_program(group, 0, circuits=2))
    words, names = Words(program["group"], program["subgroups"]), [record["name"] for record in program["subgroups"]]
    for number, on in itertools.product(range(len(names)), ("right cosets", "left cosets")):
        for kernel in index_two(group, number):
            form = NamedForm(on, (names[number],), (names[kernel],))
            found = [form.labels(words, 99) for _ in range(3)]
            assert [len(labels) for labels in found] == [subgroups(group).all[number].index + 1] * 3
            assert [labels.count("constant") for labels in found] == [1, 1, 1]


@pytest.mark.parametrize("seed", range(3))
def test_words_used_twice_are_those_used_once(seed: int) -> None:
    """The text after its check, against the text with words of its own."""
    program = as_json(random_program(parse_group("S4"), seed, circuits=12))
    assert program_source(program) == _text(program, Words(program["group"], program["subgroups"]))[0]


def test_wrong_length_is_refused(tmp_path: Path) -> None:
    """A list that does not fit its form is an error, not a wrong answer."""
    program = random_program(parse_group("S3"), 0, 1)
    circuit = program.circuits[0]
    short = msgspec.structs.replace(circuit.neurons[0], left=circuit.neurons[0].left[1:])
    broken = msgspec.structs.replace(circuit, neurons=(short, *circuit.neurons[1:]))

    with pytest.raises(ValueError, match="expected lists of"):
        load(msgspec.structs.replace(program, circuits=(broken,)), tmp_path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("()", "()"),
        ("(1 2)(2 3)", "(1 3 2)"),
        ("(4,5)", "(4 5)"),
        ("(1)(3 5 4)", "(3 5 4)"),
        (" (2 1) ", "(1 2)"),
    ],
)
def test_cycle_notation_agrees_with_the_algebra(text: str, expected: str) -> None:
    """The copy of cycle notation in program.py reads and writes as the algebra layer does."""
    images = coset_voting.parse_cycles(text, 5)

    assert images == algebra.permutation.parse_cycles(text, 5)
    assert coset_voting.format_cycles(images) == algebra.permutation.format_cycles(images) == expected


def test_numbers_longer_than_a_line_are_not_broken(tmp_path) -> None:
    group = parse_group("S3")
    lists = tuple(tuple(sign * 10**400 + k for k in range(6)) for sign in (1, -1, 1))
    one = Circuit(*(Form("elements", ()),) * 3, (Neuron(0, *lists),))
    program = Program(FORMAT, group_record(group), (), 0, 0, (), (one,))
    assert program_constants(as_json(program)) == load(program, tmp_path).PROGRAM
