"""Section 2 of a report: the network, the group, cosets and points, the program, and every subgroup that is named."""

import re

from reports.blocks import Block, Display, Environment, Heading, Line, Paragraph, joined, say, table
from reports.circuits import ReportedCircuit
from reports.numbers import count, plural, power_of_two, share
from reports.source import Source, listed

#: how each form makes a function of a list t: in the table of forms
FORMS = {
    "right cosets": ("right cosets of H", "f(g) = t[Hg]", "one for each right coset"),
    "left cosets": ("left cosets of H", "f(g) = t[gH]", "one for each left coset"),
    "double cosets": ("double cosets of H and K", "f(g) = t[HgK]", "one for each double coset"),
    "coset sum": ("coset sum of H and K", "f(g) = t[Hg] + t′[gK]", "one for each right coset of H and left coset of K"),
    "coset matrix": ("coset matrix of H", "f(g) = Σ_p t[p, pg]", "one for each pair of points"),
    "images": ("images", "f(g) = Σ_p a[p] t[pg]", "one for each point"),
    "preimages": ("preimages", "f(g) = Σ_p t[p] d[pg]", "one for each point"),
    "rank": ("rank r", "f(g) = Σ_s Σ_p α_s[p] β_s[pg]", "two for each point and each s up to r"),
    "shared": ("shared", "f(g) = s Σ_p t[p] d[pg]", "s alone: t is the list with which the neuron reads x"),
    "elements": ("elements", "f(g) = t[g]", "one for each element"),
}
POINTS_DEFINED = ("coset matrix", "images", "preimages", "rank", "shared")
MOST_SUBGROUPS = 28
MOST_CLASSES = 12
TOLD = 3  # circuits that are told in words
LEAST_ENERGY = 0.01  # a family with a smaller share is not told in words


def definitions(source: Source) -> list[Block]:
    """The section."""
    blocks: list[Block] = [Heading(2, say("Definitions"), "definitions")]
    looks = any(form["subgroups"] for form in source.forms())
    blocks += [_group(source), _network(source), *([_cosets(source)] if looks else []), _program(source, 4 if looks else 3)]
    named = named_subgroups(source)
    if rows := class_rows(source, named)[:MOST_CLASSES]:
        caption = say(
            "The subgroups {which}, a row for each class of conjugates."
            + name_words(named)
            + " Generators of each stand in the appendix "
            "on circuits.",
            which="of the program" if len(named) == len(source.program["subgroups"]) else "named below",
        )
        head = ["subgroups", "order", "generators of the first", "what a right coset tells"]
        blocks.append(table(head, rows, "lrll", caption, name="subgroups"))
    return blocks


def _group(source: Source) -> Environment:
    group, degree = source.c["group"], source.c["group"]["degree"]
    return Environment(
        "Definition",
        (
            Paragraph(
                say(
                    "$G$ = {name} is the group of {order} of the points 1 to {degree} that {generators} generate. "
                    "Permutations are written in cycles, and a product $xy$ applies $x$ first: $(xy)(i) = y(x(i))$. "
                    "Elements are numbered from 0 in the order of their lists of images; element 0 is the identity ().",
                    name=group["name"],
                    order=plural(group["order"], "permutation"),
                    degree=degree,
                    generators=listed(group["generators"]),
                )
            ),
        ),
        1,
        say("group"),
    )


def bias_words(source: Source) -> str:
    """Whether b counts as parameters: it does where it is not 0."""
    width, order = source.c["checkpoint"]["width"], source.order
    return " (b is 0 and not counted)" if source.c["checkpoint"]["parameters"] == 3 * width * order else ", b among them"


def dead_words(source: Source) -> str:
    """How many neurons do nothing, where there are any."""
    dead = source.c["checkpoint"]["width"] - source.s["network"]["live"]
    if not dead:
        return ""
    verb = "is" if dead == 1 else "are"
    return f" {plural(dead, 'neuron')} {verb} *dead*: never positive, or with one vote for all outputs.".replace("*", "")


NUMBERINGS = {
    "lexicographic": "in the order above",
    "even-first": "with the even permutations first",
    "sympy": "as SymPy lists them",
    "table": "in no published way; the numbering was read off the network's own answers",
}


def convention(source: Source) -> Line:
    """How the file's own numbering and product are read, in a sentence."""
    checkpoint = source.c["checkpoint"]
    numbering = NUMBERINGS.get(checkpoint["order"], f"in the order “{checkpoint['order']}”")
    turned = (
        " In the file's own terms the second input acts first, and the product is $yx$. Here the two inputs are exchanged, "
        "so that all statements are about $xy$."
        if checkpoint["product"] == "right-first"
        else ""
    )
    return say("The file numbers the elements {how}." + turned, how=numbering)


