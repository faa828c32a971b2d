"""report.md from certificate.json and summary.json: what the two files say, as a person reads it."""

import base64
import json
import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from reports.circuits import ReportedCircuit, circuits, told
from reports.escaping import escaped, escaped_html
from reports.numbers import FILTERS, count, power, rational, share
from reports.paragraphs import circuit_paragraph
from reports.program_text import constants
from reports.words import Words

SHOWN_PAIRS = 20
SHOWN_CIRCUITS = 60
SHOWN_OBLIGATIONS = 12
TEMPLATES = Path(__file__).parent / "templates"


class UnreadableReport(Exception):  # noqa: N818 - named for what was handed in
    """The two files can't be read or don't belong together; the message says what was expected and came."""


def write_report(directory: Path, form: str = "md") -> Path:
    """Write report.md (or report.html) and figures/ beside its two sources, and return its path.

    The same two files give the same bytes. Raises UnreadableReport when one of the files is missing, is not a
    JSON object, lacks an entry, or when they are about different checkpoints; then nothing is written.
    """
    from reports.figures import draw_figures

    certificate = _read(directory / "certificate.json")
    summary = _read(directory / "summary.json")
    try:
        if certificate["checkpoint"]["sha256"] != summary["checkpoint"]["sha256"]:
            raise UnreadableReport("certificate.json and summary.json are about different checkpoints")
        words = Words(certificate["group"], certificate["program"]["subgroups"])
        found = circuits(certificate["program"], summary["circuits"], words)
        figures = draw_figures(certificate, summary, found)
        text = render(certificate, summary, found, words, {name: f"figures/{name}.svg" for name in figures})
    except (KeyError, TypeError, IndexError) as error:
        raise UnreadableReport(f"certificate.json or summary.json lacks an entry: {error!r}") from error
    (directory / "figures").mkdir(exist_ok=True)
    for name, drawn in figures.items():
        _replace(directory / "figures" / f"{name}.svg", drawn)
    path = directory / f"report.{form}"
    _replace(path, text if form == "md" else _html(text, figures, f"{certificate['group']['name']}: {certificate['verdict']}"))
    return path


