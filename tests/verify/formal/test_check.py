"""The theory's check: its twin in Python against brute force, and Coq's own function, evaluated, against the twin."""

import dataclasses
import itertools
import json
import random
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verify.formal.plan import CoqPlan, plan_text
from verify.formal.project import theory_files
from verify.formal.text import StoredNetwork, list_of, mistakes_text, network_text, splits

S3 = list(itertools.permutations(range(3)))
NUMBERING = [S3[k] for k in (5, 0, 3, 1, 4, 2)]
HEADER = """From Coq Require Import ZArith List Uint63.
From CosetVerify Require Import Definitions Sums Machine Rounding Groups Exceptions Pairs Check Packing Loss Tables Factored AllPairs.
Import ListNotations.
Set Warnings "-abstract-large-number".
Set Printing Depth 100000.
Open Scope list_scope.
Definition behind (D : stored) (x y z : nat) : bool :=
  let w := nth y (nth x (products (stored_numbering D)) []) 0%nat in
  let word := fun k => dot63 (nth k (machine_bias D) 0%uint63) (hidden63 (nth x (upper_left D) []) (nth y (upper_right D) []))
    (nth k (upper_votes D) []) in
  beats (machine_slack D) (word w) (word z).
Definition left_open (D : stored) (C : plan) (x y : nat) : list nat :=
  let w := nth y (nth x (products (stored_numbering D)) []) 0%nat in
  let r := nth y (upper_right D) [] in
  open_numbers (seq 0 (order D)) (of_Z (firing_limit D C)) (of_Z (units D)) (of_Z (input_cut C)) (of_Z (input_cut C + vote_cut C))
    (bias_words D C) (most D C) (least D C) (arranged C (nth x (upper_left D) [])) (forest_levels (forest C) x) (arranged C r)
    (arranged C (nth w (upper_votes D) [])) (forest_cells (forest C) x)
    (map (fun t => table (of_Z (input_cut C)) (prepare (vote_words D C) t) r) (forest C)) w.
Definition all (n : nat) {T : Type} (f : nat -> nat -> T) : list (list T) := map (fun x => map (f x) (seq 0 n)) (seq 0 n).
"""


def wrong_pairs(projects: SimpleNamespace, network: StoredNetwork) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """By definition: the pairs at which some other logit is not below that of the product."""
    found = []
    elements = [tuple(x) for x in network.numbering]
    for x, y in itertools.product(range(len(elements)), repeat=2):
        logits = [projects.logit(network, x, y, z) for z in range(len(elements))]
        w = elements.index(projects.times(elements[x], elements[y]))
        if max(logits[:w] + logits[w + 1 :]) >= logits[w]:
            found.append((elements[x], elements[y]))
    return found


def changed(projects: SimpleNamespace, seed: int, changes: int, scale: int) -> StoredNetwork:
    """A look-up network some of whose integers are drawn anew."""
    draw = random.Random(seed)
    network: StoredNetwork = projects.lookup(draw.choice([S3, NUMBERING]), scale=scale)
    for _ in range(changes):
        name = draw.choice(["left", "right", "votes"])
        rows = [list(row) for row in getattr(network, name)]
        rows[draw.randrange(6)][draw.randrange(36)] = draw.randint(-2 * scale, 2 * scale)
        changed: dict[str, Any] = {name: rows}
        network = dataclasses.replace(network, **changed)
    return network


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 12), st.sampled_from([1, 1000, 1 << 40, 1 << 100]))
def test_the_twin_says_what_brute_force_says(projects: SimpleNamespace, seed: int, changes: int, scale: int) -> None:
    """It accepts a network exactly when that is right everywhere, and a list of mistakes exactly when these are the wrong pairs."""
    network = changed(projects, seed, changes, scale)
    twin, wrong = projects.Twin(network), wrong_pairs(projects, network)
    every = [(x, y) for x in S3 for y in S3]
    flipped = random.Random(seed).choice(every)

    assert twin.sizes_ok()
    assert twin.check() == (not wrong)
    assert twin.check_except(wrong)
    assert not twin.check_except([pair for pair in every if (pair in wrong) != (pair == flipped)])


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 6), st.sampled_from([1000, 1 << 40]), st.integers(0, 1 << 20))
def test_what_the_twin_of_the_tables_settles_is_so(
    projects: SimpleNamespace, seed: int, changes: int, scale: int, spoiled: int
) -> None:
    """A number that tables do not leave open is behind, by definition, whatever the levels."""
    network = changed(projects, seed, changes, scale)
    twin = projects.Twin(network)
    tables = projects.Tables(twin, projects.plan(network, False, spoiled))
    for x, y in itertools.product(range(6), repeat=2):
        w, left_open = twin.answer(x, y), tables.open_numbers(x, y)
        assert all(projects.logit(network, x, y, z) < projects.logit(network, x, y, w) for z in range(6) if z not in [*left_open, w])


