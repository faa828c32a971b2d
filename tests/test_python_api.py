"""docs/python-api.md: its examples give what they show, and it names everything that is public."""

import doctest
from pathlib import Path

import algebra
import verify

PAGE = Path(__file__).parent.parent / "docs" / "python-api.md"


def test_the_examples_give_what_they_show() -> None:
    parser = doctest.DocTestParser()
    text = "\n".join(line for line in PAGE.read_text(encoding="utf-8").splitlines() if not line.startswith("```"))
    test = parser.get_doctest(text, {}, PAGE.name, str(PAGE), 0)
    said: list[str] = []
    result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE).run(test, out=said.append)

    assert result.attempted > 20
    assert not result.failed, "".join(said)


def test_the_page_names_everything_that_is_public() -> None:
    text = PAGE.read_text(encoding="utf-8")

    assert [name for name in verify.__all__ if f"verify.{name}" not in text] == []
    assert [name for name in algebra.__all__ if f"`{name}`" not in text and f"{name}(" not in text] == []
