"""Section 3 of a report: four theorems with their proofs, where they stand in the certificate and what the checker redoes."""

import re
from collections import Counter

from reports.blocks import Block, Display, Environment, Heading, Line, Paragraph, joined, say, table
from reports.numbers import at_least, count, logit_bits, plural, power_of_two, ratio_of, rational, sentence, share
from reports.program_text import constants
from reports.records import Record
from reports.source import Source, listed

SHOWN_PAIRS = 5
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


def unproved(number: int, title: str, why: Line) -> list[Block]:
    """A theorem that was not proved, said as such."""
    return [Paragraph(joined([say("**Not proved ({number}, {title}).**", number=number, title=title), why]))]


# ---- Theorem 1


def _correct(source: Source) -> list[Block]:
    correct = source.c["correct"]
    if correct["status"] == "UNKNOWN":
        return unproved(1, "the network", say("Not every pair was settled."))
    statement = [_statement_of_correct(source)]
    if correct["min_margin"] is not None:
        x, y = correct["min_margin_pair"]
        where = "" if correct["status"] == "PROVED" else " at a pair where it is right"
        statement.append(
            say(
                "The least margin" + where + " is {margin} (rounded), at $x$ = {x}, $y$ = {y}.",
                margin=rational(correct["min_margin"]),
                x=source.words.element(x),
                y=source.words.element(y),
            )
        )
    if correct["float32_any_order"] is not None:
        statement.append(
            say(
                "At {n} a forward pass in float32 (with subnormal numbers, and no shorter format inside) gives the "
                "same answer in every order of summation, with or without fused multiply-add.",
                n=source.some_pairs(correct["float32_any_order"]),
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
                                "All parameters are integers over a power of two. Matrix products of rounded numbers give the "
                                "differences of logits up to a bound on what all rounding can do, in any order of summation; a "
                                "pair is decided when its margin exceeds that bound. That decided {most}{rest}.",
                                most=source.some_pairs(correct["pairs"] - exact),
                                rest="" if not exact else ", and long integers the rest",
                            ),
                            say(
                                "The statement on float32 holds where the margin exceeds twice the error bound for dot products "
                                "in any order (Higham, section 3.1), underflow included."
                            )
                            if correct["float32_any_order"] is not None
                            else (),
                            say(
                                "*In the certificate:* `correct`. *The checker* decides every pair again{how}, and compares "
                                "the wrong pairs, the least margin and the digest of the table of all answers.",
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
        return say("At {pairs} $(x, y)$ of elements of $G$ the network is right.", pairs=source.all_pairs)
    wrong = len(correct["wrong"])
    if wrong == 1:
        return say(
            "The network is right at a pair $(x, y)$ if and only if it is not the one below{ties}: it is right at {right} of {pairs}.",
            ties=", a tie" if correct["ties"] else "",
            right=count(correct["right"]),
            pairs=source.pairs,
        )
    ties = f" ({plural(correct['ties'], 'tie')} among them)" if correct["ties"] else ""
    return say(
        "The network is right at a pair $(x, y)$ if and only if it is not one of the {n} pairs of the list $W${ties}: it is "
        "right at {right} of {pairs}. $W$ {stands}.",
        stands="begins below, and stands in full in the certificate" if wrong > SHOWN_PAIRS else "stands below",
        n=count(wrong),
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
        "The wrong pair." if len(wrong) == 1 else "The list $W${part}.",
        part="" if len(wrong) <= SHOWN_PAIRS else f", its first {SHOWN_PAIRS} of {count(len(wrong))} pairs",
    )
    return [table(["$x$", "$y$", "the network's answer", "$xy$"], rows, "llll", caption)]


# ---- Theorem 2


def _equivalent(source: Source) -> list[Block]:
    equivalent = source.c["equivalent"]
    if equivalent["status"] == "UNKNOWN":
        return unproved(2, "the program", say("Not every pair was settled."))
    if equivalent["status"] == "PROVED":
        mistakes = ""
        if source.c["correct"]["wrong"]:
            mistakes = ", mistakes and ties included" if source.c["correct"]["ties"] else ", mistakes included"
        statement = say("At {pairs} the program's answer is the network's" + mistakes + ".", pairs=source.all_pairs)
    else:
        statement = say(
            "The program's answer is the network's at {agree} of {pairs} pairs; {others} in the certificate.",
            agree=count(equivalent["agree"]),
            pairs=source.pairs,
            others="the other stands" if len(equivalent["differ"]) == 1 else f"the {count(len(equivalent['differ']))} others stand",
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


def _about(source: Source) -> tuple[Record, Line]:
    """The program that Theorem 3 is about, and what it is where it is another one than that of Theorem 2."""
    provable = source.c["symbolic"]["provable"]
    if not provable:
        return source.program, ()
    program = provable["program"]
    times = Counter(neuron["index"] for circuit in program["circuits"] for neuron in circuit["neurons"])
    parts = sum(often > 1 for often in times.values())
    point = next(point for point in source.s["curve"] if point["name"] == "provable")
    return program, say(
        "This is not the program of Theorem 2 as it is written there, which the bounds below do not fit, but the *provable program* "
        "(`provable.json`, `provable.py`). It is made of {neurons} of the same neurons{divided}. Each reads one input through a single "
        "point, by the list that is nearest to what it reads there, and the other as before, and has votes that lemmas can bound. "
        "It has {constants}, {ratio} of the number of the network's parameters, and explains "
        "{fve} of the variance of the network's logits (measured).",
        neurons=count(len(times)),
        divided=say(", {n} of them in two or more parts", n=count(parts)) if parts else "",
        constants=plural(constants(program), "integer"),
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
        missing = say(
            "With $z = xsy$, the lower bounds that the lemmas give on the difference of votes do not add up to more than 0 for every "
            "$s ≠ 1$. That is a limit of the lemmas, and says nothing against the program, which Theorem 2 compares on every pair. "
            "What is missing stands in the appendix on circuits, under “Lemmas”."
            if source.s["symbolic"]["reason"]
            else "No proof was found."
        )
        return unproved(3, "the program, symbolically", missing)
    program, about = _about(source)
    proof, order = symbolic["proof"], source.order
    which = "the provable program" if symbolic["provable"] else "the program"
    unit = 2 ** logit_bits(program)
    if not proof["cases"]:
        alone = Paragraph(say("For all $x$, $y$ in $G$ and all $z ≠ xy$ the program gives $xy$ more votes than $z$."))
        why = Paragraph(say("$G$ has one element, so there is no such $z$."))
        return [Environment("Theorem", (alone,), 3, title), Environment("Proof", (why,))]
    worst = min(proof["cases"], key=lambda case: case["least"])
    least = worst["least"]
    statement = say(
        "For all $x$, $y$ in $G$ and all $z ≠ xy$, {which} gives $xy$ at least {least} more than $z$.",
        which=which,
        least=f"{at_least(least, unit)} {'vote' if least == unit else 'votes'}",
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
                    " Fix the parities of $x$, $y$ and $s$: {cases}."
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
                cases=plural(len(proof["cases"]), "case"),
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
                + ". So in each case the difference of votes is at least the sum of these bounds and of constants{constants}. That sum "
                "depends on $s$ alone. Its least value "
                "over all $s ≠ 1$ and all cases is {least} in units of 1/{unit} vote{where}, which is above 0.{batches}{lines}",
                entries=count(entries),
                constants=": " + listed(_constants(proof)),
                least=count(least),
                where=f" ({_parities(worst)}; the other cases stand in the appendix on circuits, under “Lemmas”)" if odd else "",
                unit=power_of_two(unit.bit_length() - 1),
                batches=f" (Where one choice of these integers does not serve all s, up to {batches} are used, each s with its best.)"
                if batches > 1
                else "",
                lines=" (Where no such integers serve all y of a case at once, each y"
                + (", or rather each x⁻¹," if mirrored else "")
                + " has its own μ: then β is the least value over p alone, and the sum depends on s and on it.)"
                if any(case.get("lines") for case in proof["cases"])
                else "",
            )
        ),
    ]
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


def _constants(proof: Record) -> list[str]:
    """What is added to the families' bounds."""
    signs, rest = proof["signs"], proof["rest"]
    said = ["what circuits on parities give"] * bool(signs) + ["the least that the circuits of no family can"] * bool(rest)
    return [*said, "the least that the bias can add"]


def _parities(case: Record) -> str:
    """A case in words."""
    return ", ".join(f"{name} {PARITY[case[name]]}" for name in ("x", "y", "s"))


def opinions(source: Source) -> str:
    """What SMT solvers say about the files of this theorem's steps."""
    lemmas = [one for one in source.s["symbolic"]["obligations"] if lemma_kind(one) == "O1"]
    heard: dict[str, Counter[str]] = {}
    for one in lemmas:
        for name, opinion in one["opinions"].items():
            heard.setdefault(name, Counter())[opinion["word"]] += 1
    said = []
    for name, words in sorted(heard.items()):
        rest = [f"{word}: {count(number)}" for word, number in sorted(words.items()) if word != "agrees"]
        if words["agrees"]:
            said.append(f"{name} agrees on {count(words['agrees'])} of {count(len(lemmas))}{f' ({listed(rest)})' if rest else ''}")
    return f"As a second opinion (measured), SMT solvers were asked about the files of these steps: {listed(said)}." if said else ""


def lemma_kind(lemma: Record) -> str:
    """O1, O2 or O3: the leading letters and digits of its name."""
    return re.split(r"[^A-Za-z0-9]", lemma["id"])[0]


# ---- Theorem 4


def _compact(source: Source) -> list[Block]:
    compact = source.c["compact"]
    if not compact or not compact["plan"]:
        reason = "No compact proof was attempted in this run."
        if source.squares:
            reason = "No compact proof was attempted: its bounds rest on relu, and the neurons of this network square what they read."
        if compact:
            reason = (
                sentence(source.s["compact"]["reason"] if source.s["compact"] else "")
                or "No plan was found that is cheaper than evaluation."
            )
        return unproved(4, "the network, through cells", say("{reason}", reason=reason))
    plan, width = compact["plan"], source.c["checkpoint"]["width"]
    side, other = ("x", "y") if plan["side"] == "left" else ("y", "x")
    cells = sum(len(family["levels"][0]) for family in plan["families"] if family["levels"])
    inside = sum(len(family["neurons"]) for family in plan["families"])
    statement = say(
        "The network is proved right at {certified} by the inequality below, with the true logits of those $z$ for which it "
        "fails. So all pairs are decided with at most {flops} operations (additions, multiplications, comparisons), {ratio} the "
        "{brute} of evaluating every pair, $2 m n³$ for $m$ neurons and $n$ elements.",
        certified=source.some_pairs(compact["certified"]),
        flops=count(compact["flops"]),
        ratio=ratio_of(compact["flops"], compact["flops_brute"]) + (" of" if compact["flops"] <= compact["flops_brute"] else ""),
        brute=count(compact["flops_brute"]),
    )
    read = f"L_i({side})" if side == "x" else f"R_i({side})"
    blocks: list[Block] = [
        Paragraph(
            say(
                "Divide $G$ into cells for each neuron $i$, and let $f_i(x, y)$ be its response with $"
                + read
                + "$ replaced by one number for the cell of ${side}$, and $h_i(x, y)$ its true response. Take off each neuron's votes "
                "the middle between the least and the largest: what is left, $V_i(z)$, is at most $s_i$ in size, and no "
                "difference of logits has changed. With these votes, for every $z$",
                side=side,
            )
        ),
        Display("logit(x, y)[z] ≤ b(z) + Σ_i f_i(x, y) V_i(z) + Σ_i |h_i(x, y) − f_i(x, y)| s_i,"),
        Paragraph(
            say(
                "since $h_i V_i(z) ≤ f_i V_i(z) + |h_i − f_i| s_i$. Where the true logit of $xy$ exceeds the right side for "
                "all $z ≠ xy$, the network is right. The first sum depends on ${side}$ only through its cells, so it is a sum of "
                "tables: for each ${other}$ one row for each cell. This network's plan has {families} with {cells} in all, "
                "for {inside}{left}. Where the right side is not below the logit of $xy$ for some $z$, at most half of all, "
                "the true logits of these are computed and compared; where for more, the pair is evaluated, and not counted as proved "
                "by the inequality. All this is counted.",
                side=side,
                other=other,
                families=plural(len(plan["families"]), "table"),
                cells=plural(cells, "cell"),
                inside=("its " if width == 1 else "all ") * (inside == width)
                + (plural(width, "neuron") if inside == width else f"{count(inside)} of the {plural(width, 'neuron')}"),
                left="" if inside == width else say("; $f_i$ is 0 for the others"),
            )
        ),
        Paragraph(
            say(
                "*In the certificate:* `compact`, with the cells and their numbers. *The checker* runs this very proof, in "
                "integers: it is how it decides Theorem 1. A bad plan proves less, and nothing false. The appendix on circuits has "
                "the plan. Length against what is proved is the measure of Gross et al. and Wu et al."
            )
        ),
    ]
    return [Environment("Theorem", (Paragraph(statement),), 4, say("the network, through cells")), Environment("Proof", tuple(blocks))]
