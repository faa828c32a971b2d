"""Section 4 of a report: how the network does it, as measured: families, the pairs of subgroups, vote tables, four levels."""

from reports.blocks import Block, Figure, Heading, Line, Paragraph, joined, say, table
from reports.circuits import ReportedCircuit
from reports.definitions import told
from reports.numbers import count, portion, share
from reports.paragraphs import circuit_paragraph
from reports.source import Source, listed, plural

FAMILIES = 10
WRITTEN_OUT = 0.75  # of the parameters: the most that a program may have to be called an explanation in part
PROGRAMS = ("readable", "provable", "faithful")


def mechanism(source: Source) -> list[Block]:
    """The section."""
    s = source.s
    blocks: list[Block] = [Heading(2, say("The mechanism, as measured"), "mechanism")]
    raw = s["program"]["raw_neurons"]
    opening = [
        say(
            "The *energy* of a neuron is the mean over all pairs of the square of its response $relu(L_i(x) + R_i(y))$, times "
            "the variance of its votes; "
            "shares are of the sum over all neurons."
        )
    ]
    if raw:
        opening.append(
            say(
                "{n} of the program's neurons read an input as a list of all elements: no structure was found in them.",
                n=plural(raw, "neuron").split()[0],
            )
        )
    blocks.append(Paragraph(joined(opening)))
    if s["families"]:
        blocks.append(_families(source))
    if (number := source.figure("pairs")) is not None:
        blocks.append(Paragraph(_covered(source, number)))
        caption = (
            "The pairs $(H, K)$ of subgroups through which circuits read $x$ (rows) and $y$ (columns), with the number of "
            "neurons of each; where there is no number there is none."
        )
        blocks.append(Figure("pairs", number, say(caption)))
    blocks += _tables(source)
    blocks += _levels(source)
    return blocks


def _families(source: Source) -> Block:
    families = source.s["families"]
    rows = [
        [
            family["name"],
            count(family["circuits"]),
            count(family["neurons"]),
            share(family["energy_share"]),
            "–" if not family["grid"] else f"{count(family['grid']['covered'])} of {count(family['grid']['possible'])}",
        ]
        for family in families[:FAMILIES]
    ]
    rest = families[FAMILIES:]
    if rest:
        rows.append(
            [
                f"{len(rest)} more",
                count(sum(f["circuits"] for f in rest)),
                count(sum(f["neurons"] for f in rest)),
                share(sum(f["energy_share"] for f in rest)),
                "",
            ]
        )
    return table(["family", "circuits", "neurons", "share of energy", "pairs $(H, K)$ in use"], rows, "lrrrr", name="families")


def _covered(source: Source, number: int) -> Line:
    grids = [(f["name"], f["grid"]) for f in source.s["families"] if f["grid"] and f["grid"]["possible"] > 1]
    whole = [name for name, grid in grids if grid["covered"] == grid["possible"]]
    part = [
        f"{name} {count(grid['covered'])} of {count(grid['possible'])}" for name, grid in grids if grid["covered"] < grid["possible"]
    ]
    said = []
    if whole:
        said.append(f"every pair of conjugates is in use in {listed(whole)}")
    if part:
        said.append(f"a part of them is in use in {listed(part)}")
    text = "; ".join(said)
    return say("Figure {n}: {text}.", n=number, text=text)


def _tables(source: Source) -> list[Block]:
    circuits = told(source)
    if not circuits:
        return []
    blocks: list[Block] = [
        Paragraph(
            say(
                "One circuit of each family in full; these are statements about the program, rounded to four digits."
                + (" Figure {n} shows the same tables." if source.figure("votes") else ""),
                n=source.figure("votes"),
            )
        )
    ]
    blocks += [Paragraph(circuit_paragraph(circuit, source.words)) for circuit in circuits]
    if (number := source.figure("votes")) is not None:
        blocks.append(
            Figure(
                "votes",
                number,
                say(
                    "Votes of {circuits}: $x$ downwards, $y$ to the right, one square for each kind of $z$; blue is for it, red "
                    "against it. A dot marks the cells in which every $xy$ is of that kind.",
                    circuits=listed(f"circuit {circuit.number}" for circuit in drawn(circuits)),
                ),
            )
        )
    return blocks


def drawn(circuits: list[ReportedCircuit]) -> list[ReportedCircuit]:
    """The circuits whose tables are drawn."""
    return [circuit for circuit in circuits if circuit.table is not None][:4]


def _levels(source: Source) -> list[Block]:
    s = source.s
    e = s["equivalence"]
    by_share = sorted(e["ablation_fve_by_share"].items())
    if not source.explains and s["program"]["ratio"] > WRITTEN_OUT:
        return [
            Paragraph(
                say("The program is the network written out, so a comparison of the two beyond their answers would show nothing.")
            )
        ]
    blocks: list[Block] = [
        Paragraph(
            say(
                "Equal answers alone explain little, as any two right networks have them. So the program is compared with the "
                "network beyond its answers. "
                "It explains {fve} of the variance of the logits (each pair's logits less their mean). The second largest "
                "logit is the same on {runner}. "
                "After the same {shares} of the circuits, drawn at random, are removed from both, it explains {after} of the "
                "variance of what is left. "
                "Programs of other prices:",
                fve=share(e["logit_fve"]),
                runner=portion(e["runner_up_agree"]) + " of the pairs",
                shares=listed((name.replace("%", " %") for name, _ in by_share), "or"),
                after=listed(share(value) for _, value in by_share),
            )
        )
    ]
    rows = [
        [
            point["name"],
            share(point["ratio"]),
            count(point["answers_agree"]),
            share(point["logit_fve"]),
            share(point["ablation_fve"]),
        ]
        for point in s["curve"]
        if point["name"] in PROGRAMS
    ]
    caption = say(
        "“Readable” is the program of Theorem 2"
        + (", “provable” that of Theorem 3" if any(point["name"] == "provable" for point in s["curve"]) else "")
        + ", “faithful” one that leaves votes as they are. Integers are counted against the network's parameters."
    )
    blocks.append(table(["program", "integers", "answers that agree", "variance explained", "after removals"], rows, "lrrrr", caption))
    if s["gcr"]["logit_fve"] is not None:
        blocks.append(
            Paragraph(
                say(
                    "For comparison, the description by irreducible representations (Chughtai et al.), in which a logit is a "
                    "sum of characters of "
                    "$xyz⁻¹$, explains {fve} of the same variance.",
                    fve=share(s["gcr"]["logit_fve"]),
                )
            )
        )
    return blocks
