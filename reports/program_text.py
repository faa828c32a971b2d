"""Writes program.py: a program's constants, comments that say what they are, and the code that runs it."""

import ast
import json
import textwrap
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from reports import coset_voting
from reports.coset_voting import CircuitConstants, Constants, Form, More
from reports.escaping import one_line
from reports.named_form import NamedForm
from reports.numbers import logit_bits, plural, squares
from reports.records import Record
from reports.words import Words

_USAGE = """\
python program.py "(1 2 3)" "(2 4)"           the product, and the elements that got most votes
python program.py "(1 2 3)" "(2 4)" --votes   the votes on every element
python program.py --all                       all pairs: how many are right, and the digest of the answers
"""

_DOCSTRING = '''\
"""A coset-voting program for multiplication in {name}, read off a trained network.

To multiply x by y (x first, then y), every circuit looks at which coset x lies in and which coset y lies in,
and votes on the elements z:

    votes(z) = bias(z) + sum over circuits, over their neurons, of {fired} * u(z)

The answer is the z with the most votes; a tie is no answer. l, r and u are short lists of integers: l and r
in units of 1/2^{preactivation_bits}, u in units of 1/2^{vote_bits}, bias and votes in units of 1/2^{bits}.
The whole program is {constants} in {circuits}. It needs Python's standard library alone.

{usage}

A list is a function on the group through a form, named by a word and by the subgroups that it uses:

    right cosets H        one integer for each coset Hx
    left cosets H         one integer for each coset xH
    double cosets H, K    one integer for each double coset HzK
    coset sum H, K        one integer for each coset Hx and then for each coset xK; the value at g adds up two
    coset matrix H        one integer for each pair (p, q) of right cosets of H; the value at g adds up those
                          with pg = q
    images H              one integer for each point; with weights a, the value at g adds up, over all points p,
                          a[p] times the integer of the point to which g takes p
    preimages H           one integer for each point; with weights d, the value at g adds up, over all points p,
                          the integer of p times d of the point to which g takes p
    rank H                integers alpha of all points, then beta of all points, and so on for higher ranks; the
                          value at g adds up alpha of p times beta of the point to which g takes p
    shared H              one integer s: y is read through the integers of x, as preimages with weights d, times s
    elements              one integer for each element
    sum                   the integers of several forms, one after the other; the value at g adds up theirs

Points are the right cosets of H; g takes the point Hr to Hrg. Cosets come in the order of their least elements.
A subgroup given as a pair ("H", "N") carries the sign of H that is +1 on N and -1 on the rest of H: the integers
belong to the least elements, the others follow by sign. On right or left cosets such a list ends with one more
integer, which is added everywhere. On points and matrices the sign is one of the whole group, and the value at g
is multiplied by the sign of g; lists on points end with one more integer where "constant" stands.
{scale}"""
'''


_PARTS = ("left", "right", "votes")
_VARIABLES = {"left": "x", "right": "y", "votes": "z"}
_LABELLED = 60  # constants beyond this many get no labels in the comments


def program_constants(program: Record) -> Constants:
    """A program.json as the PROGRAM of a program.py, which `coset_voting.Program` runs."""
    names = [record["name"] for record in program["subgroups"]]

    def circuit(record: Record) -> CircuitConstants:
        left, right, votes = (NamedForm.of(record[part], names).entry() for part in _PARTS)
        neurons = [(n["index"], n["left"], n["right"], n["votes"]) for n in record["neurons"]]
        return {"left": left, "right": right, "votes": votes, "neurons": neurons}

    found: Constants = {
        "group": program["group"]["name"],
        "degree": program["group"]["degree"],
        "generators": program["group"]["generators"],
        "subgroups": {record["name"]: record["generators"] for record in program["subgroups"]},
        "preactivation_bits": program["preactivation_bits"],
        "vote_bits": program["vote_bits"],
        "bias": program["bias"],
        "scale_bits": program.get("scale_bits", 0),
        "circuits": [circuit(record) for record in program["circuits"]],
    }
    if squares(program):
        found["squares"] = True
    return found


