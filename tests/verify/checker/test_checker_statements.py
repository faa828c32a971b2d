"""What the checker says about pairs and proofs, statement by statement, on answers over the group of two elements."""

import hashlib
import struct
from pathlib import Path
from typing import Any

import pytest

from verify import checker

PRODUCTS = [[0, 1], [1, 0]]
PAIRS = [(0, 0), (0, 1), (1, 0), (1, 1)]


def two_elements(network: list[int], program: list[int], last: list[int] | None = None) -> tuple[dict[str, Any], list[Any]]:
    """A certificate of what is true of these answers at PAIRS, and the results behind it; every lead is 3 and firm in float32."""
    third = last or program
    results = [(x, y, a, 3, True, b, e) for (x, y), a, b, e in zip(PAIRS, network, program, third, strict=True)]
    right = [PRODUCTS[x][y] for x, y in PAIRS]
    wrong = [[x, y, a] for (x, y), a, z in zip(PAIRS, network, right, strict=True) if a != z]
    differ = [[x, y, a, b] for (x, y), a, b in zip(PAIRS, network, program, strict=True) if a != b]
    first = next((pair for pair, a, z in zip(PAIRS, network, right, strict=True) if a == z), None)
    digests = [hashlib.sha256(struct.pack(">4h", *answers)).hexdigest() for answers in (network, program)]
    certificate = {
        "verdict": "REFUTED" if wrong or differ else "VERIFIED",
        "checkpoint": {"float32_forward": True},
        "symbolic": {"status": "UNKNOWN"},
        "correct": {
            "pairs": 4, "right": 4 - len(wrong), "status": "REFUTED" if wrong else "PROVED", "wrong": wrong,
            "ties": network.count(-1), "answers_sha256": digests[0], "min_margin": "3/4" if first else None,
            "min_margin_pair": list(first) if first else None, "float32_any_order": 0,
        },
        "equivalent": {
            "pairs": 4, "agree": 4 - len(differ), "status": "REFUTED" if differ else "PROVED", "differ": differ,
            "answers_sha256": digests[1],
        },
    }  # fmt: skip
    return certificate, results


