"""Numbers in a report: rounded for reading, but never so that they say more than they do."""

import pytest

from reports import numbers


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1.0, "100 %"),
        (0.99999, "over 99.9 %"),
        (0.9994, "99.9 %"),
        (0.5, "50.0 %"),
        (0.0001, "less than 0.1 %"),
        (0.0, "0 %"),
        (-0.25, "none"),
        (None, "–"),
    ],
)
def test_share_is_not_rounded_to_all_or_nothing(value: float | None, expected: str) -> None:
    """Only 1 is 100 % and only 0 is 0 %."""
    assert numbers.share(value) == expected


@pytest.mark.parametrize(("value", "expected"), [(14400, "14,400"), (0.91, "91.0 %"), (1.0, "100 %"), (1, "1")])
def test_portion_tells_counts_from_shares(value: float, expected: str) -> None:
    """An integer is a number of pairs, a float a share."""
    assert numbers.portion(value) == expected


SUBNORMAL = f"12345/{10**327}"


@pytest.mark.parametrize(
    ("value", "expected"),
    [("22/3", "7.333"), ("0", "0"), ("-1/1000000", "-1e-06"), (SUBNORMAL, "1.234e-323"), (f"-{SUBNORMAL}", "-1.234e-323"), (None, "–")],
)
def test_rational_to_four_digits(value: str | None, expected: str) -> None:
    """An exact number is rounded for reading; a small one does not become 0."""
    assert numbers.rational(value) == expected


@pytest.mark.parametrize(("value", "expected"), [(999999, "999,999"), (48412345, "4.84e7"), (373248000000, "3.73e11")])
def test_power(value: int, expected: str) -> None:
    """Large counts are written with a power of ten."""
    assert numbers.power(value) == expected


def test_long_fractions_in_sentences_are_rounded() -> None:
    """Fractions with long denominators are rounded and marked, short ones stay."""
    assert numbers.rounded("from 1/2 to 58583748/2097152.") == "from 1/2 to ≈27.93."
