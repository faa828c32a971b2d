"""`verify.analyse` and its parts: the same network however it is handed over, exact counts, programs that are edited and compared."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import verify
from algebra.group import parse_group
from net.bundled import bundled_checkpoint
from net.errors import MalformedInput
from net.formats.folded_arrays import save_folded
from net.planted import planted_network
from verify.exact.exhaustive import evaluate
from verify.program.form import linear_form
from verify.program.program import Program, program_subgroups

S4 = parse_group("S4")


@pytest.fixture(scope="module")
def planted():
    return planted_network(S4, seed=1, width=48, kinds={"sign": 2, "dead": 1}, noise=0.01).network


@pytest.fixture(scope="module")
def analysis(planted):
    return verify.analyse(planted)


def count_right(L, R, U, b, mul) -> int:
    """Pairs whose float64 argmax is unique and is the product: a slow twin for networks whose margins are wide."""
    found = 0
    for x in range(len(L)):
        for y in range(len(L)):
            logits = np.maximum(L[x] + R[y], 0) @ U + b
            top = np.sort(logits)
            assert top[-1] - top[-2] > 1e-6
            found += int(logits.argmax() == mul[x, y])
    return found


def test_arguments_of_the_wrong_kind_are_refused_before_the_work(planted) -> None:
    """With what was expected and what came; a mask is not taken for numbers, nor an array without its mask."""
    w = planted.weights
    wrong: list[tuple[dict[str, Any], type[Exception], str]] = [
        ({"group": 6}, TypeError, "a group or its name"),
        ({"proof": "compact"}, ValueError, "auto, exhaustive"),
        ({"timeout_s": "x"}, TypeError, "a number"),
        ({"progress": 3}, TypeError, "a function"),
        ({"settings": {}}, TypeError, "a Settings"),
        ({"layout": 3}, TypeError, "a TOML file"),
        ({"activation": "gelu"}, ValueError, "relu, square, abs"),
    ]
    for arguments, error, words in wrong:
        with pytest.raises(error, match=f"expected .*{words}.*, got "):
            verify.analyse((w.L, w.R, w.U), **{"group": "S4", **arguments})
    with pytest.raises(MalformedInput, match="without a mask for 'R'"):
        verify.analyse((w.L, np.ma.masked_less(w.R, 0), w.U), group="S4")
    analysis = verify.analyse(planted)
    with pytest.raises(ValueError, match="of a mask"):
        analysis.ablate(neurons=np.arange(w.width) < 3)  # type: ignore[arg-type]
    with pytest.raises(IndexError, match="below 48, got 48"):
        analysis.neurons[48]
    with pytest.raises(TypeError, match="got str"):
        analysis.compare("readable")  # type: ignore[arg-type]


def test_a_path_a_mapping_a_module_and_four_arrays_are_the_same_network(planted, tmp_path) -> None:
    import torch

    w = planted.weights
    path = tmp_path / "n.safetensors"
    save_folded(path, w)
    arrays = {"L": w.L, "R": w.R, "U": w.U}

    class Folded(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            for name, array in arrays.items():
                self.register_parameter(name, torch.nn.Parameter(torch.tensor(array)))

    given = [path, str(path), arrays, Folded(), Folded().state_dict(), (w.L, w.R, w.U), (w.L, w.R, w.U, None)]
    expected = evaluate(w).answer
    for one in given:
        found = verify.analyse(one, group="S4")
        assert (found.evaluation.answer == expected).all()
        assert found.network.convention
        assert found.network.convention.order == "lexicographic"


def test_small_floats_keep_their_precision() -> None:
    """float16 and bfloat16 tensors are the numbers that they state; integers are taken where float64 holds them."""
    import torch

    w = planted_network(parse_group("S3"), seed=0, width=24).network.weights
    tensors = {name: torch.tensor(getattr(w, name)).to(torch.bfloat16) for name in "LRU"}
    bfloat = verify.analyse(tensors, group="S3", order="lexicographic", product="left-first")
    half = verify.analyse({k: v.float().half() for k, v in tensors.items()}, group="S3", order="lexicographic", product="left-first")

    assert (tensors["U"].double().numpy() == bfloat.weights.U).all()
    assert (tensors["L"].half().double().numpy() == half.weights.L).all()
    assert half.network.source
    assert half.network.source.dtype == "float16"
    eighth = {k: v.to(torch.float8_e4m3fn) for k, v in tensors.items()}
    assert (eighth["U"].double().numpy() == verify.analyse(eighth, group="S3", order="lexicographic").weights.U).all()
    with pytest.raises(MalformedInput, match="expected a dense tensor of plain numbers for 'L'"):
        verify.analyse(tensors | {"L": tensors["L"].float().to_sparse()}, group="S3")
    counted = verify.analyse(
        (np.eye(6, dtype=int), np.eye(6, dtype=int), np.eye(6, dtype=np.int8)), group="S3", order="sympy", product="left-first"
    )
    assert counted.network.convention
    assert counted.weights.L.tolist() == np.eye(6)[counted.network.convention.numbering.argsort()].tolist()


@pytest.mark.parametrize(
    ("network", "sentence"),
    [
        (3, "expected a path"),
        ((1, 2), "expected a path"),
        ({"L": "text"}, "expected an array of floats for 'L'"),
        ({"L": np.array([2**60 + 1])}, "expected integers that float64 holds"),
        ({"A": np.zeros((6, 6))}, "in a known layout"),
        ("no such file", "no file of that name"),
    ],
    ids=str,
)
def test_what_is_no_network_gets_a_sentence(network, sentence) -> None:
    with pytest.raises(MalformedInput, match=sentence):
        verify.analyse(network, group="S3")


def test_counts_are_those_of_a_slow_twin(analysis) -> None:
    w = analysis.weights

    assert analysis.correct.right == count_right(w.L, w.R, w.U, w.b, S4.mul) == 576
    assert (analysis.correct.ties, analysis.correct.wrong) == (0, ())


def test_an_ablation_is_the_network_without_these_neurons(analysis) -> None:
    w = analysis.weights
    choices: tuple[dict[str, Any], ...] = (
        {"kinds": ["sign"]},
        {"kinds": ["coset"]},
        {"neurons": [0, 5, 7]},
        {"kinds": ["sign"], "neurons": [3]},
    )
    for chosen in choices:
        gone = [n.index for n in analysis.neurons if n.kind in chosen.get("kinds", ()) or n.index in chosen.get("neurons", ())]
        assert gone
        kept = np.delete(np.arange(w.width), gone)
        expected = evaluate(type(w).from_arrays(w.L[:, kept], w.R[:, kept], w.U[kept], w.b))
        found = analysis.ablate(**chosen)
        assert (found.evaluation.answer == expected.answer).all()
        assert found.correct.right == int((expected.answer == S4.mul).sum())
        assert found.network.width == w.width - len(gone)
    with pytest.raises(ValueError, match=r"expected some of coset, .*, got 'cosets'"):
        analysis.ablate(kinds=["cosets"])
    with pytest.raises(ValueError, match="expected some of 0 to 47, got 48"):
        analysis.ablate(neurons=[48])


def test_neurons_are_read_by_number_and_as_a_table(analysis) -> None:
    neurons = analysis.neurons

    assert len(neurons) == 48
    assert [n.index for n in neurons[3:6]] == [3, 4, 5]
    table = neurons.table()
    assert [row["kind"] for row in table] == [n.kind for n in neurons]
    assert {row["kind"] for row in table} >= {"coset", "sign", "dead"}
    assert sum(neurons.kinds.values()) == 48
    assert sum(row["energy_share"] for row in table) == pytest.approx(1)
    assert all((row["left"] is None) == (row["kind"] in ("raw", "dead")) for row in table)
    sign = next(n for n in neurons if n.kind == "sign")
    assert sign.left == "A4"


def test_programs_are_read_edited_and_compared_again(analysis) -> None:
    readable = analysis.programs["readable"]

    assert analysis.compare(readable).answers_agree == 576
    assert analysis.compare(readable).equivalent == analysis.equivalent
    assert readable.record() == analysis.distillation.point("readable").written.program
    with pytest.raises(ValueError, match="read-only"):
        readable.circuits[0].votes[0, 0] = 0
    edited = readable.copy()
    assert edited.record() == readable.record()
    for circuit in edited.circuits:
        circuit.votes[:] = 0
    edited.bias[:] = 0
    silent = analysis.compare(edited)
    assert (silent.answers_agree, silent.right, len(silent.differ)) == (0, 0, 576)
    assert {answer for *_, answer in silent.differ} == {-1}
    assert readable.record() == analysis.distillation.point("readable").written.program

    shorter = readable.copy()
    del shorter.circuits[1:]
    compared = analysis.compare(shorter)
    expected = evaluate(compared.weights).answer
    assert compared.answers_agree == int((expected == analysis.evaluation.answer).sum()) < 576
    assert shorter.constants < readable.constants


def test_a_program_is_changed_as_the_network_would_be(analysis) -> None:
    """More votes in one entry of a list, at every pair that its neuron fires on, move the logits by just that where it counts."""
    program = analysis.programs["faithful"].copy()
    record = program.record()
    counts = linear_form(analysis.group, record.circuits[0].votes, program_subgroups(record, analysis.group)).basis()[:, 0]
    assert counts.any()
    program.circuits[0].votes[0, 0] += 5
    before, after = analysis.programs["faithful"].weights().exact(), program.weights().exact()
    position = 0
    for x, y in ((0, 0), (3, 7), (20, 11)):
        pushed = max(0, before.L[x, position] + before.R[y, position]) * 5
        assert (after.logits(x, y) - before.logits(x, y)).tolist() == [pushed * int(count) for count in counts]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda c: setattr(c, "votes", c.votes[:-1]), "expected 2 rows of votes in circuit 0"),
        (lambda c: setattr(c, "left", c.left[:, :-1]), "a list on"),
        (lambda c: c.right.__setitem__((0, 0), 0.5), "expected integers in right of circuit 0, got 0.5"),
    ],
)
def test_a_program_that_is_none_is_refused(analysis, change, sentence) -> None:
    program = analysis.programs["readable"].copy()
    change(program.circuits[0])
    with pytest.raises(ValueError, match=sentence):
        analysis.compare(program)


def test_a_program_over_another_group_is_refused(analysis) -> None:
    other = verify.analyse(planted_network(parse_group("S3"), seed=0, width=24).network)
    with pytest.raises(ValueError, match="expected a program over S4, got one over S3"):
        analysis.compare(other.programs["readable"])


def test_parts_wait_until_they_are_asked_for(planted) -> None:
    analysis = verify.analyse(planted)
    assert set(analysis.seconds) == {"loading"}
    assert analysis.correct.right == 576
    assert set(analysis.seconds) == {"loading", "exhaustive"}
    with pytest.raises(TypeError, match="does not support item assignment"):
        analysis.seconds["exhaustive"] = 0.0  # type: ignore[index]


def test_there_is_no_certificate_of_what_is_in_no_file(analysis) -> None:
    with pytest.raises(MalformedInput, match="expected a network from a file or from tensors"):
        _ = analysis.certificate


def test_write_leaves_a_run_with_the_network_that_was_never_in_a_file(planted, tmp_path) -> None:
    """The directory holds what `verify run` writes, and network.safetensors, against which the checker verifies the certificate."""
    from verify.cli import execute

    w = planted.weights
    out = verify.analyse((w.L, w.R, w.U), group="S4", timeout_s=0).write(tmp_path / "proof")

    assert {p.name for p in out.iterdir()} >= {"certificate.json", "summary.json", "program.json", "report.md", "network.safetensors"}
    assert execute(["check", str(out / "certificate.json"), "--checkpoint", str(out / "network.safetensors")]) == 0


def test_levels_are_those_of_the_summary(planted, tmp_path) -> None:
    path = tmp_path / "n.safetensors"
    save_folded(path, planted.weights)
    analysis = verify.analyse(path, group="S4", timeout_s=0)
    summary = analysis.summary
    levels = analysis.levels

    assert levels.answers.agree == summary.equivalence.answers_agree
    assert levels.logits.logit_fve == pytest.approx(summary.equivalence.logit_fve, rel=1e-5)
    assert [row.name for row in levels.counterfactuals] == [row.name for row in summary.counterfactuals]
    assert levels.mechanism == analysis.certificate.neurons
    family = summary.families[0]
    assert analysis.ablate(families=[family.name]).network.width == 48 - family.neurons


def test_every_public_name_is_there_and_none_is_imported_before_it_is_asked_for() -> None:
    code = "import sys, verify; print(sorted(m for m in sys.modules if m.startswith(('verify.', 'numpy', 'algebra', 'net'))))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])

    assert done.stdout.strip() == "[]"
    assert all(getattr(verify, name).__doc__ for name in verify.__all__)
    assert set(verify.__all__) <= set(dir(verify))
    with pytest.raises(AttributeError, match="has no attribute 'analyze'"):
        _ = verify.analyze


def test_program_json_of_a_run_is_the_programs_record(analysis) -> None:
    record = analysis.programs["readable"].record()

    assert isinstance(record, Program)
    import msgspec

    assert msgspec.json.decode(msgspec.json.encode(record), type=Program) == record
    assert json.loads(msgspec.json.encode(record))["group"]["name"] == "S4"


def test_the_bundled_network_knows_its_group() -> None:
    assert verify.analyse(bundled_checkpoint("S5")).group.name == "S5"


def test_a_network_of_no_file_is_refused_before_the_work(tmp_path: Path) -> None:
    """Nothing is searched for first, and nothing is written."""
    analysis = verify.analyse(planted_network(parse_group("S3"), seed=1, width=18).network)
    for refused in (lambda: analysis.certificate, lambda: analysis.summary, lambda: analysis.write(tmp_path / "out")):
        with pytest.raises(MalformedInput, match="made in memory"):
            refused()
    assert "obligations" not in vars(analysis)
    assert not list(tmp_path.iterdir())
