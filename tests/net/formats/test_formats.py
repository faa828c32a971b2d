"""Every published layout gives back the network that was written in it."""

from __future__ import annotations

import io
import json
import struct
import zipfile

import msgspec
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from net.checkpoint import load_network, read_checkpoint
from net.errors import MalformedInput
from net.formats.folded_arrays import save_folded
from net.weights import Weights
from verify.checker import layouts
from verify.checker.shape import Malformed, Reading, parse


def tensor(array, dtype=torch.float32):
    return torch.from_numpy(np.ascontiguousarray(array)).to(dtype)


def chughtai_state(L, R, U, **more):
    """Embeddings L and R, and two identity matrices on top of each other: L @ 1 = L."""
    eye = np.eye(L.shape[1])
    return {
        "W_x": tensor(L),
        "W_y": tensor(R),
        "W": tensor(np.vstack([eye, eye])),
        "W_U": tensor(U),
        **{name: tensor(array) for name, array in more.items()},
    }


def sn_grok_state(L, R, U, bias):
    eye = np.eye(L.shape[1])
    return {
        "lembed.weight": tensor(L),
        "rembed.weight": tensor(R),
        "linear.weight": tensor(np.hstack([eye, eye])),
        "unembed.weight": tensor(U.T),
        "unembed.bias": tensor(bias),
    }


def wu_state(L, R, U, bias, instances=1):
    eye = np.eye(L.shape[1])
    arrays = {
        "embedding_left": L,
        "embedding_right": R,
        "linear_left": eye,
        "linear_right": eye,
        "unembedding": U,
        "unembed_bias": bias,
    }
    return {name: torch.stack([tensor(array)] * instances) for name, array in arrays.items()}


@pytest.fixture
def bias():
    return np.array([0.25, -0.125, 0.0, 0.5, -0.25, 0.125], dtype=np.float32)


def assert_same(network, L, R, U, b=None):
    """The exact integers are those of the arrays."""
    found = network.weights.exact()
    expected = Weights.from_arrays(L, R, U, b).exact()
    scale_p = found.preactivation_bits - expected.preactivation_bits
    scale_v = found.vote_bits - expected.vote_bits
    for mine, theirs, bits in (
        (found.L, expected.L, scale_p),
        (found.R, expected.R, scale_p),
        (found.U, expected.U, scale_v),
        (found.b, expected.b, scale_p + scale_v),
    ):
        assert (mine * (1 << max(0, -bits)) == theirs * (1 << max(0, bits))).all()


def test_chughtai_state_dict(tmp_path, planted_s3, s3):
    torch.save(chughtai_state(*planted_s3), tmp_path / "model.pt")
    network = load_network(tmp_path / "model.pt", "S3")

    assert_same(network, *planted_s3)
    assert (network.source.format, network.source.dtype) == ("chughtai", "float32")
    assert network.source.parameters == 4 * 24 * 6 - 24 * 6 + 48 * 24
    assert (network.preactivation_terms, network.logit_terms) == (48, 24)
    assert network.group is s3


def test_chughtai_bias_after_relu_becomes_an_output_bias(tmp_path, planted_s3):
    """relu(.) + b against U: the logits gain b @ U. The float32 forward pass is another one: no statement."""
    L, R, U = planted_s3
    after = np.linspace(-0.01, 0.01, 24).astype(np.float32)
    torch.save(chughtai_state(L, R, U, b=after), tmp_path / "model.pt")
    network = load_network(tmp_path / "model.pt", "S3")
    exact = network.weights.exact()
    one = 2.0 ** -(exact.preactivation_bits + exact.vote_bits)

    assert np.allclose((exact.b * one).astype(float), after.astype(float) @ U, rtol=1e-12)
    assert network.preactivation_terms is None


@pytest.mark.parametrize("name", ["b_U", "unembed.bias", "unembed_bias"])
def test_chughtai_shape_with_an_unembed_bias(tmp_path, planted_s3, bias, name):
    torch.save(chughtai_state(*planted_s3, **{name: bias}), tmp_path / "model.pt")

    assert_same(load_network(tmp_path / "model.pt", "S3"), *planted_s3, bias)


