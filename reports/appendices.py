"""The appendices of a report, in files of their own: every circuit and subgroup, the lemmas and the plan; every neuron."""

import re

from reports.blocks import Block, Document, Figure, Heading, Line, Paragraph, joined, say, table, text
from reports.definitions import subgroup_rows
from reports.numbers import count, plural, portion, power_of_two, rational, rounded, seconds, sentence, share
from reports.records import Record
from reports.source import Source
from reports.theorems import PARITY, lemma_kind

MOST_CIRCUITS = 400
SHOWN_LEMMAS = 12
UNSETTLED = (
    "Some changed networks have neurons that cancel one another, so that float64 does not know what is left, on too many pairs for "
    "exact arithmetic: then the least and the greatest stand that a figure can be, or “not known” where these are far apart."
)


def circuit_rows(source: Source) -> list[list[str]]:
    """A row for each circuit: number, family, what it looks at, what it votes on, neurons, energy."""
    return [
        [
            str(circuit.number),
            circuit.family,
            circuit.left.phrase(source.words, "x"),
            circuit.right.phrase(source.words, "y"),
            circuit.votes.phrase(source.words, "z"),
            count(len(circuit.neurons)),
            share(circuit.energy_share),
        ]
        for circuit in source.circuits
    ]


def circuits_appendix(source: Source) -> Document:
    """Circuits, subgroups, the plan of Theorem 4, lemmas, interventions, the price curve, the lattice, times."""
    blocks: list[Block] = [
        Paragraph(
            say(
                "What is named here is defined in the report. A circuit's number is that in `program.py`; the circuit with "
                "most energy comes first."
            )
        ),
        Heading(2, say("Circuits"), "circuits"),
        table(
            ["circuit", "family", "looks at", "and at", "votes on", "neurons", "energy"],
            circuit_rows(source)[:MOST_CIRCUITS],
            "rllllrr",
            long=True,
        ),
    ]
    if len(source.circuits) > MOST_CIRCUITS:
        blocks.append(Paragraph(say("The other {n} stand in `program.py`.", n=count(len(source.circuits) - MOST_CIRCUITS))))
    names = [record["name"] for record in source.program["subgroups"]]
    if names:
        blocks += [
            Heading(2, say("Subgroups of the program"), "all-subgroups"),
            table(["name", "order", "generators", "what a right coset tells"], subgroup_rows(source, names), "lrll", long=True),
        ]
    blocks += _plan(source) + _lemmas(source) + _interventions(source) + _curve(source) + _lattice(source) + _times(source)
    return Document(say("{group}: circuits and subgroups", group=source.group), tuple(blocks))


def _plan(source: Source) -> list[Block]:
    compact = source.c["compact"]
    if not compact or not compact["plan"]:
        return []
    rows = [
        [
            str(k),
            family["on"],
            ", ".join(family["generators"]) or "–",
            count(len(family["levels"][0]) if family["levels"] else 0),
            count(len(family["neurons"])),
        ]
        for k, family in enumerate(compact["plan"]["families"])
    ]
    return [
        Heading(2, say("The plan of Theorem 4"), "plan"),
        Paragraph(
            say(
                "${side}$ is read through cells: the cosets of these subgroups.", side="x" if compact["plan"]["side"] == "left" else "y"
            )
        ),
        table(["table", "cells are", "generators of the subgroup", "cells", "neurons"], rows, "rllrr", long=True),
    ]


LEMMAS = {
    "O1": "the steps of Theorem 3",
    "O2": "between which bounds the response of one neuron lies, by the double coset of xy",
    "O3": "how far the network's margins are from the program's",
}


def _lemmas(source: Source) -> list[Block]:
    lemmas = source.s["symbolic"]["obligations"]
    if not lemmas:
        return [Heading(2, say("Lemmas"), "lemmas"), *found] if (found := _sums(source)) else []
    solvers = sorted({name for one in lemmas for name in one["opinions"]})
    kinds = sorted({lemma_kind(one) for one in lemmas})
    rows = []
    for kind in kinds:
        members = [one for one in lemmas if lemma_kind(one) == kind]
        opinions = [count(sum(one["opinions"].get(solver, {}).get("word") == "agrees" for one in members)) for solver in solvers]
        statuses = [count(sum(one["status"] == status for one in members)) for status in ("PROVED", "REFUTED", "UNKNOWN")]
        rows.append([kind, LEMMAS.get(kind, ""), *statuses, *opinions])
    blocks: list[Block] = [
        Heading(2, say("Lemmas"), "lemmas"),
        Paragraph(
            say(
                "Exact integers decide each lemma; its negation is written in SMT-LIB 2 under `obligations/`, where that is not too "
                "long. “Agrees” counts the files on which a solver gave the "
                "expected answer within its time (measured on this machine; the rest were not asked or not answered)."
            )
        ),
        table(
            ["lemmas", "about", "proved", "refuted", "unknown", *(text(f"{name} agrees") for name in solvers)],
            rows,
            "llrrr" + "r" * len(solvers),
        ),
    ]
    blocks += _sums(source)
    unsettled = [one for one in lemmas if one["status"] != "PROVED"][:SHOWN_LEMMAS]
    if unsettled:
        shown = [[one["id"], one["status"], rounded(one["statement"])] for one in unsettled]
        blocks.append(table(["not proved", "status", "statement"], shown, "lll", long=True))
    return blocks


