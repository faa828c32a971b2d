"""Section 3 of a report: four theorems with their proofs, where they stand in the certificate and what the checker redoes."""

from typing import Any

from reports.blocks import Block, Display, Environment, Heading, Line, Paragraph, joined, say, table
from reports.numbers import count, power, power_of_two, ratio_of, rational, rounded, sentence, share
from reports.program_text import constants
from reports.source import Source, listed, plural

SHOWN_PAIRS = 12
PARITY = ("even", "odd")


def theorems(source: Source) -> list[Block]:
    """The section."""
    return [
        Heading(2, say("Theorems"), "theorems"),
        *_correct(source),
        *_equivalent(source),
        *_symbolic(source),
        *_compact(source),
    ]


def unproved(number: int, title: str, blocks: list[Block]) -> list[Block]:
    """A theorem that was not proved, said as such."""
    return [Paragraph(say("**Not proved ({number}, {title}).**", number=number, title=title)), *blocks]


# ---- Theorem 1


def _correct(source: Source) -> list[Block]:
    correct = source.c["correct"]
    if correct["status"] == "UNKNOWN":
        return unproved(1, "the network", [Paragraph(say("Not every pair was settled."))])
    statement = [_statement_of_correct(source)]
    if correct["min_margin"] is not None:
        x, y = correct["min_margin_pair"]
        statement.append(
            say(
                "The least margin at a pair where it is right is {margin} (rounded), at $x$ = {x}, $y$ = {y}.",
                margin=rational(correct["min_margin"]),
                x=source.words.element(x),
                y=source.words.element(y),
            )
        )
    if correct["float32_any_order"] is not None:
        statement.append(
            say(
                "At {n} of the pairs a forward pass in float32 (with denormal numbers, and no shorter format inside) gives the "
                "same answer in every "
                "order of summation, with or without fused multiply-add.",
                n=count(correct["float32_any_order"]),
            )
        )
    blocks: list[Block] = [Environment("Theorem", (Paragraph(joined(statement)),), 1, say("the network"))]
    exact = source.s["correct"]["rechecked_exactly"]
    blocks.append(
        Environment(
            "Proof",
            (
                Paragraph(
                    joined(
                        [
                            say(
                                "The numbers in the file are integers over a power of two. Scaled to short integers, all "
                                "logits are sums that "
                                "floating-point matrix products compute without rounding; a pair is decided when its margin "
                                "exceeds the bound "
                                "on what the scaling left out. That decided {most} pairs{rest}.",
                                most=f"all {source.pairs}" if not exact else f"all but {count(exact)} of the {source.pairs}",
                                rest="" if not exact else ", and the others were decided with long integers",
                            ),
                            say(
                                "The float32 statement follows where the margin exceeds twice the error bound for dot products "
                                "in any order "
                                "(Higham, section 3.1), underflow included."
                            )
                            if correct["float32_any_order"] is not None
                            else (),
                            say(
                                "*In the certificate:* `correct`. *The checker* decides every pair again{how}, and compares "
                                "the list of wrong "
                                "pairs, the least margin and the digest of the table of all answers.",
                                how=" in Python's integers, by the plan of Theorem 4 and by evaluation where that leaves a pair open"
                                if source.c["compact"] and source.c["compact"]["plan"]
                                else " in Python's integers",
                            ),
                        ]
                    )
                ),
            ),
        )
    )
    return blocks + _wrong(source)


def _statement_of_correct(source: Source) -> Line:
    correct = source.c["correct"]
    if correct["status"] == "PROVED":
        return say("At every one of the {pairs} pairs $(x, y)$ of elements of $G$ the network is right.", pairs=source.pairs)
    ties = f" ({plural(correct['ties'], 'tie')} among them)" if correct["ties"] else ""
    return say(
        "The network is right at a pair $(x, y)$ if and only if it is not one of the {n} pairs of the list $W${ties}: it is "
        "right at {right} of "
        "{pairs}. $W$ begins below, and stands in full in the certificate.",
        n=count(len(correct["wrong"])),
        ties=ties,
        right=count(correct["right"]),
        pairs=source.pairs,
    )


def _wrong(source: Source) -> list[Block]:
    wrong = source.c["correct"]["wrong"]
    if not wrong:
        return []
    words = source.words
    rows = [[words.element(x), words.element(y), words.element(z), words.product(x, y)] for x, y, z in wrong[:SHOWN_PAIRS]]
    caption = say(
        "The list $W${part}.", part="" if len(wrong) <= SHOWN_PAIRS else f", its first {SHOWN_PAIRS} of {count(len(wrong))} pairs"
    )
    return [table(["$x$", "$y$", "the network's answer", "$xy$"], rows, "llll", caption)]


# ---- Theorem 2


