"""Every number of summary.json has a twin: the same figure by another way, from the files of the run, on all pairs.

A number that is added to the type without a twin fails here, and so does a page docs/numbers.md that lists others.
"""

import copy
import json
import time
import types
import typing
from collections import Counter
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from algebra.group import parse_group
from algebra.lattice import subgroups
from net.checkpoint import load_network
from net.formats.folded_arrays import save_folded
from net.planted import planted_network
from net.weights import Weights
from reports.coset_voting import Program as Voting
from reports.program_text import program_constants
from verify.compare.gcr import class_profile
from verify.exact.exhaustive import evaluate
from verify.jobs.run import run
from verify.record.settings import Settings
from verify.record.summary import Summary

PAGE = Path(__file__).parents[3] / "docs" / "numbers.md"
JSON = dict[str, Any]


def numbers_of(kind: Any, path: str = "") -> Iterator[str]:
    """The paths of all numbers in a type: [] for the entries of a list or tuple, {} for the values of a dictionary."""
    origin = typing.get_origin(kind)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        for field in msgspec.structs.fields(kind):
            yield from numbers_of(field.type, f"{path}.{field.name}".lstrip("."))
    elif origin in (list, tuple):
        for part in typing.get_args(kind):
            yield from numbers_of(part, f"{path}[]")
    elif origin is dict:
        yield from numbers_of(typing.get_args(kind)[1], f"{path}{{}}")
    elif origin in (typing.Union, types.UnionType):
        for part in typing.get_args(kind):
            yield from numbers_of(part, path)
    elif kind in (int, float):
        yield path


def values_at(value: Any, path: str) -> list[Any]:
    """All numbers and None at a path of summary.json, in order."""
    steps = path.replace("[]", ".[]").replace("{}", ".{}").split(".")
    found = [value]
    for step in steps:
        if step in ("[]", "{}"):
            found = [part for one in found if one is not None for part in (one.values() if step == "{}" else one)]
        else:
            found = [one[step] for one in found if one is not None]
    return [one for one in found if not isinstance(one, str)]


class Run:
    """A run's files, and what is worked out from them in plain ways."""

    def __init__(self, directory: Path, checkpoint: Path, group: str, wall: float, said: list[str]) -> None:
        self.summary: JSON = json.loads((directory / "summary.json").read_text())
        self.certificate: JSON = json.loads((directory / "certificate.json").read_text())
        self.group = parse_group(group)
        self.lattice = subgroups(self.group)
        self.folded = load_network(checkpoint, self.group)
        self.wall, self.said = wall, said
        self.directory = directory

    def with_program(self, name: str) -> "Run":
        """The same run as if its program were that point of the curve, from the point's own file."""
        if name == "readable":
            return self
        if name not in self._others:
            files = {"provable": self.directory / "provable.json"}
            file = files.get(name, self.directory / "programs" / f"{name.replace(' ', '-')}.json")
            made = copy.copy(self)
            for cached in ("written", "ours"):
                vars(made).pop(cached, None)
            made.certificate = self.certificate | {"program": json.loads(file.read_text())}
            self._others[name] = made
        return self._others[name]

    @cached_property
    def _others(self) -> dict[str, "Run"]:
        return {}

    @property
    def network(self) -> Weights:
        """The folded weights."""
        return self.folded.weights

    @cached_property
    def written(self) -> dict[str, Any]:
        """The readable program, written out neuron by neuron by the runtime of program.py: indices, L, R, U, b, circuits, raw."""
        return self._written(self.certificate["program"])

    def _written(self, program: JSON) -> dict[str, Any]:
        voting = Voting(program_constants(program))
        parts: dict[str, list[Any]] = {name: [] for name in ("index", "L", "R", "U", "circuit", "raw")}
        for number, (record, circuit) in enumerate(zip(program["circuits"], voting.circuits, strict=True)):
            tables = [
                np.array([rows.rows[k] for k in rows.kind], dtype=float) for rows in (circuit.left, circuit.right, circuit.weights)
            ]
            for j, neuron in enumerate(record["neurons"]):
                parts["index"].append(neuron["index"])
                parts["L"].append(tables[0][:, j] / 2 ** (program["preactivation_bits"] + program["scale_bits"]))
                parts["R"].append(tables[1][:, j] / 2 ** (program["preactivation_bits"] + program["scale_bits"]))
                parts["U"].append(tables[2][:, j] / 2 ** program["vote_bits"])
                parts["circuit"].append(number)
                parts["raw"].append(any(len(neuron[side]) >= self.group.order for side in ("left", "right")))
        bias = np.array(program["bias"] or [0] * self.group.order, dtype=float)
        found = {name: np.array(value) for name, value in parts.items()}
        return found | {"b": bias / 2 ** (program["preactivation_bits"] + program["vote_bits"])}

    def logits(self, L: Any, R: Any, U: Any, b: Any) -> Any:
        """All logits (n, n, n) in float64, from the formula."""
        return np.maximum(L[:, None] + R[None], 0) @ U + b

    @cached_property
    def theirs(self) -> Any:
        """Float64 logits (n, n, n) of the network."""
        return self.logits(self.network.L, self.network.R, self.network.U, self.network.b)

    def program_logits(self, keep: Any = slice(None)) -> Any:
        """All logits of the program, or of some of its neurons."""
        w = self.written
        return self.logits(w["L"].T[:, keep], w["R"].T[:, keep], w["U"][keep], w["b"])

    @cached_property
    def ours(self) -> Any:
        """All logits of the program."""
        return self.program_logits()

    @cached_property
    def dead(self) -> Any:
        """Neurons that never fire or whose votes are all equal."""
        w = self.network
        fires = (w.L[:, None] + w.R[None]).max(axis=(0, 1)) > 0
        return ~fires | (w.U.max(axis=1) == w.U.min(axis=1))

    @cached_property
    def energy(self) -> Any:
        """Mean square of each activation over all pairs, times the variance of its votes."""
        hidden = np.maximum(self.network.L[:, None] + self.network.R[None], 0)
        found = (hidden**2).mean(axis=(0, 1)) * self.network.U.var(axis=1)
        return np.where(self.dead, 0, found)

    @property
    def constants(self) -> int:
        """Integers in program.json."""
        program = self.certificate["program"]
        lists = [neuron[part] for c in program["circuits"] for neuron in c["neurons"] for part in ("left", "right", "votes")]
        return sum(map(len, lists)) + len(program["bias"])

    @property
    def rows(self) -> list[JSON]:
        """The summary's rows of neurons."""
        return list(self.summary["program"]["neurons"])

    def residual(self, part: str) -> list[float | None]:
        """Var(network - program) / Var(network) of one function of each neuron, None where it is left out."""
        mine = {"L": self.network.L.T, "R": self.network.R.T, "U": self.network.U}[part]
        found: list[float | None] = [None] * self.network.width
        for j, i in enumerate(self.written["index"]):
            spread = np.mean((mine[i] - mine[i].mean()) ** 2)
            rest = mine[i] - self.written[part][j]
            found[i] = float(np.mean((rest - rest.mean()) ** 2) / spread) if spread else 0.0
        return found

    def label_share(self, row: JSON, side: str) -> float | None:
        """Share of the variance of L or R that lies on the label's cosets: the mean over the subgroup, element by element."""
        if row[side] is None:
            return None
        name, _, kernel = row[side].partition(" over ")
        subgroup = self.lattice.all[self.lattice.labels.index(name)]
        minus = set() if not kernel else set(subgroup.elements) - set(self.lattice.all[self.lattice.labels.index(kernel)].elements)
        f = (self.network.L if side == "left" else self.network.R)[:, row["index"]]
        f = f - f.mean()
        best = []
        for first in (True, False):
            moved = [f[self.group.mul[h] if first else self.group.mul[:, h]] * (-1 if h in minus else 1) for h in subgroup.elements]
            best.append(float((np.mean(moved, axis=0) ** 2).sum() / (f**2).sum()))
        usual = (side == "left") != (row["kind"] == "dual")
        return best[0] if usual or (row["kind"] == "twisted" and best[0] >= best[1]) else best[1]


