"""The report from certificate.json, summary.json and pictures.json: what the files say, as a person reads it, in three formats."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from reports.appendices import circuits_appendix, neurons_appendix
from reports.blocks import Document, say
from reports.circuits import circuits
from reports.coset_voting import Program as Voting
from reports.definitions import definitions
from reports.found import found, shown_neuron
from reports.latex import latex, latex_part
from reports.limits import bibtex, check, limits, references
from reports.markdown import markdown
from reports.mechanism import mechanism
from reports.program_text import constants, program_constants
from reports.records import Record, parsed
from reports.source import Source
from reports.theorems import theorems
from reports.words import Words

Form = Literal["md", "html", "tex"]


class UnreadableReport(Exception):  # noqa: N818 - named for what was handed in
    """The files can't be read or don't belong together; the message says what was expected and came."""


class Drawn(NamedTuple):
    """The figures of a report by name, as files, and the program, as in certificate.json, that was expanded for them."""

    figures: dict[str, bytes]
    program: Record
    voting: Voting


def write_report(directory: Path, form: Form = "md", drawn: Drawn | None = None) -> Path:
    """Write the report of a run's directory and its figures there, and return its path.

    ``md`` is report.md with report-circuits.md, report-neurons.md and figures/*.svg; ``html`` one file report.html; ``tex`` report.tex
    with two appendices, report.bib and figures/*.pdf. The same files give the same bytes. ``drawn`` is what `draw` has made of
    the same records for the same format; without it figures are drawn here. Raises UnreadableReport when one of the files is missing,
    is not a JSON object, lacks an entry, or when they are of different runs; then nothing is written.
    """
    certificate = _read(directory / "certificate.json")
    summary = _read(directory / "summary.json")
    pictures = _read(directory / "pictures.json") if (directory / "pictures.json").exists() else None
    try:
        for what, proved, repeated in _stated_twice(certificate, summary):
            if proved != repeated:
                found = f"{what} {proved!s:.60} in the first and {repeated!s:.60} in the second"
                raise UnreadableReport(f"expected certificate.json and summary.json of one run, got {found}")
        if pictures is not None and pictures.get("sha256") != certificate["checkpoint"]["sha256"]:
            raise UnreadableReport("expected certificate.json and pictures.json of one network, got those of two")
        same = drawn is not None and drawn.program == certificate["program"]
        voting = drawn.voting if drawn is not None and same else Voting(program_constants(certificate["program"]))
        source = source_of(certificate, summary, voting)
        figures = _draw(source, pictures, form) if drawn is None else drawn.figures
        source = Source(source.c, source.s, source.words, source.circuits, tuple(figures))
        files = WRITERS[form](source, pictures, voting, figures)
    except (KeyError, TypeError, IndexError, StopIteration, AttributeError) as error:
        raise UnreadableReport(f"certificate.json or summary.json lacks an entry: {error!r}") from error
    except (ValueError, ArithmeticError) as error:  # no permutation, a list of another length than its form's, a huge number
        raise UnreadableReport(f"certificate.json or summary.json holds what a report cannot say: {error}") from error
    if form != "html":
        (directory / "figures").mkdir(exist_ok=True)
        for name, content in figures.items():
            _replace(directory / "figures" / f"{name}.{'pdf' if form == 'tex' else 'svg'}", content)
    for name, text in files.items():
        _replace(directory / name, text.encode("utf-8"))
    return directory / f"report.{form}"


def draw(certificate: Record, summary: Record, pictures: Record | None, form: Form = "md") -> Drawn:
    """The figures of a report: PDF for ``tex``, or else SVG. Raises KeyError when a record lacks an entry."""
    program = certificate["program"]
    voting = Voting(program_constants(program))
    return Drawn(_draw(source_of(certificate, summary, voting), pictures, form), program, voting)


def _draw(source: Source, pictures: Record | None, form: Form) -> dict[str, bytes]:
    from reports.figures import draw_figures

    return draw_figures(source, pictures, shown_neuron(source), "pdf" if form == "tex" else "svg")


def _stated_twice(certificate: Record, summary: Record) -> Iterator[tuple[str, object, object]]:
    """What certificate and summary both state: its name, and what each of them says. A report has it from either."""
    c, s, program = certificate, summary, certificate["program"]
    for key in ("name", "order"):
        yield f"group.{key}", c["group"][key], s["group"][key]
    for key in ("sha256", "format", "order", "product"):
        yield f"checkpoint.{key}", c["checkpoint"][key], s["checkpoint"][key]
    yield "verdict", c["verdict"], s["verdict"]
    for key in ("status", "pairs", "right", "ties", "min_margin", "float32_any_order"):
        yield f"correct.{key}", c["correct"][key], s["correct"][key]
    yield "correct.wrong", c["correct"]["wrong"][: len(s["correct"]["wrong"])], s["correct"]["wrong"]
    yield "equivalence.answers_agree", c["equivalent"]["agree"], s["equivalence"]["answers_agree"]
    yield "network.width", c["checkpoint"]["width"], s["network"]["width"]
    yield "network.parameters", c["checkpoint"]["parameters"], s["network"]["parameters"]
    yield "program.circuits", len(program["circuits"]), s["program"]["circuits"]
    yield "program.constants", constants(program), s["program"]["constants"]
    yield "symbolic.status", c["symbolic"]["status"], s["symbolic"]["status"]
    yield "symbolic.about", "provable" if c["symbolic"]["provable"] else "readable", s["symbolic"]["about"]
    names = {"readable", *(["provable"] if c["symbolic"]["provable"] else [])}
    yield "curve", names, names & {point["name"] for point in s["curve"]}
    if s["compact"]:
        yield "compact.flops_brute", c["compact"]["flops_brute"] if c["compact"] else None, s["compact"]["flops_brute"]
    if s.get("theorem"):
        yield "theorem.mistakes", len(c["correct"]["wrong"]), s["theorem"]["mistakes"]


def source_of(certificate: Record, summary: Record, voting: Voting) -> Source:
    """What the report is written from, before its figures are drawn."""
    words = Words(certificate["group"], certificate["program"]["subgroups"])
    return Source(certificate, summary, words, circuits(certificate["program"], summary, words, voting.circuits), ())


def report(source: Source) -> Document:
    """The main text, for all formats."""
    sections = (found, definitions, theorems, mechanism, limits, check)
    title = say("{group}: {verdict}", group=source.group, verdict=source.c["verdict"])
    return Document(title, tuple(block for section in sections for block in section(source)))


def _markdown(source: Source, _pictures: object, _voting: Voting, _drawn: dict[str, bytes]) -> dict[str, str]:
    main = report(source)
    files = "[circuits, subgroups, lemmas, interventions](report-circuits.md) · [neurons](report-neurons.md)"
    return {
        "report.md": markdown(Document(main.title, (*main.blocks, *references()))) + f"\nAppendices: {files}\n",
        "report-circuits.md": markdown(circuits_appendix(source)),
        "report-neurons.md": markdown(neurons_appendix(source)),
    }


def _latex(source: Source, _pictures: object, _voting: Voting, _drawn: dict[str, bytes]) -> dict[str, str]:
    return {
        "report.tex": latex(report(source), "report", ("report-circuits", "report-neurons")),
        "report-circuits.tex": latex_part(circuits_appendix(source)),
        "report-neurons.tex": latex_part(neurons_appendix(source)),
        "report.bib": bibtex(),
    }


def _html(source: Source, pictures: Record | None, voting: Voting, drawn: dict[str, bytes]) -> dict[str, str]:
    from reports.page import page

    return {"report.html": page(source, report(source), pictures, voting, {name: content.decode() for name, content in drawn.items()})}


WRITERS: dict[str, Callable[[Source, Record | None, Voting, dict[str, bytes]], dict[str, str]]] = {
    "md": _markdown,
    "tex": _latex,
    "html": _html,
}


def _read(path: Path) -> Record:
    try:
        return parsed(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UnreadableReport(f"expected a file {path.name} in {path.parent}, found none") from None
    except ValueError as error:
        raise UnreadableReport(f"expected JSON in {path}: {error}") from error
    except TypeError as error:
        raise UnreadableReport(f"expected a JSON object in {path}, not {error}") from error


def _replace(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_bytes(content)
    temporary.replace(path)
