"""report.md says what the two files say, in the same bytes each time, or is not written at all."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reports import UnreadableReport, write_report
from reports.circuits import circuits
from reports.document import REDONE, render
from reports.words import Words
from verify.record.certificate import Certificate, read_certificate
from verify.record.summary import Summary, read_summary

JSON = dict[str, Any]


FIGURES = {name: f"figures/{name}.svg" for name in ("lattice", "votes", "curve", "strategies", "margins")}


def rendered(certificate: JSON, summary: JSON) -> str:
    """report.md without its figures."""
    words = Words(certificate["group"], certificate["program"]["subgroups"])
    found = circuits(certificate["program"], summary["circuits"], words)
    return render(certificate, summary, found, words, FIGURES)


def put(directory: Path, name: str, value: Any) -> None:
    (directory / name).write_text(json.dumps(value))


def test_the_sample_is_a_certificate_and_a_summary(directory: Path) -> None:
    """The two files that these tests use fit their types."""
    assert isinstance(read_certificate(directory / "certificate.json"), Certificate)
    assert isinstance(read_summary(directory / "summary.json"), Summary)


def test_verified_report(certificate: JSON, summary: JSON) -> None:
    """A verified network's report opens with the verdict and states the proved figures."""
    text = rendered(certificate, summary)

    assert text.startswith(
        "# S3: VERIFIED\n\n**The network multiplies in S3: it is right on all 36 pairs, and the coset-voting "
        "program, of 144 constants, gives the network's answer on every one of them.**\n\n"
        "What the explanation is worth (measured): **explained in part; a program of 43.6 % of the parameters.**\n"
    )
    assert "| PROVED | 36 of 36 pairs right, 0 ties |" in text
    assert "decided all pairs but 2, which were decided with wider integers, 1 of them with Python's." in text
    assert "There is no wrong pair." in text
    # x = (2 3) is element 1 and y = (1 2) is element 2
    assert "is 7.333 (rounded here, exact in the certificate), at x = (2 3), y = (1 2)." in text


def test_the_report_says_which_program_q3_is_about(certificate: JSON, summary: JSON) -> None:
    """Without a provable program Q3 is about the program; with one, its neurons, constants and measured share are named."""
    assert "| Q3 | Is the program right for all" in rendered(certificate, summary)

    program = dict(certificate["program"], circuits=certificate["program"]["circuits"][:2])
    neurons = [neuron for circuit in program["circuits"] for neuron in circuit["neurons"]]
    constants = sum(len(neuron[part]) for neuron in neurons for part in ("left", "right", "votes"))
    certificate["symbolic"]["provable"] = {"program": program, "neurons": certificate["neurons"]}
    summary["curve"].insert(0, dict(summary["curve"][0], name="provable", ratio=0.21, logit_fve=0.75, answers_agree=36))
    text = rendered(certificate, summary)

    assert "| Q3 | Is the provable program (see below) right for all" in text
    assert f"Its {len(neurons)} neurons read x and y" in text
    assert f"it has {constants} constants, 21.0 % of the network's folded parameters." in text
    assert "right answer on 36 of 36 pairs (by exact evaluation) and explains 75.0 % of" in text


def test_figures_exist_and_are_named_in_the_report(directory: Path) -> None:
    """Every figure that the report shows is a file, and every file is shown."""
    path = write_report(directory)
    text = path.read_text()
    shown = set(re.findall(r"\]\((figures/[a-z]+\.svg)\)", text))

    assert path == directory / "report.md"
    assert shown == {f"figures/{path.name}" for path in (directory / "figures").iterdir()}
    assert {Path(name).stem for name in shown} == {"lattice", "votes", "curve", "strategies", "margins"}


def test_same_files_same_bytes(directory: Path) -> None:
    """Writing the report twice gives the same bytes, figures included."""

    def contents() -> dict[str, bytes]:
        write_report(directory)
        return {str(p): p.read_bytes() for p in sorted(directory.rglob("*")) if p.is_file()}

    assert contents() == contents()


def test_largest_circuit_in_words(certificate: JSON, summary: JSON) -> None:
    """A circuit on point stabilisers is explained by points, with its votes by what the product does."""
    text = rendered(certificate, summary)

    # the three cells with x(1) = y^-1(1) are silent; the others push by 1 or 2 times -2 against z(1) = 1
    assert (
        "looks at where x sends 1 and at what y sends to 1: 3 × 3 cells. "
        "Each cell settles whether xy sends 1 to 1, and the circuit votes on whether z sends 1 to 1." in text
    )
    assert "Where xy is of the kind “1->1” (3 cells), its votes on that kind are 0 and on every other kind 0." in text
    assert (
        "Where xy is of the kind “1 elsewhere” (6 cells), its votes on that kind are 0 "
        "and on every other kind between -4 and -2." in text
    )


def refuted(certificate: JSON) -> None:
    certificate["verdict"] = "REFUTED"
    wrong = [[3, y, 0] for y in range(6) if y != 4] * 6
    certificate["correct"] |= {"status": "REFUTED", "right": 6, "ties": 0, "wrong": wrong, "min_margin": None}
    certificate["correct"] |= {"min_margin_pair": None, "float32_any_order": None}


def test_refuted_network(certificate: JSON, summary: JSON) -> None:
    """A wrong network's report shows a counterexample, the first twenty wrong pairs and the number of all."""
    refuted(certificate)

    text = rendered(certificate, summary)

    # element 3 is (1 2 3), since its images are 1, 2, 0; times the identity it is itself
    assert "for (1 2 3) times () it says (), not (1 2 3); the coset-voting program, of" in text
    assert "The network is wrong on 30 pairs; the first 20 are (the certificate lists all):" in text
    assert len(re.findall(r"^\| \(1 2 3\) \| .* \| \(\) \| .* \|$", text, re.MULTILINE)) == 20
    assert "mistakes and ties included" in text