def _sums(source: Source) -> list[Block]:
    """The least sums of Theorem 3 case by case, or why there is no proof."""
    symbolic = source.c["symbolic"]
    if symbolic["status"] != "PROVED" or not symbolic["proof"]:
        reason = re.sub(r"^O\d[\w-]*: ", "", source.s["symbolic"]["reason"])
        return [Paragraph(say("Why Theorem 3 is not proved: {reason}", reason=sentence(rounded(reason))))] if reason else []
    cases = symbolic["proof"]["cases"]
    about = (symbolic["provable"] or source.c)["program"]
    bits = about["preactivation_bits"] + about.get("scale_bits", 0) + about["vote_bits"]
    rows = [[PARITY[case["x"]], PARITY[case["y"]], PARITY[case["s"]], count(case["signs"]), count(case["least"])] for case in cases]
    caption = say(
        "Theorem 3 case by case, in units of 1/{unit} vote: the least sum over all $s ≠ 1$, and how much of it comes from circuits on "
        "parities.",
        unit=power_of_two(bits),
    )
    return [table(["$x$", "$y$", "$s$", "from parities", "least sum"], rows, "lllrr", caption)] if cases else []


def _interventions(source: Source) -> list[Block]:
    s, c = source.s, source.c
    if not s["counterfactuals"]:
        return []
    fewest = min(row["pairs"] for row in s["counterfactuals"])
    sampled = (
        say(
            "Measured on a sample, {pairs} of the {all} pairs: every $y$ with {rows} of the {order} $x$, drawn with seed 0.",
            pairs=count(fewest),
            all=source.pairs,
            rows=count(fewest // c["group"]["order"]),
            order=count(source.order),
        )
        if fewest < c["correct"]["pairs"]
        else say("Measured on all pairs.")
    )
    rows = [
        [
            row["name"],
            *(_as_known(row, name) for name in ("network_right", "program_right", "logit_fve", "in_top_set", "answers_agree_clear")),
        ]
        for row in s["counterfactuals"]
    ]
    open_ = any(row.get("between") or row.get("not_known") for row in s["counterfactuals"])
    return [
        Heading(2, say("Interventions"), "interventions"),
        Paragraph(
            joined(
                [
                    say(
                        "The same change is made to the network and to the program: circuits "
                        "(the first of the three draws of “The mechanism”) "
                        "or a family are "
                        "removed; the signs of $L$ (left), of $R$ (right) or of both are flipped; {other}"
                        "$x$ and $y$ are exchanged. Then: the share of pairs on which each is right; how much of the variance of "
                        "the changed network's logits the program explains (“none” where it is farther from them than their mean "
                        "is); how often the network's answer is among the outputs near the program's best (*top set*); and how "
                        "often the answers agree where neither side's best two are near (*clear*). Near is within 5 % of the root "
                        "mean square of that side's logits less their mean. Equal best two are a tie, which is no answer.",
                        other="" if source.squares else "relu becomes the absolute value; ",
                    ),
                    sampled,
                    *([say(UNSETTLED)] if open_ else []),
                ]
            )
        ),
        table(
            ["change", "network right", "program right", "variance explained", "in top set", "agree when clear"],
            rows,
            "lrrrrr",
            long=True,
        ),
    ]


def _as_known(row: Record, name: str) -> str:
    """A figure of an intervention, the least and the greatest that it can be, or "not known"."""
    if name in row.get("not_known", ()):
        return "not known"
    low, high = (share(value) for value in row.get("between", {}).get(name, (row[name], row[name])))
    return low if low == high else f"{low} to {high}"


def _curve(source: Source) -> list[Block]:
    number = source.figure("curve")
    rows = [
        [
            point["name"],
            share(point["ratio"]),
            count(point["answers_agree"]),
            share(point["logit_fve"]),
            portion(point["runner_up_agree"]),
            share(point["ablation_fve"]),
        ]
        for point in source.s["curve"]
    ]
    blocks: list[Block] = [
        Heading(2, say("Programs of other prices"), "curve"),
        Paragraph(
            say(
                "“Answers” counts the pairs with the network's answer (exact); the rest is measured. “Integers” is how many a "
                "program has for each of the network's "
                "parameters, “same second” the share of pairs with the same second largest logit. The readable program is "
                "`program.json`, the others stand in `programs/` by name."
                + (" Figure {n} shows price and variance." if number else ""),
                n=number,
            )
        ),
        table(["program", "integers", "answers", "variance explained", "same second", "after removals"], rows, "lrrrrr"),
    ]
    if number is not None:
        blocks.append(
            Figure(
                "curve",
                number,
                say(
                    "What programs of different prices explain of the logits' variance, with all circuits and after removals "
                    "(measured)."
                ),
            )
        )
    if (bounds := source.figure("margins")) is not None:
        blocks += [
            Heading(2, say("Margins"), "margins"),
            Paragraph(
                say(
                    "Figure {n} compares the network's margins with the lower bounds that the inequality of Theorem 4 gives by itself. "
                    "Where that is not above 0, it fails for some outputs, and the true logits of these settle the pair.",
                    n=bounds,
                )
            ),
            Figure(
                "margins",
                bounds,
                say("Margins of the pairs that are right (measured), and their lower bounds by the inequality of Theorem 4 alone."),
            ),
        ]
    return blocks


def _lattice(source: Source) -> list[Block]:
    nodes = source.s["lattice"]["nodes"]
    used = [node for node in nodes if node["used"]]
    opening = (
        "Of {all} of conjugate subgroups of {group}, {used} in labels of the network's neurons (measured). "
        "A label names what a neuron is nearest to, whether the program has the neuron or not, and the program may read it through "
        "other subgroups: these counts are not those of the program's families."
        if used
        else "Of {all} of conjugate subgroups of {group}, none is in a label of a neuron."
    )
    blocks: list[Block] = [
        Heading(2, say("Subgroups of the group"), "lattice"),
        Paragraph(
            say(
                opening,
                all=plural(len(nodes), "class", "classes"),
                used=f"{count(len(used))} {'is' if len(used) == 1 else 'are'}",
                group=source.group,
            )
        ),
    ]
    if used:
        rows = [[node["name"], count(node["order"]), count(node["length"]), count(node["used"])] for node in used]
        blocks.append(table(["class", "order", "conjugates", "neurons"], rows, "lrrr"))
    if (number := source.figure("lattice")) is not None:
        blocks.append(
            Figure(
                "lattice",
                number,
                say(
                    "Classes of conjugate subgroups by order; a line says that one contains the other with nothing between. "
                    "Filled: in labels of neurons."
                ),
            )
        )
    return blocks


TIMES = {
    "loading": "reading the file",
    "subgroups": "enumerating subgroups",
    "exhaustive": "evaluating every pair",
    "labels": "labels of neurons",
    "distillation": "finding programs",
    "mechanism": "differences of neurons",
    "symbolic_search": "Theorem 3",
    "obligations": "writing lemmas",
    "symbolic": "waiting for solvers",
    "compact": "Theorem 4",
    "measuring": "measuring",
    "figures": "drawing figures",
    "total": "in all, up to this report",
}


def _times(source: Source) -> list[Block]:
    found, versions = source.s["seconds"], source.c["not_checked"]["versions"]
    rows = [[name, seconds(found[key])] for key, name in TIMES.items() if key in found]
    return [
        Heading(2, say("Times"), "times"),
        table(["step", "time"], rows, "lr", say("Measured on the machine of the run, other work beside it included.")),
        Paragraph(say("Versions: {versions}.", versions=", ".join(f"{name} {version}" for name, version in sorted(versions.items())))),
    ]


def neurons_appendix(source: Source) -> Document:
    """Every neuron: label, energy, and how far it is from the program."""
    blocks: list[Block] = [
        Paragraph(
            say(
                "For each neuron: how the program reads it; the subgroups whose cosets its two functions are nearest to (“H "
                "over N”: up to the sign that is 1 on N); its "
                "share of the energy; the share of the variance of $L_i$ and of $R_i$ that these cosets explain; the share of "
                "the variance of $L_i$, $R_i$ and $U_i$ that "
                "the program leaves (over 100 % where fitted votes differ more from the neuron's own than these vary); all "
                "this is measured. The last column is "
                "proved: the largest differences over the group between $L_i$ and $l_i$, $R_i$ and $r_i$, $U_i$ and $u_i$, "
                "rounded to four digits. A neuron that is "
                "*left out* is not in the program, a *dead* one can change no answer, a *raw* one has no structure that was found."
            )
        ),
        table(
            ["neuron", "kind", "on $x$", "on $y$", "energy", "label explains", "program leaves", "differences", "irreps"],
            [neuron_row(source, measured, proved) for measured, proved in neuron_pairs(source)],
            "rlllrllll",
            long=True,
        ),
    ]
    return Document(say("{group}: neurons", group=source.group), tuple(blocks))


def neuron_pairs(source: Source) -> list[tuple[Record, Record]]:
    """Each neuron's rows of the summary and of the certificate."""
    measured = {neuron["index"]: neuron for neuron in source.s["program"]["neurons"]}
    return [(measured[neuron["index"]], neuron) for neuron in source.c["neurons"]]


def neuron_row(_source: Source, measured: Record, proved: Record) -> list[str | Line]:
    """One row of the table."""
    return [
        str(proved["index"]),
        proved["kind"],
        measured["left"] or "–",
        measured["right"] or "–",
        share(measured["energy_share"]),
        ", ".join(share(measured[f"{part}_share"]) for part in ("left", "right")),
        ", ".join(share(measured[f"{part}_residual"]) for part in ("left", "right", "votes")),
        ", ".join(rational(proved[f"{part}_deviation"]) for part in ("left", "right", "votes")),
        ", ".join(f"{name} {share(part)}" for name, part in measured["irreps"]) or "–",
    ]
