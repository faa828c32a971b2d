"""The page of a training run holds the rows' figures, and no text of a file becomes markup."""

import json
import re
from pathlib import Path
from typing import Any

from reports.trace_page import LEAST, trace_page
from tests.reports.browser import opened

JSON = dict[str, Any]


def row(step: int | None, right: int, **more: Any) -> JSON:
    """A snapshot of a network over S3, trained on 18 of the 36 pairs."""
    made: JSON = {"file": f"{step}.safetensors", "step": step, "pairs": 36, "right": right, "live": 4}
    made |= {"min_margin": None, "exact_min_margin": None}
    made |= {"trained_pairs": 18, "trained_right": min(18, right), "held_out_right": right - min(18, right)}
    return made | {"labelled": 0.5, "rank_one": None, "classes": {}, "irreps": {}} | more


def margin(p: int, q: int) -> JSON:
    return {"min_margin": p / q, "exact_min_margin": f"{p}/{q}"}


ROWS = [
    row(0, 6),
    row(
        10,
        20,
        rank_one=0.9,
        classes={"C3": 0.04, "S2*": 0.3, "tiny": LEAST / 2},
        irreps={"(2,1)": 0.2},
        min_margin=0.25,
        exact_min_margin="1/4",
    ),
    row(20, 36, rank_one=1.0, classes={"C3": 0.6, "S2*": 0.0001}, irreps={"(2,1)": 0.9}, **margin(3, 2)),
    {"file": "</script><b>x", "step": None, "reason": "expected a <tensor>"},
]
FOUND = {"classes": {"S2*": 10, "C3": 20}, "irreps": {"(2,1)": 10}, "vanished": {"S2*": 20}, "half": 20, "nearly": 20}


def shown() -> tuple[str, JSON]:
    page = trace_page(ROWS, FOUND, "<i>run</i>")
    return page, json.loads(re.findall(r'id="data">(.*?)</script>', page)[0])


def test_the_strip_holds_every_figure_of_every_snapshot() -> None:
    page, data = shown()
    assert data["steps"] == [0, 10, 20]
    names = re.findall(r'<th scope="row">(.*?)</th>', page)
    values = [line["values"] for section in data["sections"] for line in section]
    strip = dict(zip(names, values, strict=True))
    assert strip["all pairs"] == [6 / 36, 20 / 36, 1.0]
    assert strip["trained on"] == [6 / 18, 1.0, 1.0]
    assert strip["held out"] == [0.0, 2 / 18, 1.0]
    assert strip["least margin"] == [None, 0.25, 1.5]
    assert strip["energy in labelled neurons"] == [0.5] * 3
    assert strip["rank-one share of L and R"] == [None, 0.9, 1.0]
    assert strip["(2,1)"] == [None, 0.2, 0.9]  # no irreps were measured at the first
    # in order of appearance; what never holds a hundredth has no row, and what is not known at any snapshot has none either
    assert names[-3:] == ["S2*", "C3", "(2,1)"]
    assert "tiny" not in strip
    assert "variance that the readable program explains" not in strip
    assert "step 10; first below half of that at step 20" in page


def test_values_are_told_as_in_the_table() -> None:
    """All but one of 518,400 is not 100 %; of no pairs no share is right; a margin beyond float64 has its digits."""
    more = {
        "pairs": 518400,
        "trained_pairs": 518400,
        "trained_right": 518399,
        "held_out_right": 0,
        "exact_min_margin": str(3 * 10**400),
    }
    page = trace_page([row(0, 518399, **more)], {**FOUND, "vanished": {}}, "run")
    data = json.loads(re.findall(r'id="data">(.*?)</script>', page)[0])
    told = dict(zip(re.findall(r'<th scope="row">(.*?)</th>', page), [r["told"] for s in data["sections"] for r in s], strict=True))
    assert told["all pairs"] == told["trained on"] == ["over 99.9 %"]
    assert told["held out"] == ["no pairs"]
    assert told["least margin"] == ["3.000e+400"]
    assert "<p>1 snapshot of run." in page


def test_no_text_of_a_file_becomes_markup() -> None:
    page, _ = shown()
    assert "<b>" not in page
    assert "<i>" not in page
    assert "<tensor>" not in page
    assert page.count("<script") == page.count("</script>") == 2


def test_a_run_without_a_snapshot_that_can_be_shown_has_a_page() -> None:
    page = trace_page(ROWS[3:], FOUND, "run")
    assert "0 snapshots of run" in page
    assert "expected a &lt;tensor&gt;" in page


def test_the_slider_and_the_strip_choose_a_snapshot(tmp_path: Path) -> None:
    path = tmp_path / "trace.html"
    path.write_text(shown()[0])
    with opened(path, viewport={"width": 900, "height": 800}) as (page, said):
        assert page.inner_text("#step") == "step 20 (3 of 3)"
        assert page.locator("td.value").all_inner_texts() == [
            *["100 %"] * 3,
            "1.5",
            "50.0 %",
            "100 %",
            "less than 0.1 %",
            "60.0 %",
            "90.0 %",
        ]
        page.focus("#chosen")
        page.keyboard.press("Home")
        assert page.inner_text("#step") == "step 0 (1 of 3)"
        assert page.locator("td.value").all_inner_texts() == [
            *["16.7 %", "33.3 %", "0 %"],
            *["none", "50.0 %", "not known"],
            *["0 %", "0 %", "not known"],
        ]
        strip = page.locator("canvas >> nth=0")
        strip.click(position={"x": strip.bounding_box()["width"] / 2, "y": 5})
        assert page.inner_text("#step") == "step 10 (2 of 3)"
        assert page.evaluate("document.documentElement.scrollWidth") <= 900
        assert said == []
