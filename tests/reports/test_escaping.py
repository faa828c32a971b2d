"""Text that a stranger wrote is shown as it is: never as markup, never as code, never in another line or cell."""

import ast
import html
import json
import re
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from reports import write_program, write_report
from reports.blocks import Document, say, table
from reports.escaping import Markdown, escaped, one_line
from reports.latex import plain
from reports.markdown import line, markdown
from reports.program_text import program_constants, program_source
from verify.claims.render import one_line as claims_line

JSON = dict[str, Any]
HTML = "</title><script>alert(1)</script><img src=x onerror=alert(1)>"
MARKDOWN = (
    "{0} {x} \u202e\x1b[31m **x** [x](https://example.org) ![x](https://example.org/x.png)\n\n"
    "# FORGED heading\n\n| FORGED | row |\n|---|---|\n"
)
TEXTS = [
    HTML,
    MARKDOWN,
    "# heading",
    "- item",
    "1. item",
    "2) item",
    "> quote",
    "---",
    "===",
    "`code` ``more`` ~~~",
    "&lt;b&gt; $x$",
    "a\u2028b\x0bc\x85d",
    "<https://example.org> https://example.org",
    "www.example.org WWW.example.org",
    "back\\slash \\* \\",
    "S5*#4 S4(1|2) __init__",
    "(1 2 3)(4 5)",
    "-4.5 and 1.5",
    "    indented",
]


def shown(fragment: str) -> str:
    """What a browser shows of a fragment without tags."""
    return html.unescape(re.sub(r"</?(p|td)>", "", fragment)).strip()


@pytest.mark.parametrize("text", TEXTS)
def test_a_value_is_shown_as_it_is(text: str) -> None:
    """At the beginning of a line and in a cell, Markdown makes of the escaped text the text itself, and nothing else."""
    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    as_it_is = one_line(text).strip()

    assert parser.render(str(escaped(text)).strip()).count("<") == 2  # <p> and </p>
    assert shown(parser.render(str(escaped(text)).strip())) == as_it_is
    cells = parser.render(f"| a | b |\n|---|---|\n| {escaped(text)} | second |\n")
    assert [shown(cell) for cell in re.findall(r"<td>.*?</td>", cells)] == [as_it_is, "second"]


def test_what_is_markdown_already_is_not_escaped_again() -> None:
    once = escaped("*x*")
    assert escaped(once) == once == r"\*x\*"
    assert escaped(Markdown("**b**")) == "**b**"


def names(c: JSON, text: str) -> None:
    for group in (c["group"], c["program"]["group"]):
        group["name"] = text


FIELDS: dict[str, Callable[[JSON, str], Any]] = {
    "group.name": names,
    "checkpoint.format": lambda c, text: c["checkpoint"].update(format=text),
    "checkpoint.order": lambda c, text: c["checkpoint"].update(order=text),
    "checkpoint.sha256": lambda c, text: c["checkpoint"].update(sha256=text),
    "sha256": lambda c, text: c.update(sha256=text),
    "equivalent.answers_sha256": lambda c, text: c["equivalent"].update(answers_sha256="`" + text),
    "version": lambda c, text: c["not_checked"]["versions"].update(numpy=text),
    "name of a package": lambda c, text: c["not_checked"]["versions"].update({text: "1"}),
    "subgroup.name": lambda c, text: [one.update(name=one["name"] + text) for one in c["program"]["subgroups"]],
}


SUMMARY_FIELDS: dict[str, Callable[[JSON, str], Any]] = {
    "symbolic.reason": lambda s, text: s["symbolic"].update(reason=text),
    "obligation.id": lambda s, text: s["symbolic"]["obligations"][0].update(id="O1" + text),
    "obligation.statement": lambda s, text: s["symbolic"]["obligations"][0].update(statement=text),
    "strategy.name": lambda s, text: s["compact"]["strategies"][0].update(name=text),
    "family.name": lambda s, text: s["families"][0].update(name=text),
    "class.name": lambda s, text: s["lattice"]["nodes"][1].update(name=text),
    "intervention.name": lambda s, text: s["counterfactuals"][0].update(name=text),
    "irrep.name": lambda s, text: s["gcr"]["irreps"].update({text: 0.1}),
    "neuron.left": lambda s, text: s["program"]["neurons"][0].update(left=text),
    "explained.words": lambda s, text: s["explained"].update(words=text),
    "solver": lambda s, text: s["symbolic"]["obligations"][0].update(opinions={text: {"word": text, "seconds": 1.0, "detail": text}}),
    "step": lambda s, text: s["seconds"].update({text: 1.0}),
}