def test_two_names_for_one_tensor_are_refused(tmp_path, planted_s3, bias):
    torch.save(chughtai_state(*planted_s3, b_U=bias, unembed_bias=bias), tmp_path / "model.pt")
    with pytest.raises(MalformedInput, match="two for one"):
        load_network(tmp_path / "model.pt", "S3")


def test_configuration_beside_a_state_dict_is_recorded(tmp_path, planted_s3):
    torch.save(chughtai_state(*planted_s3), tmp_path / "model.pt")
    (tmp_path / "cfg.json").write_text(json.dumps({"seed": 5, "act_fn": "relu"}))

    assert load_network(tmp_path / "model.pt", "S3").source.details["config"]["seed"] == 5


@pytest.mark.parametrize("text", ["[1]", "{", '{"act_fn": "gelu"}', '{"activation": "silu"}', "[" * 100_000])
def test_bad_configuration_beside_a_state_dict_is_refused(tmp_path, planted_s3, text):
    torch.save(chughtai_state(*planted_s3), tmp_path / "model.pt")
    (tmp_path / "cfg.json").write_text(text)
    with pytest.raises(MalformedInput, match="expected"):
        load_network(tmp_path / "model.pt", "S3")


def sn_grok_variants(last, other):
    """Outer dicts as `{epoch}.pth` and the versions of `full_run.pth` have them; `last` is the last epoch."""
    config = {"embed_dim": 24, "model_dim": [24], "vocab_size": 6}
    return {
        "epoch": {"model": last, "optimizer": {"state": {}}, "config": config, "rng": torch.zeros(8).byte()},
        "model only": {"model": last},
        "with relu": {"model": last, "config": {**config, "act_fn": "relu"}},
        "full run": {
            "model": last,
            "config": config,
            "checkpoints": [other, last],
            "checkpoint_epochs": [0, 100],
            "train_loss": [1.0, 0.1],
            "test_loss": [2.0, 0.2],
            "loss_epochs": torch.arange(2),
        },
        "list only": {"config": config, "checkpoints": [other, last]},
        "list and epochs": {"checkpoints": [last, other], "checkpoint_epochs": [200, 100]},
        "by epoch": {"checkpoints": {100: other, 900: last}},
    }


@pytest.mark.parametrize("variant", sn_grok_variants(None, None))
def test_sn_grok_variants(tmp_path, planted_s3, bias, variant):
    L, R, U = planted_s3
    states = sn_grok_state(L, R, U, bias), sn_grok_state(L * 0, R, U, bias)
    torch.save(sn_grok_variants(*states)[variant], tmp_path / "full_run.pth")
    network = load_network(tmp_path / "full_run.pth", "S3")

    assert_same(network, L, R, U, bias)
    assert network.source.format == "sn-grok"
    assert (network.preactivation_terms, network.logit_terms) == (48, 25)


def test_sn_grok_says_which_epoch_it_took(tmp_path, planted_s3, bias):
    state = sn_grok_state(*planted_s3, bias)
    torch.save({"checkpoints": [state, state], "checkpoint_epochs": [7, 3]}, tmp_path / "full_run.pth")

    assert read_checkpoint(tmp_path / "full_run.pth")[1].details == {"state": "checkpoints", "epoch": 7}


def test_sn_grok_bias_before_relu(tmp_path, planted_s3, bias):
    """linear.bias of zero changes nothing but the length of the dot product."""
    state = sn_grok_state(*planted_s3, bias) | {"linear.bias": torch.zeros(24)}
    torch.save({"model": state}, tmp_path / "0.pth")
    network = load_network(tmp_path / "0.pth", "S3")

    assert_same(network, *planted_s3, bias)
    assert network.preactivation_terms == 49


@pytest.mark.parametrize(
    "outer",
    [
        {"model": 3},
        {"checkpoints": []},
        {"checkpoints": [1]},
        {"checkpoints": {}},
        {"checkpoints": {"a": {}}},
        {"checkpoints": [{}, {}], "checkpoint_epochs": [1]},
        {"checkpoints": [3, {}], "checkpoint_epochs": [2, 1]},
        {"model": {}},
        {"model": {"lembed.weight": 1.0}},
        {"model": {3: torch.zeros(1)}},
    ],
)
def test_sn_grok_dicts_without_a_state_are_refused(tmp_path, outer):
    torch.save(outer, tmp_path / "full_run.pth")
    with pytest.raises(MalformedInput, match="expected"):
        load_network(tmp_path / "full_run.pth", "S3")


