"""Small networks over S3 as Coq projects, and what coqc says to them."""

import itertools
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from verify.formal.text import StoredNetwork

S3 = list(itertools.permutations(range(3)))


def times(x: tuple[int, ...], y: tuple[int, ...]) -> tuple[int, ...]:
    """The product: x first, then y."""
    return tuple(y[i] for i in x)


def random_network(seed: int, width: int = 8, numbering: list[tuple[int, ...]] = S3, spread: int = 1000) -> StoredNetwork:
    """Random integers as weights, over S3."""
    draw = np.random.default_rng(seed)
    n = len(numbering)
    left, right, votes = (draw.integers(-spread, spread, (n, width)).tolist() for _ in range(3))
    bias = draw.integers(-spread, spread, n).tolist()
    return StoredNetwork("S3", 3, [(1, 2, 0), (1, 0, 2)], numbering, left, right, votes, bias, 10, 7, "0" * 64, "left-first")


def lookup_network(numbering: list[tuple[int, ...]] = S3, scale: int = 1, flip: bool = False) -> StoredNetwork:
    """A neuron for each pair, which votes for the pair's product; with `flip` one of them votes for another element."""
    n = len(numbering)
    left, right, votes = ([[0] * n**2 for _ in range(n)] for _ in range(3))
    for k, (x, y) in enumerate(itertools.product(range(n), repeat=2)):
        for z in range(n):
            left[z][k] = 0 if z == x else -scale
            right[z][k] = scale if z == y else 0
        w = numbering.index(times(numbering[x], numbering[y]))
        votes[(w + 1) % n if flip and k == n + 1 else w][k] = scale
    bias = [0] * n
    return replace(random_network(0), numbering=numbering, left=left, right=right, votes=votes, bias=bias)


def logit(network: StoredNetwork, x: int, y: int, z: int) -> int:
    """By definition, in integers."""
    hidden = [max(a + b, 0) for a, b in zip(network.left[x], network.right[y], strict=True)]
    return network.bias[z] + sum(h * u for h, u in zip(hidden, network.votes[z], strict=True))


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
    return SimpleNamespace(random=random_network, lookup=lookup_network, logit=logit, write=write, coqc=coqc, times=times, S3=S3)
