"""`verify export onnx` and `vnnlib`: the model gives the network's answers on all pairs, and properties say of each what is so."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

import verify
from algebra.group import parse_group
from algebra.permutation import parse_cycles
from net.checkpoint import ReadOptions, network_over, open_checkpoint
from verify.cli import execute
from verify.exact.exhaustive import evaluate
from verify.exact.float32 import float32_proved
from verify.record.certificate import read_certificate

ACCEPTED = Path(__file__).parents[2] / "certificates" / "accepted"
NAMES = sorted(path.stem for path in ACCEPTED.glob("*.json"))


def export(kind, run, checkpoint, out, *options):
    return execute(["export", kind, str(run), "--checkpoint", str(checkpoint), "--out", str(out), *options])


def logits(path, n):
    """The model's logits at all pairs of the file's numbers, in the reference implementation: (n^2, n), and its metadata."""
    onnx = pytest.importorskip("onnx", reason="the package onnx is not installed")
    from onnx.reference import ReferenceEvaluator

    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    kind = np.float32 if model.graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.FLOAT else np.float64
    x, y = np.divmod(np.arange(n * n), n)
    hot = np.eye(n, dtype=kind)
    (found,) = ReferenceEvaluator(model).run(None, {"inputs": np.hstack([hot[x], hot[y]])})
    return found, json.loads(model.metadata_props[0].value)


@pytest.mark.parametrize("name", NAMES)
def test_the_model_gives_the_networks_answers(name, tmp_path):
    """At every pair that is proved for float32 in any order; of wider weights at every pair whose margin is no rounding error."""
    certificate, checkpoint = read_certificate(ACCEPTED / f"{name}.json"), ACCEPTED / f"{name}.ckpt"
    pytest.importorskip("onnx", reason="the package onnx is not installed")
    assert export("onnx", ACCEPTED / f"{name}.json", checkpoint, tmp_path / "net.onnx") == 0
    record, n = certificate.checkpoint, certificate.group.order
    found, about = logits(tmp_path / "net.onnx", n)
    opened = open_checkpoint(checkpoint, ReadOptions(layout=record.reading))
    network = network_over(parse_group(certificate.group.name), opened, record.order, record.product)
    answers = evaluate(network.weights)
    proved = float32_proved(network, answers)
    sure = answers.margin_low > 1e-9 * np.abs(found).max() if proved is None else proved
    table = found.argmax(axis=1).reshape(n, n)
    numbering = np.array(record.numbering)
    for a in range(n):
        for b in range(n):
            x, y = (numbering[a], numbering[b]) if record.product == "left-first" else (numbering[b], numbering[a])
            if sure[x, y]:
                assert numbering[table[a, b]] == answers.answer[x, y]
    if proved is not None:
        assert (proved & (answers.answer == network.group.mul)).sum() == certificate.correct.float32_any_order
    assert about["elements"][0] == "()" or record.order == "table"
    degree = certificate.group.degree
    assert [parse_cycles(text, degree) for text in about["elements"]] == [tuple(network.group.elements[g]) for g in numbering]


def tensors(activation):
    """A network with biases everywhere, right over S3: a lookup of pairs behind an embedding, output and unembedding."""
    S3 = parse_group("S3")
    a, b = np.divmod(np.arange(36), 6)
    first = np.vstack([np.eye(6)[:, a], np.eye(6)[:, b]])
    votes = np.eye(6)[S3.mul[a, b]]
    half = np.full(6, 0.5)
    hidden = -1.0 * (activation == "relu") - 0.5 * first.sum(axis=0)
    found = {
        "embed.weight": np.eye(6),
        "embed.bias": half,
        "fc1.weight": first.T,
        "fc1.bias": hidden,
        "out.weight": votes.T,
        "out.bias": half,
    }
    return {name: np.ascontiguousarray(array, dtype=np.float32) for name, array in found.items()}


@pytest.mark.parametrize("activation", ["relu", "square"])
def test_biases_everywhere_and_squares(activation, tmp_path):
    pytest.importorskip("onnx", reason="the package onnx is not installed")
    analysis = verify.analyse(tensors(activation), "S3", activation=activation, timeout_s=0)
    assert analysis.correct.right == 36
    run = analysis.write(tmp_path / "run")
    assert export("onnx", run, run / "network.safetensors", tmp_path / "net.onnx") == 0
    found, _ = logits(tmp_path / "net.onnx", 6)
    numbering = np.array(analysis.certificate.checkpoint.numbering)
    x, y = np.divmod(np.arange(36), 6)
    again = (tmp_path / "net.onnx").read_bytes()

    assert np.array_equal(numbering[found.argmax(axis=1)], analysis.group.mul[numbering[x], numbering[y]])
    expected = analysis.weights.logits(numbering[x], numbering[y])[:, numbering]
    assert np.allclose(found, expected, atol=1e-5)
    assert export("onnx", run, run / "network.safetensors", tmp_path / "net.onnx") == 0
    assert (tmp_path / "net.onnx").read_bytes() == again


def read(path, n):
    """(x, y, the product, the outputs that the disjunction names, every bound of the inputs) of a property."""
    text = path.read_text()
    bounds = [float(value) for value in re.findall(r"\(assert \([<>]= X_\d+ (-?[0-9.]+)\)\)", text)]
    x, y = (k for k in range(2 * n) if bounds[2 * k + 1] >= 1)
    others = re.findall(r"\(and \(>= Y_(\d+) Y_(\d+)\)\)", text)
    assert text.count("(declare-const X_") == 2 * n
    assert text.count("(declare-const Y_") == n
    assert text.count("(") == text.count(")")
    assert len({product for _, product in others}) == 1
    return x, y - n, int(others[0][1]), sorted(int(z) for z, _ in others), bounds


@pytest.mark.parametrize("name", ["s3_wu_right_first", "refuted_tie"])
def test_properties_name_the_product_of_each_pair(name, tmp_path):
    """All pairs: unsat, by the exact logits, where the certificate says that the answer is right, and sat elsewhere."""
    certificate, checkpoint = read_certificate(ACCEPTED / f"{name}.json"), ACCEPTED / f"{name}.ckpt"
    assert export("vnnlib", ACCEPTED / f"{name}.json", checkpoint, tmp_path / "all", "--all") == 0
    record, n = certificate.checkpoint, certificate.group.order
    network = network_over(parse_group(certificate.group.name), open_checkpoint(checkpoint), record.order, record.product)
    exact = network.weights.exact()
    listed = (tmp_path / "all" / "instances.csv").read_text().splitlines()
    wrong = set()
    for line in listed:
        model, file, _ = line.split(",")
        a, b, product, others, bounds = read(tmp_path / "all" / file, n)
        assert model == "network.onnx"
        assert file == f"pair_{a}_{b}.vnnlib"
        assert sorted(set(bounds)) == [0, 1]
        x, y = (record.numbering[a], record.numbering[b])[:: 1 if record.product == "left-first" else -1]
        assert record.numbering[product] == network.group.mul[x, y]
        values = exact.logits(x, y)[list(record.numbering)]
        assert others == [z for z in range(n) if z != product]
        if any(values[z] >= values[product] for z in others):
            wrong.add((x, y))

    assert len(listed) == n * n
    assert wrong == {(x, y) for x, y, _ in certificate.correct.wrong}


def test_a_sample_begins_with_the_least_margin_and_has_a_radius(tmp_path):
    name = "s3_wu_right_first"
    run, checkpoint = ACCEPTED / f"{name}.json", ACCEPTED / f"{name}.ckpt"
    assert export("vnnlib", run, checkpoint, tmp_path / "some", "--sample", "5", "--radius", "0.001", "--model", "a.onnx") == 0
    listed = [line.split(",") for line in (tmp_path / "some" / "instances.csv").read_text().splitlines()]
    a, b, _, _, bounds = read(tmp_path / "some" / listed[0][1], 6)
    certificate = read_certificate(run)
    x, y = certificate.checkpoint.numbering[b], certificate.checkpoint.numbering[a]

    assert len({file for _, file, _ in listed}) == 5
    assert {model for model, _, _ in listed} == {"a.onnx"}
    assert (x, y) == certificate.correct.min_margin_pair
    assert sorted(set(bounds)) == [-0.001, 0.001, 0.999, 1.001]
    assert export("vnnlib", run, checkpoint, tmp_path / "one", "--pair", "2", "5") == 0
    assert [path.name for path in sorted((tmp_path / "one").iterdir())] == ["instances.csv", "pair_2_5.vnnlib"]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ((), 2),
        (("--all", "--sample", "3"), 2),
        (("--pair", "6", "0"), 2),
        (("--all", "--radius", "x"), 2),
        (("--all", "--radius", "1e3"), 2),
    ],
)
def test_wrong_usage_of_vnnlib(options, code, tmp_path):
    name = "s3_wu_right_first"
    assert export("vnnlib", ACCEPTED / f"{name}.json", ACCEPTED / f"{name}.ckpt", tmp_path / "out", *options) == code
    assert not (tmp_path / "out").exists()


def test_another_checkpoint_is_refused(tmp_path):
    run, other = ACCEPTED / "s3_wu_right_first.json", ACCEPTED / "refuted_tie.ckpt"
    for kind, options in (("onnx", ()), ("vnnlib", ("--all",))):
        assert export(kind, run, other, tmp_path / "net.onnx", *options) == 4