@pytest.mark.parametrize("act_fn", ["gelu", "silu", 3])
def test_other_activations_than_relu_are_refused(tmp_path, planted_s3, bias, act_fn):
    outer = {"model": sn_grok_state(*planted_s3, bias), "config": {"act_fn": act_fn}}
    torch.save(outer, tmp_path / "0.pth")
    with pytest.raises(MalformedInput, match="expected relu"):
        load_network(tmp_path / "0.pth", "S3")


def test_wu_state_dict(tmp_path, planted_s3, bias):
    torch.save(wu_state(*planted_s3, bias), tmp_path / "model.pt")
    network = load_network(tmp_path / "model.pt", "S3")

    assert_same(network, *planted_s3, bias)
    assert network.source.format == "wu"


def test_wu_state_dict_without_the_leading_dimension(tmp_path, planted_s3, bias):
    state = {name: values[0] for name, values in wu_state(*planted_s3, bias).items()}
    torch.save(state, tmp_path / "model.pt")

    assert_same(load_network(tmp_path / "model.pt", "S3"), *planted_s3, bias)


def test_several_networks_in_one_wu_state_dict_are_refused(tmp_path, planted_s3, bias):
    torch.save(wu_state(*planted_s3, bias, instances=3), tmp_path / "model.pt")
    with pytest.raises(MalformedInput, match="got 3 side by side"):
        load_network(tmp_path / "model.pt", "S3")


def test_a_leading_dimension_of_some_wu_tensors_is_not_the_layout(tmp_path, planted_s3, bias):
    """As for the checker; the certificate then states which tensor is what. Nor are they with a single number beside them."""
    state = wu_state(*planted_s3, bias)
    for name in state:
        torch.save({**state, name: state[name][0]}, tmp_path / "model.pt")
        network = load_network(tmp_path / "model.pt", "S3")
        assert network.source.format == "by meaning"
        data = (tmp_path / "model.pt").read_bytes()
        with pytest.raises(Malformed, match="of all tensors or of none"):
            layouts.read_checkpoint(data)
        reading = parse(Reading, msgspec.to_builtins(network.source.reading), "reading")
        assert layouts.read_checkpoint(data, reading, network.source.activation_taken)[0] == "by meaning"
        assert_same(network, *planted_s3, bias)
    torch.save({**state, "version": torch.tensor(3.0)}, tmp_path / "model.pt")
    with pytest.raises(MalformedInput, match="version"):
        load_network(tmp_path / "model.pt", "S3")


@pytest.mark.parametrize("suffix", ["safetensors", "pt", "npz"])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_folded_arrays_in_every_container_and_precision(tmp_path, planted_s3, bias, suffix, dtype):
    """The planted values are short enough for float16; what bfloat16 rounds comes back rounded."""
    arrays = dict(zip("LRUb", (*planted_s3, bias), strict=True))
    tensors = {name: tensor(array, getattr(torch, dtype)) for name, array in arrays.items()}
    path = tmp_path / f"folded.{suffix}"
    if suffix == "safetensors":
        save_file(tensors, path)
    elif suffix == "pt":
        torch.save(tensors, path)
    elif dtype == "bfloat16":
        pytest.skip("numpy has no bfloat16, so an npz has none")
    else:
        np.savez(path, **{name: value.numpy() for name, value in tensors.items()})
    network = load_network(path, "S3")

    assert_same(network, *(value.to(torch.float64).numpy() for value in tensors.values()))
    assert (network.source.format, network.source.dtype) == ("folded", dtype)
    assert network.preactivation_terms == 2


def test_float64_weights_that_are_no_float32_numbers_make_no_float32_statement(tmp_path, planted_s3):
    L, R, U = planted_s3
    moved = L.astype(np.float64) + 1e-12
    np.savez(tmp_path / "folded.npz", L=moved, R=R, U=U)
    network = load_network(tmp_path / "folded.npz", "S3")

    assert_same(network, moved, R, U)
    assert network.preactivation_terms is network.logit_terms is None


