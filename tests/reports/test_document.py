"""A report says what the files say, in the same bytes each time, in three formats alike, or is not written at all."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from reports import UnreadableReport, draw, write_report
from reports.as_html import line as html_line
from reports.blocks import Block, Environment, Paragraph, Table
from reports.coset_voting import Program as Voting
from reports.document import report, source_of
from reports.latex import formula
from reports.latex import line as latex_line
from reports.markdown import line as markdown_line
from reports.markdown import markdown
from reports.numbers import at_least, count, decimal, ratio_of, rational, share
from reports.program_text import program_constants
from verify.compare.comparison import NEAR_TIE
from verify.compare.levels import DRAWS
from verify.record.certificate import Certificate, read_certificate
from verify.record.summary import Summary, read_summary

JSON = dict[str, Any]


def rendered(certificate: JSON, summary: JSON) -> str:
    """report.md without its figures."""
    return markdown(report(source_of(certificate, summary, Voting(program_constants(certificate["program"])))))


def put(directory: Path, name: str, value: Any) -> None:
    (directory / name).write_text(json.dumps(value))


def test_the_sample_is_a_certificate_and_a_summary(directory: Path) -> None:
    """The two files that these tests use fit their types."""
    assert isinstance(read_certificate(directory / "certificate.json"), Certificate)
    assert isinstance(read_summary(directory / "summary.json"), Summary)


def test_verified_report(certificate: JSON, summary: JSON) -> None:
    """A verified network's report opens with what was found and states the proved figures in theorems."""
    text = rendered(certificate, summary)

    assert text.startswith(
        "# S3: VERIFIED\n\n## What was found\n\n"
        "The network multiplies in S3: for all 36 pairs (x, y) of elements of S3 its largest output is the one for the product xy"
    )
    assert "> **Theorem 1 (the network).** At all 36 pairs (x, y) of elements of G the network is right." in text
    assert "That decided 34 of the 36 pairs, and long integers the rest." in text
    # x = (2 3) is element 1 and y = (1 2) is element 2
    assert "The least margin is 7.333 (rounded), at x = (2 3), y = (1 2)." in text
    assert "> **Theorem 2 (the program).** At all 36 pairs the program's answer is the network's." in text


def test_figures_after_removals_say_how_many_draws_they_are_means_of(directory: Path) -> None:
    """As many as the code draws; the table of interventions shows one of them, and says which, since its figures are others."""
    write_report(directory)

    assert DRAWS == 3
    assert "means of three random draws" in (directory / "report.md").read_text()
    assert "circuits (the first of the three draws of “The mechanism”)" in (directory / "report-circuits.md").read_text()


def test_what_was_drawn_before_leads_to_the_same_files(real_run: Path, tmp_path: Path) -> None:
    """Figures and expanded program handed on, against a report that draws and expands by itself; another program's is not used."""
    records = [json.loads((real_run / f"{name}.json").read_text()) for name in ("certificate", "summary", "pictures")]
    drawn = draw(*records)
    other = {**drawn.program, "circuits": drawn.program["circuits"][:1]}
    files = []
    for k, handed in enumerate((None, drawn, drawn._replace(program=other, voting=Voting(program_constants(other))))):
        folder = tmp_path / str(k)
        folder.mkdir()
        for name, record in zip(("certificate", "summary", "pictures"), records, strict=True):
            put(folder, f"{name}.json", record)
        write_report(folder, drawn=handed)
        files.append({path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()})
    assert files[0] == files[1] == files[2]
    assert sum(path.suffix == ".svg" for path in files[0]) >= 3


def test_sections_come_in_order(certificate: JSON, summary: JSON) -> None:
    """What was found, definitions, theorems, mechanism, limits, how to check."""
    heads = re.findall(r"^## (.*)$", rendered(certificate, summary), re.MULTILINE)
    assert heads == [
        "What was found",
        "Definitions",
        "Theorems",
        "The mechanism, as measured",
        "What this rests on, and what it does not say",
        "Check it yourself",
    ]


