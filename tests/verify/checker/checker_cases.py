"""The networks behind `tests/certificates`: planted switches over S3, S4 and A4, and every kind of form.

Run as a script to write the folder again.
"""

import random
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from checker_reference import FOLDER, Case, Perm, World, certificate, form, stored

from verify.record.certificate import canonical_bytes


def stabilizer(degree: int, point: int, even: bool) -> list[Perm]:
    """Generators of the stabiliser of a point in S_n or A_n."""
    rest = [p for p in range(degree) if p != point]
    pairs = [(rest[0], b) for b in rest[1:]]

    def cycle(*points: int) -> Perm:
        moved = dict(zip(points, points[1:] + points[:1], strict=True))
        return tuple(moved.get(p, p) for p in range(degree))

    return [cycle(rest[0], rest[1], b) for b in rest[2:]] if even else [cycle(*pair) for pair in pairs]


def world(name: str) -> World:
    """The group with the stabilisers of points, A_n, the trivial group and the group itself."""
    n, even = int(name[1:]), name[0] == "A"
    turn, swap = (*range(1, n), 0), (1, 0, *range(2, n))
    three = (1, 2, 0, *range(3, n))
    alternating = [three] if n == 3 else [three, (0, 2, 3, 1)]
    generators = alternating if even else [turn, swap]
    named = [(f"Stab({k + 1})", stabilizer(n, k, even)) for k in range(n)]
    return World(name, generators, [*named, ("alternating", alternating), ("trivial", []), ("whole", generators)])


def tabulated(w: World, spec: dict[str, Any], f: Callable[[Perm], int]) -> list[int]:
    """The list of an untwisted form whose function is f."""
    one = w.members(next(k for k, (name, _) in enumerate(w.subgroups) if name == "trivial"))
    sets = [w.members(k) for k in spec["subgroups"]]
    left, right = {"right cosets": (sets[0], one), "left cosets": (one, sets[0])}.get(spec["on"], tuple(sets))
    return [f(min(coset)) for coset in w.numbered(left, right)]


def switches(w: World) -> list[dict[str, Any]]:
    """Two neurons per (i, k): relu(+-(x(i) - y^-1(k))) votes against every z with z(i) = k.

    All are silent at z = xy, and every other z has a position at which a neuron votes against it: right everywhere.
    """
    circuits, index = [], 0
    for i in range(w.degree):
        for k in range(w.degree):
            forms = {
                "left": form("right cosets", [i], [None]),
                "right": form("left cosets", [k], [None]),
                "votes": form("double cosets", [i, k], [None, None]),
            }
            neurons = []
            for sign in (16, -16):
                neurons.append(
                    {
                        "index": index,
                        "left": tabulated(w, forms["left"], lambda x, i=i, s=sign: s * x[i]),
                        "right": tabulated(w, forms["right"], lambda y, k=k, s=sign: -s * y.index(k)),
                        "votes": tabulated(w, forms["votes"], lambda z, i=i, k=k: -16 * (z[i] == k)),
                    }
                )
                index += 1
            circuits.append({**forms, "neurons": neurons})
    return circuits


def every_form(w: World, start: int) -> list[dict[str, Any]]:
    """Circuits on all kinds of forms, twisted and not, with votes too small to change an answer."""
    n, alternating, trivial, whole = w.degree, w.degree, w.degree + 1, w.degree + 2
    sign = form("right cosets", [whole], [alternating]), form("left cosets", [whole], [alternating])
    specs = [
        (*sign, form("double cosets", [whole, whole], [alternating, alternating])),
        (form("left cosets", [0]), form("right cosets", [1]), form("coset matrix", [0], [alternating])),
        (form("elements"), form("elements"), form("elements")),
        (form("right cosets", [0]), form("left cosets", [1]), form("coset sum", [0, 1])),
        (form("left cosets", [0]), form("coset sum", [0, whole], [None, alternating]), form("right cosets", [n - 1])),
        (form("right cosets", [alternating]), form("left cosets", [alternating]), form("coset matrix", [n - 1])),
    ]
    if n == 3:
        twisted = form("double cosets", [0, 1], [trivial, None])
        specs.append((twisted, form("left cosets", [0], [trivial]), form("double cosets", [0, 2], [trivial, trivial])))
    rng = random.Random(7)
    circuits = []
    for index, parts in enumerate(specs, start):
        forms = dict(zip(("left", "right", "votes"), parts, strict=True))
        lists = {part: [rng.choice([-3, -2, -1, 1, 2, 3]) for _ in range(w.size(f))] for part, f in forms.items()}
        circuits.append({**forms, "neurons": [{"index": index, **lists}]})
    return circuits


