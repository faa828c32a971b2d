"""The figures of a snapshot in words, the same in the table, the figure and the page of `verify trace`."""

from reports.numbers import rational, share
from reports.records import Record

NOT_KNOWN = "not known"


def trained_share(row: Record) -> float | None:
    """The share of the pairs trained on that are right; None where it is not known which they are, or there are none."""
    return row["trained_right"] / row["trained_pairs"] if row.get("trained_pairs") else None


def held_out_share(row: Record) -> float | None:
    """The share of the other pairs that are right; None where it is not known which they are, or there are none."""
    held = row["pairs"] - row["trained_pairs"] if "trained_pairs" in row else 0
    return row["held_out_right"] / held if held else None


def split_words(row: Record, value: float | None) -> str:
    """A share of pairs trained on or held out: "no pairs" of none, "not known" where the file does not say which they are."""
    if value is None:
        return "no pairs" if "trained_pairs" in row else NOT_KNOWN
    return share(value)


def margin_words(row: Record) -> str:
    """The exact least margin to four digits; "none" where no pair is right, or there is no other answer."""
    return "none" if row["exact_min_margin"] is None else rational(row["exact_min_margin"])


def measured_words(value: float | None) -> str:
    """A measured share; "not known" where it was not measured."""
    return NOT_KNOWN if value is None else share(value)


def share_of_irrep(row: Record, name: str) -> float | None:
    """The share of energy on an irrep; None where irreps were not measured."""
    return None if row["rank_one"] is None else float(row["irreps"].get(name, 0.0))


def share_of_class(row: Record, name: str) -> float | None:
    """The share of energy read through a class of subgroups; None where there is no energy to share."""
    return None if row["labelled"] is None else float(row["classes"].get(name, 0.0))


#: The two kinds of parts that the energy has, with the share of one of them at a snapshot.
SHARES = {"classes": share_of_class, "irreps": share_of_irrep}