def refuted(certificate: JSON) -> None:
    certificate["verdict"] = "REFUTED"
    wrong = [[3, y, 0] for y in range(6) if y != 4] * 6
    certificate["correct"] |= {"status": "REFUTED", "right": 6, "ties": 0, "wrong": wrong, "min_margin": None}
    certificate["correct"] |= {"min_margin_pair": None, "float32_any_order": None}


def test_refuted_network(certificate: JSON, summary: JSON) -> None:
    """Theorem 1 of a network with mistakes: right exactly on the complement of the list, which begins in the report."""
    refuted(certificate)
    text = rendered(certificate, summary)

    assert "The network does not multiply in S3: for 6 of the 36 pairs" in text
    assert (
        "The network is right at a pair (x, y) if and only if it is not one of the 30 pairs of the list W: it is right at 6 of 36."
        in text
    )
    # element 3 is (1 2 3), since its images are 1, 2, 0; times the identity it is itself
    assert "| (1 2 3) | () | () | (1 2 3) |" in text
    assert len(re.findall(r"^\| \(1 2 3\) \| .* \| \(\) \| .* \|$", text, re.MULTILINE)) == 5
    assert "mistakes included" in text


def test_one_wrong_pair_is_no_list(certificate: JSON, summary: JSON) -> None:
    """One pair, a tie: no "1 pairs", and nothing that begins below and ends elsewhere."""
    certificate["verdict"] = "REFUTED"
    certificate["correct"] |= {"status": "REFUTED", "right": 35, "ties": 1, "wrong": [[3, 0, -1]], "float32_any_order": None}
    text = rendered(certificate, summary)

    assert "if and only if it is not the one below, a tie: it is right at 35 of 36." in text
    assert "The wrong pair." in text
    assert "list W" not in text


def test_program_that_differs(certificate: JSON, summary: JSON) -> None:
    """Pairs on which program and network differ are listed, and counted in what program.py must print."""
    certificate["equivalent"] |= {"status": "REFUTED", "agree": 35, "differ": [[3, 4, 0, -1]]}
    text = rendered(certificate, summary)

    assert "| (1 2 3) | (1 3 2) | () | a tie |" in text
    assert "The program's answer is the network's at 35 of 36 pairs" in text
    assert "must count 35 of 36 pairs as right" in text
    assert "which is that of the network's answers" not in text


@pytest.mark.parametrize(
    ("product", "order", "words"),
    [
        ("right-first", "lexicographic", "in its file's own terms it answers yx"),
        ("left-first", "table", "its file numbers the elements in no published way"),
    ],
)
def test_another_product_or_numbering_is_said_in_the_headline(
    certificate: JSON, summary: JSON, product: str, order: str, words: str
) -> None:
    """A network of yx, or of another table that is isomorphic, is not passed off as one of xy."""
    assert words not in rendered(certificate, summary)
    certificate["checkpoint"] |= {"product": product, "order": order}
    assert words in rendered(certificate, summary).split("## Definitions")[0]


def test_a_wrong_network_is_not_said_to_answer_yx(certificate: JSON, summary: JSON) -> None:
    """With mistakes it is asked for yx, in its file's own terms, and does not always answer that."""
    certificate["checkpoint"] |= {"product": "right-first"}
    certificate["verdict"] = "REFUTED"
    certificate["correct"] |= {"status": "REFUTED", "right": 35, "ties": 1, "wrong": [[3, 0, -1]], "float32_any_order": None}
    text = rendered(certificate, summary)
    assert "in its file's own terms it is asked for yx (the second input acts first)" in text
    assert "answers yx" not in text
    assert "computes yx" not in text


