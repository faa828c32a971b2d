"""The last sections of a report: what it rests on, what it does not say, how to check it, and what is cited."""

from reports.blocks import Block, Bullets, Heading, Listing, Paragraph, joined, say
from reports.numbers import count, plural
from reports.source import Source


def limits(source: Source) -> list[Block]:
    """The section."""
    c = source.c
    points = [
        say(
            "The theorems are about the exact real-valued function of the weights in the file with the digest above: not about other "
            "weights, shorter formats, or how it was trained."
        ),
        say(
            "To believe them one has to believe the checker (`checker.pyz` beside this report: Python's standard library alone), the "
            "bounds derived in it, and that the numbering of the elements is the one that is meant; no solver, no floating-point "
            "number, and nothing else of this project."
        ),
        say(
            "Equal answers do not make the program the reason for the network's answers. How far it is, “The mechanism” measures. "
            "Shares, labels of neurons, times and versions are measured or chosen, and nobody checks them; the names of a program's "
            "subgroups are checked for orders, orbits and numbers of elements."
        ),
    ]
    if not source.s["lattice"].get("complete", True):
        points.append(
            say(
                "{group} has too many subgroups to list. Neurons were compared with {classes} alone: normal subgroups of prime "
                "index, stabilisers of points, the derived series, the centre, cyclic subgroups, their centralizers and normalizers. A "
                "neuron that reads cosets of another subgroup is called raw. The answers (Theorems 1 and 2) do not depend on the list.",
                group=source.group,
                classes=plural(len(source.s["lattice"]["nodes"]), "class", "classes"),
            )
        )
    if (theorem := source.s.get("theorem")) is not None:
        points.append(
            say(
                "A Coq project in {directory} states that the network is right {where}. It is so when `make` there ends without "
                "an error, and `verify check . --checkpoint FILE --coq` with that directory says whether it is about this file; "
                "this report says neither.",
                directory=theorem["directory"],
                where=say("on every pair (theorem `multiplies`)")
                if not theorem["mistakes"]
                else say("but at {pairs} (theorem `multiplies_except`)", pairs=plural(theorem["mistakes"], "listed pair")),
            )
        )
    if (original := c["not_checked"].get("original")) is not None:
        points.append(
            say(
                "The certified file `network.safetensors` was written from {name} (SHA-256 {sha}), which the checker does not "
                "read; that the two are the "
                "same network is not checked.",
                name=original["name"],
                sha=original["sha256"],
            )
        )
    return [Heading(2, say("What this rests on, and what it does not say"), "limits"), Bullets(tuple(points))]


def check(source: Source) -> list[Block]:
    """The section on checking it oneself."""
    c = source.c
    return [
        Heading(2, say("Check it yourself"), "check"),
        Listing(
            "verify check certificate.json --checkpoint FILE     # redoes the theorems from the network's file\npython -I "
            "program.py --all                          # runs the program on all pairs"
        ),
        Paragraph(
            joined(
                [
                    say(
                        "The second command must count {right} of {pairs} as right, and print the digest `{digest}`{same}.",
                        right=count(program_right(source)),
                        pairs=plural(source.c["correct"]["pairs"], "pair"),
                        digest=c["equivalent"]["answers_sha256"],
                        same=", which is that of the network's answers" if c["equivalent"]["status"] == "PROVED" else "",
                    ),
                    say('`python program.py "(1 2 3)" "(1 2)"` shows the votes at one pair.')
                    if {(1, 2, 0), (1, 0, 2)}
                    <= {element[:3] for element in source.words.group.elements if element[3:] == tuple(range(3, len(element)))}
                    else (),
                    say("SHA-256 of the certificate's contents: `{sha}`.", sha=c["sha256"]),
                ]
            )
        ),
    ]


def program_right(source: Source) -> int:
    """How many pairs the program gets right: as many as the network, but for the pairs where they differ."""
    right: int = source.c["correct"]["right"]
    for x, y, network, program in source.c["equivalent"]["differ"]:
        true = source.words.product_number(x, y)
        right += (program == true) - (network == true)
    return right


#: what is cited: key, type and fields
CITED: dict[str, tuple[str, dict[str, str]]] = {
    "chughtai2023": (
        "inproceedings",
        {
            "author": "Bilal Chughtai and Lawrence Chan and Neel Nanda",
            "title": "A Toy Model of Universality: Reverse Engineering How Networks Learn Group Operations",
            "booktitle": "International Conference on Machine Learning",
            "year": "2023",
            "note": "arXiv:2302.03025",
        },
    ),
    "gross2024": (
        "misc",
        {
            "author": "Jason Gross and others",
            "title": "Compact Proofs of Model Performance via Mechanistic Interpretability",
            "year": "2024",
            "note": "arXiv:2406.11779",
        },
    ),
    "higham2002": (
        "book",
        {
            "author": "Nicholas J. Higham",
            "title": "Accuracy and Stability of Numerical Algorithms",
            "publisher": "SIAM",
            "edition": "Second",
            "year": "2002",
        },
    ),
    "stander2024": (
        "inproceedings",
        {
            "author": "Dashiell Stander and Qinan Yu and Honglu Fan and Stella Biderman",
            "title": "Grokking Group Multiplication with Cosets",
            "booktitle": "International Conference on Machine Learning",
            "year": "2024",
            "note": "arXiv:2312.06581",
        },
    ),
    "wu2025": (
        "inproceedings",
        {
            "author": "Wilson Wu and Louis Jaburi and Jacob Drori and Jason Gross",
            "title": "Towards a Unified and Verified Understanding of Group-Operation Networks",
            "booktitle": "International Conference on Learning Representations",
            "year": "2025",
            "note": "arXiv:2410.07476",
        },
    ),
}


def references() -> list[Block]:
    """The list of what is cited, for Markdown and HTML."""
    lines = []
    for _, fields in CITED.values():
        where = ", ".join(fields[key] for key in ("booktitle", "publisher", "year", "note") if key in fields)
        lines.append(
            say("{author}. *{title}*. {where}.", author=fields["author"].replace(" and ", ", "), title=fields["title"], where=where)
        )
    return [Heading(2, say("References"), "references"), Bullets(tuple(lines))]


def bibtex() -> str:
    """The same as a BibTeX file."""
    entries = []
    for key, (kind, fields) in CITED.items():
        inner = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items())
        entries.append(f"@{kind}{{{key},\n{inner}}}\n")
    return "\n".join(entries)