@dataclasses.dataclass
class Case:
    """A network, lists of mistakes to try, and a plan with what the check through it must say."""

    network: StoredNetwork
    lists: list[list[tuple[tuple[int, ...], tuple[int, ...]]]]
    plan: CoqPlan
    plan_is_one: bool = True

    def module(self, k: int) -> str:
        """The Coq text that evaluates everything about the case."""
        n, lists = len(self.network.numbering), range(len(self.lists))
        stated = [mistakes_text(dataclasses.replace(self.network, mistakes=pairs)) for pairs in self.lists]
        parts = [network_text(self.network), plan_text(self.plan)]
        parts += [text.replace("Definition mistakes ", f"Definition mistakes_{j} ") for j, text in enumerate(stated)]
        definitions = "\n".join(text.partition("Open Scope list_scope.\n")[2] for text in parts)
        full = ["check 3 generators D", *(f"check_except 3 generators D mistakes_{j}" for j in lists)]
        through = [
            "check_tables 3 generators D mirrored chosen",
            *(f"check_tables_except 3 generators D mirrored chosen mistakes_{j}" for j in lists),
        ]
        return f"""Module Case{k}.
{definitions}
Definition D : stored := Stored {len(self.network.left[0])} elements (Digits left_width left_high left_lower)
  (Digits right_width right_high right_lower) (Digits votes_width votes_high votes_lower) bias_entries.
Eval vm_compute in {list_of(full)}.
Eval vm_compute in {list_of(through)}.
Eval vm_compute in all {n} (fun x y => map (behind D x y) (seq 0 {n})).
Eval vm_compute in all {n} (left_open D chosen).
Definition at_number (k : nat) : permutation := nth k elements [].
Eval vm_compute in all {n} (fun x y => map (fun z => logit weights (at_number x) (at_number y) (at_number z)) (seq 0 {n})).
End Case{k}.
"""


def cases(projects: SimpleNamespace) -> Iterator[Case]:
    """Right and wrong networks, margins of one part in 2^190, ties, lists that are not the group, and plans that are none."""
    right = projects.lookup(NUMBERING)
    for seed in range(4):
        network = changed(projects, seed, 4 * (seed // 2), [1, 1 << 100, 1000, 1 << 40][seed])
        wrong = wrong_pairs(projects, network)
        other = (S3[seed], S3[1])
        lists = [wrong, [*wrong, other], [pair for pair in wrong if pair != other][1:]]
        yield Case(network, lists, projects.plan(network, seed % 2 == 1, (seed // 2) << 10))
    network = projects.random(12, numbering=NUMBERING, spread=2**40)
    wrong = wrong_pairs(projects, network)
    yield Case(network, [wrong, wrong[::-1], wrong[1:]], projects.plan(network, False))
    flipped = projects.lookup(flip=7)
    yield Case(flipped, [wrong_pairs(projects, flipped), [(S3[0], S3[0])]], projects.plan(flipped, True, 1 << 22))
    silent = dataclasses.replace(right, votes=[[0] * 36 for _ in S3])
    yield Case(silent, [[(x, y) for x in S3 for y in S3]], projects.plan(silent, False))
    large = projects.lookup(scale=1 << 100)
    margin = max(large.votes[0]) * max(large.right[0])
    for step in (0, 1):  # element 0 stays behind by one unit where it is not the answer, or ties
        lifted = dataclasses.replace(large, bias=[margin - 1 + step, *[0] * 5])
        yield Case(lifted, [wrong_pairs(projects, lifted)], projects.plan(lifted, step == 1))
    # an element twice; one that is missing; a list that holds more than the generated group
    twice = dataclasses.replace(right, numbering=[*S3[:5], S3[0]])
    yield Case(twice, [[]], projects.plan(twice, False))
    rows = {name: getattr(right, name)[:5] for name in ("numbering", "left", "right", "votes", "bias")}
    missing = dataclasses.replace(right, **rows)
    yield Case(missing, [[]], projects.plan(missing, False))
    more = dataclasses.replace(right, generators=[(1, 2, 0)])
    yield Case(more, [[]], projects.plan(more, False))
    whole = projects.plan(right, False)
    first, second = whole.families[:2]
    twice_read = dataclasses.replace(first, members=[*first.members[:-1], second.members[0]])
    yield Case(right, [[]], dataclasses.replace(whole, families=[twice_read, *whole.families[1:]]), plan_is_one=False)


@pytest.mark.slow
def test_coq_computes_what_the_twin_computes(projects: SimpleNamespace, theory: Path, tmp_path: Path) -> None:
    """Whether each check accepts, what words decide, what tables leave open and every logit: Coq's kernel and Python agree."""
    every = list(cases(projects))
    text = HEADER + "".join(case.module(k) for k, case in enumerate(every))
    folder = projects.write(tmp_path / "project", {"Asked.v": text, "Makefile": theory_files()["Makefile"]}, theory)
    subprocess.run(["make", "-s", "theory/AllPairs.vo"], cwd=folder, check=True, capture_output=True, timeout=600)
    made = projects.coqc(folder, "Asked.v")
    assert made.returncode == 0, made.stderr
    values = [body.partition("\n     : ")[0] for body in made.stdout.split("     = ")[1:]]

    assert len(values) == 5 * len(every)
    accepted = []
    for k, case in enumerate(every):
        full, through, behind, left_open, logits = values[5 * k : 5 * k + 5]
        twin, n = projects.Twin(case.network), range(len(case.network.numbering))
        stated = [twin.check(), *(twin.check_except(pairs) for pairs in case.lists)]
        accepted += stated
        assert re.findall("true|false", full) == [str(one).lower() for one in stated], k
        assert re.findall("true|false", through) == [str(one and case.plan_is_one).lower() for one in stated], k
        cut, votes = splits(case.network)
        found = [int(v) << (cut.shift + votes.shift) for v in (twin.exact(x, y, z) for x in n for y in n for z in n)]
        if twin.group_ok() and len(n) == 6:
            assert re.findall("true|false", behind) == [str(v).lower() for x in n for y in n for v in twin.behind[x][y]], k
            assert [int(v) for v in re.findall(r"-?\d+", logits)] == found, k
            if case.plan_is_one and not case.plan.mirrored:
                tables = projects.Tables(twin, case.plan)
                expected = [[tables.open_numbers(x, y) for y in n] for x in n]
                assert json.loads(re.sub(r"%\w+|\s", "", left_open).replace(";", ",")) == expected, k
    assert {True, False} == set(accepted)
