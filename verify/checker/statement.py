"""The statements of a certificate, one after the other, and the verdict.

What `check` proves when it says `s VERIFIED`: that every statement of the certificate but ``not_checked`` is true of the checkpoint.
The order is: shape and digest of the certificate; the group, its name; the network, its numbering; the program, the names of its
subgroups; the program written out and compared with the network neuron by neuron; Q1 and Q2; Q3; Q4. The first thing that does not
hold ends the check. Each part is redone from the network and the program as they were read before, never from what the certificate
states of them. Two numbers are taken from it after they were compared: deviations (in Q3) and the least margin (in O3; on a sample of
pairs it is not compared, and nothing is called verified). One hint is taken from it and not trusted: the pair with the least margin,
which says up to where margins should be known exactly.
"""

import hashlib
import random
from fractions import Fraction
from time import monotonic
from typing import NamedTuple

from .equivalence import distance, program_answers
from .evaluation import Pairs, answers_of, check_correct, check_equivalent, evaluate
from .groups import Group
from .integers import Network, columns
from .layouts import folded, read_checkpoint
from .lemmas import check_symbolic
from .names import check_subgroup_name
from .programs import Expanded
from .progress import Progress, Redone, amount
from .readings import described
from .shape import Certificate, Compact, Differs, Kind, NeuronRecord, read_certificate, same, shown, written
from .tables import check_compact, floor_of, settle

PARTS = ("left", "right", "votes")


class Options(NamedTuple):
    """How to look: at a sample of pairs or at all, with which seed, in how many processes."""

    sample: int | None = None
    seed: int = 0
    jobs: int = 1


class Verdict(NamedTuple):
    """The last line, the table of what was done, and what the network is in terms of the file's tensors, where that is stated."""

    line: str
    table: list[Redone]
    formula: str = ""


def check(certificate: bytes, checkpoint: bytes, options: Options, progress: Progress) -> Verdict:
    """Redo a certificate; raises Differs or Malformed where something does not hold."""
    started, table = monotonic(), []  # type: float, list[Redone]

    def done(statement: str, how: str, count: int, unit: str) -> None:
        nonlocal started
        table.append(Redone(statement, how, count, unit, monotonic() - started))
        started = monotonic()

    c = read_certificate(certificate)
    digest, original = hashlib.sha256(checkpoint).hexdigest(), c.not_checked.original
    if original is not None and digest == original.sha256 != c.checkpoint.sha256:
        raise Differs("checkpoint.sha256: the certificate says that it is about network.safetensors, written from this file")
    same("checkpoint.sha256", c.checkpoint.sha256, digest)
    layout, layers = read_checkpoint(checkpoint, c.checkpoint.reading, c.checkpoint.activation_taken)
    same("group.order, elements of the network", c.group.order, layers.order)  # before anything as large as the group is made
    group = Group(c.group)
    done("the group is what it is called", "its generators multiplied out", group.order, "elements")
    network, forward = folded(layout, layers, c.checkpoint, group)
    formula = "" if c.checkpoint.reading is None else described(c.checkpoint.reading)
    read = "read as the formula above says" if formula else "read"
    read += ", the activation taken (the file names none)" if c.checkpoint.activation_taken else ""
    done("the network is that of the file", f"{read}, folded, and put in the group's order", network.width, "neurons")
    same("group of the program", c.program.group, c.group)
    program = Expanded(c.program, group, network.width)
    same("activation of the program, the square", program.network.squared, network.squared)
    check_names(program, group)
    check_neurons(c.neurons, network, program)
    done(
        "mechanism: the program's neurons are the network's, but for the deviations",
        "written out and compared",
        network.width,
        "neurons",
    )

    pairs = chosen(group.order, options)
    if network.squared:  # what these say rests on relu
        same("compact, of a network of squares", c.compact, None)
        same("symbolic.status, of a network of squares", c.symbolic.status, "UNKNOWN")
        same("symbolic, of a network of squares", (c.symbolic.provable, c.symbolic.pushes, c.symbolic.distance), (None, [], None))
    plan = None if c.compact is None else c.compact.plan
    settled, apart = None, 0
    if pairs.complete and not network.squared:  # the tables are those of relu
        # margins up to the floor are found exactly: the least one is, and those on which float32 or the program might depend
        apart = distance(network, program)
        floor = floor_of(network, group.mul, c.correct.min_margin_pair, 0 if forward is None else forward.needed, apart)
        settled = settle(plan, network, group, progress, options.jobs, floor)
    rows = evaluate(network, forward, group.mul, pairs, options.jobs, progress, settled)
    check_correct(c, rows, group.mul, pairs, network.logit_bits)
    all_pairs = "every pair evaluated" if settled is None else "every pair evaluated, in two precisions"
    how = "a sample" if not pairs.complete else all_pairs if plan is None else "tables of the compact plan"
    done("Q1: the network's answers against xy", how, pairs.count, "pairs")
    if settled is None:
        program_rows = answers_of(program.network, pairs, options.jobs, progress)
    else:
        program_rows, how = program_answers(program, plan, group, settled, apart, progress, options.jobs)
    check_equivalent(c, rows, program_rows, pairs)
    done("Q2: the program's answers against the network's", how, pairs.count, "pairs")
    verdict = "REFUTED" if c.correct.wrong or c.equivalent.differ else "VERIFIED"
    same("verdict", c.verdict, verdict)
    table += redo_symbolic(c, group, network, program, pairs, options.jobs, progress)
    check_status(c, group, program_rows, pairs)
    started = monotonic()
    if c.compact is not None:
        check_compact_status(c, c.compact)
        if settled is not None:
            check_compact(c.compact, settled, group.order, network.width)
        how = "not redone" if settled is None else "the plan's tables, with those of Q1; operations counted"
        done("Q4: pairs settled through the coset structure", how, c.compact.certified, "pairs")
    line = "s SAMPLED" if options.sample is not None else "s VERIFIED" if verdict == "VERIFIED" else "s CONFIRMED REFUTED"
    return Verdict(line, table, formula)


