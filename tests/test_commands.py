"""The commands in the README and on the pages of docs/ run as they stand there, in a folder with the files that they name.

Names that stand for a user's own files (`CLAIMS.toml`, `FILE`) are replaced by files that there are, and what takes hours is made
shorter by options that are added; both are listed here. Everything else is typed as it is printed.
"""

import re
import shlex
import shutil
from pathlib import Path

import pytest

import verify
from verify.cli import execute

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

#: what a page's line needs that isn't typed as it stands, and why
NOT_RUN = {
    "make prove": "sets up an environment of its own, and S6 takes minutes; .ci/run does it",
    "make test": "is what runs this test",
}
#: placeholders of pages, by the first word of the line's page
PLACEHOLDERS = {
    "CLAIMS.toml": "mine.toml",
    "FILE": "model.pt",
    "DIR": "checkpoints",
    "DIRECTORY": "coq",
    "RUN": "proofs/mine",
}
#: options added to what would take hours: how long is trained decides no verdict, and the files come out with the same names
SHORTER = {
    "verify train --group S5 --out S5.safetensors --seed 1": ["--steps", "2", "--quiet"],
    "verify train --group S5 --seeds 1-20 --keep-every 500 --out nets": ["--steps", "500", "--quiet", "--width", "8", "--embed", "8"],
}
#: a line's parts that are replaced, with the same meaning for less
INSTEAD = {"--seeds 1-20": "--seeds 1-2"}
#: lines whose exit code says that something is not so; all others end with 0
CODES = {"verify claims stander": (0, 1, 3), "verify claims CLAIMS.toml": (0, 1, 3), "verify claims mine.toml --checkpoint": (0, 1, 3)}
#: those that take a second or two
CHEAP = ("verify group S6", "verify claims mine.toml --init --group S5")


def printed(page: Path) -> list[str]:
    """The lines of a page's code blocks that call `verify` or `make`, without prompt, path and comment."""
    blocks = re.findall(r"^```[a-z]*\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    lines = [
        line.split("  #")[0].removeprefix("$ ").removeprefix(".venv/bin/").strip() for block in blocks for line in block.splitlines()
    ]
    return [line for line in lines if re.match(r"(verify|make) ", line)]


LINES = list(dict.fromkeys(line for page in PAGES for line in printed(page)))


def typed(line: str) -> list[str]:
    """What is typed for a printed line, without the first word."""
    shorter = line
    for part, less in INSTEAD.items():
        shorter = shorter.replace(part, less)
    return [PLACEHOLDERS.get(word, word) for word in shlex.split(shorter)[1:]] + SHORTER.get(line, [])


def codes(line: str) -> tuple[int, ...]:
    """The exit codes with which a line may end."""
    return next((found for start, found in CODES.items() if line.startswith(start)), (0,))


def test_what_is_not_run_has_a_reason_and_stands_on_a_page() -> None:
    """Each exception is about a line that a page prints."""
    assert NOT_RUN.keys() | SHORTER.keys() | set(CHEAP) <= set(LINES)
    assert all(any(line.startswith(start) for line in LINES) for start in CODES)


@pytest.mark.parametrize("line", CHEAP)
def test_a_cheap_command_runs(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends with 0 in an empty folder."""
    monkeypatch.chdir(tmp_path)
    assert execute(typed(line)) == 0


@pytest.mark.slow
def test_every_command_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    """All lines of all pages, one after the other in one folder, with the bundled S5 network as the user's own."""
    monkeypatch.chdir(tmp_path)
    bundled = ROOT / "net" / "checkpoints" / "S5.safetensors"
    shutil.copy(bundled, "model.pt")
    Path("checkpoints").mkdir()
    shutil.copy(bundled, "checkpoints/one.safetensors")
    ended = {}
    for line in LINES:
        if line not in NOT_RUN:
            ended[line] = execute(typed(line))
    _, complaints = capfd.readouterr()
    assert {line: code for line, code in ended.items() if code not in codes(line)} == {}, complaints[-3000:]
    made = (
        "proofs/S5/report.md",
        "proofs/mine/report.html",
        "proofs/mine/report.tex",
        "mine.toml",
        "17.svg",
        "sheet.pdf",
        "coq",
        "S5.safetensors",
    )
    assert [name for name in made if not Path(name).exists()] == []
    # the Python on the first page
    block = re.search(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert block is not None
    shutil.rmtree("proofs/mine")
    names: dict[str, object] = {"verify": verify}
    exec(compile(block[1], "README.md", "exec"), names)
    assert Path("proofs/mine/report.md").exists()
