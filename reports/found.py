"""Section 1 of a report: what was found, in a paragraph and one picture."""

from reports.blocks import Block, Figure, Heading, Line, Paragraph, joined, say
from reports.numbers import count, plural, ratio_of, share
from reports.records import Record
from reports.source import Source, listed

#: the least share of variance at which a neuron's response is called a table over cosets
TABLE = 0.99
#: the least share of energy of a family that does nearly all of the work
NEARLY_ALL = 0.9


def headline(source: Source) -> Line:
    """Does the network multiply in the group, in one sentence."""
    c, correct = source.c, source.c["correct"]
    if correct["status"] == "PROVED":
        sentence = (
            "The network multiplies in {name}: for {all} $(x, y)$ of elements of {name} its largest output is the "
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
        sentence = "It is not settled whether the network multiplies in {name} for {all} of elements."
    return say(
        sentence,
        name=c["group"]["name"],
        pairs=source.pairs,
        all=source.all_pairs,
        right=count(correct["right"]),
        wrong=count(correct["pairs"] - correct["right"]),
    )


def turned(source: Source) -> Line:
    """What the file's own product and numbering are, where they are not the usual ones."""
    checkpoint = source.c["checkpoint"]
    said = []
    if checkpoint["product"] == "right-first":
        answers = "it answers $yx$" if source.c["correct"]["status"] == "PROVED" else "it is asked for $yx$"
        said.append(f"in its file's own terms {answers} (the second input acts first), and its inputs are exchanged here")
    if checkpoint["order"] == "table":
        said.append("its file numbers the elements in no published way, and the numbering was read off its own answers")
    if checkpoint.get("activation_taken"):
        reading = checkpoint.get("reading") or {}
        words = {"square": "the square", "abs": "the absolute value"}.get(reading.get("activation", "relu"), "relu")
        said.append(f"its file does not name the activation, and {words} was taken")
    return say(f"More exactly, {'; '.join(said)}.") if said else ()


def explanation(source: Source) -> Line:
    """What the program is worth."""
    s, equivalent = source.s, source.c["equivalent"]
    same = source.some_pairs(equivalent["agree"])
    constants, ratio = plural(s["program"]["constants"], "integer"), share(s["program"]["ratio"])
    if source.c["group"]["order"] > 1 and s["lattice"].get("complete", True) and len(s["lattice"]["nodes"]) <= 2:
        return say(
            "{name} has prime order and no subgroups but 1 and itself, so cosets cannot explain anything here: the program, on {same} "
            "(Theorem 2), is a list of {constants}. What neurons live on are irreducible representations: {irreps}.",
            name=source.group,
            same=same,
            constants=constants,
            irreps=irreps_used(source),
        )
    if not source.explains:
        return say(
            "How it answers is not explained: the shortest program found that gives its answers, on {same} (Theorem 2), "
            "is a list of {constants}, {ratio} of the number of the network's parameters. Taken one by one, neurons with "
            "{labelled} of the energy (see “The mechanism”) read $x$ and $y$ through cosets, or points of them, more than chance "
            "would (measured).",
            labelled=share(s["explained"]["energy_labelled"]),
            constants=constants,
            ratio=ratio,
            same=same,
        )
    variance = s["explained"]["logit_fve"]
    return say(
        "The subgroups of {name} explain how{part}: a program of {constants}, {ratio} of the number of the network's "
        "parameters, gives the network's answer on {same} (Theorem 2){variance}.",
        name=source.group,
        part="" if s["explained"]["status"] == "explained" else " in part",
        constants=constants,
        ratio=ratio,
        same=same,
        variance=""
        if variance is None
        else f"; what its circuits compute from cosets, or from points of them, is {share(variance)} of what varies in the "
        f"network's logits from pair to pair (measured)",
    )


def irreps_used(source: Source) -> str:
    """The irreps that hold most of the power of the neurons' votes, each neuron weighted by its energy."""
    power: dict[str, float] = {}
    for row in source.s["program"]["neurons"]:
        for name, part in row["irreps"]:
            power[name] = power.get(name, 0.0) + part * row["energy_share"]
    largest = sorted(power.items(), key=lambda item: -item[1])[:8]
    if not largest:
        return "none was found"
    named = listed([f"{name} ({share(part)})" for name, part in largest])
    return f"{named} of the power of the votes, neurons weighted by their energy (measured; the appendix lists them for each neuron)"


def proofs(source: Source) -> Line:
    """Theorems 3 and 4 in a sentence each."""
    symbolic, compact = source.c["symbolic"], source.c["compact"]
    said = []
    if symbolic["status"] == "PROVED":
        which = "A second program, made for this purpose," if symbolic["provable"] else "The program"
        said.append(
            say("{which} is proved to multiply by lemmas about single points, without trying the pairs (Theorem 3).", which=which)
        )
    if compact and compact["certified"] and compact["flops"] < compact["flops_brute"]:
        said.append(
            say(
                "Cosets also shorten the proof about the network itself: {certified} are proved right through them, and all are "
                "decided with {operations} of the operations of evaluating each (Theorem 4).",
                operations=ratio_of(compact["flops"], compact["flops_brute"]),
                certified=source.some_pairs(compact["certified"]),
            )
        )
    return joined(said)


def families_sentence(source: Source) -> Line:
    """The families with their shares of energy."""
    families = source.s["families"]
    largest = [f for f in families if f["energy_share"] >= 0.01][:5] or families[:5]
    rest = len(families) - len(largest)
    parts = [f"{f['name']} ({plural(f['circuits'], 'circuit')}, {share(f['energy_share'])})" for f in largest]
    if len(families) == 1:
        return say(
            "All circuits of the program are of one family: {part} of the *energy*, which “The mechanism” defines).", part=parts[0][:-1]
        )
    if len(parts) == 1 and largest[0]["energy_share"] >= NEARLY_ALL:
        return say(
            "One of the program's families of circuits does nearly all of the work (by its share of the *energy*, defined under “The "
            "mechanism”): {part}.",
            part=parts[0],
        )
    return say(
        "In order of the work they do (their share of the *energy*, defined under “The mechanism”), the program's {largest}families of "
        "circuits are {parts}{rest}.",
        largest="largest " if rest else "",
        parts=listed(parts),
        rest=_more(families[len(largest) :]),
    )


def _more(families: list[Record]) -> str:
    """How many families are not named, with their share of the energy."""
    if not families:
        return ""
    part = share(sum(family["energy_share"] for family in families))
    return f"; one more has {part}" if len(families) == 1 else f"; {count(len(families))} more have {part} together"


def found(source: Source) -> list[Block]:
    """The section."""
    blocks: list[Block] = [Heading(2, say("What was found"), "found")]
    blocks.append(Paragraph(joined([headline(source), turned(source), explanation(source), proofs(source)])))
    if source.explains and source.s["families"]:
        blocks.append(Paragraph(families_sentence(source)))
    if (number := source.figure("neuron")) is not None:
        blocks += _one_neuron(source, number)
    blocks.append(
        Paragraph(
            say(
                "What stands in a theorem is **proved**: exact, written in `certificate.json`, and proved again by `verify check` "
                "from the network's file, in integers and with code of its own. What is **measured** is a floating-point figure "
                "from `summary.json`, on all pairs unless the sentence says otherwise; no theorem rests on it."
            )
        )
    )
    return blocks


def _one_neuron(source: Source, number: int) -> list[Block]:
    """Figure 1 and the sentence that needs it."""
    index = shown_neuron(source)
    row = next(row for row in source.s["program"]["neurons"] if row["index"] == index)
    x, y = ("left", "right") if row["kind"] == "dual" else ("right", "left")
    hx, hy = (row[side].split(" over ")[-1] for side in ("left", "right"))  # of "H over N" the cosets of N
    return [
        Paragraph(
            say(
                "Figure {n} shows one neuron, number {i}. The {x} cosets of {hx} explain {left} of the variance of what it reads of "
                "$x$, the {y} cosets of {hy} {right} of what it reads of $y$ (measured): sorted by them, its response to all pairs is "
                + ("a small table." if min(row["left_share"], row["right_share"]) >= TABLE else "nearer to a small table."),
                n=number,
                i=index,
                x=x,
                y=y,
                hx=hx,
                hy=hy,
                left=share(row["left_share"]),
                right=share(row["right_share"]),
            )
        ),
        Figure(
            "neuron",
            number,
            say(
                "The response ${fired}$ of neuron {i} to all pairs, $x$ downwards and $y$ to the right, from $L$ and $R$ "
                "rounded to 8 bits. Left: elements in their usual order. Right: sorted by the {x} coset of {hx} that $x$ lies in and "
                "the {y} coset of {hy} that $y$ lies in. White is 0: the neuron is silent.",
                fired=source.fired("L(x) + R(y)"),
                i=index,
                x=x,
                y=y,
                hx=hx,
                hy=hy,
            ),
        ),
    ]


def shown_neuron(source: Source) -> int | None:
    """The neuron with most energy that reads both inputs through cosets, of the first circuit with a vote table if there is one.

    Cosets of the subgroup 1 are single elements: sorted by them a response is no smaller.
    """
    circuits = {number: c.neurons for c in source.circuits if c.table is not None for number in (c.number,)}
    rows = [
        row
        for row in source.s["program"]["neurons"]
        if row["kind"] in ("coset", "twisted", "dual")
        and row["left_share"] is not None
        and row["right_share"] is not None
        and all(row[side].split(" over ")[-1] != "1" for side in ("left", "right"))
    ]
    first = {index for table in source.s["vote_tables"][:1] for index in circuits.get(table["circuit"], ())}
    rows.sort(key=lambda row: (row["index"] not in first, -row["energy_share"]))
    return int(rows[0]["index"]) if rows else None
