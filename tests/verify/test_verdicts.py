"""Where a verdict is made out of what was computed: Q1 and Q2 from two tables of answers, a status from a solver's answers."""

import hashlib
import struct
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from algebra.group import parse_group
from net.folded import folded_network
from net.weights import Weights
from verify.exact.exhaustive import evaluate
from verify.record.statements import answers_digest, decide_correct, decide_equivalent
from verify.symbolic.obligation import Obligation, write_scripts
from verify.symbolic.solver.opinions import Opinion, judge
from verify.symbolic.solver.worker import Reply

S3 = parse_group("S3")


def reply(*answers: str) -> Reply:
    return {"answers": list(answers), "seconds": 1.5}


@pytest.mark.parametrize(
    ("expected", "answer", "opinion"),
    [
        (["unsat"], None, Opinion("time-out", 7.0)),
        (["unsat"], reply("unsat"), Opinion("agrees", 1.5)),
        (["unsat", "unsat"], reply("unsat", "unsat"), Opinion("agrees", 1.5)),
        (["unsat", "unsat"], reply("unsat"), Opinion("time-out", 1.5)),
        (["unsat"], reply(), Opinion("time-out", 1.5)),
        (["unsat"], reply("unsat", "unsat"), Opinion("error", 1.5, "2 answers to 1 check")),
        (["unsat", "unsat"], reply("unsat", "unknown"), Opinion("time-out", 1.5)),
        (["unsat"], reply("x" * 500), Opinion("error", 1.5, "x" * 200)),
        (["unsat"] * 3, reply("unsat", "sat", "unknown"), None),
        (["unsat"], reply("sat"), None),
        (["sat"], reply("sat"), Opinion("agrees", 1.5)),
        (["sat"], reply("unsat"), None),
        (["sat"], reply("unknown"), Opinion("time-out", 1.5)),
    ],
)
def test_an_opinion_agrees_comes_too_late_errs_or_contradicts(
    expected: list[str], answer: Reply | None, opinion: Opinion | None
) -> None:
    assert judge(expected, answer, 7.0) == opinion


def test_scripts_lie_in_the_folder_of_obligations(tmp_path: Any) -> None:
    obligation = Obligation("O1-3", "", "(check-sat) é\n", ("unsat",))
    write_scripts((obligation,), tmp_path)
    write_scripts((obligation,), tmp_path)
    assert obligation.file == "obligations/O1-3.smt2"
    assert (tmp_path / obligation.file).read_text(encoding="utf-8") == "(check-sat) é\n"
    assert hashlib.sha256((tmp_path / obligation.file).read_bytes()).hexdigest() == obligation.sha256


def table_network(table: list[list[int]], margin: float = 1.0) -> Any:
    """A network over S3 whose answer at (x, y) is table[x][y], or a tie of all where that is -1: a neuron for each pair."""
    L, R, U = np.zeros((6, 36)), np.full((6, 36), -1.0), np.zeros((36, 6))
    for x, y in np.ndindex(6, 6):
        L[x, 6 * x + y], R[y, 6 * x + y] = 1, 0
        if table[x][y] >= 0:
            U[6 * x + y, table[x][y]] = margin
    return folded_network(S3, Weights.from_arrays(L, R, U))


def test_q1_counts_right_pairs_ties_and_lists_every_wrong_one() -> None:
    """The table of products with one entry exchanged and one tie: 34 of 36 right, and the digest is that of the table."""
    table: list[list[int]] = [[int(z) for z in row] for row in S3.mul]
    table[1][2], table[4][0] = (table[1][2] + 1) % 6, -1
    net = table_network(table)
    found = decide_correct(net, S3, evaluate(net.weights))
    assert (found.status, found.pairs, found.right, found.ties) == ("REFUTED", 36, 34, 1)
    assert found.wrong == ((1, 2, table[1][2]), (4, 0, -1))
    assert found.answers_sha256 == hashlib.sha256(b"".join(struct.pack(">h", z) for row in table for z in row)).hexdigest()
    assert (found.min_margin, found.min_margin_pair, found.float32_any_order) == ("1", (0, 0), 34)


def test_q1_of_a_right_network_is_proved_and_of_a_wrong_one_has_no_margin() -> None:
    good = table_network([[int(z) for z in row] for row in S3.mul], margin=0.75)
    found = decide_correct(good, S3, evaluate(good.weights))
    assert (found.status, found.right, found.wrong, found.min_margin, found.float32_any_order) == ("PROVED", 36, (), "3/4", 36)
    nothing = table_network([[-1] * 6] * 6)
    found = decide_correct(nothing, S3, evaluate(nothing.weights))
    assert (found.right, found.ties, found.min_margin, found.min_margin_pair, found.float32_any_order) == (0, 36, None, None, 0)


def test_a_wrong_pair_that_is_firm_in_float32_is_not_counted() -> None:
    """All answers are 0, firmly: right in float32 are the 6 pairs whose product is 0, and those are counted."""
    net = table_network([[0] * 6] * 6)
    assert decide_correct(net, S3, evaluate(net.weights)).float32_any_order == int((S3.mul == 0).sum()) == 6
    silent = replace(net, preactivation_terms=None, logit_terms=None)
    assert decide_correct(silent, S3, evaluate(net.weights)).float32_any_order is None


def test_q2_lists_every_pair_with_both_answers() -> None:
    one, other = [[int(z) for z in row] for row in S3.mul], [[int(z) for z in row] for row in S3.mul]
    other[0][5], other[3][3] = -1, (other[3][3] + 2) % 6
    a, b = (evaluate(table_network(table).weights) for table in (one, other))
    found = decide_equivalent(a, b)
    assert (found.status, found.pairs, found.agree) == ("REFUTED", 36, 34)
    assert found.differ == ((0, 5, one[0][5], -1), (3, 3, one[3][3], other[3][3]))
    assert found.answers_sha256 == answers_digest(b) != answers_digest(a)
    same = decide_equivalent(b, b)
    assert (same.status, same.agree, same.differ) == ("PROVED", 36, ())


def test_margins_are_written_in_lowest_terms() -> None:
    net = table_network([[int(z) for z in row] for row in S3.mul], margin=6 * 2.0**-20)
    assert decide_correct(net, S3, evaluate(net.weights)).min_margin == str(Fraction(6, 2**20)) == "3/524288"