def chosen(n: int, options: Options) -> Pairs:
    """All pairs, or the sample."""
    if options.sample is None:
        return Pairs([list(range(n)) for _ in range(n)])
    ys: list[list[int]] = [[] for _ in range(n)]
    for k in random.Random(options.seed).sample(range(n * n), min(options.sample, n * n)):
        ys[k // n].append(k % n)
    return Pairs([sorted(row) for row in ys])


def check_names(program: Expanded, group: Group) -> None:
    """What a program's subgroups are called."""
    for record, members in zip(program.program.subgroups, program.subgroups, strict=True):
        check_subgroup_name(record, members, group)


def check_neurons(records: list[NeuronRecord], network: Network, program: Expanded) -> None:
    """Each neuron's circuit, the largest deviations of network and program over the group, and its kind, which follows from them."""
    same("neurons", [record.index for record in records], list(range(network.width)))
    ours, theirs = ((columns(net.left), columns(net.right), net.votes) for net in (network, program.network))
    scales = [(net.bits, net.bits, net.vote_bits) for net in (network, program.network)]
    for i, record in enumerate(records):
        place, circuit = program.where.get(i, (None, None))
        same(f"neurons[{i}].circuit", record.circuit, circuit)
        stated = (record.left_deviation, record.right_deviation, record.votes_deviation)
        for part, a, b, p, q, text in zip(PARTS, ours, theirs, *scales, stated, strict=True):
            found = None
            if place is not None:
                gap = max(abs((u << max(0, q - p)) - (v << max(0, p - q))) for u, v in zip(a[i], b[place], strict=True))
                found = written(Fraction(gap, 1 << max(p, q)))
            same(f"neurons[{i}].{part}_deviation", text, found)
        alive = network.highest[i] > 0 and len({*network.votes[i]}) > 1
        kind: Kind = "divided" if i in program.divided else "left out" if circuit is None else program.kind(circuit)
        kind = kind if alive else "dead"
        same(f"neurons[{i}].kind", record.kind, kind)


def redo_symbolic(
    c: Certificate, group: Group, network: Network, own: Expanded, pairs: Pairs, jobs: int, progress: Progress
) -> list[Redone]:
    """Q3, about the certificate's own program or about the provable one, whose neurons are compared with the network first.

    The provable one has the network's answers: a proof says so, and without one it is evaluated.
    """
    program, records, redone = own, c.neurons, list[Redone]()
    if c.symbolic.provable is not None:
        same("symbolic.provable, only for a network that is right", c.correct.status, "PROVED")  # else it has other answers
        same("group of the provable program", c.symbolic.provable.program.group, c.group)
        program, records = Expanded(c.symbolic.provable.program, group, network.width, divisible=True), c.symbolic.provable.neurons
        same("activation of the provable program, the square", program.network.squared, network.squared)
        check_names(program, group)
        check_neurons(records, network, program)
        if c.symbolic.status != "PROVED":
            started = monotonic()
            wrong = first_wrong(answers_of(program.network, pairs, jobs, progress), group, pairs)
            same("a pair at which the provable program is wrong", None, wrong)
            redone.append(Redone("the provable program has these answers", "evaluated", pairs.count, "pairs", monotonic() - started))
    return redone + check_symbolic(c.symbolic, program, records, network, c.correct.min_margin, group, progress)


def first_wrong(rows: list[list[int]], group: Group, pairs: Pairs) -> tuple[int, int] | None:
    """The first of the pairs (x, y) at which the answer is not xy."""
    answers = ((x, y, answer) for x, ys in enumerate(pairs.ys) for y, answer in zip(ys, rows[x], strict=True))
    return next(((x, y) for x, y, answer in answers if answer != group.mul[x][y]), None)


def check_status(c: Certificate, group: Group, rows: list[list[int]], pairs: Pairs) -> None:
    """Q3 against the answers: a certificate's own program that is wrong at a pair is not PROVED, and one that is right not REFUTED."""
    if c.symbolic.provable is None:
        right = first_wrong(rows, group, pairs) is None
        if c.symbolic.status == ("PROVED" if not right else "REFUTED" if pairs.complete else ""):
            found = "a program that is right" if right else "a pair at which the program is wrong"
            raise Differs(f"symbolic.status: the certificate states {c.symbolic.status}, the checker finds {found}")


def check_compact_status(c: Certificate, compact: Compact) -> None:
    """Q4's status, and that no more pairs are certified than are right."""
    status = "PROVED" if compact.certified == c.correct.pairs else "UNKNOWN"
    same("compact.status", compact.status, "REFUTED" if c.correct.status == "REFUTED" else status)
    if compact.certified > c.correct.right:
        found = f"{amount(c.correct.right, 'pairs')} right"
        raise Differs(f"compact.certified: the certificate states {shown(compact.certified)}, the checker finds {found}")