def _network(source: Source) -> Environment:
    c = source.c
    return Environment(
        "Definition",
        (
            Paragraph(
                say(
                    "The network has {width}. Neuron $i$ has two functions $L_i$ and $R_i$ on $G$, and a vote $U_i(z)$ "
                    "for each $z$ in $G$; {fired}the network's outputs, its *logits*, are",
                    fired=() if source.squares else say("with $relu(t) = max(t, 0)$, "),
                    width=plural(c["checkpoint"]["width"], "neuron"),
                )
            ),
            Display(f"logit(x, y)[z] = b(z) + Σ_i {source.fired('L_i(x) + R_i(y)')} U_i(z)."),
            Paragraph(
                joined(
                    [
                        say(
                            "These are {parameters} numbers, its *parameters*{bias}, as they follow exactly from the layers in the "
                            "file with SHA-256 `{sha}` ({format}).{dead}",
                            sha=c["checkpoint"]["sha256"],
                            format=c["checkpoint"]["format"],
                            parameters=count(c["checkpoint"]["parameters"]),
                            bias=bias_words(source),
                            dead=dead_words(source),
                        ),
                        convention(source),
                        say(
                            "The network's *answer* at $(x, y)$ is the $z$ with the largest logit; where two are largest it "
                            "has none, "
                            "a *tie*. It is *right* at $(x, y)$ when the answer is $xy$. The *margin* at $(x, y)$ is the logit "
                            "of $xy$ "
                            "less the largest of the others."
                        ),
                    ]
                )
            ),
        ),
        2,
        say("network"),
    )


def _cosets(source: Source) -> Environment:
    conjugates = any(source.words.looks(name) is None and source.words.conjugates(name) for name in named_subgroups(source))
    lines = [
        say(
            "For subgroups $H$ and $K$ of $G$, a *right coset* of $H$ is a set $Hx = {{hx : h ∈ H}}$, a *left coset* of $K$ a "
            "set $yK$, "
            "a *double coset* a set $HzK$. $G$ permutes the right cosets of $H$, the *points* of $H$: $x$ moves $Hg$ to $Hgx$. "
            "“$x$ sends $i$ to $j$” is $x(i) = j$; the permutations that send $i$ to one place are a right coset of the "
            "*stabiliser* of $i$, the subgroup that fixes $i$, and those that send one point to $i$ a left coset of it."
        )
    ]
    if conjugates:
        lines.append(
            say(
                "“$x$ moves $H$ to $K$” is $x⁻¹Hx = K$. Where this is said of a subgroup $H$, $x⁻¹Hx = H$ holds for the elements "
                "of $H$ alone; "
                "then the points of $H$ are told apart by its conjugates: $Hx$ is the set of elements that move $H$ to $x⁻¹Hx$."
            )
        )
    return Environment("Definition", (Paragraph(joined(lines)),), 3, say("cosets and points"))


def _program(source: Source, number: int) -> Environment:
    used = list(dict.fromkeys(form["on"] for form in source.forms()))
    rows = [
        [say("{name}", name=FORMS[on][0]), say("$" + FORMS[on][1].replace("{", "{{").replace("}", "}}") + "$"), say(FORMS[on][2])]
        for on in FORMS
        if on in used
    ]
    blocks: list[Block] = [
        Paragraph(
            say(
                "A *coset-voting program* computes, with functions $l_i$, $r_i$ and $u_i$ in place of $L_i$, $R_i$ and $U_i$, "
                "the *votes*"
            )
        ),
        Display(f"votes(x, y)[z] = b′(z) + Σ_i {source.fired('l_i(x) + r_i(y)')} u_i(z),"),
        Paragraph(
            say(
                "and answers the $z$ with most votes, or a tie. Each of these functions is given by a list $t$ of integers through "
                "a *form*" + (" (or is a sum of several such):" if "sum" in used else ":")
            )
        ),
    ]
    if rows:
        blocks.append(table(["form", "function", "integers in the list"], rows, "lll"))
    blocks.append(Paragraph(joined(_notes(source))))
    return Environment("Definition", tuple(blocks), number, say("program"))


def _notes(source: Source) -> list[Line]:
    """What the table of forms leaves to be said, and how large the program is."""
    program = source.program
    notes = []
    weighted = any(form["on"] in ("images", "preimages", "shared") for form in source.forms())
    if any(form["on"] in POINTS_DEFINED for form in source.forms()):
        notes.append(
            say(
                "There $p$ runs over the points of $H$ and $pg$ is the point that $g$ moves $p$ to{weights}.",
                weights="; a and d are small integers that belong to the form" if weighted else "",
            )
        )
    if any(kernel is not None for form in source.forms() for kernel in form["kernels"]):
        notes.append(
            say(
                "A *twisted* form is one “times a sign”: $f(hg) = χ(h) f(g)$ for $h ∈ H$ (on left cosets $f(gh)$), where $χ$ is a "
                "homomorphism of $H$ to 1 and −1; its list gives $f$ at the least element of each coset, and may add a constant."
            )
        )
    notes.append(
        say(
            "Neurons with the same three forms are a *circuit*; circuits whose subgroups are conjugate are a *family*, which "
            "has the name of its subgroups{more}. The program, `program.json`, has {circuits}, {neurons} and {constants} "
            "({ratio} of the number of the network's parameters), those of votes in units of 1/{v}, the others of 1/{p}. "
            "`program.py` runs it.",
            more=_more_names(source),
            circuits=plural(len(program["circuits"]), "circuit"),
            neurons=plural(sum(len(circuit.neurons) for circuit in source.circuits), "neuron"),
            constants=plural(source.s["program"]["constants"], "integer"),
            ratio=share(source.s["program"]["ratio"]),
            v=power_of_two(program["vote_bits"]),
            p=power_of_two(program["preactivation_bits"] + program.get("scale_bits", 0)),
        )
    )
    return notes


