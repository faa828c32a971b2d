"""Two networks, programs or runs side by side: answers, margins, labels, and circuits that appear, vanish or change.

Each side is a checkpoint (analysed here, its readable program found), a program.json (answers by exact evaluation, no labels), or the
directory of a run (nothing is computed again: certificate.json and summary.json say it, and the seal is looked at first).
Answers and margins are exact on every pair; labels describe.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, TypedDict

import msgspec
import numpy as np

from algebra.plural import plural
from net.errors import MalformedInput
from reports.escaping import escaped
from reports.numbers import rational
from verify.record.neuron_rows import share_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from algebra.group import FiniteGroup
    from net.weights import Weights
    from verify.exact.exhaustive import Evaluation
    from verify.program.program import Program
    from verify.record.certificate import Correct

#: Pairs, neurons and circuits that are listed one by one.
LISTED = 10


@dataclass(frozen=True)
class DiffSide:
    """One of the two: ``answers`` [x, y] (-1 for a tie), the least margin of the right answers, and what is known of its neurons.

    ``neurons`` gives the kind and the two subgroups of each neuron by number; None for a program. ``neuron_energy`` is the share of
    energy of each, {} for a program. ``convention`` are the numbering and the product by which a checkpoint was read.
    """

    name: str
    group: FiniteGroup
    answers: np.ndarray
    least_margin: str | None
    neurons: Mapping[int, tuple[str, str | None, str | None]] | None
    neuron_energy: Mapping[int, float]
    program: Program
    convention: tuple[str, str] | None = None

    @property
    def right(self) -> int:
        """On how many pairs the answer is xy."""
        return int((self.answers == self.group.mul).sum())


def side(
    path: Path,
    group: str | None = None,
    progress: Callable[[str], None] = lambda _: None,
    order: str | None = None,
    product: str | None = None,
) -> DiffSide:
    """What the path stands for; group, numbering and product are those of a checkpoint, detected where they are None.

    Raises:
        MalformedInput: it is no checkpoint, program or run, or its certificate does not have the digest that it states.
        GroupError: no group has this name.

    """
    if path.is_dir():
        return _of_run(path)
    if path.name in ("certificate.json", "summary.json") and path.is_file():
        raise MalformedInput(
            f"expected a checkpoint, a program.json or the folder of a run, got {path}: give its folder, {path.parent}"
        )
    if path.suffix == ".json" and not path.name.endswith(".index.json"):  # which is that of a checkpoint in several files
        return _of_program(path)
    return _of_checkpoint(path, group, progress, order, product)


def _of_run(folder: Path) -> DiffSide:
    from verify.record.certificate import Certificate, sealed
    from verify.record.summary import read_summary

    path = folder / "certificate.json"
    if not path.is_file():
        raise MalformedInput(f"expected a checkpoint, a program.json or the directory of a run, got {folder} without certificate.json")
    try:
        certificate = msgspec.json.decode(path.read_bytes(), type=Certificate)
        summary = read_summary(folder / "summary.json")
    except (msgspec.DecodeError, FileNotFoundError) as error:
        raise MalformedInput(f"expected a run of this version in {folder}, got one that cannot be read: {error}") from error
    if sealed(certificate).sha256 != certificate.sha256:
        raise MalformedInput(f"expected {path} as it was written, got one with another digest: run it again")
    rows = {row.index: row for row in summary.program.neurons}
    if summary.checkpoint.sha256 != certificate.checkpoint.sha256 or sorted(rows) != [*range(certificate.checkpoint.width)]:
        raise MalformedInput(f"expected certificate.json and summary.json of one run in {folder}, got those of two: run it again")
    if certificate.group != certificate.program.group:
        raise MalformedInput(f"expected a certificate and a program about one group in {path}, got two groups")
    group = _group_of(certificate.program, path)
    return DiffSide(
        str(folder),
        group,
        _answers_of(certificate.correct, group, path),
        certificate.correct.min_margin,
        {index: (row.kind, row.left, row.right) for index, row in rows.items()},
        {index: row.energy_share for index, row in rows.items()},
        certificate.program,
        (certificate.checkpoint.order, certificate.checkpoint.product),
    )


def _group_of(program: Program, path: Path) -> FiniteGroup:
    """The program's group, once all that its forms name has been looked at."""
    from algebra.errors import GroupError
    from verify.program.form import check_circuit, over_group
    from verify.program.program import group_of, program_subgroups

    try:
        group = group_of(program.group)
        if group.order != program.group.order:
            raise ValueError(f"expected {program.group.order} elements, got generators of {group.order}")
        subgroups = program_subgroups(program, group)
        for circuit in program.circuits:
            check_circuit(group, *(over_group(form, subgroups) for form in (circuit.left, circuit.right, circuit.votes)))
    except (ValueError, IndexError, OverflowError, GroupError) as error:
        raise MalformedInput(f"expected a program over a group in {path}, got something else: {error}") from error
    return group