def _read(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UnreadableReport(f"expected a file {path.name} in {path.parent}, found none") from None
    except ValueError as error:
        raise UnreadableReport(f"expected JSON in {path}: {error}") from error
    if not isinstance(value, dict):
        raise UnreadableReport(f"expected a JSON object in {path}, not {type(value).__name__}")
    return value


def _replace(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def render(
    certificate: dict[str, Any],
    summary: dict[str, Any],
    found: list[ReportedCircuit],
    words: Words,
    figures: dict[str, str],
) -> str:
    """The text of report.md; ``figures`` gives the path of each figure that there is."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, UndefinedError

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, keep_trailing_newline=True, finalize=escaped
    )
    environment.filters.update({name: _strict(convert) for name, convert in FILTERS.items()})
    try:
        template = environment.get_template("report.md.j2")
        return template.render(_context(certificate, summary, found, words), figures=figures)
    except UndefinedError as error:
        raise UnreadableReport(f"certificate.json or summary.json lacks an entry: {error}") from error


def _strict(convert: Callable[[Any], str]) -> Callable[[Any], str]:
    """A filter that fails by the name of a missing entry, not by what a number's format makes of it."""

    def strict(value: Any) -> str:
        bool(value)  # jinja2.UndefinedError when there is no value
        return convert(value)

    return strict


def _context(c: dict[str, Any], s: dict[str, Any], found: list[ReportedCircuit], words: Words) -> dict[str, Any]:
    obligations = s["symbolic"]["obligations"]
    solvers = sorted({name for one in obligations for name in one["opinions"]})
    measured = {neuron["index"]: neuron for neuron in s["program"]["neurons"]}
    return {
        "c": c,
        "s": s,
        "group": c["group"],
        "element": words.element,
        "statement": statement(c, s, words),
        "questions": _questions(c, s),
        "solvers": solvers,
        "sampled": _sampled(c, s),
        "obligations": _obligation_rows(obligations, solvers),
        "shown_obligations": _shown(obligations),
        "wrong": [
            (words.element(x), words.element(y), words.element(z), words.product(x, y))
            for x, y, z in c["correct"]["wrong"][:SHOWN_PAIRS]
        ],
        "differ": [tuple(map(words.element, row)) for row in c["equivalent"]["differ"][:SHOWN_PAIRS]],
        "used": [node for node in s["lattice"]["nodes"] if node["used"]],
        "kinds": sorted(_tally(neuron["kind"] for neuron in c["neurons"]).items()),
        "circuits": [_circuit(circuit, words) for circuit in found[:SHOWN_CIRCUITS]],
        "paragraphs": [circuit_paragraph(circuit, words) for circuit in told(found)],
        "neurons": [_neuron(measured[n["index"]], n) for n in c["neurons"]],
        "program_right": _program_right(c, words),
        "provable": _provable(c, s),
    }


def _provable(c: dict[str, Any], s: dict[str, Any]) -> dict[str, Any] | None:
    """The provable program: its size, and its row among the programs of other prices."""
    if c["symbolic"]["provable"] is None:
        return None
    program = c["symbolic"]["provable"]["program"]
    return {
        "constants": constants(program),
        "neurons": sum(len(circuit["neurons"]) for circuit in program["circuits"]),
        "point": next(point for point in s["curve"] if point["name"] == "provable"),
    }


#: The questions that `verify check` redoes from the checkpoint.
REDONE = ("Q1", "Q2", "Q3", "Q4")


def _questions(c: dict[str, Any], s: dict[str, Any]) -> list[dict[str, Any]]:
    """The four questions with their answers, and whether the checker redoes them."""
    correct, equivalent, symbolic, compact = (c[name] for name in ("correct", "equivalent", "symbolic", "compact"))
    pairs = count(correct["pairs"])
    about = "the provable program (see below)" if symbolic["provable"] else "the program"
    lemmas = s["symbolic"]["obligations"]
    proved = sum(o["status"] == "PROVED" for o in lemmas)
    cost = "not attempted"
    if compact:
        against = f"{power(compact['flops'])} FLOPs against {power(compact['flops_brute'])} by brute force"
        cost = f"{count(compact['certified'])} of {pairs} pairs, at {against}"
    rows = (
        (
            "Q1",
            "Is the network right on every pair?",
            correct["status"],
            f"{count(correct['right'])} of {pairs} pairs right, {count(correct['ties'])} ties",
        ),
        (
            "Q2",
            "Does the program give the network's answer on every pair?",
            equivalent["status"],
            f"{count(equivalent['agree'])} of {pairs} pairs agree",
        ),
        (
            "Q3",
            f"Is {about} right for all x, y and z ≠ xy, by lemmas and without running through the pairs?",
            symbolic["status"],
            f"{count(proved)} of {count(len(lemmas))} lemmas proved",
        ),
        (
            "Q4",
            "On how many pairs does the coset structure prove the network right, cheaper than running it?",
            compact["status"] if compact else "UNKNOWN",
            cost,
        ),
    )
    keys = ("name", "question", "status", "numbers")
    return [dict(zip(keys, row, strict=True)) | {"redone": row[0] in REDONE} for row in rows]


def _sampled(c: dict[str, Any], s: dict[str, Any]) -> dict[str, int] | None:
    """On how many pairs, and x, the interventions were compared where that is not all of them."""
    seen = {row["pairs"] for row in s["counterfactuals"]}
    if seen <= {c["correct"]["pairs"]}:
        return None
    pairs = min(seen)
    return {"pairs": pairs, "rows": pairs // c["group"]["order"]}


def statement(c: dict[str, Any], s: dict[str, Any], words: Words) -> str:
    """The verdict in one sentence; a program that is the network written out is not called a coset-voting one."""
    correct, equivalent = c["correct"], c["equivalent"]
    name, pairs = c["group"]["name"], count(correct["pairs"])
    same = f"gives the network's answer on {count(equivalent['agree'])} of them"
    if equivalent["status"] == "PROVED":
        same = "gives the network's answer on every one of them"
    kind = "a program that explains nothing" if s["explained"]["status"] == "not explained" else "the coset-voting program"
    program = f"{kind}, of {count(constants(c['program']))} constants, {same}"
    if correct["status"] == "PROVED":
        return f"The network multiplies in {name}: it is right on all {pairs} pairs, and {program}."
    if correct["status"] == "REFUTED":
        x, y, z = correct["wrong"][0]
        answer = "a tie" if z < 0 else words.element(z)
        return (
            f"The network does not multiply in {name}: it is right on {count(correct['right'])} of {pairs} "
            f"pairs; for {words.element(x)} times {words.element(y)} it says {answer}, "
            f"not {words.product(x, y)}; {program}."
        )
    return f"It is not settled whether the network multiplies in {name} on all {pairs} pairs; {program}."


def _program_right(c: dict[str, Any], words: Words) -> int:
    """How many pairs the program gets right: as many as the network, but for the pairs where they differ."""
    right: int = c["correct"]["right"]
    for x, y, network, program in c["equivalent"]["differ"]:
        true = words.product_number(x, y)
        right += (program == true) - (network == true)
    return right


def _tally(items: Iterable[str]) -> dict[str, int]:
    tally: dict[str, int] = {}
    for item in items:
        tally[item] = tally.get(item, 0) + 1
    return tally


def _kind(obligation: dict[str, Any]) -> str:
    """The leading letters and digits of an id: O1, O2, ..."""
    return re.split(r"[^A-Za-z0-9]", obligation["id"])[0]


def _shown(obligations: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The first one of each kind, and the first of those that are not proved."""
    first = {_kind(o): o for o in reversed(obligations)}
    open_ones = [o for o in obligations if o["status"] != "PROVED"][:SHOWN_OBLIGATIONS]
    return [o for o in obligations if o in open_ones or o is first[_kind(o)]]


def _obligation_rows(obligations: list[dict[str, Any]], solvers: list[str]) -> list[dict[str, Any]]:
    """How many lemmas of each kind there are, by status, and on how many each solver agrees."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for o in obligations:
        rows.setdefault(_kind(o), []).append(o)
    return [
        {
            "name": name,
            "number": len(members),
            "opinions": [sum(o["opinions"].get(solver, {}).get("word") == "agrees" for o in members) for solver in solvers],
            **{s.lower(): sum(o["status"] == s for o in members) for s in ("PROVED", "REFUTED", "UNKNOWN")},
        }
        for name, members in sorted(rows.items())
    ]


def _circuit(circuit: ReportedCircuit, words: Words) -> dict[str, Any]:
    """One row of the table of circuits."""
    variables = (("left", "x"), ("right", "y"), ("votes", "z"))
    return {
        **circuit._asdict(),
        **{part: getattr(circuit, part).phrase(words, variable) for part, variable in variables},
    }


def _neuron(measured: dict[str, Any], proved: dict[str, Any]) -> dict[str, Any]:
    """One row of the table of neurons."""
    return {
        "index": proved["index"],
        "kind": proved["kind"],
        "left": measured["left"] or "–",
        "right": measured["right"] or "–",
        "energy_share": measured["energy_share"],
        "explained": ", ".join(share(measured[f"{part}_share"]) for part in ("left", "right")),
        "left_over": ", ".join(share(measured[f"{part}_residual"]) for part in ("left", "right", "votes")),
        "deviations": ", ".join(rational(proved[f"{part}_deviation"]) for part in ("left", "right", "votes")),
        "irreps": ", ".join(f"{name} {share(part)}" for name, part in measured["irreps"]) or "–",
    }


def _html(text: str, figures: dict[str, str], title: str) -> str:
    """The report as one HTML file, figures inside it; all text in it was escaped, and raw HTML is switched off."""
    from markdown_it import MarkdownIt

    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(text)

    def inline(match: re.Match[str]) -> str:
        svg = base64.b64encode(figures[match[1]].encode()).decode()
        return f'src="data:image/svg+xml;base64,{svg}"'

    body = re.sub(r'src="figures/([^"]+)\.svg"', inline, body)
    style = (TEMPLATES / "report.css").read_text(encoding="utf-8")
    head = f'<meta charset="utf-8">\n<title>{escaped_html(title)}</title>\n<style>\n{style}</style>'
    return f'<!doctype html>\n<html lang="en">\n<head>\n{head}\n</head>\n<body>\n{body}</body>\n</html>\n'
