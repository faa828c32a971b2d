"""Every number of the search for programs is explained, used and on the page."""

import re
from pathlib import Path

import msgspec

from verify.distil.settings import DistilSettings

ROOT = Path(__file__).parents[3]
NAMES = [field.name for field in msgspec.structs.fields(DistilSettings)]


def test_each_setting_has_its_reason() -> None:
    """The docstring says of each field what it is for."""
    assert re.findall(r"^        (\w+): ", DistilSettings.__doc__ or "", re.MULTILINE) == NAMES


def test_each_setting_is_used() -> None:
    """Some module of verify/distil reads each of them."""
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "verify" / "distil").glob("*.py") if path.name != "settings.py")

    assert [name for name in NAMES if not re.search(rf"settings\.{name}\b", code)] == []


def test_each_setting_is_on_the_page_halved_and_doubled() -> None:
    """The first table of docs/settings.md has two rows for each setting, and none for another."""
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    table = page.split("<!-- table -->")[1].split("<!-- end -->")[0]
    rows = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)

    assert rows == [name for name in NAMES for _ in range(2)]


def test_a_summary_that_names_a_setting_of_an_earlier_version_is_read() -> None:
    assert msgspec.convert({"ridge": 0.25, "faithful_loss": 0.005}, DistilSettings) == DistilSettings(ridge=0.25)
