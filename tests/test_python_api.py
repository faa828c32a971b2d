"""docs/python-api.md and docs/groups.md: their examples give what they show, and they name everything that is public."""

import doctest
from pathlib import Path

import pytest

import algebra
import verify

DOCS = Path(__file__).parent.parent / "docs"


@pytest.mark.parametrize("name", ["python-api.md", "groups.md"])
def test_the_examples_give_what_they_show(name: str) -> None:
    page = DOCS / name
    parser = doctest.DocTestParser()
    text = "\n".join(line for line in page.read_text(encoding="utf-8").splitlines() if not line.startswith("```"))
    test = parser.get_doctest(text, {}, name, str(page), 0)
    said: list[str] = []
    result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE).run(test, out=said.append)

    assert result.attempted > 20
    assert not result.failed, "".join(said)


def test_the_pages_name_everything_that_is_public() -> None:
    networks, groups = ((DOCS / name).read_text(encoding="utf-8") for name in ("python-api.md", "groups.md"))

    assert [name for name in verify.__all__ if f"verify.{name}" not in networks] == []
    assert [name for name in algebra.__all__ if f"`{name}`" not in groups and f"{name}(" not in groups] == []
