"""verify group."""

import json
import re
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from algebra.errors import GroupError
from algebra.group import parse_group
from algebra.gset import GSet
from algebra.lattice import subgroups
from verify.cli import cli, execute


def run(*arguments: str) -> str:
    result = CliRunner().invoke(cli, ["group", *arguments], standalone_mode=False, catch_exceptions=False)
    return result.output


@pytest.mark.parametrize(("name", "classes"), [("S5", 19), ("A6", 22), ("S3xS3", 22), ("D10", 4), ("S6", 56)])
def test_json_holds_every_class_and_irrep(name: str, classes: int) -> None:
    found: dict[str, Any] = json.loads(run(name, "--json"))
    assert len(found["subgroup_classes"]) == classes
    assert sum(one["conjugates"] for one in found["subgroup_classes"]) == found["subgroups"]
    assert sum(one["size"] for one in found["element_classes"]) == found["order"]
    assert sum(one["degree"] ** 2 for one in found["irreps"]) == found["order"]
    names = {one["name"] for one in found["subgroup_classes"]}
    assert set(found["permutation_characters"]) == names
    above = [set(one["maximal_in"]) for one in found["subgroup_classes"]]
    assert all(some <= names for some in above)
    assert above.count(set()) == 1  # the whole group's alone


def test_tables_name_every_class_in_text_and_in_markdown() -> None:
    for option in ((), ("--markdown",)):
        text = run("S5", *option)
        for name in subgroups(parse_group("S5")).names:
            assert name in text
        assert "156 in 19 classes" in text
        assert "(5) + (4,1)" in text


def test_markdown_tables_have_as_many_cells_in_every_row() -> None:
    lines = run("S4", "--markdown").replace("\\|", "").splitlines()
    widths = [line.count("|") for line in lines]
    begins = [i for i, line in enumerate(lines) if line.startswith("| ---")]
    assert len(begins) > 3
    for i in begins:
        end = next(k for k in range(i, len(lines)) if not lines[k])
        assert end > i + 2
        assert len(set(widths[i - 1 : end])) == 1


def test_cosets_of_a_point_stabiliser() -> None:
    found = json.loads(run("S5", "--cosets", "S4 fixing 5", "--json"))
    assert (found["order"], found["index"], found["subgroup"]) == (24, 5, "S4 fixing 5")
    assert [one["size"] for one in found["double_cosets"]] == [24, 96]
    assert len(found["right_cosets"]) == GSet(subgroups(parse_group("S5")).by_name("S4 fixing 5")).count
    assert found["shared_with"]["S4 fixing 5"] == ["()"]
    assert "Double cosets" in run("S5", "--cosets", "S4 fixing 5")


def test_dot_and_figure(tmp_path: Path) -> None:
    assert run("S4", "--dot").startswith('digraph "S4"')
    file = tmp_path / "s4.svg"
    run("S4", "--figure", str(file))
    assert "<svg" in file.read_text()
    assert [one.name for one in tmp_path.iterdir()] == ["s4.svg"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["S9"],
        ["X"],
        ["S5", "--cosets", "S9"],
        ["S5", "--figure", "a.txt"],
        ["S5", "--figure", "/nowhere/a.png"],
        ["S5", "--dot", "--cosets", "S4"],
        ["S5", "--json", "--dot"],
        ["S5", "--dot", "--json"],
        ["S5", "--markdown", "--json"],
        ["S5", "--json", "--figure", "a.svg"],
        ["S5", "--dot", "--figure", "a.svg"],
        ["S5", "--classes", "--cosets", ""],
        ["S5", "--cosets", ""],
        [],
    ],
)
def test_wrong_usage_ends_with_code_2_and_one_sentence(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["group", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err
    assert "Traceback" not in captured.err


@pytest.mark.parametrize("group", ["S5", "C24", "S3xS3"])
def test_tables_fit_a_terminal(group: str) -> None:
    """No line is longer than 80 characters, and each class of subgroups still has its generators."""
    text = run(group)
    assert max(map(len, text.splitlines())) <= 80
    if group == "S5":
        assert re.search(r"^  F20 +\(2 3\)\(4 5\), \(2 4 3 5\), \(1 2\)\(3 4\)  S5$", text, re.MULTILINE)
        assert re.search(r"^  F20 +20 +6 +6 +F20 +1 +1 2 3 4 5$", text, re.MULTILINE)


def test_classes_alone_of_a_group_that_has_no_cayley_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """`--classes` gives what the whole list gives, in text and JSON, and a refusal names it."""
    found = json.loads(run("S5", "--classes", "--json"))
    whole = json.loads(run("S5", "--json"))
    assert (found["subgroups"], found["order"], found["degree"]) == (156, 120, 5)
    key = sorted((one["order"], one["conjugates"], sorted(map(len, one["orbits"]))) for one in whole["subgroup_classes"])
    assert sorted((one["order"], one["conjugates"], sorted(map(len, one["orbits"]))) for one in found["subgroup_classes"]) == key
    assert all(one["normalizer_order"] * one["conjugates"] == one["index"] * one["order"] == 120 for one in found["subgroup_classes"])
    assert [one["order"] for one in found["subgroup_classes"] if one["kind"] == "perfect"] == [60]
    for form in ((), ("--markdown",)):
        assert "156 in 19 classes" in run("S5", "--classes", *form)

    monkeypatch.setattr("algebra.group.MAX_ORDER", 100)
    name = "C3xC5xC11"
    with pytest.raises(
        GroupError,
        match=re.escape(
            f"at most 100 elements, got {name} with more. Classes of subgroups alone, of a group of up to 500,000: --classes"
        ),
    ):
        run(name)
    assert len(json.loads(run(name, "--classes", "--json"))["subgroup_classes"]) == 8


@pytest.mark.parametrize("other", [("--dot",), ("--cosets", "S4"), ("--figure", "x.png")])
def test_classes_go_with_tables_only(other: tuple[str, ...]) -> None:
    with pytest.raises(click.UsageError, match="--classes goes with"):
        run("S5", "--classes", *other)
