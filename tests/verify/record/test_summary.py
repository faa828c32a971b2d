"""The type of summary.json: its schema, how floats are rounded, and the tables that are made for drawing."""

import json
import math
from pathlib import Path

import msgspec
import numpy as np
import pytest

from verify.record.grids import compact_map, histogram_edges, margin_histogram
from verify.record.neuron_rows import share_of
from verify.record.summary import Summary, approximate, six_digits

DOCS = Path(__file__).parents[3] / "docs"


def test_the_committed_json_schema_is_that_of_the_summary() -> None:
    """docs/summary.schema.json is what the type says."""
    committed = json.loads((DOCS / "summary.schema.json").read_text(encoding="utf-8"))
    assert committed == json.loads(json.dumps(msgspec.json.schema(Summary)))


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.12345678, 0.123457),
        (123456789.0, 123457000.0),
        (0.9999999, 0.999999),
        (1.0, 1.0),
        (1.0000001, 1.0),
        (-0.25, -0.25),
        (math.nan, None),
        (math.inf, None),
    ],
)
def test_six_digits_and_never_up_to_one(value: float, written: float | None) -> None:
    """A share that is less than all is written as less than all."""
    assert six_digits(value) == written


def test_a_share_is_one_only_of_all() -> None:
    """A rest that a float cannot show keeps the share below 1."""
    assert (share_of(2.0, 0.0), share_of(0.0, 0.0), share_of(1.0, 3.0)) == (1.0, 0.0, 0.25)
    assert share_of(1.0, 1e-300) < 1


def test_margins_and_bounds_are_counted_in_equal_bins() -> None:
    """Right pairs with margins 1, 3, 4 and bounds -1, 2, 4: five bins of width 1 from -1 to 4; what was not bounded is left out."""
    good = np.array([[True, True], [False, True]])
    bound = np.array([[-1.0, 2.0], [-np.inf, 4.0]], dtype=np.float32)
    found = margin_histogram(np.array([[1.0, 3.0], [9.0, 4.0]]), good, bound, bins=5)

    assert found is not None
    assert found.edges == [-1.0, 0.0, 1.0, 2.0, 3.0, 4.0]
    assert (found.network, found.bound) == ([0, 0, 1, 0, 2], [1, 0, 0, 1, 1])


def test_there_is_no_histogram_where_nothing_was_bounded_or_nothing_is_right() -> None:
    """None without a bound, and without a right pair."""
    one = np.array([[1.0]])

    assert margin_histogram(one, np.array([[True]]), np.array([[-np.inf]], dtype=np.float32)) is None
    assert margin_histogram(one, np.array([[False]]), np.array([[1.0]], dtype=np.float32)) is None


def test_a_cell_of_the_map_shows_the_last_strategy_that_it_needed() -> None:
    """Four by four pairs in two by two cells; 0 is settled by none and counts as one past the last strategy."""
    settled = np.array([[1, 1, 2, 1], [1, 1, 1, 1], [0, 1, 1, 1], [2, 1, 1, 1]], dtype=np.uint8)
    assert compact_map(settled, ["a", "b"], size=2).rows == [[1, 2], [3, 1]]


@pytest.mark.parametrize(
    ("exact", "near"),
    [("3/4", 0.75), ("10", 10.0), (f"1/{10**400}", 0.0), (f"{10**400}", math.inf), (f"-{10**400}/3", -math.inf)],
)
def test_an_exact_number_beyond_float64_is_infinite(exact: str, near: float) -> None:
    assert approximate(exact) == near


def test_bins_of_margins_have_an_edge_at_0_where_numbers_of_both_signs_are() -> None:
    """A bin that reaches over 0 would show small leads as losses. Every number lies in a bin, and bins are equal."""
    rng = np.random.default_rng(2)
    for _ in range(300):
        scale = 2.0 ** rng.integers(-40, 40)
        least, greatest = sorted(rng.normal(size=2) * scale * rng.choice([1.0, 1e-6, 1e3], size=2))
        bins = int(rng.integers(2, 70))
        edges = histogram_edges(least, greatest, bins)
        assert (np.diff(edges) > 0).all()
        assert np.allclose(np.diff(edges), np.diff(edges)[0], rtol=1e-6)
        assert edges[0] <= least
        assert edges[-1] >= greatest
        assert len(edges) <= 2 * bins + 2
        if least < 0 < greatest:
            assert 0 in edges