def centred(logits: Any) -> Any:
    return logits - logits.mean(axis=-1, keepdims=True)


def explained_share(theirs: Any, ours: Any) -> float:
    return float(1 - (centred(theirs - ours) ** 2).sum() / (centred(theirs) ** 2).sum())


def margins(logits: Any) -> Any:
    ordered = np.sort(logits, axis=-1)
    return ordered[..., -1] - ordered[..., -2]


def runner_up(logits: Any) -> Any:
    return np.argsort(logits, axis=-1)[..., -2]


# ---- twins: path -> the numbers that should stand there, in order

Twin = Callable[[Run], list[Any]]
TWINS: dict[str, Twin] = {}


def twin(*paths: str) -> Callable[[Twin], Twin]:
    def register(function: Twin) -> Twin:
        for path in paths:
            assert path not in TWINS, path
            TWINS[path] = function
        return function

    return register


@twin("group.order")
def _order(r: Run) -> list[Any]:
    """The generators multiplied out."""
    return [len(Voting(program_constants(r.certificate["program"])).group.elements)]


@twin("correct.pairs")
def _pairs(r: Run) -> list[Any]:
    """Cells of the table of logits' arguments."""
    return [int(np.prod(r.theirs.shape[:2]))]


def _right(r: Run) -> Any:
    return r.theirs.argmax(axis=2) == r.group.mul


@twin("correct.right")
def _right_pairs(r: Run) -> list[Any]:
    """Argmax of float64 logits against the table of products."""
    return [int((_right(r) & (margins(r.theirs) > 0)).sum())]


@twin("correct.ties")
def _ties(r: Run) -> list[Any]:
    """Pairs whose greatest exact logit comes twice."""
    exact = r.network.exact()
    n = r.group.order
    tops = (sorted(exact.logits(x, y).tolist())[-2:] for x in range(n) for y in range(n))
    return [sum(a == b for a, b in tops)]


@twin("correct.wrong[][]")
def _wrong(r: Run) -> list[Any]:
    """Every pair whose argmax is another, in order."""
    answer = np.where(margins(r.theirs) == 0, -1, r.theirs.argmax(axis=2))
    pairs = np.argwhere(answer != r.group.mul)[:1000]
    return [int(v) for x, y in pairs for v in (x, y, answer[x, y])]


@twin("correct.float32_any_order")
def _float32(r: Run) -> list[Any]:
    """Right pairs whose margin exceeds twice the error bound of any order, worked out per pair from the weights: all here."""
    w = r.network
    u, m = 2.0**-24, w.width
    hidden = np.abs(w.L[:, None]) + np.abs(w.R[None])
    bound = (m + 4) * u * 1.01 * (hidden @ np.abs(w.U).max(axis=1) + np.abs(w.b).max())
    sure = _right(r) & (margins(r.theirs) > 2 * bound)
    assert sure.sum() == _right(r).sum()  # planted margins are wide: the plain bound decides every pair
    return [int(sure.sum())]


@twin("correct.rechecked_exactly")
def _rechecked(r: Run) -> list[Any]:
    """What the two float tiers alone leave to Python's integers."""
    return [evaluate(r.network, tiers=("float32", "float64", "exact")).tiers["exact"]]


@twin("correct.last_tier")
def _last_tier(r: Run) -> list[Any]:
    """What wide integers leave, when they are tried on what floats leave."""
    return [evaluate(r.network).tiers["exact"]]


@twin("network.width")
def _width(r: Run) -> list[Any]:
    """Rows of U."""
    return [len(r.network.U)]


@twin("network.live")
def _live(r: Run) -> list[Any]:
    """Neurons that fire at some pair and whose votes differ."""
    return [int((~r.dead).sum())]


@twin("network.parameters")
def _parameters(r: Run) -> list[Any]:
    """Entries of the folded arrays."""
    return [r.network.L.size + r.network.R.size + r.network.U.size + (r.network.b.size if r.network.b.any() else 0)]


@twin("network.sample_accuracy")
def _sample(r: Run) -> list[Any]:
    """Of a network that is right on all pairs any sample is right."""
    assert _right(r).all()
    return [1.0]


@twin("program.constants")
def _constants(r: Run) -> list[Any]:
    """Integers in program.json."""
    return [r.constants]


@twin("program.ratio")
def _ratio(r: Run) -> list[Any]:
    """Integers in program.json over entries of the folded arrays."""
    return [r.constants / _parameters(r)[0]]


