"""Where training code puts a network in a file: each place is found, in one way, by the loader and by the checker."""

from __future__ import annotations

import io
import json
from collections import defaultdict
from datetime import UTC, datetime
from types import SimpleNamespace

import msgspec
import numpy as np
import pytest
import torch
from safetensors.numpy import save

from net.checkpoint import ReadOptions, checkpoint_in, network_over, open_checkpoint
from net.errors import MalformedInput
from verify.checker import layouts, shape
from verify.checker.layers import fold, side_of
from verify.checker.shape import Malformed


@pytest.fixture
def tensors(planted_s3):
    """The state dict of a right network over S3, and the same with all weights 0."""
    L, R, votes = planted_s3
    right = {"0.weight": torch.from_numpy(np.vstack([L, R]).T.copy()), "2.weight": torch.from_numpy(votes.T.copy())}
    return right, {name: torch.zeros_like(tensor) for name, tensor in right.items()}


def torch_bytes(content):
    stream = io.BytesIO()
    torch.save(content, stream)
    return stream.getvalue()


def both(data, tmp_path, step=None):
    """The network that the loader reads in the bytes, after the checker has read the same."""
    checkpoint = checkpoint_in(data, tmp_path / "net", ReadOptions(step=step))
    network = network_over("S3", checkpoint)
    reading = network.source.reading
    told = shape.parse(shape.Reading, msgspec.json.decode(msgspec.json.encode(reading)), "reading")
    layout, theirs = layouts.read_checkpoint(network.source.rewritten or data, told)
    mine = checkpoint.ways(6)[0][1]
    assert layout == "by meaning"
    for factors, ours in ((theirs.left, mine.left), (theirs.right, mine.right), ((theirs.votes,), (mine.unembedding,))):
        matrix = side_of(factors, ())[0] if len(factors) > 1 else fold(*factors)[0]
        assert np.array_equal(np.array(matrix.rows) / 2.0**matrix.bits, ours[0])
    return network


def plain(right, wrong):
    """(what is in the file, --step, the path to the state dict that is stated)."""
    return {
        "settings among the tensors": ({**right, "epoch": 3, "config": {"act_fn": "relu"}, "acc": 1.0}, None, ()),
        "a list": (list(right.values()), None, ()),
        "an unusual key": ({"best_model": right, "losses": [1.0]}, None, ("best_model",)),
        "two keys deep": ({"checkpoint": {"model": right, "epoch": 3}, "version": 1}, None, ("checkpoint", "model")),
        "a usual key twice": ({"model": {"state_dict": right}, "epoch": 3}, None, ("model", "state_dict")),
        "what scripts keep beside it": (
            {
                "model_state_dict": right,
                "best_state_dict": wrong,
                "train_losses": np.linspace(1, 0, 5),
                "history": defaultdict(list, {"test_acc": [0.5, 1.0]}),
                "saved_on": datetime(2024, 2, 29, tzinfo=UTC),
                "pytorch_version": torch.__version__,
                "args": SimpleNamespace(lr=1e-3, activation="relu"),
                "elapsed_time": 3.5,
                "command": "train.py --lr 1e-3",
                "criterion": "CrossEntropyLoss",
                "model_kwargs": {"n": 6, "hidden_dim": {"desc": None, "value": 36}},
                "cayley_table": torch.zeros(6, 6, dtype=torch.long),
            },
            None,
            (),
        ),
        "one of two": ({"begin": wrong, "end": right}, "end", ("end",)),
        "one of two usual ones": ({"model": right, "net": wrong}, "model", ("model",)),
        "one of two, deeper": ({"runs": {"a": wrong, "b": right}}, "runs.b", ("runs", "b")),
        "of a list, by its epoch": (
            [{"epoch": 10, "state_dict": wrong}, {"epoch": 20, "state_dict": right, "optimizer": {"lr": 0.1}}],
            "20",
            ("1", "state_dict"),
        ),
        "of a list under a key, by its place": (
            {"history": [{"model": right, "loss": 0.1}, {"model": wrong, "loss": 0.0}], "seed": 3},
            "0",
            ("history", "0", "model"),
        ),
    }