ANSWERS = {
    "both right": ([0, 1, 1, 0], [0, 1, 1, 0]),
    "both wrong at the same pair": ([0, 1, 1, 1], [0, 1, 1, 1]),
    "the program alone wrong": ([0, 1, 1, 0], [0, 0, 1, 0]),
    "no pair right": ([1, 0, 0, -1], [1, 0, 0, -1]),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_what_is_true_of_the_pairs_is_accepted_and_the_other_verdict_is_not(name: str) -> None:
    """One wrong pair or one differing pair alone makes the verdict REFUTED."""
    certificate, results = two_elements(*ANSWERS[name])
    checker.check_pairs(certificate, results, PRODUCTS, 2)
    certificate["verdict"] = "VERIFIED" if certificate["verdict"] == "REFUTED" else "REFUTED"
    with pytest.raises(checker.Differs, match=r"^verdict: the certificate states"):
        checker.check_pairs(certificate, results, PRODUCTS, 2)


@pytest.mark.parametrize(
    ("part", "key", "other", "named"),
    [
        ("correct", "right", 3, "correct"),
        ("equivalent", "agree", 3, "equivalent"),
        ("correct", "ties", 1, "correct.ties"),
        ("correct", "answers_sha256", "0" * 64, "correct.answers_sha256"),
        ("equivalent", "answers_sha256", "0" * 64, "equivalent.answers_sha256"),
        ("correct", "min_margin", "1/2", "correct.min_margin"),
        ("correct", "min_margin_pair", [0, 1], "correct.min_margin_pair"),
        ("correct", "float32_any_order", 5, "correct.float32_any_order"),
        ("correct", "float32_any_order", -1, "correct.float32_any_order"),
        ("symbolic", "status", "REFUTED", "symbolic.status"),
    ],
)
def test_each_false_statement_about_the_pairs_is_named(part: str, key: str, other: object, named: str) -> None:
    certificate, results = two_elements(*ANSWERS["both right"])
    certificate[part][key] = other
    with pytest.raises(checker.Differs, match=f"^{named}: the certificate states"):
        checker.check_pairs(certificate, results, PRODUCTS, 2)


def test_a_listed_pair_that_is_right_is_named() -> None:
    certificate, results = two_elements(*ANSWERS["both wrong at the same pair"])
    certificate["correct"]["wrong"] = [[0, 0, 1]]
    with pytest.raises(checker.Differs, match=r"^correct\.wrong: the certificate states"):
        checker.check_pairs(certificate, results, PRODUCTS, 2)


def test_the_program_that_q3_is_about_decides_its_status() -> None:
    """The last program counts: PROVED needs it right on all pairs seen, REFUTED is excluded only when all pairs were seen."""
    right, wrong = ANSWERS["both right"][0], ANSWERS["both wrong at the same pair"][0]
    for last, status, sampled, accepted in [
        (right, "PROVED", False, True),
        (right, "REFUTED", False, False),
        (right, "REFUTED", True, True),
        (wrong, "PROVED", False, False),
        (wrong, "PROVED", True, False),
        (wrong, "REFUTED", False, True),
    ]:
        certificate, results = two_elements(right, right, last)
        certificate["symbolic"]["status"] = status
        shown = results[1:] if sampled else results
        if accepted:
            checker.check_pairs(certificate, shown, PRODUCTS, 2)
        else:
            with pytest.raises(checker.Differs, match=r"^symbolic\.status: the certificate states"):
                checker.check_pairs(certificate, shown, PRODUCTS, 2)


def test_q3_needs_every_obligation_and_one_on_correctness(tmp_path: Path) -> None:
    """PROVED with an obligation of another kind that is not, or with none whose id begins with O1, is refused."""
    for kinds, accepted in [
        ([("O1-a", "PROVED"), ("O2-b", "PROVED")], True),
        ([("O1-a", "PROVED"), ("O2-b", "UNKNOWN")], False),
        ([("O1-a", "UNKNOWN"), ("O2-b", "PROVED")], False),
        ([("O2-b", "PROVED")], False),
    ]:
        obligations = [{"id": key, "status": status, "file": "obligations/x.smt2", "sha256": ""} for key, status in kinds]
        certificate = {"symbolic": {"status": "PROVED", "obligations": obligations}, "compact": None}
        if accepted:
            checker.check_proofs(certificate, tmp_path)
        else:
            with pytest.raises(checker.Differs, match=r"^symbolic\.status: "):
                checker.check_proofs(certificate, tmp_path)


@pytest.mark.parametrize(
    ("certified", "correct", "status", "accepted"),
    [
        (4, "PROVED", "PROVED", True),
        (4, "PROVED", "UNKNOWN", False),
        (3, "PROVED", "UNKNOWN", True),
        (3, "PROVED", "PROVED", False),
        (3, "REFUTED", "REFUTED", True),
        (3, "REFUTED", "UNKNOWN", False),
    ],
)
def test_q4_is_proved_when_every_pair_is_certified(certified: int, correct: str, status: str, accepted: bool, tmp_path: Path) -> None:
    """PROVED for all pairs, UNKNOWN for some, REFUTED with Q1."""
    strategies = [{"name": "a", "certified": certified - 1, "flops": 7}, {"name": "b", "certified": 1, "flops": 1}]
    compact = {"status": status, "certified": certified, "flops": 8, "flops_brute": 9, "strategies": strategies}
    symbolic: dict[str, Any] = {"status": "UNKNOWN", "obligations": []}
    certificate = {"symbolic": symbolic, "compact": compact, "correct": {"pairs": 4, "right": 4, "status": correct}}
    if accepted:
        checker.check_proofs(certificate, tmp_path)
    else:
        with pytest.raises(checker.Differs, match=r"^compact\.status: the certificate states"):
            checker.check_proofs(certificate, tmp_path)
    compact["flops"] = 9
    with pytest.raises(checker.Differs, match=r"^compact \(certified, flops\): the certificate states"):
        checker.check_proofs(certificate, tmp_path)


def test_an_obligation_beside_the_certificate_is_named(tmp_path: Path) -> None:
    """A file with another digest than stated is named; where there is no folder, nothing is compared."""
    symbolic = {"status": "UNKNOWN", "obligations": [{"id": "O1", "status": "UNKNOWN", "file": "o/x.smt2", "sha256": "0" * 64}]}
    certificate = {"symbolic": symbolic, "compact": None}
    checker.check_proofs(certificate, tmp_path)
    (tmp_path / "o").mkdir()
    (tmp_path / "o" / "x.smt2").write_text("(exit)")
    with pytest.raises(checker.Differs, match=r"^o/x\.smt2: the certificate states"):
        checker.check_proofs(certificate, tmp_path)