@twin("program.refinements")
def _refinements(r: Run) -> list[Any]:
    """The repairs of answers that the run spoke of last before it went on to the faithful program."""
    closer = "fitting preactivations and votes more closely"
    first = r.said[: r.said.index(closer)] if closer in r.said else r.said
    return [int([text for text in first if "repairs of answers" in text][-1].split()[0])]


@twin("program.raw_neurons")
def _raw(r: Run) -> list[Any]:
    """Neurons of program.json with a list as long as the group."""
    return [int(r.written["raw"].sum())]


@twin("program.circuits")
def _circuits(r: Run) -> list[Any]:
    """Different triples of forms in program.json."""
    keys = ("left", "right", "votes")
    return [len({json.dumps([c[key] for key in keys]) for c in r.certificate["program"]["circuits"]})]


@twin("program.neurons[].index")
def _index(r: Run) -> list[Any]:
    """0, 1, 2, ..."""
    return list(range(r.network.width))


@twin("program.neurons[].left_share")
def _left_share(r: Run) -> list[Any]:
    """Variance of the mean over the subgroup's elements, one by one."""
    return [r.label_share(row, "left") for row in r.rows]


@twin("program.neurons[].right_share")
def _right_share(r: Run) -> list[Any]:
    """The same for R."""
    return [r.label_share(row, "right") for row in r.rows]


@twin("program.neurons[].energy_share")
def _energy_share(r: Run) -> list[Any]:
    """From the activations of all pairs."""
    return list(r.energy / r.energy.sum())


@twin("program.neurons[].irreps[][]")
def _irreps(r: Run) -> list[Any]:
    """|projection of the centred votes by the character's idempotent|^2 / |votes|^2, an element at a time; 1 % and more."""
    from algebra.characters.character_table import character_table

    table, mul, inv, n = character_table(r.group), r.group.mul, r.group.inv, r.group.order
    found = []
    for u in r.network.U - r.network.U.mean(axis=1, keepdims=True):
        shares = []
        for degree, row in zip(table.degrees, table.values, strict=True):
            chi = row[r.group.class_of]
            part = sum(np.conj(chi[g]) * u[mul[inv[g]]] for g in range(n)) * degree / n
            shares.append(float((np.abs(part) ** 2).sum() / (u**2).sum()) if u.any() else 0.0)
        found += sorted((share for share in shares if share >= 0.01), reverse=True)
    return found


@twin("program.neurons[].left_residual")
def _left_residual(r: Run) -> list[Any]:
    """From program.py's own expansion of the lists."""
    return r.residual("L")


@twin("program.neurons[].right_residual")
def _right_residual(r: Run) -> list[Any]:
    """The same for R."""
    return r.residual("R")


@twin("program.neurons[].votes_residual")
def _votes_residual(r: Run) -> list[Any]:
    """The same for U."""
    return r.residual("U")


@twin("program.neurons[].votes_share")
def _votes_share(r: Run) -> list[Any]:
    """What the residual leaves."""
    return [None if value is None else 1 - value for value in r.residual("U")]


@twin("explained.ratio")
def _price(r: Run) -> list[Any]:
    """Integers in program.json over the entries of the columns of live neurons."""
    return [r.constants / (3 * r.group.order * _live(r)[0] + (r.group.order if r.network.b.any() else 0))]


@twin("explained.logit_fve")
def _variance(r: Run) -> list[Any]:
    """All logits of the program without the neurons written out, each output's mean over pairs taken off."""
    theirs, ours = (logits - logits.mean(axis=(0, 1)) for logits in (r.theirs, r.program_logits(~r.written["raw"])))
    return [explained_share(theirs, ours)]


@twin("explained.energy_labelled", "labels.energy_labelled")
def _energy_labelled(r: Run) -> list[Any]:
    """From the activations of all pairs and the rows' kinds."""
    labelled = np.array([row["kind"] not in ("raw", "dead") for row in r.rows])
    return [r.energy[labelled].sum() / r.energy.sum()]


@twin("labels.kinds{}")
def _kinds(r: Run) -> list[Any]:
    """The rows counted."""
    kinds = [row["kind"] for row in r.rows]
    return [kinds.count(kind) for kind in sorted(set(kinds))]


@twin("equivalence.answers_agree")
def _agree(r: Run) -> list[Any]:
    """Argmaxes of both tables of float64 logits."""
    return [int((r.theirs.argmax(axis=2) == r.ours.argmax(axis=2)).sum())]


@twin("equivalence.logit_fve")
def _fve(r: Run) -> list[Any]:
    """From both tables of float64 logits."""
    return [explained_share(r.theirs, r.ours)]


@twin("equivalence.max_margin_difference")
def _margin_difference(r: Run) -> list[Any]:
    """From both tables of float64 logits, where the answers agree."""
    same = r.theirs.argmax(axis=2) == r.ours.argmax(axis=2)
    return [np.abs(margins(r.theirs) - margins(r.ours))[same].max()]


@twin("equivalence.runner_up_agree")
def _runner_up(r: Run) -> list[Any]:
    """From both tables of float64 logits. Where second and third outputs are equal, rounding decides."""
    return _runner_up_held(r, r.summary["equivalence"]["runner_up_agree"])


def _runner_up_held(r: Run, stated: float) -> list[Any]:
    same, tied = runner_up(r.theirs) == runner_up(r.ours), np.zeros((len(r.theirs),) * 2, dtype=bool)
    for logits in (r.theirs, r.ours):
        ranked = np.sort(logits, axis=2)
        tied |= ranked[..., -2] - ranked[..., -3] <= 1e-5 * np.abs(logits).max()
    assert tied.mean() < 0.2
    assert (same & ~tied).mean() - 1e-5 <= stated <= (same | tied).mean() + 1e-5
    return [stated]