def test_families_that_are_not_named_are_counted(certificate: JSON, summary: JSON) -> None:
    """No list of some families is called that of all; none is said to do nearly all of the work that does not."""

    def said(*shares: float) -> str:
        summary["families"] = [{**summary["families"][0], "name": f"F{k}", "energy_share": part} for k, part in enumerate(shares)]
        return rendered(certificate, summary).split("## Definitions")[0]

    assert "the program's families of circuits are F0 (9 circuits, 60.0 %) and F1 (9 circuits, 40.0 %)." in said(0.6, 0.4)
    text = said(0.6, 0.39, 0.006, 0.004)
    assert (
        "the program's largest families of circuits are F0 (9 circuits, 60.0 %) and F1 (9 circuits, 39.0 %); 2 more have 1.0 %" in text
    )
    assert "F1 (9 circuits, 7.0 %); one more has 0.5 %." in said(0.925, 0.07, 0.005)
    assert "does nearly all of the work" in said(0.995, 0.005)
    assert "nearly all" not in said(0.5, *[0.005] * 100)
    assert "are F0 (9 circuits, 0.9 %), F1" in said(*[0.009] * 111)


def test_cells_that_settle_a_kind_are_not_said_to_settle_none(certificate: JSON, summary: JSON) -> None:
    """The number of cells in which xy can be of several kinds stands in the sentence."""
    table = summary["vote_tables"][0]
    table["products"][0][1] = table["products"][2][1] = None
    assert "In 2 cells of 9 xy can be of several kinds" in rendered(certificate, summary)
    table["products"] = [[None] * 3] * 3
    assert "None of its cells settles by itself of which kind xy is." in rendered(certificate, summary)


def test_a_program_that_explains_nothing_is_said_to(certificate: JSON, summary: JSON) -> None:
    """A network written out is right, and the opening says that it is no explanation."""
    summary["explained"] |= {"status": "not explained", "words": "not explained: the program is the network written out"}
    text = rendered(certificate, summary)

    assert "How it answers is not explained: the shortest program found that gives its answers, on all 36 pairs (Theorem 2), is" in text
    assert "This explains nothing: any network has such a program" in text
    assert "The subgroups of S3 explain" not in text


def test_without_the_optional_parts(directory: Path, certificate: JSON, summary: JSON) -> None:
    """A run without compact proof or rival description still has a report."""
    certificate["compact"] = None
    summary |= {"compact": None, "compact_map": None, "margins": None}
    put(directory, "certificate.json", certificate)
    put(directory, "summary.json", summary)

    assert "No compact proof was attempted in this run." in write_report(directory).read_text()
    assert {path.stem for path in (directory / "figures").iterdir()} == {"lattice", "votes", "curve", "pairs"}


def test_a_sample_is_said_to_be_one(directory: Path, summary: JSON) -> None:
    """Interventions on 12 of 36 pairs are said to be that, where they stand."""
    write_report(directory)
    text = (directory / "report-circuits.md").read_text()
    assert "Measured on all pairs." in text
    assert f"Near is within {100 * NEAR_TIE:.0f} % of the root mean square" in text
    summary["counterfactuals"][0] |= {"pairs": 12, "logit_fve": -0.4}
    put(directory, "summary.json", summary)
    write_report(directory)
    text = (directory / "report-circuits.md").read_text()
    assert "Measured on a sample, 12 of the 36 pairs: every y with 2 of the 6 x, drawn with seed 0." in text
    # a negative share of variance is none
    assert "| remove 40 % of the circuits | 100 % | 75.0 % | none |" in text


def test_figures_of_interventions_that_are_open_are_said_to_be_open(directory: Path, summary: JSON) -> None:
    """An interval is printed as one, unless both ends print alike; a figure that is not known in words; none is a dash."""
    write_report(directory)
    assert "float64 does not know" not in (directory / "report-circuits.md").read_text()
    row = summary["counterfactuals"][0]
    row |= dict.fromkeys(("network_right", "program_right", "logit_fve", "in_top_set", "answers_agree_clear"))
    row |= {"between": {"network_right": [0.5, 0.5625], "in_top_set": [0.75, 0.7501]}, "not_known": ["program_right", "logit_fve"]}
    put(directory, "summary.json", summary)
    write_report(directory)
    text = (directory / "report-circuits.md").read_text()
    assert "| remove 40 % of the circuits | 50.0 % to 56.2 % | not known | not known | 75.0 % | – |" in text
    assert "float64 does not know what is left, on too many pairs for exact arithmetic" in text


