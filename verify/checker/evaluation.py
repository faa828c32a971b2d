"""Every pair evaluated in integers, and what a certificate states about the pairs: Q1 and Q2.

What this module proves: the network's and the program's answers at the pairs that `tables` and `equivalence` have not settled before,
and that what a certificate states of the pairs is what was found. Logits are sums of integers, taken as they are defined; the answer is
the place of the unique largest one, and a tie is no answer. Nothing is rounded here, and nothing is inferred from other pairs.
"""

import hashlib
import struct
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from .float32 import Forward
from .integers import Network, Rows
from .processes import mapped
from .progress import Progress
from .shape import Certificate, same, written
from .tables import Settled


class Pair(NamedTuple):
    """The network's answer (-1 for a tie), the lead of the right logit over the best other one, and whether float32 gives the same.

    Where the answer is right the lead may be a lower bound that is above the least lead of all right pairs; else it may be 0.
    """

    answer: int
    lead: int
    firm: bool


class Pairs:
    """The pairs that are looked at: for every x the y's, all of them or a sample."""

    def __init__(self, ys: list[list[int]]) -> None:
        self.ys = ys
        self.count = sum(map(len, ys))
        self.complete = self.count == len(ys) ** 2

    def together(self, rows: Sequence[Sequence[Pair]]) -> list[tuple[int, int, Pair]]:
        """(x, y, what was found there) for all pairs, by rows."""
        return [(x, y, found) for x, ys in enumerate(self.ys) for y, found in zip(ys, rows[x], strict=True)]


def evaluate(
    network: Network,
    forward: Forward | None,
    products: Rows,
    pairs: Pairs,
    jobs: int,
    progress: Progress,
    settled: Settled | None = None,
) -> list[list[Pair]]:
    """For every x what the network does at the pairs (x, y); float32 is looked at where the answer is right.

    ``settled`` is what is known before. Where that is a wrong answer, or a lead of the right logit that is enough for float32, the pair
    is not evaluated.
    """
    # most pairs are settled by more than the floor: they share one record for each answer
    above = 0 if settled is None else settled.floor + 1
    usual = [Pair(z, above, forward is not None) for z in range(network.order)]
    plain = forward is None or above > forward.needed  # that is enough for float32 at every pair

    def row(x: int) -> list[Pair]:
        found = []
        for y in pairs.ys[x]:
            z = products[x][y]
            known = None if settled is None else settled.low[x][y]
            if known == above and plain:
                found.append(usual[z])
                continue
            if known is not None and (forward is None or forward.clear(x, y, known)):
                found.append(Pair(z, known, forward is not None))
                continue
            if settled is not None and known is None:
                found.append(Pair(settled.answers[x, y], 0, False))
                continue
            slots = network.logits(x, y)
            answer, lead = network.packed.contest(slots, z)
            found.append(Pair(answer, lead, forward is not None and answer == z and forward.firm(x, y, z, slots)))
        return found

    step, rows = progress.step("evaluating the network", pairs.count), []
    for x, found in enumerate(mapped(row, range(network.order), jobs)):
        rows.append(found)
        step.done(len(pairs.ys[x]))
    return rows


def answers_of(program: Network, pairs: Pairs, jobs: int, progress: Progress) -> Rows:
    """For every x the answers of a program written out at the pairs (x, y)."""

    def row(x: int) -> list[int]:
        return [program.packed.contest(program.logits(x, y), 0)[0] for y in pairs.ys[x]]

    step, rows = progress.step("evaluating a program", pairs.count), []
    for x, found in enumerate(mapped(row, range(program.order), jobs)):
        rows.append(found)
        step.done(len(pairs.ys[x]))
    return rows


def digest(rows: Rows) -> str:
    """SHA-256 of a table of answers: row by row, big-endian 16-bit integers, -1 for a tie."""
    return hashlib.sha256(b"".join(struct.pack(f">{len(row)}h", *row) for row in rows)).hexdigest()


def check_correct(c: Certificate, rows: list[list[Pair]], products: Rows, pairs: Pairs, bits: int) -> None:
    """Q1: counts, wrong pairs, and where all pairs were looked at the digest of the answers, the least margin and the float32 count."""
    q1, total = c.correct, len(products) ** 2
    together = pairs.together(rows)
    same("correct.pairs", q1.pairs, total)
    same("correct.right", q1.right, total - len(q1.wrong))
    same("correct.ties", q1.ties, sum(answer == -1 for _, _, answer in q1.wrong))
    same("correct.status", q1.status, "REFUTED" if q1.wrong else "PROVED")
    seen = {(x, y) for x, y, _ in together}
    stated = [entry for entry in q1.wrong if pairs.complete or entry[:2] in seen]
    same("correct.wrong", stated, [(x, y, pair.answer) for x, y, pair in together if pair.answer != products[x][y]])
    if not pairs.complete:
        return
    same("correct.answers_sha256", q1.answers_sha256, digest([[pair.answer for pair in row] for row in rows]))
    right = [(pair.lead, x, y) for x, y, pair in together if pair.answer == products[x][y]]
    least = min(right, default=None) if len(products) > 1 else None  # one output leads over none
    same("correct.min_margin", q1.min_margin, None if least is None else written(Fraction(least[0], 1 << bits)))
    same("correct.min_margin_pair", q1.min_margin_pair, None if least is None else least[1:])
    firm, float32 = sum(pair.firm for _, _, pair in together), q1.float32_any_order
    fine = float32 is not None and 0 <= float32 <= firm if c.checkpoint.float32_forward else float32 is None
    same("correct.float32_any_order", float32, float32 if fine else f"at most {firm}, or null")


def check_equivalent(c: Certificate, rows: list[list[Pair]], program: Rows, pairs: Pairs) -> None:
    """Q2: counts, pairs where network and program differ, and where all pairs were looked at the digest of the program's answers."""
    q2, total = c.equivalent, len(rows) ** 2
    same("equivalent.pairs", q2.pairs, total)
    same("equivalent.agree", q2.agree, total - len(q2.differ))
    same("equivalent.status", q2.status, "REFUTED" if q2.differ else "PROVED")
    seen = {(x, y) for x, ys in enumerate(pairs.ys) for y in ys}
    stated = [entry for entry in q2.differ if pairs.complete or entry[:2] in seen]
    found = []
    for x, ys in enumerate(pairs.ys):
        for y, ours, theirs in zip(ys, rows[x], program[x], strict=True):
            if ours.answer != theirs:
                found.append((x, y, ours.answer, theirs))
    same("equivalent.differ", stated, found)
    if pairs.complete:
        same("equivalent.answers_sha256", q2.answers_sha256, digest(program))