def program_source(program: Record) -> str:
    """The text of program.py for a program.json; the same program gives the same text.

    Names in a program come from a file, and none of them may become code: see `_check`. It reads the text as it is without its
    neurons' lists and its bias, of which `_integers` writes numbers alone, since Python's syntax tree of a long program takes
    many times the memory of its text.
    """
    short, words = _without_lists(program), Words(program["group"], program["subgroups"])
    _check(*_text(short, words), short)
    return _text(program, words)[0]


def _without_lists(program: Record) -> Record:
    """The program with an empty list in place of each neuron's integers and the bias's."""
    circuits = [{**c, "neurons": [{**n, "left": [], "right": [], "votes": []} for n in c["neurons"]]} for c in program["circuits"]]
    return {**program, "bias": [], "circuits": circuits}


def _text(program: Record, words: Words) -> tuple[str, str, str]:
    """The text of program.py, and two parts of it: its docstring and its code; ``words`` are those of its group and subgroups."""
    scale_bits = program.get("scale_bits", 0)
    docstring = _DOCSTRING.format(
        name=_inside_docstring(program["group"]["name"]),
        preactivation_bits=program["preactivation_bits"],
        vote_bits=program["vote_bits"],
        bits=logit_bits({**program, "scale_bits": 0}),
        fired="(l(x) + r(y))^2" if squares(program) else "relu(l(x) + r(y))",
        constants=plural(constants(program), "integer"),
        circuits=plural(len(program["circuits"]), "circuit"),
        usage="\n".join(f"    {line}" for line in _USAGE.splitlines()),
        scale=f"The s of shared lists are in units of 1/2^{scale_bits}.\n" if scale_bits else "",
    )
    imports, body = _runtime()
    source = "\n".join([docstring, imports, "", *_data(program, words), "", "", body, "", "", _entry()])
    return source, docstring, "\n".join([imports, body, _entry()])


def _check(source: str, docstring: str, code: str, program: Record) -> None:
    """Raise ValueError unless the source is the docstring, this module's own code, and PROGRAM = the program's constants."""
    statements = ast.parse(source).body
    data = [one for one in statements if isinstance(one, ast.Assign) and ast.unparse(one.targets[0]) == "PROGRAM"]
    rest = [ast.dump(one) for one in statements if one not in data]
    own = [*(ast.dump(one) for one in ast.parse(docstring).body), *_dumped(code)]
    if len(data) != 1 or rest != own or ast.literal_eval(data[0].value) != program_constants(program):
        raise ValueError("expected a program whose names can be written into program.py as text, got one that would become code")


@cache
def _dumped(code: str) -> tuple[str, ...]:
    """The statements of program.py's own code, which is the same for every program."""
    return tuple(ast.dump(one) for one in ast.parse(code).body)


def _inside_docstring(text: str) -> str:
    return one_line(text).replace("\\", "\\\\").replace('"', '\\"')


def write_program(program: Record, path: Path) -> None:
    """Write the program.py of a program.json, given as plain JSON values; ValueError when a name in it would become code."""
    path.write_text(program_source(program), encoding="utf-8")


def constants(program: Record) -> int:
    """How many integers a program is made of."""
    lists = (len(neuron[part]) for c in program["circuits"] for neuron in c["neurons"] for part in _PARTS)
    return len(program["bias"]) + sum(lists)


@cache
def _runtime() -> tuple[str, str]:
    """The import lines of `reports.coset_voting` and what follows them."""
    source = Path(coset_voting.__file__).read_text(encoding="utf-8")
    lines = source.splitlines()
    nodes = [node for node in ast.parse(source).body if isinstance(node, ast.Import | ast.ImportFrom)]
    first, last = nodes[0].lineno - 1, (nodes[-1].end_lineno or 0)
    return "\n".join(lines[first:last]), "\n".join(lines[last:]).strip()


