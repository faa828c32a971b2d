"""Section 1 of a report: what was found, in a paragraph and one picture."""

from reports.blocks import Block, Figure, Heading, Line, Paragraph, joined, say
from reports.numbers import count, ratio_of, share
from reports.source import Source, listed, plural


def headline(source: Source) -> Line:
    """Does the network multiply in the group, in one sentence."""
    c, correct = source.c, source.c["correct"]
    if correct["status"] == "PROVED":
        sentence = (
            "The network multiplies in {name}: for all {pairs} pairs $(x, y)$ of elements of {name} its largest output is the "
            "one for the "
            "product $xy$ (Theorem 1)."
        )
    elif correct["status"] == "REFUTED":
        sentence = (
            "The network does not multiply in {name}: for {right} of the {pairs} pairs $(x, y)$ of elements of {name} its "
            "largest output is "
            "the one for the product $xy$, for {wrong} it is not (Theorem 1)."
        )
    else:
        sentence = "It is not settled whether the network multiplies in {name} for all {pairs} pairs of elements."
    return say(
        sentence,
        name=c["group"]["name"],
        pairs=source.pairs,
        right=count(correct["right"]),
        wrong=count(correct["pairs"] - correct["right"]),
    )


def turned(source: Source) -> Line:
    """What the file's own product and numbering are, where they are not the usual ones."""
    checkpoint = source.c["checkpoint"]
    said = []
    if checkpoint["product"] == "right-first":
        said.append("in its file's own terms it answers $yx$ (the second input acts first), and its inputs are exchanged here")
    if checkpoint["order"] == "table":
        said.append("its file numbers the elements in no published way, and the numbering was read off its own answers")
    return say(f"More exactly, {'; '.join(said)}.") if said else ()


def explanation(source: Source) -> Line:
    """What the program is worth."""
    s, equivalent = source.s, source.c["equivalent"]
    same = (
        f"gives the network's answer on all {source.pairs} pairs"
        if equivalent["status"] == "PROVED"
        else f"gives the network's answer on {count(equivalent['agree'])} of {source.pairs} pairs"
    )
    heads = {
        "explained": "The subgroups of {name} explain how: ",
        "in part": "The subgroups of {name} explain how in part: ",
        "not explained": "How it answers is not explained: no small program was found that gives its answers. ",
    }
    sentence = heads[s["explained"]["status"]] + (
        "{a} program of {constants} integers, {ratio} of the number of the network's parameters, {same} (Theorem 2){variance}."
    )
    variance = s["explained"]["logit_fve"]
    return say(
        sentence,
        name=source.group,
        a="A" if s["explained"]["status"] == "not explained" else "a",
        constants=count(s["program"]["constants"]),
        ratio=share(s["program"]["ratio"]),
        same=same,
        variance=""
        if variance is None
        else f"; its neurons that read x and y through cosets, or points of them, explain {share(variance)} of the variance "
        f"of the network's outputs (measured)",
    )


def proofs(source: Source) -> Line:
    """Theorems 3 and 4 in a sentence each."""
    symbolic, compact = source.c["symbolic"], source.c["compact"]
    said = []
    if symbolic["status"] == "PROVED":
        which = "A second program, made for this purpose," if symbolic["provable"] else "The program"
        said.append(
            say("{which} is proved to multiply by lemmas about single points, without trying the pairs (Theorem 3).", which=which)
        )
    if compact and compact["certified"]:
        said.append(
            say(
                "The structure also shortens the proof about the network itself: {operations} of the operations of evaluating "
                "it everywhere "
                "settle all pairs, {certified} through the structure (Theorem 4).",
                operations=ratio_of(compact["flops"], compact["flops_brute"]),
                certified="all of them"
                if compact["certified"] == source.c["correct"]["pairs"]
                else f"{count(compact['certified'])} of {source.pairs}",
            )
        )
    return joined(said)


def families_sentence(source: Source) -> Line:
    """The families with their shares of energy."""
    largest = [f for f in source.s["families"] if f["energy_share"] >= 0.01][:5]
    parts = [f"{f['name']} ({plural(f['circuits'], 'circuit')}, {share(f['energy_share'])})" for f in largest]
    return say(
        "In order of the work they do (their share of the *energy*, defined under “The mechanism”), the program's families of "
        "circuits "
        "are {parts}.",
        parts=listed(parts),
    )


def found(source: Source) -> list[Block]:
    """The section."""
    blocks: list[Block] = [Heading(2, say("What was found"), "found")]
    blocks.append(Paragraph(joined([headline(source), turned(source), explanation(source), proofs(source)])))
    if source.explains and source.s["families"]:
        blocks.append(Paragraph(families_sentence(source)))
    if (number := source.figure("neuron")) is not None:
        index = shown_neuron(source)
        assert index is not None
        row = next(row for row in source.s["program"]["neurons"] if row["index"] == index)
        blocks.append(
            Paragraph(
                say(
                    "Figure {n} shows what that means for one neuron: sorted by what the neuron looks at, its response to all "
                    "pairs is a "
                    "small table.",
                    n=number,
                )
            )
        )
        blocks.append(
            Figure(
                "neuron",
                number,
                say(
                    "The response $relu(L(x) + R(y))$ of neuron {i} to all pairs, $x$ downwards and $y$ to the right, rounded "
                    "to 1/127 of its largest "
                    "values: elements in their usual order (left), and sorted by the {sx} cosets of {hx} that $x$ lies in and "
                    "the {sy} cosets "
                    "of {hy} that $y$ lies in (right). White is 0: the neuron is silent.",
                    i=index,
                    hx=row["left"],
                    hy=row["right"],
                    sx="left" if row["kind"] == "dual" else "right",
                    sy="right" if row["kind"] == "dual" else "left",
                ),
            )
        )
    blocks.append(
        Paragraph(
            say(
                "Two strengths are kept apart. What stands in a theorem is **proved**: exact, written in `certificate.json`, "
                "and `verify check` "
                "proves it again from the network's file, in exact integers and with code of its own. What is **measured** is "
                "a floating-point "
                "figure from `summary.json`, on all pairs unless the sentence says otherwise; no theorem rests on it."
            )
        )
    )
    return blocks


def shown_neuron(source: Source) -> int | None:
    """The neuron with most energy that has a label, of the first circuit with a vote table if there is one."""
    circuits = {number: c.neurons for c in source.circuits if c.table is not None for number in (c.number,)}
    rows = [
        row for row in source.s["program"]["neurons"] if row["left"] and row["right"] and row["kind"] in ("coset", "twisted", "dual")
    ]
    first = {index for table in source.s["vote_tables"][:1] for index in circuits.get(table["circuit"], ())}
    rows.sort(key=lambda row: (row["index"] not in first, -row["energy_share"]))
    return int(rows[0]["index"]) if rows else None