def _equivalent(source: Source) -> list[Block]:
    equivalent = source.c["equivalent"]
    if equivalent["status"] == "UNKNOWN":
        return unproved(2, "the program", [Paragraph(say("Not every pair was settled."))])
    if equivalent["status"] == "PROVED":
        mistakes = ", mistakes and ties included" if source.c["correct"]["wrong"] else ""
        statement = say("At every one of the {pairs} pairs the program's answer is the network's" + mistakes + ".", pairs=source.pairs)
    else:
        statement = say(
            "The program's answer is the network's at {agree} of {pairs} pairs; the {n} others stand in the certificate.",
            agree=count(equivalent["agree"]),
            pairs=source.pairs,
            n=count(len(equivalent["differ"])),
        )
    extra = []
    if not source.explains:
        extra.append(say("This explains nothing: any network has such a program, at worst the network itself written out."))
    proof = joined(
        [
            say(
                "The program written out as a network is decided at every pair as in Theorem 1, and the two tables of answers "
                "have the same digest."
                if equivalent["status"] == "PROVED"
                else "The program written out as a network is decided at every pair as in Theorem 1, and the two tables are compared."
            ),
            say(
                "*In the certificate:* `program`, `equivalent`, and in `neurons` the exact largest differences between each "
                "neuron's $L$, $R$, $U$ and "
                "the program's $l$, $r$, $u$ (appendix on neurons). *The checker* expands the lists by their forms, evaluates "
                "and compares; it takes none "
                "of these numbers on trust."
            ),
        ]
    )
    blocks: list[Block] = [
        Environment("Theorem", (Paragraph(joined([statement, *extra])),), 2, say("the program")),
        Environment("Proof", (Paragraph(proof),)),
    ]
    if equivalent["differ"]:
        element = source.words.element
        rows = [[element(value) for value in row] for row in equivalent["differ"][:SHOWN_PAIRS]]
        caption = say("The pairs at which they differ, {n} of {all}.", n=len(rows), all=count(len(equivalent["differ"])))
        blocks.append(table(["$x$", "$y$", "the network's answer", "the program's answer"], rows, "llll", caption))
    return blocks


# ---- Theorem 3


def _about(source: Source) -> tuple[Any, Line]:
    """The program that Theorem 3 is about, and what it is where it is another one than that of Theorem 2."""
    provable = source.c["symbolic"]["provable"]
    if not provable:
        return source.program, ()
    program = provable["program"]
    point = next(point for point in source.s["curve"] if point["name"] == "provable")
    return program, say(
        "The bounds below do not add up for the program of Theorem 2, so this theorem is about another one, the *provable program* "
        "(`provable.json`, `provable.py`): {neurons} of the same neurons, reading $x$ and $y$ by the same lists, with votes "
        "chosen for lemmas to "
        "bound. It has {constants} integers, {ratio} of the number of the network's parameters, and explains {fve} of the variance "
        "of the network's logits "
        "(measured).",
        neurons=count(sum(len(circuit["neurons"]) for circuit in program["circuits"])),
        constants=count(constants(program)),
        ratio=share(point["ratio"]),
        fve=share(point["logit_fve"]),
    )


