"""Section 4 of a report: how the network does it, as measured: families, the pairs of subgroups, vote tables, four levels."""

from reports.blocks import Block, Figure, Heading, Line, Paragraph, joined, say, table
from reports.circuits import ReportedCircuit
from reports.definitions import told
from reports.grid_figure import gridded
from reports.numbers import count, plural, portion, share
from reports.paragraphs import circuit_paragraph
from reports.source import Source, listed

FAMILIES = 6
MOST_CELLS, DRAWN = 16, 2  # rows of a table, and tables, in the figure
MOST_PANELS = 2  # kinds of z that are drawn of one circuit
WRITTEN_OUT = 0.75  # of the parameters: the most that a program may have to be called an explanation in part
ALL = 0.95  # of the parameters: a longer program is called the network written out


def mechanism(source: Source) -> list[Block]:
    """The section."""
    s = source.s
    blocks: list[Block] = [Heading(2, say("The mechanism, as measured"), "mechanism")]
    raw = s["program"]["raw_neurons"]
    opening = [
        say(
            "The *energy* of a neuron is the mean over all pairs of the square of its response ${fired}$, times "
            "the variance of its votes. Shares are of the sum over all neurons{left_out}.",
            fired=source.fired("L_i(x) + R_i(y)"),
            left_out=left_out(source),
        )
    ]
    if source.explains:
        opening.append(say("Neurons that read cosets in such networks were found by Stander et al."))
    if raw:
        opening.append(
            say(
                "Of the program's neurons {n} read an input through a list of all elements: nothing shorter was found for them.",
                n=plural(raw, "neuron").split()[0],
            )
        )
    blocks.append(Paragraph(joined(opening)))
    if s["families"]:
        blocks.append(_families(source))
    if (number := source.figure("pairs")) is not None:
        blocks.append(Paragraph(_covered(source, number)))
        caption = (
            "How many neurons read $x$ through the subgroup of the row and $y$ through that of the column, family by family; "
            "where there is no number there is none."
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


def left_out(source: Source) -> str:
    """How many neurons the program leaves out, with their share."""
    inside = {index for circuit in source.circuits for index in circuit.neurons}
    rest = [row for row in source.s["program"]["neurons"] if row["index"] not in inside]
    if not rest:
        return ""
    return f"; the program leaves out {plural(len(rest), 'neuron')} with {share(sum(row['energy_share'] for row in rest))} of it"


def _covered(source: Source, number: int) -> Line:
    shown = [(f["name"], f["grid"]) for f in gridded(source.s["families"])]
    whole = [name for name, grid in shown if grid["covered"] == grid["possible"]]
    if not whole:
        return say("Figure {n} shows which pairs $(H, K)$ are in use in {shown}.", n=number, shown=listed(name for name, _ in shown))
    return say(
        "Figure {n} shows which pairs $(H, K)$ are in use in {shown}; in {whole} it is every pair of conjugates.",
        n=number,
        shown=listed(name for name, _ in shown),
        whole=listed(whole),
    )


def _tables(source: Source) -> list[Block]:
    circuits = told(source)
    if not circuits:
        return []
    blocks: list[Block] = [
        Paragraph(
            say(
                "Now one circuit of each large family. *Cells* are sets of $x$, and of $y$, that its lists do not tell apart, *kinds* "
                "sets of $z$; “$a→b$” is short for “sends, or moves, $a$ to $b$”. These are statements about the program, rounded "
                "to four digits." + (" Figure {n} shows the tables of {which}." if source.figure("votes") else ""),
                n=source.figure("votes"),
                which=listed(f"circuit {circuit.number}" for circuit in drawn(circuits)),
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
                    "Votes of {circuits}: $x$ downwards, $y$ to the right, one square for each kind of $z${cut}; blue is for it, red "
                    "against it. A dot marks the cells in which every $xy$ is of that kind.",
                    cut=f", the {MOST_PANELS} with the largest votes"
                    if any(len(c.table.kinds) > MOST_PANELS for c in drawn(circuits) if c.table)
                    else "",
                    circuits=listed(f"circuit {circuit.number}" for circuit in drawn(circuits)),
                ),
            )
        )
    return blocks


def drawn(circuits: list[ReportedCircuit]) -> list[ReportedCircuit]:
    """The circuits whose tables are drawn: the first of those that a reader can make out."""
    small = [c for c in circuits if c.table is not None and max(len(c.table.rows), len(c.table.columns)) <= MOST_CELLS]
    return small[:DRAWN]


def _levels(source: Source) -> list[Block]:
    s = source.s
    e = s["equivalence"]
    by_share = sorted(e["ablation_fve_by_share"].items())
    if e["logit_fve"] is None:
        return [
            Paragraph(say("At each pair all of the network's logits are equal: they have no variance that a program could explain."))
        ]
    if not source.explains and s["program"]["ratio"] > WRITTEN_OUT:
        return [
            Paragraph(
                say(
                    "The program is {nearly}the network written out, so a comparison of the two beyond their answers would show "
                    "{little}.",
                    nearly="nearly as long as " if s["program"]["ratio"] <= ALL else "",
                    little="little" if s["program"]["ratio"] <= ALL else "nothing",
                )
            )
        ]
    blocks: list[Block] = [
        Paragraph(
            say(
                "Networks with the same answers may differ in all else, so the program is compared with the network beyond these. It "
                "explains {fve} of the variance of the logits (each pair's logits less their mean). The second largest logit is the "
                "same on {runner} of the pairs. When the same circuits are removed from both, {shares} of them, it explains {after} of "
                "the variance of what is left: means of three random draws, in which circuits that read $x$ and $y$ through the same "
                "forms go together.",
                fve=share(e["logit_fve"]),
                runner=portion(e["runner_up_agree"]),
                shares=listed((name.replace("%", " %") for name, _ in by_share), "or"),
                after=listed(share(value) for _, value in by_share),
            )
        )
    ]
    blocks += _prices(source)
    if s["gcr"]["logit_fve"] is not None:
        blocks.append(
            Paragraph(
                say(
                    "For comparison: the description by irreducible representations (Chughtai et al.) makes the logit of $z$ a sum "
                    "$Σ_k w_k χ_k(xyz⁻¹)$ of characters. With the best {n} $w_k$ it explains {fve} of the same variance. "
                    "It has fewer numbers, and describes the logits, not the neurons.",
                    n=plural(len(s["gcr"]["irreps"]), "weight"),
                    fve=share(s["gcr"]["logit_fve"]),
                )
            )
        )
    return blocks


def _prices(source: Source) -> list[Block]:
    """What programs of other prices explain, in a sentence."""
    names = {"provable": "the provable program of Theorem 3", "faithful": "the faithful program, made to keep more of the logits,"}
    said = [
        f"{names[point['name']]} costs {share(point['ratio'])} and explains {share(point['logit_fve'])}, after removals "
        f"{share(point['ablation_fve'])}"
        for point in source.s["curve"]
        if point["name"] in names
    ]
    own = next(point for point in source.s["curve"] if point["name"] == "readable")
    if not said:
        return []
    return [
        Paragraph(
            say(
                "The program's price is {ratio} (its integers over the network's parameters), and it explains {after} after removals "
                "on average; {others}. The appendix on circuits has all prices, and other ways to change network and program alike.",
                ratio=share(own["ratio"]),
                after=share(own["ablation_fve"]),
                others="; ".join(said),
            )
        )
    ]