def test_names_do_not_break_tables(certificate: JSON, summary: JSON) -> None:
    """Stars and bars in the names of subgroups are escaped, so that they are read as such."""
    summary["families"][0]["name"] = "S5*#4 (1|2)"
    assert r"| S5\*#4 (1\|2) | 9 | 18 | 100 % | 9 of 9 |" in rendered(certificate, summary)


def test_circuit_in_words(certificate: JSON, summary: JSON) -> None:
    """A circuit on point stabilisers is explained by points, with its votes by what the product does."""
    text = rendered(certificate, summary)
    # the three cells with x(1) = y^-1(1) are silent; the others push by 1 or 2 times -2 against z(1) = 1
    assert "looks at where x sends 1 and at what y sends to 1: 3 × 3 cells. It votes on whether z sends 1 to 1." in text
    assert "Where xy is of the kind “1→1” (3 cells), the votes on that kind are 0 and on the other kind 0." in text
    assert (
        "Where xy is of the kind “1 elsewhere” (6 cells), the votes on that kind are 0 and on the other kind between -4 and -2." in text
    )


# ---- the files


def test_figures_exist_and_are_named_in_the_report(directory: Path) -> None:
    """Every figure that the report shows is a file, every file is shown, and figures are numbered as they come."""
    path = write_report(directory)
    text = "\n".join(one.read_text() for one in (path, path.with_name("report-circuits.md")))
    shown = re.findall(r"!\[Figure (\d)\]\((figures/[a-z]+\.svg)\)", text)

    assert {name for _, name in shown} == {f"figures/{path.name}" for path in (directory / "figures").iterdir()}
    assert [int(number) for number, _ in shown] == list(range(1, len(shown) + 1))


@pytest.mark.parametrize("form", [pytest.param("md", marks=pytest.mark.draws), "html", pytest.param("tex", marks=pytest.mark.draws)])
def test_same_files_same_bytes(directory: Path, form: Any) -> None:
    """Writing the report twice gives the same bytes, figures included."""

    def contents() -> dict[str, bytes]:
        write_report(directory, form)
        return {str(p): p.read_bytes() for p in sorted(directory.rglob("*")) if p.is_file()}

    assert contents() == contents()


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


def other_pictures(directory: Path) -> None:
    put(directory, "pictures.json", {"neurons": [], "partitions": [], "sha256": "c" * 64})


def nobodys_pictures(directory: Path) -> None:
    put(directory, "pictures.json", {"neurons": [], "partitions": []})


def huge(directory: Path) -> None:
    summary = json.loads((directory / "summary.json").read_text())
    summary["vote_tables"][0]["votes"][0][0][0] = 10**400
    put(directory, "summary.json", summary)


def huge_share(directory: Path) -> None:
    summary = json.loads((directory / "summary.json").read_text())
    summary["families"][0]["energy_share"] = 1e308
    put(directory, "summary.json", summary)


def no_permutation(directory: Path) -> None:
    certificate = json.loads((directory / "certificate.json").read_text())
    certificate["group"]["generators"][0] = certificate["program"]["group"]["generators"][0] = "<script>alert(1)</script>"
    put(directory, "certificate.json", certificate)


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
        (other_checkpoint, "of one run, got checkpoint.sha256"),
        (other_pictures, "pictures.json of one network, got those of two"),
        (nobodys_pictures, "pictures.json of one network, got those of two"),
        (huge, "holds what a report cannot say: integer division"),
        (huge_share, "holds what a report cannot say: expected a share, got 1e\\+308"),
        (no_permutation, "holds what a report cannot say: expected cycles"),
        (lacking("lattice"), "lacks an entry: KeyError"),
        (lacking("network", "live"), "lacks an entry: .* 'live'|'live'"),
        (lacking("correct", "rechecked_exactly"), "lacks an entry: .*'rechecked_exactly'"),
    ],
)
def test_unreadable_files_leave_nothing_behind(directory: Path, spoil: Callable[[Path], None], message: str) -> None:
    """Files that cannot be read or don't belong together are refused, and no report or figure is written."""
    spoil(directory)
    before = sorted(directory.rglob("*"))

    with pytest.raises(UnreadableReport, match=message):
        write_report(directory)

    assert sorted(directory.rglob("*")) == before


