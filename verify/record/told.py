"""What a run found, in a few lines of at most eighty characters."""

from collections.abc import Iterator

from algebra.plural import plural
from verify.record.certificate import Certificate
from verify.record.explain import percentage
from verify.record.summary import Summary, approximate

FAMILIES = 6


def told(certificate: Certificate, summary: Summary) -> Iterator[str]:
    """Right pairs, families with their shares of the energy, the program's price, and the state of Q3 and Q4."""
    correct, program, compact = certificate.correct, summary.program, certificate.compact
    yield f"network   {correct.right:,} of {plural(correct.pairs, 'pair')} right{_margin(summary)}"
    largest = summary.families[:FAMILIES]
    names = [family.name if len(family.name) <= 22 else f"{family.name[:19]}..." for family in largest]
    width = max(map(len, names), default=0)
    for k, (name, family) in enumerate(zip(names, largest, strict=True)):
        counts = "{:>4} {}".format(*plural(family.circuits, "circuit").split()).ljust(14)
        neurons = "{:>4} {}".format(*plural(family.neurons, "neuron").split()).ljust(13)
        share = f"{percentage(family.energy_share):>8}{'' if k else ' of the energy'}"
        yield f"{'' if k else 'families':8}  {name:{width}} {counts}{neurons}{share}"
    if rest := summary.families[FAMILIES:]:
        left = sum(family.energy_share for family in rest)
        yield f"{'':8}  and {len(rest)} more, {percentage(min(left, 1.0))} of the energy"
    same = certificate.equivalent.agree
    price = f"{plural(program.constants, 'integer')}, {percentage(program.ratio)} of the parameters"
    yield f"program   {price}; {plural(same, 'answer')} {'agrees' if same == 1 else 'agree'}"
    lemmas = {"PROVED": "proved right for all x, y, z by lemmas", "REFUTED": "wrong at some pair", "UNKNOWN": "lemmas leave it open"}
    yield f"symbolic  the {summary.symbolic.about} program: {lemmas[certificate.symbolic.status]}"
    if compact is not None and compact.certified:
        yield f"compact   {plural(compact.certified, 'pair')} by the coset structure; {of_brute(compact.flops, compact.flops_brute)}"


def _margin(summary: Summary) -> str:
    if summary.correct.min_margin is None:
        return ""
    return f", least margin {approximate(summary.correct.min_margin):.4g}"


def of_brute(flops: int, brute: int) -> str:
    """How many operations a proof takes beside evaluation: "1/7.47 of the operations", or more of them."""
    return f"1/{brute / flops:.3g} of the operations" if flops <= brute else "more operations than evaluation"