def test_program_that_differs(certificate: JSON, summary: JSON) -> None:
    """Pairs on which program and network differ are listed, and counted in what program.py must print."""
    certificate["equivalent"] |= {"status": "REFUTED", "agree": 35, "differ": [[3, 4, 0, -1]]}

    text = rendered(certificate, summary)

    assert "| (1 2 3) | (1 3 2) | () | a tie |" in text
    assert "gives the network's answer on 35 of them" in text
    assert "must print that 35 of 36 pairs are right" in text
    assert "which is the digest of the network's answers too" not in text


def test_without_the_optional_parts(directory: Path, certificate: JSON, summary: JSON) -> None:
    """A run without compact proof or rival description still has a report."""
    certificate["compact"] = None
    summary |= {"compact": None, "compact_map": None, "margins": None}
    put(directory, "certificate.json", certificate)
    put(directory, "summary.json", summary)

    text = write_report(directory).read_text()

    assert "No compact proof was attempted in this run." in text
    assert {path.stem for path in (directory / "figures").iterdir()} == {"lattice", "votes", "curve"}


def test_names_do_not_break_tables(certificate: JSON, summary: JSON) -> None:
    """Stars and bars in the names of subgroups are escaped, so that they are read as such."""
    summary["families"][0]["name"] = "S5*#4 (1|2)"

    assert r"| S5\*#4 (1\|2) | 9 | 18 | 100 % |" in rendered(certificate, summary)


def test_html_is_one_file(directory: Path) -> None:
    """The HTML report holds its figures and tables, and no markup that came from the data."""
    summary = json.loads((directory / "summary.json").read_text())
    summary["families"][0]["name"] = "<script>"
    put(directory, "summary.json", summary)

    text = write_report(directory, "html").read_text()

    assert text.startswith("<!doctype html>")
    assert text.count('src="data:image/svg+xml;base64,') == 5
    assert "<table>" in text
    assert "<script>" not in text


def remove_summary(directory: Path) -> None:
    (directory / "summary.json").unlink()


def not_json(directory: Path) -> None:
    (directory / "summary.json").write_text("{")


def a_list(directory: Path) -> None:
    put(directory, "certificate.json", [])


def other_checkpoint(directory: Path) -> None:
    summary = json.loads((directory / "summary.json").read_text())
    summary["checkpoint"]["sha256"] = "c" * 64
    put(directory, "summary.json", summary)


def lacking(*keys: str) -> Callable[[Path], None]:
    def spoil(directory: Path) -> None:
        summary = json.loads((directory / "summary.json").read_text())
        inner = summary
        for key in keys[:-1]:
            inner = inner[key]
        del inner[keys[-1]]
        put(directory, "summary.json", summary)

    return spoil


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (remove_summary, "expected a file summary.json"),
        (not_json, "expected JSON in"),
        (a_list, "expected a JSON object in .*certificate.json, not list"),
        (other_checkpoint, "are about different checkpoints"),
        (lacking("lattice"), "lacks an entry: KeyError"),
        (lacking("network", "live"), "lacks an entry: .* 'live'"),
        (lacking("compact", "seconds_search"), "lacks an entry: .* 'seconds_search'"),
    ],
)
def test_unreadable_files_leave_nothing_behind(directory: Path, spoil: Callable[[Path], None], message: str) -> None:
    """Files that cannot be read or don't belong together are refused, and no report or figure is written."""
    spoil(directory)
    before = sorted(directory.rglob("*"))

    with pytest.raises(UnreadableReport, match=message):
        write_report(directory)

    assert sorted(directory.rglob("*")) == before


def test_what_is_proved_stands_apart(certificate: JSON, summary: JSON) -> None:
    """Each question stands in one of two tables: what the checker redoes, and what it does not."""
    text = rendered(certificate, summary)
    first, second = text.index("\nProved:\n"), text.index("### Q1")
    stated = text.find("\nNot redone by `verify check`:\n")
    rows = {name: text.index(f"\n| {name} | ") for name in ("Q1", "Q2", "Q3", "Q4")}

    for name, place in rows.items():
        redone = first < place < (second if stated < 0 else stated)
        assert redone == (name in REDONE), name
        assert first < place < second


def test_a_program_that_explains_nothing_is_not_called_coset_voting(certificate: JSON, summary: JSON) -> None:
    """A network written out is right, and the headline says that it is no explanation."""
    summary["explained"] |= {"status": "not explained", "words": "not explained: the program is the network written out"}
    text = rendered(certificate, summary)

    assert "and a program that explains nothing, of 144 constants, gives" in text
    assert "**not explained: the program is the network written out.**" in text


def test_a_sample_is_said_to_be_one(certificate: JSON, summary: JSON) -> None:
    """Interventions on 12 of 36 pairs are said to be that, where they stand."""
    assert "measured on a sample" not in rendered(certificate, summary)
    summary["counterfactuals"][0]["pairs"] = 12
    assert "measured on a sample, 12 of the 36 pairs: every y with 2 of the 6 x, drawn with seed 0." in rendered(certificate, summary)


def test_a_negative_share_of_variance_is_none(certificate: JSON, summary: JSON) -> None:
    """No negative percentage is printed."""
    summary["counterfactuals"][0]["logit_fve"] = -0.4
    text = rendered(certificate, summary)
    assert "| remove 40 % of the circuits | 100 % | 75.0 % | none |" in text
    assert "-4" not in text.split("After each intervention")[1].split("###")[0]
