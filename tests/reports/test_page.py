"""The page in a real browser: each thing that can be clicked or typed, no message on the console, nothing loaded, nothing sideways."""

import re
from pathlib import Path

import pytest

from algebra.group import parse_group
from net.formats.folded_arrays import save_folded
from net.planted import planted_network
from reports import write_report
from reports.html_file import TEMPLATES
from reports.page import packed
from tests.reports.browser import opened
from verify.jobs.run import run


def test_the_page_allows_nothing_but_itself(real_run: Path) -> None:
    """A policy with hashes; no address but fragments and pictures inside the file; small; no style or handler in an attribute."""
    text = write_report(real_run, "html").read_text()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None
    assert policy[1].startswith("default-src 'none'; img-src data:; style-src 'sha256-")
    assert "unsafe" not in policy[1]
    markup = text.split("<script")[0]
    assert set(re.findall(r'(?:href|src)="([^":]*:?)', markup)) <= {"data:"} | set(re.findall(r'href="(#[^"]*)"', markup))
    assert not re.search(r"<[^>]* (?:style|on[a-z]+)=", markup)
    assert len(text) < 3_000_000


@pytest.fixture(scope="module")
def page_file(real_run: Path) -> Path:
    return write_report(real_run, "html")


def test_every_interaction(page_file: Path) -> None:
    """Ballots typed and chosen, neurons, circuits, classes, sorting and filtering, by mouse and by keyboard."""
    with opened(page_file, viewport={"width": 1000, "height": 900}) as (page, said):
        # the ballot: typed
        page.fill("#pick-x", "(1 2 3)")
        page.fill("#pick-y", "(1 2)")
        page.press("#pick-y", "Enter")
        assert "xy = (2 3). The program answers (2 3), which is right." in page.inner_text("#ballot-view")
        printed = [t for t in page.locator("#ballot-view tr.here td.r").all_inner_texts() if t]
        sums = [float(t) for t in printed]
        rounding = sum(0.5 * 10.0 ** -len(t.partition(".")[2]) for t in printed)  # half of each number's last place
        rows = page.locator("#ballot-view tbody tr:not(.here)").all_inner_texts()
        assert sums[0] - sums[1] == pytest.approx(sums[2], abs=rounding + 1e-9)
        assert sum(float(row.split("\t")[-1]) for row in rows) == pytest.approx(sums[2], rel=1e-3)
        # typed wrongly
        page.fill("#pick-x", "(1 9)")
        page.press("#pick-x", "Enter")
        assert "expected different points from 1 to 4" in page.inner_text("#pick-error")
        page.fill("#pick-x", "abc")
        page.press("#pick-x", "Enter")
        assert "expected cycles such as" in page.inner_text("#pick-error")
        # chosen in the grid, by mouse and by keyboard
        page.click("#pairs-grid", position={"x": 3, "y": 3})
        assert page.input_value("#pick-x") == page.input_value("#pick-y") == "()"
        page.focus("#pairs-grid")
        page.keyboard.press("ArrowDown")
        assert page.input_value("#pick-x") == "(3 4)"
        page.keyboard.press("ArrowRight")
        assert "xy = (). " in page.inner_text("#ballot-view")
        # a circuit and its table; back to a neuron by its link
        page.click("#table-circuits tbody a >> nth=0")
        assert "Circuit" in page.inner_text("#circuit-view h3")
        assert page.locator("#circuit-view table.votes").count() >= 2
        assert page.locator("#circuit-view td.product").count() > 0
        page.click("#circuit-view p a >> nth=0")
        assert "Neuron" in page.inner_text("#neuron-view h3")
        assert page.locator("#neuron-view canvas").count() == 5
        # a class from the neuron, and a neuron from the class
        page.click("#neuron-view a[href^='#class-']")
        assert "conjugates, in the labels of" in page.inner_text("#class-view")
        assert page.locator("svg a.chosen").count() == 1
        page.focus("svg a >> nth=3")
        page.keyboard.press("Enter")
        assert page.url.split("#")[1].startswith("class-")
        # sorting and filtering
        page.click("#table-neurons th button >> nth=0")
        page.click("#table-neurons th button >> nth=0")
        numbers = [int(t) for t in page.locator("#table-neurons tbody tr td:first-child").all_inner_texts()]
        assert numbers == sorted(numbers, reverse=True)
        page.fill("#filter-neurons", "fixing 2")
        shown = page.locator("#table-neurons tbody tr:visible").all_inner_texts()
        assert shown
        assert all("fixing 2" in row for row in shown)
        assert len(shown) < len(numbers)
        # numbers in one byte and in two come out as they went in
        script = (TEMPLATES / "page.js").read_text()
        function = script[script.index("function unpacked") : script.index("const colour")]
        for numbers in ([7, 0, 255] * 100, [*range(300)]):
            unpack = f"(text) => {{ const images = Array(300).fill(0); {function}; return unpacked(text); }}"
            assert page.evaluate(unpack, packed(numbers)) == numbers
        assert said == []


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1400, 800, 390])
def test_it_fits_the_screen(page_file: Path, width: int, scheme: str) -> None:
    """No sideways scrolling, and text that stands out from what is behind it."""
    with opened(page_file, viewport={"width": width, "height": 900}, color_scheme=scheme) as (page, said):
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        text, back = page.evaluate("[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]")
        light, dark = (sum(map(int, re.findall(r"\d+", one)[:3])) for one in (text, back))
        assert abs(light - dark) > 450
        assert said == []


@pytest.fixture(scope="module")
def small_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a run on a planted network over S3."""
    folder = tmp_path_factory.mktemp("small")
    save_folded(folder / "n.safetensors", planted_network(parse_group("S3"), seed=1, width=20).network.weights)
    return write_report(run(folder / "n.safetensors", "S3", folder / "out", timeout_s=0).directory, "html")


def test_of_few_elements_none_is_both_for_and_against(small_page: Path) -> None:
    """Six elements: three with the most votes, and the three others. And the lattice is no larger than its words."""
    with opened(small_page, viewport={"width": 1000, "height": 900}) as (page, said):
        page.evaluate("location.hash = 'neuron-0'")
        page.wait_for_selector("#neuron-view h3")
        votes = page.inner_text("#neuron-view").split("Most votes for: ")[1]
        lists = [re.findall(r"\([\d ]*\)", part) for part in votes.split("Most against: ")]
        assert [len(one) for one in lists] == [3, 3]
        assert not {*lists[0]} & {*lists[1]}
        assert page.locator("#lattice-view svg").bounding_box()["width"] < 300
        assert said == []