def _symbolic(source: Source) -> list[Block]:
    symbolic = source.c["symbolic"]
    title = say("the program, symbolically")
    if symbolic["status"] == "REFUTED" and symbolic["counterexample"]:
        x, y, z = map(source.words.element, symbolic["counterexample"])
        body = say(
            "The program is not right for all $x$ and $y$: at $x$ = {x}, $y$ = {y} it gives {z} at least as many votes as $xy$.",
            x=x,
            y=y,
            z=z,
        )
        return [
            Environment("Theorem", (Paragraph(body),), 3, title),
            Environment("Proof", (Paragraph(say("By evaluating it there.")),)),
        ]
    if symbolic["status"] != "PROVED" or not symbolic["proof"]:
        reason = sentence(rounded(source.s["symbolic"]["reason"])) or "No proof was found."
        return unproved(3, "the program, symbolically", [Paragraph(say("{reason}", reason=reason))])
    program, about = _about(source)
    proof, order = symbolic["proof"], source.order
    which = "the provable program" if symbolic["provable"] else "the program"
    unit = 2 ** (program["preactivation_bits"] + program.get("scale_bits", 0) + program["vote_bits"])
    if not proof["cases"]:
        alone = Paragraph(say("For all $x$, $y$ in $G$ and all $z ≠ xy$ the program gives $xy$ more votes than $z$."))
        why = Paragraph(say("$G$ has one element, so there is no such $z$."))
        return [Environment("Theorem", (alone,), 3, title), Environment("Proof", (why,))]
    least = min(case["least"] for case in proof["cases"])
    statement = say(
        "For all $x$, $y$ in $G$ and all $z ≠ xy$, {which} gives $xy$ at least {least} votes more than $z$.",
        which=which,
        least=rational(f"{least}/{unit}"),
    )
    families = list(proof["families"])
    names = [program["subgroups"][family["subgroup"]]["name"] for family in families]
    sizes = [order // program["subgroups"][family["subgroup"]]["order"] for family in families]
    described = listed(
        f"{plural(len(family['members']), 'circuit')} over the {size} points of {name}{' (mirrored)' if family['mirrored'] else ''}"
        for family, size, name in zip(families, sizes, names, strict=True)
    )
    others = []
    if proof["signs"]:
        others.append(f"{plural(len(proof['signs']), 'circuit')} that read parities alone")
    if proof["rest"]:
        others.append(f"{plural(len(proof['rest']), 'circuit')} that can prefer no output to another by more than a stated number")
    odd = any(case["x"] or case["y"] or case["s"] for case in proof["cases"])
    half = order // 2 if odd else order
    entries = sum(size**3 * half for size in sizes)
    batches = max(len(case["batches"]) for case in proof["cases"])
    mirrored = any(family["mirrored"] for family in families)
    lam = any(duals["lam"] for case in proof["cases"] for batch in case["batches"] for duals in batch["duals"])
    ties = any(batch["ties"] for case in proof["cases"] for batch in case["batches"])
    more = (" + Σ_q λ[j, q, qy]" if lam else "") + (" + φ[…]" if ties else "")
    blocks: list[Block] = [
        Paragraph(
            say(
                "Let $z = xsy$; then $z ≠ xy$ means $s ≠ 1$."
                + (
                    " Fix the parities of $x$, $y$ and $s$: {cases} cases."
                    if odd
                    else " There is one case, as there are no odd permutations."
                )
                + " The program's circuits are divided into {families}: {described}{others}. In a family each circuit has a "
                "point $p$, reads $x$ only "
                "through the point $j$ that $x$ moves $p$ to, and votes on $z$ only through the point that $z$ moves $p$ to"
                + (" (all up to signs, which the parities settle)." if odd else ".")
                + (" A mirrored family is one for $y⁻¹$, $x⁻¹$, $s⁻¹$ in place of $x$, $y$, $s$." if mirrored else "")
                + " As $xy$ moves $p$ to $jy$ and $xsy$ moves it to $(js)y$, the family's part of the difference of votes is "
                "a sum over all points $j$ of terms $T(j, js, p_j, y)$, where $p_j$ is the point that $x$ moves to $j$: "
                "$T$ adds up, over the neurons of the circuits at $p_j$, the response times the vote at $jy$ less the vote at "
                "$(js)y$, "
                "and the same difference of the family's part of the bias. Each term depends on $s$ through the one point $js$.",
                cases=len(proof["cases"]),
                families="one family" if len(families) == 1 else f"{len(families)} families",
                described=described,
                others="; besides there are " + listed(others) if others else "",
            )
        ),
        Environment(
            "Lemma",
            (
                Paragraph(say("For each family and case, all points $j$, $j′$ and $p$ of its space and all $y$ in the case,")),
                Display(f"T(j, j′, p, y) + μ[p]{more} ≥ β[j, j′],"),
                Paragraph(
                    say(
                        "where the integers $μ$"
                        + (", $λ$ (with sum 0 over $j$)" if lam else "")
                        + (", $φ$ (which a family and a mirrored one use with opposite signs)" if ties else "")
                        + " are in the certificate and $β$ is the least value of the left side."
                    )
                ),
            ),
            1,
        ),
        Paragraph(
            say(
                "The lemma is a minimum over finitely many integers, {entries} of them in each case, and was computed. "
                "Since $x$ permutes the points, $p_j$ runs over all points once; adding the lemma up over $j$, the family's "
                "part is at least "
                "the sum of $β[j, js]$ over $j$ less the sum of all $μ[p]$"
                + (" (the sums of $λ$ vanish" + (", those of $φ$ cancel" if ties else "") + ")" if lam or ties else "")
                + ". So in each case the difference of votes is at least the sum of these bounds and of constants: what "
                "circuits on parities give, "
                "and the least that the bias can add. That sum depends on $s$ alone; its least value over all $s ≠ 1$ of the "
                "case is in the table, in units of "
                "1/{unit} vote. All are above 0.{batches}",
                entries=count(entries),
                unit=power_of_two(unit.bit_length() - 1),
                batches=f" (Where one choice of these integers does not serve all s, up to {batches} are used, each s with its best.)"
                if batches > 1
                else "",
            )
        ),
    ]
    rows = [
        [PARITY[case["x"]], PARITY[case["y"]], PARITY[case["s"]], count(case["signs"]), count(case["least"])] for case in proof["cases"]
    ]
    blocks.append(table(["$x$", "$y$", "$s$", "from parities", "least sum"], rows, "lllrr"))
    blocks.append(
        Paragraph(
            say(
                "*In the certificate:* `symbolic`. *The checker* expands the program, checks that each circuit looks at "
                "nothing but its points, and "
                "computes every minimum and every sum again. No solver and no time limit decides. {opinions}",
                opinions=opinions(source),
            )
        )
    )
    found: list[Block] = [Environment("Theorem", (Paragraph(joined([statement, about])),), 3, title)]
    return [*found, Environment("Proof", tuple(blocks))]


def opinions(source: Source) -> str:
    """What SMT solvers say about the lemmas' files."""
    lemmas = source.s["symbolic"]["obligations"]
    solvers = sorted({name for one in lemmas for name in one["opinions"]})
    asked = {name for name in solvers if any(one["opinions"].get(name, {}).get("word") == "agrees" for one in lemmas)}
    said = [
        f"{name} agrees on {count(sum(one['opinions'].get(name, {}).get('word') == 'agrees' for one in lemmas))} of "
        f"{count(len(lemmas))}"
        for name in sorted(asked)
    ]
    return f"As a second opinion (measured), the lemmas' negations were given to SMT solvers: {listed(said)}." if said else ""


# ---- Theorem 4


def _compact(source: Source) -> list[Block]:
    compact = source.c["compact"]
    if not compact or not compact["plan"]:
        reason = "No compact proof was attempted in this run."
        if compact:
            reason = (
                sentence(source.s["compact"]["reason"] if source.s["compact"] else "")
                or "No plan was found that is cheaper than evaluation."
            )
        return unproved(4, "fewer operations", [Paragraph(say("{reason}", reason=reason))])
    plan, width = compact["plan"], source.c["checkpoint"]["width"]
    side, other = ("x", "y") if plan["side"] == "left" else ("y", "x")
    cells = sum(len(family["levels"][0]) for family in plan["families"] if family["levels"])
    inside = sum(len(family["neurons"]) for family in plan["families"])
    statement = say(
        "For {certified} pairs the inequality below, with the true logits of those $z$ for which it fails, at most half of them, "
        "proves that the network is right, and with it all pairs are settled in at most "
        "{flops} operations, {ratio} of the {brute} of evaluating every pair ($2 m n³$ for $m$ neurons and $n$ elements).",
        certified=f"all {source.pairs}"
        if compact["certified"] == source.c["correct"]["pairs"]
        else f"at least {count(compact['certified'])} of the {source.pairs}",
        flops=power(compact["flops"]),
        ratio=ratio_of(compact["flops"], compact["flops_brute"]),
        brute=power(compact["flops_brute"]),
    )
    read = f"L_i({side})" if side == "x" else f"R_i({side})"
    blocks: list[Block] = [
        Paragraph(
            say(
                "Divide $G$ into cells for each neuron $i$, and let $f_i(x, y)$ be its response with $"
                + read
                + "$ replaced by one number for the cell of ${side}$; $h_i(x, y)$ is its true response, and $V_i = U_i − c_i$ "
                "its votes less a constant, "
                "$|V_i(z)| ≤ s_i$. Taking $c_i$ off all votes of a neuron changes no difference of logits. Then for every $z$",
                side=side,
            )
        ),
        Display("logit(x, y)[z] ≤ b(z) + Σ_i f_i(x, y) V_i(z) + Σ_i |h_i(x, y) − f_i(x, y)| s_i,"),
        Paragraph(
            say(
                "since $h_i V_i(z) ≤ f_i V_i(z) + |h_i − f_i| s_i$. Where the true logit of $xy$ exceeds the right side for "
                "all $z ≠ xy$, the network is "
                "right. The first sum depends on ${side}$ only through its cells, so it is a sum of tables: for each ${other}$ "
                "one row for each cell. This "
                "network's plan has {families} ({cells} cells in all) for {inside} of {width} neurons{left}; where the "
                "inequality fails for some $z$, at most half of all, their true logits are computed and compared; where it fails for "
                "more, the pair is evaluated. Both are counted as operations.",
                side=side,
                other=other,
                families=plural(len(plan["families"]), "table"),
                cells=count(cells),
                inside=count(inside),
                width=count(width),
                left=""
                if inside == width
                else f" (the other {count(width - inside)} count with all they can do, $f_i$ = 0)".replace("$", ""),
            )
        ),
        Paragraph(
            say(
                "*In the certificate:* `compact`, with the cells and their numbers. *The checker* runs this very proof, in "
                "integers: it is how it decides "
                "Theorem 1. A bad plan proves less, and nothing false. The plan stands in the appendix on circuits."
            )
        ),
    ]
    return [Environment("Theorem", (Paragraph(statement),), 4, say("fewer operations")), Environment("Proof", tuple(blocks))]
