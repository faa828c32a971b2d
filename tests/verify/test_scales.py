"""Groups without coset spaces, networks without live neurons, and right networks times powers of two: a verdict, and no warning.

Warnings are errors in these tests (pyproject.toml).
"""

import json

import numpy as np
import pytest

import verify
from algebra.group import parse_group
from net.formats.folded_arrays import save_folded
from net.planted import planted_network
from net.units import Units
from net.weights import ExactWeights, Weights
from verify.analysis import Analysis
from verify.checker.progress import Progress
from verify.checker.statement import Options, check
from verify.cli import execute
from verify.program.written import rescaled
from verify.record.certificate import canonical_bytes
from verify.symbolic.dual_variables import sharp
from verify.symbolic.rescaling import rescaled_outline

FIGURES_MADE = True  # of networks unlike those of other tests


def lookup(group) -> Weights:
    """One neuron for each pair (a, b), which fires there alone and votes for ab: right on every pair, with margin 1."""
    n = group.order
    left, right, votes = np.full((n, n * n), -1.0), np.zeros((n, n * n)), np.zeros((n * n, n))
    for k, (a, b) in enumerate(np.ndindex(n, n)):
        left[a, k], right[b, k], votes[k, group.mul[a, b]] = 0, 1, 1
    return Weights.from_arrays(left, right, votes)


def run(tmp_path, weights, group, *more) -> tuple[int, int, dict]:
    """(exit code of run, exit code of check, summary)."""
    path, out = tmp_path / "n.safetensors", tmp_path / "out"
    save_folded(path, weights)
    code = execute(["run", "--group", group, "--checkpoint", str(path), "--out", str(out), "--quiet", "--timeout", "0", *more])
    checked = execute(["check", str(out / "certificate.json"), "--checkpoint", str(path)])
    return code, checked, json.loads((out / "summary.json").read_text())


@pytest.mark.parametrize("group", ["C1", "C2", "C3", "C5", "(1 2 3)(4 5 6)"])
def test_groups_of_prime_order_and_of_order_1_have_verdicts(tmp_path, group) -> None:
    n = parse_group(group).order
    code, checked, summary = run(tmp_path, lookup(parse_group(group)), group)

    assert (code, checked) == (0, 0)
    assert (summary["correct"]["right"], summary["equivalence"]["answers_agree"]) == (n * n, n * n)


@pytest.mark.parametrize("kind", ["dead", "flat", "zero", "one neuron"])
def test_networks_in_which_no_neuron_matters_are_refuted(tmp_path, kind) -> None:
    draw, same = np.random.default_rng(0).normal, np.ones((6, 4))
    left, right, votes = draw(size=(6, 4)), draw(size=(6, 4)), draw(size=(4, 6))
    weights = {
        "dead": Weights.from_arrays(-same, -same, votes),
        "flat": Weights.from_arrays(left, right, same.T),
        "zero": Weights.from_arrays(0 * left, 0 * right, 0 * votes),
        "one neuron": Weights.from_arrays(same[:, :1], same[:, :1], np.ones((1, 6))),
    }[kind]
    code, checked, summary = run(tmp_path, weights, "S3", "--order", "lexicographic", "--product", "left-first")

    assert (code, checked) == (1, 1)
    assert (summary["correct"]["right"], summary["correct"]["ties"]) == (0, 36)


@pytest.fixture(scope="module")
def usual(tmp_path_factory) -> Analysis:
    """A network of usual sizes that is right everywhere, with a proof of Q3."""
    path = tmp_path_factory.mktemp("usual") / "n.safetensors"
    save_folded(path, planted_network(parse_group("S3"), seed=0, width=24, noise=0.01).network.weights)
    found = verify.analyse(path, "S3", timeout_s=0)
    assert found.symbolic.status == "PROVED"
    return found


@pytest.mark.parametrize(("inputs", "votes"), [(-990, 0), (-100, 30), (990, 0), (0, -1000), (100, 100)])
def test_powers_of_two_change_no_answer_no_program_and_no_proof(tmp_path, usual, inputs, votes) -> None:
    """Programs and proofs are those of the network as it was, in other units, and the checker redoes all of them."""
    path = tmp_path / "n.safetensors"
    save_folded(path, usual.weights.scaled(Units.of(usual.weights.width, inputs, votes)))
    other = verify.analyse(path, "S3", timeout_s=0)
    out = other.write(tmp_path / "out")

    assert execute(["check", str(out / "certificate.json"), "--checkpoint", str(path)]) == 0
    assert (other.correct.right, other.equivalent.agree) == (36, 36)
    assert other.summary.equivalence.logit_fve == pytest.approx(usual.levels.logits.logit_fve, abs=1e-5)
    assert [n.kind for n in other.neurons] == [n.kind for n in usual.neurons]
    for name, program in usual.programs.items():
        assert_same(in_units(program.weights().exact(), inputs, votes), other.programs[name].weights().exact())
    mine, theirs = (a.symbolic_proof for a in (usual, other))
    assert_same(in_units(mine.written.weights.exact(), inputs, votes), theirs.written.weights.exact())
    assert (theirs.status, len(theirs.pushes)) == ("PROVED", len(mine.pushes))
    assert theirs.outline.batches.keys() == mine.outline.batches.keys()
    assert [o.id for o in other.obligations if o.id != "O3-distance"] == [o.id for o in usual.obligations if o.id != "O3-distance"]