@pytest.mark.parametrize("name", plain({}, {}))
def test_the_state_dict_is_found_by_both(name, tensors, tmp_path):
    content, step, path = plain(*tensors)[name]
    network = both(torch_bytes(content), tmp_path, step)

    assert network.convention.sample_accuracy == 1
    assert network.source.reading.state == path


@pytest.mark.parametrize("name", plain({}, {}))
def test_a_stated_path_leads_to_the_same_state_dict(name, tensors, tmp_path):
    """What a certificate states of the file is enough to read it again, without --step."""
    content, step, _ = plain(*tensors)[name]
    data = torch_bytes(content)
    reading = both(data, tmp_path, step).source.reading
    again = checkpoint_in(data, tmp_path / "net", ReadOptions(layout=reading))

    assert again.state == reading.state
    assert again.tensors.keys() == tensors[0].keys() or name == "a list"


@pytest.mark.parametrize("wrap", ["beside", "within", "among", "of a list"])
def test_settings_are_looked_at_wherever_they_lie(wrap, tensors, tmp_path):
    """Beside the state dict, on either level, and among its tensors: another activation is refused by both readers."""
    right, _ = tensors
    other = {"act_fn": "gelu"}
    content = {
        "beside": {"best_model": right, "config": other},
        "within": {"checkpoint": {"model": right, "config": other}, "config": {"act_fn": "relu"}},
        "among": {**right, "config": other},
        "of a list": [{"epoch": 1, "model": right, "config": other}],
    }[wrap]
    data, step = torch_bytes(content), "1" if wrap == "of a list" else None
    with pytest.raises(MalformedInput, match="gelu"):
        checkpoint_in(data, tmp_path / "net", ReadOptions(step=step))
    reading = both(torch_bytes(_without_gelu(content)), tmp_path, step).source.reading
    told = shape.parse(shape.Reading, msgspec.json.decode(msgspec.json.encode(reading)), "reading")
    with pytest.raises(Malformed, match="gelu"):
        layouts.read_checkpoint(data, told)


@pytest.mark.parametrize(
    "beside",
    [
        {"output_bias": np.ones(6)},
        {"params": [np.ones(6)]},
        {"args": SimpleNamespace(activation="gelu")},
        {"config": defaultdict(dict, {"layers": {"act_fn": "gelu"}})},
        {"scale": np.float32(2)},
        {"model_kwargs": {"act": "gelu"}},
        {"config": {"logit_scale": {"value": 2.0}}},
        {"cmd": "python train.py --act gelu"},
        {"args": {"argv": ["train.py", "--activation=tanh"]}},
    ],
    ids=lambda beside: next(iter(beside)),
)
def test_what_could_be_part_of_the_function_is_refused_by_both(beside, tensors, tmp_path):
    """A numpy array under a name that is not about training, and settings in whatever holds them."""
    right, _ = tensors
    reading = both(torch_bytes({"model": right}), tmp_path).source.reading
    told = shape.parse(shape.Reading, msgspec.json.decode(msgspec.json.encode(reading)), "reading")
    data = torch_bytes({"model": right, **beside})
    with pytest.raises(MalformedInput, match=r"^expected (relu as activation|settings)"):
        checkpoint_in(data, tmp_path / "net")
    with pytest.raises(Malformed, match=r"^expected (relu as activation|settings|no tensors beside the network)"):
        layouts.read_checkpoint(data, told)


def test_a_network_of_numpy_arrays_in_a_torch_file_is_refused_with_the_mend(tensors, tmp_path):
    content = {name: tensor.numpy() for name, tensor in tensors[0].items()}
    with pytest.raises(MalformedInput, match="save its numpy arrays as tensors"):
        checkpoint_in(torch_bytes(content), tmp_path / "net")