def _entry() -> str:
    usage = "".join(f"    {line}\n" for line in _USAGE.splitlines())
    return f'''\
USAGE = """usage:
{usage}"""


VOTING = Program(PROGRAM)


def answer(x: int, y: int) -> int:
    """The answer to a pair of elements, all three as numbers in lexicographic order; -1 is a tie."""
    return VOTING.answer(x, y)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], VOTING, USAGE))
'''


def _data(program: Record, words: Words) -> Iterator[str]:
    group, subgroups = program["group"], program["subgroups"]
    yield "PROGRAM = {"
    yield f'    "group": {_quoted(group["name"])},'
    yield f'    "degree": {group["degree"]},'
    yield f'    "generators": {_texts(group["generators"])},'
    yield '    "subgroups": {'
    for record in subgroups:
        yield f"        {_quoted(record['name'])}: {_texts(record['generators'])},  # order {record['order']}"
    yield "    },"
    yield f'    "preactivation_bits": {program["preactivation_bits"]},'
    yield f'    "vote_bits": {program["vote_bits"]},'
    yield f'    "scale_bits": {program.get("scale_bits", 0)},'
    if squares(program):
        yield '    "squares": True,'
    yield '    "bias": ' + _integers(program["bias"], 4) + ","
    yield '    "circuits": ['
    for number, circuit in enumerate(program["circuits"], 1):
        yield from _circuit(number, circuit, words, [record["name"] for record in subgroups])
    yield "    ],"
    yield "}"


def _circuit(number: int, circuit: Record, words: Words, names: list[str]) -> Iterator[str]:
    count = len(circuit["neurons"])
    yield f"        # Circuit {number}, {plural(count, 'neuron')}"
    for part in _PARTS:
        form = NamedForm.of(circuit[part], names)
        yield from _wrapped(f"{part}: {form.phrase(words, _VARIABLES[part])}", "        #   ")
        yield from _rows(form.labels(words, _LABELLED), "        #       ")
    yield "        {"
    for part in _PARTS:
        yield f'            "{part}": {_literal(NamedForm.of(circuit[part], names).entry())},'
    yield '            "neurons": ['
    for neuron in circuit["neurons"]:
        yield f"                ({neuron['index']},"
        left, right, votes = (_integers(neuron[part], 17) for part in _PARTS)
        yield from (f"                 {text}" for text in (f"{left},", f"{right},", f"{votes}),"))
    yield "            ],"
    yield "        },"


def _integers(values: Sequence[int], indent: int) -> str:
    """A list of integers, wrapped at 110 columns but never inside a number; ValueError where one is something else."""
    if any(type(value) is not int for value in values):
        raise ValueError("expected a program of integers, got something else in a list")
    text = ", ".join(map(str, values))
    return "[" + f"\n{' ' * (indent + 1)}".join(textwrap.wrap(text, 108 - indent, break_long_words=False, break_on_hyphens=False)) + "]"


def _rows(labels: Sequence[str], prefix: str) -> Iterator[str]:
    """Labels in rows of at most 110 columns, none broken in two."""
    row = prefix
    for number, label in enumerate(map(one_line, labels)):
        piece = label if number == len(labels) - 1 else f"{label} | "
        if len(row) + len(piece) > 111 and row != prefix:
            yield row.rstrip()
            row = prefix
        row += piece
    if labels:
        yield row


def _wrapped(text: str, prefix: str) -> list[str]:
    return textwrap.wrap(one_line(text), 110, initial_indent=prefix, subsequent_indent=prefix, break_on_hyphens=False)


def _literal(entry: Form) -> str:
    parts = [_literal(part) if isinstance(part, tuple) else _value(part) for part in entry]
    return f"({', '.join(parts)}{',' * (len(parts) == 1)})"


def _value(part: str | More) -> str:
    if isinstance(part, str):
        return _quoted(part)
    return "{" + ", ".join(f"{_quoted(key)}: {value}" for key, value in part.items()) + "}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False) if text.isprintable() else ascii(text)


def _texts(texts: Sequence[str]) -> str:
    return "[" + ", ".join(map(_quoted, texts)) + "]"
