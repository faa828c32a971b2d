"""docs/formal.md shows the definitions as they are."""

from pathlib import Path

from verify.formal.project import theory_files

PAGE = (Path(__file__).parents[3] / "docs" / "formal.md").read_text(encoding="utf-8")


def test_the_page_quotes_the_definitions() -> None:
    """The page of definitions is the file, word for word."""
    assert f"```coq\n{theory_files()['theory/Definitions.v'].strip()}\n```" in PAGE


def test_the_page_names_every_file_of_the_theory() -> None:
    """No file of the theory is left out of the page."""
    names = [name.removeprefix("theory/") for name in theory_files() if name.endswith(".v")]
    assert len(names) > 5
    assert [name for name in names if name not in PAGE] == []
