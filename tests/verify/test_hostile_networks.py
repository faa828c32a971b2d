"""A slice of benchmarks/hostile_networks.py: networks that went wrong once, one of each kind, and what the benchmark would notice."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import hostile_networks

#: Network number: what it is.
ONCE_WRONG = {
    17: "one entry of the bias beyond all logits",
    22: "votes that float32 loses beside the preactivations",
    93: "a product within 2^-40 of the end of float64 is refused",
    84: "a bias that all outputs share, on zeros",
    127: "a distance of margins beyond float64",
    298: "entries at both ends of bfloat16",
    337: "votes whose difference is beyond float64",
    391: "preactivations whose sum is beyond float64",
    398: "integers of a program beyond float64",
    629: "integers of a program beyond 2^4000",
    400843: "a list whose rounding loses infinitely more than it may",
    403646: "votes along which the curvature underflows",
    405198: "circuits of the network that cancel, beside which any difference is infinite",
    422643: "logits whose variance is a denormal number",
    61119: "a share of variance that is a number of NumPy's",
}


@pytest.mark.parametrize("number", ONCE_WRONG)
def test_networks_that_went_wrong_once_have_true_verdicts(number: int) -> None:
    assert hostile_networks.tried(number)[2] == ""


@pytest.mark.parametrize(("number", "activation"), [(70088, "square"), (80070, "square"), (81294, "square"), (70012, "abs")])
def test_networks_of_squares_and_absolute_values(number: int, activation: str) -> None:
    """Sums of weights beyond float64, a tie broken by less than float64 holds, a left side that is nothing beside the right."""
    assert hostile_networks.tried(number, activation)[2] == ""


def test_the_benchmark_notices_a_false_statement(monkeypatch) -> None:
    """The truth about another network: its answers differ."""
    known = hostile_networks.truth(hostile_networks.hostile(22))
    other = replace(known, answers=[[(z + 1) % len(row) for z in row] for row in known.answers])
    monkeypatch.setattr(hostile_networks, "truth", lambda _: other)
    assert "WrongError" in hostile_networks.tried(22)[2]


@pytest.mark.parametrize(("kind", "values"), [
    ("float16", [1 / 3, 2.0**-24, 2.0**-26, 1e9, -1e9, 65504.0]),
    ("bfloat16", [1 / 3, 2.0**-133, 2.0**-135, 1e39, 3e-39]),
    ("float32", [1 / 3, 2.0**-149, 2.0**-151, 1e39, 1e-44]),
    ("float64", [1 / 3, 5e-324, 1.7e308]),
])  # fmt: skip
def test_numbers_are_rounded_into_their_type(kind: str, values: list[float]) -> None:
    """Against NumPy's own rounding; written as bytes and read again they are the same."""
    found = hostile_networks.fitted(np.array(values), kind)
    data = hostile_networks.as_bytes(found, kind)
    if kind == "bfloat16":
        again = (np.frombuffer(data, "<u2").astype("<u4") << 16).view("<f4").astype(float)
    else:
        again = np.frombuffer(data, np.dtype(kind).newbyteorder("<")).astype(float)
        nearest = np.clip(values, -np.finfo(kind).max, np.finfo(kind).max).astype(kind)
        assert (found == nearest).all()
    assert (again == found).all()
