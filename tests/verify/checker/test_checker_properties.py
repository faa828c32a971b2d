"""Random networks over S3, C4 and D8 with programs of every form: what a twin in fractions states is accepted, and no lie is."""

import importlib.util
import json
import random
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from verify.checker import equivalence, programs, shape, statement
from verify.checker.groups import Group
from verify.checker.programs import Expanded
from verify.record.certificate import canonical_bytes


def helper(name: str) -> ModuleType:
    """A module beside this file."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


twin = helper("checker_reference")
mutations = helper("checker_mutations")
RECORD = shape.GroupRecord("S3", 3, 6, ["(1 2 3)", "(1 2)"])
S3 = SimpleNamespace(record=RECORD, group=Group(RECORD), one=shape.SubgroupRecord("1", 1, []))
GENERATORS = {"S3": [(1, 2, 0), (1, 0, 2)], "C4": [(1, 2, 3, 0)], "D8": [(1, 2, 3, 0), (0, 3, 2, 1)]}


def world(name: str) -> Any:
    """The group with all of its subgroups, each of which two elements generate."""
    everything = twin.elements(name)
    degree = len(everything[0])
    found = {twin.generated([a, b], degree): [a, b] for a in everything for b in everything}
    subgroups = [(f"H{k}", words) for k, words in enumerate(found[members] for members in sorted(found, key=sorted))]
    return twin.World(name, GENERATORS[name], subgroups)


def kernels(w: Any, members: frozenset[Any]) -> list[int | None]:
    """The kernels of the characters of order two of a subgroup, and None."""
    places = range(len(w.subgroups))
    return [None, *(k for k in places if w.members(k) < members and 2 * len(w.members(k)) == len(members))]


def random_form(w: Any, rng: random.Random, part: str, x: dict[str, Any], sums: bool = False) -> dict[str, Any]:
    """Any form; y may be read through the list of x where x is read through images. With ``sums`` most are sums of two or three."""
    names = ["right cosets", "left cosets", "double cosets", "coset sum", "coset matrix", "images", "preimages", "rank", "elements"]
    if sums and rng.random() < 0.7:
        parts: list[dict[str, Any]] = []
        while len(parts) < 2 or rng.random() < 0.4:
            more = random_form(w, rng, "", {})
            parts += [more] if more["on"] != "rank" else []
        return {**twin.form("sum"), "parts": parts}
    on = rng.choice(names)
    if part == "right" and x["on"] == "images" and rng.random() < 0.7:
        on = "shared"
    count = {"double cosets": 2, "coset sum": 2, "elements": 0}.get(on, 1)
    chosen = [rng.randrange(len(w.subgroups)) for _ in range(count)]
    everything = frozenset(w.elements)
    of_group = on not in ("right cosets", "left cosets", "double cosets", "coset sum")
    twists = [rng.choice(kernels(w, everything if of_group else w.members(k))) for k in chosen]
    if on == "shared":
        chosen, twists = x["subgroups"], x["kernels"]
    made: dict[str, Any] = twin.form(on, chosen, twists)
    if on in twin.ON_POINTS:
        n = len(everything) // len(w.members(chosen[0]))
        weights = [] if on == "rank" else [rng.choice([0, 0, 1, 1, -1, 2]) for _ in range(n)]
        made |= {"weights": weights, "rank": rng.randint(1, 2) if on == "rank" else 0, "constant": rng.random() < 0.5}
    return made


def random_case(seed: int, sums: bool = False) -> Any:
    rng = random.Random(seed)
    w = world(rng.choice(list(GENERATORS)))
    circuits, index = [], 0
    for _ in range(rng.randint(1, 3)):
        forms: dict[str, Any] = {}
        for part in ("left", "right", "votes"):
            forms[part] = random_form(w, rng, part, forms.get("left", {}), sums)
        neurons = []
        for _ in range(rng.randint(1, 2)):
            lists = {part: [rng.randint(-3, 3) for _ in range(w.size(spec))] for part, spec in forms.items()}
            neurons.append({"index": index, **lists})
            index += 1
        circuits.append({**forms, "neurons": neurons})
    n = len(w.elements)
    return twin.Case(
        f"random {seed}",
        w,
        circuits,
        bias=rng.choice([[], [rng.randint(-9, 9) for _ in range(n)]]),
        bits=2,
        vote_bits=2,
        noise=rng.choice([3, 12]),
        dead=rng.randint(0, 1),
        order=rng.choice(["lexicographic", "table"]),
        product=rng.choice(["left-first", "right-first"]),
        kind=rng.choice(["F32", "F64"]),
        compact=index > 1 and rng.random() < 0.5,  # its plan has two families
        seed=seed,
        scale_bits=rng.choice([0, 0, 3]),
    )


def lie(certificate: dict[str, Any], rng: random.Random) -> None:
    """One false number among the statements about the pairs and the neurons."""
    q1, q2 = certificate["correct"], certificate["equivalent"]
    lies = [
        lambda: q1.update(right=q1["right"] + rng.choice([-1, 1])),
        lambda: q1.update(ties=q1["ties"] + 1),
        lambda: q1.update(answers_sha256=q1["answers_sha256"][::-1]),
        lambda: q1.update(min_margin="1/3"),
        lambda: q2.update(agree=q2["agree"] - 1),
        lambda: q2.update(answers_sha256="0" * 64),
        lambda: q1.update(float32_any_order=len(certificate["checkpoint"]["numbering"]) ** 2 + 1),
        lambda: rng.choice(certificate["neurons"]).update(left_deviation="1/3"),
        lambda: rng.choice(certificate["neurons"]).update(kind=rng.choice(["dual", "left out"]), circuit=7),
        lambda: certificate.update(verdict="UNKNOWN"),
    ]
    rng.choice(lies)()


def tried(seeds: range, sums: bool = False) -> int:
    """How many of these random networks are right or their programs equivalent; each is accepted, and refused with a lie."""
    rng, verified = random.Random(seeds.start), 0
    for seed in seeds:
        case = random_case(seed, sums)
        checkpoint = twin.stored(case)
        stated = canonical_bytes(twin.certificate(case, checkpoint))
        expected = {"VERIFIED": "s VERIFIED", "REFUTED": "s CONFIRMED REFUTED"}[json.loads(stated)["verdict"]]
        assert mutations.verdict(stated, checkpoint) == expected, seed
        lie(false := json.loads(stated), rng)
        assert mutations.verdict(mutations.sealed(false), checkpoint) in ("s NOT VERIFIED", "s MALFORMED"), seed
        verified += json.loads(stated)["equivalent"]["status"] == "PROVED"
    return verified


@pytest.mark.parametrize("start", [0, 1000])
def test_what_fractions_say_of_random_networks_is_accepted_and_a_lie_is_not(start: int) -> None:
    assert 0 < tried(range(start, start + 40)) < 40


def test_what_fractions_say_of_sums_of_forms_is_accepted_and_a_lie_is_not() -> None:
    assert 0 < tried(range(5000, 5020), sums=True) < 20


def test_what_is_forgotten_of_forms_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """With little room for tables of forms and points the same is accepted."""
    monkeypatch.setattr(programs, "KEPT", 1)
    assert 0 < tried(range(5000, 5004), sums=True) < 4
    expanded = Expanded(shape.Program("coset-voting program 2", S3.record, [S3.one], 0, 0, [], []), S3.group, 0)
    for k in range(20):
        expanded.function(shape.Form("images", [0], [None], weights=[int(k % 6 == p) for p in range(6)]), [*range(6)])
        expanded.function(shape.Form("right cosets", [0], []), [*range(6)])
    assert len(expanded._known) + len(expanded._moved) <= 1


@pytest.mark.parametrize("on", ["rank", "shared", "sum"])
def test_a_sum_has_linear_parts_two_or_more_and_no_sums(on: str) -> None:
    """What is no part of a sum is refused in one, and so is a sum of one form; other forms have no parts."""
    form = shape.Form("elements", [], [])
    points = {"weights": [1] * 6} if on == "shared" else {"rank": 1} if on == "rank" else {"parts": [form, form]}
    bad = shape.Form(on, [0] * (on != "sum"), [None] * (on != "sum"), **points)  # type: ignore[arg-type]
    for changed in (shape.Form("sum", [], [], parts=[form, bad]), shape.Form("sum", [], [], parts=[form]), replace(form, parts=[form])):
        program = shape.Program("coset-voting program 2", S3.record, [S3.one], 0, 0, [], [])
        with pytest.raises(shape.Malformed, match=r"expected (parts of a sum|two or more parts)"):
            Expanded(program, S3.group, 0).function(changed, [])


@pytest.mark.parametrize("generators", ["(2 4)", "(1 2 3 4)", "()"])
def test_a_kernel_is_a_subgroup_of_index_two_of_the_very_subgroup(generators: str) -> None:
    """Of the rotations of a square it is the half turn alone, and no reflection, which has as many elements."""
    record = shape.GroupRecord("D8", 4, 8, ["(1 2 3 4)", "(2 4)"])
    subgroups = [shape.SubgroupRecord("C", 4, ["(1 2 3 4)"]), shape.SubgroupRecord("half", 2, ["(1 3)(2 4)"])]
    order = {"(2 4)": 2, "(1 2 3 4)": 4, "()": 1}[generators]
    subgroups.append(shape.SubgroupRecord("other", order, [generators]))
    expanded = Expanded(shape.Program("coset-voting program 2", record, subgroups, 0, 0, [], []), Group(record), 0)
    for on in ("right cosets", "left cosets"):
        expanded.terms(shape.Form(on, [0], [1]))  # type: ignore[arg-type]
        with pytest.raises(shape.Differs, match="index of the kernel"):
            expanded.terms(shape.Form(on, [0], [2]))  # type: ignore[arg-type]


def test_programs_are_read_through_the_plan_where_their_own_cells_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same where tables on the program's own cells are made out to cost more than what a plan leaves open."""
    own, rows_added = equivalence.of_program, equivalence.rows_added
    dear: list[Any] = []

    def remembered(*arguments: Any) -> Any:
        dear.append(own(*arguments))
        return dear[-1]

    monkeypatch.setattr(equivalence, "of_program", remembered)
    monkeypatch.setattr(equivalence, "rows_added", lambda tables, n: rows_added(tables, n) + 10**6 * (tables in dear))
    ways, answers = Counter[str](), equivalence.program_answers

    def counted(*arguments: Any) -> Any:
        found, way = answers(*arguments)
        ways[way] += 1
        return found, way

    monkeypatch.setattr(statement, "program_answers", counted)
    tried(range(4000, 4012))
    assert ways["tables on the cells of the compact plan"] > 1
    assert ways["tables on the program's own cells"] > 1


@pytest.mark.slow
def test_what_fractions_say_of_three_thousand_random_networks_is_accepted_and_a_lie_is_not() -> None:
    assert tried(range(10_000, 13_000)) > 500
