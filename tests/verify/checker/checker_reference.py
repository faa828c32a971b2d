"""Certificates made the slow, obvious way: fractions, sets of permutations, and no code of the project but its schema.

A case is a network given by forms and lists plus small noise, stored in one of the readable layouts, and a program.
`certificate(case)` evaluates both on every pair with fractions and states what comes out.
"""

import hashlib
import itertools
import json
import random
import struct
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec

from verify.record.certificate import Certificate, sealed

Perm = tuple[int, ...]
ON_POINTS = ("images", "preimages", "rank", "shared")
FOLDER = Path(__file__).parents[2] / "certificates"


def elements(name: str) -> list[Perm]:
    """S3, S4, A4, C4 or D8 (of order 8) in lexicographic order."""
    if name in ("C4", "D8"):
        turn, swap = (1, 2, 3, 0), (0, 3, 2, 1)
        return sorted(generated([turn] if name == "C4" else [turn, swap], 4))
    everything = sorted(itertools.permutations(range(int(name[1:]))))
    return everything if name[0] == "S" else [p for p in everything if is_even(p)]


def is_even(p: Perm) -> bool:
    return sum(p[i] > p[j] for i in range(len(p)) for j in range(i + 1, len(p))) % 2 == 0


def times(x: Perm, y: Perm) -> Perm:
    """The product that applies x first."""
    return tuple(y[i] for i in x)


def generated(words: list[Perm], degree: int) -> frozenset[Perm]:
    found = {tuple(range(degree))}
    while True:
        larger = found | {times(x, g) for x in found for g in words}
        if larger == found:
            return frozenset(found)
        found = larger


def cycles(p: Perm) -> str:
    text, seen = "", set()
    for start in range(len(p)):
        cycle = []
        while start not in seen:
            seen.add(start)
            cycle.append(start + 1)
            start = p[start]
        if len(cycle) > 1:
            text += "(" + " ".join(map(str, cycle)) + ")"
    return text or "()"


