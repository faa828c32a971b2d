"""From a checkpoint to a verdict: certificate, program and report."""

import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from algebra.plural import plural
from verify.commands._reading_options import reading_options
from verify.symbolic.settings import SOLVERS_S

if TYPE_CHECKING:
    from verify.analysis import Proof
    from verify.jobs.run import Result
    from verify.reading import How
    from verify.record.certificate import Certificate


def solvers_budget(_context: click.Context, _parameter: click.Parameter, value: float) -> float:
    """The seconds that solvers get, as an option: wrong usage unless they are a number from 0 to 86,400."""
    from verify.symbolic.solver.opinions import checked_budget

    try:
        return checked_budget(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command()
@click.option("--group", "group_name", required=True, help="The group, such as S5, A5 or D10.")
@click.option("--checkpoint", type=click.Path(path_type=Path), help="The network; default: the bundled one for the group.")
@click.option("--out", type=click.Path(path_type=Path), help="Where to write; default: proofs/GROUP-SHA8.")
@click.option(
    "--proof", type=click.Choice(["auto", "exhaustive"]), default="auto", show_default=True, help="auto tries the compact proof too."
)
@click.option(
    "--timeout",
    type=float,
    callback=solvers_budget,
    default=SOLVERS_S,
    show_default=True,
    help="Seconds for the SMT solvers' second opinions; 0 asks none. No status depends on it.",
)
@click.option("--proofs", is_flag=True, help="Write cvc5's proofs of the lemmas in Alethe beside their files; minutes, and megabytes.")
@click.option("--order", type=click.Choice(["lexicographic", "even-first", "sympy", "table"]), help="Element order; default: detect.")
@click.option("--product", type=click.Choice(["left-first", "right-first"]), help="Product; default: detect.")
@reading_options
@click.option("--assume-relu", is_flag=True, help="Disregard settings that say, or could say, that the network is another function.")
@click.option("--all-counterfactuals", is_flag=True, help="Measure level 3 on all pairs even of a large group.")
@click.option("--json", "as_json", is_flag=True, help="Print summary.json instead of the verdict line.")
@click.option("--quiet", is_flag=True, help="No progress on stderr.")
def command(
    group_name: str,
    checkpoint: Path | None,
    out: Path | None,
    proof: "Proof",
    timeout: float,
    proofs: bool,
    order: str | None,
    product: str | None,
    how: "How",
    assume_relu: bool,
    all_counterfactuals: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Prove what a checkpoint computes.

    Decides on every pair whether the network answers xy, distils it into a coset-voting program with the same answers, and writes
    certificate, program and report. Says what was found on stderr: families with their shares, the program's price, Q3, Q4.
    Prints a line that says what explains the network, and `s VERIFIED`, `s REFUTED` or `s UNKNOWN`;
    exit code 0, 1 or 3.
    """
    from algebra.group import parse_group
    from net.bundled import bundled_checkpoint
    from verify.exit_codes import OF_VERDICT
    from verify.jobs.progress import Progress, comment
    from verify.jobs.run import run
    from verify.record.told import told
    from verify.symbolic.solver.opinions import installed

    if proofs and not installed()["cvc5"]:
        raise click.UsageError("expected cvc5 for --proofs, found none: pip install cvc5")
    parse_group(group_name)  # a name that is no group is wrong usage, whatever the checkpoint

    def say(text: str) -> None:
        if not quiet:
            comment(text)

    path = checkpoint or bundled_checkpoint(group_name)
    progress = Progress()
    with nullcontext() if quiet else progress.watched():
        silent = (lambda _: None) if quiet else progress
        result = run(path, group_name, out, proof, timeout, order, product, all_counterfactuals, silent, assume_relu, how)
    for line in told(result.certificate, result.summary):
        say(line)
    correct = result.certificate.correct
    if proofs:
        _write_proofs(result, say)
    if correct.wrong:
        say(_counterexample(group_name, *correct.wrong[0]))
    if as_json:
        sys.stdout.write((result.directory / "summary.json").read_text(encoding="utf-8"))
    else:
        print("; ".join([result.summary.explained.words, *_convention(result.certificate)]), flush=True)
        print(f"s {result.certificate.verdict}", flush=True)
    say(f"report    {result.directory}/report.md")
    return OF_VERDICT[result.certificate.verdict]


def _write_proofs(result: "Result", progress: Callable[[str], None]) -> None:
    """Proofs of the lemmas beside their files; says for which there is none, and why."""
    from verify.symbolic.solver.proofs import write_proofs

    obligations = result.analysis.obligations
    missing = write_proofs(obligations, result.directory, progress)
    progress(f"{len(obligations) - len(missing)} of {plural(len(obligations), 'lemma')} with a proof in Alethe without holes")
    for name, reason in missing.items():
        progress(f"no proof of {name}: {reason}")


def _convention(certificate: "Certificate") -> list[str]:
    """Phrases about a network that multiplies otherwise than x first, then y, in a published numbering."""
    checkpoint, said = certificate.checkpoint, []
    if checkpoint.product == "right-first":
        answers = "it answers yx" if certificate.correct.status == "PROVED" else "it is asked for yx"
        said.append(f"in the file's own terms {answers} (its second input acts first)")
    if checkpoint.order == "table":
        said.append("the file numbers the elements in no published way (the numbering was read off the network's own answers)")
    if checkpoint.activation_taken:
        activation = "relu" if checkpoint.reading is None else checkpoint.reading.activation
        said.append(f"the file does not name its activation, and {activation} was taken (--activation says another)")
    return said


def _counterexample(group_name: str, x: int, y: int, answer: int) -> str:
    from algebra.group import parse_group
    from algebra.permutation import format_cycles

    group = parse_group(group_name)
    a, b, product = (format_cycles(tuple(group.elements[g])) for g in (x, y, group.mul[x, y]))
    given = "a tie" if answer < 0 else format_cycles(tuple(group.elements[answer]))
    return f"counterexample: x = {a}, y = {b}: the network answers {given}, xy is {product}"