def test_saved_folded_weights_come_back_as_the_same_bytes(tmp_path, planted_s3):
    weights = Weights.from_arrays(*planted_s3)
    save_folded(tmp_path / "a.safetensors", weights)
    save_folded(tmp_path / "b.safetensors", load_network(tmp_path / "a.safetensors", "S3").weights)

    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()
    assert load_network(tmp_path / "a.safetensors", "S3").source.dtype == "float32"


def test_npz_files_with_their_sizes_twice(tmp_path, planted_s3):
    """With Python 3.11.2 headers have the sizes and repeat them in 64 bits; with 3.11.7 they stand there alone."""
    stream = io.BytesIO()
    np.savez(stream, **dict(zip("LRU", planted_s3, strict=True)))
    data = bytearray(stream.getvalue())
    with zipfile.ZipFile(stream) as archive:
        for member in archive.infolist():
            struct.pack_into("<2I", data, member.header_offset + 18, member.compress_size, member.file_size)
    (tmp_path / "folded.npz").write_bytes(data)

    assert_same(load_network(tmp_path / "folded.npz", "S3"), *planted_s3)


def test_fortran_ordered_and_big_endian_npz(tmp_path, planted_s3):
    L, R, U = planted_s3
    np.savez(tmp_path / "folded.npz", L=np.asfortranarray(L), R=R.astype(">f4"), U=U.astype(np.float64))

    assert_same(load_network(tmp_path / "folded.npz", "S3"), *planted_s3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s | {"W_x": s["W_x"][:5]}, r"expected W_y of shape \(n, d\) with n = 5, d = 24"),
        (lambda s: s | {"W": s["W"][:47]}, "expected W of shape"),
        (lambda s: s | {"W": s["W"][:46]}, "expected W of shape"),
        (lambda s: s | {"W_U": s["W_U"][:, :5]}, "expected W_U of shape"),
        (lambda s: s | {"W_x": s["W_x"][None].repeat(3, 1, 1)}, "expected W_x of shape"),
        (lambda s: s | {"b": torch.zeros(5)}, "expected b of shape"),
        (lambda s: s | {"extra": torch.zeros(6)}, "one more named 'extra'"),
        (lambda s: {name: s[name] for name in ("W_x", "W", "W_U")}, "none named W_y"),
        (lambda s: {"W_x": s["W_x"]}, "known layout"),
        (lambda s: {}, "expected a state dict"),
        (lambda s: s | {"W_U": torch.full_like(s["W_U"], float("nan"))}, "finite.*nan at W_U"),
        (lambda s: s | {"W_U": -torch.full_like(s["W_U"], float("inf"))}, "finite.*-inf at W_U"),
        (lambda s: s | {"W_x": s["W_x"].to(torch.int32)}, "tensor of floats"),
        (lambda s: s | {"W_x": s["W_x"].to(torch.complex64)}, "tensor of floats"),
        (lambda s: s | {"W_x": s["W_x"].to_sparse()}, "asks for torch._utils._rebuild_sparse_tensor"),
        (lambda s: s | {"W_x": torch.empty(6, 24, device="meta")}, "dense tensor|tensors and nothing else"),
        (lambda s: s | {"W_x": torch.zeros(1).expand(6, 10**9)}, "at most"),
        (
            lambda s: s | {"W_x": s["W_x"][:, :0], "W_y": s["W_y"][:, :0], "W": s["W"][:0]},
            "expected W_x of shape",
        ),
        (lambda s: [s], "expected a dict"),
        (lambda s: s["W"], "expected a dict"),
    ],
)
def test_state_dicts_that_do_not_fit_together_are_refused(tmp_path, planted_s3, change, message):
    torch.save(change(chughtai_state(*planted_s3)), tmp_path / "model.pt")
    with pytest.raises(MalformedInput, match=message):
        load_network(tmp_path / "model.pt", "S3")


def test_a_network_over_another_number_of_elements_is_refused(tmp_path, planted_s3):
    torch.save(chughtai_state(*planted_s3), tmp_path / "model.pt")
    with pytest.raises(MalformedInput, match="S4 with 24 elements, got one with 6"):
        load_network(tmp_path / "model.pt", "S4")
