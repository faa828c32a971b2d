"""What the checker says about pairs, statement by statement, on answers over the group of two elements."""

import hashlib
import json
import re
import struct
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import pytest

from verify.checker.evaluation import Pair, Pairs, check_correct, check_equivalent
from verify.checker.progress import Progress
from verify.checker.shape import Correct, Differs, Equivalent, Malformed, rational, read_certificate, shown, written
from verify.checker.statement import Options, check

ACCEPTED = Path(__file__).parents[2] / "certificates" / "accepted"
PRODUCTS = [[0, 1], [1, 0]]
PAIRS = [(0, 0), (0, 1), (1, 0), (1, 1)]
ALL = Pairs([[0, 1], [0, 1]])


def sealed(certificate: dict[str, Any]) -> bytes:
    """The certificate with the digest of what it says."""
    blank = json.dumps({**certificate, "sha256": ""}, ensure_ascii=False, separators=(",", ":"))
    return json.dumps({**certificate, "sha256": hashlib.sha256(blank.encode()).hexdigest()}).encode()


def two_elements(network: list[int], program: list[int]) -> tuple[Any, list[list[Pair]], list[list[int]]]:
    """A certificate of what is true of these answers at PAIRS, and the rows behind it; every lead is 3 and firm in float32."""
    right = [PRODUCTS[x][y] for x, y in PAIRS]
    wrong = [(x, y, a) for (x, y), a, z in zip(PAIRS, network, right, strict=True) if a != z]
    differ = [(x, y, a, b) for (x, y), a, b in zip(PAIRS, network, program, strict=True) if a != b]
    first = next((pair for pair, a, z in zip(PAIRS, network, right, strict=True) if a == z), None)
    digests = [hashlib.sha256(struct.pack(">4h", *answers)).hexdigest() for answers in (network, program)]
    status: Literal["PROVED", "REFUTED"] = "REFUTED" if wrong else "PROVED"
    correct = Correct(status, 4, 4 - len(wrong), network.count(-1), wrong, digests[0], "3/4" if first else None, first, 0)
    equivalent = Equivalent("REFUTED" if differ else "PROVED", 4, 4 - len(differ), differ, digests[1])
    certificate = SimpleNamespace(correct=correct, equivalent=equivalent, checkpoint=SimpleNamespace(float32_forward=True))
    rows = [[Pair(a, 3, True) for a in network[2 * x : 2 * x + 2]] for x in (0, 1)]
    return certificate, rows, [program[:2], program[2:]]


ANSWERS = {
    "both right": ([0, 1, 1, 0], [0, 1, 1, 0]),
    "both wrong at the same pair": ([0, 1, 1, 1], [0, 1, 1, 1]),
    "the program alone wrong": ([0, 1, 1, 0], [0, 0, 1, 0]),
    "no pair right": ([1, 0, 0, -1], [1, 0, 0, -1]),
}


def redo(certificate: Any, rows: list[list[Pair]], program: list[list[int]], pairs: Pairs = ALL) -> None:
    check_correct(certificate, rows, PRODUCTS, pairs, 2)
    check_equivalent(certificate, rows, program, pairs)


@pytest.mark.parametrize("name", ANSWERS)
def test_what_is_true_of_the_pairs_is_accepted(name: str) -> None:
    redo(*two_elements(*ANSWERS[name]))


@pytest.mark.parametrize(
    ("part", "key", "other"),
    [
        ("correct", "pairs", 3), ("correct", "right", 3), ("correct", "ties", 1), ("correct", "status", "REFUTED"),
        ("correct", "wrong", [(0, 0, 1)]), ("correct", "answers_sha256", "0" * 64), ("correct", "min_margin", "1/2"),
        ("correct", "min_margin", None), ("correct", "min_margin_pair", (0, 1)), ("correct", "float32_any_order", 5),
        ("correct", "float32_any_order", -1), ("correct", "float32_any_order", None),
        ("equivalent", "pairs", 3), ("equivalent", "agree", 3), ("equivalent", "status", "UNKNOWN"),
        ("equivalent", "differ", [(0, 0, 0, 1)]), ("equivalent", "answers_sha256", "0" * 64),
    ],
)  # fmt: skip
def test_each_false_statement_about_the_pairs_is_named(part: str, key: str, other: object) -> None:
    certificate, rows, program = two_elements(*ANSWERS["both right"])
    setattr(certificate, part, replace(getattr(certificate, part), **{key: other}))
    with pytest.raises(Differs, match=rf"^{part}\.(\w+): the certificate states"):
        redo(certificate, rows, program)


