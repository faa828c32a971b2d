"""Readers fed with damaged files: a network or one clean error, nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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


@settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    head=st.sampled_from([b"", b"PK\x03\x04", b"\x10\0\0\0\0\0\0\0{", b"\x80\x02"]),
    body=st.binary(max_size=400),
)
def test_arbitrary_bytes(fuzz, tmp_path, head, body):
    assert fuzz.read(head + body, tmp_path / "file") in ("refused", "read")