def _answers_of(correct: Correct, group: FiniteGroup, path: Path) -> np.ndarray:
    """The answers [x, y] that a certificate states by its list of wrong ones."""
    n, answers = group.order, group.mul.astype(np.int64)
    for x, y, answer in correct.wrong:
        if not (0 <= x < n and 0 <= y < n and -1 <= answer < n):
            raise MalformedInput(f"expected pairs and answers below {n} in {path}, got {x, y, answer!s:.80}")
        answers[x, y] = answer
    right = int((answers == group.mul).sum())
    if correct.right != right or (correct.pairs, right + len(correct.wrong)) != (n * n, n * n):
        raise MalformedInput(f"expected wrong pairs and the number of right ones to make up {n * n} pairs in {path}, got others")
    try:
        margin = Fraction(correct.min_margin or 1)
    except (ValueError, ZeroDivisionError):
        margin = Fraction(0)
    if margin <= 0:
        raise MalformedInput(f"expected a least margin above 0 in {path}, got {correct.min_margin!r:.60}")
    return answers


def _of_program(path: Path) -> DiffSide:
    from verify.exact.exhaustive import evaluate
    from verify.program.program import Program, expand, program_subgroups

    try:
        program = msgspec.json.decode(path.read_bytes(), type=Program)
    except msgspec.DecodeError as error:
        raise MalformedInput(f"expected a program (program.json) in {path}, got something else: {error}") from error
    group = _group_of(program, path)
    try:
        weights = expand(program, group, program_subgroups(program, group))
        evaluation = evaluate(weights, expected=group.mul)
        least = _least(weights, evaluation, group)
    except ValueError as error:  # a list of another length than its form's, a margin of more digits than Python writes
        raise MalformedInput(f"{path}: {error}") from error
    return DiffSide(str(path), group, evaluation.answer, least, None, {}, program)


def _of_checkpoint(path: Path, group: str | None, progress: Callable[[str], None], order: str | None, product: str | None) -> DiffSide:
    from verify.analysis import analyse

    analysis = analyse(path, group, order=order, product=product, timeout_s=0, progress=progress)
    neurons, convention = analysis.neurons, analysis.network.convention
    return DiffSide(
        str(path),
        analysis.group,
        analysis.evaluation.answer,
        analysis.correct.min_margin,
        {neuron.index: (neuron.kind, neuron.left, neuron.right) for neuron in neurons},
        {neuron.index: neuron.energy_share for neuron in neurons},
        analysis.programs["readable"].record(),
        None if convention is None else (convention.order, convention.product),
    )


def _least(weights: Weights, evaluation: Evaluation, group: FiniteGroup) -> str | None:
    from verify.exact.exhaustive import smallest_margin

    found = smallest_margin(weights, evaluation, group.mul)
    return None if found is None else str(found[0])