#: words in names of families, and what they say
NAMES = (
    (r"^sign\b", "“sign” where both inputs are read for parity alone"),
    (r" / ", "“H / K” where x is read through a subgroup of one class and y through one of another"),
    (r"\bdual\b", "“dual” where x is read through left and y through right cosets"),
    (r"\btwisted\b", "“twisted” where a form is"),
    (r"\bwith a sign\b", "“with a sign” where a form is twisted"),
    (r"^rank", "“rank” where a form adds up over several points"),
    (r"\braw\b", "“raw” where a function is a list of all elements"),
)


def _more_names(source: Source) -> str:
    names = [family["name"] for family in source.s["families"]]
    said = [words for pattern, words in NAMES if any(re.search(pattern, name) for name in names)]
    return f" ({', '.join(said)})" if said else ""


def told(source: Source) -> list[ReportedCircuit]:
    """The circuits whose tables are shown: one of each of the largest families."""
    order = [table["circuit"] for table in source.s["vote_tables"]]
    energy = {family["name"]: family["energy_share"] for family in source.s["families"]}
    found = {circuit.number: circuit for circuit in source.circuits if circuit.table is not None}
    shown = [found[number] for number in order if number in found]
    return [circuit for k, circuit in enumerate(shown) if not k or energy.get(circuit.family, 0) >= LEAST_ENERGY][:TOLD]


def named_subgroups(source: Source) -> list[str]:
    """The subgroups that are written out in the main text: all, or of many those of the circuits that are told, and conjugates."""
    known = {record["name"]: record for record in source.program["subgroups"]}
    if len(known) <= MOST_SUBGROUPS:
        return sorted(known, key=lambda name: (known[name]["order"], name))
    named: dict[str, None] = {}
    for circuit in told(source):
        for form in (circuit.left, circuit.right, circuit.votes):
            for name in (*form.names, *(kernel for kernel in form.kernels if kernel)):
                named[name] = None
                for conjugate in (source.words.conjugates(name) or {}).values() if source.words.looks(name) is None else ():
                    named[conjugate] = None
    return sorted(named, key=lambda name: (known[name]["order"], name))


#: what names of subgroups are made of, and what that means
NAME_WORDS = (
    (r"S\d", "S3 and so on are symmetric groups"),
    (r"A\d", "A4 and so on alternating groups"),
    (r"C\d", "C2 and so on cyclic groups"),
    (r"D\d", "D10 and so on dihedral groups with that many elements"),
    (r"F20", "F20 is the Frobenius group of 20 elements"),
    (r"K4", "K4 is the four-group"),
    (r"wr", "wr is a wreath product"),
    (r"\[", "[6] and [3,2] are lengths of orbits"),
    (r"\+", "+ says that all permutations are even"),
    (r"#\d+$", "#4 is the fourth of the conjugates $x⁻¹Hx$ of a subgroup"),
)


def name_words(names: list[str]) -> str:
    """What the names of some subgroups are made of, in a sentence."""
    said = [words for pattern, words in NAME_WORDS if any(re.search(pattern, name) for name in names)]
    return f" In their names {'; '.join(said)}." if said else ""


def class_rows(source: Source, names: list[str]) -> list[list[str | Line]]:
    """A row for each class of conjugate subgroups: names, order, generators of the first, what its right cosets tell."""
    known = {record["name"]: record for record in source.program["subgroups"]}
    classes: dict[object, list[str]] = {}
    for name in names:
        classes.setdefault(source.words.class_of(name), []).append(name)
    return [
        [
            short_list(members),
            count(known[members[0]]["order"]),
            ", ".join(known[members[0]]["generators"]),
            source.words.reads("right cosets", (members[0],), "x"),
        ]
        for members in classes.values()
    ]


def short_list(names: list[str]) -> str:
    """Names that begin alike, the beginning said once: "F20#1, #2, #4", "S4 fixing 1, 2, 3"."""
    head = re.match(r"(.* fixing |[^#]*(?=#))", names[0])
    if head is None or not all(name.startswith(head[0]) for name in names):
        return ", ".join(names)
    return ", ".join([names[0], *(name.removeprefix(head[0]) for name in names[1:])])


def subgroup_rows(source: Source, names: list[str]) -> list[list[str | Line]]:
    """A row for each subgroup: name, order, generators, and what its right cosets tell."""
    known = {record["name"]: record for record in source.program["subgroups"]}
    return [
        [name, count(known[name]["order"]), ", ".join(known[name]["generators"]), source.words.reads("right cosets", (name,), "x")]
        for name in names
    ]