def test_figures_with_units_are_in_the_networks_own(tmp_path, usual) -> None:
    """Margins, their bounds and vote tables of a network times 2^-70: those of the network as it was, times 2^-70."""
    path, small = tmp_path / "n.safetensors", 2.0**-70
    save_folded(path, usual.weights.scaled(Units.of(usual.weights.width, -100, 30)))
    one, two = usual.summary, verify.analyse(path, "S3", timeout_s=0).summary

    assert two.equivalence.max_margin_difference == pytest.approx(one.equivalence.max_margin_difference * small, rel=1e-4)
    assert one.margin_map
    assert two.margin_map
    for mine, theirs in zip(one.margin_map.rows, two.margin_map.rows, strict=True):
        assert theirs == pytest.approx([value * small for value in mine], rel=1e-4)
    bits = {row.name: row.preactivation_bits + row.vote_bits for row in two.curve}
    assert len(two.vote_tables) == len(one.vote_tables) > 0
    before = usual.distillation.point("readable").written.program
    for mine, theirs in zip(one.vote_tables, two.vote_tables, strict=True):
        here = np.array(mine.votes) / 2.0 ** (before.preactivation_bits + before.vote_bits) * small
        assert (np.array(theirs.votes) / 2.0 ** bits["readable"] == here).all()


def test_the_compact_proof_is_that_of_the_network_as_it_was(tmp_path) -> None:
    """The same pairs through the same plan, redone by the checker in exact integers."""
    network = planted_network(parse_group("S4"), seed=0, width=128, noise=0.01).network
    usual, path = verify.analyse(network, timeout_s=0), tmp_path / "n.safetensors"
    save_folded(path, network.weights.scaled(Units.of(128, -200, 40)))
    other = verify.analyse(path, "S4", timeout_s=0)

    assert (other.compact.certified, other.compact.status) == (usual.compact.certified, usual.compact.status) == (576, "PROVED")
    assert (other.compact_proof.bound <= other.evaluation.margin_high).all()
    line = check(canonical_bytes(other.certificate), path.read_bytes(), Options(), Progress(None)).line
    assert line == "s VERIFIED"


def in_units(exact: ExactWeights, inputs: int, votes: int) -> ExactWeights:
    return exact.scaled(Units.of(len(exact.U), inputs, votes))


def assert_same(one: ExactWeights, two: ExactWeights) -> None:
    """The same numbers, over whichever powers of two."""
    for field in ("L", "R", "U", "b"):
        p, q = (w.preactivation_bits * (field != "U") + w.vote_bits * (field in "Ub") for w in (one, two))
        assert (getattr(one, field) * (1 << max(0, q - p)) == getattr(two, field) * (1 << max(0, p - q))).all()


def test_the_minima_of_a_proof_in_other_units_are_those_of_its_tables(usual) -> None:
    """Carried over or computed again from the program in the new units: the same, so no rounding and no search came in between."""
    finding = usual.symbolic_proof
    rng = np.random.default_rng(0)
    inputs = rng.integers(-90, 90, usual.weights.width)
    units = Units(inputs, 40 - inputs, 40)
    written, growth = rescaled(finding.written, units)
    factor = 1 << growth
    outline = rescaled_outline(finding.outline, written, factor)
    assert sum(len(batch.duals) for batches in outline.batches.values() for batch in batches) > 0
    for case, batches in outline.batches.items():
        assert outline.constant(case) == factor * finding.outline.constant(case)
        for batch in batches:
            again = [sharp(d.tables, d.mu, d.lam, d.ties) for d in batch.duals]
            assert [a.beta.tolist() for a in again] == [d.beta.tolist() for d in batch.duals]


def test_a_bias_that_all_outputs_share_changes_no_answer(tmp_path) -> None:
    weights = lookup(parse_group("S3"))
    shifted = Weights.from_arrays(weights.L, weights.R, weights.U, np.full(6, 1e30))
    code, checked, summary = run(tmp_path, shifted, "S3")

    assert (code, checked, summary["correct"]["right"]) == (0, 0, 36)
    assert summary["correct"]["min_margin"] == "1"
    readable = next(point for point in summary["curve"] if point["name"] == "readable")
    assert readable["ratio"] == summary["program"]["ratio"] == summary["explained"]["ratio"]  # of the same parameters