@pytest.mark.parametrize(
    ("path", "other"),
    [
        (("group", "name"), "S4"), (("group", "order"), 24), (("checkpoint", "format"), "chughtai"), (("checkpoint", "order"), "sympy"),
        (("checkpoint", "product"), "right-first"), (("verdict",), "REFUTED"), (("correct", "status"), "UNKNOWN"),
        (("correct", "pairs"), 37), (("correct", "right"), 35), (("correct", "ties"), 1), (("correct", "min_margin"), "5"),
        (("correct", "float32_any_order"), 7), (("correct", "wrong"), [[0, 0, 1]]), (("equivalence", "answers_agree"), 35),
        (("network", "width"), 19), (("network", "parameters"), 1), (("program", "circuits"), 8), (("program", "constants"), 1),
        (("symbolic", "status"), "REFUTED"), (("symbolic", "about"), "another"), (("compact", "flops_brute"), 1), (("curve",), []),
        (("theorem",), {"name": "multiplies_except", "directory": "coq", "mistakes": 1}),
    ],
    ids=lambda value: ".".join(value) if isinstance(value, tuple) else "",
)  # fmt: skip
def test_a_summary_of_another_run_is_refused(directory: Path, summary: JSON, path: tuple[str, ...], other: Any) -> None:
    """Whatever certificate and summary both state is compared, so that no report says of one network what was found of another."""
    inner = summary
    for key in path[:-1]:
        inner = inner[key]
    assert inner.get(path[-1]) != other
    inner[path[-1]] = other
    put(directory, "summary.json", summary)
    with pytest.raises(UnreadableReport, match=r"of one run, got " + path[0]):
        write_report(directory)


# ---- a real run


def statements(blocks: tuple[Block, ...]) -> Iterator[Environment]:
    for block in blocks:
        if isinstance(block, Environment):
            yield block
            yield from statements(block.blocks)


def test_theorems_are_the_same_in_all_formats(real_run: Path) -> None:
    """Every paragraph and every cell of a definition, theorem, lemma and proof stands in report.md, report.html and report.tex."""
    certificate, summary = (json.loads((real_run / f"{name}.json").read_text()) for name in ("certificate", "summary"))
    texts = {form: write_report(real_run, form).read_text() for form in ("md", "html", "tex")}  # type: ignore[arg-type]
    main = report(source_of(certificate, summary, Voting(program_constants(certificate["program"]))))
    writers = {"md": markdown_line, "html": html_line, "tex": latex_line}
    seen = 0
    for environment in statements(main.blocks):
        for block in environment.blocks:
            lines = [block.line] if isinstance(block, Paragraph) else []
            lines += [cell for row in block.rows for cell in row if cell] if isinstance(block, Table) else []
            for one in lines:
                for form, write in writers.items():
                    assert write(one).replace("\n", " ") in texts[form].replace("\n> ", " ").replace("\n", " "), (form, one)
                seen += 1
    assert seen >= 30


def numbers_in(value: Any) -> Iterator[int | float | str]:
    """All numbers of a file, and its texts."""
    if isinstance(value, dict):
        for part in value.values():
            yield from numbers_in(part)
    elif isinstance(value, list):
        for part in value:
            yield from numbers_in(part)
    elif isinstance(value, int | float | str) and not isinstance(value, bool):
        yield value


