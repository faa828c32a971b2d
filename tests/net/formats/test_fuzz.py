"""Readers fed with damaged files: a network or one clean error, nothing else."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "benchmarks" / "fuzz_readers.py"


@pytest.fixture(scope="module")
def fuzz(script):
    """The fuzzing script as a module."""
    return script


def test_mutated_files_of_every_kind(fuzz, tmp_path):
    """1,000 seeded mutations over all corpus files."""
    outcome = fuzz.fuzz(1000, seed=1, folder=tmp_path)

    assert outcome.crashes == []
    assert outcome.refused > 300
    assert outcome.refused + outcome.read == 1000


@pytest.mark.slow
def test_a_hundred_thousand_mutated_files(fuzz, tmp_path):
    outcome = fuzz.fuzz(100_000, seed=2, folder=tmp_path)

    assert outcome.crashes == []


@pytest.mark.parametrize("head", [b"", b"PK\x03\x04", b"\x10\0\0\0\0\0\0\0{", b"\x80\x02"])
def test_arbitrary_bytes(fuzz, tmp_path, head):
    """Short texts of few different bytes and long ones of all, after nothing and after the beginnings of three containers."""
    rng = random.Random(3)
    for _ in range(250):
        body = bytes(rng.choices(rng.randbytes(rng.randint(1, 300)), k=rng.randint(0, 400)))
        assert fuzz.read(head + body, tmp_path / "file") in ("refused", "read")