@dataclass
class World:
    """A group and the named subgroups that programs may use."""

    name: str
    generators: list[Perm]
    subgroups: list[tuple[str, list[Perm]]]
    elements: list[Perm] = field(init=False)

    def __post_init__(self) -> None:
        self.elements = elements(self.name)
        self.degree = len(self.elements[0])
        self.known: dict[Any, Any] = {}

    def members(self, k: int) -> frozenset[Perm]:
        """All elements of the k-th subgroup."""
        if k not in self.known:
            self.known[k] = generated(self.subgroups[k][1], self.degree)
        found: frozenset[Perm] = self.known[k]
        return found

    def value(self, form: dict[str, Any], t: list[int], g: Perm) -> int:
        """f(g), from the definition of the form, with the constant that twisted one-sided forms have at the end of t."""
        if form["on"] == "sum":
            first, *others = form["parts"]
            rest = {**form, "parts": others} if len(others) > 1 else others[0]
            return self.value(first, t[: self.size(first)], g) + self.value(rest, t[self.size(first) :], g)
        if form["on"] == "coset sum":
            kernels = form["kernels"] or [None, None]
            right, left = ({"on": on, "subgroups": [k], "kernels": [kernel]} for on, k, kernel in
                           zip(("right cosets", "left cosets"), form["subgroups"], kernels, strict=True))  # fmt: skip
            count = self.cosets(right)
            return self.plain(right, t[:count], g) + self.plain(left, t[count:], g)
        return self.plain(form, t, g) + (t[-1] if self.has_constant(form) else 0)

    def has_constant(self, form: dict[str, Any]) -> bool:
        """Twisted, on right or left cosets; where it is said on points."""
        if form["on"] in ON_POINTS:
            return bool(form["constant"])
        return form["on"] in ("right cosets", "left cosets") and any(k is not None for k in form["kernels"])

    def cosets(self, form: dict[str, Any]) -> int:
        """The index of the form's first subgroup."""
        return len(self.elements) // len(self.members(form["subgroups"][0]))

    def plain(self, form: dict[str, Any], t: list[int], g: Perm) -> int:
        """f(g) without constants: write g as h r k with r the least element of its coset."""
        on = form["on"]
        if on == "elements":
            return t[self.elements.index(g)]
        kernels = form["kernels"] or [None] * len(form["subgroups"])
        sets = [self.members(k) for k in form["subgroups"]]
        one = frozenset({tuple(range(self.degree))})
        if on == "coset matrix" or on in ON_POINTS:
            right = self.numbered(sets[0], one)
            matrix = self.matrix(form, t, len(right))
            total = 0
            for p, coset in enumerate(right):
                q = next(k for k, other in enumerate(right) if times(min(coset), g) in other)
                total += matrix[p][q]
            return total if kernels[0] is None or g in self.members(kernels[0]) else -total
        left, right_side = {"right cosets": (sets[0], one), "left cosets": (one, sets[0])}.get(on, tuple(sets))
        chars = {"right cosets": (kernels[0], None), "left cosets": (None, kernels[0])}.get(on, tuple(kernels))
        number = 0
        for coset in self.numbered(left, right_side):
            signs = self.signs(min(coset), left, right_side, chars)
            if any(len(found) > 1 for found in signs.values()):
                if g in coset:
                    return 0
                continue
            if g in coset:
                (sign,) = signs[g]
                return sign * t[number]
            number += 1
        raise AssertionError("every element lies in a coset")

    def matrix(self, form: dict[str, Any], t: list[int], n: int) -> list[list[int]]:
        """M with f(g) the sum of M[p, pg] over the points p: one row of weights or list entries for each p."""
        if form["on"] == "images":
            return [[a * m for m in t[:n]] for a in form["weights"]]
        if form["on"] == "preimages":
            return [[m * d for d in form["weights"]] for m in t[:n]]
        blocks = [t[k * n : (k + 1) * n] for k in range(2 * form["rank"])] if form["on"] == "rank" else []
        if blocks:
            return [[sum(a[p] * b[q] for a, b in zip(blocks[::2], blocks[1::2], strict=True)) for q in range(n)] for p in range(n)]
        return [t[p * n : (p + 1) * n] for p in range(n)]

    def shared(self, form: dict[str, Any], t: list[Fraction], m: list[Fraction], g: Perm) -> Fraction:
        """What a neuron reads of y through its list m of x: s times preimages of m with the form's weights, plus a constant."""
        plain = {**form, "on": "preimages", "constant": False}
        return t[0] * self.plain(plain, m, g) + (t[1] if form["constant"] else 0)  # type: ignore[arg-type]

    def numbered(self, left: frozenset[Perm], right: frozenset[Perm]) -> list[frozenset[Perm]]:
        """The double cosets by their least elements."""
        if (left, right) not in self.known:
            cosets = {frozenset(times(times(h, z), k) for h in left for k in right) for z in self.elements}
            self.known[left, right] = sorted(cosets, key=min)
        found: list[frozenset[Perm]] = self.known[left, right]
        return found

    def signs(self, r: Perm, left: Any, right: Any, kernels: Any) -> dict[Perm, set[int]]:
        """For each element of the double coset of r the signs that its ways of being written h r k give it."""
        found: dict[Perm, set[int]] = {}
        for h in left:
            for k in right:
                chi = 1 if kernels[0] is None or h in self.members(kernels[0]) else -1
                psi = 1 if kernels[1] is None or k in self.members(kernels[1]) else -1
                found.setdefault(times(times(h, r), k), set()).add(chi * psi)
        return found

    def size(self, form: dict[str, Any]) -> int:
        """Length of the form's lists: the positions that some element reads, found by trying one list per position."""
        if form["on"] == "sum":
            return sum(map(self.size, form["parts"]))
        if form["on"] == "coset matrix":
            return self.cosets(form) ** 2
        if form["on"] == "coset sum":
            return sum(len(self.elements) // len(self.members(k)) for k in form["subgroups"])
        if form["on"] in ("right cosets", "left cosets"):
            return self.cosets(form) + self.has_constant(form)
        if form["on"] == "elements":
            return len(self.elements)
        if form["on"] in ON_POINTS:
            points = self.cosets(form) * (2 * form["rank"] if form["on"] == "rank" else form["on"] != "shared")
            return points + (form["on"] == "shared") + form["constant"]
        return sum(any(self.reads(form, k, g) for g in self.elements) for k in range(len(self.elements)))

    def reads(self, form: dict[str, Any], k: int, g: Perm) -> bool:
        """Whether f(g) depends on the k-th entry of the list."""
        unit = [0] * len(self.elements)
        unit[k] = 1
        return self.value(form, unit, g) != 0


def form(on: str, subgroups: list[int] | None = None, kernels: list[int | None] | None = None, **points: Any) -> dict[str, Any]:
    found = {"on": on, "subgroups": subgroups or [], "kernels": kernels or [], "weights": [], "rank": 0, "constant": False, "parts": []}
    return {**found, **points}


@dataclass
class Case:
    """A network as forms and lists (over 2^bits), noise in units of 2^-noise, and how it is stored."""

    name: str
    world: World
    circuits: list[dict[str, Any]]
    bias: list[int] = field(default_factory=list)
    bits: int = 4
    vote_bits: int = 4
    noise: int = 12
    dead: int = 1
    layout: str = "folded"
    kind: str = "F32"
    order: str = "lexicographic"
    product: str = "left-first"
    spoil: dict[tuple[int, int], Fraction] = field(default_factory=dict)
    obligations: tuple[str, ...] = ()
    provable: list[dict[str, Any]] = field(default_factory=list)
    compact: bool = False
    seed: int = 0
    scale_bits: int = 0


def functions(case: Case) -> tuple[list[list[Fraction]], list[list[Fraction]], list[list[Fraction]], list[int]]:
    """The program's l, r, u as functions of the element's number, and each neuron's index."""
    found: list[list[list[Fraction]]] = [[], [], []]
    indices = []
    for circuit in case.circuits:
        for neuron in circuit["neurons"]:
            indices.append(neuron["index"])
            for part, name in zip(found, ("left", "right", "votes"), strict=True):
                unit = Fraction(1, 2 ** (case.vote_bits if name == "votes" else case.bits))
                if circuit[name]["on"] == "shared":
                    t = [Fraction(neuron[name][0], 2**case.scale_bits), *(unit * c for c in neuron[name][1:])]
                    m = [unit * value for value in neuron["left"]]
                    part.append([case.world.shared(circuit[name], t, m, g) for g in case.world.elements])
                    continue
                part.append([unit * case.world.value(circuit[name], neuron[name], g) for g in case.world.elements])
    return found[0], found[1], found[2], indices


def network(case: Case) -> tuple[list[list[Fraction]], ...]:
    """L, R (neurons x elements), U (neurons x elements), b: the program plus noise, then dead neurons."""
    rng = random.Random(case.seed)
    left, right, votes, _ = functions(case)
    n = len(case.world.elements)

    def noisy(rows: list[list[Fraction]]) -> list[list[Fraction]]:
        return [[v + Fraction(rng.randint(-3, 3), 2**case.noise) for v in row] for row in rows]

    L, R, U = noisy(left), noisy(right), noisy(votes)
    for (i, z), value in case.spoil.items():
        U[i][z] += value
    for _ in range(case.dead):
        L.append([Fraction(-rng.randint(1, 9)) for _ in range(n)])
        R.append([Fraction(rng.randint(-9, 0)) for _ in range(n)])
        U.append([Fraction(rng.randint(-9, 9)) for _ in range(n)])
    unit = Fraction(1, 2 ** (case.bits + case.vote_bits))
    b = [unit * value for value in case.bias] or [Fraction(0)] * n
    return L, R, U, [b]


def numbering(case: Case) -> list[int]:
    """The stored network's numbering: entry k is the element that the file calls k."""
    n = len(case.world.elements)
    if case.order == "lexicographic":
        return list(range(n))
    if case.order == "even-first":
        return sorted(range(n), key=lambda k: (not is_even(case.world.elements[k]), k))
    return random.Random(5).sample(range(n), n)


def tensors(case: Case) -> dict[str, Any]:
    """What the file holds: the network in the file's own numbering and product, in the layout's shapes."""
    L, R, U, (b,) = network(case)
    if case.product == "right-first":
        L, R = R, L
    places = numbering(case)
    rows = lambda matrix: [[column[g] for column in matrix] for g in places]  # noqa: E731
    L, R, U, b = rows(L), rows(R), [[row[g] for g in places] for row in U], [b[g] for g in places]
    n = len(places)
    one = [[Fraction(int(i == j)) for j in range(n)] for i in range(n)]
    if case.layout == "folded":
        plain: dict[str, Any] = {"L": L, "R": R, "U": U}
        return plain | ({"b": b} if case.bias else {})
    if case.layout == "chughtai":
        return {"W_x": one, "W_y": one, "W": L + R, "W_U": U}
    if case.layout == "chughtai after relu":
        return {"W_x": one, "W_y": one, "W": L + R, "W_U": U, "b": [Fraction(0)] * len(U)}
    if case.layout == "wu":
        named: dict[str, Any] = {"embedding_left": one, "embedding_right": one, "linear_left": L, "linear_right": R}
        return named | {"unembedding": U, "unembed_bias": b}
    turned = [list(column) for column in zip(*(L + R), strict=True)]
    named = {"lembed.weight": one, "rembed.weight": one, "linear.weight": turned}
    return named | {"unembed.weight": [list(c) for c in zip(*U, strict=True)], "unembed.bias": b}


def stored(case: Case) -> bytes:
    """The checkpoint: safetensors, or for the published layouts a torch archive."""
    codes = {"F16": "e", "F32": "f", "F64": "d"}
    named = tensors(case)
    if case.layout in ("chughtai", "sn-grok"):
        return torch_archive(case, named)
    header, data = {}, b""
    for name, value in named.items():
        shape = [len(value), *([len(value[0])] if isinstance(value[0], list) else [])]
        flat = list(itertools.chain(*value)) if len(shape) == 2 else value
        code = codes.get(case.kind, "f")
        packed = struct.pack(f"<{len(flat)}{code}", *map(float, flat))
        assert [Fraction(v) for v in struct.unpack(f"<{len(flat)}{code}", packed)] == flat, "the case must be exact"
        if case.kind == "BF16":
            assert all(packed[i : i + 2] == b"\0\0" for i in range(0, len(packed), 4)), "the case must be exact"
            packed = b"".join(packed[i + 2 : i + 4] for i in range(0, len(packed), 4))
        header[name] = {"dtype": case.kind, "shape": shape, "data_offsets": [len(data), len(data) + len(packed)]}
        data += packed
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def torch_archive(case: Case, named: dict[str, Any]) -> bytes:
    import io

    import torch

    state = {name: torch.tensor([[float(v) for v in row] for row in value] if isinstance(value[0], list) else
                                [float(v) for v in value]) for name, value in named.items()}  # fmt: skip
    buffer = io.BytesIO()
    torch.save({"model": state, "config": {"act_fn": "relu"}} if case.layout == "sn-grok" else state, buffer)
    return buffer.getvalue()


def answers(L: Any, R: Any, U: Any, b: Any) -> dict[tuple[int, int], tuple[int, list[Fraction]]]:
    """The unique argmax (-1 for a tie) and all logits of every pair, by the definition."""
    n = len(b)
    found = {}
    for x in range(n):
        for y in range(n):
            h = [max(Fraction(0), left[x] + right[y]) for left, right in zip(L, R, strict=True)]
            logits = [sum((a * u[z] for a, u in zip(h, U, strict=True) if a), b[z]) for z in range(n)]
            best = [z for z in range(n) if logits[z] == max(logits)]
            found[x, y] = (best[0] if len(best) == 1 else -1, logits)
    return found


def digest(table: dict[tuple[int, int], tuple[int, Any]]) -> str:
    return hashlib.sha256(b"".join(struct.pack(">h", table[pair][0]) for pair in sorted(table))).hexdigest()


def certificate(case: Case, checkpoint: bytes) -> Certificate:
    """What is true of the case, in the schema of `verify.record.certificate`, sealed."""
    world, n = case.world, len(case.world.elements)
    L, R, U, (b,) = network(case)
    l_, r, u, _ = functions(case)
    unit = Fraction(1, 2 ** (case.bits + case.vote_bits))
    ours, theirs = answers(L, R, U, b), answers(l_, r, u, [unit * v for v in case.bias] or [Fraction(0)] * n)
    right = {(x, y): world.elements.index(times(world.elements[x], world.elements[y])) for x, y in ours}
    wrong = [[x, y, ours[x, y][0]] for x, y in sorted(ours) if ours[x, y][0] != right[x, y]]
    differ = [[x, y, ours[x, y][0], theirs[x, y][0]] for x, y in sorted(ours) if ours[x, y][0] != theirs[x, y][0]]
    margins = {pair: margin(ours[pair][1], right[pair]) for pair in ours if ours[pair][0] == right[pair]}
    least = min(margins.values(), default=None)
    group = {"name": world.name, "degree": world.degree, "order": n, "generators": [cycles(g) for g in world.generators]}
    narrow = case.layout != "chughtai after relu"
    stated: dict[str, Any] = {
        "format": "coset-verify certificate 2",
        "verdict": "REFUTED" if wrong or differ else "VERIFIED",
        "group": group,
        "checkpoint": {
            "sha256": hashlib.sha256(checkpoint).hexdigest(),
            "format": case.layout.removesuffix(" after relu"),
            "order": case.order,
            "product": case.product,
            "numbering": numbering(case),
            "width": len(U),
            "parameters": 3 * n * len(U) + (n if any(b) else 0),
            "float32_forward": narrow,
        },
        "program": program_record(case, group),
        "neurons": neuron_records(case, L, R, U),
        "correct": {
            "status": "REFUTED" if wrong else "PROVED",
            "pairs": n * n,
            "right": n * n - len(wrong),
            "ties": sum(answer == -1 for _, _, answer in wrong),
            "wrong": wrong,
            "answers_sha256": digest(ours),
            "min_margin": None if least is None else str(least),
            "min_margin_pair": next(([*p] for p in sorted(margins) if margins[p] == least), None),
            "float32_any_order": float32_count(case, (L, R, U, b), {pair: ours[pair] for pair in margins}) if narrow else None,
        },
        "equivalent": {
            "status": "REFUTED" if differ else "PROVED",
            "pairs": n * n,
            "agree": n * n - len(differ),
            "differ": differ,
            "answers_sha256": digest(theirs),
        },
        "symbolic": {
            "status": "UNKNOWN",
            "provable": provable_record(case, group, L, R, U),
            "proof": None,
            "counterexample": None,
            "pushes": [],
            "distance": None,
        },
        "compact": compact_record(L, n, len(wrong)) if case.compact else None,
        "not_checked": {
            "versions": {"coset-verify": "0.1.0"},
            "obligations": [
                {"file": f"obligations/{k}.smt2", "sha256": hashlib.sha256(text.encode()).hexdigest()}
                for k, text in enumerate(case.obligations)
            ],
        },
    }  # fmt: skip
    return sealed(msgspec.convert(stated, Certificate))


def compact_record(L: Any, n: int, wrong: int) -> dict[str, Any]:
    """A plan that reads x by element, so that nothing is left out: every right pair is certified, without contenders.

    The first half of the neurons reads single elements, the others the cosets of the trivial subgroup; both tables are added up.
    """
    width = len(L)
    bits = max(value.denominator.bit_length() - 1 for row in L for value in row)
    levels = [[int(value * 2**bits) for value in row] for row in L]
    halves = list(range(width // 2)), list(range(width // 2, width))
    products, bias, sums = 2 * width * n * n * n, n**3, n**3
    by_pair = n + 10 * width + 1  # comparisons, right logit, slack
    return {
        "status": "REFUTED" if wrong else "PROVED",
        "certified": n * n - wrong,
        "flops": 2 * width * n * n + products + bias + sums + n * n * by_pair + 2 * width * n * wrong,
        "flops_brute": products,
        "plan": {
            "side": "left",
            "level_bits": bits,
            "families": [
                {"on": on, "generators": [], "neurons": half, "levels": [levels[i] for i in half]}
                for on, half in zip(("elements", "left cosets"), halves, strict=True)
            ],
            "merges": [[0, 1]],
        },
    }


def program_record(case: Case, group: dict[str, Any]) -> dict[str, Any]:
    return {
        "format": "coset-voting program 2",
        "group": group,
        "subgroups": [
            {
                "name": ", ".join([*map(cycles, words), "()"]) + ", ()" * sum(other == words for _, other in case.world.subgroups[:k]),
                "order": len(case.world.members(k)),
                "generators": [cycles(g) for g in words],
            }
            for k, (_, words) in enumerate(case.world.subgroups)
        ],
        "preactivation_bits": case.bits,
        "vote_bits": case.vote_bits,
        "bias": case.bias,
        "circuits": case.circuits,
        "scale_bits": case.scale_bits,
    }


def kind(case: Case, index: int) -> str:
    """The kind of a neuron: by how its circuit reads x and y, and by what."""
    circuit = circuit_of(case, index)
    if circuit is None:
        return "divided" if places_of(case, index) else "left out"
    x, y = ((form["parts"] or [form])[0] for form in (case.circuits[circuit]["left"], case.circuits[circuit]["right"]))
    read = [reads(x), reads(y)]
    if any(word not in ("right", "left", "rank one") for word in read):
        return "raw"
    if "rank one" in read:
        return "rank one"
    whole, named = len(case.world.elements), [any(k is not None for k in form["kernels"]) for form in (x, y)]
    sizes = [len(case.world.members(form["subgroups"][0])) for form in (x, y)]
    of_parity = [size == whole and form["on"] in ON_POINTS if twisted else 2 * size == whole
                 for form, size, twisted in zip((x, y), sizes, named, strict=True)]  # fmt: skip
    if all(of_parity):
        return "sign"
    if any(named):
        return "twisted"
    return {"right left": "coset", "left right": "dual"}.get(" ".join(read), "raw")


def reads(form: dict[str, Any]) -> str:
    """Which side's cosets a form reads, "rank one", or its own name: a row of M is right cosets, a column is left ones."""
    if form["on"] == "rank":
        return "rank one" if form["rank"] == 1 else "rank"
    if form["on"] in ON_POINTS and len([weight for weight in form["weights"] if weight]) != 1:
        return "rank one"
    return {"right cosets": "right", "left cosets": "left", "images": "right", "preimages": "left", "shared": "left"}.get(
        form["on"], "raw"
    )


def neuron_records(case: Case, L: Any, R: Any, U: Any) -> list[dict[str, Any]]:
    """The network's neurons against the case's program."""
    l_, r, u, indices = functions(case)
    return [
        {
            "index": i,
            "kind": "dead" if max(L[i]) + max(R[i]) <= 0 or len(set(U[i])) == 1 else kind(case, i),
            "circuit": circuit_of(case, i),
            "left_deviation": deviation(L[i], l_, indices, i),
            "right_deviation": deviation(R[i], r, indices, i),
            "votes_deviation": deviation(U[i], u, indices, i),
        }
        for i in range(len(U))
    ]


def provable_record(case: Case, group: dict[str, Any], L: Any, R: Any, U: Any) -> dict[str, Any] | None:
    if not case.provable:
        return None
    other = replace(case, circuits=case.provable, bias=[])
    return {"program": program_record(other, group), "neurons": neuron_records(other, L, R, U)}


def margin(logits: list[Fraction], z: int) -> Fraction:
    return logits[z] - max(value for w, value in enumerate(logits) if w != z)


def places_of(case: Case, index: int) -> list[int]:
    """The circuits in which a neuron of the network is, with repetition."""
    return [k for k, c in enumerate(case.circuits) for neuron in c["neurons"] if neuron["index"] == index]


def circuit_of(case: Case, index: int) -> int | None:
    """The one circuit of a neuron; None if there is none, or more than one."""
    places = places_of(case, index)
    return places[0] if len(places) == 1 else None


def deviation(network_row: list[Fraction], program: list[list[Fraction]], indices: list[int], i: int) -> str | None:
    if indices.count(i) != 1:
        return None
    return str(max(abs(a - b) for a, b in zip(network_row, program[indices.index(i)], strict=True)))


def float32_count(case: Case, weights: Any, right: Any) -> int:
    """Of the pairs that are right, those beyond the error of any order of summation (Higham 3.1, with underflow)."""
    L, R, U, b = weights
    embedded = case.layout != "folded"
    n, m = len(b), len(U)
    K, M = (2 * n if embedded else 2), m + bool(case.bias or case.layout in ("wu", "sn-grok"))
    u, eta = Fraction(1, 2**24), Fraction(1, 2**150)
    gamma = lambda k: k * u / (1 - k * u)  # noqa: E731
    count = 0
    for (x, y), (answer, logits) in right.items():
        error = [Fraction(0)] * n
        for i in range(m):
            p = L[i][x] + R[i][y]
            e = gamma(K) * (abs(L[i][x]) + abs(R[i][y])) + K * eta * (1 + gamma(K)) + min(p, Fraction(0))
            if e > 0:
                for z in range(n):
                    error[z] += (e + gamma(M) * (max(p, Fraction(0)) + e)) * abs(U[i][z])
        error = [e + gamma(M) * abs(b[z]) + M * eta * (1 + gamma(M)) for z, e in enumerate(error)]
        count += all(logits[answer] - logits[z] > error[answer] + error[z] for z in range(n) if z != answer)
    return count