def derived(certificate: JSON, summary: JSON) -> set[str]:
    """The numbers that a report makes of several others: units, indices of subgroups, sums of shares, quotients."""
    program, order, compact = certificate["program"], certificate["group"]["order"], certificate["compact"]
    proof = certificate["symbolic"]["proof"]
    about = (certificate["symbolic"]["provable"] or certificate)["program"]
    unit = 2 ** (about["preactivation_bits"] + about["vote_bits"] + about.get("scale_bits", 0))
    sizes = [order // about["subgroups"][family["subgroup"]]["order"] for family in proof["families"]]
    found = {count(2 ** program["vote_bits"]), count(2 ** (program["preactivation_bits"] + program.get("scale_bits", 0))), count(unit)}
    found |= {at_least(min(case["least"] for case in proof["cases"]), unit), str(len(proof["cases"]))}
    found |= {count(sum(size**3 for size in sizes) * order // 2)} | {str(size) for size in sizes}
    found |= {str(len(one)) for one in (proof["families"], proof["signs"], proof["rest"], program["circuits"])}
    found |= {str(len(family["members"])) for family in proof["families"]}
    found |= {count(sum(len(circuit["neurons"]) for circuit in one["circuits"])) for one in (program, about)}
    found |= {str(len(circuit["neurons"])) for circuit in program["circuits"]}
    found |= set(ratio_of(compact["flops"], compact["flops_brute"]).split("/"))
    inside_program = {neuron["index"] for circuit in program["circuits"] for neuron in circuit["neurons"]}
    rest = [row["energy_share"] for row in summary["program"]["neurons"] if row["index"] not in inside_program]
    found |= {count(len(rest)), share(sum(rest)).removesuffix(" %").removeprefix("less than ")}
    found |= {str(len(summary["gcr"]["irreps"]))}
    steps = [one for one in summary["symbolic"]["obligations"] if one["id"].startswith("O1")]
    found |= {count(len(steps))} | {
        count(sum(one["opinions"].get(solver, {}).get("word") == "agrees" for one in steps)) for solver in ("z3", "cvc5")
    }
    cells = [len(family["levels"][0]) for family in compact["plan"]["families"]]
    inside = sum(len(family["neurons"]) for family in compact["plan"]["families"])
    width = certificate["checkpoint"]["width"]
    found |= {str(len(cells)), str(sum(cells)), str(inside), str(width - inside)}
    for table in summary["vote_tables"]:
        scale = 2 ** (program["preactivation_bits"] + program["vote_bits"] + program.get("scale_bits", 0))
        found |= {str(len(table[part])) for part in ("rows", "columns", "kinds")}
        flat = [kind for row in table["products"] for kind in row]
        found |= {str(flat.count(kind)) for kind in set(flat)}
        found |= {decimal(v / scale) for row in table["votes"] for cell in row for v in cell}
        found |= {decimal((a - b) / scale) for row in table["votes"] for cell in row for a in cell for b in cell}
    parameters = summary["network"]["parameters"]
    found |= {count(round(point["ratio"] * parameters)) for point in summary["curve"]}
    return found | {str(sum(1 for _ in summary["families"])), "8"}  # 8 bits


def test_every_number_of_the_main_text_comes_from_the_files(real_run: Path) -> None:
    """Each number in the sentences and tables of report.md is a number of certificate or summary as a report writes it, or derived."""
    certificate, summary = (json.loads((real_run / f"{name}.json").read_text()) for name in ("certificate", "summary"))
    text = write_report(real_run).read_text()
    text = text.split("## References")[0]
    text = re.sub(r"```.*?```", " ", text, flags=re.DOTALL)
    text = re.sub(r"`[^`]*`|^(?:> )? {4}.*$|!\[.*?\]\(.*?\)", " ", text, flags=re.MULTILINE)  # code, formulas, pictures
    text = re.sub(r"^- Not checked by anybody.*$", "", text, flags=re.MULTILINE)  # versions
    text = re.sub(
        r"\((?:\d+ )+\d+\)|\[\w*, \w*\]|[A-Z]\d+(?:x[A-Z]\d+)*(?: fixing \S+)?|#\d+|float32|\d+→\S+|“[^”]*”|SHA-256", " ", text
    )
    text = re.sub(
        r"(?:Theorems?|Lemma|Definition|Figure|section|circuit|Circuit|kind) [\d.]+|points? \d|[sS]ends? (?:\d+ to )?\d+|to \d\b",
        " ",
        text,
    )
    known = derived(certificate, summary)
    for value in [*numbers_in(certificate), *numbers_in(summary)]:
        if isinstance(value, int):
            known.add(count(value))
        elif isinstance(value, float):
            known |= {share(value).removesuffix(" %").removeprefix("over ").removeprefix("less than "), decimal(value)}
        elif re.fullmatch(r"-?\d+(/\d+)?", value):
            known.add(rational(value))
        else:
            known |= set(re.findall(r"\d+", value)) if len(value) < 60 else set()
    fixed = {"0", "1", "2", "3", "4"}  # element 0, points from 1, relu's max(t, 0), 2 m n^3, homomorphisms to 1 and -1
    said = set(re.findall(r"-?\d[\d,]*(?:\.\d+)?(?:e\d+)?", text))
    said = {number.rstrip(",") for number in said}
    assert len(said) > 25
    assert {number for number in said if number not in known | fixed and number.lstrip("-") not in known | fixed} == set()


def test_least_votes_of_theorem_3_are_never_undercut(real_run: Path) -> None:
    """The number in Theorem 3 holds at every pair: run program.py's votes against it."""
    certificate = json.loads((real_run / "certificate.json").read_text())
    about = (certificate["symbolic"]["provable"] or certificate)["program"]
    voting = Voting(program_constants(about))
    least = min(case["least"] for case in certificate["symbolic"]["proof"]["cases"])
    stated = re.search(r"gives xy at least (\S+) votes more", write_report(real_run).read_text())
    assert stated is not None
    assert 0.999 * least <= float(stated[1]) * voting.scale <= least  # rounded down, as it is a lower bound
    elements, number = voting.group.elements, voting.group.number
    for x, one in enumerate(elements):
        for y, other in enumerate(elements):
            votes = voting.votes(x, y)
            true = number[tuple(other[i] for i in one)]
            assert votes[true] - max(v for z, v in enumerate(votes) if z != true) >= least


def test_report_is_short(real_run: Path) -> None:
    """report.md stays well under 200 kB, and so does each appendix."""
    write_report(real_run)
    for name in ("report.md", "report-circuits.md", "report-neurons.md"):
        assert (real_run / name).stat().st_size < 200_000


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex (Debian: texlive-latex-extra)")
def test_latex_compiles(real_run: Path, tmp_path: Path) -> None:
    """report.tex compiles with pdflatex and bibtex; its main text takes at most four pages, and the appendices begin after it."""
    folder = tmp_path / "run"
    shutil.copytree(real_run, folder)
    write_report(folder, "tex")
    for command in (["pdflatex"], ["bibtex"], ["pdflatex"], ["pdflatex"]):
        more = ["-interaction=nonstopmode", "-halt-on-error"] if command == ["pdflatex"] else []
        done = subprocess.run([*command, *more, "report"], cwd=folder, capture_output=True, check=False)
        assert done.returncode == 0, done.stdout[-2000:]
    log = (folder / "report.log").read_text(encoding="latin-1")
    assert "Reference" not in re.sub(r"\[.*?\]", "", "".join(re.findall(r"LaTeX Warning: .*undefined.*", log)))
    assert (folder / "report.pdf").stat().st_size > 50_000
    aux = (folder / "report.aux").read_text(encoding="latin-1")
    appendix = re.search(r"contentsline \{section\}\{\\numberline \{A\}.*?\}\{(\d+)\}", aux)
    assert appendix is not None
    assert int(appendix[1]) <= 5


def test_fractions_in_the_certificate_are_rounded_alike() -> None:
    """Four digits, whatever the fraction."""
    assert rational(str(Fraction(22, 3))) == "7.333"


def test_formulas_in_latex() -> None:
    """Powers keep their braces, sets get theirs, products of elements are no words."""
    assert formula("x⁻¹Hx = {hx : h ∈ H}") == r"x^{-1}Hx = \{hx : h \in  H\}"
    assert formula("relu(L_i(x))") == r"\relu (L_i(x))"
