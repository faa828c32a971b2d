"""Small networks over S3 as Coq projects, what coqc says to them, and the theory's check in Python."""

import itertools
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from verify.formal.plan import CoqPlan, PlanFamily, PlanStep
from verify.formal.text import StoredNetwork, scaled, splits

S3 = list(itertools.permutations(range(3)))
WORD, HALF, LANE = 1 << 63, 1 << 62, 1 << 31
Permutation = tuple[int, ...]


def signed(word: int) -> int:
    """The number between -2^62 and 2^62 - 1 that a word of 63 bits stands for."""
    word %= WORD
    return word if word < HALF else word - WORD


def times(x: Permutation, y: Permutation) -> Permutation:
    """The product: x first, then y."""
    return tuple(y[i] for i in x)


class Twin:
    """The check of one network; x, y, z are numbers of elements."""

    def __init__(self, network: StoredNetwork) -> None:
        inputs, votes = splits(network)
        self.network = network
        self.elements = [tuple(x) for x in network.numbering]
        self.n, self.m = len(network.numbering), len(network.left[0])
        self.left, self.right = scaled(network.left, inputs), scaled(network.right, inputs)
        self.votes = scaled(network.votes, votes)
        base = 1 << (inputs.width * inputs.count + votes.width * votes.count)
        self.bias = [(v << (inputs.shift + votes.shift)) // base for v in network.bias]
        self.A = max(abs(v) for rows in (self.left, self.right) for row in rows for v in row)
        self.V = max(abs(v) for row in self.votes for v in row)
        self.units = self.m * (2 * self.A + 4 * self.V + 2) + 1

    def answer(self, x: int, y: int) -> int:
        """The number of the product."""
        return self.elements.index(times(self.elements[x], self.elements[y]))

    def sizes_ok(self) -> bool:
        """No sum of words can wrap around."""
        small = 2 * self.A < HALF and self.units < 1 << 61 and self.m * 2 * self.A * self.V <= 1 << 59
        return small and all(abs(b) <= 1 << 59 for b in self.bias)

    def group_ok(self) -> bool:
        """Each element once, the identity among them, and with each its products with the generators."""
        known = set(self.elements)
        closed = all(times(x, tuple(g)) in known for x in known for g in self.network.generators)
        return len(known) == self.n and tuple(range(self.network.degree)) in known and closed

    def whole(self) -> bool:
        """Every element is reached from the identity."""
        reached, new = {tuple(range(self.network.degree))}, [tuple(range(self.network.degree))]
        while new:
            new = [p for x in new for g in self.network.generators if (p := times(x, tuple(g))) not in reached]
            reached.update(new)
        return reached >= set(self.elements)

    def word(self, x: int, y: int, z: int) -> int:
        """The score as a word."""
        total = self.bias[z] % WORD
        for left, right, vote in zip(self.left[x], self.right[y], self.votes[z], strict=True):
            fired = (left + right) % WORD
            total = (total + (fired if fired < HALF else 0) * vote) % WORD
        return total

    def beats(self, x: int, y: int, z: int, w: int) -> bool:
        """Whether words decide that z is behind w."""
        lead = (self.word(x, y, w) - self.word(x, y, z)) % WORD
        return self.units - 1 < lead < HALF

    @cached_property
    def behind(self) -> list[list[list[bool]]]:
        """``beats`` of every x, y, z."""
        n = range(self.n)
        return [[[self.beats(x, y, z, self.answer(x, y)) for z in n] for y in n] for x in n]

    def exact(self, x: int, y: int, z: int) -> int:
        """The logit by definition."""
        hidden = [max(a + b, 0) for a, b in zip(self.network.left[x], self.network.right[y], strict=True)]
        return self.network.bias[z] + sum(h * u for h, u in zip(hidden, self.network.votes[z], strict=True))

    def right_at(self, x: int, y: int) -> bool:
        """Each rival is behind by words or exactly."""
        w = self.answer(x, y)
        rivals = [z for z in range(self.n) if z != w]
        return all(self.behind[x][y][z] or self.exact(x, y, z) < self.exact(x, y, w) for z in rivals)

    def wrong_at(self, x: int, y: int) -> bool:
        """Some rival is not behind: the greatest score by words, or any exactly."""
        w = self.answer(x, y)
        rivals = [z for z in range(self.n) if z != w]
        best = max(rivals, key=lambda z: signed(self.word(x, y, z)))
        return self.beats(x, y, w, best) or any(self.exact(x, y, w) <= self.exact(x, y, z) for z in rivals)

    def check(self) -> bool:
        """The function `check`."""
        pairs = [(x, y) for x in range(self.n) for y in range(self.n)]
        return self.group_ok() and self.sizes_ok() and all(self.right_at(x, y) for x, y in pairs)

    def check_except(self, mistakes: Iterable[tuple[Permutation, Permutation]]) -> bool:
        """The function `check_except`."""
        wrong = {(tuple(x), tuple(y)) for x, y in mistakes}
        known = set(self.elements)
        if not (self.group_ok() and self.whole() and all(x in known and y in known for x, y in wrong) and self.sizes_ok()):
            return False
        pairs = [(x, y) for x in range(self.n) for y in range(self.n)]
        return all(self.wrong_at(x, y) if (self.elements[x], self.elements[y]) in wrong else self.right_at(x, y) for x, y in pairs)


class Tables:
    """What tables leave open, without the exchange of inputs: levels stand for x."""

    def __init__(self, twin: Twin, plan: CoqPlan) -> None:
        self.twin, self.plan = twin, plan
        self.s, self.t = plan.input_cut, plan.vote_cut
        self.members = [i for k in plan.last for i in self.members_of(k)]
        self.most = [max(row[i] for row in twin.votes) for i in range(twin.m)]
        self.least = [min(row[i] for row in twin.votes) for i in range(twin.m)]

    def members_of(self, k: int) -> Sequence[int]:
        """Members of table k in their order."""
        if k < len(self.plan.families):
            return self.plan.families[k].members
        step = self.plan.steps[k - len(self.plan.families)]
        return [*self.members_of(step.one), *self.members_of(step.other)]

    def open_numbers(self, x: int, y: int) -> list[int]:
        """By the loss, the sum of coarse activations, and lanes of 31 bits."""
        twin, s, t = self.twin, self.s, self.t
        w, everything = twin.answer(x, y), list(range(twin.n))
        level = {i: family.levels[family.cells[x]][j] for family in self.plan.families for j, i in enumerate(family.members)}
        coarse = {i: max(level[i] + twin.right[y][i], 0) >> s for i in self.members}
        loss = 0
        for i in self.members:
            fired, vote = max(twin.left[x][i] + twin.right[y][i], 0), twin.votes[w][i]
            kept = coarse[i] << s
            loss += (kept - fired) * (vote - self.least[i]) if fired < kept else (fired - kept) * (self.most[i] - vote)
        total = sum(coarse.values())
        if total > (1 << 29) // ((twin.V >> t) + 1):
            return everything
        bias = [(b >> (s + t)) + (1 << 30) for b in twin.bias]
        lanes = [bias[z] + sum(coarse[i] * (twin.votes[z][i] >> t) for i in self.members) for z in everything]
        assert all(0 <= v < LANE for v in lanes)
        lead = total + 2 + ((twin.units + loss) >> (s + t))
        if lanes[w] <= lead:
            return everything
        return [z for z in everything if lanes[z] >= lanes[w] - lead]


def random_network(seed: int, width: int = 8, numbering: list[tuple[int, ...]] = S3, spread: int = 1000) -> StoredNetwork:
    """Random integers as weights, over S3."""
    draw = np.random.default_rng(seed)
    n = len(numbering)
    left, right, votes = (draw.integers(-spread, spread, (n, width)).tolist() for _ in range(3))
    bias = draw.integers(-spread, spread, n).tolist()
    return StoredNetwork("S3", 3, [(1, 2, 0), (1, 0, 2)], numbering, left, right, votes, bias, 10, 7, "0" * 64, "left-first")


def lookup_network(numbering: list[tuple[int, ...]] = S3, scale: int = 1, flip: int | None = None) -> StoredNetwork:
    """A neuron for each pair, which votes for the pair's product; that of the pair with the number `flip` votes for another element."""
    n = len(numbering)
    left, right, votes = ([[0] * n**2 for _ in range(n)] for _ in range(3))
    for k, (x, y) in enumerate(itertools.product(range(n), repeat=2)):
        for z in range(n):
            left[z][k] = 0 if z == x else -scale
            right[z][k] = scale if z == y else 0
        w = numbering.index(times(numbering[x], numbering[y]))
        votes[(w + 1) % n if k == flip else w][k] = scale
    bias = [0] * n
    return replace(random_network(0), numbering=numbering, left=left, right=right, votes=votes, bias=bias)


def logit(network: StoredNetwork, x: int, y: int, z: int) -> int:
    """By definition, in integers."""
    hidden = [max(a + b, 0) for a, b in zip(network.left[x], network.right[y], strict=True)]
    return network.bias[z] + sum(h * u for h, u in zip(hidden, network.votes[z], strict=True))


def trivial_plan(network: StoredNetwork, mirrored: bool, spoiled: int = 0) -> CoqPlan:
    """Every element by itself, the neurons in three families in an odd order, two of them merged; `spoiled` is added to one level."""
    cut, _ = splits(network)
    rows = scaled(network.right if mirrored else network.left, cut)
    n, m = len(rows), len(rows[0])
    order = [(5 * i + 2) % m for i in range(m)]
    cells = list(range(n))
    groups = [order[: m // 3], order[m // 3 : m // 2], order[m // 2 :]]
    levels = [[[row[i] for i in group] for row in rows] for group in groups]
    levels[2][3][1] += spoiled
    families = [PlanFamily(group, table, cells) for group, table in zip(groups, levels, strict=True)]
    return CoqPlan(mirrored, families, [PlanStep(0, 2, [(k, k) for k in cells[::-1]], cells[::-1])], [1, 3], 14, 13)


def write(folder: Path, texts: dict[str, str], theory: Path | None = None) -> Path:
    """A project's files; with a compiled `theory` that one is linked."""
    folder.mkdir(parents=True, exist_ok=True)
    if theory is not None:
        shutil.copytree(theory, folder / "theory", copy_function=shutil.copy2)
    for name, text in texts.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def coqc(folder: Path, name: str) -> subprocess.CompletedProcess[str]:
    """Compile one file of a project."""
    command = ["coqc", "-noglob", "-Q", "theory", "CosetVerify", name]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=600)


@pytest.fixture(scope="session")
def projects() -> SimpleNamespace:
    """The functions of this file."""
    functions = {"random": random_network, "lookup": lookup_network, "logit": logit, "plan": trivial_plan, "write": write, "coqc": coqc}
    return SimpleNamespace(**functions, times=times, S3=S3, Twin=Twin, Tables=Tables)