def on_points(w: World, start: int) -> list[dict[str, Any]]:
    """Circuits on images, preimages, shared lists and rank, with votes too small to change an answer."""
    n, alternating, whole = w.degree, w.degree, w.degree + 2
    few, mixed, point = [0] * (n - 2) + [1, -1], [2, 1, *[0] * (n - 2)], [0, 1, *[0] * (n - 2)]
    sign: list[int | None] = [alternating]
    specs = [
        (form("images", [0], weights=few), form("shared", [0], weights=mixed, constant=True), form("preimages", [1], weights=mixed)),
        (
            form("images", [1], sign, weights=mixed, constant=True),
            form("shared", [1], sign, weights=few),
            form("rank", [0], sign, rank=1),
        ),
        (form("images", [0], weights=point), form("preimages", [0], weights=point, constant=True), form("rank", [1], rank=2)),
        (form("preimages", [0], weights=point), form("images", [0], weights=point), form("images", [1], sign, weights=few)),
        (form("images", [0], sign, weights=point), form("left cosets", [1]), form("coset matrix", [0])),
        (form("images", [whole], sign, weights=[2]), form("shared", [whole], sign, weights=[-1]), form("right cosets", [alternating])),
        (form("rank", [0], rank=1, constant=True), form("right cosets", [1]), form("double cosets", [0, 1])),
        (form("rank", [0], sign, rank=2), form("elements"), form("elements")),
    ]
    rng = random.Random(8)
    circuits = []
    for index, parts in enumerate(specs, start):
        forms = dict(zip(("left", "right", "votes"), parts, strict=True))
        lists = {part: [rng.choice([-2, -1, 1, 2]) for _ in range(w.size(f))] for part, f in forms.items()}
        circuits.append({**forms, "neurons": [{"index": index, **lists}]})
    return circuits


def divided(w: World) -> list[dict[str, Any]]:
    """The switches with the first neuron in two parts, each with half of its votes."""
    first, *others = switches(w)
    neuron, twin = first["neurons"]
    half = {**neuron, "votes": [vote // 2 for vote in neuron["votes"]]}
    return [{**first, "neurons": [half, twin]}, *others, {**first, "neurons": [half]}]


def cases() -> list[Case]:
    """The accepted certificates; those whose names begin with "refuted" honestly report a network that is wrong."""
    s3, s4, a4 = world("S3"), world("S4"), world("A4")
    all_forms = [*switches(s3), *every_form(s3, 18)]
    return [
        Case("s3_every_form", s3, all_forms, bias=[1, -2, 3, 0, 5, -6], obligations=("(check-sat)", "(exit)")),
        Case("s3_points", s3, [*switches(s3), *on_points(s3, 18)], bias=[1, -2, 3, 0, 5, -6], scale_bits=3),
        Case("s3_provable", s3, all_forms, obligations=("(check-sat)",), provable=switches(s3)),
        Case("s3_divided", s3, switches(s3), provable=divided(s3)),
        Case("s3_chughtai_table", s3, switches(s3), layout="chughtai", order="table", compact=True),
        Case("s3_sn_grok_even_first", s3, switches(s3), [0] * 6, layout="sn-grok", order="even-first"),
        Case("s3_wu_right_first", s3, switches(s3), [1] * 6, layout="wu", product="right-first"),
        Case("s3_after_relu", s3, switches(s3), layout="chughtai after relu", dead=0),
        Case("s3_float64", s3, switches(s3), kind="F64", order="table", product="right-first"),
        Case("s3_bfloat16", s3, switches(s3), kind="BF16", noise=4, bits=2, vote_bits=2, seed=1),
        Case("s3_float16", s3, switches(s3), kind="F16", noise=6, seed=2),
        Case("s4_switches", s4, [*switches(s4), *every_form(s4, 32)], layout="chughtai"),
        Case("a4_switches", a4, switches(a4), dead=2),
        Case("refuted_network", s3, switches(s3), spoil={(4, 2): Fraction(6), (9, 1): Fraction(4)}),
        Case("refuted_tie", s3, switches(s3)[:1], noise=4, dead=0, seed=3),
        Case("refuted_program", s3, switches(s3)[:5], bias=[0, 0, 0, 0, 0, 7], spoil={(0, 0): Fraction(2)}),
    ]


def write(case: Case, folder: Path) -> None:
    """CASE.ckpt and CASE.json, and the obligations that it states."""
    checkpoint = stored(case)
    (folder / f"{case.name}.ckpt").write_bytes(checkpoint)
    (folder / f"{case.name}.json").write_bytes(canonical_bytes(certificate(case, checkpoint)))
    for k, text in enumerate(case.obligations):
        (folder / "obligations").mkdir(exist_ok=True)
        (folder / "obligations" / f"{k}.smt2").write_text(text)


if __name__ == "__main__":
    for one in cases():
        write(one, FOLDER / "accepted")
        print(one.name)