def circuits(program: Program) -> dict[str, tuple[int, ...]]:
    """The neurons of each circuit, by what it reads x and y through and votes on, in words."""
    from verify.program.editable import form_in_words

    names = [record.name for record in program.subgroups]
    found: dict[str, list[int]] = defaultdict(list)
    for circuit in program.circuits:
        x, y, z = (form_in_words(form, names) for form in (circuit.left, circuit.right, circuit.votes))
        found[f"x by {x}, y by {y}, votes on {z}"] += [neuron.index for neuron in circuit.neurons]
    return {words: tuple(numbers) for words, numbers in found.items()}


class CircuitRow(TypedDict):
    """A circuit in one of two programs alone."""

    neurons: tuple[int, ...]
    energy: float


class CircuitChanges(TypedDict):
    """Circuits by their words: those of one program alone, those with other neurons, and how many are the same."""

    only_a: dict[str, CircuitRow]
    only_b: dict[str, CircuitRow]
    changed: dict[str, tuple[tuple[int, ...], tuple[int, ...]]]
    same: int


Label = tuple[str, str | None, str | None]


class NeuronDifference(TypedDict, total=False):
    """What is known where both have neurons; labels where there are equally many."""

    width: list[int]
    kinds: list[dict[str, int]]
    relabelled: dict[int, tuple[Label, Label]]


class Difference(NeuronDifference):
    """What `diff` finds; lists of two are of A and B, pairs that differ are (x, y, answer of A, answer of B)."""

    a: str
    b: str
    group: str
    read: list[tuple[str, str] | None]
    pairs: int
    right: list[int]
    least_margin: list[str | None]
    answers_differ: list[tuple[int, int, int, int]]
    constants: list[int]
    circuits: CircuitChanges


def diff(a: DiffSide, b: DiffSide) -> Difference:
    """Everything that differs, for `markdown` and for JSON.

    Raises:
        MalformedInput: they are about different groups.

    """
    if not np.array_equal(a.group.elements, b.group.elements):
        raise MalformedInput(f"expected two about the same group, got {a.group.name} and {b.group.name}")
    differ = [
        (int(x), int(y), int(a.answers[x, y]), int(b.answers[x, y])) for x, y in zip(*np.nonzero(a.answers != b.answers), strict=True)
    ]
    one, two = circuits(a.program), circuits(b.program)
    known: NeuronDifference = {}
    if a.neurons is not None and b.neurons is not None:
        known["width"] = [len(a.neurons), len(b.neurons)]
        counts = [Counter(label[0] for label in neurons.values()) for neurons in (a.neurons, b.neurons)]
        known["kinds"] = [dict(sorted(kinds.items())) for kinds in counts]
        if len(a.neurons) == len(b.neurons):
            known["relabelled"] = {i: (a.neurons[i], b.neurons[i]) for i in a.neurons if a.neurons[i] != b.neurons.get(i)}
    return {
        "a": a.name,
        "b": b.name,
        "group": a.group.name,
        "read": [a.convention, b.convention],
        "pairs": int(a.answers.size),
        "right": [a.right, b.right],
        "least_margin": [a.least_margin, b.least_margin],
        "answers_differ": differ,
        "constants": [a.program.constants, b.program.constants],
        **known,
        "circuits": {
            "only_a": _with_energy({words: one[words] for words in one if words not in two}, a),
            "only_b": _with_energy({words: two[words] for words in two if words not in one}, b),
            "changed": {words: (one[words], two[words]) for words in one if words in two and one[words] != two[words]},
            "same": sum(words in two and one[words] == two[words] for words in one),
        },
    }