def _removals(r: Run) -> dict[str, float]:
    """Logits of what is left after the same seeded removals of neurons that read through the same cosets, in full."""
    forms = r.certificate["program"]["circuits"]
    groups: dict[Any, list[int]] = {}
    for j, number in enumerate(r.written["circuit"]):
        c = forms[number]
        alone = "elements" in (c["left"]["on"], c["right"]["on"])
        groups.setdefault(j if alone else json.dumps([c["left"], c["right"]]), []).append(j)
    members = list(groups.values())
    found = {}
    for share in (0.2, 0.4, 0.6):
        draws = []
        for seed in range(3):
            gone = np.random.default_rng(seed).permutation(len(members))[: round(share * len(members))]
            positions = [j for number in gone for j in members[number]]
            keep = np.ones(len(r.written["index"]), dtype=bool)
            keep[positions] = False
            mine = np.ones(r.network.width, dtype=bool)
            mine[r.written["index"][positions]] = False
            w = r.network
            left = r.logits(w.L[:, mine], w.R[:, mine], w.U[mine], w.b)
            draws.append(explained_share(left, r.program_logits(keep)))
        found[f"{share:.0%}"] = float(np.mean(draws))
    return found


@twin("equivalence.ablation_fve_by_share{}")
def _ablation_by_share(r: Run) -> list[Any]:
    """All logits after each removal."""
    return list(_removals(r).values())


@twin("equivalence.ablation_fve")
def _ablation(r: Run) -> list[Any]:
    """Their mean."""
    return [np.mean(list(_removals(r).values()))]


def _of_each(r: Run, found: Callable[[Run], Any]) -> list[Any]:
    """The same for every program of the curve, from its file."""
    return [found(r.with_program(point["name"])) for point in r.summary["curve"]]


@twin("curve[].ratio")
def _curve_ratio(r: Run) -> list[Any]:
    """Each program's from its file; prices rise along the curve."""
    fitted = [point["ratio"] for point in r.summary["curve"] if point["name"] != "provable"]
    assert fitted == sorted(fitted)
    return _of_each(r, lambda one: _ratio(one)[0])


@twin("curve[].answers_agree")
def _curve_agree(r: Run) -> list[Any]:
    """Argmaxes of float64 logits, each program's from its file; all pairs for the programs with a name of their own."""
    rows = dict(zip([point["name"] for point in r.summary["curve"]], _of_each(r, lambda one: _agree(one)[0]), strict=True))
    assert {rows.get(name, _pairs(r)[0]) for name in ("readable", "faithful", "provable")} == set(_pairs(r))
    return list(rows.values())


@twin("curve[].logit_fve")
def _curve_fve(r: Run) -> list[Any]:
    """From all logits of each program, from its file."""
    return _of_each(r, lambda one: _fve(one)[0])


@twin("curve[].runner_up_agree")
def _curve_runner_up(r: Run) -> list[Any]:
    """From all logits of the programs with a name of their own; of the others it is not measured."""
    found = []
    for point in r.summary["curve"]:
        known = point["name"] in ("readable", "faithful", "provable")
        found.append(_runner_up_held(r.with_program(point["name"]), point["runner_up_agree"])[0] if known else None)
    return found


@twin("curve[].ablation_fve")
def _curve_ablation(r: Run) -> list[Any]:
    """The mean over the shares, from all logits of each program, from its file."""
    return _of_each(r, lambda one: _ablation(one)[0])


@twin("curve[].ablation_fve_by_share{}")
def _curve_ablation_by_share(r: Run) -> list[Any]:
    """From all logits of each program, from its file."""
    return [value for shares in _of_each(r, lambda one: list(_removals(one).values())) for value in shares]


@twin("curve[].preactivation_bits")
def _bits(r: Run) -> list[Any]:
    """Each program's from its file."""
    return _of_each(r, lambda one: one.certificate["program"]["preactivation_bits"])


@twin("curve[].vote_bits")
def _vote_bits(r: Run) -> list[Any]:
    """Each program's from its file."""
    return _of_each(r, lambda one: one.certificate["program"]["vote_bits"])


def _after(r: Run, name: str) -> tuple[Any, Any]:
    """Float64 logits of network and program after the intervention with this name."""
    w, p = r.network, r.written
    left, right, votes = p["L"].T, p["R"].T, p["U"]
    if name.startswith("remove family "):
        family = name.removeprefix("remove family ")
        names = [_family_of(r, circuit) for circuit in r.certificate["program"]["circuits"]]
        keep = np.array([names[number] != family for number in p["circuit"]])
        mask = np.ones(r.network.width, dtype=bool)
        mask[p["index"][~keep]] = False
    elif name.startswith("remove "):
        share = float(name.split()[1].rstrip("%")) / 100
        keep, mask = _kept(r, share)
    else:
        keep, mask = np.ones(len(p["index"]), dtype=bool), np.ones(r.network.width, dtype=bool)
    program = left[:, keep], right[:, keep], votes[keep], p["b"]
    return _changed(name, w.L[:, mask], w.R[:, mask], w.U[mask], w.b), _changed(name, *program)


def _kept(r: Run, share: float) -> tuple[Any, Any]:
    forms, groups = r.certificate["program"]["circuits"], {}  # type: ignore[var-annotated]
    for j, number in enumerate(r.written["circuit"]):
        alone = "elements" in (forms[number]["left"]["on"], forms[number]["right"]["on"])
        groups.setdefault(j if alone else json.dumps([forms[number]["left"], forms[number]["right"]]), []).append(j)
    members = list(groups.values())
    gone = np.random.default_rng(0).permutation(len(members))[: round(share * len(members))]
    positions = [j for number in gone for j in members[number]]
    keep, mask = np.ones(len(r.written["index"]), dtype=bool), np.ones(r.network.width, dtype=bool)
    keep[positions], mask[r.written["index"][positions]] = False, False
    return keep, mask


def _changed(name: str, L: Any, R: Any, U: Any, b: Any) -> Any:
    if name == "|.| for relu":
        return np.abs(L[:, None] + R[None]) @ U + b
    left, right = ("left" in name or "both" in name), ("right" in name or "both" in name)
    if name.startswith("flip signs"):
        L, R = (-L if left else L), (-R if right else R)
    if name == "exchange inputs":
        L, R = R, L
    return np.maximum(L[:, None] + R[None], 0) @ U + b