@pytest.mark.parametrize("form", ["md", "html", "tex"])
@pytest.mark.parametrize("text", [HTML, MARKDOWN], ids=["html", "markdown"])
@pytest.mark.parametrize("field", [*FIELDS, *SUMMARY_FIELDS])
def test_no_field_of_a_certificate_becomes_markup(
    directory: Path, certificate: JSON, summary: JSON, monkeypatch: pytest.MonkeyPatch, field: str, text: str, form: Any
) -> None:
    """One field at a time: the report has the tags, headings, links and rows of the plain one."""
    monkeypatch.setattr("reports.figures.draw_figures", lambda *_: {"lattice": b"<svg/>", "curve": b"<svg/>"})
    summary["symbolic"]["reason"] = "a reason"
    (directory / "summary.json").write_text(json.dumps(summary))
    plain = write_report(directory, form).read_text()
    FIELDS.get(field, lambda *_: None)(certificate, text)
    SUMMARY_FIELDS.get(field, lambda *_: None)(summary, text)
    summary["group"]["name"] = certificate["group"]["name"]  # what both state is compared
    summary["checkpoint"] |= {key: certificate["checkpoint"][key] for key in ("sha256", "format", "order")}
    (directory / "certificate.json").write_text(json.dumps(certificate))
    (directory / "summary.json").write_text(json.dumps(summary))
    found = write_report(directory, form).read_text()

    def tags(text: str) -> list[str]:
        if form == "tex":
            return sorted(re.findall(r"\\(?:section|begin|item|input|write18|textbf)\b", text))
        page = text if form == "html" else MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
        body = page.split("<body>")[-1]
        return sorted(re.findall(r"<[a-z][a-z0-9]*", body))

    assert tags(found) == tags(plain)
    assert not re.search(r"[\u202e\x1b]|\\u202e|\\u001b", found)
    if form == "html":
        assert found.count("<title>") == 1
        assert found.count("<script") == plain.count("<script") == 2


@pytest.mark.parametrize("text", [*TEXTS, '"""', "'", "x\nimport os\n", "\\", '\\"""', "\r\nboom()", "{0}", "\x00"])
def test_program_py_holds_names_as_text_alone(certificate: JSON, text: str) -> None:
    """Whatever a name holds, program.py is its own code and one literal with the program in it."""
    program = certificate["program"]
    program["group"]["name"] = text
    for record in program["subgroups"]:
        record["name"] += text
    source = program_source(program)
    names: JSON = {"__name__": "program"}
    exec(compile(source, "program.py", "exec"), names)  # the file is what is tested

    assert names["PROGRAM"]["group"] == text
    assert list(names["PROGRAM"]["subgroups"]) == [record["name"] for record in program["subgroups"]]
    assert not [line for line in source.splitlines() if line.startswith(("import os", "boom"))]


@pytest.mark.parametrize("place", ["bias", "left", "right", "votes", "index"])
def test_a_number_that_is_code_is_not_written(certificate: JSON, tmp_path: Path, place: str) -> None:
    """Constants are checked as well, wherever they stand: a text in place of an integer would become code, in long lists too."""
    program, code = certificate["program"], "0, __import__('os').listdir(), 0"
    neuron = program["circuits"][0]["neurons"][0]
    if place in ("left", "right", "votes"):
        neuron[place] = [0] * 100 + [code]
    elif place == "bias":
        program["bias"] = [f"0] + {code} + [0"]
    else:
        neuron["index"] = code
    with pytest.raises(ValueError, match=r"would become code|malformed node|expected a program of integers"):
        write_program(program, tmp_path / "program.py")
    assert not list(tmp_path.iterdir())


def test_program_py_has_one_literal_with_every_list_in_it(certificate: JSON) -> None:
    """The whole text, whose lists `program_source` does not read again, parsed."""
    (data,) = [one for one in ast.parse(program_source(certificate["program"])).body if isinstance(one, ast.Assign)][:1]
    assert ast.literal_eval(data.value) == program_constants(certificate["program"])


def test_what_is_not_seen_is_not_printed() -> None:
    """No character that ends a line, moves the cursor, turns the direction of text or hides between two others is left."""
    everything = "".join(chr(k) for k in range(0x110000))
    left = {*one_line(everything)}
    assert {unicodedata.category(c) for c in left if c != " "} <= {"Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No"} | {
        *("Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So")
    }
    assert not left & {*"\u00a0\u00ad\u061c\u115f\u180e\u200b\u2060\u2800\u3164\ufeff\U000e0041"}
    assert claims_line("S6\u200b \x1b[31m\u2029") == r"S6\u200b \x1b[31m\u2029"
    assert claims_line(everything).isprintable()


@pytest.mark.parametrize("text", ["`", "``", "a`b", "` <img src=x> `", "``a`", "`` ` ```", " `a` ", "a|b"])
def test_code_is_shown_as_it_is_with_any_backticks_in_it(text: str) -> None:
    for sentence in ("`{x}`", "before `{x}` after"):
        rendered = MarkdownIt("commonmark", {"html": True}).render(line(say(sentence, x=text)))
        (inside,) = re.findall(r"<code>(.*?)</code>", rendered)
        assert html.unescape(inside) == text
        assert rendered.count("<") == 4


def test_a_bar_in_code_ends_no_cell() -> None:
    """GitHub's tables know no code when they look for bars."""
    cells = table(["a", "b"], [[say("`{x}`", x="p|q"), say("`{x}`", x="`|` |")]], "ll")
    text = markdown(Document(say("title"), (cells,)))
    rendered = MarkdownIt("commonmark").enable("table").render(text)
    assert re.findall(r"<td><code>(.*?)</code></td>", rendered) == ["p|q", "`|` |"]


def test_a_bracket_or_a_star_is_no_argument_in_latex() -> None:
    """Behind the end of a row, or at the beginning of a point in a list."""
    assert plain("[1pt] * `a`") == r"{[}1pt{]} {*} \textasciigrave{}a\textasciigrave{}"
