"""The documentation names every command, and nothing that isn't there."""

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from verify.cli import cli, command_names, short_help
from verify.exit_codes import ExitCode

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [README, *(page.read_text(encoding="utf-8") for page in sorted((ROOT / "docs").glob("*.md")))]
CONTEXT = click.Context(cli)


def command(name: str) -> click.Command:
    found = cli.get_command(CONTEXT, name)
    assert found is not None
    return found


def links(text: str) -> list[str]:
    """The relative links of a page."""
    return re.findall(r"\]\((?!https?:|#)([^)#]+)", text)


def command_lines(text: str) -> list[str]:
    """The lines of a page's code blocks, fenced or indented, that call `verify` or `make`, without prompt, path and comment."""
    blocks = re.findall(r"^```[a-z]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    blocks += re.findall(r"^ {4}(?! )(.*)$", text, re.MULTILINE)
    lines = [re.split(r" {2,}(?:#|the same)", line)[0].removeprefix("$ ").strip() for block in blocks for line in block.splitlines()]
    lines = [line.removeprefix(".venv/bin/") for line in lines]
    return [line for line in lines if re.match(r"(verify|make) ", line)]


def test_commands_lines_and_links_are_found() -> None:
    """What the other tests go through is there to be gone through."""
    assert len(command_names()) > 9
    assert sum(len(command_lines(page)) for page in PAGES) > 30
    assert sum(len(links(page)) for page in PAGES) > 40


@pytest.mark.parametrize("name", command_names())
def test_every_command_is_documented(name: str) -> None:
    """Each command is called in the README or on a page of docs/."""
    assert any(line.split()[:2] == ["verify", name] for page in PAGES for line in command_lines(page))


@pytest.mark.parametrize("name", command_names())
def test_every_command_and_option_has_help(name: str) -> None:
    """Each command has a line in `verify --help`, help of its own, and its module is named after it."""
    assert short_help(name).endswith(".")
    assert command(name).help
    assert command(name).get_short_help_str()


@pytest.mark.parametrize("line", [line for page in PAGES for line in command_lines(page)])
def test_documented_commands_exist(line: str) -> None:
    """Each command line in the documentation calls a command, options and make targets that there are."""
    program, name, *words = line.split()
    if program == "make":
        assert re.search(rf"^{name}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
        return
    if name.startswith("-"):
        return
    called = command(name)
    if isinstance(called, click.Group):  # the word after it is a command of its own
        called = called.commands[words[0]]
    known = {option for parameter in called.params for option in (*parameter.opts, *parameter.secondary_opts)}
    options = {re.split(r"[=\]]", word.lstrip("["))[0] for word in words if word.lstrip("[").startswith("-")}
    assert options - {"--help"} <= known


def test_readme_states_the_exit_codes() -> None:
    """The README's table of exit codes is the command line's."""
    rows = dict(re.findall(r"^\| (\d) \| ([a-z]+)", README, re.MULTILINE))

    assert rows == {str(code.value): code.name.lower() for code in list(ExitCode)[:6]}


@pytest.mark.parametrize("path", sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]), ids=lambda p: p.name)
def test_links_lead_somewhere(path: Path) -> None:
    """Each relative link of a page leads to a file or folder."""
    assert [target for target in links(path.read_text(encoding="utf-8")) if not (path.parent / target).exists()] == []


def test_help_lists_every_command() -> None:
    """`verify --help` names all commands without importing them."""
    script = "from verify.cli import execute; execute(['--help'])"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)

    assert [name for name in command_names() if not re.search(rf"^  {name} ", result.stdout, re.MULTILINE)] == []
