"""The digits in Network.v against the integers that they stand for."""

import dataclasses
import re
from types import SimpleNamespace

import pytest

from verify.formal.text import StoredNetwork, group_name, network_text, splits

WORD = 1 << 63


def tables(text: str) -> dict[str, list[list[int]]]:
    """The lists of lists of integers in the file, by name."""
    found = re.findall(r"Definition (\w+) : list \(list int\) :=\n\[(.*?)\]\.\n", text, re.DOTALL)
    return {name: [[int(v) for v in row.strip("[];").split(";")] for row in body.split("\n")] for name, body in found}


def group_of(pattern: str, text: str) -> str:
    """What the pattern's group matches in a text that has it."""
    found = re.search(pattern, text)
    assert found
    return found[1]


def value(text: str, name: str) -> list[list[int]]:
    """The matrix by the definition on the page: the highest digits are signed, and lower ones follow in base 2^w."""
    found = tables(text)
    width = int(group_of(rf"{name}_width : Z := (\d+)\.", text))
    lower = group_of(rf"{name}_lower : .* := \[(.*)\]\.", text)
    rows = [[v - WORD if v >= WORD // 2 else v for v in row] for row in found[f"{name}_high"]]
    for digit in filter(None, lower.split(";")):
        assert all(0 <= v < 1 << width <= 1 << 62 for row in found[digit] for v in row)
        rows = [[v * 2**width + d for v, d in zip(a, b, strict=True)] for a, b in zip(rows, found[digit], strict=True)]
    return rows


def bits(text: str) -> list[int]:
    return [int(b) for b in re.findall(r"units of 2\^-(\d+)", text)]


@pytest.mark.parametrize("spread", [1, 1000, 2**31, 2**40, 2**62])
@pytest.mark.parametrize("factor", [1, 2**70 + 1, 3**200])
def test_the_digits_are_the_weights(projects: SimpleNamespace, spread: int, factor: int) -> None:
    """Each table, read back by the definition, is the table of integers over the power of two that the file states."""
    network: StoredNetwork = projects.random(7, spread=spread)
    grown = [[v * factor for v in row] for row in network.left]
    network = dataclasses.replace(network, left=grown, bias=[v * factor for v in network.bias])
    text = network_text(network)
    inputs, votes, both = bits(text)

    assert both == inputs + votes
    assert value(text, "left") == [[v << (inputs - network.input_bits) for v in row] for row in network.left]
    assert value(text, "right") == [[v << (inputs - network.input_bits) for v in row] for row in network.right]
    assert value(text, "votes") == [[v << (votes - network.vote_bits) for v in row] for row in network.votes]
    stated = group_of(r"bias_entries : list Z :=\n\[(.*)\]%Z", text).split(";")
    assert [int(v) for v in stated] == [v << (both - network.input_bits - network.vote_bits) for v in network.bias]


@pytest.mark.parametrize("bias", [0, 10**9, 10**30])
def test_no_sum_of_leading_digits_can_overflow(projects: SimpleNamespace, bias: int) -> None:
    """The leading digits are so short that the bound of all sums which Coq checks holds, whatever the bias."""
    network = dataclasses.replace(projects.random(3, spread=10**9), bias=[bias, -bias, 0, 0, 0, 0])
    inputs, votes = splits(network)
    inside = [v << inputs.shift >> inputs.width * inputs.count for rows in (network.left, network.right) for row in rows for v in row]
    outside = [v << votes.shift >> votes.width * votes.count for row in network.votes for v in row]
    A, V = max(map(abs, inside)), max(map(abs, outside))
    dropped = inputs.width * inputs.count + votes.width * votes.count

    assert 8 * 2 * A * V <= 2**59
    assert bias << inputs.shift << votes.shift >> dropped <= 2**59


def test_names_of_groups_that_coq_may_not_know() -> None:
    """A group whose name is no word of Coq's is called G."""
    assert [group_name(name) for name in ("S5", "C113", "S3xS3", "(1 2), (1 2 3)", "O", "S", "A٣")] == ["S5", "C113", *["G"] * 5]
