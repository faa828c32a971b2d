"""Slow obvious twins and small networks with known answers, shared by the tests of the exact kernels."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from algebra.group import parse_group
from net.weights import Weights
from reports.figures import draw_figures, saved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def blank(source: Any, pictures: Any, neuron: Any, form: str = "svg") -> dict[str, bytes]:
    """The figures of a report, all of them empty files."""
    of_neuron = ["neuron"] if pictures is not None and neuron is not None else []
    return dict.fromkeys([*of_neuron, "pairs", "votes", "curve", "margins", "lattice"], b"")


@pytest.fixture(autouse=True, scope="module")
def without_pictures(request: pytest.FixtureRequest) -> Iterator[None]:
    """Figures of runs are empty files: matplotlib would take half of a small run, and tests/reports draws.

    A module of odd networks says ``FIGURES_MADE``: there they are made, for each network, and not turned into files.
    """
    with pytest.MonkeyPatch.context() as patch:
        if getattr(request.module, "FIGURES_MADE", False):
            patch.setattr("reports.figures.saved", lambda figure, form="svg": b"")
        else:
            patch.setattr("reports.figures.draw_figures", blank)
        yield


@pytest.fixture(autouse=True)
def with_pictures(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are drawn in tests marked ``draws``."""
    if request.node.get_closest_marker("draws") is not None:
        monkeypatch.setattr("reports.figures.draw_figures", draw_figures)
        monkeypatch.setattr("reports.figures.saved", saved)


@lru_cache(maxsize=16)
def _rows(data: bytes, columns: int) -> list[list[Fraction]]:
    values = [Fraction(value) for value in np.frombuffer(data).tolist()]
    return [values[start : start + columns] for start in range(0, len(values), columns)]


def in_fractions(array: Any) -> list[list[Fraction]]:
    """The rows of a matrix as fractions, made once for all pairs of a network; an array without entries has no rows."""
    floats = np.asarray(array, dtype=float)
    return _rows(floats.tobytes(), max(floats.shape[-1], 1))


@pytest.fixture(scope="session")
def logits_by_fractions() -> Callable[..., list[Fraction]]:
    """Logits at (x, y) of the network whose weights are exactly these floats, from the definition."""

    def logits(L: Any, R: Any, U: Any, b: Any, x: int, y: int, activation: str = "relu") -> list[Fraction]:
        n, m = L.shape
        left, right = (in_fractions(array)[at] if m else [] for array, at in ((L, x), (R, y)))
        votes, (bias,) = in_fractions(U), in_fractions(b)
        sums = [one + other for one, other in zip(left, right, strict=True)]
        hidden = [value * value if activation == "square" else max(value, Fraction(0)) for value in sums]
        return [sum((hidden[i] * votes[i][z] for i in range(m)), bias[z]) for z in range(n)]

    return logits


@pytest.fixture(scope="session")
def lead_by_fractions(
    logits_by_fractions: Callable[..., list[Fraction]],
) -> Callable[..., tuple[int, Fraction]]:
    """(unique argmax or -1, greatest less second greatest) at (x, y), from the definition."""

    def lead(L: Any, R: Any, U: Any, b: Any, x: int, y: int, activation: str = "relu") -> tuple[int, Fraction]:
        values = logits_by_fractions(L, R, U, b, x, y, activation)
        second, first = sorted(values)[-2:]
        return (values.index(first) if first > second else -1), first - second

    return lead


@pytest.fixture(scope="session")
def vote_counter() -> Callable[[str], tuple[Any, Any, Any]]:
    """L, R, U of a network that is right everywhere on S_n: logit z counts the points i with z(i) = y(x(i)).

    Neuron (i, c, k) is 1 when x(i) = c and y(c) = k, and votes for every z with z(i) = k. The product gets n
    votes, every other element at most n - 2, so the smallest margin is 2.
    """

    def build(name: str) -> tuple[Any, Any, Any]:
        group = parse_group(name)
        points = np.arange(group.degree)
        i, c, k = (axis.ravel() for axis in np.meshgrid(points, points, points, indexing="ij"))
        L = (group.elements[:, i] == c).astype(float)
        R = (group.elements[:, c] == k).astype(float) - 1
        return L, R, (group.elements[:, i] == k).T.astype(float)

    return build


@pytest.fixture(scope="session")
def with_trigger() -> Callable[..., Weights]:
    """The network with one more neuron, which is 1 at the pair (x, y) alone and adds `votes` there."""

    def build(network: tuple[Any, Any, Any], x: int, y: int, votes: Any) -> Weights:
        L, R, U = network
        n = len(L)
        left, right = np.zeros((n, 1)), np.full((n, 1), -1.0)
        left[x], right[y] = 1, 0
        return Weights.from_arrays(np.hstack([L, left]), np.hstack([R, right]), np.vstack([U, votes]))

    return build


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """The folder that ``make`` fills: by the first process of a parallel run that asks, while the others wait for it."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        folder = factory.mktemp(name)
        make(folder)
        return folder
    folder = factory.getbasetemp().parent / name  # beside the folders of the single processes
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = folder / "done"
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            done.touch()
    return folder


@pytest.fixture(scope="session")
def theory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The theory of an exported Coq project but for tables, compiled by the project's Makefile; skips where Coq is not installed."""
    if shutil.which("coqc") is None or shutil.which("make") is None:
        pytest.skip("coqc or make is not installed (Debian and Ubuntu: apt-get install coq)")

    def make(folder: Path) -> None:
        from verify.formal.project import theory_files

        for name, text in theory_files().items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        subprocess.run(["make", "-s", "theory/Check.vo"], cwd=folder, check=True, capture_output=True, timeout=600)

    return made_once(tmp_path_factory, "coq", make) / "theory"
