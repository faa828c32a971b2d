"""Counts of one have a noun in the singular, in all that is said about networks over the smallest groups."""

import contextlib
import io
import re
from pathlib import Path

import pytest

from algebra.plural import plural
from net.formats.folded_arrays import save_folded
from net.weights import Weights
from reports.numbers import plural as plural_of_reports
from verify.checker.progress import amount
from verify.cli import execute

#: What follows a 1 that is no count.
NO_COUNT = r"(?!is\b|its\b|times\b|has\b|as\b|cosets\b|this\b|answer agrees\b|class\b|neuron is\b|shows\b|costs\b|else\b|pair as\b)"
NETWORKS = {
    "C1": Weights.from_arrays([[1.0]], [[1.0]], [[1.0]]),
    "C2": Weights.from_arrays([[1.0], [-1.0]], [[1.0], [-1.0]], [[1.0, -1.0]]),
}


def said(*arguments: str) -> str:
    """What a command writes to both streams."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        execute(list(arguments))
    return out.getvalue()


@pytest.mark.parametrize("group", NETWORKS)
def test_one_thing_is_not_called_things(group: str, tmp_path: Path) -> None:
    path, run = tmp_path / "network.safetensors", tmp_path / "run"
    save_folded(path, NETWORKS[group])
    read = ["--group", group, "--checkpoint", str(path), "--order", "lexicographic", "--product", "left-first"]
    texts = {
        "run": said("run", *read, "--out", str(run)),
        "check": said("check", str(run / "certificate.json"), "--checkpoint", str(path)),
        "group": said("group", group),
        "classes": said("group", group, "--classes"),
        "neuron": said("neuron", "0", *read),
        "claims": said("claims", "stander", *read[:4]) + said("claims", "necessity", *read[:4]),
        "diff": said("diff", str(run), str(run)),
        **{name: (run / name).read_text(encoding="utf-8") for name in ("report.md", "report-circuits.md", "program.py")},
    }
    for name, text in texts.items():
        assert text, name
        found = re.findall(rf"(?<![\w.,/^*\-−×'])1 {NO_COUNT}(?:[a-z-]+ )?[a-z]+s\b", text)
        assert not found, (name, found)


def test_the_three_functions_say_the_same() -> None:
    """Packages that share no code have one each."""
    for number in (0, 1, 2, 14400):
        assert plural(number, "entry", "entries") == plural_of_reports(number, "entry", "entries") == amount(number, "entries")
        assert plural(number, "pair") == plural_of_reports(number, "pair") == amount(number, "pairs")
    assert (plural(1, "class", "classes"), plural(14400, "pair")) == ("1 class", "14,400 pairs")