def _with_energy(found: dict[str, tuple[int, ...]], of: DiffSide) -> dict[str, CircuitRow]:
    """Circuits with their neurons and share of energy, those with most first."""
    energy = {}
    for words, neurons in found.items():
        inside = {*neurons}
        part = math.fsum(of.neuron_energy.get(i, 0.0) for i in inside)
        energy[words] = share_of(part, math.fsum(e for i, e in of.neuron_energy.items() if i not in inside))
    return {
        words: {"neurons": found[words], "energy": energy[words]} for words in sorted(found, key=lambda words: (-energy[words], words))
    }


def markdown(found: Difference, group: FiniteGroup) -> str:
    """The differences in words."""
    from algebra.permutation import format_cycles
    from verify.record.explain import percentage

    def cycles(g: int) -> str:
        return "a tie" if g < 0 else format_cycles(tuple(int(i) for i in group.elements[g]))

    pairs = found["pairs"]
    lines = [
        f"A: {escaped(found['a'])}",
        f"B: {escaped(found['b'])}",
        *_turned(found["read"]),
        "",
        f"- answers: {len(found['answers_differ']):,} of {plural(pairs, 'pair')} differ",
        f"- right answers: A {found['right'][0]:,}, B {found['right'][1]:,}",
    ]
    lines[-1:-1] = [
        f"  - x = {cycles(x)}, y = {cycles(y)}: A {cycles(p)}, B {cycles(q)}" for x, y, p, q in found["answers_differ"][:LISTED]
    ]
    margins = ["none" if m is None else rational(m) for m in found["least_margin"]]
    lines.append(f"- least margin of a right answer: A {margins[0]}, B {margins[1]}")
    lines.append(f"- constants of the program: A {found['constants'][0]:,}, B {found['constants'][1]:,}")
    if "kinds" in found:
        listed = [", ".join(f"{count} {kind}" for kind, count in kinds.items()) or "none" for kinds in found["kinds"]]
        lines.append(f"- neurons: A {listed[0]}; B {listed[1]}")
    if "relabelled" in found:
        lines.append(f"- neurons with another label: {len(found['relabelled']):,}")
        lines += [f"  - {i}: A {_label(p)}; B {_label(q)}" for i, (p, q) in list(found["relabelled"].items())[:LISTED]]
    changes = found["circuits"]
    lines.append(
        f"- circuits: {len(changes['only_a'])} in A alone, {len(changes['only_b'])} in B alone, {len(changes['changed'])} with other"
        f" neurons, {changes['same']} with the same neurons"
    )
    for letter, rows in (("A", changes["only_a"]), ("B", changes["only_b"])):
        for words, row in list(rows.items())[:LISTED]:
            energy = f", {percentage(row['energy'])} of the energy" if row["energy"] else ""
            lines.append(f"  - {letter} alone: {escaped(words)}: {plural(len(row['neurons']), 'neuron')}{energy}")
    lines += [
        f"  - changed: {escaped(words)}: A {plural(len(p), 'neuron')}, B {plural(len(q), 'neuron')}, {len({*p} & {*q})} of them in both"
        for words, (p, q) in list(changes["changed"].items())[:LISTED]
    ]
    if any(
        len(rows) > LISTED
        for rows in (found["answers_differ"], found.get("relabelled", {}), changes["only_a"], changes["only_b"], changes["changed"])
    ):
        lines.append(f"\nAt most {LISTED} of each kind are listed; --json lists all.")
    return "\n".join(lines) + "\n"


def _turned(read: list[tuple[str, str] | None]) -> list[str]:
    """A line about two files of which one has another numbering or product, or one of its own: not their numbers are compared."""
    words = ["" if one is None else escaped(f"{one[0]}, {one[1]}") for one in read]
    if None in read or (read[0] == read[1] and read[0] is not None and read[0][0] != "table"):
        return []
    return [
        "",
        f"Each is read by its own numbering and product (A {words[0]}; B {words[1]}); what follows is about x times y in the group.",
    ]


def _label(label: tuple[str, str | None, str | None]) -> str:
    kind, left, right = label
    return kind if left is None else escaped(f"{kind}, {left} and {right}")
