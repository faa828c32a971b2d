"""Proofs in Alethe beside the lemmas' files: there for what is refuted without holes, and for nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from verify.symbolic.obligation import Obligation, write_scripts
from verify.symbolic.solver import proofs
from verify.symbolic.solver.proofs import proof_file, write_proofs
from verify.symbolic.solver.worker import judged_proof

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("cvc5")

LINEAR = "(set-logic QF_LRA)\n(declare-const x Real)\n(push)\n(assert (< x 1))\n(assert (> x 2))\n(check-sat)\n(pop)\n"


def test_a_proof_is_written_for_each_check_and_what_has_none_is_told(tmp_path: Path) -> None:
    """Two checks with proofs; a check that is satisfiable; one whose proof has a hole or is none; a lemma that is not proved."""
    good = Obligation("good", "Nothing is below 1 and above 2.", LINEAR + LINEAR.split("Real)\n")[1], ("unsat", "unsat"))
    false = Obligation("false", "False.", LINEAR.replace("(> x 2)", "(> x 0)"), ("unsat",))
    broken = Obligation("broken", "Nothing.", "(assert (= 1 2)\n(check-sat)", ("unsat",))
    short = Obligation("short", "One check of two.", LINEAR, ("unsat", "unsat"))
    known = Obligation("known", "Falls short.", LINEAR, ("sat",), "UNKNOWN")
    every = [good, false, broken, short, known]
    write_scripts(every, tmp_path)
    missing = write_proofs(every, tmp_path)
    assert list(missing) == ["false", "broken", "short", "known"]
    assert (missing["false"], missing["known"]) == ("sat", "the lemma is not proved")
    assert missing["broken"].startswith("error")
    assert missing["short"] == "fewer answers than checks"
    assert [path.stem for path in sorted((tmp_path / "obligations").glob("*.alethe"))] == ["good"]
    text = proof_file(tmp_path / good.file).read_text()
    parts = text.split("; check ")[1:]
    assert [part[0] for part in parts] == ["1", "2"]
    for part in parts:
        assert ":rule la_generic" in part
        assert part.rstrip().splitlines()[-2].startswith("(step ")
        assert "(cl) :rule" in part.rstrip().splitlines()[-2]
        assert "hole" not in part


def test_a_hole_is_refused() -> None:
    proof = "(\n(assume a0 (< x 1))\n(step t1 (cl) :rule {} :premises (a0))\n)"
    assert judged_proof(proof.format("resolution")) == "unsat"
    assert judged_proof(proof.format("hole")) == "a step of the proof is a hole"
    assert judged_proof('(error "Proof unsupported")').startswith("no proof in Alethe")
    assert judged_proof("").startswith("no proof in Alethe")


def test_without_cvc5_nothing_is_promised(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(proofs, "installed", lambda: {"z3": True, "cvc5": False})
    with pytest.raises(RuntimeError, match="pip install cvc5"):
        write_proofs([], tmp_path)