def test_a_listed_pair_that_is_right_is_named_and_a_wrong_one_may_not_be_left_out() -> None:
    certificate, rows, program = two_elements(*ANSWERS["both wrong at the same pair"])
    for wrong in ([(0, 0, 1)], [(1, 1, 0)], [(1, 1, -1)]):
        certificate.correct = replace(certificate.correct, wrong=wrong, ties=sum(entry[2] == -1 for entry in wrong))
        with pytest.raises(Differs, match=r"^correct\.wrong: the certificate states"):
            redo(certificate, rows, program)


def test_a_sample_compares_what_it_has_seen_and_nothing_else() -> None:
    """At (1, 0) and (1, 1) alone: a wrong pair among them has to be listed, digests and margins are not looked at."""
    certificate, rows, program = two_elements(*ANSWERS["both wrong at the same pair"])
    certificate.correct = replace(certificate.correct, answers_sha256="", min_margin="9", float32_any_order=99)
    sample = Pairs([[], [0, 1]])
    redo(certificate, [[], rows[1]], [[], program[1]], sample)
    certificate.correct = replace(certificate.correct, wrong=[(0, 1, 0)])
    with pytest.raises(Differs, match=r"^correct\.wrong"):
        redo(certificate, [[], rows[1]], [[], program[1]], sample)


def test_no_float32_pass_means_no_count() -> None:
    certificate, rows, program = two_elements(*ANSWERS["both right"])
    certificate.checkpoint.float32_forward = False
    with pytest.raises(Differs, match=r"^correct\.float32_any_order"):
        redo(certificate, rows, program)
    certificate.correct = replace(certificate.correct, float32_any_order=None)
    redo(certificate, rows, program)


def test_parts_within_parts_get_one_sentence() -> None:
    form = {"on": "elements", "subgroups": [], "kernels": [], "weights": [], "rank": 0, "constant": False, "parts": []}
    for _ in range(400):
        form = {**form, "on": "sum", "parts": [form]}
    certificate = json.loads((ACCEPTED / "s3_every_form.json").read_bytes())
    certificate["program"]["circuits"][0]["left"] = form
    with pytest.raises(Malformed, match="parts within parts"):
        read_certificate(json.dumps(certificate).encode())


def test_numbers_that_python_does_not_write_out_get_one_sentence() -> None:
    """Products of the largest integers of a certificate, as a form on rank makes them, have more than 4,300 digits."""
    assert written(Fraction(3, 8)) == "3/8"
    for value in (Fraction(2**24_000), Fraction(1, 2**24_000)):
        with pytest.raises(Malformed, match="24,001"):
            written(value)
    assert shown([1, 2**24_000]) == "[1, <an integer of 24,001 bits>]"


@pytest.mark.parametrize(
    "text", ["abc", "", "1/0", "1e5", "1e999999999", "\u0663", "1.5", " 7", "7\n", "+7", "1/-2", "0x1", "1_0", "9" * 4301]
)
def test_on_a_sample_of_pairs_a_least_margin_that_is_no_rational_is_malformed(text: str) -> None:
    """There it is not compared with the network's before the distance is compared with it."""
    certificate, checkpoint = json.loads((ACCEPTED / "s3_every_form.json").read_bytes()), (ACCEPTED / "s3_every_form.ckpt").read_bytes()
    certificate["symbolic"]["distance"] = "1"
    with pytest.raises(Differs, match="distance") as caught:
        check(sealed(certificate), checkpoint, Options(2), Progress(None))
    certificate["symbolic"]["distance"] = re.search("finds '([0-9/]+)'", str(caught.value))[1]  # type: ignore[index]
    certificate["correct"]["min_margin"] = text

    with pytest.raises(Malformed, match="expected a rational"):
        check(sealed(certificate), checkpoint, Options(2), Progress(None))


@pytest.mark.parametrize("text", ["0", "-7", "7/3", "-10/3", "9" * 4300])
def test_rationals_as_they_are_written_are_read(text: str) -> None:
    assert rational(text) == Fraction(text)