def _levels(r: Run) -> list[dict[str, float]]:
    """All figures of level 3, from all float64 logits."""
    rows = []
    for row in r.summary["counterfactuals"]:
        theirs, ours = _after(r, row["name"])
        near = [0.05 * np.sqrt((centred(one)[:: max(1, r.group.order // 8)] ** 2).mean()) for one in (theirs, ours)]
        # a tie is no answer
        first, other = (np.where(margins(one) > 0, one.argmax(axis=2), -1) for one in (theirs, ours))
        chosen = np.take_along_axis(ours, first[..., None], axis=2)[..., 0]
        in_top = np.where(first < 0, other < 0, chosen >= ours.max(axis=2) - near[1])
        clear = (margins(theirs) >= near[0]) & (margins(ours) >= near[1]) & (first >= 0) & (other >= 0)
        rows.append(
            {
                "pairs": first.size,
                "network_right": (first == r.group.mul).mean(),
                "program_right": (other == r.group.mul).mean(),
                "logit_fve": explained_share(theirs, ours),
                "in_top_set": in_top.mean(),
                "clear": clear.mean(),
                "answers_agree_clear": (first == other)[clear].mean() if clear.any() else None,
            }
        )
    return rows


def _level(field: str) -> None:
    def found(r: Run) -> list[Any]:
        return [row[field] for row in _levels(r)]

    found.__doc__ = "From all float64 logits of both sides after the intervention."
    twin(f"counterfactuals[].{field}")(found)


@twin("counterfactuals[].between{}[]")
def _between(_: Run) -> list[Any]:
    """None here, where every pair is decided; tests/verify/test_shares_of_interventions.py holds intervals to fractions."""
    return []


for _field in ("pairs", "network_right", "program_right", "logit_fve", "in_top_set", "clear", "answers_agree_clear"):
    _level(_field)


@twin("gcr.irreps{}")
def _gcr(r: Run) -> list[Any]:
    """The cosine of the centred logits and each cube, cell by cell over all (a, b, c)."""
    from algebra.characters.character_table import character_table

    table, mul, inv = character_table(r.group), r.group.mul, r.group.inv
    flat = centred(r.theirs)
    cells = r.group.class_of[mul[mul[:, :, None], inv[None, None, :]]]
    shares = [abs((flat * row[cells]).sum()) ** 2 / ((flat**2).sum() * (np.abs(row[cells]) ** 2).sum()) for row in table.values[1:]]
    assert class_profile(r.network, r.group).shape == (len(table.names),)
    return [share for _, share in sorted(zip(table.names[1:], shares, strict=True))]


@twin("gcr.logit_fve")
def _gcr_total(r: Run) -> list[Any]:
    """The sum over irreps."""
    return [sum(_gcr(r))]


def _family_of(r: Run, circuit: JSON) -> str:
    """The family of a circuit, by the orders of its subgroups' generators: conjugates share a class, found by closing them again."""
    from algebra.permutation import parse_cycles
    from algebra.subgroup import closure

    def class_name(number: int) -> str:
        words = r.certificate["program"]["subgroups"][number]["generators"]
        mask = closure(r.group, [int(r.group.index_of(parse_cycles(word, r.group.degree))) for word in words])
        return r.lattice.names[int(r.lattice.class_of[r.lattice.find(mask)])]

    sides = circuit["left"], circuit["right"]
    if any(side["on"] == "elements" for side in sides):
        return "raw" if all(side["on"] == "elements" for side in sides) else "mixed"
    names = [class_name(side["subgroups"][0]) for side in sides]
    twisted = any(kernel is not None for side in sides for kernel in side["kernels"])
    index_two = all(2 * r.certificate["program"]["subgroups"][side["subgroups"][0]]["order"] == r.group.order for side in sides)
    if index_two and not twisted:
        return "sign"
    name = names[0] if len(set(names)) == 1 else " / ".join(names)
    dual = sides[0]["on"] == "left cosets" and sides[1]["on"] == "right cosets"
    return name + (" twisted" if twisted else " dual" if dual else "")


def _families(r: Run) -> list[tuple[str, int, int, float]]:
    circuits = r.certificate["program"]["circuits"]
    names = [_family_of(r, circuit) for circuit in circuits]
    found = []
    for name in dict.fromkeys(names):
        members = [c for c, n in zip(circuits, names, strict=True) if n == name]
        indices = [neuron["index"] for c in members for neuron in c["neurons"]]
        found.append((name, len(members), len(indices), float(r.energy[indices].sum() / r.energy.sum())))
    return sorted(found, key=lambda row: -row[3])


@twin("families[].circuits")
def _family_circuits(r: Run) -> list[Any]:
    """The circuits of program.json by the classes of their subgroups, made again from generators; together all of them."""
    assert sum(row[1] for row in _families(r)) == len(r.certificate["program"]["circuits"])
    return [row[1] for row in _families(r)]


@twin("families[].neurons")
def _family_neurons(r: Run) -> list[Any]:
    """Their neurons; together all of the program's."""
    assert sum(row[2] for row in _families(r)) == len(r.written["index"])
    return [row[2] for row in _families(r)]


@twin("families[].energy_share")
def _family_energy(r: Run) -> list[Any]:
    """From the activations of all pairs."""
    return [row[3] for row in _families(r)]


@twin("circuits[].number")
def _circuit_number(r: Run) -> list[Any]:
    """1, 2, 3, ... in the order of program.json."""
    return list(range(1, len(r.certificate["program"]["circuits"]) + 1))


@twin("circuits[].neurons")
def _circuit_neurons(r: Run) -> list[Any]:
    """Lists of program.json counted."""
    return [len(circuit["neurons"]) for circuit in r.certificate["program"]["circuits"]]


@twin("circuits[].energy_share")
def _circuit_energy(r: Run) -> list[Any]:
    """From the activations of all pairs."""
    members = [[neuron["index"] for neuron in circuit["neurons"]] for circuit in r.certificate["program"]["circuits"]]
    return [r.energy[indices].sum() / r.energy.sum() for indices in members]


def _members(r: Run) -> list[list[set[int]]]:
    """Each class as sets of elements."""
    return [[set(map(int, np.flatnonzero(r.lattice.all[k].mask))) for k in one.members] for one in r.lattice.classes]


@twin("lattice.nodes[].order")
def _node_order(r: Run) -> list[Any]:
    """Elements of a subgroup of the class."""
    return [len(one[0]) for one in _members(r)]


@twin("lattice.nodes[].length")
def _node_length(r: Run) -> list[Any]:
    """Conjugates by every element, counted once."""
    mul, inv = r.group.mul, r.group.inv
    everyone = range(r.group.order)
    return [len({frozenset(int(mul[mul[inv[g], h], g]) for h in one[0]) for g in everyone}) for one in _members(r)]


@twin("lattice.nodes[].used")
def _node_used(r: Run) -> list[Any]:
    """Neurons whose label names a subgroup of the class."""
    count: Counter[str] = Counter()
    for row in r.rows:
        named = {row[side].partition(" over ")[0] for side in ("left", "right") if row[side]}
        count.update({r.lattice.names[int(r.lattice.class_of[r.lattice.labels.index(name)])] for name in named})
    return [count[one.name] for one in r.lattice.classes]


@twin("lattice.nodes[].layer")
def _layer(r: Run) -> list[Any]:
    """The rank of the order among all orders."""
    orders = _node_order(r)
    return [sorted(set(orders)).index(order) for order in orders]


@twin("lattice.nodes[].x")
def _x(r: Run) -> list[Any]:
    """Where the routes of its edges begin and end; classes of one layer are apart."""
    lattice = r.summary["lattice"]
    places: dict[int, float] = {}
    for (a, b), route in zip(lattice["edges"], lattice["routes"], strict=True):
        places |= {a: route[0][0], b: route[-1][0]}
    by_layer: dict[int, list[float]] = {}
    for node in lattice["nodes"]:
        by_layer.setdefault(node["layer"], []).append(node["x"])
    assert all(b - a > 0.5 for xs in by_layer.values() for a, b in pairwise(sorted(xs)))
    return [places[k] for k in range(len(lattice["nodes"]))]


@twin("lattice.edges[][]")
def _edges(r: Run) -> list[Any]:
    """Pairs of classes with a subgroup of one inside one of the other and none in between, by sets of elements."""
    classes = _members(r)
    below = {(a, b) for a, one in enumerate(classes) for b, other in enumerate(classes) if any(s < t for s in one for t in other)}
    direct = [(a, b) for a, b in below if _covers(classes[a], classes[b], classes)]
    return [k for edge in sorted(direct) for k in edge]


def _covers(lower: list[set[int]], upper: list[set[int]], classes: list[list[set[int]]]) -> bool:
    return any(s < t and not any(s < m < t for one in classes for m in one) for s in lower[:1] for t in upper)


@twin("lattice.routes[][][]")
def _routes(r: Run) -> list[Any]:
    """Each route passes every layer between its ends once, from one node's place to the other's."""
    lattice = r.summary["lattice"]
    for (a, b), route in zip(lattice["edges"], lattice["routes"], strict=True):
        low, high = lattice["nodes"][a], lattice["nodes"][b]
        assert [layer for _, layer in route] == list(range(low["layer"], high["layer"] + 1))
        assert (route[0][0], route[-1][0]) == (low["x"], high["x"])
    return values_at(r.summary, "lattice.routes[][][]")


@twin("compact.certified")
def _certified(r: Run) -> list[Any]:
    """Pairs less the cells of the map that no strategy settled, a cell for a pair here; no fewer than the certificate's."""
    cells = values_at(r.summary, "compact_map.rows[][]")
    settled = sum(cell <= len(r.summary["compact"]["strategies"]) for cell in cells)
    assert settled >= r.certificate["compact"]["certified"]
    return [settled]


@twin("compact.flops")
def _flops(r: Run) -> list[Any]:
    """The strategies added up."""
    return [sum(values_at(r.summary, "compact.strategies[].flops"))]


@twin("compact.flops_brute")
def _brute(r: Run) -> list[Any]:
    """2 m multiplications and additions for each of |G| logits on |G|^2 pairs."""
    return [2 * r.network.width * r.theirs.size]


@twin("compact.strategies[].flops")
def _strategy_flops(r: Run) -> list[Any]:
    """None is negative, and the first is some where pairs were settled."""
    found = values_at(r.summary, "compact.strategies[].flops")
    assert all(flops >= 0 for flops in found)
    assert found[0] > 0 or not r.summary["compact"]["certified"]
    return found


@twin("compact.strategies[].certified")
def _strategy_pairs(r: Run) -> list[Any]:
    """Cells of the map with the strategy's number, a cell for a pair here; together no fewer than the certificate's."""
    counts = Counter(values_at(r.summary, "compact_map.rows[][]"))
    found = [counts[k + 1] for k in range(len(r.summary["compact"]["strategies"]))]
    assert sum(found) >= r.certificate["compact"]["certified"]
    return found


@twin("compact_map.rows[][]")
def _map(r: Run) -> list[Any]:
    """As many cells as pairs; what is left open is as many as the certificate's plan leaves, at most."""
    cells = values_at(r.summary, "compact_map.rows[][]")
    assert len(cells) == _pairs(r)[0]
    left = sum(cell == len(r.summary["compact"]["strategies"]) + 1 for cell in cells)
    assert left <= _pairs(r)[0] - r.certificate["compact"]["certified"]
    return cells


def _right_margins(r: Run) -> Any:
    return margins(r.theirs)[_right(r)]


@twin("margins.network[]")
def _margin_counts(r: Run) -> list[Any]:
    """Float64 margins of the right pairs, counted edge by edge; two pairs may lie within rounding of an edge."""
    edges, seen = r.summary["margins"]["edges"], _right_margins(r)
    counted = [int(((seen >= a) & (seen < b)).sum()) for a, b in pairwise(edges)]
    found = r.summary["margins"]["network"]
    assert sum(found) == len(seen)
    assert np.abs(np.array(counted) - found).sum() <= 4
    return list(found)


@twin("margins.edges[]")
def _margin_edges(r: Run) -> list[Any]:
    """Equal steps; 0 is one where any is below; the last is the greatest margin; the least, as certified, lies in the first bin."""
    edges, least = r.summary["margins"]["edges"], float(Fraction(r.certificate["correct"]["min_margin"]))
    assert edges[-1] == pytest.approx(_right_margins(r).max(), rel=1e-4)
    assert edges[0] <= least * (1 + 1e-5)
    first = next(k for k, count in enumerate(r.summary["margins"]["network"]) if count)
    assert edges[first] - 1e-4 * abs(least) <= least <= edges[first + 1] + 1e-4 * abs(least)
    assert edges[0] >= 0 or 0 in edges
    return [0 if edges[k] == 0 else edge for k, edge in enumerate(np.linspace(edges[0], edges[-1], len(edges)))]


@twin("margins.bound[]")
def _bound_counts(r: Run) -> list[Any]:
    """As many as pairs at most; sorted from below, each bound stays under the margin of the same rank."""
    found = r.summary["margins"]["bound"]
    assert sum(found) <= _pairs(r)[0]
    if sum(found) == _pairs(r)[0]:
        assert all(b >= n for b, n in zip(np.cumsum(found), np.cumsum(r.summary["margins"]["network"]), strict=True))
    return list(found)


def _conjugates(r: Run, elements: frozenset[int]) -> set[frozenset[int]]:
    """All x^-1 H x as sets of elements."""
    mul = r.group.mul
    back = mul.argmin(axis=1)  # the identity is element 0
    return {frozenset(int(mul[mul[back[x], h], x]) for h in elements) for x in range(r.group.order)}


def _elements(r: Run, name: str) -> frozenset[int]:
    return frozenset(np.flatnonzero(r.lattice.by_name(name).mask).tolist())


def _grids(r: Run) -> list[tuple[list[Any], list[Any], dict[Any, int]] | None]:
    """For each family its subgroups for x and for y as sets of elements, all conjugates among them, and neurons by pair."""
    program = r.certificate["program"]
    members = [
        frozenset(int(g) for g in np.flatnonzero(s.mask)) for s in map(r.lattice.by_name, (s["name"] for s in program["subgroups"]))
    ]
    found: list[tuple[Any, Any, dict[Any, int]] | None] = []
    for family in r.summary["families"]:
        pairs: Counter[Any] = Counter()
        plain = True
        for row, circuit in zip(r.summary["circuits"], program["circuits"], strict=True):
            if row["family"] == family["name"]:
                sides = [_read_through(r, circuit[side], members) for side in ("left", "right")]
                plain = plain and None not in sides
                pairs[tuple(sides)] += len(circuit["neurons"])
        if not plain:
            found.append(None)
            continue
        left, right = (sorted({c for pair in pairs for c in _conjugates(r, pair[k])}, key=sorted) for k in (0, 1))
        found.append((left, right, dict(pairs)))
    return found


def _read_through(r: Run, form: JSON, members: list[frozenset[int]]) -> frozenset[int] | None:
    """The subgroup whose cosets a form reads: its own, or all elements that leave its one point where it is; None for others."""
    if form["on"] in ("right cosets", "left cosets"):
        return members[form["subgroups"][0]]
    if form["on"] not in ("images", "preimages", "shared") or sum(map(bool, form["weights"])) != 1:
        return None
    mul, cosets = r.group.mul, []
    for x in range(r.group.order):  # points are right cosets in the order of their least elements
        coset = {int(mul[h, x]) for h in members[form["subgroups"][0]]}
        cosets += [coset] if coset not in cosets else []
    point = next(coset for coset, weight in zip(cosets, form["weights"], strict=True) if weight)
    return frozenset(g for g in range(r.group.order) if {int(mul[c, g]) for c in point} == point)


@twin("families[].grid.neurons[][]")
def _grid_neurons(r: Run) -> list[Any]:
    """Circuits of program.json by the subgroups that fix what they look at, as sets of elements, conjugates by conjugation."""
    values = []
    for family, grid in zip(r.summary["families"], _grids(r), strict=True):
        assert (family["grid"] is None) == (grid is None)
        if grid is not None:
            named = [
                [frozenset(np.flatnonzero(r.lattice.by_name(n).mask).tolist()) for n in family["grid"][k]] for k in ("rows", "columns")
            ]
            assert [set(side) for side in named] == [set(side) for side in grid[:2]]
            values += [grid[2].get((h, k), 0) for h in named[0] for k in named[1]]
    return values


@twin("families[].grid.covered")
def _grid_covered(r: Run) -> list[Any]:
    """Pairs of sets with a neuron."""
    return [len(grid[2]) for grid in _grids(r) if grid is not None]


@twin("families[].grid.possible")
def _grid_possible(r: Run) -> list[Any]:
    """Conjugates, counted by conjugation, for x times those for y."""
    return [len(grid[0]) * len(grid[1]) for grid in _grids(r) if grid is not None]


def _tables(r: Run) -> list[tuple[int, list[int], list[int], list[int], Any, Any]]:
    """The vote tables again by program.py's runtime: circuit, least elements of rows, columns, kinds, products, votes."""
    voting = Voting(program_constants(r.certificate["program"]))
    found = []
    for table in r.summary["vote_tables"]:
        circuit = voting.circuits[table["circuit"] - 1]
        kinds = [rows.kind for rows in (circuit.left, circuit.right, circuit.weights)]
        least = [[kind.index(k) for k in range(max(kind) + 1)] for kind in kinds]
        votes = [[[circuit.votes(x, y)[z] for z in least[2]] for y in least[1]] for x in least[0]]
        met: list[list[set[int]]] = [[set() for _ in least[1]] for _ in least[0]]
        for x, p in enumerate(kinds[0]):
            for y, q in enumerate(kinds[1]):
                met[p][q].add(kinds[2][r.group.mul[x, y]])
        products = [[cell.pop() if len(cell) == 1 else None for cell in line] for line in met]
        found.append((table["circuit"], *least, products, votes))
    return found


@twin("vote_tables[].circuit")
def _table_circuit(r: Run) -> list[Any]:
    """One circuit of each of the largest families, the one with most energy that is small enough."""
    voting = Voting(program_constants(r.certificate["program"]))
    rows = {row["number"]: row for row in r.summary["circuits"]}
    for number, circuit in enumerate(voting.circuits, 1):
        if len(circuit.left.rows) * len(circuit.right.rows) > 400 or len(circuit.weights.rows) > 12:
            del rows[number]
    numbers = [table["circuit"] for table in r.summary["vote_tables"]]
    assert len({rows[n]["family"] for n in numbers}) == len(numbers) > 0
    for n in numbers:
        assert rows[n]["energy_share"] == max(row["energy_share"] for row in rows.values() if row["family"] == rows[n]["family"])
    return numbers


def _part_of_tables(path: str, place: int, depth: int) -> None:
    def found(r: Run) -> list[Any]:
        values: list[Any] = [table[place] for table in _tables(r)]
        for _ in range(depth):
            values = [part for one in values for part in one]
        return values

    found.__doc__ = "From the votes of program.py on every pair of elements, and all products."
    twin(path)(found)


_part_of_tables("vote_tables[].rows[]", 1, 1)
_part_of_tables("vote_tables[].columns[]", 2, 1)
_part_of_tables("vote_tables[].kinds[]", 3, 1)
_part_of_tables("vote_tables[].products[][]", 4, 2)
_part_of_tables("vote_tables[].votes[][][]", 5, 3)


@twin("margin_map.step")
def _map_step(r: Run) -> list[Any]:
    """The least side with at most 60 squares in a row."""
    return [next(step for step in range(1, r.group.order + 1) if step * 60 >= r.group.order)]


@twin("margin_map.rows[][]")
def _map_rows(r: Run) -> list[Any]:
    """All float64 margins of pairs whose argmax is right, square by square."""
    step, n = _map_step(r)[0], r.group.order
    good = r.theirs.argmax(axis=2) == r.group.mul
    found = np.where(good, margins(r.theirs), np.inf)
    squares = [found[a : a + step, b : b + step].min() for a in range(0, n, step) for b in range(0, n, step)]
    return [None if np.isinf(value) else value for value in squares]


def _took(path: str) -> None:
    def found(r: Run) -> list[Any]:
        values = values_at(r.summary, path)
        assert all(0 <= value <= r.wall for value in values)
        return values

    found.__doc__ = "No less than nothing and no more than a clock beside the run says."
    twin(path)(found)


for _path in (
    "correct.seconds",
    "program.seconds",
    "symbolic.seconds",
    "symbolic.seconds_search",
    "symbolic.obligations[].seconds",
    "symbolic.obligations[].opinions{}.seconds",
    "compact.seconds",
    "compact.seconds_brute",
    "compact.seconds_search",
    "compact.strategies[].seconds",
):
    _took(_path)


@twin("theorem.mistakes")
def _mistakes(r: Run) -> list[Any]:
    """The number of wrong pairs in the certificate; none where no theorem was written."""
    return [] if r.summary["theorem"] is None else [len(r.certificate["correct"]["wrong"])]


@twin("seconds{}")
def _steps(r: Run) -> list[Any]:
    """The steps add up to nearly the total, and the total to no more than a clock beside the run says."""
    steps = dict(r.summary["seconds"])
    total = steps.pop("total")
    assert sum(steps.values()) <= total * 1.001
    assert sum(steps.values()) >= 0.5 * total
    assert total <= r.wall
    return list(r.summary["seconds"].values())


# ---- the tests


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run on a network with coset, twisted, sign, raw and dead neurons."""
    folder = tmp_path_factory.mktemp("numbers")
    kinds = {"sign": 2, "dead": 1, "twisted": 4}
    weights = planted_network(parse_group("S4"), seed=1, width=48, kinds=kinds, noise=0.01).network.weights
    save_folded(folder / "n.safetensors", weights)
    said: list[str] = []
    started = time.perf_counter()
    run(folder / "n.safetensors", "S4", folder / "out", timeout_s=5, progress=said.append)
    return Run(folder / "out", folder / "n.safetensors", "S4", time.perf_counter() - started, said)


SETTINGS_PAGE = Path(__file__).parents[3] / "docs" / "settings.md"


def _setting(path: str) -> None:
    def found(_: Run) -> list[Any]:
        name = path.removeprefix("settings.").removesuffix("[]")
        row = next(row for row in SETTINGS_PAGE.read_text(encoding="utf-8").splitlines() if row.startswith(f"| `{name}` |"))
        return json.loads(f"[{row.split(' | ')[1]}]")  # type: ignore[no-any-return]

    found.__doc__ = "The value on docs/settings.md."
    twin(path)(found)


for _path in dict.fromkeys(numbers_of(Settings, "settings")):
    _setting(_path)


def test_every_number_has_a_twin() -> None:
    """The paths of the numbers in the type are those with a twin."""
    paths = set(numbers_of(Summary))
    assert paths - TWINS.keys() == set()
    assert TWINS.keys() - paths == set()


@pytest.mark.parametrize("path", sorted(TWINS))
def test_a_number_is_its_twin(path: str, done: Run) -> None:
    """What the summary says, to the six digits that it says it with (float32 sums to five)."""
    said, other = values_at(done.summary, path), TWINS[path](done)
    assert len(said) == len(other)
    for one, twin_of_it in zip(said, other, strict=True):
        if one is None or twin_of_it is None or isinstance(one, int):
            assert one == twin_of_it
        else:
            assert one == pytest.approx(twin_of_it, rel=2e-5, abs=2e-6)


@pytest.mark.parametrize(("field", "of"), [("pairs", "correct"), ("agree", "equivalent")])
def test_a_number_that_is_one_off_is_noticed(field: str, of: str, done: Run) -> None:
    """The comparison fails for a figure that is one too large."""
    path = {"pairs": "correct.pairs", "agree": "equivalence.answers_agree"}[field]
    assert values_at(done.summary, path) == [done.certificate[of][field]]
    assert values_at(done.summary, path) != [TWINS[path](done)[0] + 1]


def test_the_page_lists_the_numbers_with_their_twins() -> None:
    """docs/numbers.md is what this registry says."""
    assert PAGE.read_text(encoding="utf-8") == page()


def page() -> str:
    """docs/numbers.md."""
    lines = [
        "# Every number and its twin",
        "",
        "Each number in `summary.json` is computed a second time in `tests/verify/record/test_numbers.py`, in another way, from the",
        "files of a run and on all pairs: all logits at once in float64, subgroups as sets of elements, the program as `program.py`",
        "runs it. The tests compare the two, and fail for a number that has no twin. `[]` stands for the entries of a list, `{}` for",
        "the values of a dictionary. Times are held to bounds instead, as their rows say.",
        "",
        "| number | its twin |",
        "|---|---|",
    ]
    for path in sorted(TWINS):
        said = " ".join((TWINS[path].__doc__ or "").split())
        lines.append(f"| `{path}` | {said.replace('|', chr(92) + '|')} |")
    return "\n".join(lines) + "\n"