def test_single_numbers_are_left_out_where_they_measure_and_refused_where_they_may_scale(tensors, tmp_path):
    """By both readers: a loss lies beside the network, a temperature may be part of it."""
    right, _ = tensors
    arrays = {name: tensor.numpy() for name, tensor in right.items()}
    stream, other = io.BytesIO(), io.BytesIO()
    np.savez(stream, train_loss=np.float32(0.5), seed=np.float64(3), **arrays)
    np.savez(other, temperature=np.float32(0.5), **arrays)
    network = both(stream.getvalue(), tmp_path)
    assert network.convention.sample_accuracy == 1
    assert set(network.source.reading.skipped) == {"train_loss", "seed"}
    with pytest.raises(MalformedInput, match="temperature"):
        network_over("S3", checkpoint_in(other.getvalue(), tmp_path / "net"))
    told = msgspec.structs.replace(network.source.reading, skipped=("temperature",))
    with pytest.raises(Malformed, match="'temperature' left out"):
        layouts.read_checkpoint(other.getvalue(), shape.parse(shape.Reading, msgspec.json.decode(msgspec.json.encode(told)), "reading"))


def _without_gelu(content):
    if isinstance(content, list):
        return [_without_gelu(entry) for entry in content]
    if not isinstance(content, dict):
        return content
    return {key: "relu" if value == "gelu" else _without_gelu(value) for key, value in content.items()}


def test_several_state_dicts_are_refused_with_their_keys(tensors, tmp_path):
    right, wrong = tensors
    with pytest.raises(MalformedInput, match="got 2, under 'begin' and 'end': choose one with --step end"):
        checkpoint_in(torch_bytes({"begin": wrong, "end": right}), tmp_path / "net")
    with pytest.raises(MalformedInput, match="expected a key of a state dict"):
        checkpoint_in(torch_bytes({"begin": wrong, "end": right}), tmp_path / "net", ReadOptions(step="middle"))


def test_arrays_without_names(tensors, tmp_path):
    """numpy.savez(file, a, b, ...) calls them arr_0, arr_1; a vector among them can be a bias."""
    (first, second), stream = tensors[0].values(), io.BytesIO()
    np.savez(stream, first.numpy().T, np.zeros(len(first), np.float32), second.numpy().T)
    network = both(stream.getvalue(), tmp_path)

    assert network.source.reading.hidden_bias == ("arr_1",)


def test_integers_in_npz_lie_beside_the_network(tensors, tmp_path):
    first, second = tensors[0].values()
    for extra in (np.int64(3), np.arange(6, dtype=">i4"), np.array([True]), np.arange(6, dtype=np.uint8)):
        stream = io.BytesIO()
        np.savez(stream, W1=first.numpy().T, W2=second.numpy().T, extra=extra)
        assert both(stream.getvalue(), tmp_path).source.skipped == ("extra",)


def shards(tensors, folder, **change):
    """Files of one tensor each and their index, with some of its entries changed."""
    index = {}
    for number, (name, tensor) in enumerate(tensors.items()):
        index[name] = f"model-0000{number + 1}-of-00002.safetensors"
        (folder / index[name]).write_bytes(save({name: tensor.numpy()}))
    path = folder / "model.safetensors.index.json"
    path.write_text(json.dumps({"metadata": {"total_size": 1}, "weight_map": index | change}))
    return path


def test_a_network_in_several_files(tensors, tmp_path):
    """Through the index; what is certified is one file with all tensors, which the checker reads."""
    path = shards(tensors[0], tmp_path)
    network = network_over("S3", open_checkpoint(path))

    assert network.convention.sample_accuracy == 1
    assert network.source.container == "sharded safetensors"
    again = both(network.source.rewritten, tmp_path)
    assert np.array_equal(again.weights.L, network.weights.L)
    assert np.array_equal(again.weights.U, network.weights.U)
    with pytest.raises(MalformedInput, match="give the index"):
        network_over("S3", open_checkpoint(tmp_path / "model-00001-of-00002.safetensors"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"3.weight": "model-00001-of-00002.safetensors"}, "lists for it, got others"),
        ({"2.weight": "model-00001-of-00002.safetensors"}, "lists for it, got others"),
        ({"2.weight": "model-00003-of-00003.safetensors"}, "no file of that name"),
        ({"2.weight": "../x"}, "beside"),
        ({"2.weight": 3}, "the file of each tensor"),
    ],
)
def test_an_index_that_does_not_fit_is_refused(change, message, tensors, tmp_path):
    with pytest.raises(MalformedInput, match=message):
        open_checkpoint(shards(tensors[0], tmp_path, **change))
